//! Temporaries whose neighbours are read, some entries at a time.

use crate::compare::difference;
use crate::examples::real_params;
use crate::local::{inputs, locals, threads_agree};
use crate::memory::{gradient, loops, program};
use iverson::executor::loops::Role;
use iverson::executor::loops::verify::verify;
use iverson::executor::native::{Precision, emit};
use iverson::executor::{Engine, Fusion, LoopProgram, Options, compile};
use iverson::pipeline::load;
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;

/// The entries of a window.
const ROWS: usize = 192;

const CATENARY: &str = include_str!("../../examples/catenary.iv");

/// Loops with ends of their own, whose sums go on in the next ones.
const STRING: &str = "fn f(n: size, u: real[n], k: real) -> (energy: real) {
    flow[i: n] = [i > 0] * (u[i - 1] - u[i]) + [i + 1 < n] * (u[i + 1] - u[i])
    energy = sum(i: n) k * sqrt(1 + flow[i]^2)
}";

/// Neighbours on both sides, one of them further away.
const LAGGED: &str = "fn f(n: size, x: real[n]) -> (y: real[n], s: real) {
    t[i: n] = exp(x[i]) / (1 + x[i]^2)
    y[i: n] = [i >= 2] * t[i - 2] + t[i] - [i + 1 < n] * t[i + 1]
    s = sum(i: n) t[i]
}";

/// Neighbours of two temporaries that one loop computes, one under a condition.
const WAVES: &str = "fn f(n: size, x: real[n + 2], c: real) -> (y: real[n], most: real) {
    s[i: n + 1] = sqrt(1 + (x[i + 1] - x[i])^2)
    t[i: n + 1] = if x[i] > 0 then log(1 + s[i]) else exp(x[i])
    y[i: n] = c * (s[i + 1] - t[i]) / (1 + s[i]^2) + t[i + 1]
    most = max(i: n + 1) s[i]
}";

/// The rows of a window of temporaries with several axes.
const LINES: usize = 16;

const IMAGE: &str = include_str!("../../examples/image_gradient.iv");

/// Rows on both sides, in loops over a kernel.
const SMOOTH: &str = "fn f(n: size, m: size, x: real[n, m], w: real[3, 3]) -> (y: real[n, m], s: real) {
    t[i: n, j: m] = exp(x[i, j]) / (1 + x[i, j]^2)
    y[i: n, j: m] = sum(a: 3, b: 3 where 1 <= i + a <= n and 1 <= j + b <= m) w[a, b] * t[i + a - 1, j + b - 1]
    s = sum(i: n, j: m) t[i, j]
}";

/// Rows of two temporaries, of different number and with columns behind them.
const STACKED: &str = "fn f(n: size, m: size, x: real[n + 1, m]) -> (y: real[n, m], z: real[n]) {
    t[i: n + 1, j: m] = sqrt(1 + x[i, j]^2)
    u[i: n, j: m, k: 2] = if k = 0 then log(t[i, j]) else exp(x[i, j])
    y[i: n, j: m] = (t[i + 1, j] - t[i, j]) * u[i, j, 0] + [i >= 1] * u[i - 1, j, 1]
    z[i: n] = sum(j: m) u[i, j, 0] * t[i, j]
}";

/// The programs on images that go by windows.
fn images() -> Vec<(&'static str, TensorSsa)> {
    let image = program(IMAGE);
    let blur = load(include_str!("../../examples/blur.iv")).unwrap();
    let blur = normalize(blur.function(Some("blur_image")).unwrap());
    vec![
        ("the gradient of image_gradient", gradient(&image, &["u", "epsilon"])),
        ("the gradient of blur_image", gradient(&blur, &["x"])),
        ("smooth", program(SMOOTH)),
        ("stacked", program(STACKED)),
    ]
}

/// The programs that go by windows.
fn all() -> Vec<(&'static str, TensorSsa)> {
    let slope = |text: &str| {
        let program = program(text);
        gradient(&program, &real_params(&program))
    };
    vec![
        ("the gradient of catenary", slope(CATENARY)),
        ("the gradient of string", slope(STRING)),
        ("lagged", program(LAGGED)),
        ("waves", program(WAVES)),
    ]
}

/// How many temporaries with entries a program has.
fn kept(loops: &LoopProgram) -> usize {
    let kept = loops.buffers.iter().filter(|buffer| {
        buffer.role == Role::Temporary && buffer.extents.iter().any(|e| e.as_const().is_none())
    });
    kept.count()
}

#[test]
fn neighbours_do_not_go_through_memory() {
    for (name, program) in all().into_iter().chain(images()) {
        let loops = loops(&program, Fusion::On);
        assert_eq!(kept(&loops), 0, "{name}\n{loops}");
        assert!(locals(&loops) >= 1, "{name}\n{loops}");
        assert_eq!(LoopProgram::parse(&loops.to_string()).unwrap(), loops);
    }
}

/// The loops of one window: the border, the links, the joints.
#[test]
fn the_gradient_of_catenary_goes_by_windows() {
    let derivative = gradient(&program(CATENARY), &["x", "y"]);
    insta::assert_snapshot!("catenary", loops(&derivative, Fusion::On).to_string());
}

/// Sizes around those of a window, and the smallest: the values are the interpreter's, and the bits of the plain runner are those
/// that it has without fusion.
#[test]
fn borders_change_no_value() {
    let around = [ROWS - 2, ROWS - 1, ROWS, ROWS + 1, ROWS + 2, 2 * ROWS + 1];
    for (name, program) in all() {
        for n in (0..5).chain(around) {
            let given = inputs::<f64>(&program, &[("n", n)]);
            assert_eq!(difference(&program, &given, 4096.0), None, "{name}, {n} rows");
        }
    }
}

