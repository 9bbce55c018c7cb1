//! Slices written into a large state.

use super::sources::JAX_17640;
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "slice_update",
    title: "slices of a large carried state",
    text: include_str!("../../families/slice_update.iv"),
    sources: &[JAX_17640],
    members: &[Member {
        function: "slice_update",
        wrt: &["x"],
        derivative: Derivative::Gradient,
        cases: &[
            Case { name: "random", point: |n, rng| point(earlier(n, rng), rng) },
            Case { name: "the step before", point: |n, rng| point(chain(n), rng) },
            Case { name: "the first step", point: |n, rng| point(vec![0; n], rng) },
            Case { name: "empty", point: |_, rng| point(Vec::new(), rng) },
        ],
        reference,
        work: Growth::of(1.0, 2.0),
        memory: Growth::of(1.0, 1.0),
        start: 32,
    }],
};

/// For each step an earlier one; for the first itself, which is not read.
fn earlier(n: usize, rng: &mut Rng) -> Vec<i64> {
    (0..n).map(|t| rng.below(t.max(1)) as i64).collect()
}

fn chain(n: usize) -> Vec<i64> {
    (0..n).map(|t| t.saturating_sub(1) as i64).collect()
}

fn point(back: Vec<i64>, rng: &mut Rng) -> Point {
    let n = back.len();
    Point::new()
        .size("n", n)
        .index("back", back)
        .real("x", &[n, 4], rng.reals(4 * n, 1.0))
        .loss("loss")
}

fn reference(at: &Point) -> Vec<Vec<f64>> {
    let (n, x, back) = (at.n("n"), at.reals("x"), at.places("back"));
    let mut u = vec![0.0; 4 * n];
    for t in 0..n {
        for j in 0..4 {
            let before = if t > 0 { u[4 * back[t] + j] } else { 0.0 };
            u[4 * t + j] = (x[4 * t + j] + before).tanh();
        }
    }
    let mut u_bar: Vec<f64> = u.iter().map(|u| 2.0 * u).collect();
    let mut x_bar = vec![0.0; 4 * n];
    for t in (0..n).rev() {
        for j in 0..4 {
            let k = 4 * t + j;
            x_bar[k] = u_bar[k] * (1.0 - u[k] * u[k]);
            if t > 0 {
                u_bar[4 * back[t] + j] += x_bar[k];
            }
        }
    }
    vec![x_bar]
}
