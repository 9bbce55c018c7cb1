//! `iverson grad`, `jvp`, `jacobian`, `hessian`, `hvp` and `jtjv`

use crate::args::{DerivativeArgs, GradArgs, MatrixArgs, ScalarKind, TangentArgs};
use crate::failure::Failure;
use crate::files;
use iverson::ad::AdError;
use iverson::derivative::{Derivative, Kind, SeedError, Shaped, real_parameters};
use iverson::entry::Entry;
use iverson::interpreter::{Interval, Rational};
use iverson::spec::call::Values;
use iverson::spec::ir::Typed;
use iverson::spec::{TensorSsa, normalize};
use iverson::strategies::{self, Strategy, StrategyError};
use iverson::{json, pipeline, random};
use std::path::Path;

/// Evaluates a function and its gradient.
pub(crate) fn grad(args: &GradArgs) -> Result<(), Failure> {
    let task = Task::new(Kind::Gradient, &args.derivative, args.cotangent.as_deref())?;
    match args.strategy.into() {
        Strategy::Indicator => task.evaluate(!args.structured),
        strategy @ (Strategy::Dense | Strategy::Scatter) if args.structured => {
            let name = strategy.name();
            Err(Failure::new(format!(
                "`--strategy {name}` gives dense gradients; `--structured` needs `--strategy indicator`"
            )))
        }
        strategy @ (Strategy::Dense | Strategy::Scatter) => task.run(strategy),
    }
}

/// Evaluates a derivative along a direction.
pub(crate) fn along(kind: Kind, args: &TangentArgs) -> Result<(), Failure> {
    Task::new(kind, &args.derivative, args.tangent.as_deref())?.evaluate(true)
}

/// Evaluates all entries of a derivative.
pub(crate) fn matrix(kind: Kind, args: &MatrixArgs) -> Result<(), Failure> {
    Task::new(kind, &args.derivative, None)?.evaluate(args.dense)
}

/// A derivative to evaluate.
struct Task<'a> {
    program: Typed,
    derivative: Derivative,
    args: &'a DerivativeArgs,
    wrt: Vec<&'a str>,
    seeds: Option<&'a Path>,
}

impl<'a> Task<'a> {
    fn new(kind: Kind, args: &'a DerivativeArgs, seeds: Option<&'a Path>) -> Result<Self, Failure> {
        let program = files::load_function(&args.chosen)?;
        let wrt = names(&args.wrt);
        let derivative = pipeline::differentiate(&normalize(&program), kind, &wrt);
        let derivative = derivative.map_err(|e| refused(&program, &e))?;
        Ok(Self { program, derivative, args, wrt, seeds })
    }

    /// Evaluates the derivative as a program.
    fn evaluate(&self, dense: bool) -> Result<(), Failure> {
        let (engine, limits) = (&self.args.engine, self.args.inputs.limits());
        engine.check(self.args.scalar == ScalarKind::F64)?;
        self.write(&match self.args.scalar {
            ScalarKind::F64 => self.results::<f64>(dense, |p, a| engine.floats(p, a, limits)),
            ScalarKind::Rational => {
                self.results::<Rational>(dense, |p, a| engine.interpret(p, a, limits))
            }
            ScalarKind::Interval => {
                self.results::<Interval>(dense, |p, a| engine.interpret(p, a, limits))
            }
        }?)
    }

    fn results<S: Entry>(
        &self,
        dense: bool,
        run: impl Fn(&TensorSsa, &Values<S>) -> Result<Values<S>, Failure>,
    ) -> Result<String, Failure> {
        let arguments = self.arguments::<S>()?;
        if dense {
            return Ok(self.text(&run(&self.derivative.program, &arguments)?));
        }
        let structured = self.derivative.structured();
        let results = run(&structured.program, &arguments)?;
        let answers = structured.answers(&arguments, &results);
        let answers = answers.map_err(|e| Failure::call(&e))?;
        Ok(self.tree(
            &results,
            answers.iter().map(|answer| match answer {
                Shaped::Dense(value) => json::write_value(value),
                Shaped::Sparse { form, entries } => json::write_sparse(form, entries),
            }),
        ))
    }

