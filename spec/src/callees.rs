//! The functions that a function calls: what a file needs to hold it.

use crate::ast::{Expr, ExprKind, Function, Item, Module, Stmt};
use rustc_hash::FxHashSet;

/// The module with the function called `name`, those that it calls, in turn, and the
/// constants; in the order of the text. Cost: about linear in the text.
#[must_use]
pub fn with_callees(module: &Module, name: &str) -> Module {
    let functions = || module.items.iter().filter_map(as_function);
    let mut wanted = FxHashSet::from_iter([name.to_owned()]);
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        let Some(function) = functions().find(|f| f.name.text == name) else { continue };
        let mut calls = Calls::default();
        calls.function(function);
        open.extend(calls.names.into_iter().filter(|callee| wanted.insert(callee.clone())));
    }
    let is_wanted = |item: &&Item| as_function(item).is_none_or(|f| wanted.contains(&f.name.text));
    Module { items: module.items.iter().filter(is_wanted).cloned().collect() }
}

fn as_function(item: &Item) -> Option<&Function> {
    match item {
        Item::Fn(function) => Some(function),
        Item::Const { .. } => None,
    }
}

/// The names that stand as `f(..)`.
#[derive(Default)]
struct Calls {
    names: Vec<String>,
}

impl Calls {
    fn function(&mut self, function: &Function) {
        self.stmts(&function.body);
        for partial in function.derivative.iter().flatten() {
            self.expr(&partial.value);
        }
    }

    fn stmts(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            match stmt {
                Stmt::Def { value, .. } => self.expr(value),
                Stmt::Rec { body, .. } => self.stmts(body),
                Stmt::Requires { condition, .. } => self.expr(condition),
            }
        }
    }

    fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        exprs.into_iter().for_each(|e| self.expr(e));
    }

    fn expr(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::Number(_) | ExprKind::Name(_) => {}
            ExprKind::Call(name, args) => {
                self.names.push(name.text.clone());
                self.exprs(args);
            }
            ExprKind::Access(_, parts) | ExprKind::Logic(_, parts) => self.exprs(parts),
            ExprKind::Unary(_, e) | ExprKind::Bracket(e) | ExprKind::For(_, e) => self.expr(e),
            ExprKind::Sum(items) => self.exprs(items.iter().map(|(_, e)| e)),
            ExprKind::Chain(items) => self.exprs(items.iter().map(|(_, e)| e)),
            ExprKind::Power(a, b) => self.exprs([&**a, b]),
            ExprKind::Compare(first, others) => {
                self.expr(first);
                self.exprs(others.iter().map(|(_, e)| e));
            }
            ExprKind::Reduce { guard, body, .. } => {
                self.exprs(guard.as_deref());
                self.expr(body);
            }
            ExprKind::If(p, a, b) => self.exprs([&**p, a, b]),
            ExprKind::Let(stmts, body) => {
                self.stmts(stmts);
                self.expr(body);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_comes_with_what_it_calls() {
        let text = "const c = 2\n\
            fn a(x: real) -> (y: real) { y = c * x }\n\
            fn b(x: real) -> (y: real) { y = let z = a(x) in z }\n\
            fn other(x: real) -> (y: real) { y = x }\n\
            fn main(n: size, x: real[n]) -> (y: real) { y = sum(i: n) [x[i] > 0] * b(x[i]) }\n";
        let module = crate::parse(text).unwrap();
        let kept = crate::print::module(&with_callees(&module, "main"));
        assert!(kept.contains("fn a(") && kept.contains("fn b(") && kept.contains("const c"));
        assert!(!kept.contains("fn other("));
        assert!(crate::check(&crate::parse(&kept).unwrap()).is_ok());
    }
}
