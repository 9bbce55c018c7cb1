//! The driver: statements in order, each with what is known of those before it.
//!
//! A statement is simplified by itself until no law of the table fires on a term
//! or on its sum; then accesses to it may be replaced in what follows. Equal
//! statements are shared on the way, dead ones dropped at the end, and all is
//! repeated until nothing changes (a recurrence may read what stands below).
//!
//! **It ends.** Replacing an access moves it to a tensor that stands earlier. Of
//! the laws of one term, each takes away a summed variable, a conjunct, a disjunction, a
//! quotient in an equation, an occurrence of a determined axis, or an operation; solving adds
//! two inequalities and a divisibility, none of which is solved again. A read is
//! restricted to the support of its tensor once. The laws of sums, and that of constant states, take away a term;
//! hoisting takes a factor out of a sum, and a tensor loses an axis that data determine. Reuse, and keeping what
//! readers apply, take functions away from readers, and no law puts one in the place of a read.

use crate::axis::drop_axis;
use crate::context::{Context, Place};
use crate::dead::{adopt_results, drop_dead};
use crate::guards;
use crate::hoist::hoist_invariant;
use crate::inline::{Known, Replace, inline_terms};
use crate::once::apply_once;
use crate::reuse::Held;
use crate::rules::{Apply, RULES, named};
use crate::share::{Shared, copy, copy_of_points};
use crate::support::Supports;
use crate::trace::Trace;
use iverson_spec::ir::{Block, Expr, Index, Rec, Requires, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::traverse::{Rewrite, rebuild_index};
use iverson_spec::verify::{assert_valid, stmts};
use std::collections::VecDeque;

/// A program may need as many rounds as recurrences feed each other; this many are
/// allowed before the simplifier is taken to run in circles.
const MAX_ROUNDS: usize = 100;

/// The program with every law applied until none fires.
///
/// * **Meaning**: equal over the rationals; a row of [`RULES`] says what it does to floats.
/// * **Cost**: the result has at most the sparse work of `program`. Simplifying takes
///   time about linear in the number of statements.
#[must_use]
pub fn simplify(program: &TensorSsa) -> TensorSsa {
    run(program, Trace::default()).0
}

/// As [`simplify`], with the rules that fired, in order.
#[must_use]
pub fn simplify_traced(program: &TensorSsa) -> (TensorSsa, Trace) {
    run(program, Trace::kept())
}

fn run(program: &TensorSsa, trace: Trace) -> (TensorSsa, Trace) {
    let mut current = program.clone();
    let mut trace = trace;
    let mut is_first = true;
    for _ in 0..MAX_ROUNDS {
        let mut round = Round::new(&current, trace);
        round.reuses = !is_first;
        let next = round.program(&current);
        trace = round.cx.trace;
        if cfg!(debug_assertions) {
            assert_valid("simplify", &next);
        }
        if !is_first && next.body == current.body && next.results == current.results {
            return (next, trace);
        }
        is_first = false;
        current = next;
    }
    unreachable!("simplify: the laws run in circles on `{}`", program.name)
}

struct Round {
    cx: Context,
    known: Known,
    supports: Supports,
    shared: Shared,
    held: Held,
    /// Whether what statements hold is read: not in the first round, since what is dead then
    /// would be kept.
    reuses: bool,
    results: Vec<TensorId>,
    /// The recurrences that are open, each with its number and variables.
    open: Vec<(u32, Vec<VarId>)>,
    /// How many recurrences have been opened.
    opened: u32,
}

impl Round {
    fn new(program: &TensorSsa, trace: Trace) -> Self {
        Self {
            cx: Context::new(program, trace),
            known: Known::new(stmts(&program.body).into_iter().map(|stmt| stmt.tensor)),
            supports: Supports::default(),
            shared: Shared::default(),
            held: Held::default(),
            reuses: false,
            results: program.results.clone(),
            open: Vec::new(),
            opened: 0,
        }
    }

    fn program(&mut self, program: &TensorSsa) -> TensorSsa {
        let body = self.blocks(&program.body);
        let mut next = TensorSsa {
            name: program.name.clone(),
            symbols: self.cx.symbols.clone(),
            params: program.params.clone(),
            body,
            results: program.results.clone(),
        };
        adopt_results(&mut next);
        for tensor in drop_dead(&mut next) {
            let dropped = || ("a definition that nothing reads".to_owned(), "none".to_owned());
            let place = Place { tensor, axes: &[] };
            self.cx.trace.words(&self.cx.symbols, named("drop-dead"), place, dropped);
        }
        // with the names that results have given to what they repeated
        self.cx.symbols.clone_from(&next.symbols);
        self.dropped_axes(&mut next);
        if self.reuses {
            self.applied_once(&mut next);
        }
        next
    }

    /// Tensors without the axes that data determine.
    fn dropped_axes(&mut self, program: &mut TensorSsa) {
        for (old, new) in drop_axis(&mut self.cx, program) {
            self.changed("drop-axis", &old, &new);
        }
    }

    /// Entries of which all readers compute the same hold that.
    fn applied_once(&mut self, program: &mut TensorSsa) {
        for (old, new) in apply_once(program) {
            self.changed("apply-once", &old, &new);
        }
    }

    /// Notes that a statement stands in the place of another.
    fn changed(&mut self, rule: &str, old: &Stmt, new: &Stmt) {
        let (Rhs::Sum(before), Rhs::Sum(after)) = (&old.rhs, &new.rhs) else {
            unreachable!("a sum of terms stays one when a pass rewrites it")
        };
        let place = Place { tensor: old.tensor, axes: &old.axes };
        self.cx.trace.terms(&self.cx.symbols, named(rule), place, before, after);
    }

    fn blocks(&mut self, blocks: &[Block<Stmt>]) -> Vec<Block<Stmt>> {
        let mut out = Vec::with_capacity(blocks.len());
        for block in blocks {
            let block = match block {
                Block::Stmt(stmt) => {
                    let stmt = self.stmt(stmt);
                    let is_outside = self.open.is_empty();
                    let stmt = if is_outside { self.hoisted(stmt, &mut out) } else { stmt };
                    Block::Stmt(stmt)
                }
                Block::Rec(rec) => {
                    self.open.push((self.opened, rec.vars.iter().map(|(v, _)| *v).collect()));
                    self.opened += 1;
                    let body = self.blocks(&rec.body);
                    self.open.pop();
                    Block::Rec(Rec { vars: rec.vars.clone(), body })
                }
                Block::Requires(requires) => Block::Requires(self.clause(requires)),
            };
            out.push(block);
        }
        out
    }

    /// The statement after those of the sums that do not belong in it.
    fn hoisted(&mut self, mut stmt: Stmt, before: &mut Vec<Block<Stmt>>) -> Stmt {
        let Rhs::Sum(terms) = &stmt.rhs else { return stmt };
        let mut kept = Vec::with_capacity(terms.len());
        for term in terms {
            let Some((sum, outer)) = hoist_invariant(&mut self.cx, &stmt, term) else {
                kept.push(term.clone());
                continue;
            };
            let (old, new) = ([term.clone()], [outer.clone()]);
            let place = Place { tensor: stmt.tensor, axes: &stmt.axes };
            self.cx.trace.terms(&self.cx.symbols, named("hoist-invariant"), place, &old, &new);
            before.push(Block::Stmt(sum));
            kept.push(outer);
        }
        stmt.rhs = Rhs::Sum(kept);
        stmt
    }

    fn stmt(&mut self, stmt: &Stmt) -> Stmt {
        let place = Place { tensor: stmt.tensor, axes: &stmt.axes };
        let rhs = match &stmt.rhs {
            Rhs::Sum(terms) => Rhs::Sum(self.sum(place, terms)),
            Rhs::Fold(op, term) => {
                let term = self.replaced(place, term);
                Rhs::Fold(*op, self.folded(place, term))
            }
            // the guard says what is found where there is nothing: it stays as it is
            Rhs::Arg(op, term) => Rhs::Arg(*op, self.replaced(place, term)),
            Rhs::Index(index) => Rhs::Index(self.index(place, index)),
        };
        let stmt = Stmt { tensor: stmt.tensor, axes: stmt.axes.clone(), rhs };
        match self.shared.earlier(&self.cx, &stmt) {
            Some(first) => self.repeat(stmt, first),
            None => {
                let stmt = if self.reuses { self.reused(stmt) } else { stmt };
                self.known.note(&self.cx, &stmt);
                self.supports.note(&self.cx, &stmt);
                stmt
            }
        }
    }

    /// The statement with reads for what earlier statements hold.
    fn reused(&mut self, mut stmt: Stmt) -> Stmt {
        let place = Place { tensor: stmt.tensor, axes: &stmt.axes };
        let is_sum = matches!(stmt.rhs, Rhs::Sum(_));
        let terms = match &mut stmt.rhs {
            Rhs::Sum(terms) => terms.as_mut_slice(),
            Rhs::Fold(_, term) | Rhs::Arg(_, term) => std::slice::from_mut(term),
            Rhs::Index(_) => &mut [],
        };
        for term in terms {
            let read = self.held.read(&self.cx, &self.open, term);
            self.put("reuse", place, term, read);
            if is_sum {
                let read = self.held.read_quotients(&self.cx, &self.open, term);
                self.put("reuse-quotient", place, term, read);
            }
        }
        self.held.note(&self.cx, &self.open, &stmt);
        stmt
    }

    /// Puts what a rule gives in the place of a term.
    fn put(&mut self, rule: &str, place: Place<'_>, term: &mut Term, new: Option<Term>) {
        let Some(new) = new else { return };
        let old = [std::mem::replace(term, new.clone())];
        self.cx.trace.terms(&self.cx.symbols, named(rule), place, &old, &[new]);
    }

    /// A statement that equals an earlier one. A result stays defined: by that one, if it is none, else by reading it where that
    /// takes no more work.
    fn repeat(&mut self, stmt: Stmt, first: TensorId) -> Stmt {
        self.known.same.insert(stmt.tensor, first);
        let is_copy = match &stmt.rhs {
            Rhs::Sum(terms) => match terms.as_slice() {
                [] => true,
                [term] => {
                    term.binders.is_empty()
                        && matches!(term.body, Expr::Access(..) | Expr::Const(_))
                }
                _ => false,
            },
            Rhs::Fold(..) | Rhs::Arg(..) => false,
            Rhs::Index(_) => true,
        };
        if is_copy || !self.results.contains(&stmt.tensor) {
            return stmt;
        }
        let is_adopted = !self.results.contains(&first);
        let read = if is_adopted {
            Some(copy(&stmt, first))
        } else {
            copy_of_points(&self.cx, &stmt, first)
        };
        let Some(read) = read else { return stmt };
        for result in self.results.iter_mut().filter(|_| is_adopted) {
            if *result == stmt.tensor {
                *result = first;
            }
        }
        let words = || ("an equal definition".to_owned(), "one read".to_owned());
        let place = Place { tensor: stmt.tensor, axes: &stmt.axes };
        self.cx.trace.words(&self.cx.symbols, named("share"), place, words);
        read
    }

    /// A clause with the tensors in it that stand first.
    fn clause(&mut self, requires: &Requires) -> Requires {
        let mut replace = Replace { known: &self.known, fired: None };
        let condition = replace.guard(&requires.condition);
        let condition = condition.unwrap_or_else(|| requires.condition.clone());
        Requires { binders: requires.binders.clone(), condition }
    }

    fn index(&mut self, place: Place<'_>, index: &Index) -> Index {
        let mut replace = Replace { known: &self.known, fired: None };
        let Some(new) = rebuild_index(&mut replace, index) else { return index.clone() };
        if let Some(rule) = replace.fired {
            let words = || ("an index".to_owned(), "what it is".to_owned());
            self.cx.trace.words(&self.cx.symbols, named(rule), place, words);
        }
        new
    }

    /// The term with its accesses replaced; as it was where a coefficient overflows.
    fn replaced(&mut self, place: Place<'_>, term: &Term) -> Term {
        let mut replace = Replace { known: &self.known, fired: None };
        let Some(new) = replace.term(term) else { return term.clone() };
        if let Some(rule) = replace.fired {
            let (before, after) = ([term.clone()], [new.clone()]);
            self.cx.trace.terms(&self.cx.symbols, named(rule), place, &before, &after);
        }
        new
    }

    /// The guard of a fold, by the laws that leave its points as they are.
    fn folded(&mut self, place: Place<'_>, term: Term) -> Term {
        let laws = [
            ("absorb-true", guards::absorb_true as LawOfTerm),
            ("merge-guards", guards::merge_guards),
            ("same-guard", guards::same_guard),
            ("implied-guard", guards::implied_guard),
        ];
        let mut term = term;
        for (name, law) in laws {
            if let Some(mut new) = law(&mut self.cx, place, &term) {
                self.cx.trace.terms(&self.cx.symbols, named(name), place, &[term], &new);
                term = new.remove(0);
            }
        }
        term
    }

    /// A sum of terms, by all laws.
    fn sum(&mut self, place: Place<'_>, terms: &[Term]) -> Vec<Term> {
        let mut terms = terms.to_vec();
        loop {
            terms = self.each(place, terms);
            match self.together(place, &terms) {
                Some(joined) => terms = joined,
                None => return terms,
            }
        }
    }

    /// The laws of one term, on every term.
    fn each(&mut self, place: Place<'_>, terms: Vec<Term>) -> Vec<Term> {
        let mut open: VecDeque<Term> = terms.into();
        let mut done = Vec::new();
        while let Some(term) = open.pop_front() {
            let term = self.replaced(place, &term);
            match self.step(place, &term) {
                Some((rule, new)) => {
                    let before = [term];
                    self.cx.trace.terms(&self.cx.symbols, rule, place, &before, &new);
                    new.into_iter().rev().for_each(|term| open.push_front(term));
                }
                None => done.push(term),
            }
        }
        done
    }

    /// The first law that fires on a term.
    fn step(&mut self, place: Place<'_>, term: &Term) -> Option<(&'static str, Vec<Term>)> {
        if let Some(new) = inline_terms(&self.known, term) {
            return Some((named("inline-terms"), new));
        }
        let of_table = RULES.iter().find_map(|rule| match rule.apply {
            Apply::Term(law) => Some((rule.name, law(&mut self.cx, place, term)?)),
            Apply::Sum(_) | Apply::Program => None,
        });
        // last, so that a guard that is there already is in its solved form
        of_table.or_else(|| {
            let restricted = self.supports.restrict(&self.cx, place.axes, term)?;
            Some((named("restrict-support"), restricted))
        })
    }

    /// The first law that fires on the sum.
    fn together(&mut self, place: Place<'_>, terms: &[Term]) -> Option<Vec<Term>> {
        let (rule, new) = RULES.iter().find_map(|rule| match rule.apply {
            Apply::Sum(law) => Some((rule.name, law(&mut self.cx, place, terms)?)),
            Apply::Term(_) | Apply::Program => None,
        })?;
        self.cx.trace.terms(&self.cx.symbols, rule, place, terms, &new);
        Some(new)
    }
}

/// A law of one term.
type LawOfTerm = fn(&mut Context, Place<'_>, &Term) -> Option<Vec<Term>>;
