//! Intervals enclose: exact rationals for arithmetic, correctly rounded values for functions.

use dashu_ratio::RBig;
use iverson_interpreter::{Interval, Scalar, ScalarError};
use iverson_spec::function::{FUNCTIONS, Fun};
use iverson_spec::number::Number;
use proptest::prelude::*;
use std::cmp::Ordering;

fn interval(lo: f64, hi: f64) -> Interval {
    Interval::new(lo, hi).expect("ordered ends")
}

fn exact(x: f64) -> RBig {
    RBig::try_from(x).expect("a finite number")
}

/// Whether a rational lies in an interval.
fn encloses(interval: Interval, x: &RBig) -> bool {
    let above = interval.lo() == f64::NEG_INFINITY
        || interval.lo().is_finite() && exact(interval.lo()) <= *x;
    let below =
        interval.hi() == f64::INFINITY || interval.hi().is_finite() && exact(interval.hi()) >= *x;
    above && below
}

/// Numbers of every magnitude, zeros and huge and tiny ones included.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -4.0..4.0,
        2 => (-1.0..1.0, -1000_i32..1000).prop_map(|(m, e)| m * 2.0_f64.powi(e)),
        2 => any::<f64>().prop_filter("finite", |x| x.is_finite()),
        1 => (-4_i8..=4).prop_map(f64::from),
        1 => Just(f64::MAX),
        1 => Just(-f64::MIN_POSITIVE),
        1 => Just(5e-324),
    ]
}

/// An interval, and a number inside it.
fn inside() -> impl Strategy<Value = (Interval, f64)> {
    (number(), number(), 0.0..=1.0_f64).prop_map(|(a, b, at)| {
        let (lo, hi) = (a.min(b), a.max(b));
        let middle = lo * (1.0 - at) + hi * at;
        (interval(lo, hi), middle.clamp(lo, hi))
    })
}

/// As [`inside`], narrow ones and single points among them.
fn narrow() -> impl Strategy<Value = (Interval, f64)> {
    let near = (number(), 0.0..1e-3_f64, 0.0..=1.0_f64).prop_map(|(lo, width, at)| {
        let hi = (lo + width * lo.abs()).min(f64::MAX);
        (interval(lo, hi), (lo * (1.0 - at) + hi * at).clamp(lo, hi))
    });
    let point = number().prop_map(|x| (interval(x, x), x));
    prop_oneof![inside(), near, point]
}

fn apply(fun: Fun, args: &[Interval]) -> Result<Interval, ScalarError> {
    Interval::apply(fun, args)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn sums_enclose((x, a) in narrow(), (y, b) in narrow()) {
        let sum = apply(Fun::Add, &[x, y]).unwrap();
        prop_assert!(encloses(sum, &(exact(a) + exact(b))), "{sum:?}");
    }

    #[test]
    fn products_enclose((x, a) in narrow(), (y, b) in narrow()) {
        let product = apply(Fun::Mul, &[x, y]).unwrap();
        prop_assert!(encloses(product, &(exact(a) * exact(b))), "{product:?}");
    }

    #[test]
    fn quotients_enclose((x, a) in narrow(), (y, b) in narrow()) {
        prop_assume!(b != 0.0);
        let quotient = apply(Fun::Div, &[x, y]).unwrap();
        prop_assert!(encloses(quotient, &(exact(a) / exact(b))), "{quotient:?}");
    }

    #[test]
    fn squares_and_powers_enclose((x, a) in narrow(), n in -5_i32..=5) {
        prop_assume!(a != 0.0 || n >= 0);
        let exponent = Interval::integer(n.into());
        let power = apply(Fun::Pow, &[x, exponent]).unwrap();
        let exact = match n {
            0.. => exact(a).pow(n as isize),
            _ => RBig::ONE / exact(a).pow(-n as isize),
        };
        prop_assert!(encloses(power, &exact), "{power:?}");
    }

    #[test]
    fn roots_enclose((x, a) in narrow()) {
        let (x, a) = (apply(Fun::Abs, &[x]).unwrap(), a.abs());
        let root = apply(Fun::Sqrt, &[x]).unwrap();
        prop_assert!(root.lo() >= 0.0);
        prop_assert!(exact(root.lo()) * exact(root.lo()) <= exact(a));
        prop_assert!(exact(root.hi()) * exact(root.hi()) >= exact(a));
    }

    #[test]
    fn abs_neg_min_max_enclose((x, a) in narrow(), (y, b) in narrow()) {
        prop_assert!(apply(Fun::Abs, &[x]).unwrap().contains(a.abs()));
        prop_assert!(apply(Fun::Neg, &[x]).unwrap().contains(-a));
        prop_assert!(apply(Fun::Min, &[x, y]).unwrap().contains(a.min(b)));
        prop_assert!(apply(Fun::Max, &[x, y]).unwrap().contains(a.max(b)));
    }

    #[test]
    fn functions_enclose((x, a) in narrow(), (y, b) in narrow()) {
        for row in FUNCTIONS {
            let (wide, value) = match row.arity {
                1 => (apply(row.fun, &[x]), f64::apply(row.fun, &[a]).unwrap()),
                _ => (apply(row.fun, &[x, y]), f64::apply(row.fun, &[a, b]).unwrap()),
            };
            if let Ok(wide) = wide {
                let slack = if row.fun == Fun::Sigmoid { 1e-15 * value } else { 0.0 };
                let close = interval(value - slack, value + slack);
                let meets = wide.lo() <= close.hi() && close.lo() <= wide.hi();
                prop_assert!(meets, "{} {wide:?} {value:e}", row.name);
            }
        }
    }

    #[test]
    fn real_powers_enclose((x, a) in narrow(), (y, b) in narrow()) {
        if let Ok(power) = apply(Fun::Pow, &[x, y]) {
            let value = pxfm::f_pow(a, b);
            prop_assert!(value.is_nan() || power.contains(value), "{power:?} {value:e}");
        }
    }

    #[test]
    fn decided_comparisons_are_true((x, a) in narrow(), (y, b) in narrow()) {
        if let Ok(order) = x.compare(&y) {
            prop_assert_eq!(order, a.partial_cmp(&b));
        }
        if let Ok(floor) = x.floor() {
            prop_assert_eq!(floor as f64, a.floor());
        }
    }

    #[test]
    fn constants_enclose(n in any::<i64>(), d in 1_i64..1000) {
        prop_assert!(encloses(Interval::integer(n), &RBig::from(n)));
        let quotient = RBig::from_parts_signed(n.into(), d.into());
        let constant = Interval::constant(&Number::new(quotient.clone()));
        prop_assert!(encloses(constant, &quotient));
        prop_assert!(constant.hi() <= constant.lo().next_up());
    }

    #[test]
    fn exact_results_are_points(a in -1000_i64..1000, b in 1_i64..1000) {
        let (x, y) = (Interval::integer(a), Interval::integer(b));
        for (fun, value) in [(Fun::Add, a + b), (Fun::Mul, a * b)] {
            prop_assert_eq!(apply(fun, &[x, y]).unwrap(), Interval::integer(value));
        }
        let product = Interval::integer(a * b);
        prop_assert_eq!(apply(Fun::Div, &[product, y]).unwrap(), x);
        prop_assert_eq!(apply(Fun::Sqrt, &[Interval::integer(b * b)]).unwrap(), y);
    }
}

