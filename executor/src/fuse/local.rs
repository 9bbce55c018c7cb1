//! Temporaries of which some rows are kept at a time.
//!
//! Loops over the rows `i` of a temporary `t` that meet each row at one step become one loop over windows of [`ROWS`] rows:
//! `for any w in 0 .. n where 0 of 32 { for any i in w .. min(w + 32, n) { .. } .. }`. What is in the way is done before or after
//! them. Then nothing but a window of `t` is ever needed, and `t[i, j]` becomes `t[i - w, j]` of a local.
//!
//! A loop over `i` may stand inside loops whose iterations are independent, as in `for any j { for i { b[j] += t[i, j] } }`: it
//! goes through a window for every `j`. Each entry is joined to in the order of `i`, as before.
//!
//! * **Bytes**: each local is of a lower degree in the sizes than the temporary was.
//! * **Work**, **bits**: the same. Iterations are still shared by threads: else nothing is changed.

use super::border::{self, Border, Reach, Touches, aligned, sums};
use super::dead::drop_dead;
use super::ends::extreme;
use super::facts::Facts;
use super::footprint::Footprint;
use super::fresh::Fresh;
use super::recompute::degree_of;
use super::sites::{Kind, only, sites};
use super::spread::spread;
use super::tuples::Tuples;
use super::windowed::{Windowed, joined_conditions};
use crate::block::shared;
use crate::loops::walk::Visit;
use crate::loops::window::{Spans, strays};
use crate::loops::{
    BufferId, Check, CmpOp, Element, For, Int, IntId, LoopProgram, Node, Order, RealId,
    RelationTable, Role,
};

/// The rows of a window: some tiles of a product of matrices.
pub(super) const ROWS: i64 = 32;

/// Has temporaries keep some rows, where that saves a degree of memory.
pub(super) fn keep_rows(program: &mut LoopProgram) {
    for side in [Side::First, Side::Last] {
        for extent in extents(program) {
            let targets = targets(program, &extent, side);
            // windows around those of another extent would take them apart
            if let Some(changed) = windowed(program, &extent, targets, ROWS) {
                *program = changed;
            }
        }
    }
}

/// Which axis of a temporary counts the rows, if several have the extent.
#[derive(Clone, Copy)]
pub(super) enum Side {
    First,
    Last,
}

/// A temporary, and the axis of its rows.
pub(super) type Target = (BufferId, usize);

/// The extents of rows: those that grow, of temporaries of reals that still grow without them.
pub(super) fn extents(program: &LoopProgram) -> Vec<Int> {
    let mut found: Vec<Int> = Vec::new();
    for buffer in &program.buffers {
        let total: usize = buffer.extents.iter().map(degree_of).sum();
        let rows = |e: &&Int| degree_of(e) > 0 && total > degree_of(e);
        if buffer.role == Role::Temporary && buffer.element == Element::Real {
            for extent in buffer.extents.iter().filter(rows) {
                if !found.contains(extent) {
                    found.push(extent.clone());
                }
            }
        }
    }
    found
}

/// The temporaries that have rows of an extent.
pub(super) fn targets(program: &LoopProgram, extent: &Int, side: Side) -> Vec<Target> {
    let all = program.buffers.iter().enumerate().filter_map(|(at, buffer)| {
        let mut axes = buffer.extents.iter();
        let axis = match side {
            Side::First => axes.position(|e| e == extent),
            Side::Last => axes.rposition(|e| e == extent),
        }?;
        let others = buffer.extents.iter().enumerate().filter(|(other, _)| *other != axis);
        let grows = others.map(|(_, e)| degree_of(e)).sum::<usize>() > 0;
        let real = buffer.role == Role::Temporary && buffer.element == Element::Real;
        (real && grows).then_some((BufferId(at as u32), axis))
    });
    all.collect()
}

