//! `prove` and `minimize` agree with brute force.

use crate::common::{
    AMPLE, any_constraint, any_polyhedron, any_system, at, boxed, config, holds, of, points,
};
use iverson_affine::{Budget, Constraint, System, Verdict, minimize, prove};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const N: usize = 3;

fn check_boxed(system: &System, goal: &Constraint) -> Result<(), TestCaseError> {
    let system = boxed(N, system);
    let breaks = |point: &Vec<i128>| holds(&system, point) && goal.holds(&at(point)) == Some(false);
    let mut verdict = prove(&system, goal, Budget::default());
    if verdict == Verdict::Unknown {
        verdict = prove(&system, goal, AMPLE);
    }
    match verdict {
        Verdict::Proved => prop_assert!(!points(N, 3).iter().any(breaks)),
        Verdict::Disproved(point) => {
            prop_assert_eq!(system.holds(&of(&point)), Some(true));
            prop_assert_eq!(goal.holds(&of(&point)), Some(false));
        }
        Verdict::Unknown => prop_assert!(false, "unknown with an ample budget: {system}"),
    }
    Ok(())
}

/// How often the default budget is spent: in at most one of a hundred questions.
#[test]
fn the_default_budget_is_seldom_spent() {
    let mut runner = TestRunner::deterministic();
    let questions = (prop_oneof![any_system(N), any_polyhedron(N)], any_constraint(N));
    let asked = 2000;
    let spent = (0..asked).filter(|_| {
        let Ok(tree) = questions.new_tree(&mut runner) else { return false };
        let (system, goal) = tree.current();
        prove(&boxed(N, &system), &goal, Budget::default()) == Verdict::Unknown
    });
    let spent = spent.count();
    assert!(spent * 100 <= asked, "{spent} of {asked} questions are unknown");
}

/// The same points satisfy both, and nothing is left that the rest implies.
fn check_minimized(system: &System) -> Result<(), TestCaseError> {
    let least = minimize(system, AMPLE);
    for point in points(N, 3) {
        prop_assert_eq!(holds(&least, &point), holds(system, &point));
    }
    for goal in least.constraints() {
        let others = least.constraints().iter().filter(|c| *c != goal);
        let rest = System::from_iter(others.cloned());
        prop_assert!(prove(&rest, goal, Budget::default()) != Verdict::Proved);
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn proofs_in_a_box(system in any_system(N), goal in any_constraint(N)) {
        check_boxed(&system, &goal)?;
    }

    #[test]
    fn proofs_in_polyhedra(system in any_polyhedron(N), goal in any_constraint(N)) {
        check_boxed(&system, &goal)?;
    }

    #[test]
    fn every_constraint_of_a_system_follows(system in any_system(N)) {
        for goal in system.constraints() {
            prop_assert_eq!(prove(&system, goal, Budget::default()), Verdict::Proved);
        }
    }

    #[test]
    fn minimized_systems_have_the_same_points(system in any_system(N)) {
        check_minimized(&system)?;
    }

    #[test]
    fn minimized_boxes_have_the_same_points(system in any_polyhedron(N)) {
        check_minimized(&boxed(N, &system))?;
    }
}
