//! The block engine: plain Rust, always there.
//!
//! Innermost loops run as [`vector`] loops, operation after operation on blocks of
//! lanes; all else as in the plain runner. The outermost loop is shared by threads
//! where its iterations are independent, sums apart: it is cut into pieces that depend on
//! its length alone, and the sums of the pieces are added in order, so the bits do not
//! depend on the number of threads.

mod kernels;
mod lanes;
mod vector;

use crate::Report;
use crate::error::Stop;
use crate::frame::Frame;
use crate::loops::walk::{Visit, walk_node};
use crate::loops::{BufferId, Cond, Fold, For, Int, IntId, LoopProgram, Node, Order, RealId};
use crate::math::Level;
use crate::runner::{Range, Runner, Vars, join};
use crate::scalar::Scalar;
use lanes::Scratch;
use rayon::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use vector::{VectorLoop, vector};

/// A loop that takes fewer steps is not worth a vector.
const FEW: i64 = 4;
/// A shared loop is cut into at most this many pieces.
const PIECES: i64 = 64;
/// A loop whose body has less work than this in all is not shared.
const LITTLE: i64 = 8192;

/// Loops prepared for the block engine.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    body: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    /// As in the plain runner.
    Plain(Node),
    Loop(Box<Loop>),
    If(Cond, Vec<Step>),
}

#[derive(Clone, Debug)]
struct Loop {
    /// With its body, which short loops run as it is.
    source: For,
    body: Vec<Step>,
    vector: Option<VectorLoop>,
    /// The sums that leave it, if its iterations are independent but for them.
    shared: Option<Vec<(RealId, Fold)>>,
}

impl Blocks {
    /// Prepares a program.
    pub(crate) fn new(program: &LoopProgram) -> Self {
        Self { body: steps(&program.body, true) }
    }

    /// Runs the program.
    ///
    /// # Errors
    /// As the plain runner; `vars` then has the values where it stopped.
    pub(crate) fn run<S: Scalar>(
        &self,
        program: &LoopProgram,
        frame: &Frame<S>,
        vars: &mut Vars<S>,
        cancelled: &AtomicBool,
        threads: usize,
        report: &Report,
    ) -> Result<(), Stop> {
        let context = Context { level: Level::best(), cancelled, threads };
        let mut scratch = Scratch::default();
        let mut machine =
            Machine { runner: Runner { program, frame, vars }, scratch: &mut scratch, context };
        for (done, step) in self.body.iter().enumerate() {
            if cancelled.load(Ordering::Relaxed) {
                return Err(Stop::Cancelled);
            }
            machine.steps(std::slice::from_ref(step))?;
            report(done + 1, self.body.len());
        }
        Ok(())
    }
}

fn steps(nodes: &[Node], outermost: bool) -> Vec<Step> {
    nodes
        .iter()
        .filter(|node| !matches!(node, Node::Note(_)))
        .map(|node| match node {
            Node::For(header) => {
                let shared = if outermost { shared(header) } else { None };
                let body = steps(&header.body, outermost && shared.is_none());
                let vector = vector(header);
                Step::Loop(Box::new(Loop { source: (**header).clone(), body, vector, shared }))
            }
            Node::If(cond, body) => Step::If(cond.clone(), steps(body, outermost)),
            Node::Note(_)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => Step::Plain(node.clone()),
        })
        .collect()
}

#[derive(Clone, Copy)]
struct Context<'c> {
    level: Level,
    cancelled: &'c AtomicBool,
    threads: usize,
}

struct Machine<'r, 's, S> {
    runner: Runner<'r, S>,
    scratch: &'s mut Scratch<S>,
    context: Context<'r>,
}

