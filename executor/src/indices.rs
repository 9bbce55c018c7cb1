//! What a look at integers tells: whether they are indices below a limit, and whether they ascend.

use crate::block::levels;
use crate::math::{Instructions, Level};
use crate::team::Team;
use std::ops::Range;

/// Integers that are looked at at once, without a branch for each.
const BLOCK: usize = 4096;
/// A thread looks at so many integers, or more.
const LITTLE: usize = 1 << 16;

/// What a look at indices tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Looked {
    /// Whether they are below the limit, and none is negative.
    pub(crate) within: bool,
    /// Whether they ascend, equal ones side by side; not said where they are not within.
    pub(crate) ascend: bool,
}

/// Looks at integers once: where none is negative and they ascend, the last one of a block says whether it is within.
pub(crate) fn look(data: &[i64], limit: i64, team: Team<'_>) -> Looked {
    let part = |range: Range<usize>| {
        let mut ascend = true;
        let within = blocks(range).all(|block| {
            ascend = ascend && block_ascends(data, &block);
            let block = &data[block];
            match block {
                [.., last] if ascend => *last < limit,
                _ => are_within(block, limit),
            }
        });
        Looked { within, ascend }
    };
    let both = |a: Looked, b: Looked| Looked {
        within: a.within && b.within,
        ascend: a.ascend && b.ascend,
    };
    let nothing = Looked { within: true, ascend: true };
    team.map_parts(data.len(), LITTLE, part).into_iter().fold(nothing, both)
}

/// Whether indices ascend, equal ones side by side.
pub(crate) fn ascend(data: &[i64], team: Team<'_>) -> bool {
    let part = |range| blocks(range).all(|block| block_ascends(data, &block));
    team.map_parts(data.len(), LITTLE, part).into_iter().all(|part| part)
}

fn blocks(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(BLOCK).map(move |start| start..end.min(start + BLOCK))
}

/// Whether the integers of a block ascend, to the first one behind it, and none is negative.
fn block_ascends(data: &[i64], block: &Range<usize>) -> bool {
    let next = &data[data.len().min(block.start + 1)..data.len().min(block.end + 1)];
    step_signs(Level::best(), &data[block.clone()], next) >= 0
}

/// Whether integers are in `0..limit`, for a limit that is not negative.
fn are_within(block: &[i64], limit: i64) -> bool {
    signs(Level::best(), block, limit - 1) >= 0
}

#[inline(always)]
fn signs_body(data: &[i64], last: i64) -> i64 {
    data.iter().fold(0, |signs, e| signs | e | last.wrapping_sub(*e))
}

#[inline(always)]
fn step_signs_body(data: &[i64], next: &[i64]) -> i64 {
    let last = data.last().copied().unwrap_or(0);
    data.iter().zip(next).fold(last, |signs, (e, next)| signs | e | next.wrapping_sub(*e))
}

levels! {
    /// Has a sign where one of `data` has, or what it leaves of `last`.
    signs = signs_body(data: &[i64], last: i64) -> i64; signs_avx512, signs_avx2
}

levels! {
    /// Has a sign where one of `data` has, or what it leaves of the one in `next`, which may lack the last one.
    step_signs = step_signs_body(data: &[i64], next: &[i64]) -> i64; step_signs_avx512, step_signs_avx2
}

#[cfg(test)]
mod tests {
    use super::{Looked, Team, ascend, look};

    /// Both sides of the ends of blocks and of what a thread looks at.
    const PLACES: [usize; 7] = [0, 4095, 4096, 65_535, 66_666, 131_072, 199_999];

    #[test]
    fn indices_are_within_their_limit() {
        for (limit, threads) in [0, 1, 2, 63, i64::MAX].into_iter().zip([1, 1, 2, 3, 7]) {
            let team = Team { threads, pool: None, room: 0 };
            for entry in [i64::MIN, i64::MIN + 1, -2, -1, 0, 1, 2, 62, 63, i64::MAX - 1, i64::MAX] {
                let wanted = (0..limit).contains(&entry);
                assert_eq!(look(&[entry], limit, team).within, wanted, "{entry} below {limit}");
                for place in PLACES {
                    let mut data = vec![0; 200_000];
                    data[place] = entry;
                    let found = look(&data, limit, team).within;
                    assert_eq!(found, wanted && limit > 0, "{entry} below {limit} at {place}");
                }
            }
            assert_eq!(look(&[], limit, team), Looked { within: true, ascend: true });
        }
    }

    #[test]
    fn integers_ascend_in_all_parts() {
        for threads in [1, 2, 3] {
            let team = Team { threads, pool: None, room: 0 };
            let sorted: Vec<i64> = (0..200_000).map(|i| i / 7).collect();
            let both = |data: &[i64]| {
                let looked = look(data, 1 << 20, team);
                assert_eq!(looked, Looked { within: true, ascend: ascend(data, team) });
                looked.ascend
            };
            assert!(both(&sorted) && both(&[]) && both(&[3]));
            for place in PLACES {
                let mut data = sorted.clone();
                data[place] += 2;
                assert_eq!(both(&data), place == 199_999, "{place}, {threads} threads");
            }
        }
    }
}
