//! An oracle for values and derivatives: is somebody's answer right?
//!
//! The true value is computed beside the answer, as an exact fraction as long as
//! the program is rational, and as an interval with outward rounding that is sure
//! to hold it otherwise. The verdict is certain either way, or says that it is not:
//! there is no tolerance to choose. What counts as near enough is a number of
//! units in the last place ([`Ulps`]), or what rounding can do to the reference's
//! own formulas ([`Closeness::Rounding`]).
//!
//! # In your own test suite
//!
//! Write the program in the language, and hand over your gradient as a function of
//! the inputs:
//!
//! ```
//! use iverson::oracle::{Oracle, Point, dense};
//! use iverson::spec::call::{Value, Values};
//!
//! let text = "fn energy(n: size, x: real[n]) -> (e: real) {
//!     e = sum(i: n) [i + 1 < n] * (x[i + 1] - x[i])^2
//! }";
//! let loaded = iverson::pipeline::load(text).unwrap();
//! let oracle = Oracle::gradient(loaded.function(None).unwrap(), &["x"]).unwrap();
//!
//! // the gradient under test: here with a mistake at the last entry
//! let mine = |point: &Point| {
//!     let x = dense(&point.inputs, "x");
//!     let at = |i: usize| if i + 1 < x.len() { 2.0 * (x[i] - x[i + 1]) } else { 0.0 };
//!     let bar = (0..x.len()).map(|i| at(i) - if i > 0 && i + 1 < x.len() { at(i - 1) } else { 0.0 });
//!     Ok(Values::from_iter([("x".to_owned(), Value::vector(bar.collect()))]))
//! };
//!
//! let point = Point::new([("x", Value::vector(vec![3.0, 1.0, 7.0, 2.0]))]);
//! let report = oracle.judge(&point, mine).unwrap();
//! assert!(!report.is_equal());
//! assert_eq!(report.to_string(), "\
//! different: not every entry is within what rounding can do to the reference's formulas
//!   worst entry `x[3]`: found 0.0, true value -10.0, error 5.6e15 ulp
//!   a small counterexample: `x[1]`: found 0.0, true value 2.0, error 4.5e15 ulp
//!   at {
//!     \"n\": 2,
//!     \"x\": [0.0, 1.0]
//!   }
//!   along {
//!     \"e\": 1.0
//!   }");
//! ```
//!
//! In a test: `assert!(report.is_equal(), "{report}")`. The inputs may also be drawn
//! ([`Oracle::random`]); [`Oracle::value`] judges values, [`Oracle::tangent`] forward
//! derivatives, [`Oracle::jacobian`] and [`Oracle::hessian`] whole matrices, given densely.
//!
//! # What the verdict means
//!
//! * **Equal**: every entry is within the bound of the true value. It is proved by
//!   exact arithmetic or by intervals, for this point.
//! * **Different**: an entry is certainly beyond the bound. The witness has the worst
//!   entry and a small counterexample: sizes and inputs shrunk as long as the answer
//!   stays wrong.
//! * **Undecided**: the enclosure is too wide to tell, or the reference has none (a
//!   comparison of two enclosures that overlap, `lgamma`).
//!
//! Derivatives at kinks follow the language's conventions (spec chapter 5). An answer
//! with other conventions differs there, so a report lists the [`Kink`]s near the
//! point, and shrinking never moves onto a tie.

mod error;
mod kinks;
mod measure;
mod report;
mod shrink;
mod truth;

pub use error::OracleError;
pub use kinks::{Kink, KinkKind, Nearness};
pub use measure::{Closeness, Outcome, Ulps};
pub use report::{Counterexample, Entry, Judged, Located, Report, Undecided, Verdict, Witness};
pub use truth::Truth;

