//! Sums and their kin by hand, in eight parts at once, as vector registers want them.

use super::Case;
use super::inputs::{numbers, values};
use iverson::spec::call::Value;
use std::hint::black_box;

const PARTS: usize = 8;

/// The sum of 4,000,000 squares.
pub(super) fn squares() -> Case {
    let x = numbers(4_000_000);
    let inputs = values([("x", Value::vector(x.clone()))]);
    let entries = x.clone();
    let mut slope = vec![0.0; x.len()];
    let sum = |x: &[f64]| {
        let mut parts = [0.0; PARTS];
        for chunk in x.chunks_exact(PARTS) {
            parts.iter_mut().zip(chunk).for_each(|(part, x)| *part += x * x);
        }
        parts.iter().sum::<f64>()
    };
    let primal = move || {
        black_box(sum(&entries));
    };
    let gradient = move || {
        let sum = sum(&x);
        slope.iter_mut().zip(&x).for_each(|(slope, x)| *slope = 2.0 * x);
        black_box((sum, &slope));
    };
    Case {
        name: "sum of squares, 4,000,000",
        text: "fn squares(n: size, x: real[n]) -> (s: real) {
            s = sum(i: n) x[i]^2
        }",
        function: "squares",
        wrt: "x",
        inputs,
        hand: [Box::new(primal), Box::new(gradient)],
    }
}

/// The greatest of 4,000,000 numbers; its gradient is 1 at the first place of it.
pub(super) fn greatest() -> Case {
    let x = numbers(4_000_000);
    let inputs = values([("n", Value::Size(x.len() as u64 - 1)), ("x", Value::vector(x.clone()))]);
    let entries = x.clone();
    let mut slope = vec![0.0; x.len()];
    let greatest = |x: &[f64]| {
        let mut parts = [f64::NEG_INFINITY; PARTS];
        for chunk in x.chunks_exact(PARTS) {
            for (part, x) in parts.iter_mut().zip(chunk) {
                *part = if *x > *part { *x } else { *part };
            }
        }
        parts.into_iter().fold(f64::NEG_INFINITY, f64::max)
    };
    let primal = move || {
        black_box(greatest(&entries));
    };
    let gradient = move || {
        let top = greatest(&x);
        let place = x.iter().position(|x| *x == top);
        slope.fill(0.0);
        place.into_iter().for_each(|at| slope[at] = 1.0);
        black_box((top, &slope));
    };
    Case {
        name: "greatest of 4,000,000",
        text: "fn greatest(n: size, x: real[n + 1]) -> (m: real) {
            m = max(i: n + 1) x[i]
        }",
        function: "greatest",
        wrt: "x",
        inputs,
        hand: [Box::new(primal), Box::new(gradient)],
    }
}
