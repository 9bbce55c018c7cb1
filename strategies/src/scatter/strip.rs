//! Innermost loops, a strip of points at a time: each operation of a body runs over the
//! whole strip, so its cost is a pass over a short buffer.

use super::compile::{Statement, Summand};
use super::run::{Leaf, Machine};
use crate::code::{Frame, Int, IntAtom, Real};
use crate::data::Data;
use crate::scalar::Scalar;
use iverson_spec::function::Fun;

/// The most points of a strip; shorter ones than the least are run point by point.
const MOST: i64 = 256;
const LEAST: i64 = 4;

/// Consecutive values of a variable.
#[derive(Clone, Copy)]
struct Strip {
    var: usize,
    from: i64,
    len: usize,
}

/// Offsets along a strip: `start + k · step`.
struct Line {
    start: i64,
    step: i64,
}

/// `y[entry] += body`
pub(super) struct Summing<'a, S> {
    pub(super) stmt: &'a Statement<S>,
    pub(super) term: &'a Summand<S>,
}

/// `ā[α] += partial · ȳ[entry]` for each use.
pub(super) struct Sending<'a, S> {
    pub(super) stmt: &'a Statement<S>,
    pub(super) term: &'a Summand<S>,
}

impl<S: Scalar> Leaf<S> for Summing<'_, S> {
    fn point(&mut self, m: &mut Machine<S>) {
        let value = self.term.body.eval(&m.data, &mut m.frame);
        let at = self.stmt.entry.offset(&m.data, &mut m.frame);
        let sum = &mut m.data.reals[self.stmt.buffer][at];
        *sum = sum.plus(&value);
    }

    fn strip(&mut self, m: &mut Machine<S>, var: usize, from: i64, to: i64) {
        chunks(self, m, var, from, to, |leaf, m, strip| {
            let mut values = m.scratch.pop().unwrap_or_default();
            strip.fill(&leaf.term.body, m, &mut values);
            strip.add(m, leaf.stmt.buffer, &leaf.stmt.entry, &values);
            m.scratch.push(values);
        });
    }
}

impl<S: Scalar> Leaf<S> for Sending<'_, S> {
    fn point(&mut self, m: &mut Machine<S>) {
        let above = m.cotangent(self.stmt);
        m.update(self.term, &above);
    }

    fn strip(&mut self, m: &mut Machine<S>, var: usize, from: i64, to: i64) {
        if self.term.uses.iter().any(|used| !used.cases.always()) {
            return each(self, m, var, from, to);
        }
        chunks(self, m, var, from, to, |leaf, m, strip| {
            let mut values = m.scratch.pop().unwrap_or_default();
            for used in &leaf.term.uses {
                for value in used.cases.values() {
                    strip.fill(value, m, &mut values);
                    strip.join(&leaf.stmt.cotangent, m, &mut values, S::times);
                    strip.add(m, used.buffer, &used.entry, &values);
                }
            }
            m.scratch.push(values);
        });
    }
}

/// Point by point.
fn each<S: Scalar>(leaf: &mut impl Leaf<S>, m: &mut Machine<S>, var: usize, from: i64, to: i64) {
    for value in from..to {
        m.frame.vars[var] = value;
        leaf.point(m);
    }
}

/// Strip by strip.
fn chunks<S: Scalar, L: Leaf<S>>(
    leaf: &mut L,
    m: &mut Machine<S>,
    var: usize,
    from: i64,
    to: i64,
    run: impl Fn(&mut L, &mut Machine<S>, Strip),
) {
    if to - from < LEAST {
        return each(leaf, m, var, from, to);
    }
    let mut at = from;
    while at < to {
        let len = (to - at).min(MOST);
        m.frame.vars[var] = at;
        run(leaf, m, Strip { var, from: at, len: len as usize });
        at += len;
    }
}

impl Strip {
    /// The offsets, if they are evenly spaced.
    fn line<S: Scalar>(
        self,
        offset: &Int<S>,
        data: &Data<S>,
        frame: &mut Frame<S>,
    ) -> Option<Line> {
        if offset.atoms.iter().any(|(atom, _)| moves(atom, self.var)) {
            return None;
        }
        frame.vars[self.var] = self.from;
        let start = offset.offset(data, frame) as i64;
        let own = offset.vars.iter().find(|(v, _)| *v == self.var);
        Some(Line { start, step: own.map_or(0, |(_, step)| *step) })
    }

