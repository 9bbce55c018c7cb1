//! Loops turned inside out for tiles.
//!
//! In `for i { for k { for any j { y[i, j] += a[i, k] * b[k, j] } } }` each row of `y` is read and written once
//! for each `k`. Turned, it is `for i { for any j { r = y[i, j]; for k { r += .. }; y[i, j] = r } }`, where several
//! rows and entries go through the loop over `k` at once. A loop is turned only if a tile comes of it, since
//! step by step the first order is the better one; for the block engine, whose kernel keeps sums in registers also
//! where there is one row, if a strip comes of it.
//!
//! In `for k in 0..m { for any j in k..k + n { y[j] += a[k] * b[j - k] } }`, the adjoint of a correlation, `y` is passed
//! through for each `k`. Turned, it is
//! `for any j in 0..m + n { r = y[j]; for k in max(0, j - n + 1)..min(m, j + 1) { r += .. }; y[j] = r }`, whose middle, where
//! all `k` are there, is a strip.
//!
//! In `for any b { r = 0; for i { for j { r += x[i, j + b] * y[i, j] } }; c[b] = r }`, the adjoint of a kernel, all of `x` and `y` are
//! read for each `b`. Turned, the loop over `i` is the outer one: `for i { for any b { r = 0; for j { .. }; c[b] += r } }`, and a row
//! stays in the nearest cache for all `b`.

use super::Turned;
use super::ends::strongest;
use super::facts::{Facts, settings};
use super::sites::only;
use crate::loops::walk::Visit;
use crate::loops::{
    BufferId, CmpOp, Fold, For, Int, IntId, LoopProgram, Node, Order, Place, Real, RealId,
};
use crate::lower::UNROLLED;
use crate::tile::{mentions_any, rows, strip, sums};
use rustc_hash::FxHashMap;

/// Turns loops; whether there was one.
pub(super) fn turn(program: &mut LoopProgram, which: Turned) -> bool {
    let body = std::mem::take(&mut program.body);
    let settings = settings(&body);
    let reads = read_variables(&body);
    let mut turn = Turn { program, settings, reads, which, turned: false };
    let body = turn.list(body, &Facts::default());
    let Turn { program, turned, .. } = turn;
    program.body = body;
    turned
}

struct Turn<'p> {
    program: &'p mut LoopProgram,
    settings: FxHashMap<IntId, usize>,
    /// How often real variables are read.
    reads: FxHashMap<RealId, usize>,
    which: Turned,
    turned: bool,
}

