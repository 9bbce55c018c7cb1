//! Laws of the simplifier.
//!
//! [`laws`] checks over random programs and their derivatives that simplifying keeps
//! the meaning, costs nothing, prints, and is done at once; [`golden`] shows what
//! becomes of known derivatives; [`rules`] has a case for each rule and for each side
//! condition; [`speed`] measures.

#[path = "../generate/mod.rs"]
mod generate;
#[path = "../laws/subject.rs"]
mod subject;

mod golden;
mod laws;
mod programs;
mod rules;
mod speed;
