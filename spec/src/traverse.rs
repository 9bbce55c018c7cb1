//! Walking and rebuilding index expressions, guards and expressions.
//!
//! [`Visit`] looks at every node, outermost first; [`Rewrite`] rebuilds them,
//! innermost first. An implementation overrides the nodes it cares about and
//! calls the `walk_*` or `rebuild_*` function for the rest.

use crate::ir::{
    ArgReduce, Atom, Block, Def, Expr, Guard, Index, Rec, Reduce, Requires, TensorId, Value, VarId,
};

/// Looks at every node of an expression.
pub trait Visit {
    /// At an index expression.
    fn index(&mut self, index: &Index) {
        walk_index(self, index);
    }
    /// At an atom of an index expression.
    fn atom(&mut self, atom: &Atom) {
        walk_atom(self, atom);
    }
    /// At a guard.
    fn guard(&mut self, guard: &Guard) {
        walk_guard(self, guard);
    }
    /// At a real expression.
    fn expr(&mut self, expr: &Expr) {
        walk_expr(self, expr);
    }
    /// At a definition of a `let`.
    fn def(&mut self, def: &Def) {
        walk_def(self, def);
    }
}

/// Visits the atoms of an index expression.
pub fn walk_index<V: Visit + ?Sized>(v: &mut V, index: &Index) {
    for (atom, _) in index.terms() {
        v.atom(atom);
    }
}

/// Visits the parts of an atom.
pub fn walk_atom<V: Visit + ?Sized>(v: &mut V, atom: &Atom) {
    match atom {
        Atom::Size(_) | Atom::Var(_) => {}
        Atom::Read(_, indices) => indices.iter().for_each(|i| v.index(i)),
        Atom::Div(e, _) | Atom::Mod(e, _) => v.index(e),
        Atom::Floor(e) => v.expr(e),
        Atom::If(parts) => {
            v.guard(&parts.0);
            v.index(&parts.1);
            v.index(&parts.2);
        }
        Atom::Arg(arg) => {
            v.guard(&arg.guard);
            v.expr(&arg.body);
        }
    }
}

/// Visits the parts of a guard.
pub fn walk_guard<V: Visit + ?Sized>(v: &mut V, guard: &Guard) {
    match guard {
        Guard::Compare(_, a, b) => {
            v.index(a);
            v.index(b);
        }
        Guard::Real(_, sides) => {
            v.expr(&sides.0);
            v.expr(&sides.1);
        }
        Guard::Member(_, indices) => indices.iter().for_each(|i| v.index(i)),
        Guard::Not(p) => v.guard(p),
        Guard::All(ps) | Guard::Any(ps) => ps.iter().for_each(|p| v.guard(p)),
    }
}

/// Visits the parts of a real expression.
pub fn walk_expr<V: Visit + ?Sized>(v: &mut V, expr: &Expr) {
    match expr {
        Expr::Const(_) | Expr::Pi => {}
        Expr::Real(index) => v.index(index),
        Expr::Access(_, indices) => indices.iter().for_each(|i| v.index(i)),
        Expr::Apply(_, args) => args.iter().for_each(|e| v.expr(e)),
        Expr::Guarded(guard, body) => {
            v.guard(guard);
            v.expr(body);
        }
        Expr::If(guard, sides) => {
            v.guard(guard);
            v.expr(&sides.0);
            v.expr(&sides.1);
        }
        Expr::Reduce(reduce) => {
            v.guard(&reduce.guard);
            v.expr(&reduce.body);
        }
        Expr::Let(blocks, body) => {
            walk_blocks(v, blocks);
            v.expr(body);
        }
    }
}

/// Visits the right side of a definition.
pub fn walk_def<V: Visit + ?Sized>(v: &mut V, def: &Def) {
    match &def.value {
        Value::Real(e) => v.expr(e),
        Value::Index(i) => v.index(i),
    }
}

/// Visits the definitions and conditions of blocks, in order.
pub fn walk_blocks<V: Visit + ?Sized>(v: &mut V, blocks: &[Block<Def>]) {
    for block in blocks {
        match block {
            Block::Stmt(def) => v.def(def),
            Block::Rec(rec) => walk_blocks(v, &rec.body),
            Block::Requires(requires) => v.guard(&requires.condition),
        }
    }
}

/// Rebuilds expressions.
pub trait Rewrite {
    /// What an atom becomes. `None` where a coefficient overflows.
    fn atom(&mut self, atom: &Atom) -> Option<Index> {
        rebuild_atom(self, atom)
    }
    /// What a real expression becomes.
    fn expr(&mut self, expr: &Expr) -> Option<Expr> {
        rebuild_expr(self, expr)
    }
    /// What a guard becomes.
    fn guard(&mut self, guard: &Guard) -> Option<Guard> {
        rebuild_guard(self, guard)
    }
}

