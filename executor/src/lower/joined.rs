//! A search among what another search found, as one search over two variables.
//!
//! The gradient of a maximum over two variables looks for its place in two steps:
//!
//! ```text
//! t[i, a] = argmax(b: m where P) e[i, a, b]
//! s[i] = argmax(a: n where t[i, a] < m and P[b: t[i, a]]) e[i, a, t[i, a]]
//! ```
//!
//! The value of `s` at `a` is the best one that `t` found there. So one nest goes through `a` and `b`, and of `t`
//! the entries `t[i, s[i]]` are kept alone, as `t[i]`: if no others are read, and nothing is checked.

use iverson_spec::ast::Cmp;
use iverson_spec::bounds::{Facts, Verdict, prove};
use iverson_spec::ir::{
    Atom, Block, Element, Guard, Index, Rec, Requires, Symbols, TensorId, VarId,
};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::traverse::{Reads, Rewrite, Substitute, Visit, rebuild_atom, rebuild_index};
use rustc_hash::FxHashMap;

/// A program in which searches are joined.
pub(super) struct Joined {
    /// It reads `t[i]`, and has no statement for `t`.
    pub(super) program: TensorSsa,
    /// By `s`: the statement of `t`.
    pub(super) inner: FxHashMap<TensorId, Stmt>,
}

/// Joins what can be joined at top level; `requires` are the conditions of the program.
pub(super) fn join(program: &TensorSsa, requires: &[Requires]) -> Joined {
    let mut joined = Joined { program: program.clone(), inner: FxHashMap::default() };
    for block in &program.body {
        let Block::Stmt(outer) = block else { continue };
        let Rhs::Arg(_, term) = &outer.rhs else { continue };
        let mut reads = Reads::default();
        reads.expr(&term.body);
        let pair = reads.tensors.iter().find_map(|tensor| {
            let inner = joined.search(*tensor).filter(|inner| {
                let pair = Pair { symbols: &program.symbols, requires, outer, inner };
                pair.is_one()
            })?;
            Some((inner.clone(), joined.kept(outer.tensor, *tensor)?))
        });
        if let Some((inner, kept)) = pair {
            joined = kept;
            joined.program.symbols.tensors[inner.tensor.index()].shape.pop();
            joined.inner.insert(outer.tensor, inner);
        }
    }
    joined
}

impl Joined {
    /// The search that defines a tensor at top level, if it is neither a result nor joined.
    fn search(&self, tensor: TensorId) -> Option<&Stmt> {
        let is_it = |block: &&Block<Stmt>| matches!(block, Block::Stmt(s) if s.tensor == tensor);
        let Some(Block::Stmt(stmt)) = self.program.body.iter().find(is_it) else { return None };
        let own = !self.program.results.contains(&tensor) && !self.inner.contains_key(&tensor);
        (matches!(stmt.rhs, Rhs::Arg(..)) && own).then_some(stmt)
    }

    /// The same without the statement of `inner`, if the others read its entries at the places of `outer` alone.
    fn kept(&self, outer: TensorId, inner: TensorId) -> Option<Self> {
        let mut keep = Keep { outer, inner, guards: Vec::new() };
        let program = TensorSsa { body: keep.blocks(&self.program.body)?, ..self.program.clone() };
        let joined = self
            .inner
            .iter()
            .map(|(of, stmt)| Some((*of, Stmt { rhs: keep.rhs(&stmt.rhs)?, ..stmt.clone() })));
        let joined: Option<_> = joined.collect();
        Some(Self { program, inner: joined? })
    }
}

/// Two searches, one among what the other one found.
struct Pair<'p> {
    symbols: &'p Symbols,
    requires: &'p [Requires],
    outer: &'p Stmt,
    inner: &'p Stmt,
}

impl Pair<'_> {
    /// Whether they are one search over two variables.
    fn is_one(&self) -> bool {
        let (Rhs::Arg(op, outer), Rhs::Arg(same, inner)) = (&self.outer.rhs, &self.inner.rhs)
        else {
            return false;
        };
        let axes: Vec<VarId> = self.outer.axes.iter().copied().chain([outer.binders[0]]).collect();
        let range = |var: &VarId| &self.symbols.var(*var).range;
        let ranges = axes.iter().map(range).eq(self.inner.axes.iter().map(range));
        op == same && ranges && self.in_sort() && self.is_at_found(outer, inner, &axes)
    }

    /// Whether no entry of the inner one needs a check.
    fn in_sort(&self) -> bool {
        let Rhs::Arg(_, term) = &self.inner.rhs else { return false };
        let Element::Index(bound) = &self.symbols.tensor(self.inner.tensor).element else {
            return false;
        };
        let range = &self.symbols.var(term.binders[0]).range;
        let (low, high) = (Index::constant(0), bound.clone());
        self.proved(&[], &[], &Guard::Compare(Cmp::Ge, range.clone(), low))
            && self.proved(&[], &[], &Guard::Compare(Cmp::Lt, range.clone(), high))
    }

    /// Whether the outer one has the values that the inner one found, wherever it found one.
    fn is_at_found(&self, outer: &Term, inner: &Term, axes: &[VarId]) -> bool {
        let entry = axes.iter().map(|axis| Index::var(*axis)).collect();
        let found = Index::atom(Atom::Read(self.inner.tensor, entry));
        let binder = inner.binders[0];
        let mut place = Substitute(|var: VarId| {
            let axis = self.inner.axes.iter().position(|axis| *axis == var);
            let axis = axis.map(|at| Index::var(axes[at]));
            axis.or_else(|| (var == binder).then(|| found.clone()))
        });
        let (Some(body), Some(guard)) = (place.expr(&inner.body), place.guard(&inner.guard)) else {
            return false;
        };
        let some = Guard::Compare(Cmp::Lt, found.clone(), self.symbols.var(binder).range.clone());
        let known = guard.clone().conjuncts();
        let facts = [guard, some.clone()];
        let implied = |part: &Guard| known.contains(part) || self.proved(axes, &facts, part);
        body == outer.body
            && self.proved(axes, std::slice::from_ref(&outer.guard), &some)
            && outer.guard.clone().conjuncts().iter().all(implied)
    }

    fn proved(&self, vars: &[VarId], guards: &[Guard], goal: &Guard) -> bool {
        let Self { symbols, requires, .. } = *self;
        prove(Facts { symbols, vars, guards, requires, extents: &[] }, goal) == Verdict::Proved
    }
}

