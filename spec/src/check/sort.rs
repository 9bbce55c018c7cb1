//! Which kind of value an expression is, from its form and its names.

use super::scope::Binding;
use super::{Check, Checker};
use crate::ast::{Binder, Expr, ExprKind, Reduction, SortKind, UnaryOp};
use crate::diagnostic::Diagnostic;
use crate::ir::{Element, Extent, Index};

/// The kind of an expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// An integer literal: an index where one is wanted, else a real.
    Integer,
    /// An index.
    Index,
    /// A real, or a tensor of reals.
    Real,
    /// A proposition.
    Proposition,
}

impl Kind {
    /// The kind of an operation on both.
    fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Integer, kind) | (kind, Self::Integer) => kind,
            (Self::Index, Self::Index) => Self::Index,
            _ => Self::Real,
        }
    }

    /// The kind with its article, for messages.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Integer | Self::Index => "an index",
            Self::Real => "a real",
            Self::Proposition => "a proposition",
        }
    }
}

impl Checker<'_, '_> {
    /// The kind of `expr`. What is not known fits wherever it stands, as an integer does.
    pub(super) fn kind(&self, expr: &Expr) -> Kind {
        match &expr.kind {
            ExprKind::Number(text) if text.bytes().all(|b| b.is_ascii_digit() || b == b'_') => {
                Kind::Integer
            }
            ExprKind::Number(_) | ExprKind::Bracket(_) => Kind::Real,
            ExprKind::Name(name) => self.name_kind(name),
            ExprKind::Access(name, _) => self.name_kind(&name.text),
            ExprKind::Call(name, _) => self.call_kind(&name.text),
            ExprKind::Unary(UnaryOp::Neg, e) => self.kind(e),
            ExprKind::Unary(UnaryOp::Not, _) | ExprKind::Compare(..) | ExprKind::Logic(..) => {
                Kind::Proposition
            }
            ExprKind::Sum(items) => self.kinds(items.iter().map(|(_, e)| e)),
            ExprKind::Chain(items) => self.kinds(items.iter().map(|(_, e)| e)),
            ExprKind::Power(base, _) => match self.kind(base) {
                Kind::Integer => Kind::Integer,
                Kind::Index | Kind::Real | Kind::Proposition => Kind::Real,
            },
            ExprKind::Reduce { op, .. } => match op {
                Reduction::Argmax | Reduction::Argmin => Kind::Index,
                Reduction::Sum | Reduction::Prod | Reduction::Max | Reduction::Min => Kind::Real,
            },
            ExprKind::For(_, body) => self.kind(body),
            // the names of a `let` are not in scope here, and it is no integer
            ExprKind::Let(_, body) => match self.kind(body) {
                Kind::Integer | Kind::Real => Kind::Real,
                kind @ (Kind::Index | Kind::Proposition) => kind,
            },
            ExprKind::If(_, then, other) => self.kind(then).join(self.kind(other)),
        }
    }

    fn kinds<'e>(&self, items: impl Iterator<Item = &'e Expr>) -> Kind {
        items.map(|e| self.kind(e)).reduce(Kind::join).unwrap_or(Kind::Real)
    }

    fn name_kind(&self, name: &str) -> Kind {
        match self.scope.get(name) {
            Some(Binding::Index(_)) => Kind::Index,
            Some(Binding::Tensor(view)) => match self.symbols.tensor(view.tensor).element {
                Element::Real => Kind::Real,
                Element::Index(_) => Kind::Index,
            },
            Some(Binding::Relation(_)) => Kind::Proposition,
            Some(Binding::Const(crate::ir::Expr::Const(n))) if n.as_integer().is_some() => {
                Kind::Integer
            }
            Some(Binding::Const(_)) => Kind::Real,
            None if name == "pi" => Kind::Real,
            Some(Binding::Broken) | None => Kind::Integer,
        }
    }

    fn call_kind(&self, name: &str) -> Kind {
        if name == "floor" {
            return Kind::Index;
        }
        if let Some(Binding::Relation(_)) = self.scope.get(name) {
            return Kind::Proposition;
        }
        let function = self.file.functions.get(name);
        let unknown = function.is_none() && crate::function::Fun::named(name).is_none();
        if unknown && name != "real" && self.scope.get(name).is_none() {
            return Kind::Integer;
        }
        match function.and_then(|f| f.results.first()).map(|r| &r.sort.kind) {
            Some(SortKind::Index(..)) => Kind::Index,
            Some(SortKind::Real(_) | SortKind::Size | SortKind::Rel(_)) | None => Kind::Real,
        }
    }

    /// An extent or range: an index expression in sizes alone.
    pub(super) fn extent(&mut self, expr: &Expr) -> Check<Extent> {
        let index = self.size(expr)?;
        if is_extent(&index) {
            return Ok(index);
        }
        let message = format!("`{}` is not an expression in sizes", self.show_index(&index));
        Err(self.report(
            Diagnostic::new("typing::extent", expr.span, message)
                .at("shapes and ranges depend on sizes alone")
                .help("pass it as a parameter of sort `size`, or use the largest extent with a guard `[p]` where entries are read"),
        ))
    }

    /// An index where sizes are wanted.
    fn size(&mut self, expr: &Expr) -> Check<Index> {
        if let ExprKind::Name(name) = &expr.kind
            && self.scope.get(name).is_none()
        {
            return Err(self.unknown_size(name, expr.span));
        }
        self.index(expr)
    }

    /// The range of a binder.
    pub(super) fn range(&mut self, binder: &Binder) -> Check<Extent> {
        let index = self.size(&binder.range)?;
        if is_extent(&index) {
            return Ok(index);
        }
        let (name, shown) = (&binder.name.text, self.show_index(&index));
        let message = format!("the range `{shown}` of `{name}` is not an expression in sizes");
        let largest = self.upper(&index).map_or_else(|| "n".to_owned(), |e| self.show_index(&e));
        Err(self.report(
            Diagnostic::new("typing::extent", binder.range.span, message)
                .at("shapes and ranges depend on sizes alone")
                .help(format!(
                    "take the largest range and restrict it: `sum({name}: {largest} where {name} < {shown})`, or a guard `[{name} < {shown}] * ..`"
                )),
        ))
    }

    pub(super) fn extents(&mut self, exprs: &[Expr]) -> Check<Vec<Extent>> {
        exprs.iter().map(|e| self.extent(e)).collect()
    }
}

/// Whether only sizes occur.
pub(super) fn is_extent(index: &Index) -> bool {
    use crate::ir::Atom;
    index.terms().iter().all(|(atom, _)| match atom {
        Atom::Size(_) => true,
        Atom::Div(e, _) | Atom::Mod(e, _) => is_extent(e),
        Atom::Var(_) | Atom::Read(..) | Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => false,
    })
}
