//! Parts of a tensor on the way: from terms, and back into the terms that use them.

use crate::solve::{Known, Placed, reads_data};
use crate::structure::is_dense_axis;
use iverson_spec::ast::Cmp;
use iverson_spec::bounds::without_negative;
use iverson_spec::function::Fun;
use iverson_spec::ir::{Element, Expr, Guard, Index, Symbols, Tensor, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, Term, scale};
use iverson_spec::traverse::{Rewrite, Substitute, rebuild_index};

/// `T[map(u)] += value(u)`
#[derive(Clone)]
pub(crate) struct Piece {
    /// u
    pub(crate) axes: Vec<VarId>,
    pub(crate) map: Vec<Index>,
    /// The terms of the value.
    pub(crate) terms: Vec<Term>,
    /// Whether the one term reads the values from a statement made for them.
    pub(crate) is_defined: bool,
}

/// The piece of a term that its equalities put on an image of a smaller domain:
///
/// * fewer variables than axes, or
/// * as many, if data give some of the coordinates and others are dense axes.
pub(crate) fn piece(mut placed: Placed, known: &Known, symbols: &mut Symbols) -> Option<Piece> {
    placed.solve_axes(known, symbols);
    let free = placed.free();
    let has_data = placed.map.iter().any(reads_data);
    let has_rows = placed.map.iter().any(|at| is_dense_axis(at, &placed.map));
    let is_smaller = free.len() < placed.map.len();
    let is_rows = has_data && has_rows && free.len() == placed.map.len();
    if !is_smaller && !is_rows {
        return None;
    }
    let mut within = Vec::new();
    let mut renamed = Vec::new();
    for v in free {
        let row = symbols.var(v).clone();
        let is_extent =
            known.proves(symbols, &Guard::Compare(Cmp::Ge, row.range.clone(), Index::constant(0)));
        let extent = if is_extent { row.range.clone() } else { without_negative(&row.range)? };
        let axis = symbols.add_var(row.name, extent);
        if !is_extent {
            within.push(Guard::Compare(Cmp::Lt, Index::var(axis), row.range));
        }
        renamed.push((v, axis));
    }
    let axes: Vec<VarId> = renamed.iter().map(|(_, axis)| *axis).collect();
    let summed: Vec<VarId> =
        placed.binders.iter().copied().filter(|b| renamed.iter().all(|(v, _)| v != b)).collect();
    let (binders, copies) = copied(&summed, symbols);
    renamed.extend(copies);
    let term = Term { binders, guard: placed.guard(known, symbols), body: placed.body.clone() };
    let term = moved(&term, &renamed)?;
    let guard = Guard::all(within).and(term.guard);
    let map = placed.map.iter().map(|at| moved_index(at, &renamed)).collect::<Option<_>>()?;
    Some(Piece { axes, map, terms: vec![Term { guard, ..term }], is_defined: false })
}

/// Adds a piece to those with the same map and extents.
pub(crate) fn merge(pieces: &mut Vec<Piece>, piece: Piece, symbols: &Symbols) -> Option<()> {
    for other in pieces.iter_mut() {
        let same_ranges = other.axes.len() == piece.axes.len()
            && other
                .axes
                .iter()
                .zip(&piece.axes)
                .all(|(a, b)| symbols.var(*a).range == symbols.var(*b).range);
        if !same_ranges {
            continue;
        }
        let renamed: Vec<(VarId, VarId)> =
            piece.axes.iter().copied().zip(other.axes.iter().copied()).collect();
        let map: Vec<Index> =
            piece.map.iter().map(|at| moved_index(at, &renamed)).collect::<Option<_>>()?;
        if map == other.map {
            let terms: Option<Vec<Term>> =
                piece.terms.iter().map(|term| moved(term, &renamed)).collect();
            other.terms.extend(terms?);
            return Some(());
        }
    }
    pieces.push(piece);
    Some(())
}

impl Piece {
    /// The piece with its terms in a statement of their own, unless they are a constant.
    pub(crate) fn defined(self, name: &str, symbols: &mut Symbols) -> (Self, Option<Stmt>) {
        if let [Term { binders, body: Expr::Const(_), .. }] = self.terms.as_slice()
            && binders.is_empty()
        {
            return (self, None);
        }
        let (tensor, stmt) = self.statement(name, symbols);
        let body = Expr::Access(tensor, self.axes.iter().map(|v| Index::var(*v)).collect());
        let term = Term { binders: Vec::new(), guard: Guard::truth(), body };
        (Self { terms: vec![term], is_defined: true, ..self }, Some(stmt))
    }

    /// The tensor that has the values, if it is defined.
    pub(crate) fn values(&self) -> Option<TensorId> {
        match self.terms.as_slice() {
            [Term { body: Expr::Access(tensor, _), .. }] => self.is_defined.then_some(*tensor),
            _ => None,
        }
    }

