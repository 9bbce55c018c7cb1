//! What holds at a place of a program, for exact proofs about indices.
//!
//! Known are the bounds of the loops around, the comparisons of the conditions around, and
//! the values of integer variables that are set once. What is no sum of variables and sizes
//! (an entry, a quotient, ..) is one unknown.

use super::sites::lists;
use crate::loops::walk::{Visit, walk_node};
use crate::loops::{Buffer, CmpOp, Cond, For, Int, IntId, Node, Place};
use iverson_affine::{Budget, Constraint, Linear, System, Var, Verdict, prove};
use rustc_hash::FxHashMap;

/// What holds at a place.
#[derive(Clone, Default)]
pub(crate) struct Facts {
    unknowns: Vec<Int>,
    system: System,
}

/// How often each integer variable is set by other nodes than loops.
pub(crate) fn settings(body: &[Node]) -> FxHashMap<IntId, usize> {
    struct Settings(FxHashMap<IntId, usize>);
    impl Visit for Settings {
        fn node(&mut self, node: &Node) {
            if let Node::SetInt(var, _) = node {
                *self.0.entry(*var).or_default() += 1;
            }
            walk_node(self, node);
        }
    }
    let mut settings = Settings(FxHashMap::default());
    body.iter().for_each(|node| settings.node(node));
    settings.0
}

impl Facts {
    /// What holds in front of the node at a path.
    pub(super) fn at(body: &[Node], path: &[usize], settings: &FxHashMap<IntId, usize>) -> Self {
        let mut facts = Self::default();
        let around = lists(body, path);
        for (level, (list, place)) in around.iter().enumerate() {
            list[..*place].iter().for_each(|node| facts.after(node, settings));
            if level + 1 < around.len() {
                facts.inside(&list[*place]);
            }
        }
        facts
    }

    /// Adds what holds after a node.
    pub(crate) fn after(&mut self, node: &Node, settings: &FxHashMap<IntId, usize>) {
        if let Node::SetInt(var, e) = node
            && settings.get(var) == Some(&1)
        {
            self.compare(CmpOp::Eq, &Int::Var(*var), e);
        }
    }

    /// Adds what holds in the body of a node.
    pub(crate) fn inside(&mut self, node: &Node) {
        if let Node::For(header) = node {
            self.bounds(header);
        }
        if let Node::If(cond, _) = node {
            self.condition(cond);
        }
    }

    /// Adds the bounds of a loop's variable.
    pub(super) fn bounds(&mut self, header: &For) {
        let var = Int::Var(header.var);
        header.lower.iter().for_each(|e| self.compare(CmpOp::Le, e, &var));
        header.upper.iter().for_each(|e| self.compare(CmpOp::Lt, &var, e));
    }

    /// Adds what a condition says of integers.
    pub(crate) fn condition(&mut self, cond: &Cond) {
        match cond {
            Cond::Int(cmp, a, b) => self.compare(*cmp, a, b),
            Cond::All(parts) => parts.iter().for_each(|part| self.condition(part)),
            Cond::Real(..) | Cond::Member(..) | Cond::Not(_) | Cond::Any(_) => {}
        }
    }

    /// Adds a comparison.
    pub(crate) fn compare(&mut self, cmp: CmpOp, a: &Int, b: &Int) {
        let known = self.constraint(cmp, a, b);
        self.system.extend(known);
    }

    /// Whether a comparison follows; false for what is not known.
    pub(crate) fn prove(&mut self, cmp: CmpOp, a: &Int, b: &Int) -> bool {
        let goal = self.constraint(cmp, a, b);
        goal.is_some_and(|goal| prove(&self.system, &goal, Budget::default()) == Verdict::Proved)
    }

    /// Whether a condition on integers follows.
    pub(super) fn imply(&mut self, cond: &Cond) -> bool {
        match cond {
            Cond::Int(cmp, a, b) => self.prove(*cmp, a, b),
            Cond::All(parts) => parts.iter().all(|part| self.imply(part)),
            Cond::Real(..) | Cond::Member(..) | Cond::Not(_) | Cond::Any(_) => false,
        }
    }

