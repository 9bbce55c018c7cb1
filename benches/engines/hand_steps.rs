//! Programs by hand that add at places from data, or run step after step.

use super::Case;
use super::hand::matrix;
use super::inputs::{numbers, values};
use iverson::spec::call::Value;
use std::hint::black_box;

/// The weights of 2,000,000 samples in 1,000 bins, a third of the samples in none; the gradient in the weights.
pub(super) fn histogram() -> Case {
    const BINS: usize = 1000;
    let count = 2_000_000;
    let samples: Vec<f64> = numbers(count).iter().map(|x| 0.75 * x + 0.5).collect();
    let weights = numbers(count);
    let inputs = values([
        ("m", Value::Size(BINS as u64)),
        ("x", Value::vector(samples.clone())),
        ("weight", Value::vector(weights.clone())),
    ]);
    let bin = |x: f64| {
        let bin = (x * BINS as f64).floor();
        (0.0..BINS as f64).contains(&bin).then_some(bin as usize)
    };
    let weigh = move |samples: &[f64], weights: &[f64], total: &mut [f64]| {
        total.fill(0.0);
        for (x, weight) in samples.iter().zip(weights) {
            if let Some(bin) = bin(*x) {
                total[bin] += weight;
            }
        }
    };
    let (x, weight) = (samples.clone(), weights.clone());
    let mut total = vec![0.0; BINS];
    let primal = move || {
        weigh(&x, &weight, &mut total);
        black_box(&total);
    };
    let (mut total, cotangents) = (vec![0.0; BINS], vec![1.0; BINS]);
    let mut slope = vec![0.0; count];
    let gradient = move || {
        weigh(&samples, &weights, &mut total);
        for (slope, x) in slope.iter_mut().zip(&samples) {
            *slope = bin(*x).map_or(0.0, |bin| cotangents[bin]);
        }
        black_box((&total, &slope));
    };
    Case {
        name: "histogram, 2,000,000 in 1,000 bins",
        text: include_str!("../../examples/histogram.iv"),
        function: "weigh",
        wrt: "weight",
        inputs,
        hand: [Box::new(primal), Box::new(gradient)],
    }
}

/// The length of a state.
const H: usize = 128;
/// The number of steps.
const STEPS: usize = 500;

/// The product of two vectors, in parts for vector registers.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut parts = [0.0; 16];
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        parts.iter_mut().zip(a.iter().zip(b)).for_each(|(part, (a, b))| *part += a * b);
    }
    parts.iter().sum()
}

/// `to += factor * from`
fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
}

/// The states of all steps, and the energy of the last.
fn states(weights: &[f64], x: &[f64], states: &mut [f64]) -> f64 {
    for t in 0..STEPS {
        let (before, rest) = states.split_at_mut(t * H);
        for i in 0..H {
            let own =
                if t == 0 { 0.0 } else { dot(&weights[i * H..][..H], &before[(t - 1) * H..]) };
            rest[i] = (x[t * H + i] + own).tanh();
        }
    }
    let last = &states[(STEPS - 1) * H..];
    dot(last, last)
}

/// The energy of a recurrent network after 500 steps of 128 cells; the gradient in its weights.
pub(super) fn rnn() -> Case {
    // as networks begin, so that adjoints do not vanish: on numbers too small to be normal some processors are slow
    let scale = (3.0 / H as f64).sqrt();
    let weights: Vec<f64> = numbers(H * H).iter().map(|w| w * scale).collect();
    let x = numbers(STEPS * H);
    let inputs = values([("W", matrix(H, H, &weights)), ("x", matrix(STEPS, H, &x))]);
    let (w, from) = (weights.clone(), x.clone());
    let mut state = vec![0.0; STEPS * H];
    let primal = move || {
        black_box(states(&w, &from, &mut state));
    };
    let mut state = vec![0.0; STEPS * H];
    let (mut slope, mut bar, mut next) = (vec![0.0; H * H], vec![0.0; H], vec![0.0; H]);
    let gradient = move || {
        let energy = states(&weights, &x, &mut state);
        slope.fill(0.0);
        bar.iter_mut().zip(&state[(STEPS - 1) * H..]).for_each(|(bar, s)| *bar = 2.0 * s);
        for t in (1..STEPS).rev() {
            next.fill(0.0);
            for i in 0..H {
                let s = state[t * H + i];
                let inner = (1.0 - s * s) * bar[i];
                add(&mut slope[i * H..][..H], inner, &state[(t - 1) * H..]);
                add(&mut next, inner, &weights[i * H..][..H]);
            }
            std::mem::swap(&mut bar, &mut next);
        }
        black_box((energy, &slope));
    };
    Case {
        name: "RNN, 500 steps of 128",
        text: include_str!("../../examples/rnn.iv"),
        function: "rnn",
        wrt: "W",
        inputs,
        hand: [Box::new(primal), Box::new(gradient)],
    }
}

/// The inner cells.
const CELLS: usize = 500_000;
/// The number of steps.
const TIMES: usize = 50;

/// Heat in a rod, all its states, after 50 steps; the gradient in the first one.
pub(super) fn heat() -> Case {
    let width = CELLS + 2;
    let start = numbers(width);
    let inputs = values([
        ("n", Value::Size(CELLS as u64)),
        ("steps", Value::Size(TIMES as u64)),
        ("start", Value::vector(start.clone())),
    ]);
    let run = move |start: &[f64], states: &mut [f64]| {
        states[..width].copy_from_slice(start);
        for t in 1..=TIMES {
            let (before, rest) = states.split_at_mut(t * width);
            let (before, own) = (&before[(t - 1) * width..], &mut rest[..width]);
            own[0] = before[0];
            own[width - 1] = before[width - 1];
            for (own, around) in own[1..width - 1].iter_mut().zip(before.windows(3)) {
                *own = (around[0] + around[2]) / 2.0;
            }
        }
    };
    let (from, mut states) = (start.clone(), vec![0.0; (TIMES + 1) * width]);
    let primal = move || {
        run(&from, &mut states);
        black_box(&states);
    };
    let mut states = vec![0.0; (TIMES + 1) * width];
    let mut bars = states.clone();
    let gradient = move || {
        run(&start, &mut states);
        bars[TIMES * width..].fill(1.0);
        for t in (0..TIMES).rev() {
            let (rest, after) = bars.split_at_mut((t + 1) * width);
            let own = &mut rest[t * width..];
            let inner = |i: usize| {
                if (1..=CELLS).contains(&i) { after[i] / 2.0 } else { 0.0 }
            };
            for i in [0, 1, CELLS, CELLS + 1] {
                let border = if i == 0 || i == CELLS + 1 { after[i] } else { 0.0 };
                own[i] = border + inner(i + 1) + if i > 0 { inner(i - 1) } else { 0.0 };
            }
            for (own, around) in own[2..CELLS].iter_mut().zip(after[1..=CELLS].windows(3)) {
                *own = around[0] / 2.0 + around[2] / 2.0;
            }
        }
        black_box((&states, &bars));
    };
    Case {
        name: "heat, 50 steps of 500,000",
        text: include_str!("../../examples/jacobi.iv"),
        function: "heat",
        wrt: "start",
        inputs,
        hand: [Box::new(primal), Box::new(gradient)],
    }
}
