//! A loop as a vector loop: nodes as operations on lanes.
//!
//! An integer is the same in all lanes, or affine in the loop variable, or a block of its own.
//! A condition opens a scope with the lanes where it holds, a loop inside one with its steps.

mod conditions;
mod contractions;
mod ints;
mod known;
mod reals;

use super::independent::independent;
use super::ops::{Arg, Each, Inner, IntOp, Op, RealOp, Search, Steps, VectorLoop, When};
use super::searches;
use super::shared::{Touched, locals};
use super::slots::share_slots;
use crate::fuse::tuples::Tuples;
use crate::loops::{
    BufferId, CmpOp, Cond, Fold, For, Int, IntId, Node, Order, Place, Real, RealId,
};
use iverson_spec::function::Fun;
use known::{Joined, assigned};
use rustc_hash::{FxHashMap, FxHashSet};

/// The loop as a vector; `None` if it is none: where an iteration needs what another one did, or a
/// condition protects its own parts in a way that lanes do not follow.
pub(super) fn vector(header: &For, tuples: &Tuples) -> Option<VectorLoop> {
    if let Some(search) = search(header) {
        return Some(search);
    }
    let apart = header.order == Order::Parallel || independent(header, tuples);
    let one = locals(header, tuples).is_empty();
    if header.order == Order::Descending || !apart || !one || !is_apart(header) {
        return None;
    }
    let mut builder = Builder::new(header);
    builder.nodes(&header.body)?;
    Some(builder.finish())
}

/// Whether no variable comes from the iteration before, sums apart.
fn is_apart(header: &For) -> bool {
    let touched = Touched::of(header);
    !touched.carries() && touched.free_sums().is_some()
}

/// An integer in the lanes.
#[derive(Clone, Debug)]
enum Lane {
    Uniform(Int),
    /// `base + step · loop variable`, step not 0
    Affine(Int, i64),
    Block(usize),
}

/// Where an entry is.
enum Entry {
    /// Along a line, and whether it moves.
    Line(usize, bool),
    Places(usize),
}

/// A scope in the making.
#[derive(Default)]
struct Open {
    inner: Inner,
    ints: FxHashMap<IntId, Lane>,
    reals: FxHashMap<RealId, Arg>,
    /// Loads that stand in a block already: an entry is loaded once.
    known: Vec<(Real, Arg)>,
    /// Variables of the scope around that are assigned here.
    assigned_reals: Vec<(RealId, usize)>,
    assigned_ints: Vec<(IntId, usize)>,
    /// Variables of the scope around that are only joined to, here.
    delivered: Vec<(RealId, usize)>,
}

struct Builder {
    var: IntId,
    open: Vec<Open>,
    reals: usize,
    ints: usize,
    joins: Vec<(RealId, Fold)>,
    depth: usize,
    loops: bool,
    /// Whether the loop's variable takes neighbours.
    unit: bool,
    /// Blocks that more than one variable has.
    common: FxHashSet<usize>,
    /// The buffers that the loop writes to.
    written: Vec<BufferId>,
}

impl Builder {
    fn new(header: &For) -> Self {
        Self {
            var: header.var,
            common: FxHashSet::default(),
            written: known::written(&header.body),
            open: vec![Open::default()],
            reals: 0,
            ints: 0,
            joins: Vec::new(),
            depth: 1,
            loops: false,
            unit: header.stride.is_none(),
        }
    }

    fn finish(mut self) -> VectorLoop {
        let scope = std::mem::take(&mut self.here().inner.scope);
        let Self { reals, ints, joins, depth, loops, .. } = self;
        let mut vector = VectorLoop { scope, reals, ints, joins, depth, loops };
        share_slots(&mut vector);
        vector
    }

    // Scopes.

    fn here(&mut self) -> &mut Open {
        match self.open.last_mut() {
            Some(open) => open,
            None => unreachable!("the outermost scope is open until the loop is finished"),
        }
    }

    fn push(&mut self, op: Op) {
        self.here().inner.scope.ops.push(op);
    }

    fn fresh(&mut self) -> usize {
        self.reals += 1;
        self.reals - 1
    }

    fn fresh_ints(&mut self) -> usize {
        self.ints += 1;
        self.ints - 1
    }

    fn set_real(&mut self, op: RealOp) -> usize {
        let to = self.fresh();
        self.push(Op::Real(to, op));
        to
    }

