//! The search itself: test all points, draw anew what the broken ones read, repeat.

use super::repair::{Broken, Reads, Test};
use super::rng::Rng;
use super::{Refusal, real};
use crate::entry::Entry;
use crate::json::param_name;
use crate::sizes::{self, Sizes};
use iverson_interpreter::{EvalError, Fault, eval};
use iverson_spec::call::{Dense, Limits, Relation, Value, Values};
use iverson_spec::ir::{
    Atom, Block, Def, Element, Index, Param, RelId, Symbols, TensorId, Typed, VarId,
};
use iverson_spec::traverse::{self, Visit};

/// How often broken entries are drawn anew for each arrangement.
const ROUNDS: usize = 400;
/// How many points of clauses may be tested for each arrangement.
const POINTS: usize = 2_000_000;

/// How index tensors are arranged before the trials begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Arrangement {
    /// As they were drawn.
    AsDrawn,
    /// Entries in ascending order.
    Sorted,
    /// A permutation, where the sort and the shape allow one.
    Permuted,
}

impl Arrangement {
    pub(super) const ALL: [Self; 3] = [Self::AsDrawn, Self::Sorted, Self::Permuted];
}

/// How many definitions deep an entry is looked for that a clause depends on.
const DEPTH: usize = 3;

/// The values of some variables.
type Point = Vec<(VarId, i64)>;

/// A search for values that meet all clauses.
pub(super) struct Search<'a> {
    pub(super) test: Test,
    pub(super) program: &'a Typed,
    /// The parameters that may be changed.
    pub(super) drawn: &'a [Param],
    pub(super) sizes: &'a Sizes,
    pub(super) rng: Rng,
    pub(super) limits: Limits,
    /// The number of tests so far.
    pub(super) trials: usize,
}

impl Search<'_> {
    /// Changes `values` until every clause holds; what is still broken if the trials run out.
    pub(super) fn run<S: Entry>(&mut self, values: &mut Values<S>) -> Result<Vec<Broken>, Refusal> {
        let rounds = ROUNDS.min(POINTS / self.test.points(self.sizes).max(1)).max(1);
        let mut broken = self.broken(values)?;
        for _ in 0..rounds {
            if broken.is_empty() {
                break;
            }
            for one in &broken {
                self.repair(one, values);
            }
            broken = self.broken(values)?;
        }
        Ok(broken)
    }

    /// Brings the drawn index tensors into an order.
    pub(super) fn arrange<S>(&mut self, arrangement: Arrangement, values: &mut Values<S>) {
        for &param in self.drawn {
            let Some(Value::Index(dense)) =
                values.get_mut(param_name(&self.program.symbols, param))
            else {
                continue;
            };
            match arrangement {
                Arrangement::AsDrawn => {}
                Arrangement::Sorted => dense.data.sort_unstable(),
                Arrangement::Permuted => {
                    let bound = bound(&self.program.symbols, param, self.sizes);
                    if bound >= dense.data.len() as u64 {
                        dense.data = (0..dense.data.len() as i64).collect();
                        self.rng.shuffle(&mut dense.data);
                    }
                }
            }
        }
    }

    /// All points at which a clause does not hold.
    fn broken<S: Entry>(&mut self, values: &Values<S>) -> Result<Vec<Broken>, Refusal> {
        self.trials += 1;
        let held = eval(&self.test.program, values, self.limits).map_err(refusal)?;
        let mut broken = Vec::new();
        for (clause, (_, _, tensor)) in self.test.clauses.iter().enumerate() {
            let name = &self.test.program.symbols.tensor(*tensor).name;
            let Some(Value::Real(held)) = held.get(name) else {
                unreachable!("a clause's tensor is a real result");
            };
            let fails = |x: &S| *x == S::integer(0);
            let places = held.data.iter().enumerate().filter(|(_, x)| fails(x)).map(|(at, _)| at);
            let point = |at| held.position(at).into_iter().map(|n| n as i64).collect();
            broken.extend(places.map(|at| Broken { clause, point: point(at) }));
        }
        Ok(broken)
    }

    /// Draws one entry anew that the clause reads at the point.
    fn repair<S: Entry>(&mut self, broken: &Broken, values: &mut Values<S>) {
        let (_, requires, _) = &self.test.clauses[broken.clause];
        let point = requires.binders.iter().copied().zip(broken.point.iter().copied()).collect();
        let mut reads = Reads::default();
        reads.guard(&requires.condition);
        let mut found = Vec::new();
        self.trace(reads, &point, values, DEPTH, &mut found);
        if found.is_empty() {
            return;
        }
        let (param, at, point) = found.swap_remove(self.rng.place(found.len()));
        match param {
            Param::Size(_) => {}
            Param::Tensor(id) => self.redraw(id, &at, &point, values),
            Param::Relation(id) => self.flip(id, &at, &point, values),
        }
    }

    /// The reads of drawn parameters, also those by way of definitions.
    fn trace<S>(
        &self,
        reads: Reads,
        point: &Point,
        values: &Values<S>,
        depth: usize,
        found: &mut Vec<(Param, Vec<Index>, Point)>,
    ) {
        let relations = reads.relations.into_iter().map(|(id, at)| (Param::Relation(id), at));
        let tensors = reads.tensors.into_iter().map(|(id, at)| (Param::Tensor(id), at));
        for (param, at) in relations.chain(tensors) {
            if self.drawn.contains(&param) {
                found.push((param, at, point.clone()));
            } else if let (Param::Tensor(id), true) = (param, depth > 0)
                && let Some(def) = definition(&self.program.body, id)
            {
                let at = def.axes.iter().zip(&at);
                let inner = at.filter_map(|(v, e)| Some((*v, self.value(e, point, values)?)));
                let mut reads = Reads::default();
                traverse::walk_def(&mut reads, def);
                self.trace(reads, &inner.collect(), values, depth - 1, found);
            }
        }
    }

    /// The value of an index expression at a point; `None` where it is not that simple.
    fn value<S>(&self, index: &Index, point: &[(VarId, i64)], values: &Values<S>) -> Option<i64> {
        index.terms().iter().try_fold(index.constant_part(), |sum, (atom, coefficient)| {
            let atom = match atom {
                Atom::Size(id) => i64::try_from(self.sizes[id.index()]?).ok()?,
                Atom::Var(var) => point.iter().find(|(v, _)| v == var)?.1,
                Atom::Div(e, by) => self.value(e, point, values)?.div_euclid(*by),
                Atom::Mod(e, by) => self.value(e, point, values)?.rem_euclid(*by),
                Atom::Read(id, at) => match values.get(&self.program.symbols.tensor(*id).name)? {
                    Value::Index(dense) => dense.data[self.place(dense, at, point, values)?],
                    Value::Size(_) | Value::Real(_) | Value::Relation(_) => return None,
                },
                Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => return None,
            };
            sum.checked_add(atom.checked_mul(*coefficient)?)
        })
    }

    /// The place in the data of the entry that is read at the point.
    fn place<S, T>(
        &self,
        dense: &Dense<T>,
        at: &[Index],
        point: &[(VarId, i64)],
        values: &Values<S>,
    ) -> Option<usize> {
        at.iter().zip(&dense.shape).try_fold(0, |place, (index, &extent)| {
            let at = usize::try_from(self.value(index, point, values)?).ok()?;
            (at < extent).then_some(place * extent + at)
        })
    }

    /// Draws anew the entry that is read at the point, or any where that is not known.
    fn redraw<S: Entry>(
        &mut self,
        id: TensorId,
        at: &[Index],
        point: &[(VarId, i64)],
        values: &mut Values<S>,
    ) {
        let symbols = &self.program.symbols;
        let name = &symbols.tensor(id).name;
        let place = match values.get(name) {
            Some(Value::Index(dense)) => self.place(dense, at, point, values),
            Some(Value::Real(dense)) => self.place(dense, at, point, values),
            Some(Value::Size(_) | Value::Relation(_)) | None => return,
        };
        let bound = bound(symbols, Param::Tensor(id), self.sizes);
        match values.get_mut(name) {
            Some(Value::Index(dense)) if !dense.data.is_empty() => {
                let place = place.unwrap_or_else(|| self.rng.place(dense.data.len()));
                dense.data[place] = propose(&mut self.rng, bound, place, &dense.data, point);
            }
            Some(Value::Real(dense)) if !dense.data.is_empty() => {
                let place = place.unwrap_or_else(|| self.rng.place(dense.data.len()));
                dense.data[place] = real(&mut self.rng);
            }
            _ => {}
        }
    }

    /// Adds the tuple at the point, or takes it out.
    fn flip<S>(&mut self, id: RelId, at: &[Index], point: &[(VarId, i64)], values: &mut Values<S>) {
        let tuple: Option<Vec<i64>> = at.iter().map(|e| self.value(e, point, values)).collect();
        let name = &self.program.symbols.relation(id).name;
        let (Some(Value::Relation(relation)), Some(tuple)) = (values.get_mut(name), tuple) else {
            return;
        };
        let mut tuples: Vec<Vec<i64>> = relation.tuples().filter(|other| *other != tuple).collect();
        if tuples.len() == relation.len() {
            tuples.push(tuple);
        }
        *relation = Relation::new(at.len(), tuples);
    }
}

