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
mod structured;

pub use seeds::SeedError;
pub use structured::{Shaped, Structured};

use iverson_ad::{AdError, hessian, hvp, jacobian, jtjv, jvp, vjp};
use iverson_spec::call::Values;
use iverson_spec::ir::{Element, Param, Program, TensorId};
use iverson_spec::ssa::TensorSsa;

/// What is asked of a program; `J` is its Jacobian.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// `ȳ ↦ Jᵀ·ȳ`: from cotangents of the real results to gradients in the inputs.
    Gradient,
    /// `ẋ ↦ J·ẋ`: from tangents of the inputs to tangents of the real results.
    Tangent,
    /// `J`, a block for each real result and input.
    Jacobian,
    /// The second derivatives of the first real result, which has rank 0.
    Hessian,
    /// `ẋ ↦ H·ẋ`, where `H` is the Hessian.
    Hvp,
    /// `ẋ ↦ Jᵀ·J·ẋ`
    Jtjv,
}

impl Kind {
    /// What an answer is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gradient => "gradient",
            Self::Tangent => "tangent",
            Self::Jacobian => "jacobian",
            Self::Hessian => "hessian",
            Self::Hvp => "hvp",
            Self::Jtjv => "jtjv",
        }
    }

    /// What takes a seed.
    fn seeded(self) -> Seeded {
        match self {
            Self::Gradient => Seeded::Results,
            Self::Tangent | Self::Hvp | Self::Jtjv => Seeded::Inputs,
            Self::Jacobian | Self::Hessian => Seeded::Nothing,
        }
    }

    /// What a seed is called.
    #[must_use]
    pub fn seed(self) -> &'static str {
        match self.seeded() {
            Seeded::Results => "cotangent",
            Seeded::Inputs => "tangent",
            Seeded::Nothing => "seed",
        }
    }
}

/// What takes a seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seeded {
    Results,
    Inputs,
    Nothing,
}

/// A derivative and what its added parameters and results belong to.
#[derive(Clone, Debug)]
pub struct Derivative {
    /// The program differentiated.
    pub primal: TensorSsa,
    /// Its derivative, which computes the results of the primal too.
    pub program: TensorSsa,
    /// What it computes.
    pub kind: Kind,
    /// Each seeded tensor of the primal, with the parameter of `program` for its seed.
    seeds: Vec<(TensorId, String)>,
    /// The answers in order.
    answers: Vec<Answer>,
}

/// One result that a derivative adds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The names of what it belongs to: the input of a gradient or product, the result
    /// of a tangent, the result and the input of a block of a Jacobian, the two inputs
    /// of a block of a Hessian.
    pub of: Vec<String>,
    /// The name of the result of [`Derivative::program`].
    pub result: String,
}

impl Derivative {
    /// The derivative of a kind in the inputs `wrt`, not simplified.
    ///
    /// # Errors
    /// [`AdError`], if a name is no real parameter, a function has no derivative, or
    /// there is no Hessian since the first real result is no scalar.
    pub fn new(primal: &TensorSsa, kind: Kind, wrt: &[&str]) -> Result<Self, AdError> {
        let program = match kind {
            Kind::Gradient => vjp(primal, wrt),
            Kind::Tangent => jvp(primal, wrt),
            Kind::Jacobian => jacobian(primal, wrt),
            Kind::Hessian => hessian(primal, wrt),
            Kind::Hvp => hvp(primal, wrt),
            Kind::Jtjv => jtjv(primal, wrt),
        }?;
        let results = real_results(primal);
        let seeded = match kind.seeded() {
            Seeded::Results => results.clone(),
            Seeded::Inputs => wrt.iter().filter_map(|name| parameter(primal, name)).collect(),
            Seeded::Nothing => Vec::new(),
        };
        let outs: Vec<&str> =
            results.iter().map(|t| primal.symbols.tensor(*t).name.as_str()).collect();
        let of = match kind {
            Kind::Gradient | Kind::Hvp | Kind::Jtjv => single(wrt),
            Kind::Tangent => single(&outs),
            Kind::Jacobian => pairs(&outs, wrt),
            Kind::Hessian => pairs(wrt, wrt),
        };
        let added = program.params[primal.params.len()..].iter().filter_map(tensor);
        let name = |t: TensorId| program.symbols.tensor(t).name.clone();
        let seeds = seeded.into_iter().zip(added.map(name)).collect();
        let added = program.results[primal.results.len()..].iter().map(|t| name(*t));
        let answers = of.into_iter().zip(added);
        let answers = answers.map(|(of, result)| Answer { of, result }).collect();
        Ok(Self { primal: primal.clone(), program, kind, seeds, answers })
    }

    /// The gradients in the inputs `wrt`.
    ///
    /// # Errors
    /// As [`Derivative::new`].
    pub fn gradient(primal: &TensorSsa, wrt: &[&str]) -> Result<Self, AdError> {
        Self::new(primal, Kind::Gradient, wrt)
    }

    /// The tangents of the real results along tangents of `wrt`.
    ///
    /// # Errors
    /// As [`Derivative::new`].
    pub fn tangent(primal: &TensorSsa, wrt: &[&str]) -> Result<Self, AdError> {
        Self::new(primal, Kind::Tangent, wrt)
    }

    /// The names that take a seed.
    #[must_use]
    pub fn seeded(&self) -> Vec<&str> {
        self.seeds.iter().map(|(t, _)| self.primal.symbols.tensor(*t).name.as_str()).collect()
    }

    /// What it answers, in order.
    #[must_use]
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// The tensors of the primal that take a seed.
    pub(crate) fn seeded_tensors(&self) -> Vec<TensorId> {
        self.seeds.iter().map(|(tensor, _)| *tensor).collect()
    }

    /// The results of [`Derivative::program`] as those of the primal, and the
    /// answers: by the name of what they belong to, or by their own name (`dy_dx`)
    /// where they belong to two.
    #[must_use]
    pub fn split<S: Clone>(&self, results: &Values<S>) -> (Values<S>, Values<S>) {
        let named = |from: &str, to: &str| Some((to.to_owned(), results.get(from)?.clone()));
        let primal = self.primal.results.iter().filter_map(|t| {
            let name = &self.primal.symbols.tensor(*t).name;
            named(name, name)
        });
        let answers = self.answers.iter().filter_map(|Answer { of, result }| match of.as_slice() {
            [name] => named(result, name),
            _ => named(result, result),
        });
        (primal.collect(), answers.collect())
    }
}

fn single(names: &[&str]) -> Vec<Vec<String>> {
    names.iter().map(|name| vec![(*name).to_owned()]).collect()
}

fn pairs(rows: &[&str], columns: &[&str]) -> Vec<Vec<String>> {
    let row = |row: &&str| {
        columns.iter().map(|column| vec![(*row).to_owned(), (*column).to_owned()]).collect()
    };
    rows.iter().flat_map(|r| -> Vec<Vec<String>> { row(r) }).collect()
}

fn tensor(param: &Param) -> Option<TensorId> {
    match param {
        Param::Tensor(t) => Some(*t),
        Param::Size(_) | Param::Relation(_) => None,
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
