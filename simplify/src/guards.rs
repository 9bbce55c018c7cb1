//! Laws of propositions.

use crate::compare::canonical;
use crate::scope::{Scope, falsity, is_falsity};
use crate::walk::is_total;
use iverson_spec::ir::Guard;
use iverson_spec::ssa::Term;

/// The guard with `f` applied to every part that it changes, innermost first; `None` if to none.
fn everywhere(guard: &Guard, f: &dyn Fn(&Guard) -> Option<Guard>) -> Option<Guard> {
    let several = |ps: &[Guard], join: fn(Vec<Guard>) -> Guard| {
        let new: Vec<Option<Guard>> = ps.iter().map(|p| everywhere(p, f)).collect();
        if new.iter().all(Option::is_none) {
            return None;
        }
        let parts = ps.iter().zip(new).map(|(old, new)| new.unwrap_or_else(|| old.clone()));
        Some(join(parts.collect()))
    };
    let inner = match guard {
        Guard::Compare(..) | Guard::Real(..) | Guard::Member(..) => None,
        Guard::Not(p) => everywhere(p, f).map(|p| Guard::Not(Box::new(p))),
        Guard::All(ps) => several(ps, Guard::All),
        Guard::Any(ps) => several(ps, Guard::Any),
    };
    match inner {
        None => f(guard),
        Some(inner) => Some(f(&inner).unwrap_or(inner)),
    }
}

/// `a < b ⇔ 0 < b - a`, `e = e ⇔ true`: one form for each comparison.
///
/// Side condition: no coefficient overflows.
pub(crate) fn canonical_comparison(_: &Scope<'_>, guard: &Guard) -> Option<Guard> {
    everywhere(guard, &|g| {
        let Guard::Compare(cmp, a, b) = g else { return None };
        canonical(*cmp, a, b).filter(|new| new != g)
    })
}

/// `[true and p] = [p]`, `[false or p] = [p]`, `[false and p] = 0`, `[true or p] = 1`.
///
/// Side condition: none. Where a part is false the parts after it are not evaluated.
pub(crate) fn absorb_true(_: &Scope<'_>, guard: &Guard) -> Option<Guard> {
    everywhere(guard, &|g| match g {
        Guard::All(ps) if ps.len() > 1 && ps.iter().any(is_falsity) => Some(falsity()),
        Guard::Any(ps) if ps.len() > 1 && ps.iter().any(Guard::is_truth) => Some(Guard::truth()),
        Guard::All(ps) if ps.iter().any(Guard::is_truth) => {
            Some(Guard::all(ps.iter().filter(|p| !p.is_truth()).cloned().collect()))
        }
        Guard::Any(ps) if ps.iter().any(is_falsity) => {
            Some(Guard::any(ps.iter().filter(|p| !is_falsity(p)).cloned().collect()))
        }
        Guard::Compare(..)
        | Guard::Real(..)
        | Guard::Member(..)
        | Guard::Not(_)
        | Guard::All(_)
        | Guard::Any(_) => None,
    })
}

/// `[p][q] = [p and q]`, `not (p and q) = not p or not q`: conjunctions and
/// disjunctions are flat, negations stand at data, and conjuncts that read nothing
/// come first.
///
/// Side condition: only conjuncts that can be evaluated everywhere move, so those
/// that read stay behind everything that protects them.
pub(crate) fn merge_guards(_: &Scope<'_>, guard: &Guard) -> Option<Guard> {
    let flat = everywhere(guard, &flatten);
    let ordered = total_first(flat.as_ref().unwrap_or(guard));
    ordered.or(flat)
}

fn flatten(guard: &Guard) -> Option<Guard> {
    match guard {
        Guard::Not(p) => match p.as_ref() {
            Guard::Real(..) | Guard::Member(..) => None,
            inner @ (Guard::Compare(..) | Guard::Not(_) | Guard::All(_) | Guard::Any(_)) => {
                Some(inner.clone().negate())
            }
        },
        Guard::All(ps) if ps.len() == 1 || ps.iter().any(|p| matches!(p, Guard::All(_))) => {
            Some(Guard::all(ps.iter().cloned().flat_map(Guard::conjuncts).collect()))
        }
        Guard::Any(ps) if ps.len() == 1 || ps.iter().any(|p| matches!(p, Guard::Any(_))) => {
            Some(Guard::any(ps.iter().cloned().flat_map(disjuncts).collect()))
        }
        Guard::Compare(..)
        | Guard::Real(..)
        | Guard::Member(..)
        | Guard::All(_)
        | Guard::Any(_) => None,
    }
}

