//! For native code: an entry that a loop reads under conditions, always the same one, is read before it.
//!
//! `for j { if p { r += a[i] } }` becomes `t = a[i]; for j { if p { r += t } }`, if the entry is in its buffer even where the loop
//! takes no step or `p` never holds, and the loop does not write the buffer. A compiler may not read what the program
//! does not read, so it would gather entries step by step, or have branches.

use super::facts::{Facts, settings};
use super::sums::is_fixed;
use crate::loops::walk::{Rewrite, rebuild_node, rebuild_real};
use crate::loops::{BufferId, For, Int, IntId, LoopProgram, Node, Place, Real, RealId};
use crate::native::Mentions;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// Has entries at fixed places read before innermost loops; whether there are some.
pub(super) fn read_before(program: &mut LoopProgram) -> bool {
    let body = std::mem::take(&mut program.body);
    let settings = settings(&body);
    let mut before = Before { program, settings, found: false };
    let body = before.list(body, &Facts::default());
    let found = before.found;
    program.body = body;
    found
}

struct Before<'p> {
    program: &'p mut LoopProgram,
    settings: FxHashMap<IntId, usize>,
    found: bool,
}

impl Before<'_> {
    fn list(&mut self, nodes: Vec<Node>, around: &Facts) -> Vec<Node> {
        let mut facts = around.clone();
        let mut out = Vec::new();
        for node in nodes {
            if let Node::For(header) = &node
                && !header.body.iter().any(Node::has_loop)
            {
                let (reads, header) = self.innermost(header, &facts);
                out.extend(reads);
                out.push(Node::For(Box::new(header)));
            } else if matches!(node, Node::For(_) | Node::If(..)) {
                let mut inner = facts.clone();
                inner.inside(&node);
                out.push(node.map_inside(|body| self.list(body, &inner)));
            } else {
                facts.after(&node, &self.settings);
                out.push(node);
            }
        }
        out
    }

    /// What is read before a loop, and the loop.
    fn innermost(&mut self, header: &For, facts: &Facts) -> (Vec<Node>, For) {
        let program = &mut *self.program;
        let changed = Mentions::of(program, &header.body);
        let ints = changed.ints_set.iter().copied().chain([header.var]).collect();
        let buffers = changed.written;
        let mut reads = Reads { program, facts, ints, buffers, conditions: 0, found: Vec::new() };
        let body = reads.nodes(&header.body);
        let Reads { found, .. } = reads;
        self.found |= !found.is_empty();
        let read =
            |(place, var): (Place, RealId)| Node::Set(var, Real::Load(place.buffer, place.indices));
        (found.into_iter().map(read).collect(), For { body, ..header.bare() })
    }
}

/// Puts variables in the place of entries at fixed places.
struct Reads<'p> {
    program: &'p mut LoopProgram,
    /// What holds in front of the loop.
    facts: &'p Facts,
    /// What the loop changes.
    ints: Vec<IntId>,
    buffers: BTreeSet<BufferId>,
    /// How many conditions stand around.
    conditions: usize,
    found: Vec<(Place, RealId)>,
}

impl Reads<'_> {
    /// The variable for an entry, if it is at a fixed place.
    fn var(&mut self, buffer: BufferId, indices: &[Int]) -> Option<RealId> {
        let place = Place { buffer, indices: indices.to_vec() };
        if let Some((_, var)) = self.found.iter().find(|(known, _)| *known == place) {
            return Some(*var);
        }
        let fixed =
            !self.buffers.contains(&buffer) && indices.iter().all(|e| is_fixed(e, &self.ints));
        (fixed && self.facts.is_within(self.program.buffer(buffer), &place)).then(|| {
            let var = self.program.add_real(self.program.buffer(buffer).name.clone());
            self.found.push((place, var));
            var
        })
    }

    fn under<T>(&mut self, rewrite: impl FnOnce(&mut Self) -> T) -> T {
        self.conditions += 1;
        let rewritten = rewrite(self);
        self.conditions -= 1;
        rewritten
    }
}

impl Rewrite for Reads<'_> {
    fn real(&mut self, e: &Real) -> Real {
        match e {
            Real::Load(buffer, indices) if self.conditions > 0 => {
                self.var(*buffer, indices).map_or_else(|| rebuild_real(self, e), Real::Var)
            }
            Real::Select(parts) => {
                let (yes, no) = self.under(|this| (this.real(&parts.1), this.real(&parts.2)));
                Real::Select(Box::new((parts.0.clone(), yes, no)))
            }
            Real::Const(_) | Real::Int(_) | Real::Var(_) | Real::Load(..) | Real::Apply(..) => {
                rebuild_real(self, e)
            }
        }
    }

    fn node(&mut self, node: &Node) -> Vec<Node> {
        vec![if let Node::If(cond, body) = node {
            Node::If(cond.clone(), self.under(|this| this.nodes(body)))
        } else {
            rebuild_node(self, node)
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes afterwards; the lines are separated by `;`.
    fn after(body: &str) -> String {
        let head = "loops f\nsize n\ninput a: real[n]\ninput c: real[]\ninput p: int[n]\noutput y: real[n]\noutput z: real[n]\n\
            ints i, j\nreals r, s\n";
        let mut program = LoopProgram::parse(&format!("{head}{}\n", body.replace("; ", "\n")))
            .unwrap_or_else(|e| panic!("{e}"));
        read_before(&mut program);
        let text = program.to_string();
        let (_, text) = text.split_once("reals ").unwrap_or_else(|| panic!("{text}"));
        text.trim_end().lines().skip(1).map(str::trim).collect::<Vec<_>>().join("; ")
    }

    fn nest(joined: &str) -> String {
        format!(
            "for i in 0 .. n {{; r = 0.0; for j in 0 .. n {{; if a[j] >. 0.0 {{; r += {joined}; }}; }}; y[i] = r; }}"
        )
    }

    #[test]
    fn entries_at_fixed_places_are_read_before_the_loop() {
        let moved = |entry: &str, var: &str| {
            let loops = nest(var).replace("for j", &format!("{var} = {entry}; for j"));
            assert_eq!(after(&nest(entry)), loops);
        };
        moved("a[i]", "a_2");
        moved("c[]", "c_2");
        // in a choice
        let choice = |e: &str| format!("if a[j] >. 0.0 then {e} else 1.0");
        let loops =
            |e: &str| format!("r = 0.0; for j in 0 .. n {{; r += {}; }}; y[0] = r", choice(e));
        assert_eq!(after(&loops("c[]")), loops("c_2").replace("for j", "c_2 = c[]; for j"));
    }

    #[test]
    fn entries_that_move_or_may_not_be_there_are_read_in_the_loop() {
        let stays = |text: &str| assert_eq!(after(text), text);
        stays(&nest("a[j]"));
        // data say where it is; it is beyond the end at times; it is written
        stays(&nest("a[p[j]]"));
        stays(&nest("a[i + 1]"));
        stays(&nest("y[i]").replace("r += y[i]", "r += y[i]; y[j] = r"));
        // no condition
        stays("r = 0.0; for j in 0 .. n {; r += c[]; }; y[0] = r");
    }
}
