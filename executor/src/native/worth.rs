//! Whether a call has work enough to pay for a C compiler.
//!
//! An estimate from the sizes alone, so that the same call always takes the same engine.

use crate::loops::{For, Int, IntId, LoopProgram, Node};

/// Steps from which compiling pays: some tenths of a second in the block engine.
const ENOUGH: f64 = 1e8;

/// A loop over entries that are not known from sizes is taken to have this many.
const UNKNOWN: f64 = 16.0;

/// Whether a call at these sizes has work enough.
pub(crate) fn is_worth_compiling(program: &LoopProgram, sizes: &[i64]) -> bool {
    let mut estimate = Estimate { sizes, ints: vec![None; program.ints.len()] };
    estimate.steps(&program.body) >= ENOUGH
}

/// How much loops do, by sizes and by the values that variables have.
pub(super) struct Estimate<'p> {
    sizes: &'p [i64],
    /// By variable: its middle value, in loops around the place.
    ints: Vec<Option<f64>>,
}

impl<'p> Estimate<'p> {
    /// With these values of the variables.
    pub(super) fn new(sizes: &'p [i64], ints: &[i64]) -> Self {
        Self { sizes, ints: ints.iter().map(|n| Some(*n as f64)).collect() }
    }

    /// Gives the variable of a loop the value in the middle.
    pub(super) fn at_middle(&mut self, var: IntId, begin: i64, end: i64) {
        self.ints[var.index()] = Some(begin.midpoint(end) as f64);
    }

    /// About how many steps nodes take; at least 1.
    pub(super) fn work(&mut self, nodes: &[Node]) -> i64 {
        self.steps(nodes).max(1.0) as i64
    }

    /// About how many steps the one of some loops in nodes takes that takes most.
    pub(super) fn greatest(&mut self, nodes: &[Node], loops: &[IntId]) -> i64 {
        let of = |node: &Node| match node {
            Node::For(header) if loops.contains(&header.var) => self.run_loop(header) as i64,
            Node::For(header) => {
                self.enter(header);
                self.greatest(&header.body, loops)
            }
            Node::If(_, body) => self.greatest(body, loops),
            Node::Note(_)
            | Node::Visit(_)
            | Node::SetInt(..)
            | Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Check(..) => {
                self.node(node);
                0
            }
        };
        nodes.iter().map(of).max().unwrap_or(0)
    }

    fn steps(&mut self, nodes: &[Node]) -> f64 {
        nodes.iter().map(|node| self.node(node)).sum()
    }

    fn node(&mut self, node: &Node) -> f64 {
        match node {
            Node::Note(_) | Node::Visit(_) => 0.0,
            Node::For(header) => self.run_loop(header),
            Node::If(_, body) => 1.0 + self.steps(body),
            // by data, most often
            Node::SetInt(var, e) => {
                self.ints[var.index()] = self.int(e);
                1.0
            }
            Node::Set(..)
            | Node::Join(..)
            | Node::Store(..)
            | Node::Accumulate(..)
            | Node::StoreInt(..)
            | Node::AddInt(..)
            | Node::Check(..) => 1.0,
        }
    }

    fn run_loop(&mut self, header: &For) -> f64 {
        self.enter(header) * self.steps(&header.body)
    }

    /// The steps of a loop; its variable has the value in the middle then.
    fn enter(&mut self, header: &For) -> f64 {
        let all = |ends: &[Int]| ends.iter().map(|e| self.int(e)).collect::<Option<Vec<f64>>>();
        let lower = all(&header.lower).map(|ends| ends.into_iter().fold(f64::MIN, f64::max));
        let upper = all(&header.upper).map(|ends| ends.into_iter().fold(f64::MAX, f64::min));
        let (count, middle) = match (lower, upper) {
            (Some(lower), Some(upper)) => {
                ((upper - lower).max(0.0), Some(f64::midpoint(lower, upper)))
            }
            _ => (UNKNOWN, None),
        };
        let count = header.stride.as_ref().map_or(count, |(modulus, _)| count / *modulus as f64);
        self.ints[header.var.index()] = middle;
        count
    }

    /// About how large an integer is.
    fn int(&self, e: &Int) -> Option<f64> {
        match e {
            Int::Const(n) => Some(*n as f64),
            Int::Size(size) => Some(self.sizes[size.index()] as f64),
            Int::Var(var) => self.ints[var.index()],
            Int::Sum(terms, constant) => terms
                .iter()
                .try_fold(*constant as f64, |sum, (a, e)| Some(sum + *a as f64 * self.int(e)?)),
            Int::Product(factors) => {
                factors.iter().try_fold(1.0, |product, e| Some(product * self.int(e)?))
            }
            Int::Div(e, k) => Some(self.int(e)? / *k as f64),
            Int::DivBy(sides) => Some(self.int(&sides.0)? / self.int(&sides.1)?.max(1.0)),
            Int::Load(..) | Int::Mod(..) | Int::Floor(_) | Int::Select(_) => None,
        }
    }
}
