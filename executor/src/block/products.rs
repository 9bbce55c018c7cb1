//! Sums of products in registers: the kernel of a product of matrices.
//!
//! `acc[r][l] += factors[k][r] · lines[k][l]` for rows `r` and lanes `l`, one `k` after the other. A tile of rows and
//! lanes is kept in registers while all `k` pass. The sum and the product are rounded each, in that order, so
//! the bits are those of single steps, whatever the shape of the tile.

use crate::math::{Instructions, Level};
use crate::scalar::Scalar;

/// The rows whose sums are in registers together, at most.
pub(super) const TOGETHER: usize = 8;

/// What is multiplied and added, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Products<'p, S> {
    /// For each [`TOGETHER`] rows, their factors for each line.
    pub(super) factors: &'p [Vec<S>],
    /// How many factors stand there for each line: of one row, or of so many.
    pub(super) stride: usize,
    /// At least as long as there are lanes.
    pub(super) lines: &'p [&'p [S]],
}

/// The width of a vector register in numbers.
#[derive(Clone, Copy)]
struct Vector<S, const W: usize>([S; W]);

impl<S: Scalar, const W: usize> Vector<S, W> {
    #[inline(always)]
    fn of(x: &[S]) -> Self {
        match x.first_chunk() {
            Some(x) => Self(*x),
            None => unreachable!("a tile is within the lanes"),
        }
    }

    /// `self + factor · x`, both rounded.
    #[inline(always)]
    fn add_product(self, factor: S, x: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane].add(factor.mul(x.0[lane]))))
    }
}

/// Where a tile lies: its first row and lane, and the first lane that is stored.
#[derive(Clone, Copy)]
struct Corner {
    row: usize,
    lane: usize,
    seen: usize,
}

/// A tile of `R` rows of `N` vectors of `W` numbers.
#[inline(always)]
fn tile<S: Scalar, const R: usize, const N: usize, const W: usize>(
    acc: &mut [Vec<S>],
    corner: Corner,
    products: Products<'_, S>,
) {
    let Corner { row, lane, seen } = corner;
    let mut kept: [[Vector<S, W>; N]; R] =
        std::array::from_fn(|r| std::array::from_fn(|n| Vector::of(&acc[row + r][lane + n * W..])));
    let Products { factors, stride, lines } = products;
    let (group, place) = (&factors[row / TOGETHER], row % TOGETHER);
    for (factors, line) in group.chunks_exact(stride).zip(lines) {
        let factors = &factors[place..][..R];
        let line = &line[lane..][..N * W];
        let x: [Vector<S, W>; N] = std::array::from_fn(|n| Vector::of(&line[n * W..]));
        for r in 0..R {
            for n in 0..N {
                kept[r][n] = kept[r][n].add_product(factors[r], x[n]);
            }
        }
    }
    for (r, kept) in kept.iter().enumerate() {
        for (n, kept) in kept.iter().enumerate() {
            let first = seen.saturating_sub(n * W).min(W);
            let at = lane + n * W;
            acc[row + r][at + first..at + W].copy_from_slice(&kept.0[first..]);
        }
    }
}

/// Fewer lanes than a vector has.
#[inline(always)]
fn narrow<S: Scalar>(
    acc: &mut [Vec<S>],
    [row, rows]: [usize; 2],
    lanes: usize,
    p: Products<'_, S>,
) {
    let (group, place) = (&p.factors[row / TOGETHER], row % TOGETHER);
    for (factors, line) in group.chunks_exact(p.stride).zip(p.lines) {
        for (acc, factor) in acc[row..row + rows].iter_mut().zip(&factors[place..]) {
            for (acc, x) in acc[..lanes].iter_mut().zip(&line[..lanes]) {
                *acc = acc.add(factor.mul(*x));
            }
        }
    }
}

/// Lanes from `first` on, as long as there are so many as `N` vectors have; where it ends.
#[inline(always)]
fn along<S: Scalar, const R: usize, const N: usize, const W: usize>(
    acc: &mut [Vec<S>],
    row: usize,
    [first, lanes]: [usize; 2],
    products: Products<'_, S>,
) -> usize {
    let mut lane = first;
    while lane + N * W <= lanes {
        tile::<S, R, N, W>(acc, Corner { row, lane, seen: 0 }, products);
        lane += N * W;
    }
    lane
}

/// The lanes from `first` on, fewer than `N` vectors have: a tile that ends where they end, and so may overlap
/// the one before. Whether it is as long as what is left and not longer than all.
#[inline(always)]
fn rest<S: Scalar, const R: usize, const N: usize, const W: usize>(
    acc: &mut [Vec<S>],
    row: usize,
    [first, lanes]: [usize; 2],
    products: Products<'_, S>,
) -> bool {
    let fits = lanes >= N * W && lanes - first <= N * W;
    if fits {
        let corner = Corner { row, lane: lanes - N * W, seen: first + N * W - lanes };
        tile::<S, R, N, W>(acc, corner, products);
    }
    fits
}

