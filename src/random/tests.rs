//! Tests of this folder's module.

use super::*;
use crate::pipeline::load;
use iverson_interpreter::{Rational, eval};
use proptest::prelude::*;

fn program(text: &str) -> Typed {
    match load(text) {
        Ok(loaded) => loaded.function(None).expect("a function").clone(),
        Err(diagnostics) => panic!("{}", iverson_spec::render::render(&diagnostics, "test", text)),
    }
}

fn given(sizes: &[(&str, u64)]) -> Values<f64> {
    sizes.iter().map(|(name, n)| ((*name).to_owned(), Value::Size(*n))).collect()
}

fn fill_f64(text: &str, sizes: &[(&str, u64)], seed: u64) -> Result<Values<f64>, Refusal> {
    fill(&program(text), &given(sizes), seed, Limits::default())
}

const SPMV: &str = "fn spmv(n: size, m: size, nnz: size, row: index(n)[nnz], col: index(m)[nnz], \
    a: real[nnz], x: real[m], R: rel(n, m)) -> (y: real[n]) \
    { y[i: n] = sum(e: nnz) [row[e] = i] * a[e] * x[col[e]] }";

/// Programs whose clauses a random draw hardly ever meets.
const DEMANDING: [(&str, &str); 6] = [
    (
        "tree",
        "fn f(n: size, p: index(n)[n], x: real[n]) -> (y: real[n]) \
              { requires(v: n) v = 0 or p[v] < v\n y[v: n] = x[p[v]] }",
    ),
    (
        "rows",
        "fn f(n: size, m: size, p: index(m + 1)[n + 1]) -> (y: real[n]) \
              { requires(i: n) p[i] <= p[i + 1]\n requires p[0] = 0\n requires p[n] = m\n y[i: n] = real(p[i]) }",
    ),
    (
        "permutation",
        "fn f(n: size, p: index(n)[n]) -> (y: real[n]) \
              { requires(i: n, j: n) i = j or p[i] != p[j]\n y[i: n] = real(p[i]) }",
    ),
    (
        "symmetric",
        "fn f(n: size, R: rel(n, n), x: real[n]) -> (y: real[n]) \
              { requires(i: n, j: n) not R(i, j) or R(j, i)\n y[i: n] = x[i] }",
    ),
    (
        "positive",
        "fn f(n: size, x: real[n]) -> (y: real[n]) \
              { requires(i: n) x[i] > 0.25\n y[i: n] = 1 / x[i] }",
    ),
    (
        "derived",
        "fn f(n: size, p: index(n)[n], x: real[n]) -> (y: real[n]) \
              { q[i: n] = p[p[i]]\n requires(i: n) q[i] <= i\n y[i: n] = x[q[i]] }",
    ),
];

#[test]
fn clauses_are_met() {
    for (name, text) in DEMANDING {
        let program = program(text);
        for n in [0, 1, 2, 5, 24].into_iter().skip(usize::from(name == "rows")) {
            for seed in 0..3 {
                let values = fill(&program, &given(&[("n", n)]), seed, Limits::default());
                let values = values.unwrap_or_else(|e| panic!("{name} at n = {n}: {e}"));
                let results = eval(&program, &values, Limits::default());
                assert!(results.is_ok(), "{name} at n = {n}: {results:?}");
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_values_for_every_scalar() {
    let f64s = fill_f64(SPMV, &[], 7).expect("values");
    assert_eq!(f64s, fill_f64(SPMV, &[], 7).expect("values"));
    assert_ne!(f64s, fill_f64(SPMV, &[], 8).expect("values"));
    let exact: Values<Rational> =
        fill(&program(SPMV), &Values::new(), 7, Limits::default()).expect("values");
    let (Value::Real(a), Value::Real(b)) = (&f64s["x"], &exact["x"]) else { panic!("reals") };
    let nearest: Vec<f64> =
        b.data.iter().map(|Rational(x)| Number::new(x.clone()).nearest()).collect();
    assert_eq!(a.data, nearest);
}

#[test]
fn what_is_given_stays() {
    let mut values = given(&[]);
    values.insert("a".to_owned(), Value::vector(vec![2.0, 3.0]));
    let filled = fill(&program(SPMV), &values, 1, Limits::default()).expect("values");
    assert_eq!(filled["a"], values["a"]);
    assert_eq!((&filled["nnz"], &filled["n"]), (&Value::Size(2), &Value::Size(DEFAULT_SIZE)));
}

#[test]
fn sizes_make_shapes_possible() {
    let text = "fn f(n: size, x: real[n - 5]) -> (y: real) { y = sum(i: n - 5) x[i] }";
    let filled = fill_f64(text, &[], 0).expect("values");
    assert_eq!(filled["n"], Value::Size(5));
}

#[test]
fn refusals_say_why() {
    for (text, sizes, want) in [
        (
            SPMV,
            &[("n", 0), ("nnz", 3)][..],
            "`row` cannot be filled in: it has 3 entries and its sort `index(0)` is empty at the given sizes",
        ),
        (
            "fn f(n: size, x: real[n - 5]) -> (y: real) { y = sum(i: n - 5) x[i] }",
            &[("n", 3)],
            "`x` cannot be filled in: its shape would be [-2] at these sizes: n = 3; wanted: extents from 0 on, and at most 4294967296 bytes, the memory limit",
        ),
        (
            "fn f(n: size, x: real[n]) -> (y: real) { y = sum(i: n) x[i] }",
            &[("n", 1 << 40)],
            "`x` cannot be filled in: its shape would be [1099511627776] at these sizes: n = 1099511627776; wanted: extents from 0 on, and at most 4294967296 bytes, the memory limit",
        ),
        (
            "fn f(n: size, x: real[n]) -> (y: real[n]) { requires(i: n) x[i] > 1\n y[i: n] = x[i] }",
            &[("n", 2)],
            "the missing inputs cannot be filled in at random: clause 1, `requires x[i] > 1`, does not hold at i = 0 after 1203 trials; give `x`",
        ),
    ] {
        assert_eq!(fill_f64(text, sizes, 0).expect_err("a refusal").to_string(), want);
    }
}

proptest! {
    #[test]
    fn entries_are_in_range(n in 1u64..6, m in 1u64..6, nnz in 0u64..9, seed: u64) {
        let values = fill_f64(SPMV, &[("n", n), ("m", m), ("nnz", nnz)], seed).expect("values");
        let bound = iverson_spec::call::bind(&program(SPMV), &values, Limits::default());
        prop_assert!(bound.is_ok(), "{:?}", bound);
        let Value::Real(x) = &values["x"] else { panic!("a real tensor") };
        prop_assert!(x.data.iter().all(|x| x.abs() < 1.0));
    }
}
