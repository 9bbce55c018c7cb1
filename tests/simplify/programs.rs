//! Programs whose simplified derivatives are known.

use iverson::ad::{jvp, vjp};
use iverson::spec::{TensorSsa, check, normalize, parse};

/// What is simplified.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// The program itself.
    Primal,
    /// `vjp` in all real parameters named.
    Vjp(&'static [&'static str]),
    /// `jvp` likewise.
    Jvp(&'static [&'static str]),
    /// `jvp` of the simplified `vjp`: Hessian times vector.
    Hvp(&'static [&'static str]),
}

/// The normal form of the last function of a text.
#[track_caller]
pub(crate) fn ssa(text: &str) -> TensorSsa {
    let module = parse(text).unwrap_or_else(|found| panic!("{text}\n{found:#?}"));
    let mut checked = check(&module).unwrap_or_else(|found| panic!("{text}\n{found:#?}"));
    normalize(&checked.functions.pop().unwrap().1)
}

/// What is simplified, not yet simplified.
#[track_caller]
pub(crate) fn before(text: &str, kind: Kind) -> TensorSsa {
    let program = ssa(text);
    match kind {
        Kind::Primal => program,
        Kind::Vjp(wrt) => vjp(&program, wrt).unwrap(),
        Kind::Jvp(wrt) => jvp(&program, wrt).unwrap(),
        Kind::Hvp(wrt) => {
            let gradient = iverson::simplify::simplify(&vjp(&program, wrt).unwrap());
            jvp(&gradient, wrt).unwrap()
        }
    }
}

