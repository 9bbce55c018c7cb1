//! What a vector loop is: operations on blocks of lanes, in scopes.
//!
//! A lane is one iteration. A scope has the lanes in which its condition holds, side by side,
//! so nothing is evaluated in the others; its blocks are its own. What a scope needs of the one
//! around it is moved in when it begins, and what it changes there is moved out when it ends.

use crate::loops::{BufferId, CheckId, CmpOp, Cond, Fold, For, Int, IntId, Real, RealId, RelId};
use iverson_spec::function::Fun;

/// A loop as operations.
#[derive(Clone, Debug)]
pub(super) struct VectorLoop {
    /// What is done with all lanes of a block.
    pub(super) scope: Scope,
    /// The number of blocks of reals.
    pub(super) reals: usize,
    /// The number of blocks of integers.
    pub(super) ints: usize,
    /// The sums that are kept in real variables.
    pub(super) joins: Vec<(RealId, Fold)>,
    /// How many scopes stand within one another.
    pub(super) depth: usize,
    /// Whether there are loops inside other than contractions, which the lanes take together.
    pub(super) loops: bool,
}

impl VectorLoop {
    /// The contractions in it.
    pub(super) fn contractions(&self) -> impl Iterator<Item = &Contraction> {
        self.scope.ops.iter().filter_map(|op| match op {
            Op::Contract(contraction) => Some(&**contraction),
            Op::Int(..)
            | Op::Real(..)
            | Op::Deliver(..)
            | Op::Join(..)
            | Op::Dot(..)
            | Op::Put(..)
            | Op::Reduce(..)
            | Op::Scatter(..)
            | Op::ScatterInts(..)
            | Op::When(_)
            | Op::Each(_)
            | Op::Search(_)
            | Op::Check(..) => None,
        })
    }
}

/// Operations on some lanes, in order, and what they read.
#[derive(Clone, Default, Debug)]
pub(super) struct Scope {
    pub(super) ops: Vec<Op>,
    /// The entries that are touched along the loop.
    pub(super) lines: Vec<Line>,
    /// Reals that are the same in all lanes.
    pub(super) uniforms: Vec<Real>,
    /// Integers that are the same in all lanes.
    pub(super) uniform_ints: Vec<Int>,
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

/// One operation on all lanes of a scope; the first number is the block that is set.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Int(usize, IntOp),
    Real(usize, RealOp),
    /// A block of the scope around, joined to.
    Deliver(usize, Fold, Arg),
    /// A fold kept in a variable.
    Join(usize, Fold, Arg),
    /// A sum of products kept in a variable.
    Dot(usize, Arg, Arg),
    /// Entries along a line, stored or joined to.
    Put(usize, Option<Fold>, Arg),
    /// One entry gets the values of all lanes.
    Reduce(usize, Fold, Arg),
    /// Entries at places, lane after lane.
    Scatter(BufferId, usize, Option<Fold>, Arg),
    /// Integers at places, lane after lane; added to them if so.
    ScatterInts(BufferId, usize, bool, IntArg),
    When(Box<When>),
    Each(Box<Each>),
    /// Only in the outermost scope.
    Contract(Box<Contraction>),
    Search(Box<Search>),
    /// Ends the run where the test fails in a lane.
    Check(CheckId, Test),
}

/// Integers for each lane.
#[derive(Clone, Debug)]
pub(super) enum IntOp {
    /// `base + step · loop variable`
    Ramp(usize, i64),
    /// Entries along a line.
    Load(usize),
    /// Entries at places.
    Gather(BufferId, usize),
    /// `Σ factor · block`
    Sum(Vec<(i64, IntArg)>),
    Product(Vec<IntArg>),
    /// `e / k`, `e % k`, rounded down
    Div(IntArg, i64),
    Mod(IntArg, i64),
    DivBy(IntArg, IntArg),
    /// An error for NaN and beyond 64 bits.
    Floor(Arg),
    /// The places of entries with these indices.
    Places(BufferId, Vec<IntArg>),
}

