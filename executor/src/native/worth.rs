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

/// About how many steps a loop body takes when its variable is `value` and others are as `ints` says.
pub(super) fn work(body: &[Node], sizes: &[i64], ints: &[i64], (var, value): (IntId, i64)) -> i64 {
    let mut ints: Vec<Option<f64>> = ints.iter().map(|n| Some(*n as f64)).collect();
    ints[var.index()] = Some(value as f64);
    let mut estimate = Estimate { sizes, ints };
    estimate.steps(body).max(1.0) as i64
}

struct Estimate<'p> {
    sizes: &'p [i64],
    /// By variable: its middle value, in loops around the place.
    ints: Vec<Option<f64>>,
}

impl Estimate<'_> {
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
        count * self.steps(&header.body)
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
