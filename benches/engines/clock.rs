//! Clocks: by the wall, or the time that threads have a processor.
//!
//! The second says what a call costs where other programs share the machine: with two threads it is the
//! time of the busier one, which is what a wall clock would show if nothing else ran.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

/// Milliseconds of one call; with `--processor` among the words of the command, those of its busiest thread.
pub(super) fn once(mut call: impl FnMut()) -> f64 {
    if !std::env::args().any(|word| word == "--processor") {
        let start = Instant::now();
        call();
        return start.elapsed().as_secs_f64() * 1e3;
    }
    let before = processor();
    call();
    let spent = |(thread, now): (&String, &u64)| now - before.get(thread).unwrap_or(&0);
    let busiest = processor().iter().map(spent).max().unwrap_or(0);
    busiest as f64 / 1e6
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
