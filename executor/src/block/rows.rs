//! Loops in tiles: several iterations, the *rows*, go through contractions together (`tile/mod.rs`).
//!
//! Each row has variables and blocks of its own. Sums that leave the loop go from row to row, in the order of the loop.

use super::build::vector;
use super::contraction::contract;
use super::lanes::Block;
use super::ops::{Contraction, Nest, Op, VectorLoop};
use super::{Around, Context, Machine, Memory, Step, Vectors, steps};
use crate::error::Stop;
use crate::frame::Frame;
use crate::fuse::tuples::Tuples;
use crate::loops::{For, IntId, LoopProgram, Node, RealId};
use crate::native::Variable;
use crate::runner::{Range, Runner};
use crate::scalar::Scalar;
use crate::tile::{self, Item, mentions_any, sums};
use std::sync::atomic::Ordering;

/// How many rows go together at most: each line that a contraction reads serves all of them.
pub(super) const ROWS: usize = 64;

/// A loop whose iterations go through contractions together.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    var: IntId,
    items: Vec<RowItem>,
    /// The sums that leave the loop.
    sums: Vec<RealId>,
}

#[derive(Clone, Debug)]
enum RowItem {
    /// Row by row.
    Steps(Vec<Step>),
    /// All rows together.
    Strip(Box<Strip>),
}

#[derive(Clone, Debug)]
struct Strip {
    source: For,
    vector: VectorLoop,
    /// The same loop row by row, for where it has few steps.
    alone: Vec<Step>,
}

impl Rows {
    /// The rows of a loop, if contractions stand in it that read the same lines in each of its steps.
    pub(super) fn of(program: &LoopProgram, header: &For, tuples: &Tuples) -> Option<Self> {
        let rows = tile::rows(program, header)?;
        let mut changing = vec![header.var];
        changing.extend(rows.own.iter().filter_map(|variable| match variable {
            Variable::Int(var) => Some(*var),
            Variable::Real(_) => None,
        }));
        let strip = |source: &For| {
            let vector = vector(source, tuples)?;
            is_for_rows(&vector, &changing).then_some(vector)
        };
        let item = |item: Item| match item {
            Item::Nodes(nodes) => RowItem::Steps(steps(program, &nodes, tuples, Around::Shared)),
            Item::Strip(tile) => {
                let source = tile.header;
                let alone = [Node::For(Box::new(source.clone()))];
                let alone = steps(program, &alone, tuples, Around::Shared);
                match strip(&source) {
                    Some(vector) => RowItem::Strip(Box::new(Strip { source, vector, alone })),
                    None => RowItem::Steps(alone),
                }
            }
        };
        let items: Vec<RowItem> = rows.items.into_iter().map(item).collect();
        let sums = sums(header).unwrap_or_default().into_iter().map(|(var, _)| var).collect();
        let any = items.iter().any(|item| matches!(item, RowItem::Strip(_)));
        any.then_some(Self { var: header.var, items, sums })
    }

    /// How many contractions all rows go through together.
    pub(super) fn count(&self) -> usize {
        let one = |item: &RowItem| match item {
            RowItem::Steps(_) => 0,
            RowItem::Strip(strip) => strip.vector.contractions().count(),
        };
        self.items.iter().map(one).sum()
    }
}

/// Whether all loops of a strip are contractions whose lines do not depend on the row.
fn is_for_rows(vector: &VectorLoop, changing: &[IntId]) -> bool {
    fn still(nest: &Nest, changing: &[IntId]) -> bool {
        match nest {
            Nest::Loop(_, body) => body.iter().all(|nest| still(nest, changing)),
            Nest::Leaves(leaves) => {
                leaves.iter().all(|leaf| !mentions_any(&leaf.line.indices, changing))
            }
        }
    }
    let mut some = false;
    let all = vector.contractions().all(|Contraction { nest, .. }| {
        some = true;
        still(nest, changing)
    });
    some && all && !vector.loops
}

impl<S: Scalar> Machine<'_, '_, S> {
    /// Runs a loop, or a piece of one, in rows.
    pub(super) fn rows(&mut self, rows: &Rows, range: Range, count: i64) -> Result<(), Stop> {
        let Runner { program, frame, vars } = &mut self.runner;
        let (program, frame, context) = (*program, *frame, self.context);
        let most = count.min(ROWS as i64) as usize;
        let mut memories: Vec<Memory<S>> = (0..most).map(|_| context.store.take()).collect();
        memories.iter_mut().for_each(|memory| memory.vars.clone_from(vars));
        let totals: Vec<S> = rows.sums.iter().map(|var| vars.reals[var.index()]).collect();
        let mut tile = Tile { rows, program, frame, context, totals };
        let mut values = range.start..range.end;
        let mut outcome = Ok(());
        while !values.is_empty() && outcome.is_ok() {
            let step = range.step;
            let here = memories.iter_mut().zip(values.clone().step_by(step as usize));
            let here = here.map(|(memory, value)| {
                memory.vars.ints[rows.var.index()] = value;
                memory
            });
            let mut here: Vec<&mut Memory<S>> = here.collect();
            values.start += here.len() as i64 * step;
            outcome = tile.run(&mut here);
            if outcome.is_err()
                && let Some(first) = here.first()
            {
                vars.clone_from(&first.vars);
            }
        }
        for (var, total) in rows.sums.iter().zip(tile.totals) {
            vars.reals[var.index()] = total;
        }
        memories.into_iter().for_each(|memory| context.store.give(memory));
        outcome
    }
}

