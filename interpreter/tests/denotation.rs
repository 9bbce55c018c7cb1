//! What each construct means.

mod common;

use common::*;
use iverson_interpreter::{Rational, Scalar, eval};
use iverson_spec::call::{Limits, Value};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

#[test]
fn sums_run_left_to_right_from_the_first_summand() {
    let total = "fn f(n: size, x: real[n]) -> (y: real) { y = sum(i: n) x[i] }";
    expect(total, [("x", vector(&[1e16, 1.0, 1.0, -1e16]))], &[0.0]);
    expect(total, [("x", vector(&[-0.0]))], &[-0.0]);
    expect(total, [("x", vector(&[]))], &[0.0]);
    let two = "fn f(n: size, m: size, A: real[n, m]) -> (y: real) { y = sum(i: n, j: m) A[i, j] }";
    expect(two, [("A", real(&[2, 2], &[1e16, 1.0, -1e16, 1.0]))], &[1.0]);
}

#[test]
fn empty_reductions() {
    let of = |op| {
        format!("fn f(n: size, x: real[n]) -> (y: real) {{ y = {op}(i: n where x[i] > 9) x[i] }}")
    };
    for (op, want) in [("sum", 0.0), ("prod", 1.0), ("max", -INF), ("min", INF)] {
        expect(&of(op), [("x", vector(&[1.0, 2.0]))], &[want]);
        expect(&of(op), [("x", vector(&[]))], &[want]);
    }
    let arg =
        "fn f(n: size, x: real[n]) -> (m: index(n + 1)) { m = argmax(i: n where x[i] > 9) x[i] }";
    assert_eq!(integers(&run(arg, [("x", vector(&[1.0, 2.0]))]), "m"), [2]);
}

#[test]
fn a_negative_range_is_empty() {
    let source = "fn f(n: size, x: real[n]) -> (y: real) { y = 5 + sum(i: n - 3) x[i + 3] }";
    expect(source, [("x", vector(&[1.0]))], &[5.0]);
    expect(source, [("x", vector(&[1.0, 2.0, 3.0, 4.0]))], &[9.0]);
}

#[test]
fn the_first_wins_ties() {
    let source =
        |op| format!("fn f(n: size, x: real[n]) -> (m: index(n + 1)) {{ m = {op}(i: n) x[i] }}");
    let x = || [("x", vector(&[1.0, 3.0, 0.0, 3.0, 0.0]))];
    assert_eq!(integers(&run(&source("argmax"), x()), "m"), [1]);
    assert_eq!(integers(&run(&source("argmin"), x()), "m"), [2]);
    let zeros = "fn f(a: real, b: real) -> (y: real[2]) { y[i: 2] = if i = 0 then max(a, b) else min(a, b) }";
    expect(zeros, [("a", scalar(-0.0)), ("b", scalar(0.0))], &[-0.0, -0.0]);
    expect(zeros, [("a", scalar(0.0)), ("b", scalar(-0.0))], &[0.0, 0.0]);
    expect(zeros, [("a", scalar(NAN)), ("b", scalar(1.0))], &[NAN, NAN]);
    expect(zeros, [("a", scalar(1.0)), ("b", scalar(NAN))], &[1.0, 1.0]);
}

#[test]
fn guards_are_lazy() {
    let out_of_bounds =
        "fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = x[i + 1] * [i + 1 < n] }";
    expect(out_of_bounds, [("x", vector(&[1.0, 2.0, 3.0]))], &[2.0, 3.0, 0.0]);
    let division = "fn f(x: real) -> (y: real) { y = 1 / x * [x != 0] }";
    let inputs = values([("x", Value::scalar(q(0, 1)))]);
    let result = eval(&program(division), &inputs, Limits::default()).unwrap();
    assert_eq!(reals(&result, "y"), [q(0, 1)]);
    let infinite =
        "fn f(n: size, x: real[n]) -> (y: real) { y = sum(i: n) [x[i] > 0] * log(x[i]) }";
    expect(infinite, [("x", vector(&[0.0, 1.0, -3.0]))], &[0.0]);
    let lazy_and = "fn f(n: size, x: real[n]) -> (y: real) { y = sum(i: n where i + 1 < n and x[i + 1] > 0) 1 }";
    expect(lazy_and, [("x", vector(&[1.0, 2.0, 3.0]))], &[2.0]);
    let lazy_or = "fn f(n: size, x: real[n]) -> (y: real) { y = sum(i: n where i + 1 >= n or x[i + 1] > 2) 1 }";
    expect(lazy_or, [("x", vector(&[1.0, 2.0, 3.0]))], &[2.0]);
    let lazy_if =
        "fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = if i = 0 then 0 else x[i - 1] }";
    expect(lazy_if, [("x", vector(&[1.0, 2.0]))], &[0.0, 1.0]);
}

