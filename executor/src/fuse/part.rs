//! Loops taken apart for tiles.
//!
//! A derivative often computes two products in one loop, as in
//! `for i { for l { r = 0; for j { c[i, j] += a[i, l] * b[l, j]; r += b[l, j] * d[i, j] }; e[i, l] = r } }`. No tile comes
//! of that; of the two loops that it is made of, one for `c` and one for `e`, tiles come.

use crate::loops::{For, LoopProgram, Node};
use crate::native::Mentions;

/// Takes the loops at top level apart.
pub(super) fn part(program: &mut LoopProgram) {
    let body = std::mem::take(&mut program.body);
    program.body = taken_apart(program, &body);
}

/// Nodes with their loops taken apart.
fn taken_apart(program: &LoopProgram, nodes: &[Node]) -> Vec<Node> {
    let parts = |node: &Node| {
        if let Node::For(header) = node {
            parts(program, header).into_iter().map(|part| Node::For(Box::new(part))).collect()
        } else {
            vec![node.clone()]
        }
    };
    nodes.iter().flat_map(parts).collect()
}

/// The loops that a loop is made of: no two of them touch what either writes, so they may run one after the other.
fn parts(program: &LoopProgram, header: &For) -> Vec<For> {
    let groups = groups(program, taken_apart(program, &header.body));
    groups.into_iter().map(|body| For { body, ..header.bare() }).collect()
}

/// Nodes in groups, in order in each; notes and visits belong to what follows.
fn groups(program: &LoopProgram, nodes: Vec<Node>) -> Vec<Vec<Node>> {
    let mut groups: Vec<(Vec<(usize, Node)>, Mentions)> = Vec::new();
    let mut waiting = Vec::new();
    for (at, node) in nodes.into_iter().enumerate() {
        waiting.push((at, node));
        let Some((_, node)) = waiting.last() else { continue };
        if matches!(node, Node::Note(_) | Node::Visit(_)) {
            continue;
        }
        let mentions = Mentions::of(program, std::slice::from_ref(node));
        let (near, far): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|(_, other)| other.conflicts(&mentions));
        groups = far;
        let mut near = near.into_iter();
        let mut joined = near.next().unwrap_or_default();
        joined.0.append(&mut waiting);
        joined.1.absorb(mentions);
        for (nodes, mentions) in near {
            joined.0.extend(nodes);
            joined.1.absorb(mentions);
        }
        groups.push(joined);
    }
    if let Some((last, _)) = groups.last_mut() {
        last.extend(waiting);
    }
    groups.iter_mut().for_each(|(nodes, _)| nodes.sort_by_key(|(at, _)| *at));
    groups.sort_by_key(|(nodes, _)| nodes.first().map(|(at, _)| *at));
    groups.into_iter().map(|(nodes, _)| nodes.into_iter().map(|(_, node)| node).collect()).collect()
}
