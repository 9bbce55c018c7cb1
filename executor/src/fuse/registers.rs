//! An entry that is touched several times in one list of nodes is kept in a variable and stored once.
//!
//! In `y[i] = 0; y[i] += a; if p { y[i] += b }; z[i] = y[i]` the entry becomes `r`, with `y[i] = r` after its
//! last change and `z[i] = r`. What begins as a sum or product of nothing begins with the first
//! value instead: `r = a; if p { r += b }`. What is only added to at a place that data name stays: threads add to copies of such a buffer. An entry that is first touched under a condition is one of those if it is in
//! its buffer whether or not the condition holds: its indices are coordinates of a tuple, below the extents.

use super::sites::differ;
use super::tuples::Tuples;
use crate::loops::walk::{Rewrite, Visit, rebuild_node, rebuild_real, walk_node};
use crate::loops::{BufferId, Element, Fold, Int, IntId, LoopProgram, Node, Place, Real, RealId};
use crate::tile::mentions_any;

/// Keeps entries in variables.
pub(super) fn keep_entries(program: &mut LoopProgram) {
    let tuples = Tuples::of(program);
    let body = std::mem::take(&mut program.body);
    program.body = lists(program, &tuples, body);
}

fn lists(program: &mut LoopProgram, tuples: &Tuples, mut nodes: Vec<Node>) -> Vec<Node> {
    while let Some(run) = (0..nodes.len()).find_map(|at| run(program, tuples, &nodes, at)) {
        nodes = run.kept(program, nodes);
    }
    begin_with_values(&mut nodes);
    nodes.into_iter().map(|node| node.map_inside(|body| lists(program, tuples, body))).collect()
}

/// Leaves out stores to entries that are stored again in the same list, and not read in between.
pub(super) fn drop_overwritten(program: &mut LoopProgram) {
    let body = std::mem::take(&mut program.body);
    program.body = stored_once(body);
}

fn stored_once(mut nodes: Vec<Node>) -> Vec<Node> {
    let overwritten = |at: usize, nodes: &[Node]| {
        let Node::Store(place, _) = &nodes[at] else { return false };
        is_overwritten(place, &nodes[at + 1..])
    };
    while let Some(at) = (0..nodes.len()).find(|at| overwritten(*at, &nodes)) {
        nodes.remove(at);
    }
    nodes.into_iter().map(|node| node.map_inside(stored_once)).collect()
}

/// Whether an entry is stored by one of some nodes, and its buffer is not read up to there.
fn is_overwritten(place: &Place, after: &[Node]) -> bool {
    let mut needed = Needed { place, found: false };
    for node in after {
        needed.node(node);
        if needed.found {
            return false;
        }
        if matches!(node, Node::Store(again, _) if again == place) {
            return true;
        }
    }
    false
}

/// Whether the buffer of an entry is read, its indices are set, or the run may end.
struct Needed<'p> {
    place: &'p Place,
    found: bool,
}

impl Visit for Needed<'_> {
    fn load(&mut self, buffer: BufferId, _: &[Int]) {
        self.found |= buffer == self.place.buffer;
    }

    fn enter(&mut self, node: &Node) {
        self.found |= match node {
            Node::SetInt(var, _) => mentions_any(&self.place.indices, &[*var]),
            Node::For(header) => mentions_any(&self.place.indices, &[header.var]),
            Node::Accumulate(place, ..) => place.buffer == self.place.buffer,
            Node::Check(..) => true,
            Node::Note(_)
            | Node::If(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_) => false,
        };
    }
}

/// The entry that a node writes, or one that it writes under a condition and that exists without it.
fn written<'n>(program: &LoopProgram, tuples: &Tuples, node: &'n Node) -> Option<&'n Place> {
    let Node::If(_, body) = node else {
        return match node {
            Node::Store(place, _) | Node::Accumulate(place, ..) => Some(place),
            Node::Note(_)
            | Node::For(_)
            | Node::If(..)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => None,
        };
    };
    let exists = |place: &&Place| {
        let axes = place.indices.iter().zip(&program.buffer(place.buffer).extents);
        let mut axes = axes
            .map(|(index, extent)| matches!(index, Int::Var(var) if tuples.is_below(*var, extent)));
        axes.all(|below| below)
    };
    body.iter().find_map(|node| written(program, tuples, node).filter(exists))
}

/// A run of nodes that touch one entry more than once, and others of its buffer only if these differ by a constant.
struct Run {
    place: Place,
    /// The node that writes first.
    first: usize,
    /// The last that writes.
    written: usize,
    /// The last of all.
    last: usize,
}

