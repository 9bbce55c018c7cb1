//! Kernels over slices, compiled for three levels of vector instructions and chosen at run time.
//!
//! One body, inlined into a function for each level; the compiler makes vector code of it.

use super::kernels::{Binary, Mode, Unary, with_binary, with_unary};
use super::strict;
use iverson_spec::function::Fun;

/// A level of vector instructions that this machine has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level(Instructions);

/// The levels, the widest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Instructions {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Level {
    /// The widest.
    #[must_use]
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// All that this machine has, the widest first; never empty.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut levels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                levels.push(Self(Instructions::Avx512));
            }
            if is_x86_feature_detected!("avx2") {
                levels.push(Self(Instructions::Avx2));
            }
        }
        levels.push(Self(Instructions::Portable));
        levels
    }

    /// Which instructions.
    pub(crate) fn instructions(self) -> Instructions {
        self.0
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "avx2",
            Instructions::Portable => "portable",
        }
    }
}

/// `f64` or `f32`: numbers that functions are computed for, in doubles.
pub trait Float: Copy + Send + Sync + 'static {
    /// The same number as a double.
    fn widen(self) -> f64;
    /// The nearest to a double.
    fn narrow(x: f64) -> Self;
}

impl Float for f64 {
    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }
    #[inline(always)]
    fn narrow(x: f64) -> Self {
        x
    }
}

impl Float for f32 {
    #[inline(always)]
    fn widen(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn narrow(x: f64) -> Self {
        x as Self
    }
}

#[inline(always)]
fn unary_body<K: Unary, T: Float>(x: &[T], out: &mut [T]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = T::narrow(K::at(x.widen()));
    }
    if x.iter().fold(false, |any, x| any | K::is_far(x.widen())) {
        for (out, x) in out.iter_mut().zip(x).filter(|(_, x)| K::is_far(x.widen())) {
            *out = T::narrow(K::far(x.widen()));
        }
    }
}

#[inline(always)]
fn binary_body<K: Binary, T: Float>(x: &[T], y: &[T], out: &mut [T]) {
    for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
        *out = T::narrow(K::at(x.widen(), y.widen()));
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,fma")]
fn unary_avx512<K: Unary, T: Float>(x: &[T], out: &mut [T]) {
    unary_body::<K, T>(x, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn unary_avx2<K: Unary, T: Float>(x: &[T], out: &mut [T]) {
    unary_body::<K, T>(x, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,fma")]
fn binary_avx512<K: Binary, T: Float>(x: &[T], y: &[T], out: &mut [T]) {
    binary_body::<K, T>(x, y, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn binary_avx2<K: Binary, T: Float>(x: &[T], y: &[T], out: &mut [T]) {
    binary_body::<K, T>(x, y, out);
}

#[allow(unsafe_code, reason = "functions for instructions that a Level proves to be there")]
fn unary_at<K: Unary, T: Float>(level: Level, x: &[T], out: &mut [T]) {
    match level.0 {
        // SAFETY: a `Level` of this kind is made only where the instructions were detected.
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx512 => unsafe { unary_avx512::<K, T>(x, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2 => unsafe { unary_avx2::<K, T>(x, out) },
        Instructions::Portable => unary_body::<K, T>(x, out),
    }
}

#[allow(unsafe_code, reason = "functions for instructions that a Level proves to be there")]
fn binary_at<K: Binary, T: Float>(level: Level, x: &[T], y: &[T], out: &mut [T]) {
    match level.0 {
        // SAFETY: a `Level` of this kind is made only where the instructions were detected.
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx512 => unsafe { binary_avx512::<K, T>(x, y, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2 => unsafe { binary_avx2::<K, T>(x, y, out) },
        Instructions::Portable => binary_body::<K, T>(x, y, out),
    }
}

/// `out[k] = fun(x[k])` over a slice.
pub type UnarySlice<T> = fn(Level, &[T], &mut [T]);
/// `out[k] = fun(x[k], y[k])` over a slice.
pub type BinarySlice<T> = fn(Level, &[T], &[T], &mut [T]);

/// The loop for a function of one argument; `None` if it is not one.
///
/// * **Shapes**: the slices have one length; more elements are left alone.
/// * **Arithmetic**: within [`super::BOUNDS`]; the bits do not depend on the level.
#[must_use]
pub fn unary_slice<T: Float>(mode: Mode, fun: Fun) -> Option<UnarySlice<T>> {
    match mode {
        Mode::Fast => with_unary!(fun, K => unary_at::<K, T> as UnarySlice<T>),
        Mode::Strict => with_unary!(fun, K => unary_strict::<K, T> as UnarySlice<T>),
    }
}

/// The loop for pow, atan2, min or max; `None` for others. As [`unary_slice`].
#[must_use]
pub fn binary_slice<T: Float>(mode: Mode, fun: Fun) -> Option<BinarySlice<T>> {
    match mode {
        Mode::Fast => with_binary!(fun, K => binary_at::<K, T> as BinarySlice<T>),
        Mode::Strict => with_binary!(fun, K => binary_strict::<K, T> as BinarySlice<T>),
    }
}

fn unary_strict<K: Unary, T: Float>(_: Level, x: &[T], out: &mut [T]) {
    let Some(f) = strict::unary(K::FUN) else {
        unreachable!("the two tables list the same functions")
    };
    for (out, x) in out.iter_mut().zip(x) {
        *out = T::narrow(f(x.widen()));
    }
}

fn binary_strict<K: Binary, T: Float>(_: Level, x: &[T], y: &[T], out: &mut [T]) {
    let Some(f) = strict::binary(K::FUN) else {
        unreachable!("the two tables list the same functions")
    };
    for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
        *out = T::narrow(f(x.widen(), y.widen()));
    }
}