    fn set_int(&mut self, op: IntOp) -> usize {
        let to = self.fresh_ints();
        self.push(Op::Int(to, op));
        to
    }

    /// Opens a scope for nodes that assign to variables of this one; `directly` if they stand in it and not
    /// in a scope of it.
    fn enter(&mut self, nodes: &[Node], directly: bool) -> Option<()> {
        let assigned = assigned(nodes, directly);
        let depth = self.open.len() - 1;
        let mut open = Open::default();
        for (var, joined) in assigned.reals {
            let Some(around) = self.own_block(var, depth) else { continue };
            if joined == Joined::Here {
                open.delivered.push((var, around));
                continue;
            }
            let within = self.fresh();
            open.inner.ins.reals.push((around, within));
            open.reals.insert(var, Arg::Block(within));
            open.assigned_reals.push((var, around));
        }
        for var in assigned.ints {
            let Some(lane) = self.int_lane(var, depth) else { continue };
            let around = self.int_block(lane);
            self.here().ints.insert(var, Lane::Block(around));
            let within = self.fresh_ints();
            open.inner.ins.ints.push((around, within));
            open.ints.insert(var, Lane::Block(within));
            open.assigned_ints.push((var, around));
        }
        self.open.push(open);
        self.depth = self.depth.max(self.open.len());
        Some(())
    }

    fn leave(&mut self) -> Option<Inner> {
        for (var, around) in self.here().assigned_reals.clone() {
            let within = match *self.here().reals.get(&var)? {
                Arg::Block(block) => block,
                arg @ (Arg::Uniform(_) | Arg::Line(_)) => self.set_real(RealOp::Copy(arg)),
            };
            self.here().inner.outs.reals.push((around, within));
        }
        let mut open = self.open.pop()?;
        for (var, around) in &open.assigned_ints {
            let Some(Lane::Block(within)) = open.ints.get(var) else { return None };
            open.inner.outs.ints.push((*around, *within));
        }
        Some(open.inner)
    }

    /// The value of a variable at a scope, moved in from the one around if it is set there.
    fn real_value(&mut self, var: RealId, depth: usize) -> Option<Arg> {
        if let Some(arg) = self.open[depth].reals.get(&var) {
            return Some(*arg);
        }
        let outside = depth.checked_sub(1)?;
        let around = match self.real_value(var, outside)? {
            Arg::Block(block) => block,
            arg @ (Arg::Uniform(_) | Arg::Line(_)) => self.copy_at(var, arg, outside),
        };
        let within = self.fresh();
        let open = &mut self.open[depth];
        open.inner.ins.reals.push((around, within));
        open.reals.insert(var, Arg::Block(within));
        Some(Arg::Block(within))
    }

    /// A block that a variable has for itself.
    fn own_block(&mut self, var: RealId, depth: usize) -> Option<usize> {
        match self.real_value(var, depth)? {
            Arg::Block(block) if !self.common.contains(&block) => Some(block),
            arg @ (Arg::Block(_) | Arg::Uniform(_) | Arg::Line(_)) => {
                Some(self.copy_at(var, arg, depth))
            }
        }
    }

    fn copy_at(&mut self, var: RealId, arg: Arg, depth: usize) -> usize {
        let to = self.fresh();
        let open = &mut self.open[depth];
        open.inner.scope.ops.push(Op::Real(to, RealOp::Copy(arg)));
        open.reals.insert(var, Arg::Block(to));
        to
    }

    /// A variable that is set in the loop.
    fn int_lane(&mut self, var: IntId, depth: usize) -> Option<Lane> {
        if let Some(lane) = self.open[depth].ints.get(&var) {
            return Some(lane.clone());
        }
        let lane = match self.int_lane(var, depth.checked_sub(1)?)? {
            lane @ (Lane::Uniform(_) | Lane::Affine(..)) => lane,
            Lane::Block(around) => {
                let within = self.fresh_ints();
                self.open[depth].inner.ins.ints.push((around, within));
                Lane::Block(within)
            }
        };
        self.open[depth].ints.insert(var, lane.clone());
        Some(lane)
    }

    fn is_set_real(&self, var: RealId) -> bool {
        self.open.iter().any(|open| open.reals.contains_key(&var))
    }

    fn is_set_int(&self, var: IntId) -> bool {
        self.open.iter().any(|open| open.ints.contains_key(&var))
    }

