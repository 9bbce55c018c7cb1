//! How a cost grows with the knob of a family.

/// The power of the knob with which a cost grows, for the program and for each way of
/// differentiating it; `None` where a way does not exist.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Growth {
    /// The program.
    pub primal: f64,
    /// Naive reverse mode.
    pub dense: Option<f64>,
    /// Accumulation into buffers.
    pub scatter: Option<f64>,
    /// The method of this project.
    pub indicator: f64,
}

impl Growth {
    /// The program, scatter and indicator grow alike; dense grows by itself.
    #[must_use]
    pub const fn of(primal: f64, dense: f64) -> Self {
        Self { primal, dense: Some(dense), scatter: Some(primal), indicator: primal }
    }

    /// Each grows by itself.
    #[must_use]
    pub const fn each(primal: f64, dense: f64, scatter: f64, indicator: f64) -> Self {
        Self { primal, dense: Some(dense), scatter: Some(scatter), indicator }
    }

    /// A forward derivative: dense and scatter are reverse modes.
    #[must_use]
    pub const fn forward(primal: f64) -> Self {
        Self { primal, dense: None, scatter: None, indicator: primal }
    }
}
