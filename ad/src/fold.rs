//! What stands for a fold when it is differentiated: one term that is linear in
//! what the fold reads, and the statements that this term needs.
//!
//! * `y = max_j [P] e[j]` has the derivative `Σ_j [j = m and P] ė[j]`, where `m` is the
//!   first point that attains the maximum: `argmax_j [P] e[j]`, with several binders
//!   one by one. Where there is no point, no `j` is `m`. With one binder the value is the
//!   one at `m`, so that there is one pass.
//! * `y = prod_j e[j]` has the derivative `Σ_j (Π_{l≠j} e[l]) ė[j]`. The product of the
//!   others is that of those before times that of those after, two recurrences: no
//!   division, so it is right where factors are 0, in every order. In reverse the second
//!   one begins with the cotangent of `y`. The value of `y` is read off the first one.
//!   If `where` leaves a segment of the variable, that is the range of the recurrences; another
//!   `where` makes the factors 1 that it leaves out. Several binders are taken one at a time.
//! * A fold of at most one point is that point.
//!
//! Other statements of the program stay as they are.

use crate::partials::mul;
use crate::program::{access, overflow};
use crate::user::{Derived, derive};
use iverson_spec::ast::{Cmp, Direction, Reduction};
use iverson_spec::bounds::without_negative;
use iverson_spec::function::Fun;
use iverson_spec::ir::{
    Atom, Block, Element, Expr, Guard, Index, Rec, Symbols, Tensor, TensorId, VarId,
};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::traverse::{FreeVars, Rewrite, Substitute};
use rustc_hash::{FxHashMap, FxHashSet};

/// `weight · term`, where only the body of the term is differentiated.
pub(crate) struct Weighted {
    pub(crate) term: Term,
    pub(crate) weight: Expr,
    /// In reverse, what takes the place of the cotangent of the fold.
    pub(crate) after: Option<After>,
}

/// `s[j] = ȳ · Π_{l>j} e[l]`: the cotangent of a product as it reaches its factors.
#[derive(Clone)]
pub(crate) struct After {
    tensor: TensorId,
    /// The running variable, and its guard.
    step: (VarId, Guard),
    /// The binder of the product, and the factor at it.
    binder: VarId,
    factor: Expr,
    /// Where there is a product.
    guard: Guard,
    /// As in [`Running`].
    segment: Vec<Guard>,
}

/// For whom a program is prepared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Forward,
    Reverse,
}

/// What stands for what is not differentiated as it is written.
#[derive(Default)]
pub(crate) struct Linear {
    /// For each active fold, a term.
    pub(crate) folds: FxHashMap<TensorId, Weighted>,
    /// For partials of many cases, functions.
    pub(crate) derived: Derived,
}

/// The program with the statements and functions that derivatives of active folds and
/// functions read. Definitions that depend on an input are added to `active`.
pub(crate) fn prepare(
    program: &TensorSsa,
    active: &mut FxHashSet<TensorId>,
    mode: Mode,
) -> (TensorSsa, Linear) {
    let mut symbols = program.symbols.clone();
    let derived = derive(&mut symbols, program, active);
    let mut pass = Prepare {
        symbols,
        active,
        mode,
        linear: Linear { derived, ..Linear::default() },
        carried: Vec::new(),
        out: Vec::new(),
    };
    let body = pass.blocks(&program.body);
    let prepared = TensorSsa {
        name: program.name.clone(),
        symbols: pass.symbols,
        params: program.params.clone(),
        body,
        results: program.results.clone(),
    };
    (prepared, pass.linear)
}

struct Prepare<'a> {
    symbols: Symbols,
    active: &'a mut FxHashSet<TensorId>,
    mode: Mode,
    linear: Linear,
    /// The recurrence variables in force.
    carried: Vec<VarId>,
    /// The blocks made so far at this level.
    out: Vec<Block<Stmt>>,
}

