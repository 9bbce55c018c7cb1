//! The ends of loops: which of two is the greater for all sizes.

use crate::loops::{CmpOp, Cond, For, Int, IntId, Node};
use rustc_hash::FxHashSet;

/// Ends that differ by at most this much are near.
const NEAR: i64 = 8;

/// Loop variables that are never negative.
pub(super) struct Naturals(FxHashSet<IntId>);

impl Naturals {
    /// Of some nodes.
    pub(super) fn of(nodes: &[Node]) -> Self {
        let mut naturals = Self(FxHashSet::default());
        naturals.collect(nodes);
        naturals
    }

    /// Notes the loop variables in nodes.
    pub(super) fn collect(&mut self, nodes: &[Node]) {
        for node in nodes {
            if let Node::For(header) = node {
                self.note(header);
            }
            self.collect(node.inside());
        }
    }

    /// Notes the variable of a loop.
    pub(super) fn note(&mut self, header: &For) {
        if header.lower.iter().any(|end| self.is_natural(end)) {
            self.0.insert(header.var);
        }
    }

    /// Whether an integer is at least 0 for all sizes.
    fn is_natural(&self, e: &Int) -> bool {
        match e {
            Int::Const(n) => *n >= 0,
            Int::Size(_) | Int::Mod(..) => true,
            Int::Var(var) => self.0.contains(var),
            Int::Sum(terms, n) => {
                *n >= 0 && terms.iter().all(|(a, e)| *a >= 0 && self.is_natural(e))
            }
            Int::Product(factors) => factors.iter().all(|e| self.is_natural(e)),
            Int::Div(e, _) => self.is_natural(e),
            Int::Load(..) | Int::DivBy(_) | Int::Floor(_) | Int::Select(_) => false,
        }
    }

    /// Whether `a >= b` for all sizes.
    pub(super) fn at_least(&self, a: &Int, b: &Int) -> bool {
        self.is_natural(&a.clone().minus(b.clone()))
    }

    /// Whether a loop with the lower ends `a` begins no later than one with `b`.
    pub(super) fn begins(&self, a: &[Int], b: &[Int]) -> bool {
        a.iter().all(|a| b.iter().any(|b| self.at_least(b, a)))
    }

    /// Whether a loop with the upper ends `a` ends no earlier than one with `b`.
    pub(super) fn ends(&self, a: &[Int], b: &[Int]) -> bool {
        a.iter().all(|a| b.iter().any(|b| self.at_least(a, b)))
    }

    /// Ends whose greatest is the greatest of all.
    pub(super) fn greatest<'e>(&self, all: impl Iterator<Item = &'e Int>) -> Vec<Int> {
        strongest(all, |a, b| self.at_least(a, b))
    }

    /// Ends whose least is the least of all.
    pub(super) fn least<'e>(&self, all: impl Iterator<Item = &'e Int>) -> Vec<Int> {
        strongest(all, |a, b| self.at_least(b, a))
    }
}

/// The ends that no other implies.
pub(super) fn strongest<'e>(
    all: impl Iterator<Item = &'e Int>,
    mut implies: impl FnMut(&Int, &Int) -> bool,
) -> Vec<Int> {
    let mut kept: Vec<Int> = Vec::new();
    for end in all {
        if !kept.iter().any(|other| implies(other, end)) {
            kept.retain(|other| !implies(end, other));
            kept.push(end.clone());
        }
    }
    kept
}

/// Whether a loop has every step from 0 to what is computed from sizes alone.
pub(super) fn is_whole(header: &For) -> bool {
    header.lower == [Int::Const(0)]
        && matches!(header.upper.as_slice(), [end] if is_size(end))
        && header.stride.is_none()
}

/// Whether a loop with these lower ends begins at a point or later, by one of them.
pub(super) fn is_from(lower: &[Int], point: &Int) -> bool {
    let after = |lower: &Int| lower.clone().minus(point.clone()).as_const();
    lower.iter().filter_map(after).any(|n| n >= 0)
}

/// Whether a loop with these upper ends ends with a point or earlier, by one of them.
pub(super) fn is_up_to(upper: &[Int], point: &Int) -> bool {
    let after = |upper: &Int| upper.clone().minus(point.clone()).as_const();
    upper.iter().filter_map(after).any(|n| n <= 1)
}

/// Whether a loop with these ends does not reach a point.
pub(super) fn is_beside(lower: &[Int], upper: &[Int], point: &Int) -> bool {
    is_from(lower, &point.clone().offset(1)) || is_up_to(upper, &point.clone().offset(-1))
}

/// Whether ends differ by small constants.
pub(super) fn near(a: &[Int], b: &[Int]) -> bool {
    let close = |(a, b): (&Int, &Int)| {
        a.clone().minus(b.clone()).as_const().is_some_and(|n| n.abs() <= NEAR)
    };
    a.len() == b.len() && a.iter().zip(b).all(close)
}

/// Whether an end is arithmetic on sizes and variables: cheap, and without data.
pub(super) fn is_plain(e: &Int) -> bool {
    match e {
        Int::Const(_) | Int::Size(_) | Int::Var(_) => true,
        Int::Sum(terms, _) => terms.iter().all(|(_, e)| is_plain(e)),
        Int::Product(factors) => factors.iter().all(is_plain),
        Int::Div(e, _) | Int::Mod(e, _) => is_plain(e),
        Int::Load(..) | Int::DivBy(_) | Int::Floor(_) | Int::Select(_) => false,
    }
}

/// Whether an integer is a sum of sizes and a constant.
pub(super) fn of_sizes(e: &Int) -> bool {
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

/// Whether an integer is computed from sizes alone.
pub(super) fn is_size(e: &Int) -> bool {
    match e {
        Int::Const(_) | Int::Size(_) => true,
        Int::Sum(terms, _) => terms.iter().all(|(_, e)| is_size(e)),
        Int::Product(factors) => factors.iter().all(is_size),
        Int::Div(e, _) | Int::Mod(e, _) => is_size(e),
        Int::Var(_) | Int::Load(..) | Int::DivBy(_) | Int::Floor(_) | Int::Select(_) => false,
    }
}

/// The greatest (`>=`) or the least (`<=`) of some integers.
pub(super) fn extreme(cmp: CmpOp, ends: &[Int]) -> Int {
    let pick = |a: Int, b: &Int| {
        let first = Cond::Int(cmp, a.clone(), b.clone());
        Int::Select(Box::new((first, a, b.clone())))
    };
    let Some((first, rest)) = ends.split_first() else {
        unreachable!("a loop has lower and upper bounds (invariant 7 of loops)")
    };
    rest.iter().fold(first.clone(), pick)
}
