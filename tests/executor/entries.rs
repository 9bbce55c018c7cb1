//! Which entries a statement stores, and how often they are computed.

use crate::compare::difference;
use crate::examples::real_params;
use crate::local::inputs;
use crate::memory::{gradient, program};

/// Diagonals, and entries that are no diagonal, under tests; with another term and alone.
const DIAGONALS: [&str; 5] = [
    "fn f(n: size, x: real[n], z: real[n], c: real[n, n]) -> (b: real[n, n]) {
        b[i: n, j: n] = [j = i and z[i] != 0] * x[i] + c[i, j]
    }",
    "fn f(n: size, x: real[n], z: real[n]) -> (b: real[n, n]) {
        b[i: n, j: n] = [j = i and z[i] > x[j]] * x[i]
    }",
    "fn f(n: size, x: real[n], z: real[n]) -> (b: real[n, n]) {
        b[i: n, j: n] = [i + j = n - 1 and z[i] > x[j]] * x[i]
    }",
    "fn f(n: size, x: real[n], z: real[n]) -> (b: real[n, n, n], s: real[n]) {
        b[i: n, j: n, k: n] = [j = i and k = i and z[i] > 0] * x[i] + [i < j] * z[k]
        s[i: n] = sum(j: n, k: n) b[i, j, k]
    }",
    "fn f(n: size, c: real[n, n]) -> (y: real[n], s: real) {
        y[i: n] = [c[i, i] > 0] * c[i, i]^2
        s = sum(i: n, j: n) c[i, j]^2
    }",
];

#[test]
fn a_diagonal_under_a_test_is_not_the_whole_matrix() {
    for text in DIAGONALS {
        let program = program(text);
        let derivative = gradient(&program, &real_params(&program));
        for program in [program, derivative] {
            for n in [0, 1, 2, 5, 33] {
                let found = difference(&program, &inputs(&program, &[("n", n)]), 64.0);
                assert_eq!(found, None, "{text}, n = {n}");
            }
        }
    }
}

/// A part of a line that an outer loop computes once for each row is not computed at each entry of the row.
#[test]
fn rows_are_computed_once_for_a_matrix_that_is_computed_again() {
    let program = program(
        "fn f(n: size, a: real[n], x: real[n]) -> (y: real[n], z: real[n]) {
            e[i: n] = exp(a[i])
            p[i: n, j: n] = e[i] * x[j]
            y[i: n] = sum(j: n) p[i, j] * p[j, i]
            z[j: n] = sum(i: n) p[i, j]
        }",
    );
    let derivative = gradient(&program, &real_params(&program));
    for program in [program, derivative] {
        for n in [0, 1, 2, 40] {
            let found = difference(&program, &inputs(&program, &[("n", n)]), 1024.0);
            assert_eq!(found, None, "n = {n}");
        }
    }
}

/// The gradients of maxima over windows side by side that reach beyond the axis: only what a condition lets exist is stored.
#[test]
fn windows_beyond_the_end_store_nothing_there() {
    let along = "fn f(n: size, x: real[n]) -> (y: real[n]) {
        y[i: n] = max(0, max(a: 3 where 3 * i + a < n) x[3 * i + a])
    }";
    let before = "fn f(n: size, x: real[n]) -> (y: real[n]) {
        y[i: n] = max(0, max(a: 2 where 0 <= 2 * i + a - 1 < n) x[2 * i + a - 1])
    }";
    let both = "fn f(n: size, x: real[n, n]) -> (y: real[n, n]) {
        y[i: n, j: n] = max(0, max(a: 2, b: 2 where 2 * i + a < n and 2 * j + b < n) x[2 * i + a, 2 * j + b])
    }";
    for text in [along, before, both] {
        let derivative = gradient(&program(text), &["x"]);
        for n in [0, 1, 2, 3, 4, 5, 9, 33] {
            let given = inputs(&derivative, &[("n", n)]);
            assert_eq!(difference(&derivative, &given, 64.0), None, "{text}, n = {n}");
        }
    }
}
