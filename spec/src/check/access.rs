//! Reads of tensors, each proved in bounds.

use super::outside::{Kind, Reader};
use super::scope::{Binding, View};
use super::{Check, Checker, Reported};
use crate::ast::{Expr, ExprKind, Name};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{self, Atom, Element, Extent, Index};

impl Checker<'_, '_> {
    /// `A[i, j]` as a real.
    pub(super) fn real_access(
        &mut self,
        name: &Name,
        indices: &[Expr],
        span: Span,
    ) -> Check<ir::Expr> {
        let view = self.tensor_named(name)?;
        if matches!(self.symbols.tensor(view.tensor).element, Element::Index(_)) {
            let message = format!(
                "a real is wanted here, found an entry of the index tensor `{}`",
                name.text
            );
            return Err(self.report(Diagnostic::new("typing::real", span, message).help(format!(
                "write `real({})` to use it as a number",
                as_access(name, indices)
            ))));
        }
        let view = self.entry(name, view, indices, span)?;
        Ok(ir::Expr::Access(view.tensor, view.prefix))
    }

    /// `p[i]` as an index.
    pub(super) fn index_read(&mut self, name: &Name, indices: &[Expr], span: Span) -> Check<Index> {
        let view = self.tensor_named(name)?;
        if self.symbols.tensor(view.tensor).element == Element::Real {
            let message = format!(
                "an index is wanted here, found an entry of the real tensor `{}`",
                name.text
            );
            return Err(self.report(Diagnostic::new("typing::index", span, message).help(
                format!("write `floor({})` to round it down to an index", as_access(name, indices)),
            )));
        }
        let view = self.entry(name, view, indices, span)?;
        Ok(Index::atom(Atom::Read(view.tensor, view.prefix)))
    }

    pub(super) fn tensor_named(&mut self, name: &Name) -> Check<View> {
        let what = match self.scope.get(&name.text) {
            Some(Binding::Tensor(view)) => return Ok(view.clone()),
            Some(Binding::Broken) => return Err(Reported),
            Some(Binding::Index(index)) if index.as_var().is_none() => "a size",
            Some(Binding::Index(_)) => "an index",
            Some(Binding::Const(_)) => "a constant",
            Some(Binding::Relation(_)) => "a relation",
            None => return Err(self.unknown_name(&name.text, name.span)),
        };
        let message = format!("`{}` is {what}, not a tensor: it has no entries", name.text);
        let help = match what {
            "a relation" => {
                format!("membership is written with parentheses: `{}(i, j)`", name.text)
            }
            _ => format!("write `{}` alone", name.text),
        };
        Err(self.report(Diagnostic::new("typing::access", name.span, message).help(help)))
    }

    /// One entry of a tensor: every axis is given.
    fn entry(&mut self, name: &Name, view: View, indices: &[Expr], span: Span) -> Check<View> {
        let rank = self.symbols.tensor(view.tensor).shape.len() - view.prefix.len();
        if indices.len() < rank {
            return Err(self.missing_indices(&name.text, indices, &view, span));
        }
        self.part(name, view, indices, span)
    }

    /// A tensor with some more of its leading axes fixed.
    pub(super) fn part(
        &mut self,
        name: &Name,
        view: View,
        indices: &[Expr],
        span: Span,
    ) -> Check<View> {
        let shape = self.symbols.tensor(view.tensor).shape.clone();
        let rank = shape.len() - view.prefix.len();
        if indices.len() > rank {
            let own = if rank == 0 {
                "is a single number".to_owned()
            } else {
                format!("has {}", axes(rank))
            };
            let message = format!(
                "`{}` {own}, found {}",
                name.text,
                count(indices.len(), "index", "indices")
            );
            let help = match rank {
                0 => format!("write `{}` alone", name.text),
                _ => format!(
                    "give one index for each axis, as in `{}[{}]`",
                    name.text,
                    letters(rank)
                ),
            };
            return Err(self.report(Diagnostic::new("typing::rank", span, message).help(help)));
        }
        let fixed = view.prefix.len();
        let mut prefix = view.prefix;
        let mut outside = Vec::new();
        for (axis, expr) in indices.iter().enumerate() {
            let extent = &shape[fixed + axis];
            self.require_bound_variables(expr, name, extent)?;
            let index = self.index(expr)?;
            outside.extend(self.outside(&index, extent, expr.span, axis));
            prefix.push(index);
        }
        let kind = match self.symbols.tensor(view.tensor).element {
            _ if indices.len() < rank => Kind::Row,
            Element::Real => Kind::Real,
            Element::Index(_) => Kind::Index,
        };
        if self.require_earlier(view.tensor, &prefix, span) && !outside.is_empty() {
            let (text, open) = self.completed(&name.text, indices, &shape[fixed + indices.len()..]);
            self.report_outside(&Reader { kind, name: &name.text, text, open }, &outside);
        }
        Ok(View { tensor: view.tensor, prefix })
    }

    /// `A[i, j]` for the part `A[i]`, and the binders of what was added, `j: n`.
    fn completed(&self, name: &str, given: &[Expr], open: &[Extent]) -> (String, String) {
        let mut indices: Vec<String> = given.iter().map(crate::print::expr).collect();
        let free = |letter: &&str| self.scope.get(letter).is_none();
        let letters = ["i", "j", "k", "l", "m", "o", "p", "q"].into_iter().filter(free);
        let mut binders = Vec::new();
        for (letter, extent) in letters.zip(open) {
            indices.push(letter.to_owned());
            binders.push(format!("{letter}: {}", self.show_index(extent)));
        }
        (format!("{name}[{}]", indices.join(", ")), binders.join(", "))
    }

    /// A tensor stands where an entry is wanted.
    pub(super) fn missing_indices(
        &mut self,
        name: &str,
        given: &[Expr],
        view: &View,
        span: Span,
    ) -> Reported {
        let shape = self.view_shape(view);
        let message =
            format!("an entry is wanted here, found a tensor: `{name}` has {}", axes(shape.len()));
        let (entry, open) = self.completed(name, given, &shape[given.len()..]);
        self.report(Diagnostic::new("typing::rank", span, message).help(format!(
            "read its entries: `y[{open}] = .. {entry} ..` makes a tensor of them, `sum({open}) {entry}` adds them"
        )))
    }
}

/// `1 axis`, `2 axes`
fn axes(rank: usize) -> String {
    count(rank, "axis", "axes")
}

/// `1 index`, `2 indices`
pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// `i, j, k`
pub(super) fn letters(count: usize) -> String {
    let letters: Vec<&str> = ["i", "j", "k", "l", "m"].into_iter().cycle().take(count).collect();
    letters.join(", ")
}

/// Whether the expression is a name of one letter, as index variables are.
pub(super) fn is_letter(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Name(name) if name.chars().count() == 1)
}

/// `x[i]` for what was written `x(i)`.
pub(super) fn as_access(name: &Name, args: &[Expr]) -> String {
    let kind = ExprKind::Access(name.clone(), args.to_vec());
    crate::print::expr(&Expr { kind, span: name.span })
}
