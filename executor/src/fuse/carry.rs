//! States that a step hands to the next stay in a variable.
//!
//! Let loops over steps `t`, all in one direction and one after the other, store a temporary at `s[t]` in each step, read it
//! at `s[t]` behind that and at the step before, `s[t - 1]` (`s[t + 1]` where they descend), in front of it; other indices are fixed
//! around the loops, and what else reads it reads the last step. Then a variable has the state: `s[t]` from the store on,
//! `s[t - 1]` before.
//!
//! Where the states are needed later, as in a gradient, or are a result, they are stored, but a loop without others inside reads that of the
//! step before from a variable all the same.
//!
//! * **Bytes**: none instead of one entry for each step, or as before.
//! * **Work**, **bits**: the same. A step need not wait until memory has the state of the one before.

use super::contract::is_fixed;
use super::ends::extreme;
use super::rolling::{Steps, offset};
use super::sites::{Kind, Site, lists, sites};
use super::tuples::Tuples;
use super::unroll::Fix;
use crate::loops::walk::{Rewrite, rebuild_node, rebuild_real};
use crate::loops::{
    Buffer, BufferId, CmpOp, Cond, Element, For, Int, IntId, LoopProgram, Node, Order, Real,
    RealId, Role,
};

/// Has variables carry states from step to step, where no others are read.
pub(super) fn carry(program: &mut LoopProgram) {
    while let Some((buffer, first)) = next(program) {
        let state = program.add_real(program.buffer(buffer).name.clone());
        let body = Carry { buffer, state }.nodes(&program.body);
        program.body = inserted(body, &first, Node::Set(state, Real::Const(0.0)));
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
        offset(&first.indices[axis], header.var).is_some()
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
        let offset = |site: &Site| offset(&site.indices[axis], header.var);
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

/// Has loops without others inside keep the state of the step before in a variable too.
pub(super) fn hand_on(program: &mut LoopProgram) {
    let tuples = Tuples::of(program);
    let body = std::mem::take(&mut program.body);
    program.body = handed_on(program, &tuples, body, &mut Vec::new());
}

fn handed_on(
    program: &mut LoopProgram,
    tuples: &Tuples,
    nodes: Vec<Node>,
    around: &mut Vec<IntId>,
) -> Vec<Node> {
    let mut out = Vec::new();
    for node in nodes {
        let Node::For(mut header) = node else {
            out.push(node.map_inside(|body| handed_on(program, tuples, body, around)));
            continue;
        };
        if header.body.iter().any(Node::has_loop) {
            around.push(header.var);
            header.body = handed_on(program, tuples, std::mem::take(&mut header.body), around);
            around.pop();
        } else {
            out.extend(in_variables(program, tuples, &mut header, around));
        }
        out.push(Node::For(header));
    }
    out
}

/// Has a loop keep states of the step before in variables, and gives what sets these first.
fn in_variables(
    program: &mut LoopProgram,
    tuples: &Tuples,
    header: &mut For,
    around: &[IntId],
) -> Vec<Node> {
    let mut first = Vec::new();
    if header.order == Order::Parallel || header.stride.is_some() {
        return first;
    }
    let mut touched: Vec<(BufferId, Vec<Site>)> = sites(&header.body).into_iter().collect();
    touched.sort_unstable_by_key(|(id, _)| *id);
    for (id, sites) in touched {
        let Some(before) = state_before(header, around, tuples, &sites) else { continue };
        let state = program.add_real(program.buffer(id).name.clone());
        let entry = Real::Load(id, before);
        header.body = Hand { buffer: id, entry: &entry, state }.nodes(&header.body);
        let start = match header.order {
            Order::Descending => extreme(CmpOp::Le, &header.upper).offset(-1),
            Order::Ascending | Order::Parallel => extreme(CmpOp::Ge, &header.lower),
        };
        let Real::Load(_, before) = Fix { var: header.var, value: start }.real(&entry) else {
            unreachable!("an entry stays one")
        };
        let begin = within(&before, &program.buffer(id).extents)
            .map_or(Real::Const(0.0), |within| {
                Real::Select(Box::new((within, Real::Load(id, before), Real::Const(0.0))))
            });
        first.push(Node::Set(state, begin));
    }
    first
}

/// That an entry exists, as far as it is not known; `None` if it does not.
fn within(indices: &[Int], extents: &[Int]) -> Option<Cond> {
    let mut parts = Vec::new();
    for (index, extent) in indices.iter().zip(extents) {
        for (cmp, end) in [(CmpOp::Ge, &Int::Const(0)), (CmpOp::Lt, extent)] {
            match index.clone().minus(end.clone()).as_const() {
                Some(n) if (n < 0) == (cmp == CmpOp::Lt) => {}
                Some(_) => return None,
                None => parts.push(Cond::Int(cmp, index.clone(), end.clone())),
            }
        }
    }
    Some(Cond::All(parts))
}

/// The entry of the step before, if each step of a loop reads it in front of the one store to its own.
fn state_before(
    header: &For,
    around: &[IntId],
    tuples: &Tuples,
    sites: &[Site],
) -> Option<Vec<Int>> {
    let back = if header.order == Order::Descending { 1 } else { -1 };
    let own = Int::Var(header.var);
    let (loads, rest) = sites.split_at(sites.iter().position(|site| site.kind != Kind::Load)?);
    let [stored, rest @ ..] = rest else { return None };
    let axis = stored.indices.iter().position(|index| *index == own)?;
    let mut before = stored.indices.clone();
    before[axis] = own.clone().offset(back);
    let fixed =
        stored.indices.iter().enumerate().all(|(at, e)| at == axis || is_fixed(e, around, tuples));
    (matches!(stored.kind, Kind::Store(_))
        && stored.path.len() == 1
        && fixed
        && !loads.is_empty()
        && loads.iter().all(|site| site.indices == before)
        && rest.iter().all(|site| site.kind == Kind::Load && site.indices == stored.indices))
    .then_some(before)
}

/// Puts a variable in the place of the entry of the step before.
struct Hand<'e> {
    buffer: BufferId,
    entry: &'e Real,
    state: RealId,
}

impl Rewrite for Hand<'_> {
    fn real(&mut self, e: &Real) -> Real {
        if e == self.entry { Real::Var(self.state) } else { rebuild_real(self, e) }
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        if let Node::Store(at, e) = node
            && at.buffer == self.buffer
        {
            let set = Node::Set(self.state, self.real(e));
            return vec![set, Node::Store(at.clone(), Real::Var(self.state))];
        }
        vec![rebuild_node(self, node)]
    }
}

/// Nodes with one in front of that at a path.
fn inserted(mut nodes: Vec<Node>, path: &[usize], node: Node) -> Vec<Node> {
    let [place, inside @ ..] = path else { unreachable!("a path names a node") };
    if inside.is_empty() {
        nodes.insert(*place, node);
    } else {
        let around = nodes.remove(*place);
        nodes.insert(*place, around.map_inside(|body| inserted(body, inside, node)));
    }
    nodes
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