impl Turn<'_> {
    fn list(&mut self, nodes: Vec<Node>, around: &Facts) -> Vec<Node> {
        let mut facts = around.clone();
        let mut out = Vec::new();
        for node in nodes {
            let mut inner = facts.clone();
            inner.inside(&node);
            if let Node::For(header) = &node
                && strip(self.program, header).is_none()
                && let Some(turned) = by_rows(header)
            {
                self.turned = true;
                out.extend(self.list(turned, &facts));
                continue;
            }
            let node = if let Node::For(header) = node {
                let turned = self.slid(&header, &facts).or_else(|| self.strip(&header, &facts));
                Node::For(Box::new(turned.unwrap_or_else(|| self.rows(*header, &inner))))
            } else {
                node
            };
            let node = node.map_inside(|body| self.list(body, &inner));
            facts.after(&node, &self.settings);
            out.push(node);
        }
        out
    }

    /// A loop turned, if strips are wanted and one comes of it.
    fn strip(&mut self, header: &For, facts: &Facts) -> Option<For> {
        let node = Node::For(Box::new(header.clone()));
        let wanted = self.which == Turned::Strips;
        let turned = wanted.then(|| self.turned(&node, facts))??;
        strip(self.program, &turned)?;
        self.turned = true;
        Some(turned)
    }

    /// A loop with those of its loops turned of which a tile comes.
    fn rows(&mut self, mut header: For, facts: &Facts) -> For {
        for at in 0..header.body.len() {
            let Some(turned) = self.turned(&header.body[at], facts) else { continue };
            let mut candidate = header.clone();
            let var = turned.var;
            candidate.body[at] = Node::For(Box::new(turned));
            if rows(self.program, &candidate).is_some_and(|rows| rows.has(var)) {
                header = candidate;
                self.turned = true;
            }
        }
        header
    }

    /// A loop turned, if it only adds to entries that it does not move.
    fn turned(&mut self, node: &Node, facts: &Facts) -> Option<For> {
        let mut outer = Vec::new();
        let mut node = node;
        let lanes = loop {
            let Node::For(header) = node else { return None };
            let free = sums(header).is_some_and(|sums| sums.is_empty());
            if (free || header.order == Order::Parallel) && adds(&header.body).is_some() {
                break header;
            }
            outer.push(&**header);
            node = only(&header.body)?;
        };
        let moved: Vec<IntId> = outer.iter().map(|header| header.var).collect();
        let mut facts = facts.clone();
        facts.bounds(lanes);
        let ends: Vec<Int> = lanes.lower.iter().chain(&lanes.upper).cloned().collect();
        let still = !mentions_any(&ends, &moved) && lanes.stride.is_none();
        let places = adds(&lanes.body)?;
        let each = places.iter().all(|(place, _)| {
            !mentions_any(&place.indices, &moved)
                && place.indices.contains(&Int::Var(lanes.var))
                && facts.is_within(self.program.buffer(place.buffer), place)
        });
        let alone = are_alone(&lanes.body, &places) && self.are_own(&lanes.body);
        (!outer.is_empty() && still && each && alone).then(|| self.inside_out(lanes, &outer))
    }

    /// A loop of shifted passes turned, with loops around them, if a strip comes of its middle: then each pass reads neighbours along the
    /// last axis.
    fn slid(&mut self, outermost: &For, facts: &Facts) -> Option<For> {
        let mut around = vec![outermost];
        let lanes = loop {
            let Node::For(inner) = only(&around.last()?.body)? else { return None };
            if adds(&inner.body).is_some() {
                break inner;
            }
            around.push(inner);
        };
        let outer = around.pop()?;
        let others: Vec<IntId> = around.iter().map(|header| header.var).collect();
        let mut moved = others.clone();
        moved.push(outer.var);
        let in_order = |header: &For| header.order != Order::Descending && header.stride.is_none();
        let independent = lanes.order == Order::Parallel && lanes.stride.is_none();
        let places = adds(&lanes.body)?;
        let still = |place: &Place| {
            !mentions_any(&place.indices, &moved)
                && place.indices.last() == Some(&Int::Var(lanes.var))
        };
        let fixed = [outer, lanes].into_iter().all(|header| {
            !mentions_any(&header.lower, &others) && !mentions_any(&header.upper, &others)
        });
        let all = around.iter().copied().chain([outer]).all(in_order);
        if !independent || !all || !fixed || !places.iter().all(|(place, _)| still(place)) {
            return None;
        }
        let (mut steps, ends) = (outer.bare(), Shifts::of(outer, lanes)?);
        let mut whole = For { lower: ends.lower, upper: ends.upper, ..lanes.bare() };
        let mut facts = facts.clone();
        facts.bounds(&whole);
        steps.lower.extend(ends.from);
        steps.upper.extend(ends.below);
        steps.lower = strongest(steps.lower.iter(), |a, b| facts.prove(CmpOp::Ge, a, b));
        steps.upper = strongest(steps.upper.iter(), |a, b| facts.prove(CmpOp::Le, a, b));
        let within =
            |(place, _): &(Place, Fold)| facts.is_within(self.program.buffer(place.buffer), place);
        let alone = are_alone(&lanes.body, &places) && self.are_own(&lanes.body);
        if !places.iter().all(within) || !alone || moves_far(lanes, outer) {
            return None;
        }
        (whole.body, steps.body) = (lanes.body.clone(), outer.body.clone());
        around.push(&steps);
        let slid = self.inside_out(&whole, &around);
        strip(self.program, &complete(&slid, outer))?;
        self.turned = true;
        Some(slid)
    }

    /// Whether variables that are set in nodes are read there alone.
    fn are_own(&self, nodes: &[Node]) -> bool {
        let mut set = Set(Vec::new());
        nodes.iter().for_each(|node| set.node(node));
        let inside = read_variables(nodes);
        set.0.iter().all(|var| inside.get(var) == self.reads.get(var))
    }

    fn inside_out(&mut self, lanes: &For, outer: &[&For]) -> For {
        let (mut kept, mut first, mut last) = (Vec::new(), Vec::new(), Vec::new());
        for (place, _) in adds(&lanes.body).unwrap_or_default() {
            let var = self.program.add_real(self.program.buffer(place.buffer).name.clone());
            first.push(Node::Set(var, Real::Load(place.buffer, place.indices.clone())));
            last.push(Node::Store(place.clone(), Real::Var(var)));
            kept.push((place, var));
        }
        let body = joined(&lanes.body, &kept);
        let inner = outer.iter().rev().fold(body, |body, header| {
            let notes = header.body.iter().filter(|node| matches!(node, Node::Note(_)));
            let body = notes.cloned().chain(body).collect();
            vec![Node::For(Box::new(For { body, ..header.bare() }))]
        });
        let body = first.into_iter().chain(inner).chain(last).collect();
        For { body, order: Order::Parallel, ..lanes.bare() }
    }
}

