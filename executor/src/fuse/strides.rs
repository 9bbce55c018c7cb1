//! Loops over one residue become loops over all steps.
//!
//! `for i in a .. b where r of m { .. i .. }` is `for k in (a - r + m - 1) / m .. (b - r + m - 1) / m { .. m * k + r .. }`,
//! in which `i / m` is `k`: so loops over different residues of one buffer run as one.

use super::ends::is_plain;
use super::unroll::Fix;
use crate::loops::walk::{Rewrite, rebuild_int, rebuild_node};
use crate::loops::{For, Int, Node};

/// The nodes with loops over a constant residue made loops over all steps.
pub(super) fn dense(nodes: &[Node]) -> Vec<Node> {
    Dense.nodes(nodes)
}

struct Dense;

impl Rewrite for Dense {
    fn int(&mut self, e: &Int) -> Int {
        rebuild_int(self, e)
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        let rebuilt = rebuild_node(self, node);
        let Node::For(header) = &rebuilt else { return vec![rebuilt] };
        let Some((modulus, Int::Const(residue))) = header.stride else { return vec![rebuilt] };
        if !header.lower.iter().chain(&header.upper).all(is_plain) {
            return vec![rebuilt];
        }
        let end = |e: &Int| e.clone().offset(modulus - 1 - residue).divided(modulus);
        let value = Int::Var(header.var).times(modulus).offset(residue);
        let body = Fix { var: header.var, value }.nodes(&header.body);
        vec![Node::For(Box::new(For {
            lower: header.lower.iter().map(end).collect(),
            upper: header.upper.iter().map(end).collect(),
            stride: None,
            body,
            ..header.bare()
        }))]
    }
}
