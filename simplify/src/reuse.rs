//! What an earlier statement holds is read, not computed again.
//!
//! The partial of `y = exp(x)` is `exp(x)`, which is y. With `y[i] = exp(x[i])` in front,
//! `exp(x[i]) * y_bar[i]` becomes `y[i] * y_bar[i]`: the same expression on the same numbers, so
//! the same bits. It pays for functions that cost more than a read, and is done only where it
//! adds no access to any point of the reader.
//!
//! The partial of `y = a / b` in b is `-a / b / b`, which is `-y / b`: so a product takes an entry in the place of one of
//! its factors and one of its divisors. That divides once less, and rounds in another order.

use crate::bodies::Product;
use crate::context::{Context, at_least, below};
use crate::inline::{Accesses, at_entry};
use iverson_spec::function::Fun;
use iverson_spec::ir::{Expr, Guard, Index, TensorId, VarId};
use iverson_spec::number::Number;
use iverson_spec::ssa::{Rhs, Stmt, Term};
use iverson_spec::traverse::{FreeVars, Reads, Rewrite, Visit, rebuild_expr, walk_expr};
use rustc_hash::{FxHashMap, FxHashSet};

/// The powers that are a few products.
const PRODUCTS: std::ops::RangeInclusive<i64> = 0..=4;

/// What a place has around it: the open recurrences, outermost first, each by a number that no
/// other has, and its variables.
pub(crate) type Open = [(u32, Vec<VarId>)];

/// The functions that statements hold, by what is applied to which tensors.
#[derive(Default)]
pub(crate) struct Held(FxHashMap<(Fun, Vec<TensorId>), Vec<Entry>>);

/// `tensor[axes] = body` where the guard holds, inside these recurrences.
struct Entry {
    tensor: TensorId,
    axes: Vec<VarId>,
    guard: Vec<Guard>,
    body: Expr,
    open: Vec<u32>,
}

impl Held {
    /// Notes a statement whose entries are worth reading: one costly function where no other term counts, not a sum.
    pub(crate) fn note(&mut self, cx: &Context, open: &Open, stmt: &Stmt) {
        let Rhs::Sum(terms) = &stmt.rhs else { return };
        for (at, Term { binders, guard, body }) in terms.iter().enumerate() {
            let costly = binders.is_empty() && is_costly(body);
            let Some(key) = key(body).filter(|_| costly && is_alone(cx, terms, at)) else {
                continue;
            };
            self.0.entry(key).or_default().push(Entry {
                tensor: stmt.tensor,
                axes: stmt.axes.clone(),
                guard: guard.clone().conjuncts(),
                body: body.clone(),
                open: open.iter().map(|(number, _)| *number).collect(),
            });
        }
    }

    /// `f(a(b)) = t[b]` where `t[i] = f(a(i))`, in the body of a term.
    pub(crate) fn read(&self, cx: &Context, open: &Open, term: &Term) -> Option<Term> {
        let held = term.guard.clone().conjuncts();
        let mut reuse = Reuse { entries: self, cx, open, held: &held, fired: false };
        let body = reuse.expr(&term.body)?;
        (reuse.fired && loads_no_more(term, &body)).then(|| Term { body, ..term.clone() })
    }

    /// `c a(b) e / d(b) = c t[b] e` where `t[i] = a(i) / d(i)`, in the body of a term.
    pub(crate) fn read_quotients(&self, cx: &Context, open: &Open, term: &Term) -> Option<Term> {
        let held = term.guard.clone().conjuncts();
        let reuse = Reuse { entries: self, cx, open, held: &held, fired: false };
        let whole = Product::of(&term.body);
        let mut product = whole.clone();
        let mut divisor = 0;
        while divisor < product.divisors.len() {
            match reuse.quotient(&product, divisor) {
                Some(next) => product = next,
                None => divisor += 1,
            }
        }
        if product == whole {
            return None;
        }
        let body = product.body();
        loads_no_more(term, &body).then(|| Term { body, ..term.clone() })
    }
}

/// Whether no other term of a sum counts where one does.
fn is_alone(cx: &Context, terms: &[Term], at: usize) -> bool {
    let guard = &terms[at].guard;
    terms.iter().enumerate().all(|(other, term)| other == at || cx.are_apart(guard, &term.guard))
}

/// What is applied, and the tensors that it reads.
fn key(e: &Expr) -> Option<(Fun, Vec<TensorId>)> {
    let Expr::Apply(fun, _) = e else { return None };
    let mut reads = Reads::default();
    reads.expr(e);
    Some((*fun, reads.tensors))
}

/// Whether an expression takes longer than to read a number: a function, a quotient or a power
/// is in it, or two operations.
pub(crate) fn is_costly(e: &Expr) -> bool {
    struct Operations {
        count: usize,
        functions: bool,
    }
    impl Visit for Operations {
        fn expr(&mut self, e: &Expr) {
            if let Expr::Apply(fun, args) = e {
                match (fun, args.as_slice()) {
                    (Fun::Neg, _) => {}
                    (Fun::Add | Fun::Mul | Fun::Abs | Fun::Min | Fun::Max, _) => {
                        self.count += args.len().saturating_sub(1).max(1);
                    }
                    (Fun::Pow, [_, Expr::Const(n)])
                        if n.as_integer().is_some_and(|n| PRODUCTS.contains(&n)) =>
                    {
                        self.count += 1;
                    }
                    _ => self.functions = true,
                }
            }
            walk_expr(self, e);
        }
    }
    let mut operations = Operations { count: 0, functions: false };
    operations.expr(e);
    operations.functions || operations.count > 1
}

