//! What temporaries a program needs: none that can be computed again cheaply, and shared memory for the others.

use crate::compare::{difference, with_cotangents};
use crate::examples::{cases, real_params};
use crate::generated::has_compiler;
use iverson::derivative::Kind;
use iverson::executor::frame::extent;
use iverson::executor::loops::{Buffer, Element, Role};
use iverson::executor::{Engine, Fusion, Inputs, LoopProgram, Options, Output, Outputs, compile};
use iverson::pipeline::{differentiate, load};
use iverson::spec::call::{Dense, Limits, Value, Values, bind};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::num::NonZero;

pub(crate) fn program(text: &str) -> TensorSsa {
    normalize(load(text).unwrap().function(None).unwrap())
}

pub(crate) fn gradient(program: &TensorSsa, wrt: &[&str]) -> TensorSsa {
    differentiate(program, Kind::Gradient, wrt).unwrap().program
}

pub(crate) fn loops(program: &TensorSsa, fusion: Fusion) -> LoopProgram {
    let options = Options { engine: Engine::Block, fusion, ..Options::default() };
    compile::<f64>(program, options).unwrap().loops().clone()
}

/// The bytes of the real buffers of some roles, at sizes (and numbers of tuples of relations).
pub(crate) fn bytes(loops: &LoopProgram, sizes: &[i64], roles: &[Role]) -> i64 {
    let real = loops.buffers.iter().filter(|buffer| buffer.element == Element::Real);
    let chosen = real.filter(|buffer| roles.contains(&buffer.role));
    chosen.map(|b| b.extents.iter().map(|e| extent(e, sizes).max(0)).product::<i64>() * 8).sum()
}

pub(crate) fn sizes(program: &TensorSsa, inputs: &Values<f64>) -> Vec<i64> {
    let mut sizes = bind(program, inputs, Limits::default()).unwrap().sizes;
    sizes.extend(program.symbols.relations.iter().map(|relation| match &inputs[&relation.name] {
        Value::Relation(r) => r.len() as i64,
        other @ (Value::Size(_) | Value::Real(_) | Value::Index(_)) => {
            panic!("a relation, found {other:?}")
        }
    }));
    sizes
}

pub(crate) fn nbody(n: usize) -> (TensorSsa, Values<f64>) {
    let program = cases().into_iter().find(|(name, ..)| name.starts_with("nbody")).unwrap().1;
    let mut inputs = Values::new();
    inputs.insert("m".into(), Value::vector(vec![1.0; n]));
    for name in ["x", "v"] {
        let data = (0..3 * n).map(|i| (i as f64 * 0.7).sin()).collect();
        inputs.insert(name.into(), Value::Real(Dense { shape: vec![n, 3], data }));
    }
    inputs.insert("epsilon".into(), Value::scalar(0.1));
    (program, inputs)
}

/// The loops: the forces are computed in both orders, and no matrix is kept.
#[test]
fn the_gradient_of_n_bodies_needs_no_matrix() {
    let (program, inputs) = nbody(40);
    let derivative = gradient(&program, &["x"]);
    insta::assert_snapshot!("nbody", loops(&derivative, Fusion::On).to_string());
    let temporaries = |fusion| bytes(&loops(&derivative, fusion), &[1000], &[Role::Temporary]);
    assert!(temporaries(Fusion::On) <= 8 * 1000, "{}", temporaries(Fusion::On));
    assert!(temporaries(Fusion::Off) >= 8 * 1000 * 1000);
    let inputs = with_cotangents(&derivative, &program, &inputs);
    assert_eq!(difference(&derivative, &inputs, 4096.0), None);
}

/// Distances of all pairs, of which those in one order are wanted.
const ORDERED: &str = "fn ordered(n: size, x: real[n]) -> (s: real) {
    distance[i: n, j: n] = abs(x[i] - x[j])
    s = sum(i: n, j: n where i < j) max(0, 1 - distance[i, j])
}";

#[test]
fn pairs_in_one_order_need_no_matrix() {
    let program = program(ORDERED);
    let derivative = gradient(&program, &["x"]);
    let mut inputs = Values::new();
    let data = (0..30).map(|i| (f64::from(i) * 0.7).cos()).collect();
    inputs.insert("x".into(), Value::vector(data));
    for program in [&program, &derivative] {
        let temporaries = bytes(&loops(program, Fusion::On), &[1000], &[Role::Temporary]);
        assert!(temporaries <= 8 * 1000, "{temporaries}");
    }
    let inputs = with_cotangents(&derivative, &program, &inputs);
    assert_eq!(difference(&derivative, &inputs, 4096.0), None);
}

