//! Lifting: an expression computed by a statement of its own.

use super::domain::Domain;
use super::{Context, Level, Normalize, free_vars, overflow};
use crate::ast::Cmp;
use crate::bounds::{Verdict, arg_is_total, without_negative};
use crate::ir::{
    Atom, Block, Def, Element, Expr, Extent, Guard, Index, Rec, Requires, Tensor, TensorId, Value,
    VarId,
};
use crate::traverse::{
    FreeVars, Reads, Rewrite, Substitute, Visit, rebuild_atom, rebuild_blocks, rebuild_expr,
    rebuild_index,
};

/// A lifted tensor: `tensor[lead, its own recurrence variables, depends, its own other axes]`.
#[derive(Clone)]
pub(super) struct Lifted {
    tensor: TensorId,
    /// The recurrence variables of the blocks it was lifted into.
    lead: Vec<VarId>,
    /// How many of its own indices are recurrence variables of its `let`.
    recurrent: usize,
    /// The variables of the surroundings that it depends on.
    depends: Vec<VarId>,
}

impl Lifted {
    /// The indices of an entry, given those that the text has.
    fn indices(&self, own: &[Index]) -> Vec<Index> {
        let vars = |vars: &[VarId]| vars.iter().map(|v| Index::var(*v)).collect::<Vec<_>>();
        let (recurrent, own) = own.split_at(self.recurrent);
        [&vars(&self.lead), recurrent, &vars(&self.depends), own].concat()
    }
}

impl Normalize {
    /// Computes `e` by a statement before the current one; gives the access to it.
    pub(super) fn lift(&mut self, e: &Expr, context: &Context) -> Expr {
        let tensor = Tensor { name: self.name.clone(), element: Element::Real, shape: Vec::new() };
        let lifted = self.lift_value(tensor, &Value::Real(e.clone()), &[], context);
        Expr::Access(lifted.tensor, lifted.indices(&[]))
    }

    /// Computes an `argmax` or `argmin` by a statement of its own.
    pub(super) fn lift_arg(&mut self, atom: &Atom, context: &Context) -> Index {
        let Atom::Arg(arg) = atom else { return Index::atom(atom.clone()) };
        let range = self.symbols.var(arg.var).range.clone();
        let total = arg_is_total(&self.symbols, &arg.guard, arg.var);
        let bound = if total { range } else { one_more(&range) };
        let tensor =
            Tensor { name: self.name.clone(), element: Element::Index(bound), shape: Vec::new() };
        let lifted =
            self.lift_value(tensor, &Value::Index(Index::atom(atom.clone())), &[], context);
        Index::atom(Atom::Read(lifted.tensor, lifted.indices(&[])))
    }

    /// Lifts the blocks of a `let`; later accesses to its tensors are relocated.
    pub(super) fn lift_blocks(&mut self, blocks: &[Block<Def>], context: &Context) {
        for block in blocks {
            match block {
                Block::Stmt(def) => {
                    let value = self.relocate_value(&def.value);
                    let row = self.symbols.tensor(def.tensor).clone();
                    let lifted = self.lift_value(row, &value, &def.axes, context);
                    self.locals.insert(def.tensor, lifted);
                }
                Block::Rec(rec) => self.lift_rec(rec, context),
                Block::Requires(requires) => {
                    let condition = self.relocate_guard(&requires.condition);
                    self.lift_requires(&requires.binders, condition, context);
                }
            }
        }
    }

    /// Emits `row.name[.., own] = value` at the outermost level that has what it reads.
    fn lift_value(
        &mut self,
        row: Tensor,
        value: &Value,
        own: &[VarId],
        context: &Context,
    ) -> Lifted {
        let mut free = free_vars(value);
        free.retain(|v| !own.contains(v));
        let (domain, level) = self.place(&free, value, context);
        let lead = self.levels[level].carried.clone();
        let depends = domain.vars.iter().copied().filter(|v| !lead.contains(v)).collect();
        let tensor = self.symbols.add_tensor(row);
        let lifted = Lifted { tensor, lead, recurrent: 0, depends };
        let above = self.levels.split_off(level + 1);
        self.emit_lifted(&lifted, value, own, &domain.guards);
        self.levels.extend(above);
        lifted
    }

