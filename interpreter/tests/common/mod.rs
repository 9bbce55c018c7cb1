//! Programs from text, values from lists.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::wildcard_enum_match_arm, reason = "only simple programs are taken apart")]

use iverson_interpreter::{EvalError, Rational, Scalar, WorkReport, eval, eval_ssa};
use iverson_spec::ast::Reduction;
use iverson_spec::call::{Dense, Limits, Relation, Value, Values};
use iverson_spec::check::check;
use iverson_spec::ir::{self, Atom, Block, Def, Expr, Guard, Program, Rec, Typed};
use iverson_spec::parse;
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};

/// The last function of the text.
#[track_caller]
pub fn program(source: &str) -> Typed {
    let module = parse(source).unwrap_or_else(|found| panic!("{found:#?}"));
    let checked = check(&module).unwrap_or_else(|found| panic!("{found:#?}"));
    let last = checked.functions.last().expect("a function");
    last.1.clone()
}

pub fn real(shape: &[usize], data: &[f64]) -> Value<f64> {
    Value::Real(Dense::new(shape.to_vec(), data.to_vec()).expect("data fill the shape"))
}

pub fn scalar(x: f64) -> Value<f64> {
    real(&[], &[x])
}

pub fn vector(data: &[f64]) -> Value<f64> {
    real(&[data.len()], data)
}

pub fn indices<S>(data: &[i64]) -> Value<S> {
    Value::indices(data.to_vec())
}

pub fn size<S>(n: u64) -> Value<S> {
    Value::Size(n)
}

pub fn relation<S>(arity: usize, tuples: &[&[i64]]) -> Value<S> {
    Value::Relation(Relation::new(arity, tuples.iter().map(|t| t.to_vec()).collect()))
}

pub fn values<S, const N: usize>(list: [(&str, Value<S>); N]) -> Values<S> {
    list.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The result of a program over `f64`.
#[track_caller]
pub fn run<const N: usize>(source: &str, list: [(&str, Value<f64>); N]) -> Values<f64> {
    try_run(source, list).unwrap_or_else(|error| panic!("{error}"))
}

pub fn try_run<const N: usize>(
    source: &str,
    list: [(&str, Value<f64>); N],
) -> Result<Values<f64>, EvalError> {
    eval(&program(source), &values(list), Limits::default())
}

/// The entries of the real result `name`.
#[track_caller]
pub fn reals<S: Clone>(results: &Values<S>, name: &str) -> Vec<S> {
    match &results[name] {
        Value::Real(dense) => dense.data.clone(),
        Value::Size(_) | Value::Index(_) | Value::Relation(_) => panic!("`{name}` is not real"),
    }
}

/// The entries of the index result `name`.
#[track_caller]
pub fn integers<S>(results: &Values<S>, name: &str) -> Vec<i64> {
    match &results[name] {
        Value::Index(dense) => dense.data.clone(),
        Value::Size(_) | Value::Real(_) | Value::Relation(_) => panic!("`{name}` is not an index"),
    }
}

/// Checks the first result of a program over `f64`, bit for bit but for the payload of NaN.
#[track_caller]
pub fn expect<const N: usize>(source: &str, list: [(&str, Value<f64>); N], want: &[f64]) {
    let results = run(source, list);
    let found = reals(&results, results.keys().next().expect("a result"));
    let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    let all = found.len() == want.len() && found.iter().zip(want).all(same);
    assert!(all, "found {found:?}, wanted {want:?}");
}

/// Checks the text of the error of a program over `f64`.
#[track_caller]
pub fn expect_error<const N: usize>(source: &str, list: [(&str, Value<f64>); N], want: &str) {
    let error = try_run(source, list).expect_err("an error");
    assert_eq!(error.to_string(), want);
}

/// The work of a program whose definitions are sums of terms as they stand.
#[track_caller]
pub fn run_ssa<S: Scalar>(source: &str, inputs: &Values<S>) -> (Values<S>, WorkReport) {
    eval_ssa(&to_ssa(&program(source)), inputs, Limits::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Takes definitions that are sums of terms apart.
pub fn to_ssa(program: &Typed) -> TensorSsa {
    Program {
        name: program.name.clone(),
        symbols: program.symbols.clone(),
        params: program.params.clone(),
        body: program.body.iter().map(block).collect(),
        results: program.results.clone(),
    }
}

fn block(block: &Block<Def>) -> Block<Stmt> {
    match block {
        Block::Stmt(def) => Block::Stmt(stmt(def)),
        Block::Requires(requires) => Block::Requires(requires.clone()),
        Block::Rec(rec) => Block::Rec(Rec {
            vars: rec.vars.clone(),
            body: rec.body.iter().map(self::block).collect(),
        }),
    }
}

fn stmt(def: &Def) -> Stmt {
    let rhs = match &def.value {
        ir::Value::Index(index) => match index.terms() {
            [(Atom::Arg(arg), 1)] if index.constant_part() == 0 => Rhs::Arg(
                arg.op,
                Term { binders: vec![arg.var], guard: arg.guard.clone(), body: arg.body.clone() },
            ),
            _ => Rhs::Index(index.clone()),
        },
        ir::Value::Real(Expr::Reduce(reduce)) if reduce.op != Reduction::Sum => Rhs::Fold(
            reduce.op,
            Term {
                binders: reduce.binders.clone(),
                guard: reduce.guard.clone(),
                body: reduce.body.clone(),
            },
        ),
        ir::Value::Real(Expr::Apply(iverson_spec::function::Fun::Add, summands)) => {
            Rhs::Sum(summands.iter().map(|e| term(e, Guard::truth(), Vec::new())).collect())
        }
        ir::Value::Real(e) => Rhs::Sum(vec![term(e, Guard::truth(), Vec::new())]),
    };
    Stmt { tensor: def.tensor, axes: def.axes.clone(), rhs }
}

fn term(e: &Expr, guard: Guard, mut binders: Vec<ir::VarId>) -> Term {
    match e {
        Expr::Guarded(inner, body) => term(body, guard.and(inner.clone()), binders),
        Expr::Reduce(reduce) if reduce.op == Reduction::Sum => {
            binders.extend(&reduce.binders);
            term(&reduce.body, guard.and(reduce.guard.clone()), binders)
        }
        body => Term { binders, guard, body: body.clone() },
    }
}

/// The rational `n / d`.
pub fn q(n: i64, d: i64) -> Rational {
    Rational(dashu_ratio::RBig::from_parts_signed(n.into(), d.into()))
}