impl Prepare<'_> {
    fn blocks(&mut self, blocks: &[Block<Stmt>]) -> Vec<Block<Stmt>> {
        let above = std::mem::take(&mut self.out);
        for block in blocks {
            match block {
                Block::Rec(rec) => {
                    let depth = self.carried.len();
                    self.carried.extend(rec.vars.iter().map(|(v, _)| *v));
                    let body = self.blocks(&rec.body);
                    self.carried.truncate(depth);
                    self.out.push(Block::Rec(Rec { vars: rec.vars.clone(), body }));
                }
                Block::Stmt(stmt) => self.stmt(stmt),
                Block::Requires(_) => self.out.push(block.clone()),
            }
        }
        std::mem::replace(&mut self.out, above)
    }

    /// A statement, after what its derivative needs.
    fn stmt(&mut self, stmt: &Stmt) {
        let is_active = self.active.contains(&stmt.tensor);
        let value = match &stmt.rhs {
            Rhs::Fold(_, term) if is_active && has_one_point(term) => {
                self.replace(stmt.tensor, term.clone(), Expr::integer(1));
                None
            }
            Rhs::Fold(Reduction::Prod, term) if is_active => {
                // of several binders the value keeps its order of factors
                Some(self.product(stmt, term)).filter(|_| term.binders.len() == 1)
            }
            Rhs::Fold(op, term) if is_active => self.extremum(*op, stmt, term),
            Rhs::Fold(..) | Rhs::Sum(_) | Rhs::Arg(..) | Rhs::Index(_) => None,
        };
        let rhs = value.unwrap_or_else(|| stmt.rhs.clone());
        self.out.push(Block::Stmt(Stmt { rhs, ..stmt.clone() }));
    }

    /// Puts `weight · term` in the place of a fold.
    fn replace(&mut self, tensor: TensorId, term: Term, weight: Expr) {
        self.linear.folds.insert(tensor, Weighted { term, weight, after: None });
    }

    // Maxima and minima.

    /// `max_j [P] e[j]` is `Σ_j [j = m and P] e[j]`, but for no points.
    ///
    /// With several binders the last one is searched for each value of those before it, then
    /// the one before it at what was found, and so on: `m₂[i] = argmax_j [P] e[i, j]` and
    /// `m₁ = argmax_i [m₂[i] < n and P] e[i, m₂[i]]`, so `j = m₂[i]` where `i = m₁`.
    ///
    /// What was found has passed the comparisons of reals in P, which are not made again.
    ///
    /// Gives the value as the one at that place, for one binder: with several, a row that begins
    /// with NaN would be one whose place is not found.
    fn extremum(&mut self, op: Reduction, stmt: &Stmt, term: &Term) -> Option<Rhs> {
        let arg = if op == Reduction::Max { Reduction::Argmax } else { Reduction::Argmin };
        let mut rest = term.clone();
        let mut at = Vec::new();
        while let Some(binder) = rest.binders.pop() {
            let m = self.search(stmt, arg, &rest, binder);
            at.push(Guard::Compare(Cmp::Eq, Index::var(binder), m.clone()));
            let range = self.symbols.var(binder).range.clone();
            let place = moved(&rest, |v| (v == binder).then(|| m.clone()));
            // free, and where it does not hold no value of the other binders has points
            let some = Guard::Compare(Cmp::Gt, range.clone(), Index::constant(0));
            let found = Guard::Compare(Cmp::Lt, m, range);
            rest = Term { guard: some.and(found).and(without_tests(place.guard)), ..place };
        }
        at.reverse();
        let guard = Guard::all(at).and(without_tests(term.guard.clone()));
        let found = Term { guard, ..term.clone() };
        self.replace(stmt.tensor, found.clone(), Expr::integer(1));
        (term.binders.len() == 1).then_some(Rhs::Fold(op, found))
    }

    /// Adds the search for `binder` at each value of the binders of `term`; gives its entry.
    /// Where nothing is found that is at least the range of the binder.
    fn search(&mut self, stmt: &Stmt, arg: Reduction, term: &Term, binder: VarId) -> Index {
        let vars: Vec<VarId> = term.binders.iter().copied().chain([binder]).collect();
        let mut own: Vec<(VarId, Guard)> = vars.iter().map(|v| self.axis(*v)).collect();
        let axis = |v: VarId| vars.iter().position(|b| *b == v).map(|k| own[k].0);
        let inner = moved(term, |v| axis(v).map(Index::var));
        let within = Guard::all(own.iter().map(|(_, within)| within.clone()).collect());
        let guard = within.and(inner.guard);
        let Some((searched, _)) = own.pop() else { unreachable!("the binder has an axis") };
        let axes: Vec<VarId> = stmt.axes.iter().copied().chain(own.iter().map(|o| o.0)).collect();
        let bound = shifted(&self.symbols.var(searched).range, 1);
        let tensor = self.tensor_over(stmt, "_at", &axes, Element::Index(bound));
        let rhs = Rhs::Arg(arg, Term { binders: vec![searched], guard, body: inner.body });
        self.out.push(Block::Stmt(Stmt { tensor, axes, rhs }));
        let at = stmt.axes.iter().chain(&term.binders).map(|v| Index::var(*v));
        Index::atom(Atom::Read(tensor, at.collect()))
    }

    // Products.

    /// `prod_j e[j]`: the product of the others is `before[j] · after[j]`. Gives the value
    /// as the last of the running products, 1 where there is none.
    fn product(&mut self, stmt: &Stmt, term: &Term) -> Rhs {
        let &[binder, ref rest @ ..] = term.binders.as_slice() else {
            unreachable!("a fold without binders has one point");
        };
        let segment = segment(&term.guard, binder).filter(|_| rest.is_empty());
        let by_factors = segment.is_none();
        let (term, segment) = match segment {
            Some(segment) => (term.clone(), segment),
            None => (self.factors(stmt, term, binder), Vec::new()),
        };
        let before = self.running(stmt, &term, (binder, &segment), Direction::Ascending);
        let range = self.symbols.var(binder).range.clone();
        let is_last = ends(&segment, binder, &Index::var(binder), (&shifted(&range, -1), 1));
        let value = Term {
            guard: term.guard.clone().and(is_last),
            body: mul(before.clone(), term.body.clone()),
            ..term.clone()
        };
        // a sum, so that what a factor is goes into it and no factor is kept
        let value = if by_factors {
            let none = Guard::Compare(Cmp::Le, range, Index::constant(0));
            Rhs::Sum(vec![value, at(none, Expr::integer(1))])
        } else {
            Rhs::Fold(Reduction::Prod, value)
        };
        let (weight, after) = match self.mode {
            Mode::Forward => {
                let after = self.running(stmt, &term, (binder, &segment), Direction::Descending);
                (Expr::Apply(Fun::Mul, vec![before, after]), None)
            }
            Mode::Reverse => (before, Some(self.after(stmt, &term, binder, segment))),
        };
        self.linear.folds.insert(stmt.tensor, Weighted { term, weight, after });
        value
    }

    /// The factors as a tensor over the first binder, 1 where `where` leaves them out: what
    /// is left to fold is a product of its entries.
    fn factors(&mut self, stmt: &Stmt, term: &Term, first: VarId) -> Term {
        let (axis, within) = self.axis(first);
        let axes: Vec<VarId> = stmt.axes.iter().copied().chain([axis]).collect();
        let tensor = self.tensor_over(stmt, "_part", &axes, Element::Real);
        let inner = moved(term, |v| (v == first).then(|| Index::var(axis)));
        let rhs = if term.binders.len() == 1 {
            let left_out = inner.guard.clone().negate();
            Rhs::Sum(vec![
                at(within.clone().and(inner.guard), inner.body),
                at(within.and(left_out), Expr::integer(1)),
            ])
        } else {
            let guard = within.and(inner.guard);
            let binders = term.binders[1..].to_vec();
            Rhs::Fold(Reduction::Prod, Term { binders, guard, body: inner.body })
        };
        self.active.insert(tensor);
        let part = Stmt { tensor, axes, rhs };
        match &part.rhs {
            Rhs::Fold(_, inner) if !has_one_point(inner) => {
                let rhs = self.product(&part, inner);
                self.out.push(Block::Stmt(Stmt { rhs, ..part }));
            }
            Rhs::Fold(..) | Rhs::Sum(_) | Rhs::Arg(..) | Rhs::Index(_) => self.stmt(&part),
        }
        let own: Vec<VarId> = stmt.axes.iter().copied().chain([first]).collect();
        Term { binders: vec![first], guard: Guard::truth(), body: access(tensor, &own) }
    }

    /// Adds the product of the factors before `binder` in the direction; gives its entry.
    fn running(
        &mut self,
        stmt: &Stmt,
        term: &Term,
        (binder, segment): (VarId, &[Guard]),
        direction: Direction,
    ) -> Expr {
        let step = self.axis(binder);
        let (lead, own) = stmt.axes.split_at(self.carried.len());
        let suffix = if direction == Direction::Ascending { "_before" } else { "_after" };
        let tensor =
            self.tensor_over(stmt, suffix, &[lead, &[step.0], own].concat(), Element::Real);
        let (factor, guard) = (&term.body, &term.guard);
        let run = Running { tensor, step, binder, factor, guard, segment, lead, own };
        self.out.push(run.block(&self.symbols, direction, Expr::integer(1)));
        run.entry(&Index::var(binder))
    }

    /// A tensor for the products of the factors after `binder`, times the cotangent.
    fn after(&mut self, stmt: &Stmt, term: &Term, binder: VarId, segment: Vec<Guard>) -> After {
        let step = self.axis(binder);
        let (lead, own) = stmt.axes.split_at(self.carried.len());
        let axes = [lead, &[step.0], own].concat();
        let tensor = self.tensor_over(stmt, "_after", &axes, Element::Real);
        let (factor, guard) = (term.body.clone(), term.guard.clone());
        After { tensor, step, binder, factor, guard, segment }
    }

    /// A variable for an axis over the range of a binder. A range that may be
    /// negative is no extent: the axis is as long as it may be, and a guard keeps
    /// to the range.
    fn axis(&mut self, binder: VarId) -> (VarId, Guard) {
        let row = self.symbols.var(binder).clone();
        let extent = without_negative(&row.range).unwrap_or_else(|| row.range.clone());
        let is_range = extent == row.range;
        let axis = self.symbols.add_var(row.name, extent);
        let within = Guard::Compare(Cmp::Lt, Index::var(axis), row.range);
        (axis, if is_range { Guard::truth() } else { within })
    }

    /// A tensor with the axes, named after that of the statement.
    fn tensor_over(
        &mut self,
        stmt: &Stmt,
        suffix: &str,
        axes: &[VarId],
        element: Element,
    ) -> TensorId {
        let name = format!("{}{suffix}", self.symbols.tensor(stmt.tensor).name);
        let shape = axes.iter().map(|v| self.symbols.var(*v).range.clone()).collect();
        self.symbols.add_tensor(Tensor { name, element, shape })
    }
}