#[test]
fn an_indicator_in_a_sum_is_a_condition_and_in_a_max_a_number() {
    let source =
        |op| format!("fn f(n: size, x: real[n]) -> (y: real) {{ y = {op}(i: n) [i > 0] * x[i] }}");
    expect(&source("sum"), [("x", vector(&[INF, -0.0]))], &[-0.0]);
    expect(&source("max"), [("x", vector(&[5.0, -1.0]))], &[0.0]);
    expect(&source("prod"), [("x", vector(&[5.0, 2.0]))], &[0.0]);
}

#[test]
fn equality_of_reals_is_exact_and_nan_is_only_unequal() {
    for (cmp, want) in [("=", 0.0), ("!=", 1.0), ("<", 0.0), ("<=", 0.0), (">", 0.0), (">=", 0.0)] {
        let source = format!("fn f(x: real) -> (y: real) {{ y = [x {cmp} 1] }}");
        expect(&source, [("x", scalar(NAN))], &[want]);
    }
    let not = "fn f(x: real) -> (y: real) { y = [not x < 1] }";
    expect(not, [("x", scalar(NAN))], &[1.0]);
    let equal = "fn f(x: real) -> (y: real) { y = [x = 0.1] }";
    expect(equal, [("x", scalar(0.1))], &[1.0]);
    expect(equal, [("x", scalar(0.1_f64.next_up()))], &[0.0]);
}

#[test]
fn constants_are_exact_until_the_scalar_rounds_them() {
    let source = "fn f(x: real) -> (y: real) { y = 0.1 + 0.2 + x }";
    let inputs = values([("x", Value::scalar(q(0, 1)))]);
    let exact = eval(&program(source), &inputs, Limits::default()).unwrap();
    assert_eq!(reals(&exact, "y"), [q(3, 10)]);
    expect(source, [("x", scalar(0.0))], &[0.1 + 0.2]);
}

#[test]
fn indices_divide_downwards() {
    let source = "fn f(n: size) -> (y: real[n], z: real[n]) {
        y[i: n] = real((i - 3) / 2)
        z[i: n] = real((i - 3) % 2)
    }";
    let results = run(source, [("n", size(6))]);
    assert_eq!(reals(&results, "y"), [-2.0, -1.0, -1.0, 0.0, 0.0, 1.0]);
    assert_eq!(reals(&results, "z"), [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn gather_and_scatter() {
    let spmv = "fn spmv(n: size, m: size, nnz: size,
        row: index(n)[nnz], col: index(m)[nnz], a: real[nnz], x: real[m]) -> (y: real[n]) {
        y[i: n] = sum(e: nnz) [row[e] = i] * a[e] * x[col[e]]
    }";
    let inputs = [
        ("n", size(2)),
        ("row", indices(&[0, 0, 1])),
        ("col", indices(&[2, 2, 0])),
        ("a", vector(&[1.0, 2.0, 3.0])),
        ("x", vector(&[10.0, 20.0, 30.0])),
    ];
    expect(spmv, inputs, &[90.0, 30.0]);
    let member = "fn f(n: size, R: rel(n, n), x: real[n]) -> (y: real[n]) {
        y[i: n] = sum(j: n) [R(i, j)] * x[j]
    }";
    let inputs = [("R", relation(2, &[&[1, 0], &[0, 1]])), ("x", vector(&[1.0, 2.0]))];
    expect(member, inputs, &[2.0, 1.0]);
}

#[test]
fn an_index_definition_is_checked() {
    let source =
        "fn f(n: size, x: real[n]) -> (p: index(n)[n]) { p[i: n]: index(n) = floor(x[i]) }";
    let ok = run(source, [("x", vector(&[1.5, 0.0]))]);
    assert_eq!(integers(&ok, "p"), [1, 0]);
    expect_error(
        source,
        [("x", vector(&[1.5, 2.0]))],
        "in `p[1]`: the index is 2, wanted one in 0..2",
    );
    expect_error(
        source,
        [("x", vector(&[NAN]))],
        "in `p[0]`: `floor` of NaN is not a 64-bit integer",
    );
    expect_error(
        source,
        [("x", vector(&[1e300]))],
        &format!("in `p[0]`: `floor` of {} is not a 64-bit integer", 1e300),
    );
}

