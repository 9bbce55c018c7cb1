//! A derivative bound to a point, to be run many times.

use super::{Subject, Way};
use iverson_executor::{CompileError, Executable, Inputs, Options, Output, Outputs, compile};
use iverson_pathological::Point;
use iverson_spec::call::{CallError, Dense, Limits, Value, Values, bind};
use iverson_strategies::scatter::Scatter;
use iverson_strategies::{Prepared, StrategyError};
use iverson_structured::Structure;
use std::num::NonZero;
use thiserror::Error;

/// Why a way does not run at a point.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum RunError {
    /// A strategy that runs backwards refused.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    /// The executor refused to compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The executor refused to run.
    #[error(transparent)]
    Run(#[from] iverson_executor::RunError),
    /// The arguments are not those of the program.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// What runs a way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// For dense a tape, for all others the sequential loops of scatter: so that derivatives
    /// are compared, and not compilers. Those of the control visit every point of a box.
    Own,
    /// The executor's block engine with at most so many threads, for programs that are run
    /// as they are.
    Block(NonZero<usize>),
    /// The same as native code, on one thread.
    Native,
}

impl Engine {
    /// The executor's engine and its threads.
    fn compiled(self) -> Option<(iverson_executor::Engine, NonZero<usize>)> {
        match self {
            Self::Own => None,
            Self::Block(threads) => Some((iverson_executor::Engine::Block, threads)),
            Self::Native => Some((iverson_executor::Engine::Native, NonZero::<usize>::MIN)),
        }
    }
}

/// What a run says that it cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spent {
    /// Its exact work; `None` where the run does not count it.
    pub work: Option<u64>,
    /// The most bytes of tensors that one pass had alive, its arguments included; `None`
    /// where the run does not count them.
    pub peak_bytes: Option<u64>,
}

/// A way bound to a point.
#[derive(Debug)]
pub struct Run {
    way: Way,
    sizes: Vec<i64>,
    machine: Machine,
}

#[derive(Debug)]
enum Machine {
    /// A reverse mode: one pass for each cotangent.
    Backwards(Vec<Prepared<f64>>),
    /// A program that is run as it is, by the loops of scatter.
    Forwards(Box<Scatter<f64>>),
    /// The same compiled by the executor, with its arguments and the memory for its results.
    Compiled { executable: Box<Executable<f64>>, inputs: Values<f64>, results: Values<f64> },
}

impl Run {
    /// Binds a way to a point.
    ///
    /// # Errors
    /// [`RunError`] if a strategy or the executor refuses.
    ///
    /// # Panics
    /// If the executor is asked to run what runs backwards: a mistake of the caller.
    pub fn new(subject: &Subject, way: Way, engine: Engine, at: &Point) -> Result<Self, RunError> {
        // what a way keeps in memory is for it to refuse
        let sizes = bind(&subject.program, &at.inputs, Limits { bytes: u64::MAX })?.sizes;
        Ok(Self { way, sizes, machine: Machine::new(subject, way, engine, at)? })
    }

    /// Runs it; what it gives stays inside.
    ///
    /// # Errors
    /// [`RunError`] if the data are not as the program demands.
    pub fn run(&mut self) -> Result<Spent, RunError> {
        match &mut self.machine {
            Machine::Backwards(passes) => {
                let (mut work, mut peak) = (0, 0);
                for pass in passes {
                    let expense = pass.compute()?;
                    work += expense.total().work();
                    peak = expense.peak_bytes.max(peak);
                }
                Ok(Spent { work: Some(work), peak_bytes: Some(peak) })
            }
            Machine::Forwards(pass) => {
                let expense = pass.compute()?;
                let peak_bytes = Some(expense.peak_bytes);
                Ok(Spent { work: Some(expense.primal.work()), peak_bytes })
            }
            Machine::Compiled { executable, inputs, results } => {
                executable.run(&Inputs::from(&*inputs), &mut outputs(results))?;
                Ok(Spent { work: None, peak_bytes: None })
            }
        }
    }

