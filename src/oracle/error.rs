//! Why no verdict can be given.

use crate::derivative::SeedError;
use crate::input::Place;
use crate::random::Refusal;
use iverson_ad::AdError;
use iverson_interpreter::EvalError;
use thiserror::Error;

/// Why no verdict can be given: the question is wrong, not the answer.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum OracleError {
    /// The program has no derivative.
    #[error(transparent)]
    Derivative(#[from] AdError),
    /// The cotangents, tangents or inputs are not as declared.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// Missing inputs cannot be filled in.
    #[error(transparent)]
    Inputs(#[from] Refusal),
    /// The program has no value at the inputs, whatever the scalars are.
    #[error("the program has no value here: {0}")]
    Eval(#[from] EvalError),
    /// NaN or an infinity among the inputs, cotangents or tangents.
    #[error("{place} is {found:?}, but the oracle wants finite numbers")]
    NotFinite {
        /// Where.
        place: Place,
        /// What was found.
        found: f64,
    },
    /// The function judged did not answer.
    #[error("the function judged failed: {message}")]
    Failed {
        /// What it said.
        message: String,
    },
    /// The function judged gave no tensor for a name.
    #[error("the function judged gave nothing for `{name}`; it gave {found}")]
    NoAnswer {
        /// The name.
        name: String,
        /// The names that it gave.
        found: String,
    },
    /// The function judged gave a tensor of another shape.
    #[error("the function judged gave shape {found:?} for `{name}`, but it has shape {wanted:?}")]
    AnswerShape {
        /// The name.
        name: String,
        /// The shape given.
        found: Vec<usize>,
        /// The shape of what is asked.
        wanted: Vec<usize>,
    },
}