/// Rebuilds an index expression from its atoms.
pub fn rebuild_index<R: Rewrite + ?Sized>(r: &mut R, index: &Index) -> Option<Index> {
    let mut sum = Index::constant(index.constant_part());
    let mut plain = Vec::new();
    for (atom, coefficient) in index.terms() {
        match r.atom(atom)? {
            same if same.terms() == [(atom.clone(), 1)] && same.constant_part() == 0 => {
                plain.push((atom.clone(), *coefficient));
            }
            other => sum = sum.add(&other.scale(*coefficient)?)?,
        }
    }
    sum.add(&Index::collect(plain, 0)?)
}

fn rebuild_indices<R: Rewrite + ?Sized>(r: &mut R, indices: &[Index]) -> Option<Vec<Index>> {
    indices.iter().map(|i| rebuild_index(r, i)).collect()
}

/// Rebuilds an atom from its parts.
pub fn rebuild_atom<R: Rewrite + ?Sized>(r: &mut R, atom: &Atom) -> Option<Index> {
    Some(Index::atom(match atom {
        Atom::Size(_) | Atom::Var(_) => atom.clone(),
        Atom::Read(tensor, indices) => Atom::Read(*tensor, rebuild_indices(r, indices)?),
        Atom::Div(e, k) => Atom::Div(Box::new(rebuild_index(r, e)?), *k),
        Atom::Mod(e, k) => Atom::Mod(Box::new(rebuild_index(r, e)?), *k),
        Atom::Floor(e) => Atom::Floor(Box::new(r.expr(e)?)),
        Atom::If(parts) => {
            let guard = r.guard(&parts.0)?;
            let then = rebuild_index(r, &parts.1)?;
            Atom::If(Box::new((guard, then, rebuild_index(r, &parts.2)?)))
        }
        Atom::Arg(arg) => Atom::Arg(Box::new(ArgReduce {
            op: arg.op,
            var: arg.var,
            guard: r.guard(&arg.guard)?,
            body: r.expr(&arg.body)?,
        })),
    }))
}

/// Rebuilds a guard from its parts.
pub fn rebuild_guard<R: Rewrite + ?Sized>(r: &mut R, guard: &Guard) -> Option<Guard> {
    Some(match guard {
        Guard::Compare(cmp, a, b) => {
            Guard::Compare(*cmp, rebuild_index(r, a)?, rebuild_index(r, b)?)
        }
        Guard::Real(cmp, sides) => {
            Guard::Real(*cmp, Box::new((r.expr(&sides.0)?, r.expr(&sides.1)?)))
        }
        Guard::Member(relation, indices) => Guard::Member(*relation, rebuild_indices(r, indices)?),
        Guard::Not(p) => Guard::Not(Box::new(r.guard(p)?)),
        Guard::All(ps) => Guard::All(ps.iter().map(|p| r.guard(p)).collect::<Option<_>>()?),
        Guard::Any(ps) => Guard::Any(ps.iter().map(|p| r.guard(p)).collect::<Option<_>>()?),
    })
}

/// Rebuilds a real expression from its parts.
pub fn rebuild_expr<R: Rewrite + ?Sized>(r: &mut R, expr: &Expr) -> Option<Expr> {
    Some(match expr {
        Expr::Const(_) | Expr::Pi => expr.clone(),
        Expr::Real(index) => Expr::Real(rebuild_index(r, index)?),
        Expr::Access(tensor, indices) => Expr::Access(*tensor, rebuild_indices(r, indices)?),
        Expr::Apply(fun, args) => {
            Expr::Apply(*fun, args.iter().map(|e| r.expr(e)).collect::<Option<_>>()?)
        }
        Expr::Guarded(guard, body) => Expr::Guarded(r.guard(guard)?, Box::new(r.expr(body)?)),
        Expr::If(guard, sides) => {
            Expr::If(r.guard(guard)?, Box::new((r.expr(&sides.0)?, r.expr(&sides.1)?)))
        }
        Expr::Reduce(reduce) => Expr::Reduce(Box::new(Reduce {
            op: reduce.op,
            binders: reduce.binders.clone(),
            guard: r.guard(&reduce.guard)?,
            body: r.expr(&reduce.body)?,
        })),
        Expr::Let(blocks, body) => Expr::Let(rebuild_blocks(r, blocks)?, Box::new(r.expr(body)?)),
    })
}

