//! Searches: the best value so far and its place.
//!
//! Of two that are joined ([`joined`](super::joined)) the inner one runs for each value of the outer variable, and its best
//! value is one that the outer one tries.

use super::Lower;
use super::cases::{Kind, Literal, cases};
use super::expr::Env;
use super::plan::{Level, Request, nest, plan};
use super::space::plain;
use super::valued::Value;
use crate::loops::{CmpOp, Cond, Int, IntId, Node, Order, Place, Real, RealId, StatementId};
use iverson_spec::ast::{Cmp, Reduction};
use iverson_spec::ir::{Atom, Guard, Index, VarId};
use iverson_spec::ssa::{Rhs, Stmt, Term};
use iverson_spec::traverse::FreeVars;

/// What a search has found so far.
struct Best {
    place: IntId,
    value: RealId,
    op: Reduction,
    /// The place where nothing is found: the range itself.
    none: Int,
}

impl Best {
    fn begin(&self) -> Vec<Node> {
        let empty = if self.op == Reduction::Argmax { f64::NEG_INFINITY } else { f64::INFINITY };
        vec![Node::SetInt(self.place, self.none.clone()), Node::Set(self.value, Real::Const(empty))]
    }

    /// Whether a value is better; of equal ones the one at the least place is, which is the first one if they come `in_order`.
    fn is_less(&self, value: RealId, at: &Int, in_order: bool) -> Cond {
        let compare = |cmp| Cond::Real(cmp, Box::new((Real::Var(value), Real::Var(self.value))));
        let better = if self.op == Reduction::Argmax { CmpOp::Gt } else { CmpOp::Lt };
        let mut ways =
            vec![Cond::Int(CmpOp::Eq, Int::Var(self.place), self.none.clone()), compare(better)];
        if !in_order {
            let earlier = Cond::Int(CmpOp::Lt, at.clone(), Int::Var(self.place));
            ways.push(Cond::All(vec![compare(CmpOp::Eq), earlier]));
        }
        Cond::Any(ways)
    }

    fn sets(&self, value: RealId, at: Int) -> Vec<Node> {
        vec![Node::Set(self.value, Real::Var(value)), Node::SetInt(self.place, at)]
    }
}

