//! Which indices of the lookups of a program are within their box, so that C need not test them.
//!
//! In `for e { i = R.0[e]; j = R.1[e]; if i >= 1 { if R(i - 1, j) { .. } } }` both are: coordinates of a tuple are in the box,
//! and so is `i - 1` where `i >= 1`.

use crate::fuse::facts::{Facts, settings};
use crate::loops::walk::{Visit, walk_cond, walk_node};
use crate::loops::{BufferId, CmpOp, Cond, Int, IntId, LoopProgram, Node, RelId};
use rustc_hash::FxHashMap;

/// What is known of an index wherever a lookup with it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Known {
    /// That it is at least 0.
    pub(super) natural: bool,
    /// That it is below the extent of the box.
    pub(super) below: bool,
}

/// By relation and indices: what is known of each index.
#[derive(Clone, Default, Debug)]
pub(super) struct Lookups(Vec<(RelId, Vec<Int>, Vec<Known>)>);

impl Lookups {
    /// Of a program.
    pub(super) fn of(program: &LoopProgram) -> Self {
        let columns = program.relations.iter().flat_map(|relation| {
            relation.coordinates.iter().copied().zip(relation.extents.iter().cloned())
        });
        let mut walk = Walk {
            program,
            columns: columns.collect(),
            settings: settings(&program.body),
            facts: Facts::default(),
            found: Self::default(),
        };
        if !program.relations.is_empty() {
            program.body.iter().for_each(|node| walk.node(node));
        }
        walk.found
    }

    /// What is known of the indices of a lookup.
    pub(super) fn known(&self, relation: RelId, indices: &[Int]) -> &[Known] {
        let same = |(of, at, _): &&(RelId, Vec<Int>, Vec<Known>)| *of == relation && at == indices;
        let Some((_, _, known)) = self.0.iter().find(same) else {
            unreachable!("every lookup of the program was walked over")
        };
        known
    }

    fn note(&mut self, relation: RelId, indices: &[Int], known: Vec<Known>) {
        let before = self.0.iter_mut().find(|(of, at, _)| *of == relation && at == indices);
        let Some((_, _, before)) = before else {
            return self.0.push((relation, indices.to_vec(), known));
        };
        for (before, now) in before.iter_mut().zip(known) {
            before.natural &= now.natural;
            before.below &= now.below;
        }
    }
}

struct Walk<'p> {
    program: &'p LoopProgram,
    /// The buffers of coordinates, with the extents of their boxes.
    columns: FxHashMap<BufferId, Int>,
    settings: FxHashMap<IntId, usize>,
    /// What holds where the walk is.
    facts: Facts,
    found: Lookups,
}

impl Walk<'_> {
    fn inside(&mut self, node: &Node, body: &[Node]) {
        let around = self.facts.clone();
        self.facts.inside(node);
        body.iter().for_each(|node| self.node(node));
        self.facts = around;
    }
}

impl Visit for Walk<'_> {
    fn node(&mut self, node: &Node) {
        match node {
            Node::If(cond, body) => {
                self.cond(cond);
                self.inside(node, body);
            }
            Node::For(header) => {
                header.lower.iter().chain(&header.upper).for_each(|e| self.int(e));
                header.stride.iter().for_each(|(_, e)| self.int(e));
                self.inside(node, &header.body);
            }
            Node::Note(_)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => walk_node(self, node),
        }
        self.facts.after(node, &self.settings);
        if let Node::SetInt(var, Int::Load(buffer, _)) = node
            && self.settings.get(var) == Some(&1)
            && let Some(extent) = self.columns.get(buffer)
        {
            self.facts.compare(CmpOp::Le, &Int::Const(0), &Int::Var(*var));
            self.facts.compare(CmpOp::Lt, &Int::Var(*var), extent);
        }
    }

    fn cond(&mut self, cond: &Cond) {
        match cond {
            Cond::Member(relation, indices) => {
                let extents = &self.program.relations[relation.index()].extents;
                let known = indices.iter().zip(extents).map(|(index, extent)| Known {
                    natural: self.facts.prove(CmpOp::Le, &Int::Const(0), index),
                    below: self.facts.prove(CmpOp::Lt, index, extent),
                });
                let known = known.collect();
                self.found.note(*relation, indices, known);
                walk_cond(self, cond);
            }
            Cond::All(parts) => {
                let around = self.facts.clone();
                for part in parts {
                    self.cond(part);
                    self.facts.condition(part);
                }
                self.facts = around;
            }
            Cond::Int(..) | Cond::Real(..) | Cond::Not(_) | Cond::Any(_) => walk_cond(self, cond),
        }
    }
}
