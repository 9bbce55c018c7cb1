//! Running a vector loop: block after block, scope within scope, operation after operation.

use super::Vectors;
use super::contraction::contract;
use super::ops::{Each, Inner, Line, Moves, Op, Scope, Search, Steps, VectorLoop, When};
use crate::error::Stop;
use crate::frame::Frame;
use crate::loops::{BufferId, For, Order};
use crate::math::Level;
use crate::runner::{Range, Runner, Vars, join};
use crate::scalar::Scalar;

/// The most lanes of a block.
pub(super) const LANES: usize = 512;

/// Memory for the blocks of one thread.
#[derive(Clone, Debug)]
pub(super) struct Scratch<S> {
    pub(super) reals: Vec<Vec<S>>,
    pub(super) ints: Vec<Vec<i64>>,
    /// By depth.
    pub(super) scopes: Vec<InScope<S>>,
    pub(super) totals: Vec<S>,
    /// For operands that do not lie side by side.
    pub(super) spare: [Vec<S>; 3],
}

impl<S> Default for Scratch<S> {
    fn default() -> Self {
        Self {
            reals: Vec::new(),
            ints: Vec::new(),
            scopes: Vec::new(),
            totals: Vec::new(),
            spare: [Vec::new(), Vec::new(), Vec::new()],
        }
    }
}

impl<S: Scalar> Scratch<S> {
    /// Makes room for a loop.
    pub(super) fn fit(&mut self, vector: &VectorLoop) {
        let block = || vec![S::default(); LANES];
        if self.reals.len() < vector.reals {
            self.reals.resize_with(vector.reals, block);
        }
        if self.ints.len() < vector.ints {
            self.ints.resize_with(vector.ints, || vec![0; LANES]);
        }
        if self.scopes.len() < vector.depth {
            self.scopes.resize_with(vector.depth, InScope::default);
        }
        self.spare.iter_mut().for_each(|spare| spare.resize(LANES, S::default()));
        self.totals.clear();
        self.totals.extend(vector.joins.iter().map(|(_, fold)| S::of(fold.empty())));
    }

    /// Joins the sums of a loop to its variables.
    pub(super) fn join_totals(&self, vector: &VectorLoop, vars: &mut Vars<S>) {
        for ((var, fold), total) in vector.joins.iter().zip(&self.totals) {
            let kept = &mut vars.reals[var.index()];
            *kept = join(*fold, *kept, *total);
        }
    }
}

/// The lanes of a scope, and what is the same in all of them.
#[derive(Clone, Debug)]
pub(super) struct InScope<S> {
    pub(super) lines: Vec<Walk>,
    pub(super) uniforms: Vec<S>,
    pub(super) uniform_ints: Vec<i64>,
    /// The lanes of the block that are in; empty where [`InScope::all`].
    pub(super) picks: Vec<u32>,
    /// The same by their numbers in the scope around; empty where [`InScope::same`].
    pub(super) from: Vec<u32>,
    /// The number of lanes.
    pub(super) lanes: usize,
    /// Whether all lanes of the block are in.
    pub(super) all: bool,
    /// Whether all lanes of the scope around are in.
    pub(super) same: bool,
}

impl<S> Default for InScope<S> {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            uniforms: Vec::new(),
            uniform_ints: Vec::new(),
            picks: Vec::new(),
            from: Vec::new(),
            lanes: 0,
            all: true,
            same: true,
        }
    }
}

/// A line in memory: `start + step · lane`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    pub(super) buffer: BufferId,
    pub(super) start: i64,
    pub(super) step: i64,
}

/// Runs a vector loop over its lanes.
///
/// # Errors
/// As [`Runner::nodes`].
pub(super) fn run<S: Scalar>(
    (vector, source): (&VectorLoop, &For),
    range: Range,
    runner: &mut Runner<'_, S>,
    scratch: &mut Scratch<S>,
    vectors: Vectors,
) -> Result<(), Stop> {
    let (level, most) = (vectors.level, vectors.lanes());
    let count = ((range.end - range.start + range.step - 1) / range.step) as usize;
    scratch.fit(vector);
    let mut first = 0;
    let mut block = Block { scratch, runner, level, first, depth: 0, range };
    if let Err(stop) = block.look_up(&vector.scope, [0, count - 1]) {
        return Err(block.earliest(source, count, stop));
    }
    while first < count {
        let lanes = most.min(count - first);
        block.begin(first, lanes);
        if let Err(stop) = block.ops(&vector.scope.ops) {
            return Err(block.earliest(source, lanes, stop));
        }
        first += lanes;
    }
    scratch.join_totals(vector, runner.vars);
    Ok(())
}

