//! exp, expm1, sinh, cosh, tanh, sigmoid.
//!
//! `x = k log 2 + r` with `|r| ≤ log 2 / 2`, and `exp x = 2^k exp r`. The product `k · log 2` is taken
//! in two parts, the first exact, and what rounding takes from `r` is carried along.

use super::coefficients::{EXP, LN2_1, LN2_2};
use super::real::{Pair, ROUNDER, Real, Word, fast_sum, polynomial};

/// `1 / log 2`
const PER_LN2: f64 = std::f64::consts::LOG2_E;

/// What is added to `k` where it stands in the low bits of a sum: its halves are exponents of doubles then.
const BIAS: u64 = 2 * 1023;
/// Adding this rounds a double below 2^51 to an integer `k`, and `k + BIAS` stands in the low bits.
const BIASED: f64 = ROUNDER + BIAS as f64;
/// 2^1023.
const GREATEST_POWER: f64 = f64::from_bits(BIAS << 52);

/// `x = k log 2 + r + c`, and `p = exp(r + c) - 1`; `k` is in bits, with [`BIAS`].
#[derive(Clone, Copy)]
pub(super) struct Reduced<R: Real> {
    k: R::Bits,
    p: R,
}

/// `x = k log 2 + r + c`: gives k, and r and c as a pair. For `|x| < 1500`.
#[inline(always)]
fn remainder<R: Real>(x: R) -> (R::Bits, Pair<R>) {
    let biased = x * PER_LN2 + BIASED;
    let k = (biased - BIASED).named("k");
    let rest = x - k * LN2_1;
    let tail = k * LN2_2;
    let r = (rest - tail).named("r");
    (biased.bits().named("biased"), Pair { high: r, low: (rest - r) - tail })
}

/// `exp(r + c) - 1` by its series.
#[inline(always)]
fn series<R: Real>(k: R::Bits, Pair { high: r, low: c }: Pair<R>) -> Reduced<R> {
    let square = r * r;
    let small = square * r * polynomial(r, &EXP) + c;
    Reduced { k, p: (r + (square * 0.5 + small)).named("p") }
}

#[inline(always)]
fn reduce<R: Real>(x: R) -> Reduced<R> {
    let (k, r) = remainder(x);
    series(k, r)
}

/// The same for the sum of a pair.
#[inline(always)]
pub(super) fn reduce_pair<R: Real>(x: Pair<R>) -> Reduced<R> {
    let (k, r) = remainder(x.high);
    series(k, fast_sum(r.high, r.low + x.low))
}

/// The bits of two powers of two whose product is `2^k`, for |k| ≤ 2044, of half the exponent each: scaling twice rounds once, also
/// where the result is subnormal or infinite.
#[inline(always)]
fn halves<B: Word>(k: B) -> (B, B) {
    let first = k.right(1).named("half");
    (first.left(52), k.minus(first).left(52))
}

/// `2^k (1 + p)`
#[inline(always)]
pub(super) fn scaled<R: Real>(reduced: Reduced<R>) -> R {
    let (first, second) = halves(reduced.k);
    (reduced.p + 1.0) * first.real() * second.real()
}

/// `x` between two bounds; NaN stays.
#[inline(always)]
fn clamp<R: Real>(x: R, least: f64, most: f64) -> R {
    let x = R::choose(x.above(most), x.lift(most), x);
    R::choose(x.below(least), x.lift(least), x).named("clamped")
}

/// The exponential.
#[inline(always)]
pub(super) fn exp<R: Real>(x: R) -> R {
    scaled(reduce(clamp(x, -746.0, 710.0)))
}

/// `2^k p + (2^k - 1)`
#[inline(always)]
fn less_one<R: Real>(reduced: Reduced<R>) -> R {
    let (first, second) = halves(reduced.k);
    let (first, second) = (first.real().named("first"), second.named("second"));
    // the exponents of a power of two and of its reciprocal add up to the bias
    let reciprocal = first.lift(GREATEST_POWER).bits().minus(second).real();
    (reduced.p * first + (first - reciprocal)) * second.real()
}

/// `exp x - 1`
#[inline(always)]
pub(super) fn expm1<R: Real>(x: R) -> R {
    let value = less_one(reduce(clamp(x, -60.0, 710.0)));
    R::choose(x.magnitude().below(1e-300), x, value)
}

/// From here on `exp -x` no longer counts beside `exp x`.
const ONE_SIDED: f64 = 22.0;

/// `exp x / 2` also where `exp x` overflows.
#[inline(always)]
fn half_exp<R: Real>(reduced: Reduced<R>) -> R {
    scaled(Reduced { k: reduced.k.plus(u64::MAX), p: reduced.p })
}

/// The hyperbolic sine: with `t = exp |x| - 1` it is `(t + t / (t + 1)) / 2`.
#[inline(always)]
pub(super) fn sinh<R: Real>(x: R) -> R {
    let a = x.magnitude();
    let reduced = reduce(clamp(a, 0.0, 712.0));
    let t = less_one(reduced).named("t");
    let near = (t + t / (t + 1.0)) * 0.5;
    let value = R::choose(a.above(ONE_SIDED), half_exp(reduced), near);
    R::choose(a.below(1e-300), x, value.signed_as(x))
}

/// The hyperbolic cosine.
#[inline(always)]
pub(super) fn cosh<R: Real>(x: R) -> R {
    let a = x.magnitude();
    let reduced = reduce(clamp(a, 0.0, 712.0));
    let e = scaled(reduced).named("e");
    let near = (e + x.lift(1.0) / e) * 0.5;
    R::choose(a.above(ONE_SIDED), half_exp(reduced), near)
}

/// The hyperbolic tangent: with `t = exp 2|x| - 1` it is `t / (t + 2)`.
#[inline(always)]
pub(super) fn tanh<R: Real>(x: R) -> R {
    let a = clamp(x.magnitude(), 0.0, ONE_SIDED);
    let t = less_one(reduce(a + a)).named("t");
    let value = (t / (t + 2.0)).signed_as(x);
    R::choose(a.below(1e-300), x, value)
}

/// `1 / (1 + exp -x)`, as `e / (1 + e)` with `e = exp x` where x is negative.
#[inline(always)]
pub(super) fn sigmoid<R: Real>(x: R) -> R {
    let e = exp(-x.magnitude()).named("e");
    R::choose(x.below(0.0), e, x.lift(1.0)) / (e + 1.0)
}
