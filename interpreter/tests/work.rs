//! Work, counted exactly.

mod common;

use common::*;
use iverson_interpreter::{Flops, Model, WorkReport, work};
use iverson_spec::call::Value;
use iverson_spec::function::Fun;
use iverson_spec::ir::{Block, Expr};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa};

#[track_caller]
fn report<const N: usize>(source: &str, list: [(&str, Value<f64>); N]) -> WorkReport {
    work(&to_ssa(&program(source)), &values(list)).unwrap_or_else(|error| panic!("{error}"))
}

/// Checks points, tests and accesses in both models.
#[track_caller]
fn check<const N: usize>(
    source: &str,
    list: [(&str, Value<f64>); N],
    sparse: [u64; 3],
    dense: [u64; 3],
) {
    let report = report(source, list);
    let counts = [Model::Sparse, Model::Dense].map(|model| {
        let total = report.total(model);
        [total.points, total.tests, total.accesses]
    });
    assert_eq!(counts, [sparse, dense]);
    assert_eq!(report.work(Model::Sparse), sparse.iter().sum::<u64>());
}

const SPMV: &str = "fn spmv(n: size, m: size, nnz: size,
        row: index(n)[nnz], col: index(m)[nnz], a: real[nnz], x: real[m]) -> (y: real[n]) {
        y[i: n] = sum(e: nnz) [row[e] = i] * a[e] * x[col[e]]
    }";

fn spmv_inputs() -> [(&'static str, Value<f64>); 5] {
    [
        ("n", size(3)),
        ("row", indices(&[0, 0, 2, 2])),
        ("col", indices(&[1, 0, 0, 1])),
        ("a", vector(&[1.0; 4])),
        ("x", vector(&[1.0; 2])),
    ]
}

#[test]
fn an_equation_with_data_is_enumerated() {
    check(SPMV, spmv_inputs(), [4, 0, 8], [12, 0, 24]);
    let count = report(SPMV, spmv_inputs()).total(Model::Sparse);
    assert_eq!(count.flops, Flops { add: 4, mul: 4, ..Flops::default() });
    assert_eq!((count.index_reads, count.entries, count.bytes), (8, 3, 8 * (8 + 8 + 3)));
}

#[test]
fn comparisons_of_reals_are_tests() {
    let source = "fn f(n: size, x: real[n]) -> (y: real) { y = sum(i: n) [x[i] > 0] * x[i]^2 }";
    check(source, [("x", vector(&[-1.0, 2.0, -3.0]))], [3, 3, 0], [3, 3, 0]);
    let two = "fn f(n: size, x: real[n]) -> (y: real) { y = sum(i: n, j: n) [i <= j and x[i] > x[j]] * x[i] }";
    check(two, [("x", vector(&[3.0, 1.0, 2.0]))], [6, 12, 0], [9, 18, 0]);
}

#[test]
fn a_bound_by_data_is_a_segment_and_data_against_data_a_test() {
    let segment = "fn f(n: size, p: index(n)[n], x: real[n]) -> (y: real) { y = sum(i: n, j: n) [p[i] < j] * x[j] }";
    check(segment, [("p", indices(&[0, 1])), ("x", vector(&[1.0, 1.0]))], [1, 0, 1], [4, 0, 4]);
    let own = "fn f(n: size, p: index(n)[n], x: real[n]) -> (y: real) { y = sum(i: n) [p[i] < i] * x[i] }";
    check(own, [("p", indices(&[0, 0])), ("x", vector(&[1.0, 1.0]))], [2, 2, 1], [2, 2, 2]);
    let data = "fn f(n: size, p: index(n)[n], x: real[n]) -> (y: real) { y = sum(i: n, j: n) [p[i] < p[j]] * x[j] }";
    check(data, [("p", indices(&[0, 1])), ("x", vector(&[1.0, 1.0]))], [4, 8, 1], [4, 8, 4]);
}

#[test]
fn negated_relations_are_tests() {
    let not =
        "fn f(n: size, R: rel(n), x: real[n]) -> (y: real) { y = sum(i: n) [not R(i)] * x[i] }";
    check(not, [("R", relation(1, &[&[0]])), ("x", vector(&[1.0, 1.0]))], [2, 2, 1], [2, 2, 2]);
    let member =
        "fn f(n: size, R: rel(n), x: real[n]) -> (y: real) { y = sum(i: n) [R(i)] * x[i] }";
    check(member, [("R", relation(1, &[&[0]])), ("x", vector(&[1.0, 1.0]))], [1, 0, 1], [2, 0, 2]);
}

#[test]
fn overlapping_alternatives_are_visited_once() {
    let source = "fn f(n: size, M: rel(n), x: real[n]) -> (y: real) { y = sum(i: n) [i < 2 or M(i)] * x[i] }";
    let inputs = [("M", relation(1, &[&[1], &[3]])), ("x", vector(&[1.0; 5]))];
    check(source, inputs, [3, 0, 3], [5, 0, 5]);
}

#[test]
fn a_mixed_disjunction_is_a_test() {
    let source =
        "fn f(n: size, x: real[n]) -> (y: real) { y = sum(i: n) [i < 1 or x[i] > 0] * x[i] }";
    check(source, [("x", vector(&[-1.0, -1.0, 1.0]))], [3, 3, 0], [3, 3, 0]);
}

#[test]
fn an_enumerable_conjunct_protected_by_a_test_is_false_where_it_reads_out_of_bounds() {
    let source = "fn f(n: size, p: index(n)[n], x: real[n]) -> (y: real) {
        y = sum(i: n) [p[i] + 1 < n and p[p[i] + 1] = i] * x[i]
    }";
    let inputs = [("p", indices(&[1, 2, 0])), ("x", vector(&[1.0; 3]))];
    check(source, inputs, [2, 2, 2], [3, 3, 3]);
    let inputs = [("p", indices(&[2, 0, 1])), ("x", vector(&[1.0; 3]))];
    check(source, inputs, [0, 0, 0], [3, 3, 3]);
    let inputs = [("p", indices(&[1, 0, 2])), ("x", vector(&[1.0; 3]))];
    check(source, inputs, [0, 0, 0], [3, 3, 3]);
    let inputs = [("p", indices(&[0, 0, 0])), ("x", vector(&[1.0; 3]))];
    check(source, inputs, [1, 1, 1], [3, 3, 3]);
}

