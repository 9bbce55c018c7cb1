//! Simplifying keeps values, never raises work, and is done after once.

use crate::generate::{Case, Flavour, Outcome, check_all, failure};
use crate::subject::*;
use iverson::interpreter::{Model, Rational, eval_ssa};
use iverson::pipeline::load;
use iverson::simplify::simplify;
use iverson::spec::call::{Limits, Values};
use iverson::spec::{TensorSsa, render, ssa, unelaborate, verify};

/// A program that was made from a case, with what it is called with.
struct Called {
    program: TensorSsa,
    inputs: Values<Rational>,
}

/// The normal form of a case, its derivatives and one second derivative.
fn programs(case: &Case) -> Result<Vec<Called>, proptest::test_runner::TestCaseError> {
    let subject = Subject::new(case)?;
    let mut all = vec![Called { program: subject.ssa.clone(), inputs: case.inputs.clone() }];
    let Ok(results) = run(&subject.ssa, &case.inputs) else { return Ok(all) };
    let mut directions = Directions::new(case);
    let jvp = subject.jvp()?;
    let dots = directions.at(&case.inputs, &subject.wrt);
    let inputs = with(&case.inputs, &added_params(&jvp, &subject.ssa), &dots);
    all.push(Called { program: jvp, inputs });
    let vjp = subject.vjp()?;
    let bars = directions.at(&results, &real_results(&subject.ssa));
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

#[test]
fn values_are_kept_and_work_never_rises() {
    check_all(Flavour::Rational, 1000, |case| {
        for Called { program, inputs } in programs(case)? {
            let simple = simplify(&program);
            valid(&program, &simple)?;
            let Ok((wanted, before)) = eval_ssa(&program, &inputs, Limits::default()) else {
                continue;
            };
            let show =
                || format!("{}becomes\n{}", called(&program, &inputs), unelaborate::ssa(&simple));
            let (found, after) = eval_ssa(&simple, &inputs, Limits::default())
                .map_err(|error| failure(format!("{error}\n{}", show())))?;
            if found != wanted {
                return Err(failure(format!("{found:?}, wanted {wanted:?}\n{}", show())));
            }
            let work = |report: &iverson::interpreter::WorkReport| report.work(Model::Sparse);
            if work(&after) > work(&before) {
                return Err(failure(format!("{}\n{before}\n{after}", show())));
            }
        }
        Ok(())
    });
}

#[test]
fn simplifying_twice_is_simplifying_once() {
    check_all(Flavour::Full, 1000, |case| {
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
    check_all(Flavour::Full, 1000, |case| {
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
