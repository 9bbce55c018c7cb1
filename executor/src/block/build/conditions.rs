//! Conditions in lanes.
//!
//! The parts of a condition are lazy. Here all of them are evaluated, if those after the first neither read
//! memory nor may fail; else each part opens a scope for the next.

use super::Builder;
use crate::block::ops::Test;
use crate::loops::walk::Visit;
use crate::loops::{BufferId, Cond, Int};

impl Builder {
    /// A test, and the rest of the condition, which it protects.
    pub(super) fn first_test(&mut self, cond: &Cond) -> Option<(Test, Option<Cond>)> {
        let Cond::All(parts) = cond else { return Some((self.test(cond)?, None)) };
        let Some((first, others)) = parts.split_first() else {
            return Some((Test::All(Vec::new()), None));
        };
        if let Cond::All(inner) = first {
            let flat = inner.iter().chain(others).cloned().collect();
            return self.first_test(&Cond::All(flat));
        }
        let free = others.iter().take_while(|part| is_harmless(part)).count();
        let mut tests = vec![self.test(first)?];
        for part in &others[..free] {
            tests.push(self.test(part)?);
        }
        let rest = &others[free..];
        let rest = (!rest.is_empty()).then(|| Cond::All(rest.to_vec()));
        Some((Test::All(tests), rest))
    }

    /// Whether all of a condition may be evaluated.
    pub(super) fn is_free(&self, cond: &Cond) -> bool {
        !self.differs(cond) || is_free(cond)
    }

    /// A condition as one test; `None` if its parts protect one another.
    pub(super) fn test(&mut self, cond: &Cond) -> Option<Test> {
        if !self.differs(cond) {
            return Some(Test::Uniform(cond.clone()));
        }
        if !is_free(cond) {
            return None;
        }
        Some(match cond {
            Cond::Int(cmp, a, b) => {
                let (a, b) = (self.int(a)?, self.int(b)?);
                Test::Int(*cmp, self.int_arg(a), self.int_arg(b))
            }
            Cond::Real(cmp, sides) => Test::Real(*cmp, self.real(&sides.0)?, self.real(&sides.1)?),
            Cond::Member(relation, indices) => Test::Member(*relation, self.int_args(indices)?),
            Cond::Not(inner) => Test::Not(Box::new(self.test(inner)?)),
            Cond::All(parts) => Test::All(self.tests(parts)?),
            Cond::Any(parts) => Test::Any(self.tests(parts)?),
        })
    }

    fn tests(&mut self, parts: &[Cond]) -> Option<Vec<Test>> {
        parts.iter().map(|part| self.test(part)).collect()
    }

    /// Whether a condition differs between lanes.
    pub(super) fn differs(&self, cond: &Cond) -> bool {
        let mut differs = super::ints::Differs { builder: self, found: false };
        differs.cond(cond);
        differs.found
    }
}

/// Whether the parts of a condition do not protect one another.
fn is_free(cond: &Cond) -> bool {
    match cond {
        Cond::Int(..) | Cond::Real(..) | Cond::Member(..) => true,
        Cond::Not(inner) => is_free(inner),
        Cond::All(parts) | Cond::Any(parts) => {
            parts.first().is_none_or(is_free) && parts.iter().skip(1).all(is_harmless)
        }
    }
}

/// Whether evaluating a condition reads no memory and cannot fail.
fn is_harmless(cond: &Cond) -> bool {
    struct Harm(bool);
    impl Visit for Harm {
        fn load(&mut self, _: BufferId, _: &[Int]) {
            self.0 = true;
        }
        fn int(&mut self, e: &Int) {
            self.0 |= matches!(e, Int::Floor(_));
            crate::loops::walk::walk_int(self, e);
        }
    }
    let mut harm = Harm(false);
    harm.cond(cond);
    !harm.0
}
