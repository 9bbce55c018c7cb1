//! The numbers an engine computes with: `f64` and `f32`.

use crate::math::{self, Float, Mode};
use iverson_spec::function::Fun;
use std::fmt::Debug;

/// A floating-point type. Functions of `f32` are those of `f64`, rounded once.
pub trait Scalar: Float + Copy + PartialOrd + Default + Debug + Send + Sync + 'static {
    /// The bytes of a number.
    const BYTES: u64;

    /// The nearest number.
    fn of(x: f64) -> Self;

    /// The nearest number to an integer.
    fn of_int(n: i64) -> Self;

    /// The same number.
    fn wide(self) -> f64;

    /// `self + other`
    fn add(self, other: Self) -> Self;

    /// `self * other`
    fn mul(self, other: Self) -> Self;

    /// `self / other`
    fn div(self, other: Self) -> Self;

    /// `-self`
    fn neg(self) -> Self;

    /// A function of one argument.
    fn unary(fun: Fun, x: Self) -> Self;

    /// A function of two arguments.
    fn binary(fun: Fun, x: Self, y: Self) -> Self;
}

macro_rules! scalar {
    ($name:ident, $bytes:expr) => {
        impl Scalar for $name {
            const BYTES: u64 = $bytes;
            fn of(x: f64) -> Self {
                x as $name
            }
            fn of_int(n: i64) -> Self {
                n as $name
            }
            fn wide(self) -> f64 {
                f64::from(self)
            }
            fn add(self, other: Self) -> Self {
                self + other
            }
            fn mul(self, other: Self) -> Self {
                self * other
            }
            fn div(self, other: Self) -> Self {
                self / other
            }
            fn neg(self) -> Self {
                -self
            }
            fn unary(fun: Fun, x: Self) -> Self {
                if fun == Fun::Neg { -x } else { function(fun, f64::from(x)) as $name }
            }
            fn binary(fun: Fun, x: Self, y: Self) -> Self {
                if fun == Fun::Add {
                    x + y
                } else if fun == Fun::Mul {
                    x * y
                } else if fun == Fun::Div {
                    x / y
                } else {
                    function_of_two(fun, f64::from(x), f64::from(y)) as $name
                }
            }
        }
    };
}

scalar!(f64, 8);
scalar!(f32, 4);

fn function(fun: Fun, x: f64) -> f64 {
    match math::unary(Mode::Fast, fun) {
        Some(function) => function(x),
        None => unreachable!("`{fun:?}` takes one argument (invariant 6 of loops)"),
    }
}

fn function_of_two(fun: Fun, x: f64, y: f64) -> f64 {
    match math::binary(Mode::Fast, fun) {
        Some(function) => function(x, y),
        None => unreachable!("`{fun:?}` takes two arguments (invariant 6 of loops)"),
    }
}
