//! What nodes read and write: variables, buffers, sizes, functions.

use super::scopes::Variable;
use crate::loops::{
    BufferId, Cond, For, Int, IntId, LoopProgram, Node, Place, Real, RealId, RelId, SizeId,
};
use iverson_spec::function::Fun;
use std::collections::BTreeSet;

/// What nodes mention.
#[derive(Clone, Default, Debug)]
pub(crate) struct Mentions {
    pub(crate) sizes: BTreeSet<SizeId>,
    pub(crate) relations: BTreeSet<RelId>,
    pub(crate) functions: BTreeSet<Fun>,
    /// Buffers that are read or written.
    pub(crate) buffers: BTreeSet<BufferId>,
    pub(crate) written: BTreeSet<BufferId>,
    /// Variables that are read.
    pub(crate) ints_read: BTreeSet<IntId>,
    pub(crate) reals_read: BTreeSet<RealId>,
    /// Variables that are set or joined, loop variables not among them.
    pub(crate) ints_set: BTreeSet<IntId>,
    pub(crate) reals_set: BTreeSet<RealId>,
    /// Whether something may end the run early.
    pub(crate) checks: bool,
    pub(crate) floors: bool,
}

impl Mentions {
    /// Of some nodes of a program.
    pub(crate) fn of(program: &LoopProgram, nodes: &[Node]) -> Self {
        let mut mentions = Self::default();
        nodes.iter().for_each(|node| mentions.node(program, node));
        mentions
    }

    /// Whether a variable is read.
    pub(crate) fn reads(&self, variable: Variable) -> bool {
        match variable {
            Variable::Int(var) => self.ints_read.contains(&var),
            Variable::Real(var) => self.reals_read.contains(&var),
        }
    }

    /// Whether a variable is set or joined.
    pub(crate) fn sets(&self, variable: Variable) -> bool {
        match variable {
            Variable::Int(var) => self.ints_set.contains(&var),
            Variable::Real(var) => self.reals_set.contains(&var),
        }
    }

    /// The relations that may have maps: those with places.
    pub(crate) fn boxes(&self, program: &LoopProgram) -> impl Iterator<Item = RelId> {
        let has_places = |r: &RelId| !program.relations[r.index()].coordinates.is_empty();
        self.relations.iter().copied().filter(has_places)
    }

    /// Of the extents of a buffer.
    pub(crate) fn extents(&mut self, program: &LoopProgram, buffer: BufferId) {
        program.buffer(buffer).extents.iter().for_each(|e| self.int(program, e));
    }

    pub(crate) fn node(&mut self, program: &LoopProgram, node: &Node) {
        match node {
            Node::Note(_) | Node::Visit(_) => {}
            Node::For(header) => {
                self.header(program, header);
                header.body.iter().for_each(|node| self.node(program, node));
            }
            Node::If(cond, body) => {
                self.cond(program, cond);
                body.iter().for_each(|node| self.node(program, node));
            }
            Node::SetInt(var, e) => {
                self.ints_set.insert(*var);
                self.int(program, e);
            }
            Node::Set(var, e) | Node::Join(var, _, e) => {
                self.reals_set.insert(*var);
                self.real(program, e);
            }
            Node::Store(place, e) | Node::Accumulate(place, _, e) => {
                self.written(program, place);
                self.real(program, e);
            }
            Node::StoreInt(place, e) | Node::AddInt(place, e) => {
                self.written(program, place);
                self.int(program, e);
            }
            Node::Check(_, cond) => {
                self.checks = true;
                self.cond(program, cond);
            }
        }
    }

    /// Of the bounds of a loop.
    pub(crate) fn header(&mut self, program: &LoopProgram, header: &For) {
        header.lower.iter().chain(&header.upper).for_each(|e| self.int(program, e));
        header.stride.iter().for_each(|(_, residue)| self.int(program, residue));
    }

    fn written(&mut self, program: &LoopProgram, place: &Place) {
        self.written.insert(place.buffer);
        self.entry(program, place.buffer, &place.indices);
    }

    fn entry(&mut self, program: &LoopProgram, buffer: BufferId, indices: &[Int]) {
        self.buffers.insert(buffer);
        // the first extent takes no part in the place of an entry
        program.buffer(buffer).extents.iter().skip(1).for_each(|e| self.int(program, e));
        indices.iter().for_each(|e| self.int(program, e));
    }

    fn int(&mut self, program: &LoopProgram, e: &Int) {
        match e {
            Int::Const(_) => {}
            Int::Size(size) => {
                self.sizes.insert(*size);
            }
            Int::Var(var) => {
                self.ints_read.insert(*var);
            }
            Int::Load(buffer, indices) => self.entry(program, *buffer, indices),
            Int::Sum(terms, _) => terms.iter().for_each(|(_, e)| self.int(program, e)),
            Int::Product(factors) => factors.iter().for_each(|e| self.int(program, e)),
            Int::Div(e, _) | Int::Mod(e, _) => self.int(program, e),
            Int::DivBy(sides) => {
                self.int(program, &sides.0);
                self.int(program, &sides.1);
            }
            Int::Floor(e) => {
                self.floors = true;
                self.real(program, e);
            }
            Int::Select(parts) => {
                self.cond(program, &parts.0);
                self.int(program, &parts.1);
                self.int(program, &parts.2);
            }
        }
    }

    fn real(&mut self, program: &LoopProgram, e: &Real) {
        match e {
            Real::Const(_) => {}
            Real::Int(e) => self.int(program, e),
            Real::Var(var) => {
                self.reals_read.insert(*var);
            }
            Real::Load(buffer, indices) => self.entry(program, *buffer, indices),
            Real::Apply(fun, args) => {
                self.functions.insert(*fun);
                args.iter().for_each(|e| self.real(program, e));
            }
            Real::Select(parts) => {
                self.cond(program, &parts.0);
                self.real(program, &parts.1);
                self.real(program, &parts.2);
            }
        }
    }

    fn cond(&mut self, program: &LoopProgram, cond: &Cond) {
        match cond {
            Cond::Int(_, a, b) => {
                self.int(program, a);
                self.int(program, b);
            }
            Cond::Real(_, sides) => {
                self.real(program, &sides.0);
                self.real(program, &sides.1);
            }
            Cond::Member(relation, indices) => {
                self.relations.insert(*relation);
                let table = &program.relations[relation.index()];
                self.sizes.insert(table.count);
                self.buffers.extend(&table.coordinates);
                table.extents.iter().for_each(|e| self.int(program, e));
                indices.iter().for_each(|e| self.int(program, e));
            }
            Cond::Not(inner) => self.cond(program, inner),
            Cond::All(parts) | Cond::Any(parts) => {
                parts.iter().for_each(|cond| self.cond(program, cond));
            }
        }
    }
}
