//! Elementary functions over slices, with stated bounds of error.
//!
//! Every kernel is a straight line of IEEE operations, none fused, so that the compiler turns a loop
//! over it into vector code, and so that **the bits are the same** in AVX-512, AVX2 and portable
//! code, in one element or a slice, and in the C text that [`trace`] makes of the same kernel.
//! Not fusing costs about a fifth of the speed; fusing would cost a call of the C library for each
//! operation wherever a compiler may not assume the instruction, or bits that differ.
//!
//! `f32` functions are the `f64` kernels on the widened argument, rounded once: within 0.5001 ulp.
//!
//! [`Mode::Strict`] takes the correctly rounded functions of pxfm (those of the interpreter) instead, one element at a time.
//!
//! The bounds, in [`BOUNDS`], are tested on random and special arguments; `README.md` beside this file has the
//! measured speeds.
//!
//! | file | functions |
//! | --- | --- |
//! | `real.rs` | the arithmetic of kernels; polynomials; sums of two doubles |
//! | `coefficients.rs` | all constants, written by `coefficients.py` |
//! | `exponential.rs` | exp, expm1, sinh, cosh, tanh, sigmoid |
//! | `logarithm.rs` | log, log1p |
//! | `trigonometric.rs`, `far.rs` | sin, cos, tan; their reduction far out |
//! | `inverse.rs` | asin, acos, atan, atan2 |
//! | `power.rs` | pow |
//! | `special.rs` | erf, lgamma, digamma, trigamma |
//! | `simple.rs` | sqrt, abs, min, max |
//! | `slices.rs` | loops over slices, at the widest level of the machine |
//! | `trace.rs`, `c.rs` | the same kernels as C |
//! | `strict.rs` | pxfm |

mod c;
mod coefficients;
mod exponential;
mod far;
mod inverse;
mod kernels;
mod logarithm;
mod power;
mod real;
mod simple;
mod slices;
mod special;
mod strict;
mod trace;
mod trigonometric;

#[cfg(test)]
mod tests;

pub use c::{definitions, name};
pub use kernels::{BOUNDS, Bound, Mode, binary, unary};
pub(crate) use slices::Instructions;
pub use slices::{BinarySlice, Float, Level, UnarySlice, binary_slice, unary_slice};
