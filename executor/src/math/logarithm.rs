//! log and log1p.
//!
//! `x = 2^k m` with `m` in [√½, √2). With `f = m - 1` and `s = f / (2 + f)`,
//! `log m = log((1 + s) / (1 - s)) = f - f²/2 + s (f²/2 + s² P(s²))`.

use super::coefficients::{LN2_1, LN2_2, LOG};
use super::real::{Real, Truth, Word, polynomial};

/// The bits of 1 less those of √½.
const SHIFT: u64 = 0x3ff0_0000_0000_0000 - ROOT_HALF;
const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
/// The bits of 2^52, whose low bits then count ones.
const COUNTER: u64 = 0x4330_0000_0000_0000;
const FRACTION: u64 = 0x000f_ffff_ffff_ffff;

/// `x = 2^k m`
#[derive(Clone, Copy)]
pub(super) struct Parts<R> {
    /// The exponent.
    pub(super) k: R,
    /// In [√½, √2).
    pub(super) m: R,
}

/// Of a positive normal number; `offset` is added to the exponent.
#[inline(always)]
fn parts<R: Real>(x: R, offset: R) -> Parts<R> {
    let moved = x.bits().plus(SHIFT);
    let counted = moved.right(52).plus(COUNTER).real();
    let k = (counted - (4_503_599_627_370_496.0 + 1023.0)) + offset;
    Parts { k: k.named("k"), m: moved.and(FRACTION).plus(ROOT_HALF).real().named("m") }
}

/// Of a positive number; subnormal ones are scaled up first.
#[inline(always)]
pub(super) fn split<R: Real>(x: R) -> Parts<R> {
    let small = x.below(f64::MIN_POSITIVE);
    let scaled = R::choose(small, x * 18_014_398_509_481_984.0, x);
    parts(scaled.named("scaled"), R::choose(small, x.lift(-54.0), x.lift(0.0)))
}

/// `k log 2 + log(1 + f) + c`, for `|c|` far below 1.
#[inline(always)]
fn assemble<R: Real>(k: R, f: R, c: R) -> R {
    let s = (f / (f + 2.0)).named("s");
    let z = (s * s).named("z");
    let half = f * f * 0.5;
    let tail = s * (half + z * polynomial(z, &LOG)) + (k * LN2_2 + c);
    k * LN2_1 - ((half - tail) - f)
}

/// `value` inside the domain, with the limits: -∞ at `zero`, NaN below, ∞ at ∞.
#[inline(always)]
fn limits<R: Real>(x: R, zero: f64, value: R) -> R {
    let value = R::choose(x.equals(zero), x.lift(f64::NEG_INFINITY), value);
    let value = R::choose(x.below(zero), x.lift(f64::NAN), value);
    R::choose(x.equals(f64::INFINITY).or(x.same(x).not()), x, value)
}

/// The natural logarithm.
#[inline(always)]
pub(super) fn log<R: Real>(x: R) -> R {
    let Parts { k, m } = split(x);
    limits(x, 0.0, assemble(k, m - 1.0, x.lift(0.0)))
}

/// `log(1 + x)`: what rounding takes from `1 + x` is carried along as `c / (1 + x)`.
#[inline(always)]
pub(super) fn log1p<R: Real>(x: R) -> R {
    let u = (x + 1.0).named("u");
    let lost = R::choose(x.above(1.0), x.lift(1.0) - (u - x), x - (u - 1.0));
    let Parts { k, m } = parts(u, x.lift(0.0));
    let exact = k.equals(0.0);
    let f = R::choose(exact, x, m - 1.0);
    let c = R::choose(exact, x.lift(0.0), lost / u);
    let value = limits(x, -1.0, assemble(k, f.named("f"), c));
    R::choose(x.magnitude().below(1e-300), x, value)
}
