//! `x^y` for doubles.
//!
//! `exp(y log |x|)` with the logarithm as a pair of doubles, to 2^-64 of itself; then the signs
//! and the corners of IEEE 754, a negative base
//! with an integer exponent among them. NaN in either argument gives NaN, as in the interpreter (IEEE 754
//! has `NaN^0 = 1^NaN = 1`).

use super::coefficients::{LN2_1, LN2_2, LOG_LONG, TWO_THIRDS_1, TWO_THIRDS_2};
use super::exponential::{reduce_pair, scaled};
use super::logarithm::{Parts, split};
use super::real::{Pair, Real, Truth, fast_sum, polynomial, product, sum};

/// 2^52: beyond it every double is an integer.
const TWO_52: f64 = 4_503_599_627_370_496.0;

/// The product of two pairs.
#[inline(always)]
fn times<R: Real>(a: Pair<R>, b: Pair<R>) -> Pair<R> {
    let p = product(a.high, b.high);
    fast_sum(p.high, p.low + (a.high * b.low + a.low * b.high))
}

/// `log x` for positive x.
#[inline(always)]
fn log_pair<R: Real>(x: R) -> Pair<R> {
    let Parts { k, m } = split(x);
    let f = (m - 1.0).named("f");
    let d = fast_sum(x.lift(2.0), f);
    let high = (f / d.high).named("s");
    let p = product(high, d.high);
    let low = (((f - p.high) - p.low) - high * d.low) / d.high;
    let s = Pair { high, low: low.named("s_low") };
    let z = times(s, s);
    let cube = times(s, z);
    let third = times(cube, Pair { high: x.lift(TWO_THIRDS_1), low: x.lift(TWO_THIRDS_2) });
    let rest = cube.high * z.high * polynomial(z.high, &LOG_LONG);
    let twice = Pair { high: s.high + s.high, low: s.low + s.low };
    let inner = fast_sum(twice.high, third.high);
    let inner_low = inner.low + (twice.low + (third.low + rest));
    let whole = sum(k * LN2_1, inner.high);
    fast_sum(whole.high, whole.low + (inner_low + k * LN2_2))
}

/// `exp(y log x)` for positive finite x.
#[inline(always)]
fn positive<R: Real>(x: R, y: R) -> R {
    let l = log_pair(x);
    let p = product(l.high, y);
    let whole = fast_sum(p.high, p.low + l.low * y);
    let in_range = whole.high.magnitude().below(800.0);
    let h = R::choose(in_range, whole.high, x.lift(0.0)).named("exponent");
    let low = R::choose(in_range, whole.low, x.lift(0.0));
    let far = R::choose(whole.high.above(0.0), x.lift(f64::INFINITY), x.lift(0.0));
    R::choose(in_range, scaled(reduce_pair(Pair { high: h, low })), far)
}

/// Whether a non-negative number is an integer.
#[inline(always)]
fn integer<R: Real>(a: R) -> R::Test {
    ((a + TWO_52) - TWO_52).same(a).or(a.above(TWO_52))
}

/// `x^y`
#[inline(always)]
pub(super) fn pow<R: Real>(x: R, y: R) -> R {
    let one = x.lift(1.0);
    let (a, b) = (x.magnitude().named("a"), y.magnitude().named("b"));
    let whole = integer(b);
    let odd = whole.and(integer(b * 0.5).not()).and(b.below(2.0 * TWO_52));
    // exponents beyond 2^70 change no result; those below 2^-70 give 1
    let y_inside = R::choose(b.above(1e21), x.lift(1e21).flipped_by(y), y);
    let y_inside = R::choose(b.below(1e-21), x.lift(1e-21).flipped_by(y), y_inside);
    let edge = a.equals(0.0).or(a.equals(f64::INFINITY));
    let value = positive(R::choose(edge, one, a).named("base"), y_inside.named("y_inside"));
    let down = y.below(0.0);
    let at_zero = R::choose(down, x.lift(f64::INFINITY), x.lift(0.0));
    let at_infinity = R::choose(down, x.lift(0.0), x.lift(f64::INFINITY));
    let at_edge = R::choose(a.equals(0.0), at_zero, at_infinity);
    let value = R::choose(edge, at_edge, value);
    let negative = one.signed_as(x).below(0.0);
    let value = R::choose(negative.and(odd), -value, value);
    let undefined = x.below(0.0).and(whole.not()).and(a.equals(f64::INFINITY).not());
    let value = R::choose(undefined, x.lift(f64::NAN), value);
    let turning = x.equals(-1.0).and(b.equals(f64::INFINITY));
    let value = R::choose(turning, one, value);
    let value = R::choose(y.equals(0.0), one, value);
    let nan = x.same(x).and(y.same(y)).not();
    R::choose(nan, x.lift(f64::NAN), value)
}
