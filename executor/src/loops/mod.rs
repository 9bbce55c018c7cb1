//! Loop programs: what a machine does, in a dozen node kinds (spec chapter 7).
//!
//! A [`LoopProgram`] has buffers, scalar variables, and a body of [`Node`]s that
//! run in order. Integers are exact 64-bit values: loop variables, places, bounds.
//! Reals are of the scalar type the program is run in.
//!
//! Notation: `b` buffers, `i` integer variables, `r` real variables.

pub mod parse;
mod print;
mod simplify;
pub mod verify;
pub mod walk;
pub(crate) mod window;

pub use parse::ParseError;
pub use print::Texts;

use iverson_spec::ast::Cmp;
use iverson_spec::function::Fun;
pub use iverson_spec::ir::{RelId, SizeId};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub u32);
        impl $name {
            /// The place in its table.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// A buffer.
    BufferId
    /// An integer variable; a loop variable is one.
    IntId
    /// A real variable.
    RealId
    /// A check and its message.
    CheckId
    /// A statement of the source; counts of visited points are kept by it.
    StatementId
}

/// A program of loops.
#[derive(Clone, PartialEq, Debug)]
pub struct LoopProgram {
    /// The function's name.
    pub name: String,
    /// By [`SizeId`]: the sizes of the source program, then for each relation the number of its tuples.
    pub sizes: Vec<String>,
    /// By [`RelId`].
    pub relations: Vec<RelationTable>,
    /// By [`BufferId`].
    pub buffers: Vec<Buffer>,
    /// By [`IntId`]: names.
    pub ints: Vec<String>,
    /// By [`RealId`]: names.
    pub reals: Vec<String>,
    /// By [`CheckId`].
    pub checks: Vec<Check>,
    /// By [`StatementId`]: the tensor that the statement defines.
    pub statements: Vec<String>,
    /// What is done, in order.
    pub body: Vec<Node>,
}

/// A relation as sorted coordinates: tuple `e` is `(coordinates[0][e], coordinates[1][e], ..)`.
#[derive(Clone, PartialEq, Debug)]
pub struct RelationTable {
    /// The name.
    pub name: String,
    /// The number of tuples.
    pub count: SizeId,
    /// One integer buffer for each place.
    pub coordinates: Vec<BufferId>,
    /// The extents of the box that tuples are within, in sizes alone; one for each place.
    pub extents: Vec<Int>,
}

/// A dense array, row-major.
#[derive(Clone, PartialEq, Debug)]
pub struct Buffer {
    /// The name.
    pub name: String,
    /// What its entries are.
    pub element: Element,
    /// The extents of its axes, in sizes alone.
    pub extents: Vec<Int>,
    /// Who gives and who gets it.
    pub role: Role,
}

/// What the entries of a buffer are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Element {
    /// Reals.
    Real,
    /// Integers.
    Int,
}

/// Who gives a buffer and who gets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Given by the caller, not written.
    Input,
    /// Returned to the caller; its entries are undefined until written.
    Output,
    /// Needed during the run alone; its entries are undefined until written.
    Temporary,
    /// A temporary that each step of a loop at top level has for itself: its entries are undefined when a step
    /// begins. It holds the rows of the step's window ([`window`]).
    Local,
}

impl Role {
    /// Whether the run alone needs it.
    #[must_use]
    pub fn is_inside(self) -> bool {
        match self {
            Self::Temporary | Self::Local => true,
            Self::Input | Self::Output => false,
        }
    }
}

/// What can go wrong, with what its message tells.
#[derive(Clone, PartialEq, Debug)]
pub enum Check {
    /// A `requires` clause, from 1, with its condition and its variables.
    Requires {
        /// Which of the program's clauses.
        clause: usize,
        /// The condition as text.
        condition: String,
        /// The quantified variables.
        point: Vec<(String, IntId)>,
    },
    /// An entry of an index definition must be in its sort.
    Sort {
        /// The tensor.
        tensor: String,
        /// The axes.
        position: Vec<Int>,
        /// The entry.
        value: IntId,
        /// The bound of the sort.
        bound: Int,
    },
    /// A recurrence must read what it has computed.
    Earlier {
        /// The tensor being defined.
        tensor: String,
        /// The entry being defined.
        position: Vec<Int>,
        /// The tensor read.
        read: String,
        /// The entry read.
        entry: Vec<Int>,
    },
}

/// What is done.
#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    /// `# text`
    Note(String),
    /// `for i in lower..upper { .. }`
    For(Box<For>),
    /// `if p { .. }`
    If(Cond, Vec<Node>),
    /// `i = e`
    SetInt(IntId, Int),
    /// `r = e`
    Set(RealId, Real),
    /// `r += e` and its kin
    Join(RealId, Fold, Real),
    /// `b[..] = e`
    Store(Place, Real),
    /// `b[..] += e` and its kin
    Accumulate(Place, Fold, Real),
    /// `b[..] = e` of integers
    StoreInt(Place, Int),
    /// `b[..] += e` of integers
    AddInt(Place, Int),
    /// `visit s`: a point of a statement is visited
    Visit(StatementId),
    /// `check p else 1`: the run ends with the first message where p does not hold
    Check(CheckId, Cond),
}

