//! Temporaries whose neighbours are read, of which some rows are kept at a time.
//!
//! `for i { t[i] = f(i) }; for any i { y[i] = t[i - 1] - t[i] }` cannot be one loop, but both can go by windows of rows: a window of
//! the first loop is stored in a local, and the second one reads it there. The rows just before a window, and those just after it, that
//! are read in it are computed once more for it: its *border*. So windows stay independent, and `t` does not go through memory.
//!
//! What is computed again is what stores the temporaries: no sums, and no other entries. All that it reads is there before the loop over
//! windows, or is in the local too.
//!
//! Where the temporaries have several axes, their rows are those of the first one.
//!
//! * **Bytes**: the temporaries become locals of [`STREAMED`] entries and their borders, or of [`LINES`] rows.
//! * **Work**: the rows of the border are visited again, at most an eighth of those of a window.
//! * **Bits**: the same.

use super::facts::Facts;
use super::fresh::Fresh;
use super::local::{Target, windowed};
use super::recompute::degree_of;
use super::sites::{Kind, Site, all_sites, sites};
use super::windowed::Windowed;
use crate::block::carries;
use crate::loops::walk::{Rewrite, Visit};
use crate::loops::window::Spans;
use crate::loops::{
    BufferId, CmpOp, Element, Fold, For, Int, IntId, LoopProgram, Node, Order, Place, RealId, Role,
};
use rustc_hash::FxHashMap;

/// The rows of a window of loops that stream entries: the entries of several such loops fit in the nearest cache.
pub(super) const STREAMED: i64 = 192;

/// The rows of a window of temporaries with several axes: rows of some such temporaries fit in the cache next to the nearest one.
const LINES: i64 = 16;

/// Rows within reach of the row of a step, of a window of [`STREAMED`] rows, are at most so many.
const NEAR: i64 = 8;

/// How far from the row of a step entries of temporaries are read: from `low` rows before it on, which is not above 0, to `high` rows
/// after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Reach {
    pub(super) low: i64,
    pub(super) high: i64,
}

impl Reach {
    /// Of all that touches targets at the row of a step and around it; `None` if that is far for windows of so many rows.
    pub(super) fn of(
        touched: &FxHashMap<BufferId, Vec<Site>>,
        targets: &[Target],
        (spans, rows): (&Spans, i64),
    ) -> Option<Self> {
        let mut reach = Self::default();
        for (buffer, axis) in targets {
            for site in touched.get(buffer).into_iter().flatten() {
                if let Some((_, [low, high])) = row(&site.indices[*axis], spans) {
                    reach.low = reach.low.min(low);
                    reach.high = reach.high.max(high);
                }
            }
        }
        (reach.rows() <= NEAR.min(rows / 8)).then_some(reach)
    }

    /// The rows of the border.
    pub(super) fn rows(self) -> i64 {
        self.high - self.low
    }
}

/// Has temporaries keep some rows, where neighbours are read: all whose extents differ by constants together.
pub(super) fn keep_neighbours(program: &mut LoopProgram) {
    for rows in [STREAMED, LINES] {
        let mut extents: Vec<Int> = Vec::new();
        for (_, extent) in streamed(program, rows) {
            if !extents.iter().any(|other| distance(other, &extent).is_some()) {
                extents.push(extent);
            }
        }
        for first in extents {
            let all = streamed(program, rows);
            let near = all
                .iter()
                .filter_map(|(buffer, extent)| Some((*buffer, distance(&first, extent)?)));
            let near: Vec<(BufferId, i64)> = near.collect();
            let most = near.iter().map(|(_, more)| *more).max().unwrap_or(0);
            let targets: Vec<Target> = near.iter().map(|(buffer, _)| (*buffer, 0)).collect();
            // rows are complete before neighbours are read
            let spans = Spans::of(&program.body);
            let chained = |node: &Node| {
                let touches = Touches::of(node, &targets, &spans);
                touches.writes && touches.neighbours
            };
            if program.body.iter().any(chained) {
                continue;
            }
            if let Some(changed) = windowed(program, &first.offset(most), targets, rows) {
                *program = changed;
            }
        }
    }
}

/// The temporaries of reals of which windows have so many rows, and how many rows there are, where no neighbours far away are read.
fn streamed(program: &LoopProgram, rows: i64) -> Vec<(BufferId, Int)> {
    let (touched, spans) = (sites(&program.body), Spans::of(&program.body));
    let all = program.buffers.iter().enumerate().filter_map(|(at, buffer)| {
        let [extent, others @ ..] = buffer.extents.as_slice() else { return None };
        let real = buffer.role == Role::Temporary && buffer.element == Element::Real;
        let id = BufferId(at as u32);
        let wide = others.iter().any(|extent| degree_of(extent) > 0);
        let fits = if rows == STREAMED { others.is_empty() } else { wide };
        let near = || Reach::of(&touched, &[(id, 0)], (&spans, rows)).is_some();
        (real && fits && degree_of(extent) > 0 && near()).then(|| (id, extent.clone()))
    });
    all.collect()
}

