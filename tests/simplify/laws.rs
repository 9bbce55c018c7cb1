//! What holds for every program.

use crate::generate::program::show;
use crate::generate::{Case, Flavour, Outcome, check_all, failure};
use crate::subject::{Subject, reread};
use iverson::ad::{jvp, vjp};
use iverson::interpreter::{EvalError, Model, Rational, WorkReport, eval_ssa};
use iverson::simplify::simplify;
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::ir::{Element, Param};
use iverson::spec::ssa::embed;
use iverson::spec::verify::verify;
use iverson::spec::{TensorSsa, unelaborate};
use std::cell::Cell;

type Run = Result<(Values<Rational>, WorkReport), EvalError>;

fn run(program: &TensorSsa, inputs: &Values<Rational>) -> Run {
    eval_ssa(program, inputs, Limits::default())
}

/// What [`simplify`] promises, for one program and one call of it. Whether the
/// program has a value there.
fn keeps(
    program: &TensorSsa,
    inputs: &Values<Rational>,
) -> Result<bool, proptest::test_runner::TestCaseError> {
    let simple = simplify(program);
    let (old, new) = (unelaborate::ssa(program), unelaborate::ssa(&simple));
    let fail = |what: String| Err(failure(format!("{what}\n{old}\nbecomes\n{new}")));
    if let Err(violation) = verify(&simple) {
        return fail(violation.to_string());
    }
    if simplify(&simple) != simple {
        let again = unelaborate::ssa(&simplify(&simple));
        return fail(format!("doing it again changes more:\n{again}"));
    }
    if simplify(program) != simple {
        return fail("another time it is different".to_owned());
    }
    let read = embed(&reread(&new)?)
        .map_err(|name| failure(format!("`{name}` is no statement\n{new}")))?;
    if unelaborate::ssa(&read) != new {
        return fail(format!("the text reads back as\n{}", unelaborate::ssa(&read)));
    }
    let Ok((wanted, before)) = run(program, inputs) else { return Ok(false) };
    let (found, after) = match run(&simple, inputs) {
        Ok(found) => found,
        Err(error) => return fail(error.to_string()),
    };
    if found != wanted {
        return fail(format!("{}wanted\n{}", show(&found), show(&wanted)));
    }
    let (before_work, after_work) = (before.work(Model::Sparse), after.work(Model::Sparse));
    if after_work > before_work {
        return fail(format!(
            "the work rises from {before_work} to {after_work}\n{before}\n{after}"
        ));
    }
    Ok(true)
}

/// The names of the real parameters.
fn active(program: &TensorSsa) -> Vec<String> {
    let name = |param: &Param| match param {
        Param::Tensor(t) if program.symbols.tensor(*t).element == Element::Real => {
            Some(program.symbols.tensor(*t).name.clone())
        }
        Param::Size(_) | Param::Tensor(_) | Param::Relation(_) => None,
    };
    program.params.iter().filter_map(name).collect()
}

/// The inputs with some for the parameters that a derivative adds, shaped like `shapes`.
fn extended(
    program: &TensorSsa,
    inputs: &Values<Rational>,
    shapes: &[Dense<Rational>],
) -> Values<Rational> {
    let mut inputs = inputs.clone();
    let added: Vec<String> =
        active(program).into_iter().filter(|name| !inputs.contains_key(name)).collect();
    for (place, (name, like)) in added.iter().zip(shapes).enumerate() {
        let entry =
            |at: usize| Rational(dashu_ratio::RBig::from((3 * at + 5 * place) as i64 % 7 - 3));
        let data = (0..like.data.len()).map(entry).collect();
        inputs.insert(name.clone(), Value::Real(Dense { shape: like.shape.clone(), data }));
    }
    inputs
}

fn reals<'v>(values: impl Iterator<Item = &'v Value<Rational>>) -> Vec<Dense<Rational>> {
    let real = |value: &Value<Rational>| match value {
        Value::Real(x) => Some(x.clone()),
        Value::Size(_) | Value::Index(_) | Value::Relation(_) => None,
    };
    values.filter_map(real).collect()
}

fn law(
    default: u32,
    check: impl Fn(&TensorSsa, &Case) -> Result<bool, proptest::test_runner::TestCaseError>,
) {
    let valued = Cell::new(0);
    let total = Cell::new(0);
    check_all(Flavour::Rational, default, |case| -> Outcome {
        let program = Subject::new(case)?.ssa();
        total.set(total.get() + 1);
        valued.set(valued.get() + u32::from(check(&program, case)?));
        Ok(())
    });
    let (valued, total) = (valued.get(), total.get());
    assert!(2 * valued > total, "only {valued} of {total} programs have a value");
    eprintln!("{valued} of {total} programs have a value");
}

#[test]
fn programs_keep_their_meaning() {
    law(500, |program, case| keeps(program, &case.inputs));
}

#[test]
fn vector_jacobian_products_keep_their_meaning() {
    law(500, |program, case| {
        let names = active(program);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let Ok(derivative) = vjp(program, &names) else { return Ok(false) };
        let Ok((results, _)) = run(program, &case.inputs) else { return Ok(false) };
        keeps(&derivative, &extended(&derivative, &case.inputs, &reals(results.values())))
    });
}

#[test]
fn jacobian_vector_products_keep_their_meaning() {
    law(500, |program, case| {
        let names = active(program);
        let wrt: Vec<&str> = names.iter().map(String::as_str).collect();
        let Ok(derivative) = jvp(program, &wrt) else { return Ok(false) };
        let shapes = reals(names.iter().map(|name| &case.inputs[name]));
        keeps(&derivative, &extended(&derivative, &case.inputs, &shapes))
    });
}

#[test]
fn derivatives_of_simplified_derivatives_keep_their_meaning() {
    law(100, |program, case| {
        let names = active(program);
        let wrt: Vec<&str> = names.iter().map(String::as_str).collect();
        let Ok(first) = vjp(program, &wrt) else { return Ok(false) };
        let first = simplify(&first);
        let Ok((results, _)) = run(program, &case.inputs) else { return Ok(false) };
        let inputs = extended(&first, &case.inputs, &reals(results.values()));
        let Ok(second) = jvp(&first, &wrt) else { return Ok(false) };
        let shapes = reals(names.iter().map(|name| &case.inputs[name]));
        keeps(&second, &extended(&second, &inputs, &shapes))
    });
}
