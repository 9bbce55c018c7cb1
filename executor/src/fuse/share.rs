//! Integers and conditions that stand several times in one step are computed once.
//!
//! `i = p[e]; ..; j = p[e]` is `i = p[e]; ..` with `i` for `j`, where `p` is an input; and
//! `if c { a }; if c { b }` is `if c { a; b }` where `a` changes nothing that `c` reads.

use super::footprint::Footprint;
use crate::loops::walk::{Rewrite, Visit, rebuild_int, rebuild_node, walk_node};
use crate::loops::{BufferId, Int, IntId, LoopProgram, Node, Role};
use rustc_hash::{FxHashMap, FxHashSet};

/// Shares what is the same in a program.
pub(super) fn share(program: &mut LoopProgram) {
    let body = std::mem::take(&mut program.body);
    let mut fixed = Fixed::default();
    body.iter().for_each(|node| fixed.node(node));
    let share = Share { program, fixed };
    let body = share.nodes(body, &mut Known::default());
    program.body = body;
}

/// The integer variables that are set once, and not named by a check, whose message would tell them.
#[derive(Default)]
struct Fixed {
    once: FxHashSet<IntId>,
    again: FxHashSet<IntId>,
    checks: bool,
}

impl Visit for Fixed {
    fn node(&mut self, node: &Node) {
        match node {
            Node::SetInt(var, _) => {
                if !self.once.insert(*var) {
                    self.again.insert(*var);
                }
            }
            Node::Check(..) => self.checks = true,
            Node::Note(_)
            | Node::For(_)
            | Node::If(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Visit(_) => {}
        }
        walk_node(self, node);
    }
}

/// What is known at a place.
#[derive(Clone, Default)]
struct Known {
    values: Vec<(Int, IntId)>,
    /// Variables in whose place others stand.
    same: FxHashMap<IntId, IntId>,
}

impl Rewrite for Known {
    fn int(&mut self, e: &Int) -> Int {
        match e {
            Int::Var(var) => Int::Var(self.same.get(var).copied().unwrap_or(*var)),
            Int::Const(_)
            | Int::Size(_)
            | Int::Load(..)
            | Int::Sum(..)
            | Int::Product(_)
            | Int::Div(..)
            | Int::Mod(..)
            | Int::DivBy(_)
            | Int::Floor(_)
            | Int::Select(_) => rebuild_int(self, e),
        }
    }
}

struct Share<'p> {
    program: &'p LoopProgram,
    fixed: Fixed,
}

impl Share<'_> {
    fn nodes(&self, nodes: Vec<Node>, known: &mut Known) -> Vec<Node> {
        // each with the number of values known before it
        let mut out: Vec<(Node, usize)> = Vec::new();
        for node in nodes {
            let before = known.values.len();
            match self.node(node, known) {
                Some(Node::If(cond, second)) => match out.last_mut() {
                    Some((Node::If(earlier, first), _))
                        if *earlier == cond && Footprint::of(first).keeps(&cond) =>
                    {
                        first.extend(second);
                    }
                    _ => out.push((Node::If(cond, second), before)),
                },
                node => out.extend(node.map(|node| (node, before))),
            }
        }
        let inside = |(node, before): (Node, usize)| {
            let values = known.values[..before].to_vec();
            let mut known = Known { values, same: known.same.clone() };
            match node {
                Node::For(mut header) => {
                    header.body = self.nodes(std::mem::take(&mut header.body), &mut known);
                    Node::For(header)
                }
                Node::If(cond, body) => Node::If(cond, self.nodes(body, &mut known)),
                other @ (Node::Note(_)
                | Node::SetInt(..)
                | Node::Set(..)
                | Node::Join(..)
                | Node::Store(..)
                | Node::Accumulate(..)
                | Node::StoreInt(..)
                | Node::AddInt(..)
                | Node::Visit(_)
                | Node::Check(..)) => other,
            }
        };
        out.into_iter().map(inside).collect()
    }

    /// A node with variables for those that are the same; none where it sets such a one.
    fn node(&self, node: Node, known: &mut Known) -> Option<Node> {
        let node = if known.same.is_empty() { node } else { rebuild_node(known, &node) };
        let Node::SetInt(var, e) = &node else { return Some(node) };
        if self.fixed.checks || self.fixed.again.contains(var) || !self.is_fixed(e) {
            return Some(node);
        }
        if let Some((_, earlier)) = known.values.iter().find(|(value, _)| value == e) {
            known.same.insert(*var, *earlier);
            return None;
        }
        known.values.push((e.clone(), *var));
        Some(node)
    }

    /// Whether an integer has one value wherever the variables that are set once have theirs.
    fn is_fixed(&self, e: &Int) -> bool {
        struct Reads<'s> {
            share: &'s Share<'s>,
            fixed: bool,
        }
        impl Visit for Reads<'_> {
            fn load(&mut self, buffer: BufferId, _: &[Int]) {
                self.fixed &= self.share.program.buffer(buffer).role == Role::Input;
            }
            fn int_var(&mut self, var: IntId) {
                self.fixed &= !self.share.fixed.again.contains(&var);
            }
            fn real_var(&mut self, _: crate::loops::RealId) {
                self.fixed = false;
            }
            fn int(&mut self, e: &Int) {
                self.fixed &= !matches!(e, Int::Floor(_));
                crate::loops::walk::walk_int(self, e);
            }
        }
        let mut reads = Reads { share: self, fixed: true };
        reads.int(e);
        reads.fixed
    }
}
