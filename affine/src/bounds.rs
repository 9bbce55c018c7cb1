//! The bounds that a system puts on one variable.

use crate::constraint::Constraint;
use crate::euclid::quotient_value;
use crate::linear::{Linear, Var};
use crate::system::System;

/// The bounds of one variable `x` in terms of the others.
///
/// At a point of the other variables, `x` satisfies every constraint that
/// mentions it exactly when
/// `max ⌈l/d⌉ ≤ x ≤ min ⌊u/d⌋` over `lower` and `upper`, and every congruence
/// holds. An empty list means that there is no such bound.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bounds {
    /// Pairs `(l, d)` with `d > 0`: `x ≥ ⌈l/d⌉`.
    pub lower: Vec<(Linear, i128)>,
    /// Pairs `(u, d)` with `d > 0`: `x ≤ ⌊u/d⌋`.
    pub upper: Vec<(Linear, i128)>,
    /// Pairs `(k, e)` with `k > 0`: `k | e`, where `e` mentions `x`.
    pub congruences: Vec<(i128, Linear)>,
}

/// Reads the bounds of `var` off `system`; nothing is derived.
///
/// An equality `a·x + e = 0` counts as a lower and an upper bound with the
/// same quotient, so that it leaves no `x` where `a ∤ e`.
///
/// * **Cost**: one pass.
/// * **Failure**: `None` where a number cannot be negated within `i128`.
pub fn bounds(system: &System, var: Var) -> Option<Bounds> {
    let mut bounds = Bounds::default();
    let constraints = system.constraints().iter();
    for constraint in constraints.filter(|c| c.linear().mentions(var)) {
        match constraint {
            Constraint::NonNegative(e) if e.coefficient(var) > 0 => {
                bounds.lower.push(quotient_value(e, var)?);
            }
            Constraint::NonNegative(e) => bounds.upper.push(quotient_value(e, var)?),
            Constraint::Zero(e) | Constraint::Divides(0, e) => {
                bounds.lower.push(quotient_value(e, var)?);
                bounds.upper.push(quotient_value(e, var)?);
            }
            Constraint::Divides(k, e) => bounds.congruences.push((k.checked_abs()?, e.clone())),
        }
    }
    Some(bounds)
}
