//! Indices that are not proved within their axis, and the guard to write.

use super::order::depends_on_data;
use super::{Checker, Reported};
use crate::ast::{Cmp, Reduction};
use crate::bounds::Verdict;
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{Atom, Extent, Guard, Index, VarId};
use crate::traverse::FreeVars;

/// What reads, which decides how its guard is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// `x[i + 1]` as a real.
    Real,
    /// `p[i + 1]` as an index.
    Index,
    /// `A[i + 1]`, a tensor.
    Row,
    /// `R(i, i + 1)`
    Member,
    /// The index handed to a call.
    Argument,
}

/// The expression that reads.
pub(super) struct Reader<'a> {
    pub(super) kind: Kind,
    /// The tensor, relation or parameter.
    pub(super) name: &'a str,
    /// The expression as written; of a row, one of its entries.
    pub(super) text: String,
    /// The binders of the axes that a row leaves open.
    pub(super) open: String,
}

/// An index that is not proved within `0..extent`.
pub(super) struct Outside {
    index: Index,
    extent: Extent,
    span: Span,
    axis: usize,
    /// Which of `0 <= index` and `index < extent` are open, and what the prover said.
    pub(super) lower: Option<Verdict>,
    upper: Option<Verdict>,
}

impl Outside {
    /// What the prover said of the open parts.
    pub(super) fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.lower.iter().chain(&self.upper)
    }

    /// What is not proved.
    fn goal(&self) -> Guard {
        let lower = Guard::Compare(Cmp::Ge, self.index.clone(), Index::constant(0));
        let upper = Guard::Compare(Cmp::Lt, self.index.clone(), self.extent.clone());
        match (&self.lower, &self.upper) {
            (Some(_), Some(_)) => lower.and(upper),
            (Some(_), None) => lower,
            (None, _) => upper,
        }
    }
}

impl Checker<'_, '_> {
    /// Whether the index is proved within `0..extent` here; what is not, otherwise.
    pub(super) fn outside(
        &self,
        index: &Index,
        extent: &Extent,
        span: Span,
        axis: usize,
    ) -> Option<Outside> {
        if self.trusted || self.is_within_plainly(index, extent) {
            return None;
        }
        let open = |goal: Guard| Some(self.prove(&goal)).filter(|v| *v != Verdict::Proved);
        let lower = open(Guard::Compare(Cmp::Ge, index.clone(), Index::constant(0)));
        let upper = open(Guard::Compare(Cmp::Lt, index.clone(), extent.clone()));
        let (index, extent) = (index.clone(), extent.clone());
        let is_open = lower.is_some() || upper.is_some();
        is_open.then_some(Outside { index, extent, span, axis, lower, upper })
    }

    /// `i` over `0..n` read at an axis of extent `n`; a small constant at a large constant extent.
    fn is_within_plainly(&self, index: &Index, extent: &Extent) -> bool {
        match (index.as_var(), index.as_constant(), extent.as_constant()) {
            (Some(var), _, _) => self.symbols.var(var).range == *extent,
            (_, Some(i), Some(n)) => 0 <= i && i < n,
            _ => false,
        }
    }

    /// Reports the indices of one expression that are not proved within their axes.
    pub(super) fn report_outside(&mut self, reader: &Reader<'_>, outside: &[Outside]) {
        let [first, others @ ..] = outside else { return };
        let never = self.prove(&first.goal().negate()) == Verdict::Proved;
        let certain = outside.iter().flat_map(Outside::verdicts);
        let certain = certain.into_iter().any(|v| matches!(v, Verdict::Disproved(_)));
        let modal = match (never, certain) {
            (true, _) => "is always out of bounds",
            (false, true) => "can be out of bounds",
            (false, false) => "is not proved to be in bounds",
        };
        let (shown, name) = (self.show_index(&first.index), reader.name);
        let message = match reader.kind {
            Kind::Argument => format!("the index `{shown}` for `{name}` {modal}"),
            Kind::Real | Kind::Index | Kind::Row | Kind::Member => {
                format!("index `{shown}` of `{name}` {modal}")
            }
        };
        let mut diagnostic = Diagnostic::new("bounds::access", first.span, message)
            .at(self.show_axis(reader, first));
        for other in others {
            diagnostic = diagnostic.label(other.span, self.show_axis(reader, other));
        }
        let within: Vec<_> = outside.iter().map(|o| (&o.index, &o.extent)).collect();
        diagnostic = self.note_facts(diagnostic, &within);
        let shown = |o: &Outside| {
            o.verdicts().find_map(|verdict| match verdict {
                Verdict::Disproved(values) => {
                    Some(self.show_counterexample(values, &o.index, &o.extent))
                }
                Verdict::Proved | Verdict::Unknown => None,
            })
        };
        if let Some(example) = outside.iter().find_map(shown).filter(|_| !never) {
            diagnostic = diagnostic.note(example);
        }
        let help =
            if never { self.last_entry(reader, first) } else { self.guard_help(reader, outside) };
        let Reported = self.report(diagnostic.help(help));
    }