    /// Nodes where a condition holds.
    fn when(&mut self, cond: &Cond, nodes: &[Node]) -> Option<()> {
        let (test, rest) = self.first_test(cond)?;
        self.enter(nodes, rest.is_none())?;
        match rest {
            Some(rest) => self.when(&rest, nodes)?,
            None => self.nodes(nodes)?,
        }
        let inner = self.leave()?;
        self.push(Op::When(Box::new(When { test, inner })));
        Some(())
    }

    // Nodes.

    fn nodes(&mut self, nodes: &[Node]) -> Option<()> {
        for (at, node) in nodes.iter().enumerate() {
            self.node(node)?;
            let rest = &nodes[at + 1..];
            if matches!(node, Node::Check(..)) && !rest.is_empty() {
                // what the check protects is looked up after it
                return self.when(&Cond::All(Vec::new()), rest);
            }
        }
        Some(())
    }

    fn node(&mut self, node: &Node) -> Option<()> {
        match node {
            Node::Note(_) | Node::Visit(_) => {}
            Node::SetInt(var, e) => {
                let mut lane = self.int(e)?;
                if self.here().assigned_ints.iter().any(|(known, _)| known == var) {
                    lane = Lane::Block(self.int_block(lane));
                }
                self.here().ints.insert(*var, lane);
            }
            Node::Set(var, e) => self.set(*var, e)?,
            Node::Join(var, fold, e) => self.join(*var, *fold, e)?,
            Node::Store(place, e) => {
                let value = self.real(e)?;
                self.put(place, None, value)?;
            }
            Node::Accumulate(place, fold, e) => {
                let value = self.real(e)?;
                self.put(place, Some(*fold), value)?;
            }
            Node::StoreInt(place, e) => self.put_ints(place, false, e)?,
            Node::AddInt(place, e) => self.put_ints(place, true, e)?,
            Node::Check(check, cond) => {
                let test = self.test(cond)?;
                self.push(Op::Check(*check, test));
            }
            Node::If(cond, body) => {
                let (conds, inside) = alone(cond, body);
                if conds.len() == 1 || !self.differs(cond) {
                    self.when(cond, body)?;
                } else {
                    self.when(&Cond::All(conds), inside)?;
                }
            }
            Node::For(header) if self.contraction(header) => {}
            Node::For(header) => self.each(header)?,
        }
        Some(())
    }

    fn set(&mut self, var: RealId, e: &Real) -> Option<()> {
        let mut value = self.real(e)?;
        match value {
            // what was just computed is nobody else's
            Arg::Block(_) if matches!(e, Real::Apply(..) | Real::Select(_)) => {}
            Arg::Block(block) => {
                self.common.insert(block);
            }
            Arg::Line(_) if self.is_written(e) => {
                value = Arg::Block(self.set_real(RealOp::Copy(value)));
            }
            Arg::Line(_) | Arg::Uniform(_) => {}
        }
        self.here().reals.insert(var, value);
        Some(())
    }

    fn join(&mut self, var: RealId, fold: Fold, e: &Real) -> Option<()> {
        if let Some((_, around)) = self.here().delivered.iter().find(|(known, _)| *known == var) {
            let around = *around;
            let value = self.real(e)?;
            self.push(Op::Deliver(around, fold, value));
            return Some(());
        }
        if self.is_set_real(var) {
            let kept = self.real_value(var, self.open.len() - 1)?;
            let op = self.joined(kept, fold, e)?;
            let joined = Arg::Block(self.set_real(op));
            self.here().reals.insert(var, joined);
            return Some(());
        }
        let at = self.joins.iter().position(|(known, _)| *known == var);
        let at = at.unwrap_or_else(|| {
            self.joins.push((var, fold));
            self.joins.len() - 1
        });
        let op = if let Real::Apply(Fun::Mul, factors) = e
            && let [a, b] = factors.as_slice()
            && fold == Fold::Sum
        {
            Op::Dot(at, self.real(a)?, self.real(b)?)
        } else {
            Op::Join(at, fold, self.real(e)?)
        };
        self.push(op);
        Some(())
    }

