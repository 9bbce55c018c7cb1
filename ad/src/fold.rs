//! What stands for a fold when it is differentiated: one term that is linear in
//! what the fold reads, and the statements that this term needs.
//!
//! * `y = max_j [P] e[j]` has the derivative `[m < n] ė[m]`, where `m` is the first
//!   point that attains the maximum: `argmax_j [P] e[j]`, or with several binders
//!   found coordinate by coordinate.
//! * `y = prod_j [P] e[j]` has the derivative `Σ_j [P] (Π_{l≠j} e[l]) ė[j]`. The
//!   product of the others is that of those before times that of those after, two
//!   recurrences: no division, so it is right where factors are 0, in every order.
//!   Several binders are taken one at a time.
//!
//! The statements of the program itself stay as they are.

use crate::partials::mul;
use crate::program::{access, companion, overflow};
use iverson_spec::ast::{Cmp, Direction, Reduction};
use iverson_spec::bounds::without_negative;
use iverson_spec::function::Fun;
use iverson_spec::ir::{
    Atom, Block, Element, Expr, Guard, Index, Rec, Symbols, Tensor, TensorId, VarId,
};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::traverse::{Rewrite, Substitute};
use rustc_hash::{FxHashMap, FxHashSet};

/// `weight · term`, where only the body of the term is differentiated.
pub(crate) struct Weighted {
    pub(crate) term: Term,
    pub(crate) weight: Expr,
}

/// For each active fold, the term that stands for it.
pub(crate) type Linear = FxHashMap<TensorId, Weighted>;

/// The program with the statements that the derivatives of active folds read, and
/// the linear terms. Definitions that depend on an input are added to `active`.
pub(crate) fn prepare(
    program: &TensorSsa,
    active: &mut FxHashSet<TensorId>,
) -> (TensorSsa, Linear) {
    let symbols = program.symbols.clone();
    let mut pass = Prepare {
        symbols,
        active,
        linear: Linear::default(),
        carried: Vec::new(),
        out: Vec::new(),
    };
    let body = pass.blocks(&program.body);
    let prepared = TensorSsa {
        name: program.name.clone(),
        symbols: pass.symbols,
        params: program.params.clone(),
        body,
        results: program.results.clone(),
    };
    (prepared, pass.linear)
}

struct Prepare<'a> {
    symbols: Symbols,
    active: &'a mut FxHashSet<TensorId>,
    linear: Linear,
    /// The recurrence variables in force.
    carried: Vec<VarId>,
    /// The blocks made so far at this level.
    out: Vec<Block<Stmt>>,
}

