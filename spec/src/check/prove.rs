//! Questions to the prover, and what is said when it cannot answer yes.

use super::Checker;
use crate::ast::Cmp;
use crate::bounds::{self, Verdict};
use crate::diagnostic::Diagnostic;
use crate::ir::{Atom, Extent, Guard, Index, VarId};
use crate::traverse::{FreeVars, Visit, walk_atom};
use crate::unelaborate::Names;

impl Checker<'_, '_> {
    /// Whether `goal` holds for all sizes, indices and data at the current place.
    pub(super) fn prove(&self, goal: &Guard) -> Verdict {
        let facts = bounds::Facts {
            symbols: &self.symbols,
            vars: self.scope.variables(),
            guards: &self.facts.guards,
            requires: &self.facts.requires,
            extents: &self.facts.extents,
        };
        bounds::prove(facts, goal)
    }

    /// Whether two extents are equal for all sizes.
    pub(super) fn same_extent(&self, a: &Extent, b: &Extent) -> bool {
        a == b || self.prove(&Guard::Compare(Cmp::Eq, a.clone(), b.clone())) == Verdict::Proved
    }

    /// Says which ranges and guards were known: the ranges of the variables of the
    /// indices, and those in force whose sizes the indices or the extents mention.
    pub(super) fn note_facts(
        &self,
        diagnostic: Diagnostic,
        within: &[(&Index, &Extent)],
    ) -> Diagnostic {
        let mut vars: Vec<VarId> =
            within.iter().flat_map(|(index, _)| FreeVars::of_index(index)).collect();
        let mut mentioned = Mentioned::default();
        within.iter().for_each(|(index, extent)| {
            mentioned.index(index);
            mentioned.index(extent);
        });
        let of_size = |v: &VarId| {
            let range = self.symbols.var(*v).range.terms();
            range.iter().any(|(atom, _)| mentioned.atoms.contains(atom))
        };
        vars.extend(self.scope.variables().iter().copied().filter(of_size));
        let mut seen = Vec::new();
        vars.retain(|v| !seen.contains(v) && (seen.push(*v), true).1);
        let mut known: Vec<String> = vars.into_iter().map(|v| self.show_range(v)).collect();
        known.extend(self.show_guards());
        if known.is_empty() {
            return diagnostic.note("known here: sizes are not negative");
        }
        diagnostic.note(format!("known here: {}", known.join(", ")))
    }

    /// The guards in force.
    pub(super) fn show_guards(&self) -> Vec<String> {
        let guards = self.facts.guards.iter().filter(|g| !g.is_truth());
        guards.map(|g| format!("`{}`", self.show_guard(g))).collect()
    }

    fn show_range(&self, var: VarId) -> String {
        let var = self.symbols.var(var);
        format!("`0 <= {} < {}`", var.name, self.show_index(&var.range))
    }

    pub(super) fn show_counterexample(
        &self,
        values: &[(Atom, i128)],
        index: &Index,
        extent: &Extent,
    ) -> String {
        let mut shown = relevant(values, index, extent, &self.facts.guards);
        shown.sort_by_key(|(atom, _)| !matches!(atom, Atom::Size(_)));
        let names: Vec<String> = shown
            .iter()
            .map(|(atom, value)| {
                format!("{} = {value}", self.show_index(&Index::atom((*atom).clone())))
            })
            .collect();
        let value = |index: &Index| evaluate(values, index).map(|v| v.to_string());
        match (value(index), value(extent)) {
            (Some(at), Some(end)) if !names.is_empty() => {
                format!(
                    "for example with {}: the index is {at}, the extent {end}",
                    names.join(", ")
                )
            }
            (Some(at), Some(end)) => format!("the index is {at}, the extent can be {end}"),
            _ => format!("for example with {}", names.join(", ")),
        }
    }

    pub(super) fn show_index(&self, index: &Index) -> String {
        crate::print::expr(&Names::plain(&self.symbols).index(index))
    }

    pub(super) fn show_guard(&self, guard: &Guard) -> String {
        crate::print::expr(&Names::plain(&self.symbols).guard(guard))
    }
}

/// The values of the atoms that the index, the extent and the guards mention.
fn relevant<'v>(
    values: &'v [(Atom, i128)],
    index: &Index,
    extent: &Extent,
    guards: &[Guard],
) -> Vec<&'v (Atom, i128)> {
    let mut mentioned = Mentioned::default();
    mentioned.index(index);
    mentioned.index(extent);
    guards.iter().for_each(|g| mentioned.guard(g));
    values
        .iter()
        .filter(|(atom, _)| {
            mentioned.atoms.contains(atom) && !matches!(atom, Atom::Div(..) | Atom::Mod(..))
        })
        .collect()
}

/// The atoms met.
#[derive(Default)]
struct Mentioned {
    atoms: Vec<Atom>,
}

impl Visit for Mentioned {
    fn atom(&mut self, atom: &Atom) {
        self.atoms.push(atom.clone());
        walk_atom(self, atom);
    }
}

/// The value of an index at a counterexample, where its atoms have one.
fn evaluate(values: &[(Atom, i128)], index: &Index) -> Option<i128> {
    index.terms().iter().try_fold(i128::from(index.constant_part()), |sum, (atom, coefficient)| {
        let value = match atom {
            Atom::Mod(e, k) => evaluate(values, e)?.rem_euclid(i128::from(*k)),
            Atom::Div(e, k) => evaluate(values, e)?.div_euclid(i128::from(*k)),
            Atom::Size(_)
            | Atom::Var(_)
            | Atom::Read(..)
            | Atom::Floor(_)
            | Atom::If(_)
            | Atom::Arg(_) => values.iter().find(|(a, _)| a == atom)?.1,
        };
        sum.checked_add(value.checked_mul(i128::from(*coefficient))?)
    })
}
