//! Searches over two variables, as the gradients of maxima over windows have them, and searches of neighbours: equal
//! values, infinities, NaN and empty ranges in every engine.

use crate::compare::{ways, with_cotangents};
use crate::memory::gradient;
use iverson::executor::native::{Precision, emit};
use iverson::executor::{Engine, Executable, Fusion, Options, compile};
use iverson::interpreter::eval_ssa;
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;

/// Functions of `x[n, m]` whose gradients search pairs, and what holds the places that they find.
const MAXIMA: [(&str, &str); 8] = [
    (
        "(y: real[n, m]) { y[i: n, j: m] = max(a: 2 * k + 1, b: 2 * k + 1 where k <= i + a and i + a < n + k and k <= j + b and j + b < m + k) x[i + a - k, j + b - k] }",
        "int[n, m]",
    ),
    (
        "(y: real[n, m]) { y[i: n, j: m] = min(a: k, b: 3 where i + a < n and j + b < m) x[i + a, j + b] }",
        "int[n, m]",
    ),
    (
        "(y: real[n / 2, m / 2]) { y[i: n / 2, j: m / 2] = real(k) + max(a: 2, b: 2) x[2 * i + a, 2 * j + b] }",
        "int[n / 2, m / 2]",
    ),
    ("(y: real[k]) { y[i: k] = max(a: n, b: m where b >= a + i) x[a, b] }", "int[k]"),
    ("(y: real[k]) { y[i: k] = max(a: n, b: m where a > i and x[a, b] < 2) x[a, b] }", "int[k]"),
    ("(y: real[k]) { y[i: k] = min(a: n, b: m where a != i) x[a, b] }", "int[k]"),
    (
        "(y: real[m]) { y[j: m] = max(a: n, b: 2 where j + b < m) (x[a, j + b] * (1 + real(k))) }",
        "int[m]",
    ),
    // of three variables two are joined
    (
        "(y: real[m]) { y[j: m] = max(a: n, b: 2, d: 2 where j + b + d < m) x[a, j + b + d] }",
        "int[m, n]",
    ),
];

/// The places `t[i, a]` of the greatest `x[a, b]` with `b >= i`, and what reads them; what holds them then.
const READERS: [(&str, &str); 8] = [
    (
        "s[i: k] = argmax(a: n where t[i, a] < m) x[a, t[i, a]]
        z[i: k] = sum(a: n, b: m where a = s[i] and b = t[i, a]) x[a, b]",
        "t: int[k]",
    ),
    (
        "s[i: k] = argmax(a: n where 0 < n and t[i, a] < m and t[i, a] >= i) x[a, t[i, a]]
        z[i: k] = sum(a: n, b: m where s[i] = a and t[i, s[i]] = b) x[a, b]",
        "t: int[k]",
    ),
    // by a search that is joined itself
    (
        "u[i: k, a: n] = argmax(b: m where b >= t[i, a]) x[a, b]
        v[i: k] = argmax(a: n where u[i, a] < m and u[i, a] >= t[i, a]) x[a, u[i, a]]
        s[i: k] = argmax(a: n where t[i, a] < m) x[a, t[i, a]]
        z[i: k] = sum(a: n, b: m where a = s[i] and b = t[i, a]) x[a, b] + sum(a: n, b: m where a = v[i] and b = u[i, a]) x[a, b]",
        "t: int[k, n]",
    ),
    // another condition
    (
        "s[i: k] = argmax(a: n where t[i, a] < m and a >= 1) x[a, t[i, a]]
        z[i: k] = sum(a: n, b: m where a = s[i] and b = t[i, a]) x[a, b]",
        "t: int[k, n]",
    ),
    // another value
    (
        "s[i: k] = argmax(a: n where t[i, a] < m) -x[a, t[i, a]]
        z[i: k] = sum(a: n, b: m where a = s[i] and b = t[i, a]) x[a, b]",
        "t: int[k, n]",
    ),
    // another search
    (
        "s[i: k] = argmin(a: n where t[i, a] < m) x[a, t[i, a]]
        z[i: k] = sum(a: n, b: m where a = s[i] and b = t[i, a]) x[a, b]",
        "t: int[k, n]",
    ),
    // other entries
    (
        "s[i: k] = argmax(a: n where t[i, a] < m) x[a, t[i, a]]
        z[i: k] = sum(a: n where t[i, a] < m) x[a, t[i, a]]",
        "t: int[k, n]",
    ),
    // entries of another place
    (
        "s[i: k] = argmax(a: n where t[i, a] < m) x[a, t[i, a]]
        z[i: k] = sum(a: n, b: m where a = s[k - 1 - i] and b = t[i, a]) x[a, b]",
        "t: int[k, n]",
    ),
];

/// Results of `x[n, m]` and `c[n, k]` that search neighbours, and what stands in their C.
const NEIGHBOURS: [(&str, &str); 6] = [
    ("(p: index(n + 1)[m]) { p[j: m] = argmax(i: n) x[i, j] }", "IV_STRIP"),
    ("(p: index(n + 1)[m]) { p[j: m] = argmin(i: n where i > j) x[i, j] }", "p"),
    ("(p: index(n + 1)[m]) { p[j: m] = argmin(i: n where i >= k) x[i, j] }", "IV_STRIP"),
    (
        "(p: index(n + 1)[m], y: real[m]) {
            p[j: m] = argmax(i: n) x[i, j]
            y[j: m] = sum(i: n) x[i, j] * x[i, j]
        }",
        "IV_STRIP",
    ),
    ("(p: index(n + 1)[k, m]) { p[i: k, j: m] = argmax(l: n) (x[l, j] + c[l, i]) }", "IV_ROWS"),
    ("(p: index(n + 1)[m]) { p[j: m] = argmax(i: n where x[i, j] < 2) x[i, j] }", "IV_"),
];

