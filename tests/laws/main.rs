//! Laws that hold for every program, checked over random ones.
//!
//! Each law runs over 1000 programs or more; `IVERSON_CASES=20000 cargo test
//! --test laws` runs each over that many, and `IVERSON_SEED=7` chooses others.
//! A failure shows the smallest program found, its inputs and what differs.

#[path = "../generate/mod.rs"]
mod generate;

mod coverage;
mod invariant;
mod meaning;
mod mutation;
mod points;
mod reached;
mod subject;
mod text;
mod values;
mod work;
