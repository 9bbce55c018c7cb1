//! The block engine where loops are longer than a block: conditions, loops inside, searches, data.

use crate::compare::{chopped, unlike, with_cotangents};
use crate::examples::real_params;
use crate::threads::bits;
use iverson::ad::vjp;
use iverson::executor::math::Level;
use iverson::executor::{Engine, Executable, Fusion, Options, Scalar, Vectors, compile};
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Value, Values};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::num::NonZero;

/// Functions of `n`, `k`, reals `x[n]`, `w[k]`, `u[n, k]` and indices `p[n]` in n, `s[n + 1]` in n + 1,
/// ascending; each has a name for what it is about.
const PROGRAMS: [(&str, &str, &str); 16] = [
    ("a condition", "y: real[n]", "y[i: n] = if x[i] > 0.25 then exp(x[i]) else x[i] * x[i]"),
    ("a guard on data", "t: real", "t = sum(i: n where x[i] > 0.5) log(x[i]) / x[i]"),
    (
        "one part protects the next",
        "t: real",
        "t = sum(i: n where i > 2 and x[i - 3] > x[p[i]]) x[i - 3]",
    ),
    ("either part", "t: real", "t = sum(i: n where x[i] > 0.75 or x[p[i]] < 0.25) x[i] * x[p[i]]"),
    ("neither part", "t: real", "t = sum(i: n where not (x[i] > 0.75 or i < 5)) x[i] * x[i]"),
    ("a scatter", "y: real[n]", "y[j: n] = sum(i: n where p[i] = j) x[i] * x[i]"),
    ("a guarded scatter", "y: real[n]", "y[j: n] = sum(i: n where p[i] = j and x[i] > 0.5) x[i]"),
    (
        "rows of many lengths",
        "y: real[n]",
        "y[i: n] = sum(e: n where s[i] <= e and e < s[i + 1]) x[e] * x[p[e]]",
    ),
    ("short rows", "y: real[n]", "y[i: n] = sum(j: k) tanh(u[i, j] * w[j] + x[p[i]])"),
    (
        "short rows with a condition",
        "y: real[n]",
        "y[i: n] = sum(j: k where u[i, j] > x[i]) u[i, j] / (1 + w[j])",
    ),
    ("triangles", "y: real[n]", "y[i: n] = sum(j: k where j < i) u[i, j] * w[j]"),
    (
        "the greatest",
        "m: index(n + 1), t: real",
        "m = argmax(i: n) x[i] * (1 - x[i])\n t = max(i: n) (x[i] - x[p[i]])",
    ),
    (
        "the least of each row",
        "y: real[n]",
        "m[i: n] = argmin(j: k) u[i, j] * w[j]\n y[i: n] = [m[i] < k] * u[i, m[i]]",
    ),
    (
        "products and roots",
        "t: real, y: real[n]",
        "y[i: n] = prod(j: k) (1 + u[i, j] / 8)\n t = sum(i: n) sqrt(y[i]^2 + x[i]^2)",
    ),
    (
        "places from places",
        "y: real[n]",
        "q[i: n] = p[p[i]]\n y[i: n] = x[q[i]] + [q[i] > 4] * x[q[i] - 4]",
    ),
    ("parts of places", "y: real[n]", "y[i: n] = x[i / 2] * real(i % 3) + [i % 2 = 1] * x[i - 1]"),
];

fn program(results: &str, body: &str) -> TensorSsa {
    let text = format!(
        "fn f(n: size, k: size, x: real[n], w: real[k], u: real[n, k], p: index(n)[n], s: index(n + 1)[n + 1]) -> ({results}) {{ {body} }}"
    );
    let loaded = load(&text).unwrap_or_else(|_| panic!("{text}"));
    normalize(loaded.function(None).unwrap())
}

