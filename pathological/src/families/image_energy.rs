//! The energy of a bent image inside a mask.

use super::sources::{PAPER, PROTOTYPE};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "image_energy",
    title: "the energy of an image inside a mask",
    text: include_str!("../../families/image_energy.iv"),
    sources: &[PAPER, PROTOTYPE],
    members: &[Member {
        function: "image_energy",
        wrt: &["u", "angle"],
        derivative: Derivative::Gradient,
        cases: &[
            Case { name: "a disc", point: |n, rng| point(n, disc, rng) },
            Case { name: "all", point: |n, rng| point(n, |_, _, _| true, rng) },
            Case { name: "nothing", point: |n, rng| point(n, |_, _, _| false, rng) },
            Case {
                name: "a chessboard",
                point: |n, rng| point(n, |_, i, j| (i + j) % 2 == 0, rng),
            },
            Case { name: "stripes", point: |n, rng| point(n, |_, i, _| i % 2 == 0, rng) },
        ],
        reference,
        work: Growth::of(2.0, 4.0),
        memory: Growth::of(2.0, 2.0),
        start: 4,
    }],
};

/// The pixels within n / 2 of the middle.
fn disc(n: usize, i: usize, j: usize) -> bool {
    let far = |i: usize| (2 * i + 1).abs_diff(n).pow(2);
    far(i) + far(j) <= n * n
}

fn point(n: usize, inside: fn(usize, usize, usize) -> bool, rng: &mut Rng) -> Point {
    let pixels = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
    let mask = pixels.filter(|(i, j)| inside(n, *i, *j)).map(|(i, j)| vec![i as i64, j as i64]);
    Point::new()
        .size("n", n)
        .relation("mask", 2, mask.collect())
        .real("u", &[n, n], rng.reals(n * n, 1.0))
        .real("angle", &[n, n], rng.reals(n * n, 3.0))
        .loss("e")
}

/// Edge by edge.
fn reference(at: &Point) -> Vec<Vec<f64>> {
    let (n, u, angle) = (at.n("n"), at.reals("u"), at.reals("angle"));
    let (mut u_bar, mut angle_bar) = (vec![0.0; n * n], vec![0.0; n * n]);
    for k in 0..n * n {
        let (i, j) = (k / n, k % n);
        if !at.holds("mask", &[i, j]) {
            continue;
        }
        let (sin, cos) = angle[k].sin_cos();
        let right = (i, j + 1, k + 1, cos, -sin);
        let down = (i + 1, j, k + n, sin, cos);
        for (row, col, q, rest, slope) in [right, down] {
            if row < n && col < n && at.holds("mask", &[row, col]) {
                let strain = u[q] - u[k] - rest;
                u_bar[q] += 2.0 * strain;
                u_bar[k] -= 2.0 * strain;
                angle_bar[k] -= 2.0 * strain * slope;
            }
        }
    }
    vec![u_bar, angle_bar]
}
