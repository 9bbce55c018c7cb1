//! The tape: what was computed, in order, and how each operation sends its cotangent
//! back. Every array is allocated when it is made, and freed when the backward pass
//! has passed it.

use crate::cost::{Cost, Held, Meter};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn};
use std::rc::Rc;

/// A place on the tape.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct NodeId(usize);

/// An array that is counted while it lives.
#[derive(Clone, Debug)]
pub(super) struct Array<S> {
    pub(super) data: ArrayD<S>,
    _held: Rc<Held>,
}

/// How a value came to be.
#[derive(Debug)]
pub(super) enum Op {
    /// It was given.
    Input,
    /// The part of a tensor at these positions, whole axes elsewhere.
    Slice(NodeId, Vec<Option<usize>>),
    /// Parts side by side; one that is missing is zero.
    Stack(Vec<Option<NodeId>>),
    /// A statement, at the values of its recurrence variables.
    Compute(Computed),
}

/// What a statement keeps for the way back.
#[derive(Debug)]
pub(super) struct Computed {
    /// Where the statement is, among all.
    pub(super) statement: usize,
    pub(super) carried: Vec<i64>,
    pub(super) terms: Vec<Saved>,
}

/// What a term keeps for the way back.
#[derive(Debug)]
pub(super) struct Saved {
    pub(super) term: usize,
    pub(super) operands: Vec<NodeId>,
    /// Where the guard holds, in the order of the box; none is everywhere.
    pub(super) mask: Option<Mask>,
    /// For `max` and `min`: the point of the box that attains each entry.
    pub(super) best: Vec<Option<usize>>,
}

/// A mask over a box, a byte for each point.
#[derive(Debug)]
pub(super) struct Mask {
    pub(super) holds: Vec<bool>,
    _held: Held,
}

impl Mask {
    pub(super) fn new(holds: Vec<bool>, meter: &Meter) -> Self {
        let held = meter.hold(holds.len().div_ceil(8));
        Self { holds, _held: held }
    }
}

#[derive(Debug)]
struct Node<S> {
    op: Op,
    value: Array<S>,
    /// Whether a cotangent is wanted.
    live: bool,
    bar: Option<Array<S>>,
}

/// All that was computed.
#[derive(Debug)]
pub(super) struct Tape<S> {
    nodes: Vec<Node<S>>,
    pub(super) meter: Meter,
    pub(super) cost: Cost,
}

impl<S: Scalar> Array<S> {
    /// The entries, row-major.
    pub(super) fn entries(&self) -> &[S] {
        self.data.as_slice().unwrap_or_else(|| unreachable!("arrays of the tape are row-major"))
    }

    /// The entries, row-major, taken out.
    pub(super) fn into_entries(self) -> Vec<S> {
        // an array of the tape owns all of its entries, from the first on
        self.data.into_raw_vec_and_offset().0
    }

    pub(super) fn entries_mut(&mut self) -> &mut [S] {
        self.data.as_slice_mut().unwrap_or_else(|| unreachable!("arrays of the tape are row-major"))
    }
}

impl<S: Scalar> Tape<S> {
    pub(super) fn new() -> Self {
        Self { nodes: Vec::new(), meter: Meter::default(), cost: Cost::default() }
    }

    /// An array that the tape counts.
    pub(super) fn array(&self, data: ArrayD<S>) -> Array<S> {
        Array { _held: Rc::new(self.meter.hold(data.len())), data }
    }

    /// An array of one value.
    pub(super) fn full(&self, shape: &[usize], value: S) -> Array<S> {
        self.array(ArrayD::from_elem(IxDyn(shape), value))
    }

    /// A new array of zeros, which costs its size.
    pub(super) fn zeros(&mut self, shape: &[usize]) -> Array<S> {
        let zeros = self.full(shape, S::integer(0));
        self.cost.filled += zeros.data.len() as u64;
        zeros
    }

    pub(super) fn push(&mut self, op: Op, value: Array<S>, live: bool) -> NodeId {
        self.nodes.push(Node { op, value, live, bar: None });
        NodeId(self.nodes.len() - 1)
    }

    pub(super) fn value(&self, node: NodeId) -> &Array<S> {
        &self.nodes[node.0].value
    }

    pub(super) fn is_live(&self, node: NodeId) -> bool {
        self.nodes[node.0].live
    }

