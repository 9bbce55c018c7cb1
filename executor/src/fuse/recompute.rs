//! Temporaries that are computed again where they are read, instead of stored.
//!
//! A temporary over a large domain, each entry of which a straight line computes from entries of smaller
//! tensors, need not be stored: the line stands again in front of each read, in the reader's
//! variables. So the gradient of an energy of all pairs needs no matrix of forces, though it is
//! summed along both of its axes.
//!
//! Those that grow along most axes may be computed again before loops are merged: what a line needs of a sum over one of their axes
//! is then an entry of a smaller tensor, not a variable that takes a loop.
//!
//! So may one that a line of sums and products computes from a few tensors as large as it is, if no more goes through memory by
//! that: where it is read, all of them are read along their last axis, if need be in a nest that is turned for that
//! ([`gather`](super::gather)).
//!
//! So may a state of a recurrence that is a state of the same step by numbers that are fewer, entry by entry, as the adjoint of `c * u` is: before
//! recurrences are cut.
//!
//! * **Bytes**: the temporary's entries grow faster with the sizes than those of anything the line reads, or are as many and no fewer
//!   are written and read than of these.
//! * **Work**: a copy runs at most once for each entry, has at most [`OPERATIONS`] functions, and the points of
//!   a statement are computed at most [`AGAIN`] times more than before.
//! * **Meaning**: an entry that is read was computed by the step of the loops that the indices say,
//!   if they are within the loops' bounds (which is proved); what the line reads was complete then.
//!   So it gives the same value again, to the bit.

use super::contract::contract;
use super::facts::{Facts, settings};
use super::gather::along;
use super::renamed::Renamed;
use super::sites::{Kind, Site, apart, lists, sites};
use super::slice::{Slice, slice};
use super::tuples::Tuples;
use crate::loops::walk::{Rewrite, Visit, rebuild_cond, rebuild_real, walk_int, walk_real};
use crate::loops::{
    BufferId, CmpOp, Cond, Element, Fold, For, Int, IntId, LoopProgram, Node, Real, RealId, Role,
    StatementId,
};
use iverson_spec::function::Fun;
use rustc_hash::FxHashMap;

/// The most functions that a line may apply.
const OPERATIONS: usize = 64;

/// How many times more than once a point may be computed.
const AGAIN: usize = 7;

/// Has temporaries computed where they are read, where that is right and worth it, after some copies; gives how many lines are
/// computed again.
pub(super) fn recompute(program: &mut LoopProgram, mut copies: Copies) -> usize {
    lines_again(program, 1, (When::Merged, &mut copies))
}

/// The same for states of recurrences, before these are cut.
pub(super) fn recompute_states(program: &mut LoopProgram, copies: &mut Copies) {
    lines_again(program, 1, (When::States, copies));
}

fn lines_again(
    program: &mut LoopProgram,
    axes: usize,
    (when, copies): (When, &mut Copies),
) -> usize {
    let mut lines = 0;
    let mut by_buffer = sites(&program.body);
    let mut known = settings(&program.body);
    for buffer in candidates(program, &by_buffer) {
        if degree(program, buffer) < axes {
            continue;
        }
        let Some(all) = by_buffer.get(&buffer) else { continue };
        if let Some(plan) = plan(program, buffer, all, &known, (when, copies)) {
            let count = plan.groups.len();
            let Some(changed) = plan.apply(program.clone()) else { continue };
            lines += count;
            *program = changed;
            // later temporaries are computed from variables now
            contract(program);
            by_buffer = sites(&program.body);
            known = settings(&program.body);
        }
    }
    lines
}

/// The same for temporaries that grow along so many axes, before loops are merged; `None` if there are none.
pub(super) fn recompute_early(program: &mut LoopProgram, axes: usize) -> Option<Copies> {
    let mut copies = Copies::default();
    let lines = lines_again(program, axes, (When::Early, &mut copies));
    (lines > 0).then_some(copies)
}

/// Along how many axes that temporary grows that grows along most.
pub(super) fn most_axes(program: &LoopProgram) -> usize {
    let temporaries = candidates(program, &sites(&program.body));
    temporaries.into_iter().map(|id| degree(program, id)).max().unwrap_or(0)
}

