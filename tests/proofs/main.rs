//! The Rust code against the code extracted from the proofs (`spec/proofs`).
//!
//! Random programs of the calculus are evaluated by both: values, the counted work, and
//! derivatives, statement by statement and exactly, in rationals. The extracted
//! interpreter and adjoint are the ones that the theorems are about, so this ties the
//! theorems to `interpreter` and `ad`. `spec/proofs/MAP.md` says which function
//! answers to which definition.
//!
//! `IVERSON_CASES` is the number of programs and `IVERSON_SEED` chooses others.
//! Without Coq and OCaml the comparison is skipped, which is printed.

#[path = "../generate/mod.rs"]
mod generate;
#[path = "../derivatives/subject.rs"]
#[allow(dead_code, reason = "it serves the laws of derivatives too")]
mod subject;

mod compare;
mod export;
mod extracted;
mod rules;
mod subjects;
