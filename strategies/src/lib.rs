//! Three ways to get a gradient, side by side (spec chapter 5).
//!
//! | strategy | a read of part of a tensor sends back | runs |
//! | --- | --- | --- |
//! | [`Strategy::Dense`] | a zero tensor of the full shape with that part filled, added whole | [`dense`] |
//! | [`Strategy::Scatter`] | `+=` into the one buffer of the cotangent | [`scatter`] |
//! | [`Strategy::Indicator`] | a sum guarded by an indicator, whose fibres are enumerated | elsewhere: `ad::vjp`, simplified and executed |
//!
//! All three read one table of partial derivatives, that of `ad`; they differ in what
//! becomes of the partials. [`Prepared`] binds a program to the arguments of a call;
//! [`Prepared::run`] computes values and gradients and says what each direction cost.
//! Names are those of `ad::vjp`: the cotangent of a result `y` is the argument `y_ct`,
//! the gradient in a parameter `x` is `x_bar`.
//!
//! Read `scalar.rs` and `code/` for what both run, then `scatter/` or `dense/`.

mod code;
mod cost;
mod data;
pub mod dense;
mod price;
mod scalar;
pub mod scatter;

pub use cost::{Cost, Expense};
pub use scalar::Scalar;

use code::Unsupported;
use iverson_ad::AdError;
use iverson_spec::TensorSsa;
use iverson_spec::call::{CallError, Limits, Values};
use std::fmt;
use thiserror::Error;

/// How a reverse-mode derivative is built; the rows of every results table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Strategy {
    /// A tape of operations on whole tensors; a read of part of one sends back a zero
    /// tensor with that part filled: the naive baseline.
    Dense,
    /// Cotangents accumulated in place, in reverse program order: the fast baseline,
    /// sequential and not functional.
    Scatter,
    /// Reads transposed to guarded sums, then simplified: the method.
    Indicator,
}

impl Strategy {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 3] = [Self::Dense, Self::Scatter, Self::Indicator];

    /// The name in tables and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Scatter => "scatter",
            Self::Indicator => "indicator",
        }
    }

    /// The strategy of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strategy| strategy.name() == name)
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why there is no gradient.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum StrategyError {
    /// The program has no derivative.
    #[error(transparent)]
    Derivative(#[from] AdError),
    /// The arguments are not as declared.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The data are not what a `requires` demands.
    #[error("`requires` number {clause} does not hold of the arguments")]
    Violated {
        /// Which of the program's `requires`, from 1.
        clause: usize,
    },
    /// An index definition leaves its sort.
    #[error("an entry of `{tensor}` is {found}, wanted an index in 0..{bound}")]
    IndexOutOfRange {
        /// The tensor being defined.
        tensor: String,
        /// The value, or `without a value`.
        found: String,
        /// The bound of its sort.
        bound: i64,
    },
    /// A user's function that is more than an expression.
    #[error("`{function}` holds {what}, which this strategy does not run; define it outside")]
    Unsupported {
        /// The function.
        function: String,
        /// What it holds.
        what: &'static str,
    },
    /// The strategy is a rewriting of the program.
    #[error("`indicator` is run by an executor: differentiate with `ad::vjp`, simplify, execute")]
    NotARunTime,
}

impl From<Unsupported> for StrategyError {
    fn from(Unsupported { function, what }: Unsupported) -> Self {
        Self::Unsupported { function, what }
    }
}

/// What a run gives.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome<S> {
    /// The results of the program by name.
    pub values: Values<S>,
    /// The gradients by name: `x_bar` for each `x` asked for.
    pub gradient: Values<S>,
    /// What the values cost.
    pub primal: Cost,
    /// What the gradients cost besides.
    pub reverse: Cost,
    /// The most bytes of tensors that were alive at once, those of the arguments included.
    pub peak_bytes: u64,
}

impl<S> Outcome<S> {
    /// What values and gradients cost together.
    #[must_use]
    pub fn total(&self) -> Cost {
        self.primal + self.reverse
    }
}

/// A program bound to the arguments of a call, compiled for a strategy.
#[derive(Clone, Debug)]
pub enum Prepared<S> {
    /// See [`dense`].
    Dense(Box<dense::Dense<S>>),
    /// See [`scatter`].
    Scatter(Box<scatter::Scatter<S>>),
}

impl<S: Scalar> Prepared<S> {
    /// Binds and compiles. `inputs` has the arguments of the program and the
    /// cotangents of its real results; a cotangent that is not given is 0.
    ///
    /// # Errors
    /// [`StrategyError`]; [`StrategyError::NotARunTime`] for [`Strategy::Indicator`].
    pub fn new(
        strategy: Strategy,
        program: &TensorSsa,
        wrt: &[&str],
        inputs: &Values<S>,
        limits: Limits,
    ) -> Result<Self, StrategyError> {
        match strategy {
            Strategy::Dense => {
                dense::Dense::new(program, wrt, inputs, limits).map(|d| Self::Dense(Box::new(d)))
            }
            Strategy::Scatter => scatter::Scatter::new(program, wrt, inputs, limits)
                .map(|s| Self::Scatter(Box::new(s))),
            Strategy::Indicator => Err(StrategyError::NotARunTime),
        }
    }

    /// Values and gradients.
    ///
    /// # Errors
    /// [`StrategyError::Violated`] and [`StrategyError::IndexOutOfRange`], which
    /// depend on the data.
    pub fn run(&mut self) -> Result<Outcome<S>, StrategyError> {
        match self {
            Self::Dense(dense) => dense.run(),
            Self::Scatter(scatter) => scatter.run(),
        }
    }

    /// The same, without giving them: what a benchmark times.
    ///
    /// # Errors
    /// As [`Prepared::run`].
    pub fn compute(&mut self) -> Result<Expense, StrategyError> {
        match self {
            Self::Dense(dense) => {
                let Outcome { primal, reverse, peak_bytes, .. } =
                    std::hint::black_box(dense.run()?);
                Ok(Expense { primal, reverse, peak_bytes })
            }
            Self::Scatter(scatter) => scatter.compute(),
        }
    }
}

/// Values and gradients of one call.
///
/// # Errors
/// As [`Prepared::new`] and [`Prepared::run`].
pub fn gradient<S: Scalar>(
    strategy: Strategy,
    program: &TensorSsa,
    wrt: &[&str],
    inputs: &Values<S>,
) -> Result<Outcome<S>, StrategyError> {
    Prepared::new(strategy, program, wrt, inputs, Limits::default())?.run()
}
