//! Whether iterations may run at once, in lanes.

use crate::fuse::footprint::is_one_step;
use crate::fuse::tuples::Tuples;
use crate::loops::walk::Visit;
use crate::loops::{BufferId, Fold, For, Int, IntId, Node};

/// Whether no lane touches what another one writes, but by sums: the entries of two lanes differ at an axis that moves
/// with the loop, also as multiples of its variable and less than the factor, or are named by the tuples that it walks.
pub(super) fn independent(header: &For, tuples: &Tuples) -> bool {
    let mut accesses = Accesses::default();
    header.body.iter().for_each(|node| accesses.node(node));
    let own = Int::Var(header.var);
    let fixed = |e: &Int| {
        let unset = |var: &IntId| !accesses.set.contains(var);
        matches!(e, Int::Size(_) | Int::Const(_)) || matches!(e, Int::Var(var) if unset(var))
    };
    let moves = |e: &Int| {
        let Int::Sum(terms, _) = e else { return *e == own };
        terms.iter().any(|(_, e)| *e == own) && terms.iter().all(|(_, e)| fixed(e))
    };
    accesses.writes.iter().enumerate().all(|(at, (buffer, indices, join))| {
        let same_lane = |other: &[Int]| {
            let common = indices.iter().zip(other).filter(|(a, b)| a == b).map(|(a, _)| a);
            let mut pairs = indices.iter().zip(other);
            common.clone().any(moves)
                || tuples.tell_apart(common, header.var)
                || pairs.any(|(a, b)| is_one_step(a, header.var, b, header.var))
        };
        let joined = join.is_some();
        let mut loads = accesses.loads.iter().filter(|(of, _)| of == buffer);
        let mut others = accesses.writes[..at].iter().filter(|(of, ..)| of == buffer);
        loads.all(|(_, other)| same_lane(other))
            && others.all(|(_, other, also)| joined && also == join || same_lane(other))
            && (joined || same_lane(indices))
    })
}

#[derive(Default)]
struct Accesses {
    loads: Vec<(BufferId, Vec<Int>)>,
    /// Entries written, and how values are joined to them if they are.
    writes: Vec<(BufferId, Vec<Int>, Option<Fold>)>,
    /// What has other values inside.
    set: Vec<IntId>,
}

impl Visit for Accesses {
    fn load(&mut self, buffer: BufferId, indices: &[Int]) {
        self.loads.push((buffer, indices.to_vec()));
    }

    fn enter(&mut self, node: &Node) {
        let mut write = |buffer: BufferId, indices: &[Int], join| {
            self.writes.push((buffer, indices.to_vec(), join));
        };
        match node {
            Node::Store(place, _) | Node::StoreInt(place, _) => {
                write(place.buffer, &place.indices, None);
            }
            Node::Accumulate(place, fold, _) => write(place.buffer, &place.indices, Some(*fold)),
            Node::AddInt(place, _) => write(place.buffer, &place.indices, Some(Fold::Sum)),
            Node::SetInt(var, _) => self.set.push(*var),
            Node::For(header) => self.set.push(header.var),
            Node::Note(_)
            | Node::If(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Visit(_)
            | Node::Check(..) => {}
        }
    }
}
