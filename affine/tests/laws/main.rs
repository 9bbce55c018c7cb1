//! The laws of the crate, each checked against brute force on small boxes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bounding;
mod cases;
mod common;
mod constraints;
mod elimination;
mod extremes;
mod feasibility;
mod proofs;
mod solving;
