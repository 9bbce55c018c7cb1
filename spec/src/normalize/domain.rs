//! The domain of a lifted statement: its variables, and the guards it keeps.

use super::{Context, Normalize, total};
use crate::ast::Cmp;
use crate::bounds::{self, Verdict};
use crate::ir::{Atom, Block, Def, Expr, Extent, Guard, Index, TensorId, Value, VarId};
use crate::traverse::{
    FreeVars, Reads, Visit, walk_atom, walk_blocks, walk_expr, walk_guard, walk_index,
};
use indexmap::IndexMap;
use iverson_affine::{Budget, Constraint, Linear, System, Var, project};

/// Where a lifted statement is computed.
#[derive(Clone)]
pub(super) struct Domain {
    /// The variables that become its axes.
    pub(super) vars: Vec<VarId>,
    /// The guards that restrict it.
    pub(super) guards: Vec<Guard>,
}

impl Normalize {
    /// The smallest domain over at least the variables `needed` that computes
    /// `value` only where the context reaches it. The other variables are
    /// eliminated from the guards; where that is not possible they are kept.
    ///
    /// A value that has one everywhere may be computed where the context does not
    /// reach it: guards that speak of other variables alone then go with them.
    pub(super) fn choose_domain(
        &self,
        needed: &[VarId],
        value: &Value,
        context: &Context,
    ) -> Domain {
        let invariant = self.is_total(value).then(|| self.domain(needed, value, context, true));
        let reached = || self.domain(needed, value, context, false);
        invariant.flatten().or_else(reached).unwrap_or_else(|| {
            let everything: Vec<VarId> = needed.iter().chain(&context.vars).copied().collect();
            Domain { vars: in_order(&everything, needed, context), guards: context.guards.clone() }
        })
    }

    /// A domain without the variables that can go; `None` if an access is then not
    /// in bounds. If `total`, guards that cannot be projected go too where they say
    /// nothing about the variables that stay.
    fn domain(
        &self,
        needed: &[VarId],
        value: &Value,
        context: &Context,
        total: bool,
    ) -> Option<Domain> {
        let mut vars = needed.to_vec();
        let mut known = context.guards.clone();
        let guards = loop {
            match self.eliminate(&vars, &known) {
                Ok(guards) => break guards,
                Err(stuck) => match total.then(|| others(&known, &stuck, &vars)).flatten() {
                    Some(fewer) => known = fewer,
                    None => vars.extend(stuck),
                },
            }
        };
        let dropped: Vec<VarId> =
            context.vars.iter().copied().filter(|v| !vars.contains(v)).collect();
        let mut domain = Domain { vars: in_order(&vars, needed, context), guards };
        if dropped.is_empty() || self.in_bounds(value, &domain) {
            return Some(domain);
        }
        // first, since the guards may be in bounds only where the ranges have points
        domain.guards.splice(0..0, dropped.iter().map(|v| self.nonempty(*v)));
        self.in_bounds(value, &domain).then_some(domain)
    }

    /// `n > 0` for the range n of `var`.
    pub(super) fn nonempty(&self, var: VarId) -> Guard {
        let range = self.symbols.var(var).range.clone();
        Guard::Compare(Cmp::Gt, range, Index::constant(0))
    }

    /// Whether `value` exists in every scalar wherever its accesses are in bounds,
    /// and is known before the open recurrences begin.
    fn is_total(&self, value: &Value) -> bool {
        let Value::Real(e) = value else { return false };
        let mut reads = Reads::default();
        reads.expr(e);
        total::is_total(e) && reads.tensors.iter().all(|t| !self.home.contains_key(t))
    }

    /// The guards over `vars` alone that hold where some values of the other
    /// variables satisfy `guards`; or else the variables that cannot be eliminated.
    fn eliminate(&self, vars: &[VarId], guards: &[Guard]) -> Result<Vec<Guard>, Vec<VarId>> {
        let outside = |g: &Guard| -> Vec<VarId> {
            FreeVars::of_guard(g).into_iter().filter(|v| !vars.contains(v)).collect()
        };
        let (kept, open): (Vec<Guard>, Vec<Guard>) =
            guards.iter().cloned().partition(|g| outside(g).is_empty());
        if open.is_empty() {
            return Ok(kept);
        }
        if let Some(projected) = self.shadow(&open, &kept, vars) {
            return Ok(kept.into_iter().chain(projected).collect());
        }
        // `a != b` is `a > b or a < b`: where one of them is always possible, so is it
        let split = |cmp: Cmp| -> Vec<Guard> { open.iter().map(|g| narrow(g, cmp)).collect() };
        let possible = [Cmp::Gt, Cmp::Lt].into_iter().any(|cmp| {
            self.shadow(&split(cmp), &kept, vars).is_some_and(|projected| projected.is_empty())
        });
        if possible {
            return Ok(kept);
        }
        let affine =
            |g: &Guard| self.cast(&mut Shadow::default(), &narrow(g, Cmp::Gt), vars).is_some();
        match open.iter().find(|g| !affine(g)) {
            Some(stuck) => Err(outside(stuck)),
            None => Err(open.iter().flat_map(outside).collect()),
        }
    }

