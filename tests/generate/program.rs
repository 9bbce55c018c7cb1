//! Whole programs with their inputs.

use super::builder::{Builder, Element, Flavour, Promise, Relation, Size, Tensor};
use super::calls::{HELPERS, callees};
use super::choices::Choices;
use super::extent::{Extent, SIZES};
use super::inputs::{self, Data};
use iverson::interpreter::Rational;
use iverson::spec::call::{Dense, Value, Values};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt;

/// A program and what it is called with.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) text: String,
    pub(crate) inputs: Values<Rational>,
    pub(crate) constructs: BTreeSet<&'static str>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}\nwith\n{}", self.text, show(&self.inputs))
    }
}

/// Values as text, a line for each.
pub(crate) fn show(values: &Values<Rational>) -> String {
    fn dense<T>(value: &Dense<T>, show: impl Fn(&T) -> String) -> String {
        let entries: Vec<String> = value.data.iter().map(show).collect();
        format!("{:?} [{}]", value.shape, entries.join(", "))
    }
    let line = |(name, value): (&String, &Value<Rational>)| match value {
        Value::Size(n) => format!("  {name} = {n}\n"),
        Value::Real(x) => format!("  {name} = {}\n", dense(x, |x| x.0.to_string())),
        Value::Index(p) => format!("  {name} = {}\n", dense(p, ToString::to_string)),
        Value::Relation(r) => format!("  {name} = {:?}\n", r.tuples().collect::<Vec<_>>()),
    };
    values.iter().map(line).collect()
}

/// Random programs; shrinking one keeps it well typed.
pub(crate) fn cases(flavour: Flavour) -> impl Strategy<Value = Case> {
    (vec(any::<u32>(), 0..300), vec(any::<u32>(), 1..60))
        .prop_map(move |(choices, data)| build(flavour, &choices, &data))
}

/// The program that the choices describe.
pub(crate) fn build(flavour: Flavour, choices: &[u32], data: &[u32]) -> Case {
    let mut builder = Builder::new(flavour, Choices::new(choices));
    let b = &mut builder;
    b.sizes = 1 + b.choices.below(SIZES.len());
    b.constant = b.choices.chance(1, 4);
    parameters(b);
    let params = b.tensors.clone();
    let count = 1 + b.choices.below(7) + if b.is_arrays() { 2 } else { 0 };
    for _ in 0..count {
        b.statement();
    }
    if b.tensors.len() == params.len() {
        b.line(0, "y = 1");
        b.define_local("y", Vec::new(), Size { bits: 1, rounded: false });
    }
    let results = results(b, params.len());
    let shapes: Vec<Extent> = b.tensors.iter().flat_map(|t| t.shape.clone()).collect();
    let mut data = Data::new(data);
    let sizes = if flavour == Flavour::Arrays {
        inputs::longer_sizes(b.sizes, &mut data, &params, &shapes, &b.boxes)
    } else {
        inputs::sizes(b.sizes, &mut data, &params, &shapes)
    };
    for size in &sizes {
        match size {
            0 => b.note("size 0"),
            1 => b.note("size 1"),
            2..=32 => {}
            _ => b.note("size above 32"),
        }
    }
    let values = inputs::values(&sizes, &params, &b.relations, &mut data);
    Case { text: text(b, &params, &results), inputs: values, constructs: builder.constructs }
}

/// Parameters with what is required of them.
fn parameters(b: &mut Builder<'_>) {
    let reals = 1 + b.choices.below(3) + usize::from(b.is_arrays());
    for at in 0..reals {
        let rank = b.choices.weighted(&[(1, 1), (3, 1), (3, 2), (1, 0)]);
        let mut shape: Vec<Extent> = (0..rank).map(|_| b.shape_extent()).collect();
        if b.is_arrays() && rank == 2 && b.choices.chance(1, 3) {
            shape[1] = shape[0];
        }
        let element = Element::Real(Size { bits: 4, rounded: false });
        let nonzero = rank == 1 && b.choices.chance(1, 5);
        let promise = if nonzero { Promise::Nonzero } else { Promise::Nothing };
        parameter(b, ["x", "a", "w", "b"][at], shape, element, promise);
    }
    let indices = b.choices.below(3).max(usize::from(b.is_arrays()));
    for at in 0..indices {
        let promise = b.choices.weighted(&[
            (5, Promise::Nothing),
            (2, Promise::Earlier),
            (1, Promise::Sorted),
        ]);
        let axis = b.shape_extent();
        let own = matches!(promise, Promise::Earlier) || b.choices.chance(1, 2);
        let bound = if own { axis } else { b.shape_extent() };
        parameter(b, ["p", "u"][at], vec![axis], Element::Index(bound), promise);
    }
    if b.choices.chance(1, 2) {
        let arity = 1 + b.choices.below(2);
        let extents = (0..arity).map(|_| b.shape_extent()).collect();
        b.relations.push(Relation { name: "R".to_owned(), extents });
    }
}

