//! Streaming maps and stencils by hand.

use super::Case;
use super::inputs::{numbers, values};
use iverson::spec::call::Value;
use std::hint::black_box;

/// Smoothing of 4,000,000 samples.
pub(super) fn blur() -> Case {
    let n = 4_000_000;
    let x = numbers(n);
    let inputs = values([("x", Value::vector(x.clone()))]);
    let smooth = move |x: &[f64], y: &mut [f64]| {
        y[0] = (2.0 * x[0] + x[1]) / 4.0;
        for i in 1..n - 1 {
            y[i] = (x[i - 1] + 2.0 * x[i] + x[i + 1]) / 4.0;
        }
        y[n - 1] = (x[n - 2] + 2.0 * x[n - 1]) / 4.0;
    };
    let (mut y, mut result, mut slope) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let (places, ones) = (x.clone(), vec![1.0; n]);
    let primal = move || {
        smooth(&places, &mut y);
        black_box(&y);
    };
    // the map is its own adjoint
    let gradient = move || {
        smooth(&x, &mut result);
        smooth(&ones, &mut slope);
        black_box((&result, &slope));
    };
    Case {
        name: "blur, 4,000,000",
        text: include_str!("../../examples/blur.iv"),
        function: "blur",
        wrt: "x",
        inputs,
        hand: [Box::new(primal), Box::new(gradient)],
    }
}

/// A signal of 500,000 samples through a kernel of 32; the gradient in the signal.
pub(super) fn correlate() -> Case {
    let (n, k) = (500_000, 31);
    let (x, c) = (numbers(n + k), numbers(k + 1));
    let inputs = values([
        ("n", Value::Size(n as u64)),
        ("k", Value::Size(k as u64)),
        ("x", Value::vector(x.clone())),
        ("c", Value::vector(c.clone())),
    ]);
    // a block of results at a time, so that it stays in cache while the kernel passes over it
    const BLOCK: usize = 512;
    let correlate = move |x: &[f64], c: &[f64], y: &mut [f64]| {
        for (at, block) in y.chunks_mut(BLOCK).enumerate() {
            block.fill(0.0);
            for (j, c) in c.iter().enumerate() {
                let x = &x[at * BLOCK + j..];
                block.iter_mut().zip(x).for_each(|(y, x)| *y += c * x);
            }
        }
    };
    let (mut y, mut result, mut slope) = (vec![0.0; n], vec![0.0; n], vec![0.0; n + k]);
    // ones with zeros around: the adjoint is a correlation with the kernel reversed
    let mut padded = vec![0.0; n + 2 * k];
    padded[k..k + n].fill(1.0);
    let reversed: Vec<f64> = c.iter().rev().copied().collect();
    let (signal, kernel) = (x.clone(), c.clone());
    let primal = move || {
        correlate(&signal, &kernel, &mut y);
        black_box(&y);
    };
    let gradient = move || {
        correlate(&x, &c, &mut result);
        correlate(&padded, &reversed, &mut slope);
        black_box((&result, &slope));
    };
    Case {
        name: "correlation, 500,000 with 32",
        text: include_str!("../../examples/convolution.iv"),
        function: "correlate",
        wrt: "x",
        inputs,
        hand: [Box::new(primal), Box::new(gradient)],
    }
}
