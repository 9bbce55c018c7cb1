//! Laws of the simplifier.
//!
//! They run over random programs and their derivatives, as in `tests/laws`;
//! `IVERSON_CASES` is the number of programs for each, `IVERSON_SEED` chooses others.

#[path = "../generate/mod.rs"]
mod generate;
#[allow(dead_code, reason = "the tests of derivatives use more of it")]
#[path = "../derivatives/subject.rs"]
mod subject;

mod laws;
mod rules;
