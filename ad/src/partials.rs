//! The partial derivatives of the scalar functions, one row each.
//!
//! A partial is a sum of cases `[p] * e`, since some functions have kinks; at a
//! kink the row says which side is taken. The rows are read by both modes.

use crate::AdError;
use crate::user::{self, Derived};
use iverson_spec::ast::Cmp;
use iverson_spec::function::Fun;
use iverson_spec::ir::{Expr, Guard, Symbols};
use iverson_spec::number::Number;

/// `[guard] * value`, a case of a partial derivative.
#[derive(Clone, Debug)]
pub struct Case {
    /// Where it counts.
    pub guard: Guard,
    /// Its value there.
    pub value: Expr,
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
        if let (Expr::Apply(Fun::Mul, args), true) = (&factor, factors.is_empty()) {
            factors.extend_from_slice(args);
        } else {
            factors.push(factor);
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
    add(a, minus(b))
}

/// `-a` inside an expression.
fn minus(a: Expr) -> Expr {
    if let Expr::Const(n) = a { Expr::Const(n.negate()) } else { call(Fun::Neg, a) }
}

/// `-a` as a factor, the sign in front.
fn neg(a: Expr) -> Expr {
    if matches!(a, Expr::Apply(Fun::Div, _)) {
        return Expr::Apply(Fun::Mul, vec![int(-1), a]);
    }
    iverson_spec::ssa::negate(a)
}

fn pow(a: Expr, b: Expr) -> Expr {
    Expr::Apply(Fun::Pow, vec![a, b])
}

fn sqr(a: Expr) -> Expr {
    pow(a, int(2))
}

fn call(fun: Fun, a: Expr) -> Expr {
    Expr::Apply(fun, vec![a])
}

fn real(cmp: Cmp, a: Expr, b: Expr) -> Guard {
    Guard::Real(cmp, Box::new((a, b)))
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
        Fun::Acos => always(neg(div(int(1), call(Fun::Sqrt, sub(int(1), sqr(x)))))),
        Fun::Atan => always(div(int(1), add(int(1), sqr(x)))),
        Fun::Sinh => always(call(Fun::Cosh, x)),
        Fun::Cosh => always(call(Fun::Sinh, x)),
        Fun::Tanh => always(sub(int(1), sqr(call(Fun::Tanh, x)))),
        Fun::Sqrt => always(div(int(1), mul(int(2), call(Fun::Sqrt, x)))),
        // 0 at the kink
        Fun::Abs => vec![
            when(real(Cmp::Gt, x.clone(), int(0)), int(1)),
            when(real(Cmp::Lt, x, int(0)), int(-1)),
        ],
        Fun::Sigmoid => {
            let other = call(Fun::Sigmoid, minus(x.clone()));
            always(mul(call(Fun::Sigmoid, x), other))
        }
        Fun::Erf => {
            let two_over_root_pi = div(int(2), call(Fun::Sqrt, Expr::Pi));
            always(mul(two_over_root_pi, call(Fun::Exp, minus(sqr(x)))))
        }
        Fun::Lgamma => always(call(Fun::Digamma, x)),
        Fun::Digamma => always(call(Fun::Trigamma, x)),
        Fun::Trigamma
        | Fun::Add
        | Fun::Mul
        | Fun::Div
        | Fun::Pow
        | Fun::Atan2
        | Fun::Min
        | Fun::Max
        | Fun::User(_) => return None,
    })
}

