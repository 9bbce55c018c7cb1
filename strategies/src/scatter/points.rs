//! In which order the points of a term are visited, so that only those where the
//! enumerable part of its guard holds are met.
//!
//! The variables are taken one at a time. One that an equation determines is set;
//! one that a relation determines is read off its tuples; one that occurs in data
//! (`p[i] = k` with k known) is found in a table of the values that the data have;
//! any other is looped over, between the bounds that the inequalities give it.
//! Equations between plain variables are substituted first, so that what bounds a
//! variable that is set bounds the loop around it.

use super::Visits;
use super::conjuncts::{Conjunction, parts};
use crate::code::{Compiler, Int, Test, Unsupported};
use crate::data::Members;
use crate::scalar::Scalar;
use iverson_spec::ir::{Atom, Guard, Index, TensorId, VarId};
use iverson_spec::traverse::{FreeVars, Reads, Rewrite, Substitute, Visit, rebuild_index};
use iverson_spec::work::{PointCost, split};
use rustc_hash::FxHashSet;

/// The points of a term: disjoint parts, and what is tested at each point.
#[derive(Clone, Debug)]
pub(super) struct Points<S> {
    pub(super) parts: Vec<Vec<Step<S>>>,
    /// Each with what has been paid once it is made.
    pub(super) tests: Vec<(Test<S>, u64)>,
}

/// A step of an enumeration; the steps after it run for each way to take it.
#[derive(Clone, Debug)]
pub(super) enum Step<S> {
    /// The variable runs from the greatest lower bound to the least upper bound.
    Loop { var: usize, range: i64, lower: Vec<Bound<S>>, upper: Vec<Bound<S>> },
    /// The variable is `value / by`, if that is whole and in its range.
    Set { var: usize, value: Int<S>, by: i64, range: i64 },
    /// The variable is each of those that the table has for the key.
    Fibre { var: usize, table: usize, key: Int<S> },
    /// The slots are the last places of each tuple that begins with the keys.
    Walk { tuples: Vec<i64>, keys: Vec<Int<S>>, slots: Vec<usize> },
    /// Goes on only where it holds.
    Check(Test<S>),
}

/// `value / by`, rounded down: an upper bound; the negative of one is a lower bound.
#[derive(Clone, Debug)]
pub(super) struct Bound<S> {
    pub(super) value: Int<S>,
    pub(super) by: i64,
}

/// The values of `map` for a variable, by value.
#[derive(Clone, Debug)]
pub(super) struct Table<S> {
    pub(super) var: usize,
    pub(super) range: i64,
    pub(super) map: Int<S>,
}

/// What enumerations of a program share.
pub(super) struct Shared<'p, S> {
    pub(super) compiler: Compiler<'p, S>,
    pub(super) relations: &'p [Members],
    pub(super) visits: Visits,
    pub(super) sizes: &'p [i64],
    pub(super) tables: Vec<Table<S>>,
    /// The variables of the program and those added.
    pub(super) vars: usize,
    /// The tensors of the outermost recurrence that is being compiled.
    pub(super) moving: FxHashSet<TensorId>,
}

impl<S: Scalar> Shared<'_, S> {
    /// The enumeration of `vars` under `guard`; the other variables in it have values.
    pub(super) fn points(
        &mut self,
        vars: &[VarId],
        guard: &Guard,
    ) -> Result<Points<S>, Unsupported> {
        let (mut enumerable, mut tests) = split(guard);
        if self.visits == Visits::Box {
            enumerable.append(&mut tests);
            tests = std::mem::take(&mut enumerable);
        }
        let cost = PointCost::of(guard, []);
        let test = |(place, test)| Ok((self.compiler.test(test)?, cost.paid(place)));
        let tests = tests.into_iter().enumerate().map(test).collect::<Result<_, _>>()?;
        let mut planned = Vec::new();
        for part in parts(&enumerable, self.sizes) {
            let mut plan = Plan {
                shared: self,
                open: vars.to_vec(),
                known: part,
                solved: Vec::new(),
                steps: Vec::new(),
            };
            plan.limit()?;
            plan.substitute();
            plan.order()?;
            planned.push(plan.steps);
        }
        Ok(Points { parts: planned, tests })
    }
}

