//! What each strategy costs on named programs: exact counts, no clocks.
//!
//! A count that is a polynomial of degree d in the size has vanishing differences of
//! order d + 1, and others not.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use iverson::interpreter::{Model, work};
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Relation, Value, Values};
use iverson::spec::{TensorSsa, normalize};
use iverson::strategies::{Outcome, Strategy, gradient};

/// A program that grows with one size.
struct Family {
    name: &'static str,
    text: &'static str,
    wrt: &'static str,
    inputs: fn(usize) -> Values<f64>,
    /// The degrees of the work of the gradient.
    dense: usize,
    scatter: usize,
}

fn vector(n: usize) -> Value<f64> {
    Value::vector((0..n).map(|i| 0.5 + i as f64 / n as f64).collect())
}

fn matrix(n: usize, m: usize) -> Value<f64> {
    let data = (0..n * m).map(|i| 0.5 + i as f64 / (n * m) as f64).collect();
    Value::Real(Dense { shape: vec![n, m], data })
}

/// A permutation of `0..n`, a little stirred.
fn permutation(n: usize) -> Value<f64> {
    Value::indices((0..n as i64).rev().collect())
}

fn values<const K: usize>(pairs: [(&str, Value<f64>); K]) -> Values<f64> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

const FAMILIES: &[Family] = &[
    Family {
        name: "a loop of scalar reads",
        text: "fn f(n: size, x: real[n]) -> (y: real) {
            rec t: n { s[t] = [t > 0] * s[t - 1] + x[t]^2 }
            y = sum(t: n where t = n - 1) s[t]
        }",
        wrt: "x",
        inputs: |n| values([("x", vector(n))]),
        dense: 2,
        scatter: 1,
    },
    Family {
        name: "Horner's rule",
        text: "fn f(n: size, c: real[n], x: real) -> (y: real) {
            rec t: n { s[t] = [t > 0] * s[t - 1] * x + c[t] }
            y = sum(t: n where t = n - 1) s[t]
        }",
        wrt: "c",
        inputs: |n| values([("c", vector(n)), ("x", Value::scalar(0.9))]),
        dense: 2,
        scatter: 1,
    },
    Family {
        name: "the trace of a matrix",
        text: "fn f(n: size, A: real[n, n]) -> (y: real) { y = sum(i: n) A[i, i] }",
        wrt: "A",
        inputs: |n| values([("A", matrix(n, n))]),
        dense: 3,
        scatter: 1,
    },
    Family {
        name: "windows of four",
        text: "fn f(n: size, x: real[n + 3], w: real[4]) -> (y: real[n]) {
            y[i: n] = sum(j: 4) x[i + j] * w[j]
        }",
        wrt: "x",
        inputs: |n| values([("x", vector(n + 3)), ("w", vector(4))]),
        dense: 2,
        scatter: 1,
    },
    Family {
        name: "prefix sums by offsets",
        text: "fn f(n: size, x: real[n]) -> (y: real[n]) {
            y[i: n] = sum(j: n where j <= i) x[i - j]
        }",
        wrt: "x",
        inputs: |n| values([("x", vector(n))]),
        dense: 3,
        scatter: 2,
    },
    Family {
        name: "rows of a matrix, one at a time",
        text: "fn f(n: size, A: real[n, 3]) -> (y: real) {
            rec i: n { s[i] = [i > 0] * s[i - 1] + sum(j: 3) A[i, j]^2 }
            y = sum(i: n where i = n - 1) s[i]
        }",
        wrt: "A",
        inputs: |n| values([("A", matrix(n, 3))]),
        dense: 2,
        scatter: 1,
    },
    Family {
        name: "three rows of a large table",
        text: "fn f(V: size, T: real[V, 2], p: index(V)[3]) -> (y: real) {
            e[b: 3, d: 2] = T[p[b], d]
            y = sum(b: 3, d: 2) e[b, d]^2
        }",
        wrt: "T",
        inputs: |n| values([("T", matrix(n, 2)), ("p", Value::indices(vec![1, 0, 1]))]),
        dense: 1,
        scatter: 0,
    },
    Family {
        name: "a gather of a computed tensor",
        text: "fn f(n: size, x: real[n], p: index(n)[n]) -> (y: real[n]) {
            z[i: n] = sin(x[i])
            y[i: n] = z[p[i]]^2
        }",
        wrt: "x",
        inputs: |n| values([("x", vector(n)), ("p", permutation(n))]),
        dense: 2,
        scatter: 1,
    },
    Family {
        name: "a permutation of the state at each of three steps",
        text: "fn f(n: size, x: real[n], p: index(n)[n]) -> (y: real[n]) {
            rec t: 3 { s[t, i: n] = if t = 0 then x[i] else sin(s[t - 1, p[i]]) }
            y[i: n] = s[2, i]
        }",
        wrt: "x",
        inputs: |n| values([("x", vector(n)), ("p", permutation(n))]),
        dense: 2,
        scatter: 1,
    },
    Family {
        name: "a histogram with n bins",
        text: "fn f(n: size, b: index(n)[n], w: real[n]) -> (h: real[n]) {
            h[k: n] = sum(i: n where b[i] = k) w[i]
        }",
        wrt: "w",
        inputs: |n| values([("b", permutation(n)), ("w", vector(n))]),
        dense: 2,
        scatter: 1,
    },
    Family {
        name: "a sparse matrix times a vector",
        text: "fn f(n: size, e: size, row: index(n)[e], col: index(n)[e], a: real[e], x: real[n]) -> (y: real[n]) {
            y[i: n] = sum(k: e where row[k] = i) a[k] * x[col[k]]
        }",
        wrt: "x",
        inputs: |n| {
            values([
                ("n", Value::Size(n as u64)),
                ("row", permutation(n)),
                ("col", permutation(n)),
                ("a", vector(n)),
                ("x", vector(n)),
            ])
        },
        dense: 2,
        scatter: 1,
    },
    Family {
        name: "a product of polynomials",
        text: "fn f(n: size, a: real[n], b: real[n]) -> (c: real[2 * n]) {
            c[k: 2 * n] = sum(i: n, j: n where i + j = k) a[i] * b[j]
        }",
        wrt: "a",
        inputs: |n| values([("a", vector(n)), ("b", vector(n))]),
        dense: 3,
        scatter: 2,
    },
    Family {
        name: "sums over the edges of a relation",
        text: "fn f(n: size, R: rel(n, n), x: real[n]) -> (y: real[n]) {
            y[i: n] = sum(j: n where R(i, j)) x[j]^2
        }",
        wrt: "x",
        inputs: |n| {
            let edge = |i: usize| vec![i as i64, (n - 1 - i) as i64];
            let edges = Relation::new(2, (0..n).map(edge).collect());
            values([("R", Value::Relation(edges)), ("x", vector(n))])
        },
        dense: 2,
        scatter: 1,
    },
    Family {
        name: "a segment of data summed at each step",
        text: "fn f(n: size, s: index(n)[n], x: real[n]) -> (y: real) {
            rec t: n { z[t] = [t > 0] * z[t - 1] + sum(e: n where s[e] = t) x[e] }
            y = sum(t: n where t = n - 1) z[t]
        }",
        wrt: "x",
        inputs: |n| values([("s", permutation(n)), ("x", vector(n))]),
        dense: 2,
        scatter: 1,
    },
    Family {
        name: "every other entry",
        text: "fn f(n: size, x: real[2 * n]) -> (y: real[n]) { y[i: n] = x[2 * i]^2 }",
        wrt: "x",
        inputs: |n| values([("x", vector(2 * n))]),
        dense: 2,
        scatter: 1,
    },
    Family {
        name: "a matrix times a vector",
        text: "fn f(n: size, A: real[n, n], x: real[n]) -> (y: real[n]) {
            y[i: n] = sum(j: n) A[i, j] * x[j]
        }",
        wrt: "x",
        inputs: |n| values([("A", matrix(n, n)), ("x", vector(n))]),
        dense: 2,
        scatter: 2,
    },
];

