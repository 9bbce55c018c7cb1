//! Terms that add to both entries of pairs.
//!
//! In `f[i] = sum(j: n where i < j) t[i, j] - sum(k: n where k < i) t[k, i]` an entry of `t` goes to both of its pair: the first term
//! sums a row of `t` for the row's entry, the second adds a row to later entries: `for k { for i in k + 1 .. n { f[i] -= t[k, i] } }`. In
//! front of the first, it adds to entries that the first comes to later: so one pass through the rows may do both, with `t` computed in
//! it ([`merge`](crate::fuse)). Where rows have the entries before their own, it follows the first.

use super::Lower;
use super::later::Entries;
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Guard, Index, TensorId, VarId};
use iverson_spec::ssa::Term;
use iverson_spec::traverse::Visit;

/// A term that adds rows, each to the entries on one side of its own.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    /// The row.
    pub(super) row: VarId,
    /// The entry.
    pub(super) entry: VarId,
    /// The side on which the entries are.
    pub(super) side: Side,
}

/// A side of the entry of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

impl Lower<'_> {
    /// How a term adds rows, where another term sums them.
    pub(super) fn added_rows(&self, axes: &[VarId], term: &Term, terms: &[Term]) -> Option<Rows> {
        let others = terms.iter().filter(|other| !std::ptr::eq(*other, term)).flat_map(entries);
        let others: Vec<(TensorId, Vec<Index>)> = others.collect();
        let own = entries(term);
        let adds = |row: VarId, entry: VarId| {
            let is_summed = |(tensor, indices): &(TensorId, Vec<Index>)| {
                let place = |var| indices.iter().position(|index| *index == Index::var(var));
                let (Some(first), Some(second)) = (place(row), place(entry)) else { return false };
                first < second
                    && others.iter().any(|(other, indices)| {
                        other == tensor
                            && indices[first] == Index::var(entry)
                            && indices[second].as_var().is_some_and(|var| !axes.contains(&var))
                    })
            };
            own.iter().any(is_summed)
        };
        let is = |a: VarId, b: VarId| {
            let goal = Guard::Compare(Cmp::Lt, Index::var(a), Index::var(b));
            self.proved(std::slice::from_ref(&term.guard), &goal)
        };
        let pairs = term.binders.iter().flat_map(|row| axes.iter().map(move |axis| (*row, *axis)));
        pairs.filter(|(row, entry)| adds(*row, *entry)).find_map(|(row, entry)| {
            let side = match (is(row, entry), is(entry, row)) {
                (true, _) => Side::After,
                (_, true) => Side::Before,
                (false, false) => return None,
            };
            Some(Rows { row, entry, side })
        })
    }
}

/// The entries that a term reads.
fn entries(term: &Term) -> Vec<(TensorId, Vec<Index>)> {
    let mut entries = Entries(Vec::new());
    entries.expr(&term.body);
    entries.0
}
