//! Definitions: their axes, sorts and values.

use super::scope::{Binding, View};
use super::sort::Kind;
use super::view::Blocks;
use super::{Check, Checker, Reported};
use crate::ast::{self, Axis, Expr, ExprKind, RecVar, Reduction, SortKind, Stmt, Target};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{Block, Def, Element, Extent, Index, Tensor, TensorId, Value, VarId};

impl Checker<'_, '_> {
    /// `target = value`, or `(a, b) = f(..)`.
    pub(super) fn define(
        &mut self,
        targets: &[Target],
        value: &Expr,
        blocks: &mut Blocks,
    ) -> Check<()> {
        if let ExprKind::Call(name, args) = &value.kind
            && self.inlines(&name.text)
            && targets.iter().all(|t| t.axes.iter().all(|a| matches!(a, Axis::Carried(_))))
        {
            return self.define_by_call(targets, name, args, value.span, blocks);
        }
        match targets {
            [target] => self.define_one(target, value, blocks),
            _ => Err(self.report(
                Diagnostic::new(
                    "typing::results",
                    value.span,
                    "several names are defined by a call with several results",
                )
                .at("this is not the call of a function of the file")
                .help("define each name in a statement of its own"),
            )),
        }
    }

    fn define_one(&mut self, target: &Target, value: &Expr, blocks: &mut Blocks) -> Check<()> {
        let mark = self.scope.mark();
        let current = self.frame.preset.get(&target.name.text).copied();
        let outer = std::mem::replace(&mut self.order.current, current);
        let made = self.axes(target).and_then(|axes| self.entry_value(target, axes, value, blocks));
        self.order.current = outer;
        self.scope.reset(mark);
        let (element, axes, value) = made?;
        let shape: Vec<Extent> = axes.iter().map(|v| self.symbols.var(*v).range.clone()).collect();
        let tensor = match self.frame.preset.remove(&target.name.text) {
            Some(tensor) => self.use_preset(tensor, target, &element, &shape)?,
            None => {
                shape.iter().for_each(|e| self.assume_extent(e));
                let name = target.name.text.clone();
                self.symbols.add_tensor(Tensor { name, element, shape })
            }
        };
        blocks.push(Block::Stmt(Def { tensor, axes, value }));
        self.count_statement();
        self.order.finish(tensor);
        self.declare_tensor(target, tensor)
    }

    /// Declares the name unless its recurrence has announced it already.
    pub(super) fn declare_tensor(&mut self, target: &Target, tensor: TensorId) -> Check<()> {
        let hidden = self.frame.hidden.iter().map(|v| Index::var(*v)).collect();
        let view = View { tensor, prefix: hidden };
        if let Some(Binding::Tensor(announced)) = self.scope.get(&target.name.text)
            && *announced == view
        {
            return Ok(());
        }
        self.declare(&target.name, Binding::Tensor(view))
    }

    /// A tensor announced before its definition must be what the definition makes it.
    fn use_preset(
        &mut self,
        tensor: TensorId,
        target: &Target,
        element: &Element,
        shape: &[Extent],
    ) -> Check<TensorId> {
        let announced = self.symbols.tensor(tensor).clone();
        let same = announced.shape.len() == shape.len()
            && announced.shape.iter().zip(shape).all(|(a, b)| self.same_extent(a, b))
            && std::mem::discriminant(&announced.element) == std::mem::discriminant(element);
        if same {
            return Ok(tensor);
        }
        let message = format!(
            "`{}` is read in its recurrence as `{}`, and defined as `{}`",
            target.name.text,
            self.show_sort(&announced.element, &announced.shape),
            self.show_sort(element, shape)
        );
        self.scope.insert(&target.name.text, Binding::Broken, target.name.span);
        let help = match element {
            Element::Index(bound) => {
                format!(
                    "write its sort at its definition, `{}: index({})`, and all its axes",
                    show_target(target),
                    self.show_index(bound)
                )
            }
            Element::Real => format!(
                "write all its axes at its definition: `{}` has {} of {}",
                show_target(target),
                announced.shape.len(),
                shape.len()
            ),
        };
        Err(self.report(Diagnostic::new("recurrence::sort", target.name.span, message).help(help)))
    }

    /// The variables of a target's axes: the carried ones, then its own.
    fn axes(&mut self, target: &Target) -> Check<Vec<VarId>> {
        let carried = self.frame.carried.clone();
        for (place, var) in carried.iter().enumerate() {
            let name = self.symbols.var(*var).name.clone();
            match target.axes.get(place) {
                Some(Axis::Carried(written)) if written.text == name => {}
                other => return Err(self.carried_axis(target, place, &name, other)),
            }
        }
        let mut axes = self.frame.leading();
        for axis in &target.axes[carried.len()..] {
            match axis {
                Axis::Bind(binder) => axes.push(self.bind(binder)?),
                Axis::Carried(name) => {
                    return Err(self.axis_without_range(target, axes.len(), name));
                }
            }
        }
        Ok(axes)
    }

