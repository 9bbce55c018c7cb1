//! From typed programs to Tensor SSA in normal form (spec chapter 4).
//!
//! A definition becomes a statement, a sum of terms. What is not a single
//! operation on accesses is computed by a statement of its own, *lifted* to
//! stand before the one that needs it:
//!
//! * it has an axis for each variable it depends on, and no other, so that a
//!   loop-invariant part is computed once;
//! * it keeps the guards in force where it stood, projected to those axes, so
//!   that nothing is computed that the program as written does not compute;
//! * products and sums keep the order of the text: `a * b * c` is `(a * b) * c`.
//!
//! Work: every point of a lifted statement is a point at which the program as
//! written computes it; each is read at most twice by the terms of the statement
//! above it. A variable that no guard restricts is dropped without asking whether
//! its range is empty (unless an access needs that); so is one whose guards cannot be
//! projected, if they restrict nothing that the part depends on and the part is total.

mod domain;
mod lift;
mod terms;
mod total;

use crate::ast::Reduction;
use crate::ir::{
    Atom, Block, Def, Expr, Extent, Guard, Index, Program, Rec, Requires, Symbols, TensorId, Typed,
    Value, VarId,
};
use crate::ssa::{Rhs, Stmt, TensorSsa, Term};
use crate::traverse::{FreeVars, Rewrite, rebuild_index};
use crate::verify::{is_foldable, stmts};
use lift::Lifted;
use rustc_hash::FxHashMap;

/// Brings a checked program to normal form.
///
/// The result passes [`crate::verify::verify_normal`] and has the same meaning:
/// exactly over the rationals, and over floats with the operations of the text
/// in their order.
///
/// Cost: about linear in the program, plus one bounded question to the prover
/// for each access of a lifted statement that lost a variable.
#[must_use]
pub fn normalize(program: &Typed) -> TensorSsa {
    let mut pass = Normalize::new(program);
    pass.blocks(&program.body);
    let levels = pass.levels.pop().map(|level| level.out);
    Program {
        name: program.name.clone(),
        symbols: pass.symbols,
        params: program.params.clone(),
        body: levels.unwrap_or_default(),
        results: program.results.clone(),
    }
}

/// The state of the pass.
struct Normalize {
    symbols: Symbols,
    /// The blocks being filled: the body, then each open recurrence.
    levels: Vec<Level>,
    /// The level at which each tensor of an open recurrence lives.
    home: FxHashMap<TensorId, usize>,
    /// Tensors of `let` blocks, as lifted.
    locals: FxHashMap<TensorId, Lifted>,
    requires: Vec<Requires>,
    /// The definition being normalized; what is lifted from it takes its name.
    name: String,
    /// Extents that are not negative where the program runs at all.
    extents: Vec<Extent>,
}

/// A list of blocks being filled.
struct Level {
    /// The recurrence variables in force, outermost first.
    carried: Vec<VarId>,
    out: Vec<Block<Stmt>>,
}

/// What surrounds the expression at hand.
#[derive(Clone, Default)]
struct Context {
    /// The variables in scope, outermost first.
    vars: Vec<VarId>,
    /// The guards in force, in normal form.
    guards: Vec<Guard>,
}

impl Context {
    fn with_guards(&self, guards: &[Guard]) -> Self {
        let mut more = self.clone();
        more.guards.extend_from_slice(guards);
        more
    }

    fn with_vars(&self, vars: &[VarId]) -> Self {
        let mut more = self.clone();
        more.vars.extend_from_slice(vars);
        more
    }
}

impl Normalize {
    fn new(program: &Typed) -> Self {
        Self {
            symbols: program.symbols.clone(),
            levels: vec![Level { carried: Vec::new(), out: Vec::new() }],
            home: FxHashMap::default(),
            locals: FxHashMap::default(),
            requires: Vec::new(),
            name: String::new(),
            extents: extents(program),
        }
    }

    fn emit(&mut self, block: Block<Stmt>) {
        if let Some(level) = self.levels.last_mut() {
            level.out.push(block);
        }
    }

    fn carried(&self) -> Vec<VarId> {
        self.levels.last().map(|level| level.carried.clone()).unwrap_or_default()
    }

