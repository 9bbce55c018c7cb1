//! A state that is permuted in every step.

use super::sources::PYTORCH_5159;
use crate::random::Rng;
use crate::{Case, Derivative, Family, Growth, Member, Point};

pub(super) const FAMILY: Family = Family {
    name: "permuted_state",
    title: "a state that is permuted in every step",
    text: include_str!("../../families/permuted_state.iv"),
    sources: &[PYTORCH_5159],
    members: &[Member {
        function: "permuted_state",
        wrt: &["x"],
        derivative: Derivative::Gradient,
        cases: &[
            Case { name: "a permutation", point: |n, rng| point(rng.permutation(n), rng) },
            Case { name: "particles, repeated", point: |n, rng| point(rng.indices(n, n), rng) },
            Case { name: "identity", point: |n, rng| point((0..n as i64).collect(), rng) },
            Case { name: "all from one", point: |n, rng| point(vec![0; n], rng) },
        ],
        reference,
        work: Growth::of(1.0, 2.0),
        memory: Growth::of(1.0, 1.0),
        start: 16,
    }],
};

const STEPS: usize = 8;

fn point(p: Vec<i64>, rng: &mut Rng) -> Point {
    let n = p.len();
    Point::new().size("n", n).index("p", p).real("x", &[n], rng.reals(n, 1.0)).loss("loss")
}

fn reference(at: &Point) -> Vec<Vec<f64>> {
    let (x, p) = (at.reals("x"), at.places("p"));
    let mut states = vec![x.to_vec()];
    for t in 1..STEPS {
        let step = |(x, p): (&f64, &usize)| x + states[t - 1][*p].sin();
        let next = x.iter().zip(&p).map(step).collect();
        states.push(next);
    }
    let mut s_bar: Vec<f64> = states[STEPS - 1].iter().map(|s| 2.0 * s).collect();
    let mut x_bar = s_bar.clone();
    for t in (0..STEPS - 1).rev() {
        let mut before = vec![0.0; x.len()];
        for (i, &p) in p.iter().enumerate() {
            before[p] += s_bar[i] * states[t][p].cos();
        }
        x_bar.iter_mut().zip(&before).for_each(|(x, s)| *x += s);
        s_bar = before;
    }
    vec![x_bar]
}
