//! Every example, and its derivative.

use crate::compare::{difference, with_cotangents};
use iverson::ad::vjp;
use iverson::json::{self, Reals};
use iverson::pipeline::load;
use iverson::spec::call::Values;
use iverson::spec::ir::{Element, Param};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::fs;
use std::path::Path;

/// Each case of each example: its name, program and inputs.
pub(crate) fn cases() -> Vec<(String, TensorSsa, Values<f64>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found = Vec::new();
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    for path in names.iter().filter(|p| p.extension().is_some_and(|e| e == "iv")) {
        let loaded = load(&fs::read_to_string(path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(folder.join(format!("{name}.case.json"))).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        for (place, case) in json.as_array().unwrap().iter().enumerate() {
            let typed = loaded.function(case["fn"].as_str()).unwrap();
            let inputs = json::read(&case["inputs"].to_string(), typed, Reals::Finite).unwrap();
            found.push((format!("{name}, case {place}"), normalize(typed), inputs));
        }
    }
    found
}

#[test]
fn every_example_gives_what_the_interpreter_gives() {
    for (name, program, inputs) in cases() {
        if let Some(what) = difference(&program, &inputs, 64.0) {
            panic!("{name}: {what}");
        }
    }
}

#[test]
fn every_derivative_gives_what_the_interpreter_gives() {
    for (name, program, inputs) in cases() {
        let reals = real_params(&program);
        let Ok(derivative) = vjp(&program, &reals) else { continue };
        if name.starts_with("conjugate_gradient") {
            // Steps after the residual is all rounding divide rounding by rounding.
            continue;
        }
        let inputs = with_cotangents(&derivative, &program, &inputs);
        if let Some(what) = difference(&derivative, &inputs, 256.0) {
            panic!("vjp of {name}: {what}");
        }
    }
}

/// The real parameters by name.
pub(crate) fn real_params(program: &TensorSsa) -> Vec<&str> {
    let row = |param: &Param| match param {
        Param::Tensor(t) => Some(program.symbols.tensor(*t)),
        Param::Size(_) | Param::Relation(_) => None,
    };
    let rows = program.params.iter().filter_map(row);
    rows.filter(|row| row.element == Element::Real).map(|row| row.name.as_str()).collect()
}
