//! Loops taken apart for tiles.
//!
//! A derivative often computes two products in one loop, as in
//! `for i { for l { r = 0; for j { c[i, j] += a[i, l] * b[l, j]; r += b[l, j] * d[i, j] }; e[i, l] = r } }`. No tile comes
//! of that; of the two loops that it is made of, one for `c` and one for `e`, tiles come. So they do of
//! `for j { s[j] = ..; for any a { y[a] += k[j, a] * s[j] } }`: what a loop that only adds reads may be written at the same step.

use super::footprint::Footprint;
use super::fresh::Fresh;
use super::sites::only;
use super::turn::adds;
use crate::loops::{For, IntId, LoopProgram, Node, RelationTable};

/// Takes the loops at top level apart.
pub(super) fn part(program: &mut LoopProgram) {
    let body = std::mem::take(&mut program.body);
    let relations = program.relations.clone();
    let mut part = Part { relations, fresh: Fresh::new(program, &body) };
    program.body = part.list(body);
}

/// The loops that a loop at top level of a program with this body is made of.
pub(super) fn parts(program: &mut LoopProgram, body: &[Node], header: For) -> Vec<Node> {
    let relations = program.relations.clone();
    Part { relations, fresh: Fresh::new(program, body) }.parts(header)
}

struct Part<'p> {
    relations: Vec<RelationTable>,
    fresh: Fresh<'p>,
}

impl Part<'_> {
    /// Nodes with their loops taken apart.
    fn list(&mut self, nodes: Vec<Node>) -> Vec<Node> {
        let parts = |node: Node| {
            if let Node::For(header) = node {
                self.parts(*header)
            } else {
                vec![node.map_inside(|body| self.list(body))]
            }
        };
        nodes.into_iter().flat_map(parts).collect()
    }

    /// The loops that a loop is made of; no two have a variable in common.
    fn parts(&mut self, mut header: For) -> Vec<Node> {
        let body = self.list(std::mem::take(&mut header.body));
        let groups = groups(&self.relations, header.var, body);
        let loops = groups.into_iter().enumerate().map(|(at, body)| {
            let part = For { body, ..header.bare() };
            Node::For(Box::new(if at == 0 { part } else { self.fresh.copy(&part) }))
        });
        loops.collect()
    }
}

/// Nodes of a loop that stay together, with their places.
#[derive(Default)]
struct Group {
    nodes: Vec<(usize, Node)>,
    touched: Vec<Touched>,
    all: Footprint,
}

/// What a node of a loop touches.
struct Touched {
    at: usize,
    footprint: Footprint,
    /// Whether it is a loop that only adds to entries.
    adds: bool,
}

/// Nodes in groups, in order in each, that may run one group after the other: no two touch what either writes, or only at
/// the same step where one is a loop that adds. Notes and visits belong to what follows.
fn groups(relations: &[RelationTable], var: IntId, nodes: Vec<Node>) -> Vec<Vec<Node>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut waiting = Vec::new();
    for (at, node) in nodes.into_iter().enumerate() {
        waiting.push((at, node));
        let Some((_, node)) = waiting.last() else { continue };
        if matches!(node, Node::Note(_) | Node::Visit(_)) {
            continue;
        }
        let footprint = Footprint::of_steps(node, var);
        let (adds, all) = (only_adds(node), footprint.clone());
        let touched = vec![Touched { at, footprint, adds }];
        let mut joined = Group { nodes: std::mem::take(&mut waiting), touched, all };
        let (near, far): (Vec<Group>, Vec<Group>) =
            groups.into_iter().partition(|other| is_near(relations, var, other, &joined));
        groups = far;
        near.into_iter().for_each(|other| joined.absorb(other));
        groups.push(joined);
    }
    groups.last_mut().iter_mut().for_each(|last| last.nodes.append(&mut waiting));
    groups.sort_by_key(Group::first);
    while let Some((a, b)) = crossing(&groups) {
        let other = groups.remove(b);
        groups[a].absorb(other);
    }
    groups
        .into_iter()
        .map(|group| group.nodes.into_iter().map(|(_, node)| node).collect())
        .collect()
}

