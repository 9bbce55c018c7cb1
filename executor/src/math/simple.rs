//! sqrt, abs, neg, min, max, in the arithmetic of kernels.

use super::real::Real;

/// The square root.
#[inline(always)]
pub(super) fn sqrt<R: Real>(x: R) -> R {
    x.root()
}

/// `|x|`
#[inline(always)]
pub(super) fn abs<R: Real>(x: R) -> R {
    x.magnitude()
}

/// `-x`
#[inline(always)]
pub(super) fn neg<R: Real>(x: R) -> R {
    -x
}

/// The smaller; the first at a tie, and with NaN.
#[inline(always)]
pub(super) fn min<R: Real>(x: R, y: R) -> R {
    R::choose(y.lt(x), y, x)
}

/// The larger; the first at a tie, and with NaN.
#[inline(always)]
pub(super) fn max<R: Real>(x: R, y: R) -> R {
    R::choose(x.lt(y), y, x)
}
