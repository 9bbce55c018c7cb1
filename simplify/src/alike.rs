//! Terms and right sides that are equal up to the names of variables.

use crate::scope::Scope;
use crate::walk::map_expr;
use crate::walk::map_guard;
use iverson_spec::function::Fun;
use iverson_spec::ir::{Atom, Block, Expr, Extent, Guard, Index, Symbols, TensorId, VarId};
use iverson_spec::number::Number;
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term, scale};
use iverson_spec::traverse::{Visit, walk_atom};
use rustc_hash::{FxHashMap, FxHashSet};

/// A name that no program has: variables of keys count down from the largest.
fn name(place: usize) -> VarId {
    VarId(u32::MAX - place as u32)
}

/// Variables with the names they have in a key.
#[derive(Clone, Default)]
struct Renaming {
    names: FxHashMap<VarId, VarId>,
}

impl Renaming {
    fn of(axes: &[VarId]) -> Self {
        let names = axes.iter().enumerate().map(|(place, v)| (*v, name(place)));
        Self { names: names.collect() }
    }

    fn index(&self, index: &Index) -> Option<Index> {
        let rename = |atom: &Atom| match atom {
            Atom::Var(v) => Atom::Var(self.names.get(v).copied().unwrap_or(*v)),
            other => other.clone(),
        };
        let terms = index.terms().iter().map(|(atom, c)| (rename(atom), *c));
        Index::collect(terms, index.constant_part())
    }
}

/// A term up to the names of its summed variables, the order of its conjuncts that
/// read nothing and of its factors; and its coefficient.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    ranges: Vec<Extent>,
    guard: Vec<Guard>,
    body: Expr,
}

fn key(symbols: &Symbols, axes: &[VarId], term: &Term) -> Option<(Key, Number)> {
    let mut renaming = Renaming::of(axes);
    let mut order = Occurrences { wanted: &term.binders, found: Vec::new() };
    order.expr(&term.body);
    order.guard(&term.guard);
    order.found.extend(term.binders.iter().copied());
    let mut ranges = Vec::new();
    for var in order.found {
        let next = name(axes.len() + ranges.len());
        if renaming.names.contains_key(&var) {
            continue;
        }
        renaming.names.insert(var, next);
        ranges.push(symbols.var(var).range.clone());
    }
    let mut rename = |index: &Index| renaming.index(index);
    let mut guard = map_guard(&term.guard, &mut rename)?.conjuncts();
    guard.sort();
    let body = map_expr(&term.body, &mut rename)?;
    let (coefficient, body) = split(body);
    Some((Key { ranges, guard, body: sorted(body) }, coefficient))
}

/// Summed variables in the order in which they occur.
struct Occurrences<'t> {
    wanted: &'t [VarId],
    found: Vec<VarId>,
}

impl Visit for Occurrences<'_> {
    fn atom(&mut self, atom: &Atom) {
        if let Atom::Var(v) = atom
            && self.wanted.contains(v)
            && !self.found.contains(v)
        {
            self.found.push(*v);
        }
        walk_atom(self, atom);
    }
}

/// The coefficient of a body and the rest.
fn split(body: Expr) -> (Number, Expr) {
    match body {
        Expr::Const(c) => (c, Expr::integer(1)),
        Expr::Apply(Fun::Mul, mut args) if matches!(args[0], Expr::Const(_)) => {
            let Expr::Const(c) = args.remove(0) else { unreachable!("it is a constant") };
            let rest = if args.len() == 1 { args.remove(0) } else { Expr::Apply(Fun::Mul, args) };
            (c, rest)
        }
        Expr::Apply(Fun::Div, mut args) if args.len() == 2 => {
            let (c, dividend) = split(args.remove(0));
            (c, Expr::Apply(Fun::Div, vec![dividend, args.remove(0)]))
        }
        other => (Number::integer(1), other),
    }
}

/// Products and sums with their arguments in order.
fn sorted(e: Expr) -> Expr {
    match e {
        Expr::Apply(fun, args) => {
            let mut args: Vec<Expr> = args.into_iter().map(sorted).collect();
            if matches!(fun, Fun::Mul | Fun::Add) {
                args.sort();
            }
            Expr::Apply(fun, args)
        }
        other => other,
    }
}

/// `c e + d e = (c + d) e`
///
/// Side condition: the terms have the same ranges, guard and body, up to the names of
/// summed variables and the order of factors.
pub(crate) fn like_terms(scope: &mut Scope<'_>, stmt: &Stmt) -> Option<Stmt> {
    let Rhs::Sum(terms) = &stmt.rhs else { return None };
    if terms.len() < 2 {
        return None;
    }
    let mut places: FxHashMap<Key, usize> = FxHashMap::default();
    let mut kept: Vec<(Term, Number)> = Vec::with_capacity(terms.len());
    for term in terms {
        let Some((key, c)) = key(scope.symbols, &stmt.axes, term) else {
            kept.push((term.clone(), Number::integer(1)));
            continue;
        };
        if let Some(place) = places.get(&key) {
            let total = &mut kept[*place].1;
            *total = Number::new(total.exact() + c.exact());
            continue;
        }
        places.insert(key, kept.len());
        kept.push((Term { body: split(term.body.clone()).1, ..term.clone() }, c));
    }
    if kept.len() == terms.len() {
        return None;
    }
    let joined = kept.into_iter().filter(|(_, c)| c.as_integer() != Some(0));
    let joined = joined.map(|(term, c)| Term { body: scaled(&c, term.body), ..term }).collect();
    Some(Stmt { rhs: Rhs::Sum(joined), ..stmt.clone() })
}

