//! Verdicts, and the counterexamples that witness them.

use super::*;
use crate::pipeline::load;

fn program(text: &str) -> Typed {
    load(text).expect("a program").function(None).expect("a function").clone()
}

/// An answer by name.
fn answer<const N: usize>(values: [(&str, Value<f64>); N]) -> Result<Values<f64>, String> {
    Ok(named(values))
}

const NORM: &str = "fn norm(n: size, x: real[n]) -> (r: real) { r = sqrt(sum(i: n) x[i]^2) }";
const SQUARE: &str = "fn square(n: size, x: real[n]) -> (s: real) { s = (sum(i: n) x[i])^2 }";
const RELU: &str = "fn relu(n: size, x: real[n]) -> (s: real) { s = sum(i: n) max(0, x[i]) }";

fn norm_gradient(point: &Point) -> Result<Values<f64>, String> {
    let x = dense(&point.inputs, "x");
    let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
    answer([("x", Value::vector(x.iter().map(|x| x / norm).collect()))])
}

#[test]
fn a_right_gradient_is_equal() {
    let oracle = Oracle::gradient(&program(NORM), &["x"]).expect("an oracle");
    let point = Point::new([("x", Value::vector(vec![0.1, 0.2, -0.7, 1e-9]))]);
    let report = oracle.judge(&point, norm_gradient).expect("a report");
    assert!(report.is_equal(), "{report}");
    let tight = oracle.closeness(Closeness::Ulps(Ulps(4))).judge(&point, norm_gradient);
    assert!(!matches!(tight.expect("a report").verdict, Verdict::Different(_)));
}

#[test]
fn rational_programs_are_decided_exactly() {
    let oracle = Oracle::gradient(&program(SQUARE), &["x"]).expect("an oracle");
    let oracle = oracle.closeness(Closeness::Ulps(Ulps(0)));
    let point = Point::new([("x", Value::vector(vec![0.5, 0.25]))]);
    let right = |_: &Point| answer([("x", Value::vector(vec![1.5, 1.5]))]);
    let report = oracle.judge(&point, right).expect("a report");
    assert!(report.is_equal(), "{report}");
    assert!(report.tensors[0].entries.iter().all(|e| e.truth.exact().is_some()));
    let off = 1.5_f64.next_up();
    let wrong = |_: &Point| answer([("x", Value::vector(vec![1.5, off]))]);
    let report = oracle.trials(0).judge(&point, wrong).expect("a report");
    let Verdict::Different(witness) = &report.verdict else { panic!("{report}") };
    assert_eq!(witness.worst.place.to_string(), "`x[1]`");
    assert_eq!((witness.worst.entry.error.lo(), witness.worst.entry.error.hi()), (1.0, 1.0));
}

#[test]
fn counterexamples_are_small_and_always_the_same() {
    let oracle = Oracle::gradient(&program(SQUARE), &["x"]).expect("an oracle");
    let sum_alone = |point: &Point| {
        let x = dense(&point.inputs, "x");
        answer([("x", Value::vector(vec![x.iter().sum(); x.len()]))])
    };
    let x = (0..9).map(|i| f64::from(i) * 0.37 - 1.0).collect();
    let point = Point::new([("x", Value::vector(x))]);
    let report = oracle.judge(&point, sum_alone).expect("a report");
    let Verdict::Different(witness) = &report.verdict else { panic!("{report}") };
    let small = witness.counterexample.as_ref().expect("a counterexample");
    let want = Point::new([("n", Value::Size(1)), ("x", Value::vector(vec![1.0]))])
        .along([("s", Value::scalar(1.0))]);
    assert_eq!(small.point, want);
    assert_eq!(oracle.judge(&point, sum_alone).expect("a report"), report);
}