#[test]
fn requires_names_the_first_offender() {
    let source = "fn f(n: size, p: index(n)[n], x: real[n]) -> (y: real) {
        requires(v: n) x[v] > 0
        requires(v: n where v > 0) p[v] < v
        y = sum(v: n) x[v]
    }";
    let source =
        source.replace("requires(v: n where v > 0) p[v] < v", "requires(v: n) v = 0 or p[v] < v");
    let inputs = |p: &[i64]| [("p", indices(p)), ("x", vector(&[1.0, 1.0, 1.0]))];
    expect(&source, inputs(&[2, 0, 1]), &[3.0]);
    expect_error(
        &source,
        inputs(&[0, 1, 2]),
        "`requires` number 2 at v = 1: `v = 0 or p[v] < v` does not hold",
    );
}

#[test]
fn users_functions_have_their_value() {
    let source =
        "fn softplus(x: real) -> (y: real) { y = log1p(exp(x)) } derivative { x: sigmoid(x) }
        fn f(x: real) -> (y: real) { y = softplus(softplus(x)) }";
    let inner = f64::ln_1p(1.0_f64.exp());
    let results = run(source, [("x", scalar(1.0))]);
    assert!((reals(&results, "y")[0] - inner.exp().ln_1p()).abs() < 1e-15);
}

#[test]
fn rationals_are_exact_or_say_so() {
    let inputs = |x| values([("x", Value::scalar(x))]);
    let run = |body: &str, x: Rational| {
        let source = format!("fn f(x: real) -> (y: real) {{ y = {body} }}");
        eval(&program(&source), &inputs(x), Limits::default())
            .map(|results| reals(&results, "y")[0].clone())
            .map_err(|error| error.to_string())
    };
    assert_eq!(run("x^3 + 1 / x", q(2, 3)), Ok(q(8, 27).plus(q(3, 2))));
    assert_eq!(run("x^-2", q(2, 3)), Ok(q(9, 4)));
    assert_eq!(run("x^0", q(0, 1)), Ok(q(1, 1)));
    assert_eq!(run("sqrt(x)", q(4, 9)), Ok(q(2, 3)));
    assert_eq!(
        run("sqrt(x)", q(2, 1)),
        Err("in `y`: `sqrt` has no exact rational value here".into())
    );
    assert_eq!(run("sqrt(x)", q(-4, 1)), Err("in `y`: `sqrt` is not defined at -4".into()));
    assert_eq!(
        run("exp(x)", q(1, 1)),
        Err("in `y`: `exp` has no exact rational value here".into())
    );
    assert_eq!(run("1 / x", q(0, 1)), Err("in `y`: division by zero".into()));
    assert_eq!(run("x^0.5", q(4, 1)), Err("in `y`: `^` has no exact rational value here".into()));
    assert_eq!(
        run("max(i: 3 where real(i) > x) x", q(9, 1)),
        Err("in `y`: the maximum or minimum of no points is infinite, and these scalars have no infinity".into())
    );
    assert_eq!(run("real(floor(x))", q(-7, 2)), Ok(q(-4, 1)));
}

trait Plus {
    fn plus(&self, other: Self) -> Self;
}

impl Plus for Rational {
    fn plus(&self, other: Self) -> Self {
        Self::binary(iverson_spec::function::Fun::Add, self, &other).expect("rationals add")
    }
}

#[test]
fn tensor_ssa_means_the_same() {
    let source = "fn f(n: size, p: index(n)[n], x: real[n]) -> (y: real[n], m: index(n + 1), q: index(n)[n], g: real) {
        y[i: n] = sum(j: n) [p[j] = i] * x[j] + [i > 0] * x[i] + 1
        m = argmax(i: n) x[i]
        q[i: n] = p[p[i]]
        g = max(i: n where i > 0) x[i]
    }";
    let inputs = values([("p", indices(&[1, 1, 0])), ("x", vector(&[1.0, 5.0, 3.0]))]);
    let direct = eval(&program(source), &inputs, Limits::default()).unwrap();
    assert_eq!(run_ssa(source, &inputs).0, direct);
    assert_eq!(reals(&direct, "y"), [4.0, 12.0, 4.0]);
    assert_eq!(integers(&direct, "m"), [1]);
    assert_eq!(integers(&direct, "q"), [1, 1, 1]);
    assert_eq!(reals(&direct, "g"), [5.0]);
}