#[test]
fn borders_of_rows_change_no_value() {
    let around = [LINES - 1, LINES, LINES + 1, 2 * LINES, 2 * LINES + 3];
    for (name, program) in images() {
        for n in (0..5).chain(around) {
            for m in [0, 1, 2, 5] {
                let sizes = [("n", n), ("h", n), ("m", m), ("w", m)];
                let given = inputs::<f64>(&program, &sizes);
                assert_eq!(difference(&program, &given, 4096.0), None, "{name}, {n} x {m}");
            }
        }
    }
}

/// Threads share windows: each computes the borders of its own.
#[test]
fn threads_have_borders_of_their_own() {
    for (name, program) in all() {
        threads_agree(name, &program, &[("n", 150 * ROWS + 7)], 1e7, 1e-3);
    }
    for (name, program) in images() {
        let sizes = [("n", 12 * LINES + 7), ("h", 12 * LINES + 7), ("m", 700), ("w", 700)];
        threads_agree(name, &program, &sizes, 1e7, 1e-3);
    }
}

/// Results that loops over rows store are not added to elsewhere: sums over three rows stay sums where images end.
#[test]
fn few_rows_are_not_passed_through_one_by_one() {
    let (_, blur) = images().into_iter().nth(1).unwrap();
    let options = Options { engine: Engine::Runner, ..Options::default() };
    let executable = compile::<f64>(&blur, options).unwrap();
    let source = emit(executable.loops(), Precision::F64).source;
    assert!(source.contains("x_bar[") && !source.contains("] += x_bar"), "{source}");
}

/// What a border would need from other steps or windows, or from further away, is kept: a sum that goes on from step to step, what reads
/// neighbours itself, many neighbours, loops with loops inside or many rows, a product of matrices.
#[test]
fn what_a_border_cannot_compute_is_kept() {
    let texts = [
        "fn f(n: size, x: real[n]) -> (y: real[n]) {
            rec i: n { r[i] = x[i] + (if i > 0 then r[i - 1] / 2 else 0) }
            t[i: n] = exp(r[i])
            y[i: n] = sqrt(t[i]) * ([i > 0] * t[i - 1])
        }",
        "fn f(n: size, x: real[n]) -> (y: real[n]) {
            s[i: n] = exp(x[i])
            t[i: n] = exp(s[i] + [i > 0] * s[i - 1])
            y[i: n] = t[i] - [i > 0] * t[i - 1]
        }",
        "fn f(n: size, x: real[n]) -> (y: real[n]) {
            t[i: n] = exp(x[i]) / (1 + x[i]^2)
            y[i: n] = t[i] * ([i >= 100] * t[i - 100])
        }",
        "fn f(n: size, m: size, x: real[n, m]) -> (y: real[n]) {
            t[i: n] = sum(j: m) exp(x[i, j])
            y[i: n] = t[i] * ([i > 0] * t[i - 1])
        }",
        "fn f(n: size, m: size, x: real[n, m], z: real[m, m]) -> (y: real[n, m]) {
            t[i: n, j: m] = sum(k: m) exp(x[i, k]) * z[j, k]
            y[i: n, j: m] = t[i, j] * ([i > 0] * t[i - 1, j])
        }",
        "fn f(n: size, m: size, x: real[n, m]) -> (y: real[n, m]) {
            t[i: n, j: m] = exp(x[i, j]) / (1 + x[i, j]^2)
            y[i: n, j: m] = t[i, j] * ([i >= 3 and j >= 1] * t[i - 3, j - 1])
        }",
    ];
    for (at, text) in texts.into_iter().enumerate() {
        let program = program(text);
        let loops = loops(&program, Fusion::On);
        assert!(kept(&loops) >= 1, "{at}\n{loops}");
        for n in [0, 1, 2, ROWS + 1, 2 * ROWS + 3] {
            let given = inputs::<f64>(&program, &[("n", n), ("m", 4)]);
            assert_eq!(difference(&program, &given, 4096.0), None, "{at}, {n} rows");
        }
    }
}

/// A local has all rows in and around a window that are touched.
#[test]
fn rows_around_a_window_are_within_the_local() {
    let text = |extent: &str, first: &str, row: &str| {
        format!(
            "loops f\nsize n\ninput x: real[n]\nlocal t: real[{extent}]\noutput y: real[n]\nints w, i, a, j\n\
             for any w in 0 .. n where 0 of 4 {{\n    for i in max({first}, 0) .. min(w + 4, n) {{\n        \
             for a in 0 .. 3 {{\n            t[{row}] = x[i]\n        }}\n    }}\n    for any j in max(w, 1) .. min(w + 4, n) {{\n        \
             y[j] = t[j - w]\n    }}\n}}\n"
        )
    };
    let parse = |extent, first, row| LoopProgram::parse(&text(extent, first, row));
    for (extent, row) in [("5", "i - w + 1"), ("7", "i + a - w + 1"), ("7", "i - a - w + 3")] {
        assert!(verify(&parse(extent, "w - 1", row).unwrap()).is_ok());
    }
    for (extent, first, row) in [
        ("4", "w - 1", "i - w + 1"),
        ("5", "w - 2", "i - w + 1"),
        ("5", "w - 1", "i - w"),
        ("5", "w - 1", "i"),
        // with a loop between constants
        ("6", "w - 1", "i + a - w + 1"),
        ("8", "w - 1", "i - a - w + 2"),
    ] {
        let error = parse(extent, first, row).unwrap_err().to_string();
        assert!(error.contains("invariant 9"), "{error}");
    }
}
