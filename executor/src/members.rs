//! Membership in a relation by a map of its box, where tuples fill it.
//!
//! Where the box has at most [`MOST`] points for each tuple, each point has a byte: 1 for tuples, 0 for others. It is set
//! once and kept while calls have the same relation. So time and memory are linear in the tuples.
//! Elsewhere tuples are searched for among the sorted ones.

use crate::loops::walk::{Visit, walk_cond};
use crate::loops::{Cond, LoopProgram, RelId};
use iverson_spec::call::Relation;

/// The most points of a box for each tuple.
pub(crate) const MOST: usize = 32;

/// The map of a relation, or none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    /// Whose map it is; it is kept, so no other one is at its address.
    of: Option<Relation>,
    extents: Vec<i64>,
    /// By place in the box, row-major: 1 for a tuple, else 0.
    map: Vec<u8>,
}

/// How many points a box has; `None` where those are more than [`MOST`] for each tuple.
pub(crate) fn points(extents: &[i64], tuples: usize) -> Option<usize> {
    let times = |points: usize, extent: &i64| points.checked_mul(usize::try_from(*extent).ok()?);
    let points = extents.iter().try_fold(1, times)?;
    (points.div_ceil(MOST) <= tuples).then_some(points)
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
    /// Has no map; the memory stays.
    pub(crate) fn clear(&mut self) {
        self.of = None;
        self.extents.clear();
        self.map.clear();
    }

    /// Makes the map of a relation, in a box of so many [`points`].
    ///
    /// * **Cost**: linear in the points; nothing if it is made already.
    pub(crate) fn fill(&mut self, extents: &[i64], points: usize, relation: &Relation) {
        let same = self.of.as_ref().is_some_and(|of| of.is_same(relation));
        if same && self.extents == extents {
            return;
        }
        self.of = Some(relation.clone());
        self.extents.clear();
        self.extents.extend_from_slice(extents);
        self.map.clear();
        self.map.resize(points, 0);
        let place = |e: usize| {
            let axes = extents.iter().enumerate();
            axes.fold(0, |at, (place, n)| at * n + relation.column(place)[e])
        };
        for e in 0..relation.len() {
            self.map[place(e) as usize] = 1;
        }
    }

    /// The extents of the box; `None` where there is no map.
    pub(crate) fn extents(&self) -> Option<&[i64]> {
        (!self.map.is_empty()).then_some(&*self.extents)
    }

    /// Whether there is a tuple at a place of the box.
    #[inline(always)]
    pub(crate) fn is_at(&self, place: i64) -> bool {
        self.map[place as usize] != 0
    }

    /// Whether a tuple is in the relation: not if it is outside of the box; `None` where there is no map.
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
        Some(self.is_at(at))
    }

    /// The address of the map, for engines that are compiled; null where there is none.
    pub(crate) fn map_ptr(&self) -> *const u8 {
        if self.map.is_empty() { std::ptr::null() } else { self.map.as_ptr() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_has_a_map_if_it_has_few_points_for_each_tuple() {
        let cases: [(&[i64], usize, Option<usize>); 11] = [
            (&[32], 1, Some(32)),
            (&[33], 1, None),
            (&[33], 2, Some(33)),
            (&[8, 8], 2, Some(64)),
            (&[8, 8], 1, None),
            (&[0, 16], 0, Some(0)),
            (&[3], 0, None),
            (&[], 1, Some(1)),
            (&[-1, -1], 5, None),
            (&[i64::MAX, 3], usize::MAX, None),
            (&[1 << 40, 1 << 40, 0], 7, None),
        ];
        for (extents, tuples, wanted) in cases {
            assert_eq!(points(extents, tuples), wanted, "{extents:?} with {tuples} tuples");
        }
    }

    #[test]
    fn a_map_is_that_of_the_tuples() {
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
            members.fill(extents, points(extents, own.len()).unwrap_or(0), &relation);
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
