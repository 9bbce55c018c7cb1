//! Timing: the median of samples, each of enough runs for the clock.

use iverson::reports::data::Time;
use std::time::{Duration, Instant};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// A series ends before a run that would take longer.
    pub(crate) longest: Duration,
    /// The same for dense: its growth shows where the whole tensors that it adds outweigh
    /// what each operation costs by itself.
    pub(crate) longest_dense: Duration,
    /// For the samples of a point.
    pub(crate) each: Duration,
    /// The most points of a series.
    pub(crate) most_points: usize,
    /// The least samples of a point; three of a long run, one of a run of a second.
    pub(crate) least_samples: usize,
    /// A series ends before a point whose memory would be more.
    pub(crate) bytes: u64,
    /// Of the inputs.
    pub(crate) seed: u64,
}

/// The most samples of a point: the quartiles of more are no narrower to the reader.
const MOST_SAMPLES: usize = 31;
/// A sample takes at least so long, by repeating the run.
const SAMPLE: Duration = Duration::from_micros(200);

/// A run that takes so long is its own sample: what comes first in it does not matter.
const LONG: Duration = Duration::from_secs(1);

/// Times `run`, which took `once` before (warm, then).
///
/// # Errors
/// The first that a run gives.
pub(crate) fn time<E>(
    effort: &Effort,
    once: Duration,
    mut run: impl FnMut() -> Result<(), E>,
) -> Result<Time, E> {
    if once >= LONG {
        let once = once.as_secs_f64();
        return Ok(Time { median: once, low: once, high: once, samples: 1 });
    }
    let repeats = SAMPLE.as_nanos().div_ceil(once.as_nanos().max(1)).clamp(1, 10_000) as u32;
    let least = if once > effort.longest { 3 } else { effort.least_samples };
    let mut samples = Vec::new();
    let begin = Instant::now();
    while samples.len() < least || (begin.elapsed() < effort.each && samples.len() < MOST_SAMPLES) {
        let start = Instant::now();
        for _ in 0..repeats {
            run()?;
        }
        samples.push(start.elapsed().as_secs_f64() / f64::from(repeats));
    }
    samples.sort_by(f64::total_cmp);
    let at = |part: f64| samples[((samples.len() - 1) as f64 * part).round() as usize];
    Ok(Time { median: at(0.5), low: at(0.25), high: at(0.75), samples: samples.len() })
}
