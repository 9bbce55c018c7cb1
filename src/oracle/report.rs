//! What the oracle answers.

use super::measure::{Closeness, Outcome};
use super::truth::Truth;
use super::{Kink, Point};
use crate::input::Place;
use crate::json;
use iverson_interpreter::{EvalError, Interval};
use std::fmt;

/// Whether answers are right.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// Every entry is near enough, for certain.
    Equal,
    /// An entry is not near enough, for certain.
    Different(Box<Witness>),
    /// Neither is certain.
    Undecided(Box<Undecided>),
}

/// An entry that is wrong.
#[derive(Clone, PartialEq, Debug)]
pub struct Witness {
    /// The worst entry at the point that was asked about.
    pub worst: Located,
    /// A smaller point at which the answer is still wrong, if one was found.
    pub counterexample: Option<Counterexample>,
}

/// A small point at which the answer is wrong.
#[derive(Clone, PartialEq, Debug)]
pub struct Counterexample {
    /// Its sizes, inputs and seeds.
    pub point: Point,
    /// The worst entry there.
    pub worst: Located,
}

/// Why it is not certain whether answers are right.
#[derive(Clone, PartialEq, Debug)]
pub enum Undecided {
    /// The enclosure of an entry is too wide.
    Entry(Located),
    /// The reference has no enclosure at all: a comparison is not decided by the
    /// enclosures of its sides, or a function has none.
    Reference(EvalError),
}

/// An entry and where it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Located {
    /// Where.
    pub place: Place,
    /// What is known about it.
    pub entry: Entry,
}

/// What is known about one entry of an answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// What the function judged gave.
    pub found: f64,
    /// What is certain about the true value.
    pub truth: Truth,
    /// The error in units in the last place of the true value: between these ends.
    pub error: Interval,
    /// Whether it is near enough.
    pub outcome: Outcome,
}

/// One tensor of an answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Judged {
    /// What it is the value, gradient or tangent of.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its entries, row-major.
    pub entries: Vec<Entry>,
}

/// The answer of the oracle.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// Whether the answer judged is right.
    pub verdict: Verdict,
    /// What counted as near enough.
    pub closeness: Closeness,
    /// Every entry; none if the reference has no enclosure.
    pub tensors: Vec<Judged>,
    /// The ties near the point, nearest first.
    pub kinks: Vec<Kink>,
}

impl Report {
    /// Whether every entry is near enough, for certain.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.verdict == Verdict::Equal
    }

    /// The entry that is most wrong, or else least certain, or else farthest off;
    /// `None` if there are no entries.
    #[must_use]
    pub fn worst(&self) -> Option<Located> {
        worst(&self.tensors)
    }
}

/// The worst entry: by outcome, then by the least error, then by the most.
pub(super) fn worst(tensors: &[Judged]) -> Option<Located> {
    let entries = tensors.iter().flat_map(|tensor| {
        tensor.entries.iter().enumerate().map(move |(flat, entry)| (tensor, flat, entry))
    });
    let (tensor, flat, entry) = entries.reduce(|worst, next| {
        let (a, b) = (worst.2, next.2);
        let order = a.outcome.cmp(&b.outcome);
        let order = order.then(a.error.lo().total_cmp(&b.error.lo()));
        let order = order.then(a.error.hi().total_cmp(&b.error.hi()));
        if order.is_lt() { next } else { worst }
    })?;
    let place = Place::entry(&tensor.name, &tensor.shape, flat);
    Some(Located { place, entry: entry.clone() })
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { found, truth, error, .. } = &self.entry;
        write!(f, "{}: found {found:?}, true value {truth}, ", self.place)?;
        match (error.lo(), error.hi()) {
            (lo, hi) if lo == hi => write!(f, "error {}", Count(lo)),
            (lo, hi) if hi - lo <= 0.01 * hi => write!(f, "error about {}", Count(hi)),
            (lo, hi) => write!(f, "error between {} and {}", Count(lo), Count(hi)),
        }
    }
}

/// A number of units, short.
struct Count(f64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n < 1e6 && n.fract() == 0.0 => write!(f, "{n} ulp"),
            n if n < 1e6 => write!(f, "{n:.2} ulp"),
            n => write!(f, "{n:.1e} ulp"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count: usize = self.tensors.iter().map(|tensor| tensor.entries.len()).sum();
        match &self.verdict {
            Verdict::Equal => write!(f, "equal: all {count} entries are {}", self.closeness)?,
            Verdict::Different(witness) => {
                write!(f, "different: not every entry is {}", self.closeness)?;
                write!(f, "\n  worst entry {}", witness.worst)?;
                if let Some(found) = &witness.counterexample {
                    write!(f, "\n  a small counterexample: {}", found.worst)?;
                    write!(f, "\n  at {}", indented(&json::write(&found.point.inputs)))?;
                    if !found.point.seeds.is_empty() {
                        write!(f, "\n  along {}", indented(&json::write(&found.point.seeds)))?;
                    }
                }
            }
            Verdict::Undecided(why) => match &**why {
                Undecided::Entry(worst) => {
                    write!(f, "undecided: not every entry is certainly {}", self.closeness)?;
                    write!(f, "\n  least certain is {worst}")?;
                }
                Undecided::Reference(error) => {
                    write!(f, "undecided: the true value cannot be enclosed: {error}")?;
                }
            },
        }
        if let (Verdict::Equal, Some(worst)) = (&self.verdict, self.worst()) {
            write!(f, "\n  worst entry {worst}")?;
        }
        self.kinks
            .iter()
            .take(SHOWN_KINKS)
            .try_for_each(|kink| write!(f, "\n  near a kink: {kink}"))?;
        match self.kinks.len().checked_sub(SHOWN_KINKS) {
            Some(more @ 1..) => write!(f, "\n  and {more} more"),
            Some(0) | None => Ok(()),
        }
    }
}

/// How many kinks are shown.
const SHOWN_KINKS: usize = 5;

/// Lines after the first moved to the right.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n  ")
}
