//! Sums into buffers, shared by threads: each part of a loop adds to a copy of its own.
//!
//! `for e { h[p[e]] += w[e] }` is cut into parts. The first adds to `h` itself, each other one to a copy that begins with
//! the empty sum; the copies are joined to `h` in the order of the parts. Into how many parts a loop is cut is decided
//! by sizes and by the memory that is left, so the bits do not depend on the number of threads.

use crate::frame::Frame;
use crate::lines::{at_line, clear};
use crate::loops::{BufferId, Fold};
use crate::runner::join;
use crate::scalar::Scalar;
use crate::team::Team;
use std::sync::{Mutex, PoisonError};

/// A loop is cut into at most this many parts.
pub(crate) const PARTS: i64 = 8;
/// A loop has so many operations for each entry of its copies: so clearing and joining them costs little.
const DENSE: i64 = 16;
/// A part has at least so many operations, if nobody says otherwise.
pub(crate) const LITTLE: i64 = 1 << 16;

/// Into how many parts of `little` operations or more a loop of so many is cut, whose copies have so many entries each; 1 where
/// it does not pay, or there is no room for a copy.
pub(crate) fn parts<S: Scalar>((work, entries): (i64, usize), little: i64, room: u64) -> i64 {
    let entries = entries.max(1) as i64;
    let copies = i64::try_from(room / S::BYTES).unwrap_or(i64::MAX) / entries;
    let copies = copies.min(work / entries.saturating_mul(DENSE));
    (work / little).min(copies.saturating_add(1)).clamp(1, PARTS)
}

/// The entries of buffers, together.
pub(crate) fn entries<S: Scalar>(frame: &Frame<S>, buffers: &[(BufferId, Fold)]) -> usize {
    buffers.iter().map(|(buffer, _)| frame.len(*buffer)).sum()
}

/// Takes the copies of buffers apart, which lie one behind the other.
pub(crate) fn split<'m, S: Scalar>(
    frame: &Frame<S>,
    buffers: &[(BufferId, Fold)],
    memory: &'m mut [S],
) -> Vec<(BufferId, &'m mut [S])> {
    split_up(frame, buffers.iter().map(|(buffer, _)| *buffer), memory)
}

/// Takes memory for buffers, which lie one behind the other, apart.
fn split_up<'m, S: Scalar>(
    frame: &Frame<S>,
    buffers: impl Iterator<Item = BufferId>,
    mut memory: &'m mut [S],
) -> Vec<(BufferId, &'m mut [S])> {
    let mut own = Vec::new();
    for buffer in buffers {
        let (copy, rest) = memory.split_at_mut(frame.len(buffer));
        own.push((buffer, copy));
        memory = rest;
    }
    own
}

/// Makes memory as large as the buffers that an iteration has for itself, and takes it apart.
pub(crate) fn locals<'m, S: Scalar>(
    frame: &Frame<S>,
    buffers: &[BufferId],
    memory: &'m mut Vec<S>,
) -> Vec<(BufferId, &'m mut [S])> {
    let count = buffers.iter().map(|buffer| frame.len(*buffer)).sum();
    split_up(frame, buffers.iter().copied(), at_line(memory, count))
}

/// Runs the parts of a loop, given their numbers and, all but the first, their copies of `buffers`; then the buffers have
/// all sums. What the parts give comes in order.
///
/// * **Memory**: a copy for each part but the first; one in all, where there is one thread.
/// * **Arithmetic**: the same bits for any number of threads.
pub(crate) fn run<S: Scalar, T: Send>(
    frame: &Frame<S>,
    team: Team<'_>,
    memory: &mut Vec<S>,
    (buffers, parts): (&[(BufferId, Fold)], i64),
    part: impl Fn(i64, Option<&mut [S]>) -> T + Sync + Send,
) -> Vec<T> {
    let entries = entries(frame, buffers);
    let each = entries.max(1);
    let copies = if team.threads == 1 { 1 } else { parts - 1 };
    let memory = at_line(memory, each * copies as usize);
    let cleared = |at: i64, copy: &mut [S]| {
        for ((_, own), (_, fold)) in split(frame, buffers, copy).iter_mut().zip(buffers) {
            match fold {
                Fold::Sum => clear(own),
                Fold::Prod | Fold::Max | Fold::Min => own.fill(S::of(fold.empty())),
            }
        }
        part(at, Some(copy))
    };
    if team.threads == 1 {
        let mut results = vec![part(0, None)];
        for at in 1..parts {
            results.push(cleared(at, memory));
            join_copies(frame, team, buffers, &[memory]);
        }
        return results;
    }
    let copies: Vec<Mutex<&mut [S]>> = memory.chunks_mut(each).map(Mutex::new).collect();
    let results = team.map(parts, |at| {
        let Some(copy) = at.checked_sub(1).and_then(|at| copies.get(at as usize)) else {
            return part(at, None);
        };
        cleared(at, &mut copy.lock().unwrap_or_else(PoisonError::into_inner))
    });
    let copies: Vec<&[S]> = memory.chunks(each).collect();
    join_copies(frame, team, buffers, &copies);
    results
}

/// Entries that a thread joins at a time.
const BLOCK: usize = 1 << 12;

/// Joins copies to their buffers, in order.
fn join_copies<S: Scalar>(
    frame: &Frame<S>,
    team: Team<'_>,
    buffers: &[(BufferId, Fold)],
    copies: &[&[S]],
) {
    let mut before = 0;
    for (buffer, fold) in buffers {
        let len = frame.len(*buffer);
        let block = |at: i64| {
            let start = at as usize * BLOCK;
            let count = BLOCK.min(len - start);
            frame.change_reals(*buffer, start, count, |totals| {
                for copy in copies {
                    let own = &copy[before + start..before + start + count];
                    for (total, value) in totals.iter_mut().zip(own) {
                        *total = join(*fold, *total, *value);
                    }
                }
            });
        };
        let blocks = len.div_ceil(BLOCK) as i64;
        // a few blocks are joined sooner than another thread wakes up
        let alone = blocks * (copies.len() as i64) < 16;
        let team = if alone { Team { threads: 1, ..team } } else { team };
        team.map(blocks, block);
        before += len;
    }
}

#[cfg(test)]
mod tests {
    use super::{LITTLE, parts};

    #[test]
    fn parts_are_large_beside_their_copies() {
        let room = u64::MAX;
        assert_eq!(parts::<f64>((1 << 30, 1000), LITTLE, room), 8);
        assert_eq!(parts::<f64>((1 << 17, 0), LITTLE, room), 2);
        assert_eq!(parts::<f64>(((1 << 17) - 1, 0), LITTLE, room), 1);
        assert_eq!(parts::<f64>((2 * 16 * 100_000, 100_000), LITTLE, room), 3);
        assert_eq!(parts::<f64>((16 * 100_000 - 1, 100_000), LITTLE, room), 1);
        assert_eq!(parts::<f64>((1 << 30, 1000), LITTLE, 8000 * 3), 4);
        assert_eq!(parts::<f32>((1 << 30, 1000), LITTLE, 7999), 2);
        assert_eq!(parts::<f64>((1 << 30, 1000), LITTLE, 7999), 1);
        assert_eq!(parts::<f64>((i64::MAX, usize::MAX / 2), LITTLE, room), 1);
    }
}