    /// Runs another strategy for the gradient.
    fn run(&self, strategy: Strategy) -> Result<(), Failure> {
        let name = strategy.name();
        if !self.args.engine.interprets() {
            return Err(Failure::new(format!(
                "`--strategy {name}` runs by itself; `--engine` needs `--strategy indicator`"
            )));
        }
        if self.args.scalar != ScalarKind::F64 {
            return Err(Failure::new(format!(
                "`--strategy {name}` computes in f64 alone; leave `--scalar` out, or take `--strategy indicator`"
            )));
        }
        let (arguments, limits) = (self.arguments::<f64>()?, self.args.inputs.limits());
        let primal = &self.derivative.primal;
        let prepared = strategies::Prepared::new(strategy, primal, &self.wrt, &arguments, limits);
        let outcome = prepared.and_then(|mut prepared| prepared.run());
        let outcome = outcome.map_err(|e| explain_strategy(strategy, &e))?;
        let mut results = outcome.values;
        results.extend(outcome.gradient);
        self.write(&self.text(&results))
    }

    fn arguments<S: Entry>(&self) -> Result<Values<S>, Failure> {
        let args = self.args;
        let mut inputs: Values<S> = args.inputs.read(&self.program)?;
        let limits = args.inputs.limits();
        if let Some(seed) = args.random {
            inputs = random::fill(&self.program, &inputs, seed, limits).map_err(Failure::new)?;
        }
        let seeds = args.inputs.read_seeds(self.seeds, &self.derivative)?;
        self.derivative.arguments(&inputs, &seeds, limits).map_err(|e| explain(&e))
    }

    /// The results as nested objects.
    fn text<S: Entry>(&self, results: &Values<S>) -> String {
        let answers = self.derivative.answers().iter();
        self.tree(results, answers.map(|answer| json::write_value(&results[&answer.result])))
    }

    /// The answers as nested objects, beside the values where they are asked for.
    fn tree<S: Entry>(&self, value: &Values<S>, answers: impl Iterator<Item = String>) -> String {
        let kind = self.derivative.kind;
        let mut fields = Vec::new();
        match kind {
            Kind::Gradient | Kind::Tangent => {
                for result in &self.derivative.primal.results {
                    let name = &self.derivative.primal.symbols.tensor(*result).name;
                    fields.push((vec!["value", name], json::write_value(&value[name])));
                }
            }
            Kind::Jacobian | Kind::Hessian | Kind::Hvp | Kind::Jtjv => {}
        }
        for (answer, text) in self.derivative.answers().iter().zip(answers) {
            let names = answer.of.iter().map(String::as_str);
            fields.push((std::iter::once(kind.name()).chain(names).collect(), text));
        }
        json::write_tree(&fields)
    }

    fn write(&self, text: &str) -> Result<(), Failure> {
        files::write_output(self.args.output.as_deref(), text)
    }
}

/// The names given to `--wrt`.
pub(crate) fn names(wrt: &[String]) -> Vec<&str> {
    wrt.iter().map(|name| name.trim()).collect()
}

/// A refused derivative; with the names that `--wrt` takes if it is about them.
pub(crate) fn refused(program: &Typed, error: &AdError) -> Failure {
    match error {
        AdError::NotAnInput { .. } | AdError::NamedTwice { .. } => {
            let names = real_parameters(program);
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

fn explain_strategy(strategy: Strategy, error: &StrategyError) -> Failure {
    match error {
        StrategyError::Call(call) => Failure::call(call),
        StrategyError::Derivative(_)
        | StrategyError::Violated { .. }
        | StrategyError::IndexOutOfRange { .. }
        | StrategyError::Unsupported { .. }
        | StrategyError::NotARunTime => {
            Failure::new(format!("`--strategy {}`: {error}", strategy.name()))
        }
    }
}