#[test]
fn index_statements_count_their_reads() {
    let source = "fn f(n: size, p: index(n)[n]) -> (q: index(n)[n]) { q[i: n] = p[p[i]] }";
    check(source, [("p", indices(&[1, 0, 2]))], [3, 0, 6], [3, 0, 6]);
    let count = report(source, [("p", indices(&[1, 0, 2]))]).total(Model::Sparse);
    assert_eq!((count.index_reads, count.bytes), (0, 8 * 9));
}

#[test]
fn terms_are_counted_each_and_recurrences_over_all_steps() {
    let source = "fn f(n: size, x: real[n]) -> (s: real[n]) { rec i: n { s[i] = x[i] + [i > 0] * s[i - 1] } }";
    check(source, [("x", vector(&[1.0; 4]))], [7, 0, 7], [8, 0, 8]);
}

#[test]
fn flops_by_kind() {
    let source = "fn f(n: size, x: real[n]) -> (a: real[n], b: real, c: real) {
        a[i: n] = -(x[i] * 2 * x[i]) / x[i]
        b = prod(i: n) exp(x[i])^2
        c = max(i: n) -x[i]
    }";
    let report = report(source, [("x", vector(&[1.0; 10]))]);
    let flops: Vec<Flops> = report.statements.iter().map(|s| s.sparse.flops).collect();
    let none = Flops::default();
    assert_eq!(flops[0], Flops { add: 10, mul: 20, div: 10, ..none });
    assert_eq!(flops[1], Flops { mul: 10, power: 10, function: 10, ..none });
    assert_eq!(flops[2], Flops { function: 10, ..none });
    assert_eq!(report.total(Model::Sparse).flops.total(), 80);
}

#[test]
fn a_factor_minus_one_is_no_multiplication() {
    let source = "fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = 3 * x[i] * x[i] }";
    let mut program = to_ssa(&program(source));
    let Block::Stmt(Stmt { rhs: Rhs::Sum(terms), .. }) = &mut program.body[0] else {
        panic!("a sum of terms")
    };
    let Expr::Apply(Fun::Mul, factors) = &mut terms[0].body else { panic!("a product") };
    let muls = |program: &TensorSsa| {
        let report = work(program, &values([("x", vector(&[1.0; 4]))])).unwrap();
        report.total(Model::Sparse).flops.mul
    };
    factors[0] = Expr::integer(-1);
    assert_eq!(muls(&program), 4);
}

#[test]
fn the_report_is_a_table() {
    let text = report(SPMV, spmv_inputs()).to_string();
    let want = "\
tensor  entries  points  tests  accesses  work  flops  bytes  dense work
y             3       4      0         8    12      8    152          36
total         3       4      0         8    12      8    152          36
";
    assert_eq!(text, want);
}

#[test]
fn equal_accesses_are_one_load() {
    let square = "fn f(n: size, x: real[n]) -> (y: real) { y = sum(i: n) x[i] * x[i] }";
    check(square, [("x", vector(&[1.0; 3]))], [3, 0, 3], [3, 0, 3]);
    let other = "fn f(n: size, x: real[n]) -> (y: real) { y = sum(i: n) x[i] * x[n - 1 - i] }";
    check(other, [("x", vector(&[1.0; 3]))], [3, 0, 6], [3, 0, 6]);
    let test = "fn f(n: size, x: real[n]) -> (y: real) { y = sum(i: n) [x[i] > 0] * x[i] * x[i] }";
    check(test, [("x", vector(&[1.0; 3]))], [3, 3, 0], [3, 3, 0]);
}
