//! Whether iterations of a loop may be shared by threads.

use super::searches::{Search, taken_out};
use crate::fuse::footprint::is_one_step;
use crate::fuse::tuples::Tuples;
use crate::loops::walk::{Visit, walk_node};
use crate::loops::window::windows;
use crate::loops::{BufferId, Fold, For, Int, IntId, Node, Order, Place, Real, RealId};
use crate::runner::{Vars, join};
use crate::scalar::Scalar;
use crate::tile::mentions_any;

/// How the iterations of a loop are independent.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Sharing {
    /// The sums that leave the loop.
    pub(crate) sums: Vec<(RealId, Fold)>,
    /// The searches that leave it; then its iterations are independent but for these and sums.
    pub(crate) searches: Vec<Search>,
    /// An integer input `p` where steps with the same `p[e]` touch the same entries: so the loop may be cut where `p`
    /// changes, if it ascends. There are no sums then.
    pub(crate) key: Option<BufferId>,
    /// The buffers of sums whose entries several steps may add to, if nothing else touches these: the loop may be cut if each
    /// part has copies of its own ([`crate::private`]).
    pub(crate) private: Vec<(BufferId, Fold)>,
    /// The buffers that each iteration has for itself: a thread needs memory of its own for them.
    pub(crate) locals: Vec<BufferId>,
}

impl Sharing {
    /// Of iterations that are independent, sums in variables apart.
    pub(crate) fn plain(sums: Vec<(RealId, Fold)>) -> Self {
        let (searches, private, locals) = (Vec::new(), Vec::new(), Vec::new());
        Self { sums, searches, key: None, private, locals }
    }

    /// Whether the iterations are independent, sums and searches in variables apart, whatever the data are.
    pub(crate) fn is_plain(&self) -> bool {
        self.key.is_none() && self.private.is_empty()
    }

    /// Whether a part leaves something in variables.
    pub(crate) fn leaves(&self) -> bool {
        !self.sums.is_empty() || !self.searches.is_empty()
    }

    /// Has a part begin with empty sums; and with what searches have found before.
    pub(crate) fn begin<S: Scalar>(&self, vars: &mut Vars<S>) {
        for (var, fold) in &self.sums {
            vars.reals[var.index()] = S::of(fold.empty());
        }
    }

    /// Joins what a part has left to what those before it have.
    pub(crate) fn join<S: Scalar>(&self, kept: &mut Vars<S>, part: &Vars<S>, sizes: &[i64]) {
        for (var, fold) in &self.sums {
            let total = &mut kept.reals[var.index()];
            *total = join(*fold, *total, part.reals[var.index()]);
        }
        self.searches.iter().for_each(|search| search.join(kept, part, sizes));
    }

    /// Whether parts may begin beside each other: each search has found something.
    pub(crate) fn has_found<S>(&self, vars: &Vars<S>, sizes: &[i64]) -> bool {
        self.searches.iter().all(|search| search.has_found(vars, sizes))
    }
}

/// How the iterations of a loop are independent, if they are.
///
/// Two steps touch distinct entries where the loop's variable, or a multiple of it and less than the factor, or the variable of a
/// loop over its window, is an index, or where the tuples that it walks name them; and what is local to a step.
pub(crate) fn shared(header: &For, tuples: &Tuples) -> Option<Sharing> {
    shared_as(header, tuples, &Touched::of(header))
}

/// As [`shared`], for threads: searches may leave the loop too, and iterations in any order are independent as they are.
pub(crate) fn shared_by_threads(header: &For, tuples: &Tuples) -> Option<Sharing> {
    let mut touched = Touched::of(header);
    let searches = if touched.carries() { touched.take_searches(header) } else { Vec::new() };
    let sharing = shared_as(header, tuples, &touched);
    if header.order == Order::Parallel && !sharing.as_ref().is_some_and(Sharing::is_plain) {
        let locals = touched.locals(header.var, tuples);
        return Some(Sharing { locals, ..Sharing::plain(Vec::new()) });
    }
    let sharing = sharing?;
    (searches.is_empty() || sharing.is_plain()).then_some(Sharing { searches, ..sharing })
}

