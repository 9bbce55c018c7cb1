//! One way of differentiating one program, at sizes that double.

use crate::memory;
use crate::samples::{Effort, time};
use iverson::pathological::Point as At;
use iverson::reports::data::{Point, Setting, Subject as Key};
use iverson::slowdown::{Engine, Run, RunError, Subject, Way};
use std::num::NonZero;
use std::time::{Duration, Instant};

/// A way, and what runs it.
pub(crate) type Line = (Way, Engine);

/// What is measured of each program; native code where there is a C compiler.
pub(crate) fn lines(native: bool) -> Vec<Line> {
    let mut lines: Vec<Line> = Way::ALL.into_iter().map(|way| (way, Engine::Own)).collect();
    let block = |threads| NonZero::new(threads).map(Engine::Block);
    lines.extend(block(1).map(|engine| (Way::Primal, engine)));
    lines.extend([1, 2].into_iter().filter_map(block).map(|engine| (Way::Indicator, engine)));
    if native {
        lines.extend([Way::Primal, Way::Indicator].map(|way| (way, Engine::Native)));
    }
    lines
}

/// A way of a program, and what was measured of it so far.
pub(crate) struct Series<'s> {
    line: Line,
    subject: &'s Subject,
    key: Key,
    setting: &'s Setting,
    /// The next size.
    n: usize,
    points: Vec<Point>,
    /// By point, the bytes that are held for its runs.
    held: Vec<usize>,
    /// Whether it goes on.
    open: bool,
    failure: Option<String>,
}

/// The largest of these times the last size is measured besides, if it can be.
const FAR: [usize; 4] = [16, 8, 4, 2];

/// All lines of a program, size by size: what is compared at a size is measured at about
/// the same time. Gives the points, line by line, and what went wrong.
pub(crate) fn measure(mut all: Vec<Series<'_>>, effort: &Effort) -> (Vec<Point>, Vec<String>) {
    while all.iter().any(|series| series.open) {
        all.iter_mut().filter(|series| series.open).for_each(|series| series.advance(effort));
    }
    let is_shared = |series: &&Series<'_>| {
        matches!(series.line, (Way::Indicator, Engine::Block(_))) && series.failure.is_none()
    };
    if let Some(n) = all.iter().find(is_shared).and_then(|series| series.far(effort)) {
        all.iter_mut()
            .filter(|series| is_shared(&&**series))
            .for_each(|series| series.measure_at(n, effort));
    }
    let failures = all.iter().filter_map(|series| series.failure.clone()).collect();
    (all.into_iter().flat_map(|series| series.points).collect(), failures)
}

impl<'s> Series<'s> {
    pub(crate) fn new(line: Line, subject: &'s Subject, key: Key, setting: &'s Setting) -> Self {
        let (n, points, held) = (subject.member.start, Vec::new(), Vec::new());
        Self { line, subject, key, setting, n, points, held, open: true, failure: None }
    }

    /// Measures the next size, or ends the series where that would take too long or too
    /// much memory.
    fn advance(&mut self, effort: &Effort) {
        let limit = self.longest(effort);
        let stop = too_much(&self.points, &self.held, self.n, limit, effort.bytes);
        if let (Some(_), Some(last)) = (&stop, self.points.last_mut()) {
            last.stopped.clone_from(&stop);
        }
        self.open = stop.is_none() && self.points.len() < effort.most_points;
        if self.open {
            self.measure_at(self.n, effort);
            self.n *= 2;
            self.open &= self.failure.is_none();
        }
    }

    fn measure_at(&mut self, n: usize, effort: &Effort) {
        match self.point(n, effort, self.points.is_empty()) {
            Ok((point, bytes)) => {
                self.points.push(point);
                self.held.push(bytes);
            }
            Err(error) => {
                let (way, function) = (self.line.0, &self.key.function);
                self.failure = Some(format!("{function}, {way}, n = {n}: {error}"));
            }
        }
    }

    /// A size beyond the last one, large enough for threads, whose run is short: dense and
    /// the loops, which set the sizes, reach far less.
    fn far(&self, effort: &Effort) -> Option<usize> {
        let [.., before, last] = self.points.as_slice() else { return None };
        let (old, new) = (before.time?.low, last.time?.low);
        let doubled = (new / old).max(2.0);
        let bytes = self.held.iter().copied().max()? as f64 + last.peak_bytes? as f64;
        let more = (last.peak_bytes? as f64 / before.peak_bytes?.max(1) as f64).max(2.0);
        let fits = |factor: &usize| {
            let doublings = factor.ilog2() as i32;
            new * doubled.powi(doublings) <= effort.longest.as_secs_f64()
                && bytes * more.powi(doublings) <= effort.bytes as f64
        };
        FAR.into_iter().find(fits).map(|factor| factor * last.n as usize)
    }