    /// The part of a tensor at these positions.
    pub(super) fn slice(&mut self, source: NodeId, at: Vec<Option<usize>>) -> NodeId {
        let part = part(self.value(source).data.view(), &at);
        let part = part.as_standard_layout().into_owned();
        self.cost.copied += part.len() as u64;
        let (value, live) = (self.array(part), self.is_live(source));
        self.push(Op::Slice(source, at), value, live)
    }

    /// Parts side by side, as an array of this shape.
    pub(super) fn stack(&mut self, parts: Vec<Option<NodeId>>, shape: &[usize]) -> NodeId {
        let mut whole = self.full(shape, S::integer(0));
        let size = whole.data.len() / parts.len().max(1);
        let mut live = false;
        for (place, part) in parts.iter().enumerate() {
            if let Some(part) = part {
                live |= self.is_live(*part);
                let entries = self.value(*part).entries();
                whole.entries_mut()[place * size..(place + 1) * size].clone_from_slice(entries);
            }
        }
        self.cost.copied += whole.data.len() as u64;
        self.push(Op::Stack(parts), whole, live)
    }

    /// Adds a cotangent to that of a node, whole; the first one is taken as it is.
    pub(super) fn accumulate(&mut self, node: NodeId, sent: Array<S>) {
        let node = &mut self.nodes[node.0];
        if !node.live {
            return;
        }
        let Some(bar) = &mut node.bar else {
            node.bar = Some(sent);
            return;
        };
        bar.data.zip_mut_with(&sent.data, |sum, x| *sum = sum.plus(x));
        self.cost.added += sent.data.len() as u64;
    }

    /// Takes the last node off and sends its cotangent back, if it has one; gives what
    /// the caller must handle: the cotangent of an input or of a statement.
    pub(super) fn pop(&mut self) -> Option<(NodeId, Popped<S>)> {
        let Node { op, bar, .. } = self.nodes.pop()?;
        let id = NodeId(self.nodes.len());
        let popped = match (op, bar) {
            (Op::Input, bar) => Popped::Input(bar),
            (Op::Slice(..) | Op::Stack(_) | Op::Compute(_), None) => Popped::Nothing,
            (Op::Compute(computed), Some(bar)) => Popped::Compute(computed, bar),
            (Op::Slice(source, at), Some(bar)) => {
                let shape = self.value(source).data.shape().to_vec();
                let mut whole = self.zeros(&shape);
                part_mut(&mut whole.data, &at, &bar.data);
                self.cost.copied += bar.data.len() as u64;
                self.accumulate(source, whole);
                Popped::Nothing
            }
            (Op::Stack(parts), Some(bar)) => {
                let size = bar.data.len() / parts.len().max(1);
                for (place, node) in parts.iter().enumerate() {
                    let Some(node) = node else { continue };
                    if self.is_live(*node) {
                        let entries = bar.entries()[place * size..(place + 1) * size].to_vec();
                        let shape = IxDyn(self.value(*node).data.shape());
                        let Ok(sent) = ArrayD::from_shape_vec(shape, entries) else {
                            unreachable!("parts of a stack have one shape")
                        };
                        self.cost.copied += size as u64;
                        let sent = self.array(sent);
                        self.accumulate(*node, sent);
                    }
                }
                Popped::Nothing
            }
        };
        Some((id, popped))
    }
}

/// A node that was taken off the tape.
pub(super) enum Popped<S> {
    /// The cotangent of an input, if anything was sent to it.
    Input(Option<Array<S>>),
    /// A statement with its cotangent.
    Compute(Computed, Array<S>),
    /// A node that is done.
    Nothing,
}

/// The part of an array at these positions, whole axes elsewhere.
fn part<'a, S>(mut array: ArrayViewD<'a, S>, at: &[Option<usize>]) -> ArrayViewD<'a, S> {
    for (axis, index) in at.iter().enumerate().rev() {
        if let Some(index) = index {
            array = array.index_axis_move(Axis(axis), *index);
        }
    }
    array
}

/// Copies `from` into the part of an array at these positions.
fn part_mut<S: Clone>(array: &mut ArrayD<S>, at: &[Option<usize>], from: &ArrayD<S>) {
    let mut view = array.view_mut();
    for (axis, index) in at.iter().enumerate().rev() {
        if let Some(index) = index {
            view = view.index_axis_move(Axis(axis), *index);
        }
    }
    view.assign(from);
}