fn parameter(
    b: &mut Builder<'_>,
    name: &str,
    shape: Vec<Extent>,
    element: Element,
    promise: Promise,
) {
    if promise != Promise::Nothing {
        b.note("condition on data");
        let (v, end) = (b.fresh("v"), shape[0].text());
        let condition = match promise {
            Promise::Earlier => format!("{v} = 0 or {name}[{v}] < {v}"),
            Promise::Sorted => format!("{v} = 0 or {name}[{v} - 1] <= {name}[{v}]"),
            Promise::Nonzero => format!("{name}[{v}] != 0"),
            Promise::Nothing => return,
        };
        b.line(0, &format!("requires({v}: {end}) {condition}"));
    }
    let name = name.to_owned();
    b.tensors.push(Tensor { name, shape, element, promise, steps: 0, done: true });
}

/// Which tensors are returned.
fn results(b: &mut Builder<'_>, params: usize) -> Vec<Tensor> {
    let defined = b.tensors.len() - params;
    let mut results: Vec<Tensor> = Vec::new();
    let latest: Vec<Tensor> = b.tensors[params..].iter().rev().cloned().collect();
    // what is not returned need not be kept whole
    let often = if b.is_arrays() { 1 } else { 2 };
    for tensor in latest {
        if results.is_empty() || b.choices.chance(often, 3) {
            results.push(tensor);
        }
    }
    match results.len() {
        1 => {}
        _ => b.note("several results"),
    }
    if results.len() < defined {
        b.note("unused definition");
    }
    if b.choices.chance(1, 8) {
        let param = b.choices.below(params);
        b.note("parameter returned");
        results.push(b.tensors[param].clone());
    }
    results
}

fn text(b: &Builder<'_>, params: &[Tensor], results: &[Tensor]) -> String {
    let mut text = String::new();
    if b.constant {
        text.push_str("const half = 0.5\n\n");
    }
    let mut helpers = b.helpers.clone();
    for helper in (0..HELPERS.len()).rev() {
        if helpers.contains(&helper) {
            helpers.extend(callees(helper));
        }
    }
    for helper in helpers {
        text.push_str(HELPERS[helper].1);
        text.push_str("\n\n");
    }
    let sizes = SIZES[..b.sizes].iter().map(|s| format!("{s}: size"));
    let tensors = params.iter().map(declared);
    let relations = b.relations.iter().map(|r| {
        let extents: Vec<String> = r.extents.iter().map(|e| e.text()).collect();
        format!("{}: rel({})", r.name, extents.join(", "))
    });
    let inputs: Vec<String> = sizes.chain(tensors).chain(relations).collect();
    let outputs: Vec<String> = results.iter().map(declared).collect();
    let body = b.lines.join("\n");
    text + &format!("fn main({}) -> ({}) {{\n{body}\n}}\n", inputs.join(", "), outputs.join(", "))
}

/// `x: real[n]`
fn declared(tensor: &Tensor) -> String {
    let extents: Vec<String> = tensor.shape.iter().map(|e| e.text()).collect();
    let shape =
        if extents.is_empty() { String::new() } else { format!("[{}]", extents.join(", ")) };
    match tensor.element {
        Element::Real(_) => format!("{}: real{shape}", tensor.name),
        Element::Index(bound) => format!("{}: index({}){shape}", tensor.name, bound.text()),
    }
}
