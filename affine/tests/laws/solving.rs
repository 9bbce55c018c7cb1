//! `solve` describes exactly the solutions that brute force finds.

use crate::common::{any_linear, at, config, of, points};
use iverson_affine::{
    Budget, Constraint, Feasibility, Linear, Quotient, Solution, System, Var, feasible, solve,
};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

const UNKNOWNS: usize = 3;
const PARAMETERS: usize = 1;
const N: usize = UNKNOWNS + PARAMETERS;
const FRESH: Var = Var(10);

fn unknowns() -> Vec<Var> {
    (0..).map(Var).take(UNKNOWNS).collect()
}

fn conditions_hold(solution: &Solution, point: &[i128]) -> bool {
    solution.conditions.iter().all(|c| c.holds(&at(point)).unwrap())
}

/// The equations that say which free variables give `point`.
fn preimage(solution: &Solution, point: &[i128]) -> System {
    let parameter = |e: Linear| e.substitute(Var(3), &Linear::constant(point[3])).unwrap();
    let equation = |(var, value): &(Var, Quotient)| {
        let wanted = Linear::constant(at(point)(*var)).scale(value.divisor).unwrap();
        Constraint::equal(&parameter(value.numerator.clone()), &wanted).unwrap()
    };
    solution.values.iter().map(equation).collect()
}

/// Every solution found by brute force is the image of some free variables.
fn check_reached(equations: &[Linear], solution: &Solution) -> Result<(), TestCaseError> {
    let zero = |point: &[i128]| equations.iter().all(|e| e.eval(&at(point)) == Some(0));
    for point in points(N, 3).iter().filter(|point| zero(point)) {
        prop_assert!(conditions_hold(solution, point), "conditions lose {point:?}");
        let preimage = preimage(solution, point);
        let Feasibility::Point(free) = feasible(&preimage, Budget::default()) else {
            return Err(TestCaseError::fail(format!("{point:?} is not reached")));
        };
        prop_assert_eq!(preimage.holds(&of(&free)), Some(true));
    }
    Ok(())
}

/// Where the conditions hold, each choice of free variables gives a solution.
fn check_sound(equations: &[Linear], solution: &Solution) -> Result<(), TestCaseError> {
    let allowed = |point: &&Vec<i128>| conditions_hold(solution, point);
    for parameters in points(PARAMETERS, 8).iter().map(|p| [&[0; UNKNOWNS], &p[..]].concat()) {
        if allowed(&&parameters) {
            check_images(equations, solution, &parameters)?;
        }
    }
    Ok(())
}

fn check_images(
    equations: &[Linear],
    solution: &Solution,
    parameters: &[i128],
) -> Result<(), TestCaseError> {
    let mut images = HashMap::new();
    for free in points(solution.free.len(), 2) {
        let names: HashMap<Var, i128> = solution.free.iter().copied().zip(free.clone()).collect();
        let point = |var: Var| names.get(&var).copied().unwrap_or_else(|| at(parameters)(var));
        let image: Option<Vec<i128>> =
            solution.values.iter().map(|(_, v)| v.eval(&point)).collect();
        let Some(image) = image else {
            return Err(TestCaseError::fail("a value is no integer"));
        };
        let all = [&image[..], &parameters[UNKNOWNS..]].concat();
        prop_assert!(equations.iter().all(|e| e.eval(&at(&all)) == Some(0)));
        prop_assert_eq!(images.insert(image, free), None, "two choices, one solution");
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn solutions_are_reached_once(equations in prop::collection::vec(any_linear(N), 0..4)) {
        let solution = solve(&equations, &unknowns(), FRESH).unwrap();
        let named: HashSet<Var> = solution.free.iter().copied().collect();
        let only_named = |e: &Linear| e.vars().all(|x| x == Var(3) || named.contains(&x));
        prop_assert!(solution.values.iter().all(|(_, v)| only_named(&v.numerator)));
        let parameters = |c: &Constraint| c.linear().vars().all(|x| x == Var(3));
        prop_assert!(solution.conditions.iter().all(parameters));
        check_reached(&equations, &solution)?;
        check_sound(&equations, &solution)?;
    }
}
