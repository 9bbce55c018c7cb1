//! erf, lgamma, digamma, trigamma.
//!
//! The gamma family goes up by its recurrence to 10 and beyond, where Stirling's series to nine
//! terms is exact to rounding, and below 1/2 by reflection.

use super::coefficients::{DIGAMMA, ERF, ERFC, LGAMMA, LGAMMA_NEAR, PI_1, TRIGAMMA};
use super::exponential::exp;
use super::logarithm::log;
use super::real::{Real, Truth, polynomial};
use super::trigonometric::sin_cos_pi;

/// The error function: `x (1 + P(x²))` near 0, `1 - exp(-x²) Q(8 / (x + 4))` beyond.
#[inline(always)]
pub(super) fn erf<R: Real>(x: R) -> R {
    let a = x.magnitude();
    let near = x + x * polynomial(x * x, &ERF);
    let inside = R::choose(a.above(6.0), x.lift(6.0), a).named("inside");
    let t = x.lift(8.0) / (inside + 4.0) - 1.2244;
    let far = x.lift(1.0) - exp(-(inside * inside)) * polynomial(t.named("t"), &ERFC);
    let value = R::choose(a.below(0.845), near, far.signed_as(x));
    R::choose(x.same(x), value, x)
}

/// From here on the series serves.
const STIRLING: f64 = 10.0;
/// `log π`
const LOG_PI: f64 = 1.144_729_885_849_400_2;

/// Below 1/2, where reflection at it serves; and `1 - x` there.
#[inline(always)]
fn reflected<R: Real>(x: R) -> (R::Test, R) {
    let test = x.below(0.5);
    (test, R::choose(test, x.lift(1.0) - x, x).named("from"))
}

/// A non-positive integer, where the functions have poles.
#[inline(always)]
fn pole<R: Real>(x: R) -> R::Test {
    let a = x.magnitude();
    let whole = ((a + 4_503_599_627_370_496.0) - 4_503_599_627_370_496.0).same(a);
    x.lift(0.0).lt(x).not().and(whole.or(a.above(4_503_599_627_370_496.0))).and(x.same(x))
}

/// lgamma in [1/2, 7/2): around 2 by its series, one to each side by the recurrence.
#[inline(always)]
fn lgamma_near<R: Real>(x: R) -> R {
    let (left, right) = (x.below(1.5), x.above(2.5));
    let u = R::choose(left, x - 1.0, R::choose(right, x - 3.0, x - 2.0)).named("u");
    let step = R::choose(right, x - 1.0, x.lift(1.0));
    let step = log(R::choose(left, x, step).named("step"));
    let middle = u * polynomial(u, &LGAMMA_NEAR);
    R::choose(left, middle - step, middle + step)
}

/// lgamma from 7/2: by Stirling's series, after up to seven steps of the recurrence.
#[inline(always)]
fn lgamma_far<R: Real>(x: R) -> R {
    let (mut at, mut shift) = (x, x.lift(1.0));
    for _ in 0..7 {
        let low = at.below(STIRLING);
        shift = R::choose(low, shift * at, shift).named("shift");
        at = R::choose(low, at + 1.0, at).named("at");
    }
    let inverse = (x.lift(1.0) / at).named("inverse");
    let tail = inverse * polynomial(inverse * inverse, &LGAMMA);
    let half_log_tau = 0.918_938_533_204_672_8;
    let value = ((at - 0.5) * (log(at) - 1.0) + (half_log_tau - 0.5) + tail) - log(shift);
    R::choose(at.equals(f64::INFINITY), at, value)
}

/// The logarithm of |Γ(x)|.
#[inline(always)]
pub(super) fn lgamma<R: Real>(x: R) -> R {
    let (below, from) = reflected(x);
    let value = R::choose(from.below(3.5), lgamma_near(from), lgamma_far(from)).named("value");
    let (sin, _) = sin_cos_pi(x);
    // where sin πx would be subnormal, -log |x|
    let tiny = x.magnitude().below(1e-300);
    let log_pi = R::choose(tiny, x.lift(0.0), x.lift(LOG_PI));
    let mirrored = (log_pi - log(R::choose(tiny, x, sin).magnitude())) - value;
    let value = R::choose(below, mirrored, value);
    let infinite = pole(x).or(x.equals(f64::NEG_INFINITY));
    R::choose(infinite, x.lift(f64::INFINITY), value)
}

/// The derivative of lgamma; ∞ at 0 and NaN at the other poles, as in the interpreter.
#[inline(always)]
pub(super) fn digamma<R: Real>(x: R) -> R {
    let (below, from) = reflected(x);
    let mut at = from;
    let mut shift = x.lift(0.0);
    for _ in 0..10 {
        let low = at.below(STIRLING);
        shift = R::choose(low, shift + x.lift(1.0) / at, shift).named("shift");
        at = R::choose(low, at + 1.0, at).named("at");
    }
    let inverse = (x.lift(1.0) / at).named("inverse");
    let square = inverse * inverse;
    let value = ((log(at) - inverse * 0.5) - square * polynomial(square, &DIGAMMA)) - shift;
    let (sin, cos) = sin_cos_pi(x);
    let mirrored = value - cos * PI_1 / sin;
    let value = R::choose(below, mirrored, value);
    let value = R::choose(pole(x), x.lift(f64::NAN), value);
    R::choose(x.equals(0.0), x.lift(f64::INFINITY), value)
}

/// The derivative of digamma; ∞ at poles, -∞ at -∞, as in the interpreter.
#[inline(always)]
pub(super) fn trigamma<R: Real>(x: R) -> R {
    let (below, from) = reflected(x);
    let mut at = from;
    let mut shift = x.lift(0.0);
    for _ in 0..10 {
        let low = at.below(STIRLING);
        shift = R::choose(low, shift + x.lift(1.0) / (at * at), shift).named("shift");
        at = R::choose(low, at + 1.0, at).named("at");
    }
    let inverse = (x.lift(1.0) / at).named("inverse");
    let square = (inverse * inverse).named("square");
    let series = inverse * square * polynomial(square, &TRIGAMMA);
    let value = ((inverse + square * 0.5) + series) + shift;
    let (sin, _) = sin_cos_pi(x);
    let over = (x.lift(PI_1) / sin).named("over");
    let value = R::choose(below, over * over - value, value);
    R::choose(x.equals(f64::NEG_INFINITY), x, value)
}