/// Rows that go together.
struct Tile<'t, S> {
    rows: &'t Rows,
    program: &'t LoopProgram,
    frame: &'t Frame<S>,
    context: Context<'t, S>,
    /// The sums that leave the loop.
    totals: Vec<S>,
}

impl<S: Scalar> Tile<'_, S> {
    fn run(&mut self, rows: &mut [&mut Memory<S>]) -> Result<(), Stop> {
        if self.context.cancelled.load(Ordering::Relaxed) {
            return Err(Stop::Cancelled);
        }
        let items = &self.rows.items;
        items.iter().try_for_each(|item| match item {
            RowItem::Steps(steps) => self.row_by_row(rows, steps),
            RowItem::Strip(strip) => self.strip(rows, strip),
        })
    }

    fn row_by_row(&mut self, rows: &mut [&mut Memory<S>], steps: &[Step]) -> Result<(), Stop> {
        let Self { program, frame, context, .. } = *self;
        rows.iter_mut().try_for_each(|row| {
            self.enter(row);
            let Memory { scratch, vars, locals: _ } = &mut **row;
            let runner = Runner { program, frame, vars };
            Machine { runner, scratch, context }.steps(steps)?;
            self.leave(row);
            Ok(())
        })
    }

    fn strip(&mut self, rows: &mut [&mut Memory<S>], strip: &Strip) -> Result<(), Stop> {
        let Self { program, frame, context, .. } = *self;
        let Strip { source, vector, alone } = strip;
        let Some(first) = rows.first_mut() else { return Ok(()) };
        let range = Runner { program, frame, vars: &mut first.vars }.range(source)?;
        if range.end.saturating_sub(range.start) < context.vectors.few {
            return self.row_by_row(rows, alone);
        }
        together(rows, vector, range, (program, frame, context.vectors))?;
        for row in rows {
            self.enter(row);
            row.scratch.join_totals(vector, &mut row.vars);
            self.leave(row);
        }
        Ok(())
    }

    /// Gives a row the sums.
    fn enter(&self, row: &mut Memory<S>) {
        for (var, total) in self.rows.sums.iter().zip(&self.totals) {
            row.vars.reals[var.index()] = *total;
        }
    }

    /// Takes the sums from a row.
    fn leave(&mut self, row: &Memory<S>) {
        for (var, total) in self.rows.sums.iter().zip(&mut self.totals) {
            *total = row.vars.reals[var.index()];
        }
    }
}

/// Runs a strip in all rows, block after block; each contraction in all of them at once.
fn together<S: Scalar>(
    rows: &mut [&mut Memory<S>],
    vector: &VectorLoop,
    range: Range,
    (program, frame, vectors): (&LoopProgram, &Frame<S>, Vectors),
) -> Result<(), Stop> {
    let count = (range.end - range.start) as usize;
    let parts = rows.iter_mut().map(|row| {
        let Memory { scratch, vars, locals: _ } = &mut **row;
        (Runner { program, frame, vars }, scratch)
    });
    let mut parts: Vec<_> = parts.collect();
    let level = vectors.level;
    let blocks = parts.iter_mut().map(|(runner, scratch)| {
        scratch.fit(vector);
        Block { scratch, runner, level, first: 0, depth: 0, range }
    });
    let mut blocks: Vec<Block<'_, '_, S>> = blocks.collect();
    blocks.iter_mut().try_for_each(|block| block.look_up(&vector.scope, [0, count - 1]))?;
    let most = vectors.lanes();
    for first in (0..count).step_by(most) {
        blocks.iter_mut().for_each(|block| block.begin(first, most.min(count - first)));
        for ops in vector.scope.ops.split_inclusive(|op| matches!(op, Op::Contract(_))) {
            let (own, contraction) = match ops.split_last() {
                Some((Op::Contract(contraction), own)) => (own, Some(contraction)),
                Some(_) | None => (ops, None),
            };
            blocks.iter_mut().try_for_each(|block| block.ops(own))?;
            contraction.map_or(Ok(()), |contraction| contract(&mut blocks, contraction))?;
        }
    }
    Ok(())
}
