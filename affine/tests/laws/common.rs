//! Random systems, boxes and the brute force that other answers must match.

use iverson_affine::{Budget, Constraint, Linear, System, Var, Witness};
use proptest::prelude::*;
use proptest::test_runner::Config;

/// What no question of this size spends. Small coefficients do not overflow, so a question
/// that spends the default budget is decided by this one.
pub(crate) const AMPLE: Budget = Budget { work: 400_000_000, rows: 1 << 20, depth: 64 };

/// The half-width of the boxes that brute force visits.
pub(crate) const RADIUS: i128 = 3;

/// Enough cases for a law; failures print their case instead of leaving files.
pub(crate) fn config() -> Config {
    Config { cases: 1200, failure_persistence: None, ..Config::default() }
}

/// `constant + Σ coefficients[i]·xᵢ`.
pub(crate) fn linear(constant: i128, coefficients: &[i128]) -> Linear {
    let terms = (0..).map(Var).zip(coefficients).map(|(x, &a)| (a, x));
    Linear::of(constant, terms).unwrap()
}

/// A form in `x0 … x(n−1)` with small coefficients, often zero.
pub(crate) fn any_linear(n: usize) -> impl Strategy<Value = Linear> {
    let coefficient = prop_oneof![2 => Just(0), 3 => -1..=1_i128, 3 => -6..=6_i128];
    (-9..=9_i128, prop::collection::vec(coefficient, n)).prop_map(|(c, a)| linear(c, &a))
}

/// A constraint on `x0 … x(n−1)` of any kind.
pub(crate) fn any_constraint(n: usize) -> impl Strategy<Value = Constraint> {
    prop_oneof![
        5 => any_linear(n).prop_map(Constraint::NonNegative),
        2 => any_linear(n).prop_map(Constraint::Zero),
        2 => (-1..=6_i128, any_linear(n)).prop_map(|(k, e)| Constraint::Divides(k, e)),
    ]
}

/// A few constraints on `x0 … x(n−1)`.
pub(crate) fn any_system(n: usize) -> impl Strategy<Value = System> {
    prop::collection::vec(any_constraint(n), 0..5).prop_map(System::from_iter)
}

/// A system of inequalities alone, dense enough to need dark shadows.
pub(crate) fn any_polyhedron(n: usize) -> impl Strategy<Value = System> {
    let row = (-20..=20_i128, prop::collection::vec(-7..=7_i128, n));
    let row = row.prop_map(|(c, a)| Constraint::NonNegative(linear(c, &a)));
    prop::collection::vec(row, 2..7).prop_map(System::from_iter)
}

/// `system` within the box `|xᵢ| ≤ RADIUS`.
pub(crate) fn boxed(n: usize, system: &System) -> System {
    let mut boxed = system.clone();
    for x in (0..).map(Var).take(n) {
        for sign in [1, -1] {
            let side = Linear::of(RADIUS, [(sign, x)]).unwrap();
            boxed.push(Constraint::NonNegative(side));
        }
    }
    boxed
}

/// All points of the box `|xᵢ| ≤ radius`, as lists of coordinates.
pub(crate) fn points(n: usize, radius: i128) -> Vec<Vec<i128>> {
    let mut points = vec![Vec::new()];
    for _ in 0..n {
        points = points.iter().flat_map(|point| extensions(point, radius)).collect();
    }
    points
}

fn extensions(point: &[i128], radius: i128) -> Vec<Vec<i128>> {
    (-radius..=radius).map(|value| [point, &[value]].concat()).collect()
}

/// Reads a list of coordinates, zero past its end.
pub(crate) fn at(point: &[i128]) -> impl Fn(Var) -> i128 + '_ {
    |var| point.get(var.0 as usize).copied().unwrap_or(0)
}

/// Reads a witness, zero where it has no value.
pub(crate) fn of(witness: &Witness) -> impl Fn(Var) -> i128 + '_ {
    |var| witness.get(&var).copied().unwrap_or(0)
}

/// Whether the system holds at a list of coordinates.
pub(crate) fn holds(system: &System, point: &[i128]) -> bool {
    system.holds(&at(point)).unwrap()
}