/// Reads `t[e]` in the place of `t[e, s[e]]`; `None` where another entry is read.
struct Keep {
    /// `s`
    outer: TensorId,
    /// `t`
    inner: TensorId,
    /// What holds.
    guards: Vec<Guard>,
}

impl Keep {
    fn blocks(&mut self, blocks: &[Block<Stmt>]) -> Option<Vec<Block<Stmt>>> {
        let inner = self.inner;
        let others = blocks
            .iter()
            .filter(|block| !matches!(block, Block::Stmt(stmt) if stmt.tensor == inner));
        others.map(|block| self.block(block)).collect()
    }

    fn block(&mut self, block: &Block<Stmt>) -> Option<Block<Stmt>> {
        Some(match block {
            // it is taken from the inner search
            Block::Stmt(stmt) if stmt.tensor == self.outer => block.clone(),
            Block::Stmt(stmt) => Block::Stmt(Stmt { rhs: self.rhs(&stmt.rhs)?, ..stmt.clone() }),
            Block::Rec(rec) => {
                Block::Rec(Rec { vars: rec.vars.clone(), body: self.blocks(&rec.body)? })
            }
            Block::Requires(requires) => {
                let condition =
                    self.under(&Guard::truth(), |this| this.guard(&requires.condition))?;
                Block::Requires(Requires { binders: requires.binders.clone(), condition })
            }
        })
    }

    fn rhs(&mut self, rhs: &Rhs) -> Option<Rhs> {
        Some(match rhs {
            Rhs::Sum(terms) => {
                Rhs::Sum(terms.iter().map(|term| self.term(term)).collect::<Option<_>>()?)
            }
            Rhs::Fold(op, term) => Rhs::Fold(*op, self.term(term)?),
            Rhs::Arg(op, term) => Rhs::Arg(*op, self.term(term)?),
            Rhs::Index(index) => {
                Rhs::Index(self.under(&Guard::truth(), |this| rebuild_index(this, index))?)
            }
        })
    }

    fn term(&mut self, term: &Term) -> Option<Term> {
        let (guard, body) = self
            .under(&term.guard, |this| Some((this.guard(&term.guard)?, this.expr(&term.body)?)))?;
        Some(Term { binders: term.binders.clone(), guard, body })
    }

    fn under<T>(&mut self, guard: &Guard, rewrite: impl FnOnce(&mut Self) -> T) -> T {
        self.guards = guard.clone().conjuncts();
        rewrite(self)
    }

    /// Whether an index is the place that the outer search found for an entry, or an equation says so.
    fn is_place(&self, index: &Index, entry: &[Index]) -> bool {
        let place = Index::atom(Atom::Read(self.outer, entry.to_vec()));
        let Some(apart) = index.sub(&place) else { return false };
        let opposite = apart.scale(-1);
        let same = |guard: &Guard| match guard {
            Guard::Compare(Cmp::Eq, a, b) => {
                let known = a.sub(b);
                known.is_some() && (known.as_ref() == Some(&apart) || known == opposite)
            }
            Guard::Compare(..)
            | Guard::Real(..)
            | Guard::Member(..)
            | Guard::Not(_)
            | Guard::All(_)
            | Guard::Any(_) => false,
        };
        *index == place || self.guards.iter().any(same)
    }
}

impl Rewrite for Keep {
    fn atom(&mut self, atom: &Atom) -> Option<Index> {
        match atom {
            Atom::Read(tensor, indices) if *tensor == self.inner => {
                let (index, entry) = indices.split_last()?;
                let entry = self.is_place(index, entry).then_some(entry)?;
                let entry: Option<_> = entry.iter().map(|e| rebuild_index(self, e)).collect();
                Some(Index::atom(Atom::Read(*tensor, entry?)))
            }
            Atom::Read(..)
            | Atom::Size(_)
            | Atom::Var(_)
            | Atom::Div(..)
            | Atom::Mod(..)
            | Atom::Floor(_)
            | Atom::If(_)
            | Atom::Arg(_) => rebuild_atom(self, atom),
        }
    }
}