fn shared_as(header: &For, tuples: &Tuples, touched: &Touched) -> Option<Sharing> {
    if header.order == Order::Descending {
        return None;
    }
    let locals = touched.locals(header.var, tuples);
    let sums = if touched.carries() { return None } else { touched.free_sums()? };
    let Common { mut keys, mut keyed, clashing } = Common::of(header, touched, tuples);
    keys.sort_unstable();
    keys.dedup();
    let uncut = header.order == Order::Ascending && header.stride.is_none() && sums.is_empty();
    let key = match *keys {
        [key] if uncut && clashing.is_empty() => Some(key),
        _ => None,
    };
    keyed.extend(clashing);
    keyed.sort_unstable();
    keyed.dedup();
    let private: Option<Vec<(BufferId, Fold)>> =
        keyed.iter().map(|buffer| Some((*buffer, touched.only_fold(*buffer)?))).collect();
    let plain = Sharing { key, locals, ..Sharing::plain(sums) };
    match private {
        Some(private) => Some(Sharing { private, ..plain }),
        None => key.is_some().then_some(plain),
    }
}

/// Whether a step of a loop may need a variable, other than a sum, from the step before.
pub(crate) fn carries(header: &For) -> bool {
    Touched::of(header).carries()
}

/// The buffers that each iteration of a loop has for itself.
pub(super) fn locals(header: &For, tuples: &Tuples) -> Vec<BufferId> {
    Touched::of(header).locals(header.var, tuples)
}

/// The buffers in which two steps of a loop may touch one entry.
#[derive(Default)]
struct Common {
    /// Those in which they do so only where an input has the same entry at both, and these inputs.
    keyed: Vec<BufferId>,
    keys: Vec<BufferId>,
    /// The others.
    clashing: Vec<BufferId>,
}

impl Common {
    fn of(header: &For, touched: &Touched, tuples: &Tuples) -> Self {
        let var = header.var;
        let windows = windows(header);
        let of_window = |e: &Int| matches!(e, Int::Var(index) if windows.contains(index));
        let is_own = |e: &Int| match e {
            Int::Var(index) => *index == var,
            // row `var - start` of a local
            Int::Sum(terms, _) => {
                let fixed = |(_, term): &(i64, Int)| matches!(term, Int::Var(start) if !touched.inside.contains(start));
                terms.contains(&(1, Int::Var(var))) && terms.iter().all(fixed)
            }
            Int::Const(_)
            | Int::Size(_)
            | Int::Load(..)
            | Int::Product(_)
            | Int::Div(..)
            | Int::Mod(..)
            | Int::DivBy(_)
            | Int::Floor(_)
            | Int::Select(_) => false,
        };
        let mut common = Self::default();
        for (buffer, indices, _) in &touched.writes {
            if tuples.is_local(*buffer, indices, var) {
                continue;
            }
            let loads = touched.loads.iter().filter(|(of, _)| of == buffer).map(|(_, other)| other);
            let writes = touched.writes.iter().filter(|(of, ..)| of == buffer);
            // the writes are those of this one too
            for other in loads.chain(writes.map(|(_, other, _)| other)) {
                let own = |(a, b): (&Int, &Int)| {
                    of_window(a) && of_window(b) || is_one_step(a, var, b, var)
                };
                if indices.iter().zip(other).any(own) {
                    continue;
                }
                let mut same = indices.iter().zip(other).filter(|(a, b)| a == b).map(|(a, _)| a);
                if same.clone().any(is_own) || tuples.tell_apart(same.clone(), var) {
                    continue;
                }
                match same.find_map(|e| tuples.entry_at(e, var)) {
                    Some(key) => {
                        common.keys.push(key);
                        common.keyed.push(*buffer);
                    }
                    None => common.clashing.push(*buffer),
                }
            }
        }
        common
    }
}

/// What a loop touches.
#[derive(Default)]
pub(super) struct Touched {
    loads: Vec<(BufferId, Vec<Int>)>,
    /// Entries written, and how values are joined to them if they are reals and only joined to.
    writes: Vec<(BufferId, Vec<Int>, Option<Fold>)>,
    joins: Vec<(RealId, Fold)>,
    /// The variables that are set to entries, and those that are stored in entries.
    kept: Vec<(RealId, Place)>,
    stored: Vec<(RealId, Place)>,
    set: Vec<RealId>,
    read: Vec<RealId>,
    ints_set: Vec<IntId>,
    /// The variables of the loops, and those.
    inside: Vec<IntId>,
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

