//! Loops whose steps are independent become one loop.
//!
//! Loop B joins an earlier loop A if nothing between them touches what B touches, and
//! every entry that one of them writes and the other touches is at the same step of both:
//! at some axis, both index with exactly their loop variable, or the indices are the tuple of a relation
//! at the step. Where both ascend together it may be at a later step of B too: A writes `b[j]` in a loop over `j` in `i + 1 .. n`,
//! B reads `b[i]`. Their ranges are the same, or
//! differ at their ends and are cut ([`split`](super::split)).

use super::ends::Naturals;
use super::footprint::Footprint;
use super::fresh::Fresh;
use super::sites::apart;
use super::split::{Cut, guarded};
use super::unroll::Fix;
use crate::block::carries;
use crate::loops::walk::{Rewrite, Visit, walk_real};
use crate::loops::{For, Int, LoopProgram, Node, Order, Place, Real, RelationTable};
use crate::lower::UNROLLED;
use crate::math;
use crate::tile;

/// Merges the loops of a program, outer ones first.
pub(super) fn merge(program: &mut LoopProgram) {
    merge_among(program, Among::All);
}

/// Merges the loops of each statement that have the same ranges.
pub(super) fn merge_statements(program: &mut LoopProgram) {
    merge_among(program, Among::Statement);
}

/// Which loops are merged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Among {
    All,
    /// Those of one statement that have the same range.
    Statement,
}

fn merge_among(program: &mut LoopProgram, among: Among) {
    let body = std::mem::take(&mut program.body);
    let (naturals, relations) = (Naturals::of(&body), program.relations.clone());
    let facts = Facts { naturals, relations, among };
    let mut merge = Merge { facts, fresh: Fresh::new(program, &body) };
    program.body = merge.nodes(body, Ends::Apart);
}

/// What becomes of loops whose ranges differ at their ends.
#[derive(Clone, Copy)]
enum Ends {
    /// Their common range is a loop without conditions, and what is before and after it are loops too.
    Apart,
    /// One loop with conditions: at a border, where points are few.
    Tested,
}

/// A node, or loops over one variable that run as one, with what they touch.
struct Item {
    kind: Kind,
    footprint: Footprint,
    /// Whether a step of its loops may need a variable from the step before: those beside a search are independent, so it
    /// does not run with them.
    carries: bool,
}

enum Kind {
    Node(Node),
    Loops(Vec<For>),
}

impl Item {
    fn of(node: Node) -> Self {
        let footprint = Footprint::of(std::slice::from_ref(&node));
        let (kind, carries) = if let Node::For(header) = node {
            let carries = carries(&header);
            (Kind::Loops(vec![*header]), carries)
        } else {
            (Kind::Node(node), false)
        };
        Self { kind, footprint, carries }
    }

    fn is_note(&self) -> bool {
        matches!(self.kind, Kind::Node(Node::Note(_)))
    }

    /// Whether it stores a constant.
    fn is_clear(&self) -> bool {
        matches!(self.kind, Kind::Node(Node::Store(_, Real::Const(_))))
    }

    /// Whether it stores a constant to another entry than this one.
    fn clears_apart_from(&self, place: &Place) -> bool {
        matches!(&self.kind, Kind::Node(Node::Store(other, Real::Const(_)))
            if apart(&other.indices, &place.indices))
    }
}

/// Adds an item: to earlier loops, in front of them (what does not depend on them), or at the end.
fn place(facts: &Facts, out: &mut Vec<Item>, item: Item) {
    let Item { kind, footprint, carries } = item;
    let loops = match kind {
        Kind::Node(Node::Set(var, Real::Const(value)))
            if out.iter().all(|other| !other.footprint.touches_real(var)) =>
        {
            let kind = Kind::Node(Node::Set(var, Real::Const(value)));
            return out.insert(0, Item { kind, footprint, carries });
        }
        // what is cleared early is not in the way of the loops that add to it
        Kind::Node(Node::Store(place, Real::Const(value)))
            if out.iter().all(|other| {
                other.footprint.commutes(&footprint) || other.clears_apart_from(&place)
            }) =>
        {
            let front = out.iter().take_while(|other| other.is_note() || other.is_clear()).count();
            let kind = Kind::Node(Node::Store(place, Real::Const(value)));
            return out.insert(front, Item { kind, footprint, carries });
        }
        Kind::Node(node) => return place_node(out, node, footprint),
        Kind::Loops(loops) => loops,
    };
    // the last one that touches entries of its buffers, else the last one
    let mut found = None;
    for at in (0..out.len()).rev() {
        if let Kind::Loops(earlier) = &out[at].kind
            && out[at].carries == carries
        {
            let (a, b) = (earlier[0].var, loops[0].var);
            let (own, relations) = (&out[at].footprint, &facts.relations);
            let aligned = || match order(earlier.iter().chain(&loops)) {
                Some(Order::Ascending) => own.comes_before(relations, a, &footprint, b),
                Some(Order::Parallel | Order::Descending) | None => {
                    own.is_aligned(relations, a, &footprint, b)
                }
            };
            let meets = out[at].footprint.meets(a, &footprint, b);
            // what only clears is in front of all, where loops that need others cannot follow
            let waits = clears(earlier) && !clears(&loops);
            if (meets || found.is_none() && !waits)
                && aligned()
                && agree(facts, earlier, &loops, meets)
                && !loses_lanes(earlier, &loops)
            {
                found = Some(at);
                if meets {
                    break;
                }
            }
        }
        if !out[at].footprint.commutes(&footprint) {
            break;
        }
    }
    let Some(at) = found else {
        return out.push(Item { kind: Kind::Loops(loops), footprint, carries });
    };
    let note = out.pop_if(|last| last.is_note());
    join(&mut out[at], loops, note);
}