/// The longest run that begins with the node at `first`.
fn run(program: &LoopProgram, tuples: &Tuples, nodes: &[Node], first: usize) -> Option<Run> {
    let place = written(program, tuples, &nodes[first])?;
    if !place.indices.iter().all(Int::is_affine)
        || program.buffer(place.buffer).element != Element::Real
    {
        return None;
    }
    let (mut written, mut last) = (first, first);
    let mut only_added = is_named(tuples, &nodes[..first], place);
    for (at, node) in nodes.iter().enumerate().skip(first) {
        let mut uses = Uses { place, reads: false, writes: false, hinders: false };
        uses.node(node);
        if uses.hinders {
            break;
        }
        // reading what the first node reads before it writes is no reason
        if uses.writes || uses.reads && at > first {
            last = at;
        }
        if uses.writes {
            written = at;
        }
        only_added &= !uses.reads && (!uses.writes || matches!(node, Node::Accumulate(..)));
    }
    (last > first && !only_added).then(|| Run { place: place.clone(), first, written, last })
}

/// Whether an index of a place is a variable that nodes before it set from data, and several steps may have that place: not that of a tuple.
fn is_named(tuples: &Tuples, before: &[Node], place: &Place) -> bool {
    let mut vars = place.indices.iter().filter_map(|index| {
        let Int::Var(var) = index else { return None };
        Some(*var)
    });
    let steps: Vec<IntId> = vars.clone().find_map(|var| tuples.step(var)).into_iter().collect();
    let named = |var: IntId| {
        before.iter().any(|node| matches!(node, Node::SetInt(set, Int::Load(..)) if *set == var))
    };
    vars.any(named) && (steps.is_empty() || !tuples.is_step(&place.indices, &steps))
}

/// What a node does to an entry.
struct Uses<'p> {
    place: &'p Place,
    reads: bool,
    writes: bool,
    /// Whether it may touch another entry of the buffer, sets an index, or may end the run early.
    hinders: bool,
}

impl Uses<'_> {
    /// An entry is touched; whether it is the one. Variables have the same values in both: one that is set hinders.
    fn touch(&mut self, buffer: BufferId, indices: &[Int]) -> bool {
        let same = indices == self.place.indices;
        self.hinders |=
            buffer == self.place.buffer && !same && !differ(indices, &self.place.indices);
        buffer == self.place.buffer && same
    }

    fn set(&mut self, var: IntId) {
        self.hinders |= mentions_any(&self.place.indices, &[var]);
    }
}

impl Visit for Uses<'_> {
    fn load(&mut self, buffer: BufferId, indices: &[Int]) {
        self.reads |= self.touch(buffer, indices);
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Store(place, _) | Node::Accumulate(place, ..) => {
                self.writes |= self.touch(place.buffer, &place.indices);
            }
            Node::SetInt(var, _) => self.set(*var),
            Node::For(_) | Node::Check(..) => self.hinders = true,
            Node::StoreInt(place, _) | Node::AddInt(place, _) => {
                self.touch(place.buffer, &place.indices);
            }
            Node::Note(_) | Node::If(..) | Node::Set(..) | Node::Join(..) | Node::Visit(_) => {}
        }
        walk_node(self, node);
    }
}

impl Run {
    /// The nodes with the entry in a variable.
    fn kept(self, program: &mut LoopProgram, nodes: Vec<Node>) -> Vec<Node> {
        let Self { place, first, written, last } = self;
        let name = program.buffer(place.buffer).name.clone();
        let var = program.add_real(name);
        let mut keep = Keep { place: &place, var };
        let mut out = Vec::with_capacity(nodes.len() + 2);
        for (at, node) in nodes.into_iter().enumerate() {
            if at == first && needs_value(&place, &node) {
                out.push(Node::Set(var, Real::Load(place.buffer, place.indices.clone())));
            }
            if (first..=last).contains(&at) {
                out.extend(keep.node(&node));
            } else {
                out.push(node);
            }
            if at == written {
                out.push(Node::Store(place.clone(), Real::Var(var)));
            }
        }
        out
    }
}

/// Whether the first node that writes an entry needs the value that it has before: a store whose value reads the entry
/// does too, as where two temporaries have one memory.
fn needs_value(place: &Place, node: &Node) -> bool {
    let Node::Store(_, e) = node else { return true };
    let mut uses = Uses { place, reads: false, writes: false, hinders: false };
    uses.real(e);
    uses.reads
}

struct Keep<'p> {
    place: &'p Place,
    var: RealId,
}

