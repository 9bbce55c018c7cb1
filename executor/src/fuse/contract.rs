//! Buffers that are written and read at one step alone become variables.
//!
//! An entry `b[I]` of a temporary is a variable `r` if all that touches it stands in one
//! list of nodes, a store first. Where entries are cleared elsewhere and each is then
//! accumulated in one list, the first accumulation is the store, and clearing is left out.

use super::sites::{Kind, Site, all_sites, apart, is_clear};
use super::tuples::Tuples;
use crate::loops::walk::{Rewrite, Visit, rebuild_int, rebuild_node, rebuild_real};
use crate::loops::{
    BufferId, Check, Element, Int, IntId, LoopProgram, Node, Place, Real, RealId, Role,
};
use crate::native::Variable;
use rustc_hash::{FxHashMap, FxHashSet};

/// Turns buffers into variables, until none is left that can be.
pub(super) fn contract(program: &mut LoopProgram) {
    let by_buffer = all_sites(&program.body);
    let (tuples, told) = (Tuples::of(program), in_messages(program));
    let mut found: FxHashMap<BufferId, Vec<Entry>> = FxHashMap::default();
    let mut ids: Vec<BufferId> = by_buffer.keys().copied().collect();
    ids.sort_unstable();
    for id in ids {
        let buffer = program.buffer(id);
        if buffer.role != Role::Temporary || told.contains(&id) {
            continue;
        }
        let (name, element) = (buffer.name.clone(), buffer.element);
        let Some(groups) = groups(&by_buffer[&id], &tuples) else { continue };
        if element == Element::Int && groups.iter().any(|group| group.accumulated) {
            continue;
        }
        let entries = groups.into_iter().map(|group| {
            let Group { indices, accumulated, read } = group;
            let var = read.then(|| match element {
                Element::Real => Variable::Real(program.add_real(name.clone())),
                Element::Int => Variable::Int(program.add_int(name.clone())),
            });
            Entry { indices, var, accumulated }
        });
        found.insert(id, entries.collect());
    }
    let mut contract = Contract { found: &found, begun: Vec::new() };
    let body = contract.nodes(&program.body);
    program.body = body;
    found.keys().for_each(|id| program.drop_buffer(*id));
}

/// An entry that is a variable.
struct Entry {
    indices: Vec<Int>,
    /// None if it is never read.
    var: Option<Variable>,
    /// Whether it begins with an accumulation.
    accumulated: bool,
}

/// The accesses to one entry, in one list of nodes.
struct Group {
    indices: Vec<Int>,
    /// Whether it begins with an accumulation.
    accumulated: bool,
    /// Whether it is read at all.
    read: bool,
}

/// The entries of a buffer that can be variables, if all can: as they are, or with entries cleared elsewhere.
fn groups(sites: &[Site], tuples: &Tuples) -> Option<Vec<Group>> {
    let clears: Vec<&Site> = sites.iter().filter(|site| is_clear(site, sites)).collect();
    local_groups(sites, &[], tuples).or_else(|| local_groups(sites, &clears, tuples))
}

/// The entries, if each is defined and used in one list of nodes, those that are cleared elsewhere apart.
fn local_groups(sites: &[Site], clears: &[&Site], tuples: &Tuples) -> Option<Vec<Group>> {
    let mut groups: Vec<Vec<&Site>> = Vec::new();
    for site in sites.iter().filter(|site| !clears.iter().any(|clear| std::ptr::eq(*clear, *site)))
    {
        match groups.iter_mut().find(|group| group[0].indices == site.indices) {
            Some(group) => group.push(site),
            None => groups.push(vec![site]),
        }
    }
    for (place, group) in groups.iter().enumerate() {
        let apart = |other: &Vec<&Site>| are_apart(group[0], other[0]);
        if !groups[..place].iter().all(apart) || !is_local(group, clears, tuples) {
            return None;
        }
    }
    let entry = |group: &Vec<&Site>| Group {
        indices: group[0].indices.clone(),
        accumulated: matches!(group[0].kind, Kind::Accumulate(_)),
        read: group.iter().any(|site| site.kind == Kind::Load),
    };
    (!groups.is_empty()).then(|| groups.iter().map(entry).collect())
}

/// Whether two entries are never the same while they are in use: their indices differ, or each is
/// stored and used in a list of nodes that has nothing of the other's.
fn are_apart(a: &Site, b: &Site) -> bool {
    let stored = |site: &Site| matches!(site.kind, Kind::Store(_));
    let (one, other) = (a.list(), b.list());
    apart(&a.indices, &b.indices)
        || stored(a) && stored(b) && !one.starts_with(other) && !other.starts_with(one)
}

/// Whether a group of accesses to one entry stands in one list, what defines the entry first.
fn is_local(group: &[&Site], clears: &[&Site], tuples: &Tuples) -> bool {
    let first = group[0];
    let defines = match first.kind {
        Kind::Store(_) => true,
        Kind::Accumulate(_) => !clears.is_empty() && tuples.is_step(&first.indices, &first.loops),
        Kind::Load => false,
    };
    let list = first.list();
    let constant = first.indices.iter().all(|index| is_fixed(index, &first.loops, tuples));
    let inside = |site: &&&Site| {
        site.path.len() > list.len()
            && site.path.starts_with(list)
            && site.path[list.len()] > first.path[list.len()]
    };
    defines && constant && group[1..].iter().all(|site| inside(&site))
}

