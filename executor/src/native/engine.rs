//! Native code in memory: stages of a program, run over a frame.

#![allow(unsafe_code, reason = "calls of functions that were printed and compiled here")]

use super::Precision;
use super::compiler::{Compiler, NativeError};
use super::stages::{Kind, Parts, staged};
use super::worth::work;
use crate::Report;
use crate::frame::{Frame, extent};
use crate::fuse::{Turned, for_tiles};
use crate::loops::{Buffer, BufferId, LoopProgram, RelId};
use crate::private;
use crate::runner::join;
use crate::scalar::Scalar;
use crate::team::Team;
use libloading::Library;
use std::ffi::c_void;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// `iv_run_k(sizes, buffers, ints, reals, begin, end)`
type Run<S> =
    unsafe extern "C" fn(*const i64, *const *mut c_void, *mut i64, *mut S, i64, i64) -> i64;
/// `iv_range_k(sizes, buffers, ints, reals, range)`
type RangeOf<S> =
    unsafe extern "C" fn(*const i64, *const *mut c_void, *mut i64, *mut S, *mut i64) -> i64;

/// What is done one after the other.
#[derive(Clone, Debug)]
enum Step<S> {
    Stage(Stage<S>),
    Clear(BufferId),
}

/// One stage.
#[derive(Clone, Debug)]
struct Stage<S> {
    run: Run<S>,
    /// For a loop: its range, and how it is cut.
    range: Option<(RangeOf<S>, Parts)>,
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
    relations: usize,
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
        let text = staged(program, precision);
        let load = |path: &Path| Self::load(program, buffers, &text.stages, path);
        Compiler::find()?.library(&text.source, load)
    }

    fn load(
        program: &LoopProgram,
        buffers: usize,
        kinds: &[Kind],
        path: &Path,
    ) -> Result<Self, NativeError> {
        let failed = |e: libloading::Error| NativeError::System {
            what: format!("loading {}", path.display()),
            reason: e.to_string(),
        };
        // SAFETY: the library was compiled from a text printed here, which has no initialisers; the cache
        // is a directory that only the user may write to.
        let library = unsafe { Library::new(path) }.map_err(failed)?;
        let mut stages = Vec::new();
        for (number, kind) in kinds.iter().enumerate() {
            if let Kind::Clear(buffer) = kind {
                stages.push(Step::Clear(*buffer));
                continue;
            }
            let name = format!("iv_run_{number}");
            // SAFETY: stages are printed with this signature; the pointer is kept with the library.
            let run = *unsafe { library.get::<Run<S>>(name.as_bytes()) }.map_err(failed)?;
            let range = match kind {
                Kind::Clear(_) | Kind::Sequence => None,
                Kind::Loop(parts) => {
                    let name = format!("iv_range_{number}");
                    // SAFETY: as above.
                    let range =
                        *unsafe { library.get::<RangeOf<S>>(name.as_bytes()) }.map_err(failed)?;
                    Some((range, parts.clone()))
                }
            };
            stages.push(Step::Stage(Stage { run, range }));
        }
        Ok(Self {
            _library: Arc::new(library),
            stages,
            ints: program.ints.len(),
            reals: program.reals.len(),
            buffers,
            copies: program.buffers[buffers..].iter().map(|b| (b.clone(), Vec::new())).collect(),
            private: Vec::new(),
            relations: program.relations.len(),
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
        for (buffer, memory) in &mut self.copies {
            let count: i64 =
                buffer.extents.iter().map(|e| extent(e, &frame.sizes).max(0)).product();
            memory.resize(count as usize, S::default());
        }
        let copies = self.copies.iter_mut().map(|(_, memory)| memory.as_mut_ptr().cast::<c_void>());
        let buffers = (0..self.buffers).map(address).chain(copies);
        let buffers: Vec<*mut c_void> = buffers.chain((0..self.relations).map(map)).collect();
        let private = Mutex::new(std::mem::take(&mut self.private));
        let (mut ints, mut reals) = (vec![0; self.ints], vec![S::default(); self.reals]);
        let memory = Memory {
            frame,
            sizes: frame.sizes.as_ptr(),
            buffers: &buffers,
            ints: ints.as_mut_ptr(),
            reals: reals.as_mut_ptr(),
            ints_len: self.ints,
            reals_len: self.reals,
            private: &private,
            cancelled,
            team,
        };
        for (done, stage) in self.stages.iter().enumerate() {
            match stage {
                Step::Stage(stage) => stage.execute(&memory)?,
                Step::Clear(buffer) => frame.clear(*buffer, team),
            }
            report(done + 1, self.stages.len());
        }
        self.private = private.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(())
    }
}

/// What stages are given.
struct Memory<'r, S> {
    frame: &'r Frame<S>,
    cancelled: &'r AtomicBool,
    team: Team<'r>,
    sizes: *const i64,
    buffers: &'r [*mut c_void],
    ints: *mut i64,
    reals: *mut S,
    ints_len: usize,
    reals_len: usize,
    /// Memory for copies of buffers.
    private: &'r Mutex<Vec<S>>,
}

