//! What is added at a place in a step's own part of a buffer is added by cases, in any order of the steps.
//!
//! In `for i { p = 2 * i + at[i]; if p < 2 * i + 2 { b[p] += x } }` step `i` may touch `b[2 * i]` and `b[2 * i + 1]`, and no other
//! step does. It becomes `for any i { if at[i] = 0 { b[2 * i] += x }; if at[i] = 1 { b[2 * i + 1] += x } }`: so it runs as one
//! with the loop that finds `at`, whose places are variables then, and what clears `b` is where its entries are added to.
//! The gradient of a maximum over windows side by side has that form.

use super::clears::in_front;
use super::facts::{Facts, settings};
use super::footprint::factor_of;
use super::sites::{Kind, has_checks, only, sites};
use super::unroll::{Fix, count};
use crate::loops::walk::Rewrite;
use crate::loops::{CmpOp, Cond, For, Int, IntId, LoopProgram, Node, Order};
use rustc_hash::FxHashMap;

/// So many entries are own to a step at most, along one axis, ..
const MOST: i64 = 8;

/// .. and so many nodes a step has then.
const MAX_NODES: usize = 64;

/// Adds by cases, and clears what is added to in front of all else.
pub(super) fn by_cases(program: &mut LoopProgram) {
    let settings = settings(&program.body);
    let mut changed = Vec::new();
    for node in &mut program.body {
        if let Some(found) = nest(node, &settings) {
            changed.extend(sites(std::slice::from_ref(&found)).into_iter().filter_map(
                |(buffer, sites)| {
                    sites.iter().any(|site| site.kind != Kind::Load).then_some(buffer)
                },
            ));
            *node = found;
        }
    }
    if let Some(body) = in_front(program, |buffer| changed.contains(&buffer)) {
        program.body = body;
    }
}

/// A nest whose steps add by cases and are independent by that; the conditions around it are implied by its ranges.
fn nest(node: &Node, settings: &FxHashMap<IntId, usize>) -> Option<Node> {
    let (mut conditions, mut headers) = (Vec::new(), Vec::new());
    let mut inner = std::slice::from_ref(node);
    loop {
        match only(inner) {
            Some(Node::If(cond, body)) if headers.is_empty() => {
                conditions.push(cond);
                inner = body;
            }
            Some(Node::For(header)) => {
                headers.push(&**header);
                inner = &header.body;
            }
            _ => break,
        }
    }
    let mut facts = Facts::default();
    headers.iter().for_each(|header| facts.bounds(header));
    let plain = |header: &&For| header.stride.is_none() && header.order != Order::Descending;
    let ordered = headers.iter().any(|header| header.order == Order::Ascending);
    let implied = conditions.iter().all(|cond| facts.imply(cond));
    if !headers.iter().all(plain) || !ordered || !implied || inner.iter().any(Node::has_loop) {
        return None;
    }
    let body = Cases { headers: &headers, settings }.list(inner, &facts)?;
    (count(&body) <= MAX_NODES && are_own(&headers, &body)).then_some(())?;
    let any = |body: Vec<Node>, header: &&For| {
        let order = Order::Parallel;
        vec![Node::For(Box::new(For { order, body, ..header.bare() }))]
    };
    headers.iter().rev().fold(body, any).pop()
}

/// Whether each step of each loop adds to entries of its own, and does nothing else.
fn are_own(headers: &[&For], body: &[Node]) -> bool {
    let by_buffer = sites(body);
    let adds = |node: &Node| match node {
        Node::Note(_) | Node::Visit(_) | Node::If(..) | Node::SetInt(..) | Node::Accumulate(..) => {
            true
        }
        Node::For(_)
        | Node::Set(..)
        | Node::Join(..)
        | Node::Store(..)
        | Node::StoreInt(..)
        | Node::AddInt(..)
        | Node::Check(..) => false,
    };
    all(body, &adds)
        && !has_checks(body)
        && by_buffer.values().all(|sites| {
            let read = sites.iter().all(|site| site.kind == Kind::Load);
            let own = |header: &&For| {
                (0..sites[0].indices.len()).any(|axis| {
                    let factor = factor_of(&sites[0].indices[axis], header.var);
                    factor > 0
                        && sites.iter().all(|site| {
                            let step = Int::Var(header.var).times(factor);
                            let rest = site.indices[axis].clone().minus(step).as_const();
                            rest.is_some_and(|rest| (0..factor).contains(&rest))
                        })
                })
            };
            let added = sites.iter().all(|site| matches!(site.kind, Kind::Accumulate(_)));
            read || added && headers.iter().all(own)
        })
}

