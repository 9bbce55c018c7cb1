//! Normal forms of single constraints, by the content of their coefficients.
//!
//! * `g·e + c ≥ 0` becomes `e + ⌊c/g⌋ ≥ 0`: the integer tightening.
//! * `g·e + c = 0` becomes `e + c/g = 0`, or *never* where `g ∤ c`.
//! * `k | e` gets coefficients modulo `k` and loses common divisors.

use crate::arith::{floor_div, gcd, symmetric_rem};
use crate::constraint::Constraint;
use crate::linear::Linear;

/// What is known of a constraint once it is in normal form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sense {
    /// Every point satisfies it.
    Always,
    /// No point satisfies it.
    Never,
    /// It depends on the point.
    Open,
}

impl Sense {
    fn of(truth: bool) -> Self {
        if truth { Self::Always } else { Self::Never }
    }
}

/// Brings `row ≥ 0` into normal form; `None` on overflow.
pub(crate) fn tighten_inequality(row: &mut Linear) -> Option<Sense> {
    match row.content()? {
        0 => return Some(Sense::of(row.constant_part() >= 0)),
        1 => {}
        g => {
            row.map_coefficients(|a| a / g);
            row.set_constant(floor_div(row.constant_part(), g));
        }
    }
    Some(Sense::Open)
}

/// Brings `row = 0` into normal form; `None` on overflow.
pub(crate) fn tighten_equality(row: &mut Linear) -> Option<Sense> {
    match row.content()? {
        0 => return Some(Sense::of(row.constant_part() == 0)),
        1 => {}
        g if row.constant_part() % g != 0 => return Some(Sense::Never),
        g => {
            row.map_coefficients(|a| a / g);
            row.set_constant(row.constant_part() / g);
        }
    }
    Some(Sense::Open)
}

/// Brings `k | row` into normal form; `None` on overflow. Wants `k > 0`.
pub(crate) fn tighten_divides(k: &mut i128, row: &mut Linear) -> Option<Sense> {
    row.map_coefficients(|a| symmetric_rem(a, *k));
    row.set_constant(symmetric_rem(row.constant_part(), *k));
    let content = row.content()?;
    if content == 0 {
        return Some(Sense::of(row.constant_part() == 0));
    }
    let g = i128::try_from(gcd(content.unsigned_abs(), k.unsigned_abs())).ok()?;
    if row.constant_part() % g != 0 {
        return Some(Sense::Never);
    }
    *k /= g;
    row.map_coefficients(|a| a / g);
    row.set_constant(row.constant_part() / g);
    Some(Sense::Open)
}

/// The normal form of a constraint, for constraints that are kept; the second
/// part is meaningful only where the first is `Open`. `None` on overflow.
pub(crate) fn normalize(constraint: &Constraint) -> Option<(Sense, Constraint)> {
    let mut row = constraint.linear().clone();
    match constraint {
        Constraint::NonNegative(_) => {
            let sense = tighten_inequality(&mut row)?;
            Some((sense, Constraint::NonNegative(row)))
        }
        Constraint::Zero(_) | Constraint::Divides(0, _) => {
            let sense = tighten_equality(&mut row)?;
            Some((sense, Constraint::Zero(row)))
        }
        Constraint::Divides(k, _) => {
            let mut k = k.checked_abs()?;
            let sense = tighten_divides(&mut k, &mut row)?;
            Some((sense, Constraint::Divides(k, row)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::Var;

    fn row(constant: i128, coefficients: &[i128]) -> Linear {
        let terms = (0..).map(Var).zip(coefficients).map(|(x, &a)| (a, x));
        Linear::of(constant, terms).unwrap()
    }

    #[test]
    fn inequality_rounds_its_constant_down() {
        let mut e = row(-3, &[2, 4]);
        assert_eq!(tighten_inequality(&mut e), Some(Sense::Open));
        assert_eq!(e, row(-2, &[1, 2]));
    }

    #[test]
    fn equality_without_integer_point_is_never() {
        assert_eq!(tighten_equality(&mut row(3, &[2, 4])), Some(Sense::Never));
        assert_eq!(tighten_equality(&mut row(0, &[])), Some(Sense::Always));
    }

    #[test]
    fn divisibility_is_taken_modulo_the_divisor() {
        let (mut k, mut e) = (6, row(10, &[8, 12]));
        assert_eq!(tighten_divides(&mut k, &mut e), Some(Sense::Open));
        assert_eq!((k, e), (3, row(-1, &[1])));
        let (mut k, mut e) = (2, row(1, &[2]));
        assert_eq!(tighten_divides(&mut k, &mut e), Some(Sense::Never));
    }
}
