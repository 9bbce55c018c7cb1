//! Loops over rows as loops over a window of them.

use super::footprint::Footprint;
use crate::loops::walk::{Rewrite, rebuild_node};
use crate::loops::{BufferId, Int, IntId, Node, Place};

/// Has loops over rows run over the window that begins at `start`.
pub(super) struct Windowed<'l> {
    /// The variables of the loops.
    pub(super) vars: Vec<IntId>,
    pub(super) start: IntId,
    pub(super) rows: i64,
    /// The buffers that keep the rows of a window, each with the axis of its rows.
    pub(super) locals: &'l [(BufferId, usize)],
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
            indices[*axis] = indices[*axis].clone().minus(Int::Var(self.start));
        }
        Place { buffer, indices }
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        let mut rebuilt = rebuild_node(self, node);
        if let Node::For(header) = &mut rebuilt
            && self.vars.contains(&header.var)
        {
            let start = Int::Var(self.start);
            header.lower.retain(|end| *end != Int::Const(0));
            header.lower.insert(0, start.clone());
            header.upper.insert(0, start.offset(self.rows));
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
