//! Loops cut where the short loops inside them have all their steps.
//!
//! In `for i in 0..h { for a in max(0, 1 - i)..min(3, h + 1 - i) { .. } }` the inner loop runs over `0..3`
//! where `i` is in `1..h - 1`. There it becomes a straight line; the steps of `i` before and after
//! keep the loop as it is. All steps come in the order that they had.

use super::ends::{Naturals, extreme, is_plain};
use super::fresh::Fresh;
use super::sites::has_checks;
use crate::loops::{CmpOp, For, Int, IntId, LoopProgram, Node, Order};
use crate::lower::UNROLLED;

/// The greatest number of ends that a range may get.
const MAX_ENDS: usize = 3;

/// Cuts the loops of a program, outer ones first.
pub(super) fn peel(program: &mut LoopProgram) {
    let body = std::mem::take(&mut program.body);
    let naturals = Naturals::of(&body);
    let mut peel = Peel { naturals, fresh: Fresh::new(program, &body) };
    program.body = peel.nodes(body);
}

struct Peel<'p> {
    naturals: Naturals,
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
        let (mut below, mut above) = (None, None);
        if let Some(middle) = self.middle(&header) {
            if middle.lower != header.lower {
                let mut border = header.clone();
                border.upper = vec![extreme(CmpOp::Ge, &middle.lower)];
                border.upper.extend(middle.upper.iter().cloned());
                below = Some(self.fresh.copy(&border));
            }
            if middle.upper != header.upper {
                let mut border = header.clone();
                border.lower.insert(0, extreme(CmpOp::Le, &middle.upper));
                above = Some(self.fresh.copy(&border));
            }
            header = middle;
        }
        header.body = self.nodes(std::mem::take(&mut header.body));
        let parts = below.into_iter().chain([header]).chain(above);
        parts.map(|header| Node::For(Box::new(header))).collect()
    }

    /// The part of a loop in which short loops inside it have all their steps; `None` if there are none.
    fn middle(&self, header: &For) -> Option<For> {
        let plain = header.lower.iter().chain(&header.upper).all(is_plain);
        if header.stride.is_some() || header.order == Order::Descending || !plain {
            return None;
        }
        let mut complete = Complete { var: header.var, lower: Vec::new(), upper: Vec::new() };
        let body = complete.nodes(&header.body);
        let Complete { lower, upper, .. } = complete;
        if lower.is_empty() && upper.is_empty() || has_checks(&header.body) {
            return None;
        }
        let lower = self.naturals.greatest(header.lower.iter().chain(&lower));
        let upper = self.naturals.least(header.upper.iter().chain(&upper));
        let few = lower.len() <= MAX_ENDS && upper.len() <= MAX_ENDS;
        few.then(|| For { lower, upper, body, ..header.clone() })
    }
}

/// Makes short loops complete, and collects what the loop over `var` must keep to for that.
struct Complete {
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
        let constants = |ends: &[Int]| ends.iter().filter_map(Int::as_const).collect::<Vec<i64>>();
        let start = constants(&header.lower).into_iter().max()?;
        let end = constants(&header.upper).into_iter().min()?;
        let short = (1..=UNROLLED).contains(&(end - start));
        if !short || header.stride.is_some() || header.order == Order::Descending {
            return None;
        }
        let mut limits = Vec::new();
        for (side, ends, limit) in
            [(Side::Lower, &header.lower, start), (Side::Upper, &header.upper, end)]
        {
            for e in ends.iter().filter(|e| e.as_const().is_none()) {
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
        Some((Int::Const(start), Int::Const(end)))
    }

    /// What the variable must keep to for `e <= limit` (a lower end) or `e >= limit` (an upper end), where
    /// `e` is the variable or its negative, and sizes.
    fn limit(&self, side: Side, e: &Int, limit: i64) -> Option<(Side, Int)> {
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
            (Side::Lower, -1) => (Side::Lower, rest.offset(-limit)),
            // i + rest <= limit
            (Side::Lower, _) => (Side::Upper, rest.times(-1).offset(limit + 1)),
            // rest - i >= limit
            (Side::Upper, -1) => (Side::Upper, rest.offset(1 - limit)),
            // i + rest >= limit
            (Side::Upper, _) => (Side::Lower, rest.times(-1).offset(limit)),
        })
    }
}

/// Whether an integer is a sum of sizes and a constant.
fn of_sizes(e: &Int) -> bool {
    match e {
        Int::Const(_) | Int::Size(_) => true,
        Int::Sum(terms, _) => terms.iter().all(|(_, e)| matches!(e, Int::Size(_))),
        Int::Var(_)
        | Int::Load(..)
        | Int::Product(_)
        | Int::Div(..)
        | Int::Mod(..)
        | Int::DivBy(_)
        | Int::Floor(_)
        | Int::Select(_) => false,
    }
}
