//! The records by program and series, with fits, ratios and verdicts.

use crate::data::{Expected, Point, Program, Quantity, Record, Subject};
use crate::fit::{Fit, fit};

/// How far a fitted power of exact work may be from the stated one: what is left of
/// lower powers at the sizes measured.
pub const TOLERANCE: f64 = 0.15;

/// All programs of a run, in order.
#[derive(Clone, Debug)]
pub struct Summary<'r> {
    /// The programs.
    pub programs: Vec<Measured<'r>>,
}

/// A program with its series.
#[derive(Clone, Debug)]
pub struct Measured<'r> {
    /// The program.
    pub program: &'r Program,
    /// Its series, in the order measured.
    pub series: Vec<Series<'r>>,
}

/// The points of one strategy on one engine.
#[derive(Clone, Debug)]
pub struct Series<'r> {
    /// The strategy.
    pub strategy: &'r str,
    /// The engine.
    pub engine: &'r str,
    /// Its threads.
    pub threads: usize,
    /// In ascending n.
    pub points: Vec<&'r Point>,
}

/// A series that is not as stated.
#[derive(Clone, PartialEq, Debug)]
pub struct Deviation {
    /// The program.
    pub subject: Subject,
    /// What was expected.
    pub expected: Expected,
    /// What was found.
    pub found: Fit,
}

impl<'r> Summary<'r> {
    /// Gathers the records.
    #[must_use]
    pub fn new(records: &'r [Record]) -> Self {
        let mut programs: Vec<Measured<'r>> = Vec::new();
        for record in records {
            match record {
                Record::Program(program) => {
                    programs.push(Measured { program, series: Vec::new() });
                }
                Record::Point(point) => {
                    let of =
                        |measured: &&mut Measured<'_>| measured.program.subject == point.subject;
                    if let Some(measured) = programs.iter_mut().rev().find(of) {
                        measured.add(point);
                    }
                }
            }
        }
        Self { programs }
    }

    /// Any point: all of a run have the same setting.
    #[must_use]
    pub fn sample(&self) -> Option<&'r Point> {
        let series = self.programs.iter().flat_map(|measured| &measured.series);
        series.flat_map(|series| &series.points).next().copied()
    }

    /// Where a quantity does not grow as stated, by more than `tolerance` and by more
    /// than its own margin. Of exact work that still carries lower powers at these sizes,
    /// the slope must come closer to the stated one with every size, to within a half.
    #[must_use]
    pub fn deviations(&self, quantity: Quantity, tolerance: f64) -> Vec<Deviation> {
        self.programs.iter().flat_map(|m| m.deviations(quantity, tolerance)).collect()
    }

    /// The times that grow faster than stated: by more than `tolerance` at the lower end of their intervals, over all sizes
    /// and, where it can be told, over exact work while all memory is in the second cache. What grows beyond that alone is
    /// the cost of memory. Where a time grows slower, constants still hide its growth at these sizes, which the table shows.
    #[must_use]
    pub fn slower(&self, tolerance: f64) -> Vec<Deviation> {
        let cache = self.sample().and_then(|point| point.setting.second_cache);
        let is_steep = |found: &Fit, than: f64| found.power - found.margin > than + tolerance;
        let is_slower = |m: &Measured<'_>, d: &Deviation| {
            let of = &d.expected.strategy;
            let near = cache.and_then(|cache| m.pace_within(of, of, cache));
            is_steep(&d.found, d.expected.power) && near.is_none_or(|pace| is_steep(&pace, 0.0))
        };
        let of = |m: &Measured<'_>| {
            let found = m.deviations(Quantity::Time, tolerance);
            found.into_iter().filter(|d| is_slower(m, d)).collect::<Vec<_>>()
        };
        self.programs.iter().flat_map(of).collect()
    }
}

