//! Inputs that are the same in each run, for the benches that run programs beside others.

use iverson::spec::call::{Dense, Relation, Value, Values};

/// Numbers in [-1, 1); `peers/peers.py` makes them too.
pub(crate) fn numbers(count: usize) -> Vec<f64> {
    (0..count).map(|k| (k * 7919 % 10_007) as f64 / 5003.5 - 1.0).collect()
}

/// Values by name.
pub(crate) fn values<const N: usize>(list: [(&str, Value<f64>); N]) -> Values<f64> {
    list.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether a pixel of an n by n image, row-major, is in it: all but some scattered ones.
pub(crate) fn is_inside(n: usize, at: usize) -> bool {
    !(at / n / 7 + at % n / 5).is_multiple_of(11)
}

/// The pixels of an n by n image that are in it, as a relation.
pub(crate) fn mask(n: usize) -> Value<f64> {
    let data = (0..n * n).map(|at| is_inside(n, at)).collect();
    Value::Relation(Relation::from_mask(&Dense { shape: vec![n, n], data }))
}

/// The rows and columns of a sparse matrix of `n` rows with `each` entries in each.
pub(crate) fn sparse(n: usize, each: usize) -> (Vec<i64>, Vec<i64>) {
    let row = (0..n * each).map(|e| (e / each) as i64).collect();
    let col = (0..n * each).map(|e| ((e / each * 31 + e % each * 977) % n) as i64).collect();
    (row, col)
}
