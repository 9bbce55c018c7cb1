//! Propositions.

use super::access::{as_access, letters};
use super::call::as_call;
use super::outside::{self, Reader};
use super::scope::Binding;
use super::sort::Kind;
use super::{Check, Checker, Reported};
use crate::ast::{Cmp, Expr, ExprKind, LogicOp, Name, UnaryOp};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::Guard;

impl Checker<'_, '_> {
    /// Elaborates `expr` as a proposition.
    pub(super) fn guard(&mut self, expr: &Expr) -> Check<Guard> {
        match &expr.kind {
            ExprKind::Compare(first, rest) => self.comparison(first, rest),
            ExprKind::Logic(op, parts) => self.logic(*op, parts),
            ExprKind::Unary(UnaryOp::Not, p) => Ok(self.guard(p)?.negate()),
            ExprKind::Bracket(p) => self.guard(p),
            ExprKind::Call(name, args) => self.membership(name, args, expr.span),
            ExprKind::Name(_)
            | ExprKind::Number(_)
            | ExprKind::Access(..)
            | ExprKind::Unary(UnaryOp::Neg, _)
            | ExprKind::Sum(_)
            | ExprKind::Chain(_)
            | ExprKind::Power(..)
            | ExprKind::Reduce { .. }
            | ExprKind::For(..)
            | ExprKind::If(..)
            | ExprKind::Let(..) => Err(self.not_a_proposition(expr)),
        }
    }

    fn not_a_proposition(&mut self, expr: &Expr) -> Reported {
        if let Some(reported) = self.unbound(expr) {
            return reported;
        }
        let is_relation = |name: &str| matches!(self.scope.get(name), Some(Binding::Relation(_)));
        let (found, help) = match &expr.kind {
            ExprKind::Name(name) if is_relation(name) => {
                (format!("the relation `{name}`"), format!("say which indices: `{name}(i, j)`"))
            }
            ExprKind::Access(name, indices) if is_relation(&name.text) => (
                format!("the relation `{}`", name.text),
                format!("membership is written with parentheses: `{}`", as_call(name, indices)),
            ),
            ExprKind::Name(_)
            | ExprKind::Access(..)
            | ExprKind::Number(_)
            | ExprKind::Call(..)
            | ExprKind::Unary(..)
            | ExprKind::Sum(_)
            | ExprKind::Chain(_)
            | ExprKind::Power(..)
            | ExprKind::Compare(..)
            | ExprKind::Logic(..)
            | ExprKind::Bracket(_)
            | ExprKind::Reduce { .. }
            | ExprKind::For(..)
            | ExprKind::If(..)
            | ExprKind::Let(..) => {
                let text = crate::print::expr(expr);
                (
                    self.kind(expr).noun().to_owned(),
                    format!("compare it with something: `{text} != 0`"),
                )
            }
        };
        let message = format!("a proposition is wanted here, found {found}");
        self.report(Diagnostic::new("typing::proposition", expr.span, message).help(help))
    }

    /// `a op b op c` is `a op b and b op c`.
    fn comparison(&mut self, first: &Expr, rest: &[(Cmp, Expr)]) -> Check<Guard> {
        let mut parts = Vec::with_capacity(rest.len());
        let mut left = first;
        for (cmp, right) in rest {
            let part = self.compare(*cmp, left, right);
            parts.push(part?);
            left = right;
        }
        Ok(Guard::all(parts))
    }

    fn compare(&mut self, cmp: Cmp, left: &Expr, right: &Expr) -> Check<Guard> {
        match (self.kind(left), self.kind(right)) {
            (Kind::Index | Kind::Integer, Kind::Index)
            | (Kind::Index | Kind::Integer, Kind::Integer) => {
                Ok(Guard::Compare(cmp, self.index(left)?, self.index(right)?))
            }
            (Kind::Real | Kind::Integer, Kind::Real) | (Kind::Real, Kind::Integer) => {
                Ok(Guard::Real(cmp, Box::new((self.real(left)?, self.real(right)?))))
            }
            (Kind::Proposition, _) => Err(self.not_comparable(left)),
            (_, Kind::Proposition) => Err(self.not_comparable(right)),
            (Kind::Real, Kind::Index) => Err(self.mixed(right, left)),
            (Kind::Index, Kind::Real) => Err(self.mixed(left, right)),
        }
    }

