//! What a point of a term costs, by its text (spec chapter 3, *Work*).
//!
//! The conjuncts of a guard are told apart: those whose points a compiler can
//! **enumerate**, and **tests**, which are paid at every point enumerated. Who
//! counts points multiplies them by the [`PointCost`] of their term.

use crate::ast::{Cmp, Reduction};
use crate::function::Fun;
use crate::ir::{Atom, Expr, Guard, Index, VarId};
use crate::number::Number;
use crate::ssa::{Rhs, Term};
use crate::traverse::{FreeVars, Visit, walk_atom, walk_expr};
use rustc_hash::FxHashSet;
use std::iter::Sum;
use std::ops::{Add, Mul};

/// Floating-point operations by kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flops {
    /// Additions, the steps of sums included.
    pub add: u64,
    /// Multiplications, the steps of `prod` included; none by the constant -1.
    pub mul: u64,
    /// Divisions.
    pub div: u64,
    /// Powers.
    pub power: u64,
    /// Other functions, the steps of `max`, `min`, `argmax`, `argmin` included.
    pub function: u64,
}

/// What a statement or a program costs in one model.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Count {
    /// Points visited.
    pub points: u64,
    /// Tests of guards.
    pub tests: u64,
    /// Accesses to tensors by bodies.
    pub accesses: u64,
    /// Reads of index tensors by guards and by the bodies of real statements.
    pub index_reads: u64,
    /// Floating-point operations.
    pub flops: Flops,
    /// Entries defined.
    pub entries: u64,
    /// Bytes read and written, 8 for each access, index read and entry.
    pub bytes: u64,
}

impl Count {
    /// Points, tests and accesses.
    #[must_use]
    pub fn work(self) -> u64 {
        self.points + self.tests + self.accesses
    }
}

impl Flops {
    /// Operations of every kind.
    #[must_use]
    pub fn total(self) -> u64 {
        self.add + self.mul + self.div + self.power + self.function
    }
}

impl Add for Flops {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            add: self.add + other.add,
            mul: self.mul + other.mul,
            div: self.div + other.div,
            power: self.power + other.power,
            function: self.function + other.function,
        }
    }
}

impl Mul<u64> for Flops {
    type Output = Self;
    fn mul(self, times: u64) -> Self {
        Self {
            add: self.add * times,
            mul: self.mul * times,
            div: self.div * times,
            power: self.power * times,
            function: self.function * times,
        }
    }
}

impl Sum for Flops {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

impl Add for Count {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            points: self.points + other.points,
            tests: self.tests + other.tests,
            accesses: self.accesses + other.accesses,
            index_reads: self.index_reads + other.index_reads,
            flops: self.flops + other.flops,
            entries: self.entries + other.entries,
            bytes: self.bytes + other.bytes,
        }
    }
}

impl Sum for Count {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

/// What a term costs at a point, by its text.
#[derive(Clone, Debug, Default)]
pub struct PointCost {
    /// At a visited point: tests, and index reads of the guard.
    tests: u64,
    guard_reads: u64,
    /// At a point where the guard holds.
    body: Written,
}

/// What stands in a text: accesses to real tensors, reads of index tensors, operations.
#[derive(Clone, Debug, Default)]
struct Written {
    /// Equal accesses are one: the entry is loaded once.
    loaded: FxHashSet<Expr>,
    accesses: u64,
    index_reads: u64,
    flops: Flops,
}

impl PointCost {
    /// The cost of a point at which these bodies are evaluated where the guard holds.
    /// Equal accesses of all of them are loaded once.
    #[must_use]
    pub fn of<'e>(guard: &Guard, bodies: impl IntoIterator<Item = &'e Expr>) -> Self {
        let test = |conjunct| {
            let Written { accesses, index_reads, .. } = written(conjunct);
            (accesses + index_reads).max(1)
        };
        let tests = split(guard).1.into_iter().map(test).sum();
        let mut body = Written::default();
        bodies.into_iter().for_each(|e| body.expr(e));
        Self { tests, guard_reads: written(guard).index_reads, body }
    }

    /// What the term costs, given at how many points it was tried and its guard held.
    #[must_use]
    pub fn count(&self, (visited, held): (u64, u64)) -> Count {
        let accesses = held * self.body.accesses;
        let index_reads = visited * self.guard_reads + held * self.body.index_reads;
        Count {
            points: visited,
            tests: visited * self.tests,
            accesses,
            index_reads,
            flops: self.body.flops * held,
            entries: 0,
            bytes: 8 * (accesses + index_reads),
        }
    }
}

/// The cost of a point of each term of a right side, in order.
#[must_use]
pub fn costs(rhs: &Rhs) -> Vec<PointCost> {
    let none = Flops::default();
    match rhs {
        Rhs::Sum(terms) => {
            terms.iter().map(|term| term_cost(term, Flops { add: 1, ..none })).collect()
        }
        Rhs::Fold(Reduction::Prod, term) => vec![term_cost(term, Flops { mul: 1, ..none })],
        Rhs::Fold(_, term) | Rhs::Arg(_, term) => {
            vec![term_cost(term, Flops { function: 1, ..none })]
        }
        Rhs::Index(index) => {
            let mut body = Written::default();
            body.index(index);
            body.accesses += std::mem::take(&mut body.index_reads);
            vec![PointCost { body, ..PointCost::default() }]
        }
    }
}

