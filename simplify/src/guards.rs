//! Laws of guards: boolean algebra, and what affine arithmetic decides.

use crate::context::{Context, Place, is_affine};
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Expr, Guard, Index};
use iverson_spec::ssa::Term;
use std::cmp::Ordering;

/// At most this many disjuncts are split.
const MAX_PARTS: usize = 4;

/// `[true] e = e`
pub(crate) fn absorb_true(_: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    let guard = fold(&term.guard);
    (guard != term.guard).then(|| vec![with_guard(term, guard)])
}

/// `[p] [p] = [p]`
pub(crate) fn same_guard(_: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    let all = term.guard.clone().conjuncts();
    let mut kept: Vec<Guard> = Vec::with_capacity(all.len());
    for conjunct in &all {
        if !kept.contains(conjunct) {
            kept.push(conjunct.clone());
        }
    }
    (kept.len() < all.len()).then(|| vec![with_guard(term, Guard::all(kept))])
}

/// `[false] e + f = f`
pub(crate) fn drop_false_term(cx: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    if term.guard.is_truth() {
        return None;
    }
    let never = is_falsity(&term.guard) || cx.contradict(&term.guard.clone().conjuncts());
    never.then(Vec::new)
}

/// `[p] [q] e = [p and q] e`: propositions without data first, which hold or fail
/// anywhere; the others keep their order, since an earlier one may protect a later one.
pub(crate) fn merge_guards(_: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    let all = term.guard.clone().conjuncts();
    let (mut ordered, data): (Vec<Guard>, Vec<Guard>) =
        all.iter().cloned().partition(is_affine_guard);
    ordered.extend(data);
    (ordered != all).then(|| vec![with_guard(term, Guard::all(ordered))])
}

/// `[p] [q] e = [p] e` where p implies q. A disjunct that cannot hold beside p goes too.
///
/// A proposition without data may be implied by any other such; one with data only
/// by those before it, which are all that protect it.
pub(crate) fn implied_guard(cx: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    let mut all = term.guard.clone().conjuncts();
    // what the ranges imply goes first: it must not serve to imply another
    let told = |g: &Guard| !(compares(g) && cx.implies(&[], g));
    let kept: Vec<Guard> = all.iter().filter(|g| told(g)).cloned().collect();
    if kept.len() < all.len() {
        return Some(vec![with_guard(term, Guard::all(kept))]);
    }
    let mut affine = all.iter().take_while(|g| is_affine_guard(g)).count();
    let mut changed = false;
    for at in (0..all.len()).rev() {
        let conjunct = all.remove(at);
        let by = if at < affine { &all[..affine - 1] } else { &all[..at] };
        if compares(&conjunct) && cx.implies(by, &conjunct) {
            changed = true;
            affine -= usize::from(at < affine);
            continue;
        }
        let kept = possible(cx, by, &conjunct);
        changed |= kept != conjunct;
        all.insert(at, kept);
    }
    changed.then(|| vec![with_guard(term, Guard::all(all))])
}

/// The disjuncts that can hold beside `others`.
fn possible(cx: &Context, others: &[Guard], conjunct: &Guard) -> Guard {
    let Guard::Any(parts) = conjunct else { return conjunct.clone() };
    let possible = |part: &&Guard| {
        let with: Vec<Guard> = others.iter().cloned().chain([(*part).clone()]).collect();
        !cx.contradict(&with)
    };
    let kept: Vec<Guard> = parts.iter().filter(possible).cloned().collect();
    if kept.len() == parts.len() { conjunct.clone() } else { Guard::any(kept) }
}

/// `[p or q] e = [p] e + [not p and q] e`, where p solves an equation or walks a
/// relation. The parts before the last have no tests, so no point is tested twice.
pub(crate) fn split_or(_: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    let all = term.guard.clone().conjuncts();
    let worthwhile = |g: &Guard| match g {
        Guard::Any(parts) if (2..=MAX_PARTS).contains(&parts.len()) => {
            let (last, before) = parts.split_last()?;
            let free = before.iter().all(|p| is_enumerable(p, true) && is_enumerable(p, false));
            let splits = free && parts.iter().any(determines) && is_enumerable(last, true);
            splits.then(|| parts.clone())
        }
        Guard::Any(_)
        | Guard::Compare(..)
        | Guard::Real(..)
        | Guard::Member(..)
        | Guard::Not(_)
        | Guard::All(_) => None,
    };
    let (at, parts) = all.iter().enumerate().find_map(|(at, g)| Some((at, worthwhile(g)?)))?;
    let mut terms = Vec::with_capacity(parts.len());
    let mut earlier: Vec<Guard> = Vec::new();
    for part in parts {
        let mut guards = all.clone();
        let own = earlier.iter().cloned().map(Guard::negate).chain([part.clone()]);
        guards.splice(at..=at, own);
        terms.push(with_guard(term, Guard::all(guards)));
        earlier.push(part);
    }
    Some(terms)
}

