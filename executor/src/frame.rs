//! The memory of a run: where each buffer lies, and how its entries are found.
//!
//! Every access is checked against the length of its buffer; that of a valid
//! program never fails.

#![allow(
    unsafe_code,
    reason = "iterations of a parallel loop write to one buffer at distinct places"
)]

use crate::indices::ascend;
use crate::lines::clear;
use crate::loops::{BufferId, Cond, Int, LoopProgram, RelId};
use crate::members::Members;
use crate::scalar::Scalar;
use crate::team::Team;
use std::sync::{Arc, OnceLock};

/// Fewer reals than these are cleared by one thread.
const LITTLE: usize = 1 << 16;

/// One buffer.
#[derive(Clone, Copy, Debug)]
pub struct Slot<S> {
    reals: *mut S,
    ints: *mut i64,
    len: usize,
}

/// The buffers of a run, with their strides.
#[derive(Clone, Debug)]
pub struct Frame<S> {
    /// By size.
    pub sizes: Vec<i64>,
    slots: Vec<Slot<S>>,
    extents: Vec<Vec<i64>>,
    /// By buffer: whether its memory is zero when the run begins.
    zero: Vec<bool>,
    /// By buffer: whether its integers ascend, once somebody has asked.
    ascends: Vec<OnceLock<bool>>,
    members: Vec<Arc<Members>>,
}

// SAFETY: a frame is shared by the threads of a parallel loop alone, whose
// iterations do not touch what another one writes (invariant 5 of loop programs).
unsafe impl<S: Scalar> Sync for Frame<S> {}
// SAFETY: as above; the pointers are to memory that outlives the run.
unsafe impl<S: Scalar> Send for Frame<S> {}

