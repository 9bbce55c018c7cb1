//! From a program to operations on whole tensors.

use crate::StrategyError;
use crate::code::{Cases, Compiler, Int, Real, Test, Unsupported};
use crate::price::Price;
use crate::scalar::Scalar;
use iverson_ad::{Linearized, Use};
use iverson_spec::ast::{Direction, Reduction};
use iverson_spec::call::{Bound, definitions, extent_value};
use iverson_spec::ir::{Block, Element, Expr, Guard, Index, Requires, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::traverse::{FreeVars, Reads, Visit, walk_expr};
use iverson_spec::work::{PointCost, costs};
use rustc_hash::{FxHashMap, FxHashSet};

/// A variable with its range.
pub(super) type Ranged = (usize, i64);

/// A block at the outermost level, with the real tensors that it defines.
#[derive(Clone, Debug)]
pub(super) struct Top<S> {
    pub(super) node: Node<S>,
    pub(super) defined: Vec<TensorId>,
}

/// A block.
#[derive(Clone, Debug)]
pub(super) enum Node<S> {
    Stmt(Box<Statement<S>>),
    /// Variables with their ranges and directions, outermost first.
    Rec(Vec<(usize, i64, Direction)>, Vec<Node<S>>),
    /// Binders with their ranges, the condition, and which clause it is.
    Requires(Vec<Ranged>, Test<S>, usize),
}

/// A definition; inside `rec` what it computes at one step.
#[derive(Clone, Debug)]
pub(super) struct Statement<S> {
    pub(super) tensor: TensorId,
    /// The recurrence variables in force.
    pub(super) carried: Vec<usize>,
    /// The place of a step among all steps.
    pub(super) step: Int<S>,
    /// The axes that are computed at once, their extents, and the offset of an entry.
    pub(super) own: Vec<Ranged>,
    pub(super) shape: Vec<usize>,
    pub(super) entry: Int<S>,
    /// The offset of an entry in the whole tensor.
    pub(super) whole: Int<S>,
    /// Whether a guard or an index expression reads the value.
    pub(super) observed: bool,
    pub(super) live: bool,
    pub(super) kind: Kind<S>,
}

/// The right side of a statement.
#[derive(Clone, Debug)]
pub(super) enum Kind<S> {
    Sum(Vec<Summand<S>>),
    Fold(Reduction, Summand<S>),
    /// `argmax` or `argmin` of the variable.
    Arg(Reduction, Summand<S>, usize),
    Index {
        value: Int<S>,
        bound: i64,
        price: Price,
    },
}

/// A term: one operation on whole operands.
#[derive(Clone, Debug)]
pub(super) struct Summand<S> {
    /// What does not depend on the box: the operation is left out where it is false.
    pub(super) conditions: Vec<Test<S>>,
    /// What is a mask over the box.
    pub(super) mask: Vec<Test<S>>,
    pub(super) binders: Vec<Ranged>,
    pub(super) operands: Vec<Operand<S>>,
    pub(super) body: Real<S>,
    /// By operand, the partial derivative in it.
    pub(super) uses: Vec<(usize, Cases<S>)>,
    pub(super) price: Price,
}

/// An access of a body, as a tensor over the variables that occur in it.
#[derive(Clone, Debug)]
pub(super) struct Operand<S> {
    pub(super) tensor: TensorId,
    /// The step that is read, if the tensor is a list of steps.
    pub(super) step: Option<Int<S>>,
    /// For each position but those of steps: the index of a part, or a whole axis.
    pub(super) positions: Vec<Option<Int<S>>>,
    /// The variables that choose the part: one part for each of their values.
    pub(super) over: Vec<Ranged>,
    /// The ranges of those variables, then the extents of the whole axes.
    pub(super) shape: Vec<usize>,
    /// The offset of the entry that a point of the box reads.
    pub(super) offset: Int<S>,
}

/// The conjuncts of a guard: conditions, and what is a mask.
type Conjuncts<S> = (Vec<Test<S>>, Vec<Test<S>>);

/// A compiled program.
#[derive(Clone, Debug)]
pub(super) struct Compiled<S> {
    pub(super) tops: Vec<Top<S>>,
    pub(super) locals: usize,
    /// The steps that each tensor of a recurrence has.
    pub(super) steps: FxHashMap<TensorId, usize>,
    /// The first buffer that is an operand.
    pub(super) base: usize,
}

/// Compiles all blocks.
pub(super) fn compile<S: Scalar>(
    program: &TensorSsa,
    linearized: &Linearized,
    bound: &Bound,
) -> Result<Compiled<S>, StrategyError> {
    let base = program.symbols.tensors.len();
    let mut pass = Pass {
        program,
        linearized,
        bound,
        compiler: Compiler::new(&program.symbols, bound),
        observed: observed(program),
        depths: FxHashMap::default(),
        steps: FxHashMap::default(),
        clauses: 0,
        base,
    };
    let mut tops = Vec::new();
    for block in &program.body {
        pass.depths.clear();
        pass.measure(block, &[]);
        let mut defined = Vec::new();
        definitions(std::slice::from_ref(block), &mut defined);
        defined.retain(|t| program.symbols.tensor(*t).element == Element::Real);
        tops.push(Top { node: pass.block(block, &[])?, defined });
    }
    Ok(Compiled { tops, locals: pass.compiler.locals, steps: pass.steps, base })
}

/// The tensors whose values guards and index expressions read.
fn observed(program: &TensorSsa) -> FxHashSet<TensorId> {
    let mut found = Observed::default();
    found.blocks(&program.body);
    found.tensors
}

#[derive(Default)]
struct Observed {
    tensors: FxHashSet<TensorId>,
    /// Whether a body is being visited, whose own accesses are operands.
    in_body: bool,
}

impl Observed {
    fn blocks(&mut self, blocks: &[Block<Stmt>]) {
        for block in blocks {
            match block {
                Block::Rec(rec) => self.blocks(&rec.body),
                Block::Requires(requires) => self.guard(&requires.condition),
                Block::Stmt(stmt) => match &stmt.rhs {
                    Rhs::Sum(terms) => terms.iter().for_each(|term| self.term(term)),
                    Rhs::Fold(_, term) => self.term(term),
                    Rhs::Arg(_, term) => {
                        self.guard(&term.guard);
                        self.expr(&term.body);
                    }
                    Rhs::Index(index) => self.index(index),
                },
            }
        }
    }

    fn term(&mut self, term: &Term) {
        self.guard(&term.guard);
        self.in_body = true;
        self.expr(&term.body);
        self.in_body = false;
    }
}

impl Visit for Observed {
    fn index(&mut self, index: &Index) {
        let around = std::mem::replace(&mut self.in_body, false);
        iverson_spec::traverse::walk_index(self, index);
        self.in_body = around;
    }

    fn expr(&mut self, e: &Expr) {
        if let (Expr::Access(tensor, _), false) = (e, self.in_body) {
            self.tensors.insert(*tensor);
        }
        walk_expr(self, e);
    }
}

struct Pass<'p, S> {
    program: &'p TensorSsa,
    linearized: &'p Linearized,
    bound: &'p Bound,
    compiler: Compiler<'p, S>,
    observed: FxHashSet<TensorId>,
    /// For the tensors of the outermost recurrence: how many leading axes are steps.
    depths: FxHashMap<TensorId, usize>,
    steps: FxHashMap<TensorId, usize>,
    clauses: usize,
    base: usize,
}

