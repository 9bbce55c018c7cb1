//! Functions, their signatures, and the statements of bodies.

use super::scope::{Binding, View};
use super::unknown::Statement;
use super::view::Blocks;
use super::{Check, Checker, Reported};
use crate::ast::{self, SortKind, Stmt};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{
    self, Block, Element, Extent, Index, Param, Program, Rec, RelId, Relation, Requires, SizeId,
    Tensor, TensorId, Typed, VarId,
};
use rustc_hash::FxHashMap;

/// Where definitions go: which axes they carry, and what is known of their names.
#[derive(Default)]
pub(super) struct Frame {
    /// Recurrence variables of the callers, which every definition carries unwritten.
    pub(super) hidden: Vec<VarId>,
    /// Recurrence variables of this body's open blocks, which definitions write first.
    pub(super) carried: Vec<VarId>,
    /// How many open recurrence variables belong to the expression around a `let`.
    pub(super) implicit: usize,
    /// The sorts that results of this body are declared with.
    pub(super) results: FxHashMap<String, (Element, Vec<Extent>)>,
    /// Tensors that exist before their definition is reached: those of open
    /// recurrences, and results that the caller has named.
    pub(super) preset: FxHashMap<String, TensorId>,
    /// The tensors of open recurrences whose sort is not known before their definition, and why.
    pub(super) unannounced: FxHashMap<String, Vec<Diagnostic>>,
    /// The variables made for inner recurrences when the outermost one announced its
    /// tensors, by the place of the first.
    pub(super) nested: FxHashMap<Span, Vec<VarId>>,
}

impl Frame {
    /// The leading axes of a definition.
    pub(super) fn leading(&self) -> Vec<VarId> {
        self.hidden.iter().chain(&self.carried).copied().collect()
    }
}

impl Checker<'_, '_> {
    /// Elaborates a function as a program of its own.
    pub(super) fn function(mut self, function: &ast::Function) -> (Typed, Vec<Diagnostic>) {
        let mut body = Blocks::new();
        if let Some((key, _)) = self.file.functions.get_key_value(function.name.text.as_str()) {
            self.calls.push(key);
        }
        let signature = self.signature(function);
        let results = match signature {
            Err(Reported) => {
                self.stmts(&function.body, &mut body);
                Vec::new()
            }
            Ok(()) if function.derivative.is_some() => {
                self.wrap_user_function(function, &mut body).into_iter().collect()
            }
            Ok(()) => {
                self.stmts(&function.body, &mut body);
                self.results(function)
            }
        };
        let params = self.params_in_order(function);
        let program = Program {
            name: function.name.text.clone(),
            symbols: self.symbols,
            params,
            body,
            results,
        };
        (program, self.diagnostics)
    }

    /// Declares parameters and results; sizes first, since shapes mention them.
    fn signature(&mut self, function: &ast::Function) -> Check<()> {
        let mut verdict = Ok(());
        let is_size = |p: &&ast::Param| p.sort.kind == SortKind::Size;
        for param in function.params.iter().filter(is_size) {
            let id = SizeId(self.symbols.sizes.len() as u32);
            self.symbols.sizes.push(param.name.text.clone());
            verdict = self.declare(&param.name, Binding::Index(Index::size(id))).and(verdict);
        }
        for param in function.params.iter().filter(|p| !is_size(p)) {
            let binding = self.parameter(param);
            let binding = binding.unwrap_or_else(|Reported| {
                verdict = Err(Reported);
                Binding::Broken
            });
            verdict = self.declare(&param.name, binding).and(verdict);
        }
        if function.results.is_empty() {
            let message = format!("`{}` has no result", function.name.text);
            return Err(self.report(
                Diagnostic::new("typing::results", function.name.span, message)
                    .help("name at least one result: `-> (y: real)`"),
            ));
        }
        self.frame.results = self.result_sorts(function)?;
        verdict
    }

