//! The order in which laws are applied.
//!
//! Laws on programs come first, then each statement that is not known to be in its
//! final form is simplified by the laws on terms, each term until none applies, and
//! by those on statements. All of this is repeated until nothing changes, so doing
//! it twice is doing it once. Chapter 6 argues that it ends.

use crate::rule::{Apply, Change, RULES, Rule};
use crate::scope::{Scope, extents};
use crate::walk::{map_expr, map_guard, map_index};
use iverson_spec::ir::{Block, Extent, Index, Rec, Requires, Symbols, TensorId, Value};
use iverson_spec::print;
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::unelaborate::Names;
use iverson_spec::verify::stmts;
use rustc_hash::FxHashSet;

/// A law that was applied, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Firing {
    /// The name of the [`Rule`].
    pub rule: &'static str,
    /// The tensor whose statement changed.
    pub tensor: String,
    /// The term, or the right side, before.
    pub before: String,
    /// And after; empty where a statement was dropped.
    pub after: String,
}

/// The program with every law applied that applies.
///
/// * **Meaning**: wherever the program has a value, so does the result, and it is the
///   same; over `f64` up to rounding (spec chapter 6 says which laws are exact).
/// * **Cost**: the sparse work of the result is at most that of the program. The time
///   is close to linear in the number of statements.
#[must_use]
pub fn simplify(program: &TensorSsa) -> TensorSsa {
    Driver::run(program, None)
}

/// [`simplify`], and the laws that were applied, in order.
#[must_use]
pub fn simplify_traced(program: &TensorSsa) -> (TensorSsa, Vec<Firing>) {
    let mut firings = Vec::new();
    let program = Driver::run(program, Some(&mut firings));
    (program, firings)
}

struct Driver<'t> {
    symbols: Symbols,
    extents: Vec<Extent>,
    /// Conditions on data that stand before the current statement.
    requires: Vec<Requires>,
    /// Tensors whose statements may change.
    open: FxHashSet<TensorId>,
    trace: Option<&'t mut Vec<Firing>>,
    changed: bool,
}

impl<'t> Driver<'t> {
    fn run(program: &TensorSsa, trace: Option<&'t mut Vec<Firing>>) -> TensorSsa {
        let mut driver = Self {
            symbols: program.symbols.clone(),
            extents: extents(program),
            requires: Vec::new(),
            open: stmts(&program.body).iter().map(|stmt| stmt.tensor).collect(),
            trace,
            changed: false,
        };
        let mut program = program.clone();
        loop {
            driver.changed = false;
            program = driver.programs(program);
            program.body = driver.blocks(&program.body);
            program.symbols = driver.symbols.clone();
            if !driver.changed {
                return program;
            }
        }
    }

    /// The laws on programs, each once.
    fn programs(&mut self, mut program: TensorSsa) -> TensorSsa {
        for rule in RULES {
            let Apply::Program(apply) = rule.apply else { continue };
            if let Some(change) = apply(&program) {
                self.changed = true;
                self.open.extend(&change.touched);
                self.note_change(rule, &program, &change);
                program = change.program;
            }
        }
        program
    }

    fn blocks(&mut self, blocks: &[Block<Stmt>]) -> Vec<Block<Stmt>> {
        let depth = self.requires.len();
        let mut out = Vec::with_capacity(blocks.len());
        for block in blocks {
            out.push(match block {
                Block::Stmt(stmt) if self.open.remove(&stmt.tensor) => Block::Stmt(self.stmt(stmt)),
                Block::Stmt(_) => block.clone(),
                Block::Rec(rec) => {
                    Block::Rec(Rec { vars: rec.vars.clone(), body: self.blocks(&rec.body) })
                }
                Block::Requires(requires) => {
                    self.requires.push(requires.clone());
                    block.clone()
                }
            });
        }
        self.requires.truncate(depth);
        out
    }

    /// The laws on terms, then those on the whole statement, until none applies.
    fn stmt(&mut self, stmt: &Stmt) -> Stmt {
        let mut stmt = stmt.clone();
        loop {
            stmt.rhs = self.rhs(&stmt);
            let Some(new) = self.whole(&stmt) else { return stmt };
            stmt = new;
        }
    }

    fn whole(&mut self, stmt: &Stmt) -> Option<Stmt> {
        for rule in RULES {
            let Apply::Stmt(apply) = rule.apply else { continue };
            if let Some(new) = apply(&mut self.scope(), stmt) {
                self.note(rule, stmt, &stmt.rhs, &new.rhs);
                return Some(new);
            }
        }
        None
    }

