//! Loops over the columns of a temporary, in whatever loops they stand, and what order they keep if these go by windows.

use super::facts::Facts;
use super::footprint::Footprint;
use super::fresh::Fresh;
use super::local::{Target, apart, grouped};
use super::renamed::At;
use super::sites::sites;
use crate::block::carries;
use crate::loops::verify::moves;
use crate::loops::walk::{Rewrite, Visit};
use crate::loops::{BufferId, CmpOp, Cond, Fold, For, Int, IntId, Node, Order, Place, RealId};

/// What the columns are of.
pub(super) struct Column {
    /// How many columns there are.
    pub(super) extent: Int,
    pub(super) targets: Vec<Target>,
}

impl Column {
    /// Whether nodes touch a target.
    pub(super) fn touches(&self, nodes: &[Node]) -> bool {
        let touched = sites(nodes);
        self.targets.iter().any(|(buffer, _)| touched.contains_key(buffer))
    }

    /// Nodes that are loops over columns, in loops and conditions that hold nothing else, and these; one column as a loop too.
    pub(super) fn nodes(
        &self,
        fresh: &mut Fresh<'_>,
        nodes: &[Node],
    ) -> Option<(Vec<Node>, Vec<Unit>)> {
        let mut walk = Walk { column: self, fresh, around: Vec::new(), units: Vec::new() };
        let nodes = walk.list(nodes)?;
        Some((nodes, walk.units))
    }

    /// What says the column wherever nodes touch targets.
    fn index(&self, nodes: &[Node]) -> Option<Int> {
        let touched = sites(nodes);
        let mut found: Option<Int> = None;
        for (buffer, axis) in &self.targets {
            for site in touched.get(buffer).into_iter().flatten() {
                let index = &site.indices[*axis];
                if found.as_ref().is_some_and(|known| known != index) {
                    return None;
                }
                found = Some(index.clone());
            }
        }
        found
    }
}

/// A loop or a condition around a loop over columns.
#[derive(Clone)]
enum Around {
    Loop(For),
    Under(Cond),
}

struct Walk<'w, 'p> {
    column: &'w Column,
    fresh: &'w mut Fresh<'p>,
    around: Vec<Around>,
    units: Vec<Unit>,
}

impl Walk<'_, '_> {
    fn list(&mut self, nodes: &[Node]) -> Option<Vec<Node>> {
        let mut out = Vec::new();
        for group in grouped(nodes) {
            let (notes, rest) = apart(group);
            out.extend(notes);
            if !rest.is_empty() {
                out.push(self.node(rest)?);
            }
        }
        Some(out)
    }

    /// A node with the visits in front of it.
    fn node(&mut self, group: Vec<Node>) -> Option<Node> {
        let index = self.column.index(&group);
        if let ([Node::For(header)], Some(Int::Var(var))) = (group.as_slice(), &index)
            && header.var == *var
        {
            return self.unit((**header).clone());
        }
        match group.as_slice() {
            [Node::For(header)] if index.is_none() && self.is_whole(header) => {
                self.unit((**header).clone())
            }
            [Node::For(header)] => {
                let bare = header.bare();
                is_pure(&Node::For(Box::new(bare.clone()))).then_some(())?;
                let body = self.within(Around::Loop(bare), &header.body)?;
                Some(Node::For(Box::new(in_order(For { body, ..header.bare() }))))
            }
            [Node::If(cond, body)] => {
                is_pure(&Node::If(cond.clone(), Vec::new())).then_some(())?;
                let body = self.within(Around::Under(cond.clone()), body)?;
                Some(Node::If(cond.clone(), body))
            }
            _ if group.iter().any(Node::has_loop) => None,
            // one column
            _ => {
                let index = index?;
                let var = self.fresh.int("i");
                let buffers = self.named(&index, &group);
                let body = At { row: &index, var, buffers: &buffers }.nodes(&group);
                let (lower, upper) = (vec![index.clone()], vec![index.offset(1)]);
                self.unit(For { var, lower, upper, stride: None, order: Order::Ascending, body })
            }
        }
    }

