//! What is 0 but at places of data goes to what reads it: the same values, and no tensor of all pairs.

use crate::adjoints::{gradient, loops, program};
use crate::compare::{difference, difference_in, with_cotangents};
use iverson::executor::native::Compiler;
use iverson::executor::{Engine, Fusion, Vectors, send};
use iverson::pipeline::load;
use iverson::random::fill;
use iverson::spec::call::{Limits, Value};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;

/// Distances of pairs that are read where two searches find a place: along both axes, along one, and beside a place of data.
const PAIRS: [&str; 3] = [
    "fn f(n: size, m: size, x: real[n, 3], y: real[m, 3]) -> (e: real) {
        requires n > 0 and m > 0
        d[i: n, j: m] = sum(k: 3) (x[i, k] - y[j, k])^2
        e = (sum(i: n) min(j: m) d[i, j]) / real(n) + sum(j: m) min(i: n) d[i, j]
    }",
    "fn f(n: size, m: size, x: real[n], y: real[m]) -> (e: real) {
        requires m > 0
        d[i: n, j: m] = (x[i] - y[j])^2
        e = sum(i: n) (max(j: m) d[i, j] - min(j: m) d[i, j])
    }",
    "fn f(n: size, m: size, p: index(m)[n], x: real[n], y: real[m]) -> (e: real) {
        requires n > 0
        d[i: n, j: m] = x[i] * y[j]
        e = sum(i: n) d[i, p[i]]^2 + sum(j: m) max(i: n) d[i, j]
    }",
];

#[test]
fn adjoints_at_places_of_two_searches_are_kept_for_no_pair() {
    let native = Compiler::find().is_ok();
    for text in PAIRS {
        let gradient = gradient(&program(text));
        let loops = loops(&gradient);
        assert!(!loops.contains("real[n, m]"), "{loops}");
        let loaded = load(text).unwrap();
        let function = loaded.function(None).unwrap();
        for (n, m) in [(1, 1), (1, 4), (5, 1), (3, 2), (9, 40)] {
            let sizes = [("n", n), ("m", m)].map(|(name, n)| (name.to_owned(), Value::Size(n)));
            let inputs = fill(function, &sizes.into(), n + m, Limits::default()).unwrap();
            let cotangents = with_cotangents(&gradient, &normalize(function), &inputs);
            let ways = [(Engine::Native, Fusion::On, Vectors::default())];
            let found = difference(&gradient, &cotangents, 64.0).or_else(|| {
                native.then(|| difference_in(&ways, &gradient, &cotangents, 64.0)).flatten()
            });
            assert_eq!(found, None, "{n}, {m}");
        }
    }
}

/// With `t[i: n, j: m]`, which is 0 but at `p[i]`.
fn sends(results: &str, body: &str) -> bool {
    let text = format!(
        "fn f(n: size, m: size, p: index(m)[n], q: index(3)[n], x: real[n], d: real[n, m]) -> ({results}) {{
            t[i: n, j: m] = [j = p[i]] * x[i]
            {body}
        }}"
    );
    let program: TensorSsa = normalize(load(&text).unwrap().function(None).unwrap());
    send(&program).body != program.body
}

#[test]
fn entries_go_to_products_alone() {
    let sum = "y[i: n] = sum(j: m) d[i, j] * t[i, j]";
    assert!(sends("y: real[n]", sum));
    assert!(sends("y: real[n]", "y[i: n] = -(t[i, p[i]] / (1 + x[i]^2)) * 2"));
    for (results, body) in [
        ("t: real[n, m], y: real[n]", sum),
        ("y: real[n]", "y[i: n] = sum(j: m) exp(t[i, j])"),
        ("y: real[n]", "y[i: n] = sum(j: m) t[i, j] * t[i, j]"),
        ("y: real[n]", "y[i: n] = max(j: m) t[i, j]"),
        ("y: real[n]", "y[i: n] = sum(j: m) [t[i, j] > 0] * d[i, j]"),
        ("y: real[n]", "y[i: n] = sum(j: m) d[i, j] / t[i, j]"),
        ("y: real[n]", "rec i: n { y[i] = sum(j: m) d[i, j] * t[i, j] }"),
        // short axes are gone through
        (
            "y: real[n], t: real[n, m]",
            "u[i: n, c: 3] = [c = q[i]] * x[i]\n y[i: n] = sum(c: 3) u[i, c] * real(c)",
        ),
    ] {
        assert!(!sends(results, body), "{body}");
    }
}
