//! The programs that are compared, with inputs that `peers.py` makes too.

use crate::inputs::{mask, numbers, sparse, values};
use iverson::derivative::Kind;
use iverson::spec::call::{Dense, Value, Values};

/// A program, what is taken of it, and where.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    pub(crate) function: &'static str,
    pub(crate) kind: Kind,
    pub(crate) wrt: &'static [&'static str],
    pub(crate) inputs: fn() -> Values<f64>,
}

const fn gradient(
    name: &'static str,
    text: &'static str,
    function: &'static str,
    wrt: &'static [&'static str],
    inputs: fn() -> Values<f64>,
) -> Program {
    Program { name, text, function, kind: Kind::Gradient, wrt, inputs }
}

/// All of them.
pub(crate) const PROGRAMS: [Program; 12] = [
    gradient("n-body, 2,000", include_str!("../../examples/nbody.iv"), "nbody", &["x"], nbody),
    gradient(
        "log-sum-exp, 2,000,000",
        include_str!("../../examples/softmax.iv"),
        "logsumexp",
        &["x"],
        || values([("x", Value::vector(numbers(2_000_000)))]),
    ),
    gradient(
        "image Laplacian inside a mask, 1,000 x 1,000",
        include_str!("../../examples/laplacian.iv"),
        "laplacian",
        &["u"],
        laplacian,
    ),
    gradient(
        "ARAP, 300 x 300",
        include_str!("../../examples/arap.iv"),
        "arap",
        &["place", "angle"],
        arap,
    ),
    gradient(
        "quadratic form, 2,000",
        include_str!("../../examples/quadratic_form.iv"),
        "quadratic_form",
        &["x"],
        || quadratic(2000),
    ),
    Program {
        name: "quadratic form, 500, Hessian",
        text: "fn quadratic_hessian(n: size, A: real[n, n], x: real[n]) -> (q: real) {
            q = sum(i: n, j: n) x[i] * A[i, j] * x[j]
        }",
        function: "quadratic_hessian",
        kind: Kind::Hessian,
        wrt: &["x"],
        inputs: || quadratic(500),
    },
    gradient(
        "matrix factorisation, 1,000 x 1,000, rank 20",
        include_str!("../../examples/factorization.iv"),
        "factorization",
        &["U", "V"],
        factorization,
    ),
    gradient(
        "convolution, 1,000 x 1,000, 5 x 5",
        include_str!("../../examples/convolution.iv"),
        "convolve_image",
        &["x", "c"],
        convolution,
    ),
    gradient(
        "RNN, 500 steps of 128",
        include_str!("../../examples/rnn.iv"),
        "rnn",
        &["W", "x"],
        rnn,
    ),
    gradient(
        "sparse matrix times vector, 2,000,000 entries",
        include_str!("../../examples/spmv.iv"),
        "spmv",
        &["a", "x"],
        spmv,
    ),
    gradient(
        "embedding, 10,000 of 100,000 rows of 64",
        include_str!("../../examples/embedding.iv"),
        "embedding",
        &["table"],
        embedding,
    ),
    gradient(
        "scalar reads, 10,000",
        "fn scalar_reads(n: size, x: real[n]) -> (loss: real) {
            rec t: n { s[t] = x[t]^3 + [t > 0] * s[t - 1] }
            loss = [n > 0] * s[n - 1]
        }",
        "scalar_reads",
        &["x"],
        || values([("x", Value::vector(numbers(10_000)))]),
    ),
];

fn tensor<const N: usize>(shape: [usize; N]) -> Value<f64> {
    Value::Real(Dense { shape: shape.to_vec(), data: numbers(shape.iter().product()) })
}

fn number(x: f64) -> Value<f64> {
    Value::Real(Dense { shape: vec![], data: vec![x] })
}

fn nbody() -> Values<f64> {
    let n = 2000;
    let (ones, halves) = (vec![1.0; n], Dense { shape: vec![n, 3], data: vec![0.5; 3 * n] });
    values([
        ("m", Value::vector(ones)),
        ("x", tensor([n, 3])),
        ("v", Value::Real(halves)),
        ("epsilon", number(0.1)),
    ])
}

fn laplacian() -> Values<f64> {
    values([("inside", mask(1000)), ("u", tensor([1000, 1000]))])
}

fn arap() -> Values<f64> {
    let n = 300;
    values([
        ("mask", mask(n)),
        ("pulled", mask(n)),
        ("rest", tensor([n, n, 2])),
        ("place", tensor([n, n, 2])),
        ("target", tensor([n, n, 2])),
        ("angle", tensor([n, n])),
        ("lambda", number(0.5)),
    ])
}

fn quadratic(n: usize) -> Values<f64> {
    values([("A", tensor([n, n])), ("x", tensor([n]))])
}

fn factorization() -> Values<f64> {
    let (n, r) = (1000, 20);
    values([
        ("A", tensor([n, n])),
        ("U", tensor([n, r])),
        ("V", tensor([n, r])),
        ("lambda", number(0.1)),
    ])
}

fn convolution() -> Values<f64> {
    values([
        ("a", Value::Size(2)),
        ("b", Value::Size(2)),
        ("x", tensor([1000, 1000])),
        ("c", tensor([5, 5])),
    ])
}

fn rnn() -> Values<f64> {
    // as networks begin, so that adjoints do not vanish: JAX alone has numbers too small to be normal as zero
    let scale = (3.0f64 / 128.0).sqrt();
    let weights = numbers(128 * 128).into_iter().map(|w| w * scale).collect();
    let weights = Value::Real(Dense { shape: vec![128, 128], data: weights });
    values([("W", weights), ("x", tensor([500, 128]))])
}

fn spmv() -> Values<f64> {
    let (n, each) = (200_000, 10);
    let (row, col) = sparse(n, each);
    values([
        ("n", Value::Size(n as u64)),
        ("row", Value::indices(row)),
        ("col", Value::indices(col)),
        ("a", tensor([n * each])),
        ("x", tensor([n])),
    ])
}

fn embedding() -> Values<f64> {
    let (v, d, b) = (100_000, 64, 10_000);
    let word = (0..b).map(|s| (s * s % v) as i64).collect();
    values([("table", tensor([v, d])), ("word", Value::indices(word))])
}
