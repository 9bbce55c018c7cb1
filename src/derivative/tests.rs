//! What seeds are by default, and what is refused.

use super::{Derivative, SeedError};
use crate::pipeline::load;
use iverson_interpreter::eval_ssa;
use iverson_spec::call::{Limits, Value, Values};
use iverson_spec::normalize;
use iverson_spec::ssa::TensorSsa;

const MIXED: &str = "fn f(n: size, x: real[n], c: real) -> (s: real, y: real[n], k: index(n + 1)) {
    y[i: n] = c * x[i]
    s = sum(i: n) y[i]
    k = argmax(i: n) x[i]
}";

fn program(text: &str) -> TensorSsa {
    let loaded = load(text).expect("a program");
    normalize(loaded.function(None).expect("a function"))
}

fn values<const N: usize>(values: [(&str, Value<f64>); N]) -> Values<f64> {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn inputs() -> Values<f64> {
    values([("x", Value::vector(vec![1.0, 2.0])), ("c", Value::scalar(3.0))])
}

fn answers(derivative: &Derivative, seeds: &Values<f64>) -> Values<f64> {
    let arguments = derivative.arguments(&inputs(), seeds, Limits::default()).expect("arguments");
    let (results, _) =
        eval_ssa(&derivative.program, &arguments, Limits::default()).expect("results");
    derivative.split(&results).1
}

#[test]
fn the_first_scalar_result_has_cotangent_1() {
    let gradient = Derivative::gradient(&program(MIXED), &["c", "x"]).expect("a gradient");
    let want = values([("c", Value::scalar(3.0)), ("x", Value::vector(vec![3.0, 3.0]))]);
    assert_eq!(answers(&gradient, &Values::new()), want);
}

#[test]
fn cotangents_left_out_are_0() {
    let gradient = Derivative::gradient(&program(MIXED), &["x"]).expect("a gradient");
    let seeds = values([("y", Value::vector(vec![0.0, 1.0]))]);
    assert_eq!(answers(&gradient, &seeds), values([("x", Value::vector(vec![0.0, 3.0]))]));
}

/// What definitions take is asked by who evaluates them.
#[test]
fn the_limit_is_that_of_seeds() {
    let text = "fn f(n: size, m: size, x: real[n], z: real[m]) -> (y: real[n]) {
        y[i: n] = sum(j: m) x[i] * z[j]
        t[i: n, j: m] = x[i] + z[j]
        requires(i: n, j: m) t[i, j] > 0
    }";
    let gradient = Derivative::gradient(&program(text), &["x"]).expect("a gradient");
    let inputs = values([("x", Value::vector(vec![1.0; 9])), ("z", Value::vector(vec![1.0; 90]))]);
    let given = values([("y", Value::vector(vec![1.0; 9]))]);
    let arguments = |seeds, bytes| gradient.arguments(&inputs, seeds, Limits { bytes });
    assert!(arguments(&given, 0).is_ok());
    let tangent = Derivative::tangent(&program(text), &["x", "z"]).expect("a tangent");
    let given = values([("z", Value::vector(vec![1.0; 90]))]);
    let found = |bytes| tangent.arguments(&inputs, &given, Limits { bytes });
    assert!(found(72).is_ok());
    let refused = found(71).expect_err("no memory").to_string();
    assert_eq!(refused, "`x` has shape [9]: with it the tensors take 72 bytes, wanted at most 71");
}

#[test]
fn tangents_left_out_are_0() {
    let tangent = Derivative::tangent(&program(MIXED), &["x", "c"]).expect("a tangent");
    let seeds = values([("c", Value::scalar(1.0))]);
    let want = values([("s", Value::scalar(3.0)), ("y", Value::vector(vec![1.0, 2.0]))]);
    assert_eq!(answers(&tangent, &seeds), want);
    let none = tangent.arguments(&inputs(), &Values::new(), Limits::default());
    assert!(matches!(none, Err(SeedError::Missing { .. })), "{none:?}");
}

#[test]
fn wrong_seeds_are_refused_by_name() {
    let gradient = Derivative::gradient(&program(MIXED), &["x"]).expect("a gradient");
    let refused = |name: &str, value: Value<f64>| {
        let seeds = values([(name, value)]);
        let refused = gradient.arguments(&inputs(), &seeds, Limits::default());
        refused.expect_err("a refusal").to_string()
    };
    assert_eq!(
        refused("k", Value::scalar(1.0)),
        "`k` is an index result: it takes no cotangent; those that do are `s`, `y`"
    );
    assert_eq!(
        refused("x", Value::scalar(1.0)),
        "a cotangent is given for `x`, but those that take one are `s`, `y`"
    );
    assert_eq!(
        refused("y", Value::vector(vec![1.0])),
        "the cotangent of `y` has shape [1], but `y` has shape [2]"
    );
    assert_eq!(refused("y", Value::indices(vec![1, 0])), "the cotangent of `y` is no real tensor");
}

#[test]
fn there_must_be_something_to_differentiate() {
    let only_index = "fn f(n: size, x: real[n]) -> (k: index(n + 1)) { k = argmax(i: n) x[i] }";
    let vector = "fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = x[i] }";
    let refused = |text: &str| {
        let gradient = Derivative::gradient(&program(text), &["x"]).expect("a gradient");
        let inputs = values([("x", Value::vector(vec![1.0]))]);
        let refused = gradient.arguments(&inputs, &Values::new(), Limits::default());
        refused.expect_err("a refusal").to_string()
    };
    assert_eq!(refused(only_index), "`f` has no real result: there is nothing to differentiate");
    assert_eq!(
        refused(vector),
        "no cotangent is given; it is 1 only where the first result is one real, and `y` is not; \
         give one for at least one of `y`"
    );
}