/// Some lanes of `R` rows, in tiles of `N` vectors, 1, 2, 4 or 8; from `first` on.
#[inline(always)]
fn rows<S: Scalar, const R: usize, const N: usize, const W: usize>(
    acc: &mut [Vec<S>],
    row: usize,
    [first, lanes]: [usize; 2],
    products: Products<'_, S>,
) {
    let mut first = along::<S, R, N, W>(acc, row, [first, lanes], products);
    // few lanes
    if N > 4 && lanes - first < N * W {
        first = along::<S, R, 4, W>(acc, row, [first, lanes], products);
    }
    if N > 2 && lanes - first < 4 * W {
        first = along::<S, R, 2, W>(acc, row, [first, lanes], products);
    }
    let left = lanes - first;
    let done = left == 0
        || N > 4 && left > 4 * W && rest::<S, R, 8, W>(acc, row, [first, lanes], products)
        || N > 2 && left > 2 * W && rest::<S, R, 4, W>(acc, row, [first, lanes], products)
        || N > 1 && left > W && rest::<S, R, 2, W>(acc, row, [first, lanes], products);
    if !done {
        let first = along::<S, R, 1, W>(acc, row, [first, lanes], products);
        if first < lanes && !rest::<S, R, 1, W>(acc, row, [first, lanes], products) {
            narrow(acc, [row, R], lanes, products);
        }
    }
}

/// All lanes of all rows. What is kept in registers are eight vectors: the shapes are those of which the compiler
/// makes vector code, hence the other width `ONE` for a row alone. Many rows go through the vectors of a tile
/// in all lines before the next ones: these stay in the nearest cache.
#[inline(always)]
fn all<S: Scalar, const W: usize, const ONE: usize>(
    acc: &mut [Vec<S>],
    lanes: usize,
    products: Products<'_, S>,
) {
    let eight = size_of::<S>() == 8 && W == 8;
    let near = match acc.len() > TOGETHER {
        true if eight => W,
        true => 2 * W,
        false => lanes,
    };
    let mut first = 0;
    while first < lanes {
        // with what is left
        let end = if first + 2 * near <= lanes { first + near } else { lanes };
        let mut row = 0;
        while row < acc.len() {
            let (left, part) = (acc.len() - row, [first, end]);
            if left >= 8 && eight {
                rows::<S, 8, 1, W>(acc, row, part, products);
                row += 8;
            } else if left >= 4 {
                rows::<S, 4, 2, W>(acc, row, part, products);
                row += 4;
            } else if left >= 2 {
                rows::<S, 2, 4, W>(acc, row, part, products);
                row += 2;
            } else {
                rows::<S, 1, 8, ONE>(acc, row, part, products);
                row += 1;
            }
        }
        first = end;
    }
}

/// By the width of a vector in doubles, `D`, and in singles: `F`, and `ONE` for a row alone or few lanes.
#[inline(always)]
fn body<S: Scalar, const D: usize, const F: usize, const ONE: usize>(
    acc: &mut [Vec<S>],
    lanes: usize,
    products: Products<'_, S>,
) {
    if size_of::<S>() == 8 {
        all::<S, D, D>(acc, lanes, products);
    } else if lanes >= F {
        all::<S, F, ONE>(acc, lanes, products);
    } else {
        all::<S, ONE, ONE>(acc, lanes, products);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl")]
fn avx512<S: Scalar>(acc: &mut [Vec<S>], lanes: usize, products: Products<'_, S>) {
    body::<S, 8, 16, 8>(acc, lanes, products);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<S: Scalar>(acc: &mut [Vec<S>], lanes: usize, products: Products<'_, S>) {
    body::<S, 4, 8, 8>(acc, lanes, products);
}

/// `acc[r][l] += Σ factors[k][r] · lines[k][l]`, `k` in order, for the first `lanes` of each row.
#[allow(unsafe_code, reason = "functions for instructions that a Level proves to be there")]
pub(super) fn add_products<S: Scalar>(
    level: Level,
    acc: &mut [Vec<S>],
    lanes: usize,
    products: Products<'_, S>,
) {
    match level.instructions() {
        // SAFETY: a `Level` of this name is made only where the instructions were detected.
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx512 => unsafe { avx512(acc, lanes, products) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2 => unsafe { avx2(acc, lanes, products) },
        Instructions::Portable => body::<S, 2, 4, 4>(acc, lanes, products),
    }
}
