//! The typed program: names resolved, calls inlined, sorts known (spec chapters 2 and 3).
//!
//! [`Program`] is generic in its statements. A typed program has [`Def`]s, whose
//! right sides are whole expressions; Tensor SSA has [`crate::ssa::Stmt`]s, sums
//! of terms. Both share everything else: [`Index`], [`Guard`], [`Expr`], blocks
//! and symbols.
//!
//! Ids point into the program's [`Symbols`]. Every binder has a variable of its
//! own, so an expression can be moved without renaming.

use crate::ast::{Cmp, Direction, Reduction};
use crate::function::{Fun, UserFunId};
use crate::number::Number;

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
    /// A size: a natural number given at the call.
    SizeId
    /// An index variable, bound by an axis, a reduction, a recurrence or a `requires`.
    VarId
    /// A tensor: a parameter or a definition.
    TensorId
    /// A relation: a finite set of index tuples, given at the call.
    RelId
}

/// A program: one function with every call inlined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program<S> {
    /// The function's name.
    pub name: String,
    /// What the ids stand for.
    pub symbols: Symbols,
    /// The parameters in order.
    pub params: Vec<Param>,
    /// The blocks in order.
    pub body: Vec<Block<S>>,
    /// The results in order: definitions or parameters.
    pub results: Vec<TensorId>,
}

/// A typed program.
pub type Typed = Program<Def>;

/// What the ids of a program stand for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Symbols {
    /// By [`SizeId`]: the name.
    pub sizes: Vec<String>,
    /// By [`VarId`].
    pub vars: Vec<Var>,
    /// By [`TensorId`].
    pub tensors: Vec<Tensor>,
    /// By [`RelId`].
    pub relations: Vec<Relation>,
    /// By [`UserFunId`].
    pub functions: Vec<UserFun>,
}

/// An index variable ranging over `0..range`; a negative range is empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Var {
    /// The name.
    pub name: String,
    /// The range, in sizes alone.
    pub range: Extent,
}

/// A tensor's name, element sort and shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tensor {
    /// The name.
    pub name: String,
    /// What its entries are.
    pub element: Element,
    /// The extents of its axes, in sizes alone.
    pub shape: Vec<Extent>,
}

/// What the entries of a tensor are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Element {
    /// Reals.
    Real,
    /// Integers in `0..bound`.
    Index(Extent),
}

/// A relation over `0..extents[0] × ..`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relation {
    /// The name.
    pub name: String,
    /// The ranges of its places, in sizes alone.
    pub extents: Vec<Extent>,
}

/// A scalar function with a derivative given by the user.
///
/// `params` are rank-0 tensors that occur in `value` and `partials` alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserFun {
    /// The name.
    pub name: String,
    /// Stand for the arguments.
    pub params: Vec<TensorId>,
    /// The name of the result in the text.
    pub result: String,
    /// The value.
    pub value: Expr,
    /// The partial derivative in each parameter.
    pub partials: Vec<Expr>,
}

/// A parameter of a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Param {
    /// `n: size`
    Size(SizeId),
    /// `x: real[..]` or `p: index(m)[..]`
    Tensor(TensorId),
    /// `R: rel(n, m)`
    Relation(RelId),
}

/// A statement, a recurrence, or a condition on data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Block<S> {
    /// One definition.
    Stmt(S),
    /// `rec t: n { .. }`: definitions that may read their own earlier entries.
    Rec(Rec<S>),
    /// `requires(v: n) p`
    Requires(Requires),
}

/// `rec vars { body }`. Each tensor of the body has `vars` (after those of the
/// enclosing blocks) as its leading axes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Rec<S> {
    /// The recurrence variables, outermost first, with their directions.
    pub vars: Vec<(VarId, Direction)>,
    /// What is computed at each step, in order.
    pub body: Vec<Block<S>>,
}

/// `requires(binders) condition`: checked at the call for all binders.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Requires {
    /// The quantified variables.
    pub binders: Vec<VarId>,
    /// What must hold.
    pub condition: Guard,
}

/// `tensor[axes] = value`. Inside `rec` blocks the leading axes are the
/// recurrence variables.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Def {
    /// What is defined.
    pub tensor: TensorId,
    /// One variable for each axis; its range is the extent of the axis.
    pub axes: Vec<VarId>,
    /// The value of the entry.
    pub value: Value,
}

/// The right side of a definition.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Value {
    /// A real entry.
    Real(Expr),
    /// An index entry.
    Index(Index),
}

/// An index expression in normal form: `constant + Σ coefficient · atom`.
///
/// Atoms are sorted and distinct, coefficients are not zero.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Index {
    terms: Vec<(Atom, i64)>,
    constant: i64,
}

/// An index expression in sizes alone: a range or an extent.
pub type Extent = Index;

