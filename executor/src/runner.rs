//! The plain runner: every node as the chapter says, in one thread.
//!
//! It is the reference that faster engines are compared with, and it counts the
//! points that are visited.

use crate::error::Stop;
use crate::frame::Frame;
use crate::loops::{
    BufferId, CmpOp, Cond, Fold, For, Int, IntId, LoopProgram, Node, Order, Place, Real, RelId,
};
use crate::scalar::Scalar;
use iverson_spec::function::Fun;
use smallvec::SmallVec;

/// The values of the variables of a run.
#[derive(Clone, Debug, Default)]
pub struct Vars<S> {
    /// By integer variable.
    pub ints: Vec<i64>,
    /// By real variable.
    pub reals: Vec<S>,
    /// By statement: the points visited.
    pub visits: Vec<u64>,
}

impl<S: Scalar> Vars<S> {
    /// Zeros for all variables of a program.
    pub fn reset(&mut self, program: &LoopProgram) {
        self.ints.clear();
        self.ints.resize(program.ints.len(), 0);
        self.reals.clear();
        self.reals.resize(program.reals.len(), S::default());
        self.visits.clear();
        self.visits.resize(program.statements.len(), 0);
    }
}

/// A run in progress.
pub struct Runner<'r, S> {
    /// What is run.
    pub program: &'r LoopProgram,
    /// Its memory.
    pub frame: &'r Frame<S>,
    /// Its variables.
    pub vars: &'r mut Vars<S>,
}

type Run<T> = Result<T, Stop>;

