//! Normalization keeps the meaning.

use crate::generate::program::show;
use crate::generate::{Flavour, Outcome, check_all, failure};
use crate::subject::{Subject, reread};
use iverson::interpreter::{EvalError, Fault, Rational, ScalarError, eval, eval_ssa};
use iverson::spec::call::{Limits, Value, Values};
use iverson::spec::verify::verify_normal;
use iverson::spec::unelaborate;

type Results<S> = Result<Values<S>, EvalError>;

/// What kind of error it is.
pub(crate) fn kind(error: &EvalError) -> String {
    let (fault, scalar) = match &*error.fault {
        Fault::Scalar(scalar) => ("scalar", Some(scalar)),
        Fault::Call(_) => ("call", None),
        Fault::Violated { .. } => ("requires", None),
        Fault::NotYetDefined { .. } => ("not yet defined", None),
        Fault::UnguardedAccess { .. } => ("unguarded access", None),
        Fault::IndexOutOfRange { .. } => ("index out of range", None),
        Fault::IndexOverflow => ("index overflow", None),
    };
    let scalar = scalar.map(|scalar| match scalar {
        ScalarError::NotExact { .. } => "not exact",
        ScalarError::NotEnclosed { .. } => "not enclosed",
        ScalarError::NoDerivative { .. } => "no derivative",
        ScalarError::Undecided { .. } => "undecided",
        ScalarError::DivisionByZero => "division by zero",
        ScalarError::Domain { .. } => "domain",
        ScalarError::NoInfinity => "no infinity",
        ScalarError::FloorOutOfRange { .. } => "floor",
    });
    format!("{fault} {}", scalar.unwrap_or_default())
}

fn agree(found: &Results<Rational>, wanted: &Results<Rational>, what: &str) -> Outcome {
    match (found, wanted) {
        (Ok(a), Ok(b)) if a == b => Ok(()),
        (Ok(a), Ok(b)) => {
            let first = first_difference(a, b);
            Err(failure(format!("{first}\n{what}\n{}wanted\n{}", show(a), show(b))))
        }
        (Err(a), Err(b)) if kind(a) == kind(b) => Ok(()),
        (Err(a), Err(b)) => Err(failure(format!("{what}\n{a}\nwanted\n{b}"))),
        (Ok(a), Err(b)) => Err(failure(format!("{what}\n{}wanted\n{b}", show(a)))),
        (Err(a), Ok(b)) => Err(failure(format!("{what}\n{a}\nwanted\n{}", show(b)))),
    }
}

/// The first entry that differs.
fn first_difference(a: &Values<Rational>, b: &Values<Rational>) -> String {
    for (name, value) in a {
        let (Value::Real(x), Some(Value::Real(y))) = (value, b.get(name)) else { continue };
        let place = x.data.iter().zip(&y.data).position(|(x, y)| x != y);
        if let Some(place) = place {
            let position = x.position(place);
            return format!("{name}{position:?} is {}, wanted {}", x.data[place].0, y.data[place].0);
        }
    }
    "the results differ".to_owned()
}

#[test]
fn normal_forms_are_normal_and_mean_the_same() {
    check_all(Flavour::Rational, 1500, |case| {
        let subject = Subject::new(case)?;
        let ssa = subject.ssa();
        let text = unelaborate::ssa(&ssa);
        verify_normal(&ssa).map_err(|violation| failure(format!("{violation}\n{text}")))?;
        let wanted = eval(&subject.typed, &case.inputs, Limits::default());
        let found = eval_ssa(&ssa, &case.inputs, Limits::default()).map(|(values, _)| values);
        agree(&found, &wanted, &text)?;
        let reread = reread(&unelaborate::typed(&subject.typed))?;
        let again = eval(&reread, &case.inputs, Limits::default());
        agree(&again, &wanted, "the typed text")
    });
}
