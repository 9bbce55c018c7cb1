//! Tensor SSA: every tensor is defined once, by a sum of terms (spec chapter 4).
//!
//! ```text
//! t[i: n] = sum(j: m where P(i, j)) body(i, j)     a term: its own binders, guard and body
//!         + sum(k: l where Q(i, k)) body'(i, k)
//! ```
//!
//! In **normal form** a body is a rational constant times one operation on at
//! most two atoms; an atom is an access, a constant or an index as a real.

use crate::ast::Reduction;
use crate::function::Fun;
use crate::ir::{
    ArgReduce, Atom, Block, Def, Expr, Guard, Index, Program, Rec, Reduce, TensorId, Typed, Value,
    VarId,
};
use crate::number::Number;
use crate::traverse::{Visit, walk_expr};

/// A program in Tensor SSA.
pub type TensorSsa = Program<Stmt>;

/// `tensor[axes] = right side`
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Stmt {
    /// What is defined.
    pub tensor: TensorId,
    /// One variable for each axis; inside `rec` blocks the leading ones are the recurrence variables.
    pub axes: Vec<VarId>,
    /// Its value.
    pub rhs: Rhs,
}

/// The right side of a statement.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rhs {
    /// The sum of the terms, left to right; no terms is 0.
    Sum(Vec<Term>),
    /// `prod`, `max` or `min` over the points of one term.
    Fold(Reduction, Term),
    /// `argmax` or `argmin` over the points of one term with one binder.
    Arg(Reduction, Term),
    /// An index-valued map.
    Index(Index),
}

/// `sum(binders where guard) body`
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Term {
    /// The summed variables.
    pub binders: Vec<VarId>,
    /// The points taken.
    pub guard: Guard,
    /// The value at a point: an expression without reductions, conditionals, guards and lets.
    pub body: Expr,
}

impl Stmt {
    /// The statement as a definition: the sum of its terms as one expression.
    #[must_use]
    pub fn to_def(&self) -> Def {
        let value = match &self.rhs {
            Rhs::Sum(terms) => {
                let mut summands: Vec<Expr> = terms.iter().map(Term::to_summand).collect();
                match summands.len() {
                    0 => Value::Real(Expr::integer(0)),
                    1 => Value::Real(summands.remove(0)),
                    _ => Value::Real(Expr::Apply(Fun::Add, summands)),
                }
            }
            Rhs::Fold(op, term) => Value::Real(term.reduce(*op, term.body.clone())),
            Rhs::Arg(op, term) => Value::Index(Index::atom(Atom::Arg(Box::new(ArgReduce {
                op: *op,
                var: term.binders[0],
                guard: term.guard.clone(),
                body: term.body.clone(),
            })))),
            Rhs::Index(index) => Value::Index(index.clone()),
        };
        Def { tensor: self.tensor, axes: self.axes.clone(), value }
    }
}

impl Term {
    /// `sum(binders where guard) body`, with the sign of the body in front.
    fn to_summand(&self) -> Expr {
        let (negative, body) = split_sign(&self.body);
        let summed = if self.binders.is_empty() {
            body.guarded(self.guard.clone())
        } else {
            self.reduce(Reduction::Sum, body)
        };
        if negative { Expr::Apply(Fun::Neg, vec![summed]) } else { summed }
    }

    fn reduce(&self, op: Reduction, body: Expr) -> Expr {
        let (binders, guard) = (self.binders.clone(), self.guard.clone());
        Expr::Reduce(Box::new(Reduce { op, binders, guard, body }))
    }
}

/// Takes the sign out of a body whose leading coefficient is negative.
fn split_sign(body: &Expr) -> (bool, Expr) {
    if leads_negative(body) { (true, negate(body.clone())) } else { (false, body.clone()) }
}

fn leads_negative(body: &Expr) -> bool {
    match body {
        Expr::Const(n) => n.is_negative(),
        Expr::Apply(Fun::Mul | Fun::Div, args) => args.first().is_some_and(leads_negative),
        Expr::Pi
        | Expr::Real(_)
        | Expr::Access(..)
        | Expr::Apply(..)
        | Expr::Guarded(..)
        | Expr::If(..)
        | Expr::Reduce(_)
        | Expr::Let(..) => false,
    }
}

/// Reads a typed program as Tensor SSA without computing anything elsewhere: the
/// inverse of printing. Nothing is lifted; larger bodies stay as they are.
///
/// # Errors
/// The name of the first tensor whose definition is not a statement: a term holds
/// a reduction, a conditional or a `let` inside its body.
pub fn embed(program: &Typed) -> Result<TensorSsa, String> {
    Ok(Program {
        name: program.name.clone(),
        symbols: program.symbols.clone(),
        params: program.params.clone(),
        body: embed_blocks(program, &program.body)?,
        results: program.results.clone(),
    })
}

fn embed_blocks(program: &Typed, blocks: &[Block<Def>]) -> Result<Vec<Block<Stmt>>, String> {
    let embed_block = |block: &Block<Def>| {
        Ok(match block {
            Block::Stmt(def) => Block::Stmt(
                embed_def(def).ok_or_else(|| program.symbols.tensor(def.tensor).name.clone())?,
            ),
            Block::Rec(rec) => {
                Block::Rec(Rec { vars: rec.vars.clone(), body: embed_blocks(program, &rec.body)? })
            }
            Block::Requires(requires) => Block::Requires(requires.clone()),
        })
    };
    blocks.iter().map(embed_block).collect()
}

