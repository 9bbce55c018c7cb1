//! What nothing reads is not computed: variables, entries of temporaries, and loops that do nothing else.

use crate::loops::walk::{Visit, walk_node};
use crate::loops::{BufferId, Check, Element, Int, IntId, LoopProgram, Node, RealId, Role};
use rustc_hash::FxHashSet;

/// Leaves out what sets variables that nothing reads.
pub(super) fn drop_dead(program: &mut LoopProgram) {
    loop {
        let mut used = Used::default();
        program.checks.iter().for_each(|check| used.check(check));
        program.body.iter().for_each(|node| used.node(node));
        let unread = unread(program, &used);
        let mut sweep = Sweep { used, unread, dropped: false };
        program.body = sweep.list(std::mem::take(&mut program.body));
        if !sweep.dropped {
            return;
        }
        sweep.unread.into_iter().for_each(|id| program.drop_buffer(id));
    }
}

/// Leaves out notes at top level that nothing but other notes follows.
pub(super) fn drop_empty_notes(program: &mut LoopProgram) {
    let is_note = |node: Option<&Node>| matches!(node, Some(Node::Note(_)));
    let body = std::mem::take(&mut program.body);
    let says = |at: &usize| !is_note(body.get(*at)) || !is_note(body.get(at + 1));
    program.body = (0..body.len()).filter(says).map(|at| body[at].clone()).collect();
}

/// The temporaries of reals that are not read.
fn unread(program: &LoopProgram, used: &Used) -> FxHashSet<BufferId> {
    let ids = (0..program.buffers.len()).map(|at| BufferId(at as u32));
    let kept = |id: &BufferId| {
        let buffer = program.buffer(*id);
        buffer.role == Role::Temporary && buffer.element == Element::Real
    };
    ids.filter(|id| kept(id) && !used.buffers.contains(id)).collect()
}

/// What is read.
#[derive(Default)]
struct Used {
    buffers: FxHashSet<BufferId>,
    ints: FxHashSet<IntId>,
    reals: FxHashSet<RealId>,
}

impl Used {
    /// The message of a check tells variables.
    fn check(&mut self, check: &Check) {
        match check {
            Check::Requires { point, .. } => self.ints.extend(point.iter().map(|(_, var)| *var)),
            Check::Sort { position, value, bound, .. } => {
                self.ints.insert(*value);
                position.iter().chain([bound]).for_each(|e| self.int(e));
            }
            Check::Earlier { position, entry, .. } => {
                position.iter().chain(entry).for_each(|e| self.int(e));
            }
        }
    }
}

impl Visit for Used {
    fn load(&mut self, buffer: BufferId, _: &[Int]) {
        self.buffers.insert(buffer);
    }

    fn int_var(&mut self, var: IntId) {
        self.ints.insert(var);
    }

    fn real_var(&mut self, var: RealId) {
        self.reals.insert(var);
    }

    fn node(&mut self, node: &Node) {
        walk_node(self, node);
    }
}

struct Sweep {
    used: Used,
    unread: FxHashSet<BufferId>,
    dropped: bool,
}

impl Sweep {
    fn list(&mut self, nodes: Vec<Node>) -> Vec<Node> {
        let mut out: Vec<Node> = Vec::new();
        for node in nodes {
            if let Some(node) = self.node(node) {
                out.push(node);
            } else {
                // the point of a node that is left out is not visited
                self.dropped = true;
                out.pop_if(|last| matches!(last, Node::Visit(_)));
            }
        }
        out
    }

    fn node(&mut self, node: Node) -> Option<Node> {
        match node {
            Node::Set(var, _) | Node::Join(var, ..) if !self.used.reals.contains(&var) => None,
            Node::Store(place, _) | Node::Accumulate(place, ..)
                if self.unread.contains(&place.buffer) =>
            {
                None
            }
            Node::SetInt(var, Int::Const(_) | Int::Size(_) | Int::Var(_) | Int::Sum(..))
                if !self.used.ints.contains(&var) =>
            {
                None
            }
            Node::For(mut header) => {
                header.body = self.list(header.body);
                (!is_idle(&header.body)).then_some(Node::For(header))
            }
            Node::If(cond, body) => {
                let body = self.list(body);
                (!is_idle(&body)).then_some(Node::If(cond, body))
            }
            other @ (Node::Note(_)
            | Node::Set(..)
            | Node::Join(..)
            | Node::SetInt(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..)) => Some(other),
        }
    }
}

fn is_idle(nodes: &[Node]) -> bool {
    nodes.iter().all(|node| matches!(node, Node::Note(_) | Node::Visit(_)))
}
