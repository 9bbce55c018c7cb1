//! Temporaries of which no entry is read but those that are added to are not cleared.
//!
//! `for k { t[k] = 0 }; for e { i = p[e]; if c(i) { t[i] += x } }; for e { i = p[e]; if c(i) { .. t[i] .. } }`: each step adds to an entry
//! of its own, and wherever an entry is read, the conditions around say that the step of this entry was there. So the first that is
//! added to an entry is stored, and nothing clears `t`.
//!
//! A step is there if the bounds and conditions around what adds hold with the indices of the read in the place of its variables: that is
//! proved for integers; that a tuple is in a relation is said by a condition around the read, or by a loop over the tuples.
//!
//! * **Bytes**: a pass through `t` less.
//! * **Work**: the same. **Bits**: `0 + x` is `x`, as wherever a sum begins.

use super::dead::drop_dead;
use super::facts::{Facts, settings};
use super::renamed::Renamed;
use super::sites::{Kind, Site, apart, list_at, lists, sites};
use super::tuples::Tuples;
use crate::loops::walk::Rewrite;
use crate::loops::{BufferId, CmpOp, Cond, Fold, For, Int, IntId, LoopProgram, Node, RelId, Role};
use rustc_hash::FxHashMap;

/// Leaves out clears that nothing needs.
pub(super) fn leave_uncleared(program: &mut LoopProgram) {
    let by_buffer = sites(&program.body);
    let (tuples, known) = (Tuples::of(program), settings(&program.body));
    let mut gone: Vec<&[usize]> = Vec::new();
    for (buffer, all) in &by_buffer {
        let is_clear = |site: &&Site| site.kind == Kind::Store(Some(0.0));
        let (clears, others): (Vec<&Site>, Vec<&Site>) = all.iter().partition(is_clear);
        if clears.is_empty() || program.buffer(*buffer).role != Role::Temporary {
            continue;
        }
        let Some(firsts) = covered(program, *buffer, &others, &tuples, &known) else { continue };
        if !clears.iter().all(|clear| clear.comes_before(firsts[0])) {
            continue;
        }
        for site in firsts {
            let (list, place) = list_at(&mut program.body, &site.path);
            if let Node::Accumulate(entry, _, value) = &list[place] {
                list[place] = Node::Store(entry.clone(), value.clone());
            }
        }
        gone.extend(clears.iter().map(|site| site.path.as_slice()));
    }
    if gone.is_empty() {
        return;
    }
    gone.sort_unstable();
    for path in gone.into_iter().rev() {
        let (list, place) = list_at(&mut program.body, path);
        list.remove(place);
    }
    drop_dead(program);
}

/// Where entries are added to first, if one list adds to all that is read, each step to entries of its own.
fn covered<'s>(
    program: &LoopProgram,
    buffer: BufferId,
    others: &[&'s Site],
    tuples: &Tuples,
    settings: &FxHashMap<IntId, usize>,
) -> Option<Vec<&'s Site>> {
    let (loads, writes): (Vec<&'s Site>, Vec<&'s Site>) =
        others.iter().copied().partition(|site| site.kind == Kind::Load);
    let first = *writes.first()?;
    let mut entries: Vec<&'s Site> = Vec::new();
    for site in writes {
        let one = site.kind == Kind::Accumulate(Fold::Sum) && site.list() == first.list();
        if !one || !tuples.is_step(&site.indices, &site.loops) {
            return None;
        }
        if entries.iter().all(|entry| entry.indices != site.indices) {
            if !entries.iter().all(|entry| apart(&entry.indices, &site.indices)) {
                return None;
            }
            entries.push(site);
        }
    }
    let is_there = |load: &&Site| {
        let entry = entries.iter().find(|entry| !apart(&entry.indices, &load.indices));
        let step = entry.and_then(|entry| Some((entry, step(&entry.indices, &load.indices)?)));
        step.is_some_and(|(entry, mut step)| {
            let around = lists(&program.body, &entry.path);
            let mut known = Known::at(program, &load.path, settings);
            // what is read is there
            known.within(&load.indices, &program.buffer(buffer).extents);
            entry.comes_before(load) && known.says(program, &around, &mut step)
        })
    };
    loads.iter().all(is_there).then_some(entries)
}

/// What holds at a place.
struct Known {
    facts: Facts,
    /// Tuples that relations have.
    tuples: Vec<(RelId, Vec<Int>)>,
}

impl Known {
    fn at(program: &LoopProgram, path: &[usize], settings: &FxHashMap<IntId, usize>) -> Self {
        let facts = Facts::at(&program.body, path, settings);
        let mut known = Self { facts, tuples: Vec::new() };
        let around = lists(&program.body, path);
        for (level, (list, place)) in around.iter().enumerate() {
            known.walked(program, &list[..*place]);
            if let Node::If(cond, _) = &list[*place]
                && level + 1 < around.len()
            {
                known.condition(program, cond);
            }
        }
        known
    }

    /// Notes the tuples whose coordinates nodes read.
    fn walked(&mut self, program: &LoopProgram, nodes: &[Node]) {
        for (at, relation) in program.relations.iter().enumerate() {
            for step in coordinates(nodes, relation.coordinates[0]) {
                let read = |buffer: &BufferId| {
                    coordinates(nodes, *buffer).into_iter().find(|other| other.1 == step.1)
                };
                let vars: Option<Vec<Int>> =
                    relation.coordinates.iter().map(|b| Some(Int::Var(read(b)?.0))).collect();
                if let Some(vars) = vars {
                    self.tuple(program, RelId(at as u32), vars);
                }
            }
        }
    }

