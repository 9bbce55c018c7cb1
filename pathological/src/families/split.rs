//! Parts that are not used, or put together again.

use super::sources::{CHAIN_RULES_240, JAX_6872, PYTORCH_427};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "split",
    title: "unused parts, one-hot terms, split and joined",
    text: include_str!("../../families/split.iv"),
    sources: &[CHAIN_RULES_240, PYTORCH_427, JAX_6872],
    members: &[
        Member {
            function: "last_of_many",
            wrt: &["x"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: |n, rng| point(n, n, rng).loss("loss") },
                Case { name: "empty", point: |_, rng| point(0, 0, rng).loss("loss") },
                Case { name: "one", point: |_, rng| point(1, 1, rng).loss("loss") },
            ],
            reference: last_of_many,
            work: Growth::of(1.0, 2.0),
            memory: Growth::of(1.0, 1.0),
            start: 64,
        },
        Member {
            function: "one_hot",
            wrt: &["x"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: one_hot },
                Case { name: "empty", point: |_, rng| one_hot(0, rng) },
                Case { name: "one", point: |_, rng| one_hot(1, rng) },
            ],
            reference: |at| vec![at.reals("y_ct").to_vec()],
            work: Growth::of(1.0, 2.0),
            memory: Growth::each(1.0, 2.0, 1.0, 1.0),
            start: 32,
        },
        Member {
            function: "split_rejoin",
            wrt: &["x"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: |n, rng| point(n, 2 * n, rng).loss("loss") },
                Case { name: "empty", point: |_, rng| point(0, 0, rng).loss("loss") },
                Case { name: "one", point: |_, rng| point(1, 2, rng).loss("loss") },
            ],
            reference: |at| vec![at.reals("x").iter().map(|x| 3.0 * x * x).collect()],
            work: Growth::of(1.0, 2.0),
            memory: Growth::of(1.0, 1.0),
            start: 32,
        },
    ],
};

fn point(n: usize, entries: usize, rng: &mut Rng) -> Point {
    Point::new().size("n", n).real("x", &[entries], rng.reals(entries, 1.0))
}

fn one_hot(n: usize, rng: &mut Rng) -> Point {
    point(n, n, rng).cotangent("y", &[n], rng.reals(n, 1.0))
}

fn last_of_many(at: &Point) -> Vec<Vec<f64>> {
    let x = at.reals("x");
    let mut states = vec![0.0_f64];
    for x in x {
        states.push(x + states[states.len() - 1].sin());
    }
    let mut s_bar = 2.0 * states[x.len()];
    let mut x_bar = vec![0.0; x.len()];
    for t in (0..x.len()).rev() {
        x_bar[t] = s_bar;
        s_bar *= states[t].cos();
    }
    vec![x_bar]
}
