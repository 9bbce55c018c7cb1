//! The partial derivatives of the scalar functions, one row each.
//!
//! A partial is a sum of cases `[p] * e`, since some functions have kinks; at a
//! kink the row says which side is taken. The rows are read by both modes.

use crate::AdError;
use iverson_spec::ast::Cmp;
use iverson_spec::function::{Fun, UserFunId};
use iverson_spec::ir::{Expr, Guard, Symbols};
use iverson_spec::number::Number;

/// `[guard] * value`, a case of a partial derivative.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Where it counts.
    pub(crate) guard: Guard,
    /// Its value there.
    pub(crate) value: Expr,
}

pub(crate) fn always(value: Expr) -> Vec<Case> {
    vec![Case { guard: Guard::truth(), value }]
}

fn when(guard: Guard, value: Expr) -> Case {
    Case { guard, value }
}

/// The integer `n`.
pub(crate) fn int(n: i64) -> Expr {
    Expr::integer(n)
}

/// `a * b`; a factor of 1 is left out.
pub(crate) fn mul(a: Expr, b: Expr) -> Expr {
    let one = int(1);
    if a == one {
        return b;
    }
    if b == one {
        return a;
    }
    let mut factors = Vec::new();
    for factor in [a, b] {
        match factor {
            Expr::Apply(Fun::Mul, args) if factors.is_empty() => factors.extend(args),
            other => factors.push(other),
        }
    }
    Expr::Apply(Fun::Mul, factors)
}

fn div(a: Expr, b: Expr) -> Expr {
    Expr::Apply(Fun::Div, vec![a, b])
}

fn add(a: Expr, b: Expr) -> Expr {
    Expr::Apply(Fun::Add, vec![a, b])
}

fn sub(a: Expr, b: Expr) -> Expr {
    add(a, neg(b))
}

fn neg(a: Expr) -> Expr {
    iverson_spec::ssa::negate(a)
}

fn sqr(a: Expr) -> Expr {
    Expr::Apply(Fun::Pow, vec![a, int(2)])
}

fn call(fun: Fun, a: Expr) -> Expr {
    Expr::Apply(fun, vec![a])
}

fn real(cmp: Cmp, a: &Expr, b: Expr) -> Guard {
    Guard::Real(cmp, Box::new((a.clone(), b)))
}