impl Group {
    fn absorb(&mut self, other: Self) {
        self.nodes.extend(other.nodes);
        self.nodes.sort_by_key(|(at, _)| *at);
        self.touched.extend(other.touched);
        self.all.absorb(other.all);
    }

    fn first(&self) -> Option<usize> {
        self.nodes.first().map(|(at, _)| *at)
    }
}

/// Whether a node of one group must stay with one of another.
fn is_near(relations: &[RelationTable], var: IntId, a: &Group, b: &Group) -> bool {
    !a.all.commutes(&b.all)
        && pairs(a, b).any(|(a, b)| {
            let (x, y) = (&a.footprint, &b.footprint);
            !x.commutes(y) && !((a.adds || b.adds) && x.is_aligned(relations, var, y, var))
        })
}

/// Two groups of which neither can run as a whole before the other one.
fn crossing(groups: &[Group]) -> Option<(usize, usize)> {
    let crosses = |a: &Group, b: &Group| {
        !a.all.commutes(&b.all)
            && pairs(a, b).any(|(a, b)| a.at > b.at && !a.footprint.commutes(&b.footprint))
    };
    let after = |a: usize| (a + 1..groups.len()).map(move |b| (a, b));
    (0..groups.len()).flat_map(after).find(|(a, b)| crosses(&groups[*a], &groups[*b]))
}

fn pairs<'g>(a: &'g Group, b: &'g Group) -> impl Iterator<Item = (&'g Touched, &'g Touched)> {
    a.touched.iter().flat_map(|a| b.touched.iter().map(move |b| (a, b)))
}

/// Whether a node is a loop that only adds to entries.
fn only_adds(node: &Node) -> bool {
    let Node::For(header) = node else { return false };
    adds(&header.body).is_some() || only(&header.body).is_some_and(only_adds)
}

#[cfg(test)]
mod tests {
    use super::part;
    use crate::loops::LoopProgram;

    fn parted(body: &str) -> usize {
        let head = "loops f\nsize n\ninput a: real[n]\ninput k: real[n, n]\noutput s: real[n]\noutput y: real[n]\nints j, i\nreals r\n";
        let text = format!("{head}for j in 0 .. n {{\n{body}\n}}\n");
        let mut program = LoopProgram::parse(&text).unwrap_or_else(|e| panic!("{e}"));
        part(&mut program);
        program.body.len()
    }

    #[test]
    fn a_loop_that_adds_is_taken_out() {
        let adds = "for any i in 0 .. n {\ny[i] += k[j, i] * s[j]\n}";
        assert_eq!(parted(&format!("s[j] = a[j]\n{adds}")), 2);
        assert_eq!(parted(&format!("s[j] = a[j]\n{adds}\ns[j] += 1.0")), 1);
        assert_eq!(parted(&format!("s[j] = y[j]\n{adds}")), 1);
        assert_eq!(parted(&format!("r = a[j]\n{}", adds.replace("s[j]", "r"))), 1);
        let other = adds.replace("s[j]", "s[n - 1 - j]");
        assert_eq!(parted(&format!("s[j] = a[j]\n{other}")), 1);
    }

    #[test]
    fn what_the_step_before_has_written_is_not_taken_apart() {
        let adds = "for any i in 0 .. n {\ny[i] += k[j, i] * s[j - 1]\n}";
        assert_eq!(parted(&format!("{adds}\ns[j] = a[j]")), 1);
        assert_eq!(parted("y[j] = s[j - 1]\ns[j] = a[j]"), 1);
        assert_eq!(parted("y[j] = a[j - 1]\ns[j] = a[j]"), 2);
    }
}
