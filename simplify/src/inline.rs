//! Accesses become what they read.
//!
//! A definition that only reads another entry, or is a constant, is replaced
//! wherever it is accessed. A sum of terms without summed variables goes into the
//! products that access it, term by term: that is how the indicator of a seed or
//! of a read meets the sum that it makes short.
//!
//! Nothing is computed more often: a point of the reader stays one point, with no
//! more accesses and no tests. A definition is replaced only by what stands before
//! it, so replacing ends.

use crate::bodies::Product;
use crate::context::{Context, is_affine};
use crate::guards::is_enumerable;
use iverson_spec::ir::{Atom, Expr, Guard, Index, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, Term};
use iverson_spec::traverse::{
    Reads, Rewrite, Substitute, Visit, rebuild_atom, rebuild_expr, rebuild_index, walk_expr,
};
use iverson_spec::work::enumerable;
use rustc_hash::FxHashMap;

/// At most this many terms go into the place of one access.
const MAX_TERMS: usize = 4;

/// What is known of the statements so far.
#[derive(Default)]
pub(crate) struct Known {
    /// The place of each tensor in the program; parameters have none.
    order: FxHashMap<TensorId, usize>,
    /// Tensors that equal an earlier one.
    pub(crate) same: FxHashMap<TensorId, TensorId>,
    entries: FxHashMap<TensorId, (Vec<VarId>, Expr)>,
    indices: FxHashMap<TensorId, (Vec<VarId>, Index)>,
    sums: FxHashMap<TensorId, (Vec<VarId>, Vec<Term>)>,
}

impl Known {
    /// Nothing is known yet of these tensors, which are defined in this order.
    pub(crate) fn new(defined: impl Iterator<Item = TensorId>) -> Self {
        let order = defined.enumerate().map(|(place, tensor)| (tensor, place)).collect();
        Self { order, ..Self::default() }
    }

    /// Notes a simplified statement, if its entries may stand in the place of accesses.
    pub(crate) fn note(&mut self, cx: &Context, stmt: &Stmt) {
        if !self.reads_earlier(stmt) {
            return;
        }
        match &stmt.rhs {
            Rhs::Index(index) if is_affine(index) || self.is_one_read(cx, stmt.tensor, index) => {
                self.indices.insert(stmt.tensor, (stmt.axes.clone(), index.clone()));
            }
            Rhs::Sum(terms) => match terms.as_slice() {
                [Term { binders, guard, body: body @ (Expr::Access(..) | Expr::Const(_)) }]
                    if binders.is_empty() && guard.is_truth() =>
                {
                    self.entries.insert(stmt.tensor, (stmt.axes.clone(), body.clone()));
                }
                terms if is_light(terms) && are_disjoint(cx, terms) => {
                    self.sums.insert(stmt.tensor, (stmt.axes.clone(), terms.to_vec()));
                }
                _ => {}
            },
            Rhs::Fold(..) | Rhs::Arg(..) | Rhs::Index(_) => {}
        }
    }

    /// Whether all that a statement reads stands before it.
    fn reads_earlier(&self, stmt: &Stmt) -> bool {
        let mut reads = Reads::default();
        match &stmt.rhs {
            Rhs::Sum(terms) => terms.iter().for_each(|term| {
                reads.guard(&term.guard);
                reads.expr(&term.body);
            }),
            Rhs::Index(index) => reads.index(index),
            Rhs::Fold(..) | Rhs::Arg(..) => return false,
        }
        let own = self.order.get(&stmt.tensor);
        reads.tensors.iter().all(|read| self.order.get(read) < own)
    }

    /// Whether it is one entry of an index tensor with the same range.
    fn is_one_read(&self, cx: &Context, tensor: TensorId, index: &Index) -> bool {
        match (index.terms(), index.constant_part()) {
            ([(Atom::Read(read, indices), 1)], 0) => {
                indices.iter().all(is_affine)
                    && cx.symbols.tensor(*read).element == cx.symbols.tensor(tensor).element
            }
            _ => false,
        }
    }

    /// The terms that stand for an access, if they may: where none of their guards is a test there, as `i < m` is at the entry `p[e]`.
    pub(crate) fn terms_of(&self, tensor: TensorId, at: &[Index]) -> Option<Vec<Term>> {
        let (axes, terms) = self.sums.get(&tensor)?;
        let mut moved = at_entry(axes, at);
        let terms = terms.iter().map(|term| {
            let (guard, body) = (moved.guard(&term.guard)?, moved.expr(&term.body)?);
            enumerable(&guard, true).then_some(Term { binders: Vec::new(), guard, body })
        });
        terms.collect()
    }
}

/// Puts the indices of an access in the place of the axes.
pub(crate) fn at_entry<'a>(
    axes: &'a [VarId],
    at: &'a [Index],
) -> Substitute<impl Fn(VarId) -> Option<Index>> {
    Substitute(move |v| axes.iter().position(|axis| *axis == v).map(|place| at[place].clone()))
}

