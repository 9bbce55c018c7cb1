//! Affine forms `c + Σ aᵢ·xᵢ` with checked integer coefficients.
//!
//! Invariant: terms are sorted by variable, and no coefficient is zero. So
//! two forms are equal as functions exactly when they are equal as values.

use crate::arith::{dot, gcd, mul};
use std::fmt;

/// An integer unknown, named by a number that the caller chooses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Var(pub u32);

impl fmt::Display for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x{}", self.0)
    }
}

/// The affine form `c + Σ aᵢ·xᵢ`; the default is zero.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Linear {
    terms: Vec<(Var, i128)>,
    constant: i128,
}

impl Linear {
    /// The form that is `value` everywhere.
    pub fn constant(value: i128) -> Self {
        Self { terms: Vec::new(), constant: value }
    }

    /// The form `var`.
    pub fn var(var: Var) -> Self {
        Self::term(1, var)
    }

    /// The form `coefficient·var`.
    pub fn term(coefficient: i128, var: Var) -> Self {
        let terms = if coefficient == 0 { Vec::new() } else { vec![(var, coefficient)] };
        Self { terms, constant: 0 }
    }

    /// The form `constant + Σ coefficient·var`; a variable may occur often.
    ///
    /// `None` where a sum of coefficients overflows.
    pub fn of(constant: i128, terms: impl IntoIterator<Item = (i128, Var)>) -> Option<Self> {
        let mut terms: Vec<_> = terms.into_iter().map(|(a, x)| (x, a)).collect();
        terms.sort_by_key(|&(x, _)| x);
        let mut merged: Vec<(Var, i128)> = Vec::with_capacity(terms.len());
        for (x, a) in terms {
            match merged.last_mut() {
                Some((last, sum)) if *last == x => *sum = sum.checked_add(a)?,
                Some(_) | None => merged.push((x, a)),
            }
        }
        merged.retain(|&(_, a)| a != 0);
        Some(Self { terms: merged, constant })
    }

    /// `self + other`, or `None` on overflow.
    pub fn add(&self, other: &Self) -> Option<Self> {
        Self::combine(1, self, 1, other)
    }

    /// `self − other`, or `None` on overflow.
    pub fn sub(&self, other: &Self) -> Option<Self> {
        Self::combine(1, self, -1, other)
    }

    /// `factor·self`, or `None` on overflow.
    pub fn scale(&self, factor: i128) -> Option<Self> {
        if factor == 0 {
            return Some(Self::default());
        }
        let scaled = |&(x, a): &(Var, i128)| Some((x, mul(a, factor)?));
        let terms = self.terms.iter().map(scaled).collect::<Option<_>>()?;
        Some(Self { terms, constant: mul(self.constant, factor)? })
    }

    /// `−self`, or `None` on overflow.
    pub fn neg(&self) -> Option<Self> {
        self.scale(-1)
    }

    /// `self + value`, or `None` on overflow.
    pub fn plus(&self, value: i128) -> Option<Self> {
        let constant = self.constant.checked_add(value)?;
        Some(Self { terms: self.terms.clone(), constant })
    }

    /// The coefficient of `var`, zero where it does not occur.
    pub fn coefficient(&self, var: Var) -> i128 {
        let found = self.terms.iter().find(|&&(x, _)| x == var);
        found.map_or(0, |&(_, a)| a)
    }

    /// Whether `var` occurs.
    pub fn mentions(&self, var: Var) -> bool {
        self.coefficient(var) != 0
    }

    /// The constant `c`.
    pub fn constant_part(&self) -> i128 {
        self.constant
    }

    /// The terms, sorted by variable, with coefficients other than zero.
    pub fn terms(&self) -> &[(Var, i128)] {
        &self.terms
    }

