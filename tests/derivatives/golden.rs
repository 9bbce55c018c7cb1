//! The texts of derivatives, simplified, and how often they visit what.
//!
//! The first line of `tests/cases/derivatives/NAME.iv` says which derivative and in
//! which inputs, as in `# vjp A, x: why`; the snapshot is its text.

use crate::subject::{added_params, real, real_results, with};
use iverson::ad::{AdError, hessian, hvp, jacobian, jtjv, jvp, vjp};
use iverson::interpreter::{Model, eval_ssa};
use iverson::pipeline::load;
use iverson::random::fill;
use iverson::simplify::simplify;
use iverson::spec::call::{Dense, Limits, Value};
use iverson::spec::ssa::Rhs;
use iverson::spec::verify::stmts;
use iverson::spec::{TensorSsa, Typed, normalize, render, unelaborate, verify};
use std::fs;
use std::path::Path;

type Derive = fn(&TensorSsa, &[&str]) -> Result<TensorSsa, AdError>;

const DERIVATIVES: [(&str, Derive); 6] = [
    ("vjp", vjp),
    ("jvp", jvp),
    ("jacobian", jacobian),
    ("hessian", hessian),
    ("hvp", hvp),
    ("jtjv", jtjv),
];

fn typed(text: &str) -> Typed {
    let loaded = load(text).unwrap_or_else(|found| panic!("{}", render::render(&found, "-", text)));
    loaded.function(None).unwrap_or_else(|none| panic!("{none}")).clone()
}

/// The derivative that the first line asks for, simplified.
fn derivative(name: &str) -> TensorSsa {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cases/derivatives/{name}.iv"));
    let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let head = text.lines().next().and_then(|line| line.strip_prefix("# ")?.split_once(':'));
    let (what, _) = head.unwrap_or_else(|| panic!("{name}: `# vjp x: why` is wanted first"));
    let (how, wrt) = what.split_once(' ').unwrap_or_else(|| panic!("{name}: no input in `{what}`"));
    let wrt: Vec<&str> = wrt.split(", ").collect();
    let (_, how) = DERIVATIVES
        .iter()
        .find(|(known, _)| *known == how)
        .unwrap_or_else(|| panic!("{name}: no derivative is called `{how}`"));
    let derivative = how(&normalize(&typed(&text)), &wrt).unwrap_or_else(|e| panic!("{name}: {e}"));
    let simplified = simplify(&derivative);
    verify(&simplified).unwrap_or_else(|violation| panic!("{name}: {violation}"));
    simplified
}

#[test]
fn derivatives_have_these_texts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/derivatives");
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{e}"))
        .filter_map(|entry| {
            let name = entry.unwrap_or_else(|e| panic!("{e}")).file_name().into_string().ok()?;
            name.strip_suffix(".iv").map(str::to_owned)
        })
        .collect();
    names.sort();
    assert!(names.len() >= 42, "{} cases", names.len());
    for name in names {
        insta::assert_snapshot!(name.clone(), unelaborate::ssa(&derivative(&name)));
    }
}

/// The text of the statement of the last result.
fn last_statement(program: &TensorSsa) -> String {
    let text = unelaborate::ssa(program);
    let last = program.results.last().map(|t| program.symbols.tensor(*t).name.clone());
    let start = format!("    {}[", last.unwrap_or_default());
    text.lines().find(|line| line.starts_with(&start)).unwrap_or(&text).trim().to_owned()
}

/// `A + A'`, without multiplication.
#[test]
fn the_hessian_of_a_quadratic_form_is_the_sum_of_two_matrices() {
    let hessian = derivative("quadratic_form_hessian");
    let text = last_statement(&hessian);
    let (_, right) = text.split_once(" = ").unwrap_or_else(|| panic!("{text}"));
    assert!(
        right == "A[i, j] + A[j, i]" || right == "A[j, i] + A[i, j]" || !right.contains('*'),
        "{text}"
    );
    let last = hessian.results.last().copied();
    let all = stmts(&hessian.body);
    let stmt = all.iter().find(|stmt| Some(stmt.tensor) == last);
    let stmt = stmt.unwrap_or_else(|| panic!("no statement for the last result"));
    let Rhs::Sum(terms) = &stmt.rhs else { panic!("{text}") };
    assert_eq!(terms.len(), 2, "{text}");
    assert!(terms.iter().all(|term| term.binders.is_empty()), "{text}");
}

