//! `feasible` agrees with brute force.

use crate::common::{AMPLE, any_polyhedron, any_system, boxed, config, holds, of, points};
use iverson_affine::{Budget, Feasibility, System, feasible};
use proptest::prelude::*;

const N: usize = 3;

/// The answer, with an ample budget where the default one is spent.
fn decided(system: &System) -> Feasibility {
    match feasible(system, Budget::default()) {
        Feasibility::Unknown => feasible(system, AMPLE),
        answer @ (Feasibility::Empty | Feasibility::Point(_)) => answer,
    }
}

/// Compares the answer on a system within the box with all points of the box.
fn check_boxed(system: &System) -> Result<(), TestCaseError> {
    let system = boxed(N, system);
    let exists = points(N, 3).iter().any(|point| holds(&system, point));
    match decided(&system) {
        Feasibility::Empty => prop_assert!(!exists),
        Feasibility::Point(point) => prop_assert_eq!(system.holds(&of(&point)), Some(true)),
        Feasibility::Unknown => prop_assert!(false, "unknown: {system}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn systems_in_a_box(system in any_system(N)) {
        check_boxed(&system)?;
    }

    #[test]
    fn polyhedra_in_a_box(system in any_polyhedron(N)) {
        check_boxed(&system)?;
    }

    #[test]
    fn unbounded_systems(system in any_system(N)) {
        match decided(&system) {
            Feasibility::Empty => {
                prop_assert!(points(N, 4).iter().all(|point| !holds(&system, point)));
            }
            Feasibility::Point(point) => {
                prop_assert_eq!(system.holds(&of(&point)), Some(true));
                prop_assert_eq!(point.into_keys().collect::<Vec<_>>(), system.vars());
            }
            Feasibility::Unknown => prop_assert!(false, "unknown: {system}"),
        }
    }

    #[test]
    fn a_small_budget_changes_nothing_but_unknown(
        system in any_polyhedron(N), work in 0..400_u64, depth in 0..3_u32,
    ) {
        let budget = Budget { work, depth, ..Budget::default() };
        let (cut, whole) = (feasible(&system, budget), feasible(&system, Budget::default()));
        match (cut, whole) {
            (Feasibility::Unknown, _) => {}
            (Feasibility::Point(point), _) => {
                prop_assert_eq!(system.holds(&of(&point)), Some(true));
            }
            (Feasibility::Empty, whole) => prop_assert_eq!(whole, Feasibility::Empty),
        }
    }
}
