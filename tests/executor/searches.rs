//! Places of greatest and least values: equal values, infinities and NaN in every engine.

use crate::compare::ways;
use crate::threads::{bits, engines};
use iverson::executor::{Engine, Executable, Fusion, Options, compile};
use iverson::interpreter::eval_ssa;
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::num::NonZero;

/// A search of `n` places by `k`, reals `x[n]` and places `p[n]` in n, and whether its loops visit places out of order, so that
/// those of equal values are compared.
const SEARCHES: [(&str, bool); 9] = [
    ("m[j: k] = argmax(i: n) x[i]", false),
    ("m[j: k] = argmin(i: n) x[i]", false),
    ("m[j: k] = argmax(i: n where j <= i and i < j + 3) x[i]", false),
    ("m[j: k] = argmin(i: n where i % 2 = 1 and i >= j) x[i]", false),
    ("m[j: k] = argmax(i: n where x[i] < 2) x[i]", false),
    ("m[j: k] = argmax(i: n where 2 * i = j) x[i]", false),
    ("m[j: k] = argmax(i: n where i > j or i < j) x[i]", true),
    ("m[j: k] = argmin(i: n where i > j + 1 or i <= j) x[i]", true),
    ("m[j: k] = argmax(i: n where p[i] = j) x[i]", true),
];

fn program(body: &str) -> TensorSsa {
    let text = format!(
        "fn f(n: size, k: size, x: real[n], p: index(n)[n]) -> (m: index(n + 1)[k]) {{ {body} }}"
    );
    let loaded = load(&text).unwrap_or_else(|_| panic!("{text}"));
    normalize(loaded.function(None).unwrap())
}

/// Few values, each often, from a start that gives every one of them the first place; one of them is given.
pub(crate) fn arguments(n: usize, k: usize, start: usize, given: f64) -> Values<f64> {
    let some = [1.0, 2.0, 0.0, given, 2.0, f64::NEG_INFINITY, -0.0, f64::INFINITY];
    let data: Vec<f64> = (0..n).map(|i| some[(i * i + start) % some.len()]).collect();
    let values = [
        ("n", Value::Size(n as u64)),
        ("k", Value::Size(k as u64)),
        ("x", Value::Real(Dense { shape: vec![n], data })),
        ("p", Value::indices((0..n).map(|i| (i * 3 % n / 2) as i64).collect())),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[test]
fn the_least_place_wins_a_tie() {
    for (body, compared) in SEARCHES {
        // out of order the NaN that is met first need not be at the least place
        let given = if compared { 3.0 } else { f64::NAN };
        let program = program(body);
        let mut executables: Vec<Executable<f64>> =
            ways().into_iter().map(|options| compile(&program, options).unwrap()).collect();
        for (n, k) in [(0, 0), (0, 2), (1, 1), (2, 3), (9, 9), (40, 5), (700, 3)] {
            for start in 0..8 {
                let inputs = arguments(n, k, start, given);
                let wanted = eval_ssa(&program, &inputs, Limits::default()).unwrap().0;
                for executable in &mut executables {
                    let found = executable.call(&inputs).unwrap();
                    assert_eq!(
                        (&found["m"], n, k, start),
                        (&wanted["m"], n, k, start),
                        "{body}\n{}",
                        executable.loops()
                    );
                }
            }
        }
    }
}

#[test]
fn places_are_compared_only_where_loops_leave_their_order() {
    for (body, compared) in SEARCHES {
        let options = Options { fusion: Fusion::Off, ..Options::default() };
        let executable: Executable<f64> = compile(&program(body), options).unwrap();
        let text = executable.loops().to_string();
        assert_eq!(text.contains("=. best and"), compared, "{body}\n{text}");
    }
}

/// Searches that threads share, of which some find nothing in the first parts of their loops.
const SHARED: [&str; 8] = [
    "m = argmax(i: n) x[i]
     v = max(i: n) x[i]",
    "m = argmin(i: n) x[i]
     v = sum(i: n) x[i]",
    "m = argmax(i: n where i >= n - k) x[i]
     v = real(m)",
    "m = argmin(i: n where x[i] > 1) exp(x[i])
     v = 0",
    "m = argmax(i: n where x[i] > 9) x[i]
     v = 0",
    "m = argmax(i: n where i != k) x[i]
     v = real(argmin(i: n where i != k) x[i])",
    "m = argmin(i: n) sum(j: 4) (x[i] * real(j) - y[j]) ^ 2
     v = min(i: n) sum(j: 4) (x[i] * real(j) - y[j]) ^ 2",
    "l[i: n] = argmax(j: 4) (x[i] * y[j])
     m = argmin(i: n) (x[i] * y[l[i]])
     v = sum(i: n) real(l[i])",
];

/// All equal, equal ones in many parts, NaN first or later, nothing but the least numbers, the best one at an end.
fn long(n: usize, at: usize) -> Vec<f64> {
    let mut data: Vec<f64> = (0..n).map(|i| (i * 7919 % 1013) as f64 / 1013.0).collect();
    let last = n - 1;
    match at {
        0 => data.fill(0.5),
        1 => data[0] = f64::NAN,
        2 => (data[n / 3], data[n / 2], data[last]) = (f64::NAN, 2.0, 2.0),
        3 => data.fill(f64::NEG_INFINITY),
        4 => data.fill(f64::NAN),
        5 => (data[last], data[last - 1]) = (-3.0, 3.0),
        _ => (data[0], data[1]) = (-3.0, 3.0),
    }
    data
}

#[test]
fn threads_share_searches() {
    let n = 150_000;
    for body in SHARED {
        let text = format!(
            "fn f(n: size, k: size, x: real[n], y: real[4]) -> (m: index(n + 1), v: real) {{ {body} }}"
        );
        let loaded = load(&text).unwrap_or_else(|errors| panic!("{text}\n{errors:?}"));
        let program = normalize(loaded.function(None).unwrap());
        let run = |engine, threads, inputs: &Values<f64>| {
            let threads = NonZero::new(threads);
            let options = Options { engine, threads, ..Options::default() };
            let results = compile(&program, options).unwrap().call(inputs);
            results.unwrap_or_else(|error| panic!("{body}: {error}"))
        };
        for at in 0..7 {
            let inputs = [
                ("n", Value::Size(n as u64)),
                ("k", Value::Size(20_000)),
                ("x", Value::vector(long(n, at))),
                ("y", Value::vector(vec![0.5, -0.25, 0.125, 3.0])),
            ];
            let inputs: Values<f64> =
                inputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let plain = run(Engine::Runner, 1, &inputs);
            for engine in engines() {
                let one = run(engine, 1, &inputs);
                assert_eq!(one["m"], plain["m"], "{body}, {at}, {engine:?}");
                for threads in [2, 7] {
                    let found = bits(Some(run(engine, threads, &inputs)));
                    assert_eq!(
                        found,
                        bits(Some(one.clone())),
                        "{body}, {at}, {engine:?}, {threads}"
                    );
                }
            }
        }
    }
}
