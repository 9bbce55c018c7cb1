//! Forces between bodies.

use super::sources::{PAPER, PROTOTYPE};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "pairs",
    title: "all pairs, and a list of neighbours",
    text: include_str!("../../families/pairs.iv"),
    sources: &[PAPER, PROTOTYPE],
    members: &[
        Member { function: "all_pairs", work: Growth::of(2.0, 2.0), ..ALL_PAIRS },
        Member { function: "by_distance", work: Growth::of(2.0, 3.0), start: 8, ..ALL_PAIRS },
        Member {
            function: "neighbours",
            wrt: &["x"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: |n, rng| near(n, rng.indices(8 * n, n), rng) },
                Case { name: "all near one", point: |n, rng| near(n, vec![0; 8 * n], rng) },
            ],
            reference: |at| {
                let pairs = at.places("near").into_iter().enumerate();
                vec![forces(at.reals("x"), pairs.map(|(k, j)| (k / 8, j)))]
            },
            work: Growth::of(1.0, 2.0),
            memory: Growth::of(1.0, 1.0),
            start: 16,
        },
    ],
};

const ALL_PAIRS: Member = Member {
    function: "",
    wrt: &["x"],
    derivative: Derivative::Gradient,
    cases: &[
        Case { name: "random", point: bodies },
        Case { name: "none", point: |_, rng| bodies(0, rng) },
        Case { name: "one", point: |_, rng| bodies(1, rng) },
    ],
    reference: |at| {
        let n = at.n("n");
        vec![forces(at.reals("x"), (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))))]
    },
    work: Growth::of(2.0, 2.0),
    memory: Growth::each(2.0, 2.0, 2.0, 2.0),
    start: 16,
};

fn bodies(n: usize, rng: &mut Rng) -> Point {
    Point::new().size("n", n).real("x", &[n], rng.reals(n, 4.0)).loss("e")
}

fn near(n: usize, near: Vec<i64>, rng: &mut Rng) -> Point {
    bodies(n, rng).index("near", near)
}

/// A pair adds -2 d / (d² + 1)² to one and takes it from the other.
fn forces(x: &[f64], pairs: impl Iterator<Item = (usize, usize)>) -> Vec<f64> {
    let mut x_bar = vec![0.0; x.len()];
    for (i, j) in pairs {
        let d = x[i] - x[j];
        let force = -2.0 * d / (d * d + 1.0).powi(2);
        x_bar[i] += force;
        x_bar[j] -= force;
    }
    x_bar
}
