//! How far a number is from the true value, and when that is near enough.

use super::truth::Truth;
use iverson_interpreter::{Interval, Scalar};
use iverson_spec::function::Fun;
use std::fmt;

/// A number of units in the last place of the true value in `f64`.
///
/// A unit of x is the distance from |x| to the next larger `f64`; of a number
/// between two, that of the smaller one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ulps(pub u32);

impl fmt::Display for Ulps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ulp", self.0)
    }
}

/// What counts as equal to the true value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Closeness {
    /// At most so many units in the last place away, whatever the formulas lose.
    Ulps(Ulps),
    /// At most 4 units in the last place away, or 4 times as far as rounding can carry
    /// the reference's own formulas in `f64`, which is the width of its interval
    /// evaluation. The 4 leaves room for other formulas, which round elsewhere.
    ///
    /// A width above 2⁻¹⁶ of the tensor's largest entry says too little and bounds
    /// nothing; such an entry is decided only by units in the last place.
    #[default]
    Rounding,
}

impl fmt::Display for Closeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ulps(ulps) => write!(f, "within {ulps}"),
            Self::Rounding => {
                f.write_str("within what rounding can do to the reference's formulas")
            }
        }
    }
}

/// What is certain about one entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Outcome {
    /// It is near enough.
    Equal,
    /// Neither is certain.
    Undecided,
    /// It is not near enough.
    Different,
}

/// How many times the width, or units in the last place, [`Closeness::Rounding`] allows.
const ROOM: f64 = 4.0;

/// A width that is this part of the scale bounds nothing.
const TOO_WIDE: f64 = 1.0 / 65536.0;

/// The error of `found` in units in the last place: at least the lower end, at most
/// the upper end.
pub(crate) fn error(found: f64, truth: &Truth) -> Interval {
    let units = units(truth.enclosure());
    Interval::binary(Fun::Div, &distance(found, truth), &units)
        .unwrap_or_else(|_| unreachable!("a quotient of intervals always has a value"))
}

/// Whether `found` is near enough; `scale` is the magnitude of the tensor.
pub(crate) fn judge(found: f64, truth: &Truth, closeness: Closeness, scale: f64) -> Outcome {
    if truth.enclosure() == Interval::WHOLE {
        return Outcome::Undecided;
    }
    let error = error(found, truth);
    let (near, far) = match closeness {
        Closeness::Ulps(Ulps(n)) => {
            let bound = f64::from(n);
            (error.hi() <= bound, error.lo() > bound)
        }
        Closeness::Rounding => {
            let width = truth.computed().hi() - truth.computed().lo();
            let distance = distance(found, truth);
            let usable = width <= TOO_WIDE * scale;
            let bound = ROOM * width;
            let within = error.hi() <= ROOM || usable && distance.hi() <= bound;
            (within, error.lo() > ROOM && usable && distance.lo() > bound.next_up())
        }
    };
    match (near, far) {
        (true, _) => Outcome::Equal,
        (false, true) => Outcome::Different,
        (false, false) if is_special_beside_real(found, truth) => Outcome::Different,
        (false, false) => Outcome::Undecided,
    }
}

/// The largest magnitude that is certain among these.
pub(crate) fn scale<'t>(truths: impl Iterator<Item = &'t Truth>) -> f64 {
    truths.map(|truth| magnitudes(truth.enclosure()).0).fold(0.0, f64::max)
}

/// Whether `found` is NaN or infinite where the true value is a real number.
fn is_special_beside_real(found: f64, truth: &Truth) -> bool {
    let enclosure = truth.enclosure();
    !found.is_finite() && enclosure.lo().is_finite() && enclosure.hi().is_finite()
}

/// `|found - truth|`
fn distance(found: f64, truth: &Truth) -> Interval {
    let enclosure = truth.enclosure();
    if found == enclosure.lo() && found == enclosure.hi() {
        return interval(0.0, 0.0);
    }
    let Some(found) = Truth::of(found) else {
        return interval(f64::INFINITY, f64::INFINITY);
    };
    match Truth::unary(Fun::Neg, truth).and_then(|minus| Truth::binary(Fun::Add, &found, &minus)) {
        Ok(difference) => {
            let (least, most) = magnitudes(difference.enclosure());
            interval(least, most)
        }
        Err(_) => unreachable!("sums and opposites of intervals always have a value"),
    }
}

