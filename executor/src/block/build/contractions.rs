//! Loops that add products of entries, as one operation.
//!
//! In lanes `j` the loop of `r = 0; for k { r += a[i, k] * b[k, j] }` adds to `r` a factor that is the same in all lanes times a line
//! that lies side by side. A nest of such loops, whatever its factors are, is one operation: a list of
//! factors and lines goes through a kernel that keeps the sums in registers.

use super::Builder;
use crate::block::ops::{Contraction, Factor, Leaf, Nest, Op, Track};
use crate::loops::{Fold, For, Int, IntId, Node, Order, Real, RealId};
use crate::tile::mentions_any;
use iverson_spec::function::Fun;

impl Builder {
    /// Puts an operation in the place of a loop inside, if it is one that only adds products; whether it did.
    pub(super) fn contraction(&mut self, header: &For) -> bool {
        if self.open.len() > 1 || !self.unit {
            return false;
        }
        let mut sums = Vec::new();
        let Some(nest) = self.nest(header, &mut sums) else { return false };
        let blocks: Option<Vec<usize>> = sums.iter().map(|var| self.own_block(*var, 0)).collect();
        let Some(sums) = blocks else { return false };
        self.push(Op::Contract(Box::new(Contraction { sums, nest })));
        true
    }

    fn nest(&mut self, header: &For, sums: &mut Vec<RealId>) -> Option<Nest> {
        let residue = header.stride.iter().map(|(_, residue)| residue);
        let mut ends = header.lower.iter().chain(&header.upper).chain(residue);
        if header.order == Order::Descending || ends.any(|e| self.depends(e)) {
            return None;
        }
        let inner = header.body.iter().any(|node| matches!(node, Node::For(_)));
        // along a loop with others inside, an entry may move as it likes
        let var = (!inner).then_some(header.var);
        let mut body: Vec<Nest> = Vec::new();
        for node in &header.body {
            match node {
                Node::Note(_) | Node::Visit(_) => {}
                Node::For(inner) => body.push(self.nest(inner, sums)?),
                Node::Join(sum, Fold::Sum, e) if self.is_set_real(*sum) => {
                    let leaf = self.leaf(*sum, e, var, sums)?;
                    match body.last_mut() {
                        Some(Nest::Leaves(leaves)) => leaves.push(leaf),
                        Some(Nest::Loop(..)) | None => body.push(Nest::Leaves(vec![leaf])),
                    }
                }
                Node::Join(..)
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
        Some(Nest::Loop(header.bare(), body))
    }

    /// A product as a factor, if there is one, and a line. A sign is that of the factor as well as that of the line.
    fn apart<'e>(&self, e: &'e Real) -> Option<(Option<Real>, &'e Real)> {
        let Real::Apply(Fun::Mul, args) = e else { return Some((None, e)) };
        let product = |factors: &[Real]| Real::Apply(Fun::Mul, factors.to_vec());
        match args.as_slice() {
            [factor, line] if !self.real_depends(factor) => Some((Some(factor.clone()), line)),
            [line, factor] if !self.real_depends(factor) => Some((Some(factor.clone()), line)),
            [Real::Const(sign), line, factor]
                if sign.abs() == 1.0 && !self.real_depends(factor) =>
            {
                Some((Some(product(&[Real::Const(*sign), factor.clone()])), line))
            }
            [factors @ .., line] if factors.len() > 1 => Some((Some(product(factors)), line)),
            [..] => None,
        }
    }

    /// `sum += e` as a product of a factor and a line.
    fn leaf(
        &self,
        sum: RealId,
        e: &Real,
        var: Option<IntId>,
        sums: &mut Vec<RealId>,
    ) -> Option<Leaf> {
        let (factor, line) = self.apart(e)?;
        if factor.as_ref().is_some_and(|factor| self.real_depends(factor)) {
            return None;
        }
        let Real::Load(buffer, indices) = line else { return None };
        let (last, others) = indices.split_last()?;
        let start = last.clone().minus(Int::Var(self.var));
        let still = !self.depends(&start) && !others.iter().any(|e| self.depends(e));
        if !still || self.written.contains(buffer) {
            return None;
        }
        let line = [others, &[start]].concat();
        let line = Track { buffer: *buffer, steps: steps(&line, var)?, indices: line };
        let factor = match factor {
            None => Factor::One,
            Some(factor) => {
                scaled(&factor, var).map_or(Factor::Value(factor), |(by, e)| Factor::Entry(by, e))
            }
        };
        let known = sums.iter().position(|known| *known == sum);
        let sum = known.unwrap_or_else(|| {
            sums.push(sum);
            sums.len() - 1
        });
        Some(Leaf { sum, factor, line })
    }
}

/// An entry, or a constant times one.
fn scaled(factor: &Real, var: Option<IntId>) -> Option<(f64, Track)> {
    let (by, entry) = if let Real::Apply(Fun::Mul, args) = factor {
        let [Real::Const(by), entry] = args.as_slice() else { return None };
        (*by, entry)
    } else {
        (1.0, factor)
    };
    let Real::Load(buffer, indices) = entry else { return None };
    let steps = steps(indices, var)?;
    Some((by, Track { buffer: *buffer, indices: indices.clone(), steps }))
}

/// By how much each of some indices moves with a loop, if that is the same at each step.
fn steps(indices: &[Int], var: Option<IntId>) -> Option<Vec<i64>> {
    let Some(var) = var else { return Some(vec![0; indices.len()]) };
    let step = |e: &Int| {
        let rest = |step: i64| e.clone().minus(Int::Var(var).times(step));
        let step = match e {
            Int::Var(of) => i64::from(*of == var),
            Int::Sum(terms, _) => {
                let own = terms.iter().find(|(_, term)| *term == Int::Var(var));
                own.map_or(0, |(factor, _)| *factor)
            }
            Int::Const(_)
            | Int::Size(_)
            | Int::Load(..)
            | Int::Product(_)
            | Int::Div(..)
            | Int::Mod(..)
            | Int::DivBy(_)
            | Int::Floor(_)
            | Int::Select(_) => 0,
        };
        (!mentions_any(&[rest(step)], &[var])).then_some(step)
    };
    indices.iter().map(step).collect()
}
