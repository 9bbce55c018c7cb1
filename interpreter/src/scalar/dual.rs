//! Dual numbers: a value with its derivative in one direction.

use super::{Scalar, ScalarError, name, wrong_arity};
use iverson_spec::function::Fun;
use iverson_spec::number::Number;
use std::cmp::Ordering;

/// `primal + ε tangent`, with ε² = 0.
///
/// No tangent is the tangent 0 of a constant: it meets no partial derivative,
/// so an infinite one does no harm. A tangent that happens to be 0 is a number
/// like any other, and `0 * infinity` is what the scalars say.
#[derive(Clone, PartialEq, Debug)]
pub struct Dual<S> {
    /// The value.
    pub primal: S,
    /// The directional derivative; `None` for a constant.
    pub tangent: Option<S>,
}

impl<S: Scalar> Dual<S> {
    /// A value that moves.
    pub fn new(primal: S, tangent: S) -> Self {
        Self { primal, tangent: Some(tangent) }
    }

    /// A value that does not move.
    pub fn still(primal: S) -> Self {
        Self { primal, tangent: None }
    }

    /// The directional derivative as a number.
    pub fn tangent(&self) -> S {
        self.tangent.clone().unwrap_or_else(|| S::integer(0))
    }

    /// The chain rule: `value` with the tangent `Σ partial(k) · tangent of args[k]`.
    fn combine(
        value: S,
        args: &[&Self],
        partial: impl Fn(usize) -> Result<Option<S>, ScalarError>,
    ) -> Result<Self, ScalarError> {
        let mut tangent: Option<S> = None;
        for (k, arg) in args.iter().enumerate() {
            let Some(direction) = &arg.tangent else {
                continue;
            };
            let Some(partial) = partial(k)? else { continue };
            let part = mul(&partial, direction)?;
            tangent = Some(tangent.map_or(Ok(part.clone()), |sum| add(&sum, &part))?);
        }
        Ok(Self { primal: value, tangent })
    }
}

impl<S: Scalar> Scalar for Dual<S> {
    const DIFFERENTIATES: bool = true;

    fn constant(value: &Number) -> Self {
        Self::still(S::constant(value))
    }

    fn integer(value: i64) -> Self {
        Self::still(S::integer(value))
    }

    fn pi() -> Result<Self, ScalarError> {
        S::pi().map(Self::still)
    }

    fn infinity(negative: bool) -> Result<Self, ScalarError> {
        S::infinity(negative).map(Self::still)
    }

    fn unary(fun: Fun, x: &Self) -> Result<Self, ScalarError> {
        let value = S::unary(fun, &x.primal)?;
        Self::combine(value.clone(), &[x], |_| unary_partial(fun, &x.primal, &value))
    }

    fn binary(fun: Fun, x: &Self, y: &Self) -> Result<Self, ScalarError> {
        let (a, b) = (&x.primal, &y.primal);
        let value = S::binary(fun, a, b)?;
        Self::combine(value.clone(), &[x, y], |k| match k {
            0 if fun == Fun::Pow && *b == S::integer(0) => Ok(None), // x^0 = 1; in a higher order only for an exponent that does not move
            0 => first_partial(fun, a, b),
            _ => second_partial(fun, a, b, &value),
        })
    }

    fn compare(&self, other: &Self) -> Result<Option<Ordering>, ScalarError> {
        self.primal.compare(&other.primal)
    }

    fn floor(&self) -> Result<i64, ScalarError> {
        self.primal.floor()
    }

    fn detached(&self) -> Self {
        Self::still(self.primal.clone())
    }

    fn frozen(&self) -> Self {
        Self::still(self.primal.frozen())
    }

    fn chain(value: Self, partials: &[Self], args: &[Self]) -> Result<Self, ScalarError> {
        let primals = |duals: &[Self]| duals.iter().map(|x| x.primal.clone()).collect::<Vec<_>>();
        let partials = primals(partials);
        let value = S::chain(value.primal, &partials, &primals(args))?;
        let args: Vec<&Self> = args.iter().collect();
        Self::combine(value, &args, |k| Ok(Some(partials[k].clone())))
    }
}

fn neg<S: Scalar>(x: &S) -> Result<S, ScalarError> {
    S::unary(Fun::Neg, x)
}

fn add<S: Scalar>(x: &S, y: &S) -> Result<S, ScalarError> {
    S::binary(Fun::Add, x, y)
}

fn sub<S: Scalar>(x: &S, y: &S) -> Result<S, ScalarError> {
    add(x, &neg(y)?)
}

fn mul<S: Scalar>(x: &S, y: &S) -> Result<S, ScalarError> {
    S::binary(Fun::Mul, x, y)
}

fn div<S: Scalar>(x: &S, y: &S) -> Result<S, ScalarError> {
    S::binary(Fun::Div, x, y)
}

