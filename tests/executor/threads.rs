//! The same bits for any number of threads; 32-bit numbers.

use crate::compare::{unlike, with_cotangents};
use crate::examples::{cases, real_params};
use crate::generated::has_compiler;
use iverson::ad::vjp;
use iverson::executor::{
    Engine, Executable, Inputs, Options, Output, Outputs, RunError, Scalar, compile,
};
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Relation, Value, Values};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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

/// Sums at places that data say are shared where the places ascend: the loop is cut where they change. Long runs of
/// one place, places that do not ascend, and none at all give the same bits too.
#[test]
fn sums_at_ascending_places_have_the_bits_of_one_thread() {
    let text = "fn f(n: size, m: size, row: index(n)[m], col: index(n)[m], R: rel(n, n), a: real[m], x: real[n])
        -> (y: real[n], z: real[n, 3], r: real[n]) {
        y[i: n] = sum(e: m) [row[e] = i] * a[e] * x[col[e]]
        z[i: n, k: 3] = sum(e: m) [row[e] = i] * a[e] / (real(k) + x[col[e]])
        r[i: n] = sum(j: n where R(i, j)) x[j] / (x[i] + 3)
    }";
    let program = normalize(load(text).unwrap().function(None).unwrap());
    let (n, m) = (3000_i64, 60_000_i64);
    let rows: [&dyn Fn(i64) -> i64; 5] =
        [&|e| e / 20, &|e| e * e / (m * 40), &|_| 7, &|e| e % n, &|e| n - 1 - e / 20];
    let number = |at: i64| (at * 7919 % 1013) as f64 / 500.0 + 0.1;
    let pairs = (0..m).map(|at| vec![at / 20, (at * 31) % n]);
    let relation = Value::Relation(Relation::new(2, pairs.collect()));
    for (at, row) in rows.iter().enumerate() {
        for m in [m, 0] {
            let inputs: Values<f64> = [
                ("n", Value::Size(n as u64)),
                ("row", Value::indices((0..m).map(row).collect())),
                ("col", Value::indices((0..m).map(|e| e * 37 % n).collect())),
                ("R", relation.clone()),
                ("a", Value::vector((0..m).map(number).collect())),
                ("x", Value::vector((0..n).map(number).collect())),
            ]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
            for engine in [Engine::Block, Engine::Native] {
                if engine == Engine::Native && !has_compiler() {
                    continue;
                }
                let run = |engine, threads| {
                    let threads = NonZero::new(threads);
                    let options = Options { engine, threads, ..Options::default() };
                    compile::<f64>(&program, options).unwrap().call(&inputs).ok()
                };
                let one = run(engine, 1);
                let plain = run(Engine::Runner, 1);
                assert_eq!(unlike_results(&one, &plain, 64.0), None, "rows {at}");
                for threads in [2, 7] {
                    let found = bits(run(engine, threads));
                    assert_eq!(
                        found,
                        bits(one.clone()),
                        "rows {at}, {engine:?}, {threads} threads"
                    );
                }
            }
        }
    }
}

