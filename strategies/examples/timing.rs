//! Times the strategies on a few programs: nanoseconds for each sparse point of the
//! program. `cargo run --release -p iverson-strategies --example timing`

use iverson_spec::call::{Dense, Limits, Value, Values, shape};
use iverson_spec::ir::{Element, Param};
use iverson_spec::{TensorSsa, check, normalize, parse};
use iverson_strategies::{Prepared, Strategy};
use std::error::Error;
use std::time::Instant;

/// A program, what it is differentiated in, and its sizes.
const PROGRAMS: &[(&str, &str, &[usize])] = &[
    (
        "fn dot(n: size, x: real[n], z: real[n]) -> (y: real) { y = sum(i: n) x[i] * z[i] }",
        "x",
        &[1_000_000],
    ),
    ("fn squares(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = x[i]^2 }", "x", &[1_000_000]),
    (
        "fn reads(n: size, x: real[n]) -> (y: real) {
            rec t: n { s[t] = [t > 0] * s[t - 1] + x[t]^2 }
            y = sum(t: n where t = n - 1) s[t]
        }",
        "x",
        &[3000, 1_000_000],
    ),
    (
        "fn matvec(n: size, A: real[n, n], x: real[n]) -> (y: real[n]) {
            y[i: n] = sum(j: n) A[i, j] * x[j]
        }",
        "A",
        &[1000],
    ),
    (
        "fn matmul(n: size, A: real[n, n], B: real[n, n]) -> (y: real[n, n]) {
            y[i: n, k: n] = sum(j: n) A[i, j] * B[j, k]
        }",
        "A",
        &[120],
    ),
    (
        "fn gather(n: size, x: real[n], p: index(n)[n]) -> (y: real[n]) {
            z[i: n] = sin(x[i])
            y[i: n] = z[p[i]]^2
        }",
        "x",
        &[3000, 1_000_000],
    ),
    (
        "fn convolution(n: size, x: real[n + 15], w: real[16]) -> (y: real[n]) {
            y[i: n] = sum(j: 16) x[i + j] * w[j]
        }",
        "x",
        &[1000, 100_000],
    ),
    (
        "fn rnn(n: size, W: real[16, 16], x: real[n, 16]) -> (y: real) {
            rec t: n { s[t, i: 16] = tanh(x[t, i] + [t > 0] * sum(j: 16) W[i, j] * s[t - 1, j]) }
            y = sum(t: n, i: 16) s[t, i]^2
        }",
        "W",
        &[3000],
    ),
];

fn program(text: &str) -> Result<TensorSsa, Box<dyn Error>> {
    let module = parse(text).map_err(|found| format!("{found:?}"))?;
    let checked = check(&module).map_err(|found| format!("{found:?}"))?;
    let typed = checked.functions.values().next().ok_or("no function")?;
    Ok(normalize(typed))
}

/// Values for every tensor that a program here has.
fn inputs(program: &TensorSsa, n: usize) -> Values<f64> {
    let entry = |i: usize| 0.1 + (i * 7919 % 1000) as f64 / 1000.0;
    let sizes = [i64::try_from(n).unwrap_or_default()];
    let mut values = Values::new();
    values.insert("n".to_owned(), Value::Size(n as u64));
    for param in &program.params {
        let Param::Tensor(t) = param else { continue };
        let row = program.symbols.tensor(*t);
        let shape = shape(&program.symbols, *t, &sizes).unwrap_or_default();
        let count: usize = shape.iter().product();
        let value = match row.element {
            Element::Real => Value::Real(Dense { shape, data: (0..count).map(entry).collect() }),
            Element::Index(_) => Value::Index(Dense { shape, data: (0..n as i64).rev().collect() }),
        };
        values.insert(row.name.clone(), value);
    }
    values
}

fn main() -> Result<(), Box<dyn Error>> {
    for (text, wrt, sizes) in PROGRAMS {
        for n in *sizes {
            let program = program(text)?;
            let mut given = inputs(&program, *n);
            let result = program.symbols.tensor(program.results[0]);
            let shape = shape(&program.symbols, program.results[0], &[*n as i64])?;
            let data = vec![1.0; shape.iter().product()];
            given.insert(format!("{}_ct", result.name), Value::Real(Dense { shape, data }));
            let mut line = format!("{:12} n = {n:8}", program.name);
            for strategy in [Strategy::Scatter, Strategy::Dense] {
                if strategy == Strategy::Dense && *n > 5000 {
                    continue;
                }
                let mut prepared =
                    Prepared::new(strategy, &program, &[wrt], &given, Limits::default())?;
                let first = prepared.run()?;
                let points = first.primal.count.points.max(1) as f64;
                let start = Instant::now();
                prepared.run()?;
                let time = start.elapsed().as_secs_f64();
                line += &format!("  {strategy}: {:9.4} s, {:9.1} ns", time, time * 1e9 / points);
            }
            println!("{line}");
        }
    }
    Ok(())
}
