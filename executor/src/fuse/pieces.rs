//! A buffer that one loop reaches but for a few entries is cleared there alone.
//!
//! `for i in 0 .. n { b[i] = 0 }; for k in 0 .. n / 2 { b[2 * k] += x; b[2 * k + 1] += y }` becomes
//! `for i in 2 * (n / 2) .. n { b[i] = 0 }; for k in 0 .. n / 2 { b[2 * k] = 0; b[2 * k] += x; .. }`, so that the sums
//! begin with their first values and no pass through memory clears them. So do those that are added to under conditions, and along
//! several axes.

use super::clears::{cleared, nest};
use super::ends::{is_size, strongest};
use super::facts::Facts;
use super::footprint::factor_of;
use super::sites::{Kind, Site, lists, sites};
use crate::loops::{BufferId, CmpOp, Fold, For, Int, IntId, LoopProgram, Node, Order, Place, Real};

/// At most this many entries are left at each end.
const FEW: i64 = 8;

/// Clears entries where they are added to first.
pub(super) fn clear_in_steps(program: &mut LoopProgram) {
    let mut at = 0;
    while at < program.body.len() {
        if let Some(buffer) = cleared(program, at)
            && let Some(reached) = Reached::of(program, buffer)
        {
            let clears: Vec<Node> = reached.clears(buffer).collect();
            reached.list(&mut program.body).splice(0..0, clears);
            let rest = reached.rest(program, buffer);
            let count = rest.len();
            program.body.splice(at..=at, rest);
            at += count;
        } else {
            at += 1;
        }
    }
}

/// What one loop reaches of a buffer.
struct Reached {
    /// Where its steps stand.
    path: Vec<usize>,
    /// The entries of a step.
    entries: Vec<Vec<Int>>,
    /// The axes of which it does not reach all.
    parts: Vec<Part>,
}

/// A part of an axis.
struct Part {
    axis: usize,
    start: Int,
    end: Int,
    extent: Int,
}

impl Reached {
    /// `None` unless the next loop that touches the buffer adds, in each step, to entries that no other step touches, and reaches
    /// all entries but a few at the ends of some axes.
    fn of(program: &LoopProgram, buffer: BufferId) -> Option<Self> {
        let by_buffer = sites(&program.body);
        let (_, sites) = by_buffer[&buffer].split_first()?;
        let next = sites.first()?;
        let group: Vec<&Site> = sites.iter().filter(|site| site.path[0] == next.path[0]).collect();
        let around = lists(&program.body, &next.path);
        let is_loop = |(list, place): &(&[Node], usize)| matches!(list[*place], Node::For(_));
        let list = &next.path[..=around.iter().rposition(is_loop)?];
        let mut entries: Vec<Vec<Int>> = Vec::new();
        for site in &group {
            let begins = site.kind == Kind::Accumulate(Fold::Sum);
            if !site.path.starts_with(list) || site.loops != next.loops {
                return None;
            }
            if !entries.contains(&site.indices) {
                entries.push(begins.then(|| site.indices.clone())?);
            }
        }
        let around = lists(&program.body, list);
        let headers = around.iter().map(|(list, place)| {
            if let Node::For(header) = &list[*place] { Some(&**header) } else { None }
        });
        let headers = headers.collect::<Option<Vec<&For>>>()?;
        let extents = &program.buffer(buffer).extents;
        let step = |axis: usize| {
            let is_its = |h: &&&For| factor_of(&entries[0][axis], h.var) > 0;
            headers.iter().find(is_its).map(|header| header.var)
        };
        let mut steps = (0..extents.len()).map(step).collect::<Option<Vec<IntId>>>()?;
        steps.sort_unstable();
        steps.dedup();
        let partial =
            |axis: &usize| !headers.iter().any(|h| is_full(h, &entries, *axis, &extents[*axis]));
        let axes = (0..extents.len()).filter(partial);
        let parts = axes.map(|axis| Part::of(&headers, &entries, axis, &extents[axis]));
        let parts: Vec<(Part, i64)> = parts.collect::<Option<_>>()?;
        // every combination of residues is an entry
        let all = parts.iter().map(|(_, factor)| factor).product::<i64>() == entries.len() as i64;
        // each axis has a loop of its own
        let apart = steps.len() == extents.len() && headers.len() == extents.len();
        if parts.is_empty() || !apart || !all {
            return None;
        }
        let parts = parts.into_iter().map(|(part, _)| part).collect();
        Some(Self { path: list.to_vec(), entries, parts })
    }

