//! Laws of strategies: three ways to one gradient, and what each costs.
//!
//! The laws run over random programs, as in `tests/laws`; values are exact.

#[path = "../generate/mod.rs"]
mod generate;
#[path = "../derivatives/subject.rs"]
#[allow(dead_code, reason = "tests of derivatives use the rest")]
mod subject;

mod agree;
mod calls;
mod exact;
mod examples;
mod growth;