    fn blocks(&mut self, blocks: &[Block<Def>]) {
        for block in blocks {
            match block {
                Block::Stmt(def) => {
                    let context = Context { vars: def.axes.clone(), guards: Vec::new() };
                    self.name.clone_from(&self.symbols.tensors[def.tensor.index()].name);
                    self.define(def.tensor, def.axes.clone(), &def.value, &context);
                }
                Block::Rec(rec) => self.recurrence(rec),
                Block::Requires(requires) => self.condition(requires),
            }
        }
    }

    fn recurrence(&mut self, rec: &Rec<Def>) {
        for tensor in defined(&rec.body) {
            self.home.insert(tensor, self.levels.len());
        }
        self.open(rec);
        self.blocks(&rec.body);
        self.close(rec);
    }

    /// Ends the innermost level as a `rec` block. Its tensors are then known outside;
    /// those of recurrences that are put aside stay where they are.
    fn close(&mut self, rec: &Rec<Def>) {
        let Some(level) = self.levels.pop() else { return };
        let outside = self.levels.len() - 1;
        for stmt in stmts(&level.out) {
            self.home.insert(stmt.tensor, outside);
        }
        self.emit(Block::Rec(Rec { vars: rec.vars.clone(), body: level.out }));
    }

    fn condition(&mut self, requires: &Requires) {
        if self.name.is_empty() {
            self.name.push_str("required");
        }
        let mut vars = self.carried();
        vars.extend(&requires.binders);
        let context = Context { vars, guards: Vec::new() };
        let condition = self.guard(&requires.condition, &context);
        let clause = Requires { binders: requires.binders.clone(), condition };
        self.requires.push(clause.clone());
        self.emit(Block::Requires(clause));
    }

    /// Emits the statement `tensor[axes] = value` where the guards of the context hold.
    fn define(&mut self, tensor: TensorId, axes: Vec<VarId>, value: &Value, context: &Context) {
        let rhs = match value {
            Value::Real(e) => self.rhs(e, context),
            Value::Index(index) => self.index_rhs(index, context),
        };
        self.emit(Block::Stmt(Stmt { tensor, axes, rhs }));
    }

    /// The right side of a real definition; its terms carry the context's guards.
    fn rhs(&mut self, e: &Expr, context: &Context) -> Rhs {
        match e {
            Expr::Reduce(reduce) if reduce.op != Reduction::Sum => {
                let inner = context.with_vars(&reduce.binders);
                let own = self.guard(&reduce.guard, &inner);
                let inner = inner.with_guards(&own.conjuncts());
                let mut body = self.operation(&reduce.body, &inner);
                if !is_foldable(reduce.op, reduce.binders.len(), &body) {
                    body = self.lift(&body, &inner);
                }
                let guard = Guard::all(inner.guards);
                Rhs::Fold(reduce.op, Term { binders: reduce.binders.clone(), guard, body })
            }
            Expr::Let(blocks, body) => {
                self.lift_blocks(blocks, context);
                let body = self.relocate(body);
                self.rhs(&body, context)
            }
            Expr::Const(_)
            | Expr::Pi
            | Expr::Real(_)
            | Expr::Access(..)
            | Expr::Apply(..)
            | Expr::Guarded(..)
            | Expr::If(..)
            | Expr::Reduce(_) => {
                let mut terms = Vec::new();
                self.summands(e, context, &[], false, &mut terms);
                Rhs::Sum(terms)
            }
        }
    }

    fn index_rhs(&mut self, index: &Index, context: &Context) -> Rhs {
        if let [(Atom::Arg(arg), 1)] = index.terms()
            && index.constant_part() == 0
        {
            let inner = context.with_vars(&[arg.var]);
            let own = self.guard(&arg.guard, &inner);
            let inner = inner.with_guards(&own.conjuncts());
            let body = self.operation(&arg.body, &inner);
            let guard = Guard::all(inner.guards);
            return Rhs::Arg(arg.op, Term { binders: vec![arg.var], guard, body });
        }
        let index = self.index(index, context);
        let guard = Guard::all(context.guards.clone());
        Rhs::Index(if guard.is_truth() {
            index
        } else {
            Index::atom(Atom::If(Box::new((guard, index, Index::constant(0)))))
        })
    }