    fn parameter(&mut self, param: &ast::Param) -> Check<Binding> {
        if let SortKind::Rel(extents) = &param.sort.kind {
            let extents = self.extents(extents)?;
            extents.iter().for_each(|e| self.assume_extent(e));
            self.symbols.relations.push(Relation { name: param.name.text.clone(), extents });
            return Ok(Binding::Relation(RelId(self.symbols.relations.len() as u32 - 1)));
        }
        let (element, shape) = self.tensor_sort(&param.sort)?;
        shape.iter().for_each(|e| self.assume_extent(e));
        let tensor = Tensor { name: param.name.text.clone(), element, shape };
        Ok(Binding::Tensor(View::whole(self.symbols.add_tensor(tensor))))
    }

    /// `real[..]` or `index(m)[..]`
    pub(super) fn tensor_sort(&mut self, sort: &ast::Sort) -> Check<(Element, Vec<Extent>)> {
        match &sort.kind {
            SortKind::Real(shape) => Ok((Element::Real, self.extents(shape)?)),
            SortKind::Index(bound, shape) => {
                let bound = self.extent(bound)?;
                Ok((Element::Index(bound), self.extents(shape)?))
            }
            SortKind::Size | SortKind::Rel(_) => Err(self.report(
                Diagnostic::new("typing::sort", sort.span, "only a parameter is a size or a relation")
                    .help("write `real[n]`, or `index(m)[n]` for integers in `0..m`; a size as a number is `y = real(n)`"),
            )),
        }
    }

    /// The declared sorts of a function's results by name.
    pub(super) fn result_sorts(
        &mut self,
        function: &ast::Function,
    ) -> Check<FxHashMap<String, (Element, Vec<Extent>)>> {
        let mut sorts = FxHashMap::default();
        for result in &function.results {
            let sort = self.tensor_sort(&result.sort)?;
            if sorts.insert(result.name.text.clone(), sort).is_some() {
                let message = format!("the result `{}` is named twice", result.name.text);
                return Err(self.report(
                    Diagnostic::new("names::duplicate", result.name.span, message)
                        .help("name each result once"),
                ));
            }
        }
        Ok(sorts)
    }

    fn params_in_order(&self, function: &ast::Function) -> Vec<Param> {
        let (mut sizes, mut tensors, mut relations) = (0, 0, 0);
        let next = |n: &mut u32| {
            *n += 1;
            *n - 1
        };
        let param = |p: &ast::Param| match p.sort.kind {
            SortKind::Size => Param::Size(SizeId(next(&mut sizes))),
            SortKind::Rel(_) => Param::Relation(RelId(next(&mut relations))),
            SortKind::Real(_) | SortKind::Index(..) => Param::Tensor(TensorId(next(&mut tensors))),
        };
        function.params.iter().map(param).collect()
    }

    /// The tensors of the results, which must be as declared.
    fn results(&mut self, function: &ast::Function) -> Vec<TensorId> {
        let mut found = Vec::new();
        for result in &function.results {
            if let Ok(view) = self.result(result)
                && let Ok(()) = self.matches_declared(result, &view)
            {
                found.push(view.tensor);
            }
        }
        found
    }

    pub(super) fn result(&mut self, result: &ast::Param) -> Check<View> {
        match self.scope.get(&result.name.text) {
            Some(Binding::Tensor(view)) => Ok(view.clone()),
            Some(Binding::Broken) => Err(Reported),
            Some(Binding::Index(_) | Binding::Const(_) | Binding::Relation(_)) => {
                let message = format!("the result `{}` is not a tensor", result.name.text);
                Err(self.report(
                    Diagnostic::new("typing::results", result.name.span, message)
                        .help("a result is defined by the body, as in `y = real(n)`, or is a tensor that is a parameter"),
                ))
            }
            None => {
                let message =
                    format!("the result `{}` is not defined by the body", result.name.text);
                let help = format!("define it: `{} = ..`", target_of(result));
                Err(self.report(
                    Diagnostic::new("typing::results", result.name.span, message).help(help),
                ))
            }
        }
    }

