//! The program as written to its canonical text (spec chapter 1, *Canonical text*).
//!
//! `parse(module(m)) = m` up to spans, for every `m` that a text can mean.
//! Parentheses stand where the tree needs them and nowhere else, so a sum
//! inside a sum keeps its own.

mod expressions;

use crate::ast::{
    Axis, Binder, Direction, Expr, ExprKind, Function, Item, Module, Name, Param, Partial, RecVar,
    Sort, SortKind, Stmt, Target,
};

/// Lines longer than this are broken where a break is provided for.
pub const WIDTH: usize = 100;
const INDENT: usize = 4;

/// The text of a module: one empty line around every function.
///
/// **Cost**: linear in the size of the module, times the nesting of blocks.
#[must_use]
pub fn module(module: &Module) -> String {
    let mut printer = Printer::default();
    let mut items = module.items.iter().peekable();
    while let Some(item) = items.next() {
        printer.item(item);
        let apart = matches!(item, Item::Fn(_)) || matches!(items.peek(), Some(Item::Fn(_)));
        if apart && items.peek().is_some() {
            printer.text.push('\n');
        }
    }
    printer.text
}

/// The text of a function, with a line end.
#[must_use]
pub fn function(function: &Function) -> String {
    let mut printer = Printer::default();
    printer.function(function);
    printer.text
}

/// The text of an expression, without a line end; it has several lines where a `let` has several
/// statements.
#[must_use]
pub fn expr(expr: &Expr) -> String {
    let mut printer = Printer::default();
    printer.delimited(expr);
    printer.text
}

#[derive(Default)]
struct Printer {
    text: String,
    /// How many blocks are open.
    level: usize,
    /// Where the operators between the summands of the right side being printed stand in `text`.
    breaks: Vec<usize>,
}

/// Items and statements: each begins and ends its own lines.
impl Printer {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Const { name, value } => {
                self.put(&["const ", &name.text, " = "]);
                self.right_side(0, value);
                self.text.push('\n');
            }
            Item::Fn(function) => self.function(function),
        }
    }

    fn function(&mut self, function: &Function) {
        self.put(&["fn ", &function.name.text]);
        let start = self.text.len();
        self.params(&function.params, false);
        self.text.push_str(" -> ");
        self.params(&function.results, false);
        self.text.push_str(" {");
        if columns(&self.text) > WIDTH {
            self.text.truncate(start);
            self.params(&function.params, true);
            self.text.push_str(" -> ");
            let start = self.text.len();
            self.params(&function.results, false);
            self.text.push_str(" {");
            if columns(&self.text) > WIDTH {
                self.text.truncate(start);
                self.params(&function.results, true);
                self.text.push_str(" {");
            }
        }
        self.block(&function.body);
        if let Some(partials) = &function.derivative {
            self.text.push_str(" derivative {\n");
            for Partial { param, value } in partials {
                let start = self.text.len();
                self.put(&["    ", &param.text, ": "]);
                self.level += 1;
                self.right_side(start, value);
                self.level -= 1;
                self.text.push('\n');
            }
            self.text.push('}');
        }
        self.text.push('\n');
    }

    /// `(x: real, y: real)`, or one to a line
    fn params(&mut self, params: &[Param], broken: bool) {
        let one = |printer: &mut Self, param: &Param| {
            printer.put(&[&param.name.text, ": "]);
            printer.sort(&param.sort);
        };
        self.text.push('(');
        if broken && !params.is_empty() {
            self.text.push('\n');
            for param in params {
                self.text.push_str("    ");
                one(self, param);
                self.text.push_str(",\n");
            }
        } else {
            self.list(params, one);
        }
        self.text.push(')');
    }

    /// What follows `{`, with the `}`.
    fn block(&mut self, statements: &[Stmt]) {
        if statements.is_empty() {
            self.text.push_str(" }");
            return;
        }
        self.text.push('\n');
        self.level += 1;
        for statement in statements {
            self.statement(statement);
        }
        self.level -= 1;
        self.indent();
        self.text.push('}');
    }

    fn statement(&mut self, statement: &Stmt) {
        let start = self.text.len();
        self.indent();
        match statement {
            Stmt::Def { targets, value } => {
                self.targets(targets);
                self.text.push_str(" = ");
                self.right_side(start, value);
            }
            Stmt::Rec { vars, body, span: _ } => {
                self.text.push_str("rec ");
                self.list(vars, Self::rec_var);
                self.text.push_str(" {");
                self.block(body);
            }
            Stmt::Requires { binders, condition, span: _ } => {
                self.text.push_str("requires");
                if !binders.is_empty() {
                    self.text.push('(');
                    self.list(binders, Self::binder);
                    self.text.push(')');
                }
                self.text.push(' ');
                self.delimited(condition);
            }
        }
        self.text.push('\n');
    }

    /// A value whose statement began at `start`; a sum that does not fit is broken
    /// before each operator.
    fn right_side(&mut self, start: usize, value: &Expr) {
        let ExprKind::Sum(summands) = &value.kind else { return self.delimited(value) };
        let outer = std::mem::take(&mut self.breaks);
        for (place, (sign, summand)) in summands.iter().enumerate() {
            if place > 0 {
                self.breaks.push(self.text.len());
            }
            self.summand(place, *sign, summand);
        }
        let breaks = std::mem::replace(&mut self.breaks, outer);
        if self.text[start..].lines().any(|line| columns(line) > WIDTH) {
            self.break_at(start, &breaks);
        }
    }

    /// Puts the text after each of `breaks`, a space, on a line of its own.
    fn break_at(&mut self, start: usize, breaks: &[usize]) {
        let tail = self.text.split_off(start);
        let mut from = 0;
        for at in breaks {
            self.text.push_str(&tail[from..at - start]);
            self.text.push('\n');
            self.indent();
            self.text.push_str("    ");
            from = at - start + 1;
        }
        self.text.push_str(&tail[from..]);
    }

    fn targets(&mut self, targets: &[Target]) {
        match targets {
            [target] => self.target(target),
            several => {
                self.text.push('(');
                self.list(several, Self::target);
                self.text.push(')');
            }
        }
    }

    fn indent(&mut self) {
        self.text.extend(std::iter::repeat_n(' ', INDENT * self.level));
    }
}

