//! Running statements on whole tensors, and sending cotangents back.

use super::compile::{Compiled, Kind, Node, Operand, Ranged, Statement, Summand};
use super::tape::{Array, Computed, Mask, NodeId, Op, Saved, Tape};
use crate::code::{Env, Frame, Test};
use crate::data::Data;
use crate::scalar::Scalar;
use iverson_spec::ast::{Direction, Reduction};
use iverson_spec::ir::TensorId;
use iverson_spec::work::{Count, PointCost};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;

/// What stops a run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    Violated(usize),
    Range { tensor: TensorId, found: Option<i64>, bound: i64 },
}

/// The state of a run.
pub(super) struct Machine<'c, S> {
    pub(super) data: Data<S>,
    frame: Frame<S>,
    compiled: &'c Compiled<S>,
    pub(super) tape: Tape<S>,
    /// Tensors that are whole.
    pub(super) whole: FxHashMap<TensorId, NodeId>,
    /// Tensors of the recurrence that runs, step by step.
    steps: FxHashMap<TensorId, Vec<Option<NodeId>>>,
    /// The statements that nodes refer to.
    statements: Vec<&'c Statement<S>>,
    pub(super) count: Count,
    pub(super) failure: Option<Failure>,
}

/// Operands in front of the buffers.
struct Operands<'a, S> {
    data: &'a Data<S>,
    base: usize,
    operands: Vec<&'a [S]>,
}

impl<S> Env<S> for Operands<'_, S> {
    fn real(&self, buffer: usize, at: usize) -> &S {
        match buffer.checked_sub(self.base) {
            Some(operand) => &self.operands[operand][at],
            None => &self.data.reals[buffer][at],
        }
    }

    fn data(&self) -> &Data<S> {
        self.data
    }
}

/// Calls `visit` at every point of a box, in lexicographic order.
fn each<S>(vars: &[Ranged], frame: &mut Frame<S>, visit: &mut dyn FnMut(&mut Frame<S>)) {
    let Some(((var, range), rest)) = vars.split_first() else { return visit(frame) };
    for value in 0..*range {
        frame.vars[*var] = value;
        each(rest, frame, visit);
    }
}

fn size(vars: &[Ranged]) -> usize {
    vars.iter().map(|(_, range)| *range as usize).product()
}

fn all<S: Scalar, E: Env<S>>(tests: &[Test<S>], env: &E, frame: &mut Frame<S>) -> bool {
    tests.iter().all(|test| test.holds(env, frame))
}

impl<'c, S: Scalar> Machine<'c, S> {
    pub(super) fn new(data: Data<S>, vars: usize, compiled: &'c Compiled<S>) -> Self {
        let locals = vec![S::integer(0); compiled.locals];
        Self {
            data,
            frame: Frame { vars: vec![0; vars], locals },
            compiled,
            tape: Tape::new(),
            whole: FxHashMap::default(),
            steps: FxHashMap::default(),
            statements: Vec::new(),
            count: Count::default(),
            failure: None,
        }
    }

    // Forward.

    /// Runs the blocks; tensors of a recurrence are whole after it.
    pub(super) fn forward(&mut self, shape: impl Fn(TensorId) -> Vec<usize>) {
        for top in &self.compiled.tops {
            for tensor in &top.defined {
                if let Some(steps) = self.compiled.steps.get(tensor) {
                    self.steps.insert(*tensor, vec![None; *steps]);
                }
            }
            self.block(&top.node);
            for tensor in &top.defined {
                if let Some(parts) = self.steps.remove(tensor) {
                    let whole = self.tape.stack(parts, &shape(*tensor));
                    self.whole.insert(*tensor, whole);
                }
            }
            if self.failure.is_some() {
                return;
            }
        }
    }

    fn block(&mut self, node: &'c Node<S>) {
        match node {
            Node::Stmt(stmt) => self.statement(stmt),
            Node::Rec(vars, body) => self.recur(vars, body),
            Node::Requires(binders, test, clause) => {
                let (data, failure) = (&self.data, &mut self.failure);
                each(binders, &mut self.frame, &mut |frame| {
                    if !test.holds(data, frame) {
                        failure.get_or_insert(Failure::Violated(*clause));
                    }
                });
            }
        }
    }

    fn recur(&mut self, vars: &'c [(usize, i64, Direction)], body: &'c [Node<S>]) {
        let Some(((var, range, direction), rest)) = vars.split_first() else {
            return body.iter().for_each(|node| self.block(node));
        };
        for step in 0..*range {
            self.frame.vars[*var] = match direction {
                Direction::Ascending => step,
                Direction::Descending => range - 1 - step,
            };
            self.recur(rest, body);
        }
    }

