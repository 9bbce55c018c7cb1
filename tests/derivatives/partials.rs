//! The partial derivatives of all functions: the table of chapter 5 has what the code has,
//! and its values are those of dual numbers, also at kinks and outside of domains.

use crate::subject::{dual, real, run, tangents, with};
use iverson::ad::{AdError, jvp};
use iverson::interpreter::eval;
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::function::FUNCTIONS;
use iverson::spec::{TensorSsa, Typed, normalize, render, unelaborate};

/// Units of 2⁻⁵² of the larger of 1 and the derivative.
const ULPS: f64 = 64.0;

/// What is written with a syntax of its own, with the variables it is differentiated in.
const OPERATORS: [(&str, &str); 14] = [
    ("-x", "x"),
    ("x + z", "xz"),
    ("x - z", "xz"),
    ("x * z", "xz"),
    ("x * x", "x"),
    ("x / z", "xz"),
    ("x^0", "x"),
    ("x^1", "x"),
    ("x^2", "x"),
    ("x^3", "x"),
    ("x^-1", "x"),
    ("x^0.5", "x"),
    ("x^z", "xz"),
    ("x^x", "x"),
];

/// Every function, with the variable it is differentiated in.
fn rows() -> Vec<(String, &'static str)> {
    let named = FUNCTIONS.iter().map(|row| match row.arity {
        1 => (format!("{}(x)", row.name), "x"),
        _ => (format!("{}(x, z)", row.name), "xz"),
    });
    let operators = OPERATORS.iter().map(|(text, wrt)| ((*text).to_owned(), *wrt));
    let all = operators.chain(named);
    all.flat_map(|(text, wrt)| {
        let one = move |name: &&str| wrt.contains(*name);
        ["x", "z"].into_iter().filter(one).map(|name| (text.clone(), name)).collect::<Vec<_>>()
    })
    .collect()
}

fn program(text: &str) -> Typed {
    let text = format!("fn f(x: real, z: real) -> (y: real) {{ y = {text} }}");
    let loaded =
        load(&text).unwrap_or_else(|found| panic!("{}", render::render(&found, "-", &text)));
    loaded.function(None).unwrap_or_else(|none| panic!("{none}")).clone()
}

/// The tangent's statement, as text.
fn tangent(derivative: &TensorSsa) -> String {
    let text = unelaborate::ssa(derivative);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let from = lines.iter().position(|line| line.starts_with("y_dot = "));
    let from = from.unwrap_or_else(|| panic!("no tangent in\n{text}"));
    let statement = lines[from..].iter().take_while(|line| **line != "}");
    let statement = statement.copied().collect::<Vec<_>>().join(" ");
    statement.trim_start_matches("y_dot = ").to_owned()
}

#[test]
fn the_chapter_has_the_partial_of_every_function() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/spec/5-derivatives.md");
    let chapter = std::fs::read_to_string(path).expect("chapter 5 is there");
    let mut missing = String::new();
    for (text, wrt) in rows() {
        let row = match jvp(&normalize(&program(&text)), &[wrt]) {
            Ok(derivative) => format!("| `{text}` | `{wrt}` | `{}` |", tangent(&derivative)),
            Err(error) => {
                assert!(matches!(error, AdError::NoDerivative { .. }), "{text}: {error}");
                format!("| `{text}` | `{wrt}` | an error that names it |")
            }
        };
        if !chapter.contains(&row) {
            missing += &format!("{row}\n");
        }
    }
    assert!(missing.is_empty(), "chapter 5 lacks\n{missing}");
}

#[test]
fn partials_are_those_of_dual_numbers() {
    let points = [-2.5, -1.0, -0.5, -0.0, 0.0, 0.3, 0.5, 1.0, 1.75, 30.0];
    let one = || Dense { shape: Vec::new(), data: vec![1.0] };
    let (mut compared, mut finite) = (0, 0);
    for (text, wrt) in rows() {
        let typed = program(&text);
        let Ok(derivative) = jvp(&normalize(&typed), &[wrt]) else { continue };
        for (x, z) in points.iter().flat_map(|x| points.map(|z| (*x, z))) {
            let inputs: Values<f64> = [("x", x), ("z", z)]
                .map(|(name, at)| {
                    let at = Dense { shape: Vec::new(), data: vec![at] };
                    (name.to_owned(), Value::Real(at))
                })
                .into_iter()
                .collect();
            let moving = with(&inputs, &[format!("{wrt}_dot")], &[one()]);
            let found = run(&derivative, &moving).unwrap_or_else(|error| panic!("{error}"));
            let found = real(&found, "y_dot").data[0];
            let duals = dual(&inputs, &[wrt.to_owned()], &[one()]);
            let wanted = eval(&typed, &duals, Limits::default());
            let wanted = wanted.unwrap_or_else(|error| panic!("{error}"));
            let wanted = tangents(real(&wanted, "y")).data[0];
            let allowed = ULPS * f64::EPSILON * wanted.abs().max(1.0);
            let near = wanted.is_finite() && (found - wanted).abs() <= allowed;
            // the sign of 1 / (2 * sqrt(-0)) is that of -0
            let found = if x == 0.0 && found.is_infinite() { found.abs() } else { found };
            let wanted = if x == 0.0 && wanted.is_infinite() { wanted.abs() } else { wanted };
            let same = found == wanted || found.is_nan() && wanted.is_nan();
            assert!(near || same, "{text} in {wrt} at {x}, {z}: {found}, wanted {wanted}");
            compared += 1;
            finite += u32::from(found.is_finite());
        }
    }
    assert!(compared > 3000 && finite * 2 > compared, "{finite} of {compared} are finite");
}