/// Whether another body of a term loads no more than its own.
fn loads_no_more(term: &Term, body: &Expr) -> bool {
    loads(&term.guard, body) <= loads(&term.guard, &term.body)
}

/// The entries that a body loads where no test has loaded them.
pub(crate) fn loads(guard: &Guard, body: &Expr) -> usize {
    let tested = Accesses::of_guard(guard);
    let all: FxHashSet<Expr> = Accesses::of_expr(body).into_iter().collect();
    all.iter().filter(|access| !tested.contains(access)).count()
}

struct Reuse<'a> {
    entries: &'a Held,
    cx: &'a Context,
    open: &'a Open,
    /// The guard of the reader.
    held: &'a [Guard],
    fired: bool,
}

impl Rewrite for Reuse<'_> {
    fn expr(&mut self, e: &Expr) -> Option<Expr> {
        match self.held(e) {
            Some(access) => {
                self.fired = true;
                Some(access)
            }
            None => rebuild_expr(self, e),
        }
    }
}

impl Reuse<'_> {
    /// A product with the entry that holds a factor, or 1, over a divisor.
    fn quotient(&self, product: &Product, divisor: usize) -> Option<Product> {
        let factors = (0..product.factors.len()).map(Some).chain([None]);
        let signs = |factor| [1, -1].map(|sign| (factor, Number::integer(sign)));
        factors.flat_map(signs).find_map(|(factor, sign)| {
            let held = Product {
                coefficient: sign.clone(),
                factors: factor.map(|at| product.factors[at].clone()).into_iter().collect(),
                divisors: vec![product.divisors[divisor].clone()],
            };
            let e = held.body();
            let entry = self.held(&e)?;
            let mut next = product.clone();
            next.scale(&sign);
            next.divisors.remove(divisor);
            match factor {
                Some(at) => next.factors[at] = entry,
                None => next.factors.push(entry),
            }
            Some(next)
        })
    }

    /// A read of what holds `e`.
    fn held(&self, e: &Expr) -> Option<Expr> {
        let entries = key(e).and_then(|key| self.entries.0.get(&key)).into_iter().flatten();
        entries.filter_map(|entry| self.access(entry, e)).next()
    }

    /// The entry that holds `e`, if the statement defines it, and before it is read.
    fn access(&self, entry: &Entry, e: &Expr) -> Option<Expr> {
        let at = same_at(&entry.axes, &entry.body, e)?;
        let is_computed = self.is_before(entry, &at) && self.is_defined(entry, &at);
        is_computed.then(|| Expr::Access(entry.tensor, at))
    }

    /// Whether the entry is of this step of each recurrence that is still open.
    fn is_before(&self, entry: &Entry, at: &[Index]) -> bool {
        let common = self.open.iter().zip(&entry.open).take_while(|((now, _), then)| now == *then);
        let steps = common.flat_map(|((_, vars), _)| vars);
        steps.zip(at).all(|(var, index)| index.as_var() == Some(*var))
    }

    /// Whether the entry is within its tensor and its guard holds there, wherever it is read.
    fn is_defined(&self, entry: &Entry, at: &[Index]) -> bool {
        let shape = &self.cx.symbols.tensor(entry.tensor).shape;
        let ends = at.iter().zip(shape).flat_map(|(i, n)| [at_least(i, 0), below(i, n)]);
        let mut moved = at_entry(&entry.axes, at);
        let guards: Option<Vec<Guard>> = entry.guard.iter().map(|g| moved.guard(g)).collect();
        let Some(guards) = guards else { return false };
        ends.chain(guards)
            .all(|wanted| self.held.contains(&wanted) || self.cx.implies(self.held, &wanted))
    }
}

/// The indices b with `pattern(b) = e`, if there are some and `pattern` tells them all.
fn same_at(axes: &[VarId], pattern: &Expr, e: &Expr) -> Option<Vec<Index>> {
    let mut pairs = Vec::new();
    pair(pattern, e, &mut pairs)?;
    let mut at: FxHashMap<VarId, Index> = FxHashMap::default();
    for (own, index) in &pairs {
        if let Some((axis, value)) = solved(axes, own, index) {
            at.entry(axis).or_insert(value);
        }
    }
    let at: Vec<Index> = axes.iter().map(|axis| at.remove(axis)).collect::<Option<_>>()?;
    let moved = at_entry(axes, &at).expr(pattern)?;
    (moved == *e).then_some(at)
}

/// The indices that must agree.
fn pair<'a>(a: &'a Expr, b: &'a Expr, pairs: &mut Vec<(&'a Index, &'a Index)>) -> Option<()> {
    match (a, b) {
        (Expr::Access(t, own), Expr::Access(u, others)) if t == u => {
            pairs.extend(own.iter().zip(others));
            Some(())
        }
        (Expr::Real(own), Expr::Real(other)) => {
            pairs.push((own, other));
            Some(())
        }
        (Expr::Apply(f, own), Expr::Apply(g, others)) if f == g && own.len() == others.len() => {
            own.iter().zip(others).try_for_each(|(a, b)| pair(a, b, pairs))
        }
        _ => (a == b).then_some(()),
    }
}

/// The axis i and its value where `i + c = index`, c a constant or of sizes.
fn solved(axes: &[VarId], own: &Index, index: &Index) -> Option<(VarId, Index)> {
    let vars = FreeVars::of_index(own);
    let [axis] = vars.as_slice() else { return None };
    let rest = own.sub(&Index::var(*axis))?;
    let is_shift = axes.contains(axis) && FreeVars::of_index(&rest).is_empty();
    is_shift.then_some((*axis, index.sub(&rest)?))
}
