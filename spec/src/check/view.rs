//! Tensors as arguments and as whole values.

use super::scope::{Binding, View};
use super::sort::Kind;
use super::{Check, Checker};
use crate::ast::{Expr, ExprKind};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{self, Block, Def, Element, Extent, Index, Tensor, Value, VarId};

/// The definitions that an expression needs before it.
pub(super) type Blocks = Vec<Block<Def>>;

impl Checker<'_, '_> {
    /// The extents of a view's axes.
    pub(super) fn view_shape(&self, view: &View) -> Vec<Extent> {
        self.symbols.tensor(view.tensor).shape[view.prefix.len()..].to_vec()
    }

    /// Whether the expression stands for a tensor with axes of its own.
    pub(super) fn is_tensor(&self, expr: &Expr) -> bool {
        let rank = |name: &str, given: usize| match self.scope.get(name) {
            Some(Binding::Tensor(view)) => self.view_shape(view).len() > given,
            _ => false,
        };
        match &expr.kind {
            ExprKind::For(..) => true,
            ExprKind::Name(name) => rank(name, 0),
            ExprKind::Access(name, indices) => rank(&name.text, indices.len()),
            ExprKind::Call(name, _) => {
                let function = self.file.functions.get(name.text.as_str());
                function.and_then(|f| f.results.first()).is_some_and(|r| match &r.sort.kind {
                    crate::ast::SortKind::Real(shape) | crate::ast::SortKind::Index(_, shape) => {
                        !shape.is_empty()
                    }
                    crate::ast::SortKind::Size | crate::ast::SortKind::Rel(_) => false,
                })
            }
            ExprKind::Let(_, body) => self.is_tensor(body),
            ExprKind::Number(_)
            | ExprKind::Unary(..)
            | ExprKind::Sum(_)
            | ExprKind::Chain(_)
            | ExprKind::Power(..)
            | ExprKind::Compare(..)
            | ExprKind::Logic(..)
            | ExprKind::Bracket(_)
            | ExprKind::Reduce { .. }
            | ExprKind::If(..) => false,
        }
    }

    /// Elaborates a real or tensor expression to a tensor; what must be computed
    /// for it is added to `blocks`.
    pub(super) fn view(&mut self, expr: &Expr, blocks: &mut Blocks) -> Check<View> {
        match &expr.kind {
            ExprKind::Name(name) if matches!(self.scope.get(name), Some(Binding::Tensor(_))) => {
                let name = crate::ast::Name { text: name.clone(), span: expr.span };
                let view = self.tensor_named(&name)?;
                self.require_earlier(view.tensor, &view.prefix, expr.span);
                Ok(view)
            }
            ExprKind::Access(name, indices) => {
                let view = self.tensor_named(name)?;
                self.part(name, view, indices, expr.span)
            }
            ExprKind::Call(name, args) if self.inlines(&name.text) => {
                let views = self.inline(name, args, expr.span, blocks, &[])?;
                self.single_result(name, args, expr.span, views)
            }
            ExprKind::For(binders, body) => self.generator(binders, body, blocks),
            ExprKind::Let(..) if self.is_tensor(expr) => Err(self.report(
                Diagnostic::new("typing::rank", expr.span, "`let` cannot make a tensor here")
                    .help("put `let` inside: `for(i: n) let a = b in c`"),
            )),
            ExprKind::Number(_)
            | ExprKind::Name(_)
            | ExprKind::Call(..)
            | ExprKind::Unary(..)
            | ExprKind::Sum(_)
            | ExprKind::Chain(_)
            | ExprKind::Power(..)
            | ExprKind::Compare(..)
            | ExprKind::Logic(..)
            | ExprKind::Bracket(_)
            | ExprKind::Reduce { .. }
            | ExprKind::If(..)
            | ExprKind::Let(..) => self.scalar_view(expr, blocks),
        }
    }

