//! The region where a formula holds, and the points at which it is checked.

use std::fmt;

/// One comparison of a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Atom {
    /// Each size is at least this.
    All(u64),
    /// The size with this number is at least this.
    Least(usize, u64),
    /// `n_i >= n_j + c`
    Above(usize, usize, i64),
}

/// A conjunction of comparisons; none is everywhere.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Condition(pub Vec<Atom>);

impl Atom {
    fn holds(self, sizes: &[u64]) -> bool {
        match self {
            Self::All(least) => sizes.iter().all(|n| *n >= least),
            Self::Least(i, least) => sizes[i] >= least,
            Self::Above(i, j, c) => i128::from(sizes[i]) >= i128::from(sizes[j]) + i128::from(c),
        }
    }

    fn text(self, names: &[String]) -> String {
        let least = |name: &String, c| format!("{name} >= {c}");
        match self {
            Self::All(c) => {
                names.iter().map(|name| least(name, c)).collect::<Vec<_>>().join(" and ")
            }
            Self::Least(i, c) => least(&names[i], c),
            Self::Above(i, j, 0) => format!("{} >= {}", names[i], names[j]),
            Self::Above(i, j, c) if c > 0 => format!("{} >= {} + {c}", names[i], names[j]),
            Self::Above(i, j, c) => format!("{} >= {} - {}", names[i], names[j], c.unsigned_abs()),
        }
    }
}

impl Condition {
    /// Whether it holds at these sizes.
    #[must_use]
    pub fn holds(&self, sizes: &[u64]) -> bool {
        self.0.iter().all(|atom| atom.holds(sizes))
    }

    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, names: &[String]) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let texts: Vec<String> = self.0.iter().map(|atom| atom.text(names)).collect();
        write!(f, " for {}", texts.join(" and "))
    }
}

/// Sizes from here on are large.
const LARGE: u64 = 13;
/// How many of the large points must be in a region.
const LARGE_POINTS: usize = 3;

/// The points at which a formula is checked: small ones, all of them or a
/// sample, and some with large and odd sizes.
pub(super) fn checks(rank: usize) -> Vec<Vec<u64>> {
    const SAMPLES: u64 = 160;
    let mut points = match rank {
        0 => return vec![Vec::new()],
        1 => super::grid(&[16]),
        2 => super::grid(&[9, 9]),
        _ => (0..SAMPLES).map(|k| point(rank, k, 7)).collect(),
    };
    let large = |k| point(rank, k, 12).into_iter().map(move |n| n + LARGE - 6 * (n & 1) * (k & 1));
    points.extend((0..8).map(|k| large(2 * k).collect()));
    points.extend((0..24).map(|k| large(2 * k + 1).collect()));
    points.extend((0..8).map(|k| {
        let mut one_large = point(rank, k + 1000, 5);
        one_large[k as usize % rank] += LARGE;
        one_large
    }));
    points.sort();
    points.dedup();
    points
}

/// A fixed list of scattered points with coordinates below `below`.
fn point(rank: usize, k: u64, below: u64) -> Vec<u64> {
    let scatter = |i: usize| {
        let mut state = (k << 8 | i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 33
    };
    (0..rank).map(|i| scatter(i) % below).collect()
}

/// The largest region of at most two comparisons that holds at no point where
/// the formula disagrees; `None` if what is left is too little to trust it.
pub(super) fn region(
    rank: usize,
    checks: &[(Vec<u64>, u64)],
    agreement: &[bool],
) -> Option<Condition> {
    let score = |condition: &Condition| {
        let inside = checks.iter().zip(agreement).filter(|((at, _), _)| condition.holds(at));
        let inside: Vec<_> = inside.collect();
        let large = |at: &[u64]| rank == 0 || at.iter().any(|n| *n >= LARGE);
        let trusted = inside.iter().all(|(_, agrees)| **agrees)
            && inside.len() * 5 >= checks.len()
            && inside.iter().filter(|((at, _), _)| large(at)).count()
                >= LARGE_POINTS.min(checks.len())
            && !inside.is_empty();
        trusted.then_some(inside.len())
    };
    let everywhere = Condition::default();
    if score(&everywhere).is_some() {
        return Some(everywhere);
    }
    let atoms = atoms(rank);
    let singles = atoms.iter().map(|a| Condition(vec![*a]));
    best(singles, &score).or_else(|| {
        let failing = checks.iter().zip(agreement).filter(|(_, agrees)| !**agrees);
        let failing: Vec<&[u64]> = failing.map(|((at, _), _)| at.as_slice()).collect();
        let excludes = |a: Atom, b: Atom| !failing.iter().any(|at| a.holds(at) && b.holds(at));
        let pairs = atoms
            .iter()
            .enumerate()
            .flat_map(|(k, a)| atoms[k + 1..].iter().map(move |b| (*a, *b)));
        let pairs = pairs.filter(|(a, b)| excludes(*a, *b)).map(|(a, b)| Condition(vec![a, b]));
        best(pairs, &score)
    })
}

/// The first of those with the highest score.
fn best(
    candidates: impl Iterator<Item = Condition>,
    score: &dyn Fn(&Condition) -> Option<usize>,
) -> Option<Condition> {
    let scored = candidates.filter_map(|condition| Some((score(&condition)?, condition)));
    scored.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, c)| c)
}

fn atoms(rank: usize) -> Vec<Atom> {
    let mut all = Vec::new();
    for least in 1..=4 {
        all.extend((0..rank).map(|i| Atom::Least(i, least)));
    }
    if rank > 1 {
        all.extend((1..=4).map(Atom::All));
    }
    for c in [0, -1, 1, -2, 2, -3, 3] {
        let pairs = (0..rank).flat_map(|i| (0..rank).map(move |j| (i, j)));
        all.extend(pairs.filter(|(i, j)| i != j).map(|(i, j)| Atom::Above(i, j, c)));
    }
    all
}
