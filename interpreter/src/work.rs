//! What a Tensor SSA program costs, counted exactly (spec chapter 3, *Work*).
//!
//! The evaluation counts, for each term, the points of the **box** (its axes and
//! binders), the points **visited** by an enumeration of the enumerable conjuncts
//! of its guard, the tests made at them, in order up to the first that fails, and the
//! points where the guard **held**. All else follows from the text of the term:
//!
//! ```text
//! sparse: points = visited   tests = those made            accesses = held · accesses of a point
//! dense:  points = box       tests = box · all of a point  accesses = box · accesses of a point
//! work = points + tests + accesses
//! ```

use iverson_spec::call::{Bound, entries};
use iverson_spec::ir::{Block, Guard, TensorId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
pub use iverson_spec::work::{Count, Flops};
use iverson_spec::work::{PointCost, Tried, costs, split};
use std::fmt;

/// Who pays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Model {
    /// A compiler that enumerates fibres.
    Sparse,
    /// A compiler that tries every point of the box.
    Dense,
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
    tests: Vec<&'p Guard>,
    cost: PointCost,
    boxed: u64,
    tried: Tried,
}

impl<'p> Tally<'p> {
    /// Zeros for every term of the program.
    pub(crate) fn new(program: &'p TensorSsa) -> Self {
        let mut statements = Vec::new();
        statements.resize_with(program.symbols.tensors.len(), Vec::new);
        for stmt in in_order(&program.body) {
            let terms: &'p [Term] = match &stmt.rhs {
                Rhs::Sum(terms) => terms,
                Rhs::Fold(_, term) | Rhs::Arg(_, term) => std::slice::from_ref(term),
                Rhs::Index(_) => &[],
            };
            let tally = |(which, cost)| TermTally::new(terms.get(which), cost);
            statements[stmt.tensor.index()] =
                costs(&stmt.rhs).into_iter().enumerate().map(tally).collect();
        }
        Self { statements }
    }

    /// Counts a point that an enumeration visits, where so many tests hold before one
    /// that does not.
    pub(crate) fn visit(&mut self, tensor: TensorId, term: usize, passed: usize) {
        let tally = &mut self.statements[tensor.index()][term];
        tally.boxed += 1;
        tally.tried.visited += 1;
        tally.tried.tests += tally.cost.paid(passed);
    }

    /// Counts a point that it does not visit.
    pub(crate) fn skip(&mut self, tensor: TensorId, term: usize) {
        self.statements[tensor.index()][term].boxed += 1;
    }

    /// Counts a point where the guard holds.
    pub(crate) fn hit(&mut self, tensor: TensorId, term: usize) {
        let tests = self.statements[tensor.index()][term].tests.len();
        self.visit(tensor, term, tests);
        self.statements[tensor.index()][term].tried.held += 1;
    }

    /// Whether some conjunct of the guard is a test.
    pub(crate) fn has_tests(&self, tensor: TensorId, term: usize) -> bool {
        !self.statements[tensor.index()][term].tests.is_empty()
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

    /// The conjuncts of the guard that are tests, by place.
    pub(crate) fn test(&self, tensor: TensorId, term: usize, place: usize) -> Option<&'p Guard> {
        self.statements[tensor.index()][term].tests.get(place).copied()
    }
}

impl<'p> TermTally<'p> {
    /// Zeros for a term, or for an index definition, which has none.
    fn new(term: Option<&'p Term>, cost: PointCost) -> Self {
        let (enumerable, tests) = term.map(|term| split(&term.guard)).unwrap_or_default();
        Self { enumerable, tests, cost, ..Self::default() }
    }
}

/// The report of what was counted.
pub(crate) fn report(program: &TensorSsa, tally: &Tally<'_>, bound: &Bound) -> WorkReport {
    let statements = in_order(&program.body).into_iter().map(|stmt| {
        let shape = bound.shapes[stmt.tensor.index()].as_deref().and_then(entries);
        let written = shape.unwrap_or(0) as u64;
        let tallies = &tally.statements[stmt.tensor.index()];
        let count = |of_term: &dyn Fn(&TermTally<'_>) -> Count| {
            let terms = tallies.iter().map(of_term).sum::<Count>();
            Count { entries: written, bytes: terms.bytes + 8 * written, ..terms }
        };
        StatementWork {
            tensor: program.symbols.tensor(stmt.tensor).name.clone(),
            sparse: count(&|tally| tally.cost.count(tally.tried)),
            dense: count(&|tally| tally.cost.everywhere(tally.boxed)),
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
