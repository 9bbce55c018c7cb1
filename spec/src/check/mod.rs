//! From the program as written to the typed program (spec chapter 2).
//!
//! Names are resolved, calls inlined, sorts decided; every access is proved in
//! bounds under the guards in force, and every read of a recurrence is proved
//! earlier or left to the call. A mistake is reported once, where it is made;
//! what depends on it is passed over in silence ([`Reported`]).
//!
//! * [`scope`]: what names stand for
//! * [`sort`]: which of real, index or proposition an expression is
//! * [`index`], [`guard`], [`real`], [`access`]: the three kinds of expression, and reads
//! * [`stmt`], [`define`], [`range`]: definitions, recurrences, conditions, ranges of index tensors
//! * [`call`], [`view`]: inlining, and the tensors handed to calls
//! * [`order`]: well-founded recurrences
//! * [`unknown`]: names that are not in scope
//! * [`prove`], [`outside`]: questions to the prover, and what is said where it cannot answer

mod access;
mod call;
mod define;
mod guard;
mod index;
mod order;
mod outside;
mod prove;
mod range;
mod real;
mod scope;
mod sort;
mod stmt;
mod unknown;
mod userfun;
mod view;

use crate::ast::{self, Item, Module};
use crate::diagnostic::{Diagnostic, Span};
use crate::function::UserFunId;
use crate::ir::{self, Extent, Guard, Requires, Symbols, Typed, VarId};
use indexmap::IndexMap;
use order::Order;
use rustc_hash::FxHashSet;
use scope::{Binding, Scope};
use std::cell::Cell;
use stmt::Frame;
use unknown::Statement;

/// A checked file: each function as a typed program, in file order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// By name.
    pub functions: IndexMap<String, Typed>,
}

/// The mistake has been reported; whoever depends on the value stops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Reported;

type Check<T> = Result<T, Reported>;

/// Calls that expand to more statements than this, in all of a file, are refused.
const MAX_INLINED: usize = 100_000;
/// Calls nested deeper than this are refused.
const MAX_CALL_DEPTH: usize = 100;

/// Checks every function of a file.
///
/// Cost: about linear in the size of the text after inlining; each access that
/// is not a plain variable in its own range asks the prover, a bounded question.
///
/// # Errors
/// Every mistake found, in source order.
pub fn check(module: &Module) -> Result<Checked, Vec<Diagnostic>> {
    let mut file = File::default();
    let mut diagnostics = Vec::new();
    for item in &module.items {
        file.declare(item, &mut diagnostics);
    }
    let mut functions = IndexMap::new();
    for function in file.functions.values() {
        let checker = Checker::new(&file);
        let (typed, mut found) = checker.function(function);
        diagnostics.append(&mut found);
        functions.insert(function.name.text.clone(), typed);
    }
    if module.items.is_empty() {
        let message = "the file defines no function";
        diagnostics.push(
            Diagnostic::new("typing::empty", Span::default(), message)
                .help("write `fn name(n: size, x: real[n]) -> (y: real) { y = sum(i: n) x[i] }`"),
        );
    }
    let caused = diagnostics.iter().any(|d| d.code != EXPANSION);
    diagnostics.retain(|d| !caused || d.code != EXPANSION);
    if diagnostics.is_empty() {
        return Ok(Checked { functions });
    }
    diagnostics.sort_by_key(Diagnostic::span);
    diagnostics.dedup();
    let mut sizes = 0;
    diagnostics.retain(|d| d.code != call::CALL_SIZE || (sizes += 1, sizes == 1).1);
    Err(diagnostics)
}

const EXPANSION: &str = "call::expansion";

/// A callee whose body has a mistake; said only where that mistake is not.
fn expansion(name: &str, span: Span) -> Diagnostic {
    let message = format!("the body of `{name}` does not fit these arguments");
    Diagnostic::new(EXPANSION, span, message)
        .help("integers in index expressions go up to 2^40 after the arguments are put in")
}

/// The items of a file by name.
#[derive(Default)]
struct File<'m> {
    functions: IndexMap<&'m str, &'m ast::Function>,
    constants: IndexMap<&'m str, Binding>,
    /// Where each is named.
    places: IndexMap<&'m str, Span>,
    /// Statements made by expanding calls so far.
    inlined: Cell<usize>,
}

impl<'m> File<'m> {
    /// A scope with the constants.
    fn scope(&self) -> Scope {
        let mut scope = Scope::default();
        for (name, value) in &self.constants {
            scope.insert(name, value.clone(), self.places[name]);
        }
        scope
    }

    fn declare(&mut self, item: &'m Item, diagnostics: &mut Vec<Diagnostic>) {
        let name = match item {
            Item::Const { name, .. } => name,
            Item::Fn(function) => &function.name,
        };
        let text = name.text.as_str();
        if let Some(earlier) = self.places.get(text) {
            let twice = Diagnostic::new(
                "names::duplicate",
                name.span,
                format!("`{text}` is defined twice in this file"),
            )
            .label(*earlier, "first defined here")
            .help("give one of the two another name");
            diagnostics.push(twice);
            return;
        }
        if scope::is_reserved(text) {
            diagnostics.push(scope::reserved(name));
            return;
        }
        self.places.insert(text, name.span);
        match item {
            Item::Fn(function) => {
                self.functions.insert(text, function);
            }
            Item::Const { value, .. } => {
                let (value, mut found) = Checker::new(self).constant(value);
                diagnostics.append(&mut found);
                self.constants.insert(text, value.map_or(Binding::Broken, Binding::Const));
            }
        }
    }
}