    fn scope(&mut self) -> Scope<'_> {
        Scope { symbols: &mut self.symbols, requires: &self.requires, extents: &self.extents }
    }

    fn rhs(&mut self, stmt: &Stmt) -> Rhs {
        match &stmt.rhs {
            Rhs::Sum(terms) => {
                let terms = terms.iter().flat_map(|term| self.sum_term(stmt, term));
                Rhs::Sum(terms.collect())
            }
            Rhs::Fold(op, term) => self.one_term(stmt, term, &|term| Rhs::Fold(*op, term), true),
            Rhs::Arg(op, term) => self.one_term(stmt, term, &|term| Rhs::Arg(*op, term), false),
            Rhs::Index(index) => self.index(stmt, index),
        }
    }

    /// A term of a sum, until no law applies to what it became.
    fn sum_term(&mut self, stmt: &Stmt, term: &Term) -> Vec<Term> {
        let mut open = vec![term.clone()];
        let mut done = Vec::new();
        while let Some(term) = open.pop() {
            match self.step(&term, &|_| true) {
                None => done.push(term),
                Some((rule, terms)) => {
                    self.note(rule, stmt, &Rhs::Sum(vec![term]), &Rhs::Sum(terms.clone()));
                    open.extend(terms.into_iter().rev());
                }
            }
        }
        done
    }

    /// The term of a reduction that is no sum: laws on guards, bodies and indices alone.
    fn one_term(
        &mut self,
        stmt: &Stmt,
        term: &Term,
        rhs: &dyn Fn(Term) -> Rhs,
        guards: bool,
    ) -> Rhs {
        let allowed = |apply: Apply| match apply {
            Apply::Guard(_) => guards,
            Apply::Index(_) | Apply::Body(_) => true,
            Apply::Term(_) | Apply::Stmt(_) | Apply::Program(_) => false,
        };
        let mut term = term.clone();
        while let Some((rule, mut terms)) = self.step(&term, &allowed) {
            let new = terms.remove(0);
            self.note(rule, stmt, &rhs(term), &rhs(new.clone()));
            term = new;
        }
        rhs(term)
    }

    fn index(&mut self, stmt: &Stmt, index: &Index) -> Rhs {
        let mut index = index.clone();
        loop {
            let step = RULES.iter().find_map(|rule| {
                let Apply::Index(apply) = rule.apply else { return None };
                let scope = self.scope();
                let new = map_index(&index, &mut |i| {
                    Some(apply(&scope, i).unwrap_or_else(|| i.clone()))
                })?;
                (new != index).then_some((rule, new))
            });
            let Some((rule, new)) = step else { return Rhs::Index(index) };
            self.note(rule, stmt, &Rhs::Index(index), &Rhs::Index(new.clone()));
            index = new;
        }
    }

    /// The first law that applies to a term.
    fn step(
        &mut self,
        term: &Term,
        allowed: &dyn Fn(Apply) -> bool,
    ) -> Option<(&'static Rule, Vec<Term>)> {
        RULES.iter().filter(|rule| allowed(rule.apply)).find_map(|rule| {
            let mut scope = self.scope();
            Some((rule, apply(rule.apply, &mut scope, term)?))
        })
    }

    fn note(&mut self, rule: &'static Rule, stmt: &Stmt, before: &Rhs, after: &Rhs) {
        self.changed = true;
        let Some(trace) = &mut self.trace else { return };
        let show = |rhs: &Rhs| text(&self.symbols, &Stmt { rhs: rhs.clone(), ..stmt.clone() });
        let (before, after) = (show(before), show(after));
        let tensor = self.symbols.tensor(stmt.tensor).name.clone();
        trace.push(Firing { rule: rule.name, tensor, before, after });
    }

    fn note_change(&mut self, rule: &'static Rule, old: &TensorSsa, change: &Change) {
        let Some(trace) = &mut self.trace else { return };
        for stmt in stmts(&old.body).into_iter().filter(|s| change.fired.contains(&s.tensor)) {
            let tensor = self.symbols.tensor(stmt.tensor).name.clone();
            let before = text(&self.symbols, stmt);
            trace.push(Firing { rule: rule.name, tensor, before, after: String::new() });
        }
    }
}

/// What a law on terms, or on parts of terms, makes of a term.
fn apply(rule: Apply, scope: &mut Scope<'_>, term: &Term) -> Option<Vec<Term>> {
    let new = match rule {
        Apply::Index(f) => {
            let mut change = |i: &Index| Some(f(scope, i).unwrap_or_else(|| i.clone()));
            let guard = map_guard(&term.guard, &mut change)?;
            let body = map_expr(&term.body, &mut change)?;
            let new = Term { binders: term.binders.clone(), guard, body };
            (new != *term).then_some(new)?
        }
        Apply::Guard(f) => Term { guard: f(scope, &term.guard)?, ..term.clone() },
        Apply::Body(f) => Term { body: f(scope, &term.body)?, ..term.clone() },
        Apply::Term(f) => return f(scope, term),
        Apply::Stmt(_) | Apply::Program(_) => return None,
    };
    Some(vec![new])
}

/// The right side of a statement.
fn text(symbols: &Symbols, stmt: &Stmt) -> String {
    let names = Names::plain(symbols);
    print::expr(&match stmt.to_def().value {
        Value::Real(e) => names.expr(&e),
        Value::Index(index) => names.index(&index),
    })
}