impl<S: Scalar> Pass<'_, S> {
    /// Notes which tensors of a block are lists of steps.
    fn measure(&mut self, block: &Block<Stmt>, carried: &[VarId]) {
        match block {
            Block::Rec(rec) => {
                let vars = rec.vars.iter().map(|(v, _)| *v);
                let inside: Vec<VarId> = carried.iter().copied().chain(vars).collect();
                rec.body.iter().for_each(|block| self.measure(block, &inside));
            }
            Block::Stmt(stmt) if !carried.is_empty() => {
                self.depths.insert(stmt.tensor, carried.len());
                let extents = &self.compiler.shape(stmt.tensor)[..carried.len()];
                self.steps.insert(stmt.tensor, extents.iter().product());
            }
            Block::Stmt(_) | Block::Requires(_) => {}
        }
    }

    fn block(&mut self, block: &Block<Stmt>, carried: &[VarId]) -> Result<Node<S>, Unsupported> {
        match block {
            Block::Stmt(stmt) => Ok(Node::Stmt(Box::new(self.statement(stmt, carried)?))),
            Block::Rec(rec) => {
                let var = |(v, direction): &(VarId, Direction)| {
                    (v.index(), self.compiler.range(*v), *direction)
                };
                let vars = rec.vars.iter().map(var).collect();
                let inside: Vec<VarId> =
                    carried.iter().copied().chain(rec.vars.iter().map(|(v, _)| *v)).collect();
                let body = rec.body.iter().map(|b| self.block(b, &inside));
                Ok(Node::Rec(vars, body.collect::<Result<_, _>>()?))
            }
            Block::Requires(Requires { binders, condition }) => {
                self.clauses += 1;
                let test = self.compiler.test(condition)?;
                Ok(Node::Requires(self.ranges(binders), test, self.clauses))
            }
        }
    }

    fn ranges(&self, vars: &[VarId]) -> Vec<Ranged> {
        vars.iter().map(|v| (v.index(), self.compiler.range(*v))).collect()
    }

    fn statement(&mut self, stmt: &Stmt, carried: &[VarId]) -> Result<Statement<S>, Unsupported> {
        let depth = carried.len();
        let extents = self.compiler.shape(stmt.tensor);
        let vars: Vec<Index> = stmt.axes.iter().map(|v| Index::var(*v)).collect();
        let shape = extents[depth..].to_vec();
        let kind = self.kind(stmt, &stmt.axes[depth..])?;
        Ok(Statement {
            tensor: stmt.tensor,
            carried: carried.iter().map(|v| v.index()).collect(),
            step: self.compiler.offset(&extents[..depth], &vars[..depth])?,
            own: self.ranges(&stmt.axes[depth..]),
            entry: self.compiler.offset(&shape, &vars[depth..])?,
            shape,
            whole: self.compiler.offset(extents, &vars)?,
            observed: self.observed.contains(&stmt.tensor),
            live: self.linearized.live.contains(&stmt.tensor),
            kind,
        })
    }

    fn kind(&mut self, stmt: &Stmt, own: &[VarId]) -> Result<Kind<S>, Unsupported> {
        let uses = self.linearized.uses.get(&stmt.tensor);
        let of = |which: usize| uses.map_or(&[][..], |uses| &uses[which]);
        let mut prices = costs(&stmt.rhs).into_iter();
        let mut price = || prices.next().unwrap_or_default();
        Ok(match &stmt.rhs {
            Rhs::Sum(terms) => {
                let summand = |(which, term)| self.summand(stmt, own, term, of(which), price());
                Kind::Sum(terms.iter().enumerate().map(summand).collect::<Result<_, _>>()?)
            }
            Rhs::Fold(op, term) => Kind::Fold(*op, self.summand(stmt, own, term, of(0), price())?),
            Rhs::Arg(op, term) => {
                let (conditions, mask) = self.guard(own, term)?;
                let (body, binders) = (self.compiler.real(&term.body)?, self.ranges(&term.binders));
                let price = Price::without_uses(price());
                let (operands, uses) = (Vec::new(), Vec::new());
                let summand = Summand { conditions, mask, binders, operands, body, uses, price };
                Kind::Arg(*op, summand, term.binders[0].index())
            }
            Rhs::Index(value) => {
                let Element::Index(bound) = &self.program.symbols.tensor(stmt.tensor).element
                else {
                    unreachable!("an index expression defines an index tensor (invariant 8)")
                };
                let bound = extent_value(bound, &self.bound.sizes).unwrap_or_default();
                let price = Price::without_uses(price());
                Kind::Index { value: self.compiler.int(value)?, bound, price }
            }
        })
    }

    /// The guard of a term, in two: what the box does not change, and the mask. What reads
    /// data behind a conjunct of the mask may be protected by it, and stays behind it.
    fn guard(&mut self, own: &[VarId], term: &Term) -> Result<Conjuncts<S>, Unsupported> {
        let in_box = |v: &VarId| own.contains(v) || term.binders.contains(v);
        let (mut mask, mut conditions) = (Vec::new(), Vec::new());
        for conjunct in term.guard.clone().conjuncts() {
            let changes = FreeVars::of_guard(&conjunct).iter().any(in_box);
            if changes || !mask.is_empty() && reads_data(&conjunct) {
                mask.push(conjunct);
            } else {
                conditions.push(conjunct);
            }
        }
        Ok((self.compiler.tests(&conditions)?, self.compiler.tests(&mask)?))
    }

    fn summand(
        &mut self,
        stmt: &Stmt,
        own: &[VarId],
        term: &Term,
        uses: &[Use],
        primal: PointCost,
    ) -> Result<Summand<S>, Unsupported> {
        let (conditions, mask) = self.guard(own, term)?;
        let vars = [own, &term.binders].concat();
        let mut accesses = Vec::new();
        collect(&term.body, &mut accesses);
        let mut operands = Vec::new();
        let mut known = FxHashMap::default();
        for access in &accesses {
            let operand = self.operand(access, &vars)?;
            known.insert(access.clone(), (self.base + operands.len(), operand.offset.clone()));
            operands.push(operand);
        }
        self.compiler.operands = known;
        let body = self.compiler.real(&term.body)?;
        let mut partials = Vec::new();
        for used in uses {
            let Some(which) = accesses.iter().position(|access| *access == used.access()) else {
                unreachable!("a use is an access of the body")
            };
            partials.push((which, self.compiler.cases(used.partial())?));
        }
        self.compiler.operands.clear();
        let price = Price::new(primal, stmt, term, uses);
        let binders = self.ranges(&term.binders);
        Ok(Summand { conditions, mask, binders, operands, body, uses: partials, price })
    }

    /// An access as an operand.
    fn operand(&mut self, access: &Expr, vars: &[VarId]) -> Result<Operand<S>, Unsupported> {
        let Expr::Access(tensor, indices) = access else { unreachable!("an operand is an access") };
        let extents = self.compiler.shape(*tensor);
        let depth = self.depths.get(tensor).copied().unwrap_or(0);
        let step = match depth {
            0 => None,
            _ => Some(self.compiler.offset(&extents[..depth], &indices[..depth])?),
        };
        let whole = |axis: usize| whole_axis(indices, axis, extents, vars, &self.compiler);
        let wholes: Vec<Option<VarId>> = (depth..indices.len()).map(whole).collect();
        let in_part = |v: &VarId| {
            let part = |(axis, index): (usize, &Index)| {
                let chooses = axis < depth || wholes[axis - depth].is_none();
                chooses && FreeVars::of_index(index).contains(v)
            };
            indices.iter().enumerate().any(part)
        };
        let over: Vec<VarId> = vars.iter().copied().filter(|v| in_part(v)).collect();
        let own = over.iter().copied().chain(wholes.iter().flatten().copied());
        let own: Vec<Index> = own.map(Index::var).collect();
        let over = self.ranges(&over);
        let axes = extents[depth..].iter().zip(&wholes);
        let axes = axes.filter(|(_, whole)| whole.is_some()).map(|(extent, _)| *extent);
        let shape: Vec<usize> = over.iter().map(|(_, n)| *n as usize).chain(axes).collect();
        let offset = self.compiler.offset(&shape, &own)?;
        let mut positions = Vec::new();
        for (index, whole) in indices[depth..].iter().zip(&wholes) {
            let part = if whole.is_some() { None } else { Some(self.compiler.int(index)?) };
            positions.push(part);
        }
        Ok(Operand { tensor: *tensor, step, positions, over, shape, offset })
    }
}