    /// The exact shadow of comparisons on `vars`; `None` if there is none.
    fn shadow(&self, open: &[Guard], kept: &[Guard], vars: &[VarId]) -> Option<Vec<Guard>> {
        let mut shadow = Shadow::default();
        open.iter().try_for_each(|guard| self.cast(&mut shadow, guard, vars))?;
        self.project(shadow, kept)
    }

    /// Adds a comparison to the system to be projected; `None` if it is not affine.
    fn cast(&self, shadow: &mut Shadow, guard: &Guard, vars: &[VarId]) -> Option<()> {
        let Guard::Compare(cmp, a, b) = guard else { return None };
        let (a, b) = (self.linear(shadow, a, vars)?, self.linear(shadow, b, vars)?);
        shadow.system.push(compare(*cmp, &a, &b)?);
        Some(())
    }

    fn linear(&self, shadow: &mut Shadow, index: &Index, vars: &[VarId]) -> Option<Linear> {
        let mut sum = Linear::constant(i128::from(index.constant_part()));
        for (atom, c) in index.terms() {
            let own = self.unknown(shadow, atom, vars)?;
            sum = sum.add(&own.scale(i128::from(*c))?)?;
        }
        Some(sum)
    }

    /// The unknown of an atom. One that must go is described by its range, and a
    /// quotient of one by its two inequalities; data read through one cannot go.
    fn unknown(&self, shadow: &mut Shadow, atom: &Atom, vars: &[VarId]) -> Option<Linear> {
        if let Atom::Mod(e, k) = atom {
            let quotient = self.unknown(shadow, &Atom::Div(e.clone(), *k), vars)?;
            return self.linear(shadow, e, vars)?.sub(&quotient.scale(i128::from(*k))?);
        }
        if let Some(var) = shadow.atoms.get(atom) {
            return Some(Linear::var(*var));
        }
        let own = Index::atom(atom.clone());
        let stays = FreeVars::of_index(&own).iter().all(|v| vars.contains(v));
        let var = Var(shadow.atoms.len() as u32);
        shadow.atoms.insert(atom.clone(), var);
        let itself = Linear::var(var);
        if stays {
            return Some(itself);
        }
        shadow.gone.push(var);
        match atom {
            Atom::Var(v) => {
                let range = self.linear(shadow, &self.symbols.var(*v).range, vars)?;
                shadow.system.push(compare(Cmp::Ge, &itself, &Linear::constant(0))?);
                shadow.system.push(compare(Cmp::Lt, &itself, &range)?);
            }
            Atom::Div(e, k) => {
                let e = self.linear(shadow, e, vars)?;
                let floor = itself.scale(i128::from(*k))?;
                shadow.system.push(compare(Cmp::Le, &floor, &e)?);
                let above = floor.add(&Linear::constant(i128::from(*k)))?;
                shadow.system.push(compare(Cmp::Lt, &e, &above)?);
            }
            Atom::Size(_)
            | Atom::Mod(..)
            | Atom::Read(..)
            | Atom::Floor(_)
            | Atom::If(_)
            | Atom::Arg(_) => return None,
        }
        Some(itself)
    }

    /// The exact shadow as guards, without those that hold anyway.
    fn project(&self, shadow: Shadow, kept: &[Guard]) -> Option<Vec<Guard>> {
        let projection = project(&shadow.system, &shadow.gone, Budget::default())?;
        if !projection.exact {
            return None;
        }
        let guards: Option<Vec<Guard>> =
            projection.system.constraints().iter().map(|c| shadow.guard(c)).collect();
        let mut needed = kept.to_vec();
        let mut fresh = Vec::new();
        for guard in guards? {
            if self.prove(&[], &needed, &guard) != Verdict::Proved {
                needed.push(guard.clone());
                fresh.push(guard);
            }
        }
        Some(fresh)
    }

    /// Whether `goal` holds where `vars` have values and `guards` hold.
    pub(super) fn prove(&self, vars: &[VarId], guards: &[Guard], goal: &Guard) -> Verdict {
        let facts = bounds::Facts {
            symbols: &self.symbols,
            vars,
            guards,
            requires: &self.requires,
            extents: &self.extents,
        };
        bounds::prove(facts, goal)
    }

