//! The functions of the interpreter, by pxfm.
//!
//! The same choices as there: `sigmoid` by its formula, the gamma family by its leading terms far out.
//! Two defects of pxfm 0.1.30 are mended by the kernels: exp is off by half for a few arguments whose result is
//! subnormal, and pow is NaN at a few arguments such as `(f64::MAX, -0.5)`.

use super::{exponential, power};
use iverson_spec::function::Fun;

/// From here on `digamma(x)` rounds to `log(x)`, and `trigamma(x)` to `1 / x`.
const LARGE: f64 = 1e17;
/// From here on `lgamma(x)` is `x (log(x) - 1)` to within rounding.
const HUGE: f64 = 1e300;

fn exp(x: f64) -> f64 {
    if x < -708.0 { exponential::exp(x) } else { pxfm::f_exp(x) }
}

fn pow(x: f64, y: f64) -> f64 {
    let value = pxfm::f_pow(x, y);
    if value.is_nan() { power::pow(x, y) } else { value }
}

fn sigmoid(x: f64) -> f64 {
    if x < 0.0 { exp(x) / (1.0 + exp(x)) } else { 1.0 / (1.0 + exp(-x)) }
}

fn lgamma(x: f64) -> f64 {
    if x > HUGE { x * (pxfm::f_log(x) - 1.0) } else { pxfm::f_lgamma(x) }
}

fn digamma(x: f64) -> f64 {
    if x > LARGE { pxfm::f_log(x) } else { pxfm::f_digamma(x) }
}

fn trigamma(x: f64) -> f64 {
    if x > LARGE { 1.0 / x } else { pxfm::f_trigamma(x) }
}

/// A function of one argument, if it is one.
pub(super) fn unary(fun: Fun) -> Option<fn(f64) -> f64> {
    Some(match fun {
        Fun::Neg => |x| -x,
        Fun::Exp => exp,
        Fun::Expm1 => pxfm::f_expm1,
        Fun::Log => pxfm::f_log,
        Fun::Log1p => pxfm::f_log1p,
        Fun::Sin => pxfm::f_sin,
        Fun::Cos => pxfm::f_cos,
        Fun::Tan => pxfm::f_tan,
        Fun::Asin => pxfm::f_asin,
        Fun::Acos => pxfm::f_acos,
        Fun::Atan => pxfm::f_atan,
        Fun::Sinh => pxfm::f_sinh,
        Fun::Cosh => pxfm::f_cosh,
        Fun::Tanh => pxfm::f_tanh,
        Fun::Sqrt => f64::sqrt,
        Fun::Abs => f64::abs,
        Fun::Sigmoid => sigmoid,
        Fun::Erf => pxfm::f_erf,
        Fun::Lgamma => lgamma,
        Fun::Digamma => digamma,
        Fun::Trigamma => trigamma,
        Fun::Add
        | Fun::Mul
        | Fun::Div
        | Fun::Pow
        | Fun::Atan2
        | Fun::Min
        | Fun::Max
        | Fun::User(_) => return None,
    })
}

/// A function of two arguments that is more than an operation, if it is one.
pub(super) fn binary(fun: Fun) -> Option<fn(f64, f64) -> f64> {
    match fun {
        Fun::Pow => Some(pow),
        Fun::Atan2 => Some(pxfm::f_atan2),
        Fun::Min => Some(|x, y| if y < x { y } else { x }),
        Fun::Max => Some(|x, y| if y > x { y } else { x }),
        Fun::Neg
        | Fun::Add
        | Fun::Mul
        | Fun::Div
        | Fun::Exp
        | Fun::Expm1
        | Fun::Log
        | Fun::Log1p
        | Fun::Sin
        | Fun::Cos
        | Fun::Tan
        | Fun::Asin
        | Fun::Acos
        | Fun::Atan
        | Fun::Sinh
        | Fun::Cosh
        | Fun::Tanh
        | Fun::Sqrt
        | Fun::Abs
        | Fun::Sigmoid
        | Fun::Erf
        | Fun::Lgamma
        | Fun::Digamma
        | Fun::Trigamma
        | Fun::User(_) => None,
    }
}
