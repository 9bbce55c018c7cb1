//! Names that are not in scope, and what was probably meant.

use super::access::is_letter;
use super::{Check, Checker, Reported};
use crate::ast::{Axis, Expr, ExprKind, Name, Reduction, Target};
use crate::diagnostic::{Diagnostic, Span};
use crate::function::Fun;
use crate::ir::{Extent, VarId};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// The statement at hand, as far as it explains a name that is not in scope.
#[derive(Default)]
pub(super) struct Statement {
    /// What it defines.
    targets: Vec<Target>,
    /// By a variable's name: the last reduction that bound it.
    reductions: FxHashMap<String, Rc<Reduced>>,
}

/// A reduction, its variables, and where its body stands.
struct Reduced {
    op: Reduction,
    binders: Vec<VarId>,
    body: Span,
}

impl Statement {
    /// A statement that defines these.
    pub(super) fn of(targets: &[Target]) -> Self {
        Self { targets: targets.to_vec(), reductions: FxHashMap::default() }
    }

    /// Whether something in the statement explains the name.
    fn knows(&self, name: &str) -> bool {
        self.reductions.contains_key(name) || self.target(name).is_some()
    }

    fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|t| t.name.text == name)
    }
}

impl Checker<'_, '_> {
    /// Remembers a reduction whose variables are then out of scope.
    pub(super) fn note_reduction(&mut self, op: Reduction, binders: &[VarId], body: Span) {
        if self.trusted {
            return;
        }
        let reduced = Rc::new(Reduced { op, binders: binders.to_vec(), body });
        for var in binders {
            let name = self.symbols.var(*var).name.clone();
            self.statement.reductions.insert(name, Rc::clone(&reduced));
        }
    }

    /// Says what the statement at hand knows of the name.
    fn explain(&self, unknown: Diagnostic, name: &str) -> Diagnostic {
        if let Some(reduced) = self.statement.reductions.get(name) {
            let binders: Vec<String> =
                reduced.binders.iter().map(|v| self.show_binder(*v)).collect();
            let head = format!("{}({})", reduced.op.name(), binders.join(", "));
            return unknown
                .at(format!("outside of `{head}`"))
                .label(reduced.body, "its body ends here")
                .help(format!(
                    "a reduction ends before the next `+` or `-`: put all of its body in brackets, `{head} (..)`"
                ));
        }
        match self.statement.target(name).map(|t| t.axes.as_slice()) {
            Some([Axis::Bind(first), ..]) => {
                let (var, range) = (&first.name.text, crate::print::expr(&first.range));
                unknown.at("it is being defined").help(format!(
                    "a tensor reads its own earlier entries in a recurrence: `rec {var}: {range} {{ {name}[{var}] = .. }}`"
                ))
            }
            Some([Axis::Carried(_), ..] | []) | None => unknown
                .at("it is being defined")
                .help("a tensor is defined once: give the new value a name of its own"),
        }
    }

    /// The name is not in scope.
    pub(super) fn unknown_name(&mut self, name: &str, span: Span) -> Reported {
        if let Some(found) = self.frame.unannounced.get(name) {
            self.diagnostics.extend(found.iter().cloned());
            return Reported;
        }
        if self.missing.contains(name) {
            return Reported;
        }
        let message = format!("`{name}` is not defined here");
        let mut unknown = Diagnostic::new("names::unknown", span, message);
        unknown = match self.scope.similar(name) {
            _ if self.statement.knows(name) => self.explain(unknown, name),
            Some(similar) => unknown.help(format!("did you mean `{similar}`?")),
            None if self.file.functions.contains_key(name) || Fun::named(name).is_some() => {
                unknown.help(format!("`{name}` is a function: call it with its arguments, `{name}(..)`"))
            }
            None => unknown.help(
                "a name is a parameter, a tensor defined above this line, or a variable bound with its range: `sum(i: n) ..`, `y[i: n] = ..`",
            ),
        };
        self.report(unknown)
    }

    /// A size that is not in scope: said once in a function.
    pub(super) fn unknown_size(&mut self, name: &str, span: Span) -> Reported {
        if self.scope.similar(name).is_some() || !self.missing.insert(name.to_owned()) {
            return self.unknown_name(name, span);
        }
        let message = format!("`{name}` is not defined here");
        self.report(
            Diagnostic::new("names::unknown", span, message)
                .at("shapes and ranges are sizes")
                .help(format!(
                    "a size is a parameter: add `{name}: size` to those of the function"
                )),
        )
    }

    /// `x[i]` where no `i` is in scope.
    pub(super) fn require_bound_variables(
        &mut self,
        expr: &Expr,
        tensor: &Name,
        extent: &Extent,
    ) -> Check<()> {
        let (ExprKind::Name(name), true) = (&expr.kind, is_letter(expr)) else { return Ok(()) };
        if self.scope.get(name).is_some() {
            return Ok(());
        }
        if self.statement.knows(name) {
            return Err(self.unknown_name(name, expr.span));
        }
        let (range, tensor) = (self.show_index(extent), &tensor.text);
        let message = format!("`{name}` is not defined here");
        Err(self.report(
            Diagnostic::new("names::unknown", expr.span, message)
                .at("an index variable is bound with its range")
                .help(format!("bind it: `sum({name}: {range}) {tensor}[{name}]` adds entries, `y[{name}: {range}] = {tensor}[{name}]` makes an axis")),
        ))
    }
}
