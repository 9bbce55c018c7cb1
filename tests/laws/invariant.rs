//! Loop-invariant parts are computed once: exact counts of points.

use iverson::interpreter::work::Model;
use iverson::interpreter::{Rational, Scalar, eval_ssa};
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Limits, Relation, Value, Values};
use iverson::spec::{normalize, unelaborate};

const N: usize = 7;
const M: usize = 5;

fn vector(length: usize) -> Value<Rational> {
    Value::vector((0..length as i64).map(|i| Rational::integer(i - 2)).collect())
}

fn inputs(tuples: &[i64]) -> Values<Rational> {
    let tuples = tuples.iter().map(|i| vec![*i]).collect();
    let index = Dense { shape: vec![N], data: (0..N as i64).map(|i| i % M as i64).collect() };
    Values::from_iter([
        ("n".to_owned(), Value::Size(N as u64)),
        ("m".to_owned(), Value::Size(M as u64)),
        ("x".to_owned(), vector(M)),
        ("w".to_owned(), vector(N)),
        ("p".to_owned(), Value::Index(index)),
        ("R".to_owned(), Value::Relation(Relation::new(1, tuples))),
    ])
}

/// The points that the normal form of `y = body` visits, and its text.
fn points(result: &str, body: &str, tuples: &[i64]) -> (u128, String) {
    let text = format!(
        "fn f(n: size, m: size, x: real[m], w: real[n], p: index(m)[n], R: rel(n)) -> (y: real{result}) {{\n{body}\n}}"
    );
    let loaded = load(&text).expect("the program is right");
    let program = normalize(loaded.function(None).expect("there is one"));
    let (_, report) =
        eval_ssa(&program, &inputs(tuples), Limits::default()).expect("the program has a value");
    let visited = report.statements.iter().map(|s| u128::from(s.sparse.points)).sum();
    assert!(report.work(Model::Sparse) <= report.work(Model::Dense));
    (visited, unelaborate::ssa(&program))
}

#[track_caller]
fn visits(result: &str, body: &str, wanted: usize) {
    let (visited, text) = points(result, body, &[0, 3, 5]);
    assert_eq!(visited, wanted as u128, "{text}");
}

/// The inner sum has M points; the outer one visits what its guard leaves.
#[test]
fn a_part_behind_a_guard_on_other_variables_is_computed_once() {
    visits("", "y = sum(i: n) [R(i)] * sum(k: m) x[k]", M + 3);
    visits("", "y = sum(i: n) sum(k: m) x[k]", M + N);
    visits("", "y = sum(i: n) [w[i] > 0.5] * sum(k: m) x[k]^2", M + N);
    visits("", "y = sum(i: n) [p[i] > 1] * w[i] * sum(k: m) x[k]", M + N);
    visits("", "y = sum(i: n) [R(i) and w[i] > 0] * w[i] * (sum(k: m) x[k] + 1)", M + 1 + 3);
}

/// A part that may have no value stays behind its guards.
#[test]
fn a_part_that_may_fail_is_computed_where_the_guard_holds() {
    visits("", "y = sum(i: n) [R(i)] * sum(k: m) 1 / (x[k] + 9)", 2 * M + 3 * M);
    visits("", "y = sum(i: n) [R(i)] * w[i] * (1 / (1 + sum(k: m) x[k]^2))", 1 + M + 3 + 3);
}

/// What restricts the axes that stay is kept: `x[k]` is summed for the rows of the relation.
#[test]
fn a_part_that_depends_on_a_guarded_variable_keeps_the_guard() {
    visits("[n]", "y[i: n] = [R(i)] * 2 * sum(k: m) x[k] * w[i]", 3 * M + 3);
    visits("[n]", "y[j: n] = sum(i: n) [p[i] = j] * (1 + sum(k: m) x[k] * w[j])", N + N * M);
}
