//! An entry that is 0 by structure makes 0 of every product that reads it.
//!
//! The terms of a statement say by their guards where its entries may differ from 0. A
//! product that reads one is restricted to there: so the bands of a Jacobian stay bands
//! through the statements that compute with them.

use crate::bodies::Product;
use crate::context::{Context, plain_vars};
use crate::inline::at_entry;
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Expr, Guard, Index, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, Term};
use iverson_spec::traverse::Rewrite;
use rustc_hash::FxHashMap;

/// A product becomes at most this many for one access.
const MAX_PARTS: usize = 4;

/// Where the entries of tensors may differ from 0: on disjoint parts, each with an
/// equation in it.
#[derive(Default)]
pub(crate) struct Supports(FxHashMap<TensorId, (Vec<VarId>, Vec<Guard>)>);

impl Supports {
    /// Notes what the guards of a simplified statement say.
    pub(crate) fn note(&mut self, cx: &Context, stmt: &Stmt) {
        let Rhs::Sum(terms) = &stmt.rhs else { return };
        let mut parts: Vec<Guard> = Vec::new();
        for term in terms {
            let Some(part) = part(&stmt.axes, &term.guard) else { return };
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        let mut each = parts.iter().enumerate();
        let disjoint = each.all(|(at, a)| parts[at + 1..].iter().all(|b| cx.are_apart(a, b)));
        if (1..=MAX_PARTS).contains(&parts.len()) && disjoint {
            self.0.insert(stmt.tensor, (stmt.axes.clone(), parts));
        }
    }

    /// `[p] t[a] e = sum of [p and q(a)] t[a] e` over the parts q of the support of t
    pub(crate) fn restrict(&self, cx: &Context, term: &Term) -> Option<Vec<Term>> {
        let product = Product::of(&term.body);
        let held = term.guard.clone().conjuncts();
        product.factors.iter().find_map(|factor| {
            let parts = self.at(factor)?;
            let known = parts.iter().any(|part| cx.implies(&held, part));
            let restricted = |part| Term { guard: term.guard.clone().and(part), ..term.clone() };
            (!known).then(|| parts.into_iter().map(restricted).collect())
        })
    }

    /// The parts of the support at the entry that a factor reads.
    fn at(&self, factor: &Expr) -> Option<Vec<Guard>> {
        let Expr::Access(tensor, indices) = factor else { return None };
        let (axes, parts) = self.0.get(tensor)?;
        if !indices.iter().all(Index::is_linear) {
            return None;
        }
        let mut moved = at_entry(axes, indices);
        parts.iter().map(|part| moved.guard(part)).collect()
    }
}

/// The conjuncts of a guard in axes alone, if an equation is among them.
fn part(axes: &[VarId], guard: &Guard) -> Option<Guard> {
    let of_axes = |conjunct: &Guard| match conjunct {
        Guard::Compare(_, a, b) => [a, b].into_iter().all(|index| is_of(axes, index)),
        Guard::Real(..) | Guard::Member(..) | Guard::Not(_) | Guard::All(_) | Guard::Any(_) => {
            false
        }
    };
    let kept: Vec<Guard> = guard.clone().conjuncts().into_iter().filter(of_axes).collect();
    let solves = kept.iter().any(|conjunct| matches!(conjunct, Guard::Compare(Cmp::Eq, ..)));
    solves.then(|| Guard::all(kept))
}

/// Whether an index is linear in these variables and sizes: a restriction that was made is then seen, and not made again.
fn is_of(axes: &[VarId], index: &Index) -> bool {
    index.is_linear() && plain_vars(index).iter().all(|(v, _)| axes.contains(v))
}
