//! Running a contraction: factors and lines as lists, which a kernel goes through.

use super::lanes::{Block, Walk};
use super::ops::{Contraction, Factor, Leaf, Nest, Track};
use super::products::{Products, TOGETHER, add_products};
use crate::error::Stop;
use crate::frame::Frame;
use crate::loops::Order;
use crate::runner::{Range, Runner};
use crate::scalar::Scalar;

/// So many lines go through the kernel at a time: a vector of each, and the factors of a tile of rows, stay in the nearest cache.
const LINES: usize = 256;

/// Runs a contraction in one or several rows, whose lanes and lines are the same.
///
/// # Errors
/// As [`Runner::nodes`].
pub(super) fn contract<S: Scalar>(
    rows: &mut [Block<'_, '_, S>],
    contraction: &Contraction,
) -> Result<(), Stop> {
    let frame = rows[0].frame();
    let groups = rows.len().div_ceil(TOGETHER);
    let list = |_| List { factors: vec![Vec::new(); groups], lines: Vec::new() };
    let lists = contraction.sums.iter().map(list).collect();
    let stride = if rows.len() > 1 { TOGETHER } else { 1 };
    let mut run = Run { frame, rows, contraction, lists, stride, column: Vec::new() };
    run.nest(&contraction.nest)?;
    run.flush();
    Ok(())
}

/// What is added to one of the sums next.
struct List<'f, S> {
    /// For each [`TOGETHER`] rows, those of each line.
    factors: Vec<Vec<S>>,
    lines: Vec<&'f [S]>,
}

struct Run<'c, 'b, 'r, 'f, S> {
    frame: &'f Frame<S>,
    rows: &'c mut [Block<'b, 'r, S>],
    contraction: &'c Contraction,
    /// By sum.
    lists: Vec<List<'f, S>>,
    /// How many factors stand in a list for each line.
    stride: usize,
    /// The factors of a row.
    column: Vec<S>,
}

/// The steps of the innermost loop that are done at once, and where leaves stand in the lists then.
#[derive(Clone, Copy)]
struct Steps {
    range: Range,
    count: usize,
    /// The first place, and how far the places of two steps are apart.
    first: usize,
    apart: usize,
}

impl<S: Scalar> Run<'_, '_, '_, '_, S> {
    fn nest(&mut self, nest: &Nest) -> Result<(), Stop> {
        let (header, body) = match nest {
            Nest::Leaves(leaves) => {
                return self.leaves(leaves, None, Range { start: 0, end: 1, step: 1 });
            }
            Nest::Loop(header, body) => (header, body),
        };
        let range = self.rows[0].runner.range(header)?;
        debug_assert_ne!(header.order, Order::Descending, "such a loop is no contraction");
        let var = header.var.index();
        if let [Nest::Leaves(leaves)] = body.as_slice() {
            return self.leaves(leaves, Some(var), range);
        }
        let mut at = range.start;
        while at < range.end {
            self.rows.iter_mut().for_each(|row| row.runner.vars.ints[var] = at);
            body.iter().try_for_each(|nest| self.nest(nest))?;
            at += range.step;
        }
        Ok(())
    }