/// The state while one function is elaborated.
struct Checker<'m, 'f> {
    file: &'f File<'m>,
    symbols: Symbols,
    diagnostics: Vec<Diagnostic>,
    scope: Scope,
    /// The variables, guards and conditions in force at the current place.
    facts: Facts,
    order: Order,
    frame: Frame,
    /// The innermost reduction around the current place.
    reducing: Option<(ast::Reduction, Vec<VarId>)>,
    /// The statement at hand.
    statement: Statement,
    /// Sizes that are used and no parameters.
    missing: FxHashSet<String>,
    /// Functions with a user-given derivative met so far.
    user_functions: IndexMap<String, UserFunId>,
    /// Functions being inlined, outermost first.
    calls: Vec<&'f str>,
    /// Inside an inlined body or a repeated elaboration: its accesses were proved where it is defined.
    trusted: bool,
}

/// How much was known at a place.
#[derive(Clone, Copy)]
struct Known {
    requires: usize,
    extents: usize,
}

/// What is in force at a place.
#[derive(Default)]
struct Facts {
    guards: Vec<Guard>,
    requires: Vec<Requires>,
    extents: Vec<Extent>,
}

impl Facts {
    fn mark(&self) -> Known {
        Known { requires: self.requires.len(), extents: self.extents.len() }
    }

    /// Forgets what the definitions of an expression have shown: where it is not evaluated,
    /// nothing has.
    fn reset(&mut self, known: Known) {
        self.requires.truncate(known.requires);
        self.extents.truncate(known.extents);
    }
}

impl<'m, 'f> Checker<'m, 'f> {
    fn new(file: &'f File<'m>) -> Self {
        let scope = file.scope();
        Self {
            file,
            symbols: Symbols::default(),
            diagnostics: Vec::new(),
            scope,
            facts: Facts::default(),
            order: Order::default(),
            frame: Frame::default(),
            reducing: None,
            statement: Statement::default(),
            missing: FxHashSet::default(),
            user_functions: IndexMap::new(),
            calls: Vec::new(),
            trusted: false,
        }
    }

    fn constant(mut self, value: &ast::Expr) -> (Option<ir::Expr>, Vec<Diagnostic>) {
        let value = self.real(value);
        (value.ok(), self.diagnostics)
    }

    /// Reports a mistake.
    fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        self.diagnostics.push(diagnostic);
        Reported
    }

    /// Counts a statement that the expansion of a call has made.
    fn count_statement(&self) {
        if self.calls.len() > 1 {
            self.file.inlined.set(self.file.inlined.get() + 1);
        }
    }

    /// Runs `inner` with `guards` in force.
    fn under<T>(&mut self, guards: &[Guard], inner: impl FnOnce(&mut Self) -> T) -> T {
        let depth = self.facts.guards.len();
        self.facts.guards.extend_from_slice(guards);
        let out = inner(self);
        self.facts.guards.truncate(depth);
        out
    }

    /// Runs `inner` as the body of a reduction.
    fn reducing<T>(
        &mut self,
        op: ast::Reduction,
        binders: &[VarId],
        inner: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let outer = self.reducing.replace((op, binders.to_vec()));
        let out = inner(self);
        self.reducing = outer;
        out
    }

    /// Runs `inner` in a scope of its own.
    fn scoped<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.scope.mark();
        let out = inner(self);
        self.scope.reset(mark);
        out
    }

    /// Binds `binder` as a fresh variable of the current scope.
    fn bind(&mut self, binder: &ast::Binder) -> Check<VarId> {
        let range = self.range(binder)?;
        let var = self.symbols.add_var(binder.name.text.clone(), range);
        self.declare(&binder.name, Binding::Index(ir::Index::var(var)))?;
        Ok(var)
    }

    fn bind_all(&mut self, binders: &[ast::Binder]) -> Check<Vec<VarId>> {
        binders.iter().map(|b| self.bind(b)).collect()
    }

    /// Declares a name; a name in scope, or a word of the language, is refused.
    fn declare(&mut self, name: &ast::Name, binding: Binding) -> Check<()> {
        if scope::is_reserved(&name.text) {
            self.scope.insert(&name.text, Binding::Broken, name.span);
            return Err(self.report(scope::reserved(name)));
        }
        if let Some(earlier) = self.scope.span(&name.text) {
            let twice = Diagnostic::new(
                "names::duplicate",
                name.span,
                format!("`{}` already stands for something here", name.text),
            )
            .label(earlier, "it is defined here")
            .help("every tensor is defined once and names are not shadowed: choose another name");
            return Err(self.report(twice));
        }
        self.scope.insert(&name.text, binding, name.span);
        Ok(())
    }

    /// Registers an extent that is not negative where the program runs at all.
    fn assume_extent(&mut self, extent: &Extent) {
        let plain = extent.constant_part() >= 0
            && extent.terms().iter().all(|(a, c)| *c > 0 && matches!(a, ir::Atom::Size(_)));
        if !plain && !self.facts.extents.contains(extent) {
            self.facts.extents.push(extent.clone());
        }
    }
}