    /// The domain of a lifted value and the level where it goes: its own reads and
    /// those of the guards it keeps must be there.
    pub(super) fn place(
        &self,
        free: &[VarId],
        value: &Value,
        context: &Context,
    ) -> (Domain, usize) {
        let mut reads = Reads::default();
        match value {
            Value::Real(e) => reads.expr(e),
            Value::Index(i) => reads.index(i),
        }
        let mut level = self.deepest(&reads);
        loop {
            let carried = &self.levels[level].carried;
            let others = context.vars.iter().filter(|v| free.contains(v) && !carried.contains(v));
            let needed: Vec<VarId> = carried.iter().chain(others).copied().collect();
            let domain = self.choose_domain(&needed, value, context);
            let deeper = domain.guards.iter().map(|g| self.level_of_guard(g)).max().unwrap_or(0);
            if deeper <= level {
                return (domain, level);
            }
            level = deeper;
        }
    }

    fn level_of_guard(&self, guard: &Guard) -> usize {
        let mut reads = Reads::default();
        reads.guard(guard);
        self.deepest(&reads)
    }

    fn deepest(&self, reads: &Reads) -> usize {
        let home = |t: &TensorId| self.home.get(t).copied().unwrap_or(0);
        reads.tensors.iter().map(home).max().unwrap_or(0)
    }

    /// Emits the statement of a lifted tensor at the innermost level, with axes of its own.
    fn emit_lifted(&mut self, lifted: &Lifted, value: &Value, own: &[VarId], guards: &[Guard]) {
        let fresh: Vec<VarId> = lifted.depends.iter().map(|v| self.copy_var(*v)).collect();
        let rename = renaming(&lifted.depends, &fresh);
        let value = substitute(value, &rename);
        let widened: Vec<Guard> = fresh.iter().filter_map(|v| self.widen(*v)).collect();
        let guards = guards.iter().map(|g| substitute_guard(g, &rename));
        let guards: Vec<Guard> = widened.into_iter().chain(guards).collect();
        let (recurrent, own) = own.split_at(lifted.recurrent);
        let axes: Vec<VarId> =
            lifted.lead.iter().chain(recurrent).chain(&fresh).chain(own).copied().collect();
        let shape = axes.iter().map(|v| self.symbols.var(*v).range.clone()).collect();
        self.symbols.tensors[lifted.tensor.index()].shape = shape;
        if self.levels.len() > 1 {
            self.home.insert(lifted.tensor, self.levels.len() - 1);
        }
        let found = self.found_within(&value, lifted.tensor, &guards);
        let context = Context { vars: axes.clone(), guards: guards.clone() };
        self.define(lifted.tensor, axes.clone(), &value, &context);
        if let Some(bound) = found {
            self.symbols.tensors[lifted.tensor.index()].element = Element::Index(one_more(&bound));
            self.state_found(lifted.tensor, &axes, guards, bound);
        }
    }

    /// The range of an index where its guards hold, if it can be something else
    /// elsewhere: an index that is computed nowhere else is the range itself there.
    fn found_within(&self, value: &Value, tensor: TensorId, guards: &[Guard]) -> Option<Extent> {
        let Value::Index(index) = value else { return None };
        let Element::Index(bound) = self.symbols.tensor(tensor).element.clone() else {
            return None;
        };
        let may_find_nothing = matches!(index.terms(), [(Atom::Arg(arg), 1)]
            if !arg_is_total(&self.symbols, &arg.guard, arg.var));
        (!guards.is_empty() && !may_find_nothing).then_some(bound)
    }

    /// `requires(axes) not P or m[axes] < bound`: where the guards `P` hold, the
    /// index is in its range.
    fn state_found(&mut self, tensor: TensorId, axes: &[VarId], guards: Vec<Guard>, bound: Extent) {
        let carried = self.carried();
        let own: Vec<VarId> = axes.iter().copied().filter(|v| !carried.contains(v)).collect();
        let fresh: Vec<VarId> = own.iter().map(|v| self.copy_var(*v)).collect();
        let rename = renaming(&own, &fresh);
        let index = |v: &VarId| rename(*v).unwrap_or_else(|| Index::var(*v));
        let read = Index::atom(Atom::Read(tensor, axes.iter().map(index).collect()));
        let guard = substitute_guard(&Guard::all(guards), &rename);
        let within = Guard::Compare(Cmp::Lt, read, bound);
        let condition = Guard::any(vec![guard.negate(), within]);
        let clause = Requires { binders: fresh, condition };
        self.requires.push(clause.clone());
        self.emit(Block::Requires(clause));
    }

