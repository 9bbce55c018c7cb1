//! Single numbers: sizes, indices, reals.

use super::Reals;
use super::text::Json;
use crate::entry::{Entry, Special};
use crate::input::{InputError, Place, shorten};
use dashu_int::UBig;
use iverson_spec::number::{MAX_DIGITS, MAX_EXPONENT, Number, NumeralError};

/// What a real may look like, for messages.
const REAL: &str = "a real (a number or a string such as \"3/7\", \"NaN\" or \"-Infinity\")";

/// The integer at `at`.
pub(super) fn integer(json: &Json, at: &Place, wanted: &str) -> Result<i64, InputError> {
    let Json::Number(text) = json else {
        return Err(kind(json, at, wanted));
    };
    if let Ok(n) = text.parse() {
        return Ok(n);
    }
    let number = numeral(text).map_err(|problem| refuse(problem, text, at, wanted))?;
    match number.as_integer() {
        Some(n) => Ok(n),
        None if *number.exact().denominator() == UBig::ONE => Err(InputError::TooLarge {
            at: at.clone(),
            found: shorten(text),
            wanted: "an integer of 64 bits".to_owned(),
        }),
        None => Err(InputError::Fractional { at: at.clone(), found: shorten(text) }),
    }
}

/// The natural number at `at`.
pub(super) fn natural(json: &Json, at: &Place, wanted: &str) -> Result<u64, InputError> {
    let n = integer(json, at, wanted)?;
    u64::try_from(n).map_err(|_| kind(json, at, wanted))
}

/// The real at `at`.
pub(super) fn real<S: Entry>(json: &Json, at: &Place, reals: Reals) -> Result<S, InputError> {
    let text = match json {
        Json::Number(text) | Json::Text(text) => text,
        Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) => {
            return Err(kind(json, at, REAL));
        }
    };
    if let Some(special) = Special::named(text) {
        return not_finite(special, at, reals);
    }
    let number = fraction(text).map_err(|problem| refuse(problem, text, at, REAL))?;
    S::from_number(&number).ok_or_else(|| too_large(text, at))
}

/// The entry `special`, if it is allowed and exists.
pub(crate) fn not_finite<S: Entry>(
    special: Special,
    at: &Place,
    reals: Reals,
) -> Result<S, InputError> {
    let found = special.name().to_owned();
    let refused = |why| InputError::NotFinite { at: at.clone(), found: found.clone(), why };
    if reals == Reals::Finite {
        return Err(refused("NaN and infinities are taken only where they are allowed"));
    }
    S::from_special(special).ok_or_else(|| refused("the scalars of this run have no such value"))
}

/// `-12.5e3` or `-3/7`, exactly.
fn fraction(text: &str) -> Result<Number, NumeralError> {
    let Some((over, under)) = text.split_once('/') else {
        return numeral(text);
    };
    let (over, under) = (whole(over)?, whole(under)?);
    if under.exact().is_zero() {
        return Err(NumeralError::Malformed);
    }
    Ok(Number::new(over.exact() / under.exact()))
}

/// An integer in decimal digits.
fn whole(text: &str) -> Result<Number, NumeralError> {
    if text.contains(['.', 'e', 'E']) {
        return Err(NumeralError::Malformed);
    }
    numeral(text)
}

/// A number with an optional sign, exactly.
fn numeral(text: &str) -> Result<Number, NumeralError> {
    if text.contains('_') {
        return Err(NumeralError::Malformed);
    }
    match text.strip_prefix('-') {
        Some(rest) => Ok(Number::parse(rest)?.negate()),
        None => Number::parse(text),
    }
}

fn refuse(problem: NumeralError, text: &str, at: &Place, wanted: &str) -> InputError {
    match problem {
        NumeralError::Malformed => kind(&Json::Text(text.to_owned()), at, wanted),
        NumeralError::TooLarge => too_large(text, at),
    }
}

fn too_large(text: &str, at: &Place) -> InputError {
    InputError::TooLarge {
        at: at.clone(),
        found: shorten(text),
        wanted: format!(
            "at most {MAX_DIGITS} digits, an exponent of at most {MAX_EXPONENT}, \
             and a value in the range of the scalar"
        ),
    }
}

pub(super) fn kind(json: &Json, at: &Place, wanted: &str) -> InputError {
    InputError::Kind { at: at.clone(), found: json.describe(), wanted: wanted.to_owned() }
}
