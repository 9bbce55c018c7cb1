//! `iverson run`

use crate::args::{RunArgs, ScalarKind};
use crate::failure::Failure;
use crate::files;
use iverson::entry::Entry;
use iverson::interpreter::{Interval, Rational, eval};
use iverson::spec::call::Values;
use iverson::spec::ir::Typed;
use iverson::spec::normalize;
use iverson::{json, random};
use std::time::Instant;

/// Evaluates a function and writes its results.
pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    let program = files::load_function(&args.chosen)?;
    args.engine.check(args.scalar == ScalarKind::F64)?;
    let results = match args.scalar {
        ScalarKind::F64 if !args.engine.interprets() => compiled(&program, args),
        ScalarKind::F64 => run_with::<f64>(&program, args),
        ScalarKind::Rational => run_with::<Rational>(&program, args),
        ScalarKind::Interval => run_with::<Interval>(&program, args),
    }?;
    files::write_output(args.output.as_deref(), &results)
}

/// The inputs, the missing ones drawn if asked.
fn inputs<S: Entry>(program: &Typed, args: &RunArgs) -> Result<Values<S>, Failure> {
    let values: Values<S> = args.inputs.read(program)?;
    match args.random {
        Some(seed) => {
            let limits = args.inputs.limits();
            random::fill(program, &values, seed, limits).map_err(Failure::new)
        }
        None => Ok(values),
    }
}

/// By an engine.
fn compiled(program: &Typed, args: &RunArgs) -> Result<String, Failure> {
    let values = inputs(program, args)?;
    let results = args.engine.floats(&normalize(program), &values, args.inputs.limits())?;
    Ok(json::write(&results))
}

/// By the interpreter.
fn run_with<S: Entry>(program: &Typed, args: &RunArgs) -> Result<String, Failure> {
    let values: Values<S> = inputs(program, args)?;
    let start = Instant::now();
    let results = eval(program, &values, args.inputs.limits());
    args.engine.tell("run", start);
    results.map(|results| json::write(&results)).map_err(|e| Failure::eval(&e))
}