    /// A range that may be negative is that of a reduction and can be no extent: the
    /// variable gets the range without what is subtracted; a guard takes its place.
    fn widen(&mut self, var: VarId) -> Option<Guard> {
        let range = self.symbols.var(var).range.clone();
        let natural = Guard::Compare(Cmp::Ge, range.clone(), Index::constant(0));
        if self.prove(&[], &[], &natural) == Verdict::Proved {
            return None;
        }
        self.symbols.vars[var.index()].range = without_negative(&range)?;
        Some(Guard::Compare(Cmp::Lt, Index::var(var), range))
    }

    fn copy_var(&mut self, var: VarId) -> VarId {
        let row = self.symbols.var(var).clone();
        self.symbols.add_var(row.name, row.range)
    }

    /// Lifts a recurrence of a `let` as one block; each of its tensors has the
    /// variables that any of them depends on.
    fn lift_rec(&mut self, rec: &Rec<Def>, context: &Context) {
        let body = self.relocate_blocks(&rec.body);
        let mut free = FreeVars::default();
        free.blocks(&[Block::Rec(Rec { vars: rec.vars.clone(), body: body.clone() })]);
        let whole = Value::Real(Expr::Let(body.clone(), Box::new(Expr::integer(0))));
        let (domain, level) = self.place(&free.found, &whole, context);
        let lead = self.levels[level].carried.clone();
        let depends = domain.vars.iter().copied().filter(|v| !lead.contains(v)).collect();
        let above = self.levels.split_off(level + 1);
        let model = Lifted { tensor: TensorId(0), lead, recurrent: rec.vars.len(), depends };
        self.announce(&body, &model, level + 1);
        self.open(rec);
        self.rec_body(&body, &domain);
        self.close(rec);
        self.levels.extend(above);
    }

    /// Makes the lifted tensors of a recurrence known, since any may read any.
    fn announce(&mut self, body: &[Block<Def>], model: &Lifted, level: usize) {
        for block in body {
            match block {
                Block::Stmt(def) => {
                    let row = self.symbols.tensor(def.tensor).clone();
                    let tensor = self.symbols.add_tensor(row);
                    self.home.insert(tensor, level);
                    self.locals.insert(def.tensor, Lifted { tensor, ..model.clone() });
                }
                Block::Rec(rec) => {
                    let recurrent = model.recurrent + rec.vars.len();
                    self.announce(&rec.body, &Lifted { recurrent, ..model.clone() }, level + 1);
                }
                Block::Requires(_) => {}
            }
        }
    }

    fn rec_body(&mut self, body: &[Block<Def>], domain: &Domain) {
        for block in body {
            match block {
                Block::Stmt(def) => {
                    let value = self.relocate_value(&def.value);
                    let lifted = self.locals[&def.tensor].clone();
                    self.emit_lifted(&lifted, &value, &def.axes, &domain.guards);
                }
                Block::Rec(inner) => {
                    self.open(inner);
                    self.rec_body(&inner.body, domain);
                    self.close(inner);
                }
                Block::Requires(requires) => {
                    let condition = self.relocate_guard(&requires.condition);
                    let Domain { vars, guards } = domain.clone();
                    self.lift_requires(&requires.binders, condition, &Context { vars, guards });
                }
            }
        }
    }

