//! From a program to statements with their points, bodies and partials compiled.

use super::Visits;
use super::points::{Points, Shared, Table};
use crate::StrategyError;
use crate::code::{Cases, Compiler, Int, Real, Test, Unsupported};
use crate::data::Members;
use crate::price::Price;
use crate::scalar::Scalar;
use iverson_ad::{Linearized, Use};
use iverson_spec::ast::{Direction, Reduction};
use iverson_spec::call::{Bound, definitions, entries};
use iverson_spec::ir::{Block, Element, Expr, Requires, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::work::{PointCost, costs};
use std::ops::Range;

/// A block with the tables that it needs.
#[derive(Clone, Debug)]
pub(super) struct Top<S> {
    pub(super) node: Node<S>,
    pub(super) tables: Range<usize>,
}

/// A block.
#[derive(Clone, Debug)]
pub(super) enum Node<S> {
    Stmt(Statement<S>),
    /// Variables with their ranges and directions, outermost first.
    Rec(Vec<(usize, i64, Direction)>, Vec<Node<S>>),
    /// Binders with their ranges, the condition, and which clause it is.
    Requires(Vec<(usize, i64)>, Test<S>, usize),
}

/// `buffer[entry] = ..`
#[derive(Clone, Debug)]
pub(super) struct Statement<S> {
    pub(super) buffer: usize,
    pub(super) entry: Int<S>,
    /// The cotangent of the entry.
    pub(super) cotangent: Real<S>,
    pub(super) kind: Kind<S>,
    /// Whether something is sent back.
    pub(super) live: bool,
}

/// The right side of a statement.
#[derive(Clone, Debug)]
pub(super) enum Kind<S> {
    Sum(Vec<Summand<S>>),
    /// `prod`, `max` or `min`; the own axes and the binders with their ranges.
    Fold(Reduction, Summand<S>, Vec<(usize, i64)>, Vec<(usize, i64)>),
    /// `argmax` or `argmin` of the variable.
    Arg(Reduction, Summand<S>, usize),
    /// The own axes with their ranges, the value and its bound, and the place of its counts.
    Index(Vec<(usize, i64)>, Int<S>, i64, usize),
}

/// A term.
#[derive(Clone, Debug)]
pub(super) struct Summand<S> {
    /// The place of its counts.
    pub(super) tally: usize,
    pub(super) points: Points<S>,
    pub(super) body: Real<S>,
    pub(super) uses: Vec<Update<S>>,
}

/// `buffer[entry] += (Σ [case] value) · cotangent`
#[derive(Clone, Debug)]
pub(super) struct Update<S> {
    pub(super) buffer: usize,
    pub(super) entry: Int<S>,
    pub(super) cases: Cases<S>,
}

/// A compiled program.
#[derive(Clone, Debug)]
pub(super) struct Compiled<S> {
    pub(super) tops: Vec<Top<S>>,
    pub(super) tables: Vec<Table<S>>,
    pub(super) prices: Vec<Price>,
    pub(super) vars: usize,
    pub(super) locals: usize,
    /// Entries of all definitions.
    pub(super) entries: u64,
}

/// Compiles all blocks.
pub(super) fn compile<S: Scalar>(
    program: &TensorSsa,
    linearized: &Linearized,
    bound: &Bound,
    relations: &[Members],
    visits: Visits,
) -> Result<Compiled<S>, StrategyError> {
    let shared = Shared {
        compiler: Compiler::new(&program.symbols, bound),
        relations,
        visits,
        sizes: &bound.sizes,
        tables: Vec::new(),
        vars: program.symbols.vars.len(),
        moving: Default::default(),
    };
    let mut pass = Pass { program, linearized, shared, prices: Vec::new(), clauses: 0, entries: 0 };
    let mut tops = Vec::new();
    for block in &program.body {
        let mut defined = Vec::new();
        definitions(std::slice::from_ref(block), &mut defined);
        pass.shared.moving = defined.into_iter().collect();
        let first = pass.shared.tables.len();
        let node = pass.block(block, 0)?;
        tops.push(Top { node, tables: first..pass.shared.tables.len() });
    }
    Ok(Compiled {
        tops,
        tables: pass.shared.tables,
        prices: pass.prices,
        vars: pass.shared.vars,
        locals: pass.shared.compiler.locals,
        entries: pass.entries,
    })
}

struct Pass<'p, S> {
    program: &'p TensorSsa,
    linearized: &'p Linearized,
    shared: Shared<'p, S>,
    prices: Vec<Price>,
    clauses: usize,
    entries: u64,
}

