//! Loops of one header become one loop where their steps are independent.
//!
//! Loop B joins an earlier loop A if nothing between them touches what B touches, and
//! every entry that one of them writes and the other touches is at the same step of both:
//! at some axis, both index with exactly their loop variable.

use super::unroll::Fix;
use crate::loops::walk::{Rewrite, Visit};
use crate::loops::{BufferId, For, Int, IntId, Node, Order, Real, RealId};
use rustc_hash::FxHashMap;

/// The nodes with loops merged, outer ones first.
pub(super) fn merge(nodes: Vec<Node>) -> Vec<Node> {
    let mut out: Vec<(Node, Footprint)> = Vec::new();
    let mut statement: Vec<(Node, Footprint)> = Vec::new();
    for node in nodes {
        // The loops of one statement are merged first, so that they stay together.
        if matches!(node, Node::Note(_)) {
            std::mem::take(&mut statement).into_iter().for_each(|(node, _)| place(&mut out, node));
        }
        place(&mut statement, node);
    }
    statement.into_iter().for_each(|(node, _)| place(&mut out, node));
    let inner = |node: Node| match node {
        Node::For(mut header) => {
            header.body = merge(std::mem::take(&mut header.body));
            Node::For(header)
        }
        Node::If(cond, body) => Node::If(cond, merge(body)),
        other @ (Node::Note(_)
        | Node::SetInt(..)
        | Node::Set(..)
        | Node::Join(..)
        | Node::Store(..)
        | Node::Accumulate(..)
        | Node::StoreInt(..)
        | Node::AddInt(..)
        | Node::Visit(_)
        | Node::Check(..)) => other,
    };
    out.into_iter().map(|(node, _)| inner(node)).collect()
}

/// Adds a node: to an earlier loop, in front (a constant in a register), or at the end.
fn place(out: &mut Vec<(Node, Footprint)>, node: Node) {
    let footprint = Footprint::of(&node);
    if let Node::Set(var, Real::Const(_)) = &node
        && out.iter().all(|(_, other)| !other.touches_real(*var))
    {
        out.insert(0, (node, footprint));
        return;
    }
    let Node::For(header) = node else {
        out.push((node, footprint));
        return;
    };
    for at in (0..out.len()).rev() {
        let (earlier, known) = &mut out[at];
        if let Node::For(first) = earlier
            && let Some(order) = common(first, &header)
            && aligned(first.var, known, header.var, &footprint)
        {
            first.order = order;
            let mut body = Fix { var: header.var, value: Int::Var(first.var) }.nodes(&header.body);
            first.body.append(&mut body);
            let merged = Footprint::of(earlier);
            *known = merged;
            let note = out.pop_if(|(last, _)| matches!(last, Node::Note(_)));
            if let (Some((note, _)), (Node::For(first), _)) = (note, &mut out[at]) {
                let before = first.body.len() - header.body.len();
                first.body.insert(before, note);
            }
            return;
        }
        if !known.commutes(&footprint) {
            break;
        }
    }
    out.push((Node::For(header), footprint));
}

/// The order of two loops as one, if they take the same values.
fn common(a: &For, b: &For) -> Option<Order> {
    if a.lower != b.lower || a.upper != b.upper || a.stride != b.stride {
        return None;
    }
    match (a.order, b.order) {
        (Order::Parallel, Order::Parallel) => Some(Order::Parallel),
        (Order::Descending, Order::Descending) => Some(Order::Descending),
        (Order::Descending, Order::Ascending) | (Order::Ascending, Order::Descending) => None,
        (Order::Descending, Order::Parallel) | (Order::Parallel, Order::Descending) => {
            Some(Order::Descending)
        }
        (Order::Ascending, Order::Ascending | Order::Parallel)
        | (Order::Parallel, Order::Ascending) => Some(Order::Ascending),
    }
}

/// Whether what one loop writes and the other touches is at the same step of both.
fn aligned(a: IntId, first: &Footprint, b: IntId, second: &Footprint) -> bool {
    if first.checks || second.checks || first.shares_variables(second) {
        return false;
    }
    let same_step =
        |x: &[Int], y: &[Int]| x.iter().zip(y).any(|(x, y)| *x == Int::Var(a) && *y == Int::Var(b));
    first.buffers.iter().all(|(buffer, accesses)| {
        second.buffers.get(buffer).into_iter().flatten().all(|(later, writes)| {
            accesses
                .iter()
                .all(|(earlier, wrote)| !(*writes || *wrote) || same_step(earlier, later))
        })
    })
}

/// What a node touches.
#[derive(Default)]
struct Footprint {
    /// Entries, and whether they are written.
    buffers: FxHashMap<BufferId, Vec<(Vec<Int>, bool)>>,
    ints_read: Vec<IntId>,
    ints_set: Vec<IntId>,
    reals_read: Vec<RealId>,
    reals_set: Vec<RealId>,
    checks: bool,
}

impl Footprint {
    fn of(node: &Node) -> Self {
        let mut footprint = Self::default();
        footprint.node(node);
        footprint
    }

    fn add(&mut self, buffer: BufferId, indices: &[Int], writes: bool) {
        let entries = self.buffers.entry(buffer).or_default();
        if !entries.iter().any(|(known, wrote)| known == indices && *wrote == writes) {
            entries.push((indices.to_vec(), writes));
        }
    }

    fn touches_real(&self, var: RealId) -> bool {
        self.reals_read.contains(&var) || self.reals_set.contains(&var)
    }

    /// Whether one sets a variable that the other touches.
    fn shares_variables(&self, other: &Self) -> bool {
        let ints = |a: &Self, b: &Self| {
            a.ints_set.iter().any(|v| b.ints_set.contains(v) || b.ints_read.contains(v))
        };
        let reals = |a: &Self, b: &Self| a.reals_set.iter().any(|v| b.touches_real(*v));
        ints(self, other) || ints(other, self) || reals(self, other) || reals(other, self)
    }

    /// Whether the two may be exchanged.
    fn commutes(&self, other: &Self) -> bool {
        let writes = |entries: &[(Vec<Int>, bool)]| entries.iter().any(|(_, wrote)| *wrote);
        let apart = self.buffers.iter().all(|(buffer, mine)| {
            other.buffers.get(buffer).is_none_or(|theirs| !writes(mine) && !writes(theirs))
        });
        apart && !self.checks && !other.checks && !self.shares_variables(other)
    }
}

impl Visit for Footprint {
    fn load(&mut self, buffer: BufferId, indices: &[Int]) {
        self.add(buffer, indices, false);
    }

    fn int_var(&mut self, var: IntId) {
        self.ints_read.push(var);
    }

    fn real_var(&mut self, var: RealId) {
        self.reals_read.push(var);
    }

    fn int(&mut self, e: &Int) {
        // Rounding down may stop the run: its place among the checks counts.
        self.checks |= matches!(e, Int::Floor(_));
        crate::loops::walk::walk_int(self, e);
    }

    fn enter(&mut self, node: &Node) {
        match node {
            Node::For(header) => self.ints_set.push(header.var),
            Node::SetInt(var, _) => self.ints_set.push(*var),
            Node::Set(var, _) | Node::Join(var, ..) => self.reals_set.push(*var),
            Node::Store(place, _) | Node::StoreInt(place, _) => {
                self.add(place.buffer, &place.indices, true);
            }
            Node::Accumulate(place, ..) | Node::AddInt(place, _) => {
                self.add(place.buffer, &place.indices, true);
            }
            Node::Check(..) => self.checks = true,
            Node::Note(_) | Node::If(..) | Node::Visit(_) => {}
        }
    }
}
