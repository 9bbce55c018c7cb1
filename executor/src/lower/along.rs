//! Sums over the steps of a recurrence that has run, in the order of its steps.
//!
//! In `c[i] = sum(t: n, j: m) x[t, i, j] * y[t, i, j]`, where a recurrence over descending `t` defines `y`, each entry of `y` is read once. So
//! `t` is the outermost loop, and descends too: then the sum can run in the steps of the recurrence, and `y` need not be
//! kept for all of them ([`fuse`](crate::fuse)). Not where an entry is read several times, as in products of matrices: those want tiles.

use super::Lower;
use super::later::Entries;
use iverson_spec::ast::Direction;
use iverson_spec::ir::{Index, VarId};
use iverson_spec::ssa::Term;
use iverson_spec::traverse::{FreeVars, Visit};

impl Lower<'_> {
    /// The binder of a term that takes the steps of a recurrence before, the last one if there are several, if an entry that the recurrence defines
    /// is read with each value of the axes and binders, at its own step.
    pub(super) fn along(&self, axes: &[VarId], term: &Term) -> Option<(VarId, Direction)> {
        if !self.steps.is_empty() {
            return None;
        }
        let mut reads = Entries(Vec::new());
        reads.expr(&term.body);
        let steps = reads.0.iter().filter_map(|(tensor, indices)| {
            let (number, direction) = *self.recurrences.get(tensor)?;
            let own = |var: &&VarId| indices.first() == Some(&Index::var(**var));
            let step = *term.binders.iter().find(own)?;
            let free: Vec<VarId> = indices.iter().flat_map(FreeVars::of_index).collect();
            let each = axes.iter().chain(&term.binders).all(|var| free.contains(var));
            each.then_some((number, step, direction))
        });
        let (_, step, direction) = steps.max_by_key(|(number, ..)| *number)?;
        Some((step, direction))
    }
}
