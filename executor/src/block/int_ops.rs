//! Integers and conditions in the lanes of a scope.

use super::int_kernels::{add_scaled, along, gather_ints, inside, scaled, spread};
use super::kernels::{self, Operand};
use super::lanes::{Block, InScope, LANES, Scratch};
use super::ops::{IntArg, IntOp, Test};
use crate::error::Stop;
use crate::loops::{BufferId, RelId};
use crate::scalar::Scalar;
use smallvec::SmallVec;

fn ints<'o, S>(arg: IntArg, blocks: &'o [Vec<i64>], here: &InScope<S>) -> Operand<'o, i64> {
    match arg {
        IntArg::Block(block) => Operand::Lanes(&blocks[block][..here.lanes]),
        IntArg::Uniform(at) => Operand::One(here.uniform_ints[at]),
    }
}

impl<S: Scalar> Block<'_, '_, S> {
    /// An operand in one lane.
    pub(super) fn int_at(&self, arg: IntArg, lane: usize) -> i64 {
        ints(arg, &self.scratch.ints, self.here()).at(lane)
    }

    /// Sets a block of integers.
    ///
    /// # Errors
    /// [`Stop::Floor`]
    pub(super) fn int_op(&mut self, to: usize, op: &IntOp) -> Result<(), Stop> {
        let mut whole = std::mem::take(&mut self.scratch.ints[to]);
        let outcome = self.int_lanes(&mut whole[..self.lanes()], op);
        self.scratch.ints[to] = whole;
        outcome
    }

    fn int_lanes(&mut self, out: &mut [i64], op: &IntOp) -> Result<(), Stop> {
        let (blocks, here) = (&self.scratch.ints, self.here());
        let operand = |arg: &IntArg| ints(*arg, blocks, here);
        match op {
            IntOp::Ramp(base, step) => {
                let by = step * self.range.step;
                let start =
                    here.uniform_ints[*base] + step * self.range.start + by * self.first as i64;
                if here.all {
                    out.iter_mut().zip(0..).for_each(|(out, lane)| *out = start + by * lane);
                } else {
                    spread(self.level, start, by, &here.picks, out);
                }
            }
            IntOp::Load(line) => {
                let walk = here.lines[*line];
                let start = walk.start + walk.step * self.first as i64;
                if here.all {
                    self.frame().strided_ints(walk.buffer, start, walk.step, out);
                } else {
                    let mut places = [0; LANES];
                    let places = &mut places[..out.len()];
                    spread(self.level, start, walk.step, &here.picks, places);
                    gather_ints(self.level, self.frame(), walk.buffer, places, out);
                }
            }
            IntOp::Gather(buffer, places) => {
                gather_ints(self.level, self.frame(), *buffer, &blocks[*places][..out.len()], out);
            }
            IntOp::Sum(terms) => self.sum(terms, out),
            IntOp::Product(factors) => {
                out.fill(1);
                factors.iter().for_each(|arg| each(out, operand(arg), i64::wrapping_mul));
            }
            IntOp::Div(arg, k) => each(out, operand(arg), |_, x| x.div_euclid(*k)),
            IntOp::Mod(arg, k) => each(out, operand(arg), |_, x| x.rem_euclid(*k)),
            IntOp::DivBy(a, b) => {
                each(out, operand(a), |_, x| x);
                each(out, operand(b), |x, y| x.div_euclid(y.max(1)));
            }
            IntOp::Places(buffer, indices) => self.places(*buffer, indices, out),
            IntOp::Floor(arg) => self.floors(*arg, out)?,
        }
        Ok(())
    }

    fn sum(&self, terms: &[(i64, IntArg)], out: &mut [i64]) {
        let (mut base, mut blocks) = (0i64, SmallVec::<[(i64, &[i64]); 4]>::new());
        for (factor, arg) in terms {
            match ints(*arg, &self.scratch.ints, self.here()) {
                Operand::One(x) => base = base.wrapping_add(factor.wrapping_mul(x)),
                Operand::Lanes(x) => blocks.push((*factor, x)),
            }
        }
        let Some(((factor, x), others)) = blocks.split_first() else { return out.fill(base) };
        scaled(self.level, base, *factor, x, out);
        others.iter().for_each(|(factor, x)| add_scaled(self.level, *factor, x, out));
    }

