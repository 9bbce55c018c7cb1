//! Questions as a bounds checker and an optimiser ask them.

use crate::common::linear;
use iverson_affine::{
    Budget, Constraint, Feasibility, Linear, System, Var, Verdict, Witness, bounds, feasible,
    minimize, project, prove, solve,
};

fn ge(constant: i128, coefficients: &[i128]) -> Constraint {
    Constraint::NonNegative(linear(constant, coefficients))
}

fn eq(constant: i128, coefficients: &[i128]) -> Constraint {
    Constraint::Zero(linear(constant, coefficients))
}

/// `0 ≤ x0 < x1`.
fn index() -> System {
    System::from_iter([ge(0, &[1]), ge(-1, &[-1, 1])])
}

#[test]
fn an_index_within_its_extent_is_proved() {
    assert_eq!(prove(&index(), &ge(-1, &[0, 1]), Budget::default()), Verdict::Proved);
}

#[test]
fn an_index_past_its_extent_is_disproved_by_a_small_point() {
    let verdict = prove(&index(), &ge(-2, &[-1, 1]), Budget::default());
    assert_eq!(verdict, Verdict::Disproved(Witness::from([(Var(0), 0), (Var(1), 1)])));
}

#[test]
fn an_empty_system_proves_everything() {
    let system = System::from_iter([ge(-1, &[1]), ge(0, &[-1])]);
    assert_eq!(prove(&system, &ge(-7, &[]), Budget::default()), Verdict::Proved);
}

#[test]
fn parity_has_no_point_between_rational_bounds() {
    let system = System::from_iter([ge(-5, &[2]), ge(5, &[-2])]);
    assert_eq!(feasible(&system, Budget::default()), Feasibility::Empty);
}

#[test]
fn a_strip_without_integer_points_needs_splinters() {
    let strip = [ge(-27, &[11, 13]), ge(45, &[-11, -13]), ge(10, &[7, -9]), ge(4, &[-7, 9])];
    let system = System::from_iter(strip);
    assert_eq!(feasible(&system, Budget::default()), Feasibility::Empty);
}

#[test]
fn large_divisors_are_proved_without_listing_residues() {
    let system = System::from_iter([eq(0, &[1, -1_000_000])]);
    let goal = |k| Constraint::Divides(k, linear(0, &[1]));
    assert_eq!(prove(&system, &goal(1_000_000), Budget::default()), Verdict::Proved);
    let verdict = prove(&system, &goal(3), Budget::default());
    assert!(matches!(verdict, Verdict::Disproved(_)), "{verdict:?}");
}

#[test]
fn a_spent_budget_is_unknown() {
    let verdict = prove(&index(), &ge(-1, &[0, 1]), Budget::with_work(2));
    assert_eq!(verdict, Verdict::Unknown);
}

#[test]
fn projection_of_an_index_is_its_range() {
    let mut system = index();
    system.push(eq(0, &[-2, 0, 1]));
    let projection = project(&system, &[Var(0)], Budget::default()).unwrap();
    assert!(projection.exact);
    let even = Constraint::Divides(2, Linear::var(Var(2)));
    assert!(projection.system.constraints().contains(&even), "{}", projection.system);
}

#[test]
fn an_inexact_projection_says_so() {
    let between = System::from_iter([ge(0, &[-1, 3]), ge(1, &[1, -3]), ge(9, &[1]), ge(9, &[-1])]);
    let projection = project(&between, &[Var(1)], Budget::default()).unwrap();
    assert!(!projection.exact);
}

#[test]
fn a_projection_whose_dark_shadow_is_implied_is_exact() {
    let wide = System::from_iter([ge(0, &[-1, 3]), ge(2, &[1, -3])]);
    let projection = project(&wide, &[Var(1)], Budget::default()).unwrap();
    assert!(projection.exact);
    assert_eq!(projection.system, System::new());
}

#[test]
fn a_unit_equation_is_solved_by_substitution() {
    let solution = solve(&[linear(3, &[1, -1])], &[Var(0)], Var(9)).unwrap();
    assert_eq!(solution.value(Var(0)).unwrap().as_linear(), Some(&linear(-3, &[0, 1])));
    assert!(solution.conditions.is_empty() && solution.free.is_empty());
}

#[test]
fn an_even_equation_is_solved_under_a_divisibility() {
    let solution = solve(&[linear(1, &[2, -1])], &[Var(0)], Var(9)).unwrap();
    let value = solution.value(Var(0)).unwrap();
    assert_eq!((&value.numerator, value.divisor), (&linear(-1, &[0, 1]), 2));
    assert_eq!(solution.conditions, [Constraint::Divides(2, linear(1, &[0, 1]))]);
}

#[test]
fn two_unknowns_of_one_equation_leave_one_free() {
    let solution = solve(&[linear(0, &[3, 5, -1])], &[Var(0), Var(1)], Var(9)).unwrap();
    assert_eq!(solution.free, [Var(9)]);
    assert!(solution.conditions.is_empty());
}

#[test]
fn a_contradiction_has_no_solutions() {
    let solution = solve(&[linear(1, &[2, 4])], &[Var(0)], Var(9)).unwrap();
    assert!(solution.is_never());
}

#[test]
fn bounds_are_quotients() {
    let system = System::from_iter([ge(0, &[2, -1]), ge(7, &[-3, 0, 1])]);
    let bounds = bounds(&system, Var(0)).unwrap();
    assert_eq!(bounds.lower, [(linear(0, &[0, 1]), 2)]);
    assert_eq!(bounds.upper, [(linear(7, &[0, 0, 1]), 3)]);
}

#[test]
fn implied_constraints_are_dropped() {
    let mut system = index();
    system.push(ge(0, &[0, 1]));
    system.push(ge(5, &[1]));
    assert_eq!(minimize(&system, Budget::default()), index());
}
