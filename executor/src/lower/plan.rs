//! The loops that enumerate the points of one case of a guard.
//!
//! The planner gives a value to one unknown after another until none is left:
//!
//! 1. what an equation determines is computed;
//! 2. a membership of known indices is looked up;
//! 3. an equation between data and a known value walks the fibre of the data
//!    (`image`);
//! 4. else a loop runs over a variable, within the bounds that remain when the
//!    variables still unknown are eliminated (`ranges`).
//!
//! Whatever is fully known and not implied by what holds already becomes a
//! condition. So every literal holds at the innermost level, whichever order the
//! unknowns are taken in; the order decides the cost alone.

use super::Lower;
use super::cases::{Kind, Literal};
use super::expr::Env;
use super::space::{Sort, Space};
use crate::loops::{CmpOp, Cond, For, Int, IntId, Node, StatementId};
use iverson_affine::{
    Budget, Constraint, Feasibility, Linear, System, Var, Verdict, feasible, prove,
};
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Atom, Guard, Index, RelId, VarId};
use iverson_spec::traverse::{FreeVars, Reads, Visit, walk_atom};

/// What is to be enumerated.
pub(super) struct Request<'a> {
    /// Variables that have values, with them.
    pub(super) env: &'a Env,
    /// Those of them that range over `0..range`.
    pub(super) fixed: &'a [VarId],
    /// The axes of the statement that have no values.
    pub(super) axes: &'a [VarId],
    /// Every variable without a value, in the order preferred.
    pub(super) open: Vec<VarId>,
    /// Whether the axes must be the outer loops.
    pub(super) axes_first: bool,
    /// What must hold.
    pub(super) case: &'a [Literal],
    /// Whose points they are.
    pub(super) statement: StatementId,
}

/// Levels, outermost first.
pub(super) struct Plan {
    /// What surrounds a point.
    pub(super) levels: Vec<Level>,
    /// The first `cut` levels give all axes their values.
    pub(super) cut: usize,
    /// What the variables stand for inside.
    pub(super) env: Env,
}

/// One level around a point.
pub(super) enum Level {
    /// A loop, without its body.
    Loop(For),
    /// A value.
    Let(IntId, Int),
    /// A condition.
    If(Cond),
    /// A test.
    Test(Cond),
    /// A point is visited.
    Visit(StatementId),
}

/// A membership `R(indices)`, as an entry of the relation.
struct Membership {
    relation: RelId,
    indices: Vec<Index>,
    entry: VarId,
    done: bool,
}

pub(super) struct Planner<'l, 'p> {
    pub(super) lower: &'l mut Lower<'p>,
    pub(super) space: Space,
    /// What holds where the levels so far are.
    pub(super) enforced: System,
    /// What must hold, and whether it is known to.
    pub(super) constraints: Vec<(Constraint, bool)>,
    /// By symbol: its value, once it has one.
    pub(super) values: Vec<Option<Int>>,
    /// The ranges of the open variables.
    ranges: Vec<Constraint>,
    pub(super) open: Vec<VarId>,
    axes: Vec<VarId>,
    axes_first: bool,
    memberships: Vec<Membership>,
    literals: Vec<(Literal, Vec<VarId>)>,
    /// The literals before this one hold.
    settled: usize,
    pub(super) plan: Plan,
    /// Whether there are no points.
    pub(super) never: bool,
}

/// The levels for a case; `None` if it has no points.
pub(super) fn plan(lower: &mut Lower<'_>, request: &Request<'_>) -> Option<Plan> {
    let mut planner = Planner::new(lower, request);
    planner.run();
    planner.plan.mark_visit(request.statement);
    (!planner.never).then_some(planner.plan)
}

impl Plan {
    /// Marks where a point is visited: in front of the tests that are the innermost levels.
    pub(super) fn mark_visit(&mut self, statement: StatementId) {
        let inner = self.levels.iter().rev();
        let tests = inner
            .take_while(|level| matches!(level, Level::Test(_) | Level::Let(..) | Level::Visit(_)));
        let at = self.levels.len() - tests.count();
        self.levels.insert(at, Level::Visit(statement));
        if at < self.cut {
            self.cut += 1;
        }
    }
}