/// The cost of a point of a term; `step` is what adding its value takes.
fn term_cost(term: &Term, step: Flops) -> PointCost {
    let mut cost = PointCost::of(&term.guard, [&term.body]);
    cost.body.flops = cost.body.flops + step;
    cost
}

/// What stands in a guard.
fn written(guard: &Guard) -> Written {
    let mut written = Written::default();
    written.guard(guard);
    written
}

impl Visit for Written {
    fn atom(&mut self, atom: &Atom) {
        self.index_reads += u64::from(matches!(atom, Atom::Read(..)));
        walk_atom(self, atom);
    }

    fn expr(&mut self, expr: &Expr) {
        if matches!(expr, Expr::Access(..)) && self.loaded.insert(expr.clone()) {
            self.accesses += 1;
        }
        if let Expr::Apply(fun, args) = expr {
            self.flops = self.flops + operations(*fun, args);
        }
        walk_expr(self, expr);
    }
}

/// The operations of one function; `-x` and a factor -1 are none.
fn operations(fun: Fun, args: &[Expr]) -> Flops {
    let minus_one = |arg: &&Expr| matches!(arg, Expr::Const(c) if *c == Number::integer(-1));
    let joins = args.len() as u64 - 1;
    let free = args.iter().filter(minus_one).count() as u64;
    let named = !matches!(fun, Fun::Neg | Fun::Add | Fun::Mul | Fun::Div | Fun::Pow);
    Flops {
        add: if fun == Fun::Add { joins } else { 0 },
        mul: if fun == Fun::Mul { joins.saturating_sub(free) } else { 0 },
        div: u64::from(fun == Fun::Div),
        power: u64::from(fun == Fun::Pow),
        function: u64::from(named),
    }
}

/// The top-level conjuncts of a guard: the enumerable ones, and the tests.
#[must_use]
pub fn split(guard: &Guard) -> (Vec<&Guard>, Vec<&Guard>) {
    let conjuncts = match guard {
        Guard::All(all) => all.iter().collect(),
        Guard::Compare(..)
        | Guard::Real(..)
        | Guard::Member(..)
        | Guard::Not(_)
        | Guard::Any(_) => vec![guard],
    };
    conjuncts.into_iter().partition(|conjunct| enumerable(conjunct, true))
}

/// Whether the points of a guard (or of its negation, if not `positive`) can be
/// enumerated: all its atoms are affine comparisons, equations of indices, or
/// memberships.
#[must_use]
pub fn enumerable(guard: &Guard, positive: bool) -> bool {
    match guard {
        Guard::Compare(cmp, a, b) => {
            let cmp = if positive { *cmp } else { cmp.negate() };
            let sides = [a, b];
            sides.iter().all(|side| affine(side))
                || sides.iter().all(|side| readable(side)) && (cmp == Cmp::Eq || bounds(cmp, a, b))
        }
        Guard::Real(..) => false,
        Guard::Member(_, indices) => positive && indices.iter().all(readable),
        Guard::Not(inner) => enumerable(inner, !positive),
        Guard::All(parts) | Guard::Any(parts) => parts.iter().all(|p| enumerable(p, positive)),
    }
}

/// Whether only variables and sizes occur, and quotients and remainders of such.
#[must_use]
pub fn affine(index: &Index) -> bool {
    index.terms().iter().all(|(atom, _)| match atom {
        Atom::Size(_) | Atom::Var(_) => true,
        Atom::Div(inner, _) | Atom::Mod(inner, _) => affine(inner),
        Atom::Read(..) | Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => false,
    })
}

/// Whether a comparison with data bounds a variable that the data do not depend
/// on, so that its values form a segment: `start[i] <= e`.
fn bounds(cmp: Cmp, a: &Index, b: &Index) -> bool {
    let Some(difference) = a.sub(b) else { return false };
    let inside: Vec<VarId> = difference
        .terms()
        .iter()
        .filter(|(atom, _)| !matches!(atom, Atom::Var(_)))
        .flat_map(|(atom, _)| FreeVars::of_index(&Index::atom(atom.clone())))
        .collect();
    let bounded = |(atom, c): &(Atom, i64)| {
        c.abs() == 1 && matches!(atom, Atom::Var(v) if !inside.contains(v))
    };
    cmp != Cmp::Ne && difference.terms().iter().any(bounded)
}

/// As [`affine`], with reads of index tensors and reals rounded down.
fn readable(index: &Index) -> bool {
    index.terms().iter().all(|(atom, _)| match atom {
        Atom::Size(_) | Atom::Var(_) => true,
        Atom::Div(inner, _) | Atom::Mod(inner, _) => readable(inner),
        Atom::Read(_, indices) => indices.iter().all(readable),
        Atom::Floor(_) => true,
        Atom::If(_) | Atom::Arg(_) => false,
    })
}
