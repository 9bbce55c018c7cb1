//! What the laws need to know where they are applied, and the questions they ask.

use crate::trace::Trace;
use iverson_spec::ast::Cmp;
use iverson_spec::bounds::{self, Facts, Verdict};
use iverson_spec::ir::{
    Atom, Block, Expr, Extent, Guard, Index, Param, Requires, Symbols, TensorId, VarId,
};
use iverson_spec::searches;
use iverson_spec::ssa::{Stmt, TensorSsa};
use iverson_spec::traverse::{Rewrite, Substitute};
use iverson_spec::verify::stmts;
pub(crate) use iverson_spec::work::affine as is_affine;
use rustc_hash::FxHashMap;

/// The program around the terms that are being simplified.
pub(crate) struct Context {
    pub(crate) symbols: Symbols,
    requires: Vec<Requires>,
    /// Those, and what searches are known to find. A program's text does not say the latter: bounds of accesses are
    /// not to depend on it.
    found: Vec<Requires>,
    /// The extents of parameters: not negative, checked at the call. Those of definitions
    /// are left out, since a definition may be dropped.
    extents: Vec<Extent>,
    /// By tensor that a recurrence defines: the number of the outermost one.
    recurrences: FxHashMap<TensorId, usize>,
    pub(crate) trace: Trace,
}

/// Where a term stands: the tensor it defines and its axes.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) tensor: TensorId,
    pub(crate) axes: &'a [VarId],
}

impl Context {
    pub(crate) fn new(program: &TensorSsa, trace: Trace) -> Self {
        let symbols = program.symbols.clone();
        let params = program.params.iter().filter_map(|param| match param {
            Param::Tensor(tensor) => Some(*tensor),
            Param::Size(_) | Param::Relation(_) => None,
        });
        let mut extents: Vec<Extent> = Vec::new();
        for extent in params.flat_map(|tensor| &symbols.tensor(tensor).shape) {
            let says_something = extent.terms().len() > 1 || extent.constant_part() < 0;
            if says_something && !extents.contains(extent) {
                extents.push(extent.clone());
            }
        }
        let requires = requires(program);
        let mut found = searches::found(&symbols, &program.body);
        found.extend(requires.iter().cloned());
        let recurrences = recurrences(program);
        Self { symbols, requires, found, extents, recurrences, trace }
    }

    /// Whether one recurrence defines both tensors.
    pub(crate) fn take_steps_together(&self, a: TensorId, b: TensorId) -> bool {
        self.recurrences.get(&a).is_some_and(|of| self.recurrences.get(&b) == Some(of))
    }

    fn facts<'a>(&'a self, guards: &'a [Guard]) -> Facts<'a> {
        let Self { symbols, requires, extents, .. } = self;
        Facts { symbols, vars: &[], guards, requires, extents }
    }

    /// Whether `goal` holds wherever all of `guards` do, for all sizes and data.
    pub(crate) fn implies(&self, guards: &[Guard], goal: &Guard) -> bool {
        bounds::prove(self.facts(guards), goal) == Verdict::Proved
    }

    /// As [`Self::implies`] where these variables have values, by what searches are known to find as well.
    pub(crate) fn implies_of_found(&self, vars: &[VarId], guards: &[Guard], goal: &Guard) -> bool {
        let facts = Facts { vars, requires: &self.found, ..self.facts(guards) };
        bounds::prove(facts, goal) == Verdict::Proved
    }

    /// Whether two guards hold together nowhere.
    pub(crate) fn are_apart(&self, a: &Guard, b: &Guard) -> bool {
        self.contradict(&a.clone().and(b.clone()).conjuncts())
    }

    /// Whether `guards` hold together nowhere.
    pub(crate) fn contradict(&self, guards: &[Guard]) -> bool {
        !bounds::satisfiable(self.facts(guards))
    }
}

fn recurrences(program: &TensorSsa) -> FxHashMap<TensorId, usize> {
    let defined = |(number, block): (usize, &Block<Stmt>)| match block {
        Block::Rec(rec) => stmts(&rec.body).iter().map(|s| (s.tensor, number)).collect(),
        Block::Stmt(_) | Block::Requires(_) => Vec::new(),
    };
    program.body.iter().enumerate().flat_map(defined).collect()
}

fn requires(program: &TensorSsa) -> Vec<Requires> {
    let clause = |block: &Block<_>| match block {
        Block::Requires(clause) => Some(clause.clone()),
        Block::Stmt(_) | Block::Rec(_) => None,
    };
    program.body.iter().filter_map(clause).collect()
}

/// `lower <= index`
pub(crate) fn at_least(index: &Index, lower: i64) -> Guard {
    Guard::Compare(Cmp::Ge, index.clone(), Index::constant(lower))
}

/// `index < upper`
pub(crate) fn below(index: &Index, upper: &Index) -> Guard {
    Guard::Compare(Cmp::Lt, index.clone(), upper.clone())
}

/// Puts `by` in the place of `var`; `None` where a coefficient overflows.
pub(crate) fn replace_in_guard(guard: &Guard, var: VarId, by: &Index) -> Option<Guard> {
    Substitute(|v| (v == var).then(|| by.clone())).guard(guard)
}

/// As [`replace_in_guard`], in a body.
pub(crate) fn replace_in_expr(e: &Expr, var: VarId, by: &Index) -> Option<Expr> {
    Substitute(|v| (v == var).then(|| by.clone())).expr(e)
}

/// Whether only sizes occur, each a plain one.
pub(crate) fn is_of_sizes(index: &Index) -> bool {
    index.terms().iter().all(|(atom, _)| matches!(atom, Atom::Size(_)))
}

/// The variables that stand by themselves, with their coefficients.
pub(crate) fn plain_vars(index: &Index) -> Vec<(VarId, i64)> {
    let plain = |(atom, c): &(Atom, i64)| match atom {
        Atom::Var(v) => Some((*v, *c)),
        Atom::Size(_)
        | Atom::Read(..)
        | Atom::Div(..)
        | Atom::Mod(..)
        | Atom::Floor(_)
        | Atom::If(_)
        | Atom::Arg(_) => None,
    };
    index.terms().iter().filter_map(plain).collect()
}
