//! A guard as conjunctions of constraints on disjoint sets of points.

use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Atom, Guard, Index, RelId};
use iverson_spec::traverse::{Rewrite, rebuild_atom};

/// More parts than this are not told apart; the disjunction is tested instead.
const MOST_PARTS: usize = 64;

/// A conjunction.
#[derive(Clone, Debug, Default)]
pub(super) struct Conjunction {
    /// `e = 0`
    pub(super) zero: Vec<Index>,
    /// `e >= 0`
    pub(super) natural: Vec<Index>,
    pub(super) members: Vec<(RelId, Vec<Index>)>,
    /// What no bound expresses.
    pub(super) others: Vec<Guard>,
}

/// The points where all the conjuncts hold, as disjoint parts.
pub(super) fn parts(conjuncts: &[&Guard], sizes: &[i64]) -> Vec<Conjunction> {
    let mut parts = vec![Conjunction::default()];
    for conjunct in conjuncts {
        let fixed = Sizes(sizes).guard(conjunct).unwrap_or_else(|| (*conjunct).clone());
        parts = added(parts, &fixed);
    }
    parts
}

fn added(parts: Vec<Conjunction>, guard: &Guard) -> Vec<Conjunction> {
    match guard {
        Guard::All(all) => all.iter().fold(parts, added),
        Guard::Any(any) if parts.len() * any.len() <= MOST_PARTS => {
            let mut found = Vec::new();
            let mut rest = parts;
            for disjunct in any {
                found.extend(added(rest.clone(), disjunct));
                rest = added(rest, &disjunct.clone().negate());
            }
            found
        }
        Guard::Not(inner) if !matches!(**inner, Guard::Member(..) | Guard::Real(..)) => {
            added(parts, &(**inner).clone().negate())
        }
        Guard::Compare(..)
        | Guard::Real(..)
        | Guard::Member(..)
        | Guard::Not(_)
        | Guard::Any(_) => parts.into_iter().map(|part| part.with(guard)).collect(),
    }
}

impl Conjunction {
    fn with(mut self, guard: &Guard) -> Self {
        match guard {
            Guard::Compare(cmp, a, b) => match difference(*cmp, a, b) {
                Some(zero) if *cmp == Cmp::Eq => self.zero.push(zero),
                Some(natural) => self.natural.push(natural),
                None => self.others.push(guard.clone()),
            },
            Guard::Member(relation, indices) => self.members.push((*relation, indices.clone())),
            Guard::Real(..) | Guard::Not(_) | Guard::All(_) | Guard::Any(_) => {
                self.others.push(guard.clone());
            }
        }
        self
    }
}

/// What is 0 (for `=`) or at least 0 exactly where the comparison holds.
fn difference(cmp: Cmp, a: &Index, b: &Index) -> Option<Index> {
    let one_less = |e: Index| e.sub(&Index::constant(1));
    match cmp {
        Cmp::Eq | Cmp::Ge => a.sub(b),
        Cmp::Le => b.sub(a),
        Cmp::Lt => b.sub(a).and_then(one_less),
        Cmp::Gt => a.sub(b).and_then(one_less),
        Cmp::Ne => None,
    }
}

/// Puts the values of sizes in their place.
struct Sizes<'s>(&'s [i64]);

impl Rewrite for Sizes<'_> {
    fn atom(&mut self, atom: &Atom) -> Option<Index> {
        match atom {
            Atom::Size(size) => Some(Index::constant(self.0[size.index()])),
            Atom::Var(_)
            | Atom::Read(..)
            | Atom::Div(..)
            | Atom::Mod(..)
            | Atom::Floor(_)
            | Atom::If(_)
            | Atom::Arg(_) => rebuild_atom(self, atom),
        }
    }
}
