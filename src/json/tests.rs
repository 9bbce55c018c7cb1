//! Tests of this folder's module.

use super::*;
use crate::pipeline::load;
use iverson_interpreter::{Interval, Rational};
use iverson_spec::call::{Dense, Relation, Value, Values, entries};
use iverson_spec::ir::Typed;
use proptest::prelude::*;

const TEXT: &str = "fn f(n: size, m: size, x: real[n], A: real[n, m], c: real, row: index(n)[m], R: rel(n, m)) \
                    -> (y: real[n]) { y[i: n] = x[i] }";

fn program() -> Typed {
    load(TEXT).expect("a program").function(None).expect("a function").clone()
}

fn read_f64(text: &str) -> Result<Values<f64>, crate::input::InputError> {
    read(text, &program(), Reals::Finite)
}

#[track_caller]
fn refused(text: &str, want: &str) {
    assert_eq!(read_f64(text).expect_err("a refusal").to_string(), want);
}

#[test]
fn every_form_is_read() {
    let text = r#"{"n": 2, "x": [1, "3/7"], "A": {"shape": [0, 3], "data": []}, "c": "-0.5",
                   "row": [0, 1.0, 2e0], "R": {"coords": [[1, 2], [0, 0], [1, 2]]}}"#;
    let values = read_f64(text).expect("inputs");
    assert_eq!(values["n"], Value::Size(2));
    assert_eq!(values["x"], Value::vector(vec![1.0, 3.0 / 7.0]));
    assert_eq!(values["A"], Value::Real(Dense { shape: vec![0, 3], data: vec![] }));
    assert_eq!(values["c"], Value::scalar(-0.5));
    assert_eq!(values["row"], Value::indices(vec![0, 1, 2]));
    assert_eq!(values["R"], Value::Relation(Relation::new(2, vec![vec![0, 0], vec![1, 2]])));
}

#[test]
fn masks_tell_sizes() {
    for text in [
        r#"{"R": [[true, 0], [0, 1], [false, false]]}"#,
        r#"{"R": {"mask": [[1, 0], [0, 1], [0, 0]]}}"#,
    ] {
        let values = read_f64(text).expect("inputs");
        assert_eq!(values["R"], Value::Relation(Relation::new(2, vec![vec![0, 0], vec![1, 1]])));
        assert_eq!((&values["n"], &values["m"]), (&Value::Size(3), &Value::Size(2)));
    }
    refused(
        r#"{"n": 1, "R": [[1], [0]]}"#,
        "the mask of `R` has shape [2, 1], but [1, 1] is wanted",
    );
}

#[test]
fn rationals_are_exact_and_special_values_need_leave() {
    let text = r#"{"x": [0.1, "1/3", 1e-3]}"#;
    let values: Values<Rational> = read(text, &program(), Reals::Finite).expect("inputs");
    assert_eq!(write(&values), "{\n  \"x\": [\"1/10\", \"1/3\", \"1/1000\"]\n}\n");
    let special = r#"{"x": ["NaN", "Infinity", "-Infinity", -0.0, 1e300, 5e-324]}"#;
    let values: Values<f64> = read(special, &program(), Reals::Any).expect("inputs");
    let written = "{\n  \"x\": [\"NaN\", \"Infinity\", \"-Infinity\", -0.0, 1e300, 5e-324]\n}\n";
    assert_eq!(write(&values), written);
    refused(
        special,
        "`x[0]` is NaN, but a finite real is wanted (NaN and infinities are taken only where they are allowed)",
    );
    let rational: Result<Values<Rational>, _> = read(special, &program(), Reals::Any);
    assert!(rational.expect_err("none").to_string().contains("no such value"));
}

