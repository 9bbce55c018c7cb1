//! A program with its derivatives, and what they are called with.

use crate::generate::program::show;
use crate::generate::{Case, failure};
use dashu_ratio::RBig;
use iverson::ad::{jvp, vjp};
use iverson::interpreter::{Dual, EvalError, Rational, Scalar, eval, eval_ssa};
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::ir::{Element, Param};
use iverson::spec::{TensorSsa, Typed, normalize, render, unelaborate};
use proptest::test_runner::TestCaseError;

/// A program and a point.
pub(crate) struct Subject {
    pub(crate) typed: Typed,
    pub(crate) ssa: TensorSsa,
    /// The real parameters.
    pub(crate) wrt: Vec<String>,
}

impl Subject {
    pub(crate) fn new(case: &Case) -> Result<Self, TestCaseError> {
        let loaded = load(&case.text)
            .map_err(|found| failure(render::render(&found, "case.iv", &case.text)))?;
        let typed = loaded.function(None).map_err(|none| failure(none.to_string()))?.clone();
        let ssa = normalize(&typed);
        let wrt = real_params(&ssa);
        Ok(Self { typed, ssa, wrt })
    }

    pub(crate) fn jvp(&self) -> Result<TensorSsa, TestCaseError> {
        forward(&self.ssa, &self.wrt)
    }

    pub(crate) fn vjp(&self) -> Result<TensorSsa, TestCaseError> {
        reverse(&self.ssa, &self.wrt)
    }
}

fn names(wrt: &[String]) -> Vec<&str> {
    wrt.iter().map(String::as_str).collect()
}

pub(crate) fn forward(program: &TensorSsa, wrt: &[String]) -> Result<TensorSsa, TestCaseError> {
    jvp(program, &names(wrt)).map_err(|error| failure(error.to_string()))
}

pub(crate) fn reverse(program: &TensorSsa, wrt: &[String]) -> Result<TensorSsa, TestCaseError> {
    vjp(program, &names(wrt)).map_err(|error| failure(error.to_string()))
}

/// The real parameters by name.
pub(crate) fn real_params(program: &TensorSsa) -> Vec<String> {
    params(program).into_iter().map(|(name, _)| name).collect()
}

/// The real parameters by name, with the place of each among the parameters.
fn params(program: &TensorSsa) -> Vec<(String, usize)> {
    let tensor = |(place, param): (usize, &Param)| match *param {
        Param::Tensor(t) if program.symbols.tensor(t).element == Element::Real => {
            Some((program.symbols.tensor(t).name.clone(), place))
        }
        Param::Tensor(_) | Param::Size(_) | Param::Relation(_) => None,
    };
    program.params.iter().enumerate().filter_map(tensor).collect()
}

/// The parameters that a derivative has after those of its program.
pub(crate) fn added_params(derivative: &TensorSsa, program: &TensorSsa) -> Vec<String> {
    let added = params(derivative).into_iter().filter(|(_, place)| *place >= program.params.len());
    added.map(|(name, _)| name).collect()
}

/// The real results by name.
pub(crate) fn real_results(program: &TensorSsa) -> Vec<String> {
    let row = |t| program.symbols.tensor(t);
    let real = program.results.iter().filter(|t| row(**t).element == Element::Real);
    real.map(|t| row(*t).name.clone()).collect()
}

/// The results that a derivative has after those of its program.
pub(crate) fn added_results(derivative: &TensorSsa, program: &TensorSsa) -> Vec<String> {
    let added = &derivative.results[program.results.len()..];
    added.iter().map(|t| derivative.symbols.tensor(*t).name.clone()).collect()
}

/// Random rationals: the halves from -2 to 2 in an order that the seed decides.
pub(crate) struct Directions(u64);

impl Directions {
    /// Directions that depend on the program, so that shrinking keeps them stable.
    pub(crate) fn new(case: &Case) -> Self {
        Self(case.text.len() as u64 * 2_654_435_761 + 12345)
    }

    fn next(&mut self) -> Rational {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let halves = ((self.0 >> 33) % 9) as i64 - 4;
        Rational(RBig::from_parts_signed(halves.into(), 2.into()))
    }

