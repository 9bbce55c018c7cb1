//! What a point of a term costs, by its text (spec chapter 3, *Work*).
//!
//! The conjuncts of a guard are told apart: those whose points a compiler can
//! **enumerate**, and **tests**, which are made in order at every point enumerated,
//! up to the first that fails. Who counts points tells the [`PointCost`] of their term
//! how often they were [`Tried`].

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

/// How often a term was tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tried {
    /// Points visited.
    pub visited: u64,
    /// What was paid for tests at them, by [`PointCost::paid`].
    pub tests: u64,
    /// Points where the guard held.
    pub held: u64,
}

impl Add for Tried {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            visited: self.visited + other.visited,
            tests: self.tests + other.tests,
            held: self.held + other.held,
        }
    }
}

/// What a term costs at a point, by its text. What a point loads is loaded once,
/// whether tests or bodies read it.
#[derive(Clone, Debug, Default)]
pub struct PointCost {
    /// What is paid when the first test is made, the first two, ..
    tests: Vec<u64>,
    /// Index reads of the guard.
    guard_reads: u64,
    /// At a point where the guard holds, without what the tests have loaded.
    body: Written,
    /// The value so far, where the value of a point is joined to it otherwise than by `+`.
    running: u64,
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

/// What tests read, one after the other.
#[derive(Default)]
struct Tested {
    accesses: FxHashSet<Expr>,
    reads: FxHashSet<Atom>,
    /// Of the test at hand: what it reads, and what of that no test before it has read.
    reading: u64,
    fresh: u64,
}

impl PointCost {
    /// The cost of a point at which these bodies are evaluated where the guard holds.
    #[must_use]
    pub fn of<'e>(guard: &Guard, bodies: impl IntoIterator<Item = &'e Expr>) -> Self {
        let mut tested = Tested::default();
        let mut total = 0;
        let mut tests = Vec::new();
        for test in split(guard).1 {
            total += tested.price(test);
            tests.push(total);
        }
        let mut body = Written { loaded: tested.accesses, ..Written::default() };
        bodies.into_iter().for_each(|e| body.expr(e));
        Self { tests, guard_reads: written(guard).index_reads, body, running: 0 }
    }

    /// What is paid for tests at a point where the first `passed` of them hold and the next
    /// one does not, if there is one: those after it are not made.
    #[must_use]
    pub fn paid(&self, passed: usize) -> u64 {
        self.tests.get(passed).or(self.tests.last()).copied().unwrap_or(0)
    }

    /// What the term costs, given how often it was tried.
    #[must_use]
    pub fn count(&self, tried: Tried) -> Count {
        let Tried { visited, tests, held } = tried;
        let loads = held * self.body.accesses;
        let index_reads = visited * self.guard_reads + held * self.body.index_reads;
        Count {
            points: visited,
            tests,
            accesses: loads + held * self.running,
            index_reads,
            flops: self.body.flops * held,
            entries: 0,
            bytes: 8 * (loads + index_reads),
        }
    }

    /// What the term costs where everything is done at each of so many points.
    #[must_use]
    pub fn everywhere(&self, points: u64) -> Count {
        let tests = points * self.paid(self.tests.len());
        self.count(Tried { visited: points, tests, held: points })
    }
}

/// The cost of a point of each term of a right side, in order.
#[must_use]
pub fn costs(rhs: &Rhs) -> Vec<PointCost> {
    let none = Flops::default();
    match rhs {
        Rhs::Sum(terms) => {
            terms.iter().map(|term| term_cost(term, 0, Flops { add: 1, ..none })).collect()
        }
        Rhs::Fold(Reduction::Prod, term) => vec![term_cost(term, 1, Flops { mul: 1, ..none })],
        Rhs::Fold(_, term) | Rhs::Arg(_, term) => {
            vec![term_cost(term, 1, Flops { function: 1, ..none })]
        }
        Rhs::Index(index) => {
            let mut body = Written::default();
            body.index(index);
            body.accesses += std::mem::take(&mut body.index_reads);
            vec![PointCost { body, ..PointCost::default() }]
        }
    }
}

/// The cost of a point of a term; joining its value takes `step`, and reads the value so
/// far `running` times.
fn term_cost(term: &Term, running: u64, step: Flops) -> PointCost {
    let mut cost = PointCost::of(&term.guard, [&term.body]);
    cost.body.flops = cost.body.flops + step;
    PointCost { running, ..cost }
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

impl Tested {
    /// What a test costs after those before it: what it is the first to read, or 1 if it
    /// reads nothing.
    fn price(&mut self, test: &Guard) -> u64 {
        (self.reading, self.fresh) = (0, 0);
        self.guard(test);
        if self.reading == 0 { 1 } else { self.fresh }
    }

    fn read(&mut self, is_fresh: bool) {
        self.reading += 1;
        self.fresh += u64::from(is_fresh);
    }
}

/// Index maps are charged to their access, as in bodies.
impl Visit for Tested {
    fn atom(&mut self, atom: &Atom) {
        if matches!(atom, Atom::Read(..)) {
            let is_fresh = self.reads.insert(atom.clone());
            self.read(is_fresh);
        }
        walk_atom(self, atom);
    }

    fn expr(&mut self, expr: &Expr) {
        if matches!(expr, Expr::Access(..)) {
            let is_fresh = self.accesses.insert(expr.clone());
            self.read(is_fresh);
        } else {
            walk_expr(self, expr);
        }
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
