//! Index expressions: affine forms, quotients by constants, reads of data.

use super::call::as_call;
use super::scope::Binding;
use super::sort::Kind;
use super::{Check, Checker, Reported};
use crate::ast::{ChainOp, Expr, ExprKind, Name, Reduction, Sign, UnaryOp};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{self, ArgReduce, Atom, Guard, Index};

/// Coefficients and constants of index expressions stay within this magnitude.
const MAX_COEFFICIENT: i64 = 1 << 40;

impl Checker<'_, '_> {
    /// Elaborates `expr` as an index.
    pub(super) fn index(&mut self, expr: &Expr) -> Check<Index> {
        match &expr.kind {
            ExprKind::Number(text) => self.integer(text, expr.span),
            ExprKind::Name(name) => self.index_name(name, expr.span),
            ExprKind::Access(name, indices) => self.index_read(name, indices, expr.span),
            ExprKind::Call(name, args) if name.text == "floor" => self.floor(args, expr.span),
            ExprKind::Unary(UnaryOp::Neg, e) => {
                let index = self.index(e)?;
                self.small(index.scale(-1), expr.span)
            }
            ExprKind::Sum(items) => self.index_sum(items),
            ExprKind::Chain(items) => self.index_chain(items),
            ExprKind::If(condition, then, other) => self.index_if(condition, then, other),
            ExprKind::Reduce {
                op: op @ (Reduction::Argmax | Reduction::Argmin),
                binders,
                guard,
                body,
            } => self.arg_reduce(*op, binders, guard.as_deref(), body, expr.span),
            ExprKind::Call(name, args) => Err(self.call_as_index(name, args, expr.span)),
            ExprKind::Unary(UnaryOp::Not, _)
            | ExprKind::Power(..)
            | ExprKind::Compare(..)
            | ExprKind::Logic(..)
            | ExprKind::Bracket(_)
            | ExprKind::Reduce { .. }
            | ExprKind::For(..)
            | ExprKind::Let(..) => Err(self.not_an_index(expr)),
        }
    }

    pub(super) fn indices(&mut self, exprs: &[Expr]) -> Check<Vec<Index>> {
        exprs.iter().map(|e| self.index(e)).collect()
    }

    fn integer(&mut self, text: &str, span: Span) -> Check<Index> {
        let digits = text.replace('_', "");
        match digits.parse::<i64>() {
            Ok(n) => self.small(Some(Index::constant(n)), span),
            Err(_) if digits.bytes().all(|b| b.is_ascii_digit()) => self.small(None, span),
            Err(_) => {
                let message = format!("an index is an integer, found `{text}`");
                Err(self.report(
                    Diagnostic::new("typing::index", span, message)
                        .help("write an integer, or `floor(..)` of a real"),
                ))
            }
        }
    }

    /// Refuses coefficients that could overflow later.
    fn small(&mut self, index: Option<Index>, span: Span) -> Check<Index> {
        let within = |c: i64| (-MAX_COEFFICIENT..=MAX_COEFFICIENT).contains(&c);
        match index {
            Some(index)
                if within(index.constant_part())
                    && index.terms().iter().all(|(_, c)| within(*c)) =>
            {
                Ok(index)
            }
            _ => Err(self.report(
                Diagnostic::new("typing::integer", span, "an integer is too large for an index")
                    .at(format!("integers in index expressions go up to 2^40 = {MAX_COEFFICIENT}"))
                    .help("make the integer smaller, or compute with reals"),
            )),
        }
    }

    fn index_name(&mut self, name: &str, span: Span) -> Check<Index> {
        match self.scope.get(name).cloned() {
            Some(Binding::Index(index)) => Ok(index),
            Some(Binding::Tensor(view)) => {
                let tensor = self.symbols.tensor(view.tensor);
                match (&tensor.element, tensor.shape.len() - view.prefix.len()) {
                    (ir::Element::Index(_), 0) => {
                        Ok(Index::atom(Atom::Read(view.tensor, view.prefix)))
                    }
                    (ir::Element::Index(_), _) => Err(self.missing_indices(name, &[], &view, span)),
                    (ir::Element::Real, _) => Err(self.real_as_index(name, span)),
                }
            }
            Some(Binding::Const(value)) => self.constant_as_index(name, &value, span),
            Some(Binding::Relation(_)) => {
                let message = format!("`{name}` is a relation, not an index");
                Err(self.report(
                    Diagnostic::new("typing::index", span, message)
                        .help(format!("membership is a proposition, which restricts: `sum(i: n, j: n) [{name}(i, j)] * ..`")),
                ))
            }
            Some(Binding::Broken) => Err(Reported),
            None => Err(self.unknown_name(name, span)),
        }
    }

