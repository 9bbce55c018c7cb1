//! The order in which the variables of a term are preferred as loops, outermost first.
//!
//! Axes stand before binders, so that sums are kept in a register; but the variable
//! along which most entries lie side by side is the innermost. Variables of a small
//! constant range stand inside even of that one: their loops are unrolled.

use super::Lower;
use iverson_spec::ir::{Expr, Index, TensorId, VarId};
use iverson_spec::ssa::Term;
use iverson_spec::traverse::{FreeVars, Visit, walk_expr};

/// Loops of at most this many steps are unrolled.
pub(crate) const UNROLLED: i64 = 8;

impl Lower<'_> {
    /// The axes and binders of a term in the order preferred. Accesses of the other terms
    /// count too, so that terms without binders have one order.
    pub(super) fn preference(
        &self,
        axes: &[VarId],
        term: &Term,
        terms: &[Term],
        entry: &[VarId],
    ) -> Vec<VarId> {
        let all: Vec<VarId> = axes.iter().chain(&term.binders).copied().collect();
        let (small, mut long): (Vec<VarId>, Vec<VarId>) =
            all.into_iter().partition(|var| self.is_small(*var));
        let mut accesses = Accesses(Vec::new());
        terms.iter().for_each(|term| accesses.expr(&term.body));
        let place = entry.iter().map(|var| Index::var(*var)).collect();
        accesses.0.push((None, place));
        let score = |var: &VarId| accesses.0.iter().map(|(_, at)| score(*var, at)).sum::<i32>();
        let best = long.iter().enumerate().max_by_key(|(place, var)| (score(var), *place));
        if let Some((place, _)) = best {
            let innermost = long.remove(place);
            long.push(innermost);
        }
        long.extend(small);
        long
    }

    fn is_small(&self, var: VarId) -> bool {
        self.symbols.var(var).range.as_constant().is_some_and(|range| range <= UNROLLED)
    }
}

/// How well the entries that an access reads lie along a variable.
fn score(var: VarId, indices: &[Index]) -> i32 {
    let depends = |index: &Index| FreeVars::of_index(index).contains(&var);
    let Some((last, leading)) = indices.split_last() else { return 0 };
    if leading.iter().any(depends) {
        return -2;
    }
    match last.terms().iter().find(|(atom, _)| *atom == iverson_spec::ir::Atom::Var(var)) {
        Some((_, 1)) => 2,
        Some(_) => -1,
        None if depends(last) => -1,
        None => 0,
    }
}

struct Accesses(Vec<(Option<TensorId>, Vec<Index>)>);

impl Visit for Accesses {
    fn expr(&mut self, expr: &Expr) {
        if let Expr::Access(tensor, indices) = expr {
            self.0.push((Some(*tensor), indices.clone()));
        }
        walk_expr(self, expr);
    }
}
