//! What every reader computes of an entry is kept in its place.
//!
//! `d[i] = x[i] - top` whose readers, a sum of exponentials and the gradient of that sum, all
//! begin with `exp(d[i])` becomes `d[i] = exp(x[i] - top)`, and they read it. The tensor has as
//! many entries as before, so this costs no memory. It is done where one reader visits every
//! entry and there is another: then the function is never applied more often than before.

use crate::reuse::is_costly;
use iverson_spec::function::Fun;
use iverson_spec::ir::{Block, Expr, Guard, Index, Rec, Symbols, TensorId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::traverse::{Reads, Rewrite, Visit, rebuild_expr, walk_expr};
use iverson_spec::verify::stmts;
use rustc_hash::FxHashMap;

/// How a tensor is read.
#[derive(Default)]
struct Usage {
    /// The function that is applied to its entries.
    fun: Option<Fun>,
    /// Whether they are read in another way.
    otherwise: bool,
    /// The term that read it last, and how many do.
    last: Option<usize>,
    readers: usize,
    /// Whether a term reads every entry.
    full: bool,
}

/// `u[a], u[b] = f(t[a]), f(t[b])`, u in the place of t: the statements before and after.
pub(crate) fn apply_once(program: &mut TensorSsa) -> Vec<(Stmt, Stmt)> {
    let usages = usages(program);
    let kept = |stmt: &&Stmt| Some((stmt.tensor, worth(program, usages.get(&stmt.tensor)?, stmt)?));
    let funs: FxHashMap<TensorId, Fun> = stmts(&program.body).iter().filter_map(kept).collect();
    if funs.is_empty() {
        return Vec::new();
    }
    let mut changed = Vec::new();
    program.body = blocks(&std::mem::take(&mut program.body), &funs, &mut changed);
    changed
}

/// The function that is applied to all entries of a statement by at least two terms.
fn worth(program: &TensorSsa, usage: &Usage, stmt: &Stmt) -> Option<Fun> {
    let Rhs::Sum(terms) = &stmt.rhs else { return None };
    let at_axes = |term: &Term| term.binders.is_empty() && term.guard.is_truth();
    let is_map = !terms.is_empty() && terms.iter().all(at_axes);
    let is_read = usage.full && usage.readers > 1 && !usage.otherwise;
    let is_free = is_map && is_read && !program.results.contains(&stmt.tensor);
    usage.fun.filter(|_| is_free)
}

// How tensors are read.

struct Collect<'a> {
    symbols: &'a Symbols,
    usages: FxHashMap<TensorId, Usage>,
    /// The number of the term.
    term: usize,
    /// How many axes and summed variables the term has, if it takes all of their points.
    all: Option<usize>,
}

fn usages(program: &TensorSsa) -> FxHashMap<TensorId, Usage> {
    let (usages, symbols) = (FxHashMap::default(), &program.symbols);
    let mut collect = Collect { symbols, usages, term: 0, all: None };
    for stmt in stmts(&program.body) {
        match &stmt.rhs {
            Rhs::Sum(terms) => terms.iter().for_each(|term| collect.term(stmt, term)),
            Rhs::Fold(_, term) | Rhs::Arg(_, term) => collect.term(stmt, term),
            Rhs::Index(index) => collect.index(index),
        }
    }
    let mut conditions = Reads::default();
    requirements(&program.body, &mut conditions);
    for tensor in conditions.tensors {
        collect.usages.entry(tensor).or_default().otherwise = true;
    }
    collect.usages
}

fn requirements(blocks: &[Block<Stmt>], reads: &mut Reads) {
    for block in blocks {
        match block {
            Block::Stmt(_) => {}
            Block::Rec(rec) => requirements(&rec.body, reads),
            Block::Requires(requires) => reads.guard(&requires.condition),
        }
    }
}

