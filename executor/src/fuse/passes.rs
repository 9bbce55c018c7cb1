//! Clears that stand between two passes through a larger buffer.
//!
//! In `for any i { for j { y[i] += a[i, j] * x[j] } }; for any j { b[j] = 0 }; for i { for any j { b[j] += a[i, j] * z[i] } }` what clears
//! `b` keeps the nests apart, since it touches what the second one does, and all of `a` is read twice. With `b` cleared in front of
//! all else they are one nest, which reads `a` once. So it is in the gradient of a matrix times a vector.
//!
//! * **Bytes**: a pass through a buffer of a higher degree in the sizes than the cleared one is saved. Each innermost step of both nests
//!   touches an entry of its own of it, and no nest over the same range is deeper: what takes longer than to go through
//!   memory goes in tiles by itself.
//! * **Work**, **bits**: the same.

use super::clears::clears_of;
use super::footprint::Footprint;
use super::merge::same_steps;
use super::recompute::degree;
use super::sites::{Site, sites};
use super::unroll::Fix;
use crate::loops::walk::Rewrite;
use crate::loops::{BufferId, Int, IntId, LoopProgram, Node};
use rustc_hash::FxHashMap;

/// Takes out what clears buffers between such passes. It belongs in front of all else, once the nests are one.
pub(super) fn take_clears(program: &mut LoopProgram) -> Vec<Node> {
    let by_buffer = sites(&program.body);
    let clears = clears_of(program, &by_buffer);
    let passes = Passes { program, by_buffer, clears };
    let taken: Vec<bool> = (0..program.body.len()).map(|at| passes.is_between(at)).collect();
    if !taken.contains(&true) {
        return Vec::new();
    }
    let body = std::mem::take(&mut program.body).into_iter().zip(taken);
    let (first, rest): (Vec<_>, Vec<_>) = body.partition(|(_, taken)| *taken);
    let nodes = |list: Vec<(Node, bool)>| list.into_iter().map(|(node, _)| node).collect();
    program.body = nodes(rest);
    nodes(first)
}

/// A program before its loops are merged.
struct Passes<'p> {
    program: &'p LoopProgram,
    by_buffer: FxHashMap<BufferId, Vec<Site>>,
    clears: FxHashMap<usize, BufferId>,
}

impl Passes<'_> {
    /// Whether a node clears a buffer, and the nest that touches this next would join one in front of it with which it goes
    /// through a larger buffer.
    fn is_between(&self, at: usize) -> bool {
        let Some(cleared) = self.clears.get(&at) else { return false };
        let Some(next) = self.by_buffer[cleared].get(1).map(|site| site.path[0]) else {
            return false;
        };
        let small = degree(self.program, *cleared);
        let large = self.by_buffer.iter().filter(|(id, _)| degree(self.program, **id) > small);
        let earlier = large.filter_map(|(_, sites)| {
            let axis = self.axis(sites, next)?;
            let places = sites.iter().map(|site| site.path[0]).filter(|place| *place < at);
            places.filter(|place| self.axis(sites, *place) == Some(axis)).max()
        });
        earlier.max().is_some_and(|first| self.joins(first, next)) && !self.has_deeper(next)
    }

    /// The axis along which the outermost loop of a nest goes through a buffer of which each innermost step touches an entry of its
    /// own.
    fn axis(&self, sites: &[Site], at: usize) -> Option<usize> {
        let depth = depth(&self.program.body[at]);
        let innermost = |site: &&Site| site.path[0] == at && site.loops.len() == depth;
        sites.iter().filter(innermost).find_map(|site| {
            let axis = |var: &IntId| site.indices.iter().position(|e| *e == Int::Var(*var));
            let axes: Vec<usize> = site.loops.iter().map(axis).collect::<Option<_>>()?;
            axes.first().copied()
        })
    }

    /// Whether a nest would join an earlier one, clears apart: what is between them and must stay before it would too.
    fn joins(&self, first: usize, last: usize) -> bool {
        let Node::For(header) = &self.program.body[last] else { return false };
        let mut whole = Footprint::of(&header.body);
        (first..last).rev().filter(|at| !self.clears.contains_key(at)).all(|at| {
            let node = &self.program.body[at];
            if at > first && Footprint::of(std::slice::from_ref(node)).commutes(&whole) {
                return true;
            }
            let Node::For(earlier) = node else { return false };
            let body = Fix { var: earlier.var, value: Int::Var(header.var) }.nodes(&earlier.body);
            let own = Footprint::of(&body);
            let relations = &self.program.relations;
            let joins = same_steps(earlier, header)
                && own.is_aligned(relations, header.var, &whole, header.var);
            whole.absorb(own);
            joins
        })
    }

    /// Whether a nest over the range of this one has more loops inside.
    fn has_deeper(&self, at: usize) -> bool {
        let Node::For(header) = &self.program.body[at] else { return false };
        let own = depth(&self.program.body[at]);
        self.program.body.iter().any(|node| {
            matches!(node, Node::For(other) if same_steps(other, header)) && depth(node) > own
        })
    }
}

