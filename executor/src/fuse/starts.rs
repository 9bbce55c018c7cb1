//! Ranges that are cleared and then added to begin with what is added.
//!
//! After `for any i in 0 .. j { t[j, i] = 0 }; for any i in 0 .. j - 1 { t[j, i] += x }; t[j, j - 1] += y`, the pieces of a row, each
//! entry holds one value: so each is stored, and nothing is left to clear.

use super::ends::strongest;
use super::facts::{Facts, settings};
use super::sites::{Kind, Site, differ, only, sites};
use crate::loops::{CmpOp, Fold, For, Int, IntId, LoopProgram, Node, Order, Place, Real};
use rustc_hash::FxHashMap;

/// Has the first values that are added to cleared ranges stored.
pub(super) fn store_first(program: &mut LoopProgram) {
    let body = std::mem::take(&mut program.body);
    let settings = settings(&body);
    program.body = Starts { program, settings }.list(body, &Facts::default());
}

struct Starts<'p> {
    program: &'p mut LoopProgram,
    settings: FxHashMap<IntId, usize>,
}

impl Starts<'_> {
    fn list(&mut self, nodes: Vec<Node>, around: &Facts) -> Vec<Node> {
        let mut facts = around.clone();
        let mut out = Vec::new();
        for node in nodes {
            let mut inner = facts.clone();
            inner.inside(&node);
            facts.after(&node, &self.settings);
            out.push(node.map_inside(|body| self.list(body, &inner)));
        }
        let mut at = 0;
        while at < out.len() {
            let clear = Clear::of(&out[at]);
            if let Some(rest) =
                clear.and_then(|clear| self.begin(&clear, &mut out[at + 1..], around))
            {
                let count = rest.len();
                out.splice(at..=at, rest);
                at += count;
            } else {
                at += 1;
            }
        }
        out
    }

    /// Has what later nodes add first stored, and gives what is left to clear; `None` if that is all.
    fn begin(&mut self, clear: &Clear, later: &mut [Node], around: &Facts) -> Option<Vec<Node>> {
        let mut facts = around.clone();
        let mut pieces = vec![clear.range.clone()];
        let mut others: Vec<Range> = Vec::new();
        let mut found = false;
        for node in later {
            if sets_ints(node) {
                break;
            }
            match clear.touch(node) {
                Touch::Apart => {}
                Touch::Unknown => break,
                Touch::Other(range) => others.push(range),
                Touch::Adds(range) => {
                    let cleared = pieces.iter().any(|piece| range.is_within(piece, &mut facts));
                    if cleared && others.iter().all(|o| o.is_apart(&range, &mut facts)) {
                        // of all pieces: where one of several ends counts, pieces overlap
                        let rest = pieces.iter().flat_map(|p| p.without(&range, &mut facts));
                        pieces = rest.collect();
                        store(clear, node);
                        found = true;
                    } else {
                        others.push(range);
                    }
                }
            }
        }
        let rest = pieces.into_iter().map(|Range { lower, upper }| {
            let var = self.program.add_int(self.program.ints[clear.var.index()].clone());
            let place = Place { indices: clear.entry(&Int::Var(var)), ..clear.place.clone() };
            let body = vec![Node::Store(place, Real::Const(clear.value))];
            let order = Order::Parallel;
            Node::For(Box::new(For { var, lower, upper, stride: None, order, body }))
        });
        found.then(|| rest.collect())
    }
}

/// Whether integers that ends of ranges may read are changed.
fn sets_ints(node: &Node) -> bool {
    let sets = matches!(node, Node::SetInt(..) | Node::StoreInt(..) | Node::AddInt(..));
    sets || node.inside().iter().any(sets_ints)
}

/// Makes what is added to a row the first value.
fn store(clear: &Clear, node: &mut Node) {
    let list = if let Node::For(header) = node {
        header.body.as_mut_slice()
    } else {
        std::slice::from_mut(node)
    };
    for node in list {
        if let Node::Accumulate(place, _, e) = node
            && place.buffer == clear.place.buffer
        {
            *node = Node::Store(place.clone(), e.clone());
        }
    }
}