    fn condition(&mut self, program: &LoopProgram, cond: &Cond) {
        if let Cond::All(parts) = cond {
            parts.iter().for_each(|part| self.condition(program, part));
        }
        if let Cond::Member(relation, indices) = cond {
            self.tuple(program, *relation, indices.clone());
        }
    }

    /// Notes a tuple, which is within its box.
    fn tuple(&mut self, program: &LoopProgram, relation: RelId, indices: Vec<Int>) {
        self.within(&indices, &program.relations[relation.index()].extents);
        self.tuples.push((relation, indices));
    }

    /// Notes that indices are within a box.
    fn within(&mut self, indices: &[Int], extents: &[Int]) {
        for (index, extent) in indices.iter().zip(extents) {
            self.facts.compare(CmpOp::Le, &Int::Const(0), index);
            self.facts.compare(CmpOp::Lt, index, extent);
        }
    }

    /// Whether the node in these lists is run at a step.
    fn says(
        &mut self,
        program: &LoopProgram,
        around: &[(&[Node], usize)],
        step: &mut Renamed,
    ) -> bool {
        // the variables of the step whose values are those of a step that there is
        let mut told: Vec<IntId> = Vec::new();
        let is_run = around.windows(2).all(|pair| {
            let [(list, place), (inside, before)] = pair else { unreachable!("pairs have two") };
            if let Node::If(cond, _) = &list[*place] {
                return self.implies(cond, step);
            }
            let Node::For(header) = &list[*place] else { return false };
            if step.ints.contains_key(&header.var) {
                told.push(header.var);
                return self.is_within(header, step);
            }
            let vars = self.tuple_of(program, header, &inside[..*before], step);
            told.extend(vars.iter().flatten());
            vars.is_some()
        });
        is_run && step.ints.keys().all(|var| told.contains(var))
    }

    /// Whether a loop has the value that its variable has in a step.
    fn is_within(&mut self, header: &For, step: &mut Renamed) -> bool {
        let value = step.int(&Int::Var(header.var));
        let mut end = |e: &Int, cmp| self.facts.prove(cmp, &value, &step.int(e));
        header.stride.is_none()
            && header.lower.iter().all(|e| end(e, CmpOp::Ge))
            && header.upper.iter().all(|e| end(e, CmpOp::Lt))
    }

    /// The variables that are the coordinates of a tuple in a loop over all tuples of a relation, which begins with these nodes, if one
    /// tuple has those of the step.
    fn tuple_of(
        &self,
        program: &LoopProgram,
        header: &For,
        nodes: &[Node],
        step: &Renamed,
    ) -> Option<Vec<IntId>> {
        self.tuples.iter().find_map(|(relation, indices)| {
            let table = &program.relations[relation.index()];
            let all = header.stride.is_none()
                && header.lower == [Int::Const(0)]
                && header.upper == [Int::Size(table.count)];
            let own = |(buffer, index): (&BufferId, &Int)| {
                let mut read = coordinates(nodes, *buffer).into_iter();
                let (var, _) = read.find(|(_, at)| *at == header.var)?;
                is_same(step.ints.get(&var)?, index).then_some(var)
            };
            let places = table.coordinates.iter().zip(indices);
            places.map(own).collect::<Option<Vec<IntId>>>().filter(|_| all)
        })
    }

    fn implies(&mut self, cond: &Cond, step: &mut Renamed) -> bool {
        match cond {
            Cond::Int(cmp, a, b) => {
                let (a, b) = (step.int(a), step.int(b));
                self.facts.prove(*cmp, &a, &b)
            }
            Cond::Member(relation, indices) => {
                let wanted: Vec<Int> = indices.iter().map(|index| step.int(index)).collect();
                self.tuples.iter().any(|(of, indices)| of == relation && are_same(indices, &wanted))
            }
            Cond::All(parts) => parts.iter().all(|part| self.implies(part, step)),
            Cond::Real(..) | Cond::Not(_) | Cond::Any(_) => false,
        }
    }
}

/// Whether indices are the same, in whatever order their terms stand.
fn are_same(a: &[Int], b: &[Int]) -> bool {
    a.iter().zip(b).all(|(a, b)| is_same(a, b))
}

fn is_same(a: &Int, b: &Int) -> bool {
    a.clone().minus(b.clone()) == Int::Const(0)
}

/// The variables that nodes set to entries of a buffer, each with that of the loop whose step it is.
fn coordinates(nodes: &[Node], buffer: BufferId) -> Vec<(IntId, IntId)> {
    let one = |node: &Node| {
        let Node::SetInt(var, Int::Load(of, at)) = node else { return None };
        let [Int::Var(step)] = at.as_slice() else { return None };
        (*of == buffer).then_some((*var, *step))
    };
    nodes.iter().filter_map(one).collect()
}

/// The step that adds to an entry at these indices what is read: the values of its variables; `None` if no step does, or it is not known.
fn step(entry: &[Int], read: &[Int]) -> Option<Renamed> {
    let mut step = Renamed::default();
    for (own, index) in entry.iter().zip(read) {
        let known = if let Int::Var(var) = own {
            step.ints.insert(*var, index.clone()).is_none()
        } else {
            own == index
        };
        known.then_some(())?;
    }
    Some(step)
}
