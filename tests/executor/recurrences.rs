//! Sums over the steps of a recurrence that data name: the steps add to later ones.

use crate::adjoints::{gradient, loops, program};
use crate::compare::{difference, difference_in, with_cotangents};
use iverson::executor::native::Compiler;
use iverson::executor::{Engine, Fusion, Vectors};
use iverson::pipeline::load;
use iverson::random::fill;
use iverson::simplify::simplify;
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::normalize;

const HEAD: &str = "fn f(n: size, next: index(n + 1)[n], x: real[n], a: real[n, 2])";
const UP: &str = "requires(v: n) v < next[v]";

/// Body by body: the results, what is asked of the data, the recurrence, and whether its steps add to later ones.
const BODIES: [(&str, &str, &str, bool); 9] = [
    (
        "y: real[n]",
        UP,
        "rec v: n { y[v] = x[v] + sum(w: n where next[w] = v) 0.25 * x[w] * y[w] }",
        true,
    ),
    (
        "y: real[n]",
        UP,
        "rec v: n { y[v] = sum(w: n where v = next[w]) 0.25 * y[w] + a[v, 0] - a[v, 1] }",
        true,
    ),
    (
        "y: real[n, 2]",
        UP,
        "rec v: n { y[v, k: 2] = a[v, k] + sum(w: n where next[w] = v) 0.25 * a[v, k] * y[w, 1 - k] }",
        true,
    ),
    (
        "y: real[n]",
        UP,
        "rec v: n { y[v] = x[v] + sum(w: n, k: 2 where next[w] = v and a[w, k] > 0) 0.25 * a[w, k] * y[w] }",
        true,
    ),
    (
        "y: real[n]",
        "",
        "rec v: n descending { y[v] = x[v] + sum(w: n where w > v and next[w] = v) 0.25 * y[w] }",
        true,
    ),
    ("y: real[n]", UP, "rec v: n { y[v] = max(w: n where next[w] = v) max(y[w], x[w]) }", true),
    (
        "y: real[n], z: real[n]",
        UP,
        "rec v: n { y[v] = sum(w: n where next[w] = v) 0.25 * z[w]
            z[v] = x[v] + y[v] + sum(w: n where next[w] = v) 0.25 * y[w] }",
        true,
    ),
    // steps that come later give too
    ("y: real[n]", "", "rec v: n { y[v] = x[v] + sum(w: n where next[w] = v) x[w] }", false),
    // what is computed at the later step is not there yet
    (
        "y: real[n]",
        UP,
        "rec v: n { t[v] = sin(x[v]) + [v > 0] * t[v - 1]
            y[v] = x[v] + sum(w: n where next[w] = v) 0.25 * t[v] * y[w] }",
        false,
    ),
];

fn text((results, requires, body, _): (&str, &str, &str, bool)) -> String {
    format!("{HEAD} -> ({results}) {{\n{requires}\n{body}\n}}")
}

/// Inputs with `next[v] > v`, several of them equal.
fn inputs(text: &str, n: u64) -> Values<f64> {
    let next = (0..n).map(|v| (v + 1 + (5 * v + 2) % 4).min(n) as i64).collect();
    let next = Value::Index(Dense { shape: vec![n as usize], data: next });
    let given: Values<f64> =
        [("n".to_owned(), Value::Size(n)), ("next".to_owned(), next)].into_iter().collect();
    fill(load(text).unwrap().function(None).unwrap(), &given, n + 1, Limits::default()).unwrap()
}

#[test]
fn steps_add_to_later_ones_and_nothing_is_sorted() {
    for body in BODIES {
        let loops = loops(&program(&text(body)));
        assert_eq!(!loops.contains("in the order of a key"), body.3, "{loops}");
    }
}

#[test]
fn sums_over_steps_and_their_gradients_are_right() {
    let native = Compiler::find().is_ok();
    for text in BODIES.map(text) {
        let program = program(&text);
        let gradient = gradient(&program);
        for n in (0..=9).chain([33]) {
            let inputs = inputs(&text, n);
            let cotangents = with_cotangents(&gradient, &program, &inputs);
            for (program, inputs) in [(&program, &inputs), (&gradient, &cotangents)] {
                let ways = [(Engine::Native, Fusion::On, Vectors::default())];
                let compiled = native && [0, 1, 9, 33].contains(&n);
                let found = difference(program, inputs, 1024.0);
                let found = found.or_else(|| {
                    compiled.then(|| difference_in(&ways, program, inputs, 1024.0)).flatten()
                });
                if let Some(what) = found {
                    panic!("n = {n}: {what}");
                }
            }
        }
    }
}

/// What a step reads of the one before is there: loops over steps are not taken apart where it is written in another part.
#[test]
fn the_gradient_of_many_steps_has_each_after_the_next() {
    let module = load(include_str!("../../examples/lstm.iv")).unwrap();
    let function = module.function(Some("lstm")).unwrap();
    let program = simplify(&normalize(function));
    let gradient = gradient(&program);
    let mut ways = vec![
        (Engine::Runner, Fusion::On, Vectors::default()),
        (Engine::Block, Fusion::On, Vectors::default()),
    ];
    if Compiler::find().is_ok() {
        ways.push((Engine::Native, Fusion::On, Vectors::default()));
    }
    for (steps, cells) in [(1, 2), (3, 1), (4, 3), (9, 20)] {
        let sizes = [("T", steps), ("h", cells), ("d", 2)];
        let given = sizes.map(|(name, n)| (name.to_owned(), Value::Size(n)));
        let inputs = fill(function, &given.into(), 1, Limits::default()).unwrap();
        let inputs = with_cotangents(&gradient, &program, &inputs);
        let found = difference_in(&ways, &gradient, &inputs, 4096.0);
        assert_eq!(found, None, "{steps} steps of {cells}");
    }
}