impl<'l, 'p> Planner<'l, 'p> {
    fn new(lower: &'l mut Lower<'p>, request: &Request<'_>) -> Self {
        let plan = Plan { levels: Vec::new(), cut: 0, env: request.env.clone() };
        let mut planner = Self {
            lower,
            space: Space::new(),
            enforced: System::new(),
            constraints: Vec::new(),
            values: Vec::new(),
            ranges: Vec::new(),
            open: request.open.clone(),
            axes: request.axes.to_vec(),
            axes_first: request.axes_first,
            memberships: Vec::new(),
            literals: Vec::new(),
            settled: 0,
            plan,
            never: false,
        };
        for var in request.fixed {
            planner.range(*var, true);
        }
        for var in &request.open {
            planner.range(*var, false);
        }
        for literal in request.case {
            planner.literal(literal);
        }
        planner.need_points(request);
        planner.close_space();
        planner.never = planner.is_empty();
        planner
    }

    /// Whether no values satisfy what must hold: in the case `t < 0` of `t != 0`.
    fn is_empty(&self) -> bool {
        let mut all = self.enforced.clone();
        all.extend(self.constraints.iter().map(|(constraint, _)| constraint.clone()));
        all.extend(self.space.facts.iter().map(|(_, fact)| fact.clone()));
        feasible(&all, Budget::default()) == Feasibility::Empty
    }

    /// `0 <= var < range`
    fn range(&mut self, var: VarId, holds: bool) {
        let own = Index::var(var);
        let range = self.lower.symbols.var(var).range.clone();
        for (cmp, bound) in [(Cmp::Ge, Index::constant(0)), (Cmp::Lt, range)] {
            let constraint = self.space.compare(&self.lower.symbols, cmp, &own, &bound);
            match constraint {
                Some(constraint) if holds => self.enforced.push(constraint),
                Some(constraint) => {
                    self.ranges.push(constraint.clone());
                    self.constraints.push((constraint, false));
                }
                None => unreachable!("coefficients of ranges are small (front end)"),
            }
        }
    }

    /// What a guard reads is in bounds where every variable in force has a value (spec
    /// chapter 2). It may be evaluated in front of the loop of a variable that it does
    /// not mention: then that range must have a point. Not where all that is read is known to
    /// be in bounds before ([`Self::close_space`]): in comparisons of entries.
    fn need_points(&mut self, request: &Request<'_>) {
        for var in &request.open {
            let elsewhere = |literal: &Literal| {
                let mut reads = Reads::default();
                reads.guard(&literal.guard);
                !is_bounded(literal)
                    && !reads.tensors.is_empty()
                    && !FreeVars::of_guard(&literal.guard).contains(var)
            };
            let range = self.lower.symbols.var(*var).range.clone();
            if range.terms().is_empty() || !request.case.iter().any(elsewhere) {
                continue;
            }
            let none = Index::constant(0);
            let nonempty = self.space.compare(&self.lower.symbols, Cmp::Gt, &range, &none);
            self.constraints.extend(nonempty.map(|constraint| (constraint, false)));
        }
    }

    fn literal(&mut self, literal: &Literal) {
        let mut literal = literal.clone();
        if literal.kind == Kind::Enumerable && self.enumerate(&literal.guard).is_none() {
            literal.kind = Kind::Sift;
        }
        let vars = FreeVars::of_guard(&literal.guard);
        self.literals.push((literal, vars));
    }

    /// Adds the constraints of a literal; `None` if it is none or a coefficient overflows.
    fn enumerate(&mut self, guard: &Guard) -> Option<()> {
        match guard {
            Guard::Compare(cmp, a, b) => {
                let constraint = self.space.compare(&self.lower.symbols, *cmp, a, b)?;
                self.constraints.push((constraint, false));
            }
            Guard::Member(relation, indices) => {
                let entry = self.lower.entry_var(*relation);
                let mut equations = Vec::new();
                for (place, index) in indices.iter().enumerate() {
                    let coordinate = self.lower.coordinate(*relation, place, entry);
                    let symbols = &self.lower.symbols;
                    equations.push(self.space.compare(symbols, Cmp::Eq, &coordinate, index)?);
                }
                self.range(entry, false);
                self.open.push(entry);
                self.constraints.extend(equations.into_iter().map(|equation| (equation, false)));
                let (relation, indices) = (*relation, indices.clone());
                self.memberships.push(Membership { relation, indices, entry, done: false });
            }
            Guard::Real(..) | Guard::Not(_) | Guard::All(_) | Guard::Any(_) => return None,
        }
        Some(())
    }

