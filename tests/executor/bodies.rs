//! Sums over the pairs of both sides of a diagonal are one pass: each pair is computed once and goes to both of its entries.

use crate::adjoints::{gradient, loops, nests, program};
use crate::compare::{difference, difference_in, with_cotangents};
use crate::generated::has_compiler;
use crate::threads::bits;
use iverson::executor::{Engine, Fusion, Options, Vectors, compile};
use iverson::pipeline::load;
use iverson::random::fill;
use iverson::spec::call::{Limits, Value, Values};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::num::NonZero;

/// Programs, and how many nests they have.
const BODIES: [(&str, usize); 9] = [
    // forces
    (
        "t[i: n, j: n] = [i < j] * (x[j] - x[i]) / (1 + (x[i] - x[j])^2)^1.5
        y[i: n] = sum(j: n where i < j) t[i, j] - sum(j: n where j < i) t[j, i]",
        1,
    ),
    // along an axis, the sides the other way round, and a term without pairs
    (
        "t[i: n, j: n, k: 2] = [i > j] * (x[j] - x[i]) * real(k + 1)
        z[i: n, k: 2] = sum(j: n where j < i) t[i, j, k] + x[i] - sum(j: n where i < j) t[j, i, k]",
        1,
    ),
    // only the far ones
    (
        "t[i: n, j: n] = [i + 2 <= j] * exp(x[i] * x[j])
        y[i: n] = sum(j: n where i + 2 <= j) t[i, j] + sum(j: n where j + 2 <= i) t[j, i]",
        1,
    ),
    // of the same data on both sides
    ("y[i: n] = sum(j: n where i < j) a[i, j] * x[j] + sum(j: n where j < i) a[j, i] * x[j]", 1),
    // what the first sum gives is read by the second
    (
        "t[i: n, j: n] = [i < j] * exp(x[i] * x[j])
        w[i: n] = sum(j: n where j < i) t[j, i]
        y[i: n] = sum(j: n where i < j) t[i, j] * w[i]",
        1,
    ),
    // and here at other entries than the step's own
    (
        "t[i: n, j: n] = [i < j] * exp(x[i] * x[j])
        w[i: n] = sum(j: n where j < i) t[j, i]
        y[i: n] = sum(j: n where i < j) t[i, j] * w[j]",
        2,
    ),
    // each with itself: no side is beyond the other
    ("y[i: n] = sum(j: n where i <= j) a[i, j] * x[j] + sum(j: n where j <= i) a[j, i] * x[j]", 2),
    // an entry gets from the one behind it too
    (
        "y[i: n] = sum(j: n where i <= j + 1) a[i, j] * x[j] + sum(j: n where j <= i + 1) a[j, i] * x[j]",
        2,
    ),
    // rows on both sides
    ("y[i: n] = sum(j: n where i < j) a[i, j] * x[j] + sum(j: n where j < i) a[i, j] * x[j]", 2),
];

fn body(text: &str) -> String {
    let result = if text.contains("z[") { "z: real[n, 2]" } else { "y: real[n]" };
    format!("fn f(n: size, a: real[n, n], x: real[n]) -> ({result}) {{\n{text}\n}}")
}

fn inputs(text: &str, n: u64) -> Values<f64> {
    let loaded = load(text).unwrap();
    let sizes = [("n".to_owned(), Value::Size(n))].into();
    fill(loaded.function(None).unwrap(), &sizes, n, Limits::default()).unwrap()
}

#[test]
fn both_sides_of_pairs_are_one_pass() {
    for (text, count) in BODIES {
        let text = body(text);
        let program = normalize(load(&text).unwrap().function(None).unwrap());
        let loops = loops(&program);
        assert_eq!(nests(&loops), count, "{loops}");
        for n in [0, 1, 2, 3, 9, 40] {
            let inputs = inputs(&text, n);
            assert_eq!(difference(&program, &inputs, 64.0), None);
        }
    }
}

#[test]
fn gradients_of_both_sides_are_those_of_the_interpreter() {
    let ways = [(Engine::Native, Fusion::On, Vectors::default())];
    let all = if has_compiler() { ways.as_slice() } else { &[] };
    for (text, _) in BODIES {
        let text = body(text);
        let primal = program(&text);
        let derivative = gradient(&primal);
        for n in [2, 33] {
            let inputs = with_cotangents(&derivative, &primal, &inputs(&text, n));
            let found = difference(&derivative, &inputs, 256.0);
            let found = found.or_else(|| difference_in(all, &derivative, &inputs, 256.0));
            assert_eq!(found, None);
        }
    }
}

#[test]
fn threads_share_a_pass_that_adds_to_both() {
    let engines =
        if has_compiler() { vec![Engine::Block, Engine::Native] } else { vec![Engine::Block] };
    let run = |program: &TensorSsa, inputs: &Values<f64>, engine, threads| {
        let options = Options { engine, threads: NonZero::new(threads), ..Options::default() };
        bits(compile(program, options).unwrap().call(inputs).ok())
    };
    for (text, _) in &BODIES[..3] {
        let text = body(text);
        let program = program(&text);
        let inputs = inputs(&text, 1500);
        for engine in engines.clone() {
            let one = run(&program, &inputs, engine, 1);
            for threads in [2, 7] {
                assert_eq!(run(&program, &inputs, engine, threads), one, "{text}");
            }
        }
    }
}
