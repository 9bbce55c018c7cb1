//! A recurrence that keeps its states.

use super::sources::{JAX_10197, JAX_15906};
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "state_array",
    title: "a recurrence that writes its states into an array",
    text: include_str!("../../families/state_array.iv"),
    sources: &[JAX_10197, JAX_15906],
    members: &[Member {
        function: "state_array",
        wrt: &["a", "x"],
        derivative: Derivative::Gradient,
        cases: &[
            Case { name: "random", point: |n, rng| point(0.75, rng.reals(n, 1.0)) },
            Case { name: "forgetting", point: |n, rng| point(0.0, rng.reals(n, 1.0)) },
            Case { name: "empty", point: |_, _| point(0.5, Vec::new()) },
            Case { name: "one", point: |_, rng| point(0.5, rng.reals(1, 1.0)) },
        ],
        reference,
        work: Growth::of(1.0, 2.0),
        memory: Growth::of(1.0, 1.0),
        start: 64,
    }],
};

fn point(a: f64, x: Vec<f64>) -> Point {
    let n = x.len();
    Point::new().size("n", n).scalar("a", a).real("x", &[n], x).loss("loss")
}

fn reference(at: &Point) -> Vec<Vec<f64>> {
    let (a, x) = (at.number("a"), at.reals("x"));
    let mut s: Vec<f64> = Vec::new();
    for t in 0..x.len() {
        let before = if t > 0 { s[t - 1] } else { 0.0 };
        s.push((x[t] + a * before).tanh());
    }
    let (mut a_bar, mut x_bar, mut later) = (0.0, vec![0.0; x.len()], 0.0);
    for t in (0..x.len()).rev() {
        x_bar[t] = (2.0 * s[t] + later) * (1.0 - s[t] * s[t]);
        a_bar += if t > 0 { x_bar[t] * s[t - 1] } else { 0.0 };
        later = x_bar[t] * a;
    }
    vec![vec![a_bar], x_bar]
}
