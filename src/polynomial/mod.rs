//! Counts as formulas in the sizes, found by exact interpolation.
//!
//! [`find`] asks for counts at small sizes, interpolates them over the
//! rationals (Newton's forward differences on a simplex of points), and keeps a
//! formula only if it agrees at sizes that were not used to find it, larger and
//! odd ones among them. Where no polynomial fits, it tries one for each residue
//! of a size modulo 2, 3, 4 or 6, and regions such as `n >= 2` or `n >= m`.
//!
//! A formula is evidence, not a proof: it agrees with every count that was made.

mod condition;
mod newton;
mod poly;

pub use condition::{Atom, Condition};
pub use poly::Poly;

use newton::Lattice;
use std::fmt;

/// The largest power of a size that is looked for.
pub const MAX_POWER: u32 = 4;
/// The largest total degree that is looked for.
pub const MAX_DEGREE: u32 = 6;
/// The periods that are looked for.
pub const PERIODS: [u64; 4] = [2, 3, 4, 6];

/// The count at some sizes; `None` where there is none, or where it is too costly.
pub type Count<'a> = &'a mut dyn FnMut(&[u64]) -> Option<u64>;

/// A count as a polynomial in the sizes, or as one for each residue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Formula {
    names: Vec<String>,
    condition: Condition,
    periods: Vec<u64>,
    /// By residues, in lexicographic order.
    cases: Vec<(Vec<u64>, Poly)>,
}

impl Formula {
    /// The value at these sizes; `None` outside the region where it holds.
    #[must_use]
    pub fn at(&self, sizes: &[u64]) -> Option<u64> {
        if !self.condition.holds(sizes) {
            return None;
        }
        u64::try_from(self.polynomial(sizes)?.at(sizes)?).ok()
    }

    /// The polynomial for the residues of these sizes.
    fn polynomial(&self, sizes: &[u64]) -> Option<&Poly> {
        let residues = sizes.iter().zip(&self.periods).map(|(n, period)| n % period);
        let residues: Vec<u64> = residues.collect();
        self.cases.iter().find(|(case, _)| *case == residues).map(|(_, poly)| poly)
    }

    /// The region where it holds.
    #[must_use]
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    fn write_case(&self, f: &mut fmt::Formatter<'_>, case: &[u64]) -> fmt::Result {
        let periodic = case.iter().zip(&self.periods).zip(&self.names);
        let residues = periodic.filter(|((_, period), _)| **period > 1);
        let texts: Vec<String> =
            residues.map(|((r, period), name)| format!("{name} % {period} = {r}")).collect();
        write!(f, " if {}", texts.join(" and "))
    }
}

/// `n^2 + 3*n*m - 2`, or `n/2 if n % 2 = 0, n/2 - 1/2 if n % 2 = 1`, and the
/// region after `for`.
impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (case, poly)) in self.cases.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { ", " })?;
            poly.write(f, &self.names)?;
            if self.cases.len() > 1 {
                self.write_case(f, case)?;
            }
        }
        self.condition.write(f, &self.names)
    }
}

/// The formula for `count` in the sizes `names`, if there is one of the kinds
/// described in the module.
#[must_use]
pub fn find(names: &[String], count: Count<'_>) -> Option<Formula> {
    let checks = condition::checks(names.len());
    let checks: Vec<(Vec<u64>, u64)> =
        checks.into_iter().filter_map(|at| count(&at).map(|n| (at, n))).collect();
    let candidates = periods(names.len());
    candidates.iter().find_map(|periods| {
        bases(names.len()).iter().find_map(|base| {
            let cases = cases(periods, base, count)?;
            let mut formula = Formula {
                names: names.to_vec(),
                condition: Condition::default(),
                periods: periods.clone(),
                cases,
            };
            let agrees = |(at, n): &(Vec<u64>, u64)| formula.at(at) == Some(*n);
            let agreement: Vec<bool> = checks.iter().map(agrees).collect();
            formula.condition = condition::region(names.len(), &checks, &agreement)?;
            Some(formula)
        })
    })
}

/// One polynomial for each residue, fitted at sizes from `base` on.
fn cases(periods: &[u64], base: &[u64], count: Count<'_>) -> Option<Vec<(Vec<u64>, Poly)>> {
    let fit = |residues: Vec<u64>| {
        let start = |((b, r), q): ((&u64, &u64), &u64)| b.next_multiple_of(*q) + r;
        let start = base.iter().zip(&residues).zip(periods).map(start).collect();
        let poly = Lattice { start, step: periods.to_vec() }.fit(count)?;
        Some((residues, poly))
    };
    grid(periods).into_iter().map(fit).collect()
}

/// No period, then one for a single size, then the same for all sizes.
fn periods(rank: usize) -> Vec<Vec<u64>> {
    const MOST_CASES: u64 = 16;
    let mut all = vec![vec![1; rank]];
    for period in PERIODS {
        all.extend((0..rank).map(|i| (0..rank).map(|j| if i == j { period } else { 1 }).collect()));
    }
    if rank > 1 {
        let even = PERIODS.iter().map(|&period| vec![period; rank]);
        all.extend(even.filter(|all| all.iter().product::<u64>() <= MOST_CASES));
    }
    all
}

/// Where the points to interpolate begin: equal small sizes, then some sizes
/// much larger than the others.
fn bases(rank: usize) -> Vec<Vec<u64>> {
    const SMALL: u64 = 1;
    const LARGE: u64 = 10;
    const MOST_SIZES: usize = 4;
    let mut all: Vec<Vec<u64>> = [0, 2, 4].into_iter().map(|b| vec![b; rank]).collect();
    if (2..=MOST_SIZES).contains(&rank) {
        let pick =
            |bits: u64| (0..rank).map(move |i| if bits >> i & 1 == 1 { LARGE } else { SMALL });
        all.extend((1..(1 << rank) - 1).map(|bits| pick(bits).collect()));
    }
    all
}

/// All lists of numbers below `extents`, in lexicographic order.
fn grid(extents: &[u64]) -> Vec<Vec<u64>> {
    extents.iter().fold(vec![Vec::new()], |lists, &extent| {
        let longer = |list: Vec<u64>| {
            (0..extent).map(move |n| list.iter().copied().chain([n]).collect::<Vec<u64>>())
        };
        lists.into_iter().flat_map(longer).collect()
    })
}

#[cfg(test)]
mod tests;
