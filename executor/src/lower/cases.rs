//! A guard as disjoint cases, each a list of literals in the order of the text.
//!
//! `p or q` whose parts can be enumerated becomes the cases `p` and `not p and q`;
//! `a != b` becomes `a < b` and `a > b`, in the order in which a summed variable ascends. Cases exclude each other, so each
//! point is visited once.

use super::space::plain;
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Atom, Guard, Index, VarId};
use iverson_spec::traverse::FreeVars;

/// A guard with more cases than this stays a condition.
const MAX_CASES: usize = 24;

/// One conjunct of a case.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Literal {
    /// The proposition.
    pub(super) guard: Guard,
    /// What it is good for.
    pub(super) kind: Kind,
}

/// What a literal is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A comparison of indices or a membership: its points can be enumerated.
    Enumerable,
    /// It belongs to a conjunct that defines points, but must be tried.
    Sift,
    /// A test, paid at each visited point.
    Test,
}

/// The disjoint cases of a guard; the points of the first come before those of the second as these variables ascend.
pub(super) fn cases(guard: &Guard, summed: &[VarId]) -> Vec<Vec<Literal>> {
    let mut all: Vec<Vec<Literal>> = vec![Vec::new()];
    for conjunct in guard.clone().conjuncts() {
        let ways = ways(&conjunct, summed);
        match ways {
            Some(ways) if all.len() * ways.len() <= MAX_CASES => all = product(&all, &ways),
            Some(_) => push(&mut all, &conjunct, Kind::Sift),
            None => push(&mut all, &conjunct, Kind::Test),
        }
    }
    all
}

fn push(cases: &mut [Vec<Literal>], guard: &Guard, kind: Kind) {
    cases.iter_mut().for_each(|case| case.push(Literal { guard: guard.clone(), kind }));
}

fn product(cases: &[Vec<Literal>], ways: &[Vec<Literal>]) -> Vec<Vec<Literal>> {
    let extend = |case: &Vec<Literal>| {
        let case = case.clone();
        ways.iter().map(move |way| [case.as_slice(), way].concat())
    };
    cases.iter().flat_map(extend).collect()
}

/// The disjoint ways to satisfy a conjunct whose points can be enumerated; `None` for a test.
fn ways(conjunct: &Guard, summed: &[VarId]) -> Option<Vec<Vec<Literal>>> {
    if !enumerable(conjunct, true) {
        return None;
    }
    let whole = || vec![vec![Literal { guard: conjunct.clone(), kind: Kind::Sift }]];
    Some(alternatives(conjunct, summed).unwrap_or_else(whole))
}

/// The disjoint ways to satisfy a proposition; `None` if there are more than [`MAX_CASES`].
fn alternatives(guard: &Guard, summed: &[VarId]) -> Option<Vec<Vec<Literal>>> {
    let one = |guard: &Guard, kind| Some(vec![vec![Literal { guard: guard.clone(), kind }]]);
    match guard {
        Guard::Compare(Cmp::Ne, a, b) if plain(a) && plain(b) => Some(
            unequal(a, b, summed)
                .into_iter()
                .map(|cmp| Guard::Compare(cmp, a.clone(), b.clone()))
                .map(|guard| vec![Literal { guard, kind: Kind::Enumerable }])
                .collect(),
        ),
        Guard::Compare(Cmp::Ne, ..) | Guard::Real(..) => one(guard, Kind::Sift),
        Guard::Compare(_, a, b) if readable(a) && readable(b) => one(guard, Kind::Enumerable),
        Guard::Member(_, indices) if indices.iter().all(readable) => one(guard, Kind::Enumerable),
        Guard::Compare(..) | Guard::Member(..) => one(guard, Kind::Sift),
        Guard::Not(inner) => match inner.clone().negate() {
            atom @ Guard::Not(_) => one(&atom, Kind::Sift),
            positive @ (Guard::Compare(..)
            | Guard::Real(..)
            | Guard::Member(..)
            | Guard::All(_)
            | Guard::Any(_)) => alternatives(&positive, summed),
        },
        Guard::All(parts) => {
            let nothing = vec![Vec::new()];
            parts
                .iter()
                .try_fold(nothing, |all, part| few(product(&all, &alternatives(part, summed)?)))
        }
        Guard::Any(parts) => {
            let mut all = Vec::new();
            let mut before = vec![Vec::new()];
            for (place, part) in parts.iter().enumerate() {
                all.extend(product(&before, &alternatives(part, summed)?));
                if place + 1 < parts.len() {
                    before = few(product(&before, &alternatives(&part.clone().negate(), summed)?))?;
                }
            }
            few(all)
        }
    }
}

/// The two ways to be unequal, first the one with the lesser values of a summed variable.
fn unequal(a: &Index, b: &Index, summed: &[VarId]) -> [Cmp; 2] {
    let difference = a.sub(b);
    let factor = |var: &VarId| {
        let terms = difference.iter().flat_map(Index::terms);
        terms.filter(|(atom, _)| *atom == Atom::Var(*var)).map(|(_, factor)| *factor).next()
    };
    let descends = summed.iter().find_map(factor).is_some_and(|factor| factor < 0);
    if descends { [Cmp::Gt, Cmp::Lt] } else { [Cmp::Lt, Cmp::Gt] }
}

fn few(ways: Vec<Vec<Literal>>) -> Option<Vec<Vec<Literal>>> {
    (ways.len() <= MAX_CASES).then_some(ways)
}

/// Whether the points of a proposition, or of its negation, can be enumerated (spec chapter 3, *Work*).
fn enumerable(guard: &Guard, positive: bool) -> bool {
    match guard {
        Guard::Compare(cmp, a, b) => {
            let cmp = if positive { *cmp } else { cmp.negate() };
            plain(a) && plain(b)
                || readable(a) && readable(b) && (cmp == Cmp::Eq || segment(cmp, a, b))
        }
        Guard::Real(..) => false,
        Guard::Member(_, indices) => positive && indices.iter().all(readable),
        Guard::Not(inner) => enumerable(inner, !positive),
        Guard::All(parts) | Guard::Any(parts) => parts.iter().all(|p| enumerable(p, positive)),
    }
}

/// As [`plain`], with data: reads of index tensors and reals rounded down.
fn readable(index: &Index) -> bool {
    index.terms().iter().all(|(atom, _)| match atom {
        Atom::Size(_) | Atom::Var(_) | Atom::Floor(_) => true,
        Atom::Div(inner, _) | Atom::Mod(inner, _) => readable(inner),
        Atom::Read(_, indices) => indices.iter().all(readable),
        Atom::If(_) | Atom::Arg(_) => false,
    })
}

/// Whether an inequality bounds a variable that its data do not depend on.
fn segment(cmp: Cmp, a: &Index, b: &Index) -> bool {
    let Some(difference) = a.sub(b) else { return false };
    let inside: Vec<VarId> = difference
        .terms()
        .iter()
        .filter(|(atom, _)| !matches!(atom, Atom::Var(_)))
        .flat_map(|(atom, _)| FreeVars::of_index(&Index::atom(atom.clone())))
        .collect();
    let bounded = |(atom, c): &(Atom, i64)| {
        c.abs() == 1 && matches!(atom, Atom::Var(v) if !inside.contains(v))
    };
    cmp != Cmp::Ne && difference.terms().iter().any(bounded)
}
