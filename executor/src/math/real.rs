//! The arithmetic that kernels are written in.
//!
//! A kernel is a generic function over [`Real`]. With `f64` it computes; with
//! [`super::trace::Term`] it writes itself down as C. So there is one text for both, and since every
//! operation is rounded by IEEE 754 and none is fused, both give the same bits.
//!
//! There are no branches: [`Real::choose`] takes one of two values that were both computed, which
//! is what a vector unit does.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A double, or a name for one.
pub(super) trait Real:
    Copy
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
{
    /// The 64 bits of a double.
    type Bits: Word<Real = Self>;
    /// The answer to a comparison.
    type Test: Truth;

    /// The constant `c`.
    fn lift(self, c: f64) -> Self;
    /// The bits.
    fn bits(self) -> Self::Bits;
    /// `self < other`; false with NaN.
    fn lt(self, other: Self) -> Self::Test;
    /// `self == other`; false with NaN.
    fn same(self, other: Self) -> Self::Test;
    /// `yes` where the test holds, else `no`.
    fn choose(test: Self::Test, yes: Self, no: Self) -> Self;
    /// The square root, correctly rounded.
    fn root(self) -> Self;
    /// A name for the value, for the reader of the C text.
    fn named(self, name: &'static str) -> Self;

    /// `self < c`
    #[inline(always)]
    fn below(self, c: f64) -> Self::Test {
        self.lt(self.lift(c))
    }

    /// `self > c`
    #[inline(always)]
    fn above(self, c: f64) -> Self::Test {
        self.lift(c).lt(self)
    }

    /// `self == c`
    #[inline(always)]
    fn equals(self, c: f64) -> Self::Test {
        self.same(self.lift(c))
    }

    /// `|self|`
    #[inline(always)]
    fn magnitude(self) -> Self {
        self.bits().and(!SIGN).real()
    }

    /// The magnitude of a non-negative `self` with the sign of `other`.
    #[inline(always)]
    fn signed_as(self, other: Self) -> Self {
        self.bits().or(other.bits().and(SIGN)).real()
    }

    /// `-self` where `other` is negative, `self` elsewhere.
    #[inline(always)]
    fn flipped_by(self, other: Self) -> Self {
        self.bits().xor(other.bits().and(SIGN)).real()
    }
}

/// The bits of a double; arithmetic is modulo 2^64.
pub(super) trait Word: Copy {
    /// The double with these bits.
    type Real: Real;
    /// `self + c`
    fn plus(self, c: u64) -> Self;
    /// `self - other`
    fn minus(self, other: Self) -> Self;
    /// Whether any of the bits of `mask` is set.
    fn any(self, mask: u64) -> <Self::Real as Real>::Test;
    /// `self & c`
    fn and(self, c: u64) -> Self;
    /// `self | other`
    fn or(self, other: Self) -> Self;
    /// `self ^ other`
    fn xor(self, other: Self) -> Self;
    /// `self << n`
    fn left(self, n: u32) -> Self;
    /// `self >> n`, zeros entering
    fn right(self, n: u32) -> Self;
    /// The double with these bits.
    fn real(self) -> Self::Real;
    /// A name for the bits, for the reader of the C text.
    fn named(self, name: &'static str) -> Self;
}

/// What comparisons answer.
pub(super) trait Truth: Copy {
    /// Both hold.
    fn and(self, other: Self) -> Self;
    /// At least one holds.
    fn or(self, other: Self) -> Self;
    /// It does not hold.
    fn not(self) -> Self;
}

/// The sign bit.
pub(super) const SIGN: u64 = 1 << 63;
/// Adding this rounds a double below 2^51 to an integer, which then stands in the low bits.
pub(super) const ROUNDER: f64 = 6_755_399_441_055_744.0;

impl Real for f64 {
    type Bits = u64;
    type Test = bool;

    #[inline(always)]
    fn lift(self, c: f64) -> Self {
        c
    }

    #[inline(always)]
    fn bits(self) -> u64 {
        self.to_bits()
    }

    #[inline(always)]
    fn lt(self, other: Self) -> bool {
        self < other
    }

    #[inline(always)]
    fn same(self, other: Self) -> bool {
        self == other
    }

    #[inline(always)]
    fn choose(test: bool, yes: Self, no: Self) -> Self {
        if test { yes } else { no }
    }

    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }

    #[inline(always)]
    fn named(self, _: &'static str) -> Self {
        self
    }
}

impl Word for u64 {
    type Real = f64;

    #[inline(always)]
    fn plus(self, c: u64) -> Self {
        self.wrapping_add(c)
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    #[inline(always)]
    fn any(self, mask: u64) -> bool {
        self & mask != 0
    }

    #[inline(always)]
    fn and(self, c: u64) -> Self {
        self & c
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }

    #[inline(always)]
    fn left(self, n: u32) -> Self {
        self << n
    }

    #[inline(always)]
    fn right(self, n: u32) -> Self {
        self >> n
    }

    #[inline(always)]
    fn real(self) -> f64 {
        f64::from_bits(self)
    }

    #[inline(always)]
    fn named(self, _: &'static str) -> Self {
        self
    }
}

impl Truth for bool {
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }

    #[inline(always)]
    fn not(self) -> Self {
        !self
    }
}

/// The polynomial with these coefficients, from the constant upwards: its even and its odd part
/// by Horner's rule side by side, which halves the chain of operations that wait for each other.
#[inline(always)]
pub(super) fn polynomial<R: Real, const N: usize>(x: R, coefficients: &[f64; N]) -> R {
    let square = (x * x).named("w");
    let part = |first: usize| {
        let last = first + (N - 1 - first) / 2 * 2;
        let mut value = x.lift(coefficients[last]);
        let mut k = last;
        while k > first {
            k -= 2;
            value = value * square + coefficients[k];
        }
        value
    };
    if N == 1 { part(0) } else { part(0) + part(1) * x }
}

/// A value as a sum of two doubles, the second far smaller than the first.
#[derive(Clone, Copy)]
pub(super) struct Pair<R> {
    /// The leading part.
    pub(super) high: R,
    /// What the leading part leaves.
    pub(super) low: R,
}

/// `a + b` exactly, for `|a| ≥ |b|` or `a = 0`.
#[inline(always)]
pub(super) fn fast_sum<R: Real>(a: R, b: R) -> Pair<R> {
    let high = a + b;
    Pair { high, low: b - (high - a) }
}

/// `a + b` exactly.
#[inline(always)]
pub(super) fn sum<R: Real>(a: R, b: R) -> Pair<R> {
    let high = a + b;
    let part = high - a;
    Pair { high, low: (a - (high - part)) + (b - part) }
}

/// `a · b` to within 2^-105 of it: each factor is cut into 26 and 27 bits, whose products are exact.
#[inline(always)]
pub(super) fn product<R: Real>(a: R, b: R) -> Pair<R> {
    let cut = |x: R| x.bits().and(!0x7ff_ffff).real();
    let (a1, b1) = (cut(a), cut(b));
    let (a2, b2) = (a - a1, b - b1);
    let high = a * b;
    Pair { high, low: ((a1 * b1 - high) + (a1 * b2 + a2 * b1)) + a2 * b2 }
}
