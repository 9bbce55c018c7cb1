//! The calling convention: sizes inferred, and every way a call can be refused.

mod common;

use common::*;
use iverson_interpreter::{Scalar, eval};
use iverson_spec::call::{CallError, Dense, Limits, Relation, Value, bind};

const SOURCE: &str =
    "fn f(n: size, k: size, m: size, x: real[n - k + 1], w: real[2 * k], v: real[n],
        p: index(m)[n], R: rel(n, m)) -> (y: real) { y = sum(i: n) v[i] }";

/// n = 4, k = 2, m = 3.
fn inputs() -> indexmap::IndexMap<String, Value<f64>> {
    values([
        ("m", size(3)),
        ("x", vector(&[0.0; 3])),
        ("w", vector(&[0.0; 4])),
        ("v", vector(&[1.0; 4])),
        ("p", indices(&[0, 1, 2, 0])),
        ("R", relation(2, &[&[3, 2], &[0, 0]])),
    ])
}

/// Checks the refusal of the call with `name` replaced, or left out.
#[track_caller]
fn refused(name: &str, value: Option<Value<f64>>, want: &str) {
    let mut inputs = inputs();
    match value {
        Some(value) => inputs.insert(name.into(), value),
        None => inputs.shift_remove(name),
    };
    let error = bind(&program(SOURCE), &inputs, Limits::default()).expect_err("a refusal");
    assert_eq!(error.to_string(), want);
    let error = eval(&program(SOURCE), &inputs, Limits::default()).expect_err("a refusal");
    assert_eq!(error.to_string(), want);
}

#[test]
fn sizes_are_inferred_from_shapes() {
    let bound = bind(&program(SOURCE), &inputs(), Limits::default()).unwrap();
    assert_eq!(bound.sizes, [4, 2, 3]);
    let mut given = inputs();
    given.insert("k".into(), size(2));
    given.insert("n".into(), size(4));
    assert_eq!(bind(&program(SOURCE), &given, Limits::default()).unwrap(), bound);
}

#[test]
fn names_and_sorts() {
    refused(
        "z",
        Some(scalar(1.0)),
        "there is no parameter `z`; the parameters are `n`, `k`, `m`, `x`, `w`, `v`, `p`, `R`",
    );
    refused("v", None, "argument `v` is missing: wanted a real tensor real[n]");
    refused("R", None, "argument `R` is missing: wanted a relation rel(n, m)");
    refused("m", None, "size `m` is not given, and no argument's shape determines it");
    refused(
        "v",
        Some(indices(&[0])),
        "argument `v` is an index tensor, wanted a real tensor real[n]",
    );
    refused(
        "p",
        Some(vector(&[0.0])),
        "argument `p` is a real tensor, wanted an index tensor index(m)[n]",
    );
    refused("m", Some(vector(&[0.0])), "argument `m` is a real tensor, wanted a size");
    refused(
        "m",
        Some(size(u64::MAX)),
        "size `m` is 18446744073709551615, wanted at most 9223372036854775807",
    );
}

#[test]
fn shapes() {
    refused("v", Some(real(&[2, 2], &[0.0; 4])), "argument `v` has 2 axes, wanted 1");
    refused("p", Some(indices(&[0; 5])), "axis 0 of argument `p` has extent 5, wanted n = 4");
    refused("x", Some(vector(&[0.0; 2])), "axis 0 of argument `w` has extent 4, wanted 2 * k = 6");
    refused("n", Some(size(5)), "axis 0 of argument `w` has extent 4, wanted 2 * k = 6");
    let odd = Value::Real(Dense { shape: vec![4], data: vec![0.0; 3] });
    refused("v", Some(odd), "argument `v` has 3 entries, wanted 4 for its shape [4]");
}

#[test]
fn a_shape_that_no_size_gives() {
    let message = |extent: &str| {
        let source = format!("fn f(k: size, w: real[{extent}]) -> (y: real) {{ y = real(k) }}");
        let inputs = values([("w", vector(&[0.0; 3]))]);
        bind(&program(&source), &inputs, Limits::default()).map_err(|error| error.to_string())
    };
    let refusal = |extent: &str| {
        Err(format!("axis 0 of argument `w` has extent 3: no `k` makes it {extent}"))
    };
    assert_eq!(message("2 * k"), refusal("2 * k"));
    assert_eq!(message("k + 4"), refusal("k + 4"));
    assert_eq!(message("7 - 2 * k").map(|bound| bound.sizes), Ok(vec![2]));
}

#[test]
fn entries() {
    refused("p", Some(indices(&[0, 3, -1, 0])), "entry `p[1]` is 3, wanted an index in 0..3");
    refused("p", Some(indices(&[0, -1, 3, 0])), "entry `p[1]` is -1, wanted an index in 0..3");
    refused(
        "R",
        Some(relation(2, &[&[0, 3], &[9, 0]])),
        "tuple 0 of relation `R` has 3 in place 1, wanted an index in 0..3",
    );
    refused(
        "R",
        Some(relation(2, &[&[0, -1], &[0, 1], &[1, -1]])),
        "tuple 0 of relation `R` has -1 in place 1, wanted an index in 0..3",
    );
    for tuples in [&[][..], &[&[0][..]]] {
        let wanted = "relation `R` has tuples of 1 places, wanted 2";
        refused("R", Some(relation(1, tuples)), wanted);
    }
}

#[test]
fn extents_and_memory() {
    let source = "fn f(n: size) -> (y: real[n - 3]) { y[i: n - 3] = 1 }";
    let message = |n: u64, limits| {
        bind(&program(source), &values::<f64, 1>([("n", size(n))]), limits).unwrap_err().to_string()
    };
    let limits = Limits::default();
    assert_eq!(message(2, limits), "axis 0 of `y` has extent n - 3 = -1, wanted at least 0");
    assert_eq!(
        message(103, Limits { bytes: 799 }),
        "`y` has shape [100]: with it the tensors take 800 bytes, wanted at most 799"
    );
    assert_eq!(
        message(1 << 62, limits),
        "`y` has shape [4611686018427387901]: with it the tensors take more than 2^64 bytes, wanted at most 4294967296"
    );
    let twice = "fn f(n: size) -> (y: real[4 * n]) { y[i: 4 * n] = 1 }";
    let error =
        bind(&program(twice), &values::<f64, 1>([("n", size(1 << 62))]), limits).unwrap_err();
    let want = CallError::ExtentOverflow { name: "y".into(), extent: "4 * n".into() };
    assert_eq!(error, want);
    assert_eq!(want.to_string(), "the extent 4 * n of `y` is beyond the range of 64-bit integers");
}

#[test]
fn values_are_made_and_read() {
    assert_eq!(Dense::new(vec![2, 2], vec![1, 2, 3]), None);
    let dense = Dense::new(vec![2, 3], vec![0; 6]).unwrap();
    assert_eq!(dense.position(5), [1, 2]);
    let mask = Dense::new(vec![2, 2], vec![false, true, true, false]).unwrap();
    let relation = Relation::from_mask(&mask);
    assert_eq!(relation, Relation::new(2, vec![vec![1, 0], vec![0, 1], vec![1, 0]]));
    assert!(relation.contains(&[0, 1]) && !relation.contains(&[0, 0]));
    assert_eq!(f64::integer(3), 3.0);
}
