//! Fourier–Motzkin elimination and its integer shadows.
//!
//! A lower bound `b·x + L ≥ 0` and an upper bound `−a·x + U ≥ 0` imply
//! `a·L + b·U ≥ 0` (the real shadow). Where `a = 1` or `b = 1` the converse
//! holds over the integers too. Otherwise `a·L + b·U ≥ (a−1)·(b−1)` (the dark
//! shadow) suffices for an integer `x` between the two.

use crate::arith::mul;
use crate::budget::{Stop, Work};
use crate::linear::{Linear, Var};
use crate::problem::Problem;

/// A variable to eliminate next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    pub(crate) var: Var,
    /// Whether the real shadow is the integer projection.
    pub(crate) exact: bool,
}

/// What the inequalities say of one variable.
struct Tally {
    var: Var,
    lower: usize,
    upper: usize,
    unit_lower: bool,
    unit_upper: bool,
}

impl Tally {
    fn new(var: Var) -> Self {
        Self { var, lower: 0, upper: 0, unit_lower: true, unit_upper: true }
    }

    fn count(&mut self, coefficient: i128) {
        if coefficient > 0 {
            self.lower += 1;
            self.unit_lower &= coefficient == 1;
        } else {
            self.upper += 1;
            self.unit_upper &= coefficient == -1;
        }
    }

    fn exact(&self) -> bool {
        self.unit_lower || self.unit_upper || self.lower == 0 || self.upper == 0
    }

    /// Exact eliminations first, then the fewest additional rows.
    fn rank(&self) -> (bool, i64, Var) {
        let rows = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let products = rows(self.lower).saturating_mul(rows(self.upper));
        (!self.exact(), products - rows(self.lower + self.upper), self.var)
    }
}

/// The best of the `chosen` variables to eliminate from `rows`.
pub(crate) fn choose(rows: &[Linear], chosen: impl Fn(Var) -> bool) -> Option<Choice> {
    let tallies = tally(rows, chosen);
    let best = tallies.iter().min_by_key(|tally| tally.rank())?;
    Some(Choice { var: best.var, exact: best.exact() })
}

fn tally(rows: &[Linear], chosen: impl Fn(Var) -> bool) -> Vec<Tally> {
    let mut tallies: Vec<Tally> = Vec::with_capacity(16);
    for &(x, a) in rows.iter().flat_map(|row| row.terms()).filter(|&&(x, _)| chosen(x)) {
        let at = tallies.binary_search_by_key(&x, |tally| tally.var).unwrap_or_else(|at| {
            tallies.insert(at, Tally::new(x));
            at
        });
        tallies[at].count(a);
    }
    tallies
}

/// Which shadow of a variable to take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shadow {
    /// Every projected point is in it.
    Real,
    /// Every point in it is projected.
    Dark,
}

/// Adds the shadow of the `rows` that mention `var` to `problem`.
pub(crate) fn cast(
    problem: &mut Problem,
    (var, rows): (Var, &[Linear]),
    shadow: Shadow,
    work: &mut Work,
) -> Result<(), Stop> {
    for lower in rows.iter().filter(|row| row.coefficient(var) > 0) {
        for upper in rows.iter().filter(|row| row.coefficient(var) < 0) {
            let row = combine(lower, upper, var, shadow).ok_or(Stop::Unknown)?;
            problem.push_inequality(row, work)?;
        }
    }
    Ok(())
}

/// One row of a shadow.
pub(crate) fn combine(lower: &Linear, upper: &Linear, var: Var, shadow: Shadow) -> Option<Linear> {
    let b = lower.coefficient(var);
    let a = upper.coefficient(var).checked_neg()?;
    let mut row = Linear::combine(a, lower, b, upper)?;
    if shadow == Shadow::Dark {
        let gap = mul(a - 1, b - 1)?;
        row.set_constant(row.constant_part().checked_sub(gap)?);
    }
    Some(row)
}
