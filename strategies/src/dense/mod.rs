//! Naive reverse mode, as eager frameworks run it: a tape of operations on whole
//! tensors, with a new array for each result, dense zeros and dense additions.
//!
//! How a program is run eagerly:
//!
//! * **A statement outside `rec` is an operation on whole tensors.** A loop over a plain
//!   variable is vectorised: an access index that is just one variable, which ranges
//!   over the whole axis and occurs once in the access, takes the axis as it is.
//! * **An access with any other index reads a part**: a constant, `2 * i + 1`, the
//!   diagonal `i, i`, `p[i]`, a recurrence variable. There is one slice node for each
//!   value of the variables in those positions (where the guard wants one), and one
//!   node that joins the slices. A slice copies its part; backward it makes a zero
//!   tensor of the source's full shape, fills in the part, and the whole is added to
//!   the cotangent of the source. (The first one is taken as it is.)
//! * **Inside `rec` each step runs alone**, with the recurrence variables fixed. What a
//!   step computes is an array of its own, kept in a list of steps, as eager code does
//!   with the states of a loop: picking a step from the list copies nothing, reading a
//!   part of that step is a slice of that step. After the outermost `rec` the list is
//!   stacked to a whole tensor, once; what is read of it then is read as above.
//! * **A guard is a mask over the whole box.** Every point of the box is paid for, as if
//!   the value were multiplied by 0 or 1; what the mask excludes is not evaluated, so
//!   results are right. Conjuncts that the box does not change are an `if` around the
//!   operation.
//! * **A statement of several terms adds them**, each an array of its full shape.
//! * `max` and `min` send back a zero array over their operand with one entry filled;
//!   `prod` sends back running products from either side.
//! * Guards, index tensors, `argmax` are not differentiated and leave no node.
//!
//! Every value stays until the backward pass has passed it.

mod compile;
mod run;
mod tape;

use crate::cost::Cost;
use crate::data::{Arguments, Data, UNKNOWN, shape};
use crate::scalar::Scalar;
use crate::{Outcome, StrategyError};
use compile::{Compiled, Kind, Node, compile};
use iverson_ad::{Linearized, linearize};
use iverson_spec::TensorSsa;
use iverson_spec::call::{Bound, Limits, Value, Values, entries, extent_value};
use iverson_spec::ir::{Element, Param, TensorId};
use iverson_spec::ssa::Rhs;
use iverson_spec::verify::stmts;
use ndarray::{ArrayD, IxDyn};
use run::{Failure, Machine};
use rustc_hash::FxHashMap;
use tape::{Array, NodeId, Op, Popped};

/// A program bound to the arguments of a call.
#[derive(Clone, Debug)]
pub struct Dense<S> {
    program: TensorSsa,
    bound: Bound,
    linearized: Linearized,
    compiled: Compiled<S>,
    data: Data<S>,
    cotangents: Vec<(TensorId, iverson_spec::call::Dense<S>)>,
}

impl<S: Scalar> Dense<S> {
    /// Binds and compiles.
    ///
    /// # Errors
    /// As [`crate::Prepared::new`].
    pub fn new(
        program: &TensorSsa,
        wrt: &[&str],
        inputs: &Values<S>,
        limits: Limits,
    ) -> Result<Self, StrategyError> {
        let linearized = linearize(program, wrt)?;
        let Arguments { bound, data, cotangents } =
            Arguments::new(program, &linearized, inputs, limits)?;
        let compiled = compile(program, &linearized, &bound)?;
        let program = program.clone();
        Ok(Self { program, bound, linearized, compiled, data, cotangents })
    }

    /// Values and gradients.
    ///
    /// # Errors
    /// As [`crate::Prepared::run`].
    pub fn run(&mut self) -> Result<Outcome<S>, StrategyError> {
        let mut machine =
            Machine::new(self.data.clone(), self.program.symbols.vars.len(), &self.compiled);
        let _held = self.reset(&mut machine);
        self.give(&mut machine);
        machine.forward(|tensor| shape(&self.bound, tensor).to_vec());
        if let Some(failure) = machine.failure {
            return Err(self.failed(failure));
        }
        let values = self.results(&machine);
        let primal = Self::cost(&mut machine);
        let gradient = self.backward(&mut machine);
        let reverse = Self::cost(&mut machine);
        Ok(Outcome { values, gradient, primal, reverse, peak_bytes: machine.tape.meter.peak() })
    }

    /// What was counted since the last time.
    fn cost(machine: &mut Machine<'_, S>) -> Cost {
        let count = std::mem::take(&mut machine.count);
        Cost { count, ..std::mem::take(&mut machine.tape.cost) }
    }

