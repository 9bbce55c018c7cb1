//! Integers and conditions that stand several times in one step are computed once.
//!
//! `i = p[e]; ..; j = p[e]` is `i = p[e]; ..` with `i` for `j`, where `p` is an input; and
//! `if c { a }; if c { b }` is `if c { a; b }` where `a` changes nothing that `c` reads. What every step computes is
//! computed before it is first needed: `if c { j = p[e]; .. }; i = p[e]` is `i = p[e]; if c { .. }` with `i` for `j`.

use super::facts::settings;
use super::footprint::Footprint;
use super::sites::has_checks;
use crate::loops::walk::{Rewrite, Visit, rebuild_int, rebuild_node};
use crate::loops::{BufferId, Int, IntId, LoopProgram, Node, Role};
use rustc_hash::FxHashMap;

/// Shares what is the same in a program.
pub(super) fn share(program: &mut LoopProgram) {
    let body = std::mem::take(&mut program.body);
    let share = Share { program, settings: settings(&body), checks: has_checks(&body) };
    let body = share.nodes(body, &mut Known::default());
    program.body = body;
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
    /// How often variables are set.
    settings: FxHashMap<IntId, usize>,
    /// Whether a check may name variables, whose values its message would tell.
    checks: bool,
}

impl Share<'_> {
    fn nodes(&self, nodes: Vec<Node>, known: &mut Known) -> Vec<Node> {
        // each with the number of values known before it
        let mut out: Vec<(Node, usize)> = Vec::new();
        for node in self.early(nodes) {
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
            node.map_inside(|body| self.nodes(body, &mut known))
        };
        out.into_iter().map(inside).collect()
    }

    /// The nodes with integers that are also computed inside an earlier one moved in front of that: where they can
    /// be computed inside, they can be there, since what they are made of is set once.
    fn early(&self, mut nodes: Vec<Node>) -> Vec<Node> {
        for at in 1..nodes.len() {
            let Node::SetInt(var, e) = &nodes[at] else { continue };
            if self.checks || self.is_set_again(*var) || !self.is_fixed(e) {
                continue;
            }
            let inside = |node: &Node| node.inside().iter().any(|node| computes(node, e));
            if let Some(first) = nodes[..at].iter().position(inside)
                && !sets_one_of(&nodes[first..at], e)
            {
                nodes[first..=at].rotate_right(1);
            }
        }
        nodes
    }

    /// A node with variables for those that are the same; none where it sets such a one.
    fn node(&self, node: Node, known: &mut Known) -> Option<Node> {
        let node = if known.same.is_empty() { node } else { rebuild_node(known, &node) };
        let Node::SetInt(var, e) = &node else { return Some(node) };
        if self.checks || self.is_set_again(*var) || !self.is_fixed(e) {
            return Some(node);
        }
        if let Some((_, earlier)) = known.values.iter().find(|(value, _)| value == e) {
            known.same.insert(*var, *earlier);
            return None;
        }
        known.values.push((e.clone(), *var));
        Some(node)
    }

    fn is_set_again(&self, var: IntId) -> bool {
        self.settings.get(&var).is_some_and(|count| *count > 1)
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
                self.fixed &= !self.share.is_set_again(var);
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

/// Whether a node, or one inside, computes an integer.
fn computes(node: &Node, wanted: &Int) -> bool {
    matches!(node, Node::SetInt(_, e) if e == wanted)
        || node.inside().iter().any(|node| computes(node, wanted))
}

/// Whether nodes set a variable that an integer mentions.
fn sets_one_of(nodes: &[Node], e: &Int) -> bool {
    struct Mentioned(Vec<IntId>);
    impl Visit for Mentioned {
        fn int_var(&mut self, var: IntId) {
            self.0.push(var);
        }
    }
    let mut mentioned = Mentioned(Vec::new());
    mentioned.int(e);
    nodes.iter().any(|node| matches!(node, Node::SetInt(var, _) if mentioned.0.contains(var)))
}
