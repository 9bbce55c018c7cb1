//! Conjunctions of constraints.

use crate::constraint::Constraint;
use crate::linear::Var;
use std::fmt;

/// A conjunction of constraints over the integers; the empty one is *true*.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct System {
    constraints: Vec<Constraint>,
}

impl System {
    /// The system without constraints, which every point satisfies.
    pub fn new() -> Self {
        Self::default()
    }

    /// A system that no point satisfies.
    pub fn never() -> Self {
        Self::from_iter([Constraint::never()])
    }

    /// Adds one constraint.
    pub fn push(&mut self, constraint: Constraint) {
        self.constraints.push(constraint);
    }

    /// The constraints in the order they were added.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// The variables that occur, sorted, each once.
    pub fn vars(&self) -> Vec<Var> {
        let mut vars: Vec<Var> = self.constraints.iter().flat_map(|c| c.linear().vars()).collect();
        vars.sort_unstable();
        vars.dedup();
        vars
    }

    /// Whether `point` satisfies every constraint, or `None` where one
    /// overflows before another one fails.
    pub fn holds(&self, point: &impl Fn(Var) -> i128) -> Option<bool> {
        for constraint in &self.constraints {
            if !constraint.holds(point)? {
                return Some(false);
            }
        }
        Some(true)
    }
}

impl Extend<Constraint> for System {
    fn extend<I: IntoIterator<Item = Constraint>>(&mut self, constraints: I) {
        self.constraints.extend(constraints);
    }
}

impl FromIterator<Constraint> for System {
    fn from_iter<I: IntoIterator<Item = Constraint>>(constraints: I) -> Self {
        Self { constraints: Vec::from_iter(constraints) }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for constraint in &self.constraints {
            write!(f, "{separator}{constraint}")?;
            separator = ", ";
        }
        Ok(())
    }
}
