//! Laws of derivatives, the traps known of them, and their texts.
//!
//! The laws run over random programs, as in `tests/laws`; `IVERSON_CASES` is the
//! number of programs for each and `IVERSON_SEED` chooses others. They are exact:
//! the scalars are rationals, or intervals that enclose the exact value.

#[path = "../generate/mod.rs"]
mod generate;

mod cost;
mod errors;
mod first;
mod golden;
mod hard;
mod matrices;
mod partials;
mod rounding;
mod second;
mod structured;
mod subject;
mod text;
mod traps;
