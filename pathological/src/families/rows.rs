//! The rows of a matrix, one at a time.

use super::sources::{PYTORCH_427, PYTORCH_9701};
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "rows",
    title: "rows of a matrix, one at a time",
    text: include_str!("../../families/rows.iv"),
    sources: &[PYTORCH_427, PYTORCH_9701],
    members: &[Member {
        function: "rows",
        wrt: &["A"],
        derivative: Derivative::Gradient,
        cases: &[
            Case { name: "random", point: |n, rng| point(rng.reals(n * 16, 1.0)) },
            Case { name: "zeros", point: |n, _| point(vec![0.0; n * 16]) },
            Case { name: "empty", point: |_, _| point(Vec::new()) },
            Case { name: "one", point: |_, rng| point(rng.reals(16, 1.0)) },
        ],
        reference,
        work: Growth::of(1.0, 2.0),
        memory: Growth::of(1.0, 1.0),
        start: 16,
    }],
};

fn point(a: Vec<f64>) -> Point {
    let n = a.len() / 16;
    Point::new().size("n", n).real("A", &[n, 16], a).loss("loss")
}

/// Each column by itself: down for the states, up for the derivatives.
fn reference(at: &Point) -> Vec<Vec<f64>> {
    let (n, a) = (at.n("n"), at.reals("A"));
    let mut a_bar = vec![0.0; a.len()];
    for j in 0..16 {
        let mut factors = Vec::new();
        let mut h = 0.0;
        for t in 0..n {
            factors.push(1.0 + h / 2.0);
            h = a[t * 16 + j] * factors[t];
        }
        let mut h_bar = 1.0;
        for t in (0..n).rev() {
            a_bar[t * 16 + j] = h_bar * factors[t];
            h_bar *= a[t * 16 + j] / 2.0;
        }
    }
    vec![a_bar]
}
