//! The nodes that compute an entry of a temporary: what of a straight line an entry depends on.

use super::recompute::Home;
use super::renamed::Renamed;
use super::sites::{lists, sites};
use crate::loops::walk::{Rewrite, Visit, walk_real};
use crate::loops::{BufferId, Int, IntId, LoopProgram, Node, Place, Real, RealId, StatementId};
use iverson_spec::function::Fun;
use rustc_hash::{FxHashMap, FxHashSet};

/// A line of more nodes than this has too many functions, or is not worth its text.
const LENGTH: usize = 256;

/// A straight line that computes entries of a temporary into variables, in the variables of the
/// loops around it.
pub(super) struct Slice {
    nodes: Vec<Node>,
    /// By entry that is wanted: its variable.
    results: Vec<RealId>,
    /// What the variables of the wanted entries are called.
    name: String,
    /// What it reads.
    pub(super) loads: Vec<BufferId>,
    /// The number of functions that it applies.
    pub(super) operations: usize,
    /// Whether these are sums, products and signs alone.
    pub(super) light: bool,
    /// The statements whose points it visits, with how many of each.
    pub(super) visits: Vec<(StatementId, usize)>,
}

/// The straight line that computes the `wanted` entries of a temporary; `None` if there is none:
/// a loop, a check or a variable from elsewhere is needed.
pub(super) fn slice(program: &LoopProgram, home: &Home, wanted: &[usize]) -> Option<Slice> {
    // names for a while: every copy has its own
    let results = (0..wanted.len() as u32).map(|entry| RealId(u32::MAX - entry)).collect();
    let mut slicer = Slicer {
        home,
        wanted,
        results,
        reals: FxHashSet::default(),
        ints: FxHashSet::default(),
        refused: false,
    };
    let path = [home.list.as_slice(), &[usize::MAX]].concat();
    let mut nodes = Vec::new();
    for (level, (list, place)) in lists(&program.body, &path).iter().enumerate().skip(1).rev() {
        let own = level + 1 == path.len();
        let before = if own { *list } else { &list[..*place] };
        let mut kept = slicer.list(before, own, true);
        // points that a step of an outer loop visits once would be visited at each step of the inner ones
        if !own && kept.iter().any(has_visit) {
            return None;
        }
        kept.append(&mut nodes);
        nodes = kept;
    }
    let loops = |var: &IntId| home.loops.iter().any(|header| header.var == *var);
    let global = |reals: &FxHashSet<RealId>| reals.is_empty() || globals(&program.body, reals);
    if slicer.refused || !slicer.ints.iter().all(loops) || !global(&slicer.reals) {
        return None;
    }
    let mut content = Content::default();
    nodes.iter().for_each(|node| content.node(node));
    (!content.rounds).then(|| Slice {
        results: slicer.results,
        name: program.buffer(home.buffer).name.clone(),
        loads: content.loads,
        operations: content.operations,
        light: !content.heavy,
        visits: content.visits,
        nodes,
    })
}

impl Slice {
    /// Whether some buffers are read at these entries alone.
    pub(super) fn reads_alike(
        &self,
        some: impl Fn(BufferId) -> bool,
        entries: &[Vec<Int>],
    ) -> bool {
        let sites = sites(&self.nodes);
        let mut some = sites.iter().filter(|(buffer, _)| some(**buffer));
        some.all(|(_, sites)| sites.iter().all(|site| entries.contains(&site.indices)))
    }

    /// The line with the loops' variables given values and all that it sets renamed; and the
    /// variables of the wanted entries.
    pub(super) fn copy(
        &self,
        program: &mut LoopProgram,
        values: &[(IntId, Int)],
    ) -> (Vec<Node>, Vec<RealId>) {
        let mut renamed =
            Renamed { ints: values.iter().cloned().collect(), reals: FxHashMap::default() };
        let mut content = Content::default();
        self.nodes.iter().for_each(|node| content.node(node));
        for var in content.ints_set {
            let name = program.ints[var.index()].clone();
            renamed.ints.entry(var).or_insert_with(|| Int::Var(program.add_int(name)));
        }
        for var in content.reals_set {
            let name = program.reals.get(var.index()).unwrap_or(&self.name).clone();
            renamed.reals.entry(var).or_insert_with(|| program.add_real(name));
        }
        let nodes = renamed.nodes(&self.nodes);
        (nodes, self.results.iter().map(|var| renamed.real_id(*var)).collect())
    }
}

/// Whether a point of a statement is visited in a node.
fn has_visit(node: &Node) -> bool {
    matches!(node, Node::Visit(_)) || node.inside().iter().any(has_visit)
}

/// Whether one node at top level sets each of these variables, and nothing else does.
fn globals(body: &[Node], reals: &FxHashSet<RealId>) -> bool {
    struct Set(FxHashMap<RealId, usize>);
    impl Visit for Set {
        fn enter(&mut self, node: &Node) {
            if let Node::Set(var, _) | Node::Join(var, ..) = node {
                *self.0.entry(*var).or_default() += 1;
            }
        }
    }
    let mut set = Set(FxHashMap::default());
    body.iter().for_each(|node| set.node(node));
    let top = |var: &RealId| body.iter().any(|node| matches!(node, Node::Set(v, _) if v == var));
    reals.iter().all(|var| set.0.get(var) == Some(&1) && top(var))
}

/// Walks lists backwards and keeps what is needed.
struct Slicer<'h> {
    home: &'h Home,
    wanted: &'h [usize],
    results: Vec<RealId>,
    /// The variables that are needed and not set yet.
    reals: FxHashSet<RealId>,
    ints: FxHashSet<IntId>,
    /// Whether something is needed that no straight line computes.
    refused: bool,
}

