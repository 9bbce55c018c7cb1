//! The block engine: plain Rust, always there.
//!
//! Innermost loops run as [`vector`] loops, operation after operation on blocks of
//! lanes; all else as in the plain runner. The outermost loop is shared by threads
//! where its iterations are independent, sums apart: it is cut into pieces that depend on
//! its length alone, and the sums of the pieces are added in order, so the bits do not
//! depend on the number of threads. Where pieces would add to the same entries they have copies ([`crate::private`]).

mod build;
mod contraction;
mod independent;
mod int_kernels;
mod int_ops;
mod kernels;
mod lanes;
mod ops;
mod pieces;
mod products;
mod real_ops;
mod rows;
mod searches;
mod shared;
mod slots;
#[cfg(test)]
mod tests;

use crate::Report;
use crate::error::Stop;
use crate::frame::Frame;
use crate::fuse::clears::clears;
use crate::fuse::tuples::Tuples;
use crate::fuse::{Turned, for_tiles};
use crate::loops::walk::Visit;
use crate::loops::{Buffer, BufferId, Cond, For, IntId, LoopProgram, Node, Order, RealId};
use crate::math::Level;
use crate::private;
use crate::runner::{Range, Runner, Vars};
use crate::scalar::Scalar;
use crate::team::Team;
use build::vector;
pub(crate) use kernels::levels;
use lanes::Scratch;
use ops::VectorLoop;
use pieces::{Cut, Pieces};
use rows::{ROWS, Rows};
pub(crate) use shared::{Sharing, carries, shared, shared_by_threads};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// A shared loop is cut into at most this many pieces.
const PIECES: i64 = 64;
/// A loop within loops inside is taken to have so many steps.
const UNKNOWN: i64 = 8;

/// How loops run in lanes. Results with other numbers are near; those with another level are the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vectors {
    /// The instructions.
    pub level: Level,
    /// The lanes of a block, from 1 to 512.
    pub lanes: usize,
    /// A loop with fewer steps runs step by step.
    pub few: i64,
    /// Loops with at most so many steps are left to the lanes of the loop around.
    pub short: i64,
    /// A piece of a loop that threads share has about so many operations, or more.
    pub piece: i64,
}

impl Vectors {
    /// The lanes of a block.
    fn lanes(self) -> usize {
        self.lanes.clamp(1, lanes::LANES)
    }

    /// The operations of a piece.
    fn piece(self) -> i64 {
        self.piece.max(1)
    }
}

impl Default for Vectors {
    /// What is fast on this machine.
    fn default() -> Self {
        let (level, lanes) = (Level::best(), lanes::LANES);
        Self { level, lanes, few: 4, short: 64, piece: private::LITTLE }
    }
}

/// Loops prepared for the block engine.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    /// The program, with its loops changed for tiles if there are more of them then.
    program: LoopProgram,
    /// How many buffers it had before; those behind them are copies.
    buffers: usize,
    body: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    /// As in the plain runner.
    Plain(Node),
    Loop(Box<Loop>),
    If(Cond, Vec<Step>),
    /// Clears a buffer.
    Clear(BufferId),
}

#[derive(Clone, Debug)]
struct Loop {
    /// With its body, which short loops run as it is.
    source: For,
    body: Vec<Step>,
    rows: Option<Rows>,
    vector: Option<VectorLoop>,
    /// The loops inside.
    inner: Vec<Inside>,
    /// The operations of one step, those of such loops apart.
    weight: i64,
    /// How its iterations are independent, if they are.
    shared: Option<Sharing>,
}

/// A loop inside another one.
#[derive(Clone, Debug)]
struct Inside {
    /// The loops around it, the outermost first, and itself; without their bodies.
    path: Vec<For>,
    /// The operations of one step, those of other such loops apart.
    weight: i64,
    /// Whether it stands directly in the loop and goes through contractions in lanes.
    contracts: bool,
}

/// At most so many lanes of a contraction are run as steps of the lanes around it.
const NARROW: i64 = 15;

