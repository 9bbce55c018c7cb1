//! Recurrences that keep their last steps.
//!
//! Let loops over steps `t`, all in one direction and one after the other, touch a temporary at `s[t + c, ..]` with `c` in
//! `low ..= high`, and let all others read rows alone that are among the last `k = high - low + 1` then. A row is
//! not needed any more when the one `k` steps later is first touched: both are at `s[(t + c) % k, ..]` of a buffer of `k` rows.
//!
//! * **Bytes**: `k` rows instead of one for each step, which often stay in a cache.
//! * **Work**, **bits**: the same.

use super::ends::of_sizes;
use super::facts::Facts;
use super::memory::noted;
use super::recompute::degree_of;
use super::sites::{Kind, Site, sites};
use crate::loops::walk::Rewrite;
use crate::loops::{
    Buffer, BufferId, CmpOp, Element, For, Int, IntId, LoopProgram, Node, Order, Place, Role,
};
use rustc_hash::FxHashMap;

/// More steps are not kept.
const MOST: i64 = 4;

/// Has temporaries keep the rows of the last steps, where no others are needed.
pub(super) fn keep_last_steps(program: &mut LoopProgram) {
    let by_buffer = sites(&program.body);
    let mut kept: FxHashMap<BufferId, (usize, i64)> = FxHashMap::default();
    let mut notes: FxHashMap<usize, Vec<Node>> = FxHashMap::default();
    for (at, buffer) in program.buffers.iter().enumerate() {
        let id = BufferId(at as u32);
        let Some(sites) = by_buffer.get(&id) else { continue };
        let Some((list, level)) = list_of(program, buffer, sites) else { continue };
        let grows = |axis: &usize| degree_of(&buffer.extents[*axis]) > 0;
        let mut axes = (0..buffer.extents.len()).filter(grows);
        let found = axes.find_map(|axis| Some((axis, rows_of(list, level, sites, axis)?)));
        let Some(found) = found else { continue };
        let text = match found.1 {
            1 => format!("{}, a step at a time", buffer.name),
            rows => format!("{}, the last {rows} steps", buffer.name),
        };
        notes.entry(sites[0].path[0]).or_default().push(Node::Note(text));
        kept.insert(id, found);
    }
    if kept.is_empty() {
        return;
    }
    for (id, (axis, rows)) in &kept {
        program.buffers[id.index()].extents[*axis] = Int::Const(*rows);
    }
    program.body = noted(&program.body, notes, &mut Rows { kept });
}

/// The list in which loops over the steps of a buffer stand, inside so many others: at top level, and in the loop over windows of a local.
fn list_of<'p>(
    program: &'p LoopProgram,
    buffer: &Buffer,
    sites: &[Site],
) -> Option<(&'p [Node], usize)> {
    match buffer.role {
        _ if buffer.element != Element::Real => None,
        Role::Temporary => Some((&program.body, 0)),
        Role::Local => {
            let place = sites[0].path[0];
            let inside = |site: &Site| site.path[0] == place && site.path.len() > 1;
            sites.iter().all(inside).then(|| (program.body[place].inside(), 1))
        }
        Role::Input | Role::Output => None,
    }
}

/// How many steps of a buffer are needed at a time, if those are few.
fn rows_of(list: &[Node], level: usize, sites: &[Site], axis: usize) -> Option<i64> {
    let steps = Steps::of(list, level, sites, axis)?;
    let (low, high) = (*steps.offsets.iter().min()?, *steps.offsets.iter().max()?);
    let rows = high - low + 1;
    (rows <= MOST && steps.keep(low, high)).then_some(rows)
}

/// How loops over steps in one list touch a buffer, all in one direction and one after the other.
pub(super) struct Steps<'p> {
    /// The loops, with their places in the list.
    pub(super) loops: Vec<(usize, &'p For)>,
    /// At which steps the loops touch it, counted from theirs: one for each access.
    pub(super) offsets: Vec<i64>,
    /// Rows that are read elsewhere in the list, with the places.
    others: Vec<(usize, Int)>,
}

impl<'p> Steps<'p> {
    /// Of a buffer with steps at an axis, in a list of nodes inside so many others, where all accesses are.
    pub(super) fn of(list: &'p [Node], level: usize, sites: &[Site], axis: usize) -> Option<Self> {
        let mut steps = Self { loops: Vec::new(), offsets: Vec::new(), others: Vec::new() };
        for site in sites {
            let (place, index) = (site.path[level], &site.indices[axis]);
            if let Some(header) = over_steps(&list[place])
                && let Some(offset) = offset(index, header.var)
            {
                steps.offsets.push(offset);
                if steps.loops.last().is_none_or(|(last, _)| *last != place) {
                    steps.loops.push((place, header));
                }
            } else if site.kind == Kind::Load && of_sizes(index) {
                steps.others.push((place, index.clone()));
            } else {
                return None;
            }
        }
        let order = steps.loops.first()?.1.order;
        let one_way = steps.loops.iter().all(|(_, header)| header.order == order)
            && steps.loops.windows(2).all(|pair| {
                let [(_, a), (_, b)] = pair else { unreachable!("windows of two") };
                let (lesser, greater) = if steps.go_down() { (b, a) } else { (a, b) };
                at_most(&lesser.upper, &greater.lower, 0)
            });
        one_way.then_some(steps)
    }

    /// Whether the steps descend.
    pub(super) fn go_down(&self) -> bool {
        self.loops[0].1.order == Order::Descending
    }

    /// Whether rows that are read elsewhere are among the last of the loops before, where step `t` leaves rows
    /// `t + low ..= t + high`.
    pub(super) fn keep(&self, low: i64, high: i64) -> bool {
        let leaves = |header: &For, row: &Int| {
            let row = std::slice::from_ref(row);
            if self.go_down() {
                at_most(row, &header.lower, high)
            } else {
                at_most(&header.upper, row, 1 - low)
            }
        };
        self.others.iter().all(|(place, row)| {
            let before = self.loops.iter().filter(|(at, _)| at < place).count();
            before > 0
                && self.loops.get(before).is_none_or(|(at, _)| at != place)
                && self.loops[..before].iter().all(|(_, header)| leaves(header, row))
        })
    }
}

/// How far an index is from the step of a loop, if that is a constant.
pub(super) fn offset(index: &Int, step: IntId) -> Option<i64> {
    index.clone().minus(Int::Var(step)).as_const()
}

/// Whether one of `a` is at most one of `b` and some more, for all sizes.
pub(super) fn at_most(a: &[Int], b: &[Int], more: i64) -> bool {
    let mut facts = Facts::default();
    a.iter().any(|a| b.iter().any(|b| facts.prove(CmpOp::Le, a, &b.clone().plus(Int::Const(more)))))
}

/// A loop whose iterations run in order.
fn over_steps(node: &Node) -> Option<&For> {
    let Node::For(header) = node else { return None };
    (header.order != Order::Parallel && header.stride.is_none()).then_some(header)
}

/// Puts rows in the place of steps.
struct Rows {
    /// For each buffer the axis of its steps, and how many are kept.
    kept: FxHashMap<BufferId, (usize, i64)>,
}

impl Rewrite for Rows {
    fn access(&mut self, buffer: BufferId, indices: &[Int]) -> Place {
        let mut indices: Vec<Int> = indices.iter().map(|index| self.int(index)).collect();
        if let Some((axis, rows)) = self.kept.get(&buffer) {
            indices[*axis] = indices[*axis].clone().remainder(*rows);
        }
        Place { buffer, indices }
    }
}
