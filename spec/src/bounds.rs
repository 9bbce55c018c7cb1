//! Proving propositions about indices for all sizes (spec chapter 2).
//!
//! [`prove`] translates the facts in force and the negated goal to systems of
//! affine constraints, one for each way to satisfy their disjunctions, and asks
//! for an integer point. None: the goal is proved. A point: it is a
//! counterexample. What is not affine is an unknown integer with the facts its
//! form gives: an entry of an index tensor is within the tensor's range, a
//! quotient by a constant is between two products.
//!
//! Dropping a fact is always sound: the prover may then fail to prove, never
//! prove too much. A counterexample may therefore name values that dropped
//! facts (comparisons of reals, relations) exclude.

use crate::ast::Cmp;
use crate::ir::{Atom, Element, Extent, Guard, Index, Requires, Symbols, TensorId, VarId};
use crate::traverse::{Rewrite, Substitute, Visit, rebuild_guard, walk_atom};
use indexmap::IndexMap;
use iverson_affine::{Budget, Constraint, Feasibility, Linear, System, Var, feasible};

/// At most this many ways to satisfy the disjunctions of the facts are followed.
const MAX_CASES: usize = 64;
/// At most about this many comparisons of a case are used, the innermost guards first.
const MAX_COMPARISONS: usize = 200;

/// What is known where a proposition is asked.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// What the ids stand for.
    pub symbols: &'a Symbols,
    /// The variables in force: axes, binders of the reductions around, recurrence
    /// variables. The place is reached only where each has a value, so no range is empty.
    pub vars: &'a [VarId],
    /// The guards in force.
    pub guards: &'a [Guard],
    /// Conditions that data satisfy.
    pub requires: &'a [Requires],
    /// Extents known not to be negative.
    pub extents: &'a [Extent],
}

/// An answer of the prover.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It holds for all sizes, indices and data.
    Proved,
    /// It fails for these values.
    Disproved(Vec<(Atom, i128)>),
    /// Neither was shown within the budget.
    Unknown,
}

/// Does `goal` hold wherever the facts do?
#[must_use]
pub fn prove(facts: Facts<'_>, goal: &Guard) -> Verdict {
    let mut cases = Cases::all();
    for literal in cases_of(&goal.clone().negate(), true) {
        cases.alternatives.push(literal);
    }
    refute(facts, cases)
}

/// Can the facts hold at all?
#[must_use]
pub fn satisfiable(facts: Facts<'_>) -> bool {
    refute(facts, Cases { alternatives: vec![Vec::new()] }) != Verdict::Proved
}

/// A disjunction of conjunctions of affine comparisons.
struct Cases {
    alternatives: Vec<Conjunction>,
}

type Conjunction = Vec<Comparison>;

/// `left cmp right`, never `!=`.
type Comparison = (Cmp, Index, Index);

impl Cases {
    fn all() -> Self {
        Self { alternatives: Vec::new() }
    }
}

/// Looks for a point in each case; `Proved` if there is none.
fn refute(facts: Facts<'_>, goal: Cases) -> Verdict {
    let mut alternatives = goal.alternatives;
    for guard in facts.guards.iter().rev() {
        conjoin(&mut alternatives, cases_of(guard, true));
    }
    let mut seen = AtomTable::new(facts);
    alternatives.iter().flatten().for_each(|(_, a, b)| seen.note(a, b));
    for clause in instances(facts, &seen) {
        conjoin(&mut alternatives, cases_of(&clause, true));
    }
    let mut unknown = false;
    for conjunction in &alternatives {
        match point(facts, conjunction) {
            Found::Nothing => {}
            Found::Point(values) => return Verdict::Disproved(values),
            Found::Undecided => unknown = true,
        }
    }
    if unknown { Verdict::Unknown } else { Verdict::Proved }
}

/// `cases` and `more`; left as it is (a weaker fact) where that has too many cases.
fn conjoin(cases: &mut Vec<Conjunction>, more: Vec<Conjunction>) {
    let longest = cases.iter().map(Vec::len).max().unwrap_or(0);
    if cases.len() * more.len() > MAX_CASES || longest > MAX_COMPARISONS {
        return;
    }
    if let [only] = more.as_slice() {
        let new = |c: &mut Conjunction| {
            only.iter().for_each(|fact| {
                if !c.contains(fact) {
                    c.push(fact.clone());
                }
            })
        };
        return cases.iter_mut().for_each(new);
    }
    let both = |a: &Conjunction| {
        let a = a.clone();
        more.iter().map(move |b| a.iter().chain(b).cloned().collect())
    };
    *cases = cases.iter().flat_map(both).collect();
}

