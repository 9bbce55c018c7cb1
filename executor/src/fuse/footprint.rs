//! What nodes touch, and which of them may change places.

use super::ends::{is_beside, is_from, is_up_to, of_sizes};
use super::sites::differ;
use crate::loops::walk::Visit;
use crate::loops::{BufferId, Cond, Int, IntId, Node, RealId, RelationTable};
use rustc_hash::FxHashMap;

/// A relation, by its place, with the axis of each of its coordinates.
type Tuple = (usize, Vec<usize>);

/// What a node touches.
#[derive(Clone, Default)]
pub(super) struct Footprint {
    /// Entries, and whether they are written.
    buffers: FxHashMap<BufferId, Vec<(Vec<Int>, bool)>>,
    ints_read: Vec<IntId>,
    ints_set: Vec<IntId>,
    reals_read: Vec<RealId>,
    reals_set: Vec<RealId>,
    /// What integer variables are set to, where they are set once.
    values: FxHashMap<IntId, Option<Int>>,
    /// The lower and the upper ends that all loops over a variable have.
    ends: FxHashMap<IntId, (Vec<Int>, Vec<Int>)>,
    checks: bool,
    /// The loop around whose steps are meant, if those of several are.
    around: Option<IntId>,
}

impl Footprint {
    /// Of nodes that run one after the other.
    pub(super) fn of(nodes: &[Node]) -> Self {
        let mut footprint = Self::default();
        nodes.iter().for_each(|node| footprint.node(node));
        footprint
    }

    /// Of a node in the body of a loop over `var`, in all its steps.
    pub(super) fn of_steps(node: &Node, var: IntId) -> Self {
        Self { around: Some(var), ..Self::of(std::slice::from_ref(node)) }
    }

    /// Of nothing in the body of a loop over `var`, in all its steps.
    pub(super) fn in_steps(var: IntId) -> Self {
        Self { around: Some(var), ..Self::default() }
    }

    fn add(&mut self, buffer: BufferId, indices: &[Int], writes: bool) {
        let entries = self.buffers.entry(buffer).or_default();
        if !entries.iter().any(|(known, wrote)| known == indices && *wrote == writes) {
            entries.push((indices.to_vec(), writes));
        }
    }

    /// Notes the ends of a loop.
    fn note_ends(&mut self, var: IntId, lower: &[Int], upper: &[Int]) {
        let known = self.ends.entry(var).or_insert_with(|| (lower.to_vec(), upper.to_vec()));
        known.0.retain(|end| lower.contains(end));
        known.1.retain(|end| upper.contains(end));
    }

    /// Adds what other nodes touch.
    pub(super) fn absorb(&mut self, other: Self) {
        for (buffer, entries) in other.buffers {
            entries.iter().for_each(|(indices, writes)| self.add(buffer, indices, *writes));
        }
        self.ints_read.extend(other.ints_read);
        self.ints_set.extend(other.ints_set);
        self.reals_read.extend(other.reals_read);
        self.reals_set.extend(other.reals_set);
        for (var, value) in other.values {
            let known = self.values.entry(var).or_insert_with(|| value.clone());
            if *known != value {
                *known = None;
            }
        }
        for (var, (lower, upper)) in other.ends {
            self.note_ends(var, &lower, &upper);
        }
        self.checks |= other.checks;
    }

    /// An index, or what the variable that it is was set to.
    fn resolved<'e>(&'e self, index: &'e Int) -> &'e Int {
        let Int::Var(var) = index else { return index };
        self.values.get(var).and_then(Option::as_ref).unwrap_or(index)
    }

    /// The relation of which indices are a tuple, that of the step of a loop over `var`, with the axis of
    /// each of its places. Tuples are distinct: another step has other indices.
    fn tuple(&self, relations: &[RelationTable], indices: &[Int], var: IntId) -> Option<Tuple> {
        let step = [Int::Var(var)];
        let axis = |coordinates: &BufferId| {
            indices.iter().position(|index| {
                matches!(self.resolved(index), Int::Load(of, at) if of == coordinates && *at == step)
            })
        };
        relations.iter().enumerate().find_map(|(place, relation)| {
            let axes = relation.coordinates.iter().map(axis).collect::<Option<Vec<usize>>>()?;
            (!axes.is_empty()).then_some((place, axes))
        })
    }

    /// Whether an entry of a buffer is read or written.
    pub(super) fn touches_buffer(&self, buffer: BufferId) -> bool {
        self.buffers.contains_key(&buffer)
    }

    /// Whether a real variable is read or set.
    pub(super) fn touches_real(&self, var: RealId) -> bool {
        self.reals_read.contains(&var) || self.reals_set.contains(&var)
    }

    /// Whether a loop over `a` and a loop over `b` touch entries of one buffer that move with their
    /// variables.
    pub(super) fn meets(&self, a: IntId, other: &Self, b: IntId) -> bool {
        let moves = |entries: &[(Vec<Int>, bool)], var| {
            entries.iter().any(|(indices, _)| indices.iter().any(|index| mentions(index, var)))
        };
        self.buffers.iter().any(|(buffer, mine)| {
            other.buffers.get(buffer).is_some_and(|theirs| moves(mine, a) && moves(theirs, b))
        })
    }

