//! Laws of the oracle over random programs: it never accuses the gradient that the
//! reference's own program gives in `f64`, by whichever strategy, and never acquits a
//! gradient that is changed by more than rounding. `IVERSON_CASES` is the number of
//! programs for each, as in `tests/laws`.

#[path = "../generate/mod.rs"]
mod generate;

use dashu_base::Approximation;
use generate::{Case, Flavour, check_all, failure};
use iverson::derivative::{Derivative, Kind, real_parameters};
use iverson::interpreter::{Rational, eval_ssa};
use iverson::oracle::{Closeness, Oracle, OracleError, Point, Report, Ulps, Verdict};
use iverson::pipeline::{differentiate, load};
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::{TensorSsa, Typed, normalize, render};
use iverson::strategies::{Prepared, Strategy};
use std::cell::Cell;

/// A random program with inputs and cotangents in `f64`.
struct Subject {
    typed: Typed,
    ssa: TensorSsa,
    point: Point,
}

impl Subject {
    /// `None` if the program has no real result or no real parameter.
    fn new(case: &Case) -> Result<Option<Self>, proptest::test_runner::TestCaseError> {
        let loaded = load(&case.text)
            .map_err(|found| failure(render::render(&found, "case.iv", &case.text)))?;
        let typed = loaded.function(None).map_err(|none| failure(none.to_string()))?.clone();
        let ssa = normalize(&typed);
        let inputs: Values<f64> =
            case.inputs.iter().map(|(name, value)| (name.clone(), nearest(value))).collect();
        let Ok((results, _)) = eval_ssa(&ssa, &inputs, Limits::default()) else {
            return Ok(None);
        };
        let seeds: Values<f64> = results.iter().filter_map(cotangent).collect();
        let asks = !seeds.is_empty() && !real_parameters(&ssa).is_empty();
        Ok(asks.then_some(Self { typed, ssa, point: Point { inputs, seeds } }))
    }

    fn wrt(&self) -> Vec<&str> {
        real_parameters(&self.ssa)
    }

    /// The verdict on an answer; `None` if the question has no answer at all.
    fn judge(
        &self,
        closeness: Closeness,
        answer: impl FnMut(&Point) -> Result<Values<f64>, String>,
    ) -> Result<Option<Report>, proptest::test_runner::TestCaseError> {
        let oracle = Oracle::gradient(&self.typed, &self.wrt());
        let oracle = oracle.map_err(|e| failure(e.to_string()))?;
        match oracle.closeness(closeness).trials(20).judge(&self.point, answer) {
            Ok(report) => Ok(Some(report)),
            Err(OracleError::Eval(_) | OracleError::Failed { .. }) => Ok(None),
            Err(other) => Err(failure(other.to_string())),
        }
    }
}

fn nearest(value: &Value<Rational>) -> Value<f64> {
    let near = |Rational(x): &Rational| match x.to_f64() {
        Approximation::Exact(x) | Approximation::Inexact(x, _) => x,
    };
    match value {
        Value::Size(n) => Value::Size(*n),
        Value::Real(x) => {
            Value::Real(Dense { shape: x.shape.clone(), data: x.data.iter().map(near).collect() })
        }
        Value::Index(p) => Value::Index(p.clone()),
        Value::Relation(r) => Value::Relation(r.clone()),
    }
}

/// Halves that differ from place to place.
fn cotangent((name, value): (&String, &Value<f64>)) -> Option<(String, Value<f64>)> {
    let Value::Real(dense) = value else { return None };
    let data = (0..dense.data.len()).map(|place| ((place * 5 + 3) % 7) as f64 / 2.0 - 1.5);
    Some((name.clone(), Value::Real(Dense { shape: dense.shape.clone(), data: data.collect() })))
}

/// A way to a gradient.
type Way<'a> = &'a dyn Fn(&Point) -> Result<Values<f64>, String>;

/// The gradient by a program.
fn by_program(derivative: &Derivative, point: &Point) -> Result<Values<f64>, String> {
    let arguments = derivative.arguments(&point.inputs, &point.seeds, Limits::default());
    let arguments = arguments.map_err(|e| e.to_string())?;
    let results = eval_ssa(&derivative.program, &arguments, Limits::default());
    Ok(derivative.split(&results.map_err(|e| e.to_string())?.0).1)
}

fn by_strategy(
    strategy: Strategy,
    derivative: &Derivative,
    point: &Point,
) -> Result<Values<f64>, String> {
    let arguments = derivative.arguments(&point.inputs, &point.seeds, Limits::default());
    let arguments = arguments.map_err(|e| e.to_string())?;
    let wrt: Vec<&str> = derivative.answers().iter().map(|a| a.of[0].as_str()).collect();
    let prepared = Prepared::new(strategy, &derivative.primal, &wrt, &arguments, Limits::default());
    let outcome = prepared.and_then(|mut p| p.run()).map_err(|e| e.to_string())?;
    Ok(derivative.split(&outcome.gradient).1)
}

/// Whether all numbers are finite: a NaN is wrong wherever the true value exists, which
/// floats do not always reach (`inf - inf`).
fn is_finite(values: &Values<f64>) -> bool {
    values.values().all(|value| match value {
        Value::Real(dense) => dense.data.iter().all(|x| x.is_finite()),
        Value::Size(_) | Value::Index(_) | Value::Relation(_) => true,
    })
}

