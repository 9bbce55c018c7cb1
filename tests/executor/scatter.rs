//! Terms that data say the entries of walk the data together, and in the loops that compute them.

use crate::adjoints::{gradient, program};
use crate::compare::{difference, difference_in, with_cotangents};
use crate::memory::loops;
use iverson::executor::loops::{Node, Role};
use iverson::executor::native::Compiler;
use iverson::executor::{Engine, Fusion, Vectors};
use iverson::pipeline::load;
use iverson::random::fill;
use iverson::spec::call::{Limits, Value, Values};

/// By what it shows: how many loops at top level go through the data, in the gradient, and the program.
const PROGRAMS: [(&str, usize, &str); 5] = [
    (
        "two terms",
        1,
        "fn f(n: size, m: size, at: index(n + 1)[m], x: real[n + 1], y: real[n + 1]) -> (s: real) {
            s = sum(e: m) (sin(x[at[e]]) * y[at[e]] + x[at[e]] * cos(y[at[e]]))
        }",
    ),
    (
        "a term of all entries beside them",
        1,
        "fn f(n: size, m: size, at: index(n + 1)[m], x: real[n + 1], w: real[m]) -> (s: real) {
            s = sum(i: n + 1) x[i]^3 + sum(e: m) w[e] * x[at[e]]^2
        }",
    ),
    (
        "two indices",
        1,
        "fn f(n: size, m: size, at: index(n + 1)[m], to: index(n + 1)[m], x: real[n + 1, 2]) -> (s: real) {
            d[e: m, k: 2] = x[at[e], k] - x[to[e], k]
            s = sum(e: m) (sum(k: 2) d[e, k]^2)^2
        }",
    ),
    (
        "a cross product, by residues",
        1,
        "fn f(n: size, m: size, at: index(n + 1)[m], x: real[n + 1, 3], v: real[m, 3]) -> (s: real) {
            c[e: m, k: 3] = x[at[e], (k + 1) % 3] * v[e, (k + 2) % 3] - x[at[e], (k + 2) % 3] * v[e, (k + 1) % 3]
            s = sum(e: m, k: 3) c[e, k]^2 * x[at[e], k]
        }",
    ),
    (
        "the tuples of a relation",
        1,
        "fn f(n: size, m: size, R: rel(n, m), x: real[n], y: real[m]) -> (s: real) {
            s = sum(i: n, j: m where R(i, j)) (x[i] - y[j])^4 + sum(i: n) x[i]^2
        }",
    ),
];

fn inputs(text: &str, n: u64, m: u64) -> Values<f64> {
    let sizes = [("n", n), ("m", m)].map(|(name, n)| (name.to_owned(), Value::Size(n)));
    fill(load(text).unwrap().function(None).unwrap(), &sizes.into(), n + m, Limits::default())
        .unwrap()
}

#[test]
fn terms_walk_their_data_once() {
    for (name, wanted, text) in PROGRAMS {
        let loops = loops(&gradient(&program(text)), Fusion::On);
        let data = |node: &&Node| {
            let text = format!("{node:?}");
            matches!(node, Node::For(_)) && (text.contains("SetInt") || text.contains("AddInt"))
        };
        assert_eq!(loops.body.iter().filter(data).count(), wanted, "{name}:\n{loops}");
    }
}

/// Nothing is kept for the observations: their adjoints go where they belong at once.
#[test]
fn the_gradient_of_a_bundle_adjustment_is_one_pass() {
    let text = include_str!("../../examples/bundle_adjustment.iv");
    let loops = loops(&gradient(&program(text)), Fusion::On);
    let of_observations = |text: &str| {
        let buffers = loops.buffers.iter().filter(|b| b.role == Role::Temporary);
        buffers.filter(|b| b.extents.iter().any(|e| format!("{e:?}") == text)).count()
    };
    let p = loops.sizes.iter().position(|size| size == "p").unwrap();
    assert_eq!(of_observations(&format!("Size(SizeId({p}))")), 0, "{loops}");
    assert!(!loops.to_string().contains("of 3"), "{loops}");
}

#[test]
fn terms_that_walk_data_together_are_right() {
    let native = Compiler::find().is_ok();
    let ways = [(Engine::Native, Fusion::On, Vectors::default())];
    for (name, _, text) in PROGRAMS {
        let program = program(text);
        let gradient = gradient(&program);
        for (n, m) in [(0, 0), (0, 3), (1, 1), (2, 9), (40, 5), (5, 700)] {
            let inputs = inputs(text, n, m);
            let cotangents = with_cotangents(&gradient, &program, &inputs);
            for (program, inputs) in [(&program, &inputs), (&gradient, &cotangents)] {
                let found = difference(program, inputs, 65536.0);
                let compiled = || native.then(|| difference_in(&ways, program, inputs, 65536.0));
                if let Some(what) = found.or_else(|| compiled().flatten()) {
                    panic!("{name}, {n}, {m}: {what}");
                }
            }
        }
    }
}