impl<S: Scalar> Runner<'_, S> {
    /// Runs nodes in order.
    ///
    /// # Errors
    /// [`Stop`]: a check that fails, or a number that has no floor.
    pub fn nodes(&mut self, nodes: &[Node]) -> Run<()> {
        nodes.iter().try_for_each(|node| self.node(node))
    }

    /// Runs one node.
    ///
    /// # Errors
    /// As [`Runner::nodes`].
    pub fn node(&mut self, node: &Node) -> Run<()> {
        match node {
            Node::Note(_) => {}
            Node::For(header) => self.run_loop(header)?,
            Node::If(cond, body) => {
                if self.cond(cond)? {
                    self.nodes(body)?;
                }
            }
            Node::SetInt(var, e) => self.vars.ints[var.index()] = self.int(e)?,
            Node::Set(var, e) => self.vars.reals[var.index()] = self.real(e)?,
            Node::Join(var, fold, e) => {
                let value = self.real(e)?;
                let total = &mut self.vars.reals[var.index()];
                *total = join(*fold, *total, value);
            }
            Node::Store(place, e) => {
                let value = self.real(e)?;
                let at = self.place(place)?;
                self.frame.set_real(place.buffer, at, value);
            }
            Node::Accumulate(place, fold, e) => {
                let value = self.real(e)?;
                let at = self.place(place)?;
                let total = self.frame.real(place.buffer, at);
                self.frame.set_real(place.buffer, at, join(*fold, total, value));
            }
            Node::StoreInt(place, e) => {
                let value = self.int(e)?;
                let at = self.place(place)?;
                self.frame.set_int(place.buffer, at, value);
            }
            Node::AddInt(place, e) => {
                let value = self.int(e)?;
                let at = self.place(place)?;
                let total = self.frame.int(place.buffer, at);
                self.frame.set_int(place.buffer, at, total.wrapping_add(value));
            }
            Node::Visit(statement) => self.vars.visits[statement.index()] += 1,
            Node::Check(check, cond) => {
                if !self.cond(cond)? {
                    return Err(Stop::Check(*check));
                }
            }
        }
        Ok(())
    }

    fn run_loop(&mut self, header: &For) -> Run<()> {
        let Range { start, end, step } = self.range(header)?;
        if start >= end {
            return Ok(());
        }
        if header.order == Order::Descending {
            let mut at = start + (end - 1 - start) / step * step;
            while at >= start {
                self.iteration(header.var, at, &header.body)?;
                at -= step;
            }
            return Ok(());
        }
        let mut at = start;
        while at < end {
            self.iteration(header.var, at, &header.body)?;
            at += step;
        }
        Ok(())
    }

    fn iteration(&mut self, var: IntId, at: i64, body: &[Node]) -> Run<()> {
        self.vars.ints[var.index()] = at;
        self.nodes(body)
    }

    /// The values of a loop variable.
    ///
    /// # Errors
    /// As [`Runner::nodes`].
    pub fn range(&self, header: &For) -> Run<Range> {
        let mut start = i64::MIN;
        for e in &header.lower {
            start = start.max(self.int(e)?);
        }
        let mut end = i64::MAX;
        for e in &header.upper {
            end = end.min(self.int(e)?);
        }
        let Some((modulus, residue)) = &header.stride else {
            return Ok(Range { start, end, step: 1 });
        };
        let first = start.saturating_add((self.int(residue)? - start).rem_euclid(*modulus));
        Ok(Range { start: first, end, step: *modulus })
    }

    /// The place of an entry in its buffer.
    ///
    /// # Errors
    /// As [`Runner::nodes`].
    pub fn place(&self, place: &Place) -> Run<usize> {
        self.offset(place.buffer, &place.indices)
    }

    fn offset(&self, buffer: BufferId, indices: &[Int]) -> Run<usize> {
        let mut place = 0i64;
        for (e, extent) in indices.iter().zip(self.frame.extents(buffer)) {
            let at = self.int(e)?;
            assert!(
                (0..*extent).contains(&at),
                "`{}` is read at {at}, beyond {extent}: loops keep indices in bounds (invariant 4)",
                self.program.buffer(buffer).name
            );
            place = place * extent + at;
        }
        Ok(place as usize)
    }

    /// The value of an integer.
    ///
    /// # Errors
    /// As [`Runner::nodes`].
    pub fn int(&self, e: &Int) -> Run<i64> {
        Ok(match e {
            Int::Const(n) => *n,
            Int::Size(size) => self.frame.sizes[size.index()],
            Int::Var(var) => self.vars.ints[var.index()],
            Int::Load(buffer, indices) => self.frame.int(*buffer, self.offset(*buffer, indices)?),
            Int::Sum(terms, constant) => {
                let mut sum = *constant;
                for (a, e) in terms {
                    sum = sum.wrapping_add(a.wrapping_mul(self.int(e)?));
                }
                sum
            }
            Int::Product(factors) => {
                let mut product = 1i64;
                for e in factors {
                    product = product.wrapping_mul(self.int(e)?);
                }
                product
            }
            Int::Div(e, k) => self.int(e)?.div_euclid(*k),
            Int::Mod(e, k) => self.int(e)?.rem_euclid(*k),
            Int::DivBy(sides) => self.int(&sides.0)?.div_euclid(self.int(&sides.1)?.max(1)),
            Int::Floor(e) => floor(self.real(e)?.wide())?,
            Int::Select(parts) => {
                let holds = self.cond(&parts.0)?;
                self.int(if holds { &parts.1 } else { &parts.2 })?
            }
        })
    }

    /// The value of a real.
    ///
    /// # Errors
    /// As [`Runner::nodes`].
    pub fn real(&self, e: &Real) -> Run<S> {
        Ok(match e {
            Real::Const(x) => S::of(*x),
            Real::Int(e) => S::of_int(self.int(e)?),
            Real::Var(var) => self.vars.reals[var.index()],
            Real::Load(buffer, indices) => self.frame.real(*buffer, self.offset(*buffer, indices)?),
            Real::Apply(fun, args) => self.apply(*fun, args)?,
            Real::Select(parts) => {
                let holds = self.cond(&parts.0)?;
                self.real(if holds { &parts.1 } else { &parts.2 })?
            }
        })
    }

    fn apply(&self, fun: Fun, args: &[Real]) -> Run<S> {
        let mut value = self.real(&args[0])?;
        if let [_] = args {
            return Ok(S::unary(fun, value));
        }
        for arg in &args[1..] {
            value = S::binary(fun, value, self.real(arg)?);
        }
        Ok(value)
    }

    /// Whether a condition holds.
    ///
    /// # Errors
    /// As [`Runner::nodes`].
    pub fn cond(&self, cond: &Cond) -> Run<bool> {
        Ok(match cond {
            Cond::Int(cmp, a, b) => cmp.holds(self.int(a)?, self.int(b)?),
            Cond::Real(cmp, sides) => cmp.holds(self.real(&sides.0)?, self.real(&sides.1)?),
            Cond::Member(relation, indices) => self.member(*relation, indices)?,
            Cond::Not(inner) => !self.cond(inner)?,
            Cond::All(parts) => {
                for part in parts {
                    if !self.cond(part)? {
                        return Ok(false);
                    }
                }
                true
            }
            Cond::Any(parts) => {
                for part in parts {
                    if self.cond(part)? {
                        return Ok(true);
                    }
                }
                false
            }
        })
    }

    fn member(&self, relation: RelId, indices: &[Int]) -> Run<bool> {
        let tuple = indices.iter().map(|e| self.int(e)).collect::<Run<SmallVec<[i64; 4]>>>()?;
        Ok(self.is_member(relation, |place| tuple[place]))
    }

    /// Whether a tuple, given by its places, is in a relation: by its bit, or by a search among the sorted ones.
    #[must_use]
    pub fn is_member(&self, relation: RelId, tuple: impl Fn(usize) -> i64) -> bool {
        if let Some(holds) = self.frame.members(relation).holds(&tuple) {
            return holds;
        }
        let table = &self.program.relations[relation.index()];
        let (mut low, mut high) = (0, self.frame.sizes[table.count.index()] as usize);
        for (place, coordinate) in table.coordinates.iter().enumerate() {
            let wanted = tuple(place);
            low = self.partition(*coordinate, low, high, |x| CmpOp::Lt.holds(x, wanted));
            high = self.partition(*coordinate, low, high, |x| CmpOp::Le.holds(x, wanted));
        }
        low < high
    }

    /// The first place in `low..high` whose entry is not `before`.
    fn partition(
        &self,
        buffer: BufferId,
        mut low: usize,
        mut high: usize,
        before: impl Fn(i64) -> bool,
    ) -> usize {
        while low < high {
            let middle = low.midpoint(high);
            if before(self.frame.int(buffer, middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// `start`, `start + step`, .. below `end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// The first value.
    pub start: i64,
    /// Beyond the last value.
    pub end: i64,
    /// At least 1.
    pub step: i64,
}

/// `total` with one value more.
#[inline]
pub fn join<S: Scalar>(fold: Fold, total: S, value: S) -> S {
    match fold {
        Fold::Sum => total.add(value),
        Fold::Prod => total.mul(value),
        Fold::Max if value > total => value,
        Fold::Min if value < total => value,
        Fold::Max | Fold::Min => total,
    }
}

/// The greatest integer that is not above `x`.
///
/// # Errors
/// [`Stop::Floor`] for NaN and beyond 64 bits.
pub fn floor(x: f64) -> Run<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let down = x.floor();
    if (-LIMIT..LIMIT).contains(&down) { Ok(down as i64) } else { Err(Stop::Floor(x)) }
}
