//! Loops cut where the short loops inside them have all their steps.
//!
//! In `for i in 0..h { for a in max(0, 1 - i)..min(3, h + 1 - i) { .. } }` the inner loop runs over `0..3`
//! where `i` is in `1..h - 1`. There it becomes a straight line; the steps of `i` before and after
//! keep the loop as it is. For tiles a loop is cut in the same way where inner loops of any length do not depend
//! on it. All steps come in the order that they had.

use super::ends::{Naturals, extreme, is_plain, of_sizes};
use super::fresh::Fresh;
use super::sites::has_checks;
use super::straight::straight;
use crate::loops::{CmpOp, Cond, For, Int, IntId, LoopProgram, Node, Order};
use crate::lower::UNROLLED;
use crate::tile::{mentions_any, strip};

/// The greatest number of ends that a range may get; where it is cut for strips, one of inner loops, so that it is not empty
/// because two of them go against each other.
const MAX_ENDS: usize = 3;

/// Cuts the loops of a program, outer ones first.
pub(super) fn peel(program: &mut LoopProgram) {
    cut(program, Inner::Short);
}

/// Cuts loops whose middle can be taken in strips.
pub(super) fn peel_for_tiles(program: &mut LoopProgram) {
    cut(program, Inner::Any);
}

fn cut(program: &mut LoopProgram, inner: Inner) {
    let body = std::mem::take(&mut program.body);
    let naturals = Naturals::of(&body);
    let mut peel = Peel { naturals, inner, fresh: Fresh::new(program, &body) };
    program.body = peel.nodes(body);
}

/// The inner loops for which a loop is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inner {
    /// Those of few steps, which become straight lines.
    Short,
    /// All, if strips come of it.
    Any,
}

struct Peel<'p> {
    naturals: Naturals,
    inner: Inner,
    fresh: Fresh<'p>,
}

impl Peel<'_> {
    fn nodes(&mut self, nodes: Vec<Node>) -> Vec<Node> {
        let cut = nodes.into_iter().flat_map(|node| {
            if let Node::For(header) = node {
                self.cut(*header)
            } else {
                vec![node.map_inside(|body| self.nodes(body))]
            }
        });
        cut.collect()
    }

    /// A loop, or three; only the one in the middle is cut further inside.
    fn cut(&mut self, mut header: For) -> Vec<Node> {
        let (mut below, mut above) = (Vec::new(), Vec::new());
        if let Some(middle) = self.middle(&header) {
            if middle.lower != header.lower {
                let mut border = header.clone();
                border.upper = vec![extreme(CmpOp::Ge, &middle.lower)];
                border.upper.extend(middle.upper.iter().cloned());
                let ends = (header.lower.as_slice(), middle.lower.as_slice());
                below = self.border(&border, ends, Side::Lower, &middle.upper);
            }
            if middle.upper != header.upper {
                let mut border = header.clone();
                border.lower.insert(0, extreme(CmpOp::Le, &middle.upper));
                let ends = (middle.upper.as_slice(), header.upper.as_slice());
                above = self.border(&border, ends, Side::Upper, &header.lower);
            }
            header = middle;
        }
        header.body = self.nodes(std::mem::take(&mut header.body));
        let parts = below.into_iter().chain([Node::For(Box::new(header))]);
        parts.chain(above).collect()
    }

    /// The steps between two ends, on a side of the middle; the ends on the other side are far from them, but for small sizes.
    fn border(
        &mut self,
        border: &For,
        (from, to): (&[Int], &[Int]),
        side: Side,
        far: &[Int],
    ) -> Vec<Node> {
        let border = self.fresh.copy(border);
        let line = || {
            let ([from], [to]) = (from, to) else { return None };
            let steps = to.clone().minus(from.clone()).as_const()?;
            let away = far.iter().map(|e| match side {
                Side::Lower => e.clone().minus(to.clone()),
                Side::Upper => from.clone().minus(e.clone()),
            });
            straight(&border, from, steps, away.collect())
        };
        let line = if self.inner == Inner::Short { line() } else { None };
        match line {
            None => vec![Node::For(Box::new(border))],
            Some((line, Cond::All(none))) if none.is_empty() => line,
            Some((line, whole)) => {
                let loops = vec![Node::For(Box::new(self.fresh.copy(&border)))];
                vec![Node::If(whole.clone(), line), Node::If(Cond::Not(Box::new(whole)), loops)]
            }
        }
    }

    /// The part of a loop in which short loops inside it have all their steps; `None` if there are none.
    fn middle(&self, header: &For) -> Option<For> {
        let plain = header.lower.iter().chain(&header.upper).all(is_plain);
        if header.stride.is_some() || header.order == Order::Descending || !plain {
            return None;
        }
        let (lower, upper) = (Vec::new(), Vec::new());
        let mut complete = Complete { inner: self.inner, var: header.var, lower, upper };
        let body = complete.nodes(&header.body);
        let Complete { lower, upper, .. } = complete;
        if lower.is_empty() && upper.is_empty() || has_checks(&header.body) {
            return None;
        }
        let (lower, upper) =
            (self.naturals.greatest(lower.iter()), self.naturals.least(upper.iter()));
        let one = self.inner == Inner::Short || lower.len() <= 1 && upper.len() <= 1;
        let lower = self.naturals.greatest(header.lower.iter().chain(&lower));
        let upper = self.naturals.least(header.upper.iter().chain(&upper));
        let few = one && lower.len() <= MAX_ENDS && upper.len() <= MAX_ENDS;
        let middle = few.then(|| For { lower, upper, body, ..header.clone() })?;
        let wanted = self.inner == Inner::Short || strip(self.fresh.program(), &middle).is_some();
        wanted.then_some(middle)
    }
}

