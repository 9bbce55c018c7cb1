//! Buffers that are never needed at once share memory.
//!
//! A buffer is needed from the first to the last node at top level that touches it, a result from the first on. A
//! temporary whose time is over gives its memory to a later one of the same element, if at each axis
//! their extents differ by a constant; the memory is then as large as the larger one. A temporary whose time is over when that
//! of a result of the same extents begins is in the memory of that result. Both also where the one ends
//! in the loops in which the other begins, if each step is done with its entry before it writes that of the other
//! ([`in_place`]): `for i { y[i] = a * t[i] }`.

use super::clears::clears;
use super::sites::{Kind, Site, sites};
use crate::loops::walk::{Rewrite, Visit, walk_node};
use crate::loops::{Buffer, BufferId, Element, Int, LoopProgram, Node, Place, Role};
use rustc_hash::FxHashMap;

/// Has buffers share memory. A temporary that uses another one's memory keeps its id, without entries.
pub(super) fn reuse(program: &mut LoopProgram) {
    let by_buffer = sites(&program.body);
    let mut given: FxHashMap<BufferId, BufferId> = FxHashMap::default();
    let mut notes: FxHashMap<usize, Vec<Node>> = FxHashMap::default();
    // memory in use: whose it is, the buffer that needs it last, and the last node that does
    let mut memory: Vec<Needed> = Vec::new();
    for next in needed(program) {
        let Some((at, extents)) = fit(program, &by_buffer, &memory, &next) else {
            memory.push(next);
            continue;
        };
        let used = memory[at].owner;
        let (owner, other) = if next.is_result { (next.id, used) } else { (used, next.id) };
        memory[at] = Needed { owner, ..next };
        given.values_mut().filter(|known| **known == other).for_each(|known| *known = owner);
        given.insert(other, owner);
        let name = |id: BufferId| program.buffer(id).name.clone();
        let text = format!("{} in the memory of {}", name(other), name(owner));
        notes.entry(next.first).or_default().push(Node::Note(text));
        program.buffers[owner.index()].extents = extents;
        program.drop_buffer(other);
    }
    if given.is_empty() {
        return;
    }
    program.body = noted(&program.body, notes, &mut Shared { given });
}

/// Nodes rewritten, with notes in front of those at some places.
pub(super) fn noted(
    nodes: &[Node],
    mut notes: FxHashMap<usize, Vec<Node>>,
    rewrite: &mut impl Rewrite,
) -> Vec<Node> {
    let one = |(place, node)| {
        let own = notes.remove(&place).unwrap_or_default();
        own.into_iter().chain(rewrite.node(node))
    };
    nodes.iter().enumerate().flat_map(one).collect()
}

/// When memory is needed: the first and the last node at top level that touches it.
#[derive(Clone)]
struct Needed {
    /// The buffer whose memory it is.
    owner: BufferId,
    /// The buffer that needs it last.
    id: BufferId,
    first: usize,
    last: usize,
    is_result: bool,
}

/// When the temporaries and results are needed whose size is not constant, in order. Not results that are cleared first
/// of all: where nothing touches them before, new memory is not cleared again.
fn needed(program: &LoopProgram) -> Vec<Needed> {
    let mut all: Vec<Needed> = Vec::new();
    let mut known: FxHashMap<BufferId, usize> = FxHashMap::default();
    for (place, node) in program.body.iter().enumerate() {
        let mut touched = Touched::default();
        touched.node(node);
        for id in touched.0 {
            let at = *known.entry(id).or_insert_with(|| {
                let is_result = program.buffer(id).role == Role::Output;
                all.push(Needed { owner: id, id, first: place, last: place, is_result });
                all.len() - 1
            });
            all[at].last = if all[at].is_result { program.body.len() } else { place };
        }
    }
    let clears = clears(program);
    all.retain(|needed| {
        let buffer = program.buffer(needed.id);
        let constant = buffer.extents.iter().all(|extent| extent.as_const().is_some());
        let may = match buffer.role {
            Role::Temporary => true,
            Role::Output => clears.get(&needed.first) != Some(&needed.id),
            Role::Input | Role::Local => false,
        };
        may && !constant
    });
    all
}

/// The memory in use that a buffer can have, by its place, and the extents that it is to have.
fn fit(
    program: &LoopProgram,
    by_buffer: &FxHashMap<BufferId, Vec<Site>>,
    memory: &[Needed],
    next: &Needed,
) -> Option<(usize, Vec<Int>)> {
    memory.iter().enumerate().find_map(|(at, used)| {
        let (a, b) = (program.buffer(used.owner), program.buffer(next.id));
        let extents = common(a, b)?;
        let same = !next.is_result || a.extents == b.extents;
        let over = used.last < next.first
            || used.last == next.first
                && b.element == Element::Real
                && in_place(&by_buffer[&used.id], &by_buffer[&next.id], next.first);
        (same && over).then_some((at, extents))
    })
}

/// Whether each step of a node at top level is done with its entry of one buffer, for the last time, before it writes the
/// same entry of another one, for the first time: the indices of both are the variables of the loops around.
fn in_place(ended: &[Site], begun: &[Site], node: usize) -> bool {
    let Some(first) = begun.first().filter(|site| matches!(site.kind, Kind::Store(_))) else {
        return false;
    };
    let own = |site: &Site| site.path.starts_with(first.list()) && site.indices == first.indices;
    let here = |site: &&Site| site.path[0] == node;
    let before = |site: &Site| site.path[first.path.len() - 1] <= first.place();
    first.indices.len() == first.loops.len()
        && first.loops.iter().all(|var| first.indices.contains(&Int::Var(*var)))
        && begun.iter().filter(here).all(own)
        && ended.iter().filter(here).all(|site| own(site) && before(site))
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

impl Rewrite for Shared {
    fn access(&mut self, buffer: BufferId, indices: &[Int]) -> Place {
        let buffer = self.given.get(&buffer).copied().unwrap_or(buffer);
        Place { buffer, indices: indices.iter().map(|index| self.int(index)).collect() }
    }
}
