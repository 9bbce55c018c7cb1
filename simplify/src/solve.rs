//! Index equations: a summed variable that an equation determines is not summed.
//!
//! `[a = b]` is `d = 0` for the linear form `d = a - b`. Where `d = c·i + r` with
//! `r` free of `i`, the only possible value is `i = -r / c`; it is an integer where
//! `c` divides `r`, and it counts where it is in the range of `i`. The four laws are
//! one computation, named by the form of the equation.

use crate::context::{
    Context, Place, at_least, below, is_affine, plain_vars, replace_in_expr, replace_in_guard,
};
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Atom, Guard, Index, VarId};
use iverson_spec::ssa::Term;
use iverson_spec::traverse::FreeVars;
use iverson_spec::work::enumerable;

/// The form of a solved equation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `i = a`, no constant added: one atom or a constant.
    Plain,
    /// Any other with the coefficient 1 for i when it stands for itself.
    Shifted,
    /// `k + i = c`
    Reflected,
    /// `a·i = r` with `|a| > 1`
    Divided,
}

/// `sum(i: n) [i = a] e(i) = [0 <= a and a < n] e(a)`
pub(crate) fn sift(cx: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    solve(cx, term, Form::Plain)
}

/// `sum(i: n) [k = i + c] e(i) = [c <= k and k - c < n] e(k - c)`
pub(crate) fn solve_equality(cx: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    solve(cx, term, Form::Shifted)
}

/// `sum(i: n) [k + i = c] e(i) = [k <= c and c - k < n] e(c - k)`
pub(crate) fn solve_reflection(cx: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    solve(cx, term, Form::Reflected)
}

/// `sum(i: n) [k = a i] e(i) = [a divides k and k / a < n] e(k / a)`
pub(crate) fn divisibility(cx: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    solve(cx, term, Form::Divided)
}

/// Solves the first equation of that form.
fn solve(cx: &mut Context, term: &Term, form: Form) -> Option<Vec<Term>> {
    let (cx, all) = (&*cx, term.guard.clone().conjuncts());
    let solved = equations(&all).find_map(|(at, difference)| {
        let solutions =
            term.binders.iter().filter_map(|var| Solution::of(&difference, *var, &term.binders));
        solutions.filter(|solution| solution.form == form).find_map(|solution| {
            let mut others = all.clone();
            others.remove(at);
            solution.substitute(cx, term, &others)
        })
    });
    solved.map(|term| vec![term])
}

/// The conjuncts `a = b`, as `a - b`.
fn equations(all: &[Guard]) -> impl Iterator<Item = (usize, Index)> {
    all.iter().enumerate().filter_map(|(at, conjunct)| match conjunct {
        Guard::Compare(Cmp::Eq, a, b) => Some((at, a.sub(b)?)),
        Guard::Compare(..)
        | Guard::Real(..)
        | Guard::Member(..)
        | Guard::Not(_)
        | Guard::All(_)
        | Guard::Any(_) => None,
    })
}

/// `var = value / divisor`, wherever that is an integer.
struct Solution {
    var: VarId,
    value: Index,
    divisor: i64,
    form: Form,
}

impl Solution {
    /// What `difference = 0` says about `var`, if it may be solved for it. Of several
    /// binders a unit coefficient goes first. An equation with data is solved only
    /// if no axis stands in it by itself: such an equation names the entry of the
    /// result that a point adds to, and stays.
    fn of(difference: &Index, var: VarId, binders: &[VarId]) -> Option<Self> {
        let plain = plain_vars(difference);
        let (_, c) = *plain.iter().find(|(v, _)| *v == var)?;
        let units = plain.iter().any(|(v, c)| c.abs() == 1 && binders.contains(v));
        if c.abs() != 1 && units {
            return None;
        }
        let rest = difference.sub(&Index::var(var).scale(c)?)?;
        if FreeVars::of_index(&rest).contains(&var) {
            return None;
        }
        let has_axis = plain.iter().any(|(v, _)| !binders.contains(v));
        if !is_affine(&rest) && (has_axis || c.abs() != 1 || !is_readable(&rest)) {
            return None;
        }
        let value = if c > 0 { rest.scale(-1)? } else { rest };
        Some(Self { var, form: form(&value, c), value, divisor: c.abs() })
    }

    /// The term without the variable, if no bound becomes a test.
    fn substitute(&self, cx: &Context, term: &Term, others: &[Guard]) -> Option<Term> {
        let by = match self.divisor {
            1 => self.value.clone(),
            divisor => Index::atom(Atom::Div(Box::new(self.value.clone()), divisor)),
        };
        let mut guards = Vec::with_capacity(others.len());
        for guard in others {
            let known = replace_in_guard(guard, self.var, &by)?;
            if becomes_test(guard, &known) {
                return None;
            }
            guards.push(known);
        }
        let range = cx.symbols.var(self.var).range.scale(self.divisor)?;
        let mut needed = vec![at_least(&self.value, 0), below(&self.value, &range)];
        if self.divisor != 1 {
            let remainder = Atom::Mod(Box::new(self.value.clone()), self.divisor);
            let whole = Guard::Compare(Cmp::Eq, Index::atom(remainder), Index::constant(0));
            needed.push(whole);
        }
        if !is_affine(&self.value) {
            // an inequality with data would be a test
            needed.retain(|guard| !cx.implies(&[], guard));
            if !needed.is_empty() {
                return None;
            }
        }
        // first what makes the index valid: the others are evaluated behind it
        needed.extend(guards);
        let binders = term.binders.iter().copied().filter(|v| *v != self.var).collect();
        let body = replace_in_expr(&term.body, self.var, &by)?;
        Some(Term { binders, guard: Guard::all(needed), body })
    }
}