    fn axis_without_range(&mut self, target: &Target, place: usize, name: &ast::Name) -> Reported {
        let message = format!("the axis `{}` of `{}` has no range", name.text, target.name.text);
        let declared = self.frame.results.get(&target.name.text);
        let extent = declared.and_then(|(_, shape)| shape.get(place));
        let extent = extent.map_or_else(|| "n".to_owned(), |e| self.show_index(e));
        self.report(
            Diagnostic::new("typing::axis", name.span, message)
                .help(format!("write its range: `{}: {extent}`", name.text)),
        )
    }

    /// A target of a call is written with the carried axes alone.
    pub(super) fn carried_only(&mut self, target: &Target) -> Check<()> {
        let own = self.frame.carried.len();
        if let Some(axis) = target.axes.get(own) {
            let span = span_of(axis);
            let message = format!(
                "the result of a call is bound whole: `{}` takes no more axes",
                target.name.text
            );
            return Err(self.report(
                Diagnostic::new("typing::axis", span, message).help("leave this axis out"),
            ));
        }
        let mark = self.scope.mark();
        let axes = self.axes(target);
        self.scope.reset(mark);
        axes.map(|_| ())
    }

    fn carried_axis(
        &mut self,
        target: &Target,
        place: usize,
        name: &str,
        found: Option<&Axis>,
    ) -> Reported {
        let span = found.map_or(target.name.span, span_of);
        let axes: Vec<&str> =
            self.frame.carried.iter().map(|v| self.symbols.var(*v).name.as_str()).collect();
        let axes = axes.join(", ");
        let message = format!(
            "axis {} of `{}` must be the recurrence variable `{name}`",
            place + 1,
            target.name.text
        );
        self.report(
            Diagnostic::new("recurrence::axis", span, message)
                .at("a tensor of a recurrence has its variables as leading axes, without a range")
                .help(format!(
                    "write `{0}[{axes}]`, with further axes after: `{0}[{axes}, i: n]`",
                    target.name.text
                )),
        )
    }

    /// The sort that the definition is known to have before its value is looked at.
    fn expected_element(&mut self, target: &Target) -> Check<Option<Element>> {
        if let Some(sort) = &target.sort {
            if let SortKind::Real(shape) | SortKind::Index(_, shape) = &sort.kind
                && !shape.is_empty()
            {
                return Err(self.report(
                    Diagnostic::new("typing::sort", sort.span, "the sort of an entry has no shape")
                        .help("the axes are written at the name: `t[i: n]: index(m) = ..`"),
                ));
            }
            return Ok(Some(self.tensor_sort(sort)?.0));
        }
        Ok(self.frame.results.get(&target.name.text).map(|(element, _)| element.clone()))
    }

    /// Elaborates the value of an entry; a tensor on the right side adds its axes.
    fn entry_value(
        &mut self,
        target: &Target,
        mut axes: Vec<VarId>,
        value: &Expr,
        blocks: &mut Blocks,
    ) -> Check<(Element, Vec<VarId>, Value)> {
        let expected = self.expected_element(target)?;
        if self.is_tensor(value) {
            let (made, element, more) = self.tensor_value(target, value, blocks)?;
            axes.extend(more);
            return Ok((element, axes, made));
        }
        let kind = self.kind(value);
        match (expected, kind) {
            (Some(Element::Index(bound)), _) => {
                let index = self.index(value)?;
                self.require_bound(&index, &bound, value.span, target);
                Ok((Element::Index(bound), axes, Value::Index(index)))
            }
            (None, Kind::Index) => {
                let index = self.index(value)?;
                let bound = self.infer_bound(&index, value.span, Some(target))?;
                Ok((Element::Index(bound), axes, Value::Index(index)))
            }
            (Some(Element::Real) | None, _) => {
                Ok((Element::Real, axes, Value::Real(self.real(value)?)))
            }
        }
    }

    /// `z = A`, `r[i: n] = A[i]`, `g = for(i: n) e`
    fn tensor_value(
        &mut self,
        target: &Target,
        value: &Expr,
        blocks: &mut Blocks,
    ) -> Check<(Value, Element, Vec<VarId>)> {
        if let ExprKind::For(binders, body) = &value.kind
            && !self.is_tensor(body)
        {
            let more = self.bind_all(binders)?;
            if self.kind(body) == Kind::Index {
                let index = self.index(body)?;
                let bound = self.infer_bound(&index, body.span, Some(target))?;
                return Ok((Value::Index(index), Element::Index(bound), more));
            }
            return Ok((Value::Real(self.real(body)?), Element::Real, more));
        }
        let whole = target.axes.len() == self.frame.carried.len();
        if whole {
            let view = self.view(value, blocks)?;
            return self.entry_of(view, Blocks::new(), value.span);
        }
        let frame = self.enter_expression();
        let mut inner = Blocks::new();
        let known = self.facts.mark();
        let view = self.view(value, &mut inner);
        self.facts.reset(known);
        self.leave(frame);
        self.entry_of(view?, inner, value.span)
    }

