//! Functions of all pairs of points with several coordinates: their gradients, which are summed along both axes of the pairs, keep
//! no value for each pair and coordinate.

use crate::compare::{difference, difference_in, with_cotangents};
use crate::examples::real_params;
use crate::generated::has_compiler;
use crate::memory::{bytes, gradient, loops, program};
use iverson::executor::loops::Role;
use iverson::executor::native::{Precision, emit};
use iverson::executor::{Engine, Fusion, Vectors};
use iverson::pipeline::load;
use iverson::random::fill;
use iverson::spec::call::{Limits, Value, Values};
use iverson::spec::ir::Typed;
use iverson::spec::normalize;

/// What a function of points `x[n, d]`, `z[m, d]`, of `y[n]` and a scalar `c` computes.
const FAMILY: [(&str, &str); 9] = [
    (
        "pairs in one order, with a hinge",
        "s[i: n, j: n] = sum(k: d) (x[i, k] - x[j, k])^2
         f = sum(i: n, j: n where i < j) max(0, c + y[i] * y[j] * s[i, j]) + z[0, 0]",
    ),
    (
        "all pairs, with a hinge",
        "s[i: n, j: n] = sum(k: d) (x[i, k] - x[j, k])^2
         f = sum(i: n, j: n) max(0, c + y[i] * y[j] * s[i, j]) + z[0, 0]",
    ),
    (
        "a kernel of two sets of points",
        "s[i: n, j: m] = sum(k: d) (x[i, k] - z[j, k])^2
         f = sum(i: n, j: m) y[i] * exp(-c * s[i, j])",
    ),
    (
        "a kernel of scaled points",
        "t[i: n, j: n] = exp(-c * sum(k: d) ((x[i, k] - x[j, k]) / (2 + z[0, k]^2))^2)
         f = sum(i: n, j: n) y[i] * t[i, j] * y[j]",
    ),
    (
        "the stress of an embedding",
        "s[i: n, j: n] = sum(k: d) (x[i, k] - x[j, k])^2
         f = sum(i: n, j: n where i < j) (sqrt(s[i, j]) - y[i] * y[j])^2 + c * z[0, 0]",
    ),
    (
        "neighbours by the exponential of distances",
        "s[i: n, j: n] = sum(k: d) (x[i, k] - x[j, k])^2
         t[i: n] = 1 + sum(j: n where i != j) exp(-c * s[i, j])
         f = sum(i: n) log(t[i]) + sum(i: n, j: n where i != j) y[i] * y[j] * s[i, j] + z[0, 0]",
    ),
    (
        "absolute differences",
        "s[i: n, j: m] = sum(k: d) abs(x[i, k] - z[j, k])
         f = sum(i: n, j: m) y[i] * exp(-c * s[i, j])",
    ),
    (
        "a chain of functions of a difference",
        "t[i: n, j: m, k: d] = tanh(x[i, k] - z[j, k])
         s[i: n, j: m] = sum(k: d) t[i, j, k] * (1 + t[i, j, k]^2)
         f = sum(i: n, j: m) y[i] * log(1 + c^2 + s[i, j]^2)",
    ),
    (
        "the nearest points",
        "s[i: n, j: m] = sum(k: d) (x[i, k] - z[j, k])^2
         f = c * (sum(i: n) y[i] * (min(j: m) s[i, j])) + sum(j: m) (max(i: n) s[i, j])",
    ),
];

fn typed(body: &str) -> Typed {
    let text = format!(
        "fn g(n: size, m: size, d: size, x: real[n, d], z: real[m, d], y: real[n], c: real) -> (f: real) {{
            requires m > 0
            requires d > 0
            requires n > 0
            {body}
        }}"
    );
    load(&text).unwrap().function(None).unwrap().clone()
}

fn inputs(program: &Typed, n: u64, m: u64, d: u64) -> Values<f64> {
    let sizes = [("n", n), ("m", m), ("d", d)];
    let given = sizes.map(|(name, size)| (name.to_owned(), Value::Size(size)));
    fill(program, &Values::from_iter(given), 7, Limits::default()).unwrap()
}

#[test]
fn gradients_in_distances_keep_pairs_alone() {
    for (name, body) in FAMILY {
        let typed = typed(body);
        let program = normalize(&typed);
        let derivative = gradient(&program, &real_params(&program));
        let fused = loops(&derivative, Fusion::On);
        let (n, d) = (1000, 100);
        let kept = bytes(&fused, &[n, n, d], &[Role::Temporary, Role::Local]);
        assert!(kept <= 8 * 5 * n * n, "{name}: {kept}\n{fused}");
        let unfused = bytes(&loops(&derivative, Fusion::Off), &[n, n, d], &[Role::Temporary]);
        assert!(unfused >= 8 * n * n * d, "{name}: {unfused}");
    }
}

#[test]
fn gradients_in_distances_are_those_of_the_interpreter() {
    for (name, body) in FAMILY {
        let typed = typed(body);
        let program = normalize(&typed);
        let derivative = gradient(&program, &real_params(&program));
        for (n, m, d) in [(1, 1, 1), (2, 3, 1), (5, 4, 2), (33, 9, 5), (40, 34, 17)] {
            let inputs = inputs(&typed, n, m, d);
            let inputs = with_cotangents(&derivative, &program, &inputs);
            let found = difference(&derivative, &inputs, 4096.0);
            assert_eq!(found, None, "{name}: {n}, {m}, {d}");
        }
    }
}

/// In native code the sums over pairs are tiles, also where a condition stands in them: it is a choice between two values. Of the
/// nearest points there are no sums over all pairs.
#[test]
fn sums_over_pairs_are_tiles() {
    for (name, body) in FAMILY {
        let typed = typed(body);
        let program = normalize(&typed);
        let derivative = gradient(&program, &real_params(&program));
        let source = emit(&loops(&derivative, Fusion::On), Precision::F64).source;
        let over_pairs = name != "the nearest points";
        let tiles = ["iv_t_x_bar", "iv_u_x_bar"].iter().any(|sums| source.contains(sums));
        assert_eq!(tiles, over_pairs, "{name}: {source}");
        assert_eq!(
            source.contains("iv_joined"),
            name == "absolute differences",
            "{name}: {source}"
        );
        if has_compiler() {
            let inputs = with_cotangents(&derivative, &program, &inputs(&typed, 40, 34, 17));
            let native = [(Engine::Native, Fusion::On, Vectors::default())];
            assert_eq!(difference_in(&native, &derivative, &inputs, 4096.0), None, "{name}");
        }
    }
}

/// What is read at many places is kept: it would be computed more than eight times as often.
#[test]
fn what_many_sums_read_is_kept() {
    for (count, kept) in [(8, false), (9, true)] {
        let mut body = "t[i: n, j: n, k: d] = x[i, k] * y[j]\np0 = c\n".to_owned();
        for at in 0..count {
            body += &format!("s{at}[i: n, j: n] = sum(k: d) t[j, i, k] * (x[i, k] + p{at})\n");
            body += &format!("p{} = sum(i: n, j: n) s{at}[i, j]^2\n", at + 1);
        }
        body += &format!("f = p{count}");
        let text = format!(
            "fn g(n: size, d: size, x: real[n, d], y: real[n], c: real) -> (f: real) {{
                {body}
            }}"
        );
        let fused = loops(&program(&text), Fusion::On);
        let all = [Role::Temporary, Role::Local];
        let large = bytes(&fused, &[1000, 100], &all) >= 8 * 1000 * 1000 * 100;
        assert_eq!(large, kept, "{count}\n{fused}");
    }
}
