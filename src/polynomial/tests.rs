//! Tests of this folder's module.

use super::*;
use proptest::prelude::*;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(sizes: &[&str], count: impl Fn(&[u64]) -> u64, want: &str) {
    check_where(sizes, |at| Some(count(at)), want);
}

#[track_caller]
fn check_where(sizes: &[&str], count: impl Fn(&[u64]) -> Option<u64>, want: &str) {
    let found = find(&names(sizes), &mut |at| count(at));
    assert_eq!(found.map_or("none".to_owned(), |formula| formula.to_string()), want);
}

#[test]
fn polynomials_print_by_falling_degree() {
    check(&["n", "m"], |at| at[0] * at[0] + 3 * at[0] * at[1] + 2, "n^2 + 3*n*m + 2");
    check(&["n"], |at| at[0] * (at[0] + 1) / 2, "n^2/2 + n/2");
    check(&["n"], |at| (at[0] + 1).pow(4), "n^4 + 4*n^3 + 6*n^2 + 4*n + 1");
    check(&["n"], |_| 0, "0");
    check(&[], |_| 7, "7");
    check(&["a", "b", "c"], |at| at[0] * at[1] * at[2] + at[2], "a*b*c + c");
}

#[test]
fn floors_are_told_by_residues() {
    check(&["n"], |at| at[0] / 2, "n/2 if n % 2 = 0, n/2 - 1/2 if n % 2 = 1");
    check(
        &["n", "m"],
        |at| at[1] * at[0].div_ceil(3),
        "n*m/3 if n % 3 = 0, n*m/3 + 2*m/3 if n % 3 = 1, n*m/3 + m/3 if n % 3 = 2",
    );
}

#[test]
fn small_sizes_may_be_excepted() {
    check(&["n"], |at| at[0].max(2) - 2, "n - 2 for n >= 2");
    check(&["n", "m"], |at| at[0] * (at[1].max(1) - 1), "n*m - n for m >= 1");
}

#[test]
fn regions_are_named() {
    check(&["n", "m"], |at| at[0].min(at[1]), "m for n >= m");
    let convolution = |at: &[u64]| (at[0] + 1 >= at[1]).then(|| (at[0] + 1 - at[1]) * at[1]);
    check_where(&["n", "k"], convolution, "n*k - k^2 + k");
}

#[test]
fn other_growth_is_no_formula() {
    check(&["n"], |at| 1 << at[0].min(40), "none");
    check(&["n"], |at| at[0].pow(5), "none");
    check(&["n"], |at| at[0].isqrt(), "none");
    check(&["n"], |at| at[0].wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60, "none");
    check_where(&["n"], |_| None, "none");
}

proptest! {
    /// A polynomial with natural coefficients is found exactly: it agrees far away.
    #[test]
    fn random_polynomials_are_found(
        terms in proptest::collection::vec((0u32..=3, 0u32..=3, 1u64..50), 0..5),
        far in (0u64..500, 0u64..500),
    ) {
        let value = |at: &[u64]| -> u64 {
            terms.iter().map(|(a, b, c)| c * at[0].pow(*a) * at[1].pow(*b)).sum()
        };
        let formula = find(&names(&["n", "m"]), &mut |at| Some(value(at)));
        let formula = formula.expect("a formula");
        prop_assert_eq!(formula.condition(), &Condition::default());
        let far = [far.0, far.1];
        prop_assert_eq!(formula.at(&far), Some(value(&far)));
    }

    /// Floors of affine functions too.
    #[test]
    fn random_floors_are_found(a in 1u64..5, b in 0u64..5, q in prop::sample::select(&PERIODS[..]), far in 0u64..1000) {
        let value = |at: &[u64]| (a * at[0] + b) / q;
        let formula = find(&names(&["n"]), &mut |at| Some(value(at))).expect("a formula");
        prop_assert_eq!(formula.at(&[far]), Some(value(&[far])));
    }
}
