//! What does not change under a sum is multiplied once.
//!
//! `y[i, k] = sum(j) a[i, k] * b[k, j]` needs the sum of `b` for each `k` alone. The
//! sum becomes a statement of its own over the axes it mentions; that saves a pass
//! for each of the others. It costs a read for each entry, so it pays only where the
//! ranges of the sum and of an axis that it does not mention have at least two
//! points: then the work is never more, and that is asked of the prover, for all
//! sizes (a program may say `requires n > 1`).

use crate::bodies::Product;
use crate::context::{Context, at_least};
use iverson_spec::ir::{Element, Expr, Guard, Index, Tensor, VarId};
use iverson_spec::ssa::{Rhs, Stmt, Term};
use iverson_spec::traverse::FreeVars;

/// `sum(j) a e(j) = a t` with `t = sum(j) e(j)`: the statement of t, and the term.
pub(crate) fn hoist_invariant(cx: &mut Context, stmt: &Stmt, term: &Term) -> Option<(Stmt, Term)> {
    let product = Product::of(&term.body);
    let summed = |e: &Expr| FreeVars::of_expr(e).iter().any(|v| term.binders.contains(v));
    let (inside, outside): (Vec<Expr>, Vec<Expr>) =
        product.factors.iter().cloned().partition(summed);
    let accesses = |es: &[Expr]| es.iter().any(|e| matches!(e, Expr::Access(..)));
    let plain = term.guard.is_truth() && product.divisors.is_empty();
    if !plain || term.binders.is_empty() || !accesses(&inside) || !accesses(&outside) {
        return None;
    }
    let mentioned: Vec<VarId> = inside.iter().flat_map(FreeVars::of_expr).collect();
    let (own, free): (Vec<VarId>, Vec<VarId>) =
        stmt.axes.iter().partition(|axis| mentioned.contains(axis));
    let two = |v: &VarId| cx.implies(&[], &at_least(&cx.symbols.var(*v).range, 2));
    if free.is_empty() || !free.iter().chain(&term.binders).all(two) {
        return None;
    }
    let shape = own.iter().map(|v| cx.symbols.var(*v).range.clone()).collect();
    let name = format!("{}_sum", cx.symbols.tensor(stmt.tensor).name);
    let tensor = cx.symbols.add_tensor(Tensor { name, element: Element::Real, shape });
    let part = |factors: Vec<Expr>| Product { factors, ..Product::of(&Expr::integer(1)) };
    let (binders, guard) = (term.binders.clone(), Guard::truth());
    let rhs = Rhs::Sum(vec![Term { binders, guard, body: part(inside).body() }]);
    let entry = Expr::Access(tensor, own.iter().map(|v| Index::var(*v)).collect());
    let mut outer = part(outside);
    outer.scale(&product.coefficient);
    outer.factors.push(entry);
    let term = Term { binders: Vec::new(), guard: Guard::truth(), body: outer.body() };
    Some((Stmt { tensor, axes: own, rhs }, term))
}
