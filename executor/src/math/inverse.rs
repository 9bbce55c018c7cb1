//! asin, acos, atan, atan2.
//!
//! `atan(y / x)` brings the quotient below `tan π/8` by taking π/4 or π/2 away from the angle:
//! `(y - x) / (y + x)` and `-x / y`. asin and acos beyond 1/2 take `asin x = π/2 - 2 asin √((1 - x) / 2)`.

use super::coefficients::{ASIN, ATAN, PI_1, PI_2};
use super::real::{Real, Truth, polynomial};

/// `tan π/8` and `tan 3π/8`
const FIRST: f64 = std::f64::consts::SQRT_2 - 1.0;
const SECOND: f64 = std::f64::consts::SQRT_2 + 1.0;

/// The angle of `(x, y)`, both not negative, not both 0 or infinite, `y / x` or `x / y` representable.
#[inline(always)]
fn angle<R: Real>(y: R, x: R) -> R {
    let (middle, steep) = ((x * FIRST).lt(y), (x * SECOND).lt(y));
    let over = R::choose(steep, -x, R::choose(middle, y - x, y));
    let under = R::choose(steep, y, R::choose(middle, y + x, x));
    let z = (over / under).named("z");
    let pick = |two: f64, one: f64| {
        R::choose(steep, x.lift(two), R::choose(middle, x.lift(one), x.lift(0.0)))
    };
    let square = z * z;
    let tail = z * square * polynomial(square, &ATAN) + pick(PI_2 * 0.5, PI_2 * 0.25);
    pick(PI_1 * 0.5, PI_1 * 0.25) + (z + tail)
}

/// The angle whose tangent is x.
#[inline(always)]
pub(super) fn atan<R: Real>(x: R) -> R {
    let value = angle(x.magnitude(), x.lift(1.0)).signed_as(x);
    R::choose(x.magnitude().below(1e-150), x, value)
}

/// The angle of the point (x, y). Both numbers are scaled away from the ends of the range.
#[inline(always)]
pub(super) fn atan2<R: Real>(y: R, x: R) -> R {
    let (a, b) = (y.magnitude(), x.magnitude());
    let big = a.above(1e300).or(b.above(1e300));
    let small = a.below(1e-290).and(b.below(1e-290));
    let factor = R::choose(big, x.lift(1e-10), R::choose(small, x.lift(1e20), x.lift(1.0)));
    let both = a.equals(f64::INFINITY).and(b.equals(f64::INFINITY));
    let none = a.equals(0.0).and(b.equals(0.0));
    let a = R::choose(both, x.lift(1.0), a * factor);
    let b = R::choose(both.or(none), x.lift(1.0), b * factor);
    let first = angle(a.named("a"), b.named("b")).named("first");
    let turned = (x.lift(PI_1) - first) + PI_2;
    let negative = x.lift(1.0).signed_as(x).below(0.0);
    R::choose(negative, turned, first).signed_as(y)
}

/// `asin z - z` over z, for `z² = square ≤ 1/4`.
#[inline(always)]
fn excess<R: Real>(square: R) -> R {
    square * polynomial(square, &ASIN)
}

/// `asin √((1 - a) / 2)` for a in [1/2, 1]; NaN beyond.
#[inline(always)]
fn half_angle<R: Real>(a: R) -> R {
    let square = ((a.lift(1.0) - a) * 0.5).named("square");
    let s = square.root().named("s");
    s + s * excess(square)
}

/// The angle in [-π/2, π/2] whose sine is x.
#[inline(always)]
pub(super) fn asin<R: Real>(x: R) -> R {
    let a = x.magnitude();
    let near = x + x * excess(x * x);
    let half = half_angle(a);
    let beyond = (x.lift(PI_1 * 0.5) - (half + half)) + PI_2 * 0.5;
    R::choose(a.below(0.5), near, beyond.flipped_by(x))
}

/// The angle in [0, π] whose cosine is x.
#[inline(always)]
pub(super) fn acos<R: Real>(x: R) -> R {
    let near = x.lift(PI_1 * 0.5) - (x - (x.lift(PI_2 * 0.5) - x * excess(x * x)));
    let half = half_angle(x.magnitude());
    let twice = half + half;
    let beyond = R::choose(x.below(0.0), (x.lift(PI_1) - twice) + PI_2, twice);
    R::choose(x.magnitude().below(0.5), near, beyond)
}
