//! Sizes and data that a program can be called with.

use super::builder::{Element, Promise, Relation, Tensor};
use super::extent::{Extent, SIZES};
use iverson::interpreter::Rational;
use iverson::spec::call::{self, Dense, Value, Values};
use std::collections::BTreeSet;

/// An endless stream of small numbers: the given ones, repeated.
pub(crate) struct Data<'d> {
    numbers: &'d [u32],
    at: usize,
}

impl<'d> Data<'d> {
    pub(crate) fn new(numbers: &'d [u32]) -> Self {
        Self { numbers, at: 0 }
    }

    /// One of `0..count`; `count` is positive.
    fn below(&mut self, count: i64) -> i64 {
        let number = self.numbers.get(self.at % self.numbers.len().max(1)).copied().unwrap_or(0);
        self.at += 1;
        ((i64::from(number) * count) >> 32).min(count - 1)
    }
}

/// Values of the sizes for which every shape is natural and every index has a place to point to.
pub(crate) fn sizes(
    count: usize,
    data: &mut Data<'_>,
    params: &[Tensor],
    shapes: &[Extent],
) -> Vec<i64> {
    const LIKELY: [i64; 9] = [0, 1, 2, 3, 1, 2, 0, 3, 4];
    let sizes = (0..count).map(|_| LIKELY[data.below(LIKELY.len() as i64) as usize]).collect();
    made_to_fit(sizes, params, shapes)
}

/// The same, with more and longer axes: about strips, windows of rows and of columns, and what is unrolled. No box of
/// variables has more points than [`POINTS`].
pub(crate) fn longer_sizes(
    count: usize,
    data: &mut Data<'_>,
    params: &[Tensor],
    shapes: &[Extent],
    boxes: &BTreeSet<Vec<Extent>>,
) -> Vec<i64> {
    const SHORT: [i64; 12] = [3, 4, 5, 2, 6, 1, 8, 9, 4, 7, 0, 12];
    const LONG: [i64; 16] = [5, 16, 33, 9, 32, 65, 17, 70, 31, 64, 8, 40, 66, 24, 100, 130];
    let mut pick = |from: &[i64]| from[data.below(from.len() as i64) as usize];
    let mut sizes: Vec<i64> = (0..count).map(|_| pick(&SHORT)).collect();
    let long = pick(&LONG);
    let place = pick(&[0, 1, 2]) as usize;
    sizes[place % count] = long;
    let mut sizes = made_to_fit(sizes, params, shapes);
    let points = |sizes: &[i64]| {
        let of =
            |ranges: &Vec<Extent>| ranges.iter().map(|e| e.value(sizes).max(1)).product::<i64>();
        boxes.iter().map(of).max().unwrap_or(1)
    };
    while points(&sizes) > POINTS {
        sizes = made_to_fit(sizes.iter().map(|n| n - n / 4).collect(), params, shapes);
    }
    sizes
}

/// How many points the variables of an expression may have.
const POINTS: i64 = 8_000;

/// The sizes, raised until they fit.
fn made_to_fit(mut sizes: Vec<i64>, params: &[Tensor], shapes: &[Extent]) -> Vec<i64> {
    let count = sizes.len();
    let fits = |sizes: &[i64]| {
        shapes.iter().all(|e| e.value(sizes) >= 0) && params.iter().all(|p| has_place(p, sizes))
    };
    for raised in 0..count {
        if !fits(&sizes) && sizes[raised] == 0 {
            sizes[raised] = 1;
        }
    }
    if !fits(&sizes) {
        let largest = sizes.iter().copied().max().unwrap_or(1).max(1);
        sizes.fill(largest);
    }
    sizes
}

fn has_place(param: &Tensor, sizes: &[i64]) -> bool {
    match param.element {
        Element::Real(_) => true,
        Element::Index(bound) => {
            bound.value(sizes) > 0 || param.shape.iter().any(|e| e.value(sizes) == 0)
        }
    }
}

/// The arguments: sizes, tensors, relations.
pub(crate) fn values(
    sizes: &[i64],
    params: &[Tensor],
    relations: &[Relation],
    data: &mut Data<'_>,
) -> Values<Rational> {
    let mut values = Values::new();
    for (name, size) in SIZES.iter().zip(sizes) {
        values.insert((*name).to_owned(), Value::Size(*size as u64));
    }
    for param in params {
        values.insert(param.name.clone(), tensor(param, sizes, data));
    }
    for relation in relations {
        values.insert(relation.name.clone(), Value::Relation(tuples(relation, sizes, data)));
    }
    values
}

fn tensor(param: &Tensor, sizes: &[i64], data: &mut Data<'_>) -> Value<Rational> {
    let shape: Vec<usize> = param.shape.iter().map(|e| e.value(sizes) as usize).collect();
    let count: usize = shape.iter().product();
    match param.element {
        Element::Real(_) => {
            let entries = (0..count).map(|_| real(param.promise, data)).collect();
            Value::Real(Dense { shape, data: entries })
        }
        Element::Index(bound) => {
            let bound = bound.value(sizes);
            let mut entries: Vec<i64> =
                (0..count as i64).map(|at| index(param.promise, at, bound, data)).collect();
            if param.promise == Promise::Sorted {
                entries.sort_unstable();
            }
            Value::Index(Dense { shape, data: entries })
        }
    }
}

/// A multiple of 1/2 between -2 and 3; small integers are likely.
fn real(promise: Promise, data: &mut Data<'_>) -> Rational {
    const HALVES: [i64; 12] = [0, 2, -2, 4, 1, -1, 0, 6, 3, 2, -4, 5];
    let halves = HALVES[data.below(HALVES.len() as i64) as usize];
    let halves = if promise == Promise::Nonzero && halves == 0 { 2 } else { halves };
    Rational(dashu_ratio::RBig::from_parts_signed(halves.into(), 2.into()))
}

fn index(promise: Promise, at: i64, bound: i64, data: &mut Data<'_>) -> i64 {
    match promise {
        Promise::Earlier => data.below(at.max(1)).min(bound - 1),
        Promise::Nothing | Promise::Nonzero | Promise::Sorted => data.below(bound),
    }
}

fn tuples(relation: &Relation, sizes: &[i64], data: &mut Data<'_>) -> call::Relation {
    let extents: Vec<i64> = relation.extents.iter().map(|e| e.value(sizes)).collect();
    let mut tuples = vec![Vec::new()];
    for extent in &extents {
        tuples = tuples
            .iter()
            .flat_map(|t: &Vec<i64>| (0..*extent).map(move |i| [t.as_slice(), &[i]].concat()))
            .collect();
    }
    tuples.retain(|_| data.below(2) == 1);
    call::Relation::new(extents.len(), tuples)
}
