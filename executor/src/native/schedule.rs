//! Running the pieces of a program: as a whole, in parts by several threads, or piece by piece in the steps of a loop.
//!
//! Which of these it is follows from sizes alone, so the bits do not depend on the number of threads.

#![allow(unsafe_code, reason = "calls of functions that were printed and compiled here")]

use super::engine::Interrupted;
use super::pieces::{Parts, Piece, What};
use super::worth::Estimate;
use crate::block::Sharing;
use crate::frame::Frame;
use crate::loops::{BufferId, For, IntId, Node, Order};
use crate::private;
use crate::runner::Vars;
use crate::scalar::Scalar;
use crate::team::Team;
use libloading::Library;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// `iv_run_k(sizes, buffers, ints, reals, begin, end, only)`
pub(super) type Run<S> =
    unsafe extern "C" fn(*const i64, *const *mut c_void, *mut i64, *mut S, i64, i64, i64) -> i64;
/// `iv_range_k(sizes, buffers, ints, reals, range)`
type RangeOf<S> =
    unsafe extern "C" fn(*const i64, *const *mut c_void, *mut i64, *mut S, *mut i64) -> i64;

/// A loop whose rest is estimated to run shorter is not shared by threads.
const WORTHWHILE: Duration = Duration::from_micros(60);
/// A loop is cut into at most this many parts, by its length alone: so their sums are the same for
/// any number of threads.
const PARTS: i64 = 64;
/// Steps are run piece by piece if a loop in them has so many operations.
const MUCH: i64 = 1 << 17;
/// A loop of so many operations is shared by threads without a trial.
const SURE: i64 = 1 << 22;
/// A part has at most so many rows: a block has as many where sums are kept in a result.
const BLOCK: i64 = 1024;
/// Parts of rows are whole tiles.
const TILE: i64 = 8;
/// Whether the run is to end is asked after about so many operations.
const PATIENCE: i64 = 1 << 26;

/// A piece with its functions.
#[derive(Clone, Debug)]
pub(super) struct Stage<S> {
    run: Run<S>,
    number: i64,
    kind: Kind<S>,
    inside: Vec<Self>,
    /// The loops in parts inside.
    in_parts: Vec<IntId>,
}

#[derive(Clone, Debug)]
enum Kind<S> {
    /// Run once.
    Nodes,
    /// Run for a range, in parts if that is given.
    Loop { range: RangeOf<S>, header: Box<For>, parts: Option<Parts> },
    /// Run where the range is not empty.
    If { range: RangeOf<S>, body: Vec<Node> },
}

impl<S> Stage<S> {
    /// Finds the functions of a piece that is run by `run`.
    ///
    /// # Errors
    /// Where the library has none.
    pub(super) fn load(
        library: &Library,
        run: Run<S>,
        piece: Piece,
    ) -> Result<Self, libloading::Error> {
        let name = format!("iv_range_{}", piece.number);
        let range = || {
            // SAFETY: ranges are printed with this signature; the pointer is kept with the library.
            unsafe { library.get::<RangeOf<S>>(name.as_bytes()) }.map(|found| *found)
        };
        let (number, in_parts) = (piece.number as i64, piece.in_parts());
        let kind = match piece.what {
            What::Nodes(_) | What::Clear(_) => Kind::Nodes,
            What::Loop(header, parts) => {
                Kind::Loop { range: range()?, header: Box::new(header), parts }
            }
            What::If(_, body) => Kind::If { range: range()?, body },
        };
        let inside = piece.inside.into_iter().map(|inner| Self::load(library, run, inner));
        Ok(Self { run, number, kind, inside: inside.collect::<Result<_, _>>()?, in_parts })
    }
}

/// What stages are given.
#[derive(Clone, Copy)]
pub(super) struct Memory<'r, S> {
    pub(super) frame: &'r Frame<S>,
    /// Those of the frame, and 1 where the results are large, 0 where not.
    pub(super) sizes: &'r [i64],
    pub(super) cancelled: &'r AtomicBool,
    pub(super) team: Team<'r>,
    pub(super) buffers: &'r [*mut c_void],
    pub(super) ints: *mut i64,
    pub(super) reals: *mut S,
    /// How many integer and real variables there are.
    pub(super) counts: (usize, usize),
    /// Memory for copies of buffers.
    pub(super) private: &'r Mutex<Vec<S>>,
    /// Memory for what iterations have for themselves, that no thread uses.
    pub(super) locals: &'r Mutex<Vec<Vec<S>>>,
}

