//! Simplifying keeps values, never raises work, and is done after once.

use crate::generate::{Case, Flavour, Outcome, check_all, failure};
use crate::subject::*;
use iverson::interpreter::{Model, Rational, Scalar, WorkReport, eval_ssa};
use iverson::pipeline::load;
use iverson::simplify::simplify;
use iverson::spec::call::{Limits, Value, Values};
use iverson::spec::{TensorSsa, render, ssa, unelaborate, verify};
use proptest::test_runner::TestCaseError;

/// A program that was made from a case, with what it is called with.
struct Called {
    program: TensorSsa,
    inputs: Values<Rational>,
}

/// The normal form of a case, its derivatives and one second derivative; the normal form alone where there are no
/// results, which cotangents are shaped as.
fn programs<S>(
    case: &Case,
    subject: &Subject,
    results: Option<&Values<S>>,
) -> Result<Vec<Called>, TestCaseError> {
    let mut all = vec![Called { program: subject.ssa.clone(), inputs: case.inputs.clone() }];
    let Some(results) = results else { return Ok(all) };
    let mut directions = Directions::new(case);
    let jvp = subject.jvp()?;
    let dots = directions.at(&case.inputs, &subject.wrt);
    let inputs = with(&case.inputs, &added_params(&jvp, &subject.ssa), &dots);
    all.push(Called { program: jvp, inputs });
    let vjp = subject.vjp()?;
    let bars = directions.at(results, &real_results(&subject.ssa));
    let inputs = with(&case.inputs, &added_params(&vjp, &subject.ssa), &bars);
    let second = forward(&vjp, &subject.wrt)?;
    let dots = directions.at(&case.inputs, &subject.wrt);
    let moving = with(&inputs, &added_params(&second, &vjp), &dots);
    all.push(Called { program: vjp, inputs });
    all.push(Called { program: second, inputs: moving });
    Ok(all)
}

fn valid(before: &TensorSsa, after: &TensorSsa) -> Outcome {
    verify(after).map_err(|violation| {
        let (before, after) = (unelaborate::ssa(before), unelaborate::ssa(after));
        failure(format!("{violation}\n{before}becomes\n{after}"))
    })
}

/// A law: simplified programs give what `same` takes for the values of programs, with no more work.
fn keeps<S: Scalar>(
    case: &Case,
    number: impl Fn(&Rational) -> S,
    same: impl Fn(&Values<S>, &Values<S>) -> bool,
) -> Outcome {
    let subject = Subject::new(case)?;
    let run = |program: &TensorSsa, inputs: &Values<Rational>| {
        eval_ssa(program, &map(inputs, &number), Limits::default())
    };
    let results = run(&subject.ssa, &case.inputs).ok().map(|(results, _)| results);
    for Called { program, inputs } in programs(case, &subject, results.as_ref())? {
        let simple = simplify(&program);
        valid(&program, &simple)?;
        let Ok((wanted, before)) = run(&program, &inputs) else { continue };
        let show =
            || format!("{}becomes\n{}", called(&program, &inputs), unelaborate::ssa(&simple));
        let (found, after) =
            run(&simple, &inputs).map_err(|error| failure(format!("{error}\n{}", show())))?;
        if !same(&found, &wanted) {
            return Err(failure(format!("{found:?}, wanted {wanted:?}\n{}", show())));
        }
        let work = |report: &WorkReport| report.work(Model::Sparse);
        if work(&after) > work(&before) {
            return Err(failure(format!("{}\n{before}\n{after}", show())));
        }
    }
    Ok(())
}

#[test]
fn values_are_kept_and_work_never_rises() {
    check_all(Flavour::Rational, 1000, |case| {
        keeps(case, Rational::clone, |found, wanted| found == wanted)
    });
}

/// Units in the last place of the largest entry of a result.
const ULPS: f64 = 1_048_576.0;

/// Whether results are the same but for the order of sums. What is no number, as `0 * inf`, may become one: its factor 0 is left out.
fn are_near(found: &Values<f64>, wanted: &Values<f64>) -> bool {
    let near = |(found, wanted): (&Value<f64>, &Value<f64>)| match (found, wanted) {
        (Value::Real(a), Value::Real(b)) => {
            let finite = b.data.iter().filter(|b| b.is_finite());
            let most = ULPS * f64::EPSILON * finite.fold(1.0, |s: f64, b| s.max(b.abs()));
            let close = |(a, b): (&f64, &f64)| a == b || b.is_nan() || (a - b).abs() <= most;
            a.shape == b.shape && a.data.iter().zip(&b.data).all(close)
        }
        (found, wanted) => found == wanted,
    };
    found.keys().eq(wanted.keys()) && found.values().zip(wanted.values()).all(near)
}

#[test]
fn values_of_arrays_are_kept_and_work_never_rises() {
    check_all(Flavour::ShortArrays, 300, |case| keeps(case, |x| x.0.to_f64().value(), are_near));
}

/// A law for any programs, and for those of arrays.
fn check_both(law: impl Fn(&Case) -> Outcome) {
    check_all(Flavour::Full, 1000, &law);
    check_all(Flavour::ShortArrays, 300, law);
}

#[test]
fn simplifying_twice_is_simplifying_once() {
    check_both(|case| {
        let subject = Subject::new(case)?;
        for program in [subject.ssa.clone(), subject.vjp()?, subject.jvp()?] {
            let once = simplify(&program);
            let twice = simplify(&once);
            if once != twice {
                let texts = [&once, &twice].map(unelaborate::ssa);
                return Err(failure(format!("{}becomes\n{}", texts[0], texts[1])));
            }
        }
        Ok(())
    });
}

#[test]
fn simplified_programs_print_and_read_back() {
    check_both(|case| {
        let subject = Subject::new(case)?;
        for program in [subject.ssa.clone(), subject.vjp()?, subject.jvp()?] {
            let text = unelaborate::ssa(&simplify(&program));
            let loaded = load(&text).map_err(|found| {
                let rendered = render::render(&found, "text.iv", &text);
                failure(format!("{}becomes\n{text}\n{rendered}", unelaborate::ssa(&program)))
            })?;
            let typed = loaded.function(None).map_err(|none| failure(none.to_string()))?;
            let embedded = ssa::embed(typed).map_err(failure)?;
            let again = unelaborate::ssa(&embedded);
            if text != again {
                return Err(failure(format!("{text}becomes\n{again}")));
            }
        }
        Ok(())
    });
}
