//! Integer solutions of linear equations in terms of parameters.
//!
//! Equations with a unit coefficient are solved by substitution. In the
//! others, Euclid's algorithm on the unknowns (the column operations of the
//! Hermite normal form) leaves `g·y + p = 0` with one unknown `y`: there is a
//! solution where `g | p`, and then `y = −p/g`.

use crate::arith::{gcd, mul};
use crate::constraint::Constraint;
use crate::euclid::{Pivot, pivot, quotient_value, reduction};
use crate::linear::{Linear, Var};
use crate::normal::{Sense, normalize, tighten_equality};

/// The value `numerator / divisor`, an integer wherever it is used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quotient {
    /// A form over parameters and free variables.
    pub numerator: Linear,
    /// A positive number.
    pub divisor: i128,
}

impl Quotient {
    /// The value as an affine form, where nothing has to be divided.
    pub fn as_linear(&self) -> Option<&Linear> {
        (self.divisor == 1).then_some(&self.numerator)
    }

    /// The value at a point, or `None` on overflow or where it is no integer.
    pub fn eval(&self, point: &impl Fn(Var) -> i128) -> Option<i128> {
        let numerator = self.numerator.eval(point)?;
        (numerator % self.divisor == 0).then(|| numerator / self.divisor)
    }

    /// The value with `by` in the place of `var`, in lowest terms.
    fn substitute(&self, var: Var, by: &Self) -> Option<Self> {
        let numerator = self.numerator.substitute_quotient(var, &by.numerator, by.divisor)?;
        Self { numerator, divisor: mul(self.divisor, by.divisor)? }.reduced()
    }

    fn reduced(mut self) -> Option<Self> {
        let constant = self.numerator.constant_part();
        let content = self.numerator.content()?.unsigned_abs();
        let common = gcd(gcd(content, constant.unsigned_abs()), self.divisor.unsigned_abs());
        let common = i128::try_from(common).ok()?;
        self.numerator.map_coefficients(|a| a / common);
        self.numerator.set_constant(constant / common);
        self.divisor /= common;
        Some(self)
    }

    fn rename(&self, name: &impl Fn(Var) -> Var) -> Option<Self> {
        let terms = self.numerator.terms().iter().map(|&(x, a)| (a, name(x)));
        let numerator = Linear::of(self.numerator.constant_part(), terms)?;
        Some(Self { numerator, divisor: self.divisor })
    }
}

/// All integer solutions of equations for some unknowns.
///
/// For fixed parameters there are solutions exactly where the conditions hold,
/// and then each solution is the image of exactly one choice of integers for
/// the free variables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Solution {
    /// The value of each unknown, in the order the unknowns were given.
    pub values: Vec<(Var, Quotient)>,
    /// Equalities and divisibilities on the parameters alone. Without
    /// solutions for any parameters this is [`Constraint::never`] alone.
    pub conditions: Vec<Constraint>,
    /// The free variables, fresh ones from the first fresh variable on.
    pub free: Vec<Var>,
}

impl Solution {
    /// The value of `unknown`, if it is one of the unknowns.
    pub fn value(&self, unknown: Var) -> Option<&Quotient> {
        self.values.iter().find(|(var, _)| *var == unknown).map(|(_, value)| value)
    }

    /// Whether it is known that there are no solutions for any parameters.
    pub fn is_never(&self) -> bool {
        self.conditions.contains(&Constraint::never())
    }
}

/// Solves `e = 0` for each of the `equalities`, for the `unknowns`.
///
/// Every other variable is a parameter. Values use parameters and the free
/// variables `first_fresh`, `first_fresh + 1`, …, which must be new.
///
/// * **Arithmetic**: exact. Unknowns with coefficient ±1 are solved for first,
///   so values have divisor 1 wherever substitution suffices.
/// * **Cost**: polynomial in the number of equations and of digits.
/// * **Failure**: `None` on overflow of `i128`, and where a variable from
///   `first_fresh` on occurs in the input.
pub fn solve(equalities: &[Linear], unknowns: &[Var], first_fresh: Var) -> Option<Solution> {
    let known = equalities.iter().flat_map(Linear::vars).chain(unknowns.iter().copied());
    if known.max().is_some_and(|last| last >= first_fresh) {
        return None;
    }
    let mut solver = Solver::new(equalities, unknowns, first_fresh);
    while let Some(row) = solver.take_equality() {
        solver.step(row)?;
    }
    solver.finish(first_fresh)
}

struct Solver {
    equalities: Vec<Linear>,
    values: Vec<(Var, Quotient)>,
    /// Unknowns that are not solved for.
    open: Vec<Var>,
    conditions: Vec<Constraint>,
    fresh: u32,
}