    /// The values of an expression.
    fn fill<S: Scalar>(self, code: &Real<S>, m: &mut Machine<S>, out: &mut Vec<S>) {
        out.clear();
        match code {
            Real::Const(value) => out.resize(self.len, value.clone()),
            Real::Access(buffer, offset) => {
                let (data, frame) = (&m.data, &mut m.frame);
                let entries = &data.reals[*buffer];
                match self.line(offset, data, frame) {
                    Some(Line { start, step: 1 }) => {
                        out.extend_from_slice(&entries[start as usize..start as usize + self.len]);
                    }
                    Some(Line { start, step: 0 }) => {
                        out.resize(self.len, entries[start as usize].clone());
                    }
                    Some(Line { start, step }) => {
                        let at = |k: usize| (start + k as i64 * step) as usize;
                        out.extend((0..self.len).map(|k| entries[at(k)].clone()));
                    }
                    None => out.extend((0..self.len).map(|k| {
                        frame.vars[self.var] = self.from + k as i64;
                        entries[offset.offset(data, frame)].clone()
                    })),
                }
            }
            Real::Add(args) => {
                self.fill(&args[0], m, out);
                args[1..].iter().for_each(|arg| self.join(arg, m, out, S::plus));
            }
            Real::Mul(args) => {
                self.fill(&args[0], m, out);
                args[1..].iter().for_each(|arg| self.join(arg, m, out, S::times));
            }
            Real::Unary(fun, arg) => {
                self.fill(arg, m, out);
                out.iter_mut().for_each(|x| *x = x.unary(*fun));
            }
            Real::Binary(fun, args) => {
                self.fill(&args.0, m, out);
                if *fun == Fun::Div {
                    self.join(&args.1, m, out, |x, y| x.binary(Fun::Div, y));
                } else {
                    self.join(&args.1, m, out, |x, y| x.binary(*fun, y));
                }
            }
            Real::Index(_)
            | Real::Local(_)
            | Real::Call(..)
            | Real::If(_)
            | Real::Bind(..)
            | Real::Reduce(_) => out.extend((0..self.len).map(|k| {
                m.frame.vars[self.var] = self.from + k as i64;
                code.eval(&m.data, &mut m.frame)
            })),
        }
    }

    /// Joins the values of an expression to those that are there.
    fn join<S: Scalar>(
        self,
        code: &Real<S>,
        m: &mut Machine<S>,
        out: &mut [S],
        join: impl Fn(&S, &S) -> S,
    ) {
        if let Real::Const(value) = code {
            return out.iter_mut().for_each(|x| *x = join(x, value));
        }
        if let Real::Access(buffer, offset) = code
            && let Some(Line { start, step }) = self.line(offset, &m.data, &mut m.frame)
        {
            let entries = &m.data.reals[*buffer];
            let first = start as usize;
            return match step {
                0 => out.iter_mut().for_each(|x| *x = join(x, &entries[first])),
                1 => {
                    let entries = &entries[first..first + self.len];
                    out.iter_mut().zip(entries).for_each(|(x, y)| *x = join(x, y));
                }
                _ => {
                    for (k, x) in out.iter_mut().enumerate() {
                        *x = join(x, &entries[(start + k as i64 * step) as usize]);
                    }
                }
            };
        }
        let mut other = m.scratch.pop().unwrap_or_default();
        self.fill(code, m, &mut other);
        out.iter_mut().zip(&other).for_each(|(x, y)| *x = join(x, y));
        m.scratch.push(other);
    }

    /// Adds the values to entries of a buffer, in order.
    fn add<S: Scalar>(self, m: &mut Machine<S>, buffer: usize, entry: &Int<S>, values: &[S]) {
        let line = self.line(entry, &m.data, &mut m.frame);
        match line {
            Some(Line { start, step: 0 }) => {
                let entry = &mut m.data.reals[buffer][start as usize];
                *entry = values.iter().fold(entry.clone(), |sum, x| sum.plus(x));
            }
            Some(Line { start, step: 1 }) => {
                let entries = &mut m.data.reals[buffer][start as usize..start as usize + self.len];
                entries.iter_mut().zip(values).for_each(|(sum, x)| *sum = sum.plus(x));
            }
            Some(Line { start, step }) => {
                let entries = &mut m.data.reals[buffer];
                for (k, x) in values.iter().enumerate() {
                    let sum = &mut entries[(start + k as i64 * step) as usize];
                    *sum = sum.plus(x);
                }
            }
            None => {
                for (k, x) in values.iter().enumerate() {
                    m.frame.vars[self.var] = self.from + k as i64;
                    let at = entry.offset(&m.data, &mut m.frame);
                    let sum = &mut m.data.reals[buffer][at];
                    *sum = sum.plus(x);
                }
            }
        }
    }
}

/// Whether an atom's value depends on a variable.
fn moves<S>(atom: &IntAtom<S>, var: usize) -> bool {
    let index = |index: &Int<S>| {
        index.vars.iter().any(|(v, _)| *v == var)
            || index.atoms.iter().any(|(atom, _)| moves(atom, var))
    };
    match atom {
        IntAtom::Read(_, axes) => axes.iter().any(|(e, _)| index(e)),
        IntAtom::Div(e, _) | IntAtom::Mod(e, _) => index(e),
        // what is inside is not looked at
        IntAtom::Floor(..) | IntAtom::If(_) | IntAtom::Bind(..) => true,
    }
}
