//! Sums over earlier steps of a recurrence, a row at a time.
//!
//! In `for down i { r = b[i]; for k in i + 1 .. n { r += a[k, i] * y[k] }; y[i] = r }` each step walks down a column of `a`.
//! Pushed, each step adds what it gives to the sums of those that come after it, along a row:
//! `for down i { r = b[i]; r += s[i]; y[i] = r; for any j in 0 .. i { s[j] += a[i, j] * y[i] } }`. The terms of a sum are then added in
//! the order of the steps.

use super::ends::{is_plain, is_whole};
use super::facts::{Facts, settings};
use super::renamed::Renamed;
use super::sites::has_checks;
use crate::loops::walk::{Rewrite, Visit, walk_node};
use crate::loops::{
    Buffer, BufferId, CmpOp, Cond, Element, Fold, For, Int, IntId, LoopProgram, Node, Order, Place,
    Real, RealId, Role,
};
use crate::tile::mentions_any;
use rustc_hash::FxHashMap;

/// Pushes sums that walk along columns.
pub(super) fn push(program: &mut LoopProgram) {
    let body = std::mem::take(&mut program.body);
    let settings = settings(&body);
    let mut push = Push { program, settings };
    let body = push.list(body, &Facts::default());
    push.program.body = body;
}

struct Push<'p> {
    program: &'p mut LoopProgram,
    settings: FxHashMap<IntId, usize>,
}

impl Push<'_> {
    fn list(&mut self, nodes: Vec<Node>, around: &Facts) -> Vec<Node> {
        let mut facts = around.clone();
        let mut out = Vec::new();
        for node in nodes {
            facts.after(&node, &self.settings);
            let Node::For(header) = node else {
                out.push(node);
                continue;
            };
            if header.order == Order::Parallel {
                // its steps would share the sums
                out.push(Node::For(header));
                continue;
            }
            let mut inner = facts.clone();
            inner.bounds(&header);
            let mut header = *header;
            header.body = self.list(header.body, &inner);
            while let Some((at, earlier)) = self.earlier(&header, &inner) {
                out.extend(self.apart(&mut header, at, earlier));
            }
            out.push(Node::For(Box::new(header)));
        }
        out
    }

    /// The first sum over earlier steps that walks along a column, with the conditions under which a step is one of them.
    fn earlier(&self, header: &For, facts: &Facts) -> Option<(usize, Vec<Cond>)> {
        if !is_whole(header) || has_checks(&header.body) {
            return None;
        }
        let writes = Writes::of(&header.body);
        header.body.iter().enumerate().find_map(|(at, node)| {
            let Node::For(inner) = node else { return None };
            let conds = steps(header, inner, &mut facts.clone(), &writes)?;
            let sums = sums(inner)?;
            let fits = sums.iter().all(|(_, e)| self.fits(header, inner, e, &writes));
            fits.then_some((at, conds))
        })
    }

    /// Whether a term may be added at the step that gives it, and is then read along a row.
    fn fits(&self, header: &For, inner: &For, e: &Real, writes: &Writes) -> bool {
        let (step, earlier) = (header.var, inner.var);
        let mut reads = Reads::default();
        reads.real(e);
        let column = |var: IntId, (_, indices): &(BufferId, Vec<Int>)| {
            let Some((last, rows)) = indices.split_last() else { return false };
            mentions_any(rows, &[var]) && !mentions_any(std::slice::from_ref(last), &[var])
        };
        let given = |(buffer, indices): &(BufferId, Vec<Int>)| {
            writes.is_of_step(*buffer, indices, (step, earlier))
        };
        let known: Vec<Option<bool>> = reads.loads.iter().map(given).collect();
        known.contains(&Some(true))
            && !known.contains(&Some(false))
            && reads
                .loads
                .iter()
                .any(|load| column(earlier, load) && mentions_any(&load.1, &[step]))
            && !reads.loads.iter().any(|load| column(step, load))
            && !reads
                .ints
                .iter()
                .any(|var| ![step, earlier].contains(var) && writes.ints.contains(var))
            && !reads.reals.iter().any(|var| writes.reals.contains(var))
    }

    /// Has a loop add its terms at the steps that give them; gives what clears the sums before it.
    fn apart(&mut self, header: &mut For, at: usize, conds: Vec<Cond>) -> Vec<Node> {
        let Node::For(inner) = header.body[at].clone() else { unreachable!("it is a loop") };
        let later = self.program.add_int(self.program.ints[header.var.index()].clone());
        let ints = [(inner.var, Int::Var(header.var)), (header.var, Int::Var(later))];
        let mut renamed = Renamed { ints: ints.into_iter().collect(), ..Renamed::default() };
        let (mut clears, mut taken, mut given) = (Vec::new(), Vec::new(), Vec::new());
        for node in &inner.body {
            let Node::Join(var, _, e) = node else {
                given.push(node.clone());
                continue;
            };
            let buffer = self.program.add_buffer(Buffer {
                name: self.program.reals[var.index()].clone(),
                element: Element::Real,
                extents: header.upper.clone(),
                role: Role::Temporary,
            });
            let place = |index| Place { buffer, indices: vec![index] };
            let extents = header.upper.clone();
            clears.push(self.program.nest("k", &extents, &[0], |indices| {
                Node::Store(Place { buffer, indices }, Real::Const(0.0))
            }));
            let sum = Real::Load(buffer, vec![Int::Var(header.var)]);
            taken.push(Node::Join(*var, Fold::Sum, sum));
            given.push(Node::Accumulate(place(Int::Var(later)), Fold::Sum, renamed.real(e)));
        }
        let (lower, upper) = if header.order == Order::Descending {
            (header.lower.clone(), vec![Int::Var(header.var)])
        } else {
            (vec![Int::Var(header.var).offset(1)], header.upper.clone())
        };
        let order = Order::Parallel;
        let loops = For { var: later, lower, upper, stride: None, order, body: given };
        let mut last = vec![Node::For(Box::new(loops))];
        if !conds.is_empty() {
            last = vec![Node::If(Cond::All(conds), last)];
        }
        header.body.splice(at..=at, taken);
        header.body.extend(last);
        clears
    }
}

