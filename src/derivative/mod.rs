//! Derivatives with their calling convention: which parameter takes the
//! cotangent of which result, and which result is the gradient in which input.
//!
//! [`iverson_ad`] adds parameters and results to a program; here they are known
//! by the names of what they belong to. A **seed** is what a derivative is taken
//! along: a cotangent in reverse mode, a tangent in forward mode.
//!
//! ```
//! use iverson::derivative::Derivative;
//! use iverson::interpreter::eval_ssa;
//! use iverson::spec::call::{Limits, Value, Values};
//! use iverson::spec::normalize;
//!
//! let text = "fn square(n: size, x: real[n]) -> (s: real) { s = sum(i: n) x[i]^2 }";
//! let loaded = iverson::pipeline::load(text).unwrap();
//! let program = normalize(loaded.function(None).unwrap());
//! let gradient = Derivative::gradient(&program, &["x"]).unwrap();
//!
//! let inputs = Values::from_iter([("x".to_owned(), Value::vector(vec![1.0, -2.0]))]);
//! let arguments = gradient.arguments(&inputs, &Values::new(), Limits::default()).unwrap();
//! let (results, _work) = eval_ssa(&gradient.program, &arguments, Limits::default()).unwrap();
//! let (value, answer) = gradient.split(&results);
//! assert_eq!(value["s"], Value::scalar(5.0));
//! assert_eq!(answer["x"], Value::vector(vec![2.0, -4.0]));
//! ```

mod seeds;

pub use seeds::SeedError;

use iverson_ad::{AdError, jvp, vjp};
use iverson_spec::call::Values;
use iverson_spec::ir::{Element, Param, Program, TensorId};
use iverson_spec::ssa::TensorSsa;

/// Which way a derivative goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// `ẋ ↦ J·ẋ`: seeds are tangents of inputs, answers are tangents of results.
    Forward,
    /// `ȳ ↦ Jᵀ·ȳ`: seeds are cotangents of results, answers are gradients in inputs.
    Reverse,
}

impl Mode {
    /// What a seed is called.
    #[must_use]
    pub fn seed(self) -> &'static str {
        match self {
            Self::Forward => "tangent",
            Self::Reverse => "cotangent",
        }
    }
}

/// A derivative and what its added parameters and results belong to.
#[derive(Clone, Debug)]
pub struct Derivative {
    /// The program differentiated.
    pub primal: TensorSsa,
    /// Its derivative, which computes the results of the primal too.
    pub program: TensorSsa,
    /// Which way it goes.
    pub mode: Mode,
    /// Each seeded tensor of the primal, with the parameter of `program` for its seed.
    seeds: Vec<(TensorId, String)>,
    /// Each answered tensor by name, with the result of `program` that answers.
    answers: Vec<(String, String)>,
}

impl Derivative {
    /// Reverse mode: the gradients in the inputs `wrt`.
    ///
    /// # Errors
    /// [`AdError`], if a name is no real parameter or a function has no derivative.
    pub fn gradient(primal: &TensorSsa, wrt: &[&str]) -> Result<Self, AdError> {
        let program = vjp(primal, wrt)?;
        Ok(Self::new(primal, program, Mode::Reverse, real_results(primal), wrt))
    }

    /// Forward mode: the tangents of the real results along tangents of `wrt`.
    ///
    /// # Errors
    /// [`AdError`], if a name is no real parameter or a function has no derivative.
    pub fn tangent(primal: &TensorSsa, wrt: &[&str]) -> Result<Self, AdError> {
        let program = jvp(primal, wrt)?;
        let results = real_results(primal);
        let names: Vec<&str> =
            results.iter().map(|t| primal.symbols.tensor(*t).name.as_str()).collect();
        let seeded = wrt.iter().filter_map(|name| parameter(primal, name)).collect();
        Ok(Self::new(primal, program, Mode::Forward, seeded, &names))
    }

    fn new(
        primal: &TensorSsa,
        program: TensorSsa,
        mode: Mode,
        seeded: Vec<TensorId>,
        answered: &[&str],
    ) -> Self {
        let added = &program.params[primal.params.len()..];
        let param_names = added.iter().filter_map(|param| match param {
            Param::Tensor(t) => Some(program.symbols.tensor(*t).name.clone()),
            Param::Size(_) | Param::Relation(_) => None,
        });
        let results = &program.results[primal.results.len()..];
        let result_names = results.iter().map(|t| program.symbols.tensor(*t).name.clone());
        let seeds = seeded.into_iter().zip(param_names).collect();
        let answers = answered.iter().map(ToString::to_string).zip(result_names).collect();
        Self { primal: primal.clone(), program, mode, seeds, answers }
    }

    /// The names that take a seed.
    #[must_use]
    pub fn seeded(&self) -> Vec<&str> {
        self.seeds.iter().map(|(t, _)| self.primal.symbols.tensor(*t).name.as_str()).collect()
    }

    /// The tensors of the primal that take a seed.
    pub(crate) fn seeded_tensors(&self) -> Vec<TensorId> {
        self.seeds.iter().map(|(tensor, _)| *tensor).collect()
    }

    /// The results of [`Derivative::program`] as those of the primal, and the
    /// answers by the names of what they belong to.
    #[must_use]
    pub fn split<S: Clone>(&self, results: &Values<S>) -> (Values<S>, Values<S>) {
        let named = |from: &str, to: &str| Some((to.to_owned(), results.get(from)?.clone()));
        let primal = self.primal.results.iter().filter_map(|t| {
            let name = &self.primal.symbols.tensor(*t).name;
            named(name, name)
        });
        let answers = self.answers.iter().filter_map(|(name, result)| named(result, name));
        (primal.collect(), answers.collect())
    }
}

/// The real results, in order.
fn real_results(program: &TensorSsa) -> Vec<TensorId> {
    let is_real = |t: &TensorId| program.symbols.tensor(*t).element == Element::Real;
    program.results.iter().copied().filter(is_real).collect()
}

/// The names of the real parameters, in order: those a program can be differentiated in.
#[must_use]
pub fn real_parameters<T>(program: &Program<T>) -> Vec<&str> {
    let name = |param: &Param| match param {
        Param::Tensor(t) => {
            let tensor = program.symbols.tensor(*t);
            (tensor.element == Element::Real).then_some(tensor.name.as_str())
        }
        Param::Size(_) | Param::Relation(_) => None,
    };
    program.params.iter().filter_map(name).collect()
}

/// The tensor parameter called `name`.
fn parameter(program: &TensorSsa, name: &str) -> Option<TensorId> {
    program.params.iter().find_map(|param| match param {
        Param::Tensor(t) if program.symbols.tensor(*t).name == name => Some(*t),
        Param::Tensor(_) | Param::Size(_) | Param::Relation(_) => None,
    })
}

#[cfg(test)]
mod tests;
