//! Inputs from NPZ archives, the format of `numpy.savez`.
//!
//! Each array is an argument by its name: integers for sizes and index tensors,
//! floats or integers for real tensors, a 0-dimensional array for a size or a
//! scalar. A relation is a bool array, its mask, or an integer array of shape
//! `[nnz, arity]`, its coordinates. Any byte order and either axis order will do.

mod npy;

use crate::entry::{Entry, Special};
use crate::input::{InputError, Place, axes};
use crate::json::{self, Reals, not_finite};
use crate::sizes::{self, Masks};
use iverson_spec::call::{Dense, Relation, Value, Values};
use iverson_spec::ir::{Element, Param, Program, Symbols};
use iverson_spec::number::Number;
use npy::{Array, Data};
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// The arguments of `program` in the bytes of an NPZ archive.
///
/// # Errors
/// [`InputError`] with the first problem in the order of the archive.
pub fn read<S: Entry, T>(
    bytes: &[u8],
    program: &Program<T>,
    reals: Reals,
) -> Result<Values<S>, InputError> {
    let unreadable = |problem: String| InputError::Archive(problem);
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|e| unreadable(format!("{e}; `numpy.savez` writes one")))?;
    let mut values = Values::new();
    let mut masks = Masks::new();
    for i in 0..archive.len() {
        let mut member = archive.by_index(i).map_err(|e| unreadable(e.to_string()))?;
        let file = member.name().to_owned();
        let Some(name) = file.strip_suffix(".npy") else {
            return Err(unreadable(format!("the member `{file}` is not an array (`NAME.npy`)")));
        };
        let param = json::parameter(program, name)?;
        let mut content = Vec::new();
        let broken = |e: &dyn ToString| unreadable(format!("`{name}`: {}", e.to_string()));
        member.read_to_end(&mut content).map_err(|e| broken(&e))?;
        let array = npy::array(&content).map_err(|e| broken(&e))?;
        let value = argument(array, name, param, &program.symbols, reals, &mut masks)?;
        if values.insert(name.to_owned(), value).is_some() {
            return Err(InputError::Duplicate { name: name.to_owned() });
        }
    }
    sizes::settle_masks(program, &mut values, &masks)?;
    Ok(values)
}

fn argument<S: Entry>(
    array: Array,
    name: &str,
    param: Param,
    symbols: &Symbols,
    reals: Reals,
    masks: &mut Masks,
) -> Result<Value<S>, InputError> {
    match param {
        Param::Size(_) => size(array, name),
        Param::Tensor(id) => {
            let tensor = symbols.tensor(id);
            let array = of_rank(array, name, tensor.shape.len())?;
            match tensor.element {
                Element::Real => Ok(Value::Real(real(array, name, reals)?)),
                Element::Index(_) => Ok(Value::Index(index(array, name, "an index tensor")?)),
            }
        }
        Param::Relation(id) => relation(array, name, symbols.relation(id).extents.len(), masks),
    }
}

fn of_rank(array: Array, name: &str, rank: usize) -> Result<Array, InputError> {
    if array.shape.len() == rank {
        return Ok(array);
    }
    let found = format!("an array of shape {:?}", array.shape);
    Err(InputError::Depth { at: Place::whole(name), found, wanted: axes(rank) })
}

fn size<S>(array: Array, name: &str) -> Result<Value<S>, InputError> {
    const WANTED: &str = "a size (a natural number)";
    let at = Place::whole(name);
    let array = of_rank(array, name, 0)?;
    let n = index(array, name, WANTED)?.data[0];
    u64::try_from(n).map(Value::Size).map_err(|_| InputError::Kind {
        at,
        found: n.to_string(),
        wanted: WANTED.to_owned(),
    })
}

fn real<S: Entry>(array: Array, name: &str, reals: Reals) -> Result<Dense<S>, InputError> {
    let shape = array.shape;
    let at = |flat| Place::entry(name, &shape, flat);
    let out_of_range = |flat, found: String| InputError::TooLarge {
        at: at(flat),
        found,
        wanted: "a value in the range of the scalar".to_owned(),
    };
    let float = |(flat, x): (usize, &f64)| match Special::of(*x) {
        Some(special) => not_finite(special, &at(flat), reals),
        None => S::from_f64(*x).ok_or_else(|| out_of_range(flat, x.to_string())),
    };
    let integer = |(flat, n): (usize, &i128)| {
        S::from_number(&Number::new((*n).into())).ok_or_else(|| out_of_range(flat, n.to_string()))
    };
    let data = match &array.data {
        Data::Float(data) => data.iter().enumerate().map(float).collect::<Result<_, _>>()?,
        Data::Integer(data) => data.iter().enumerate().map(integer).collect::<Result<_, _>>()?,
        Data::Bool(_) => return Err(kind(name, "an array of bool", "a real tensor")),
    };
    Ok(Dense { shape, data })
}

fn index(array: Array, name: &str, wanted: &str) -> Result<Dense<i64>, InputError> {
    let shape = array.shape;
    let entry = |(flat, n): (usize, &i128)| {
        i64::try_from(*n).map_err(|_| InputError::TooLarge {
            at: Place::entry(name, &shape, flat),
            found: n.to_string(),
            wanted: "an integer of 64 bits".to_owned(),
        })
    };
    let data = match &array.data {
        Data::Integer(data) => data.iter().enumerate().map(entry).collect::<Result<_, _>>()?,
        Data::Float(_) => return Err(kind(name, "an array of floats", wanted)),
        Data::Bool(_) => return Err(kind(name, "an array of bool", wanted)),
    };
    Ok(Dense { shape, data })
}

fn relation<S>(
    array: Array,
    name: &str,
    arity: usize,
    masks: &mut Masks,
) -> Result<Value<S>, InputError> {
    match array.data {
        Data::Bool(_) => {
            let array = of_rank(array, name, arity)?;
            let Data::Bool(data) = array.data else { unreachable!("its data is of bool") };
            let mask = Dense { shape: array.shape, data };
            let relation = Relation::from_mask(&mask);
            masks.insert(name.to_owned(), mask.shape);
            Ok(Value::Relation(relation))
        }
        Data::Integer(_) => {
            if array.shape.len() != 2 || array.shape[1] != arity {
                let found = format!("an integer array of shape {:?}", array.shape);
                let wanted = format!("an array of coordinates of shape [.., {arity}]");
                return Err(kind(name, &found, &wanted));
            }
            let entries = index(array, name, "a relation")?.data;
            let column = |place| entries.iter().skip(place).step_by(arity).copied().collect();
            Ok(Value::Relation(Relation::from_columns((0..arity).map(column).collect())))
        }
        Data::Float(_) => {
            Err(kind(name, "an array of floats", "a mask of bool or integer coordinates"))
        }
    }
}

fn kind(name: &str, found: &str, wanted: &str) -> InputError {
    let (found, wanted) = (found.to_owned(), wanted.to_owned());
    InputError::Kind { at: Place::whole(name), found, wanted }
}

#[cfg(test)]
mod tests;
