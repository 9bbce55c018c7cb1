//! What goes wrong only in programs that no checker has seen, and what data alone decide.

mod common;

use common::*;
use iverson_interpreter::{Fault, Interval, Place, eval};
use iverson_spec::ast::Direction;
use iverson_spec::call::{Limits, Value};
use iverson_spec::ir::{self, Block, Expr, Index, Typed};

/// The error of a program that was changed after its check.
#[track_caller]
fn error<const N: usize>(
    source: &str,
    change: impl Fn(&mut Typed),
    list: [(&str, Value<f64>); N],
) -> String {
    let mut program = program(source);
    change(&mut program);
    eval(&program, &values(list), Limits::default()).expect_err("an error").to_string()
}

#[test]
fn an_entry_read_before_it_is_computed() {
    let source = "fn f(n: size, x: real[n]) -> (s: real[n]) { rec i: n { s[i] = x[i] + [i > 0] * s[i - 1] } }";
    let backwards = |program: &mut Typed| {
        let Block::Rec(rec) = &mut program.body[0] else { panic!("a recurrence") };
        rec.vars[0].1 = Direction::Descending;
    };
    let found = error(source, backwards, [("x", vector(&[1.0, 2.0, 3.0]))]);
    assert_eq!(found, "in `s[2]`: `s[1]` is read before it is computed");
}

fn value(program: &mut Typed) -> &mut Expr {
    let Block::Stmt(ir::Def { value: ir::Value::Real(value), .. }) = &mut program.body[0] else {
        panic!("a real statement")
    };
    value
}

#[test]
fn an_access_out_of_bounds() {
    let source = "fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = x[i] }";
    let shift = |program: &mut Typed| {
        let Expr::Access(_, indices) = value(program) else { panic!("an access") };
        indices[0] = indices[0].add(&Index::constant(1)).unwrap();
    };
    let found = error(source, shift, [("x", vector(&[1.0, 2.0]))]);
    assert_eq!(found, "in `y[1]`: unguarded access: `x[2]` is outside the shape [2]");
}

#[test]
fn index_arithmetic_overflows() {
    let source = "fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = real(i + 1) }";
    let huge = |program: &mut Typed| {
        let Expr::Real(index) = value(program) else { panic!("an index") };
        *index = index.scale(i64::MAX).unwrap();
    };
    let found = error(source, huge, [("x", vector(&[1.0, 2.0]))]);
    assert_eq!(found, "in `y[1]`: index arithmetic overflows 64-bit integers");
}

#[test]
fn errors_say_where_they_are() {
    let source =
        "fn f(n: size, x: real[n]) -> (y: real[n, 2]) { y[i: n, j: 2] = [x[i] > 0] * real(j) }";
    let x =
        Value::vector(vec![Interval::new(1.0, 2.0).unwrap(), Interval::new(-1.0, 1.0).unwrap()]);
    let inputs = values([("x", x)]);
    let error = eval(&program(source), &inputs, Limits::default()).unwrap_err();
    let place = Place::Entry { tensor: "y".into(), position: vec![1, 0] };
    assert_eq!(error.place.as_deref(), Some(&place));
    assert!(matches!(*error.fault, Fault::Scalar(_)));
}