/// The program with windows of as many of the targets as can have them; `None` if none can. In windows of other than [`ROWS`] rows
/// neighbours are read.
pub(super) fn windowed(
    program: &LoopProgram,
    extent: &Int,
    targets: Vec<Target>,
    rows: i64,
) -> Option<LoopProgram> {
    let mut wanted = targets;
    while !wanted.is_empty() {
        let (neighbours, spans) = (rows != ROWS, Spans::of(&program.body));
        let reach = if neighbours {
            Reach::of(&sites(&program.body), &wanted, (&spans, rows))?
        } else {
            Reach::default()
        };
        let mut changed = program.clone();
        let body = std::mem::take(&mut changed.body);
        let extent = extent.clone().offset(-reach.low);
        let mut layout = Layout {
            relations: program.relations.clone(),
            checks: program.checks.clone(),
            extent: extent.clone(),
            targets: wanted,
            neighbours,
            spans,
            fresh: Fresh::new(&mut changed, &body),
            next: 0,
            before: Vec::new(),
            rows: Vec::new(),
            after: Vec::new(),
        };
        layout.nodes(&body);
        let kept = layout.kept();
        if kept.len() == layout.targets.len() {
            let Layout { before, rows: items, after, spans, .. } = layout;
            let cut = Cut { extent: &extent, locals: &kept, spans: &spans, reach, rows };
            // windows around those of another extent would take them apart
            return laid_out(changed, &cut, [before, items, after])
                .filter(|changed| strays(changed).is_empty());
        }
        wanted = kept;
    }
    None
}

/// What is cut into windows, and how.
struct Cut<'c> {
    extent: &'c Int,
    locals: &'c [Target],
    spans: &'c Spans,
    reach: Reach,
    rows: i64,
}

/// A node, where it stands, and what it touches.
struct Item {
    node: Node,
    at: usize,
    footprint: Footprint,
    ends: Ends,
    /// For what goes by windows: the variable of the loop over rows.
    row: Option<IntId>,
}

/// Whether a node may end the run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Never,
    /// Where an integer that it stores is out of its range, so that whoever reads it stands behind.
    AtEntry,
    /// Where what others rely on does not hold.
    Anywhere,
}

impl Item {
    /// Whether two nodes may change places, as far as the end of a run goes.
    fn is_free_of(&self, other: &Self) -> bool {
        match (self.ends, other.ends) {
            (Ends::Anywhere, _) | (_, Ends::Anywhere) | (Ends::AtEntry, Ends::AtEntry) => false,
            (Ends::Never, Ends::Never | Ends::AtEntry) | (Ends::AtEntry, Ends::Never) => true,
        }
    }

    fn commutes(&self, other: &Self) -> bool {
        self.is_free_of(other) && self.footprint.is_apart(&other.footprint)
    }

    fn touches(&self, targets: &[Target]) -> bool {
        targets.iter().any(|(buffer, _)| self.footprint.touches_buffer(*buffer))
    }
}

/// Where the nodes of a program go.
struct Layout<'p> {
    relations: Vec<RelationTable>,
    checks: Vec<Check>,
    /// How many rows there are.
    extent: Int,
    targets: Vec<Target>,
    /// Whether neighbours of the row may be read.
    neighbours: bool,
    spans: Spans,
    fresh: Fresh<'p>,
    next: usize,
    before: Vec<Item>,
    /// The loops over rows.
    rows: Vec<Item>,
    after: Vec<Item>,
}

