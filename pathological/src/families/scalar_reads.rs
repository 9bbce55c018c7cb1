//! A loop that reads one entry at a time.

use super::sources::{ZYGOTE_365, ZYGOTE_962};
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "scalar_reads",
    title: "a loop of scalar reads",
    text: include_str!("../../families/scalar_reads.iv"),
    sources: &[ZYGOTE_365, ZYGOTE_962],
    members: &[Member {
        function: "scalar_reads",
        wrt: &["x"],
        derivative: Derivative::Gradient,
        cases: &[
            Case { name: "random", point: |n, rng| point(rng.reals(n, 1.0)) },
            Case { name: "zeros", point: |n, _| point(vec![0.0; n]) },
            Case { name: "empty", point: |_, _| point(Vec::new()) },
            Case { name: "one", point: |_, rng| point(rng.reals(1, 1.0)) },
        ],
        reference: |at| vec![at.reals("x").iter().map(|x| 3.0 * x * x).collect()],
        work: Growth::of(1.0, 2.0),
        memory: Growth::of(1.0, 1.0),
        start: 64,
    }],
};

fn point(x: Vec<f64>) -> Point {
    let n = x.len();
    Point::new().size("n", n).real("x", &[n], x).loss("loss")
}
