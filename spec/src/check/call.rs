//! Calls of the file's functions, inlined.
//!
//! The body of a callee is elaborated again at each call, with its parameters
//! standing for the arguments. Its own accesses were proved where it is
//! defined; what is checked here is that arguments have the declared sorts.

use super::access::count;
use super::outside::{Kind, Reader};
use super::scope::{Binding, Scope, View, nearest};
use super::stmt::{Aside, Frame};
use super::view::Blocks;
use super::{Check, Checker, MAX_CALL_DEPTH, MAX_INLINED, Reported};
use crate::ast::{Cmp, Expr, ExprKind, Function, Name, Param, SortKind, Target};
use crate::bounds::Verdict;
use crate::diagnostic::{Diagnostic, Span};
use crate::function::Fun;
use crate::ir::{self, Block, Def, Element, Extent, Guard, Index, Requires, TensorId};

pub(super) const CALL_SIZE: &str = "call::size";

impl Checker<'_, '_> {
    /// Whether a call of `name` is inlined: a function of the file without a derivative of its own.
    pub(super) fn inlines(&self, name: &str) -> bool {
        self.scope.get(name).is_none()
            && self.file.functions.get(name).is_some_and(|f| f.derivative.is_none())
    }

    /// A call inside a real expression.
    pub(super) fn call_as_real(
        &mut self,
        name: &Name,
        args: &[Expr],
        span: Span,
    ) -> Check<ir::Expr> {
        let Some(function) = self.file.functions.get(name.text.as_str()).copied() else {
            return Err(self.unknown_function(name));
        };
        if function.derivative.is_some() {
            self.require_arity(function, args, span)?;
            let id = self.user_function(function, span)?;
            let args = args.iter().map(|a| self.real(a)).collect::<Check<Vec<_>>>()?;
            return Ok(ir::Expr::Apply(Fun::User(id), args));
        }
        let frame = self.enter_expression();
        let known = self.facts.mark();
        let mut blocks = Blocks::new();
        let views = self.inline(name, args, span, &mut blocks, &[]);
        self.facts.reset(known);
        self.leave(frame);
        let call = as_call(name, args);
        let view = self.single_result(name, args, span, views?)?;
        let rank = self.view_shape(&view).len();
        if rank > 0 {
            let message = format!("`{}` returns a tensor, and a real is wanted here", name.text);
            return Err(self.report(Diagnostic::new("typing::rank", span, message).help(format!(
                "bind its result in a statement of its own, `z = {call}`, and read `z[i]`"
            ))));
        }
        if let Element::Index(_) = self.symbols.tensor(view.tensor).element {
            let message = format!("`{}` returns an index, and a real is wanted here", name.text);
            return Err(self.report(Diagnostic::new("typing::real", span, message).help(format!(
                "bind it in a statement of its own, `k = {call}`, and write `real(k)`"
            ))));
        }
        let access = ir::Expr::Access(view.tensor, view.prefix);
        Ok(if blocks.is_empty() { access } else { ir::Expr::Let(blocks, Box::new(access)) })
    }

    pub(super) fn unknown_function(&mut self, name: &Name) -> Reported {
        let known = self.file.functions.keys().copied();
        let builtin = crate::function::FUNCTIONS.iter().map(|row| row.name);
        let words = ["real", "floor"].into_iter();
        let close = nearest(&name.text, known.chain(builtin).chain(words));
        let message = format!("there is no function `{}`", name.text);
        let unknown = Diagnostic::new("names::unknown", name.span, message);
        self.report(match (instead_of(&name.text), close) {
            (Some(form), _) => unknown.help(format!("write `{form}`")),
            (None, Some(other)) => unknown.help(format!("did you mean `{other}`?")),
            (None, None) => unknown.help(format!(
                "define it in this file: `fn {}(x: real) -> (y: real) {{ y = .. }}`",
                name.text
            )),
        })
    }

    pub(super) fn single_result(
        &mut self,
        name: &Name,
        args: &[Expr],
        span: Span,
        views: Vec<View>,
    ) -> Check<View> {
        match <[View; 1]>::try_from(views) {
            Ok([view]) => Ok(view),
            Err(views) => {
                let message =
                    format!("`{}` returns {} results, one is wanted here", name.text, views.len());
                let names = self.file.functions.get(name.text.as_str()).map(|f| names_of(f));
                let (names, call) = (names.unwrap_or_default(), as_call(name, args));
                Err(self.report(Diagnostic::new("typing::results", span, message).help(format!(
                    "bind them all in a statement of their own, `{names} = {call}`, and use one"
                ))))
            }
        }
    }

