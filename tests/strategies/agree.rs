//! All strategies give one gradient, that of `vjp`; the points of `Scatter` are the
//! sparse points of the program.

use crate::exact::{Exact, map};
use crate::generate::{self, Case, Flavour, check_all, failure};
use crate::subject::*;
use iverson::interpreter::{Model, Rational, eval_ssa};
use iverson::spec::ast::Reduction;
use iverson::spec::call::{Limits, Values};
use iverson::spec::ssa::{Rhs, Stmt};
use iverson::spec::verify::stmts;
use iverson::spec::{TensorSsa, unelaborate};
use iverson::strategies::{Outcome, Strategy, gradient};
use proptest::test_runner::TestCaseError;
use std::cell::Cell;

/// A program with cotangents, and what `vjp` gives for them.
struct Wanted {
    subject: Subject,
    inputs: Values<Rational>,
    results: Values<Rational>,
}

impl Wanted {
    /// `None` if the derivative has no value there.
    fn new(case: &Case) -> Result<Option<Self>, TestCaseError> {
        let subject = Subject::new(case)?;
        let Ok(primal) = run(&subject.ssa, &case.inputs) else { return Ok(None) };
        let vjp = subject.vjp()?;
        let bars = Directions::new(case).at(&primal, &real_results(&subject.ssa));
        let inputs = with(&case.inputs, &added_params(&vjp, &subject.ssa), &bars);
        let Ok(results) = run(&vjp, &inputs) else { return Ok(None) };
        Ok(Some(Self { subject, inputs, results }))
    }

    fn by(&self, strategy: Strategy) -> Result<Outcome<Exact>, TestCaseError> {
        let wrt: Vec<&str> = self.subject.wrt.iter().map(String::as_str).collect();
        let inputs = map(&self.inputs, |x| Exact(Some(x.clone())));
        gradient(strategy, &self.subject.ssa, &wrt, &inputs)
            .map_err(|error| failure(format!("{strategy}: {error}\n{}", self.text())))
    }

    fn text(&self) -> String {
        called(&self.subject.ssa, &self.inputs)
    }

    fn compare(&self, strategy: Strategy) -> Result<Outcome<Exact>, TestCaseError> {
        let outcome = self.by(strategy)?;
        let found: Values<Exact> = outcome
            .values
            .iter()
            .chain(&outcome.gradient)
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        for (name, wanted) in map(&self.results, |x| Exact(Some(x.clone()))) {
            match found.get(&name) {
                Some(found) if *found == wanted => {}
                found => {
                    return Err(failure(format!(
                        "{strategy}: `{name}` is {found:?}, wanted {wanted:?}\n{}",
                        self.text()
                    )));
                }
            }
        }
        Ok(outcome)
    }
}

fn check_wanted(default: u32, law: impl Fn(&Wanted, &Case) -> generate::Outcome) {
    let (all, met) = (Cell::new(0_u32), Cell::new(0_u32));
    check_all(Flavour::Rational, default, |case| {
        all.set(all.get() + 1);
        let Some(wanted) = Wanted::new(case)? else { return Ok(()) };
        met.set(met.get() + 1);
        law(&wanted, case)
    });
    assert!(met.get() * 10 >= all.get() * 6, "{} of {} have a value", met.get(), all.get());
}

#[test]
fn scatter_gives_the_gradient_of_vjp() {
    check_wanted(1000, |wanted, _| wanted.compare(Strategy::Scatter).map(|_| ()));
}

#[test]
fn dense_gives_the_gradient_of_vjp() {
    check_wanted(1000, |wanted, _| wanted.compare(Strategy::Dense).map(|_| ()));
}

/// Whether every `max` and `min` has a point: over rationals it has no value otherwise.
fn all_have_values(program: &TensorSsa, inputs: &Values<Rational>) -> bool {
    let extremum = |stmt: &&Stmt| matches!(stmt.rhs, Rhs::Fold(Reduction::Max | Reduction::Min, _));
    let extrema = stmts(&program.body).into_iter().filter(extremum).map(|stmt| stmt.tensor);
    let program = TensorSsa { results: extrema.collect(), ..program.clone() };
    run(&program, inputs).is_ok()
}

#[test]
fn scatter_visits_the_sparse_points() {
    check_wanted(1000, |wanted, case| {
        let outcome = wanted.by(Strategy::Scatter)?;
        let report = eval_ssa(&wanted.subject.ssa, &case.inputs, Limits::default());
        let Ok((_, report)) = report else { return Ok(()) };
        if !all_have_values(&wanted.subject.ssa, &case.inputs) {
            return Ok(());
        }
        let wanted_count = report.total(Model::Sparse);
        let products = |stmt: &Stmt| matches!(stmt.rhs, Rhs::Fold(Reduction::Prod, _));
        let twice = stmts(&wanted.subject.ssa.body).into_iter().any(products);
        let passes = if twice { 2 } else { 1 };
        let back = outcome.reverse.count.points <= passes * wanted_count.points;
        if outcome.primal.count == wanted_count && back {
            return Ok(());
        }
        let text = unelaborate::ssa(&wanted.subject.ssa);
        let found = outcome.primal.count;
        Err(failure(format!("{found:?}\n{wanted_count:?}\n{report}{text}")))
    });
}
