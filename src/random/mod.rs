//! Missing inputs, filled in at random but reproducibly.
//!
//! * A **size** that nothing determines is 4, or the nearest number that makes
//!   every shape possible.
//! * A **real** has three decimals and lies in (-1, 1): the same number for
//!   every scalar type.
//! * An **index** is in the range of its sort; a **relation** holds about half
//!   of all tuples.
//! * **`requires`** clauses are met by drawing anew the entries that a broken
//!   clause reads, a bounded number of times; also from sorted index tensors and
//!   from permutations. Where that fails, the refusal names the clause.
//!
//! The same program, inputs and seed give the same values on every machine.

mod repair;
mod rng;
mod search;

use crate::entry::Entry;
use crate::json::param_name;
use crate::sizes::{self, Sizes};
use iverson_interpreter::EvalError;
use iverson_spec::call::{CallError, Dense, Limits, Relation, Value, Values, entries};
use iverson_spec::ir::{Element, Extent, Param, Symbols, Typed};
use iverson_spec::number::Number;
use rng::Rng;
use thiserror::Error;

/// What a size is when nothing determines it.
pub const DEFAULT_SIZE: u64 = 4;

/// Why missing inputs cannot be filled in.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Refusal {
    /// An index tensor has entries, but its sort has no values.
    #[error(
        "`{name}` cannot be filled in: it has {entries} entries and its sort `index({bound})` \
         is empty at the given sizes"
    )]
    EmptyRange {
        /// The tensor.
        name: String,
        /// The number of its entries.
        entries: usize,
        /// The bound, as a number.
        bound: i128,
    },
    /// A shape is negative or too large.
    #[error(
        "`{name}` cannot be filled in: its shape would be {shape:?} at these sizes: {sizes}; wanted: extents from 0 on, and at most {bytes} bytes, the memory limit"
    )]
    Shape {
        /// The tensor or relation.
        name: String,
        /// Its extents.
        shape: Vec<i128>,
        /// The sizes.
        sizes: String,
        /// The most bytes that it may take.
        bytes: u64,
    },
    /// A clause that no trial satisfies.
    #[error(
        "the missing inputs cannot be filled in at random: {clause} after {trials} trials; \
         give {names}"
    )]
    Requires {
        /// What the last trial broke.
        clause: String,
        /// The number of trials.
        trials: usize,
        /// The inputs that were to be filled in.
        names: String,
    },
    /// The given inputs are wrong, whatever the missing ones are.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A clause cannot be evaluated.
    #[error("a `requires` clause cannot be evaluated: {0}")]
    Eval(EvalError),
}

/// `values` and, for each parameter of `program` without one, a random value.
///
/// # Errors
/// [`Refusal`] where a missing input cannot be filled in.
pub fn fill<S: Entry>(
    program: &Typed,
    values: &Values<S>,
    seed: u64,
    limits: Limits,
) -> Result<Values<S>, Refusal> {
    let symbols = &program.symbols;
    let sizes = settle_sizes(program, sizes::known(program, values));
    let mut filled = Values::new();
    let mut drawn = Vec::new();
    for &param in &program.params {
        let name = param_name(symbols, param);
        let value = match values.get(name) {
            Some(value) => value.clone(),
            None => {
                drawn.push(param);
                draw(symbols, param, &sizes, &mut Rng::new(seed, name), limits)?
            }
        };
        filled.insert(name.to_owned(), value);
    }
    let others = values.iter().filter(|(name, _)| !filled.contains_key(*name));
    let others: Vec<_> = others.map(|(name, value)| (name.clone(), value.clone())).collect();
    filled.extend(others);
    repair::satisfy(program, filled, &drawn, &sizes, seed, limits)
}

/// All sizes: the unknown ones 4, or the first of a few choices that give every
/// parameter a shape and every index a value.
fn settle_sizes(program: &Typed, known: Sizes) -> Sizes {
    const CHOICES: [u64; 6] = [DEFAULT_SIZE, 5, 6, 8, 2, 1];
    const TRIALS: usize = 2000;
    let unknown: Vec<usize> = (0..known.len()).filter(|&i| known[i].is_none()).collect();
    let with = |trial: usize| {
        let mut sizes = known.clone();
        let mut rest = trial;
        for &i in &unknown {
            sizes[i] = Some(CHOICES[rest % CHOICES.len()]);
            rest /= CHOICES.len();
        }
        sizes
    };
    let trials = CHOICES.len().saturating_pow(unknown.len() as u32).min(TRIALS);
    (0..trials).map(with).find(|sizes| is_possible(program, sizes)).unwrap_or_else(|| with(0))
}