impl<S: Scalar> Machine<'_, '_, S> {
    fn steps(&mut self, steps: &[Step]) -> Result<(), Stop> {
        steps.iter().try_for_each(|step| match step {
            Step::Plain(node) => self.runner.node(node),
            Step::Loop(inner) => self.run_loop(inner),
            Step::If(cond, body) => {
                if self.runner.cond(cond)? {
                    self.steps(body)?;
                }
                Ok(())
            }
        })
    }

    fn run_loop(&mut self, inner: &Loop) -> Result<(), Stop> {
        let range = self.runner.range(&inner.source)?;
        if range.start >= range.end {
            return Ok(());
        }
        let count = (range.end - range.start + range.step - 1) / range.step;
        if let Some(sums) = &inner.shared
            && self.context.threads > 0
            && count >= 2
        {
            return self.share(inner, range, count, sums);
        }
        self.sequential(inner, range, count)
    }

    fn sequential(&mut self, inner: &Loop, range: Range, count: i64) -> Result<(), Stop> {
        if let Some(vector) = &inner.vector
            && count >= FEW
        {
            return lanes::run(vector, range, &mut self.runner, self.scratch, self.context.level);
        }
        if self.context.cancelled.load(Ordering::Relaxed) {
            return Err(Stop::Cancelled);
        }
        let var = inner.source.var.index();
        for step in 0..count {
            let step = match inner.source.order {
                Order::Descending => count - 1 - step,
                Order::Ascending | Order::Parallel => step,
            };
            self.runner.vars.ints[var] = range.start + step * range.step;
            self.steps(&inner.body)?;
        }
        Ok(())
    }

    /// Runs the pieces of a loop, by several threads if there are.
    fn share(
        &mut self,
        inner: &Loop,
        range: Range,
        count: i64,
        sums: &[(RealId, Fold)],
    ) -> Result<(), Stop> {
        let least = if inner.vector.is_some() { LITTLE } else { 1 };
        let piece = ((count + PIECES - 1) / PIECES).max(least);
        let pieces = (count + piece - 1) / piece;
        if pieces < 2 || self.context.threads == 1 && sums.is_empty() {
            return self.sequential(inner, range, count);
        }
        let Runner { program, frame, vars } = &mut self.runner;
        let (program, frame, context) = (*program, *frame, self.context);
        let outside: &Vars<S> = vars;
        let failed: Mutex<Option<(i64, Stop, Vars<S>)>> = Mutex::new(None);
        let run_piece = |at: i64| -> (Vec<S>, Vec<u64>) {
            let mut own = outside.clone();
            own.visits.fill(0);
            for (var, fold) in sums {
                own.reals[var.index()] = S::of(fold.empty());
            }
            let first = range.start + at * piece * range.step;
            let end = range.end.min(first + piece * range.step);
            let own_range = Range { start: first, end, step: range.step };
            let own_count = (end - first + range.step - 1) / range.step;
            let mut scratch = Scratch::default();
            let runner = Runner { program, frame, vars: &mut own };
            let mut machine = Machine { runner, scratch: &mut scratch, context };
            let outcome = machine.sequential(inner, own_range, own_count);
            if let Err(stop) = outcome {
                let mut failed = failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if failed.as_ref().is_none_or(|(earlier, ..)| at < *earlier) {
                    *failed = Some((at, stop, own.clone()));
                }
            }
            (sums.iter().map(|(var, _)| own.reals[var.index()]).collect(), own.visits)
        };
        let results: Vec<(Vec<S>, Vec<u64>)> = if context.threads == 1 {
            (0..pieces).map(run_piece).collect()
        } else {
            (0..pieces).into_par_iter().map(run_piece).collect()
        };
        let failed = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, stop, own)) = failed {
            **vars = own;
            return Err(stop);
        }
        for (totals, visits) in results {
            for ((var, fold), total) in sums.iter().zip(totals) {
                let kept = &mut vars.reals[var.index()];
                *kept = join(*fold, *kept, total);
            }
            vars.visits.iter_mut().zip(visits).for_each(|(all, some)| *all += some);
        }
        Ok(())
    }
}

