//! Temporaries of which some columns are kept at a time.

use crate::compare::{difference, unlike};
use crate::examples::real_params;
use crate::local::{engines, inputs, locals, run};
use crate::memory::{bytes, gradient, loops, program};
use crate::threads::bits;
use iverson::executor::loops::{Int, Role};
use iverson::executor::{Engine, Fusion, LoopProgram};
use iverson::pipeline::load;
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;

/// The columns of a window.
const COLUMNS: usize = 32;

/// Scans side by side, of which the last states are results.
const SCANS: &str = "fn f(m: size, n: size, x: real[m, n], a: real[n]) -> (y: real[n]) {
    rec t: m {
        h[t, b: n] = [t > 0] * a[b] * sin(h[t - 1, b]) + x[t, b]
    }
    y[b: n] = sum(t: m where t = m - 1) h[t, b]
}";

/// Scans side by side, with sums over all of them at each step: these are kept in variables, so there are no windows.
const SUMS: &str = "fn f(m: size, n: size, x: real[n], a: real[m]) -> (s: real[m], d: real[m]) {
    rec t: m {
        h[t, b: n] = [t = 0] * x[b] + [t > 0] * h[t - 1, b] * a[t]
    }
    s[t: m] = sum(b: n) h[t, b] * h[t, b]
    d[t: m] = sum(b: n where b != t) h[t, b] * x[b]
}";

/// Descending sums of what ascending ones leave.
const BOTH: &str = "fn f(m: size, n: size, x: real[m, n]) -> (y: real[m, n]) {
    rec t: m {
        u[t, b: n] = [t > 0] * 0.5 * u[t - 1, b] + x[t, b]
    }
    rec t: m descending {
        v[t, b: n] = [t < m - 1] * 0.5 * v[t + 1, b] + u[t, b]
    }
    y[t: m, b: n] = v[t, b] * u[t, b]
}";

/// Products of all factors but one, whose factors depend on the column.
const OTHERS: &str = "fn f(m: size, n: size, x: real[n], a: real[m]) -> (y: real[m]) {
    y[i: m] = prod(j: n where j != i) (x[j] * a[i])
}";

/// Scans side by side with a factor for each step.
const GAINS: &str = "fn f(m: size, n: size, x: real[n], a: real[m]) -> (y: real[n]) {
    rec t: m {
        h[t, b: n] = [t = 0] * x[b] + [t > 0] * sin(h[t - 1, b]) * a[t]
    }
    y[b: n] = sum(t: m where t = m - 1) h[t, b]
}";

/// A neighbour's column is read: no windows.
const STENCIL: &str = "fn f(m: size, n: size, x: real[n]) -> (y: real[n]) {
    rec t: m {
        h[t, b: n] = [t = 0] * x[b] + [t > 0 and b > 0] * h[t - 1, b - 1]
    }
    y[b: n] = sum(t: m where t = m - 1) h[t, b]
}";

/// A recurrence beside that of the columns: what each step reads of the step before keeps them in one loop.
const FEEDBACK: &str =
    "fn f(m: size, n: size, x: real[n], a: real[m]) -> (y: real[m], s: real[n]) {
    rec t: m {
        h[t, b: n] = [t = 0] * x[b] + [t > 0] * h[t - 1, b] * y[t - 1]
        y[t] = a[t] + [n > 0] * h[t, 0]
    }
    s[b: n] = sum(t: m where t = m - 1) h[t, b]
}";

/// The entries of a diagonal are read at the step of their column: loops over columns stay out of the recurrence.
const DIAGONAL: &str = "fn f(m: size, n: size, x: real[m, n]) -> (y: real[n]) {
    rec t: m {
        h[t, b: n] = x[t, b] + [t > 0] * h[t - 1, b]
    }
    y[b: n] = ([b < m] * h[b, b])^3
}";

/// Columns that a multiple of a variable names: the loop over them is in order in a window.
const THIRDS: &str = "fn f(n: size, m: size, x: real[n, n]) -> (y: real[n, n]) {
    t[i: n, j: n] = (sum(k: n where k + i = n) x[j, k]) * (x[j, j] * [(j + 1) % 3 <= 0])
    y[j: n, i: n] = sin(t[i, j] * 0.5 + x[j, i])
}";

fn products() -> TensorSsa {
    let text = include_str!("../../examples/products.iv");
    normalize(load(text).unwrap().function(Some("products")).unwrap())
}

/// Programs that go by windows.
fn all() -> Vec<(&'static str, TensorSsa)> {
    let derivative = |program: TensorSsa| gradient(&program, &real_params(&program));
    vec![
        ("the gradient of products", derivative(products())),
        ("the gradient of scans", derivative(program(SCANS))),
        ("both", program(BOTH)),
        ("the gradient of both", derivative(program(BOTH))),
        ("the gradient of others", gradient(&program(OTHERS), &["x"])),
        ("the gradient of a diagonal", derivative(program(DIAGONAL))),
    ]
}

