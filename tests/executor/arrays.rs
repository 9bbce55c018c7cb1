//! Generated programs of arrays, with axes as long as strips and windows, and their gradients: the plain runner
//! gives the same bits with fusion as without it, in 64 and in 32 bits, and the engines what the interpreter gives, with the
//! same bits for any number of threads.

use crate::compare::{chopped, difference, difference_in, may_go, unlike, with_cotangents};
use crate::examples::real_params;
use crate::generate::run::count;
use crate::generate::{Case, Flavour, check_all, failure};
use crate::generated::{floats, has_compiler, narrowed, widened};
use crate::threads::bits;
use iverson::ad::vjp;
use iverson::executor::{Engine, Fusion, Options, Vectors, compile};
use iverson::pipeline::load;
use iverson::simplify::simplify;
use iverson::spec::call::Values;
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use iverson::spec::unelaborate;
use std::cell::Cell;
use std::num::NonZero;

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

/// Units in the last place of 32 bits, for the same reasons.
const NARROW_ULPS: f64 = 4096.0 * 536_870_912.0;

/// What engines give in 32 bits that the plain runner does not give without fusion; with fusion it gives the same bits.
fn narrow_difference(
    engines: &[(Engine, Vectors)],
    program: &TensorSsa,
    inputs: &Values<f64>,
) -> Option<String> {
    let inputs = narrowed(inputs);
    let run = |engine, fusion, vectors| {
        let options = Options { engine, fusion, ..Options::default() };
        let mut executable = compile::<f32>(program, options).map_err(|e| e.to_string())?;
        *executable.vectors() = vectors;
        executable.call(&inputs).map(|found| widened(&found)).map_err(|e| e.to_string())
    };
    let wanted = run(Engine::Runner, Fusion::Off, Vectors::default());
    engines.iter().find_map(|&(engine, vectors)| {
        let ulps = if engine == Engine::Runner { 0.0 } else { NARROW_ULPS };
        let what = match (&wanted, run(engine, Fusion::On, vectors)) {
            (Ok(wanted), Ok(found)) => unlike(wanted, &found, ulps)?,
            (Err(_), Err(_)) => return None,
            (Err(wanted), Ok(_)) if may_go(wanted) => return None,
            (wanted, found) => format!("{found:?}, wanted {wanted:?}"),
        };
        Some(format!("{engine:?}, {vectors:?}, 32 bits: {what}\n{}", unelaborate::ssa(program)))
    })
}

/// The bits that one thread gives and two do not.
fn thread_difference(
    (engine, vectors): (Engine, Vectors),
    program: &TensorSsa,
    inputs: &Values<f64>,
) -> Option<String> {
    let run = |threads| {
        let options = Options { engine, threads: NonZero::new(threads), ..Options::default() };
        let mut executable = compile::<f64>(program, options).unwrap();
        *executable.vectors() = vectors;
        bits(executable.call(inputs).ok())
    };
    let text = || format!("{engine:?}, {vectors:?}: two threads\n{}", unelaborate::ssa(program));
    (run(1) != run(2)).then(text)
}

/// What the plain runner and the block engine give that the interpreter does not.
fn any_difference(program: &TensorSsa, inputs: &Values<f64>) -> Option<String> {
    let plain = Vectors::default();
    let engines = [(Engine::Runner, plain), (Engine::Block, plain), (Engine::Block, chopped())];
    difference(program, inputs, ULPS)
        .or_else(|| narrow_difference(&engines, program, inputs))
        .or_else(|| thread_difference((Engine::Block, chopped()), program, inputs))
}

#[test]
fn programs_of_arrays_give_what_the_interpreter_gives() {
    check(150, false, any_difference);
}

#[test]
fn gradients_of_arrays_give_what_the_interpreter_gives() {
    check(100, true, any_difference);
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

/// The programs of a sample: the C compiler takes a quarter of a second for each, in 64 bits and in 32.
const SAMPLE: u32 = 20;
/// How often native code is made to find a smaller program that fails.
const SHRINKING: u32 = 100;

#[test]
fn native_code_of_a_sample_of_arrays_gives_what_the_interpreter_gives() {
    if !has_compiler() {
        return;
    }
    let (engine, plain) = (Engine::Native, Vectors::default());
    for gradient in [false, true] {
        let left = Cell::new(count(SAMPLE) + SHRINKING);
        check(SAMPLE, gradient, |program, inputs| {
            // then shrinking goes on without a compiler
            left.set(left.get().checked_sub(1)?);
            difference_in(&[(engine, Fusion::On, plain)], program, inputs, ULPS)
                .or_else(|| thread_difference((engine, plain), program, inputs))
                .or_else(|| narrow_difference(&[(engine, plain)], program, inputs))
        });
    }
}
