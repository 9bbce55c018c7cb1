//! Real expressions.

use super::access::{as_access, count};
use super::scope::Binding;
use super::sort::Kind;
use super::{Check, Checker, Reported};
use crate::ast::{ChainOp, Expr, ExprKind, Name, Reduction, Sign, UnaryOp};
use crate::diagnostic::{Diagnostic, Span};
use crate::function::Fun;
use crate::ir::{self, Guard, Reduce};
use crate::number::{Number, NumeralError};

impl Checker<'_, '_> {
    /// Elaborates `expr` as a real.
    pub(super) fn real(&mut self, expr: &Expr) -> Check<ir::Expr> {
        match &expr.kind {
            ExprKind::Number(text) => self.number(text, expr.span),
            ExprKind::Name(name) => self.real_name(name, expr.span),
            ExprKind::Access(name, indices) => self.real_access(name, indices, expr.span),
            ExprKind::Call(name, args) => self.real_call(name, args, expr.span),
            ExprKind::Unary(UnaryOp::Neg, e) => Ok(ir::Expr::Apply(Fun::Neg, vec![self.real(e)?])),
            ExprKind::Sum(items) => self.sum(items),
            ExprKind::Chain(items) => self.chain(items),
            ExprKind::Power(base, exponent) => {
                Ok(ir::Expr::Apply(Fun::Pow, vec![self.real(base)?, self.real(exponent)?]))
            }
            ExprKind::Bracket(p) => Ok(ir::Expr::integer(1).guarded(self.guard(p)?)),
            ExprKind::Reduce { op, binders, guard, body } => match op {
                Reduction::Argmax | Reduction::Argmin => Err(self.index_as_real(expr)),
                Reduction::Sum | Reduction::Prod | Reduction::Max | Reduction::Min => {
                    self.reduce(*op, binders, guard.as_deref(), body)
                }
            },
            ExprKind::If(condition, then, other) => self.conditional(condition, then, other),
            ExprKind::Let(stmts, body) => self.let_in(stmts, |c| c.real(body)),
            ExprKind::For(..) => Err(self.tensor_as_real(expr)),
            ExprKind::Unary(UnaryOp::Not, _) | ExprKind::Compare(..) | ExprKind::Logic(..) => {
                let text = crate::print::expr(expr);
                Err(self.report(
                    Diagnostic::new(
                        "typing::real",
                        expr.span,
                        "a real is wanted here, found a proposition",
                    )
                    .help(format!(
                        "write `[{text}]` for the number that is 1 where it holds and 0 elsewhere"
                    )),
                ))
            }
        }
    }

    fn number(&mut self, text: &str, span: Span) -> Check<ir::Expr> {
        Number::parse(text).map(ir::Expr::Const).map_err(|error| {
            let message = match error {
                NumeralError::Malformed => format!("`{text}` is not a number"),
                NumeralError::TooLarge => "the number has too many digits".to_owned(),
            };
            self.report(Diagnostic::new("syntax::number", span, message).help(format!(
                "numbers have at most {} digits and exponents up to {}",
                crate::number::MAX_DIGITS,
                crate::number::MAX_EXPONENT
            )))
        })
    }

    fn real_name(&mut self, name: &str, span: Span) -> Check<ir::Expr> {
        match self.scope.get(name).cloned() {
            Some(Binding::Const(value)) => Ok(value),
            Some(Binding::Tensor(view)) => {
                let tensor = self.symbols.tensor(view.tensor);
                let rank = tensor.shape.len() - view.prefix.len();
                match tensor.element {
                    ir::Element::Real if rank == 0 => {
                        Ok(ir::Expr::Access(view.tensor, view.prefix))
                    }
                    _ if rank > 0 => Err(self.missing_indices(name, &[], &view, span)),
                    ir::Element::Real | ir::Element::Index(_) => {
                        Err(self.index_name_as_real(name, span))
                    }
                }
            }
            Some(Binding::Index(_)) => Err(self.index_name_as_real(name, span)),
            Some(Binding::Relation(_)) => {
                let message = format!("a real is wanted here, found the relation `{name}`");
                Err(self.report(
                    Diagnostic::new("typing::real", span, message).help(format!(
                        "write `[{name}(i, j)]` for 1 where it holds and 0 elsewhere"
                    )),
                ))
            }
            Some(Binding::Broken) => Err(Reported),
            None if name == "pi" => Ok(ir::Expr::Pi),
            None => Err(self.unknown_name(name, span)),
        }
    }

    fn index_name_as_real(&mut self, name: &str, span: Span) -> Reported {
        let what = match self.scope.get(name) {
            Some(Binding::Index(index)) if index.as_var().is_none() => "size",
            _ => "index",
        };
        let message = format!("a real is wanted here, found the {what} `{name}`");
        self.report(
            Diagnostic::new("typing::real", span, message)
                .help(format!("write `real({name})` to use it as a number")),
        )
    }