/// The inputs of a call by name.
fn named<const N: usize>(inputs: [(&str, Value<f64>); N]) -> Values<f64> {
    inputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Both engines, where they are there.
pub(crate) fn engines() -> impl Iterator<Item = Engine> {
    let all = [Engine::Block, Engine::Native].into_iter();
    all.filter(|engine| *engine == Engine::Block || has_compiler())
}

/// The results of a call within a limit of memory.
fn run_within(
    (program, inputs): (&TensorSsa, &Values<f64>),
    engine: Engine,
    threads: usize,
    memory: u64,
) -> Option<Values<f64>> {
    let options = Options { engine, threads: NonZero::new(threads), memory, ..Options::default() };
    compile::<f64>(program, options).unwrap().call(inputs).ok()
}

/// One, two and seven threads give the same bits in both engines, near what the plain runner gives.
#[track_caller]
fn the_same_in_all(name: &str, program: &TensorSsa, inputs: &Values<f64>, memory: u64) {
    let run = |engine, threads| run_within((program, inputs), engine, threads, memory);
    for engine in engines() {
        let one = run(engine, 1);
        // long sums in one order are not nearer to the exact ones
        let plain = run(Engine::Runner, 1);
        assert_eq!(unlike_results(&one, &plain, 4096.0), None, "{name}, {engine:?}");
        for threads in [2, 7] {
            let found = bits(run(engine, threads));
            assert_eq!(found, bits(one.clone()), "{name}, {engine:?}, {threads} threads");
        }
    }
}

/// Sums at places in no order: parts of a loop have copies of the buffers, which are joined in the order of the parts.
#[test]
fn sums_at_places_in_no_order_have_the_bits_of_one_thread() {
    let text = "fn f(n: size, m: size, p: index(n)[m], q: index(n)[m], a: real[m], x: real[n])
        -> (total: real[n], greatest: real[n], least: real[n], both: real[n, 2], whole: real) {
        total[i: n] = sum(e: m) [p[e] = i] * a[e] * x[q[e]]
        greatest[i: n] = max(e: m where q[e] = i) sin(a[e])
        least[i: n] = min(e: m where q[e] = i) sin(a[e])
        both[i: n, k: 2] = sum(e: m) [p[e] = i] * a[e] * real(k + 1) + sum(e: m, j: 3) [q[e] = i] * a[e] / real(j + k + 1)
        whole = sum(e: m) [p[e] != q[e]] * a[e]
    }";
    let program = normalize(load(text).unwrap().function(None).unwrap());
    let derivative = vjp(&program, &real_params(&program)).unwrap();
    // the derivative of a product keeps more than there is memory for
    let product = "fn f(n: size, m: size, p: index(n)[m], q: index(n)[m], a: real[m], x: real[n]) -> (y: real[n]) {
        y[i: n] = prod(e: m where p[e] = i) (1 + a[e] / 1000)
    }";
    let product = normalize(load(product).unwrap().function(None).unwrap());
    for (n, m) in [(50_i64, 150_000_i64), (3000, 150_000), (50_000, 150_000), (3, 0), (1, 70_000)] {
        let number = |at: i64| (at * 7919 % 1013) as f64 / 500.0 - 0.9;
        let inputs = named([
            ("p", Value::indices((0..m).map(|e| e * e % 10_007 % n).collect())),
            ("q", Value::indices((0..m).map(|e| e * 37 % n).collect())),
            ("a", Value::vector((0..m).map(number).collect())),
            ("x", Value::vector((0..n).map(number).collect())),
        ]);
        let with = with_cotangents(&derivative, &program, &inputs);
        the_same_in_all(&format!("{n} of {m}"), &program, &inputs, 1 << 32);
        the_same_in_all(&format!("product, {n} of {m}"), &product, &inputs, 1 << 32);
        the_same_in_all(&format!("gradient, {n} of {m}"), &derivative, &with, 1 << 32);
    }
}

/// Loops inside a loop that adds at places in no order; those inside are shared where a copy is too large beside what is added.
#[test]
fn rows_at_places_in_no_order_have_the_bits_of_one_thread() {
    let text = "fn f(n: size, m: size, k: size, p: index(n)[m], q: index(n)[m], z: real[n, k]) -> (y: real[n, k], s: real[n]) {
        y[i: n, a: k] = sum(e: m) [p[e] = i] * z[q[e], a]
        s[i: n] = sum(e: m, a: k where p[e] = i) z[q[e], a] * z[i, a]
    }";
    let program = normalize(load(text).unwrap().function(None).unwrap());
    let derivative = vjp(&program, &real_params(&program)).unwrap();
    let number = |at: i64| (at * 7919 % 1013) as f64 / 1013.0 - 0.4;
    for (n, m, k) in [(50, 30_000, 16), (3, 5, 150_000), (20_000, 10_000, 9)] {
        let inputs = named([
            ("p", Value::indices((0..m).map(|e| e * e % 10_007 % n).collect())),
            ("q", Value::indices((0..m).map(|e| e * 37 % n).collect())),
            ("z", {
                let data = (0..n * k).map(number).collect();
                Value::Real(Dense { shape: vec![n as usize, k as usize], data })
            }),
        ]);
        let with = with_cotangents(&derivative, &program, &inputs);
        the_same_in_all(&format!("{m} rows of {k}"), &program, &inputs, 1 << 32);
        the_same_in_all(&format!("gradient, {m} rows of {k}"), &derivative, &with, 1 << 32);
    }
}

