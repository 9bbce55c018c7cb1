//! Extents: affine forms in the sizes.

/// The names of the sizes that a program may have.
pub(crate) const SIZES: [&str; 3] = ["n", "m", "k"];

/// `c1 * n + c2 * m + c3 * k + constant`
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Extent {
    coefficients: [i64; 3],
    constant: i64,
}

impl Extent {
    pub(crate) const fn constant(constant: i64) -> Self {
        Self { coefficients: [0; 3], constant }
    }

    pub(crate) fn size(which: usize) -> Self {
        let mut size = Self::constant(0);
        size.coefficients[which] = 1;
        size
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        let coefficients =
            std::array::from_fn(|size| self.coefficients[size] + other.coefficients[size]);
        Self { coefficients, constant: self.constant + other.constant }
    }

    pub(crate) fn times(self, factor: i64) -> Self {
        let coefficients = self.coefficients.map(|c| c * factor);
        Self { coefficients, constant: self.constant * factor }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        self.plus(other.times(-1))
    }

    /// `self + constant`
    pub(crate) fn shifted(self, constant: i64) -> Self {
        self.plus(Self::constant(constant))
    }

    pub(crate) fn constant_part(self) -> i64 {
        self.constant
    }

    /// Whether no size makes it negative.
    pub(crate) fn is_natural(self) -> bool {
        self.constant >= 0 && self.coefficients.iter().all(|c| *c >= 0)
    }

    /// Whether it is at least 1 for all sizes.
    pub(crate) fn is_positive(self) -> bool {
        self.shifted(-1).is_natural()
    }

    /// Whether it is at most `other` for all sizes.
    pub(crate) fn at_most(self, other: Self) -> bool {
        other.minus(self).is_natural()
    }

    pub(crate) fn is_constant(self) -> bool {
        self.coefficients == [0; 3]
    }

    pub(crate) fn value(self, sizes: &[i64]) -> i64 {
        let terms = self.coefficients.iter().zip(sizes).map(|(c, size)| c * size);
        terms.sum::<i64>() + self.constant
    }

    /// As it stands in the text.
    pub(crate) fn text(self) -> String {
        let mut text = String::new();
        let sizes = self.coefficients.iter().zip(SIZES);
        let terms = sizes.map(|(c, size)| (*c, (c.abs() == 1).then_some(size), size));
        let mut positive: Vec<_> = terms.collect();
        positive.sort_by_key(|(c, ..)| *c < 0);
        for (c, alone, size) in positive.into_iter().filter(|(c, ..)| *c != 0) {
            let shown = alone.map_or_else(|| format!("{} * {size}", c.abs()), str::to_owned);
            text.push_str(match (c < 0, text.is_empty()) {
                (false, true) => "",
                (false, false) => " + ",
                (true, true) => "-",
                (true, false) => " - ",
            });
            text.push_str(&shown);
        }
        match (self.constant, text.is_empty()) {
            (0, false) => text,
            (c, true) => c.to_string(),
            (c, false) if c < 0 => format!("{text} - {}", -c),
            (c, false) => format!("{text} + {c}"),
        }
    }
}
