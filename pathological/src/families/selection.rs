//! Entries that are selected by comparing.

use super::sources::{PAPER, TINYGRAD_1612};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "selection",
    title: "max-pool, argmax, the median by selection",
    text: include_str!("../../families/selection.iv"),
    sources: &[TINYGRAD_1612, PAPER],
    members: &[
        Member {
            function: "max_pool",
            wrt: &["x"],
            derivative: Derivative::Gradient,
            cases: &[
                Case {
                    name: "random",
                    point: |n, rng| vector(n, rng.reals(2 * n, 1.0)).loss("loss"),
                },
                Case { name: "ties", point: |n, _| vector(n, vec![0.5; 2 * n]).loss("loss") },
                Case { name: "empty", point: |_, _| vector(0, Vec::new()).loss("loss") },
            ],
            reference: max_pool,
            work: Growth::of(1.0, 2.0),
            memory: Growth::of(1.0, 1.0),
            start: 32,
        },
        Member {
            function: "pick_greatest",
            wrt: &["x", "y"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: |n, rng| rows(n, rng.reals(4 * n, 1.0), rng) },
                Case { name: "ties", point: |n, rng| rows(n, vec![0.5; 4 * n], rng) },
                Case { name: "empty", point: |_, rng| rows(0, Vec::new(), rng) },
            ],
            reference: pick_greatest,
            work: Growth::of(1.0, 2.0),
            memory: Growth::of(1.0, 1.0),
            start: 32,
        },
        Member {
            function: "median",
            wrt: &["x"],
            derivative: Derivative::Gradient,
            cases: &[
                Case {
                    name: "random",
                    point: |n, rng| vector(n, rng.reals(2 * n + 1, 1.0)).loss("m"),
                },
                Case { name: "ties", point: |n, _| vector(n, vec![0.5; 2 * n + 1]).loss("m") },
                Case { name: "one", point: |_, rng| vector(0, rng.reals(1, 1.0)).loss("m") },
            ],
            reference: median,
            work: Growth::of(2.0, 2.0),
            memory: Growth::each(1.0, 2.0, 1.0, 1.0),
            start: 16,
        },
    ],
};

fn vector(n: usize, x: Vec<f64>) -> Point {
    Point::new().size("n", n).real("x", &[x.len()], x)
}

fn rows(n: usize, x: Vec<f64>, rng: &mut Rng) -> Point {
    Point::new()
        .size("n", n)
        .real("x", &[n, 4], x)
        .real("y", &[n, 4], rng.reals(4 * n, 1.0))
        .loss("loss")
}

fn max_pool(at: &Point) -> Vec<Vec<f64>> {
    let pair = |x: &[f64]| if x[1] > x[0] { [0.0, 2.0 * x[1]] } else { [2.0 * x[0], 0.0] };
    vec![at.reals("x").chunks(2).flat_map(pair).collect()]
}

fn pick_greatest(at: &Point) -> Vec<Vec<f64>> {
    let (x, y) = (at.reals("x"), at.reals("y"));
    let mut y_bar = vec![0.0; y.len()];
    for (i, row) in x.chunks(4).enumerate() {
        let best = (0..4).fold(0, |best, j| if row[j] > row[best] { j } else { best });
        y_bar[4 * i + best] = 3.0 * y[4 * i + best].powi(2);
    }
    vec![vec![0.0; x.len()], y_bar]
}

/// By sorting, which keeps the order of equal numbers.
fn median(at: &Point) -> Vec<Vec<f64>> {
    let x = at.reals("x");
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&i, &j| x[i].total_cmp(&x[j]));
    let mut x_bar = vec![0.0; x.len()];
    x_bar[order[at.n("n")]] = 1.0;
    vec![x_bar]
}
