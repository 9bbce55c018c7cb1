//! Scalar functions with a derivative given by the user.

use super::scope::{Binding, View};
use super::stmt::Frame;
use super::view::Blocks;
use super::{Check, Checker, Reported};
use crate::ast::{Function, Param, SortKind};
use crate::diagnostic::{Diagnostic, Span};
use crate::function::{Fun, UserFunId};
use crate::ir::{Block, Def, Element, Expr, Tensor, TensorId, UserFun, Value};

impl Checker<'_, '_> {
    /// The function's place in the program's table; elaborated at its first use.
    pub(super) fn user_function(&mut self, function: &Function, span: Span) -> Check<UserFunId> {
        let name = &function.name.text;
        if let Some(id) = self.user_functions.get(name) {
            return Ok(*id);
        }
        self.require_scalar(function)?;
        let Some((key, _)) = self.file.functions.get_key_value(name.as_str()) else {
            return Err(Reported);
        };
        let key = *key;
        self.require_expandable(key, span)?;
        let reported = self.diagnostics.len();
        self.calls.push(key);
        let id = self.elaborate_user_function(function, true);
        self.calls.pop();
        if self.diagnostics.len() > reported {
            let recursive = self
                .diagnostics
                .split_off(reported)
                .into_iter()
                .find(|d| d.code == "call::recursion");
            return Err(self.report(recursive.unwrap_or_else(|| super::expansion(name, span))));
        }
        id
    }

    /// The program of such a function: one call of it.
    pub(super) fn wrap_user_function(
        &mut self,
        function: &Function,
        body: &mut Blocks,
    ) -> Check<TensorId> {
        self.require_scalar(function)?;
        let params: Vec<TensorId> = (0..function.params.len() as u32).map(TensorId).collect();
        let id = self.elaborate_user_function(function, false)?;
        let args = params.iter().map(|p| Expr::Access(*p, Vec::new())).collect();
        let name = function.results[0].name.text.clone();
        let tensor =
            self.symbols.add_tensor(Tensor { name, element: Element::Real, shape: Vec::new() });
        let value = Value::Real(Expr::Apply(Fun::User(id), args));
        body.push(Block::Stmt(Def { tensor, axes: Vec::new(), value }));
        Ok(tensor)
    }

    /// Real scalars in, one real scalar out.
    fn require_scalar(&mut self, function: &Function) -> Check<()> {
        let scalar = |p: &Param| matches!(&p.sort.kind, SortKind::Real(shape) if shape.is_empty());
        let fits = function.params.iter().all(scalar)
            && function.results.len() == 1
            && function.results.iter().all(scalar);
        if fits {
            return Ok(());
        }
        let message = format!(
            "`{}` has a derivative clause and is not a scalar function",
            function.name.text
        );
        Err(self.report(Diagnostic::new("derivative::sort", function.name.span, message).help(
            "a derivative can be given for a function of `real` parameters with one `real` result",
        )))
    }

    /// Elaborates value and partials over fresh rank-0 parameters. The partials may
    /// call the function itself, its value may not.
    fn elaborate_user_function(&mut self, function: &Function, trusted: bool) -> Check<UserFunId> {
        let mut scope = self.file.scope();
        let mut params = Vec::new();
        for param in &function.params {
            let name = param.name.text.clone();
            let tensor = Tensor { name, element: Element::Real, shape: Vec::new() };
            let tensor = self.symbols.add_tensor(tensor);
            scope.insert(&param.name.text, Binding::Tensor(View::whole(tensor)), param.name.span);
            params.push(tensor);
        }
        let frame = Frame { implicit: self.order.open.len(), ..Frame::default() };
        let aside = self.put_aside(scope, frame);
        self.trusted = trusted;
        let id = self.value_and_partials(function, params);
        self.take_back(aside);
        id
    }

    fn value_and_partials(
        &mut self,
        function: &Function,
        params: Vec<TensorId>,
    ) -> Check<UserFunId> {
        let mark = self.scope.mark();
        let mut blocks = Blocks::new();
        self.stmts(&function.body, &mut blocks);
        let result = self.result(&function.results[0])?;
        self.scope.reset(mark);
        let id = UserFunId(self.symbols.functions.len() as u32);
        self.user_functions.insert(function.name.text.clone(), id);
        self.symbols.functions.push(UserFun {
            name: function.name.text.clone(),
            params,
            result: function.results[0].name.text.clone(),
            value: value_of(blocks, &result),
            partials: Vec::new(),
        });
        let calls = std::mem::take(&mut self.calls);
        let partials =
            function.params.iter().map(|p| self.partial(function, p)).collect::<Check<Vec<_>>>();
        self.calls = calls;
        self.symbols.functions[id.0 as usize].partials = partials?;
        Ok(id)
    }

    fn partial(&mut self, function: &Function, param: &Param) -> Check<Expr> {
        let clause = function.derivative.as_deref().unwrap_or_default();
        let named: Vec<_> = clause.iter().filter(|p| p.param.text == param.name.text).collect();
        let unknown = clause
            .iter()
            .find(|p| function.params.iter().all(|param| param.name.text != p.param.text));
        if let Some(partial) = unknown {
            let message =
                format!("`{}` is not a parameter of `{}`", partial.param.text, function.name.text);
            return Err(self
                .report(Diagnostic::new("derivative::param", partial.param.span, message).help(
                    "give one partial derivative for each parameter: `derivative { x: .. }`",
                )));
        }
        match named.as_slice() {
            [partial] => self.real(&partial.value),
            [] => {
                let message = format!(
                    "the derivative clause of `{}` does not mention `{}`",
                    function.name.text, param.name.text
                );
                Err(self.report(
                    Diagnostic::new("derivative::param", param.name.span, message).help(format!(
                        "add `{}: ..`, the partial derivative in it",
                        param.name.text
                    )),
                ))
            }
            [_, second, ..] => {
                let message =
                    format!("the partial derivative in `{}` is given twice", param.name.text);
                let span = second.param.span;
                Err(self.report(
                    Diagnostic::new("derivative::param", span, message).help("give it once"),
                ))
            }
        }
    }
}

/// The value of a body: its single definition, or a `let` of its definitions.
fn value_of(mut blocks: Blocks, result: &View) -> Expr {
    if let [Block::Stmt(Def { tensor, value: Value::Real(_), .. })] = blocks.as_slice()
        && *tensor == result.tensor
        && let Some(Block::Stmt(Def { value: Value::Real(value), .. })) = blocks.pop()
    {
        return value;
    }
    let access = Expr::Access(result.tensor, result.prefix.clone());
    if blocks.is_empty() { access } else { Expr::Let(blocks, Box::new(access)) }
}
