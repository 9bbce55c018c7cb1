//! Loops whose ranges differ at their ends, cut so that they run as one where all of them run.
//!
//! The loops over `1..n`, `0..n` and `0..n - 1` have `1..n - 1` in common. In general,
//! with `L` the greatest lower end and `U` the least upper end of all, three loops do the same:
//!
//! | loop | range | members |
//! | --- | --- | --- |
//! | below | from the least lower end, below `min(L, U)` | those that begin before `L` |
//! | common | `L..U` | all, without conditions |
//! | above | from `max(U, the least lower end)`, to the greatest upper end | those that end after `U` |
//!
//! That holds for every size: where nothing is in common, `below` ends at `U` and `above` begins
//! there. A member that does not run in all of a border loop is under a condition.
//! Each step meets the members in their order, so entries are joined as without the cut.
//!
//! Ranges are cut where the borders are narrow, or where one member runs over all of them: so no loop has
//! steps of which nothing comes, but for a constant number.

use super::ends::{Naturals, extreme, is_plain, near};
use crate::loops::{CmpOp, Cond, For, Int, IntId, Node, Order};

/// The greatest number of ends that a range may have in common for it to be cut.
const MAX_ENDS: usize = 3;

/// How loops are cut.
pub(super) struct Cut<'n> {
    naturals: &'n Naturals,
    /// From the least lower end to the greatest upper end.
    whole: Range,
    /// What all ranges have in common; it may be empty.
    common: Range,
}

/// `max(lower)..min(upper)`
#[derive(Clone)]
struct Range {
    lower: Vec<Int>,
    upper: Vec<Int>,
}

/// A part of the whole range.
pub(super) struct Segment<'n> {
    naturals: &'n Naturals,
    range: Range,
    /// Whether some of the loops do not run in it.
    pub(super) is_border: bool,
}

/// A condition that keeps a step within a member.
#[derive(Clone, PartialEq)]
pub(super) enum Test {
    /// `var >= end`
    From(Int),
    /// `var < end`
    Below(Int),
}

impl<'n> Cut<'n> {
    /// The cut of loops, if they may be cut.
    pub(super) fn of<'l>(
        naturals: &'n Naturals,
        loops: impl IntoIterator<Item = &'l For>,
    ) -> Option<Self> {
        let mut distinct: Vec<&For> = Vec::new();
        for header in loops {
            let same = |other: &&For| {
                other.lower == header.lower
                    && other.upper == header.upper
                    && (&other.stride, other.order) == (&header.stride, header.order)
            };
            if !distinct.iter().any(same) {
                distinct.push(header);
            }
        }
        let loops = distinct;
        let cuttable = |header: &&For| {
            header.stride.is_none()
                && header.order != Order::Descending
                && header.lower.iter().chain(&header.upper).all(is_plain)
        };
        if !loops.iter().all(cuttable) {
            return None;
        }
        let lowest =
            |header: &&&For| loops.iter().all(|other| naturals.begins(&header.lower, &other.lower));
        let highest =
            |header: &&&For| loops.iter().all(|other| naturals.ends(&header.upper, &other.upper));
        let (first, last) = (loops.iter().find(lowest)?, loops.iter().find(highest)?);
        let narrow =
            |header: &&For| near(&header.lower, &first.lower) && near(&header.upper, &last.upper);
        let spans = |header: &&For| lowest(&header) && highest(&header);
        if !loops.iter().any(spans) && !loops.iter().all(narrow) {
            return None;
        }
        let whole = Range { lower: first.lower.clone(), upper: last.upper.clone() };
        let lower = naturals.greatest(loops.iter().flat_map(|header| &header.lower));
        let upper = naturals.least(loops.iter().flat_map(|header| &header.upper));
        let few = lower.len() <= MAX_ENDS && upper.len() <= MAX_ENDS;
        few.then_some(Self { naturals, whole, common: Range { lower, upper } })
    }

    /// The three loops, those that are empty for every size left out.
    pub(super) fn segments(&self) -> Vec<Segment<'n>> {
        let Self { naturals, whole, common } = self;
        let joined = |one: Int, more: &[Int]| {
            let more = more.iter().filter(|end| **end != one).cloned();
            std::iter::once(one.clone()).chain(more).collect::<Vec<_>>()
        };
        let mut segments = Vec::new();
        if whole.lower != common.lower {
            let upper = joined(extreme(CmpOp::Ge, &common.lower), &common.upper);
            let range = Range { lower: whole.lower.clone(), upper };
            segments.push(Segment { naturals, range, is_border: true });
        }
        segments.push(Segment { naturals, range: common.clone(), is_border: false });
        if whole.upper != common.upper {
            let lower = joined(extreme(CmpOp::Le, &common.upper), &whole.lower);
            let range = Range { lower, upper: whole.upper.clone() };
            segments.push(Segment { naturals, range, is_border: true });
        }
        segments
    }

    /// One loop over all.
    pub(super) fn whole(&self) -> Segment<'n> {
        Segment { naturals: self.naturals, range: self.whole.clone(), is_border: false }
    }
}

