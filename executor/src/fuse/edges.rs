//! In windows of columns: loops over steps, cut where these pass the window.
//!
//! A triangle gives loops over a part of a window, `for j in 0 .. n { for any i in max(w, j) .. min(w + 32, n) { .. } }`. There are few steps `j` at
//! which that is more than nothing and less than all: those in the window. So the loop over steps is cut into three: in the first one
//! `i` goes through the whole window, in the last one there is no loop. All others have as many steps for every `j`, and stay in registers.
//!
//! * **Work**, **bits**: the same.

use super::fresh::Fresh;
use super::rolling::offset;
use super::sites::has_checks;
use super::unroll::count;
use crate::loops::walk::{Rewrite, Visit, rebuild_node};
use crate::loops::window::windows;
use crate::loops::{For, Int, IntId, LoopProgram, Node, Order};
use crate::lower::UNROLLED;

/// A loop of more nodes is not cut.
const MOST: usize = 100;

/// Cuts loops over steps, in windows at top level.
pub(super) fn cut_at_windows(program: &mut LoopProgram) {
    let body = std::mem::take(&mut program.body);
    let mut fresh = Fresh::new(program, &body);
    let one = |node: Node| {
        let Node::For(mut header) = node else { return node };
        if let Some((rows, Int::Const(0))) = header.stride {
            let (start, over) = (header.var, windows(&header));
            let cut = |node: Node| {
                if let Node::For(steps) = node {
                    if over.contains(&steps.var) {
                        return vec![Node::For(steps)];
                    }
                    return Window { start, rows }.cut(&mut fresh, *steps);
                }
                vec![node]
            };
            header.body = header.body.into_iter().flat_map(cut).collect();
        }
        Node::For(header)
    };
    let body = body.into_iter().map(one).collect();
    program.body = body;
}

/// The rows of a window, from `start` on.
#[derive(Clone, Copy)]
struct Window {
    start: IntId,
    rows: i64,
}

impl Window {
    fn at(self, row: i64) -> Int {
        Int::Var(self.start).offset(row)
    }

    /// The parts of a loop over steps, in the order in which they run.
    fn cut(self, fresh: &mut Fresh<'_>, steps: For) -> Vec<Node> {
        let one = |header: For| Node::For(Box::new(header));
        let mut ends = Ends { window: self, step: steps.var, offsets: Vec::new() };
        steps.body.iter().for_each(|node| ends.node(node));
        let fixed = steps.stride.is_some() || has_checks(&steps.body);
        let (Some(least), Some(most)) = (ends.offsets.iter().min(), ends.offsets.iter().max())
        else {
            return vec![one(steps)];
        };
        let short = steps.most_steps().is_some_and(|steps| steps <= UNROLLED);
        if fixed || short || count(&steps.body) > MOST {
            return vec![one(steps)];
        }
        let (first, end) = (self.at(1 - most), self.at(self.rows - least));
        let mut parts = [Part::Before, Part::Within, Part::After].map(|part| {
            let mut header = if part == Part::Within { steps.clone() } else { fresh.copy(&steps) };
            if part != Part::Before {
                header.lower.push(if part == Part::Within { &first } else { &end }.clone());
            }
            if part != Part::After {
                header.upper.push(if part == Part::Within { &end } else { &first }.clone());
            }
            if part != Part::Within {
                header.body = Whole { window: self, step: header.var, part }.nodes(&header.body);
            }
            one(header)
        });
        if steps.order == Order::Descending {
            parts.reverse();
        }
        let does = |part: &Node| part.inside().iter().any(|node| !matches!(node, Node::Note(_)));
        parts.into_iter().filter(does).collect()
    }

    /// Whether a loop goes through a part of the window.
    fn is_around(self, header: &For) -> bool {
        header.lower.contains(&self.at(0)) && header.upper.contains(&self.at(self.rows))
    }
}

/// How far ends of loops over the window are from the step.
struct Ends {
    window: Window,
    step: IntId,
    offsets: Vec<i64>,
}