    /// Adds what the forms of the symbols demand. No symbol is added after this.
    fn close_space(&mut self) {
        let count = self.space.len();
        self.values = vec![None; count];
        for at in 0..count {
            let known = match self.space.symbol(Var(at as u32)).sort {
                Sort::Size => true,
                Sort::Var(var) => self.has_value(var),
                Sort::Quotient | Sort::Data => false,
            };
            if known {
                self.learn(Var(at as u32));
            }
        }
        for (_, constraint) in &self.space.divisions {
            self.constraints.push((constraint.clone(), false));
        }
        for constraint in std::mem::take(&mut self.space.in_bounds) {
            // It may be evaluated where other variables have no values yet, and may never get any;
            // and what a read gives says nothing before it is known to be in bounds.
            let own = |of: Var| {
                constraint.linear().mentions(of) || self.space.symbol(of).sort == Sort::Size
            };
            let facts = self.space.facts.iter().filter(|(of, _)| own(*of));
            let mut known = self.enforced.clone();
            known.extend(facts.map(|(_, fact)| fact.clone()));
            known.extend(self.ranges_of(&constraint));
            if prove(&known, &constraint, Budget::default()) != Verdict::Proved {
                self.constraints.push((constraint, false));
            }
        }
    }

    /// The ranges of the open variables that a constraint depends on.
    fn ranges_of(&self, constraint: &Constraint) -> Vec<Constraint> {
        let symbols = constraint.linear().vars();
        let vars: Vec<VarId> =
            symbols.flat_map(|symbol| self.space.symbol(symbol).vars.iter().copied()).collect();
        let concerns = |range: &&Constraint| {
            let own = |symbol: Var| matches!(self.space.symbol(symbol).sort, Sort::Var(var) if vars.contains(&var));
            range.linear().vars().any(own)
        };
        self.ranges.iter().filter(concerns).cloned().collect()
    }

    fn run(&mut self) {
        self.settle();
        while !self.never {
            if self.determine() || self.look_up() || self.walk_fibre() {
                self.settle();
                continue;
            }
            let Some(var) = self.next() else { break };
            self.loop_over(var);
            self.settle();
        }
    }

    // Knowing.

    pub(super) fn is_known(&self, symbol: Var) -> bool {
        self.values[symbol.0 as usize].is_some()
    }

    pub(super) fn is_axis(&self, var: VarId) -> bool {
        self.axes.contains(&var)
    }

    /// The symbols of a form that have no value.
    pub(super) fn unknown(&self, form: &Linear) -> Vec<Var> {
        form.vars().filter(|var| !self.is_known(*var)).collect()
    }

    pub(super) fn has_value(&self, var: VarId) -> bool {
        self.plan.env.ints.contains_key(&var)
    }

    /// Gives a symbol the value that its atom has.
    fn learn(&mut self, symbol: Var) {
        let value = self.lower.atom(&self.plan.env, self.space.atom(symbol));
        self.values[symbol.0 as usize] = Some(value);
        let facts = self.space.facts.iter().filter(|(of, _)| *of == symbol);
        self.enforced.extend(facts.map(|(_, fact)| fact.clone()));
    }

    /// Gives a variable a value.
    pub(super) fn bind(&mut self, var: VarId, value: Int) {
        self.plan.env.ints.insert(var, value);
        self.open.retain(|open| *open != var);
        if let Some(symbol) = self.space.number(&Atom::Var(var)) {
            self.learn(symbol);
        }
        if self.axes.iter().all(|axis| self.has_value(*axis)) && !self.axes.is_empty() {
            self.axes.clear();
            self.plan.cut = self.plan.levels.len();
        }
    }

