//! Where variables are declared in C.
//!
//! A variable is declared where it is set first, if that is in the innermost block that holds all its mentions;
//! else at the head of the function, as 0.

use super::mentions::Mentions;
use crate::loops::{IntId, LoopProgram, Node, RealId};
use rustc_hash::{FxHashMap, FxHashSet};

/// A variable of a loop program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Variable {
    /// An integer.
    Int(IntId),
    /// A real.
    Real(RealId),
}

/// A node, by its place in a walk from the first to the last.
type NodeNumber = usize;

/// Where the variables of some nodes are declared.
#[derive(Default, Debug)]
pub(super) struct Scopes {
    /// By node: what is declared at it.
    at: FxHashMap<NodeNumber, Variable>,
    /// What is declared at some node: what is set before it is read whenever the nodes are run.
    local: FxHashSet<Variable>,
    /// What is declared at the head of the function, in order.
    pub(super) head: Vec<Variable>,
    /// What is never read.
    idle: FxHashSet<Variable>,
}

impl Scopes {
    /// For the nodes of one function; `given` are its parameters.
    pub(super) fn of(program: &LoopProgram, nodes: &[Node], given: &[Variable]) -> Self {
        let mut walk = Walk {
            program,
            parents: vec![0],
            next: 0,
            seen: Vec::new(),
            found: FxHashMap::default(),
        };
        walk.nodes(nodes, 0);
        let mut scopes = Self::default();
        for variable in walk.seen.iter().filter(|v| !given.contains(v)) {
            let uses = &walk.found[variable];
            if !uses.set {
                continue;
            }
            if !uses.read {
                scopes.idle.insert(*variable);
            }
            match uses.first {
                Some((node, block)) if block == uses.block => {
                    scopes.at.insert(node, *variable);
                    scopes.local.insert(*variable);
                }
                _ => scopes.head.push(*variable),
            }
        }
        scopes
    }

    /// Whether a variable is declared at a node.
    pub(super) fn declares(&self, node: NodeNumber, variable: Variable) -> bool {
        self.at.get(&node) == Some(&variable)
    }

    /// Whether a variable is declared at a node.
    pub(super) fn is_local(&self, variable: Variable) -> bool {
        self.local.contains(&variable)
    }

    /// Whether a variable is never read.
    pub(super) fn is_idle(&self, variable: Variable) -> bool {
        self.idle.contains(&variable)
    }
}

/// How a variable is mentioned.
struct Uses {
    /// The innermost block that holds all mentions.
    block: usize,
    /// The node and its block, where the first mention sets the variable without reading it.
    first: Option<(NodeNumber, usize)>,
    set: bool,
    read: bool,
}

/// A walk through the nodes of a function, block by block.
struct Walk<'p> {
    program: &'p LoopProgram,
    /// By block: the one around it; block 0 is the function.
    parents: Vec<usize>,
    next: NodeNumber,
    /// The variables in the order of their first mention.
    seen: Vec<Variable>,
    found: FxHashMap<Variable, Uses>,
}

impl Walk<'_> {
    fn nodes(&mut self, nodes: &[Node], block: usize) {
        for node in nodes {
            let number = self.next;
            self.next += 1;
            let mut mentions = Mentions::default();
            match node {
                Node::For(header) => mentions.header(self.program, header),
                Node::If(cond, _) => {
                    mentions.node(self.program, &Node::If(cond.clone(), Vec::new()));
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
                | Node::Check(..) => mentions.node(self.program, node),
            }
            self.mentions(&mentions, number, block, matches!(node, Node::Join(..)));
            if matches!(node, Node::For(_) | Node::If(..)) {
                self.inside(node.inside(), block);
            }
        }
    }

    fn inside(&mut self, nodes: &[Node], block: usize) {
        self.parents.push(block);
        let inner = self.parents.len() - 1;
        self.nodes(nodes, inner);
    }

    fn mentions(&mut self, mentions: &Mentions, node: NodeNumber, block: usize, joins: bool) {
        let ints = mentions.ints_read.iter().map(|v| Variable::Int(*v));
        let reals = mentions.reals_read.iter().map(|v| Variable::Real(*v));
        for variable in ints.chain(reals) {
            self.mention(variable, node, block, true, false);
        }
        let ints = mentions.ints_set.iter().map(|v| Variable::Int(*v));
        let reals = mentions.reals_set.iter().map(|v| Variable::Real(*v));
        for variable in ints.chain(reals) {
            self.mention(variable, node, block, joins, true);
        }
    }

    fn mention(
        &mut self,
        variable: Variable,
        node: NodeNumber,
        block: usize,
        reads: bool,
        sets: bool,
    ) {
        if let Some(uses) = self.found.get(&variable) {
            let block = self.common(uses.block, block);
            if let Some(uses) = self.found.get_mut(&variable) {
                uses.block = block;
                uses.set |= sets;
                uses.read |= reads && !sets;
            }
            return;
        }
        let first = (sets && !reads).then_some((node, block));
        self.seen.push(variable);
        self.found.insert(variable, Uses { block, first, set: sets, read: reads && !sets });
    }

    /// The innermost block around two blocks.
    fn common(&self, a: usize, b: usize) -> usize {
        let (mut a, mut b) = (a, b);
        while a != b {
            if a > b {
                a = self.parents[a];
            } else {
                b = self.parents[b];
            }
        }
        a
    }
}
