//! The scalar of the oracle: an enclosure, and the exact number while there is one.
//!
//! One evaluation gives both. The interval follows the operations with outward
//! rounding, so the true value is inside, and so is what rounding makes of the same
//! operations; the rational beside it is the true value itself until an operation
//! has no rational result. Comparisons are decided by the rationals where both
//! sides have one, else by the intervals, or not at all.

use crate::entry::Entry;
use dashu_base::BitTest;
use dashu_ratio::RBig;
use iverson_interpreter::{Interval, Rational, Scalar, ScalarError};
use iverson_spec::function::Fun;
use iverson_spec::number::Number;
use std::cmp::Ordering;
use std::fmt;

/// A fraction with more bits than this is given up: its enclosure goes on alone.
const MOST_BITS: usize = 1 << 13;

/// What is certain about a real number.
#[derive(Clone, PartialEq, Debug)]
pub struct Truth {
    exact: Option<Rational>,
    computed: Interval,
}

impl Truth {
    /// The number `x` itself; `None` for NaN.
    #[must_use]
    pub fn of(x: f64) -> Option<Self> {
        Some(Self { exact: Rational::from_f64(x), computed: Interval::point(x)? })
    }

    /// The integer `i`.
    pub(super) fn of_index(i: i64) -> Self {
        Self::integer(i)
    }

    /// The true value, where it is known exactly.
    #[must_use]
    pub fn exact(&self) -> Option<&RBig> {
        self.exact.as_ref().map(|Rational(x)| x)
    }

    /// An interval that holds the true value: the smallest one with ends in `f64`
    /// where the value is known exactly.
    #[must_use]
    pub fn enclosure(&self) -> Interval {
        self.exact().map_or(self.computed, |x| Interval::constant(&Number::new(x.clone())))
    }

    /// An interval that holds the true value and all that rounding can make of the
    /// operations of the reference in `f64`.
    #[must_use]
    pub fn computed(&self) -> Interval {
        self.computed
    }

    /// Nothing is known: the value may not even exist, as that of `1 / 0`. What is
    /// computed from it is not known either, whatever the interval says (`0 * x`).
    const UNKNOWN: Self = Self { exact: None, computed: Interval::WHOLE };

    fn is_unknown(&self) -> bool {
        *self == Self::UNKNOWN
    }

    /// The exact value if it is small enough, with its enclosure.
    fn new(
        exact: Option<Result<Rational, ScalarError>>,
        computed: Result<Interval, ScalarError>,
    ) -> Result<Self, ScalarError> {
        let small = |Rational(x): &Rational| {
            x.numerator().bit_len() + x.denominator().bit_len() <= MOST_BITS
        };
        let exact = exact.and_then(Result::ok).filter(small);
        let computed = match (&exact, computed) {
            (_, Ok(computed)) => computed,
            (Some(_), Err(_)) => Interval::WHOLE,
            (None, Err(error)) => return Err(error),
        };
        Ok(Self { exact, computed })
    }

    /// Whether `self^exponent` would be too long to compute.
    fn is_long_power(x: &Rational, exponent: &Rational) -> bool {
        let bits = x.0.numerator().bit_len() + x.0.denominator().bit_len();
        let times = exponent.0.to_f64().value().abs();
        bits as f64 * times > MOST_BITS as f64
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let enclosure = self.enclosure();
        match self.exact() {
            Some(_) if enclosure.lo() == enclosure.hi() => write!(f, "{:?}", enclosure.lo()),
            Some(x) if x.to_string().len() <= 40 => write!(f, "{x}"),
            Some(_) | None => write!(f, "in [{:?}, {:?}]", enclosure.lo(), enclosure.hi()),
        }
    }
}

impl Scalar for Truth {
    fn constant(value: &Number) -> Self {
        Self { exact: Some(Rational::constant(value)), computed: Interval::constant(value) }
    }

    fn integer(value: i64) -> Self {
        Self { exact: Some(Rational::integer(value)), computed: Interval::integer(value) }
    }

    fn pi() -> Result<Self, ScalarError> {
        Self::new(None, Interval::pi())
    }

    fn infinity(negative: bool) -> Result<Self, ScalarError> {
        Self::new(None, Interval::infinity(negative))
    }

    fn unary(fun: Fun, x: &Self) -> Result<Self, ScalarError> {
        if x.is_unknown() {
            return Ok(Self::UNKNOWN);
        }
        let exact = x.exact.as_ref().map(|x| Rational::unary(fun, x));
        Self::new(exact, Interval::unary(fun, &x.computed))
    }

    fn binary(fun: Fun, x: &Self, y: &Self) -> Result<Self, ScalarError> {
        if x.is_unknown() || y.is_unknown() {
            return Ok(Self::UNKNOWN);
        }
        let exact = match (&x.exact, &y.exact) {
            (Some(x), Some(y)) if fun == Fun::Pow && Self::is_long_power(x, y) => None,
            (Some(x), Some(y)) => Some(Rational::binary(fun, x, y)),
            (None, _) | (_, None) => None,
        };
        Self::new(exact, Interval::binary(fun, &x.computed, &y.computed))
    }

    fn compare(&self, other: &Self) -> Result<Option<Ordering>, ScalarError> {
        match (&self.exact, &other.exact) {
            (Some(x), Some(y)) => x.compare(y),
            (None, _) | (_, None) => self.enclosure().compare(&other.enclosure()),
        }
    }

    fn floor(&self) -> Result<i64, ScalarError> {
        match &self.exact {
            Some(x) => x.floor(),
            None => self.computed.floor(),
        }
    }
}

impl Entry for Truth {
    fn from_special(_: crate::entry::Special) -> Option<Self> {
        None
    }

    fn from_f64(x: f64) -> Option<Self> {
        Self::of(x).filter(|truth| truth.exact.is_some())
    }

    /// As its enclosure.
    fn write(&self, out: &mut String) {
        self.enclosure().write(out);
    }
}