/// Whether an equation or a membership is among the conjuncts.
fn determines(guard: &Guard) -> bool {
    match guard {
        Guard::Compare(cmp, ..) => *cmp == Cmp::Eq,
        Guard::Member(..) => true,
        Guard::All(all) => all.iter().any(determines),
        Guard::Real(..) | Guard::Not(_) | Guard::Any(_) => false,
    }
}

/// Whether the points of a guard, or of its negation if not `positive`, are
/// enumerated without tests for sure: affine comparisons and equations of affine
/// indices; a membership only if positive.
pub(crate) fn is_enumerable(guard: &Guard, positive: bool) -> bool {
    match guard {
        Guard::Compare(_, a, b) => is_affine(a) && is_affine(b),
        Guard::Real(..) => false,
        Guard::Member(_, indices) => positive && indices.iter().all(is_affine),
        Guard::Not(inner) => is_enumerable(inner, !positive),
        Guard::All(parts) | Guard::Any(parts) => parts.iter().all(|p| is_enumerable(p, positive)),
    }
}

/// Whether no data occur: it can be evaluated anywhere.
pub(crate) fn is_affine_guard(guard: &Guard) -> bool {
    match guard {
        Guard::Compare(_, a, b) => is_affine(a) && is_affine(b),
        Guard::Real(..) | Guard::Member(..) => false,
        Guard::Not(inner) => is_affine_guard(inner),
        Guard::All(parts) | Guard::Any(parts) => parts.iter().all(is_affine_guard),
    }
}

/// The same term under another guard.
pub(crate) fn with_guard(term: &Term, guard: Guard) -> Term {
    Term { binders: term.binders.clone(), guard, body: term.body.clone() }
}

/// The proposition that never holds, as it is written.
pub(crate) fn falsity() -> Guard {
    Guard::Any(Vec::new())
}

pub(crate) fn is_falsity(guard: &Guard) -> bool {
    matches!(guard, Guard::Any(any) if any.is_empty())
}

/// Whether affine comparisons occur, so that affine arithmetic may decide it.
fn compares(guard: &Guard) -> bool {
    match guard {
        Guard::Compare(..) => true,
        Guard::Real(..) | Guard::Member(..) => false,
        Guard::Not(inner) => compares(inner),
        Guard::All(parts) => parts.iter().all(compares),
        Guard::Any(parts) => parts.iter().any(compares),
    }
}

/// The guard without what holds or fails by its form, negations pushed inward.
pub(crate) fn fold(guard: &Guard) -> Guard {
    match guard {
        Guard::Compare(cmp, a, b) => match a.sub(b).as_ref().and_then(Index::as_constant) {
            Some(difference) => truth_value(holds(*cmp, difference.cmp(&0))),
            None => guard.clone(),
        },
        Guard::Real(cmp, sides) => match sides.as_ref() {
            (Expr::Const(a), Expr::Const(b)) => truth_value(holds(*cmp, a.exact().cmp(b.exact()))),
            _ => guard.clone(),
        },
        Guard::Member(..) => guard.clone(),
        Guard::Not(inner) => negated(fold(inner)),
        Guard::All(parts) => {
            let parts: Vec<Guard> = parts.iter().map(fold).filter(|p| !p.is_truth()).collect();
            if parts.iter().any(is_falsity) { falsity() } else { Guard::all(parts) }
        }
        Guard::Any(parts) => {
            let parts: Vec<Guard> = parts.iter().map(fold).filter(|p| !is_falsity(p)).collect();
            if parts.iter().any(Guard::is_truth) {
                return Guard::truth();
            }
            let mut distinct: Vec<Guard> = Vec::with_capacity(parts.len());
            for part in parts {
                if !distinct.contains(&part) {
                    distinct.push(part);
                }
            }
            Guard::any(distinct)
        }
    }
}

/// The negation of a folded guard; an atom that cannot be negated keeps its `not`.
fn negated(guard: Guard) -> Guard {
    match guard {
        Guard::Real(..) | Guard::Member(..) => Guard::Not(Box::new(guard)),
        Guard::Compare(..) | Guard::Not(_) | Guard::All(_) | Guard::Any(_) => guard.negate(),
    }
}

fn truth_value(holds: bool) -> Guard {
    if holds { Guard::truth() } else { falsity() }
}

fn holds(cmp: Cmp, order: Ordering) -> bool {
    match cmp {
        Cmp::Eq => order.is_eq(),
        Cmp::Ne => order.is_ne(),
        Cmp::Lt => order.is_lt(),
        Cmp::Le => order.is_le(),
        Cmp::Gt => order.is_gt(),
        Cmp::Ge => order.is_ge(),
    }
}
