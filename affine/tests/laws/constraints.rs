//! Laws of affine forms and of single constraints.

use crate::common::{any_constraint, any_linear, at, config, linear, points};
use iverson_affine::{Constraint, Linear, Var};
use proptest::prelude::*;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn forms_are_functions(
        a in any_linear(3), b in any_linear(3), k in -5..=5_i128,
        p in prop::collection::vec(-9..=9_i128, 3),
    ) {
        let p = at(&p);
        let (x, y) = (a.eval(&p).unwrap(), b.eval(&p).unwrap());
        prop_assert_eq!(a.add(&b).unwrap().eval(&p), Some(x + y));
        prop_assert_eq!(a.sub(&b).unwrap().eval(&p), Some(x - y));
        prop_assert_eq!(a.scale(k).unwrap().eval(&p), Some(k * x));
        prop_assert_eq!(a.neg().unwrap().eval(&p), Some(-x));
        prop_assert_eq!(a.plus(k).unwrap().eval(&p), Some(x + k));
    }

    #[test]
    fn substitution_is_evaluation(
        a in any_linear(3), b in any_linear(3), p in prop::collection::vec(-9..=9_i128, 3),
    ) {
        let p = at(&p);
        let value = b.eval(&p).unwrap();
        let moved = |x: Var| if x == Var(1) { value } else { p(x) };
        prop_assert_eq!(a.substitute(Var(1), &b).unwrap().eval(&p), a.eval(&moved));
    }

    #[test]
    fn terms_are_sorted_and_not_zero(a in any_linear(3), b in any_linear(3)) {
        let sum = a.sub(&b).unwrap();
        prop_assert!(sum.terms().windows(2).all(|pair| pair[0].0 < pair[1].0));
        prop_assert!(sum.terms().iter().all(|&(_, a)| a != 0));
        prop_assert_eq!(a.sub(&a).unwrap(), Linear::default());
    }

    #[test]
    fn negation_is_the_complement(constraint in any_constraint(3)) {
        let negation = constraint.negate().unwrap();
        for point in points(3, 3) {
            let either = negation.iter().any(|case| case.holds(&at(&point)).unwrap());
            prop_assert_ne!(constraint.holds(&at(&point)).unwrap(), either);
        }
    }
}

#[test]
fn divisibility_by_zero_is_equality() {
    let constraint = Constraint::Divides(0, Linear::var(Var(0)));
    assert_eq!(constraint.holds(&|_| 0), Some(true));
    assert_eq!(constraint.holds(&|_| 5), Some(false));
}

#[test]
fn forms_print_as_sums() {
    assert_eq!(linear(-4, &[1, 0, -3]).to_string(), "x0 - 3·x2 - 4");
    assert_eq!(linear(0, &[-1]).to_string(), "-x0");
    assert_eq!(Linear::constant(-2).to_string(), "-2");
    assert_eq!(Constraint::Divides(3, linear(1, &[2])).to_string(), "3 | 2·x0 + 1");
}
