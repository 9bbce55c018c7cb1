//! The table of kernels: which function of the language is which kernel, and its bound.

use super::real::Real;
use super::trigonometric::{cos_of, is_far, sin_of, tan_of};
use super::{exponential, far, inverse, logarithm, power, simple, special, strict, trigonometric};
use iverson_spec::function::Fun;

/// How elementary functions are computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// Vector kernels within [`BOUNDS`].
    #[default]
    Fast,
    /// Correctly rounded where the interpreter is.
    Strict,
}

/// A function of one argument.
pub(super) trait Unary {
    /// What it computes.
    const FUN: Fun;
    /// At x; where [`Unary::is_far`] holds the value is meaningless.
    fn at<R: Real>(x: R) -> R;

    /// Where [`Unary::far`] must be asked.
    #[inline(always)]
    fn is_far(_: f64) -> bool {
        false
    }

    /// At x, one element at a time.
    fn far(x: f64) -> f64 {
        Self::at(x)
    }

    /// At any x.
    #[inline(always)]
    fn whole(x: f64) -> f64 {
        if Self::is_far(x) { Self::far(x) } else { Self::at(x) }
    }
}

/// A function of two arguments.
pub(super) trait Binary {
    /// What it computes.
    const FUN: Fun;
    /// At x and y.
    fn at<R: Real>(x: R, y: R) -> R;
}

macro_rules! unary {
    ($($name:ident = $kernel:path $(, far $far:path)?;)*) => {$(
        pub(super) struct $name;
        impl Unary for $name {
            const FUN: Fun = Fun::$name;
            #[inline(always)]
            fn at<R: Real>(x: R) -> R {
                $kernel(x)
            }
            $(
                #[inline(always)]
                fn is_far(x: f64) -> bool {
                    is_far(x)
                }
                fn far(x: f64) -> f64 {
                    $far(far::reduce(x))
                }
            )?
        }
    )*};
}

unary! {
    Neg = simple::neg;
    Exp = exponential::exp;
    Expm1 = exponential::expm1;
    Log = logarithm::log;
    Log1p = logarithm::log1p;
    Sin = trigonometric::sin, far sin_of;
    Cos = trigonometric::cos, far cos_of;
    Tan = trigonometric::tan, far tan_of;
    Asin = inverse::asin;
    Acos = inverse::acos;
    Atan = inverse::atan;
    Sinh = exponential::sinh;
    Cosh = exponential::cosh;
    Tanh = exponential::tanh;
    Sqrt = simple::sqrt;
    Abs = simple::abs;
    Sigmoid = exponential::sigmoid;
    Erf = special::erf;
    Lgamma = special::lgamma;
    Digamma = special::digamma;
    Trigamma = special::trigamma;
}

macro_rules! binary {
    ($($name:ident = $kernel:path;)*) => {$(
        pub(super) struct $name;
        impl Binary for $name {
            const FUN: Fun = Fun::$name;
            #[inline(always)]
            fn at<R: Real>(x: R, y: R) -> R {
                $kernel(x, y)
            }
        }
    )*};
}

binary! {
    Pow = power::pow;
    Atan2 = inverse::atan2;
    Min = simple::min;
    Max = simple::max;
}

/// Uses a function of one argument, whichever it is, as a type.
macro_rules! with_unary {
    ($fun:expr, $kernel:ident => $use:expr) => {
        with_unary!(@ $fun, $kernel => $use;
            Neg Exp Expm1 Log Log1p Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Sqrt Abs Sigmoid Erf
            Lgamma Digamma Trigamma)
    };
    (@ $fun:expr, $kernel:ident => $use:expr; $($name:ident)*) => {
        match $fun {
            $(iverson_spec::function::Fun::$name => {
                type $kernel = $crate::math::kernels::$name;
                Some($use)
            })*
            iverson_spec::function::Fun::Add
            | iverson_spec::function::Fun::Mul
            | iverson_spec::function::Fun::Div
            | iverson_spec::function::Fun::Pow
            | iverson_spec::function::Fun::Atan2
            | iverson_spec::function::Fun::Min
            | iverson_spec::function::Fun::Max
            | iverson_spec::function::Fun::User(_) => None,
        }
    };
}

/// Uses a function of two arguments that is more than an operation, as a type.
macro_rules! with_binary {
    ($fun:expr, $kernel:ident => $use:expr) => {{
        use iverson_spec::function::Fun;
        use $crate::math::kernels;
        match $fun {
            Fun::Pow => {
                type $kernel = kernels::Pow;
                Some($use)
            }
            Fun::Atan2 => {
                type $kernel = kernels::Atan2;
                Some($use)
            }
            Fun::Min => {
                type $kernel = kernels::Min;
                Some($use)
            }
            Fun::Max => {
                type $kernel = kernels::Max;
                Some($use)
            }
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
    }};
}

pub(super) use {with_binary, with_unary};

/// A function of one argument at one point, with the bits of [`super::unary_slice`]; `None` if
/// it is not one.
#[must_use]
pub fn unary(mode: Mode, fun: Fun) -> Option<fn(f64) -> f64> {
    match mode {
        Mode::Fast => with_unary!(fun, K => <K as Unary>::whole as fn(f64) -> f64),
        Mode::Strict => strict::unary(fun),
    }
}

/// pow, atan2, min or max at one point, with the bits of [`super::binary_slice`]; `None` for others.
#[must_use]
pub fn binary(mode: Mode, fun: Fun) -> Option<fn(f64, f64) -> f64> {
    match mode {
        Mode::Fast => with_binary!(fun, K => <K as Binary>::at::<f64> as fn(f64, f64) -> f64),
        Mode::Strict => strict::binary(fun),
    }
}

/// How far a kernel may be from the correctly rounded value.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// The function.
    pub fun: Fun,
    /// In units of the last place of the result.
    pub units: f64,
    /// Or in units of the last place of 1: for functions with zeros that the method does not resolve.
    pub units_of_one: f64,
}

const fn bound(fun: Fun, units: f64) -> Bound {
    Bound { fun, units, units_of_one: 0.0 }
}

/// The bounds of [`Mode::Fast`] in `f64`. What is not listed is correctly rounded.
pub const BOUNDS: &[Bound] = &[
    bound(Fun::Exp, 1.0),
    bound(Fun::Expm1, 1.0),
    bound(Fun::Log, 1.0),
    bound(Fun::Log1p, 1.0),
    bound(Fun::Sin, 1.0),
    bound(Fun::Cos, 1.0),
    bound(Fun::Tan, 2.0),
    bound(Fun::Asin, 2.0),
    bound(Fun::Acos, 2.0),
    bound(Fun::Atan, 2.0),
    bound(Fun::Sinh, 2.0),
    bound(Fun::Cosh, 2.0),
    bound(Fun::Tanh, 2.0),
    bound(Fun::Sigmoid, 3.0),
    bound(Fun::Erf, 2.0),
    bound(Fun::Pow, 1.0),
    bound(Fun::Atan2, 2.0),
    Bound { fun: Fun::Lgamma, units: 32.0, units_of_one: 64.0 },
    Bound { fun: Fun::Digamma, units: 16.0, units_of_one: 32.0 },
    bound(Fun::Trigamma, 8.0),
];
