//! Coefficients next to the limits of `i128`: no panic and no wrong answer.

use crate::common::{at, config, holds, linear, of, points};
use iverson_affine::{
    Budget, Constraint, Feasibility, Linear, System, Var, Verdict, bounds, feasible, minimize,
    project, prove, solve,
};
use proptest::prelude::*;

const N: usize = 3;

fn extreme() -> impl Strategy<Value = i128> {
    let edge = prop::sample::select(vec![
        i128::MIN,
        i128::MIN + 1,
        i128::MAX,
        i128::MAX - 1,
        i128::MAX / 2,
        i128::MIN / 2,
        1 << 126,
        1 << 64,
        -(1 << 64),
        (1 << 64) - 1,
        (1 << 63) - 1,
        -(1 << 63),
    ]);
    prop_oneof![3 => edge, 2 => Just(0), 3 => -2..=2_i128, 1 => any::<i128>()]
}

fn extreme_linear() -> impl Strategy<Value = Linear> {
    (extreme(), prop::collection::vec(extreme(), N)).prop_map(|(c, a)| linear(c, &a))
}

fn extreme_constraint() -> impl Strategy<Value = Constraint> {
    prop_oneof![
        3 => extreme_linear().prop_map(Constraint::NonNegative),
        1 => extreme_linear().prop_map(Constraint::Zero),
        1 => (extreme(), extreme_linear()).prop_map(|(k, e)| Constraint::Divides(k, e)),
    ]
}

fn extreme_system() -> impl Strategy<Value = System> {
    prop::collection::vec(extreme_constraint(), 0..5).prop_map(System::from_iter)
}

/// The points near zero where everything can be evaluated and holds.
fn known_points(system: &System) -> impl Iterator<Item = Vec<i128>> {
    points(N, 1).into_iter().filter(|point| system.holds(&at(point)) == Some(true))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn feasible_is_right_or_unknown(system in extreme_system()) {
        match feasible(&system, Budget::default()) {
            Feasibility::Empty => prop_assert_eq!(known_points(&system).next(), None),
            Feasibility::Point(point) => prop_assert_eq!(system.holds(&of(&point)), Some(true)),
            Feasibility::Unknown => {}
        }
    }

    #[test]
    fn prove_is_right_or_unknown(system in extreme_system(), goal in extreme_constraint()) {
        match prove(&system, &goal, Budget::default()) {
            Verdict::Proved => {
                prop_assert!(known_points(&system).all(|p| goal.holds(&at(&p)) != Some(false)));
            }
            Verdict::Disproved(point) => {
                prop_assert_eq!(system.holds(&of(&point)), Some(true));
                prop_assert_eq!(goal.holds(&of(&point)), Some(false));
            }
            Verdict::Unknown => {}
        }
    }

    #[test]
    fn project_loses_nothing(system in extreme_system()) {
        if let Some(projection) = project(&system, &[Var(1)], Budget::default()) {
            for point in known_points(&system) {
                prop_assert!(projection.system.holds(&at(&point)) != Some(false));
            }
        }
    }

    #[test]
    fn minimize_changes_nothing(system in extreme_system()) {
        let least = minimize(&system, Budget::default());
        for point in known_points(&system) {
            prop_assert!(least.holds(&at(&point)) != Some(false));
        }
        for point in known_points(&least) {
            prop_assert!(system.holds(&at(&point)) != Some(false));
        }
    }

    #[test]
    fn solve_and_bounds_do_not_panic(rows in prop::collection::vec(extreme_linear(), 0..4)) {
        let system: System = rows.iter().cloned().map(Constraint::Zero).collect();
        let _ = bounds(&system, Var(0));
        if let Some(solution) = solve(&rows, &[Var(0), Var(1)], Var(5)) {
            for point in known_points(&system) {
                let allowed = |c: &Constraint| c.holds(&at(&point)) != Some(false);
                prop_assert!(solution.conditions.iter().all(allowed));
            }
        }
    }

    #[test]
    fn answers_do_not_change_far_from_zero(
        rows in prop::collection::vec((-9..=9_i128, prop::collection::vec(-4..=4_i128, N)), 1..5),
        shift in prop::sample::select(vec![1_i128 << 40, -(1 << 70), 1 << 100]),
    ) {
        let near = System::from_iter(
            rows.iter().map(|(c, a)| Constraint::NonNegative(linear(*c, a))),
        );
        let moved = |(c, a): &(i128, Vec<i128>)| linear(c - shift * a.iter().sum::<i128>(), a);
        let far: System = rows.iter().map(moved).map(Constraint::NonNegative).collect();
        let kind = |system: &System| match feasible(system, Budget::default()) {
            Feasibility::Empty => Some(false),
            Feasibility::Point(_) => Some(true),
            Feasibility::Unknown => None,
        };
        if let (Some(near), Some(far)) = (kind(&near), kind(&far)) {
            prop_assert_eq!(near, far);
        }
        prop_assert!(points(N, 2).iter().all(|p| !holds(&near, p)) || kind(&near) == Some(true));
    }
}

#[test]
fn the_last_variable_has_no_successor() {
    let last = Linear::var(Var(u32::MAX));
    let system = System::from_iter([Constraint::Divides(3, last)]);
    assert_eq!(feasible(&system, Budget::default()), Feasibility::Unknown);
}

#[test]
fn many_splinters_end_in_unknown_or_an_answer() {
    let huge = 1_i128 << 60;
    let rows = [(-1, vec![huge, -huge + 1]), (2, vec![-huge + 3, huge - 5])];
    let system =
        System::from_iter(rows.iter().map(|(c, a)| Constraint::NonNegative(linear(*c, a))));
    let _ = feasible(&system, Budget::default());
}