/// Whether something is true of all nodes, those inside others included.
fn all(nodes: &[Node], is: &impl Fn(&Node) -> bool) -> bool {
    nodes.iter().all(|node| is(node) && all(node.inside(), is))
}

/// Makes cases of places.
struct Cases<'c> {
    headers: &'c [&'c For],
    settings: &'c FxHashMap<IntId, usize>,
}

/// `var = factor * step + data`
struct At<'n> {
    var: IntId,
    factor: i64,
    step: IntId,
    data: &'n Int,
}

impl Cases<'_> {
    /// Nodes with a case for each value of the places in them; `None` if there are no places, or one may be that of
    /// another step where something is done.
    fn list(&self, nodes: &[Node], facts: &Facts) -> Option<Vec<Node>> {
        let mut own = nodes.iter().filter(|node| !matches!(node, Node::Note(_)));
        let first = own.next()?;
        if let (Node::If(cond, body), None) = (first, own.next()) {
            let mut facts = facts.clone();
            let known = facts.imply(cond);
            facts.condition(cond);
            let body = self.list(body, &facts)?;
            return Some(if known { body } else { vec![Node::If(cond.clone(), body)] });
        }
        let at = nodes.iter().find_map(|node| self.place(node))?;
        let rest: Vec<Node> = nodes.iter().filter(|node| !sets(node, at.var)).cloned().collect();
        let mut facts = facts.clone();
        facts.compare(CmpOp::Eq, &Int::Var(at.var), &at.value());
        // entries of tensors of integers are not negative
        facts.compare(CmpOp::Ge, at.data, &Int::Const(0));
        let mut found = Vec::new();
        if !is_below(&rest, &facts, &at) {
            return None;
        }
        for value in 0..at.factor {
            let place = Int::Var(at.step).times(at.factor).offset(value);
            let mut facts = facts.clone();
            facts.compare(CmpOp::Eq, at.data, &Int::Const(value));
            let case = Fix { var: at.var, value: place }.nodes(&rest);
            let case = known(self.list(&case, &facts).unwrap_or(case), &facts);
            found.push(Node::If(Cond::Int(CmpOp::Eq, at.data.clone(), Int::Const(value)), case));
        }
        Some(found)
    }

    fn place<'n>(&self, node: &'n Node) -> Option<At<'n>> {
        let Node::SetInt(var, Int::Sum(terms, 0)) = node else { return None };
        let ([(factor, Int::Var(step)), (1, data @ Int::Load(..))]
        | [(1, data @ Int::Load(..)), (factor, Int::Var(step))]) = terms.as_slice()
        else {
            return None;
        };
        let is_step = self.headers.iter().any(|header| header.var == *step);
        let once = self.settings.get(var) == Some(&1);
        let few = (2..=MOST).contains(factor);
        (is_step && once && few).then_some(At { var: *var, factor: *factor, step: *step, data })
    }
}

impl At<'_> {
    fn value(&self) -> Int {
        Int::Var(self.step).times(self.factor).plus(self.data.clone())
    }
}

fn sets(node: &Node, var: IntId) -> bool {
    matches!(node, Node::SetInt(set, _) if *set == var)
}

/// Whether nodes only do something where a place is one of the step's own.
fn is_below(nodes: &[Node], facts: &Facts, at: &At<'_>) -> bool {
    nodes.iter().all(|node| match node {
        Node::Note(_) => true,
        Node::If(cond, body) => {
            let mut facts = facts.clone();
            facts.condition(cond);
            facts.prove(CmpOp::Lt, at.data, &Int::Const(at.factor)) || is_below(body, &facts, at)
        }
        Node::For(_)
        | Node::SetInt(..)
        | Node::Set(..)
        | Node::Join(..)
        | Node::Store(..)
        | Node::Accumulate(..)
        | Node::StoreInt(..)
        | Node::AddInt(..)
        | Node::Visit(_)
        | Node::Check(..) => false,
    })
}

/// Nodes without the conditions that hold.
fn known(nodes: Vec<Node>, facts: &Facts) -> Vec<Node> {
    let one = |node: Node| {
        let Node::If(cond, body) = node else { return vec![node] };
        let mut facts = facts.clone();
        let holds = facts.imply(&cond);
        facts.condition(&cond);
        let body = known(body, &facts);
        if holds { body } else { vec![Node::If(cond, body)] }
    };
    nodes.into_iter().flat_map(one).collect()
}
