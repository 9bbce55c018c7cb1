//! Integer variables that are coordinates of a relation's tuple at the step of a loop.

use crate::loops::walk::Visit;
use crate::loops::{BufferId, Int, IntId, LoopProgram, Node};
use rustc_hash::{FxHashMap, FxHashSet};

/// The coordinates that variables have.
#[derive(Default)]
pub(super) struct Tuples {
    /// The buffer of the coordinate, and the variable of the loop over the tuples.
    coordinates: FxHashMap<IntId, (BufferId, IntId)>,
    /// The buffers of each relation.
    relations: Vec<Vec<BufferId>>,
}

impl Tuples {
    /// Of the variables that are set once.
    pub(super) fn of(program: &LoopProgram) -> Self {
        let mut found = Sets::default();
        program.body.iter().for_each(|node| found.node(node));
        let relations = program.relations.iter().map(|r| r.coordinates.clone());
        let mut coordinates = found.coordinates;
        coordinates.retain(|var, _| !found.again.contains(var));
        Self { coordinates, relations: relations.collect() }
    }

    /// The variable of the loop at whose steps a variable is a coordinate.
    pub(super) fn step(&self, var: IntId) -> Option<IntId> {
        self.coordinates.get(&var).map(|(_, step)| *step)
    }

    /// Whether indices have all coordinates of a relation at the step of a loop: tuples are
    /// distinct, so another step has other indices.
    pub(super) fn is_whole(&self, indices: &[Int], step: IntId) -> bool {
        let has = |buffer: &BufferId| {
            indices.iter().any(|index| {
                matches!(index, Int::Var(var)
                    if self.coordinates.get(var) == Some(&(*buffer, step)))
            })
        };
        self.relations.iter().any(|buffers| !buffers.is_empty() && buffers.iter().all(has))
    }
}

#[derive(Default)]
struct Sets {
    coordinates: FxHashMap<IntId, (BufferId, IntId)>,
    set: FxHashSet<IntId>,
    again: FxHashSet<IntId>,
}

impl Visit for Sets {
    fn enter(&mut self, node: &Node) {
        let Node::SetInt(var, value) = node else { return };
        if !self.set.insert(*var) {
            self.again.insert(*var);
        }
        if let Int::Load(buffer, at) = value
            && let [Int::Var(step)] = at.as_slice()
        {
            self.coordinates.insert(*var, (*buffer, *step));
        }
    }
}
