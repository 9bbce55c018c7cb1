//! For native code: nests that go along the rows of one buffer and down the columns of another one, a block at a time.
//!
//! In `for any i { for any j { b[i, j] = a[i, j] + a[j, i] } }` each step of the inner loop reads a line of the cache of which other
//! steps of the outer loop read the rest; with large matrices it is gone by then. In blocks, `for any w in 0 .. n where 0 of 64 { for any v
//! in 0 .. m where 0 of 128 { for any i in w .. min(w + 64, n) { for any j in v .. min(v + 128, m) { .. } } } }`, it is near.
//! Loops between the two stay between their blocks. All steps are independent, and each is done once. What has sums beside it, as in
//! `for i { r = 0; for j { r += a[i, j] * x[j]; b[i, j] = a[i, j] + a[j, i] } }`, is taken out for that.
//!
//! * **Measured** (one thread, Intel Xeon, Granite Rapids): `a + aᵀ` of 500, 1,024, 2,000, 2,048 and 4,000 rows takes 0.15, 7.3, 16, 34 and
//!   165 ms without blocks, 0.17, 1.6, 6.1, 7.3 and 45 with them. Blocks of 64 by 64 lose a tenth where all is near, 16 by 512 half where
//!   rows are a power of two. In the block engine, whose lanes are a row's steps, blocks took up to ten times as long as none.
//! * **Work**, **bits**: the same.

use super::footprint::Footprint;
use super::sites::{all_sites, has_checks, only};
use super::tuples::Tuples;
use super::{merge, part};
use crate::block::{Sharing, shared};
use crate::loops::{For, Int, IntId, LoopProgram, Node, Order};
use crate::tile::{follows, mentions_any};

/// The steps of the outer and of the inner loop in a block.
const BLOCK: [i64; 2] = [64, 128];

/// Has nests go by blocks.
pub(super) fn in_blocks(program: &mut LoopProgram) {
    let tuples = Tuples::of(program);
    let body = std::mem::take(&mut program.body);
    for node in &body {
        let nodes = taken_out(program, &body, node, &tuples);
        let nodes = nodes.unwrap_or_else(|| vec![node.clone()]);
        for node in nodes {
            let node = blocks(program, node);
            program.body.push(node);
        }
    }
}

/// The loops that a loop with sums is made of, if some of them go by blocks then, and may run before the others.
fn taken_out(
    program: &mut LoopProgram,
    body: &[Node],
    node: &Node,
    tuples: &Tuples,
) -> Option<Vec<Node>> {
    let Node::For(header) = node else { return None };
    if goes_by_blocks(node) || !reads_down(header) {
        return None;
    }
    let parts = part::parts(program, body, (**header).clone());
    let parts = parts.into_iter().map(|part| independent(part, tuples));
    let (out, others): (Vec<Node>, Vec<Node>) = parts.partition(goes_by_blocks);
    let footprint = Footprint::of(&others);
    if out.is_empty() || !footprint.commutes(&Footprint::of(&out)) {
        return None;
    }
    Some([out, others].into_iter().flat_map(|nodes| merged(program, nodes)).collect())
}

/// Nodes with their loops merged.
fn merged(program: &mut LoopProgram, nodes: Vec<Node>) -> Vec<Node> {
    let before = std::mem::replace(&mut program.body, nodes);
    merge::merge(program);
    std::mem::replace(&mut program.body, before)
}

/// Whether a loop inside goes along rows and down columns.
fn reads_down(outer: &For) -> bool {
    let down = |node: &Node| matches!(node, Node::For(inner) if goes_down(outer.var, inner));
    outer.body.iter().any(down)
}

/// The loops of a nest in any order, where it does not matter.
fn independent(node: Node, tuples: &Tuples) -> Node {
    let node = node.map_inside(|body| body.into_iter().map(|n| independent(n, tuples)).collect());
    let Node::For(mut header) = node else { return node };
    let free = |sharing: Sharing| sharing.is_plain() && sharing.sums.is_empty();
    if shared(&header, tuples).is_some_and(free) {
        header.order = Order::Parallel;
    }
    Node::For(header)
}

