//! Innermost loops of constant length as straight lines, with those around that say which residue they have.

use crate::loops::walk::{Rewrite, rebuild_int, rebuild_node};
use crate::loops::{For, Int, IntId, Node, Order};
use crate::lower::UNROLLED;
use crate::tile::mentions_any;

/// A loop is unrolled into at most this many nodes.
pub(super) const MAX_NODES: usize = 64;

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
    header.order != Order::Descending
        && length(header).is_some_and(|length| {
            length <= UNROLLED && count(&header.body) * length.max(0) as usize <= MAX_NODES
        })
}

/// How many steps a loop has whatever its variables and sizes are, if so: `2` for `i in 2*k .. 2*k + 2`.
fn length(header: &For) -> Option<i64> {
    let ([start], [end]) = (header.lower.as_slice(), header.upper.as_slice()) else { return None };
    // residues are of numbers
    let fixed = header.stride.is_none() || start.as_const().is_some();
    if fixed { end.clone().minus(start.clone()).as_const() } else { None }
}

/// How many nodes there are, those inside others included.
pub(super) fn count(nodes: &[Node]) -> usize {
    nodes.iter().map(|node| 1 + count(node.inside())).sum()
}

fn steps(header: &For) -> Vec<Node> {
    let Some(length) = length(header) else {
        unreachable!("the caller has checked that the length is constant")
    };
    let at = |step: i64| header.lower[0].clone().offset(step);
    let has = |step: &i64| match (&header.stride, at(*step).as_const()) {
        (Some((modulus, Int::Const(residue))), Some(at)) => at.rem_euclid(*modulus) == *residue,
        (Some(_) | None, _) => true,
    };
    let mut all = (0..length).filter(has).peekable();
    let first = all.peek().copied();
    let step = |step| {
        let mut nodes = Fix { var: header.var, value: at(step) }.nodes(&header.body);
        // what a node says is said once
        nodes.retain(|node| Some(step) == first || !matches!(node, Node::Note(_)));
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

#[cfg(test)]
mod tests {
    use super::unroll;
    use crate::loops::LoopProgram;

    fn unrolled(nodes: &str) -> String {
        let head = "loops f\nsize n\ninput x: real[2*n]\noutput y: real[2*n]\nints i, k\nreals t\nstatements y\n";
        let mut program = LoopProgram::parse(&format!("{head}{nodes}")).unwrap();
        program.body = unroll(&program.body);
        program.to_string().split_once("statements y\n").unwrap().1.to_owned()
    }

    #[test]
    fn loops_that_begin_anywhere_unroll_if_their_length_is_a_number() {
        let around = |inner: &str| format!("for i in 0 .. n {{\n{inner}}}\n");
        let pair = around("    for k in 2 * i .. 2 * i + 2 {\n        y[k] = x[k]\n    }\n");
        let lines = around("    y[2 * i] = x[2 * i]\n    y[2 * i + 1] = x[2 * i + 1]\n");
        assert_eq!(unrolled(&pair), lines);
        for ends in ["i .. 2 * i", "2 * i .. 2 * i + 2 where 1 of 2", "max(0, i) .. i + 2"] {
            let text = pair.replace("2 * i .. 2 * i + 2", ends);
            assert_eq!(unrolled(&text), text);
        }
    }
}
