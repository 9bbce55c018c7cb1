//! Transposed copies for tiles.
//!
//! In `for i { for any j { r = 0; for k { r += a[i, k] * b[j, k] }; .. } }` neighbours `j` read `b` far apart. A copy
//! with the axes in the other order, made once before the loops, has them side by side. It costs as much as
//! one step of a loop around that reads all of `b` again, so there must be such a loop, and a tile must come of it.

use crate::loops::walk::{Rewrite, rebuild_node, rebuild_real};
use crate::loops::{
    Buffer, BufferId, Element, For, Int, IntId, LoopProgram, Node, Place, Real, Role,
};
use crate::native::Mentions;
use crate::tile::{follows, mentions_any, strip};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// Has loops read transposed copies where they are strips then.
pub(super) fn transpose(program: &mut LoopProgram) {
    let mut copies = FxHashMap::default();
    let mut body = Vec::new();
    for node in std::mem::take(&mut program.body) {
        let written = Mentions::of(program, std::slice::from_ref(&node)).written;
        let known = copies.len();
        let mut transpose = Transpose { program, written: &written, copies: &mut copies };
        let node = transpose.node(node, false);
        if copies.len() > known {
            let mut made: Vec<_> = copies.iter().filter(|(_, copy)| !copy.filled).collect();
            made.sort_by_key(|(_, copy)| copy.buffer);
            let fills: Vec<Node> = made
                .into_iter()
                .map(|((source, axis), copy)| fill(program, *source, *axis, copy.buffer))
                .collect();
            body.extend(fills);
            copies.values_mut().for_each(|copy| copy.filled = true);
        }
        body.push(node);
        copies.retain(|(source, _), _| !written.contains(source));
    }
    program.body = body;
}

/// A copy of a buffer in which one axis is the last.
struct Copied {
    buffer: BufferId,
    filled: bool,
}

type Copies = FxHashMap<(BufferId, usize), Copied>;

struct Transpose<'p> {
    program: &'p mut LoopProgram,
    /// The buffers that the node at top level writes.
    written: &'p BTreeSet<BufferId>,
    copies: &'p mut Copies,
}

impl Transpose<'_> {
    fn node(&mut self, node: Node, around: bool) -> Node {
        let Node::For(header) = node else {
            return node.map_inside(|body| self.nodes(body, around));
        };
        if around
            && strip(self.program, &header).is_none()
            && let Some(found) = self.strip(&header)
        {
            return Node::For(Box::new(found));
        }
        Node::For(header).map_inside(|body| self.nodes(body, true))
    }

    fn nodes(&mut self, nodes: Vec<Node>, around: bool) -> Vec<Node> {
        nodes.into_iter().map(|node| self.node(node, around)).collect()
    }

    /// A loop that reads copies, if it is a strip then.
    fn strip(&mut self, header: &For) -> Option<For> {
        let (buffers, known) = (self.program.buffers.len(), self.copies.len());
        let mut inside = vec![header.var];
        header.body.iter().for_each(|node| loop_vars(node, &mut inside));
        let mut reads = Reads { transpose: self, var: header.var, inside: &inside };
        let body = reads.nodes(&header.body);
        let found = For { body, ..header.bare() };
        if strip(self.program, &found).is_some() {
            return Some(found);
        }
        if self.copies.len() > known {
            self.copies.retain(|_, copy| copy.buffer.index() < buffers);
            self.program.buffers.truncate(buffers);
        }
        None
    }

    /// The copy of a buffer in which an axis is the last.
    fn copy(&mut self, source: BufferId, axis: usize) -> BufferId {
        if let Some(copy) = self.copies.get(&(source, axis)) {
            return copy.buffer;
        }
        let Buffer { name, element, extents, .. } = self.program.buffer(source).clone();
        let extents = moved(&extents, axis);
        let copy = Buffer { name, element, extents, role: Role::Temporary };
        let buffer = self.program.add_buffer(copy);
        self.copies.insert((source, axis), Copied { buffer, filled: false });
        buffer
    }
}

/// A list with one thing moved to its end.
fn moved<T: Clone>(list: &[T], axis: usize) -> Vec<T> {
    let (before, after) = (list[..axis].iter(), list[axis + 1..].iter());
    before.chain(after).chain([&list[axis]]).cloned().collect()
}

/// Puts loads of copies in the place of those that a loop spreads.
struct Reads<'r, 'p> {
    transpose: &'r mut Transpose<'p>,
    var: IntId,
    /// The variables of the loop and of those inside.
    inside: &'r [IntId],
}

impl Reads<'_, '_> {
    /// The axis along which a loop moves, if it is not the last and the entries depend on nothing around.
    fn axis(&self, buffer: BufferId, indices: &[Int]) -> Option<usize> {
        let moves = |e: &Int| mentions_any(std::slice::from_ref(e), &[self.var]);
        let axis = indices.iter().position(moves)?;
        let real = self.transpose.program.buffer(buffer).element == Element::Real;
        let once = indices.iter().filter(|e| moves(e)).count() == 1;
        let unit = follows(&indices[axis], self.var, &[self.var]);
        let still = indices.iter().all(|e| is_of(e, self.inside));
        let kept = !self.transpose.written.contains(&buffer);
        (real && once && unit && still && kept && axis + 1 < indices.len()).then_some(axis)
    }
}

impl Rewrite for Reads<'_, '_> {
    fn real(&mut self, e: &Real) -> Real {
        if let Real::Load(buffer, indices) = e
            && let Some(axis) = self.axis(*buffer, indices)
        {
            return Real::Load(self.transpose.copy(*buffer, axis), moved(indices, axis));
        }
        rebuild_real(self, e)
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        vec![rebuild_node(self, node)]
    }
}

/// Whether an index is a sum of sizes and of these variables.
fn is_of(e: &Int, vars: &[IntId]) -> bool {
    match e {
        Int::Const(_) | Int::Size(_) => true,
        Int::Var(var) => vars.contains(var),
        Int::Sum(terms, _) => terms.iter().all(|(_, e)| is_of(e, vars)),
        Int::Product(factors) => factors.iter().all(|e| is_of(e, vars)),
        Int::Load(..)
        | Int::Div(..)
        | Int::Mod(..)
        | Int::DivBy(_)
        | Int::Floor(_)
        | Int::Select(_) => false,
    }
}

fn loop_vars(node: &Node, vars: &mut Vec<IntId>) {
    if let Node::For(header) = node {
        vars.push(header.var);
    }
    node.inside().iter().for_each(|node| loop_vars(node, vars));
}

/// The loops that fill a copy.
fn fill(program: &mut LoopProgram, source: BufferId, axis: usize, copy: BufferId) -> Node {
    let extents = program.buffer(source).extents.clone();
    let order = moved(&(0..extents.len()).collect::<Vec<_>>(), axis);
    program.nest("i", &extents, &order, |indices| {
        let place = Place { buffer: copy, indices: moved(&indices, axis) };
        Node::Store(place, Real::Load(source, indices))
    })
}