impl Layout<'_> {
    fn nodes(&mut self, nodes: &[Node]) {
        // notes and visits stand with what follows
        let mut notes = Vec::new();
        for node in nodes.iter().flat_map(single) {
            if matches!(node, Node::Note(_) | Node::Visit(_)) {
                notes.push(node);
                continue;
            }
            let known = [self.before.len(), self.rows.len(), self.after.len()];
            // numbers for the notes in front of the node
            self.next += notes.len();
            let first = self.next - notes.len();
            self.relevant(node);
            let grown = [&mut self.before, &mut self.rows, &mut self.after];
            let place = grown.into_iter().zip(known).find(|(list, known)| list.len() > *known);
            if let Some((list, known)) = place {
                // a point of a number is no window's
                let own = list[known].row.is_none();
                let strays = |note: &mut Node| !own && matches!(note, Node::Visit(_));
                let visits: Vec<Node> = notes.extract_if(.., strays).collect();
                let notes = notes.drain(..).enumerate();
                let items = notes.map(|(k, note)| Item {
                    row: list[known].row,
                    at: first + k,
                    node: note,
                    footprint: Footprint::default(),
                    ends: Ends::Never,
                });
                let items: Vec<Item> = items.collect();
                list.splice(known..known, items);
                for visit in visits {
                    let item = self.item(visit);
                    self.before.push(item);
                }
            }
        }
        for note in notes {
            let item = self.item(note);
            self.after.push(item);
        }
    }

    fn item(&mut self, node: Node) -> Item {
        // neighbours do not count where windows have them
        let own = self.neighbours && self.row(&node).is_some();
        let footprint = if own {
            Footprint::of(&aligned(&node, &self.targets, &self.spans))
        } else {
            Footprint::of(std::slice::from_ref(&node))
        };
        let ends = ends(&self.checks, std::slice::from_ref(&node));
        self.next += 1;
        Item { node, at: self.next - 1, footprint, ends, row: None }
    }

    /// Places a node, in parts where its loop over rows stands beside other nodes.
    fn relevant(&mut self, node: Node) {
        if let Some(var) = self.row(&node)
            && let Some(parts) = self.parts(&node, var, &[])
        {
            for (part, has_rows) in parts {
                self.place(part, has_rows.then_some(var));
            }
            return;
        }
        self.place(node, None);
    }

    /// The variable that says the row wherever a node touches targets, if it touches any.
    fn row(&self, node: &Node) -> Option<IntId> {
        let touched = sites(std::slice::from_ref(node));
        let mut row = None;
        for (buffer, axis) in &self.targets {
            for site in touched.get(buffer).into_iter().flatten() {
                let (var, shift) = border::row(&site.indices[*axis], &self.spans)?;
                let own = shift == [0; 2] || self.neighbours && site.kind == Kind::Load;
                if !own || row.is_some_and(|known| known != var) {
                    return None;
                }
                row = Some(var);
            }
        }
        row
    }

    fn place(&mut self, node: Node, row: Option<IntId>) {
        let outermost = outermost(&node);
        let mut item = self.item(node);
        let moves = |item: &Item, others: &[Item]| others.iter().all(|other| item.commutes(other));
        let goes_by_rows = |this: &Self, item: &Item, var: IntId| {
            let facts = chain(&item.node, var, Facts::default());
            facts.is_some_and(|facts| this.is_within(facts, var))
                && this.rows.iter().all(|other| this.follows(other, item, var))
                && moves(item, &this.after)
        };
        if let Some(var) = row.filter(|var| goes_by_rows(self, &item, *var)) {
            item.row = Some(var);
            self.rows.push(item);
        } else if moves(&item, &self.rows) && moves(&item, &self.after) {
            self.before.push(item);
        } else if let Some(var) = outermost.filter(|var| goes_by_rows(self, &item, *var)) {
            item.row = Some(var);
            self.rows.push(item);
        } else {
            self.after.push(item);
        }
    }

    /// Whether a loop over rows in `var` can go by windows after another one: they meet in each row alone, or both join to a sum, and
    /// rows of the other one come first.
    fn follows(&self, other: &Item, item: &Item, var: IntId) -> bool {
        let at = other.row.unwrap_or(var);
        let (a, b) = (&other.footprint, &item.footprint);
        let shared: Vec<RealId> = a.shared_reals(b).collect();
        let ordered = || {
            let (sums, also) = (sums(&other.node), sums(&item.node));
            let both = |real: &RealId| sums.iter().any(|sum| sum.0 == *real && also.contains(sum));
            shared.iter().all(both) && is_before(&other.node, at, &item.node, var)
        };
        other.is_free_of(item)
            && !a.shares_ints(b)
            && a.keeps_entries(&self.relations, at, b, var)
            && (shared.is_empty() || ordered())
    }

    /// Whether a row is one of those that there are.
    fn is_within(&self, mut facts: Facts, var: IntId) -> bool {
        facts.prove(CmpOp::Le, &Int::Const(0), &Int::Var(var))
            && facts.prove(CmpOp::Lt, &Int::Var(var), &self.extent)
    }

    /// A node as the loop over `var`, with those around it, and what stands beside that in these: each with whether it has
    /// the loop. They run one after the other.
    fn parts(&mut self, node: &Node, var: IntId, around: &[For]) -> Option<Vec<(Node, bool)>> {
        if has_loop(node, var) == 0 {
            return Some(vec![(node.clone(), false)]);
        }
        match node {
            Node::For(header) if header.var == var => Some(vec![(node.clone(), true)]),
            Node::For(header) if header.order == Order::Parallel => {
                let mut parts = Vec::new();
                let around: Vec<For> = around.iter().cloned().chain([header.bare()]).collect();
                for group in grouped(&header.body) {
                    let (notes, rest) = apart(group);
                    let known = parts.len();
                    if let [only] = rest.as_slice() {
                        let found = self.parts(only, var, &around)?;
                        parts.extend(found.into_iter().map(|(node, row)| (vec![node], row)));
                    } else {
                        let count: usize = rest.iter().map(|node| has_loop(node, var)).sum();
                        parts.push((rest, count > 0));
                    }
                    parts[known].0.splice(0..0, notes);
                }
                let loops = parts.iter().filter(|(_, has_rows)| *has_rows).count();
                if loops != 1 {
                    return None;
                }
                let (bodies, rows): (Vec<Vec<Node>>, Vec<bool>) = parts.into_iter().unzip();
                let bodies = spread(&mut self.fresh, &around, &bodies, 1)?;
                let parts = bodies.into_iter().zip(rows).filter(|(body, _)| !body.is_empty());
                let whole = parts.map(|(body, has_rows)| {
                    let part = For { body, ..header.bare() };
                    let part = if has_rows { part } else { self.fresh.copy(&part) };
                    (Node::For(Box::new(part)), has_rows)
                });
                Some(whole.collect())
            }
            Node::If(cond, body) => {
                let parts = self.parts(only(body)?, var, around)?;
                let kept = parts
                    .iter()
                    .all(|(part, _)| Footprint::of(std::slice::from_ref(part)).keeps(cond));
                let under = |(part, has_rows)| (Node::If(cond.clone(), vec![part]), has_rows);
                kept.then(|| parts.into_iter().map(under).collect())
            }
            Node::For(_)
            | Node::Note(_)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => None,
        }
    }

    /// The targets that are touched by loops over their rows alone.
    fn kept(&self) -> Vec<Target> {
        let kept = |target: &&Target| {
            let one = std::slice::from_ref(*target);
            let others = self.before.iter().chain(&self.after);
            self.rows.iter().any(|item| item.touches(one))
                && !others.into_iter().any(|i| i.touches(one))
        };
        self.targets.iter().filter(kept).copied().collect()
    }
}