// SAFETY: threads share the parts of one loop whose iterations do not touch what another one writes
// (invariant 5 of loop programs); the variables of the frame are read alone by such a loop.
unsafe impl<S: Scalar> Sync for Memory<'_, S> {}

impl<S: Scalar> Memory<'_, S> {
    /// The variables, while loops in parts only read them.
    fn vars(&self) -> Vars<S> {
        // SAFETY: the pointers are to vectors of these lengths.
        let (ints, reals) = unsafe {
            let ints = std::slice::from_raw_parts(self.ints, self.counts.0);
            (ints, std::slice::from_raw_parts(self.reals, self.counts.1))
        };
        Vars { ints: ints.to_vec(), reals: reals.to_vec(), visits: Vec::new() }
    }

    fn estimate(&self) -> Estimate<'_> {
        // SAFETY: as above.
        let ints = unsafe { std::slice::from_raw_parts(self.ints, self.counts.0) };
        Estimate::new(&self.frame.sizes, ints)
    }

    /// About how many operations a loop has.
    fn work(&self, range: Range, header: &For) -> i64 {
        let mut estimate = self.estimate();
        estimate.at_middle(header.var, range.begin, range.end);
        estimate.work(&header.body).saturating_mul(range.count())
    }

    fn set_int(&self, var: IntId, value: i64) {
        // SAFETY: variables are within their table (invariant 1), and nothing else runs now.
        unsafe { *self.ints.add(var.index()) = value }
    }

    /// Runs something that has memory of its own for some buffers.
    fn with_locals<T>(&self, locals: &[BufferId], run: impl FnOnce(&Memory<'_, S>) -> T) -> T {
        let free = || self.locals.lock().unwrap_or_else(PoisonError::into_inner);
        let mut own = free().pop().unwrap_or_default();
        let mut buffers = self.buffers.to_vec();
        for (buffer, memory) in private::locals(self.frame, locals, &mut own) {
            buffers[buffer.index()] = memory.as_mut_ptr().cast();
        }
        let result = run(&Memory { buffers: &buffers, ..*self });
        free().push(own);
        result
    }

    /// Joins what the parts of a loop leave, in order, to the variables of the run.
    fn join(
        &self,
        mut parts: impl Iterator<Item = Result<Option<Vars<S>>, Interrupted>>,
        sharing: &Sharing,
    ) -> Result<(), Interrupted> {
        if !sharing.leaves() {
            return parts.try_for_each(|part| part.map(drop));
        }
        let mut kept = self.vars();
        for part in parts {
            part?.iter().for_each(|part| sharing.join(&mut kept, part, self.sizes));
        }
        // SAFETY: the pointers are to vectors of these lengths, and nothing else runs now.
        unsafe {
            self.ints.copy_from_nonoverlapping(kept.ints.as_ptr(), kept.ints.len());
            self.reals.copy_from_nonoverlapping(kept.reals.as_ptr(), kept.reals.len());
        }
        Ok(())
    }
}

/// The values of a loop.
#[derive(Clone, Copy)]
struct Range {
    begin: i64,
    end: i64,
    step: i64,
}

impl Range {
    fn count(self) -> i64 {
        (self.end - self.begin + self.step - 1) / self.step
    }

    /// From one iteration on below another one.
    fn between(self, first: i64, last: i64) -> Self {
        let at = |place: i64| self.end.min(self.begin + place * self.step);
        Self { begin: at(first), end: at(last), ..self }
    }
}

impl<S: Scalar> Stage<S> {
    /// Runs the piece.
    ///
    /// # Errors
    /// [`Interrupted`]
    pub(super) fn execute(&self, memory: &Memory<'_, S>) -> Result<(), Interrupted> {
        let all = Range { begin: 0, end: 1, step: 1 };
        match &self.kind {
            Kind::Nodes => self.part(memory, all),
            Kind::If { range, body } => {
                let Range { begin, end, .. } = ends(*range, memory, 1)?;
                if begin >= end {
                    return Ok(());
                }
                let much = memory.estimate().greatest(body, &self.in_parts) >= MUCH;
                if much { self.pieces(memory) } else { self.part(memory, all) }
            }
            Kind::Loop { range, header, parts } => {
                let range = ends(*range, memory, header.step())?;
                if range.begin >= range.end {
                    return Ok(());
                }
                match parts {
                    Some(parts) => self.share(memory, range, (header, parts)),
                    None => self.in_order(memory, range, header),
                }
            }
        }
    }

