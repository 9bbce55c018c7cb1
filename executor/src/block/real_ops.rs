//! Reals in the lanes of a scope.

use super::int_kernels::{gather, spread};
use super::kernels::{self, Operand, Two};
use super::lanes::{Block, InScope, LANES, Scratch, Walk};
use super::ops::{Arg, IntArg, RealOp};
use crate::error::Stop;
use crate::frame::Frame;
use crate::loops::{BufferId, CmpOp, Fold};
use crate::math::{self, Level, Mode};
use crate::runner::{floor, join};
use crate::scalar::Scalar;
use iverson_spec::function::Fun;

/// What operands are read from.
struct View<'v, S> {
    here: &'v InScope<S>,
    frame: &'v Frame<S>,
    first: usize,
    level: Level,
}

impl<'v, S: Scalar> View<'v, S> {
    /// An operand; entries that do not lie side by side are gathered first.
    fn operand<'o>(&self, arg: Arg, blocks: &'o [Vec<S>], spare: &'o mut [S]) -> Operand<'o, S>
    where
        'v: 'o,
    {
        let (here, lanes) = (self.here, self.here.lanes);
        let line = match arg {
            Arg::Block(block) => return Operand::Lanes(&blocks[block][..lanes]),
            Arg::Uniform(at) => return Operand::One(here.uniforms[at]),
            Arg::Line(line) => here.lines[line],
        };
        let spare = &mut spare[..lanes];
        if self.gathered(line, spare) {
            return Operand::Lanes(spare);
        }
        let start = line.start + line.step * self.first as i64;
        match line.step {
            0 => Operand::One(self.frame.real(line.buffer, start as usize)),
            _ => Operand::Lanes(self.frame.reals(line.buffer, start as usize, lanes)),
        }
    }

    /// Gathers the entries of a line, unless they lie side by side or are one.
    fn gathered(&self, line: Walk, out: &mut [S]) -> bool {
        let (here, lanes) = (self.here, self.here.lanes);
        let start = line.start + line.step * self.first as i64;
        match line.step {
            0 => return false,
            1 if here.all => return false,
            step if here.all && step > 1 => {
                let count = step as usize * (lanes - 1) + 1;
                let from = self.frame.reals(line.buffer, start as usize, count);
                kernels::strided(self.level, from, step as usize, out);
            }
            step if here.all => self.frame.strided_reals(line.buffer, start, step, out),
            step => {
                let mut places = [0; LANES];
                spread(self.level, start, step, &here.picks, &mut places[..lanes]);
                gather(self.level, self.frame, line.buffer, &places[..lanes], out);
            }
        }
        true
    }
}

/// The parts of a block that operations on reals use: operands, the blocks, room for two operands.
macro_rules! parts {
    ($block:ident => $view:ident, $reals:ident, $left:ident, $right:ident, $third:ident) => {
        let Scratch { reals: $reals, scopes, spare: [$left, $right, $third], .. } =
            &mut *$block.scratch;
        let $view = View {
            here: &scopes[$block.depth],
            frame: $block.runner.frame,
            first: $block.first,
            level: $block.level,
        };
    };
}

impl<S: Scalar> Block<'_, '_, S> {
    /// Writes an operand down.
    pub(super) fn copied(&mut self, arg: Arg, out: &mut [S]) {
        parts!(self => view, reals, left, _right, _third);
        if let Arg::Line(line) = arg
            && view.gathered(view.here.lines[line], out)
        {
            return;
        }
        match view.operand(arg, reals, left) {
            Operand::Lanes(from) => out.copy_from_slice(from),
            Operand::One(x) => out.fill(x),
        }
    }

    /// Sets a block of reals; it is none of the operands.
    ///
    /// # Errors
    /// [`Stop::Floor`]
    pub(super) fn real_op(&mut self, to: usize, op: &RealOp) -> Result<(), Stop> {
        let mut whole = std::mem::take(&mut self.scratch.reals[to]);
        let out = &mut whole[..self.lanes()];
        let outcome = self.real_lanes(out, op);
        self.scratch.reals[to] = whole;
        outcome
    }

