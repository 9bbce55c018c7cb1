//! Innermost loops of constant length as straight lines, with those around that say which residue they have.

use crate::loops::walk::{Rewrite, rebuild_int, rebuild_node};
use crate::loops::{For, Int, IntId, Node, Order};
use crate::lower::UNROLLED;
use crate::tile::mentions_any;

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
            Node::For(header) if says_residues(header) => self.nodes(&steps(header)),
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
    has_few_steps(header)
        && matches!(header.stride, None | Some((_, Int::Const(_))))
        && !header.body.iter().any(Node::has_loop)
}

/// Whether the loops in a short one are short but for their residues, which its steps say: `for j in 0..3 { for k in 0..3 where (j + 1) % 3 of 3 { .. } }`.
fn says_residues(header: &For) -> bool {
    let of = |node: &Node| {
        let Node::For(inner) = node else { return !node.has_loop() };
        let own = |residue: &Int| mentions_any(std::slice::from_ref(residue), &[header.var]);
        has_few_steps(inner)
            && inner.stride.as_ref().is_some_and(|(_, residue)| own(residue))
            && !inner.body.iter().any(Node::has_loop)
    };
    has_few_steps(header)
        && header.stride.is_none()
        && header.body.iter().any(Node::has_loop)
        && header.body.iter().all(of)
}

fn has_few_steps(header: &For) -> bool {
    match (header.lower.as_slice(), header.upper.as_slice()) {
        ([Int::Const(start)], [Int::Const(end)]) => {
            header.order != Order::Descending
                && end - start <= UNROLLED
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
    let has = |at: &i64| match &header.stride {
        Some((modulus, Int::Const(residue))) => at.rem_euclid(*modulus) == *residue,
        Some(_) | None => true,
    };
    let mut all = (start..end).filter(has).peekable();
    let first = all.peek().copied();
    let step = |at| {
        let mut nodes = Fix { var: header.var, value: Int::Const(at) }.nodes(&header.body);
        // what a node says is said once
        nodes.retain(|node| Some(at) == first || !matches!(node, Node::Note(_)));
        nodes
    };
    all.flat_map(step).collect()
}

/// Puts a value in the place of a variable.
pub(crate) struct Fix {
    pub(crate) var: IntId,
    pub(crate) value: Int,
}

impl Rewrite for Fix {
    fn int(&mut self, e: &Int) -> Int {
        if *e == Int::Var(self.var) { self.value.clone() } else { rebuild_int(self, e) }
    }
}