    fn require_arity(&mut self, function: &Function, args: &[Expr], span: Span) -> Check<()> {
        if args.len() == function.params.len() {
            return Ok(());
        }
        let names: Vec<&str> = function.params.iter().map(|p| p.name.text.as_str()).collect();
        let name = &function.name.text;
        let wanted = count(names.len(), "argument", "arguments");
        let message = format!("`{name}` takes {wanted}, found {}", args.len());
        Err(self.report(
            Diagnostic::new("typing::arity", span, message)
                .label(function.name.span, "defined here")
                .help(format!(
                    "all arguments are passed in order, sizes too: `{name}({})`",
                    names.join(", ")
                )),
        ))
    }

    /// `z = f(..)`, `(a, b) = f(..)`
    pub(super) fn define_by_call(
        &mut self,
        targets: &[Target],
        name: &Name,
        args: &[Expr],
        span: Span,
        blocks: &mut Blocks,
    ) -> Check<()> {
        let function = self.file.functions[name.text.as_str()];
        if targets.len() != function.results.len() {
            let message = format!(
                "`{}` returns {} results, found {} names",
                name.text,
                function.results.len(),
                targets.len()
            );
            return Err(self.report(
                Diagnostic::new("typing::results", span, message)
                    .label(function.name.span, "defined here")
                    .help(format!(
                        "name every result: `{} = {}`",
                        names_of(function),
                        as_call(name, args)
                    )),
            ));
        }
        for target in targets {
            self.carried_only(target)?;
        }
        let tensors: Vec<Option<TensorId>> =
            targets.iter().map(|t| self.frame.preset.remove(&t.name.text)).collect();
        let names: Vec<(String, Option<TensorId>)> =
            targets.iter().map(|t| t.name.text.clone()).zip(tensors).collect();
        let views = self.inline(name, args, span, blocks, &names)?;
        for (target, view) in targets.iter().zip(views) {
            self.order.finish(view.tensor);
            self.declare_tensor(target, view.tensor)?;
        }
        Ok(())
    }

    /// The sort of one result of a call, before the call is expanded.
    pub(super) fn result_sort_of_call(
        &mut self,
        name: &Name,
        args: &[Expr],
        place: usize,
        span: Span,
    ) -> Check<(Element, Vec<Extent>)> {
        let function = self.file.functions[name.text.as_str()];
        self.require_arity(function, args, span)?;
        let (callee, _) = self.sizes_of_call(function, args)?;
        let aside = self.put_aside(callee, Frame::default());
        let sort = match function.results.get(place) {
            Some(result) => self.tensor_sort(&result.sort),
            None => Err(Reported),
        };
        self.take_back(aside);
        sort
    }

    /// Expands a call: its definitions go to `blocks`, its results are returned.
    /// `names` are the names, and where they exist the tensors, of the results.
    pub(super) fn inline(
        &mut self,
        name: &Name,
        args: &[Expr],
        span: Span,
        blocks: &mut Blocks,
        names: &[(String, Option<TensorId>)],
    ) -> Check<Vec<View>> {
        let (key, function) = match self.file.functions.get_key_value(name.text.as_str()) {
            Some((key, function)) => (*key, *function),
            None => return Err(self.unknown_function(name)),
        };
        self.require_arity(function, args, span)?;
        self.require_expandable(key, span)?;
        let (mut callee, demands) = self.sizes_of_call(function, args)?;
        for clause in demands {
            self.facts.requires.push(clause.clone());
            blocks.push(Block::Requires(clause));
        }
        for (param, arg) in function.params.iter().zip(args) {
            if param.sort.kind != SortKind::Size {
                let binding = self.argument(param, arg, &mut callee, blocks)?;
                callee.insert(&param.name.text, binding, param.name.span);
            }
        }
        let hidden = self.frame.leading();
        let frame = Frame { hidden, implicit: self.frame.implicit, ..Frame::default() };
        self.calls.push(key);
        let aside = self.put_aside(callee, frame);
        let reported = self.diagnostics.len();
        let views = self.body(function, blocks, names);
        self.take_back(aside);
        self.calls.pop();
        if self.diagnostics.len() > reported {
            let found = self.diagnostics.split_off(reported);
            let cause =
                found.into_iter().find(|d| d.code == "call::recursion" || d.code == CALL_SIZE);
            return Err(self.report(match cause {
                Some(size) if size.code == CALL_SIZE => size.moved(span),
                Some(recursion) => recursion,
                None => super::expansion(&function.name.text, span),
            }));
        }
        views
    }

