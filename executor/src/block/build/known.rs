//! What nodes mention.

use crate::loops::walk::{Visit, walk_node};
use crate::loops::{BufferId, IntId, Node, Real, RealId};

/// The variables that nodes assign to, in order.
#[derive(Default)]
pub(super) struct Assigned {
    pub(super) reals: Vec<(RealId, Joined)>,
    pub(super) ints: Vec<IntId>,
}

/// How a variable is assigned to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Joined {
    /// It is joined to among the nodes, and neither read nor set there.
    Here,
    /// Anything else.
    Elsewhere,
}

/// The variables that nodes assign to; `directly` if they stand in the scope that is asked about.
pub(super) fn assigned(nodes: &[Node], directly: bool) -> Assigned {
    let mut uses = Uses::default();
    nodes.iter().for_each(|node| uses.node(node));
    // what follows a check stands in a scope of its own
    let open = nodes.iter().take_while(|node| directly && !matches!(node, Node::Check(..)));
    let mut here: Vec<RealId> = Vec::new();
    open.for_each(|node| {
        if let Node::Join(var, ..) = node {
            here.push(*var);
        }
    });
    let mut reals: Vec<RealId> = uses.set.iter().chain(&uses.joined).copied().collect();
    reals.sort_unstable();
    reals.dedup();
    let how = |var: &RealId| {
        let times = |list: &[RealId]| list.iter().filter(|known| *known == var).count();
        let alone = times(&uses.set) == 0 && times(&uses.read) == 0;
        if alone && times(&here) == times(&uses.joined) { Joined::Here } else { Joined::Elsewhere }
    };
    let mut ints = uses.ints;
    ints.sort_unstable();
    ints.dedup();
    Assigned { reals: reals.iter().map(|var| (*var, how(var))).collect(), ints }
}

#[derive(Default)]
struct Uses {
    set: Vec<RealId>,
    joined: Vec<RealId>,
    read: Vec<RealId>,
    ints: Vec<IntId>,
}

impl Visit for Uses {
    fn real_var(&mut self, var: RealId) {
        self.read.push(var);
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Set(var, _) => self.set.push(*var),
            Node::Join(var, ..) => self.joined.push(*var),
            Node::SetInt(var, _) => self.ints.push(*var),
            Node::Note(_)
            | Node::For(_)
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

/// Whether a real variable is read.
pub(super) fn reads(e: &Real, var: RealId) -> bool {
    struct Reads(RealId, bool);
    impl Visit for Reads {
        fn real_var(&mut self, var: RealId) {
            self.1 |= var == self.0;
        }
    }
    let mut found = Reads(var, false);
    found.real(e);
    found.1
}

/// Whether an expression is an entry of a buffer.
pub(super) fn loads_from(e: &Real, buffer: BufferId) -> bool {
    matches!(e, Real::Load(of, _) if *of == buffer)
}

/// The buffers that nodes write to.
pub(super) fn written(nodes: &[Node]) -> Vec<BufferId> {
    struct Written(Vec<BufferId>);
    impl Visit for Written {
        fn enter(&mut self, node: &Node) {
            match node {
                Node::Store(place, _)
                | Node::Accumulate(place, ..)
                | Node::StoreInt(place, _)
                | Node::AddInt(place, _) => self.0.push(place.buffer),
                Node::Note(_)
                | Node::For(_)
                | Node::If(..)
                | Node::SetInt(..)
                | Node::Set(..)
                | Node::Join(..)
                | Node::Visit(_)
                | Node::Check(..) => {}
            }
        }
    }
    let mut written = Written(Vec::new());
    nodes.iter().for_each(|node| written.node(node));
    written.0
}