/// The ways in which `guard` is `truth`. What is not affine is taken as possible.
fn cases_of(guard: &Guard, truth: bool) -> Vec<Conjunction> {
    match guard {
        Guard::Compare(cmp, a, b) => {
            comparison_cases(if truth { *cmp } else { cmp.negate() }, a, b)
        }
        Guard::Real(..) | Guard::Member(..) => vec![Vec::new()],
        Guard::Not(p) => cases_of(p, !truth),
        Guard::All(ps) if truth => conjunction_cases(ps, truth),
        Guard::Any(ps) if !truth => conjunction_cases(ps, truth),
        Guard::All(ps) | Guard::Any(ps) => {
            let cases = ps.iter().flat_map(|p| cases_of(p, truth));
            let cases: Vec<_> = cases.take(MAX_CASES + 1).collect();
            if cases.len() > MAX_CASES { vec![Vec::new()] } else { cases }
        }
    }
}

fn conjunction_cases(ps: &[Guard], truth: bool) -> Vec<Conjunction> {
    let mut cases = vec![Vec::new()];
    ps.iter().for_each(|p| conjoin(&mut cases, cases_of(p, truth)));
    cases
}

fn comparison_cases(cmp: Cmp, a: &Index, b: &Index) -> Vec<Conjunction> {
    if let Some((atom, guard, then, other)) = conditional(a).or_else(|| conditional(b)) {
        let side = |value: &Index, truth: bool| {
            let (Some(a), Some(b)) = (replace(a, &atom, value), replace(b, &atom, value)) else {
                return vec![Vec::new()];
            };
            let mut cases = comparison_cases(cmp, &a, &b);
            conjoin(&mut cases, cases_of(&guard, truth));
            cases
        };
        return [side(&then, true), side(&other, false)].concat();
    }
    match cmp {
        Cmp::Ne => {
            vec![vec![(Cmp::Lt, a.clone(), b.clone())], vec![(Cmp::Gt, a.clone(), b.clone())]]
        }
        Cmp::Eq | Cmp::Lt | Cmp::Le | Cmp::Gt | Cmp::Ge => vec![vec![(cmp, a.clone(), b.clone())]],
    }
}

/// The first `if p then a else b` among the atoms.
fn conditional(index: &Index) -> Option<(Atom, Guard, Index, Index)> {
    index.terms().iter().find_map(|(atom, _)| match atom {
        Atom::If(parts) => {
            let (guard, then, other) = parts.as_ref().clone();
            Some((atom.clone(), guard, then, other))
        }
        Atom::Size(_)
        | Atom::Var(_)
        | Atom::Read(..)
        | Atom::Div(..)
        | Atom::Mod(..)
        | Atom::Floor(_)
        | Atom::Arg(_) => None,
    })
}

/// `index` with `value` for `atom`.
fn replace(index: &Index, atom: &Atom, value: &Index) -> Option<Index> {
    let coefficient = index.terms().iter().find(|(a, _)| a == atom).map_or(0, |(_, c)| *c);
    let own = Index::atom(atom.clone()).scale(coefficient)?;
    index.sub(&own)?.add(&value.scale(coefficient)?)
}

enum Found {
    Nothing,
    Point(Vec<(Atom, i128)>),
    Undecided,
}

/// An integer point of one conjunction with the facts of its atoms.
fn point(facts: Facts<'_>, conjunction: &[Comparison]) -> Found {
    let mut table = AtomTable::new(facts);
    let added: Option<()> =
        conjunction.iter().try_for_each(|(cmp, a, b)| table.compare(*cmp, a, b));
    let extents = facts
        .extents
        .iter()
        .try_for_each(|extent| table.compare(Cmp::Ge, extent, &Index::constant(0)));
    let ranges = facts.vars.iter().try_for_each(|v| table.nonempty(*v));
    if added.is_none() || extents.is_none() || ranges.is_none() {
        return Found::Undecided;
    }
    let mut system = System::new();
    table.constraints.into_iter().for_each(|c| system.push(c));
    match feasible(&system, Budget::default()) {
        Feasibility::Empty => Found::Nothing,
        Feasibility::Unknown => Found::Undecided,
        Feasibility::Point(witness) => Found::Point(
            table
                .atoms
                .into_iter()
                .filter_map(|(atom, var)| Some((atom, *witness.get(&var)?)))
                .collect(),
        ),
    }
}