    /// The targets, and the other buffers of which nodes that touch one column name it in an axis.
    fn named(&self, column: &Int, nodes: &[Node]) -> Vec<Target> {
        let targets = &self.column.targets;
        let touched = sites(nodes);
        let others =
            touched.iter().filter(|(buffer, _)| !targets.iter().any(|(known, _)| known == *buffer));
        let named = others.filter_map(|(buffer, sites)| {
            Some((*buffer, sites[0].indices.iter().position(|index| index == column)?))
        });
        targets.iter().copied().chain(named).collect()
    }

    /// Whether a loop that touches no target may be one over columns.
    fn is_whole(&self, header: &For) -> bool {
        header.order == Order::Parallel && header.upper.contains(&self.column.extent)
    }

    fn within(&mut self, around: Around, body: &[Node]) -> Option<Vec<Node>> {
        self.around.push(around);
        let body = self.list(body);
        self.around.pop();
        body
    }

    /// Takes a loop over columns.
    fn unit(&mut self, header: For) -> Option<Node> {
        let node = Node::For(Box::new(header.clone()));
        let mut unit = Unit {
            var: header.var,
            accesses: Vec::new(),
            around: self.around.clone(),
            header: header.bare(),
            footprint: Footprint::of(std::slice::from_ref(&node)),
            set: Vec::new(),
            joined: Vec::new(),
        };
        unit.node(&node);
        let mut facts = unit.facts();
        let (var, extent) = (Int::Var(header.var), &self.column.extent);
        // one column is one of those that there are wherever it is touched
        let single = header.upper == [header.lower[0].clone().offset(1)];
        let within = single
            || facts.prove(CmpOp::Le, &Int::Const(0), &var) && facts.prove(CmpOp::Lt, &var, extent);
        let own = unit.joined.iter().all(|var| unit.set.contains(var));
        let quiet = unit.footprint.commutes(&Footprint::default());
        let ends = header.stride.is_none() && header.order != Order::Descending;
        if !within || !own || !quiet || !ends || carries(&header) {
            return None;
        }
        self.units.push(unit);
        Some(node)
    }
}

/// A loop that says that its steps are independent, if that can still be seen: a column that a multiple of its variable named is
/// named by the variable of a loop of one step now.
fn in_order(header: For) -> For {
    struct Writes(IntId, bool);
    impl Visit for Writes {
        fn enter(&mut self, node: &Node) {
            if let Node::Store(place, _)
            | Node::Accumulate(place, ..)
            | Node::StoreInt(place, _)
            | Node::AddInt(place, _) = node
            {
                let own = |e: &Int| *e == Int::Var(self.0) || moves(e, self.0);
                self.1 &= place.indices.iter().any(own);
            }
        }
    }
    let mut writes = Writes(header.var, true);
    header.body.iter().for_each(|node| writes.node(node));
    let order =
        if writes.1 || header.order != Order::Parallel { header.order } else { Order::Ascending };
    For { order, ..header }
}

/// Whether the ends of a loop, or a condition, read no memory and no reals.
fn is_pure(node: &Node) -> bool {
    struct Pure(bool);
    impl Visit for Pure {
        fn load(&mut self, _: BufferId, _: &[Int]) {
            self.0 = false;
        }
        fn real_var(&mut self, _: RealId) {
            self.0 = false;
        }
    }
    let mut pure = Pure(true);
    pure.node(node);
    pure.0
}

/// How an entry is touched.
#[derive(Clone, Copy, PartialEq)]
enum How {
    Read,
    Written,
    Joined(Fold),
}

/// A loop over columns, with what is around it.
pub(super) struct Unit {
    pub(super) var: IntId,
    around: Vec<Around>,
    header: For,
    accesses: Vec<(BufferId, Vec<Int>, How)>,
    footprint: Footprint,
    set: Vec<RealId>,
    joined: Vec<RealId>,
}

