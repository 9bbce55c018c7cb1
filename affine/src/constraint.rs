//! Constraints on integer points: `e = 0`, `e ≥ 0` and `k | e`.

use crate::linear::{Linear, Var};
use std::fmt;

/// The largest divisor for which [`Constraint::negate`] lists residues.
const MAX_RESIDUES: i128 = 64;

/// One condition on an integer point.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Constraint {
    /// `e = 0`.
    Zero(Linear),
    /// `e ≥ 0`.
    NonNegative(Linear),
    /// `k | e`: some integer `q` has `e = k·q`. So `0 | e` means `e = 0`,
    /// and the sign of `k` does not matter.
    Divides(i128, Linear),
}

impl Constraint {
    /// `left = right`, or `None` on overflow.
    pub fn equal(left: &Linear, right: &Linear) -> Option<Self> {
        Some(Self::Zero(left.sub(right)?))
    }

    /// `left ≥ right`, or `None` on overflow.
    pub fn at_least(left: &Linear, right: &Linear) -> Option<Self> {
        Some(Self::NonNegative(left.sub(right)?))
    }

    /// `left < right`, or `None` on overflow.
    pub fn less(left: &Linear, right: &Linear) -> Option<Self> {
        Some(Self::NonNegative(right.sub(left)?.plus(-1)?))
    }

    /// A constraint that no point satisfies.
    pub fn never() -> Self {
        Self::NonNegative(Linear::constant(-1))
    }

    /// The affine form that is constrained.
    pub fn linear(&self) -> &Linear {
        match self {
            Self::Zero(e) | Self::NonNegative(e) | Self::Divides(_, e) => e,
        }
    }

    /// The same kind of constraint on another form.
    pub fn with_linear(&self, linear: Linear) -> Self {
        match self {
            Self::Zero(_) => Self::Zero(linear),
            Self::NonNegative(_) => Self::NonNegative(linear),
            Self::Divides(k, _) => Self::Divides(*k, linear),
        }
    }

    /// The constraint with `by` in the place of `var`, or `None` on overflow.
    pub fn substitute(&self, var: Var, by: &Linear) -> Option<Self> {
        Some(self.with_linear(self.linear().substitute(var, by)?))
    }

    /// Whether `point` satisfies the constraint, or `None` on overflow.
    pub fn holds(&self, point: &impl Fn(Var) -> i128) -> Option<bool> {
        let value = self.linear().eval(point)?;
        match self {
            Self::Zero(_) => Some(value == 0),
            Self::NonNegative(_) => Some(value >= 0),
            Self::Divides(0, _) => Some(value == 0),
            Self::Divides(k, _) => Some(value.unsigned_abs().is_multiple_of(k.unsigned_abs())),
        }
    }

    /// The disjunction of constraints that holds exactly where `self` does not.
    ///
    /// `¬(k | e)` is the disjunction over residues `k | e − r`, `0 < r < k`.
    /// `None` on overflow, and for a divisor above 64.
    pub fn negate(&self) -> Option<Vec<Self>> {
        match self {
            Self::NonNegative(e) => Some(vec![below_zero(e)?]),
            Self::Zero(e) | Self::Divides(0, e) => Some(vec![above_zero(e)?, below_zero(e)?]),
            Self::Divides(k, e) => residues(k.checked_abs()?, e),
        }
    }
}

/// `e ≥ 1`.
fn above_zero(e: &Linear) -> Option<Constraint> {
    Some(Constraint::NonNegative(e.plus(-1)?))
}

/// `e ≤ −1`.
fn below_zero(e: &Linear) -> Option<Constraint> {
    Some(Constraint::NonNegative(e.neg()?.plus(-1)?))
}

/// `k | e − r` for each `0 < r < k`.
fn residues(k: i128, e: &Linear) -> Option<Vec<Constraint>> {
    if k > MAX_RESIDUES {
        return None;
    }
    (1..k).map(|r| Some(Constraint::Divides(k, e.plus(-r)?))).collect()
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero(e) => write!(f, "{e} = 0"),
            Self::NonNegative(e) => write!(f, "{e} ≥ 0"),
            Self::Divides(k, e) => write!(f, "{k} | {e}"),
        }
    }
}
