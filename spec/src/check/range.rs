//! The ranges of index tensors: declared, or inferred from the form of an entry.

use super::define::show_target;
use super::order::depends_on_data;
use super::{Check, Checker};
use crate::ast::{Cmp, Target};
use crate::bounds::{Verdict, arg_is_total};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{Atom, Element, Extent, Guard, Index};
use crate::traverse::FreeVars;

impl Checker<'_, '_> {
    /// An annotated index: proved within its bound, or left to the call if it depends on data.
    pub(super) fn require_bound(
        &mut self,
        index: &Index,
        bound: &Extent,
        span: Span,
        target: &Target,
    ) {
        if self.trusted {
            return;
        }
        let Some(outside) = self.outside(index, bound, span, 0) else { return };
        let plain =
            index.terms().iter().all(|(atom, _)| matches!(atom, Atom::Size(_) | Atom::Var(_)));
        if plain && outside.verdicts().any(|v| matches!(v, Verdict::Disproved(_))) {
            let shown = self.show_index(index);
            let within =
                format!("keep it within: `if {} then {shown} else 0`", self.show_goal(&outside));
            let largest = self.upper(index).and_then(|u| u.add(&Index::constant(1)));
            let help = match largest {
                Some(larger) if outside.lower.is_none() => {
                    format!(
                        "declare a larger range, `index({})`, or {within}",
                        self.show_index(&larger)
                    )
                }
                _ => within,
            };
            let message = format!(
                "`{}` is not always in `0..{}`, the declared range of `{}`",
                self.show_index(index),
                self.show_index(bound),
                target.name.text
            );
            let diagnostic = Diagnostic::new("bounds::index", span, message).help(help);
            let diagnostic = self.note_facts(diagnostic, &[(index, bound)]);
            self.report(diagnostic);
        }
    }

    /// A range that holds an index: one more than its largest value.
    pub(super) fn infer_bound(
        &mut self,
        index: &Index,
        span: Span,
        target: Option<&Target>,
    ) -> Check<Extent> {
        let above = self.upper(index).and_then(|u| u.add(&Index::constant(1)));
        let bound = above.or_else(|| self.range_above(index));
        let lower = Guard::Compare(Cmp::Ge, index.clone(), Index::constant(0));
        let verdict = if self.trusted { Verdict::Proved } else { self.prove(&lower) };
        let shown = self.show_index(index);
        let range = bound.as_ref().map_or_else(|| "m".to_owned(), |b| self.show_index(b));
        let target = target.map_or_else(|| "k[i: n]".to_owned(), show_target);
        let declare = format!(
            "declare its range, `{target}: index({range}) = ..`: entries are in `0..{range}`, proved or checked at the call"
        );
        let (message, help) = match (bound, verdict) {
            (Some(bound), Verdict::Proved) => return Ok(bound),
            (_, Verdict::Disproved(_)) if !depends_on_data(index) => (
                format!(
                    "the index `{shown}` can be negative, and an index tensor has entries from 0"
                ),
                format!("keep it from 0: `if {} then {shown} else 0`", self.show_lower(index)),
            ),
            (None, _) => (format!("the range of the index `{shown}` cannot be inferred"), declare),
            (Some(_), _) => {
                (format!("the index `{shown}` is not proved to be at least 0"), declare)
            }
        };
        Err(self.report(Diagnostic::new("typing::bound", span, message).help(help)))
    }

    /// The range of a variable of the index that is proved to hold it too.
    fn range_above(&self, index: &Index) -> Option<Extent> {
        let ranges =
            FreeVars::of_index(index).into_iter().map(|v| self.symbols.var(v).range.clone());
        let holds = |range: &Extent| {
            let below = Guard::Compare(Cmp::Lt, index.clone(), range.clone());
            self.prove(&below) == Verdict::Proved
        };
        ranges.into_iter().find(holds)
    }

    /// An upper bound in sizes alone.
    pub(super) fn upper(&self, index: &Index) -> Option<Extent> {
        self.extreme(index, true)
    }

    /// The largest (or smallest) value of each atom, summed.
    fn extreme(&self, index: &Index, largest: bool) -> Option<Extent> {
        index.terms().iter().try_fold(Index::constant(index.constant_part()), |sum, (atom, c)| {
            sum.add(&self.extreme_atom(atom, (*c > 0) == largest)?.scale(*c)?)
        })
    }

    fn extreme_atom(&self, atom: &Atom, largest: bool) -> Option<Extent> {
        let below = |extent: &Extent| {
            if largest { extent.sub(&Index::constant(1)) } else { Some(Index::constant(0)) }
        };
        match atom {
            Atom::Size(_) => Some(Index::atom(atom.clone())),
            Atom::Var(v) => below(&self.symbols.var(*v).range),
            Atom::Read(tensor, _) => match &self.symbols.tensor(*tensor).element {
                Element::Index(bound) => below(bound),
                Element::Real => None,
            },
            Atom::Div(e, k) => {
                let e = self.extreme(e, largest)?;
                match e.as_constant() {
                    Some(n) => Some(Index::constant(n.div_euclid(*k))),
                    None => Some(Index::atom(Atom::Div(Box::new(e), *k))),
                }
            }
            Atom::Mod(_, k) => Some(Index::constant(if largest { k - 1 } else { 0 })),
            Atom::Floor(_) => None,
            Atom::If(parts) => {
                let (a, b) = (self.extreme(&parts.1, largest)?, self.extreme(&parts.2, largest)?);
                let ordered = |x: &Extent, y: &Extent| {
                    let le = Guard::Compare(Cmp::Le, x.clone(), y.clone());
                    self.prove(&le) == Verdict::Proved
                };
                if ordered(&a, &b) {
                    Some(if largest { b } else { a })
                } else {
                    ordered(&b, &a).then_some(if largest { a } else { b })
                }
            }
            Atom::Arg(arg) if largest && !arg_is_total(&self.symbols, &arg.guard, arg.var) => {
                Some(self.symbols.var(arg.var).range.clone())
            }
            Atom::Arg(arg) => below(&self.symbols.var(arg.var).range),
        }
    }
}