fn goes_by_blocks(node: &Node) -> bool {
    let Node::For(header) = node else { return false };
    innermost(header).is_some_and(|inner| goes_down(header.var, inner))
}

/// A node with the nests inside by blocks.
fn blocks(program: &mut LoopProgram, node: Node) -> Node {
    if let Node::For(header) = &node
        && goes_by_blocks(&node)
    {
        let (blocks, rows) = cut(program, header, BLOCK[0]);
        let body = around(program, &header.body, &rows);
        return Node::For(Box::new(For { body, ..blocks }));
    }
    node.map_inside(|body| body.into_iter().map(|node| blocks(program, node)).collect())
}

/// The innermost loop of a nest of independent loops around a straight line, whose ends do not depend on the outermost one.
fn innermost(outer: &For) -> Option<&For> {
    let is_fixed = |header: &For| {
        let mut ends = [&header.lower, &header.upper].into_iter();
        header.var == outer.var || ends.all(|ends| !mentions_any(ends, &[outer.var]))
    };
    let mut inner = outer;
    while is_whole(inner) && is_fixed(inner) {
        match only(&inner.body) {
            Some(Node::For(next)) => inner = next,
            _ => {
                let line = !inner.body.iter().any(Node::has_loop) && !has_checks(&inner.body);
                return (line && inner.var != outer.var).then_some(inner);
            }
        }
    }
    None
}

/// Whether a loop has any number of independent steps, from a constant on.
fn is_whole(header: &For) -> bool {
    header.order == Order::Parallel
        && header.stride.is_none()
        && header.most_steps().is_none()
        && matches!(header.lower[..], [Int::Const(_)])
}

/// Whether an inner loop goes along the rows of one buffer, and down the columns of another one along whose rows the outer
/// loop goes. Entries side by side at places that are constants count as one.
fn goes_down(outer: IntId, inner: &For) -> bool {
    // by one entry in each step of a loop, whatever the other one does to the rows
    let along = |indices: &[Int], var: IntId| {
        let Some(last) = indices.iter().rposition(|e| e.as_const().is_none()) else { return false };
        follows(&indices[last], var, &[outer, inner.var]) && !mentions_any(&indices[..last], &[var])
    };
    let down = |indices: &[Int]| along(indices, outer) && mentions_any(indices, &[inner.var]);
    let sites = all_sites(&inner.body);
    let mut all = sites.values().flatten().map(|site| site.indices.as_slice());
    all.clone().any(down) && all.any(|indices| along(indices, inner.var))
}

/// What stands around the innermost loop of a nest, this in blocks around the rows of one.
fn around(program: &mut LoopProgram, body: &[Node], rows: &For) -> Vec<Node> {
    let one = |node: &Node| {
        let Node::For(header) = node else { return node.clone() };
        if header.body.iter().any(Node::has_loop) {
            let body = around(program, &header.body, rows);
            return Node::For(Box::new(For { body, ..header.bare() }));
        }
        let (blocks, columns) = cut(program, header, BLOCK[1]);
        let columns = For { body: header.body.clone(), ..columns };
        let rows = For { body: vec![Node::For(Box::new(columns))], ..rows.clone() };
        Node::For(Box::new(For { body: vec![Node::For(Box::new(rows))], ..blocks }))
    };
    body.iter().map(one).collect()
}

/// A loop over blocks of so many steps of another one, and this over the steps of a block; without bodies.
fn cut(program: &mut LoopProgram, header: &For, steps: i64) -> (For, For) {
    let name = program.ints[header.var.index()].clone();
    let start = program.add_int(name);
    let stride = Some((steps, header.lower[0].clone()));
    let blocks = For { var: start, stride, ..header.bare() };
    let mut within = For { lower: vec![Int::Var(start)], ..header.bare() };
    within.upper.push(Int::Var(start).offset(steps));
    (blocks, within)
}

