//! Cotangents and tangents as arguments.
//!
//! * If the first result is a single real and no cotangent is given, its
//!   cotangent is 1.
//! * A seed that is left out is 0, but at least one must be given.
//! * Index results have no cotangent.

use super::{Derivative, Seeded};
use crate::entry::Entry;
use iverson_spec::call::{CallError, Dense, Limits, Value, Values, bind, entries, shape, within};
use iverson_spec::ir::{Element, Param, TensorId};
use iverson_spec::ssa::TensorSsa;
use thiserror::Error;

/// What is wrong with the cotangents or tangents of a call.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SeedError {
    /// The inputs themselves are wrong.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Nothing takes a cotangent.
    #[error("`{function}` has no real result: there is nothing to differentiate")]
    NoRealResult {
        /// The function.
        function: String,
    },
    /// No seed is given where none can be supposed.
    #[error("no {seed} is given; {why}; give one for at least one of {wanted}")]
    Missing {
        /// `cotangent` or `tangent`.
        seed: &'static str,
        /// Why there is no default.
        why: String,
        /// The names that take one.
        wanted: String,
    },
    /// A seed for an index result.
    #[error("`{name}` is an index result: it takes no cotangent; those that do are {wanted}")]
    Index {
        /// The result.
        name: String,
        /// The names that take one.
        wanted: String,
    },
    /// A seed for a name that takes none.
    #[error("a {seed} is given for `{name}`, but those that take one are {wanted}")]
    Unknown {
        /// `cotangent` or `tangent`.
        seed: &'static str,
        /// The name given.
        name: String,
        /// The names that take one.
        wanted: String,
    },
    /// A seed that is no real tensor.
    #[error("the {seed} of `{name}` is no real tensor")]
    Sort {
        /// `cotangent` or `tangent`.
        seed: &'static str,
        /// What it is for.
        name: String,
    },
    /// A seed of another shape than what it is for.
    #[error("the {seed} of `{name}` has shape {found:?}, but `{name}` has shape {wanted:?}")]
    Shape {
        /// `cotangent` or `tangent`.
        seed: &'static str,
        /// What it is for.
        name: String,
        /// The shape given.
        found: Vec<usize>,
        /// The shape of what it is for.
        wanted: Vec<usize>,
    },
}

impl Derivative {
    /// The arguments of [`Derivative::program`] at these inputs and seeds, where
    /// seeds are named after what they belong to.
    ///
    /// # Errors
    /// [`SeedError`], if an input or a seed is not as declared.
    pub fn arguments<S: Entry>(
        &self,
        inputs: &Values<S>,
        seeds: &Values<S>,
        limits: Limits,
    ) -> Result<Values<S>, SeedError> {
        let mut arguments = inputs.clone();
        let full = self.full_seeds(inputs, seeds, limits)?;
        for ((_, param), (_, seed)) in self.seeds.iter().zip(full) {
            arguments.insert(param.clone(), seed);
        }
        Ok(arguments)
    }

    /// A seed for everything that takes one, in order: the given ones, and the
    /// defaults for the others.
    ///
    /// # Errors
    /// As [`Derivative::arguments`].
    pub fn full_seeds<S: Entry>(
        &self,
        inputs: &Values<S>,
        seeds: &Values<S>,
        limits: Limits,
    ) -> Result<Values<S>, SeedError> {
        // whoever runs the derivative says what its definitions take
        let sizes = bind(&self.primal, inputs, Limits { bytes: u64::MAX })?.sizes;
        seeds.keys().try_for_each(|name| self.check_name(name))?;
        let unit = self.unit(seeds)?;
        let symbols = &self.primal.symbols;
        let seed = |(tensor, _): &(TensorId, String)| {
            let name = symbols.tensor(*tensor).name.clone();
            let wanted = shape(symbols, *tensor, &sizes)?;
            let value = match seeds.get(&name) {
                Some(given) => self.checked(&name, given, wanted)?,
                None => {
                    filled(&name, wanted, S::integer(i64::from(unit == Some(*tensor))), limits)?
                }
            };
            Ok((name, value))
        };
        self.seeds.iter().map(seed).collect()
    }

