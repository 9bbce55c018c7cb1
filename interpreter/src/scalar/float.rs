//! `f64`: IEEE arithmetic; elementary functions from pxfm, correctly rounded.
//!
//! The exceptions: `sigmoid` is within 2 ulp by its formula (`f_logistic` of pxfm is
//! NaN below -709); `lgamma`, `digamma`, `trigamma` lose relative accuracy near
//! their zeros, and are their leading terms at [`LARGE`] and [`HUGE`] numbers, where pxfm
//! gives NaN.

use super::{Scalar, ScalarError, floor_f64, wrong_arity};
use iverson_spec::function::Fun;
use iverson_spec::number::Number;
use std::cmp::Ordering;

/// From here on `digamma(x)` rounds to `log(x)`, and `trigamma(x)` to `1 / x`.
const LARGE: f64 = 1e17;
/// From here on `lgamma(x)` is `x (log(x) - 1)` to within rounding.
const HUGE: f64 = 1e300;

impl Scalar for f64 {
    fn constant(value: &Number) -> Self {
        value.nearest()
    }

    fn integer(value: i64) -> Self {
        value as Self
    }

    fn pi() -> Result<Self, ScalarError> {
        Ok(std::f64::consts::PI)
    }

    fn infinity(negative: bool) -> Result<Self, ScalarError> {
        Ok(if negative { Self::NEG_INFINITY } else { Self::INFINITY })
    }

    fn unary(fun: Fun, x: &Self) -> Result<Self, ScalarError> {
        let x = *x;
        Ok(match fun {
            Fun::Neg => -x,
            Fun::Exp => pxfm::f_exp(x),
            Fun::Expm1 => pxfm::f_expm1(x),
            Fun::Log => pxfm::f_log(x),
            Fun::Log1p => pxfm::f_log1p(x),
            Fun::Sin => pxfm::f_sin(x),
            Fun::Cos => pxfm::f_cos(x),
            Fun::Tan => pxfm::f_tan(x),
            Fun::Asin => pxfm::f_asin(x),
            Fun::Acos => pxfm::f_acos(x),
            Fun::Atan => pxfm::f_atan(x),
            Fun::Sinh => pxfm::f_sinh(x),
            Fun::Cosh => pxfm::f_cosh(x),
            Fun::Tanh => pxfm::f_tanh(x),
            Fun::Sqrt => x.sqrt(),
            Fun::Abs => x.abs(),
            Fun::Sigmoid if x < 0.0 => pxfm::f_exp(x) / (1.0 + pxfm::f_exp(x)),
            Fun::Sigmoid => 1.0 / (1.0 + pxfm::f_exp(-x)),
            Fun::Erf => pxfm::f_erf(x),
            Fun::Lgamma if x > HUGE => x * (pxfm::f_log(x) - 1.0),
            Fun::Lgamma => pxfm::f_lgamma(x),
            Fun::Digamma if x > LARGE => pxfm::f_log(x),
            Fun::Digamma => pxfm::f_digamma(x),
            Fun::Trigamma if x > LARGE => 1.0 / x,
            Fun::Trigamma => pxfm::f_trigamma(x),
            two_arguments!() | Fun::User(_) => wrong_arity(fun),
        })
    }

    fn binary(fun: Fun, x: &Self, y: &Self) -> Result<Self, ScalarError> {
        let (x, y) = (*x, *y);
        Ok(match fun {
            Fun::Add => x + y,
            Fun::Mul => x * y,
            Fun::Div => x / y,
            Fun::Pow => pxfm::f_pow(x, y),
            Fun::Atan2 => pxfm::f_atan2(x, y),
            Fun::Min if y < x => y,
            Fun::Max if y > x => y,
            Fun::Min | Fun::Max => x,
            one_argument!() | Fun::User(_) => wrong_arity(fun),
        })
    }

    fn compare(&self, other: &Self) -> Result<Option<Ordering>, ScalarError> {
        Ok(self.partial_cmp(other))
    }

    fn floor(&self) -> Result<i64, ScalarError> {
        floor_f64(*self)
    }
}
