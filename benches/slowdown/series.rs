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

/// A way of a program.
pub(crate) struct Series<'s> {
    pub(crate) way: Way,
    pub(crate) engine: Engine,
    pub(crate) subject: &'s Subject,
    pub(crate) key: Key,
    pub(crate) setting: &'s Setting,
}

impl Series<'_> {
    /// The points until one would take too long or too much memory, and what went wrong.
    pub(crate) fn measure(&self, effort: &Effort) -> (Vec<Point>, Option<String>) {
        let mut points: Vec<Point> = Vec::new();
        let mut held = Vec::new();
        let mut n = self.subject.member.start;
        while points.len() < effort.most_points {
            if let Some(stop) = too_much(&points, &held, n, self.longest(effort), effort.bytes) {
                if let Some(last) = points.last_mut() {
                    last.stopped = Some(stop);
                }
                break;
            }
            match self.point(n, effort, points.is_empty()) {
                Ok((point, bytes)) => {
                    points.push(point);
                    held.push(bytes);
                }
                Err(error) => {
                    let what = format!("{}, {}, n = {n}: {error}", self.key.function, self.way);
                    return (points, Some(what));
                }
            }
            n *= 2;
        }
        (points, None)
    }

    /// A point, and the bytes that are held for its runs.
    fn point(&self, n: usize, effort: &Effort, first: bool) -> Result<(Point, usize), String> {
        let at = self.subject.member.point(n, effort.seed);
        let text = |error: RunError| error.to_string();
        let before = memory::live();
        memory::reset();
        let mut run = Run::new(self.subject, self.way, self.engine, &at).map_err(text)?;
        let held = memory::live() - before;
        let start = Instant::now();
        let spent = run.run().map_err(text)?;
        let once = start.elapsed();
        let peak = (memory::peak() - before) as u64;
        let time = time(effort, once, || run.run().map(drop)).map_err(text)?;
        if first && self.way != Way::Primal {
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
        let several = run.derivative(self.subject).map_err(text)?;
        let one = Engine::Block(NonZero::<usize>::MIN);
        let one = Run::new(self.subject, self.way, one, at)
            .and_then(|mut run| run.derivative(self.subject));
        let bits =
            |all: &[Vec<f64>]| -> Vec<u64> { all.iter().flatten().map(|x| x.to_bits()).collect() };
        match bits(&several) == bits(&one.map_err(text)?) {
            true => Ok(()),
            false => Err(format!("{} threads give other bits than one", self.threads())),
        }
    }

    /// The name in records: a series of its own for each engine.
    fn strategy(&self) -> String {
        match self.engine {
            Engine::Own => self.way.name().to_owned(),
            Engine::Block(_) => format!("{}-block", self.way),
            Engine::Native => format!("{}-native", self.way),
        }
    }

    /// The longest run of the series.
    fn longest(&self, effort: &Effort) -> Duration {
        match self.way {
            Way::Dense => effort.longest_dense,
            Way::Primal | Way::Scatter | Way::Indicator | Way::DenseIndicator => effort.longest,
        }
    }

    fn threads(&self) -> usize {
        match self.engine {
            Engine::Own | Engine::Native => 1,
            Engine::Block(threads) => threads.get(),
        }
    }

    fn engine_name(&self) -> &'static str {
        match (self.engine, self.way) {
            (Engine::Block(_), _) => "block",
            (Engine::Native, _) => "native",
            (Engine::Own, Way::Dense) => "tape",
            (Engine::Own, Way::Primal | Way::Scatter | Way::Indicator) => "loops",
            (Engine::Own, Way::DenseIndicator) => "interpreter",
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
    let seconds = next(before.time?.median, last.time?.median);
    if seconds > limit.as_secs_f64() {
        let about = Duration::from_secs_f64(seconds);
        return Some(format!("a run at n = {n} would take about {about:.0?}, more than {limit:?}"));
    }
    let bytes = next(*held_before as f64, *held_last as f64)
        .max(next(before.peak_bytes? as f64, last.peak_bytes? as f64));
    (bytes > most_bytes as f64)
        .then(|| format!("n = {n} would need about {:.1} GB of memory", bytes / 1e9))
}