/// The program with the loops over rows as one loop over windows, from the first to the last that touches a local.
fn laid_out(
    mut program: LoopProgram,
    cut: &Cut,
    [mut before, rows, mut after]: [Vec<Item>; 3],
) -> Option<LoopProgram> {
    let Cut { extent, locals, reach, rows: each, .. } = *cut;
    let first = rows.iter().position(|item| item.touches(locals))?;
    let last = rows.iter().rposition(|item| item.touches(locals))?;
    let mut window = Vec::new();
    for (place, item) in rows.into_iter().enumerate() {
        match place {
            _ if place < first => before.push(item),
            _ if place > last => after.push(item),
            _ => window.push(item),
        }
    }
    let name = window.iter().find_map(|item| item.row).map(|v| program.ints[v.index()].clone());
    let start = program.add_int(name.unwrap_or_default());
    let all = window.iter().all(is_parallel);
    let body = by_windows(&mut program, cut, start, window)?;
    let by_place = |mut items: Vec<Item>| {
        items.sort_by_key(|item| item.at);
        joined_conditions(items.into_iter().map(|item| item.node).collect())
    };
    let windows = Windows {
        extent,
        locals,
        start,
        rows: each,
        reach,
        what: "rows",
        order: if all { Order::Parallel } else { Order::Ascending },
        body: joined_conditions(body),
    };
    let mut program = windows.lay(program, by_place(before), by_place(after))?;
    if reach.rows() > 0 {
        drop_dead(&mut program);
    }
    Some(program)
}

/// What is done for one window: with the rows around it, if neighbours are read. `None` if these cannot be computed again, or windows do
/// not pay.
fn by_windows(
    program: &mut LoopProgram,
    cut: &Cut,
    start: IntId,
    window: Vec<Item>,
) -> Option<Vec<Node>> {
    let Cut { extent, locals, spans, reach, rows } = *cut;
    let neighbours = rows != ROWS;
    if neighbours && !(are_flat(program, &window, locals) && in_order(&window, locals, spans)) {
        return None;
    }
    let nodes: Vec<Node> = window.iter().map(|item| item.node.clone()).collect();
    let border =
        neighbours.then(|| Border::new(extent, locals, reach, (start, rows), (&nodes, spans)));
    let mut body = Vec::new();
    for item in window {
        let Some(var) = item.row else {
            body.push(item.node);
            continue;
        };
        if let Some(border) = &border {
            body.extend(border.nodes(program, &item.node, var)?);
        }
        let rows = [0, rows];
        let one = Windowed { vars: vec![var], start, rows, locals, first: reach.low };
        body.extend(one.window(&item.node));
    }
    Some(body)
}