    pub(super) fn require_expandable(&mut self, key: &str, span: Span) -> Check<()> {
        if let Some(place) = self.calls.iter().position(|open| *open == key) {
            let through: Vec<String> =
                self.calls[place + 1..].iter().map(|name| format!("`{name}`")).collect();
            let message = match through.as_slice() {
                [] => format!("`{key}` calls itself"),
                through => format!("`{key}` calls itself through {}", through.join(", ")),
            };
            return Err(self.report(
                Diagnostic::new("call::recursion", span, message)
                    .at("calls are inlined, so a function cannot reach itself")
                    .help("write the recursion as a recurrence over an index: `rec t: n { s[t] = .. }`"),
            ));
        }
        if self.calls.len() >= MAX_CALL_DEPTH || self.file.inlined.get() > MAX_INLINED {
            let message = format!(
                "the calls of this file expand to more than {MAX_INLINED} statements or nest deeper than {MAX_CALL_DEPTH}"
            );
            return Err(self.report(Diagnostic::new(CALL_SIZE, span, message).help(
                "define a tensor with an axis over the repeated part instead of repeating calls",
            )));
        }
        Ok(())
    }

    /// The callee's scope with its sizes bound. Its own proofs take sizes to be
    /// natural numbers: what is not proved so is demanded.
    fn sizes_of_call(
        &mut self,
        function: &Function,
        args: &[Expr],
    ) -> Check<(Scope, Vec<Requires>)> {
        let mut callee = self.file.scope();
        let mut demands = Vec::new();
        for (param, arg) in function.params.iter().zip(args) {
            if param.sort.kind == SortKind::Size {
                let size = self.extent(arg)?;
                let natural = Guard::Compare(Cmp::Ge, size.clone(), Index::constant(0));
                if self.prove(&natural) != Verdict::Proved {
                    demands.push(Requires { binders: Vec::new(), condition: natural });
                }
                callee.insert(&param.name.text, Binding::Index(size), param.name.span);
            }
        }
        Ok((callee, demands))
    }

    /// Elaborates the body of a callee in its own scope and frame.
    fn body(
        &mut self,
        function: &Function,
        blocks: &mut Blocks,
        names: &[(String, Option<TensorId>)],
    ) -> Check<Vec<View>> {
        self.frame.results = self.result_sorts(function)?;
        for (result, (name, existing)) in function.results.iter().zip(names) {
            let tensor = match existing {
                Some(tensor) => *tensor,
                None => self.result_tensor(&result.name.text, name),
            };
            self.frame.preset.insert(result.name.text.clone(), tensor);
        }
        self.stmts(&function.body, blocks);
        let mut views = Vec::new();
        for result in &function.results {
            let view = self.result(result)?;
            views.push(match self.frame.preset.remove(&result.name.text) {
                Some(tensor) => self.copy(view, tensor, blocks, result.name.span)?,
                None => view,
            });
        }
        Ok(views)
    }

    /// A tensor for a result that the caller has named.
    fn result_tensor(&mut self, result: &str, name: &str) -> TensorId {
        let (element, own) = self.frame.results[result].clone();
        let leading = self.frame.leading();
        let carried = leading.iter().map(|v| self.symbols.var(*v).range.clone());
        let shape: Vec<Extent> = carried.chain(own).collect();
        shape.iter().for_each(|e| self.assume_extent(e));
        self.symbols.add_tensor(ir::Tensor { name: name.to_owned(), element, shape })
    }

    /// A result that is a parameter is copied to the tensor that the caller has named.
    fn copy(
        &mut self,
        view: View,
        tensor: TensorId,
        blocks: &mut Blocks,
        span: Span,
    ) -> Check<View> {
        let (value, _, own) = self.entry_of(view, Blocks::new(), span)?;
        let leading = self.frame.leading();
        let axes = leading.iter().copied().chain(own).collect();
        blocks.push(Block::Stmt(Def { tensor, axes, value }));
        self.count_statement();
        Ok(View { tensor, prefix: leading.into_iter().map(Index::var).collect() })
    }

    /// Elaborates an argument in the caller's scope, against the sort declared in the callee's.
    fn argument(
        &mut self,
        param: &Param,
        arg: &Expr,
        callee: &mut Scope,
        blocks: &mut Blocks,
    ) -> Check<Binding> {
        if let SortKind::Rel(extents) = &param.sort.kind {
            let extents = self.in_scope(callee, |c| c.extents(extents))?;
            return self.relation_argument(param, arg, &extents);
        }
        let (element, shape) = self.in_scope(callee, |c| c.tensor_sort(&param.sort))?;
        if let Element::Index(bound) = &element
            && shape.is_empty()
            && !self.is_tensor(arg)
        {
            let index = self.index(arg)?;
            if let Some(outside) = self.outside(&index, bound, arg.span, 0) {
                let reader = Reader {
                    kind: Kind::Argument,
                    name: &param.name.text,
                    text: String::new(),
                    open: String::new(),
                };
                self.report_outside(&reader, &[outside]);
            }
            return Ok(Binding::Index(index));
        }
        let view = self.view(arg, blocks)?;
        self.require_sort(param, arg.span, &view, &element, &shape)?;
        Ok(Binding::Tensor(view))
    }

