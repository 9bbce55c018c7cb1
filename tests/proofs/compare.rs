//! What has to agree.

use crate::extracted::{Answer, Piece, ask, build};
use crate::generate::coverage::{CONSTRUCTS, Coverage};
use crate::generate::run::count;
use crate::subjects::{Side, Subjects, subjects};
use iverson::interpreter::{Count, Model};
use iverson::spec::ir::TensorId;
use iverson::spec::unelaborate;
use std::collections::HashMap;
use std::fmt::Debug;

/// The constructs that the calculus has not.
const OUTSIDE: [&str; 3] =
    ["function with a derivative", "prod", "reduction of a set that may be empty"];

/// How often each comparison was made, so that none is silently missing.
#[derive(Default, Debug)]
struct Made {
    values: usize,
    works: usize,
    cotangents: usize,
    contributions: usize,
    results: usize,
}

#[test]
fn rust_and_the_extracted_code_agree() {
    let Some(program) = build() else { return };
    let wanted = count(1000) as usize;
    let (all, outside) = subjects(wanted);
    let questions: Vec<String> = all.iter().flat_map(Subjects::questions).collect();
    let answers = ask(&program, &questions);
    let mut made = Made::default();
    let mut wrong: Vec<(usize, String)> = Vec::new();
    for (subjects, answers) in all.iter().zip(answers.chunks(3)) {
        if let Err(difference) = agree(subjects, answers, &mut made) {
            let text = unelaborate::ssa(&subjects.adjoint.program);
            wrong.push((text.len(), format!("{difference}\n{:?}\n{text}", subjects.case)));
        }
    }
    println!("{} programs: {made:?}\nnot of the calculus: {outside:?}", all.len());
    wrong.sort();
    let shortest = wrong.first().map_or("", |(_, text)| text);
    assert!(
        wrong.is_empty(),
        "{} of {} programs differ; the shortest:\n{shortest}",
        wrong.len(),
        all.len()
    );
    let mut coverage = Coverage::default();
    all.iter().for_each(|subjects| coverage.add(&subjects.case.constructs));
    let rare: Vec<_> =
        coverage.rare(CONSTRUCTS, 200).into_iter().filter(|(c, _)| !OUTSIDE.contains(c)).collect();
    assert!(rare.is_empty(), "in less than half a percent of the programs: {rare:?}");
    let least = [made.values, made.works, made.cotangents, made.contributions, made.results];
    assert!(least.iter().all(|n| *n >= wanted), "too little was compared: {made:?}");
}

type Outcome = Result<(), String>;

fn equal<T: PartialEq + Debug>(what: &str, rust: T, extracted: T) -> Outcome {
    if rust == extracted {
        return Ok(());
    }
    Err(format!("{what}: Rust has {rust:?}, the extracted code {extracted:?}"))
}

fn agree(subjects: &Subjects, answers: &[Answer], made: &mut Made) -> Outcome {
    let [primal, adjoint, simplified] = answers else {
        unreachable!("there are three questions for each program")
    };
    evaluation(&subjects.primal, primal, made)?;
    evaluation(&subjects.adjoint, adjoint, made)?;
    derivative(subjects, primal, adjoint, made)?;
    let within =
        |text| format!("{text}\nsimplified:\n{}", unelaborate::ssa(&subjects.simplified.program));
    evaluation(&subjects.simplified, simplified, made).map_err(within)?;
    results(subjects, adjoint, simplified, made).map_err(within)
}

/// The simplified adjoint has the results of the adjoint, by the extracted interpreter.
fn results(subjects: &Subjects, adjoint: &Answer, simplified: &Answer, made: &mut Made) -> Outcome {
    let programs = [&subjects.adjoint.program, &subjects.simplified.program];
    let [wanted, found] = programs.map(|program| program.results.as_slice());
    for (before, after) in wanted.iter().zip(found) {
        let name = &programs[0].symbols.tensor(*before).name;
        equal(name, adjoint.entries(before.0), simplified.entries(after.0))?;
        made.results += 1;
    }
    Ok(())
}

/// Every definition has the same entries, and costs the same.
fn evaluation(side: &Side, answer: &Answer, made: &mut Made) -> Outcome {
    if let Some(failed) = &answer.failed {
        return Err(format!("the extracted code failed: {failed}"));
    }
    let (_, report) = side.evaluated()?;
    let symbols = &side.program.symbols;
    for (tensor, work) in side.defined().into_iter().zip(&report.statements) {
        let name = &symbols.tensor(tensor).name;
        equal(name, side.entries(tensor)?.as_slice(), answer.entries(tensor.0))?;
        let Count { points, tests, accesses, .. } = work.count(Model::Sparse);
        let counted = answer.work.get(&tensor.0).copied().unwrap_or_default();
        equal(&format!("points, tests, accesses of {name}"), [points, tests, accesses], counted)?;
        made.values += 1;
        made.works += 1;
    }
    Ok(())
}

/// The cotangents of Rust's adjoint are those of the extracted adjoint, and so is what each
/// term contributes to them.
fn derivative(subjects: &Subjects, primal: &Answer, adjoint: &Answer, made: &mut Made) -> Outcome {
    let bars = subjects.bars();
    for (tensor, bar) in &bars {
        let name = &subjects.adjoint.program.symbols.tensor(*bar).name;
        equal(name, &subjects.adjoint.entries(*bar)?, &primal.cotangents[&tensor.0])?;
        made.cotangents += 1;
        made.contributions += contributions(subjects, &bars, *tensor, primal, adjoint)?;
    }
    Ok(())
}

/// Compares the terms of a cotangent's statement one by one, if each partial derivative is
/// one term in Rust: a kink or a repeated access makes it several, or none. Terms of no
/// points say nothing (a recurrence without steps has none).
fn contributions(
    subjects: &Subjects,
    bars: &HashMap<TensorId, TensorId>,
    tensor: TensorId,
    primal: &Answer,
    adjoint: &Answer,
) -> Result<usize, String> {
    let results = &subjects.primal.program.results;
    let live = |from: u32| bars.contains_key(&TensorId(from)) || results.contains(&TensorId(from));
    let picks = primal.picks.get(&tensor.0).into_iter().flatten();
    let picks: Vec<&(u32, Piece)> = picks.filter(|(from, _)| live(*from)).collect();
    if !subjects.primal.is_plain(picks.iter().map(|(from, _)| TensorId(*from))) {
        return Ok(0);
    }
    let seeds = usize::from(results.contains(&tensor));
    let terms = adjoint.terms.get(&bars[&tensor].0).into_iter().flatten();
    let terms: Vec<&Piece> = terms.skip(seeds).filter(|term| term.points > 0).collect();
    let picks: Vec<&Piece> = picks.into_iter().map(|(_, p)| p).filter(|p| p.points > 0).collect();
    let name = &subjects.adjoint.program.symbols.tensor(bars[&tensor]).name;
    equal(&format!("number of terms of {name}"), terms.len(), picks.len())?;
    for (at, (term, pick)) in terms.iter().zip(&picks).enumerate() {
        equal(&format!("term {at} of {name}"), term, pick)?;
    }
    Ok(terms.len())
}
