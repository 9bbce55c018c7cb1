//! Laws of ranges: sums over nothing, over less, and of what does not change.

use crate::bodies::Product;
use crate::context::{
    Context, Place, below, is_of_sizes, plain_vars, replace_in_expr, replace_in_guard,
};
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Expr, Extent, Guard, Index, VarId};
use iverson_spec::number::Number;
use iverson_spec::ssa::Term;
use iverson_spec::traverse::FreeVars;

/// `sum(i: 0) e = 0`
pub(crate) fn drop_empty_sum(cx: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    let range = |v: &VarId| cx.symbols.var(*v).range.as_constant();
    let empty = term.binders.iter().filter_map(range).any(|n| n <= 0);
    empty.then(Vec::new)
}

/// `sum(i: n) [i < m] e = sum(i: m) e` where `m <= n`
pub(crate) fn tighten_range(cx: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    let all = term.guard.clone().conjuncts();
    let tighter = |conjunct: &Guard| {
        let (var, upper) = upper_bound(conjunct, &term.binders)?;
        let range = cx.symbols.var(var).range.clone();
        let shorter = Guard::Compare(Cmp::Le, upper.clone(), range);
        cx.implies(&[], &shorter).then_some((var, upper))
    };
    let (at, (var, upper)) = all.iter().enumerate().find_map(|(at, g)| Some((at, tighter(g)?)))?;
    let name = cx.symbols.var(var).name.clone();
    let fresh = cx.symbols.add_var(name, upper);
    let by = Index::var(fresh);
    let mut guards = Vec::with_capacity(all.len());
    for (other, guard) in all.iter().enumerate() {
        if other != at {
            guards.push(replace_in_guard(guard, var, &by)?);
        }
    }
    let binders = term.binders.iter().map(|v| if *v == var { fresh } else { *v }).collect();
    let body = replace_in_expr(&term.body, var, &by)?;
    Some(vec![Term { binders, guard: Guard::all(guards), body }])
}

/// `v < e` or `v <= e - 1` for a binder v and e in sizes alone, as (v, e).
fn upper_bound(conjunct: &Guard, binders: &[VarId]) -> Option<(VarId, Extent)> {
    let Guard::Compare(cmp, a, b) = conjunct else { return None };
    let (small, large, strict) = match cmp {
        Cmp::Lt => (a, b, true),
        Cmp::Le => (a, b, false),
        Cmp::Gt => (b, a, true),
        Cmp::Ge => (b, a, false),
        Cmp::Eq | Cmp::Ne => return None,
    };
    // var + c < upper
    let difference = large.sub(small)?;
    let vars = plain_vars(&difference);
    let [(var, -1)] = vars.as_slice() else { return None };
    let upper = difference.add(&Index::var(*var))?;
    let upper = if strict { upper } else { upper.add(&Index::constant(1))? };
    (binders.contains(var) && is_of_sizes(&upper)).then_some((*var, upper))
}

/// `sum(i: n) e = [n > 0] n e` where neither guard nor body mentions i
pub(crate) fn constant_sum(cx: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    let mut used = FreeVars::of_guard(&term.guard);
    used.extend(FreeVars::of_expr(&term.body));
    let var = *term.binders.iter().find(|v| !used.contains(v))?;
    let binders: Vec<VarId> = term.binders.iter().copied().filter(|v| *v != var).collect();
    let range = cx.symbols.var(var).range.clone();
    let mut product = Product::of(&term.body);
    let mut guards = term.guard.clone().conjuncts();
    if let Some(n) = range.as_constant() {
        product.scale(&Number::integer(n));
    } else {
        product.factors.insert(0, Expr::Real(range.clone()));
        guards.insert(0, below(&Index::constant(0), &range));
    }
    Some(vec![Term { binders, guard: Guard::all(guards), body: product.body() }])
}
