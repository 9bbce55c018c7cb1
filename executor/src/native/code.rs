//! The native code of an executable: when it is made, and when it is run.

use super::compiler::NativeError;
use super::engine::{Interrupted, Native};
use super::worth::is_worth_compiling;
use crate::frame::Frame;
use crate::loops::{Buffer, LoopProgram};
use crate::scalar::Scalar;
use crate::team::Team;
use crate::{Engine, Report};
use std::sync::atomic::AtomicBool;

/// Native code, where there is some.
#[derive(Clone, Debug)]
pub(crate) struct Code<S> {
    native: Option<Native<S>>,
    /// Why there is none, where [`Engine::Auto`] has asked for it.
    note: Option<NativeError>,
}

impl<S: Scalar> Code<S> {
    /// Compiles the program if the engine is [`Engine::Native`].
    ///
    /// # Errors
    /// [`NativeError`], for that engine.
    pub(crate) fn new(engine: Engine, program: &LoopProgram) -> Result<Self, NativeError> {
        let native = match engine {
            Engine::Native => Some(Native::compile(program)?),
            Engine::Runner | Engine::Block | Engine::Auto => None,
        };
        Ok(Self { native, note: None })
    }

    /// Whether native code is what a call at these sizes runs. For [`Engine::Auto`] it is compiled
    /// before the first call that has work enough to pay for it; smaller calls do without, so that a call
    /// has the same bits whatever was called before.
    pub(crate) fn serves(&mut self, engine: Engine, program: &LoopProgram, sizes: &[i64]) -> bool {
        match engine {
            Engine::Runner | Engine::Block => false,
            Engine::Native => true,
            Engine::Auto if !is_worth_compiling(program, sizes) => false,
            Engine::Auto => {
                if self.native.is_none() && self.note.is_none() {
                    match Native::compile(program) {
                        Ok(native) => self.native = Some(native),
                        Err(error) => self.note = Some(error),
                    }
                }
                self.native.is_some()
            }
        }
    }

    /// The copies of buffers that native code makes, where there is some.
    pub(crate) fn copies(&self) -> impl Iterator<Item = &Buffer> {
        self.native.iter().flat_map(Native::copies)
    }

    /// Why [`Engine::Auto`] does without native code.
    pub(crate) fn note(&self) -> Option<&NativeError> {
        self.note.as_ref()
    }

    /// Runs the program; only where [`Code::serves`].
    ///
    /// # Errors
    /// [`Interrupted`]
    pub(crate) fn run(
        &mut self,
        frame: &Frame<S>,
        cancelled: &AtomicBool,
        team: Team<'_>,
        report: &Report,
    ) -> Result<(), Interrupted> {
        let Some(native) = &mut self.native else {
            unreachable!("native code is there where it serves")
        };
        native.run(frame, cancelled, team, report)
    }
}
