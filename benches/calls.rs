//! Calls of compiled programs with memory that is lent to them.

use crate::clock::{once, repeated};
use iverson::executor::{Engine, Executable, Inputs, Options, Output, Outputs, compile};
use iverson::spec::call::Values;
use iverson::spec::ir::{Element, Tensor};
use iverson::spec::ssa::TensorSsa;
use std::hint::black_box;
use std::num::NonZero;

/// Milliseconds of a call of a program in an engine: the best of several, of one for the plain runner.
///
/// # Panics
/// If the program does not run: a mistake of the bench.
pub(crate) fn time(
    program: &TensorSsa,
    inputs: &Values<f64>,
    engine: Engine,
    threads: usize,
) -> f64 {
    let options = Options { engine, threads: NonZero::new(threads), ..Options::default() };
    let mut executable: Executable<f64> = match compile(program, options) {
        Ok(executable) => executable,
        Err(error) => panic!("{}: {error}", program.name),
    };
    let inputs = Inputs::from(inputs);
    let counts: Vec<usize> = match executable.shapes(&inputs) {
        Ok(shapes) => shapes.iter().map(|(_, shape)| shape.iter().product()).collect(),
        Err(error) => panic!("{}: {error}", program.name),
    };
    let rows = program.results.iter().map(|id| program.symbols.tensor(*id));
    let mut memory: Vec<Memory<'_>> =
        rows.zip(counts).map(|(row, count)| Memory::new(row, count)).collect();
    let call = || {
        let mut outputs = Outputs(memory.iter_mut().map(Memory::lend).collect());
        if let Err(error) = executable.run(&inputs, &mut outputs) {
            panic!("{}: {error}", program.name);
        }
        black_box(&outputs);
    };
    if engine == Engine::Runner { once(call) } else { repeated(call) }
}

/// Memory for a result.
struct Memory<'p> {
    name: &'p str,
    entries: Entries,
}

enum Entries {
    Real(Vec<f64>),
    Index(Vec<i64>),
}

impl<'p> Memory<'p> {
    fn new(row: &'p Tensor, count: usize) -> Self {
        let entries = match row.element {
            Element::Real => Entries::Real(vec![0.0; count]),
            Element::Index(_) => Entries::Index(vec![0; count]),
        };
        Self { name: &row.name, entries }
    }

    fn lend(&mut self) -> (&str, Output<'_, f64>) {
        let output = match &mut self.entries {
            Entries::Real(x) => Output::Real(x),
            Entries::Index(x) => Output::Index(x),
        };
        (self.name, output)
    }
}
