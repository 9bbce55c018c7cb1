//! Inputs and results as JSON.
//!
//! An object with one value for each name:
//!
//! ```json
//! {"n": 3, "x": [1, 2.5, "1/3"], "A": [[1, 2], [3, 4]], "row": [0, 2],
//!  "R": {"coords": [[0, 1], [2, 0]]}, "M": [[true, false], [0, 1]],
//!  "E": {"shape": [0, 3], "data": []}}
//! ```
//!
//! * A **size** is an integer; it may be left out where a shape tells it.
//! * A **tensor** is a number (rank 0), lists nested as deep as its rank, or
//!   `{"shape": [..], "data": [..]}` with the entries row-major, which is needed
//!   where an empty list hides a shape.
//! * A **real** is a number, or a string with a number or a fraction. Numbers
//!   are taken exactly: `0.1` is one tenth for a rational scalar. `"NaN"`,
//!   `"Infinity"` and `"-Infinity"` need [`Reals::Any`].
//! * A **relation** is `{"coords": [..]}` with one list for each tuple,
//!   `{"mask": ..}`, or the mask itself: lists of `true`, `false`, 0 and 1, as
//!   large as the relation's ranges.
//!
//! Results are written the same way, each in the form it would be read. Derivatives
//! that are zero by structure are written by their entries:
//! `{"form": "diagonal", "shape": [2, 2], "coords": [[0, 0], [1, 1]], "values": [3, 5]}`.

mod number;
mod read;
mod tensor;
mod text;
mod write;

pub(crate) use number::not_finite;
pub use read::read;
pub(crate) use read::{param_name, parameter};
pub use write::{write, write_sparse, write_tree, write_value};

/// Which reals are taken from inputs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reals {
    /// Finite numbers alone.
    #[default]
    Finite,
    /// NaN and infinities too.
    Any,
}

#[cfg(test)]
mod tests;
