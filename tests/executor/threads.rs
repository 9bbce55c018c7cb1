//! The same bits for any number of threads; 32-bit numbers.

use crate::compare::with_cotangents;
use crate::examples::{cases, real_params};
use iverson::ad::vjp;
use iverson::executor::{Engine, Options, Scalar, compile};
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Value, Values};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::num::NonZero;

fn run<S: Scalar>(program: &TensorSsa, inputs: &Values<S>, threads: usize) -> Option<Values<S>> {
    let threads = NonZero::new(threads);
    let options = Options { engine: Engine::Block, threads, ..Options::default() };
    compile(program, options).unwrap().call(inputs).ok()
}

pub(crate) fn bits(results: Option<Values<f64>>) -> Vec<u64> {
    let entries = |value: &Value<f64>| match value {
        Value::Real(x) => x.data.iter().map(|x| x.to_bits()).collect(),
        Value::Index(p) => p.data.iter().map(|p| *p as u64).collect(),
        Value::Size(_) | Value::Relation(_) => Vec::new(),
    };
    results.iter().flat_map(|results| results.values()).flat_map(entries).collect()
}

#[track_caller]
fn same_bits(name: &str, program: &TensorSsa, inputs: &Values<f64>) {
    let one = bits(run(program, inputs, 1));
    for threads in [2, 7] {
        assert_eq!(bits(run(program, inputs, threads)), one, "{name}, {threads} threads");
    }
}

#[test]
fn the_bits_do_not_depend_on_the_threads() {
    for (name, program, inputs) in cases() {
        same_bits(&name, &program, &inputs);
    }
    let text = "fn f(n: size, x: real[n], p: index(n)[n]) -> (s: real, t: real, y: real[n]) {
        y[i: n] = exp(x[i]) * x[p[i]]
        s = sum(i: n) sin(x[i]) * y[i]
        t = sum(i: n, j: 40 where x[i] > 0.25) x[i] / (y[i] + real(j) + 2)
    }";
    let program = normalize(load(text).unwrap().function(None).unwrap());
    let derivative = vjp(&program, &real_params(&program)).unwrap();
    let n = 40_000;
    let mut inputs = Values::new();
    inputs.insert("x".into(), Value::vector((0..n).map(|i| f64::from(i % 997) / 997.0).collect()));
    inputs.insert("p".into(), Value::indices((0..n).map(|i| i64::from(i * 7 % n)).collect()));
    same_bits("sums", &program, &inputs);
    let inputs = with_cotangents(&derivative, &program, &inputs);
    same_bits("vjp of sums", &derivative, &inputs);
}

#[test]
fn thirty_two_bits_are_near_sixty_four() {
    let narrow = |value: &Value<f64>| match value {
        Value::Size(n) => Value::Size(*n),
        Value::Index(p) => Value::Index(p.clone()),
        Value::Relation(r) => Value::Relation(r.clone()),
        Value::Real(x) => Value::Real(Dense {
            shape: x.shape.clone(),
            data: x.data.iter().map(|x| *x as f32).collect(),
        }),
    };
    let chosen = ["blur", "dot", "matvec", "nbody", "rnn", "softmax", "spmv", "tree"];
    for (name, program, inputs) in cases() {
        if !chosen.iter().any(|known| name.starts_with(known)) {
            continue;
        }
        let narrowed: Values<f32> = inputs.iter().map(|(k, v)| (k.clone(), narrow(v))).collect();
        let (wide, found) =
            (run(&program, &inputs, 1).unwrap(), run(&program, &narrowed, 1).unwrap());
        for (result, wanted) in &wide {
            let (Value::Real(a), Value::Real(b)) = (wanted, &found[result]) else { continue };
            for (a, b) in a.data.iter().zip(&b.data) {
                let near =
                    *a == f64::from(*b) || (a - f64::from(*b)).abs() <= 1e-4 * a.abs().max(1.0);
                assert!(near, "{name}: {result} is {b}, wanted {a}");
            }
        }
    }
}