use crate::derivative::{Derivative, Kind};
use crate::entry::Entry as _;
use crate::input::Place;
use crate::random;
use iverson_interpreter::{EvalError, Fault, eval_ssa};
use iverson_spec::call::{Dense, Limits, Value, Values, bind};
use iverson_spec::ir::{Block, Def, Program, Rec, TensorId, Typed};
use iverson_spec::normalize;
use iverson_spec::ssa::{Stmt, TensorSsa};
use kinks::{Watch, parameters};
use measure::{error, judge, scale};
use report::worst;
use shrink::Search;

/// Where an answer is judged.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Point {
    /// The inputs of the program by name.
    pub inputs: Values<f64>,
    /// The cotangents of results (for a gradient) or the tangents of inputs, by name.
    /// Those left out are 0; if the first result is a single real and no cotangent is
    /// given, its cotangent is 1.
    pub seeds: Values<f64>,
}

impl Point {
    /// The point with these inputs.
    pub fn new<'n>(inputs: impl IntoIterator<Item = (&'n str, Value<f64>)>) -> Self {
        Self { inputs: named(inputs), seeds: Values::new() }
    }

    /// The same along these cotangents or tangents.
    #[must_use]
    pub fn along<'n>(mut self, seeds: impl IntoIterator<Item = (&'n str, Value<f64>)>) -> Self {
        self.seeds = named(seeds);
        self
    }
}

fn named<'n>(values: impl IntoIterator<Item = (&'n str, Value<f64>)>) -> Values<f64> {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The entries of a real tensor, row-major: a shorthand for answers.
///
/// # Panics
/// If there is no real tensor of that name.
#[must_use]
#[track_caller]
pub fn dense<'v>(values: &'v Values<f64>, name: &str) -> &'v [f64] {
    match values.get(name) {
        Some(Value::Real(dense)) => &dense.data,
        Some(Value::Size(_) | Value::Index(_) | Value::Relation(_)) | None => {
            panic!("there is no real tensor `{name}`")
        }
    }
}

/// A program to judge by: typed, or Tensor SSA.
#[derive(Clone, Debug)]
pub struct Reference(TensorSsa);

impl From<&Typed> for Reference {
    fn from(program: &Typed) -> Self {
        Self(normalize(program))
    }
}

impl From<&TensorSsa> for Reference {
    fn from(program: &TensorSsa) -> Self {
        Self(program.clone())
    }
}

/// What is judged: from a point with all sizes and seeds to tensors by name, or the
/// reason why there is no answer.
type Answer<'a> = &'a mut dyn FnMut(&Point) -> Result<Values<f64>, String>;

/// Judges answers to one question: the values, the gradients, the tangents, the Jacobian or
/// the Hessian of a program.
pub struct Oracle {
    primal: TensorSsa,
    /// What is asked, unless the values themselves are.
    derivative: Option<Derivative>,
    watch: Watch,
    closeness: Closeness,
    nearness: Nearness,
    limits: Limits,
    trials: usize,
}

/// How many points are tried to find a small counterexample.
const TRIALS: usize = 500;

impl Oracle {
    /// Judges the results of a program.
    pub fn value(reference: impl Into<Reference>) -> Self {
        let Reference(primal) = reference.into();
        let watch = Watch::new(&primal, &parameters(&primal, None));
        Self::new(primal, None, watch)
    }

    /// Judges the gradients in the inputs `wrt`: `Jᵀ·ȳ` for the cotangents of a point.
    ///
    /// # Errors
    /// [`OracleError::Derivative`], if a name is no real parameter or a function has
    /// no derivative.
    pub fn gradient(reference: impl Into<Reference>, wrt: &[&str]) -> Result<Self, OracleError> {
        let Reference(primal) = reference.into();
        let derivative = Derivative::gradient(&primal, wrt)?;
        let watch = Watch::new(&primal, &parameters(&primal, Some(wrt)));
        Ok(Self::new(primal, Some(derivative), watch))
    }

    /// Judges the tangents of the real results: `J·ẋ` for the tangents of a point.
    ///
    /// # Errors
    /// As [`Oracle::gradient`].
    pub fn tangent(reference: impl Into<Reference>, wrt: &[&str]) -> Result<Self, OracleError> {
        let Reference(primal) = reference.into();
        let derivative = Derivative::tangent(&primal, wrt)?;
        let watch = Watch::new(&primal, &parameters(&primal, Some(wrt)));
        Ok(Self::new(primal, Some(derivative), watch))
    }