#[test]
fn the_reference_in_floats_is_never_accused() {
    let (equal, asked) = (Cell::new(0), Cell::new(0));
    check_all(Flavour::Full, 300, |case| {
        let Some(subject) = Subject::new(case)? else { return Ok(()) };
        let plain = Derivative::new(&subject.ssa, Kind::Gradient, &subject.wrt());
        let plain = plain.map_err(|e| failure(e.to_string()))?;
        let simple = differentiate(&subject.ssa, Kind::Gradient, &subject.wrt());
        let simple = simple.map_err(|e| failure(e.to_string()))?;
        let ways: [(&str, Way<'_>); 4] = [
            ("vjp", &|point| by_program(&plain, point)),
            ("simplified", &|point| by_program(&simple, point)),
            ("scatter", &|point| by_strategy(Strategy::Scatter, &plain, point)),
            ("dense", &|point| by_strategy(Strategy::Dense, &plain, point)),
        ];
        for (way, answer) in ways {
            if !answer(&subject.point).is_ok_and(|found| is_finite(&found)) {
                continue;
            }
            let Some(report) = subject.judge(Closeness::Rounding, answer)? else { continue };
            asked.set(asked.get() + 1);
            match &report.verdict {
                Verdict::Equal => equal.set(equal.get() + 1),
                Verdict::Undecided(_) => {}
                Verdict::Different(_) => return Err(failure(format!("{way}: {report}"))),
            }
        }
        Ok(())
    });
    let (equal, asked) = (equal.get(), asked.get());
    assert!(10 * equal >= 7 * asked && asked > 0, "{equal} of {asked} answers are equal");
}

#[test]
fn a_changed_entry_is_never_acquitted() {
    let (different, asked) = (Cell::new(0), Cell::new(0));
    check_all(Flavour::Rational, 300, |case| {
        let Some(subject) = Subject::new(case)? else { return Ok(()) };
        let plain = Derivative::new(&subject.ssa, Kind::Gradient, &subject.wrt());
        let plain = plain.map_err(|e| failure(e.to_string()))?;
        let changed = |point: &Point| {
            let mut answer = by_program(&plain, point)?;
            let mut tensors = answer.values_mut().filter_map(|value| match value {
                Value::Real(dense) if !dense.data.is_empty() => Some(&mut dense.data),
                Value::Real(_) | Value::Size(_) | Value::Index(_) | Value::Relation(_) => None,
            });
            let entries = tensors.next().ok_or("no entry to change")?;
            let size = entries.iter().fold(1.0, |size: f64, x| size.max(x.abs()));
            let entry = entries.last_mut().ok_or("no entry to change")?;
            *entry += size * 1e-3;
            Ok(answer)
        };
        if !changed(&subject.point).is_ok_and(|found| is_finite(&found)) {
            return Ok(());
        }
        for closeness in [Closeness::Rounding, Closeness::Ulps(Ulps(1 << 20))] {
            let Some(report) = subject.judge(closeness, changed)? else { continue };
            asked.set(asked.get() + 1);
            match &report.verdict {
                Verdict::Different(_) => different.set(different.get() + 1),
                Verdict::Undecided(_) => {}
                Verdict::Equal => return Err(failure(format!("{report}"))),
            }
        }
        Ok(())
    });
    let (different, asked) = (different.get(), asked.get());
    assert!(10 * different >= 7 * asked && asked > 0, "{different} of {asked} are different");
}

/// Ties of the two sides never go unnoticed where the gradient jumps.
#[test]
fn an_answer_with_another_convention_differs_only_at_a_kink() -> Result<(), OracleError> {
    let text = "fn f(n: size, x: real[n]) -> (s: real) {
        s = sum(i: n) (abs(x[i]) + max(x[i], 2 * x[i]) + [x[i] >= 1] * x[i]^2)
    }";
    let loaded = load(text).map_err(|_| OracleError::Failed { message: text.to_owned() })?;
    let typed =
        loaded.function(None).map_err(|e| OracleError::Failed { message: e.to_string() })?;
    let oracle = Oracle::gradient(typed, &["x"])?;
    // at a tie the other side
    let mine = |point: &Point| {
        let x = iverson::oracle::dense(&point.inputs, "x");
        let bar = x.iter().map(|x| match x {
            x if *x > 1.0 => 3.0 + 2.0 * x,
            x if *x > 0.0 => 3.0,
            x if *x < 0.0 => 0.0,
            _ => 1.0 + 2.0,
        });
        Ok(Values::from_iter([("x".to_owned(), Value::vector(bar.collect()))]))
    };
    for (x, wrong, kinks) in
        [(-0.5, false, 0), (0.5, false, 0), (1.5, false, 0), (0.0, true, 2), (1.0, true, 1)]
    {
        let point = Point::new([("x", Value::vector(vec![0.25, x]))]);
        let report = oracle.judge(&point, mine)?;
        assert_eq!(!report.is_equal(), wrong, "{report}");
        assert_eq!(report.kinks.len(), kinks, "{report}");
    }
    Ok(())
}
