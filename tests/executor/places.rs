//! What is added at places that data name in a step's own part of a buffer.

use crate::compare::{ways, with_cotangents};
use crate::memory::gradient;
use iverson::executor::{Engine, Executable, Options, compile};
use iverson::interpreter::eval_ssa;
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::num::NonZero;

/// Functions of `x[n, m]`, `c[k]`, and places `at[k]` below 4; whether they, or their gradients, add by cases.
const PROGRAMS: [(&str, bool, &str); 12] = [
    (
        "the gradient of a maximum over two variables",
        true,
        "y: real[n / 2, m / 2]) { y[i: n / 2, j: m / 2] = max(a: 2, b: 2) x[2 * i + a, 2 * j + b] }",
    ),
    (
        "the gradient of a maximum in rows",
        true,
        "y: real[n, m / 3]) { y[i: n, j: m / 3] = max(a: 3) x[i, 3 * j + a] }",
    ),
    ("in columns", true, "y: real[n / 4, m]) { y[i: n / 4, j: m] = min(a: 4) x[4 * i + a, j] }"),
    (
        "windows with entries between them",
        true,
        "y: real[n, m / 3]) { y[i: n, j: m / 3] = max(a: 2) x[i, 3 * j + a] }",
    ),
    (
        "windows at the border",
        true,
        "y: real[n, m]) { y[i: n, j: m] = max(a: 2 where 2 * j + a < m) x[i, 2 * j + a] }",
    ),
    (
        "windows that meet",
        false,
        "y: real[n, m]) { y[i: n, j: m] = max(a: 3 where 2 * j + a < m) x[i, 2 * j + a] }",
    ),
    (
        "places that are given",
        true,
        "z: real[m]) { z[p: m] = sum(i: k where p = 2 * i + at[i] and p < 2 * i + 2) c[i] }",
    ),
    (
        "beside other terms",
        true,
        "z: real[m]) { z[p: m] = real(p) + sum(i: k where p = 3 * i + at[i] and p < 3 * i + 3) c[i] }",
    ),
    (
        "places of two steps",
        false,
        "z: real[m]) { z[p: m] = sum(i: k where p = 2 * i + at[i]) c[i] }",
    ),
    (
        "at a step",
        false,
        "z: real[m]) { z[p: m] = sum(i: k where p = i + at[i] and p < i + 1) c[i] }",
    ),
    (
        "from an offset",
        false,
        "z: real[m]) { z[p: m] = sum(i: k where p = 2 * i + at[i] + 1 and p < 2 * i + 3) c[i] }",
    ),
    (
        "the greatest at each place",
        true,
        "z: real[m]) { z[p: m] = max(i: k where p = 2 * i + at[i] and p < 2 * i + 2) c[i] }",
    ),
];

fn program(rest: &str) -> TensorSsa {
    let text = format!(
        "fn f(n: size, m: size, k: size, x: real[n, m], c: real[k], at: index(4)[k]) -> ({rest}"
    );
    let loaded = load(&text).unwrap_or_else(|errors| panic!("{text}\n{errors:?}"));
    normalize(loaded.function(None).unwrap())
}

/// Few values, each often.
fn arguments([n, m, k]: [usize; 3]) -> Values<f64> {
    let data = |count: usize| (0..count).map(|i| ((i * i / 3 + i) % 7) as f64 - 3.0).collect();
    let at = (0..k).map(|i| (i * i % 5 % 4) as i64).collect();
    let values = [
        ("n", Value::Size(n as u64)),
        ("m", Value::Size(m as u64)),
        ("k", Value::Size(k as u64)),
        ("x", Value::Real(Dense { shape: vec![n, m], data: data(n * m) })),
        ("c", Value::Real(Dense { shape: vec![k], data: data(k) })),
        ("at", Value::indices(at)),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

const SIZES: [[usize; 3]; 8] =
    [[0, 0, 0], [0, 3, 1], [1, 1, 4], [1, 2, 1], [2, 3, 2], [5, 7, 3], [8, 12, 40], [9, 70, 35]];

#[test]
fn entries_of_a_step_are_added_by_cases() {
    for (name, cases, text) in PROGRAMS {
        let given = program(text);
        let program = if text.starts_with('y') { gradient(&given, &["x"]) } else { given.clone() };
        let two = Options { threads: NonZero::new(2), ..Options::default() };
        let mut executables: Vec<Executable<f64>> = ways()
            .into_iter()
            .chain([two])
            .map(|options| compile(&program, options).unwrap())
            .collect();
        let runner = Options { engine: Engine::Runner, ..Options::default() };
        let loops = compile::<f64>(&program, runner).unwrap().loops().to_string();
        // the loops that add, and those around them
        let in_order = |line: &str| ["for i", "for j"].iter().any(|start| line.starts_with(start));
        let ordered = loops.lines().any(|line| in_order(line.trim_start()));
        assert_eq!(!ordered, cases, "{name}\n{loops}");
        for sizes in SIZES {
            let mut inputs = arguments(sizes);
            if text.starts_with('y') {
                inputs = with_cotangents(&program, &given, &inputs);
            }
            let Ok((wanted, _)) = eval_ssa(&program, &inputs, Limits::default()) else {
                panic!("{name} at {sizes:?}")
            };
            for executable in &mut executables {
                let found = executable.call(&inputs).unwrap();
                assert_eq!((&found, sizes), (&wanted, sizes), "{name}\n{}", executable.loops());
            }
        }
    }
}
