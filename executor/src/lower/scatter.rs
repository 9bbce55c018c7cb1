//! Terms of a statement that data say the entries of, in one pass over the data.
//!
//! In `y[i] = sum(e: m where at[e] = i) a[e] + sum(e: m where at[e] = i) b[e]` both terms walk `at`: as
//! `for e { i = at[e]; y[i] += a[e]; i = at[e]; y[i] += b[e] }` they do so together. The terms of an entry are then added in the order of the data.

use super::plan::Level;
use super::statement::Part;
use crate::fuse::Fix;
use crate::loops::walk::{Rewrite, Visit, walk_int};
use crate::loops::{BufferId, For, Int, Node, Order};

/// Puts the parts that walk data in front of the others.
pub(super) fn first(parts: &mut [Part<'_>]) {
    let walks = |part: &Part<'_>| {
        let levels = &part.plan.levels[..part.plan.cut];
        let over =
            |level: &Level| matches!(level, Level::Loop(header) if header.order != Order::Parallel);
        levels.first().is_some_and(over)
            && levels.iter().any(|level| matches!(level, Level::Let(_, e) if reads(e)))
    };
    parts.sort_by_key(|part| !walks(part));
}

/// Appends the loops of a term to those of the terms before it.
pub(super) fn append(nodes: &mut Vec<Node>, own: Vec<Node>) {
    if let (Some(Node::For(earlier)), [Node::For(later)]) = (nodes.last_mut(), own.as_slice())
        && walks_data(earlier)
        && walks_data(later)
        && (&earlier.lower, &earlier.upper, &earlier.stride, earlier.order)
            == (&later.lower, &later.upper, &later.stride, later.order)
    {
        let mut fix = Fix { var: later.var, value: Int::Var(earlier.var) };
        earlier.body.extend(fix.nodes(&later.body));
    } else {
        nodes.extend(own);
    }
}

/// Whether data say in each step which entries it adds to.
fn walks_data(header: &For) -> bool {
    header.order != Order::Parallel
        && header.body.iter().any(|node| matches!(node, Node::SetInt(_, e) if reads(e)))
}

fn reads(e: &Int) -> bool {
    struct Reads(bool);
    impl Visit for Reads {
        fn load(&mut self, _: BufferId, _: &[Int]) {
            self.0 = true;
        }
    }
    let mut reads = Reads(false);
    walk_int(&mut reads, e);
    reads.0
}
