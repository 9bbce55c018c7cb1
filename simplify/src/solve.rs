//! Solving equations of a guard for a summed variable.
//!
//! `sum(i: n where k = a·i + c and P(i)) e(i)` has at most one point for each `k`.
//! The equations that mention `i` are solved by `iverson_affine::solve`, which
//! gives `i = p / d` and conditions without `i`. The range of `i` becomes the
//! guard `0 <= p < d·n`, and `p / d` takes the place of `i` everywhere.

use crate::scope::{Scope, less, natural};
use crate::walk::{Mentions, coefficient, is_affine, is_readable, map_expr, map_guard, without};
use indexmap::IndexSet;
use iverson_affine::{Constraint, Linear, Quotient, Var, solve};
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Atom, Guard, Index, VarId};
use iverson_spec::ssa::Term;

/// A summed variable with its value.
pub(crate) struct Solved {
    pub(crate) var: VarId,
    /// The value is `numerator / divisor`, and whole where the conditions hold.
    pub(crate) numerator: Index,
    pub(crate) divisor: i64,
    /// What must hold for there to be a value, the range of the variable aside.
    conditions: Vec<Guard>,
    /// The conjuncts that were solved.
    solved: Vec<usize>,
}

/// `sum(i: n) [i = a] e(i) = [0 <= a < n] e(a)`
///
/// Side condition: `a` is a variable or a constant other than `i`.
pub(crate) fn sift(scope: &mut Scope<'_>, term: &Term) -> Option<Vec<Term>> {
    eliminate(scope, term, |solved| {
        let value = &solved.numerator;
        solved.divisor == 1 && (value.as_var().is_some() || value.as_constant().is_some())
    })
}

/// `sum(i: n) [k = i + c] e(i) = [0 <= k - c < n] e(k - c)`, also for `k = c - i`.
///
/// Side condition: the equation is affine, `i` has the coefficient 1 or -1 in it and
/// occurs in no quotient or remainder of it.
pub(crate) fn solve_equality(scope: &mut Scope<'_>, term: &Term) -> Option<Vec<Term>> {
    eliminate(scope, term, |solved| solved.divisor == 1)
}

/// `sum(i: n) [k = a i] e(i) = [a divides k and 0 <= k < a n] e(k / a)`
///
/// Side condition: the equation is affine, and `i` occurs in no quotient or
/// remainder of it. What is not divisible has no point, so the condition stays.
pub(crate) fn divisibility(scope: &mut Scope<'_>, term: &Term) -> Option<Vec<Term>> {
    eliminate(scope, term, |_| true)
}

fn eliminate(
    scope: &Scope<'_>,
    term: &Term,
    accept: impl Fn(&Solved) -> bool,
) -> Option<Vec<Term>> {
    if !has_equation(&term.guard) {
        return None;
    }
    let conjuncts = term.guard.clone().conjuncts();
    let solved = term.binders.iter().filter_map(|i| solve_for(*i, &conjuncts));
    let solved = solved.into_iter().find(|solved| accept(solved))?;
    Some(vec![substitute(scope, term, &solved)?])
}

fn has_equation(guard: &Guard) -> bool {
    match guard {
        Guard::Compare(cmp, ..) => *cmp == Cmp::Eq,
        Guard::All(ps) => ps.iter().any(|p| matches!(p, Guard::Compare(Cmp::Eq, ..))),
        Guard::Real(..) | Guard::Member(..) | Guard::Not(_) | Guard::Any(_) => false,
    }
}

/// The difference of the sides, if the guard is an affine equation in which the
/// variable occurs by itself alone.
pub(crate) fn affine_equation(guard: &Guard, var: VarId) -> Option<Index> {
    let Guard::Compare(Cmp::Eq, a, b) = guard else { return None };
    let e = a.sub(b)?;
    let by_itself = is_affine(&e) && coefficient(&e, var) != 0 && without(&e, var).is_some();
    by_itself.then_some(e)
}

