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

use iverson_spec::call::{Bound, entries};
use iverson_spec::ir::{Block, Guard, TensorId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
pub use iverson_spec::work::{Count, Flops};
use iverson_spec::work::{costs, split};
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
