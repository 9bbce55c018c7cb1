//! Running compiled statements forward and backward.

use super::compile::{Compiled, Kind, Node, Statement, Summand};
use super::points::{Bound, Points, Step, Table};
use super::strip::{Sending, Summing};
use crate::StrategyError;
use crate::code::{Frame, Test, joined};
use crate::data::{Data, UNKNOWN};
use crate::scalar::Scalar;
use iverson_spec::TensorSsa;
use iverson_spec::ast::{Direction, Reduction};
use iverson_spec::ir::{Element, TensorId};
use iverson_spec::work::Tried;
use std::cmp::Ordering;
use std::ops::Range;

/// What is counted of a term.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) primal: Tried,
    pub(super) reverse: Tried,
    /// Points whose value the reverse direction computes again.
    pub(super) repeated: Tried,
}

/// What stops a run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    Violated(usize),
    Range { tensor: usize, found: Option<i64>, bound: i64 },
}

/// What is done at the points of a term.
pub(super) trait Leaf<S> {
    /// At the point where the variables are.
    fn point(&mut self, machine: &mut Machine<S>);

    /// At the points where a variable is in `from..to`.
    fn strip(&mut self, machine: &mut Machine<S>, var: usize, from: i64, to: i64);
}

impl<S, F: FnMut(&mut Machine<S>)> Leaf<S> for F {
    fn point(&mut self, machine: &mut Machine<S>) {
        self(machine);
    }

    fn strip(&mut self, machine: &mut Machine<S>, var: usize, from: i64, to: i64) {
        for value in from..to {
            machine.frame.vars[var] = value;
            self(machine);
        }
    }
}

/// The state of a run.
#[derive(Clone, Debug)]
pub(super) struct Machine<S> {
    pub(super) data: Data<S>,
    pub(super) frame: Frame<S>,
    tables: Vec<Inverse>,
    pub(super) tally: Vec<Tally>,
    pub(super) failure: Option<Failure>,
    factors: Factors<S>,
    /// Buffers for the values along a strip.
    pub(super) scratch: Vec<Vec<S>>,
}

/// The values of a variable, sorted by what a map sends them to.
#[derive(Clone, Debug, Default)]
struct Inverse {
    least: i64,
    /// Where the values for `least + k` start; empty if the images are far apart.
    starts: Vec<usize>,
    images: Vec<i64>,
    values: Vec<i64>,
}

/// The factors of products, in the order of the visit, with the place of their entry.
#[derive(Clone, Debug)]
struct Factors<S> {
    entries: Vec<usize>,
    values: Vec<S>,
    others: Vec<S>,
    running: Vec<S>,
    most: usize,
}

impl Failure {
    /// The error, with the name of the tensor.
    pub(super) fn named(self, program: &TensorSsa) -> StrategyError {
        match self {
            Self::Violated(clause) => StrategyError::Violated { clause },
            Self::Range { tensor, found, bound } => {
                let row = program.symbols.tensor(TensorId(tensor as u32));
                debug_assert!(matches!(row.element, Element::Index(_)));
                let found = found.map_or("without a value".to_owned(), |n| n.to_string());
                StrategyError::IndexOutOfRange { tensor: row.name.clone(), found, bound }
            }
        }
    }
}

impl<S: Scalar> Machine<S> {
    pub(super) fn new(data: Data<S>, compiled: &Compiled<S>) -> Self {
        let vars = vec![0; compiled.vars];
        let locals = vec![S::integer(0); compiled.locals];
        let factors = Factors {
            entries: Vec::new(),
            values: Vec::new(),
            others: Vec::new(),
            running: Vec::new(),
            most: 0,
        };
        Self {
            data,
            frame: Frame { vars, locals },
            tables: vec![Inverse::default(); compiled.tables.len()],
            tally: vec![Tally::default(); compiled.prices.len()],
            failure: None,
            factors,
            scratch: Vec::new(),
        }
    }

    /// Forgets what was counted.
    pub(super) fn restart(&mut self) {
        self.tally.fill(Tally::default());
        self.failure = None;
    }

