//! Scalars: what stands for a real number during an evaluation.

/// The functions of one argument, as a pattern.
macro_rules! one_argument {
    () => {
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
    };
}

/// The functions of two or more arguments, as a pattern.
macro_rules! two_arguments {
    () => {
        Fun::Add | Fun::Mul | Fun::Div | Fun::Pow | Fun::Atan2 | Fun::Min | Fun::Max
    };
}

mod dual;
mod float;
mod interval;
mod rational;

pub use dual::Dual;
pub use interval::Interval;
pub use rational::Rational;

use iverson_spec::function::Fun;
use iverson_spec::number::Number;
use std::cmp::Ordering;
use std::fmt::Debug;
use thiserror::Error;

/// A number type that programs can be evaluated over.
///
/// `f64` is what compilers are compared with, [`Rational`] is exact, [`Dual`]
/// carries a directional derivative, [`Interval`] encloses the exact value.
pub trait Scalar: Clone + Debug + PartialEq {
    /// A constant of the program.
    fn constant(value: &Number) -> Self;

    /// An index as a real.
    fn integer(value: i64) -> Self;

    /// The ratio of a circle's circumference to its diameter.
    ///
    /// # Errors
    /// [`ScalarError::NotExact`] where it has no value.
    fn pi() -> Result<Self, ScalarError>;

    /// The maximum (`negative`) or minimum of no numbers.
    ///
    /// # Errors
    /// [`ScalarError::NoInfinity`] where it has no value.
    fn infinity(negative: bool) -> Result<Self, ScalarError>;

    /// `fun(x)`
    ///
    /// # Errors
    /// [`ScalarError`] where there is no value.
    fn unary(fun: Fun, x: &Self) -> Result<Self, ScalarError>;

    /// `fun(x, y)`; `max(x, y)` is y if and only if y > x, `min(x, y)` if and
    /// only if y < x (so the first wins a tie, and NaN never replaces).
    ///
    /// # Errors
    /// [`ScalarError`] where there is no value.
    fn binary(fun: Fun, x: &Self, y: &Self) -> Result<Self, ScalarError>;

    /// How `self` compares with `other`; `None` if they are unordered (NaN).
    ///
    /// # Errors
    /// [`ScalarError::Undecided`] where that is not certain.
    fn compare(&self, other: &Self) -> Result<Option<Ordering>, ScalarError>;

    /// The greatest integer that is not above `self`.
    ///
    /// # Errors
    /// [`ScalarError::FloorOutOfRange`] for NaN and beyond 64 bits,
    /// [`ScalarError::Undecided`] where it is not certain.
    fn floor(&self) -> Result<i64, ScalarError>;

    /// Any function but a user's; `Add` and `Mul` of many, left to right.
    ///
    /// # Errors
    /// [`ScalarError`] where there is no value.
    fn apply(fun: Fun, args: &[Self]) -> Result<Self, ScalarError> {
        match args {
            [] => unreachable!("every function has an argument"),
            [x] => Self::unary(fun, x),
            [x, y] => Self::binary(fun, x, y),
            [first, rest @ ..] => {
                rest.iter().try_fold(first.clone(), |sum, x| Self::binary(fun, &sum, x))
            }
        }
    }

    /// Whether [`Scalar::chain`] wants partial derivatives.
    const DIFFERENTIATES: bool = false;

    /// `self` without its own tangent.
    #[must_use]
    fn detached(&self) -> Self {
        self.clone()
    }

    /// `self` without any tangent, inner ones included.
    #[must_use]
    fn frozen(&self) -> Self {
        self.clone()
    }

    /// A user's function at `args`: `value` is computed from frozen arguments,
    /// `partials` from detached ones.
    ///
    /// # Errors
    /// [`ScalarError`] where the chain rule has no value.
    fn chain(value: Self, _partials: &[Self], _args: &[Self]) -> Result<Self, ScalarError> {
        Ok(value)
    }
}

/// Why a scalar has no value.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ScalarError {
    /// A rational scalar cannot be the value.
    #[error("`{function}` has no exact rational value here")]
    NotExact {
        /// The function or constant.
        function: &'static str,
    },
    /// No enclosure of the function is implemented.
    #[error("`{function}` has no proved enclosure")]
    NotEnclosed {
        /// The function.
        function: &'static str,
    },
    /// The function has no derivative in the language.
    #[error("`{function}` has no derivative in the language")]
    NoDerivative {
        /// The function.
        function: &'static str,
    },
    /// The interval does not decide.
    #[error("the interval {interval} does not decide {question}")]
    Undecided {
        /// What is not decided.
        question: String,
        /// The interval.
        interval: String,
    },
    /// A quotient of rationals by 0.
    #[error("division by zero")]
    DivisionByZero,
    /// An argument outside the domain.
    #[error("`{function}` is not defined at {argument}")]
    Domain {
        /// The function.
        function: &'static str,
        /// The argument.
        argument: String,
    },
    /// An empty `max` or `min` without infinities.
    #[error("the maximum or minimum of no points is infinite, and these scalars have no infinity")]
    NoInfinity,
    /// `floor` of NaN, or beyond 64-bit integers.
    #[error("`floor` of {value} is not a 64-bit integer")]
    FloorOutOfRange {
        /// The argument.
        value: String,
    },
}

/// The name of a function that is not a user's.
fn name(fun: Fun) -> &'static str {
    fun.name().unwrap_or("a user's function")
}

/// Stops at a function with another number of arguments, or a user's.
fn wrong_arity(fun: Fun) -> ! {
    unreachable!("scalars are given `{}` with another number of arguments", name(fun))
}

/// `floor` of a finite `f64`, if it is in range.
fn floor_f64(x: f64) -> Result<i64, ScalarError> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let down = x.floor();
    let fits = (-LIMIT..LIMIT).contains(&down);
    fits.then_some(down as i64).ok_or_else(|| ScalarError::FloorOutOfRange { value: x.to_string() })
}
