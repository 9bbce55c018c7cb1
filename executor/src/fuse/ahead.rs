//! Sums over earlier steps of an outer recurrence, before the inner one.
//!
//! In `for down i { for down j { r = 0; for k in i + 1 .. n { r += a[k, j] * y[k, i] }; .. y[i, j] = .. } }` every term is there when
//! step `i` begins, but each step of `j` walks down a column of `a`. So the sums of all `j` are made before the loop over `j`, in strips along
//! rows: `for any j { r = 0; for k in i + 1 .. n { r += a[k, j] * y[k, i] }; s[j] = r }`. If the sum begins with `k = i`, that term is added
//! after the others.

use super::ends::{is_plain, is_whole};
use super::footprint::factor_of;
use super::push::{Reads, Writes, sums};
use super::renamed::Renamed;
use super::sites::has_checks;
use crate::loops::walk::{Rewrite, Visit};
use crate::loops::{
    Buffer, BufferId, CmpOp, Cond, Element, Fold, For, Int, IntId, LoopProgram, Node, Order, Place,
    Real, RealId, Role,
};
use crate::tile::{mentions_any, strip};

/// Makes such sums ahead.
pub(super) fn ahead(program: &mut LoopProgram) {
    let body = std::mem::take(&mut program.body);
    program.body = list(program, body);
}

fn list(program: &mut LoopProgram, nodes: Vec<Node>) -> Vec<Node> {
    let nodes = nodes.into_iter().map(|node| {
        let node = node.map_inside(|body| list(program, body));
        let Node::For(mut outer) = node else { return node };
        if outer.order != Order::Parallel && outer.stride.is_none() && !has_checks(&outer.body) {
            let (writes, range) = (Writes::of(&outer.body), outer.bare());
            outer.body = std::mem::take(&mut outer.body)
                .into_iter()
                .flat_map(|node| inside(program, &range, &writes, node))
                .collect();
        }
        Node::For(outer)
    });
    nodes.collect()
}

/// A node of an outer recurrence, with what is made ahead of it.
fn inside(program: &mut LoopProgram, range: &For, outer: &Writes, node: Node) -> Vec<Node> {
    let Node::For(mut inner) = node else { return vec![node] };
    if inner.order == Order::Parallel || !is_whole(&inner) {
        return vec![Node::For(inner)];
    }
    let (body, steps) = (std::mem::take(&mut inner.body), inner.bare());
    let own = Writes::of(&body);
    let mut ahead = Ahead { program, range, outer, own, made: Vec::new() };
    inner.body = ahead.list(&steps, body);
    let mut made = ahead.made;
    made.push(Node::For(inner));
    made
}

/// Looks for sums in the body of an inner recurrence.
struct Ahead<'p> {
    program: &'p mut LoopProgram,
    /// The outer recurrence, without its body.
    range: &'p For,
    /// What a step of the outer recurrence writes.
    outer: &'p Writes,
    /// What the inner one writes.
    own: Writes,
    /// The loops that go ahead.
    made: Vec<Node>,
}