/// The conditions under which a step is one of those over which a loop inside sums, if these are all earlier ones that
/// satisfy them.
fn steps(header: &For, inner: &For, facts: &mut Facts, writes: &Writes) -> Option<Vec<Cond>> {
    let own = Int::Var(header.var);
    let end = &header.upper[0];
    let down = header.order == Order::Descending;
    let (near, far, cmp) = if down {
        (&inner.lower, &inner.upper, CmpOp::Lt)
    } else {
        (&inner.upper, &inner.lower, CmpOp::Ge)
    };
    let first = if down { own.clone().offset(1) } else { own.clone() };
    let still = |e: &Int| is_plain(e) && !mentions_any(std::slice::from_ref(e), &writes.ints);
    let mut known = |e: &Int| {
        if down {
            facts.prove(CmpOp::Le, e, end)
        } else {
            facts.prove(CmpOp::Ge, e, &Int::Const(0))
        }
    };
    let all = inner.stride.is_none()
        && *near == [first]
        && far.iter().all(|e| still(e) && !mentions_any(std::slice::from_ref(e), &[header.var]))
        && far.iter().any(&mut known);
    let bound = |e: &&Int| if down { *e != end } else { **e != Int::Const(0) };
    let conds = far.iter().filter(bound).map(|e| Cond::Int(cmp, own.clone(), e.clone()));
    all.then(|| conds.collect())
}

/// The sums of a loop that does nothing else.
pub(super) fn sums(inner: &For) -> Option<Vec<(RealId, &Real)>> {
    let mut found = Vec::new();
    for node in &inner.body {
        match node {
            Node::Join(var, Fold::Sum, e) => found.push((*var, e)),
            Node::Note(_) | Node::Visit(_) => {}
            Node::Join(..)
            | Node::For(_)
            | Node::If(..)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Check(..) => return None,
        }
    }
    (!found.is_empty()).then_some(found)
}

