//! Results side by side.

use crate::generate::{Outcome, failure};
use iverson::interpreter::{EvalError, Fault, ScalarError};
use iverson::spec::call::{Dense, Value, Values};
use std::fmt::Debug;

/// What an evaluation gives.
pub(crate) type Results<S> = Result<Values<S>, EvalError>;

/// The values with other scalars.
pub(crate) fn convert<S, T>(values: &Values<S>, scalar: impl Fn(usize, &S) -> T) -> Values<T> {
    let value = |value: &Value<S>| match value {
        Value::Size(n) => Value::Size(*n),
        Value::Index(p) => Value::Index(p.clone()),
        Value::Relation(r) => Value::Relation(r.clone()),
        Value::Real(x) => {
            let data = x.data.iter().enumerate().map(|(at, x)| scalar(at, x)).collect();
            Value::Real(Dense { shape: x.shape.clone(), data })
        }
    };
    values.iter().map(|(name, v)| (name.clone(), value(v))).collect()
}

/// What kind of error it is.
pub(crate) fn kind(error: &EvalError) -> &'static str {
    match &*error.fault {
        Fault::Scalar(scalar) => match scalar {
            ScalarError::NotExact { .. } => "not exact",
            ScalarError::NotEnclosed { .. } => "not enclosed",
            ScalarError::NoDerivative { .. } => "no derivative",
            ScalarError::Undecided { .. } => "undecided",
            ScalarError::DivisionByZero => "division by zero",
            ScalarError::Domain { .. } => "domain",
            ScalarError::NoInfinity => "no infinity",
            ScalarError::FloorOutOfRange { .. } => "floor out of range",
        },
        Fault::Call(_) => "call",
        Fault::Violated { .. } => "requires",
        Fault::NotYetDefined { .. } => "not yet defined",
        Fault::UnguardedAccess { .. } => "unguarded access",
        Fault::IndexOutOfRange { .. } => "index out of range",
        Fault::IndexOverflow => "index overflow",
    }
}

/// Values where both have them, the same kind of error else; reals compared by `same`.
pub(crate) fn agree<S: Debug, T: Debug>(
    found: &Results<S>,
    wanted: &Results<T>,
    what: &str,
    same: impl Fn(&S, &T) -> bool,
) -> Outcome {
    let (found, wanted) = match (found, wanted) {
        (Ok(found), Ok(wanted)) => (found, wanted),
        (Err(a), Err(b)) if kind(a) == kind(b) => return Ok(()),
        (Err(a), Err(b)) => return Err(failure(format!("{a}\nwanted the error\n{b}\n{what}"))),
        (Ok(_), Err(b)) => return Err(failure(format!("no error, wanted\n{b}\n{what}"))),
        (Err(a), Ok(b)) => return Err(failure(format!("{a}\nwanted\n{b:?}\n{what}"))),
    };
    for (name, value) in found {
        let entry = |place: String| {
            failure(format!("`{name}`{place}\n{what}\nof {found:?}\nwanted {wanted:?}"))
        };
        match (value, wanted.get(name)) {
            (Value::Real(x), Some(Value::Real(y))) if x.shape == y.shape => {
                let pairs = || x.data.iter().zip(&y.data);
                if let Some(place) = pairs().position(|(x, y)| !same(x, y)) {
                    let (position, a, b) = (x.position(place), &x.data[place], &y.data[place]);
                    return Err(entry(format!("{position:?} is {a:?}, wanted {b:?}")));
                }
            }
            (Value::Index(x), Some(Value::Index(y))) if x.shape == y.shape => {
                if let Some(place) = x.data.iter().zip(&y.data).position(|(x, y)| x != y) {
                    let (position, a, b) = (x.position(place), x.data[place], y.data[place]);
                    return Err(entry(format!("{position:?} is {a}, wanted {b}")));
                }
            }
            _ => return Err(entry(" has another sort or shape".to_owned())),
        }
    }
    Ok(())
}