/// How often real variables are read in nodes.
fn read_variables(nodes: &[Node]) -> FxHashMap<RealId, usize> {
    struct Count(FxHashMap<RealId, usize>);
    impl Visit for Count {
        fn real_var(&mut self, var: RealId) {
            *self.0.entry(var).or_default() += 1;
        }
    }
    let mut count = Count(FxHashMap::default());
    nodes.iter().for_each(|node| count.node(node));
    count.0
}

/// The real variables that nodes set.
struct Set(Vec<RealId>);

impl Visit for Set {
    fn enter(&mut self, node: &Node) {
        if let Node::Set(var, _) = node {
            self.0.push(*var);
        }
    }
}

/// A loop over sums of rows, row by row, if all its steps read the same rows and these are not few for all sizes.
fn by_rows(header: &For) -> Option<Vec<Node>> {
    let said = |node: &&Node| matches!(node, Node::Note(_));
    let before = header.body.iter().take_while(said).count();
    let [Node::Set(sum, Real::Const(empty)), Node::For(rows), last] = &header.body[before..] else {
        return None;
    };
    let (place, value, stored) = if let Node::Store(place, value) = last {
        (place, value, true)
    } else if let Node::Accumulate(place, Fold::Sum, value) = last {
        (place, value, false)
    } else {
        return None;
    };
    let ends: Vec<Int> = rows.lower.iter().chain(&rows.upper).cloned().collect();
    let along = |node: &Node| matches!(node, Node::For(inner) if is_sum(&inner.body, *sum));
    let whole = header.order == Order::Parallel
        && rows.order != Order::Descending
        && rows.most_steps().is_none_or(|steps| steps > UNROLLED)
        && *empty == Fold::Sum.empty()
        && *value == Real::Var(*sum)
        && !mentions_any(&ends, &[header.var])
        && rows.body.iter().all(|node| matches!(node, Node::Note(_)) || along(node));
    let mut reads = Reads { tap: header.var, row: rows.var, rows: false, far: false };
    rows.body.iter().for_each(|node| reads.node(node));
    if !whole || !reads.rows || reads.far {
        return None;
    }
    let mut each = vec![Node::Set(*sum, Real::Const(*empty))];
    each.extend(rows.body.iter().cloned());
    each.push(Node::Accumulate(place.clone(), Fold::Sum, Real::Var(*sum)));
    let taps = Node::For(Box::new(For { body: each, ..header.bare() }));
    let rows = Node::For(Box::new(For { body: vec![taps], ..rows.bare() }));
    let clear = vec![Node::Store(place.clone(), Real::Const(*empty))];
    let clear = Node::For(Box::new(For { body: clear, ..header.bare() }));
    Some(if stored { vec![clear, rows] } else { vec![rows] })
}

/// Whether nodes only join values to a sum.
fn is_sum(nodes: &[Node], sum: RealId) -> bool {
    nodes.iter().all(|node| match node {
        Node::Join(var, Fold::Sum, _) => *var == sum,
        Node::Note(_) | Node::Visit(_) => true,
        Node::For(_)
        | Node::If(..)
        | Node::SetInt(..)
        | Node::Set(..)
        | Node::Join(..)
        | Node::Store(..)
        | Node::Accumulate(..)
        | Node::StoreInt(..)
        | Node::AddInt(..)
        | Node::Check(..) => false,
    })
}

