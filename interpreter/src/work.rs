//! What a Tensor SSA program costs, counted exactly (spec chapter 3, *Work*).
//!
//! The evaluation counts, for each term, the points of the **box** (its axes and
//! binders), the points **visited** by an enumeration of the enumerable conjuncts
//! of its guard, and the points where the guard **held**. All else follows from
//! the text of the term:
//!
//! ```text
//! sparse: points = visited   tests = visited · tests of a point   accesses = held · accesses of the body
//! dense:  points = box       tests = box · tests of a point       accesses = box · accesses of the body
//! work = points + tests + accesses
//! ```

use iverson_spec::ast::{Cmp, Reduction};
use iverson_spec::call::{Bound, entries};
use iverson_spec::function::Fun;
use iverson_spec::ir::{Atom, Block, Expr, Guard, Index, TensorId, VarId};
use iverson_spec::number::Number;
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::traverse::{FreeVars, Visit, walk_atom, walk_expr};
use rustc_hash::FxHashSet;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Mul};

/// Who pays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Model {
    /// A compiler that enumerates fibres.
    Sparse,
    /// A compiler that tries every point of the box.
    Dense,
}

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

/// What one statement costs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatementWork {
    /// The name of the tensor it defines.
    pub tensor: String,
    /// To a compiler that enumerates fibres.
    pub sparse: Count,
    /// To a compiler that tries every point.
    pub dense: Count,
}

/// What a program costs, statement by statement.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WorkReport {
    /// The statements in order.
    pub statements: Vec<StatementWork>,
}

impl WorkReport {
    /// The whole program.
    #[must_use]
    pub fn total(&self, model: Model) -> Count {
        self.statements.iter().map(|statement| statement.count(model)).sum()
    }

    /// The measure of the cost theorems.
    #[must_use]
    pub fn work(&self, model: Model) -> u64 {
        self.total(model).work()
    }
}

impl StatementWork {
    /// The count in a model.
    #[must_use]
    pub fn count(&self, model: Model) -> Count {
        match model {
            Model::Sparse => self.sparse,
            Model::Dense => self.dense,
        }
    }
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

impl fmt::Display for WorkReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![HEADINGS.map(str::to_owned)];
        for statement in &self.statements {
            rows.push(row(&statement.tensor, statement.sparse, statement.dense));
        }
        rows.push(row("total", self.total(Model::Sparse), self.total(Model::Dense)));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..HEADINGS.len()).filter_map(width).collect();
        for row in &rows {
            let name = format!("{:<width$}", row[0], width = widths[0]);
            let cells = row.iter().zip(&widths).skip(1);
            let cells: String = cells.map(|(cell, width)| format!("  {cell:>width$}")).collect();
            writeln!(f, "{name}{cells}")?;
        }
        Ok(())
    }
}

const HEADINGS: [&str; 9] =
    ["tensor", "entries", "points", "tests", "accesses", "work", "flops", "bytes", "dense work"];

fn row(name: &str, sparse: Count, dense: Count) -> [String; 9] {
    let Count { points, tests, accesses, flops, entries, bytes, .. } = sparse;
    let (work, flops) = (sparse.work(), flops.total());
    let cells = [entries, points, tests, accesses, work, flops, bytes, dense.work()];
    let [a, b, c, d, e, f, g, h] = cells.map(|cell| cell.to_string());
    [name.to_owned(), a, b, c, d, e, f, g, h]
}

/// The points counted of every term, by tensor and term.
#[derive(Default)]
pub(crate) struct Tally<'p> {
    statements: Vec<Vec<TermTally<'p>>>,
}

#[derive(Default)]
struct TermTally<'p> {
    enumerable: Vec<&'p Guard>,
    has_tests: bool,
    boxed: u64,
    visited: u64,
    held: u64,
}

impl<'p> Tally<'p> {
    /// Zeros for every term of the program.
    pub(crate) fn new(program: &'p TensorSsa) -> Self {
        let mut statements = Vec::new();
        statements.resize_with(program.symbols.tensors.len(), Vec::new);
        for stmt in in_order(&program.body) {
            statements[stmt.tensor.index()] = match &stmt.rhs {
                Rhs::Sum(terms) => terms.iter().map(TermTally::new).collect(),
                Rhs::Fold(_, term) | Rhs::Arg(_, term) => vec![TermTally::new(term)],
                Rhs::Index(_) => vec![TermTally::default()],
            };
        }
        Self { statements }
    }