/// The temporaries of reals with an axis that grows, in the order in which they are first touched.
pub(super) fn candidates(
    program: &LoopProgram,
    by_buffer: &FxHashMap<BufferId, Vec<Site>>,
) -> Vec<BufferId> {
    let large = |id: &BufferId| {
        let buffer = program.buffer(*id);
        buffer.role == Role::Temporary
            && buffer.element == Element::Real
            && degree(program, *id) > 0
    };
    let mut found: Vec<BufferId> = by_buffer.keys().copied().filter(large).collect();
    found.sort_by_key(|id| by_buffer[id][0].path.clone());
    found
}

/// The degree of the number of entries of a buffer, as a polynomial in the sizes.
pub(super) fn degree(program: &LoopProgram, id: BufferId) -> usize {
    program.buffer(id).extents.iter().map(degree_of).sum()
}

/// The degree of an extent.
pub(super) fn degree_of(e: &Int) -> usize {
    match e {
        Int::Size(_) => 1,
        Int::Sum(terms, _) => terms.iter().map(|(_, e)| degree_of(e)).max().unwrap_or(0),
        Int::Product(factors) => factors.iter().map(degree_of).sum(),
        Int::Div(e, _) => degree_of(e),
        Int::DivBy(sides) => degree_of(&sides.0),
        Int::Const(_)
        | Int::Var(_)
        | Int::Load(..)
        | Int::Mod(..)
        | Int::Floor(_)
        | Int::Select(_) => 0,
    }
}

/// When temporaries are computed again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// Before loops are merged: what computes a temporary is in loops of its own, which go when nothing reads it.
    Early,
    /// Then too, but states of recurrences alone.
    States,
    /// When they are.
    Merged,
}

/// How often the points of each statement are visited by copies.
#[derive(Clone, Default)]
pub(super) struct Copies {
    /// The visits of the first copy, and of all.
    by_statement: FxHashMap<StatementId, (usize, usize)>,
}

impl Copies {
    /// Takes account of copies, and of a line that goes; false, and nothing, if that is too often.
    fn add(&mut self, copies: &[Slice], gone: Option<&Slice>) -> bool {
        let mut after = self.by_statement.clone();
        for (statement, count) in copies.iter().flat_map(|copy| &copy.visits) {
            after.entry(*statement).or_insert((*count, 0)).1 += count;
        }
        for (statement, count) in gone.iter().flat_map(|line| &line.visits) {
            after.entry(*statement).and_modify(|(_, all)| *all = all.saturating_sub(*count));
        }
        let few = after.values().all(|(first, all)| *all <= AGAIN * first);
        if few {
            self.by_statement = after;
        }
        few
    }
}

// Where it is computed.

/// Where a temporary is computed: each entry at one step of loops, by a straight line.
pub(super) struct Home {
    pub(super) buffer: BufferId,
    /// The path of the list that writes it.
    pub(super) list: Vec<usize>,
    /// The loops around, outermost first, without their bodies.
    pub(super) loops: Vec<For>,
    /// The conditions around, on integers.
    conditions: Vec<Cond>,
    /// The entries that a step writes: variables of the loops, and constants.
    pub(super) entries: Vec<Vec<Int>>,
    /// By entry: the place of the node that writes it first.
    pub(super) firsts: Vec<usize>,
}

