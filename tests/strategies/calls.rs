//! How strategies are called, and what they refuse.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use iverson::pipeline::load;
use iverson::spec::call::{CallError, Value, Values};
use iverson::spec::{TensorSsa, normalize};
use iverson::strategies::{Outcome, Strategy, StrategyError, gradient};

const RUN: [Strategy; 2] = [Strategy::Dense, Strategy::Scatter];

fn program(text: &str) -> TensorSsa {
    normalize(load(text).unwrap().function(None).unwrap())
}

fn values<const K: usize>(pairs: [(&str, Value<f64>); K]) -> Values<f64> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn vector(entries: &[f64]) -> Value<f64> {
    Value::vector(entries.to_vec())
}

const SQUARES: &str = "fn f(n: size, x: real[n], z: real[n]) -> (y: real[n], w: real) {
    requires(i: n) x[i] > 0
    y[i: n] = x[i]^2
    w = sum(i: n) x[i]
}";

fn squares(strategy: Strategy, inputs: &Values<f64>) -> Result<Outcome<f64>, StrategyError> {
    gradient(strategy, &program(SQUARES), &["x", "z"], inputs)
}

#[test]
fn names_lead_back_to_strategies() {
    for strategy in Strategy::ALL {
        assert_eq!(Strategy::named(strategy.name()), Some(strategy));
    }
    assert_eq!(Strategy::named("none"), None);
}

#[test]
fn a_cotangent_that_is_not_given_is_zero() {
    for strategy in RUN {
        let both = [("x", vector(&[1.0, 3.0])), ("z", vector(&[1.0, 1.0]))];
        let mut inputs = values(both);
        assert_eq!(squares(strategy, &inputs).unwrap().gradient["x_bar"], vector(&[0.0, 0.0]));
        inputs.insert("y_ct".to_owned(), vector(&[1.0, 10.0]));
        let outcome = squares(strategy, &inputs).unwrap();
        assert_eq!(outcome.values["w"], Value::scalar(4.0), "{strategy}");
        assert_eq!(outcome.gradient["x_bar"], vector(&[2.0, 60.0]), "{strategy}");
        assert_eq!(outcome.gradient["z_bar"], vector(&[0.0, 0.0]), "an input without effect");
    }
}

#[test]
fn wrong_calls_are_refused() {
    for strategy in RUN {
        let mut inputs = values([("x", vector(&[1.0, 3.0])), ("z", vector(&[1.0, 1.0]))]);
        inputs.insert("y_ct".to_owned(), vector(&[1.0]));
        let error = squares(strategy, &inputs).unwrap_err();
        assert!(matches!(error, StrategyError::Call(CallError::WrongExtent { .. })), "{error}");
        let inputs = values([("x", vector(&[1.0, -3.0])), ("z", vector(&[1.0, 1.0]))]);
        let error = squares(strategy, &inputs).unwrap_err();
        assert_eq!(error, StrategyError::Violated { clause: 1 });
        let inputs = values([("x", vector(&[1.0]))]);
        let error = squares(strategy, &inputs).unwrap_err();
        assert!(matches!(error, StrategyError::Call(CallError::Missing { .. })), "{error}");
        let inputs = values([("x", vector(&[1.0])), ("z", vector(&[1.0]))]);
        let error = gradient(strategy, &program(SQUARES), &["n"], &inputs).unwrap_err();
        assert!(matches!(error, StrategyError::Derivative(_)), "{error}");
    }
}

#[test]
fn an_index_that_leaves_its_sort_is_an_error() {
    let text = "fn f(n: size, x: real[n], z: real) -> (y: real[n]) {
        p[i: n]: index(n) = floor(z)
        y[i: n] = x[p[i]]
    }";
    for strategy in RUN {
        for (z, found) in [(7.5, "7"), (f64::NAN, "without a value")] {
            let inputs = values([("x", vector(&[1.0, 2.0])), ("z", Value::scalar(z))]);
            let error = gradient(strategy, &program(text), &["x"], &inputs).unwrap_err();
            let (tensor, found) = ("p".to_owned(), found.to_owned());
            assert_eq!(error, StrategyError::IndexOutOfRange { tensor, found, bound: 2 });
        }
    }
}

#[test]
fn the_indicator_strategy_runs_elsewhere() {
    let inputs = values([("x", vector(&[1.0])), ("z", vector(&[1.0]))]);
    let error = squares(Strategy::Indicator, &inputs).unwrap_err();
    assert_eq!(error, StrategyError::NotARunTime);
}
