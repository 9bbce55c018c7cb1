//! The pieces of a loop that threads share.

use super::{Context, Loop, Machine, Memory};
use crate::error::Stop;
use crate::frame::Frame;
use crate::loops::{BufferId, Fold, LoopProgram, RealId};
use crate::private;
use crate::runner::{Range, Runner, Vars};
use crate::scalar::Scalar;
use crate::team::Team;
use std::sync::{Mutex, PoisonError};

/// How a loop is cut into pieces.
#[derive(Clone, Copy)]
pub(super) enum Cut {
    /// Anywhere: its iterations are independent, sums apart.
    Anywhere,
    /// Where an input changes.
    At(BufferId),
    /// Into so many parts, which have copies of the buffers that they add to.
    Parts(i64),
}

/// A loop in pieces.
pub(super) struct Pieces<'l, 'c, S> {
    pub(super) inner: &'l Loop,
    pub(super) range: Range,
    /// The iterations of a piece.
    pub(super) piece: i64,
    pub(super) cut: Cut,
    /// The sums that leave the loop.
    pub(super) sums: &'l [(RealId, Fold)],
    /// Whether pieces run in lanes.
    pub(super) in_lanes: bool,
    pub(super) program: &'l LoopProgram,
    /// The variables before the loop.
    pub(super) outside: &'l Vars<S>,
    pub(super) context: Context<'c, S>,
    /// The first piece that has stopped, why, and its variables then.
    pub(super) failed: Mutex<Option<(i64, Stop, Vars<S>)>>,
}

impl<S: Scalar> Pieces<'_, '_, S> {
    /// Runs a piece; gives its sums, none where there is no step in it.
    pub(super) fn run(&self, at: i64, frame: &Frame<S>) -> Vec<S> {
        let (start, end) = (self.end(at, frame), self.end(at + 1, frame));
        if start >= end {
            return Vec::new();
        }
        let Self { inner, sums, program, context, .. } = *self;
        let mut memory = context.store.take();
        let Memory { scratch, vars: own, locals } = &mut memory;
        let with_locals;
        let frame = match &inner.shared {
            Some(sharing) if context.team.threads > 1 && !sharing.locals.is_empty() => {
                with_locals = frame.with(private::locals(frame, &sharing.locals, locals));
                &with_locals
            }
            Some(_) | None => frame,
        };
        own.clone_from(self.outside);
        for (var, fold) in sums {
            own.reals[var.index()] = S::of(fold.empty());
        }
        let step = self.range.step;
        let (range, count) = (Range { start, end, step }, (end - start + step - 1) / step);
        // pieces share no loops inside
        let context = Context { team: Team { threads: 1, room: 0, ..context.team }, ..context };
        let runner = Runner { program, frame, vars: own };
        let mut machine = Machine { runner, scratch, context };
        if let Err(stop) = machine.sequential(inner, range, count, self.in_lanes) {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            if failed.as_ref().is_none_or(|(earlier, ..)| at < *earlier) {
                *failed = Some((at, stop, memory.vars.clone()));
            }
        }
        let totals = sums.iter().map(|(var, _)| memory.vars.reals[var.index()]).collect();
        context.store.give(memory);
        totals
    }

    /// Where the pieces before one end.
    fn end(&self, at: i64, frame: &Frame<S>) -> i64 {
        let Range { start, end, step } = self.range;
        let place = end.min(start + at * self.piece * step);
        match self.cut {
            Cut::At(key) => frame.next_change(key, [start, place, end]),
            Cut::Anywhere | Cut::Parts(_) => place,
        }
    }
}