    fn require_sort(
        &mut self,
        param: &Param,
        span: Span,
        view: &View,
        element: &Element,
        shape: &[Extent],
    ) -> Check<()> {
        let actual = self.view_shape(view);
        let own = self.symbols.tensor(view.tensor).element.clone();
        let fits = match (&own, element) {
            (Element::Real, Element::Real) => true,
            (Element::Index(a), Element::Index(b)) => {
                a == b
                    || self.prove(&Guard::Compare(Cmp::Le, a.clone(), b.clone())) == Verdict::Proved
            }
            (Element::Real, Element::Index(_)) | (Element::Index(_), Element::Real) => false,
        };
        let same = actual.len() == shape.len()
            && actual.iter().zip(shape).all(|(a, b)| self.same_extent(a, b));
        if self.trusted || (fits && same) {
            return Ok(());
        }
        let message = format!(
            "the argument for `{}` is `{}`, and `{}` is wanted",
            param.name.text,
            self.show_sort(&own, &actual),
            self.show_sort(element, shape)
        );
        Err(self.report(
            Diagnostic::new("typing::argument", span, message)
                .label(param.sort.span, "declared here")
                .help("pass the sizes that the argument has, or a part of it: a row `A[i]`, or `for(i: n) ..`"),
        ))
    }

    fn relation_argument(
        &mut self,
        param: &Param,
        arg: &Expr,
        extents: &[Extent],
    ) -> Check<Binding> {
        if let ExprKind::Name(name) = &arg.kind
            && let Some(Binding::Relation(relation)) = self.scope.get(name)
        {
            let relation = *relation;
            let actual = self.symbols.relation(relation).extents.clone();
            let same = actual.len() == extents.len()
                && actual.iter().zip(extents).all(|(a, b)| self.same_extent(a, b));
            if same {
                return Ok(Binding::Relation(relation));
            }
        }
        let ranges: Vec<String> = extents.iter().map(|e| self.show_index(e)).collect();
        let message = format!(
            "the argument for `{}` must be a relation `rel({})`",
            param.name.text,
            ranges.join(", ")
        );
        Err(self.report(
            Diagnostic::new("typing::argument", arg.span, message)
                .label(param.sort.span, "declared here")
                .help("pass the name of a relation over the same ranges"),
        ))
    }

    /// Runs `inner` with another scope.
    fn in_scope<T>(&mut self, scope: &mut Scope, inner: impl FnOnce(&mut Self) -> T) -> T {
        std::mem::swap(&mut self.scope, scope);
        let out = inner(self);
        std::mem::swap(&mut self.scope, scope);
        out
    }

    pub(super) fn put_aside(&mut self, scope: Scope, frame: Frame) -> Aside {
        Aside {
            scope: self.scope.replace(scope),
            frame: std::mem::replace(&mut self.frame, frame),
            trusted: std::mem::replace(&mut self.trusted, true),
        }
    }

    pub(super) fn take_back(&mut self, aside: Aside) {
        self.scope = aside.scope;
        self.frame = aside.frame;
        self.trusted = aside.trusted;
    }
}

/// What to write for functions that other languages have.
fn instead_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "ln" => "log(x)",
        "log2" => "log(x) / log(2)",
        "log10" => "log(x) / log(10)",
        "pow" | "power" => "x^y",
        "square" | "sqr" => "x^2",
        "relu" => "max(x, 0)",
        "maximum" => "max(a, b)",
        "minimum" => "min(a, b)",
        "fabs" => "abs(x)",
        "logistic" => "sigmoid(x)",
        "gammaln" => "lgamma(x)",
        "round" => "floor(x + 0.5)",
        "int" => "floor(x)",
        "float" => "real(i)",
        _ => return None,
    })
}

/// The call as written.
pub(super) fn as_call(name: &Name, args: &[Expr]) -> String {
    let kind = ExprKind::Call(name.clone(), args.to_vec());
    crate::print::expr(&Expr { kind, span: name.span })
}

/// `(lo, hi)`, or `y`
fn names_of(function: &Function) -> String {
    let names: Vec<&str> = function.results.iter().map(|r| r.name.text.as_str()).collect();
    match names.as_slice() {
        [one] => (*one).to_owned(),
        names => format!("({})", names.join(", ")),
    }
}
