//! Integers in lanes, and the places of entries.

use super::{Builder, Entry, Lane};
use crate::block::ops::{IntArg, IntOp, Line};
use crate::loops::walk::Visit;
use crate::loops::{BufferId, Int, IntId, Real, RealId};

impl Builder {
    pub(super) fn int(&mut self, e: &Int) -> Option<Lane> {
        Some(match e {
            Int::Const(_) | Int::Size(_) => Lane::Uniform(e.clone()),
            Int::Var(var) if *var == self.var => Lane::Affine(Int::Const(0), 1),
            Int::Var(var) if self.is_set_int(*var) => self.int_lane(*var, self.open.len() - 1)?,
            Int::Var(_) => Lane::Uniform(e.clone()),
            Int::Sum(terms, constant) => self.sum(terms, *constant)?,
            _ if !self.depends(e) => Lane::Uniform(e.clone()),
            Int::Load(buffer, indices) => {
                let op = match self.entry(*buffer, indices)? {
                    Entry::Line(line, _) => IntOp::Load(line),
                    Entry::Places(places) => IntOp::Gather(*buffer, places),
                };
                Lane::Block(self.set_int(op))
            }
            Int::Div(inner, k) => match self.int(inner)? {
                Lane::Uniform(inner) => Lane::Uniform(inner.divided(*k)),
                lane @ (Lane::Affine(..) | Lane::Block(_)) => {
                    let from = self.int_arg(lane);
                    Lane::Block(self.set_int(IntOp::Div(from, *k)))
                }
            },
            Int::Mod(inner, k) => match self.int(inner)? {
                Lane::Uniform(inner) => Lane::Uniform(inner.remainder(*k)),
                lane @ (Lane::Affine(..) | Lane::Block(_)) => {
                    let from = self.int_arg(lane);
                    Lane::Block(self.set_int(IntOp::Mod(from, *k)))
                }
            },
            Int::Product(factors) => {
                let factors = self.int_args(factors)?;
                Lane::Block(self.set_int(IntOp::Product(factors)))
            }
            Int::DivBy(sides) => {
                let (a, b) = (self.int(&sides.0)?, self.int(&sides.1)?);
                let (a, b) = (self.int_arg(a), self.int_arg(b));
                Lane::Block(self.set_int(IntOp::DivBy(a, b)))
            }
            Int::Floor(x) => {
                let x = self.real(x)?;
                Lane::Block(self.set_int(IntOp::Floor(x)))
            }
            Int::Select(parts) => self.int_select(parts)?,
        })
    }

    pub(super) fn int_args(&mut self, list: &[Int]) -> Option<Vec<IntArg>> {
        list.iter()
            .map(|e| {
                let lane = self.int(e)?;
                Some(self.int_arg(lane))
            })
            .collect()
    }

    fn sum(&mut self, terms: &[(i64, Int)], constant: i64) -> Option<Lane> {
        let mut base = Int::Const(constant);
        let mut step = 0i64;
        let mut blocks = Vec::new();
        for (factor, e) in terms {
            match self.int(e)? {
                Lane::Uniform(e) => base = base.plus(e.times(*factor)),
                Lane::Affine(e, by) => {
                    base = base.plus(e.times(*factor));
                    step = step.checked_add(by.checked_mul(*factor)?)?;
                }
                Lane::Block(block) => blocks.push((*factor, IntArg::Block(block))),
            }
        }
        if blocks.is_empty() {
            return Some(if step == 0 { Lane::Uniform(base) } else { Lane::Affine(base, step) });
        }
        if step != 0 {
            let ramp = self.int_block(Lane::Affine(base, step));
            blocks.push((1, IntArg::Block(ramp)));
        } else if base != Int::Const(0) {
            blocks.push((1, IntArg::Uniform(self.uniform_int(base))));
        }
        Some(Lane::Block(self.set_int(IntOp::Sum(blocks))))
    }