/// Name, text, what is done.
pub(crate) const PROGRAMS: &[(&str, &str, Kind)] = &[
    (
        "shift",
        "fn f(n: size, x: real[n]) -> (y: real[n - 1]) { y[i: n - 1] = 2 * x[i + 1] }",
        Kind::Vjp(&["x"]),
    ),
    (
        "shift_back",
        "fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = [i > 0] * x[i - 1]^2 }",
        Kind::Vjp(&["x"]),
    ),
    (
        "strided",
        "fn f(n: size, m: size, x: real[n]) -> (y: real[m]) { y[i: m] = [2 * i < n] * x[2 * i] }",
        Kind::Vjp(&["x"]),
    ),
    (
        "strided_shift",
        "fn f(n: size, m: size, x: real[n]) -> (y: real[m]) { y[i: m] = [2 * i + 3 < n] * x[2 * i + 3] }",
        Kind::Vjp(&["x"]),
    ),
    (
        "convolution",
        "fn f(n: size, m: size, w: real[m], x: real[n + m]) -> (y: real[n]) { y[i: n] = sum(j: m) w[j] * x[i + j] }",
        Kind::Vjp(&["w", "x"]),
    ),
    (
        "diagonal",
        "fn f(n: size, x: real[n, n]) -> (y: real) { y = sum(i: n) x[i, i] }",
        Kind::Vjp(&["x"]),
    ),
    (
        "transpose",
        "fn f(n: size, m: size, x: real[n, m]) -> (y: real[m, n]) { y[i: m, j: n] = 3 * x[j, i] }",
        Kind::Vjp(&["x"]),
    ),
    (
        "reversal",
        "fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = 2 * x[n - 1 - i] }",
        Kind::Vjp(&["x"]),
    ),
    (
        "broadcast",
        "fn f(n: size, m: size, x: real[n]) -> (y: real[n, m]) { y[i: n, j: m] = x[i]^2 }",
        Kind::Vjp(&["x"]),
    ),
    (
        "halved",
        "fn f(n: size, x: real[n]) -> (y: real[2 * n]) { y[i: 2 * n] = x[i / 2]^2 }",
        Kind::Vjp(&["x"]),
    ),
    (
        "remainder",
        "fn f(n: size, x: real[3]) -> (y: real[n]) { y[i: n] = x[i % 3]^2 }",
        Kind::Vjp(&["x"]),
    ),
    (
        "antidiagonals",
        "fn f(n: size, x: real[n, n]) -> (y: real[2 * n]) { y[s: 2 * n] = sum(i: n, j: n) [i + j = s] * x[i, j] }",
        Kind::Vjp(&["x"]),
    ),
    (
        "quadratic_form",
        "fn f(n: size, A: real[n, n], x: real[n]) -> (q: real) { y[i: n] = sum(j: n) A[i, j] * x[j]\n q = sum(i: n) x[i] * y[i] }",
        Kind::Vjp(&["x", "A"]),
    ),
    (
        "hessian_of_quadratic_form",
        "fn f(n: size, A: real[n, n], x: real[n]) -> (q: real) { q = sum(i: n, j: n) x[i] * A[i, j] * x[j] }",
        Kind::Hvp(&["x"]),
    ),
    (
        "hessian_by_seeds",
        "fn f(n: size, A: real[n, n]) -> (h: real[n, n]) { h[a: n, b: n] = sum(i: n, j: n) [i = b and j = a] * A[i, j] + sum(i: n, j: n) [i = a] * [j = b] * A[i, j] }",
        Kind::Primal,
    ),
    (
        "trace_seed",
        "fn f(n: size, A: real[n, n]) -> (h: real) { h = sum(i: n, j: n) [i = j] * A[i, j] }",
        Kind::Primal,
    ),
    (
        "gather",
        "fn f(n: size, m: size, p: index(n)[m], x: real[n]) -> (y: real[m]) { y[i: m] = x[p[i]]^2 }",
        Kind::Vjp(&["x"]),
    ),
    (
        "gather_twice",
        "fn f(n: size, m: size, p: index(m)[m], q: index(n)[m], x: real[n]) -> (y: real[m]) { r[i: m] = p[i]\n s[i: m] = q[r[i]]\n y[i: m] = x[s[i]]^2 }",
        Kind::Vjp(&["x"]),
    ),
    (
        "scatter",
        "fn f(n: size, m: size, p: index(n)[m], x: real[m]) -> (y: real[n]) { y[k: n] = sum(i: m) [p[i] = k] * x[i] }",
        Kind::Vjp(&["x"]),
    ),
    (
        "spmv",
        "fn f(n: size, m: size, e: size, row: index(n)[e], col: index(m)[e], a: real[e], x: real[m]) -> (y: real[n]) { y[i: n] = sum(k: e) [row[k] = i] * a[k] * x[col[k]] }",
        Kind::Vjp(&["a", "x"]),
    ),
    (
        "recurrence",
        "fn f(n: size, x: real[n]) -> (y: real) { rec t: n { s[t] = x[t] + [t > 0] * s[t - 1]^2 }\n y = sum(t: n) [t = n - 1] * s[t] }",
        Kind::Vjp(&["x"]),
    ),
    (
        "rnn",
        "fn f(T: size, h: size, W: real[h, h], x: real[T, h]) -> (loss: real) { rec t: T { s[t, i: h] = tanh(x[t, i] + [t > 0] * sum(j: h) W[i, j] * s[t - 1, j]) }\n loss = sum(t: T, i: h) [t = T - 1] * s[t, i]^2 }",
        Kind::Vjp(&["W", "x"]),
    ),
    (
        "softmax",
        "fn f(n: size, x: real[n]) -> (y: real[n]) { e[i: n] = exp(x[i])\n s = sum(i: n) e[i]\n y[i: n] = e[i] / s }",
        Kind::Vjp(&["x"]),
    ),
    (
        "square_of_sum",
        "fn f(n: size, x: real[n]) -> (y: real) { s = sum(i: n) x[i]\n y = s^2 }",
        Kind::Hvp(&["x"]),
    ),
    (
        "chain",
        "fn f(n: size, x: real[n]) -> (y: real) { y = sum(i: n - 1) (x[i + 1] - x[i])^2 }",
        Kind::Hvp(&["x"]),
    ),
    ("maximum", "fn f(n: size, x: real[n]) -> (y: real) { y = max(i: n) x[i] }", Kind::Vjp(&["x"])),
    (
        "triangular",
        "fn f(n: size, L: real[n, n], x: real[n]) -> (y: real[n]) { y[i: n] = sum(j: n) [j <= i] * L[i, j] * x[j] }",
        Kind::Vjp(&["L", "x"]),
    ),
    (
        "mismatched",
        "fn f(n: size, m: size, x: real[m]) -> (z: real[n]) { z[i: n] = sum(j: m) [i = j] * x[j] }",
        Kind::Vjp(&["x"]),
    ),
    (
        "either",
        "fn f(n: size, m: size, x: real[m]) -> (z: real[n]) { z[i: n] = sum(j: m) [i = j or i = j + 1] * x[j] }",
        Kind::Vjp(&["x"]),
    ),
    (
        "both_sides",
        "fn f(n: size, x: real[n]) -> (z: real[n]) { z[i: n] = [x[i] > 0] * x[i] + [not x[i] > 0] * x[i] }",
        Kind::Primal,
    ),
    (
        "copies",
        "fn f(n: size, x: real[n]) -> (z: real[n]) { a[i: n] = x[n - 1 - i]\n b[i: n] = a[i]^2\n c[j: n] = a[j]^2\n unused[i: n] = b[i]\n o[i: n] = 1\n z[i: n] = b[i] * c[i] + o[i] * b[i] }",
        Kind::Primal,
    ),
    (
        "empty",
        "fn f(n: size, m: size, x: real[n]) -> (z: real[n], w: real) { z[i: n] = sum(j: m) x[i] + [i < 0] * x[i] + sum(k: 0) x[i]\n w = sum(j: m where j > 0 and j >= 0 and (j > 2 or 1 = 2)) 0 * real(j) / 3 + 2 * 3 * x[n - 1]^1 * [n > 0] }",
        Kind::Primal,
    ),
    (
        "quotients",
        "fn f(n: size, x: real[n]) -> (z: real[n]) { z[i: n] = x[(4 * i + 2) / 4 + 0] * x[(i + 2 * n - 2 * n) / 1] }",
        Kind::Primal,
    ),
];
