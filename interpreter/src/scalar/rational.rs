//! Exact rational numbers.

use super::{Scalar, ScalarError, name, wrong_arity};
use dashu_base::SquareRootRem;
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;
use iverson_spec::function::Fun;
use iverson_spec::number::Number;
use std::cmp::Ordering;

/// Exponents beyond this magnitude have no exact value ([`ScalarError::NotExact`]):
/// their digits would not fit in memory.
const MAX_EXPONENT: u64 = 1 << 20;

/// An exact rational number.
///
/// It has `+ - * /`, powers with integer exponents, `abs`, `min`, `max`,
/// `floor`, comparisons, and `sqrt` of squares; no other function.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rational(pub RBig);

impl Scalar for Rational {
    fn constant(value: &Number) -> Self {
        Self(value.exact().clone())
    }

    fn integer(value: i64) -> Self {
        Self(RBig::from(value))
    }

    fn pi() -> Result<Self, ScalarError> {
        Err(ScalarError::NotExact { function: "pi" })
    }

    fn infinity(_negative: bool) -> Result<Self, ScalarError> {
        Err(ScalarError::NoInfinity)
    }

    fn unary(fun: Fun, Self(x): &Self) -> Result<Self, ScalarError> {
        match fun {
            Fun::Neg => Ok(Self(-x)),
            Fun::Abs if *x < RBig::ZERO => Ok(Self(-x)),
            Fun::Abs => Ok(Self(x.clone())),
            Fun::Sqrt => sqrt(x),
            Fun::Exp
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
            | Fun::Sigmoid
            | Fun::Erf
            | Fun::Lgamma
            | Fun::Digamma
            | Fun::Trigamma => Err(ScalarError::NotExact { function: name(fun) }),
            two_arguments!() | Fun::User(_) => wrong_arity(fun),
        }
    }

    fn binary(fun: Fun, Self(x): &Self, Self(y): &Self) -> Result<Self, ScalarError> {
        match fun {
            Fun::Add => Ok(Self(x + y)),
            Fun::Mul => Ok(Self(x * y)),
            Fun::Div if y.is_zero() => Err(ScalarError::DivisionByZero),
            Fun::Div => Ok(Self(x / y)),
            Fun::Pow => pow(x, y),
            Fun::Min => Ok(Self(if y < x { y } else { x }.clone())),
            Fun::Max => Ok(Self(if y > x { y } else { x }.clone())),
            Fun::Atan2 => Err(ScalarError::NotExact { function: "atan2" }),
            one_argument!() | Fun::User(_) => wrong_arity(fun),
        }
    }

    fn compare(&self, other: &Self) -> Result<Option<Ordering>, ScalarError> {
        Ok(Some(self.cmp(other)))
    }

    fn floor(&self) -> Result<i64, ScalarError> {
        i64::try_from(self.0.floor())
            .map_err(|_| ScalarError::FloorOutOfRange { value: self.0.to_string() })
    }
}

/// The root of a quotient of squares.
fn sqrt(x: &RBig) -> Result<Rational, ScalarError> {
    let function = "sqrt";
    let Ok(numerator) = UBig::try_from(x.numerator().clone()) else {
        return Err(ScalarError::Domain { function, argument: x.to_string() });
    };
    let ((root, rest), (root_below, rest_below)) =
        (numerator.sqrt_rem(), x.denominator().sqrt_rem());
    let square = rest == UBig::ZERO && rest_below == UBig::ZERO;
    let value = square.then(|| Rational(RBig::from_parts(IBig::from(root), root_below)));
    value.ok_or(ScalarError::NotExact { function })
}

fn pow(x: &RBig, y: &RBig) -> Result<Rational, ScalarError> {
    let too_large = ScalarError::NotExact { function: "^" };
    if !y.is_int() {
        return Err(too_large);
    }
    let exponent = match isize::try_from(y.numerator().clone()) {
        Ok(exponent) if exponent.unsigned_abs() as u64 <= MAX_EXPONENT => exponent,
        Ok(_) | Err(_) => return Err(too_large),
    };
    match exponent {
        0 => Ok(Rational(RBig::ONE)),
        1.. => Ok(Rational(x.pow(exponent))),
        _ if x.is_zero() => Err(ScalarError::DivisionByZero),
        _ => Ok(Rational(RBig::ONE / x.pow(-exponent))),
    }
}
