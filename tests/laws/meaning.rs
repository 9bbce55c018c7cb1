//! Normalization and printing keep the meaning, over every scalar.

use crate::generate::{Case, Flavour, Outcome, check_all, failure};
use crate::subject::{Subject, reread};
use crate::values::{Results, agree, convert, kind};
use dashu_ratio::RBig;
use iverson::interpreter::{Dual, Interval, Rational, Scalar, eval, eval_ssa};
use iverson::spec::call::{Limits, Values};
use iverson::spec::unelaborate;
use iverson::spec::verify::verify_normal;

/// What the program gives as written, and in normal form.
fn both<S: Scalar>(subject: &Subject, inputs: &Values<S>) -> (Results<S>, Results<S>) {
    let normal = eval_ssa(&subject.ssa(), inputs, Limits::default());
    (eval(&subject.typed, inputs, Limits::default()), normal.map(|(values, _)| values))
}

/// The faults that a checked program can meet: an empty maximum has no value in rationals.
fn is_sound(results: &Results<Rational>) -> Outcome {
    match results {
        Err(error) if kind(error) != "no infinity" => {
            Err(failure(format!("the program was accepted, and then: {error}")))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

#[test]
fn normal_forms_mean_what_was_written() {
    check_all(Flavour::Rational, 1500, |case| {
        let subject = Subject::new(case)?;
        let text = unelaborate::ssa(&subject.ssa());
        verify_normal(&subject.ssa()).map_err(|v| failure(format!("{v}\n{text}")))?;
        let (written, normal) = both(&subject, &case.inputs);
        is_sound(&written)?;
        agree(&normal, &written, &text, PartialEq::eq)
    });
}

#[test]
fn a_printed_program_means_what_was_written() {
    check_all(Flavour::Rational, 1000, |case| {
        let subject = Subject::new(case)?;
        let text = unelaborate::typed(&subject.typed);
        let again = eval(&reread(&text)?, &case.inputs, Limits::default());
        let written = eval(&subject.typed, &case.inputs, Limits::default());
        agree(&again, &written, &text, PartialEq::eq)
    });
}

/// The same tangents, exactly: the text and its normal form have one derivative.
#[test]
fn normal_forms_have_the_same_derivative() {
    check_all(Flavour::Rational, 1000, |case| {
        let direction = |at: usize| Rational(RBig::from((at * 7 + 3) % 5) - RBig::from(2));
        let inputs = convert(&case.inputs, |at, x| Dual::new(x.clone(), direction(at)));
        let subject = Subject::new(case)?;
        let (written, normal) = both(&subject, &inputs);
        let same = |a: &Dual<Rational>, b: &Dual<Rational>| {
            a.primal == b.primal && a.tangent() == b.tangent()
        };
        agree(&normal, &written, &unelaborate::ssa(&subject.ssa()), same)
    });
}

fn floats(case: &Case) -> Values<f64> {
    convert(&case.inputs, |_, x| x.0.to_f64().value())
}

fn intervals(case: &Case) -> Values<Interval> {
    convert(&floats(case), |_, x| Interval::point(*x).unwrap_or(Interval::WHOLE))
}

/// Sums are taken in another order, so values differ by rounding. An interval
/// evaluation rounds every operation outward: it encloses the float of the same
/// order and the exact value, so two floats differ by at most the two widths.
#[test]
fn normal_forms_mean_the_same_to_rounding() {
    check_all(Flavour::Full, 1500, |case| {
        let subject = Subject::new(case)?;
        let text = unelaborate::ssa(&subject.ssa());
        let (written, normal) = both(&subject, &floats(case));
        let (around_written, around_normal) = both(&subject, &intervals(case));
        let inside = |x: &f64, i: &Interval| x.is_nan() && *i == Interval::WHOLE || i.contains(*x);
        if around_written.is_ok() {
            agree(&written, &around_written, "as written, in intervals", inside)?;
        }
        if around_normal.is_ok() {
            agree(&normal, &around_normal, &text, inside)?;
        }
        if let (Ok(_), Ok(_)) = (&around_written, &around_normal) {
            agree(&around_normal, &around_written, &text, |a, b| {
                a.lo() <= b.hi() && b.lo() <= a.hi()
            })?;
        }
        let finite = |x: &f64, y: &f64| x.is_finite() && y.is_finite();
        agree(&normal, &written, &text, |x, y| x == y || x.is_nan() && y.is_nan() || finite(x, y))
    });
}

#[test]
fn intervals_enclose_the_exact_value() {
    check_all(Flavour::Rational, 1000, |case| {
        let subject = Subject::new(case)?;
        let exact = eval(&subject.typed, &case.inputs, Limits::default());
        let around = eval(&subject.typed, &intervals(case), Limits::default());
        match (&around, &exact) {
            (Err(error), _) if kind(error) == "undecided" => Ok(()),
            // intervals have infinities, which an unread entry may be, or its floor
            (Err(error), Ok(_)) if kind(error) == "floor out of range" => Ok(()),
            (_, Err(_)) => Ok(()),
            _ => agree(&around, &exact, "in intervals", encloses),
        }
    });
}

fn encloses(around: &Interval, exact: &Rational) -> bool {
    let end = |end: f64| RBig::try_from(end).ok();
    end(around.lo()).is_none_or(|lo| lo <= exact.0)
        && end(around.hi()).is_none_or(|hi| exact.0 <= hi)
}
