//! The search for an integer point of a problem (the Omega test).
//!
//! 1. Equalities are solved and substituted until none is left.
//! 2. Variables whose real shadow is exact are eliminated.
//! 3. Where no shadow is exact, the real shadow may refute the problem, the
//!    dark shadow may yield a point, and any other point lies on one of
//!    finitely many hyperplanes (splinters) close to a lower bound.
//!
//! A point of the eliminated problem is extended by undoing the steps.

use crate::arith::{floor_div, mul};
use crate::budget::{Stop, Work};
use crate::euclid::{Pivot, pivot, reduction, unit_value};
use crate::fourier::{Shadow, cast, choose};
use crate::linear::{Linear, Var};
use crate::problem::Problem;
use crate::witness::{Step, Witness, choose_value, replay};

/// An integer point of `problem`, or why there is none to report.
pub(crate) fn search(mut problem: Problem, work: &mut Work) -> Result<Witness, Stop> {
    let mut steps = Vec::new();
    loop {
        solve_equalities(&mut problem, &mut steps, work)?;
        let Some(choice) = choose(&problem.inequalities, |_| true) else {
            return replay(&steps, Witness::new());
        };
        if !choice.exact {
            let point = work.nested(|work| branch(problem, choice.var, work))?;
            return replay(&steps, point);
        }
        let rows = problem.take_inequalities(choice.var);
        cast(&mut problem, (choice.var, &rows), Shadow::Real, work)?;
        steps.push(Step::Bounded(choice.var, rows));
    }
}

/// Substitutes equalities away, recording each definition.
fn solve_equalities(
    problem: &mut Problem,
    steps: &mut Vec<Step>,
    work: &mut Work,
) -> Result<(), Stop> {
    while let Some(row) = take_equality(&mut problem.equalities) {
        solve_equality(row, problem, steps, work)?;
    }
    Ok(())
}

/// Substitutes one equality away: reductions until a coefficient is ±1.
fn solve_equality(
    mut row: Linear,
    problem: &mut Problem,
    steps: &mut Vec<Step>,
    work: &mut Work,
) -> Result<(), Stop> {
    loop {
        work.spend(1 + row.terms().len())?;
        let (var, by) = match pivot(&row, |_| true) {
            Pivot::Absent => return Ok(()),
            Pivot::Unit(var) => (var, unit_value(&row, var)),
            Pivot::Sole(var, a) | Pivot::Reduce(var, a) => {
                (var, reduction(&row, (var, a), problem.fresh()?, |_| true))
            }
        };
        let by = by.ok_or(Stop::Unknown)?;
        row = row.substitute(var, &by).ok_or(Stop::Unknown)?;
        problem.define(var, &by, work)?;
        steps.push(Step::Defined(var, by));
    }
}

/// Takes out an equality with a coefficient ±1, or else any.
fn take_equality(equalities: &mut Vec<Linear>) -> Option<Linear> {
    let unit = |row: &Linear| row.terms().iter().any(|&(_, a)| matches!(a, 1 | -1));
    match equalities.iter().position(unit) {
        Some(at) => Some(equalities.swap_remove(at)),
        None => equalities.pop(),
    }
}

/// Searches where every elimination of a variable, `var` among them, is inexact.
fn branch(mut rest: Problem, var: Var, work: &mut Work) -> Result<Witness, Stop> {
    let rows = rest.take_inequalities(var);
    match search_shadow(&rest, (var, &rows), Shadow::Real, work) {
        Err(Stop::Empty) => return Err(Stop::Empty),
        Ok(point) => {
            if let Ok(point) = extend(point, var, &rows) {
                return Ok(point);
            }
        }
        Err(Stop::Unknown) => {}
    }
    let dark = match search_shadow(&rest, (var, &rows), Shadow::Dark, work) {
        Ok(point) => return extend(point, var, &rows),
        Err(stop) => stop,
    };
    match search_splinters(&rest, (var, &rows), work) {
        Err(Stop::Empty) => Err(dark),
        found => found,
    }
}

fn search_shadow(
    rest: &Problem,
    rows: (Var, &[Linear]),
    shadow: Shadow,
    work: &mut Work,
) -> Result<Witness, Stop> {
    work.spend(rest.inequalities.len())?;
    let mut problem = rest.clone();
    cast(&mut problem, rows, shadow, work)?;
    search(problem, work)
}

fn extend(mut point: Witness, var: Var, rows: &[Linear]) -> Result<Witness, Stop> {
    let value = choose_value(var, rows, &point).ok_or(Stop::Unknown)?;
    point.insert(var, value);
    Ok(point)
}

/// Searches the hyperplanes `lower = i` that hold every point outside the dark
/// shadow: `0 ≤ i ≤ (a·b − a − b) / a` for the greatest upper coefficient `a`.
fn search_splinters(
    rest: &Problem,
    (var, rows): (Var, &[Linear]),
    work: &mut Work,
) -> Result<Witness, Stop> {
    let greatest = rows.iter().map(|row| row.coefficient(var)).min().unwrap_or(-1);
    let a = greatest.checked_neg().ok_or(Stop::Unknown)?;
    let mut result = Stop::Empty;
    for lower in rows.iter().filter(|row| row.coefficient(var) > 1) {
        let last = last_splinter(a, lower.coefficient(var)).ok_or(Stop::Unknown)?;
        for i in 0..=last {
            work.spend(1 + rows.len() + rest.inequalities.len())?;
            match search_splinter(rest, rows, lower.plus(-i), work) {
                Err(Stop::Empty) => {}
                Err(Stop::Unknown) => result = Stop::Unknown,
                Ok(point) => return Ok(point),
            }
        }
    }
    Err(result)
}

fn last_splinter(a: i128, b: i128) -> Option<i128> {
    let product = mul(a, b)?;
    Some(floor_div(product.checked_sub(a)?.checked_sub(b)?, a))
}

fn search_splinter(
    rest: &Problem,
    rows: &[Linear],
    equality: Option<Linear>,
    work: &mut Work,
) -> Result<Witness, Stop> {
    let mut problem = rest.clone();
    problem.push_equality(equality.ok_or(Stop::Unknown)?, work)?;
    for row in rows {
        problem.push_inequality(row.clone(), work)?;
    }
    search(problem, work)
}