/// What is left of the memory says how many copies there are, not how many threads.
#[test]
fn copies_of_sums_stay_within_the_memory() {
    let text = "fn f(n: size, m: size, p: index(n)[m], a: real[m]) -> (y: real[n]) {
        y[i: n] = sum(e: m) [p[e] = i] * exp(a[e])
    }";
    let program = normalize(load(text).unwrap().function(None).unwrap());
    let (n, m) = (1000_i64, 400_000_i64);
    let inputs = named([
        ("n", Value::Size(n as u64)),
        ("p", Value::indices((0..m).map(|e| e * e % 10_007 % n).collect())),
        ("a", Value::vector((0..m).map(|e| (e * 7919 % 1013) as f64 / 500.0).collect())),
    ]);
    let least = 8 * (n + 2 * m) as u64;
    assert!(run_within((&program, &inputs), Engine::Block, 2, least - 1).is_none());
    let mut found = Vec::new();
    for copies in [0, 1, 3, 7, 20] {
        let memory = least + copies * 8 * n as u64;
        the_same_in_all(&format!("{copies} copies"), &program, &inputs, memory);
        found.push(bits(run_within((&program, &inputs), Engine::Block, 1, memory)));
    }
    assert_ne!(found[0], found[1], "sums in two parts are rounded otherwise");
    assert_ne!(found[1], found[3]);
    assert_eq!(found[3], found[4], "there are at most eight parts");
}

fn unlike_results(a: &Option<Values<f64>>, b: &Option<Values<f64>>, units: f64) -> Option<String> {
    match (a, b) {
        (Some(a), Some(b)) => unlike(a, b, units),
        _ => Some("a call has failed".to_owned()),
    }
}

/// Steps in order, each of them wide: what stands in a step is shared. Narrow steps are run as a whole; both with sums, in
/// both directions, under conditions, and with a recurrence in a step.
#[test]
fn recurrences_have_the_bits_of_one_thread() {
    let text = "fn f(n: size, T: size, m: size, W: real[m, m], x: real[n]) -> (y: real[n], s: real[m], total: real) {
        rec t: T {
            u[t, i: n] = if t = 0 then x[i] else if 0 < i < n - 1 then w[t - 1, i - 1] / 3 + w[t - 1, i + 1] / 2 else w[t - 1, i]
            energy[t] = sum(i: n) u[t, i]^2
            w[t, i: n] = u[t, i] / (1 + energy[t] / real(n)) + [t % 3 = 1] * x[i]
        }
        y[i: n] = [T > 0] * w[T - 1, i]
        rec t: T {
            state[t, i: m] = tanh(W[i, i] + [t > 0] * sum(j: m) W[i, j] * state[t - 1, j])
        }
        rec t: T descending {
            back[t, i: m] = state[t, i] + [t < T - 1] * max(j: m) W[j, i] * back[t + 1, j]
        }
        s[i: m] = [T > 0] * back[0, i]
        total = sum(t: T) energy[t]
    }";
    let program = normalize(load(text).unwrap().function(None).unwrap());
    let derivative = vjp(&program, &real_params(&program)).unwrap();
    let number = |at: i64| (at * 7919 % 1013) as f64 / 1013.0 - 0.4;
    for (n, m, steps) in
        [(60_000, 400, 5), (100, 10, 7), (60_000, 3, 2), (400, 400, 1), (30, 30, 0)]
    {
        let small = |at: i64| number(at) / m as f64;
        let inputs = named([
            ("T", Value::Size(steps)),
            (
                "W",
                Value::Real(Dense {
                    shape: vec![m as usize; 2],
                    data: (0..m * m).map(small).collect(),
                }),
            ),
            ("x", Value::vector((0..n).map(number).collect())),
        ]);
        let with = with_cotangents(&derivative, &program, &inputs);
        the_same_in_all(&format!("{n}, {m}"), &program, &inputs, 1 << 32);
        the_same_in_all(&format!("gradient, {n}, {m}"), &derivative, &with, 1 << 32);
        for engine in engines() {
            let options = Options { engine, threads: NonZero::new(2), ..Options::default() };
            let mut executable = compile::<f64>(&derivative, options).unwrap();
            let told = Arc::new(Mutex::new(vec![0]));
            let list = Arc::clone(&told);
            executable.report_to(Arc::new(move |done, _| list.lock().unwrap().push(done)));
            executable.call(&with).unwrap();
            assert!(told.lock().unwrap().is_sorted(), "a run never goes back");
        }
    }
}

