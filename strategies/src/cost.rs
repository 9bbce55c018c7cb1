//! What a run costs: counted operations, and bytes that are alive.

use iverson_spec::work::Count;
use std::cell::Cell;
use std::ops::{Add, AddAssign};
use std::rc::Rc;

/// What a run, or one direction of it, costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// Points, tests, accesses, flops, as the interpreter counts them. An
    /// accumulation into a cotangent is an access.
    pub count: Count,
    /// Entries set to zero.
    pub filled: u64,
    /// Entries of whole cotangents added to others.
    pub added: u64,
    /// Entries copied to cut out a part of a tensor or to join parts.
    pub copied: u64,
}

/// What a run costs, direction by direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Expense {
    /// What the values cost.
    pub primal: Cost,
    /// What the gradients cost besides.
    pub reverse: Cost,
    /// The most bytes of tensors that were alive at once, those of the arguments included.
    pub peak_bytes: u64,
}

impl Expense {
    /// What values and gradients cost together.
    #[must_use]
    pub fn total(&self) -> Cost {
        self.primal + self.reverse
    }
}

impl Cost {
    /// Points, tests, accesses, and entries filled, added and copied.
    #[must_use]
    pub fn work(self) -> u64 {
        self.count.work() + self.filled + self.added + self.copied
    }

    /// Bytes read and written: those of the count; 8 for an entry filled, 24 for one
    /// added, 16 for one copied.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.count.bytes + 8 * self.filled + 24 * self.added + 16 * self.copied
    }
}

impl Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            filled: self.filled + other.filled,
            added: self.added + other.added,
            copied: self.copied + other.copied,
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// Bytes that are alive, and the most that ever were.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Rc<(Cell<u64>, Cell<u64>)>);

/// A block of memory that a [`Meter`] counts until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    meter: Meter,
    bytes: u64,
}

impl Meter {
    /// Counts `entries` of 8 bytes.
    pub(crate) fn hold(&self, entries: usize) -> Held {
        let bytes = 8 * entries as u64;
        let (live, peak) = &*self.0;
        live.set(live.get() + bytes);
        peak.set(peak.get().max(live.get()));
        Held { meter: self.clone(), bytes }
    }

    /// The most bytes that were alive at once.
    pub(crate) fn peak(&self) -> u64 {
        self.0.1.get()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let live = &self.meter.0.0;
        live.set(live.get() - self.bytes);
    }
}
