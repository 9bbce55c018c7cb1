//! Equations of quotients and remainders, and the arithmetic of such.

use crate::scope::{Scope, less, natural};
use crate::walk::{Mentions, coefficient, is_affine, map_expr, map_guard, without};
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Atom, Extent, Guard, Index, Symbols, VarId};
use iverson_spec::ssa::Term;

/// `sum(i: n) [k = i / d] e(i) = sum(r: d) [d k + r < n] e(d k + r)` and
/// `sum(i: n) [k = i % d] e(i) = sum(q: ⌈n / d⌉) [k < d and d q + k < n] e(d q + k)`,
/// also with `i + c` or `c - i` for `i`.
///
/// Side condition: the equation is affine and mentions `i` only there, with
/// coefficient 1 or -1. For remainders `c` is in sizes alone, and the dividend is
/// proved not to be negative.
pub(crate) fn divide_by_constant(scope: &mut Scope<'_>, term: &Term) -> Option<Vec<Term>> {
    let conjuncts = term.guard.clone().conjuncts();
    for (place, guard) in conjuncts.iter().enumerate() {
        let Guard::Compare(Cmp::Eq, a, b) = guard else { continue };
        let Some(e) = a.sub(b).filter(is_affine) else { continue };
        for var in &term.binders {
            if let Some(found) = Divided::find(&e, *var) {
                let mut others = conjuncts.clone();
                others.remove(place);
                if let Some(new) = found.apply(scope, term, &others) {
                    return Some(vec![new]);
                }
            }
        }
    }
    None
}

/// `(sign·var + shift) / by = other`, or the same of the remainder.
struct Divided {
    var: VarId,
    sign: i64,
    shift: Index,
    by: i64,
    is_quotient: bool,
    other: Index,
}

impl Divided {
    fn find(e: &Index, var: VarId) -> Option<Self> {
        e.terms().iter().find_map(|(atom, c)| {
            let (dividend, by, is_quotient) = match atom {
                Atom::Div(dividend, by) => (dividend, *by, true),
                Atom::Mod(dividend, by) => (dividend, *by, false),
                Atom::Size(_) | Atom::Var(_) | Atom::Read(..) => return None,
                Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => return None,
            };
            let sign = coefficient(dividend, var);
            let shift = without(dividend, var)?;
            let rest = e.sub(&Index::atom(atom.clone()).scale(*c)?)?;
            let fits = c.abs() == 1 && sign.abs() == 1 && !Mentions::in_index(var, &rest);
            let other = rest.scale(-c)?;
            fits.then_some(Self { var, sign, shift, by, is_quotient, other })
        })
    }

    fn apply(&self, scope: &mut Scope<'_>, term: &Term, others: &[Guard]) -> Option<Term> {
        let row = scope.symbols.var(self.var).clone();
        let mut guards = Vec::new();
        let range =
            if self.is_quotient { Index::constant(self.by) } else { self.blocks(scope, others)? };
        let fresh = scope.symbols.add_var(row.name, range);
        // the dividend is by·quotient + remainder
        let (quotient, remainder) = if self.is_quotient {
            (self.other.clone(), Index::var(fresh))
        } else {
            guards.extend([
                natural(self.other.clone()),
                less(self.other.clone(), Index::constant(self.by)),
            ]);
            (Index::var(fresh), self.other.clone())
        };
        let dividend = quotient.scale(self.by)?.add(&remainder)?;
        let value = dividend.sub(&self.shift)?.scale(self.sign)?;
        guards.extend([natural(value.clone()), less(value.clone(), row.range)]);
        let mut place = |index: &Index| {
            let c = coefficient(index, self.var);
            let own = Index::var(self.var).scale(c)?;
            index.sub(&own)?.add(&value.scale(c)?)
        };
        for guard in others {
            guards.push(map_guard(guard, &mut place)?);
        }
        let body = map_expr(&term.body, &mut place)?;
        let binders = term.binders.iter().map(|b| if *b == self.var { fresh } else { *b });
        Some(Term { binders: binders.collect(), guard: Guard::all(guards), body })
    }

    /// How many quotients there are: `⌈u / by⌉`, where the dividend is in `0..u`.
    fn blocks(&self, scope: &Scope<'_>, others: &[Guard]) -> Option<Extent> {
        let in_sizes = self.shift.terms().iter().all(|(atom, _)| matches!(atom, Atom::Size(_)));
        let dividend = Index::var(self.var).scale(self.sign)?.add(&self.shift)?;
        if !in_sizes || !scope.proves(others, &natural(dividend)) {
            return None;
        }
        let end = if self.sign == 1 {
            scope.symbols.var(self.var).range.add(&self.shift)?
        } else {
            self.shift.add(&Index::constant(1))?
        };
        let padded = end.add(&Index::constant(self.by - 1))?;
        fold(scope.symbols, &Index::atom(Atom::Div(Box::new(padded), self.by)))
    }
}

/// `(d a + b) / d = a + b / d` and `(d a + b) % d = b % d`; a remainder in `0..d` is itself.
///
/// Side condition: no coefficient overflows.
pub(crate) fn fold_quotient(scope: &Scope<'_>, index: &Index) -> Option<Index> {
    fold(scope.symbols, index).filter(|new| new != index)
}

fn fold(symbols: &Symbols, index: &Index) -> Option<Index> {
    let mut sum = Index::constant(index.constant_part());
    for (atom, c) in index.terms() {
        let value = match atom {
            Atom::Div(e, d) => {
                let (whole, rest) = parts(e, *d)?;
                whole.add(&quotient(symbols, &rest, *d))?
            }
            Atom::Mod(e, d) => remainder(symbols, &parts(e, *d)?.1, *d),
            Atom::Size(_) | Atom::Var(_) | Atom::Read(..) => Index::atom(atom.clone()),
            Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => Index::atom(atom.clone()),
        };
        sum = sum.add(&value.scale(*c)?)?;
    }
    Some(sum)
}

/// `(a, b)` with `e = d a + b`, where `b` has no coefficient that `d` divides and a
/// constant in `0..d`.
fn parts(e: &Index, d: i64) -> Option<(Index, Index)> {
    let (whole, rest): (Vec<_>, Vec<_>) = e.terms().iter().cloned().partition(|(_, c)| c % d == 0);
    let whole = whole.into_iter().map(|(atom, c)| (atom, c / d));
    let constant = e.constant_part();
    Some((
        Index::collect(whole, constant.div_euclid(d))?,
        Index::collect(rest, constant.rem_euclid(d))?,
    ))
}

fn quotient(symbols: &Symbols, e: &Index, d: i64) -> Index {
    if is_below(symbols, e, d) {
        return Index::constant(0);
    }
    Index::atom(Atom::Div(Box::new(e.clone()), d))
}

fn remainder(symbols: &Symbols, e: &Index, d: i64) -> Index {
    if is_below(symbols, e, d) {
        return e.clone();
    }
    Index::atom(Atom::Mod(Box::new(e.clone()), d))
}

/// Whether `e` is a constant or a variable in `0..d` by its range.
fn is_below(symbols: &Symbols, e: &Index, d: i64) -> bool {
    let range = e.as_var().and_then(|v| symbols.var(v).range.as_constant());
    e.as_constant().is_some() || range.is_some_and(|n| n <= d)
}
