//! Index expressions inside guards and bodies: rebuilding and searching them.

use iverson_spec::ir::{ArgReduce, Atom, Expr, Guard, Index, VarId};
use iverson_spec::traverse::{Visit, walk_atom, walk_expr, walk_guard};

/// What an index expression becomes; `None` where a coefficient overflows.
pub(crate) type Change<'f> = &'f mut dyn FnMut(&Index) -> Option<Index>;

/// Rebuilds an index expression, its parts first.
pub(crate) fn map_index(index: &Index, f: Change<'_>) -> Option<Index> {
    let mut terms = Vec::with_capacity(index.terms().len());
    for (atom, coefficient) in index.terms() {
        terms.push((map_atom(atom, f)?, *coefficient));
    }
    f(&Index::collect(terms, index.constant_part())?)
}

fn map_indices(indices: &[Index], f: Change<'_>) -> Option<Vec<Index>> {
    indices.iter().map(|i| map_index(i, f)).collect()
}

fn map_atom(atom: &Atom, f: Change<'_>) -> Option<Atom> {
    Some(match atom {
        Atom::Size(_) | Atom::Var(_) => atom.clone(),
        Atom::Read(tensor, indices) => Atom::Read(*tensor, map_indices(indices, f)?),
        Atom::Div(e, k) => Atom::Div(Box::new(map_index(e, f)?), *k),
        Atom::Mod(e, k) => Atom::Mod(Box::new(map_index(e, f)?), *k),
        Atom::Floor(e) => Atom::Floor(Box::new(map_expr(e, f)?)),
        Atom::If(parts) => {
            let guard = map_guard(&parts.0, f)?;
            let then = map_index(&parts.1, f)?;
            Atom::If(Box::new((guard, then, map_index(&parts.2, f)?)))
        }
        Atom::Arg(arg) => Atom::Arg(Box::new(ArgReduce {
            op: arg.op,
            var: arg.var,
            guard: map_guard(&arg.guard, f)?,
            body: map_expr(&arg.body, f)?,
        })),
    })
}

/// Rebuilds the index expressions of a guard.
pub(crate) fn map_guard(guard: &Guard, f: Change<'_>) -> Option<Guard> {
    Some(match guard {
        Guard::Compare(cmp, a, b) => Guard::Compare(*cmp, map_index(a, f)?, map_index(b, f)?),
        Guard::Real(cmp, sides) => {
            Guard::Real(*cmp, Box::new((map_expr(&sides.0, f)?, map_expr(&sides.1, f)?)))
        }
        Guard::Member(relation, indices) => Guard::Member(*relation, map_indices(indices, f)?),
        Guard::Not(p) => Guard::Not(Box::new(map_guard(p, f)?)),
        Guard::All(ps) => Guard::All(ps.iter().map(|p| map_guard(p, f)).collect::<Option<_>>()?),
        Guard::Any(ps) => Guard::Any(ps.iter().map(|p| map_guard(p, f)).collect::<Option<_>>()?),
    })
}

/// Rebuilds the index expressions of a body.
pub(crate) fn map_expr(e: &Expr, f: Change<'_>) -> Option<Expr> {
    Some(match e {
        Expr::Const(_) | Expr::Pi => e.clone(),
        Expr::Real(index) => Expr::Real(map_index(index, f)?),
        Expr::Access(tensor, indices) => Expr::Access(*tensor, map_indices(indices, f)?),
        Expr::Apply(fun, args) => {
            Expr::Apply(*fun, args.iter().map(|a| map_expr(a, f)).collect::<Option<_>>()?)
        }
        Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => {
            unreachable!("a body of Tensor SSA holds no compound expression (invariant 9)")
        }
    })
}

/// The coefficient of a variable.
pub(crate) fn coefficient(index: &Index, var: VarId) -> i64 {
    let own = index.terms().iter().find(|(atom, _)| *atom == Atom::Var(var));
    own.map_or(0, |(_, c)| *c)
}

/// The index without its own term of the variable, if the variable occurs nowhere else.
pub(crate) fn without(index: &Index, var: VarId) -> Option<Index> {
    let rest = index.sub(&Index::var(var).scale(coefficient(index, var))?)?;
    (!Mentions::in_index(var, &rest)).then_some(rest)
}

/// Whether a variable occurs.
pub(crate) struct Mentions {
    var: VarId,
    found: bool,
}

impl Mentions {
    fn look(var: VarId, walk: impl FnOnce(&mut Self)) -> bool {
        let mut look = Self { var, found: false };
        walk(&mut look);
        look.found
    }

    pub(crate) fn in_index(var: VarId, index: &Index) -> bool {
        Self::look(var, |look| look.index(index))
    }

    pub(crate) fn in_guard(var: VarId, guard: &Guard) -> bool {
        Self::look(var, |look| look.guard(guard))
    }

    pub(crate) fn in_expr(var: VarId, e: &Expr) -> bool {
        Self::look(var, |look| look.expr(e))
    }
}

impl Visit for Mentions {
    fn atom(&mut self, atom: &Atom) {
        self.found |= *atom == Atom::Var(self.var);
        walk_atom(self, atom);
    }
}

/// Whether a guard can be evaluated at every point: it reads nothing. All other
/// guards may be in bounds only where those before them hold.
pub(crate) fn is_total(guard: &Guard) -> bool {
    let mut reads = Reads(false);
    reads.guard(guard);
    !reads.0
}

struct Reads(bool);

impl Visit for Reads {
    fn atom(&mut self, atom: &Atom) {
        self.0 |= matches!(atom, Atom::Read(..) | Atom::Floor(_) | Atom::Arg(_));
        walk_atom(self, atom);
    }
    fn guard(&mut self, guard: &Guard) {
        self.0 |= matches!(guard, Guard::Real(..) | Guard::Member(..));
        walk_guard(self, guard);
    }
    fn expr(&mut self, e: &Expr) {
        self.0 = true;
        walk_expr(self, e);
    }
}

/// Whether only variables and sizes occur, and quotients and remainders of such.
pub(crate) fn is_affine(index: &Index) -> bool {
    index.terms().iter().all(|(atom, _)| match atom {
        Atom::Size(_) | Atom::Var(_) => true,
        Atom::Div(inner, _) | Atom::Mod(inner, _) => is_affine(inner),
        Atom::Read(..) | Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => false,
    })
}

/// As [`is_affine`], with reads of index tensors.
pub(crate) fn is_readable(index: &Index) -> bool {
    index.terms().iter().all(|(atom, _)| match atom {
        Atom::Size(_) | Atom::Var(_) => true,
        Atom::Div(inner, _) | Atom::Mod(inner, _) => is_readable(inner),
        Atom::Read(_, indices) => indices.iter().all(is_readable),
        Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => false,
    })
}