#[test]
fn ties_are_told_and_never_sought() {
    let oracle = Oracle::gradient(&program(RELU), &["x"]).expect("an oracle");
    // the other convention at 0, and right elsewhere
    let steps = |at_zero: f64| {
        move |point: &Point| {
            let step = |x: &f64| {
                if *x > 0.0 {
                    1.0
                } else if *x < 0.0 {
                    0.0
                } else {
                    at_zero
                }
            };
            answer([("x", Value::vector(dense(&point.inputs, "x").iter().map(step).collect()))])
        }
    };
    let away = Point::new([("x", Value::vector(vec![1.0, -2.0]))]);
    let report = oracle.judge(&away, steps(0.5)).expect("a report");
    assert!(report.is_equal() && report.kinks.is_empty(), "{report}");
    let tie = Point::new([("x", Value::vector(vec![1.0, 0.0]))]);
    let report = oracle.judge(&tie, steps(0.5)).expect("a report");
    let Verdict::Different(_) = &report.verdict else { panic!("{report}") };
    assert_eq!(report.kinks.len(), 1, "{report}");
    assert_eq!(report.kinks[0].kind, KinkKind::Max);
    // wrong where x is negative: the counterexample is not moved to 0
    let identity =
        |point: &Point| answer([("x", Value::vector(vec![1.0; dense(&point.inputs, "x").len()]))]);
    let report = oracle.judge(&away, identity).expect("a report");
    let Verdict::Different(witness) = &report.verdict else { panic!("{report}") };
    let small = witness.counterexample.as_ref().expect("a counterexample");
    assert!(dense(&small.point.inputs, "x").iter().all(|x| *x != 0.0), "{report}");
}

#[test]
fn what_is_not_certain_is_undecided() {
    // the enclosures of the two sides overlap
    let text = "fn f(x: real) -> (y: real) { y = if exp(x) > exp(x) * 1 then x else 2 * x }";
    let oracle = Oracle::gradient(&program(text), &["x"]).expect("an oracle");
    let point = Point::new([("x", Value::scalar(1.0))]);
    let two = |_: &Point| answer([("x", Value::scalar(2.0))]);
    let report = oracle.judge(&point, two).expect("a report");
    let Verdict::Undecided(why) = &report.verdict else { panic!("{report}") };
    assert!(matches!(**why, Undecided::Reference(_)), "{report}");
    // an infinite derivative has no enclosure
    let oracle = Oracle::gradient(&program(NORM), &["x"]).expect("an oracle");
    let origin = Point::new([("x", Value::vector(vec![0.0]))]);
    let report = oracle.judge(&origin, norm_gradient).expect("a report");
    let Verdict::Undecided(why) = &report.verdict else { panic!("{report}") };
    assert!(matches!(**why, Undecided::Entry(_)), "{report}");
}

#[test]
fn values_and_tangents_are_judged_too() {
    let text = "fn f(n: size, x: real[n]) -> (m: real, k: index(n + 1)) {
        m = max(i: n) x[i]
        k = argmax(i: n) x[i]
    }";
    let oracle = Oracle::value(&program(text));
    let point = Point::new([("x", Value::vector(vec![1.0, 3.0, 2.0]))]);
    let gives = |at: i64| {
        move |_: &Point| answer([("m", Value::scalar(3.0)), ("k", Value::Index(Dense::scalar(at)))])
    };
    assert!(oracle.judge(&point, gives(1)).expect("a report").is_equal());
    let report = oracle.judge(&point, gives(2)).expect("a report");
    assert_eq!(report.worst().expect("an entry").place.to_string(), "`k`");
    assert!(!report.is_equal());
    let oracle = Oracle::tangent(&program(SQUARE), &["x"]).expect("an oracle");
    let point = Point::new([("x", Value::vector(vec![1.0, 2.0]))])
        .along([("x", Value::vector(vec![0.0, 1.0]))]);
    let six = |_: &Point| answer([("s", Value::scalar(6.0))]);
    assert!(oracle.judge(&point, six).expect("a report").is_equal());
}

#[test]
fn inputs_can_be_drawn() {
    let oracle = Oracle::gradient(&program(NORM), &["x"]).expect("an oracle");
    let five = Point::new([("n", Value::Size(5))]);
    let point = oracle.random(&five, 7).expect("a point");
    assert_eq!(oracle.random(&five, 7).expect("a point"), point);
    assert!(oracle.judge(&point, norm_gradient).expect("a report").is_equal());
}

