//! Powers with small integer exponents are products in every engine.

use crate::compare::ways;
use iverson::executor::{Executable, Options, compile};
use iverson::interpreter::eval_ssa;
use iverson::pipeline::load;
use iverson::spec::call::{Limits, Value, Values};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;

/// Each exponent with its bound in units of the last place.
const POWERS: &[(&str, f64)] = &[
    ("(-4)", 7.0),
    ("(-3)", 5.0),
    ("(-2)", 3.0),
    ("(-1)", 0.5),
    ("1", 0.0),
    ("2", 0.5),
    ("3", 2.0),
    ("4", 3.0),
];

fn program(text: &str) -> TensorSsa {
    normalize(load(text).unwrap().function(None).unwrap())
}

/// Limits of ranges for each power, signed zeros, infinities, NaN, and plain numbers.
fn arguments() -> Vec<f64> {
    let sizes = [
        0.0,
        f64::from_bits(1),
        2.5e-308,
        4e-309,
        7.4e-155,
        1.2e-154,
        1.4e-103,
        3.3e-103,
        1e-77,
        0.1,
        1.0 / 3.0,
        1.0,
        1.7,
        3.0,
        1e77,
        1.2e77,
        5.6e102,
        5.7e102,
        1.3e154,
        1.5e154,
        1e200,
        5e307,
        f64::MAX,
        f64::INFINITY,
    ];
    let plain = (0..200).map(|i| f64::from(i) * 0.037 + 0.011);
    let positive: Vec<f64> = sizes.into_iter().chain(plain).collect();
    positive.iter().flat_map(|x| [*x, -*x]).chain([f64::NAN]).collect()
}

fn real(values: &Values<f64>, name: &str) -> Vec<f64> {
    match &values[name] {
        Value::Real(tensor) => tensor.data.clone(),
        other @ (Value::Size(_) | Value::Index(_) | Value::Relation(_)) => {
            panic!("`{name}` is {other:?}")
        }
    }
}

/// The distance from a correctly rounded result, as a bound on the error in units of its last place.
fn error(found: f64, wanted: f64) -> f64 {
    if found.to_bits() == wanted.to_bits() || found.is_nan() && wanted.is_nan() {
        return 0.0;
    }
    let place = |x: f64| {
        let bits = (x.to_bits() & i64::MAX as u64) as i64;
        if x.is_sign_negative() { -bits } else { bits }
    };
    if found == 0.0 && wanted == 0.0 || found.is_nan() || wanted.is_nan() {
        return f64::INFINITY;
    }
    (place(found) - place(wanted)).abs() as f64
}

/// The power by the interpreter; by the standard library where the square of a number is out of range, since
/// there the interpreter's `x^(-2)` is `1 / (x * x)`.
fn exact(x: f64, exponent: f64, interpreted: f64) -> f64 {
    if x.is_normal() && !(x * x).is_normal() { x.powf(exponent) } else { interpreted }
}

#[test]
fn powers_are_products_within_their_bounds() {
    for (power, units) in POWERS {
        for base in ["x[i]", "(x[i] + z[i])", "abs(-x[i])"] {
            let text = format!(
                "fn f(n: size, x: real[n], z: real[n]) -> (y: real[n]) {{ y[i: n] = {base}^{power} }}"
            );
            let program = program(&text);
            let x = arguments();
            let mut inputs = Values::new();
            inputs.insert("z".into(), Value::vector(vec![-0.0; x.len()]));
            inputs.insert("x".into(), Value::vector(x.clone()));
            let wanted = real(&eval_ssa(&program, &inputs, Limits::default()).unwrap().0, "y");
            let exponent: f64 = power.trim_matches(['(', ')']).parse().unwrap();
            let base_of = |x: f64| if base.starts_with("abs") { x.abs() } else { x };
            let pairs =
                x.iter().zip(wanted).map(|(x, wanted)| exact(base_of(*x), exponent, wanted));
            let wanted: Vec<f64> = pairs.collect();
            for options in ways() {
                let engine = options.engine;
                let mut executable: Executable<f64> = compile(&program, options).unwrap();
                let loops = executable.loops().to_string();
                assert!(!loops.contains('^'), "{text}\n{loops}");
                let found = real(&executable.call(&inputs).unwrap(), "y");
                for ((x, found), wanted) in x.iter().zip(found).zip(&wanted) {
                    // both are rounded: half a unit more each
                    let near = error(found, *wanted) <= (units + 0.5).floor();
                    assert!(
                        near,
                        "{engine:?}: {base}^{power} at {x:?} is {found:?}, wanted {wanted:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn other_powers_are_the_functions_of_the_interpreter() {
    for power in ["0", "0.5", "5", "2.5"] {
        let text =
            format!("fn f(n: size, x: real[n]) -> (y: real[n]) {{ y[i: n] = x[i]^{power} }}");
        let program = program(&text);
        let x = arguments();
        let mut inputs = Values::new();
        inputs.insert("x".into(), Value::vector(x.clone()));
        let wanted = real(&eval_ssa(&program, &inputs, Limits::default()).unwrap().0, "y");
        for options in ways() {
            let engine = options.engine;
            let mut executable: Executable<f64> = compile(&program, options).unwrap();
            let found = real(&executable.call(&inputs).unwrap(), "y");
            for ((x, found), wanted) in x.iter().zip(found).zip(&wanted) {
                let near = error(found, *wanted) <= 1.0;
                assert!(near, "{engine:?}: {x:?}^{power} is {found:?}, wanted {wanted:?}");
            }
        }
    }
}

/// A long base is computed once; under a condition it is not computed ahead, since it may not exist there.
#[test]
fn a_base_is_computed_once_and_only_where_it_exists() {
    let once = program(
        "fn f(n: size, x: real[n]) -> (s: real) { s = sum(i: n) (exp(x[i])^3 + (sin(x[i])^2)^(-2)) }",
    );
    let guarded = program(
        "fn f(n: size, x: real[n]) -> (y: real[n]) {
            y[i: n] = if i + 1 < n and x[i] > 0 then (x[i + 1] - x[i])^2 + sin(x[i + 1])^3 else x[i]^2
        }",
    );
    let x: Vec<f64> = (0..50).map(|i| (f64::from(i) * 0.7).cos()).collect();
    let mut inputs = Values::new();
    inputs.insert("x".into(), Value::vector(x));
    for (program, name) in [(&once, "s"), (&guarded, "y")] {
        let wanted = real(&eval_ssa(program, &inputs, Limits::default()).unwrap().0, name);
        for options in ways() {
            let engine = options.engine;
            let mut executable: Executable<f64> = compile(program, options).unwrap();
            let found = real(&executable.call(&inputs).unwrap(), name);
            for (found, wanted) in found.iter().zip(&wanted) {
                let near = (found - wanted).abs() <= 1e-13 * wanted.abs();
                assert!(near, "{engine:?}: {found}, wanted {wanted}\n{}", executable.loops());
            }
        }
    }
    let executable: Executable<f64> = compile(&once, Options::default()).unwrap();
    let loops = executable.loops().to_string();
    for function in ["exp(", "sin("] {
        assert_eq!(loops.matches(function).count(), 1, "{loops}");
    }
}
