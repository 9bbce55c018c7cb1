//! A directional derivative, and the gradient beside it.

use super::sources::{PAPER, PROTOTYPE};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "normal_form",
    title: "the directional derivative of x'A'A x",
    text: include_str!("../../families/normal_form.iv"),
    sources: &[PAPER, PROTOTYPE],
    members: &[
        Member {
            function: "normal_form",
            wrt: &["x"],
            derivative: Derivative::Directional,
            cases: &[
                Case { name: "random", point: directional },
                Case { name: "empty", point: |_, rng| directional(0, rng) },
                Case { name: "one", point: |_, rng| directional(1, rng) },
            ],
            reference: |at| {
                let pairs = gradient(at).into_iter().zip(at.reals("x_dot"));
                vec![vec![pairs.map(|(x_bar, x_dot)| x_bar * x_dot).sum()]]
            },
            work: Growth::forward(2.0),
            memory: Growth::forward(2.0),
            start: 16,
        },
        Member {
            function: "normal_form",
            wrt: &["x"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: |n, rng| point(n, rng).loss("e") },
                Case { name: "empty", point: |_, rng| point(0, rng).loss("e") },
                Case { name: "one", point: |_, rng| point(1, rng).loss("e") },
            ],
            reference: |at| vec![gradient(at)],
            work: Growth::of(2.0, 2.0),
            memory: Growth::of(2.0, 2.0),
            start: 16,
        },
    ],
};

fn point(n: usize, rng: &mut Rng) -> Point {
    Point::new().size("n", n).real("A", &[n, n], rng.reals(n * n, 1.0)).real(
        "x",
        &[n],
        rng.reals(n, 1.0),
    )
}

fn directional(n: usize, rng: &mut Rng) -> Point {
    point(n, rng).tangent("x", &[n], rng.reals(n, 1.0))
}

/// 2 (A'A) x, by the matrix A'A
fn gradient(at: &Point) -> Vec<f64> {
    let (n, a, x) = (at.n("n"), at.reals("A"), at.reals("x"));
    let square = |k: usize, l: usize| -> f64 { (0..n).map(|i| a[i * n + k] * a[i * n + l]).sum() };
    (0..n).map(|k| 2.0 * (0..n).map(|l| square(k, l) * x[l]).sum::<f64>()).collect()
}