/// Terms without sums, tests, functions and quotients, with one access at most.
fn is_light(terms: &[Term]) -> bool {
    terms.len() <= MAX_TERMS
        && terms.iter().all(|term| {
            let product = Product::of(&term.body);
            let plain = |e: &Expr| matches!(e, Expr::Access(..) | Expr::Real(_) | Expr::Pi);
            let accesses = product.factors.iter().filter(|e| matches!(e, Expr::Access(..))).count();
            term.binders.is_empty()
                && product.divisors.is_empty()
                && product.factors.iter().all(plain)
                && accesses <= 1
                && is_enumerable(&term.guard, true)
        })
}

/// Whether no two of the terms have a point in common.
fn are_disjoint(cx: &Context, terms: &[Term]) -> bool {
    let apart = |a: &Term, b: &Term| cx.are_apart(&a.guard, &b.guard);
    terms.iter().enumerate().all(|(at, a)| terms[at + 1..].iter().all(|b| apart(a, b)))
}

/// Replaces accesses everywhere: in bodies, indices and guards.
pub(crate) struct Replace<'a> {
    pub(crate) known: &'a Known,
    /// The first rule that fired.
    pub(crate) fired: Option<&'static str>,
}

impl Rewrite for Replace<'_> {
    fn atom(&mut self, atom: &Atom) -> Option<Index> {
        let rebuilt = rebuild_atom(self, atom)?;
        let ([(Atom::Read(tensor, at), 1)], 0) = (rebuilt.terms(), rebuilt.constant_part()) else {
            return Some(rebuilt);
        };
        if let Some(same) = self.known.same.get(tensor) {
            self.fired.get_or_insert("share");
            return Some(Index::atom(Atom::Read(*same, at.clone())));
        }
        match self.known.indices.get(tensor) {
            Some((axes, index)) => {
                self.fired.get_or_insert("compose-gather");
                rebuild_index(&mut at_entry(axes, at), index)
            }
            None => Some(rebuilt),
        }
    }

    fn expr(&mut self, e: &Expr) -> Option<Expr> {
        let rebuilt = rebuild_expr(self, e)?;
        let Expr::Access(tensor, at) = &rebuilt else { return Some(rebuilt) };
        if let Some(same) = self.known.same.get(tensor) {
            self.fired.get_or_insert("share");
            return Some(Expr::Access(*same, at.clone()));
        }
        match self.known.entries.get(tensor) {
            Some((axes, entry)) => {
                self.fired.get_or_insert("replace-access");
                at_entry(axes, at).expr(entry)
            }
            None => Some(rebuilt),
        }
    }
}

impl Replace<'_> {
    /// The term with its accesses replaced.
    pub(crate) fn term(&mut self, term: &Term) -> Option<Term> {
        let (guard, body) = (self.guard(&term.guard)?, self.expr(&term.body)?);
        Some(Term { binders: term.binders.clone(), guard, body })
    }
}

/// `[p] c t[a] e = sum of [p and q(a)] c b(a) e` over the terms `[q] b` of t. What a test
/// reads is loaded anyway, so it stays.
pub(crate) fn inline_terms(known: &Known, term: &Term) -> Option<Vec<Term>> {
    let product = Product::of(&term.body);
    let tested = Accesses::of_guard(&term.guard);
    let inlined = |(at, factor): (usize, &Expr)| match factor {
        Expr::Access(..) if tested.contains(factor) => None,
        Expr::Access(tensor, indices) => Some((at, known.terms_of(*tensor, indices)?)),
        Expr::Const(_)
        | Expr::Pi
        | Expr::Real(_)
        | Expr::Apply(..)
        | Expr::Guarded(..)
        | Expr::If(..)
        | Expr::Reduce(_)
        | Expr::Let(..) => None,
    };
    let (at, terms) = product.factors.iter().enumerate().find_map(inlined)?;
    let put = |inner: &Term| {
        let mut whole = Product { factors: Vec::new(), ..product.clone() };
        product.factors[..at].iter().for_each(|e| whole.multiply(e));
        whole.multiply(&inner.body);
        product.factors[at + 1..].iter().for_each(|e| whole.multiply(e));
        let guard: Guard = term.guard.clone().and(inner.guard.clone());
        Term { binders: term.binders.clone(), guard, body: whole.body() }
    };
    Some(terms.iter().map(put).collect())
}

/// The accesses to real tensors, as met.
pub(crate) struct Accesses(Vec<Expr>);

impl Accesses {
    pub(crate) fn of_guard(guard: &Guard) -> Vec<Expr> {
        let mut found = Self(Vec::new());
        found.guard(guard);
        found.0
    }

    pub(crate) fn of_expr(e: &Expr) -> Vec<Expr> {
        let mut found = Self(Vec::new());
        found.expr(e);
        found.0
    }
}

impl Visit for Accesses {
    fn expr(&mut self, e: &Expr) {
        if matches!(e, Expr::Access(..)) {
            self.0.push(e.clone());
        }
        walk_expr(self, e);
    }
}
