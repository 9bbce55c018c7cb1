//! Innermost loops as lists of operations on blocks of lanes.
//!
//! A lane is one iteration. An integer is the same in all lanes, or affine in the
//! loop variable, or a block of its own. The loop becomes a vector if its body is a
//! straight line and no lane touches what another lane writes, sums apart.

use crate::loops::walk::{Visit, walk_int};
use crate::loops::{
    BufferId, Fold, For, Int, IntId, Node, Order, Place, Real, RealId, StatementId,
};
use iverson_spec::function::Fun;
use rustc_hash::FxHashMap;

/// A loop as operations.
#[derive(Clone, Debug)]
pub(super) struct VectorLoop {
    /// What is done for each block, in order.
    pub(super) ops: Vec<Op>,
    /// The number of blocks of reals.
    pub(super) reals: usize,
    /// The number of blocks of integers.
    pub(super) ints: usize,
    /// The entries that are touched along the loop.
    pub(super) lines: Vec<Line>,
    /// Reals that are the same in all lanes.
    pub(super) uniforms: Vec<Real>,
    /// Integers that are the same in all lanes.
    pub(super) uniform_ints: Vec<Int>,
    /// The sums that are kept in real variables.
    pub(super) joins: Vec<(RealId, Fold)>,
    /// The points that each lane visits.
    pub(super) visits: Vec<StatementId>,
}

/// Entries at places that are affine in the lane: each index is `base + step · loop variable`.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Line {
    pub(super) buffer: BufferId,
    pub(super) indices: Vec<(Int, i64)>,
}

/// A real operand.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Arg {
    /// A block.
    Block(usize),
    /// The same in all lanes.
    Uniform(usize),
    /// Entries along a line.
    Line(usize),
}

/// An integer operand.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum IntArg {
    /// A block.
    Block(usize),
    /// The same in all lanes.
    Uniform(usize),
}

/// One operation on all lanes of a block; the first number is the block that is set.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// `base + step · loop variable`
    Ramp(usize, usize, i64),
    /// Integers along a line.
    LoadInts(usize, usize),
    /// Integers at places.
    GatherInts(usize, BufferId, usize),
    /// `Σ factor · block + constant`
    SumInts(usize, Vec<(i64, IntArg)>, i64),
    /// `block / k` or `block % k`
    DivInts(usize, usize, i64),
    ModInts(usize, usize, i64),
    /// The places of entries with these indices.
    Places(usize, BufferId, Vec<IntArg>),
    /// Integers as reals.
    Convert(usize, usize),
    /// Reals at places.
    Gather(usize, BufferId, usize),
    /// A copy.
    Copy(usize, Arg),
    Unary(usize, Fun, Arg),
    Binary(usize, Fun, Arg, Arg),
    /// A block joined to itself.
    Fold(usize, Fold, Arg),
    /// Entries along a line.
    Store(usize, Arg),
    Accumulate(usize, Fold, Arg),
    /// One entry gets the values of all lanes.
    Reduce(usize, Fold, Arg),
    /// Entries at places, lane after lane.
    Scatter(BufferId, usize, Arg),
    AccumulateAt(BufferId, usize, Fold, Arg),
    /// A fold kept in a variable.
    Join(usize, Fold, Arg),
    /// A sum of products kept in a variable.
    Dot(usize, Arg, Arg),
}

/// An integer in the lanes.
#[derive(Clone)]
enum Lane {
    Uniform(Int),
    /// `base + step · loop variable`, step not 0
    Affine(Int, i64),
    Block(usize),
}

/// The loop as a vector; `None` if it is none.
pub(super) fn vector(header: &For) -> Option<VectorLoop> {
    if header.order == Order::Descending {
        return None;
    }
    let mut builder = Builder {
        var: header.var,
        out: VectorLoop {
            ops: Vec::new(),
            reals: 0,
            ints: 0,
            lines: Vec::new(),
            uniforms: Vec::new(),
            uniform_ints: Vec::new(),
            joins: Vec::new(),
            visits: Vec::new(),
        },
        ints: FxHashMap::default(),
        reals: FxHashMap::default(),
        known: Vec::new(),
    };
    if !independent(header) {
        return None;
    }
    header.body.iter().try_for_each(|node| builder.node(node))?;
    let joined_and_read = builder.out.joins.iter().any(|(var, _)| reads(&header.body, *var));
    (!joined_and_read).then_some(builder.out)
}

struct Builder {
    var: IntId,
    out: VectorLoop,
    ints: FxHashMap<IntId, Lane>,
    reals: FxHashMap<RealId, usize>,
    /// Loads that stand in a block already: an entry is loaded once.
    known: Vec<(Real, Arg)>,
}

