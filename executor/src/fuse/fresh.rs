//! Copies of loops, with variables of their own.

use super::renamed::Renamed;
use crate::loops::walk::{Rewrite, Visit, walk_node};
use crate::loops::{Buffer, BufferId, Element, For, Int, IntId, LoopProgram, Node, RealId, Role};
use rustc_hash::FxHashMap;

/// Copies loops of one program.
pub(super) struct Fresh<'p> {
    program: &'p mut LoopProgram,
    /// In all of the program as it was at first.
    all: Mentions,
}

impl<'p> Fresh<'p> {
    /// For a program with this body.
    pub(super) fn new(program: &'p mut LoopProgram, body: &[Node]) -> Self {
        let mut all = Mentions::default();
        body.iter().for_each(|node| all.node(node));
        Self { program, all }
    }

    /// The program.
    pub(super) fn program(&self) -> &LoopProgram {
        self.program
    }

    /// A temporary of reals of the program.
    pub(super) fn temporary(&mut self, name: String, extents: Vec<Int>) -> BufferId {
        let (element, role) = (Element::Real, Role::Temporary);
        self.program.add_buffer(Buffer { name, element, extents, role })
    }

    /// An integer variable of the program.
    pub(super) fn int(&mut self, name: &str) -> IntId {
        self.program.add_int(name)
    }

    /// A copy of a loop. Loop variables, and variables that are set in it and not mentioned elsewhere,
    /// are new ones.
    pub(super) fn copy(&mut self, header: &For) -> For {
        let Node::For(header) = self.copied(&Node::For(Box::new(header.clone()))).0 else {
            unreachable!("a loop is rebuilt as one loop")
        };
        *header
    }

    /// The same of a node, with what its variables are called in the copy.
    pub(super) fn copied(&mut self, node: &Node) -> (Node, Renamed) {
        let mut own = Mentions::default();
        own.node(node);
        let mut copy = Renamed::default();
        for var in &own.ints_set {
            if own.is_loop(*var) || own.ints.get(var) >= self.all.ints.get(var) {
                let name = self.program.ints[var.index()].clone();
                copy.ints.entry(*var).or_insert_with(|| Int::Var(self.program.add_int(name)));
            }
        }
        for var in &own.reals_set {
            if own.reals.get(var) >= self.all.reals.get(var) {
                let name = self.program.reals[var.index()].clone();
                copy.reals.entry(*var).or_insert_with(|| self.program.add_real(name));
            }
        }
        match copy.node(node).pop() {
            Some(node) => (node, copy),
            None => unreachable!("a node is rebuilt as one node"),
        }
    }
}

/// How often variables are mentioned.
#[derive(Default)]
struct Mentions {
    ints: FxHashMap<IntId, usize>,
    reals: FxHashMap<RealId, usize>,
    loops: Vec<IntId>,
    ints_set: Vec<IntId>,
    reals_set: Vec<RealId>,
}

impl Mentions {
    fn is_loop(&self, var: IntId) -> bool {
        self.loops.contains(&var)
    }
}

impl Visit for Mentions {
    fn int_var(&mut self, var: IntId) {
        *self.ints.entry(var).or_default() += 1;
    }

    fn real_var(&mut self, var: RealId) {
        *self.reals.entry(var).or_default() += 1;
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::For(header) => {
                self.loops.push(header.var);
                self.ints_set.push(header.var);
            }
            Node::SetInt(var, _) => {
                self.int_var(*var);
                self.ints_set.push(*var);
            }
            Node::Set(var, _) => {
                self.real_var(*var);
                self.reals_set.push(*var);
            }
            Node::Join(var, ..) => self.real_var(*var),
            Node::Note(_)
            | Node::If(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => {}
        }
        walk_node(self, node);
    }
}
