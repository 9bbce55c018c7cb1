//! Polynomials in the sizes with rational coefficients.

use dashu_base::Sign;
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;
use std::collections::BTreeMap;
use std::fmt;

/// A polynomial: its monomials, by their exponents, with coefficients that are not zero.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Poly {
    terms: BTreeMap<Vec<u32>, RBig>,
}

impl Poly {
    /// The polynomial 0.
    #[must_use]
    pub fn zero() -> Self {
        Self { terms: BTreeMap::new() }
    }

    /// The constant `c`, in `rank` sizes.
    #[must_use]
    pub fn constant(c: RBig, rank: usize) -> Self {
        Self::zero().plus(Self { terms: BTreeMap::from([(vec![0; rank], c)]) })
    }

    /// The sum.
    #[must_use]
    pub fn plus(mut self, other: Self) -> Self {
        for (exponents, c) in other.terms {
            *self.terms.entry(exponents).or_insert(RBig::ZERO) += c;
        }
        self.terms.retain(|_, c| !c.is_zero());
        self
    }

    /// The product with `(x_i - shift) / over`.
    #[must_use]
    pub fn times_linear(&self, i: usize, shift: u64, over: u64) -> Self {
        let (shift, over) = (RBig::from(shift), RBig::from(over));
        let mut product = Self::zero();
        for (exponents, c) in &self.terms {
            let mut raised = exponents.clone();
            raised[i] += 1;
            let terms = [(raised, c / &over), (exponents.clone(), -(c * &shift) / &over)];
            product = product.plus(Self { terms: BTreeMap::from(terms) });
        }
        product
    }

    /// The value at these sizes, if it is an integer.
    #[must_use]
    pub fn at(&self, sizes: &[u64]) -> Option<IBig> {
        let mut sum = RBig::ZERO;
        for (exponents, c) in &self.terms {
            let powers = sizes.iter().zip(exponents).map(|(n, e)| UBig::from(*n).pow(*e as usize));
            sum += c * RBig::from(powers.product::<UBig>());
        }
        (*sum.denominator() == UBig::ONE).then(|| sum.numerator().clone())
    }

    /// Writes the monomials by falling degree, then in the order of the sizes.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, names: &[String]) -> fmt::Result {
        let mut terms: Vec<_> = self.terms.iter().collect();
        terms.sort_by_key(|(exponents, _)| {
            std::cmp::Reverse((exponents.iter().sum::<u32>(), (*exponents).clone()))
        });
        if terms.is_empty() {
            return f.write_str("0");
        }
        for (k, (exponents, c)) in terms.into_iter().enumerate() {
            f.write_str(match (k, c.sign()) {
                (0, Sign::Positive) => "",
                (0, Sign::Negative) => "-",
                (_, Sign::Positive) => " + ",
                (_, Sign::Negative) => " - ",
            })?;
            write_term(f, exponents, c, names)?;
        }
        Ok(())
    }
}

/// `3*n^2*m/2`, without the sign.
fn write_term(
    f: &mut fmt::Formatter<'_>,
    exponents: &[u32],
    c: &RBig,
    names: &[String],
) -> fmt::Result {
    let powers = exponents.iter().zip(names).filter(|(e, _)| **e > 0);
    let power = |(e, name): (&u32, &String)| match e {
        1 => name.clone(),
        _ => format!("{name}^{e}"),
    };
    let mut factors: Vec<String> = powers.map(power).collect();
    let (_, magnitude) = c.numerator().clone().into_parts();
    if magnitude != UBig::ONE || factors.is_empty() {
        factors.insert(0, magnitude.to_string());
    }
    f.write_str(&factors.join("*"))?;
    match c.denominator() {
        one if *one == UBig::ONE => Ok(()),
        other => write!(f, "/{other}"),
    }
}