/// Where a temporary is computed, if one list does, and the loads elsewhere.
fn home<'s>(
    program: &LoopProgram,
    buffer: BufferId,
    all: &'s [Site],
) -> Option<(Home, Vec<&'s Site>)> {
    let (loads, writes): (Vec<&Site>, Vec<&Site>) =
        all.iter().partition(|site| site.kind == Kind::Load);
    let computes = |site: &&&Site| !matches!(site.kind, Kind::Store(Some(_)));
    let anchor = writes.iter().find(computes).or(writes.first())?;
    // what is computed under a condition is cleared in front of that
    let begins = |site: &&&Site| {
        site.loops == anchor.loops
            && anchor.path.starts_with(site.list())
            && site.indices == anchor.indices
    };
    let anchor = writes.iter().find(begins)?;
    let (loops, conditions) = around(&program.body, &anchor.path)?;
    let mut home = Home {
        buffer,
        list: anchor.list().to_vec(),
        loops,
        conditions,
        entries: Vec::new(),
        firsts: Vec::new(),
    };
    let (own, clears): (Vec<&Site>, Vec<&Site>) =
        writes.into_iter().partition(|site| site.list().starts_with(&home.list));
    let is_clear = |site: &&Site| {
        own.iter().any(|other| match (site.kind, other.kind) {
            (Kind::Store(Some(value)), Kind::Accumulate(fold)) => value == fold.empty(),
            (Kind::Store(_) | Kind::Load | Kind::Accumulate(_), _) => false,
        })
    };
    if !clears.iter().all(is_clear) {
        return None;
    }
    for site in own {
        if home.entries.contains(&site.indices) {
            continue;
        }
        let begins = matches!(site.kind, Kind::Store(_)) || !clears.is_empty();
        let alone = home.entries.iter().all(|entry| apart(entry, &site.indices));
        if !begins || !alone || site.list() != home.list || !home.is_step(&site.indices) {
            return None;
        }
        home.entries.push(site.indices.clone());
        home.firsts.push(site.place());
    }
    let elsewhere = loads.into_iter().filter(|load| !home.has(load)).collect();
    Some((home, elsewhere))
}

/// The loops around a node, and the conditions; `None` if there are strides, or no loops.
fn around(body: &[Node], path: &[usize]) -> Option<(Vec<For>, Vec<Cond>)> {
    let around = lists(body, path);
    let (mut loops, mut conditions) = (Vec::new(), Vec::new());
    for (list, place) in &around[..around.len() - 1] {
        if let Node::If(cond, _) = &list[*place] {
            conditions.push(cond.clone());
            continue;
        }
        let Node::For(header) = &list[*place] else { return None };
        header.stride.is_none().then(|| loops.push(header.bare()))?;
    }
    (!loops.is_empty()).then_some((loops, conditions))
}

impl Home {
    /// Whether an entry belongs to one step: each loop variable is an index, the others are constants.
    fn is_step(&self, indices: &[Int]) -> bool {
        let loops: Vec<IntId> = self.loops.iter().map(|header| header.var).collect();
        Tuples::default().is_step(indices, &loops)
    }

    /// Whether a load stands where the temporary is computed, and reads what the same step has written.
    fn has(&self, load: &Site) -> bool {
        let entry = self.entries.iter().position(|entry| *entry == load.indices);
        entry.is_some_and(|entry| {
            load.path.starts_with(&self.list) && load.path[self.list.len()] > self.firsts[entry]
        })
    }

    /// Whether a loop goes through all of the axis at which its variable stands.
    fn is_whole(&self, program: &LoopProgram, entry: usize, header: &For) -> bool {
        let own = Int::Var(header.var);
        let axis = self.entries[entry].iter().position(|index| *index == own);
        let extent = axis.map(|axis| &program.buffer(self.buffer).extents[axis]);
        header.lower == [Int::Const(0)] && extent.is_some_and(|e| header.upper == [e.clone()])
    }

    /// Whether entries are read in the loop at top level that computes them, at other steps of it.
    fn is_state(&self, groups: &[Group]) -> bool {
        let at_other_step = |read: &Read| {
            read.path[0] == self.list[0] && read.step[0].1 != Int::Var(self.loops[0].var)
        };
        groups.iter().flat_map(|group| &group.reads).all(at_other_step)
    }

    /// The entry that indices say, and the step that computes it.
    fn step(&self, indices: &[Int]) -> Option<(usize, Vec<(IntId, Int)>)> {
        let fits = |entry: &Vec<Int>| {
            entry.iter().zip(indices).all(|(own, index)| match own.as_const() {
                Some(_) => own == index,
                None => true,
            })
        };
        let entry = self.entries.iter().position(fits)?;
        let value = |header: &For| {
            let own = Int::Var(header.var);
            let axis = self.entries[entry].iter().position(|index| *index == own)?;
            Some((header.var, indices[axis].clone()))
        };
        Some((entry, self.loops.iter().map(value).collect::<Option<_>>()?))
    }
}