    pub(super) fn uniform_int(&mut self, e: Int) -> usize {
        let known = &mut self.here().inner.scope.uniform_ints;
        let at = known.iter().position(|known| *known == e);
        at.unwrap_or_else(|| {
            known.push(e);
            known.len() - 1
        })
    }

    pub(super) fn int_arg(&mut self, lane: Lane) -> IntArg {
        match lane {
            Lane::Uniform(e) => IntArg::Uniform(self.uniform_int(e)),
            lane @ (Lane::Affine(..) | Lane::Block(_)) => IntArg::Block(self.int_block(lane)),
        }
    }

    pub(super) fn int_block(&mut self, lane: Lane) -> usize {
        let (base, step) = match lane {
            Lane::Block(block) => return block,
            Lane::Affine(base, step) => (base, step),
            Lane::Uniform(base) => (base, 0),
        };
        let base = self.uniform_int(base);
        self.set_int(IntOp::Ramp(base, step))
    }

    // Places.

    /// Where an entry is in each lane.
    pub(super) fn entry(&mut self, buffer: BufferId, indices: &[Int]) -> Option<Entry> {
        let lanes: Vec<Lane> = indices.iter().map(|e| self.int(e)).collect::<Option<_>>()?;
        let affine = |lane: &Lane| match lane {
            Lane::Uniform(base) => Some((base.clone(), 0)),
            Lane::Affine(base, step) => Some((base.clone(), *step)),
            Lane::Block(_) => None,
        };
        if let Some(indices) = lanes.iter().map(affine).collect::<Option<Vec<_>>>() {
            let moves = indices.iter().any(|(_, step)| *step != 0);
            let line = Line { buffer, indices };
            let lines = &mut self.here().inner.scope.lines;
            let at = lines.iter().position(|known| *known == line);
            let at = at.unwrap_or_else(|| {
                lines.push(line);
                lines.len() - 1
            });
            return Some(Entry::Line(at, moves));
        }
        Some(Entry::Places(self.places_of(buffer, lanes)))
    }

    /// A block of the places of entries.
    pub(super) fn places(&mut self, buffer: BufferId, indices: &[Int]) -> Option<usize> {
        let lanes: Vec<Lane> = indices.iter().map(|e| self.int(e)).collect::<Option<_>>()?;
        Some(self.places_of(buffer, lanes))
    }

    fn places_of(&mut self, buffer: BufferId, lanes: Vec<Lane>) -> usize {
        if let [Lane::Block(block)] = lanes.as_slice() {
            return *block;
        }
        let args = lanes.into_iter().map(|lane| self.int_arg(lane)).collect();
        self.set_int(IntOp::Places(buffer, args))
    }

    // What differs between lanes.

    /// Whether an integer differs between lanes.
    pub(super) fn depends(&self, e: &Int) -> bool {
        let mut differs = Differs { builder: self, found: false };
        differs.int(e);
        differs.found
    }

    /// Whether a real differs between lanes.
    pub(super) fn real_depends(&self, e: &Real) -> bool {
        let mut differs = Differs { builder: self, found: false };
        differs.real(e);
        differs.found
    }

    /// Whether an integer mentions a variable that the loop sets.
    pub(super) fn mentions_set(&self, e: &Int) -> bool {
        struct Set<'b>(&'b Builder, bool);
        impl Visit for Set<'_> {
            fn int_var(&mut self, var: IntId) {
                self.1 |= self.0.is_set_int(var);
            }
            fn real_var(&mut self, var: RealId) {
                self.1 |= self.0.is_set_real(var);
            }
        }
        let mut set = Set(self, false);
        set.int(e);
        set.1
    }
}

/// Whether an expression differs between lanes, or mentions a variable that the loop sets.
pub(super) struct Differs<'b> {
    pub(super) builder: &'b Builder,
    pub(super) found: bool,
}

impl Visit for Differs<'_> {
    fn int_var(&mut self, var: IntId) {
        self.found |= var == self.builder.var || self.builder.is_set_int(var);
    }

    fn real_var(&mut self, var: RealId) {
        self.found |= self.builder.is_set_real(var);
    }
}
