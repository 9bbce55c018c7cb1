//! Variables of a loop's steps as entries of a buffer, so that the loop can be taken apart.
//!
//! `for any j { r = 0; for i { r += t[i, j] }; y[j] = r }` becomes `for any j { r[j] = 0 }`,
//! `for any j { for i { r[j] += t[i, j] } }` and `for any j { y[j] = r[j] }`; if nothing else touches `y` there, `r` is `y`.

use super::footprint::Footprint;
use super::fresh::Fresh;
use crate::loops::walk::{Rewrite, rebuild_int, rebuild_node, rebuild_real};
use crate::loops::{For, Int, Node, Place, Real, RealId};

/// The parts of the body of the innermost of some loops, each in the one before, whose steps are independent, with the
/// variables that several parts touch as entries of buffers; a part that only stored such a variable is empty then. `None`
/// if that cannot be done: for integers, for ranges other than `0 .. n` with a size `n`, and for buffers of more than
/// `most` axes.
pub(super) fn spread(
    fresh: &mut Fresh<'_>,
    loops: &[For],
    parts: &[Vec<Node>],
    most: usize,
) -> Option<Vec<Vec<Node>>> {
    let touched: Vec<Footprint> = parts.iter().map(|nodes| Footprint::of(nodes)).collect();
    let pairs = || {
        let each = touched.iter().enumerate();
        each.flat_map(|(at, one)| touched[..at].iter().map(move |other| (one, other)))
    };
    if pairs().any(|(one, other)| one.shares_ints(other)) {
        return None;
    }
    let mut vars: Vec<RealId> = pairs().flat_map(|(one, other)| one.shared_reals(other)).collect();
    vars.sort_unstable();
    vars.dedup();
    let (mut parts, mut entries) = (parts.to_vec(), Entries(Vec::new()));
    let steps: Vec<Int> = loops.iter().map(|header| Int::Var(header.var)).collect();
    for var in vars {
        if let Some((at, place)) = stored(&parts, &touched, var, &steps) {
            parts[at].clear();
            entries.0.push((var, place));
            continue;
        }
        let extents: Vec<Int> = loops.iter().map(range).collect::<Option<_>>()?;
        if extents.len() > most {
            return None;
        }
        let name = fresh.program().reals[var.index()].clone();
        let buffer = fresh.temporary(name, extents);
        entries.0.push((var, Place { buffer, indices: steps.clone() }));
    }
    Some(parts.iter().map(|nodes| entries.nodes(nodes)).collect())
}

/// The end of a loop from 0 to a size.
fn range(header: &For) -> Option<Int> {
    match (header.lower.as_slice(), header.upper.as_slice(), &header.stride) {
        ([Int::Const(0)], [end @ Int::Size(_)], None) => Some(end.clone()),
        _ => None,
    }
}

/// The part that only stores a variable to an entry of each step, in a buffer that no other part touches, and the entry.
fn stored(
    parts: &[Vec<Node>],
    touched: &[Footprint],
    var: RealId,
    steps: &[Int],
) -> Option<(usize, Place)> {
    parts.iter().enumerate().find_map(|(at, nodes)| {
        let mut nodes = nodes.iter().filter(|n| !matches!(n, Node::Note(_) | Node::Visit(_)));
        let (Some(Node::Store(place, Real::Var(value))), None) = (nodes.next(), nodes.next())
        else {
            return None;
        };
        let mut others = touched.iter().enumerate().filter(|(other, _)| *other != at);
        let alone = others.all(|(_, other)| !other.touches_buffer(place.buffer));
        let each = steps.iter().all(|step| place.indices.contains(step));
        (*value == var && alone && each).then(|| (at, place.clone()))
    })
}

/// Puts entries in the place of variables.
struct Entries(Vec<(RealId, Place)>);

impl Entries {
    fn place(&self, var: RealId) -> Option<Place> {
        self.0.iter().find(|(known, _)| *known == var).map(|(_, place)| place.clone())
    }
}

impl Rewrite for Entries {
    fn int(&mut self, e: &Int) -> Int {
        rebuild_int(self, e)
    }

    fn real(&mut self, e: &Real) -> Real {
        let Real::Var(var) = e else { return rebuild_real(self, e) };
        self.place(*var).map_or_else(|| e.clone(), |at| Real::Load(at.buffer, at.indices))
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        let rebuilt = rebuild_node(self, node);
        vec![match rebuilt {
            Node::Set(var, e) => match self.place(var) {
                Some(place) => Node::Store(place, e),
                None => Node::Set(var, e),
            },
            Node::Join(var, fold, e) => match self.place(var) {
                Some(place) => Node::Accumulate(place, fold, e),
                None => Node::Join(var, fold, e),
            },
            other @ (Node::Note(_)
            | Node::For(_)
            | Node::If(..)
            | Node::SetInt(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_)
            | Node::Check(..)) => other,
        }]
    }
}