    /// Puts the leaves of the steps of a loop into the lists.
    fn leaves(&mut self, leaves: &[Leaf], var: Option<usize>, range: Range) -> Result<(), Stop> {
        let most = (LINES / leaves.len()).max(1) as i64;
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start.saturating_add(most * range.step));
            self.some(leaves, var, Range { start, end, step: range.step })?;
            start = end;
            if self.lists.iter().any(|list| list.lines.len() >= LINES) {
                self.flush();
            }
        }
        Ok(())
    }

    fn some(&mut self, leaves: &[Leaf], var: Option<usize>, range: Range) -> Result<(), Stop> {
        let count = ((range.end - range.start + range.step - 1) / range.step) as usize;
        let lengths: Vec<usize> = self.lists.iter().map(|list| list.lines.len()).collect();
        for (at, leaf) in leaves.iter().enumerate() {
            // the factors of the leaf before have moved it
            if let Some(var) = var {
                self.rows.iter_mut().for_each(|row| row.runner.vars.ints[var] = range.start);
            }
            let same = |other: &&Leaf| other.sum == leaf.sum;
            let before = leaves[..at].iter().filter(same).count();
            let apart = leaves.iter().filter(same).count();
            let steps = Steps { range, count, first: lengths[leaf.sum] + before, apart };
            let all = lengths[leaf.sum] + apart * count;
            let list = &mut self.lists[leaf.sum];
            list.lines.resize(all, &[]);
            for factors in &mut list.factors {
                factors.resize(all * self.stride, S::default());
            }
            self.lines(leaf, steps)?;
            self.factors(leaf, var, steps)?;
        }
        Ok(())
    }

    fn lines(&mut self, leaf: &Leaf, steps: Steps) -> Result<(), Stop> {
        let row = &self.rows[0];
        let lanes = row.lanes();
        let lane = row.range.start + row.first as i64;
        let ends = [lane, lane + lanes as i64 - 1];
        let walk = track(&leaf.line, steps, ends, row.runner)?;
        let places = self.lists[leaf.sum].lines[steps.first..].iter_mut().step_by(steps.apart);
        let mut start = walk.start;
        for line in places.take(steps.count) {
            *line = self.frame.reals(walk.buffer, start as usize, lanes);
            start += walk.step;
        }
        Ok(())
    }

    fn factors(&mut self, leaf: &Leaf, var: Option<usize>, steps: Steps) -> Result<(), Stop> {
        let (stride, apart) = (self.stride, steps.apart * self.stride);
        self.column.resize(steps.count, S::default());
        for (at, row) in self.rows.iter_mut().enumerate() {
            match &leaf.factor {
                Factor::One => self.column.fill(S::of(1.0)),
                Factor::Entry(by, entry) => {
                    let walk = track(entry, steps, [0, 0], row.runner)?;
                    self.frame.strided_reals(walk.buffer, walk.start, walk.step, &mut self.column);
                    if *by != 1.0 {
                        let by = S::of(*by);
                        self.column.iter_mut().for_each(|factor| *factor = by.mul(*factor));
                    }
                }
                Factor::Value(e) => {
                    let mut value = steps.range.start;
                    for factor in &mut self.column {
                        if let Some(var) = var {
                            row.runner.vars.ints[var] = value;
                        }
                        *factor = row.runner.real(e)?;
                        value += steps.range.step;
                    }
                }
            }
            let factors = &mut self.lists[leaf.sum].factors[at / TOGETHER];
            let factors = &mut factors[steps.first * stride + at % TOGETHER..];
            let places = factors.iter_mut().step_by(apart);
            places.zip(&self.column).for_each(|(place, factor)| *place = *factor);
        }
        Ok(())
    }

    /// Adds what is in the lists.
    fn flush(&mut self) {
        let (level, lanes) = (self.rows[0].level, self.rows[0].lanes());
        for (list, sum) in self.lists.iter_mut().zip(&self.contraction.sums) {
            let take = |row: &mut Block<'_, '_, S>| std::mem::take(&mut row.scratch.reals[*sum]);
            let mut acc: Vec<Vec<S>> = self.rows.iter_mut().map(take).collect();
            let products =
                Products { factors: &list.factors, stride: self.stride, lines: &list.lines };
            add_products(level, &mut acc, lanes, products);
            for (row, acc) in self.rows.iter_mut().zip(acc) {
                row.scratch.reals[*sum] = acc;
            }
            list.factors.iter_mut().for_each(Vec::clear);
            list.lines.clear();
        }
    }
}

/// Where an entry lies at the steps of a loop; the last index has the values between `ends` besides.
fn track<S: Scalar>(
    track: &Track,
    steps: Steps,
    ends: [i64; 2],
    runner: &Runner<'_, S>,
) -> Result<Walk, Stop> {
    let (mut start, mut step) = (0i64, 0i64);
    let Steps { range, count, .. } = steps;
    let last = track.indices.len().saturating_sub(1);
    let extents = runner.frame.extents(track.buffer);
    for (axis, ((e, by), extent)) in track.indices.iter().zip(&track.steps).zip(extents).enumerate()
    {
        // the loop's variable has its first value
        let first = runner.int(e)?;
        let stride = by * range.step;
        let moved = [first, first + stride * (count as i64 - 1)];
        let [from, to] = if axis == last { ends } else { [0, 0] };
        let low = moved[0].min(moved[1]) + from;
        let high = moved[0].max(moved[1]) + to;
        assert!(
            (0..*extent).contains(&low) && (0..*extent).contains(&high),
            "`{}` is read at {low}..{high}, beyond {extent}: loops keep indices in bounds (invariant 4)",
            runner.program.buffer(track.buffer).name
        );
        start = start * extent + first + from;
        step = step * extent + stride;
    }
    Ok(Walk { buffer: track.buffer, start, step })
}
