//! What has no derivative says so, and what is constant by convention is documented
//! and tested: no derivative is zero in silence.

use iverson::ad::{AdError, hessian, hvp, inactive, jacobian, jtjv, jvp, vjp};
use iverson::interpreter::eval_ssa;
use iverson::json::{self, Reals};
use iverson::pipeline::load;
use iverson::spec::call::Limits;
use iverson::spec::{TensorSsa, normalize, render};

fn ssa(text: &str) -> TensorSsa {
    let loaded = load(text).unwrap_or_else(|found| panic!("{}", render::render(&found, "-", text)));
    normalize(loaded.function(None).unwrap_or_else(|none| panic!("{none}")))
}

type Derive = fn(&TensorSsa, &[&str]) -> Result<TensorSsa, AdError>;
const ALL: [Derive; 6] = [jvp, vjp, jacobian, hessian, hvp, jtjv];

#[track_caller]
fn refused(how: Derive, text: &str, wrt: &[&str], wanted: &str) {
    match how(&ssa(text), wrt) {
        Ok(_) => panic!("accepted"),
        Err(error) => assert_eq!(error.to_string(), wanted),
    }
}

#[test]
fn a_function_without_a_derivative_is_named() {
    let text = "fn f(x: real) -> (y: real) { t = x * x\n y = trigamma(t) }";
    let wanted = "`trigamma` has no derivative here: `y` applies it to a value that depends on \
                  the inputs; give one with a `derivative` clause";
    ALL.iter().for_each(|how| refused(*how, text, &["x"], wanted));
}

/// `digamma` has one derivative and no second one in the language.
#[test]
fn a_second_derivative_may_be_missing() {
    let text = "fn f(x: real) -> (y: real) { y = digamma(x) }";
    assert!(vjp(&ssa(text), &["x"]).is_ok());
    assert!(matches!(hessian(&ssa(text), &["x"]), Err(AdError::NoDerivative { .. })));
}

/// A function without a derivative may stand where nothing depends on the inputs.
#[test]
fn constants_need_no_derivative() {
    let text = "fn f(x: real, c: real) -> (y: real) { y = x * trigamma(c) }";
    assert!(ALL.iter().all(|how| how(&ssa(text), &["x"]).is_ok()));
}

#[test]
fn only_real_parameters_are_inputs() {
    let text = "fn f(n: size, p: index(n)[n], R: rel(n), x: real[n]) -> (y: real) \
                { t = sum(i: n) [R(i)] * x[p[i]]\n y = t }";
    let cases = [
        ("n", "`n` is a size, and sizes are constant; name real parameters of the program"),
        (
            "p",
            "`p` is an index tensor, and indices are constant; name real parameters of the program",
        ),
        ("R", "`R` is a relation, and relations are constant; name real parameters of the program"),
        ("t", "`t` is not a parameter; name real parameters of the program"),
    ];
    for (name, wanted) in cases {
        ALL.iter().for_each(|how| refused(*how, text, &[name], wanted));
    }
    let twice = "`x` is named twice; name each parameter once";
    ALL.iter().for_each(|how| refused(*how, text, &["x", "x"], twice));
}

#[test]
fn second_derivatives_are_those_of_a_scalar() {
    let vector = "fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = x[i]^2 }";
    let wanted = "the first real result `y` has 1 axis, and a second derivative is that of a \
                  scalar; return a scalar first, such as a sum of `y`";
    refused(hessian, vector, &["x"], wanted);
    refused(hvp, vector, &["x"], wanted);
    let none = "fn f(n: size, x: real[n + 1]) -> (m: index(n + 1)) { m = argmax(i: n + 1) x[i] }";
    let wanted = "the program has no real result; a second derivative is that of the first one";
    refused(hessian, none, &["x"], wanted);
}

/// An input on which nothing depends has the derivative 0 in the text, and a name in
/// the list of those who ask.
#[test]
fn inactive_inputs_are_named() {
    let program = ssa("fn f(n: size, x: real[n], z: real[n]) -> (y: real) \
                       { u = sum(i: n) z[i]\n y = sum(i: n) x[i] }");
    assert_eq!(inactive(&program, &["x", "z"]), Ok(vec!["z"]));
    assert!(matches!(inactive(&program, &["q"]), Err(AdError::NotAnInput { .. })));
    let gradient = vjp(&program, &["z"]).unwrap_or_else(|error| panic!("{error}"));
    let text = iverson::spec::unelaborate::ssa(&gradient);
    assert!(text.contains("z_bar[i: n] = 0"), "{text}");
}

/// Comparisons of reals, indices and `floor` are constant, at a tie too: the derivative
/// is that of the side taken there.
#[test]
fn comparisons_are_constant_at_ties() {
    let program = ssa("fn f(x: real, c: real) -> (y: real) \
                       { y = [x > c] * 3 * x + [x <= c] * 5 * x + [x = c] * 7 * x }");
    let gradient = vjp(&program, &["x", "c"]).unwrap_or_else(|error| panic!("{error}"));
    for (x, wanted) in [(1.0, 5.0), (2.0, 12.0), (3.0, 3.0)] {
        let text = format!(r#"{{"x": {x}, "c": 2, "y_ct": 1}}"#);
        let inputs = json::read::<f64, _>(&text, &gradient, Reals::Finite)
            .unwrap_or_else(|error| panic!("{error}"));
        let (found, _) = eval_ssa(&gradient, &inputs, Limits::default())
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(crate::subject::real(&found, "x_bar").data, [wanted]);
        assert_eq!(crate::subject::real(&found, "c_bar").data, [0.0]);
    }
}
