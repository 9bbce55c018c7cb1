//! For compiled engines: windows of columns that are whole, apart from the last one.
//!
//! In `for w in 0 .. n where 0 of 32 { for j { for any i in w .. min(w + 32, n) { .. } } }` the loop over `i` has 32 steps in all windows but the last.
//! Where it says so, in a copy for `w + 32 <= n`, a compiler makes it straight operations of registers.
//!
//! * **Work**, **bits**: the same, sums in native code apart: these are regrouped.

use super::fresh::Fresh;
use super::sites::has_checks;
use super::unroll::count;
use crate::loops::walk::{Rewrite, rebuild_node};
use crate::loops::window::windows;
use crate::loops::{CmpOp, Cond, For, Int, IntId, LoopProgram, Node};

/// Windows of more nodes stay as they are.
const MOST: usize = 300;

/// Has whole windows of columns code of their own.
pub(super) fn whole_apart(program: &mut LoopProgram) {
    let body = std::mem::take(&mut program.body);
    let mut fresh = Fresh::new(program, &body);
    let one = |node: Node| {
        let Node::For(header) = node else { return node };
        Node::For(Box::new(apart(&mut fresh, *header)))
    };
    let body = body.into_iter().map(one).collect();
    program.body = body;
}

/// A loop over windows, with two copies of its body if it goes through columns in steps.
fn apart(fresh: &mut Fresh<'_>, mut header: For) -> For {
    let (Some((rows, Int::Const(0))), [extent]) = (&header.stride, header.upper.as_slice()) else {
        return header;
    };
    let over = windows(&header);
    let in_steps = |node: &Node| {
        let Node::For(steps) = node else { return false };
        !over.contains(&steps.var) && has_rows(&steps.body, &over)
    };
    if !header.body.iter().any(in_steps) || has_checks(&header.body) || count(&header.body) > MOST {
        return header;
    }
    let end = Int::Var(header.var).offset(*rows);
    let under = |cmp, body| Node::If(Cond::Int(cmp, end.clone(), extent.clone()), body);
    let whole = under(CmpOp::Le, Whole { end: &end, extent }.nodes(&header.body));
    let whole = fresh.copied(&whole).0;
    let last = under(CmpOp::Gt, std::mem::take(&mut header.body));
    header.body = vec![whole, last];
    header
}

/// Whether loops over these variables stand in nodes.
fn has_rows(nodes: &[Node], over: &[IntId]) -> bool {
    nodes.iter().any(|node| {
        matches!(node, Node::For(header) if over.contains(&header.var))
            || has_rows(node.inside(), over)
    })
}

/// Has loops over rows of a window end at its end.
struct Whole<'w> {
    end: &'w Int,
    extent: &'w Int,
}

impl Rewrite for Whole<'_> {
    fn node(&mut self, node: &Node) -> Vec<Node> {
        let mut rebuilt = rebuild_node(self, node);
        if let Node::For(header) = &mut rebuilt
            && header.upper.contains(self.end)
        {
            header.upper.retain(|end| end != self.extent);
        }
        vec![rebuilt]
    }
}