/// A range of a row: from the greatest to below the least.
#[derive(Clone)]
struct Range {
    lower: Vec<Int>,
    upper: Vec<Int>,
}

impl Range {
    fn of(header: &For) -> Self {
        Self { lower: header.lower.clone(), upper: header.upper.clone() }
    }

    fn is_within(&self, other: &Self, facts: &mut Facts) -> bool {
        let mut proved = |cmp, all: &[Int], some: &[Int]| {
            all.iter().all(|a| some.iter().any(|b| facts.prove(cmp, b, a)))
        };
        proved(CmpOp::Ge, &other.lower, &self.lower) && proved(CmpOp::Le, &other.upper, &self.upper)
    }

    fn is_apart(&self, other: &Self, facts: &mut Facts) -> bool {
        let mut before = |a: &Self, b: &Self| {
            a.upper.iter().any(|end| b.lower.iter().any(|start| facts.prove(CmpOp::Le, end, start)))
        };
        before(self, other) || before(other, self)
    }

    /// What is before and after a range within this one.
    fn without(&self, other: &Self, facts: &mut Facts) -> Vec<Self> {
        let pieces = other.lower.iter().map(|start| {
            (self.lower.clone(), [self.upper.as_slice(), std::slice::from_ref(start)].concat())
        });
        let after = other.upper.iter().map(|end| {
            ([self.lower.as_slice(), std::slice::from_ref(end)].concat(), self.upper.clone())
        });
        let pieces = pieces.chain(after).map(|(lower, upper)| {
            let lower = strongest(lower.iter(), |a, b| facts.prove(CmpOp::Ge, a, b));
            let upper = strongest(upper.iter(), |a, b| facts.prove(CmpOp::Le, a, b));
            Self { lower, upper }
        });
        let pieces: Vec<Self> = pieces.collect();
        let mut empty = |piece: &Self| {
            piece
                .upper
                .iter()
                .any(|end| piece.lower.iter().any(|start| facts.prove(CmpOp::Le, end, start)))
        };
        pieces.into_iter().filter(|piece| !empty(piece)).collect()
    }
}

/// A loop that clears a range of a row.
struct Clear {
    var: IntId,
    range: Range,
    place: Place,
    value: f64,
}

/// How a node touches the row.
enum Touch {
    /// Not at all.
    Apart,
    /// It only adds, once to each entry of a range.
    Adds(Range),
    /// It touches entries of a range.
    Other(Range),
    Unknown,
}

impl Clear {
    fn of(node: &Node) -> Option<Self> {
        let Node::For(header) = node else { return None };
        let Node::Store(place, Real::Const(value)) = only(&header.body)? else { return None };
        let own = Int::Var(header.var);
        let one = place.indices.iter().filter(|index| **index == own).count() == 1;
        let plain = one && header.order == Order::Parallel && header.stride.is_none();
        let (var, range) = (header.var, Range::of(header));
        plain.then(|| Self { var, range, place: place.clone(), value: *value })
    }

    /// The entry of the row at an index.
    fn entry(&self, index: &Int) -> Vec<Int> {
        let own = Int::Var(self.var);
        let each = |e: &Int| if *e == own { index.clone() } else { e.clone() };
        self.place.indices.iter().map(each).collect()
    }

