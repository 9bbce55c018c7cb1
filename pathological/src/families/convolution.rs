//! Reads at sums and multiples of indices.

use super::sources::{PAPER, PYTORCH_17501};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "convolution",
    title: "polynomial product, correlation, strided reads",
    text: include_str!("../../families/convolution.iv"),
    sources: &[PAPER, PYTORCH_17501],
    members: &[
        Member {
            function: "multiply",
            wrt: &["a", "b"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: polynomials },
                Case { name: "constants", point: |_, rng| polynomials(0, rng) },
            ],
            reference: multiply,
            work: Growth::of(2.0, 3.0),
            memory: Growth::each(1.0, 3.0, 1.0, 1.0),
            start: 8,
        },
        Member {
            function: "correlate",
            wrt: &["x", "w"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: signal },
                Case { name: "empty", point: |_, rng| signal(0, rng) },
                Case { name: "one", point: |_, rng| signal(1, rng) },
            ],
            reference: correlate,
            work: Growth::of(2.0, 3.0),
            memory: Growth::each(1.0, 2.0, 1.0, 1.0),
            start: 8,
        },
        Member {
            function: "strided",
            wrt: &["x"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: strided },
                Case { name: "empty", point: |_, rng| strided(0, rng) },
                Case { name: "one", point: |_, rng| strided(1, rng) },
            ],
            reference: |at| {
                let cube = |(k, x): (usize, &f64)| if k % 2 == 0 { 3.0 * x * x } else { 0.0 };
                vec![at.reals("x").iter().enumerate().map(cube).collect()]
            },
            work: Growth::of(1.0, 2.0),
            memory: Growth::of(1.0, 1.0),
            start: 64,
        },
    ],
};

fn polynomials(n: usize, rng: &mut Rng) -> Point {
    Point::new()
        .size("n", n)
        .real("a", &[n + 1], rng.reals(n + 1, 1.0))
        .real("b", &[n + 1], rng.reals(n + 1, 1.0))
        .cotangent("c", &[2 * n + 1], rng.reals(2 * n + 1, 1.0))
}

fn signal(n: usize, rng: &mut Rng) -> Point {
    Point::new()
        .size("n", n)
        .real("x", &[2 * n], rng.reals(2 * n, 1.0))
        .real("w", &[n], rng.reals(n, 1.0))
        .cotangent("y", &[n], rng.reals(n, 1.0))
}

fn strided(n: usize, rng: &mut Rng) -> Point {
    Point::new().size("n", n).real("x", &[2 * n], rng.reals(2 * n, 1.0)).loss("loss")
}

/// The derivative in one factor is the cotangent correlated with the other.
fn multiply(at: &Point) -> Vec<Vec<f64>> {
    let (a, b, c_ct) = (at.reals("a"), at.reals("b"), at.reals("c_ct"));
    let against = |other: &[f64]| -> Vec<f64> {
        let entry = |k: usize| other.iter().zip(&c_ct[k..]).map(|(x, c)| x * c).sum();
        (0..other.len()).map(entry).collect()
    };
    vec![against(b), against(a)]
}

fn correlate(at: &Point) -> Vec<Vec<f64>> {
    let (n, x, w, y_ct) = (at.n("n"), at.reals("x"), at.reals("w"), at.reals("y_ct"));
    let (mut x_bar, mut w_bar) = (vec![0.0; 2 * n], vec![0.0; n]);
    for i in 0..n {
        for j in 0..n {
            x_bar[i + j] += w[j] * y_ct[i];
            w_bar[j] += x[i + j] * y_ct[i];
        }
    }
    vec![x_bar, w_bar]
}
