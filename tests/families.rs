//! The pathological families: each text checks, and each derivative is its reference, in
//! every case, at sizes small and odd.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use iverson::ad::{jvp, vjp};
use iverson::interpreter::eval_ssa;
use iverson::pathological::random::Rng;
use iverson::pathological::{Derivative, FAMILIES, Family, Member, Point};
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::{TensorSsa, normalize, render};

/// Sizes of the knob that are tried.
const SIZES: [usize; 6] = [0, 1, 2, 3, 5, 8];

fn program(family: &Family, member: &Member) -> TensorSsa {
    let file = format!("{}.iv", family.name);
    let loaded = load(family.text)
        .unwrap_or_else(|found| panic!("{}", render::render(&found, &file, family.text)));
    normalize(loaded.function(Some(member.function)).unwrap())
}

fn run(program: &TensorSsa, inputs: &Values<f64>) -> Values<f64> {
    eval_ssa(program, inputs, Limits::default()).unwrap_or_else(|e| panic!("{e}")).0
}

fn entries(values: &Values<f64>, name: &str) -> Vec<f64> {
    let Value::Real(dense) = &values[name] else { panic!("`{name}` is no real tensor") };
    dense.data.clone()
}

fn result_names(program: &TensorSsa) -> Vec<String> {
    program.results.iter().map(|t| program.symbols.tensor(*t).name.clone()).collect()
}

/// The inputs with the seeds of one kind.
fn inputs_of(at: &Point, kind: &str) -> Values<f64> {
    let seeds = at.seeds.iter().filter(|(name, _)| name.ends_with(kind));
    let seeds = seeds.map(|(name, value)| (name.clone(), value.clone()));
    at.inputs.iter().map(|(name, value)| (name.clone(), value.clone())).chain(seeds).collect()
}

/// The derivative that a member asks for, by the rules of `ad` and the interpreter alone.
fn derivative(program: &TensorSsa, member: &Member, at: &Point) -> Vec<Vec<f64>> {
    let mut inputs = inputs_of(at, "_ct");
    let x = member.wrt[0];
    match member.derivative {
        Derivative::Gradient => {
            let values = run(&vjp(program, member.wrt).unwrap(), &inputs);
            member.wrt.iter().map(|x| entries(&values, &format!("{x}_bar"))).collect()
        }
        Derivative::Directional => {
            let values = run(&jvp(program, member.wrt).unwrap(), &inputs_of(at, "_dot"));
            let results = result_names(program);
            results.iter().map(|y| entries(&values, &format!("{y}_dot"))).collect()
        }
        Derivative::GaussNewton => {
            let tangents = run(&jvp(program, member.wrt).unwrap(), &inputs_of(at, "_dot"));
            let mut inputs = at.inputs.clone();
            for y in result_names(program) {
                inputs.insert(format!("{y}_ct"), tangents[&format!("{y}_dot")].clone());
            }
            let values = run(&vjp(program, member.wrt).unwrap(), &inputs);
            member.wrt.iter().map(|x| entries(&values, &format!("{x}_bar"))).collect()
        }
        Derivative::Jacobian => {
            vec![rows(&vjp(program, &[x]).unwrap(), &inputs, &result_names(program)[0], x)]
        }
        Derivative::Hessian => {
            let seed = format!("{}_ct", result_names(program)[0]);
            inputs.insert(seed, Value::scalar(1.0));
            let gradient = vjp(program, &[x]).unwrap();
            let mut second = gradient.clone();
            second.results.retain(|t| second.symbols.tensor(*t).name == format!("{x}_bar"));
            vec![rows(&vjp(&second, &[x]).unwrap(), &inputs, &format!("{x}_bar"), x)]
        }
    }
}

/// The Jacobian, one row for each entry of the result.
fn rows(vjp: &TensorSsa, inputs: &Values<f64>, result: &str, x: &str) -> Vec<f64> {
    let seed = format!("{result}_ct");
    let Value::Real(like) = zero_like(vjp, inputs, &seed) else { unreachable!() };
    let bar = result_names(vjp).into_iter().rfind(|name| name.starts_with(&format!("{x}_bar")));
    let mut all = Vec::new();
    for k in 0..like.data.len() {
        let mut one = like.clone();
        one.data[k] = 1.0;
        let mut inputs = inputs.clone();
        inputs.insert(seed.clone(), Value::Real(one));
        all.extend(entries(&run(vjp, &inputs), bar.as_ref().unwrap()));
    }
    all
}

/// Zeros of the shape of a parameter, whose sizes the other inputs determine.
fn zero_like(program: &TensorSsa, inputs: &Values<f64>, name: &str) -> Value<f64> {
    use iverson::spec::call::extent_value;
    let symbols = &program.symbols;
    let size = |name: &String| {
        let Value::Size(n) = &inputs[name] else { panic!("`{name}` is no size") };
        *n as i64
    };
    let sizes: Vec<i64> = symbols.sizes.iter().map(size).collect();
    let tensor = symbols.tensors.iter().find(|t| t.name == name).unwrap();
    let shape: Vec<usize> =
        tensor.shape.iter().map(|e| extent_value(e, &sizes).unwrap() as usize).collect();
    let data = vec![0.0; shape.iter().product()];
    Value::Real(Dense { shape, data })
}

fn near(found: &[f64], wanted: &[f64]) -> bool {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
    found.len() == wanted.len() && found.iter().zip(wanted).all(close)
}

#[test]
fn every_derivative_is_its_reference() {
    for family in FAMILIES {
        for member in family.members {
            let program = program(family, member);
            for case in member.cases {
                for n in SIZES {
                    let at = (case.point)(n, &mut Rng::new(n as u64));
                    let (found, wanted) =
                        (derivative(&program, member, &at), (member.reference)(&at));
                    let same = found.len() == wanted.len()
                        && found.iter().zip(&wanted).all(|(a, b)| near(a, b));
                    let name = format!("{}, {}, n = {n}", member.function, case.name);
                    assert!(same, "{name}: found\n{found:?}\nwanted\n{wanted:?}");
                }
            }
        }
    }
}

#[test]
fn a_family_is_named_after_its_file() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pathological/families");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let mut names: Vec<String> = FAMILIES.iter().map(|f| format!("{}.iv", f.name)).collect();
    names.sort();
    assert_eq!(files, names);
}
