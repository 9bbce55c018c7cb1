//! From text to a program, and on to a derivative that runs: the passes in their order.
//!
//! ```text
//! load             text -> typed programs
//! normalize        typed -> Tensor SSA
//! differentiate    Tensor SSA -> a derivative by `ad`, then simplified
//! ```
//!
//! `ad` never simplifies and `simplify` never differentiates; here alone is the one put
//! after the other.

use crate::derivative::{Derivative, Kind};
use iverson_ad::AdError;
use iverson_simplify::{Trace, simplify, simplify_traced};
use iverson_spec::ast::Module;
use iverson_spec::diagnostic::Diagnostic;
use iverson_spec::ir::Typed;
use iverson_spec::ssa::TensorSsa;
use iverson_spec::verify::assert_valid;
use iverson_spec::{Checked, check, parse};
use thiserror::Error;

/// A text that was parsed and checked.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its syntax.
    pub module: Module,
    /// Its functions, typed, in the order of the text.
    pub checked: Checked,
}

/// Why no function can be chosen.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum NoFunction {
    /// There is none of that name.
    #[error("there is no function `{name}`; the functions are {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The functions there are.
        known: String,
    },
    /// There is none at all.
    #[error("there is no function in the text")]
    None,
}

/// Parses and checks `text`.
///
/// # Errors
/// All diagnostics of the first of the two steps that has any.
pub fn load(text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    let module = parse(text)?;
    let checked = check(&module)?;
    Ok(Loaded { module, checked })
}

/// The derivative of a kind in the inputs `wrt`, simplified.
///
/// # Errors
/// As [`Derivative::new`].
pub fn differentiate(primal: &TensorSsa, kind: Kind, wrt: &[&str]) -> Result<Derivative, AdError> {
    let mut derivative = unsimplified(primal, kind, wrt)?;
    derivative.program = simplify(&derivative.program);
    Ok(derivative)
}

/// As [`differentiate`], with the laws that fired: their texts take longer than all the rest.
///
/// # Errors
/// As [`Derivative::new`].
pub fn differentiate_traced(
    primal: &TensorSsa,
    kind: Kind,
    wrt: &[&str],
) -> Result<(Derivative, Trace), AdError> {
    let mut derivative = unsimplified(primal, kind, wrt)?;
    let (program, trace) = simplify_traced(&derivative.program);
    derivative.program = program;
    Ok((derivative, trace))
}

fn unsimplified(primal: &TensorSsa, kind: Kind, wrt: &[&str]) -> Result<Derivative, AdError> {
    let derivative = Derivative::new(primal, kind, wrt)?;
    if cfg!(debug_assertions) {
        assert_valid(kind.name(), &derivative.program);
    }
    Ok(derivative)
}

impl Loaded {
    /// The function called `name`; without a name the last one of the text,
    /// which is the only one where there is one.
    ///
    /// # Errors
    /// [`NoFunction`] with the names there are.
    pub fn function(&self, name: Option<&str>) -> Result<&Typed, NoFunction> {
        let functions = &self.checked.functions;
        let Some(name) = name else {
            return functions.values().next_back().ok_or(NoFunction::None);
        };
        functions.get(name).ok_or_else(|| {
            let known: Vec<String> = functions.keys().map(|known| format!("`{known}`")).collect();
            match known.is_empty() {
                true => NoFunction::None,
                false => NoFunction::Unknown { name: name.to_owned(), known: known.join(", ") },
            }
        })
    }
}
