//! An axis that data determine is not kept.
//!
//! The adjoint of `cost = sum(i) distance[i, nearest[i]]` is 0 but at the nearest centre:
//! `d[i, c] = [c = nearest[i]] cost_ct * ..`. Such a tensor has one entry for each `i`, and that is
//! what is kept. A reader names the entry by the equation, by which its sum is solved: a sum
//! over all centres becomes a read, one over all points the points of a centre.
//!
//! Nothing is done more often: the tensor has as many points as before, and a reader at most as
//! many, with as many accesses. No test comes of it, since a program that would need one stays as it is.

use crate::bodies::Product;
use crate::context::{
    Context, at_least, below, is_affine, plain_vars, replace_in_expr, replace_in_guard,
};
use crate::dead::read_by;
use crate::inline::at_entry;
use crate::solve::is_readable;
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Atom, Block, Expr, Guard, Index, Tensor, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::traverse::{FreeVars, Reads, Rewrite, Visit, walk_atom};
use iverson_spec::work::enumerable;

/// `t[i, j] = [q(i) and j = a(i)] e(i, j)` as `u[i] = e(i, a(i))`.
struct Kept {
    /// The statement of t.
    old: Stmt,
    /// The number of the axis.
    place: usize,
    /// Where t may differ from 0: `q(i)` and `j = a(i)`.
    support: Vec<Guard>,
    /// The terms of u.
    terms: Vec<Term>,
}

/// `[p] t[b, c] f = [p and q(b) and c = a(b)] u[b] f`, u in the place of t: the statements
/// before and after.
pub(crate) fn drop_axis(cx: &mut Context, program: &mut TensorSsa) -> Vec<(Stmt, Stmt)> {
    let mut changed = Vec::new();
    let mut at = 0;
    while let Some((stmt, steps)) = statements(&program.body, &[]).get(at) {
        match Kept::of(cx, stmt, steps).filter(|kept| kept.is_free(program)) {
            // another axis may be determined as well
            Some(kept) => changed.push(kept.put(cx, program)),
            None => at += 1,
        }
    }
    changed
}

/// The statements in order, each with the variables of the recurrences around it.
fn statements<'a>(blocks: &'a [Block<Stmt>], steps: &[VarId]) -> Vec<(&'a Stmt, Vec<VarId>)> {
    let of_block = |block: &'a Block<Stmt>| match block {
        Block::Stmt(stmt) => vec![(stmt, steps.to_vec())],
        Block::Rec(rec) => {
            let own = rec.vars.iter().map(|(v, _)| *v);
            statements(&rec.body, &steps.iter().copied().chain(own).collect::<Vec<_>>())
        }
        Block::Requires(_) => Vec::new(),
    };
    blocks.iter().flat_map(of_block).collect()
}

