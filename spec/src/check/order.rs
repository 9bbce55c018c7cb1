//! Well-founded recurrences: a tensor of an open `rec` block is read only at
//! entries that come earlier.
//!
//! Earlier means lexicographically earlier in the recurrence variables that the
//! reader and the tensor share, each in its direction; at the same step, the
//! tensor's statement must stand before the reader's.

use super::Checker;
use crate::ast::{Cmp, Direction};
use crate::bounds::Verdict;
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{Atom, Guard, Index, TensorId, VarId};
use crate::traverse::{Visit, walk_atom};
use rustc_hash::FxHashMap;

/// The open recurrences and their tensors.
#[derive(Default)]
pub(super) struct Order {
    /// The recurrence variables in force, outermost first.
    pub(super) open: Vec<(VarId, Direction)>,
    tensors: FxHashMap<TensorId, Place>,
}

/// Where a tensor of an open block is defined.
struct Place {
    /// The recurrence variables in force there.
    vars: Vec<(VarId, Direction)>,
    /// How many of them are not axes of the tensor (it belongs to a `let` inside them).
    implicit: usize,
    /// Whether its statement stands before the current one.
    done: bool,
}

impl Order {
    /// Registers a tensor of the innermost open block, not yet defined.
    pub(super) fn announce(&mut self, tensor: TensorId, vars: Vec<(VarId, Direction)>, implicit: usize) {
        self.tensors.insert(tensor, Place { vars, implicit, done: false });
    }

    /// The statement of the tensor has been passed.
    pub(super) fn finish(&mut self, tensor: TensorId) {
        if let Some(place) = self.tensors.get_mut(&tensor) {
            place.done = true;
        }
    }

    /// The block of the tensor is closed: it may be read anywhere.
    pub(super) fn close(&mut self, tensor: TensorId) {
        self.tensors.remove(&tensor);
    }

    /// What must hold for an entry to be computed already; `None` for a tensor of no open block.
    fn condition(&self, tensor: TensorId, indices: &[Index]) -> Option<Guard> {
        let place = self.tensors.get(&tensor)?;
        let shared = place.vars.iter().zip(&self.open).take_while(|(a, b)| a == b).count();
        let vars = place.vars[place.implicit.min(shared)..shared].iter();
        let steps: Vec<_> = vars.zip(indices).collect();
        let same = if place.done { Guard::truth() } else { Guard::Any(Vec::new()) };
        Some(steps.into_iter().rev().fold(same, |later, ((var, direction), index)| {
            let cmp = match direction {
                Direction::Ascending => Cmp::Lt,
                Direction::Descending => Cmp::Gt,
            };
            let step = Index::var(*var);
            let earlier = Guard::Compare(cmp, index.clone(), step.clone());
            let equal = Guard::Compare(Cmp::Eq, index.clone(), step);
            Guard::Any(vec![earlier, equal.and(later)])
        }))
    }
}

impl Checker<'_, '_> {
    /// Reports a read of an entry that is not computed yet. A read through data
    /// that cannot be proved earlier is left to the call.
    pub(super) fn require_earlier(&mut self, tensor: TensorId, indices: &[Index], span: Span) {
        if self.trusted {
            return;
        }
        let Some(condition) = self.order.condition(tensor, indices) else { return };
        let verdict = self.prove(&condition);
        if verdict == Verdict::Proved || indices.iter().any(depends_on_data) {
            return;
        }
        let name = self.symbols.tensor(tensor).name.clone();
        let shown: Vec<String> = indices.iter().map(|i| self.show_index(i)).collect();
        let entry = format!("{name}[{}]", shown.join(", "));
        let message = format!("`{entry}` is not computed yet where it is read");
        let steps: Vec<String> = self.order.open.iter().map(|(v, d)| self.show_step(*v, *d)).collect();
        let guards: Vec<String> =
            self.facts.guards.iter().map(|g| format!("`{}`", self.show_guard(g))).collect();
        let mut diagnostic = Diagnostic::new("recurrence::order", span, message)
            .at("a recurrence reads strictly earlier entries")
            .note(format!("the block runs {}", steps.join(", then ")));
        if !guards.is_empty() {
            diagnostic = diagnostic.note(format!("known here: {}", guards.join(", ")));
        }
        let help = format!(
            "read an earlier step (`t - 1` when ascending, `t + 1` when descending) under a guard such as `[t > 0]`, or move the definition of `{name}` before this statement"
        );
        self.report(diagnostic.help(help));
    }

    fn show_step(&self, var: VarId, direction: Direction) -> String {
        let word = match direction {
            Direction::Ascending => "ascending",
            Direction::Descending => "descending",
        };
        format!("`{}` {word}", self.symbols.var(var).name)
    }
}

/// Whether the value of an index depends on data.
fn depends_on_data(index: &Index) -> bool {
    struct Data(bool);
    impl Visit for Data {
        fn atom(&mut self, atom: &Atom) {
            match atom {
                Atom::Read(..) | Atom::Floor(_) | Atom::Arg(_) | Atom::If(_) => self.0 = true,
                Atom::Size(_) | Atom::Var(_) | Atom::Div(..) | Atom::Mod(..) => walk_atom(self, atom),
            }
        }
    }
    let mut data = Data(false);
    data.index(index);
    data.0
}