/// Loops under a condition at top level are shared too.
#[test]
fn loops_under_conditions_have_the_bits_of_one_thread() {
    let module = load(include_str!("../../examples/attention.iv")).unwrap();
    for function in ["attention", "causal_attention"] {
        let program = normalize(module.function(Some(function)).unwrap());
        let derivative = vjp(&program, &real_params(&program)).unwrap();
        for (n, d) in [(300, 6), (9, 2), (40, 0)] {
            let matrix = |rows: usize, columns: usize| {
                let data = (0..rows * columns).map(|k| (k * 7919 % 1013) as f64 / 1013.0).collect();
                Value::Real(Dense { shape: vec![rows, columns], data })
            };
            let inputs = named([("Q", matrix(n, d)), ("K", matrix(n, d)), ("V", matrix(n, 5))]);
            let with = with_cotangents(&derivative, &program, &inputs);
            the_same_in_all(&format!("{function}, {n}, {d}"), &program, &inputs, 1 << 32);
            the_same_in_all(
                &format!("gradient, {function}, {n}, {d}"),
                &derivative,
                &with,
                1 << 32,
            );
        }
    }
}

/// A run that is cancelled again and again, and how many of the entries of its result `y` it has stored: not how long it took, since
/// the machine may be busy.
fn cancelled(
    executable: &mut Executable<f64>,
    inputs: &Values<f64>,
    entries: usize,
) -> (Result<(), RunError>, usize) {
    let mut y = vec![f64::NAN; entries];
    let (cancel, ended) = (executable.cancel(), AtomicBool::new(false));
    let found = std::thread::scope(|scope| {
        scope.spawn(|| {
            // the flag is cleared when the run begins
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
                cancel.store(true, Ordering::Relaxed);
            }
        });
        let mut outputs = Outputs(vec![("y", Output::Real(&mut y))]);
        let found = executable.run(&Inputs::from(inputs), &mut outputs);
        ended.store(true, Ordering::Relaxed);
        found
    });
    (found, y.iter().filter(|y| !y.is_nan()).count())
}

/// Whoever asks to stop need not wait for a loop whose iterations are independent to end, in one thread.
#[test]
fn a_loop_in_one_thread_ends_when_it_is_cancelled() {
    let text = "fn f(n: size, m: size, w: real[n], x: real[m]) -> (y: real[n]) {
        y[i: n] = sum(j: m) 1 / (1 + abs(w[i] - x[j]))
    }";
    let program = normalize(load(text).unwrap().function(None).unwrap());
    // a minute, if it were not cancelled
    let (n, m) = (2_000_000, 10_000);
    let inputs = named([
        ("w", Value::vector((0..n).map(f64::from).collect())),
        ("x", Value::vector((0..m).map(|j| f64::from(j) / 8.0).collect())),
    ]);
    for engine in engines() {
        let options = Options { engine, threads: NonZero::new(1), ..Options::default() };
        let mut executable = compile::<f64>(&program, options).unwrap();
        let (found, done) = cancelled(&mut executable, &inputs, n as usize);
        assert_eq!(found, Err(RunError::Cancelled), "{engine:?}");
        assert!(done < n as usize, "{engine:?}: all entries are there");
    }
}

/// Nor for a recurrence, whether its steps are wide or narrow.
#[test]
fn a_recurrence_ends_when_it_is_cancelled() {
    let text = "fn f(n: size, T: size, W: real[n, n], x: real[n]) -> (y: real[T]) {
        rec t: T {
            u[t, i: n] = x[i] + [t > 0] * sum(j: n, k: n where j + k < 2 * n) W[i, j] * u[t - 1, k]
            y[t] = [n > 0] * u[t, n - 1]
        }
    }";
    let program = normalize(load(text).unwrap().function(None).unwrap());
    // minutes, if they were not cancelled
    for (n, steps) in [(1000, 10_000), (40, 1_000_000)] {
        let inputs = named([
            ("T", Value::Size(steps)),
            ("W", Value::Real(Dense { shape: vec![n; 2], data: vec![0.5 / n as f64; n * n] })),
            ("x", Value::vector((0..n).map(|i| i as f64).collect())),
        ]);
        for engine in engines() {
            let threads = NonZero::new(2);
            let options = Options { engine, threads, ..Options::default() };
            let mut executable = compile::<f64>(&program, options).unwrap();
            let text = executable.loops().to_string();
            let last = text.rsplit("\nfor ").next().unwrap();
            assert!(
                last.contains("W[") && last.contains("y[t] ="),
                "no step says it is done\n{text}"
            );
            let (found, done) = cancelled(&mut executable, &inputs, steps as usize);
            assert_eq!(found, Err(RunError::Cancelled), "{n} cells, {engine:?}");
            assert!(done < steps as usize, "{n} cells, {engine:?}: all steps were done");
        }
    }
}
