//! Statements that nothing needs.

use crate::forward::required;
use crate::rule::Change;
use crate::scope::{Scope, extents, is_natural, natural};
use iverson_spec::ir::{Block, Rec, Requires, TensorId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa};
use iverson_spec::traverse::{Reads, Visit};
use iverson_spec::verify::stmts;
use rustc_hash::{FxHashMap, FxHashSet};

/// `drop-dead`: a statement that no result, and no condition on data, depends on goes.
///
/// Side condition: where its shape could be negative, the condition that it is not
/// stays, since a call with such sizes is an error.
pub(crate) fn drop_dead(program: &TensorSsa) -> Option<Change> {
    let live = live(program);
    let dead: Vec<&Stmt> =
        stmts(&program.body).into_iter().filter(|s| !live.contains(&s.tensor)).collect();
    if dead.is_empty() {
        return None;
    }
    let mut body = shapes(program, &live, &dead);
    let touched = if body.is_empty() { FxHashSet::default() } else { live.clone() };
    body.extend(remaining(&program.body, &live));
    let fired = dead.iter().map(|stmt| stmt.tensor).collect();
    Some(Change { program: TensorSsa { body, ..program.clone() }, fired, touched })
}

/// Conditions for the shapes of dead tensors that nothing else says.
fn shapes(program: &TensorSsa, live: &FxHashSet<TensorId>, dead: &[&Stmt]) -> Vec<Block<Stmt>> {
    let symbols = &program.symbols;
    let mut known = extents(program);
    for stmt in stmts(&program.body).into_iter().filter(|s| live.contains(&s.tensor)) {
        known.extend(symbols.tensor(stmt.tensor).shape.iter().cloned());
    }
    let mut copy = symbols.clone();
    let mut found = Vec::new();
    for extent in dead.iter().flat_map(|stmt| &symbols.tensor(stmt.tensor).shape) {
        if is_natural(extent) || known.contains(extent) {
            continue;
        }
        let scope = Scope { symbols: &mut copy, requires: &[], extents: &known };
        let condition = natural(extent.clone());
        if !scope.proves(&[], &condition) {
            found.push(Block::Requires(Requires { binders: Vec::new(), condition }));
        }
        known.push(extent.clone());
    }
    found
}

fn remaining(blocks: &[Block<Stmt>], live: &FxHashSet<TensorId>) -> Vec<Block<Stmt>> {
    let keep = |block: &Block<Stmt>| match block {
        Block::Stmt(stmt) => live.contains(&stmt.tensor).then(|| block.clone()),
        Block::Requires(_) => Some(block.clone()),
        Block::Rec(rec) => {
            let body = remaining(&rec.body, live);
            (!body.is_empty()).then(|| Block::Rec(Rec { vars: rec.vars.clone(), body }))
        }
    };
    blocks.iter().filter_map(keep).collect()
}

/// The tensors that a result or a condition on data depends on.
fn live(program: &TensorSsa) -> FxHashSet<TensorId> {
    let statements = stmts(&program.body);
    let by_tensor: FxHashMap<TensorId, &Stmt> =
        statements.into_iter().map(|stmt| (stmt.tensor, stmt)).collect();
    let mut open = program.results.clone();
    open.extend(required(&program.body));
    let mut live = FxHashSet::default();
    while let Some(tensor) = open.pop() {
        if !live.insert(tensor) {
            continue;
        }
        if let Some(stmt) = by_tensor.get(&tensor) {
            open.extend(read_by(stmt));
        }
    }
    live
}

/// The tensors that a statement reads.
fn read_by(stmt: &Stmt) -> Vec<TensorId> {
    let mut reads = Reads::default();
    match &stmt.rhs {
        Rhs::Sum(terms) => terms.iter().for_each(|term| {
            reads.guard(&term.guard);
            reads.expr(&term.body);
        }),
        Rhs::Fold(_, term) | Rhs::Arg(_, term) => {
            reads.guard(&term.guard);
            reads.expr(&term.body);
        }
        Rhs::Index(index) => reads.index(index),
    }
    reads.tensors
}