    /// Computes a statement, or a step of it.
    fn statement(&mut self, stmt: &'c Statement<S>) {
        let (value, terms) = match &stmt.kind {
            Kind::Sum(terms) => self.sum(stmt, terms),
            Kind::Fold(op, term) => self.fold(*op, stmt, term),
            Kind::Arg(op, term, var) => return self.search(*op, stmt, term, *var),
            Kind::Index { .. } => return self.index(stmt),
        };
        let entries = value.data.len() as u64;
        self.count.entries += entries;
        self.count.bytes += 8 * entries;
        if stmt.observed {
            self.observe(stmt, &value);
        }
        let carried = stmt.carried.iter().map(|v| self.frame.vars[*v]).collect();
        let statement = self.statements.len();
        self.statements.push(stmt);
        let op = Op::Compute(Computed { statement, carried, terms });
        let node = self.tape.push(op, value, stmt.live);
        match self.steps.get_mut(&stmt.tensor) {
            Some(steps) => steps[stmt.step.offset(&self.data, &mut self.frame)] = Some(node),
            None => {
                self.whole.insert(stmt.tensor, node);
            }
        }
    }

    /// Copies a value to where guards and index expressions read it.
    fn observe(&mut self, stmt: &Statement<S>, value: &Array<S>) {
        let Data { reals, .. } = &mut self.data;
        let mut buffer = std::mem::take(&mut reals[stmt.tensor.index()]);
        let data = &self.data;
        each(&stmt.own, &mut self.frame, &mut |frame| {
            let entry = stmt.entry.offset(data, frame);
            buffer[stmt.whole.offset(data, frame)] = value.entries()[entry].clone();
        });
        self.tape.cost.copied += value.data.len() as u64;
        self.data.reals[stmt.tensor.index()] = buffer;
    }

    /// The sum of the terms: each is an array, added whole to those before.
    fn sum(&mut self, stmt: &Statement<S>, terms: &[Summand<S>]) -> (Array<S>, Vec<Saved>) {
        let mut total: Option<Array<S>> = None;
        let mut saved = Vec::new();
        for (which, term) in terms.iter().enumerate() {
            let Some(kept) = self.operands(stmt, term, which) else { continue };
            let mut value = self.tape.full(&stmt.shape, S::integer(0));
            self.points(stmt, term, &kept, |_, at, x| {
                let sum = &mut value.entries_mut()[at];
                *sum = sum.plus(&x);
            });
            saved.push(kept);
            total = Some(match total {
                None => value,
                Some(mut total) => {
                    total.data.zip_mut_with(&value.data, |sum, x| *sum = sum.plus(x));
                    self.tape.cost.added += total.data.len() as u64;
                    total
                }
            });
        }
        (total.unwrap_or_else(|| self.tape.zeros(&stmt.shape)), saved)
    }

    fn fold(
        &mut self,
        op: Reduction,
        stmt: &Statement<S>,
        term: &Summand<S>,
    ) -> (Array<S>, Vec<Saved>) {
        let empty = match op {
            Reduction::Prod => S::integer(1),
            Reduction::Max | Reduction::Argmax => S::infinity(true),
            Reduction::Min | Reduction::Argmin => S::infinity(false),
            Reduction::Sum => S::integer(0),
        };
        let mut value = self.tape.full(&stmt.shape, empty);
        let Some(mut kept) = self.operands(stmt, term, 0) else { return (value, Vec::new()) };
        let mut best = vec![None; value.data.len()];
        self.points(stmt, term, &kept, |point, at, x| {
            let total = &mut value.entries_mut()[at];
            if op == Reduction::Prod {
                *total = total.times(&x);
            } else if best[at].is_none() || x.order(total) == Some(better(op)) {
                *total = x;
                best[at] = Some(point);
            }
        });
        kept.best = best;
        (value, vec![kept])
    }

    /// Calls `visit` with each point of the box where the mask holds, the entry it
    /// belongs to, and its value. The whole box is paid.
    fn points(
        &mut self,
        stmt: &Statement<S>,
        term: &Summand<S>,
        kept: &Saved,
        mut visit: impl FnMut(usize, usize, S),
    ) {
        let vars = [stmt.own.as_slice(), &term.binders].concat();
        let env = operands(&self.data, self.compiled.base, &self.tape, &kept.operands);
        let mut point = 0;
        each(&vars, &mut self.frame, &mut |frame| {
            if kept.mask.as_ref().is_none_or(|mask| mask.holds[point]) {
                let at = stmt.entry.offset(&env, frame);
                visit(point, at, term.body.eval(&env, frame));
            }
            point += 1;
        });
        self.pay(&term.price.primal, size(&vars));
    }

    fn pay(&mut self, price: &PointCost, points: usize) {
        self.count = self.count + price.everywhere(points as u64);
    }