/// One block of a loop.
pub(super) struct Block<'b, 'r, S> {
    pub(super) scratch: &'b mut Scratch<S>,
    pub(super) runner: &'b mut Runner<'r, S>,
    pub(super) level: Level,
    /// The first lane.
    pub(super) first: usize,
    /// Which scope.
    pub(super) depth: usize,
    /// Of the whole loop.
    pub(super) range: Range,
}

impl<'r, S: Scalar> Block<'_, 'r, S> {
    pub(super) fn frame(&self) -> &'r Frame<S> {
        self.runner.frame
    }

    pub(super) fn here(&self) -> &InScope<S> {
        &self.scratch.scopes[self.depth]
    }

    pub(super) fn lanes(&self) -> usize {
        self.here().lanes
    }

    /// Where the iterations stop one after the other: lanes stop at the operation that comes first.
    fn earliest(&mut self, source: &For, lanes: usize, stop: Stop) -> Stop {
        for lane in self.first..self.first + lanes {
            let value = self.range.start + lane as i64 * self.range.step;
            self.runner.vars.ints[source.var.index()] = value;
            if let Err(stop) = self.runner.nodes(&source.body) {
                return stop;
            }
        }
        stop
    }

    // Scopes.

    /// Goes to the block from this lane on.
    pub(super) fn begin(&mut self, first: usize, lanes: usize) {
        self.first = first;
        let outermost = &mut self.scratch.scopes[0];
        (outermost.lanes, outermost.all, outermost.same) = (lanes, true, true);
    }

    /// Computes what is the same in all lanes of a scope, and finds its lines, which are in bounds from the
    /// first to the last of `ends`, numbers of lanes of the loop.
    pub(super) fn look_up(&mut self, scope: &Scope, ends: [usize; 2]) -> Result<(), Stop> {
        let at = &mut self.scratch.scopes[self.depth];
        let (runner, range) = (&*self.runner, self.range);
        at.lines.clear();
        for line in &scope.lines {
            at.lines.push(walk(line, range, ends, runner)?);
        }
        at.uniforms.clear();
        for e in &scope.uniforms {
            at.uniforms.push(runner.real(e)?);
        }
        at.uniform_ints.clear();
        for e in &scope.uniform_ints {
            at.uniform_ints.push(runner.int(e)?);
        }
        Ok(())
    }

    pub(super) fn ops(&mut self, ops: &[Op]) -> Result<(), Stop> {
        ops.iter().try_for_each(|op| self.op(op))
    }

    fn op(&mut self, op: &Op) -> Result<(), Stop> {
        match op {
            Op::Int(to, op) => self.int_op(*to, op)?,
            Op::Real(to, op) => self.real_op(*to, op)?,
            Op::Deliver(to, fold, arg) => self.deliver(*to, *fold, *arg),
            Op::Join(at, fold, arg) => {
                let total = self.total(*fold, *arg);
                let kept = &mut self.scratch.totals[*at];
                *kept = join(*fold, *kept, total);
            }
            Op::Dot(at, a, b) => {
                let total = self.dot(*a, *b);
                let kept = &mut self.scratch.totals[*at];
                *kept = kept.add(total);
            }
            Op::Put(line, fold, arg) => self.put(*line, *fold, *arg),
            Op::Reduce(line, fold, arg) => {
                let total = self.total(*fold, *arg);
                let walk = self.here().lines[*line];
                let at = walk.start as usize;
                let kept = self.frame().real(walk.buffer, at);
                self.frame().set_real(walk.buffer, at, join(*fold, kept, total));
            }
            Op::Scatter(buffer, places, fold, arg) => self.scatter(*buffer, *places, *fold, *arg),
            Op::ScatterInts(buffer, places, adds, arg) => {
                self.scatter_ints(*buffer, *places, *adds, *arg);
            }
            Op::When(when) => self.when(when)?,
            Op::Each(each) => self.each(each)?,
            Op::Contract(contraction) => contract(std::slice::from_mut(self), contraction)?,
            Op::Search(search) => self.search(search),
            Op::Check(check, test) => {
                let mut mask = [false; LANES];
                let mask = &mut mask[..self.lanes()];
                self.mask(test, mask)?;
                if mask.contains(&false) {
                    return Err(Stop::Check(*check));
                }
            }
        }
        Ok(())
    }

    fn when(&mut self, when: &When) -> Result<(), Stop> {
        if let super::ops::Test::Uniform(cond) = &when.test {
            if !self.runner.cond(cond)? {
                return Ok(());
            }
            self.keep_all();
            return self.inside(&when.inner);
        }
        let mut mask = [false; LANES];
        let mask = &mut mask[..self.lanes()];
        self.mask(&when.test, mask)?;
        self.keep(mask);
        self.inside(&when.inner)
    }

    /// The lanes of the next scope are all of this one.
    fn keep_all(&mut self) {
        let (around, within) = self.scratch.scopes.split_at_mut(self.depth + 1);
        let (around, within) = (&around[self.depth], &mut within[0]);
        (within.lanes, within.all, within.same) = (around.lanes, around.all, true);
        within.from.clear();
        within.picks.clear();
        within.picks.extend_from_slice(&around.picks);
    }

    /// The lanes of the next scope are some of this one.
    fn keep(&mut self, mask: &[bool]) {
        let within = &mut self.scratch.scopes[self.depth + 1];
        within.from.resize(LANES, 0);
        let mut lanes = 0;
        for (lane, holds) in mask.iter().enumerate() {
            within.from[lanes] = lane as u32;
            lanes += usize::from(*holds);
        }
        within.from.truncate(lanes);
        if lanes == mask.len() {
            self.keep_all();
        } else {
            self.kept();
        }
    }

    /// Sets the lanes of the next scope by its list `from`.
    fn kept(&mut self) {
        let (around, within) = self.scratch.scopes.split_at_mut(self.depth + 1);
        let (around, within) = (&around[self.depth], &mut within[0]);
        (within.lanes, within.all, within.same) = (within.from.len(), false, false);
        within.picks.clear();
        if around.all {
            within.picks.extend_from_slice(&within.from);
        } else {
            within.picks.extend(within.from.iter().map(|lane| around.picks[*lane as usize]));
        }
    }

    /// Runs the next scope with the lanes that it has.
    fn inside(&mut self, inner: &Inner) -> Result<(), Stop> {
        let within = &self.scratch.scopes[self.depth + 1];
        if within.lanes == 0 {
            return Ok(());
        }
        let ends = if within.all {
            [self.first, self.first + within.lanes - 1]
        } else {
            [within.picks[0], within.picks[within.lanes - 1]].map(|lane| self.first + lane as usize)
        };
        self.depth += 1;
        let outcome = self.look_up(&inner.scope, ends).and_then(|()| {
            self.moved(&inner.ins, false);
            self.ops(&inner.scope.ops)?;
            self.moved(&inner.outs, true);
            Ok(())
        });
        self.depth -= 1;
        outcome
    }

    /// Moves blocks between this scope and the one around.
    fn moved(&mut self, moves: &Moves, out: bool) {
        let Scratch { reals, ints, scopes, .. } = &mut *self.scratch;
        let here = &scopes[self.depth];
        let from = (!here.same).then_some(here.from.as_slice());
        for (around, within) in &moves.reals {
            transfer(reals, [*around, *within], from, here.lanes, out);
        }
        for (around, within) in &moves.ints {
            transfer(ints, [*around, *within], from, here.lanes, out);
        }
    }

    // Loops inside.

    fn each(&mut self, each: &Each) -> Result<(), Stop> {
        match &each.steps {
            Steps::Uniform(header) => {
                let range = self.runner.range(header)?;
                self.keep_all();
                let count = (range.end - range.start + range.step - 1).max(0) / range.step;
                for step in 0..count {
                    let step = match header.order {
                        Order::Descending => count - 1 - step,
                        Order::Ascending | Order::Parallel => step,
                    };
                    self.runner.vars.ints[header.var.index()] = range.start + step * range.step;
                    self.inside(&each.inner)?;
                }
                Ok(())
            }
            Steps::Lanes { .. } => self.ragged(each),
        }
    }

    /// A loop with other values in each lane.
    fn ragged(&mut self, each: &Each) -> Result<(), Stop> {
        let Steps::Lanes { lower, upper, stride, descending, var } = &each.steps else {
            unreachable!("the caller has looked")
        };
        let lanes = self.lanes();
        let (mut start, mut count) = ([i64::MIN; LANES], [i64::MAX; LANES]);
        for lane in 0..lanes {
            let first = lower.iter().fold(i64::MIN, |most, e| most.max(self.int_at(*e, lane)));
            let end = upper.iter().fold(i64::MAX, |least, e| least.min(self.int_at(*e, lane)));
            (start[lane], count[lane]) = (first, (end.saturating_sub(first)).max(0));
            if let Some((modulus, residue)) = stride {
                let skipped = (self.int_at(*residue, lane) - first).rem_euclid(*modulus);
                start[lane] = first.saturating_add(skipped);
                count[lane] = (count[lane] - skipped + modulus - 1).max(0) / modulus;
            }
        }
        let by = stride.as_ref().map_or(1, |(modulus, _)| *modulus);
        let mut mask = [false; LANES];
        let mut step = 0;
        loop {
            if step == 0 {
                mask.iter_mut().zip(&count).for_each(|(mask, count)| *mask = *count > 0);
                self.keep(&mask[..lanes]);
            } else {
                self.stay(|lane| step < count[lane]);
            }
            let Scratch { ints, scopes, .. } = &mut *self.scratch;
            let within = &scopes[self.depth + 1];
            if within.lanes == 0 {
                return Ok(());
            }
            for (at, value) in ints[*var][..within.lanes].iter_mut().enumerate() {
                let lane = if within.same { at } else { within.from[at] as usize };
                let step = if *descending { count[lane] - 1 - step } else { step };
                *value = start[lane] + step * by;
            }
            self.inside(&each.inner)?;
            step += 1;
        }
    }

    /// The lanes of the next scope stay where `still` holds, by their numbers in this scope.
    fn stay(&mut self, still: impl Fn(usize) -> bool) {
        let within = &mut self.scratch.scopes[self.depth + 1];
        if within.same {
            if (0..within.lanes).all(&still) {
                return;
            }
            within.from = (0..within.lanes as u32).collect();
        }
        let before = within.from.len();
        within.from.retain(|lane| still(*lane as usize));
        if within.same || within.from.len() < before {
            self.kept();
        }
    }

    fn search(&mut self, search: &Search) {
        let Search { value, at, best, found, none, greatest, ties } = search;
        let lanes = self.lanes();
        let none = self.here().uniform_ints[*none];
        let vars = &self.runner.vars;
        let (mut least, mut place) = (vars.reals[best.index()], vars.ints[found.index()]);
        let mut own = [S::default(); LANES];
        let own = &mut own[..lanes];
        self.copied(*value, own);
        let better = |x: S, kept: S| if *greatest { x > kept } else { x < kept };
        // most blocks have nothing as good
        if place == none
            || own.iter().fold(false, |any, x| any | better(*x, least) | (*ties & (*x == least)))
        {
            for (lane, x) in own.iter().enumerate() {
                if place == none
                    || better(*x, least)
                    || *ties && *x == least && self.int_at(*at, lane) < place
                {
                    (least, place) = (*x, self.int_at(*at, lane));
                }
            }
        }
        let vars = &mut self.runner.vars;
        (vars.reals[best.index()], vars.ints[found.index()]) = (least, place);
    }
}

