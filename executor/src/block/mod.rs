//! The block engine: plain Rust, always there.
//!
//! Innermost loops run as [`vector`] loops, operation after operation on blocks of
//! lanes; all else as in the plain runner. The outermost loop is shared by threads
//! where its iterations are independent, sums apart: it is cut into pieces that depend on
//! its length alone, and the sums of the pieces are added in order, so the bits do not
//! depend on the number of threads.

mod build;
mod independent;
mod int_ops;
mod kernels;
mod lanes;
mod ops;
mod real_ops;
mod shared;
mod slots;

use crate::Report;
use crate::error::Stop;
use crate::frame::Frame;
use crate::loops::walk::Visit;
use crate::loops::{Cond, Fold, For, IntId, LoopProgram, Node, Order, RealId};
use crate::math::Level;
use crate::runner::{Range, Runner, Vars, join};
use crate::scalar::Scalar;
use build::vector;
use lanes::Scratch;
use ops::VectorLoop;
use rayon::prelude::*;
pub(crate) use shared::shared;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// A loop that takes fewer steps is not worth a vector.
const FEW: i64 = 4;
/// Loops with at most so many steps are left to the lanes of the loop around.
const SHORT: i64 = 64;
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
    /// The loops that stand directly in it.
    inner: Vec<For>,
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
                let inner = inner(header);
                let source = (**header).clone();
                Step::Loop(Box::new(Loop { source, body, vector, inner, shared }))
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

/// The loops that stand directly in a loop, whose bounds are known before its body runs; without their bodies.
fn inner(header: &For) -> Vec<For> {
    let mut set = Vec::new();
    let mut inner = Vec::new();
    for node in &header.body {
        match node {
            Node::SetInt(var, _) => set.push(*var),
            Node::Check(..) => break,
            Node::For(inside) => {
                let mut bounds = Bounds { set: &set, known: true };
                let strides = inside.stride.iter().map(|(_, residue)| residue);
                inside.lower.iter().chain(&inside.upper).chain(strides).for_each(|e| bounds.int(e));
                if bounds.known {
                    inner.push(For { body: Vec::new(), ..(**inside).clone() });
                }
            }
            Node::Note(_)
            | Node::If(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_) => {}
        }
    }
    inner
}

/// Whether bounds mention what the body sets.
struct Bounds<'s> {
    set: &'s [IntId],
    known: bool,
}

impl Visit for Bounds<'_> {
    fn int_var(&mut self, var: IntId) {
        self.known &= !self.set.contains(&var);
    }

    fn real_var(&mut self, _: RealId) {
        self.known = false;
    }
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
            && (!vector.loops || self.is_wide(inner, range, count))
        {
            let loops = (vector, &inner.source);
            return lanes::run(loops, range, &mut self.runner, self.scratch, self.context.level);
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

    /// Whether the loops inside are short, so that lanes had better take their steps together.
    fn is_wide(&mut self, inner: &Loop, range: Range, count: i64) -> bool {
        let mut most = 0;
        for header in &inner.inner {
            let mut steps = 0;
            for lane in [0, count / 2, count - 1] {
                let value = range.start + lane * range.step;
                self.runner.vars.ints[inner.source.var.index()] = value;
                // what fails is told by the iterations, in order
                let Ok(Range { start, end, step }) = self.runner.range(header) else {
                    return false;
                };
                steps += end.saturating_sub(start).max(0) / step;
            }
            most = most.max(steps / 3);
        }
        most <= SHORT && most < count
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
