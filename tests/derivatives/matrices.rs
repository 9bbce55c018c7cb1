//! Jacobians, Hessians and their products, against dual numbers and each other.
//!
//! A matrix is compared by its product with a random direction, exactly.

use crate::first::{check_values, equal};
use crate::generate::{Case, failure};
use crate::subject::*;
use crate::text::reads_back;
use dashu_ratio::RBig;
use iverson::ad::{Mode, hessian, hvp, jacobian, jtjv, mode};
use iverson::interpreter::Rational;
use iverson::spec::call::{Dense, Values};
use iverson::spec::ir::{Extent, SizeId};
use iverson::spec::{TensorSsa, verify};
use proptest::test_runner::TestCaseError;

type Derive = fn(&TensorSsa, &[&str]) -> Result<TensorSsa, iverson::ad::AdError>;

fn derive(how: Derive, program: &TensorSsa, wrt: &[String]) -> Result<TensorSsa, TestCaseError> {
    let names: Vec<&str> = wrt.iter().map(String::as_str).collect();
    let derivative = how(program, &names).map_err(|error| failure(error.to_string()))?;
    verify(&derivative).map_err(|violation| failure(violation.to_string()))?;
    reads_back(&derivative)?;
    Ok(derivative)
}

/// `Σ_k matrix[i, k] · direction[k]`, where `rows` is the shape of `i`.
fn times(matrix: &Dense<Rational>, direction: &Dense<Rational>, sum: &mut Dense<Rational>) {
    let columns = direction.data.len();
    assert_eq!(matrix.shape, [sum.shape.as_slice(), &direction.shape].concat());
    for (row, entry) in sum.data.iter_mut().enumerate() {
        for (k, x) in direction.data.iter().enumerate() {
            entry.0 += &matrix.data[row * columns + k].0 * &x.0;
        }
    }
}

fn zero(like: &Dense<Rational>) -> Dense<Rational> {
    Dense { shape: like.shape.clone(), data: vec![Rational(RBig::ZERO); like.data.len()] }
}

/// The blocks of a row times the directions, summed.
fn row(
    found: &Values<Rational>,
    blocks: &[String],
    directions: &[Dense<Rational>],
    like: &Dense<Rational>,
) -> Dense<Rational> {
    let mut sum = zero(like);
    for (block, direction) in blocks.iter().zip(directions) {
        times(real(found, block), direction, &mut sum);
    }
    sum
}

/// Values small enough that a matrix of them is quickly computed.
fn is_small(case: &Case, wrt: &[String]) -> bool {
    let entries = wrt.iter().map(|x| real(&case.inputs, x).data.len());
    entries.sum::<usize>() <= 60
}

#[test]
fn jacobians_times_directions_are_tangents() {
    check_values(300, |case| {
        let subject = Subject::new(case)?;
        if !is_small(case, &subject.wrt) {
            return Ok(true);
        }
        let program = derive(jacobian, &subject.ssa, &subject.wrt)?;
        let directions = Directions::new(case).at(&case.inputs, &subject.wrt);
        let Ok(wanted) = run(&subject.ssa, &dual(&case.inputs, &subject.wrt, &directions)) else {
            return Ok(false);
        };
        let show = || called(&program, &case.inputs);
        let found = run(&program, &case.inputs).map_err(|e| failure(format!("{e}\n{}", show())))?;
        let blocks = added_results(&program, &subject.ssa);
        let results = real_results(&subject.ssa);
        assert_eq!(blocks.len(), results.len() * subject.wrt.len());
        for (at, result) in results.iter().enumerate() {
            let wanted = tangents(real(&wanted, result));
            let own = &blocks[at * subject.wrt.len()..][..subject.wrt.len()];
            let found = row(&found, own, &directions, &wanted);
            equal(result, &found, &wanted, show)?;
        }
        Ok(true)
    });
}

/// The Hessian times a direction, the product without the Hessian, and the tangents
/// of the gradient by dual numbers are one. So is the third derivative, once more.
#[test]
fn hessians_times_directions_are_tangents_of_gradients() {
    check_values(300, |case| {
        let Some(subject) = scalar_subject(case)? else { return Ok(true) };
        let wrt = &subject.wrt;
        let second = derive(hessian, &subject.ssa, wrt)?;
        let product = derive(hvp, &subject.ssa, wrt)?;
        let directions = Directions::new(case).at(&case.inputs, wrt);
        let gradient = subject.vjp()?;
        let inputs = one(&subject, &gradient, case);
        let Ok(wanted) = run(&gradient, &dual(&inputs, wrt, &directions)) else {
            return Ok(false);
        };
        let show = || called(&second, &case.inputs);
        let found = run(&second, &case.inputs).map_err(|e| failure(format!("{e}\n{}", show())))?;
        let moving = with(&case.inputs, &added_params(&product, &subject.ssa), &directions);
        let products = run(&product, &moving)
            .map_err(|e| failure(format!("{e}\n{}", called(&product, &moving))))?;
        let blocks = added_results(&second, &subject.ssa);
        let bars = added_results(&gradient, &subject.ssa);
        for (at, bar) in bars.iter().enumerate() {
            let wanted = tangents(real(&wanted, bar));
            let own = &blocks[at * wrt.len()..][..wrt.len()];
            equal(bar, &row(&found, own, &directions, &wanted), &wanted, show)?;
            let name = &added_results(&product, &subject.ssa)[at];
            equal(name, real(&products, name), &wanted, || called(&product, &moving))?;
        }
        Ok(true)
    });
}

