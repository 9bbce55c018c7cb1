//! Sparse matrices and tensors by coordinates.

use super::sources::{PAPER, PYG_95};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "sparse",
    title: "sparse matrix times vector, SDDMM, MTTKRP",
    text: include_str!("../../families/sparse.iv"),
    sources: &[PYG_95, PAPER],
    members: &[
        Member {
            function: "spmv",
            wrt: &["a", "x"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: |n, rng| spmv(n, [rows, columns], rng) },
                Case { name: "one row", point: |n, rng| spmv(n, [zeros, columns], rng) },
                Case { name: "one column", point: |n, rng| spmv(n, [rows, zeros], rng) },
                Case { name: "one place", point: |n, rng| spmv(n, [zeros, zeros], rng) },
            ],
            reference: spmv_reference,
            work: Growth::of(1.0, 2.0),
            memory: Growth::each(1.0, 2.0, 1.0, 1.0),
            start: 16,
        },
        Member {
            function: "sddmm",
            wrt: &["a", "B", "C"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: sddmm },
                Case { name: "empty", point: |_, rng| sddmm(0, rng) },
                Case { name: "one", point: |_, rng| sddmm(1, rng) },
            ],
            reference: sddmm_reference,
            work: Growth::of(1.0, 2.0),
            memory: Growth::of(1.0, 1.0),
            start: 8,
        },
        Member {
            function: "mttkrp",
            wrt: &["a", "B", "C"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "random", point: mttkrp },
                Case { name: "empty", point: |_, rng| mttkrp(0, rng) },
                Case { name: "one", point: |_, rng| mttkrp(1, rng) },
            ],
            reference: mttkrp_reference,
            work: Growth::of(1.0, 2.0),
            memory: Growth::each(1.0, 2.0, 1.0, 1.0),
            start: 8,
        },
    ],
};

/// How the places of the 4 n entries are chosen.
type Places = fn(usize, &mut Rng) -> Vec<i64>;

/// Four in each row, in order of rows.
fn rows(n: usize, _: &mut Rng) -> Vec<i64> {
    (0..4 * n as i64).map(|e| e / 4).collect()
}

fn columns(n: usize, rng: &mut Rng) -> Vec<i64> {
    rng.indices(4 * n, n)
}

fn zeros(n: usize, _: &mut Rng) -> Vec<i64> {
    vec![0; 4 * n]
}

fn coordinates(n: usize, [row, col]: [Places; 2], rng: &mut Rng) -> Point {
    Point::new().size("n", n).index("row", row(n, rng)).index("col", col(n, rng)).real(
        "a",
        &[4 * n],
        rng.reals(4 * n, 1.0),
    )
}

fn spmv(n: usize, places: [Places; 2], rng: &mut Rng) -> Point {
    coordinates(n, places, rng).real("x", &[n], rng.reals(n, 1.0)).cotangent(
        "y",
        &[n],
        rng.reals(n, 1.0),
    )
}

fn factors(n: usize, rng: &mut Rng) -> Point {
    coordinates(n, [rows, columns], rng).real("B", &[n, 8], rng.reals(8 * n, 1.0)).real(
        "C",
        &[n, 8],
        rng.reals(8 * n, 1.0),
    )
}

fn sddmm(n: usize, rng: &mut Rng) -> Point {
    factors(n, rng).cotangent("s", &[4 * n], rng.reals(4 * n, 1.0))
}

fn mttkrp(n: usize, rng: &mut Rng) -> Point {
    let point = factors(n, rng).cotangent("y", &[n, 8], rng.reals(8 * n, 1.0));
    let lay = rng.indices(4 * n, n);
    point.index("lay", lay)
}

fn spmv_reference(at: &Point) -> Vec<Vec<f64>> {
    let (a, x, y_ct) = (at.reals("a"), at.reals("x"), at.reals("y_ct"));
    let (mut a_bar, mut x_bar) = (vec![0.0; a.len()], vec![0.0; x.len()]);
    for (e, (row, col)) in at.places("row").into_iter().zip(at.places("col")).enumerate() {
        a_bar[e] = y_ct[row] * x[col];
        x_bar[col] += y_ct[row] * a[e];
    }
    vec![a_bar, x_bar]
}

fn sddmm_reference(at: &Point) -> Vec<Vec<f64>> {
    let (a, b, c, s_ct) = (at.reals("a"), at.reals("B"), at.reals("C"), at.reals("s_ct"));
    let mut a_bar = vec![0.0; a.len()];
    let (mut b_bar, mut c_bar) = (vec![0.0; b.len()], vec![0.0; c.len()]);
    for (e, (row, col)) in at.places("row").into_iter().zip(at.places("col")).enumerate() {
        for k in 0..8 {
            let (i, j) = (8 * row + k, 8 * col + k);
            a_bar[e] += s_ct[e] * b[i] * c[j];
            b_bar[i] += s_ct[e] * a[e] * c[j];
            c_bar[j] += s_ct[e] * a[e] * b[i];
        }
    }
    vec![a_bar, b_bar, c_bar]
}

fn mttkrp_reference(at: &Point) -> Vec<Vec<f64>> {
    let (a, b, c, y_ct) = (at.reals("a"), at.reals("B"), at.reals("C"), at.reals("y_ct"));
    let (row, col, lay) = (at.places("row"), at.places("col"), at.places("lay"));
    let mut a_bar = vec![0.0; a.len()];
    let (mut b_bar, mut c_bar) = (vec![0.0; b.len()], vec![0.0; c.len()]);
    for e in 0..a.len() {
        for r in 0..8 {
            let (i, j, k) = (8 * row[e] + r, 8 * col[e] + r, 8 * lay[e] + r);
            a_bar[e] += y_ct[i] * b[j] * c[k];
            b_bar[j] += y_ct[i] * a[e] * c[k];
            c_bar[k] += y_ct[i] * a[e] * b[j];
        }
    }
    vec![a_bar, b_bar, c_bar]
}
