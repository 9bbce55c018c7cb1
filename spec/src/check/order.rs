//! Well-founded recurrences: a tensor of an open `rec` block is read only at
//! entries that come earlier.
//!
//! Earlier means lexicographically earlier in the recurrence variables that the
//! reader and the tensor share, each in its direction; at the same step, the
//! tensor's statement must stand before the reader's.

use super::{Checker, Reported};
use crate::ast::{Cmp, Direction};
use crate::bounds::Verdict;
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{Atom, Element, Guard, Index, TensorId, VarId};
use crate::traverse::{Visit, walk_atom};
use rustc_hash::FxHashMap;

/// The open recurrences and their tensors.
#[derive(Default)]
pub(super) struct Order {
    /// The tensor of an open block whose statement is looked at.
    pub(super) current: Option<TensorId>,
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
    pub(super) fn announce(
        &mut self,
        tensor: TensorId,
        vars: Vec<(VarId, Direction)>,
        implicit: usize,
    ) {
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
    /// that cannot be proved earlier is left to the call. Whether all is well.
    pub(super) fn require_earlier(
        &mut self,
        tensor: TensorId,
        indices: &[Index],
        span: Span,
    ) -> bool {
        if self.trusted {
            return true;
        }
        let Some(condition) = self.order.condition(tensor, indices) else { return true };
        let verdict = self.prove(&condition);
        if verdict == Verdict::Proved || indices.iter().any(depends_on_data) {
            return true;
        }
        let name = self.symbols.tensor(tensor).name.clone();
        let shown: Vec<String> = indices.iter().map(|i| self.show_index(i)).collect();
        let entry = format!("{name}[{}]", shown.join(", "));
        let message = format!("`{entry}` is not computed yet where it is read");
        let steps: Vec<String> =
            self.order.open.iter().map(|(v, d)| self.show_step(*v, *d)).collect();
        let guards = self.show_guards();
        let mut diagnostic = Diagnostic::new("recurrence::order", span, message)
            .at("a recurrence reads strictly earlier entries")
            .note(format!("the block runs {}", steps.join(", then ")));
        if !guards.is_empty() {
            diagnostic = diagnostic.note(format!("known here: {}", guards.join(", ")));
        }
        let help = self.earlier_help(tensor, indices);
        let Reported = self.report(diagnostic.help(help));
        false
    }

    /// The read of the step before, under its guard; or to define the other tensor first.
    fn earlier_help(&self, tensor: TensorId, indices: &[Index]) -> String {
        let same_step =
            self.order.open.iter().zip(indices).all(|((v, _), i)| i.as_var() == Some(*v));
        let name = &self.symbols.tensor(tensor).name;
        let step = self.order.open.first().zip(indices.split_first());
        let earlier = step.map(|((var, direction), (_, rest))| {
            let var = self.symbols.var(*var);
            let t = &var.name;
            let (step, guard) = match direction {
                Direction::Ascending => (format!("{t} - 1"), format!("{t} > 0")),
                Direction::Descending => {
                    (format!("{t} + 1"), format!("{t} + 1 < {}", self.show_index(&var.range)))
                }
            };
            let rest = rest.iter().map(|i| format!(", {}", self.show_index(i)));
            let entry = format!("{name}[{step}{}]", rest.collect::<String>());
            match self.symbols.tensor(tensor).element {
                Element::Real => format!("read the step before: `[{guard}] * {entry}`"),
                Element::Index(_) => {
                    format!("read the step before: `if {guard} then {entry} else 0`")
                }
            }
        });
        let first = format!("define `{name}` above this statement");
        match earlier {
            Some(earlier) if same_step && self.order.current != Some(tensor) => {
                format!("{first}, or {earlier}")
            }
            Some(earlier) => earlier,
            None => first,
        }
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
pub(super) fn depends_on_data(index: &Index) -> bool {
    struct Data(bool);
    impl Visit for Data {
        fn atom(&mut self, atom: &Atom) {
            match atom {
                Atom::Read(..) | Atom::Floor(_) | Atom::Arg(_) | Atom::If(_) => self.0 = true,
                Atom::Size(_) | Atom::Var(_) | Atom::Div(..) | Atom::Mod(..) => {
                    walk_atom(self, atom)
                }
            }
        }
    }
    let mut data = Data(false);
    data.index(index);
    data.0
}