/// A kernel of all pairs, weighted and normalised: no matrix in the result and none in the gradient.
const PAIRS: &str = "fn pairs(n: size, x: real[n], y: real[n], v: real[n]) -> (s: real) {
    k[i: n, j: n] = exp(x[i] * y[j])
    total[i: n] = sum(j: n) k[i, j]
    mean[i: n] = sum(j: n) k[i, j] * v[j] / total[i]
    s = sum(i: n) mean[i]^2
}";

#[test]
fn sums_like_attention_need_no_matrix() {
    let program = program(PAIRS);
    let derivative = gradient(&program, &["x", "y", "v"]);
    let mut inputs = Values::new();
    for name in ["x", "y", "v"] {
        let data = (0..30).map(|i| (f64::from(i) * 0.7).cos()).collect();
        inputs.insert(name.into(), Value::vector(data));
    }
    for program in [&program, &derivative] {
        let loops = loops(program, Fusion::On);
        let temporaries = bytes(&loops, &[1000], &[Role::Temporary]);
        assert!(temporaries <= 16 * 8 * 1000, "{temporaries}\n{loops}");
    }
    assert_eq!(difference(&program, &inputs, 4096.0), None);
    let inputs = with_cotangents(&derivative, &program, &inputs);
    assert_eq!(difference(&derivative, &inputs, 4096.0), None);
}

/// The gradient of a chain's energy: what depends on cotangents alone stands in front of the loop of the result, so the
/// adjoints are computed in that loop, and what other steps read of them is kept some entries at a time.
#[test]
fn the_gradient_of_a_chain_keeps_little_of_what_neighbours_read() {
    let program = cases().into_iter().find(|(name, ..)| name.starts_with("catenary")).unwrap().1;
    let derivative = gradient(&program, &real_params(&program));
    let loops = loops(&derivative, Fusion::On);
    let kept = bytes(&loops, &[1000], &[Role::Temporary]);
    assert!(kept < 64, "{kept}\n{loops}");
}

/// A recurrence is cut at its first step; in the others the sum of neighbours and its half are one loop. The state of the last
/// two steps is kept.
#[test]
fn a_recurrence_keeps_its_last_states_alone() {
    let text = std::fs::read_to_string("examples/jacobi.iv").unwrap();
    let heat = normalize(load(&text).unwrap().function(Some("heat")).unwrap());
    let loops = loops(&heat, Fusion::On);
    let (n, steps) = (1000, 50);
    let kept = bytes(&loops, &[n, steps], &[Role::Temporary]);
    assert_eq!(kept, 2 * 8 * (n + 2), "{loops}");
}

/// How many states are kept: all where the first or every one is read at the end.
#[test]
fn recurrences_keep_the_states_that_are_read() {
    let state = "[t > 0] * (x[i] + sum(j: n where j != i) s[t - 1, j] / 8)";
    let two = "x[i] + [t > 1] * (s[t - 1, n - 1 - i] - s[t - 2, i] / 2)";
    let parts = "x[i] + [t > 0] * s[t - 1, i]^2 * sum(j: n) s[t - 1, j]";
    for (state, result, rows) in [
        (state, "s[T, i]", 2),
        (two, "s[T, i]", 3),
        (two, "s[T, i] * s[T - 1, i]", 3),
        (state, "s[0, i] + s[T, i]", 7),
        // the state before as a row of its own: its sum comes first
        (parts, "s[T, i]", 3),
        (state, "sum(t: T + 1) s[t, i]", 7),
    ] {
        let program = program(&format!(
            "fn f(n: size, T: size, x: real[n]) -> (y: real[n]) {{
                rec t: T + 1 {{ s[t, i: n] = {state} }}
                y[i: n] = [T > 0] * ({result})
            }}"
        ));
        let loops = loops(&program, Fusion::On);
        let temporaries = bytes(&loops, &[1000, 6], &[Role::Temporary]) / 8000;
        assert_eq!(temporaries, rows, "{state}, {result}\n{loops}");
        let derivative = gradient(&program, &["x"]);
        for (n, steps) in [(0, 3), (1, 0), (5, 1), (9, 2), (17, 7)] {
            let data = (0..n).map(|i| (f64::from(i) * 0.7).cos() / 8.0).collect();
            let inputs = Values::from_iter([
                ("x".into(), Value::vector(data)),
                ("T".into(), Value::Size(steps)),
            ]);
            assert_eq!(difference(&program, &inputs, 4096.0), None);
            let inputs = with_cotangents(&derivative, &program, &inputs);
            assert_eq!(difference(&derivative, &inputs, 4096.0), None);
        }
    }
}

