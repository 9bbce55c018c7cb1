//! Expressions as sums of terms, and bodies as one operation on atoms.

use super::{Context, Normalize};
use crate::ast::Reduction;
use crate::function::Fun;
use crate::ir::{Expr, Guard, Value, VarId};
use crate::number::Number;
use crate::ssa::{Term, negate, scale};
use crate::traverse::FreeVars;

impl Normalize {
    /// Adds the terms of `e` (of `-e` if `negative`), summed over `binders`.
    /// The context's guards are those of the term.
    pub(super) fn summands(
        &mut self,
        e: &Expr,
        context: &Context,
        binders: &[VarId],
        negative: bool,
        terms: &mut Vec<Term>,
    ) {
        match e {
            Expr::Apply(Fun::Add, args) => {
                args.iter().for_each(|a| self.summands(a, context, binders, negative, terms));
            }
            Expr::Apply(Fun::Neg, args) => {
                args.iter().for_each(|a| self.summands(a, context, binders, !negative, terms));
            }
            Expr::Guarded(guard, body) => {
                let inner = self.guarded(guard, context);
                self.summands(body, &inner, binders, negative, terms);
            }
            Expr::If(guard, sides) => {
                let guard = self.guard(guard, context);
                let then = context.with_guards(&guard.clone().conjuncts());
                self.summands(&sides.0, &then, binders, negative, terms);
                let other = context.with_guards(&guard.negate().conjuncts());
                self.summands(&sides.1, &other, binders, negative, terms);
            }
            Expr::Reduce(reduce)
                if reduce.op == Reduction::Sum && !self.is_invariant(e, binders, context) =>
            {
                let inner = context.with_vars(&reduce.binders);
                let inner = self.guarded(&reduce.guard, &inner);
                let binders = [binders, &reduce.binders].concat();
                self.summands(&reduce.body, &inner, &binders, negative, terms);
            }
            Expr::Let(blocks, body) => {
                self.lift_blocks(blocks, context);
                let body = self.relocate(body);
                self.summands(&body, context, binders, negative, terms);
            }
            Expr::Const(_)
            | Expr::Pi
            | Expr::Real(_)
            | Expr::Access(..)
            | Expr::Apply(..)
            | Expr::Reduce(_) => {
                let body = self.operation(e, context);
                if is_zero(&body) {
                    return;
                }
                let body = if negative { negate(body) } else { body };
                let guard = Guard::all(context.guards.clone());
                terms.push(Term { binders: binders.to_vec(), guard, body });
            }
        }
    }

    /// Whether a statement of its own computes `e` once for several values of `binders`.
    fn is_invariant(&self, e: &Expr, binders: &[VarId], context: &Context) -> bool {
        let free = FreeVars::of_expr(e);
        if binders.iter().all(|b| free.contains(b)) {
            return false;
        }
        let (domain, _) = self.place(&free, &Value::Real(e.clone()), context);
        binders.iter().any(|b| !domain.vars.contains(b))
    }

    /// The context under one more guard.
    fn guarded(&mut self, guard: &Guard, context: &Context) -> Context {
        let guard = self.guard(guard, context);
        context.with_guards(&guard.conjuncts())
    }