/// What nodes write and set.
#[derive(Default)]
pub(super) struct Writes {
    pub(super) places: Vec<Place>,
    pub(super) ints: Vec<IntId>,
    pub(super) reals: Vec<RealId>,
}

impl Writes {
    pub(super) fn of(nodes: &[Node]) -> Self {
        let mut writes = Self::default();
        nodes.iter().for_each(|node| writes.node(node));
        writes
    }

    /// Whether an entry is one that step `earlier` wrote, where step `step` writes these: at some axis they have the step;
    /// `None` if none is of that buffer.
    pub(super) fn is_of_step(
        &self,
        buffer: BufferId,
        indices: &[Int],
        (step, earlier): (IntId, IntId),
    ) -> Option<bool> {
        let of_buffer = |place: &&Place| place.buffer == buffer;
        let all: Vec<&Place> = self.places.iter().filter(of_buffer).collect();
        let has_step = |(axis, index): (usize, &Int)| {
            *index == Int::Var(earlier)
                && all.iter().all(|place| place.indices[axis] == Int::Var(step))
        };
        (!all.is_empty()).then(|| indices.iter().enumerate().any(has_step))
    }
}

impl Visit for Writes {
    fn node(&mut self, node: &Node) {
        match node {
            Node::For(header) => self.ints.push(header.var),
            Node::SetInt(var, _) => self.ints.push(*var),
            Node::Set(var, _) | Node::Join(var, ..) => self.reals.push(*var),
            Node::Store(place, _) | Node::Accumulate(place, ..) => self.places.push(place.clone()),
            Node::StoreInt(place, _) | Node::AddInt(place, _) => self.places.push(place.clone()),
            Node::Note(_) | Node::If(..) | Node::Visit(_) | Node::Check(..) => {}
        }
        walk_node(self, node);
    }
}

/// What a term reads.
#[derive(Default)]
pub(super) struct Reads {
    pub(super) loads: Vec<(BufferId, Vec<Int>)>,
    pub(super) ints: Vec<IntId>,
    pub(super) reals: Vec<RealId>,
}

impl Visit for Reads {
    fn load(&mut self, buffer: BufferId, indices: &[Int]) {
        self.loads.push((buffer, indices.to_vec()));
    }

    fn int_var(&mut self, var: IntId) {
        self.ints.push(var);
    }

    fn real_var(&mut self, var: RealId) {
        self.reals.push(var);
    }
}

#[cfg(test)]
mod tests {
    use super::push;
    use crate::loops::LoopProgram;

    fn pushed(body: &str) -> String {
        let head = "loops f\nsize n\ninput a: real[n, n]\ninput b: real[n]\noutput y: real[n]\nints i, k\nreals r\n";
        let mut program =
            LoopProgram::parse(&format!("{head}{body}")).unwrap_or_else(|e| panic!("{e}"));
        push(&mut program);
        program.to_string()
    }

    #[test]
    fn columns_of_later_and_of_earlier_steps_become_rows() {
        let down = pushed(
            "for down i in 0 .. n {\n r = b[i]\n for k in i + 1 .. n {\n r += a[k, i] * y[k]\n }\n y[i] = r\n}\n",
        );
        assert!(down.contains("for any i_2 in 0 .. i {"), "{down}");
        assert!(down.contains("a[i, i_2] * y[i]"), "{down}");
        let up = pushed(
            "for i in 0 .. n {\n r = b[i]\n for k in 0 .. i {\n r += a[k, i] * y[k]\n }\n y[i] = r\n}\n",
        );
        assert!(up.contains("for any i_2 in i + 1 .. n {"), "{up}");
        assert!(up.contains("a[i, i_2] * y[i]"), "{up}");
    }

    #[test]
    fn rows_stay_and_what_is_no_recurrence() {
        for term in ["a[i, k] * y[k]", "a[k, i] * b[k]", "a[k, i] * y[i - 1]"] {
            let text = pushed(&format!(
                "for i in 0 .. n {{\n r = b[i]\n for k in 0 .. i {{\n r += {term}\n }}\n y[i] = r\n}}\n"
            ));
            assert!(!text.contains("for any"), "{text}");
        }
    }
}