/// The definition of a tensor by a statement of the program.
fn definition(blocks: &[Block<Def>], id: TensorId) -> Option<&Def> {
    blocks.iter().find_map(|block| match block {
        Block::Stmt(def) => (def.tensor == id).then_some(def),
        Block::Rec(rec) => definition(&rec.body, id),
        Block::Requires(_) => None,
    })
}

fn refusal(error: EvalError) -> Refusal {
    let fault: &Fault = &error.fault;
    if let Fault::Call(call) = fault { Refusal::Call(call.clone()) } else { Refusal::Eval(error) }
}

/// The bound of an index tensor; 0 for other parameters.
fn bound(symbols: &Symbols, param: Param, sizes: &Sizes) -> u64 {
    let Param::Tensor(id) = param else { return 0 };
    match &symbols.tensor(id).element {
        Element::Real => 0,
        Element::Index(bound) => {
            sizes::extent(bound, sizes).and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
        }
    }
}

/// An index: any, an end of the range, or one that has to do with the point or
/// with the entry beside it, which is what clauses are mostly about.
fn propose(rng: &mut Rng, bound: u64, place: usize, data: &[i64], point: &[(VarId, i64)]) -> i64 {
    let last = bound.max(1) as i64 - 1;
    let near = match point.len() {
        0 => data[place],
        n => point[rng.place(n)].1,
    };
    let beside = if rng.coin() { place.checked_sub(1) } else { Some(place + 1) };
    let beside = beside.and_then(|at| data.get(at)).copied().unwrap_or(near);
    let proposal = match rng.below(8) {
        0 => 0,
        1 => last,
        2 => near - 1 + rng.below(3) as i64,
        3 => beside - 1 + rng.below(3) as i64,
        4 | 5 => rng.below(near.max(0) as u64 + 1) as i64,
        _ => rng.below(bound.max(1)) as i64,
    };
    proposal.clamp(0, last)
}
