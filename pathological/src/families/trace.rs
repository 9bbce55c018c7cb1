//! The diagonal of a matrix.

use super::sources::{PAPER, PYTORCH_9701};
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "trace",
    title: "trace: reads of the diagonal",
    text: include_str!("../../families/trace.iv"),
    sources: &[PAPER, PYTORCH_9701],
    members: &[
        Member {
            function: "trace",
            wrt: &["A"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: |n, rng| point(n, rng.reals(n * n, 1.0)) },
                Case { name: "empty", point: |_, _| point(0, Vec::new()) },
                Case { name: "one", point: |_, rng| point(1, rng.reals(1, 1.0)) },
            ],
            reference: |at| vec![diagonal(at, |_| 1.0)],
            work: Growth::of(1.0, 3.0),
            memory: Growth::of(2.0, 2.0),
            start: 16,
        },
        Member {
            function: "log_diagonal",
            wrt: &["A"],
            derivative: Derivative::Gradient,
            cases: &[
                Case {
                    name: "positive",
                    point: |n, rng| {
                        point(n, rng.reals(n * n, 1.0).iter().map(|a| a + 1.5).collect())
                    },
                },
                // behind the diagonal nothing is read, so nothing there can be wrong
                Case {
                    name: "negative beside the diagonal",
                    point: |n, _| {
                        let on_diagonal =
                            |k: usize| if k.is_multiple_of(n + 1) { 2.0 } else { -1.0 };
                        point(n, (0..n * n).map(on_diagonal).collect())
                    },
                },
            ],
            reference: |at| vec![diagonal(at, |a| 1.0 / a)],
            work: Growth::of(1.0, 3.0),
            memory: Growth::of(2.0, 2.0),
            start: 16,
        },
    ],
};

fn point(n: usize, a: Vec<f64>) -> Point {
    Point::new().size("n", n).real("A", &[n, n], a).loss("t")
}

/// A matrix with a function of A's diagonal on its diagonal.
fn diagonal(at: &Point, f: fn(f64) -> f64) -> Vec<f64> {
    let n = at.n("n");
    let entry = |(k, a): (usize, &f64)| if k.is_multiple_of(n + 1) { f(*a) } else { 0.0 };
    at.reals("A").iter().enumerate().map(entry).collect()
}
