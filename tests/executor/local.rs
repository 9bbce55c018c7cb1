//! Temporaries of which some rows are kept at a time.

use crate::compare::{difference, unlike, with_cotangents};
use crate::examples::real_params;
use crate::generated::has_compiler;
use crate::memory::{bytes, gradient, loops, program};
use crate::threads::bits;
use iverson::executor::loops::Role;
use iverson::executor::loops::verify::verify;
use iverson::executor::{Engine, Fusion, LoopProgram, Options, Scalar, compile};
use iverson::interpreter::eval_ssa;
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Limits, Value, Values, shape};
use iverson::spec::ir::Param;
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::num::NonZero;

/// The rows of a window.
const ROWS: usize = 32;

const ATTENTION: &str = include_str!("../../examples/attention.iv");

/// A softmax in both directions of a matrix of distances, with sums along both of its axes.
const SOFTMAX: &str =
    "fn f(n: size, m: size, d: size, x: real[n, d], z: real[m, d]) -> (c: real[m, d], s: real) {
    D[i: n, j: m] = sum(a: d) (x[i, a] - z[j, a])^2
    low[i: n] = min(j: m) D[i, j]
    w[i: n, j: m] = exp(low[i] - D[i, j])
    total[i: n] = sum(j: m) w[i, j]
    c[j: m, a: d] = sum(i: n) w[i, j] * x[i, a] / total[i]
    s = sum(i: n) low[i] - sum(i: n) log(total[i])
}";

fn attention(name: &str) -> TensorSsa {
    normalize(load(ATTENTION).unwrap().function(Some(name)).unwrap())
}

/// The programs and their gradients.
fn all() -> Vec<(String, TensorSsa)> {
    let programs = [
        ("attention", attention("attention")),
        ("causal attention", attention("causal_attention")),
        ("softmax", program(SOFTMAX)),
    ];
    let mut found = Vec::new();
    for (name, program) in programs {
        let derivative = gradient(&program, &real_params(&program));
        found.push((format!("the gradient of {name}"), derivative));
        found.push((name.to_owned(), program));
    }
    found
}

/// Inputs at sizes, by name: all others are 3.
pub(crate) fn inputs<S: Scalar>(program: &TensorSsa, chosen: &[(&str, usize)]) -> Values<S> {
    let sizes: Vec<i64> = program
        .symbols
        .sizes
        .iter()
        .map(|name| chosen.iter().find(|(known, _)| known == name).map_or(3, |(_, n)| *n as i64))
        .collect();
    let mut inputs = Values::new();
    for (at, param) in program.params.iter().enumerate() {
        match param {
            Param::Size(size) => {
                let n = sizes[size.index()] as u64;
                inputs.insert(program.symbols.sizes[size.index()].clone(), Value::Size(n));
            }
            Param::Tensor(tensor) => {
                let row = program.symbols.tensor(*tensor);
                let shape = shape(&program.symbols, *tensor, &sizes).unwrap();
                let count: usize = shape.iter().product();
                let number = |k: usize| S::of(((k * 7919 + at * 31) % 1013) as f64 / 506.0 - 1.0);
                let data = (0..count).map(number).collect();
                inputs.insert(row.name.clone(), Value::Real(Dense { shape, data }));
            }
            Param::Relation(_) => panic!("no relations here"),
        }
    }
    inputs
}

pub(crate) fn locals(loops: &LoopProgram) -> usize {
    loops.buffers.iter().filter(|buffer| buffer.role == Role::Local).count()
}

pub(crate) fn run<S: Scalar>(
    program: &TensorSsa,
    inputs: &Values<S>,
    engine: Engine,
    threads: usize,
) -> Values<S> {
    let options = Options { engine, threads: NonZero::new(threads), ..Options::default() };
    compile(program, options).unwrap().call(inputs).unwrap()
}

pub(crate) fn engines() -> Vec<Engine> {
    if has_compiler() { vec![Engine::Block, Engine::Native] } else { vec![Engine::Block] }
}

#[test]
fn attention_needs_no_matrix() {
    for (name, program) in all() {
        let loops = loops(&program, Fusion::On);
        let sizes: Vec<i64> = loops
            .sizes
            .iter()
            .map(|size| if ["n", "m"].contains(&size.as_str()) { 2000 } else { 16 })
            .collect();
        let needed = bytes(&loops, &sizes, &[Role::Temporary, Role::Local]);
        // what several rows of one entry are sums of keeps the matrix of weights
        let all = if name == "the gradient of softmax" { 8 * 2000 * 2000 } else { 0 };
        assert!(needed < all + 8 * 2000 * 2000 / 6, "{name}: {needed}\n{loops}");
        assert!(locals(&loops) >= 1, "{name}");
    }
}

