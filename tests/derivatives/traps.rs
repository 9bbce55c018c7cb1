//! Mistakes that systems of this kind are known to make, one test for each.
//!
//! `tests/cases/traps/NAME.iv` is a program and `NAME.case.json` its cases: inputs,
//! cotangents of the results (1 for a scalar that has none), values and gradients by
//! formulas of calculus (`reference.py`). Each case is run through the typed program,
//! the normal form, the reverse derivative and the simplified one, which costs no more;
//! exactly where the case is rational.

use iverson::ad::vjp;
use iverson::entry::Entry;
use iverson::interpreter::{Model, Rational, eval, eval_ssa};
use iverson::json::{self, Reals};
use iverson::pipeline::load;
use iverson::simplify::simplify;
use iverson::spec::call::{CallError, Dense, Limits, Value, Values};
use iverson::spec::ir::{Element, Param};
use iverson::spec::{TensorSsa, Typed, normalize, render, verify};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::Path;

/// Allowed for an `f64`, in units of 2⁻⁵² of the larger of 1 and the expected number.
const ULPS: f64 = 64.0;

struct Trap {
    typed: Typed,
    ssa: TensorSsa,
    gradient: TensorSsa,
    simple: TensorSsa,
    cases: Vec<Json>,
}

fn trap(name: &str) -> Trap {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/traps");
    let read = |file: String| {
        fs::read_to_string(folder.join(&file)).unwrap_or_else(|e| panic!("{file}: {e}"))
    };
    let typed = typed(&read(format!("{name}.iv")));
    let ssa = normalize(&typed);
    let gradient = gradient(&ssa);
    let simple = simplify(&gradient);
    verify(&simple).unwrap_or_else(|violation| panic!("{violation}"));
    let cases = serde_json::from_str(&read(format!("{name}.case.json")))
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    Trap { typed, ssa, gradient, simple, cases }
}

fn typed(text: &str) -> Typed {
    let loaded = load(text).unwrap_or_else(|found| panic!("{}", render::render(&found, "-", text)));
    loaded.function(None).unwrap_or_else(|none| panic!("{none}")).clone()
}

/// The derivative in all real parameters.
fn gradient(ssa: &TensorSsa) -> TensorSsa {
    let wrt = crate::subject::real_params(ssa);
    let names: Vec<&str> = wrt.iter().map(String::as_str).collect();
    let gradient = vjp(ssa, &names).unwrap_or_else(|error| panic!("{error}"));
    verify(&gradient).unwrap_or_else(|violation| panic!("{violation}"));
    gradient
}

impl Trap {
    fn check(&self, case: &Json) {
        match case["scalar"].as_str() {
            Some("rational") => {
                self.run::<Rational>(case, true);
                self.run::<f64>(case, false);
            }
            _ => self.run::<f64>(case, false),
        }
    }

    fn run<S: Entry>(&self, case: &Json, exact: bool) {
        let name = &self.typed.name;
        let mut given = case["inputs"].clone();
        let inputs = read::<S, _>(&given.to_string(), &self.typed);
        let typed = eval(&self.typed, &inputs, Limits::default());
        let typed = typed.unwrap_or_else(|e| panic!("{name}: {e}"));
        expect(name, &typed, &case["value"], exact);
        for seed in crate::subject::added_params(&self.gradient, &self.ssa) {
            let cotangent = case["cotangent"].get(seed.trim_end_matches("_ct"));
            given[&seed] = cotangent.cloned().unwrap_or_else(|| json!(1));
        }
        let inputs = read::<S, _>(&given.to_string(), &self.gradient);
        let [work, less] = [&self.gradient, &self.simple].map(|program| {
            let found = eval_ssa(program, &inputs, Limits::default());
            let (found, report) = found.unwrap_or_else(|e| panic!("{name}: {e}"));
            self.expect_gradient(found, case, exact);
            report.work(Model::Sparse)
        });
        assert!(less <= work, "{name}: {less} simplified, {work} before");
    }

    /// The results of a derivative are the values and gradients of the case.
    fn expect_gradient<S: Entry>(&self, mut found: Values<S>, case: &Json, exact: bool) {
        let name = &self.typed.name;
        let mut gradient = Values::new();
        for input in case["gradient"].as_object().into_iter().flat_map(|o| o.keys()) {
            let bar = found.shift_remove(&format!("{input}_bar"));
            gradient.extend(bar.map(|bar| (input.clone(), bar)));
        }
        expect(name, &found, &case["value"], exact);
        expect(name, &gradient, &case["gradient"], exact);
    }
}

fn read<S: Entry, T>(text: &str, program: &iverson::spec::ir::Program<T>) -> Values<S> {
    json::read(text, program, Reals::Finite).unwrap_or_else(|e| panic!("{}: {e}", program.name))
}

#[track_caller]
fn expect<S: Entry>(name: &str, found: &Values<S>, wanted: &Json, exact: bool) {
    let found: Json =
        serde_json::from_str(&json::write(found)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let tolerance = if exact { 0.0 } else { ULPS * f64::EPSILON };
    assert!(near(&found, wanted, tolerance), "{name}: found\n{found}\nwanted\n{wanted}");
}

fn near(found: &Json, wanted: &Json, tolerance: f64) -> bool {
    match (found, wanted) {
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b, tolerance))
        }
        (Json::Object(a), Json::Object(b)) => {
            let same = |(key, a): (&String, _)| b.get(key).is_some_and(|b| near(a, b, tolerance));
            a.len() == b.len() && a.iter().all(same)
        }
        _ => match (number(found), number(wanted)) {
            (Some(a), Some(b)) => (a - b).abs() <= tolerance * b.abs().max(1.0),
            _ => text(found) == text(wanted),
        },
    }
}