    fn touch(&self, node: &Node) -> Touch {
        let touched = sites(std::slice::from_ref(node));
        let all = touched.get(&self.place.buffer).map_or(&[][..], Vec::as_slice);
        let axis = self.place.indices.iter().position(|e| *e == Int::Var(self.var));
        let axis = axis.unwrap_or_else(|| unreachable!("the loop moves along a row"));
        let row = |indices: &[Int]| self.entry(&indices[axis]);
        let mut own = all.iter().filter(|site| !differ(&site.indices, &row(&site.indices)));
        let Some(first) = own.next() else { return Touch::Apart };
        let index = &first.indices[axis];
        let (range, depth) = if let Node::For(header) = node {
            if header.stride.is_some() || *index != Int::Var(header.var) {
                return Touch::Unknown;
            }
            (Range::of(header), 2)
        } else if matches!(node, Node::Accumulate(..) | Node::Store(..)) {
            (Range { lower: vec![index.clone()], upper: vec![index.clone().offset(1)] }, 1)
        } else {
            return Touch::Unknown;
        };
        let others: Vec<&Site> = own.collect();
        if others.iter().any(|site| site.indices[axis] != *index) {
            return Touch::Unknown;
        }
        let begins = |fold: Fold| fold.empty().to_bits() == self.value.to_bits();
        let adds = matches!(first.kind, Kind::Accumulate(fold) if begins(fold));
        let alone = others.is_empty() && first.path.len() == depth;
        let once = adds && alone && first.indices == row(&first.indices);
        if once { Touch::Adds(range) } else { Touch::Other(range) }
    }
}

#[cfg(test)]
mod tests {
    use super::store_first;
    use crate::loops::LoopProgram;

    /// How many nodes clear and how many add, after the change.
    fn counts(body: &str) -> (usize, usize) {
        let head = "loops f\nsize n\ninput x: real[n]\noutput y: real[n, n]\nints j, i, k, l\n";
        let text = format!("{head}for j in 2 .. n {{\n{body}\n}}\n");
        let mut program = LoopProgram::parse(&text).unwrap_or_else(|e| panic!("{e}"));
        store_first(&mut program);
        let text = program.to_string();
        (text.matches("] = 0.0").count(), text.matches("+=").count())
    }

    const CLEAR: &str = "for any i in 0 .. j {\ny[j, i] = 0.0\n}\n";
    const ADD: &str = "for any k in 0 .. j - 1 {\ny[j, k] += x[k]\n}\n";

    #[test]
    fn pieces_of_a_cleared_row_are_stored() {
        assert_eq!(counts(&format!("{CLEAR}{ADD}y[j, j - 1] += x[j]")), (0, 0));
        assert_eq!(counts(&format!("{CLEAR}{ADD}")), (1, 0));
        let inner = "for any k in 1 .. j - 1 {\ny[j, k] += y[j - 1, k]\n}\n";
        assert_eq!(counts(&format!("{CLEAR}{inner}")), (2, 0));
        let beside = "for any l in j .. n {\ny[j, l] = x[l]\n}\n";
        assert_eq!(counts(&format!("{CLEAR}{beside}{ADD}")), (1, 0));
    }

    #[test]
    fn what_is_added_later_or_elsewhere_stays() {
        assert_eq!(counts(&format!("{CLEAR}{ADD}{}", ADD.replace('k', "l"))), (1, 1));
        assert_eq!(counts(&format!("{CLEAR}{}", ADD.replace("j - 1", "n"))), (1, 1));
        assert_eq!(counts(&format!("{CLEAR}{}", ADD.replace("x[k]", "y[j, 0]"))), (1, 1));
        assert_eq!(counts(&format!("{CLEAR}y[j, 0] = x[j]\n{ADD}")), (1, 1));
        let few = "for any k in 0 .. min((n / 2) + 1, (n + 1) / 2) {\ny[j, k] += x[k]\n}\n";
        let rest = "for any k in (n / 2) + 1 .. j {\ny[j, k] += x[k]\n}\n";
        let again = rest.replace('k', "l");
        assert_eq!(counts(&format!("{}{few}{rest}{again}", CLEAR.replace(".. j", ".. n"))).1, 1);
        let twice = "for any k in 0 .. j {\ny[j, k] += x[k]\ny[j, k] += x[k]\n}\n";
        assert_eq!(counts(&format!("{CLEAR}{twice}")), (1, 2));
    }
}