    /// A condition of a `let` must hold wherever the `let` is reached.
    fn lift_requires(&mut self, binders: &[VarId], condition: Guard, context: &Context) {
        let reached = Guard::all(context.guards.clone());
        let mut condition = if reached.is_truth() {
            condition
        } else {
            Guard::any(vec![reached.negate(), condition])
        };
        let own: Vec<VarId> =
            FreeVars::of_guard(&condition).into_iter().chain(binders.iter().copied()).collect();
        if !self.guard_in_bounds(&condition, own.clone()) {
            let dropped = context.vars.iter().filter(|v| !own.contains(v));
            let empty = dropped.map(|v| self.nonempty(*v).negate());
            condition = Guard::any(empty.chain([condition]).collect());
        }
        let level = self.level_of_guard(&condition);
        let carried = &self.levels[level].carried;
        let mut free = FreeVars::of_guard(&condition);
        free.retain(|v| !binders.contains(v) && !carried.contains(v));
        let fresh: Vec<VarId> = free.iter().map(|v| self.copy_var(*v)).collect();
        let condition = substitute_guard(&condition, &renaming(&free, &fresh));
        let binders = fresh.iter().chain(binders).copied().collect();
        let above = self.levels.split_off(level + 1);
        self.condition(&Requires { binders, condition });
        self.levels.extend(above);
    }

    /// Opens a level for a `rec` block.
    pub(super) fn open(&mut self, rec: &Rec<Def>) {
        let mut carried = self.carried();
        carried.extend(rec.vars.iter().map(|(v, _)| *v));
        self.levels.push(Level { carried, out: Vec::new() });
    }

    /// Accesses to tensors of `let` blocks, as accesses to what they were lifted to.
    pub(super) fn relocate(&self, e: &Expr) -> Expr {
        Relocate(self).expr(e).unwrap_or_else(|| overflow())
    }

    fn relocate_guard(&self, guard: &Guard) -> Guard {
        Relocate(self).guard(guard).unwrap_or_else(|| overflow())
    }

    fn relocate_value(&self, value: &Value) -> Value {
        match value {
            Value::Real(e) => Value::Real(self.relocate(e)),
            Value::Index(i) => {
                Value::Index(rebuild_index(&mut Relocate(self), i).unwrap_or_else(|| overflow()))
            }
        }
    }

    fn relocate_blocks(&self, blocks: &[Block<Def>]) -> Vec<Block<Def>> {
        rebuild_blocks(&mut Relocate(self), blocks).unwrap_or_else(|| overflow())
    }
}

fn one_more(extent: &Extent) -> Extent {
    extent.add(&Index::constant(1)).unwrap_or_else(|| overflow())
}

fn renaming<'r>(from: &'r [VarId], to: &'r [VarId]) -> impl Fn(VarId) -> Option<Index> + Copy + 'r {
    |v| from.iter().position(|f| *f == v).map(|place| Index::var(to[place]))
}

fn substitute(value: &Value, rename: &(impl Fn(VarId) -> Option<Index> + Copy)) -> Value {
    match value {
        Value::Real(e) => Value::Real(Substitute(rename).expr(e).unwrap_or_else(|| overflow())),
        Value::Index(i) => {
            let index = rebuild_index(&mut Substitute(rename), i);
            Value::Index(index.unwrap_or_else(|| overflow()))
        }
    }
}

fn substitute_guard(guard: &Guard, rename: &(impl Fn(VarId) -> Option<Index> + Copy)) -> Guard {
    Substitute(rename).guard(guard).unwrap_or_else(|| overflow())
}

/// Rewrites accesses to tensors of `let` blocks.
struct Relocate<'p>(&'p Normalize);

impl Relocate<'_> {
    fn entry(&mut self, tensor: TensorId, indices: &[Index]) -> Option<(TensorId, Vec<Index>)> {
        let indices: Vec<Index> =
            indices.iter().map(|i| rebuild_index(self, i)).collect::<Option<_>>()?;
        Some(match self.0.locals.get(&tensor) {
            Some(lifted) => (lifted.tensor, lifted.indices(&indices)),
            None => (tensor, indices),
        })
    }
}

impl Rewrite for Relocate<'_> {
    fn atom(&mut self, atom: &Atom) -> Option<Index> {
        if let Atom::Read(tensor, indices) = atom {
            let (tensor, indices) = self.entry(*tensor, indices)?;
            return Some(Index::atom(Atom::Read(tensor, indices)));
        }
        rebuild_atom(self, atom)
    }

    fn expr(&mut self, e: &Expr) -> Option<Expr> {
        if let Expr::Access(tensor, indices) = e {
            let (tensor, indices) = self.entry(*tensor, indices)?;
            return Some(Expr::Access(tensor, indices));
        }
        rebuild_expr(self, e)
    }
}