impl<'r> Measured<'r> {
    fn add(&mut self, point: &'r Point) {
        let same = |series: &&mut Series<'_>| {
            series.strategy == point.strategy
                && series.engine == point.engine
                && series.threads == point.threads
        };
        if let Some(series) = self.series.iter_mut().find(same) {
            let place = series.points.partition_point(|other| other.n <= point.n);
            series.points.insert(place, point);
        } else {
            self.series.push(Series {
                strategy: &point.strategy,
                engine: &point.engine,
                threads: point.threads,
                points: vec![point],
            });
        }
    }

    /// The series of a strategy, on one thread where there are several.
    #[must_use]
    pub fn strategy(&self, strategy: &str) -> Option<&Series<'r>> {
        let of = self.series.iter().filter(|series| series.strategy == strategy);
        of.min_by_key(|series| series.threads)
    }

    /// A quantity of one strategy over that of another at the largest n that both reached.
    #[must_use]
    pub fn ratio(&self, quantity: Quantity, over: &str, under: &str) -> Option<(u64, f64)> {
        ratio(quantity, self.strategy(over)?, self.strategy(under)?)
    }

    /// The time of a strategy on its fewest threads over that on its most.
    #[must_use]
    pub fn threads_ratio(&self, strategy: &str) -> Option<f64> {
        let of = || self.series.iter().filter(|series| series.strategy == strategy);
        let (few, many) = (of().min_by_key(|s| s.threads)?, of().max_by_key(|s| s.threads)?);
        let (_, ratio) = ratio(Quantity::Time, few, many)?;
        (few.threads < many.threads).then_some(ratio)
    }

    /// The growth of a ratio: 0 if both grow alike.
    #[must_use]
    pub fn ratio_growth(&self, quantity: Quantity, over: &str, under: &str) -> Option<Fit> {
        let (over, under) = (self.strategy(over)?, self.strategy(under)?);
        let at = |point: &&Point| {
            Some((point.n as f64, quantity.of(point)? / under.at(point.n, quantity)?))
        };
        fit(&over.points.iter().filter_map(at).collect::<Vec<_>>())
    }

    /// The growth of the time of a strategy over the exact work of another one, of the same program: 0 if time
    /// grows as work does.
    #[must_use]
    pub fn pace(&self, strategy: &str, counted: &str) -> Option<Fit> {
        let (timed, counted) = (self.strategy(strategy)?, self.strategy(counted)?);
        let at = |point: &&Point| {
            let work = counted.at(point.n, Quantity::Work)?;
            Some((point.n as f64, Quantity::Time.of(point)? / work))
        };
        fit(&timed.points.iter().filter_map(at).collect::<Vec<_>>())
    }

    /// The growth of [`Self::pace`] at sizes whose memory is at most `cache` bytes; time and work are taken
    /// beyond those of the smallest size, whose time is that of a call more than of its work.
    #[must_use]
    pub fn pace_within(&self, strategy: &str, counted: &str, cache: u64) -> Option<Fit> {
        let (timed, counted) = (self.strategy(strategy)?, self.strategy(counted)?);
        let least = timed.points.first()?;
        let (least_time, least_work) =
            (Quantity::Time.of(least)?, counted.at(least.n, Quantity::Work)?);
        let at = |point: &&Point| {
            let work = counted.at(point.n, Quantity::Work)? - least_work;
            let time = Quantity::Time.of(point)? - least_time;
            (work > 0.0 && time > 0.0).then_some((point.n as f64, time / work))
        };
        let near = timed.points.iter().filter(|point| point.is_within(cache));
        fit(&near.filter_map(at).collect::<Vec<_>>())
    }

    /// The time for a unit of exact work at the largest size over that at the largest one whose memory is at
    /// most `cache` bytes; `None` if that is the largest one, or if there is none.
    #[must_use]
    pub fn dearer_beyond(&self, strategy: &str, counted: &str, cache: u64) -> Option<f64> {
        let (timed, counted) = (self.strategy(strategy)?, self.strategy(counted)?);
        let pace = |point: &&&Point| {
            Some(Quantity::Time.of(point)? / counted.at(point.n, Quantity::Work)?)
        };
        let paces = || timed.points.iter().rev();
        let far = paces().filter(|point| !point.is_within(cache)).find_map(|point| pace(&point))?;
        let near = paces().filter(|point| point.is_within(cache)).find_map(|point| pace(&point))?;
        Some(far / near)
    }

    /// The power that was stated for a series.
    #[must_use]
    pub fn expected(&self, strategy: &str, quantity: Quantity) -> Option<&'r Expected> {
        let expected = &self.program.expected;
        expected.iter().find(|e| e.strategy == strategy && e.quantity == quantity)
    }

    fn deviations(&self, quantity: Quantity, tolerance: f64) -> Vec<Deviation> {
        let deviation = |expected: &Expected| {
            let found = self.strategy(&expected.strategy)?.fit(quantity)?;
            let apart = (found.power - expected.power).abs();
            let series = self.strategy(&expected.strategy)?;
            let settles = quantity == Quantity::Work && series.settles_at(expected.power);
            (apart > tolerance && apart > found.margin && !settles).then(|| Deviation {
                subject: self.program.subject.clone(),
                expected: expected.clone(),
                found,
            })
        };
        let stated = self.program.expected.iter().filter(|e| e.quantity == quantity);
        stated.filter_map(deviation).collect()
    }
}

impl Series<'_> {
    /// The power with which a quantity grows.
    #[must_use]
    pub fn fit(&self, quantity: Quantity) -> Option<Fit> {
        let at = |point: &&Point| Some((point.n as f64, quantity.of(point)?));
        fit(&self.points.iter().filter_map(at).collect::<Vec<_>>())
    }

    /// Whether the slope of the exact work between sizes comes closer to a power at every
    /// size, and at the largest ones is within a half of it.
    fn settles_at(&self, power: f64) -> bool {
        let at = |point: &&Point| Some(((point.n as f64).ln(), Quantity::Work.of(point)?.ln()));
        let logs: Vec<(f64, f64)> = self.points.iter().filter_map(at).collect();
        let slope = |pair: &[(f64, f64)]| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
        let apart: Vec<f64> = logs.windows(2).map(|pair| (slope(pair) - power).abs()).collect();
        apart.last().is_some_and(|last| *last < 0.5)
            && apart.windows(2).all(|pair| pair[1] < pair[0])
    }

    /// The quantity at a size.
    #[must_use]
    pub fn at(&self, n: u64, quantity: Quantity) -> Option<f64> {
        self.points.iter().find(|point| point.n == n).and_then(|point| quantity.of(point))
    }

    /// The largest size.
    #[must_use]
    pub fn largest(&self) -> u64 {
        self.points.last().map_or(0, |point| point.n)
    }

    /// Why it ended, if it was stopped.
    #[must_use]
    pub fn stopped(&self) -> Option<&str> {
        self.points.iter().find_map(|point| point.stopped.as_deref())
    }
}

/// The ratio at the largest n that both series have.
#[must_use]
pub fn ratio(quantity: Quantity, over: &Series<'_>, under: &Series<'_>) -> Option<(u64, f64)> {
    over.points
        .iter()
        .rev()
        .find_map(|point| Some((point.n, quantity.of(point)? / under.at(point.n, quantity)?)))
}

/// The geometric mean; `None` of nothing.
#[must_use]
pub fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    let logs: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    (!ratios.is_empty()).then(|| (logs / ratios.len() as f64).exp())
}
