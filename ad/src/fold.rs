//! What stands for a fold when it is differentiated.
//!
//! * `max_j e[j]` is `e[m]` with `m = argmax_j e[j]`: the first point that attains it.
//! * `prod_j e[j]` has the derivative `Σ_j (Π_{l≠j} e[l]) ė[j]`. The product of the
//!   others is that of those before times that of those after, two recurrences: no
//!   division, so zeros are exact in every order.
//!
//! Several binders are taken one at a time for products; for `max` and `min` the
//! first point that attains the value is found coordinate by coordinate.

use crate::program::{companion, copy_var, overflow};
use iverson_spec::ast::{Cmp, Direction, Reduction};
use iverson_spec::function::Fun;
use iverson_spec::ir::{
    Atom, Block, Element, Expr, Guard, Index, Rec, Symbols, Tensor, TensorId, VarId,
};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::traverse::{Rewrite, Substitute};
use rustc_hash::{FxHashMap, FxHashSet};

/// `weight · term`, where the weight is constant for this derivative.
#[derive(Clone, Debug)]
pub(crate) struct Weighted {
    pub(crate) term: Term,
    pub(crate) weight: Expr,
}

/// A program whose folds have what their derivatives need.
pub(crate) struct Prepared {
    pub(crate) program: TensorSsa,
    /// For each active fold, the terms that stand for it.
    pub(crate) linear: FxHashMap<TensorId, Vec<Weighted>>,
}

/// Adds to each active fold the statements that its derivative reads.
pub(crate) fn prepare(program: &TensorSsa, active: &FxHashSet<TensorId>) -> Prepared {
    let mut pass = Prepare {
        symbols: program.symbols.clone(),
        active,
        linear: FxHashMap::default(),
        carried: Vec::new(),
        added: FxHashSet::default(),
    };
    let body = pass.blocks(&program.body);
    let program = TensorSsa { symbols: pass.symbols, body, ..program.clone() };
    Prepared { program, linear: pass.linear }
}

struct Prepare<'a> {
    symbols: Symbols,
    active: &'a FxHashSet<TensorId>,
    linear: FxHashMap<TensorId, Vec<Weighted>>,
    carried: Vec<VarId>,
    /// Active tensors that this pass made.
    added: FxHashSet<TensorId>,
}

