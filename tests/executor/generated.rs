//! Generated programs.

use crate::compare::{difference, with_cotangents};
use crate::examples::real_params;
use crate::generate::{Case, Flavour, check_all, failure};
use iverson::ad::vjp;
use iverson::interpreter::Rational;
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Value, Values};
use iverson::spec::normalize;

fn floats(inputs: &Values<Rational>) -> Values<f64> {
    let value = |value: &Value<Rational>| match value {
        Value::Size(n) => Value::Size(*n),
        Value::Index(p) => Value::Index(p.clone()),
        Value::Relation(r) => Value::Relation(r.clone()),
        Value::Real(x) => Value::Real(Dense {
            shape: x.shape.clone(),
            data: x.data.iter().map(|r| r.0.to_f64().value()).collect(),
        }),
    };
    inputs.iter().map(|(name, v)| (name.clone(), value(v))).collect()
}

#[test]
fn generated_programs_give_what_the_interpreter_gives() {
    check_all(Flavour::Full, 400, |case: &Case| {
        let loaded = load(&case.text).map_err(|_| failure("the program is not valid"))?;
        let typed = loaded.function(None).map_err(|none| failure(none.to_string()))?;
        match difference(&normalize(typed), &floats(&case.inputs), 1024.0) {
            None => Ok(()),
            Some(what) => Err(failure(what)),
        }
    });
}

#[test]
fn derivatives_of_generated_programs_give_what_the_interpreter_gives() {
    check_all(Flavour::Rational, 150, |case: &Case| {
        let loaded = load(&case.text).map_err(|_| failure("the program is not valid"))?;
        let typed = loaded.function(None).map_err(|none| failure(none.to_string()))?;
        let program = normalize(typed);
        let Ok(derivative) = vjp(&program, &real_params(&program)) else { return Ok(()) };
        let inputs = with_cotangents(&derivative, &program, &floats(&case.inputs));
        match difference(&derivative, &inputs, 4096.0) {
            None => Ok(()),
            Some(what) => Err(failure(what)),
        }
    });
}