impl Segment<'_> {
    /// The loop, without its body, and the loops that run in it, with what must hold where they do.
    pub(super) fn parts<'l>(&self, loops: &'l [For]) -> (For, Vec<(Vec<Test>, &'l For)>) {
        let runs = loops.iter().filter(|header| !self.misses(header));
        let mut parts: Vec<(Vec<Test>, &For)> =
            runs.map(|header| (self.tests(header), header)).collect();
        let mut range = self.range.clone();
        let first = parts.first().map(|(tests, _)| tests.clone()).unwrap_or_default();
        for test in first {
            // what all of them need is an end of the loop
            if parts.iter().all(|(tests, _)| tests.contains(&test)) {
                parts.iter_mut().for_each(|(tests, _)| tests.retain(|other| *other != test));
                match test {
                    Test::From(end) => range.lower.push(end),
                    Test::Below(end) => range.upper.push(end),
                }
            }
        }
        let Range { lower, upper } = range;
        let var = loops[0].var;
        (For { var, lower, upper, stride: None, order: Order::Parallel, body: Vec::new() }, parts)
    }

    /// Whether a loop has no step in the segment, for every size.
    fn misses(&self, header: &For) -> bool {
        let Range { lower, upper } = &self.range;
        let reaches = |start: &Int, end: &Int| self.naturals.at_least(start, end);
        let beyond = |end: &Int| lower.iter().any(|start| reaches(start, end));
        let before = |start: &Int| upper.iter().any(|end| reaches(start, end));
        header.upper.iter().any(beyond) || header.lower.iter().any(before)
    }

    /// What must hold at a step of the segment for a loop to have that step.
    fn tests(&self, header: &For) -> Vec<Test> {
        let Range { lower, upper } = &self.range;
        let from = |end: &&Int| !lower.iter().any(|start| self.naturals.at_least(start, end));
        let below = |end: &&Int| !upper.iter().any(|own| self.naturals.at_least(end, own));
        let from = header.lower.iter().filter(from).cloned().map(Test::From);
        from.chain(header.upper.iter().filter(below).cloned().map(Test::Below)).collect()
    }
}

/// Nodes of a step under conditions, which stand as far inside as they can: so the loops inside can
/// be merged with others.
pub(super) fn guarded(tests: &[Test], var: IntId, nodes: Vec<Node>) -> Vec<Node> {
    let compare = |test: &Test| match test {
        Test::From(end) => Cond::Int(CmpOp::Ge, Int::Var(var), end.clone()),
        Test::Below(end) => Cond::Int(CmpOp::Lt, Int::Var(var), end.clone()),
    };
    let mut conds: Vec<Cond> = tests.iter().map(compare).collect();
    match conds.len() {
        0 => nodes,
        1 => under(&conds.remove(0), nodes),
        _ => under(&Cond::All(conds), nodes),
    }
}

