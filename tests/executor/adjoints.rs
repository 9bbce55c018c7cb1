//! Gradients whose loops are changed by rules of their own: residues, pieces, columns in recurrences.

use crate::compare::{difference, difference_in, with_cotangents};
use crate::examples::real_params;
use iverson::executor::native::Compiler;
use iverson::executor::{Engine, Fusion, Options, Vectors, compile};
use iverson::pipeline::load;
use iverson::random::fill;
use iverson::simplify::simplify;
use iverson::spec::call::{Limits, Value, Values};
use iverson::spec::ir::Param;
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::num::NonZero;

const RESIDUES: &str = "fn f(n: size, x: real[n]) -> (low: real[n / 2], high: real[n / 2]) {
    low[k: n / 2] = (x[2 * k] + x[2 * k + 1]) / 2
    high[k: n / 2] = (x[2 * k] - x[2 * k + 1]) / 2
}";
const THIRDS: &str = "fn f(n: size, m: size, x: real[m, n]) -> (y: real[m, n / 3]) {
    y[i: m, k: n / 3] = x[i, 3 * k] * x[i, 3 * k + 2] + x[i, 3 * k + 1]
}";
const MEAN: &str = "fn f(v: size, d: size, b: size, table: real[v + 1, d], word: index(v + 1)[b])
    -> (row: real[b, d], bag: real[d]) {
    row[s: b, k: d] = table[word[s], k]
    bag[k: d] = [b > 0] * (sum(s: b) row[s, k]) / real(b)
}";
const SAMPLED: &str = "fn f(v: size, d: size, b: size, at: index(v + 1)[b], U: real[v + 1, d], V: real[b, d], a: real[b])
    -> (y: real[b]) {
    c[e: b] = sum(k: d) U[at[e], k] * V[e, k]
    y[e: b] = a[e] * c[e]
}";
const TRIANGLE: &str = "fn f(n: size, L: real[n, n], x: real[n]) -> (e: real) {
    y[i: n] = sum(j: n where j <= i) L[i, j] * x[j]
    e = sum(i: n) y[i]^2
}";
const SUBSTITUTE: &str = "fn f(n: size, L: real[n, n], b: real[n]) -> (x: real[n]) {
    rec i: n { x[i] = (b[i] - sum(j: n where j < i) L[i, j] * x[j]) / (2 + L[i, i]^2) }
}";
const COLUMNS: &str = "fn f(n: size, U: real[n, n], b: real[n]) -> (x: real[n]) {
    rec i: n { x[i] = b[i] - sum(j: n where j < i) U[j, i] * x[j] / 9 }
}";
const CHOLESKY: &str = "fn f(n: size, A: real[n, n]) -> (L: real[n, n]) {
    rec i: n, j: n {
        left[i, j] = [j <= i] * (A[i, j] - sum(k: n where k < j) L[i, k] * L[j, k] / 99)
        L[i, j] = if j > i then 0 else if j = i then sqrt(9 + left[i, j]^2) else left[i, j] / L[j, j]
    }
}";

const PAIRS: &str = "fn f(n: size, w: real[n], x: real[n, 2], e: real) -> (s: real) {
    q[i: n, j: n] = [i < j] * sum(k: 2) (x[i, k] - x[j, k])^2
    p = sum(i: n, j: n where i < j) w[i] * w[j] / sqrt(q[i, j] + e^2)
    s = p + sum(i: n) w[i] * x[i, 0]^2
}";
const BETWEEN: &str =
    "fn f(n: size, m: size, w: real[n], x: real[n], u: real[m], y: real[m]) -> (s: real, t: real) {
    q[i: n, j: m] = exp(-(x[i] - y[j])^2)
    s = sum(i: n, j: m) w[i] * u[j] * q[i, j]
    t = sum(i: n) w[i]^2
}";

/// Sums along both axes of a matrix, of one of its rows at each step.
const LAYER: &str =
    "fn f(n: size, m: size, A: real[n, m], b: real[n], x: real[m]) -> (y: real[n]) {
    y[i: n] = tanh(b[i] + sum(j: m) A[i, j] * x[j])
}";
const BOTH: &str =
    "fn f(n: size, m: size, A: real[n, m], x: real[m], u: real[n]) -> (y: real[n], z: real[m]) {
    y[i: n] = sum(j: m) A[i, j] * x[j]
    z[j: m] = sum(i: n) A[i, j] * u[i]
}";
const BATCH: &str =
    "fn f(n: size, m: size, k: size, A: real[k, n, m], x: real[m]) -> (y: real[k, n]) {
    y[t: k, i: n] = sum(j: m) A[t, i, j] * x[j]
}";
/// The same after a sum over all rows.
const AFTER: &str = "fn f(n: size, m: size, A: real[n, m], x: real[m]) -> (z: real[n]) {
    y[i: n] = sum(j: m) A[i, j] * x[j]
    s = sum(i: n) y[i]^2
    z[i: n] = y[i] * s
}";
/// The same beside a product of matrices.
const PRODUCT: &str =
    "fn f(n: size, m: size, k: size, A: real[n, m], B: real[m, k], x: real[m]) -> (C: real[n, k], y: real[n]) {
    C[i: n, l: k] = sum(j: m) A[i, j] * B[j, l]
    y[i: n] = sum(j: m) A[i, j] * x[j]
}";

const PROGRAMS: [&str; 14] = [
    RESIDUES, THIRDS, MEAN, TRIANGLE, SUBSTITUTE, COLUMNS, CHOLESKY, PAIRS, BETWEEN, LAYER, BOTH,
    BATCH, AFTER, PRODUCT,
];

