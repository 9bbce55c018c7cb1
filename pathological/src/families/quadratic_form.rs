//! The Hessian of a quadratic form.

use super::sources::{PAPER, PROTOTYPE};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "quadratic_form",
    title: "the Hessian of a quadratic form",
    text: include_str!("../../families/quadratic_form.iv"),
    sources: &[PAPER, PROTOTYPE],
    members: &[Member {
        function: "quadratic_form",
        wrt: &["x"],
        derivative: Derivative::Hessian,
        cases: &[
            Case { name: "random", point },
            Case { name: "empty", point: |_, rng| point(0, rng) },
            Case { name: "one", point: |_, rng| point(1, rng) },
        ],
        reference,
        work: Growth::each(2.0, 3.0, 3.0, 2.0),
        memory: Growth::of(2.0, 2.0),
        start: 8,
    }],
};

fn point(n: usize, rng: &mut Rng) -> Point {
    Point::new().size("n", n).real("A", &[n, n], rng.reals(n * n, 1.0)).real(
        "x",
        &[n],
        rng.reals(n, 1.0),
    )
}

/// A + A'
fn reference(at: &Point) -> Vec<Vec<f64>> {
    let (n, a) = (at.n("n"), at.reals("A"));
    vec![(0..n * n).map(|k| a[k] + a[(k % n) * n + k / n]).collect()]
}
