//! The elimination of variables: `∃ x. system`.
//!
//! 1. An equality with an eliminated variable is reduced by Euclid's algorithm
//!    to `g·x + p = 0`, where `p` has no eliminated variable. That says
//!    `g | p`, which is kept, and `x = −p/g`, which is substituted.
//! 2. The other eliminated variables occur in inequalities only, where the
//!    real shadow replaces them. It is exact with a unit coefficient on one
//!    side, and also where it implies the dark shadow.

use crate::budget::{Budget, Stop, Work};
use crate::constraint::Constraint;
use crate::euclid::{Pivot, pivot, quotient_value, reduction, unit_value};
use crate::fourier::{Choice, Shadow, cast, choose, combine};
use crate::linear::{Linear, Var};
use crate::normal::{Sense, normalize};
use crate::problem::Problem;
use crate::prove::implies;
use crate::system::System;

/// The answer to [`project`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Projection {
    /// Constraints on the variables that remain.
    pub system: System,
    /// Whether `system` holds exactly where values of the eliminated variables
    /// exist. Otherwise it holds there and possibly elsewhere.
    pub exact: bool,
}

/// Eliminates variables: the constraints on the others under which integer
/// values of `eliminate` satisfy `system`.
///
/// * **Arithmetic**: exact where [`Projection::exact`] says so, else an
///   over-approximation. The result may contain divisibilities; an empty
///   projection is `System::never()`.
/// * **Cost**: each eliminated variable may multiply the number of
///   constraints; cut off by `budget`.
/// * **Failure**: `None` on overflow of `i128` or budget.
pub fn project(system: &System, eliminate: &[Var], budget: Budget) -> Option<Projection> {
    let mut work = Work::new(budget);
    match Projector::run(system, eliminate, &mut work) {
        Ok(projection) => Some(projection),
        Err(Stop::Empty) => Some(Projection { system: System::never(), exact: true }),
        Err(Stop::Unknown) => None,
    }
}

struct Projector {
    problem: Problem,
    /// Divisibilities without eliminated variables.
    divisibilities: Vec<Constraint>,
    eliminate: Vec<Var>,
    exact: bool,
}

impl Projector {
    fn run(system: &System, eliminate: &[Var], work: &mut Work) -> Result<Projection, Stop> {
        let problem = Problem::new(system.constraints().iter());
        let eliminate = eliminate.to_vec();
        let mut this = Self { problem, divisibilities: Vec::new(), eliminate, exact: true };
        for constraint in system.constraints() {
            this.add(constraint, work)?;
        }
        this.eliminate_all(work)?;
        Ok(Projection { system: this.system(), exact: this.exact })
    }

    fn add(&mut self, constraint: &Constraint, work: &mut Work) -> Result<(), Stop> {
        let (sense, constraint) = normalize(constraint).ok_or(Stop::Unknown)?;
        match sense {
            Sense::Always => Ok(()),
            Sense::Never => Err(Stop::Empty),
            Sense::Open => self.add_open(constraint, work),
        }
    }

    fn add_open(&mut self, constraint: Constraint, work: &mut Work) -> Result<(), Stop> {
        if matches!(constraint, Constraint::Divides(_, _)) && !self.touches(constraint.linear()) {
            self.divisibilities.push(constraint);
        } else {
            self.eliminate.extend(self.problem.push(&constraint, work)?);
        }
        Ok(())
    }

    fn touches(&self, row: &Linear) -> bool {
        row.vars().any(|var| self.eliminate.contains(&var))
    }

    fn eliminate_all(&mut self, work: &mut Work) -> Result<(), Stop> {
        loop {
            work.spend(1)?;
            if let Some(row) = self.take_equality() {
                self.solve(row, work)?;
            } else if let Some(choice) = self.choose() {
                self.cast(choice, work)?;
            } else {
                return Ok(());
            }
        }
    }