/// Reals for each lane.
#[derive(Clone, Debug)]
pub(super) enum RealOp {
    /// Integers as reals.
    Convert(IntArg),
    /// Entries at places.
    Gather(BufferId, usize),
    Copy(Arg),
    Unary(Fun, Arg),
    Binary(Fun, Arg, Arg),
    /// `a - b`
    Sub(Arg, Arg),
    /// A value joined to another one.
    Join(Fold, Arg, Arg),
    /// `a + b · c`, both rounded.
    AddProduct(Arg, [Arg; 2]),
    Choose(Test, Arg, Arg),
}

/// A condition on lanes; all of it may be evaluated, whatever holds of its parts.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// The same in all lanes.
    Uniform(Cond),
    Int(CmpOp, IntArg, IntArg),
    Real(CmpOp, Arg, Arg),
    Member(RelId, Vec<IntArg>),
    Not(Box<Test>),
    All(Vec<Test>),
    Any(Vec<Test>),
}

/// Sums of products: to each of some blocks a nest of loops adds factors times lines.
#[derive(Clone, Debug)]
pub(super) struct Contraction {
    /// The blocks.
    pub(super) sums: Vec<usize>,
    pub(super) nest: Nest,
}

/// What a step of such a nest does.
#[derive(Clone, Debug)]
pub(super) enum Nest {
    /// A loop, without its body, and what is in it; the same for all lanes.
    Loop(For, Vec<Nest>),
    Leaves(Vec<Leaf>),
}

/// A factor times a line, added.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    /// Which of the sums.
    pub(super) sum: usize,
    pub(super) factor: Factor,
    /// Where the loop variable is 0; the entries of the lanes lie side by side.
    pub(super) line: Track,
}

/// What is the same in all lanes.
#[derive(Clone, Debug)]
pub(super) enum Factor {
    One,
    /// A constant times an entry.
    Entry(f64, Track),
    Value(Real),
}

/// An entry, and by how much each index moves with the innermost loop around.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub(super) buffer: BufferId,
    pub(super) indices: Vec<Int>,
    pub(super) steps: Vec<i64>,
}

/// Blocks that move between a scope and the one around it: `(around, within)`.
#[derive(Clone, Default, Debug)]
pub(super) struct Moves {
    pub(super) reals: Vec<(usize, usize)>,
    pub(super) ints: Vec<(usize, usize)>,
}

/// A scope with what moves into it and out of it.
#[derive(Clone, Default, Debug)]
pub(super) struct Inner {
    pub(super) ins: Moves,
    pub(super) scope: Scope,
    pub(super) outs: Moves,
}

/// What is done in the lanes where a test holds.
#[derive(Clone, Debug)]
pub(super) struct When {
    pub(super) test: Test,
    pub(super) inner: Inner,
}

/// A loop in each lane; the lanes take its steps together.
#[derive(Clone, Debug)]
pub(super) struct Each {
    pub(super) steps: Steps,
    pub(super) inner: Inner,
}

/// The values of the variable of a loop in each lane.
#[derive(Clone, Debug)]
pub(super) enum Steps {
    /// The same in all lanes: the loop without its body.
    Uniform(For),
    /// From the greatest of `lower` on below the least of `upper`; a lane leaves after its last.
    Lanes {
        lower: Vec<IntArg>,
        upper: Vec<IntArg>,
        stride: Option<(i64, IntArg)>,
        descending: bool,
        /// The variable, a block of the scope within.
        var: usize,
    },
}

/// The place of the first greatest value, or least, kept in variables.
#[derive(Clone, Debug)]
pub(super) struct Search {
    pub(super) value: Arg,
    pub(super) at: IntArg,
    pub(super) best: RealId,
    pub(super) found: IntId,
    /// What `found` is as long as there is none.
    pub(super) none: usize,
    pub(super) greatest: bool,
    /// Whether an equal value at an earlier place replaces the one that is kept.
    pub(super) ties: bool,
}

/// Sees every block that an operation mentions, but those of scopes within.
pub(super) trait Blocks {
    fn real(&mut self, block: &mut usize);
    fn int(&mut self, block: &mut usize);

    fn arg(&mut self, arg: &mut Arg) {
        if let Arg::Block(block) = arg {
            self.real(block);
        }
    }

    fn int_arg(&mut self, arg: &mut IntArg) {
        if let IntArg::Block(block) = arg {
            self.int(block);
        }
    }
}

