//! The arguments of a call, bound: sizes, shapes, and flat buffers.

use crate::StrategyError;
use crate::scalar::Scalar;
use iverson_ad::Linearized;
use iverson_spec::call::{
    Bound, CallError, Dense, Limits, Relation, Value, Values, bind, entries, extent_value,
};
use iverson_spec::ir::{Element, Param, TensorId};
use iverson_spec::ssa::TensorSsa;

/// An entry of an index tensor that is not computed yet.
pub(crate) const UNKNOWN: i64 = i64::MIN;

/// A relation, laid out for membership.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    /// The tuples, in lexicographic order.
    pub(crate) tuples: Vec<Vec<i64>>,
    extents: Vec<i64>,
    /// A bit for each tuple that may be, if they are few.
    bits: Option<Vec<u64>>,
}

/// The buffers of a run, by [`TensorId`]; a tensor has one of its sort.
#[derive(Clone, Debug)]
pub(crate) struct Data<S> {
    pub(crate) reals: Vec<Vec<S>>,
    pub(crate) ints: Vec<Vec<i64>>,
    pub(crate) relations: Vec<Members>,
}

/// The arguments of a call after their checks.
pub(crate) struct Arguments<S> {
    pub(crate) bound: Bound,
    /// Holds the parameters; what is defined has no entries yet.
    pub(crate) data: Data<S>,
    /// The cotangent of each real result.
    pub(crate) cotangents: Vec<(TensorId, Dense<S>)>,
}

impl<S: Scalar> Arguments<S> {
    /// Checks the inputs of the program and the cotangents of its results.
    pub(crate) fn new(
        program: &TensorSsa,
        linearized: &Linearized,
        inputs: &Values<S>,
        limits: Limits,
    ) -> Result<Self, StrategyError> {
        let is_cotangent = |name: &String| linearized.cotangents.iter().any(|(_, ct)| ct == name);
        let (seeds, own): (Values<S>, Values<S>) =
            inputs.clone().into_iter().partition(|(name, _)| is_cotangent(name));
        let bound = bind(program, &own, limits)?;
        let data = data(program, &bound, own);
        let seed = |(result, name): &(TensorId, String)| {
            let shape = shape(&bound, *result);
            Ok((*result, cotangent(name, shape, seeds.get(name))?))
        };
        let cotangents: Result<_, CallError> = linearized.cotangents.iter().map(seed).collect();
        Ok(Self { cotangents: cotangents?, data, bound })
    }
}

/// The shape of a parameter or definition.
pub(crate) fn shape(bound: &Bound, tensor: TensorId) -> &[usize] {
    bound.shapes[tensor.index()].as_deref().unwrap_or_else(|| {
        unreachable!("parameters and definitions have a shape once a call is bound")
    })
}

fn data<S: Scalar>(program: &TensorSsa, bound: &Bound, mut inputs: Values<S>) -> Data<S> {
    let symbols = &program.symbols;
    let none = || Members { tuples: Vec::new(), extents: Vec::new(), bits: None };
    let mut data = Data {
        reals: vec![Vec::new(); symbols.tensors.len()],
        ints: vec![Vec::new(); symbols.tensors.len()],
        relations: symbols.relations.iter().map(|_| none()).collect(),
    };
    for param in &program.params {
        let name = match *param {
            Param::Size(_) => continue,
            Param::Tensor(t) => &symbols.tensor(t).name,
            Param::Relation(r) => &symbols.relation(r).name,
        };
        match (*param, inputs.swap_remove(name)) {
            (Param::Tensor(t), Some(Value::Real(dense))) => data.reals[t.index()] = dense.data,
            (Param::Tensor(t), Some(Value::Index(dense))) => data.ints[t.index()] = dense.data,
            (Param::Relation(r), Some(Value::Relation(relation))) => {
                let extents = &symbols.relation(r).extents;
                let extents = extents.iter().filter_map(|e| extent_value(e, &bound.sizes));
                let extents = extents.collect();
                data.relations[r.index()] = Members::new(&relation, extents);
            }
            _ => unreachable!("`bind` has checked the sorts of arguments"),
        }
    }
    data
}

