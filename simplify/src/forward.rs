//! Tensors that are read through to what they are copied from.

use crate::alike::repeated;
use crate::rule::Change;
use crate::scope::{Scope, extents, less, natural};
use crate::walk::{is_affine, is_readable};
use iverson_spec::ir::{Atom, Block, Element, Expr, Guard, Index, Rec, Requires, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::traverse::{
    Reads, Rewrite, Substitute, Visit, rebuild_atom, rebuild_expr, rebuild_index, walk_atom,
};
use iverson_spec::verify::stmts;
use rustc_hash::{FxHashMap, FxHashSet};

/// What stands for the entries of a tensor.
#[derive(Clone)]
enum Source {
    /// A constant, or an entry of another tensor.
    Real(Expr),
    /// An index of the axes.
    Index(Index),
}

type Sources = FxHashMap<TensorId, (Vec<VarId>, Source)>;

/// `e(t[β]) = e(s[α(β)])` where `t[i] = s[α(i)]`: a copy is read through, a constant too.
///
/// Side conditions: `t` has one term without sum and guard, whose body is a constant or
/// an access; α reads nothing, so tests stay as cheap; `t` is no result. An entry of `t`
/// is read later than what it copies, so recurrences stay in order.
pub(crate) fn copy(program: &TensorSsa) -> Option<Change> {
    let results: FxHashSet<TensorId> = program.results.iter().copied().collect();
    let source = |stmt: &Stmt| match &stmt.rhs {
        Rhs::Sum(terms) if !results.contains(&stmt.tensor) => copied(terms).map(Source::Real),
        Rhs::Sum(_) | Rhs::Fold(..) | Rhs::Arg(..) | Rhs::Index(_) => None,
    };
    forward(program, source)
}

fn copied(terms: &[Term]) -> Option<Expr> {
    let [term] = terms else { return terms.is_empty().then(|| Expr::integer(0)) };
    let plain = match &term.body {
        Expr::Const(_) | Expr::Pi => true,
        Expr::Access(_, indices) => indices.iter().all(is_affine),
        Expr::Real(_) | Expr::Apply(..) => false,
        Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => false,
    };
    (term.binders.is_empty() && term.guard.is_truth() && plain).then(|| term.body.clone())
}

/// `x[q[β]] = x[a(β)]` where `q[i] = a(i)`: an index definition is read through.
///
/// Side conditions: `a` reads at most one entry, at an index that reads nothing, so no
/// index is read more often; `a` is proved to be within the bound of `q`, not only
/// checked at the call; `q` is no result, and no condition on data mentions it.
pub(crate) fn compose_gather(program: &TensorSsa) -> Option<Change> {
    let mut kept: FxHashSet<TensorId> = program.results.iter().copied().collect();
    kept.extend(required(&program.body));
    let mut symbols = program.symbols.clone();
    let extents = extents(program);
    let mut requires = Vec::new();
    leading_requires(&program.body, &mut requires);
    let scope = Scope { symbols: &mut symbols, requires: &requires, extents: &extents };
    forward(program, |stmt| {
        let Rhs::Index(index) = &stmt.rhs else { return None };
        let Element::Index(bound) = &program.symbols.tensor(stmt.tensor).element else {
            return None;
        };
        let cheap = !kept.contains(&stmt.tensor) && reads_once(index);
        let inside = || natural(index.clone()).and(less(index.clone(), bound.clone()));
        (cheap && scope.proves(&[], &inside())).then(|| Source::Index(index.clone()))
    })
}

fn reads_once(index: &Index) -> bool {
    struct Count(usize);
    impl Visit for Count {
        fn atom(&mut self, atom: &Atom) {
            self.0 += usize::from(matches!(atom, Atom::Read(..)));
            walk_atom(self, atom);
        }
    }
    let mut count = Count(0);
    count.index(index);
    is_readable(index) && count.0 <= 1
}

/// The conditions at the start of the program, which hold for all of it.
fn leading_requires(blocks: &[Block<Stmt>], found: &mut Vec<Requires>) {
    found.extend(blocks.iter().map_while(|block| match block {
        Block::Requires(requires) => Some(requires.clone()),
        Block::Stmt(_) | Block::Rec(_) => None,
    }));
}

/// The tensors that conditions on data mention.
pub(crate) fn required(blocks: &[Block<Stmt>]) -> Vec<TensorId> {
    let mut reads = Reads::default();
    let mut open: Vec<&Block<Stmt>> = blocks.iter().collect();
    while let Some(block) = open.pop() {
        match block {
            Block::Stmt(_) => {}
            Block::Rec(rec) => open.extend(&rec.body),
            Block::Requires(requires) => reads.guard(&requires.condition),
        }
    }
    reads.tensors
}

/// `share`: statements of one block with equal right sides define equal tensors.
///
/// Side conditions: the same shape and bound; the later one is no result; equal up to
/// the names of variables and the order of factors.
pub(crate) fn share(program: &TensorSsa) -> Option<Change> {
    let same = repeated(program);
    forward(program, |stmt| {
        let first = *same.get(&stmt.tensor)?;
        let indices: Vec<Index> = stmt.axes.iter().map(|v| Index::var(*v)).collect();
        Some(match program.symbols.tensor(stmt.tensor).element {
            Element::Real => Source::Real(Expr::Access(first, indices)),
            Element::Index(_) => Source::Index(Index::atom(Atom::Read(first, indices))),
        })
    })
}

/// Reads through every tensor that has a source.
fn forward(program: &TensorSsa, source: impl Fn(&Stmt) -> Option<Source>) -> Option<Change> {
    let mut through = Through { sources: Sources::default(), used: FxHashSet::default() };
    for stmt in stmts(&program.body) {
        if let Some(found) = source(stmt) {
            let found = through.source(&found)?;
            through.sources.insert(stmt.tensor, (stmt.axes.clone(), found));
        }
    }
    if through.sources.is_empty() {
        return None;
    }
    through.used.clear();
    let mut touched = FxHashSet::default();
    let body = through.blocks(&program.body, &mut touched)?;
    if through.used.is_empty() {
        return None;
    }
    let mut fired: Vec<TensorId> = through.used.into_iter().collect();
    fired.sort_unstable();
    Some(Change { program: TensorSsa { body, ..program.clone() }, fired, touched })
}

struct Through {
    sources: Sources,
    /// The tensors read through.
    used: FxHashSet<TensorId>,
}

impl Through {
    fn source(&mut self, source: &Source) -> Option<Source> {
        Some(match source {
            Source::Real(e) => Source::Real(self.expr(e)?),
            Source::Index(i) => Source::Index(rebuild_index(self, i)?),
        })
    }

    fn blocks(
        &mut self,
        blocks: &[Block<Stmt>],
        touched: &mut FxHashSet<TensorId>,
    ) -> Option<Vec<Block<Stmt>>> {
        let mut out = Vec::with_capacity(blocks.len());
        for block in blocks {
            out.push(match block {
                Block::Stmt(stmt) => {
                    let new = self.stmt(stmt)?;
                    if new != *stmt {
                        touched.insert(stmt.tensor);
                    }
                    Block::Stmt(new)
                }
                Block::Rec(rec) => Block::Rec(Rec {
                    vars: rec.vars.clone(),
                    body: self.blocks(&rec.body, touched)?,
                }),
                Block::Requires(requires) => Block::Requires(Requires {
                    binders: requires.binders.clone(),
                    condition: self.guard(&requires.condition)?,
                }),
            });
        }
        Some(out)
    }

    fn stmt(&mut self, stmt: &Stmt) -> Option<Stmt> {
        let rhs = match &stmt.rhs {
            Rhs::Sum(terms) => Rhs::Sum(terms.iter().map(|t| self.term(t)).collect::<Option<_>>()?),
            Rhs::Fold(op, term) => Rhs::Fold(*op, self.term(term)?),
            Rhs::Arg(op, term) => Rhs::Arg(*op, self.term(term)?),
            Rhs::Index(index) => Rhs::Index(rebuild_index(self, index)?),
        };
        Some(Stmt { rhs, ..stmt.clone() })
    }

    fn term(&mut self, term: &Term) -> Option<Term> {
        let guard: Guard = self.guard(&term.guard)?;
        Some(Term { binders: term.binders.clone(), guard, body: self.expr(&term.body)? })
    }

    /// The indices at which a tensor is read, rebuilt.
    fn indices(&mut self, indices: &[Index]) -> Option<Vec<Index>> {
        indices.iter().map(|i| rebuild_index(self, i)).collect()
    }
}

/// The index for an axis.
fn at<'a>(axes: &'a [VarId], indices: &'a [Index]) -> impl Fn(VarId) -> Option<Index> + 'a {
    move |v| axes.iter().position(|axis| *axis == v).map(|place| indices[place].clone())
}

impl Rewrite for Through {
    fn atom(&mut self, atom: &Atom) -> Option<Index> {
        let Atom::Read(tensor, indices) = atom else { return rebuild_atom(self, atom) };
        let Some((axes, Source::Index(index))) = self.sources.get(tensor).cloned() else {
            return rebuild_atom(self, atom);
        };
        let indices = self.indices(indices)?;
        self.used.insert(*tensor);
        rebuild_index(&mut Substitute(at(&axes, &indices)), &index)
    }

    fn expr(&mut self, e: &Expr) -> Option<Expr> {
        let Expr::Access(tensor, indices) = e else { return rebuild_expr(self, e) };
        let Some((axes, Source::Real(value))) = self.sources.get(tensor).cloned() else {
            return rebuild_expr(self, e);
        };
        let indices = self.indices(indices)?;
        self.used.insert(*tensor);
        Substitute(at(&axes, &indices)).expr(&value)
    }
}
