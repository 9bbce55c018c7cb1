//! Running a vector loop: block after block, operation after operation.

use super::kernels::{self, Operand, Two};
use super::vector::{Arg, IntArg, Line, Op, VectorLoop};
use crate::error::Stop;
use crate::frame::Frame;
use crate::loops::{BufferId, Fold};
use crate::math::{self, Level, Mode};
use crate::runner::{Range, Runner, join};
use crate::scalar::Scalar;
use iverson_spec::function::Fun;

/// The lanes of a block.
pub(super) const LANES: usize = 512;

/// Memory for the blocks of one thread.
#[derive(Clone, Debug)]
pub(super) struct Scratch<S> {
    reals: Vec<S>,
    ints: Vec<i64>,
    lines: Vec<Walk>,
    uniforms: Vec<S>,
    uniform_ints: Vec<i64>,
    totals: Vec<S>,
    spare: Vec<S>,
}

impl<S> Default for Scratch<S> {
    fn default() -> Self {
        Self {
            reals: Vec::new(),
            ints: Vec::new(),
            lines: Vec::new(),
            uniforms: Vec::new(),
            uniform_ints: Vec::new(),
            totals: Vec::new(),
            spare: Vec::new(),
        }
    }
}

/// A line in memory: `start + step · lane`.
#[derive(Clone, Copy, Debug)]
struct Walk {
    buffer: BufferId,
    start: i64,
    step: i64,
}

/// Runs a vector loop over its lanes.
///
/// # Errors
/// As [`Runner::nodes`].
pub(super) fn run<S: Scalar>(
    vector: &VectorLoop,
    range: Range,
    runner: &mut Runner<'_, S>,
    scratch: &mut Scratch<S>,
    level: Level,
) -> Result<(), Stop> {
    let count = ((range.end - range.start + range.step - 1) / range.step) as usize;
    scratch.lines.clear();
    for line in &vector.lines {
        let walk = walk(line, range, count, runner)?;
        scratch.lines.push(walk);
    }
    scratch.uniforms.clear();
    for e in &vector.uniforms {
        let value = runner.real(e)?;
        scratch.uniforms.push(value);
    }
    scratch.uniform_ints.clear();
    for e in &vector.uniform_ints {
        let value = runner.int(e)?;
        scratch.uniform_ints.push(value);
    }
    let (reals, ints) = (vector.reals * LANES, vector.ints * LANES);
    if scratch.reals.len() < reals {
        scratch.reals.resize(reals, S::default());
    }
    if scratch.ints.len() < ints {
        scratch.ints.resize(ints, 0);
    }
    scratch.spare.resize(2 * LANES, S::default());
    scratch.totals.clear();
    scratch.totals.extend(vector.joins.iter().map(|(_, fold)| S::of(fold.empty())));
    for statement in &vector.visits {
        runner.vars.visits[statement.index()] += count as u64;
    }
    let mut first = 0;
    while first < count {
        let lanes = LANES.min(count - first);
        let value = range.start + first as i64 * range.step;
        let mut block =
            Block { scratch, frame: runner.frame, level, first, lanes, value, step: range.step };
        vector.ops.iter().for_each(|op| block.op(op));
        first += lanes;
    }
    for ((var, fold), total) in vector.joins.iter().zip(&scratch.totals) {
        let kept = &mut runner.vars.reals[var.index()];
        *kept = join(*fold, *kept, *total);
    }
    Ok(())
}

/// Where a line lies; its ends must be in bounds, and so is all between.
fn walk<S: Scalar>(
    line: &Line,
    range: Range,
    count: usize,
    runner: &Runner<'_, S>,
) -> Result<Walk, Stop> {
    let (mut start, mut step) = (0i64, 0i64);
    for ((base, by), extent) in line.indices.iter().zip(runner.frame.extents(line.buffer)) {
        let first = runner.int(base)? + by * range.start;
        let stride = by * range.step;
        let last = first + stride * (count as i64 - 1);
        assert!(
            (0..*extent).contains(&first) && (0..*extent).contains(&last),
            "`{}` is touched at {first}..{last}, beyond {extent}: loops keep indices in bounds (invariant 4)",
            runner.program.buffer(line.buffer).name
        );
        start = start * extent + first;
        step = step * extent + stride;
    }
    Ok(Walk { buffer: line.buffer, start, step })
}

struct Block<'b, S> {
    scratch: &'b mut Scratch<S>,
    frame: &'b Frame<S>,
    level: Level,
    /// The first lane, and the number of lanes.
    first: usize,
    lanes: usize,
    /// The loop variable in the first lane, and from lane to lane.
    value: i64,
    step: i64,
}

