//! Temporaries of which some columns are kept at a time.
//!
//! A recurrence goes down the rows of `t`, each column by itself: `for j { for any i { t[j, i] = t[j - 1, i] * x[j] } }`. Then it can go
//! through some columns first, and through others later: `for any w in 0 .. n where 0 of 32 { for j { for any i in w .. min(w + 32, n)
//! { .. } } }`. If all that touches `t` is such loops over its columns, whatever loops they stand in, nothing but a window of `t` is ever
//! needed, and `t[j, i]` becomes `t[j, i - w]` of a local. What stands beside them in those loops is done before or after.
//!
//! A sum over columns, `for j { for i { y[j] += t[j, i] } }`, gets the terms of each entry in the order of `i`, as before.
//!
//! * **Bytes**: each local is of a lower degree in the sizes than the temporary was.
//! * **Work**, **bits**: the same. Windows are shared by threads, sums over columns in copies: else nothing is changed.

use super::border::Reach;
use super::column::{Column, Unit};
use super::footprint::Footprint;
use super::fresh::Fresh;
use super::local::{self, ROWS, Side, Target, Windows, extents, grouped, targets};
use super::sites::sites;
use super::windowed::Windowed;
use crate::loops::window::strays;
use crate::loops::{BufferId, For, Int, IntId, LoopProgram, Node, Order, RelationTable};

/// The program with some columns of these temporaries kept at a time, if it can be for one of them.
pub(super) fn keep_columns(program: &LoopProgram, wanted: &[BufferId]) -> Option<LoopProgram> {
    let mut best: Option<LoopProgram> = None;
    for extent in extents(program) {
        for side in [Side::Last, Side::First] {
            let now = best.as_ref().unwrap_or(program);
            let mut targets = targets(now, &extent, side);
            targets.retain(|(buffer, _)| wanted.contains(buffer));
            if let Some(changed) = windowed(now, &extent, targets)
                && strays(&changed).is_empty()
            {
                best = Some(changed);
            }
        }
    }
    best
}

/// The program with windows of as many of the targets as can have them; `None` if none can.
fn windowed(program: &LoopProgram, extent: &Int, targets: Vec<Target>) -> Option<LoopProgram> {
    let mut wanted = targets;
    while !wanted.is_empty() {
        let mut changed = program.clone();
        let body = std::mem::take(&mut changed.body);
        let mut layout = Layout {
            relations: program.relations.clone(),
            column: Column { extent: extent.clone(), targets: wanted },
            fresh: Fresh::new(&mut changed, &body),
            inside: Vec::new(),
            lists: [const { Vec::new() }; 2],
            touched: Default::default(),
        };
        grouped(&body).into_iter().for_each(|group| layout.place(group));
        let kept = layout.kept();
        if kept.len() == layout.column.targets.len() {
            let Layout { column, inside, lists, .. } = layout;
            return laid_out(changed, &column, inside, lists);
        }
        wanted = kept;
    }
    None
}

/// Where nodes go: before, into or after the windows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goes {
    Before,
    After,
    Inside,
}

/// Loops over columns, in what stands around them.
struct Part {
    nodes: Vec<Node>,
    units: Vec<Unit>,
}

/// Where the nodes of a program go.
struct Layout<'p> {
    relations: Vec<RelationTable>,
    column: Column,
    fresh: Fresh<'p>,
    inside: Vec<Part>,
    /// What goes before and after.
    lists: [Vec<Node>; 2],
    /// What they all touch.
    touched: [Footprint; 3],
}

