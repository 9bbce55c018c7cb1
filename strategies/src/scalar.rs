//! The numbers that strategies compute with.

use iverson_spec::function::Fun;
use iverson_spec::number::Number;
use std::cmp::Ordering;
use std::fmt::Debug;

/// What stands for a real number in a run.
///
/// Every operation has a result, since the inner loops do not stop: a scalar that
/// has no value for something (a quotient by zero, the maximum of no points) needs
/// an element that says so and spreads, as NaN does.
pub trait Scalar: Clone + Debug + PartialEq {
    /// Whether an index without a value is an error only where it is read. So it is for
    /// scalars without infinities, where the maximum of no points has no value.
    const LAZY: bool = false;

    /// What stands for a value that there is not.
    fn undefined() -> Self;

    /// A constant of the program.
    fn constant(value: &Number) -> Self;

    /// An index as a real.
    fn integer(value: i64) -> Self;

    /// The ratio of a circle's circumference to its diameter.
    fn pi() -> Self;

    /// The maximum (`negative`) or minimum of no numbers.
    fn infinity(negative: bool) -> Self;

    /// `self + other`
    #[must_use]
    fn plus(&self, other: &Self) -> Self;

    /// `self * other`
    #[must_use]
    fn times(&self, other: &Self) -> Self;

    /// `fun(self)`, for a function of one argument that is not a user's.
    #[must_use]
    fn unary(&self, fun: Fun) -> Self;

    /// `fun(self, other)`; the first wins a tie of `max` and `min`.
    #[must_use]
    fn binary(&self, fun: Fun, other: &Self) -> Self;

    /// How `self` compares with `other`; `None` if they are unordered.
    fn order(&self, other: &Self) -> Option<Ordering>;

    /// The greatest integer that is not above `self`, if it is a 64-bit one.
    fn floor(&self) -> Option<i64>;
}

/// IEEE arithmetic; elementary functions are those of the standard library, the
/// special ones those of pxfm.
impl Scalar for f64 {
    fn undefined() -> Self {
        Self::NAN
    }

    fn constant(value: &Number) -> Self {
        value.nearest()
    }

    fn integer(value: i64) -> Self {
        value as Self
    }

    fn pi() -> Self {
        std::f64::consts::PI
    }

    fn infinity(negative: bool) -> Self {
        if negative { Self::NEG_INFINITY } else { Self::INFINITY }
    }

    #[inline]
    fn plus(&self, other: &Self) -> Self {
        self + other
    }

    #[inline]
    fn times(&self, other: &Self) -> Self {
        self * other
    }

    fn unary(&self, fun: Fun) -> Self {
        let x = *self;
        match fun {
            Fun::Neg => -x,
            Fun::Exp => x.exp(),
            Fun::Expm1 => x.exp_m1(),
            Fun::Log => x.ln(),
            Fun::Log1p => x.ln_1p(),
            Fun::Sin => x.sin(),
            Fun::Cos => x.cos(),
            Fun::Tan => x.tan(),
            Fun::Asin => x.asin(),
            Fun::Acos => x.acos(),
            Fun::Atan => x.atan(),
            Fun::Sinh => x.sinh(),
            Fun::Cosh => x.cosh(),
            Fun::Tanh => x.tanh(),
            Fun::Sqrt => x.sqrt(),
            Fun::Abs => x.abs(),
            Fun::Sigmoid if x < 0.0 => x.exp() / (1.0 + x.exp()),
            Fun::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Fun::Erf => pxfm::f_erf(x),
            Fun::Lgamma => pxfm::f_lgamma(x),
            Fun::Digamma => pxfm::f_digamma(x),
            Fun::Trigamma => pxfm::f_trigamma(x),
            Fun::Add
            | Fun::Mul
            | Fun::Div
            | Fun::Pow
            | Fun::Atan2
            | Fun::Min
            | Fun::Max
            | Fun::User(_) => wrong_arity(fun),
        }
    }

    fn binary(&self, fun: Fun, other: &Self) -> Self {
        let (x, y) = (*self, *other);
        match fun {
            Fun::Add => x + y,
            Fun::Mul => x * y,
            Fun::Div => x / y,
            Fun::Pow if y == 2.0 => x * x,
            Fun::Pow => x.powf(y),
            Fun::Atan2 => x.atan2(y),
            Fun::Min if y < x => y,
            Fun::Max if y > x => y,
            Fun::Min | Fun::Max => x,
            Fun::Neg
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
            | Fun::User(_) => wrong_arity(fun),
        }
    }

    fn order(&self, other: &Self) -> Option<Ordering> {
        self.partial_cmp(other)
    }

    fn floor(&self) -> Option<i64> {
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        let down = f64::floor(*self);
        (-LIMIT..LIMIT).contains(&down).then_some(down as i64)
    }
}

fn wrong_arity(fun: Fun) -> ! {
    unreachable!("a function has as many arguments as it takes (invariant 7): {fun:?}")
}