/// Atoms as unknowns, with the constraints their form gives.
struct AtomTable<'a> {
    symbols: &'a Symbols,
    extents: &'a [Extent],
    atoms: IndexMap<Atom, Var>,
    constraints: Vec<Constraint>,
}

impl<'a> AtomTable<'a> {
    fn new(facts: Facts<'a>) -> Self {
        let Facts { symbols, extents, .. } = facts;
        Self { symbols, extents, atoms: IndexMap::new(), constraints: Vec::new() }
    }

    /// Registers the atoms of both; an overflow leaves some out.
    fn note(&mut self, a: &Index, b: &Index) {
        let _: Option<(Linear, Linear)> = self.linear(a).zip(self.linear(b));
    }

    fn compare(&mut self, cmp: Cmp, a: &Index, b: &Index) -> Option<()> {
        let (a, b) = (self.linear(a)?, self.linear(b)?);
        let one = Linear::constant(1);
        let constraint = match cmp {
            Cmp::Eq => Constraint::Zero(a.sub(&b)?),
            Cmp::Lt => Constraint::NonNegative(b.sub(&a)?.sub(&one)?),
            Cmp::Le => Constraint::NonNegative(b.sub(&a)?),
            Cmp::Gt => Constraint::NonNegative(a.sub(&b)?.sub(&one)?),
            Cmp::Ge => Constraint::NonNegative(a.sub(&b)?),
            Cmp::Ne => unreachable!("`!=` is split into `<` and `>`"),
        };
        self.constraints.push(constraint);
        Some(())
    }

    /// Adds that the range of `var` has a point.
    fn nonempty(&mut self, var: VarId) -> Option<()> {
        let range = &self.symbols.var(var).range;
        if range.terms().is_empty() {
            return Some(()); // the variable has a value: a constant range is positive
        }
        self.compare(Cmp::Gt, range, &Index::constant(0))
    }

    fn linear(&mut self, index: &Index) -> Option<Linear> {
        let mut sum = Linear::constant(i128::from(index.constant_part()));
        for (atom, coefficient) in index.terms() {
            sum = sum.add(&self.atom(atom)?.scale(i128::from(*coefficient))?)?;
        }
        Some(sum)
    }

    /// `e % k` is `e - k·(e / k)`; any other atom is an unknown.
    fn atom(&mut self, atom: &Atom) -> Option<Linear> {
        if let Atom::Mod(e, k) = atom {
            let quotient = self.atom(&Atom::Div(e.clone(), *k))?;
            return self.linear(e)?.sub(&quotient.scale(i128::from(*k))?);
        }
        if let Some(var) = self.atoms.get(atom) {
            return Some(Linear::var(*var));
        }
        let var = Var(self.atoms.len() as u32);
        self.atoms.insert(atom.clone(), var);
        self.describe(atom)?;
        Some(Linear::var(var))
    }

    /// What the form of an atom says about its value.
    fn describe(&mut self, atom: &Atom) -> Option<()> {
        let (zero, own) = (Index::constant(0), Index::atom(atom.clone()));
        match atom {
            Atom::Size(_) => self.compare(Cmp::Ge, &own, &zero),
            Atom::Var(v) => {
                let range = self.symbols.var(*v).range.clone();
                self.compare(Cmp::Ge, &own, &zero)?;
                self.compare(Cmp::Lt, &own, &range)
            }
            Atom::Read(tensor, _) => {
                let Element::Index(bound) = self.symbols.tensor(*tensor).element.clone() else {
                    return Some(());
                };
                self.compare(Cmp::Ge, &own, &zero)?;
                self.compare(Cmp::Lt, &own, &bound)
            }
            Atom::Div(e, k) => {
                let floor = own.scale(*k)?;
                self.compare(Cmp::Le, &floor, e)?;
                self.compare(Cmp::Lt, e, &floor.add(&Index::constant(*k))?)
            }
            Atom::Arg(arg) => {
                let range = self.symbols.var(arg.var).range.clone();
                let cmp =
                    if arg_is_total(self.symbols, &arg.guard, arg.var) { Cmp::Lt } else { Cmp::Le };
                if is_natural(&range) || self.extents.contains(&range) {
                    self.compare(Cmp::Ge, &own, &zero)?;
                }
                self.compare(cmp, &own, &range)
            }
            Atom::Mod(..) | Atom::Floor(_) | Atom::If(_) => Some(()),
        }
    }
}