/// Names the form of `c·i = ±value`.
fn form(value: &Index, c: i64) -> Form {
    if c.abs() != 1 {
        return Form::Divided;
    }
    match (value.terms(), value.constant_part()) {
        ([], _) | ([(_, 1)], 0) => Form::Plain,
        (terms, _) => {
            let negative = |(atom, c): &(Atom, i64)| *c < 0 && matches!(atom, Atom::Var(_));
            if terms.iter().any(negative) { Form::Reflected } else { Form::Shifted }
        }
    }
}

/// Affine but for reads of index tensors.
pub(crate) fn is_readable(index: &Index) -> bool {
    index.terms().iter().all(|(atom, _)| match atom {
        Atom::Size(_) | Atom::Var(_) => true,
        Atom::Read(_, indices) => indices.iter().all(is_readable),
        Atom::Div(inner, _) | Atom::Mod(inner, _) => is_readable(inner),
        Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => false,
    })
}

/// Whether what the points of a term are enumerated by is tested at each of them once a variable is replaced: `i + p[0] < m`
/// leaves a segment of `i`, `n + p[0] < m` is a test.
fn becomes_test(before: &Guard, after: &Guard) -> bool {
    enumerable(before, true) && !enumerable(after, true)
}

/// `[i / d = q] = [d q <= i and i < d q + d]`
pub(crate) fn divide_by_constant(_: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    let mut all = term.guard.clone().conjuncts();
    let mut found = None;
    for (at, difference) in equations(&all) {
        found = bounds_of_quotient(&difference).map(|bounds| (at, bounds));
        if found.is_some() {
            break;
        }
    }
    let (at, bounds) = found?;
    all.splice(at..=at, bounds);
    let (binders, body) = (term.binders.clone(), term.body.clone());
    Some(vec![Term { binders, guard: Guard::all(all), body }])
}

/// `±(e / d) + r = 0`, with a summed or plain variable in e, as two inequalities.
fn bounds_of_quotient(difference: &Index) -> Option<[Guard; 2]> {
    let quotient = |(atom, c): &(Atom, i64)| match atom {
        Atom::Div(e, d) if c.abs() == 1 && !plain_vars(e).is_empty() => {
            Some((Index::atom(atom.clone()).scale(*c).ok_or(()).ok()?, (**e).clone(), *d, *c))
        }
        Atom::Div(..)
        | Atom::Size(_)
        | Atom::Var(_)
        | Atom::Read(..)
        | Atom::Mod(..)
        | Atom::Floor(_)
        | Atom::If(_)
        | Atom::Arg(_) => None,
    };
    let (own, e, d, c) = difference.terms().iter().find_map(quotient)?;
    let rest = difference.sub(&own)?;
    if !is_affine(&rest) || !is_affine(&e) {
        return None;
    }
    let q = if c > 0 { rest.scale(-1)? } else { rest };
    let low = q.scale(d)?;
    let high = low.add(&Index::constant(d))?;
    Some([Guard::Compare(Cmp::Ge, e.clone(), low), Guard::Compare(Cmp::Lt, e, high)])
}

/// `[i = a] e(i) = [i = a] e(a)` for an axis i, where a has earlier axes and sizes alone.
pub(crate) fn substitute_equality(
    _: &mut Context,
    place: Place<'_>,
    term: &Term,
) -> Option<Vec<Term>> {
    let all = term.guard.clone().conjuncts();
    let defined: Vec<(usize, VarId, Index)> = equations(&all)
        .filter_map(|(at, difference)| determined(&difference, place.axes).map(|(v, a)| (at, v, a)))
        .collect();
    for (at, var, value) in defined {
        let mut guards = Vec::with_capacity(all.len());
        for (other, guard) in all.iter().enumerate() {
            let same = other == at;
            guards.push(if same { guard.clone() } else { replace_in_guard(guard, var, &value)? });
        }
        if all.iter().zip(&guards).any(|(before, after)| becomes_test(before, after)) {
            continue;
        }
        // the equation is evaluated first: what follows may rely on it
        let equation = guards.remove(at);
        guards.insert(0, equation);
        let body = replace_in_expr(&term.body, var, &value)?;
        let guard = Guard::all(guards);
        let mentions = |g: &Guard| FreeVars::of_guard(g).contains(&var);
        let occurs = FreeVars::of_expr(&term.body).contains(&var)
            || all.iter().enumerate().any(|(other, g)| other != at && mentions(g));
        if occurs {
            return Some(vec![Term { binders: term.binders.clone(), guard, body }]);
        }
    }
    None
}

/// The last axis that `difference = 0` determines by earlier ones and sizes.
fn determined(difference: &Index, axes: &[VarId]) -> Option<(VarId, Index)> {
    let only = difference.terms().iter().all(|(atom, _)| match atom {
        Atom::Size(_) => true,
        Atom::Var(v) => axes.contains(v),
        Atom::Read(..)
        | Atom::Div(..)
        | Atom::Mod(..)
        | Atom::Floor(_)
        | Atom::If(_)
        | Atom::Arg(_) => false,
    });
    if !only {
        return None;
    }
    let place = |v: VarId| axes.iter().position(|axis| *axis == v);
    let (var, c) = plain_vars(difference).into_iter().max_by_key(|(v, _)| place(*v))?;
    if c.abs() != 1 {
        return None;
    }
    let rest = difference.sub(&Index::var(var).scale(c)?)?;
    Some((var, if c > 0 { rest.scale(-1)? } else { rest }))
}