/// `∂f/∂x` (`place` 0) or `∂f/∂y` (`place` 1) at `(x, y)`, for a function of two arguments.
fn binary(f: Fun, x: &Expr, y: &Expr, place: usize) -> Option<Vec<Case>> {
    let (a, b) = (x.clone(), y.clone());
    let norm = || add(sqr(x.clone()), sqr(y.clone()));
    Some(match (f, place) {
        (Fun::Div, 0) => always(div(int(1), b)),
        (Fun::Div, _) => always(neg(div(div(a, b.clone()), b))),
        (Fun::Pow, 0) => power_in_base(a, b),
        // 0 where the base is 0 and the power is, too
        (Fun::Pow, _) => {
            let nonzero = real(Cmp::Ne, a.clone(), int(0));
            let positive = real(Cmp::Gt, b.clone(), int(0));
            let guard = Guard::any(vec![nonzero, Guard::Not(Box::new(positive))]);
            vec![when(guard, mul(pow(a.clone(), b), call(Fun::Log, a)))]
        }
        (Fun::Atan2, 0) => always(div(b, norm())),
        (Fun::Atan2, _) => always(neg(div(a, norm()))),
        // the first wins at a tie: y replaces x only where it is beyond it
        (Fun::Max, 0) => vec![when(Guard::Not(Box::new(real(Cmp::Gt, b, a))), int(1))],
        (Fun::Max, _) => vec![when(real(Cmp::Gt, b, a), int(1))],
        (Fun::Min, 0) => vec![when(Guard::Not(Box::new(real(Cmp::Lt, b, a))), int(1))],
        (Fun::Min, _) => vec![when(real(Cmp::Lt, b, a), int(1))],
        _ => return None,
    })
}

/// `∂/∂a a^b` is `b a^(b-1)`, and 0 where both are 0.
fn power_in_base(a: Expr, b: Expr) -> Vec<Case> {
    let Some(c) = constant(&b) else {
        let nonzero = |e: &Expr| real(Cmp::Ne, e.clone(), int(0));
        let guard = Guard::any(vec![nonzero(&a), nonzero(&b)]);
        return vec![when(guard, mul(b.clone(), pow(a, sub(b, int(1)))))];
    };
    let lower = Number::new(c.exact() - Number::integer(1).exact());
    match (c.as_integer(), lower.as_integer()) {
        (Some(0), _) => Vec::new(),
        (_, Some(0)) => always(int(1)),
        (_, Some(1)) => always(mul(Expr::Const(c), a)),
        _ => always(mul(Expr::Const(c), pow(a, Expr::Const(lower)))),
    }
}

/// The constant, with its sign.
fn constant(e: &Expr) -> Option<Number> {
    if let Expr::Apply(Fun::Neg, args) = e {
        return constant(args.first()?).map(|n| n.negate());
    }
    let Expr::Const(n) = e else { return None };
    Some(n.clone())
}

/// The partial derivative of `f(args)` in the argument at `place`.
///
/// # Errors
/// [`AdError::NoDerivative`] if there is none in the language.
pub(crate) fn partials(
    symbols: &Symbols,
    derived: &Derived,
    f: Fun,
    args: &[Expr],
    place: usize,
) -> Result<Vec<Case>, AdError> {
    let known = match (f, args) {
        (Fun::Add, _) => Some(always(int(1))),
        (Fun::Mul, _) => Some(always(product_without(args, place))),
        (Fun::User(id), _) => match derived.get(&(id, place)) {
            Some(partial) => Some(always(Expr::Apply(Fun::User(*partial), args.to_vec()))),
            None => user::partial(symbols, id, args, place),
        },
        (_, [x]) => unary(f, x),
        (_, [x, y]) => binary(f, x, y, place),
        _ => None,
    };
    known.ok_or_else(|| AdError::NoDerivative {
        function: function_name(symbols, f),
        tensor: String::new(),
    })
}

fn product_without(args: &[Expr], place: usize) -> Expr {
    let others = args.iter().enumerate().filter(|(k, _)| *k != place);
    others.fold(int(1), |product, (_, arg)| mul(product, arg.clone()))
}

/// The name of a function in a message.
fn function_name(symbols: &Symbols, f: Fun) -> String {
    if let Fun::User(id) = f {
        return symbols.function(id).name.clone();
    }
    f.name().unwrap_or_default().to_owned()
}