impl Builder {
    fn node(&mut self, node: &Node) -> Option<()> {
        match node {
            Node::Note(_) => {}
            Node::Visit(statement) => self.out.visits.push(*statement),
            Node::SetInt(var, e) => {
                let lane = self.int(e)?;
                self.ints.insert(*var, lane);
            }
            Node::Set(var, e) => {
                let value = self.real(e)?;
                let block = self.fresh();
                self.out.ops.push(Op::Copy(block, value));
                self.reals.insert(*var, block);
            }
            Node::Join(var, fold, e) => self.join(*var, *fold, e)?,
            Node::Store(place, e) => {
                let value = self.real(e)?;
                self.put(place, None, value)?;
            }
            Node::Accumulate(place, fold, e) => {
                let value = self.real(e)?;
                self.put(place, Some(*fold), value)?;
            }
            Node::For(_)
            | Node::If(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Check(..) => {
                return None;
            }
        }
        Some(())
    }

    fn join(&mut self, var: RealId, fold: Fold, e: &Real) -> Option<()> {
        if let Some(block) = self.reals.get(&var).copied() {
            let value = self.real(e)?;
            self.out.ops.push(Op::Fold(block, fold, value));
            return Some(());
        }
        let at = self.out.joins.iter().position(|(known, _)| *known == var);
        let at = at.unwrap_or_else(|| {
            self.out.joins.push((var, fold));
            self.out.joins.len() - 1
        });
        let op = if let Real::Apply(Fun::Mul, factors) = e
            && let [a, b] = factors.as_slice()
            && fold == Fold::Sum
        {
            Op::Dot(at, self.real(a)?, self.real(b)?)
        } else {
            Op::Join(at, fold, self.real(e)?)
        };
        self.out.ops.push(op);
        Some(())
    }

    fn fresh(&mut self) -> usize {
        self.out.reals += 1;
        self.out.reals - 1
    }

    fn fresh_ints(&mut self) -> usize {
        self.out.ints += 1;
        self.out.ints - 1
    }

    fn put(&mut self, place: &Place, fold: Option<Fold>, value: Arg) -> Option<()> {
        self.known.retain(|(load, _)| !loads_from(load, place.buffer));
        let op = match self.entry(place.buffer, &place.indices)? {
            Entry::Line(line, true) => match fold {
                None => Op::Store(line, value),
                Some(fold) => Op::Accumulate(line, fold, value),
            },
            Entry::Line(line, false) => Op::Reduce(line, fold?, value),
            Entry::Places(places) => match fold {
                None => Op::Scatter(place.buffer, places, value),
                Some(fold) => Op::AccumulateAt(place.buffer, places, fold, value),
            },
        };
        self.out.ops.push(op);
        Some(())
    }

    /// Where an entry is in each lane; for a line whether it moves.
    fn entry(&mut self, buffer: BufferId, indices: &[Int]) -> Option<Entry> {
        let lanes: Vec<Lane> = indices.iter().map(|e| self.int(e)).collect::<Option<_>>()?;
        let affine = |lane: &Lane| match lane {
            Lane::Uniform(base) => Some((base.clone(), 0)),
            Lane::Affine(base, step) => Some((base.clone(), *step)),
            Lane::Block(_) => None,
        };
        if let Some(indices) = lanes.iter().map(affine).collect::<Option<Vec<_>>>() {
            let moves = indices.iter().any(|(_, step)| *step != 0);
            let line = Line { buffer, indices };
            let at = self.out.lines.iter().position(|known| *known == line);
            let at = at.unwrap_or_else(|| {
                self.out.lines.push(line);
                self.out.lines.len() - 1
            });
            return Some(Entry::Line(at, moves));
        }
        let args = lanes.into_iter().map(|lane| self.int_arg(lane)).collect();
        let places = self.fresh_ints();
        self.out.ops.push(Op::Places(places, buffer, args));
        Some(Entry::Places(places))
    }

    // Integers.

    fn int(&mut self, e: &Int) -> Option<Lane> {
        Some(match e {
            Int::Const(_) | Int::Size(_) => Lane::Uniform(e.clone()),
            Int::Var(var) if *var == self.var => Lane::Affine(Int::Const(0), 1),
            Int::Var(var) => {
                self.ints.get(var).cloned().unwrap_or_else(|| Lane::Uniform(e.clone()))
            }
            Int::Load(buffer, indices) => self.load_int(e, *buffer, indices)?,
            Int::Sum(terms, constant) => self.sum(terms, *constant)?,
            Int::Div(inner, k) => match self.int(inner)? {
                Lane::Uniform(inner) => Lane::Uniform(inner.divided(*k)),
                lane @ (Lane::Affine(..) | Lane::Block(_)) => {
                    let (from, to) = (self.int_block(lane), self.fresh_ints());
                    self.out.ops.push(Op::DivInts(to, from, *k));
                    Lane::Block(to)
                }
            },
            Int::Mod(inner, k) => match self.int(inner)? {
                Lane::Uniform(inner) => Lane::Uniform(inner.remainder(*k)),
                lane @ (Lane::Affine(..) | Lane::Block(_)) => {
                    let (from, to) = (self.int_block(lane), self.fresh_ints());
                    self.out.ops.push(Op::ModInts(to, from, *k));
                    Lane::Block(to)
                }
            },
            Int::Product(_) | Int::DivBy(_) | Int::Floor(_) | Int::Select(_) => {
                if self.depends(e) {
                    return None;
                }
                Lane::Uniform(e.clone())
            }
        })
    }

    fn load_int(&mut self, e: &Int, buffer: BufferId, indices: &[Int]) -> Option<Lane> {
        if !self.depends(e) {
            return Some(Lane::Uniform(e.clone()));
        }
        let entry = self.entry(buffer, indices)?;
        let to = self.fresh_ints();
        self.out.ops.push(match entry {
            Entry::Line(line, _) => Op::LoadInts(to, line),
            Entry::Places(places) => Op::GatherInts(to, buffer, places),
        });
        Some(Lane::Block(to))
    }

    fn sum(&mut self, terms: &[(i64, Int)], constant: i64) -> Option<Lane> {
        let mut base = Int::Const(constant);
        let mut step = 0i64;
        let mut blocks = Vec::new();
        for (factor, e) in terms {
            match self.int(e)? {
                Lane::Uniform(e) => base = base.plus(e.times(*factor)),
                Lane::Affine(e, by) => {
                    base = base.plus(e.times(*factor));
                    step = step.checked_add(by.checked_mul(*factor)?)?;
                }
                Lane::Block(block) => blocks.push((*factor, IntArg::Block(block))),
            }
        }
        if blocks.is_empty() {
            return Some(if step == 0 { Lane::Uniform(base) } else { Lane::Affine(base, step) });
        }
        if step != 0 {
            let ramp = self.int_block(Lane::Affine(base, step));
            blocks.push((1, IntArg::Block(ramp)));
        } else if base != Int::Const(0) {
            let base = self.uniform_int(base);
            blocks.push((1, IntArg::Uniform(base)));
        }
        let to = self.fresh_ints();
        self.out.ops.push(Op::SumInts(to, blocks, 0));
        Some(Lane::Block(to))
    }

    fn uniform_int(&mut self, e: Int) -> usize {
        let at = self.out.uniform_ints.iter().position(|known| *known == e);
        at.unwrap_or_else(|| {
            self.out.uniform_ints.push(e);
            self.out.uniform_ints.len() - 1
        })
    }

    fn int_arg(&mut self, lane: Lane) -> IntArg {
        match lane {
            Lane::Uniform(e) => IntArg::Uniform(self.uniform_int(e)),
            lane @ (Lane::Affine(..) | Lane::Block(_)) => IntArg::Block(self.int_block(lane)),
        }
    }

    fn int_block(&mut self, lane: Lane) -> usize {
        let (base, step) = match lane {
            Lane::Block(block) => return block,
            Lane::Affine(base, step) => (base, step),
            Lane::Uniform(base) => (base, 0),
        };
        let base = self.uniform_int(base);
        let to = self.fresh_ints();
        self.out.ops.push(Op::Ramp(to, base, step));
        to
    }

    /// Whether an integer differs between lanes.
    fn depends(&self, e: &Int) -> bool {
        let mut lanes = Lanes { builder: self, found: false };
        lanes.int(e);
        lanes.found
    }

    // Reals.

    fn real(&mut self, e: &Real) -> Option<Arg> {
        let mut lanes = Lanes { builder: self, found: false };
        lanes.real(e);
        if !lanes.found {
            let at = self.out.uniforms.iter().position(|known| known == e);
            return Some(Arg::Uniform(at.unwrap_or_else(|| {
                self.out.uniforms.push(e.clone());
                self.out.uniforms.len() - 1
            })));
        }
        match e {
            Real::Var(var) => self.reals.get(var).map(|block| Arg::Block(*block)),
            Real::Const(_) => None,
            Real::Int(inner) => {
                let lane = self.int(inner)?;
                let (from, to) = (self.int_block(lane), self.fresh());
                self.out.ops.push(Op::Convert(to, from));
                Some(Arg::Block(to))
            }
            Real::Load(buffer, indices) => self.load(e, *buffer, indices),
            Real::Apply(fun, args) => self.apply(*fun, args),
            Real::Select(_) => None,
        }
    }

    fn load(&mut self, e: &Real, buffer: BufferId, indices: &[Int]) -> Option<Arg> {
        if let Some((_, arg)) = self.known.iter().find(|(known, _)| known == e) {
            return Some(*arg);
        }
        let arg = match self.entry(buffer, indices)? {
            Entry::Line(line, _) => Arg::Line(line),
            Entry::Places(places) => {
                let to = self.fresh();
                self.out.ops.push(Op::Gather(to, buffer, places));
                Arg::Block(to)
            }
        };
        if matches!(arg, Arg::Block(_)) && indices.iter().all(|i| !mentions_set(i, &self.ints)) {
            self.known.push((e.clone(), arg));
        }
        Some(arg)
    }

    fn apply(&mut self, fun: Fun, args: &[Real]) -> Option<Arg> {
        let mut value = self.real(&args[0])?;
        if let [_] = args {
            let to = self.fresh();
            self.out.ops.push(Op::Unary(to, fun, value));
            return Some(Arg::Block(to));
        }
        for arg in &args[1..] {
            let arg = self.real(arg)?;
            let to = self.fresh();
            self.out.ops.push(Op::Binary(to, fun, value, arg));
            value = Arg::Block(to);
        }
        Some(value)
    }
}

enum Entry {
    Line(usize, bool),
    Places(usize),
}

fn mentions_set(e: &Int, set: &FxHashMap<IntId, Lane>) -> bool {
    struct Mentions<'a>(&'a FxHashMap<IntId, Lane>, bool);
    impl Visit for Mentions<'_> {
        fn int_var(&mut self, var: IntId) {
            self.1 |= self.0.contains_key(&var);
        }
    }
    let mut mentions = Mentions(set, false);
    walk_int(&mut mentions, e);
    mentions.int(e);
    mentions.1
}

