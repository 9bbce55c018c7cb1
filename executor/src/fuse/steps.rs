//! Recurrences cut where conditions on their step change.
//!
//! In `for t in 0..T { if t = 0 { A }; if t >= 1 { B } }` the loops of `A` and `B` do not meet those beside them. Cut at 1, it
//! is `for t in 0..1 { A }; for t in 1..T { B }`, where they are merged as in any loop, once the conditions that are decided in each
//! part are dropped ([`implied`](super::implied)). Where conditions change at several of the first steps, and of the last ones, those keep their conditions:
//! the steps between them have none.

use super::ends::{Naturals, is_plain};
use super::fresh::Fresh;
use super::sites::has_checks;
use super::unroll::count;
use crate::loops::{CmpOp, Cond, For, Int, IntId, LoopProgram, Node, Order};
use crate::tile::mentions_any;

/// A loop of more nodes is not cut.
const MOST: usize = 300;

/// Cuts the loops at top level that run in order.
pub(super) fn cut(program: &mut LoopProgram) {
    let body = std::mem::take(&mut program.body);
    let naturals = Naturals::of(&body);
    let mut fresh = Fresh::new(program, &body);
    let cut = body.into_iter().flat_map(|node| {
        if let Node::For(header) = node {
            segments(&naturals, &mut fresh, *header)
        } else {
            vec![node]
        }
    });
    let body = cut.collect();
    program.body = body;
}

/// The loops that a loop is cut into, in the order in which they run.
fn segments(naturals: &Naturals, fresh: &mut Fresh<'_>, header: For) -> Vec<Node> {
    let cuts = cuts(naturals, &header);
    // a message names the variables of one place
    let fixed = has_checks(&header.body) || count(&header.body) > MOST;
    let one = |header: For| Node::For(Box::new(header));
    if header.order == Order::Parallel || header.stride.is_some() || fixed || cuts.is_empty() {
        return vec![one(header)];
    }
    let mut rest = header;
    let mut found = Vec::new();
    for cut in cuts {
        let mut below = rest.clone();
        below.upper.push(cut.clone());
        below.upper = naturals.least(below.upper.iter());
        rest.lower.push(cut);
        rest.lower = naturals.greatest(rest.lower.iter());
        found.push(fresh.copy(&below));
    }
    found.push(rest);
    if found[0].order == Order::Descending {
        found.reverse();
    }
    found.into_iter().map(one).collect()
}

/// Where conditions around loops change along the variable: the greatest of constant places, and the least of the others.
fn cuts(naturals: &Naturals, header: &For) -> Vec<Int> {
    let mut cuts: Vec<Int> = Vec::new();
    for node in &header.body {
        let Node::If(cond, body) = node else { continue };
        if body.iter().any(Node::has_loop) {
            changes(header.var, cond, &mut cuts);
        }
    }
    let ends = |cut: &Int| header.lower.contains(cut) || header.upper.contains(cut);
    cuts.retain(|cut| !ends(cut));
    let (first, last): (Vec<Int>, Vec<Int>) =
        cuts.into_iter().partition(|cut| cut.as_const().is_some());
    let (first, last) = (naturals.greatest(first.iter()), naturals.least(last.iter()));
    // where it is not known which is the least
    if last.len() > 1 { Vec::new() } else { first.into_iter().chain(last).collect() }
}

/// Adds where a condition changes along a variable.
fn changes(var: IntId, cond: &Cond, cuts: &mut Vec<Int>) {
    match cond {
        Cond::All(parts) => parts.iter().for_each(|part| changes(var, part, cuts)),
        Cond::Int(cmp, a, b) => {
            let form = a.clone().minus(b.clone());
            let own = Int::Var(var);
            for sign in [1, -1] {
                // the comparison is of sign * var and rest
                let rest = form.clone().minus(own.clone().times(sign));
                if mentions_any(std::slice::from_ref(&rest), &[var]) || !is_plain(&rest) {
                    continue;
                }
                let at = rest.times(-sign);
                match (cmp, sign) {
                    (CmpOp::Eq, _) => cuts.extend([at.clone(), at.offset(1)]),
                    (CmpOp::Ge | CmpOp::Lt, 1) | (CmpOp::Gt | CmpOp::Le, -1) => cuts.push(at),
                    (CmpOp::Gt | CmpOp::Le, _) | (CmpOp::Ge | CmpOp::Lt, _) => {
                        cuts.push(at.offset(1));
                    }
                    (CmpOp::Ne, _) => {}
                }
            }
        }
        Cond::Real(..) | Cond::Member(..) | Cond::Not(_) | Cond::Any(_) => {}
    }
}
