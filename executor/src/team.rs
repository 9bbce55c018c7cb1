//! The threads of a run, and the memory that they may have of their own.
//!
//! A run stays in the caller's thread; only a loop that has work enough is given to others, so a
//! small call never waits for one to wake up.

use rayon::ThreadPool;
use rayon::prelude::*;
use std::ops::Range;

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
