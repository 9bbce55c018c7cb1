//! Random programs with inputs: well typed and in bounds by construction.
//!
//! A program is built from a list of numbers, each of which decides one choice
//! ([`choices`]). The text is made directly, so that the parser and the checker
//! are tested too. Shrinking the numbers shrinks the program.
//!
//! * [`builder`]: what is known while a program is built
//! * [`index`], [`guards`], [`reals`], [`reductions`], [`calls`]: expressions
//! * [`statements`], [`recurrences`], [`idioms`], [`program`]: definitions and whole functions
//! * [`inputs`]: sizes and data
//! * [`mutate`]: programs with a guard left out
//! * [`run`]: a law over many programs
//! * [`coverage`]: which constructs were met, so that none is silently missing

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod builder;
mod calls;
mod choices;
pub(crate) mod coverage;
mod extent;
mod guards;
mod idioms;
mod index;
mod inputs;
pub(crate) mod mutate;
pub(crate) mod program;
mod reals;
mod recurrences;
mod reductions;
pub(crate) mod run;
mod statements;

pub(crate) use builder::Flavour;
pub(crate) use program::Case;
#[allow(unused_imports, reason = "each test file uses a part of it")]
pub(crate) use run::{Outcome, check_all, failure};
