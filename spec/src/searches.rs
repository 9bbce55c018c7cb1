//! What searches are known to find, as facts for the prover ([`crate::bounds`]).
//!
//! `m[i] = argmax(j: n where q(i, j)) ..` is a place, `m[i] < n`, unless it has no points. It has one where
//! q holds at the first place or at the last one: for `j <= i` at 0.

use crate::ast::Cmp;
use crate::ir::{Atom, Block, Guard, Index, Requires, Symbols, VarId};
use crate::ssa::{Rhs, Stmt, Term};
use crate::traverse::{Rewrite, Substitute};
use crate::verify::stmts;

/// Clauses that hold of what searches find, though nobody requires them.
///
/// For `m[i] = argmax(j: n where q(i, j)) ..`, with `a` the first and the last place:
/// `not q(i, a) or n <= 0 or m[i] < n`.
#[must_use]
pub fn found(symbols: &Symbols, blocks: &[Block<Stmt>]) -> Vec<Requires> {
    stmts(blocks).into_iter().flat_map(|stmt| places(symbols, stmt)).collect()
}

fn places(symbols: &Symbols, stmt: &Stmt) -> Vec<Requires> {
    let Rhs::Arg(_, term) = &stmt.rhs else { return Vec::new() };
    let Term { binders, guard, .. } = term;
    let range = &symbols.var(binders[0]).range;
    let last = range.sub(&Index::constant(1));
    let witnesses = [Some(Index::constant(0)), last].into_iter().flatten();
    let mut clauses: Vec<Requires> = Vec::new();
    for witness in witnesses {
        let Some(holds) = at(guard, binders[0], &witness) else { continue };
        let entry = stmt.axes.iter().map(|v| Index::var(*v)).collect();
        let place = Index::atom(Atom::Read(stmt.tensor, entry));
        let condition = Guard::any(vec![
            holds.negate(),
            Guard::Compare(Cmp::Le, range.clone(), Index::constant(0)),
            Guard::Compare(Cmp::Lt, place, range.clone()),
        ]);
        let clause = Requires { binders: stmt.axes.clone(), condition };
        if !clauses.contains(&clause) {
            clauses.push(clause);
        }
    }
    clauses
}

/// The guard of a search at a place, if only indices are compared in it.
fn at(guard: &Guard, var: VarId, place: &Index) -> Option<Guard> {
    let guard = Substitute(|v| (v == var).then(|| place.clone())).guard(guard)?;
    compares(&guard).then_some(guard)
}

fn compares(guard: &Guard) -> bool {
    match guard {
        Guard::Compare(..) => true,
        Guard::Real(..) | Guard::Member(..) => false,
        Guard::Not(inner) => compares(inner),
        Guard::All(parts) | Guard::Any(parts) => parts.iter().all(compares),
    }
}
