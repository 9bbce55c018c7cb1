//! Arithmetic on blocks of integers, and entries at places, compiled for three levels of vector instructions.

use super::kernels::{Operand, levels};
use crate::frame::Frame;
use crate::loops::BufferId;
use crate::math::{Instructions, Level};
use crate::scalar::Scalar;

#[inline(always)]
fn scaled_body(base: i64, factor: i64, x: &[i64], out: &mut [i64]) {
    let both = out.iter_mut().zip(x);
    // no machine multiplies integers as fast as it adds them
    match factor {
        1 => both.for_each(|(out, x)| *out = base.wrapping_add(*x)),
        -1 => both.for_each(|(out, x)| *out = base.wrapping_sub(*x)),
        _ => both.for_each(|(out, x)| *out = base.wrapping_add(factor.wrapping_mul(*x))),
    }
}

#[inline(always)]
fn add_scaled_body(factor: i64, x: &[i64], out: &mut [i64]) {
    let both = out.iter_mut().zip(x);
    match factor {
        1 => both.for_each(|(out, x)| *out = out.wrapping_add(*x)),
        -1 => both.for_each(|(out, x)| *out = out.wrapping_sub(*x)),
        _ => both.for_each(|(out, x)| *out = out.wrapping_add(factor.wrapping_mul(*x))),
    }
}

#[inline(always)]
fn along_body(extent: i64, at: Operand<'_, i64>, places: &mut [i64]) -> u64 {
    let mut greatest = 0;
    match at {
        Operand::Lanes(at) => {
            for (place, at) in places.iter_mut().zip(at) {
                *place = place.wrapping_mul(extent).wrapping_add(*at);
                greatest = greatest.max(*at as u64);
            }
        }
        Operand::One(at) => {
            for place in places.iter_mut() {
                *place = place.wrapping_mul(extent).wrapping_add(at);
            }
            greatest = at as u64;
        }
    }
    greatest
}

#[inline(always)]
fn inside_body(extent: i64, at: Operand<'_, i64>, places: &mut [i64], inside: &mut [bool]) {
    let both = places.iter_mut().zip(inside);
    match at {
        Operand::Lanes(at) => {
            for ((place, inside), at) in both.zip(at) {
                *inside &= (*at as u64) < extent as u64;
                *place = place.wrapping_mul(extent).wrapping_add(*at);
            }
        }
        Operand::One(at) => {
            for (place, inside) in both {
                *inside &= (at as u64) < extent as u64;
                *place = place.wrapping_mul(extent).wrapping_add(at);
            }
        }
    }
}

#[inline(always)]
fn spread_body(start: i64, step: i64, picks: &[u32], out: &mut [i64]) {
    let both = out.iter_mut().zip(picks);
    match step {
        1 => both.for_each(|(out, lane)| *out = start + i64::from(*lane)),
        _ => both.for_each(|(out, lane)| *out = start + step * i64::from(*lane)),
    }
}

#[inline(always)]
fn gather_body<S: Scalar>(frame: &Frame<S>, buffer: BufferId, places: &[i64], out: &mut [S]) {
    frame.gather_reals(buffer, places, out);
}

#[inline(always)]
fn gather_ints_body<S: Scalar>(
    frame: &Frame<S>,
    buffer: BufferId,
    places: &[i64],
    out: &mut [i64],
) {
    frame.gather_ints(buffer, places, out);
}

levels! {
    /// `out[k] = base + factor · x[k]`
    scaled = scaled_body(base: i64, factor: i64, x: &[i64], out: &mut [i64]);
    scaled_avx512, scaled_avx2
}

levels! {
    /// `out[k] = out[k] + factor · x[k]`
    add_scaled = add_scaled_body(factor: i64, x: &[i64], out: &mut [i64]);
    add_scaled_avx512, add_scaled_avx2
}

levels! {
    /// `places[k] = places[k] · extent + at[k]`; the greatest of `at`, taken without signs.
    along = along_body(extent: i64, at: Operand<'_, i64>, places: &mut [i64]) -> u64;
    along_avx512, along_avx2
}

levels! {
    /// The same; `inside[k]` stays where `at[k]` is in `0..extent`.
    inside = inside_body(extent: i64, at: Operand<'_, i64>, places: &mut [i64], inside: &mut [bool]);
    inside_avx512, inside_avx2
}

levels! {
    /// `out[k] = start + step · picks[k]`
    spread = spread_body(start: i64, step: i64, picks: &[u32], out: &mut [i64]);
    spread_avx512, spread_avx2
}

levels! {
    /// Reals at places.
    gather for Scalar = gather_body(frame: &Frame<S>, buffer: BufferId, places: &[i64], out: &mut [S]);
    gather_avx512, gather_avx2
}

levels! {
    /// Integers at places.
    gather_ints for Scalar = gather_ints_body(frame: &Frame<S>, buffer: BufferId, places: &[i64], out: &mut [i64]);
    gather_ints_avx512, gather_ints_avx2
}
