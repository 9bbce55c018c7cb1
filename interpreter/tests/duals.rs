//! Dual numbers: the table of partial derivatives, its kinks, and higher orders.

mod common;

use common::*;
use iverson_interpreter::{Dual, Rational, Scalar, ScalarError, eval};
use iverson_spec::call::{Limits, Value};
use iverson_spec::function::{FUNCTIONS, Fun};
use proptest::prelude::*;

/// `f` and its derivative in the direction 1 at `x`.
fn derivative(fun: Fun, x: f64) -> f64 {
    Dual::unary(fun, &Dual::new(x, 1.0)).expect("a value").tangent()
}

fn partials(fun: Fun, x: f64, y: f64) -> (f64, f64) {
    let at = |x: Dual<f64>, y: Dual<f64>| Dual::binary(fun, &x, &y).expect("a value").tangent();
    (at(Dual::new(x, 1.0), Dual::still(y)), at(Dual::still(x), Dual::new(y, 1.0)))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-5 * (1.0 + a.abs().max(b.abs()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn partials_are_slopes(x in 0.1..0.9_f64, y in 0.1..0.9_f64) {
        let h = 1e-6;
        let functions = FUNCTIONS.iter().map(|row| (row.fun, row.arity));
        let operators = [(Fun::Neg, 1), (Fun::Add, 2), (Fun::Mul, 2), (Fun::Div, 2), (Fun::Pow, 2)];
        for (fun, arity) in functions.chain(operators) {
            if fun == Fun::Trigamma || matches!(fun, Fun::Min | Fun::Max) && (x - y).abs() < 2.0 * h {
                continue;
            }
            let f = |args: &[f64]| f64::apply(fun, args).unwrap();
            if arity == 1 {
                let slope = (f(&[x + h]) - f(&[x - h])) / (2.0 * h);
                prop_assert!(close(derivative(fun, x), slope), "{fun:?} {x} {slope}");
            } else {
                let slopes = (
                    (f(&[x + h, y]) - f(&[x - h, y])) / (2.0 * h),
                    (f(&[x, y + h]) - f(&[x, y - h])) / (2.0 * h),
                );
                let found = partials(fun, x, y);
                prop_assert!(close(found.0, slopes.0) && close(found.1, slopes.1), "{fun:?} {x} {y}");
            }
        }
    }

    #[test]
    fn rational_functions_are_differentiated_exactly(n in -50_i64..50, d in 1_i64..20) {
        prop_assume!(n != 0);
        let x = q(n, d);
        let source = "fn f(x: real) -> (y: real) { y = x^3 - 2 * x + 1 / x + abs(x) }";
        let inputs = values([("x", Value::scalar(Dual::new(x.clone(), q(1, 1))))]);
        let result = eval(&program(source), &inputs, Limits::default()).unwrap();
        let sign = dashu_ratio::RBig::from(n.signum());
        let x = x.0;
        let one = dashu_ratio::RBig::ONE;
        let three = dashu_ratio::RBig::from(3);
        let want = three * &x * &x - dashu_ratio::RBig::from(2) - one / (&x * &x) + sign;
        prop_assert_eq!(reals(&result, "y")[0].tangent(), Rational(want));
    }
}

#[test]
fn kinks() {
    assert_eq!(derivative(Fun::Abs, 0.0), 0.0);
    assert_eq!(derivative(Fun::Sqrt, 0.0), f64::INFINITY);
    assert_eq!(derivative(Fun::Sqrt, -0.0), f64::INFINITY);
    assert_eq!(partials(Fun::Pow, 0.0, 0.0).0, 0.0);
    assert_eq!(partials(Fun::Pow, 0.0, 1.0).0, 1.0);
    assert_eq!(partials(Fun::Pow, 0.0, 2.0), (0.0, 0.0));
    assert_eq!(partials(Fun::Pow, 0.0, 0.5), (f64::INFINITY, 0.0));
    assert_eq!(partials(Fun::Max, 1.0, 1.0), (1.0, 0.0));
    assert_eq!(partials(Fun::Min, 1.0, 1.0), (1.0, 0.0));
    assert_eq!(partials(Fun::Max, 1.0, 2.0), (0.0, 1.0));
    let zero = Dual::new(q(0, 1), q(1, 1));
    let power = |c: i64| Dual::binary(Fun::Pow, &zero, &Dual::integer(c)).unwrap();
    assert_eq!(
        (power(0).tangent(), power(1).tangent(), power(2).tangent()),
        (q(0, 1), q(1, 1), q(0, 1))
    );
}

#[test]
fn a_constant_meets_no_infinite_partial() {
    let still = Dual::<f64>::still(0.0);
    assert_eq!(Dual::unary(Fun::Sqrt, &still).unwrap().tangent(), 0.0);
    let source = "fn f(x: real) -> (y: real) { y = x * sqrt(0) + floor_(x) }
        "
    .replace(" + floor_(x)", " + real(floor(x)) + [x > 0]");
    let inputs = values([("x", Value::scalar(Dual::new(2.5, 1.0)))]);
    let result = eval(&program(&source), &inputs, Limits::default()).unwrap();
    assert_eq!(reals(&result, "y"), [Dual::new(3.0, 0.0)]);
}

#[test]
fn trigamma_has_no_derivative() {
    let found = Dual::unary(Fun::Trigamma, &Dual::new(1.0, 1.0));
    assert_eq!(found, Err(ScalarError::NoDerivative { function: "trigamma" }));
    assert!(Dual::unary(Fun::Trigamma, &Dual::<f64>::still(1.0)).is_ok());
    assert_eq!(found.unwrap_err().to_string(), "`trigamma` has no derivative in the language");
}

/// x with all second-order directions 1.
fn second(x: f64) -> Dual<Dual<f64>> {
    Dual::new(Dual::new(x, 1.0), Dual::still(1.0))
}

#[test]
fn second_derivatives() {
    let of = |fun| Dual::unary(fun, &second(0.5)).unwrap().tangent().tangent();
    assert!((of(Fun::Exp) - 0.5_f64.exp()).abs() < 1e-15);
    assert!((of(Fun::Sin) + 0.5_f64.sin()).abs() < 1e-15);
    let square = |x| Dual::binary(Fun::Pow, &second(x), &Dual::integer(2)).unwrap();
    assert_eq!(square(0.0).tangent().tangent(), 2.0);
    // ∂²/∂x∂y x^y at y = 0 is 1 / x: a moving exponent 0 is not the constant 0.
    let x = Dual::new(Dual::still(2.0), Dual::still(1.0));
    let y = Dual::still(Dual::new(0.0, 1.0));
    assert_eq!(Dual::binary(Fun::Pow, &x, &y).unwrap().tangent().tangent(), 0.5);
}

#[test]
fn a_users_derivative_is_used_in_every_order() {
    // The derivative is not that of the value, so its use shows.
    let source = "fn g(x: real) -> (y: real) { y = x } derivative { x: 10 * x^2 }
        fn f(x: real) -> (y: real) { y = 3 * g(x) }";
    let program = program(source);
    let inputs = values([("x", Value::scalar(Dual::new(2.0, 1.0)))]);
    let first = eval(&program, &inputs, Limits::default()).unwrap();
    assert_eq!(reals(&first, "y"), [Dual::new(6.0, 120.0)]);
    let inputs = values([("x", Value::scalar(second(2.0)))]);
    let both = eval(&program, &inputs, Limits::default()).unwrap();
    let y = &reals(&both, "y")[0];
    assert_eq!((y.primal.primal, y.primal.tangent()), (6.0, 120.0));
    assert_eq!(y.tangent().tangent(), 120.0);
}

#[test]
fn reductions_follow_the_chosen_entry() {
    let source = "fn f(n: size, x: real[n]) -> (y: real) { y = max(i: n) x[i] }";
    let entries = [3.0, 5.0, 5.0].iter().enumerate();
    let x: Vec<Dual<f64>> = entries.map(|(i, x)| Dual::new(*x, i as f64)).collect();
    let inputs = values([("x", Value::vector(x))]);
    let result = eval(&program(source), &inputs, Limits::default()).unwrap();
    assert_eq!(reals(&result, "y"), [Dual::new(5.0, 1.0)]);
}
