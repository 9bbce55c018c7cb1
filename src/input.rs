//! What can be wrong with the inputs of a call before the call: their text or file.
//!
//! Every message names the argument and the position, what was found and what
//! was wanted. What depends on the call as a whole (a size that two shapes
//! disagree about, an index out of range) is checked where it is bound, by
//! [`iverson_spec::call`].

use std::fmt;
use thiserror::Error;

/// A place inside an argument: `x`, or the entry `A[1, 0]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The argument.
    pub name: String,
    /// The position inside it, outermost first; none is the whole.
    pub path: Vec<usize>,
}

impl Place {
    /// The argument as a whole.
    #[must_use]
    pub fn whole(name: &str) -> Self {
        Self { name: name.to_owned(), path: Vec::new() }
    }

    /// The entry of the row-major tensor of shape `shape` with the number `flat`.
    #[must_use]
    pub fn entry(name: &str, shape: &[usize], mut flat: usize) -> Self {
        let mut path = vec![0; shape.len()];
        for (place, &extent) in path.iter_mut().zip(shape).rev() {
            *place = flat % extent.max(1);
            flat /= extent.max(1);
        }
        Self { name: name.to_owned(), path }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return write!(f, "`{}`", self.name);
        }
        let path: Vec<String> = self.path.iter().map(ToString::to_string).collect();
        write!(f, "`{}[{}]`", self.name, path.join(", "))
    }
}

/// Why inputs cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum InputError {
    /// The text is not JSON.
    #[error("the inputs are not JSON: {0}")]
    Syntax(String),
    /// The file is not an NPZ archive, or a member is not an NPY array.
    #[error("the inputs are not a readable NPZ archive: {0}")]
    Archive(String),
    /// JSON, but not an object.
    #[error(
        "the inputs are {found}, but an object with one value for each name is wanted, \
         as in {{\"n\": 3}}"
    )]
    NotAnObject {
        /// What the text holds.
        found: String,
    },
    /// A name is given twice.
    #[error("`{name}` is given twice; one value is wanted")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A name that is no parameter.
    #[error("`{name}` is not a parameter of `{function}`; its parameters are {wanted}")]
    Unknown {
        /// The name.
        name: String,
        /// The function.
        function: String,
        /// Its parameters.
        wanted: String,
    },
    /// A value of another kind than wanted.
    #[error("{at} is {found}, but {wanted} is wanted")]
    Kind {
        /// Where.
        at: Place,
        /// What was found.
        found: String,
        /// What was wanted.
        wanted: String,
    },
    /// Lists of different lengths where one is wanted.
    #[error(
        "{at} has {found}, but the lists before it at this depth have {wanted}: lists are ragged"
    )]
    Ragged {
        /// The list that differs.
        at: Place,
        /// Its length.
        found: Count,
        /// The length of the others.
        wanted: Count,
    },
    /// Lists nested less or more deeply than the tensor has axes.
    #[error("{at} is {found}, but `{name}` has {wanted}", name = at.name)]
    Depth {
        /// Where.
        at: Place,
        /// What was found there.
        found: String,
        /// The rank.
        wanted: String,
    },
    /// An empty list hides the extents of the axes inside it.
    #[error(
        "{at} is an empty list, which does not tell the extent of axis {axis}; \
         write {{\"shape\": [..], \"data\": []}}"
    )]
    HiddenShape {
        /// The argument.
        at: Place,
        /// The first axis whose extent is not told.
        axis: usize,
    },
    /// As many entries as the shape says are wanted.
    #[error("{at} has {found} in `data`, but its shape {shape:?} wants {wanted}")]
    Length {
        /// The argument.
        at: Place,
        /// The number of entries found.
        found: Count,
        /// The given shape.
        shape: Vec<usize>,
        /// The number of entries wanted.
        wanted: Count,
    },
    /// NaN or an infinity without leave.
    #[error("{at} is {found}, but a finite real is wanted ({why})")]
    NotFinite {
        /// Where.
        at: Place,
        /// `NaN`, `Infinity` or `-Infinity`.
        found: String,
        /// Why it is refused.
        why: &'static str,
    },
    /// A number with a fraction where an integer is wanted.
    #[error("{at} is {found}, but an integer is wanted")]
    Fractional {
        /// Where.
        at: Place,
        /// The number as written.
        found: String,
    },
    /// A number beyond what can be represented.
    #[error("{at} is {found}, which is too large: {wanted} is wanted")]
    TooLarge {
        /// Where.
        at: Place,
        /// The number as written, shortened.
        found: String,
        /// The limit.
        wanted: String,
    },
    /// A mask that is not as large as the relation's ranges.
    #[error("the mask of `{name}` has shape {found:?}, but {wanted:?} is wanted")]
    MaskShape {
        /// The relation.
        name: String,
        /// The mask's shape.
        found: Vec<usize>,
        /// The ranges at the given sizes.
        wanted: Vec<i128>,
    },
}

impl InputError {
    /// Whether a NaN or an infinity was refused.
    #[must_use]
    pub fn is_refused_special(&self) -> bool {
        matches!(self, Self::NotFinite { .. })
    }
}

/// A number of things with its noun in the right number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count(pub usize);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, if self.0 == 1 { "entry" } else { "entries" })
    }
}

/// `rank` as "no axes", "1 axis", "2 axes".
#[must_use]
pub(crate) fn axes(rank: usize) -> String {
    match rank {
        0 => "no axes (a single number is wanted)".to_owned(),
        1 => "1 axis (a list of numbers is wanted)".to_owned(),
        _ => format!("{rank} axes (lists nested {rank} deep are wanted)"),
    }
}

/// `text`, cut to a length that fits a message.
#[must_use]
pub(crate) fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let head: String = text.chars().take(LONGEST).collect();
    format!("{head}..")
}