impl Collect<'_> {
    fn term(&mut self, stmt: &Stmt, term: &Term) {
        self.term += 1;
        self.all = term.guard.is_truth().then_some(stmt.axes.len() + term.binders.len());
        self.guard(&term.guard);
        self.expr(&term.body);
    }

    /// Notes that a function is applied to an entry.
    fn applied(&mut self, fun: Fun, tensor: TensorId, at: &[Index]) {
        let is_full = self.all == Some(at.len()) && self.is_every_entry(tensor, at);
        let usage = self.usages.entry(tensor).or_default();
        usage.otherwise |= usage.fun.is_some_and(|other| other != fun);
        usage.fun = Some(fun);
        usage.full |= is_full;
        usage.readers += usize::from(usage.last != Some(self.term));
        usage.last = Some(self.term);
    }

    /// Whether the indices are variables, all different, that run through the axes.
    fn is_every_entry(&self, tensor: TensorId, at: &[Index]) -> bool {
        at.iter().zip(&self.symbols.tensor(tensor).shape).enumerate().all(|(place, (i, extent))| {
            let runs = |v| self.symbols.var(v).range == *extent;
            i.as_var().is_some_and(runs) && !at[..place].contains(i)
        })
    }
}

impl Visit for Collect<'_> {
    fn expr(&mut self, e: &Expr) {
        if let Some((fun, tensor, at)) = function_of_entry(e) {
            self.applied(fun, tensor, at);
            at.iter().for_each(|index| self.index(index));
            return;
        }
        if let Expr::Access(tensor, _) = e {
            self.usages.entry(*tensor).or_default().otherwise = true;
        }
        walk_expr(self, e);
    }
}

/// `f(t[at])`, if f takes longer than to read a number.
fn function_of_entry(e: &Expr) -> Option<(Fun, TensorId, &[Index])> {
    let Expr::Apply(fun, args) = e else { return None };
    let [Expr::Access(tensor, at)] = args.as_slice() else { return None };
    is_costly(e).then_some((*fun, *tensor, at))
}

// The program after.

fn blocks(
    all: &[Block<Stmt>],
    funs: &FxHashMap<TensorId, Fun>,
    changed: &mut Vec<(Stmt, Stmt)>,
) -> Vec<Block<Stmt>> {
    let block = |block: &Block<Stmt>| match block {
        Block::Stmt(before) => {
            let after = applied(before, funs);
            if funs.contains_key(&before.tensor) {
                changed.push((before.clone(), after.clone()));
            }
            Block::Stmt(after)
        }
        Block::Rec(rec) => {
            Block::Rec(Rec { vars: rec.vars.clone(), body: blocks(&rec.body, funs, changed) })
        }
        Block::Requires(_) => block.clone(),
    };
    all.iter().map(block).collect()
}

/// A statement that reads, and keeps, what functions make of entries.
fn applied(stmt: &Stmt, funs: &FxHashMap<TensorId, Fun>) -> Stmt {
    let read = |term: &Term| Term {
        body: Entries(funs).expr(&term.body).unwrap_or_else(|| term.body.clone()),
        ..term.clone()
    };
    let rhs = match &stmt.rhs {
        Rhs::Sum(terms) => {
            let terms: Vec<Term> = terms.iter().map(read).collect();
            Rhs::Sum(match funs.get(&stmt.tensor) {
                Some(fun) => vec![function(*fun, terms)],
                None => terms,
            })
        }
        Rhs::Fold(op, term) => Rhs::Fold(*op, read(term)),
        Rhs::Arg(op, term) => Rhs::Arg(*op, read(term)),
        Rhs::Index(_) => stmt.rhs.clone(),
    };
    Stmt { tensor: stmt.tensor, axes: stmt.axes.clone(), rhs }
}

/// The function of a sum of terms at the axes.
fn function(fun: Fun, terms: Vec<Term>) -> Term {
    let mut bodies: Vec<Expr> = terms.into_iter().map(|term| term.body).collect();
    let sum = if bodies.len() == 1 { bodies.remove(0) } else { Expr::Apply(Fun::Add, bodies) };
    let (binders, guard) = (Vec::new(), Guard::truth());
    Term { binders, guard, body: Expr::Apply(fun, vec![sum]) }
}

struct Entries<'a>(&'a FxHashMap<TensorId, Fun>);

impl Rewrite for Entries<'_> {
    fn expr(&mut self, e: &Expr) -> Option<Expr> {
        match function_of_entry(e) {
            Some((_, tensor, at)) if self.0.contains_key(&tensor) => {
                Some(Expr::Access(tensor, at.to_vec()))
            }
            _ => rebuild_expr(self, e),
        }
    }
}