    /// The list of a step.
    fn list<'n>(&self, body: &'n mut Vec<Node>) -> &'n mut Vec<Node> {
        self.path.iter().fold(body, |list, at| {
            let Node::For(header) = &mut list[*at] else { unreachable!("only loops stand around") };
            &mut header.body
        })
    }

    /// What clears the entries of a step.
    fn clears(&self, buffer: BufferId) -> impl Iterator<Item = Node> + use<'_> {
        self.entries.iter().map(move |indices| {
            Node::Store(Place { buffer, indices: indices.clone() }, Real::Const(0.0))
        })
    }

    /// Loops that clear what is not reached.
    fn rest(&self, program: &mut LoopProgram, buffer: BufferId) -> Vec<Node> {
        self.parts.iter().flat_map(|part| part.rest(program, buffer)).collect()
    }
}

impl Part {
    /// The part of an axis that a nest reaches, with the factor of its step; `None` if it is not all but a few entries at the
    /// ends, or more than there are.
    fn of(
        headers: &[&For],
        entries: &[Vec<Int>],
        axis: usize,
        extent: &Int,
    ) -> Option<(Self, i64)> {
        let header = headers.iter().find(|header| factor_of(&entries[0][axis], header.var) > 0)?;
        let ([lower], [upper]) = (header.lower.as_slice(), header.upper.as_slice()) else {
            return None;
        };
        let (factor, first) = residues(entries, axis, header.var)?;
        let place = |step: &Int| step.clone().times(factor).offset(first);
        let (start, end, extent) = (place(lower), place(upper), extent.clone());
        let mut facts = Facts::default();
        let few = header.stride.is_none()
            && is_size(lower)
            && is_size(upper)
            // a condition around what is added may be what keeps it in its buffer
            && facts.prove(CmpOp::Ge, &start, &Int::Const(0))
            && facts.prove(CmpOp::Le, &end, &extent)
            && facts.prove(CmpOp::Le, &start, &Int::Const(FEW))
            && facts.prove(CmpOp::Ge, &end, &extent.clone().offset(-FEW));
        few.then_some((Self { axis, start, end, extent }, factor))
    }

    fn rest(&self, program: &mut LoopProgram, buffer: BufferId) -> Vec<Node> {
        let Self { axis, start, end, extent } = self;
        let mut pieces = vec![
            (vec![Int::Const(0)], vec![start.clone(), extent.clone()]),
            (vec![end.clone(), start.clone()], vec![extent.clone()]),
        ];
        pieces.retain(|(lower, upper)| !upper.iter().any(|end| lower.contains(end)));
        let mut facts = Facts::default();
        let loops = pieces.into_iter().map(|(lower, upper)| {
            let lower = strongest(lower.iter(), |a, b| facts.prove(CmpOp::Ge, a, b));
            let upper = strongest(upper.iter(), |a, b| facts.prove(CmpOp::Le, a, b));
            let mut node = nest(program, buffer);
            let mut list = std::slice::from_mut(&mut node);
            for depth in 0..=*axis {
                let [Node::For(header)] = list else {
                    unreachable!("a nest has a loop for each axis")
                };
                if depth == *axis {
                    (header.lower, header.upper) = (lower, upper);
                    break;
                }
                list = &mut header.body;
            }
            node
        });
        loops.collect()
    }
}

/// Whether a loop has all of an axis as its steps.
fn is_full(header: &For, entries: &[Vec<Int>], axis: usize, extent: &Int) -> bool {
    header.stride.is_none()
        && header.order != Order::Descending
        && header.lower == [Int::Const(0)]
        && header.upper == [extent.clone()]
        && entries.iter().all(|indices| indices[axis] == Int::Var(header.var))
}

/// `(m, r)` if the entries are at `m * i + r`, .., `m * i + r + m - 1` of an axis.
fn residues(entries: &[Vec<Int>], axis: usize, var: IntId) -> Option<(i64, i64)> {
    let factor = factor_of(&entries[0][axis], var);
    let residue =
        |indices: &Vec<Int>| indices[axis].clone().minus(Int::Var(var).times(factor)).as_const();
    let mut found = entries.iter().map(residue).collect::<Option<Vec<i64>>>()?;
    found.sort_unstable();
    found.dedup();
    let first = *found.first()?;
    let all = found.len() as i64 == factor && found.iter().zip(first..).all(|(a, b)| *a == b);
    all.then_some((factor, first))
}