    /// Judges a Jacobian: for each real result `y` and input `x` a dense tensor `dy_dx` with the
    /// axes of `y`, then those of `x`. A point has no seeds.
    ///
    /// * **Cost**: every entry is enclosed, also those that are 0 by structure.
    ///
    /// # Errors
    /// As [`Oracle::gradient`].
    pub fn jacobian(reference: impl Into<Reference>, wrt: &[&str]) -> Result<Self, OracleError> {
        Self::matrix(reference.into(), Kind::Jacobian, wrt)
    }

    /// Judges a Hessian of the first real result `q`: for each pair of inputs a dense tensor
    /// `d2q_dx_dz` with the axes of `x`, then those of `z`. A point has no seeds.
    ///
    /// # Errors
    /// As [`Oracle::gradient`]; and [`OracleError::Derivative`], if `q` has axes.
    pub fn hessian(reference: impl Into<Reference>, wrt: &[&str]) -> Result<Self, OracleError> {
        Self::matrix(reference.into(), Kind::Hessian, wrt)
    }

    fn matrix(Reference(primal): Reference, kind: Kind, wrt: &[&str]) -> Result<Self, OracleError> {
        let derivative = Derivative::new(&primal, kind, wrt)?;
        let watch = Watch::new(&primal, &parameters(&primal, Some(wrt)));
        Ok(Self::new(primal, Some(derivative), watch))
    }

    fn new(primal: TensorSsa, derivative: Option<Derivative>, watch: Watch) -> Self {
        Self {
            primal,
            derivative,
            watch,
            closeness: Closeness::default(),
            nearness: Nearness::default(),
            limits: Limits::default(),
            trials: TRIALS,
        }
    }

    /// The same with another measure of what is near enough.
    #[must_use]
    pub fn closeness(self, closeness: Closeness) -> Self {
        Self { closeness, ..self }
    }

    /// The same, telling ties up to another distance.
    #[must_use]
    pub fn nearness(self, nearness: Nearness) -> Self {
        Self { nearness, ..self }
    }

    /// The same with other limits for the reference's tensors.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same, trying at most so many points to find a small counterexample; 0 for none.
    #[must_use]
    pub fn trials(self, trials: usize) -> Self {
        Self { trials, ..self }
    }

    /// The point with missing inputs drawn at random; the same seed gives the same.
    ///
    /// # Errors
    /// [`OracleError::Inputs`], if `requires` clauses cannot be met.
    pub fn random(&self, point: &Point, seed: u64) -> Result<Point, OracleError> {
        let inputs = random::fill(&typed(&self.primal), &point.inputs, seed, self.limits)?;
        Ok(Point { inputs, seeds: point.seeds.clone() })
    }

    /// Judges what `answer` gives at a point. It is given all sizes and seeds, and
    /// returns a tensor for each name: the results of the program, the inputs `wrt`
    /// (their gradients), the real results (their tangents), or the blocks of a matrix.
    ///
    /// * **Cost**: the reference is evaluated point by point over fractions and
    ///   intervals, once, and up to [`Oracle::trials`] times more to shrink.
    ///
    /// # Errors
    /// [`OracleError`], if the question is wrong or the answer is not shaped like one.
    pub fn judge(
        &self,
        point: &Point,
        mut answer: impl FnMut(&Point) -> Result<Values<f64>, String>,
    ) -> Result<Report, OracleError> {
        let along = !point.seeds.is_empty();
        let point = self.complete(point)?;
        let found = answer(&point).map_err(|message| OracleError::Failed { message })?;
        let (truths, kinks) = match self.truths(&point) {
            Ok(truths) => (truths, self.kinks(&point)?),
            Err(OracleError::Eval(error)) if is_undecided(&error) => {
                return Ok(self.report(Verdict::Undecided(Box::new(Undecided::Reference(error)))));
            }
            Err(error) => return Err(error),
        };
        let tensors = self.compare(&truths, &found)?;
        let worst = worst(&tensors);
        let verdict = match worst {
            Some(worst) if worst.entry.outcome == Outcome::Different => {
                let tied = kinks.iter().any(|kink| kink.gap == 0.0);
                let start = Counterexample { point, worst: worst.clone() };
                let counterexample = Search::new(self, &mut answer, start, tied, along).run();
                Verdict::Different(Box::new(Witness { worst, counterexample }))
            }
            Some(worst) if worst.entry.outcome == Outcome::Undecided => {
                Verdict::Undecided(Box::new(Undecided::Entry(worst)))
            }
            Some(_) | None => Verdict::Equal,
        };
        Ok(Report { tensors, kinks, ..self.report(verdict) })
    }

