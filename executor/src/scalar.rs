//! The numbers an engine computes with: `f64` and `f32`.

use iverson_spec::function::Fun;
use std::fmt::Debug;

/// A floating-point type. Functions of `f32` are those of `f64`, rounded once.
pub trait Scalar: Copy + PartialOrd + Default + Debug + Send + Sync + 'static {
    /// The bytes of a number.
    const BYTES: u64;

    /// The nearest number.
    fn of(x: f64) -> Self;

    /// The nearest number to an integer.
    fn of_int(n: i64) -> Self;

    /// The same number.
    fn wide(self) -> f64;

    /// `self + other`
    fn add(self, other: Self) -> Self;

    /// `self * other`
    fn mul(self, other: Self) -> Self;

    /// `self / other`
    fn div(self, other: Self) -> Self;

    /// `-self`
    fn neg(self) -> Self;

    /// A function of one argument.
    fn unary(fun: Fun, x: Self) -> Self;

    /// A function of two arguments.
    fn binary(fun: Fun, x: Self, y: Self) -> Self;
}

macro_rules! scalar {
    ($name:ident, $bytes:expr) => {
        impl Scalar for $name {
            const BYTES: u64 = $bytes;
            fn of(x: f64) -> Self {
                x as $name
            }
            fn of_int(n: i64) -> Self {
                n as $name
            }
            fn wide(self) -> f64 {
                f64::from(self)
            }
            fn add(self, other: Self) -> Self {
                self + other
            }
            fn mul(self, other: Self) -> Self {
                self * other
            }
            fn div(self, other: Self) -> Self {
                self / other
            }
            fn neg(self) -> Self {
                -self
            }
            fn unary(fun: Fun, x: Self) -> Self {
                match fun {
                    Fun::Neg => -x,
                    Fun::Abs => x.abs(),
                    Fun::Sqrt => x.sqrt(),
                    _ => unary(fun, f64::from(x)) as $name,
                }
            }
            fn binary(fun: Fun, x: Self, y: Self) -> Self {
                match fun {
                    Fun::Add => x + y,
                    Fun::Mul => x * y,
                    Fun::Div => x / y,
                    Fun::Min if y < x => y,
                    Fun::Max if y > x => y,
                    Fun::Min | Fun::Max => x,
                    _ => binary(fun, f64::from(x), f64::from(y)) as $name,
                }
            }
        }
    };
}

scalar!(f64, 8);
scalar!(f32, 4);

/// From here on `digamma(x)` rounds to `log(x)`, and `trigamma(x)` to `1 / x`.
const LARGE: f64 = 1e17;
/// From here on `lgamma(x)` is `x (log(x) - 1)` to within rounding.
const HUGE: f64 = 1e300;

fn unary(fun: Fun, x: f64) -> f64 {
    match fun {
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
        Fun::Sigmoid if x < 0.0 => pxfm::f_exp(x) / (1.0 + pxfm::f_exp(x)),
        Fun::Sigmoid => 1.0 / (1.0 + pxfm::f_exp(-x)),
        Fun::Erf => pxfm::f_erf(x),
        Fun::Lgamma if x > HUGE => x * (pxfm::f_log(x) - 1.0),
        Fun::Lgamma => pxfm::f_lgamma(x),
        Fun::Digamma if x > LARGE => pxfm::f_log(x),
        Fun::Digamma => pxfm::f_digamma(x),
        Fun::Trigamma if x > LARGE => 1.0 / x,
        Fun::Trigamma => pxfm::f_trigamma(x),
        Fun::Neg
        | Fun::Sqrt
        | Fun::Abs
        | Fun::Add
        | Fun::Mul
        | Fun::Div
        | Fun::Pow
        | Fun::Atan2
        | Fun::Min
        | Fun::Max
        | Fun::User(_) => unreachable!("{fun:?} is no elementary function of one argument"),
    }
}

fn binary(fun: Fun, x: f64, y: f64) -> f64 {
    match fun {
        Fun::Pow => pxfm::f_pow(x, y),
        Fun::Atan2 => pxfm::f_atan2(x, y),
        _ => unreachable!("{fun:?} is no elementary function of two arguments"),
    }
}
