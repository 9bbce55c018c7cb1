//! Arithmetic on blocks, compiled for three levels of vector instructions.
//!
//! One body for each shape of operands, inlined into a function for each level; the
//! compiler makes vector code of it. Nothing is fused, so the bits do not depend on the level.

use crate::loops::{CmpOp, Fold};
use crate::math::{Instructions, Level};
use crate::scalar::Scalar;

/// A real operand of a block.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operand<'a, S> {
    /// One number for each lane.
    Lanes(&'a [S]),
    /// One number for all.
    One(S),
}

impl<S: Copy> Operand<'_, S> {
    /// The number of a lane.
    #[inline(always)]
    pub(super) fn at(self, lane: usize) -> S {
        match self {
            Self::Lanes(x) => x[lane],
            Self::One(x) => x,
        }
    }
}

/// What a kernel does with two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Two {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
}

impl From<Fold> for Two {
    fn from(fold: Fold) -> Self {
        match fold {
            Fold::Sum => Self::Add,
            Fold::Prod => Self::Mul,
            Fold::Max => Self::Max,
            Fold::Min => Self::Min,
        }
    }
}

#[inline(always)]
fn two<S: Scalar>(op: Two, x: S, y: S) -> S {
    match op {
        Two::Add => x.add(y),
        Two::Sub => x.add(y.neg()),
        Two::Mul => x.mul(y),
        Two::Div => x.div(y),
        Two::Max => {
            if y > x {
                y
            } else {
                x
            }
        }
        Two::Min => {
            if y < x {
                y
            } else {
                x
            }
        }
    }
}

#[inline(always)]
fn each<S: Scalar>(op: Two, a: Operand<'_, S>, b: Operand<'_, S>, out: &mut [S]) {
    match (a, b) {
        (Operand::Lanes(a), Operand::Lanes(b)) => {
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                *out = two(op, *a, *b);
            }
        }
        (Operand::Lanes(a), Operand::One(b)) => {
            for (out, a) in out.iter_mut().zip(a) {
                *out = two(op, *a, b);
            }
        }
        (Operand::One(a), Operand::Lanes(b)) => {
            for (out, b) in out.iter_mut().zip(b) {
                *out = two(op, a, *b);
            }
        }
        (Operand::One(a), Operand::One(b)) => out.fill(two(op, a, b)),
    }
}

#[inline(always)]
fn binary_body<S: Scalar>(op: Two, a: Operand<'_, S>, b: Operand<'_, S>, out: &mut [S]) {
    match op {
        Two::Add => each(Two::Add, a, b, out),
        Two::Sub => each(Two::Sub, a, b, out),
        Two::Mul => each(Two::Mul, a, b, out),
        Two::Div => each(Two::Div, a, b, out),
        Two::Max => each(Two::Max, a, b, out),
        Two::Min => each(Two::Min, a, b, out),
    }
}

#[inline(always)]
fn add_product_body<S: Scalar>(
    base: Operand<'_, S>,
    a: Operand<'_, S>,
    b: Operand<'_, S>,
    out: &mut [S],
) {
    let (a, b) = match (a, b) {
        (Operand::Lanes(a), b) | (b, Operand::Lanes(a)) => (a, b),
        (Operand::One(x), Operand::One(y)) => {
            return each(Two::Add, base, Operand::One(x.mul(y)), out);
        }
    };
    match (base, b) {
        (Operand::Lanes(base), Operand::Lanes(b)) => {
            for (((out, base), a), b) in out.iter_mut().zip(base).zip(a).zip(b) {
                *out = base.add(a.mul(*b));
            }
        }
        (Operand::Lanes(base), Operand::One(b)) => {
            for ((out, base), a) in out.iter_mut().zip(base).zip(a) {
                *out = base.add(a.mul(b));
            }
        }
        (Operand::One(base), Operand::Lanes(b)) => {
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                *out = base.add(a.mul(*b));
            }
        }
        (Operand::One(base), Operand::One(b)) => {
            for (out, a) in out.iter_mut().zip(a) {
                *out = base.add(a.mul(b));
            }
        }
    }
}

#[inline(always)]
fn every<S: Scalar, const STEP: usize>(from: &[S], out: &mut [S]) {
    for (out, from) in out.iter_mut().zip(from.chunks(STEP)) {
        *out = from[0];
    }
}