/// The loops: what is in the way stands before the windows, sums over rows go by windows too.
#[test]
fn the_gradient_of_attention_goes_by_windows() {
    let derivative = gradient(&attention("causal_attention"), &["Q", "K", "V"]);
    let loops = loops(&derivative, Fusion::On);
    insta::assert_snapshot!("causal_attention", loops.to_string());
    assert_eq!(LoopProgram::parse(&loops.to_string()).unwrap(), loops);
}

/// Sizes around those of a window: the values are the interpreter's, and the bits of the plain runner are those
/// that it has without fusion.
#[test]
fn windows_change_no_value() {
    for (name, program) in all() {
        for n in [0, 1, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS + 3] {
            let given = inputs::<f64>(&program, &[("n", n), ("m", 5)]);
            assert_eq!(difference(&program, &given, 4096.0), None, "{name}, {n} rows");
            for engine in engines() {
                let plain = run(&program, &given, Engine::Runner, 1);
                let one = run(&program, &given, engine, 1);
                assert_eq!(unlike(&plain, &one, 4096.0), None, "{name}, {n} rows, {engine:?}");
                for threads in [2, 7] {
                    let found = bits(Some(run(&program, &given, engine, threads)));
                    assert_eq!(found, bits(Some(one.clone())), "{name}, {n} rows, {engine:?}");
                }
            }
        }
    }
}

/// Threads share windows, each with rows of its own: enough work for several parts, with copies of sums in gradients.
/// An engine gives what the plain runner gives within some units in the last place, the same bits for any number of threads in 64 and
/// in 32 bits, and in 32 bits what it gives in 64, within so much of the largest entry.
pub(crate) fn threads_agree(
    name: &str,
    program: &TensorSsa,
    sizes: &[(&str, usize)],
    ulps: f64,
    narrowed: f64,
) {
    let (given, narrow) = (inputs::<f64>(program, sizes), inputs::<f32>(program, sizes));
    let plain = run(program, &given, Engine::Runner, 1);
    for engine in engines() {
        let one = run(program, &given, engine, 1);
        let single = run(program, &narrow, engine, 1);
        assert_eq!(unlike(&plain, &one, ulps), None, "{name}, {engine:?}");
        for threads in [2, 7] {
            let found = run(program, &given, engine, threads);
            assert_eq!(bits(Some(found)), bits(Some(one.clone())), "{name}, {engine:?}");
            let found = run(program, &narrow, engine, threads);
            assert_eq!(found, single, "{name}, {engine:?}, f32");
        }
        for (result, wanted) in &one {
            let (Value::Real(a), Value::Real(b)) = (wanted, &single[result]) else {
                panic!("{result} is real")
            };
            let most = a.data.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
            for (a, b) in a.data.iter().zip(&b.data) {
                assert!((a - f64::from(*b)).abs() <= narrowed * most, "{name}: {result}, f32");
            }
        }
    }
}

#[test]
fn threads_have_windows_of_their_own() {
    for (name, program) in all() {
        threads_agree(&name, &program, &[("n", 10 * ROWS + 7), ("m", 150)], 65536.0, 1e-4);
    }
}

/// More windows than rows in one: their rows are not those of lanes that go together.
#[test]
fn windows_are_no_lanes() {
    for (name, program) in all() {
        let given = inputs::<f64>(&program, &[("n", 40 * ROWS + 5), ("m", 2)]);
        let plain = run(&program, &given, Engine::Runner, 1);
        for engine in engines() {
            let one = run(&program, &given, engine, 1);
            assert_eq!(unlike(&plain, &one, 1e6), None, "{name}, {engine:?}");
            let two = run(&program, &given, engine, 2);
            assert_eq!(bits(Some(two)), bits(Some(one)), "{name}, {engine:?}");
        }
    }
}

/// An entry that is read at another row, or from another row on; a matrix that is a result.
#[test]
fn what_is_needed_at_other_rows_is_kept() {
    let texts = [
        "fn f(n: size, m: size, d: size, Q: real[n, d], K: real[m, d]) -> (y: real[n]) {
            s[i: n, j: m] = sum(a: d) Q[i, a] * K[j, a]
            y[i: n] = sum(j: m where i > 0) s[i, j] * s[i - 1, j]
        }",
        "fn f(n: size, d: size, Q: real[n, d]) -> (y: real[n]) {
            s[i: n, j: n] = sum(a: d) Q[i, a] * Q[j, a]
            y[i: n] = sum(j: n) s[i, j] * s[j, i]
        }",
        "fn f(n: size, m: size, d: size, Q: real[n, d], K: real[m, d]) -> (s: real[n, m], y: real[n]) {
            s[i: n, j: m] = sum(a: d) Q[i, a] * K[j, a]
            y[i: n] = sum(j: m) s[i, j]
        }",
    ];
    for text in texts {
        let program = program(text);
        let loops = loops(&program, Fusion::On);
        assert_eq!(locals(&loops), 0, "{loops}");
        let given = inputs::<f64>(&program, &[("n", 70), ("m", 4)]);
        assert_eq!(difference(&program, &given, 4096.0), None);
    }
}