impl<S: Scalar> Memory<'_, S> {
    fn reals(&self) -> &[S] {
        // SAFETY: the pointer is to a vector of this length, which loops in parts only read.
        unsafe { std::slice::from_raw_parts(self.reals, self.reals_len) }
    }

    fn ints(&self) -> &[i64] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts(self.ints, self.ints_len) }
    }

    /// Joins the sums of the parts of a loop, in order, to the variables of the run.
    fn join(
        &self,
        totals: impl Iterator<Item = Result<Vec<S>, Interrupted>>,
        parts: &Parts,
    ) -> Result<(), Interrupted> {
        for totals in totals {
            for ((var, fold), total) in parts.sharing.sums.iter().zip(totals?) {
                // SAFETY: variables are within their table (invariant 1), and nothing else runs now.
                let kept = unsafe { &mut *self.reals.add(var.index()) };
                *kept = join(*fold, *kept, total);
            }
        }
        Ok(())
    }
}

impl Parts {
    /// Into how many parts with copies a loop is cut, by its sizes; 1 where it is not.
    fn with_copies<S: Scalar>(&self, memory: &Memory<'_, S>, range: Range, count: i64) -> i64 {
        let private = &self.sharing.private;
        if private.is_empty() {
            return 1;
        }
        let middle = range.begin.midpoint(range.end);
        let work = work(&self.body, &memory.frame.sizes, memory.ints(), (self.var, middle));
        let entries = private::entries(memory.frame, private);
        private::parts::<S>(work.saturating_mul(count), entries, memory.team.room).min(count)
    }
}

// SAFETY: threads share the parts of one loop whose iterations do not touch what another one writes
// (invariant 5 of loop programs); the variables of the frame are read alone by such a loop.
unsafe impl<S: Scalar> Sync for Memory<'_, S> {}

/// A loop whose rest is estimated to run shorter is not shared by threads.
const WORTHWHILE: Duration = Duration::from_micros(60);
/// A loop is cut into at most this many parts, by its length alone: so their sums are the same for
/// any number of threads.
const PARTS: i64 = 64;

/// The values of a loop.
#[derive(Clone, Copy)]
struct Range {
    begin: i64,
    end: i64,
}

impl<S: Scalar> Stage<S> {
    fn execute(&self, memory: &Memory<'_, S>) -> Result<(), Interrupted> {
        let Some((range, parts)) = &self.range else {
            return self.part(memory, Range { begin: 0, end: 0 });
        };
        let mut ends = [0; 2];
        let Memory { sizes, buffers, ints, reals, .. } = *memory;
        // SAFETY: the memory is laid out for the program that the function was printed from.
        let status = unsafe { range(sizes, buffers.as_ptr(), ints, reals, ends.as_mut_ptr()) };
        if status != 0 {
            return Err(Interrupted::Failed);
        }
        let range = Range { begin: ends[0], end: ends[1] };
        if range.begin < range.end { self.share(memory, range, parts) } else { Ok(()) }
    }