    fn constant_as_index(&mut self, name: &str, value: &ir::Expr, span: Span) -> Check<Index> {
        if let ir::Expr::Const(number) = value
            && let Some(n) = number.as_integer()
        {
            return self.small(Some(Index::constant(n)), span);
        }
        Err(self.real_as_index(name, span))
    }

    fn real_as_index(&mut self, name: &str, span: Span) -> Reported {
        let message = format!("`{name}` is a real, and an index is wanted here");
        self.report(
            Diagnostic::new("typing::index", span, message)
                .help(format!("write `floor({name})` to round it down to an index")),
        )
    }

    fn not_an_index(&mut self, expr: &Expr) -> Reported {
        if let Some(reported) = self.unbound(expr) {
            return reported;
        }
        let found = match expr.kind {
            ExprKind::Power(..) => "a power",
            ExprKind::Let(..) => "a `let`",
            ExprKind::For(..) => "a tensor",
            ExprKind::Number(_)
            | ExprKind::Name(_)
            | ExprKind::Access(..)
            | ExprKind::Call(..)
            | ExprKind::Unary(..)
            | ExprKind::Sum(_)
            | ExprKind::Chain(_)
            | ExprKind::Compare(..)
            | ExprKind::Logic(..)
            | ExprKind::If(..)
            | ExprKind::Bracket(_)
            | ExprKind::Reduce { .. } => self.kind(expr).noun(),
        };
        let message = format!("an index is wanted here, found {found}");
        let help = match expr.kind {
            ExprKind::Power(..) => {
                "a power of an index is not affine: write a constant as its value, `2^3` as `8`, or `floor(real(i)^2)` under a guard"
            }
            ExprKind::Let(..) => {
                "put the `let` around the product that reads with it: `let k = i + 1 in [k < n] * x[k]`"
            }
            ExprKind::For(..) => {
                "write the index itself, or define it in a statement of its own, `k[i: n] = ..`, and read `k[i]`"
            }
            ExprKind::Bracket(_) => {
                "write `if p then 1 else 0` for the index that is 1 where `p` holds"
            }
            ExprKind::Reduce { .. } => {
                "write `floor(..)` around it to round a real down to an index"
            }
            ExprKind::Number(_)
            | ExprKind::Name(_)
            | ExprKind::Access(..)
            | ExprKind::Call(..)
            | ExprKind::Unary(..)
            | ExprKind::Sum(_)
            | ExprKind::Chain(_)
            | ExprKind::Compare(..)
            | ExprKind::Logic(..)
            | ExprKind::If(..) => {
                "index expressions are integers, index variables, sizes, reads of index tensors, `+ - * / %` by constants, `floor(..)`, `if`, `argmax`, `argmin`"
            }
        };
        self.report(Diagnostic::new("typing::index", expr.span, message).help(help))
    }

    fn call_as_index(&mut self, called: &Name, args: &[Expr], span: Span) -> Reported {
        let name = called.text.as_str();
        if name == "real" {
            return self.report(
                Diagnostic::new(
                    "typing::index",
                    span,
                    "`real(..)` is a real, and an index is wanted here",
                )
                .help("leave `real` out"),
            );
        }
        if self.scope.get(name).is_some() {
            return self.not_a_function(called, args, span);
        }
        if !self.file.functions.contains_key(name) && crate::function::Fun::named(name).is_none() {
            return self.unknown_function(called);
        }
        if self.file.functions.contains_key(name) {
            let message = format!("the call of `{name}` cannot stand inside an index expression");
            return self.report(Diagnostic::new("typing::index", span, message).help(format!(
                "bind its result in a statement of its own, `k = {}`, and use `k`",
                as_call(called, args)
            )));
        }
        let message = format!("an index is wanted here, found the call of `{name}`");
        self.report(
            Diagnostic::new("typing::index", span, message)
                .help("write `floor(..)` around it to round a real down to an index"),
        )
    }

    fn floor(&mut self, args: &[Expr], span: Span) -> Check<Index> {
        let [arg] = args else {
            let message = format!("`floor` takes 1 argument, found {}", args.len());
            return Err(self
                .report(Diagnostic::new("typing::arity", span, message).help("write `floor(x)`")));
        };
        if self.kind(arg) == Kind::Index {
            return Err(self.report(
                Diagnostic::new("typing::real", arg.span, "`floor` takes a real, found an index")
                    .help("an index is an integer already: leave `floor` out"),
            ));
        }
        Ok(Index::atom(Atom::Floor(Box::new(self.real(arg)?))))
    }

