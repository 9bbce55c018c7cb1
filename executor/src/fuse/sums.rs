//! Sums at one place of a buffer are kept in a variable during a loop.
//!
//! `for j { b[i] += x }`, where nothing else in the loop touches `b[i]`, becomes
//! `r = b[i]; for j { r += x }; b[i] = r`, if the place is in the buffer even where the loop takes no step. Other entries may be
//! added to: those of a loop over `j` in `i + 1 .. n`.

use super::ends::is_beside;
use super::facts::{Facts, settings};
use super::sites::apart;
use crate::loops::walk::Visit;
use crate::loops::{BufferId, Fold, For, Int, IntId, LoopProgram, Node, Place, Real};
use rustc_hash::FxHashMap;

/// Has sums kept in variables, in innermost loops first.
pub(super) fn keep_sums(program: &mut LoopProgram) {
    let body = std::mem::take(&mut program.body);
    let settings = settings(&body);
    program.body = Registers { program, settings }.list(body, &Facts::default());
}

struct Registers<'p> {
    program: &'p mut LoopProgram,
    settings: FxHashMap<IntId, usize>,
}

impl Registers<'_> {
    fn list(&mut self, nodes: Vec<Node>, around: &Facts) -> Vec<Node> {
        let mut facts = around.clone();
        let mut out = Vec::new();
        for node in nodes {
            let node = if node.inside().is_empty() {
                node
            } else {
                let mut inner = facts.clone();
                inner.inside(&node);
                node.map_inside(|body| self.list(body, &inner))
            };
            if let Node::For(header) = node {
                out.extend(self.kept(*header, &facts));
            } else {
                facts.after(&node, &self.settings);
                out.push(node);
            }
        }
        out
    }

    /// A loop with its sums at fixed places kept in variables, and what stands around it.
    fn kept(&mut self, mut header: For, facts: &Facts) -> Vec<Node> {
        let mut out = Vec::new();
        let mut after = Vec::new();
        for (place, fold) in places(&header) {
            // whether or not the loop takes a step
            if !facts.is_within(self.program.buffer(place.buffer), &place) {
                continue;
            }
            let var = self.program.add_real(self.program.buffer(place.buffer).name.clone());
            for node in &mut header.body {
                if let Node::Accumulate(at, _, e) = node
                    && *at == place
                {
                    *node = Node::Join(var, fold, e.clone());
                }
            }
            let Place { buffer, indices } = place.clone();
            out.push(Node::Set(var, Real::Load(buffer, indices)));
            after.push(Node::Store(place, Real::Var(var)));
        }
        out.push(Node::For(Box::new(header)));
        out.extend(after);
        out
    }
}

/// The places that do not move with a loop and are touched by accumulations of its body alone.
fn places(header: &For) -> Vec<(Place, Fold)> {
    let mut touched = Touched::default();
    header.body.iter().for_each(|node| touched.node(node));
    touched.ints_set.push(header.var);
    let own = header.body.iter().filter_map(|node| {
        if let Node::Accumulate(place, fold, _) = node { Some((place, *fold)) } else { None }
    });
    let own: Vec<(&Place, Fold)> = own.collect();
    let of = |buffer: BufferId| own.iter().filter(move |(other, _)| other.buffer == buffer);
    let beyond = |(e, point): (&Int, &Int)| {
        *e == Int::Var(header.var) && is_beside(&header.lower, &header.upper, point)
    };
    let mut found: Vec<(Place, Fold)> = Vec::new();
    for (place, fold) in &own {
        let same = |(other, with): &(&Place, Fold)| {
            (*other, with) == (*place, fold)
                || apart(&other.indices, &place.indices)
                || other.indices.iter().zip(&place.indices).any(beyond)
        };
        let fits = !touched.others.contains(&place.buffer)
            && touched.accumulations.get(&place.buffer) == Some(&of(place.buffer).count())
            && place.indices.iter().all(|e| is_fixed(e, &touched.ints_set))
            && of(place.buffer).all(same);
        if fits && !found.iter().any(|(known, _)| known == *place) {
            found.push(((*place).clone(), *fold));
        }
    }
    found
}

/// Whether an integer keeps its value while these variables change.
pub(super) fn is_fixed(e: &Int, changing: &[IntId]) -> bool {
    match e {
        Int::Const(_) | Int::Size(_) => true,
        Int::Var(var) => !changing.contains(var),
        Int::Sum(terms, _) => terms.iter().all(|(_, e)| is_fixed(e, changing)),
        Int::Product(factors) => factors.iter().all(|e| is_fixed(e, changing)),
        Int::Div(e, _) | Int::Mod(e, _) => is_fixed(e, changing),
        Int::Load(..) | Int::DivBy(_) | Int::Floor(_) | Int::Select(_) => false,
    }
}

/// What a loop touches.
#[derive(Default)]
struct Touched {
    /// By buffer: the number of accumulations, at any depth.
    accumulations: FxHashMap<BufferId, usize>,
    /// What is read or stored to.
    others: Vec<BufferId>,
    ints_set: Vec<IntId>,
}

impl Visit for Touched {
    fn load(&mut self, buffer: BufferId, _: &[Int]) {
        self.others.push(buffer);
    }

    fn enter(&mut self, node: &Node) {
        match node {
            Node::Accumulate(place, ..) => {
                *self.accumulations.entry(place.buffer).or_default() += 1;
            }
            Node::Store(place, _) | Node::StoreInt(place, _) | Node::AddInt(place, _) => {
                self.others.push(place.buffer);
            }
            Node::SetInt(var, _) => self.ints_set.push(*var),
            Node::For(header) => self.ints_set.push(header.var),
            Node::Note(_)
            | Node::If(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Visit(_)
            | Node::Check(..) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::keep_sums;
    use crate::loops::LoopProgram;

    /// Whether `y[i]` is kept in a variable while others are added to in a loop.
    fn is_kept(ends: &str, other: &str) -> bool {
        let text = format!(
            "loops f\nsize n\ninput x: real[n]\noutput y: real[n]\nints i, j\n\
             for i in 0 .. n {{\nfor j in {ends} {{\ny[i] += x[j]\ny[{other}] += x[i]\n}}\n}}\n"
        );
        let mut program = LoopProgram::parse(&text).unwrap_or_else(|e| panic!("{text}{e}"));
        keep_sums(&mut program);
        program.to_string().contains("= y[i]\n")
    }

    #[test]
    fn an_entry_is_kept_beside_those_that_a_loop_has_and_it_has_not() {
        for ends in ["i + 1 .. n", "max(i + 2, 3) .. n", "0 .. i", "0 .. min(i, 7)"] {
            assert!(is_kept(ends, "j"), "{ends}");
            assert!(!is_kept(ends, "n - 1 - j"), "{ends}");
        }
        for ends in ["i .. n", "max(i, 3) .. n", "0 .. min(i + 1, n)", "0 .. n", "1 .. n"] {
            assert!(!is_kept(ends, "j"), "{ends}");
        }
    }
}