/// What an index expression is a linear form in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Atom {
    /// `n`
    Size(SizeId),
    /// `i`
    Var(VarId),
    /// `p[i]`, an entry of an index tensor
    Read(TensorId, Vec<Index>),
    /// `e / k`, rounded down; k ≥ 1
    Div(Box<Index>, i64),
    /// `e % k`, in `0..k`; k ≥ 1
    Mod(Box<Index>, i64),
    /// `floor(e)` of a real
    Floor(Box<Expr>),
    /// `if p then a else b`
    If(Box<(Guard, Index, Index)>),
    /// `argmax(i: n where p) e`, `argmin(..) e`
    Arg(Box<ArgReduce>),
}

/// `argmax(var where guard) body` or `argmin`, as an index.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ArgReduce {
    /// [`Reduction::Argmax`] or [`Reduction::Argmin`].
    pub op: Reduction,
    /// The variable searched.
    pub var: VarId,
    /// The points taken.
    pub guard: Guard,
    /// What is compared.
    pub body: Expr,
}

/// A proposition, written `[p]` as a factor.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Guard {
    /// `a < b` and its kin, of indices.
    Compare(Cmp, Index, Index),
    /// `x < y` and its kin, of reals. Constant for differentiation.
    Real(Cmp, Box<(Expr, Expr)>),
    /// `R(i, j)`
    Member(RelId, Vec<Index>),
    /// `not p`
    Not(Box<Guard>),
    /// `p and q and ..`, lazy from left to right; none is *true*
    All(Vec<Guard>),
    /// `p or q or ..`, lazy from left to right; none is *false*
    Any(Vec<Guard>),
}

/// A real expression.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Expr {
    /// `0.5`
    Const(Number),
    /// `pi`
    Pi,
    /// `real(i)`: an index as a real, constant for differentiation
    Real(Index),
    /// `A[i, j]`, all axes given
    Access(TensorId, Vec<Index>),
    /// `f(a, b)`, and the operators
    Apply(Fun, Vec<Expr>),
    /// `[p] * e`: 0 where p does not hold, and there e is not evaluated
    Guarded(Guard, Box<Expr>),
    /// `if p then a else b`
    If(Guard, Box<(Expr, Expr)>),
    /// `sum(i: n, .. where p) e` and its kin; not `argmax`, `argmin`
    Reduce(Box<Reduce>),
    /// `let { blocks } in e`: tensors of this expression alone
    Let(Vec<Block<Def>>, Box<Expr>),
}

/// `op(binders where guard) body`
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Reduce {
    /// `sum`, `prod`, `max` or `min`.
    pub op: Reduction,
    /// The variables reduced over.
    pub binders: Vec<VarId>,
    /// The points taken.
    pub guard: Guard,
    /// What is reduced.
    pub body: Expr,
}

impl Index {
    /// The integer `n`.
    #[must_use]
    pub fn constant(n: i64) -> Self {
        Self { terms: Vec::new(), constant: n }
    }

    /// Whether only variables and sizes occur. The prover decides every question about comparisons of such.
    #[must_use]
    pub fn is_linear(&self) -> bool {
        self.terms.iter().all(|(atom, _)| match atom {
            Atom::Size(_) | Atom::Var(_) => true,
            Atom::Read(..)
            | Atom::Div(..)
            | Atom::Mod(..)
            | Atom::Floor(_)
            | Atom::If(_)
            | Atom::Arg(_) => false,
        })
    }

    /// One atom.
    #[must_use]
    pub fn atom(atom: Atom) -> Self {
        Self { terms: vec![(atom, 1)], constant: 0 }
    }

    /// One variable.
    #[must_use]
    pub fn var(var: VarId) -> Self {
        Self::atom(Atom::Var(var))
    }

    /// One size.
    #[must_use]
    pub fn size(size: SizeId) -> Self {
        Self::atom(Atom::Size(size))
    }

    /// The atoms with their coefficients, sorted by atom.
    #[must_use]
    pub fn terms(&self) -> &[(Atom, i64)] {
        &self.terms
    }

    /// The constant summand.
    #[must_use]
    pub fn constant_part(&self) -> i64 {
        self.constant
    }

    /// The value, if no atom occurs.
    #[must_use]
    pub fn as_constant(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }

    /// The variable, if the expression is just one.
    #[must_use]
    pub fn as_var(&self) -> Option<VarId> {
        match self.terms.as_slice() {
            [(Atom::Var(v), 1)] if self.constant == 0 => Some(*v),
            _ => None,
        }
    }

    /// `Σ coefficient · atom + constant`, brought to normal form; `None` if a coefficient overflows.
    #[must_use]
    pub fn collect(terms: impl IntoIterator<Item = (Atom, i64)>, constant: i64) -> Option<Self> {
        let mut terms: Vec<(Atom, i64)> = terms.into_iter().collect();
        terms.sort();
        let mut merged: Vec<(Atom, i64)> = Vec::with_capacity(terms.len());
        for (atom, coefficient) in terms {
            match merged.last_mut() {
                Some((last, sum)) if *last == atom => *sum = sum.checked_add(coefficient)?,
                _ => merged.push((atom, coefficient)),
            }
        }
        merged.retain(|(_, coefficient)| *coefficient != 0);
        Some(Self { terms: merged, constant })
    }

