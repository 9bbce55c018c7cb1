//! The programs of `examples/` by every strategy, in `f64`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::subject::{added_params, real, real_params, real_results, reverse, run, with};
use iverson::interpreter::{Model, work};
use iverson::json::{self, Reals};
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::{TensorSsa, normalize};
use iverson::strategies::{Prepared, Strategy};
use std::fs;
use std::path::Path;

/// The first case of each function of an example, with its name.
fn programs() -> Vec<(String, TensorSsa, Values<f64>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|p| p.extension().is_some_and(|e| e == "iv")).collect();
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let loaded = load(&fs::read_to_string(&file).unwrap()).unwrap();
        let cases = fs::read_to_string(folder.join(format!("{name}.case.json"))).unwrap();
        let cases: serde_json::Value = serde_json::from_str(&cases).unwrap();
        for case in cases.as_array().unwrap() {
            let function = case["fn"].as_str().unwrap();
            let typed = loaded.function(Some(function)).unwrap();
            let inputs = json::read(&case["inputs"].to_string(), typed, Reals::Finite).unwrap();
            found.push((format!("{name}, `{function}`"), normalize(typed), inputs));
        }
    }
    found
}

/// Numbers that differ from entry to entry.
fn cotangent(like: &Dense<f64>) -> Dense<f64> {
    let data = (0..like.data.len()).map(|k| 1.0 - 0.375 * (k % 5) as f64).collect();
    Dense { shape: like.shape.clone(), data }
}

fn close(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

#[test]
fn examples_have_one_gradient() {
    let mut compared = 0;
    for (name, program, inputs) in programs() {
        let wrt = real_params(&program);
        let names: Vec<&str> = wrt.iter().map(String::as_str).collect();
        let vjp = reverse(&program, &wrt).unwrap();
        let values = run(&program, &inputs).unwrap();
        let seeds: Vec<Dense<f64>> =
            real_results(&program).iter().map(|y| cotangent(real(&values, y))).collect();
        let given = with(&inputs, &added_params(&vjp, &program), &seeds);
        let wanted = run(&vjp, &given).unwrap();
        for strategy in [Strategy::Dense, Strategy::Scatter] {
            let prepared = Prepared::new(strategy, &program, &names, &given, Limits::default());
            let mut prepared = prepared.unwrap();
            let first = prepared.run().unwrap();
            // as text, since a NaN is not equal to itself
            let again = format!("{:?}", prepared.run().unwrap());
            assert_eq!(again, format!("{first:?}"), "{name}: {strategy} again");
            for (result, found) in first.values.iter().chain(&first.gradient) {
                let Value::Real(found) = found else { continue };
                let wanted = real(&wanted, result);
                assert_eq!(found.shape, wanted.shape, "{name}: {strategy}: `{result}`");
                for (a, b) in found.data.iter().zip(&wanted.data) {
                    assert!(close(*a, *b), "{name}: {strategy}: `{result}` has {a}, wanted {b}");
                }
                compared += found.data.len();
            }
            if strategy == Strategy::Scatter {
                let sparse = work(&program, &inputs).unwrap().total(Model::Sparse);
                assert_eq!(first.primal.count, sparse, "{name}");
            }
        }
    }
    assert!(compared > 1000, "{compared} entries were compared");
}
