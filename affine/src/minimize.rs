//! Systems without constraints that the others imply.

use crate::budget::{Budget, Stop, Work};
use crate::constraint::Constraint;
use crate::normal::{Sense, normalize};
use crate::prove::implies;
use crate::system::System;

/// The system with the same integer points, in normal form, without the
/// constraints that are found to follow from the others.
///
/// * **Arithmetic**: exact. Of two constraints that imply each other the
///   earlier one stays; a constraint whose normal form overflows is kept.
/// * **Cost**: one proof for each constraint, all within one `budget`; what is
///   left when it is spent stays.
pub fn minimize(system: &System, budget: Budget) -> System {
    let Some(mut kept) = normal_forms(system) else {
        return System::never();
    };
    let mut work = Work::new(budget);
    for at in (0..kept.len()).rev() {
        let goal = kept.remove(at);
        let rest = System::from_iter(kept.iter().cloned());
        if implies(&rest, &goal, &mut work) != Err(Stop::Empty) {
            kept.insert(at, goal);
        }
    }
    System::from_iter(kept)
}

/// The constraints in normal form, each once; `None` if one is never true.
fn normal_forms(system: &System) -> Option<Vec<Constraint>> {
    let mut kept = Vec::new();
    for constraint in system.constraints() {
        let (sense, normal) =
            normalize(constraint).unwrap_or_else(|| (Sense::Open, constraint.clone()));
        match sense {
            Sense::Always => {}
            Sense::Never => return None,
            Sense::Open if kept.contains(&normal) => {}
            Sense::Open => kept.push(normal),
        }
    }
    Some(kept)
}