/// Whether loops store constants and do nothing else.
fn clears(loops: &[For]) -> bool {
    fn all(nodes: &[Node]) -> bool {
        nodes.iter().all(|node| {
            if let Node::For(header) = node {
                all(&header.body)
            } else {
                matches!(node, Node::Note(_) | Node::Store(_, Real::Const(_)))
            }
        })
    }
    loops.iter().all(|header| all(&header.body))
}

/// Adds a node that is no loop: a straight one in front of the loops that it does not depend on, so that it is not
/// between them and later ones, with its note and its visits; any other at the end.
fn place_node(out: &mut Vec<Item>, node: Node, footprint: Footprint) {
    let stays = matches!(node, Node::Note(_) | Node::Visit(_)) || node.has_loop();
    let item = Item { kind: Kind::Node(node), footprint, carries: false };
    if stays {
        return out.push(item);
    }
    let follows = out.iter().rposition(|other| !other.footprint.commutes(&item.footprint));
    let free = follows.map_or(0, |at| at + 1);
    let first = out[free..].iter().position(|other| matches!(other.kind, Kind::Loops(_)));
    let Some(mut first) = first else { return out.push(item) };
    first -= out[free..free + first].iter().rev().take_while(|other| other.is_note()).count();
    let own = out.iter().rposition(|other| !matches!(other.kind, Kind::Node(Node::Visit(_))));
    let own = own.map_or(0, |at| if out[at].is_note() { at } else { at + 1 });
    let mut moved = out.split_off(own.max(free + first + 1));
    moved.push(item);
    out.splice(free + first..free + first, moved);
}

/// Whether loops may run as one: the later ones have ranges that the earlier ones have, or ranges that
/// can be cut where they meet, so that a pass through memory is saved.
fn agree(facts: &Facts, earlier: &[For], later: &[For], meet: bool) -> bool {
    let members = || earlier.iter().chain(later);
    let Some(order) = order(members()) else { return false };
    let known = later.iter().all(|header| earlier.iter().any(|other| same_steps(header, other)));
    if known && members().all(|member| same_steps(member, &earlier[0])) {
        return true;
    }
    if known {
        // they have been cut
        return order != Order::Descending;
    }
    if facts.among == Among::Statement {
        return false;
    }
    // a border is not worth a cut
    let naturals = &facts.naturals;
    let alike = members().all(|member| is_short(member) == is_short(&earlier[0]));
    alike && meet && Cut::of(naturals, members()).is_some() && share_steps(naturals, earlier, later)
}

/// Whether elementary functions would leave the lanes of a loop: those of one that can go in lanes would stand around loops
/// inside, in one that runs in order. So would sums, in one that adds rows at places that data name.
fn loses_lanes(earlier: &[For], later: &[For]) -> bool {
    let has_loops = |header: &For| header.body.iter().any(Node::has_loop);
    let in_lanes = |header: &For| {
        let independent = header.order == Order::Parallel || tile::sums(header).is_some();
        !has_loops(header) && has_functions(&header.body) && independent
    };
    let in_order = |header: &For| header.order != Order::Parallel && has_loops(header);
    let sums = |node: &Node| matches!(node, Node::For(inside) if inside.order != Order::Parallel);
    let has_sums = |header: &For| header.order == Order::Parallel && header.body.iter().any(sums);
    let scatters = |header: &For| in_order(header) && adds_rows(header);
    let lost = |a: &[For], b: &[For]| {
        a.iter().any(in_lanes) && b.iter().any(in_order)
            || a.iter().any(has_sums) && b.iter().any(scatters)
    };
    lost(earlier, later) || lost(later, earlier)
}

