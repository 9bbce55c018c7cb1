//! First derivatives: tangents are those of dual numbers, cotangents are their adjoint.

use crate::generate::{Case, Flavour, Outcome, check_all, failure};
use crate::subject::*;
use iverson::interpreter::Rational;
use iverson::spec::TensorSsa;
use iverson::spec::call::Dense;
use iverson::spec::verify;
use std::cell::Cell;

/// Checks a law over programs, most of which must have a value.
pub(crate) fn check_values(
    default: u32,
    law: impl Fn(&Case) -> Result<bool, proptest::test_runner::TestCaseError>,
) {
    let (all, met) = (Cell::new(0_u32), Cell::new(0_u32));
    check_all(Flavour::Rational, default, |case| {
        all.set(all.get() + 1);
        met.set(met.get() + u32::from(law(case)?));
        Ok(())
    });
    assert!(
        met.get() * 10 >= all.get() * 7,
        "{} of {} programs have a value",
        met.get(),
        all.get()
    );
}

fn valid(program: &TensorSsa) -> Outcome {
    let text = || iverson::spec::unelaborate::ssa(program);
    verify(program).map_err(|violation| failure(format!("{violation}\n{}", text())))
}

#[test]
fn derivatives_are_tensor_ssa() {
    check_all(Flavour::Full, 1000, |case| {
        let subject = Subject::new(case)?;
        valid(&subject.jvp()?)?;
        valid(&subject.vjp()?)
    });
}

#[test]
fn tangents_are_those_of_dual_numbers() {
    check_values(1000, |case| {
        let subject = Subject::new(case)?;
        let program = subject.jvp()?;
        let directions = Directions::new(case).at(&case.inputs, &subject.wrt);
        let dots = added_params(&program, &subject.ssa);
        let inputs = with(&case.inputs, &dots, &directions);
        let wanted = denotation(&subject.typed, &dual(&case.inputs, &subject.wrt, &directions));
        let found = run(&program, &inputs);
        let (Ok(found), Ok(wanted)) = (&found, &wanted) else {
            return same_failure(found.err(), wanted.err(), || called(&program, &inputs));
        };
        let names = added_results(&program, &subject.ssa);
        for (primal, tangent) in real_results(&subject.ssa).iter().zip(&names) {
            let wanted = tangents(real(wanted, primal));
            equal(tangent, real(found, tangent), &wanted, || called(&program, &inputs))?;
        }
        Ok(true)
    });
}

#[test]
fn cotangents_are_the_adjoint_of_tangents() {
    check_values(1000, |case| {
        let subject = Subject::new(case)?;
        let program = subject.vjp()?;
        adjoint(case, &subject.ssa, &subject.wrt, &program, &case.inputs)
    });
}

/// `⟨ȳ, J·ẋ⟩ = ⟨Jᵀ·ȳ, ẋ⟩`, where `J·ẋ` is that of dual numbers and `Jᵀ·ȳ` the program's.
pub(crate) fn adjoint(
    case: &Case,
    program: &TensorSsa,
    wrt: &[String],
    derivative: &TensorSsa,
    inputs: &iverson::spec::call::Values<Rational>,
) -> Result<bool, proptest::test_runner::TestCaseError> {
    let mut directions = Directions::new(case);
    let x_dot = directions.at(inputs, wrt);
    let moved = run(program, &dual(inputs, wrt, &x_dot));
    let Ok(moved) = moved else {
        return Ok(false);
    };
    let results = real_results(program);
    let y_dot: Vec<Dense<Rational>> = results.iter().map(|y| tangents(real(&moved, y))).collect();
    let y_bar: Vec<Dense<Rational>> = y_dot.iter().map(|y| directions.like(y)).collect();
    let inputs = with(inputs, &added_params(derivative, program), &y_bar);
    let show = || called(derivative, &inputs);
    let found =
        run(derivative, &inputs).map_err(|error| failure(format!("{error}\n{}", show())))?;
    let names = added_results(derivative, program);
    let x_bar: Vec<Dense<Rational>> = names.iter().map(|x| real(&found, x).clone()).collect();
    let (forward, backward) = (inner(&y_bar, &y_dot), inner(&x_bar, &x_dot));
    if forward == backward {
        return Ok(true);
    }
    Err(failure(format!("forward {}, backward {}\n{}", forward.0, backward.0, show())))
}

/// Both have no value, or the law fails.
fn same_failure<E: std::fmt::Display>(
    found: Option<E>,
    wanted: Option<E>,
    show: impl Fn() -> String,
) -> Result<bool, proptest::test_runner::TestCaseError> {
    match (found, wanted) {
        (Some(_), Some(_)) => Ok(false),
        (Some(error), None) => Err(failure(format!("found: {error}\n{}", show()))),
        (None, Some(error)) => Err(failure(format!("wanted: {error}\n{}", show()))),
        (None, None) => Ok(true),
    }
}

pub(crate) fn equal(
    name: &str,
    found: &Dense<Rational>,
    wanted: &Dense<Rational>,
    show: impl Fn() -> String,
) -> Outcome {
    if found == wanted {
        return Ok(());
    }
    let entries = found.data.iter().zip(&wanted.data);
    let Some((place, (a, b))) = entries.enumerate().find(|(_, (a, b))| a != b) else {
        return Err(failure(format!(
            "{name}: {:?}, wanted {:?}\n{}",
            found.shape,
            wanted.shape,
            show()
        )));
    };
    let at = found.position(place);
    Err(failure(format!("{name}{at:?} is {}, wanted {}\n{}", a.0, b.0, show())))
}