#[cfg(test)]
mod tests {
    use super::in_blocks;
    use crate::loops::LoopProgram;

    /// How many loops go by blocks in these nodes, with buffers of all kinds.
    fn blocks(body: &str) -> usize {
        let text = format!(
            "loops f\nsize n\nsize m\ninput a: real[n, n]\ninput c: real[n, n, n]\ninput k: real[n, n, 3]\n\
             output b: real[n, n]\noutput d: real[n, n, n]\nints i, j, l\nreals r, s\nstatements s\n{body}\n"
        );
        let mut program = LoopProgram::parse(&text).unwrap_or_else(|e| panic!("{e}"));
        in_blocks(&mut program);
        let printed = program.to_string();
        assert!(crate::loops::verify::verify(&program).is_ok(), "{printed}");
        printed.matches(" where ").count()
    }

    fn nest(ends: &str, body: &str) -> usize {
        blocks(&format!(
            "for any i in 0 .. n {{\n    for any j in {ends} {{\n        {body}\n    }}\n}}"
        ))
    }

    #[test]
    fn rows_and_columns_of_whole_nests_go_by_blocks() {
        assert_eq!(nest("0 .. n", "b[i, j] = a[i, j] + a[j, i]"), 2);
        assert_eq!(nest("1 .. n - 1", "b[i, j] = a[j - 1, i + 1]"), 2);
        assert_eq!(nest("0 .. n", "b[j, i] = a[i, j]"), 2);
        assert_eq!(nest("0 .. n", "b[i, j] = k[j, i, 1] + k[j, i, 0]"), 2);
        let between = "for any i in 0 .. n {\n    for any l in 0 .. m {\n        for any j in 0 .. n {\n            \
                       d[i, l, j] = c[j, l, i]\n        }\n    }\n}";
        assert_eq!(blocks(between), 2);
        assert_eq!(blocks(&between.replace("c[j, l, i]", "c[l, j, i]")), 2);
    }

    #[test]
    fn nests_are_taken_out_of_sums() {
        let sums = |step: &str| {
            format!(
                "s = 0.0\nfor i in 0 .. n {{\n    r = 0.0\n    for j in 0 .. n {{\n        r += a[i, j]\n        {step}\n    }}\n    \
                 s += r * r\n}}"
            )
        };
        assert_eq!(blocks(&sums("b[i, j] = a[i, j] + a[j, i]")), 2);
        // what needs the sum so far, the step before, or nothing down a column
        assert_eq!(blocks(&sums("b[i, j] = r + a[j, i]")), 0);
        assert_eq!(blocks(&sums("b[i, j + 1] = b[i, j] + a[j, i]")), 0);
        assert_eq!(blocks(&sums("b[i, j] = a[i, j] + 1.0")), 0);
    }

    #[test]
    fn other_nests_do_not() {
        // all go along rows, or none does
        assert_eq!(nest("0 .. n", "b[i, j] = a[i, j] + a[i + 1, j]"), 0);
        assert_eq!(nest("0 .. n", "b[j, i] = a[j, i]"), 0);
        // a triangle, few steps, from a size on
        assert_eq!(nest("0 .. i", "b[i, j] = a[j, i]"), 0);
        assert_eq!(nest("0 .. 5", "b[i, j] = a[j, i]"), 0);
        assert_eq!(nest("m .. n", "b[i, j] = a[j, i]"), 0);
        // a diagonal goes along no row
        assert_eq!(nest("0 .. n", "b[i, j] = a[i, i + j]"), 0);
        let sum = "r = 0.0\nfor i in 0 .. n {\n    for j in 0 .. n {\n        r += a[i, j] * a[j, i]\n    }\n}";
        assert_eq!(blocks(sum), 0);
    }
}