/// Whether a loop inside adds at a place that data name in each step.
fn adds_rows(header: &For) -> bool {
    let mut places = Vec::new();
    for node in &header.body {
        if let Node::SetInt(var, Int::Load(..)) = node {
            places.push(Int::Var(*var));
        }
    }
    let adds = |node: &Node| matches!(node, Node::Accumulate(at, ..) if at.indices.iter().any(|e| places.contains(e)));
    header.body.iter().any(|node| matches!(node, Node::For(row) if row.body.iter().any(adds)))
}

/// Whether elementary functions are applied.
fn has_functions(nodes: &[Node]) -> bool {
    struct Functions(bool);
    impl Visit for Functions {
        fn real(&mut self, e: &Real) {
            self.0 |= matches!(e, Real::Apply(fun, _) if math::name(*fun).is_some());
            walk_real(self, e);
        }
    }
    let mut functions = Functions(false);
    nodes.iter().for_each(|node| functions.node(node));
    functions.0
}

/// Whether a loop has few steps for all sizes.
fn is_short(header: &For) -> bool {
    header.constants().is_some_and(|(start, end)| end - start <= UNROLLED)
}

/// Whether some of the innermost loops of both would run as one too.
fn share_steps(naturals: &Naturals, earlier: &[For], later: &[For]) -> bool {
    earlier.iter().any(|a| {
        later.iter().any(|b| {
            let body = Fix { var: b.var, value: Int::Var(a.var) }.nodes(&b.body);
            let (mine, theirs) = (inner_loops(&a.body), inner_loops(&body));
            let pair = |a: &For, b: &For| {
                let one = std::slice::from_ref;
                (same_range(a, b) || Cut::of(naturals, [a, b]).is_some())
                    && share_steps(naturals, one(a), one(b))
            };
            mine.is_empty() && theirs.is_empty()
                || mine.iter().any(|a| theirs.iter().any(|b| pair(a, b)))
        })
    })
}

/// The outermost loops in nodes.
fn inner_loops(nodes: &[Node]) -> Vec<&For> {
    let mut found = Vec::new();
    for node in nodes {
        if let Node::For(header) = node {
            found.push(&**header);
        } else {
            found.extend(inner_loops(node.inside()));
        }
    }
    found
}

/// Whether loops have the same steps.
pub(super) fn same_steps(a: &For, b: &For) -> bool {
    same_range(a, b) && a.stride == b.stride
}

fn same_range(a: &For, b: &For) -> bool {
    a.lower == b.lower && a.upper == b.upper
}

/// Adds loops to earlier ones, with the note that stands before them.
fn join(item: &mut Item, loops: Vec<For>, note: Option<Item>) {
    let Kind::Loops(earlier) = &mut item.kind else {
        unreachable!("the caller has found loops there")
    };
    let var = earlier[0].var;
    let mut note = match note.map(|note| note.kind) {
        Some(Kind::Node(node)) => Some(node),
        Some(Kind::Loops(_)) | None => None,
    };
    for mut header in loops {
        let mut fix = Fix { var: header.var, value: Int::Var(var) };
        let body = note.take().into_iter().chain(fix.nodes(&header.body)).collect();
        (header.var, header.body) = (var, body);
        let node = Node::For(Box::new(header));
        item.footprint.absorb(Footprint::of(std::slice::from_ref(&node)));
        let Node::For(header) = node else { unreachable!("it was made a loop") };
        match earlier.last_mut().filter(|last| same_range(last, &header)) {
            Some(last) => {
                last.order = joint(last.order, header.order).unwrap_or(last.order);
                last.body.extend(header.body);
            }
            None => earlier.push(*header),
        }
    }
}

/// The order of loops as one.
fn order<'l>(loops: impl IntoIterator<Item = &'l For>) -> Option<Order> {
    loops.into_iter().try_fold(Order::Parallel, |order, header| joint(order, header.order))
}

fn joint(a: Order, b: Order) -> Option<Order> {
    match (a, b) {
        (Order::Parallel, Order::Parallel) => Some(Order::Parallel),
        (Order::Descending, Order::Descending) => Some(Order::Descending),
        (Order::Descending, Order::Ascending) | (Order::Ascending, Order::Descending) => None,
        (Order::Descending, Order::Parallel) | (Order::Parallel, Order::Descending) => {
            Some(Order::Descending)
        }
        (Order::Ascending, Order::Ascending | Order::Parallel)
        | (Order::Parallel, Order::Ascending) => Some(Order::Ascending),
    }
}

/// What is known of a program.
struct Facts {
    naturals: Naturals,
    relations: Vec<RelationTable>,
    among: Among,
}

struct Merge<'p> {
    facts: Facts,
    fresh: Fresh<'p>,
}

