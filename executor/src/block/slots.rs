//! Fewer blocks: those that are not needed at the same time share their memory.
//!
//! A loop with many operations then runs in the nearest cache. An operation never sets a block
//! whose memory it reads.

use super::ops::{Blocks, Each, Inner, Op, Steps, VectorLoop, When};
use rustc_hash::FxHashMap;

/// Renumbers the blocks of a loop.
pub(super) fn share_slots(vector: &mut VectorLoop) {
    let mut slots = Slots::default();
    let mut nothing = Inner::default();
    std::mem::swap(&mut nothing.scope, &mut vector.scope);
    slots.inner(&mut nothing, None);
    vector.scope = nothing.scope;
    (vector.reals, vector.ints) = (slots.reals.count, slots.ints.count);
}

#[derive(Default)]
struct Slots {
    reals: Pool,
    ints: Pool,
}

#[derive(Default)]
struct Pool {
    free: Vec<usize>,
    count: usize,
    /// By block: its slot.
    slots: FxHashMap<usize, usize>,
}

impl Pool {
    fn slot(&mut self, block: usize) -> usize {
        if let Some(slot) = self.slots.get(&block) {
            return *slot;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        });
        self.slots.insert(block, slot);
        slot
    }

    fn release(&mut self, block: usize) {
        self.free.extend(self.slots.remove(&block));
    }
}

/// The last operation that mentions each block.
#[derive(Default)]
struct Last {
    at: usize,
    reals: FxHashMap<usize, usize>,
    ints: FxHashMap<usize, usize>,
}

impl Blocks for Last {
    fn real(&mut self, block: &mut usize) {
        self.reals.insert(*block, self.at);
    }

    fn int(&mut self, block: &mut usize) {
        self.ints.insert(*block, self.at);
    }
}

impl Blocks for Slots {
    fn real(&mut self, block: &mut usize) {
        *block = self.reals.slot(*block);
    }

    fn int(&mut self, block: &mut usize) {
        *block = self.ints.slot(*block);
    }
}

impl Slots {
    /// Renumbers what is in a scope; what it mentions of the scope around is done already. `var` is
    /// a block that is set before each step.
    fn inner(&mut self, inner: &mut Inner, var: Option<&mut usize>) {
        let done = last(inner, var.as_deref().copied()).by_place();
        var.into_iter().for_each(|var| self.int(var));
        inner.ins.reals.iter_mut().for_each(|(_, within)| self.real(within));
        inner.ins.ints.iter_mut().for_each(|(_, within)| self.int(within));
        self.release(&done[0]);
        for (at, op) in inner.scope.ops.iter_mut().enumerate() {
            op.blocks(self);
            match op {
                Op::When(when) => {
                    let When { inner, .. } = &mut **when;
                    self.inner(inner, None);
                }
                Op::Each(each) => {
                    let Each { steps, inner } = &mut **each;
                    let var = match steps {
                        Steps::Uniform(_) => None,
                        Steps::Lanes { var, .. } => Some(var),
                    };
                    self.inner(inner, var);
                }
                Op::Int(..)
                | Op::Real(..)
                | Op::Deliver(..)
                | Op::Join(..)
                | Op::Dot(..)
                | Op::Put(..)
                | Op::Reduce(..)
                | Op::Scatter(..)
                | Op::ScatterInts(..)
                | Op::Contract(_)
                | Op::Search(_)
                | Op::Check(..) => {}
            }
            self.release(&done[at + 1]);
        }
        inner.outs.reals.iter_mut().for_each(|(_, within)| self.real(within));
        inner.outs.ints.iter_mut().for_each(|(_, within)| self.int(within));
        self.release(&done[inner.scope.ops.len() + 1]);
    }

    fn release(&mut self, done: &Done) {
        done.reals.iter().for_each(|block| self.reals.release(*block));
        done.ints.iter().for_each(|block| self.ints.release(*block));
    }
}

/// The blocks that are not mentioned after some place.
#[derive(Clone, Default)]
struct Done {
    reals: Vec<usize>,
    ints: Vec<usize>,
}

impl Last {
    /// By place, in order.
    fn by_place(&self) -> Vec<Done> {
        let mut places = vec![Done::default(); self.at + 1];
        self.reals.iter().for_each(|(block, at)| places[*at].reals.push(*block));
        self.ints.iter().for_each(|(block, at)| places[*at].ints.push(*block));
        for done in &mut places {
            done.reals.sort_unstable();
            done.ints.sort_unstable();
        }
        places
    }
}

/// Where each block of a scope is mentioned last: 0 where it is moved in, then the operations, then
/// where it is moved out.
fn last(inner: &mut Inner, var: Option<usize>) -> Last {
    let mut last = Last::default();
    var.into_iter().for_each(|mut var| last.int(&mut var));
    inner.ins.reals.iter_mut().for_each(|(_, within)| last.real(within));
    inner.ins.ints.iter_mut().for_each(|(_, within)| last.int(within));
    for (at, op) in inner.scope.ops.iter_mut().enumerate() {
        last.at = at + 1;
        op.blocks(&mut last);
    }
    last.at = inner.scope.ops.len() + 1;
    inner.outs.reals.iter_mut().for_each(|(_, within)| last.real(within));
    inner.outs.ints.iter_mut().for_each(|(_, within)| last.int(within));
    last
}