impl After {
    /// Its entry at the binder, for the statement of the product.
    pub(crate) fn entry(&self, stmt: &Stmt, carried: usize) -> Expr {
        let (lead, own) = stmt.axes.split_at(carried);
        access(self.tensor, &[lead, &[self.binder], own].concat())
    }

    /// Its statement, in the adjoint recurrence with the variables `steps`.
    pub(crate) fn block(
        &self,
        symbols: &Symbols,
        stmt: &Stmt,
        steps: &[VarId],
        above: TensorId,
    ) -> Block<Stmt> {
        let (lead, own) = stmt.axes.split_at(steps.len());
        let to_step = |v: VarId| lead.iter().position(|l| *l == v).map(|p| Index::var(steps[p]));
        let factor = Substitute(to_step).expr(&self.factor).unwrap_or_else(|| overflow());
        let guard = Substitute(to_step).guard(&self.guard).unwrap_or_else(|| overflow());
        let segment = self.segment.iter().map(|p| Substitute(to_step).guard(p));
        let segment: Vec<Guard> = segment.collect::<Option<_>>().unwrap_or_else(|| overflow());
        let (tensor, step, binder) = (self.tensor, self.step.clone(), self.binder);
        let (factor, guard, segment) = (&factor, &guard, segment.as_slice());
        let run = Running { tensor, step, binder, factor, guard, segment, lead: steps, own };
        run.block(symbols, Direction::Descending, access(above, &[steps, own].concat()))
    }
}