impl<S: Scalar> Pass<'_, S> {
    /// A block whose statements have `depth` leading axes that have values.
    fn block(&mut self, block: &Block<Stmt>, depth: usize) -> Result<Node<S>, Unsupported> {
        match block {
            Block::Stmt(stmt) => Ok(Node::Stmt(self.statement(stmt, depth)?)),
            Block::Rec(rec) => {
                let var = |(v, direction): &(VarId, Direction)| {
                    (v.index(), self.shared.compiler.range(*v), *direction)
                };
                let vars = rec.vars.iter().map(var).collect();
                let depth = depth + rec.vars.len();
                let body =
                    rec.body.iter().map(|b| self.block(b, depth)).collect::<Result<_, _>>()?;
                Ok(Node::Rec(vars, body))
            }
            Block::Requires(Requires { binders, condition }) => {
                self.clauses += 1;
                let test = self.shared.compiler.test(condition)?;
                Ok(Node::Requires(self.ranges(binders), test, self.clauses))
            }
        }
    }

    fn ranges(&self, vars: &[VarId]) -> Vec<(usize, i64)> {
        vars.iter().map(|v| (v.index(), self.shared.compiler.range(*v))).collect()
    }

    fn statement(&mut self, stmt: &Stmt, depth: usize) -> Result<Statement<S>, Unsupported> {
        let compiler = &mut self.shared.compiler;
        self.entries += entries(compiler.shape(stmt.tensor)).unwrap_or_default() as u64;
        let entry = compiler.entry(stmt.tensor, &stmt.axes)?;
        let own = &stmt.axes[depth..];
        let uses = self.linearized.uses.get(&stmt.tensor);
        let of = |which: usize| uses.map_or(&[][..], |uses| &uses[which]);
        let mut prices = costs(&stmt.rhs).into_iter();
        let mut price = || prices.next().unwrap_or_default();
        let kind = match &stmt.rhs {
            Rhs::Sum(terms) => {
                let summand = |(which, term)| self.summand(stmt, own, term, of(which), price());
                Kind::Sum(terms.iter().enumerate().map(summand).collect::<Result<_, _>>()?)
            }
            Rhs::Fold(op, term) => {
                let summand = self.summand(stmt, own, term, of(0), price())?;
                Kind::Fold(*op, summand, self.ranges(own), self.ranges(&term.binders))
            }
            Rhs::Arg(op, term) => {
                let summand = self.summand(stmt, own, term, &[], price())?;
                Kind::Arg(*op, summand, term.binders[0].index())
            }
            Rhs::Index(value) => {
                let value = self.shared.compiler.int(value)?;
                let tally = self.price(Price::without_uses(price()));
                Kind::Index(self.ranges(own), value, self.bound(stmt.tensor), tally)
            }
        };
        let cotangent = Real::Access(bar(self.program, stmt.tensor), entry.clone());
        let (buffer, live) = (stmt.tensor.index(), uses.is_some());
        Ok(Statement { buffer, entry, cotangent, kind, live })
    }

    /// The bound of an index tensor.
    fn bound(&self, tensor: TensorId) -> i64 {
        match &self.program.symbols.tensor(tensor).element {
            Element::Real => unreachable!("an index expression defines an index tensor"),
            Element::Index(bound) => {
                iverson_spec::call::extent_value(bound, self.shared.sizes).unwrap_or_default()
            }
        }
    }

    fn price(&mut self, price: Price) -> usize {
        self.prices.push(price);
        self.prices.len() - 1
    }

    fn summand(
        &mut self,
        stmt: &Stmt,
        own: &[VarId],
        term: &Term,
        uses: &[Use],
        primal: PointCost,
    ) -> Result<Summand<S>, Unsupported> {
        let vars = [own, &term.binders].concat();
        let points = self.shared.points(&vars, &term.guard)?;
        let body = self.shared.compiler.real(&term.body)?;
        let tally = self.price(Price::new(primal, stmt, term, uses));
        let uses = uses.iter().map(|u| self.update(u)).collect::<Result<_, _>>()?;
        Ok(Summand { tally, points, body, uses })
    }

    fn update(&mut self, used: &Use) -> Result<Update<S>, Unsupported> {
        let compiler = &mut self.shared.compiler;
        let Expr::Access(tensor, indices) = used.access() else {
            unreachable!("a use is an access")
        };
        let extents = compiler.shape(tensor);
        let entry = compiler.offset(extents, &indices)?;
        let cases = compiler.cases(used.partial())?;
        Ok(Update { buffer: bar(self.program, tensor), entry, cases })
    }
}

/// The buffer of a tensor's cotangent: those stand after those of the values.
pub(super) fn bar(program: &TensorSsa, tensor: TensorId) -> usize {
    program.symbols.tensors.len() + tensor.index()
}
