//! In windows of columns: loops over rows that are taken into the recurrence whose rows they read.
//!
//! In `for down j in 0 .. n { for any i { t[j, i] = t[j + 1, i] * x[j] } }; for any j in 1 .. n { for i { y[j] += s[j, i] * t[j, i] } }` the
//! second loop reads at each step the row that the first one has written there. So it does as a part of that step: `for down j in 0 .. n { ..;
//! for i { y[j] += s[j, i] * t[j, i] } }`, under `j >= 1` where that is not implied. A row is read while it is in registers or the nearest cache,
//! and if no other row is read, few are kept ([`rolling`](super::rolling)).
//!
//! A loop over the columns of the window stays: of its steps `i` the window has those from `w` on below `w + 64`, of those of a recurrence all.
//!
//! The recurrence may be several loops over steps, one after the other, that have all steps of the other loop.
//!
//! * **Work**, **bits**: the same. What is at the step of another one touches other entries.

use super::facts::Facts;
use super::footprint::Footprint;
use super::fresh::Fresh;
use super::implied::drop_where;
use super::rolling::at_most;
use super::unroll::Fix;
use crate::loops::walk::Rewrite;
use crate::loops::window::windows;
use crate::loops::{CmpOp, Cond, For, Int, IntId, LoopProgram, Node, Order, RelationTable};

/// A recurrence of more loops takes nothing.
const MOST: usize = 4;

/// Takes loops over rows into recurrences, in windows at top level.
pub(super) fn take_in(program: &mut LoopProgram) {
    let relations = program.relations.clone();
    let body = std::mem::take(&mut program.body);
    let mut fresh = Fresh::new(program, &body);
    let one = |node: Node| {
        let Node::For(mut header) = node else { return node };
        if header.stride.is_some() {
            let mut facts = Facts::default();
            facts.bounds(&header);
            let columns = windows(&header);
            let nodes = std::mem::take(&mut header.body);
            let mut window = Window { relations: &relations, facts, columns, fresh: &mut fresh };
            header.body = window.nodes(nodes);
        }
        Node::For(header)
    };
    let body = body.into_iter().map(one).collect();
    program.body = body;
}

struct Window<'w, 'p> {
    relations: &'w [RelationTable],
    /// What holds in it.
    facts: Facts,
    /// The variables of loops over its columns.
    columns: Vec<IntId>,
    fresh: &'w mut Fresh<'p>,
}

impl Window<'_, '_> {
    fn nodes(&mut self, nodes: Vec<Node>) -> Vec<Node> {
        let mut out: Vec<Node> = Vec::new();
        for node in nodes {
            let Some(steps) = self.recurrence(&out, &node) else {
                out.push(node);
                continue;
            };
            let Node::For(rows) = node else { unreachable!("a recurrence takes a loop") };
            let note = out.pop_if(|last| matches!(last, Node::Note(_)));
            for (at, place) in steps.into_iter().enumerate() {
                let rows = if at == 0 { (*rows).clone() } else { self.fresh.copy(&rows) };
                let Node::For(step) = &mut out[place] else {
                    unreachable!("a recurrence is loops")
                };
                self.take(step, &rows, note.clone());
            }
        }
        out
    }

    /// The places of the loops of the recurrence, last in a list, that may take a loop over rows.
    fn recurrence(&self, before: &[Node], node: &Node) -> Option<Vec<usize>> {
        let Node::For(rows) = node else { return None };
        let own = Footprint::of(std::slice::from_ref(node));
        let mut steps: Vec<(usize, &For)> = Vec::new();
        let others = before.iter().enumerate().rev();
        for (place, node) in others.filter(|(_, node)| !matches!(node, Node::Note(_))) {
            let Node::For(header) = node else { break };
            let goes_on = header.order != Order::Parallel
                && header.stride.is_none()
                && steps.iter().all(|(_, later)| later.order == header.order);
            if !goes_on {
                break;
            }
            steps.push((place, header));
        }
        let (_, last) = steps.first()?;
        let touched = |place: &usize| Footprint::of(std::slice::from_ref(&before[*place]));
        let meets =
            |(place, header): &(usize, &For)| touched(place).meets(header.var, &own, rows.var);
        let aligned = |(place, header): &(usize, &For)| {
            touched(place).is_aligned(self.relations, header.var, &own, rows.var)
        };
        let apart = |at: usize| {
            let (a, others) = (steps[at].1, &steps[..at]);
            others
                .iter()
                .all(|(_, b)| at_most(&a.upper, &b.lower, 0) || at_most(&b.upper, &a.lower, 0))
        };
        let mut facts = self.facts.clone();
        facts.bounds(rows);
        let loops: Vec<&For> = steps.iter().map(|(_, header)| *header).collect();
        let taken = rows.stride.is_none()
            && !self.columns.contains(&rows.var)
            && (rows.order == Order::Parallel || rows.order == last.order)
            && steps.len() <= MOST
            && steps.iter().any(meets)
            && steps.iter().all(aligned)
            && (0..steps.len()).all(apart)
            && are_steps(&facts, &Int::Var(rows.var), &loops);
        taken.then(|| steps.iter().map(|(place, _)| *place).collect())
    }

    /// Adds rows to the steps of a loop that are theirs.
    fn take(&self, step: &mut For, rows: &For, note: Option<Node>) {
        let mut facts = self.facts.clone();
        facts.bounds(step);
        let nodes = drop_where(&in_steps(step, rows), &facts);
        if !nodes.is_empty() {
            step.body.extend(note.into_iter().chain(nodes));
        }
    }
}