/// Whether neighbours are read, and rows are complete then: what writes entries of locals comes before, reads no neighbours, and does not
/// end the run.
fn in_order(window: &[Item], locals: &[Target], spans: &Spans) -> bool {
    let touches = window.iter().map(|item| Touches::of(&item.node, locals, spans));
    let touches: Vec<Touches> = touches.collect();
    let last = touches.iter().rposition(|touches| touches.writes);
    let read = touches.iter().position(|touches| touches.neighbours);
    let stays = |(item, touches): (&Item, &Touches)| !touches.writes || item.ends == Ends::Never;
    last < read && window.iter().zip(&touches).all(stays)
}

/// Whether no more loops stand in one another than locals have axes, those between constants apart; one of a local with one axis has
/// no loops inside.
fn are_flat(program: &LoopProgram, window: &[Item], locals: &[Target]) -> bool {
    fn depth(node: &Node, counts: &impl Fn(&For) -> bool) -> usize {
        let own = matches!(node, Node::For(header) if counts(header));
        let inside = node.inside().iter().map(|node| depth(node, counts)).max();
        usize::from(own) + inside.unwrap_or(0)
    }
    let axes = locals.iter().map(|(local, _)| program.buffer(*local).extents.len()).max();
    let axes = axes.unwrap_or(0);
    let counts = |header: &For| axes == 1 || header.constants().is_none();
    window.iter().all(|item| depth(&item.node, &counts) <= axes)
}

/// What loops that go by windows in inner loops are over.
pub(super) const COLUMNS: &str = "columns";

/// A loop over windows.
pub(super) struct Windows<'w> {
    pub(super) extent: &'w Int,
    pub(super) locals: &'w [Target],
    pub(super) start: IntId,
    /// How many rows, which others are kept, and what they are called.
    pub(super) rows: i64,
    pub(super) reach: Reach,
    pub(super) what: &'static str,
    pub(super) order: Order,
    pub(super) body: Vec<Node>,
}

impl Windows<'_> {
    /// The program with the loop, and what is done before and after it; `None` if threads could not share it.
    pub(super) fn lay(
        self,
        mut program: LoopProgram,
        before: Vec<Node>,
        after: Vec<Node>,
    ) -> Option<LoopProgram> {
        let Self { extent, locals, start, rows, reach, what, order, body } = self;
        let names = locals.iter().map(|(id, _)| program.buffer(*id).name.as_str());
        let names = names.collect::<Vec<&str>>().join(", ");
        let note = Node::Note(format!("{names}, {rows} {what} at a time"));
        let header = For {
            var: start,
            lower: vec![Int::Const(0)],
            upper: vec![extent.clone()],
            stride: Some((rows, Int::Const(0))),
            order,
            body,
        };
        program.body = before;
        let at = program.body.len() + 1;
        program.body.extend([note, Node::For(Box::new(header))]);
        program.body.extend(after);
        for (id, axis) in locals {
            let buffer = &mut program.buffers[id.index()];
            buffer.role = Role::Local;
            // no more than there are; where those of products of matrices are no first axis, that would make indices slow
            let all = reach.rows() == 0 && (what == COLUMNS || *axis == 0);
            let kept = Int::Const(rows + reach.rows());
            buffer.extents[*axis] =
                if all { extreme(CmpOp::Le, &[extent.clone(), kept]) } else { kept };
        }
        let Node::For(header) = &program.body[at] else { unreachable!("it was put there") };
        shared(header, &Tuples::of(&program)).is_some().then_some(program)
    }
}

// Nodes.

/// The nodes of a list, those under one condition apart where none of them changes it.
fn single(node: &Node) -> Vec<Node> {
    let Node::If(cond, body) = node else { return vec![node.clone()] };
    let kept = body.iter().all(|node| Footprint::of(std::slice::from_ref(node)).keeps(cond));
    if !kept || !body.iter().any(Node::has_loop) {
        return vec![node.clone()];
    }
    let mut found = Vec::new();
    for group in grouped(body) {
        let (notes, mut rest) = apart(group);
        found.extend(notes);
        if let [only] = rest.as_slice() {
            rest = single(only);
            let under = |node: Node| {
                let note = matches!(node, Node::Note(_));
                if note { node } else { Node::If(cond.clone(), vec![node]) }
            };
            found.extend(rest.into_iter().map(under));
        } else {
            found.push(Node::If(cond.clone(), rest));
        }
    }
    found
}