impl Merge<'_> {
    fn nodes(&mut self, nodes: Vec<Node>, ends: Ends) -> Vec<Node> {
        let mut out: Vec<Item> = Vec::new();
        let mut statement: Vec<Item> = Vec::new();
        let mut close = |facts: &Facts, statement: &mut Vec<Item>| match facts.among {
            Among::All => statement.drain(..).for_each(|item| place(facts, &mut out, item)),
            Among::Statement => out.append(statement),
        };
        for node in nodes {
            // The loops of one statement are merged first, so that they stay together.
            if matches!(node, Node::Note(_)) {
                close(&self.facts, &mut statement);
            }
            place(&self.facts, &mut statement, Item::of(node));
        }
        close(&self.facts, &mut statement);
        out.into_iter().flat_map(|item| self.item(item.kind, ends)).collect()
    }

    fn item(&mut self, kind: Kind, ends: Ends) -> Vec<Node> {
        match kind {
            Kind::Loops(loops) => self.loops(loops, ends),
            Kind::Node(node) => vec![node.map_inside(|body| self.nodes(body, ends))],
        }
    }

    /// Loops that run as one.
    fn loops(&mut self, loops: Vec<For>, ends: Ends) -> Vec<Node> {
        let order = order(&loops).unwrap_or_else(|| unreachable!("loops that agree have an order"));
        if let [_] = loops.as_slice() {
            let whole = loops.into_iter().map(|mut header| {
                header.body = self.nodes(std::mem::take(&mut header.body), ends);
                Node::For(Box::new(header))
            });
            return whole.collect();
        }
        let Some(cut) = Cut::of(&self.facts.naturals, &loops) else {
            unreachable!("loops that agree and have several ranges can be cut")
        };
        let segments = match ends {
            Ends::Apart => cut.segments(),
            Ends::Tested => vec![cut.whole()],
        };
        let mut parts = Vec::new();
        for segment in segments {
            let (mut range, members) = segment.parts(&loops);
            let border = segment.is_border || matches!(ends, Ends::Tested);
            let body = members.into_iter().flat_map(|(tests, header)| {
                let body = header.body.iter().filter(|node| !border || !is_note(node));
                guarded(&tests, header.var, body.cloned().collect())
            });
            range.body = body.collect();
            range.order = order;
            parts.push((range, segment.is_border, if border { Ends::Tested } else { Ends::Apart }));
        }
        let whole = parts.into_iter().map(|(range, copied, ends)| {
            let mut range = if copied { self.fresh.copy(&range) } else { range };
            self.facts.naturals.note(&range);
            self.facts.naturals.collect(&range.body);
            range.body = self.nodes(std::mem::take(&mut range.body), ends);
            Node::For(Box::new(range))
        });
        whole.collect()
    }
}

fn is_note(node: &Node) -> bool {
    matches!(node, Node::Note(_))
}

#[cfg(test)]
mod tests {
    use super::merge;
    use crate::loops::LoopProgram;

    /// How many loops two of them are.
    fn merged(word: &str, first: &str, second: &str) -> usize {
        let head = "loops f\nsize n\ninput x: real[n]\noutput y: real[n]\noutput z: real[n]\nints i, j, k, l\n";
        let text = format!(
            "{head}for {word} i in 0 .. n {{\n{first}\n}}\nfor {word} k in 0 .. n {{\n{second}\n}}\n"
        );
        let mut program = LoopProgram::parse(&text).unwrap_or_else(|e| panic!("{text}{e}"));
        merge(&mut program);
        program.body.len()
    }

    #[test]
    fn loops_that_ascend_meet_at_the_same_step_or_a_later_one() {
        let writes = |ends: &str| format!("for any j in {ends} {{\ny[j] += x[i]\n}}");
        let reads = |ends: &str| format!("for l in {ends} {{\nz[k] += y[l]\n}}");
        let own = "z[k] += y[k]";
        for (first, second, count) in [
            (writes("i + 1 .. n"), own.to_owned(), 1),
            (writes("max(i, 3) .. n"), own.to_owned(), 1),
            (writes("max(i - 1, 0) .. n"), own.to_owned(), 2),
            (writes("0 .. i"), own.to_owned(), 2),
            ("y[i] = x[i]".to_owned(), reads("0 .. k"), 1),
            ("y[i] = x[i]".to_owned(), reads("0 .. min(k + 1, n)"), 1),
            ("y[i] = x[i]".to_owned(), reads("0 .. min(k + 2, n)"), 2),
            ("y[i] = x[i]".to_owned(), reads("k + 1 .. n"), 2),
            (writes("i + 1 .. n"), reads("0 .. k"), 2),
        ] {
            assert_eq!(merged("", &first, &second), count, "{first}\n{second}");
            assert_eq!(merged("down", &first, &second), 2, "{first}\n{second}");
        }
    }
}