/// A running product of the factors `factor(binder)`.
struct Running<'a> {
    tensor: TensorId,
    step: (VarId, Guard),
    binder: VarId,
    factor: &'a Expr,
    /// Where there is a product.
    guard: &'a Guard,
    /// Its conjuncts that mention the binder: those leave a segment of it.
    segment: &'a [Guard],
    /// The axes before that of the step, and after it.
    lead: &'a [VarId],
    own: &'a [VarId],
}

impl Running<'_> {
    fn entry(&self, at: &Index) -> Expr {
        let vars = |vars: &[VarId]| vars.iter().map(|v| Index::var(*v)).collect::<Vec<_>>();
        let indices = [&vars(self.lead), std::slice::from_ref(at), &vars(self.own)].concat();
        Expr::Access(self.tensor, indices)
    }

    /// `rec j { r[j] = [j is first] start + [j is not] r[j - 1] factor(j - 1) }`, where there
    /// is a product
    fn block(&self, symbols: &Symbols, direction: Direction, start: Expr) -> Block<Stmt> {
        let (step, within) = &self.step;
        let here = Index::var(*step);
        let (by, first, beyond) = match direction {
            Direction::Ascending => (-1, Index::constant(0), Cmp::Gt),
            Direction::Descending => (1, shifted(&symbols.var(self.binder).range, -1), Cmp::Lt),
        };
        let previous = shifted(&here, by);
        let to_previous = |v: VarId| (v == self.binder).then(|| previous.clone());
        let factor = Substitute(to_previous).expr(self.factor).unwrap_or_else(|| overflow());
        let to_here = |v: VarId| (v == self.binder).then(|| here.clone());
        let guard = Substitute(to_here).guard(self.guard).unwrap_or_else(|| overflow());
        let starts = ends(self.segment, self.binder, &here, (&first, by));
        let goes_on = Guard::Compare(beyond, here, first);
        let follows = Guard::all(self.segment.to_vec());
        let follows = Substitute(to_previous).guard(&follows).unwrap_or_else(|| overflow());
        let goes_on = goes_on.and(follows);
        let terms = vec![
            at(within.clone().and(guard.clone()).and(starts), start),
            at(within.clone().and(guard).and(goes_on), mul(self.entry(&previous), factor)),
        ];
        let axes = [self.lead, &[*step], self.own].concat();
        let body = vec![Block::Stmt(Stmt { tensor: self.tensor, axes, rhs: Rhs::Sum(terms) })];
        Block::Rec(Rec { vars: vec![(*step, direction)], body })
    }
}