/// How much more one extent is than another, if that is a constant.
fn distance(from: &Int, to: &Int) -> Option<i64> {
    to.clone().minus(from.clone()).as_const()
}

/// The variable of a loop over rows in an index, and the least and greatest of what is added to it: constants, and variables of
/// loops between constants inside.
pub(super) fn row(index: &Int, spans: &Spans) -> Option<(IntId, [i64; 2])> {
    let alone = [(1, index.clone())];
    let terms = if let Int::Sum(terms, _) = index { terms.as_slice() } else { &alone };
    let one = |term: &(i64, Int)| if let (1, Int::Var(var)) = term { Some(*var) } else { None };
    let mut vars: Vec<IntId> = terms.iter().filter_map(one).collect();
    // the outermost loop first
    vars.sort_by_key(|var| spans.place(*var));
    let shift = |var: &IntId| spans.range(&index.clone().minus(Int::Var(*var)));
    vars.iter().find_map(|var| Some((*var, shift(var)?)))
}

/// A node that touches targets at the row of each step where it touches those of neighbours.
pub(super) fn aligned(node: &Node, targets: &[Target], spans: &Spans) -> Vec<Node> {
    struct Aligned<'t>(&'t [Target], &'t Spans);
    impl Rewrite for Aligned<'_> {
        fn access(&mut self, buffer: BufferId, indices: &[Int]) -> Place {
            let mut indices: Vec<Int> = indices.iter().map(|index| self.int(index)).collect();
            if let Some((_, axis)) = self.0.iter().find(|(target, _)| *target == buffer)
                && let Some((var, _)) = row(&indices[*axis], self.1)
            {
                indices[*axis] = Int::Var(var);
            }
            Place { buffer, indices }
        }
    }
    Aligned(targets, spans).node(node)
}

/// How a node touches targets.
#[derive(Default)]
pub(super) struct Touches {
    /// Whether it writes entries of some.
    pub(super) writes: bool,
    /// Whether it reads neighbours.
    pub(super) neighbours: bool,
}

impl Touches {
    pub(super) fn of(node: &Node, targets: &[Target], spans: &Spans) -> Self {
        let touched = sites(std::slice::from_ref(node));
        let mut touches = Self::default();
        for (buffer, axis) in targets {
            for site in touched.get(buffer).into_iter().flatten() {
                touches.writes |= site.kind != Kind::Load;
                let row = row(&site.indices[*axis], spans);
                touches.neighbours |= row.is_some_and(|(_, shift)| shift != [0; 2]);
            }
        }
        touches
    }
}

/// The border of windows: what computes rows of locals before and after each of them.
pub(super) struct Border<'b> {
    /// How many rows there are.
    extent: &'b Int,
    locals: &'b [Target],
    reach: Reach,
    /// The variable of the loop over windows, and how many rows each has.
    start: IntId,
    rows: i64,
    spans: &'b Spans,
    /// What the loops over rows write, locals apart.
    written: Vec<BufferId>,
}

impl<'b> Border<'b> {
    /// Of windows of these nodes.
    pub(super) fn new(
        extent: &'b Int,
        locals: &'b [Target],
        reach: Reach,
        (start, rows): (IntId, i64),
        (nodes, spans): (&[Node], &'b Spans),
    ) -> Self {
        let mut written = written(nodes);
        written.retain(|buffer| locals.iter().all(|(local, _)| local != buffer));
        Self { extent, locals, reach, start, rows, spans, written }
    }

    /// What a node with a loop over rows in `var` stores in locals, for the rows before and after a window; nothing if it stores
    /// nothing there, `None` if that cannot be computed again.
    pub(super) fn nodes(
        &self,
        program: &mut LoopProgram,
        node: &Node,
        var: IntId,
    ) -> Option<Vec<Node>> {
        if !Touches::of(node, self.locals, self.spans).writes {
            return Some(Vec::new());
        }
        let node = self.line(node, var)?;
        let names = self.locals.iter().map(|(id, _)| program.buffer(*id).name.as_str());
        let text = format!("{}, computed again", names.collect::<Vec<&str>>().join(", "));
        let Reach { low, high } = self.reach;
        let mut border = Vec::new();
        for rows in [[low, 0], [self.rows, self.rows + high]] {
            if rows[0] < rows[1] {
                // all that is set is new: no other node counts
                let (node, names) = Fresh::new(program, &[]).copied(&node);
                let (vars, start, locals) = (vec![names.int_id(var)], self.start, self.locals);
                let nodes = Windowed { vars, start, rows, locals, first: low }.window(&node);
                if !nodes.iter().all(|node| self.is_empty(node)) {
                    border.push(Node::Note(text.clone()));
                    border.extend(nodes);
                }
            }
        }
        Some(border)
    }

    /// Whether a loop has no step in any window: only the last ones, or the first one, have rows of it around them.
    fn is_empty(&self, node: &Node) -> bool {
        let Node::For(header) = node else { return false };
        let (mut facts, var) = (Facts::default(), Int::Var(header.var));
        facts.compare(CmpOp::Le, &Int::Const(0), &Int::Var(self.start));
        facts.compare(CmpOp::Lt, &Int::Var(self.start), self.extent);
        facts.bounds(header);
        // anything follows where nothing is
        facts.prove(CmpOp::Lt, &var, &var)
    }

    /// A node without all that is not needed to store entries of locals.
    fn line(&self, node: &Node, var: IntId) -> Option<Node> {
        let mut parts = Parts::default();
        parts.node(node);
        let header = parts.loops.iter().find(|header| header.var == var)?;
        let mut inside = Parts::default();
        header.body.iter().for_each(|node| inside.node(node));
        let line = Line { locals: self.locals, own: inside.reals_set.clone() };
        let line = line.list(std::slice::from_ref(node));
        let mut left = Parts::default();
        line.iter().for_each(|node| left.node(node));
        let steps = left.loops.iter().filter(|header| header.var == var);
        let kept = steps.clone().count() == 1
            && !steps.into_iter().any(carries)
            && !inside
                .joined
                .iter()
                .any(|(var, _)| !inside.reals_set.contains(var) && left.reals_read.contains(var))
            && !left.loads.iter().any(|buffer| self.written.contains(buffer));
        line.into_iter().next().filter(|_| kept)
    }
}

/// Leaves out what stores nothing in locals.
struct Line<'l> {
    locals: &'l [Target],
    /// The variables that a step sets; values that are joined to others are sums that leave it.
    own: Vec<RealId>,
}