#[test]
fn questions_and_answers_that_make_no_sense_are_refused() {
    let point = Point::new([("x", Value::vector(vec![1.0]))]);
    let refused = |given: &Point, answer: Result<Values<f64>, String>| {
        let oracle = Oracle::gradient(&program(SQUARE), &["x"]).expect("an oracle");
        let refused = oracle.judge(given, |_| answer.clone());
        refused.expect_err("a refusal").to_string()
    };
    let cases = [
        (refused(&point, Err("no luck".to_owned())), "the function judged failed: no luck"),
        (
            refused(&point, answer([("y", Value::scalar(1.0))])),
            "the function judged gave nothing for `x`; it gave `y`",
        ),
        (
            refused(&point, answer([("x", Value::scalar(1.0))])),
            "the function judged gave shape [] for `x`, but it has shape [1]",
        ),
        (
            refused(
                &Point::new([("x", Value::vector(vec![0.0, f64::NAN]))]),
                answer([("x", Value::vector(vec![1.0, 1.0]))]),
            ),
            "`x[1]` is NaN, but the oracle wants finite numbers",
        ),
        (
            refused(&point.clone().along([("t", Value::scalar(1.0))]), answer([])),
            "a cotangent is given for `t`, but those that take one are `s`",
        ),
    ];
    for (found, want) in cases {
        assert_eq!(found, want);
    }
    let unknown = Oracle::gradient(&program(SQUARE), &["z"]).err().expect("a refusal");
    assert!(unknown.to_string().contains("`z` is not a parameter"), "{unknown}");
}

const DIFFERENCES: &str =
    "fn steps(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = x[i]^2 - [i > 0] * x[i - 1] }";

/// The Jacobian of the differences, with `below` under the diagonal.
fn steps_jacobian(point: &Point, below: f64) -> Result<Values<f64>, String> {
    let x = dense(&point.inputs, "x");
    let n = x.len();
    let entry = |k: usize| match (k / n, k % n) {
        (i, j) if i == j => 2.0 * x[i],
        (i, j) if i == j + 1 => below,
        _ => 0.0,
    };
    let data = (0..n * n).map(entry).collect();
    answer([("dy_dx", Value::Real(Dense { shape: vec![n, n], data }))])
}

#[test]
fn jacobians_are_judged_entry_by_entry() {
    let oracle = Oracle::jacobian(&program(DIFFERENCES), &["x"]).expect("an oracle");
    let point = Point::new([("x", Value::vector(vec![0.5, -1.25, 3.0, 0.1]))]);
    let report = oracle.judge(&point, |point| steps_jacobian(point, -1.0)).expect("a report");
    assert!(report.is_equal(), "{report}");
    assert_eq!(report.tensors[0].entries.len(), 16);
    let report = oracle.judge(&point, |point| steps_jacobian(point, 1.0)).expect("a report");
    let Verdict::Different(witness) = &report.verdict else { panic!("{report}") };
    assert_eq!(witness.worst.place.to_string(), "`dy_dx[1, 0]`");
    let small = witness.counterexample.as_ref().expect("a counterexample");
    assert_eq!(small.point.inputs["n"], Value::Size(2));
    let other = oracle.judge(&point, |_| answer([("y", Value::scalar(0.0))]));
    assert!(matches!(other, Err(OracleError::NoAnswer { .. })), "{other:?}");
}

#[test]
fn hessians_are_judged_entry_by_entry() {
    let oracle = Oracle::hessian(&program(SQUARE), &["x"]).expect("an oracle");
    let point = Point::new([("x", Value::vector(vec![0.5, 0.25, 2.0]))]);
    let filled = |point: &Point, value: f64| {
        let n = dense(&point.inputs, "x").len();
        let matrix = Dense { shape: vec![n, n], data: vec![value; n * n] };
        answer([("d2s_dx_dx", Value::Real(matrix))])
    };
    let report = oracle.judge(&point, |point| filled(point, 2.0)).expect("a report");
    assert!(report.is_equal(), "{report}");
    let report = oracle.judge(&point, |point| filled(point, 1.0)).expect("a report");
    assert!(matches!(report.verdict, Verdict::Different(_)), "{report}");
    let vector = Oracle::hessian(&program(DIFFERENCES), &["x"]);
    assert!(matches!(vector, Err(OracleError::Derivative(_))));
}
