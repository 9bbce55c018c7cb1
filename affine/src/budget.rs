//! Bounded work: how much one question may cost, and why work stops.

/// How much work one call may do before it answers `Unknown`.
///
/// The default ends every question within some milliseconds of release-mode
/// time; a typical bounds proof uses less than a hundredth of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Units of work; one unit is about one term of one derived constraint.
    pub work: u64,
    /// Most constraints that may be alive at once.
    pub rows: usize,
    /// Deepest nesting of case splits.
    pub depth: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { work: 40_000, rows: 512, depth: 16 }
    }
}

impl Budget {
    /// The default budget with another amount of work.
    pub fn with_work(work: u64) -> Self {
        Self { work, ..Self::default() }
    }
}

/// Why a computation stopped before its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    /// The constraints contradict each other.
    Empty,
    /// An overflow, or the budget is spent.
    Unknown,
}

/// The budget of one call while it is being spent.
#[derive(Debug)]
pub(crate) struct Work {
    left: u64,
    rows: usize,
    depth: u32,
}

impl Work {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { left: budget.work, rows: budget.rows, depth: budget.depth }
    }

    /// Takes `units` from the budget.
    pub(crate) fn spend(&mut self, units: usize) -> Result<(), Stop> {
        let units = u64::try_from(units).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(units).ok_or(Stop::Unknown)?;
        Ok(())
    }

    /// Allows `rows` constraints at once, or stops.
    pub(crate) fn allow_rows(&self, rows: usize) -> Result<(), Stop> {
        if rows <= self.rows { Ok(()) } else { Err(Stop::Unknown) }
    }

    /// Runs `inner` with a quarter of what is left.
    pub(crate) fn part<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        let kept = self.left - self.left / 4;
        self.left /= 4;
        let result = inner(self);
        self.left += kept;
        result
    }

    /// Runs `inner` one case split deeper.
    pub(crate) fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        self.depth = self.depth.checked_sub(1).ok_or(Stop::Unknown)?;
        let result = inner(self);
        self.depth += 1;
        result
    }
}
