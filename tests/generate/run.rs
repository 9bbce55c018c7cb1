//! Running a law over many programs.
//!
//! `IVERSON_CASES` is the number of programs for each law, `IVERSON_SEED` a
//! number that chooses other programs; both are printed with a failure.

use super::Flavour;
use super::coverage::Coverage;
use super::program::{Case, cases};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::cell::RefCell;

/// How a law fails.
pub(crate) type Outcome = Result<(), TestCaseError>;

/// The failure of a law, with what shows it.
pub(crate) fn failure(what: impl Into<String>) -> TestCaseError {
    TestCaseError::fail(what.into())
}

/// The programs of a run, if not what the law says.
pub(crate) fn count(default: u32) -> u32 {
    setting("IVERSON_CASES").unwrap_or(default)
}

/// What chooses the programs.
fn seed() -> u32 {
    setting("IVERSON_SEED").unwrap_or(0)
}

/// A source of random programs.
pub(crate) fn runner(cases: u32) -> TestRunner {
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 4000, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed().to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

fn setting(name: &str) -> Option<u32> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is `{text}`, wanted a number")))
}

/// Checks a law over random programs; shows the smallest one found that breaks it.
pub(crate) fn check_all(
    flavour: Flavour,
    default: u32,
    law: impl Fn(&Case) -> Outcome,
) -> Coverage {
    let seed = seed();
    let met = RefCell::new(Coverage::default());
    let outcome = runner(count(default)).run(&cases(flavour), |case| {
        met.borrow_mut().add(&case.constructs);
        law(&case)
    });
    match outcome {
        Ok(()) => met.into_inner(),
        Err(TestError::Fail(reason, case)) => {
            panic!("IVERSON_SEED={seed}, {flavour:?} programs: {reason}\n{case:?}")
        }
        Err(TestError::Abort(reason)) => panic!("IVERSON_SEED={seed}: {reason}"),
    }
}