impl Slicer<'_> {
    /// What is kept of a list. `own`: it is the list where the temporary is written. `certain`: what
    /// it sets is set whatever the conditions are.
    fn list(&mut self, nodes: &[Node], own: bool, certain: bool) -> Vec<Node> {
        let mut kept = Vec::new();
        let mut used = false;
        for (place, node) in nodes.iter().enumerate().rev() {
            self.refused |= kept.len() > LENGTH;
            if self.refused {
                break;
            }
            if let Node::Visit(_) = node {
                if std::mem::take(&mut used) {
                    kept.push(node.clone());
                }
            } else if let Some(node) = self.node(node, own.then_some(place), certain) {
                used = true;
                kept.push(node);
            } else if !matches!(node, Node::Note(_)) {
                used = false;
            }
        }
        kept.reverse();
        kept
    }

    fn node(&mut self, node: &Node, place: Option<usize>, certain: bool) -> Option<Node> {
        let kept = match node {
            Node::Store(at, e) | Node::Accumulate(at, _, e) => {
                let (entry, var) = self.result(at)?;
                let first = place == Some(self.home.firsts[entry]);
                if let Node::Accumulate(_, fold, _) = node
                    && !first
                {
                    Node::Join(var, *fold, e.clone())
                } else {
                    Node::Set(var, e.clone())
                }
            }
            Node::Set(var, _) if self.reals.contains(var) => {
                if certain {
                    self.reals.remove(var);
                }
                node.clone()
            }
            Node::SetInt(var, _) if self.ints.contains(var) => {
                if certain {
                    self.ints.remove(var);
                }
                node.clone()
            }
            Node::Join(var, ..) if self.reals.contains(var) => node.clone(),
            Node::If(cond, body) => {
                let kept = self.list(body, false, false);
                if kept.is_empty() {
                    return None;
                }
                self.need(|needed| needed.cond(cond));
                return Some(Node::If(cond.clone(), kept));
            }
            Node::For(header) => {
                let mut content = Content::default();
                header.body.iter().for_each(|node| content.node(node));
                self.refused |= content.reals_set.iter().any(|var| self.reals.contains(var))
                    || content.ints_set.iter().any(|var| self.ints.contains(var))
                    || content.written.iter().any(|at| self.result(at).is_some());
                return None;
            }
            Node::Set(..)
            | Node::SetInt(..)
            | Node::Join(..)
            | Node::Note(_)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => return None,
        };
        self.need(|needed| needed.node(&kept));
        Some(kept)
    }

    /// The entry that a place is, with its variable, if it is wanted.
    fn result(&self, at: &Place) -> Option<(usize, RealId)> {
        if at.buffer != self.home.buffer {
            return None;
        }
        let place = self.wanted.iter().position(|e| self.home.entries[*e] == at.indices)?;
        Some((self.wanted[place], self.results[place]))
    }

    fn need(&mut self, look: impl FnOnce(&mut Needed)) {
        let mut needed = Needed::default();
        look(&mut needed);
        self.reals.extend(needed.reals);
        self.ints.extend(needed.ints);
        self.refused |= needed.buffers.contains(&self.home.buffer);
    }
}

/// The variables and buffers that are read.
#[derive(Default)]
struct Needed {
    reals: Vec<RealId>,
    ints: Vec<IntId>,
    buffers: Vec<BufferId>,
}

impl Visit for Needed {
    fn load(&mut self, buffer: BufferId, _: &[Int]) {
        self.buffers.push(buffer);
    }

    fn int_var(&mut self, var: IntId) {
        self.ints.push(var);
    }

    fn real_var(&mut self, var: RealId) {
        self.reals.push(var);
    }
}

/// What nodes are made of.
#[derive(Default)]
struct Content {
    loads: Vec<BufferId>,
    operations: usize,
    /// Whether one is no sum, product or sign.
    heavy: bool,
    visits: Vec<(StatementId, usize)>,
    ints_set: Vec<IntId>,
    reals_set: Vec<RealId>,
    written: Vec<Place>,
    /// Whether a real is rounded down, which may stop a run.
    rounds: bool,
}

impl Visit for Content {
    fn load(&mut self, buffer: BufferId, _: &[Int]) {
        self.loads.push(buffer);
    }

    fn int(&mut self, e: &Int) {
        self.rounds |= matches!(e, Int::Floor(_));
        crate::loops::walk::walk_int(self, e);
    }

    fn real(&mut self, e: &Real) {
        if let Real::Apply(fun, _) = e {
            self.operations += 1;
            self.heavy |= !matches!(fun, Fun::Neg | Fun::Add | Fun::Mul);
        }
        walk_real(self, e);
    }

    fn enter(&mut self, node: &Node) {
        match node {
            Node::Set(var, _) | Node::Join(var, ..) => self.reals_set.push(*var),
            Node::SetInt(var, _) => self.ints_set.push(*var),
            Node::For(header) => self.ints_set.push(header.var),
            Node::Visit(statement) => {
                match self.visits.iter_mut().find(|(known, _)| known == statement) {
                    Some((_, count)) => *count += 1,
                    None => self.visits.push((*statement, 1)),
                }
            }
            Node::Store(place, _) | Node::Accumulate(place, ..) => self.written.push(place.clone()),
            Node::Note(_)
            | Node::If(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Check(..) => {}
        }
    }
}