impl Lower<'_> {
    /// The nodes of a search, or of two that are joined.
    pub(super) fn search(
        &mut self,
        stmt: &Stmt,
        env: &Env,
        op: Reduction,
        term: &Term,
    ) -> Vec<Node> {
        let (loops, mut inner) = self.axis_loops(self.open_axes(stmt), env);
        let joined = self.joined.get(&stmt.tensor).cloned();
        let (best, mut nodes) = match &joined {
            Some(row) => {
                for (axis, own) in stmt.axes.iter().zip(&row.axes) {
                    let value = inner.ints[axis].clone();
                    inner.ints.insert(*own, value);
                }
                self.rows(stmt, row, &inner)
            }
            None => {
                let best = self.best(stmt, op, term.binders[0]);
                let mut nodes = best.begin();
                nodes.extend(self.points(stmt, term, &term.guard, &best, &inner));
                (best, nodes)
            }
        };
        // the range itself says that there was no point
        let places = self.symbols.var(term.binders[0]).range.clone();
        let greatest = if joined.is_none() && self.finds(term) {
            places.sub(&Index::constant(1))
        } else {
            Some(places)
        };
        nodes.extend(self.store_index(stmt, &inner, Int::Var(best.place), greatest.as_ref()));
        if let Some(value) = self.values.get(&stmt.tensor).cloned() {
            nodes.extend(self.value_found(stmt, &value, &best, &inner));
        }
        nest(loops, nodes)
    }

    /// Stores the value that a search has found: if it has found nothing, that of no points.
    fn value_found(&mut self, search: &Stmt, value: &Value, best: &Best, env: &Env) -> Vec<Node> {
        let mut nodes = if value.whole { Vec::new() } else { self.visit(search, value, best, env) };
        let buffer = self.buffer(value.stmt.tensor);
        let place = Place { buffer, indices: self.entry(search, env).indices };
        nodes.push(Node::Store(place, Real::Var(best.value)));
        nodes
    }

    /// The visit of the point at the place that a search has found, if it has found one.
    fn visit(&mut self, search: &Stmt, value: &Value, best: &Best, env: &Env) -> Vec<Node> {
        let Value { stmt, guards, .. } = value;
        let entry = search.axes.iter().map(|axis| Index::var(*axis)).collect();
        let place = Index::atom(Atom::Read(search.tensor, entry));
        let Rhs::Arg(_, term) = &search.rhs else { unreachable!("a search has a value") };
        let places = self.symbols.var(term.binders[0]).range.clone();
        let statement = StatementId(stmt.tensor.0);
        if !self.is_found(&search.axes, guards, &Guard::Compare(Cmp::Lt, place, places)) {
            let found = Cond::Int(CmpOp::Lt, Int::Var(best.place), best.none.clone());
            return vec![Node::If(found, vec![Node::Visit(statement)])];
        }
        let mut nodes = Vec::new();
        for case in cases(&Guard::all(guards.clone()), &[]) {
            let (fixed, axes, open) = (search.axes.as_slice(), &[], Vec::new());
            let case = &case;
            let request = Request { env, fixed, axes, open, axes_first: true, case, statement };
            nodes.extend(plan(self, &request).into_iter().flat_map(|mut plan| {
                // where a test fails nothing is found: no point is at that place
                plan.levels.retain(|level| !matches!(level, Level::Visit(_)));
                nest(plan.levels, vec![Node::Visit(statement)])
            }));
        }
        nodes
    }

    fn best(&mut self, stmt: &Stmt, op: Reduction, binder: VarId) -> Best {
        let none = self.extent(&self.symbols.var(binder).range.clone());
        let name = self.out.statements[stmt.tensor.index()].clone();
        let (place, value) = (self.out.add_int(name), self.out.add_real("best"));
        Best { place, value, op, none }
    }

    /// Whether every search of a term finds something.
    fn finds(&self, term: &Term) -> bool {
        let places = self.symbols.var(term.binders[0]).range.clone();
        term.guard.is_truth()
            && self.proved(&[], &Guard::Compare(Cmp::Ge, places, Index::constant(1)))
    }

    /// The loops around the points of a term where a guard holds, each of which is tried.
    fn points(
        &mut self,
        stmt: &Stmt,
        term: &Term,
        guard: &Guard,
        best: &Best,
        env: &Env,
    ) -> Vec<Node> {
        let binder = term.binders[0];
        let mut nodes = Vec::new();
        let mut plans = Vec::new();
        for case in cases(guard, &term.binders) {
            let request = Request {
                env,
                fixed: &stmt.axes,
                axes: &[],
                open: vec![binder],
                axes_first: true,
                case: &case,
                statement: StatementId(stmt.tensor.0),
            };
            let whole = self.values.get(&stmt.tensor).filter(|value| value.whole);
            let beside = whole.map(|value| StatementId(value.stmt.tensor.0));
            let plan = plan(self, &request);
            plans.extend(plan.map(|mut plan| {
                beside.into_iter().for_each(|statement| plan.mark_visit(statement));
                plan
            }));
        }
        let single = plans.len() == 1;
        for plan in plans {
            let value = self.out.add_real("value");
            let at = plan.env.ints[&binder].clone();
            let mut point = self.earlier(stmt, term, &plan.env);
            point.push(Node::Set(value, self.real(&plan.env, &term.body)));
            let better = best.is_less(value, &at, single && ascends(&plan.levels, &at));
            point.push(Node::If(better, best.sets(value, at)));
            nodes.extend(nest(plan.levels, point));
        }
        nodes
    }

    /// The nodes of two searches that are joined: for each value of the outer variable the best of the inner one, kept with
    /// both places if it is better than those before. Stores the place of the inner one.
    fn rows(&mut self, stmt: &Stmt, row: &Stmt, env: &Env) -> (Best, Vec<Node>) {
        let Rhs::Arg(op, term) = &row.rhs else { unreachable!("searches are joined") };
        let [fixed @ .., var] = row.axes.as_slice() else {
            unreachable!("it has an axis more than the outer one")
        };
        let best = self.best(stmt, *op, *var);
        let row_best = self.best(row, *op, term.binders[0]);
        let kept = self.out.add_int(self.out.statements[row.tensor.index()].clone());
        let mut nodes = best.begin();
        nodes.push(Node::SetInt(kept, row_best.none.clone()));
        let (case, rest) = of_row(term);
        let request = Request {
            env,
            fixed,
            axes: &[],
            open: vec![*var],
            axes_first: true,
            case: &case,
            statement: StatementId(stmt.tensor.0),
        };
        if let Some(plan) = plan(self, &request) {
            let at = plan.env.ints[var].clone();
            let mut steps = row_best.begin();
            steps.extend(self.points(row, term, &rest, &row_best, &plan.env));
            let mut better = vec![best.is_less(row_best.value, &at, ascends(&plan.levels, &at))];
            if !self.finds(term) {
                let found = (Int::Var(row_best.place), row_best.none.clone());
                better.insert(0, Cond::Int(CmpOp::Lt, found.0, found.1));
            }
            let mut sets = best.sets(row_best.value, at);
            sets.push(Node::SetInt(kept, Int::Var(row_best.place)));
            let better = if better.len() == 1 { better.remove(0) } else { Cond::All(better) };
            steps.push(Node::If(better, sets));
            nodes.extend(nest(plan.levels, steps));
        }
        let store = Stmt { tensor: row.tensor, axes: stmt.axes.clone(), rhs: row.rhs.clone() };
        nodes.push(Node::StoreInt(self.entry(&store, env), Int::Var(kept)));
        (best, nodes)
    }
}

/// What a guard says of the last axis without data or the searched variable, and the rest of it.
fn of_row(term: &Term) -> (Vec<Literal>, Guard) {
    let binder = term.binders[0];
    let of_row = |guard: &Guard| match guard {
        Guard::Compare(cmp, a, b) => {
            *cmp != Cmp::Ne && plain(a) && plain(b) && !FreeVars::of_guard(guard).contains(&binder)
        }
        Guard::Real(..) | Guard::Member(..) | Guard::Not(_) | Guard::All(_) | Guard::Any(_) => {
            false
        }
    };
    let (row, rest): (Vec<Guard>, Vec<Guard>) =
        term.guard.clone().conjuncts().into_iter().partition(of_row);
    let literal = |guard| Literal { guard, kind: Kind::Enumerable };
    (row.into_iter().map(literal).collect(), Guard::all(rest))
}

/// Whether points are visited in the order of a place: the only loop is over it, upwards. Of equal values the first one
/// then stands at the least place.
fn ascends(levels: &[Level], place: &Int) -> bool {
    let mut loops = levels.iter().filter_map(|level| match level {
        Level::Loop(header) => Some(header),
        Level::Let(..) | Level::If(_) | Level::Test(_) | Level::Visit(_) => None,
    });
    loops.all(|header| header.order == Order::Ascending && *place == Int::Var(header.var))
}