/// The sums that leave a loop, if its iterations are independent but for them.
pub(crate) fn shared(header: &For) -> Option<Vec<(RealId, Fold)>> {
    if header.order == Order::Descending {
        return None;
    }
    let mut touched = Touched::default();
    header.body.iter().for_each(|node| touched.node(node));
    let own = |indices: &[Int]| indices.contains(&Int::Var(header.var));
    let apart = touched.writes.iter().all(|(buffer, indices)| {
        let axis = indices.iter().position(|e| *e == Int::Var(header.var));
        let same = |other: &[Int]| axis.is_some_and(|axis| other[axis] == Int::Var(header.var));
        own(indices)
            && touched.loads.iter().filter(|(of, _)| of == buffer).all(|(_, other)| same(other))
            && touched.writes.iter().filter(|(of, _)| of == buffer).all(|(_, other)| same(other))
    });
    let free = touched.joins.iter().filter(|(var, _)| !touched.set.contains(var));
    let sums: Vec<(RealId, Fold)> = free.copied().collect();
    let read = sums.iter().any(|(var, _)| touched.read.contains(var));
    let one_fold = sums
        .iter()
        .all(|(var, fold)| sums.iter().all(|(other, also)| other != var || also == fold));
    let mut distinct = sums;
    distinct.sort_by_key(|(var, _)| *var);
    distinct.dedup();
    (apart && !read && one_fold && !touched.carries()).then_some(distinct)
}

/// What a loop touches.
#[derive(Default)]
struct Touched {
    loads: Vec<(BufferId, Vec<Int>)>,
    writes: Vec<(BufferId, Vec<Int>)>,
    joins: Vec<(RealId, Fold)>,
    set: Vec<RealId>,
    read: Vec<RealId>,
    ints_set: Vec<IntId>,
    /// The variables that are set where the walk is, whatever the conditions are.
    certain: (Vec<RealId>, Vec<IntId>),
    /// Those read where they are not.
    uncertain: (Vec<RealId>, Vec<IntId>),
}

impl Touched {
    /// Whether a variable may have its value from the step before.
    fn carries(&self) -> bool {
        self.uncertain.0.iter().any(|var| self.set.contains(var))
            || self.uncertain.1.iter().any(|var| self.ints_set.contains(var))
    }
}

impl Visit for Touched {
    fn load(&mut self, buffer: BufferId, indices: &[Int]) {
        self.loads.push((buffer, indices.to_vec()));
    }

    fn real_var(&mut self, var: RealId) {
        self.read.push(var);
        if !self.certain.0.contains(&var) {
            self.uncertain.0.push(var);
        }
    }

    fn int_var(&mut self, var: IntId) {
        if !self.certain.1.contains(&var) {
            self.uncertain.1.push(var);
        }
    }

    fn node(&mut self, node: &Node) {
        let certain = (self.certain.0.len(), self.certain.1.len());
        if let Node::For(header) = node {
            self.certain.1.push(header.var);
        }
        walk_node(self, node);
        self.certain.0.truncate(certain.0);
        self.certain.1.truncate(certain.1);
        match node {
            Node::Store(place, _)
            | Node::Accumulate(place, ..)
            | Node::StoreInt(place, _)
            | Node::AddInt(place, _) => self.writes.push((place.buffer, place.indices.clone())),
            Node::Join(var, fold, _) => {
                self.joins.push((*var, *fold));
                if !self.certain.0.contains(var) {
                    self.uncertain.0.push(*var);
                }
            }
            Node::Set(var, _) => {
                self.set.push(*var);
                self.certain.0.push(*var);
            }
            Node::SetInt(var, _) => {
                self.ints_set.push(*var);
                self.certain.1.push(*var);
            }
            Node::Note(_) | Node::For(_) | Node::If(..) | Node::Visit(_) | Node::Check(..) => {}
        }
    }
}
