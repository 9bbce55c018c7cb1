//! Who evaluates: the interpreter, or an engine of the executor.

use crate::args::{EngineArgs, EngineName};
use crate::failure::Failure;
use iverson::executor::{Engine, Options, RunError, compile};
use iverson::interpreter::{Scalar, eval_ssa};
use iverson::spec::TensorSsa;
use iverson::spec::call::{Limits, Values};
use std::time::Instant;

impl EngineArgs {
    /// Whether the interpreter evaluates.
    pub(crate) fn interprets(&self) -> bool {
        self.engine == EngineName::Interpreter
    }

    /// Checks that scalars other than `f64` go to the interpreter, and threads to an engine.
    pub(crate) fn check(&self, floats: bool) -> Result<(), Failure> {
        if !self.interprets() && !floats {
            return Err(Failure::new(
                "engines compute in f64 alone; leave `--scalar` out, or take `--engine interpreter`",
            ));
        }
        if self.interprets() && self.threads.is_some() {
            return Err(Failure::new(
                "the interpreter has one thread; `--threads` needs `--engine block`, `native` or `auto`",
            ));
        }
        Ok(())
    }

    /// The results of a program in `f64`.
    pub(crate) fn floats(
        &self,
        program: &TensorSsa,
        arguments: &Values<f64>,
        limits: Limits,
    ) -> Result<Values<f64>, Failure> {
        let engine = match self.engine {
            EngineName::Interpreter => return self.interpret(program, arguments, limits),
            EngineName::Block => Engine::Block,
            EngineName::Native => Engine::Native,
            EngineName::Auto => Engine::Auto,
        };
        let start = Instant::now();
        let options =
            Options { engine, threads: self.threads, memory: limits.bytes, ..Options::default() };
        let mut executable = compile::<f64>(program, options).map_err(Failure::new)?;
        self.tell("compile", start);
        let start = Instant::now();
        let results = executable.call(arguments).map_err(|error| {
            if let RunError::Call(call) = &error {
                Failure::call(call)
            } else {
                Failure::new(error)
            }
        })?;
        self.tell("run", start);
        Ok(results)
    }

    /// The results of a program by the interpreter.
    pub(crate) fn interpret<S: Scalar>(
        &self,
        program: &TensorSsa,
        arguments: &Values<S>,
        limits: Limits,
    ) -> Result<Values<S>, Failure> {
        let start = Instant::now();
        let (results, _work) =
            eval_ssa(program, arguments, limits).map_err(|e| Failure::eval(&e))?;
        self.tell("run", start);
        Ok(results)
    }

    /// Says how long a step took, if asked.
    pub(crate) fn tell(&self, step: &str, start: Instant) {
        if self.time {
            eprintln!("{step}: {:.3} ms", start.elapsed().as_secs_f64() * 1e3);
        }
    }
}