    /// Makes the buffers of index tensors, and of what guards and index expressions read.
    fn reset(&self, machine: &mut Machine<'_, S>) -> crate::cost::Held {
        let mut size = machine.data.ints.iter().map(Vec::len).sum();
        let mut observed = Vec::new();
        self.compiled.tops.iter().for_each(|top| find_observed(&top.node, &mut observed));
        for stmt in stmts(&self.program.body) {
            let at = stmt.tensor.index();
            let count = entries(shape(&self.bound, stmt.tensor)).unwrap_or_default();
            match &stmt.rhs {
                Rhs::Arg(_, term) => {
                    let range = &self.program.symbols.var(term.binders[0]).range;
                    let none = extent_value(range, &self.bound.sizes).unwrap_or_default().max(0);
                    machine.data.ints[at] = vec![none; count];
                    size += count;
                }
                Rhs::Index(_) => {
                    machine.data.ints[at] = vec![UNKNOWN; count];
                    size += count;
                }
                Rhs::Sum(_) | Rhs::Fold(..) => {
                    if observed.contains(&stmt.tensor) {
                        machine.data.reals[at] = vec![S::integer(0); count];
                        size += count;
                    }
                }
            }
        }
        machine.tape.meter.hold(size)
    }

    /// Puts the real parameters on the tape.
    fn give(&self, machine: &mut Machine<'_, S>) {
        for param in &self.program.params {
            match *param {
                Param::Tensor(t) if self.program.symbols.tensor(t).element == Element::Real => {
                    let entries = self.data.reals[t.index()].clone();
                    let value = machine.tape.array(self.array(t, entries));
                    let live = self.linearized.live.contains(&t);
                    let node = machine.tape.push(Op::Input, value, live);
                    machine.whole.insert(t, node);
                }
                Param::Tensor(_) | Param::Size(_) | Param::Relation(_) => {}
            }
        }
    }

    fn array(&self, tensor: TensorId, entries: Vec<S>) -> ArrayD<S> {
        ArrayD::from_shape_vec(IxDyn(shape(&self.bound, tensor)), entries)
            .unwrap_or_else(|_| unreachable!("a bound argument has the entries of its shape"))
    }

    fn failed(&self, failure: Failure) -> StrategyError {
        match failure {
            Failure::Violated(clause) => StrategyError::Violated { clause },
            Failure::Range { tensor, found, bound } => StrategyError::IndexOutOfRange {
                tensor: self.program.symbols.tensor(tensor).name.clone(),
                found: found.map_or("without a value".to_owned(), |n| n.to_string()),
                bound,
            },
        }
    }

    fn results(&self, machine: &Machine<'_, S>) -> Values<S> {
        let result = |t: &TensorId| {
            let row = self.program.symbols.tensor(*t);
            let shape = shape(&self.bound, *t).to_vec();
            let value = match row.element {
                Element::Index(_) => {
                    let data = machine.data.ints[t.index()].clone();
                    Value::Index(iverson_spec::call::Dense { shape, data })
                }
                Element::Real => {
                    let data = machine.tape.value(machine.whole[t]).entries().to_vec();
                    Value::Real(iverson_spec::call::Dense { shape, data })
                }
            };
            (row.name.clone(), value)
        };
        self.program.results.iter().map(result).collect()
    }

    /// Takes the tape apart from its end.
    fn backward(&self, machine: &mut Machine<'_, S>) -> Values<S> {
        for (result, seed) in &self.cotangents {
            let seed = machine.tape.array(self.array(*result, seed.data.clone()));
            let node = machine.whole[result];
            machine.tape.accumulate(node, seed);
        }
        let mut given: FxHashMap<NodeId, Array<S>> = FxHashMap::default();
        while let Some((node, popped)) = machine.tape.pop() {
            match popped {
                Popped::Compute(computed, bar) => machine.send_back(&computed, &bar),
                Popped::Input(Some(bar)) => {
                    given.insert(node, bar);
                }
                Popped::Input(None) | Popped::Nothing => {}
            }
        }
        let gradient = |(x, name): &(TensorId, String)| {
            let extents = shape(&self.bound, *x).to_vec();
            let bar = given.remove(&machine.whole[x]);
            let bar = bar.unwrap_or_else(|| machine.tape.zeros(&extents));
            let data = bar.into_entries();
            (name.clone(), Value::Real(iverson_spec::call::Dense { shape: extents, data }))
        };
        self.linearized.gradients.iter().map(gradient).collect()
    }
}

/// The tensors whose values are copied for guards and index expressions.
fn find_observed<S>(node: &Node<S>, found: &mut Vec<TensorId>) {
    match node {
        Node::Stmt(stmt) => match &stmt.kind {
            Kind::Sum(_) | Kind::Fold(..) if stmt.observed => found.push(stmt.tensor),
            Kind::Sum(_) | Kind::Fold(..) | Kind::Arg(..) | Kind::Index { .. } => {}
        },
        Node::Rec(_, body) => body.iter().for_each(|node| find_observed(node, found)),
        Node::Requires(..) => {}
    }
}