    fn places(&self, buffer: BufferId, indices: &[IntArg], out: &mut [i64]) {
        out.fill(0);
        for (arg, extent) in indices.iter().zip(self.frame().extents(buffer)) {
            let at = ints(*arg, &self.scratch.ints, self.here());
            let greatest = along(self.level, *extent, at, out);
            assert!(
                out.is_empty() || greatest < *extent as u64,
                "`{}` is touched beyond {extent}: loops keep indices in bounds (invariant 4)",
                self.runner.program.buffer(buffer).name
            );
        }
    }

    pub(super) fn scatter_ints(
        &mut self,
        buffer: BufferId,
        places: usize,
        adds: bool,
        value: IntArg,
    ) {
        let Scratch { ints: blocks, scopes, .. } = &*self.scratch;
        let here = &scopes[self.depth];
        let value = ints(value, blocks, here);
        for (lane, place) in blocks[places][..here.lanes].iter().enumerate() {
            let at = *place as usize;
            let kept = if adds { self.frame().int(buffer, at) } else { 0 };
            self.frame().set_int(buffer, at, kept.wrapping_add(value.at(lane)));
        }
    }

    // Conditions.

    /// Where a test holds.
    ///
    /// # Errors
    /// [`Stop::Floor`]
    pub(super) fn mask(&mut self, test: &Test, mask: &mut [bool]) -> Result<(), Stop> {
        match test {
            Test::Uniform(cond) => mask.fill(self.runner.cond(cond)?),
            Test::Int(cmp, a, b) => {
                let (blocks, here) = (&self.scratch.ints, self.here());
                let sides = [a, b].map(|arg| ints(*arg, blocks, here));
                kernels::compare(self.level, *cmp, sides, mask);
            }
            Test::Real(cmp, a, b) => self.compare_reals(*cmp, [*a, *b], mask),
            Test::Member(relation, indices) => {
                if self.mask_by_map(*relation, indices, mask) {
                    return Ok(());
                }
                let (blocks, here) = (&self.scratch.ints, self.here());
                for (lane, holds) in mask.iter_mut().enumerate() {
                    *holds = self
                        .runner
                        .is_member(*relation, |place| ints(indices[place], blocks, here).at(lane));
                }
            }
            Test::Not(inner) => {
                self.mask(inner, mask)?;
                mask.iter_mut().for_each(|holds| *holds = !*holds);
            }
            Test::All(parts) | Test::Any(parts) => {
                let all = matches!(test, Test::All(_));
                mask.fill(all);
                let mut part_holds = [false; LANES];
                let part_holds = &mut part_holds[..mask.len()];
                for part in parts {
                    self.mask(part, part_holds)?;
                    let both = mask.iter_mut().zip(&*part_holds);
                    both.for_each(|(holds, part)| {
                        *holds = if all { *holds & part } else { *holds | part };
                    });
                }
            }
        }
        Ok(())
    }

    /// Where tuples are in a relation that has a map; whether it has.
    fn mask_by_map(&self, relation: RelId, indices: &[IntArg], mask: &mut [bool]) -> bool {
        let members = self.frame().members(relation);
        let Some(extents) = members.extents() else { return false };
        let (blocks, here) = (&self.scratch.ints, self.here());
        let mut places = [0i64; LANES];
        let places = &mut places[..mask.len()];
        mask.fill(true);
        for (index, extent) in indices.iter().zip(extents) {
            inside(self.level, *extent, ints(*index, blocks, here), places, mask);
        }
        for (holds, place) in mask.iter_mut().zip(&*places) {
            *holds &= members.is_at(if *holds { *place } else { 0 });
        }
        true
    }
}

#[inline(always)]
fn each(out: &mut [i64], arg: Operand<'_, i64>, mut f: impl FnMut(i64, i64) -> i64) {
    match arg {
        Operand::Lanes(x) => out.iter_mut().zip(x).for_each(|(out, x)| *out = f(*out, *x)),
        Operand::One(x) => out.iter_mut().for_each(|out| *out = f(*out, x)),
    }
}
