//! The generator makes every construct, and the checker takes what it makes.

use crate::generate::coverage::{CONSTRUCTS, FUNCTIONS, IDIOMS};
use crate::generate::{Flavour, check_all};
use crate::subject::Subject;

#[test]
fn every_construct_is_made() {
    let coverage = check_all(Flavour::Rational, 1000, |case| Subject::new(case).map(|_| ()));
    let rare = coverage.rare(CONSTRUCTS, 200);
    assert!(
        rare.is_empty(),
        "in less than half a percent of {} programs: {rare:?}",
        coverage.programs()
    );
}

#[test]
fn programs_of_arrays_have_idioms_too() {
    let coverage = check_all(Flavour::Arrays, 1000, |case| Subject::new(case).map(|_| ()));
    let wanted: Vec<&str> = CONSTRUCTS.iter().chain(IDIOMS).copied().collect();
    let rare = coverage.rare(&wanted, 500);
    assert!(
        rare.is_empty(),
        "in less than half a percent of {} programs: {rare:?}",
        coverage.programs()
    );
}

#[test]
fn programs_with_every_function_are_accepted() {
    let coverage = check_all(Flavour::Full, 1000, |case| Subject::new(case).map(|_| ()));
    let rare = coverage.rare(FUNCTIONS, 200);
    assert!(
        rare.is_empty(),
        "in less than half a percent of {} programs: {rare:?}",
        coverage.programs()
    );
}
