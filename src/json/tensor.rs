//! Tensors: nested lists, or a shape with row-major data.

use super::number;
use super::text::Json;
use crate::input::{Count, InputError, Place, axes};
use iverson_spec::call::{self, Dense};

/// Reads one entry.
pub(super) type EntryReader<'a, T> = &'a dyn Fn(&Json, &Place) -> Result<T, InputError>;

/// The tensor of rank `rank` for the argument `name`.
pub(super) fn tensor<T>(
    json: &Json,
    name: &str,
    rank: usize,
    entry: EntryReader<'_, T>,
) -> Result<Dense<T>, InputError> {
    match json {
        Json::Object(fields) => shaped(fields, name, rank, entry),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => {
            nested(json, name, rank, entry)
        }
    }
}

/// The value of the only field of `fields` called `key`, if all their names are in `known`.
pub(super) fn field<'a>(
    fields: &'a [(String, Json)],
    key: &str,
    known: &[&str],
    at: &Place,
) -> Result<Option<&'a Json>, InputError> {
    if let Some((other, _)) = fields.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        let wanted = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
        return Err(InputError::Kind {
            at: at.clone(),
            found: format!("an object with the key {other:?}"),
            wanted: format!("an object with {wanted} alone"),
        });
    }
    let mut found = fields.iter().filter(|(name, _)| name == key).map(|(_, value)| value);
    let first = found.next();
    match found.next() {
        Some(_) => Err(InputError::Duplicate { name: format!("{}.{key}", at.name) }),
        None => Ok(first),
    }
}

/// `{"shape": [..], "data": [..]}`
fn shaped<T>(
    fields: &[(String, Json)],
    name: &str,
    rank: usize,
    entry: EntryReader<'_, T>,
) -> Result<Dense<T>, InputError> {
    const FIELDS: [&str; 2] = ["shape", "data"];
    let at = Place::whole(name);
    let (shape, data) =
        (field(fields, "shape", &FIELDS, &at)?, field(fields, "data", &FIELDS, &at)?);
    let (Some(shape), Some(Json::List(data))) = (shape, data) else {
        return Err(InputError::Kind {
            at,
            found: "an object without them".to_owned(),
            wanted: "an object with `shape` and `data`, both lists,".to_owned(),
        });
    };
    let shape = extents(shape, &at)?;
    if shape.len() != rank {
        let found = format!("given with the shape {shape:?}");
        return Err(InputError::Depth { at, found, wanted: axes(rank) });
    }
    let wanted = call::entries(&shape).ok_or_else(|| InputError::TooLarge {
        at: at.clone(),
        found: format!("given with the shape {shape:?}"),
        wanted: "a number of entries of 64 bits".to_owned(),
    })?;
    if data.len() != wanted {
        let (found, wanted) = (Count(data.len()), Count(wanted));
        return Err(InputError::Length { at, found, shape, wanted });
    }
    let data = data
        .iter()
        .enumerate()
        .map(|(flat, item)| entry(item, &Place::entry(name, &shape, flat)))
        .collect::<Result<_, _>>()?;
    Ok(Dense { shape, data })
}

fn extents(json: &Json, at: &Place) -> Result<Vec<usize>, InputError> {
    const WANTED: &str = "a shape (a list of natural numbers)";
    let Json::List(list) = json else {
        return Err(number::kind(json, at, WANTED));
    };
    let extent = |item| number::natural(item, at, WANTED).map(|n| n as usize);
    list.iter().map(extent).collect()
}

/// Lists nested `rank` deep.
fn nested<T>(
    json: &Json,
    name: &str,
    rank: usize,
    entry: EntryReader<'_, T>,
) -> Result<Dense<T>, InputError> {
    let mut walk =
        Walk { rank, entry, shape: Vec::new(), data: Vec::new(), at: Place::whole(name) };
    walk.descend(json)?;
    match walk.shape.len() {
        depth if depth < rank => {
            Err(InputError::HiddenShape { at: Place::whole(name), axis: depth })
        }
        _ => Ok(Dense { shape: walk.shape, data: walk.data }),
    }
}

struct Walk<'a, T> {
    rank: usize,
    entry: EntryReader<'a, T>,
    /// The extents of the axes seen so far; the first list at a depth sets one.
    shape: Vec<usize>,
    data: Vec<T>,
    at: Place,
}

impl<T> Walk<'_, T> {
    fn descend(&mut self, json: &Json) -> Result<(), InputError> {
        let depth = self.at.path.len();
        if depth == self.rank {
            return self.leaf(json);
        }
        let Json::List(items) = json else {
            return Err(self.depth(json));
        };
        match self.shape.get(depth) {
            None => self.shape.push(items.len()),
            Some(&wanted) if wanted == items.len() => {}
            Some(&wanted) => {
                let (found, wanted) = (Count(items.len()), Count(wanted));
                return Err(InputError::Ragged { at: self.at.clone(), found, wanted });
            }
        }
        for (i, item) in items.iter().enumerate() {
            self.at.path.push(i);
            self.descend(item)?;
            self.at.path.pop();
        }
        Ok(())
    }

    fn leaf(&mut self, json: &Json) -> Result<(), InputError> {
        if let Json::List(_) = json {
            return Err(self.depth(json));
        }
        self.data.push((self.entry)(json, &self.at)?);
        Ok(())
    }

    fn depth(&self, json: &Json) -> InputError {
        let (at, found) = (self.at.clone(), json.describe());
        InputError::Depth { at, found, wanted: axes(self.rank) }
    }
}