    /// Entries of tables, of the factors of products, and of strips.
    pub(super) fn auxiliary(&self) -> usize {
        let table = |t: &Inverse| t.starts.len() + t.images.len() + t.values.len();
        let strips = self.scratch.iter().map(Vec::capacity).sum::<usize>();
        self.tables.iter().map(table).sum::<usize>() + self.factors.most + strips
    }

    /// Builds inverse images.
    pub(super) fn build(&mut self, tables: &[Table<S>], which: Range<usize>) {
        for place in which {
            let Table { var, range, map } = &tables[place];
            let mut pairs = Vec::new();
            for value in 0..*range {
                self.frame.vars[*var] = value;
                pairs.extend(map.eval(&self.data, &mut self.frame).map(|image| (image, value)));
            }
            self.tables[place] = Inverse::new(&pairs);
        }
    }

    // Points.

    /// Calls `leaf` at every point where the guard holds; gives the counts.
    fn visit(&mut self, points: &Points<S>, leaf: &mut impl Leaf<S>) -> Tried {
        let mut tried = Tried::default();
        for part in &points.parts {
            match part.split_last() {
                Some((Step::Loop { var, range, lower, upper }, before))
                    if points.tests.is_empty() =>
                {
                    self.steps(before, &mut |m| {
                        let bounds = m.greatest(lower).zip(m.least(upper, *range));
                        if let Some((from, to)) = bounds
                            && from < to
                        {
                            let count = (to - from) as u64;
                            tried.visited += count;
                            tried.held += count;
                            leaf.strip(m, *var, from, to);
                        }
                    });
                }
                _ => self.steps(part, &mut |m| {
                    tried.visited += 1;
                    let (holds, paid) = m.all(&points.tests);
                    tried.tests += paid;
                    if holds {
                        tried.held += 1;
                        leaf.point(m);
                    }
                }),
            }
        }
        tried
    }

    /// Whether all tests hold, and what those made have cost.
    fn all(&mut self, tests: &[(Test<S>, u64)]) -> (bool, u64) {
        let mut paid = 0;
        for (test, price) in tests {
            paid = *price;
            if !test.holds(&self.data, &mut self.frame) {
                return (false, paid);
            }
        }
        (true, paid)
    }

    fn steps(&mut self, steps: &[Step<S>], leaf: &mut impl FnMut(&mut Self)) {
        let Some((step, rest)) = steps.split_first() else { return leaf(self) };
        match step {
            Step::Loop { var, range, lower, upper } => {
                let (Some(from), Some(to)) = (self.greatest(lower), self.least(upper, *range))
                else {
                    return;
                };
                for value in from..to {
                    self.frame.vars[*var] = value;
                    self.steps(rest, leaf);
                }
            }
            Step::Set { var, value, by, range } => {
                let Some(value) = value.eval(&self.data, &mut self.frame) else { return };
                let (quotient, rest_of) = (value.div_euclid(*by), value.rem_euclid(*by));
                if rest_of == 0 && (0..*range).contains(&quotient) {
                    self.frame.vars[*var] = quotient;
                    self.steps(rest, leaf);
                }
            }
            Step::Fibre { var, table, key } => {
                let Some(key) = key.eval(&self.data, &mut self.frame) else { return };
                for place in self.tables[*table].fibre(key) {
                    self.frame.vars[*var] = self.tables[*table].values[place];
                    self.steps(rest, leaf);
                }
            }
            Step::Walk { tuples, keys, slots } => {
                let mut wanted = Vec::with_capacity(keys.len());
                for key in keys {
                    let Some(key) = key.eval(&self.data, &mut self.frame) else { return };
                    wanted.push(key);
                }
                let arity = keys.len() + slots.len();
                for tuple in matching(tuples, arity, &wanted) {
                    for (slot, value) in slots.iter().zip(&tuple[keys.len()..]) {
                        self.frame.vars[*slot] = *value;
                    }
                    self.steps(rest, leaf);
                }
            }
            Step::Check(test) => {
                if test.holds(&self.data, &mut self.frame) {
                    self.steps(rest, leaf);
                }
            }
        }
    }

