//! sin, cos, tan.
//!
//! `x = n π/2 + r` with `|r| ≤ π/4`; the quarter `n` says which of `±sin r`, `±cos r` it is. Up to
//! [`NEAR`] the multiple of π/2 is taken away in three parts, the first two exact; the result is a
//! pair. Farther out [`super::far`] computes the pair in integers, one element at a time.

use super::coefficients::{COS, HALF_PI_1, HALF_PI_2, HALF_PI_3, PI_1, PI_2, SIN};
use super::real::{Pair, ROUNDER, Real, Truth, Word, fast_sum, polynomial, product, sum};

/// The largest magnitude that the straight-line reduction takes: n stays below 2^20.
pub(super) const NEAR: f64 = 1e6;

/// `2 / π`
const PER_HALF_PI: f64 = std::f64::consts::FRAC_2_PI;

/// `x = n π/2 + r`; the two lowest bits of `quarter` are those of n.
#[derive(Clone, Copy)]
pub(super) struct Reduced<R: Real> {
    pub(super) quarter: R::Bits,
    pub(super) r: Pair<R>,
}

/// For `|x| ≤ NEAR`.
#[inline(always)]
pub(super) fn reduce<R: Real>(x: R) -> Reduced<R> {
    let moved = (x * PER_HALF_PI + ROUNDER).named("moved");
    let n = (moved - ROUNDER).named("n");
    let first = sum(x - n * HALF_PI_1, -(n * HALF_PI_2));
    let second = sum(first.high, -(n * HALF_PI_3));
    let r = fast_sum(second.high, second.low + first.low);
    Reduced { quarter: moved.bits(), r: Pair { high: r.high.named("r"), low: r.low.named("c") } }
}

/// `(sin, cos)` of the remainder.
#[inline(always)]
fn sin_cos<R: Real>(r: Pair<R>) -> (R, R) {
    let Pair { high: r, low: c } = r;
    let z = (r * r).named("z");
    let half = z * 0.5;
    let sin = r + (r * z * polynomial(z, &SIN) + (c - half * c));
    let one = r.lift(1.0);
    let cos = one - half;
    let lost = (one - cos) - half;
    let cos = cos + (lost + (z * z * polynomial(z, &COS) - r * c));
    (sin.named("s"), cos.named("t"))
}

/// The sine of `n π/2 + r`.
#[inline(always)]
pub(super) fn sin_of<R: Real>(Reduced { quarter, r }: Reduced<R>) -> R {
    let (sin, cos) = sin_cos(r);
    let value = R::choose(quarter.any(1), cos, sin);
    value.bits().xor(quarter.and(2).left(62)).real()
}

/// The cosine of `n π/2 + r`.
#[inline(always)]
pub(super) fn cos_of<R: Real>(Reduced { quarter, r }: Reduced<R>) -> R {
    sin_of(Reduced { quarter: quarter.plus(1), r })
}

/// The tangent of `n π/2 + r`.
#[inline(always)]
pub(super) fn tan_of<R: Real>(Reduced { quarter, r }: Reduced<R>) -> R {
    let (sin, cos) = sin_cos(r);
    let odd = quarter.any(1);
    let over = R::choose(odd, -cos, sin) / R::choose(odd, sin, cos);
    over.named("over")
}

/// The sine, near.
#[inline(always)]
pub(super) fn sin<R: Real>(x: R) -> R {
    R::choose(x.magnitude().below(1e-150), x, sin_of(reduce(x)))
}

/// The cosine, near.
#[inline(always)]
pub(super) fn cos<R: Real>(x: R) -> R {
    cos_of(reduce(x))
}

/// The tangent, near.
#[inline(always)]
pub(super) fn tan<R: Real>(x: R) -> R {
    R::choose(x.magnitude().below(1e-150), x, tan_of(reduce(x)))
}

/// `sin πx` and `cos πx`, by taking even integers and then halves from x exactly; from 2^52 on, where
/// all doubles are integers, as at 0.
#[inline(always)]
pub(super) fn sin_cos_pi<R: Real>(x: R) -> (R, R) {
    let x = R::choose(x.magnitude().below(4_503_599_627_370_496.0), x, x.lift(0.0));
    let x = (x - ((x * 0.5 + ROUNDER) - ROUNDER) * 2.0).named("turn");
    let moved = (x + x + ROUNDER).named("moved");
    let f = (x - (moved - ROUNDER) * 0.5).named("f");
    let r = product(f, f.lift(PI_1));
    let r = fast_sum(r.high, r.low + f * PI_2);
    let reduced = Reduced { quarter: moved.bits(), r };
    (sin_of(reduced), cos_of(reduced))
}

/// Whether the straight-line reduction does not serve.
#[must_use]
#[inline(always)]
pub(super) fn is_far<R: Real>(x: R) -> R::Test {
    x.magnitude().above(NEAR).and(x.magnitude().below(f64::INFINITY))
}