/// A state of one number is a variable; not where the state before it is read too, or all are at the end.
#[test]
fn a_state_that_a_step_hands_on_is_a_variable() {
    for (text, is_variable) in [
        (
            "fn f(n: size, x: real[n]) -> (y: real) {
                rec t: n { s[t] = exp(x[t]) + [t > 0] * s[t - 1] / 2 }
                y = [n > 0] * s[n - 1]^2
            }",
            true,
        ),
        (
            "fn f(n: size, x: real[n]) -> (y: real[n]) {
                rec t: n descending { s[t] = x[t]^2 + [t + 1 < n] * sum(k: 3) s[t + 1] * x[t] / real(k + 2) }
                y[t: n] = [n > 1] * x[t] * s[0]
            }",
            true,
        ),
        (
            "fn f(n: size, x: real[n]) -> (y: real) {
                rec t: n { s[t] = x[t] + [t > 1] * (s[t - 1] / 2 - s[t - 2] / 4) }
                y = [n > 0] * s[n - 1]
            }",
            false,
        ),
        (
            "fn f(n: size, x: real[n]) -> (y: real[n]) {
                rec t: n { s[t] = x[t] + [t > 0] * s[t - 1] / 2 }
                y[t: n] = s[n - 1 - t]
            }",
            false,
        ),
    ] {
        let program = program(text);
        let loops = loops(&program, Fusion::On);
        let temporaries = loops.buffers.iter().filter(|b| b.role == Role::Temporary);
        let kept = |b: &Buffer| b.extents.first().is_some_and(|e| e.as_const() != Some(0));
        assert_eq!(temporaries.filter(|b| kept(b)).count(), usize::from(!is_variable), "{loops}");
        let derivative = gradient(&program, &["x"]);
        for n in [0, 1, 2, 3, 9, 40] {
            let data = (0..n).map(|i| (f64::from(i) * 0.7).cos()).collect();
            let inputs = Values::from_iter([("x".into(), Value::vector(data))]);
            assert_eq!(difference(&program, &inputs, 4096.0), None, "{loops}");
            let inputs = with_cotangents(&derivative, &program, &inputs);
            assert_eq!(difference(&derivative, &inputs, 4096.0), None);
        }
    }
}

/// States that are a result, or that a gradient reads again, are handed on in a variable too: no step reads that of the step before
/// from memory.
#[test]
fn states_that_are_kept_are_handed_on_too() {
    for text in [
        "fn f(n: size, x: real[n], w: real) -> (s: real[n]) {
            rec t: n { s[t] = exp(x[t]) + [t > 0] * w * s[t - 1] }
        }",
        "fn f(n: size, x: real[n], w: real) -> (s: real[n + 1]) {
            rec t: n + 1 descending { s[t] = if t = n then w else s[t + 1] * x[t] }
        }",
    ] {
        let program = program(text);
        let derivative = gradient(&program, &["x", "w"]);
        for program in [&program, &derivative] {
            let loops = loops(program, Fusion::On).to_string();
            let steps = loops.split("\n}").filter(|part| part.contains("visit s"));
            for step in steps.map(|part| part.split("for ").last().unwrap()) {
                assert!(!step.contains("s[t - 1]") && !step.contains("s[t + 1]"), "{loops}");
            }
        }
        for n in [0, 1, 2, 3, 9, 40] {
            let data = (0..n).map(|i| (f64::from(i) * 0.7).cos()).collect();
            let inputs = Values::from_iter([
                ("x".into(), Value::vector(data)),
                ("w".into(), Value::scalar(0.5)),
            ]);
            assert_eq!(difference(&program, &inputs, 4096.0), None);
            let inputs = with_cotangents(&derivative, &program, &inputs);
            assert_eq!(difference(&derivative, &inputs, 4096.0), None);
        }
    }
}

