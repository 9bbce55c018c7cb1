//! How a statement depends on the tensors it accesses: the derivative of each term
//! in each of its accesses.

use crate::AdError;
use crate::fold::{Linear, Weighted};
use crate::partials::{Case, always, mul, partials};
use crate::user::Derived;
use iverson_spec::function::Fun;
use iverson_spec::ir::{Expr, Guard, Index, Symbols, TensorId, VarId};
use iverson_spec::number::Number;
use iverson_spec::ssa::{Rhs, Stmt, Term, scale};
use rustc_hash::FxHashSet;

/// A use of an active tensor by a term: an access of its body, with the
/// derivative of the body in that access.
#[derive(Clone, Debug)]
pub struct Use {
    /// The tensor accessed.
    pub(crate) tensor: TensorId,
    /// Where.
    pub(crate) indices: Vec<Index>,
    /// The binders of the term.
    pub(crate) binders: Vec<VarId>,
    guard: Guard,
    /// `∂body/∂access`, a sum of cases.
    pub(crate) partial: Vec<Case>,
}

impl Use {
    /// The terms `[P and name and case] * ∂body/∂access * factor`, one for each case.
    pub(crate) fn terms(&self, binders: &[VarId], name: &Guard, factor: &Expr) -> Vec<Term> {
        let guard = self.guard.clone().and(name.clone());
        let term = |case: &Case| Term {
            binders: binders.to_vec(),
            guard: guard.clone().and(case.guard.clone()),
            body: mul(case.value.clone(), factor.clone()),
        };
        self.partial.iter().map(term).collect()
    }
}

/// What partials are made of: the symbols, and functions that stand for partials.
type Rules<'a> = (&'a Symbols, &'a Derived);

/// The uses of active tensors by a statement. Equal accesses of a term are one use.
pub(crate) fn uses(
    symbols: &Symbols,
    stmt: &Stmt,
    linear: &Linear,
    active: &FxHashSet<TensorId>,
) -> Result<Vec<Use>, AdError> {
    let mut found = Vec::new();
    let rules = (symbols, &linear.derived);
    let mut add = |term: &Term, weight: &Expr| term_uses(rules, term, weight, active, &mut found);
    let outcome = match (linear.folds.get(&stmt.tensor), &stmt.rhs) {
        (Some(Weighted { term, weight, .. }), _) => add(term, weight),
        (None, Rhs::Sum(terms)) => terms.iter().try_for_each(|term| add(term, &Expr::integer(1))),
        (None, Rhs::Fold(..) | Rhs::Arg(..) | Rhs::Index(_)) => Ok(()),
    };
    outcome.map_err(|error| error.within(&symbols.tensor(stmt.tensor).name))?;
    Ok(found)
}

pub(crate) fn term_uses(
    rules: Rules<'_>,
    term: &Term,
    weight: &Expr,
    active: &FxHashSet<TensorId>,
    found: &mut Vec<Use>,
) -> Result<(), AdError> {
    let mut accesses = Vec::new();
    collect(&term.body, active, &mut accesses);
    for (tensor, indices) in accesses {
        let access = Expr::Access(tensor, indices.clone());
        let mut partial = joined(differentiate(rules, &term.body, &access)?);
        partial.iter_mut().for_each(|case| case.value = mul(weight.clone(), case.value.clone()));
        let (binders, guard) = (term.binders.clone(), term.guard.clone());
        found.push(Use { tensor, indices, binders, guard, partial });
    }
    Ok(())
}

/// Cases of one guard as one case: the partial of `x * x` is `2 * x`. An access that occurs
/// twice has a case for each place, and a term for each would visit the points twice.
fn joined(cases: Vec<Case>) -> Vec<Case> {
    let mut joined: Vec<(Guard, Vec<(i64, Expr)>)> = Vec::new();
    for Case { guard, value } in cases {
        let place = joined.iter().position(|(known, _)| *known == guard);
        let place = place.unwrap_or_else(|| {
            joined.push((guard, Vec::new()));
            joined.len() - 1
        });
        let summands = &mut joined[place].1;
        match summands.iter_mut().find(|(_, known)| *known == value) {
            Some((times, _)) => *times += 1,
            None => summands.push((1, value)),
        }
    }
    let case = |(guard, summands): (Guard, Vec<(i64, Expr)>)| {
        let scaled = summands.into_iter().map(|(n, value)| scale(&Number::integer(n), value));
        let mut scaled: Vec<Expr> = scaled.collect();
        let value = match scaled.len() {
            1 => scaled.remove(0),
            _ => Expr::Apply(Fun::Add, scaled),
        };
        Case { guard, value }
    };
    joined.into_iter().map(case).collect()
}

fn collect(e: &Expr, active: &FxHashSet<TensorId>, found: &mut Vec<(TensorId, Vec<Index>)>) {
    match e {
        Expr::Access(tensor, indices) if active.contains(tensor) => {
            if !found.iter().any(|(t, i)| t == tensor && i == indices) {
                found.push((*tensor, indices.clone()));
            }
        }
        Expr::Apply(_, args) => args.iter().for_each(|a| collect(a, active, found)),
        Expr::Access(..) | Expr::Const(_) | Expr::Pi | Expr::Real(_) => {}
        Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => compound(),
    }
}

/// `∂e/∂x` for an access `x`, by the chain rule over the occurrences of `x` in `e`.
/// No cases: `x` does not occur.
fn differentiate(rules: Rules<'_>, e: &Expr, x: &Expr) -> Result<Vec<Case>, AdError> {
    if e == x {
        return Ok(always(Expr::integer(1)));
    }
    match e {
        Expr::Const(_) | Expr::Pi | Expr::Real(_) | Expr::Access(..) => Ok(Vec::new()),
        Expr::Apply(f, args) => chain(rules, *f, args, x),
        Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => compound(),
    }
}

/// `∂f(args)/∂x = Σ_k ∂_k f(args) · ∂args[k]/∂x`
fn chain(rules: Rules<'_>, f: Fun, args: &[Expr], x: &Expr) -> Result<Vec<Case>, AdError> {
    let mut cases = Vec::new();
    for (place, arg) in args.iter().enumerate() {
        let inner = differentiate(rules, arg, x)?;
        if inner.is_empty() {
            continue;
        }
        for outer in partials(rules.0, rules.1, f, args, place)? {
            cases.extend(inner.iter().map(|inner| Case {
                guard: outer.guard.clone().and(inner.guard.clone()),
                value: mul(outer.value.clone(), inner.value.clone()),
            }));
        }
    }
    Ok(cases)
}

fn compound() -> ! {
    unreachable!("a body of Tensor SSA holds no compound expression (invariant 9)")
}
