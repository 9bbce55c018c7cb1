//! Questions to the prover, and what is said when it cannot answer yes.

use super::Checker;
use crate::ast::Cmp;
use crate::bounds::{self, Verdict};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{Atom, Extent, Guard, Index, VarId};
use crate::traverse::{FreeVars, Visit, walk_atom};
use crate::unelaborate::Names;

impl Checker<'_, '_> {
    /// Whether `goal` holds for all sizes, indices and data at the current place.
    pub(super) fn prove(&self, goal: &Guard) -> Verdict {
        let facts = bounds::Facts {
            symbols: &self.symbols,
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

    /// Reports an index that is not proved within `0..extent`.
    pub(super) fn require_within(
        &mut self,
        index: &Index,
        extent: &Extent,
        span: Span,
        tensor: &str,
        axis: usize,
    ) {
        if self.trusted || self.is_within_plainly(index, extent) {
            return;
        }
        let lower = Guard::Compare(Cmp::Ge, index.clone(), Index::constant(0));
        let upper = Guard::Compare(Cmp::Lt, index.clone(), extent.clone());
        let answers = [(lower.clone(), self.prove(&lower)), (upper.clone(), self.prove(&upper))];
        let open: Vec<_> = answers.into_iter().filter(|(_, v)| *v != Verdict::Proved).collect();
        if open.is_empty() {
            return;
        }
        let (goals, verdicts): (Vec<Guard>, Vec<Verdict>) = open.into_iter().unzip();
        let shown = self.show_index(index);
        let certain = verdicts.iter().any(|v| matches!(v, Verdict::Disproved(_)));
        let modal = if certain { "can be" } else { "is not proved to stay within its range: it may be" };
        let range = self.show_index(extent);
        let message = format!("index `{shown}` of `{tensor}` {modal} out of bounds");
        let mut diagnostic = Diagnostic::new("bounds::access", span, message)
            .at(format!("axis {} of `{tensor}` has indices 0 up to `{range}` (not included)", axis + 1));
        diagnostic = self.note_facts(diagnostic, index);
        for verdict in &verdicts {
            if let Verdict::Disproved(values) = verdict {
                diagnostic = diagnostic.note(self.show_counterexample(values, index, extent));
                break;
            }
        }
        let guard = self.show_guard(&Guard::all(goals));
        let diagnostic = diagnostic.help(format!(
            "guard it, `[{guard}] * ..`, or say with `requires` what the data satisfy"
        ));
        self.report(diagnostic);
    }

    /// `i` over `0..n` read at an axis of extent `n`; a small constant at a large constant extent.
    fn is_within_plainly(&self, index: &Index, extent: &Extent) -> bool {
        match (index.as_var(), index.as_constant(), extent.as_constant()) {
            (Some(var), _, _) => self.symbols.var(var).range == *extent,
            (_, Some(i), Some(n)) => 0 <= i && i < n,
            _ => false,
        }
    }

    /// Says which ranges and guards were known.
    pub(super) fn note_facts(&self, diagnostic: Diagnostic, index: &Index) -> Diagnostic {
        let mut known: Vec<String> = FreeVars::of_index(index)
            .into_iter()
            .map(|v| self.show_range(v))
            .collect();
        known.extend(self.facts.guards.iter().map(|g| format!("`{}`", self.show_guard(g))));
        if known.is_empty() {
            return diagnostic.note("nothing restricts it here but that sizes are not negative");
        }
        diagnostic.note(format!("known here: {}", known.join(", ")))
    }

    fn show_range(&self, var: VarId) -> String {
        let var = self.symbols.var(var);
        format!("`0 <= {} < {}`", var.name, self.show_index(&var.range))
    }

    fn show_counterexample(&self, values: &[(Atom, i128)], index: &Index, extent: &Extent) -> String {
        let mut shown = relevant(values, index, extent, &self.facts.guards);
        shown.sort_by_key(|(atom, _)| !matches!(atom, Atom::Size(_)));
        let names: Vec<String> = shown
            .iter()
            .map(|(atom, value)| format!("{} = {value}", self.show_index(&Index::atom((*atom).clone()))))
            .collect();
        let value = |index: &Index| evaluate(values, index).map(|v| v.to_string());
        match (value(index), value(extent)) {
            (Some(at), Some(end)) if !names.is_empty() => {
                format!("for example with {}: the index is {at}, the extent {end}", names.join(", "))
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
        .filter(|(atom, _)| mentioned.atoms.contains(atom) && !matches!(atom, Atom::Div(..) | Atom::Mod(..)))
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
            Atom::Size(_) | Atom::Var(_) | Atom::Read(..) | Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => {
                values.iter().find(|(a, _)| a == atom)?.1
            }
        };
        sum.checked_add(value.checked_mul(i128::from(*coefficient))?)
    })
}
