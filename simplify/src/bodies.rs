//! Laws of bodies: constants, and products in one form.
//!
//! A body is read as `c · f₁ · f₂ ·· / d₁ / d₂ ··` with one rational constant in
//! front, which is how it is written again.

use crate::context::{Context, Place};
use iverson_spec::function::Fun;
use iverson_spec::ir::Expr;
use iverson_spec::number::Number;
use iverson_spec::ssa::Term;

/// A body as a product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Product {
    pub(crate) coefficient: Number,
    pub(crate) factors: Vec<Expr>,
    pub(crate) divisors: Vec<Expr>,
}

impl Product {
    /// The factors of a body.
    pub(crate) fn of(body: &Expr) -> Self {
        let (factors, divisors) = (Vec::new(), Vec::new());
        let mut product = Self { coefficient: Number::integer(1), factors, divisors };
        product.multiply(body);
        product
    }

    /// The product with one more factor.
    pub(crate) fn multiply(&mut self, e: &Expr) {
        match e {
            Expr::Const(n) => self.scale(n),
            Expr::Apply(Fun::Mul, args) => args.iter().for_each(|arg| self.multiply(arg)),
            Expr::Apply(Fun::Neg, args) if args.len() == 1 => {
                self.scale(&Number::integer(-1));
                self.multiply(&args[0]);
            }
            Expr::Apply(Fun::Div, args) if args.len() == 2 => {
                self.multiply(&args[0]);
                self.divide(&args[1]);
            }
            Expr::Pi
            | Expr::Real(_)
            | Expr::Access(..)
            | Expr::Apply(..)
            | Expr::Guarded(..)
            | Expr::If(..)
            | Expr::Reduce(_)
            | Expr::Let(..) => self.factors.push(e.clone()),
        }
    }

    /// A constant divisor joins the coefficient where that is a decimal number.
    fn divide(&mut self, e: &Expr) {
        match constant(e).and_then(|n| quotient(&self.coefficient, n)) {
            Some(coefficient) => self.coefficient = coefficient,
            None => self.divisors.push(e.clone()),
        }
    }

    /// The product times a constant.
    pub(crate) fn scale(&mut self, n: &Number) {
        self.coefficient = Number::new(self.coefficient.exact() * n.exact());
    }

    /// The body: `c * f₁ * f₂ / d₁ / d₂`.
    pub(crate) fn body(&self) -> Expr {
        let mut factors = self.factors.clone();
        if factors.is_empty() || self.coefficient.as_integer() != Some(1) {
            factors.insert(0, Expr::Const(self.coefficient.clone()));
        }
        let product = match factors.len() {
            1 => factors.remove(0),
            _ => Expr::Apply(Fun::Mul, factors),
        };
        let divide = |a, b: &Expr| Expr::Apply(Fun::Div, vec![a, b.clone()]);
        self.divisors.iter().fold(product, divide)
    }
}

/// `0 e = 0`
pub(crate) fn zero(_: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    is_zero(&Product::of(&term.body).coefficient).then(Vec::new)
}

/// `1 e = e` and its kin, and products in one form
pub(crate) fn one(_: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    changed(term, |body| Product::of(&without_units(body)).body())
}

/// `f(a, b) = c` for constants
pub(crate) fn fold_constants(_: &mut Context, _: Place<'_>, term: &Term) -> Option<Vec<Term>> {
    changed(term, folded)
}

fn changed(term: &Term, rewrite: impl Fn(&Expr) -> Expr) -> Option<Vec<Term>> {
    let body = rewrite(&term.body);
    let (binders, guard) = (term.binders.clone(), term.guard.clone());
    (body != term.body).then(|| vec![Term { binders, guard, body }])
}

/// The arguments of functions without units.
fn without_units(e: &Expr) -> Expr {
    let Expr::Apply(fun, args) = e else { return e.clone() };
    let args: Vec<Expr> = args.iter().map(without_units).collect();
    match (fun, args.as_slice()) {
        (Fun::Pow, [base, Expr::Const(n)]) if n.as_integer() == Some(1) => base.clone(),
        (Fun::Mul | Fun::Div | Fun::Neg, _) => Product::of(&Expr::Apply(*fun, args)).body(),
        (Fun::Add, _) => {
            let mut kept: Vec<Expr> =
                args.iter().filter(|a| !is_constant_zero(a)).map(signed).collect();
            match kept.len() {
                0 => Expr::integer(0),
                1 => kept.remove(0),
                _ => Expr::Apply(Fun::Add, kept),
            }
        }
        _ => Expr::Apply(*fun, args),
    }
}

/// A summand with its sign in front: `-e`, which is written as a difference.
fn signed(e: &Expr) -> Expr {
    let mut product = Product::of(e);
    if constant(e).is_some() || !product.coefficient.is_negative() {
        return e.clone();
    }
    product.scale(&Number::integer(-1));
    Expr::Apply(Fun::Neg, vec![product.body()])
}

/// Operations of constants that are constants, innermost first.
fn folded(e: &Expr) -> Expr {
    if let Expr::Real(index) = e
        && let Some(n) = index.as_constant()
    {
        return Expr::integer(n);
    }
    let Expr::Apply(fun, args) = e else { return e.clone() };
    let args: Vec<Expr> = args.iter().map(folded).collect();
    let constants: Option<Vec<&Number>> = args.iter().map(constant).collect();
    let value = constants.and_then(|numbers| match (fun, numbers.as_slice()) {
        (Fun::Neg, [a]) => Some(a.negate()),
        (Fun::Add, all) => {
            let zero = Number::integer(0);
            Some(all.iter().fold(zero, |sum, n| Number::new(sum.exact() + n.exact())))
        }
        (Fun::Mul, all) => {
            let one = Number::integer(1);
            Some(all.iter().fold(one, |product, n| Number::new(product.exact() * n.exact())))
        }
        (Fun::Div, [a, b]) => quotient(a, b),
        (Fun::Abs, [a]) => Some(if a.is_negative() { a.negate() } else { (*a).clone() }),
        _ => None,
    });
    value.map_or_else(|| Expr::Apply(*fun, args), Expr::Const)
}

/// `a / b`, if it is a decimal number.
fn quotient(a: &Number, b: &Number) -> Option<Number> {
    if is_zero(b) {
        return None;
    }
    let quotient = Number::new(a.exact() / b.exact());
    quotient.decimal().is_some().then_some(quotient)
}

fn constant(e: &Expr) -> Option<&Number> {
    let Expr::Const(n) = e else { return None };
    Some(n)
}

fn is_constant_zero(e: &Expr) -> bool {
    constant(e).is_some_and(is_zero)
}

pub(crate) fn is_zero(n: &Number) -> bool {
    n.as_integer() == Some(0)
}
