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
/// equation in it, or on one side of a diagonal.
#[derive(Default)]
pub(crate) struct Supports(FxHashMap<TensorId, Support>);

struct Support {
    axes: Vec<VarId>,
    parts: Vec<Guard>,
    /// Whether it is one side of a diagonal.
    is_side: bool,
}

impl Supports {
    /// Notes what the guards of a simplified statement say.
    pub(crate) fn note(&mut self, cx: &Context, stmt: &Stmt) {
        let Rhs::Sum(terms) = &stmt.rhs else { return };
        let parts = parts(cx, &stmt.axes, terms);
        let is_side = parts.is_none();
        if let Some(parts) = parts.or_else(|| side(cx, &stmt.axes, terms)) {
            self.0.insert(stmt.tensor, Support { axes: stmt.axes.clone(), parts, is_side });
        }
    }

    /// `[p] t[a] e = sum of [p and q(a)] t[a] e` over the parts q of the support of t
    ///
    /// To one side of a diagonal if each point of the term reads another entry: else the term is a product of matrices, and those
    /// go faster through whole rows.
    pub(crate) fn restrict(&self, cx: &Context, axes: &[VarId], term: &Term) -> Option<Vec<Term>> {
        let product = Product::of(&term.body);
        let held = term.guard.clone().conjuncts();
        product.factors.iter().find_map(|factor| {
            let parts = self.at(cx, axes, term, factor)?;
            // parts that leave nothing out would be joined again
            let known = parts.iter().any(|part| cx.implies(&held, part))
                || cx.implies(&held, &Guard::Any(parts.clone()));
            let restricted = |part| Term { guard: term.guard.clone().and(part), ..term.clone() };
            (!known).then(|| parts.into_iter().map(restricted).collect())
        })
    }

    /// The parts of the support at the entry that a factor of a term reads.
    fn at(&self, cx: &Context, axes: &[VarId], term: &Term, factor: &Expr) -> Option<Vec<Guard>> {
        let Expr::Access(tensor, indices) = factor else { return None };
        let support = self.0.get(tensor)?;
        let mut vars = axes.iter().chain(&term.binders);
        let of_entry = |var: &VarId| {
            let reads = |e| plain_vars(e).iter().any(|(v, _)| v == var);
            indices.iter().any(reads) || cx.symbols.var(*var).range.as_constant().is_some()
        };
        if !indices.iter().all(Index::is_linear) || support.is_side && !vars.all(of_entry) {
            return None;
        }
        let mut moved = at_entry(&support.axes, indices);
        support.parts.iter().map(|part| moved.guard(part)).collect()
    }
}

/// Disjoint parts with an equation in each, outside of which all terms are 0.
fn parts(cx: &Context, axes: &[VarId], terms: &[Term]) -> Option<Vec<Guard>> {
    let mut parts: Vec<Guard> = Vec::new();
    for term in terms {
        let part = part(axes, &term.guard)?;
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    let mut each = parts.iter().enumerate();
    let disjoint = each.all(|(at, a)| parts[at + 1..].iter().all(|b| cx.are_apart(a, b)));
    ((1..=MAX_PARTS).contains(&parts.len()) && disjoint).then_some(parts)
}

/// The side of a diagonal outside of which all terms are 0: the orders between axes that all guards imply.
fn side(cx: &Context, axes: &[VarId], terms: &[Term]) -> Option<Vec<Guard>> {
    let is_order = |conjunct: &Guard| {
        let Guard::Compare(Cmp::Lt | Cmp::Le | Cmp::Gt | Cmp::Ge, a, b) = conjunct else {
            return false;
        };
        let apart = a.sub(b).is_some_and(|difference| plain_vars(&difference).len() > 1);
        apart && is_of(axes, a) && is_of(axes, b)
    };
    let (first, others) = terms.split_first()?;
    let mut kept = first.guard.clone().conjuncts();
    kept.retain(is_order);
    kept.retain(|order| {
        others.iter().all(|term| cx.implies(&term.guard.clone().conjuncts(), order))
    });
    (!kept.is_empty()).then(|| vec![Guard::all(kept)])
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
