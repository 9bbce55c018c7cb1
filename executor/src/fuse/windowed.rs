//! Loops over rows as loops over a window of them.

use super::footprint::Footprint;
use crate::loops::walk::{Rewrite, rebuild_node};
use crate::loops::{BufferId, Int, IntId, Node, Place};

/// Has loops over rows run over the window that begins at `start`, or rows around it.
pub(super) struct Windowed<'l> {
    /// The variables of the loops.
    pub(super) vars: Vec<IntId>,
    pub(super) start: IntId,
    /// The first of the rows, and the one after the last, counted from `start`.
    pub(super) rows: [i64; 2],
    /// The buffers that keep the rows of a window, each with the axis of its rows.
    pub(super) locals: &'l [(BufferId, usize)],
    /// The first row that they keep, counted from `start`.
    pub(super) first: i64,
}

impl Windowed<'_> {
    /// The node, for one window.
    pub(super) fn window(mut self, node: &Node) -> Vec<Node> {
        self.node(node)
    }
}

impl Rewrite for Windowed<'_> {
    fn access(&mut self, buffer: BufferId, indices: &[Int]) -> Place {
        let mut indices: Vec<Int> = indices.iter().map(|index| self.int(index)).collect();
        if let Some((_, axis)) = self.locals.iter().find(|(local, _)| *local == buffer) {
            let row = indices[*axis].clone().minus(Int::Var(self.start));
            indices[*axis] = row.offset(-self.first);
        }
        Place { buffer, indices }
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        let mut rebuilt = rebuild_node(self, node);
        if let Node::For(header) = &mut rebuilt
            && self.vars.contains(&header.var)
        {
            let [from, to] = self.rows.map(|row| Int::Var(self.start).offset(row));
            header.lower.retain(|end| self.rows[0] < 0 || *end != Int::Const(0));
            header.lower.insert(0, from);
            header.upper.insert(0, to);
        }
        vec![rebuilt]
    }
}

/// Nodes, those under the same condition side by side as one.
pub(super) fn joined_conditions(nodes: Vec<Node>) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    for node in nodes {
        match (out.last_mut(), node) {
            (Some(Node::If(known, first)), Node::If(cond, body))
                if *known == cond && Footprint::of(first).keeps(&cond) =>
            {
                first.extend(body);
                *first = joined_conditions(std::mem::take(first));
            }
            (_, node) => out.push(node),
        }
    }
    out
}