/// Whether the parameters have shapes and index tensors with entries have values.
fn is_possible(program: &Typed, sizes: &Sizes) -> bool {
    let natural = |e: &Extent| sizes::extent(e, sizes).is_some_and(|n| n >= 0);
    program.params.iter().all(|param| match param {
        Param::Size(_) => true,
        Param::Relation(id) => program.symbols.relation(*id).extents.iter().all(natural),
        Param::Tensor(id) => {
            let tensor = program.symbols.tensor(*id);
            let is_empty = tensor.shape.iter().any(|e| sizes::extent(e, sizes) == Some(0));
            let has_values = match &tensor.element {
                Element::Real => true,
                Element::Index(bound) => sizes::extent(bound, sizes).is_some_and(|n| n > 0),
            };
            tensor.shape.iter().all(natural) && (is_empty || has_values)
        }
    }) && defines_shapes(program, sizes)
}

/// Whether the definitions have shapes.
fn defines_shapes(program: &Typed, sizes: &Sizes) -> bool {
    let mut defined = Vec::new();
    iverson_spec::call::definitions(&program.body, &mut defined);
    defined.iter().all(|id| {
        let shape = &program.symbols.tensor(*id).shape;
        shape.iter().all(|e| sizes::extent(e, sizes).is_some_and(|n| n >= 0))
    })
}

fn draw<S: Entry>(
    symbols: &Symbols,
    param: Param,
    sizes: &Sizes,
    rng: &mut Rng,
    limits: Limits,
) -> Result<Value<S>, Refusal> {
    match param {
        Param::Size(id) => Ok(Value::Size(sizes[id.index()].unwrap_or(DEFAULT_SIZE))),
        Param::Tensor(id) => {
            let tensor = symbols.tensor(id);
            let (shape, count) = shape(symbols, &tensor.name, &tensor.shape, sizes, limits)?;
            match &tensor.element {
                Element::Real => {
                    let data = (0..count).map(|_| real(rng)).collect();
                    Ok(Value::Real(Dense { shape, data }))
                }
                Element::Index(bound) => {
                    let bound = sizes::extent(bound, sizes).unwrap_or(0);
                    if bound <= 0 && count > 0 {
                        let name = tensor.name.clone();
                        return Err(Refusal::EmptyRange { name, entries: count, bound });
                    }
                    let data = (0..count).map(|_| rng.below(bound as u64) as i64).collect();
                    Ok(Value::Index(Dense { shape, data }))
                }
            }
        }
        Param::Relation(id) => {
            let relation = symbols.relation(id);
            let (shape, count) = shape(symbols, &relation.name, &relation.extents, sizes, limits)?;
            let mask = Dense { shape, data: (0..count).map(|_| rng.coin()).collect() };
            Ok(Value::Relation(Relation::from_mask(&mask)))
        }
    }
}

/// A number of thousandths in (-1, 1).
fn real<S: Entry>(rng: &mut Rng) -> S {
    let thousandths = rng.below(1999) as i64 - 999;
    let magnitude = Number::parse(&format!("0.{:03}", thousandths.abs()));
    let magnitude = magnitude.unwrap_or_else(|_| unreachable!("three digits are a numeral"));
    S::constant(&if thousandths < 0 { magnitude.negate() } else { magnitude })
}

/// The shape at these sizes, with the number of entries.
fn shape(
    symbols: &Symbols,
    name: &str,
    extents: &[Extent],
    sizes: &Sizes,
    limits: Limits,
) -> Result<(Vec<usize>, usize), Refusal> {
    let values: Vec<i128> =
        extents.iter().map(|e| sizes::extent(e, sizes).unwrap_or(i128::MAX)).collect();
    let shape: Option<Vec<usize>> = values.iter().map(|&n| usize::try_from(n).ok()).collect();
    let fits = |count: &usize| (*count as u64) <= limits.bytes / 8;
    let counted = shape.and_then(|shape| Some((entries(&shape).filter(fits)?, shape)));
    counted.map(|(count, shape)| (shape, count)).ok_or_else(|| {
        let size = |(name, n): (&String, &Option<u64>)| n.map(|n| format!("{name} = {n}"));
        let sizes: Vec<String> = symbols.sizes.iter().zip(sizes).filter_map(size).collect();
        Refusal::Shape {
            name: name.to_owned(),
            shape: values,
            sizes: sizes.join(", "),
            bytes: limits.bytes,
        }
    })
}

#[cfg(test)]
mod tests;