/// Makes short loops complete, and collects what the loop over `var` must keep to for that.
struct Complete {
    inner: Inner,
    var: IntId,
    lower: Vec<Int>,
    upper: Vec<Int>,
}

/// The sides of a range.
#[derive(Clone, Copy)]
enum Side {
    Lower,
    Upper,
}

impl Complete {
    fn nodes(&mut self, nodes: &[Node]) -> Vec<Node> {
        let complete = |node: &Node| {
            let mut node = node.clone();
            if let Node::For(header) = &mut node
                && let Some((start, end)) = self.range(header)
            {
                (header.lower, header.upper) = (vec![start], vec![end]);
            }
            node.map_inside(|body| self.nodes(&body))
        };
        nodes.iter().map(complete).collect()
    }

    /// The ends of a short loop without those that depend on the variable, if constants remain.
    fn range(&mut self, header: &For) -> Option<(Int, Int)> {
        let (start, end) = self.whole(header)?;
        if header.stride.is_some() || header.order == Order::Descending {
            return None;
        }
        let mut limits = Vec::new();
        for (side, ends, limit) in
            [(Side::Lower, &header.lower, &start), (Side::Upper, &header.upper, &end)]
        {
            for e in ends.iter().filter(|e| self.depends(e)) {
                limits.push(self.limit(side, e, limit)?);
            }
        }
        if limits.is_empty() {
            return None;
        }
        for (side, end) in limits {
            match side {
                Side::Lower => self.lower.push(end),
                Side::Upper => self.upper.push(end),
            }
        }
        Some((start, end))
    }

    /// The ends of an inner loop that do not depend on the variable.
    fn whole(&self, header: &For) -> Option<(Int, Int)> {
        if self.inner == Inner::Any {
            let one = |ends: &[Int]| {
                let mut still = ends.iter().filter(|e| !self.depends(e));
                let first = still.next().filter(|e| of_sizes(e)).cloned();
                first.filter(|_| still.next().is_none())
            };
            return Some((one(&header.lower)?, one(&header.upper)?));
        }
        let (start, end) = header.constants()?;
        let short = (1..=UNROLLED).contains(&(end - start));
        short.then_some((Int::Const(start), Int::Const(end)))
    }

    /// Whether an end stands against the whole of the loop.
    fn depends(&self, e: &Int) -> bool {
        match self.inner {
            Inner::Short => e.as_const().is_none(),
            Inner::Any => mentions_any(std::slice::from_ref(e), &[self.var]),
        }
    }

    /// What the variable must keep to for `e <= limit` (a lower end) or `e >= limit` (an upper end), where
    /// `e` is the variable or its negative, and sizes.
    fn limit(&self, side: Side, e: &Int, limit: &Int) -> Option<(Side, Int)> {
        let var = Int::Var(self.var);
        let sign = match e {
            Int::Sum(terms, _) => terms.iter().find(|(_, term)| *term == var).map(|(a, _)| *a)?,
            Int::Var(_) if *e == var => 1,
            Int::Var(_)
            | Int::Const(_)
            | Int::Size(_)
            | Int::Load(..)
            | Int::Product(_)
            | Int::Div(..)
            | Int::Mod(..)
            | Int::DivBy(_)
            | Int::Floor(_)
            | Int::Select(_) => return None,
        };
        let rest = e.clone().minus(var.times(sign));
        if sign.abs() != 1 || !of_sizes(&rest) {
            return None;
        }
        Some(match (side, sign) {
            // rest - i <= limit
            (Side::Lower, -1) => (Side::Lower, rest.minus(limit.clone())),
            // i + rest <= limit
            (Side::Lower, _) => (Side::Upper, limit.clone().minus(rest).offset(1)),
            // rest - i >= limit
            (Side::Upper, -1) => (Side::Upper, rest.minus(limit.clone()).offset(1)),
            // i + rest >= limit
            (Side::Upper, _) => (Side::Lower, limit.clone().minus(rest)),
        })
    }
}
