//! The invariants of Tensor SSA.
//!
//! Every pass returns a program that [`verify`] accepts; debug builds and tests
//! check it after each. A violation is a mistake of ours, never of the user:
//! [`assert_valid`] stops with the pass, the statement and the invariant.
//!
//! 1. Every id is within its table.
//! 2. Every tensor that is not a parameter is defined by exactly one statement,
//!    and every result is defined or a parameter.
//! 3. What a statement reads is a parameter, or defined before it, or belongs to
//!    an enclosing recurrence.
//! 4. The axes of a statement are distinct variables whose ranges are the extents
//!    of its tensor; inside recurrences the leading ones are their variables.
//! 5. Every variable that occurs is an axis, a binder of the term, or a recurrence
//!    variable in force, and no variable is bound twice around one place.
//! 6. An access has one index for each axis of its tensor; reals are accessed,
//!    indices are read.
//! 7. A function has as many arguments as it takes.
//! 8. `prod`, `max` and `min` fold, `argmax` and `argmin` search over one binder;
//!    the sort of a statement's tensor is that of its right side.
//! 9. Bodies, and the reals in guards and indices, hold no reduction, conditional,
//!    guard or `let`; indices hold no `argmax`.
//! 10. Ranges, extents and bounds mention sizes alone.
//! 11. (Normal form) A body is a constant times one operation on atoms, or an atom;
//!     an operation of the language has at most two; the reals in guards and
//!     indices are atoms; what is folded is as [`is_foldable`] says.

use crate::ast::Reduction;
use crate::function::{FUNCTIONS, Fun};
use crate::ir::{
    Atom, Block, Element, Expr, Extent, Guard, Index, Param, Requires, TensorId, VarId,
};
use crate::ssa::{Rhs, Stmt, TensorSsa, Term};
use crate::traverse::{Visit, walk_atom, walk_expr, walk_guard};
use rustc_hash::FxHashSet;
use std::fmt;

/// An invariant that does not hold, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The number in the module's list.
    pub invariant: u8,
    /// The tensor whose statement breaks it, or a place in the program.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant {} is broken at `{}`: {}", self.invariant, self.place, self.what)
    }
}

/// Checks invariants 1 to 10.
///
/// # Errors
/// The first violation, in the order of the text.
pub fn verify(program: &TensorSsa) -> Result<(), Violation> {
    Verifier::new(program).program()
}

/// Checks all invariants, normal form included.
///
/// # Errors
/// The first violation.
pub fn verify_normal(program: &TensorSsa) -> Result<(), Violation> {
    verify(program)?;
    stmts(&program.body).into_iter().try_for_each(|stmt| {
        is_normal_stmt(stmt).then_some(()).ok_or_else(|| Violation {
            invariant: 11,
            place: program.symbols.tensor(stmt.tensor).name.clone(),
            what: "the statement is not in normal form".to_owned(),
        })
    })
}

/// Stops if a pass broke an invariant. For debug builds and tests.
///
/// # Panics
/// With the pass, the violation and the program, if there is a violation.
#[track_caller]
pub fn assert_valid(pass: &str, program: &TensorSsa) {
    if let Err(violation) = verify(program) {
        panic!("`{pass}` broke an invariant of Tensor SSA: {violation}");
    }
}

/// The statements of blocks, in order.
#[must_use]
pub fn stmts<'p>(blocks: &'p [Block<Stmt>]) -> Vec<&'p Stmt> {
    let inner = |block: &'p Block<Stmt>| match block {
        Block::Stmt(stmt) => vec![stmt],
        Block::Rec(rec) => stmts(&rec.body),
        Block::Requires(_) => Vec::new(),
    };
    blocks.iter().flat_map(inner).collect()
}

struct Verifier<'p> {
    program: &'p TensorSsa,
    readable: FxHashSet<TensorId>,
    defined: FxHashSet<TensorId>,
    carried: Vec<VarId>,
    place: String,
}

type Verdict = Result<(), Violation>;

impl<'p> Verifier<'p> {
    fn new(program: &'p TensorSsa) -> Self {
        Self {
            program,
            readable: FxHashSet::default(),
            defined: FxHashSet::default(),
            carried: Vec::new(),
            place: program.name.clone(),
        }
    }

    fn require(&self, invariant: u8, holds: bool, what: impl FnOnce() -> String) -> Verdict {
        if holds {
            return Ok(());
        }
        Err(Violation { invariant, place: self.place.clone(), what: what() })
    }

