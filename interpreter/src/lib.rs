//! The meaning of programs, by direct evaluation (spec chapter 3).
//!
//! [`eval`] is the denotation of typed programs, [`eval_ssa`] that of Tensor
//! SSA, over any [`Scalar`]; [`work()`] counts what a program costs. They are the
//! oracle that every compiler is compared with, so nothing here is clever: each
//! construct is evaluated as the chapter says, point by point, in one thread.
//!
//! Read `scalar/` for the numbers, then `machine.rs` for the meaning of
//! expressions and blocks, then `work.rs` for the counts.

mod error;
mod machine;
pub mod scalar;
pub mod work;

pub use error::{EvalError, Fault, Place};
pub use scalar::{Dual, Interval, Rational, Scalar, ScalarError};
pub use work::{Count, Flops, Model, StatementWork, WorkReport};

use iverson_spec::call::{Limits, Values};
use iverson_spec::ir::Typed;
use iverson_spec::ssa::TensorSsa;
use machine::Machine;

/// The results of a typed program, by name in order.
///
/// * **Arithmetic**: that of `S`; sums and products run left to right in the
///   lexicographic order of their binders, so results are reproducible bit for bit.
/// * **Cost**: every point of every range is visited; nothing is shared or skipped.
///
/// # Errors
/// [`EvalError`] says which entry has no value, and why.
pub fn eval<S: Scalar>(
    program: &Typed,
    inputs: &Values<S>,
    limits: Limits,
) -> Result<Values<S>, EvalError> {
    let mut machine = Machine::new(program, inputs, limits)?;
    machine.blocks(&program.body, 0)?;
    machine.results(&program.results)
}

/// The results of a Tensor SSA program, and the work they took.
///
/// Arithmetic and cost are those of [`eval`]. Each term of a statement is summed
/// on its own, from its first point; the terms are added left to right.
///
/// # Errors
/// [`EvalError`] says which entry has no value, and why.
pub fn eval_ssa<S: Scalar>(
    program: &TensorSsa,
    inputs: &Values<S>,
    limits: Limits,
) -> Result<(Values<S>, WorkReport), EvalError> {
    let mut machine = Machine::new(program, inputs, limits)?;
    machine.tally = work::Tally::new(program);
    machine.blocks(&program.body, 0)?;
    let report = work::report(program, &machine.tally, &machine.bound);
    Ok((machine.results(&program.results)?, report))
}

/// The work of a Tensor SSA program over `f64`.
///
/// # Errors
/// As [`eval_ssa`]: guards depend on data, so the program is evaluated.
pub fn work(program: &TensorSsa, inputs: &Values<f64>) -> Result<WorkReport, EvalError> {
    eval_ssa(program, inputs, Limits::default()).map(|(_, report)| report)
}
