//! Generated programs.

use crate::compare::{difference, difference_in, unlike, with_cotangents};
use crate::examples::real_params;
use crate::generate::{Case, Flavour, check_all, failure};
use iverson::ad::vjp;
use iverson::executor::native::Compiler;
use iverson::executor::{Engine, Fusion, Options, Vectors, compile};
use iverson::interpreter::Rational;
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Value, Values};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::cell::Cell;

pub(crate) fn floats(inputs: &Values<Rational>) -> Values<f64> {
    mapped(inputs, |x| x.0.to_f64().value())
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

/// The programs of a sample: the C compiler takes a tenth of a second for each.
const SAMPLE: u32 = 30;

/// Whether there is a C compiler; says so where there is none.
pub(crate) fn has_compiler() -> bool {
    let compiler = Compiler::find();
    if let Err(error) = &compiler {
        println!("skipped: {error}");
    }
    compiler.is_ok()
}

/// What native code gives that the interpreter does not; in 32 bits, that the plain runner does not.
fn native_difference(program: &TensorSsa, inputs: &Values<f64>, narrow: bool) -> Option<String> {
    let native = [(Engine::Native, Fusion::On, Vectors::default())];
    let differs = difference_in(&native, program, inputs, 4096.0);
    if differs.is_some() || !narrow {
        return differs;
    }
    let inputs = narrowed(inputs);
    let run = |engine| {
        let options = Options { engine, ..Options::default() };
        let executable = compile::<f32>(program, options);
        executable.map_err(|error| error.to_string())?.call(&inputs).map_err(|e| e.to_string())
    };
    match (run(Engine::Runner), run(Engine::Native)) {
        (Ok(a), Ok(b)) => unlike(&widened(&a), &widened(&b), 4096.0 * 536_870_912.0),
        (a, b) => (a != b).then(|| format!("{a:?} and {b:?}")),
    }
}

fn mapped<S, T>(values: &Values<S>, number: impl Fn(&S) -> T) -> Values<T> {
    let value = |value: &Value<S>| match value {
        Value::Size(n) => Value::Size(*n),
        Value::Index(p) => Value::Index(p.clone()),
        Value::Relation(r) => Value::Relation(r.clone()),
        Value::Real(x) => Value::Real(Dense {
            shape: x.shape.clone(),
            data: x.data.iter().map(&number).collect(),
        }),
    };
    values.iter().map(|(name, v)| (name.clone(), value(v))).collect()
}

pub(crate) fn narrowed(values: &Values<f64>) -> Values<f32> {
    mapped(values, |x| *x as f32)
}

pub(crate) fn widened(values: &Values<f32>) -> Values<f64> {
    mapped(values, |x| f64::from(*x))
}

#[test]
fn native_code_of_a_sample_gives_what_the_interpreter_gives() {
    if !has_compiler() {
        return;
    }
    let left = Cell::new(SAMPLE);
    check_all(Flavour::Full, SAMPLE, |case: &Case| {
        let loaded = load(&case.text).map_err(|_| failure("the program is not valid"))?;
        let typed = loaded.function(None).map_err(|none| failure(none.to_string()))?;
        if left.get() == 0 {
            return Ok(());
        }
        left.set(left.get() - 1);
        let inputs = floats(&case.inputs);
        match native_difference(&normalize(typed), &inputs, left.get().is_multiple_of(2)) {
            None => Ok(()),
            Some(what) => Err(failure(what)),
        }
    });
}

#[test]
fn native_code_of_a_sample_of_derivatives_gives_what_the_interpreter_gives() {
    if !has_compiler() {
        return;
    }
    let left = Cell::new(SAMPLE / 2);
    check_all(Flavour::Rational, SAMPLE, |case: &Case| {
        let loaded = load(&case.text).map_err(|_| failure("the program is not valid"))?;
        let typed = loaded.function(None).map_err(|none| failure(none.to_string()))?;
        let program = normalize(typed);
        let Ok(derivative) = vjp(&program, &real_params(&program)) else { return Ok(()) };
        if left.get() == 0 {
            return Ok(());
        }
        left.set(left.get() - 1);
        let inputs = with_cotangents(&derivative, &program, &floats(&case.inputs));
        match native_difference(&derivative, &inputs, false) {
            None => Ok(()),
            Some(what) => Err(failure(what)),
        }
    });
}