fn scaled(c: &Number, body: Expr) -> Expr {
    match body {
        Expr::Const(n) if n == Number::integer(1) => Expr::Const(c.clone()),
        body => scale(c, body),
    }
}

/// `[p] e + [not p] e = e`
///
/// Side condition: the terms have the same ranges, body and other conjuncts, and the
/// same coefficient.
pub(crate) fn complementary_guards(scope: &mut Scope<'_>, stmt: &Stmt) -> Option<Stmt> {
    let Rhs::Sum(terms) = &stmt.rhs else { return None };
    if terms.iter().filter(|term| !term.guard.is_truth()).count() < 2 {
        return None;
    }
    let mut places: FxHashMap<(Key, Number), usize> = FxHashMap::default();
    for (place, term) in terms.iter().enumerate() {
        let conjuncts = term.guard.clone().conjuncts();
        for at in 0..conjuncts.len() {
            let mut opposite = conjuncts.clone();
            opposite[at] = opposite[at].clone().negate();
            let other = Term { guard: Guard::all(opposite), ..term.clone() };
            let other = Term { guard: canonical(scope, other.guard), ..other };
            let found = key(scope.symbols, &stmt.axes, &other).and_then(|key| places.get(&key));
            if let Some(first) = found {
                let mut rest = conjuncts;
                rest.remove(at);
                let mut terms = terms.clone();
                terms[*first] = Term { guard: Guard::all(rest), ..term.clone() };
                terms.remove(place);
                return Some(Stmt { rhs: Rhs::Sum(terms), ..stmt.clone() });
            }
        }
        if let Some(key) = key(scope.symbols, &stmt.axes, term) {
            places.insert(key, place);
        }
    }
    None
}

fn canonical(scope: &Scope<'_>, guard: Guard) -> Guard {
    let guard = crate::guards::merge_guards(scope, &guard).unwrap_or(guard);
    crate::guards::canonical_comparison(scope, &guard).unwrap_or(guard)
}

/// Which statements define what an earlier statement of the same block defines.
pub(crate) fn repeated(program: &TensorSsa) -> FxHashMap<TensorId, TensorId> {
    let results: FxHashSet<TensorId> = program.results.iter().copied().collect();
    let mut search = Repeats { program, results, same: FxHashMap::default() };
    search.blocks(&program.body, &mut FxHashMap::default());
    search.same
}

struct Repeats<'p> {
    program: &'p TensorSsa,
    results: FxHashSet<TensorId>,
    same: FxHashMap<TensorId, TensorId>,
}

/// A statement up to the names of its variables.
#[derive(PartialEq, Eq, Hash)]
struct Whole {
    row: Vec<Extent>,
    bound: Option<Extent>,
    rhs: Side,
}

#[derive(PartialEq, Eq, Hash)]
enum Side {
    Sum(Vec<(Key, Number)>),
    Fold(iverson_spec::ast::Reduction, Key, Number),
    Index(Index),
}

impl Repeats<'_> {
    /// Statements of nested recurrences are compared with each other alone.
    fn blocks(&mut self, blocks: &[Block<Stmt>], seen: &mut FxHashMap<Whole, TensorId>) {
        for block in blocks {
            match block {
                Block::Stmt(stmt) => {
                    let Some(whole) = self.whole(stmt) else { continue };
                    match seen.get(&whole) {
                        Some(first) if !self.results.contains(&stmt.tensor) => {
                            self.same.insert(stmt.tensor, *first);
                        }
                        Some(_) => {}
                        None => {
                            seen.insert(whole, stmt.tensor);
                        }
                    }
                }
                Block::Rec(rec) => self.blocks(&rec.body, &mut FxHashMap::default()),
                Block::Requires(_) => {}
            }
        }
    }

    fn whole(&self, stmt: &Stmt) -> Option<Whole> {
        let symbols = &self.program.symbols;
        let key = |term: &Term| key(symbols, &stmt.axes, term);
        let rhs = match &stmt.rhs {
            Rhs::Sum(terms) => Side::Sum(terms.iter().map(key).collect::<Option<_>>()?),
            Rhs::Fold(op, term) | Rhs::Arg(op, term) => {
                let (key, c) = key(term)?;
                Side::Fold(*op, key, c)
            }
            Rhs::Index(index) => {
                let renaming = Renaming::of(&stmt.axes);
                Side::Index(crate::walk::map_index(index, &mut |index| renaming.index(index))?)
            }
        };
        let row = symbols.tensor(stmt.tensor);
        let bound = match &row.element {
            iverson_spec::ir::Element::Real => None,
            iverson_spec::ir::Element::Index(bound) => Some(bound.clone()),
        };
        Some(Whole { row: row.shape.clone(), bound, rhs })
    }
}