impl Prepare<'_> {
    fn blocks(&mut self, blocks: &[Block<Stmt>]) -> Vec<Block<Stmt>> {
        let mut out = Vec::with_capacity(blocks.len());
        for block in blocks {
            match block {
                Block::Stmt(stmt) => self.stmt(stmt, &mut out),
                Block::Rec(rec) => {
                    let depth = self.carried.len();
                    self.carried.extend(rec.vars.iter().map(|(v, _)| *v));
                    let body = self.blocks(&rec.body);
                    self.carried.truncate(depth);
                    out.push(Block::Rec(Rec { vars: rec.vars.clone(), body }));
                }
                Block::Requires(requires) => out.push(Block::Requires(requires.clone())),
            }
        }
        out
    }

    fn stmt(&mut self, stmt: &Stmt, out: &mut Vec<Block<Stmt>>) {
        let is_active = self.active.contains(&stmt.tensor);
        match &stmt.rhs {
            Rhs::Fold(op @ (Reduction::Max | Reduction::Min), term) if is_active => {
                out.push(Block::Stmt(stmt.clone()));
                self.extremum(*op, stmt, term, out);
            }
            Rhs::Fold(Reduction::Prod, term) if is_active => self.product(stmt, term, out),
            Rhs::Sum(_) | Rhs::Fold(..) | Rhs::Arg(..) | Rhs::Index(_) => {
                out.push(Block::Stmt(stmt.clone()));
            }
        }
    }

    fn access(stmt: &Stmt, tensor: TensorId) -> Expr {
        Expr::Access(tensor, stmt.axes.iter().map(|v| Index::var(*v)).collect())
    }

    fn read(stmt: &Stmt, tensor: TensorId) -> Index {
        let indices = stmt.axes.iter().map(|v| Index::var(*v)).collect();
        Index::atom(Atom::Read(tensor, indices))
    }

    /// `y = max_j [P] e` is `[m < n] e[m]` with `m = argmax_j [P] e`.
    fn extremum(&mut self, op: Reduction, stmt: &Stmt, term: &Term, out: &mut Vec<Block<Stmt>>) {
        let at = match term.binders.as_slice() {
            [binder] => vec![self.argument(op, stmt, term, *binder, out)],
            _ => self.coordinates(stmt, term, out),
        };
        let place = |v: VarId| term.binders.iter().position(|b| *b == v).map(|p| at[p].clone());
        let mut guard = Guard::truth();
        for (binder, index) in term.binders.iter().zip(&at) {
            let range = self.symbols.var(*binder).range.clone();
            guard = guard.and(Guard::Compare(Cmp::Lt, index.clone(), range));
        }
        let own = Substitute(place).guard(&term.guard).unwrap_or_else(|| overflow());
        let body = Substitute(place).expr(&term.body).unwrap_or_else(|| overflow());
        let term = Term { binders: Vec::new(), guard: guard.and(own), body };
        self.linear.insert(stmt.tensor, vec![Weighted { term, weight: Expr::integer(1) }]);
    }

    /// `m[i] = argmax(j where P) e`
    fn argument(
        &mut self,
        op: Reduction,
        stmt: &Stmt,
        term: &Term,
        binder: VarId,
        out: &mut Vec<Block<Stmt>>,
    ) -> Index {
        let arg = if op == Reduction::Max { Reduction::Argmax } else { Reduction::Argmin };
        let tensor = self.index_tensor(stmt, binder);
        let rhs = Rhs::Arg(arg, term.clone());
        out.push(Block::Stmt(Stmt { tensor, axes: stmt.axes.clone(), rhs }));
        Self::read(stmt, tensor)
    }

    fn index_tensor(&mut self, stmt: &Stmt, binder: VarId) -> TensorId {
        let row = self.symbols.tensor(stmt.tensor).clone();
        let range = self.symbols.var(binder).range.clone();
        let bound = range.add(&Index::constant(1)).unwrap_or_else(|| overflow());
        let name = format!("{}_at", row.name);
        self.symbols.add_tensor(Tensor { name, element: Element::Index(bound), shape: row.shape })
    }

    /// The first point, in the order of the binders, at which the body is the value:
    /// the least first coordinate of such points, then the least second one given that.
    fn coordinates(&mut self, stmt: &Stmt, term: &Term, out: &mut Vec<Block<Stmt>>) -> Vec<Index> {
        let value = Self::access(stmt, stmt.tensor);
        let mut guard = term.guard.clone().and(Guard::Real(
            Cmp::Eq,
            Box::new((term.body.clone(), value)),
        ));
        let count = companion(&mut self.symbols, stmt.tensor, "_count");
        let counted = Term {
            binders: term.binders.clone(),
            guard: guard.clone(),
            body: Expr::integer(1),
        };
        let axes = stmt.axes.clone();
        out.push(Block::Stmt(Stmt { tensor: count, axes: axes.clone(), rhs: Rhs::Sum(vec![counted]) }));
        let some = Guard::Real(Cmp::Gt, Box::new((Self::access(stmt, count), Expr::integer(0))));
        let mut at = Vec::new();
        for binder in &term.binders {
            let least = companion(&mut self.symbols, stmt.tensor, "_least");
            let body = Expr::Real(Index::var(*binder));
            let search = Term { binders: term.binders.clone(), guard: guard.clone(), body };
            let rhs = Rhs::Fold(Reduction::Min, search);
            out.push(Block::Stmt(Stmt { tensor: least, axes: axes.clone(), rhs }));
            let found = Index::atom(Atom::Floor(Box::new(Self::access(stmt, least))));
            let range = self.symbols.var(*binder).range.clone();
            let index = Index::atom(Atom::If(Box::new((some.clone(), found, range))));
            let tensor = self.index_tensor(stmt, *binder);
            out.push(Block::Stmt(Stmt { tensor, axes: axes.clone(), rhs: Rhs::Index(index) }));
            let coordinate = Self::read(stmt, tensor);
            guard = guard.and(Guard::Compare(Cmp::Eq, Index::var(*binder), coordinate.clone()));
            at.push(coordinate);
        }
        at
    }

    /// `y = prod_j [P] e`: the product of the others is `before[j] · after[j]`.
    fn product(&mut self, stmt: &Stmt, term: &Term, out: &mut Vec<Block<Stmt>>) {
        let [first, rest @ ..] = term.binders.as_slice() else {
            out.push(Block::Stmt(Stmt { rhs: Rhs::Sum(vec![term.clone()]), ..stmt.clone() }));
            return;
        };
        let term = if rest.is_empty() { term.clone() } else { self.inner_product(stmt, term, *first, out) };
        out.push(Block::Stmt(Stmt { rhs: Rhs::Fold(Reduction::Prod, term.clone()), ..stmt.clone() }));
        let before = self.running(stmt, &term, *first, Direction::Ascending, out);
        let after = self.running(stmt, &term, *first, Direction::Descending, out);
        let weight = Expr::Apply(Fun::Mul, vec![before, after]);
        self.linear.insert(stmt.tensor, vec![Weighted { term, weight }]);
    }

    /// The product over all binders but the first, as a statement; what is left to fold.
    fn inner_product(
        &mut self,
        stmt: &Stmt,
        term: &Term,
        first: VarId,
        out: &mut Vec<Block<Stmt>>,
    ) -> Term {
        let row = self.symbols.tensor(stmt.tensor).clone();
        let outer = copy_var(&mut self.symbols, first);
        let mut shape = row.shape.clone();
        shape.push(self.symbols.var(first).range.clone());
        let name = format!("{}_part", row.name);
        let tensor = self.symbols.add_tensor(Tensor { name, element: Element::Real, shape });
        let rename = |v: VarId| (v == first).then(|| Index::var(outer));
        let inner = Term {
            binders: term.binders[1..].to_vec(),
            guard: Substitute(rename).guard(&term.guard).unwrap_or_else(|| overflow()),
            body: Substitute(rename).expr(&term.body).unwrap_or_else(|| overflow()),
        };
        let axes: Vec<VarId> = stmt.axes.iter().copied().chain([outer]).collect();
        self.added.insert(tensor);
        let part = Stmt { tensor, axes, rhs: Rhs::Fold(Reduction::Prod, inner.clone()) };
        self.product(&part, &inner, out);
        let indices = stmt.axes.iter().chain([&first]).map(|v| Index::var(*v)).collect();
        Term { binders: vec![first], guard: Guard::truth(), body: Expr::Access(tensor, indices) }
    }

    /// The product of the factors that come before `j` in the direction, as a recurrence.
    fn running(
        &mut self,
        stmt: &Stmt,
        term: &Term,
        binder: VarId,
        direction: Direction,
        out: &mut Vec<Block<Stmt>>,
    ) -> Expr {
        let step = copy_var(&mut self.symbols, binder);
        let range = self.symbols.var(binder).range.clone();
        let carried = self.carried.len();
        let (lead, own) = stmt.axes.split_at(carried);
        let axes: Vec<VarId> = lead.iter().copied().chain([step]).chain(own.iter().copied()).collect();
        let shape = axes.iter().map(|v| self.symbols.var(*v).range.clone()).collect();
        let suffix = if direction == Direction::Ascending { "_before" } else { "_after" };
        let name = format!("{}{suffix}", self.symbols.tensor(stmt.tensor).name);
        let tensor = self.symbols.add_tensor(Tensor { name, element: Element::Real, shape });
        let entry = |at: Index| {
            let lead = lead.iter().map(|v| Index::var(*v));
            let own = own.iter().map(|v| Index::var(*v));
            Expr::Access(tensor, lead.chain([at]).chain(own).collect())
        };
        let one = Index::constant(1);
        let here = Index::var(step);
        let shifted = if direction == Direction::Ascending { here.sub(&one) } else { here.add(&one) };
        let previous = shifted.unwrap_or_else(|| overflow());
        let last = range.sub(&one).unwrap_or_else(|| overflow());
        let start = if direction == Direction::Ascending {
            Guard::Compare(Cmp::Gt, here, Index::constant(0))
        } else {
            Guard::Compare(Cmp::Lt, here, last)
        };
        let at_previous = |v: VarId| (v == binder).then(|| previous.clone());
        let taken = Substitute(at_previous).guard(&term.guard).unwrap_or_else(|| overflow());
        let factor = Substitute(at_previous).expr(&term.body).unwrap_or_else(|| overflow());
        let mut terms = vec![
            at(start.clone().negate(), Expr::integer(1)),
            at(start.clone().and(taken.clone()), crate::partials::mul(entry(previous.clone()), factor)),
        ];
        if !taken.is_truth() {
            terms.push(at(start.and(taken.negate()), entry(previous)));
        }
        let body = vec![Block::Stmt(Stmt { tensor, axes, rhs: Rhs::Sum(terms) })];
        out.push(Block::Rec(Rec { vars: vec![(step, direction)], body }));
        entry(Index::var(binder))
    }
}

/// `[guard] * body`, without binders.
fn at(guard: Guard, body: Expr) -> Term {
    Term { binders: Vec::new(), guard, body }
}