impl Ahead<'_> {
    /// Nodes under conditions that `range` implies, a part of the steps of the inner recurrence.
    fn list(&mut self, range: &For, nodes: Vec<Node>) -> Vec<Node> {
        let each = nodes.into_iter().flat_map(|node| {
            if let Node::If(cond, body) = node {
                let body = match self.narrowed(range, &cond) {
                    Some(range) => self.list(&range, body),
                    None => body,
                };
                vec![Node::If(cond, body)]
            } else if let Node::For(terms) = &node {
                self.taken(range, terms).unwrap_or_else(|| vec![node])
            } else {
                vec![node]
            }
        });
        each.collect()
    }

    /// What is as it was when the step of the outer recurrence began, but for the inner variable.
    fn stands(&self, e: &Int) -> bool {
        is_plain(e) && !mentions_any(std::slice::from_ref(e), &self.own.ints)
    }

    /// The steps of the inner recurrence at which a condition holds, if it is a bound of them.
    fn narrowed(&self, range: &For, cond: &Cond) -> Option<For> {
        match cond {
            Cond::All(parts) => {
                parts.iter().try_fold(range.bare(), |range, part| self.narrowed(&range, part))
            }
            Cond::Int(cmp, a, b) => {
                let (a, b) = (a.clone(), b.clone());
                let more = match cmp {
                    CmpOp::Ge => a.minus(b),
                    CmpOp::Gt => a.minus(b).offset(-1),
                    CmpOp::Le => b.minus(a),
                    CmpOp::Lt => b.minus(a).offset(-1),
                    CmpOp::Eq | CmpOp::Ne => return None,
                };
                // not negative
                let factor = factor_of(&more, range.var);
                let rest = more.minus(Int::Var(range.var).times(factor));
                let mut range = range.bare();
                match factor {
                    1 => range.lower.push(rest.clone().times(-1)),
                    -1 => range.upper.push(rest.clone().offset(1)),
                    _ => return None,
                }
                self.stands(&rest).then_some(range)
            }
            Cond::Real(..) | Cond::Member(..) | Cond::Not(_) | Cond::Any(_) => None,
        }
    }

    /// What adds the sum of a loop that is made ahead, if it can be and in strips.
    fn taken(&mut self, range: &For, terms: &For) -> Option<Vec<Node>> {
        let found = sums(terms)?;
        let [(sum, e)] = found.as_slice() else { return None };
        let (earlier, last) = self.earlier(terms)?;
        if !self.fits(terms, range.var, e) {
            return None;
        }
        let (sum, step) = (*sum, self.range.var);
        let mut made = self.renamed(range, &earlier, sum);
        strip(self.program, &made)?;
        let (lane, name) = (made.var, self.program.reals[sum.index()].clone());
        let extents = vec![range.upper[0].clone()];
        let (element, role) = (Element::Real, Role::Temporary);
        let buffer = self.program.add_buffer(Buffer { name, element, extents, role });
        let place = Place { buffer, indices: vec![Int::Var(lane)] };
        if let Some(Node::Set(kept, _)) = made.body.first() {
            made.body.push(Node::Store(place, Real::Var(*kept)));
        }
        self.made.push(Node::For(Box::new(made)));
        let all = Real::Load(buffer, vec![Int::Var(range.var)]);
        let mut added = vec![Node::Join(sum, Fold::Sum, all)];
        if last {
            let ints = [(terms.var, Int::Var(step))].into_iter().collect();
            let mut last = Renamed { ints, ..Renamed::default() };
            added.extend(terms.body.iter().flat_map(|node| last.node(node)));
        }
        Some(added)
    }

    /// The loop that makes a sum over `terms` for all of `range`, in variables of its own.
    fn renamed(&mut self, range: &For, terms: &For, sum: RealId) -> For {
        let program = &mut *self.program;
        let mut int = |var: IntId| program.add_int(program.ints[var.index()].clone());
        let (lane, k) = (int(range.var), int(terms.var));
        let kept = self.program.add_real(self.program.reals[sum.index()].clone());
        let ints = [(range.var, Int::Var(lane)), (terms.var, Int::Var(k))].into_iter().collect();
        let reals = [(sum, kept)].into_iter().collect();
        let mut body = vec![Node::Set(kept, Real::Const(0.0))];
        body.extend(Renamed { ints, reals }.node(&Node::For(Box::new(terms.clone()))));
        For { var: lane, order: Order::Parallel, body, ..range.bare() }
    }

    /// The part of a loop that runs over steps before that of the outer recurrence, and whether it runs over that one too.
    fn earlier(&self, terms: &For) -> Option<(For, bool)> {
        let (now, next) = (Int::Var(self.range.var), Int::Var(self.range.var).offset(1));
        let mut part = terms.clone();
        let down = self.range.order == Order::Descending;
        let (near, far) =
            if down { (&mut part.lower, &part.upper) } else { (&mut part.upper, &part.lower) };
        let (first, own) = if down { (&next, &now) } else { (&now, &next) };
        let last = near.as_slice() == std::slice::from_ref(own);
        let known = last || near.as_slice() == std::slice::from_ref(first);
        *near = vec![first.clone()];
        let still =
            |e: &Int| self.stands(e) && !mentions_any(std::slice::from_ref(e), &[self.range.var]);
        // the step itself is among those of the outer loop
        let whole = !last || far == if down { &self.range.upper } else { &self.range.lower };
        (known && whole && terms.stride.is_none() && far.iter().all(still)).then_some((part, last))
    }

    /// Whether a term is known when the step of the outer recurrence begins.
    fn fits(&self, terms: &For, lane: IntId, e: &Real) -> bool {
        let mut reads = Reads::default();
        reads.real(e);
        let steps = (self.range.var, terms.var);
        let known = |(buffer, indices): &(BufferId, Vec<Int>)| {
            self.outer.is_of_step(*buffer, indices, steps) != Some(false)
        };
        let free = |var: &IntId| [lane, terms.var].contains(var) || !self.own.ints.contains(var);
        reads.loads.iter().all(known)
            && reads.ints.iter().all(free)
            && !reads.reals.iter().any(|var| self.own.reals.contains(var))
    }
}

#[cfg(test)]
mod tests {
    use super::ahead;
    use crate::loops::LoopProgram;

    fn made(sum: &str) -> String {
        let head =
            "loops f\nsize n\ninput a: real[n, n]\noutput y: real[n, n]\nints i, j, k\nreals r\n";
        let body = format!(
            "for down i in 0 .. n {{\n for down j in 0 .. n {{\n r = a[i, j]\n {sum}\n y[i, j] = r\n }}\n}}\n"
        );
        let mut program =
            LoopProgram::parse(&format!("{head}{body}")).unwrap_or_else(|e| panic!("{e}"));
        ahead(&mut program);
        program.to_string()
    }

    #[test]
    fn sums_down_columns_are_made_before_the_inner_recurrence() {
        let term = "r += a[k, j] * y[k, i]";
        let text = made(&format!("for k in i + 1 .. n {{\n {term}\n }}"));
        assert!(text.contains("for any j_2 in 0 .. n {"), "{text}");
        assert!(text.contains("r_2 += r[j]"), "{text}");
        let text = made(&format!("if i >= j + 1 {{\n for k in i .. n {{\n {term}\n }}\n }}"));
        assert!(text.contains("for any j_2 in 0 .. min(n, i) {"), "{text}");
        assert!(text.contains("r_2 += a[i, j] * y[i, i]"), "{text}");
    }

    #[test]
    fn what_is_of_the_same_step_or_along_a_row_stays() {
        for sum in [
            "for k in i + 1 .. n {\n r += a[k, j] * y[i, k]\n }",
            "for k in j + 1 .. n {\n r += a[k, j] * y[k, i]\n }",
            "for k in i + 1 .. n {\n r += a[j, k] * y[k, i]\n }",
            "for k in i + 1 .. n {\n r += a[k, j] * y[k - 1, i]\n }",
            "for k in i + 1 .. n {\n r += a[k, j] * r\n }",
        ] {
            let text = made(sum);
            assert!(!text.contains("for any"), "{text}");
        }
    }
}
