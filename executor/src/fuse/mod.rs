//! Fusion: fewer and larger loops, and intermediates in registers (spec chapter 7).
//!
//! 1. [`needed`]: sides of a diagonal that nothing reads are left out; [`unroll`]: short loops of constant length become straight
//!    lines; [`strides`]: loops over one residue become loops over all steps; [`places`]: what is added in a step's own part of a buffer is added by cases; [`follow`]: recurrences take in
//!    sums over their steps; [`recompute`]: states that others give by factors are computed again; [`steps`]: recurrences are cut where conditions on their step change; [`implied`]: conditions that loops imply are dropped.
//! 2. [`merge`]: loops that touch the same entries at each step become one; ranges that differ
//!    at their ends are cut ([`split`]). Clears that keep passes through a larger buffer apart go in front ([`passes`]).
//! 3. [`share`]: integers and conditions that stand several times in a step are computed once; then both again, since
//!    ranges that were told apart by such integers are the same now.
//! 4. [`contract`]: buffers that are written and read at one step alone become variables, also those that are
//!    accumulated under conditions ([`begin`]).
//! 5. [`recompute`]: large buffers are computed again where they are read, the largest ones before 2 if none of them is kept then.
//!    [`clears`] in front of all loops are tried, and kept if fewer are; [`gather`]: nests are turned where they join others by that.
//! 6. [`dead`]: what nothing reads is left out.
//! 7. [`peel`]: a loop is cut where short loops inside it have all their steps; those become straight lines, and so do the few steps before and after ([`straight`]).
//!    [`starts`]: ranges of rows begin with what is added to them.
//! 8. [`sums`]: sums at one place are kept in a variable during a loop.
//! 9. [`clears`]: a buffer is cleared in loops of its own; [`covered`]: not at all where nothing reads entries that nothing adds to;
//!    [`pieces`]: or where it is added to first, and in those few entries that are not.
//! 10. [`registers`]: an entry that is written several times in a step is stored once.
//! 11. [`local`]: of a large buffer some rows are kept at a time; or, before 8, [`columns`] of those that are kept whole otherwise. Then
//!     recurrences take in loops over their rows ([`taken`]), and are cut where their steps pass a window ([`edges`]).
//! 12. [`carry`], [`rolling`]: recurrences keep their last states, where no others are read; one number in a variable.
//! 13. [`border`]: entries of temporaries whose neighbours are read are kept some at a time.
//! 14. [`memory`]: buffers that are never needed at once share memory.
//!
//! For compiled engines [`for_tiles`] then has recurrences make sums over earlier steps ahead ([`ahead`]) and add to later steps ([`push`]), takes loops apart ([`part`]), turns them inside out ([`turn`]), cuts them ([`peel`]) and has them read
//! transposed copies ([`transpose`]). In native code windows of columns that are whole are apart from the last one ([`full`]), and
//! entries at fixed places are read before loops that read them under conditions ([`fixed`]); nests that go along rows and down columns go by
//! blocks ([`squares`]).
//!
//! No steps but `recompute` and `border` do anything more often than before, and these by a stated constant.

mod ahead;
mod begin;
mod border;
mod carry;
pub(crate) mod clears;
mod column;
mod columns;
mod contract;
mod covered;
mod dead;
mod edges;
mod ends;
pub(crate) mod facts;
mod fixed;
mod follow;
pub(crate) mod footprint;
mod fresh;
mod full;
mod gather;
mod implied;
mod local;
mod memory;
mod merge;
mod needed;
mod part;
mod passes;
mod peel;
mod pieces;
mod places;
mod push;
mod recompute;
mod registers;
mod renamed;
mod rolling;
mod share;
pub(crate) mod sites;
mod slice;
mod split;
mod spread;
mod squares;
mod starts;
mod steps;
mod straight;
mod strides;
mod sums;
mod taken;
mod transpose;
pub(crate) mod tuples;
mod turn;
mod unroll;
mod windowed;

use crate::loops::{BufferId, Element, LoopProgram, Role};
use crate::tile::kept;
use recompute::Copies;
pub(crate) use unroll::Fix;

/// The same program with its loops fused.
#[must_use]
pub(crate) fn fuse(mut program: LoopProgram) -> LoopProgram {
    needed::leave_out(&mut program);
    let mut program = joined(program);
    peel::peel(&mut program);
    program.body = unroll::unroll(&program.body);
    starts::store_first(&mut program);
    let mut whole = finished(program.clone());
    // those that are kept whole otherwise, or with those of which less is kept
    for wanted in [large(&whole), large(&program)] {
        let left = large(&whole);
        if !left.is_empty()
            && let Some(mut windows) = columns::keep_columns(&program, &wanted)
        {
            taken::take_in(&mut windows);
            let mut windows = finished(windows);
            edges::cut_at_windows(&mut windows);
            let now = large(&windows);
            if now.len() < left.len() && now.iter().all(|buffer| left.contains(buffer)) {
                whole = windows;
                break;
            }
        }
    }
    border::keep_neighbours(&mut whole);
    memory::reuse(&mut whole);
    carry::hand_on(&mut whole);
    whole
}