    fn mixed(&mut self, index: &Expr, real: &Expr) -> Reported {
        if self.index(index).is_err() {
            return Reported;
        }
        let text = crate::print::expr(index);
        self.report(
            Diagnostic::new("typing::comparison", index.span, "an index is compared with a real")
                .at("an index")
                .label(real.span, "a real")
                .help(format!("write `real({text})` to compare them as reals")),
        )
    }

    fn not_comparable(&mut self, expr: &Expr) -> Reported {
        self.report(
            Diagnostic::new("typing::comparison", expr.span, "a proposition is compared")
                .help("join propositions with `and`, `or`, `not`"),
        )
    }

    /// In `a and b`, `a` is in force for `b`; in `a or b`, its negation.
    fn logic(&mut self, op: LogicOp, parts: &[Expr]) -> Check<Guard> {
        let depth = self.facts.guards.len();
        let mut guards: Check<Vec<Guard>> = Ok(Vec::with_capacity(parts.len()));
        for part in parts {
            let Ok(guard) = self.guard(part) else {
                guards = Err(Reported);
                break;
            };
            self.facts.guards.push(match op {
                LogicOp::And => guard.clone(),
                LogicOp::Or => guard.clone().negate(),
            });
            guards = guards.map(|mut all| {
                all.push(guard);
                all
            });
        }
        self.facts.guards.truncate(depth);
        let guards = guards?;
        Ok(match op {
            LogicOp::And => Guard::all(guards.into_iter().flat_map(Guard::conjuncts).collect()),
            LogicOp::Or => Guard::any(guards),
        })
    }

    fn membership(&mut self, name: &Name, args: &[Expr], span: Span) -> Check<Guard> {
        let relation = match self.scope.get(&name.text) {
            Some(Binding::Relation(relation)) => *relation,
            Some(Binding::Broken) => return Err(Reported),
            Some(_) => {
                let message = format!("`{}` is not a relation", name.text);
                return Err(self.report(
                    Diagnostic::new("typing::relation", span, message)
                        .at("a proposition is wanted here")
                        .help(format!(
                            "entries are read with brackets and compared: `{} > 0`",
                            as_access(name, args)
                        )),
                ));
            }
            None if self.file.functions.contains_key(name.text.as_str())
                || crate::function::Fun::named(&name.text).is_some() =>
            {
                let text = as_call(name, args);
                let message =
                    format!("a proposition is wanted here, found the call of `{}`", name.text);
                return Err(self.report(
                    Diagnostic::new("typing::proposition", span, message)
                        .help(format!("compare its result with something: `{text} > 0`")),
                ));
            }
            None => return Err(self.unknown_name(&name.text, name.span)),
        };
        let indices = self.indices(args)?;
        let extents = self.symbols.relation(relation).extents.clone();
        if indices.len() != extents.len() {
            let message = format!(
                "`{}` relates {} indices, found {}",
                name.text,
                extents.len(),
                indices.len()
            );
            return Err(self.report(Diagnostic::new("typing::arity", span, message).help(
                format!(
                    "give one index for each place, as in `{}({})`",
                    name.text,
                    letters(extents.len())
                ),
            )));
        }
        let places = indices.iter().zip(&extents).zip(args).enumerate();
        let outside: Vec<_> = places
            .filter_map(|(place, ((index, extent), arg))| {
                self.outside(index, extent, arg.span, place)
            })
            .collect();
        if !outside.is_empty() {
            let (kind, text) = (outside::Kind::Member, as_call(name, args));
            let reader = Reader { kind, name: &name.text, text, open: String::new() };
            self.report_outside(&reader, &outside);
        }
        Ok(Guard::Member(relation, indices))
    }
}
