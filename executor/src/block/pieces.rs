//! The pieces of a loop that threads share.

use super::{Context, Loop, Machine, Memory, Sharing};
use crate::error::Stop;
use crate::frame::Frame;
use crate::loops::{BufferId, LoopProgram};
use crate::private;
use crate::runner::{Range, Runner, Vars};
use crate::scalar::Scalar;
use crate::team::Team;

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

/// What a piece leaves: its variables if something in them is to be kept, or why it has stopped and its variables then.
pub(super) type Left<S> = Result<Option<Vars<S>>, (Stop, Vars<S>)>;

/// A loop in pieces.
pub(super) struct Pieces<'l, 'c, S> {
    pub(super) inner: &'l Loop,
    pub(super) range: Range,
    /// The iterations of a piece.
    pub(super) piece: i64,
    pub(super) cut: Cut,
    pub(super) sharing: &'l Sharing,
    /// Whether pieces run in lanes.
    pub(super) in_lanes: bool,
    pub(super) program: &'l LoopProgram,
    pub(super) context: Context<'c, S>,
}

impl<S: Scalar> Pieces<'_, '_, S> {
    /// Runs a piece, given the variables before it.
    pub(super) fn run(&self, at: i64, frame: &Frame<S>, before: &Vars<S>) -> Left<S> {
        let (start, end) = (self.end(at, frame), self.end(at + 1, frame));
        if start >= end {
            return Ok(None);
        }
        let Self { inner, sharing, program, context, .. } = *self;
        let mut memory = context.store.take();
        let Memory { scratch, vars: own, locals } = &mut memory;
        let with_locals;
        let frame = if context.team.threads > 1 && !sharing.locals.is_empty() {
            with_locals = frame.with(private::locals(frame, &sharing.locals, locals));
            &with_locals
        } else {
            frame
        };
        own.clone_from(before);
        sharing.begin(own);
        let step = self.range.step;
        let (range, count) = (Range { start, end, step }, (end - start + step - 1) / step);
        // pieces share no loops inside
        let context = Context { team: Team { threads: 1, room: 0, ..context.team }, ..context };
        let runner = Runner { program, frame, vars: own };
        let mut machine = Machine { runner, scratch, context };
        let outcome = machine.sequential(inner, range, count, self.in_lanes);
        let left = match outcome {
            Ok(()) => Ok(sharing.leaves().then(|| memory.vars.clone())),
            Err(stop) => Err((stop, memory.vars.clone())),
        };
        context.store.give(memory);
        left
    }

    /// Keeps what a piece has left, after those before it.
    ///
    /// # Errors
    /// Why the piece has stopped; `vars` are its variables then.
    pub(super) fn keep(
        &self,
        left: Left<S>,
        vars: &mut Vars<S>,
        sizes: &[i64],
    ) -> Result<(), Stop> {
        match left {
            Ok(None) => Ok(()),
            Ok(Some(part)) => {
                self.sharing.join(vars, &part, sizes);
                Ok(())
            }
            Err((stop, own)) => {
                *vars = own;
                Err(stop)
            }
        }
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
