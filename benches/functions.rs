//! `cargo bench --bench functions`: the elementary functions, in nanoseconds an element, beside the
//! correctly rounded ones of pxfm and those of the standard library, in one run.
//!
//! Each figure is the best of many passes over 4096 arguments that stay in the first cache.

use iverson::executor::math::{Level, Mode, UnarySlice, binary_slice, unary_slice};
use iverson::spec::function::Fun;
use std::hint::black_box;
use std::time::Instant;

const LENGTH: usize = 4096;

/// A function, the range of its arguments, and the standard library's, if there is one.
type Row = (Fun, f64, f64, Option<fn(f64) -> f64>);

const UNARY: [Row; 21] = [
    (Fun::Exp, -20.0, 20.0, Some(f64::exp)),
    (Fun::Expm1, -20.0, 20.0, Some(f64::exp_m1)),
    (Fun::Log, 1e-3, 1e3, Some(f64::ln)),
    (Fun::Log1p, -0.9, 1e3, Some(f64::ln_1p)),
    (Fun::Sin, -100.0, 100.0, Some(f64::sin)),
    (Fun::Cos, -100.0, 100.0, Some(f64::cos)),
    (Fun::Tan, -100.0, 100.0, Some(f64::tan)),
    (Fun::Asin, -1.0, 1.0, Some(f64::asin)),
    (Fun::Acos, -1.0, 1.0, Some(f64::acos)),
    (Fun::Atan, -10.0, 10.0, Some(f64::atan)),
    (Fun::Sinh, -20.0, 20.0, Some(f64::sinh)),
    (Fun::Cosh, -20.0, 20.0, Some(f64::cosh)),
    (Fun::Tanh, -5.0, 5.0, Some(f64::tanh)),
    (Fun::Sqrt, 0.0, 100.0, Some(f64::sqrt)),
    (Fun::Sigmoid, -20.0, 20.0, None),
    (Fun::Erf, -5.0, 5.0, None),
    (Fun::Lgamma, 0.1, 50.0, None),
    (Fun::Digamma, 0.1, 50.0, None),
    (Fun::Trigamma, 0.1, 50.0, None),
    (Fun::Abs, -1.0, 1.0, Some(f64::abs)),
    (Fun::Neg, -1.0, 1.0, None),
];

/// A function of two arguments and the standard library's.
type Row2 = (Fun, fn(f64, f64) -> f64);

const BINARY: [Row2; 2] = [(Fun::Pow, f64::powf), (Fun::Atan2, f64::atan2)];

/// Nanoseconds an element: the best of 60 passes.
fn time(mut pass: impl FnMut()) -> f64 {
    let once = |pass: &mut dyn FnMut()| {
        let start = Instant::now();
        pass();
        start.elapsed().as_nanos() as f64 / LENGTH as f64
    };
    (0..60).map(|_| once(&mut pass)).fold(f64::INFINITY, f64::min)
}

/// Numbers that fill a range evenly, out of order.
fn arguments(least: f64, most: f64) -> Vec<f64> {
    let place = |k: usize| (k * 1597 % LENGTH) as f64 / LENGTH as f64;
    (0..LENGTH).map(|k| least + (most - least) * place(k)).collect()
}

fn print(name: &str, times: &[Option<f64>]) {
    let fast = times[0].unwrap_or(f64::NAN);
    print!("{name:<10}");
    for time in times {
        match time {
            Some(time) => print!(" {time:>8.2} {:>6.1}x", time / fast),
            None => print!(" {:>16}", "-"),
        }
    }
    println!();
}

fn slices(fun: Fun, x: &[f64]) -> Vec<Option<f64>> {
    let mut out = vec![0.0; x.len()];
    let fast = unary_slice::<f64>(Mode::Fast, fun);
    let strict = unary_slice::<f64>(Mode::Strict, fun);
    let levels = Level::available();
    let at = |level: Level, f: Option<UnarySlice<f64>>, out: &mut Vec<f64>| {
        f.map(|f| time(|| f(level, black_box(x), black_box(out))))
    };
    let mut times: Vec<Option<f64>> =
        levels.iter().map(|level| at(*level, fast, &mut out)).collect();
    times.push(at(levels[0], strict, &mut out));
    times
}

/// Whether a function is to be measured: all are, or those with a word of the command line in
/// their name.
fn chosen(fun: Fun) -> bool {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--")).peekable();
    let name = fun.name().unwrap_or("-x");
    words.peek().is_none() || words.any(|word| name.contains(word.as_str()))
}

fn main() {
    let names: Vec<&str> = Level::available().iter().map(|level| level.name()).collect();
    let header: Vec<String> =
        names.into_iter().chain(["pxfm", "std"]).map(|name| format!("{name:>16}")).collect();
    println!("ns per element (times the first)\n{:<10} {}", "", header.join(" "));
    for (fun, least, most, std) in UNARY.into_iter().filter(|row| chosen(row.0)) {
        let x = arguments(least, most);
        let mut out = vec![0.0; LENGTH];
        let mut times = slices(fun, &x);
        times.push(std.map(|f| {
            time(|| black_box(&mut out).iter_mut().zip(black_box(&x)).for_each(|(o, x)| *o = f(*x)))
        }));
        print(fun.name().unwrap_or("-x"), &times);
    }
    let (x, y) = (arguments(0.01, 50.0), arguments(-9.0, 9.1));
    for (fun, std) in BINARY.into_iter().filter(|row| chosen(row.0)) {
        let mut out = vec![0.0; LENGTH];
        let Some(fast) = binary_slice::<f64>(Mode::Fast, fun) else { continue };
        let Some(strict) = binary_slice::<f64>(Mode::Strict, fun) else { continue };
        let levels = Level::available();
        let mut times: Vec<Option<f64>> = levels
            .iter()
            .map(|level| Some(time(|| fast(*level, black_box(&x), black_box(&y), &mut out))))
            .collect();
        times.push(Some(time(|| strict(levels[0], black_box(&x), black_box(&y), &mut out))));
        let pairs = || x.iter().zip(&y);
        times.push(Some(time(|| {
            black_box(&mut out).iter_mut().zip(pairs()).for_each(|(o, (x, y))| *o = std(*x, *y));
        })));
        print(fun.name().unwrap_or("-x"), &times);
    }
}
