//! The energy of a bent image inside a mask.

use super::sources::{PAPER, PROTOTYPE};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "image_energy",
    title: "the energy of an image inside a mask",
    text: include_str!("../../families/image_energy.iv"),
    sources: &[PAPER, PROTOTYPE],
    members: &[
        Member {
            function: "image_energy",
            wrt: &["u", "angle"],
            derivative: Derivative::Gradient,
            cases: MASKS,
            reference,
            work: Growth::of(2.0, 3.0),
            memory: Growth::of(2.0, 2.0),
            start: 4,
        },
        Member {
            function: "image_strain",
            wrt: &["u", "angle"],
            derivative: Derivative::GaussNewton,
            cases: MASKS,
            reference: gauss_newton,
            work: Growth::forward(2.0),
            memory: Growth::forward(2.0),
            start: 4,
        },
    ],
};

const MASKS: &[Case] = &[
    Case { name: "a disc", point: |n, rng| point(n, disc, rng) },
    Case { name: "all", point: |n, rng| point(n, |_, _, _| true, rng) },
    Case { name: "nothing", point: |n, rng| point(n, |_, _, _| false, rng) },
    Case { name: "a chessboard", point: |n, rng| point(n, |_, i, j| (i + j) % 2 == 0, rng) },
    Case { name: "stripes", point: |n, rng| point(n, |_, i, _| i % 2 == 0, rng) },
];

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
        .tangent("u", &[n, n], rng.reals(n * n, 1.0))
        .tangent("angle", &[n, n], rng.reals(n * n, 1.0))
}

/// An edge inside the mask: its pixels, its rest and how that changes with the angle.
struct Edge {
    from: usize,
    to: usize,
    rest: f64,
    slope: f64,
}

fn edges(at: &Point) -> Vec<Edge> {
    let (n, angle) = (at.n("n"), at.reals("angle"));
    let mut edges = Vec::new();
    for (from, angle) in angle.iter().enumerate() {
        let (i, j) = (from / n, from % n);
        let (sin, cos) = angle.sin_cos();
        for (row, col, rest, slope) in [(i, j + 1, cos, -sin), (i + 1, j, sin, cos)] {
            let inside = row < n && col < n && at.holds("mask", &[i, j]);
            if inside && at.holds("mask", &[row, col]) {
                edges.push(Edge { from, to: row * n + col, rest, slope });
            }
        }
    }
    edges
}

/// `Σ sₑ ∂strainₑ` in u and in the angles
fn pulled(at: &Point, strain: impl Fn(&Edge) -> f64) -> Vec<Vec<f64>> {
    let pixels = at.reals("u").len();
    let (mut u_bar, mut angle_bar) = (vec![0.0; pixels], vec![0.0; pixels]);
    for edge in edges(at) {
        let s = strain(&edge);
        u_bar[edge.to] += s;
        u_bar[edge.from] -= s;
        angle_bar[edge.from] -= s * edge.slope;
    }
    vec![u_bar, angle_bar]
}

fn reference(at: &Point) -> Vec<Vec<f64>> {
    let u = at.reals("u");
    pulled(at, |edge| 2.0 * (u[edge.to] - u[edge.from] - edge.rest))
}

fn gauss_newton(at: &Point) -> Vec<Vec<f64>> {
    let (u_dot, angle_dot) = (at.reals("u_dot"), at.reals("angle_dot"));
    pulled(at, |edge| u_dot[edge.to] - u_dot[edge.from] - edge.slope * angle_dot[edge.from])
}