    fn matches_declared(&mut self, result: &ast::Param, view: &View) -> Check<()> {
        let name = &result.name.text;
        let Some((element, shape)) = self.frame.results.get(name).cloned() else {
            return Err(Reported);
        };
        let actual = self.view_shape(view);
        let same = actual.len() == shape.len()
            && actual.iter().zip(&shape).all(|(a, b)| self.same_extent(a, b));
        let own = self.symbols.tensor(view.tensor).element.clone();
        let fits = match (&own, &element) {
            (Element::Real, Element::Real) => true,
            (Element::Index(a), Element::Index(b)) => self.same_extent(a, b),
            (Element::Real, Element::Index(_)) | (Element::Index(_), Element::Real) => false,
        };
        if same && fits {
            return Ok(());
        }
        let message = format!(
            "the result `{name}` is declared `{}`, and the body defines `{}`",
            self.show_sort(&element, &shape),
            self.show_sort(&own, &actual)
        );
        let mut differs = Diagnostic::new("typing::results", result.sort.span, message)
            .at("declared here")
            .help(format!(
                "declare what the body defines, `{name}: {}`, or define what is declared, `{} = ..`",
                self.show_sort(&own, &actual),
                target_of(result)
            ));
        if let Some(defined) = self.scope.span(name) {
            differs = differs.label(defined, "defined here");
        }
        Err(self.report(differs))
    }

    pub(super) fn show_sort(&self, element: &Element, shape: &[Extent]) -> String {
        let head = match element {
            Element::Real => "real".to_owned(),
            Element::Index(bound) => format!("index({})", self.show_index(bound)),
        };
        if shape.is_empty() {
            return head;
        }
        let extents: Vec<String> = shape.iter().map(|e| self.show_index(e)).collect();
        format!("{head}[{}]", extents.join(", "))
    }

    /// Elaborates statements in order; each reports its own mistakes.
    pub(super) fn stmts(&mut self, stmts: &[Stmt], blocks: &mut Blocks) {
        for stmt in stmts {
            let outcome = match stmt {
                Stmt::Def { targets, value } => {
                    let outer = std::mem::replace(&mut self.statement, Statement::of(targets));
                    let outcome = self.define(targets, value, blocks);
                    self.statement = outer;
                    outcome
                }
                Stmt::Rec { vars, body, span } => self.recurrence(vars, body, *span, blocks),
                Stmt::Requires { binders, condition, .. } => {
                    self.requires(binders, condition, blocks)
                }
            };
            if let (Err(Reported), Stmt::Def { targets, .. }) = (outcome, stmt) {
                self.break_targets(targets);
            }
        }
    }

    /// Marks the targets of a definition with a mistake, so that their uses are passed over.
    fn break_targets(&mut self, targets: &[ast::Target]) {
        for target in targets {
            if self.scope.get(&target.name.text).is_none() {
                self.scope.insert(&target.name.text, Binding::Broken, target.name.span);
            }
        }
    }

    fn requires(
        &mut self,
        binders: &[ast::Binder],
        condition: &ast::Expr,
        blocks: &mut Blocks,
    ) -> Check<()> {
        let clause = self.scoped(|c| {
            let binders = c.bind_all(binders)?;
            Ok(Requires { binders, condition: c.guard(condition)? })
        })?;
        self.facts.requires.push(clause.clone());
        blocks.push(Block::Requires(clause));
        Ok(())
    }