/// Whether a loop among some steps goes through contractions in lanes.
fn contracts(steps: &[Step], header: &For) -> bool {
    steps.iter().any(|step| {
        let Step::Loop(inner) = step else { return false };
        inner.source.var == header.var
            && inner.vector.iter().any(|vector| vector.contractions().next().is_some())
    })
}

impl Blocks {
    /// Prepares a program; `tiles` whether its loops may be changed for tiles.
    pub(crate) fn new(program: &LoopProgram, tiles: bool) -> Self {
        let buffers = program.buffers.len();
        let plain = Self { program: program.clone(), buffers, body: prepared(program) };
        if !tiles {
            return plain;
        }
        let changed = for_tiles(program, Turned::Strips);
        if changed.body == program.body {
            return plain;
        }
        let body = prepared(&changed);
        let more = tiles_in(&body) > tiles_in(&plain.body);
        if more { Self { program: changed, buffers, body } } else { plain }
    }

    /// The program that is run: one more is in it for each copy of a buffer, and perhaps other loops.
    pub(crate) fn program(&self) -> &LoopProgram {
        &self.program
    }

    /// The copies of buffers that the loops make.
    pub(crate) fn copies(&self) -> &[Buffer] {
        &self.program.buffers[self.buffers..]
    }

    /// Runs the program.
    ///
    /// # Errors
    /// As the plain runner; `vars` then has the values where it stopped.
    pub(crate) fn run<S: Scalar>(
        &self,
        frame: &Frame<S>,
        vars: &mut Vars<S>,
        cancelled: &AtomicBool,
        (team, vectors, store): (Team<'_>, Vectors, &Store<S>),
        report: &Report,
    ) -> Result<(), Stop> {
        let (program, context) = (&self.program, Context { vectors, cancelled, team, store });
        let mut memory = store.take();
        let scratch = &mut memory.scratch;
        let mut machine = Machine { runner: Runner { program, frame, vars }, scratch, context };
        for (done, step) in self.body.iter().enumerate() {
            if cancelled.load(Ordering::Relaxed) {
                return Err(Stop::Cancelled);
            }
            machine.steps(std::slice::from_ref(step))?;
            report(done + 1, self.body.len());
        }
        store.give(memory);
        Ok(())
    }
}

/// What stands around a loop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    /// No loop that is shared.
    Nothing,
    /// A loop that may be cut where a key changes. Whether it is depends on the threads, so what is inside must add in the
    /// same way without copies.
    Keyed,
    /// A loop that is shared.
    Shared,
}

impl Around {
    /// How a loop here is shared, if it is.
    fn sharing(self, header: &For, tuples: &Tuples) -> Option<Sharing> {
        match self {
            Self::Nothing => shared_by_threads(header, tuples),
            Self::Keyed => {
                let sharing = shared_by_threads(header, tuples)?;
                let apart = sharing.key.is_some() || sharing.private.is_empty();
                apart.then(|| Sharing { private: Vec::new(), ..sharing })
            }
            Self::Shared => None,
        }
    }

    /// What stands around the body of a loop here.
    fn inside(self, sharing: Option<&Sharing>) -> Self {
        match sharing {
            None => self,
            Some(sharing) if sharing.is_plain() => Self::Shared,
            // where the key does not ascend, and where copies do not pay, the loops inside may be shared
            Some(Sharing { key: Some(_), .. }) => Self::Keyed,
            Some(_) => self,
        }
    }
}

fn prepared(program: &LoopProgram) -> Vec<Step> {
    let (tuples, clears) = (Tuples::of(program), clears(program));
    let step = |(at, node)| match clears.get(&at) {
        Some(buffer) => vec![Step::Clear(*buffer)],
        None => steps(program, std::slice::from_ref(node), &tuples, Around::Nothing),
    };
    program.body.iter().enumerate().flat_map(step).collect()
}

/// How many contractions rows go through together, and how many a loop goes through.
fn tiles_in(steps: &[Step]) -> (usize, usize) {
    let one = |step: &Step| match step {
        Step::Plain(_) | Step::Clear(_) => (0, 0),
        Step::If(_, body) => tiles_in(body),
        Step::Loop(inner) => {
            let (rows, alone) = tiles_in(&inner.body);
            let own = inner.rows.as_ref().map_or(0, Rows::count);
            let lanes = inner.vector.iter().flat_map(VectorLoop::contractions).count();
            (rows + own, alone + lanes)
        }
    };
    steps.iter().map(one).fold((0, 0), |sum, tiles| (sum.0 + tiles.0, sum.1 + tiles.1))
}