    /// The greatest of the lower bounds and 0; `None` if one has no value.
    fn greatest(&mut self, bounds: &[Bound<S>]) -> Option<i64> {
        let mut greatest = 0;
        for bound in bounds {
            let value = bound.value.eval(&self.data, &mut self.frame)?;
            greatest = greatest.max(-value.div_euclid(bound.by));
        }
        Some(greatest)
    }

    /// One more than the least of the upper bounds and the last value.
    fn least(&mut self, bounds: &[Bound<S>], range: i64) -> Option<i64> {
        let mut least = range;
        for bound in bounds {
            let value = bound.value.eval(&self.data, &mut self.frame)?;
            least = least.min(value.div_euclid(bound.by) + 1);
        }
        Some(least)
    }

    /// Calls `visit` at every point of a box.
    fn each(&mut self, vars: &[(usize, i64)], visit: &mut dyn FnMut(&mut Self)) {
        let Some(((var, range), rest)) = vars.split_first() else { return visit(self) };
        for value in 0..*range {
            self.frame.vars[*var] = value;
            self.each(rest, visit);
        }
    }

    // Forward.

    pub(super) fn forward(&mut self, node: &Node<S>) {
        match node {
            Node::Stmt(stmt) => self.compute(stmt),
            Node::Rec(vars, body) => self.recur(
                vars,
                &mut |m| {
                    body.iter().for_each(|node| m.forward(node));
                },
                false,
            ),
            Node::Requires(binders, test, clause) => self.each(binders, &mut |m| {
                if !test.holds(&m.data, &mut m.frame) && m.failure.is_none() {
                    m.failure = Some(Failure::Violated(*clause));
                }
            }),
        }
    }

    /// Runs the variables of a recurrence in their directions, or against them.
    fn recur(
        &mut self,
        vars: &[(usize, i64, Direction)],
        body: &mut dyn FnMut(&mut Self),
        against: bool,
    ) {
        let Some(((var, range, direction), rest)) = vars.split_first() else { return body(self) };
        let ascends = (*direction == Direction::Ascending) != against;
        for step in 0..*range {
            self.frame.vars[*var] = if ascends { step } else { range - 1 - step };
            self.recur(rest, body, against);
        }
    }

    fn compute(&mut self, stmt: &Statement<S>) {
        let Statement { buffer, entry, kind, .. } = stmt;
        match kind {
            Kind::Sum(terms) => {
                for term in terms {
                    let tried = self.visit(&term.points, &mut Summing { stmt, term });
                    self.count(term, tried);
                }
            }
            Kind::Fold(op, term, _, binders) => {
                let tried =
                    self.visit(&term.points, &mut |m: &mut Self| m.fold(*op, stmt, term, binders));
                self.count(term, tried);
            }
            Kind::Arg(op, term, var) => {
                let tried =
                    self.visit(&term.points, &mut |m: &mut Self| m.search(*op, stmt, term, *var));
                self.count(term, tried);
            }
            Kind::Index(axes, value, bound, tally) => self.each(axes, &mut |m| {
                let found = value.eval(&m.data, &mut m.frame);
                let at = entry.offset(&m.data, &mut m.frame);
                match found {
                    Some(found) if (0..*bound).contains(&found) => m.data.ints[*buffer][at] = found,
                    None if S::LAZY => {}
                    _ => {
                        let failure = Failure::Range { tensor: *buffer, found, bound: *bound };
                        m.failure.get_or_insert(failure);
                    }
                }
                let tried = &mut m.tally[*tally].primal;
                *tried = *tried + Tried { visited: 1, tests: 0, held: 1 };
            }),
        }
    }

    fn count(&mut self, term: &Summand<S>, tried: Tried) {
        let total = &mut self.tally[term.tally].primal;
        *total = *total + tried;
    }

    /// Joins the value at a point to its entry; remembers the first that attains a maximum.
    fn fold(
        &mut self,
        op: Reduction,
        stmt: &Statement<S>,
        term: &Summand<S>,
        binders: &[(usize, i64)],
    ) {
        let value = term.body.eval(&self.data, &mut self.frame);
        let at = stmt.entry.offset(&self.data, &mut self.frame);
        if op == Reduction::Prod {
            let product = &mut self.data.reals[stmt.buffer][at];
            *product = product.times(&value);
            return;
        }
        let vars = &self.frame.vars;
        let here = binders.iter().fold(0, |place, (var, range)| place * range + vars[*var]);
        self.replace(op, stmt.buffer, at, value, here);
    }