/// Whether no size makes it negative, by its form. (An `argmax` over a negative range is the range.)
fn is_natural(extent: &Extent) -> bool {
    extent.constant_part() >= 0
        && extent.terms().iter().all(|(atom, c)| *c > 0 && matches!(atom, Atom::Size(_)))
}

/// Whether `argmax(var where guard)` always finds a point by its form: no guard, and a range
/// with a positive constant part and no negative coefficient.
#[must_use]
pub fn arg_is_total(symbols: &Symbols, guard: &Guard, var: VarId) -> bool {
    let range = &symbols.var(var).range;
    guard.is_truth() && range.constant_part() > 0 && is_natural(range)
}

/// The clauses of `requires` for the entries that occur in a query: each clause
/// is taken at every way to match one of its reads `p[v]` with an entry `p[e]`
/// that occurs. Outside the range of its variables a clause says nothing.
fn instances(facts: Facts<'_>, table: &AtomTable<'_>) -> Vec<Guard> {
    let mut found = Vec::new();
    for clause in facts.requires {
        if clause.binders.is_empty() {
            found.push(clause.condition.clone());
            continue;
        }
        let mut patterns = Patterns::default();
        patterns.guard(&clause.condition);
        for (tensor, pattern) in &patterns.reads {
            for atom in table.atoms.keys() {
                if let Atom::Read(t, indices) = atom
                    && t == tensor
                    && let Some(instance) = instance(facts.symbols, clause, pattern, indices)
                    && !found.contains(&instance)
                {
                    found.push(instance);
                }
            }
        }
    }
    found
}

/// Reads whose indices are index expressions of a clause's variables.
#[derive(Default)]
struct Patterns {
    reads: Vec<(TensorId, Vec<Index>)>,
}

impl Visit for Patterns {
    fn atom(&mut self, atom: &Atom) {
        if let Atom::Read(tensor, indices) = atom {
            self.reads.push((*tensor, indices.clone()));
        }
        walk_atom(self, atom);
    }
}

/// The clause with its variables solved from `pattern = indices`, guarded by their ranges.
fn instance(
    symbols: &Symbols,
    clause: &Requires,
    pattern: &[Index],
    indices: &[Index],
) -> Option<Guard> {
    let mut values: Vec<(VarId, Index)> = Vec::new();
    for (form, index) in pattern.iter().zip(indices) {
        if let [(Atom::Var(v), 1)] = form.terms()
            && clause.binders.contains(v)
            && values.iter().all(|(known, _)| known != v)
        {
            values.push((*v, index.sub(&Index::constant(form.constant_part()))?));
        }
    }
    if values.len() != clause.binders.len() {
        return None;
    }
    let value = |v: VarId| values.iter().find(|(known, _)| *known == v).map(|(_, e)| e.clone());
    let condition = Substitute(value).guard(&clause.condition)?;
    let mut ways = Vec::new();
    for (v, e) in &values {
        ways.push(Guard::Compare(Cmp::Lt, e.clone(), Index::constant(0)));
        ways.push(Guard::Compare(Cmp::Ge, e.clone(), symbols.var(*v).range.clone()));
    }
    ways.push(condition);
    Some(Guard::Any(ways))
}

/// Replaces variables in a guard; `None` where a coefficient overflows.
#[must_use]
pub fn substitute_guard(guard: &Guard, value: impl Fn(VarId) -> Option<Index>) -> Option<Guard> {
    rebuild_guard(&mut Substitute(value), guard)
}

/// An extent that is at least this one and never negative, if its form shows one.
#[must_use]
pub fn without_negative(extent: &Extent) -> Option<Extent> {
    let mut terms = Vec::new();
    for (atom, c) in extent.terms() {
        match atom {
            Atom::Size(_) | Atom::Mod(..) if *c < 0 => {}
            Atom::Div(e, k) if *c > 0 => {
                terms.push((Atom::Div(Box::new(without_negative(e)?), *k), *c));
            }
            Atom::Size(_) | Atom::Mod(..) => terms.push((atom.clone(), *c)),
            Atom::Div(..)
            | Atom::Var(_)
            | Atom::Read(..)
            | Atom::Floor(_)
            | Atom::If(_)
            | Atom::Arg(_) => return None,
        }
    }
    Index::collect(terms, extent.constant_part().max(0))
}
