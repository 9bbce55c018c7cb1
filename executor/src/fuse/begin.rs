//! Entries that are accumulated under conditions at one step are cleared at that step.
//!
//! `for k { b[k] = 0 }; for e { i = p[e]; if c { b[i] += x }; .. b[i] .. }`, where each step `e` has an entry of its own
//! and nothing else touches `b`, gets `b[i] = 0` in front of the condition: so [`super::contract`] makes a variable of it.

use super::contract::is_fixed;
use super::sites::{Kind, Site, is_clear, list_at, lists, sites};
use super::tuples::Tuples;
use crate::loops::{BufferId, Element, LoopProgram, Node, Place, Real, Role};

/// Puts clears in front of the conditions of entries that become variables by that.
pub(super) fn clear_at_steps(program: &mut LoopProgram) {
    let tuples = Tuples::of(program);
    let mut by_buffer = sites(&program.body);
    for id in (0..program.buffers.len()).map(|at| BufferId(at as u32)) {
        let buffer = program.buffer(id);
        if buffer.role != Role::Temporary || buffer.element != Element::Real {
            continue;
        }
        let Some(sites) = by_buffer.get(&id) else { continue };
        if let Some((path, node)) = clear(&program.body, id, sites, &tuples) {
            let (list, place) = list_at(&mut program.body, &path);
            list.insert(place, node);
            by_buffer = self::sites(&program.body);
        }
    }
}

/// A store that clears the one entry that a step touches, and the path of the node that it stands in front of.
fn clear(
    body: &[Node],
    buffer: BufferId,
    sites: &[Site],
    tuples: &Tuples,
) -> Option<(Vec<usize>, Node)> {
    let group: Vec<&Site> = sites.iter().filter(|site| !is_clear(site, sites)).collect();
    let first = *group.first()?;
    let Kind::Accumulate(fold) = first.kind else { return None };
    let one = group.iter().all(|site| {
        let alike = !matches!(site.kind, Kind::Accumulate(other) if other != fold);
        alike && site.indices == first.indices && site.loops == first.loops
    });
    let own = tuples.is_step(&first.indices, &first.loops)
        && first.indices.iter().all(|index| is_fixed(index, &first.loops, tuples));
    if group.len() == sites.len() || !one || !own {
        return None;
    }
    // the list that all of them stand in
    let same =
        |length: &usize| group.iter().all(|site| site.list().starts_with(&first.path[..*length]));
    let depth = (0..first.path.len()).rev().find(same)?;
    let is_loop = |(list, place): &(&[Node], usize)| matches!(list[*place], Node::For(_));
    let loop_inside = lists(body, &first.path).iter().skip(depth).any(is_loop);
    if depth == first.list().len() || loop_inside {
        return None;
    }
    let place = Place { buffer, indices: first.indices.clone() };
    Some((first.path[..=depth].to_vec(), Node::Store(place, Real::Const(fold.empty()))))
}