impl Unit {
    /// Whether no two windows write one entry of a buffer other than these.
    pub(super) fn is_apart(&self, locals: &[Target]) -> bool {
        let own = Int::Var(self.var);
        self.accesses.iter().all(|(buffer, indices, how)| {
            *how == How::Read
                || indices.contains(&own)
                || locals.iter().any(|(local, _)| local == buffer)
        })
    }

    /// Whether entries that an earlier unit and a later one touch, or one unit twice, are touched in the same order if both go by
    /// windows: in the same column, or as sums whose terms ascend in the columns.
    pub(super) fn keeps_order(&self, later: &Self) -> bool {
        let same = std::ptr::eq(self, later);
        let apart = same
            || !self.footprint.shares_ints(&later.footprint)
                && self.footprint.shared_reals(&later.footprint).next().is_none();
        apart
            && self.accesses.iter().all(|(buffer, x, how)| {
                later.accesses.iter().filter(|(other, ..)| other == buffer).all(|(_, y, also)| {
                    let column = |(x, y): (&Int, &Int)| {
                        *x == Int::Var(self.var) && *y == Int::Var(later.var)
                    };
                    let joined = matches!(how, How::Joined(_)) && how == also;
                    (*how == How::Read && *also == How::Read)
                        || x.iter().zip(y).any(column)
                        || joined && self.is_one(later, x, y) && self.ascends(x, later, y)
                })
            })
    }

    /// Whether an entry is touched at one step of the loops around each unit, the same one of loops around both.
    fn is_one(&self, later: &Self, x: &[Int], y: &[Int]) -> bool {
        let own = |unit: &Self| unit.loops().map(Int::Var).collect::<Vec<Int>>();
        let (mine, others) = (own(self), own(later));
        let same = |var: &Int| x.iter().zip(y).any(|(a, b)| a == var && b == var);
        mine.iter().all(|var| x.contains(var) && (!others.contains(var) || same(var)))
            && others.iter().all(|var| y.contains(var))
    }

    /// The variables of the loops around.
    fn loops(&self) -> impl Iterator<Item = IntId> {
        self.around.iter().filter_map(|around| match around {
            Around::Loop(header) => Some(header.var),
            Around::Under(_) => None,
        })
    }

    /// Whether the columns of the terms that go to one entry here come before those of the later ones.
    fn ascends(&self, indices: &[Int], later: &Self, others: &[Int]) -> bool {
        if std::ptr::eq(self, later) {
            return indices == others;
        }
        let mut facts = self.facts();
        later.add(&mut facts);
        for (x, y) in indices.iter().zip(others) {
            facts.compare(CmpOp::Eq, x, y);
        }
        facts.prove(CmpOp::Le, &Int::Var(self.var), &Int::Var(later.var))
    }

    /// What holds in the loop.
    fn facts(&self) -> Facts {
        let mut facts = Facts::default();
        self.add(&mut facts);
        facts
    }

    fn add(&self, facts: &mut Facts) {
        for around in &self.around {
            match around {
                Around::Loop(header) => facts.bounds(header),
                Around::Under(cond) => facts.condition(cond),
            }
        }
        facts.bounds(&self.header);
    }
}

impl Visit for Unit {
    fn load(&mut self, buffer: BufferId, indices: &[Int]) {
        self.accesses.push((buffer, indices.to_vec(), How::Read));
    }

    fn enter(&mut self, node: &Node) {
        let mut write = |place: &Place, how| {
            self.accesses.push((place.buffer, place.indices.clone(), how));
        };
        match node {
            Node::Store(place, _) | Node::StoreInt(place, _) | Node::AddInt(place, _) => {
                write(place, How::Written);
            }
            Node::Accumulate(place, fold, _) => write(place, How::Joined(*fold)),
            Node::Set(var, _) => self.set.push(*var),
            Node::Join(var, ..) => self.joined.push(*var),
            Node::Note(_)
            | Node::For(_)
            | Node::If(..)
            | Node::SetInt(..)
            | Node::Visit(_)
            | Node::Check(..) => {}
        }
    }
}