/// Parts of statements.
impl Printer {
    fn put(&mut self, parts: &[&str]) {
        self.text.extend(parts.iter().copied());
    }

    fn list<T>(&mut self, items: &[T], mut one: impl FnMut(&mut Self, &T)) {
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                self.text.push_str(", ");
            }
            one(self, item);
        }
    }

    /// `open items close`, or nothing where there are none
    fn brackets(&mut self, items: &[Expr]) {
        if !items.is_empty() {
            self.text.push('[');
            self.list(items, Self::delimited);
            self.text.push(']');
        }
    }

    fn sort(&mut self, sort: &Sort) {
        match &sort.kind {
            SortKind::Size => self.text.push_str("size"),
            SortKind::Real(extents) => {
                self.text.push_str("real");
                self.brackets(extents);
            }
            SortKind::Index(bound, extents) => {
                self.text.push_str("index(");
                self.delimited(bound);
                self.text.push(')');
                self.brackets(extents);
            }
            SortKind::Rel(extents) => {
                self.text.push_str("rel(");
                self.list(extents, Self::delimited);
                self.text.push(')');
            }
        }
    }

    fn target(&mut self, target: &Target) {
        self.text.push_str(&target.name.text);
        if !target.axes.is_empty() {
            self.text.push('[');
            self.list(&target.axes, Self::axis);
            self.text.push(']');
        }
        if let Some(sort) = &target.sort {
            self.text.push_str(": ");
            self.sort(sort);
        }
    }

    fn axis(&mut self, axis: &Axis) {
        match axis {
            Axis::Bind(binder) => self.binder(binder),
            Axis::Carried(Name { text, span: _ }) => self.text.push_str(text),
        }
    }

    fn binder(&mut self, binder: &Binder) {
        self.put(&[&binder.name.text, ": "]);
        self.delimited(&binder.range);
    }

    fn rec_var(&mut self, var: &RecVar) {
        self.binder(&var.binder);
        match var.direction {
            Direction::Ascending => {}
            Direction::Descending => self.text.push_str(" descending"),
        }
    }
}

/// The columns that the last line of `text` takes.
fn columns(text: &str) -> usize {
    text.rsplit('\n').next().map_or(0, |line| line.chars().count())
}