    /// Whether every access of the guards of `domain`, and of `value` in it, is in bounds.
    fn in_bounds(&self, value: &Value, domain: &Domain) -> bool {
        let vars = domain.vars.clone();
        let mut look = InBounds { pass: self, vars, guards: Vec::new(), proved: true };
        for guard in &domain.guards {
            look.guard(guard);
            look.guards.push(guard.clone());
        }
        match value {
            Value::Real(e) => look.expr(e),
            Value::Index(i) => look.index(i),
        }
        look.proved
    }

    /// Whether every access of `guard` is in bounds where `vars` have values.
    pub(super) fn guard_in_bounds(&self, guard: &Guard, vars: Vec<VarId>) -> bool {
        let mut look = InBounds { pass: self, vars, guards: Vec::new(), proved: true };
        look.guard(guard);
        look.proved
    }
}

/// The guards that are not linked to the variables `stuck` by variables they share;
/// `None` if one that is linked also restricts a variable of `vars`.
fn others(guards: &[Guard], stuck: &[VarId], vars: &[VarId]) -> Option<Vec<Guard>> {
    let mut linked = stuck.to_vec();
    let mut rest = guards.to_vec();
    loop {
        let meets = |g: &Guard| FreeVars::of_guard(g).iter().any(|v| linked.contains(v));
        let (found, left): (Vec<Guard>, Vec<Guard>) = rest.into_iter().partition(meets);
        rest = left;
        if found.is_empty() {
            return Some(rest);
        }
        linked.extend(found.iter().flat_map(FreeVars::of_guard));
        if linked.iter().any(|v| vars.contains(v)) {
            return None;
        }
    }
}

/// `needed` first, as given; the others in the order of the context.
fn in_order(vars: &[VarId], needed: &[VarId], context: &Context) -> Vec<VarId> {
    let others = context.vars.iter().filter(|v| vars.contains(v) && !needed.contains(v));
    needed.iter().chain(others).copied().collect()
}

/// `a != b` narrowed to one side; anything else as it is.
fn narrow(guard: &Guard, cmp: Cmp) -> Guard {
    if let Guard::Compare(Cmp::Ne, a, b) = guard {
        return Guard::Compare(cmp, a.clone(), b.clone());
    }
    guard.clone()
}

/// A system over atoms, some of which are to go.
#[derive(Default)]
struct Shadow {
    atoms: IndexMap<Atom, Var>,
    gone: Vec<Var>,
    system: System,
}

impl Shadow {
    /// A constraint over the atoms that stay, with positive terms on the left.
    fn guard(&self, constraint: &Constraint) -> Option<Guard> {
        Some(match constraint {
            Constraint::Zero(e) => {
                let (left, right) = self.sides(e)?;
                Guard::Compare(Cmp::Eq, left, right)
            }
            Constraint::NonNegative(e) => {
                let (left, right) = self.sides(e)?;
                Guard::Compare(Cmp::Ge, left, right)
            }
            Constraint::Divides(k, e) => {
                let (left, right) = self.sides(e)?;
                let e = Box::new(left.sub(&right)?);
                let remainder =
                    Index::atom(Atom::Mod(e, i64::try_from(*k).ok().filter(|k| *k > 0)?));
                Guard::Compare(Cmp::Eq, remainder, Index::constant(0))
            }
        })
    }

    fn sides(&self, e: &Linear) -> Option<(Index, Index)> {
        let mut sides = (Index::default(), Index::default());
        for (var, c) in e.terms() {
            let (atom, _) = self.atoms.get_index(var.0 as usize)?;
            let c = i64::try_from(*c).ok()?;
            let term = Index::atom(atom.clone()).scale(c.checked_abs()?)?;
            let side = if c > 0 { &mut sides.0 } else { &mut sides.1 };
            *side = side.add(&term)?;
        }
        let constant = Index::constant(i64::try_from(e.constant_part()).ok()?);
        if constant.constant_part() >= 0 && sides.1 != Index::default() {
            sides.0 = sides.0.add(&constant)?;
        } else {
            sides.1 = sides.1.sub(&constant)?;
        }
        Some(sides)
    }
}

fn compare(cmp: Cmp, a: &Linear, b: &Linear) -> Option<Constraint> {
    match cmp {
        Cmp::Eq => Constraint::equal(a, b),
        Cmp::Lt => Constraint::less(a, b),
        Cmp::Le => Constraint::at_least(b, a),
        Cmp::Gt => Constraint::less(b, a),
        Cmp::Ge => Constraint::at_least(a, b),
        Cmp::Ne => None,
    }
}

/// Looks for accesses that are not proved in bounds.
struct InBounds<'p> {
    pass: &'p Normalize,
    /// The variables in force.
    vars: Vec<VarId>,
    guards: Vec<Guard>,
    proved: bool,
}