/// The program with sums, entries and rows of its loops kept where they are needed.
fn finished(mut program: LoopProgram) -> LoopProgram {
    sums::keep_sums(&mut program);
    clears::clear_alone(&mut program);
    covered::leave_uncleared(&mut program);
    pieces::clear_in_steps(&mut program);
    registers::keep_entries(&mut program);
    local::keep_rows(&mut program);
    carry::carry(&mut program);
    rolling::keep_last_steps(&mut program);
    sums::keep_sums(&mut program);
    program
}

/// The temporaries of reals that grow along several axes.
fn large(program: &LoopProgram) -> Vec<BufferId> {
    let ids = (0..program.buffers.len()).map(|at| BufferId(at as u32));
    let grows = |id: &BufferId| {
        let buffer = program.buffer(*id);
        let axes = buffer.extents.iter().filter(|e| recompute::degree_of(e) > 0).count();
        buffer.role == Role::Temporary && buffer.element == Element::Real && axes > 1
    };
    ids.filter(grows).collect()
}

/// The program with its loops merged and temporaries computed again; the largest ones before loops are merged, where none of
/// them is kept then.
fn joined(program: LoopProgram) -> LoopProgram {
    let plain = in_one_of_two_ways(program.clone(), &Copies::default());
    let axes = recompute::most_axes(&plain);
    let early = if axes >= EARLY { largest_first(program, axes) } else { None };
    early.unwrap_or(plain)
}

/// Temporaries that grow along so many axes are computed again before loops are merged: sums along one of their axes
/// are stored then, and the temporaries need not be.
const EARLY: usize = 3;

/// The program with temporaries that grow along `axes` axes computed again and then its loops merged, if none of them is kept.
fn largest_first(mut program: LoopProgram, axes: usize) -> Option<LoopProgram> {
    program.body = strides::dense(&unroll::unroll(&program.body));
    merge::merge_statements(&mut program);
    contract::contract(&mut program);
    let copies = recompute::recompute_early(&mut program, axes)?;
    dead::drop_dead(&mut program);
    dead::drop_empty_notes(&mut program);
    let joined = in_one_of_two_ways(program, &copies);
    (recompute::most_axes(&joined) < axes).then_some(joined)
}

/// The program with its loops merged and temporaries computed again, in the one of two ways in which fewer lines are, then fewer
/// temporaries kept: with clears where they stand, or in front of all.
fn in_one_of_two_ways(program: LoopProgram, copies: &Copies) -> LoopProgram {
    let early = clears::clear_first(&program);
    let plain = merged(program, copies.clone());
    match early.filter(|_| plain.1 != (0, 0)).map(|early| merged(early, copies.clone())) {
        Some(early) if early.1 < plain.1 => early.0,
        Some(_) | None => plain.0,
    }
}

/// The program with its loops merged and temporaries computed again, after some `copies`; how many lines are, and how many
/// temporaries are kept.
fn merged(mut program: LoopProgram, mut copies: Copies) -> (LoopProgram, (usize, usize)) {
    program.body = strides::dense(&unroll::unroll(&program.body));
    places::by_cases(&mut program);
    follow::follow(&mut program);
    recompute::recompute_states(&mut program, &mut copies);
    steps::cut(&mut program);
    program.body = implied::drop_implied(&program.body);
    let clears = passes::take_clears(&mut program);
    merge::merge(&mut program);
    program.body.splice(0..0, clears);
    share::share(&mut program);
    merge::merge(&mut program);
    share::share(&mut program);
    begin::clear_at_steps(&mut program);
    contract::contract(&mut program);
    let again = recompute::recompute(&mut program, copies);
    dead::drop_dead(&mut program);
    if again > 0 {
        gather::gather(&mut program);
    }
    let kept = recompute::candidates(&program, &sites::sites(&program.body)).len();
    (program, (again, kept))
}

/// Which loops are turned inside out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turned {
    /// Those of which tiles with rows come.
    Rows,
    /// Those too of which strips alone come.
    Strips,
}

/// The same program with its loops turned and cut, and with transposed copies of buffers, so that more loops are
/// taken in tiles; its loops are taken apart if that gives more. The copies are buffers behind those of the program.
#[must_use]
pub(crate) fn for_tiles(program: &LoopProgram, turned: Turned) -> LoopProgram {
    let shaped = |mut program: LoopProgram| {
        if turned == Turned::Rows {
            ahead::ahead(&mut program);
            push::push(&mut program);
        }
        if turn::turn(&mut program, turned) {
            let mut joined = program.clone();
            merge::merge(&mut joined);
            // a loop that is no tile makes none of what it joins
            if kept(&joined, &joined.body) >= kept(&program, &program.body) {
                program = joined;
            }
            registers::keep_entries(&mut program);
            registers::drop_overwritten(&mut program);
        }
        peel::peel_for_tiles(&mut program);
        transpose::transpose(&mut program);
        let kept = kept(&program, &program.body);
        (program, kept)
    };
    let mut apart = program.clone();
    part::part(&mut apart);
    let whole = shaped(program.clone());
    let taken_apart = (apart.body != program.body).then(|| shaped(apart));
    let best = taken_apart.filter(|apart| apart.1 > whole.1).unwrap_or(whole);
    let mut program = best.0;
    if turned == Turned::Rows {
        full::whole_apart(&mut program);
        let mut before = program.clone();
        if fixed::read_before(&mut before)
            && kept(&before, &before.body) >= kept(&program, &program.body)
        {
            program = before;
        }
    }
    if turned == Turned::Rows {
        squares::in_blocks(&mut program);
    }
    program
}