    fn real_lanes(&mut self, out: &mut [S], op: &RealOp) -> Result<(), Stop> {
        match op {
            RealOp::Convert(from) => match from {
                IntArg::Block(block) => {
                    let from = &self.scratch.ints[*block];
                    out.iter_mut().zip(from).for_each(|(out, n)| *out = S::of_int(*n));
                }
                IntArg::Uniform(at) => out.fill(S::of_int(self.here().uniform_ints[*at])),
            },
            RealOp::Gather(buffer, places) => {
                let places = &self.scratch.ints[*places][..out.len()];
                gather(self.level, self.frame(), *buffer, places, out);
            }
            RealOp::Copy(arg) => self.copied(*arg, out),
            RealOp::Unary(fun, arg) => self.unary(out, *fun, *arg),
            RealOp::Binary(fun, a, b) => self.binary(out, *fun, [*a, *b]),
            RealOp::Sub(a, b) => self.two(out, Two::Sub, [*a, *b]),
            RealOp::Join(fold, a, b) => self.two(out, Two::from(*fold), [*a, *b]),
            RealOp::AddProduct(base, [a, b]) => {
                let level = self.level;
                parts!(self => view, reals, left, right, third);
                let base = view.operand(*base, reals, left);
                let (a, b) = (view.operand(*a, reals, right), view.operand(*b, reals, third));
                kernels::add_product(level, base, a, b, out);
            }
            RealOp::Choose(test, yes, no) => {
                let mut mask = [false; LANES];
                let mask = &mut mask[..out.len()];
                self.mask(test, mask)?;
                let mut other = [S::default(); LANES];
                self.copied(*yes, out);
                self.copied(*no, &mut other[..out.len()]);
                for ((out, other), holds) in out.iter_mut().zip(&other).zip(mask) {
                    *out = if *holds { *out } else { *other };
                }
            }
        }
        Ok(())
    }

    fn unary(&mut self, out: &mut [S], fun: Fun, arg: Arg) {
        let level = self.level;
        parts!(self => view, reals, left, _right, _third);
        let from = match view.operand(arg, reals, left) {
            Operand::Lanes(from) => from,
            Operand::One(x) => return out.fill(S::unary(fun, x)),
        };
        match math::unary_slice::<S>(Mode::Fast, fun) {
            _ if fun == Fun::Neg => out.iter_mut().zip(from).for_each(|(out, x)| *out = x.neg()),
            Some(kernel) => kernel(level, from, out),
            None => unreachable!("`{fun:?}` takes one argument (invariant 6)"),
        }
    }

    fn binary(&mut self, out: &mut [S], fun: Fun, [a, b]: [Arg; 2]) {
        const KERNELS: [(Fun, Two); 5] = [
            (Fun::Add, Two::Add),
            (Fun::Mul, Two::Mul),
            (Fun::Div, Two::Div),
            (Fun::Max, Two::Max),
            (Fun::Min, Two::Min),
        ];
        let Some((_, two)) = KERNELS.iter().find(|(known, _)| *known == fun) else {
            return self.function(out, fun, [a, b]);
        };
        self.two(out, *two, [a, b]);
    }

    fn two(&mut self, out: &mut [S], two: Two, [a, b]: [Arg; 2]) {
        let level = self.level;
        parts!(self => view, reals, left, right, _third);
        let (a, b) = (view.operand(a, reals, left), view.operand(b, reals, right));
        kernels::binary(level, two, a, b, out);
    }

    /// A function of two arguments.
    fn function(&mut self, out: &mut [S], fun: Fun, [a, b]: [Arg; 2]) {
        let (mut left, mut right) = ([S::default(); LANES], [S::default(); LANES]);
        let (left, right) = (&mut left[..out.len()], &mut right[..out.len()]);
        self.copied(a, left);
        self.copied(b, right);
        match math::binary_slice::<S>(Mode::Fast, fun) {
            Some(kernel) => kernel(self.level, left, right, out),
            None => unreachable!("`{fun:?}` takes two arguments (invariant 6)"),
        }
    }

    // What is no real.

    /// The floors of an operand.
    ///
    /// # Errors
    /// [`Stop::Floor`] with the first that has none.
    pub(super) fn floors(&mut self, arg: Arg, out: &mut [i64]) -> Result<(), Stop> {
        let level = self.level;
        parts!(self => view, reals, left, _right, _third);
        match view.operand(arg, reals, left) {
            Operand::One(x) => out.fill(floor(x.wide())?),
            Operand::Lanes(from) => {
                if !kernels::floors(level, from, out) {
                    from.iter().try_for_each(|x| floor(x.wide()).map(|_| ()))?;
                }
            }
        }
        Ok(())
    }

    /// Where a comparison holds.
    pub(super) fn compare_reals(&mut self, cmp: CmpOp, [a, b]: [Arg; 2], mask: &mut [bool]) {
        let level = self.level;
        parts!(self => view, reals, left, right, _third);
        let sides = [view.operand(a, reals, left), view.operand(b, reals, right)];
        kernels::compare(level, cmp, sides, mask);
    }

    // Folds.

    /// A block of the scope around, joined to.
    pub(super) fn deliver(&mut self, to: usize, fold: Fold, arg: Arg) {
        let (level, lanes) = (self.level, self.lanes());
        let mut kept = std::mem::take(&mut self.scratch.reals[to]);
        parts!(self => view, reals, left, _right, _third);
        let value = view.operand(arg, reals, left);
        if view.here.same {
            kernels::into(level, Two::from(fold), &mut kept[..lanes], value);
        } else {
            for (at, lane) in view.here.from.iter().enumerate() {
                let kept = &mut kept[*lane as usize];
                *kept = join(fold, *kept, value.at(at));
            }
        }
        self.scratch.reals[to] = kept;
    }