impl Node {
    /// Whether it is a loop, or one stands in it.
    #[must_use]
    pub fn has_loop(&self) -> bool {
        matches!(self, Self::For(_)) || self.inside().iter().any(Self::has_loop)
    }

    /// The nodes that stand in a loop or under a condition; none in any other.
    #[must_use]
    pub fn inside(&self) -> &[Self] {
        match self {
            Self::For(header) => &header.body,
            Self::If(_, body) => body,
            Self::Note(_)
            | Self::SetInt(..)
            | Self::Set(..)
            | Self::Join(..)
            | Self::Store(..)
            | Self::Accumulate(..)
            | Self::StoreInt(..)
            | Self::AddInt(..)
            | Self::Visit(_)
            | Self::Check(..) => &[],
        }
    }

    /// The same with other nodes inside, where it has any.
    #[must_use]
    pub fn map_inside(mut self, change: impl FnOnce(Vec<Self>) -> Vec<Self>) -> Self {
        match &mut self {
            Self::For(header) => header.body = change(std::mem::take(&mut header.body)),
            Self::If(_, body) => *body = change(std::mem::take(body)),
            Self::Note(_)
            | Self::SetInt(..)
            | Self::Set(..)
            | Self::Join(..)
            | Self::Store(..)
            | Self::Accumulate(..)
            | Self::StoreInt(..)
            | Self::AddInt(..)
            | Self::Visit(_)
            | Self::Check(..) => {}
        }
        self
    }
}

/// A loop. Its variable takes the values `v` with `max(lower) <= v < min(upper)` and, where there is
/// a stride, `v ≡ residue (mod modulus)`.
#[derive(Clone, PartialEq, Debug)]
pub struct For {
    /// The loop variable.
    pub var: IntId,
    /// At least one; the greatest counts.
    pub lower: Vec<Int>,
    /// At least one, exclusive; the least counts.
    pub upper: Vec<Int>,
    /// `(modulus, residue)`, modulus at least 2.
    pub stride: Option<(i64, Int)>,
    /// In which order the values are taken.
    pub order: Order,
    /// What is done for each value.
    pub body: Vec<Node>,
}

impl For {
    /// The loop without its body.
    #[must_use]
    pub fn bare(&self) -> Self {
        let Self { var, lower, upper, stride, order, body: _ } = self;
        let (lower, upper, stride) = (lower.clone(), upper.clone(), stride.clone());
        Self { var: *var, lower, upper, stride, order: *order, body: Vec::new() }
    }

    /// The greatest constant that it begins at, and the least that it ends at.
    pub(crate) fn constants(&self) -> Option<(i64, i64)> {
        let start = self.lower.iter().filter_map(Int::as_const).max()?;
        let end = self.upper.iter().filter_map(Int::as_const).min()?;
        Some((start, end))
    }

    /// The most steps that it has for all sizes, if two of its ends differ by a constant; a stride leaves some out.
    pub(crate) fn most_steps(&self) -> Option<i64> {
        let steps = |to: &Int| {
            let from = |from: &Int| to.clone().minus(from.clone()).as_const();
            self.lower.iter().filter_map(from).min()
        };
        self.upper.iter().filter_map(steps).min()
    }

    /// How far apart the values of its variable are.
    #[must_use]
    pub fn step(&self) -> i64 {
        self.stride.as_ref().map_or(1, |(modulus, _)| *modulus)
    }
}

/// In which order a loop runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Upwards.
    Ascending,
    /// Downwards.
    Descending,
    /// Any order, or at once: no iteration reads or writes what another writes.
    Parallel,
}

/// An entry of a buffer.
#[derive(Clone, PartialEq, PartialOrd, Debug)]
pub struct Place {
    /// The buffer.
    pub buffer: BufferId,
    /// One index for each axis.
    pub indices: Vec<Int>,
}

/// How values are joined.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub enum Fold {
    /// `+=`, from 0
    Sum,
    /// `*=`, from 1
    Prod,
    /// `max=`, from -infinity: replaced by what is greater
    Max,
    /// `min=`, from +infinity: replaced by what is less
    Min,
}

