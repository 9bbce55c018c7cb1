//! Sums over the steps of a recurrence run in its steps, which then keeps the last ones alone.

use crate::adjoints::{gradient, program};
use crate::compare::{difference, difference_in, with_cotangents};
use crate::memory::loops;
use iverson::executor::loops::{Int, Role};
use iverson::executor::native::Compiler;
use iverson::executor::{Engine, Fusion, LoopProgram, Vectors};
use iverson::pipeline::load;
use iverson::random::fill;
use iverson::spec::call::{Limits, Value, Values};

/// By what it shows: the temporaries of its gradient that have a row for each step, and a program.
const PROGRAMS: [(&str, &[&str], &str); 7] = [
    // a factor of `c`; the states and their adjoints are kept for the last steps alone
    (
        "waves, two steps back",
        &["u"],
        "fn f(T: size, n: size, c: real[n], u0: real[n]) -> (e: real) {
            rec t: T + 1 {
                u[t, i: n] = if t = 0 then u0[i] else if t = 1 then 2 * u0[i] else
                    2 * u[t - 1, i] - u[t - 2, i] + c[i] * ((if i > 0 then u[t - 1, i - 1] else 0) - u[t - 1, i])
            }
            e = sum(i: n) u[T, i]^2
        }",
    ),
    (
        "a tree of prices",
        &["v", "v"],
        "fn f(n: size, p: real, d: real, pay: real[n + 1]) -> (v0: real) {
            rec t: n + 1 {
                v[t, j: n + 1] = if t = 0 then pay[j] else if j + t <= n then d * (p * v[t - 1, j + 1] + (1 - p) * v[t - 1, j]) else 0
            }
            v0 = v[n, 0]
        }",
    ),
    (
        "a weight for each cell",
        &["x"],
        "fn f(T: size, n: size, w: real[n], b: real[T, n]) -> (y: real) {
            rec t: T { x[t, i: n] = b[t, i] + (if t = 0 then 0 else sin(x[t - 1, i]) * w[i]) }
            y = sum(i: n where T > 0) x[T - 1, i]
        }",
    ),
    // each entry of the adjoint is read for all cells: a product of matrices
    (
        "a matrix of weights",
        &["x", "x"],
        "fn f(T: size, n: size, w: real[n, n], b: real[T, n]) -> (y: real) {
            rec t: T { x[t, i: n] = b[t, i] + (if t = 0 then 0 else sum(j: n) w[i, j] * x[t - 1, j]^2) }
            y = sum(i: n where T > 0) x[T - 1, i]
        }",
    ),
    (
        "down, and some of the steps",
        &["x", "x"],
        "fn f(T: size, n: size, w: real[n], b: real[n]) -> (y: real) {
            rec t: T descending { x[t, i: n] = b[i] + (if t = T - 1 then 0 else sin(x[t + 1, i]) * w[i]) }
            y = sum(t: T, i: n where 2 <= t < T - 1) x[t, i]^2
        }",
    ),
    // the second term of the gradient in `a` is added behind the first
    (
        "two recurrences",
        &["x", "z", "z_bar"],
        "fn f(T: size, n: size, a: real[n], b: real[n]) -> (y: real) {
            rec t: T { x[t, i: n] = a[i] + (if t = 0 then 0 else x[t - 1, i] * b[i]) }
            rec s: T { z[s, i: n] = x[s, i] + (if s = 0 then 0 else z[s - 1, i] * a[i]) }
            y = sum(t: T, i: n) x[t, i] * z[t, i]
        }",
    ),
    (
        "a sum of what is read last",
        &["x"],
        "fn f(T: size, n: size, a: real[n]) -> (y: real, m: real[n]) {
            rec t: T { x[t, i: n] = a[i] + (if t = 0 then 0 else x[t - 1, i]^2) }
            y = sum(t: T, i: n) x[t, i]^3
            m[i: n] = max(t: T) x[t, i]
        }",
    ),
];

/// The names of the temporaries that grow along several axes, one of them that of the steps.
fn kept(loops: &LoopProgram) -> Vec<&str> {
    let grows = |e: &Int| e.as_const().is_none();
    let all = loops.buffers.iter().filter(|b| b.role == Role::Temporary && b.extents.len() > 1);
    all.filter(|b| b.extents.iter().all(grows)).map(|b| b.name.as_str()).collect()
}

fn inputs(text: &str, steps: u64, cells: u64) -> Values<f64> {
    let module = load(text).unwrap();
    let function = module.function(None).unwrap();
    let sizes = [("T", steps), ("n", cells)].map(|(name, n)| (name.to_owned(), Value::Size(n)));
    let mut sizes: Values<f64> = sizes.into();
    sizes.retain(|name, _| function.symbols.sizes.contains(name));
    fill(function, &sizes, steps + cells, Limits::default()).unwrap()
}

#[test]
fn recurrences_keep_the_steps_that_are_needed_later() {
    for (name, wanted, text) in PROGRAMS {
        let loops = loops(&gradient(&program(text)), Fusion::On);
        assert_eq!(kept(&loops), wanted, "{name}:\n{loops}");
    }
}

#[test]
fn sums_in_the_steps_of_a_recurrence_are_right() {
    let native = Compiler::find().is_ok();
    let ways = [(Engine::Native, Fusion::On, Vectors::default())];
    for (name, _, text) in PROGRAMS {
        let program = program(text);
        let derivative = gradient(&program);
        for (steps, cells) in [(0, 2), (1, 0), (1, 3), (2, 3), (3, 1), (4, 40), (5, 2), (9, 3)] {
            let inputs = inputs(text, steps, cells);
            let cotangents = with_cotangents(&derivative, &program, &inputs);
            for (program, inputs) in [(&program, &inputs), (&derivative, &cotangents)] {
                let found = difference(program, inputs, 4096.0);
                let compiled = || native.then(|| difference_in(&ways, program, inputs, 4096.0));
                if let Some(what) = found.or_else(|| compiled().flatten()) {
                    panic!("{name}, {steps} steps of {cells}: {what}");
                }
            }
        }
    }
}
