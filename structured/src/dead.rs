//! What no result and no condition on data needs is dropped.

use iverson_spec::ir::{Block, Rec, TensorId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa};
use iverson_spec::traverse::{Reads, Visit};
use iverson_spec::verify::stmts;
use rustc_hash::{FxHashMap, FxHashSet};

/// Drops the definitions that nothing needs.
pub(crate) fn drop_dead(program: &mut TensorSsa) {
    let needed = needed(program, &program.results);
    program.body = kept(std::mem::take(&mut program.body), &needed);
}

/// The tensors on which some of `wanted` or a condition on data depends, and those.
pub(crate) fn needed(program: &TensorSsa, wanted: &[TensorId]) -> FxHashSet<TensorId> {
    let mut reads: FxHashMap<TensorId, Vec<TensorId>> =
        stmts(&program.body).into_iter().map(|stmt| (stmt.tensor, read_by(stmt))).collect();
    let mut conditions = Reads::default();
    find_conditions(&program.body, &mut conditions);
    let mut open = [wanted, &conditions.tensors].concat();
    let mut found: FxHashSet<TensorId> = open.iter().copied().collect();
    while let Some(tensor) = open.pop() {
        let fresh = reads.remove(&tensor).unwrap_or_default();
        open.extend(fresh.into_iter().filter(|t| found.insert(*t)));
    }
    found
}

fn read_by(stmt: &Stmt) -> Vec<TensorId> {
    let mut reads = Reads::default();
    let terms = match &stmt.rhs {
        Rhs::Sum(terms) => terms.as_slice(),
        Rhs::Fold(_, term) | Rhs::Arg(_, term) => std::slice::from_ref(term),
        Rhs::Index(index) => {
            reads.index(index);
            &[]
        }
    };
    for term in terms {
        reads.guard(&term.guard);
        reads.expr(&term.body);
    }
    reads.tensors
}

fn find_conditions(blocks: &[Block<Stmt>], reads: &mut Reads) {
    for block in blocks {
        match block {
            Block::Stmt(_) => {}
            Block::Rec(rec) => find_conditions(&rec.body, reads),
            Block::Requires(requires) => reads.guard(&requires.condition),
        }
    }
}

fn kept(blocks: Vec<Block<Stmt>>, needed: &FxHashSet<TensorId>) -> Vec<Block<Stmt>> {
    let mut out = Vec::with_capacity(blocks.len());
    for block in blocks {
        match block {
            Block::Stmt(stmt) if !needed.contains(&stmt.tensor) => {}
            Block::Rec(Rec { vars, body }) => {
                let body = kept(body, needed);
                if !body.is_empty() {
                    out.push(Block::Rec(Rec { vars, body }));
                }
            }
            Block::Stmt(_) | Block::Requires(_) => out.push(block),
        }
    }
    out
}
