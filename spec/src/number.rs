//! Exact real constants, and their nearest `f64`.
//!
//! A literal such as `0.1` means one tenth exactly; every scalar type rounds it
//! once, by its own rule.

use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Decimal exponents beyond this magnitude are refused by [`Number::parse`].
pub const MAX_EXPONENT: i64 = 400;
/// More significant digits than this are refused by [`Number::parse`].
pub const MAX_DIGITS: usize = 1000;

/// An exact rational constant with its correctly rounded `f64`.
///
/// Zero has a sign, which `f64` alone sees: `-0 * x` is `-(0 * x)` there too.
#[derive(Clone, Debug)]
pub struct Number {
    exact: RBig,
    nearest: f64,
}

/// Why a numeral is not a [`Number`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NumeralError {
    /// Not of the form `digits[.digits][e[+-]digits]`.
    Malformed,
    /// An exponent beyond [`MAX_EXPONENT`] or more than [`MAX_DIGITS`] digits.
    TooLarge,
}

impl Number {
    /// The constant `exact`.
    #[must_use]
    pub fn new(exact: RBig) -> Self {
        let nearest = match exact.to_f64() {
            dashu_base::Approximation::Exact(x) | dashu_base::Approximation::Inexact(x, _) => x,
        };
        Self { exact, nearest }
    }

    /// The integer `n`.
    #[must_use]
    pub fn integer(n: i64) -> Self {
        Self::new(RBig::from(n))
    }

    /// Reads `digits[.digits][e[+-]digits]` exactly; underscores between digits are allowed.
    ///
    /// # Errors
    /// [`NumeralError`] for other text and for magnitudes beyond the stated limits.
    pub fn parse(text: &str) -> Result<Self, NumeralError> {
        let text = text.replace('_', "");
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((m, e)) => (m, parse_exponent(e)?),
            None => (text.as_str(), 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NumeralError::Malformed);
        }
        if digits.len() > MAX_DIGITS || exponent.abs() > MAX_EXPONENT {
            return Err(NumeralError::TooLarge);
        }
        let digits = UBig::from_str_radix(&digits, 10).map_err(|_| NumeralError::Malformed)?;
        let scale = exponent - fraction.len() as i64;
        let power = UBig::from(10u8).pow(scale.unsigned_abs() as usize);
        Ok(Self::new(if scale >= 0 {
            RBig::from(IBig::from(digits * power))
        } else {
            RBig::from_parts(IBig::from(digits), power)
        }))
    }

    /// The exact value.
    #[must_use]
    pub fn exact(&self) -> &RBig {
        &self.exact
    }

    /// The nearest `f64`, ties to even.
    #[must_use]
    pub fn nearest(&self) -> f64 {
        self.nearest
    }

    /// The value as an `i64`, if it is one.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        let is_integer = *self.exact.denominator() == UBig::ONE;
        is_integer.then(|| i64::try_from(self.exact.numerator().clone()).ok()).flatten()
    }

    /// Whether it is written with a minus: below zero, or the zero `-0`.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.nearest.is_sign_negative()
    }

    /// The constant `-self`.
    #[must_use]
    pub fn negate(&self) -> Self {
        Self { exact: -self.exact.clone(), nearest: -self.nearest }
    }

    /// The finite decimal expansion without exponent, where there is one (`3`, `-0.25`).
    ///
    /// A value without one, such as `1/3`, is `None`: it prints as a quotient.
    #[must_use]
    pub fn decimal(&self) -> Option<String> {
        let (twos, fives) = powers_of_two_and_five(self.exact.denominator())?;
        let places = twos.max(fives);
        let scaled = self.exact.numerator() * IBig::from(UBig::from(10u8).pow(places))
            / IBig::from(self.exact.denominator().clone());
        let digits = scaled.to_string();
        let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |d| ("-", d));
        if places == 0 {
            return Some(format!("{sign}{digits}"));
        }
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        Some(format!("{sign}{whole}.{fraction}"))
    }
}

fn parse_exponent(text: &str) -> Result<i64, NumeralError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumeralError::Malformed);
    }
    text.parse().map_err(|_| NumeralError::TooLarge)
}

/// `(a, b)` with `n = 2^a 5^b`, if `n` is such a product.
fn powers_of_two_and_five(n: &UBig) -> Option<(usize, usize)> {
    let (n, twos) = divide_out(n.clone(), 2);
    let (n, fives) = divide_out(n, 5);
    (n == UBig::ONE).then_some((twos, fives))
}

fn divide_out(mut n: UBig, p: u8) -> (UBig, usize) {
    let p = UBig::from(p);
    let mut count = 0;
    while (&n % &p) == UBig::ZERO {
        n /= &p;
        count += 1;
    }
    (n, count)
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.decimal() {
            Some(text) => f.write_str(&text),
            None => write!(f, "{}/{}", self.exact.numerator(), self.exact.denominator()),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Number {}
impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        // -0 comes before 0
        let by_sign = || other.is_negative().cmp(&self.is_negative());
        self.exact.cmp(&other.exact).then_with(by_sign)
    }
}
impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.exact.hash(state);
        self.is_negative().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_and_print_back() {
        for text in ["0", "3", "0.1", "12.375", "1000", "0.005"] {
            assert_eq!(Number::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Number::parse("1e-3").unwrap().to_string(), "0.001");
        assert_eq!(Number::parse("2.5e2").unwrap().to_string(), "250");
        assert_eq!(Number::parse("0.1").unwrap().nearest(), 0.1);
        assert_eq!(Number::new(RBig::from_parts(1.into(), 3u8.into())).to_string(), "1/3");
    }

    #[test]
    fn zero_keeps_its_sign() {
        let (zero, minus) = (Number::integer(0), Number::integer(0).negate());
        assert!(minus.is_negative() && !zero.is_negative() && minus < zero);
        assert_eq!(minus.negate(), zero);
        assert_eq!(minus.exact(), zero.exact());
    }

    #[test]
    fn numerals_beyond_the_limits_are_refused() {
        assert_eq!(Number::parse("1e999999999"), Err(NumeralError::TooLarge));
        assert_eq!(Number::parse("1e"), Err(NumeralError::Malformed));
        assert_eq!(Number::parse("."), Err(NumeralError::Malformed));
        assert_eq!(Number::parse(&"9".repeat(2000)), Err(NumeralError::TooLarge));
    }
}
