//! The threads of a run, and the memory that they may have of their own.
//!
//! A run stays in the caller's thread; only a loop that has work enough is given to others too, so a
//! small call never waits for one to wake up. The caller's thread takes its share of each loop, always the first places: so
//! what it does before and after finds much of it in its own cache.

use rayon::{Scope, ThreadPool};
use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The caller's thread waits awake for so long.
const AWAKE: Duration = Duration::from_micros(50);

/// Threads that share loops.
#[derive(Clone, Copy, Debug)]
pub struct Team<'p> {
    /// How many there are, at least 1.
    pub threads: usize,
    /// Where they are, if not in the pool of the process.
    pub pool: Option<&'p ThreadPool>,
    /// The bytes that copies of buffers may take.
    pub room: u64,
}

impl Team<'_> {
    /// What `piece` gives for 0 on below `count`, in order; by one thread or by all.
    ///
    /// Each thread begins with its own share, and then takes what others have not begun.
    pub fn map<T: Send>(&self, count: i64, piece: impl Fn(i64) -> T + Sync + Send) -> Vec<T> {
        let threads = count.min(self.threads as i64);
        if threads <= 1 {
            return (0..count).map(piece).collect();
        }
        let results: Vec<Mutex<Option<T>>> = (0..count).map(|_| Mutex::new(None)).collect();
        let first = |thread: i64| count * thread / threads;
        let next: Vec<AtomicI64> =
            (0..threads).map(|thread| AtomicI64::new(first(thread))).collect();
        let work = |own: i64| {
            for share in (own..threads).chain(0..own) {
                let take = || next[share as usize].fetch_add(1, Ordering::Relaxed);
                for at in std::iter::repeat_with(take).take_while(|at| *at < first(share + 1)) {
                    let result = piece(at);
                    *results[at as usize].lock().unwrap_or_else(PoisonError::into_inner) =
                        Some(result);
                }
            }
        };
        let busy = AtomicI64::new(threads - 1);
        match self.pool {
            Some(pool) => pool.in_place_scope(|scope| spread(scope, threads, (&work, &busy))),
            None => rayon::in_place_scope(|scope| spread(scope, threads, (&work, &busy))),
        }
        let given = |slot: Mutex<Option<T>>| {
            let result = slot.into_inner().unwrap_or_else(PoisonError::into_inner);
            result.unwrap_or_else(|| unreachable!("every place is taken once"))
        };
        results.into_iter().map(given).collect()
    }

    /// What `part` gives for parts of the places below `len`, in order: one for each thread, or fewer of `least` places.
    pub(crate) fn map_parts<T: Send>(
        &self,
        len: usize,
        least: usize,
        part: impl Fn(Range<usize>) -> T + Sync + Send,
    ) -> Vec<T> {
        let parts = (len / least).clamp(1, self.threads);
        let each = len.div_ceil(parts);
        let part = |at: i64| part(each * at as usize..len.min(each * (at as usize + 1)));
        if parts == 1 { vec![part(0)] } else { self.map(parts as i64, part) }
    }
}

/// Has `work` done for each thread, for the first one by the caller's, which then waits awake for a while: what others
/// have left takes no longer, as a rule, and to be woken up would.
fn spread<'s>(
    scope: &Scope<'s>,
    threads: i64,
    (work, busy): (&'s (impl Fn(i64) + Sync), &'s AtomicI64),
) {
    (1..threads).for_each(|own| {
        scope.spawn(move |_| {
            work(own);
            busy.fetch_sub(1, Ordering::Release);
        });
    });
    work(0);
    let start = Instant::now();
    while busy.load(Ordering::Acquire) > 0 && start.elapsed() < AWAKE {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::Team;
    use rayon::ThreadPoolBuilder;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_piece_is_run_once_and_what_they_give_is_in_order() {
        let pool = ThreadPoolBuilder::new().num_threads(2).build();
        let pool = pool.unwrap_or_else(|error| panic!("{error}"));
        for threads in [1, 2, 3, 7] {
            for pool in [None, Some(&pool)] {
                let team = Team { threads, pool, room: 0 };
                for count in [0, 1, 2, 3, 64, 1000] {
                    let run = AtomicUsize::new(0);
                    let found = team.map(count, |at| {
                        run.fetch_add(1, Ordering::Relaxed);
                        // of uneven length, so that threads take the pieces of others
                        (0..at % 7 * 1000).fold(at, |sum, k| std::hint::black_box(sum + k) - k)
                    });
                    assert_eq!(found, (0..count).collect::<Vec<_>>(), "{threads} threads");
                    assert_eq!(run.into_inner(), count as usize, "{threads} threads");
                }
            }
        }
    }

    #[test]
    fn teams_within_a_team_end() {
        let team = Team { threads: 3, pool: None, room: 0 };
        let found = team.map(5, |at| team.map(4, |inner| at * inner).into_iter().sum::<i64>());
        assert_eq!(found, [0, 6, 12, 18, 24]);
    }
}
