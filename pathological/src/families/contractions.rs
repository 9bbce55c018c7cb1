//! Products of matrices and sums that must not be merged.

use super::sources::{PAPER, PROTOTYPE};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "contractions",
    title: "contractions in the order the user wrote",
    text: include_str!("../../families/contractions.iv"),
    sources: &[PROTOTYPE, PAPER],
    members: &[
        Member {
            function: "matvec_chain",
            wrt: &["A", "B", "x"],
            cases: &[
                Case { name: "random", point: chain },
                Case { name: "empty", point: |_, rng| chain(0, rng) },
                Case { name: "one", point: |_, rng| chain(1, rng) },
            ],
            reference: chain_reference,
            ..MATRICES
        },
        Member {
            function: "normalise",
            wrt: &["e"],
            cases: &[
                Case { name: "positive", point: shares },
                Case { name: "one", point: |_, rng| shares(1, rng) },
            ],
            reference: shares_reference,
            work: Growth::of(1.0, 1.0),
            memory: Growth::of(1.0, 1.0),
            start: 64,
            ..MATRICES
        },
        Member {
            function: "triangular",
            wrt: &["L", "x"],
            cases: &[
                Case { name: "random", point: triangle },
                Case { name: "empty", point: |_, rng| triangle(0, rng) },
                Case { name: "one", point: |_, rng| triangle(1, rng) },
            ],
            reference: triangle_reference,
            ..MATRICES
        },
        Member {
            function: "factorisation",
            wrt: &["U", "V"],
            cases: &[
                Case { name: "random", point: factors },
                Case { name: "empty", point: |_, rng| factors(0, rng) },
                Case { name: "one", point: |_, rng| factors(1, rng) },
            ],
            reference: factors_reference,
            ..MATRICES
        },
    ],
};

const MATRICES: Member = Member {
    function: "",
    wrt: &[],
    derivative: Derivative::Gradient,
    cases: &[],
    reference: chain_reference,
    work: Growth::of(2.0, 2.0),
    memory: Growth::of(2.0, 2.0),
    start: 16,
};

fn matrix(n: usize, m: usize, rng: &mut Rng) -> (Vec<usize>, Vec<f64>) {
    (vec![n, m], rng.reals(n * m, 1.0))
}

fn with(point: Point, name: &str, (shape, data): (Vec<usize>, Vec<f64>)) -> Point {
    point.real(name, &shape, data)
}

fn chain(n: usize, rng: &mut Rng) -> Point {
    let point = with(Point::new().size("n", n), "A", matrix(n, n, rng));
    let point = with(point, "B", matrix(n, n, rng));
    point.real("x", &[n], rng.reals(n, 1.0)).loss("t")
}

fn shares(n: usize, rng: &mut Rng) -> Point {
    let e = rng.reals(n, 0.5).iter().map(|x| x + 1.0).collect();
    Point::new().size("n", n).real("e", &[n], e).cotangent("p", &[n], rng.reals(n, 1.0))
}

fn triangle(n: usize, rng: &mut Rng) -> Point {
    let point = with(Point::new().size("n", n), "L", matrix(n, n, rng));
    point.real("x", &[n], rng.reals(n, 1.0)).loss("e")
}

fn factors(n: usize, rng: &mut Rng) -> Point {
    let point = with(Point::new().size("n", n), "A", matrix(n, n, rng));
    let point = with(point, "U", matrix(n, 4, rng));
    with(point, "V", matrix(n, 4, rng)).loss("loss")
}

/// Ā = b x' with the column sums b of B; B̄ = 1 (A x)'; x̄ = A'b.
fn chain_reference(at: &Point) -> Vec<Vec<f64>> {
    let (n, a, b, x) = (at.n("n"), at.reals("A"), at.reals("B"), at.reals("x"));
    let sums: Vec<f64> = (0..n).map(|j| (0..n).map(|i| b[i * n + j]).sum()).collect();
    let image: Vec<f64> = (0..n).map(|i| (0..n).map(|j| a[i * n + j] * x[j]).sum()).collect();
    vec![
        (0..n * n).map(|k| sums[k / n] * x[k % n]).collect(),
        (0..n * n).map(|k| image[k % n]).collect(),
        (0..n).map(|j| (0..n).map(|i| a[i * n + j] * sums[i]).sum()).collect(),
    ]
}

/// (p̄ᵢ - Σ p̄ⱼ pⱼ) / Σ e
fn shares_reference(at: &Point) -> Vec<Vec<f64>> {
    let (e, p_ct) = (at.reals("e"), at.reals("p_ct"));
    let total: f64 = e.iter().sum();
    let mean: f64 = e.iter().zip(p_ct).map(|(e, c)| c * e / total).sum();
    vec![p_ct.iter().map(|c| (c - mean) / total).collect()]
}

/// 2 (L x) x' below the diagonal, and 2 L'(L x)
fn triangle_reference(at: &Point) -> Vec<Vec<f64>> {
    let (n, l, x) = (at.n("n"), at.reals("L"), at.reals("x"));
    let y: Vec<f64> = (0..n).map(|i| (0..=i).map(|j| l[i * n + j] * x[j]).sum()).collect();
    let below = |k: usize| if k % n <= k / n { 2.0 * y[k / n] * x[k % n] } else { 0.0 };
    let column = |j: usize| (j..n).map(|i| 2.0 * l[i * n + j] * y[i]).sum();
    vec![(0..n * n).map(below).collect(), (0..n).map(column).collect()]
}

/// -2 R V and -2 R'U
fn factors_reference(at: &Point) -> Vec<Vec<f64>> {
    let (n, a, u, v) = (at.n("n"), at.reals("A"), at.reals("U"), at.reals("V"));
    let misfit = |i: usize, j: usize| {
        a[i * n + j] - (0..4).map(|k| u[4 * i + k] * v[4 * j + k]).sum::<f64>()
    };
    let in_u = |e: usize| (0..n).map(|j| -2.0 * misfit(e / 4, j) * v[4 * j + e % 4]).sum();
    let in_v = |e: usize| (0..n).map(|i| -2.0 * misfit(i, e / 4) * u[4 * i + e % 4]).sum();
    vec![(0..4 * n).map(in_u).collect(), (0..4 * n).map(in_v).collect()]
}