fn embed_def(def: &Def) -> Option<Stmt> {
    let rhs = match &def.value {
        Value::Real(Expr::Reduce(reduce)) if reduce.op != Reduction::Sum => {
            let (binders, guard) = (reduce.binders.clone(), reduce.guard.clone());
            let body = plain(signed(false, reduce.body.clone()))?;
            Rhs::Fold(reduce.op, Term { binders, guard, body })
        }
        Value::Real(e) => {
            let mut terms = Vec::new();
            let whole = Term { binders: Vec::new(), guard: Guard::truth(), body: Expr::integer(0) };
            embed_terms(e, false, &whole, &mut terms)?;
            Rhs::Sum(terms)
        }
        Value::Index(index) => match (index.terms(), index.constant_part()) {
            ([(Atom::Arg(arg), 1)], 0) => {
                let body = plain(signed(false, arg.body.clone()))?;
                Rhs::Arg(arg.op, Term { binders: vec![arg.var], guard: arg.guard.clone(), body })
            }
            _ => Rhs::Index(index.clone()),
        },
    };
    Some(Stmt { tensor: def.tensor, axes: def.axes.clone(), rhs })
}

/// Adds the terms of `e`; `around` has the binders and the guard met so far.
fn embed_terms(e: &Expr, negative: bool, around: &Term, terms: &mut Vec<Term>) -> Option<()> {
    match e {
        Expr::Apply(Fun::Add, args) => {
            args.iter().try_for_each(|arg| embed_terms(arg, negative, around, terms))
        }
        Expr::Apply(Fun::Neg, args) if !args.is_empty() => {
            embed_terms(&args[0], !negative, around, terms)
        }
        Expr::Reduce(reduce) if reduce.op == Reduction::Sum => {
            let binders = [around.binders.as_slice(), &reduce.binders].concat();
            let guard = around.guard.clone().and(reduce.guard.clone());
            let inner = Term { binders, guard, body: around.body.clone() };
            embed_terms(&reduce.body, negative, &inner, terms)
        }
        Expr::Guarded(guard, body) => {
            let guard = around.guard.clone().and(guard.clone());
            let inner = Term { guard, ..around.clone() };
            embed_terms(body, negative, &inner, terms)
        }
        Expr::Const(_)
        | Expr::Pi
        | Expr::Real(_)
        | Expr::Access(..)
        | Expr::Apply(..)
        | Expr::If(..)
        | Expr::Reduce(_)
        | Expr::Let(..) => {
            let body = plain(signed(negative, e.clone()))?;
            terms.push(Term { body, ..around.clone() });
            Some(())
        }
    }
}

/// `e` or `-e`, with the sign of a leading constant joined to it.
fn signed(negative: bool, e: Expr) -> Expr {
    if let Expr::Apply(Fun::Neg, args) = &e {
        return signed(!negative, args[0].clone());
    }
    if negative { negate(e) } else { e }
}

/// The body, if it is one.
fn plain(body: Expr) -> Option<Expr> {
    struct Compound(bool);
    impl Visit for Compound {
        fn expr(&mut self, e: &Expr) {
            match e {
                Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => self.0 = true,
                Expr::Const(_) | Expr::Pi | Expr::Real(_) | Expr::Access(..) | Expr::Apply(..) => {
                    walk_expr(self, e);
                }
            }
        }
    }
    let mut compound = Compound(false);
    compound.expr(&body);
    (!compound.0).then_some(body)
}

/// `n * body`; a coefficient of the body is multiplied first, a coefficient of 1 is left out.
#[must_use]
pub fn scale(n: &Number, body: Expr) -> Expr {
    if n.as_integer() == Some(1) {
        return body;
    }
    match body {
        Expr::Apply(Fun::Mul, mut args) => {
            args.insert(0, Expr::Const(n.clone()));
            Expr::Apply(Fun::Mul, args)
        }
        Expr::Apply(Fun::Div, mut args) if args.len() == 2 => {
            let divisor = args.pop();
            let dividend = args.pop().map(|a| scale(n, a));
            Expr::Apply(Fun::Div, dividend.into_iter().chain(divisor).collect())
        }
        Expr::Const(_)
        | Expr::Pi
        | Expr::Real(_)
        | Expr::Access(..)
        | Expr::Apply(..)
        | Expr::Guarded(..)
        | Expr::If(..)
        | Expr::Reduce(_)
        | Expr::Let(..) => Expr::Apply(Fun::Mul, vec![Expr::Const(n.clone()), body]),
    }
}

/// `-body`, by the sign of its coefficient; exact in every scalar.
#[must_use]
pub fn negate(body: Expr) -> Expr {
    match body {
        Expr::Const(n) => Expr::Const(n.negate()),
        Expr::Apply(Fun::Mul, args) => match args.split_first() {
            Some((Expr::Const(n), [single])) if n.negate().as_integer() == Some(1) => {
                single.clone()
            }
            Some((Expr::Const(n), rest)) if n.negate().as_integer() == Some(1) => {
                Expr::Apply(Fun::Mul, rest.to_vec())
            }
            Some((Expr::Const(n), rest)) => {
                let opposite = std::iter::once(Expr::Const(n.negate()));
                Expr::Apply(Fun::Mul, opposite.chain(rest.iter().cloned()).collect())
            }
            _ => scale(&Number::integer(-1), Expr::Apply(Fun::Mul, args)),
        },
        Expr::Apply(Fun::Div, mut args) if args.len() == 2 => {
            let divisor = args.pop();
            let dividend = args.pop().map(negate);
            Expr::Apply(Fun::Div, dividend.into_iter().chain(divisor).collect())
        }
        Expr::Pi
        | Expr::Real(_)
        | Expr::Access(..)
        | Expr::Apply(..)
        | Expr::Guarded(..)
        | Expr::If(..)
        | Expr::Reduce(_)
        | Expr::Let(..) => scale(&Number::integer(-1), body),
    }
}
