//! The equalities of one term, solved for its binders and its axes.
//!
//! A binder that an equality determines is not summed; an axis that one determines is
//! not free. What is left free is the domain of the term, and the axes are a map from
//! it. In `[a = b]` the difference `a - b` is `c·v + r`, with `r` free of `v`: so
//! `v = -r / c`, where `c` divides `r` and the value is in the range of `v`. Data may
//! occur in `r` where they are read in bounds without a guard.

use iverson_spec::ast::Cmp;
use iverson_spec::bounds::{Facts, Verdict, prove};
use iverson_spec::ir::{Atom, Expr, Extent, Guard, Index, Requires, Symbols, VarId};
use iverson_spec::ssa::Term;
use iverson_spec::traverse::{FreeVars, Reads, Rewrite, Substitute, Visit, rebuild_index};

/// What is known at the top level of the program.
pub(crate) struct Known {
    pub(crate) requires: Vec<Requires>,
    /// Extents that are not negative.
    pub(crate) extents: Vec<Extent>,
}

impl Known {
    /// Whether `goal` holds for all sizes, variables in their ranges, and data.
    pub(crate) fn proves(&self, symbols: &Symbols, goal: &Guard) -> bool {
        self.implies(symbols, &[], goal)
    }

    fn implies(&self, symbols: &Symbols, guards: &[Guard], goal: &Guard) -> bool {
        let Self { requires, extents } = self;
        let facts = Facts { symbols, vars: &[], guards, requires, extents };
        prove(facts, goal) == Verdict::Proved
    }

    /// Whether every access of `e` is proved in bounds under the guards.
    fn in_bounds(&self, symbols: &Symbols, guards: &[Guard], e: &Expr) -> bool {
        match e {
            Expr::Access(tensor, indices) => {
                let shape = &symbols.tensor(*tensor).shape;
                indices.iter().zip(shape).all(|(at, extent)| {
                    let lower = Guard::Compare(Cmp::Ge, at.clone(), Index::constant(0));
                    let upper = Guard::Compare(Cmp::Lt, at.clone(), extent.clone());
                    self.implies(symbols, guards, &lower) && self.implies(symbols, guards, &upper)
                })
            }
            Expr::Apply(_, args) => args.iter().all(|arg| self.in_bounds(symbols, guards, arg)),
            Expr::Const(_)
            | Expr::Pi
            | Expr::Real(_)
            | Expr::Guarded(..)
            | Expr::If(..)
            | Expr::Reduce(_)
            | Expr::Let(..) => true,
        }
    }
}

/// A term, and where its points stand.
#[derive(Clone)]
pub(crate) struct Placed {
    /// The binders left.
    pub(crate) binders: Vec<VarId>,
    /// The ranges of the variables solved for, evaluated before the rest.
    front: Vec<Guard>,
    conjuncts: Vec<Guard>,
    /// Ranges of variables solved for that hold wherever the others are in range.
    implied: Vec<Guard>,
    pub(crate) body: Expr,
    /// For each axis its index: itself where nothing determines it.
    pub(crate) map: Vec<Index>,
}

/// Which variables are solved for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknowns {
    Binders,
    Axes,
}

impl Placed {
    pub(crate) fn new(term: &Term, axes: &[VarId]) -> Self {
        Self {
            binders: term.binders.clone(),
            front: Vec::new(),
            implied: Vec::new(),
            conjuncts: term.guard.clone().conjuncts(),
            body: term.body.clone(),
            map: axes.iter().map(|v| Index::var(*v)).collect(),
        }
    }

    /// The guard left: first what reads no data, which needs no protection, then the ranges
    /// of variables solved for. A range that holds anyway is left out, unless an access of the
    /// body is not proved in bounds without it (where it alone says that the others have
    /// values).
    pub(crate) fn guard(&self, known: &Known, symbols: &Symbols) -> Guard {
        let mut all: Vec<Guard> = Vec::new();
        let (plain, data): (Vec<_>, Vec<_>) =
            self.front.iter().chain(&self.conjuncts).partition(|conjunct| is_plain(conjunct));
        for conjunct in plain.into_iter().chain(data) {
            if !all.contains(conjunct) {
                all.push(conjunct.clone());
            }
        }
        if !self.implied.is_empty() && !known.in_bounds(symbols, &all, &self.body) {
            let more = self.implied.iter().filter(|range| !all.contains(range)).cloned();
            let more: Vec<Guard> = more.collect();
            all.splice(0..0, more);
        }
        Guard::all(all)
    }

    /// The free variables of the map, in order.
    pub(crate) fn free(&self) -> Vec<VarId> {
        let mut free: Vec<VarId> = Vec::new();
        for v in self.map.iter().flat_map(FreeVars::of_index) {
            if !free.contains(&v) {
                free.push(v);
            }
        }
        free
    }

    /// Solves for binders.
    pub(crate) fn solve_binders(&mut self, known: &Known, symbols: &Symbols) {
        while self.step(Unknowns::Binders, known, symbols).is_some() {}
    }

    /// Solves for axes, the last ones first.
    pub(crate) fn solve_axes(&mut self, known: &Known, symbols: &Symbols) {
        while self.step(Unknowns::Axes, known, symbols).is_some() {}
    }

