//! Integer points, rebuilt by undoing eliminations in reverse.

use crate::arith::{ceil_div, floor_div};
use crate::budget::Stop;
use crate::linear::{Linear, Var};
use std::collections::BTreeMap;

/// An integer point: the value of each variable of the question.
pub type Witness = BTreeMap<Var, i128>;

/// One elimination, with what is needed to undo it.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The variable equals this form.
    Defined(Var, Linear),
    /// These inequalities are all that constrain the variable.
    Bounded(Var, Vec<Linear>),
}

/// Extends `point` to the variables eliminated by `steps`.
pub(crate) fn replay(steps: &[Step], mut point: Witness) -> Result<Witness, Stop> {
    for step in steps.iter().rev() {
        let (var, value) = match step {
            Step::Defined(var, by) => (*var, by.eval(&at(&point))),
            Step::Bounded(var, rows) => (*var, choose_value(*var, rows, &point)),
        };
        point.insert(var, value.ok_or(Stop::Unknown)?);
    }
    Ok(point)
}

/// Reads a point; variables that no constraint mentions are zero.
pub(crate) fn at(point: &Witness) -> impl Fn(Var) -> i128 + '_ {
    |var| point.get(&var).copied().unwrap_or(0)
}

/// The value of least size, non-negative first, that `rows` allow for `var`
/// at a `point` of the other variables; `None` if there is none.
pub(crate) fn choose_value(var: Var, rows: &[Linear], point: &Witness) -> Option<i128> {
    let (mut least, mut greatest) = (i128::MIN, i128::MAX);
    for row in rows {
        let rest = row.eval(&at(point))?;
        match row.coefficient(var) {
            0 => {}
            a @ 1.. => least = least.max(ceil_div(rest.checked_neg()?, a)),
            a => greatest = greatest.min(floor_div(rest, a.checked_neg()?)),
        }
    }
    (least <= greatest).then(|| 0.clamp(least, greatest))
}
