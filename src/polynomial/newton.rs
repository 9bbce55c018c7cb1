//! Newton's forward differences in several variables.
//!
//! On the points `start + step·α` a polynomial is `Σ c_α · Π C(t_i, α_i)` with
//! `t = (x - start) / step`, and each `c_α` follows from the values at the
//! points below `α`. So degrees are tried one layer `|α| = d` after another.

use super::poly::Poly;
use super::{Count, MAX_DEGREE, MAX_POWER};

/// Layers of points that must add nothing before a degree is believed.
const SILENT_LAYERS: u32 = 2;

/// The points of an interpolation.
pub(super) struct Lattice {
    /// The least sizes.
    pub(super) start: Vec<u64>,
    /// The distance from one size to the next, in each direction.
    pub(super) step: Vec<u64>,
}

/// An `α` with its `c_α`, which is not zero.
type Coefficient = (Vec<u32>, i128);

impl Lattice {
    /// The polynomial through the points, if its degree is within the limits.
    pub(super) fn fit(&self, count: Count<'_>) -> Option<Poly> {
        let mut known: Vec<Coefficient> = Vec::new();
        let mut silent = 0;
        for degree in 0..=MAX_DEGREE + SILENT_LAYERS {
            let layer = self.layer(degree, &known, count)?;
            silent = if layer.is_empty() { silent + 1 } else { 0 };
            let within = layer.iter().flat_map(|(alpha, _)| alpha).all(|&a| a <= MAX_POWER);
            if !within || (degree > MAX_DEGREE && !layer.is_empty()) {
                return None;
            }
            known.extend(layer);
            if silent == SILENT_LAYERS || self.start.is_empty() {
                break;
            }
        }
        Some(self.expand(&known))
    }

    /// The coefficients with `|α| = degree` that are not zero.
    fn layer(
        &self,
        degree: u32,
        known: &[Coefficient],
        count: Count<'_>,
    ) -> Option<Vec<Coefficient>> {
        let mut found = Vec::new();
        for alpha in compositions(degree, self.start.len()) {
            let at = alpha.iter().zip(&self.step).zip(&self.start);
            let at: Vec<u64> = at.map(|((a, step), start)| start + step * u64::from(*a)).collect();
            let rest = i128::from(count(&at)?).checked_sub(value(known, &alpha)?)?;
            if rest != 0 {
                found.push((alpha, rest));
            }
        }
        Some(found)
    }

    /// `Σ c_α · Π C((x_i - start_i) / step_i, α_i)` multiplied out.
    fn expand(&self, known: &[Coefficient]) -> Poly {
        let mut sum = Poly::zero();
        for (alpha, c) in known {
            let mut product = Poly::constant((*c).into(), alpha.len());
            for (i, &a) in alpha.iter().enumerate() {
                for j in 0..a {
                    let (step, shift) = (self.step[i], self.start[i] + self.step[i] * u64::from(j));
                    product = product.times_linear(i, shift, step * u64::from(j + 1));
                }
            }
            sum = sum.plus(product);
        }
        sum
    }
}

/// `Σ c_β · Π C(α_i, β_i)`
fn value(known: &[Coefficient], alpha: &[u32]) -> Option<i128> {
    known.iter().try_fold(0i128, |sum, (beta, c)| {
        let factors = alpha.iter().zip(beta).map(|(a, b)| binomial(*a, *b));
        sum.checked_add(c.checked_mul(factors.product())?)
    })
}

fn binomial(n: u32, k: u32) -> i128 {
    (0..k).fold(1, |product, j| product * (i128::from(n) - i128::from(j)) / i128::from(j + 1))
}

/// All lists of `length` numbers with sum `total`.
fn compositions(total: u32, length: usize) -> Vec<Vec<u32>> {
    match length {
        0 if total == 0 => vec![Vec::new()],
        0 => Vec::new(),
        1 => vec![vec![total]],
        _ => {
            let rest = |first| {
                let tails = compositions(total - first, length - 1).into_iter();
                tails.map(move |tail| [vec![first], tail].concat())
            };
            (0..=total).rev().flat_map(rest).collect()
        }
    }
}