    /// Takes out an equality with an eliminated variable, unit pivots first.
    fn take_equality(&mut self) -> Option<Linear> {
        let rank = |row: &Linear| match pivot(row, |var| self.eliminate.contains(&var)) {
            Pivot::Absent => None,
            Pivot::Unit(_) => Some(0),
            Pivot::Sole(_, _) => Some(1),
            Pivot::Reduce(_, _) => Some(2),
        };
        let rows = self.problem.equalities.iter().enumerate();
        let ranked = rows.filter_map(|(at, row)| Some((rank(row)?, at)));
        let (_, at) = ranked.min()?;
        Some(self.problem.equalities.remove(at))
    }

    /// Solves `row = 0` for an eliminated variable and substitutes it.
    fn solve(&mut self, mut row: Linear, work: &mut Work) -> Result<(), Stop> {
        loop {
            row = match pivot(&row, |var| self.eliminate.contains(&var)) {
                Pivot::Absent => return self.problem.push_equality(row, work),
                Pivot::Unit(var) => {
                    let by = unit_value(&row, var).ok_or(Stop::Unknown)?;
                    return self.problem.define(var, &by, work);
                }
                Pivot::Sole(var, _) => return self.divide(&row, var, work),
                Pivot::Reduce(var, a) => self.reduce(&row, (var, a), work)?,
            }
        }
    }

    /// Substitutes the only eliminated variable of `row = 0`.
    fn divide(&mut self, row: &Linear, var: Var, work: &mut Work) -> Result<(), Stop> {
        let (numerator, divisor) = quotient_value(row, var).ok_or(Stop::Unknown)?;
        self.add(&Constraint::Divides(divisor, numerator.clone()), work)?;
        self.problem.define_quotient(var, &numerator, divisor, work)
    }

    /// One round of Euclid's algorithm on `row`.
    fn reduce(
        &mut self,
        row: &Linear,
        (var, a): (Var, i128),
        work: &mut Work,
    ) -> Result<Linear, Stop> {
        let fresh = self.problem.fresh()?;
        let by = reduction(row, (var, a), fresh, |var| self.eliminate.contains(&var));
        let by = by.ok_or(Stop::Unknown)?;
        self.eliminate.push(fresh);
        self.problem.define(var, &by, work)?;
        row.substitute(var, &by).ok_or(Stop::Unknown)
    }

    fn choose(&self) -> Option<Choice> {
        choose(&self.problem.inequalities, |var| self.eliminate.contains(&var))
    }

    /// Replaces a variable that occurs in inequalities only by its real shadow.
    fn cast(&mut self, choice: Choice, work: &mut Work) -> Result<(), Stop> {
        let rows = self.problem.take_inequalities(choice.var);
        cast(&mut self.problem, (choice.var, &rows), Shadow::Real, work)?;
        self.exact &= choice.exact || self.implies_dark(choice.var, &rows, work);
        Ok(())
    }

    /// Whether the present constraints imply the dark shadow of `rows`.
    fn implies_dark(&self, var: Var, rows: &[Linear], work: &mut Work) -> bool {
        work.part(|work| self.all_dark(var, rows, work))
    }

    fn all_dark(&self, var: Var, rows: &[Linear], work: &mut Work) -> bool {
        let system = self.system();
        let uppers = || rows.iter().filter(|row| row.coefficient(var) < 0);
        let lowers = rows.iter().filter(|row| row.coefficient(var) > 0);
        lowers.flat_map(|lower| uppers().map(move |upper| (lower, upper))).all(|(lower, upper)| {
            combine(lower, upper, var, Shadow::Dark).is_some_and(|dark| {
                implies(&system, &Constraint::NonNegative(dark), work) == Err(Stop::Empty)
            })
        })
    }

    fn system(&self) -> System {
        let zero = self.problem.equalities.iter().cloned().map(Constraint::Zero);
        let rows = self.problem.inequalities.iter().cloned().map(Constraint::NonNegative);
        zero.chain(rows).chain(self.divisibilities.iter().cloned()).collect()
    }
}