/// `∂f/∂x` at `x`, for a function of one argument.
fn unary(f: Fun, x: &Expr) -> Option<Vec<Case>> {
    let x = x.clone();
    Some(match f {
        Fun::Neg => always(int(-1)),
        Fun::Exp => always(call(Fun::Exp, x)),
        Fun::Expm1 => always(call(Fun::Exp, x)),
        Fun::Log => always(div(int(1), x)),
        Fun::Log1p => always(div(int(1), add(int(1), x))),
        Fun::Sin => always(call(Fun::Cos, x)),
        Fun::Cos => always(neg(call(Fun::Sin, x))),
        Fun::Tan => always(add(int(1), sqr(call(Fun::Tan, x)))),
        Fun::Asin => always(div(int(1), call(Fun::Sqrt, sub(int(1), sqr(x))))),
        Fun::Acos => always(div(int(-1), call(Fun::Sqrt, sub(int(1), sqr(x))))),
        Fun::Atan => always(div(int(1), add(int(1), sqr(x)))),
        Fun::Sinh => always(call(Fun::Cosh, x)),
        Fun::Cosh => always(call(Fun::Sinh, x)),
        Fun::Tanh => always(sub(int(1), sqr(call(Fun::Tanh, x)))),
        Fun::Sqrt => always(div(int(1), mul(int(2), call(Fun::Sqrt, x)))),
        // 0 at the kink
        Fun::Abs => vec![
            when(real(Cmp::Gt, &x, int(0)), int(1)),
            when(real(Cmp::Lt, &x, int(0)), int(-1)),
        ],
        Fun::Sigmoid => {
            let other = call(Fun::Sigmoid, neg(x.clone()));
            always(mul(call(Fun::Sigmoid, x), other))
        }
        Fun::Erf => {
            let two_over_root_pi = div(int(2), call(Fun::Sqrt, Expr::Pi));
            always(mul(two_over_root_pi, call(Fun::Exp, neg(sqr(x)))))
        }
        Fun::Lgamma => always(call(Fun::Digamma, x)),
        Fun::Digamma => always(call(Fun::Trigamma, x)),
        Fun::Trigamma => return None,
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

/// `∂f/∂x` and `∂f/∂y` at `(x, y)`, for a function of two arguments.
fn binary(f: Fun, x: &Expr, y: &Expr) -> Option<[Vec<Case>; 2]> {
    let (a, b) = (x.clone(), y.clone());
    let norm = || add(sqr(x.clone()), sqr(y.clone()));
    Some(match f {
        Fun::Div => [always(div(int(1), b.clone())), always(neg(div(a, sqr(b))))],
        Fun::Pow => power(x, y),
        Fun::Atan2 => [always(div(b, norm())), always(neg(div(a, norm())))],
        // the first wins at a tie: b replaces a only where b > a
        Fun::Max => [
            vec![when(Guard::Not(Box::new(real(Cmp::Gt, y, a.clone()))), int(1))],
            vec![when(real(Cmp::Gt, y, a), int(1))],
        ],
        Fun::Min => [
            vec![when(Guard::Not(Box::new(real(Cmp::Lt, y, a.clone()))), int(1))],
            vec![when(real(Cmp::Lt, y, a), int(1))],
        ],
        _ => return None,
    })
}

/// `x^c` by `c x^(c-1)`, nothing for c = 0; `∂/∂b a^b` is 0 at a = 0.
fn power(x: &Expr, y: &Expr) -> [Vec<Case>; 2] {
    let (a, b) = (x.clone(), y.clone());
    if let Some(c) = constant(y) {
        let lower = Number::new(c.exact() - Number::integer(1).exact());
        return match (c.as_integer(), lower.as_integer()) {
            (Some(0), _) => [Vec::new(), Vec::new()],
            (_, Some(0)) => [always(int(1)), Vec::new()],
            (_, Some(1)) => [always(mul(Expr::Const(c), a)), Vec::new()],
            _ => {
                let power = Expr::Apply(Fun::Pow, vec![a, Expr::Const(lower)]);
                [always(mul(Expr::Const(c), power)), Vec::new()]
            }
        };
    }
    let lower = Expr::Apply(Fun::Pow, vec![a.clone(), sub(b.clone(), int(1))]);
    let whole = Expr::Apply(Fun::Pow, vec![a.clone(), b.clone()]);
    [
        vec![when(real(Cmp::Ne, y, int(0)), mul(b, lower))],
        vec![when(real(Cmp::Ne, x, int(0)), mul(whole, call(Fun::Log, a)))],
    ]
}

/// The constant, with its sign.
fn constant(e: &Expr) -> Option<Number> {
    match e {
        Expr::Const(n) => Some(n.clone()),
        Expr::Apply(Fun::Neg, args) => constant(args.first()?).map(|n| n.negate()),
        _ => None,
    }
}

/// The partial derivative of `f(args)` in each argument.
///
/// # Errors
/// `None` in place of a partial that is not known.
pub(crate) fn partials(
    symbols: &mut Symbols,
    f: Fun,
    args: &[Expr],
) -> Result<Vec<Vec<Case>>, AdError> {
    let unknown = || AdError::NoDerivative {
        function: crate::function_name(f),
        tensor: String::new(),
    };
    match (f, args) {
        (Fun::Add, _) => Ok(args.iter().map(|_| always(int(1))).collect()),
        (Fun::Mul, _) => Ok((0..args.len()).map(|k| always(product_without(args, k))).collect()),
        (Fun::User(id), _) => user(symbols, id, args),
        (_, [x]) => Ok(vec![unary(f, x).ok_or_else(unknown)?]),
        (_, [x, y]) => Ok(binary(f, x, y).ok_or_else(unknown)?.into()),
        _ => Err(unknown()),
    }
}

fn product_without(args: &[Expr], place: usize) -> Expr {
    let others = args.iter().enumerate().filter(|(k, _)| *k != place);
    others.fold(int(1), |product, (_, arg)| mul(product, arg.clone()))
}

/// The partials of a user's function are functions of the program themselves.
fn user(symbols: &mut Symbols, id: UserFunId, args: &[Expr]) -> Result<Vec<Vec<Case>>, AdError> {
    (0..args.len())
        .map(|place| {
            let partial = crate::user::partial(symbols, id, place)?;
            Ok(always(Expr::Apply(Fun::User(partial), args.to_vec())))
        })
        .collect()
}