/// The sparse points of all statements, and of the statement of the last result.
fn points(program: &TensorSsa, text: &str, n: u64) -> (u64, u64) {
    let typed = typed(text);
    let sizes = typed.symbols.sizes.iter().map(|size| (size.clone(), Value::Size(n)));
    let inputs = fill::<f64>(&typed, &sizes.collect(), 1, Limits::default())
        .unwrap_or_else(|e| panic!("{text}: {e}"));
    let ssa = normalize(&typed);
    let (results, _) =
        eval_ssa(&ssa, &inputs, Limits::default()).unwrap_or_else(|e| panic!("{text}: {e}"));
    let ones = |y: &String| {
        let shape = real(&results, y).shape.clone();
        Dense { data: vec![1.0; shape.iter().product()], shape }
    };
    let bars: Vec<Dense<f64>> = real_results(&ssa).iter().map(ones).collect();
    let inputs = match added_params(program, &ssa) {
        seeds if seeds.is_empty() => inputs,
        seeds => with(&inputs, &seeds, &bars),
    };
    let (_, report) =
        eval_ssa(program, &inputs, Limits::default()).unwrap_or_else(|e| panic!("{text}: {e}"));
    let mut all = report.statements.iter().map(|s| s.count(Model::Sparse).points);
    (all.clone().sum(), all.next_back().unwrap_or(0))
}

/// The index maps, in a program that does nothing but read through them.
const MAPS: [&str; 14] = [
    "fn f(n: size, x: real[2 * n + 3]) -> (y: real[n]) { y[i: n] = x[2 * i + 3] }",
    "fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = [2 * i < n] * x[2 * i] }",
    "fn f(n: size, m: size, x: real[n + m]) -> (y: real[n, m]) { y[i: n, j: m] = x[i + j] }",
    "fn f(n: size, x: real[n, n]) -> (y: real[n]) { y[i: n] = x[i, i] }",
    "fn f(n: size, m: size, x: real[m, n]) -> (y: real[n, m]) { y[i: n, j: m] = x[j, i] }",
    "fn f(n: size, m: size, x: real[n]) -> (y: real[n, m]) { y[i: n, j: m] = x[i] }",
    "fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = x[n - 1 - i] }",
    "fn f(n: size, x: real[n]) -> (y: real[2 * n]) { y[i: 2 * n] = x[i / 2] }",
    "fn f(n: size, x: real[3]) -> (y: real[n]) { y[i: n] = x[i % 3] }",
    "fn f(n: size, m: size, p: index(m)[n], x: real[m]) -> (y: real[n]) { y[i: n] = x[p[i]] }",
    "fn f(n: size, m: size, p: index(m)[n], x: real[m + 2]) -> (y: real[n, 3]) \
     { y[i: n, j: 3] = x[p[i] + j] }",
    "fn f(n: size, m: size, l: size, q: index(m)[n], p: index(l)[m], x: real[l]) -> (y: real[n]) \
     { y[i: n] = x[p[q[i]]] }",
    "fn f(k: size, n: size, row: index(n)[k], col: index(n)[k], x: real[n, n]) -> (y: real[k]) \
     { y[e: k] = x[row[e], col[e]] }",
    "fn f(n: size, R: rel(n, n), x: real[n]) -> (y: real[n]) \
     { y[i: n] = sum(j: n where R(i, j)) x[j] }",
];

/// The adjoint of a map visits exactly the points of the program, simplified or not.
#[test]
fn fibres_are_visited_exactly_as_often_as_the_program() {
    for text in MAPS {
        let ssa = normalize(&typed(text));
        let gradient = vjp(&ssa, &["x"]).unwrap_or_else(|e| panic!("{text}: {e}"));
        for n in [1, 2, 5, 8] {
            let (primal, _) = points(&ssa, text, n);
            for gradient in [simplify(&gradient), gradient.clone()] {
                let shown = unelaborate::ssa(&gradient);
                let (all, adjoint) = points(&gradient, text, n);
                assert_eq!(all, 2 * primal, "at {n}: {shown}");
                assert_eq!(adjoint, primal, "at {n}: {shown}");
            }
        }
    }
}

/// `[2i < n] x[2i]` is visited at the ⌈n/2⌉ points where it is read.
#[test]
fn the_adjoint_of_a_stride_visits_half_of_the_points() {
    let gradient =
        simplify(&vjp(&normalize(&typed(MAPS[1])), &["x"]).unwrap_or_else(|e| panic!("{e}")));
    for n in [0, 1, 2, 7, 8] {
        assert_eq!(points(&gradient, MAPS[1], n).1, n.div_ceil(2));
    }
}