/// What rows sums read, for each step of a loop around.
struct Reads {
    tap: IntId,
    row: IntId,
    /// Whether they read a row.
    rows: bool,
    /// Whether steps read other rows, or entries far apart.
    far: bool,
}

impl Visit for Reads {
    fn load(&mut self, _: BufferId, indices: &[Int]) {
        let Some((last, rows)) = indices.split_last() else { return };
        self.rows |= mentions_any(rows, &[self.row]);
        self.far |= mentions_any(rows, &[self.tap])
            || mentions_any(std::slice::from_ref(last), &[self.row]);
    }
}

/// The ends of a loop of passes `for k { for j in k + a .. k + b }` that runs over `j` first.
pub(super) struct Shifts {
    /// The least and the greatest `j`.
    pub(super) lower: Vec<Int>,
    pub(super) upper: Vec<Int>,
    /// What `k` is besides, for each `j`: at least, and below.
    pub(super) from: Vec<Int>,
    pub(super) below: Vec<Int>,
}

impl Shifts {
    /// `None` if an end is no shift.
    pub(super) fn of(outer: &For, lanes: &For) -> Option<Self> {
        let (Some(least), Some(end)) = (outer.lower.first(), outer.upper.first()) else {
            unreachable!("a loop has lower and upper bounds (invariant 7 of loops)")
        };
        let greatest = end.clone().offset(-1);
        let (j, k) = (Int::Var(lanes.var), Int::Var(outer.var));
        let shift = |e: &Int| {
            let rest = e.clone().minus(k.clone());
            (!mentions_any(std::slice::from_ref(&rest), &[outer.var])).then_some(rest)
        };
        let (mut lower, mut upper, mut from, mut below) = (vec![], vec![], vec![], vec![]);
        for e in &lanes.lower {
            if mentions_any(std::slice::from_ref(e), &[outer.var]) {
                let shift = shift(e)?;
                lower.push(least.clone().plus(shift.clone()));
                below.push(j.clone().minus(shift).offset(1));
            } else {
                lower.push(e.clone());
            }
        }
        for e in &lanes.upper {
            if mentions_any(std::slice::from_ref(e), &[outer.var]) {
                let shift = shift(e)?;
                upper.push(greatest.clone().plus(shift.clone()));
                from.push(j.clone().minus(shift).offset(1));
            } else {
                upper.push(e.clone());
            }
        }
        Some(Self { lower, upper, from, below })
    }
}

/// A loop in which the loop over the variable of `header` has all its steps.
fn complete(around: &For, header: &For) -> For {
    let body = around.body.iter().map(|node| {
        let Node::For(inner) = node else { return node.clone() };
        let whole = if inner.var == header.var {
            For { body: inner.body.clone(), ..header.bare() }
        } else {
            complete(inner, header)
        };
        Node::For(Box::new(whole))
    });
    For { body: body.collect(), ..around.bare() }
}

/// Whether a pass reads entries of other rows than the pass before it.
fn moves_far(lanes: &For, outer: &For) -> bool {
    struct Far(IntId, IntId, bool);
    impl Visit for Far {
        fn load(&mut self, _: BufferId, indices: &[Int]) {
            let Some((_, rows)) = indices.split_last() else { return };
            self.2 |= mentions_any(indices, &[self.0]) && mentions_any(rows, &[self.1]);
        }
    }
    let mut far = Far(lanes.var, outer.var, false);
    lanes.body.iter().for_each(|node| far.node(node));
    far.2
}

/// The entries that nodes add to, if that is all they do but for setting variables for it, and how.
pub(super) fn adds(nodes: &[Node]) -> Option<Vec<(Place, Fold)>> {
    let mut adds = Adds::default();
    (adds.list(nodes) && !adds.places.is_empty()).then_some(adds.places)
}

#[derive(Default)]
struct Adds {
    places: Vec<(Place, Fold)>,
    /// The variables that have been set, whatever the conditions are.
    set: Vec<RealId>,
    conditions: usize,
}

