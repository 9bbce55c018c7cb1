//! Results as JSON, in the form in which they would be read.

use crate::entry::Entry;
use iverson_spec::call::{Dense, Relation, Value, Values};
use iverson_structured::Coo;

/// All values as one object, a line for each, with a line break at the end.
#[must_use]
pub fn write<S: Entry>(values: &Values<S>) -> String {
    let fields = values.iter().map(|(name, value)| (name.as_str(), write_value(value)));
    object(fields, "") + "\n"
}

/// Entries by position, `{"form": .., "shape": .., "coords": .., "values": ..}`.
#[must_use]
pub fn write_sparse<S: Entry>(form: &str, entries: &Coo<S>) -> String {
    let coords: Vec<String> = entries.positions.iter().map(|at| format!("{at:?}")).collect();
    let mut values = String::new();
    nested(&[entries.values.len()], &entries.values, &S::write, &mut values);
    let (shape, coords) = (&entries.shape, coords.join(", "));
    format!(
        "{{\"form\": \"{form}\", \"shape\": {shape:?}, \"coords\": [{coords}], \"values\": {values}}}"
    )
}

/// JSON texts as nested objects, with a line break at the end: each stands under the
/// names of its path. Paths with a common beginning stand together.
#[must_use]
pub fn write_tree(fields: &[(Vec<&str>, String)]) -> String {
    tree(fields, 0, "") + "\n"
}

fn tree(fields: &[(Vec<&str>, String)], depth: usize, indent: &str) -> String {
    let inner = format!("{indent}  ");
    let groups = fields.chunk_by(|(a, _), (b, _)| a.get(depth) == b.get(depth));
    let field = |group: &[(Vec<&str>, String)]| match group {
        [(path, text)] if path.len() == depth + 1 => text.clone(),
        _ => tree(group, depth + 1, &inner),
    };
    let named = groups.filter_map(|group| Some((*group[0].0.get(depth)?, field(group))));
    object(named, indent)
}

/// An object with a line for each field, indented by `indent` and a step.
fn object<'n>(fields: impl Iterator<Item = (&'n str, String)>, indent: &str) -> String {
    let line = |(name, text): (&str, String)| {
        format!("{indent}  {}: {text}", serde_json::Value::from(name))
    };
    let lines: Vec<String> = fields.map(line).collect();
    match lines.is_empty() {
        true => "{}".to_owned(),
        false => format!("{{\n{}\n{indent}}}", lines.join(",\n")),
    }
}

/// One value: a number, nested lists, or `{"shape": .., "data": ..}` where
/// nesting would lose the shape.
#[must_use]
pub fn write_value<S: Entry>(value: &Value<S>) -> String {
    let mut out = String::new();
    match value {
        Value::Size(n) => out += &n.to_string(),
        Value::Real(dense) => tensor(dense, &S::write, &mut out),
        Value::Index(dense) => tensor(dense, &|i, out| *out += &i.to_string(), &mut out),
        Value::Relation(relation) => coordinates(relation, &mut out),
    }
    out
}

type EntryWriter<'a, T> = &'a dyn Fn(&T, &mut String);

fn tensor<T>(dense: &Dense<T>, entry: EntryWriter<'_, T>, out: &mut String) {
    let hidden = dense.shape.iter().position(|&extent| extent == 0);
    if hidden.is_some_and(|axis| axis + 1 < dense.shape.len()) {
        *out += &format!("{{\"shape\": {:?}, \"data\": []}}", dense.shape);
    } else {
        nested(&dense.shape, &dense.data, entry, out);
    }
}

fn nested<T>(shape: &[usize], data: &[T], entry: EntryWriter<'_, T>, out: &mut String) {
    let Some((&extent, inner)) = shape.split_first() else {
        return data.iter().for_each(|x| entry(x, out));
    };
    let stride = data.len().checked_div(extent).unwrap_or(0);
    *out += "[";
    for i in 0..extent {
        *out += if i == 0 { "" } else { ", " };
        nested(inner, &data[i * stride..(i + 1) * stride], entry, out);
    }
    *out += "]";
}

fn coordinates(relation: &Relation, out: &mut String) {
    let tuples: Vec<String> = relation.tuples().map(|tuple| format!("{tuple:?}")).collect();
    *out += &format!("{{\"coords\": [{}]}}", tuples.join(", "));
}
