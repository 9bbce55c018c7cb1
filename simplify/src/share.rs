//! Equal right sides define equal tensors.

use crate::context::{Context, at_least, below};
use crate::reuse::loads;
use iverson_spec::ast::Reduction;
use iverson_spec::ir::{Atom, Element, Expr, Extent, Guard, Index, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, Term};
use iverson_spec::traverse::{FreeVars, Rewrite, Substitute, rebuild_index};
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

/// The statement as a read of the equal tensor `first`.
pub(crate) fn copy(stmt: &Stmt, first: TensorId) -> Stmt {
    let at: Vec<Index> = stmt.axes.iter().map(|v| Index::var(*v)).collect();
    let rhs = match stmt.rhs {
        Rhs::Sum(_) | Rhs::Fold(..) => {
            let (binders, guard) = (Vec::new(), Guard::truth());
            Rhs::Sum(vec![Term { binders, guard, body: Expr::Access(first, at) }])
        }
        Rhs::Arg(..) | Rhs::Index(_) => Rhs::Index(Index::atom(Atom::Read(first, at))),
    };
    Stmt { tensor: stmt.tensor, axes: stmt.axes.clone(), rhs }
}

/// As [`copy`], at entries that the right side has points for, if it can be told which these are: a read is a point and an
/// access, and a term that has no point takes no work.
pub(crate) fn copy_of_points(cx: &Context, stmt: &Stmt, first: TensorId) -> Option<Stmt> {
    let mut copy = copy(stmt, first);
    let is_always =
        |term: &Term| some_point(cx, &stmt.axes, term).is_some_and(|guard| guard.is_truth());
    match (&stmt.rhs, &mut copy.rhs) {
        (Rhs::Sum(terms), Rhs::Sum(read)) => {
            let all = || terms.iter().any(is_always).then(Guard::truth);
            read[0].guard = match terms.as_slice() {
                [term] => some_point(cx, &stmt.axes, term)?,
                _ => all()?,
            };
            Some(copy)
        }
        (Rhs::Fold(_, term) | Rhs::Arg(_, term), _) => is_always(term).then_some(copy),
        (Rhs::Sum(_) | Rhs::Index(_), _) => None,
    }
}

/// What holds at an entry just where the term has points for it, which load an entry each.
fn some_point(cx: &Context, axes: &[VarId], term: &Term) -> Option<Guard> {
    let conjuncts = term.guard.clone().conjuncts();
    let of_binders = |g: &Guard| FreeVars::of_guard(g).iter().any(|v| term.binders.contains(v));
    if loads(&term.guard, &term.body) == 0 || conjuncts.iter().any(of_binders) {
        return None;
    }
    let ranges = term.binders.iter().map(|v| &cx.symbols.var(*v).range);
    let empty = ranges.filter(|n| !cx.implies_of_found(axes, &[], &at_least(n, 1)));
    let nonempty = empty.map(|n| below(&Index::constant(0), n));
    Some(Guard::all(nonempty.chain(conjuncts).collect()))
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