    /// Counts a point that an enumeration visits.
    pub(crate) fn visit(&mut self, tensor: TensorId, term: usize) {
        let tally = &mut self.statements[tensor.index()][term];
        tally.boxed += 1;
        tally.visited += 1;
    }

    /// Counts a point that it does not visit.
    pub(crate) fn skip(&mut self, tensor: TensorId, term: usize) {
        self.statements[tensor.index()][term].boxed += 1;
    }

    /// Counts a point where the guard holds.
    pub(crate) fn hit(&mut self, tensor: TensorId, term: usize) {
        self.statements[tensor.index()][term].held += 1;
    }

    /// Whether some conjunct of the guard is a test.
    pub(crate) fn has_tests(&self, tensor: TensorId, term: usize) -> bool {
        self.statements[tensor.index()][term].has_tests
    }

    /// The conjuncts of the guard that are enumerable, by place.
    pub(crate) fn enumerable(
        &self,
        tensor: TensorId,
        term: usize,
        place: usize,
    ) -> Option<&'p Guard> {
        self.statements[tensor.index()][term].enumerable.get(place).copied()
    }
}

impl<'p> TermTally<'p> {
    fn new(term: &'p Term) -> Self {
        let (enumerable, tests) = split(&term.guard);
        Self { enumerable, has_tests: !tests.is_empty(), ..Self::default() }
    }
}

/// The report of what was counted.
pub(crate) fn report(program: &TensorSsa, tally: &Tally<'_>, bound: &Bound) -> WorkReport {
    let statements = in_order(&program.body).into_iter().map(|stmt| {
        let shape = bound.shapes[stmt.tensor.index()].as_deref().and_then(entries);
        let written = shape.unwrap_or(0) as u64;
        let costs = costs(&stmt.rhs);
        let tallies = &tally.statements[stmt.tensor.index()];
        let count = |points: &dyn Fn(&TermTally<'_>) -> (u64, u64)| {
            let terms = costs.iter().zip(tallies);
            let terms = terms.map(|(cost, tally)| cost.count(points(tally))).sum::<Count>();
            Count { entries: written, bytes: terms.bytes + 8 * written, ..terms }
        };
        StatementWork {
            tensor: program.symbols.tensor(stmt.tensor).name.clone(),
            sparse: count(&|tally| (tally.visited, tally.held)),
            dense: count(&|tally| (tally.boxed, tally.boxed)),
        }
    });
    WorkReport { statements: statements.collect() }
}

/// The statements of the blocks in order.
fn in_order<'p>(blocks: &'p [Block<Stmt>]) -> Vec<&'p Stmt> {
    let inner = |block: &'p Block<Stmt>| match block {
        Block::Stmt(stmt) => vec![stmt],
        Block::Rec(rec) => in_order(&rec.body),
        Block::Requires(_) => Vec::new(),
    };
    blocks.iter().flat_map(inner).collect()
}

/// What a term costs at a point, by its text.
#[derive(Default)]
struct PointCost {
    /// At a visited point: tests, and index reads of the guard.
    tests: u64,
    guard_reads: u64,
    /// At a point where the guard holds.
    body: Written,
}

/// What stands in a text: accesses to real tensors, reads of index tensors, operations.
#[derive(Default)]
struct Written {
    /// Equal accesses are one: the entry is loaded once.
    loaded: FxHashSet<Expr>,
    accesses: u64,
    index_reads: u64,
    flops: Flops,
}

impl PointCost {
    fn count(&self, (visited, held): (u64, u64)) -> Count {
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

/// The cost of a point of each term.
fn costs(rhs: &Rhs) -> Vec<PointCost> {
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
    let written = |guard: &Guard| {
        let mut written = Written::default();
        written.guard(guard);
        written
    };
    let test = |conjunct| {
        let Written { accesses, index_reads, .. } = written(conjunct);
        (accesses + index_reads).max(1)
    };
    let tests = split(&term.guard).1.into_iter().map(test).sum();
    let mut body = Written { flops: step, ..Written::default() };
    body.expr(&term.body);
    PointCost { tests, guard_reads: written(&term.guard).index_reads, body }
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
fn split(guard: &Guard) -> (Vec<&Guard>, Vec<&Guard>) {
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
fn enumerable(guard: &Guard, positive: bool) -> bool {
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
fn affine(index: &Index) -> bool {
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
