//! `project` agrees with brute force: exact projections hold where a point
//! exists and nowhere else, the others at least there.

use crate::common::{any_polyhedron, any_system, boxed, config, holds, points};
use iverson_affine::{Budget, System, Var, project};
use proptest::prelude::*;
use std::collections::HashSet;

const N: usize = 4;
const RADIUS: i128 = 3;

/// Eliminates the last `count` of four variables.
fn check(system: &System, count: usize) -> Result<(), TestCaseError> {
    let (system, kept) = (boxed(N, system), N - count);
    let eliminate: Vec<Var> = (0..).map(Var).take(N).skip(kept).collect();
    let projection = project(&system, &eliminate, Budget::default());
    let Some(projection) = projection else {
        return Err(TestCaseError::fail(format!("no projection of {system}")));
    };
    prop_assert!(projection.system.vars().iter().all(|var| (var.0 as usize) < kept));
    let all = points(N, RADIUS).into_iter().filter(|point| holds(&system, point));
    let shadow: HashSet<Vec<i128>> = all.map(|point| point[..kept].to_vec()).collect();
    for point in points(kept, RADIUS + 1) {
        let (found, wanted) = (holds(&projection.system, &point), shadow.contains(&point));
        prop_assert!(found || !wanted, "lost {point:?} of {system}");
        prop_assert!(found == wanted || !projection.exact, "gained {point:?} of {system}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn systems(system in any_system(N), count in 1..=3_usize) {
        check(&system, count)?;
    }

    #[test]
    fn polyhedra(system in any_polyhedron(N), count in 1..=2_usize) {
        check(&system, count)?;
    }
}
