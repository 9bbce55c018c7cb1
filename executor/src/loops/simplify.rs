//! Building integers in normal form: sums are flat, merged, without zero terms, sizes in their order.

use super::Int;

impl Int {
    /// `self + other`
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self::linear([(1, self), (1, other)], 0)
    }

    /// `self - other`
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self::linear([(1, self), (-1, other)], 0)
    }

    /// `self + n`
    #[must_use]
    pub fn offset(self, n: i64) -> Self {
        Self::linear([(1, self)], n)
    }

    /// `factor * self`
    #[must_use]
    pub fn times(self, factor: i64) -> Self {
        Self::linear([(factor, self)], 0)
    }

    /// `self * other`
    #[must_use]
    pub fn product(self, other: Self) -> Self {
        match (self, other) {
            (Self::Const(a), b) => b.times(a),
            (a, Self::Const(b)) => a.times(b),
            (Self::Product(mut a), Self::Product(b)) => {
                a.extend(b);
                Self::Product(a)
            }
            (Self::Product(mut a), b) => {
                a.push(b);
                Self::Product(a)
            }
            (a, b) => Self::Product(vec![a, b]),
        }
    }

    /// `self / k`, rounded down; k ≥ 1. Multiples of `k` stand outside: `(2 * i + j + 3) / 2` is `i + (j + 1) / 2 + 1`.
    #[must_use]
    pub fn divided(self, k: i64) -> Self {
        if k == 1 {
            return self;
        }
        let (whole, rest) = self.multiples(k);
        let quotient = match rest.as_const() {
            Some(n) => Self::Const(n.div_euclid(k)),
            None => Self::Div(Box::new(rest), k),
        };
        whole.plus(quotient)
    }

    /// `self % k`, in `0..k`; k ≥ 1.
    #[must_use]
    pub fn remainder(self, k: i64) -> Self {
        if k == 1 {
            return Self::Const(0);
        }
        let (_, rest) = self.multiples(k);
        match rest.as_const() {
            Some(n) => Self::Const(n.rem_euclid(k)),
            None => Self::Mod(Box::new(rest), k),
        }
    }

    /// `(a, b)` with `self = k * a + b`, where no factor in `b` is a multiple of `k` and its constant is in `0..k`.
    fn multiples(self, k: i64) -> (Self, Self) {
        let (terms, constant) = match self {
            Self::Const(n) => (Vec::new(), n),
            Self::Sum(terms, constant) => (terms, constant),
            other @ (Self::Size(_)
            | Self::Var(_)
            | Self::Load(..)
            | Self::Product(_)
            | Self::Div(..)
            | Self::Mod(..)
            | Self::DivBy(_)
            | Self::Floor(_)
            | Self::Select(_)) => (vec![(1, other)], 0),
        };
        let (whole, rest): (Vec<_>, Vec<_>) =
            terms.into_iter().partition(|(factor, _)| factor % k == 0);
        let whole = whole.into_iter().map(|(factor, term)| (factor / k, term));
        let outside = constant.div_euclid(k);
        (Self::linear(whole, outside), Self::linear(rest, constant.rem_euclid(k)))
    }

    /// `Σ factor · term + constant`
    #[must_use]
    pub fn linear(terms: impl IntoIterator<Item = (i64, Self)>, constant: i64) -> Self {
        let mut sum: Vec<(i64, Self)> = Vec::new();
        let mut total = constant;
        for (factor, term) in terms {
            add(&mut sum, &mut total, factor, term);
        }
        sum.retain(|(factor, _)| *factor != 0);
        sort_sizes(&mut sum);
        match (sum.as_slice(), total) {
            ([], n) => Self::Const(n),
            ([(1, _)], 0) => sum.remove(0).1,
            _ => Self::Sum(sum, total),
        }
    }

    /// The value, if it is written as a number.
    #[must_use]
    pub fn as_const(&self) -> Option<i64> {
        if let Self::Const(n) = self { Some(*n) } else { None }
    }

    /// Whether it is a sum of numbers, sizes and variables, with constant factors.
    #[must_use]
    pub fn is_affine(&self) -> bool {
        match self {
            Self::Const(_) | Self::Size(_) | Self::Var(_) => true,
            Self::Sum(terms, _) => terms.iter().all(|(_, term)| term.is_affine()),
            Self::Load(..)
            | Self::Product(_)
            | Self::Div(..)
            | Self::Mod(..)
            | Self::DivBy(_)
            | Self::Floor(_)
            | Self::Select(_) => false,
        }
    }

    /// Whether it is made of numbers, sizes and variables by sums and products.
    #[must_use]
    pub fn is_polynomial(&self) -> bool {
        match self {
            Self::Const(_) | Self::Size(_) | Self::Var(_) => true,
            Self::Sum(terms, _) => terms.iter().all(|(_, term)| term.is_polynomial()),
            Self::Product(factors) => factors.iter().all(Self::is_polynomial),
            Self::Load(..)
            | Self::Div(..)
            | Self::Mod(..)
            | Self::DivBy(_)
            | Self::Floor(_)
            | Self::Select(_) => false,
        }
    }
}

/// Puts the sizes of a sum in their order, so that equal sums of sizes are the same.
fn sort_sizes(sum: &mut [(i64, Int)]) {
    let is_size = |term: &(i64, Int)| matches!(term.1, Int::Size(_));
    let size = |term: &(i64, Int)| if let Int::Size(id) = term.1 { Some(id) } else { None };
    let mut sizes: Vec<(i64, Int)> = sum.iter().filter(|term| is_size(term)).cloned().collect();
    sizes.sort_by_key(size);
    let places = sum.iter_mut().filter(|term| is_size(term));
    places.zip(sizes).for_each(|(place, term)| *place = term);
}

fn add(sum: &mut Vec<(i64, Int)>, total: &mut i64, factor: i64, term: Int) {
    match term {
        Int::Const(n) => *total = total.wrapping_add(factor.wrapping_mul(n)),
        Int::Sum(terms, constant) => {
            *total = total.wrapping_add(factor.wrapping_mul(constant));
            for (inner, term) in terms {
                add(sum, total, factor.wrapping_mul(inner), term);
            }
        }
        term @ (Int::Size(_)
        | Int::Var(_)
        | Int::Load(..)
        | Int::Product(_)
        | Int::Div(..)
        | Int::Mod(..)
        | Int::DivBy(_)
        | Int::Floor(_)
        | Int::Select(_)) => match sum.iter_mut().find(|(_, known)| *known == term) {
            Some((coefficient, _)) => *coefficient = coefficient.wrapping_add(factor),
            None => sum.push((factor, term)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Int, IntId, SizeId};

    #[test]
    fn equal_sums_of_sizes_are_the_same() {
        let [n, k] = [0, 1].map(|at| Int::Size(SizeId(at)));
        let i = Int::Var(IntId(0));
        assert_eq!(k.clone().plus(n.clone()), n.clone().plus(k.clone()));
        let shifted = k.clone().plus(i.clone()).plus(n.clone()).offset(-1);
        assert_eq!(shifted, n.plus(i).plus(k).offset(-1));
    }
}