impl Layout<'_> {
    /// Places a node, with the notes in front of it; in parts where loops over columns stand beside other nodes.
    fn place(&mut self, group: Vec<Node>) {
        for (nodes, wanted) in self.parts(group) {
            let footprint = Footprint::of(&nodes);
            let free =
                self.commutes(Goes::Inside, &footprint) && self.commutes(Goes::After, &footprint);
            if !wanted && free {
                self.add(Goes::Before, nodes, footprint);
            } else if let Some(part) = self.part(&nodes) {
                self.touched[Goes::Inside as usize].absorb(Footprint::of(&part.nodes));
                self.inside.push(part);
            } else {
                self.add(Goes::After, nodes, footprint);
            }
        }
    }

    fn commutes(&self, list: Goes, footprint: &Footprint) -> bool {
        self.touched[list as usize].commutes(footprint)
    }

    fn add(&mut self, list: Goes, nodes: Vec<Node>, footprint: Footprint) {
        self.lists[list as usize].extend(nodes);
        self.touched[list as usize].absorb(footprint);
    }

    /// Nodes as loops over columns, if they can go by windows after those that do.
    fn part(&mut self, nodes: &[Node]) -> Option<Part> {
        let (nodes, units) = self.column.nodes(&mut self.fresh, nodes)?;
        let free = self.commutes(Goes::After, &Footprint::of(&nodes));
        let earlier: Vec<&Unit> = self.inside.iter().flat_map(|part| &part.units).collect();
        let kept = units.iter().enumerate().all(|(at, unit)| {
            let mut all = earlier.iter().copied().chain(&units[..=at]);
            all.all(|one| one.keeps_order(unit))
        });
        (free && kept).then_some(Part { nodes, units })
    }

    /// A node with the notes in front of it, as nodes of which each touches targets, or none of its nodes does.
    fn parts(&mut self, group: Vec<Node>) -> Vec<(Vec<Node>, bool)> {
        if !self.column.touches(&group) {
            return vec![(group, false)];
        }
        let Some(Node::For(header)) = group.last() else { return vec![(group, true)] };
        let Some(bodies) = self.apart(header.var, &header.body) else {
            return vec![(group, true)];
        };
        let header = header.bare();
        let notes = &group[..group.len() - 1];
        let mut parts = Vec::new();
        let [before, after, inside] = bodies;
        let bodies = [(before, Goes::Before), (inside, Goes::Inside), (after, Goes::After)];
        for (body, goes) in bodies {
            if !body.is_empty() {
                let part = self.fresh.copy(&For { body, ..header.clone() });
                let notes = if goes == Goes::Inside { notes } else { &[] };
                let nodes = notes.iter().cloned().chain([Node::For(Box::new(part))]).collect();
                parts.push((nodes, goes == Goes::Inside));
            }
        }
        parts
    }

    /// What of a loop's body goes before loops over columns, what goes after them, and these, if loops of their own can do that:
    /// they touch common entries at the same step alone. `None` too if all of it is such loops.
    fn apart(&self, var: IntId, body: &[Node]) -> Option<[Vec<Node>; 3]> {
        let mut lists: [Vec<Node>; 3] = [const { Vec::new() }; 3];
        let mut touched: [Footprint; 3] = std::array::from_fn(|_| Footprint::in_steps(var));
        for group in grouped(body) {
            let footprint = Footprint::of(&group);
            let moves = |list: Goes| touched[list as usize].commutes(&footprint);
            let goes = if self.column.touches(&group) {
                moves(Goes::After).then_some(Goes::Inside)?
            } else if moves(Goes::Inside) && moves(Goes::After) {
                Goes::Before
            } else {
                Goes::After
            };
            lists[goes as usize].extend(group);
            touched[goes as usize].absorb(footprint);
        }
        let aligned =
            |a: usize, b: usize| touched[a].is_aligned(&self.relations, var, &touched[b], var);
        let others = !lists[0].is_empty() || !lists[1].is_empty();
        (others && aligned(0, 1) && aligned(1, 2) && aligned(0, 2)).then_some(lists)
    }

    /// The targets that are touched by loops over their columns alone.
    fn kept(&self) -> Vec<Target> {
        let others = self.lists.each_ref().map(|list| sites(list));
        let kept = |target: &&Target| {
            let within = self.inside.iter().any(|part| sites(&part.nodes).contains_key(&target.0));
            within && !others.iter().any(|list| list.contains_key(&target.0))
        };
        self.column.targets.iter().filter(kept).copied().collect()
    }
}

/// The program with the loops over columns as one loop over windows, to the last that touches a local.
fn laid_out(
    mut program: LoopProgram,
    column: &Column,
    mut inside: Vec<Part>,
    [before, mut after]: [Vec<Node>; 2],
) -> Option<LoopProgram> {
    let locals = &column.targets;
    let end = inside.iter().rposition(|part| column.touches(&part.nodes))? + 1;
    after.splice(0..0, inside.drain(end..).flat_map(|part| part.nodes));
    let units: Vec<&Unit> = inside.iter().flat_map(|part| &part.units).collect();
    let vars: Vec<IntId> = units.iter().map(|unit| unit.var).collect();
    let name = vars.first().map(|var| program.ints[var.index()].clone());
    let start = program.add_int(name.unwrap_or_default());
    let body = inside.iter().flat_map(|part| &part.nodes).flat_map(|node| {
        let vars = vars.clone();
        Windowed { vars, start, rows: [0, ROWS], locals, first: 0 }.window(node)
    });
    let apart = units.iter().all(|unit| unit.is_apart(locals));
    let windows = Windows {
        extent: &column.extent,
        locals,
        start,
        rows: ROWS,
        reach: Reach::default(),
        what: local::COLUMNS,
        order: if apart { Order::Parallel } else { Order::Ascending },
        body: body.collect(),
    };
    windows.lay(program, before, after)
}