impl<S: Scalar> Block<'_, S> {
    fn op(&mut self, op: &Op) {
        match op {
            Op::Ramp(..)
            | Op::LoadInts(..)
            | Op::GatherInts(..)
            | Op::SumInts(..)
            | Op::DivInts(..)
            | Op::ModInts(..)
            | Op::Places(..) => self.int_op(op),
            Op::Convert(to, from) => {
                self.fill(*to, |block, lane| S::of_int(block.int(*from, lane)))
            }
            Op::Gather(to, buffer, places) => {
                let (buffer, places) = (*buffer, *places);
                self.fill(*to, |block, lane| {
                    block.frame.real(buffer, block.int(places, lane) as usize)
                });
            }
            Op::Copy(to, arg) => {
                let (_, [a, _], out) = self.split(*to, [*arg, *arg]);
                copy(a, out);
            }
            Op::Unary(to, fun, arg) => self.unary(*to, *fun, *arg),
            Op::Binary(to, fun, a, b) => self.binary(*to, *fun, *a, *b),
            Op::Fold(to, fold, arg) => self.fold(*to, *fold, *arg),
            Op::Store(line, arg) => self.store(*line, *arg),
            Op::Accumulate(line, fold, arg) => self.accumulate(*line, *fold, *arg),
            Op::Reduce(line, fold, arg) => {
                let total = self.total(*fold, *arg);
                let walk = self.scratch.lines[*line];
                let at = walk.start as usize;
                let kept = self.frame.real(walk.buffer, at);
                self.frame.set_real(walk.buffer, at, join(*fold, kept, total));
            }
            Op::Scatter(buffer, places, arg) => self.scatter(*buffer, *places, None, *arg),
            Op::AccumulateAt(buffer, places, fold, arg) => {
                self.scatter(*buffer, *places, Some(*fold), *arg);
            }
            Op::Dot(at, a, b) => {
                let total = self.dot(*a, *b);
                let kept = &mut self.scratch.totals[*at];
                *kept = kept.add(total);
            }
            Op::Join(at, fold, arg) => {
                let total = self.total(*fold, *arg);
                let kept = &mut self.scratch.totals[*at];
                *kept = join(*fold, *kept, total);
            }
        }
    }

    /// The sum of the products of the lanes.
    fn dot(&mut self, a: Arg, b: Arg) -> S {
        let lanes = self.lanes;
        let Scratch { reals, lines, uniforms, spare, .. } = &mut *self.scratch;
        let view = View { lines, uniforms, frame: self.frame, first: self.first, lanes };
        let (left, right) = spare.split_at_mut(LANES);
        match (view.operand(a, reals, left), view.operand(b, reals, right)) {
            (Operand::Lanes(a), Operand::Lanes(b)) => kernels::dot(self.level, a, b),
            (Operand::Lanes(a), Operand::One(x)) | (Operand::One(x), Operand::Lanes(a)) => {
                kernels::dot(self.level, a, &[x; LANES][..lanes])
            }
            (Operand::One(x), Operand::One(y)) => {
                kernels::dot(self.level, &[x; LANES][..lanes], &[y; LANES][..lanes])
            }
        }
    }

    // Integers.

    fn int(&self, block: usize, lane: usize) -> i64 {
        self.scratch.ints[block * LANES + lane]
    }

    fn int_arg(&self, arg: IntArg, lane: usize) -> i64 {
        match arg {
            IntArg::Block(block) => self.int(block, lane),
            IntArg::Uniform(at) => self.scratch.uniform_ints[at],
        }
    }

    fn int_op(&mut self, op: &Op) {
        for lane in 0..self.lanes {
            let (to, value) = match op {
                Op::Ramp(to, base, step) => {
                    let variable = self.value + lane as i64 * self.step;
                    (to, self.scratch.uniform_ints[*base] + step * variable)
                }
                Op::LoadInts(to, line) => {
                    let walk = self.scratch.lines[*line];
                    let at = walk.start + walk.step * (self.first + lane) as i64;
                    (to, self.frame.int(walk.buffer, at as usize))
                }
                Op::GatherInts(to, buffer, places) => {
                    (to, self.frame.int(*buffer, self.int(*places, lane) as usize))
                }
                Op::SumInts(to, terms, constant) => {
                    let sum = terms.iter().fold(*constant, |sum, (a, arg)| {
                        sum.wrapping_add(a.wrapping_mul(self.int_arg(*arg, lane)))
                    });
                    (to, sum)
                }
                Op::DivInts(to, from, k) => (to, self.int(*from, lane).div_euclid(*k)),
                Op::ModInts(to, from, k) => (to, self.int(*from, lane).rem_euclid(*k)),
                Op::Places(to, buffer, indices) => {
                    let mut place = 0;
                    for (arg, extent) in indices.iter().zip(self.frame.extents(*buffer)) {
                        let at = self.int_arg(*arg, lane);
                        assert!(
                            (0..*extent).contains(&at),
                            "buffer {} is touched at {at}, beyond {extent}: loops keep indices in bounds (invariant 4)",
                            buffer.0
                        );
                        place = place * extent + at;
                    }
                    (to, place)
                }
                Op::Convert(..)
                | Op::Gather(..)
                | Op::Copy(..)
                | Op::Unary(..)
                | Op::Binary(..)
                | Op::Fold(..)
                | Op::Store(..)
                | Op::Accumulate(..)
                | Op::Reduce(..)
                | Op::Scatter(..)
                | Op::AccumulateAt(..)
                | Op::Join(..)
                | Op::Dot(..) => unreachable!("the caller passes operations on integers alone"),
            };
            self.scratch.ints[to * LANES + lane] = value;
        }
    }

    // Reals.

    /// An operand; entries that do not lie side by side are gathered first.
    fn operand(&mut self, arg: Arg) -> Operand<'_, S> {
        let Scratch { reals, lines, uniforms, spare, .. } = &mut *self.scratch;
        let view =
            View { lines, uniforms, frame: self.frame, first: self.first, lanes: self.lanes };
        view.operand(arg, reals, spare)
    }

    /// Two operands, and the block that is set; operands are blocks set before it.
    fn split(&mut self, to: usize, args: [Arg; 2]) -> (Level, [Operand<'_, S>; 2], &mut [S]) {
        let Scratch { reals, lines, uniforms, spare, .. } = &mut *self.scratch;
        let view =
            View { lines, uniforms, frame: self.frame, first: self.first, lanes: self.lanes };
        let (before, own) = reals.split_at_mut(to * LANES);
        let (left, right) = spare.split_at_mut(LANES);
        let operands = [view.operand(args[0], before, left), view.operand(args[1], before, right)];
        (self.level, operands, &mut own[..self.lanes])
    }

    /// Sets a block lane by lane.
    fn fill(&mut self, to: usize, value: impl Fn(&Self, usize) -> S) {
        for lane in 0..self.lanes {
            let value = value(self, lane);
            self.scratch.reals[to * LANES + lane] = value;
        }
    }

    fn unary(&mut self, to: usize, fun: Fun, arg: Arg) {
        let (level, [a, _], out) = self.split(to, [arg, arg]);
        let from = match a {
            Operand::Lanes(from) => from,
            Operand::One(x) => return out.fill(S::unary(fun, x)),
        };
        match math::unary_slice::<S>(Mode::Fast, fun) {
            _ if fun == Fun::Neg => out.iter_mut().zip(from).for_each(|(out, x)| *out = x.neg()),
            Some(kernel) => kernel(level, from, out),
            None => unreachable!("`{fun:?}` takes one argument (invariant 6)"),
        }
    }

    fn binary(&mut self, to: usize, fun: Fun, a: Arg, b: Arg) {
        const KERNELS: [(Fun, Two); 5] = [
            (Fun::Add, Two::Add),
            (Fun::Mul, Two::Mul),
            (Fun::Div, Two::Div),
            (Fun::Max, Two::Max),
            (Fun::Min, Two::Min),
        ];
        let Some((_, two)) = KERNELS.iter().find(|(known, _)| *known == fun) else {
            return self.function(to, fun, a, b);
        };
        let (level, [a, b], out) = self.split(to, [a, b]);
        kernels::binary(level, *two, a, b, out);
    }

    /// A function of two arguments.
    fn function(&mut self, to: usize, fun: Fun, a: Arg, b: Arg) {
        let (mut left, mut right) = ([S::default(); LANES], [S::default(); LANES]);
        let (level, [a, b], out) = self.split(to, [a, b]);
        let (left, right) = (&mut left[..out.len()], &mut right[..out.len()]);
        copy(a, left);
        copy(b, right);
        match math::binary_slice::<S>(Mode::Fast, fun) {
            Some(kernel) => kernel(level, left, right, out),
            None => unreachable!("`{fun:?}` takes two arguments (invariant 6)"),
        }
    }

    fn fold(&mut self, to: usize, fold: Fold, arg: Arg) {
        let mut own = [S::default(); LANES];
        let own = &mut own[..self.lanes];
        copy(self.operand(arg), own);
        let kept = &mut self.scratch.reals[to * LANES..][..self.lanes];
        kernels::into(self.level, Two::from(fold), kept, Operand::Lanes(own));
    }

    fn total(&mut self, fold: Fold, arg: Arg) -> S {
        let (level, lanes) = (self.level, self.lanes);
        match self.operand(arg) {
            Operand::Lanes(from) => {
                kernels::fold(level, Two::from(fold), S::of(fold.empty()), from)
            }
            Operand::One(x) => {
                (0..lanes).fold(S::of(fold.empty()), |total, _| join(fold, total, x))
            }
        }
    }

    fn store(&mut self, line: usize, arg: Arg) {
        let (walk, lanes, frame) = (self.scratch.lines[line], self.lanes, self.frame);
        let start = walk.start + walk.step * self.first as i64;
        let at = |lane: usize| (start + walk.step * lane as i64) as usize;
        match self.operand(arg) {
            Operand::Lanes(from) if walk.step == 1 => {
                frame.put_reals(walk.buffer, start as usize, from);
            }
            Operand::Lanes(from) => {
                from.iter().enumerate().for_each(|(k, x)| frame.set_real(walk.buffer, at(k), *x));
            }
            Operand::One(x) => (0..lanes).for_each(|k| frame.set_real(walk.buffer, at(k), x)),
        }
    }

    fn accumulate(&mut self, line: usize, fold: Fold, arg: Arg) {
        let walk = self.scratch.lines[line];
        let (level, lanes, frame) = (self.level, self.lanes, self.frame);
        let start = walk.start + walk.step * self.first as i64;
        let mut own = [S::default(); LANES];
        let own = &mut own[..lanes];
        if walk.step == 1 {
            own.copy_from_slice(frame.reals(walk.buffer, start as usize, lanes));
            let a = self.operand(arg);
            kernels::into(level, Two::from(fold), own, a);
            frame.put_reals(walk.buffer, start as usize, own);
            return;
        }
        copy(self.operand(arg), own);
        for (lane, x) in own.iter().enumerate() {
            let at = (start + walk.step * lane as i64) as usize;
            frame.set_real(walk.buffer, at, join(fold, frame.real(walk.buffer, at), *x));
        }
    }

    fn scatter(&mut self, buffer: BufferId, places: usize, fold: Option<Fold>, arg: Arg) {
        let (lanes, frame) = (self.lanes, self.frame);
        let mut own = [S::default(); LANES];
        let own = &mut own[..lanes];
        copy(self.operand(arg), own);
        for (lane, x) in own.iter().enumerate() {
            let at = self.int(places, lane) as usize;
            let value = fold.map_or(*x, |fold| join(fold, frame.real(buffer, at), *x));
            frame.set_real(buffer, at, value);
        }
    }
}