impl Rewrite for Keep<'_> {
    fn real(&mut self, e: &Real) -> Real {
        match e {
            Real::Load(buffer, indices)
                if *buffer == self.place.buffer && *indices == self.place.indices =>
            {
                Real::Var(self.var)
            }
            Real::Load(..)
            | Real::Const(_)
            | Real::Int(_)
            | Real::Var(_)
            | Real::Apply(..)
            | Real::Select(_) => rebuild_real(self, e),
        }
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        match node {
            Node::Store(place, e) if place == self.place => {
                vec![Node::Set(self.var, self.real(e))]
            }
            Node::Accumulate(place, fold, e) if place == self.place => {
                vec![Node::Join(self.var, *fold, self.real(e))]
            }
            Node::Note(_)
            | Node::For(_)
            | Node::If(..)
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

/// `r = 0; r += a` is `r = a`; likewise products.
fn begin_with_values(nodes: &mut Vec<Node>) {
    let mut at = 0;
    while at < nodes.len() {
        if let Some(value) = first_value(nodes, at)
            && let Node::Join(var, _, e) = &nodes[value]
        {
            nodes[value] = Node::Set(*var, e.clone());
            nodes.remove(at);
        } else {
            at += 1;
        }
    }
}

/// The node that joins the first value to a variable that the node at `at` sets to the value of nothing.
fn first_value(nodes: &[Node], at: usize) -> Option<usize> {
    let Node::Set(var, Real::Const(start)) = &nodes[at] else { return None };
    for (place, node) in nodes.iter().enumerate().skip(at + 1) {
        if let Node::Join(joined, fold @ (Fold::Sum | Fold::Prod), e) = node
            && joined == var
        {
            let alone = *start == fold.empty() && !mentions_in(e, *var);
            return alone.then_some(place);
        }
        if mentions(node, *var) {
            return None;
        }
    }
    None
}

struct Mentions {
    var: RealId,
    found: bool,
}

impl Visit for Mentions {
    fn real_var(&mut self, var: RealId) {
        self.found |= var == self.var;
    }

    fn enter(&mut self, node: &Node) {
        match node {
            Node::Set(var, _) | Node::Join(var, ..) => self.found |= *var == self.var,
            Node::Note(_)
            | Node::For(_)
            | Node::If(..)
            | Node::SetInt(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..) => {}
        }
    }
}

fn mentions(node: &Node, var: RealId) -> bool {
    let mut mentions = Mentions { var, found: false };
    mentions.node(node);
    mentions.found
}

fn mentions_in(e: &Real, var: RealId) -> bool {
    let mut mentions = Mentions { var, found: false };
    mentions.real(e);
    mentions.found
}

#[cfg(test)]
mod tests {
    use super::{drop_overwritten, keep_entries};
    use crate::loops::LoopProgram;

    /// The body of a loop over `i` with entries kept.
    fn kept(body: &str) -> String {
        let head = "loops f\nsize n\ninput x: real[n]\ntemporary t: real[n]\noutput y: real[n]\n";
        let text = format!("{head}ints i\nfor any i in 0 .. n {{\n{body}\n}}\n");
        let mut program = LoopProgram::parse(&text).unwrap_or_else(|e| panic!("{e}"));
        keep_entries(&mut program);
        let text = program.to_string();
        text.split_once("0 .. n {\n").map_or_else(String::new, |(_, body)| body.to_owned())
    }

    #[test]
    fn what_is_stored_again_is_stored_once() {
        let head = "loops f\nsize n\ninput x: real[n]\noutput y: real[n]\nints i, k\nreals r\n";
        let body = |first: &str| {
            format!(
                "for any i in 0 .. n {{\n    {first}r = 0.0\n    \
                 for k in 0 .. n {{\n        r += x[k]\n    }}\n    y[i] = r\n}}\n"
            )
        };
        let dropped = |first: &str| {
            let text = format!("{head}{}", body(first));
            let mut program = LoopProgram::parse(&text).unwrap_or_else(|e| panic!("{e}"));
            drop_overwritten(&mut program);
            program.to_string() == format!("{head}{}", body(""))
        };
        assert!(dropped("y[i] = 1.0\n    "));
        assert!(!dropped("y[i] = 1.0\n    r = y[i]\n    "));
        assert!(!dropped("y[i] = 1.0\n    y[i] += x[i]\n    "));
    }

    #[test]
    fn an_entry_that_a_store_reads_is_loaded_first() {
        let found = kept("t[i] = x[i] * t[i]\ny[i] = t[i] + 1.0");
        assert!(found.starts_with("    t_2 = t[i]\n    t_2 = x[i] * t_2\n"), "{found}");
        let found = kept("t[i] = x[i] * x[i]\ny[i] = t[i] + 1.0");
        assert!(found.starts_with("    t_2 = x[i] * x[i]\n"), "{found}");
    }
}
