//! Temporaries that are never needed at once share memory.
//!
//! A temporary is needed from the first to the last node at top level that touches it. One
//! whose time is over gives its memory to a later one of the same element, if at each axis
//! their extents differ by a constant; the memory is then as large as the larger one.

use crate::loops::walk::{Rewrite, Visit, rebuild_int, rebuild_node, rebuild_real, walk_node};
use crate::loops::{Buffer, BufferId, Int, LoopProgram, Node, Place, Real, Role};
use rustc_hash::FxHashMap;

/// Has temporaries share memory. One that uses another one's memory keeps its id, without entries.
pub(super) fn reuse(program: &mut LoopProgram) {
    let mut given: FxHashMap<BufferId, BufferId> = FxHashMap::default();
    let mut notes: FxHashMap<usize, Vec<Node>> = FxHashMap::default();
    // memory in use, with the last node that needs it
    let mut memory: Vec<(BufferId, usize)> = Vec::new();
    for Needed { id, first, last } in needed(program) {
        let fits = |(owner, end): &(BufferId, usize)| {
            let extents = common(program.buffer(*owner), program.buffer(id))?;
            (*end < first).then_some(extents)
        };
        let fit = memory.iter().enumerate().find_map(|(at, used)| Some((at, fits(used)?)));
        let Some((at, extents)) = fit else {
            memory.push((id, last));
            continue;
        };
        memory[at].1 = last;
        let owner = memory[at].0;
        let text =
            format!("{} in the memory of {}", program.buffer(id).name, program.buffer(owner).name);
        notes.entry(first).or_default().push(Node::Note(text));
        given.insert(id, owner);
        program.buffers[owner.index()].extents = extents;
        program.drop_buffer(id);
    }
    if given.is_empty() {
        return;
    }
    let mut shared = Shared { given };
    let mut body = Vec::new();
    for (place, node) in program.body.iter().enumerate() {
        body.extend(notes.remove(&place).unwrap_or_default());
        body.extend(shared.node(node));
    }
    program.body = body;
}

/// When a temporary is needed: the first and the last node at top level that touches it.
struct Needed {
    id: BufferId,
    first: usize,
    last: usize,
}

/// When the temporaries are needed whose size is not constant, in order.
fn needed(program: &LoopProgram) -> Vec<Needed> {
    let mut all: Vec<Needed> = Vec::new();
    let mut known: FxHashMap<BufferId, usize> = FxHashMap::default();
    for (place, node) in program.body.iter().enumerate() {
        let mut touched = Touched::default();
        touched.node(node);
        for id in touched.0 {
            let buffer = program.buffer(id);
            let constant = buffer.extents.iter().all(|extent| extent.as_const().is_some());
            if buffer.role != Role::Temporary || constant {
                continue;
            }
            let at = *known.entry(id).or_insert_with(|| {
                all.push(Needed { id, first: place, last: place });
                all.len() - 1
            });
            all[at].last = place;
        }
    }
    all
}

/// The extents of a buffer that holds either of two, if they differ by constants.
fn common(a: &Buffer, b: &Buffer) -> Option<Vec<Int>> {
    if a.element != b.element || a.extents.len() != b.extents.len() {
        return None;
    }
    let larger = |(a, b): (&Int, &Int)| {
        let more = a.clone().minus(b.clone()).as_const()?;
        Some(if more >= 0 { a.clone() } else { b.clone() })
    };
    a.extents.iter().zip(&b.extents).map(larger).collect()
}

/// The buffers that a node touches, each time.
#[derive(Default)]
struct Touched(Vec<BufferId>);

impl Visit for Touched {
    fn load(&mut self, buffer: BufferId, _: &[Int]) {
        self.0.push(buffer);
    }

    fn node(&mut self, node: &Node) {
        if let Node::Store(place, _)
        | Node::Accumulate(place, ..)
        | Node::StoreInt(place, _)
        | Node::AddInt(place, _) = node
        {
            self.0.push(place.buffer);
        }
        walk_node(self, node);
    }
}

/// Puts buffers in the place of those that use their memory.
struct Shared {
    given: FxHashMap<BufferId, BufferId>,
}

impl Shared {
    fn owner(&self, id: BufferId) -> BufferId {
        self.given.get(&id).copied().unwrap_or(id)
    }

    fn at(&self, place: Place) -> Place {
        Place { buffer: self.owner(place.buffer), indices: place.indices }
    }
}

impl Rewrite for Shared {
    fn int(&mut self, e: &Int) -> Int {
        let rebuilt = rebuild_int(self, e);
        if let Int::Load(id, indices) = rebuilt {
            return Int::Load(self.owner(id), indices);
        }
        rebuilt
    }

    fn real(&mut self, e: &Real) -> Real {
        let rebuilt = rebuild_real(self, e);
        if let Real::Load(id, indices) = rebuilt {
            return Real::Load(self.owner(id), indices);
        }
        rebuilt
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        vec![match rebuild_node(self, node) {
            Node::Store(at, e) => Node::Store(self.at(at), e),
            Node::Accumulate(at, fold, e) => Node::Accumulate(self.at(at), fold, e),
            Node::StoreInt(at, e) => Node::StoreInt(self.at(at), e),
            Node::AddInt(at, e) => Node::AddInt(self.at(at), e),
            other @ (Node::Note(_)
            | Node::For(_)
            | Node::If(..)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Visit(_)
            | Node::Check(..)) => other,
        }]
    }
}
