//! How the exact work of the pathological families grows, without a clock.
//!
//! A count that grows as stated with power d is, wherever it is a polynomial in the knob,
//! one of degree d: its differences of order d + 1 vanish at equally spaced sizes, and those of
//! order d do not. Where the counts of a program named in [`NOT_POLYNOMIAL`] are none, the
//! doubling of the knob is looked at.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use iverson::interpreter::{Model, work as count};
use iverson::pathological::Member;
use iverson::pathological::random::Rng;
use iverson::slowdown::{Engine, Run, Subject, Way, work};
use std::num::NonZero;

/// Programs whose counts depend on more than the knob: the pixels of a disc.
const NOT_POLYNOMIAL: [&str; 2] = ["image_energy", "image_strain"];

/// Where sizes begin: small ones may be special.
const FIRST: usize = 3;

fn works(subject: &Subject, way: Way, sizes: impl Iterator<Item = usize>) -> Vec<i128> {
    let at = |n| {
        let counted = work(subject, way, &subject.member.point(n, 1));
        counted.unwrap_or_else(|e| panic!("{}: {e}", subject.member.function))
    };
    sizes.map(|n| i128::from(at(n))).collect()
}

/// The degree of the polynomial that has these values at equally spaced sizes; `None` if
/// their number does not show one.
fn degree(values: &[i128]) -> Option<usize> {
    let mut row = values.to_vec();
    for degree in 0..values.len() - 2 {
        let next: Vec<i128> = row.windows(2).map(|pair| pair[1] - pair[0]).collect();
        if next.iter().all(|difference| *difference == 0) {
            return Some(degree);
        }
        row = next;
    }
    None
}

/// What grows otherwise than stated, and how.
fn deviation(subject: &Subject, way: Way) -> Option<String> {
    let Member { function, derivative, work, .. } = subject.member;
    let stated = way.power(work)?;
    let degree = stated as usize;
    assert_eq!(degree as f64, stated, "{function}: a degree is a whole number");
    let small = works(subject, way, FIRST..FIRST + degree + 4);
    let mut found = self::degree(&small).map(|degree| degree as f64);
    if found.is_none() && NOT_POLYNOMIAL.contains(function) {
        let works = works(subject, way, [16, 32].into_iter());
        found = Some((works[1] as f64 / works[0] as f64).log2());
    }
    if found.is_some_and(|found| (found - stated).abs() < 0.15) {
        return None;
    }
    Some(format!(
        "{function}, {derivative:?}, {way}: stated {stated}, found {found:?} of {small:?}"
    ))
}

fn deviations(way: Way) -> Vec<String> {
    let subjects = Subject::all().filter(|(_, member)| way.applies(member));
    subjects.filter_map(|(family, member)| deviation(&Subject::new(family, member), way)).collect()
}

#[track_caller]
fn grows_as_stated(way: Way) {
    let found = deviations(way);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn programs_grow_as_stated() {
    grows_as_stated(Way::Primal);
}

#[test]
fn naive_reverse_mode_grows_as_stated() {
    grows_as_stated(Way::Dense);
}

#[test]
fn accumulation_grows_as_stated() {
    grows_as_stated(Way::Scatter);
}

#[test]
fn indicators_grow_as_stated() {
    grows_as_stated(Way::Indicator);
}

/// Every way to a derivative, on every engine that runs it.
fn derivatives() -> impl Iterator<Item = (Way, Engine)> {
    let own = Way::ALL.into_iter().filter(|way| *way != Way::Primal).map(|way| (way, Engine::Own));
    let threads = [1, 2].into_iter().filter_map(NonZero::new);
    let block = threads.map(|threads| (Way::Indicator, Engine::Block(threads)));
    own.chain(block)
}

#[test]
fn every_way_gives_the_reference() {
    for (family, member) in Subject::all() {
        let subject = Subject::new(family, member);
        for case in member.cases {
            for n in [0, 1, 2, 3, 6] {
                let at = (case.point)(n, &mut Rng::new(n as u64));
                let wanted = (member.reference)(&at);
                for (way, engine) in derivatives().filter(|(way, _)| way.applies(member)) {
                    let what =
                        format!("{}, {}, n = {n}, {way}, {engine:?}", member.function, case.name);
                    let run = Run::new(&subject, way, engine, &at);
                    let mut run = run.unwrap_or_else(|e| panic!("{what}: {e}"));
                    let found = run.derivative(&subject).unwrap();
                    assert!(same(&found, &wanted), "{what}: found\n{found:?}\nwanted\n{wanted:?}");
                }
            }
        }
    }
}

fn same(found: &[Vec<f64>], wanted: &[Vec<f64>]) -> bool {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
    let near = |(a, b): (&Vec<f64>, &Vec<f64>)| a.len() == b.len() && a.iter().zip(b).all(close);
    found.len() == wanted.len() && found.iter().zip(wanted).all(near)
}

/// The enumeration that counts at large sizes counts what the interpreter counts.
#[test]
fn counts_are_those_of_the_interpreter() {
    for (family, member) in Subject::all() {
        let subject = Subject::new(family, member);
        let at = member.point(5, 1);
        let inputs = subject.arguments(Way::Indicator, &at);
        let indicator = count(&subject.compact, &inputs).unwrap().work(Model::Sparse);
        assert_eq!(work(&subject, Way::Indicator, &at).unwrap(), indicator, "{}", member.function);
        let primal = count(&subject.program, &at.inputs).unwrap().work(Model::Sparse);
        assert_eq!(work(&subject, Way::Primal, &at).unwrap(), primal, "{}", member.function);
        let inputs = subject.arguments(Way::DenseIndicator, &at);
        let control = count(&subject.derived, &inputs).unwrap().work(Model::Dense);
        assert_eq!(work(&subject, Way::DenseIndicator, &at).unwrap(), control);
    }
}

/// A derivative that is stated to grow as its program does costs a constant times it.
#[test]
fn indicators_cost_a_constant_times_the_program() {
    let alike = |member: &Member| member.work.indicator == member.work.primal;
    for (family, member) in Subject::all().filter(|(_, member)| alike(member)) {
        let subject = Subject::new(family, member);
        let ratio = |n| {
            let works = |way| works(&subject, way, std::iter::once(n))[0] as f64;
            works(Way::Indicator) / works(Way::Primal)
        };
        let (small, large) = (ratio(8), ratio(32));
        assert!(large <= 1.3 * small, "{}: {small:.2}, then {large:.2}", member.function);
    }
}
