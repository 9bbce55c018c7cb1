//! Sums over the steps of a recurrence, taken in its steps.
//!
//! In `for down t in 0..n { y[t, ..] = .. }; for down t in 1..n { for any j { c[j] += x[t, j] * y[t, j] } }` the sum reads at each step what the
//! recurrence has written there. In `for down t in 0..n { y[t, ..] = ..; if t >= 1 { for any j { c[j] += .. } } }` it does so at once: `y` is read
//! while it is near, and the recurrence may keep its last steps alone ([`rolling`](super::rolling)).
//!
//! * **Work**, **bits**: the same.

use super::ends::Naturals;
use super::footprint::Footprint;
use super::taken::in_steps;
use crate::loops::{BufferId, LoopProgram, Node, Order, Role};

/// Moves loops at top level that run in order into recurrences before them, where they read at each step what the recurrence writes there.
pub(super) fn follow(program: &mut LoopProgram) {
    let naturals = Naturals::of(&program.body);
    let mut at = 0;
    while at < program.body.len() {
        if let Some(body) = followed(program, &naturals, at) {
            program.body = body;
        } else {
            at += 1;
        }
    }
}

/// The list with the loop at a place in a recurrence before it.
fn followed(program: &LoopProgram, naturals: &Naturals, at: usize) -> Option<Vec<Node>> {
    let body = &program.body;
    let Node::For(sum) = &body[at] else { return None };
    if sum.order == Order::Parallel || sum.stride.is_some() {
        return None;
    }
    let own = Footprint::of(&body[at..=at]);
    let temporary = |buffer: BufferId| program.buffer(buffer).role == Role::Temporary;
    let (from, steps, recurrence) = (0..at).rev().find_map(|from| {
        let Node::For(steps) = &body[from] else { return None };
        let has_steps = steps.order == sum.order
            && steps.stride.is_none()
            && steps.body.iter().any(Node::has_loop)
            && naturals.begins(&steps.lower, &sum.lower)
            && naturals.ends(&steps.upper, &sum.upper);
        let touched = has_steps.then(|| Footprint::of(&body[from..=from]))?;
        let hands_on = touched.hands_on(steps.var, &own, sum.var, temporary);
        hands_on.then_some((from, steps, touched))
    })?;
    if !recurrence.is_aligned(&program.relations, steps.var, &own, sum.var) {
        return None;
    }
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let (mut passed, mut notes) = (recurrence, Vec::new());
    for node in &body[from + 1..at] {
        let footprint = Footprint::of(std::slice::from_ref(node));
        if own.commutes(&footprint) {
            passed.absorb(footprint);
            after.push(node.clone());
        } else if passed.commutes(&footprint) {
            before.push(node.clone());
        } else {
            return None;
        }
    }
    while let Some(note) = after.pop_if(|node| matches!(node, Node::Note(_))) {
        notes.insert(0, note);
    }
    let mut joined = (**steps).clone();
    joined.body.extend(notes);
    joined.body.extend(in_steps(steps, sum));
    let mut list = body[..from].to_vec();
    list.extend(before);
    list.push(Node::For(Box::new(joined)));
    list.extend(after);
    list.extend(body[at + 1..].iter().cloned());
    Some(list)
}