/// A number, or a string with a number or a fraction.
fn number(value: &Json) -> Option<f64> {
    let Some(text) = value.as_str() else { return value.as_f64() };
    let (above, below) = text.split_once('/').unwrap_or((text, "1"));
    Some(above.parse::<f64>().ok()? / below.parse::<f64>().ok()?)
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

macro_rules! traps {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let trap = trap(stringify!($name));
            assert!(!trap.cases.is_empty());
            trap.cases.iter().for_each(|case| trap.check(case));
        }
    )*
    /// Every file of the folder is one of the tests.
    #[test]
    fn every_trap_is_tested() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/traps");
        let files = fs::read_dir(folder).unwrap_or_else(|e| panic!("{e}"));
        let names = files.filter_map(|file| {
            let name = file.unwrap_or_else(|e| panic!("{e}")).file_name().into_string().ok()?;
            name.strip_suffix(".iv").map(str::to_owned)
        });
        let tested = [$(stringify!($name)),*];
        for name in names {
            assert!(tested.contains(&name.as_str()), "{name}.iv is not tested");
        }
    }};
}

traps! {
    cosine_of_nothing
    cubes_and_squares
    duplicate_indices
    factors
    greatest
    guarded_reciprocal
    inverse_norm
    least
    mismatched_ranges
    overlapping_or
    power_of_zero
    product_with_zeros
    root_of_square
    shares
    square_of_sum
    stride_two
    ties
    triangular_norm
    two_matrices
    zero_times_infinity
}

/// Contractions that must not be merged: the derivative costs a constant times the
/// program at every size, where merging costs a factor that grows.
#[test]
fn contractions_are_not_merged() {
    for name in ["two_matrices", "shares", "triangular_norm", "square_of_sum", "factors"] {
        let trap = trap(name);
        for n in [1, 4, 16, 32] {
            let [primal, derivative, simple] =
                [&trap.ssa, &trap.gradient, &trap.simple].map(|program| work_at(program, n));
            assert!(derivative <= 4 * primal, "{name} at {n}: {derivative} over {primal}");
            assert!(simple <= derivative, "{name} at {n}: {simple} over {derivative}");
        }
    }
}

/// The sparse work with all sizes `n` and all reals 1.
fn work_at(program: &TensorSsa, n: usize) -> u64 {
    let param = |param: &Param| match *param {
        Param::Size(s) => (program.symbols.sizes[s.index()].clone(), Value::Size(n as u64)),
        Param::Tensor(t) => {
            let row = program.symbols.tensor(t);
            assert_eq!(row.element, Element::Real);
            let data = vec![1.0; n.pow(row.shape.len() as u32)];
            (row.name.clone(), Value::Real(Dense { shape: vec![n; row.shape.len()], data }))
        }
        Param::Relation(_) => panic!("no program here has a relation"),
    };
    let inputs: Values<f64> = program.params.iter().map(param).collect();
    let (_, report) =
        eval_ssa(program, &inputs, Limits::default()).unwrap_or_else(|e| panic!("{e}"));
    report.work(Model::Sparse)
}

/// An index outside its sort is refused before anything runs, by the derivative too.
#[test]
fn out_of_range_indices_are_refused() {
    let trap = trap("duplicate_indices");
    let inputs = r#"{"n": 1, "m": 2, "p": [2], "x": [1, 1], "y_ct": [1]}"#;
    let inputs = read::<f64, _>(inputs, &trap.gradient);
    let Err(error) = eval_ssa(&trap.gradient, &inputs, Limits::default()) else {
        panic!("the call is accepted");
    };
    assert_eq!(error.to_string(), "entry `p[0]` is 2, wanted an index in 0..2");
}

/// All shapes may be empty.
#[test]
fn empty_shapes_have_derivatives() {
    for name in ["cubes_and_squares", "two_matrices", "triangular_norm", "factors"] {
        let trap = trap(name);
        assert!(work_at(&trap.gradient, 0) <= 4 * work_at(&trap.ssa, 0).max(1), "{name}");
    }
}

/// Sizes whose product is no number of bytes are refused, not wrapped.
#[test]
fn overflowing_sizes_are_refused() {
    let ssa = normalize(&typed(
        "fn f(n: size, x: real) -> (y: real) { t[i: n, j: n] = x * x\n y = sum(i: n) t[i, i] }",
    ));
    let gradient = gradient(&ssa);
    let inputs = read::<f64, _>(r#"{"n": 4611686018427387904, "x": 1, "y_ct": 1}"#, &gradient);
    let found = iverson::spec::call::bind(&gradient, &inputs, Limits::default());
    assert!(matches!(found, Err(CallError::TooLarge { .. })), "{found:?}");
}

/// Nesting up to the limit of the language, and long chains, need no deep stack.
#[test]
fn deep_nesting_has_a_derivative() {
    let nested = format!("{}x{}", "sin(".repeat(90), ")".repeat(90));
    let long = vec!["x"; 2000].join(" * ");
    for body in [nested, long] {
        let ssa = normalize(&typed(&format!("fn f(x: real) -> (y: real) {{ y = {body} }}")));
        let gradient = gradient(&ssa);
        let inputs = read::<f64, _>(r#"{"x": 1, "y_ct": 1}"#, &gradient);
        let (found, _) =
            eval_ssa(&gradient, &inputs, Limits::default()).unwrap_or_else(|e| panic!("{e}"));
        let x_bar = crate::subject::real(&found, "x_bar").data[0];
        assert!(x_bar.is_finite() && x_bar > 0.0, "{x_bar}");
    }
}