impl Prepare<'_> {
    fn blocks(&mut self, blocks: &[Block<Stmt>]) -> Vec<Block<Stmt>> {
        let above = std::mem::take(&mut self.out);
        for block in blocks {
            match block {
                Block::Rec(rec) => {
                    let depth = self.carried.len();
                    self.carried.extend(rec.vars.iter().map(|(v, _)| *v));
                    let body = self.blocks(&rec.body);
                    self.carried.truncate(depth);
                    self.out.push(Block::Rec(Rec { vars: rec.vars.clone(), body }));
                }
                Block::Stmt(stmt) => self.stmt(stmt),
                Block::Requires(_) => self.out.push(block.clone()),
            }
        }
        std::mem::replace(&mut self.out, above)
    }

    /// A statement, after what its derivative needs.
    fn stmt(&mut self, stmt: &Stmt) {
        let is_active = self.active.contains(&stmt.tensor);
        match &stmt.rhs {
            Rhs::Fold(Reduction::Prod, term) if is_active => self.product(stmt, term),
            Rhs::Fold(op, term) if is_active => self.extremum(*op, stmt, term),
            Rhs::Fold(..) | Rhs::Sum(_) | Rhs::Arg(..) | Rhs::Index(_) => {}
        }
        self.out.push(Block::Stmt(stmt.clone()));
    }

    /// Adds `tensor[axes of stmt] = rhs`; gives the access to its entry.
    fn add(&mut self, tensor: TensorId, stmt: &Stmt, rhs: Rhs) -> Expr {
        self.out.push(Block::Stmt(Stmt { tensor, axes: stmt.axes.clone(), rhs }));
        access(tensor, &stmt.axes)
    }

    // Maxima and minima.

    /// `max_j [P] e[j]` is `[m < n and P(m)] e[m]`.
    fn extremum(&mut self, op: Reduction, stmt: &Stmt, term: &Term) {
        let at = match term.binders.as_slice() {
            [binder] => {
                let arg = if op == Reduction::Max { Reduction::Argmax } else { Reduction::Argmin };
                vec![self.find(stmt, *binder, Rhs::Arg(arg, term.clone()))]
            }
            _ => self.coordinates(op, stmt, term),
        };
        let found = term.binders.iter().zip(&at).map(|(binder, m)| {
            Guard::Compare(Cmp::Lt, m.clone(), self.symbols.var(*binder).range.clone())
        });
        let found = Guard::all(found.collect());
        let place = |v: VarId| term.binders.iter().position(|b| *b == v).map(|p| at[p].clone());
        let moved = moved(term, place);
        let term = Term { guard: found.and(moved.guard), binders: Vec::new(), body: moved.body };
        self.linear.insert(stmt.tensor, Weighted { term, weight: Expr::integer(1) });
    }

    /// Adds an index tensor with values of `binder`, or its range where there is none.
    fn find(&mut self, stmt: &Stmt, binder: VarId, rhs: Rhs) -> Index {
        let row = self.symbols.tensor(stmt.tensor);
        let (name, shape) = (format!("{}_at", row.name), row.shape.clone());
        let range = &self.symbols.var(binder).range;
        let bound = range.add(&Index::constant(1)).unwrap_or_else(|| overflow());
        let tensor = Tensor { name, element: Element::Index(bound), shape };
        let tensor = self.symbols.add_tensor(tensor);
        self.add(tensor, stmt, rhs);
        Index::atom(Atom::Read(tensor, stmt.axes.iter().map(|v| Index::var(*v)).collect()))
    }

    /// The first point, in the order of the binders, where the body is the value:
    /// the least first coordinate of such points, the least second one given that, ..
    fn coordinates(&mut self, op: Reduction, stmt: &Stmt, term: &Term) -> Vec<Index> {
        let value = companion(&mut self.symbols, stmt.tensor, "_value");
        let value = self.add(value, stmt, Rhs::Fold(op, term.clone()));
        let attained = Guard::Real(Cmp::Eq, Box::new((term.body.clone(), value)));
        let mut guard = term.guard.clone().and(attained);
        let over = |guard: &Guard, body| Term {
            binders: term.binders.clone(),
            guard: guard.clone(),
            body,
        };
        let count = companion(&mut self.symbols, stmt.tensor, "_count");
        let count = self.add(count, stmt, Rhs::Sum(vec![over(&guard, Expr::integer(1))]));
        let some = Guard::Real(Cmp::Gt, Box::new((count, Expr::integer(0))));
        let mut at = Vec::new();
        for binder in &term.binders {
            let own = over(&guard, Expr::Real(Index::var(*binder)));
            let least = companion(&mut self.symbols, stmt.tensor, "_least");
            let least = self.add(least, stmt, Rhs::Fold(Reduction::Min, own));
            let found = Index::atom(Atom::Floor(Box::new(least)));
            let range = self.symbols.var(*binder).range.clone();
            let index = Index::atom(Atom::If(Box::new((some.clone(), found, range))));
            let coordinate = self.find(stmt, *binder, Rhs::Index(index));
            guard = guard.and(Guard::Compare(Cmp::Eq, Index::var(*binder), coordinate.clone()));
            at.push(coordinate);
        }
        at
    }

    // Products.

    /// `prod_j [P] e[j]`: the product of the others is `before[j] · after[j]`.
    fn product(&mut self, stmt: &Stmt, term: &Term) {
        let (term, weight) = match term.binders.as_slice() {
            [] => (term.clone(), Expr::integer(1)),
            [first, rest @ ..] => {
                let term =
                    if rest.is_empty() { term.clone() } else { self.part(stmt, term, *first) };
                let before = self.running(stmt, &term, *first, Direction::Ascending);
                let after = self.running(stmt, &term, *first, Direction::Descending);
                (term, Expr::Apply(Fun::Mul, vec![before, after]))
            }
        };
        self.linear.insert(stmt.tensor, Weighted { term, weight });
    }

    /// The product over all binders but the first, as a tensor; what is left to fold.
    fn part(&mut self, stmt: &Stmt, term: &Term, first: VarId) -> Term {
        let (axis, within) = self.axis(first);
        let axes: Vec<VarId> = stmt.axes.iter().copied().chain([axis]).collect();
        let tensor = self.tensor_over(stmt, "_part", &axes);
        let inner = moved(term, |v| (v == first).then(|| Index::var(axis)));
        let guard = within.and(inner.guard);
        let inner = Term { binders: term.binders[1..].to_vec(), guard, body: inner.body };
        let part = Stmt { tensor, axes, rhs: Rhs::Fold(Reduction::Prod, inner) };
        self.active.insert(tensor);
        self.stmt(&part);
        let own: Vec<VarId> = stmt.axes.iter().copied().chain([first]).collect();
        Term { binders: vec![first], guard: Guard::truth(), body: access(tensor, &own) }
    }

    /// The product of the factors that come before `binder` in the direction:
    /// `r[j] = [j = 0] + [j > 0 and P(j - 1)] r[j - 1] e[j - 1] + [j > 0 and not P(j - 1)] r[j - 1]`
    fn running(&mut self, stmt: &Stmt, term: &Term, binder: VarId, direction: Direction) -> Expr {
        let range = self.symbols.var(binder).range.clone();
        let (step, within) = self.axis(binder);
        let here = Index::var(step);
        let (suffix, by, first, beyond) = match direction {
            Direction::Ascending => ("_before", -1, Index::constant(0), Cmp::Gt),
            Direction::Descending => ("_after", 1, shifted(&range, -1), Cmp::Lt),
        };
        let (lead, own) = stmt.axes.split_at(self.carried.len());
        let axes = [lead, &[step], own].concat();
        let tensor = self.tensor_over(stmt, suffix, &axes);
        let entry = |at: &Index| {
            let vars = |vars: &[VarId]| vars.iter().map(|v| Index::var(*v)).collect::<Vec<_>>();
            Expr::Access(tensor, [&vars(lead), std::slice::from_ref(at), &vars(own)].concat())
        };
        let previous = shifted(&here, by);
        let Term { guard: taken, body: factor, .. } =
            moved(term, |v| (v == binder).then(|| previous.clone()));
        let starts = within.clone().and(Guard::Compare(Cmp::Eq, here.clone(), first.clone()));
        let goes_on = within.and(Guard::Compare(beyond, here, first));
        let mut terms = vec![
            at(starts, Expr::integer(1)),
            at(goes_on.clone().and(taken.clone()), mul(entry(&previous), factor)),
        ];
        if !taken.is_truth() {
            terms.push(at(goes_on.and(taken.negate()), entry(&previous)));
        }
        let body = vec![Block::Stmt(Stmt { tensor, axes, rhs: Rhs::Sum(terms) })];
        self.out.push(Block::Rec(Rec { vars: vec![(step, direction)], body }));
        entry(&Index::var(binder))
    }

    /// A variable for an axis over the range of a binder. A range that may be
    /// negative is no extent: the axis is as long as it may be, and a guard keeps
    /// to the range.
    fn axis(&mut self, binder: VarId) -> (VarId, Guard) {
        let row = self.symbols.var(binder).clone();
        let extent = without_negative(&row.range).unwrap_or_else(|| row.range.clone());
        let is_range = extent == row.range;
        let axis = self.symbols.add_var(row.name, extent);
        let within = Guard::Compare(Cmp::Lt, Index::var(axis), row.range);
        (axis, if is_range { Guard::truth() } else { within })
    }

    /// A real tensor with the axes, named after that of the statement.
    fn tensor_over(&mut self, stmt: &Stmt, suffix: &str, axes: &[VarId]) -> TensorId {
        let name = format!("{}{suffix}", self.symbols.tensor(stmt.tensor).name);
        let shape = axes.iter().map(|v| self.symbols.var(*v).range.clone()).collect();
        self.symbols.add_tensor(Tensor { name, element: Element::Real, shape })
    }
}

/// `[guard] * body`
fn at(guard: Guard, body: Expr) -> Term {
    Term { binders: Vec::new(), guard, body }
}

/// The guard and the body with index expressions in the place of variables.
fn moved(term: &Term, to: impl Fn(VarId) -> Option<Index> + Copy) -> Term {
    Term {
        binders: term.binders.clone(),
        guard: Substitute(to).guard(&term.guard).unwrap_or_else(|| overflow()),
        body: Substitute(to).expr(&term.body).unwrap_or_else(|| overflow()),
    }
}

fn shifted(index: &Index, by: i64) -> Index {
    index.add(&Index::constant(by)).unwrap_or_else(|| overflow())
}
