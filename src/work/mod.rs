//! The work of a program: exact counts at some sizes, and formulas in the sizes.

mod gradient;
mod samples;

pub use gradient::{GradientWork, Growing, StrategyWork, gradient_work};

use crate::derivative::SeedError;
use crate::polynomial::Formula;
use crate::random::{self, Refusal};
use crate::sizes;
use indexmap::IndexMap;
use iverson_ad::AdError;
use iverson_interpreter::{EvalError, Model, WorkReport, eval_ssa};
use iverson_spec::ast::{self, Cmp};
use iverson_spec::call::{Limits, Value, Values};
use iverson_spec::ir::{Atom, Block, Expr, Guard, Typed, VarId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa};
use iverson_spec::traverse::{self, Visit};
use iverson_spec::{call, normalize, unelaborate};
use iverson_strategies::{Strategy, StrategyError};
use samples::{Counter, Samples};
use std::fmt;
use thiserror::Error;

/// Sizes by name.
pub type Sizes = IndexMap<String, u64>;

/// The work of a program at some sizes, and how it grows.
#[derive(Clone, Debug)]
pub struct Work {
    /// The sizes.
    pub sizes: Sizes,
    /// The counts at these sizes.
    pub report: WorkReport,
    /// The tensor that each statement defines, named as in the printed Tensor SSA.
    pub names: Vec<String>,
    /// How each statement's work grows.
    pub statements: Vec<Growths>,
    /// How the whole program's work grows.
    pub total: Growths,
}

/// How the work grows, in either model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Growths {
    /// To a compiler that enumerates fibres.
    pub sparse: Growth,
    /// To a compiler that tries every point.
    pub dense: Growth,
}

/// How a count grows with the sizes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Growth {
    /// By a formula that agrees with every count made.
    Formula(Formula),
    /// The count depends on the data, not on sizes alone.
    Data,
    /// No formula was found.
    Unknown,
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Formula(formula) => formula.fmt(f),
            Self::Data => f.write_str("not a polynomial in the sizes (depends on the data)"),
            Self::Unknown => f.write_str("not a polynomial in the sizes"),
        }
    }
}

/// Why the work cannot be counted.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum WorkError {
    /// Missing inputs cannot be filled in.
    #[error(transparent)]
    Inputs(#[from] Refusal),
    /// The program has no value for these inputs.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// The program has no derivative.
    #[error(transparent)]
    Derivative(#[from] AdError),
    /// The cotangents do not fit.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// A strategy does not run.
    #[error("strategy `{strategy}`: {error}")]
    Strategy {
        /// Which.
        strategy: Strategy,
        /// Why not.
        error: StrategyError,
    },
}

/// Counts the work of the normal form of `program` for `values`, where missing
/// inputs are filled in at random.
///
/// # Errors
/// [`WorkError`] if the inputs cannot be filled in or the program has no value.
pub fn work(
    program: &Typed,
    values: &Values<f64>,
    seed: u64,
    limits: Limits,
) -> Result<Work, WorkError> {
    let ssa = normalize(program);
    let values = random::fill(program, values, seed, limits)?;
    let (_, report) = eval_ssa(&ssa, &values, limits)?;
    let bound = call::bind(&ssa, &values, limits).map_err(Refusal::Call)?;
    let names = &program.symbols.sizes;
    let sizes = names.iter().cloned().zip(bound.sizes.iter().map(|&n| n as u64)).collect();
    let stmts = statements(&ssa.body);
    let counter = Each { program, ssa: &ssa, limits };
    let mut samples = Samples::new(counter, 2 * stmts.len() + 2, seed);
    let growths = |(k, stmt): (usize, &&Stmt)| Growths {
        sparse: match depends_on_data(stmt) {
            true => Growth::Data,
            false => samples.growth(names, 2 * k),
        },
        dense: samples.growth(names, 2 * k + 1),
    };
    let statements: Vec<Growths> = stmts.iter().enumerate().map(growths).collect();
    let data = statements.iter().any(|growths| growths.sparse == Growth::Data);
    let k = statements.len();
    let sparse = if data { Growth::Data } else { samples.growth(names, 2 * k) };
    let total = Growths { sparse, dense: samples.growth(names, 2 * k + 1) };
    Ok(Work { sizes, report, names: printed_names(&ssa), statements, total })
}

/// The names that the printer gives to the tensors of the statements, in order.
pub(crate) fn printed_names(ssa: &TensorSsa) -> Vec<String> {
    fn collect(statements: &[ast::Stmt], names: &mut Vec<String>) {
        for statement in statements {
            match statement {
                ast::Stmt::Def { targets, .. } => {
                    names.extend(targets.iter().map(|target| target.name.text.clone()));
                }
                ast::Stmt::Rec { body, .. } => collect(body, names),
                ast::Stmt::Requires { .. } => {}
            }
        }
    }
    let mut names = Vec::new();
    for item in unelaborate::module(ssa, Stmt::to_def).items {
        match item {
            ast::Item::Fn(function) if function.name.text == ssa.name => {
                collect(&function.body, &mut names);
            }
            ast::Item::Fn(_) | ast::Item::Const { .. } => {}
        }
    }
    names
}

/// The statements in order, those of recurrences too.
fn statements<'a>(blocks: &'a [Block<Stmt>]) -> Vec<&'a Stmt> {
    let inner = |block: &'a Block<Stmt>| match block {
        Block::Stmt(stmt) => vec![stmt],
        Block::Rec(rec) => statements(&rec.body),
        Block::Requires(_) => Vec::new(),
    };
    blocks.iter().flat_map(inner).collect()
}

