//! Laplacian energies of images by hand: of all pixels, and of those inside a mask.

use super::Case;
use super::hand::matrix;
use super::inputs::{is_inside, mask, numbers, values};
use std::hint::black_box;

/// Pixels in a row, and rows, of the whole image.
const WHOLE: usize = 2000;
/// Likewise of the image with a mask.
const MASKED: usize = 500;

/// The neighbours of a pixel of an image of `n` rows and columns, each with whether it is there.
fn near(n: usize, i: usize, j: usize) -> [(bool, usize); 4] {
    let at = i * n + j;
    [
        (i > 0, at.wrapping_sub(n)),
        (i + 1 < n, at + n),
        (j > 0, at.wrapping_sub(1)),
        (j + 1 < n, at + 1),
    ]
}

fn flow_at(u: &[f64], i: usize, j: usize) -> f64 {
    let here = u[i * WHOLE + j];
    near(WHOLE, i, j).iter().filter(|(there, _)| *there).map(|(_, at)| u[*at] - here).sum()
}

/// The flows of the pixels, a row at a time; at the border, pixel by pixel.
fn flows(u: &[f64], mut put: impl FnMut(usize, &[f64])) {
    const N: usize = WHOLE;
    let mut row = vec![0.0; N];
    for i in 0..N {
        if i > 0 && i + 1 < N {
            let (above, own, below) =
                (&u[(i - 1) * N..i * N], &u[i * N..(i + 1) * N], &u[(i + 1) * N..(i + 2) * N]);
            for j in 1..N - 1 {
                row[j] = above[j] + below[j] + own[j - 1] + own[j + 1] - 4.0 * own[j];
            }
            row[0] = flow_at(u, i, 0);
            row[N - 1] = flow_at(u, i, N - 1);
        } else {
            (0..N).for_each(|j| row[j] = flow_at(u, i, j));
        }
        put(i, &row);
    }
}

fn squares(row: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    for chunk in row.chunks_exact(8) {
        sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += x * x);
    }
    sums.iter().sum()
}

/// The Laplacian energy of an image of 2,000 x 2,000 pixels; the gradient in them.
pub(super) fn laplacian() -> Case {
    const N: usize = WHOLE;
    let u = numbers(N * N);
    let inputs = values([("u", matrix(N, N, &u))]);
    let pixels = u.clone();
    let energy = move || {
        let mut energy = 0.0;
        flows(&pixels, |_, row| energy += squares(row));
        black_box(energy);
    };
    let (mut flow, mut slope) = (vec![0.0; N * N], vec![0.0; N * N]);
    let gradient = move || {
        let mut energy = 0.0;
        flows(&u, |i, row| {
            energy += squares(row);
            flow[i * N..(i + 1) * N].iter_mut().zip(row).for_each(|(flow, x)| *flow = 2.0 * x);
        });
        // the map is its own adjoint
        flows(&flow, |i, row| slope[i * N..(i + 1) * N].copy_from_slice(row));
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

/// The flow of a pixel inside, from its neighbours inside; 0 for the others.
fn flow_inside(inside: &[bool], u: &[f64], i: usize, j: usize) -> f64 {
    let at = i * MASKED + j;
    if !inside[at] {
        return 0.0;
    }
    let mut flow = 0.0;
    for (there, other) in near(MASKED, i, j) {
        if there && inside[other] {
            flow += u[other] - u[at];
        }
    }
    flow
}

/// The Laplacian energy of the pixels inside a mask, of an image of 500 x 500 pixels.
pub(super) fn laplacian_inside() -> Case {
    const N: usize = MASKED;
    let u = numbers(N * N);
    let inside: Vec<bool> = (0..N * N).map(|at| is_inside(N, at)).collect();
    let inputs = values([("u", matrix(N, N, &u)), ("inside", mask(N))]);
    let pixels = || (0..N).flat_map(|i| (0..N).map(move |j| (i, j)));
    let (mask, image) = (inside.clone(), u.clone());
    let energy = move || {
        let mut energy = 0.0;
        for (i, j) in pixels() {
            energy += flow_inside(&mask, &image, i, j).powi(2);
        }
        black_box(energy);
    };
    let (mut twice, mut slope) = (vec![0.0; N * N], vec![0.0; N * N]);
    let gradient = move || {
        let mut energy = 0.0;
        for (i, j) in pixels() {
            let flow = flow_inside(&inside, &u, i, j);
            energy += flow * flow;
            twice[i * N + j] = 2.0 * flow;
        }
        for (i, j) in pixels() {
            slope[i * N + j] = flow_inside(&inside, &twice, i, j);
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