    /// All lanes of an operand, joined.
    pub(super) fn total(&mut self, fold: Fold, arg: Arg) -> S {
        let (level, lanes) = (self.level, self.lanes());
        parts!(self => view, reals, left, _right, _third);
        let start = S::of(fold.empty());
        match view.operand(arg, reals, left) {
            Operand::Lanes(from) => kernels::fold(level, Two::from(fold), start, from),
            Operand::One(x) => (0..lanes).fold(start, |total, _| join(fold, total, x)),
        }
    }

    /// The sum of the products of the lanes.
    pub(super) fn dot(&mut self, a: Arg, b: Arg) -> S {
        let (level, lanes) = (self.level, self.lanes());
        parts!(self => view, reals, left, right, _third);
        match (view.operand(a, reals, left), view.operand(b, reals, right)) {
            (Operand::Lanes(a), Operand::Lanes(b)) => kernels::dot(level, a, b),
            (Operand::Lanes(a), Operand::One(x)) | (Operand::One(x), Operand::Lanes(a)) => {
                kernels::dot(level, a, &[x; LANES][..lanes])
            }
            (Operand::One(x), Operand::One(y)) => {
                kernels::dot(level, &[x; LANES][..lanes], &[y; LANES][..lanes])
            }
        }
    }

    // Memory.

    /// Entries along a line.
    pub(super) fn put(&mut self, line: usize, fold: Option<Fold>, arg: Arg) {
        let (level, frame) = (self.level, self.frame());
        let walk = self.here().lines[line];
        let start = walk.start + walk.step * self.first as i64;
        // an operand in the same memory is copied first
        let mut own = [S::default(); LANES];
        let apart = match arg {
            Arg::Line(other) => self.here().lines[other].buffer != walk.buffer,
            Arg::Block(_) | Arg::Uniform(_) => true,
        };
        let lanes = self.lanes();
        if !apart {
            self.copied(arg, &mut own[..lanes]);
        }
        parts!(self => view, reals, left, _right, _third);
        let value =
            if apart { view.operand(arg, reals, left) } else { Operand::Lanes(&own[..lanes]) };
        if !view.here.all {
            let mut places = [0; LANES];
            spread(level, start, walk.step, &view.here.picks, &mut places[..lanes]);
            change_at(frame, walk.buffer, &places[..lanes], fold, value);
        } else if walk.step == 1 {
            frame.change_reals(walk.buffer, start as usize, lanes, |kept| match (fold, value) {
                (None, Operand::Lanes(from)) => kept.copy_from_slice(from),
                (None, Operand::One(x)) => kept.fill(x),
                (Some(fold), value) => kernels::into(level, Two::from(fold), kept, value),
            });
        } else {
            let along = (start, walk.step);
            match fold {
                None => frame.change_strided(walk.buffer, along, lanes, |_, k| value.at(k)),
                Some(Fold::Sum) => {
                    frame
                        .change_strided(walk.buffer, along, lanes, |kept, k| kept.add(value.at(k)));
                }
                Some(fold) => frame.change_strided(walk.buffer, along, lanes, |kept, k| {
                    join(fold, kept, value.at(k))
                }),
            }
        }
    }

    /// Entries at places, lane after lane.
    pub(super) fn scatter(&mut self, buffer: BufferId, at: usize, fold: Option<Fold>, arg: Arg) {
        let (lanes, frame) = (self.lanes(), self.frame());
        let places = std::mem::take(&mut self.scratch.ints[at]);
        // an operand in the same memory is copied first
        let mut own = [S::default(); LANES];
        let same = match arg {
            Arg::Line(line) => self.here().lines[line].buffer == buffer,
            Arg::Block(_) | Arg::Uniform(_) => false,
        };
        if same {
            self.copied(arg, &mut own[..lanes]);
        }
        parts!(self => view, reals, left, _right, _third);
        let value =
            if same { Operand::Lanes(&own[..lanes]) } else { view.operand(arg, reals, left) };
        change_at(frame, buffer, &places[..lanes], fold, value);
        self.scratch.ints[at] = places;
    }
}

fn change_at<S: Scalar>(
    frame: &Frame<S>,
    buffer: BufferId,
    places: &[i64],
    fold: Option<Fold>,
    value: Operand<'_, S>,
) {
    match fold {
        None => frame.change_at(buffer, places, |_, k| value.at(k)),
        Some(Fold::Sum) => frame.change_at(buffer, places, |kept, k| kept.add(value.at(k))),
        Some(fold) => frame.change_at(buffer, places, |kept, k| join(fold, kept, value.at(k))),
    }
}
