//! Counts at many sizes, made when they are asked for.

use super::Growth;
use crate::polynomial;
use indexmap::IndexMap;

/// A sample of more points than this is not taken.
const SAMPLE_POINTS: u128 = 60_000;
/// All samples together have at most so many points.
const ALL_POINTS: u128 = 3_000_000;

/// Counts several things at sizes.
pub(super) trait Counter {
    /// The points that counting at these sizes visits.
    fn points(&self, sizes: &[u64]) -> Option<u128>;

    /// The counts at these sizes with data drawn by a seed; always as many.
    fn counts(&self, sizes: &[u64], seed: u64) -> Option<Vec<u64>>;
}

/// The counts made so far.
pub(super) struct Samples<C> {
    counter: C,
    seed: u64,
    /// What is left of [`ALL_POINTS`].
    points: u128,
    /// By sizes.
    counts: IndexMap<Vec<u64>, Option<Vec<u64>>>,
    /// Which counts differ between seeds.
    differs: Vec<bool>,
}

impl<C: Counter> Samples<C> {
    /// Of `many` counts.
    pub(super) fn new(counter: C, many: usize, seed: u64) -> Self {
        let (counts, differs) = (IndexMap::new(), vec![false; many]);
        Self { counter, seed, points: ALL_POINTS, counts, differs }
    }

    /// How count `k` grows in the sizes `names`.
    pub(super) fn growth(&mut self, names: &[String], k: usize) -> Growth {
        let formula = polynomial::find(names, &mut |at| self.count(at, k));
        match formula {
            _ if self.differs[k] => Growth::Data,
            Some(formula) => Growth::Formula(formula),
            None => Growth::Unknown,
        }
    }

    /// Count `k` at some sizes; `None` where there is none, where it is too
    /// costly, and once it is known to depend on the data.
    fn count(&mut self, at: &[u64], k: usize) -> Option<u64> {
        if !self.counts.contains_key(at) {
            let counts = self.sample(at);
            self.counts.insert(at.to_vec(), counts);
        }
        let counts = self.counts.get(at)?.as_ref()?;
        (!self.differs[k]).then(|| counts[k])
    }

    fn sample(&mut self, at: &[u64]) -> Option<Vec<u64>> {
        let points = self.counter.points(at)?;
        if points > SAMPLE_POINTS {
            return None;
        }
        self.points = self.points.checked_sub(2 * (points + 100))?;
        let first = self.counter.counts(at, self.seed)?;
        let second = self.counter.counts(at, self.seed.wrapping_add(1))?;
        for (differs, (a, b)) in self.differs.iter_mut().zip(first.iter().zip(&second)) {
            *differs |= a != b;
        }
        Some(first)
    }
}
