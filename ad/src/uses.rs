//! The accesses of a body, and the derivative of the body in each.

use crate::AdError;
use crate::partials::{Case, always, mul, partials};
use iverson_spec::function::Fun;
use iverson_spec::ir::{Expr, Guard, Index, Symbols, TensorId};
use iverson_spec::ssa::Term;
use rustc_hash::FxHashSet;

/// One way in which a term depends on a tensor: an access of its body, with the
/// cases of the derivative of the body in that access.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    /// The tensor accessed.
    pub(crate) tensor: TensorId,
    /// Where.
    pub(crate) indices: Vec<Index>,
    /// `∂body/∂access`, a sum of cases.
    pub(crate) partial: Vec<Case>,
}

/// The uses of active tensors by a term. Equal accesses are one use.
pub(crate) fn uses(
    symbols: &mut Symbols,
    term: &Term,
    active: &FxHashSet<TensorId>,
) -> Result<Vec<Use>, AdError> {
    let mut accesses = Vec::new();
    collect(&term.body, active, &mut accesses);
    accesses
        .into_iter()
        .map(|(tensor, indices)| {
            let access = Expr::Access(tensor, indices.clone());
            let partial = differentiate(symbols, &term.body, &access)?;
            Ok(Use { tensor, indices, partial })
        })
        .collect()
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
        Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => {
            unreachable!("a body of Tensor SSA holds no compound expression (invariant 9)")
        }
    }
}

/// `∂e/∂x` for an access `x`, by the chain rule over the occurrences of `x` in `e`.
/// No cases: `x` does not occur.
pub(crate) fn differentiate(
    symbols: &mut Symbols,
    e: &Expr,
    x: &Expr,
) -> Result<Vec<Case>, AdError> {
    if e == x {
        return Ok(always(Expr::integer(1)));
    }
    match e {
        Expr::Const(_) | Expr::Pi | Expr::Real(_) | Expr::Access(..) => Ok(Vec::new()),
        Expr::Apply(f, args) => chain(symbols, *f, args, x),
        Expr::Guarded(guard, body) => Ok(under(guard, differentiate(symbols, body, x)?)),
        Expr::If(guard, sides) => {
            let mut cases = under(guard, differentiate(symbols, &sides.0, x)?);
            let other = differentiate(symbols, &sides.1, x)?;
            cases.extend(under(&guard.clone().negate(), other));
            Ok(cases)
        }
        Expr::Reduce(_) | Expr::Let(..) => Err(AdError::NoDerivative {
            function: "a derivative clause with a reduction or a call".to_owned(),
            tensor: String::new(),
        }),
    }
}

fn chain(symbols: &mut Symbols, f: Fun, args: &[Expr], x: &Expr) -> Result<Vec<Case>, AdError> {
    let mut inner = Vec::with_capacity(args.len());
    for arg in args {
        inner.push(differentiate(symbols, arg, x)?);
    }
    if inner.iter().all(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let outer = partials(symbols, f, args)?;
    let mut cases = Vec::new();
    for (outer, inner) in outer.iter().zip(&inner) {
        for o in outer {
            cases.extend(inner.iter().map(|i| Case {
                guard: o.guard.clone().and(i.guard.clone()),
                value: mul(o.value.clone(), i.value.clone()),
            }));
        }
    }
    Ok(cases)
}

fn under(guard: &Guard, cases: Vec<Case>) -> Vec<Case> {
    let join = |case: Case| Case { guard: guard.clone().and(case.guard), value: case.value };
    cases.into_iter().map(join).collect()
}