    /// `self + other`; `None` if a coefficient overflows.
    #[must_use]
    pub fn add(&self, other: &Self) -> Option<Self> {
        let terms = self.terms.iter().chain(&other.terms).cloned();
        Self::collect(terms, self.constant.checked_add(other.constant)?)
    }

    /// `factor · self`; `None` if a coefficient overflows.
    #[must_use]
    pub fn scale(&self, factor: i64) -> Option<Self> {
        let scaled = self.terms.iter().map(|(a, c)| Some((a.clone(), c.checked_mul(factor)?)));
        let terms: Option<Vec<_>> = scaled.collect();
        Self::collect(terms?, self.constant.checked_mul(factor)?)
    }

    /// `self - other`; `None` if a coefficient overflows.
    #[must_use]
    pub fn sub(&self, other: &Self) -> Option<Self> {
        self.add(&other.scale(-1)?)
    }
}

impl Guard {
    /// The proposition that always holds.
    #[must_use]
    pub fn truth() -> Self {
        Self::All(Vec::new())
    }

    /// Whether this is [`Guard::truth`] as written.
    #[must_use]
    pub fn is_truth(&self) -> bool {
        matches!(self, Self::All(all) if all.is_empty())
    }

    /// `self and other`, flattened, in this order.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut all = self.conjuncts();
        all.extend(other.conjuncts());
        Self::all(all)
    }

    /// The conjunction of `all`, flattened; a single one stands for itself.
    #[must_use]
    pub fn all(all: Vec<Self>) -> Self {
        let mut all: Vec<Self> = all.into_iter().flat_map(Self::conjuncts).collect();
        match all.len() {
            1 => all.remove(0),
            _ => Self::All(all),
        }
    }

    /// The propositions whose conjunction this is.
    #[must_use]
    pub fn conjuncts(self) -> Vec<Self> {
        match self {
            Self::All(all) => all,
            one @ (Self::Compare(..)
            | Self::Real(..)
            | Self::Member(..)
            | Self::Not(_)
            | Self::Any(_)) => vec![one],
        }
    }

    /// The proposition that holds exactly where this one does not. Negations are
    /// pushed to comparisons and relations, and laziness is kept (De Morgan's
    /// laws keep the order). `x < y` of reals is not `not (x >= y)` where NaN
    /// occurs, so a negated real comparison stays negated.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::Compare(cmp, a, b) => Self::Compare(cmp.negate(), a, b),
            Self::Not(p) => *p,
            Self::All(all) => Self::any(all.into_iter().map(Self::negate).collect()),
            Self::Any(any) => Self::all(any.into_iter().map(Self::negate).collect()),
            atom @ (Self::Real(..) | Self::Member(..)) => Self::Not(Box::new(atom)),
        }
    }

    /// The propositions whose disjunction this is.
    fn disjuncts(self) -> Vec<Self> {
        match self {
            Self::Any(any) => any,
            one @ (Self::Compare(..)
            | Self::Real(..)
            | Self::Member(..)
            | Self::Not(_)
            | Self::All(_)) => vec![one],
        }
    }

    /// The disjunction of `any`, flattened; a single one stands for itself.
    #[must_use]
    pub fn any(any: Vec<Self>) -> Self {
        let mut any: Vec<Self> = any.into_iter().flat_map(Self::disjuncts).collect();
        match any.len() {
            1 => any.remove(0),
            _ => Self::Any(any),
        }
    }
}

impl Expr {
    /// The integer `n` as a real.
    #[must_use]
    pub fn integer(n: i64) -> Self {
        Self::Const(Number::integer(n))
    }

    /// `[guard] * self`; a true guard is left out, nested guards join.
    #[must_use]
    pub fn guarded(self, guard: Guard) -> Self {
        if guard.is_truth() {
            return self;
        }
        if let Self::Guarded(inner, body) = self {
            return Self::Guarded(guard.and(inner), body);
        }
        Self::Guarded(guard, Box::new(self))
    }
}

impl Symbols {
    /// The tensor's row.
    #[must_use]
    pub fn tensor(&self, id: TensorId) -> &Tensor {
        &self.tensors[id.index()]
    }

    /// The variable's row.
    #[must_use]
    pub fn var(&self, id: VarId) -> &Var {
        &self.vars[id.index()]
    }

    /// The relation's row.
    #[must_use]
    pub fn relation(&self, id: RelId) -> &Relation {
        &self.relations[id.index()]
    }

    /// The row of a function with a user-given derivative.
    #[must_use]
    pub fn function(&self, id: UserFunId) -> &UserFun {
        &self.functions[id.0 as usize]
    }

    /// A fresh variable; names may repeat (the printer tells them apart).
    pub fn add_var(&mut self, name: impl Into<String>, range: Extent) -> VarId {
        self.vars.push(Var { name: name.into(), range });
        VarId(self.vars.len() as u32 - 1)
    }

    /// A fresh tensor; names may repeat (the printer tells them apart).
    pub fn add_tensor(&mut self, tensor: Tensor) -> TensorId {
        self.tensors.push(tensor);
        TensorId(self.tensors.len() as u32 - 1)
    }
}
