//! Inputs by name, each as its parameter's sort wants it.

use super::tensor::{field, tensor};
use super::text::Json;
use super::{Reals, number};
use crate::entry::Entry;
use crate::input::{InputError, Place};
use crate::sizes::{self, Masks};
use iverson_spec::call::{Relation, Value, Values};
use iverson_spec::ir::{self, Element, Param, Program};

/// The arguments of `program` in the JSON `text`.
///
/// Parameters may be missing: they are asked for when the values are bound. A
/// size that only masks tell is added.
///
/// # Errors
/// [`InputError`] with the first problem in the order of the text.
pub fn read<S: Entry, T>(
    text: &str,
    program: &Program<T>,
    reals: Reals,
) -> Result<Values<S>, InputError> {
    let json = serde_json::from_str(text).map_err(|e| InputError::Syntax(e.to_string()))?;
    let Json::Object(fields) = json else {
        return Err(InputError::NotAnObject { found: json.describe() });
    };
    let mut values = Values::new();
    let mut masks = Masks::new();
    for (name, json) in &fields {
        let param = parameter(program, name)?;
        let value = argument(json, name, param, &program.symbols, reals, &mut masks)?;
        if values.insert(name.clone(), value).is_some() {
            return Err(InputError::Duplicate { name: name.clone() });
        }
    }
    sizes::settle_masks(program, &mut values, &masks)?;
    Ok(values)
}

/// The parameter called `name`.
pub(crate) fn parameter<T>(program: &Program<T>, name: &str) -> Result<Param, InputError> {
    let name_of = |param: &Param| param_name(&program.symbols, *param);
    program.params.iter().copied().find(|param| name_of(param) == name).ok_or_else(|| {
        let names: Vec<_> = program.params.iter().map(|p| format!("`{}`", name_of(p))).collect();
        InputError::Unknown {
            name: name.to_owned(),
            function: program.name.clone(),
            wanted: if names.is_empty() { "none".to_owned() } else { names.join(", ") },
        }
    })
}

/// The name of a parameter.
pub(crate) fn param_name(symbols: &ir::Symbols, param: Param) -> &str {
    match param {
        Param::Size(id) => &symbols.sizes[id.index()],
        Param::Tensor(id) => &symbols.tensor(id).name,
        Param::Relation(id) => &symbols.relation(id).name,
    }
}

fn argument<S: Entry>(
    json: &Json,
    name: &str,
    param: Param,
    symbols: &ir::Symbols,
    reals: Reals,
    masks: &mut Masks,
) -> Result<Value<S>, InputError> {
    match param {
        Param::Size(_) => {
            let wanted = "a size (a natural number)";
            Ok(Value::Size(number::natural(json, &Place::whole(name), wanted)?))
        }
        Param::Tensor(id) => {
            let declared = symbols.tensor(id);
            let rank = declared.shape.len();
            Ok(match declared.element {
                Element::Real => {
                    Value::Real(tensor(json, name, rank, &|x, at| number::real(x, at, reals))?)
                }
                Element::Index(_) => {
                    let index =
                        |x: &Json, at: &Place| number::integer(x, at, "an index (an integer)");
                    Value::Index(tensor(json, name, rank, &index)?)
                }
            })
        }
        Param::Relation(id) => relation(json, name, symbols.relation(id).extents.len(), masks),
    }
}

/// `{"coords": ..}`, `{"mask": ..}` or the mask itself.
fn relation<S>(
    json: &Json,
    name: &str,
    arity: usize,
    masks: &mut Masks,
) -> Result<Value<S>, InputError> {
    let at = Place::whole(name);
    let mask = match json {
        Json::Object(fields) if fields.iter().any(|(key, _)| key == "shape") => json,
        Json::Object(fields) => {
            const FIELDS: [&str; 2] = ["coords", "mask"];
            let coords = field(fields, "coords", &FIELDS, &at)?;
            match (coords, field(fields, "mask", &FIELDS, &at)?) {
                (Some(coords), None) => return coordinates(coords, name, arity),
                (None, Some(mask)) => mask,
                (Some(_), Some(_)) | (None, None) => {
                    let wanted = "a relation: an object with either `coords` or `mask`, or a mask,";
                    return Err(number::kind(json, &at, wanted));
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => json,
    };
    let mask = tensor(mask, name, arity, &truth)?;
    let relation = Relation::from_mask(&mask);
    masks.insert(name.to_owned(), mask.shape);
    Ok(Value::Relation(relation))
}

fn truth(json: &Json, at: &Place) -> Result<bool, InputError> {
    match json {
        Json::Bool(b) => Ok(*b),
        Json::Number(text) if text == "0" => Ok(false),
        Json::Number(text) if text == "1" => Ok(true),
        Json::Null | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => {
            Err(number::kind(json, at, "true, false, 0 or 1"))
        }
    }
}

/// A list of tuples, sorted; a tuple given twice counts once.
fn coordinates<S>(json: &Json, name: &str, arity: usize) -> Result<Value<S>, InputError> {
    let at = Place::whole(&format!("{name}.coords"));
    let Json::List(list) = json else {
        return Err(number::kind(json, &at, "a list of tuples"));
    };
    let tuple = |(row, item): (usize, &Json)| {
        let at = Place { name: at.name.clone(), path: vec![row] };
        if let Json::List(places) = item
            && places.len() == arity
        {
            return places.iter().map(|x| number::integer(x, &at, "a list of integers")).collect();
        }
        Err(number::kind(item, &at, &format!("a list of {arity} integers")))
    };
    let tuples = list.iter().enumerate().map(tuple).collect::<Result<Vec<Vec<i64>>, _>>()?;
    Ok(Value::Relation(Relation::new(arity, tuples)))
}