    /// Whether a loop over `b` reads what a loop over `a` writes, at the same step of both, in one of some buffers.
    pub(super) fn hands_on(
        &self,
        a: IntId,
        other: &Self,
        b: IntId,
        buffers: impl Fn(BufferId) -> bool,
    ) -> bool {
        let same = |(x, wrote): &(Vec<Int>, bool), (y, writes): &(Vec<Int>, bool)| {
            let mut places = x.iter().zip(y);
            *wrote && !*writes && places.any(|(x, y)| *x == Int::Var(a) && *y == Int::Var(b))
        };
        self.buffers.iter().any(|(buffer, mine)| {
            buffers(*buffer)
                && other
                    .buffers
                    .get(buffer)
                    .is_some_and(|theirs| mine.iter().any(|x| theirs.iter().any(|y| same(x, y))))
        })
    }

    /// Whether one sets a variable that the other touches.
    fn shares_variables(&self, other: &Self) -> bool {
        self.shares_ints(other) || self.shared_reals(other).next().is_some()
    }

    /// Whether one sets an integer variable that the other touches.
    pub(super) fn shares_ints(&self, other: &Self) -> bool {
        let ints = |a: &Self, b: &Self| {
            a.ints_set.iter().any(|v| b.ints_set.contains(v) || b.ints_read.contains(v))
        };
        ints(self, other) || ints(other, self)
    }

    /// The real variables that one sets and the other touches, each time.
    pub(super) fn shared_reals<'f>(&'f self, other: &'f Self) -> impl Iterator<Item = RealId> + 'f {
        let mine = self.reals_set.iter().filter(|var| other.touches_real(**var));
        mine.chain(other.reals_set.iter().filter(|var| self.touches_real(**var))).copied()
    }

    /// Whether a condition is as it was after what is touched.
    pub(super) fn keeps(&self, cond: &Cond) -> bool {
        let mut read = Self::default();
        read.cond(cond);
        self.commutes(&read)
    }

    /// Whether the two may be exchanged.
    pub(super) fn commutes(&self, other: &Self) -> bool {
        !self.checks && !other.checks && self.is_apart(other)
    }

    /// Whether neither touches what the other one writes.
    pub(super) fn is_apart(&self, other: &Self) -> bool {
        let writes = |entries: &[(Vec<Int>, bool)]| entries.iter().any(|(_, wrote)| *wrote);
        let apart = self.buffers.iter().all(|(buffer, mine)| {
            other.buffers.get(buffer).is_none_or(|theirs| {
                !writes(mine) && !writes(theirs)
                    || mine
                        .iter()
                        .all(|(a, _)| theirs.iter().all(|(b, _)| self.differ(other, a, b)))
            })
        });
        apart && !self.shares_variables(other)
    }

    /// Whether two entries are never the same: at some axis they differ by a constant or one is in a loop that does not reach the other, whatever
    /// both footprints set, in whichever steps of the loop around.
    fn differ(&self, other: &Self, a: &[Int], b: &[Int]) -> bool {
        let still = |e: &Int| {
            let moves =
                |of: &Self, var: &IntId| of.ints_set.contains(var) || of.around == Some(*var);
            let set = |var: &IntId| moves(self, var) || moves(other, var);
            let mut read = Self::default();
            read.int(e);
            !read.ints_read.iter().any(set)
        };
        let one = std::slice::from_ref;
        let beside = |of: &Self, e: &Int, point: &Int| {
            let ends = of.ends_of(e);
            ends.is_some_and(|(lower, upper)| is_beside(lower, upper, point)) && still(point)
        };
        a.iter().zip(b).any(|(a, b)| {
            differ(one(a), one(b)) && still(a) && still(b)
                || beside(self, a, b)
                || beside(other, b, a)
        })
    }

    /// Whether what a loop over `a` writes and a loop over `b` touches, or the other way round, is
    /// at the same step of both: at some axis, both index with their variable or the same multiple, or the indices are the
    /// tuple of a relation at the step; or at different entries.
    pub(super) fn is_aligned(
        &self,
        relations: &[RelationTable],
        a: IntId,
        other: &Self,
        b: IntId,
    ) -> bool {
        !self.checks && !other.checks && self.keeps_steps(relations, a, other, b)
    }

    /// The same, whatever ends the run.
    pub(super) fn keeps_steps(
        &self,
        relations: &[RelationTable],
        a: IntId,
        other: &Self,
        b: IntId,
    ) -> bool {
        !self.shares_variables(other) && self.keeps_entries(relations, a, other, b)
    }

    /// The same of entries, variables apart.
    pub(super) fn keeps_entries(
        &self,
        relations: &[RelationTable],
        a: IntId,
        other: &Self,
        b: IntId,
    ) -> bool {
        self.keeps_order((relations, a), (other, b), |_, _| false)
    }