/// The gradients of maxima over windows: the places of the maxima lead to the entries that they read, also where a place is
/// counted from the entry; nothing is sorted by them, and places need no check.
#[test]
fn the_gradient_of_a_window_sorts_nothing() {
    let text = std::fs::read_to_string("examples/pooling.iv").unwrap();
    for function in ["max_pool", "dilate"] {
        let program = normalize(load(&text).unwrap().function(Some(function)).unwrap());
        let loops = loops(&gradient(&program, &["x"]), Fusion::On).to_string();
        assert!(!loops.contains("in the order of a key"), "{loops}");
        assert!(!loops.contains("check"), "{loops}");
    }
}

/// What is read at places that data say is computed again there: the loops compute all entries, so also those.
#[test]
fn what_data_point_to_is_computed_again() {
    let program = program(
        "fn f(n: size, k: size, d: size, p: index(k)[n], x: real[n, d], c: real[k, d]) -> (s: real[n], y: real[n, d]) {
            t[i: n, j: k, a: d] = x[i, a] - c[j, a]
            s[i: n] = sum(j: k, a: d) t[i, j, a]^2
            y[i: n, a: d] = t[i, p[i], a] * x[i, a]
        }",
    );
    let loops = loops(&program, Fusion::On);
    assert_eq!(bytes(&loops, &[100, 100, 100], &[Role::Temporary, Role::Local]), 0, "{loops}");
    for (n, k, d) in [(0, 0, 0), (0, 2, 3), (3, 1, 0), (5, 3, 2), (9, 2, 17)] {
        let mut inputs = Values::new();
        let data = |count: usize| (0..count).map(|i| (i as f64 * 0.7).sin()).collect();
        let places = (0..n as i64).map(|i| i * 7 % (k as i64).max(1)).collect();
        inputs.insert("p".into(), Value::Index(Dense { shape: vec![n], data: places }));
        inputs.insert("x".into(), Value::Real(Dense { shape: vec![n, d], data: data(n * d) }));
        inputs.insert("c".into(), Value::Real(Dense { shape: vec![k, d], data: data(k * d) }));
        assert_eq!(difference(&program, &inputs, 64.0), None, "{n}, {k}, {d}");
    }
}

/// Sums are cleared in front of the loops that make them one: a row, its adjoint and what that adds to a sum are one pass, and
/// so are the edges of an image and their adjoints.
#[test]
fn clears_stand_between_no_passes() {
    let program = program(
        "fn f(n: size, m: size, A: real[n, m], B: real[m, n], x: real[m]) -> (q: real) {
            y[i: n] = sum(j: m) A[i, j] * B[j, i] * x[j]
            q = sum(i: n) exp(y[i])
        }",
    );
    let derivative = gradient(&program, &["A", "x"]);
    let loops_of = |program| loops(program, Fusion::On);
    let fused = loops_of(&derivative);
    assert_eq!(bytes(&fused, &[1000, 1000], &[Role::Temporary]), 0, "{fused}");
    for (n, m) in [(0, 0), (0, 2), (3, 0), (1, 1), (33, 5), (70, 17)] {
        let mut inputs = Values::new();
        let data = |count: usize| (0..count).map(|i| (i as f64 * 0.7).sin()).collect();
        for (name, shape) in [("A", vec![n, m]), ("B", vec![m, n]), ("x", vec![m])] {
            let data = data(shape.iter().product());
            inputs.insert(name.into(), Value::Real(Dense { shape, data }));
        }
        inputs.insert("q_ct".into(), Value::scalar(0.5));
        assert_eq!(difference(&derivative, &inputs, 64.0), None, "{n}, {m}");
    }
    let text = std::fs::read_to_string("examples/arap.iv").unwrap();
    let arap = normalize(load(&text).unwrap().function(Some("arap")).unwrap());
    let fused = loops_of(&gradient(&arap, &real_params(&arap)));
    // an edge, what pulls, and adjoints for both of its pixels
    let kept = bytes(&fused, &[100, 100, 0, 0], &[Role::Temporary]) / (8 * 100 * 100);
    assert!(kept <= 28, "{kept}\n{fused}");
}

