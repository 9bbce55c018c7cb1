//! What is known at a statement, and questions to the prover.

use iverson_spec::ast::Cmp;
use iverson_spec::bounds::{Facts, Verdict, prove, satisfiable};
use iverson_spec::ir::{Atom, Extent, Guard, Index, Param, Requires, Symbols};
use iverson_spec::ssa::TensorSsa;

/// What is known at a statement.
pub(crate) struct Scope<'s> {
    /// What ids stand for; rules add variables.
    pub(crate) symbols: &'s mut Symbols,
    /// Conditions on data that stand before the statement.
    pub(crate) requires: &'s [Requires],
    /// Extents of parameters, which are not negative.
    pub(crate) extents: &'s [Extent],
}

impl Scope<'_> {
    /// Whether `goal` holds wherever the guards do.
    pub(crate) fn proves(&self, guards: &[Guard], goal: &Guard) -> bool {
        prove(self.facts(guards), goal) == Verdict::Proved
    }

    /// Whether the guards can hold.
    pub(crate) fn possible(&self, guards: &[Guard]) -> bool {
        satisfiable(self.facts(guards))
    }

    fn facts<'f>(&'f self, guards: &'f [Guard]) -> Facts<'f> {
        Facts { symbols: self.symbols, guards, requires: self.requires, extents: self.extents }
    }
}

/// The extents of parameters that are not natural by their form, each once.
pub(crate) fn extents(program: &TensorSsa) -> Vec<Extent> {
    let symbols = &program.symbols;
    let mut found: Vec<Extent> = Vec::new();
    for param in &program.params {
        let shape = match param {
            Param::Size(_) => continue,
            Param::Tensor(tensor) => &symbols.tensor(*tensor).shape,
            Param::Relation(relation) => &symbols.relation(*relation).extents,
        };
        for extent in shape.iter().filter(|e| !is_natural(e)) {
            if !found.contains(extent) {
                found.push(extent.clone());
            }
        }
    }
    found
}

/// Whether an extent is a sum of sizes and a natural number.
pub(crate) fn is_natural(extent: &Extent) -> bool {
    let natural = |(atom, c): &(Atom, i64)| *c > 0 && matches!(atom, Atom::Size(_));
    extent.constant_part() >= 0 && extent.terms().iter().all(natural)
}

/// `a >= 0`
pub(crate) fn natural(a: Index) -> Guard {
    Guard::Compare(Cmp::Ge, a, Index::constant(0))
}

/// `a < b`
pub(crate) fn less(a: Index, b: Index) -> Guard {
    Guard::Compare(Cmp::Lt, a, b)
}

/// The proposition that never holds.
pub(crate) fn falsity() -> Guard {
    Guard::Any(Vec::new())
}

/// Whether this is [`falsity`] as written.
pub(crate) fn is_falsity(guard: &Guard) -> bool {
    matches!(guard, Guard::Any(any) if any.is_empty())
}
