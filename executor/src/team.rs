//! The threads of a run, and the memory that they may have of their own.
//!
//! A run stays in the caller's thread; only a loop that has work enough is given to others, so a
//! small call never waits for one to wake up.

use rayon::ThreadPool;
use rayon::prelude::*;
use std::ops::Range;

/// A thread looks at so many places, or more.
const LOOKED_AT: usize = 1 << 16;

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
    pub fn map<T: Send>(&self, count: i64, piece: impl Fn(i64) -> T + Sync + Send) -> Vec<T> {
        if self.threads == 1 {
            return (0..count).map(piece).collect();
        }
        let all = || (0..count).into_par_iter().map(piece).collect();
        match self.pool {
            Some(pool) => pool.install(all),
            None => all(),
        }
    }

    /// Whether something holds for all of the places below `len`, which is asked of parts of them.
    pub(crate) fn all(
        &self,
        len: usize,
        holds: impl Fn(Range<usize>) -> bool + Sync + Send,
    ) -> bool {
        let pieces = (len / LOOKED_AT).clamp(1, self.threads);
        let each = len.div_ceil(pieces);
        let piece = |at: i64| holds(each * at as usize..len.min(each * (at as usize + 1)));
        if pieces == 1 {
            piece(0)
        } else {
            self.map(pieces as i64, piece).into_iter().all(|all| all)
        }
    }
}