/// The gradient of k-means has an adjoint of the distance to the nearest centre for each point, none of the others.
#[test]
fn the_gradient_at_the_nearest_keeps_no_pairs() {
    let text = std::fs::read_to_string("examples/kmeans.iv").unwrap();
    let program = normalize(load(&text).unwrap().function(None).unwrap());
    let loops = loops(&gradient(&program, &["x", "centre"]), Fusion::On);
    let (n, k, d) = (1000, 100, 10);
    let kept = bytes(&loops, &[n, k, d], &[Role::Temporary, Role::Local]);
    let rows = 32 * (k + 1);
    assert!(kept <= 8 * (n * d + rows + (k + 1) * (2 * d + 1)), "{kept}\n{loops}");
}

/// What may not be computed again: longer than a line, or read more often than it is written; of one that is read
/// in its own rows some rows are kept.
#[test]
fn what_would_cost_more_is_kept() {
    let product =
        "fn f(n: size, m: size, x: real[n], y: real[m], V: real[m, n]) -> (z: real[n, n]) {
        p[i: n, j: m] = exp(x[i] * y[j])
        z[b: n, i: n] = sum(j: m) p[i, j] * V[j, b]
    }";
    let sum = "fn f(n: size, m: size, a: real[n, m], x: real[n]) -> (y: real[n], z: real[n]) {
        p[i: n, j: n] = sum(k: m) a[i, k] * x[j]
        y[i: n] = sum(j: n) p[i, j] * p[j, i]
        z[j: n] = sum(i: n) p[i, j]
    }";
    for (text, role, kept) in
        [(product, Role::Local, 8 * 32 * 1000), (sum, Role::Temporary, 8_000_000)]
    {
        let loops = loops(&program(text), Fusion::On);
        let all = [Role::Temporary, Role::Local];
        assert_eq!(bytes(&loops, &[1000, 1000], &[role]), kept, "{loops}");
        assert_eq!(bytes(&loops, &[1000, 1000], &all), kept, "{loops}");
    }
}

/// Entries that no step of the loops computes are read too: they are 0, and the matrix stays.
#[test]
fn what_is_read_beyond_its_loops_is_kept() {
    let program = program(
        "fn f(n: size, x: real[n], y: real[n]) -> (z: real[n]) {
            t[i: n, j: n] = [i < j] * x[i] * y[j]
            z[j: n] = sum(i: n) t[i, j] + sum(i: n) t[j, i]^2
        }",
    );
    let loops = loops(&program, Fusion::On);
    assert_eq!(bytes(&loops, &[1000], &[Role::Temporary]), 8_000_000, "{loops}");
    let mut inputs = Values::new();
    inputs.insert("x".into(), Value::vector(vec![1.0, 2.0, 0.5, 3.0]));
    inputs.insert("y".into(), Value::vector(vec![0.5, -1.0, 4.0, 2.5]));
    assert_eq!(difference(&program, &inputs, 64.0), None);
}

/// A chain of statements each of which needs the sum of the one before.
fn chain(length: usize) -> TensorSsa {
    let mut text = "fn f(n: size, x: real[n]) -> (y: real[n]) {\n    a0[i: n] = x[i]\n".to_owned();
    for k in 1..=length {
        let before = k - 1;
        text += &format!("    s{k} = sum(i: n) a{before}[i]^2\n");
        text += &format!("    a{k}[i: n + {}] = if i < n then a{before}[i] / s{k} else 1\n", k % 3);
    }
    text += &format!("    y[i: n] = a{length}[i]\n}}");
    program(&text)
}

#[test]
fn the_memory_of_a_chain_does_not_grow() {
    let temporaries =
        |length| bytes(&loops(&chain(length), Fusion::On), &[1000], &[Role::Temporary]);
    assert!(temporaries(4) >= 8 * 1000, "the chain needs memory");
    // a sum for each statement
    assert_eq!(temporaries(40), temporaries(7) + 8 * 33);
    let mut inputs = Values::new();
    inputs.insert("x".into(), Value::vector(vec![1.0, 2.0, 0.5]));
    assert_eq!(difference(&chain(7), &inputs, 64.0), None);
}