/// What a loop does in the steps of another one, under conditions where it has not all of them.
pub(super) fn in_steps(steps: &For, taken: &For) -> Vec<Node> {
    let own = Int::Var(steps.var);
    let within = |cmp, ends: &[Int], all: &[Int]| -> Vec<Cond> {
        let ends = ends.iter().filter(|end| !all.contains(end));
        ends.map(|end| Cond::Int(cmp, own.clone(), end.clone())).collect()
    };
    let mut tests = within(CmpOp::Ge, &taken.lower, &steps.lower);
    tests.extend(within(CmpOp::Lt, &taken.upper, &steps.upper));
    let nodes = Fix { var: taken.var, value: own.clone() }.nodes(&taken.body);
    match tests.len() {
        0 => nodes,
        1 => vec![Node::If(tests.remove(0), nodes)],
        _ => vec![Node::If(Cond::All(tests), nodes)],
    }
}

/// Whether each step that the facts allow is one of some loops.
fn are_steps(facts: &Facts, step: &Int, loops: &[&For]) -> bool {
    let Some((first, rest)) = loops.split_first() else {
        return facts.clone().prove(CmpOp::Lt, &Int::Const(0), &Int::Const(0));
    };
    let others = |cmp, end: &Int| {
        let mut beyond = facts.clone();
        beyond.compare(cmp, step, end);
        are_steps(&beyond, step, rest)
    };
    first.lower.iter().all(|end| others(CmpOp::Lt, end))
        && first.upper.iter().all(|end| others(CmpOp::Ge, end))
}

#[cfg(test)]
mod tests {
    use super::take_in;
    use crate::loops::LoopProgram;

    const HEAD: &str = "loops f\nsize n\nsize m\ninput x: real[m]\nlocal t: real[m, 64]\noutput y: real[m]\n\
                        ints w, j, i, k, a, r, b\nstatements y\n";

    /// Windows in which these loops stand, as text.
    fn taken(nodes: &str) -> String {
        let lines = nodes.lines().map(|line| format!("    {line}\n")).collect::<String>();
        let text = format!("{HEAD}for w in 0 .. n where 0 of 64 {{\n{lines}}}\n");
        let mut program = LoopProgram::parse(&text).unwrap();
        take_in(&mut program);
        let text = program.to_string();
        let (_, body) = text.split_once("where 0 of 64 {\n").unwrap();
        body.lines().filter_map(|line| Some(format!("{}\n", line.strip_prefix("    ")?))).collect()
    }

    const ROW: &str = "    for any i in w .. min(w + 64, n) {
        t[j, i - w] = t[j + 1, i - w] * x[j]
    }
";

    fn steps(ends: &str, more: &str) -> String {
        format!("for down j in {ends} {{\n{ROW}{more}}}\n")
    }

    fn sum(order: &str, ends: &str, row: &str) -> String {
        format!(
            "for {order}k in {ends} {{\n    for a in w .. min(w + 64, n) {{\n        y[k] += t[{row}, a - w]\n    }}\n}}\n"
        )
    }

    #[test]
    fn rows_are_read_in_the_step_that_writes_them() {
        let own = "    for a in w .. min(w + 64, n) {\n        y[j] += t[j, a - w]\n    }\n";
        for order in ["any ", "down "] {
            let text = steps("0 .. m - 1", "") + &sum(order, "0 .. m - 1", "k");
            assert_eq!(taken(&text), steps("0 .. m - 1", own));
        }
        // some of the steps alone
        let text = steps("0 .. m - 1", "") + &sum("any ", "1 .. m - 1", "k");
        let under = own.lines().map(|line| format!("    {line}\n")).collect::<String>();
        let under = format!("    if j >= 1 {{\n{under}    }}\n");
        assert_eq!(taken(&text), steps("0 .. m - 1", &under));
        // a condition that the loop inside implies
        let triangle =
            "    for a in w .. min(w + 64, n, j) {\n        y[j] += t[j, a - w]\n    }\n";
        let text =
            steps("0 .. m - 1", "") + &sum("any ", "1 .. m - 1", "k").replace("n) {", "n, k) {");
        assert_eq!(taken(&text), steps("0 .. m - 1", triangle));
    }

    #[test]
    fn recurrences_of_two_loops_take_rows_in_both() {
        let first = "for down r in max(0, m - 1) .. m {\n    for any b in w .. min(w + 64, n) {\n        t[r, b - w] = 1.0\n    }\n}\n";
        let text = format!("{first}{}{}", steps("0 .. m - 1", ""), sum("any ", "0 .. m", "k"));
        let found = taken(&text);
        assert_eq!(found.matches("y[r] += t[r, ").count(), 1, "{found}");
        assert_eq!(found.matches("y[j] += t[j, ").count(), 1, "{found}");
        assert!(!found.contains("y[k]") && !found.contains("if "), "{found}");
    }

    #[test]
    fn other_loops_stay() {
        for text in [
            // in the other order
            steps("0 .. m - 1", "") + &sum("", "0 .. m - 1", "k"),
            // the row of another step
            steps("0 .. m - 1", "") + &sum("any ", "0 .. m - 1", "k + 1"),
            // more steps than there are
            steps("0 .. m - 1", "") + &sum("any ", "0 .. m", "k"),
            // the columns of the window
            steps("0 .. m - 1", "")
                + "for any k in w .. min(w + 64, m - 1) {\n    y[k] += t[k, k - w]\n}\n",
            // steps that two loops have
            steps("0 .. m - 1", "") + &steps("0 .. m - 1", "") + &sum("any ", "0 .. m - 1", "k"),
        ] {
            assert_eq!(taken(&text), text);
        }
    }
}
