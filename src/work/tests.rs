//! Tests of this folder's module.

use super::*;
use crate::pipeline::load;

/// The growth of the whole program's work, sparse then dense.
#[track_caller]
fn check(text: &str, sparse: &str, dense: &str) {
    let program = load(text).expect("a program").function(None).expect("a function").clone();
    let work = work(&program, &Values::new(), 1, Limits::default()).expect("counts");
    assert_eq!(
        (work.total.sparse.to_string(), work.total.dense.to_string()),
        (sparse.to_owned(), dense.to_owned())
    );
}

#[test]
fn contractions_grow_with_their_boxes() {
    check(
        "fn f(n: size, x: real[n], y: real[n]) -> (q: real) { q = sum(i: n) x[i] * y[i] }",
        "3*n",
        "3*n",
    );
    check(
        "fn f(n: size, m: size, k: size, A: real[n, m], B: real[m, k]) -> (C: real[n, k]) \
           { C[i: n, j: k] = sum(l: m) A[i, l] * B[l, j] }",
        "3*n*m*k",
        "3*n*m*k",
    );
}

#[test]
fn guards_leave_polynomials_in_the_sparse_model() {
    check(
        "fn f(n: size, A: real[n, n]) -> (t: real) { t = sum(i: n, j: n where i = j) A[i, j] }",
        "2*n",
        "2*n^2",
    );
    check(
        "fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = sum(j: n where j <= i) x[j] }",
        "n^2 + n",
        "2*n^2",
    );
    check(
        "fn f(n: size, k: size, x: real[n], w: real[k]) -> (y: real[n - k + 1]) \
           { y[i: n - k + 1] = sum(j: k) x[i + j] * w[j] }",
        "3*n*k - 3*k^2 + 3*k",
        "3*n*k - 3*k^2 + 3*k",
    );
    check(
        "fn f(n: size, x: real[n]) -> (s: real) { s = sum(i: n where i % 2 = 0) x[i] }",
        "n if n % 2 = 0, n + 1 if n % 2 = 1",
        "2*n",
    );
}

#[test]
fn scatters_cost_their_entries() {
    check(
        "fn f(n: size, m: size, row: index(n)[m], a: real[m]) -> (y: real[n]) \
           { y[i: n] = sum(e: m where row[e] = i) a[e] }",
        "2*m",
        "2*n*m",
    );
}

#[test]
fn tests_of_data_have_no_formula() {
    const DATA: &str = "not a polynomial in the sizes (depends on the data)";
    check(
        "fn f(n: size, x: real[n]) -> (s: real) { s = sum(i: n where x[i] > 2) x[i] }",
        DATA,
        "2*n",
    );
    check(
        "fn f(n: size, R: rel(n, n), x: real[n]) -> (s: real) { s = sum(i: n, j: n where R(i, j)) x[i] }",
        DATA,
        "2*n^2",
    );
    check(
        "fn f(n: size, m: size, p: index(n)[m], x: real[m]) -> (s: real) { s = sum(e: m where p[e] = 0) x[e] }",
        DATA,
        "2*m",
    );
}