impl Op {
    /// Tells of the blocks of the scope that the operation stands in.
    pub(super) fn blocks(&mut self, seen: &mut impl Blocks) {
        match self {
            Self::Int(to, op) => {
                op.blocks(seen);
                seen.int(to);
            }
            Self::Real(to, op) => {
                op.blocks(seen);
                seen.real(to);
            }
            Self::Deliver(_, _, arg)
            | Self::Join(_, _, arg)
            | Self::Put(_, _, arg)
            | Self::Reduce(_, _, arg) => seen.arg(arg),
            Self::Dot(_, a, b) => {
                seen.arg(a);
                seen.arg(b);
            }
            Self::Scatter(_, places, _, arg) => {
                seen.int(places);
                seen.arg(arg);
            }
            Self::ScatterInts(_, places, _, arg) => {
                seen.int(places);
                seen.int_arg(arg);
            }
            Self::When(when) => {
                when.test.blocks(seen);
                when.inner.around(seen);
            }
            Self::Each(each) => {
                if let Steps::Lanes { lower, upper, stride, .. } = &mut each.steps {
                    let strides = stride.iter_mut().map(|(_, residue)| residue);
                    lower.iter_mut().chain(upper).chain(strides).for_each(|e| seen.int_arg(e));
                }
                each.inner.around(seen);
            }
            Self::Contract(contraction) => {
                contraction.sums.iter_mut().for_each(|sum| seen.real(sum));
            }
            Self::Search(search) => {
                seen.arg(&mut search.value);
                seen.int_arg(&mut search.at);
            }
            Self::Check(_, test) => test.blocks(seen),
        }
    }
}

impl Inner {
    /// Tells of the blocks of the scope around.
    fn around(&mut self, seen: &mut impl Blocks) {
        for moves in [&mut self.ins, &mut self.outs] {
            moves.reals.iter_mut().for_each(|(around, _)| seen.real(around));
            moves.ints.iter_mut().for_each(|(around, _)| seen.int(around));
        }
        for op in &mut self.scope.ops {
            if let Op::Deliver(to, ..) = op {
                seen.real(to);
            }
        }
    }
}

impl IntOp {
    fn blocks(&mut self, seen: &mut impl Blocks) {
        match self {
            Self::Ramp(..) | Self::Load(_) => {}
            Self::Gather(_, places) => seen.int(places),
            Self::Sum(terms) => terms.iter_mut().for_each(|(_, arg)| seen.int_arg(arg)),
            Self::Product(args) | Self::Places(_, args) => {
                args.iter_mut().for_each(|arg| seen.int_arg(arg));
            }
            Self::Div(arg, _) | Self::Mod(arg, _) => seen.int_arg(arg),
            Self::DivBy(a, b) => {
                seen.int_arg(a);
                seen.int_arg(b);
            }
            Self::Floor(arg) => seen.arg(arg),
        }
    }
}

impl RealOp {
    fn blocks(&mut self, seen: &mut impl Blocks) {
        match self {
            Self::Convert(arg) => seen.int_arg(arg),
            Self::Gather(_, places) => seen.int(places),
            Self::Copy(arg) | Self::Unary(_, arg) => seen.arg(arg),
            Self::Binary(_, a, b) | Self::Sub(a, b) | Self::Join(_, a, b) => {
                seen.arg(a);
                seen.arg(b);
            }
            Self::AddProduct(base, factors) => {
                seen.arg(base);
                factors.iter_mut().for_each(|arg| seen.arg(arg));
            }
            Self::Choose(test, a, b) => {
                test.blocks(seen);
                seen.arg(a);
                seen.arg(b);
            }
        }
    }
}

impl Test {
    fn blocks(&mut self, seen: &mut impl Blocks) {
        match self {
            Self::Uniform(_) => {}
            Self::Int(_, a, b) => {
                seen.int_arg(a);
                seen.int_arg(b);
            }
            Self::Real(_, a, b) => {
                seen.arg(a);
                seen.arg(b);
            }
            Self::Member(_, args) => args.iter_mut().for_each(|arg| seen.int_arg(arg)),
            Self::Not(inner) => inner.blocks(seen),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter_mut().for_each(|part| part.blocks(seen));
            }
        }
    }
}
