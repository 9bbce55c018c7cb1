//! Integer variables that are coordinates of a relation's tuple at the step of a loop.

use super::facts::settings;
use crate::loops::walk::Visit;
use crate::loops::{BufferId, Element, Int, IntId, LoopProgram, Node, RelationTable, Role};
use rustc_hash::FxHashMap;

/// The coordinates that variables have.
#[derive(Default)]
pub(crate) struct Tuples {
    /// The buffer of the coordinate, and the variable of the loop over the tuples.
    coordinates: FxHashMap<IntId, (BufferId, IntId)>,
    /// The buffers of each relation, with the extents of their coordinates.
    relations: Vec<Vec<(BufferId, Int)>>,
    /// The integers that are given.
    inputs: Vec<BufferId>,
    /// The buffers that each step of a loop has for itself.
    locals: Vec<BufferId>,
    /// The variables of loops at top level over windows.
    windows: Vec<IntId>,
}

impl Tuples {
    /// Of the variables that are set once.
    pub(crate) fn of(program: &LoopProgram) -> Self {
        let mut tuples = Self {
            coordinates: FxHashMap::default(),
            relations: program.relations.iter().map(places).collect(),
            inputs: inputs(program),
            locals: locals(program),
            windows: windows(&program.body),
        };
        program.body.iter().for_each(|node| tuples.node(node));
        let settings = settings(&program.body);
        tuples.coordinates.retain(|var, _| settings.get(var) == Some(&1));
        tuples
    }

    /// The variable of the loop at whose steps a variable is a coordinate.
    pub(super) fn step(&self, var: IntId) -> Option<IntId> {
        self.coordinates.get(&var).map(|(_, step)| *step)
    }

    /// Whether each step of some loops has an entry of its own at these indices: they are the variables of the
    /// loops, each once, coordinates of tuples, and constants.
    pub(super) fn is_step(&self, indices: &[Int], loops: &[IntId]) -> bool {
        let mut open = loops.to_vec();
        let plain = indices.iter().all(|index| {
            let Int::Var(var) = index else { return index.as_const().is_some() };
            let known = open.iter().position(|other| other == var);
            known.map(|at| open.remove(at)).is_some() || self.step(*var).is_some()
        });
        plain && open.iter().all(|step| self.is_whole(indices, *step))
    }

    /// The input whose entry at the step of a loop an index is.
    pub(crate) fn entry_at(&self, index: &Int, step: IntId) -> Option<BufferId> {
        let (buffer, at) = match index {
            Int::Var(var) => *self.coordinates.get(var)?,
            Int::Load(buffer, at) if *at == [Int::Var(step)] => (*buffer, step),
            Int::Load(..)
            | Int::Const(_)
            | Int::Size(_)
            | Int::Sum(..)
            | Int::Product(_)
            | Int::Div(..)
            | Int::Mod(..)
            | Int::DivBy(_)
            | Int::Floor(_)
            | Int::Select(_) => return None,
        };
        (at == step && self.inputs.contains(&buffer)).then_some(buffer)
    }

    /// Whether a variable that is a coordinate is below an extent.
    pub(super) fn is_below(&self, var: IntId, extent: &Int) -> bool {
        self.coordinates.get(&var).is_some_and(|(buffer, _)| {
            self.relations.iter().flatten().any(|(of, bound)| of == buffer && bound == extent)
        })
    }

    /// Whether each step of a loop over windows from `start` on has a buffer for itself.
    pub(crate) fn is_local(&self, buffer: BufferId, indices: &[Int], start: IntId) -> bool {
        let of_window = |index: &Int| matches!(index, Int::Sum(terms, _) if terms.contains(&(-1, Int::Var(start))));
        // the step of a loop inside, as in `t[i - w, n - i]`, is no window
        self.locals.contains(&buffer)
            && self.windows.contains(&start)
            && indices.iter().any(of_window)
    }

    /// Whether accesses at the same indices at these axes of one buffer, in two steps of a loop, are to two entries.
    pub(crate) fn tell_apart<'i>(
        &self,
        axes: impl Iterator<Item = &'i Int> + Clone,
        step: IntId,
    ) -> bool {
        let has = |(buffer, _): &(BufferId, Int)| {
            axes.clone().any(|index| {
                matches!(index, Int::Var(var)
                    if self.coordinates.get(var) == Some(&(*buffer, step)))
            })
        };
        self.relations.iter().any(|buffers| !buffers.is_empty() && buffers.iter().all(has))
    }

    /// Whether indices have all coordinates of a relation at the step of a loop: tuples are
    /// distinct, so another step has other indices.
    fn is_whole(&self, indices: &[Int], step: IntId) -> bool {
        self.tell_apart(indices.iter(), step)
    }
}

fn inputs(program: &LoopProgram) -> Vec<BufferId> {
    let all = program.buffers.iter().enumerate();
    let given = all.filter(|(_, b)| b.role == Role::Input && b.element == Element::Int);
    given.map(|(at, _)| BufferId(at as u32)).collect()
}

/// The variables of loops with a stride at top level, or in conditions there: those over windows are such loops.
fn windows(nodes: &[Node]) -> Vec<IntId> {
    let of = |node: &Node| {
        let Node::For(header) = node else { return windows(node.inside()) };
        header.stride.iter().map(|_| header.var).collect()
    };
    nodes.iter().flat_map(of).collect()
}

fn locals(program: &LoopProgram) -> Vec<BufferId> {
    let all = program.buffers.iter().enumerate().filter(|(_, b)| b.role == Role::Local);
    all.map(|(at, _)| BufferId(at as u32)).collect()
}

fn places(relation: &RelationTable) -> Vec<(BufferId, Int)> {
    relation.coordinates.iter().copied().zip(relation.extents.iter().cloned()).collect()
}

impl Visit for Tuples {
    fn enter(&mut self, node: &Node) {
        if let Node::SetInt(var, Int::Load(buffer, at)) = node
            && let [Int::Var(step)] = at.as_slice()
        {
            self.coordinates.insert(*var, (*buffer, *step));
        }
    }
}
