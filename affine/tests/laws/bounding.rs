//! `bounds` says exactly which values the constraints on a variable allow.

use crate::common::{any_system, at, config, points};
use iverson_affine::{Bounds, Linear, System, Var, bounds};
use proptest::prelude::*;

const N: usize = 3;

/// Whether the bounds allow `x` at `point`.
fn allows(bounds: &Bounds, x: i128, point: &[i128]) -> bool {
    let value = |e: &Linear| e.eval(&at(point)).unwrap();
    let above = |(l, d): &(Linear, i128)| x >= -((-value(l)).div_euclid(*d));
    let below = |(u, d): &(Linear, i128)| x <= value(u).div_euclid(*d);
    let congruent = |(k, e): &(i128, Linear)| value(e) % k == 0;
    bounds.lower.iter().all(above)
        && bounds.upper.iter().all(below)
        && bounds.congruences.iter().all(congruent)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn bounds_are_the_constraints(system in any_system(N), var in (0..3_u32).prop_map(Var)) {
        let bounds = bounds(&system, var).unwrap();
        let on_var = system.constraints().iter().filter(|c| c.linear().mentions(var));
        let on_var = System::from_iter(on_var.cloned());
        for point in points(N, 4) {
            let wanted = on_var.holds(&at(&point)).unwrap();
            prop_assert_eq!(allows(&bounds, at(&point)(var), &point), wanted);
        }
        let sides = bounds.lower.iter().chain(&bounds.upper);
        prop_assert!(sides.into_iter().all(|(e, d)| *d > 0 && !e.mentions(var)));
    }
}
