//! One form for each comparison of indices.
//!
//! A comparison is brought to `e >= 0`, `e = 0` or `e != 0` with coprime
//! coefficients, then written with positive terms on both sides; an equation
//! that can be is solved for a variable. So comparisons that say the same about
//! the same atoms are equal.

use crate::scope::falsity;
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Atom, Guard, Index};

/// The form of `a cmp b`, a constant truth if it is one; `None` on overflow.
pub(crate) fn canonical(cmp: Cmp, a: &Index, b: &Index) -> Option<Guard> {
    let one = Index::constant(1);
    match cmp {
        Cmp::Eq | Cmp::Ne => equation(cmp, &a.sub(b)?),
        Cmp::Lt => inequality(&b.sub(a)?.sub(&one)?),
        Cmp::Le => inequality(&b.sub(a)?),
        Cmp::Gt => inequality(&a.sub(b)?.sub(&one)?),
        Cmp::Ge => inequality(&a.sub(b)?),
    }
}

fn truth(holds: bool) -> Guard {
    if holds { Guard::truth() } else { falsity() }
}

/// The greatest common divisor of the coefficients; 0 without any.
fn content(e: &Index) -> Option<i64> {
    e.terms().iter().try_fold(0_i64, |g, (_, c)| Some(gcd(g, c.checked_abs()?)))
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn divided(e: &Index, by: i64) -> Option<Index> {
    let terms = e.terms().iter().map(|(atom, c)| (atom.clone(), c / by));
    Index::collect(terms, e.constant_part().div_euclid(by))
}

/// `e = 0` or `e != 0`
fn equation(cmp: Cmp, e: &Index) -> Option<Guard> {
    let content = content(e)?;
    if content == 0 {
        return Some(truth((e.constant_part() == 0) == (cmp == Cmp::Eq)));
    }
    if e.constant_part() % content != 0 {
        return Some(truth(cmp == Cmp::Ne));
    }
    let e = divided(e, content)?;
    let left = e.terms().iter().filter(|(_, c)| c.abs() == 1).min_by_key(|(atom, _)| rank(atom));
    if let Some((atom, c)) = left {
        let atom = Index::atom(atom.clone());
        let right = if *c == 1 { atom.sub(&e)? } else { e.add(&atom)? };
        return Some(Guard::Compare(cmp, atom, right));
    }
    let opposite = e.terms().first().is_some_and(|(_, c)| *c < 0);
    let e = if opposite { e.scale(-1)? } else { e };
    let (positive, negative) = halves(&e)?;
    let (left, right) = shared(positive, negative, e.constant_part())?;
    Some(Guard::Compare(cmp, left, right))
}

/// Which atom an equation is written for: a variable, else data, else a size.
fn rank(atom: &Atom) -> u8 {
    match atom {
        Atom::Var(_) => 0,
        Atom::Read(..) | Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => 1,
        Atom::Div(..) | Atom::Mod(..) => 2,
        Atom::Size(_) => 3,
    }
}

/// `e >= 0`
fn inequality(e: &Index) -> Option<Guard> {
    let content = content(e)?;
    if content == 0 {
        return Some(truth(e.constant_part() >= 0));
    }
    let e = divided(e, content)?;
    let (positive, negative) = halves(&e)?;
    let c = e.constant_part();
    let none = Index::constant(0);
    if negative == none {
        let (cmp, bound) = if c == -1 { (Cmp::Gt, 0) } else { (Cmp::Ge, c.checked_neg()?) };
        return Some(Guard::Compare(cmp, positive, Index::constant(bound)));
    }
    if positive == none {
        let bound = Index::constant(c);
        return Some(Guard::Compare(Cmp::Le, negative, bound));
    }
    // the side that says more about variables stands on the left
    let upward = rank_of(&positive) < rank_of(&negative);
    if c >= 0 {
        let (left, right) = shared(positive, negative, c)?;
        return Some(if upward {
            Guard::Compare(Cmp::Ge, left, right)
        } else {
            Guard::Compare(Cmp::Le, right, left)
        });
    }
    let (left, right) = shared(positive, negative, c.checked_add(1)?)?;
    Some(if upward {
        Guard::Compare(Cmp::Gt, left, right)
    } else {
        Guard::Compare(Cmp::Lt, right, left)
    })
}

fn rank_of(e: &Index) -> u8 {
    e.terms().iter().map(|(atom, _)| rank(atom)).min().unwrap_or(u8::MAX)
}

/// The terms with positive and those with negative coefficients, both as positive.
fn halves(e: &Index) -> Option<(Index, Index)> {
    let (positive, negative): (Vec<_>, Vec<_>) =
        e.terms().iter().cloned().partition(|(_, c)| *c > 0);
    Some((Index::collect(positive, 0)?, Index::collect(negative, 0)?.scale(-1)?))
}

/// `positive + c` and `negative`, with the constant on the side where it is positive.
fn shared(positive: Index, negative: Index, c: i64) -> Option<(Index, Index)> {
    let constant = Index::constant(c.checked_abs()?);
    if c >= 0 {
        Some((positive.add(&constant)?, negative))
    } else {
        Some((positive, negative.add(&constant)?))
    }
}
