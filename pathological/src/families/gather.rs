//! A gather of a computed vector.

use super::sources::{PYTORCH_41162, TENSORFLOW_38168};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "gather",
    title: "a gather of a computed vector",
    text: include_str!("../../families/gather.iv"),
    sources: &[TENSORFLOW_38168, PYTORCH_41162],
    members: &[Member {
        function: "gather",
        wrt: &["x", "w"],
        derivative: Derivative::Gradient,
        cases: &[
            Case { name: "random, repeated", point: |n, rng| point(rng.indices(n, n), rng) },
            Case { name: "a permutation", point: |n, rng| point(rng.permutation(n), rng) },
            Case { name: "one entry", point: |n, rng| point(vec![0; n], rng) },
            Case { name: "in order", point: |n, rng| point((0..n as i64).collect(), rng) },
        ],
        reference,
        work: Growth::of(1.0, 2.0),
        memory: Growth::of(1.0, 1.0),
        start: 64,
    }],
};

fn point(p: Vec<i64>, rng: &mut Rng) -> Point {
    let n = p.len();
    Point::new()
        .size("n", n)
        .real("x", &[n], rng.reals(n, 2.0))
        .real("w", &[n], rng.reals(n, 1.0))
        .index("p", p)
        .loss("loss")
}

/// wᵢ sin² x[pᵢ] differentiated for each i by itself.
fn reference(at: &Point) -> Vec<Vec<f64>> {
    let (x, w) = (at.reals("x"), at.reals("w"));
    let mut x_bar = vec![0.0; x.len()];
    let mut w_bar = Vec::new();
    for (i, p) in at.places("p").into_iter().enumerate() {
        x_bar[p] += w[i] * (2.0 * x[p]).sin();
        w_bar.push(x[p].sin().powi(2));
    }
    vec![x_bar, w_bar]
}
