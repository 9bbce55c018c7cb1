//! Nodes with other variables.

use crate::loops::walk::{Rewrite, rebuild_int, rebuild_node, rebuild_real};
use crate::loops::{BufferId, Int, IntId, Node, Place, Real, RealId};
use rustc_hash::FxHashMap;

/// Gives integer variables values and real variables other names.
#[derive(Default)]
pub(super) struct Renamed {
    pub(super) ints: FxHashMap<IntId, Int>,
    pub(super) reals: FxHashMap<RealId, RealId>,
}

impl Renamed {
    pub(super) fn real_id(&self, var: RealId) -> RealId {
        self.reals.get(&var).copied().unwrap_or(var)
    }

    pub(super) fn int_id(&self, var: IntId) -> IntId {
        match self.ints.get(&var) {
            Some(Int::Var(fresh)) => *fresh,
            _ => var,
        }
    }
}

impl Rewrite for Renamed {
    fn int(&mut self, e: &Int) -> Int {
        let Int::Var(var) = e else { return rebuild_int(self, e) };
        self.ints.get(var).cloned().unwrap_or_else(|| e.clone())
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

/// Nodes that touch one row of buffers, with a variable as that row.
pub(super) struct At<'t> {
    pub(super) row: &'t Int,
    pub(super) var: IntId,
    /// The buffers, each with the axis of its rows.
    pub(super) buffers: &'t [(BufferId, usize)],
}

impl Rewrite for At<'_> {
    fn access(&mut self, buffer: BufferId, indices: &[Int]) -> Place {
        let mut indices: Vec<Int> = indices.iter().map(|index| self.int(index)).collect();
        if let Some((_, axis)) = self.buffers.iter().find(|(known, _)| *known == buffer)
            && indices[*axis] == *self.row
        {
            indices[*axis] = Int::Var(self.var);
        }
        Place { buffer, indices }
    }
}