    fn show_axis(&self, reader: &Reader<'_>, outside: &Outside) -> String {
        let (name, extent) = (reader.name, self.show_index(&outside.extent));
        let place = outside.axis + 1;
        match reader.kind {
            Kind::Argument => {
                format!("`{name}` is an `index({extent})`: 0 up to `{extent}` (not included)")
            }
            Kind::Member => {
                format!("place {place} of `{name}` has indices 0 up to `{extent}` (not included)")
            }
            Kind::Real | Kind::Index | Kind::Row => {
                format!("axis {place} of `{name}` has indices 0 up to `{extent}` (not included)")
            }
        }
    }

    fn last_entry(&self, reader: &Reader<'_>, outside: &Outside) -> String {
        let last = outside.extent.sub(&Index::constant(1));
        let last = last.map_or_else(String::new, |last| self.show_index(&last));
        let one_axis = !reader.text.contains(',');
        if matches!(reader.kind, Kind::Real | Kind::Index) && one_axis {
            return format!("indices begin at 0: the last entry is `{}[{last}]`", reader.name);
        }
        format!("indices begin at 0, and the last one is `{last}`")
    }

    /// The guard under which all indices are within, and how it is written there.
    fn guard_help(&self, reader: &Reader<'_>, outside: &[Outside]) -> String {
        let parts: Vec<String> = outside.iter().map(|o| self.show_goal(o)).collect();
        let guard = parts.join(" and ");
        let goal = Guard::all(outside.iter().flat_map(|o| o.goal().conjuncts()).collect());
        let text = &reader.text;
        let guarded = match reader.kind {
            Kind::Real => format!("guard it: `[{guard}] * {text}`, which is 0 elsewhere"),
            Kind::Index => format!(
                "guard the product that reads it, `[{guard}] * ..`, or write `if {guard} then {text} else 0`"
            ),
            Kind::Row => format!("pass it by entries: `for({}) [{guard}] * {text}`", reader.open),
            Kind::Member => format!("ask first whether it is: `{guard} and {text}`"),
            Kind::Argument => format!("guard the call: `[{guard}] * ..`"),
        };
        match self.demand(&goal, &guard, outside) {
            Some(demand) => format!("{guarded}; or demand it at the call: {demand}"),
            None if reader.kind == Kind::Real && self.is_reduced(&goal) => format!(
                "restrict the reduction: `where {guard}`; a guard, `[{guard}] * {text}`, puts 0 elsewhere"
            ),
            None => guarded,
        }
    }

    /// `0 <= i + k < n`, `i >= 1`, `i + 1 < n`
    pub(super) fn show_goal(&self, outside: &Outside) -> String {
        let (index, extent) = (self.show_index(&outside.index), self.show_index(&outside.extent));
        match (&outside.lower, &outside.upper) {
            (Some(_), Some(_)) => format!("0 <= {index} < {extent}"),
            (None, _) => format!("{index} < {extent}"),
            (Some(_), None) => self.show_lower(&outside.index),
        }
    }

    /// `i - 2 >= 0` as `i >= 2`.
    pub(super) fn show_lower(&self, index: &Index) -> String {
        let constant = index.constant_part();
        let positive = index.terms().iter().all(|(_, c)| *c > 0);
        match index.sub(&Index::constant(constant)) {
            Some(rest) if constant < 0 && positive => {
                format!("{} >= {}", self.show_index(&rest), -constant)
            }
            _ => format!("{} >= 0", self.show_index(index)),
        }
    }

    /// The `requires` that says it of sizes or data, where no variable in scope could be guarded.
    fn demand(&self, goal: &Guard, guard: &str, outside: &[Outside]) -> Option<String> {
        let data = outside.iter().any(|o| depends_on_data(&o.index));
        let vars = FreeVars::of_guard(goal);
        if vars.is_empty() && !data {
            return Some(format!("`requires {guard}`"));
        }
        let reads = |o: &Outside| !has_computed(&o.index);
        if !data || !self.facts.guards.is_empty() || !outside.iter().all(reads) {
            return None;
        }
        let binders: Vec<String> = vars.into_iter().map(|v| self.show_binder(v)).collect();
        if binders.is_empty() {
            return Some(format!("`requires {guard}`"));
        }
        Some(format!("`requires({}) {guard}`", binders.join(", ")))
    }

    /// `i: n`
    pub(super) fn show_binder(&self, var: VarId) -> String {
        let var = self.symbols.var(var);
        format!("{}: {}", var.name, self.show_index(&var.range))
    }

    /// Whether the guard restricts a variable of an enclosing reduction where 0 is not neutral.
    fn is_reduced(&self, goal: &Guard) -> bool {
        let vars = FreeVars::of_guard(goal);
        self.reducing.as_ref().is_some_and(|(op, binders)| {
            *op != Reduction::Sum && binders.iter().any(|v| vars.contains(v))
        })
    }
}

/// Whether a value that the program computes occurs.
fn has_computed(index: &Index) -> bool {
    index.terms().iter().any(|(atom, _)| match atom {
        Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => true,
        Atom::Read(_, indices) => indices.iter().any(has_computed),
        Atom::Div(e, _) | Atom::Mod(e, _) => has_computed(e),
        Atom::Size(_) | Atom::Var(_) => false,
    })
}