/// Moves a block to the scope within or, if `out`, to the one around.
fn transfer<T: Copy>(
    blocks: &mut [Vec<T>],
    [around, within]: [usize; 2],
    from: Option<&[u32]>,
    lanes: usize,
    out: bool,
) {
    let (to, source) = if out { (around, within) } else { (within, around) };
    let mut target = std::mem::take(&mut blocks[to]);
    let kept = &blocks[source];
    match from {
        None => target[..lanes].copy_from_slice(&kept[..lanes]),
        Some(from) if out => {
            from.iter().zip(kept).for_each(|(lane, x)| target[*lane as usize] = *x);
        }
        Some(from) => {
            from.iter().zip(&mut target).for_each(|(lane, x)| *x = kept[*lane as usize]);
        }
    }
    blocks[to] = target;
}

/// Where a line lies; its ends must be in bounds, and so is all between.
fn walk<S: Scalar>(
    line: &Line,
    range: Range,
    ends: [usize; 2],
    runner: &Runner<'_, S>,
) -> Result<Walk, Stop> {
    let (mut start, mut step) = (0i64, 0i64);
    for ((base, by), extent) in line.indices.iter().zip(runner.frame.extents(line.buffer)) {
        let first = runner.int(base)? + by * range.start;
        let stride = by * range.step;
        let [low, high] = ends.map(|lane| first + stride * lane as i64);
        assert!(
            (0..*extent).contains(&low) && (0..*extent).contains(&high),
            "`{}` is touched at {low}..{high}, beyond {extent}: loops keep indices in bounds (invariant 4)",
            runner.program.buffer(line.buffer).name
        );
        start = start * extent + first;
        step = step * extent + stride;
    }
    Ok(Walk { buffer: line.buffer, start, step })
}
