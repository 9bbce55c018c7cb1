//! Inputs that are the same in each run, for the benches that run programs beside others.

use iverson::spec::call::{Dense, Limits, Relation, Value, Values, bind, shape};
use iverson::spec::ir::Param;
use iverson::spec::ssa::TensorSsa;

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

/// The inputs of a program, and ones as what its derivative takes besides.
///
/// # Panics
/// If they are not those of the program: a mistake of the bench.
pub(crate) fn with_cotangents(
    derivative: &TensorSsa,
    program: &TensorSsa,
    inputs: &Values<f64>,
) -> Values<f64> {
    let mut all = inputs.clone();
    let sizes = match bind(program, inputs, Limits { bytes: u64::MAX }) {
        Ok(bound) => bound.sizes,
        Err(error) => panic!("{}: {error}", program.name),
    };
    for param in &derivative.params[program.params.len()..] {
        let Param::Tensor(tensor) = param else { continue };
        let shape = match shape(&derivative.symbols, *tensor, &sizes) {
            Ok(shape) => shape,
            Err(error) => panic!("{}: {error}", program.name),
        };
        let data = vec![1.0; shape.iter().product()];
        let name = derivative.symbols.tensor(*tensor).name.clone();
        all.insert(name, Value::Real(Dense { shape, data }));
    }
    all
}
