//! A variable in force has a value: its range is not empty, and the prover knows.

use iverson::spec::{check, normalize, parse, unelaborate};

/// The normal form of a program, as text.
fn normal_form(text: &str) -> String {
    let module = parse(text).expect("it parses");
    let checked = check(&module).unwrap_or_else(|d| panic!("{d:?}"));
    let program = checked.functions.into_values().next_back().expect("there is a function");
    unelaborate::ssa(&normalize(&program))
}

/// Whether the only mistake is an access out of bounds.
fn is_out_of_bounds(text: &str) -> bool {
    let module = parse(text).expect("it parses");
    match check(&module) {
        Ok(_) => false,
        Err(diagnostics) => diagnostics.iter().all(|d| d.code == "bounds::access"),
    }
}

#[test]
fn a_first_entry_is_in_bounds_where_a_variable_has_a_value() {
    for body in [
        "y[i: n] = x[0] * x[i]",
        "y[i: n] = x[n - 1]",
        "y[i: 3] = sum(j: n) x[0]",
        "y[i: 3] = max(j: n where x[0] > 0) x[j]",
        "y[i: n] = if x[0] > 0 then x[i] else x[n - 1]",
        "rec t: n { y[t] = x[0] }",
    ] {
        let text = format!("fn f(n: size, x: real[n]) -> (y) {{\n    {body}\n}}\n");
        let text =
            text.replace("(y)", if body.contains("3]") { "(y: real[3])" } else { "(y: real[n])" });
        assert!(!is_out_of_bounds(&text), "{text}");
    }
}

#[test]
fn outside_of_a_reduction_its_variable_says_nothing() {
    for body in [
        "y = x[0] * sum(j: n) x[j]",
        "y = x[0]",
        "y = (sum(j: n) x[j]) + x[0]",
        "y = if x[0] > 0 then 1 else 0",
    ] {
        let text = format!("fn f(n: size, x: real[n]) -> (y: real) {{\n    {body}\n}}\n");
        assert!(is_out_of_bounds(&text), "{text}");
    }
}

#[test]
fn what_is_lifted_keeps_the_range_it_needs() {
    let text = normal_form(
        "fn f(n: size, m: size, x: real[n], y: real[m]) -> (z: real[n]) {
    z[i: n] = sin(x[0] * x[n - 1]) * sum(j: m) exp(x[0]) * y[j] * x[i]
}
",
    );
    let lifted: Vec<&str> = text.lines().filter(|line| line.contains("x[0]")).collect();
    assert!(!lifted.is_empty() && lifted.iter().all(|l| l.contains("[n > 0")), "{text}");
    // and it reads back
    assert_eq!(normal_form(&text), text);
}

#[test]
fn a_guard_that_is_lifted_comes_after_the_range_it_needs() {
    let text = normal_form(
        "fn f(n: size, m: size, x: real[n], y: real[m]) -> (z: real[n]) {
    z[i: n] = sum(j: m) [x[0] > 0] * exp(y[j])
}
",
    );
    assert_eq!(normal_form(&text), text);
}

/// A place of a relation is in bounds or not as an index of a tensor is.
#[test]
fn a_membership_that_is_lifted_keeps_the_range_it_needs() {
    let text = normal_form(
        "fn f(n: size, m: size, x: real[n], R: rel(n, m)) -> (z: real[n, m]) {
    z[i: n, j: m] = exp(if R(i, 0) then x[i] else 0)
}
",
    );
    let lifted: Vec<&str> = text.lines().filter(|line| line.contains("R(i, 0)")).collect();
    assert!(
        !lifted.is_empty() && lifted.iter().all(|l| l.contains("[m > 0 and R(i, 0)]")),
        "{text}"
    );
    assert_eq!(normal_form(&text), text);
}