    /// Whether a comparison fails.
    pub(super) fn refute(&mut self, cmp: CmpOp, a: &Int, b: &Int) -> bool {
        match cmp {
            CmpOp::Eq => self.prove(CmpOp::Lt, a, b) || self.prove(CmpOp::Gt, a, b),
            CmpOp::Ne => self.prove(CmpOp::Eq, a, b),
            CmpOp::Lt => self.prove(CmpOp::Ge, a, b),
            CmpOp::Le => self.prove(CmpOp::Gt, a, b),
            CmpOp::Gt => self.prove(CmpOp::Le, a, b),
            CmpOp::Ge => self.prove(CmpOp::Lt, a, b),
        }
    }

    /// Whether a place is in its buffer.
    pub(super) fn is_within(&self, buffer: &Buffer, place: &Place) -> bool {
        let mut facts = self.clone();
        place.indices.iter().zip(&buffer.extents).all(|(index, extent)| {
            facts.prove(CmpOp::Le, &Int::Const(0), index)
                && if let Int::Select(parts) = extent {
                    // whichever of the two it is
                    let mut sides = [&parts.1, &parts.2].into_iter();
                    sides.all(|extent| facts.prove(CmpOp::Lt, index, extent))
                } else {
                    facts.prove(CmpOp::Lt, index, extent)
                }
        })
    }

    /// A comparison in the unknowns; `None` for `!=` and beyond 128 bits.
    fn constraint(&mut self, cmp: CmpOp, a: &Int, b: &Int) -> Option<Constraint> {
        let (a, b) = (self.linear(a)?, self.linear(b)?);
        match cmp {
            CmpOp::Eq => Constraint::equal(&a, &b),
            CmpOp::Lt => Constraint::less(&a, &b),
            CmpOp::Le => Constraint::at_least(&b, &a),
            CmpOp::Gt => Constraint::less(&b, &a),
            CmpOp::Ge => Constraint::at_least(&a, &b),
            CmpOp::Ne => None,
        }
    }

    fn linear(&mut self, e: &Int) -> Option<Linear> {
        match e {
            Int::Const(n) => Some(Linear::constant(i128::from(*n))),
            Int::Sum(terms, constant) => {
                let mut sum = Linear::constant(i128::from(*constant));
                for (factor, term) in terms {
                    sum = sum.add(&self.linear(term)?.scale(i128::from(*factor))?)?;
                }
                Some(sum)
            }
            Int::Size(_)
            | Int::Var(_)
            | Int::Load(..)
            | Int::Product(_)
            | Int::Div(..)
            | Int::Mod(..)
            | Int::DivBy(_)
            | Int::Floor(_)
            | Int::Select(_) => Some(Linear::var(self.unknown(e))),
        }
    }

    /// Adds what a quotient is: `k * q <= e < k * q + k`.
    fn quotient(&mut self, quotient: Var, dividend: &Int, k: i64) {
        let parts = self.linear(dividend).zip(Linear::var(quotient).scale(i128::from(k)));
        let Some((dividend, below)) = parts else { return };
        let above = below.add(&Linear::constant(i128::from(k)));
        self.system.extend(Constraint::at_least(&dividend, &below));
        self.system.extend(above.and_then(|above| Constraint::less(&dividend, &above)));
    }

    /// Adds what a remainder is: `0 <= r < k`.
    fn remainder(&mut self, remainder: Var, k: i64) {
        let remainder = Linear::var(remainder);
        self.system.extend(Constraint::less(&remainder, &Linear::constant(i128::from(k))));
        self.system.push(Constraint::NonNegative(remainder));
    }

    fn unknown(&mut self, e: &Int) -> Var {
        let known = self.unknowns.iter().position(|unknown| unknown == e);
        let at = known.unwrap_or_else(|| {
            self.unknowns.push(e.clone());
            let var = Var(self.unknowns.len() as u32 - 1);
            if matches!(e, Int::Size(_)) {
                self.system.push(Constraint::NonNegative(Linear::var(var)));
            }
            if let Int::Div(dividend, k) = e {
                self.quotient(var, dividend, *k);
            }
            if let Int::Mod(_, k) = e {
                self.remainder(var, *k);
            }
            var.0 as usize
        });
        Var(at as u32)
    }
}
