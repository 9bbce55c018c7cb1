//! Clearing a buffer stands alone.
//!
//! `for i { b[i] = 0; r += x[i] }`, where nothing before and nothing else in the loop touches `b`, becomes
//! `for i { b[i] = 0 }; for i { r += x[i] }`: engines clear memory as a whole faster than entry by entry, and need not
//! clear what is zero already.

use super::sites::{Kind, Site, lists, only, sites};
use crate::loops::{BufferId, Element, For, Int, LoopProgram, Node, Place, Real, Role};
use rustc_hash::FxHashMap;

/// Takes clearing out of loops that do something else.
pub(super) fn clear_alone(program: &mut LoopProgram) {
    let mut by_buffer = sites(&program.body);
    for id in (0..program.buffers.len()).map(|at| BufferId(at as u32)) {
        let Some(site) = first_clear(program, id, by_buffer.get(&id).map_or(&[], Vec::as_slice))
        else {
            continue;
        };
        if alone(&program.body[site.path[0]]).is_none() {
            remove(&mut program.body, &site.path);
            let nest = nest(program, id);
            program.body.insert(site.path[0], nest);
            by_buffer = sites(&program.body);
        }
    }
}

/// The same program with what clears buffers in front of all else, if that is another one: so it is not between loops.
pub(super) fn clear_first(program: &LoopProgram) -> Option<LoopProgram> {
    in_front(program, |_| true).map(|body| LoopProgram { body, ..program.clone() })
}

/// The nodes with what clears some buffers in front of all else, if that is another order.
pub(super) fn in_front(
    program: &LoopProgram,
    some: impl Fn(BufferId) -> bool,
) -> Option<Vec<Node>> {
    let clears = clears(program);
    let first = |at: &usize| clears.get(at).is_some_and(|buffer| some(*buffer));
    let (first, rest): (Vec<usize>, Vec<usize>) = (0..program.body.len()).partition(first);
    let order = [first, rest].concat();
    let nodes = |order: Vec<usize>| order.into_iter().map(|at| program.body[at].clone()).collect();
    (!order.is_sorted()).then(|| nodes(order))
}

/// The nodes at top level that clear a buffer, first of all and alone, by their places.
pub(crate) fn clears(program: &LoopProgram) -> FxHashMap<usize, BufferId> {
    clears_of(program, &sites(&program.body))
}

/// The same, where the accesses are known.
pub(super) fn clears_of(
    program: &LoopProgram,
    by_buffer: &FxHashMap<BufferId, Vec<Site>>,
) -> FxHashMap<usize, BufferId> {
    let one = |at| Some((at, cleared_there(program, by_buffer, at)?));
    (0..program.body.len()).filter_map(one).collect()
}

/// The buffer that a node at top level clears, which it does first of all and alone.
pub(super) fn cleared(program: &LoopProgram, at: usize) -> Option<BufferId> {
    alone(&program.body[at])?;
    cleared_there(program, &sites(&program.body), at)
}

fn cleared_there(
    program: &LoopProgram,
    by_buffer: &FxHashMap<BufferId, Vec<Site>>,
    at: usize,
) -> Option<BufferId> {
    let buffer = alone(&program.body[at])?;
    let site = first_clear(program, buffer, &by_buffer[&buffer])?;
    (site.path[0] == at).then_some(buffer)
}

/// The buffer that a nest of loops stores to, if it does nothing else.
fn alone(node: &Node) -> Option<BufferId> {
    if let Node::Store(place, Real::Const(_)) = node {
        return Some(place.buffer);
    }
    let Node::For(header) = node else { return None };
    alone(only(&header.body)?)
}

/// The store that clears all of a buffer, if that is what touches it first.
fn first_clear(program: &LoopProgram, id: BufferId, sites: &[Site]) -> Option<Site> {
    let [first, others @ ..] = sites else { return None };
    let buffer = program.buffer(id);
    let zero = matches!(first.kind, Kind::Store(Some(value)) if value.to_bits() == 0);
    let real = buffer.element == Element::Real && buffer.role != Role::Input;
    let later = others.iter().all(|other| other.path[0] > first.path[0]);
    let around = lists(&program.body, &first.path);
    let headers = around[..around.len() - 1].iter().map(|(list, place)| {
        if let Node::For(header) = &list[*place] { Some(&**header) } else { None }
    });
    let headers: Option<Vec<&For>> = headers.collect();
    let whole = headers.is_some_and(|headers| {
        let axis = |(header, (index, extent)): (&&For, (&Int, &Int))| {
            header.stride.is_none()
                && header.lower == [Int::Const(0)]
                && header.upper == [extent.clone()]
                && *index == Int::Var(header.var)
        };
        let axes = first.indices.iter().zip(&buffer.extents);
        !headers.is_empty()
            && headers.len() == first.indices.len()
            && headers.iter().zip(axes).all(axis)
    });
    (zero && real && later && whole).then(|| first.clone())
}

/// Loops that clear a buffer.
pub(super) fn nest(program: &mut LoopProgram, buffer: BufferId) -> Node {
    let extents = program.buffer(buffer).extents.clone();
    let order: Vec<usize> = (0..extents.len()).collect();
    program.nest("k", &extents, &order, |indices| {
        Node::Store(Place { buffer, indices }, Real::Const(0.0))
    })
}

/// Takes out the node at a path, and the loops that then do nothing.
fn remove(body: &mut Vec<Node>, path: &[usize]) {
    let [at, rest @ ..] = path else { unreachable!("a path has the place of its node") };
    if let (Node::For(header), [_, ..]) = (&mut body[*at], rest) {
        remove(&mut header.body, rest);
        if header.body.iter().any(|node| !matches!(node, Node::Note(_))) {
            return;
        }
    }
    body.remove(*at);
}
