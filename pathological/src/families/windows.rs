//! Parts of one long vector.

use super::sources::{JAX_6872, PYTORCH_9701, PYTORCH_17501};
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "windows",
    title: "windows and blocks of one vector",
    text: include_str!("../../families/windows.iv"),
    sources: &[JAX_6872, PYTORCH_9701, PYTORCH_17501],
    members: &[
        Member {
            function: "overlapping",
            wrt: &["x", "w"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: |n, rng| point(n, rng.reals(n + 7, 1.0)) },
                Case { name: "zeros", point: |n, _| point(n, vec![0.0; n + 7]) },
                Case { name: "one", point: |_, rng| point(1, rng.reals(8, 1.0)) },
            ],
            reference: |at| reference(at, 1),
            work: Growth::of(1.0, 2.0),
            memory: Growth::of(1.0, 1.0),
            start: 32,
        },
        Member {
            function: "disjoint",
            wrt: &["x", "w"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: |n, rng| point(n, rng.reals(8 * n, 1.0)) },
                Case { name: "one", point: |_, rng| point(1, rng.reals(8, 1.0)) },
            ],
            reference: |at| reference(at, 8),
            work: Growth::of(1.0, 2.0),
            memory: Growth::of(1.0, 1.0),
            start: 16,
        },
    ],
};

fn point(n: usize, x: Vec<f64>) -> Point {
    let w = vec![1.0, -0.5, 0.25, 2.0, -1.0, 0.125, 0.75, -0.25];
    Point::new().size("n", n).real("x", &[x.len()], x).real("w", &[8], w).loss("loss")
}

/// Windows that begin at multiples of `step`, each walked twice.
fn reference(at: &Point, step: usize) -> Vec<Vec<f64>> {
    let (x, w) = (at.reals("x"), at.reals("w"));
    let (mut x_bar, mut w_bar) = (vec![0.0; x.len()], vec![0.0; 8]);
    for i in 0..at.n("n") {
        let window = &x[step * i..step * i + 8];
        let y: f64 = window.iter().zip(w).map(|(x, w)| x * w).sum();
        for j in 0..8 {
            x_bar[step * i + j] += 2.0 * y * w[j];
            w_bar[j] += 2.0 * y * window[j];
        }
    }
    vec![x_bar, w_bar]
}
