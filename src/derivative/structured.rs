//! Answers that are zero by structure, as values and where they stand.
//!
//! ```
//! use iverson::derivative::{Derivative, Shaped};
//! use iverson::derivative::Kind;
//! use iverson::pipeline::{differentiate, load};
//! use iverson::spec::call::{Limits, Value, Values};
//! use iverson::spec::normalize;
//!
//! let text = "fn square(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = x[i]^2 }";
//! let loaded = load(text).unwrap();
//! let program = normalize(loaded.function(None).unwrap());
//! let jacobian = differentiate(&program, Kind::Jacobian, &["x"]).unwrap();
//!
//! let inputs = Values::from_iter([("x".to_owned(), Value::vector(vec![3.0, 5.0]))]);
//! let (_value, answers) = jacobian.structured().evaluate(&inputs, Limits::default()).unwrap();
//! let Shaped::Sparse { form, entries } = &answers[0] else { panic!("a diagonal") };
//! assert_eq!(*form, "diagonal");
//! assert_eq!(entries.positions, [[0, 0], [1, 1]]);
//! assert_eq!(entries.values, [6.0, 10.0]);
//! ```

use super::Derivative;
use iverson_interpreter::{EvalError, Scalar, eval_ssa};
use iverson_spec::call::{CallError, Limits, Value, Values, bind};
use iverson_spec::function::Fun;
use iverson_spec::ssa::TensorSsa;
use iverson_structured::{Coo, Kind, Missing, Structure, split};

/// A derivative whose answers are taken apart into values and where they stand.
#[derive(Clone, Debug)]
pub struct Structured {
    /// The program that computes the values.
    pub program: TensorSsa,
    /// The results of the primal by name.
    primal: Vec<String>,
    structures: Vec<Structure>,
}

/// An answer, dense or by its entries.
#[derive(Clone, PartialEq, Debug)]
pub enum Shaped<S> {
    /// Nothing is left out.
    Dense(Value<S>),
    /// What is not zero by structure.
    Sparse {
        /// The form of the positions: `diagonal`, `band`, `row-sparse`, `block` or
        /// `coordinates`.
        form: &'static str,
        /// The entries, sorted by position.
        entries: Coo<S>,
    },
}

impl Derivative {
    /// The derivative with its answers taken apart, where that leaves out entries.
    #[must_use]
    pub fn structured(&self) -> Structured {
        let (kept, answers) = self.program.results.split_at(self.primal.results.len());
        let (program, structures) = split(&self.program, answers);
        let name = |t| self.program.symbols.tensor(t).name.clone();
        Structured { program, primal: kept.iter().map(|t| name(*t)).collect(), structures }
    }
}

impl Structured {
    /// The results of the primal, and the answers in the order of
    /// [`Derivative::answers`].
    ///
    /// * **Cost**: that of [`eval_ssa`], and linear in the values.
    ///
    /// # Errors
    /// [`EvalError`], if the arguments are not as declared or an entry has no value.
    pub fn evaluate<S: Scalar>(
        &self,
        arguments: &Values<S>,
        limits: Limits,
    ) -> Result<(Values<S>, Vec<Shaped<S>>), EvalError> {
        let (results, _) = eval_ssa(&self.program, arguments, limits)?;
        let answers = self.answers(arguments, &results)?;
        let own = |name: &String| Some((name.clone(), results.get(name)?.clone()));
        Ok((self.primal.iter().filter_map(own).collect(), answers))
    }

    /// The answers in the order of [`Derivative::answers`], from the results of the
    /// program, by whomever it was run.
    ///
    /// # Errors
    /// [`CallError`], if the arguments are not as declared.
    pub fn answers<S: Scalar>(
        &self,
        arguments: &Values<S>,
        results: &Values<S>,
    ) -> Result<Vec<Shaped<S>>, CallError> {
        let sizes = bind(&self.program, arguments, Limits { bytes: u64::MAX })?.sizes;
        let shaped = |structure: &Structure| {
            shaped(structure, &sizes, results).unwrap_or_else(|missing| {
                unreachable!("the values are the results of the program that was split: {missing}")
            })
        };
        Ok(self.structures.iter().map(shaped).collect())
    }
}

fn shaped<S: Scalar>(
    structure: &Structure,
    sizes: &[i64],
    values: &Values<S>,
) -> Result<Shaped<S>, Missing> {
    let add = |a: &S, b: &S| {
        S::binary(Fun::Add, a, b).unwrap_or_else(|_| unreachable!("a sum always has a value"))
    };
    Ok(match form(structure) {
        None => Shaped::Dense(Value::Real(structure.dense(sizes, values, &S::integer(0), add)?)),
        Some(form) => Shaped::Sparse { form, entries: structure.coo(sizes, values, add)? },
    })
}

/// The form that all parts have; `None` if one leaves nothing out.
fn form(structure: &Structure) -> Option<&'static str> {
    let kinds = || structure.parts.iter().map(|part| &part.kind);
    if kinds().any(|kind| *kind == Kind::Dense) {
        return None;
    }
    let mut names: Vec<&'static str> = kinds().map(Kind::name).collect();
    names.sort_unstable();
    names.dedup();
    Some(match names.as_slice() {
        [name] => name,
        // a diagonal is a band
        ["band", "diagonal"] => "band",
        _ => Kind::Coordinates.name(),
    })
}