fn under(cond: &Cond, nodes: Vec<Node>) -> Vec<Node> {
    let enters = |node: &Node| match node {
        Node::Note(_) => true,
        Node::For(header) => {
            let residue = header.stride.iter().map(|(_, e)| e);
            header.lower.iter().chain(&header.upper).chain(residue).all(is_plain)
        }
        Node::If(..)
        | Node::SetInt(..)
        | Node::Set(..)
        | Node::Join(..)
        | Node::Store(..)
        | Node::Accumulate(..)
        | Node::StoreInt(..)
        | Node::AddInt(..)
        | Node::Visit(_)
        | Node::Check(..) => false,
    };
    if !nodes.iter().all(enters) {
        return vec![Node::If(cond.clone(), nodes)];
    }
    nodes.into_iter().map(|node| node.map_inside(|body| under(cond, body))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loops::SizeId;

    fn value(e: &Int, sizes: [i64; 2], var: i64) -> i64 {
        match e {
            Int::Const(n) => *n,
            Int::Size(size) => sizes[size.index()],
            Int::Var(_) => var,
            Int::Sum(terms, n) => {
                terms.iter().map(|(a, e)| a * value(e, sizes, var)).sum::<i64>() + n
            }
            Int::Select(parts) => {
                let side = if holds(&parts.0, sizes, var) { &parts.1 } else { &parts.2 };
                value(side, sizes, var)
            }
            Int::Load(..) | Int::Product(_) | Int::Div(..) | Int::Mod(..) => unreachable!(),
            Int::DivBy(_) | Int::Floor(_) => unreachable!("ends are sums of sizes"),
        }
    }

    fn holds(cond: &Cond, sizes: [i64; 2], var: i64) -> bool {
        match cond {
            Cond::Int(cmp, a, b) => cmp.holds(value(a, sizes, var), value(b, sizes, var)),
            Cond::All(parts) => parts.iter().all(|part| holds(part, sizes, var)),
            Cond::Real(..) | Cond::Member(..) | Cond::Not(_) | Cond::Any(_) => unreachable!(),
        }
    }

    fn steps(header: &For, sizes: [i64; 2]) -> std::ops::Range<i64> {
        let all = |ends: &[Int]| ends.iter().map(|e| value(e, sizes, 0)).collect::<Vec<_>>();
        let start = all(&header.lower).into_iter().max().unwrap_or_default();
        start..all(&header.upper).into_iter().min().unwrap_or_default()
    }

    /// What runs, as pairs of a step and a member, step after step.
    fn cut(loops: &[For], segments: &[Segment<'_>], sizes: [i64; 2]) -> Vec<(i64, String)> {
        let mut found = Vec::new();
        for segment in segments {
            let (range, parts) = segment.parts(loops);
            for step in steps(&range, sizes) {
                for (tests, member) in &parts {
                    for node in guarded(tests, member.var, member.body.clone()) {
                        let body = if let Node::If(cond, body) = node {
                            if holds(&cond, sizes, step) { body } else { Vec::new() }
                        } else {
                            vec![node]
                        };
                        found.extend(body.iter().map(|node| (step, format!("{node:?}"))));
                    }
                }
            }
        }
        found
    }

    fn plain(loops: &[For], sizes: [i64; 2]) -> Vec<(i64, String)> {
        let mut found: Vec<(i64, usize)> = Vec::new();
        for (member, header) in loops.iter().enumerate() {
            found.extend(steps(header, sizes).map(|step| (step, member)));
        }
        found.sort_unstable();
        found.into_iter().map(|(step, member)| (step, text(member))).collect()
    }

    /// A node that conditions stay in front of.
    fn mark(member: usize) -> Node {
        Node::Visit(crate::loops::StatementId(member as u32))
    }

    fn text(member: usize) -> String {
        format!("{:?}", mark(member))
    }

    fn member(at: usize, lower: Vec<Int>, upper: Vec<Int>) -> For {
        let body = vec![mark(at)];
        For { var: IntId(0), lower, upper, stride: None, order: Order::Parallel, body }
    }

    #[test]
    fn cut_loops_meet_the_same_members_in_the_same_order_for_every_size() {
        let (n, k) = (|| Int::Size(SizeId(0)), || Int::Size(SizeId(1)));
        let zero = || vec![Int::Const(0)];
        let families = [
            vec![
                (vec![Int::Const(1)], vec![n()]),
                (zero(), vec![n()]),
                (zero(), vec![n().offset(-1)]),
            ],
            vec![(vec![Int::Const(3)], vec![n().offset(-2)]), (vec![Int::Const(1)], vec![n()])],
            vec![(vec![k()], vec![n()]), (zero(), vec![n()]), (zero(), vec![n().minus(k())])],
            vec![
                (vec![k(), Int::Const(2)], vec![n()]),
                (zero(), vec![n().plus(k())]),
                (zero(), vec![n(), k()]),
            ],
            vec![
                (zero(), vec![Int::Const(3)]),
                (vec![n()], vec![n().offset(3)]),
                (zero(), vec![n().offset(3)]),
            ],
        ];
        for family in families {
            let numbered = family.into_iter().enumerate();
            let loops: Vec<For> = numbered.map(|(at, (a, b))| member(at, a, b)).collect();
            let naturals = Naturals::of(&[]);
            let Some(whole) = Cut::of(&naturals, &loops) else { panic!("{loops:?}") };
            for sizes in (0..9).flat_map(|n| (0..9).map(move |k| [n, k])) {
                let wanted = plain(&loops, sizes);
                for segments in [whole.segments(), vec![whole.whole()]] {
                    let found = cut(&loops, &segments, sizes);
                    assert_eq!(found, wanted, "sizes {sizes:?}, {loops:?}");
                }
            }
        }
    }

    #[test]
    fn loops_that_are_far_apart_or_go_down_are_not_cut() {
        let n = || Int::Size(SizeId(0));
        let naturals = Naturals::of(&[]);
        let first = member(0, vec![Int::Const(0)], vec![Int::Const(3)]);
        let last = member(1, vec![n().offset(-3)], vec![n()]);
        assert!(Cut::of(&naturals, [&first, &last]).is_none());
        let mut down = member(2, vec![Int::Const(0)], vec![Int::Const(2)]);
        down.order = Order::Descending;
        assert!(Cut::of(&naturals, [&first, &down]).is_none());
    }
}
