//! The program as written (spec chapter 1).
//!
//! One expression type serves reals, indices and predicates alike; which of
//! them an expression is, chapter 2 decides. Sums and products are flat lists,
//! so a sum of a hundred thousand summands is no deeper than one of two.

use crate::diagnostic::Span;

/// A name with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A file: constants and functions, in the order written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Module {
    /// `const` and `fn` items.
    pub items: Vec<Item>,
}

/// A top-level item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// `const name = value`
    Const {
        /// The constant's name.
        name: Name,
        /// A real expression of numerals and earlier constants.
        value: Expr,
    },
    /// `fn name(params) -> (results) { body } derivative { .. }`
    Fn(Function),
}

/// `fn name(params) -> (results) { body }`, possibly with a derivative.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    /// The function's name.
    pub name: Name,
    /// `x: real[n]`, in order.
    pub params: Vec<Param>,
    /// `y: real[n]`, in order; each is defined by the body or is a parameter.
    pub results: Vec<Param>,
    /// The statements.
    pub body: Vec<Stmt>,
    /// `derivative { x: partial, .. }`
    pub derivative: Option<Vec<Partial>>,
    /// The whole item.
    pub span: Span,
}

/// `name: sort`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Param {
    /// The name.
    pub name: Name,
    /// Its sort.
    pub sort: Sort,
}

/// `x: partial` in a derivative clause: the partial derivative in `x`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partial {
    /// A parameter of the function.
    pub param: Name,
    /// A real expression in the parameters.
    pub value: Expr,
}

/// A sort with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sort {
    /// Which sort.
    pub kind: SortKind,
    /// Where it stands.
    pub span: Span,
}

/// `size`, `real[..]`, `index(m)[..]`, `rel(n, m)`
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SortKind {
    /// `size`
    Size,
    /// `real`, `real[n, m]`
    Real(Vec<Expr>),
    /// `index(m)`, `index(m)[n]`
    Index(Box<Expr>, Vec<Expr>),
    /// `rel(n, m)`
    Rel(Vec<Expr>),
}

/// A statement of a body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stmt {
    /// `t[i: n] = e`, `(lo, hi) = f(x)`
    Def {
        /// What is defined; more than one only for a call.
        targets: Vec<Target>,
        /// Its value.
        value: Expr,
    },
    /// `rec t: n, j: m descending { .. }`
    Rec {
        /// The recurrence variables, outermost first.
        vars: Vec<RecVar>,
        /// The statements of the block.
        body: Vec<Stmt>,
        /// The head `rec ..`.
        span: Span,
    },
    /// `requires(v: n) p`
    Requires {
        /// The quantified variables.
        binders: Vec<Binder>,
        /// What data must satisfy.
        condition: Expr,
        /// The whole statement.
        span: Span,
    },
}

/// `t[i: n, j: m]: index(k)`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// The tensor defined.
    pub name: Name,
    /// Its axes.
    pub axes: Vec<Axis>,
    /// The sort of an entry, where it is written.
    pub sort: Option<Sort>,
}

/// An axis of a definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Axis {
    /// `i: n`
    Bind(Binder),
    /// `t`, a recurrence variable of an enclosing block
    Carried(Name),
}

/// `i: n`: an index variable over `0..n`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binder {
    /// The variable.
    pub name: Name,
    /// Its range, affine in sizes.
    pub range: Expr,
}

/// `t: n` or `t: n descending`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecVar {
    /// The variable with its range.
    pub binder: Binder,
    /// Which way the recurrence runs.
    pub direction: Direction,
}

/// The order in which a recurrence variable runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Direction {
    /// `0, 1, .., n - 1`
    Ascending,
    /// `n - 1, .., 1, 0`
    Descending,
}

/// An expression with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expr {
    /// Which expression.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// An expression; the comment gives the notation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExprKind {
    /// `0.5`, as written
    Number(String),
    /// `x`
    Name(String),
    /// `A[i, j + 1]`
    Access(Name, Vec<Expr>),
    /// `f(x, y)`: a function, a relation, a conversion
    Call(Name, Vec<Expr>),
    /// `-e`, `not p`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b - c`: the sign of each summand, then the summand
    Sum(Vec<(Sign, Expr)>),
    /// `a * b / c % d`: the operator before each factor (`Times` before the first), then the factor
    Chain(Vec<(ChainOp, Expr)>),
    /// `a ^ b`
    Power(Box<Expr>, Box<Expr>),
    /// `0 <= i < n`: the first operand, then each comparison with its right operand
    Compare(Box<Expr>, Vec<(Cmp, Expr)>),
    /// `p and q and ..`, `p or q or ..`
    Logic(LogicOp, Vec<Expr>),
    /// `[p]`
    Bracket(Box<Expr>),
    /// `sum(i: n, j: m where p) e`
    Reduce {
        /// Which reduction.
        op: Reduction,
        /// The variables reduced over.
        binders: Vec<Binder>,
        /// The points taken.
        guard: Option<Box<Expr>>,
        /// What is reduced.
        body: Box<Expr>,
    },
    /// `for(i: n) e`: a tensor by its entries
    For(Vec<Binder>, Box<Expr>),
    /// `if p then a else b`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `let { stmts } in e`; `let x = a in e` is the same with one statement
    Let(Vec<Stmt>, Box<Expr>),
}

/// A prefix operator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum UnaryOp {
    /// `-e`
    Neg,
    /// `not p`
    Not,
}

/// The sign of a summand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Sign {
    /// `+ e`
    Plus,
    /// `- e`
    Minus,
}

/// The operator before a factor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ChainOp {
    /// `* e`
    Times,
    /// `/ e`: of reals division, of indices floor division by a positive constant
    Over,
    /// `% e`: the non-negative remainder by a positive constant
    Modulo,
}

/// A comparison.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cmp {
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

impl Cmp {
    /// The comparison that holds exactly where this one does not.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::Eq => Self::Ne,
            Self::Ne => Self::Eq,
            Self::Lt => Self::Ge,
            Self::Le => Self::Gt,
            Self::Gt => Self::Le,
            Self::Ge => Self::Lt,
        }
    }

    /// Whether `a self b`, given how `a` compares to `b`.
    #[must_use]
    pub fn test(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Eq => ordering.is_eq(),
            Self::Ne => ordering.is_ne(),
            Self::Lt => ordering.is_lt(),
            Self::Le => ordering.is_le(),
            Self::Gt => ordering.is_gt(),
            Self::Ge => ordering.is_ge(),
        }
    }

    /// The symbol.
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

/// `and`, `or`; both lazy from left to right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LogicOp {
    /// `and`
    And,
    /// `or`
    Or,
}

/// A reduction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reduction {
    /// `sum`, 0 over no points
    Sum,
    /// `prod`, 1 over no points
    Prod,
    /// `max`, -infinity over no points
    Max,
    /// `min`, +infinity over no points
    Min,
    /// `argmax`: the first point of the maximum; the range itself over no points
    Argmax,
    /// `argmin`: the first point of the minimum; the range itself over no points
    Argmin,
}

impl Reduction {
    /// Every reduction.
    pub const ALL: [Self; 6] =
        [Self::Sum, Self::Prod, Self::Max, Self::Min, Self::Argmax, Self::Argmin];

    /// The keyword.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Prod => "prod",
            Self::Max => "max",
            Self::Min => "min",
            Self::Argmax => "argmax",
            Self::Argmin => "argmin",
        }
    }
}