#[inline(always)]
fn strided_body<S: Scalar>(from: &[S], step: usize, out: &mut [S]) {
    match step {
        2 => every::<S, 2>(from, out),
        3 => every::<S, 3>(from, out),
        4 => every::<S, 4>(from, out),
        _ => out.iter_mut().zip(from.iter().step_by(step)).for_each(|(out, x)| *out = *x),
    }
}

#[inline(always)]
fn into_each<S: Scalar>(op: Two, out: &mut [S], a: Operand<'_, S>) {
    match a {
        Operand::Lanes(a) => {
            for (out, a) in out.iter_mut().zip(a) {
                *out = two(op, *out, *a);
            }
        }
        Operand::One(a) => {
            for out in out.iter_mut() {
                *out = two(op, *out, a);
            }
        }
    }
}

#[inline(always)]
fn into_body<S: Scalar>(op: Two, out: &mut [S], a: Operand<'_, S>) {
    match op {
        Two::Add => into_each(Two::Add, out, a),
        Two::Sub => into_each(Two::Sub, out, a),
        Two::Mul => into_each(Two::Mul, out, a),
        Two::Div => into_each(Two::Div, out, a),
        Two::Max => into_each(Two::Max, out, a),
        Two::Min => into_each(Two::Min, out, a),
    }
}

/// The partial totals of a fold over a block.
const PARTS: usize = 32;

#[inline(always)]
fn fold_each<S: Scalar>(op: Two, start: S, a: &[S]) -> S {
    let mut parts = [start; PARTS];
    let mut chunks = a.chunks_exact(PARTS);
    for chunk in &mut chunks {
        for (part, x) in parts.iter_mut().zip(chunk) {
            *part = two(op, *part, *x);
        }
    }
    for (part, x) in parts.iter_mut().zip(chunks.remainder()) {
        *part = two(op, *part, *x);
    }
    let mut width = PARTS / 2;
    while width > 0 {
        for at in 0..width {
            parts[at] = two(op, parts[at], parts[at + width]);
        }
        width /= 2;
    }
    parts[0]
}

#[inline(always)]
fn fold_body<S: Scalar>(op: Two, start: S, a: &[S]) -> S {
    match op {
        Two::Add => fold_each(Two::Add, start, a),
        Two::Sub => fold_each(Two::Sub, start, a),
        Two::Mul => fold_each(Two::Mul, start, a),
        Two::Div => fold_each(Two::Div, start, a),
        Two::Max => fold_each(Two::Max, start, a),
        Two::Min => fold_each(Two::Min, start, a),
    }
}

#[inline(always)]
fn dot_body<S: Scalar>(a: &[S], b: &[S]) -> S {
    let mut parts = [S::default(); PARTS];
    let mut left = a.chunks_exact(PARTS);
    let mut right = b.chunks_exact(PARTS);
    for (a, b) in (&mut left).zip(&mut right) {
        for at in 0..PARTS {
            parts[at] = parts[at].add(a[at].mul(b[at]));
        }
    }
    for ((part, a), b) in parts.iter_mut().zip(left.remainder()).zip(right.remainder()) {
        *part = part.add(a.mul(*b));
    }
    let mut width = PARTS / 2;
    while width > 0 {
        for at in 0..width {
            parts[at] = parts[at].add(parts[at + width]);
        }
        width /= 2;
    }
    parts[0]
}