/// The third derivative is the Jacobian of the Hessian.
#[test]
fn third_derivatives_times_directions_are_tangents_of_hessians() {
    check_values(100, |case| {
        let Some(subject) = scalar_subject(case)? else { return Ok(true) };
        let wrt = &subject.wrt;
        let entries: usize = wrt.iter().map(|x| real(&case.inputs, x).data.len()).sum();
        if entries > 12 {
            return Ok(true);
        }
        let second = derive(hessian, &subject.ssa, wrt)?;
        let third = derive(jacobian, &second, wrt)?;
        let directions = Directions::new(case).at(&case.inputs, wrt);
        let Ok(wanted) = run(&second, &dual(&case.inputs, wrt, &directions)) else {
            return Ok(false);
        };
        let show = || called(&third, &case.inputs);
        let found = run(&third, &case.inputs).map_err(|e| failure(format!("{e}\n{}", show())))?;
        let blocks = added_results(&third, &second);
        for (at, result) in real_results(&second).iter().enumerate() {
            let wanted = tangents(real(&wanted, result));
            let own = &blocks[at * wrt.len()..][..wrt.len()];
            equal(result, &row(&found, own, &directions, &wanted), &wanted, show)?;
        }
        Ok(true)
    });
}

/// `u · (JᵀJ v) = (J u) · (J v)`
#[test]
fn gauss_newton_products_are_inner_products_of_tangents() {
    check_values(300, |case| {
        let subject = Subject::new(case)?;
        let wrt = &subject.wrt;
        let program = derive(jtjv, &subject.ssa, wrt)?;
        let mut random = Directions::new(case);
        let [u, v] = [0, 1].map(|_| random.at(&case.inputs, wrt));
        let along = |d: &[Dense<Rational>]| {
            let results = run(&subject.ssa, &dual(&case.inputs, wrt, d)).ok()?;
            let names = real_results(&subject.ssa);
            Some(names.iter().map(|y| tangents(real(&results, y))).collect::<Vec<_>>())
        };
        let (Some(ju), Some(jv)) = (along(&u), along(&v)) else { return Ok(false) };
        let inputs = with(&case.inputs, &added_params(&program, &subject.ssa), &v);
        let show = || called(&program, &inputs);
        let found = run(&program, &inputs).map_err(|e| failure(format!("{e}\n{}", show())))?;
        let names = added_results(&program, &subject.ssa);
        let products: Vec<_> = names.iter().map(|x| real(&found, x).clone()).collect();
        let (left, right) = (inner(&u, &products), inner(&ju, &jv));
        if left == right {
            return Ok(true);
        }
        Err(failure(format!("{} and {}\n{}", left.0, right.0, show())))
    });
}

/// The program with an active scalar result first, if it has one and is small.
fn scalar_subject(case: &Case) -> Result<Option<Subject>, TestCaseError> {
    let mut subject = Subject::new(case)?;
    if !is_small(case, &subject.wrt) {
        return Ok(None);
    }
    let is_scalar = |t: &&iverson::spec::ir::TensorId| {
        let row = subject.ssa.symbols.tensor(**t);
        row.shape.is_empty() && row.element == iverson::spec::ir::Element::Real
    };
    let Some(scalar) = subject.ssa.results.iter().find(is_scalar).copied() else {
        return Ok(None);
    };
    subject.ssa.results = vec![scalar];
    Ok(Some(subject))
}

/// The inputs of the gradient of a scalar: the cotangent is 1.
fn one(subject: &Subject, gradient: &TensorSsa, case: &Case) -> Values<Rational> {
    let seed = added_params(gradient, &subject.ssa);
    with(&case.inputs, &seed, &[Dense::scalar(Rational(RBig::ONE))])
}

/// The mode is chosen by shape alone.
#[test]
fn modes_are_chosen_where_shapes_decide() {
    let [n, m] = [0, 1].map(|k| Extent::size(SizeId(k)));
    let [two, three] = [2, 3].map(Extent::constant);
    let cases: [(&[&Extent], &[&Extent], Mode); 9] = [
        (&[], &[&n], Mode::Reverse),
        (&[], &[], Mode::Forward),
        (&[&n], &[], Mode::Forward),
        (&[&n], &[&m], Mode::Forward),
        (&[&n], &[&n, &m], Mode::Reverse),
        (&[&n, &two], &[&n, &three], Mode::Reverse),
        (&[&n, &three], &[&n, &two], Mode::Forward),
        (&[&three], &[&two, &m], Mode::Forward),
        (&[&two], &[&three, &m], Mode::Reverse),
    ];
    for (result, input, wanted) in cases {
        let [result, input] = [result, input].map(|s| s.iter().copied().cloned().collect());
        let (result, input): (Vec<Extent>, Vec<Extent>) = (result, input);
        assert_eq!(mode(&result, &input), wanted, "{result:?} in {input:?}");
    }
}
