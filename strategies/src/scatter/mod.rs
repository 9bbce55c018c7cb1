//! Mutation: one buffer for each cotangent, accumulated in place.
//!
//! The program runs forward, statement by statement, each term over exactly the
//! sparse points of its guard. Then it runs backward: blocks, statements and
//! recurrence steps in reverse order, each term over the same points again, and each
//! access `a[α]` of its body does `ā[α] += ∂body/∂a[α] · ȳ[i]`. So the points of the
//! reverse direction are those of the primal.
//!
//! * `max` and `min` remember the first point that attains them, and send back there.
//! * `prod` computes the products before and after each factor: no division, so
//!   zeros are right; its points are visited twice.
//! * An index tensor, a relation, a guard sends nothing back.
//!
//! A cotangent is cleared once. That is charged as the entries of a definition are: to
//! bytes, not to work. (The functional derivative writes its dense results once, too.)
//!
//! Everything is compiled when the call is bound: offsets are linear forms in the
//! variables, loop bounds come from affine guards, data-dependent equations are
//! enumerated by tables of their inverse images ([`points`]). [`Scatter::compute`] allocates
//! nothing but those; [`Scatter::run`] copies the results out.

mod compile;
mod conjuncts;
mod points;
mod run;
mod strip;

use crate::cost::{Cost, Expense, Meter};
use crate::data::{Arguments, Data, UNKNOWN, shape};
use crate::price::Price;
use crate::scalar::Scalar;
use crate::{Outcome, StrategyError};
use compile::{Compiled, bar, compile};
use iverson_ad::{Linearized, linearize};
use iverson_spec::TensorSsa;
use iverson_spec::ast::Reduction;
use iverson_spec::call::{Bound, Dense, Limits, Value, Values, entries};
use iverson_spec::ir::TensorId;
use iverson_spec::ssa::Rhs;
use iverson_spec::verify::stmts;
use iverson_spec::work::Count;
use run::{Machine, Tally};

/// Which points of a term are visited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Visits {
    /// Those where the enumerable conjuncts of its guard hold; the others are tested there.
    Fibres,
    /// All of its box, with the guard tested at each.
    Box,
}

/// A program bound to the arguments of a call.
#[derive(Clone, Debug)]
pub struct Scatter<S> {
    visits: Visits,
    program: TensorSsa,
    bound: Bound,
    linearized: Linearized,
    compiled: Compiled<S>,
    machine: Machine<S>,
    cotangents: Vec<(TensorId, Dense<S>)>,
}