/// A matrix that is needed at other rows keeps no other one from windows.
#[test]
fn other_matrices_go_by_windows_all_the_same() {
    let program = program(
        "fn f(n: size, m: size, d: size, Q: real[n, d], K: real[m, d]) -> (y: real[n], z: real[n]) {
            s[i: n, j: m] = sum(a: d) Q[i, a] * K[j, a]
            y[i: n] = sum(j: m where i > 0) s[i, j] * s[i - 1, j]
            t[i: n, j: m] = sum(a: d) (Q[i, a] - K[j, a])^2
            low[i: n] = min(j: m) t[i, j]
            z[i: n] = sum(j: m) exp(low[i] - t[i, j])
        }",
    );
    let loops = loops(&program, Fusion::On);
    assert_eq!(locals(&loops), 1, "{loops}");
    let given = inputs::<f64>(&program, &[("n", 70), ("m", 4)]);
    assert_eq!(difference(&program, &given, 4096.0), None);
}

/// The limit of memory counts rows for each thread.
#[test]
fn each_thread_needs_its_rows() {
    let program = attention("attention");
    let given = inputs::<f64>(&program, &[("n", 100), ("m", 1000)]);
    let rows = 8 * (ROWS * 1000) as u64;
    let run = |threads: usize, memory: u64| {
        let threads = NonZero::new(threads);
        let options = Options { engine: Engine::Block, threads, memory, ..Options::default() };
        compile::<f64>(&program, options).unwrap().call(&given)
    };
    let few = (locals(&loops(&program, Fusion::On)) as u64) * rows + 8 * 20_000;
    run(1, few).unwrap();
    let error = run(2, few).unwrap_err().to_string();
    assert!(error.contains("32"), "{error}");
    run(2, 3 * few).unwrap();
}

/// A local belongs to the window of a loop at top level.
#[test]
fn locals_are_touched_in_windows_alone() {
    let text = |extent: &str, row: &str, end: &str| {
        format!(
            "loops f\nsize n\nlocal t: real[{extent}]\noutput y: real[n]\nints w, i\n\
             for any w in 0 .. n where 0 of 4 {{\n    for any i in w .. min({end}, n) {{\n        \
             t[{row}] = real(i)\n        y[i] = t[{row}]\n    }}\n}}\n"
        )
    };
    assert!(verify(&LoopProgram::parse(&text("4", "i - w", "w + 4")).unwrap()).is_ok());
    for (extent, row, end) in [("3", "i - w", "w + 4"), ("4", "0", "w + 4"), ("4", "i - w", "n")] {
        let error = LoopProgram::parse(&text(extent, row, end)).unwrap_err().to_string();
        assert!(error.contains("invariant"), "{error}");
    }
}

/// A row of a window belongs to one step of a parallel loop inside if that goes by windows too.
#[test]
fn windows_in_windows_write_rows_of_their_own() {
    let text = |stride: &str, from: &str, end: &str| {
        format!(
            "loops f\nsize n\nlocal t: real[4]\noutput y: real[n]\nints w, u, i\n\
             for w in 0 .. n where 0 of 4 {{\n    for any u in 0 .. n{stride} {{\n        \
             for any i in {from} .. min(w + 4, {end}) {{\n            t[i - w] = real(i)\n            \
             y[i] = t[i - w]\n        }}\n    }}\n}}\n"
        )
    };
    let inside = text(" where 0 of 4", "max(w, u)", "u + 4, n");
    assert!(verify(&LoopProgram::parse(&inside).unwrap()).is_ok());
    for (stride, from, end) in [("", "w", "n"), (" where 0 of 4", "max(w, u)", "u + 5, n")] {
        let error = LoopProgram::parse(&text(stride, from, end)).unwrap_err().to_string();
        assert!(error.contains("invariant 5"), "{error}");
    }
}

