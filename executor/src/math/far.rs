//! The remainder of a large number by π/2, in integers.
//!
//! `|x| = M 2^e` with a 53-bit `M`. Of the digits of 2/π those whose weight in the product is 4 and
//! more give full circles; the next 192 suffice for a remainder to 2^-70 of itself. They are multiplied
//! by `M` modulo 2^192: the two highest bits are the quarter, the others its fraction.
//!
//! [`reduce`] and [`C`] are the same steps in two languages; a test compares their bits.

use super::coefficients::{HALF_PI_LONG_1, HALF_PI_LONG_2, TWO_OVER_PI};
use super::real::{Pair, fast_sum, product};
use super::trigonometric::Reduced;

/// Words of 32 bits in the window, the highest first.
type Window = [u64; 6];

/// 2^-30 and 2^-32: the weight of the first word of a fraction, and of each word in the one before.
const FIRST: f64 = f64::from_bits(0x3e10_0000_0000_0000);
const NEXT: f64 = f64::from_bits(0x3df0_0000_0000_0000);

/// For finite `|x| ≥ 2^19`; cost: some 20 ns.
pub(super) fn reduce(x: f64) -> Reduced<f64> {
    let bits = x.to_bits();
    let mantissa = bits & 0x000f_ffff_ffff_ffff | 0x0010_0000_0000_0000;
    let mut words = times(mantissa, digits((bits >> 52 & 0x7ff) as usize - 1013));
    let mut quarter = words[0] >> 30;
    words[0] &= 0x3fff_ffff;
    let above = words[0] >> 29 == 1;
    if above {
        quarter += 1;
        words = complement(words);
    }
    let r = quarter_turns(words);
    let quarter = if x < 0.0 { quarter.wrapping_neg() } else { quarter };
    let r = if above == (x < 0.0) { r } else { Pair { high: -r.high, low: -r.low } };
    Reduced { quarter, r }
}

/// 192 digits of 2/π from the place `start` of the table.
fn digits(start: usize) -> Window {
    let (word, shift) = (start / 32, start % 32);
    let at = |k: usize| u64::from(TWO_OVER_PI[word + k]);
    std::array::from_fn(|k| (at(k) << 32 | at(k + 1)) << shift >> 32)
}

/// `m · words` modulo 2^192.
fn times(m: u64, words: Window) -> Window {
    let mut out = [0; 6];
    let mut carry = 0;
    for k in (0..6).rev() {
        let t = words[k] * (m & 0xffff_ffff) + carry;
        out[k] = t & 0xffff_ffff;
        carry = t >> 32;
    }
    carry = 0;
    for k in (0..5).rev() {
        let t = words[k + 1] * (m >> 32) + out[k] + carry;
        out[k] = t & 0xffff_ffff;
        carry = t >> 32;
    }
    out
}

/// 1 less a fraction of 190 bits.
fn complement(words: Window) -> Window {
    let mut out = [0; 6];
    let mut carry = 1;
    for k in (0..6).rev() {
        let t = (!words[k] & 0xffff_ffff) + carry;
        out[k] = t & 0xffff_ffff;
        carry = t >> 32;
    }
    out[0] &= 0x3fff_ffff;
    out
}

/// A fraction of 190 bits, times π/2.
fn quarter_turns(words: Window) -> Pair<f64> {
    let mut f = Pair { high: 0.0, low: 0.0 };
    let mut weight = FIRST;
    for word in words {
        f = fast_sum(f.high, f.low + word as f64 * weight);
        weight *= NEXT;
    }
    let r = product(f.high, HALF_PI_LONG_1);
    fast_sum(r.high, r.low + (f.high * HALF_PI_LONG_2 + f.low * HALF_PI_LONG_1))
}

/// [`reduce`] in C: the remainder as a pair, the quarter as the value. `DIGITS`, `HIGH` and `LOW`
/// stand for the table and for the two parts of π/2.
pub(super) const C: &str = "\
/* x = n pi/2 + r[0] + r[1] for a large x, by 192 digits of 2/pi; gives n modulo 4. */
static uint64_t iv_reduce_far(double x, double r[2]) {
    static const uint32_t table[] = {DIGITS};
    const uint64_t bits = iv_bits(x);
    const uint64_t m = (bits & 0xfffffffffffffu) | 0x10000000000000u;
    const int start = (int)(bits >> 52 & 0x7ff) - 1013, word = start / 32, shift = start % 32;
    uint64_t digits[6], w[6], t, carry = 0;
    for (int k = 0; k < 6; k++) {
        t = (uint64_t)table[word + k] << 32 | table[word + k + 1];
        digits[k] = t << shift >> 32;
    }
    for (int k = 5; k >= 0; k--) {
        t = digits[k] * (m & 0xffffffffu) + carry;
        w[k] = t & 0xffffffffu;
        carry = t >> 32;
    }
    carry = 0;
    for (int k = 4; k >= 0; k--) {
        t = digits[k + 1] * (m >> 32) + w[k] + carry;
        w[k] = t & 0xffffffffu;
        carry = t >> 32;
    }
    uint64_t n = w[0] >> 30;
    w[0] &= 0x3fffffffu;
    const int above = (int)(w[0] >> 29);
    if (above) {
        n += 1;
        carry = 1;
        for (int k = 5; k >= 0; k--) {
            t = (~w[k] & 0xffffffffu) + carry;
            w[k] = t & 0xffffffffu;
            carry = t >> 32;
        }
        w[0] &= 0x3fffffffu;
    }
    double high = 0.0, low = 0.0, weight = 0x1p-30;
    for (int k = 0; k < 6; k++) {
        const double part = low + (double)w[k] * weight, both = high + part;
        low = part - (both - high);
        high = both;
        weight *= 0x1p-32;
    }
    const double pi1 = HIGH, pi2 = LOW;
    const double a1 = iv_real(iv_bits(high) & 0xfffffffff8000000u), a2 = high - a1;
    const double b1 = iv_real(iv_bits(pi1) & 0xfffffffff8000000u), b2 = pi1 - b1;
    const double p = high * pi1, q = ((a1 * b1 - p) + (a1 * b2 + a2 * b1)) + a2 * b2;
    const double part = q + (high * pi2 + low * pi1), both = p + part;
    const double rest = part - (both - p);
    r[0] = above == (x < 0.0) ? both : -both;
    r[1] = above == (x < 0.0) ? rest : -rest;
    return x < 0.0 ? 0u - n : n;
}
";
