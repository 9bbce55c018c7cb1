//! Checked scalar arithmetic with short cuts for small numbers.
//!
//! Nearly every coefficient fits in 64 bits, where one machine instruction
//! replaces a call into the 128-bit runtime.

/// `a·b`, or `None` on overflow.
#[inline]
pub(crate) fn mul(a: i128, b: i128) -> Option<i128> {
    match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => Some(i128::from(a) * i128::from(b)),
        (Ok(_), Err(_)) | (Err(_), Ok(_)) | (Err(_), Err(_)) => a.checked_mul(b),
    }
}

/// `a·x + b·y`, or `None` on overflow.
#[inline]
pub(crate) fn dot(a: i128, x: i128, b: i128, y: i128) -> Option<i128> {
    mul(a, x)?.checked_add(mul(b, y)?)
}

/// The greatest common divisor; `gcd(0, 0) = 0`.
pub(crate) fn gcd(a: u128, b: u128) -> u128 {
    match (u64::try_from(a), u64::try_from(b)) {
        (Ok(a), Ok(b)) => u128::from(gcd_small(a, b)),
        (Ok(_), Err(_)) | (Err(_), Ok(_)) | (Err(_), Err(_)) => {
            if b == 0 {
                a
            } else {
                gcd(b, a % b)
            }
        }
    }
}

fn gcd_small(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// `⌊a / d⌋` for `d > 0`.
pub(crate) fn floor_div(a: i128, d: i128) -> i128 {
    match (i64::try_from(a), i64::try_from(d)) {
        (Ok(a), Ok(d)) => i128::from(a.div_euclid(d)),
        (Ok(_), Err(_)) | (Err(_), Ok(_)) | (Err(_), Err(_)) => a.div_euclid(d),
    }
}

/// `⌈a / d⌉` for `d > 0`.
pub(crate) fn ceil_div(a: i128, d: i128) -> i128 {
    let floor = floor_div(a, d);
    if rest(a, floor, d) == 0 { floor } else { floor + 1 }
}

/// `a − ⌊a / d⌋·d`; it lies in `0 .. d`, though the product may wrap.
fn rest(a: i128, floor: i128, d: i128) -> i128 {
    a.wrapping_sub(floor.wrapping_mul(d))
}

/// The integer nearest to `a / b`; `None` where `|b|` or the result overflows.
pub(crate) fn round_div(a: i128, b: i128) -> Option<i128> {
    let d = b.checked_abs()?;
    let floor = floor_div(a, d);
    let rest = rest(a, floor, d);
    let nearest = if rest > d - rest { floor + 1 } else { floor };
    if b < 0 { nearest.checked_neg() } else { Some(nearest) }
}

/// The representative of `a` modulo `k > 0` in `(-k/2, k/2]`.
pub(crate) fn symmetric_rem(a: i128, k: i128) -> i128 {
    let rest = a.rem_euclid(k);
    if rest > k - rest { rest - k } else { rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_rounds_as_named() {
        assert_eq!((floor_div(-7, 2), ceil_div(-7, 2)), (-4, -3));
        assert_eq!((floor_div(7, 2), ceil_div(7, 2)), (3, 4));
        assert_eq!(round_div(7, -3), Some(-2));
        assert_eq!(round_div(-8, 3), Some(-3));
        assert_eq!(symmetric_rem(-1, 2), 1);
        assert_eq!(symmetric_rem(5, 6), -1);
    }

    #[test]
    fn extremes_do_not_panic() {
        assert_eq!(floor_div(i128::MIN, 1), i128::MIN);
        assert_eq!(ceil_div(i128::MIN, 3), i128::MIN / 3);
        assert_eq!(ceil_div(i128::MAX, i128::MAX), 1);
        assert_eq!(round_div(i128::MIN, -1), None);
        assert_eq!(round_div(1, i128::MIN), None);
        assert_eq!(round_div(i128::MIN, i128::MAX), Some(-1));
        assert_eq!(gcd(i128::MIN.unsigned_abs(), 6), 2);
        assert_eq!(mul(i128::MAX, 2), None);
    }
}
