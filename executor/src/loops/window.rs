//! Loops that run over the rows of one step of a loop around: windows of a range.
//!
//! In `for any w in 0 .. n where 0 of 32 { for any v in w .. min(w + 32, n) { .. } }` each `v` belongs to one `w`. A
//! [`Role::Local`] buffer keeps the rows of one window: entry `v` of the whole is entry `v - w` of it. With `c` rows before
//! the window, those of `for v in w - c .. w`, it is entry `v - w + c`; with a loop `a` of constant length inside, `v + a - w + c`.

use super::walk::{Visit, walk_node};
use super::{BufferId, For, Int, IntId, LoopProgram, Node, Role};
use rustc_hash::FxHashMap;

/// The variables of the loops inside a loop with a stride that run over a part of its window: each of their values
/// is met in one step of the loop.
#[must_use]
pub(crate) fn windows(header: &For) -> Vec<IntId> {
    let Some((modulus, _)) = header.stride else { return Vec::new() };
    let own = |row: &&Rows| row.from >= 0 && row.to <= modulus;
    ranges(header).iter().filter(own).map(|row| row.var).collect()
}

/// A loop over rows in and around a window that begins at `w`: from `w + from` on, or later, below `w + to`, or earlier.
struct Rows {
    var: IntId,
    from: i64,
    to: i64,
}

/// The loops inside a loop over windows that run over rows at constants from its variable.
fn ranges(header: &For) -> Vec<Rows> {
    let mut ranges = Ranges { start: Int::Var(header.var), found: Vec::new() };
    header.body.iter().for_each(|node| ranges.node(node));
    ranges.found
}

struct Ranges {
    start: Int,
    found: Vec<Rows>,
}

impl Visit for Ranges {
    fn enter(&mut self, node: &Node) {
        if let Node::For(inner) = node {
            let from_start = |e: &Int| e.clone().minus(self.start.clone()).as_const();
            let from = inner.lower.iter().filter_map(from_start).max();
            let to = inner.upper.iter().filter_map(from_start).min();
            if let (Some(from), Some(to)) = (from, to) {
                self.found.push(Rows { var: inner.var, from, to });
            }
        }
    }
}

/// The variables of loops, in the order of the text, with their first and last values where these are constants.
#[derive(Default)]
pub(crate) struct Spans(FxHashMap<IntId, (usize, Option<[i64; 2]>)>);

impl Spans {
    /// Of the loops in nodes.
    pub(crate) fn of(nodes: &[Node]) -> Self {
        let mut spans = Self::default();
        nodes.iter().for_each(|node| spans.node(node));
        spans
    }

    /// The place of a loop among all, in the order of the text.
    pub(crate) fn place(&self, var: IntId) -> Option<usize> {
        self.0.get(&var).map(|(place, _)| *place)
    }

    /// The least and the greatest value of a sum of variables of loops between constants.
    pub(crate) fn range(&self, e: &Int) -> Option<[i64; 2]> {
        if let Int::Var(var) = e {
            return self.0.get(var)?.1;
        }
        if let Some(n) = e.as_const() {
            return Some([n; 2]);
        }
        let Int::Sum(terms, shift) = e else { return None };
        terms.iter().try_fold([*shift; 2], |[low, high], (a, e)| {
            let ends = self.range(e)?.map(|end| a * end);
            Some([low + ends[0].min(ends[1]), high + ends[0].max(ends[1])])
        })
    }
}

impl Visit for Spans {
    fn enter(&mut self, node: &Node) {
        let Node::For(header) = node else { return };
        let span = header.constants().map(|(from, to)| [from, to.max(from + 1) - 1]);
        let place = self.0.len();
        let (_, known) = self.0.entry(header.var).or_insert((place, span));
        // several loops over one variable
        *known = known.zip(span).map(|(a, b)| [a[0].min(b[0]), a[1].max(b[1])]);
    }
}

/// The local buffers that a program touches elsewhere than in its windows: at an index `v - w + c` that is within the axis,
/// where `w` is the variable of a loop at top level and `v` that of a loop over rows in and around its window; `c` may have
/// variables of loops between constants.
pub(crate) fn strays(program: &LoopProgram) -> Vec<BufferId> {
    let mut strays = Strays { program, around: None, found: Vec::new() };
    for node in &program.body {
        strays.around = if let Node::For(header) = node { Around::of(header) } else { None };
        strays.node(node);
    }
    strays.found
}

/// A loop at top level with windows.
struct Around {
    var: IntId,
    /// The ends of its range, if it begins at 0: rows are no more then.
    upper: Vec<Int>,
    ranges: Vec<Rows>,
    spans: Spans,
}

impl Around {
    fn of(header: &For) -> Option<Self> {
        header.stride.as_ref()?;
        let from_zero = header.lower == [Int::Const(0)];
        let upper = if from_zero { header.upper.clone() } else { Vec::new() };
        let (ranges, spans) = (ranges(header), Spans::of(&header.body));
        Some(Self { var: header.var, upper, ranges, spans })
    }

    /// Whether an index is one of an axis, in a loop over rows.
    fn is_row(&self, index: &Int, extent: &Int) -> bool {
        self.ranges.iter().any(|Rows { var, from, to }| {
            let row = Int::Var(*var).minus(Int::Var(self.var));
            let shift = self.spans.range(&index.clone().minus(row));
            shift.is_some_and(|[low, high]| {
                // a window has no more rows than there are
                let own = [low, high] == [0; 2] && *from == 0;
                let upper = if own { &self.upper[..] } else { &[] };
                from + low >= 0 && holds(extent, to + high, upper)
            })
        })
    }
}

/// Whether an axis has the rows of a window, or all that there are.
fn holds(extent: &Int, rows: i64, upper: &[Int]) -> bool {
    match extent {
        Int::Const(extent) => *extent >= rows,
        Int::Select(parts) => {
            let all = |e: &Int| upper.contains(e) || holds(e, rows, upper);
            all(&parts.1) && all(&parts.2)
        }
        Int::Size(_)
        | Int::Var(_)
        | Int::Load(..)
        | Int::Sum(..)
        | Int::Product(_)
        | Int::Div(..)
        | Int::Mod(..)
        | Int::DivBy(_)
        | Int::Floor(_) => false,
    }
}

struct Strays<'p> {
    program: &'p LoopProgram,
    around: Option<Around>,
    found: Vec<BufferId>,
}

impl Strays<'_> {
    fn entry(&mut self, buffer: BufferId, indices: &[Int]) {
        let row = self.program.buffer(buffer);
        let within = |around: &Around| {
            indices.iter().zip(&row.extents).any(|(e, extent)| around.is_row(e, extent))
        };
        if row.role == Role::Local && !self.around.as_ref().is_some_and(within) {
            self.found.push(buffer);
        }
    }
}

impl Visit for Strays<'_> {
    fn load(&mut self, buffer: BufferId, indices: &[Int]) {
        self.entry(buffer, indices);
    }

    fn node(&mut self, node: &Node) {
        if let Node::Store(place, _)
        | Node::Accumulate(place, ..)
        | Node::StoreInt(place, _)
        | Node::AddInt(place, _) = node
        {
            self.entry(place.buffer, &place.indices);
        }
        walk_node(self, node);
    }
}
