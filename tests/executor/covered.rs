//! Temporaries of which no entry is read but those that are added to: nothing clears them.
//!
//! In builds with debug assertions a temporary holds NaN until it is written, so entries that nobody has written show.

use crate::compare::difference;
use crate::memory::{loops, program};
use iverson::executor::loops::Buffer;
use iverson::executor::{Fusion, LoopProgram};
use iverson::spec::call::{Dense, Relation, Value, Values};

use iverson::spec::ssa::TensorSsa;

/// What is added under conditions, and read where these say so: inside a mask and beside its pixels, along a part of the axes, at what data name.
const COVERED: [&str; 2] = [
    "(y: real[n, n]) {
        t[i: n, j: n] = [mask(i, j) and j + 1 < n and mask(i, j + 1)] * exp(x[i, j] - x[i, j + 1])
        y[i: n, j: n] = [mask(i, j)] * x[i, j] * ([j + 1 < n and mask(i, j + 1)] * t[i, j]^2
            + [j >= 1 and mask(i, j - 1)] * t[i, j - 1])
    }",
    "(y: real[n], z: real) {
        t[i: n, j: n] = [p[i] > 0 and j + 1 < n] * exp(x[i, j] - x[i, j + 1])
        y[j: n] = sum(i: n) [p[i] > 0 and j >= 1] * t[i, j - 1] * x[i, j]
        z = sum(i: n, j: n) [p[i] > 0 and p[j] = i and p[j] + 1 < n] * t[i, p[j]] * x[j, i]
    }",
];

/// What is read beyond that: outside of the mask, of another relation, behind the part that is written, at other data.
const READ_ELSEWHERE: [&str; 4] = [
    "(y: real[n, n]) {
        t[i: n, j: n] = [mask(i, j)] * exp(x[i, j])
        y[i: n, j: n] = x[i, j] * t[i, j]^2 + [j >= 1 and mask(i, j)] * t[i, j - 1]
    }",
    "(y: real[n, n]) {
        t[i: n, j: n] = [mask(i, j)] * exp(x[i, j])
        y[i: n, j: n] = [other(i, j)] * x[i, j] * t[i, j]^2 + [mask(i, j)] * t[j, i]
    }",
    "(y: real[n]) {
        t[i: n, j: n] = [j > i] * exp(x[i, j]) + [j = p[i]] * x[j, i]
        y[i: n] = sum(j: n) t[i, j] * t[i, n - 1 - j]
    }",
    "(y: real[n, n]) {
        t[i: n, j: n] = [p[j] = i] * exp(x[i, j])
        y[i: n, j: n] = [p[i] = j] * x[i, j] * t[i, j]^2 + t[i, n - 1 - j]
    }",
];

fn all(texts: &[&str]) -> Vec<TensorSsa> {
    let head =
        "fn f(n: size, x: real[n, n], p: index(n)[n], mask: rel(n, n), other: rel(n, n)) -> ";
    texts.iter().map(|text| program(&format!("{head}{text}"))).collect()
}

fn arguments(n: usize) -> Values<f64> {
    let every = |step: usize, start: usize| {
        let at = (start..n * n).step_by(step);
        Relation::new(2, at.map(|at| vec![(at / n) as i64, (at % n) as i64]).collect())
    };
    let data = (0..n * n).map(|at| (at * 37 % 19) as f64 / 19.0 - 0.4).collect();
    [
        ("n", Value::Size(n as u64)),
        ("x", Value::Real(Dense { shape: vec![n, n], data })),
        ("p", Value::indices((0..n).map(|at| (at * 5 / 3 % n.max(1)) as i64).collect())),
        ("mask", Value::Relation(every(if n > 3 { 2 } else { 1 }, n / 4))),
        ("other", Value::Relation(every(3, 0))),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}

/// Whether entries of a temporary `t` are cleared.
fn clears(loops: &LoopProgram) -> bool {
    let text = loops.to_string();
    let is_clear = |line: &&str| line.starts_with('t') && line.ends_with("] = 0.0");
    text.lines().map(str::trim).any(|line| is_clear(&line))
}

/// Whether a matrix `t` is kept.
fn keeps(loops: &LoopProgram) -> bool {
    let grows = |buffer: &Buffer| buffer.extents.iter().any(|e| e.as_const().is_none());
    loops.buffers.iter().any(|buffer| buffer.name == "t" && grows(buffer))
}

#[test]
fn what_is_read_where_it_is_added_to_is_not_cleared() {
    for program in all(&COVERED) {
        let loops = loops(&program, Fusion::On);
        assert!(keeps(&loops) && !clears(&loops), "{loops}");
        for n in [0, 1, 2, 3, 7, 20] {
            assert_eq!(difference(&program, &arguments(n), 4096.0), None, "{n}\n{loops}");
        }
    }
}

#[test]
fn what_is_read_elsewhere_is_cleared() {
    for program in all(&READ_ELSEWHERE) {
        let loops = loops(&program, Fusion::On);
        assert!(clears(&loops), "{loops}");
        for n in [0, 1, 2, 3, 7, 20] {
            assert_eq!(difference(&program, &arguments(n), 4096.0), None, "{n}\n{loops}");
        }
    }
}
