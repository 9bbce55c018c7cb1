//! Products of matrices by the library `gemm`, in one thread: what a kernel by hand is measured by there.

use super::Case;
use super::hand::matrix;
use super::inputs::{numbers, values};
use gemm::{Parallelism, gemm};
use std::hint::black_box;

/// A matrix in memory: rows, columns, and how far apart they lie.
#[derive(Clone, Copy)]
struct Matrix<'m> {
    entries: &'m [f64],
    rows: usize,
    columns: usize,
    strides: [usize; 2],
}

impl<'m> Matrix<'m> {
    fn new(entries: &'m [f64], rows: usize, columns: usize) -> Self {
        Self { entries, rows, columns, strides: [columns, 1] }
    }

    fn transposed(self) -> Self {
        let [down, along] = self.strides;
        Self { rows: self.columns, columns: self.rows, strides: [along, down], ..self }
    }
}

/// `c = a b`
fn multiply(a: Matrix<'_>, b: Matrix<'_>, c: &mut [f64]) {
    assert!(a.columns == b.rows && c.len() == a.rows * b.columns, "shapes fit");
    assert!(a.entries.len() == a.rows * a.columns && b.entries.len() == b.rows * b.columns);
    let strides = |m: Matrix<'_>| m.strides.map(|stride| stride as isize);
    let ([a_row, a_column], [b_row, b_column]) = (strides(a), strides(b));
    // SAFETY: the pointers are to slices whose lengths are those of the shapes.
    #[allow(unsafe_code, reason = "the library takes pointers")]
    unsafe {
        gemm(
            a.rows,
            b.columns,
            a.columns,
            c.as_mut_ptr(),
            1,
            b.columns as isize,
            false,
            a.entries.as_ptr(),
            a_column,
            a_row,
            b.entries.as_ptr(),
            b_column,
            b_row,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Two matrices that a near cache holds half of.
pub(super) fn product() -> Case {
    of_rows(500, "product of matrices, 500")
}

/// Two matrices of which no near cache holds more than a tenth.
pub(super) fn large_product() -> Case {
    of_rows(2000, "product of matrices, 2,000")
}

/// Two matrices with so many rows and columns.
fn of_rows(n: usize, name: &'static str) -> Case {
    let (a, b) = (numbers(n * n), numbers(n * n));
    let inputs = values([("A", matrix(n, n, &a)), ("B", matrix(n, n, &b))]);
    let (mut c, mut result, mut slope) = (vec![0.0; n * n], vec![0.0; n * n], vec![0.0; n * n]);
    let (left, right) = (a.clone(), b.clone());
    let primal = move || {
        multiply(Matrix::new(&left, n, n), Matrix::new(&right, n, n), &mut c);
        black_box(&c);
    };
    let cotangent = vec![1.0; n * n];
    let gradient = move || {
        multiply(Matrix::new(&a, n, n), Matrix::new(&b, n, n), &mut result);
        multiply(Matrix::new(&cotangent, n, n), Matrix::new(&b, n, n).transposed(), &mut slope);
        black_box((&result, &slope));
    };
    Case {
        name,
        text: include_str!("product.iv"),
        function: "product",
        wrt: "A",
        inputs,
        hand: [Box::new(primal), Box::new(gradient)],
    }
}