    /// The operands of a term and its mask; `None` if it is zero everywhere.
    fn operands(&mut self, stmt: &Statement<S>, term: &Summand<S>, which: usize) -> Option<Saved> {
        let vars = [stmt.own.as_slice(), &term.binders].concat();
        let count = size(&vars);
        // conditions may rely on the box not being empty
        if count == 0 || !all(&term.conditions, &self.data, &mut self.frame) {
            return None;
        }
        let mut mask = None;
        if !term.mask.is_empty() {
            let mut holds = Vec::with_capacity(count);
            let data = &self.data;
            each(&vars, &mut self.frame, &mut |frame| holds.push(all(&term.mask, data, frame)));
            if !holds.contains(&true) {
                self.pay(&term.price.primal, count);
                return None;
            }
            mask = Some(Mask::new(holds, &self.tape.meter));
        }
        let operands =
            term.operands.iter().map(|operand| self.operand(operand, &vars, mask.as_ref()));
        let operands = operands.collect();
        Some(Saved { term: which, operands, mask, best: Vec::new() })
    }

    /// An operand: the tensor itself, a part of it, or the parts that the box needs.
    fn operand(&mut self, operand: &Operand<S>, vars: &[Ranged], mask: Option<&Mask>) -> NodeId {
        if operand.over.is_empty() {
            return self.part(operand);
        }
        let mut needed = vec![mask.is_none(); size(&operand.over)];
        if let Some(mask) = mask {
            let mut point = 0;
            each(vars, &mut self.frame, &mut |frame| {
                if mask.holds[point] {
                    let place = operand.over.iter().fold(0, |place, (var, range)| {
                        place * *range as usize + frame.vars[*var] as usize
                    });
                    needed[place] = true;
                }
                point += 1;
            });
        }
        let mut parts = Vec::with_capacity(needed.len());
        for (place, is_needed) in needed.into_iter().enumerate() {
            let mut rest = place;
            for (var, range) in operand.over.iter().rev() {
                self.frame.vars[*var] = (rest % *range as usize) as i64;
                rest /= *range as usize;
            }
            parts.push(is_needed.then(|| self.part(operand)));
        }
        self.tape.stack(parts, &operand.shape)
    }

    /// The part of a tensor that an operand reads where its variables are.
    fn part(&mut self, operand: &Operand<S>) -> NodeId {
        let steps = self.steps.get(&operand.tensor).zip(operand.step.as_ref());
        let source = match steps {
            Some((steps, step)) => steps[step.offset(&self.data, &mut self.frame)],
            None => self.whole.get(&operand.tensor).copied(),
        };
        let Some(source) = source else {
            unreachable!("a recurrence reads what is computed before")
        };
        if operand.positions.iter().all(Option::is_none) {
            return source;
        }
        let (data, frame) = (&self.data, &mut self.frame);
        let at = operand.positions.iter().map(|p| p.as_ref().map(|p| p.offset(data, frame)));
        let at = at.collect();
        self.tape.slice(source, at)
    }

    /// `argmax` and `argmin`: of no interest to derivatives.
    fn search(&mut self, op: Reduction, stmt: &Statement<S>, term: &Summand<S>, var: usize) {
        let mut found = Vec::new();
        let mut best: Vec<Option<S>> = vec![None; stmt.shape.iter().product()];
        let vars = [stmt.own.as_slice(), &term.binders].concat();
        let data = &self.data;
        if size(&vars) > 0 && all(&term.conditions, data, &mut self.frame) {
            each(&vars, &mut self.frame, &mut |frame| {
                if all(&term.mask, data, frame) {
                    let value = term.body.eval(data, frame);
                    let best = &mut best[stmt.entry.offset(data, frame)];
                    let replaces =
                        best.as_ref().is_none_or(|best| value.order(best) == Some(better(op)));
                    if replaces {
                        found.push((stmt.whole.offset(data, frame), frame.vars[var]));
                        *best = Some(value);
                    }
                }
            });
        }
        self.define(stmt, found);
        self.pay(&term.price.primal, size(&vars));
    }

    fn index(&mut self, stmt: &Statement<S>) {
        let Kind::Index { value, bound, price } = &stmt.kind else {
            unreachable!("an index statement has an index value")
        };
        let mut entries = Vec::new();
        let (data, failure) = (&self.data, &mut self.failure);
        each(&stmt.own, &mut self.frame, &mut |frame| {
            let at = stmt.whole.offset(data, frame);
            match value.eval(data, frame) {
                Some(found) if (0..*bound).contains(&found) => entries.push((at, found)),
                None if S::LAZY => {}
                found => {
                    let tensor = stmt.tensor;
                    failure.get_or_insert(Failure::Range { tensor, found, bound: *bound });
                }
            }
        });
        self.define(stmt, entries);
        self.pay(&price.primal, size(&stmt.own));
    }

