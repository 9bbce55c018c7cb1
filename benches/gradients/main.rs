//! `cargo bench --bench gradients`: every function of the examples at a large size, and its gradient in all real
//! parameters, in milliseconds of one call, in one thread; with words after `--`, those whose names contain one.
//!
//! The figure to read is the last: gradient / result, and at the end its geometric mean; a star marks a gradient that has
//! more zeros by structure than the result reads entries, all of which are written here (`iverson grad` leaves them out). The engine is native code, or the
//! block engine where there is no C compiler. Programs and gradients are simplified, as the commands run them.

use calls::time;
use cotangents::with_cotangents;
use iverson::derivative::{Kind, real_parameters};
use iverson::executor::Engine;
use iverson::executor::native::Compiler;
use iverson::pipeline::{Loaded, differentiate, load};
use iverson::random::fill;
use iverson::simplify::simplify;
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::ir::Typed;
use iverson::spec::normalize;
use rows::{APART, Fill, ROWS, Row};
use std::path::Path;

#[path = "../calls.rs"]
mod calls;
#[path = "../clock.rs"]
mod clock;
#[path = "../cotangents.rs"]
mod cotangents;
mod rows;

impl Fill {
    /// So many numbers below a bound.
    fn numbers(self, count: i64, bound: i64) -> Vec<i64> {
        let at = |k: i64| match self {
            Self::Ascending => k * (bound - 1) / (count - 1).max(1),
            Self::Permuted => k * 7919 % count,
            Self::Above => (k + 1 + k * 7919 % 5).min(bound - 1),
            Self::Half => k / 2,
        };
        (0..count).map(at).collect()
    }
}

impl Row {
    /// Inputs of its function.
    fn inputs(&self, function: &Typed) -> Values<f64> {
        let size = |(name, n): &(&str, u64)| ((*name).to_owned(), Value::Size(*n));
        let mut given: Values<f64> = self.sizes.iter().map(size).collect();
        for (name, how) in self.given {
            given.insert((*name).to_owned(), self.index(name, *how));
        }
        for (name, x) in self.at {
            given.insert((*name).to_owned(), Value::Real(Dense { shape: vec![], data: vec![*x] }));
        }
        match fill(function, &given, 1, Limits { bytes: 4 << 30 }) {
            Ok(inputs) => inputs,
            Err(error) => panic!("{}: {error}", self.function),
        }
    }

    /// An index tensor of one axis of which the examples ask something.
    fn index(&self, name: &str, how: Fill) -> Value<f64> {
        let size = |wanted: &str| {
            let found = self.sizes.iter().find(|(name, _)| *name == wanted);
            found.map_or(0, |(_, n)| *n as i64)
        };
        let n = size("n");
        let (count, bound) = match name {
            "start" => (n + 1, size("nnz") + 1),
            "next" => (n, n + 1),
            _ => (n, n),
        };
        let data = how.numbers(count, bound);
        Value::Index(Dense { shape: vec![data.len()], data })
    }

    /// Prints its line; gives gradient / result.
    fn run(&self, loaded: &Loaded, engine: Engine) -> f64 {
        let function = match loaded.function(Some(self.function)) {
            Ok(function) => function,
            Err(error) => panic!("{}: {error}", self.file),
        };
        let (inputs, program) = (self.inputs(function), normalize(function));
        let wrt = real_parameters(&program);
        let gradient = match differentiate(&program, Kind::Gradient, &wrt) {
            Ok(derivative) => derivative.program,
            Err(error) => panic!("{}: {error}", self.function),
        };
        let cotangents = with_cotangents(&gradient, &program, &inputs);
        let result = time(&simplify(&program), &inputs, engine, 1);
        let gradient = time(&gradient, &cotangents, engine, 1);
        let sizes: Vec<String> =
            self.sizes.iter().map(|(name, n)| format!("{name} = {n}")).collect();
        println!(
            "| {} | {} | {result:.2} | {gradient:.2} | {:.2}{} |",
            self.function,
            sizes.join(", "),
            gradient / result,
            if self.zeros { "*" } else { "" }
        );
        gradient / result
    }
}

/// The examples by file, all there are.
fn examples() -> Vec<(String, Loaded)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let files = match std::fs::read_dir(&folder) {
        Ok(files) => files.filter_map(|file| Some(file.ok()?.path())),
        Err(error) => panic!("{}: {error}", folder.display()),
    };
    let mut found = Vec::new();
    for path in files.filter(|path| path.extension().is_some_and(|e| e == "iv")) {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let text = std::fs::read_to_string(&path).ok().and_then(|text| load(&text).ok());
        match (name, text) {
            (Some(name), Some(loaded)) => found.push((name, loaded)),
            _ => panic!("{} is no program", path.display()),
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn main() {
    if std::env::args().any(|word| word == "--quick") {
        return println!("gradients: nothing with --quick, all sizes are large");
    }
    let words: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let chosen = |row: &Row| {
        words.is_empty() || words.iter().any(|w| row.file.contains(w) || row.function.contains(w))
    };
    let engine = if Compiler::find().is_ok() { Engine::Native } else { Engine::Block };
    println!(
        "| function ({engine:?}, one thread) | sizes | result | gradient | gradient / result |"
    );
    println!("|---|---|---|---|---|");
    let (mut ratios, mut zeros) = (Vec::new(), Vec::new());
    for (file, loaded) in examples() {
        for function in loaded.checked.functions.keys() {
            let is_it = |row: &&Row| row.file == file && row.function == function;
            match ROWS.iter().find(is_it) {
                Some(row) if chosen(row) => {
                    let all = if row.zeros { &mut zeros } else { &mut ratios };
                    all.push(row.run(&loaded, engine));
                }
                Some(_) => {}
                None if APART.contains(&(&file, function)) => {}
                None => panic!("`{function}` of {file}.iv is neither measured nor set apart"),
            }
        }
    }
    println!();
    summary("functions", &ratios);
    summary("functions with more zeros (*)", &zeros);
}

/// Prints the geometric mean of some ratios.
fn summary(what: &str, ratios: &[f64]) {
    if ratios.is_empty() {
        return;
    }
    let mean = ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64;
    let greatest = ratios.iter().copied().fold(0.0, f64::max);
    let within = ratios.iter().filter(|ratio| **ratio <= 4.0).count();
    println!(
        "{} {what}: gradient / result is {:.2} in the geometric mean, {greatest:.2} at most, and at most 4 on {within}.",
        ratios.len(),
        mean.exp()
    );
}
