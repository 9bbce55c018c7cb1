//! What gradients cost, strategy by strategy, beside their programs.

use super::{
    Growth, Sizes, WorkError, box_points, depends_on_data, drawn,
    samples::{Counter, Samples},
    statements,
};
use crate::derivative::{Derivative, Kind};
use crate::pipeline;
use crate::random::{self, Refusal};
use iverson_interpreter::{Model, eval_ssa};
use iverson_spec::call::{Dense, Limits, Value, Values, bind, entries, shape};
use iverson_spec::ir::Typed;
use iverson_spec::normalize;
use iverson_strategies::{Prepared, Strategy};

/// What gradients cost by each strategy.
#[derive(Clone, Debug)]
pub struct GradientWork {
    /// The sizes.
    pub sizes: Sizes,
    /// A row for each strategy and model.
    pub rows: Vec<StrategyWork>,
}

/// What a gradient costs by one strategy in one model.
#[derive(Clone, Debug)]
pub struct StrategyWork {
    /// The strategy.
    pub strategy: Strategy,
    /// The model by which programs are counted; `None` for strategies that count what
    /// they execute.
    pub model: Option<Model>,
    /// The work of the program alone.
    pub primal: Growing,
    /// The work of values and gradients together.
    pub gradient: Growing,
}

/// A count at the given sizes, and how it grows with them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Growing {
    /// The count.
    pub work: u64,
    /// Its growth.
    pub growth: Growth,
}

impl StrategyWork {
    /// Values and gradients as a multiple of the values; `None` if those cost nothing.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        (self.primal.work > 0).then(|| self.gradient.work as f64 / self.primal.work as f64)
    }
}

/// Counts the work of the gradients in `wrt` of the normal form of `program`, for
/// cotangents 1 of all real results; missing inputs are filled in at random.
///
/// # Errors
/// [`WorkError`] if there is no derivative, inputs cannot be filled in, the program
/// has no value, or a strategy does not run it.
pub fn gradient_work(
    program: &Typed,
    wrt: &[&str],
    strategies: &[Strategy],
    values: &Values<f64>,
    seed: u64,
    limits: Limits,
) -> Result<GradientWork, WorkError> {
    let primal = normalize(program);
    let derivative = pipeline::differentiate(&primal, Kind::Gradient, wrt)?;
    let values = random::fill(program, values, seed, limits)?;
    let bound = bind(&primal, &values, limits).map_err(Refusal::Call)?;
    let names = &program.symbols.sizes;
    let sizes = names.iter().cloned().zip(bound.sizes.iter().map(|&n| n as u64)).collect();
    let wrt = wrt.iter().map(ToString::to_string).collect();
    let counter = Gradients { program, derivative, wrt, strategies, limits };
    let counts = counter.at(&values)?;
    let tests_data = |k: usize| {
        let sparse = counter.rows()[k / 2].1 != Some(Model::Dense);
        let all = [&counter.derivative.primal, &counter.derivative.program];
        let statements = all.into_iter().flat_map(|program| statements(&program.body));
        sparse && statements.into_iter().any(depends_on_data)
    };
    let data: Vec<bool> = (0..counts.len()).map(tests_data).collect();
    let rows = counter.rows();
    let mut samples = Samples::new(counter, counts.len(), seed);
    let mut growing = |k: usize| Growing {
        work: counts[k],
        growth: if data[k] { Growth::Data } else { samples.growth(names, k) },
    };
    let row = |(k, (strategy, model)): (usize, (Strategy, Option<Model>))| StrategyWork {
        strategy,
        model,
        primal: growing(2 * k),
        gradient: growing(2 * k + 1),
    };
    let rows = rows.into_iter().enumerate().map(row).collect();
    Ok(GradientWork { sizes, rows })
}

/// Counts, for each row, the program's work and that with its gradients.
struct Gradients<'a> {
    program: &'a Typed,
    derivative: Derivative,
    wrt: Vec<String>,
    strategies: &'a [Strategy],
    limits: Limits,
}

impl Gradients<'_> {
    fn rows(&self) -> Vec<(Strategy, Option<Model>)> {
        let models = |strategy: &Strategy| match strategy {
            Strategy::Dense | Strategy::Scatter => vec![(*strategy, None)],
            Strategy::Indicator => {
                vec![(*strategy, Some(Model::Sparse)), (*strategy, Some(Model::Dense))]
            }
        };
        self.strategies.iter().flat_map(models).collect()
    }

    /// All counts for these inputs.
    fn at(&self, inputs: &Values<f64>) -> Result<Vec<u64>, WorkError> {
        let seeds = self.ones(inputs)?;
        let arguments = self.derivative.arguments(inputs, &seeds, self.limits)?;
        let mut counts = Vec::new();
        for &strategy in self.strategies {
            match strategy {
                Strategy::Dense | Strategy::Scatter => {
                    let wrt: Vec<&str> = self.wrt.iter().map(String::as_str).collect();
                    let primal = &self.derivative.primal;
                    let outcome = Prepared::new(strategy, primal, &wrt, &arguments, self.limits)
                        .and_then(|mut prepared| prepared.run())
                        .map_err(|error| WorkError::Strategy { strategy, error })?;
                    counts.extend([outcome.primal.work(), outcome.total().work()]);
                }
                Strategy::Indicator => {
                    let (_, primal) = eval_ssa(&self.derivative.primal, inputs, self.limits)?;
                    let (_, both) = eval_ssa(&self.derivative.program, &arguments, self.limits)?;
                    for model in [Model::Sparse, Model::Dense] {
                        counts.extend([primal.work(model), both.work(model)]);
                    }
                }
            }
        }
        Ok(counts)
    }

    /// Cotangents 1.
    fn ones(&self, inputs: &Values<f64>) -> Result<Values<f64>, WorkError> {
        let primal = &self.derivative.primal;
        let sizes = bind(primal, inputs, self.limits).map_err(Refusal::Call)?.sizes;
        let one = |tensor| {
            let shape = shape(&primal.symbols, tensor, &sizes).map_err(Refusal::Call)?;
            let data = vec![1.0; entries(&shape).unwrap_or(0)];
            let name = primal.symbols.tensor(tensor).name.clone();
            Ok((name, Value::Real(Dense { shape, data })))
        };
        self.derivative.seeded_tensors().into_iter().map(one).collect()
    }
}

impl Counter for Gradients<'_> {
    fn points(&self, sizes: &[u64]) -> Option<u128> {
        let sizes = sizes.iter().copied().map(Some).collect();
        let primal = box_points(&self.derivative.primal, &sizes)?;
        primal.checked_add(box_points(&self.derivative.program, &sizes)?)
    }

    fn counts(&self, sizes: &[u64], seed: u64) -> Option<Vec<u64>> {
        self.at(&drawn(self.program, sizes, seed, self.limits)?).ok()
    }
}
