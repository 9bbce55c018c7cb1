//! Reals in lanes, and conditional values.

use super::{Builder, Entry, Lane};
use crate::block::ops::{Arg, IntOp, Op, RealOp, Test, When};
use crate::loops::{BufferId, Cond, Int, Real};
use iverson_spec::function::Fun;

impl Builder {
    pub(super) fn real(&mut self, e: &Real) -> Option<Arg> {
        if !self.real_depends(e) {
            let known = &mut self.here().inner.scope.uniforms;
            let at = known.iter().position(|known| known == e);
            return Some(Arg::Uniform(at.unwrap_or_else(|| {
                known.push(e.clone());
                known.len() - 1
            })));
        }
        match e {
            Real::Var(var) => self.real_value(*var, self.open.len() - 1),
            Real::Const(_) => unreachable!("a constant is the same in all lanes"),
            Real::Int(inner) => {
                let lane = self.int(inner)?;
                let from = self.int_arg(lane);
                Some(Arg::Block(self.set_real(RealOp::Convert(from))))
            }
            Real::Load(buffer, indices) => self.load(e, *buffer, indices),
            Real::Apply(fun, args) => self.apply(*fun, args),
            Real::Select(parts) => self.select(parts),
        }
    }

    fn load(&mut self, e: &Real, buffer: BufferId, indices: &[Int]) -> Option<Arg> {
        if let Some((_, arg)) = self.here().known.iter().find(|(known, _)| known == e) {
            return Some(*arg);
        }
        let arg = match self.entry(buffer, indices)? {
            Entry::Line(line, _) if !self.is_scattered(line) => return Some(Arg::Line(line)),
            Entry::Line(line, _) => Arg::Block(self.set_real(RealOp::Copy(Arg::Line(line)))),
            Entry::Places(places) => Arg::Block(self.set_real(RealOp::Gather(buffer, places))),
        };
        if !indices.iter().any(|e| self.mentions_set(e)) {
            self.here().known.push((e.clone(), arg));
        }
        Some(arg)
    }

    /// Whether the entries of a line do not lie side by side, as far as the program tells.
    fn is_scattered(&mut self, line: usize) -> bool {
        let line = &self.here().inner.scope.lines[line];
        let Some(((_, last), others)) = line.indices.split_last() else { return false };
        *last != 0 && *last != 1 || others.iter().any(|(_, step)| *step != 0)
    }

    /// Whether an entry is of a buffer that the loop writes to.
    pub(super) fn is_written(&self, e: &Real) -> bool {
        match e {
            Real::Load(buffer, _) => self.written.contains(buffer),
            Real::Var(_) | Real::Const(_) | Real::Int(_) | Real::Apply(..) | Real::Select(_) => {
                false
            }
        }
    }

    fn apply(&mut self, fun: Fun, args: &[Real]) -> Option<Arg> {
        let mut value = self.real(&args[0])?;
        if let [_] = args {
            return Some(Arg::Block(self.set_real(RealOp::Unary(fun, value))));
        }
        for arg in &args[1..] {
            if let (Fun::Add, Real::Apply(Fun::Mul, factors)) = (fun, arg)
                && let [Real::Const(-1.0), taken] = factors.as_slice()
            {
                let taken = self.real(taken)?;
                value = Arg::Block(self.set_real(RealOp::Sub(value, taken)));
                continue;
            }
            let arg = self.real(arg)?;
            value = Arg::Block(self.set_real(RealOp::Binary(fun, value, arg)));
        }
        Some(value)
    }

    // Conditional values.

    fn select(&mut self, parts: &(Cond, Real, Real)) -> Option<Arg> {
        let (cond, yes, no) = parts;
        if !self.is_free(cond) {
            let nested = unprotected(cond, yes, no, |parts| Real::Select(Box::new(parts)))?;
            return self.real(&nested);
        }
        let test = self.test(cond)?;
        if is_ready(yes) && is_ready(no) {
            let (yes, no) = (self.real(yes)?, self.real(no)?);
            return Some(Arg::Block(self.set_real(RealOp::Choose(test, yes, no))));
        }
        let zero = self.real(&Real::Const(0.0))?;
        let to = self.set_real(RealOp::Copy(zero));
        let other = Test::Not(Box::new(test.clone()));
        for (test, e) in [(test, yes), (other, no)] {
            self.enter(&[], true)?;
            let value = self.real(e)?;
            let within = self.set_real(RealOp::Copy(value));
            let mut inner = self.leave()?;
            inner.outs.reals.push((to, within));
            self.push(Op::When(Box::new(When { test, inner })));
        }
        Some(Arg::Block(to))
    }

    pub(super) fn int_select(&mut self, parts: &(Cond, Int, Int)) -> Option<Lane> {
        let (cond, yes, no) = parts;
        if !self.is_free(cond) {
            let nested = unprotected(cond, yes, no, |parts| Int::Select(Box::new(parts)))?;
            return self.int(&nested);
        }
        let test = self.test(cond)?;
        let to = self.int_block(Lane::Uniform(Int::Const(0)));
        let other = Test::Not(Box::new(test.clone()));
        for (test, e) in [(test, yes), (other, no)] {
            self.enter(&[], true)?;
            let lane = self.int(e)?;
            let value = self.int_arg(lane);
            let within = self.set_int(IntOp::Sum(vec![(1, value)]));
            let mut inner = self.leave()?;
            inner.outs.ints.push((to, within));
            self.push(Op::When(Box::new(When { test, inner })));
        }
        Some(Lane::Block(to))
    }
}

/// `if cond then yes else no` with the first part of a condition apart from the rest, which it protects.
fn unprotected<T: Clone>(
    cond: &Cond,
    yes: &T,
    no: &T,
    select: impl Fn((Cond, T, T)) -> T,
) -> Option<T> {
    let (yes, no) = (yes.clone(), no.clone());
    Some(match cond {
        Cond::Not(inner) => select(((**inner).clone(), no, yes)),
        Cond::All(parts) => {
            let (first, rest) = parts.split_first()?;
            let rest = select((Cond::All(rest.to_vec()), yes, no.clone()));
            select((first.clone(), rest, no))
        }
        Cond::Any(parts) => {
            let (first, rest) = parts.split_first()?;
            let rest = select((Cond::Any(rest.to_vec()), yes.clone(), no));
            select((first.clone(), yes, rest))
        }
        Cond::Int(..) | Cond::Real(..) | Cond::Member(..) => return None,
    })
}

/// Whether a value costs nothing and cannot fail.
fn is_ready(e: &Real) -> bool {
    matches!(e, Real::Const(_) | Real::Var(_))
}
