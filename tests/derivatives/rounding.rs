//! Over floats every function has derivatives. Intervals say what they are within:
//! each value computed in `f64` is inside the interval computed by the same
//! operations, and two intervals around one exact value meet.

use crate::generate::{Flavour, Outcome, check_all, failure};
use crate::subject::*;
use dashu_base::Approximation;
use iverson::interpreter::{Dual, Interval, Rational, Scalar};
use iverson::spec::call::Dense;
use iverson::spec::function::Fun;
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

    /// Most programs must have been compared, and most entries closely, or the law says little.
    fn finish(&self, programs: usize) {
        let (entries, close) = (self.entries.get() as usize, self.close.get() as usize);
        assert!(
            entries * 10 >= programs * 7 && close * 10 >= entries * 8,
            "{entries} entries of {programs} programs, {close} of them are close"
        );
    }

    /// The `f64` is inside the interval of the same operations.
    fn within(&self, what: &str, float: f64, around: Interval) -> Outcome {
        if around.contains(float) || float.is_nan() {
            return Ok(());
        }
        Err(failure(format!("{float} is outside {around:?}: {what}")))
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
    let coverage = check_all(Flavour::Full, 1000, |case| {
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
                tally.within(&what, real(&floats, dot).data[place], *found)?;
            }
        }
        Ok(())
    });
    tally.finish(coverage.programs());
}

/// `⟨ȳ, J·ẋ⟩ = ⟨Jᵀ·ȳ, ẋ⟩`, where `J·ẋ` is that of dual numbers: both sides in intervals,
/// around the cotangents in `f64`.
#[test]
fn cotangents_are_the_adjoint_of_tangents_over_floats() {
    let tally = Tally::default();
    let coverage = check_all(Flavour::Full, 1000, |case| {
        let subject = Subject::new(case)?;
        let program = subject.vjp()?;
        let mut directions = Directions::new(case);
        let x_dot = all(&directions.at(&case.inputs, &subject.wrt), point);
        let wide = map(&case.inputs, point);
        let moved = run(&subject.ssa, &dual(&wide, &subject.wrt, &x_dot));
        let Ok(moved) = moved else { return Ok(()) };
        let tangents_of = |y: &String| tangents(real(&moved, y));
        let y_dot: Vec<Dense<Interval>> =
            real_results(&subject.ssa).iter().map(tangents_of).collect();
        let y_bar: Vec<Dense<Rational>> = y_dot.iter().map(|y| directions.like(y)).collect();
        let names = added_params(&program, &subject.ssa);
        let found = run(&program, &with(&wide, &names, &all(&y_bar, point)));
        let inputs = with(&map(&case.inputs, nearest), &names, &all(&y_bar, nearest));
        let (Ok(found), Ok(floats)) = (found, run(&program, &inputs)) else { return Ok(()) };
        let bars = added_results(&program, &subject.ssa);
        let x_bar: Vec<Dense<Interval>> = bars.iter().map(|x| real(&found, x).clone()).collect();
        let text = unelaborate::ssa(&program);
        for (name, around) in bars.iter().zip(&x_bar) {
            let entries = real(&floats, name).data.iter().zip(&around.data);
            entries.into_iter().try_for_each(|(x, i)| tally.within(&text, *x, *i))?;
        }
        tally.meet(&text, product(&all(&y_bar, point), &y_dot), product(&x_bar, &x_dot))
    });
    tally.finish(coverage.programs());
}

fn product(a: &[Dense<Interval>], b: &[Dense<Interval>]) -> Interval {
    let pairs = a.iter().zip(b).flat_map(|(a, b)| a.data.iter().zip(&b.data));
    pairs.fold(Interval::integer(0), |sum, (x, y)| {
        let part = Interval::binary(Fun::Mul, x, y).unwrap_or(Interval::WHOLE);
        Interval::binary(Fun::Add, &sum, &part).unwrap_or(Interval::WHOLE)
    })
}
