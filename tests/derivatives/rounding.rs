//! Over floats every function has derivatives. Intervals say what they are within:
//! each value computed in `f64` is inside the interval computed by the same
//! operations, and two intervals around one exact value meet.

use crate::generate::{Flavour, Outcome, check_all, failure};
use crate::subject::*;
use dashu_base::Approximation;
use iverson::interpreter::{Dual, Interval, Rational};
use iverson::spec::call::Dense;
use iverson::spec::unelaborate;
use std::cell::Cell;

/// How many entries were compared, and how many of them closely.
#[derive(Default)]
struct Tally {
    entries: Cell<u32>,
    close: Cell<u32>,
}

impl Tally {
    fn meet(&self, what: &str, a: Interval, b: Interval) -> Outcome {
        let width = (a.hi() - a.lo()).max(b.hi() - b.lo());
        self.entries.set(self.entries.get() + 1);
        if width <= 1e-9 * a.lo().abs().max(1.0) {
            self.close.set(self.close.get() + 1);
        }
        let meet = a.lo() <= b.hi() && b.lo() <= a.hi();
        if meet { Ok(()) } else { Err(failure(format!("{what}: {a:?} and {b:?}"))) }
    }

    /// Most entries must have been compared closely, or the law says little.
    fn finish(&self) {
        let (entries, close) = (self.entries.get(), self.close.get());
        assert!(
            entries > 1000 && close * 10 >= entries * 8,
            "{close} of {entries} entries are close"
        );
    }
}

fn nearest(Rational(x): &Rational) -> f64 {
    match x.to_f64() {
        Approximation::Exact(x) | Approximation::Inexact(x, _) => x,
    }
}

fn point(x: &Rational) -> Interval {
    Interval::point(nearest(x)).unwrap_or(Interval::WHOLE)
}

fn dense<T>(from: &Dense<Rational>, entry: impl Fn(&Rational) -> T) -> Dense<T> {
    Dense { shape: from.shape.clone(), data: from.data.iter().map(entry).collect() }
}

fn all<T>(from: &[Dense<Rational>], entry: impl Fn(&Rational) -> T + Copy) -> Vec<Dense<T>> {
    from.iter().map(|d| dense(d, entry)).collect()
}

#[test]
fn tangents_are_those_of_dual_numbers_over_floats() {
    let tally = Tally::default();
    check_all(Flavour::Full, 1000, |case| {
        let subject = Subject::new(case)?;
        let program = subject.jvp()?;
        let directions = Directions::new(case).at(&case.inputs, &subject.wrt);
        let names = added_params(&program, &subject.ssa);
        let wide = map(&case.inputs, point);
        let wanted = dual(&wide, &subject.wrt, &all(&directions, point));
        let wanted = denotation::<Dual<Interval>>(&subject.typed, &wanted);
        let found = run(&program, &with(&wide, &names, &all(&directions, point)));
        let inputs = with(&map(&case.inputs, nearest), &names, &all(&directions, nearest));
        let floats = run(&program, &inputs);
        let (Ok(wanted), Ok(found), Ok(floats)) = (wanted, found, floats) else { return Ok(()) };
        let dots = added_results(&program, &subject.ssa);
        for (primal, dot) in real_results(&subject.ssa).iter().zip(&dots) {
            let wanted = tangents(real(&wanted, primal));
            for (place, found) in real(&found, dot).data.iter().enumerate() {
                let what = format!("{dot}, entry {place}\n{}", unelaborate::ssa(&program));
                tally.meet(&what, *found, wanted.data[place])?;
                let float = real(&floats, dot).data[place];
                if !found.contains(float) && !float.is_nan() {
                    return Err(failure(format!("{float} is outside {found:?}: {what}")));
                }
            }
        }
        Ok(())
    });
    tally.finish();
}
