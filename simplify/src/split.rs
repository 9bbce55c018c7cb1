//! Disjunctions and sums without a summed variable.

use crate::guards::disjuncts;
use crate::scope::Scope;
use crate::solve::affine_equation;
use crate::walk::Mentions;
use iverson_spec::ast::Cmp;
use iverson_spec::function::Fun;
use iverson_spec::ir::{Expr, Guard, Index, VarId};
use iverson_spec::number::Number;
use iverson_spec::ssa::{Term, scale};

/// `[p or q] e = [p] e + [not p and q] e`
///
/// Side condition: p is an affine equation that mentions a summed variable, so that
/// it will be solved; its negation is no test.
pub(crate) fn split_or(_: &mut Scope<'_>, term: &Term) -> Option<Vec<Term>> {
    let conjuncts = term.guard.clone().conjuncts();
    let solvable = |p: &Guard| term.binders.iter().any(|v| affine_equation(p, *v).is_some());
    let found = conjuncts.iter().enumerate().find_map(|(place, guard)| match guard {
        Guard::Any(ps) => Some((place, ps.iter().position(solvable)?)),
        Guard::Compare(..)
        | Guard::Real(..)
        | Guard::Member(..)
        | Guard::Not(_)
        | Guard::All(_) => None,
    });
    let (place, which) = found?;
    let mut others = disjuncts(conjuncts[place].clone());
    let p = others.remove(which);
    let case = |guard: Guard| {
        let mut guards = conjuncts.clone();
        guards.splice(place..=place, guard.conjuncts());
        Term { guard: Guard::all(guards), ..term.clone() }
    };
    let rest = p.clone().negate().and(Guard::any(others));
    Some(vec![case(p), case(rest)])
}

/// A sum over an empty range is 0: `sum(i: 0) e = 0`.
///
/// Side condition: the range is a constant that is not positive.
pub(crate) fn drop_empty_sum(scope: &mut Scope<'_>, term: &Term) -> Option<Vec<Term>> {
    let empty = |v: &VarId| scope.symbols.var(*v).range.as_constant().is_some_and(|n| n <= 0);
    term.binders.iter().any(empty).then(Vec::new)
}

/// `sum(i: n where p) e = [n > 0 and p] real(n) e`
///
/// Side condition: `i` occurs neither in p nor in e. The guard keeps empty ranges
/// free, and what it is to be in bounds.
pub(crate) fn empty_binders(scope: &mut Scope<'_>, term: &Term) -> Option<Vec<Term>> {
    let free =
        |v: &VarId| !Mentions::in_guard(*v, &term.guard) && !Mentions::in_expr(*v, &term.body);
    let var = term.binders.iter().copied().find(free)?;
    let range = scope.symbols.var(var).range.clone();
    let binders = term.binders.iter().copied().filter(|v| *v != var).collect();
    let body = match range.as_constant() {
        Some(n) => scale(&Number::integer(n), term.body.clone()),
        None => times(Expr::Real(range.clone()), term.body.clone()),
    };
    let some = Guard::Compare(Cmp::Gt, range, Index::constant(0));
    Some(vec![Term { binders, guard: some.and(term.guard.clone()), body }])
}

/// `a * b`, behind the coefficient of b.
fn times(a: Expr, b: Expr) -> Expr {
    match b {
        Expr::Apply(Fun::Mul, mut factors) => {
            let place = usize::from(matches!(factors.first(), Some(Expr::Const(_))));
            factors.insert(place, a);
            Expr::Apply(Fun::Mul, factors)
        }
        Expr::Const(c) => scale(&c, a),
        b => Expr::Apply(Fun::Mul, vec![a, b]),
    }
}
