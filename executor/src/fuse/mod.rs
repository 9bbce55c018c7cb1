//! Fusion: fewer and larger loops, and intermediates in registers (spec chapter 7).
//!
//! 1. [`unroll`]: short loops of constant length become straight lines.
//! 2. [`merge`]: loops of one header that touch the same entries at each step become one.
//! 3. [`contract`]: buffers that are written and read at one step alone become variables.
//!
//! No step does anything more often than before.

mod contract;
mod merge;
mod unroll;

use crate::loops::LoopProgram;

/// The same program with its loops fused.
#[must_use]
pub(crate) fn fuse(mut program: LoopProgram) -> LoopProgram {
    program.body = unroll::unroll(&program.body);
    program.body = merge::merge(std::mem::take(&mut program.body));
    contract::contract(&mut program);
    program
}
