//! The value at the place that a search found, kept by the search.
//!
//! The gradient of a maximum looks for its place, and has the value as the one there:
//!
//! ```text
//! at[i] = argmax(j: n where P) e[i, j]
//! m[i] = max(j: n where P and j = at[i]) e[i, j]
//! ```
//!
//! The search knows that value: the best one. So `m` is stored with `at`, and no entry is read, or computed, again. The same holds
//! of `max(j: n where P) e[i, j]`, which may stand in front of the search: it is the way to a place and its value.

use super::UNROLLED;
use iverson_spec::ast::{Cmp, Reduction};
use iverson_spec::ir::{Atom, Block, Guard, Index, Symbols, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::traverse::{FreeVars, Rewrite, Substitute};
use rustc_hash::FxHashMap;

/// What a search keeps besides the place.
#[derive(Clone)]
pub(super) struct Value {
    /// The statement `m`.
    pub(super) stmt: Stmt,
    /// `P`, as far as it says nothing of the place: in the variables of the search.
    pub(super) guards: Vec<Guard>,
    /// Whether it is a fold of all points that the search tries, not the value at the place that it finds.
    pub(super) whole: bool,
    /// The search, if it stands behind the statement: both are done where that stands.
    pub(super) behind: Option<Stmt>,
}

/// By search: a value of it in its block, if there is one.
pub(super) fn values(program: &TensorSsa) -> FxHashMap<TensorId, Value> {
    let mut found = FxHashMap::default();
    of_blocks(&program.symbols, &program.body, &mut found);
    found
}

fn of_blocks(symbols: &Symbols, blocks: &[Block<Stmt>], found: &mut FxHashMap<TensorId, Value>) {
    for (at, block) in blocks.iter().enumerate() {
        match block {
            Block::Stmt(search) => {
                // of two equal searches the first one keeps it
                let is_kept =
                    |stmt: &Stmt| found.values().any(|value| value.stmt.tensor == stmt.tensor);
                let mut values =
                    blocks.iter().enumerate().filter_map(|(other, block)| match block {
                        Block::Stmt(stmt) if !is_kept(stmt) => {
                            value(symbols, search, stmt, other < at)
                        }
                        Block::Stmt(_) | Block::Rec(_) | Block::Requires(_) => None,
                    });
                let value = values.next();
                found.extend(value.map(|value| (search.tensor, value)));
            }
            Block::Rec(rec) => of_blocks(symbols, &rec.body, found),
            Block::Requires(_) => {}
        }
    }
}

/// A statement, in front of a search or behind it, as the value of that, if it is that.
fn value(symbols: &Symbols, search: &Stmt, stmt: &Stmt, in_front: bool) -> Option<Value> {
    let (Rhs::Arg(arg, tried), Rhs::Fold(op, term)) = (&search.rhs, &stmt.rhs) else { return None };
    let same = matches!(
        (arg, op),
        (Reduction::Argmax, Reduction::Max) | (Reduction::Argmin, Reduction::Min)
    );
    let &[binder] = term.binders.as_slice() else { return None };
    let own: Vec<VarId> = stmt.axes.iter().copied().chain([binder]).collect();
    let vars: Vec<VarId> = search.axes.iter().chain(&tried.binders).copied().collect();
    let range = |var: &VarId| &symbols.var(*var).range;
    if !same || !own.iter().map(range).eq(vars.iter().map(range)) {
        return None;
    }
    let mut renamed = Substitute(|var: VarId| {
        let at = own.iter().position(|other| *other == var)?;
        Some(Index::var(vars[at]))
    });
    if renamed.expr(&term.body)? != tried.body {
        return None;
    }
    let guards = renamed.guard(&term.guard)?.conjuncts();
    let (place, guards): (Vec<Guard>, Vec<Guard>) =
        guards.into_iter().partition(|guard| is_place(search, tried, guard));
    let known = tried.guard.clone().conjuncts();
    let at_place = !place.is_empty() && !in_front;
    // a fold of few places is done before a search of them is
    let few = range(&tried.binders[0]).as_constant().is_some_and(|n| n <= UNROLLED);
    let whole = place.is_empty() && !few && known.iter().all(|guard| guards.contains(guard));
    if !(at_place || whole) || !guards.iter().all(|guard| known.contains(guard)) {
        return None;
    }
    let of_axes = |guard: &Guard| !FreeVars::of_guard(guard).contains(&tried.binders[0]);
    let behind = in_front.then(|| search.clone());
    let guards = guards.into_iter().filter(of_axes).collect();
    Some(Value { stmt: stmt.clone(), guards, whole, behind })
}

/// Whether a guard says that the variable is at the place that the search finds.
fn is_place(search: &Stmt, tried: &Term, guard: &Guard) -> bool {
    let entry = search.axes.iter().map(|axis| Index::var(*axis)).collect();
    let place = Index::atom(Atom::Read(search.tensor, entry));
    let var = Index::var(tried.binders[0]);
    match guard {
        Guard::Compare(Cmp::Eq, a, b) => *a == var && *b == place || *a == place && *b == var,
        Guard::Compare(..)
        | Guard::Real(..)
        | Guard::Member(..)
        | Guard::Not(_)
        | Guard::All(_)
        | Guard::Any(_) => false,
    }
}