#[inline(always)]
fn holds<S: Copy>(test: impl Fn(S, S) -> bool, [a, b]: [Operand<'_, S>; 2], mask: &mut [bool]) {
    match (a, b) {
        (Operand::Lanes(a), Operand::Lanes(b)) => {
            for ((holds, a), b) in mask.iter_mut().zip(a).zip(b) {
                *holds = test(*a, *b);
            }
        }
        (Operand::Lanes(a), Operand::One(b)) => {
            for (holds, a) in mask.iter_mut().zip(a) {
                *holds = test(*a, b);
            }
        }
        (Operand::One(a), Operand::Lanes(b)) => {
            for (holds, b) in mask.iter_mut().zip(b) {
                *holds = test(a, *b);
            }
        }
        (Operand::One(a), Operand::One(b)) => mask.fill(test(a, b)),
    }
}

#[inline(always)]
fn compare_body<S: Compared>(cmp: CmpOp, sides: [Operand<'_, S>; 2], mask: &mut [bool]) {
    match cmp {
        CmpOp::Eq => holds(|a, b| a == b, sides, mask),
        CmpOp::Ne => holds(|a, b| a != b, sides, mask),
        CmpOp::Lt => holds(|a, b| a < b, sides, mask),
        CmpOp::Le => holds(|a, b| a <= b, sides, mask),
        CmpOp::Gt => holds(|a, b| a > b, sides, mask),
        CmpOp::Ge => holds(|a, b| a >= b, sides, mask),
    }
}

#[allow(
    unsafe_code,
    reason = "a conversion without the branches for numbers that are out of range"
)]
#[inline(always)]
fn floors_body<S: Scalar>(x: &[S], out: &mut [i64]) -> bool {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let mut all = true;
    for (out, x) in out.iter_mut().zip(x) {
        let x = x.wide();
        let fits = (-LIMIT..LIMIT).contains(&x);
        all &= fits;
        let x = if fits { x } else { 0.0 };
        // SAFETY: the number is not NaN and its whole part is one of 64 bits.
        let cut: i64 = unsafe { x.to_int_unchecked() };
        *out = cut - i64::from(cut as f64 > x);
    }
    all
}

/// Numbers that are compared.
pub(super) trait Compared: Copy + PartialOrd {}

impl<T: Copy + PartialOrd> Compared for T {}

macro_rules! levels {
    ($(#[$doc:meta])* $name:ident $(for $bound:path)? = $body:ident($($arg:ident: $type:ty),*) $(-> $result:ty)?; $wide:ident, $middle:ident) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
        fn $wide$(<S: $bound>)?($($arg: $type),*) $(-> $result)? {
            $body($($arg),*)
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        fn $middle$(<S: $bound>)?($($arg: $type),*) $(-> $result)? {
            $body($($arg),*)
        }

        $(#[$doc])*
        #[allow(unsafe_code, reason = "functions for instructions that a Level proves to be there")]
        pub(crate) fn $name$(<S: $bound>)?(level: Level, $($arg: $type),*) $(-> $result)? {
            match level.instructions() {
                // SAFETY: a `Level` of this name is made only where the instructions were detected.
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => unsafe { $wide($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => unsafe { $middle($($arg),*) },
                Instructions::Portable => $body($($arg),*),
            }
        }
    };
}

pub(crate) use levels;

levels! {
    /// `out[k] = a[k] op b[k]`
    binary for Scalar = binary_body(op: Two, a: Operand<'_, S>, b: Operand<'_, S>, out: &mut [S]);
    binary_avx512, binary_avx2
}

levels! {
    /// `out[k] = base[k] + a[k] · b[k]`, both rounded
    add_product for Scalar = add_product_body(base: Operand<'_, S>, a: Operand<'_, S>, b: Operand<'_, S>, out: &mut [S]);
    add_product_avx512, add_product_avx2
}

levels! {
    /// `out[k] = from[k · step]`
    strided for Scalar = strided_body(from: &[S], step: usize, out: &mut [S]);
    strided_avx512, strided_avx2
}

levels! {
    /// `out[k] = out[k] op a[k]`
    into for Scalar = into_body(op: Two, out: &mut [S], a: Operand<'_, S>);
    into_avx512, into_avx2
}

levels! {
    /// `start op a[0] op a[1] ..`, as a fixed number of partial totals, so that the bits do not
    /// depend on the level.
    fold for Scalar = fold_body(op: Two, start: S, a: &[S]) -> S;
    fold_avx512, fold_avx2
}

levels! {
    /// `Σ a[k] · b[k]`, as [`fold`].
    dot for Scalar = dot_body(a: &[S], b: &[S]) -> S;
    dot_avx512, dot_avx2
}

levels! {
    /// `mask[k] = a[k] cmp b[k]`
    compare for Compared = compare_body(cmp: CmpOp, sides: [Operand<'_, S>; 2], mask: &mut [bool]);
    compare_avx512, compare_avx2
}

levels! {
    /// `out[k] = floor(x[k])`; whether all are of 64 bits.
    floors for Scalar = floors_body(x: &[S], out: &mut [i64]) -> bool;
    floors_avx512, floors_avx2
}
