//! What both modes need of a program: which tensors are active, copies of
//! variables, and the linear form of each statement.

use crate::AdError;
use crate::fold::Weighted;
use crate::partials::{Case, mul};
use crate::uses::{Use, uses};
use iverson_spec::ir::{Block, Element, Expr, Guard, Param, Symbols, Tensor, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use rustc_hash::{FxHashMap, FxHashSet};

/// The parameters named, which must be real.
pub(crate) fn inputs(program: &TensorSsa, names: &[&str]) -> Result<Vec<TensorId>, AdError> {
    names.iter().map(|name| input(program, name)).collect()
}

fn input(program: &TensorSsa, name: &str) -> Result<TensorId, AdError> {
    let symbols = &program.symbols;
    let not = |reason| AdError::NotAnInput { name: name.to_owned(), reason };
    for param in &program.params {
        match *param {
            Param::Tensor(t) if symbols.tensor(t).name == name => {
                return match symbols.tensor(t).element {
                    Element::Real => Ok(t),
                    Element::Index(_) => Err(not("is an index tensor, and indices are constant")),
                };
            }
            Param::Size(s) if symbols.sizes[s.index()] == name => {
                return Err(not("is a size, and sizes are constant"));
            }
            Param::Relation(r) if symbols.relation(r).name == name => {
                return Err(not("is a relation, and relations are constant"));
            }
            Param::Size(_) | Param::Tensor(_) | Param::Relation(_) => {}
        }
    }
    Err(not("is not a parameter"))
}

/// The real tensors that depend on `inputs` through real accesses. A recurrence
/// is passed over until nothing is added.
pub(crate) fn active(program: &TensorSsa, inputs: &[TensorId]) -> FxHashSet<TensorId> {
    let mut found: FxHashSet<TensorId> = inputs.iter().copied().collect();
    loop {
        let before = found.len();
        grow(&program.body, &mut found);
        if found.len() == before {
            return found;
        }
    }
}

fn grow(blocks: &[Block<Stmt>], found: &mut FxHashSet<TensorId>) {
    for block in blocks {
        match block {
            Block::Stmt(stmt) => {
                let touched = bodies(stmt).iter().any(|term| touches(&term.body, found));
                if touched {
                    found.insert(stmt.tensor);
                }
            }
            Block::Rec(rec) => grow(&rec.body, found),
            Block::Requires(_) => {}
        }
    }
}

/// Whether a body accesses one of the tensors; indices and guards do not count.
fn touches(e: &Expr, tensors: &FxHashSet<TensorId>) -> bool {
    match e {
        Expr::Access(tensor, _) => tensors.contains(tensor),
        Expr::Apply(_, args) => args.iter().any(|a| touches(a, tensors)),
        Expr::Const(_) | Expr::Pi | Expr::Real(_) => false,
        Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => false,
    }
}

/// The real tensors that a result depends on through real accesses.
pub(crate) fn useful(program: &TensorSsa) -> FxHashSet<TensorId> {
    let mut found: FxHashSet<TensorId> = program.results.iter().copied().collect();
    loop {
        let before = found.len();
        shrink(&program.body, &mut found);
        if found.len() == before {
            return found;
        }
    }
}

fn shrink(blocks: &[Block<Stmt>], found: &mut FxHashSet<TensorId>) {
    for block in blocks.iter().rev() {
        match block {
            Block::Stmt(stmt) if found.contains(&stmt.tensor) => {
                bodies(stmt).iter().for_each(|term| accessed(&term.body, found));
            }
            Block::Rec(rec) => shrink(&rec.body, found),
            Block::Stmt(_) | Block::Requires(_) => {}
        }
    }
}

fn accessed(e: &Expr, found: &mut FxHashSet<TensorId>) {
    match e {
        Expr::Access(tensor, _) => {
            found.insert(*tensor);
        }
        Expr::Apply(_, args) => args.iter().for_each(|a| accessed(a, found)),
        Expr::Const(_) | Expr::Pi | Expr::Real(_) => {}
        Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => {}
    }
}

/// The terms of a real statement.
pub(crate) fn bodies(stmt: &Stmt) -> Vec<&Term> {
    match &stmt.rhs {
        Rhs::Sum(terms) => terms.iter().collect(),
        Rhs::Fold(_, term) => vec![term],
        Rhs::Arg(..) | Rhs::Index(_) => Vec::new(),
    }
}

/// A use of an active tensor by a statement, with the term it is in.
pub(crate) struct Contribution {
    /// The binders and the guard of the term.
    pub(crate) term: Term,
    /// What the derivative of the body is multiplied with.
    pub(crate) weight: Expr,
    /// The access.
    pub(crate) used: Use,
}

/// The uses of active tensors by a statement.
pub(crate) fn contributions(
    symbols: &mut Symbols,
    stmt: &Stmt,
    linear: &FxHashMap<TensorId, Vec<Weighted>>,
    active: &FxHashSet<TensorId>,
) -> Result<Vec<Contribution>, AdError> {
    let name = symbols.tensor(stmt.tensor).name.clone();
    let one = |term: &Term| Weighted { term: term.clone(), weight: Expr::integer(1) };
    let weighted: Vec<Weighted> = match &stmt.rhs {
        Rhs::Sum(terms) => terms.iter().map(one).collect(),
        Rhs::Fold(..) => linear.get(&stmt.tensor).cloned().unwrap_or_default(),
        Rhs::Arg(..) | Rhs::Index(_) => Vec::new(),
    };
    let mut found = Vec::new();
    for Weighted { term, weight } in weighted {
        let uses = uses(symbols, &term, active).map_err(|error| error.within(&name))?;
        found.extend(uses.into_iter().map(|used| Contribution {
            term: term.clone(),
            weight: weight.clone(),
            used,
        }));
    }
    Ok(found)
}

/// The terms `[P and p] * weight * partial * factor` of a contribution, under one more guard.
pub(crate) fn derived_terms(
    contribution: &Contribution,
    binders: &[VarId],
    guard: &Guard,
    factor: &Expr,
) -> Vec<Term> {
    let term = |case: &Case| {
        let own = contribution.term.guard.clone().and(guard.clone());
        let value = mul(contribution.weight.clone(), case.value.clone());
        Term {
            binders: binders.to_vec(),
            guard: own.and(case.guard.clone()),
            body: mul(value, factor.clone()),
        }
    };
    contribution.used.partial.iter().map(term).collect()
}

/// A fresh variable with the name and range of another.
pub(crate) fn copy_var(symbols: &mut Symbols, var: VarId) -> VarId {
    let row = symbols.var(var).clone();
    symbols.add_var(row.name, row.range)
}

/// A real tensor shaped like `tensor`, named after it.
pub(crate) fn companion(symbols: &mut Symbols, tensor: TensorId, suffix: &str) -> TensorId {
    let row = symbols.tensor(tensor);
    let (name, shape) = (format!("{}{suffix}", row.name), row.shape.clone());
    symbols.add_tensor(Tensor { name, element: Element::Real, shape })
}

/// Renaming a variable leaves its coefficient as it is.
pub(crate) fn overflow() -> ! {
    unreachable!("ad: a coefficient of an index expression overflowed")
}
