//! Whether a system has an integer point.

use crate::budget::{Budget, Stop, Work};
use crate::constraint::Constraint;
use crate::problem::Problem;
use crate::search::search;
use crate::system::System;
use crate::witness::{Witness, at};

/// The answer to [`feasible`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Feasibility {
    /// No integer point satisfies the system.
    Empty,
    /// This point satisfies the system; every variable of it has a value.
    Point(Witness),
    /// An overflow, or the budget was spent.
    Unknown,
}

/// Decides whether some integer point satisfies `system`.
///
/// * **Arithmetic**: exact; a point is checked against `system` before it is
///   returned, and small values are preferred.
/// * **Cost**: microseconds for a dozen constraints; exponential at worst, cut
///   off by `budget`.
/// * **Failure**: [`Feasibility::Unknown`] on overflow of `i128` or budget.
pub fn feasible(system: &System, budget: Budget) -> Feasibility {
    match find(system, &[], &mut Work::new(budget)) {
        Ok(point) => Feasibility::Point(point),
        Err(Stop::Empty) => Feasibility::Empty,
        Err(Stop::Unknown) => Feasibility::Unknown,
    }
}

/// A checked point of `system` and `extra` together. It has a value for each
/// variable that occurs.
pub(crate) fn find(
    system: &System,
    extra: &[Constraint],
    work: &mut Work,
) -> Result<Witness, Stop> {
    let all = || system.constraints().iter().chain(extra);
    let mut problem = Problem::new(all());
    for constraint in all() {
        problem.push(constraint, work)?;
    }
    let found = search(problem, work)?;
    let point: Witness =
        all().flat_map(|c| c.linear().vars()).map(|var| (var, at(&found)(var))).collect();
    for constraint in all() {
        confirm(constraint, &point)?;
    }
    Ok(point)
}

/// Checks one constraint at `point`; a failure would be a fault of the search.
fn confirm(constraint: &Constraint, point: &Witness) -> Result<(), Stop> {
    let holds = constraint.holds(&at(point)).ok_or(Stop::Unknown)?;
    debug_assert!(holds, "the search found a point that breaks `{constraint}`");
    if holds { Ok(()) } else { Err(Stop::Unknown) }
}