    /// The result whose cotangent is 1 since none is given.
    fn unit<S>(&self, seeds: &Values<S>) -> Result<Option<TensorId>, SeedError> {
        if !seeds.is_empty() || self.kind.seeded() == Seeded::Nothing {
            return Ok(None);
        }
        let missing = |why| {
            let wanted = self.wanted();
            Err(SeedError::Missing { seed: self.kind.seed(), why, wanted })
        };
        let primal = &self.primal;
        match (self.kind.seeded(), primal.results.first(), self.seeds.first()) {
            (Seeded::Results, _, None) => {
                Err(SeedError::NoRealResult { function: primal.name.clone() })
            }
            (Seeded::Results, Some(first), Some((seeded, _)))
                if first == seeded && primal.symbols.tensor(*first).shape.is_empty() =>
            {
                Ok(Some(*first))
            }
            (Seeded::Results, first, Some(_)) => {
                let name = first.map_or("", |first| primal.symbols.tensor(*first).name.as_str());
                missing(format!(
                    "it is 1 only where the first result is one real, and `{name}` is not"
                ))
            }
            (Seeded::Inputs | Seeded::Nothing, ..) => {
                missing("a derivative is taken along one".to_owned())
            }
        }
    }

    /// Whether `name` takes a seed.
    ///
    /// # Errors
    /// [`SeedError::Index`] or [`SeedError::Unknown`], with the names that do.
    pub fn check_name(&self, name: &str) -> Result<(), SeedError> {
        if self.seeded().contains(&name) {
            return Ok(());
        }
        let wanted = self.wanted();
        let name = name.to_owned();
        let row = |t: &TensorId| self.primal.symbols.tensor(*t);
        let is_index = |t: &TensorId| row(t).name == name && row(t).element != Element::Real;
        match self.kind.seeded() {
            Seeded::Results if self.primal.results.iter().any(is_index) => {
                Err(SeedError::Index { name, wanted })
            }
            Seeded::Results | Seeded::Inputs | Seeded::Nothing => {
                Err(SeedError::Unknown { seed: self.kind.seed(), name, wanted })
            }
        }
    }

    fn wanted(&self) -> String {
        let names: Vec<String> = self.seeded().iter().map(|name| format!("`{name}`")).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }

    fn checked<S: Clone>(
        &self,
        name: &str,
        given: &Value<S>,
        wanted: Vec<usize>,
    ) -> Result<Value<S>, SeedError> {
        let (seed, name) = (self.kind.seed(), name.to_owned());
        let Value::Real(dense) = given else {
            return Err(SeedError::Sort { seed, name });
        };
        if dense.shape != wanted || entries(&dense.shape) != Some(dense.data.len()) {
            return Err(SeedError::Shape { seed, name, found: dense.shape.clone(), wanted });
        }
        Ok(given.clone())
    }

    /// A program whose parameters are what takes a seed, by the same names: by it
    /// [`crate::json::read`] and [`crate::npz::read`] read seeds. Index results are
    /// among them, to be refused as what they are.
    #[must_use]
    pub fn seed_signature(&self) -> TensorSsa {
        let real = self.seeds.iter().map(|(t, _)| *t);
        let index = match self.kind.seeded() {
            Seeded::Inputs | Seeded::Nothing => Vec::new(),
            Seeded::Results => self.primal.results.clone(),
        };
        let mut tensors: Vec<TensorId> = real.collect();
        tensors.extend(index.into_iter().filter(|t| !self.seeds.iter().any(|(s, _)| s == t)));
        TensorSsa {
            name: self.primal.name.clone(),
            symbols: self.primal.symbols.clone(),
            params: tensors.into_iter().map(Param::Tensor).collect(),
            body: Vec::new(),
            results: Vec::new(),
        }
    }
}

/// The tensor of this shape whose entries are all `entry`, if there is memory for it.
fn filled<S: Clone>(
    name: &str,
    shape: Vec<usize>,
    entry: S,
    limits: Limits,
) -> Result<Value<S>, CallError> {
    let bytes = entries(&shape).and_then(|count| (count as u64).checked_mul(8));
    let count = within(name, &shape, bytes, limits.bytes)? / 8;
    Ok(Value::Real(Dense { data: vec![entry; count as usize], shape }))
}
