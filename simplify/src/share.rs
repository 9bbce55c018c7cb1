//! Equal right sides define equal tensors.

use crate::context::Context;
use iverson_spec::ast::Reduction;
use iverson_spec::ir::{Element, Expr, Extent, Guard, Index, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, Term};
use iverson_spec::traverse::{Rewrite, Substitute, rebuild_index};
use rustc_hash::FxHashMap;

/// A statement up to the names of its variables: its sort and its right side.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Meaning {
    /// The range of an index tensor.
    bound: Option<Extent>,
    shape: Vec<Extent>,
    rhs: Canonical,
}

#[derive(PartialEq, Eq, Hash)]
enum Canonical {
    Sum(Vec<Points>),
    Fold(Reduction, Points),
    Arg(Reduction, Points),
    Index(Index),
}

/// A term whose variables are numbered by their place.
#[derive(PartialEq, Eq, Hash)]
struct Points {
    ranges: Vec<Extent>,
    guard: Guard,
    body: Expr,
}

/// The tensors met so far by what they mean.
#[derive(Default)]
pub(crate) struct Shared {
    first: FxHashMap<Meaning, TensorId>,
}

impl Shared {
    /// The earlier tensor that equals the one of `stmt`; otherwise `stmt` is noted.
    pub(crate) fn earlier(&mut self, cx: &Context, stmt: &Stmt) -> Option<TensorId> {
        let meaning = meaning(cx, stmt)?;
        let first = *self.first.entry(meaning).or_insert(stmt.tensor);
        (first != stmt.tensor).then_some(first)
    }
}

fn meaning(cx: &Context, stmt: &Stmt) -> Option<Meaning> {
    let points = |term: &Term| points(cx, &stmt.axes, term);
    let rhs = match &stmt.rhs {
        Rhs::Sum(terms) => Canonical::Sum(terms.iter().map(points).collect::<Option<_>>()?),
        Rhs::Fold(op, term) => Canonical::Fold(*op, points(term)?),
        Rhs::Arg(op, term) => Canonical::Arg(*op, points(term)?),
        Rhs::Index(index) => {
            Canonical::Index(rebuild_index(&mut by_place(&stmt.axes, &[]), index)?)
        }
    };
    let row = cx.symbols.tensor(stmt.tensor);
    let bound = match &row.element {
        Element::Real => None,
        Element::Index(bound) => Some(bound.clone()),
    };
    Some(Meaning { bound, shape: row.shape.clone(), rhs })
}

fn points(cx: &Context, axes: &[VarId], term: &Term) -> Option<Points> {
    let mut by_place = by_place(axes, &term.binders);
    Some(Points {
        ranges: term.binders.iter().map(|v| cx.symbols.var(*v).range.clone()).collect(),
        guard: by_place.guard(&term.guard)?,
        body: by_place.expr(&term.body)?,
    })
}

/// Numbers the variables by their place, from the largest id downwards.
fn by_place<'a>(
    axes: &'a [VarId],
    binders: &'a [VarId],
) -> Substitute<impl Fn(VarId) -> Option<Index> + 'a> {
    Substitute(move |v| {
        let place = axes.iter().chain(binders).position(|other| *other == v)?;
        Some(Index::var(VarId(u32::MAX - place as u32)))
    })
}
