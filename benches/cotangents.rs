//! What a derivative takes besides the inputs of its program.

use iverson::spec::call::{Dense, Limits, Value, Values, bind, shape};
use iverson::spec::ir::Param;
use iverson::spec::ssa::TensorSsa;

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