impl<S: Scalar> Scatter<S> {
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
        Self::visiting(Visits::Fibres, program, wrt, inputs, limits)
    }

    /// The program alone, its guards tried at every point of the box: what it costs if
    /// indicators are not solved. Work is counted in the dense model (spec chapter 3).
    ///
    /// # Errors
    /// As [`crate::Prepared::new`].
    pub fn in_box(
        program: &TensorSsa,
        inputs: &Values<S>,
        limits: Limits,
    ) -> Result<Self, StrategyError> {
        Self::visiting(Visits::Box, program, &[], inputs, limits)
    }

    fn visiting(
        visits: Visits,
        program: &TensorSsa,
        wrt: &[&str],
        inputs: &Values<S>,
        limits: Limits,
    ) -> Result<Self, StrategyError> {
        let linearized = linearize(program, wrt)?;
        let Arguments { bound, mut data, cotangents } =
            Arguments::new(program, &linearized, inputs, limits)?;
        let compiled = compile(program, &linearized, &bound, &data.relations, visits)?;
        let tensors = program.symbols.tensors.len();
        data.reals.resize(2 * tensors, Vec::new());
        data.ints.resize(2 * tensors, Vec::new());
        let machine = Machine::new(data, &compiled);
        let program = program.clone();
        Ok(Self { visits, program, bound, linearized, compiled, machine, cotangents })
    }

    /// Values and gradients.
    ///
    /// # Errors
    /// As [`crate::Prepared::run`].
    pub fn run(&mut self) -> Result<Outcome<S>, StrategyError> {
        let Expense { primal, reverse, peak_bytes } = self.compute()?;
        let values = self.machine.data.results(&self.program, &self.bound);
        let gradient = self.linearized.gradients.iter().map(|(x, name)| {
            let shape = shape(&self.bound, *x).to_vec();
            let data = self.machine.data.reals[bar(&self.program, *x)].clone();
            (name.clone(), Value::Real(Dense { shape, data }))
        });
        let gradient = gradient.collect();
        Ok(Outcome { values, gradient, primal, reverse, peak_bytes })
    }

    /// Values and gradients, left in the buffers: what is timed.
    ///
    /// # Errors
    /// As [`crate::Prepared::run`].
    pub fn compute(&mut self) -> Result<Expense, StrategyError> {
        let primal = self.forward()?;
        let reverse = self.backward();
        Ok(Expense { primal, reverse, peak_bytes: self.bytes() })
    }

    /// The values alone: the program as it is.
    ///
    /// # Errors
    /// As [`crate::Prepared::run`].
    pub fn forward(&mut self) -> Result<Cost, StrategyError> {
        self.reset();
        for top in &self.compiled.tops {
            self.machine.build(&self.compiled.tables, top.tables.clone());
            self.machine.forward(&top.node);
            if let Some(failure) = self.machine.failure.take() {
                return Err(failure.named(&self.program));
            }
        }
        let prices = self.compiled.prices.iter().zip(&self.machine.tally);
        let count = |(price, tally): (&Price, &Tally)| match self.visits {
            Visits::Fibres => price.primal.count(tally.primal),
            Visits::Box => price.primal.everywhere(tally.primal.visited),
        };
        let count: Count = prices.map(count).sum();
        let entries = self.compiled.entries;
        let count = Count { entries, bytes: count.bytes + 8 * entries, ..count };
        Ok(Cost { count, ..Cost::default() })
    }

    /// The gradients, after the values.
    fn backward(&mut self) -> Cost {
        let mut cost = Cost::default();
        let mut cleared = 0;
        for tensor in &self.linearized.live {
            let size = entries(shape(&self.bound, *tensor)).unwrap_or_default();
            refill(&mut self.machine.data.reals[bar(&self.program, *tensor)], size, S::integer(0));
            cleared += size as u64;
        }
        for (result, seed) in &self.cotangents {
            if self.linearized.live.contains(result) {
                self.machine.data.reals[bar(&self.program, *result)].clone_from(&seed.data);
                cost.copied += seed.data.len() as u64;
            }
        }
        for top in self.compiled.tops.iter().rev() {
            self.machine.backward(&top.node);
        }
        let prices = self.compiled.prices.iter().zip(&self.machine.tally);
        let sent = |(price, tally): (&Price, &Tally)| {
            price.reverse(tally.reverse) + price.primal.count(tally.repeated)
        };
        let count: Count = prices.map(sent).sum();
        cost.count =
            Count { entries: count.entries + cleared, bytes: count.bytes + 8 * cleared, ..count };
        cost
    }

    /// Gives what is defined its value over no points.
    fn reset(&mut self) {
        self.machine.restart();
        let tensors = self.program.symbols.tensors.len();
        let Data { reals, ints, .. } = &mut self.machine.data;
        for stmt in stmts(&self.program.body) {
            let at = stmt.tensor.index();
            let size = entries(shape(&self.bound, stmt.tensor)).unwrap_or_default();
            match &stmt.rhs {
                Rhs::Sum(_) => refill(&mut reals[at], size, S::integer(0)),
                Rhs::Fold(op, _) => {
                    refill(&mut reals[at], size, over_no_points(*op));
                    refill(&mut ints[tensors + at], size, UNKNOWN);
                }
                Rhs::Arg(_, term) => {
                    let range = &self.program.symbols.var(term.binders[0]).range;
                    let range = iverson_spec::call::extent_value(range, &self.bound.sizes);
                    refill(&mut ints[at], size, range.unwrap_or_default().max(0));
                    refill(&mut ints[tensors + at], size, UNKNOWN);
                    refill(&mut reals[at], size, S::integer(0));
                }
                Rhs::Index(_) => refill(&mut ints[at], size, UNKNOWN),
            }
        }
    }

    /// Bytes of all buffers, at 8 for an entry: none is freed before the end.
    fn bytes(&self) -> u64 {
        let meter = Meter::default();
        let data = &self.machine.data;
        let reals = data.reals.iter().map(Vec::len).sum::<usize>();
        let ints = data.ints.iter().map(Vec::len).sum::<usize>();
        let _held = meter.hold(reals + ints + self.machine.auxiliary());
        meter.peak()
    }
}

fn refill<T: Clone>(buffer: &mut Vec<T>, size: usize, value: T) {
    buffer.clear();
    buffer.resize(size, value);
}

/// The value of a fold over no points.
fn over_no_points<S: Scalar>(op: Reduction) -> S {
    match op {
        Reduction::Sum => S::integer(0),
        Reduction::Prod => S::integer(1),
        Reduction::Max | Reduction::Argmax => S::infinity(true),
        Reduction::Min | Reduction::Argmin => S::infinity(false),
    }
}