    /// A point, and the bytes that are held for its runs.
    fn point(&self, n: usize, effort: &Effort, first: bool) -> Result<(Point, usize), String> {
        let at = self.subject.member.point(n, effort.seed);
        let text = |error: RunError| error.to_string();
        let before = memory::live();
        memory::reset();
        let mut run = Run::new(self.subject, self.line.0, self.line.1, &at).map_err(text)?;
        let held = memory::live() - before;
        let start = Instant::now();
        let spent = run.run().map_err(text)?;
        let once = start.elapsed();
        let peak = (memory::peak() - before) as u64;
        let time = time(effort, once, || run.run().map(drop)).map_err(text)?;
        if first && self.line.0 != Way::Primal {
            self.check(&mut run, &at)?;
        }
        if self.threads() > 1 {
            self.same_bits(&mut run, &at)?;
        }
        let point = Point {
            subject: self.key.clone(),
            strategy: self.strategy(),
            engine: self.engine_name().to_owned(),
            threads: self.threads(),
            n: n as u64,
            time: Some(time),
            work: spent.work,
            peak_bytes: Some(spent.peak_bytes.unwrap_or(peak)),
            stopped: None,
            setting: self.setting.clone(),
        };
        Ok((point, held))
    }

    /// The derivative is the reference.
    fn check(&self, run: &mut Run, at: &At) -> Result<(), String> {
        let found = run.derivative(self.subject).map_err(|error| error.to_string())?;
        let wanted = (self.subject.member.reference)(at);
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
        let near =
            |(a, b): (&Vec<f64>, &Vec<f64>)| a.len() == b.len() && a.iter().zip(b).all(close);
        match found.len() == wanted.len() && found.iter().zip(&wanted).all(near) {
            true => Ok(()),
            false => Err("the derivative is not its reference".to_owned()),
        }
    }

    /// One thread gives the same bits.
    fn same_bits(&self, run: &mut Run, at: &At) -> Result<(), String> {
        let text = |error: RunError| error.to_string();
        let several = run.compiled_numbers().map_err(text)?;
        let one = Engine::Block(NonZero::<usize>::MIN);
        let one = Run::new(self.subject, self.line.0, one, at)
            .and_then(|mut run| run.compiled_numbers())
            .map_err(text)?;
        let same = several.len() == one.len()
            && several.iter().zip(&one).all(|(a, b)| a.to_bits() == b.to_bits());
        match same {
            true => Ok(()),
            false => Err(format!("{} threads give other bits than one", self.threads())),
        }
    }

    /// The name in records: a series of its own for each engine.
    fn strategy(&self) -> String {
        let (way, engine) = self.line;
        match engine {
            Engine::Own => way.name().to_owned(),
            Engine::Block(_) => format!("{way}-block"),
            Engine::Native => format!("{way}-native"),
        }
    }

    /// The longest run of the series.
    fn longest(&self, effort: &Effort) -> Duration {
        match self.line.0 {
            Way::Dense => effort.longest_dense,
            Way::Primal | Way::Scatter | Way::Indicator | Way::DenseIndicator => effort.longest,
        }
    }

    fn threads(&self) -> usize {
        match self.line.1 {
            Engine::Own | Engine::Native => 1,
            Engine::Block(threads) => threads.get(),
        }
    }

    fn engine_name(&self) -> &'static str {
        match (self.line.1, self.line.0) {
            (Engine::Block(_), _) => "block",
            (Engine::Native, _) => "native",
            (Engine::Own, Way::Dense) => "tape",
            (Engine::Own, Way::Primal | Way::Scatter | Way::Indicator | Way::DenseIndicator) => {
                "loops"
            }
        }
    }
}

/// Why the next point is not measured, told from how the last two grew.
fn too_much(
    points: &[Point],
    held: &[usize],
    n: usize,
    limit: Duration,
    most_bytes: u64,
) -> Option<String> {
    let next = |old: f64, new: f64| new * (new / old.max(1e-12)).clamp(1.0, 16.0);
    let ([.., before, last], [.., held_before, held_last]) = (points, held) else { return None };
    // the quartile: what else the machine does ends no series
    let seconds = next(before.time?.low, last.time?.low);
    if seconds > limit.as_secs_f64() {
        let about = Duration::from_secs_f64(seconds);
        return Some(format!("a run at n = {n} would take about {about:.0?}, more than {limit:?}"));
    }
    let bytes = next(*held_before as f64, *held_last as f64)
        .max(next(before.peak_bytes? as f64, last.peak_bytes? as f64));
    (bytes > most_bytes as f64)
        .then(|| format!("n = {n} would need about {:.1} GB of memory", bytes / 1e9))
}