impl<S: Scalar> Frame<S> {
    /// No buffers yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            sizes: Vec::new(),
            slots: Vec::new(),
            extents: Vec::new(),
            zero: Vec::new(),
            ascends: Vec::new(),
            members: Vec::new(),
        }
    }

    /// Makes room for the buffers of a program under these sizes; none has memory. Relations have the maps that they had.
    pub fn lay_out(&mut self, program: &LoopProgram, sizes: &[i64]) {
        let empty = Slot { reals: std::ptr::null_mut(), ints: std::ptr::null_mut(), len: 0 };
        self.sizes.clear();
        self.sizes.extend_from_slice(sizes);
        self.slots.clear();
        self.slots.resize(program.buffers.len(), empty);
        self.zero.clear();
        self.zero.resize(program.buffers.len(), false);
        self.ascends.clear();
        self.ascends.resize(program.buffers.len(), OnceLock::new());
        if self.extents.len() != program.buffers.len() {
            self.extents = vec![Vec::new(); program.buffers.len()];
        }
        for (buffer, extents) in program.buffers.iter().zip(&mut self.extents) {
            extents.clear();
            extents.extend(buffer.extents.iter().map(|e| extent(e, sizes).max(0)));
        }
        self.members.resize_with(program.relations.len(), Arc::default);
    }

    /// Memory that is read.
    pub fn give_reals(&mut self, buffer: BufferId, data: &[S]) {
        let reals = data.as_ptr().cast_mut();
        self.slots[buffer.index()] = Slot { reals, ints: std::ptr::null_mut(), len: data.len() };
    }

    /// Memory that is written.
    pub fn give_reals_mut(&mut self, buffer: BufferId, data: &mut [S]) {
        let (reals, len) = (data.as_mut_ptr(), data.len());
        self.slots[buffer.index()] = Slot { reals, ints: std::ptr::null_mut(), len };
    }

    /// Says that the memory of a buffer is zero.
    pub(crate) fn is_zero(&mut self, buffer: BufferId) {
        self.zero[buffer.index()] = true;
    }

    /// The same buffers, but for some that have other memory.
    ///
    /// * **Cost**: that of a word for each axis of a buffer.
    pub(crate) fn with<'m>(&self, own: impl IntoIterator<Item = (BufferId, &'m mut [S])>) -> Self
    where
        S: 'm,
    {
        let mut frame = self.clone();
        own.into_iter().for_each(|(buffer, memory)| frame.give_reals_mut(buffer, memory));
        frame
    }

    /// Says whether the integers of an input ascend.
    pub(crate) fn set_ascends(&mut self, buffer: BufferId, ascends: bool) {
        self.ascends[buffer.index()] = OnceLock::from(ascends);
    }

    /// Whether the integers of an input ascend, equal ones side by side; looked at, by a team, when it is asked first and
    /// nobody has said so.
    pub(crate) fn ascends(&self, buffer: BufferId, team: Team<'_>) -> bool {
        let known = &self.ascends[buffer.index()];
        if let Some(known) = known.get() {
            return *known;
        }
        let ascends = ascend(self.ints(buffer), team);
        *known.get_or_init(|| ascends)
    }

    /// The first place from `at` on below `end` where another integer stands in an ascending buffer than in front of it;
    /// `end` where there is none, `at` where that is `start`.
    pub(crate) fn next_change(&self, buffer: BufferId, places: [i64; 3]) -> i64 {
        next_change(self.ints(buffer), places)
    }

    fn ints(&self, buffer: BufferId) -> &[i64] {
        let slot = self.ints_of(buffer);
        if slot.len == 0 {
            return &[];
        }
        // SAFETY: this is the memory that was given; nothing writes to inputs while it is read.
        unsafe { std::slice::from_raw_parts(slot.ints, slot.len) }
    }

    /// Clears all reals of a buffer, before anything else touches it; shared by the threads of a team.
    pub(crate) fn clear(&self, buffer: BufferId, team: Team<'_>) {
        let len = self.len(buffer);
        if self.zero[buffer.index()] || len == 0 {
            return;
        }
        team.map_parts(len, LITTLE, |part| {
            self.change_reals(buffer, part.start, part.len(), clear);
        });
    }

    /// Memory that is read.
    pub fn give_ints(&mut self, buffer: BufferId, data: &[i64]) {
        let ints = data.as_ptr().cast_mut();
        self.slots[buffer.index()] = Slot { reals: std::ptr::null_mut(), ints, len: data.len() };
    }

    /// Memory that is written.
    pub fn give_ints_mut(&mut self, buffer: BufferId, data: &mut [i64]) {
        let (ints, len) = (data.as_mut_ptr(), data.len());
        self.slots[buffer.index()] = Slot { reals: std::ptr::null_mut(), ints, len };
    }

    /// The map of a relation.
    #[must_use]
    #[inline]
    pub(crate) fn members(&self, relation: RelId) -> &Members {
        &self.members[relation.index()]
    }

    /// The map of a relation, to be made.
    pub(crate) fn members_mut(&mut self, relation: RelId) -> &mut Members {
        Arc::make_mut(&mut self.members[relation.index()])
    }

    /// The extents of a buffer.
    #[must_use]
    pub fn extents(&self, buffer: BufferId) -> &[i64] {
        &self.extents[buffer.index()]
    }

    /// The number of entries of a buffer.
    #[must_use]
    pub fn len(&self, buffer: BufferId) -> usize {
        self.slots[buffer.index()].len
    }

    /// The address of the reals of a buffer, for engines that are compiled.
    #[must_use]
    pub fn reals_ptr(&self, buffer: BufferId) -> *mut S {
        self.slots[buffer.index()].reals
    }

    /// The address of the integers of a buffer, for engines that are compiled.
    #[must_use]
    pub fn ints_ptr(&self, buffer: BufferId) -> *mut i64 {
        self.slots[buffer.index()].ints
    }

    fn within(&self, buffer: BufferId, at: usize) -> &Slot<S> {
        let slot = &self.slots[buffer.index()];
        assert!(at < slot.len, "entry {at} of buffer {} is beyond {}", buffer.0, slot.len);
        slot
    }

    /// A real entry.
    #[must_use]
    #[inline]
    pub fn real(&self, buffer: BufferId, at: usize) -> S {
        let slot = self.within(buffer, at);
        assert!(!slot.reals.is_null(), "buffer {} holds reals", buffer.0);
        // SAFETY: the place is within the memory that was given.
        unsafe { *slot.reals.add(at) }
    }

    /// Writes a real entry.
    #[inline]
    pub fn set_real(&self, buffer: BufferId, at: usize, value: S) {
        let slot = self.within(buffer, at);
        assert!(!slot.reals.is_null(), "buffer {} holds reals", buffer.0);
        // SAFETY: the place is within memory given to be written (invariant 3 of loop programs).
        unsafe { *slot.reals.add(at) = value }
    }

    /// Reals side by side.
    #[must_use]
    #[inline]
    pub fn reals(&self, buffer: BufferId, start: usize, count: usize) -> &[S] {
        let slot = &self.slots[buffer.index()];
        assert!(!slot.reals.is_null() && start <= slot.len && count <= slot.len - start);
        // SAFETY: the places are within the memory that was given; nothing writes to
        // them while the slice lives, which is during one operation on one block.
        unsafe { std::slice::from_raw_parts(slot.reals.add(start), count) }
    }

    /// Writes reals side by side, which do not come from the places written.
    #[inline]
    pub fn put_reals(&self, buffer: BufferId, start: usize, from: &[S]) {
        let slot = &self.slots[buffer.index()];
        assert!(!slot.reals.is_null() && start <= slot.len && from.len() <= slot.len - start);
        // SAFETY: the places are within memory given to be written; `copy` allows overlaps.
        unsafe { std::ptr::copy(from.as_ptr(), slot.reals.add(start), from.len()) }
    }

    /// Lets `change` work on reals side by side, which nothing else looks at during the call.
    #[inline]
    pub fn change_reals(
        &self,
        buffer: BufferId,
        start: usize,
        count: usize,
        change: impl FnOnce(&mut [S]),
    ) {
        let slot = &self.slots[buffer.index()];
        assert!(!slot.reals.is_null() && start <= slot.len && count <= slot.len - start);
        // SAFETY: the places are within memory given to be written (invariant 3 of loop programs); no
        // other thread touches them (invariant 5), and `change` holds no other slice of them.
        change(unsafe { std::slice::from_raw_parts_mut(slot.reals.add(start), count) });
    }

    /// Reals at `start`, `start + step`, ..
    #[inline]
    pub fn strided_reals(&self, buffer: BufferId, start: i64, step: i64, out: &mut [S]) {
        let slot = self.reals_of(buffer);
        let Some(last) = out.len().checked_sub(1) else { return };
        assert_within(start, slot.len);
        assert_within(start + step * last as i64, slot.len);
        for (k, out) in out.iter_mut().enumerate() {
            // SAFETY: the first and the last place are within the memory that was given, so all are.
            *out = unsafe { *slot.reals.offset((start + step * k as i64) as isize) };
        }
    }

    /// Changes reals at `start`, `start + step`, ..: `change` gets what is there and the number of the entry.
    #[inline(always)]
    pub fn change_strided(
        &self,
        buffer: BufferId,
        (start, step): (i64, i64),
        count: usize,
        change: impl Fn(S, usize) -> S,
    ) {
        let slot = self.reals_of(buffer);
        let Some(last) = count.checked_sub(1) else { return };
        assert_within(start, slot.len);
        assert_within(start + step * last as i64, slot.len);
        for k in 0..count {
            // SAFETY: the first and the last place are within memory given to be written, so all are.
            unsafe {
                let entry = slot.reals.offset((start + step * k as i64) as isize);
                *entry = change(*entry, k);
            }
        }
    }

    /// Reals at places.
    #[inline(always)]
    pub fn gather_reals(&self, buffer: BufferId, places: &[i64], out: &mut [S]) {
        let slot = self.reals_of(buffer);
        assert_all_within(places, slot.len);
        for (out, at) in out.iter_mut().zip(places) {
            // SAFETY: all places are within the memory that was given.
            *out = unsafe { *slot.reals.offset(*at as isize) };
        }
    }

    /// Changes reals at places, one after the other.
    #[inline(always)]
    pub fn change_at(&self, buffer: BufferId, places: &[i64], change: impl Fn(S, usize) -> S) {
        let slot = self.reals_of(buffer);
        for (k, at) in places.iter().enumerate() {
            assert_within(*at, slot.len);
            // SAFETY: the place is within memory given to be written.
            unsafe {
                let entry = slot.reals.offset(*at as isize);
                *entry = change(*entry, k);
            }
        }
    }

    fn reals_of(&self, buffer: BufferId) -> &Slot<S> {
        let slot = &self.slots[buffer.index()];
        assert!(slot.len == 0 || !slot.reals.is_null(), "buffer {} holds reals", buffer.0);
        slot
    }

    fn ints_of(&self, buffer: BufferId) -> &Slot<S> {
        let slot = &self.slots[buffer.index()];
        assert!(slot.len == 0 || !slot.ints.is_null(), "buffer {} holds integers", buffer.0);
        slot
    }

    /// Integers at `start`, `start + step`, ..
    #[inline]
    pub fn strided_ints(&self, buffer: BufferId, start: i64, step: i64, out: &mut [i64]) {
        let slot = self.ints_of(buffer);
        let Some(last) = out.len().checked_sub(1) else { return };
        assert_within(start, slot.len);
        assert_within(start + step * last as i64, slot.len);
        if step == 1 {
            // SAFETY: the first and the last place are within the memory that was given, so all are; nothing
            // writes to it while this is done.
            let from =
                unsafe { std::slice::from_raw_parts(slot.ints.offset(start as isize), out.len()) };
            return out.copy_from_slice(from);
        }
        for (k, out) in out.iter_mut().enumerate() {
            // SAFETY: the first and the last place are within the memory that was given, so all are.
            *out = unsafe { *slot.ints.offset((start + step * k as i64) as isize) };
        }
    }

    /// Integers at places.
    #[inline(always)]
    pub fn gather_ints(&self, buffer: BufferId, places: &[i64], out: &mut [i64]) {
        let slot = self.ints_of(buffer);
        assert_all_within(places, slot.len);
        for (out, at) in out.iter_mut().zip(places) {
            // SAFETY: all places are within the memory that was given.
            *out = unsafe { *slot.ints.offset(*at as isize) };
        }
    }

    /// An integer entry.
    #[must_use]
    #[inline]
    pub fn int(&self, buffer: BufferId, at: usize) -> i64 {
        let slot = self.within(buffer, at);
        assert!(!slot.ints.is_null(), "buffer {} holds integers", buffer.0);
        // SAFETY: the place is within the memory that was given.
        unsafe { *slot.ints.add(at) }
    }

    /// Writes an integer entry.
    #[inline]
    pub fn set_int(&self, buffer: BufferId, at: usize, value: i64) {
        let slot = self.within(buffer, at);
        assert!(!slot.ints.is_null(), "buffer {} holds integers", buffer.0);
        // SAFETY: the place is within memory given to be written (invariant 3 of loop programs).
        unsafe { *slot.ints.add(at) = value }
    }
}

