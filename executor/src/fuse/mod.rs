//! Fusion: fewer and larger loops, and intermediates in registers (spec chapter 7).
//!
//! 1. [`unroll`]: short loops of constant length become straight lines.
//! 2. [`merge`]: loops that touch the same entries at each step become one; ranges that differ
//!    at their ends are cut ([`split`]).
//! 3. [`share`]: integers and conditions that stand several times in a step are computed once.
//! 4. [`contract`]: buffers that are written and read at one step alone become variables.
//! 5. [`peel`]: a loop is cut where short loops inside it have all their steps; those become straight lines.
//! 6. [`registers`]: an entry that is written several times in a step is stored once.
//!
//! No step does anything more often than before.

mod contract;
mod ends;
mod footprint;
mod fresh;
mod merge;
mod peel;
mod registers;
mod share;
mod split;
mod unroll;

use crate::loops::LoopProgram;

/// The same program with its loops fused.
#[must_use]
pub(crate) fn fuse(mut program: LoopProgram) -> LoopProgram {
    program.body = unroll::unroll(&program.body);
    merge::merge(&mut program);
    share::share(&mut program);
    contract::contract(&mut program);
    peel::peel(&mut program);
    program.body = unroll::unroll(&program.body);
    registers::keep_entries(&mut program);
    program
}
