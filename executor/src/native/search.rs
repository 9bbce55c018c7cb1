//! Loops that change something at few of their steps, as those of `argmax`.
//!
//! Each step computes a value and, where a condition holds, sets variables. A block of steps is first
//! tried as a whole, in vector registers, with the variables as they are: if the condition holds at no
//! step, none of them sets anything, and the block is passed over. A search of few steps, which may change something
//! at any of them, runs without branches.

use super::mentions::Mentions;
use super::scopes::Variable;
use super::statements::Statements;
use crate::loops::{Cond, For, Int, Node, Order, Real, RealId};
use iverson_spec::function::Fun;

/// Steps that are tried at once.
const BLOCK: usize = 256;

/// At most so many steps run without branches.
const FEW: usize = 16;

/// The parts of a step.
struct Search<'l> {
    value: RealId,
    e: &'l Real,
    cond: &'l Cond,
    /// What it sets.
    sets: &'l [Node],
}

impl Statements<'_> {
    /// Prints a loop from `first` below `bound` as a search, if it is one; whether it did.
    pub(super) fn search(&mut self, header: &For, first: &str, bound: &str, depth: usize) -> bool {
        let Some(search) = self.as_search(header) else { return false };
        let Search { value, e, cond, .. } = search;
        let var = self.expressions.names.int(header.var).to_owned();
        let program = self.expressions.program;
        let plain = Mentions::of(program, &[Node::If(cond.clone(), Vec::new())]).buffers.is_empty();
        let inner = if plain { depth + 1 } else { depth };
        if plain {
            self.few_steps(&search, &var, (first, bound), depth);
        }
        let steps = format!("for (int64_t {var} = iv_block; {var} < iv_stop; {var}++) {{");
        let lines = [
            (
                0,
                format!(
                    "for (int64_t iv_block = {first}; iv_block < {bound}; iv_block += {BLOCK}) {{"
                ),
            ),
            (1, format!("const int64_t iv_stop = iv_min(iv_block + {BLOCK}, {bound});")),
            (1, format!("int64_t iv_found = iv_stop - iv_block < {BLOCK};")),
            (1, "if (!iv_found) {".to_owned()),
            (2, "IV_PRAGMA(omp simd reduction(|:iv_found))".to_owned()),
            (2, steps.clone()),
            (
                3,
                format!(
                    "const real {} = {};",
                    self.expressions.names.real(value),
                    self.expressions.real(e)
                ),
            ),
            (3, format!("iv_found |= {};", self.expressions.cond(cond))),
            (2, "}".to_owned()),
            (1, "}".to_owned()),
            (1, "if (!iv_found) continue;".to_owned()),
            (1, steps),
        ];
        lines.iter().for_each(|(more, text)| self.line(inner + more, text));
        self.nodes(&header.body, inner + 2);
        self.line(inner + 1, "}");
        self.line(inner, "}");
        if plain {
            self.line(depth, "}");
        }
        true
    }

    /// The steps of a short search; the long one stands in the block that is left open.
    fn few_steps(&mut self, search: &Search<'_>, var: &str, ends: (&str, &str), depth: usize) {
        let Search { value, e, cond, sets } = search;
        let (first, bound) = ends;
        self.line(depth, &format!("if ({bound} - {first} <= {FEW}) {{"));
        self.line(
            depth + 1,
            &format!("for (int64_t {var} = {first}; {var} < {bound}; {var}++) {{"),
        );
        let (name, e) = (self.expressions.names.real(*value), self.expressions.real(e));
        self.line(depth + 2, &format!("const real {name} = {e};"));
        self.select(cond, sets, depth + 2);
        self.line(depth + 1, "}");
        self.line(depth, "} else {");
    }

    /// Whether nodes under a condition can be selects: they set variables that are there before, to values that may be
    /// computed where the condition does not hold.
    pub(super) fn are_selects(&self, nodes: &[Node]) -> bool {
        let fits = |(at, node): (usize, &Node)| {
            let (variable, free) = match node {
                Node::Set(var, e) => (
                    Variable::Real(*var),
                    match e {
                        Real::Var(_) | Real::Const(_) => true,
                        Real::Int(e) => e.is_polynomial(),
                        Real::Load(..) | Real::Apply(..) | Real::Select(_) => false,
                    },
                ),
                Node::SetInt(var, e) => (Variable::Int(*var), e.is_polynomial()),
                Node::Note(_) | Node::Visit(_) => return true,
                Node::For(_)
                | Node::If(..)
                | Node::Join(..)
                | Node::Store(..)
                | Node::Accumulate(..)
                | Node::StoreInt(..)
                | Node::AddInt(..)
                | Node::Check(..) => return false,
            };
            free && !self.scopes.declares(self.next + at, variable)
        };
        nodes.iter().enumerate().all(fits)
    }

    /// Whether nodes under a condition join to variables what may be computed where the condition does not hold, at little
    /// cost: sums and products of entries, of which a comparison of reals does not say whether they are there.
    pub(super) fn are_light_joins(cond: &Cond, nodes: &[Node]) -> bool {
        let joins = |node: &Node| match node {
            Node::Join(_, _, e) => is_light(e),
            Node::Note(_) | Node::Visit(_) => true,
            Node::For(_)
            | Node::If(..)
            | Node::Set(..)
            | Node::SetInt(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Check(..) => false,
        };
        compares_reals(cond) && nodes.iter().all(joins)
    }

    /// Joins values to variables where a condition holds, without branches.
    pub(super) fn join_where(&mut self, cond: &Cond, joins: &[Node], depth: usize) {
        let holds = self.expressions.without_branches(cond);
        self.line(depth, &format!("const int iv_found = {holds};"));
        for node in joins {
            if let Node::Join(var, fold, e) = node {
                let name = self.name(Variable::Real(*var));
                let joined = self.joined("iv_joined", *fold, e);
                let text = format!(
                    "{{ real iv_joined = {name}; {joined} {name} = iv_found ? iv_joined : {name}; }}"
                );
                self.line(depth, &text);
            }
        }
    }

    /// Sets variables where a condition holds, without branches; parts of it that read memory are still asked one after
    /// the other.
    pub(super) fn select(&mut self, cond: &Cond, sets: &[Node], depth: usize) {
        let asked = Node::If(cond.clone(), Vec::new());
        let reads = Mentions::of(self.expressions.program, &[asked]);
        let free = reads.buffers.is_empty() && !reads.floors && reads.relations.is_empty();
        let holds = if free {
            self.expressions.without_branches(cond)
        } else {
            self.expressions.cond(cond)
        };
        self.line(depth, &format!("const int iv_found = {holds};"));
        for node in sets {
            let (name, e) = match node {
                Node::Set(var, e) => (self.name(Variable::Real(*var)), self.expressions.real(e)),
                Node::SetInt(var, e) => (self.name(Variable::Int(*var)), self.expressions.int(e)),
                Node::Note(_)
                | Node::For(_)
                | Node::If(..)
                | Node::Join(..)
                | Node::Store(..)
                | Node::Accumulate(..)
                | Node::StoreInt(..)
                | Node::AddInt(..)
                | Node::Visit(_)
                | Node::Check(..) => continue,
            };
            self.line(depth, &format!("{name} = iv_found ? {e} : {name};"));
        }
    }

    fn as_search<'l>(&self, header: &'l For) -> Option<Search<'l>> {
        if header.order == Order::Descending || header.stride.is_some() {
            return None;
        }
        let said = |node: &&Node| matches!(node, Node::Note(_) | Node::Visit(_));
        let before = header.body.iter().take_while(said).count();
        let [Node::Set(value, e), Node::If(cond, body)] = &header.body[before..] else {
            return None;
        };
        let sets = |node: &Node| match node {
            Node::Set(var, _) => var != value,
            Node::SetInt(..) => true,
            Node::Note(_) | Node::Visit(_) => true,
            Node::For(_)
            | Node::If(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Check(..) => false,
        };
        let mentions = Mentions::of(self.expressions.program, &header.body);
        let simple = !mentions.floors && mentions.relations.is_empty();
        // a step has its own value
        let own = self.scopes.declares(self.next + before, Variable::Real(*value));
        let search = Search { value: *value, e, cond, sets: body };
        (body.iter().all(sets) && simple && own).then_some(search)
    }
}

/// Whether a condition only compares reals, which read nothing.
fn compares_reals(cond: &Cond) -> bool {
    match cond {
        Cond::Real(_, sides) => {
            [&sides.0, &sides.1].into_iter().all(|e| matches!(e, Real::Var(_) | Real::Const(_)))
        }
        Cond::All(parts) | Cond::Any(parts) => parts.iter().all(compares_reals),
        Cond::Not(part) => compares_reals(part),
        Cond::Int(..) | Cond::Member(..) => false,
    }
}

/// Whether a real is of sums and products of entries and variables, without any other function.
fn is_light(e: &Real) -> bool {
    match e {
        Real::Const(_) | Real::Var(_) => true,
        Real::Int(e) => e.is_polynomial(),
        Real::Load(_, indices) => indices.iter().all(Int::is_polynomial),
        Real::Apply(Fun::Neg | Fun::Add | Fun::Mul, args) => args.iter().all(is_light),
        Real::Apply(..) | Real::Select(_) => false,
    }
}
