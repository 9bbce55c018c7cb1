//! Printing and parsing are inverse to each other, at every stage.

use crate::generate::{Flavour, Outcome, check_all, failure};
use crate::subject::{Subject, reread};
use iverson::spec::{normalize, parse, print, ssa, unelaborate};

fn same(what: &str, a: &str, b: &str) -> Outcome {
    if a == b {
        return Ok(());
    }
    let differs = a.lines().zip(b.lines()).find(|(a, b)| a != b);
    Err(failure(format!("{what}; the first line that differs is {differs:#?}\n{a}\nbecomes\n{b}")))
}

/// A tree without its places.
fn shape(module: &impl std::fmt::Debug) -> String {
    let text = format!("{module:?}");
    let mut parts = text.split("span: Span {");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once('}').map_or("", |(_, rest)| rest))
}

#[test]
fn a_tree_prints_and_reads_back() {
    check_all(Flavour::Full, 1000, |case| {
        let module = Subject::new(case)?.module;
        let text = print::module(&module);
        let read = parse(&text).map_err(|found| failure(format!("{text}\n{found:#?}")))?;
        same("the tree changes", &shape(&module), &shape(&read))?;
        same("the text of the tree changes", &text, &print::module(&read))
    });
}

#[test]
fn a_typed_program_prints_and_reads_back() {
    check_all(Flavour::Full, 1000, |case| {
        let text = unelaborate::typed(&Subject::new(case)?.typed);
        same("the typed text changes", &text, &unelaborate::typed(&reread(&text)?))
    });
}

#[test]
fn tensor_ssa_prints_and_reads_back() {
    check_all(Flavour::Full, 1000, |case| {
        let text = unelaborate::ssa(&Subject::new(case)?.ssa());
        let read = reread(&text)?;
        let embedded = ssa::embed(&read)
            .map_err(|name| failure(format!("`{name}` is not a statement\n{text}")))?;
        same("the text of Tensor SSA changes", &text, &unelaborate::ssa(&embedded))
    });
}

#[test]
fn a_normal_form_is_its_own_normal_form() {
    check_all(Flavour::Full, 1000, |case| {
        let text = unelaborate::ssa(&Subject::new(case)?.ssa());
        let again = unelaborate::ssa(&normalize(&reread(&text)?));
        same("the normal form changes", &text, &again)
    });
}
