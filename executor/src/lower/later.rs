//! Sums over the steps of a recurrence, added by those steps.
//!
//! In `rec v: n { y[v] = a[v] + sum(w: n where next[w] = v) y[w] }` the points of the sum are steps that come before `v`, and what
//! they give is there at their ends. So step `w` ends with `y[next[w]] += y[w]`, and nobody looks for the `w` of a `v`: no points
//! are sorted by `next`. The entries are cleared before the recurrence.

use super::Lower;
use super::cases::cases;
use super::expr::Env;
use super::plan::{Request, plan};
use super::space::plain;
use super::statement::{Part, earlier};
use crate::loops::StatementId;
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Atom, Expr, Guard, Index, TensorId, VarId};
use iverson_spec::ssa::{Stmt, Term};
use iverson_spec::traverse::{FreeVars, Visit, walk_atom, walk_expr};

impl Lower<'_> {
    /// The variable of a term that takes steps of the one recurrence around, if each of them can add what it gives to later
    /// steps: it is a function of data of the step that names the later one, and all that the term reads is
    /// computed when the step ends.
    pub(super) fn step_that_adds(&self, term: &Term) -> Option<VarId> {
        let [(step, _)] = *self.steps.as_slice() else { return None };
        let range = &self.symbols.var(step).range;
        let adds = |var: &&VarId| {
            self.symbols.var(**var).range == *range
                && names_step(&term.guard, step, **var)
                && self.is_done_at(term, **var)
                && self.proved(
                    std::slice::from_ref(&term.guard),
                    &earlier(&self.steps, &[Index::var(**var)], false),
                )
        };
        term.binders.iter().find(adds).copied()
    }

    /// Whether what a term reads is there before the recurrence, or is of step `var`.
    fn is_done_at(&self, term: &Term, var: VarId) -> bool {
        let mut reads = Entries(Vec::new());
        reads.guard(&term.guard);
        reads.expr(&term.body);
        reads.0.iter().all(|(tensor, indices)| {
            self.available.contains(tensor) || indices.first() == Some(&Index::var(var))
        })
    }

    /// The cases of a term for the step `var`, which is the current one.
    pub(super) fn added_later<'t>(
        &mut self,
        stmt: &Stmt,
        env: &Env,
        term: &'t Term,
        var: VarId,
    ) -> Vec<Part<'t>> {
        let step = self.steps[0].0;
        let mut inner = env.clone();
        let current = inner.ints.remove(&step);
        inner.ints.extend(current.map(|current| (var, current)));
        let axes = self.open_axes(stmt);
        let mut open = self.preference(axes, term, std::slice::from_ref(term), &stmt.axes);
        open.retain(|other| *other != var);
        open.insert(0, step);
        let mut parts = Vec::new();
        for case in cases(&term.guard, &term.binders) {
            let request = Request {
                env: &inner,
                fixed: &[var],
                axes: &stmt.axes,
                open: open.clone(),
                axes_first: false,
                case: &case,
                statement: StatementId(stmt.tensor.0),
            };
            parts.extend(plan(self, &request).map(|plan| Part { term, plan }));
        }
        parts
    }
}

/// Whether a guard says which step it is: `step = e`, where `e` is computed from data at `var` alone.
fn names_step(guard: &Guard, step: VarId, var: VarId) -> bool {
    let of_data = |e: &Index| !plain(e) && FreeVars::of_index(e).iter().all(|free| *free == var);
    match guard {
        Guard::Compare(Cmp::Eq, a, b) => {
            let own = Index::var(step);
            *a == own && of_data(b) || *b == own && of_data(a)
        }
        Guard::All(parts) => parts.iter().any(|part| names_step(part, step, var)),
        Guard::Compare(..)
        | Guard::Real(..)
        | Guard::Member(..)
        | Guard::Not(_)
        | Guard::Any(_) => false,
    }
}

/// The entries that are read.
pub(super) struct Entries(pub(super) Vec<(TensorId, Vec<Index>)>);

impl Visit for Entries {
    fn atom(&mut self, atom: &Atom) {
        if let Atom::Read(tensor, indices) = atom {
            self.0.push((*tensor, indices.clone()));
        }
        walk_atom(self, atom);
    }

    fn expr(&mut self, expr: &Expr) {
        if let Expr::Access(tensor, indices) = expr {
            self.0.push((*tensor, indices.clone()));
        }
        walk_expr(self, expr);
    }
}
