//! Laws of constants in bodies.

use crate::scope::Scope;
use iverson_spec::function::Fun;
use iverson_spec::ir::Expr;
use iverson_spec::number::Number;
use iverson_spec::ssa::{Term, negate};

/// The body with `f` applied to every part that it changes, innermost first; `None` if to none.
fn everywhere(e: &Expr, f: &dyn Fn(Fun, &[Expr]) -> Option<Expr>) -> Option<Expr> {
    let Expr::Apply(fun, args) = e else { return None };
    let new: Vec<Option<Expr>> = args.iter().map(|a| everywhere(a, f)).collect();
    if new.iter().all(Option::is_none) {
        return f(*fun, args);
    }
    let args = args.iter().zip(new).map(|(old, new)| new.unwrap_or_else(|| old.clone()));
    let args: Vec<Expr> = args.collect();
    Some(f(*fun, &args).unwrap_or(Expr::Apply(*fun, args)))
}

fn constant(e: &Expr) -> Option<&Number> {
    match e {
        Expr::Const(n) => Some(n),
        Expr::Pi
        | Expr::Real(_)
        | Expr::Access(..)
        | Expr::Apply(..)
        | Expr::Guarded(..)
        | Expr::If(..)
        | Expr::Reduce(_)
        | Expr::Let(..) => None,
    }
}

fn is_integer(e: &Expr, n: i64) -> bool {
    constant(e).and_then(Number::as_integer) == Some(n)
}

/// `f` of these arguments; none is `unit`, a single one is itself.
fn joined(fun: Fun, mut args: Vec<Expr>, unit: i64) -> Expr {
    match args.len() {
        0 => Expr::integer(unit),
        1 => args.remove(0),
        _ => Expr::Apply(fun, args),
    }
}

/// `0 e = 0`, `0 / e = 0`, `0 + e = e`.
///
/// Side condition: `e` has a value: an error or an infinity in it is forgotten.
pub(crate) fn zero(_: &Scope<'_>, body: &Expr) -> Option<Expr> {
    everywhere(body, &|fun, args| match fun {
        Fun::Mul if args.iter().any(|a| is_integer(a, 0)) => Some(Expr::integer(0)),
        Fun::Div if is_integer(&args[0], 0) => Some(Expr::integer(0)),
        Fun::Add if args.iter().any(|a| is_integer(a, 0)) => {
            let others = args.iter().filter(|a| !is_integer(a, 0)).cloned().collect();
            Some(joined(Fun::Add, others, 0))
        }
        _ => None,
    })
}

/// A term whose body is 0 is dropped.
///
/// Side condition: it is a term of a sum.
pub(crate) fn zero_term(_: &mut Scope<'_>, term: &Term) -> Option<Vec<Term>> {
    is_integer(&term.body, 0).then(Vec::new)
}

/// `1 e = e`, `e / 1 = e`, `e^1 = e`, `e^0 = 1`.
///
/// Side condition: none; `0^0` is 1 in the language.
pub(crate) fn one(_: &Scope<'_>, body: &Expr) -> Option<Expr> {
    everywhere(body, &|fun, args| match fun {
        Fun::Mul if args.iter().any(|a| is_integer(a, 1)) => {
            let others = args.iter().filter(|a| !is_integer(a, 1)).cloned().collect();
            Some(joined(Fun::Mul, others, 1))
        }
        Fun::Div | Fun::Pow if is_integer(&args[1], 1) => Some(args[0].clone()),
        Fun::Pow if is_integer(&args[1], 0) => Some(Expr::integer(1)),
        _ => None,
    })
}

/// `c (d e) = (c d) e`, `e c = c e`, `c + (d + e) = (c + d) + e`, `c / d`, `-c`.
///
/// Side condition: a divisor is not 0.
pub(crate) fn fold_constants(_: &Scope<'_>, body: &Expr) -> Option<Expr> {
    everywhere(body, &|fun, args| match fun {
        Fun::Mul => product(args),
        Fun::Add => sum(args),
        Fun::Neg => Some(negate(args[0].clone())),
        Fun::Div => {
            let (a, b) = (constant(&args[0])?, constant(&args[1])?);
            (b.as_integer() != Some(0)).then(|| Expr::Const(Number::new(a.exact() / b.exact())))
        }
        _ => None,
    })
}