fn steps(program: &LoopProgram, nodes: &[Node], tuples: &Tuples, around: Around) -> Vec<Step> {
    nodes
        .iter()
        .filter(|node| !matches!(node, Node::Note(_)))
        .map(|node| match node {
            Node::For(header) => {
                let shared = around.sharing(header, tuples);
                let within = around.inside(shared.as_ref());
                let body = steps(program, &header.body, tuples, within);
                let (rows, vector) = (Rows::of(program, header, tuples), vector(header, tuples));
                let (inner, weight) = inner(header, &body);
                let source = (**header).clone();
                Step::Loop(Box::new(Loop { source, body, rows, vector, inner, weight, shared }))
            }
            Node::If(cond, body) => Step::If(cond.clone(), steps(program, body, tuples, around)),
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

/// The loops in a loop whose bounds are known before its body runs, but for the variables of the loops around them; and
/// the operations of a step outside of them.
fn inner(header: &For, steps: &[Step]) -> (Vec<Inside>, i64) {
    let mut loops = Loops { steps, set: Vec::new(), checked: false, found: Vec::new() };
    let weight = loops.body(&header.body, &[]);
    (loops.found, weight)
}

struct Loops<'s> {
    /// The steps of the loop around all.
    steps: &'s [Step],
    /// What the body sets before, and whether it checks something.
    set: Vec<IntId>,
    checked: bool,
    found: Vec<Inside>,
}

impl Loops<'_> {
    /// Finds the loops of a body, by those around it; gives the operations outside of them.
    fn body(&mut self, body: &[Node], above: &[For]) -> i64 {
        let mut weight = 0i64;
        for node in body {
            if let Node::For(header) = node
                && self.is_known(header)
            {
                let path = [above, &[header.bare()]].concat();
                let (at, contracts) =
                    (self.found.len(), above.is_empty() && contracts(self.steps, header));
                self.found.push(Inside { path: path.clone(), weight: 0, contracts });
                self.found[at].weight = self.body(&header.body, &path);
                continue;
            }
            if let Node::SetInt(var, _) = node {
                self.set.push(*var);
            }
            self.checked |= matches!(node, Node::Check(..));
            weight = weight.saturating_add(operations(std::slice::from_ref(node)));
        }
        weight
    }

    fn is_known(&self, header: &For) -> bool {
        let mut bounds = Bounds { set: &self.set, known: !self.checked };
        let strides = header.stride.iter().map(|(_, residue)| residue);
        header.lower.iter().chain(&header.upper).chain(strides).for_each(|e| bounds.int(e));
        bounds.known
    }
}

/// About how many operations nodes take.
fn operations(nodes: &[Node]) -> i64 {
    let of = |node: &Node| match node {
        Node::Note(_) | Node::Visit(_) => 0,
        Node::For(header) => operations(&header.body).saturating_mul(UNKNOWN),
        Node::If(_, body) => operations(body).saturating_add(1),
        Node::SetInt(..)
        | Node::Set(..)
        | Node::Join(..)
        | Node::Store(..)
        | Node::Accumulate(..)
        | Node::StoreInt(..)
        | Node::AddInt(..)
        | Node::Check(..) => 1,
    };
    nodes.iter().map(of).fold(0, i64::saturating_add)
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
struct Context<'c, S> {
    vectors: Vectors,
    cancelled: &'c AtomicBool,
    team: Team<'c>,
    store: &'c Store<S>,
}

struct Machine<'r, 's, S> {
    runner: Runner<'r, S>,
    scratch: &'s mut Scratch<S>,
    context: Context<'r, S>,
}

impl<S: Scalar> Machine<'_, '_, S> {
    fn steps(&mut self, steps: &[Step]) -> Result<(), Stop> {
        steps.iter().try_for_each(|step| match step {
            Step::Plain(node) => self.runner.node(node),
            Step::Loop(inner) => self.run_loop(inner),
            Step::Clear(buffer) => {
                self.runner.frame.clear(*buffer, self.context.team);
                Ok(())
            }
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
        if let Some(sharing) = &inner.shared
            && count >= 2
            && let Some(cut) = self.cut(inner, range, count, sharing)
        {
            return self.share(inner, (range, count), sharing, cut);
        }
        let in_lanes = self.in_lanes(inner, range, count);
        self.sequential(inner, range, count, in_lanes)
    }

    /// Runs a loop, or a piece of one.
    fn sequential(
        &mut self,
        inner: &Loop,
        range: Range,
        count: i64,
        in_lanes: bool,
    ) -> Result<(), Stop> {
        if let Some(rows) = &inner.rows {
            return self.rows(rows, range, count);
        }
        if let Some(vector) = &inner.vector
            && in_lanes
        {
            let loops = (vector, &inner.source);
            return lanes::run(loops, range, &mut self.runner, self.scratch, self.context.vectors);
        }
        let var = inner.source.var.index();
        for step in 0..count {
            if self.context.cancelled.load(Ordering::Relaxed) {
                return Err(Stop::Cancelled);
            }
            let step = match inner.source.order {
                Order::Descending => count - 1 - step,
                Order::Ascending | Order::Parallel => step,
            };
            self.runner.vars.ints[var] = range.start + step * range.step;
            self.steps(&inner.body)?;
        }
        Ok(())
    }

    /// Whether a loop runs in lanes; asked of the whole loop, so that its pieces add in one way.
    fn in_lanes(&mut self, inner: &Loop, range: Range, count: i64) -> bool {
        let Some(vector) = &inner.vector else { return false };
        count >= self.context.vectors.few && (!vector.loops || self.is_wide(inner, range, count))
    }

    /// Whether the loops inside are short, so that lanes had better take their steps together. A contraction has its
    /// own lanes side by side, of which some are enough.
    fn is_wide(&mut self, inner: &Loop, range: Range, count: i64) -> bool {
        inner.inner.iter().all(|Inside { path, contracts, .. }| {
            let short = if *contracts { NARROW } else { self.context.vectors.short };
            let steps = self.steps_inside(inner, path, range, count);
            steps.is_some_and(|(steps, _)| steps <= short && steps < count)
        })
    }

    /// About how many steps a loop inside takes, and how many it takes in all of a step of the one around; none where that
    /// cannot be told, for what fails is told by the iterations, in order.
    fn steps_inside(
        &mut self,
        inner: &Loop,
        path: &[For],
        range: Range,
        count: i64,
    ) -> Option<(i64, i64)> {
        let (mut own, mut all) = (0i64, 0i64);
        for lane in [0, count / 2, count - 1] {
            let value = range.start + lane * range.step;
            self.runner.vars.ints[inner.source.var.index()] = value;
            let (mut last, mut product) = (0, 1i64);
            for header in path {
                let Range { start, end, step } = self.runner.range(header).ok()?;
                self.runner.vars.ints[header.var.index()] = start;
                last = end.saturating_sub(start).max(0) / step;
                product = product.saturating_mul(last);
                if last == 0 {
                    break;
                }
            }
            own = own.saturating_add(last);
            all = all.saturating_add(product);
        }
        Some((own / 3, all / 3))
    }

    /// How a loop is cut: where it pays with copies, that is said by sizes alone, as are the pieces without.
    fn cut(
        &mut self,
        inner: &Loop,
        range: Range,
        count: i64,
        Sharing { key, private, .. }: &Sharing,
    ) -> Option<Cut> {
        let (frame, team) = (self.runner.frame, self.context.team);
        let parts = if private.is_empty() || team.room == 0 {
            1
        } else {
            let work = self.weight(inner, range, count).saturating_mul(count);
            let sizes = (work, private::entries(frame, private));
            private::parts::<S>(sizes, self.context.vectors.piece(), team.room).min(count)
        };
        match *key {
            Some(key) if (team.threads > 1 || parts > 1) && frame.ascends(key, team) => {
                Some(Cut::At(key))
            }
            None if private.is_empty() => Some(Cut::Anywhere),
            Some(_) | None => (parts > 1).then_some(Cut::Parts(parts)),
        }
    }

    /// Runs the pieces of a loop, by several threads if there are.
    fn share(
        &mut self,
        inner: &Loop,
        (range, count): (Range, i64),
        sharing: &Sharing,
        cut: Cut,
    ) -> Result<(), Stop> {
        let mut piece = if let Cut::Parts(parts) = cut {
            (count + parts - 1) / parts
        } else {
            let least = self.context.vectors.piece();
            let weight = self.weight(inner, range, count).min(least);
            ((count + PIECES - 1) / PIECES).max(least / weight)
        };
        if inner.rows.is_some() {
            piece = (piece as u64).next_multiple_of(ROWS as u64) as i64;
        }
        let pieces = (count + piece - 1) / piece;
        let in_lanes = self.in_lanes(inner, range, count);
        let whole = match cut {
            Cut::Parts(_) => false,
            Cut::Anywhere | Cut::At(_) => self.context.team.threads == 1 && sharing.sums.is_empty(),
        };
        if pieces < 2 || whole {
            return self.sequential(inner, range, count, in_lanes);
        }
        let Runner { program, frame, vars } = &mut self.runner;
        let (context, frame) = (self.context, *frame);
        let all = Pieces { inner, range, piece, cut, sharing, in_lanes, program, context };
        let mut done = 0;
        // what is found first says what later pieces begin with
        while done < pieces && !sharing.has_found(vars, &frame.sizes) {
            all.keep(all.run(done, frame, vars), vars, &frame.sizes)?;
            done += 1;
        }
        let outside: &Vars<S> = vars;
        let results = if let Cut::Parts(_) = cut {
            let private = sharing.private.as_slice();
            let with_copies = |at: i64, own: Option<&mut [S]>| match own {
                None => all.run(at, frame, outside),
                Some(own) => all.run(at, &frame.with(private::split(frame, private, own)), outside),
            };
            let mut copies = context.store.take_copies();
            let how = (private, pieces);
            let results = private::run(frame, context.team, &mut copies, how, with_copies);
            context.store.give_copies(copies);
            results
        } else {
            context.team.map(pieces - done, |at| all.run(done + at, frame, outside))
        };
        results.into_iter().try_for_each(|left| all.keep(left, vars, &frame.sizes))
    }

    /// About how many operations an iteration takes, at least 1; by what is known before the loop alone.
    fn weight(&mut self, inner: &Loop, range: Range, count: i64) -> i64 {
        let loops = inner.inner.iter().map(|Inside { path, weight, .. }| {
            let (_, steps) = self.steps_inside(inner, path, range, count).unwrap_or((1, 1));
            steps.saturating_mul(*weight)
        });
        loops.fold(inner.weight, i64::saturating_add).max(1)
    }
}

/// The memory of a thread.
#[derive(Clone, Debug)]
struct Memory<S> {
    scratch: Scratch<S>,
    vars: Vars<S>,
    /// What an iteration has for itself.
    locals: Vec<S>,
}

/// Memory that pieces of loops leave to later ones.
#[derive(Debug)]
pub(crate) struct Store<S> {
    threads: Mutex<Vec<Memory<S>>>,
    /// The copies of buffers that parts of a loop add to.
    copies: Mutex<Vec<S>>,
}

impl<S> Default for Store<S> {
    fn default() -> Self {
        Self { threads: Mutex::new(Vec::new()), copies: Mutex::new(Vec::new()) }
    }
}

/// A clone begins with none.
impl<S> Clone for Store<S> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<S: Scalar> Store<S> {
    fn take(&self) -> Memory<S> {
        let kept = self.threads.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| Memory {
            scratch: Scratch::default(),
            vars: Vars::default(),
            locals: Vec::new(),
        })
    }

    fn give(&self, memory: Memory<S>) {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }

    fn take_copies(&self) -> Vec<S> {
        std::mem::take(&mut *self.copies.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn give_copies(&self, copies: Vec<S>) {
        *self.copies.lock().unwrap_or_else(PoisonError::into_inner) = copies;
    }
}
