//! Laws of sums of terms: equal terms join, and so do the two halves of one.

use crate::bodies::{Product, is_zero};
use crate::context::{Context, Place};
use crate::guards::fold;
use iverson_spec::ir::{Expr, Extent, Guard, Index, VarId};
use iverson_spec::number::Number;
use iverson_spec::ssa::Term;
use iverson_spec::traverse::{Rewrite, Substitute};
use rustc_hash::FxHashMap;

/// A term up to its coefficient, the names of its binders and the order of its
/// factors and conjuncts.
#[derive(PartialEq, Eq, Hash, Clone)]
pub(crate) struct Shape {
    ranges: Vec<Extent>,
    guards: Vec<Guard>,
    factors: Vec<Expr>,
    divisors: Vec<Expr>,
}

/// The coefficient of a term, and its shape. `None` where a coefficient overflows.
pub(crate) fn shape(cx: &Context, term: &Term, axes: &[VarId]) -> Option<(Number, Shape)> {
    let place = |v: VarId| {
        let of = axes.iter().chain(&term.binders).position(|other| *other == v)?;
        Some(Index::var(VarId(u32::MAX - of as u32)))
    };
    let mut rename = Substitute(place);
    let product = Product::of(&rename.expr(&term.body)?);
    let mut guards = rename.guard(&term.guard)?.conjuncts();
    guards.sort();
    let Product { coefficient, mut factors, divisors } = product;
    factors.sort();
    let ranges = term.binders.iter().map(|v| cx.symbols.var(*v).range.clone()).collect();
    Some((coefficient, Shape { ranges, guards, factors, divisors }))
}

/// `a [p] e + b [p] e = (a + b) [p] e`
pub(crate) fn like_terms(cx: &mut Context, place: Place<'_>, terms: &[Term]) -> Option<Vec<Term>> {
    let mut first: FxHashMap<Shape, usize> = FxHashMap::default();
    let mut kept: Vec<(Number, Term)> = Vec::with_capacity(terms.len());
    for term in terms {
        let (coefficient, shape) = shape(cx, term, place.axes)?;
        match first.get(&shape) {
            Some(at) => {
                let (sum, _) = &mut kept[*at];
                *sum = Number::new(sum.exact() + coefficient.exact());
            }
            None => {
                first.insert(shape, kept.len());
                kept.push((coefficient, term.clone()));
            }
        }
    }
    (kept.len() < terms.len()).then(|| {
        let nonzero = kept.into_iter().filter(|(coefficient, _)| !is_zero(coefficient));
        nonzero.map(|(coefficient, term)| with_coefficient(&term, coefficient)).collect()
    })
}

fn with_coefficient(term: &Term, coefficient: Number) -> Term {
    let body = Product { coefficient, ..Product::of(&term.body) }.body();
    Term { binders: term.binders.clone(), guard: term.guard.clone(), body }
}

/// `[p] e + [not p] e = e`
pub(crate) fn complementary(
    cx: &mut Context,
    place: Place<'_>,
    terms: &[Term],
) -> Option<Vec<Term>> {
    let guarded = |term: &&Term| !term.guard.is_truth();
    if terms.iter().filter(guarded).count() < 2 {
        return None;
    }
    let mut halves: FxHashMap<(Number, Shape), usize> = FxHashMap::default();
    for (at, term) in terms.iter().enumerate() {
        let (coefficient, shape) = shape(cx, term, place.axes)?;
        for (which, conjunct) in shape.guards.iter().enumerate() {
            let mut opposite = shape.clone();
            opposite
                .guards
                .splice(which..=which, fold(&Guard::Not(Box::new(conjunct.clone()))).conjuncts());
            opposite.guards.sort();
            if let Some(other) = halves.get(&(coefficient.clone(), opposite)) {
                return join(cx, place, terms, (*other, at));
            }
        }
        halves.insert((coefficient, shape), at);
    }
    None
}

/// The terms with two halves joined: the conjuncts that they share stay.
fn join(
    cx: &Context,
    place: Place<'_>,
    terms: &[Term],
    (first, second): (usize, usize),
) -> Option<Vec<Term>> {
    let (_, other) = shape(cx, &terms[second], place.axes)?;
    let term = &terms[first];
    let mut kept = Vec::new();
    for conjunct in term.guard.clone().conjuncts() {
        let alone = Term { guard: conjunct.clone(), ..term.clone() };
        let (_, own) = shape(cx, &alone, place.axes)?;
        if own.guards.iter().all(|g| other.guards.contains(g)) {
            kept.push(conjunct);
        }
    }
    let joined = Term { guard: Guard::all(kept), ..term.clone() };
    let mut out = terms.to_vec();
    out[first] = joined;
    out.remove(second);
    Some(out)
}