    fn part(&self, memory: &Memory<'_, S>, range: Range) -> Result<(), Interrupted> {
        if memory.cancelled.load(Ordering::Relaxed) {
            return Err(Interrupted::Cancelled);
        }
        let Memory { sizes, buffers, ints, reals, .. } = *memory;
        // SAFETY: as for the range; parts of one loop that run at once touch disjoint entries.
        let status =
            unsafe { (self.run)(sizes, buffers.as_ptr(), ints, reals, range.begin, range.end) };
        if status == 0 { Ok(()) } else { Err(Interrupted::Failed) }
    }

    /// Runs a loop in parts, by several threads where the time of the first part says that it is worth it.
    fn share(
        &self,
        memory: &Memory<'_, S>,
        range: Range,
        parts: &Parts,
    ) -> Result<(), Interrupted> {
        let count = (range.end - range.begin + parts.step - 1) / parts.step;
        let (team, sharing) = (memory.team, &parts.sharing);
        let with_copies = parts.with_copies(memory, range, count);
        let asked = team.threads > 1 || with_copies > 1;
        let key = sharing.key.filter(|key| asked && memory.frame.ascends(*key));
        if key.is_none() && !sharing.is_plain() {
            return match with_copies {
                1 => self.part(memory, range),
                _ => self.share_with_copies(memory, (range, count), parts, with_copies),
            };
        }
        let each = ((count + PARTS - 1) / PARTS).max(parts.least);
        let pieces = (count + each - 1) / each;
        if pieces < 2 || team.threads == 1 && sharing.sums.is_empty() {
            return self.part(memory, range);
        }
        let piece = |at: i64| {
            let cut = |at: i64| {
                let place = range.end.min(range.begin + at * each * parts.step);
                let ends = [range.begin, place, range.end];
                key.map_or(place, |key| memory.frame.next_change(key, ends))
            };
            self.apart(memory, Range { begin: cut(at), end: cut(at + 1) }, parts)
        };
        let start = Instant::now();
        let first = piece(0)?;
        let estimate = start.elapsed().as_secs_f64() * (pieces - 1) as f64;
        let alone = Team { threads: 1, ..team };
        let team = if estimate < WORTHWHILE.as_secs_f64() { alone } else { team };
        let rest = team.map(pieces - 1, |at| piece(at + 1));
        memory.join(std::iter::once(Ok(first)).chain(rest), parts)
    }

    /// Runs a loop in parts that have copies of the buffers that they add to.
    fn share_with_copies(
        &self,
        memory: &Memory<'_, S>,
        (range, count): (Range, i64),
        parts: &Parts,
        wanted: i64,
    ) -> Result<(), Interrupted> {
        let each = (count + wanted - 1) / wanted;
        let private = parts.sharing.private.as_slice();
        let part = |at: i64, own: Option<&mut [S]>| {
            let cut = |at: i64| range.end.min(range.begin + at * each * parts.step);
            let range = Range { begin: cut(at), end: cut(at + 1) };
            let Some(own) = own else { return self.apart(memory, range, parts) };
            let mut buffers = memory.buffers.to_vec();
            for (buffer, copy) in private::split(memory.frame, private, own) {
                buffers[buffer.index()] = copy.as_mut_ptr().cast();
            }
            self.apart(&Memory { buffers: &buffers, ..*memory }, range, parts)
        };
        let mut copies = memory.private.lock().unwrap_or_else(PoisonError::into_inner);
        let how = (private, (count + each - 1) / each);
        let totals = private::run(memory.frame, memory.team, &mut copies, how, part);
        memory.join(totals.into_iter(), parts)
    }

    /// Runs a part with variables of its own; gives its sums.
    fn apart(
        &self,
        memory: &Memory<'_, S>,
        range: Range,
        parts: &Parts,
    ) -> Result<Vec<S>, Interrupted> {
        let sums = &parts.sharing.sums;
        if sums.is_empty() {
            return self.part(memory, range).map(|()| Vec::new());
        }
        let mut reals = memory.reals().to_vec();
        for (var, fold) in sums {
            reals[var.index()] = S::of(fold.empty());
        }
        self.part(&Memory { reals: reals.as_mut_ptr(), ..*memory }, range)?;
        Ok(sums.iter().map(|(var, _)| reals[var.index()]).collect())
    }
}
