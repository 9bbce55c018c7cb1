//! Reads of tensors, each proved in bounds.

use super::scope::{Binding, View};
use super::{Check, Checker, Reported};
use crate::ast::{Expr, Name};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{self, Atom, Element, Index};

impl Checker<'_, '_> {
    /// `A[i, j]` as a real.
    pub(super) fn real_access(&mut self, name: &Name, indices: &[Expr], span: Span) -> Check<ir::Expr> {
        let view = self.tensor_named(name)?;
        if matches!(self.symbols.tensor(view.tensor).element, Element::Index(_)) {
            let message = format!("a real is wanted here, found an entry of the index tensor `{}`", name.text);
            return Err(self.report(
                Diagnostic::new("typing::real", span, message)
                    .help(format!("write `real({}[..])` to use it as a number", name.text)),
            ));
        }
        let view = self.entry(name, view, indices, span)?;
        Ok(ir::Expr::Access(view.tensor, view.prefix))
    }

    /// `p[i]` as an index.
    pub(super) fn index_read(&mut self, name: &Name, indices: &[Expr], span: Span) -> Check<Index> {
        let view = self.tensor_named(name)?;
        if self.symbols.tensor(view.tensor).element == Element::Real {
            let message = format!("an index is wanted here, found an entry of the real tensor `{}`", name.text);
            return Err(self.report(
                Diagnostic::new("typing::index", span, message)
                    .help(format!("write `floor({}[..])` to round it down to an index", name.text)),
            ));
        }
        let view = self.entry(name, view, indices, span)?;
        Ok(Index::atom(Atom::Read(view.tensor, view.prefix)))
    }

    pub(super) fn tensor_named(&mut self, name: &Name) -> Check<View> {
        let what = match self.scope.get(&name.text) {
            Some(Binding::Tensor(view)) => return Ok(view.clone()),
            Some(Binding::Broken) => return Err(Reported),
            Some(Binding::Index(_)) => "an index",
            Some(Binding::Const(_)) => "a constant",
            Some(Binding::Relation(_)) => "a relation",
            None => return Err(self.unknown_name(&name.text, name.span)),
        };
        let message = format!("`{}` is {what}, not a tensor: it has no entries", name.text);
        let help = match what {
            "a relation" => format!("membership is written with parentheses: `{}(i, j)`", name.text),
            _ => format!("write `{}` alone", name.text),
        };
        Err(self.report(Diagnostic::new("typing::access", name.span, message).help(help)))
    }

    /// One entry of a tensor: every axis is given.
    fn entry(&mut self, name: &Name, view: View, indices: &[Expr], span: Span) -> Check<View> {
        let rank = self.symbols.tensor(view.tensor).shape.len() - view.prefix.len();
        if indices.len() < rank {
            return Err(self.missing_indices(&name.text, rank, span));
        }
        self.part(name, view, indices, span)
    }

    /// A tensor with some more of its leading axes fixed.
    pub(super) fn part(&mut self, name: &Name, view: View, indices: &[Expr], span: Span) -> Check<View> {
        let shape = self.symbols.tensor(view.tensor).shape.clone();
        let rank = shape.len() - view.prefix.len();
        if indices.len() > rank {
            let message = format!("`{}` has {}, found {} indices", name.text, axes(rank), indices.len());
            return Err(self.report(
                Diagnostic::new("typing::rank", span, message).help("give one index for each axis"),
            ));
        }
        let fixed = view.prefix.len();
        let mut prefix = view.prefix;
        for (axis, expr) in indices.iter().enumerate() {
            let index = self.index(expr)?;
            self.require_within(&index, &shape[fixed + axis], expr.span, &name.text, axis);
            prefix.push(index);
        }
        self.require_earlier(view.tensor, &prefix, span);
        Ok(View { tensor: view.tensor, prefix })
    }

    /// A tensor stands where an entry is wanted.
    pub(super) fn missing_indices(&mut self, name: &str, rank: usize, span: Span) -> Reported {
        let letters: Vec<&str> = ["i", "j", "k", "l", "m"].into_iter().cycle().take(rank).collect();
        let message = format!("an entry is wanted here, found a tensor: `{name}` has {} to index", axes(rank));
        self.report(
            Diagnostic::new("typing::rank", span, message)
                .help(format!("read an entry, like `{name}[{}]`, under a binder such as `sum(i: n)`", letters.join(", "))),
        )
    }
}

/// `1 axis`, `2 axes`
fn axes(rank: usize) -> String {
    if rank == 1 { "1 axis".to_owned() } else { format!("{rank} axes") }
}
