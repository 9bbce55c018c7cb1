//! `iverson run`

use crate::args::{RunArgs, ScalarKind};
use crate::failure::Failure;
use crate::files;
use iverson::entry::Entry;
use iverson::interpreter::{Interval, Rational, eval};
use iverson::spec::call::Values;
use iverson::spec::ir::Typed;
use iverson::{json, random};

/// Evaluates a function and writes its results.
pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    let program = files::load_function(&args.chosen)?;
    let results = match args.scalar {
        ScalarKind::F64 => run_with::<f64>(&program, args),
        ScalarKind::Rational => run_with::<Rational>(&program, args),
        ScalarKind::Interval => run_with::<Interval>(&program, args),
    }?;
    files::write_output(args.output.as_deref(), &results)
}

fn run_with<S: Entry>(program: &Typed, args: &RunArgs) -> Result<String, Failure> {
    let mut values: Values<S> = args.inputs.read(program)?;
    let limits = args.inputs.limits();
    if let Some(seed) = args.random {
        values = random::fill(program, &values, seed, limits).map_err(Failure::new)?;
    }
    let results = eval(program, &values, limits);
    results.map(|results| json::write(&results)).map_err(|e| Failure::eval(&e))
}