    /// How values are joined to a buffer, if that is all that is done with it and it is done in one way; `r = b[i]; r += e; b[i] = r`
    /// joins to `b[i]`.
    fn only_fold(&self, buffer: BufferId) -> Option<Fold> {
        let kept: Vec<&(RealId, Place)> =
            self.kept.iter().filter(|(_, place)| place.buffer == buffer).collect();
        let loads = self.loads.iter().filter(|(of, _)| *of == buffer).count();
        let writes = || self.writes.iter().filter(|(of, ..)| *of == buffer);
        let stores = writes().filter(|(.., fold)| fold.is_none()).count();
        let is_put_back = |entry: &&&(RealId, Place)| {
            self.stored.iter().filter(|stored| stored == *entry).count() == 1
                && self.is_named_once(&entry.1)
        };
        let back = kept.iter().filter(is_put_back).count();
        let joins = kept.iter().map(|(var, _)| self.only_join(*var));
        let mut folds = writes().map(|(.., fold)| *fold).filter(Option::is_some).chain(joins);
        let fold = folds.next()??;
        let whole = [loads, stores, back].iter().all(|count| *count == kept.len());
        (whole && folds.all(|other| other == Some(fold))).then_some(fold)
    }

    /// Whether the indices of an entry are the same wherever they stand in a step.
    fn is_named_once(&self, place: &Place) -> bool {
        let again = |(at, var): (usize, &IntId)| {
            self.inside[..at].contains(var) && mentions_any(&place.indices, &[*var])
        };
        !self.inside.iter().enumerate().any(again)
    }

    /// How values are joined to a variable, if it is set once, read once and joined to in one way.
    fn only_join(&self, var: RealId) -> Option<Fold> {
        let once = |list: &[RealId]| list.iter().filter(|other| **other == var).count() == 1;
        let mut folds = self.joins.iter().filter(|(of, _)| *of == var).map(|(_, fold)| *fold);
        let fold = folds.next()?;
        (once(&self.set) && once(&self.read) && folds.all(|other| other == fold)).then_some(fold)
    }

    /// The buffers that each step of a loop over windows has for itself, in order.
    fn locals(&self, start: IntId, tuples: &Tuples) -> Vec<BufferId> {
        let written = self.writes.iter().map(|(buffer, indices, _)| (*buffer, indices));
        let local = written.filter(|(buffer, indices)| tuples.is_local(*buffer, indices, start));
        let mut found: Vec<BufferId> = local.map(|(buffer, _)| buffer).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Takes searches out that leave a loop, if nothing but a search has to do with its variables.
    fn take_searches(&mut self, header: &For) -> Vec<Search> {
        let (searches, rest) = taken_out(header);
        let rest = Self::of(&rest);
        let reals: Vec<RealId> = searches.iter().map(|search| search.best).collect();
        let ints: Vec<IntId> = searches.iter().flat_map(|search| search.ints.clone()).collect();
        let joined = rest.joins.iter().map(|(var, _)| var);
        let mut other = rest.read.iter().chain(&rest.set).chain(joined);
        let mut others = rest.ints_set.iter().chain(&rest.uncertain.1);
        if other.any(|var| reals.contains(var))
            || others.any(|var| ints.contains(var))
            || has_twice(&reals)
            || has_twice(&ints)
        {
            return Vec::new();
        }
        self.uncertain.0.retain(|var| !reals.contains(var));
        self.uncertain.1.retain(|var| !ints.contains(var));
        searches
    }

    /// Whether a variable may have its value from the step before.
    pub(super) fn carries(&self) -> bool {
        self.uncertain.0.iter().any(|var| self.set.contains(var))
            || self.uncertain.1.iter().any(|var| self.ints_set.contains(var))
    }
}

fn has_twice<T: PartialEq>(list: &[T]) -> bool {
    list.iter().enumerate().any(|(at, one)| list[..at].contains(one))
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
            self.inside.push(header.var);
        }
        walk_node(self, node);
        self.certain.0.truncate(certain.0);
        self.certain.1.truncate(certain.1);
        match node {
            Node::Accumulate(place, fold, _) => {
                self.writes.push((place.buffer, place.indices.clone(), Some(*fold)));
            }
            Node::Store(place, _) | Node::StoreInt(place, _) | Node::AddInt(place, _) => {
                self.writes.push((place.buffer, place.indices.clone(), None));
                if let Node::Store(_, Real::Var(var)) = node {
                    self.stored.push((*var, place.clone()));
                }
            }
            Node::Join(var, fold, _) => {
                self.joins.push((*var, *fold));
                if !self.certain.0.contains(var) {
                    self.uncertain.0.push(*var);
                }
            }
            Node::Set(var, e) => {
                if let Real::Load(buffer, indices) = e {
                    let place = Place { buffer: *buffer, indices: indices.clone() };
                    self.kept.push((*var, place));
                }
                self.set.push(*var);
                self.certain.0.push(*var);
            }
            Node::SetInt(var, _) => {
                self.ints_set.push(*var);
                self.inside.push(*var);
                self.certain.1.push(*var);
            }
            Node::Note(_) | Node::For(_) | Node::If(..) | Node::Visit(_) | Node::Check(..) => {}
        }
    }
}
