//! Quotients and remainders by constants, where the division can be done.
//!
//! Every integer form is `d·q + r` with the multiples of d in `q` and `r` the rest.
//! `(d·q + r) / d = q + r / d` and `(d·q + r) % d = r % d`; where r is a constant
//! both are known.

use crate::context::{Context, Place};
use iverson_spec::ir::{Atom, Index};
use iverson_spec::ssa::Term;
use iverson_spec::traverse::{Rewrite, rebuild_atom};

/// `(d q + r) / d = q + r / d`, `(d q + r) % d = r % d`
pub(crate) fn fold_quotient(_: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    let (guard, body) = (Divide.guard(&term.guard)?, Divide.expr(&term.body)?);
    let binders = term.binders.clone();
    let changed = guard != term.guard || body != term.body;
    changed.then(|| vec![Term { binders, guard, body }])
}

struct Divide;

impl Rewrite for Divide {
    fn atom(&mut self, atom: &Atom) -> Option<Index> {
        let rebuilt = rebuild_atom(self, atom)?;
        let ([(atom, 1)], 0) = (rebuilt.terms(), rebuilt.constant_part()) else {
            return Some(rebuilt);
        };
        match atom {
            Atom::Div(e, d) => {
                let (multiples, rest) = split(e, *d)?;
                multiples.add(&quotient(rest, *d))
            }
            Atom::Mod(e, d) => Some(remainder(split(e, *d)?.1, *d)),
            Atom::Size(_)
            | Atom::Var(_)
            | Atom::Read(..)
            | Atom::Floor(_)
            | Atom::If(_)
            | Atom::Arg(_) => Some(rebuilt),
        }
    }
}

/// `(q, r)` with `e = d·q + r`, every multiple of d in q.
fn split(e: &Index, d: i64) -> Option<(Index, Index)> {
    let whole = |c: i64| (c.div_euclid(d), c.rem_euclid(d));
    let mut multiples = Vec::new();
    let mut rest = Vec::new();
    for (atom, c) in e.terms() {
        if c % d == 0 {
            multiples.push((atom.clone(), c / d));
        } else {
            rest.push((atom.clone(), *c));
        }
    }
    let (q, r) = whole(e.constant_part());
    Some((Index::collect(multiples, q)?, Index::collect(rest, r)?))
}

/// `r / d`, where r is known to be below d if it is a constant
fn quotient(r: Index, d: i64) -> Index {
    match r.as_constant() {
        Some(c) => Index::constant(c.div_euclid(d)),
        None if d == 1 => r,
        None => Index::atom(Atom::Div(Box::new(r), d)),
    }
}

/// `r % d`
fn remainder(r: Index, d: i64) -> Index {
    match r.as_constant() {
        Some(c) => Index::constant(c.rem_euclid(d)),
        None => Index::atom(Atom::Mod(Box::new(r), d)),
    }
}
