//! Loops over rows as loops over a window of them.

use super::footprint::Footprint;
use crate::loops::walk::{Rewrite, rebuild_int, rebuild_node, rebuild_real};
use crate::loops::{BufferId, Int, IntId, Node, Place, Real};

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

    fn indices(&self, buffer: BufferId, mut indices: Vec<Int>) -> Vec<Int> {
        if let Some((_, axis)) = self.locals.iter().find(|(local, _)| *local == buffer) {
            indices[*axis] = indices[*axis].clone().minus(Int::Var(self.start));
        }
        indices
    }

    fn at(&self, place: Place) -> Place {
        Place { buffer: place.buffer, indices: self.indices(place.buffer, place.indices) }
    }
}

impl Rewrite for Windowed<'_> {
    fn int(&mut self, e: &Int) -> Int {
        rebuild_int(self, e)
    }

    fn real(&mut self, e: &Real) -> Real {
        match rebuild_real(self, e) {
            Real::Load(id, indices) => Real::Load(id, self.indices(id, indices)),
            other @ (Real::Const(_)
            | Real::Int(_)
            | Real::Var(_)
            | Real::Apply(..)
            | Real::Select(_)) => other,
        }
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        vec![match rebuild_node(self, node) {
            Node::For(mut header) => {
                if self.vars.contains(&header.var) {
                    let start = Int::Var(self.start);
                    header.lower.retain(|end| *end != Int::Const(0));
                    header.lower.insert(0, start.clone());
                    header.upper.insert(0, start.offset(self.rows));
                }
                Node::For(header)
            }
            Node::Store(at, e) => Node::Store(self.at(at), e),
            Node::Accumulate(at, fold, e) => Node::Accumulate(self.at(at), fold, e),
            other @ (Node::Note(_)
            | Node::If(..)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..)) => other,
        }]
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