/// An entry `[i - w, n - i]` is of row `i` of the window: loops over `i` share the rows, whatever the signs.
#[test]
fn rows_of_a_window_that_run_against_a_column_are_shared() {
    let text = "fn f(n: size, w: real[n, 2 * n]) -> (y: real) {
        g[i: n, j: 2 * n] = max(0, max(k: n, l: 2 where i + k < n and 2 * j + l < 2 * n) w[i + k, 2 * j + l])
        y = sum(i: n where 0 <= n - i < 2 * n) g[i, n - i]
    }";
    let program = program(text);
    let derivative = gradient(&program, &["w"]);
    for n in [1, 10, 11, 12, 33, 40] {
        let data = (0..2 * n * n).map(|at| (at % 2 * 2 + 1) as f64).collect();
        let w = Value::Real(Dense { shape: vec![n, 2 * n], data });
        let inputs: Values<f64> =
            [("n".to_owned(), Value::Size(n as u64)), ("w".to_owned(), w)].into();
        let inputs = with_cotangents(&derivative, &program, &inputs);
        for engine in engines() {
            let one = bits(Some(run(&derivative, &inputs, engine, 1)));
            let two = bits(Some(run(&derivative, &inputs, engine, 2)));
            assert_eq!(one, two, "{engine:?}, {n}");
        }
        assert_eq!(difference(&derivative, &inputs, 0.0), None, "{n}");
    }
}

/// What nothing reads leaves no points behind, which each window would visit again.
#[test]
fn points_of_what_nothing_reads_are_not_visited() {
    let program = program(
        "fn f(n: size, x: real[n], s: real[3]) -> (y: real[n]) {
            w[i: 3] = 2 * s[i]
            z[i: 3] = w[i] + s[2 - i]
            d[i: n, j: n] = [j != i] * x[i] - [j != i] * x[j]
            e[i: n, j: n] = [j != i] + [j != i] * d[i, j]^2
            y[i: n] = sum(j: n where j != i) d[i, j] / e[i, j]
        }",
    );
    let loops = loops(&program, Fusion::On);
    assert!(locals(&loops) == 2 && !loops.to_string().contains("visit z"), "{loops}");
    let given = inputs::<f64>(&program, &[("n", ROWS + 1)]);
    assert_eq!(difference(&program, &given, 4096.0), None);
}

/// A condition is checked, whatever it needs.
#[test]
fn errors_of_what_nothing_needs_go_with_it() {
    let reads = |needs: &str| {
        let unread = "u[i: n] = [0 <= floor(x[i]) < n] * x[floor(x[i])]";
        program(&format!(
            "fn f(n: size, x: real[n]) -> (y: real[n]) {{\n{unread}\n{needs}\ny[i: n] = 2 * x[i]\n}}"
        ))
    };
    let x = Dense { shape: vec![2], data: vec![1.0, f64::INFINITY] };
    let inputs = Values::from([("n".into(), Value::Size(2)), ("x".into(), Value::Real(x))]);
    let interpreted = |program| eval_ssa(program, &inputs, Limits::default()).map(|_| ());
    let (unread, required) = (reads(""), reads("requires(i: n) u[i] < 2"));
    for program in [&unread, &required] {
        assert!(interpreted(program).unwrap_err().to_string().contains("`floor` of inf"));
    }
    for engine in engines() {
        let call = |program| {
            let options = Options { engine, ..Options::default() };
            compile::<f64>(program, options).unwrap().call(&inputs)
        };
        let found = call(&unread).unwrap();
        let Value::Real(y) = &found["y"] else { panic!("{found:?}") };
        assert_eq!(y.data, [2.0, f64::INFINITY], "{engine:?}");
        assert!(call(&required).unwrap_err().to_string().contains("`floor` of inf"), "{engine:?}");
    }
}

/// A number that nothing reads has one point, however many windows there are.
#[test]
fn points_of_numbers_are_of_no_window() {
    let text = "fn f(n: size, m: size, x: real[n], p: index(m)[m]) -> (y: real, z: real[n]) {
        t[i: n, j: m] = real(i)
        y = sum(i: n) x[i]^2
        u = [m = 0 and (m >= n or m >= m or t[m, m] < 0.5)]
        v = 1
        z[i: n] = -[i / 2 >= 0 and i / 2 < m] * t[i, p[i / 2]]
    }";
    let program = program(text);
    let kept = loops(&program, Fusion::On);
    let at_top_level = kept.to_string().lines().any(|line| line == "visit v");
    assert!(locals(&kept) == 1 && at_top_level, "{kept}");
    for n in [0, 1, ROWS, 2 * ROWS + 3] {
        let given = inputs::<f64>(&program, &[("n", n), ("m", 4)]);
        assert_eq!(difference(&program, &given, 4096.0), None, "{n} rows");
    }
}
