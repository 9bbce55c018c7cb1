//! Entries at places that data give go to what reads them.
//!
//! The adjoint of a tensor that two searches read is 0 but at the places that they found:
//!
//! ```text
//! t[i: n, j: m] = [j = p[i]] a[i] + [i = q[j]] b[j]
//! y[i: n] = sum(j: m) d[i, j] * t[i, j]
//! ```
//!
//! It has n + m points, and what multiplies by it goes through n m of them. As
//! `y[i] = sum(j where j = p[i]) d[i, j] * a[i] + sum(j where i = q[j]) d[i, j] * b[j]` it has as many as `t`, and there is no `t`. What is
//! left is such a tensor again, if it is one product.

use super::UNROLLED;
use iverson_spec::ast::Cmp;
use iverson_spec::function::Fun;
use iverson_spec::ir::{Atom, Block, Expr, Guard, Index, Symbols, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::traverse::{
    FreeVars, Reads, Rewrite, Substitute, Visit, rebuild_expr, walk_expr,
};
use iverson_spec::work::{affine, enumerable};

/// A product becomes at most this many.
const MOST_TERMS: usize = 4;

/// At most this many numbers are loaded once more for each reader of an entry.
const MOST_LOADS: usize = 4;

/// The program without tensors that are 0 but at places of data, where they only are factors.
///
/// * **Meaning**: that of `program`, but for the order of sums, and for products with 0, which are left out.
/// * **Cost**: what reads such a tensor has as many points as that has for each of its other variables: fewer than before, but where
///   ranges are 1.
#[must_use]
pub fn send(program: &TensorSsa) -> TensorSsa {
    let mut sent = program.clone();
    let mut at = 0;
    while let Some(block) = sent.body.get(at) {
        let without = match block {
            Block::Stmt(stmt) if is_at_places(&sent, stmt) => Sent { stmt }.blocks(&sent.body),
            Block::Stmt(_) | Block::Rec(_) | Block::Requires(_) => None,
        };
        match without {
            Some(body) => sent.body = body,
            None => at += 1,
        }
    }
    sent
}

/// Whether data say of each term of a sum where it is, along a long axis, and it is a product that can be computed again.
fn is_at_places(program: &TensorSsa, stmt: &Stmt) -> bool {
    let Rhs::Sum(terms) = &stmt.rhs else { return false };
    let is_at_place = |term: &Term| {
        let conjuncts = term.guard.clone().conjuncts();
        term.binders.is_empty()
            && is_product(&term.body)
            && conjuncts.iter().all(|conjunct| enumerable(conjunct, true))
            && conjuncts.iter().any(|conjunct| names_place(&program.symbols, &stmt.axes, conjunct))
    };
    (1..=MOST_TERMS).contains(&terms.len())
        && !program.results.contains(&stmt.tensor)
        && terms.iter().all(is_at_place)
}

/// Whether the conjunct is `axis = a`, with data in a, the axis not in it and not short.
fn names_place(symbols: &Symbols, axes: &[VarId], conjunct: &Guard) -> bool {
    let Guard::Compare(Cmp::Eq, a, b) = conjunct else { return false };
    let Some(difference) = a.sub(b).filter(|difference| !affine(difference)) else { return false };
    difference.terms().iter().any(|(atom, c)| {
        let Atom::Var(var) = atom else { return false };
        let others = Index::var(*var).scale(*c).and_then(|own| difference.sub(&own));
        let is_alone = others.is_some_and(|e| !FreeVars::of_index(&e).contains(var));
        let is_short = symbols.var(*var).range.as_constant().is_some_and(|n| n <= UNROLLED);
        c.abs() == 1 && axes.contains(var) && is_alone && !is_short
    })
}

/// Whether only few numbers are multiplied and divided.
fn is_product(e: &Expr) -> bool {
    struct Product {
        loads: usize,
        others: bool,
    }
    impl Visit for Product {
        fn expr(&mut self, e: &Expr) {
            match e {
                Expr::Access(..) => self.loads += 1,
                Expr::Const(_) | Expr::Pi | Expr::Real(_) => {}
                Expr::Apply(Fun::Neg | Fun::Mul | Fun::Div, _) => walk_expr(self, e),
                Expr::Apply(..)
                | Expr::Guarded(..)
                | Expr::If(..)
                | Expr::Reduce(_)
                | Expr::Let(..) => self.others = true,
            }
        }
    }
    let mut product = Product { loads: 0, others: false };
    product.expr(e);
    !product.others && product.loads <= MOST_LOADS
}

/// The statement whose entries go to their readers.
struct Sent<'a> {
    stmt: &'a Stmt,
}

