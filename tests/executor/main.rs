//! The executor against the interpreter: every example, and generated programs.
//!
//! `IVERSON_CASES` is the number of programs for each law and `IVERSON_SEED` chooses others.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../generate/mod.rs"]
mod generate;

mod adjoints;
mod along;
mod arrays;
mod bodies;
mod borders;
mod columns;
mod compare;
mod covered;
mod distances;
mod entries;
mod examples;
mod found;
mod generated;
mod lanes;
mod limits;
mod local;
mod members;
mod memory;
mod pairs;
mod places;
mod powers;
mod recurrences;
mod scatter;
mod searches;
mod sent;
mod states;
mod stencils;
mod text;
mod threads;
mod tiles;