    fn program(mut self) -> Verdict {
        self.tables()?;
        for param in &self.program.params {
            if let Param::Tensor(tensor) = param {
                self.tensor_id(*tensor)?;
                self.readable.insert(*tensor);
            }
        }
        let params = self.readable.clone();
        self.blocks(&self.program.body)?;
        for result in &self.program.results {
            self.tensor_id(*result)?;
            let known = params.contains(result) || self.defined.contains(result);
            self.require(2, known, || format!("the result {result:?} is not defined"))?;
        }
        Ok(())
    }

    /// Extents of variables, tensors and relations mention sizes alone.
    fn tables(&self) -> Verdict {
        let symbols = &self.program.symbols;
        let ranges = symbols.vars.iter().map(|v| &v.range);
        let shapes = symbols.tensors.iter().flat_map(|t| &t.shape);
        let bounds = symbols.tensors.iter().filter_map(|t| match &t.element {
            Element::Index(bound) => Some(bound),
            Element::Real => None,
        });
        let relations = symbols.relations.iter().flat_map(|r| &r.extents);
        for extent in ranges.chain(shapes).chain(bounds).chain(relations) {
            self.extent(extent)?;
        }
        Ok(())
    }

    fn extent(&self, extent: &Extent) -> Verdict {
        extent.terms().iter().try_for_each(|(atom, _)| match atom {
            Atom::Size(s) => self.require(1, s.index() < self.program.symbols.sizes.len(), || {
                format!("{s:?} is not in the table")
            }),
            Atom::Div(e, _) | Atom::Mod(e, _) => self.extent(e),
            Atom::Var(_) | Atom::Read(..) | Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => {
                self.require(10, false, || format!("the extent mentions {atom:?}"))
            }
        })
    }

    fn tensor_id(&self, tensor: TensorId) -> Verdict {
        let known = tensor.index() < self.program.symbols.tensors.len();
        self.require(1, known, || format!("{tensor:?} is not in the table"))
    }

    fn blocks(&mut self, blocks: &'p [Block<Stmt>]) -> Verdict {
        for block in blocks {
            match block {
                Block::Stmt(stmt) => self.stmt(stmt)?,
                Block::Requires(requires) => self.requires(requires)?,
                Block::Rec(rec) => {
                    let tensors: Vec<TensorId> =
                        stmts(&rec.body).iter().map(|s| s.tensor).collect();
                    self.readable.extend(&tensors);
                    let depth = self.carried.len();
                    self.carried.extend(rec.vars.iter().map(|(v, _)| *v));
                    self.blocks(&rec.body)?;
                    self.carried.truncate(depth);
                }
            }
        }
        Ok(())
    }

    fn requires(&self, requires: &Requires) -> Verdict {
        let scope = [self.carried.as_slice(), &requires.binders].concat();
        self.look(scope, |look| look.guard(&requires.condition))
    }

    fn stmt(&mut self, stmt: &'p Stmt) -> Verdict {
        self.tensor_id(stmt.tensor)?;
        let row = self.program.symbols.tensor(stmt.tensor);
        self.place.clone_from(&row.name);
        let inside = !self.carried.is_empty();
        let twice = self.defined.contains(&stmt.tensor)
            || (!inside && self.readable.contains(&stmt.tensor));
        self.require(2, !twice, || "the tensor is defined twice".to_owned())?;
        self.axes(stmt)?;
        self.rhs(stmt)?;
        self.defined.insert(stmt.tensor);
        self.readable.insert(stmt.tensor);
        Ok(())
    }

    fn axes(&self, stmt: &Stmt) -> Verdict {
        let row = self.program.symbols.tensor(stmt.tensor);
        self.require(4, stmt.axes.len() == row.shape.len(), || "the rank differs".to_owned())?;
        let leads = stmt.axes.starts_with(&self.carried);
        self.require(4, leads, || "recurrence variables do not lead its axes".to_owned())?;
        for (place, (axis, extent)) in stmt.axes.iter().zip(&row.shape).enumerate() {
            self.var_id(*axis)?;
            let same = self.program.symbols.var(*axis).range == *extent;
            self.require(4, same, || format!("axis {} has another range", place + 1))?;
            let distinct = !stmt.axes[..place].contains(axis);
            self.require(4, distinct, || format!("axis {} repeats a variable", place + 1))?;
        }
        Ok(())
    }

    fn var_id(&self, var: VarId) -> Verdict {
        let known = var.index() < self.program.symbols.vars.len();
        self.require(1, known, || format!("{var:?} is not in the table"))
    }