// Where it is read.

/// A read of a temporary elsewhere.
struct Read {
    /// The node that reads.
    path: Vec<usize>,
    indices: Vec<Int>,
    entry: usize,
    /// By loop of the home: which step computed the entry.
    step: Vec<(IntId, Int)>,
    /// The node in front of which it is to be computed.
    at: Vec<usize>,
}

/// Reads that one copy serves.
struct Group {
    reads: Vec<Read>,
    wanted: Vec<usize>,
}

/// A temporary that is to be computed where it is read.
struct Plan {
    buffer: BufferId,
    groups: Vec<(Group, Slice)>,
    /// Whether lines read tensors as large as the temporary, so that the order of the reads counts.
    large: bool,
    /// Whether loops are not merged yet.
    early: bool,
}

impl Group {
    /// Whether it is one read, in front of which the line stands.
    fn is_one(&self) -> bool {
        matches!(self.reads.as_slice(), [read] if parent(&read.at) == parent(&read.path))
    }
}

/// The value of the variable that a line is for, if it sets no other ones.
fn value_of(line: &[Node], result: RealId) -> Option<Real> {
    let mut terms = Vec::new();
    for node in line {
        match node {
            Node::Set(var, e) if *var == result && terms.is_empty() => terms.push(e.clone()),
            Node::Join(var, Fold::Sum, e) if *var == result => terms.push(e.clone()),
            Node::Visit(_) => {}
            Node::Note(_)
            | Node::For(_)
            | Node::If(..)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Check(..) => return None,
        }
    }
    // a sum that begins at 0 is what is added to it
    if terms.len() > 1 && terms[0] == Real::Const(0.0) {
        terms.remove(0);
    }
    if terms.len() > 1 { Some(Real::Apply(Fun::Add, terms)) } else { terms.pop() }
}

/// How a temporary is computed where it is read, if that is right and worth it.
fn plan(
    program: &LoopProgram,
    buffer: BufferId,
    all: &[Site],
    settings: &FxHashMap<IntId, usize>,
    (when, copies): (When, &mut Copies),
) -> Option<Plan> {
    let (home, loads) = home(program, buffer, all)?;
    if loads.is_empty() {
        return None;
    }
    let mut groups: Vec<Group> = Vec::new();
    for load in loads {
        let read = read(program, &home, load, settings)?;
        let same = |group: &&mut Group| {
            let first = &group.reads[0];
            first.step == read.step && parent(&first.at) == parent(&read.at)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.reads.push(read),
            None => groups.push(Group { reads: vec![read], wanted: Vec::new() }),
        }
    }
    let mut slices = Vec::new();
    let (own, count) = (degree(program, buffer), groups.len());
    let mut large = false;
    let (early, states) = (when == When::Early, when == When::States);
    // loops that were cut say the conditions
    if states && !home.is_state(&groups) || !states && !home.conditions.is_empty() {
        return None;
    }
    for group in &mut groups {
        group.wanted = group.reads.iter().map(|read| read.entry).collect();
        group.wanted.sort_unstable();
        group.wanted.dedup();
        let slice = slice(program, &home, &group.wanted)?;
        let degrees = || slice.loads.iter().map(|load| degree(program, *load));
        let same = degrees().filter(|degree| *degree == own).count();
        // each entry is stored, for which its memory is read too, and read by each group
        let few = if states {
            same == 1
                && slice.light
                && slice.reads_alike(|load| degree(program, load) == own, &home.entries)
        } else {
            same == 0 || !early && slice.light && count * same <= 2 + count
        };
        if degrees().any(|degree| degree > own) || !few || slice.operations > OPERATIONS {
            return None;
        }
        large |= same > 0 && !states;
        slices.push(slice);
    }
    let all: Vec<usize> = (0..home.entries.len()).collect();
    let gone = if early || states { Some(slice(program, &home, &all)?) } else { None };
    let few = copies.add(&slices, gone.as_ref());
    let groups = groups.into_iter().zip(slices).collect();
    few.then_some(Plan { buffer, groups, large, early })
}

