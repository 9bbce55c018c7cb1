//! A state that no step changes is what it begins with.
//!
//! The adjoint of a sum that a recurrence makes step by step, `s[t] = s[t - 1] + x[t]`, is handed on from step to step as
//! it is: `s_bar[t] = [t = n - 1] s_ct + [t + 1 < n] s_bar[t + 1]`. Each of its entries is the one that the first step takes.
//!
//! A point loads the entry that the first step loads, in the place of that of the step before.

use crate::context::{Context, Place, is_affine, plain_vars};
use crate::guards::with_guard;
use crate::inline::Accesses;
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Expr, Guard, Index, VarId};
use iverson_spec::ssa::Term;
use iverson_spec::traverse::{FreeVars, Reads, Visit};
use iverson_spec::work::enumerable;

/// `t[s] = [s = a] e + [s < a] t[s + 1] = e`
pub(crate) fn constant_state(
    cx: &mut Context,
    place: Place<'_>,
    terms: &[Term],
) -> Option<Vec<Term>> {
    let [one, other] = terms else { return None };
    if !one.binders.is_empty() || !other.binders.is_empty() {
        return None;
    }
    let begun = |(start, carry): (&Term, &Term)| {
        let (step, towards) = carried(place, &carry.body)?;
        let (first, rest) = begins(start, step)?;
        let is_light = Accesses::of_expr(&start.body).len() <= 1;
        let is_still = !FreeVars::of_expr(&start.body).contains(&step);
        let mut reads = Reads::default();
        reads.guard(&rest);
        reads.expr(&start.body);
        let is_known = !reads.tensors.iter().any(|t| cx.take_steps_together(*t, place.tensor));
        if !is_light || !is_still || !is_known {
            return None;
        }
        let at = |cmp| Guard::Compare(cmp, Index::var(step), first.clone());
        let (later, all) = if towards > 0 { (Cmp::Lt, Cmp::Le) } else { (Cmp::Gt, Cmp::Ge) };
        let goes_on = carry.guard.clone().conjuncts();
        let is_all = cx.implies(&[], &at(all))
            && goes_on.iter().all(|goal| cx.implies(&[at(later)], goal))
            && cx.are_apart(&at(Cmp::Eq), &carry.guard);
        is_all.then(|| with_guard(start, rest))
    };
    [(one, other), (other, one)].into_iter().find_map(begun).map(|term| vec![term])
}

/// The axis along which a body reads the entry beside the one that it defines, and to which side.
fn carried(place: Place<'_>, body: &Expr) -> Option<(VarId, i64)> {
    let Expr::Access(tensor, at) = body else { return None };
    let mut moved = place.axes.iter().zip(at).filter(|(v, index)| index.as_var() != Some(**v));
    let (step, index) = moved.next().filter(|_| *tensor == place.tensor)?;
    let by = index.sub(&Index::var(*step))?.as_constant()?;
    (by.abs() == 1 && moved.next().is_none()).then_some((*step, by))
}

/// The only step for which a term counts, if it is one of sizes and other axes, and the rest of its guard.
fn begins(term: &Term, step: VarId) -> Option<(Index, Guard)> {
    let mut first = None;
    let mut rest = Vec::new();
    for conjunct in term.guard.clone().conjuncts() {
        if !FreeVars::of_guard(&conjunct).contains(&step) && enumerable(&conjunct, true) {
            rest.push(conjunct);
        } else if first.replace(solved(&conjunct, step)?).is_some() {
            return None;
        }
    }
    Some((first?, Guard::all(rest)))
}

/// a where the equation says `step = a`.
fn solved(equation: &Guard, step: VarId) -> Option<Index> {
    let Guard::Compare(Cmp::Eq, a, b) = equation else { return None };
    let difference = a.sub(b).filter(is_affine)?;
    let (_, c) = plain_vars(&difference).into_iter().find(|(v, c)| *v == step && c.abs() == 1)?;
    let rest = difference.sub(&Index::var(step).scale(c)?)?;
    let value = rest.scale(-c)?;
    (!FreeVars::of_index(&value).contains(&step)).then_some(value)
}
