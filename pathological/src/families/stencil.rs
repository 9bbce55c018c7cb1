//! Banded Jacobians and Hessians.

use super::sources::{JAX_7949, PAPER};
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "stencil",
    title: "a banded Jacobian, a tridiagonal Hessian",
    text: include_str!("../../families/stencil.iv"),
    sources: &[JAX_7949, PAPER],
    members: &[
        Member {
            function: "stencil",
            wrt: &["x"],
            derivative: Derivative::Jacobian,
            reference: jacobian,
            ..BANDED
        },
        Member {
            function: "chain",
            wrt: &["x"],
            derivative: Derivative::Hessian,
            reference: hessian,
            ..BANDED
        },
    ],
};

/// Dense and scatter make one pass for each row of the matrix; a read at `i + 1` is a part.
const BANDED: Member = Member {
    function: "",
    wrt: &[],
    derivative: Derivative::Jacobian,
    cases: &[
        Case { name: "random", point: |n, rng| point(n, rng.reals(n + 1, 1.0)) },
        Case { name: "constant", point: |n, _| point(n, vec![0.5; n + 1]) },
        Case { name: "one", point: |_, rng| point(1, rng.reals(2, 1.0)) },
    ],
    reference: jacobian,
    work: Growth::each(1.0, 3.0, 2.0, 1.0),
    memory: Growth::of(1.0, 1.0),
    start: 8,
};

fn point(n: usize, x: Vec<f64>) -> Point {
    Point::new().size("n", n).real("x", &[n + 1], x)
}

fn jacobian(at: &Point) -> Vec<Vec<f64>> {
    let (n, x) = (at.n("n"), at.reals("x"));
    let mut all = vec![0.0; n * (n + 1)];
    for i in 0..n {
        all[i * (n + 1) + i] = x[i].cos() * x[i + 1];
        all[i * (n + 1) + i + 1] = x[i].sin();
    }
    vec![all]
}

/// Each spring adds 12 d² times (1, -1; -1, 1).
fn hessian(at: &Point) -> Vec<Vec<f64>> {
    let (n, x) = (at.n("n"), at.reals("x"));
    let mut all = vec![0.0; (n + 1) * (n + 1)];
    for i in 0..n {
        let stiffness = 12.0 * (x[i + 1] - x[i]).powi(2);
        for (a, b, sign) in [(i, i, 1.0), (i, i + 1, -1.0), (i + 1, i, -1.0), (i + 1, i + 1, 1.0)] {
            all[a * (n + 1) + b] += sign * stiffness;
        }
    }
    vec![all]
}