impl Kept {
    /// What there is to keep of a statement, if data determine an axis.
    fn of(cx: &Context, stmt: &Stmt, steps: &[VarId]) -> Option<Self> {
        let Rhs::Sum(terms) = &stmt.rhs else { return None };
        let all = terms.first()?.guard.clone().conjuncts();
        let free = &stmt.axes[steps.len()..];
        let of_axes = |index: &Index| {
            is_readable(index) && FreeVars::of_index(index).iter().all(|v| stmt.axes.contains(v))
        };
        let (equation, (place, value)) = all.iter().find_map(|conjunct| match conjunct {
            Guard::Compare(Cmp::Eq, a, b) => {
                let difference = a.sub(b).filter(of_axes)?;
                Some((conjunct, determined(&difference, free)?))
            }
            Guard::Compare(..)
            | Guard::Real(..)
            | Guard::Member(..)
            | Guard::Not(_)
            | Guard::All(_)
            | Guard::Any(_) => None,
        })?;
        let sides = |a: &Index, b: &Index| [a, b].into_iter().all(|i| is_affine(i) && of_axes(i));
        let is_of_axes = |g: &&Guard| matches!(g, Guard::Compare(_, a, b) if sides(a, b));
        let mut support: Vec<Guard> = all.iter().filter(is_of_axes).cloned().collect();
        let place = place + steps.len();
        let axis = stmt.axes[place];
        let range = &cx.symbols.var(axis).range;
        let ends = [at_least(&value, 0), below(&value, range)];
        let is_read = Within::of(cx, &value).iter().all(|goal| cx.implies(&support, goal));
        let is_place = ends.iter().all(|goal| cx.implies(&support, goal));
        // else by a search; where there are no places to search t has no points, so u has none either
        let others: Vec<VarId> = stmt.axes.iter().copied().filter(|v| *v != axis).collect();
        let is_found =
            |vars: &[VarId]| ends.iter().all(|goal| cx.implies_of_found(vars, &support, goal));
        let some = match is_place || is_found(&others) {
            true => None,
            false => Some(at_least(range, 1)),
        };
        if !is_read || some.is_some() && !is_found(&stmt.axes) {
            return None;
        }
        support.push(equation.clone());
        let at_value = |term: &Term| {
            // an access at what a search finds would need a proof in the text
            let is_free = is_place || !mentions(term, axis, equation);
            is_free.then(|| term_at(term, &support, axis, &value))?
        };
        let mut terms = terms.iter().map(at_value).collect::<Option<Vec<Term>>>()?;
        for term in &mut terms {
            let first = some.iter().cloned();
            term.guard = Guard::all(first.chain([term.guard.clone()]).collect());
        }
        Some(Self { old: stmt.clone(), place, support, terms })
    }

    /// Whether all that reads t multiplies by it, in a sum, and needs no test.
    fn is_free(&self, program: &TensorSsa) -> bool {
        let Self { old, .. } = self;
        reads_of_stmt(old, old.tensor) == 0
            && !program.results.contains(&old.tensor)
            && self.is_free_in_all(&program.body)
    }

    fn is_free_in_all(&self, blocks: &[Block<Stmt>]) -> bool {
        blocks.iter().all(|block| match block {
            Block::Stmt(stmt) => self.is_free_in(stmt),
            Block::Rec(rec) => self.is_free_in_all(&rec.body),
            Block::Requires(requires) => {
                let mut reads = Reads::default();
                reads.guard(&requires.condition);
                !reads.tensors.contains(&self.old.tensor)
            }
        })
    }

    fn is_free_in(&self, stmt: &Stmt) -> bool {
        let reads = reads_of_stmt(stmt, self.old.tensor);
        let Rhs::Sum(terms) = &stmt.rhs else { return reads == 0 };
        let factors = |term: &Term| Product::of(&term.body).factors;
        let is_taken = |factor: &Expr| {
            self.support_at(factor).is_some_and(|all| all.iter().all(|g| enumerable(g, true)))
        };
        reads == terms.iter().flat_map(factors).filter(is_taken).count()
    }

    /// Where the entry that a factor reads may differ from 0, if it is one of t.
    fn support_at(&self, factor: &Expr) -> Option<Vec<Guard>> {
        let Expr::Access(tensor, at) = factor else { return None };
        if *tensor != self.old.tensor {
            return None;
        }
        let mut moved = at_entry(&self.old.axes, at);
        self.support.iter().map(|guard| moved.guard(guard)).collect()
    }

    /// Puts u in the place of t: the statements of both.
    fn put(self, cx: &mut Context, program: &mut TensorSsa) -> (Stmt, Stmt) {
        let old = cx.symbols.tensor(self.old.tensor);
        let mut shape = old.shape.clone();
        shape.remove(self.place);
        let tensor = Tensor { name: old.name.clone(), element: old.element.clone(), shape };
        let tensor = cx.symbols.add_tensor(tensor);
        program.symbols = cx.symbols.clone();
        let mut axes = self.old.axes.clone();
        axes.remove(self.place);
        let new = Stmt { tensor, axes, rhs: Rhs::Sum(self.terms.clone()) };
        self.put_in(&new, &mut program.body);
        (self.old, new)
    }