fn inputs<S: Scalar>(n: usize, k: usize) -> Values<S> {
    let reals = |shape: Vec<usize>, factor: usize| {
        let count = shape.iter().product();
        let data = (0..count).map(|at| S::of((at * factor % 1009) as f64 / 1009.0)).collect();
        Value::Real(Dense { shape, data })
    };
    let p = (0..n).map(|i| (i * i + 7 * i) as i64 % n as i64).collect();
    // rows of 0 to 5 entries until all are taken, then empty ones
    let starts = (0..=n).scan(0, |next, i| {
        let start = *next;
        *next = (start + i * 5 % 6).min(n);
        Some(start as i64)
    });
    let values = [
        ("n", Value::Size(n as u64)),
        ("k", Value::Size(k as u64)),
        ("x", reals(vec![n], 577)),
        ("w", reals(vec![k], 331)),
        ("u", reals(vec![n, k], 797)),
        ("p", Value::indices(p)),
        ("s", Value::indices(starts.collect())),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn run<S: Scalar>(
    program: &TensorSsa,
    inputs: &Values<S>,
    (engine, fusion, vectors, threads): (Engine, Fusion, Vectors, usize),
) -> Values<S> {
    let threads = NonZero::new(threads);
    let options = Options { engine, fusion, threads, ..Options::default() };
    let mut executable: Executable<S> = compile(program, options).unwrap();
    *executable.vectors() = vectors;
    executable.call(inputs).unwrap_or_else(|error| panic!("{error}\n{}", executable.loops()))
}

/// The programs and their derivatives.
fn programs() -> Vec<(String, TensorSsa, bool)> {
    let mut all = Vec::new();
    for (name, results, body) in PROGRAMS {
        let program = program(results, body);
        let derivative = vjp(&program, &real_params(&program)).unwrap();
        all.push((name.to_owned(), program, false));
        all.push((format!("vjp of {name}"), derivative, true));
    }
    all
}

fn arguments(program: &TensorSsa, is_derivative: bool, n: usize, k: usize) -> Values<f64> {
    let inputs = inputs(n, k);
    if !is_derivative {
        return inputs;
    }
    // the primal's parameters come first
    let mut primal = program.clone();
    primal.params.truncate(inputs.len());
    with_cotangents(program, &primal, &inputs)
}

#[test]
fn lanes_give_what_the_plain_runner_gives() {
    for (name, program, is_derivative) in programs() {
        for (n, k) in [(1, 1), (5, 3), (700, 9), (1100, 70)] {
            let inputs = arguments(&program, is_derivative, n, k);
            let plain = (Engine::Runner, Fusion::Off, Vectors::default(), 1);
            let wanted = run(&program, &inputs, plain);
            for fusion in [Fusion::Off, Fusion::On] {
                for vectors in [Vectors::default(), chopped()] {
                    let found = run(&program, &inputs, (Engine::Block, fusion, vectors, 2));
                    if let Some(what) = unlike(&wanted, &found, 8192.0) {
                        panic!("{name}, n = {n}, k = {k}, {fusion:?}, {vectors:?}: {what}");
                    }
                }
            }
        }
    }
}

/// Each level of instructions is forced in turn.
#[test]
fn the_bits_do_not_depend_on_the_instructions() {
    for (name, program, is_derivative) in programs() {
        let inputs = arguments(&program, is_derivative, 1100, 9);
        let at = |level| {
            let vectors = Vectors { level, ..Vectors::default() };
            bits(Some(run(&program, &inputs, (Engine::Block, Fusion::On, vectors, 1))))
        };
        let wanted = at(Level::best());
        for level in Level::available() {
            assert_eq!(at(level), wanted, "{name}, {}", level.name());
        }
    }
}

#[test]
fn the_bits_do_not_depend_on_the_threads() {
    for (name, program, is_derivative) in programs() {
        // the adjoint of such rows asks every row for every entry
        let n = if name == "vjp of rows of many lengths" { 1_000 } else { 30_000 };
        let inputs = arguments(&program, is_derivative, n, 9);
        let by = |threads| {
            let how = (Engine::Block, Fusion::On, Vectors::default(), threads);
            bits(Some(run(&program, &inputs, how)))
        };
        let wanted = by(1);
        assert!([2, 7].into_iter().all(|threads| by(threads) == wanted), "{name}");
    }
}

#[test]
fn lanes_of_thirty_two_bits_give_what_the_plain_runner_gives() {
    for (name, results, body) in PROGRAMS {
        let program = program(results, body);
        let inputs = inputs::<f32>(700, 9);
        let of = |engine| run(&program, &inputs, (engine, Fusion::On, Vectors::default(), 1));
        let (wanted, found) = (of(Engine::Runner), of(Engine::Block));
        for (result, wanted) in &wanted {
            match (wanted, &found[result]) {
                (Value::Real(a), Value::Real(b)) => {
                    let scale = a.data.iter().fold(1f32, |most, x| most.max(x.abs()));
                    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 2e-4 * scale;
                    assert!(a.data.iter().zip(&b.data).all(near), "{name}: {result}");
                }
                (wanted, found) => assert_eq!(wanted, found, "{name}: {result}"),
            }
        }
    }
}