fn program(text: &str) -> TensorSsa {
    normalize(load(text).unwrap().function(None).unwrap())
}

impl Family {
    fn run(&self, strategy: Strategy, n: usize) -> Outcome<f64> {
        let program = program(self.text);
        let mut inputs = (self.inputs)(n);
        let result = program.symbols.tensor(program.results[0]).name.clone();
        let seeds = gradient(Strategy::Scatter, &program, &[self.wrt], &inputs).unwrap();
        let Value::Real(value) = &seeds.values[&result] else { panic!("{result} is real") };
        let ones = Dense { shape: value.shape.clone(), data: vec![1.0; value.data.len()] };
        inputs.insert(format!("{result}_ct"), Value::Real(ones));
        gradient(strategy, &program, &[self.wrt], &inputs).unwrap()
    }
}

/// The degree of the polynomial that these values at consecutive sizes have.
fn degree(values: &[u64]) -> Option<usize> {
    let mut rest: Vec<i128> = values.iter().map(|v| i128::from(*v)).collect();
    for degree in 0..values.len() - 1 {
        if rest.iter().all(|v| *v == rest[0]) {
            return Some(degree);
        }
        rest = rest.windows(2).map(|pair| pair[1] - pair[0]).collect();
    }
    None
}

#[test]
fn work_grows_as_stated() {
    let mut wrong = Vec::new();
    for family in FAMILIES {
        for (strategy, wanted) in
            [(Strategy::Dense, family.dense), (Strategy::Scatter, family.scatter)]
        {
            let outcomes: Vec<_> = (4..11).map(|n| family.run(strategy, n)).collect();
            let counts: Vec<u64> = outcomes.iter().map(|o| o.total().work()).collect();
            if degree(&counts) != Some(wanted) {
                wrong.push(format!("{}: {strategy}: {counts:?}", family.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn strategies_agree_on_the_families() {
    for family in FAMILIES {
        let dense = family.run(Strategy::Dense, 6);
        let scatter = family.run(Strategy::Scatter, 6);
        for (name, value) in &dense.gradient {
            let (Value::Real(a), Value::Real(b)) = (value, &scatter.gradient[name]) else {
                panic!("gradients are real")
            };
            assert_eq!(a.shape, b.shape, "{}", family.name);
            for (a, b) in a.data.iter().zip(&b.data) {
                assert!((a - b).abs() <= 1e-12 * a.abs().max(1.0), "{}: {a} {b}", family.name);
            }
        }
    }
}

/// The points of `Scatter` are the sparse points, both ways.
#[test]
fn scatter_visits_each_point_once_each_way() {
    for family in FAMILIES {
        let program = program(family.text);
        let sparse = work(&program, &(family.inputs)(9)).unwrap().total(Model::Sparse);
        let outcome = family.run(Strategy::Scatter, 9);
        assert_eq!(outcome.primal.count, sparse, "{}", family.name);
        let reverse = outcome.reverse.count.points;
        assert!(reverse <= sparse.points, "{}: {reverse} of {}", family.name, sparse.points);
    }
}

/// Each slice of the diagonal makes one zero matrix; all but the first are added.
#[test]
fn the_trace_fills_a_matrix_for_each_entry() {
    let trace = FAMILIES.iter().find(|f| f.name == "the trace of a matrix").unwrap();
    for n in 1..12 {
        let outcome = trace.run(Strategy::Dense, n as usize);
        assert_eq!(outcome.reverse.filled, n * n * n + n, "n = {n}");
        assert_eq!(outcome.reverse.added, (n - 1) * n * n, "n = {n}");
        assert!(outcome.peak_bytes >= 8 * n * n && outcome.peak_bytes <= 8 * (4 * n * n + 8 * n));
    }
}

/// A loop of scalar reads: one zero vector for each, and a constant number of scalars;
/// each of them but the first is added whole.
#[test]
fn a_scalar_read_fills_a_vector() {
    let reads = FAMILIES.iter().find(|f| f.name == "a loop of scalar reads").unwrap();
    for n in 1..12 {
        let outcome = reads.run(Strategy::Dense, n as usize);
        assert_eq!(outcome.reverse.filled, n * n + 3 * n - 1, "n = {n}");
        assert_eq!(outcome.reverse.added, n * n - 1, "n = {n}");
    }
}