    /// A tensor shaped like another.
    pub(crate) fn like<S>(&mut self, other: &Dense<S>) -> Dense<Rational> {
        let data = other.data.iter().map(|_| self.next()).collect();
        Dense { shape: other.shape.clone(), data }
    }

    /// A direction for each named tensor.
    pub(crate) fn at<S>(&mut self, values: &Values<S>, names: &[String]) -> Vec<Dense<Rational>> {
        names.iter().map(|name| self.like(real(values, name))).collect()
    }
}

/// A real tensor by name.
pub(crate) fn real<'v, S>(values: &'v Values<S>, name: &str) -> &'v Dense<S> {
    match values.get(name) {
        Some(Value::Real(dense)) => dense,
        Some(Value::Size(_) | Value::Index(_) | Value::Relation(_)) | None => {
            panic!("`{name}` is no real tensor of the call")
        }
    }
}

/// The inputs with more tensors.
pub(crate) fn with<S: Clone>(
    inputs: &Values<S>,
    names: &[String],
    tensors: &[Dense<S>],
) -> Values<S> {
    let mut all = inputs.clone();
    let tensors = tensors.iter().map(|tensor| Value::Real(tensor.clone()));
    all.extend(names.iter().cloned().zip(tensors));
    all
}

/// The inputs over other scalars.
pub(crate) fn map<S, T>(inputs: &Values<S>, entry: impl Fn(&S) -> T) -> Values<T> {
    let value = |value: &Value<S>| match value {
        Value::Size(n) => Value::Size(*n),
        Value::Index(p) => Value::Index(p.clone()),
        Value::Relation(r) => Value::Relation(r.clone()),
        Value::Real(x) => {
            Value::Real(Dense { shape: x.shape.clone(), data: x.data.iter().map(&entry).collect() })
        }
    };
    inputs.iter().map(|(name, v)| (name.clone(), value(v))).collect()
}

/// The inputs as dual numbers: those named move in the directions, the others are still.
pub(crate) fn dual<S: Scalar>(
    inputs: &Values<S>,
    wrt: &[String],
    directions: &[Dense<S>],
) -> Values<Dual<S>> {
    let mut duals = map(inputs, |x| Dual::still(x.clone()));
    for (name, direction) in wrt.iter().zip(directions) {
        let primal = real(inputs, name);
        let pairs = primal.data.iter().zip(&direction.data);
        let data = pairs.map(|(x, dx)| Dual::new(x.clone(), dx.clone())).collect();
        duals.insert(name.clone(), Value::Real(Dense { shape: primal.shape.clone(), data }));
    }
    duals
}

/// The tangents of a real tensor of duals.
pub(crate) fn tangents<S: Scalar>(duals: &Dense<Dual<S>>) -> Dense<S> {
    let data = duals.data.iter().map(Dual::tangent).collect();
    Dense { shape: duals.shape.clone(), data }
}

/// The results of a normal form.
pub(crate) fn run<S: Scalar>(
    program: &TensorSsa,
    inputs: &Values<S>,
) -> Result<Values<S>, EvalError> {
    eval_ssa(program, inputs, Limits::default()).map(|(results, _)| results)
}

/// The results of a typed program.
pub(crate) fn denotation<S: Scalar>(
    program: &Typed,
    inputs: &Values<S>,
) -> Result<Values<S>, EvalError> {
    eval(program, inputs, Limits::default())
}

/// The inner product of two lists of tensors.
pub(crate) fn inner(a: &[Dense<Rational>], b: &[Dense<Rational>]) -> Rational {
    let pairs = a.iter().zip(b).flat_map(|(a, b)| a.data.iter().zip(&b.data));
    Rational(pairs.fold(RBig::ZERO, |sum, (x, y)| sum + &x.0 * &y.0))
}

/// The text of a program, with what it was called with, for a failure.
pub(crate) fn called(program: &TensorSsa, inputs: &Values<Rational>) -> String {
    format!("{}called with\n{}", unelaborate::ssa(program), show(inputs))
}