    fn put_in(&self, new: &Stmt, blocks: &mut [Block<Stmt>]) {
        for block in blocks {
            match block {
                Block::Stmt(stmt) if stmt.tensor == self.old.tensor => *stmt = new.clone(),
                Block::Stmt(Stmt { rhs: Rhs::Sum(terms), .. }) => {
                    terms.iter_mut().for_each(|term| self.read(new.tensor, term));
                }
                Block::Rec(rec) => self.put_in(new, &mut rec.body),
                Block::Stmt(_) | Block::Requires(_) => {}
            }
        }
    }

    /// Reads u in the place of t.
    fn read(&self, tensor: TensorId, term: &mut Term) {
        let mut product = Product::of(&term.body);
        let mut found = Vec::new();
        for factor in &mut product.factors {
            let Some(support) = self.support_at(factor) else { continue };
            found.extend(support);
            if let Expr::Access(read, at) = factor {
                *read = tensor;
                at.remove(self.place);
            }
        }
        if !found.is_empty() {
            term.guard = term.guard.clone().and(Guard::all(found));
            term.body = product.body();
        }
    }
}

/// Whether a variable occurs in a term otherwise than in an equation.
fn mentions(term: &Term, var: VarId, equation: &Guard) -> bool {
    let conjuncts = term.guard.clone().conjuncts();
    let mut others = conjuncts.iter().filter(|guard| *guard != equation);
    others.any(|guard| FreeVars::of_guard(guard).contains(&var))
        || FreeVars::of_expr(&term.body).contains(&var)
}

/// The axis that `difference = 0` determines by data, by its number, and what it is.
fn determined(difference: &Index, axes: &[VarId]) -> Option<(usize, Index)> {
    if is_affine(difference) {
        return None;
    }
    plain_vars(difference).into_iter().rev().find_map(|(var, c)| {
        let rest = difference.sub(&Index::var(var).scale(c)?)?;
        let value = if c > 0 { rest.scale(-1)? } else { rest };
        let solved = c.abs() == 1 && !FreeVars::of_index(&value).contains(&var);
        solved.then_some((axes.iter().position(|axis| *axis == var)?, value))
    })
}

/// A term of u: that of t where the axis has its value, if no test comes of it.
fn term_at(term: &Term, support: &[Guard], axis: VarId, value: &Index) -> Option<Term> {
    let mut guards = term.guard.clone().conjuncts();
    if !support.iter().all(|part| guards.contains(part)) {
        return None;
    }
    guards.retain(|guard| Some(guard) != support.last());
    for guard in &mut guards {
        let at_value = replace_in_guard(guard, axis, value)?;
        if enumerable(guard, true) && !enumerable(&at_value, true) {
            return None;
        }
        *guard = at_value;
    }
    let body = replace_in_expr(&term.body, axis, value)?;
    Some(Term { binders: term.binders.clone(), guard: Guard::all(guards), body })
}

/// That what is read is there.
struct Within<'a> {
    cx: &'a Context,
    goals: Vec<Guard>,
}

impl<'a> Within<'a> {
    /// What has to hold where an index is evaluated.
    fn of(cx: &'a Context, index: &Index) -> Vec<Guard> {
        let mut within = Self { cx, goals: Vec::new() };
        within.index(index);
        within.goals
    }
}

impl Visit for Within<'_> {
    fn atom(&mut self, atom: &Atom) {
        if let Atom::Read(tensor, at) = atom {
            for (index, extent) in at.iter().zip(&self.cx.symbols.tensor(*tensor).shape) {
                self.goals.extend([at_least(index, 0), below(index, extent)]);
            }
        }
        walk_atom(self, atom);
    }
}

fn reads_of_stmt(stmt: &Stmt, tensor: TensorId) -> usize {
    read_by(stmt).into_iter().filter(|read| *read == tensor).count()
}
