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
use super::sites::{Kind, Site, apart, list_at, lists, sites};
use super::tuples::Tuples;
use crate::loops::walk::{Rewrite, rebuild_int};
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
        let Some(firsts) = covered(program, &others, &tuples, &known) else { continue };
        if clears.iter().any(|site| site.path[0] >= firsts[0][0]) {
            continue;
        }
        for path in firsts {
            let (list, place) = list_at(&mut program.body, &path);
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
fn covered(
    program: &LoopProgram,
    others: &[&Site],
    tuples: &Tuples,
    settings: &FxHashMap<IntId, usize>,
) -> Option<Vec<Vec<usize>>> {
    let (loads, writes): (Vec<&Site>, Vec<&Site>) =
        others.iter().copied().partition(|site| site.kind == Kind::Load);
    let first = *writes.first()?;
    let mut entries: Vec<&Site> = Vec::new();
    for site in &writes {
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
        let fits = |entry: &&&Site| !apart(&entry.indices, &load.indices);
        let entry = entries.iter().find(fits);
        load.path[0] > first.path[0]
            && entry.is_some_and(|entry| {
                let step = entry.indices.iter().zip(&load.indices);
                let step = step.filter_map(|(own, index)| match own {
                    Int::Var(var) => Some((*var, index.clone())),
                    Int::Const(_)
                    | Int::Size(_)
                    | Int::Load(..)
                    | Int::Sum(..)
                    | Int::Product(_)
                    | Int::Div(..)
                    | Int::Mod(..)
                    | Int::DivBy(_)
                    | Int::Floor(_)
                    | Int::Select(_) => None,
                });
                let fixed = entry.indices.iter().zip(&load.indices);
                let mut fixed = fixed.filter(|(own, _)| own.as_const().is_some());
                fixed.all(|(own, index)| own == index)
                    && Known::at(program, &load.path, settings).says(
                        program,
                        &lists(&program.body, &entry.path),
                        &mut Step(step.collect()),
                    )
            })
    };
    loads.iter().all(is_there).then(|| entries.iter().map(|site| site.path.clone()).collect())
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
        let extents = &program.relations[relation.index()].extents;
        for (index, extent) in indices.iter().zip(extents) {
            self.facts.compare(CmpOp::Le, &Int::Const(0), index);
            self.facts.compare(CmpOp::Lt, index, extent);
        }
        self.tuples.push((relation, indices));
    }

    /// Whether the node at a path is run at a step.
    fn says(
        &mut self,
        program: &LoopProgram,
        around: &[(&[Node], usize)],
        step: &mut Step,
    ) -> bool {
        let Some((_, outer)) = around.split_last() else { return false };
        outer.iter().enumerate().all(|(level, (list, place))| match &list[*place] {
            Node::For(header) if step.0.contains_key(&header.var) => {
                let value = step.int(&Int::Var(header.var));
                let mut end = |e: &Int, cmp| {
                    let e = step.int(e);
                    self.facts.prove(cmp, &value, &e)
                };
                header.stride.is_none()
                    && header.lower.iter().all(|e| end(e, CmpOp::Ge))
                    && header.upper.iter().all(|e| end(e, CmpOp::Lt))
            }
            Node::For(header) => {
                let (inside, before) = around[level + 1];
                self.has_step(program, header, &inside[..before], step)
            }
            Node::If(cond, _) => self.implies(cond, step),
            Node::Note(_)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => false,
        })
    }

    /// Whether a loop over all tuples of a relation, which begins with these nodes, has one with the coordinates of the step.
    fn has_step(
        &self,
        program: &LoopProgram,
        header: &For,
        nodes: &[Node],
        step: &mut Step,
    ) -> bool {
        self.tuples.iter().any(|(relation, indices)| {
            let table = &program.relations[relation.index()];
            let all = header.stride.is_none()
                && header.lower == [Int::Const(0)]
                && header.upper == [Int::Size(table.count)];
            let mut places = table.coordinates.iter().zip(indices);
            all && places.all(|(buffer, index)| {
                let mut read = coordinates(nodes, *buffer).into_iter();
                let own = read.find(|(_, at)| *at == header.var);
                let own = own.and_then(|(var, _)| step.0.get(&var));
                own.is_some_and(|own| is_same(own, index))
            })
        })
    }

    fn implies(&mut self, cond: &Cond, step: &mut Step) -> bool {
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

/// Puts the indices of a read in the place of the variables of a step.
struct Step(FxHashMap<IntId, Int>);

impl Rewrite for Step {
    fn int(&mut self, e: &Int) -> Int {
        if let Int::Var(var) = e
            && let Some(index) = self.0.get(var)
        {
            return index.clone();
        }
        rebuild_int(self, e)
    }
}