    /// A value under a name, if it is more than a sum of variables and sizes.
    pub(super) fn named(&mut self, name: &str, value: Int) -> Int {
        if value.is_affine() {
            return value;
        }
        let id = self.lower.out.add_int(name);
        self.plan.levels.push(Level::Let(id, value));
        Int::Var(id)
    }

    /// Makes hold all that is known, and computes all that can be computed.
    fn settle(&mut self) {
        loop {
            for at in 0..self.constraints.len() {
                let (constraint, done) = &self.constraints[at];
                if !done && self.unknown(constraint.linear()).is_empty() {
                    self.enforce(at);
                }
            }
            let symbols = (0..self.space.len()).map(|at| Var(at as u32));
            if symbols.into_iter().any(|symbol| self.settle_symbol(symbol)) {
                continue;
            }
            if !self.settle_literal() {
                return;
            }
        }
    }

    /// Computes a symbol whose variables have values; whether it did.
    fn settle_symbol(&mut self, symbol: Var) -> bool {
        let row = self.space.symbol(symbol);
        let ready = matches!(row.sort, Sort::Quotient | Sort::Data)
            && !self.is_known(symbol)
            && row.vars.iter().all(|var| self.has_value(*var))
            && self.may_evaluate(symbol);
        if !ready {
            return false;
        }
        self.learn(symbol);
        let own: Vec<Constraint> = self
            .space
            .divisions
            .iter()
            .filter(|(of, _)| *of == symbol)
            .map(|(_, c)| c.clone())
            .collect();
        for (constraint, done) in &mut self.constraints {
            if own.contains(constraint) {
                *done = true;
                self.enforced.push(constraint.clone());
            }
        }
        true
    }

    /// Rounding a real down may fail: what stands before it in the guard must hold.
    pub(super) fn may_evaluate(&self, symbol: Var) -> bool {
        if !rounds(self.space.atom(symbol)) {
            return true;
        }
        let tests = self.literals[self.settled..].iter();
        let before =
            tests.take_while(|(literal, _)| !mentions(&literal.guard, self.space.atom(symbol)));
        before.into_iter().all(|(literal, _)| literal.kind == Kind::Enumerable)
    }

    /// Makes the next literal hold that must be tried, if its variables and all before it are
    /// known; whether there was one.
    fn settle_literal(&mut self) -> bool {
        while let Some((literal, vars)) = self.literals.get(self.settled) {
            if !vars.iter().all(|var| self.has_value(*var)) {
                return false;
            }
            self.settled += 1;
            let cond = || self.lower.cond(&self.plan.env, &literal.guard);
            let level = match literal.kind {
                Kind::Enumerable => continue,
                Kind::Sift => Level::If(cond()),
                Kind::Test => Level::Test(cond()),
            };
            self.plan.levels.push(level);
            return true;
        }
        false
    }

    /// Makes a constraint of known symbols hold.
    fn enforce(&mut self, at: usize) {
        let constraint = self.constraints[at].0.clone();
        self.constraints[at].1 = true;
        if self.holds(&constraint) {
            return;
        }
        if constraint.linear().is_constant().is_some() {
            self.never = true;
            return;
        }
        let cond = self.condition(&constraint);
        self.plan.levels.push(Level::If(cond));
        self.enforced.push(constraint);
    }

    /// Whether a constraint follows from what holds.
    pub(super) fn holds(&self, constraint: &Constraint) -> bool {
        prove(&self.enforced, constraint, Budget::default()) == Verdict::Proved
    }

    // Values.

    /// The value of a form of known symbols.
    pub(super) fn value(&self, form: &Linear) -> Int {
        let terms = form.terms().iter().map(|(symbol, a)| {
            let value = self.values[symbol.0 as usize].clone();
            let value = value.unwrap_or_else(|| unreachable!("the form has known symbols alone"));
            (narrow(*a), value)
        });
        Int::linear(terms, narrow(form.constant_part()))
    }

