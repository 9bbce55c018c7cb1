//! Loops that change something at few of their steps, as those of `argmax`.
//!
//! Each step computes a value and, where a condition holds, sets variables. A block of steps is first
//! tried as a whole, in vector registers, with the variables as they are: if the condition holds at no
//! step, none of them sets anything, and the block is passed over.

use super::mentions::Mentions;
use super::scopes::Variable;
use super::statements::Statements;
use crate::loops::{Cond, For, Node, Order, Real, RealId};

/// Steps that are tried at once.
const BLOCK: usize = 256;

/// The parts of a step.
struct Search<'l> {
    value: RealId,
    e: &'l Real,
    cond: &'l Cond,
}

impl Statements<'_> {
    /// Prints a loop from `first` below `bound` as a search, if it is one; whether it did.
    pub(super) fn search(&mut self, header: &For, first: &str, bound: &str, depth: usize) -> bool {
        let Some(Search { value, e, cond }) = self.as_search(header) else { return false };
        let var = self.expressions.names.int(header.var).to_owned();
        let steps = format!("for (int64_t {var} = iv_block; {var} < iv_stop; {var}++) {{");
        let lines = [
            (
                0,
                format!(
                    "for (int64_t iv_block = {first}; iv_block < {bound}; iv_block += {BLOCK}) {{"
                ),
            ),
            (1, format!("const int64_t iv_stop = iv_min(iv_block + {BLOCK}, {bound});")),
            (1, format!("int64_t iv_found = iv_stop - iv_block < {BLOCK};")),
            (1, "if (!iv_found) {".to_owned()),
            (2, "IV_PRAGMA(omp simd reduction(|:iv_found))".to_owned()),
            (2, steps.clone()),
            (
                3,
                format!(
                    "const real {} = {};",
                    self.expressions.names.real(value),
                    self.expressions.real(e)
                ),
            ),
            (3, format!("iv_found |= {};", self.expressions.cond(cond))),
            (2, "}".to_owned()),
            (1, "}".to_owned()),
            (1, "if (!iv_found) continue;".to_owned()),
            (1, steps),
        ];
        lines.iter().for_each(|(inner, text)| self.line(depth + inner, text));
        self.nodes(&header.body, depth + 2);
        self.line(depth + 1, "}");
        self.line(depth, "}");
        true
    }

    fn as_search<'l>(&self, header: &'l For) -> Option<Search<'l>> {
        if header.order == Order::Descending || header.stride.is_some() {
            return None;
        }
        let said = |node: &&Node| matches!(node, Node::Note(_) | Node::Visit(_));
        let before = header.body.iter().take_while(said).count();
        let [Node::Set(value, e), Node::If(cond, body)] = &header.body[before..] else {
            return None;
        };
        let sets = |node: &Node| match node {
            Node::Set(var, _) => var != value,
            Node::SetInt(..) => true,
            Node::Note(_) | Node::Visit(_) => true,
            Node::For(_)
            | Node::If(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Check(..) => false,
        };
        let mentions = Mentions::of(self.expressions.program, &header.body);
        let simple = !mentions.floors && mentions.relations.is_empty();
        // a step has its own value
        let own = self.scopes.declares(self.next + before, Variable::Real(*value));
        (body.iter().all(sets) && simple && own).then_some(Search { value: *value, e, cond })
    }
}
