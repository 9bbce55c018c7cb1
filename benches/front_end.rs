//! Times the walk from text to value: parsing, checking and normalizing a program of
//! a thousand statements, differentiating and simplifying such programs as they grow,
//! compiling a derivative to loops, and interpreting a million points. The throughput column is statements, bytes or
//! points a second.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use iverson::ad::vjp;
use iverson::executor::{Engine, Options, compile, lower};
use iverson::interpreter::{eval, eval_ssa};
use iverson::simplify::simplify;
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::verify::stmts;
use iverson::spec::{Typed, check, normalize, parse};
use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;

/// A program of `count` statements with shifted, guarded accesses.
fn chain(count: usize) -> String {
    let mut text = String::from("fn chain(n: size, x: real[n + 1]) -> (y: real) {\n");
    text.push_str("    a0[i: n] = x[i] + x[i + 1]\n");
    for k in 1..count {
        let p = k - 1;
        let _ = writeln!(
            text,
            "    a{k}[i: n] = sin(a{p}[i]) * x[i + 1] + [i > 0] * a{p}[i - 1] - [i + 2 < n] * a{p}[i + 2]^2"
        );
    }
    let _ = writeln!(text, "    y = sum(i: n) a{}[i]\n}}", count - 1);
    text
}

fn typed(text: &str) -> Typed {
    let module = parse(text).expect("the program parses");
    let checked = check(&module).expect("the program checks");
    checked.functions.into_values().next_back().expect("there is a function")
}

fn front_end(c: &mut Criterion) {
    let text = chain(1000);
    let module = parse(&text).expect("the program parses");
    let program = typed(&text);
    let mut group = c.benchmark_group("front_end/1000_statements");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("parse", |b| b.iter(|| parse(black_box(&text))));
    group.throughput(Throughput::Elements(1000));
    group.bench_function("check", |b| b.iter(|| check(black_box(&module))));
    group.bench_function("normalize", |b| b.iter(|| normalize(black_box(&program))));
    group.finish();
}

fn interpreter(c: &mut Criterion) {
    let n = 1000;
    let program = typed(
        "fn matvec(n: size, A: real[n, n], x: real[n]) -> (y: real[n]) {\n    y[i: n] = sum(j: n) A[i, j] * x[j]\n}\n",
    );
    let ssa = normalize(&program);
    let entries = |count: usize| (0..count).map(|k| (k % 7) as f64 - 3.0).collect();
    let matrix = Value::Real(Dense { shape: vec![n, n], data: entries(n * n) });
    let vector = Value::Real(Dense { shape: vec![n], data: entries(n) });
    let inputs: Values<f64> =
        Values::from_iter([("A".to_owned(), matrix), ("x".to_owned(), vector)]);
    let mut group = c.benchmark_group("interpreter/million_points");
    group.sample_size(10).throughput(Throughput::Elements((n * n) as u64));
    group.bench_function("eval", |b| b.iter(|| eval(&program, &inputs, Limits::default())));
    group.bench_function("eval_ssa_counting", |b| {
        b.iter(|| eval_ssa(&ssa, &inputs, Limits::default()));
    });
    group.finish();
}

/// The gradient of programs that double in length; four times the statements should
/// take about four times as long.
fn derivative(c: &mut Criterion) {
    let mut group = c.benchmark_group("derivative/statements");
    group.sample_size(10);
    for count in [250, 500, 1000, 2000] {
        let ssa = normalize(&typed(&chain(count)));
        let gradient = vjp(&ssa, &["x"]).expect("the program is differentiable");
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::new("vjp", count), &ssa, |b, ssa| {
            b.iter(|| vjp(black_box(ssa), &["x"]));
        });
        group.bench_with_input(BenchmarkId::new("simplify", count), &gradient, |b, gradient| {
            b.iter(|| simplify(black_box(gradient)));
        });
    }
    group.finish();
}

/// A derivative of about a thousand statements as loops, and made ready for an engine; the native engine adds the
/// time of the C compiler.
fn executor(c: &mut Criterion) {
    let ssa = normalize(&typed(&chain(143)));
    let gradient = vjp(&ssa, &["x"]).expect("the program is differentiable");
    let count = stmts(&gradient.body).len();
    let mut group = c.benchmark_group(format!("executor/derivative_of_{count}_statements"));
    group.sample_size(10).throughput(Throughput::Elements(count as u64));
    group.bench_function("lower", |b| b.iter(|| lower(black_box(&gradient))));
    group.bench_function("compile", |b| {
        let options = Options { engine: Engine::Block, ..Options::default() };
        b.iter(|| compile::<f64>(black_box(&gradient), options.clone()));
    });
    group.finish();
}

/// Shorter than usual: all benchmarks together are to take a quarter of an hour.
fn brief() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group!(
    name = benches;
    config = brief();
    targets = front_end, derivative, executor, interpreter
);
criterion_main!(benches);