    /// A value joined to another one.
    fn joined(&mut self, kept: Arg, fold: Fold, e: &Real) -> Option<RealOp> {
        let Real::Apply(Fun::Mul, factors) = e else {
            return Some(RealOp::Join(fold, kept, self.real(e)?));
        };
        match factors.as_slice() {
            [Real::Const(-1.0), e] if fold == Fold::Sum => Some(RealOp::Sub(kept, self.real(e)?)),
            [factors @ .., last] if fold == Fold::Sum && self.real_depends(e) => {
                let product = match factors {
                    [one] => self.real(one)?,
                    [..] => self.real(&Real::Apply(Fun::Mul, factors.to_vec()))?,
                };
                Some(RealOp::AddProduct(kept, [product, self.real(last)?]))
            }
            [..] => Some(RealOp::Join(fold, kept, self.real(e)?)),
        }
    }

    fn put(&mut self, place: &Place, fold: Option<Fold>, value: Arg) -> Option<()> {
        for open in &mut self.open {
            open.known.retain(|(load, _)| !known::loads_from(load, place.buffer));
        }
        let op = match self.entry(place.buffer, &place.indices)? {
            Entry::Line(line, true) => Op::Put(line, fold, value),
            Entry::Line(line, false) => Op::Reduce(line, fold?, value),
            Entry::Places(places) => Op::Scatter(place.buffer, places, fold, value),
        };
        self.push(op);
        Some(())
    }

    fn put_ints(&mut self, place: &Place, adds: bool, e: &Int) -> Option<()> {
        let lane = self.int(e)?;
        let value = self.int_arg(lane);
        let places = self.places(place.buffer, &place.indices)?;
        self.push(Op::ScatterInts(place.buffer, places, adds, value));
        Some(())
    }

    /// A loop inside.
    fn each(&mut self, header: &For) -> Option<()> {
        self.loops = true;
        let strides = header.stride.iter().map(|(_, residue)| residue);
        let bounds: Vec<&Int> = header.lower.iter().chain(&header.upper).chain(strides).collect();
        let uniform = !bounds.iter().any(|e| self.depends(e));
        let steps = if uniform {
            Steps::Uniform(For { body: Vec::new(), ..header.clone() })
        } else {
            let lower = self.int_args(&header.lower)?;
            let upper = self.int_args(&header.upper)?;
            let stride = match &header.stride {
                Some((modulus, residue)) => {
                    let lane = self.int(residue)?;
                    Some((*modulus, self.int_arg(lane)))
                }
                None => None,
            };
            let descending = header.order == Order::Descending;
            Steps::Lanes { lower, upper, stride, descending, var: self.fresh_ints() }
        };
        self.enter(&header.body, true)?;
        if let Steps::Lanes { var, .. } = &steps {
            let lane = Lane::Block(*var);
            self.here().ints.insert(header.var, lane);
        }
        self.nodes(&header.body)?;
        let inner = self.leave()?;
        self.push(Op::Each(Box::new(Each { steps, inner })));
        Some(())
    }
}

/// A condition with those that stand alone inside it, and what is inside them.
fn alone<'n>(cond: &Cond, mut body: &'n [Node]) -> (Vec<Cond>, &'n [Node]) {
    let mut conds = vec![cond.clone()];
    loop {
        let mut nodes = body.iter().filter(|node| !matches!(node, Node::Note(_) | Node::Visit(_)));
        let (Some(Node::If(cond, inside)), None) = (nodes.next(), nodes.next()) else {
            return (conds, body);
        };
        conds.push(cond.clone());
        body = inside;
    }
}

/// A loop that looks for the first greatest value, or the least, alone.
fn search(header: &For) -> Option<VectorLoop> {
    let mut nodes =
        header.body.iter().filter(|node| !matches!(node, Node::Note(_) | Node::Visit(_)));
    let (Some(Node::Set(value, e)), Some(Node::If(cond, body)), None) =
        (nodes.next(), nodes.next(), nodes.next())
    else {
        return None;
    };
    let [Node::Set(_, Real::Var(kept)), Node::SetInt(_, at)] = body.as_slice() else {
        return None;
    };
    let searches::Search { best, place: found, none, better, least: ties, .. } =
        searches::Search::of(cond, body)?;
    let whole = matches!(cond, Cond::Any(_))
        && kept == value
        && header.order != Order::Descending
        && !known::reads(e, best);
    if !whole {
        return None;
    }
    let (mut builder, greatest) = (Builder::new(header), better == CmpOp::Gt);
    let value = builder.real(e)?;
    let lane = builder.int(at)?;
    let at = builder.int_arg(lane);
    let none = builder.uniform_int(none);
    let search = Search { value, at, best, found, none, greatest, ties };
    builder.push(Op::Search(Box::new(search)));
    Some(builder.finish())
}