fn parent(path: &[usize]) -> &[usize] {
    &path[..path.len() - 1]
}

/// A read, if the entry was computed and is read at most once at the place where it is to be computed.
fn read(
    program: &LoopProgram,
    home: &Home,
    load: &Site,
    settings: &FxHashMap<IntId, usize>,
) -> Option<Read> {
    let (entry, step) = home.step(&load.indices)?;
    let at = place(program, home, load, &step);
    if !is_injective(&loop_vars(&program.body, &at), &step) {
        return None;
    }
    let mut facts = Facts::at(&program.body, &at, settings);
    let mut values = Renamed { ints: step.iter().cloned().collect(), ..Renamed::default() };
    // an entry that is read is there: so its step is, where the loop goes through all
    let around = lists(&program.body, &load.path);
    let is_there = parent(&at) == parent(&load.path)
        && around.last().is_some_and(|(list, place)| reads_all(&list[*place]));
    let within = home.loops.iter().zip(&step).all(|(header, (_, value))| {
        is_there && home.is_whole(program, entry, header)
            || header.lower.iter().all(|e| facts.prove(CmpOp::Le, &values.int(e), value))
                && header.upper.iter().all(|e| facts.prove(CmpOp::Lt, value, &values.int(e)))
    });
    let within =
        within && home.conditions.iter().all(|cond| facts.imply(&rebuild_cond(&mut values, cond)));
    let (path, indices) = (load.path.clone(), load.indices.clone());
    within.then_some(Read { path, indices, entry, step, at })
}

/// Whether a node reads all entries in it whenever it is run: it sets or joins a value without conditions in it.
fn reads_all(node: &Node) -> bool {
    struct Conditional(bool);
    impl Visit for Conditional {
        fn int(&mut self, e: &Int) {
            self.0 |= matches!(e, Int::Select(_));
            walk_int(self, e);
        }

        fn real(&mut self, e: &Real) {
            self.0 |= matches!(e, Real::Select(_));
            walk_real(self, e);
        }
    }
    let mut conditional = Conditional(false);
    conditional.node(node);
    let sets = matches!(
        node,
        Node::Set(..) | Node::Join(..) | Node::Store(..) | Node::Accumulate(..) | Node::SetInt(..)
    );
    sets && !conditional.0
}

/// The node in front of which an entry is computed: outside of the loops that read it again and again.
fn place(program: &LoopProgram, home: &Home, load: &Site, step: &[(IntId, Int)]) -> Vec<usize> {
    let mut mentioned = Vars(Vec::new());
    step.iter().for_each(|(_, value)| mentioned.int(value));
    let around = lists(&program.body, &load.path);
    let mut best = load.path.len();
    for level in (1..load.path.len()).rev() {
        let (inner, place) = around[level];
        let sets = |node: &Node| matches!(node, Node::SetInt(var, _) if mentioned.0.contains(var));
        if inner[..place].iter().any(sets) || home.list.starts_with(&load.path[..level]) {
            break;
        }
        let (outer, place) = around[level - 1];
        if let Node::For(header) = &outer[place] {
            if mentioned.0.contains(&header.var) {
                break;
            }
            best = level;
        }
    }
    let mut at = load.path[..best].to_vec();
    let (list, place) = around[best - 1];
    at[best - 1] -= list[..place].iter().rev().take_while(|n| matches!(n, Node::Visit(_))).count();
    at
}

fn loop_vars(body: &[Node], path: &[usize]) -> Vec<IntId> {
    let around = lists(body, path);
    let header = |(list, place): &(&[Node], usize)| {
        if let Node::For(header) = &list[*place] { Some(header.var) } else { None }
    };
    around[..around.len() - 1].iter().filter_map(header).collect()
}