/// All equations for one variable, solved at once.
fn solve_for(var: VarId, conjuncts: &[Guard]) -> Option<Solved> {
    let mut unknowns = Unknowns::default();
    let own = unknowns.var(&Atom::Var(var))?;
    let mut equations = Vec::new();
    let mut solved = Vec::new();
    for (place, guard) in conjuncts.iter().enumerate() {
        if let Some(e) = affine_equation(guard, var) {
            equations.push(unknowns.linear(&e)?);
            solved.push(place);
        }
    }
    if equations.is_empty() {
        return None;
    }
    let solution = solve(&equations, &[own], Var(unknowns.atoms.len() as u32))?;
    let conditions: Option<Vec<Guard>> =
        solution.conditions.iter().map(|c| unknowns.guard(c)).collect();
    let Quotient { numerator, divisor } = solution.value(own)?;
    let fixed = solution.free.is_empty();
    let divisor = i64::try_from(*divisor).ok().filter(|_| fixed)?;
    let numerator = unknowns.index(numerator)?;
    Some(Solved { var, numerator, divisor, conditions: conditions?, solved })
}

/// The term with the value in the place of the variable.
fn substitute(scope: &Scope<'_>, term: &Term, solved: &Solved) -> Option<Term> {
    let range = scope.symbols.var(solved.var).range.scale(solved.divisor)?;
    let mut guards = range_guards(scope, &solved.numerator, solved.divisor, range);
    guards.extend(solved.conditions.iter().cloned());
    for (place, guard) in term.guard.clone().conjuncts().iter().enumerate() {
        if !solved.solved.contains(&place) {
            guards.push(solved.guard(guard)?);
        }
    }
    let binders = term.binders.iter().copied().filter(|b| *b != solved.var).collect();
    let body = map_expr(&term.body, &mut |index| solved.index(index))?;
    Some(Term { binders, guard: Guard::all(guards), body })
}

/// `0 <= p < d·n`, without what holds by the range of a variable.
fn range_guards(scope: &Scope<'_>, p: &Index, divisor: i64, range: Index) -> Vec<Guard> {
    let same = p.as_var().filter(|v| divisor == 1 && scope.symbols.var(*v).range == range);
    if same.is_some() {
        return Vec::new();
    }
    vec![natural(p.clone()), less(p.clone(), range)]
}

impl Solved {
    /// `a·i + b` is `(a / d)·p + b` where `d` divides `a`.
    fn index(&self, index: &Index) -> Option<Index> {
        let a = coefficient(index, self.var);
        if a == 0 {
            return Some(index.clone());
        }
        let rest = index.sub(&Index::var(self.var).scale(a)?)?;
        if a % self.divisor == 0 {
            return rest.add(&self.numerator.scale(a / self.divisor)?);
        }
        let value = Index::atom(Atom::Div(Box::new(self.numerator.clone()), self.divisor));
        rest.add(&value.scale(a)?)
    }

    /// `a·i + b < c` is `a·p + d·b < d·c`.
    fn guard(&self, guard: &Guard) -> Option<Guard> {
        let several = |ps: &[Guard]| ps.iter().map(|p| self.guard(p)).collect::<Option<Vec<_>>>();
        match guard {
            Guard::Compare(cmp, a, b) => {
                let e = a.sub(b)?;
                let c = coefficient(&e, self.var);
                match without(&e, self.var) {
                    Some(rest) if c != 0 => {
                        let value = rest.scale(self.divisor)?.add(&self.numerator.scale(c)?)?;
                        Some(Guard::Compare(*cmp, value, Index::constant(0)))
                    }
                    _ => map_guard(guard, &mut |index| self.index(index)),
                }
            }
            Guard::Real(..) | Guard::Member(..) => map_guard(guard, &mut |index| self.index(index)),
            Guard::Not(p) => Some(Guard::Not(Box::new(self.guard(p)?))),
            Guard::All(ps) => several(ps).map(Guard::All),
            Guard::Any(ps) => several(ps).map(Guard::Any),
        }
    }
}

/// Atoms as unknowns of `iverson_affine`.
#[derive(Default)]
struct Unknowns {
    atoms: IndexSet<Atom>,
}

impl Unknowns {
    fn var(&mut self, atom: &Atom) -> Option<Var> {
        let (place, _) = self.atoms.insert_full(atom.clone());
        u32::try_from(place).ok().map(Var)
    }

