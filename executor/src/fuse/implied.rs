//! Conditions that hold wherever they matter are dropped, and what stands under conditions that never hold.
//!
//! In `for i in 0 .. b { if b >= 1 { .. } }` the condition holds at each step, in `for i in 0 .. b { if i >= b { .. } }` at none. In `if b >= 1 { for i in 0 .. b { .. } }` the loop
//! has no steps where it does not hold, so nothing is done then either. Without it the loop may run as one with others over `i`.

use super::facts::Facts;
use crate::loops::{Cond, For, Int, Node};

/// The nodes without the conditions that the loops around them imply, or each of the loops that alone stand under them, and
/// without what stands under conditions that contradict those loops.
pub(super) fn drop_implied(nodes: &[Node]) -> Vec<Node> {
    drop_where(nodes, &Facts::default())
}

/// The same, where these facts hold.
pub(super) fn drop_where(nodes: &[Node], facts: &Facts) -> Vec<Node> {
    let one = |node: &Node| {
        let mut inside = facts.clone();
        inside.inside(node);
        let node = node.clone().map_inside(|body| drop_where(&body, &inside));
        let Node::If(cond, body) = &node else { return vec![node] };
        if fails(cond, &mut facts.clone()) {
            Vec::new()
        } else if is_implied(cond, body, facts) {
            body.clone()
        } else {
            vec![node]
        }
    };
    nodes.iter().flat_map(one).collect()
}

/// Whether a condition on sizes and variables holds where the facts do, or wherever a step of the nodes under it is done.
fn is_implied(cond: &Cond, body: &[Node], facts: &Facts) -> bool {
    holds(cond, &mut facts.clone())
        || body.iter().all(|node| match node {
            Node::Note(_) => true,
            Node::For(header) if has_plain_ends(header) => {
                let mut facts = facts.clone();
                facts.bounds(header);
                holds(cond, &mut facts)
            }
            Node::For(_)
            | Node::If(..)
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

/// Whether nothing is read, and nothing can fail, where a loop begins.
fn has_plain_ends(header: &For) -> bool {
    let residue = header.stride.iter().map(|(_, residue)| residue);
    header.lower.iter().chain(&header.upper).chain(residue).all(Int::is_affine)
}

/// Whether a condition follows, and is on sizes and variables: the facts of what is read may be of another time.
fn holds(cond: &Cond, facts: &mut Facts) -> bool {
    is_affine(cond) && facts.imply(cond)
}

/// Whether a condition never holds, since a part of it, on sizes and variables, fails.
fn fails(cond: &Cond, facts: &mut Facts) -> bool {
    match cond {
        Cond::Int(cmp, a, b) => is_affine(cond) && facts.refute(*cmp, a, b),
        Cond::All(parts) => parts.iter().any(|part| fails(part, facts)),
        Cond::Real(..) | Cond::Member(..) | Cond::Not(_) | Cond::Any(_) => false,
    }
}

fn is_affine(cond: &Cond) -> bool {
    match cond {
        Cond::Int(_, a, b) => a.is_affine() && b.is_affine(),
        Cond::All(parts) => parts.iter().all(is_affine),
        Cond::Real(..) | Cond::Member(..) | Cond::Not(_) | Cond::Any(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::drop_implied;
    use crate::loops::LoopProgram;

    /// A body without implied conditions, as text.
    fn dropped(body: &str) -> String {
        let head = "loops f\nsize b\nsize d\ninput p: int[b]\noutput y: real[b, d]\nints i, k, t\nstatements y\n";
        let mut program = LoopProgram::parse(&format!("{head}{body}")).unwrap();
        program.body = drop_implied(&program.body);
        program.to_string().split_once("statements y\n").unwrap().1.to_owned()
    }

    const STORES: &str = "        for any k in 0 .. d {\n            y[i, k] = 0.0\n        }\n";

    #[test]
    fn conditions_that_loops_imply_are_dropped() {
        let directly = format!("if b >= 1 {{\n    for i in 0 .. b {{\n{STORES}    }}\n}}\n");
        let around = format!("for i in 0 .. b {{\n    if b >= 1 {{\n{STORES}    }}\n}}\n");
        let alone =
            "for i in 0 .. b {\n    for any k in 0 .. d {\n        y[i, k] = 0.0\n    }\n}\n";
        for text in [directly, around] {
            assert_eq!(dropped(&text), alone);
        }
    }

    #[test]
    fn what_stands_under_conditions_that_never_hold_is_dropped() {
        for never in ["i >= b", "0 >= i + 1", "i < b and i >= b"] {
            let text =
                format!("for i in 0 .. b {{\n    t = i\n    if {never} {{\n{STORES}    }}\n}}\n");
            assert_eq!(dropped(&text), "for i in 0 .. b {\n    t = i\n}\n");
        }
        // what is read may be another number then
        let read = "for i in 0 .. b {\n    if p[i] < 0 and p[i] >= 0 {\n        t = i\n    }\n}\n";
        assert_eq!(dropped(read), read);
    }

    #[test]
    fn other_conditions_stay() {
        let steps = |cond: &str, ends: &str, first: &str| {
            format!("if {cond} {{\n{first}    for i in {ends} {{\n{STORES}    }}\n}}\n")
        };
        for text in [
            // the loop has steps where it fails
            steps("b >= 2", "0 .. b", ""),
            // an outer loop would take steps that do nothing
            steps("d >= 1", "0 .. b", ""),
            // what a read says is not looked at, and an end may be out of bounds without it
            steps("p[0] >= 1", "0 .. b", ""),
            steps("b >= 1", "p[0] .. b", ""),
            // something else is done too
            steps("b >= 1", "0 .. b", "    visit y\n"),
            steps("b >= 1", "0 .. b", "    t = p[0]\n"),
        ] {
            assert_eq!(dropped(&text), text);
        }
    }
}
