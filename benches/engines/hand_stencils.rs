//! Streaming maps and stencils by hand.

use super::Case;
use super::hand::{matrix, numbers, values};
use iverson::spec::call::{Relation, Value};
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

/// The Laplacian energy of an image of 2,000 × 2,000 pixels; the gradient in them.
pub(super) fn laplacian() -> Case {
    let n = 2000;
    let u = numbers(n * n);
    let inputs = values([("u", matrix(n, n, &u))]);
    let flow_at = move |u: &[f64], i: usize, j: usize| {
        let (at, mut flow) = (i * n + j, 0.0);
        if i > 0 {
            flow += u[at - n] - u[at];
        }
        if i + 1 < n {
            flow += u[at + n] - u[at];
        }
        if j > 0 {
            flow += u[at - 1] - u[at];
        }
        if j + 1 < n {
            flow += u[at + 1] - u[at];
        }
        flow
    };
    // inside, row by row; at the border, pixel by pixel
    let flows = move |u: &[f64], put: &mut dyn FnMut(usize, usize, &[f64])| {
        let mut row = vec![0.0; n];
        for i in 0..n {
            if i > 0 && i + 1 < n {
                let (up, own, down) =
                    (&u[(i - 1) * n..i * n], &u[i * n..(i + 1) * n], &u[(i + 1) * n..(i + 2) * n]);
                for j in 1..n - 1 {
                    row[j] = up[j] + down[j] + own[j - 1] + own[j + 1] - 4.0 * own[j];
                }
                row[0] = flow_at(u, i, 0);
                row[n - 1] = flow_at(u, i, n - 1);
            } else {
                (0..n).for_each(|j| row[j] = flow_at(u, i, j));
            }
            put(i, n, &row);
        }
    };
    let squares = |row: &[f64]| -> f64 {
        let mut sums = [0.0; 8];
        for chunk in row.chunks_exact(8) {
            sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += x * x);
        }
        sums.iter().sum::<f64>()
            + row.chunks_exact(8).remainder().iter().map(|x| x * x).sum::<f64>()
    };
    let pixels = u.clone();
    let energy = move || {
        let mut energy = 0.0;
        flows(&pixels, &mut |_, _, row| energy += squares(row));
        black_box(energy);
    };
    let (mut flow, mut slope) = (vec![0.0; n * n], vec![0.0; n * n]);
    let gradient = move || {
        let mut energy = 0.0;
        flows(&u, &mut |i, n, row| {
            energy += squares(row);
            flow[i * n..(i + 1) * n].iter_mut().zip(row).for_each(|(flow, x)| *flow = 2.0 * x);
        });
        // the map is its own adjoint
        flows(&flow, &mut |i, n, row| slope[i * n..(i + 1) * n].copy_from_slice(row));
        black_box((energy, &slope));
    };
    Case {
        name: "Laplacian energy, 2,000 x 2,000",
        text: "fn laplacian(h: size, w: size, u: real[h, w]) -> (energy: real) {
            flow[i: h, j: w] = [i > 0] * (u[i - 1, j] - u[i, j]) + [i + 1 < h] * (u[i + 1, j] - u[i, j])
                + [j > 0] * (u[i, j - 1] - u[i, j]) + [j + 1 < w] * (u[i, j + 1] - u[i, j])
            energy = sum(i: h, j: w) flow[i, j]^2
        }",
        function: "laplacian",
        wrt: "u",
        inputs,
        hand: [Box::new(energy), Box::new(gradient)],
    }
}

/// The Laplacian energy of the pixels inside a mask, of an image of 500 × 500 pixels.
pub(super) fn laplacian_inside() -> Case {
    let n = 500;
    let u = numbers(n * n);
    let inside: Vec<bool> = (0..n * n).map(|at| (at / n / 7 + at % n / 5) % 11 != 0).collect();
    let coordinates = (0..n * n)
        .filter(|at| inside[*at])
        .map(|at| vec![(at / n) as i64, (at % n) as i64])
        .collect();
    let inputs = values([
        ("u", matrix(n, n, &u)),
        ("inside", Value::Relation(Relation { arity: 2, tuples: coordinates })),
    ]);
    // the neighbours that are there, as steps from a pixel
    let near = move |i: usize, j: usize| {
        let at = i * n + j;
        [
            (i > 0, at.wrapping_sub(n)),
            (i + 1 < n, at + n),
            (j > 0, at.wrapping_sub(1)),
            (j + 1 < n, at + 1),
        ]
    };
    let flow = move |inside: &[bool], u: &[f64], i: usize, j: usize| {
        let mut flow = 0.0;
        for (there, at) in near(i, j) {
            if there && inside[at] {
                flow += u[at] - u[i * n + j];
            }
        }
        flow
    };
    let (mask, pixels) = (inside.clone(), u.clone());
    let energy = move || {
        let mut energy = 0.0;
        for i in 0..n {
            for j in 0..n {
                if mask[i * n + j] {
                    energy += flow(&mask, &pixels, i, j).powi(2);
                }
            }
        }
        black_box(energy);
    };
    let (mut twice, mut slope) = (vec![0.0; n * n], vec![0.0; n * n]);
    let gradient = move || {
        let mut energy = 0.0;
        for i in 0..n {
            for j in 0..n {
                let here = inside[i * n + j];
                let flow = if here { flow(&inside, &u, i, j) } else { 0.0 };
                energy += flow * flow;
                twice[i * n + j] = 2.0 * flow;
            }
        }
        for i in 0..n {
            for j in 0..n {
                let here = inside[i * n + j];
                slope[i * n + j] = if here { flow(&inside, &twice, i, j) } else { 0.0 };
            }
        }
        black_box((energy, &slope));
    };
    Case {
        name: "Laplacian energy inside a mask, 500 x 500",
        text: include_str!("../../examples/laplacian.iv"),
        function: "laplacian",
        wrt: "u",
        inputs,
        hand: [Box::new(energy), Box::new(gradient)],
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