/// The coefficient of a factor, and the rest.
fn coefficient(e: &Expr) -> Option<(&Number, &[Expr])> {
    match e {
        Expr::Const(n) => Some((n, &[])),
        Expr::Apply(Fun::Mul, args) => Some((constant(&args[0])?, &args[1..])),
        Expr::Apply(..) | Expr::Pi | Expr::Real(_) | Expr::Access(..) => None,
        Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => None,
    }
}

fn product(args: &[Expr]) -> Option<Expr> {
    let movable = args.iter().skip(1).any(|a| coefficient(a).is_some());
    let nested = matches!(&args[0], Expr::Apply(Fun::Mul, _));
    if !movable && !nested {
        return None;
    }
    let mut total = Number::integer(1);
    let mut factors = Vec::with_capacity(args.len());
    for (place, arg) in args.iter().enumerate() {
        match (coefficient(arg), arg) {
            (Some((c, rest)), _) => {
                total = Number::new(total.exact() * c.exact());
                match (place, rest) {
                    (0, _) => factors.extend(rest.iter().cloned()),
                    (_, []) => {}
                    (_, rest) => factors.push(joined(Fun::Mul, rest.to_vec(), 1)),
                }
            }
            (None, Expr::Apply(Fun::Mul, inner)) if place == 0 => {
                factors.extend(inner.iter().cloned())
            }
            (None, other) => factors.push(other.clone()),
        }
    }
    if total != Number::integer(1) || factors.is_empty() {
        factors.insert(0, Expr::Const(total));
    }
    Some(joined(Fun::Mul, factors, 1))
}

fn sum(args: &[Expr]) -> Option<Expr> {
    let mut flat = Vec::with_capacity(args.len());
    for arg in args {
        match arg {
            Expr::Apply(Fun::Add, inner) => flat.extend(inner.iter().cloned()),
            other => flat.push(other.clone()),
        }
    }
    let constants = flat.iter().filter_map(constant).count();
    if flat.len() == args.len() && constants < 2 {
        return None;
    }
    let total = flat.iter().filter_map(constant);
    let total = total.fold(Number::integer(0), |sum, c| Number::new(sum.exact() + c.exact()));
    let first = flat.iter().position(|e| constant(e).is_some());
    let mut kept: Vec<Expr> = Vec::with_capacity(flat.len());
    for (place, e) in flat.into_iter().enumerate() {
        if Some(place) == first {
            kept.push(Expr::Const(total.clone()));
        } else if constant(&e).is_none() {
            kept.push(e);
        }
    }
    Some(joined(Fun::Add, kept, 0))
}

/// `(a / b) c = (a c) / b`, `(a / b) / c = a / (b c)`: one division for each body.
///
/// Side condition: none; a divisor that is 0 stays a divisor.
pub(crate) fn join_quotients(_: &Scope<'_>, body: &Expr) -> Option<Expr> {
    everywhere(body, &|fun, args| match (fun, args) {
        (Fun::Mul, args) => {
            let place = args.iter().position(|a| matches!(a, Expr::Apply(Fun::Div, _)))?;
            let Expr::Apply(_, parts) = &args[place] else { return None };
            let mut factors = args.to_vec();
            factors[place] = parts[0].clone();
            Some(Expr::Apply(Fun::Div, vec![Expr::Apply(Fun::Mul, factors), parts[1].clone()]))
        }
        (Fun::Div, [Expr::Apply(Fun::Div, parts), c]) => {
            let divisor = Expr::Apply(Fun::Mul, vec![parts[1].clone(), c.clone()]);
            Some(Expr::Apply(Fun::Div, vec![parts[0].clone(), divisor]))
        }
        _ => None,
    })
}