fn program(rest: &str) -> TensorSsa {
    let text = format!("fn f(n: size, m: size, k: size, x: real[n, m], c: real[n, k]) -> {rest}");
    let loaded = load(&text).unwrap_or_else(|errors| panic!("{text}\n{errors:?}"));
    normalize(loaded.function(None).unwrap())
}

/// Few values, each often, from a start that gives every one of them the first place; one of them is given.
fn arguments([n, m, k]: [usize; 3], start: usize, given: f64) -> Values<f64> {
    let some = [1.0, 2.0, 0.0, given, 2.0, f64::NEG_INFINITY, -0.0, f64::INFINITY];
    let data = |count: usize| (0..count).map(|i| some[(i * i / 3 + i + start) % some.len()]);
    let values = [
        ("n", Value::Size(n as u64)),
        ("m", Value::Size(m as u64)),
        ("k", Value::Size(k as u64)),
        ("x", Value::Real(Dense { shape: vec![n, m], data: data(n * m).collect() })),
        ("c", Value::Real(Dense { shape: vec![n, k], data: data(n * k).collect() })),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Sizes with nothing, with one, and on both sides of a strip.
const SIZES: [[usize; 3]; 10] = [
    [0, 0, 0],
    [0, 3, 1],
    [3, 0, 2],
    [1, 1, 0],
    [1, 1, 1],
    [2, 3, 2],
    [5, 17, 1],
    [9, 40, 0],
    [6, 70, 2],
    [40, 15, 9],
];

/// Whether some results are the interpreter's in every engine.
fn same(program: &TensorSsa, results: &[&str], inputs: impl Fn([usize; 3], usize) -> Values<f64>) {
    let mut executables: Vec<Executable<f64>> =
        ways().into_iter().map(|options| compile(program, options).unwrap()).collect();
    for sizes in SIZES {
        for start in 0..8 {
            let inputs = inputs(sizes, start);
            let wanted = eval_ssa(program, &inputs, Limits::default()).unwrap().0;
            for executable in &mut executables {
                let found = executable.call(&inputs).unwrap();
                for result in results {
                    assert_eq!(
                        (&found[*result], sizes, start),
                        (&wanted[*result], sizes, start),
                        "{}",
                        executable.loops()
                    );
                }
            }
        }
    }
}

fn unfused(program: &TensorSsa) -> String {
    let options = Options { engine: Engine::Runner, fusion: Fusion::Off, ..Options::default() };
    compile::<f64>(program, options).unwrap().loops().to_string()
}

/// The first of the greatest pairs has the cotangent, and places are kept for it alone.
#[test]
fn the_gradient_of_a_maximum_over_two_variables_searches_pairs() {
    for (text, places) in MAXIMA {
        let program = program(text);
        let gradient = gradient(&program, &["x"]);
        let loops = unfused(&gradient);
        let kept = loops.lines().filter(|line| line.starts_with("temporary")).collect::<Vec<_>>();
        let wanted = |line: &&str| line.contains(&format!(": {places}"));
        assert!(kept.iter().filter(|line| wanted(line)).count() >= 2, "{text}\n{loops}");
        // products with infinite entries may be NaN; out of order a NaN that is met first stays
        let plain = !text.contains('*') && !text.contains("!=");
        let given = if plain { f64::NAN } else { 3.0 };
        same(&gradient, &["x_bar"], |sizes, start| {
            with_cotangents(&gradient, &program, &arguments(sizes, start, given))
        });
        same(&gradient, &["y", "x_bar"], |sizes, start| {
            with_cotangents(&gradient, &program, &arguments(sizes, start, 3.0))
        });
    }
}

#[test]
fn searches_among_what_was_found_are_one_if_that_is_all_that_is_read() {
    for (readers, kept) in READERS {
        let text = format!(
            "(s: index(n + 1)[k], z: real[k]) {{
                t[i: k, a: n] = argmax(b: m where b >= i) x[a, b]
                {readers}
            }}"
        );
        let program = program(&text);
        let loops = unfused(&program);
        assert!(loops.contains(&format!("{kept}\n")), "no {kept} in\n{loops}");
        same(&program, &["s", "z"], |sizes, start| arguments(sizes, start, 3.0));
        same(&program, &["s"], |sizes, start| arguments(sizes, start, f64::NAN));
    }
}

#[test]
fn searches_of_neighbours_are_strips() {
    for (text, word) in NEIGHBOURS {
        let program = program(text);
        let options = Options { engine: Engine::Runner, ..Options::default() };
        let executable = compile::<f64>(&program, options).unwrap();
        let source = emit(executable.loops(), Precision::F64).source;
        assert!(source.contains(word), "no {word} in\n{source}");
        same(&program, &["p"], |sizes, start| arguments(sizes, start, 3.0));
        // sums of opposite infinities are NaN anyway
        same(&program, &["p"], |sizes, start| arguments(sizes, start, f64::NAN));
    }
}