/// Rebuilds the right sides of blocks.
pub fn rebuild_blocks<R: Rewrite + ?Sized>(
    r: &mut R,
    blocks: &[Block<Def>],
) -> Option<Vec<Block<Def>>> {
    let rebuild = |block: &Block<Def>| {
        Some(match block {
            Block::Stmt(def) => Block::Stmt(Def {
                tensor: def.tensor,
                axes: def.axes.clone(),
                value: match &def.value {
                    Value::Real(e) => Value::Real(r.expr(e)?),
                    Value::Index(i) => Value::Index(rebuild_index(r, i)?),
                },
            }),
            Block::Rec(rec) => {
                Block::Rec(Rec { vars: rec.vars.clone(), body: rebuild_blocks(r, &rec.body)? })
            }
            Block::Requires(requires) => Block::Requires(Requires {
                binders: requires.binders.clone(),
                condition: r.guard(&requires.condition)?,
            }),
        })
    };
    blocks.iter().map(rebuild).collect()
}

/// Replaces variables by index expressions. Ids are unique, so nothing is captured.
pub struct Substitute<F: Fn(VarId) -> Option<Index>>(pub F);

impl<F: Fn(VarId) -> Option<Index>> Rewrite for Substitute<F> {
    fn atom(&mut self, atom: &Atom) -> Option<Index> {
        match atom {
            Atom::Var(var) => Some((self.0)(*var).unwrap_or_else(|| Index::var(*var))),
            Atom::Size(_)
            | Atom::Read(..)
            | Atom::Div(..)
            | Atom::Mod(..)
            | Atom::Floor(_)
            | Atom::If(_)
            | Atom::Arg(_) => rebuild_atom(self, atom),
        }
    }
}

/// The variables that occur free: neither bound inside nor by a `let`.
#[derive(Default, Debug)]
pub struct FreeVars {
    bound: Vec<VarId>,
    /// In order of first occurrence.
    pub found: Vec<VarId>,
}

impl FreeVars {
    /// Of an expression.
    #[must_use]
    pub fn of_expr(expr: &Expr) -> Vec<VarId> {
        let mut free = Self::default();
        free.expr(expr);
        free.found
    }

    /// Of a guard.
    #[must_use]
    pub fn of_guard(guard: &Guard) -> Vec<VarId> {
        let mut free = Self::default();
        free.guard(guard);
        free.found
    }

    /// Of an index expression.
    #[must_use]
    pub fn of_index(index: &Index) -> Vec<VarId> {
        let mut free = Self::default();
        free.index(index);
        free.found
    }

    fn within(&mut self, vars: &[VarId], walk: impl FnOnce(&mut Self)) {
        let depth = self.bound.len();
        self.bound.extend(vars);
        walk(self);
        self.bound.truncate(depth);
    }

    /// Of blocks whose variables the blocks themselves bind.
    pub fn blocks(&mut self, blocks: &[Block<Def>]) {
        for block in blocks {
            match block {
                Block::Stmt(def) => self.within(&def.axes, |free| walk_def(free, def)),
                Block::Rec(rec) => {
                    let vars: Vec<VarId> = rec.vars.iter().map(|(v, _)| *v).collect();
                    self.within(&vars, |free| free.blocks(&rec.body));
                }
                Block::Requires(requires) => {
                    self.within(&requires.binders, |free| free.guard(&requires.condition));
                }
            }
        }
    }
}

impl Visit for FreeVars {
    fn atom(&mut self, atom: &Atom) {
        match atom {
            Atom::Var(v) if !self.bound.contains(v) && !self.found.contains(v) => {
                self.found.push(*v);
            }
            Atom::Arg(arg) => self.within(&[arg.var], |free| walk_atom(free, atom)),
            Atom::Size(_)
            | Atom::Var(_)
            | Atom::Read(..)
            | Atom::Div(..)
            | Atom::Mod(..)
            | Atom::Floor(_)
            | Atom::If(_) => walk_atom(self, atom),
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Reduce(reduce) => {
                self.within(&reduce.binders, |free| walk_expr(free, expr));
            }
            Expr::Let(blocks, body) => {
                self.blocks(blocks);
                self.expr(body);
            }
            Expr::Const(_)
            | Expr::Pi
            | Expr::Real(_)
            | Expr::Access(..)
            | Expr::Apply(..)
            | Expr::Guarded(..)
            | Expr::If(..) => walk_expr(self, expr),
        }
    }
}

/// The tensors read, index tensors included, in order of occurrence with repeats.
#[derive(Default, Debug)]
pub struct Reads {
    /// Real accesses, then and among them index reads, as met.
    pub tensors: Vec<TensorId>,
}

impl Visit for Reads {
    fn atom(&mut self, atom: &Atom) {
        if let Atom::Read(tensor, _) = atom {
            self.tensors.push(*tensor);
        }
        walk_atom(self, atom);
    }
    fn expr(&mut self, expr: &Expr) {
        if let Expr::Access(tensor, _) = expr {
            self.tensors.push(*tensor);
        }
        walk_expr(self, expr);
    }
}
