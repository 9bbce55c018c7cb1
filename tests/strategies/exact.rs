//! Rationals as scalars of strategies.

use iverson::interpreter::{Rational, Scalar as Denoted, ScalarError};
use iverson::spec::call::{Dense, Value, Values};
use iverson::spec::function::Fun;
use iverson::spec::number::Number;
use iverson::strategies::Scalar;
use std::cmp::Ordering;

/// A rational; `None` where there is no value, which spreads.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Exact(pub(crate) Option<Rational>);

fn known(value: Result<Rational, ScalarError>) -> Exact {
    Exact(value.ok())
}

impl Scalar for Exact {
    const LAZY: bool = true;

    fn undefined() -> Self {
        Self(None)
    }

    fn constant(value: &Number) -> Self {
        Self(Some(Rational::constant(value)))
    }

    fn integer(value: i64) -> Self {
        Self(Some(Denoted::integer(value)))
    }

    fn pi() -> Self {
        known(Denoted::pi())
    }

    fn infinity(negative: bool) -> Self {
        known(Denoted::infinity(negative))
    }

    fn plus(&self, other: &Self) -> Self {
        self.binary(Fun::Add, other)
    }

    fn times(&self, other: &Self) -> Self {
        self.binary(Fun::Mul, other)
    }

    fn unary(&self, fun: Fun) -> Self {
        Self(self.0.as_ref().and_then(|x| Rational::unary(fun, x).ok()))
    }

    fn binary(&self, fun: Fun, other: &Self) -> Self {
        let both = self.0.as_ref().zip(other.0.as_ref());
        Self(both.and_then(|(x, y)| Rational::binary(fun, x, y).ok()))
    }

    fn order(&self, other: &Self) -> Option<Ordering> {
        self.0.as_ref()?.compare(other.0.as_ref()?).ok()?
    }

    fn floor(&self) -> Option<i64> {
        Denoted::floor(self.0.as_ref()?).ok()
    }
}

/// Values over other scalars.
pub(crate) fn map<S, T>(values: &Values<S>, entry: impl Fn(&S) -> T) -> Values<T> {
    let value = |value: &Value<S>| match value {
        Value::Size(n) => Value::Size(*n),
        Value::Index(p) => Value::Index(p.clone()),
        Value::Relation(r) => Value::Relation(r.clone()),
        Value::Real(x) => {
            Value::Real(Dense { shape: x.shape.clone(), data: x.data.iter().map(&entry).collect() })
        }
    };
    values.iter().map(|(name, v)| (name.clone(), value(v))).collect()
}