impl Solver {
    fn new(equalities: &[Linear], unknowns: &[Var], first_fresh: Var) -> Self {
        let mut open: Vec<Var> = Vec::new();
        for &var in unknowns {
            if !open.contains(&var) {
                open.push(var);
            }
        }
        let itself = |&var: &Var| (var, Quotient { numerator: Linear::var(var), divisor: 1 });
        Self {
            equalities: equalities.to_vec(),
            values: open.iter().map(itself).collect(),
            open,
            conditions: Vec::new(),
            fresh: first_fresh.0,
        }
    }

    /// Takes out the equality that is easiest to solve.
    fn take_equality(&mut self) -> Option<Linear> {
        let rank = |row: &Linear| match pivot(row, |var| self.open.contains(&var)) {
            Pivot::Unit(_) => 0,
            Pivot::Absent => 1,
            Pivot::Sole(_, _) => 2,
            Pivot::Reduce(_, _) => 3,
        };
        let ranked = self.equalities.iter().enumerate().map(|(at, row)| (rank(row), at));
        let (_, at) = ranked.min()?;
        Some(self.equalities.remove(at))
    }

    fn step(&mut self, mut row: Linear) -> Option<()> {
        match tighten_equality(&mut row)? {
            Sense::Always => return Some(()),
            Sense::Never => return self.require(Constraint::never()),
            Sense::Open => {}
        }
        loop {
            row = match pivot(&row, |var| self.open.contains(&var)) {
                Pivot::Absent => return self.require(Constraint::Zero(row)),
                Pivot::Unit(_) => return self.close(&row, self.unit(&row)?),
                Pivot::Sole(var, _) => return self.close(&row, var),
                Pivot::Reduce(var, a) => self.reduce(&row, (var, a))?,
            }
        }
    }

    /// The first unknown with coefficient ±1.
    fn unit(&self, row: &Linear) -> Option<Var> {
        self.open.iter().copied().find(|&var| matches!(row.coefficient(var), 1 | -1))
    }

    /// Solves `row = 0` for `var`, under the condition that the value is whole.
    fn close(&mut self, row: &Linear, var: Var) -> Option<()> {
        let (numerator, divisor) = quotient_value(row, var)?;
        self.open.retain(|&other| other != var);
        if divisor != 1 {
            self.require(Constraint::Divides(divisor, numerator.clone()))?;
        }
        self.replace(var, &Quotient { numerator, divisor })
    }

    /// One round of Euclid's algorithm on `row`, which stays in hand: rounds on
    /// several rows in turn could undo each other for ever.
    fn reduce(&mut self, row: &Linear, (var, a): (Var, i128)) -> Option<Linear> {
        let fresh = Var(self.fresh);
        self.fresh = self.fresh.checked_add(1)?;
        let numerator = reduction(row, (var, a), fresh, |var| self.open.contains(&var))?;
        self.open.iter_mut().filter(|open| **open == var).for_each(|open| *open = fresh);
        let reduced = row.substitute(var, &numerator)?;
        self.replace(var, &Quotient { numerator, divisor: 1 })?;
        Some(reduced)
    }

    /// Replaces `var` everywhere.
    fn replace(&mut self, var: Var, by: &Quotient) -> Option<()> {
        for row in self.equalities.iter_mut().filter(|row| row.mentions(var)) {
            *row = row.substitute_quotient(var, &by.numerator, by.divisor)?;
        }
        for (_, value) in self.values.iter_mut().filter(|(_, v)| v.numerator.mentions(var)) {
            *value = value.substitute(var, by)?;
        }
        Some(())
    }

    /// Adds a condition on the parameters.
    fn require(&mut self, condition: Constraint) -> Option<()> {
        let (sense, condition) = normalize(&condition)?;
        match sense {
            Sense::Always => {}
            Sense::Never => self.conditions.push(Constraint::never()),
            Sense::Open => self.conditions.push(condition),
        }
        Some(())
    }

    /// Names the free variables in order and collects the solution.
    fn finish(self, first_fresh: Var) -> Option<Solution> {
        let last = first_fresh.0.checked_add(u32::try_from(self.open.len()).ok()?)?;
        let free: Vec<Var> = (first_fresh.0..last).map(Var).collect();
        let name = |var: Var| {
            let at = self.open.iter().position(|&open| open == var);
            at.map_or(var, |at| free[at])
        };
        let values = self.values.iter().map(|(var, value)| Some((*var, value.rename(&name)?)));
        let values = values.collect::<Option<_>>()?;
        let conditions = strongest(self.conditions);
        Some(Solution { values, conditions, free })
    }
}

/// The conditions, each once; only *never* where it is among them.
fn strongest(conditions: Vec<Constraint>) -> Vec<Constraint> {
    if conditions.contains(&Constraint::never()) {
        return vec![Constraint::never()];
    }
    let mut kept = Vec::new();
    for condition in conditions {
        if !kept.contains(&condition) {
            kept.push(condition);
        }
    }
    kept
}