impl Sent<'_> {
    /// The blocks without the statement, if it is only read as a factor, once in a product of a sum.
    fn blocks(&self, blocks: &[Block<Stmt>]) -> Option<Vec<Block<Stmt>>> {
        let others = blocks.iter().filter(|block| match block {
            Block::Stmt(stmt) => stmt.tensor != self.stmt.tensor,
            Block::Rec(_) | Block::Requires(_) => true,
        });
        others.map(|block| self.block(block)).collect()
    }

    fn block(&self, block: &Block<Stmt>) -> Option<Block<Stmt>> {
        match block {
            Block::Stmt(Stmt { tensor, axes, rhs: Rhs::Sum(terms) }) => {
                let terms: Option<Vec<_>> = terms.iter().map(|term| self.terms(term)).collect();
                let rhs = Rhs::Sum(terms?.concat());
                Some(Block::Stmt(Stmt { tensor: *tensor, axes: axes.clone(), rhs }))
            }
            Block::Stmt(_) | Block::Rec(_) | Block::Requires(_) => {
                (!self.is_read_in(block)).then(|| block.clone())
            }
        }
    }

    fn is_read_in(&self, block: &Block<Stmt>) -> bool {
        let read = |reads: &mut Reads, term: &Term| {
            reads.guard(&term.guard);
            reads.expr(&term.body);
        };
        let mut reads = Reads::default();
        match block {
            Block::Stmt(stmt) => match &stmt.rhs {
                Rhs::Sum(terms) => terms.iter().for_each(|term| read(&mut reads, term)),
                Rhs::Fold(_, term) | Rhs::Arg(_, term) => read(&mut reads, term),
                Rhs::Index(index) => reads.index(index),
            },
            Block::Rec(rec) => return rec.body.iter().any(|block| self.is_read_in(block)),
            Block::Requires(requires) => reads.guard(&requires.condition),
        }
        reads.tensors.contains(&self.stmt.tensor)
    }

    /// The term, with those of the statement in the place of the factor that reads it.
    fn terms(&self, term: &Term) -> Option<Vec<Term>> {
        let Rhs::Sum(parts) = &self.stmt.rhs else { return None };
        let read = self.stmt.tensor;
        match reads_of(read, &term.guard, &term.body) {
            0 => Some(vec![term.clone()]),
            1 => {
                let at = factor(&term.body, read)?;
                let put = |part: &Term| {
                    let mut moved = Substitute(|v| {
                        let place = self.stmt.axes.iter().position(|axis| *axis == v)?;
                        Some(at[place].clone())
                    });
                    let guard = moved.guard(&part.guard)?;
                    let body = Put(read, &moved.expr(&part.body)?).expr(&term.body)?;
                    let guard = enumerable(&guard, true).then(|| term.guard.clone().and(guard))?;
                    Some(Term { binders: term.binders.clone(), guard, body })
                };
                parts.iter().map(put).collect()
            }
            _ => None,
        }
    }
}

fn reads_of(tensor: TensorId, guard: &Guard, body: &Expr) -> usize {
    let mut reads = Reads::default();
    reads.guard(guard);
    reads.expr(body);
    reads.tensors.into_iter().filter(|read| *read == tensor).count()
}

/// The place of the entry of a tensor that is a factor of a body.
fn factor(body: &Expr, tensor: TensorId) -> Option<&[Index]> {
    if let Expr::Access(read, at) = body {
        return (*read == tensor).then_some(at);
    }
    let Expr::Apply(fun, args) = body else { return None };
    if matches!(fun, Fun::Neg | Fun::Mul) {
        args.iter().find_map(|e| factor(e, tensor))
    } else {
        args.first().filter(|_| *fun == Fun::Div).and_then(|e| factor(e, tensor))
    }
}

/// Puts an expression in the place of the entries of a tensor.
struct Put<'a>(TensorId, &'a Expr);

impl Rewrite for Put<'_> {
    fn expr(&mut self, e: &Expr) -> Option<Expr> {
        let is_it = matches!(e, Expr::Access(read, _) if *read == self.0);
        if is_it { Some(self.1.clone()) } else { rebuild_expr(self, e) }
    }
}