/// Whether an expression differs between lanes.
struct Lanes<'a> {
    builder: &'a Builder,
    found: bool,
}

impl Visit for Lanes<'_> {
    fn int_var(&mut self, var: IntId) {
        self.found |= var == self.builder.var
            || self.builder.ints.get(&var).is_some_and(|lane| !matches!(lane, Lane::Uniform(_)))
            || self.builder.ints.contains_key(&var);
    }

    fn real_var(&mut self, var: RealId) {
        self.found |= self.builder.reals.contains_key(&var);
    }
}

fn loads_from(e: &Real, buffer: BufferId) -> bool {
    matches!(e, Real::Load(of, _) if *of == buffer)
}

/// Whether a real variable is read in nodes.
fn reads(nodes: &[Node], var: RealId) -> bool {
    struct Reads(RealId, bool);
    impl Visit for Reads {
        fn real_var(&mut self, var: RealId) {
            self.1 |= var == self.0;
        }
    }
    let mut found = Reads(var, false);
    nodes.iter().for_each(|node| found.node(node));
    found.1
}

/// Whether no lane touches what another one writes, but by sums.
fn independent(header: &For) -> bool {
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
    accesses.writes.iter().enumerate().all(|(at, (buffer, indices, sums))| {
        let same_lane = |other: &[Int]| indices.iter().zip(other).any(|(a, b)| a == b && moves(a));
        let loads = accesses.loads.iter().filter(|(of, _)| of == buffer);
        let others = accesses.writes[..at].iter().filter(|(of, ..)| of == buffer);
        loads.into_iter().all(|(_, other)| same_lane(other))
            && others
                .into_iter()
                .all(|(_, other, also)| *sums && *also == *sums || same_lane(other))
            && (*sums || same_lane(indices))
    })
}

#[derive(Default)]
struct Accesses {
    loads: Vec<(BufferId, Vec<Int>)>,
    /// Entries written, and whether by a sum or its kin.
    writes: Vec<(BufferId, Vec<Int>, bool)>,
    set: Vec<IntId>,
}

impl Visit for Accesses {
    fn load(&mut self, buffer: BufferId, indices: &[Int]) {
        self.loads.push((buffer, indices.to_vec()));
    }

    fn enter(&mut self, node: &Node) {
        match node {
            Node::Store(place, _) | Node::StoreInt(place, _) => {
                self.writes.push((place.buffer, place.indices.clone(), false));
            }
            Node::Accumulate(place, ..) | Node::AddInt(place, _) => {
                self.writes.push((place.buffer, place.indices.clone(), true));
            }
            Node::SetInt(var, _) => self.set.push(*var),
            Node::Note(_)
            | Node::For(_)
            | Node::If(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Visit(_)
            | Node::Check(..) => {}
        }
    }
}
