//! Sums over a triangle.

use super::sources::{JAX_15906, PAPER};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "prefix_sums",
    title: "sums over a triangle, with a mask and by reads",
    text: include_str!("../../families/prefix_sums.iv"),
    sources: &[JAX_15906, PAPER],
    members: &[
        Member { function: "masked", work: Growth::of(2.0, 2.0), start: 32, ..SUMS },
        Member { function: "by_reads", work: Growth::of(2.0, 3.0), start: 16, ..SUMS },
    ],
};

const SUMS: Member = Member {
    function: "",
    wrt: &["x"],
    derivative: Derivative::Gradient,
    cases: &[
        Case { name: "random", point },
        Case { name: "empty", point: |_, rng| point(0, rng) },
        Case { name: "one", point: |_, rng| point(1, rng) },
    ],
    reference,
    work: Growth::of(2.0, 2.0),
    memory: Growth::each(1.0, 2.0, 1.0, 1.0),
    start: 16,
};

fn point(n: usize, rng: &mut Rng) -> Point {
    Point::new().size("n", n).real("x", &[n], rng.reals(n, 1.0)).cotangent(
        "y",
        &[n],
        rng.reals(n, 1.0),
    )
}

/// xⱼ is in every yᵢ with i ≥ j: the cotangents summed from the end.
fn reference(at: &Point) -> Vec<Vec<f64>> {
    let mut sum = 0.0;
    let mut x_bar: Vec<f64> = at
        .reals("y_ct")
        .iter()
        .rev()
        .map(|y_ct| {
            sum += y_ct;
            sum
        })
        .collect();
    x_bar.reverse();
    vec![x_bar]
}
