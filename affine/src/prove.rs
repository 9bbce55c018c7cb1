//! Whether a system implies a constraint: the refutation of its negation.

use crate::budget::{Budget, Stop, Work};
use crate::constraint::Constraint;
use crate::feasible::find;
use crate::linear::{Linear, Var};
use crate::system::System;
use crate::witness::{Witness, at};

/// The answer to [`prove`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Every integer point of the system satisfies the goal.
    Proved,
    /// This point satisfies the system and breaks the goal.
    Disproved(Witness),
    /// An overflow, or the budget was spent.
    Unknown,
}

/// Decides whether every integer point of `system` satisfies `goal`.
///
/// * **Arithmetic**: exact; a counterexample is checked before it is returned,
///   has a value for each variable of the system and of the goal, and small
///   values are preferred.
/// * **Cost**: as [`feasible`](crate::feasible), once for an inequality or a
///   divisibility and at most twice for an equality. A goal that stands in
///   the system, or follows from one constraint with the same terms, costs
///   one pass.
/// * **Failure**: [`Verdict::Unknown`] on overflow of `i128` or budget.
pub fn prove(system: &System, goal: &Constraint, budget: Budget) -> Verdict {
    match implies(system, goal, &mut Work::new(budget)) {
        Ok(point) => Verdict::Disproved(point),
        Err(Stop::Empty) => Verdict::Proved,
        Err(Stop::Unknown) => Verdict::Unknown,
    }
}

/// A checked point of `system` where `goal` fails; `Empty` is a proof.
pub(crate) fn implies(
    system: &System,
    goal: &Constraint,
    work: &mut Work,
) -> Result<Witness, Stop> {
    if system.constraints().iter().any(|known| entails(known, goal)) {
        return Err(Stop::Empty);
    }
    let point = match goal {
        Constraint::Divides(k, e) if *k != 0 => find_remainder(system, (*k, e), work)?,
        Constraint::Zero(_) | Constraint::NonNegative(_) | Constraint::Divides(_, _) => {
            find_either(system, &goal.negate().ok_or(Stop::Unknown)?, work)?
        }
    };
    let broken = goal.holds(&at(&point)) == Some(false);
    if broken { Ok(point) } else { Err(Stop::Unknown) }
}

/// Whether `known` implies `goal` by comparing constants alone.
fn entails(known: &Constraint, goal: &Constraint) -> bool {
    use Constraint::{Divides, NonNegative, Zero};
    match (known, goal) {
        (NonNegative(known) | Zero(known), NonNegative(goal)) => {
            known.terms() == goal.terms() && known.constant_part() <= goal.constant_part()
        }
        (Zero(_) | NonNegative(_) | Divides(_, _), Zero(_) | Divides(_, _))
        | (Divides(_, _), NonNegative(_)) => known == goal,
    }
}

/// A point of `system` and one of the `cases`; `Empty` if no case has one.
fn find_either(system: &System, cases: &[Constraint], work: &mut Work) -> Result<Witness, Stop> {
    let mut result = Stop::Empty;
    for case in cases {
        match find(system, std::slice::from_ref(case), work) {
            Ok(point) => return Ok(point),
            Err(Stop::Empty) => {}
            Err(Stop::Unknown) => result = Stop::Unknown,
        }
    }
    Err(result)
}

/// A point of `system` where `e = k·q + r` and `1 ≤ r < |k|`.
fn find_remainder(
    system: &System,
    (k, e): (i128, &Linear),
    work: &mut Work,
) -> Result<Witness, Stop> {
    let names = fresh_pair(system, e).ok_or(Stop::Unknown)?;
    let cases = remainder((k, e), names).ok_or(Stop::Unknown)?;
    let mut point = find(system, &cases, work)?;
    point.remove(&names.0);
    point.remove(&names.1);
    Ok(point)
}

/// The negation of `k | e` with quotient and remainder as variables.
fn remainder((k, e): (i128, &Linear), (q, r): (Var, Var)) -> Option<[Constraint; 3]> {
    let division = e.sub(&Linear::of(0, [(k, q), (1, r)])?)?;
    let greatest = Linear::constant(k.checked_abs()?.checked_sub(1)?);
    let r = Linear::var(r);
    Some([
        Constraint::Zero(division),
        Constraint::at_least(&r, &Linear::constant(1))?,
        Constraint::at_least(&greatest, &r)?,
    ])
}

/// Two variables that occur neither in `system` nor in `e`.
fn fresh_pair(system: &System, e: &Linear) -> Option<(Var, Var)> {
    let known = system.constraints().iter().flat_map(|c| c.linear().vars());
    let first = known.chain(e.vars()).max().map_or(Some(0), |var| var.0.checked_add(1))?;
    Some((Var(first), Var(first.checked_add(1)?)))
}