    fn index_sum(&mut self, items: &[(Sign, Expr)]) -> Check<Index> {
        let mut sum = Index::constant(0);
        for (sign, item) in items {
            let value = self.index(item)?;
            let next = match sign {
                Sign::Plus => sum.add(&value),
                Sign::Minus => sum.sub(&value),
            };
            sum = self.small(next, item.span)?;
        }
        Ok(sum)
    }

    fn index_chain(&mut self, items: &[(ChainOp, Expr)]) -> Check<Index> {
        let mut value = Index::constant(1);
        let first = items.first().map(|(_, item)| item.span).unwrap_or_default();
        for (op, item) in items {
            let factor = self.index(item)?;
            value = match op {
                ChainOp::Times => self.index_product(&value, &factor, first.to(item.span))?,
                ChainOp::Over | ChainOp::Modulo => {
                    self.index_quotient(*op, &value, &factor, first.to(item.span))?
                }
            };
        }
        Ok(value)
    }

    fn index_product(&mut self, a: &Index, b: &Index, span: Span) -> Check<Index> {
        let product = match (a.as_constant(), b.as_constant()) {
            (Some(k), _) => b.scale(k),
            (_, Some(k)) => a.scale(k),
            (None, None) => {
                let message = format!(
                    "the product of `{}` and `{}` is not affine: one factor must be an integer constant",
                    self.show_index(a),
                    self.show_index(b)
                );
                return Err(self.report(
                    Diagnostic::new("typing::affine", span, message)
                        .at("a product of two indices or sizes")
                        .help("give the tensor two axes, `A[i, j]` instead of the flat `A[i * m + j]`; products of numbers are written with `real(i)`"),
                ));
            }
        };
        self.small(product, span)
    }

    fn index_quotient(&mut self, op: ChainOp, a: &Index, b: &Index, span: Span) -> Check<Index> {
        let (what, example) = match op {
            ChainOp::Modulo => ("remainder", format!("{} % 2", self.show_index(a))),
            ChainOp::Over | ChainOp::Times => ("quotient", format!("{} / 2", self.show_index(a))),
        };
        let Some(k) = b.as_constant().filter(|k| *k > 0) else {
            let message = format!(
                "the divisor of an index {what} is a positive integer constant, found `{}`",
                self.show_index(b)
            );
            return Err(self.report(
                Diagnostic::new("typing::affine", span, message).help(format!(
                    "write the divisor as a constant, as in `{example}`, or split the axis in two: `A[i, j]`"
                )),
            ));
        };
        if k == 1 {
            return Ok(if op == ChainOp::Over { a.clone() } else { Index::constant(0) });
        }
        if let Some(n) = a.as_constant() {
            let value = if op == ChainOp::Over { n.div_euclid(k) } else { n.rem_euclid(k) };
            return Ok(Index::constant(value));
        }
        let a = Box::new(a.clone());
        Ok(Index::atom(if op == ChainOp::Over { Atom::Div(a, k) } else { Atom::Mod(a, k) }))
    }

    fn index_if(&mut self, condition: &Expr, then: &Expr, other: &Expr) -> Check<Index> {
        let guard = self.guard(condition)?;
        let then = self.under(std::slice::from_ref(&guard), |c| c.index(then))?;
        let negated = guard.clone().negate();
        let other = self.under(&[negated], |c| c.index(other))?;
        Ok(Index::atom(Atom::If(Box::new((guard, then, other)))))
    }

    fn arg_reduce(
        &mut self,
        op: Reduction,
        binders: &[crate::ast::Binder],
        guard: Option<&Expr>,
        body: &Expr,
        span: Span,
    ) -> Check<Index> {
        let [binder] = binders else {
            let message = format!("`{}` takes one variable, found {}", op.name(), binders.len());
            return Err(self.report(
                Diagnostic::new("typing::argmax", span, message)
                    .help("search one axis at a time: `best[i: n] = max(j: m) A[i, j]`, then `argmax(i: n) best[i]`"),
            ));
        };
        self.scoped(|c| {
            let var = c.bind(binder)?;
            let guard = guard.map_or(Ok(Guard::truth()), |g| c.guard(g))?;
            let body = c.under(std::slice::from_ref(&guard), |c| {
                c.note_reduction(op, &[var], body.span);
                c.reducing(op, &[var], |c| c.real(body))
            })?;
            Ok(Index::atom(Atom::Arg(Box::new(ArgReduce { op, var, guard, body }))))
        })
    }
}
