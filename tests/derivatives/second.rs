//! Second derivatives: derivatives of derivatives, by the same laws.

use crate::first::{adjoint, check_values, equal};
use crate::generate::failure;
use crate::subject::*;
use iverson::interpreter::{Dual, Rational};
use iverson::spec::call::{Dense, Values};
use iverson::spec::verify;

/// `vjp` is a program like any other: its tangents are those of dual numbers.
#[test]
fn tangents_of_cotangents_are_those_of_dual_numbers() {
    check_values(1000, |case| {
        let subject = Subject::new(case)?;
        let first = subject.vjp()?;
        let wrt = real_params(&first);
        let second = forward(&first, &wrt)?;
        verify(&second).map_err(|violation| failure(violation.to_string()))?;
        let Some(inputs) = seeded(&subject, case) else { return Ok(false) };
        let directions = Directions::new(case).at(&inputs, &wrt);
        let wanted = run(&first, &dual(&inputs, &wrt, &directions));
        let called_with = with(&inputs, &added_params(&second, &first), &directions);
        let found = run(&second, &called_with);
        let (Ok(found), Ok(wanted)) = (&found, &wanted) else {
            let reasons = (found.err().map(|e| e.to_string()), wanted.err().map(|e| e.to_string()));
            return match reasons {
                (Some(_), Some(_)) => Ok(false),
                one => Err(failure(format!("{one:?}\n{}", called(&second, &called_with)))),
            };
        };
        for (primal, tangent) in real_results(&first).iter().zip(added_results(&second, &first)) {
            let wanted = tangents(real(wanted, primal));
            equal(&tangent, real(found, &tangent), &wanted, || called(&second, &called_with))?;
        }
        Ok(true)
    });
}

/// The adjoint identity holds of the adjoint.
#[test]
fn cotangents_of_cotangents_are_the_adjoint_of_their_tangents() {
    check_values(1000, |case| {
        let subject = Subject::new(case)?;
        let first = subject.vjp()?;
        let wrt = real_params(&first);
        let second = reverse(&first, &wrt)?;
        verify(&second).map_err(|violation| failure(violation.to_string()))?;
        let Some(inputs) = seeded(&subject, case) else { return Ok(false) };
        adjoint(case, &first, &wrt, &second, &inputs)
    });
}

/// `jvp` of `jvp` is a dual number of dual numbers.
#[test]
fn tangents_of_tangents_are_those_of_nested_dual_numbers() {
    check_values(1000, |case| {
        let subject = Subject::new(case)?;
        let first = subject.jvp()?;
        let second = forward(&first, &subject.wrt)?;
        let mut directions = Directions::new(case);
        let u = directions.at(&case.inputs, &subject.wrt);
        let v = directions.at(&case.inputs, &subject.wrt);
        let inner = dual(&case.inputs, &subject.wrt, &u);
        let still: Vec<Dense<Dual<Rational>>> = v.iter().map(lifted).collect();
        let Ok(wanted) = denotation(&subject.typed, &dual(&inner, &subject.wrt, &still)) else {
            return Ok(false);
        };
        let inputs = with(&case.inputs, &added_params(&first, &subject.ssa), &u);
        let inputs = with(&inputs, &added_params(&second, &first), &v);
        let show = || called(&second, &inputs);
        let found = run(&second, &inputs).map_err(|e| failure(format!("{e}\n{}", show())))?;
        let firsts = added_results(&first, &subject.ssa);
        let all = real_results(&first);
        let seconds = added_results(&second, &first);
        for (primal, dot) in real_results(&subject.ssa).iter().zip(&firsts) {
            let place = all.iter().position(|name| name == dot);
            let Some(name) = place.map(|place| &seconds[place]) else { continue };
            let wanted = tangents(&tangents(real(&wanted, primal)));
            equal(name, real(&found, name), &wanted, show)?;
        }
        Ok(true)
    });
}

/// `u · H v = v · H u` for the Hessian `H` of `⟨ȳ, f(x)⟩`.
#[test]
fn hessians_are_symmetric() {
    check_values(1000, |case| {
        let subject = Subject::new(case)?;
        let gradient = subject.vjp()?;
        let Some(inputs) = seeded(&subject, case) else { return Ok(false) };
        let mut directions = Directions::new(case);
        let u = directions.at(&inputs, &subject.wrt);
        let v = directions.at(&inputs, &subject.wrt);
        let product = forward(&gradient, &subject.wrt)?;
        let bars = added_results(&gradient, &subject.ssa);
        let all = real_results(&gradient);
        let dots = added_results(&product, &gradient);
        let times = |direction: &[Dense<Rational>]| {
            let inputs = with(&inputs, &added_params(&product, &gradient), direction);
            let found = run(&product, &inputs).ok()?;
            let dot = |bar: &String| all.iter().position(|name| name == bar).map(|at| &dots[at]);
            let tangents = bars.iter().filter_map(dot).map(|dot| real(&found, dot).clone());
            Some(tangents.collect::<Vec<_>>())
        };
        let (Some(hu), Some(hv)) = (times(&u), times(&v)) else { return Ok(false) };
        let (left, right) = (inner(&u, &hv), inner(&v, &hu));
        if left == right {
            return Ok(true);
        }
        Err(failure(format!("{} and {}\n{}", left.0, right.0, called(&product, &inputs))))
    });
}

/// The inputs of a `vjp`: those of the program, and random cotangents.
fn seeded(subject: &Subject, case: &crate::generate::Case) -> Option<Values<Rational>> {
    let results = run(&subject.ssa, &case.inputs).ok()?;
    let mut directions = Directions::new(case);
    let bars = directions.at(&results, &real_results(&subject.ssa));
    let derivative = subject.vjp().ok()?;
    Some(with(&case.inputs, &added_params(&derivative, &subject.ssa), &bars))
}

fn lifted(direction: &Dense<Rational>) -> Dense<Dual<Rational>> {
    let data = direction.data.iter().map(|x| Dual::still(x.clone())).collect();
    Dense { shape: direction.shape.clone(), data }
}