    fn linear(&mut self, index: &Index) -> Option<Linear> {
        let mut terms = Vec::with_capacity(index.terms().len());
        for (atom, c) in index.terms() {
            terms.push((i128::from(*c), self.var(atom)?));
        }
        Linear::of(i128::from(index.constant_part()), terms)
    }

    fn index(&self, e: &Linear) -> Option<Index> {
        let mut terms = Vec::with_capacity(e.terms().len());
        for (var, c) in e.terms() {
            let atom = self.atoms.get_index(var.0 as usize)?;
            terms.push((atom.clone(), i64::try_from(*c).ok()?));
        }
        Index::collect(terms, i64::try_from(e.constant_part()).ok()?)
    }

    fn guard(&self, constraint: &Constraint) -> Option<Guard> {
        let e = self.index(constraint.linear())?;
        let zero = Index::constant(0);
        Some(match constraint {
            Constraint::Zero(_) => Guard::Compare(Cmp::Eq, e, zero),
            Constraint::NonNegative(_) => Guard::Compare(Cmp::Ge, e, zero),
            Constraint::Divides(k, _) => {
                let k = i64::try_from(*k).ok().filter(|k| *k > 0)?;
                Guard::Compare(Cmp::Eq, Index::atom(Atom::Mod(Box::new(e), k)), zero)
            }
        })
    }
}

/// `sum(j: m) [j = p[i]] e(j) = e(p[i])`: data takes the place of a summed variable.
///
/// Side conditions: the data is proved to be within the range of `j` (a guard that
/// says so would be a test where there was none); conjuncts before the equation do
/// not mention `j`, and those after it that do are equations or memberships, which
/// stay as cheap. Data that stands in for a generated variable stays in the guard:
/// it is for an inverse image.
pub(crate) fn sift_read(scope: &mut Scope<'_>, term: &Term) -> Option<Vec<Term>> {
    if !has_equation(&term.guard) {
        return None;
    }
    let conjuncts = term.guard.clone().conjuncts();
    let tries = conjuncts
        .iter()
        .enumerate()
        .flat_map(|(place, guard)| term.binders.iter().map(move |var| (place, guard, *var)));
    let mut found =
        tries.filter_map(|(place, guard, var)| read_of(scope, &conjuncts, (place, guard), var));
    let solved = found.next()?;
    let place = solved.solved[0];
    let mut guards = conjuncts[..place].to_vec();
    for guard in &conjuncts[place + 1..] {
        guards.push(map_guard(guard, &mut |index| solved.index(index))?);
    }
    let binders = term.binders.iter().copied().filter(|b| *b != solved.var).collect();
    let body = map_expr(&term.body, &mut |index| solved.index(index))?;
    Some(vec![Term { binders, guard: Guard::all(guards), body }])
}

fn read_of(
    scope: &Scope<'_>,
    conjuncts: &[Guard],
    (place, guard): (usize, &Guard),
    var: VarId,
) -> Option<Solved> {
    let Guard::Compare(Cmp::Eq, a, b) = guard else { return None };
    let e = a.sub(b)?;
    let c = coefficient(&e, var);
    let rest =
        without(&e, var).filter(|rest| c.abs() == 1 && is_readable(rest) && !is_affine(rest))?;
    let value = rest.scale(-c)?;
    let (before, after) = (&conjuncts[..place], &conjuncts[place + 1..]);
    if before.iter().any(|p| Mentions::in_guard(var, p))
        || !after.iter().all(|p| stays_cheap(var, p))
    {
        return None;
    }
    let inside =
        natural(value.clone()).and(less(value.clone(), scope.symbols.var(var).range.clone()));
    scope.proves(before, &inside).then(|| Solved {
        var,
        numerator: value,
        divisor: 1,
        conditions: Vec::new(),
        solved: vec![place],
    })
}

/// Whether data in the place of the variable leaves the guard enumerable.
fn stays_cheap(var: VarId, guard: &Guard) -> bool {
    match guard {
        Guard::Compare(Cmp::Eq, a, b) => is_readable(a) && is_readable(b),
        Guard::Member(_, indices) => indices.iter().all(is_readable),
        Guard::Compare(..) | Guard::Real(..) | Guard::Not(_) | Guard::All(_) | Guard::Any(_) => {
            !Mentions::in_guard(var, guard)
        }
    }
}