    /// `e` as a constant times one operation on at most two atoms; what is more is lifted.
    pub(super) fn operation(&mut self, e: &Expr, context: &Context) -> Expr {
        match e {
            Expr::Const(_) | Expr::Pi | Expr::Real(_) | Expr::Access(..) => self.atom(e, context),
            Expr::Apply(Fun::Neg, args) => negate(self.operation(&args[0], context)),
            Expr::Apply(Fun::Mul, args) => self.product(args, context),
            Expr::Apply(Fun::Div, args) => self.quotient(&args[0], &args[1], context),
            Expr::Apply(Fun::Add, _) => self.atom(e, context),
            Expr::Apply(fun, args) => {
                let args = args.iter().map(|a| self.atom(a, context)).collect();
                Expr::Apply(*fun, args)
            }
            Expr::Let(blocks, body) => {
                self.lift_blocks(blocks, context);
                let body = self.relocate(body);
                self.operation(&body, context)
            }
            Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) => self.atom(e, context),
        }
    }

    /// `c * a * b * ..`: constants in front are the coefficient, signs go there too,
    /// and all factors but the last two are multiplied first, left to right.
    fn product(&mut self, args: &[Expr], context: &Context) -> Expr {
        let mut coefficient: Option<Number> = None;
        let mut negative = false;
        let mut factors: Vec<Expr> = Vec::new();
        for arg in args {
            let (flipped, arg) = self.factor(arg, context);
            negative ^= flipped;
            if let (Expr::Const(n), true) = (&arg, factors.is_empty()) {
                let before = coefficient.take().unwrap_or_else(|| Number::integer(1));
                coefficient = Some(Number::new(before.exact() * n.exact()));
            } else {
                factors.push(arg);
            }
        }
        let body = match factors.as_slice() {
            [] => Expr::Const(coefficient.take().unwrap_or_else(|| Number::integer(1))),
            [one] => match coefficient.take() {
                None => self.operation(one, context),
                Some(n) => {
                    let factor = self.scalable(one, context);
                    scale(&n, factor)
                }
            },
            [first, rest @ ..] => {
                let mut left = self.atom(first, context);
                for (place, factor) in rest.iter().enumerate() {
                    let factor = self.atom(factor, context);
                    let product = Expr::Apply(Fun::Mul, vec![left, factor]);
                    let product = match coefficient.take() {
                        Some(n) => scale(&n, product),
                        None => product,
                    };
                    left = if place + 1 == rest.len() {
                        product
                    } else {
                        self.lift(&product, context)
                    };
                }
                left
            }
        };
        if negative { negate(body) } else { body }
    }

    /// A factor without its sign and without what a `let` defines before it.
    fn factor(&mut self, e: &Expr, context: &Context) -> (bool, Expr) {
        let (negative, e) = strip_sign(e);
        let Expr::Let(blocks, body) = e else { return (negative, e.clone()) };
        self.lift_blocks(blocks, context);
        let body = self.relocate(body);
        let (flipped, body) = self.factor(&body, context);
        (negative ^ flipped, body)
    }

    /// The factor of a coefficient: an atom or one function of atoms. Anything that is itself
    /// scaled or a sum is computed first.
    fn scalable(&mut self, e: &Expr, context: &Context) -> Expr {
        if let Expr::Apply(fun, _) = e
            && !matches!(fun, Fun::Add | Fun::Neg | Fun::Mul | Fun::Div)
        {
            return self.operation(e, context);
        }
        self.atom(e, context)
    }

    /// `c * a / b`, with the dividend's coefficient kept in front. The divisor is lifted first: then the adjoint of the
    /// dividend, a quotient by it, stands in front of the divisor's, which is a multiple of that.
    fn quotient(&mut self, dividend: &Expr, divisor: &Expr, context: &Context) -> Expr {
        let (negative, dividend) = strip_sign(dividend);
        let (flipped, divisor) = strip_sign(divisor);
        let divisor = self.atom(divisor, context);
        let dividend = if let Expr::Apply(Fun::Mul, args) = dividend
            && let [Expr::Const(n), factor] = args.as_slice()
        {
            let factor = self.atom(factor, context);
            scale(n, factor)
        } else {
            self.atom(dividend, context)
        };
        let quotient = Expr::Apply(Fun::Div, vec![dividend, divisor]);
        if negative ^ flipped { negate(quotient) } else { quotient }
    }

    /// `e` as a constant, an index as a real, or an access; what is more is lifted.
    pub(super) fn atom(&mut self, e: &Expr, context: &Context) -> Expr {
        match e {
            Expr::Const(_) | Expr::Pi => e.clone(),
            Expr::Real(index) => Expr::Real(self.index(index, context)),
            Expr::Access(tensor, indices) => Expr::Access(*tensor, self.indices(indices, context)),
            Expr::Apply(Fun::Neg, args) if matches!(args[0], Expr::Const(_)) => {
                negate(args[0].clone())
            }
            Expr::Let(blocks, body) => {
                self.lift_blocks(blocks, context);
                let body = self.relocate(body);
                self.atom(&body, context)
            }
            Expr::Apply(..) | Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) => {
                self.lift(e, context)
            }
        }
    }
}

fn is_zero(e: &Expr) -> bool {
    matches!(e, Expr::Const(n) if n.as_integer() == Some(0))
}

/// Takes signs off: `-(-e)` is `e`.
fn strip_sign(e: &Expr) -> (bool, &Expr) {
    let Expr::Apply(Fun::Neg, args) = e else { return (false, e) };
    let (negative, inner) = strip_sign(&args[0]);
    (!negative, inner)
}
