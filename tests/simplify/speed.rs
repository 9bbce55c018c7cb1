//! How long it takes.

use crate::programs::ssa;
use iverson::ad::vjp;
use iverson::simplify::simplify;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// A program of `count` statements of several forms.
fn long(count: usize) -> String {
    let mut text =
        "fn f(n: size, x: real[n + 1]) -> (y: real) {\n a0[i: n + 1] = x[i]^2\n".to_owned();
    for k in 1..count {
        let p = k - 1;
        let form = match k % 5 {
            0 => format!("a{k}[i: n + 1] = [i > 0] * a{p}[i - 1] * x[i]"),
            1 => format!("a{k}[i: n + 1] = sin(a{p}[n - i])"),
            2 => format!("a{k}[i: n + 1] = sum(j: n + 1) [j <= i] * a{p}[j] * x[i]"),
            3 => format!("a{k}[i: n + 1] = a{p}[i / 2] + [2 * i <= n] * a{p}[2 * i]"),
            _ => format!("a{k}[i: n + 1] = a{p}[i] / x[i] + a{p}[0]"),
        };
        writeln!(text, " {form}").unwrap();
    }
    let last = count - 1;
    text + &format!(" y = sum(i: n + 1) a{last}[i]\n}}\n")
}

fn time(count: usize) -> Duration {
    let derivative = vjp(&ssa(&long(count)), &["x"]).unwrap();
    let start = Instant::now();
    let simple = simplify(&derivative);
    let taken = start.elapsed();
    assert!(!simple.body.is_empty());
    taken
}

/// Measured in release builds; debug builds run a small program.
#[test]
fn a_thousand_statements_take_less_than_two_seconds() {
    if cfg!(debug_assertions) {
        time(50);
        return;
    }
    let times: Vec<(usize, Duration)> = [250, 500, 1000, 2000].map(|n| (n, time(n))).to_vec();
    eprintln!("{times:?}");
    assert!(times[2].1 < Duration::from_secs(2), "{times:?}");
}