struct Plan<'s, 'p, S> {
    shared: &'s mut Shared<'p, S>,
    /// The variables without a value so far.
    open: Vec<VarId>,
    /// The constraints not used so far.
    known: Conjunction,
    /// Variables with what they are equal to.
    solved: Vec<(VarId, Index)>,
    steps: Vec<Step<S>>,
}

impl<S: Scalar> Plan<'_, '_, S> {
    /// Adds the ranges to the constraints.
    fn limit(&mut self) -> Result<(), Unsupported> {
        for var in &self.open {
            let range = self.shared.compiler.range(*var);
            self.known.natural.push(Index::var(*var));
            let last = Index::constant(range - 1).sub(&Index::var(*var));
            self.known.natural.extend(last);
        }
        Ok(())
    }

    /// Solves equations between plain variables for one that occurs once.
    fn substitute(&mut self) {
        let mut place = 0;
        while place < self.known.zero.len() {
            let Some((var, value)) = self.solution(&self.known.zero[place]) else {
                place += 1;
                continue;
            };
            let to = |v: VarId| (v == var).then(|| value.clone());
            let Some(known) = replaced(&self.known, place, to) else {
                place += 1;
                continue;
            };
            self.known = known;
            for (_, earlier) in &mut self.solved {
                if let Some(new) = rebuild_index(&mut Substitute(to), earlier) {
                    *earlier = new;
                }
            }
            self.solved.push((var, value));
            place = 0;
        }
    }

    /// The last open variable with coefficient 1 or -1, and what it is.
    fn solution(&self, zero: &Index) -> Option<(VarId, Index)> {
        let plain = |(atom, _): &(Atom, i64)| matches!(atom, Atom::Var(_));
        if !zero.terms().iter().all(plain) {
            return None;
        }
        let is_open = |v: &VarId| self.open.contains(v) && !self.is_solved(*v);
        let var =
            *self.open.iter().rev().find(|v| is_open(v) && coefficient(zero, **v).abs() == 1)?;
        let c = coefficient(zero, var);
        let rest = zero.sub(&Index::var(var).scale(c)?)?;
        Some((var, rest.scale(-c)?))
    }

    fn is_solved(&self, var: VarId) -> bool {
        self.solved.iter().any(|(v, _)| *v == var)
    }

    fn is_open(&self, var: VarId) -> bool {
        self.open.contains(&var)
    }

    /// The open variables of an index expression.
    fn open_in(&self, index: &Index) -> Vec<VarId> {
        FreeVars::of_index(index).into_iter().filter(|v| self.is_open(*v)).collect()
    }

    fn close(&mut self, var: VarId) {
        self.open.retain(|v| *v != var);
    }

    /// Takes the variables one at a time.
    fn order(&mut self) -> Result<(), Unsupported> {
        loop {
            self.check()?;
            if self.open.is_empty() {
                return Ok(());
            }
            if self.set()? || self.walk()? || self.fibre()? {
                continue;
            }
            self.looped()?;
        }
    }

    /// Checks the constraints whose variables all have values.
    fn check(&mut self) -> Result<(), Unsupported> {
        let known = std::mem::take(&mut self.known);
        let zero = Index::constant(0);
        let compared = |cmp, e: &Index| Guard::Compare(cmp, e.clone(), zero.clone());
        for e in known.zero {
            self.check_or_keep(compared(iverson_spec::ast::Cmp::Eq, &e), |known| {
                known.zero.push(e)
            })?;
        }
        for e in known.natural {
            let guard = compared(iverson_spec::ast::Cmp::Ge, &e);
            self.check_or_keep(guard, |known| known.natural.push(e))?;
        }
        for (relation, indices) in known.members {
            let guard = Guard::Member(relation, indices.clone());
            self.check_or_keep(guard, |known| known.members.push((relation, indices)))?;
        }
        for guard in known.others {
            self.check_or_keep(guard.clone(), |known| known.others.push(guard))?;
        }
        Ok(())
    }

    fn check_or_keep(
        &mut self,
        guard: Guard,
        keep: impl FnOnce(&mut Conjunction),
    ) -> Result<(), Unsupported> {
        if FreeVars::of_guard(&guard).into_iter().any(|v| self.is_open(v)) {
            keep(&mut self.known);
        } else if !is_true(&guard) {
            let test = self.shared.compiler.test(&guard)?;
            self.steps.push(Step::Check(test));
        }
        Ok(())
    }

