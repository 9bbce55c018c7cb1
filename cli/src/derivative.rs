//! `iverson grad` and `jvp`

use crate::args::{DerivativeArgs, GradArgs, JvpArgs, ScalarKind};
use crate::failure::Failure;
use crate::files;
use iverson::ad::AdError;
use iverson::derivative::{Derivative, Mode, SeedError};
use iverson::entry::Entry;
use iverson::interpreter::{Interval, Rational, eval_ssa};
use iverson::spec::call::Values;
use iverson::spec::ir::Typed;
use iverson::spec::normalize;
use iverson::{json, random};
use std::path::Path;

/// Evaluates a function and its gradient.
pub(crate) fn grad(args: &GradArgs) -> Result<(), Failure> {
    evaluate(&args.derivative, Mode::Reverse, args.cotangent.as_deref())
}

/// Evaluates a function and its derivative along a direction.
pub(crate) fn jvp(args: &JvpArgs) -> Result<(), Failure> {
    evaluate(&args.derivative, Mode::Forward, args.tangent.as_deref())
}

fn evaluate(args: &DerivativeArgs, mode: Mode, seeds: Option<&Path>) -> Result<(), Failure> {
    let program = files::load_function(&args.chosen)?;
    let wrt: Vec<&str> = args.wrt.iter().map(|name| name.trim()).collect();
    let ssa = normalize(&program);
    let derivative = match mode {
        Mode::Reverse => Derivative::gradient(&ssa, &wrt),
        Mode::Forward => Derivative::tangent(&ssa, &wrt),
    };
    let derivative = derivative.map_err(|e| refused(&program, &e))?;
    let text = match args.scalar {
        ScalarKind::F64 => run::<f64>(&program, &derivative, args, seeds),
        ScalarKind::Rational => run::<Rational>(&program, &derivative, args, seeds),
        ScalarKind::Interval => run::<Interval>(&program, &derivative, args, seeds),
    }?;
    files::write_output(args.output.as_deref(), &text)
}

fn run<S: Entry>(
    program: &Typed,
    derivative: &Derivative,
    args: &DerivativeArgs,
    seeds: Option<&Path>,
) -> Result<String, Failure> {
    let mut inputs: Values<S> = args.inputs.read(program)?;
    let limits = args.inputs.limits();
    if let Some(seed) = args.random {
        inputs = random::fill(program, &inputs, seed, limits).map_err(Failure::new)?;
    }
    let seeds = args.inputs.read_seeds(seeds, derivative)?;
    let arguments = derivative.arguments(&inputs, &seeds, limits).map_err(|e| explain(&e))?;
    let results = eval_ssa(&derivative.program, &arguments, limits);
    let (results, _work) = results.map_err(|e| Failure::eval(&e))?;
    let (value, answer) = derivative.split(&results);
    let name = match derivative.mode {
        Mode::Reverse => "gradient",
        Mode::Forward => "tangent",
    };
    Ok(json::write_groups(&[("value", &value), (name, &answer)]))
}

/// A refused `--wrt`, with the names it takes.
pub(crate) fn refused(program: &Typed, error: &AdError) -> Failure {
    match error {
        AdError::NotAnInput { .. } | AdError::NamedTwice { .. } => {
            let names = iverson::derivative::real_parameters(program);
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let function = &program.name;
            Failure::new(format!("`--wrt`: {error}; those of `{function}` are {known}"))
        }
        AdError::NoDerivative { .. } | AdError::NoRealResult | AdError::NotScalar { .. } => {
            Failure::new(error)
        }
    }
}

/// A refused call, with the option that gives what is missing.
fn explain(error: &SeedError) -> Failure {
    match error {
        SeedError::Call(call) => Failure::call(call),
        SeedError::Missing { seed, .. } => Failure::new(format!("{error}, with `--{seed} FILE`")),
        SeedError::NoRealResult { .. }
        | SeedError::Index { .. }
        | SeedError::Unknown { .. }
        | SeedError::Sort { .. }
        | SeedError::Shape { .. } => Failure::new(error),
    }
}