    /// `values[u] = terms`
    pub(crate) fn statement(&self, name: &str, symbols: &mut Symbols) -> (TensorId, Stmt) {
        let shape = self.axes.iter().map(|v| symbols.var(*v).range.clone()).collect();
        let row = Tensor { name: format!("{name}_values"), element: Element::Real, shape };
        let tensor = symbols.add_tensor(row);
        let stmt = Stmt { tensor, axes: self.axes.clone(), rhs: Rhs::Sum(self.terms.clone()) };
        (tensor, stmt)
    }

    /// `term` with the value of the piece for its first linear access, `tensor[indices]`.
    pub(crate) fn put_into(
        &self,
        term: &Term,
        (tensor, indices): &(TensorId, Vec<Index>),
        symbols: &mut Symbols,
    ) -> Option<Term> {
        let [value] = self.terms.as_slice() else {
            unreachable!("structured: a piece in use is one term");
        };
        let (axes, renamed) = copied(&self.axes, symbols);
        let value = moved(value, &renamed)?;
        let equal = self.map.iter().zip(indices).map(|(at, index)| {
            Some(Guard::Compare(Cmp::Eq, index.clone(), moved_index(at, &renamed)?))
        });
        let equal = Guard::all(equal.collect::<Option<_>>()?);
        Some(Term {
            binders: [term.binders.as_slice(), &axes].concat(),
            guard: term.guard.clone().and(equal).and(value.guard),
            body: replaced(&term.body, *tensor, indices, &value.body)?,
        })
    }
}

fn copied(vars: &[VarId], symbols: &mut Symbols) -> (Vec<VarId>, Vec<(VarId, VarId)>) {
    let copy = |v: &VarId| {
        let row = symbols.var(*v).clone();
        symbols.add_var(row.name, row.range)
    };
    let copies: Vec<VarId> = vars.iter().map(copy).collect();
    let renamed = vars.iter().copied().zip(copies.iter().copied()).collect();
    (copies, renamed)
}

fn renaming(renamed: &[(VarId, VarId)]) -> impl Fn(VarId) -> Option<Index> + Copy + '_ {
    |v| renamed.iter().find(|(old, _)| *old == v).map(|(_, new)| Index::var(*new))
}

fn moved_index(index: &Index, renamed: &[(VarId, VarId)]) -> Option<Index> {
    rebuild_index(&mut Substitute(renaming(renamed)), index)
}

fn moved(term: &Term, renamed: &[(VarId, VarId)]) -> Option<Term> {
    Some(Term {
        binders: term.binders.clone(),
        guard: Substitute(renaming(renamed)).guard(&term.guard)?,
        body: Substitute(renaming(renamed)).expr(&term.body)?,
    })
}

/// The first access of a body in which it is linear and that `is_known` accepts: the
/// body itself, a factor, or a dividend.
pub(crate) fn linear_access(
    body: &Expr,
    is_known: &impl Fn(TensorId) -> bool,
) -> Option<(TensorId, Vec<Index>)> {
    match body {
        Expr::Access(tensor, indices) if is_known(*tensor) => Some((*tensor, indices.clone())),
        Expr::Apply(Fun::Mul, args) => args.iter().find_map(|arg| linear_access(arg, is_known)),
        Expr::Apply(Fun::Div, args) => linear_access(args.first()?, is_known),
        Expr::Const(_)
        | Expr::Pi
        | Expr::Real(_)
        | Expr::Access(..)
        | Expr::Apply(..)
        | Expr::Guarded(..)
        | Expr::If(..)
        | Expr::Reduce(_)
        | Expr::Let(..) => None,
    }
}

/// The body with `by` for that access.
fn replaced(body: &Expr, tensor: TensorId, indices: &[Index], by: &Expr) -> Option<Expr> {
    match body {
        Expr::Access(t, at) if *t == tensor && at == indices => Some(by.clone()),
        Expr::Apply(Fun::Mul, args) => {
            let (at, new) = args
                .iter()
                .enumerate()
                .find_map(|(at, arg)| Some((at, replaced(arg, tensor, indices, by)?)))?;
            let mut args = args.clone();
            if let Expr::Const(n) = &new {
                args.remove(at);
                let rest =
                    if args.len() == 1 { args.remove(0) } else { Expr::Apply(Fun::Mul, args) };
                let is_sum = matches!(rest, Expr::Apply(Fun::Add, _));
                let product = |rest| Expr::Apply(Fun::Mul, vec![new.clone(), rest]);
                return Some(if is_sum { product(rest) } else { scale(n, rest) });
            }
            args[at] = new;
            Some(Expr::Apply(Fun::Mul, args))
        }
        Expr::Apply(Fun::Div, args) => {
            let mut args = args.clone();
            args[0] = replaced(args.first()?, tensor, indices, by)?;
            Some(Expr::Apply(Fun::Div, args))
        }
        Expr::Const(_)
        | Expr::Pi
        | Expr::Real(_)
        | Expr::Access(..)
        | Expr::Apply(..)
        | Expr::Guarded(..)
        | Expr::If(..)
        | Expr::Reduce(_)
        | Expr::Let(..) => None,
    }
}