    /// A scalar expression as a tensor without axes.
    fn scalar_view(&mut self, expr: &Expr, blocks: &mut Blocks) -> Check<View> {
        if self.kind(expr) == Kind::Index {
            let index = self.index(expr)?;
            let bound = self.infer_bound(&index, expr.span, None)?;
            return Ok(self.materialize(
                "k",
                Element::Index(bound),
                &[],
                Value::Index(index),
                blocks,
            ));
        }
        let value = Value::Real(self.real(expr)?);
        Ok(self.materialize("x", Element::Real, &[], value, blocks))
    }

    /// `for(i: n) e`
    fn generator(
        &mut self,
        binders: &[crate::ast::Binder],
        body: &Expr,
        blocks: &mut Blocks,
    ) -> Check<View> {
        self.scoped(|c| {
            let mut axes = c.bind_all(binders)?;
            if c.is_tensor(body) {
                let mut inner = Blocks::new();
                let frame = c.enter_expression();
                let known = c.facts.mark();
                let view = c.view(body, &mut inner);
                c.facts.reset(known);
                c.leave(frame);
                let (value, element, more) = c.entry_of(view?, inner, body.span)?;
                axes.extend(more);
                return Ok(c.materialize("g", element, &axes, value, blocks));
            }
            if c.kind(body) == Kind::Index {
                let index = c.index(body)?;
                let bound = c.infer_bound(&index, body.span, None)?;
                return Ok(c.materialize(
                    "g",
                    Element::Index(bound),
                    &axes,
                    Value::Index(index),
                    blocks,
                ));
            }
            let value = Value::Real(c.real(body)?);
            Ok(c.materialize("g", Element::Real, &axes, value, blocks))
        })
    }

    /// One entry of a view at fresh axes, with the definitions it needs.
    pub(super) fn entry_of(
        &mut self,
        view: View,
        blocks: Blocks,
        span: Span,
    ) -> Check<(Value, Element, Vec<VarId>)> {
        let axes: Vec<VarId> = self
            .view_shape(&view)
            .into_iter()
            .zip(["i", "j", "k", "l"].into_iter().cycle())
            .map(|(range, name)| self.symbols.add_var(name, range))
            .collect();
        let mut indices = view.prefix;
        indices.extend(axes.iter().map(|v| Index::var(*v)));
        let element = self.symbols.tensor(view.tensor).element.clone();
        let value = match element {
            Element::Index(_) if !blocks.is_empty() => {
                return Err(self.report(
                    Diagnostic::new("typing::index", span, "an index tensor that a call computes cannot be taken apart here")
                        .help("call it once for each index, in a block that binds its result whole: `rec i: n { q[i] = f(..) }`"),
                ));
            }
            Element::Index(_) => Value::Index(Index::atom(ir::Atom::Read(view.tensor, indices))),
            Element::Real => {
                let access = ir::Expr::Access(view.tensor, indices);
                Value::Real(if blocks.is_empty() {
                    access
                } else {
                    ir::Expr::Let(blocks, Box::new(access))
                })
            }
        };
        Ok((value, element, axes))
    }

    /// Defines a tensor for a value; inside recurrences it has their variables as leading axes.
    pub(super) fn materialize(
        &mut self,
        name: &str,
        element: Element,
        axes: &[VarId],
        value: Value,
        blocks: &mut Blocks,
    ) -> View {
        let carried = self.frame.leading();
        let axes: Vec<VarId> = carried.iter().chain(axes).copied().collect();
        let shape: Vec<Extent> = axes.iter().map(|v| self.symbols.var(*v).range.clone()).collect();
        shape.iter().for_each(|e| self.assume_extent(e));
        let tensor = self.symbols.add_tensor(Tensor { name: name.to_owned(), element, shape });
        blocks.push(Block::Stmt(Def { tensor, axes, value }));
        self.count_statement();
        View { tensor, prefix: carried.into_iter().map(Index::var).collect() }
    }
}
