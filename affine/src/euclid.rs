//! Equalities over chosen variables, solved by Euclid's algorithm.
//!
//! With `a` the smallest coefficient of `a·x + Σ bᵢ·yᵢ + r = 0`, replacing `x`
//! by `z − Σ ⌊bᵢ/a⌉·yᵢ` leaves `a·z + Σ (bᵢ − ⌊bᵢ/a⌉·a)·yᵢ + r = 0`, whose other
//! coefficients are at most `|a|/2`. The replacement is a bijection between
//! the integers `x` and `z`, so nothing is lost or gained; after a few rounds
//! a coefficient is ±1, or one chosen variable is left.

use crate::arith::round_div;
use crate::linear::{Linear, Var};

/// How an equality determines one of the chosen variables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pivot {
    /// No chosen variable occurs.
    Absent,
    /// The coefficient of this variable is ±1.
    Unit(Var),
    /// This is the only chosen variable, with this coefficient.
    Sole(Var, i128),
    /// Several occur; this one has the smallest coefficient.
    Reduce(Var, i128),
}

/// Finds the pivot of `row = 0` among the `chosen` variables; ties go to the
/// last variable, so that fresh ones vanish first.
pub(crate) fn pivot(row: &Linear, chosen: impl Fn(Var) -> bool) -> Pivot {
    let mut best: Option<(Var, i128)> = None;
    let mut count = 0;
    for &(x, a) in row.terms().iter().filter(|&&(x, _)| chosen(x)) {
        count += 1;
        if best.is_none_or(|(_, b)| a.unsigned_abs() <= b.unsigned_abs()) {
            best = Some((x, a));
        }
    }
    match best {
        None => Pivot::Absent,
        Some((x, 1 | -1)) => Pivot::Unit(x),
        Some((x, a)) if count == 1 => Pivot::Sole(x, a),
        Some((x, a)) => Pivot::Reduce(x, a),
    }
}

/// The value of `var` in `row = 0`, where its coefficient is ±1.
pub(crate) fn unit_value(row: &Linear, var: Var) -> Option<Linear> {
    let a = row.coefficient(var);
    row.sub(&Linear::term(a, var))?.scale(-a)
}

/// The value of `var` in `row = 0` as a numerator over a positive divisor.
pub(crate) fn quotient_value(row: &Linear, var: Var) -> Option<(Linear, i128)> {
    let a = row.coefficient(var);
    let rest = row.sub(&Linear::term(a, var))?;
    Some((rest.scale(-a.signum())?, a.checked_abs()?))
}

/// The replacement of `var` that starts the next round of Euclid's algorithm.
pub(crate) fn reduction(
    row: &Linear,
    (var, a): (Var, i128),
    fresh: Var,
    chosen: impl Fn(Var) -> bool,
) -> Option<Linear> {
    let mut terms = vec![(1, fresh)];
    for &(x, b) in row.terms().iter().filter(|&&(x, _)| x != var && chosen(x)) {
        terms.push((round_div(b, a)?.checked_neg()?, x));
    }
    Linear::of(0, terms)
}