    /// A constraint of known symbols as a condition, without subtractions.
    pub(super) fn condition(&self, constraint: &Constraint) -> Cond {
        let form = constraint.linear();
        let side = |sign: i128| {
            let terms = form.terms().iter().filter(|(_, a)| a.signum() == sign);
            let constant =
                if form.constant_part().signum() == sign { form.constant_part() } else { 0 };
            let terms = terms.map(|(symbol, a)| (a * sign, *symbol));
            let side = Linear::of(constant * sign, terms);
            self.value(&side.unwrap_or_else(|| unreachable!("coefficients are within 64 bits")))
        };
        match constraint {
            Constraint::Zero(_) => Cond::Int(CmpOp::Eq, side(1), side(-1)),
            Constraint::NonNegative(_) => Cond::Int(CmpOp::Ge, side(1), side(-1)),
            Constraint::Divides(k, e) => {
                let rest = self.value(e).remainder(narrow(k.abs()));
                Cond::Int(CmpOp::Eq, rest, Int::Const(0))
            }
        }
    }

    // Steps.

    /// Computes a symbol that an equation determines.
    fn determine(&mut self) -> bool {
        for at in 0..self.constraints.len() {
            let (Constraint::Zero(form), false) = &self.constraints[at] else { continue };
            let [symbol] = self.unknown(form)[..] else { continue };
            let sort = self.space.symbol(symbol).sort;
            if sort == Sort::Data {
                continue;
            }
            let form = form.clone();
            self.constraints[at].1 = true;
            self.solve(symbol, sort, &form);
            return true;
        }
        false
    }

    /// `form = 0` for its only unknown.
    fn solve(&mut self, symbol: Var, sort: Sort, form: &Linear) {
        let a = form.coefficient(symbol);
        let rest = form.substitute(symbol, &Linear::constant(0));
        let rest = rest.and_then(|rest| rest.scale(-a.signum()));
        let rest = rest.unwrap_or_else(|| unreachable!("coefficients are within 64 bits"));
        let divisor = a.abs();
        let whole = Constraint::Divides(divisor, rest.clone());
        if divisor != 1 && !self.holds(&whole) {
            let cond = self.condition(&whole);
            self.plan.levels.push(Level::If(cond));
            self.enforced.push(whole);
        }
        let value = self.value(&rest).divided(narrow(divisor));
        match sort {
            Sort::Var(var) => {
                let name = self.lower.symbols.var(var).name.clone();
                let value = self.named(&name, value);
                self.bind(var, value);
            }
            Sort::Quotient | Sort::Data | Sort::Size => {
                self.values[symbol.0 as usize] = Some(value);
            }
        }
        self.enforced.push(Constraint::Zero(form.clone()));
    }

    /// Looks up a membership whose indices are known.
    fn look_up(&mut self) -> bool {
        let known = |m: &Membership| {
            let vars = m.indices.iter().flat_map(FreeVars::of_index);
            !m.done && vars.into_iter().all(|var| self.has_value(var))
        };
        let Some(at) = self.memberships.iter().position(known) else { return false };
        let Membership { relation, indices, entry, .. } = &self.memberships[at];
        let (relation, entry) = (*relation, *entry);
        let found = !self.has_value(entry);
        let cond = Cond::Member(relation, self.lower.ints(&self.plan.env, indices));
        self.memberships[at].done = true;
        if found {
            self.plan.levels.push(Level::If(cond));
            self.open.retain(|open| *open != entry);
            for (constraint, done) in &mut self.constraints {
                let of_entry = |symbol: Var| self.space.symbol(symbol).vars.contains(&entry);
                *done |= constraint.linear().vars().any(of_entry);
            }
        }
        true
    }

    /// The variable to loop over next.
    fn next(&self) -> Option<VarId> {
        let axis = |var: &&VarId| self.axes.contains(var);
        if self.axes_first
            && let Some(var) = self.open.iter().find(axis)
        {
            return Some(*var);
        }
        let sources = self.sources();
        let free = sources.iter().filter(|var| !self.is_target(**var));
        // among entries of relations, one whose indices are variables: other terms meet it at the same step
        let free = free.min_by_key(|var| !self.names_variables(**var));
        let var = free.or(sources.first()).or(self.open.first()).copied()?;
        Some(self.place_of(var).unwrap_or(var))
    }

