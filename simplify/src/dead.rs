//! What no result and no condition needs may go.

use iverson_spec::ir::{Atom, Block, Expr, Rec, TensorId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::traverse::{Reads, Visit};
use iverson_spec::verify::stmts;
use rustc_hash::{FxHashMap, FxHashSet};

/// The tensors dropped, and the program without them.
pub(crate) fn drop_dead(program: &mut TensorSsa) -> Vec<TensorId> {
    let all = stmts(&program.body);
    let reads: FxHashMap<TensorId, Vec<TensorId>> =
        all.iter().map(|stmt| (stmt.tensor, read_by(stmt))).collect();
    let order: Vec<TensorId> = all.iter().map(|stmt| stmt.tensor).collect();
    let mut open = program.results.clone();
    conditions(&program.body, &mut open);
    let mut alive: FxHashSet<TensorId> = open.iter().copied().collect();
    while let Some(tensor) = open.pop() {
        let needed = reads.get(&tensor).into_iter().flatten();
        open.extend(needed.copied().filter(|t| alive.insert(*t)));
    }
    program.body = keep(std::mem::take(&mut program.body), &alive);
    order.into_iter().filter(|tensor| !alive.contains(tensor)).collect()
}

/// What a statement reads, with repeats.
pub(crate) fn read_by(stmt: &Stmt) -> Vec<TensorId> {
    let mut reads = Reads::default();
    match &stmt.rhs {
        Rhs::Sum(terms) => terms.iter().for_each(|term| read_by_term(&mut reads, term)),
        Rhs::Fold(_, term) | Rhs::Arg(_, term) => read_by_term(&mut reads, term),
        Rhs::Index(index) => reads.index(index),
    }
    reads.tensors
}

fn read_by_term(reads: &mut Reads, term: &Term) {
    reads.guard(&term.guard);
    reads.expr(&term.body);
}

/// Adds what the conditions on data read.
fn conditions(blocks: &[Block<Stmt>], found: &mut Vec<TensorId>) {
    for block in blocks {
        match block {
            Block::Stmt(_) => {}
            Block::Rec(rec) => conditions(&rec.body, found),
            Block::Requires(requires) => {
                let mut reads = Reads::default();
                reads.guard(&requires.condition);
                found.extend(reads.tensors);
            }
        }
    }
}

fn keep(blocks: Vec<Block<Stmt>>, alive: &FxHashSet<TensorId>) -> Vec<Block<Stmt>> {
    let kept = |block: Block<Stmt>| match block {
        Block::Stmt(stmt) => alive.contains(&stmt.tensor).then_some(Block::Stmt(stmt)),
        Block::Rec(rec) => {
            let body = keep(rec.body, alive);
            (!body.is_empty()).then_some(Block::Rec(Rec { vars: rec.vars, body }))
        }
        Block::Requires(_) => Some(block),
    };
    blocks.into_iter().filter_map(kept).collect()
}

/// A result that only repeats a definition which is none: the definition takes its
/// place and its name. Gives the results that were taken over.
pub(crate) fn adopt_results(program: &mut TensorSsa) -> Vec<TensorId> {
    let defined: FxHashMap<TensorId, Option<TensorId>> =
        stmts(&program.body).into_iter().map(|stmt| (stmt.tensor, repeats(stmt))).collect();
    let mut adopted = Vec::new();
    for place in 0..program.results.len() {
        let result = program.results[place];
        let Some(Some(source)) = defined.get(&result) else { continue };
        let (own, other) = (program.symbols.tensor(result), program.symbols.tensor(*source));
        let is_same = own.shape == other.shape && own.element == other.element;
        if defined.contains_key(source) && !program.results.contains(source) && is_same {
            let name = own.name.clone();
            program.symbols.tensors[source.index()].name = name;
            program.results[place] = *source;
            adopted.push(result);
        }
    }
    adopted
}

/// The tensor that the statement repeats entry by entry.
fn repeats(stmt: &Stmt) -> Option<TensorId> {
    let (source, at) = match &stmt.rhs {
        Rhs::Sum(terms) => match terms.as_slice() {
            [Term { binders, guard, body: Expr::Access(source, at) }]
                if binders.is_empty() && guard.is_truth() =>
            {
                (source, at)
            }
            _ => return None,
        },
        Rhs::Index(index) => match (index.terms(), index.constant_part()) {
            ([(Atom::Read(source, at), 1)], 0) => (source, at),
            _ => return None,
        },
        Rhs::Fold(..) | Rhs::Arg(..) => return None,
    };
    let in_order = at.iter().map(|index| index.as_var()).eq(stmt.axes.iter().map(|v| Some(*v)));
    in_order.then_some(*source)
}