/// The cotangent given for a result; one that is not given is 0.
fn cotangent<S: Scalar>(
    name: &str,
    shape: &[usize],
    given: Option<&Value<S>>,
) -> Result<Dense<S>, CallError> {
    let size = entries(shape).unwrap_or_default();
    let name = name.to_owned();
    match given {
        None => Ok(Dense { shape: shape.to_vec(), data: vec![S::integer(0); size] }),
        Some(Value::Real(dense)) if dense.shape.len() != shape.len() => {
            Err(CallError::WrongRank { name, found: dense.shape.len(), wanted: shape.len() })
        }
        Some(Value::Real(dense)) => {
            let differs = |(_, (found, wanted)): &(usize, (&usize, &usize))| found != wanted;
            let mut axes = dense.shape.iter().zip(shape).enumerate();
            if let Some((axis, (&found, wanted))) = axes.find(differs) {
                let wanted = wanted.to_string();
                return Err(CallError::WrongExtent { name, axis, found, wanted });
            }
            if dense.data.len() != size {
                let (found, shape) = (dense.data.len(), shape.to_vec());
                return Err(CallError::WrongLength {
                    name,
                    found,
                    shape,
                    wanted: size.to_string(),
                });
            }
            Ok(dense.clone())
        }
        Some(Value::Size(_) | Value::Index(_) | Value::Relation(_)) => Err(CallError::WrongSort {
            name,
            found: "no real tensor".into(),
            wanted: "a real tensor, the cotangent of a result".into(),
        }),
    }
}

impl<S: Scalar> Data<S> {
    /// The values of the results by name.
    pub(crate) fn results(&self, program: &TensorSsa, bound: &Bound) -> Values<S> {
        let result = |t: &TensorId| {
            let (row, shape) = (program.symbols.tensor(*t), shape(bound, *t).to_vec());
            let value = match row.element {
                Element::Real => Value::Real(Dense { shape, data: self.reals[t.index()].clone() }),
                Element::Index(_) => {
                    Value::Index(Dense { shape, data: self.ints[t.index()].clone() })
                }
            };
            (row.name.clone(), value)
        };
        program.results.iter().map(result).collect()
    }
}

impl Members {
    /// A bit table is built up to this many bits.
    const BITS: i64 = 1 << 27;

    fn new(relation: &Relation, extents: Vec<i64>) -> Self {
        let size = extents.iter().try_fold(1_i64, |size, extent| size.checked_mul(*extent));
        let mut members = Self { tuples: relation.tuples().collect(), extents, bits: None };
        if let Some(size) = size
            && size <= Self::BITS
        {
            let mut bits = vec![0_u64; size as usize / 64 + 1];
            for tuple in &members.tuples {
                if let Some(place) = members.place(tuple) {
                    bits[place / 64] |= 1 << (place % 64);
                }
            }
            members.bits = Some(bits);
        }
        members
    }

    /// The place of a tuple among all that may be; `None` if it may not.
    fn place(&self, tuple: &[i64]) -> Option<usize> {
        let mut axes = tuple.iter().zip(&self.extents);
        axes.try_fold(0, |place, (at, extent)| {
            (0..*extent).contains(at).then(|| place * *extent as usize + *at as usize)
        })
    }

    /// Whether the tuple is in the relation.
    pub(crate) fn contains(&self, tuple: &[i64]) -> bool {
        match (&self.bits, self.place(tuple)) {
            (_, None) => false,
            (Some(bits), Some(place)) => bits[place / 64] >> (place % 64) & 1 == 1,
            (None, Some(_)) => self.tuples.binary_search_by(|t| t.as_slice().cmp(tuple)).is_ok(),
        }
    }
}
