//! The programs by hand: plain loops, as one writes them who knows the derivative. Stencils and plain sums
//! have files of their own.

use super::Case;
use super::inputs::{numbers, sparse, values};
use iverson::spec::call::{Dense, Value};
use std::hint::black_box;

pub(super) fn matrix(rows: usize, columns: usize, data: &[f64]) -> Value<f64> {
    Value::Real(Dense { shape: vec![rows, columns], data: data.to_vec() })
}

/// Softened gravity of 2,000 bodies; the gradient in their places.
pub(super) fn nbody() -> Case {
    let n = 2000;
    let (m, x, v) = (vec![1.0; n], numbers(3 * n), vec![0.5; 3 * n]);
    let inputs = values([
        ("m", Value::vector(m.clone())),
        ("x", matrix(n, 3, &x)),
        ("v", matrix(n, 3, &v)),
        ("epsilon", Value::Real(Dense { shape: vec![], data: vec![0.1] })),
    ]);
    let kinetic: f64 = (0..n).map(|i| 0.5 * m[i] * 3.0 * v[3 * i] * v[3 * i]).sum();
    let apart = |x: &[f64], i: usize, j: usize| -> [f64; 3] {
        std::array::from_fn(|k| x[3 * i + k] - x[3 * j + k])
    };
    let (masses, places) = (m.clone(), x.clone());
    let energy = move || {
        let mut energy = kinetic;
        for i in 0..n {
            for j in i + 1..n {
                let d = apart(&places, i, j);
                let square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2] + 0.01;
                energy -= masses[i] * masses[j] / square.sqrt();
            }
        }
        black_box(energy);
    };
    let mut slope = vec![0.0; 3 * n];
    let gradient = move || {
        slope.fill(0.0);
        let mut energy = kinetic;
        for i in 0..n {
            for j in i + 1..n {
                let d = apart(&x, i, j);
                let square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2] + 0.01;
                let term = m[i] * m[j] / square.sqrt();
                energy -= term;
                for (k, d) in d.iter().enumerate() {
                    let force = term / square * d;
                    slope[3 * i + k] += force;
                    slope[3 * j + k] -= force;
                }
            }
        }
        black_box((energy, &slope));
    };
    Case {
        name: "n-body, 2,000",
        text: include_str!("../../examples/nbody.iv"),
        function: "nbody",
        wrt: "x",
        inputs,
        hand: [Box::new(energy), Box::new(gradient)],
    }
}

/// The logarithm of a sum of 2,000,000 exponentials.
pub(super) fn logsumexp() -> Case {
    let n = 2_000_000;
    let x = numbers(n);
    let inputs = values([("x", Value::vector(x.clone()))]);
    let value = |x: &[f64]| {
        let top = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        top + x.iter().map(|x| (x - top).exp()).sum::<f64>().ln()
    };
    let entries = x.clone();
    let mut slope = vec![0.0; n];
    let primal = move || {
        black_box(value(&entries));
    };
    let gradient = move || {
        let l = value(&x);
        slope.iter_mut().zip(&x).for_each(|(slope, x)| *slope = (x - l).exp());
        black_box((l, &slope));
    };
    Case {
        name: "log-sum-exp, 2,000,000",
        text: include_str!("../../examples/softmax.iv"),
        function: "logsumexp",
        wrt: "x",
        inputs,
        hand: [Box::new(primal), Box::new(gradient)],
    }
}

/// A sparse matrix of 200,000 rows with 10 entries each times a vector.
pub(super) fn spmv() -> Case {
    let (n, each) = (200_000, 10);
    let nnz = n * each;
    let (row, col) = sparse(n, each);
    let (a, x) = (numbers(nnz), numbers(n));
    let inputs = values([
        ("n", Value::Size(n as u64)),
        ("row", Value::indices(row.clone())),
        ("col", Value::indices(col.clone())),
        ("a", Value::vector(a.clone())),
        ("x", Value::vector(x.clone())),
    ]);
    let multiply = move |from: &[i64], to: &[i64], a: &[f64], x: &[f64], y: &mut [f64]| {
        y.fill(0.0);
        for e in 0..nnz {
            y[to[e] as usize] += a[e] * x[from[e] as usize];
        }
    };
    let (mut y, mut result, mut slope) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let (rows, columns, entries, vector) = (row.clone(), col.clone(), a.clone(), x.clone());
    let ones = vec![1.0; n];
    let primal = move || {
        multiply(&columns, &rows, &entries, &vector, &mut y);
        black_box(&y);
    };
    let gradient = move || {
        multiply(&col, &row, &a, &x, &mut result);
        multiply(&row, &col, &a, &ones, &mut slope);
        black_box((&result, &slope));
    };
    Case {
        name: "sparse matrix times vector, 2,000,000 entries",
        text: include_str!("../../examples/spmv.iv"),
        function: "spmv",
        wrt: "x",
        inputs,
        hand: [Box::new(primal), Box::new(gradient)],
    }
}

/// A matrix of 2,000 rows and columns times a vector.
pub(super) fn matvec() -> Case {
    let n = 2000;
    let (a, x) = (numbers(n * n), numbers(n));
    let inputs = values([("A", matrix(n, n, &a)), ("x", Value::vector(x.clone()))]);
    let multiply = |a: &[f64], x: &[f64], y: &mut [f64]| {
        for (y, row) in y.iter_mut().zip(a.chunks_exact(x.len())) {
            *y = row.iter().zip(x).map(|(a, x)| a * x).sum();
        }
    };
    let (mut y, mut result, mut slope) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let (entries, vector) = (a.clone(), x.clone());
    let primal = move || {
        multiply(&entries, &vector, &mut y);
        black_box(&y);
    };
    let gradient = move || {
        multiply(&a, &x, &mut result);
        slope.fill(0.0);
        for row in a.chunks_exact(n) {
            slope.iter_mut().zip(row).for_each(|(slope, a)| *slope += a);
        }
        black_box((&result, &slope));
    };
    Case {
        name: "matrix times vector, 2,000",
        text: include_str!("../../examples/matvec.iv"),
        function: "matvec",
        wrt: "x",
        inputs,
        hand: [Box::new(primal), Box::new(gradient)],
    }
}