/// Whether a place is one of an entry.
#[inline(always)]
fn assert_within(at: i64, len: usize) {
    assert!(
        (0..len as i64).contains(&at),
        "entry {at} is beyond {len}: loops keep indices in bounds (invariant 4)"
    );
}

/// Whether all places are those of entries; without a branch for each.
#[inline(always)]
fn assert_all_within(places: &[i64], len: usize) {
    let greatest = places.iter().fold(0, |greatest: u64, at| greatest.max(*at as u64));
    assert!(
        places.is_empty() || greatest < len as u64,
        "entry {greatest} is beyond {len}: loops keep indices in bounds (invariant 4)"
    );
}

impl<S: Scalar> Default for Frame<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// The value of an integer in sizes alone.
#[must_use]
pub fn extent(e: &Int, sizes: &[i64]) -> i64 {
    match e {
        Int::Const(n) => *n,
        Int::Size(size) => sizes[size.index()],
        Int::Sum(terms, constant) => terms
            .iter()
            .fold(*constant, |sum, (a, e)| sum.saturating_add(a.saturating_mul(extent(e, sizes)))),
        Int::Product(factors) => {
            factors.iter().fold(1i64, |product, e| product.saturating_mul(extent(e, sizes)))
        }
        Int::Div(e, k) => extent(e, sizes).div_euclid(*k),
        Int::Mod(e, k) => extent(e, sizes).rem_euclid(*k),
        Int::DivBy(sides) => extent(&sides.0, sizes).div_euclid(extent(&sides.1, sizes).max(1)),
        Int::Select(parts) => {
            let Cond::Int(cmp, a, b) = &parts.0 else {
                unreachable!("extents compare integers (invariant 2 of loop programs)")
            };
            let side =
                if cmp.holds(extent(a, sizes), extent(b, sizes)) { &parts.1 } else { &parts.2 };
            extent(side, sizes)
        }
        Int::Var(_) | Int::Load(..) | Int::Floor(_) => {
            unreachable!("extents are in sizes alone (invariant 2 of loop programs)")
        }
    }
}

