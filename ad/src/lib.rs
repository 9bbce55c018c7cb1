//! Derivatives of Tensor SSA, as Tensor SSA (spec chapter 5).
//!
//! * [`jvp`] pushes tangents forward: `ẋ ↦ J·ẋ`.
//! * [`vjp`] pulls cotangents back: `ȳ ↦ Jᵀ·ȳ`.
//! * [`jacobian`] and [`hessian`] are these at every unit seed `[i = k]`.
//! * [`hvp`] is `H·ẋ`, and [`jtjv`] is `Jᵀ·J·ẋ`, without forming a matrix.
//! * [`inactive`] names the inputs in which every derivative is zero.
//!
//! All are programs of the same language. Reverse mode needs one rule. For a
//! term `y[i] = Σ_j [P(i, j)] e(i, j)` and an access `a[α(i, j)]` in its body,
//!
//! ```text
//! ā[k] += Σ_{i,j} [P(i, j)] [k = α(i, j)] · ∂e/∂a[α] · ȳ[i]
//! ```
//!
//! It follows from `⟨ȳ, J·ẋ⟩ = ⟨Jᵀ·ȳ, ẋ⟩`: the left side is a sum over the points
//! of the term, and the indicator only names the entry of `ā` that each point
//! belongs to. A gather, a slice, a broadcast, a diagonal, a convolution are no
//! cases of their own.
//!
//! This crate never simplifies; guards and index expressions are constants.

mod fold;
mod forward;
mod linearize;
mod matrix;
mod partials;
mod program;
mod reverse;
mod seed;
mod user;
mod uses;

pub use forward::jvp;
pub use linearize::{Linearized, linearize};
pub use matrix::{Mode, hessian, hvp, jacobian, jtjv, mode};
pub use partials::Case;
pub use program::inactive;
pub use reverse::vjp;
pub use uses::Use;

use thiserror::Error;

/// Why a program has no derivative.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AdError {
    /// A function without a known derivative is applied to an active value.
    #[error(
        "`{function}` has no derivative here: `{tensor}` applies it to a value that depends on the inputs; give one with a `derivative` clause"
    )]
    NoDerivative {
        /// The function.
        function: String,
        /// The tensor whose definition applies it.
        tensor: String,
    },
    /// An input that cannot be differentiated in.
    #[error("`{name}` {reason}; name real parameters of the program")]
    NotAnInput {
        /// What was named.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A second derivative of a program without real results.
    #[error("the program has no real result; a second derivative is that of the first one")]
    NoRealResult,
    /// A second derivative of a result that is no scalar.
    #[error(
        "the first real result `{name}` has {rank} {axes}, and a second derivative is that of a scalar; return a scalar first, such as a sum of `{name}`",
        axes = if *rank == 1 { "axis" } else { "axes" }
    )]
    NotScalar {
        /// The result.
        name: String,
        /// How many axes it has.
        rank: usize,
    },
    /// An input that is named twice.
    #[error("`{name}` is named twice; name each parameter once")]
    NamedTwice {
        /// What was named.
        name: String,
    },
}

impl AdError {
    /// Names the tensor whose definition is at fault.
    fn within(self, name: &str) -> Self {
        match self {
            Self::NoDerivative { function, .. } => {
                Self::NoDerivative { function, tensor: name.to_owned() }
            }
            other @ (Self::NotAnInput { .. }
            | Self::NoRealResult
            | Self::NotScalar { .. }
            | Self::NamedTwice { .. }) => other,
        }
    }
}