    fn pieces(&self, memory: &Memory<'_, S>) -> Result<(), Interrupted> {
        self.inside.iter().try_for_each(|piece| piece.execute(memory))
    }

    /// Runs a loop, each step after the other: as a whole, or piece by piece where the loops inside have much work.
    fn in_order(
        &self,
        memory: &Memory<'_, S>,
        range: Range,
        header: &For,
    ) -> Result<(), Interrupted> {
        if self.inside.is_empty() {
            return self.part(memory, range);
        }
        let mut estimate = memory.estimate();
        estimate.at_middle(header.var, range.begin, range.end);
        let (count, down) = (range.count(), header.order == Order::Descending);
        if estimate.greatest(&header.body, &self.in_parts) >= MUCH {
            return (0..count).try_for_each(|at| {
                let at = if down { count - 1 - at } else { at };
                memory.set_int(header.var, range.begin + at * range.step);
                self.pieces(memory)
            });
        }
        let each = PATIENCE / estimate.work(&header.body).clamp(1, PATIENCE);
        let blocks = (count + each - 1) / each;
        (0..blocks).try_for_each(|at| {
            let at = if down { blocks - 1 - at } else { at };
            self.part(memory, range.between(at * each, (at + 1) * each))
        })
    }

    fn part(&self, memory: &Memory<'_, S>, range: Range) -> Result<(), Interrupted> {
        if memory.cancelled.load(Ordering::Relaxed) {
            return Err(Interrupted::Cancelled);
        }
        let Memory { sizes, buffers, ints, reals, .. } = *memory;
        let (sizes, buffers) = (sizes.as_ptr(), buffers.as_ptr());
        let Range { begin, end, .. } = range;
        // SAFETY: the memory is laid out for the program that the function was printed from; parts of one loop
        // that run at once touch disjoint entries.
        let status = unsafe { (self.run)(sizes, buffers, ints, reals, begin, end, self.number) };
        if status == 0 { Ok(()) } else { Err(Interrupted::Failed) }
    }

    /// Runs a loop in parts, by several threads where the time of the first part says that it is worth it.
    fn share(
        &self,
        memory: &Memory<'_, S>,
        range: Range,
        (header, parts): (&For, &Parts),
    ) -> Result<(), Interrupted> {
        let (team, sharing, count) = (memory.team, &parts.sharing, range.count());
        let with_copies = with_copies(memory, range, (header, parts));
        let asked = team.threads > 1 || with_copies > 1;
        let key = sharing.key.filter(|key| asked && memory.frame.ascends(*key, team));
        if key.is_none() && !sharing.is_plain() {
            return match with_copies {
                1 => self.in_order(memory, range, header),
                _ => self.share_with_copies(memory, range, parts, with_copies),
            };
        }
        let threads = team.threads as i64;
        let own = parts.even && key.is_none() && sharing.sums.is_empty();
        let each = if own { rows_each(count, threads) } else { (count + PARTS - 1) / PARTS };
        let each = each.max(parts.least);
        // a rest that may be less than a tile goes with the last part: alone it would be rounded as what is in no tile
        let pieces = (count / each + i64::from(4 * (count % each) >= parts.least)).max(1);
        // the bits are those of the whole: a long loop is in parts so that the run can be cancelled
        let whole = || sharing.sums.is_empty() && memory.work(range, header) < PATIENCE;
        if pieces < 2 || team.threads == 1 && whole() {
            return self.part(memory, range);
        }
        let piece = |at: i64| {
            let cut = |place: i64| {
                let ends = [range.begin, place, range.end];
                key.map_or(place, |key| memory.frame.next_change(key, ends))
            };
            let end = if at + 1 == pieces { count } else { (at + 1) * each };
            let Range { begin, end, step } = range.between(at * each, end);
            self.apart(memory, Range { begin: cut(begin), end: cut(end), step }, sharing)
        };
        let sure = team.threads > 1 && memory.work(range, header) >= SURE;
        let start = Instant::now();
        let searches = !sharing.searches.is_empty();
        let seeks = || searches && !sharing.has_found(&memory.vars(), memory.sizes);
        let mut done = 0;
        // what is found first says what later parts begin with
        while done < pieces && (done == 0 && !sure || seeks()) {
            memory.join(std::iter::once(piece(done)), sharing)?;
            done += 1;
        }
        let rest = (pieces - done) as f64 / done.max(1) as f64;
        let little = start.elapsed().as_secs_f64() * rest < WORTHWHILE.as_secs_f64();
        let team = if little && !sure { Team { threads: 1, ..team } } else { team };
        memory.join(team.map(pieces - done, |at| piece(done + at)).into_iter(), sharing)
    }