    /// Whether loops may run as one that ascends: what a loop over `a` writes and a loop over `b` touches, or the other
    /// way round, is at the same step of both or at a later step of the second one.
    pub(super) fn comes_before(
        &self,
        relations: &[RelationTable],
        a: IntId,
        other: &Self,
        b: IntId,
    ) -> bool {
        let (first, second) = (Int::Var(a), Int::Var(b));
        let later = |x: &Int, y: &Int| {
            *y == second && self.ends_of(x).is_some_and(|(lower, _)| is_from(lower, &first))
                || *x == first
                    && other.ends_of(y).is_some_and(|(_, upper)| is_up_to(upper, &second))
        };
        !self.checks
            && !other.checks
            && !self.shares_variables(other)
            && self.keeps_order((relations, a), (other, b), later)
    }

    /// Whether entries that a loop over `a` and a loop over `b` touch, of which one is written, are touched at the same step of both, or
    /// have indices at an axis that are in order.
    fn keeps_order(
        &self,
        (relations, a): (&[RelationTable], IntId),
        (other, b): (&Self, IntId),
        in_order: impl Fn(&Int, &Int) -> bool,
    ) -> bool {
        let holds = |x: &[Int], y: &[Int]| {
            let tuple = || self.tuple(relations, x, a);
            x.iter().zip(y).any(|(x, y)| is_one_step(x, a, y, b) || in_order(x, y))
                || self.differ(other, x, y)
                || tuple().is_some_and(|tuple| other.tuple(relations, y, b) == Some(tuple))
        };
        self.buffers.iter().all(|(buffer, accesses)| {
            other.buffers.get(buffer).into_iter().flatten().all(|(later, writes)| {
                accesses
                    .iter()
                    .all(|(earlier, wrote)| !(*writes || *wrote) || holds(earlier, later))
            })
        })
    }

    /// The ends of the loops over a variable, if an integer is one.
    fn ends_of(&self, e: &Int) -> Option<&(Vec<Int>, Vec<Int>)> {
        if let Int::Var(var) = e { self.ends.get(var) } else { None }
    }
}

impl Visit for Footprint {
    fn load(&mut self, buffer: BufferId, indices: &[Int]) {
        self.add(buffer, indices, false);
    }

    fn int_var(&mut self, var: IntId) {
        self.ints_read.push(var);
    }

    fn real_var(&mut self, var: RealId) {
        self.reals_read.push(var);
    }

    fn int(&mut self, e: &Int) {
        // Rounding down may stop the run: its place among the checks counts.
        self.checks |= matches!(e, Int::Floor(_));
        crate::loops::walk::walk_int(self, e);
    }

    fn enter(&mut self, node: &Node) {
        match node {
            Node::For(header) => {
                self.ints_set.push(header.var);
                self.note_ends(header.var, &header.lower, &header.upper);
            }
            Node::SetInt(var, e) => {
                self.ints_set.push(*var);
                self.note_ends(*var, &[], &[]);
                let known = self.values.entry(*var).or_insert_with(|| Some(e.clone()));
                if known.as_ref() != Some(e) {
                    *known = None;
                }
            }
            Node::Set(var, _) | Node::Join(var, ..) => self.reals_set.push(*var),
            Node::Store(place, _) | Node::StoreInt(place, _) => {
                self.add(place.buffer, &place.indices, true);
            }
            Node::Accumulate(place, ..) | Node::AddInt(place, _) => {
                self.add(place.buffer, &place.indices, true);
            }
            Node::Check(..) => self.checks = true,
            Node::Note(_) | Node::If(..) | Node::Visit(_) => {}
        }
    }
}

/// Whether two indices are equal at one step of both loops at most: the variables, or multiples of them that differ
/// by less than the factor.
pub(crate) fn is_one_step(x: &Int, a: IntId, y: &Int, b: IntId) -> bool {
    let factor = factor_of(x, a);
    let (x, y) = (x.clone(), y.clone());
    let difference = || {
        let (x, y) = (x.minus(Int::Var(a).times(factor)), y.minus(Int::Var(b).times(factor)));
        let still = of_sizes(&x) && of_sizes(&y);
        x.minus(y).as_const().filter(|_| still)
    };
    factor > 0 && difference().is_some_and(|n| n.abs() < factor)
}

/// The factor of a variable in a sum.
pub(super) fn factor_of(e: &Int, var: IntId) -> i64 {
    let var = Int::Var(var);
    if let Int::Sum(terms, _) = e {
        return terms.iter().find(|(_, term)| *term == var).map_or(0, |(factor, _)| *factor);
    }
    i64::from(*e == var)
}

/// Whether a variable is read in an integer.
fn mentions(e: &Int, var: IntId) -> bool {
    let mut footprint = Footprint::default();
    footprint.int(e);
    footprint.ints_read.contains(&var)
}
