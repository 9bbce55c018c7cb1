//! Membership in a relation by a bit, where its tuples fill their box.
//!
//! Where the box has at most 64 points for each tuple, each point has a bit, set once and kept while calls have the
//! same relation. That is at most a word for each tuple, so time and memory are linear in the tuples.
//! Elsewhere tuples are searched for among the sorted ones.

use crate::loops::walk::{Visit, walk_cond};
use crate::loops::{Cond, LoopProgram, RelId};
use iverson_spec::call::Relation;

/// The bits of a relation, or none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    /// Whose bits they are; it is kept, so no other one is at its address.
    of: Option<Relation>,
    extents: Vec<i64>,
    /// The point at place `p` of the box, row-major, has bit `p % 64` of word `p / 64`.
    words: Vec<u64>,
}

/// How many words the bits of a box take; `None` where that is more than one for each tuple.
pub(crate) fn words(extents: &[i64], tuples: usize) -> Option<usize> {
    let times = |points: u64, extent: &i64| points.checked_mul(u64::try_from(*extent).ok()?);
    let points = extents.iter().try_fold(1, times)?;
    let words = usize::try_from(points.div_ceil(64)).ok()?;
    (words <= tuples).then_some(words)
}

/// The relations that a program asks for membership in, each once.
pub(crate) fn asked(program: &LoopProgram) -> Vec<RelId> {
    struct Asked(Vec<RelId>);
    impl Visit for Asked {
        fn cond(&mut self, cond: &Cond) {
            if let Cond::Member(relation, _) = cond {
                self.0.push(*relation);
            }
            walk_cond(self, cond);
        }
    }
    let mut asked = Asked(Vec::new());
    program.body.iter().for_each(|node| asked.node(node));
    asked.0.sort_unstable();
    asked.0.dedup();
    asked.0
}

impl Members {
    /// Has no bits; the memory stays.
    pub(crate) fn clear(&mut self) {
        self.of = None;
        self.extents.clear();
        self.words.clear();
    }

    /// Sets the bits of a relation in a box of `count` words ([`words`]).
    ///
    /// * **Cost**: linear in the tuples; nothing if they are set already.
    pub(crate) fn fill(&mut self, extents: &[i64], count: usize, relation: &Relation) {
        let same = self.of.as_ref().is_some_and(|of| of.is_same(relation));
        if same && self.extents == extents {
            return;
        }
        self.of = Some(relation.clone());
        self.extents.clear();
        self.extents.extend_from_slice(extents);
        self.words.clear();
        self.words.resize(count, 0);
        if let [_, n] = extents {
            let (rows, columns) = (relation.column(0), relation.column(1));
            return self.set(rows.iter().zip(columns).map(|(i, j)| i * n + j));
        }
        let place = |e: usize| {
            let axes = extents.iter().enumerate();
            axes.fold(0, |at, (place, n)| at * n + relation.column(place)[e])
        };
        self.set((0..relation.len()).map(place));
    }

    /// Sets bits; those of a word come one after the other, as tuples are sorted.
    fn set(&mut self, places: impl Iterator<Item = i64>) {
        let (mut at, mut word) = (0, 0);
        for place in places {
            let next = (place / 64) as usize;
            if next != at {
                self.words[at] |= word;
                (at, word) = (next, 0);
            }
            word |= 1 << (place % 64);
        }
        if let Some(last) = self.words.get_mut(at) {
            *last |= word;
        }
    }

    /// The extents of the box; `None` where there are no bits.
    pub(crate) fn extents(&self) -> Option<&[i64]> {
        (!self.words.is_empty()).then_some(&*self.extents)
    }

    /// The bit at a place of the box.
    #[inline(always)]
    pub(crate) fn bit(&self, place: i64) -> bool {
        self.words[(place >> 6) as usize] >> (place & 63) & 1 != 0
    }

    /// Whether a tuple is in the relation: not if it is outside of the box; `None` where there are no bits.
    #[inline]
    pub(crate) fn holds(&self, tuple: impl Fn(usize) -> i64) -> Option<bool> {
        let mut at = 0;
        for (place, extent) in self.extents()?.iter().enumerate() {
            let index = tuple(place);
            if !(0..*extent).contains(&index) {
                return Some(false);
            }
            at = at * extent + index;
        }
        Some(self.bit(at))
    }

    /// The address of the words, for engines that are compiled; null where there are none.
    pub(crate) fn words_ptr(&self) -> *const u64 {
        if self.words.is_empty() { std::ptr::null() } else { self.words.as_ptr() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_has_bits_if_they_take_a_word_for_each_tuple_at_most() {
        let cases: [(&[i64], usize, Option<usize>); 11] = [
            (&[64], 1, Some(1)),
            (&[65], 1, None),
            (&[65], 2, Some(2)),
            (&[8, 16], 2, Some(2)),
            (&[8, 16], 1, None),
            (&[0, 16], 0, Some(0)),
            (&[3], 0, None),
            (&[], 1, Some(1)),
            (&[-1, -1], 5, None),
            (&[i64::MAX, 3], usize::MAX, None),
            (&[1 << 40, 1 << 40, 0], 7, None),
        ];
        for (extents, tuples, wanted) in cases {
            assert_eq!(words(extents, tuples), wanted, "{extents:?} with {tuples} tuples");
        }
    }

    #[test]
    fn bits_are_those_of_the_tuples() {
        let extents = [3, 5, 14];
        let tuples: Vec<[i64; 3]> = (0..3 * 5 * 14)
            .filter(|at| at * at % 7 < 3)
            .map(|at| [at / 70, at / 14 % 5, at % 14])
            .collect();
        for arity in 1..=3 {
            let extents = &extents[3 - arity..];
            let mut own: Vec<&[i64]> = tuples.iter().map(|tuple| &tuple[3 - arity..]).collect();
            own.sort_unstable();
            own.dedup();
            let relation = Relation::new(arity, own.iter().map(|tuple| tuple.to_vec()).collect());
            let mut members = Members::default();
            assert_eq!(members.holds(|_| 0), None);
            members.fill(extents, words(extents, own.len()).unwrap_or(0), &relation);
            for at in 0..5 * 7 * 16 {
                let tuple = [at / 112 - 1, at / 16 % 7 - 1, at % 16 - 1];
                let tuple = &tuple[3 - arity..];
                assert_eq!(members.holds(|k| tuple[k]), Some(own.contains(&tuple)), "{tuple:?}");
            }
            members.clear();
            assert_eq!(members.holds(|_| 0), None);
        }
    }
}