    fn report(&self, verdict: Verdict) -> Report {
        let (tensors, kinks) = (Vec::new(), Vec::new());
        Report { verdict, closeness: self.closeness, tensors, kinks }
    }

    /// The point with every size and seed.
    fn complete(&self, point: &Point) -> Result<Point, OracleError> {
        let mut inputs = point.inputs.clone();
        let bound = bind(&self.primal, &inputs, self.limits).map_err(EvalError::from)?;
        for (name, n) in self.primal.symbols.sizes.iter().zip(bound.sizes) {
            inputs.insert(name.clone(), Value::Size(n as u64));
        }
        let seeds = match &self.derivative {
            Some(derivative) => derivative.full_seeds(&inputs, &point.seeds, self.limits)?,
            None => Values::new(),
        };
        Ok(Point { inputs: in_order(&self.primal, inputs), seeds })
    }

    /// What is certain about the answer at a complete point.
    fn truths(&self, point: &Point) -> Result<Values<Truth>, OracleError> {
        let (inputs, seeds) = (certain(&point.inputs)?, certain(&point.seeds)?);
        let Some(derivative) = &self.derivative else {
            return Ok(eval_ssa(&self.primal, &inputs, self.limits)?.0);
        };
        let arguments = derivative.arguments(&inputs, &seeds, self.limits)?;
        let (results, _) = eval_ssa(&derivative.program, &arguments, self.limits)?;
        Ok(derivative.split(&results).1)
    }

    fn kinks(&self, point: &Point) -> Result<Vec<Kink>, OracleError> {
        // distances take as much memory as what they are distances of
        let limits = Limits { bytes: self.limits.bytes.saturating_mul(4) };
        Ok(self.watch.kinks(&point.inputs, self.nearness, limits)?)
    }

    /// Each entry of the answer beside its true value.
    fn compare(
        &self,
        truths: &Values<Truth>,
        found: &Values<f64>,
    ) -> Result<Vec<Judged>, OracleError> {
        truths.iter().map(|(name, truth)| self.compare_one(name, truth, found)).collect()
    }

    fn compare_one(
        &self,
        name: &str,
        truth: &Value<Truth>,
        found: &Values<f64>,
    ) -> Result<Judged, OracleError> {
        let truth = numbers(truth, Truth::clone, Truth::of_index);
        let Some(answer) = found.get(name) else {
            let names: Vec<String> = found.keys().map(|name| format!("`{name}`")).collect();
            let found = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            return Err(OracleError::NoAnswer { name: name.to_owned(), found });
        };
        let answer = numbers(answer, |x| *x, |i| i as f64);
        if answer.shape != truth.shape || answer.data.len() != truth.data.len() {
            let (found, wanted) = (answer.shape, truth.shape);
            return Err(OracleError::AnswerShape { name: name.to_owned(), found, wanted });
        }
        let scale = scale(truth.data.iter());
        let entry = |(found, truth): (f64, Truth)| Entry {
            found,
            error: error(found, &truth),
            outcome: judge(found, &truth, self.closeness, scale),
            truth,
        };
        let entries = answer.data.into_iter().zip(truth.data).map(entry).collect();
        Ok(Judged { name: name.to_owned(), shape: truth.shape, entries })
    }