/// Where ascending integers change next. A loop may go beyond them, if it reads them under a condition: then `at` is as good.
fn next_change(ints: &[i64], [start, at, end]: [i64; 3]) -> i64 {
    if at <= start || at >= end {
        return at.min(end);
    }
    let last = ints.len().min(end as usize);
    let known = usize::try_from(at - 1).ok().and_then(|before| ints.get(before..last));
    match known {
        Some(known @ [first, ..]) => at - 1 + known.partition_point(|e| e == first) as i64,
        Some([]) | None => at,
    }
}

#[cfg(test)]
mod tests {
    use super::next_change;

    #[test]
    fn integers_change_where_another_one_stands() {
        let ints = [1, 1, 2, 2, 2, 5];
        let changes = |places: [i64; 3]| {
            let [start, _, end] = places;
            let all = (start..=end).map(|at| next_change(&ints, [start, at, end]));
            all.collect::<Vec<i64>>()
        };
        assert_eq!(changes([0, 0, 6]), [0, 2, 2, 5, 5, 5, 6]);
        assert_eq!(changes([1, 0, 4]), [1, 2, 4, 4]);
        // a loop from before the first one to behind the last one
        assert_eq!(changes([-2, 0, 9]), [-2, -1, 0, 2, 2, 5, 5, 5, 6, 7, 8, 9]);
    }
}