    fn rhs(&self, stmt: &Stmt) -> Verdict {
        let is_index =
            matches!(self.program.symbols.tensor(stmt.tensor).element, Element::Index(_));
        match &stmt.rhs {
            Rhs::Sum(terms) => {
                self.require(8, !is_index, || "an index tensor is a sum of reals".to_owned())?;
                terms.iter().try_for_each(|term| self.term(stmt, term))
            }
            Rhs::Fold(op, term) => {
                let folds = matches!(op, Reduction::Prod | Reduction::Max | Reduction::Min);
                self.require(8, folds && !is_index, || {
                    format!("`{}` does not fold to its sort", op.name())
                })?;
                self.term(stmt, term)
            }
            Rhs::Arg(op, term) => {
                let searches = matches!(op, Reduction::Argmax | Reduction::Argmin);
                let one = term.binders.len() == 1;
                self.require(8, searches && one && is_index, || {
                    format!("`{}` does not search one variable", op.name())
                })?;
                self.term(stmt, term)
            }
            Rhs::Index(index) => {
                self.require(8, is_index, || "a real tensor is defined by an index".to_owned())?;
                self.look(stmt.axes.clone(), |look| look.index(index))
            }
        }
    }

    fn term(&self, stmt: &Stmt, term: &Term) -> Verdict {
        let mut scope = stmt.axes.clone();
        for binder in &term.binders {
            self.var_id(*binder)?;
            let free = !scope.contains(binder);
            self.require(5, free, || format!("{binder:?} is bound twice"))?;
            scope.push(*binder);
        }
        self.look(scope, |look| {
            look.guard(&term.guard);
            look.expr(&term.body);
        })
    }

    fn look(&self, scope: Vec<VarId>, walk: impl FnOnce(&mut Look<'_, 'p>)) -> Verdict {
        let mut look = Look { verifier: self, scope, verdict: Ok(()) };
        walk(&mut look);
        look.verdict
    }
}

/// Walks bodies, guards and indices of one statement.
struct Look<'v, 'p> {
    verifier: &'v Verifier<'p>,
    scope: Vec<VarId>,
    verdict: Verdict,
}

impl Look<'_, '_> {
    fn require(&mut self, invariant: u8, holds: bool, what: impl FnOnce() -> String) {
        if self.verdict.is_ok() {
            self.verdict = self.verifier.require(invariant, holds, what);
        }
    }

    fn entry(&mut self, tensor: TensorId, indices: &[Index], wants_index: bool) {
        if let Err(violation) = self.verifier.tensor_id(tensor) {
            self.verdict = Err(violation);
            return;
        }
        let row = self.verifier.program.symbols.tensor(tensor);
        let readable = self.verifier.readable.contains(&tensor);
        self.require(3, readable, || format!("`{}` is not defined before it", row.name));
        self.require(6, indices.len() == row.shape.len(), || {
            format!("`{}` has another rank", row.name)
        });
        let fits = matches!(row.element, Element::Index(_)) == wants_index;
        self.require(6, fits, || format!("`{}` has another sort", row.name));
    }

    fn arity(&mut self, fun: Fun, count: usize) {
        let functions = &self.verifier.program.symbols.functions;
        let named = FUNCTIONS.iter().find(|row| row.fun == fun);
        let fits = if let Fun::User(id) = fun {
            functions.get(id.0 as usize).is_some_and(|f| f.params.len() == count)
        } else if let Some(row) = named {
            row.arity == count
        } else {
            let least = if fun == Fun::Neg { 1 } else { 2 };
            count == least || count > 2 && matches!(fun, Fun::Add | Fun::Mul)
        };
        self.require(7, fits, || format!("{fun:?} does not take {count} arguments"));
    }
}

impl Visit for Look<'_, '_> {
    fn atom(&mut self, atom: &Atom) {
        match atom {
            Atom::Var(var) => {
                let bound = self.scope.contains(var);
                self.require(5, bound, || format!("{var:?} is not bound"));
            }
            Atom::Size(size) => {
                let known = size.index() < self.verifier.program.symbols.sizes.len();
                self.require(1, known, || format!("{size:?} is not in the table"));
            }
            Atom::Read(tensor, indices) => self.entry(*tensor, indices, true),
            Atom::Arg(_) => self.require(9, false, || "an index searches".to_owned()),
            Atom::Div(_, k) | Atom::Mod(_, k) => {
                self.require(9, *k > 0, || "a divisor is not positive".to_owned());
            }
            Atom::Floor(_) | Atom::If(_) => {}
        }
        if self.verdict.is_ok() {
            walk_atom(self, atom);
        }
    }

    fn guard(&mut self, guard: &Guard) {
        if let Guard::Member(relation, indices) = guard {
            let relations = &self.verifier.program.symbols.relations;
            let arity = relations.get(relation.index()).map(|r| r.extents.len());
            self.require(6, arity == Some(indices.len()), || {
                format!("{relation:?} has another arity")
            });
        }
        walk_guard(self, guard);
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Access(tensor, indices) => self.entry(*tensor, indices, false),
            Expr::Apply(fun, args) => self.arity(*fun, args.len()),
            Expr::Const(_) | Expr::Pi | Expr::Real(_) => {}
            Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => {
                return self.require(9, false, || "a body holds a compound expression".to_owned());
            }
        }
        if self.verdict.is_ok() {
            walk_expr(self, expr);
        }
    }
}

