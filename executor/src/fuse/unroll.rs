//! Innermost loops of constant length as straight lines.

use crate::loops::walk::{Rewrite, rebuild_int, rebuild_node};
use crate::loops::{For, Int, IntId, Node, Order};
use crate::lower::UNROLLED;

/// A loop is unrolled into at most this many nodes.
const MAX_NODES: usize = 64;

/// The nodes with short innermost loops unrolled.
pub(super) fn unroll(nodes: &[Node]) -> Vec<Node> {
    Unroll.nodes(nodes)
}

struct Unroll;

impl Rewrite for Unroll {
    fn int(&mut self, e: &Int) -> Int {
        e.clone()
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        let rebuilt = rebuild_node(self, node);
        match &rebuilt {
            Node::For(header) if is_short(header) => steps(header),
            Node::For(_)
            | Node::Note(_)
            | Node::If(..)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => vec![rebuilt],
        }
    }
}

fn is_short(header: &For) -> bool {
    match (header.lower.as_slice(), header.upper.as_slice()) {
        ([Int::Const(start)], [Int::Const(end)]) => {
            header.stride.is_none()
                && header.order != Order::Descending
                && end - start <= UNROLLED
                && !header.body.iter().any(Node::has_loop)
                && count(&header.body) * (end - start).max(0) as usize <= MAX_NODES
        }
        _ => false,
    }
}

/// How many nodes there are, those inside others included.
pub(super) fn count(nodes: &[Node]) -> usize {
    nodes.iter().map(|node| 1 + count(node.inside())).sum()
}

fn steps(header: &For) -> Vec<Node> {
    let (Some(start), Some(end)) = (header.lower[0].as_const(), header.upper[0].as_const()) else {
        unreachable!("the caller has checked that the bounds are constant")
    };
    let step = |at| {
        let mut nodes = Fix { var: header.var, value: Int::Const(at) }.nodes(&header.body);
        // what a node says is said once
        nodes.retain(|node| at == start || !matches!(node, Node::Note(_)));
        nodes
    };
    (start..end).flat_map(step).collect()
}

/// Puts a value in the place of a variable.
pub(super) struct Fix {
    pub(super) var: IntId,
    pub(super) value: Int,
}

impl Rewrite for Fix {
    fn int(&mut self, e: &Int) -> Int {
        if *e == Int::Var(self.var) { self.value.clone() } else { rebuild_int(self, e) }
    }
}
