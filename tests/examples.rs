//! The programs of `examples/` and their cases.
//!
//! `NAME.case.json` is a list of cases: a function of `NAME.iv`, its inputs, and
//! the outputs that `examples/reference.py` computed by other means.
//!
//! * A case in rationals is exact, and then holds in `f64` too, nearly.
//! * A case in `f64` holds up to `ulps` units of 2⁻⁵² (64 if not said) of the
//!   larger of 1 and the expected number.
//!
//! Both the typed program and its normal form must give the outputs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use iverson::entry::Entry;
use iverson::interpreter::{Model, Rational, eval, eval_ssa};
use iverson::json::{self, Reals};
use iverson::pipeline::{Loaded, load};
use iverson::spec::call::{Limits, Values};
use iverson::spec::ir::Typed;
use iverson::spec::ssa::{TensorSsa, embed};
use iverson::spec::verify::verify_normal;
use iverson::spec::{normalize, parse, print, render, unelaborate};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Allowed for an `f64`, in units of 2⁻⁵², where a case says nothing else.
const ULPS: f64 = 64.0;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The examples, by name, in order.
fn names() -> Vec<String> {
    let stem = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        name.strip_suffix(".iv").map(str::to_owned)
    };
    let mut names: Vec<String> =
        fs::read_dir(folder()).unwrap().filter_map(|entry| stem(entry.unwrap())).collect();
    names.sort();
    names
}

#[track_caller]
fn loaded(name: &str, text: &str) -> Loaded {
    load(text).unwrap_or_else(|found| panic!("{}", render::render(&found, name, text)))
}

fn example(name: &str) -> Loaded {
    let file = format!("{name}.iv");
    loaded(&file, &read(&file))
}

/// One case of an example.
struct Case {
    name: String,
    program: Typed,
    ssa: TensorSsa,
    inputs: String,
    outputs: Value,
    rational: bool,
    tolerance: f64,
}

fn cases(name: &str) -> Vec<Case> {
    let loaded = example(name);
    let json: Value = serde_json::from_str(&read(&format!("{name}.case.json"))).unwrap();
    let list = json.as_array().unwrap();
    list.iter().enumerate().map(|(place, case)| self::case(name, place, case, &loaded)).collect()
}

fn case(name: &str, place: usize, case: &Value, loaded: &Loaded) -> Case {
    let function = case["fn"].as_str().unwrap();
    let program = loaded.function(Some(function)).unwrap().clone();
    let scalar = case["scalar"].as_str().unwrap();
    assert!(["f64", "rational"].contains(&scalar), "{name}: scalar {scalar}");
    Case {
        name: format!("{name}.case.json, case {place}, `{function}`"),
        ssa: normalize(&program),
        program,
        inputs: case["inputs"].to_string(),
        outputs: case["outputs"].clone(),
        rational: scalar == "rational",
        tolerance: case.get("ulps").map_or(ULPS, |ulps| ulps.as_f64().unwrap()) * f64::EPSILON,
    }
}

