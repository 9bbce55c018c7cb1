//! Nests that add to entries of their inner loops, turned into sums where they then run in another nest.
//!
//! `for i { for any j in i + 1 .. n { r = f(x[i], x[j]); b[j] += r } }` goes through `x` and `b` once for each `i`. As
//! `for any j { for i in 0 .. j { r = f(x[i], x[j]); b[j] += r } }` it does the same, each entry's terms in the same order, and a nest that
//! sums over `i` for each `j` already can take its steps too, with what both compute for a pair computed once. And where it reads `a[j, i]`, it
//! goes along rows.

use super::ends::strongest;
use super::facts::Facts;
use super::footprint::factor_of;
use super::merge;
use super::sites::only;
use super::turn::Shifts;
use crate::loops::walk::Visit;
use crate::loops::{BufferId, CmpOp, For, Int, IntId, LoopProgram, Node, Order, Place, RealId};
use crate::tile::mentions_any;

/// Turns nests at top level if there are fewer nests then.
pub(super) fn gather(program: &mut LoopProgram) {
    let nests = |program: &LoopProgram| program.body.iter().filter(|node| is_nest(node)).count();
    for at in 0..program.body.len() {
        let Some(Node::For(header)) = program.body.get(at) else { continue };
        let Some(turned) = turned(header, |nest| !nest.has_large()) else { continue };
        let mut candidate = program.clone();
        candidate.body[at] = Node::For(Box::new(turned));
        merge::merge(&mut candidate);
        if nests(&candidate) < nests(program) {
            *program = candidate;
        }
    }
}

fn is_nest(node: &Node) -> bool {
    matches!(node, Node::For(header) if header.body.iter().any(|node| matches!(node, Node::For(_))))
}

/// Two loops, one in the other, around a straight line that reads all entries that move with both along the inner one; turned, if they are
/// then.
pub(super) fn along(node: &Node) -> Option<Node> {
    let Node::For(outer) = node else { return None };
    let Node::For(inner) = only(&outer.body)? else { return None };
    let mut line = Line::default();
    if !inner.body.iter().all(|node| line.adds(node)) {
        return None;
    }
    let nest = Nest { outer: outer.var, inner: inner.var, line: &line };
    if nest.goes_along(inner.var) {
        return Some(node.clone());
    }
    let turned = turned(outer, |nest| nest.goes_along(nest.outer))?;
    Some(Node::For(Box::new(turned)))
}

/// A straight line in two loops.
struct Nest<'l> {
    outer: IntId,
    inner: IntId,
    line: &'l Line,
}

impl Nest<'_> {
    /// The entries that move with both loops.
    fn large(&self) -> impl Iterator<Item = &[Int]> {
        let both = |indices: &&[Int]| {
            [self.outer, self.inner].iter().all(|var| mentions_any(indices, &[*var]))
        };
        self.line.loads.iter().map(|(_, indices)| indices.as_slice()).filter(both)
    }

    fn has_large(&self) -> bool {
        self.large().next().is_some()
    }

    /// Whether one of the loops moves the last index alone of these entries, to the next one.
    fn goes_along(&self, var: IntId) -> bool {
        self.large().all(|indices| {
            indices.split_last().is_some_and(|(last, rows)| {
                factor_of(last, var) == 1 && !mentions_any(rows, &[var])
            })
        })
    }
}

/// A nest turned, if it is two loops around a straight line that adds to entries of the inner one, and is wanted.
fn turned(outer: &For, wanted: impl Fn(&Nest<'_>) -> bool) -> Option<For> {
    let Node::For(inner) = only(&outer.body)? else { return None };
    let ordered = outer.order != Order::Descending && inner.order == Order::Parallel;
    if !ordered || outer.stride.is_some() || inner.stride.is_some() {
        return None;
    }
    let mut line = Line::default();
    let straight = inner.body.iter().all(|node| line.adds(node));
    let own = Int::Var(inner.var);
    let sums = line
        .places
        .iter()
        .all(|place| place.indices.contains(&own) && !mentions_any(&place.indices, &[outer.var]));
    let written = |(buffer, _): &(BufferId, _)| line.places.iter().any(|p| p.buffer == *buffer);
    let nest = Nest { outer: outer.var, inner: inner.var, line: &line };
    if !straight || !sums || line.loads.iter().any(written) || !wanted(&nest) {
        return None;
    }
    let ends = Shifts::of(outer, inner)?;
    let (mut steps, mut whole) = (outer.bare(), inner.bare());
    (whole.lower, whole.upper) = (ends.lower, ends.upper);
    let mut facts = Facts::default();
    facts.bounds(&whole);
    steps.lower.extend(ends.from);
    steps.upper.extend(ends.below);
    steps.lower = strongest(steps.lower.iter(), |a, b| facts.prove(CmpOp::Ge, a, b));
    steps.upper = strongest(steps.upper.iter(), |a, b| facts.prove(CmpOp::Le, a, b));
    steps.body.clone_from(&inner.body);
    whole.body = vec![Node::For(Box::new(steps))];
    Some(whole)
}

/// A straight line that computes variables of its own and adds to entries.
#[derive(Default)]
struct Line {
    set: Vec<RealId>,
    loads: Vec<(BufferId, Vec<Int>)>,
    places: Vec<Place>,
    /// Whether it reads a variable that it has not set.
    open: bool,
}

impl Line {
    /// Takes the next node; false if it belongs to no such line.
    fn adds(&mut self, node: &Node) -> bool {
        self.node(node);
        match node {
            Node::Set(var, _) => self.set.push(*var),
            Node::Accumulate(place, ..) => self.places.push(place.clone()),
            Node::Join(var, ..) => return self.set.contains(var),
            Node::Note(_) | Node::Visit(_) => {}
            Node::For(_)
            | Node::If(..)
            | Node::SetInt(..)
            | Node::Store(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Check(..) => return false,
        }
        !self.open
    }
}

impl Visit for Line {
    fn load(&mut self, buffer: BufferId, indices: &[Int]) {
        self.loads.push((buffer, indices.to_vec()));
    }

    fn real_var(&mut self, var: RealId) {
        self.open |= !self.set.contains(&var);
    }

    fn int_var(&mut self, _: IntId) {}
}
