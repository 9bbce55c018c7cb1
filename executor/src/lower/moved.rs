//! Places of data as variables of their own.
//!
//! In `a = p[i - a]`, which the adjoint of a maximum over a window has, no loop gives `i` and `a` their values but all pairs.
//! With the place as a variable, `u = i - a` and `a = p[u]`, a loop over `u` does: `a` is read, and `i` is computed.

use super::Lower;
use super::cases::{Kind, Literal};
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Atom, Guard, Index, TensorId, VarId};
use iverson_spec::traverse::{FreeVars, Rewrite, rebuild_atom, rebuild_index};

impl Lower<'_> {
    /// A case in which places of data have variables where an equation needs it, and those variables.
    pub(super) fn moved(
        &mut self,
        case: &[Literal],
        open: &[VarId],
    ) -> Option<(Vec<Literal>, Vec<VarId>)> {
        let places = case.iter().find_map(|literal| places(literal, open))?;
        let mut moves = Vec::new();
        for (tensor, axis, place) in places {
            let range = self.symbols.tensor(tensor).shape[axis].clone();
            moves.push((place, self.symbols.add_var("u", range)));
        }
        let mut rewrite = Move(&moves);
        let equal = |(place, var): &(Index, VarId)| Literal {
            guard: Guard::Compare(Cmp::Eq, Index::var(*var), place.clone()),
            kind: Kind::Enumerable,
        };
        let moved = |literal: &Literal| {
            Some(Literal { guard: rewrite.guard(&literal.guard)?, kind: literal.kind })
        };
        let moved: Vec<Literal> = case.iter().map(moved).collect::<Option<_>>()?;
        let vars = moves.iter().map(|(_, var)| *var).collect();
        Some((moves.iter().map(equal).chain(moved).collect(), vars))
    }
}

/// The places, more than variables, of data in an equation with a variable that they depend on.
fn places(literal: &Literal, open: &[VarId]) -> Option<Vec<(TensorId, usize, Index)>> {
    let Guard::Compare(Cmp::Eq, a, b) = &literal.guard else { return None };
    let form = a.sub(b).filter(|_| literal.kind == Kind::Enumerable)?;
    let is_own = |var: VarId| form.terms().iter().any(|(atom, _)| *atom == Atom::Var(var));
    form.terms().iter().find_map(|(atom, _)| {
        let Atom::Read(tensor, indices) = atom else { return None };
        let open = |index: &Index| {
            let vars = FreeVars::of_index(index).into_iter();
            vars.filter(|var| open.contains(var)).collect::<Vec<VarId>>()
        };
        let places = indices
            .iter()
            .enumerate()
            .filter(|(_, index)| index.as_var().is_none() && !open(index).is_empty());
        let places: Vec<(TensorId, usize, Index)> =
            places.map(|(axis, index)| (*tensor, axis, index.clone())).collect();
        let needed = places.iter().flat_map(|(_, _, index)| open(index)).any(is_own);
        (needed && indices.iter().all(Index::is_linear)).then_some(places)
    })
}

/// Puts variables in the place of what they are equal to, where data are read.
struct Move<'m>(&'m [(Index, VarId)]);

impl Rewrite for Move<'_> {
    fn atom(&mut self, atom: &Atom) -> Option<Index> {
        let Atom::Read(tensor, indices) = atom else { return rebuild_atom(self, atom) };
        let moved = indices.iter().map(|index| {
            let known = self.0.iter().find(|(place, _)| place == index);
            match known {
                Some((_, var)) => Some(Index::var(*var)),
                None => rebuild_index(self, index),
            }
        });
        Some(Index::atom(Atom::Read(*tensor, moved.collect::<Option<_>>()?)))
    }
}
