//! States of recurrences that are other states of the same step by factors: they are computed again where the next steps read them.

use crate::compare::difference;
use crate::examples::real_params;
use crate::local::{inputs, threads_agree};
use crate::memory::{gradient, loops, program};
use iverson::executor::Fusion;
use iverson::pipeline::load;
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;

/// Each with whether its gradient computes adjoints again.
const BODIES: [(&str, bool); 4] = [
    // the adjoint of a sum of neighbours is that of its half by 1 / 2
    (
        "rec t: m {
            u[t, i: n] = if t = 0 then x[i] else (if 0 < i and i + 1 < n then (u[t - 1, i - 1] + u[t - 1, i + 1]) / 2 else u[t - 1, i])
        }
        s = sum(i: n where m > 0) y[i] * u[m - 1, i]",
        true,
    ),
    // by a tensor, and read at steps further away
    (
        "rec t: m {
            u[t, i: n] = if t <= 1 then x[i] else u[t - 2, i] + y[i] * ((if i > 0 then u[t - 1, i - 1] else 0) - u[t - 1, i])
        }
        s = sum(i: n where m > 0) u[m - 1, i]^2",
        true,
    ),
    // read again and again in a product with a matrix: the factor is kept
    (
        "rec t: m {
            u[t, i: n] = if t = 0 then x[i] else y[i] * tanh(sum(j: n) w[i, j] * u[t - 1, j])
        }
        s = sum(i: n where m > 0) u[m - 1, i]^2",
        false,
    ),
    // by a state of as many entries
    (
        "rec t: m {
            u[t, i: n] = if t = 0 then x[i] else sin(u[t - 1, i]) * (if i > 0 then u[t - 1, i - 1] else y[i])
        }
        s = sum(i: n where m > 0) u[m - 1, i]",
        false,
    ),
];

fn slope(body: &str) -> TensorSsa {
    let head = "fn f(n: size, m: size, x: real[n], y: real[n], w: real[n, n]) -> (s: real)";
    let program = program(&format!("{head} {{\n{body}\n}}"));
    let wrt = real_params(&program);
    gradient(&program, &wrt)
}

#[test]
fn adjoints_by_factors_are_computed_again() {
    for (body, again) in BODIES {
        let program = slope(body);
        let loops = loops(&program, Fusion::On);
        assert_eq!(loops.to_string().contains("u_bar, computed again"), again, "{loops}");
        for m in 0..6 {
            for n in [0, 1, 2, 3, 4, 9] {
                let given = inputs::<f64>(&program, &[("m", m), ("n", n)]);
                assert_eq!(difference(&program, &given, 4096.0), None, "{m} steps of {n}\n{loops}");
            }
        }
        threads_agree(body, &program, &[("m", 5), ("n", 301)], 1e7, 1e-3);
    }
}

/// The gradient of heat goes through each step once, and keeps two of its adjoints in the memory of two states.
#[test]
fn loops_of_the_gradient_of_heat() {
    let module = load(include_str!("../../examples/jacobi.iv")).unwrap();
    let heat = normalize(module.function(Some("heat")).unwrap());
    insta::assert_snapshot!(
        "heat_gradient",
        loops(&gradient(&heat, &["start"]), Fusion::On).to_string()
    );
}