    /// Whether a variable is an entry of a relation whose indices are variables, not sums.
    fn names_variables(&self, entry: VarId) -> bool {
        let plain = |index: &Index| {
            matches!(index.terms(), [(Atom::Var(_), 1)]) && index.constant_part() == 0
        };
        self.memberships.iter().any(|m| m.entry == entry && m.indices.iter().all(plain))
    }

    /// For an entry of a relation one of whose indices is partly known: an open variable of its
    /// indices, which is looped over rather than all entries.
    fn place_of(&self, entry: VarId) -> Option<VarId> {
        let membership = self.memberships.iter().find(|m| m.entry == entry && !m.done)?;
        let vars: Vec<VarId> = membership.indices.iter().flat_map(FreeVars::of_index).collect();
        let known = vars.iter().any(|var| self.has_value(*var));
        vars.into_iter().find(|var| known && self.open.contains(var))
    }

    /// The open variables that data in unsettled constraints depend on.
    fn sources(&self) -> Vec<VarId> {
        let mut inside = Vec::new();
        for (constraint, done) in &self.constraints {
            for symbol in constraint.linear().vars().filter(|_| !done) {
                let row = self.space.symbol(symbol);
                if row.sort == Sort::Data && !self.is_known(symbol) {
                    inside.extend(row.vars.iter().copied());
                }
            }
        }
        self.open.iter().copied().filter(|var| inside.contains(var)).collect()
    }

    /// Whether an equation with data that depend on other variables would give the variable its value.
    fn is_target(&self, var: VarId) -> bool {
        let Some(own) = self.space.number(&Atom::Var(var)) else { return false };
        self.constraints.iter().any(|(constraint, done)| {
            let Constraint::Zero(form) = constraint else { return false };
            let data = |symbol: &Var| {
                let row = self.space.symbol(*symbol);
                row.sort == Sort::Data && !row.vars.contains(&var)
            };
            !done && form.mentions(own) && self.unknown(form).iter().any(data)
        })
    }
}

/// A number of the solver as one of the program.
pub(super) fn narrow(n: i128) -> i64 {
    i64::try_from(n).unwrap_or_else(|_| unreachable!("coefficients are within 64 bits"))
}

/// Whether all that a literal reads is an unknown of the constraints, or part of one.
fn is_bounded(literal: &Literal) -> bool {
    struct Hidden(bool);
    impl Visit for Hidden {
        fn atom(&mut self, atom: &Atom) {
            self.0 |= matches!(atom, Atom::Floor(_) | Atom::If(_) | Atom::Arg(_));
            walk_atom(self, atom);
        }
    }
    let mut hidden = Hidden(false);
    hidden.guard(&literal.guard);
    literal.kind == Kind::Enumerable && !hidden.0
}

/// Whether a real is rounded down in it.
fn rounds(atom: &Atom) -> bool {
    struct Rounds(bool);
    impl Visit for Rounds {
        fn atom(&mut self, atom: &Atom) {
            self.0 |= matches!(atom, Atom::Floor(_));
            walk_atom(self, atom);
        }
    }
    let mut rounds = Rounds(false);
    rounds.atom(atom);
    rounds.0
}

/// Whether an atom occurs in a guard.
fn mentions(guard: &Guard, atom: &Atom) -> bool {
    struct Mentions<'a>(&'a Atom, bool);
    impl Visit for Mentions<'_> {
        fn atom(&mut self, atom: &Atom) {
            self.1 |= atom == self.0;
            walk_atom(self, atom);
        }
    }
    let mut found = Mentions(atom, false);
    found.guard(guard);
    found.1
}

/// The levels around nodes, as nodes.
pub(super) fn nest(levels: Vec<Level>, inner: Vec<Node>) -> Vec<Node> {
    levels.into_iter().rev().fold(inner, |inner, level| match level {
        Level::Loop(header) => vec![Node::For(Box::new(For { body: inner, ..header }))],
        Level::Let(id, value) => std::iter::once(Node::SetInt(id, value)).chain(inner).collect(),
        Level::If(cond) | Level::Test(cond) => vec![Node::If(cond, inner)],
        Level::Visit(statement) => std::iter::once(Node::Visit(statement)).chain(inner).collect(),
    })
}
