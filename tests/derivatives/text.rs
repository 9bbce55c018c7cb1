//! Derivatives print as programs, which read back as they were.

use crate::generate::{Flavour, Outcome, check_all, failure};
use crate::subject::{Subject, forward, real_params, reverse};
use iverson::pipeline::load;
use iverson::spec::{TensorSsa, render, ssa, unelaborate};

/// Prints, parses, checks, embeds, and prints the same.
pub(crate) fn reads_back(program: &TensorSsa) -> Outcome {
    let text = unelaborate::ssa(program);
    let loaded = load(&text).map_err(|found| {
        failure(format!("{}\n{text}", render::render(&found, "text.iv", &text)))
    })?;
    let typed = loaded.function(None).map_err(|none| failure(none.to_string()))?;
    let embedded = ssa::embed(typed)
        .map_err(|name| failure(format!("`{name}` is not a statement\n{text}")))?;
    let again = unelaborate::ssa(&embedded);
    if text == again {
        return Ok(());
    }
    Err(failure(format!("the text changes\n{text}\nbecomes\n{again}")))
}

#[test]
fn first_derivatives_print_and_read_back() {
    check_all(Flavour::Full, 1000, |case| {
        let subject = Subject::new(case)?;
        reads_back(&subject.jvp()?)?;
        reads_back(&subject.vjp()?)
    });
}

#[test]
fn second_derivatives_print_and_read_back() {
    check_all(Flavour::Full, 1000, |case| {
        let gradient = Subject::new(case)?.vjp()?;
        let wrt = real_params(&gradient);
        reads_back(&forward(&gradient, &wrt)?)?;
        reads_back(&reverse(&gradient, &wrt)?)
    });
}