impl Adds {
    /// Whether nodes only add, and set variables first.
    fn list(&mut self, nodes: &[Node]) -> bool {
        nodes.iter().all(|node| match node {
            Node::Accumulate(place, fold, _) => {
                if !self.places.iter().any(|(known, _)| known == place) {
                    self.places.push((place.clone(), *fold));
                }
                true
            }
            Node::Set(var, _) => {
                let known = self.set.contains(var);
                if !known && self.conditions == 0 {
                    self.set.push(*var);
                }
                known || self.conditions == 0
            }
            Node::Join(var, ..) => self.set.contains(var),
            Node::If(_, body) => {
                self.conditions += 1;
                let adds = self.list(body);
                self.conditions -= 1;
                adds
            }
            Node::Note(_) | Node::Visit(_) => true,
            Node::For(_)
            | Node::SetInt(..)
            | Node::Store(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Check(..) => false,
        })
    }
}

/// Nodes that join to variables what they added to entries.
fn joined(nodes: &[Node], kept: &[(Place, RealId)]) -> Vec<Node> {
    let join = |node: &Node| {
        if let Node::Accumulate(place, fold, e) = node
            && let Some((_, var)) = kept.iter().find(|(known, _)| known == place)
        {
            return Node::Join(*var, *fold, e.clone());
        }
        node.clone().map_inside(|body| joined(&body, kept))
    };
    nodes.iter().map(join).collect()
}

/// Whether each place is in a buffer of its own, which nothing else reads.
fn are_alone(nodes: &[Node], places: &[(Place, Fold)]) -> bool {
    struct Loads(Vec<BufferId>);
    impl Visit for Loads {
        fn load(&mut self, buffer: BufferId, _: &[Int]) {
            self.0.push(buffer);
        }
    }
    let mut loads = Loads(Vec::new());
    nodes.iter().for_each(|node| loads.node(node));
    places.iter().enumerate().all(|(at, (place, _))| {
        !loads.0.contains(&place.buffer)
            && places[..at].iter().all(|(other, _)| other.buffer != place.buffer)
    })
}

#[cfg(test)]
mod tests {
    use super::{Turned, turn};
    use crate::loops::LoopProgram;

    /// Whether a nest is turned whose inner loop has this body.
    fn turns(body: &str, after: &str) -> bool {
        let head = "loops f\nsize n\ninput a: real[n, n]\noutput y: real[n]\noutput z: real[2, n]\nints k, j\nreals r, s\n";
        let nest = format!("for k in 0 .. n {{\nfor any j in 0 .. n {{\n{body}\n}}\n}}\n{after}\n");
        let text =
            format!("{head}r = 0.0\ns = 0.0\nfor any j in 0 .. n {{\ny[j] = 0.0\n}}\n{nest}");
        let mut program = LoopProgram::parse(&text).unwrap_or_else(|e| panic!("{e}"));
        turn(&mut program, Turned::Strips)
    }

    #[test]
    fn what_is_added_may_need_variables() {
        let adds = "y[j] += r * r";
        assert!(turns("y[j] += a[k, j]", ""));
        assert!(turns(&format!("r = a[k, j]\n{adds}"), ""));
        let tested = "r = 0.0\nif a[k, j] >. 1.0 {\nr += a[k, j]\n}";
        assert!(turns(&format!("{tested}\n{adds}"), ""));
        assert!(turns(&format!("s = 1.0\nr = a[k, j]\nr += s\n{adds}"), ""));
    }

    #[test]
    fn a_row_by_a_remainder_is_in_its_buffer() {
        assert!(turns("z[n % 2, j] += a[k, j]", ""));
        assert!(!turns("z[n % 3, j] += a[k, j]", ""));
        assert!(!turns("z[n / 2, j] += a[k, j]", ""));
    }

    #[test]
    fn variables_that_others_read_stay() {
        let adds = "r = a[k, j]\ny[j] += r * r";
        assert!(!turns(adds, "y[0] = r"));
        assert!(turns(adds, "y[0] = s"));
        let set = "if a[k, j] >. 1.0 {\nr = a[k, j]\n}\ny[j] += r";
        assert!(!turns(set, ""));
    }
}
