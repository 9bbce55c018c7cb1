//! A few rows of a large table.

use super::sources::{FLUX_577, TINYGRAD_1612};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "embedding",
    title: "few rows of a large table",
    text: include_str!("../../families/embedding.iv"),
    sources: &[FLUX_577, TINYGRAD_1612],
    members: &[Member {
        function: "embedding",
        wrt: &["E"],
        derivative: Derivative::Gradient,
        cases: &[
            Case {
                name: "random rows",
                point: |n, rng| point(rows(n), rng.indices(n, rows(n)), rng),
            },
            Case { name: "one row, repeated", point: |n, rng| point(rows(n), vec![0; n], rng) },
            Case { name: "each row once", point: |n, rng| point(n, rng.permutation(n), rng) },
            Case { name: "no rows", point: |n, rng| point(rows(n), Vec::new(), rng) },
        ],
        reference,
        work: Growth::of(1.0, 2.0),
        memory: Growth::of(1.0, 1.0),
        start: 16,
    }],
};

/// The rows of the table for n reads.
fn rows(n: usize) -> usize {
    8 * n + 1
}

fn point(v: usize, token: Vec<i64>, rng: &mut Rng) -> Point {
    Point::new()
        .size("v", v)
        .size("b", token.len())
        .real("E", &[v, 8], rng.reals(v * 8, 1.0))
        .index("token", token)
        .real("w", &[8], vec![1.0, -0.5, 0.25, 2.0, -1.0, 0.125, 0.75, -0.25])
        .loss("loss")
}

/// Rows that are not read have the gradient 0, others 2 w E once for each read.
fn reference(at: &Point) -> Vec<Vec<f64>> {
    let (table, w) = (at.reals("E"), at.reals("w"));
    let mut bar = vec![0.0; table.len()];
    for row in at.places("token") {
        for (j, w) in w.iter().enumerate() {
            bar[row * 8 + j] += 2.0 * w * table[row * 8 + j];
        }
    }
    vec![bar]
}