    /// As [`Machine::fold`], for the index of the best point.
    fn search(&mut self, op: Reduction, stmt: &Statement<S>, term: &Summand<S>, var: usize) {
        let value = term.body.eval(&self.data, &mut self.frame);
        let at = stmt.entry.offset(&self.data, &mut self.frame);
        let here = self.frame.vars[var];
        if self.replace(op, stmt.buffer, at, value, here) {
            self.data.ints[stmt.buffer][at] = here;
        }
    }

    /// Replaces the best value if this one is better, or as good and from an earlier place.
    fn replace(&mut self, op: Reduction, buffer: usize, at: usize, value: S, here: i64) -> bool {
        let tensors = self.data.ints.len() / 2;
        let place = &mut self.data.ints[tensors + buffer][at];
        let best = &mut self.data.reals[buffer][at];
        let better = match op {
            Reduction::Max | Reduction::Argmax => Ordering::Greater,
            Reduction::Min | Reduction::Argmin => Ordering::Less,
            Reduction::Sum | Reduction::Prod => unreachable!("a sum or product has no best point"),
        };
        let replaces = *place == UNKNOWN
            || match value.order(best) {
                Some(Ordering::Equal) => here < *place,
                order => order == Some(better),
            };
        if replaces {
            (*place, *best) = (here, value);
        }
        replaces
    }

    // Backward.

    pub(super) fn backward(&mut self, node: &Node<S>) {
        match node {
            Node::Stmt(stmt) if stmt.live => self.send_back(stmt),
            Node::Rec(vars, body) => self.recur(
                vars,
                &mut |m| {
                    body.iter().rev().for_each(|node| m.backward(node));
                },
                true,
            ),
            Node::Stmt(_) | Node::Requires(..) => {}
        }
    }

    fn send_back(&mut self, stmt: &Statement<S>) {
        match &stmt.kind {
            Kind::Sum(terms) => {
                for term in terms.iter().filter(|term| !term.uses.is_empty()) {
                    let tried = self.visit(&term.points, &mut Sending { stmt, term });
                    let total = &mut self.tally[term.tally].reverse;
                    *total = *total + tried;
                }
            }
            Kind::Fold(_, term, ..) if term.uses.is_empty() => {}
            Kind::Fold(Reduction::Prod, term, ..) => self.product(stmt, term),
            Kind::Fold(_, term, axes, binders) => self.each(axes, &mut |m| {
                let at = stmt.entry.offset(&m.data, &mut m.frame);
                let tensors = m.data.ints.len() / 2;
                let mut place = m.data.ints[tensors + stmt.buffer][at];
                if place == UNKNOWN {
                    return;
                }
                for (var, range) in binders.iter().rev() {
                    m.frame.vars[*var] = place % range;
                    place /= range;
                }
                let above = m.cotangent(stmt);
                m.update(term, &above);
                let tests = term.points.tests.last().map_or(0, |(_, paid)| *paid);
                let total = &mut m.tally[term.tally].reverse;
                *total = *total + Tried { visited: 1, tests, held: 1 };
            }),
            Kind::Arg(..) | Kind::Index(..) => {}
        }
    }

    /// The cotangent of the entry that a statement computes.
    pub(super) fn cotangent(&mut self, stmt: &Statement<S>) -> S {
        let at = stmt.entry.offset(&self.data, &mut self.frame);
        self.data.reals[self.data.reals.len() / 2 + stmt.buffer][at].clone()
    }

    /// `ā[α] += (Σ [case] value) · above` for every use of the term.
    pub(super) fn update(&mut self, term: &Summand<S>, above: &S) {
        for used in &term.uses {
            let sent = used.cases.times(above, &self.data, &mut self.frame);
            if let Some(sent) = sent {
                let at = used.entry.offset(&self.data, &mut self.frame);
                let bar = &mut self.data.reals[used.buffer][at];
                *bar = bar.plus(&sent);
            }
        }
    }