/// A gradient needs at most three times the reals that it is given and gives and that its program keeps without
/// fusion (and some entries where all are empty; windows of a number of rows that no size changes apart). Inverse images have an entry for
/// each point.
#[test]
fn gradients_need_little_more_than_their_programs_keep() {
    for (name, program, inputs) in cases() {
        let Ok(derivative) = differentiate(&program, Kind::Gradient, &real_params(&program)) else {
            continue;
        };
        let derivative = derivative.program;
        let sizes = sizes(&program, &inputs);
        let outside = [Role::Input, Role::Output];
        let all = [Role::Input, Role::Output, Role::Temporary, Role::Local];
        let (mut fused, kept) = (loops(&derivative, Fusion::On), loops(&program, Fusion::Off));
        let grows = |buffer: &Buffer| buffer.extents.iter().all(|e| e.as_const().is_none());
        fused.buffers.retain(|buffer| buffer.role != Role::Local || grows(buffer));
        let needed = bytes(&fused, &sizes, &all);
        let allowed = bytes(&fused, &sizes, &outside) + bytes(&kept, &sizes, &[Role::Temporary]);
        let few = needed <= 3 * allowed + 64;
        assert!(few, "{name} needs {needed} bytes, allowed are 3 times {allowed}");
    }
}

/// The exponentials that a sum adds up are kept for the result that divides each of them, in the memory of that result. Where
/// a neighbour is read, or what is kept is read again later, they are not.
#[test]
fn what_a_result_replaces_is_kept_in_its_memory() {
    for (entry, kept) in [
        ("k[i] / total", 0),
        ("k[n - 1 - i] / total", 8000),
        ("(sum(j: n) k[j] * x[i]) / total", 8000),
        ("k[i] / total + [i > 0] * k[i - 1]", 8000),
    ] {
        let program = program(&format!(
            "fn f(n: size, x: real[n]) -> (y: real[n]) {{
                k[i: n] = exp(x[i]) * sum(j: n) x[j] ^ 3
                total = sum(i: n) k[i]
                y[i: n] = {entry}
            }}"
        ));
        let loops = loops(&program, Fusion::On);
        let temporaries = bytes(&loops, &[1000], &[Role::Temporary]);
        assert!((kept..kept + 64).contains(&temporaries), "{entry}: {temporaries}\n{loops}");
        for n in [0, 1, 2, 9, 40] {
            let data = (0..n).map(|i| (f64::from(i) * 0.7).cos()).collect();
            let inputs = Values::from_iter([("x".into(), Value::vector(data))]);
            assert_eq!(difference(&program, &inputs, 4096.0), None);
        }
    }
}

/// What is cleared is cleared whatever the memory for a result holds, however many threads there are; memory that a
/// call makes itself is known to be zero.
#[test]
fn results_do_not_depend_on_what_their_memory_held() {
    let text = "fn f(v: size, d: size, b: size, table: real[v, d], word: index(v)[b])
        -> (row: real[b, d], m: real) {
        row[s: b, k: d] = table[word[s], k]
        m = max(s: b, k: d) table[word[s], k]
    }";
    let program = gradient(&program(text), &["table"]);
    let (v, d, b) = (3000, 64, 50);
    let entry = |at: usize| (at * 7919 % 1013) as f64 - 500.0;
    let matrix = |rows: usize| {
        Value::Real(Dense { shape: vec![rows, d], data: (0..rows * d).map(entry).collect() })
    };
    let mut inputs = Values::new();
    for (name, value) in [
        ("table", matrix(v)),
        ("word", Value::indices((0..b).map(|s| (s * 37 % v) as i64).collect())),
        ("row_ct", matrix(b)),
        ("m_ct", Value::scalar(2.0)),
    ] {
        inputs.insert(name.to_owned(), value);
    }
    let wanted = compile::<f64>(&program, Options { engine: Engine::Runner, ..Options::default() })
        .unwrap()
        .call(&inputs)
        .unwrap();
    for engine in [Engine::Runner, Engine::Block, Engine::Native] {
        if engine == Engine::Native && !has_compiler() {
            continue;
        }
        for threads in [1, 2, 7] {
            let options = Options { engine, threads: NonZero::new(threads), ..Options::default() };
            let mut executable = compile::<f64>(&program, options).unwrap();
            assert_eq!(executable.call(&inputs).unwrap(), wanted, "{engine:?}, {threads} threads");
            let mut memory = wanted.clone();
            let outputs = memory.iter_mut().map(|(name, value)| {
                let Value::Real(x) = value else { panic!("{name} is real") };
                x.data.fill(f64::NAN);
                (name.as_str(), Output::Real(&mut x.data))
            });
            let mut outputs = Outputs(outputs.collect());
            executable.run(&Inputs::from(&inputs), &mut outputs).unwrap();
            assert_eq!(memory, wanted, "{engine:?}, {threads} threads");
        }
    }
}