/// What operands are read from.
struct View<'v, S> {
    lines: &'v [Walk],
    uniforms: &'v [S],
    frame: &'v Frame<S>,
    first: usize,
    lanes: usize,
}

impl<'v, S: Scalar> View<'v, S> {
    fn operand<'o>(&self, arg: Arg, blocks: &'o [S], spare: &'o mut [S]) -> Operand<'o, S>
    where
        'v: 'o,
    {
        match arg {
            Arg::Block(block) => Operand::Lanes(&blocks[block * LANES..][..self.lanes]),
            Arg::Uniform(at) => Operand::One(self.uniforms[at]),
            Arg::Line(line) => {
                let walk = self.lines[line];
                let start = walk.start + walk.step * self.first as i64;
                match walk.step {
                    0 => Operand::One(self.frame.real(walk.buffer, start as usize)),
                    1 => Operand::Lanes(self.frame.reals(walk.buffer, start as usize, self.lanes)),
                    step => {
                        let spare = &mut spare[..self.lanes];
                        for (lane, x) in spare.iter_mut().enumerate() {
                            let at = start + step * lane as i64;
                            *x = self.frame.real(walk.buffer, at as usize);
                        }
                        Operand::Lanes(spare)
                    }
                }
            }
        }
    }
}

fn copy<S: Scalar>(from: Operand<'_, S>, to: &mut [S]) {
    match from {
        Operand::Lanes(from) => to.copy_from_slice(from),
        Operand::One(x) => to.fill(x),
    }
}