fn of<S: Scalar>(fun: Fun, x: &S) -> Result<S, ScalarError> {
    S::unary(fun, x)
}

fn order_with_zero<S: Scalar>(x: &S) -> Result<Option<Ordering>, ScalarError> {
    x.compare(&S::integer(0))
}

/// `∂f/∂x` at x, where `f(x) = v`; `None` is 0.
fn unary_partial<S: Scalar>(fun: Fun, x: &S, v: &S) -> Result<Option<S>, ScalarError> {
    let int = S::integer;
    let square = |x: &S| mul(x, x);
    let partial = match fun {
        Fun::Neg => int(-1),
        Fun::Exp => v.clone(),
        Fun::Expm1 => of(Fun::Exp, x)?,
        Fun::Log => div(&int(1), x)?,
        Fun::Log1p => div(&int(1), &add(&int(1), x)?)?,
        Fun::Sin => of(Fun::Cos, x)?,
        Fun::Cos => neg(&of(Fun::Sin, x)?)?,
        Fun::Tan => add(&int(1), &square(v)?)?,
        Fun::Asin => div(&int(1), &of(Fun::Sqrt, &sub(&int(1), &square(x)?)?)?)?,
        Fun::Acos => div(&int(-1), &of(Fun::Sqrt, &sub(&int(1), &square(x)?)?)?)?,
        Fun::Atan => div(&int(1), &add(&int(1), &square(x)?)?)?,
        Fun::Sinh => of(Fun::Cosh, x)?,
        Fun::Cosh => of(Fun::Sinh, x)?,
        Fun::Tanh => sub(&int(1), &square(v)?)?,
        Fun::Sqrt => div(&int(1), &of(Fun::Abs, &add(v, v)?)?)?, // +∞ at 0 and at -0
        Fun::Abs => match order_with_zero(x)? {
            Some(Ordering::Less) => int(-1),
            Some(Ordering::Equal) => return Ok(None),
            Some(Ordering::Greater) => int(1),
            None => x.clone(),
        },
        Fun::Sigmoid => mul(v, &of(Fun::Sigmoid, &neg(x)?)?)?,
        Fun::Erf => {
            let bell = of(Fun::Exp, &neg(&square(x)?)?)?;
            mul(&div(&int(2), &of(Fun::Sqrt, &S::pi()?)?)?, &bell)?
        }
        Fun::Lgamma => of(Fun::Digamma, x)?,
        Fun::Digamma => of(Fun::Trigamma, x)?,
        Fun::Trigamma => {
            return Err(ScalarError::NoDerivative { function: name(fun) });
        }
        two_arguments!() | Fun::User(_) => wrong_arity(fun),
    };
    Ok(Some(partial))
}

/// `∂f/∂x` at (x, y); `None` is 0.
fn first_partial<S: Scalar>(fun: Fun, x: &S, y: &S) -> Result<Option<S>, ScalarError> {
    Ok(match fun {
        Fun::Add => Some(S::integer(1)),
        Fun::Mul => Some(y.clone()),
        Fun::Div => Some(div(&S::integer(1), y)?),
        Fun::Pow => Some(mul(y, &S::binary(Fun::Pow, x, &sub(y, &S::integer(1))?)?)?),
        Fun::Atan2 => Some(div(y, &add(&mul(x, x)?, &mul(y, y)?)?)?),
        Fun::Min => (y.compare(x)? != Some(Ordering::Less)).then(|| S::integer(1)),
        Fun::Max => (y.compare(x)? != Some(Ordering::Greater)).then(|| S::integer(1)),
        one_argument!() | Fun::User(_) => wrong_arity(fun),
    })
}

/// `∂f/∂y` at (x, y), where `f(x, y) = v`; `None` is 0.
fn second_partial<S: Scalar>(fun: Fun, x: &S, y: &S, v: &S) -> Result<Option<S>, ScalarError> {
    Ok(match fun {
        Fun::Add => Some(S::integer(1)),
        Fun::Mul => Some(x.clone()),
        Fun::Div => Some(neg(&div(v, y)?)?),
        Fun::Pow if zero_base(x, y)? => None,
        Fun::Pow => Some(mul(v, &of(Fun::Log, x)?)?),
        Fun::Atan2 => Some(neg(&div(x, &add(&mul(x, x)?, &mul(y, y)?)?)?)?),
        Fun::Min => (y.compare(x)? == Some(Ordering::Less)).then(|| S::integer(1)),
        Fun::Max => (y.compare(x)? == Some(Ordering::Greater)).then(|| S::integer(1)),
        one_argument!() | Fun::User(_) => wrong_arity(fun),
    })
}

/// Whether x = 0 and y > 0.
fn zero_base<S: Scalar>(x: &S, y: &S) -> Result<bool, ScalarError> {
    Ok(order_with_zero(x)? == Some(Ordering::Equal)
        && order_with_zero(y)? == Some(Ordering::Greater))
}
