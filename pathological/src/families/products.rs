//! Products with zeros.

use super::sources::{BURN_5533, TENSORFLOW_3862};
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "products",
    title: "products with none, one and two zeros",
    text: include_str!("../../families/products.iv"),
    sources: &[TENSORFLOW_3862, BURN_5533],
    members: &[
        Member {
            function: "product",
            wrt: &["x"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "no zeros", point: |n, rng| product(n, 0, rng) },
                Case { name: "one zero", point: |n, rng| product(n, 1, rng) },
                Case { name: "two zeros", point: |n, rng| product(n, 2, rng) },
                Case { name: "all zeros", point: |n, rng| product(n, n, rng) },
            ],
            reference: |at| {
                let x = at.reals("x");
                let others = |k: usize| -> f64 { x[..k].iter().chain(&x[k + 1..]).product() };
                vec![(0..x.len()).map(others).collect()]
            },
            work: Growth::of(1.0, 1.0),
            memory: Growth::of(1.0, 1.0),
            start: 64,
        },
        Member {
            function: "running_product",
            wrt: &["x"],
            derivative: Derivative::Gradient,
            cases: &[
                Case { name: "no zeros", point: |n, rng| running(n, 0, rng) },
                Case { name: "one zero", point: |n, rng| running(n, 1, rng) },
                Case { name: "two zeros", point: |n, rng| running(n, 2, rng) },
            ],
            reference: running_reference,
            work: Growth::of(1.0, 2.0),
            memory: Growth::of(1.0, 1.0),
            start: 64,
        },
    ],
};

/// Factors near 1, the first ones from the middle on 0.
fn factors(n: usize, zeros: usize, rng: &mut Rng) -> Point {
    let mut x: Vec<f64> = rng.reals(n, 0.125).iter().map(|x| 1.0 + x).collect();
    x.iter_mut().skip(if zeros < n { n / 2 } else { 0 }).take(zeros).for_each(|x| *x = 0.0);
    Point::new().size("n", n).real("x", &[n], x)
}

fn product(n: usize, zeros: usize, rng: &mut Rng) -> Point {
    factors(n, zeros, rng).loss("p")
}

fn running(n: usize, zeros: usize, rng: &mut Rng) -> Point {
    factors(n, zeros, rng).cotangent("r", &[n], rng.reals(n, 1.0))
}

/// Σₜ r̄ₜ times the product of the other factors up to t, each by itself.
fn running_reference(at: &Point) -> Vec<Vec<f64>> {
    let (x, r_ct) = (at.reals("x"), at.reals("r_ct"));
    let in_one = |k: usize| -> f64 {
        let mut others: f64 = x[..k].iter().product();
        let mut sum = others * r_ct[k];
        for t in k + 1..x.len() {
            others *= x[t];
            sum += others * r_ct[t];
        }
        sum
    };
    vec![(0..x.len()).map(in_one).collect()]
}