/// The nodes of a list; notes and visits stand with what follows.
pub(super) fn grouped(nodes: &[Node]) -> Vec<Vec<Node>> {
    let mut groups: Vec<Vec<Node>> = Vec::new();
    let mut visited = false;
    for node in nodes {
        match groups.last_mut().filter(|_| visited) {
            Some(group) => group.push(node.clone()),
            None => groups.push(vec![node.clone()]),
        }
        visited = matches!(node, Node::Visit(_) | Node::Note(_));
    }
    groups
}

/// The notes in a list, and what else there is.
pub(super) fn apart(nodes: Vec<Node>) -> (Vec<Node>, Vec<Node>) {
    nodes.into_iter().partition(|node| matches!(node, Node::Note(_)))
}

/// How many loops over a variable stand in a node.
fn has_loop(node: &Node, var: IntId) -> usize {
    let own = usize::from(matches!(node, Node::For(header) if header.var == var));
    own + node.inside().iter().map(|node| has_loop(node, var)).sum::<usize>()
}

/// The variable of the outermost loop, conditions around it apart.
fn outermost(node: &Node) -> Option<IntId> {
    match node {
        Node::For(header) => Some(header.var),
        Node::If(_, body) => outermost(only(body)?),
        Node::Note(_)
        | Node::SetInt(..)
        | Node::Set(..)
        | Node::Join(..)
        | Node::Store(..)
        | Node::Accumulate(..)
        | Node::StoreInt(..)
        | Node::AddInt(..)
        | Node::Visit(_)
        | Node::Check(..) => None,
    }
}

/// What holds in the loop over `var`, if a window of it may run for every iteration of the loops around: these are
/// independent, and hold nothing else. With what is known already.
fn chain(node: &Node, var: IntId, mut facts: Facts) -> Option<Facts> {
    let mut node = node;
    loop {
        facts.inside(node);
        node = match node {
            Node::For(header) if header.var == var => {
                let ends = header.stride.is_none() && header.order != Order::Descending;
                return ends.then_some(facts);
            }
            Node::For(header) if header.order == Order::Parallel => only(&header.body)?,
            Node::If(_, body) => only(body)?,
            Node::For(_)
            | Node::Note(_)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => return None,
        };
    }
}

/// Whether all rows of a loop in `a` come before those of another one in `b`.
fn is_before(first: &Node, a: IntId, second: &Node, b: IntId) -> bool {
    let facts = chain(first, a, Facts::default());
    let facts = facts.and_then(|facts| chain(second, b, facts)).filter(|_| a != b);
    facts.is_some_and(|mut facts| facts.prove(CmpOp::Lt, &Int::Var(a), &Int::Var(b)))
}

/// Whether windows of a node may run in any order: its outermost loop is the one over rows, and in any order.
fn is_parallel(item: &Item) -> bool {
    fn of(node: &Node, var: IntId) -> bool {
        match node {
            Node::For(header) => header.var == var && header.order == Order::Parallel,
            Node::If(_, body) => body.iter().all(|node| of(node, var)),
            Node::Note(_) => true,
            Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => false,
        }
    }
    item.row.is_some_and(|var| of(&item.node, var))
}

/// Whether nodes may end the run.
fn ends(checks: &[Check], nodes: &[Node]) -> Ends {
    struct Search<'c>(&'c [Check], Ends);
    impl Visit for Search<'_> {
        fn int(&mut self, e: &Int) {
            if matches!(e, Int::Floor(_)) {
                self.1 = Ends::Anywhere;
            }
            crate::loops::walk::walk_int(self, e);
        }

        fn enter(&mut self, node: &Node) {
            let Node::Check(check, _) = node else { return };
            let at_entry = matches!(self.0[check.index()], Check::Sort { .. });
            if !at_entry {
                self.1 = Ends::Anywhere;
            } else if self.1 == Ends::Never {
                self.1 = Ends::AtEntry;
            }
        }
    }
    let mut search = Search(checks, Ends::Never);
    nodes.iter().for_each(|node| search.node(node));
    search.1
}
