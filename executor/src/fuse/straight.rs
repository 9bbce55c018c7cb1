//! The steps of a loop before or after its middle as straight lines, where the sizes allow it.
//!
//! In `for l in 0 .. min(2, w) { for q in max(0, l - w + 1) .. min(3, l + 1) { .. } }`, the steps before those in which the inner loop has all
//! of its own, it has one step for `l = 0` and two for `l = 1`, if `w >= 2`. So the loop is `if w >= 2 { .. }`, with three copies of what stands
//! inside, and itself for smaller `w`: the columns at the border of an image cost what their points cost.

use super::ends::{Naturals, of_sizes, strongest};
use super::unroll::{Fix, MAX_NODES, count};
use crate::loops::walk::Rewrite;
use crate::loops::{CmpOp, Cond, For, Int, Node};
use crate::lower::UNROLLED;

/// A loop that has so many steps, from `first` on, if none of `naturals` is negative, as lines in which the loops inside it have
/// constant ends; and where they have, if sizes decide it.
pub(super) fn straight(
    border: &For,
    first: &Int,
    steps: i64,
    naturals: Vec<Int>,
) -> Option<(Vec<Node>, Cond)> {
    let few = (1..=UNROLLED).contains(&steps) && count(&border.body) * steps as usize <= MAX_NODES;
    if !few || border.stride.is_some() {
        return None;
    }
    let mut ends = Constant { naturals };
    let mut line = Vec::new();
    for step in 0..steps {
        let mut fix = Fix { var: border.var, value: first.clone().offset(step) };
        line.extend(ends.nodes(fix.nodes(&border.body))?);
    }
    let mut conditions = ends.conditions()?;
    let one = conditions.len() == 1;
    Some((line, if one { conditions.remove(0) } else { Cond::All(conditions) }))
}

/// Makes the ends of loops constants, and collects what must not be negative for that.
struct Constant {
    naturals: Vec<Int>,
}

impl Constant {
    fn nodes(&mut self, nodes: Vec<Node>) -> Option<Vec<Node>> {
        nodes.into_iter().map(|node| self.node(node)).collect()
    }

    fn node(&mut self, node: Node) -> Option<Node> {
        if let Node::If(cond, body) = node {
            return Some(Node::If(cond, self.nodes(body)?));
        }
        let Node::For(mut header) = node else { return Some(node) };
        let (start, end) = header.constants().filter(|_| header.stride.is_none())?;
        let (lower, upper) = (vec![Int::Const(start)], vec![Int::Const(end)]);
        let lower = std::mem::replace(&mut header.lower, lower);
        let upper = std::mem::replace(&mut header.upper, upper);
        self.naturals.extend(lower.into_iter().map(|e| Int::Const(start).minus(e)));
        self.naturals.extend(upper.into_iter().map(|e| e.offset(-end)));
        header.body = self.nodes(header.body)?;
        Some(Node::For(header))
    }

    /// What sizes decide of it; `None` if something else does, or it cannot be.
    fn conditions(&self) -> Option<Vec<Cond>> {
        let sizes = Naturals::of(&[]);
        let open = self.naturals.iter().filter(|e| !sizes.at_least(e, &Int::Const(0)));
        let open = strongest(open, |a, b| sizes.at_least(b, a));
        if open.iter().any(|e| e.as_const().is_some() || !of_sizes(e)) {
            return None;
        }
        let at_least = |e: Int| {
            let Int::Sum(_, constant) = e else { return Cond::Int(CmpOp::Ge, e, Int::Const(0)) };
            Cond::Int(CmpOp::Ge, e.offset(-constant), Int::Const(-constant))
        };
        Some(open.into_iter().map(at_least).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::straight;
    use crate::loops::{Int, LoopProgram, Node};

    fn edge(range: &str, inner: &str, steps: i64) -> Option<String> {
        let head = "loops f\nsize n\nsize m\ninput x: real[m]\noutput y: real[n + 2]\nints i, q\n";
        let text =
            format!("{head}for any i in {range} {{\nfor q in {inner} {{\ny[i] += x[q]\n}}\n}}\n");
        let mut program = LoopProgram::parse(&text).unwrap_or_else(|e| panic!("{text}{e}"));
        let Some(Node::For(border)) = program.body.pop() else { panic!("{text}") };
        let from = border.lower[0].clone();
        let sizes = vec![Int::Size(crate::loops::SizeId(0))];
        let (line, whole) = straight(&border, &from, steps, sizes)?;
        program.body = vec![Node::If(whole, line)];
        Some(program.to_string())
    }

    #[test]
    fn steps_are_straight_lines_where_the_sizes_allow_it() {
        let text = edge("0 .. 2", "max(0, i - n + 1) .. min(3, i + 1)", 2).unwrap_or_default();
        assert!(text.contains("if n >= 2 {"), "{text}");
        assert!(text.contains("for q in 0 .. 1 {") && text.contains("for q in 0 .. 2 {"), "{text}");
        let text = edge("0 .. 2", "0 .. i + 1", 2).unwrap_or_default();
        assert!(text.contains("if true {"), "{text}");
    }

    #[test]
    fn what_sizes_do_not_decide_stays() {
        for (inner, steps) in [("0 .. m", 2), ("0 .. min(3, m * n)", 2), ("0 .. i + 1", 9)] {
            assert!(edge("0 .. 2", inner, steps).is_none(), "{inner}");
        }
        assert!(edge("0 .. 2", "0 .. min(3, i - 4)", 2).is_some(), "no steps are none");
    }
}