impl InBounds<'_> {
    fn entry(&mut self, tensor: TensorId, indices: &[Index]) {
        let shape = &self.pass.symbols.tensor(tensor).shape;
        for (index, extent) in indices.iter().zip(shape) {
            self.proved = self.proved && self.within(index, extent);
        }
    }

    fn within(&self, index: &Index, extent: &Extent) -> bool {
        let plain = index.as_var().is_some_and(|v| self.pass.symbols.var(v).range == *extent);
        plain || {
            let lower = Guard::Compare(Cmp::Ge, index.clone(), Index::constant(0));
            let upper = Guard::Compare(Cmp::Lt, index.clone(), extent.clone());
            self.pass.prove(&self.vars, &self.guards, &lower.and(upper)) == Verdict::Proved
        }
    }

    /// Looks at what is evaluated only where `vars` have values.
    fn bind(&mut self, vars: &[VarId], look: impl FnOnce(&mut Self)) {
        let depth = self.vars.len();
        self.vars.extend_from_slice(vars);
        look(self);
        self.vars.truncate(depth);
    }

    fn under(&mut self, guards: Vec<Guard>, look: impl FnOnce(&mut Self)) {
        let depth = self.guards.len();
        self.guards.extend(guards);
        look(self);
        self.guards.truncate(depth);
    }
}

impl Visit for InBounds<'_> {
    fn index(&mut self, index: &Index) {
        if self.proved {
            walk_index(self, index);
        }
    }

    fn atom(&mut self, atom: &Atom) {
        match atom {
            Atom::Read(tensor, indices) => self.entry(*tensor, indices),
            Atom::If(parts) => {
                self.guard(&parts.0);
                self.under(vec![parts.0.clone()], |look| look.index(&parts.1));
                self.under(vec![parts.0.clone().negate()], |look| look.index(&parts.2));
                return;
            }
            Atom::Arg(arg) => {
                self.bind(&[arg.var], |look| {
                    look.guard(&arg.guard);
                    look.under(vec![arg.guard.clone()], |look| look.expr(&arg.body));
                });
                return;
            }
            Atom::Size(_) | Atom::Var(_) | Atom::Div(..) | Atom::Mod(..) | Atom::Floor(_) => {}
        }
        walk_atom(self, atom);
    }

    fn guard(&mut self, guard: &Guard) {
        let (parts, holds) = match guard {
            Guard::All(ps) => (ps, true),
            Guard::Any(ps) => (ps, false),
            Guard::Member(relation, indices) => {
                let extents = &self.pass.symbols.relation(*relation).extents;
                for (index, extent) in indices.iter().zip(extents) {
                    self.proved = self.proved && self.within(index, extent);
                }
                return walk_guard(self, guard);
            }
            Guard::Compare(..) | Guard::Real(..) | Guard::Not(_) => {
                return walk_guard(self, guard);
            }
        };
        let depth = self.guards.len();
        for part in parts {
            self.guard(part);
            self.guards.push(if holds { part.clone() } else { part.clone().negate() });
        }
        self.guards.truncate(depth);
    }

    fn expr(&mut self, e: &Expr) {
        match e {
            Expr::Access(tensor, indices) => {
                self.entry(*tensor, indices);
                walk_expr(self, e);
            }
            Expr::Guarded(guard, body) => {
                self.guard(guard);
                self.under(vec![guard.clone()], |look| look.expr(body));
            }
            Expr::If(guard, sides) => {
                self.guard(guard);
                self.under(vec![guard.clone()], |look| look.expr(&sides.0));
                self.under(vec![guard.clone().negate()], |look| look.expr(&sides.1));
            }
            Expr::Reduce(reduce) => {
                self.bind(&reduce.binders, |look| {
                    look.guard(&reduce.guard);
                    look.under(vec![reduce.guard.clone()], |look| look.expr(&reduce.body));
                });
            }
            Expr::Let(blocks, body) => {
                self.blocks(blocks);
                self.expr(body);
            }
            Expr::Const(_) | Expr::Pi | Expr::Real(_) | Expr::Apply(..) => walk_expr(self, e),
        }
    }
}

impl InBounds<'_> {
    fn blocks(&mut self, blocks: &[Block<Def>]) {
        for block in blocks {
            let of_block = std::slice::from_ref(block);
            match block {
                Block::Stmt(def) => self.bind(&def.axes, |look| walk_blocks(look, of_block)),
                Block::Rec(rec) => {
                    let vars: Vec<VarId> = rec.vars.iter().map(|(v, _)| *v).collect();
                    self.bind(&vars, |look| look.blocks(&rec.body));
                }
                Block::Requires(clause) => {
                    self.bind(&clause.binders, |look| walk_blocks(look, of_block));
                }
            }
        }
    }
}
