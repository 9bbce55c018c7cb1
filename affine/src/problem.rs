//! The working form of a system: equalities and inequalities in normal form.
//!
//! Invariants:
//!
//! 1. Every row is in normal form and has at least one term.
//! 2. No two inequalities have the same terms, and no two opposite ones
//!    contradict each other or touch: those are found when a row is added.
//! 3. Variables from `fresh` on occur nowhere.

use crate::budget::{Stop, Work};
use crate::constraint::Constraint;
use crate::linear::{Linear, Var};
use crate::normal::{Sense, tighten_equality, tighten_inequality};

/// A conjunction of `row = 0` and `row ≥ 0`.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) equalities: Vec<Linear>,
    pub(crate) inequalities: Vec<Linear>,
    fresh: u64,
}

impl Problem {
    /// The problem without rows, whose fresh variables are new to `constraints`.
    pub(crate) fn new<'a>(constraints: impl Iterator<Item = &'a Constraint>) -> Self {
        let last = constraints.filter_map(|c| c.linear().terms().last()).map(|&(x, _)| x.0).max();
        let fresh = last.map_or(0, |id| u64::from(id) + 1);
        Self { equalities: Vec::new(), inequalities: Vec::new(), fresh }
    }

    /// A variable that occurs nowhere yet.
    pub(crate) fn fresh(&mut self) -> Result<Var, Stop> {
        let id = u32::try_from(self.fresh).map_err(|_| Stop::Unknown)?;
        self.fresh += 1;
        Ok(Var(id))
    }

    /// Adds a constraint; `k | e` becomes `e = k·q` for the fresh `q` returned.
    pub(crate) fn push(
        &mut self,
        constraint: &Constraint,
        work: &mut Work,
    ) -> Result<Option<Var>, Stop> {
        match constraint {
            Constraint::NonNegative(e) => self.push_inequality(e.clone(), work)?,
            Constraint::Zero(e) | Constraint::Divides(0, e) => {
                self.push_equality(e.clone(), work)?;
            }
            Constraint::Divides(k, e) => return self.push_divides(*k, e, work).map(Some),
        }
        Ok(None)
    }

    fn push_divides(&mut self, k: i128, e: &Linear, work: &mut Work) -> Result<Var, Stop> {
        let quotient = self.fresh()?;
        let multiple = Linear::term(k, quotient);
        self.push_equality(e.sub(&multiple).ok_or(Stop::Unknown)?, work)?;
        Ok(quotient)
    }

    /// Adds `row = 0`.
    pub(crate) fn push_equality(&mut self, mut row: Linear, work: &mut Work) -> Result<(), Stop> {
        work.spend(1 + row.terms().len())?;
        work.allow_rows(self.equalities.len())?;
        match tighten_equality(&mut row).ok_or(Stop::Unknown)? {
            Sense::Always => Ok(()),
            Sense::Never => Err(Stop::Empty),
            Sense::Open => {
                self.equalities.push(row);
                Ok(())
            }
        }
    }

    /// Adds `row ≥ 0`, keeping the stronger of two parallel rows.
    pub(crate) fn push_inequality(&mut self, mut row: Linear, work: &mut Work) -> Result<(), Stop> {
        work.spend(1 + row.terms().len() + self.inequalities.len() / 8)?;
        work.allow_rows(self.inequalities.len())?;
        match tighten_inequality(&mut row).ok_or(Stop::Unknown)? {
            Sense::Always => Ok(()),
            Sense::Never => Err(Stop::Empty),
            Sense::Open => self.insert_inequality(row, work),
        }
    }

    fn insert_inequality(&mut self, row: Linear, work: &mut Work) -> Result<(), Stop> {
        if let Some(at) = self.opposite(&row) {
            let slack = self.inequalities[at].constant_part().checked_add(row.constant_part());
            match slack {
                Some(..0) => return Err(Stop::Empty),
                Some(0) => {
                    self.inequalities.swap_remove(at);
                    return self.push_equality(row, work);
                }
                Some(1..) | None => {}
            }
        }
        match self.inequalities.iter_mut().find(|other| other.terms() == row.terms()) {
            Some(other) => other.set_constant(other.constant_part().min(row.constant_part())),
            None => self.inequalities.push(row),
        }
        Ok(())
    }

    fn opposite(&self, row: &Linear) -> Option<usize> {
        self.inequalities.iter().position(|other| other.is_opposite(row))
    }

    /// Replaces `var` by `by` in every row.
    pub(crate) fn define(&mut self, var: Var, by: &Linear, work: &mut Work) -> Result<(), Stop> {
        self.rewrite(var, work, |row| row.substitute(var, by))
    }

    /// Replaces `var` by `numerator / divisor` in every row, multiplying the
    /// row by `divisor > 0`. The caller must keep `divisor | numerator`.
    pub(crate) fn define_quotient(
        &mut self,
        var: Var,
        numerator: &Linear,
        divisor: i128,
        work: &mut Work,
    ) -> Result<(), Stop> {
        self.rewrite(var, work, |row| row.substitute_quotient(var, numerator, divisor))
    }

    fn rewrite(
        &mut self,
        var: Var,
        work: &mut Work,
        change: impl Fn(&Linear) -> Option<Linear>,
    ) -> Result<(), Stop> {
        for row in take_mentioning(&mut self.equalities, var) {
            self.push_equality(change(&row).ok_or(Stop::Unknown)?, work)?;
        }
        for row in take_mentioning(&mut self.inequalities, var) {
            self.push_inequality(change(&row).ok_or(Stop::Unknown)?, work)?;
        }
        Ok(())
    }

    /// Takes out the inequalities that mention `var`.
    pub(crate) fn take_inequalities(&mut self, var: Var) -> Vec<Linear> {
        take_mentioning(&mut self.inequalities, var)
    }
}

/// Takes the rows that mention `var` out of `rows`, keeping the order.
fn take_mentioning(rows: &mut Vec<Linear>, var: Var) -> Vec<Linear> {
    rows.extract_if(.., |row| row.mentions(var)).collect()
}