/// How many loops stand in one another.
fn depth(node: &Node) -> usize {
    let inside = node.inside().iter().map(depth).max().unwrap_or(0);
    inside + usize::from(matches!(node, Node::For(_)))
}

#[cfg(test)]
mod tests {
    use super::take_clears;
    use crate::loops::LoopProgram;

    const FIRST: &str =
        "for any i in 0 .. n {\nr = 0.0\nfor j in 0 .. m {\nr += a[i, j] * x[j]\n}\ny[i] = r\n}\n";
    const CLEAR: &str = "for any c in 0 .. m {\nb[c] = 0.0\n}\n";
    const SECOND: &str = "for k in 0 .. n {\nfor any l in 0 .. m {\nb[l] += a[k, l] * z[k]\n}\n}\n";

    /// How many nodes are taken out.
    fn taken(body: &str) -> usize {
        let head = "loops f\nsize n\nsize m\ninput a: real[n, m]\ninput x: real[m]\ninput z: real[n]\n\
            temporary s: real[n]\noutput y: real[n]\noutput b: real[m]\noutput q: real[n, m]\n\
            ints i, j, c, k, l, o, p, u, v, w\nreals r, t\n";
        let text = format!("{head}{body}");
        let mut program = LoopProgram::parse(&text).unwrap_or_else(|e| panic!("{e}"));
        let nodes = program.body.len();
        let count = take_clears(&mut program).len();
        assert_eq!(program.body.len(), nodes - count, "{text}");
        count
    }

    #[test]
    fn a_clear_between_passes_is_taken_out() {
        assert_eq!(taken(&format!("{FIRST}{CLEAR}{SECOND}")), 1);
        // it is in nobody's way
        assert_eq!(taken(&format!("{CLEAR}{FIRST}{SECOND}")), 0);
        assert_eq!(taken(&format!("{FIRST}{CLEAR}")), 0);
        // passes through other rows, another range, or no larger buffer
        assert_eq!(taken(&format!("{FIRST}{CLEAR}{}", SECOND.replace("a[k, l]", "q[k, l]"))), 0);
        assert_eq!(taken(&format!("{FIRST}{CLEAR}{}", SECOND.replace("a[k,", "a[n - 1 - k,"))), 0);
        assert_eq!(taken(&format!("{FIRST}{CLEAR}{}", SECOND.replace("0 .. n", "1 .. n"))), 0);
        assert_eq!(taken(&format!("{FIRST}{CLEAR}{}", SECOND.replace("a[k, l]", "y[k]"))), 0);
    }

    #[test]
    fn what_stands_between_joins_or_is_in_the_way() {
        let second = SECOND.replace("z[k]", "s[k]");
        let between = |node: &str| taken(&format!("{FIRST}{node}{CLEAR}{second}"));
        // at the same step
        assert_eq!(between("for any o in 0 .. n {\ns[o] = y[o]\n}\n"), 1);
        // at another step, after all steps, over another range
        assert_eq!(between("for any o in 0 .. n {\ns[o] = y[n - 1 - o]\n}\n"), 0);
        assert_eq!(between("for any o in 0 .. n {\ns[n - 1 - o] = y[o]\n}\n"), 0);
        assert_eq!(between("for any o in 0 .. 1 {\ns[o] = y[o]\n}\n"), 0);
        // after a sum of what all steps give
        let sum = "t = 0.0\nfor o in 0 .. n {\nt += y[o]\n}\n";
        assert_eq!(between(&format!("{sum}for any p in 0 .. n {{\ns[p] = t\n}}\n")), 0);
        // apart from both
        assert_eq!(taken(&format!("{FIRST}{sum}{CLEAR}{SECOND}")), 1);
    }

    #[test]
    fn a_deeper_nest_stays_apart() {
        let deep = |range: &str| {
            let product = "for any v in 0 .. m {\nfor w in 0 .. m {\nq[u, v] += a[u, w]\n}\n}\n";
            taken(&format!("for any u in 0 .. {range} {{\n{product}}}\n{FIRST}{CLEAR}{SECOND}"))
        };
        assert_eq!(deep("n"), 0);
        assert_eq!(deep("n - 1"), 1);
    }
}