    /// Sets a variable that is determined; whether there was one.
    fn set(&mut self) -> Result<bool, Unsupported> {
        let solved = self.open.iter().copied().find_map(|var| {
            let (_, value) = self.solved.iter().find(|(v, _)| *v == var)?;
            self.open_in(value).is_empty().then(|| (var, value.clone(), 1))
        });
        let determined = solved.or_else(|| {
            let place = self.known.zero.iter().position(|e| self.determines(e).is_some())?;
            let (var, c) = self.determines(&self.known.zero[place])?;
            let zero = self.known.zero.remove(place);
            let rest = zero.sub(&Index::var(var).scale(c)?)?;
            Some((var, rest.scale(-c.signum())?, c.abs()))
        });
        let Some((var, value, by)) = determined else { return Ok(false) };
        let (value, range) = (self.shared.compiler.int(&value)?, self.range(var));
        self.steps.push(Step::Set { var: var.index(), value, by, range });
        self.close(var);
        Ok(true)
    }

    /// The only open variable of an equation, if it does not occur in data.
    fn determines(&self, zero: &Index) -> Option<(VarId, i64)> {
        let [var] = self.open_in(zero)[..] else { return None };
        (!in_data(zero, var)).then(|| (var, coefficient(zero, var)))
    }

    /// The range of a variable; that of an added one, which is a place of a tuple, is
    /// what its relation has.
    fn range(&self, var: VarId) -> i64 {
        self.shared.compiler.range(var)
    }

    /// Walks the tuples of a relation.
    fn walk(&mut self) -> Result<bool, Unsupported> {
        if self.known.members.is_empty() {
            return Ok(false);
        }
        let (relation, indices) = self.known.members.remove(0);
        let (ready, rest): (Vec<usize>, Vec<usize>) =
            (0..indices.len()).partition(|place| self.open_in(&indices[*place]).is_empty());
        let order: Vec<usize> = ready.iter().chain(&rest).copied().collect();
        let mut tuples: Vec<Vec<i64>> = self.shared.relations[relation.index()]
            .tuples
            .iter()
            .map(|tuple| order.iter().map(|place| tuple[*place]).collect())
            .collect();
        tuples.sort_unstable();
        let keys = ready.iter().map(|k| self.shared.compiler.int(&indices[*k]));
        let keys = keys.collect::<Result<_, _>>()?;
        let mut slots = Vec::new();
        for place in rest {
            let slot = VarId(self.shared.vars as u32);
            self.shared.vars += 1;
            slots.push(slot.index());
            self.known.zero.extend(indices[place].sub(&Index::var(slot)));
        }
        self.steps.push(Step::Walk { tuples: tuples.concat(), keys, slots });
        Ok(true)
    }

    /// Finds a variable that occurs in data by the value that the data must have.
    fn fibre(&mut self) -> Result<bool, Unsupported> {
        let candidate = |zero: &Index| {
            let [var] = self.open_in(zero)[..] else { return None };
            let depends =
                |atom: &Atom| FreeVars::of_index(&Index::atom(atom.clone())).contains(&var);
            let (map, key): (Vec<_>, Vec<_>) =
                zero.terms().iter().cloned().partition(|(atom, _)| depends(atom));
            let alone = |(atom, _): &(Atom, i64)| {
                FreeVars::of_index(&Index::atom(atom.clone())) == [var] && self.is_still(atom)
            };
            let map = map.iter().all(alone).then(|| Index::collect(map, 0))??;
            let key = Index::collect(key, zero.constant_part())?.scale(-1)?;
            Some((var, map, key))
        };
        let mut zeros = self.known.zero.iter().enumerate();
        let found = zeros.find_map(|(place, zero)| Some((place, candidate(zero)?)));
        let Some((place, (var, map, key))) = found else { return Ok(false) };
        self.known.zero.remove(place);
        let (map, key) = (self.shared.compiler.int(&map)?, self.shared.compiler.int(&key)?);
        let table = self.shared.tables.len();
        self.shared.tables.push(Table { var: var.index(), range: self.range(var), map });
        self.steps.push(Step::Fibre { var: var.index(), table, key });
        self.close(var);
        Ok(true)
    }