pub(crate) fn program(text: &str) -> TensorSsa {
    simplify(&normalize(load(text).unwrap().function(None).unwrap()))
}

pub(crate) fn gradient(program: &TensorSsa) -> TensorSsa {
    simplify(&vjp_of(program))
}

fn vjp_of(program: &TensorSsa) -> TensorSsa {
    iverson::ad::vjp(program, &real_params(program)).unwrap()
}

/// Inputs where all sizes are near `n`.
fn inputs(text: &str, n: u64) -> Values<f64> {
    let loaded = load(text).unwrap();
    let typed = loaded.function(None).unwrap();
    let sizes = typed.params.iter().enumerate().filter_map(|(at, param)| {
        let Param::Size(id) = param else { return None };
        Some((typed.symbols.sizes[id.index()].clone(), Value::Size(n.saturating_sub(at as u64))))
    });
    let given: Values<f64> = sizes.collect();
    fill(typed, &given, n + 1, Limits::default()).unwrap()
}

#[test]
fn gradients_are_right_around_the_edges() {
    for text in PROGRAMS {
        let program = program(text);
        let gradient = gradient(&program);
        for n in (0..=9).chain([16, 33]) {
            let inputs = inputs(text, n);
            let inputs = with_cotangents(&gradient, &program, &inputs);
            if let Some(what) = difference(&gradient, &inputs, 1024.0) {
                panic!("n = {n}: {what}");
            }
        }
    }
}

#[test]
fn rows_at_places_are_right_where_axes_are_empty() {
    for text in [MEAN, SAMPLED] {
        let program = program(text);
        let gradient = gradient(&program);
        let typed = load(text).unwrap();
        let typed = typed.function(None).unwrap();
        for at in 0..27 {
            let sizes = [("v", at % 3), ("d", at / 3 % 3), ("b", at / 9)];
            let given: Values<f64> =
                sizes.iter().map(|(name, n)| ((*name).to_owned(), Value::Size(*n))).collect();
            let inputs = fill(typed, &given, at + 1, Limits::default()).unwrap();
            let inputs = with_cotangents(&gradient, &program, &inputs);
            if let Some(what) = difference(&gradient, &inputs, 1024.0) {
                panic!("{sizes:?}: {what}");
            }
        }
    }
}

#[test]
fn rows_at_places_are_added_without_conditions() {
    let loops = loops(&gradient(&program(MEAN)));
    assert!(!loops.contains("if d >= 1"), "{loops}");
    assert_eq!(count(&loops, "if b >= 1"), 1, "{loops}");
    // the dot products stay in loops whose steps are independent
    let loops = self::loops(&gradient(&program(SAMPLED)));
    assert!(loops.contains("for any e in 0 .. b {"), "{loops}");
}

#[test]
fn native_gradients_are_right_around_the_edges() {
    if let Err(reason) = Compiler::find() {
        println!("skipped: {reason}");
        return;
    }
    let native = [(Engine::Native, Fusion::On, Vectors::default())];
    for text in PROGRAMS {
        let program = program(text);
        let gradient = gradient(&program);
        for n in [0, 1, 2, 3, 4, 9, 33] {
            let inputs = with_cotangents(&gradient, &program, &inputs(text, n));
            if let Some(what) = difference_in(&native, &gradient, &inputs, 4096.0) {
                panic!("n = {n}: {what}");
            }
            let call = |threads| {
                let threads = NonZero::new(threads);
                let options = Options { engine: Engine::Native, threads, ..Options::default() };
                compile::<f64>(&gradient, options).unwrap().call(&inputs).unwrap()
            };
            assert_eq!(call(1), call(2), "n = {n}: {text}");
        }
    }
}

/// The loops of a program as text.
pub(crate) fn loops(program: &TensorSsa) -> String {
    let options = Options { engine: Engine::Runner, ..Options::default() };
    compile::<f64>(program, options).unwrap().loops().to_string()
}

fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

#[test]
fn residues_of_one_buffer_are_one_loop_that_stores() {
    let loops = loops(&gradient(&program(RESIDUES)));
    assert!(loops.contains("in 2 * (n / 2) .. n {\n    x_bar["), "{loops}");
    assert_eq!(count(&loops, "x_bar[2 * i"), 2, "{loops}");
    assert!(!loops.contains("] += "), "{loops}");
}

/// The loops at top level that have loops inside.
pub(crate) fn nests(loops: &str) -> usize {
    let inside = |part: &&str| part.contains("\n    for ");
    loops.split("\nfor ").skip(1).filter(inside).count()
}

#[test]
fn pairs_are_computed_once() {
    for (text, count) in [(PAIRS, 1), (BETWEEN, 1)] {
        let loops = loops(&gradient(&program(text)));
        assert_eq!(nests(&loops), count, "{loops}");
    }
}

/// What clears the sums down the columns stands between two passes through the matrix, unless it is in front of all.
#[test]
fn sums_along_both_axes_of_a_matrix_are_one_pass() {
    for (text, count) in [(LAYER, 1), (BOTH, 1), (BATCH, 1), (TRIANGLE, 1), (AFTER, 2)] {
        let loops = loops(&gradient(&program(text)));
        assert_eq!(nests(&loops), count, "{loops}");
    }
    // a product stays a loop of its own, whose steps are independent, so that it goes in tiles
    let loops = loops(&gradient(&program(PRODUCT)));
    assert_eq!(nests(&loops), 3, "{loops}");
    assert!(loops.contains("\n# C\nfor any "), "{loops}");
}