/// A unit in the last place of the numbers inside.
fn units(enclosure: Interval) -> Interval {
    let (least, most) = magnitudes(enclosure);
    interval(unit(least), unit(most))
}

fn unit(magnitude: f64) -> f64 {
    let next = magnitude.next_up();
    if next.is_finite() { next - magnitude } else { magnitude - magnitude.next_down() }
}

/// The least and the largest magnitude inside.
fn magnitudes(x: Interval) -> (f64, f64) {
    let least = if x.contains(0.0) { 0.0 } else { x.lo().abs().min(x.hi().abs()) };
    (least, x.lo().abs().max(x.hi().abs()))
}

fn interval(lo: f64, hi: f64) -> Interval {
    Interval::new(lo, hi)
        .unwrap_or_else(|| unreachable!("the ends of an interval are in order and not NaN"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use iverson_spec::number::Number;

    fn third() -> Truth {
        let (one, three) = (Truth::integer(1), Truth::integer(3));
        Truth::binary(Fun::Div, &one, &three).expect("a third")
    }

    fn root_two() -> Truth {
        Truth::unary(Fun::Sqrt, &Truth::integer(2)).expect("a root")
    }

    #[test]
    fn errors_are_in_units_of_the_true_value() {
        assert_eq!(error(1.0 + 3.0 * f64::EPSILON, &Truth::integer(1)), interval(3.0, 3.0));
        assert_eq!(error(0.0, &Truth::integer(0)), interval(0.0, 0.0));
        let nearest = error(1.0 / 3.0, &third());
        assert!(0.0 < nearest.lo() && nearest.hi() <= 0.5, "{nearest:?}");
        assert!(error(5e-324, &Truth::integer(0)).contains(1.0));
        let exact = Truth::constant(&Number::parse("1e300").expect("a number"));
        assert!(error(1e300, &exact).hi() <= 0.5);
    }

    #[test]
    fn ulps_are_decided_only_where_they_are_certain() {
        let ulps = |n| Closeness::Ulps(Ulps(n));
        let two = 2.0_f64.sqrt();
        assert_eq!(judge(two, &root_two(), ulps(2), 1.0), Outcome::Equal);
        assert_eq!(judge(two, &root_two(), ulps(0), 1.0), Outcome::Undecided);
        assert_eq!(judge(two + 1e-15, &root_two(), ulps(2), 1.0), Outcome::Different);
        assert_eq!(judge(1.0 / 3.0, &third(), ulps(0), 1.0), Outcome::Different);
        assert_eq!(judge(f64::NAN, &third(), ulps(7), 1.0), Outcome::Different);
        assert_eq!(judge(f64::INFINITY, &third(), ulps(u32::MAX), 1.0), Outcome::Different);
    }

    #[test]
    fn rounding_allows_what_the_formulas_lose() {
        // (1 + 1e-10) - 1 loses digits: exactly known, but far from its nearest float
        let tenth = Truth::constant(&Number::parse("1e-10").expect("a number"));
        let sum = Truth::binary(Fun::Add, &Truth::integer(1), &tenth).expect("a sum");
        let lossy = Truth::binary(Fun::Add, &sum, &Truth::integer(-1)).expect("a sum");
        let computed = (1.0 + 1e-10) - 1.0;
        assert_eq!(judge(computed, &lossy, Closeness::Rounding, 1.0), Outcome::Equal);
        assert_eq!(judge(1.1e-10, &lossy, Closeness::Rounding, 1.0), Outcome::Different);
        assert_eq!(judge(computed, &lossy, Closeness::Ulps(Ulps(4)), 1.0), Outcome::Different);
        assert_eq!(judge(computed, &lossy, Closeness::Rounding, 1e-12), Outcome::Undecided);
    }

    #[test]
    fn infinities_are_equal_to_themselves_alone() {
        let top = Truth::infinity(false).expect("an infinity");
        assert_eq!(judge(f64::INFINITY, &top, Closeness::default(), 1.0), Outcome::Equal);
        let whole = Truth::binary(Fun::Div, &Truth::integer(1), &Truth::integer(0));
        let whole = whole.expect("the whole line");
        assert_eq!(judge(1.0, &whole, Closeness::default(), 1.0), Outcome::Undecided);
    }
}
