//! The records of a run: one JSON object a line.
//!
//! A [`Program`] says what was differentiated and what its growth should be; a
//! [`Point`] what one way of differentiating cost at one size, and on which machine:
//! `{"program": {..}}`, `{"point": {..}}`.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// What was differentiated.
    Program(Box<Program>),
    /// What it cost.
    Point(Box<Point>),
}

/// Which program a record is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Subject {
    /// The family.
    pub family: String,
    /// The function in the family's text.
    pub function: String,
    /// What is taken of it: `gradient`, `directional`, `gauss-newton`, `jacobian`, `hessian`.
    pub derivative: String,
}

/// A program, its stages and what its growth should be.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Program {
    /// Which it is.
    pub subject: Subject,
    /// The number of the family.
    pub number: usize,
    /// What the family shows.
    pub title: String,
    /// The text of the family.
    pub text: String,
    /// The function in Tensor SSA.
    pub ssa: String,
    /// Its derivative as it is derived.
    pub derived: String,
    /// Its derivative simplified.
    pub simplified: String,
    /// The same with the values alone of results that are zero by structure; empty where
    /// no result is.
    #[serde(default)]
    pub compact: String,
    /// Where the pattern was met.
    pub sources: Vec<Source>,
    /// What should grow with which power.
    pub expected: Vec<Expected>,
}

/// A citation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Source {
    /// As it is cited.
    pub title: String,
    /// Where it is.
    pub url: String,
}

/// The power of n with which a quantity of a strategy should grow.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Expected {
    /// The strategy.
    pub strategy: String,
    /// The quantity.
    pub quantity: Quantity,
    /// The power.
    pub power: f64,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Counted operations.
    Work,
    /// Seconds.
    Time,
    /// The most bytes alive at once.
    Memory,
}

impl Quantity {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 3] = [Self::Work, Self::Time, Self::Memory];

    /// The name in tables and in the classes of the page.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Time => "time",
            Self::Memory => "memory",
        }
    }

    /// The quantity at a point, if it was measured and is not 0.
    #[must_use]
    pub fn of(self, point: &Point) -> Option<f64> {
        let value = match self {
            Self::Work => point.work? as f64,
            Self::Time => point.time?.median,
            Self::Memory => point.peak_bytes? as f64,
        };
        (value > 0.0).then_some(value)
    }
}

/// What one way of differentiating cost at one size.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Point {
    /// Which program.
    pub subject: Subject,
    /// The way: `primal` for the program itself.
    pub strategy: String,
    /// What ran it.
    pub engine: String,
    /// The threads it had.
    pub threads: usize,
    /// The knob of the family.
    pub n: u64,
    /// How long a run took.
    pub time: Option<Time>,
    /// Its exact work.
    pub work: Option<u64>,
    /// The most bytes alive at once, the arguments included.
    pub peak_bytes: Option<u64>,
    /// Why the series ends here, if it does.
    pub stopped: Option<String>,
    /// Where and how it was measured.
    pub setting: Setting,
}

impl Point {
    /// Whether all its memory is at most so many bytes.
    #[must_use]
    pub fn is_within(&self, bytes: u64) -> bool {
        self.peak_bytes.is_some_and(|peak| peak <= bytes)
    }
}

/// Seconds of a run.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Time {
    /// The median.
    pub median: f64,
    /// The lower quartile.
    pub low: f64,
    /// The upper quartile.
    pub high: f64,
    /// How many samples there were.
    pub samples: usize,
}

/// Where and how a run was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Setting {
    /// The operating system and architecture.
    pub machine: String,
    /// The processor, with the number of its cores.
    pub cpu: String,
    /// Bytes of the second cache of a core, if the machine tells.
    #[serde(default)]
    pub second_cache: Option<u64>,
    /// The commit of the sources.
    pub commit: String,
    /// The compiler.
    pub rustc: String,
    /// The seed of the inputs.
    pub seed: u64,
    /// The arguments of the run.
    pub flags: String,
    /// The day, as `2026-01-31`.
    pub date: String,
}

/// Why data cannot be read.
#[derive(Debug, Error)]
pub enum DataError {
    /// A line that is no record.
    #[error("line {line} is no record of a run: {error}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// No program at all.
    #[error("there is no program among the {lines} lines; write them with `cargo bench`")]
    Empty {
        /// How many there are.
        lines: usize,
    },
}

/// The records of a text, a JSON object a line; empty lines are left out.
///
/// # Errors
/// [`DataError`] with the first line that is no record.
pub fn read(text: &str) -> Result<Vec<Record>, DataError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let record = |(place, line)| {
        serde_json::from_str(line).map_err(|error| DataError::Line { line: place + 1, error })
    };
    let records: Vec<Record> = lines.map(record).collect::<Result<_, _>>()?;
    match records.iter().any(|record| matches!(record, Record::Program(_))) {
        true => Ok(records),
        false => Err(DataError::Empty { lines: records.len() }),
    }
}

/// The records as text, one a line.
///
/// # Panics
/// Never: a record is a JSON object whatever it holds.
#[must_use]
pub fn write(records: &[Record]) -> String {
    let line = |record| match serde_json::to_string(record) {
        Ok(json) => json + "\n",
        Err(error) => unreachable!("a record is a JSON object: {error}"),
    };
    records.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers come back as they were, also where a dependency reads JSON numbers as text.
    #[test]
    fn what_is_written_reads_back() {
        let text = |text: &str| text.to_owned();
        let subject =
            Subject { family: text("f"), function: text("g"), derivative: text("gradient") };
        let program = Program {
            subject: subject.clone(),
            number: 1,
            title: text("reads"),
            text: text("fn g() {\n}"),
            ssa: String::new(),
            derived: String::new(),
            simplified: String::new(),
            compact: String::new(),
            sources: vec![Source { title: text("a \"thread\""), url: text("u") }],
            expected: vec![Expected {
                strategy: text("dense"),
                quantity: Quantity::Work,
                power: 1.5,
            }],
        };
        let setting = Setting {
            machine: text("m"),
            cpu: text("c"),
            second_cache: Some(2 << 20),
            commit: text("0"),
            rustc: text("r"),
            seed: u64::MAX,
            flags: String::new(),
            date: text("2026-01-31"),
        };
        let point = Point {
            subject,
            strategy: text("dense"),
            engine: text("tape"),
            threads: 1,
            n: 64,
            time: Some(Time { median: 1.0 / 3.0, low: 1e-300, high: 2.5, samples: 9 }),
            work: Some(1 << 60),
            peak_bytes: None,
            stopped: Some(text("slow")),
            setting,
        };
        let records = [Record::Program(Box::new(program)), Record::Point(Box::new(point))];
        assert_eq!(read(&write(&records)).unwrap(), records);
    }
}