    /// Makes the tensors of a recurrence known before its statements are looked at:
    /// any of them may read earlier entries of any other.
    pub(super) fn announce(&mut self, body: &[Stmt]) -> Vec<TensorId> {
        let mut announced = Vec::new();
        for stmt in body {
            match stmt {
                Stmt::Def { targets, value } => {
                    for (place, target) in targets.iter().enumerate() {
                        if let Some(tensor) = self.announce_target(target, place, value) {
                            announced.push(tensor);
                        }
                    }
                }
                Stmt::Rec { vars, body, .. } => announced.extend(self.announce_nested(vars, body)),
                Stmt::Requires { .. } => {}
            }
        }
        announced
    }

    /// The tensors of an inner recurrence, with its variables as axes too.
    fn announce_nested(&mut self, vars: &[RecVar], body: &[Stmt]) -> Vec<TensorId> {
        let mark = self.scope.mark();
        let mut bound = Vec::new();
        for var in vars {
            match self.bind(&var.binder) {
                Ok(id) => bound.push((id, var.direction)),
                Err(Reported) => return Vec::new(),
            }
        }
        let ids: Vec<VarId> = bound.iter().map(|(v, _)| *v).collect();
        let names: Vec<String> = vars.iter().map(|v| v.binder.name.text.clone()).collect();
        self.frame.nested.insert(vars[0].binder.name.span, ids.clone());
        self.frame.carried.extend(&ids);
        self.order.open.extend(&bound);
        let announced = self.announce(body);
        self.order.open.truncate(self.order.open.len() - bound.len());
        self.frame.carried.truncate(self.frame.carried.len() - ids.len());
        self.scope.forget(mark, &names);
        announced
    }

    fn announce_target(&mut self, target: &Target, place: usize, value: &Expr) -> Option<TensorId> {
        let quiet = self.diagnostics.len();
        let mark = self.scope.mark();
        let sort = self.announced_sort(target, place, value);
        self.scope.reset(mark);
        let found = self.diagnostics.split_off(quiet);
        let Ok((element, shape)) = sort else {
            self.frame.unannounced.insert(target.name.text.clone(), found);
            return None;
        };
        shape.iter().for_each(|e| self.assume_extent(e));
        let tensor = Tensor { name: target.name.text.clone(), element, shape };
        if let Some(named_by_caller) = self.frame.preset.get(&target.name.text).copied() {
            self.declare_tensor(target, named_by_caller).ok()?;
            return None;
        }
        let tensor = self.symbols.add_tensor(tensor);
        self.frame.preset.insert(target.name.text.clone(), tensor);
        let open = self.order.open.clone();
        self.order.announce(tensor, open, self.frame.implicit);
        self.declare_tensor(target, tensor).ok()?;
        Some(tensor)
    }

    fn announced_sort(
        &mut self,
        target: &Target,
        place: usize,
        value: &Expr,
    ) -> Check<(Element, Vec<Extent>)> {
        let whole = target.axes.iter().all(|a| matches!(a, Axis::Carried(_)));
        if let ExprKind::Call(name, args) = &value.kind
            && self.inlines(&name.text)
            && whole
        {
            let (element, shape) = self.result_sort_of_call(name, args, place, value.span)?;
            let leading = self.frame.leading();
            let carried = leading.iter().map(|v| self.symbols.var(*v).range.clone());
            return Ok((element, carried.chain(shape).collect()));
        }
        let axes = self.axes(target)?;
        let mut shape: Vec<Extent> =
            axes.iter().map(|v| self.symbols.var(*v).range.clone()).collect();
        if let ExprKind::For(binders, _) = &value.kind {
            for binder in binders {
                shape.push(self.extent(&binder.range)?);
            }
        }
        let argument = matches!(
            value.kind,
            ExprKind::Reduce { op: Reduction::Argmax | Reduction::Argmin, .. }
        );
        let element = match self.expected_element(target)? {
            Some(element) => element,
            None if argument || self.kind(value) == Kind::Index => {
                Element::Index(self.unannotated_index(target)?)
            }
            None => Element::Real,
        };
        Ok((element, shape))
    }

    /// An index tensor of a recurrence needs its range before its value is looked at.
    fn unannotated_index(&mut self, target: &Target) -> Check<Extent> {
        let message =
            format!("the range of the index tensor `{}` is not written", target.name.text);
        Err(self.report(Diagnostic::new("typing::bound", target.name.span, message).help(format!(
            "write it: `{}: index(m) = ..`, where entries are in `0..m`",
            show_target(target)
        ))))
    }
}

/// `t[i: n]`
pub(super) fn show_target(target: &Target) -> String {
    let axis = |axis: &Axis| match axis {
        Axis::Bind(binder) => {
            format!("{}: {}", binder.name.text, crate::print::expr(&binder.range))
        }
        Axis::Carried(name) => name.text.clone(),
    };
    if target.axes.is_empty() {
        return target.name.text.clone();
    }
    let axes: Vec<String> = target.axes.iter().map(axis).collect();
    format!("{}[{}]", target.name.text, axes.join(", "))
}

/// The whole axis.
fn span_of(axis: &Axis) -> Span {
    match axis {
        Axis::Bind(binder) => binder.name.span.to(binder.range.span),
        Axis::Carried(name) => name.span,
    }
}