    /// The variables that occur, in order.
    pub fn vars(&self) -> impl Iterator<Item = Var> + '_ {
        self.terms.iter().map(|&(x, _)| x)
    }

    /// The value of a form without variables.
    pub fn is_constant(&self) -> Option<i128> {
        self.terms.is_empty().then_some(self.constant)
    }

    /// `self` with `by` in the place of `var`, or `None` on overflow.
    pub fn substitute(&self, var: Var, by: &Self) -> Option<Self> {
        match self.coefficient(var) {
            0 => Some(self.clone()),
            a => Self::merge(1, self, a, by, Some(var)),
        }
    }

    /// `divisor·self` with `numerator / divisor` in the place of `var`, or
    /// `None` on overflow.
    pub(crate) fn substitute_quotient(
        &self,
        var: Var,
        numerator: &Self,
        divisor: i128,
    ) -> Option<Self> {
        Self::merge(divisor, self, self.coefficient(var), numerator, Some(var))
    }

    /// The value where each variable is given by `point`, or `None` on overflow.
    pub fn eval(&self, point: &impl Fn(Var) -> i128) -> Option<i128> {
        let mut sum = self.constant;
        for &(x, a) in &self.terms {
            sum = sum.checked_add(mul(a, point(x))?)?;
        }
        Some(sum)
    }

    /// `a·left + b·right`, or `None` on overflow.
    pub(crate) fn combine(a: i128, left: &Self, b: i128, right: &Self) -> Option<Self> {
        Self::merge(a, left, b, right, None)
    }

    /// `a·left + b·right`, where the term of `skip` in `left` counts as zero.
    fn merge(a: i128, left: &Self, b: i128, right: &Self, skip: Option<Var>) -> Option<Self> {
        let mut terms = Vec::with_capacity(left.terms.len() + right.terms.len());
        let mut rest = right.terms.iter().copied().peekable();
        for &(x, p) in &left.terms {
            while let Some((y, q)) = rest.next_if(|&(y, _)| y < x) {
                push(&mut terms, y, mul(b, q)?);
            }
            let p = if skip == Some(x) { 0 } else { p };
            let q = rest.next_if(|&(y, _)| y == x).map_or(0, |(_, q)| q);
            push(&mut terms, x, dot(a, p, b, q)?);
        }
        for (y, q) in rest {
            push(&mut terms, y, mul(b, q)?);
        }
        Some(Self { terms, constant: dot(a, left.constant, b, right.constant)? })
    }

    /// The greatest common divisor of the coefficients, zero without terms.
    pub(crate) fn content(&self) -> Option<i128> {
        let mut divisor = 0;
        for &(_, a) in &self.terms {
            divisor = gcd(a.unsigned_abs(), divisor);
            if divisor == 1 {
                break;
            }
        }
        i128::try_from(divisor).ok()
    }

    /// Applies `f` to each coefficient and keeps the results that are not zero.
    pub(crate) fn map_coefficients(&mut self, mut f: impl FnMut(i128) -> i128) {
        self.terms.iter_mut().for_each(|(_, a)| *a = f(*a));
        self.terms.retain(|&(_, a)| a != 0);
    }

    /// Replaces the constant.
    pub(crate) fn set_constant(&mut self, value: i128) {
        self.constant = value;
    }

    /// Whether the terms are those of `−other`; constants are not compared.
    pub(crate) fn is_opposite(&self, other: &Self) -> bool {
        let opposite =
            |(p, q): (&(Var, i128), &(Var, i128))| p.0 == q.0 && p.1.checked_neg() == Some(q.1);
        self.terms.len() == other.terms.len() && self.terms.iter().zip(&other.terms).all(opposite)
    }
}

fn push(terms: &mut Vec<(Var, i128)>, var: Var, coefficient: i128) {
    if coefficient != 0 {
        terms.push((var, coefficient));
    }
}

impl fmt::Display for Linear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for &(x, a) in &self.terms {
            write_sign(f, a < 0, first)?;
            match a.unsigned_abs() {
                1 => write!(f, "{x}")?,
                size => write!(f, "{size}·{x}")?,
            }
            first = false;
        }
        if first {
            return write!(f, "{}", self.constant);
        }
        if self.constant != 0 {
            write_sign(f, self.constant < 0, false)?;
            write!(f, "{}", self.constant.unsigned_abs())?;
        }
        Ok(())
    }
}

fn write_sign(f: &mut fmt::Formatter<'_>, negative: bool, first: bool) -> fmt::Result {
    f.write_str(match (negative, first) {
        (true, true) => "-",
        (true, false) => " - ",
        (false, true) => "",
        (false, false) => " + ",
    })
}
