//! What is refused, and how: limits, conditions on data, broken loop programs.

use crate::memory::nbody;
use iverson::executor::loops::verify::verify;
use iverson::executor::loops::{Int, Node, Order, Place};
use iverson::executor::native::Compiler;
use iverson::executor::{
    CompileError, Engine, Executable, Fusion, Inputs, LoopProgram, Options, Output, Outputs,
    RunError, compile, lower,
};
use iverson::interpreter::eval_ssa;
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::num::NonZero;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

fn program(text: &str) -> TensorSsa {
    normalize(load(text).unwrap().function(None).unwrap())
}

#[track_caller]
fn executable(program: &TensorSsa, options: Options) -> Executable<f64> {
    compile(program, options).unwrap()
}

/// The energy of n bodies: the distances of all pairs are not kept.
#[test]
fn the_energy_of_n_bodies_needs_no_matrix() {
    let n = 300;
    let (nbody, inputs) = nbody(n);
    let memory = 8 * n as u64 * 10;
    let options = Options { memory, ..Options::default() };
    assert!(executable(&nbody, options.clone()).call(&inputs).is_ok());
    let unfused = Options { fusion: Fusion::Off, ..options };
    let error = executable(&nbody, unfused).call(&inputs).unwrap_err().to_string();
    assert!(error.contains("has shape [300, 300"), "{error}");
}

/// A product with a transposed factor reads a copy of it, which counts for the limit.
#[test]
fn transposed_copies_count_for_the_limit_of_memory() {
    let n = 32;
    let program = program(
        "fn f(n: size, A: real[n, n], B: real[n, n]) -> (C: real[n, n]) {
            C[i: n, j: n] = sum(l: n) A[i, l] * B[j, l]
        }",
    );
    let matrix = Value::Real(Dense { shape: vec![n, n], data: vec![1.0; n * n] });
    let inputs = Values::from([("A".into(), matrix.clone()), ("B".into(), matrix)]);
    let call = |engine, matrices: usize| {
        let memory = (8 * n * n * matrices) as u64;
        let options = Options { engine, memory, ..Options::default() };
        executable(&program, options).call(&inputs).map_err(|error| error.to_string())
    };
    let found = call(Engine::Block, 4).unwrap();
    assert_eq!(found, call(Engine::Runner, 3).unwrap());
    let error = call(Engine::Block, 3).unwrap_err();
    assert!(error.contains("`B`"), "{error}");
}

#[test]
fn what_requires_demands_is_checked_as_in_the_interpreter() {
    let program = program(
        "fn f(n: size, p: index(n)[n], x: real[n]) -> (y: real) {
            requires(i: n) p[i] <= i
            y = sum(i: n) x[p[i]]
        }",
    );
    let mut inputs = Values::new();
    inputs.insert("p".into(), Value::indices(vec![0, 2, 1]));
    inputs.insert("x".into(), Value::vector(vec![1.0, 2.0, 3.0]));
    let wanted = eval_ssa(&program, &inputs, Limits::default()).unwrap_err().to_string();
    let found = executable(&program, Options::default()).call(&inputs).unwrap_err().to_string();
    assert_eq!(found, wanted);
    inputs.insert("p".into(), Value::indices(vec![0, 3, 1]));
    let wanted = eval_ssa(&program, &inputs, Limits::default()).unwrap_err().to_string();
    let found = executable(&program, Options::default()).call(&inputs).unwrap_err().to_string();
    assert_eq!(found, wanted);
}

#[test]
fn results_go_to_the_memory_of_the_caller() {
    let program = program("fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = 2 * x[i] }");
    let mut executable = executable(&program, Options::default());
    let x = [1.0, 2.0, 3.0];
    let inputs = Inputs(vec![("x", iverson::executor::Argument::Real(&[3], &x))]);
    for _ in 0..2 {
        let mut y = [0.0; 3];
        executable.run(&inputs, &mut Outputs(vec![("y", Output::Real(&mut y))])).unwrap();
        assert_eq!(y, [2.0, 4.0, 6.0]);
    }
    let mut short = [0.0; 2];
    let error = executable.run(&inputs, &mut Outputs(vec![("y", Output::Real(&mut short))]));
    assert!(matches!(error, Err(RunError::WrongOutput { .. })), "{error:?}");
    let error = executable.run(&inputs, &mut Outputs(Vec::new()));
    assert!(matches!(error, Err(RunError::MissingOutput { .. })), "{error:?}");
}

#[test]
fn a_run_says_how_far_it_is_and_can_be_cancelled() {
    let program = program(
        "fn f(n: size, x: real[n]) -> (s: real, t: real) {
            s = sum(i: n) x[i]
            t = s * s
        }",
    );
    let compiler = Compiler::find().is_ok();
    for engine in Engine::ALL.into_iter().filter(|e| compiler || *e != Engine::Native) {
        let options = Options { engine, ..Options::default() };
        let mut executable = executable(&program, options);
        let told = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&told);
        executable.report_to(Arc::new(move |done, of| list.lock().unwrap().push((done, of))));
        let mut inputs = Values::new();
        inputs.insert("x".into(), Value::vector(vec![1.0; 10]));
        executable.call(&inputs).unwrap();
        let told = told.lock().unwrap().clone();
        assert!(told.iter().enumerate().all(|(at, (done, _))| *done == at + 1), "{told:?}");
        assert_eq!(told.last().map(|(done, of)| done == of), Some(true), "{told:?}");
        let cancel = executable.cancel();
        executable.report_to(Arc::new(move |_, _| cancel.store(true, Ordering::Relaxed)));
        assert!(matches!(executable.call(&inputs), Err(RunError::Cancelled)), "{engine:?}");
    }
}

#[test]
fn threads_that_cannot_be_had_are_an_error() {
    let program = program("fn f(x: real) -> (y: real) { y = x }");
    let options = Options { threads: NonZero::new(usize::MAX), ..Options::default() };
    let error = compile::<f64>(&program, options).unwrap_err();
    assert!(matches!(error, CompileError::Threads { wanted: usize::MAX, .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("at most") && text.contains("ask for fewer"), "{text}");
}

/// Each change breaks one invariant, and `verify` says which.
#[test]
fn broken_loop_programs_are_refused() {
    let whole = lower(&program("fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = 2 * x[i] }"))
        .unwrap();
    assert_eq!(verify(&whole), Ok(()));
    let broken = |invariant: u8, change: &dyn Fn(&mut LoopProgram)| {
        let mut program = whole.clone();
        change(&mut program);
        assert_eq!(verify(&program).unwrap_err().invariant, invariant, "{program}");
    };
    let header = |program: &mut LoopProgram,
                  change: &dyn Fn(&mut iverson::executor::loops::For)| {
        for node in &mut program.body {
            if let Node::For(header) = node {
                change(header);
            }
        }
    };
    broken(1, &|p| p.ints.clear());
    broken(2, &|p| p.buffers[0].extents[0] = Int::Var(iverson::executor::loops::IntId(0)));
    broken(3, &|p| p.buffers[1].role = iverson::executor::loops::Role::Input);
    broken(4, &|p| p.buffers[0].extents.push(Int::Const(1)));
    broken(5, &|p| {
        header(p, &|h| {
            assert_eq!(h.order, Order::Parallel);
            for node in &mut h.body {
                if let Node::Store(Place { indices, .. }, _) = node {
                    indices[0] = Int::Const(0);
                }
            }
        });
    });
    broken(7, &|p| header(p, &|h| h.upper.clear()));
}