    /// Sets entries of an index tensor: those of a step may read earlier steps.
    fn define(&mut self, stmt: &Statement<S>, found: Vec<(usize, i64)>) {
        let tensor = &mut self.data.ints[stmt.tensor.index()];
        found.into_iter().for_each(|(at, value)| tensor[at] = value);
        let entries = stmt.shape.iter().product::<usize>() as u64;
        self.count.entries += entries;
        self.count.bytes += 8 * entries;
    }

    // Backward.

    /// Sends the cotangent of a statement back to the operands of its terms.
    pub(super) fn send_back(&mut self, computed: &Computed, bar: &Array<S>) {
        let stmt = self.statements[computed.statement];
        for (var, value) in stmt.carried.iter().zip(&computed.carried) {
            self.frame.vars[*var] = *value;
        }
        for kept in computed.terms.iter().rev() {
            match &stmt.kind {
                Kind::Sum(terms) => {
                    self.uses(stmt, &terms[kept.term], kept, |_, at| {
                        Some(bar.entries()[at].clone())
                    });
                }
                Kind::Fold(Reduction::Prod, term) => {
                    let others = self.others(stmt, term, kept);
                    self.uses(stmt, term, kept, |point, at| {
                        Some(others[point].as_ref()?.times(&bar.entries()[at]))
                    });
                }
                Kind::Fold(_, term) => self.uses(stmt, term, kept, |point, at| {
                    (kept.best[at] == Some(point)).then(|| bar.entries()[at].clone())
                }),
                Kind::Arg(..) | Kind::Index { .. } => {
                    unreachable!("an index tensor is not on the tape")
                }
            }
        }
    }

    /// One array for each use: the partial times what `above` gives at each point.
    fn uses(
        &mut self,
        stmt: &Statement<S>,
        term: &Summand<S>,
        kept: &Saved,
        above: impl Fn(usize, usize) -> Option<S>,
    ) {
        let vars = [stmt.own.as_slice(), &term.binders].concat();
        for (which, partial) in &term.uses {
            let operand = kept.operands[*which];
            let shape = self.tape.value(operand).data.shape().to_vec();
            let mut sent = self.tape.zeros(&shape);
            let env = operands(&self.data, self.compiled.base, &self.tape, &kept.operands);
            let offset = &term.operands[*which].offset;
            let mut point = 0;
            each(&vars, &mut self.frame, &mut |frame| {
                if kept.mask.as_ref().is_none_or(|mask| mask.holds[point]) {
                    let above = above(point, stmt.entry.offset(&env, frame));
                    let part = above.and_then(|above| partial.times(&above, &env, frame));
                    if let Some(part) = part {
                        let sum = &mut sent.entries_mut()[offset.offset(&env, frame)];
                        *sum = sum.plus(&part);
                    }
                }
                point += 1;
            });
            self.tape.accumulate(operand, sent);
        }
        let points = size(&vars) as u64;
        if !term.uses.is_empty() {
            self.count = self.count + term.price.reverse_everywhere(points);
        }
    }

    /// For each point, the product of the other factors of its entry: the running
    /// products from either side.
    fn others(&mut self, stmt: &Statement<S>, term: &Summand<S>, kept: &Saved) -> Vec<Option<S>> {
        let mut factors = Vec::new();
        self.points(stmt, term, kept, |point, at, x| factors.push((point, at, x)));
        let entries: usize = stmt.shape.iter().product();
        let points = size(&stmt.own) * size(&term.binders);
        let _held = self.tape.meter.hold(points + entries);
        let mut others = vec![None; points];
        let mut running = vec![S::integer(1); entries];
        for (point, at, x) in &factors {
            others[*point] = Some(running[*at].clone());
            running[*at] = running[*at].times(x);
        }
        running.fill(S::integer(1));
        for (point, at, x) in factors.iter().rev() {
            others[*point] = others[*point].take().map(|before| before.times(&running[*at]));
            running[*at] = x.times(&running[*at]);
        }
        others
    }
}

fn operands<'a, S: Scalar>(
    data: &'a Data<S>,
    base: usize,
    tape: &'a Tape<S>,
    nodes: &[NodeId],
) -> Operands<'a, S> {
    Operands { data, base, operands: nodes.iter().map(|n| tape.value(*n).entries()).collect() }
}

/// What replaces the best value so far.
fn better(op: Reduction) -> Ordering {
    match op {
        Reduction::Max | Reduction::Argmax => Ordering::Greater,
        Reduction::Min | Reduction::Argmin => Ordering::Less,
        Reduction::Sum | Reduction::Prod => {
            unreachable!("a sum or product has no best point")
        }
    }
}
