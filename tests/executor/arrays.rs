//! Generated programs of arrays, with axes as long as strips and windows, and their gradients: the plain runner
//! gives the same bits with fusion as without it, in 64 and in 32 bits, and the engines what the interpreter gives.

use crate::compare::{difference, difference_in, unlike, with_cotangents};
use crate::examples::real_params;
use crate::generate::{Case, Flavour, check_all, failure};
use crate::generated::{floats, has_compiler, narrowed, widened};
use iverson::ad::vjp;
use iverson::executor::{Engine, Fusion, Options, Vectors, compile};
use iverson::pipeline::load;
use iverson::simplify::simplify;
use iverson::spec::call::Values;
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::cell::Cell;

/// Units in the last place of the largest entry of a result: sums are regrouped, and long recurrences carry on what
/// that changes.
const ULPS: f64 = 1_048_576.0;

/// The program of a case, or its simplified gradient, with what it is called with.
fn called(case: &Case, gradient: bool) -> Result<Option<(TensorSsa, Values<f64>)>, String> {
    let loaded = load(&case.text).map_err(|_| "the program is not valid")?;
    let typed = loaded.function(None).map_err(|none| none.to_string())?;
    let (program, inputs) = (normalize(typed), floats(&case.inputs));
    if !gradient {
        return Ok(Some((program, inputs)));
    }
    let Ok(derivative) = vjp(&program, &real_params(&program)) else { return Ok(None) };
    let inputs = with_cotangents(&derivative, &program, &inputs);
    Ok(Some((simplify(&derivative), inputs)))
}

/// A law for programs of arrays, or for their gradients.
fn check(count: u32, gradient: bool, law: impl Fn(&TensorSsa, &Values<f64>) -> Option<String>) {
    check_all(Flavour::Arrays, count, |case: &Case| {
        let Some((program, inputs)) = called(case, gradient).map_err(failure)? else {
            return Ok(());
        };
        law(&program, &inputs).map_or(Ok(()), |what| Err(failure(what)))
    });
}

/// What the plain runner gives in 32 bits with fusion that it does not give without.
fn narrow_difference(program: &TensorSsa, inputs: &Values<f64>) -> Option<String> {
    let inputs = narrowed(inputs);
    let run = |fusion| {
        let options = Options { engine: Engine::Runner, fusion, ..Options::default() };
        let executable = compile::<f32>(program, options);
        executable.map_err(|error| error.to_string())?.call(&inputs).map_err(|e| e.to_string())
    };
    match (run(Fusion::Off), run(Fusion::On)) {
        (Ok(a), Ok(b)) => {
            unlike(&widened(&a), &widened(&b), 0.0).map(|what| format!("32 bits: {what}"))
        }
        (Err(_), Err(_)) => None,
        (a, b) => Some(format!("32 bits: {a:?} and {b:?}")),
    }
}

#[test]
fn programs_of_arrays_give_what_the_interpreter_gives() {
    check(150, false, |program, inputs| {
        difference(program, inputs, ULPS).or_else(|| narrow_difference(program, inputs))
    });
}

#[test]
fn gradients_of_arrays_give_what_the_interpreter_gives() {
    check(100, true, |program, inputs| {
        difference(program, inputs, ULPS).or_else(|| narrow_difference(program, inputs))
    });
}

/// What the notes of loops say that fusion has done.
const DONE: [&str; 7] = [
    " rows at a time",
    " columns at a time",
    ", the last ",
    ", a step at a time",
    ", computed again",
    " in the memory of ",
    "points in the order of a key",
];

#[test]
fn loops_of_arrays_have_what_fusion_can_do() {
    let found = DONE.map(|_| Cell::new(0_u32));
    for gradient in [false, true] {
        check(300, gradient, |program, _| {
            let executable = compile::<f64>(program, Options::default()).unwrap();
            let text = executable.loops().to_string();
            for (done, count) in DONE.iter().zip(&found) {
                count.set(count.get() + u32::from(text.contains(done)));
            }
            None
        });
    }
    let counts: Vec<_> = DONE.iter().zip(found.map(Cell::into_inner)).collect();
    assert!(counts.iter().all(|(_, count)| *count >= 3), "{counts:?}");
}

/// The programs of a sample: the C compiler takes a tenth of a second for each.
const SAMPLE: u32 = 20;

#[test]
fn native_code_of_a_sample_of_arrays_gives_what_the_interpreter_gives() {
    if !has_compiler() {
        return;
    }
    for gradient in [false, true] {
        let left = Cell::new(SAMPLE);
        check(SAMPLE, gradient, |program, inputs| {
            // shrinking goes on without a compiler
            left.set(left.get().checked_sub(1)?);
            let native = [(Engine::Native, Fusion::On, Vectors::default())];
            difference_in(&native, program, inputs, ULPS)
        });
    }
}