#[test]
fn columns_need_no_matrix() {
    for (name, program) in all() {
        let loops = loops(&program, Fusion::On);
        let sizes = vec![2000; loops.sizes.len()];
        let needed = bytes(&loops, &sizes, &[Role::Temporary, Role::Local]);
        assert!(locals(&loops) >= 1, "{name}\n{loops}");
        assert!(needed < 8 * 2000 * 2000 / 2, "{name}: {needed}\n{loops}");
    }
    for text in [SUMS, STENCIL, FEEDBACK] {
        assert_eq!(locals(&loops(&program(text), Fusion::On)), 0);
    }
}

/// The loops: what is no loop over columns stands before the windows, and sums over columns go by windows too.
#[test]
fn the_gradient_of_products_goes_by_windows() {
    let loops = loops(&gradient(&products(), &["x"]), Fusion::On);
    insta::assert_snapshot!("products_columns", loops.to_string());
    assert_eq!(LoopProgram::parse(&loops.to_string()).unwrap(), loops);
}

/// What sums read at the step at which a recurrence writes it is needed for the last steps alone: of such matrices one is not kept. What is another state by a factor
/// is not kept at all.
#[test]
fn rows_that_are_read_at_their_step_are_not_kept() {
    let few = |loops: &LoopProgram| {
        let local = loops.buffers.iter().filter(|buffer| buffer.role == Role::Local);
        local.filter(|buffer| buffer.extents[0] == Int::Const(2)).count()
    };
    let others = (gradient(&program(OTHERS), &["x"]), (3, 1));
    let gains = (gradient(&program(GAINS), &["a"]), (1, 0));
    for (program, kept) in [(gradient(&products(), &["x"]), (2, 1)), others, gains] {
        let loops = loops(&program, Fusion::On);
        assert_eq!((locals(&loops), few(&loops)), kept, "{loops}");
    }
}

/// Programs without windows, by these reasons, are right too.
#[test]
fn what_is_needed_in_other_columns_is_kept() {
    for text in [SUMS, STENCIL, FEEDBACK] {
        let program = program(text);
        let derivative = gradient(&program, &real_params(&program));
        for n in [1, 2, 130] {
            for program in [&program, &derivative] {
                let given = inputs::<f64>(program, &[("n", n), ("m", 5)]);
                assert_eq!(difference(program, &given, 4096.0), None, "{text}, {n} columns");
            }
        }
    }
}

/// Sizes around those of a window: the values are the interpreter's, and the bits of the plain runner are those
/// that it has without fusion.
#[test]
fn windows_of_columns_change_no_value() {
    let thirds = ("the gradient of thirds", gradient(&program(THIRDS), &["x"]));
    assert!(locals(&loops(&thirds.1, Fusion::On)) >= 1);
    let gains = ("the gradient of gains", gradient(&program(GAINS), &["a"]));
    for (name, program) in all().into_iter().chain([thirds, gains]) {
        let sizes = [0, 1, 2, COLUMNS - 1, COLUMNS, COLUMNS + 1].map(|n| (n, 7));
        // steps before a window, in it and behind it, of two that are whole and one that is not
        for (n, m) in sizes.into_iter().chain([(2 * COLUMNS + 3, 3 * COLUMNS)]) {
            let given = inputs::<f64>(&program, &[("n", n), ("m", m)]);
            assert_eq!(difference(&program, &given, 4096.0), None, "{name}, {n} columns");
            for engine in engines() {
                let plain = run(&program, &given, Engine::Runner, 1);
                let one = run(&program, &given, engine, 1);
                assert_eq!(unlike(&plain, &one, 4096.0), None, "{name}, {n} columns, {engine:?}");
                for threads in [2, 7] {
                    let found = bits(Some(run(&program, &given, engine, threads)));
                    assert_eq!(found, bits(Some(one.clone())), "{name}, {n} columns, {engine:?}");
                }
            }
        }
    }
}

/// Threads share windows, each with columns of its own: enough work for several parts.
#[test]
fn threads_have_columns_of_their_own() {
    for (name, program) in all() {
        let given = inputs::<f64>(&program, &[("n", 700), ("m", 400)]);
        for engine in engines() {
            let one = bits(Some(run(&program, &given, engine, 1)));
            for threads in [2, 7] {
                let found = bits(Some(run(&program, &given, engine, threads)));
                assert_eq!(found, one, "{name}, {engine:?}, {threads} threads");
            }
        }
    }
}
