//! Pieces appended in a loop.

use super::sources::{JAX_15906, PYTORCH_427};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "concatenation",
    title: "a vector that grows in a loop",
    text: include_str!("../../families/concatenation.iv"),
    sources: &[PYTORCH_427, JAX_15906],
    members: &[Member {
        function: "concatenation",
        wrt: &["x", "w"],
        derivative: Derivative::Gradient,
        cases: &[
            Case { name: "random", point },
            Case { name: "empty", point: |_, rng| point(0, rng) },
            Case { name: "one", point: |_, rng| point(1, rng) },
        ],
        reference,
        work: Growth::of(1.0, 2.0),
        memory: Growth::of(1.0, 1.0),
        start: 16,
    }],
};

fn point(n: usize, rng: &mut Rng) -> Point {
    Point::new()
        .size("n", n)
        .real("x", &[n, 4], rng.reals(4 * n, 1.0))
        .real("w", &[4 * n], rng.reals(4 * n, 1.0))
        .loss("loss")
}

/// The vector as the loop's own: entry k comes from entry k - 4.
fn reference(at: &Point) -> Vec<Vec<f64>> {
    let (x, w) = (at.reals("x"), at.reals("w"));
    let mut all: Vec<f64> = Vec::new();
    for k in 0..x.len() {
        all.push(x[k] + if k >= 4 { all[k - 4].sin() } else { 0.0 });
    }
    let mut x_bar: Vec<f64> = all.iter().zip(w).map(|(y, w)| 2.0 * w * y).collect();
    for k in (4..x.len()).rev() {
        x_bar[k - 4] += x_bar[k] * all[k - 4].cos();
    }
    vec![x_bar, all.iter().map(|y| y * y).collect()]
}
