//! Scalars at the edge: how the entries of real tensors are read and written.

use dashu_ratio::RBig;
use iverson_interpreter::{Interval, Rational, Scalar};
use iverson_spec::number::Number;

/// A real that is not a finite number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Special {
    /// `"NaN"`
    NaN,
    /// `"Infinity"`
    Infinity,
    /// `"-Infinity"`
    NegativeInfinity,
}

impl Special {
    /// Each with its spelling.
    pub const ALL: [(Self, &str); 3] =
        [(Self::NaN, "NaN"), (Self::Infinity, "Infinity"), (Self::NegativeInfinity, "-Infinity")];

    /// The special value spelled `text`.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(special, _)| *special)
    }

    /// What `x` is, unless it is finite.
    #[must_use]
    pub fn of(x: f64) -> Option<Self> {
        match x {
            _ if x.is_nan() => Some(Self::NaN),
            f64::INFINITY => Some(Self::Infinity),
            f64::NEG_INFINITY => Some(Self::NegativeInfinity),
            _ => None,
        }
    }

    /// The spelling.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NaN => "NaN",
            Self::Infinity => "Infinity",
            Self::NegativeInfinity => "-Infinity",
        }
    }
}

impl From<Special> for f64 {
    fn from(special: Special) -> Self {
        match special {
            Special::NaN => f64::NAN,
            Special::Infinity => f64::INFINITY,
            Special::NegativeInfinity => f64::NEG_INFINITY,
        }
    }
}

/// A scalar that can be read from and written to files.
pub trait Entry: Scalar {
    /// The entry nearest to an exact number; `None` if it is out of range.
    fn from_number(number: &Number) -> Option<Self> {
        Some(Self::constant(number))
    }

    /// The entry that is `special`; `None` if the type has none.
    fn from_special(special: Special) -> Option<Self>;

    /// The entry that is the finite number `x`.
    fn from_f64(x: f64) -> Option<Self>;

    /// Appends the entry as JSON.
    fn write(&self, out: &mut String);
}

impl Entry for f64 {
    fn from_number(number: &Number) -> Option<Self> {
        Some(number.nearest()).filter(|x| x.is_finite())
    }

    fn from_special(special: Special) -> Option<Self> {
        Some(special.into())
    }

    fn from_f64(x: f64) -> Option<Self> {
        Some(x)
    }

    /// The shortest decimal that reads back as the same number; always with a point or an exponent.
    fn write(&self, out: &mut String) {
        match Special::of(*self) {
            Some(special) => *out += &format!("\"{}\"", special.name()),
            None => *out += &format!("{self:?}"),
        }
    }
}

impl Entry for Rational {
    fn from_special(_: Special) -> Option<Self> {
        None
    }

    /// Exactly.
    fn from_f64(x: f64) -> Option<Self> {
        RBig::try_from(x).ok().map(Self)
    }

    /// A string: an integer or a fraction in lowest terms.
    fn write(&self, out: &mut String) {
        let Self(x) = self;
        *out += &format!("\"{x}\"");
    }
}

impl Entry for Interval {
    /// An infinity is the interval beyond all `f64`; NaN is none.
    fn from_special(special: Special) -> Option<Self> {
        Self::point(special.into())
    }

    fn from_f64(x: f64) -> Option<Self> {
        Self::point(x)
    }

    /// `{"lo": .., "hi": ..}`
    fn write(&self, out: &mut String) {
        *out += "{\"lo\": ";
        self.lo().write(out);
        *out += ", \"hi\": ";
        self.hi().write(out);
        *out += "}";
    }
}
