//! What a statement does: its loops, the value at a point, and where it goes.
//!
//! A sum is kept in a register where the axes are the outer loops, and added to the
//! entry where they are not (a scatter). The first term stores; entries are cleared
//! before only if it does not reach all of them (of two terms, the one that does may go first).
//! Terms that add rows stand before or after the one that sums them ([`sides`](super::sides)).
//! What the steps of a recurrence add to later ones ([`later`](super::later)) is done at their ends.

use super::Lower;
use super::cases::cases;
use super::expr::Env;
use super::later::Entries;
use super::plan::{Level, Plan, Request, nest, plan};
use super::scatter;
use super::sides::{Rows, Side};
use crate::loops::{Check, CmpOp, Cond, Fold, For, Int, Node, Order, Place, Real, StatementId};
use iverson_spec::ast::{Cmp, Direction, Reduction};
use iverson_spec::bounds::{Facts, Verdict, prove};
use iverson_spec::ir::{Element, Guard, Index, Requires, VarId};
use iverson_spec::ssa::{Rhs, Stmt, Term};
use iverson_spec::traverse::Visit;

/// A case of a term: its loops, and what it is a case of.
pub(super) struct Part<'t> {
    pub(super) term: &'t Term,
    pub(super) plan: Plan,
}

impl Lower<'_> {
    /// The nodes of a statement; the environment has the recurrence variables.
    pub(super) fn statement(&mut self, stmt: &Stmt, env: &Env) -> Vec<Node> {
        let mut nodes = vec![Node::Note(self.out.statements[stmt.tensor.index()].clone())];
        nodes.extend(match &stmt.rhs {
            Rhs::Sum(terms) => self.fold(stmt, env, Fold::Sum, terms),
            Rhs::Fold(op, term) => self.fold(stmt, env, fold(*op), std::slice::from_ref(term)),
            Rhs::Arg(op, term) => self.search(stmt, env, *op, term),
            Rhs::Index(index) => self.index_statement(stmt, env, index),
        });
        nodes
    }

    pub(super) fn open_axes<'s>(&self, stmt: &'s Stmt) -> &'s [VarId] {
        &stmt.axes[self.steps.len()..]
    }

    fn fixed(&self) -> Vec<VarId> {
        self.steps.iter().map(|(var, _)| *var).collect()
    }

    /// The entry of a statement.
    pub(super) fn entry(&self, stmt: &Stmt, env: &Env) -> Place {
        let indices = stmt.axes.iter().map(|axis| env.ints[axis].clone()).collect();
        Place { buffer: self.buffer(stmt.tensor), indices }
    }

    // Sums and folds.

    fn fold(&mut self, stmt: &Stmt, env: &Env, fold: Fold, terms: &[Term]) -> Vec<Node> {
        let (mut first, mut parts, mut last) = (Vec::new(), Vec::new(), Vec::new());
        let mut later = Vec::new();
        for term in terms {
            if let Some(var) = self.step_that_adds(term) {
                later.extend(self.added_later(stmt, env, term, var));
                continue;
            }
            let (order, side) = self.order(stmt, fold, term, terms);
            for case in cases(&term.guard, &term.binders) {
                let moved = self.moved(&case, &order);
                let (case, mut open) = moved.unwrap_or((case, Vec::new()));
                open.extend(&order);
                let request = Request {
                    env,
                    fixed: &self.fixed(),
                    axes: self.open_axes(stmt),
                    open,
                    axes_first: false,
                    case: &case,
                    statement: StatementId(stmt.tensor.0),
                };
                let to = match side {
                    Some(Side::After) => &mut first,
                    Some(Side::Before) => &mut last,
                    None => &mut parts,
                };
                to.extend(plan(self, &request).map(|plan| Part { term, plan }));
            }
        }
        let mut parts: Vec<Part<'_>> = [first, parts, last].into_iter().flatten().collect();
        if fold == Fold::Sum {
            self.covering_first(stmt, &mut parts);
            scatter::first(&mut parts);
        }
        let before = !later.is_empty();
        if before {
            self.clear_before(stmt, fold);
        }
        for part in later {
            let nodes = self.part(stmt, fold, part, false);
            self.later.extend(nodes);
        }
        let covers = !before && parts.first().is_some_and(|part| self.covers(stmt, &part.plan));
        let mut nodes = if covers || before { Vec::new() } else { self.clear(stmt, env, fold) };
        for (place, part) in parts.into_iter().enumerate() {
            let own = self.part(stmt, fold, part, covers && place == 0);
            scatter::append(&mut nodes, own);
        }
        nodes
    }

    /// The axes and binders of a term in the order preferred, and on which side of its own entry it adds a row, if it adds rows.
    fn order(
        &mut self,
        stmt: &Stmt,
        fold: Fold,
        term: &Term,
        terms: &[Term],
    ) -> (Vec<VarId>, Option<Side>) {
        let axes = self.open_axes(stmt);
        let mut order = self.preference(axes, term, terms, &stmt.axes);
        if let Some((step, direction)) = self.along(axes, term) {
            order.retain(|var| *var != step);
            order.insert(0, step);
            if direction == Direction::Descending {
                self.descending.insert(step);
            }
            return (order, None);
        }
        let rows = if fold == Fold::Sum { self.added_rows(axes, term, terms) } else { None };
        if let Some(Rows { row, entry, .. }) = rows {
            order.retain(|var| *var != row);
            let place = order.iter().position(|var| *var == entry).unwrap_or(0);
            order.insert(place, row);
        }
        (order, rows.map(|rows| rows.side))
    }

    /// Puts the first part that stores every entry in front of those of one term with at most
    /// one point for an entry: `a + b` is `b + a` to the bit, and nothing is cleared.
    fn covering_first(&self, stmt: &Stmt, parts: &mut [Part<'_>]) {
        let Some(at) = parts.iter().position(|part| self.covers(stmt, &part.plan)) else { return };
        let (before, _) = parts.split_at(at);
        let single = before.first().is_some_and(|first| {
            let is_same = |part: &Part<'_>| std::ptr::eq(part.term, first.term);
            first.term.binders.is_empty() && before.iter().all(is_same)
        });
        if single {
            parts[..=at].rotate_right(1);
        }
    }

    /// Whether the outer levels are loops over all entries: one for each axis, since two axes at one loop are a diagonal.
    fn covers(&self, stmt: &Stmt, plan: &Plan) -> bool {
        let axes = self.open_axes(stmt);
        let outer = &plan.levels[..plan.cut];
        let is_own = |level: &Level| {
            let Level::Loop(header) = level else { return false };
            let mut own = axes.iter().filter(|axis| plan.env.ints[*axis] == Int::Var(header.var));
            let (Some(axis), None) = (own.next(), own.next()) else { return false };
            header.lower == [Int::Const(0)]
                && header.upper == [self.extent(&self.symbols.var(*axis).range)]
                && header.stride.is_none()
        };
        outer.len() == axes.len() && outer.iter().all(is_own)
    }

    /// Loops that set every entry to the value of no points.
    fn clear(&mut self, stmt: &Stmt, env: &Env, fold: Fold) -> Vec<Node> {
        self.clear_over(self.open_axes(stmt), stmt, env, fold)
    }

    /// Loops that do so for all steps of the recurrence, in front of it.
    fn clear_before(&mut self, stmt: &Stmt, fold: Fold) {
        let nodes = self.clear_over(&stmt.axes, stmt, &Env::default(), fold);
        self.prelude.extend(nodes);
    }

    fn clear_over(&mut self, axes: &[VarId], stmt: &Stmt, env: &Env, fold: Fold) -> Vec<Node> {
        let (loops, inner) = self.axis_loops(axes, env);
        let store = Node::Store(self.entry(stmt, &inner), Real::Const(fold.empty()));
        nest(loops, vec![store])
    }

    /// Loops over axes, and what the axes are inside.
    pub(super) fn axis_loops(&mut self, axes: &[VarId], env: &Env) -> (Vec<Level>, Env) {
        let mut inner = env.clone();
        let mut loops = Vec::new();
        for axis in axes {
            let row = self.symbols.var(*axis).clone();
            let var = self.out.add_int(row.name);
            inner.ints.insert(*axis, Int::Var(var));
            loops.push(Level::Loop(For {
                var,
                lower: vec![Int::Const(0)],
                upper: vec![self.extent(&row.range)],
                stride: None,
                order: Order::Parallel,
                body: Vec::new(),
            }));
        }
        (loops, inner)
    }

    /// The loops of a part around its point.
    fn part(&mut self, stmt: &Stmt, fold: Fold, part: Part<'_>, stores: bool) -> Vec<Node> {
        let Part { term, mut plan } = part;
        let entry = self.entry(stmt, &plan.env);
        let value = self.real(&plan.env, &term.body);
        let put = |value| {
            if stores {
                Node::Store(entry.clone(), value)
            } else {
                Node::Accumulate(entry.clone(), fold, value)
            }
        };
        let mut point = self.earlier(stmt, term, &plan.env);
        let outer = |level: &Level| matches!(level, Level::Let(..) | Level::If(_));
        while !stores && plan.levels.get(plan.cut).is_some_and(outer) {
            plan.cut += 1;
        }
        let inner = plan.levels.split_off(plan.cut);
        let loops = inner.iter().any(|level| matches!(level, Level::Loop(_)));
        let tests = inner.iter().any(|level| matches!(level, Level::If(_) | Level::Test(_)));
        if loops || tests && stores {
            let sum = self.out.add_real(self.out.statements[stmt.tensor.index()].clone());
            point.push(Node::Join(sum, fold, value));
            let mut nodes = vec![Node::Set(sum, Real::Const(fold.empty()))];
            nodes.extend(nest(inner, point));
            nodes.push(put(Real::Var(sum)));
            return nest(plan.levels, nodes);
        }
        point.push(put(value));
        nest(plan.levels, nest(inner, point))
    }

    // Index maps.

    fn index_statement(&mut self, stmt: &Stmt, env: &Env, index: &Index) -> Vec<Node> {
        let (loops, inner) = self.axis_loops(self.open_axes(stmt), env);
        let mut nodes = vec![Node::Visit(StatementId(stmt.tensor.0))];
        let value = self.int(&inner, index);
        nodes.extend(self.store_index(stmt, &inner, value, Some(index)));
        nest(loops, nodes)
    }

    /// Stores an index, checked to be in its sort unless that is proved of one that is as great, or greater, and not
    /// negative.
    pub(super) fn store_index(
        &mut self,
        stmt: &Stmt,
        env: &Env,
        value: Int,
        greatest: Option<&Index>,
    ) -> Vec<Node> {
        let place = self.entry(stmt, env);
        let Element::Index(bound) = self.symbols.tensor(stmt.tensor).element.clone() else {
            unreachable!(
                "the sort of the tensor is that of the right side (invariant 8 of Tensor SSA)"
            )
        };
        if let Some(index) = greatest
            && self.in_sort(index, &bound)
        {
            return vec![Node::StoreInt(place, value)];
        }
        let name = self.out.statements[stmt.tensor.index()].clone();
        let entry = self.out.add_int(name.clone());
        let bound = self.extent(&bound);
        let within = Cond::All(vec![
            Cond::Int(CmpOp::Ge, Int::Var(entry), Int::Const(0)),
            Cond::Int(CmpOp::Lt, Int::Var(entry), bound.clone()),
        ]);
        let position = place.indices.clone();
        let check = Check::Sort { tensor: name, position, value: entry, bound };
        let check = self.check(check, within);
        vec![Node::SetInt(entry, value), check, Node::StoreInt(place, Int::Var(entry))]
    }

    fn in_sort(&self, index: &Index, bound: &Index) -> bool {
        let goal = Guard::All(vec![
            Guard::Compare(Cmp::Ge, index.clone(), Index::constant(0)),
            Guard::Compare(Cmp::Lt, index.clone(), bound.clone()),
        ]);
        self.proved(&[], &goal)
    }

    /// Whether a proposition holds where guards do, by what the program requires and what searches find.
    pub(super) fn proved(&self, guards: &[Guard], goal: &Guard) -> bool {
        self.follows(&[], guards, &self.requires, goal)
    }

    /// As [`Self::proved`], by what searches find alone, where these variables have values.
    pub(super) fn is_found(&self, vars: &[VarId], guards: &[Guard], goal: &Guard) -> bool {
        self.follows(vars, guards, &self.found, goal)
    }

    fn follows(
        &self,
        vars: &[VarId],
        guards: &[Guard],
        requires: &[Requires],
        goal: &Guard,
    ) -> bool {
        let facts = Facts { symbols: &self.symbols, vars, guards, requires, extents: &[] };
        prove(facts, goal) == Verdict::Proved
    }

    // Recurrences.

    /// Checks that what the body reads of recurrences through data is computed.
    pub(super) fn earlier(&mut self, stmt: &Stmt, term: &Term, env: &Env) -> Vec<Node> {
        if self.steps.is_empty() {
            return Vec::new();
        }
        let mut reads = Entries(Vec::new());
        reads.expr(&term.body);
        let mut checks = Vec::new();
        for (tensor, indices) in reads.0 {
            let Some(depth) = self.recurrent.get(&tensor).copied() else { continue };
            if self.available.contains(&tensor) {
                continue;
            }
            let steps = self.steps[..depth.min(self.steps.len())].to_vec();
            let data = indices[..steps.len()].iter().any(|index| !super::space::plain(index));
            let goal = earlier(&steps, &indices, self.computed.contains(&tensor));
            if !data || self.proved(std::slice::from_ref(&term.guard), &goal) {
                continue;
            }
            let cond = self.cond(env, &goal);
            let check = Check::Earlier {
                tensor: self.out.statements[stmt.tensor.index()].clone(),
                position: self.entry(stmt, env).indices,
                read: self.symbols.tensor(tensor).name.clone(),
                entry: self.ints(env, &indices),
            };
            checks.push(self.check(check, cond));
        }
        checks
    }
}

/// Whether an entry of a recurrence comes before the current step, or in it if it is `computed`.
pub(super) fn earlier(steps: &[(VarId, Direction)], indices: &[Index], computed: bool) -> Guard {
    let Some(((var, direction), rest)) = steps.split_first() else {
        return if computed { Guard::truth() } else { Guard::Any(Vec::new()) };
    };
    let cmp = match direction {
        Direction::Ascending => Cmp::Lt,
        Direction::Descending => Cmp::Gt,
    };
    let compare = |cmp| Guard::Compare(cmp, indices[0].clone(), Index::var(*var));
    let same = compare(Cmp::Eq).and(earlier(rest, &indices[1..], computed));
    Guard::any(vec![compare(cmp), same])
}

fn fold(op: Reduction) -> Fold {
    match op {
        Reduction::Sum => Fold::Sum,
        Reduction::Prod => Fold::Prod,
        Reduction::Max => Fold::Max,
        Reduction::Min => Fold::Min,
        Reduction::Argmax | Reduction::Argmin => {
            unreachable!("`prod`, `max`, `min` fold (invariant 8 of Tensor SSA)")
        }
    }
}