/// Whether an index has one value wherever the loops around have theirs.
pub(super) fn is_fixed(index: &Int, loops: &[IntId], tuples: &Tuples) -> bool {
    match index {
        Int::Const(_) | Int::Size(_) => true,
        Int::Var(var) => {
            loops.contains(var) || tuples.step(*var).is_some_and(|step| loops.contains(&step))
        }
        Int::Sum(terms, _) => terms.iter().all(|(_, e)| is_fixed(e, loops, tuples)),
        Int::Product(_)
        | Int::Load(..)
        | Int::Div(..)
        | Int::Mod(..)
        | Int::DivBy(_)
        | Int::Floor(_)
        | Int::Select(_) => false,
    }
}

struct Contract<'f> {
    found: &'f FxHashMap<BufferId, Vec<Entry>>,
    /// The variables that have been accumulated to.
    begun: Vec<RealId>,
}

impl<'f> Contract<'f> {
    fn entry(&self, buffer: BufferId, indices: &[Int]) -> Option<&'f Entry> {
        self.found.get(&buffer)?.iter().find(|entry| entry.indices == indices)
    }

    /// The variable of a real entry that is read, and whether the entry begins with an accumulation.
    fn real_of(&self, place: &Place) -> Option<(RealId, bool)> {
        match self.entry(place.buffer, &place.indices)? {
            Entry { var: Some(Variable::Real(var)), accumulated, .. } => Some((*var, *accumulated)),
            Entry { .. } => None,
        }
    }
}

/// The buffers that messages of checks read.
fn in_messages(program: &LoopProgram) -> FxHashSet<BufferId> {
    struct Loads(FxHashSet<BufferId>);
    impl Visit for Loads {
        fn load(&mut self, buffer: BufferId, _: &[Int]) {
            self.0.insert(buffer);
        }
    }
    let mut loads = Loads(FxHashSet::default());
    for check in &program.checks {
        match check {
            Check::Requires { .. } => {}
            Check::Sort { position, .. } => position.iter().for_each(|e| loads.int(e)),
            Check::Earlier { position, entry, .. } => {
                position.iter().chain(entry).for_each(|e| loads.int(e));
            }
        }
    }
    loads.0
}

impl Rewrite for Contract<'_> {
    fn int(&mut self, e: &Int) -> Int {
        match e {
            Int::Load(buffer, indices) => match self.entry(*buffer, indices) {
                Some(Entry { var: Some(Variable::Int(var)), .. }) => Int::Var(*var),
                Some(_) => unreachable!("it is read here, as an integer"),
                None => rebuild_int(self, e),
            },
            Int::Const(_)
            | Int::Size(_)
            | Int::Var(_)
            | Int::Sum(..)
            | Int::Product(_)
            | Int::Div(..)
            | Int::Mod(..)
            | Int::DivBy(_)
            | Int::Floor(_)
            | Int::Select(_) => rebuild_int(self, e),
        }
    }

    fn real(&mut self, e: &Real) -> Real {
        match e {
            Real::Load(buffer, indices) => match self.entry(*buffer, indices) {
                Some(Entry { var: Some(Variable::Real(var)), .. }) => Real::Var(*var),
                Some(_) => unreachable!("it is read here, as a real"),
                None => rebuild_real(self, e),
            },
            Real::Const(_) | Real::Int(_) | Real::Var(_) | Real::Apply(..) | Real::Select(_) => {
                rebuild_real(self, e)
            }
        }
    }

    fn nodes(&mut self, nodes: &[Node]) -> Vec<Node> {
        let mut out: Vec<Node> = Vec::new();
        for node in nodes {
            let rebuilt = self.node(node);
            if rebuilt.is_empty() {
                // the point of a node that is left out is not visited
                out.pop_if(|last| matches!(last, Node::Visit(_)));
            }
            out.extend(rebuilt);
        }
        out
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        match node {
            Node::Store(place, e) if self.found.contains_key(&place.buffer) => {
                let value = self.real(e);
                let var = self.real_of(place).map(|(var, _)| var);
                var.map(|var| Node::Set(var, value)).into_iter().collect()
            }
            Node::StoreInt(place, e) if self.found.contains_key(&place.buffer) => {
                let value = self.int(e);
                match self.entry(place.buffer, &place.indices).and_then(|entry| entry.var) {
                    Some(Variable::Int(var)) => vec![Node::SetInt(var, value)],
                    Some(Variable::Real(_)) | None => Vec::new(),
                }
            }
            Node::Accumulate(place, fold, e) if self.found.contains_key(&place.buffer) => {
                let value = self.real(e);
                let Some((var, accumulated)) = self.real_of(place) else { return Vec::new() };
                let first = accumulated && !self.begun.contains(&var);
                self.begun.push(var);
                vec![if first { Node::Set(var, value) } else { Node::Join(var, *fold, value) }]
            }
            Node::For(_) | Node::If(..) => {
                let rebuilt = rebuild_node(self, node);
                if is_idle(rebuilt.inside()) { Vec::new() } else { vec![rebuilt] }
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
            | Node::Check(..) => vec![rebuild_node(self, node)],
        }
    }
}

fn is_idle(nodes: &[Node]) -> bool {
    nodes.iter().all(|node| matches!(node, Node::Note(_)))
}
