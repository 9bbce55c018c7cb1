//! States that a step hands to the next stay in a variable.
//!
//! Let loops over steps `t`, all in one direction and one after the other, store a temporary at `s[t]` in each step, read it
//! at `s[t]` behind that and at the step before, `s[t - 1]` (`s[t + 1]` where they descend), in front of it; other indices are fixed
//! around the loops, and what else reads it reads the last step. Then a variable has the state: `s[t]` from the store on,
//! `s[t - 1]` before.
//!
//! * **Bytes**: none instead of one entry for each step.
//! * **Work**, **bits**: the same. A step need not wait until memory has the state of the one before.

use super::contract::is_fixed;
use super::rolling::Steps;
use super::sites::{Kind, Site, lists, sites};
use super::tuples::Tuples;
use crate::loops::walk::{Rewrite, rebuild_node, rebuild_real};
use crate::loops::{Buffer, BufferId, Element, Int, LoopProgram, Node, Real, RealId, Role};

/// Has variables carry states from step to step, where no others are read.
pub(super) fn carry(program: &mut LoopProgram) {
    while let Some((buffer, first)) = next(program) {
        let state = program.add_real(program.buffer(buffer).name.clone());
        let mut body = Carry { buffer, state }.nodes(&program.body);
        insert(&mut body, &first, Node::Set(state, Real::Const(0.0)));
        program.body = body;
        program.drop_buffer(buffer);
    }
}

/// A buffer that can be a variable, with the path of the first loop over its steps.
fn next(program: &LoopProgram) -> Option<(BufferId, Vec<usize>)> {
    let tuples = Tuples::of(program);
    let by_buffer = sites(&program.body);
    let one = |(at, buffer): (usize, &Buffer)| {
        let id = BufferId(at as u32);
        if buffer.role != Role::Temporary || buffer.element != Element::Real {
            return None;
        }
        let sites = by_buffer.get(&id)?;
        let mut axes = 0..buffer.extents.len();
        Some((id, axes.find_map(|axis| first_loop(program, &tuples, sites, axis))?))
    };
    program.buffers.iter().enumerate().find_map(one)
}

/// The path of the first loop over the steps of a buffer at an axis, if a variable can have its states.
fn first_loop(
    program: &LoopProgram,
    tuples: &Tuples,
    sites: &[Site],
    axis: usize,
) -> Option<Vec<usize>> {
    let first = sites.first()?;
    let around = lists(&program.body, &first.path);
    let level = around.iter().position(|(list, place)| {
        let Node::For(header) = &list[*place] else { return false };
        let offset = first.indices[axis].clone().minus(Int::Var(header.var));
        offset.as_const().is_some()
    })?;
    let path = &first.path[..level];
    if !sites.iter().all(|site| site.path.starts_with(path)) {
        return None;
    }
    let steps = Steps::of(around[level].0, level, sites, axis)?;
    let before = if steps.go_down() { 1 } else { -1 };
    let outer = first.loops.iter().position(|var| *var == steps.loops[0].1.var)?;
    let fixed = |site: &Site| {
        let others = site.indices.iter().zip(&first.indices).enumerate();
        others.filter(|(at, _)| *at != axis).all(|(_, (index, other))| {
            index == other && is_fixed(index, &first.loops[..outer], tuples)
        })
    };
    let handed = steps.loops.iter().all(|(place, header)| {
        let own = sites.iter().filter(|site| site.path[level] == *place);
        let offset =
            |site: &Site| site.indices[axis].clone().minus(Int::Var(header.var)).as_const();
        let mut own =
            own.skip_while(|site| site.kind == Kind::Load && offset(site) == Some(before));
        let stored = own.next().is_some_and(|site| {
            matches!(site.kind, Kind::Store(_))
                && site.path.len() == level + 2
                && offset(site) == Some(0)
        });
        stored && own.all(|site| offset(site) == Some(0))
    });
    let reads_before = steps.offsets.contains(&before);
    (reads_before && handed && sites.iter().all(fixed) && steps.keep(0, 0))
        .then(|| first.path[..=level].to_vec())
}

/// Puts a node in front of the one at a path.
fn insert(nodes: &mut Vec<Node>, path: &[usize], node: Node) {
    match path {
        [] => unreachable!("a path names a node"),
        [place] => nodes.insert(*place, node),
        [place, inside @ ..] => match &mut nodes[*place] {
            Node::For(header) => insert(&mut header.body, inside, node),
            Node::If(_, body) => insert(body, inside, node),
            Node::Note(_)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => unreachable!("a path goes through nodes with others inside"),
        },
    }
}

/// Puts a variable in the place of a buffer.
struct Carry {
    buffer: BufferId,
    state: RealId,
}

impl Rewrite for Carry {
    fn real(&mut self, e: &Real) -> Real {
        if let Real::Load(buffer, _) = e
            && *buffer == self.buffer
        {
            return Real::Var(self.state);
        }
        rebuild_real(self, e)
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        if let Node::Store(at, e) = node
            && at.buffer == self.buffer
        {
            return vec![Node::Set(self.state, self.real(e))];
        }
        if let Node::Accumulate(at, fold, e) = node
            && at.buffer == self.buffer
        {
            return vec![Node::Join(self.state, *fold, self.real(e))];
        }
        vec![rebuild_node(self, node)]
    }
}
