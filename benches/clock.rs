//! Clocks: by the wall, or the time that threads have a processor.
//!
//! The second says what a call costs where other programs share the machine: with two threads it is the
//! time of the busier one, which is what a wall clock would show if nothing else ran.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

/// Calls are repeated for this long.
const ENOUGH: Duration = Duration::from_millis(300);

/// Milliseconds of one call.
pub(crate) fn once(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    call();
    start.elapsed().as_secs_f64() * 1e3
}

/// Milliseconds: the best of calls until [`ENOUGH`] time has gone by; the first one is not counted. With
/// `--processor` among the words of the command it is the mean, in the busiest thread: the system counts such time in
/// steps of some milliseconds.
pub(crate) fn repeated(mut call: impl FnMut()) -> f64 {
    call();
    let by_processor = std::env::args().any(|word| word == "--processor");
    let before = if by_processor { processor() } else { BTreeMap::new() };
    let (begin, mut least, mut count) = (Instant::now(), f64::INFINITY, 0);
    while begin.elapsed() < ENOUGH || by_processor && count < 5 {
        least = least.min(once(&mut call));
        count += 1;
    }
    if !by_processor {
        return least;
    }
    let spent = |(thread, now): (&String, &u64)| now - before.get(thread).unwrap_or(&0);
    let busiest = processor().iter().map(spent).max().unwrap_or(0);
    busiest as f64 / 1e6 / f64::from(count)
}

/// The nanoseconds that each thread has had a processor.
fn processor() -> BTreeMap<String, u64> {
    let Ok(threads) = fs::read_dir("/proc/self/task") else {
        panic!("--processor reads /proc/self/task, which only Linux has: leave it out")
    };
    threads
        .filter_map(|thread| {
            let thread = thread.ok()?;
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
            Some((thread.file_name().to_string_lossy().into_owned(), nanoseconds))
        })
        .collect()
}