impl Line<'_> {
    fn list(&self, nodes: &[Node]) -> Vec<Node> {
        let mut out: Vec<Node> = Vec::new();
        // of a point whose node follows
        let mut visit = None;
        for node in nodes {
            if let Node::Visit(_) = node {
                visit = Some(node.clone());
            } else if !matches!(node, Node::Note(_)) {
                let visited = visit.take();
                if let Some(node) = self.node(node) {
                    out.extend(visited);
                    out.push(node);
                }
            }
        }
        out
    }

    fn node(&self, node: &Node) -> Option<Node> {
        let is_local = |place: &Place| self.locals.iter().any(|(local, _)| *local == place.buffer);
        match node {
            Node::Store(place, _) | Node::Accumulate(place, ..) if !is_local(place) => None,
            Node::StoreInt(..) | Node::AddInt(..) => None,
            Node::Join(var, ..) if !self.own.contains(var) => None,
            Node::For(header) => {
                let body = self.list(&header.body);
                let mut line = Node::For(Box::new(For { body, ..header.bare() }));
                if self.is_free(&line)
                    && let Node::For(header) = &mut line
                {
                    header.order = Order::Parallel;
                }
                Some(line)
            }
            Node::If(cond, body) => Some(Node::If(cond.clone(), self.list(body))),
            Node::Note(_)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::Visit(_)
            | Node::Check(..) => Some(node.clone()),
        }
    }
}

impl Line<'_> {
    /// Whether a node is a loop whose steps store entries of their own, and need none of others.
    fn is_free(&self, node: &Node) -> bool {
        let Node::For(header) = node else { return false };
        let touched = sites(&header.body);
        let own =
            |site: &Site| site.kind != Kind::Load && site.indices.contains(&Int::Var(header.var));
        let mut local = self.locals.iter().filter_map(|(local, _)| touched.get(local)).flatten();
        local.all(own) && !carries(header) && sums(node).is_empty()
    }
}

/// What nodes are made of.
#[derive(Default)]
struct Parts {
    loops: Vec<For>,
    loads: Vec<BufferId>,
    reals_read: Vec<RealId>,
    reals_set: Vec<RealId>,
    /// The variables that values are joined to, and how.
    joined: Vec<(RealId, Fold)>,
}

impl Visit for Parts {
    fn load(&mut self, buffer: BufferId, _: &[Int]) {
        self.loads.push(buffer);
    }

    fn real_var(&mut self, var: RealId) {
        self.reals_read.push(var);
    }

    fn enter(&mut self, node: &Node) {
        match node {
            Node::For(header) => self.loops.push((**header).clone()),
            Node::Set(var, _) => self.reals_set.push(*var),
            Node::Join(var, fold, _) => self.joined.push((*var, *fold)),
            Node::Note(_)
            | Node::If(..)
            | Node::SetInt(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => {}
        }
    }
}

/// The variables that values are joined to in a node, and that are neither set nor read there, with how they are joined.
pub(super) fn sums(node: &Node) -> Vec<(RealId, Fold)> {
    let mut parts = Parts::default();
    parts.node(node);
    let Parts { mut joined, reals_read, reals_set, .. } = parts;
    let all = joined.clone();
    let one_way =
        |(var, fold): &(RealId, Fold)| all.iter().all(|(other, also)| other != var || also == fold);
    joined
        .retain(|sum| one_way(sum) && !reals_read.contains(&sum.0) && !reals_set.contains(&sum.0));
    joined
}

/// The buffers that nodes write.
fn written(nodes: &[Node]) -> Vec<BufferId> {
    let sites = all_sites(nodes);
    let writes = |sites: &[Site]| sites.iter().any(|site| site.kind != Kind::Load);
    let written = sites.iter().filter(|(_, sites)| writes(sites));
    written.map(|(buffer, _)| *buffer).collect()
}