/// The guard without comparisons of reals. The other conjuncts may be needed to tell that
/// what is read is in bounds.
fn without_tests(guard: Guard) -> Guard {
    fn is_test(guard: &Guard) -> bool {
        match guard {
            Guard::Real(..) => true,
            Guard::Not(p) => is_test(p),
            Guard::All(ps) | Guard::Any(ps) => ps.iter().all(is_test),
            Guard::Compare(..) | Guard::Member(..) => false,
        }
    }
    Guard::all(guard.conjuncts().into_iter().filter(|p| !is_test(p)).collect())
}

/// The conjuncts that mention the binder, if the points of the guard are a segment of it: they
/// are comparisons linear in it, so they hold between any two points at which they hold.
fn segment(guard: &Guard, binder: VarId) -> Option<Vec<Guard>> {
    let mentions = |p: &Guard| FreeVars::of_guard(p).contains(&binder);
    let leaves_a_segment = |p: &Guard| match p {
        Guard::Compare(cmp, a, b) => *cmp != Cmp::Ne && a.is_linear() && b.is_linear(),
        Guard::Real(..) | Guard::Member(..) | Guard::Not(_) | Guard::All(_) | Guard::Any(_) => {
            false
        }
    };
    let found: Vec<Guard> = guard.clone().conjuncts().into_iter().filter(mentions).collect();
    found.iter().all(leaves_a_segment).then_some(found)
}

/// Whether the segment ends at `here`, the value of the binder: at the end of the range, or
/// where the point after it, in a direction, is none of the segment.
fn ends(segment: &[Guard], binder: VarId, here: &Index, (end, by): (&Index, i64)) -> Guard {
    let beyond = shifted(here, by);
    let to_beyond = |v: VarId| (v == binder).then(|| beyond.clone());
    let is_end = Guard::Compare(Cmp::Eq, here.clone(), end.clone());
    let leaves = segment.iter().map(|p| {
        let moved = Substitute(to_beyond).guard(p);
        moved.unwrap_or_else(|| overflow()).negate()
    });
    Guard::any([is_end].into_iter().chain(leaves).collect())
}

/// Whether equations of the guard determine every binder: by the axes and data that they
/// choose, or by binders that are determined before.
fn has_one_point(term: &Term) -> bool {
    let mut open = term.binders.clone();
    let conjuncts = term.guard.clone().conjuncts();
    loop {
        let determined = |v: &VarId| {
            conjuncts.iter().any(|conjunct| match conjunct {
                Guard::Compare(Cmp::Eq, a, b) => {
                    let is = |this: &Index, other: &Index| {
                        let others = FreeVars::of_index(other);
                        this.as_var() == Some(*v) && !others.iter().any(|o| open.contains(o))
                    };
                    is(a, b) || is(b, a)
                }
                Guard::Compare(..)
                | Guard::Real(..)
                | Guard::Member(..)
                | Guard::Not(_)
                | Guard::All(_)
                | Guard::Any(_) => false,
            })
        };
        let Some(place) = open.iter().position(determined) else { return open.is_empty() };
        open.remove(place);
    }
}

/// `[guard] * body`
fn at(guard: Guard, body: Expr) -> Term {
    Term { binders: Vec::new(), guard, body }
}

/// The guard and the body with index expressions in the place of variables.
fn moved(term: &Term, to: impl Fn(VarId) -> Option<Index> + Copy) -> Term {
    Term {
        binders: term.binders.clone(),
        guard: Substitute(to).guard(&term.guard).unwrap_or_else(|| overflow()),
        body: Substitute(to).expr(&term.body).unwrap_or_else(|| overflow()),
    }
}

fn shifted(index: &Index, by: i64) -> Index {
    index.add(&Index::constant(by)).unwrap_or_else(|| overflow())
}