    /// `rec vars { body }`
    fn recurrence(
        &mut self,
        vars: &[ast::RecVar],
        body: &[Stmt],
        span: Span,
        blocks: &mut Blocks,
    ) -> Check<()> {
        let mark = self.scope.mark();
        let ids = self.recurrence_vars(vars)?;
        let bound: Vec<_> = ids.iter().copied().zip(vars.iter().map(|v| v.direction)).collect();
        let outermost = self.frame.carried.is_empty();
        let clauses = self.facts.requires.len();
        self.frame.carried.extend(&ids);
        self.order.open.extend(&bound);
        let announced = if outermost { self.announce(body) } else { Vec::new() };
        let mut inner = Blocks::new();
        self.stmts(body, &mut inner);
        self.order.open.truncate(self.order.open.len() - bound.len());
        self.frame.carried.truncate(self.frame.carried.len() - ids.len());
        self.facts.requires.truncate(clauses);
        if inner.is_empty() && body.is_empty() {
            self.report(
                Diagnostic::new("recurrence::empty", span, "the recurrence defines nothing")
                    .help("define at least one tensor in it: `s[t] = ..`"),
            );
        }
        self.leave_block(mark, &ids, outermost.then_some(announced));
        blocks.push(Block::Rec(Rec { vars: bound, body: inner }));
        Ok(())
    }

    /// The variables of a block; those of an inner block were made when it was announced.
    fn recurrence_vars(&mut self, vars: &[ast::RecVar]) -> Check<Vec<VarId>> {
        let first = vars.first().map(|v| v.binder.name.span).unwrap_or_default();
        let Some(ids) = self.frame.nested.remove(&first) else {
            return vars.iter().map(|v| self.bind(&v.binder)).collect();
        };
        for (var, id) in vars.iter().zip(&ids) {
            self.declare(&var.binder.name, Binding::Index(Index::var(*id)))?;
        }
        Ok(ids)
    }

    /// Ends the scope of the recurrence variables; its tensors stay, and are closed
    /// when the outermost block ends.
    fn leave_block(&mut self, mark: usize, vars: &[VarId], close: Option<Vec<TensorId>>) {
        let names: Vec<String> = vars.iter().map(|v| self.symbols.var(*v).name.clone()).collect();
        self.scope.forget(mark, &names);
        for tensor in close.into_iter().flatten() {
            self.order.close(tensor);
        }
    }

    /// Enters the blocks of an expression: definitions there carry nothing.
    pub(super) fn enter_expression(&mut self) -> Frame {
        let frame = Frame { implicit: self.order.open.len(), ..Frame::default() };
        std::mem::replace(&mut self.frame, frame)
    }

    /// Returns to the frame left by [`Self::enter_expression`].
    pub(super) fn leave(&mut self, frame: Frame) {
        self.frame = frame;
    }

    /// `let { stmts } in body`
    pub(super) fn let_in(
        &mut self,
        stmts: &[Stmt],
        body: impl FnOnce(&mut Self) -> Check<ir::Expr>,
    ) -> Check<ir::Expr> {
        let known = self.facts.mark();
        let out = self.scoped(|c| {
            let frame = c.enter_expression();
            let mut blocks = Blocks::new();
            c.stmts(stmts, &mut blocks);
            c.leave(frame);
            let body = body(c)?;
            Ok(if blocks.is_empty() { body } else { ir::Expr::Let(blocks, Box::new(body)) })
        });
        self.facts.reset(known);
        out
    }
}

/// The state of an elaboration, to be put aside while a call is expanded.
pub(super) struct Aside {
    pub(super) scope: super::scope::Scope,
    pub(super) frame: Frame,
    pub(super) trusted: bool,
}

/// `y`, or `y[i: n, j: m]`: how a result is defined.
fn target_of(result: &ast::Param) -> String {
    let name = &result.name.text;
    let (SortKind::Real(shape) | SortKind::Index(_, shape)) = &result.sort.kind else {
        return name.clone();
    };
    if shape.is_empty() {
        return name.clone();
    }
    let letters = ["i", "j", "k", "l", "m"].into_iter().cycle();
    let axes: Vec<String> = letters
        .zip(shape)
        .map(|(i, extent)| format!("{i}: {}", crate::print::expr(extent)))
        .collect();
    format!("{name}[{}]", axes.join(", "))
}