impl Visit for Ends {
    fn enter(&mut self, node: &Node) {
        if let Node::For(header) = node
            && self.window.is_around(header)
        {
            let ends = header.lower.iter().chain(&header.upper);
            self.offsets.extend(ends.filter_map(|end| offset(end, self.step)));
        }
    }
}

/// Which steps a part has: those before all that are an end in the window, these, or those after.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Before,
    Within,
    After,
}

/// Has loops over the window go through all of it, or leaves them out, in steps in front of it or behind it.
struct Whole {
    window: Window,
    step: IntId,
    part: Part,
}

impl Rewrite for Whole {
    fn node(&mut self, node: &Node) -> Vec<Node> {
        let mut rebuilt = rebuild_node(self, node);
        if let Node::For(header) = &mut rebuilt
            && self.window.is_around(header)
        {
            let moves = |end: &Int| offset(end, self.step).is_some();
            let (near, far) = match self.part {
                Part::Before => (&mut header.lower, &header.upper),
                Part::After => (&mut header.upper, &header.lower),
                Part::Within => return vec![rebuilt],
            };
            if far.iter().any(moves) {
                return Vec::new();
            }
            near.retain(|end| !moves(end));
        }
        vec![rebuilt]
    }
}

#[cfg(test)]
mod tests {
    use super::cut_at_windows;
    use crate::loops::LoopProgram;

    const HEAD: &str = "loops f\nsize n\nsize m\nlocal t: real[m, 64]\noutput y: real[m]\nints w, j, i, k\nstatements y\n";

    /// Windows in which a node stands, as text.
    fn cut(node: &str) -> String {
        let text = format!("{HEAD}for w in 0 .. n where 0 of 64 {{\n{node}}}\n");
        let mut program = LoopProgram::parse(&text).unwrap();
        cut_at_windows(&mut program);
        program.to_string().split_once("where 0 of 64 {\n").unwrap().1.to_owned()
    }

    /// A loop over steps with loops over columns below and from two columns behind a step.
    fn triangle(order: &str, ends: &str) -> String {
        format!(
            "    for {order}j in {ends} {{\n        for any i in w .. min(w + 64, n, j) {{\n            t[j, i - w] = 0.0\n        }}\n        \
             for any k in max(w, j + 2) .. min(w + 64, n) {{\n            t[j, k - w] = 1.0\n        }}\n    }}\n"
        )
    }

    #[test]
    fn steps_in_front_of_a_window_and_behind_it_have_whole_rows() {
        let whole = |ends: &str, value: &str| {
            format!(
                "    for j in {ends} {{\n        for any i in w .. min(w + 64, n) {{\n            t[j, i - w] = {value}\n        }}\n    }}\n"
            )
        };
        let renamed = |text: String| {
            ["j", "i", "k"].iter().fold(text, |text, name| {
                (2..9).fold(text, |text, number| text.replace(&format!("{name}_{number}"), name))
            })
        };
        let (before, after) =
            (whole("0 .. min(m, w - 1)", "1.0"), whole("max(0, w + 64) .. m", "0.0"));
        let before = before.replace(" i ", " k ").replace("i - w", "k - w");
        let within = triangle("", "max(0, w - 1) .. min(m, w + 64)");
        assert_eq!(renamed(cut(&triangle("", "0 .. m"))), format!("{before}{within}{after}}}\n"));
        let down = |text: &str| text.replace("for j", "for down j");
        let parts = [after, within, before].map(|part| down(&part)).concat();
        assert_eq!(renamed(cut(&triangle("down ", "0 .. m"))), format!("{parts}}}\n"));
    }

    #[test]
    fn few_steps_and_whole_rows_stay() {
        let row = "    for j in 0 .. m {\n        for any i in w .. min(w + 64, n) {\n            t[j, i - w] = 0.0\n        }\n    }\n";
        for text in [row.to_owned(), triangle("", "0 .. min(m, 2)")] {
            assert_eq!(cut(&text), format!("{text}}}\n"));
        }
    }
}
