//! Recurrences: order, and entries read before they are computed.

mod common;

use common::*;

#[test]
fn ascending_and_descending() {
    let sums = "fn f(n: size, x: real[n]) -> (s: real[n], t: real[n]) {
        rec i: n { s[i] = x[i] + [i > 0] * s[i - 1] }
        rec i: n descending { t[i] = x[i] + [i + 1 < n] * t[i + 1] }
    }";
    let results = run(sums, [("x", vector(&[1.0, 2.0, 3.0]))]);
    assert_eq!(reals(&results, "s"), [1.0, 3.0, 6.0]);
    assert_eq!(reals(&results, "t"), [6.0, 5.0, 3.0]);
}

#[test]
fn several_variables_and_tensors() {
    let paths = "fn f(n: size, m: size) -> (c: real[n, m], d: real[n, m]) {
        rec i: n, j: m {
            c[i, j] = [i = 0 and j = 0] + [i > 0] * c[i - 1, j] + [j > 0] * d[i, j - 1]
            d[i, j] = c[i, j]
        }
    }";
    let results = run(paths, [("n", size(3)), ("m", size(3))]);
    assert_eq!(reals(&results, "c"), [1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 1.0, 3.0, 6.0]);
}

#[test]
fn other_axes_run_inside_each_step() {
    let rnn = "fn rnn(T: size, h: size, W: real[h, h], x: real[T, h]) -> (loss: real) {
        rec t: T {
            s[t, i: h] = x[t, i] + [t > 0] * sum(j: h) W[i, j] * s[t - 1, j]
        }
        loss = sum(t: T, i: h) [t = T - 1] * s[t, i]^2
    }";
    let inputs = [
        ("W", real(&[2, 2], &[0.0, 1.0, 1.0, 0.0])),
        ("x", real(&[2, 2], &[1.0, 2.0, 10.0, 20.0])),
    ];
    expect(rnn, inputs, &[144.0 + 441.0]);
}

#[test]
fn nested_recurrences() {
    let source = "fn f(n: size) -> (s: real[n, n]) {
        rec i: n {
            rec j: n descending {
                s[i, j] = 1 + [j + 1 < n] * s[i, j + 1] + [i > 0] * s[i - 1, j]
            }
        }
    }";
    let results = run(source, [("n", size(2))]);
    assert_eq!(reals(&results, "s"), [2.0, 1.0, 5.0, 2.0]);
}

#[test]
fn a_read_through_data_must_be_earlier() {
    let depth = "fn f(n: size, parent: index(n)[n]) -> (d: real[n]) {
        requires(v: n) v = 0 or parent[v] < v
        rec v: n { d[v] = [v > 0] * (1 + d[parent[v]]) }
    }";
    let results = run(depth, [("parent", indices(&[0, 0, 1, 2, 0]))]);
    assert_eq!(reals(&results, "d"), [0.0, 1.0, 2.0, 3.0, 1.0]);
    expect_error(
        depth,
        [("parent", indices(&[0, 2, 1]))],
        "`requires` number 1 at v = 1: `v = 0 or parent[v] < v` does not hold",
    );
}