    /// `prod`: each factor has the product of the others before and after it.
    fn product(&mut self, stmt: &Statement<S>, term: &Summand<S>) {
        self.factors.entries.clear();
        self.factors.values.clear();
        let first = self.visit(&term.points, &mut |m: &mut Self| {
            let value = term.body.eval(&m.data, &mut m.frame);
            let at = stmt.entry.offset(&m.data, &mut m.frame);
            m.factors.entries.push(at);
            m.factors.values.push(value);
        });
        self.factors.multiply(self.data.reals[stmt.buffer].len());
        let mut point = 0;
        let second = self.visit(&term.points, &mut |m: &mut Self| {
            let above = m.cotangent(stmt).times(&m.factors.others[point]);
            m.update(term, &above);
            point += 1;
        });
        let tally = &mut self.tally[term.tally];
        tally.repeated = tally.repeated + first;
        tally.reverse = tally.reverse + second;
    }
}

impl<S: Scalar> Factors<S> {
    /// Fills `others`: for each factor the product of the others of its entry.
    fn multiply(&mut self, entries: usize) {
        let Self { entries: at, values, others, running, most } = self;
        if running.len() < entries {
            running.resize(entries, S::integer(1));
        }
        others.clear();
        for (at, value) in at.iter().zip(&*values) {
            others.push(running[*at].clone());
            running[*at] = joined(Reduction::Prod, &running[*at], value);
        }
        at.iter().for_each(|at| running[*at] = S::integer(1));
        for (place, at) in at.iter().enumerate().rev() {
            others[place] = others[place].times(&running[*at]);
            running[*at] = values[place].times(&running[*at]);
        }
        at.iter().for_each(|at| running[*at] = S::integer(1));
        *most = (*most).max(3 * values.len() + running.len());
    }
}

impl Inverse {
    fn new(pairs: &[(i64, i64)]) -> Self {
        let least = pairs.iter().map(|(image, _)| *image).min().unwrap_or(0);
        let most = pairs.iter().map(|(image, _)| *image).max().unwrap_or(-1);
        let span = most.checked_sub(least).and_then(|span| usize::try_from(span + 1).ok());
        match span.filter(|span| *span <= 8 * pairs.len() + 64) {
            Some(span) => Self::counted(pairs, least, span),
            None => {
                let mut sorted = pairs.to_vec();
                sorted.sort_unstable();
                let (images, values) = sorted.into_iter().unzip();
                Self { least, starts: Vec::new(), images, values }
            }
        }
    }

    /// By a counting sort.
    fn counted(pairs: &[(i64, i64)], least: i64, span: usize) -> Self {
        let mut starts = vec![0; span + 1];
        pairs.iter().for_each(|(image, _)| starts[(image - least) as usize + 1] += 1);
        (0..span).for_each(|k| starts[k + 1] += starts[k]);
        let mut next = starts.clone();
        let mut values = vec![0; pairs.len()];
        for (image, value) in pairs {
            let place = &mut next[(image - least) as usize];
            values[*place] = *value;
            *place += 1;
        }
        Self { least, starts, images: Vec::new(), values }
    }

    /// Where the values with this image stand.
    fn fibre(&self, key: i64) -> Range<usize> {
        if self.starts.is_empty() {
            let from = self.images.partition_point(|image| *image < key);
            let to = self.images.partition_point(|image| *image <= key);
            return from..to;
        }
        let place = key.checked_sub(self.least).and_then(|k| usize::try_from(k).ok());
        match place.filter(|k| k + 1 < self.starts.len()) {
            Some(k) => self.starts[k]..self.starts[k + 1],
            None => 0..0,
        }
    }
}

/// The tuples that begin with the keys.
fn matching<'t>(tuples: &'t [i64], arity: usize, keys: &[i64]) -> impl Iterator<Item = &'t [i64]> {
    let count = tuples.len() / arity.max(1);
    let head = |k: usize| &tuples[k * arity..k * arity + keys.len()];
    let first = |above: Ordering| {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = (low + high) / 2;
            if head(middle).cmp(keys) < above { low = middle + 1 } else { high = middle }
        }
        low
    };
    let range = first(Ordering::Equal)..first(Ordering::Greater);
    range.map(move |k| &tuples[k * arity..(k + 1) * arity])
}