    /// Whether what an atom reads does not change while the outermost block runs.
    fn is_still(&self, atom: &Atom) -> bool {
        let mut reads = Reads::default();
        reads.atom(atom);
        reads.tensors.iter().all(|t| !self.shared.moving.contains(t))
    }

    /// Loops over a variable: one that data wait for, or else one that no equation
    /// may still determine, or else the first.
    fn looped(&mut self) -> Result<(), Unsupported> {
        let constraints = || self.known.zero.iter().chain(&self.known.natural);
        let waited_for = |v: &VarId| constraints().any(|e| in_data(e, *v));
        let waits = |v: &VarId| self.known.zero.iter().any(|e| coefficient(e, *v) != 0);
        let free: Vec<VarId> = self.open.iter().copied().filter(|v| !self.is_solved(*v)).collect();
        let first = free.iter().find(|v| waited_for(v));
        let chosen = first.or_else(|| free.iter().find(|v| !waits(v))).or(free.first());
        let Some(&var) = chosen else {
            unreachable!("what a variable is equal to holds variables that are not solved")
        };
        self.close(var);
        let (mut lower, mut upper) = (Vec::new(), Vec::new());
        let natural = std::mem::take(&mut self.known.natural);
        for e in natural {
            let c = coefficient(&e, var);
            if c == 0 || in_data(&e, var) || !self.open_in(&e).is_empty() {
                self.known.natural.push(e);
                continue;
            }
            let rest = Index::var(var).scale(c).and_then(|own| e.sub(&own));
            let Some(rest) = rest else {
                unreachable!("taking a summand out of a sum does not overflow")
            };
            if rest == Index::constant(0) && c == 1 {
                continue;
            }
            let bound = Bound { value: self.shared.compiler.int(&rest)?, by: c.abs() };
            if c > 0 { &mut lower } else { &mut upper }.push(bound);
        }
        let range = self.range(var);
        self.steps.push(Step::Loop { var: var.index(), range, lower, upper });
        Ok(())
    }
}

/// The coefficient of a variable outside data.
fn coefficient(index: &Index, var: VarId) -> i64 {
    let own = index.terms().iter().find(|(atom, _)| matches!(atom, Atom::Var(v) if *v == var));
    own.map_or(0, |(_, c)| *c)
}

/// Whether a variable occurs inside an atom.
fn in_data(index: &Index, var: VarId) -> bool {
    let inside = |(atom, _): &(Atom, i64)| {
        !matches!(atom, Atom::Var(_))
            && FreeVars::of_index(&Index::atom(atom.clone())).contains(&var)
    };
    index.terms().iter().any(inside)
}

/// Whether a comparison of constants holds.
fn is_true(guard: &Guard) -> bool {
    let Guard::Compare(cmp, a, b) = guard else { return false };
    let (Some(a), Some(b)) = (a.as_constant(), b.as_constant()) else { return false };
    match cmp {
        iverson_spec::ast::Cmp::Eq => a == b,
        iverson_spec::ast::Cmp::Ge => a >= b,
        iverson_spec::ast::Cmp::Ne
        | iverson_spec::ast::Cmp::Lt
        | iverson_spec::ast::Cmp::Le
        | iverson_spec::ast::Cmp::Gt => false,
    }
}

/// The constraints without the equation at `without`, with variables replaced.
fn replaced(
    known: &Conjunction,
    without: usize,
    to: impl Fn(VarId) -> Option<Index> + Copy,
) -> Option<Conjunction> {
    let index = |e: &Index| rebuild_index(&mut Substitute(to), e);
    let member = |(relation, indices): &(_, Vec<Index>)| {
        Some((*relation, indices.iter().map(index).collect::<Option<_>>()?))
    };
    let zeros = known.zero.iter().enumerate().filter(|(place, _)| *place != without);
    Some(Conjunction {
        zero: zeros.map(|(_, e)| index(e)).collect::<Option<_>>()?,
        natural: known.natural.iter().map(index).collect::<Option<_>>()?,
        members: known.members.iter().map(member).collect::<Option<_>>()?,
        others: known.others.iter().map(|g| Substitute(to).guard(g)).collect::<Option<_>>()?,
    })
}