/// The variable that ranges over the whole axis, if the index is just that and it
/// occurs nowhere else in the access.
fn whole_axis<S: Scalar>(
    indices: &[Index],
    axis: usize,
    extents: &[usize],
    vars: &[VarId],
    compiler: &Compiler<'_, S>,
) -> Option<VarId> {
    let var = indices[axis].as_var().filter(|v| vars.contains(v))?;
    let elsewhere =
        |(other, index): (usize, &Index)| other != axis && FreeVars::of_index(index).contains(&var);
    let alone = !indices.iter().enumerate().any(elsewhere);
    (alone && compiler.range(var) == extents[axis] as i64).then_some(var)
}

/// The distinct accesses of a body, in order.
fn collect(e: &Expr, found: &mut Vec<Expr>) {
    match e {
        Expr::Access(..) => {
            if !found.contains(e) {
                found.push(e.clone());
            }
        }
        Expr::Apply(_, args) => args.iter().for_each(|a| collect(a, found)),
        Expr::Const(_) | Expr::Pi | Expr::Real(_) => {}
        Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => {
            unreachable!("a body of Tensor SSA holds no compound expression (invariant 9)")
        }
    }
}

/// Whether a guard reads a tensor or a relation.
fn reads_data(guard: &Guard) -> bool {
    let mut reads = Reads::default();
    reads.guard(guard);
    !reads.tensors.is_empty() || has_membership(guard)
}

fn has_membership(guard: &Guard) -> bool {
    match guard {
        Guard::Member(..) => true,
        Guard::Compare(..) | Guard::Real(..) => false,
        Guard::Not(inner) => has_membership(inner),
        Guard::All(parts) | Guard::Any(parts) => parts.iter().any(has_membership),
    }
}
