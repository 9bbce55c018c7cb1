//! Accesses to buffers, with where they stand.

use crate::loops::walk::{Visit, walk_node};
use crate::loops::{BufferId, Fold, Int, IntId, Node, Place, Real};
use rustc_hash::FxHashMap;

/// One access: what it is, where, and under which loops.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) kind: Kind,
    pub(crate) indices: Vec<Int>,
    /// The place of the node in its list, and of the lists around it, outermost first.
    pub(crate) path: Vec<usize>,
    /// The variables of the loops around, outermost first.
    pub(super) loops: Vec<IntId>,
}

/// What an access is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Kind {
    Load,
    /// A store; of this constant if it is one.
    Store(Option<f64>),
    Accumulate(Fold),
}

impl Site {
    /// The path of the list that the node stands in.
    pub(super) fn list(&self) -> &[usize] {
        &self.path[..self.path.len() - 1]
    }

    /// Whether an entry is touched here before it is there, if it is: the node stands before the other one, and the loops around both
    /// say the same index.
    pub(super) fn comes_before(&self, other: &Self) -> bool {
        let common = self.path.iter().zip(&other.path).take_while(|(a, b)| a == b).count();
        let mut both = self.loops.iter().zip(&other.loops).take_while(|(a, b)| a == b);
        let says = |var: &IntId| {
            let own = Int::Var(*var);
            self.indices.iter().zip(&other.indices).any(|(a, b)| *a == own && *b == own)
        };
        common < self.path.len().min(other.path.len())
            && self.path[common] < other.path[common]
            && (common == 0 || both.all(|(var, _)| says(var)))
    }

    /// The place of the node in its list.
    pub(super) fn place(&self) -> usize {
        self.path[self.path.len() - 1]
    }
}

/// The accesses of each buffer in the order of the text; those to integers are loads alone.
pub(crate) fn sites(body: &[Node]) -> FxHashMap<BufferId, Vec<Site>> {
    let mut sites = Sites::default();
    sites.list(body);
    sites.by_buffer
}

/// The same with stores to integers.
pub(super) fn all_sites(body: &[Node]) -> FxHashMap<BufferId, Vec<Site>> {
    let mut sites = Sites { ints: true, ..Sites::default() };
    sites.list(body);
    sites.by_buffer
}

/// The lists of nodes that a path goes through, outermost first, each with the place in it.
pub(super) fn lists<'n>(body: &'n [Node], path: &[usize]) -> Vec<(&'n [Node], usize)> {
    let mut list = body;
    let mut found = Vec::new();
    for place in path {
        found.push((list, *place));
        list = list.get(*place).map_or(&[], Node::inside);
    }
    found
}

/// The list in which the node at a path stands, and the place in it.
pub(super) fn list_at<'b>(body: &'b mut Vec<Node>, path: &[usize]) -> (&'b mut Vec<Node>, usize) {
    let [place, rest @ ..] = path else { unreachable!("a path has the place of its node") };
    if rest.is_empty() {
        return (body, *place);
    }
    match (&mut body[*place], rest) {
        (Node::For(header), _) => list_at(&mut header.body, rest),
        (Node::If(_, inside), _) => list_at(inside, rest),
        _ => unreachable!("a path goes through loops and conditions"),
    }
}

/// Whether a store sets an entry to what an accumulation elsewhere starts from.
pub(super) fn is_clear(site: &Site, sites: &[Site]) -> bool {
    let Kind::Store(Some(value)) = site.kind else { return false };
    let starts = |other: &Site| match other.kind {
        Kind::Accumulate(fold) => fold.empty() == value && other.indices != site.indices,
        Kind::Load | Kind::Store(_) => false,
    };
    sites.iter().any(starts)
}

/// Whether a check stands in nodes: its message names the variables of one place.
pub(super) fn has_checks(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| matches!(node, Node::Check(..)) || has_checks(node.inside()))
}

/// Whether two entries differ whatever the variables are: by two constants at one axis.
pub(super) fn apart(a: &[Int], b: &[Int]) -> bool {
    a.iter().zip(b).any(|(a, b)| matches!((a, b), (Int::Const(a), Int::Const(b)) if a != b))
}

/// The one node in a list, notes apart.
pub(super) fn only(nodes: &[Node]) -> Option<&Node> {
    let mut nodes = nodes.iter().filter(|node| !matches!(node, Node::Note(_)));
    nodes.next().filter(|_| nodes.next().is_none())
}

/// Whether two entries differ while all variables have one value: by a constant at one axis, or there in their remainders.
pub(super) fn differ(a: &[Int], b: &[Int]) -> bool {
    let difference = |a: &Int, b: &Int| a.clone().minus(b.clone()).as_const();
    a.iter().zip(b).any(|(a, b)| match (a, b) {
        (Int::Mod(a, k), Int::Mod(b, l)) if k == l => {
            difference(a, b).is_some_and(|n| n.rem_euclid(*k) != 0)
        }
        _ => difference(a, b).is_some_and(|n| n != 0),
    })
}

#[derive(Default)]
struct Sites {
    by_buffer: FxHashMap<BufferId, Vec<Site>>,
    path: Vec<usize>,
    loops: Vec<IntId>,
    /// Whether writes to integers count.
    ints: bool,
}

impl Sites {
    fn list(&mut self, nodes: &[Node]) {
        for (place, node) in nodes.iter().enumerate() {
            self.path.push(place);
            self.node(node);
            self.path.pop();
        }
    }

    fn add(&mut self, kind: Kind, buffer: BufferId, indices: &[Int]) {
        let site = Site {
            kind,
            indices: indices.to_vec(),
            path: self.path.clone(),
            loops: self.loops.clone(),
        };
        self.by_buffer.entry(buffer).or_default().push(site);
    }
}

impl Visit for Sites {
    fn load(&mut self, buffer: BufferId, indices: &[Int]) {
        self.add(Kind::Load, buffer, indices);
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::For(header) => {
                header.lower.iter().chain(&header.upper).for_each(|e| self.int(e));
                header.stride.iter().for_each(|(_, e)| self.int(e));
                self.loops.push(header.var);
                self.list(&header.body);
                self.loops.pop();
            }
            Node::If(cond, body) => {
                self.cond(cond);
                self.list(body);
            }
            Node::Store(Place { buffer, indices }, e) => {
                walk_node(self, node);
                let constant = if let Real::Const(x) = e { Some(*x) } else { None };
                self.add(Kind::Store(constant), *buffer, indices);
            }
            Node::Accumulate(Place { buffer, indices }, fold, _) => {
                walk_node(self, node);
                self.add(Kind::Accumulate(*fold), *buffer, indices);
            }
            Node::StoreInt(Place { buffer, indices }, _) if self.ints => {
                walk_node(self, node);
                self.add(Kind::Store(None), *buffer, indices);
            }
            Node::AddInt(Place { buffer, indices }, _) if self.ints => {
                walk_node(self, node);
                self.add(Kind::Accumulate(Fold::Sum), *buffer, indices);
            }
            Node::Note(_)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => walk_node(self, node),
        }
    }
}
