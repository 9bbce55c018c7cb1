//! Why a program cannot be compiled, or a run has no results.

use crate::loops::CheckId;
use iverson_spec::call::CallError;
use std::fmt;
use thiserror::Error;

/// Why a program cannot be compiled.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CompileError {
    /// The value of a user's function is more than one formula.
    #[error(
        "the function `{function}` has a derivative clause and computes tensors: write its value as one formula"
    )]
    NotAFormula {
        /// The function.
        function: String,
    },
    /// The threads asked for cannot be had.
    #[error(
        "{wanted} threads cannot be had: {reason}; ask for fewer, or for none to use those of the caller"
    )]
    Threads {
        /// How many were asked for.
        wanted: usize,
        /// What the system says.
        reason: String,
    },
    /// There is no native code.
    #[error(transparent)]
    Native(#[from] crate::native::NativeError),
}

/// Why a run has no results.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum RunError {
    /// The arguments are not as declared, or take more memory than allowed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// No memory is given for a result.
    #[error("no memory is given for the result `{name}`: give a slice of {wanted} entries")]
    MissingOutput {
        /// The result.
        name: String,
        /// The number of its entries.
        wanted: usize,
    },
    /// The memory given for a result has another length or sort.
    #[error("the memory given for the result `{name}` is {found}, wanted {wanted}")]
    WrongOutput {
        /// The result.
        name: String,
        /// What was given.
        found: String,
        /// What is wanted.
        wanted: String,
    },
    /// The data are not what `requires` demands.
    #[error("`requires` number {clause}{}: `{condition}` does not hold", At(point))]
    Violated {
        /// Which of the program's `requires`, from 1.
        clause: usize,
        /// The quantified variables with their values.
        point: Vec<(String, i64)>,
        /// The condition as text.
        condition: String,
    },
    /// An index definition leaves its sort.
    #[error("in `{tensor}{position:?}`: the index is {value}, wanted one in 0..{bound}")]
    IndexOutOfRange {
        /// The tensor being defined.
        tensor: String,
        /// The entry.
        position: Vec<i64>,
        /// Its value.
        value: i64,
        /// The bound of its sort.
        bound: i64,
    },
    /// An entry is read before its recurrence has computed it.
    #[error("in `{tensor}{position:?}`: `{read}{entry:?}` is read before it is computed")]
    NotYetDefined {
        /// The tensor being defined.
        tensor: String,
        /// The entry being defined.
        position: Vec<i64>,
        /// The tensor read.
        read: String,
        /// The entry read.
        entry: Vec<i64>,
    },
    /// `floor` of NaN, or beyond 64-bit integers.
    #[error("`floor` of {value} is not a 64-bit integer")]
    FloorOutOfRange {
        /// The argument.
        value: String,
    },
    /// The caller has asked to stop.
    #[error("the run was cancelled")]
    Cancelled,
}

/// Why a run stops.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Stop {
    /// A check fails; the variables say where.
    Check(CheckId),
    /// A number has no floor.
    Floor(f64),
    /// The caller has asked to stop.
    Cancelled,
}

struct At<'a>(&'a Vec<(String, i64)>);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, value)) in self.0.iter().enumerate() {
            write!(f, "{}{name} = {value}", if place == 0 { " at " } else { ", " })?;
        }
        Ok(())
    }
}