/// A constant, an index as a real, or an access.
#[must_use]
pub fn is_atom(e: &Expr) -> bool {
    match e {
        Expr::Const(_) | Expr::Pi | Expr::Real(_) | Expr::Access(..) => true,
        Expr::Apply(..) | Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => {
            false
        }
    }
}

/// `c`, `a`, `c * a`, `c * a * b`, `c * a / b`, `c * f(a, b)`, with or without `c`.
#[must_use]
pub fn is_normal_body(e: &Expr) -> bool {
    let Expr::Apply(fun, args) = e else { return is_atom(e) };
    match (fun, args.as_slice()) {
        (Fun::Mul, [Expr::Const(_), rest]) => is_atom(rest) || is_call(rest),
        (Fun::Mul, [Expr::Const(_), a, b]) | (Fun::Mul, [a, b]) => is_atom(a) && is_atom(b),
        (Fun::Div, [a, b]) => is_scaled_atom(a) && is_atom(b),
        _ => is_call(e),
    }
}

/// Whether a normal body may stand under a fold. The bound on the cost of derivatives
/// (chapter 5) asks for two restrictions. The cotangent of a factor of a `prod` is a product
/// with two accesses besides, so the factor is a product of atoms or a smooth function of
/// one access: no partial repeats two accesses, or has two cases. A `max` or `min` over
/// several variables is searched for each of them: it takes entries, scaled or not.
#[must_use]
pub fn is_foldable(op: Reduction, binders: usize, e: &Expr) -> bool {
    let Expr::Apply(fun, args) = e else { return true };
    match op {
        Reduction::Prod if *fun == Fun::Mul => args.iter().all(is_atom),
        Reduction::Prod => {
            let varies = |arg: &&Expr| !matches!(arg, Expr::Const(_) | Expr::Pi | Expr::Real(_));
            !matches!(fun, Fun::Abs | Fun::User(_)) && args.iter().filter(varies).count() < 2
        }
        Reduction::Max | Reduction::Min => binders < 2 || is_scaled_atom(e),
        Reduction::Sum | Reduction::Argmax | Reduction::Argmin => true,
    }
}

fn is_scaled_atom(e: &Expr) -> bool {
    if let Expr::Apply(Fun::Mul, args) = e {
        return matches!(args.as_slice(), [Expr::Const(_), a] if is_atom(a));
    }
    is_atom(e)
}

/// A function of atoms; sums, signs, products and quotients are no calls.
fn is_call(e: &Expr) -> bool {
    match e {
        Expr::Apply(Fun::Neg | Fun::Add | Fun::Mul | Fun::Div, _) => false,
        Expr::Apply(_, args) => args.iter().all(is_atom),
        Expr::Const(_)
        | Expr::Pi
        | Expr::Real(_)
        | Expr::Access(..)
        | Expr::Guarded(..)
        | Expr::If(..)
        | Expr::Reduce(_)
        | Expr::Let(..) => false,
    }
}

fn is_normal_stmt(stmt: &Stmt) -> bool {
    let mut inner = InnerReals(true);
    let bodies = match &stmt.rhs {
        Rhs::Sum(terms) => terms.iter().collect(),
        Rhs::Fold(_, term) | Rhs::Arg(_, term) => vec![term],
        Rhs::Index(index) => {
            inner.index(index);
            Vec::new()
        }
    };
    bodies.iter().for_each(|term| {
        inner.guard(&term.guard);
        walk_expr(&mut inner, &term.body);
    });
    let is_foldable = match &stmt.rhs {
        Rhs::Fold(op, term) => is_foldable(*op, term.binders.len(), &term.body),
        Rhs::Sum(_) | Rhs::Arg(..) | Rhs::Index(_) => true,
    };
    inner.0 && is_foldable && bodies.iter().all(|term| is_normal_body(&term.body))
}

/// Whether the reals inside guards and indices are atoms.
struct InnerReals(bool);

impl Visit for InnerReals {
    fn atom(&mut self, atom: &Atom) {
        if let Atom::Floor(e) = atom {
            self.0 &= is_atom(e);
        }
        walk_atom(self, atom);
    }

    fn guard(&mut self, guard: &Guard) {
        if let Guard::Real(_, sides) = guard {
            self.0 &= is_atom(&sides.0) && is_atom(&sides.1);
        }
        walk_guard(self, guard);
    }
}