    fn index_as_real(&mut self, expr: &Expr) -> Reported {
        let text = crate::print::expr(expr);
        self.report(
            Diagnostic::new("typing::real", expr.span, "a real is wanted here, found an index")
                .help(format!("write `real({text})` to use it as a number")),
        )
    }

    fn tensor_as_real(&mut self, expr: &Expr) -> Reported {
        self.report(
            Diagnostic::new("typing::rank", expr.span, "a real is wanted here, found a tensor")
                .at("`for` makes a tensor")
                .help("define it in a statement of its own, `t = for(i: n) ..`, and read its entries `t[i]`"),
        )
    }

    fn sum(&mut self, items: &[(Sign, Expr)]) -> Check<ir::Expr> {
        let values = self.reals(items.iter().map(|(_, item)| item))?;
        let signed = |((sign, _), value): (&(Sign, Expr), ir::Expr)| match sign {
            Sign::Plus => value,
            Sign::Minus => ir::Expr::Apply(Fun::Neg, vec![value]),
        };
        Ok(ir::Expr::Apply(Fun::Add, items.iter().zip(values).map(signed).collect()))
    }

    /// Every expression as a real; the mistakes of all are reported.
    fn reals<'e>(&mut self, exprs: impl Iterator<Item = &'e Expr>) -> Check<Vec<ir::Expr>> {
        let values: Vec<Check<ir::Expr>> = exprs.map(|e| self.real(e)).collect();
        values.into_iter().collect()
    }

    /// A product chain: its indicators guard all its other factors.
    fn chain(&mut self, items: &[(ChainOp, Expr)]) -> Check<ir::Expr> {
        let depth = self.facts.guards.len();
        let body = self.guarded_factors(items);
        let guards = self.facts.guards.split_off(depth);
        let guard = Guard::all(guards.into_iter().flat_map(Guard::conjuncts).collect());
        Ok(body?.guarded(guard))
    }

    /// Puts the indicators in force and elaborates the other factors under them.
    fn guarded_factors(&mut self, items: &[(ChainOp, Expr)]) -> Check<ir::Expr> {
        for (op, item) in items {
            if let ExprKind::Bracket(p) = &item.kind {
                if *op == ChainOp::Over {
                    return Err(self.bracket_divisor(item));
                }
                let guard = self.guard(p)?;
                self.facts.guards.push(guard);
            }
        }
        let factors = |(_, item): &&(ChainOp, Expr)| !matches!(item.kind, ExprKind::Bracket(_));
        let factors: Vec<&(ChainOp, Expr)> = items.iter().filter(factors).collect();
        self.factors(&factors)
    }

    fn bracket_divisor(&mut self, item: &Expr) -> Reported {
        self.report(
            Diagnostic::new("typing::divisor", item.span, "an indicator cannot be a divisor")
                .at("this is 0 where it does not hold")
                .help(format!(
                    "multiply by it, `{} * ..`, for 0 where it does not hold",
                    crate::print::expr(item)
                )),
        )
    }

    /// `f1 * f2 / f3 ..`, left to right; a run of `*` is one product.
    fn factors(&mut self, items: &[&(ChainOp, Expr)]) -> Check<ir::Expr> {
        let mut run: Vec<ir::Expr> = Vec::new();
        let values = self.reals(items.iter().map(|(_, item)| item))?;
        for ((op, item), factor) in items.iter().zip(values) {
            match op {
                ChainOp::Times => run.push(factor),
                ChainOp::Over => {
                    let dividend = product(std::mem::take(&mut run));
                    run.push(ir::Expr::Apply(Fun::Div, vec![dividend, factor]));
                }
                ChainOp::Modulo => {
                    let chain = items[0].1.span.to(item.span);
                    return Err(self.report(
                        Diagnostic::new("typing::index", chain, "`%` takes indices, found reals")
                            .help("the remainder of reals is `x - m * real(floor(x / m))`"),
                    ));
                }
            }
        }
        Ok(product(run))
    }

    fn reduce(
        &mut self,
        op: Reduction,
        binders: &[crate::ast::Binder],
        guard: Option<&Expr>,
        body: &Expr,
    ) -> Check<ir::Expr> {
        self.scoped(|c| {
            let binders = c.bind_all(binders)?;
            c.note_reduction(op, &binders, body.span);
            let guard = guard.map_or(Ok(Guard::truth()), |g| c.guard(g))?;
            let body = c.under(std::slice::from_ref(&guard), |c| {
                c.reducing(op, &binders, |c| c.real(body))
            })?;
            Ok(ir::Expr::Reduce(Box::new(Reduce { op, binders, guard, body })))
        })
    }

    fn conditional(&mut self, condition: &Expr, then: &Expr, other: &Expr) -> Check<ir::Expr> {
        let guard = self.guard(condition)?;
        let then = self.under(std::slice::from_ref(&guard), |c| c.real(then))?;
        let negated = guard.clone().negate();
        let other = self.under(&[negated], |c| c.real(other))?;
        Ok(ir::Expr::If(guard, Box::new((then, other))))
    }

    fn real_call(&mut self, name: &Name, args: &[Expr], span: Span) -> Check<ir::Expr> {
        if name.text == "real" {
            return self.conversion(args, span);
        }
        if name.text == "floor" {
            let text = crate::print::expr(&Expr {
                kind: ExprKind::Call(name.clone(), args.to_vec()),
                span,
            });
            return Err(self.report(
                Diagnostic::new(
                    "typing::real",
                    span,
                    "`floor(..)` is an index, and a real is wanted here",
                )
                .help(format!("write `real({text})`")),
            ));
        }
        if let Some(row) = Fun::named(&name.text) {
            if args.len() != row.arity {
                let wanted = count(row.arity, "argument", "arguments");
                let message = format!("`{}` takes {wanted}, found {}", name.text, args.len());
                let form = if row.arity == 1 { "x" } else { "a, b" };
                let help = if matches!(row.fun, Fun::Max | Fun::Min) {
                    format!(
                        "write `{0}(a, b)` of two numbers, or over a range `{0}(i: n) x[i]`",
                        name.text
                    )
                } else {
                    format!("write `{}({form})`", name.text)
                };
                return Err(self.report(Diagnostic::new("typing::arity", span, message).help(help)));
            }
            return Ok(ir::Expr::Apply(row.fun, self.reals(args.iter())?));
        }
        match self.scope.get(&name.text) {
            Some(Binding::Relation(_)) => {
                let text = crate::print::expr(&Expr {
                    kind: ExprKind::Call(name.clone(), args.to_vec()),
                    span,
                });
                Err(self.report(
                    Diagnostic::new(
                        "typing::real",
                        span,
                        "a real is wanted here, found a proposition",
                    )
                    .help(format!("write `[{text}]` for 1 where it holds and 0 elsewhere")),
                ))
            }
            Some(Binding::Broken) => Err(Reported),
            Some(_) => Err(self.not_a_function(name, args, span)),
            None => self.call_as_real(name, args, span),
        }
    }

    /// `x(i)` where `x` is no function.
    pub(super) fn not_a_function(&mut self, name: &Name, args: &[Expr], span: Span) -> Reported {
        let help = match self.scope.get(&name.text) {
            Some(Binding::Broken) => return Reported,
            Some(Binding::Tensor(view)) if !self.view_shape(view).is_empty() => {
                format!("entries are read with brackets: `{}`", as_access(name, args))
            }
            _ => format!("write a product with `*`: `{} * (..)`", name.text),
        };
        let message = format!("`{}` is not a function", name.text);
        self.report(Diagnostic::new("typing::call", span, message).help(help))
    }

    /// Reports the first name in `expr` that is not in scope; silent where it is broken.
    pub(super) fn unbound(&mut self, expr: &Expr) -> Option<Reported> {
        match &expr.kind {
            ExprKind::Name(name) => self.unbound_name(name, expr.span),
            ExprKind::Access(name, _) => self.unbound_name(&name.text, name.span),
            ExprKind::Unary(_, e) => self.unbound(e),
            ExprKind::Power(base, exponent) => {
                self.unbound(base).or_else(|| self.unbound(exponent))
            }
            ExprKind::Sum(items) => items.iter().find_map(|(_, e)| self.unbound(e)),
            ExprKind::Chain(items) => items.iter().find_map(|(_, e)| self.unbound(e)),
            ExprKind::Number(_)
            | ExprKind::Call(..)
            | ExprKind::Bracket(_)
            | ExprKind::Compare(..)
            | ExprKind::Logic(..)
            | ExprKind::Reduce { .. }
            | ExprKind::For(..)
            | ExprKind::If(..)
            | ExprKind::Let(..) => None,
        }
    }

    fn unbound_name(&mut self, name: &str, span: Span) -> Option<Reported> {
        match self.scope.get(name) {
            Some(Binding::Broken) => Some(Reported),
            None if name != "pi" => Some(self.unknown_name(name, span)),
            Some(_) | None => None,
        }
    }

    fn conversion(&mut self, args: &[Expr], span: Span) -> Check<ir::Expr> {
        let [arg] = args else {
            let message = format!("`real` takes 1 argument, found {}", args.len());
            return Err(self
                .report(Diagnostic::new("typing::arity", span, message).help("write `real(i)`")));
        };
        if self.kind(arg) == Kind::Real {
            return Err(self.report(
                Diagnostic::new(
                    "typing::index",
                    arg.span,
                    "`real(..)` takes an index, found a real",
                )
                .help("leave `real` out"),
            ));
        }
        Ok(ir::Expr::Real(self.index(arg)?))
    }
}

/// The product of the factors; none is 1.
fn product(mut factors: Vec<ir::Expr>) -> ir::Expr {
    match factors.len() {
        0 => ir::Expr::integer(1),
        1 => factors.remove(0),
        _ => ir::Expr::Apply(Fun::Mul, factors),
    }
}