    /// Runs a loop in parts that have copies of the buffers that they add to.
    fn share_with_copies(
        &self,
        memory: &Memory<'_, S>,
        range: Range,
        parts: &Parts,
        wanted: i64,
    ) -> Result<(), Interrupted> {
        let count = range.count();
        let each = (count + wanted - 1) / wanted;
        let sharing = &parts.sharing;
        let private = sharing.private.as_slice();
        let part = |at: i64, own: Option<&mut [S]>| {
            let range = range.between(at * each, (at + 1) * each);
            let Some(own) = own else { return self.apart(memory, range, sharing) };
            let mut buffers = memory.buffers.to_vec();
            for (buffer, copy) in private::split(memory.frame, private, own) {
                buffers[buffer.index()] = copy.as_mut_ptr().cast();
            }
            self.apart(&Memory { buffers: &buffers, ..*memory }, range, sharing)
        };
        let mut copies = memory.private.lock().unwrap_or_else(PoisonError::into_inner);
        let how = (private, (count + each - 1) / each);
        let left = private::run(memory.frame, memory.team, &mut copies, how, part);
        memory.join(left.into_iter(), sharing)
    }

    /// Runs a part with what it has for itself; gives its variables if something in them is to be kept.
    fn apart(
        &self,
        memory: &Memory<'_, S>,
        range: Range,
        sharing: &Sharing,
    ) -> Result<Option<Vars<S>>, Interrupted> {
        let locals = sharing.locals.as_slice();
        if memory.team.threads > 1 && !locals.is_empty() {
            return memory.with_locals(locals, |own| self.with_variables(own, range, sharing));
        }
        self.with_variables(memory, range, sharing)
    }

    fn with_variables(
        &self,
        memory: &Memory<'_, S>,
        range: Range,
        sharing: &Sharing,
    ) -> Result<Option<Vars<S>>, Interrupted> {
        if !sharing.leaves() {
            return self.part(memory, range).map(|()| None);
        }
        let mut own = memory.vars();
        sharing.begin(&mut own);
        let (ints, reals) = (own.ints.as_mut_ptr(), own.reals.as_mut_ptr());
        self.part(&Memory { ints, reals, ..*memory }, range)?;
        Ok(Some(own))
    }
}

fn ends<S: Scalar>(
    range: RangeOf<S>,
    memory: &Memory<'_, S>,
    step: i64,
) -> Result<Range, Interrupted> {
    let mut ends = [0; 2];
    let Memory { sizes, buffers, ints, reals, .. } = *memory;
    let (sizes, buffers) = (sizes.as_ptr(), buffers.as_ptr());
    // SAFETY: the memory is laid out for the program that the function was printed from.
    let status = unsafe { range(sizes, buffers, ints, reals, ends.as_mut_ptr()) };
    let [begin, end] = ends;
    if status == 0 { Ok(Range { begin, end, step }) } else { Err(Interrupted::Failed) }
}

/// Into how many parts with copies a loop is cut, by its sizes; 1 where it is not.
fn with_copies<S: Scalar>(
    memory: &Memory<'_, S>,
    range: Range,
    (header, parts): (&For, &Parts),
) -> i64 {
    let (private, count) = (&parts.sharing.private, range.count());
    if private.is_empty() || memory.team.room == 0 {
        return 1;
    }
    let (work, entries) = (memory.work(range, header), private::entries(memory.frame, private));
    private::parts::<S>((work, entries), private::LITTLE, memory.team.room).min(count)
}

/// How many rows a part has where no sum depends on it: as many as share what is packed, but each thread has as many parts.
fn rows_each(count: i64, threads: i64) -> i64 {
    let parts = (count + threads * BLOCK - 1) / (threads * BLOCK) * threads;
    let each = (count + parts - 1) / parts;
    ((each + TILE - 1) / TILE * TILE).max((count + PARTS - 1) / PARTS)
}
