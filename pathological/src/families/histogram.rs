//! Weights added into bins.

use super::sources::{PYG_95, PYTORCH_41162};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "histogram",
    title: "a histogram with n bins",
    text: include_str!("../../families/histogram.iv"),
    sources: &[PYTORCH_41162, PYG_95],
    members: &[Member {
        function: "histogram",
        wrt: &["w"],
        derivative: Derivative::Gradient,
        cases: &[
            Case { name: "n bins", point: |n, rng| point(n, rng.indices(n, n), rng) },
            Case {
                name: "√n bins", point: |n, rng| point(root(n), rng.indices(n, root(n)), rng)
            },
            Case { name: "one bin", point: |n, rng| point(1, vec![0; n], rng) },
            Case { name: "each bin once", point: |n, rng| point(n, rng.permutation(n), rng) },
            Case { name: "empty bins", point: |n, rng| point(2 * n + 1, vec![0; n], rng) },
            Case { name: "no samples", point: |n, rng| point(n, Vec::new(), rng) },
        ],
        reference,
        work: Growth::of(1.0, 2.0),
        memory: Growth::each(1.0, 2.0, 1.0, 1.0),
        start: 32,
    }],
};

fn root(n: usize) -> usize {
    n.isqrt().max(1)
}

fn point(m: usize, bin: Vec<i64>, rng: &mut Rng) -> Point {
    let n = bin.len();
    Point::new()
        .size("n", n)
        .size("m", m)
        .index("bin", bin)
        .real("w", &[n], rng.reals(n, 1.0))
        .loss("loss")
}

/// Twice the sum of the bin that a sample is in.
fn reference(at: &Point) -> Vec<Vec<f64>> {
    let (w, bin) = (at.reals("w"), at.places("bin"));
    let sum = |b: usize| -> f64 {
        w.iter().zip(&bin).filter(|(_, other)| **other == b).map(|(w, _)| w).sum()
    };
    vec![bin.iter().map(|&b| 2.0 * sum(b)).collect()]
}