/// The propositions whose disjunction this is.
pub(crate) fn disjuncts(guard: Guard) -> Vec<Guard> {
    match guard {
        Guard::Any(any) => any,
        one @ (Guard::Compare(..)
        | Guard::Real(..)
        | Guard::Member(..)
        | Guard::Not(_)
        | Guard::All(_)) => vec![one],
    }
}

fn total_first(guard: &Guard) -> Option<Guard> {
    let Guard::All(ps) = guard else { return None };
    if ps.is_sorted_by_key(|p| !is_total(p)) {
        return None;
    }
    let (total, reading): (Vec<Guard>, Vec<Guard>) = ps.iter().cloned().partition(is_total);
    Some(Guard::All(total.into_iter().chain(reading).collect()))
}

/// `[p][p] = [p]`, `[p or not p] = 1`, `[p][not p or q] = [p][q]`.
///
/// Side condition: a part is dropped for one that stands before it, which is in
/// force there.
pub(crate) fn same_guard(_: &Scope<'_>, guard: &Guard) -> Option<Guard> {
    everywhere(guard, &|g| match g {
        Guard::All(ps) => without_repeats(ps, &[]).map(Guard::all),
        Guard::Any(ps) => {
            let opposites: Vec<Guard> = ps.iter().cloned().map(Guard::negate).collect();
            let excluded = |p: &Guard| opposites.contains(p);
            if ps.iter().any(excluded) {
                return Some(Guard::truth());
            }
            without_repeats(ps, &[]).map(Guard::any)
        }
        Guard::Compare(..) | Guard::Real(..) | Guard::Member(..) | Guard::Not(_) => None,
    })
    .or_else(|| {
        let Guard::All(ps) = guard else { return None };
        narrowed(ps).map(Guard::all)
    })
}

fn without_repeats(ps: &[Guard], known: &[Guard]) -> Option<Vec<Guard>> {
    let mut kept: Vec<Guard> = Vec::with_capacity(ps.len());
    for p in ps {
        if !kept.contains(p) && !known.contains(p) {
            kept.push(p.clone());
        }
    }
    (kept.len() < ps.len()).then_some(kept)
}

/// Conjuncts, with what earlier ones decide taken out of disjunctions.
fn narrowed(ps: &[Guard]) -> Option<Vec<Guard>> {
    let mut kept: Vec<Guard> = Vec::with_capacity(ps.len());
    let mut changed = false;
    for p in ps {
        let Guard::Any(parts) = p else {
            kept.push(p.clone());
            continue;
        };
        if parts.iter().any(|part| kept.contains(part)) {
            changed = true;
            continue;
        }
        let open: Vec<Guard> = parts
            .iter()
            .filter(|part| !kept.contains(&(*part).clone().negate()))
            .cloned()
            .collect();
        changed |= open.len() < parts.len();
        kept.push(Guard::any(open));
    }
    changed.then_some(kept)
}

/// `[p] e = 0` where p is false: a term whose guard no point of its ranges satisfies is dropped.
///
/// Side condition: the prover shows that no integers satisfy the guard, the ranges
/// and what data is required to satisfy. Undecided: the term stays.
pub(crate) fn contradiction(scope: &mut Scope<'_>, term: &Term) -> Option<Vec<Term>> {
    if term.guard.is_truth() {
        return None;
    }
    let impossible = is_falsity(&term.guard) || !scope.possible(&term.guard.clone().conjuncts());
    impossible.then(Vec::new)
}

/// `[p][q] = [q]` where q implies p.
///
/// Side condition: p is proved from the ranges, from what data is required to
/// satisfy, and from conjuncts before p; if p reads nothing, from all others that
/// read nothing. So what p protects is still protected.
pub(crate) fn redundant_guard(scope: &Scope<'_>, guard: &Guard) -> Option<Guard> {
    let mut kept = guard.clone().conjuncts();
    let total = kept.len();
    let mut place = 0;
    while place < kept.len() {
        if is_implied(scope, &kept, place) {
            kept.remove(place);
        } else {
            place += 1;
        }
    }
    (kept.len() < total).then(|| Guard::all(kept))
}

fn is_implied(scope: &Scope<'_>, conjuncts: &[Guard], place: usize) -> bool {
    let goal = &conjuncts[place];
    if matches!(goal, Guard::Real(..) | Guard::Member(..) | Guard::Not(_)) {
        return false;
    }
    let wide = is_total(goal);
    let others = conjuncts.iter().enumerate();
    let known = others.filter(|(at, p)| *at < place || *at > place && wide && is_total(p));
    let known: Vec<Guard> = known.map(|(_, p)| p.clone()).collect();
    scope.proves(&known, goal)
}