impl Case {
    fn inputs<S: Entry>(&self) -> Values<S> {
        json::read(&self.inputs, &self.program, Reals::Finite)
            .unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    /// Runs the program both ways; `tolerance` is `None` if the outputs are exact.
    fn run<S: Entry>(&self, tolerance: Option<f64>) {
        let inputs = self.inputs::<S>();
        let limits = Limits::default();
        let typed = eval(&self.program, &inputs, limits);
        let typed = typed.unwrap_or_else(|e| panic!("{}: {e}", self.name));
        let ssa = eval_ssa(&self.ssa, &inputs, limits);
        let (ssa, work) = ssa.unwrap_or_else(|e| panic!("{}, normal form: {e}", self.name));
        self.expect("typed", &typed, tolerance);
        self.expect("normal form", &ssa, tolerance);
        let (sparse, dense) = (work.work(Model::Sparse), work.work(Model::Dense));
        assert!(sparse <= dense, "{}: sparse work {sparse}, dense work {dense}", self.name);
    }

    fn expect<S: Entry>(&self, way: &str, results: &Values<S>, tolerance: Option<f64>) {
        let found: Value = serde_json::from_str(&json::write(results)).unwrap();
        let same = match tolerance {
            None => found == self.outputs,
            Some(tolerance) => near(&found, &self.outputs, tolerance),
        };
        assert!(same, "{}, {way}: found\n{found}\nwanted\n{}", self.name, self.outputs);
    }
}

/// Whether two results are equal in form and nearly so in their numbers.
fn near(found: &Value, wanted: &Value, tolerance: f64) -> bool {
    match (found, wanted) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b, tolerance))
        }
        (Value::Object(a), Value::Object(b)) => {
            let same = |(key, a)| b.get(key).is_some_and(|b| near(a, b, tolerance));
            a.len() == b.len() && a.iter().all(same)
        }
        _ => match (number(found), number(wanted)) {
            (Some(a), Some(b)) => (a - b).abs() <= tolerance * b.abs().max(1.0),
            _ => found == wanted,
        },
    }
}

/// A number, or a string with a number or a fraction.
fn number(value: &Value) -> Option<f64> {
    let Some(text) = value.as_str() else { return value.as_f64() };
    let (above, below) = text.split_once('/').unwrap_or((text, "1"));
    let ratio = above.parse::<f64>().ok()? / below.parse::<f64>().ok()?;
    ratio.is_finite().then_some(ratio)
}

#[test]
fn every_case_gives_its_outputs() {
    for case in names().iter().flat_map(|name| cases(name)) {
        if case.rational {
            case.run::<Rational>(None);
        }
        case.run::<f64>(Some(case.tolerance));
    }
}

#[test]
fn every_function_has_a_case() {
    for name in names() {
        let cases = cases(&name);
        let functions = example(&name).checked.functions;
        let last = functions.keys().next_back().unwrap();
        assert!(
            cases.iter().any(|case| case.program.name == *last),
            "{name}: no case for `{last}`"
        );
        let called = read(&format!("{name}.iv"));
        for function in functions.keys() {
            let uses = called.matches(&format!("{function}(")).count();
            let tried = cases.iter().any(|case| case.program.name == *function);
            assert!(tried || uses > 1, "{name}: `{function}` is neither called nor tried");
        }
    }
}

#[test]
fn the_readme_lists_every_example_once() {
    let readme = read("README.md");
    let mut listed: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.split_once("](")?.1.split_once(".iv)"))
        .map(|(name, _)| name)
        .collect();
    listed.sort_unstable();
    assert_eq!(listed, names());
}

#[test]
fn what_is_printed_reads_back() {
    for name in names() {
        let example = example(&name);
        let text = print::module(&example.module);
        assert_eq!(print::module(&parse(&text).unwrap()), text, "{name}");
        assert_eq!(loaded(&name, &text).checked.functions.len(), example.checked.functions.len());
        for program in example.checked.functions.values() {
            typed_reads_back(program);
            ssa_reads_back(&normalize(program));
        }
    }
}

fn reread(text: &str) -> Typed {
    loaded("printed", text).function(None).unwrap().clone()
}

fn typed_reads_back(program: &Typed) {
    let text = unelaborate::typed(program);
    assert_eq!(unelaborate::typed(&reread(&text)), text);
}

/// The normal form is one, and reads back as itself.
fn ssa_reads_back(ssa: &TensorSsa) {
    let text = unelaborate::ssa(ssa);
    verify_normal(ssa).unwrap_or_else(|violation| panic!("{violation}\n{text}"));
    let again = reread(&text);
    assert_eq!(unelaborate::ssa(&embed(&again).unwrap()), text);
    assert_eq!(unelaborate::ssa(&normalize(&again)), text);
}
