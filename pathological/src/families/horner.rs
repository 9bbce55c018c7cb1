//! A polynomial with n coefficients.

use super::sources::ZYGOTE_644;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "horner",
    title: "Horner's rule with n coefficients",
    text: include_str!("../../families/horner.iv"),
    sources: &[ZYGOTE_644],
    members: &[Member {
        function: "horner",
        wrt: &["p", "z"],
        derivative: Derivative::Gradient,
        cases: &[
            // near 1: of powers that decay below the normal numbers a processor may take 100 steps for each
            Case { name: "random", point: |n, rng| point(rng.reals(n, 1.0), 0.99999) },
            Case { name: "at zero", point: |n, rng| point(rng.reals(n, 1.0), 0.0) },
            Case { name: "at minus one", point: |n, rng| point(rng.reals(n, 1.0), -1.0) },
            Case { name: "empty", point: |_, _| point(Vec::new(), 0.5) },
            Case { name: "one", point: |_, rng| point(rng.reals(1, 1.0), 0.5) },
        ],
        reference,
        work: Growth::of(1.0, 2.0),
        memory: Growth::of(1.0, 1.0),
        start: 64,
    }],
};

fn point(p: Vec<f64>, z: f64) -> Point {
    let n = p.len();
    Point::new().size("n", n).real("p", &[n], p).scalar("z", z).loss("value")
}

/// The derivative in pₜ is zᵗ, that in z is Σ t pₜ zᵗ⁻¹.
fn reference(at: &Point) -> Vec<Vec<f64>> {
    let (p, z) = (at.reals("p"), at.number("z"));
    let powers: Vec<f64> = (0..p.len()).map(|t| z.powi(t as i32)).collect();
    let in_z = (1..p.len()).map(|t| t as f64 * p[t] * powers[t - 1]).sum();
    vec![powers, vec![in_z]]
}
