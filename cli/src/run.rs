//! `iverson run`

use crate::args::{RunArgs, ScalarKind};
use crate::failure::Failure;
use crate::files;
use iverson::entry::Entry;
use iverson::interpreter::{EvalError, Fault, Interval, Rational, eval};
use iverson::spec::call::{CallError, Values};
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
    match &args.output {
        Some(path) => files::write_file(path, &results),
        None => files::write_stdout(&results),
    }
}

fn run_with<S: Entry>(program: &Typed, args: &RunArgs) -> Result<String, Failure> {
    let mut values: Values<S> = args.inputs.read(program)?;
    let limits = args.inputs.limits();
    if let Some(seed) = args.random {
        values = random::fill(program, &values, seed, limits).map_err(Failure::new)?;
    }
    let results = eval(program, &values, limits);
    results.map(|results| json::write(&results)).map_err(|e| explain(&e))
}

/// The message, with what the command line offers against it.
fn explain(error: &EvalError) -> Failure {
    let fault: &Fault = &error.fault;
    let is = |kind: fn(&CallError) -> bool| matches!(fault, Fault::Call(call) if kind(call));
    let offer = if is(|call| matches!(call, CallError::TooLarge { .. })) {
        " (`--memory-limit` sets the limit)"
    } else if is(|call| matches!(call, CallError::Missing { .. } | CallError::Undetermined { .. }))
    {
        "; give it with `--inputs` or `--size`, or let `--random SEED` choose"
    } else {
        ""
    };
    Failure::new(format!("{error}{offer}"))
}
