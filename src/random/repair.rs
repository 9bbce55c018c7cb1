//! Meeting `requires` clauses: the entries that a broken clause reads are drawn anew.

use super::Refusal;
use super::rng::Rng;
use super::search::{Arrangement, Search};
use crate::entry::Entry;
use crate::json::param_name;
use crate::sizes::{self, Sizes};
use iverson_spec::call::{Limits, Values};
use iverson_spec::ir::{
    self, Atom, Block, Def, Element, Expr, Guard, Index, Param, Requires, Tensor, TensorId, Typed,
};
use iverson_spec::print;
use iverson_spec::traverse::{self, Visit};
use iverson_spec::unelaborate::Names;

/// `values`, with those of `drawn` changed until every clause holds.
pub(super) fn satisfy<S: Entry>(
    program: &Typed,
    values: Values<S>,
    drawn: &[Param],
    sizes: &Sizes,
    seed: u64,
    limits: Limits,
) -> Result<Values<S>, Refusal> {
    let test = Test::new(program, sizes);
    if test.clauses.is_empty() || drawn.iter().all(|p| matches!(p, Param::Size(_))) {
        return Ok(values);
    }
    let mut search =
        Search { test, program, drawn, sizes, rng: Rng::new(seed, ""), limits, trials: 0 };
    let mut last = None;
    for arrangement in Arrangement::ALL {
        let mut values = values.clone();
        search.arrange(arrangement, &mut values);
        let broken = search.run(&mut values)?;
        match broken.into_iter().next() {
            None => return Ok(values),
            first => last = first,
        }
    }
    let name = |param: &Param| format!("`{}`", param_name(&program.symbols, *param));
    let names: Vec<String> =
        drawn.iter().filter(|p| !matches!(p, Param::Size(_))).map(name).collect();
    let clause = last.map(|broken| search.test.describe(&broken)).unwrap_or_default();
    Err(Refusal::Requires { clause, trials: search.trials, names: names.join(", ") })
}

/// A point at which a clause does not hold.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    /// The clause, by its place in [`Test::clauses`].
    pub(super) clause: usize,
    /// The values of its binders.
    pub(super) point: Vec<i64>,
}

/// The clauses as a program: each is a tensor over its binders, 1 where it holds.
pub(super) struct Test {
    pub(super) program: Typed,
    /// Each clause with its number in the text, from 1, and its tensor.
    pub(super) clauses: Vec<(usize, Requires, TensorId)>,
}

impl Test {
    fn new(program: &Typed, sizes: &Sizes) -> Self {
        let mut test = program.clone();
        let mut clauses = Vec::new();
        let mut body = Vec::new();
        let mut number = 0;
        for block in &program.body {
            let Block::Requires(requires) = block else {
                number += nested_clauses(std::slice::from_ref(block));
                body.push(block.clone());
                continue;
            };
            number += 1;
            let shape = requires.binders.iter().map(|v| program.symbols.var(*v).range.clone());
            let shape: Vec<Index> = shape.collect();
            if shape.iter().any(|e| sizes::extent(e, sizes).is_none_or(|n| n <= 0)) {
                continue;
            }
            let tensor = test.symbols.add_tensor(Tensor {
                name: format!("requires {number}"),
                element: Element::Real,
                shape,
            });
            let value = ir::Value::Real(Expr::integer(1).guarded(requires.condition.clone()));
            body.push(Block::Stmt(Def { tensor, axes: requires.binders.clone(), value }));
            clauses.push((number, requires.clone(), tensor));
        }
        test.results = clauses.iter().map(|(_, _, tensor)| *tensor).collect();
        test.body = needed(body, &clauses, program);
        Self { program: test, clauses }
    }

    /// The clause and the point, for a message.
    fn describe(&self, broken: &Broken) -> String {
        let (number, requires, _) = &self.clauses[broken.clause];
        let names = requires.binders.iter().map(|v| &self.program.symbols.var(*v).name);
        let point = names.zip(&broken.point).map(|(name, at)| format!("{name} = {at}"));
        let point: Vec<String> = point.collect();
        let at = if point.is_empty() { "" } else { " at " };
        let names = Names::plain(&self.program.symbols);
        let text = print::expr(&names.guard(&requires.condition));
        let point = point.join(", ");
        format!("clause {number}, `requires {text}`, does not hold{at}{point}")
    }

    /// The number of points of all clauses.
    pub(super) fn points(&self, sizes: &Sizes) -> usize {
        let points = |requires: &Requires| {
            let ranges = requires.binders.iter().map(|v| &self.program.symbols.var(*v).range);
            let extents = ranges.map(|e| sizes::extent(e, sizes).unwrap_or(0));
            extents.fold(1usize, |all, n| all.saturating_mul(usize::try_from(n).unwrap_or(0)))
        };
        self.clauses.iter().map(|(_, requires, _)| points(requires)).sum()
    }
}

/// The number of clauses inside the recurrences of `blocks`.
fn nested_clauses(blocks: &[Block<Def>]) -> usize {
    let count = |block: &Block<Def>| match block {
        Block::Stmt(_) => 0,
        Block::Requires(_) => 1,
        Block::Rec(rec) => nested_clauses(&rec.body),
    };
    blocks.iter().map(count).sum()
}

/// The clauses alone if they read nothing but parameters, else the blocks up to the last of them.
fn needed(
    mut body: Vec<Block<Def>>,
    clauses: &[(usize, Requires, TensorId)],
    program: &Typed,
) -> Vec<Block<Def>> {
    let is_clause = |block: &Block<Def>| match block {
        Block::Stmt(def) => clauses.iter().any(|(_, _, tensor)| *tensor == def.tensor),
        Block::Rec(_) | Block::Requires(_) => false,
    };
    let mut reads = Reads::default();
    clauses.iter().for_each(|(_, requires, _)| reads.guard(&requires.condition));
    let is_param = |id: &TensorId| program.params.contains(&Param::Tensor(*id));
    if reads.tensors.iter().all(|(id, _)| is_param(id)) {
        body.retain(is_clause);
    } else if let Some(last) = body.iter().rposition(is_clause) {
        body.truncate(last + 1);
    }
    body
}

/// What a condition reads.
#[derive(Default)]
pub(super) struct Reads {
    pub(super) tensors: Vec<(TensorId, Vec<Index>)>,
    pub(super) relations: Vec<(ir::RelId, Vec<Index>)>,
}

impl Visit for Reads {
    fn atom(&mut self, atom: &Atom) {
        if let Atom::Read(tensor, at) = atom {
            self.tensors.push((*tensor, at.clone()));
        }
        traverse::walk_atom(self, atom);
    }

    fn guard(&mut self, guard: &Guard) {
        if let Guard::Member(relation, at) = guard {
            self.relations.push((*relation, at.clone()));
        }
        traverse::walk_guard(self, guard);
    }

    fn expr(&mut self, expr: &Expr) {
        if let Expr::Access(tensor, at) = expr {
            self.tensors.push((*tensor, at.clone()));
        }
        traverse::walk_expr(self, expr);
    }
}
