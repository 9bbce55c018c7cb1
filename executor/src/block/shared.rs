//! Whether iterations of a loop may be shared by threads.

use crate::fuse::tuples::Tuples;
use crate::loops::walk::{Visit, walk_node};
use crate::loops::{BufferId, Fold, For, Int, IntId, LoopProgram, Node, Order, RealId};

/// How the iterations of a loop are independent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sharing {
    /// The sums that leave the loop.
    pub(crate) sums: Vec<(RealId, Fold)>,
    /// An integer input `p` where steps with the same `p[e]` touch the same entries: so the loop may be cut where `p`
    /// changes, if it ascends. There are no sums then.
    pub(crate) key: Option<BufferId>,
}

/// How the iterations of a loop are independent, if they are.
///
/// Two steps touch distinct entries where the loop's variable is an index, or where the tuples that it walks name them.
pub(crate) fn shared(header: &For, tuples: &Tuples) -> Option<Sharing> {
    if header.order == Order::Descending {
        return None;
    }
    let touched = Touched::of(header);
    let own = Int::Var(header.var);
    let mut keys: Vec<BufferId> = Vec::new();
    let apart = touched.writes.iter().all(|(buffer, indices)| {
        let mut same = |other: &[Int]| {
            let mut common = indices.iter().zip(other).filter(|(a, b)| a == b).map(|(a, _)| a);
            if common.clone().any(|e| *e == own) || tuples.tell_apart(common.clone(), header.var) {
                return true;
            }
            let key = common.find_map(|e| tuples.entry_at(e, header.var));
            keys.extend(key);
            key.is_some()
        };
        // the writes are those of this one too
        touched.loads.iter().filter(|(of, _)| of == buffer).all(|(_, other)| same(other))
            && touched.writes.iter().filter(|(of, _)| of == buffer).all(|(_, other)| same(other))
    });
    let sums = if apart && !touched.carries() { touched.free_sums()? } else { return None };
    keys.dedup();
    let plain = header.order == Order::Ascending && header.stride.is_none() && sums.is_empty();
    match *keys {
        [] => Some(Sharing { sums, key: None }),
        [key] if plain => Some(Sharing { sums, key: Some(key) }),
        _ => None,
    }
}

/// The inputs that must ascend where loops of a program are to be shared.
pub(crate) fn keys(program: &LoopProgram) -> Vec<BufferId> {
    struct Keys(Tuples, Vec<BufferId>);
    impl Visit for Keys {
        fn enter(&mut self, node: &Node) {
            if let Node::For(header) = node {
                self.1.extend(shared(header, &self.0).and_then(|sharing| sharing.key));
            }
        }
    }
    let mut keys = Keys(Tuples::of(program), Vec::new());
    program.body.iter().for_each(|node| keys.node(node));
    keys.1.sort_unstable();
    keys.1.dedup();
    keys.1
}

/// What a loop touches.
#[derive(Default)]
pub(super) struct Touched {
    loads: Vec<(BufferId, Vec<Int>)>,
    writes: Vec<(BufferId, Vec<Int>)>,
    joins: Vec<(RealId, Fold)>,
    set: Vec<RealId>,
    read: Vec<RealId>,
    ints_set: Vec<IntId>,
    /// The variables that are set where the walk is, whatever the conditions are.
    certain: (Vec<RealId>, Vec<IntId>),
    /// Those read where they are not.
    uncertain: (Vec<RealId>, Vec<IntId>),
}

impl Touched {
    /// What the iterations of a loop touch.
    pub(super) fn of(header: &For) -> Self {
        let mut touched = Self::default();
        header.body.iter().for_each(|node| touched.node(node));
        touched
    }

    /// The variables that values are joined to and that are not set inside, in order; `None` if one is read
    /// or joined to in two ways.
    pub(super) fn free_sums(&self) -> Option<Vec<(RealId, Fold)>> {
        let mut sums: Vec<(RealId, Fold)> =
            self.joins.iter().filter(|(var, _)| !self.set.contains(var)).copied().collect();
        sums.sort_by_key(|(var, _)| *var);
        sums.dedup();
        let read = sums.iter().any(|(var, _)| self.read.contains(var));
        let one_fold = sums.windows(2).all(|pair| pair[0].0 != pair[1].0);
        (!read && one_fold).then_some(sums)
    }

    /// Whether a variable may have its value from the step before.
    pub(super) fn carries(&self) -> bool {
        self.uncertain.0.iter().any(|var| self.set.contains(var))
            || self.uncertain.1.iter().any(|var| self.ints_set.contains(var))
    }
}

impl Visit for Touched {
    fn load(&mut self, buffer: BufferId, indices: &[Int]) {
        self.loads.push((buffer, indices.to_vec()));
    }

    fn real_var(&mut self, var: RealId) {
        self.read.push(var);
        if !self.certain.0.contains(&var) {
            self.uncertain.0.push(var);
        }
    }

    fn int_var(&mut self, var: IntId) {
        if !self.certain.1.contains(&var) {
            self.uncertain.1.push(var);
        }
    }

    fn node(&mut self, node: &Node) {
        let certain = (self.certain.0.len(), self.certain.1.len());
        if let Node::For(header) = node {
            self.certain.1.push(header.var);
        }
        walk_node(self, node);
        self.certain.0.truncate(certain.0);
        self.certain.1.truncate(certain.1);
        match node {
            Node::Store(place, _)
            | Node::Accumulate(place, ..)
            | Node::StoreInt(place, _)
            | Node::AddInt(place, _) => self.writes.push((place.buffer, place.indices.clone())),
            Node::Join(var, fold, _) => {
                self.joins.push((*var, *fold));
                if !self.certain.0.contains(var) {
                    self.uncertain.0.push(*var);
                }
            }
            Node::Set(var, _) => {
                self.set.push(*var);
                self.certain.0.push(*var);
            }
            Node::SetInt(var, _) => {
                self.ints_set.push(*var);
                self.certain.1.push(*var);
            }
            Node::Note(_) | Node::For(_) | Node::If(..) | Node::Visit(_) | Node::Check(..) => {}
        }
    }
}
