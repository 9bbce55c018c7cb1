//! Native code in memory: stages of a program, run over a frame.

#![allow(unsafe_code, reason = "calls of functions that were printed and compiled here")]

use super::Precision;
use super::compiler::{Compiler, NativeError};
use super::pieces::{Piece, What};
use super::schedule::{Memory, Run, Stage};
use super::stages::{Staged, staged};
use super::streams::{LARGE, pay};
use crate::Report;
use crate::frame::{Frame, extent};
use crate::fuse::{Turned, for_tiles};
use crate::lines::{at_line, clear};
use crate::loops::{Buffer, BufferId, LoopProgram, RelId, Role};
use crate::scalar::Scalar;
use crate::team::Team;
use libloading::Library;
use std::ffi::c_void;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

/// What is done one after the other.
#[derive(Clone, Debug)]
enum Step<S> {
    Stage(Box<Stage<S>>),
    Clear(BufferId),
}

/// A program as native code.
#[derive(Clone, Debug)]
pub struct Native<S> {
    /// Keeps the code in memory.
    _library: Arc<Library>,
    stages: Vec<Step<S>>,
    ints: usize,
    reals: usize,
    /// How many buffers the program has that it was compiled from.
    buffers: usize,
    /// The copies that the code makes besides, with their memory.
    copies: Vec<(Buffer, Vec<S>)>,
    /// The copies of buffers that parts of a loop add to.
    private: Vec<S>,
    /// By thread: what an iteration has for itself.
    locals: Vec<Vec<S>>,
    relations: usize,
    results: Vec<BufferId>,
    /// Results of so many bytes in all are large.
    pub(super) large: i64,
}

/// Why a run ended early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interrupted {
    /// A check failed, or a number had no floor: the plain runner tells which is the first.
    Failed,
    /// The caller has asked to stop.
    Cancelled,
}

impl<S: Scalar> Native<S> {
    /// Compiles a loop program.
    ///
    /// * **Cost**: the C compiler's, some 50 ms and more; a millisecond where the cache has it.
    ///
    /// # Errors
    /// [`NativeError`]
    pub fn compile(program: &LoopProgram) -> Result<Self, NativeError> {
        let precision = if S::BYTES == 4 { Precision::F32 } else { Precision::F64 };
        let (buffers, program) = (program.buffers.len(), &for_tiles(program, Turned::Rows));
        Self::of(program, buffers, staged(program, precision, pay()))
    }

    /// Compiles a text of a program, of whose buffers so many are not copies.
    ///
    /// # Errors
    /// [`NativeError`]
    pub(super) fn of(
        program: &LoopProgram,
        buffers: usize,
        text: Staged,
    ) -> Result<Self, NativeError> {
        let load = |path: &Path| Self::load(program, buffers, text.pieces.clone(), path);
        Compiler::find()?.library(&text.source, load)
    }

    fn load(
        program: &LoopProgram,
        buffers: usize,
        pieces: Vec<Piece>,
        path: &Path,
    ) -> Result<Self, NativeError> {
        let failed = |e: libloading::Error| NativeError::System {
            what: format!("loading {}", path.display()),
            reason: e.to_string(),
        };
        // SAFETY: the library was compiled from a text printed here, which has no initialisers; the cache
        // is a directory that only the user may write to.
        let library = unsafe { Library::new(path) }.map_err(failed)?;
        let stages = pieces.into_iter().map(|piece| match piece.what {
            What::Clear(buffer) => Ok(Step::Clear(buffer)),
            What::Nodes(_) | What::Loop(..) | What::If(..) => {
                let name = format!("iv_run_{}", piece.number);
                // SAFETY: stages are printed with this signature; the pointer is kept with the library.
                let run = *unsafe { library.get::<Run<S>>(name.as_bytes()) }?;
                Ok(Step::Stage(Box::new(Stage::load(&library, run, piece)?)))
            }
        });
        let stages = stages.collect::<Result<_, _>>().map_err(failed)?;
        Ok(Self {
            _library: Arc::new(library),
            stages,
            ints: program.ints.len(),
            reals: program.reals.len(),
            buffers,
            copies: program.buffers[buffers..].iter().map(|b| (b.clone(), Vec::new())).collect(),
            private: Vec::new(),
            locals: Vec::new(),
            relations: program.relations.len(),
            results: program
                .buffers
                .iter()
                .enumerate()
                .filter(|(_, buffer)| buffer.role == Role::Output)
                .map(|(at, _)| BufferId(at as u32))
                .collect(),
            large: LARGE,
        })
    }

    /// The copies of buffers that the code makes.
    pub(super) fn copies(&self) -> impl Iterator<Item = &Buffer> {
        self.copies.iter().map(|(buffer, _)| buffer)
    }

    /// Runs the program, its loops shared by the threads of `team`.
    /// `report` is told after each stage.
    ///
    /// * **Arithmetic**: the same bits for any number of threads.
    ///
    /// # Errors
    /// [`Interrupted`]; what the program writes is then undefined.
    pub fn run(
        &mut self,
        frame: &Frame<S>,
        cancelled: &AtomicBool,
        team: Team<'_>,
        report: &Report,
    ) -> Result<(), Interrupted> {
        let address = |at: usize| {
            let id = BufferId(at as u32);
            let reals = frame.reals_ptr(id).cast::<c_void>();
            if reals.is_null() { frame.ints_ptr(id).cast() } else { reals }
        };
        let map = |at: usize| frame.members(RelId(at as u32)).map_ptr().cast_mut().cast::<c_void>();
        let copies = self.copies.iter_mut().map(|(buffer, memory)| {
            let count: i64 =
                buffer.extents.iter().map(|e| extent(e, &frame.sizes).max(0)).product();
            let copy = at_line(memory, count as usize);
            (copy.as_mut_ptr(), copy.len())
        });
        let copies: Vec<(*mut S, usize)> = copies.collect();
        let addresses = copies.iter().map(|(start, _)| start.cast::<c_void>());
        let buffers = (0..self.buffers).map(address).chain(addresses);
        let buffers: Vec<*mut c_void> = buffers.chain((0..self.relations).map(map)).collect();
        let private = Mutex::new(std::mem::take(&mut self.private));
        let locals = Mutex::new(std::mem::take(&mut self.locals));
        let entries = |id: &BufferId| frame.extents(*id).iter().product::<i64>();
        let bytes = self.results.iter().map(entries).sum::<i64>() * S::BYTES as i64;
        let mut sizes = frame.sizes.clone();
        sizes.push(i64::from(bytes >= self.large));
        let (mut ints, mut reals) = (vec![0; self.ints], vec![S::default(); self.reals]);
        let memory = Memory {
            frame,
            sizes: &sizes,
            buffers: &buffers,
            ints: ints.as_mut_ptr(),
            reals: reals.as_mut_ptr(),
            counts: (self.ints, self.reals),
            private: &private,
            locals: &locals,
            cancelled,
            team,
        };
        for (done, stage) in self.stages.iter().enumerate() {
            match stage {
                Step::Stage(stage) => stage.execute(&memory)?,
                Step::Clear(buffer) if buffer.index() < self.buffers => frame.clear(*buffer, team),
                Step::Clear(buffer) => {
                    let (start, len) = copies[buffer.index() - self.buffers];
                    // SAFETY: this is the memory of the copy, which nothing else touches between two stages.
                    clear(unsafe { std::slice::from_raw_parts_mut(start, len) });
                }
            }
            report(done + 1, self.stages.len());
        }
        self.private = private.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.locals = locals.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(())
    }
}