#[test]
fn functions_are_tight_on_points() {
    for (fun, x) in
        [(Fun::Exp, 1.0), (Fun::Sin, 3.0), (Fun::Log, 10.0), (Fun::Tan, 1.0), (Fun::Erf, 0.5)]
    {
        let value = f64::apply(fun, &[x]).unwrap();
        let found = apply(fun, &[interval(x, x)]).unwrap();
        assert_eq!(found, interval(value.next_down(), value.next_up()));
    }
}

#[test]
fn waves_reach_their_extrema() {
    let sin = |lo, hi| apply(Fun::Sin, &[interval(lo, hi)]).unwrap();
    assert_eq!(sin(1.0, 2.0).hi(), 1.0);
    assert!(sin(1.0, 2.0).lo() > 0.8);
    assert_eq!(sin(4.0, 5.0).lo(), -1.0);
    assert_eq!(sin(0.0, 7.0), interval(-1.0, 1.0));
    assert_eq!(sin(1e300, 2e300), interval(-1.0, 1.0));
    let cos = apply(Fun::Cos, &[interval(-0.5, 0.5)]).unwrap();
    assert_eq!(cos.hi(), 1.0);
    assert_eq!(apply(Fun::Tan, &[interval(1.0, 2.0)]).unwrap(), Interval::WHOLE);
}

#[test]
fn waves_of_an_infinite_point_are_the_whole_line() {
    for fun in [Fun::Sin, Fun::Cos, Fun::Tan] {
        for end in [f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(apply(fun, &[interval(end, end)]).unwrap(), Interval::WHOLE);
        }
    }
    let unbounded = interval(1.0, f64::INFINITY);
    assert_eq!(apply(Fun::Sin, &[unbounded]).unwrap(), interval(-1.0, 1.0));
}

#[test]
fn what_is_not_certain_is_said() {
    let unit = interval(0.0, 1.0);
    let message = |result: Result<Interval, ScalarError>| result.unwrap_err().to_string();
    assert_eq!(apply(Fun::Div, &[unit, unit]).unwrap(), Interval::WHOLE);
    assert_eq!(apply(Fun::Pow, &[unit, interval(-1.5, 1.0)]).unwrap(), Interval::WHOLE);
    assert_eq!(
        message(apply(Fun::Log, &[interval(-1.0, 1.0)])),
        "`log` is not defined at [-1e0, 1e0]"
    );
    assert_eq!(message(apply(Fun::Lgamma, &[unit])), "`lgamma` has no proved enclosure");
    assert_eq!(
        unit.compare(&interval(1.0, 2.0)).unwrap_err().to_string(),
        "the interval [0e0, 1e0] does not decide a comparison with [1e0, 2e0]"
    );
    assert_eq!(
        unit.floor().unwrap_err().to_string(),
        "the interval [0e0, 1e0] does not decide its floor"
    );
    assert_eq!(unit.compare(&interval(1.5, 2.0)), Ok(Some(Ordering::Less)));
    assert_eq!(Interval::new(f64::NAN, 1.0), None);
}

#[test]
fn pi_is_enclosed() {
    // π = 3.14159265358979323846264338327950288..
    let digits = Number::parse("3.14159265358979323846264338327950288").unwrap();
    assert!(encloses(Interval::pi().unwrap(), digits.exact()));
}