/// An integer.
#[derive(Clone, PartialEq, PartialOrd, Debug)]
pub enum Int {
    /// `3`
    Const(i64),
    /// `n`
    Size(SizeId),
    /// `i`
    Var(IntId),
    /// `b[..]`
    Load(BufferId, Vec<Int>),
    /// `2 * i + j + 1`: the terms are distinct and none of them a sum or a constant
    Sum(Vec<(i64, Int)>, i64),
    /// `n * m`
    Product(Vec<Int>),
    /// `e / k`, rounded down; k ≥ 1
    Div(Box<Int>, i64),
    /// `e % k`, in `0..k`; k ≥ 1
    Mod(Box<Int>, i64),
    /// `e / d`, rounded down; d ≥ 1 is no constant
    DivBy(Box<(Int, Int)>),
    /// `floor(e)`: an error for NaN and beyond 64 bits
    Floor(Box<Real>),
    /// `if p then a else b`
    Select(Box<(Cond, Int, Int)>),
}

/// A real.
#[derive(Clone, PartialEq, PartialOrd, Debug)]
pub enum Real {
    /// `0.5`
    Const(f64),
    /// `real(i)`
    Int(Int),
    /// `r`
    Var(RealId),
    /// `b[..]`
    Load(BufferId, Vec<Int>),
    /// `f(a, b)` and the operators; not a user's function
    Apply(Fun, Vec<Real>),
    /// `if p then a else b`
    Select(Box<(Cond, Real, Real)>),
}

/// A proposition; `and`, `or` are lazy from left to right.
#[derive(Clone, PartialEq, PartialOrd, Debug)]
pub enum Cond {
    /// `a < b` and its kin, of integers.
    Int(CmpOp, Int, Int),
    /// `x < y` and its kin, of reals.
    Real(CmpOp, Box<(Real, Real)>),
    /// `R(i, j)`
    Member(RelId, Vec<Int>),
    /// `not p`
    Not(Box<Cond>),
    /// `p and q`; none is *true*
    All(Vec<Cond>),
    /// `p or q`; none is *false*
    Any(Vec<Cond>),
}

/// A comparison, ordered so that conditions can be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub enum CmpOp {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl From<Cmp> for CmpOp {
    fn from(cmp: Cmp) -> Self {
        match cmp {
            Cmp::Eq => Self::Eq,
            Cmp::Ne => Self::Ne,
            Cmp::Lt => Self::Lt,
            Cmp::Le => Self::Le,
            Cmp::Gt => Self::Gt,
            Cmp::Ge => Self::Ge,
        }
    }
}

impl CmpOp {
    /// Whether it holds of two numbers; unordered ones are only unequal.
    #[must_use]
    #[inline]
    pub fn holds<T: PartialOrd>(self, a: T, b: T) -> bool {
        match self {
            Self::Eq => a == b,
            Self::Ne => a != b,
            Self::Lt => a < b,
            Self::Le => a <= b,
            Self::Gt => a > b,
            Self::Ge => a >= b,
        }
    }

    /// As it is written.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

impl Fold {
    /// The value of no points.
    #[must_use]
    pub fn empty(self) -> f64 {
        match self {
            Self::Sum => 0.0,
            Self::Prod => 1.0,
            Self::Max => f64::NEG_INFINITY,
            Self::Min => f64::INFINITY,
        }
    }

    /// As it is written.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Sum => "+=",
            Self::Prod => "*=",
            Self::Max => "max=",
            Self::Min => "min=",
        }
    }
}

impl LoopProgram {
    /// Leaves a buffer without entries, since nothing uses it; it keeps its id.
    pub(crate) fn drop_buffer(&mut self, id: BufferId) {
        self.buffers[id.index()].extents.fill(Int::Const(0));
    }

    /// Loops over all entries of a box, each in any order, with new variables of this name; `inside` is given the
    /// variables. `order` has each axis once, the outermost loop first.
    pub(crate) fn nest(
        &mut self,
        name: &str,
        extents: &[Int],
        order: &[usize],
        inside: impl FnOnce(Vec<Int>) -> Node,
    ) -> Node {
        let vars: Vec<IntId> = extents.iter().map(|_| self.add_int(name)).collect();
        let node = inside(vars.iter().map(|var| Int::Var(*var)).collect());
        order.iter().rev().fold(node, |inside, &axis| {
            Node::For(Box::new(For {
                var: vars[axis],
                lower: vec![Int::Const(0)],
                upper: vec![extents[axis].clone()],
                stride: None,
                order: Order::Parallel,
                body: vec![inside],
            }))
        })
    }

    /// The buffer's row.
    #[must_use]
    pub fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.index()]
    }

    /// A fresh integer variable.
    pub fn add_int(&mut self, name: impl Into<String>) -> IntId {
        self.ints.push(name.into());
        IntId(self.ints.len() as u32 - 1)
    }

    /// A fresh real variable.
    pub fn add_real(&mut self, name: impl Into<String>) -> RealId {
        self.reals.push(name.into());
        RealId(self.reals.len() as u32 - 1)
    }

    /// A fresh buffer.
    pub fn add_buffer(&mut self, buffer: Buffer) -> BufferId {
        self.buffers.push(buffer);
        BufferId(self.buffers.len() as u32 - 1)
    }
}