    /// Solves one equality for one variable.
    fn step(&mut self, unknowns: Unknowns, known: &Known, symbols: &Symbols) -> Option<()> {
        self.conjuncts.retain(|conjunct| !is_identity(conjunct));
        let candidates: Vec<VarId> = match unknowns {
            Unknowns::Binders => self.binders.clone(),
            Unknowns::Axes => self.map.iter().rev().filter_map(Index::as_var).collect(),
        };
        for (at, conjunct) in self.conjuncts.iter().enumerate() {
            let Some(difference) = equation(conjunct) else { continue };
            for is_unit in [true, false] {
                for v in &candidates {
                    let Some((value, divides)) = value_of(*v, &difference, is_unit) else {
                        continue;
                    };
                    if is_safe(&value, known, symbols) {
                        return self.replace(at, *v, &value, divides, known, symbols);
                    }
                }
            }
        }
        None
    }

    fn replace(
        &mut self,
        at: usize,
        v: VarId,
        value: &Index,
        divides: Option<Guard>,
        known: &Known,
        symbols: &Symbols,
    ) -> Option<()> {
        let by = |var: VarId| (var == v).then(|| value.clone());
        let mut next = self.clone();
        next.conjuncts.remove(at);
        let guards = next.front.iter_mut().chain(&mut next.implied).chain(&mut next.conjuncts);
        for guard in guards {
            *guard = Substitute(by).guard(guard)?;
        }
        next.body = Substitute(by).expr(&next.body)?;
        for index in &mut next.map {
            *index = rebuild_index(&mut Substitute(by), index)?;
        }
        next.binders.retain(|b| *b != v);
        let range = [
            Guard::Compare(Cmp::Ge, value.clone(), Index::constant(0)),
            Guard::Compare(Cmp::Lt, value.clone(), symbols.var(v).range.clone()),
        ];
        let (held, open): (Vec<_>, Vec<_>) =
            range.into_iter().partition(|goal| known.proves(symbols, goal));
        next.implied.extend(held);
        next.front.extend(divides.into_iter().chain(open));
        *self = next;
        Some(())
    }
}

/// `a - b` for `a = b`, in lowest terms.
fn equation(conjunct: &Guard) -> Option<Index> {
    let Guard::Compare(Cmp::Eq, a, b) = conjunct else { return None };
    let difference = a.sub(b)?;
    let divisor =
        difference.terms().iter().fold(difference.constant_part(), |g, (_, c)| gcd(g, *c));
    if divisor <= 1 {
        return Some(difference);
    }
    let terms = difference.terms().iter().map(|(atom, c)| (atom.clone(), c / divisor));
    Index::collect(terms, difference.constant_part() / divisor)
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.checked_abs().unwrap_or(1) } else { gcd(b, a % b) }
}

fn is_identity(conjunct: &Guard) -> bool {
    match conjunct {
        Guard::Compare(Cmp::Eq, a, b) => a == b,
        Guard::Compare(..)
        | Guard::Real(..)
        | Guard::Member(..)
        | Guard::Not(_)
        | Guard::All(_)
        | Guard::Any(_) => false,
    }
}

/// The value of `v` where `difference` is 0, and where there is one.
fn value_of(v: VarId, difference: &Index, is_unit: bool) -> Option<(Index, Option<Guard>)> {
    let (_, c) = difference.terms().iter().find(|(atom, _)| *atom == Atom::Var(v))?;
    let rest = difference.sub(&Index::var(v).scale(*c)?)?;
    if FreeVars::of_index(&rest).contains(&v) || is_unit != (c.checked_abs()? == 1) {
        return None;
    }
    let rest = rest.scale(-c.signum())?;
    if is_unit {
        return Some((rest, None));
    }
    let k = c.checked_abs()?;
    if let Some(n) = rest.as_constant() {
        return (n % k == 0).then(|| (Index::constant(n / k), None));
    }
    let remainder = Index::atom(Atom::Mod(Box::new(rest.clone()), k));
    let divides = Guard::Compare(Cmp::Eq, remainder, Index::constant(0));
    Some((Index::atom(Atom::Div(Box::new(rest), k)), Some(divides)))
}

/// Whether the index can be evaluated anywhere: its data are read in bounds.
pub(crate) fn is_safe(index: &Index, known: &Known, symbols: &Symbols) -> bool {
    index.terms().iter().all(|(atom, _)| match atom {
        Atom::Size(_) | Atom::Var(_) => true,
        Atom::Div(e, _) | Atom::Mod(e, _) => is_safe(e, known, symbols),
        Atom::Read(tensor, indices) => {
            let shape = &symbols.tensor(*tensor).shape;
            indices.iter().zip(shape).all(|(at, extent)| {
                let lower = Guard::Compare(Cmp::Ge, at.clone(), Index::constant(0));
                let upper = Guard::Compare(Cmp::Lt, at.clone(), extent.clone());
                is_safe(at, known, symbols)
                    && known.proves(symbols, &lower)
                    && known.proves(symbols, &upper)
            })
        }
        Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => false,
    })
}

/// Whether a proposition reads no data.
fn is_plain(guard: &Guard) -> bool {
    let mut reads = Reads::default();
    reads.guard(guard);
    reads.tensors.is_empty()
}

/// Whether an index reads data.
pub(crate) fn reads_data(index: &Index) -> bool {
    index.terms().iter().any(|(atom, _)| match atom {
        Atom::Size(_) | Atom::Var(_) => false,
        Atom::Div(e, _) | Atom::Mod(e, _) => reads_data(e),
        Atom::Read(..) | Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => true,
    })
}