    /// An index expression with what it computes lifted out.
    fn index(&mut self, index: &Index, context: &Context) -> Index {
        let mut lift = LiftIndex { pass: self, context };
        rebuild_index(&mut lift, index).unwrap_or_else(|| overflow())
    }

    fn indices(&mut self, indices: &[Index], context: &Context) -> Vec<Index> {
        indices.iter().map(|i| self.index(i, context)).collect()
    }

    /// A guard with what it computes lifted out; each part is lifted under those before it.
    fn guard(&mut self, guard: &Guard, context: &Context) -> Guard {
        match guard {
            Guard::Compare(cmp, a, b) => {
                Guard::Compare(*cmp, self.index(a, context), self.index(b, context))
            }
            Guard::Real(cmp, sides) => {
                let sides = (self.atom(&sides.0, context), self.atom(&sides.1, context));
                Guard::Real(*cmp, Box::new(sides))
            }
            Guard::Member(relation, indices) => {
                Guard::Member(*relation, self.indices(indices, context))
            }
            Guard::Not(p) => Guard::Not(Box::new(self.guard(p, context))),
            Guard::All(ps) => Guard::All(self.guards(ps, context, |known| known)),
            Guard::Any(ps) => Guard::Any(self.guards(ps, context, Guard::negate)),
        }
    }

    fn guards(
        &mut self,
        ps: &[Guard],
        context: &Context,
        known: impl Fn(Guard) -> Guard,
    ) -> Vec<Guard> {
        let mut context = context.clone();
        let mut done = Vec::with_capacity(ps.len());
        for p in ps {
            let p = self.guard(p, &context);
            context.guards.push(known(p.clone()));
            done.push(p);
        }
        done
    }
}

/// Lifts what an index expression computes.
struct LiftIndex<'p, 'c> {
    pass: &'p mut Normalize,
    context: &'c Context,
}

impl Rewrite for LiftIndex<'_, '_> {
    fn atom(&mut self, atom: &Atom) -> Option<Index> {
        Some(Index::atom(match atom {
            Atom::Size(_) | Atom::Var(_) => atom.clone(),
            Atom::Read(tensor, indices) => {
                Atom::Read(*tensor, self.pass.indices(indices, self.context))
            }
            Atom::Div(e, k) => Atom::Div(Box::new(self.pass.index(e, self.context)), *k),
            Atom::Mod(e, k) => Atom::Mod(Box::new(self.pass.index(e, self.context)), *k),
            Atom::Floor(e) => Atom::Floor(Box::new(self.pass.atom(e, self.context))),
            Atom::If(parts) => {
                let guard = self.pass.guard(&parts.0, self.context);
                let then = self.context.with_guards(std::slice::from_ref(&guard));
                let then = self.pass.index(&parts.1, &then);
                let other = self.context.with_guards(&[guard.clone().negate()]);
                let other = self.pass.index(&parts.2, &other);
                Atom::If(Box::new((guard, then, other)))
            }
            Atom::Arg(_) => return Some(self.pass.lift_arg(atom, self.context)),
        }))
    }
}

/// The tensors that blocks define, inner blocks included.
fn defined(blocks: &[Block<Def>]) -> Vec<TensorId> {
    let mut tensors = Vec::new();
    for block in blocks {
        match block {
            Block::Stmt(def) => tensors.push(def.tensor),
            Block::Rec(rec) => tensors.extend(defined(&rec.body)),
            Block::Requires(_) => {}
        }
    }
    tensors
}

/// Coefficients are at most 2^40 where a program is checked, and moving a
/// variable does not change them.
fn overflow() -> ! {
    unreachable!("normalize: a coefficient of an index expression overflowed")
}

/// The variables that occur free in a value.
fn free_vars(value: &Value) -> Vec<VarId> {
    match value {
        Value::Real(e) => FreeVars::of_expr(e),
        Value::Index(i) => FreeVars::of_index(i),
    }
}

/// The extents that say something: a plain size is not negative anyway.
fn extents(program: &Typed) -> Vec<Extent> {
    let mut found: Vec<Extent> = Vec::new();
    let shapes = program.symbols.tensors.iter().flat_map(|t| &t.shape);
    for extent in shapes {
        if !matches!(extent.terms(), [(Atom::Size(_), 1)]) && !found.contains(extent) {
            found.push(extent.clone());
        }
    }
    found
}