/// Whether different steps of the loops `around` read different entries: their variables can be told
/// from the step, one after the other.
fn is_injective(around: &[IntId], step: &[(IntId, Int)]) -> bool {
    let mut open = around.to_vec();
    while !open.is_empty() {
        let tells = |value: &Int| {
            let mut mentioned = Vars(Vec::new());
            mentioned.int(value);
            mentioned.0.retain(|var| open.contains(var));
            let [var] = mentioned.0.as_slice() else { return None };
            let own = Int::Var(*var);
            let linear = match value {
                Int::Sum(terms, _) => terms.iter().any(|(_, term)| *term == own),
                Int::Const(_)
                | Int::Size(_)
                | Int::Var(_)
                | Int::Load(..)
                | Int::Product(_)
                | Int::Div(..)
                | Int::Mod(..)
                | Int::DivBy(_)
                | Int::Floor(_)
                | Int::Select(_) => *value == own,
            };
            linear.then_some(*var)
        };
        let Some(var) = step.iter().find_map(|(_, value)| tells(value)) else { return false };
        open.retain(|known| *known != var);
    }
    true
}

/// The integer variables that are mentioned, each time.
struct Vars(Vec<IntId>);

impl Visit for Vars {
    fn int_var(&mut self, var: IntId) {
        self.0.push(var);
    }

    fn int(&mut self, e: &Int) {
        walk_int(self, e);
    }
}

// The change.

impl Plan {
    /// Puts the copies in front of the reads, which then read variables; `None` if large tensors cannot be read along there.
    fn apply(self, mut program: LoopProgram) -> Option<LoopProgram> {
        let mut tops: Vec<usize> = Vec::new();
        let mut change = Change {
            buffer: self.buffer,
            copies: FxHashMap::default(),
            reads: FxHashMap::default(),
            path: Vec::new(),
        };
        for (group, slice) in self.groups {
            let (nodes, results) = slice.copy(&mut program, &group.reads[0].step);
            let note = Node::Note(format!("{}, computed again", program.buffer(self.buffer).name));
            let first = group.reads.iter().map(|read| &read.at).min().cloned();
            let Some(first) = first else { continue };
            let line = change.copies.entry(first).or_default();
            line.push(note);
            let value = results.first().filter(|_| self.early && group.is_one());
            let value = value.and_then(|result| value_of(&nodes, *result));
            match &value {
                Some(_) => line.extend(nodes.into_iter().filter(|n| matches!(n, Node::Visit(_)))),
                None => line.extend(nodes),
            }
            for read in group.reads {
                // in front of a nest would move those behind
                (read.at.len() > 1 || !self.large).then_some(())?;
                tops.push(read.path[0]);
                let var = group.wanted.iter().position(|entry| *entry == read.entry);
                let var = results[var.unwrap_or_else(|| unreachable!("what is read is wanted"))];
                let value = value.clone().unwrap_or(Real::Var(var));
                change.reads.entry(read.path).or_default().push((read.indices, value));
            }
        }
        program.body = change.nodes(&program.body);
        if self.large {
            for top in tops {
                program.body[top] = along(&program.body[top])?;
            }
        }
        Some(program)
    }
}

struct Change {
    buffer: BufferId,
    /// By path of a node: what comes before it.
    copies: FxHashMap<Vec<usize>, Vec<Node>>,
    /// By path of a node: what entries are.
    reads: FxHashMap<Vec<usize>, Vec<(Vec<Int>, Real)>>,
    /// Where the walk is.
    path: Vec<usize>,
}

impl Rewrite for Change {
    fn real(&mut self, e: &Real) -> Real {
        if let Real::Load(buffer, indices) = e
            && *buffer == self.buffer
            && let Some(reads) = self.reads.get(&self.path)
            && let Some((_, value)) = reads.iter().find(|(known, _)| known == indices)
        {
            return value.clone();
        }
        rebuild_real(self, e)
    }

    fn nodes(&mut self, nodes: &[Node]) -> Vec<Node> {
        let mut out = Vec::new();
        for (place, node) in nodes.iter().enumerate() {
            self.path.push(place);
            out.extend(self.copies.remove(&self.path).unwrap_or_default());
            out.extend(self.node(node));
            self.path.pop();
        }
        out
    }
}
