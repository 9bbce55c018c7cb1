//! Why a program has no value.

use crate::scalar::ScalarError;
use iverson_spec::call::CallError;
use std::fmt;
use thiserror::Error;

/// What went wrong, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EvalError {
    /// Where; `None` before anything was computed.
    pub place: Option<Box<Place>>,
    /// What.
    pub fault: Box<Fault>,
}

/// Where an evaluation was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// At an entry of a definition.
    Entry {
        /// The tensor being defined.
        tensor: String,
        /// The entry.
        position: Vec<i64>,
    },
    /// At a point of a `requires`.
    Requires {
        /// Which of the program's `requires`, from 1.
        clause: usize,
        /// The quantified variables with their values.
        point: Vec<(String, i64)>,
    },
}

/// What went wrong.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Fault {
    /// The arguments are not as declared.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A scalar operation has no value.
    #[error(transparent)]
    Scalar(#[from] ScalarError),
    /// The data are not what `requires` demands.
    #[error("`{condition}` does not hold")]
    Violated {
        /// The condition as text.
        condition: String,
    },
    /// An entry is read before its recurrence has computed it.
    #[error("`{tensor}{position:?}` is read before it is computed")]
    NotYetDefined {
        /// The tensor read.
        tensor: String,
        /// The entry read.
        position: Vec<i64>,
    },
    /// An access outside the shape: a checked program has none.
    #[error("unguarded access: `{tensor}{position:?}` is outside the shape {shape:?}")]
    UnguardedAccess {
        /// The tensor read.
        tensor: String,
        /// The position read.
        position: Vec<i64>,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// An index definition leaves its sort.
    #[error("the index is {value}, wanted one in 0..{bound}")]
    IndexOutOfRange {
        /// The value of the entry.
        value: i64,
        /// The bound of its sort.
        bound: i64,
    },
    /// Index arithmetic beyond 64 bits.
    #[error("index arithmetic overflows 64-bit integers")]
    IndexOverflow,
}

impl EvalError {
    /// Whether an entry simply has no value, which matters only to those who read it.
    pub(crate) fn is_void(&self) -> bool {
        *self.fault == Fault::Scalar(ScalarError::NoInfinity)
    }
}

impl From<Fault> for EvalError {
    fn from(fault: Fault) -> Self {
        Self { place: None, fault: Box::new(fault) }
    }
}

impl From<ScalarError> for EvalError {
    fn from(error: ScalarError) -> Self {
        Fault::from(error).into()
    }
}

impl From<CallError> for EvalError {
    fn from(error: CallError) -> Self {
        Fault::from(error).into()
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.as_deref() {
            None => {}
            Some(Place::Entry { tensor, position }) if position.is_empty() => {
                write!(f, "in `{tensor}`: ")?;
            }
            Some(Place::Entry { tensor, position }) => write!(f, "in `{tensor}{position:?}`: ")?,
            Some(Place::Requires { clause, point }) => {
                let point: Vec<String> =
                    point.iter().map(|(v, at)| format!("{v} = {at}")).collect();
                let at = if point.is_empty() { "" } else { " at " };
                write!(f, "`requires` number {clause}{at}{}: ", point.join(", "))?;
            }
        }
        self.fault.fmt(f)
    }
}

impl std::error::Error for EvalError {}