    /// The counterexample at a point, if the answer is certainly wrong there. A point
    /// that is no question is no counterexample, nor is one at a tie unless `tied`.
    fn wrong_at(&self, point: &Point, answer: Answer<'_>, tied: bool) -> Option<Counterexample> {
        let point = self.complete(point).ok()?;
        let truths = self.truths(&point).ok()?;
        let found = answer(&point).ok()?;
        let worst = worst(&self.compare(&truths, &found).ok()?)?;
        let different = worst.entry.outcome == Outcome::Different;
        let at_tie = || self.kinks(&point).is_ok_and(|k| k.iter().any(|k| k.gap == 0.0));
        (different && (tied || !at_tie())).then_some(Counterexample { point, worst })
    }

    /// The tensors of the primal that take a seed.
    fn seeded(&self) -> Vec<TensorId> {
        self.derivative.as_ref().map(Derivative::seeded_tensors).unwrap_or_default()
    }
}

/// Whether the reference has no certain value, while the program may well have one.
fn is_undecided(error: &EvalError) -> bool {
    matches!(*error.fault, Fault::Scalar(_))
}

/// The values in the order of the parameters.
fn in_order(program: &TensorSsa, mut values: Values<f64>) -> Values<f64> {
    let names = program.params.iter().map(|p| crate::json::param_name(&program.symbols, *p));
    names.filter_map(|name| values.shift_remove_entry(name)).collect()
}

/// The values as exact numbers.
fn certain(values: &Values<f64>) -> Result<Values<Truth>, OracleError> {
    values.iter().map(|(name, value)| Ok((name.clone(), certain_value(name, value)?))).collect()
}

fn certain_value(name: &str, value: &Value<f64>) -> Result<Value<Truth>, OracleError> {
    Ok(match value {
        Value::Size(n) => Value::Size(*n),
        Value::Index(dense) => Value::Index(dense.clone()),
        Value::Relation(relation) => Value::Relation(relation.clone()),
        Value::Real(dense) => {
            let entry = |(flat, x): (usize, &f64)| {
                Truth::from_f64(*x).ok_or_else(|| OracleError::NotFinite {
                    place: Place::entry(name, &dense.shape, flat),
                    found: *x,
                })
            };
            let data = dense.data.iter().enumerate().map(entry).collect::<Result<_, _>>()?;
            Value::Real(Dense { shape: dense.shape.clone(), data })
        }
    })
}

/// A tensor as numbers of one kind; sizes and relations, which are no results, are empty.
fn numbers<S, T>(value: &Value<S>, real: impl Fn(&S) -> T, index: impl Fn(i64) -> T) -> Dense<T> {
    match value {
        Value::Real(x) => Dense { shape: x.shape.clone(), data: x.data.iter().map(real).collect() },
        Value::Index(x) => {
            Dense { shape: x.shape.clone(), data: x.data.iter().map(|i| index(*i)).collect() }
        }
        Value::Size(_) | Value::Relation(_) => Dense { shape: vec![0], data: Vec::new() },
    }
}

/// Tensor SSA as a typed program.
fn typed(program: &TensorSsa) -> Typed {
    fn blocks(body: &[Block<Stmt>]) -> Vec<Block<Def>> {
        let block = |block: &Block<Stmt>| match block {
            Block::Stmt(stmt) => Block::Stmt(stmt.to_def()),
            Block::Rec(rec) => Block::Rec(Rec { vars: rec.vars.clone(), body: blocks(&rec.body) }),
            Block::Requires(requires) => Block::Requires(requires.clone()),
        };
        body.iter().map(block).collect()
    }
    Program {
        name: program.name.clone(),
        symbols: program.symbols.clone(),
        params: program.params.clone(),
        body: blocks(&program.body),
        results: program.results.clone(),
    }
}

#[cfg(test)]
mod tests;