/// Counts sparse and dense work of each statement and of the whole.
struct Each<'a> {
    program: &'a Typed,
    ssa: &'a TensorSsa,
    limits: Limits,
}

impl Counter for Each<'_> {
    fn points(&self, sizes: &[u64]) -> Option<u128> {
        box_points(self.ssa, &sizes.iter().copied().map(Some).collect())
    }

    fn counts(&self, sizes: &[u64], seed: u64) -> Option<Vec<u64>> {
        let values = drawn(self.program, sizes, seed, self.limits)?;
        let (_, report) = eval_ssa(self.ssa, &values, self.limits).ok()?;
        let works = report.statements.iter().flat_map(|s| [s.sparse.work(), s.dense.work()]);
        let total = [report.work(Model::Sparse), report.work(Model::Dense)];
        Some(works.chain(total).collect())
    }
}

/// Inputs at these sizes.
fn drawn(program: &Typed, sizes: &[u64], seed: u64, limits: Limits) -> Option<Values<f64>> {
    let names = program.symbols.sizes.iter().cloned();
    let given = names.zip(sizes.iter().map(|n| Value::Size(*n))).collect();
    random::fill(program, &given, seed, limits).ok()
}

/// The points of all boxes of the program.
fn box_points(ssa: &TensorSsa, sizes: &sizes::Sizes) -> Option<u128> {
    let range = |var: &VarId| {
        let extent = sizes::extent(&ssa.symbols.var(*var).range, sizes)?;
        Some(u128::try_from(extent).unwrap_or(0))
    };
    let product =
        |vars: &[VarId]| vars.iter().try_fold(1u128, |all, var| all.checked_mul(range(var)?));
    statements(&ssa.body).iter().try_fold(0u128, |sum, stmt| {
        let terms = match &stmt.rhs {
            Rhs::Sum(terms) => terms.as_slice(),
            Rhs::Fold(_, term) | Rhs::Arg(_, term) => std::slice::from_ref(term),
            Rhs::Index(_) => &[],
        };
        let binders = terms.iter().map(|term| product(&term.binders)).sum::<Option<u128>>()?;
        sum.checked_add(product(&stmt.axes)?.checked_mul(binders.max(1))?)
    })
}

/// Whether a guard of the statement is a test of data, so that its work cannot
/// be told from sizes. An equality with an index map may or may not be one.
fn depends_on_data(stmt: &Stmt) -> bool {
    let mut data = Data { tests: false, reads: false };
    match &stmt.rhs {
        Rhs::Sum(terms) => terms.iter().for_each(|term| data.guard(&term.guard)),
        Rhs::Fold(_, term) | Rhs::Arg(_, term) => data.guard(&term.guard),
        Rhs::Index(_) => {}
    }
    data.tests
}

/// Looks for tests of data in guards.
struct Data {
    tests: bool,
    /// Whether anything was read in the comparison looked at.
    reads: bool,
}

impl Visit for Data {
    fn guard(&mut self, guard: &Guard) {
        match guard {
            Guard::Member(..) => self.tests = true,
            Guard::Compare(Cmp::Eq, ..) => {}
            Guard::Compare(..) | Guard::Real(..) => {
                let outer = std::mem::replace(&mut self.reads, false);
                traverse::walk_guard(self, guard);
                self.tests |= self.reads;
                self.reads = outer;
            }
            Guard::Not(_) | Guard::All(_) | Guard::Any(_) => traverse::walk_guard(self, guard),
        }
    }

    fn atom(&mut self, atom: &Atom) {
        self.reads |= matches!(atom, Atom::Read(..));
        traverse::walk_atom(self, atom);
    }

    fn expr(&mut self, expr: &Expr) {
        self.reads |= matches!(expr, Expr::Access(..));
        traverse::walk_expr(self, expr);
    }
}

#[cfg(test)]
mod tests;