#[test]
fn intervals_are_written_with_both_ends() {
    let value = Value::scalar(Interval::new(-0.5, 1.0).expect("an interval"));
    assert_eq!(write_value(&value), r#"{"lo": -0.5, "hi": 1.0}"#);
}

/// Wrong inputs with their messages.
const REFUSED: &[(&str, &str)] = &[
    (
        "[1]",
        "the inputs are a list of 1 entry, but an object with one value for each name is wanted, as in {\"n\": 3}",
    ),
    (r#"{"n": 1, "n": 1}"#, "`n` is given twice; one value is wanted"),
    (
        r#"{"z": 1}"#,
        "`z` is not a parameter of `f`; its parameters are `n`, `m`, `x`, `A`, `c`, `row`, `R`",
    ),
    (r#"{"n": -1}"#, "`n` is -1, but a size (a natural number) is wanted"),
    (r#"{"n": 1.5}"#, "`n` is 1.5, but an integer is wanted"),
    (r#"{"n": "3"}"#, "`n` is the string \"3\", but a size (a natural number) is wanted"),
    (
        r#"{"n": 9223372036854775808}"#,
        "`n` is 9223372036854775808, which is too large: an integer of 64 bits is wanted",
    ),
    (
        r#"{"x": [1, null]}"#,
        "`x[1]` is null, but a real (a number or a string such as \"3/7\", \"NaN\" or \"-Infinity\") is wanted",
    ),
    (
        r#"{"x": [1, "one"]}"#,
        "`x[1]` is the string \"one\", but a real (a number or a string such as \"3/7\", \"NaN\" or \"-Infinity\") is wanted",
    ),
    (
        r#"{"x": [1, "1/0"]}"#,
        "`x[1]` is the string \"1/0\", but a real (a number or a string such as \"3/7\", \"NaN\" or \"-Infinity\") is wanted",
    ),
    (
        r#"{"x": [true]}"#,
        "`x[0]` is true, but a real (a number or a string such as \"3/7\", \"NaN\" or \"-Infinity\") is wanted",
    ),
    (r#"{"x": 3}"#, "`x` is 3, but `x` has 1 axis (a list of numbers is wanted)"),
    (
        r#"{"x": [[1]]}"#,
        "`x[0]` is a list of 1 entry, but `x` has 1 axis (a list of numbers is wanted)",
    ),
    (r#"{"c": [1]}"#, "`c` is a list of 1 entry, but `c` has no axes (a single number is wanted)"),
    (r#"{"A": [1, 2]}"#, "`A[0]` is 1, but `A` has 2 axes (lists nested 2 deep are wanted)"),
    (
        r#"{"A": [[1, 2], [3]]}"#,
        "`A[1]` has 1 entry, but the lists before it at this depth have 2 entries: lists are ragged",
    ),
    (
        r#"{"A": []}"#,
        "`A` is an empty list, which does not tell the extent of axis 1; write {\"shape\": [..], \"data\": []}",
    ),
    (
        r#"{"A": {"shape": [2], "data": [1, 2]}}"#,
        "`A` is given with the shape [2], but `A` has 2 axes (lists nested 2 deep are wanted)",
    ),
    (
        r#"{"A": {"shape": [2, 2], "data": [1, 2]}}"#,
        "`A` has 2 entries in `data`, but its shape [2, 2] wants 4 entries",
    ),
    (
        r#"{"A": {"shape": [4294967296, 4294967296], "data": []}}"#,
        "`A` is given with the shape [4294967296, 4294967296], which is too large: a number of entries of 64 bits is wanted",
    ),
    (
        r#"{"A": {"shape": [1, 1], "data": [1], "data": [2]}}"#,
        "`A.data` is given twice; one value is wanted",
    ),
    (
        r#"{"A": {"size": 1}}"#,
        "`A` is an object with the key \"size\", but an object with `shape` and `data` alone is wanted",
    ),
    (r#"{"row": [0, 0.5]}"#, "`row[1]` is 0.5, but an integer is wanted"),
    (r#"{"row": ["0"]}"#, "`row[0]` is the string \"0\", but an index (an integer) is wanted"),
    (
        r#"{"R": {"coords": [[0, 1, 2]]}}"#,
        "`R.coords[0]` is a list of 3 entries, but a list of 2 integers is wanted",
    ),
    (r#"{"R": [[2]]}"#, "`R[0, 0]` is 2, but true, false, 0 or 1 is wanted"),
    (
        r#"{"x": [1e999]}"#,
        "`x[0]` is 1e+999, which is too large: at most 1000 digits, an exponent of at most 400, and a value in the range of the scalar is wanted",
    ),
];

#[test]
fn wrong_inputs_are_refused_by_name_and_place() {
    for (text, want) in REFUSED {
        refused(text, want);
    }
    let cut = read_f64("{\"x\": [1,").expect_err("cut off").to_string();
    assert_eq!(cut, "the inputs are not JSON: EOF while parsing a value at line 1 column 9");
}

fn dense<T: std::fmt::Debug + Clone>(
    rank: usize,
    entry: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = Dense<T>> {
    proptest::collection::vec(0usize..4, rank).prop_flat_map(move |shape| {
        let count = entries(&shape).expect("small");
        proptest::collection::vec(entry.clone(), count)
            .prop_map(move |data| Dense { shape: shape.clone(), data })
    })
}

proptest! {
    /// What is written is read back: every bit of an `f64`, every shape.
    #[test]
    fn written_values_are_read_back(
        x in dense(1, proptest::num::f64::NORMAL | proptest::num::f64::ZERO | proptest::num::f64::SUBNORMAL),
        a in dense(2, any::<f64>().prop_filter("a number", |x| !x.is_nan())),
        c in -1e9f64..1e9,
        row in dense(1, any::<i64>()),
        tuples in proptest::collection::vec(proptest::collection::vec(0i64..4, 2), 0..6),
    ) {
        let values: Values<f64> = Values::from_iter([
            ("x".to_owned(), Value::Real(x)),
            ("A".to_owned(), Value::Real(a)),
            ("c".to_owned(), Value::scalar(c)),
            ("row".to_owned(), Value::Index(row)),
            ("R".to_owned(), Value::Relation(Relation::new(2, tuples))),
        ]);
        let read: Values<f64> = read(&write(&values), &program(), Reals::Any).expect("inputs");
        prop_assert_eq!(&read, &values);
        prop_assert_eq!(write(&read), write(&values), "also the signs of zeros");
    }

    /// Rationals are read back exactly.
    #[test]
    fn rationals_are_read_back(entries in proptest::collection::vec((any::<i64>(), 1u64..), 0..5)) {
        let rational = |(over, under): (i64, u64)| Rational(dashu_ratio::RBig::from_parts(over.into(), dashu_int::UBig::from(under)));
        let x = Value::vector(entries.into_iter().map(rational).collect());
        let values: Values<Rational> = Values::from_iter([("x".to_owned(), x)]);
        let read: Values<Rational> = read(&write(&values), &program(), Reals::Finite).expect("inputs");
        prop_assert_eq!(read, values);
    }
}