    /// Runs it and gives the derivative: its entries, row-major, for each input (of a
    /// directional derivative: for each result), as a reference does, zeros included. Not
    /// for the program alone.
    ///
    /// # Errors
    /// As [`Run::run`].
    pub fn derivative(&mut self, subject: &Subject) -> Result<Vec<Vec<f64>>, RunError> {
        let values = match &mut self.machine {
            Machine::Backwards(passes) => {
                // by place: in the program of a gradient the name `x_bar` is taken
                let mut all = vec![Vec::new(); subject.member.wrt.len()];
                for pass in passes {
                    let gradient = pass.run()?.gradient;
                    for (all, name) in all.iter_mut().zip(gradient.keys()) {
                        all.extend(entries(&gradient, name));
                    }
                }
                return Ok(all);
            }
            Machine::Forwards(pass) => &pass.run()?.values,
            Machine::Compiled { executable, inputs, results } => {
                executable.run(&Inputs::from(&*inputs), &mut outputs(results))?;
                results
            }
        };
        let names = subject.derivative_names();
        if self.way != Way::Indicator || subject.structures.is_empty() {
            return Ok(names.iter().map(|name| entries(values, name).to_vec()).collect());
        }
        let dense = |structure: &Structure| {
            let dense = structure.dense(&self.sizes, values, &0.0, |a, b| a + b);
            dense.map(|dense| dense.data).unwrap_or_else(|missing| {
                unreachable!("the values are the results of the program that was split: {missing}")
            })
        };
        Ok(subject.structures.iter().map(dense).collect())
    }

    /// All numbers that compiled loops give, as they give them: of a structured result its values.
    /// None for ways without.
    ///
    /// # Errors
    /// As [`Run::run`].
    pub fn compiled_numbers(&mut self) -> Result<Vec<f64>, RunError> {
        let Machine::Compiled { executable, inputs, results } = &mut self.machine else {
            return Ok(Vec::new());
        };
        executable.run(&Inputs::from(&*inputs), &mut outputs(results))?;
        let names: Vec<String> = results.keys().cloned().collect();
        Ok(names.iter().flat_map(|name| entries(results, name)).copied().collect())
    }
}

impl Machine {
    fn new(subject: &Subject, way: Way, engine: Engine, at: &Point) -> Result<Self, RunError> {
        let program = subject.evaluated(way);
        if let Some((engine, threads)) = engine.compiled() {
            assert!(way.strategy().is_none(), "the executor runs no {way}");
            let options = Options { engine, threads: Some(threads), ..Options::default() };
            let mut executable = Box::new(compile(program, options)?);
            let inputs = subject.arguments(way, at);
            let results = executable.call(&inputs)?;
            return Ok(Self::Compiled { executable, inputs, results });
        }
        let limits = Limits::default();
        match (way, way.strategy()) {
            (_, Some(strategy)) => {
                let passes = subject.passes(way, at);
                let pass =
                    |inputs| Prepared::new(strategy, program, subject.member.wrt, inputs, limits);
                Ok(Self::Backwards(passes.iter().map(pass).collect::<Result<_, _>>()?))
            }
            (Way::DenseIndicator, None) => {
                let inputs = subject.arguments(way, at);
                Ok(Self::Forwards(Box::new(Scatter::in_box(program, &inputs, limits)?)))
            }
            (Way::Primal | Way::Dense | Way::Scatter | Way::Indicator, None) => {
                let inputs = subject.arguments(way, at);
                Ok(Self::Forwards(Box::new(Scatter::new(program, &[], &inputs, limits)?)))
            }
        }
    }
}

fn entries<'v>(values: &'v Values<f64>, name: &str) -> &'v [f64] {
    match &values[name] {
        Value::Real(Dense { data, .. }) => data,
        Value::Size(_) | Value::Index(_) | Value::Relation(_) => &[],
    }
}

/// The memory of results, lent.
fn outputs(results: &mut Values<f64>) -> Outputs<'_, f64> {
    Outputs(results.iter_mut().map(|(name, value)| lend(name, value)).collect())
}

fn lend<'v>(name: &'v str, value: &'v mut Value<f64>) -> (&'v str, Output<'v, f64>) {
    match value {
        Value::Real(x) => (name, Output::Real(&mut x.data)),
        Value::Index(p) => (name, Output::Index(&mut p.data)),
        Value::Size(_) | Value::Relation(_) => unreachable!("results are tensors"),
    }
}
