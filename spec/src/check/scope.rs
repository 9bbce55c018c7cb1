//! What names stand for.

use crate::ast::Name;
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{Expr, Index, RelId, TensorId, VarId};
use rustc_hash::FxHashMap;

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Binding {
    /// A size, an index variable, or an index handed to a call.
    Index(Index),
    /// A tensor, or the part of one that was handed to a call.
    Tensor(View),
    /// A relation.
    Relation(RelId),
    /// A constant of the file, or a constant handed to a call.
    Const(Expr),
    /// A definition with a mistake in it; its uses are passed over.
    Broken,
}

/// A tensor with its leading axes fixed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct View {
    /// The tensor.
    pub(super) tensor: TensorId,
    /// The indices of its leading axes.
    pub(super) prefix: Vec<Index>,
}

impl View {
    /// The whole tensor.
    pub(super) fn whole(tensor: TensorId) -> Self {
        Self { tensor, prefix: Vec::new() }
    }
}

/// Names in scope, undone to a mark when a scope ends.
#[derive(Default)]
pub(super) struct Scope {
    names: FxHashMap<String, (Binding, Span)>,
    order: Vec<String>,
    /// The index variables among them, in the order of their names.
    variables: Vec<VarId>,
}

impl Scope {
    /// The current depth, for [`Scope::reset`].
    pub(super) fn mark(&self) -> usize {
        self.order.len()
    }

    /// Forgets the names inserted since `mark`.
    pub(super) fn reset(&mut self, mark: usize) {
        for name in self.order.split_off(mark) {
            self.remove(&name);
        }
    }

    /// Forgets the given names among those inserted since `mark`.
    pub(super) fn forget(&mut self, mark: usize, names: &[String]) {
        let mut kept = self.order.split_off(mark);
        kept.retain(|name| !names.contains(name));
        self.order.append(&mut kept);
        for name in names {
            self.remove(name);
        }
    }

    fn remove(&mut self, name: &str) {
        let var = self.names.remove(name).and_then(|(binding, _)| variable(&binding));
        if let Some(place) = self.variables.iter().rposition(|v| Some(*v) == var) {
            self.variables.remove(place);
        }
    }

    /// The index variables in scope: the place is reached only where each has a value.
    pub(super) fn variables(&self) -> &[VarId] {
        &self.variables
    }

    /// Takes every name out, for the body of a call.
    pub(super) fn replace(&mut self, with: Self) -> Self {
        std::mem::replace(self, with)
    }

    /// Binds a name that is not in scope.
    pub(super) fn insert(&mut self, name: &str, binding: Binding, span: Span) {
        self.variables.extend(variable(&binding));
        if self.names.insert(name.to_owned(), (binding, span)).is_none() {
            self.order.push(name.to_owned());
        }
    }

    /// What the name stands for.
    pub(super) fn get(&self, name: &str) -> Option<&Binding> {
        self.names.get(name).map(|(binding, _)| binding)
    }

    /// Where the name was declared.
    pub(super) fn span(&self, name: &str) -> Option<Span> {
        self.names.get(name).map(|(_, span)| *span)
    }

    /// The names in scope that differ from `name` by little, best first.
    pub(super) fn similar(&self, name: &str) -> Option<&str> {
        nearest(name, self.order.iter().map(String::as_str))
    }
}

/// The index variable that a name stands for.
fn variable(binding: &Binding) -> Option<VarId> {
    match binding {
        Binding::Index(index) => index.as_var(),
        Binding::Tensor(_) | Binding::Relation(_) | Binding::Const(_) | Binding::Broken => None,
    }
}

/// The candidate that `name` is likely a slip of: one edit for three letters, or other capitals.
pub(super) fn nearest<'n>(
    name: &str,
    candidates: impl Iterator<Item = &'n str>,
) -> Option<&'n str> {
    let slips = name.chars().count() / 3;
    candidates
        .map(|other| (edit_distance(&name.to_lowercase(), &other.to_lowercase()), other))
        .filter(|(distance, _)| *distance <= slips)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// The number of single-character edits between two short names.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Words that cannot be names although the grammar would let them pass.
pub(super) fn is_reserved(name: &str) -> bool {
    matches!(name, "pi" | "real" | "floor") || crate::function::Fun::named(name).is_some()
}

/// The message for a reserved name.
pub(super) fn reserved(name: &Name) -> Diagnostic {
    let message = format!("`{}` is a word of the language and cannot be defined", name.text);
    Diagnostic::new("names::reserved", name.span, message)
        .help(format!("choose another name, such as `{}_`", name.text))
}
