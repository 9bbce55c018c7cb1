//! Copies of loops, with variables of their own.

use crate::loops::walk::{Rewrite, Visit, rebuild_int, rebuild_node, rebuild_real, walk_node};
use crate::loops::{For, Int, IntId, LoopProgram, Node, Real, RealId};
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

    /// A copy of a loop. Loop variables, and variables that are set in it and not mentioned elsewhere,
    /// are new ones.
    pub(super) fn copy(&mut self, header: &For) -> For {
        let node = Node::For(Box::new(header.clone()));
        let mut own = Mentions::default();
        own.node(&node);
        let mut copy = Copy::default();
        for var in &own.ints_set {
            if own.is_loop(*var) || own.ints.get(var) >= self.all.ints.get(var) {
                let name = self.program.ints[var.index()].clone();
                copy.ints.entry(*var).or_insert_with(|| self.program.add_int(name));
            }
        }
        for var in &own.reals_set {
            if own.reals.get(var) >= self.all.reals.get(var) {
                let name = self.program.reals[var.index()].clone();
                copy.reals.entry(*var).or_insert_with(|| self.program.add_real(name));
            }
        }
        match copy.node(&node).pop() {
            Some(Node::For(header)) => *header,
            _ => unreachable!("a loop is rebuilt as one loop"),
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

/// Puts variables in the place of others.
#[derive(Default)]
struct Copy {
    ints: FxHashMap<IntId, IntId>,
    reals: FxHashMap<RealId, RealId>,
}

impl Copy {
    fn int_id(&self, var: IntId) -> IntId {
        self.ints.get(&var).copied().unwrap_or(var)
    }

    fn real_id(&self, var: RealId) -> RealId {
        self.reals.get(&var).copied().unwrap_or(var)
    }
}

impl Rewrite for Copy {
    fn int(&mut self, e: &Int) -> Int {
        if let Int::Var(var) = e { Int::Var(self.int_id(*var)) } else { rebuild_int(self, e) }
    }

    fn real(&mut self, e: &Real) -> Real {
        if let Real::Var(var) = e { Real::Var(self.real_id(*var)) } else { rebuild_real(self, e) }
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        let mut rebuilt = rebuild_node(self, node);
        match &mut rebuilt {
            Node::For(header) => header.var = self.int_id(header.var),
            Node::SetInt(var, _) => *var = self.int_id(*var),
            Node::Set(var, _) | Node::Join(var, ..) => *var = self.real_id(*var),
            Node::Note(_)
            | Node::If(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => {}
        }
        vec![rebuilt]
    }
}
