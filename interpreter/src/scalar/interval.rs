//! Intervals that enclose the exact value.
//!
//! Every end is rounded outward: the residual of `+ - * /` and `sqrt` is
//! computed exactly and its sign says whether an end moves by one `f64`; ends
//! from pxfm, which states at most 0.5 ulp, always move by one `f64`, and never
//! beyond the range of the function.

use super::{Scalar, ScalarError, floor_f64, name, wrong_arity};
use dashu_ratio::RBig;
use iverson_spec::function::Fun;
use iverson_spec::number::Number;
use std::cmp::Ordering;
use std::f64::consts::PI;

const INFINITY: f64 = f64::INFINITY;

/// The numbers from `lo` to `hi`; the ends may be infinite, never NaN.
///
/// `x / y` is the whole line if y may be 0, and so are `tan` if a pole may be
/// inside, a negative power of what may be 0, and `sin`, `cos`, `tan` of an infinite
/// point. Negative numbers in the domain of `log`, `sqrt` or a power that is not an
/// integer are an error. `lgamma`, `digamma`, `trigamma` are not enclosed: no error
/// bound is known for them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    lo: f64,
    hi: f64,
}

impl Interval {
    /// The whole line.
    pub const WHOLE: Self = Self { lo: -INFINITY, hi: INFINITY };

    /// From `lo` to `hi`; `None` if `lo > hi` or one is NaN.
    #[must_use]
    pub fn new(lo: f64, hi: f64) -> Option<Self> {
        (lo <= hi).then_some(Self { lo, hi })
    }

    /// The one number `x`; `None` for NaN.
    #[must_use]
    pub fn point(x: f64) -> Option<Self> {
        Self::new(x, x)
    }

    /// The lower end.
    #[must_use]
    pub fn lo(self) -> f64 {
        self.lo
    }

    /// The upper end.
    #[must_use]
    pub fn hi(self) -> f64 {
        self.hi
    }

    /// Whether `x` is inside.
    #[must_use]
    pub fn contains(self, x: f64) -> bool {
        self.lo <= x && x <= self.hi
    }

    fn text(self) -> String {
        format!("[{:e}, {:e}]", self.lo, self.hi)
    }

    fn undecided(self, question: impl Into<String>) -> ScalarError {
        ScalarError::Undecided { question: question.into(), interval: self.text() }
    }

    /// The smallest interval around all these enclosures of numbers.
    fn hull<const N: usize>(parts: [Self; N]) -> Self {
        let [first, rest @ ..] = parts.as_slice() else {
            return Self::WHOLE;
        };
        rest.iter()
            .fold(*first, |hull, part| Self { lo: hull.lo.min(part.lo), hi: hull.hi.max(part.hi) })
    }

    /// What is also in `lo..=hi`, given that the exact value is.
    fn within(self, lo: f64, hi: f64) -> Self {
        Self { lo: self.lo.clamp(lo, hi), hi: self.hi.clamp(lo, hi) }
    }

    /// Checks the domain of `fun`.
    fn inside(self, lo: f64, hi: f64, fun: Fun) -> Result<Self, ScalarError> {
        let inside = lo <= self.lo && self.hi <= hi;
        let error = ScalarError::Domain { function: name(fun), argument: self.text() };
        inside.then_some(self).ok_or(error)
    }

    /// The image under a function that does not fall.
    fn rising(self, f: impl Fn(f64) -> f64) -> Self {
        Self::hull([around(f(self.lo)), around(f(self.hi))])
    }

    /// The image under a function with this period that has its maxima at
    /// `(k + top) period`, its minima at `(k + bottom) period` and is monotone between.
    fn wave(self, f: impl Fn(f64) -> f64, period: f64, top: f64, bottom: f64) -> Self {
        if self.lo == self.hi && self.lo.is_infinite() {
            return Self::WHOLE; // not a number in `f64`, and no exact value either
        }
        let mut image = Self::hull([around(f(self.lo)), around(f(self.hi))]);
        if self.may_contain(period, top) {
            image.hi = 1.0;
        }
        if self.may_contain(period, bottom) {
            image.lo = -1.0;
        }
        image.within(-1.0, 1.0)
    }

    /// Whether some `(k + phase) period` may be inside, k an integer; `period` is within an ulp.
    fn may_contain(self, period: f64, phase: f64) -> bool {
        const EXACT_TURNS: f64 = 1e9;
        let (from, to) = (self.lo / period - phase, self.hi / period - phase);
        if self.lo == self.hi {
            return false; // no number but 0 is such a multiple, and there f is right
        }
        if from.abs().max(to.abs()) > EXACT_TURNS {
            return true;
        }
        let slack = |turns: f64| (turns.abs() + 1.0) * 2e-15;
        (from - slack(from)).ceil() <= (to + slack(to)).floor()
    }

    fn sqrt(self) -> Self {
        let end = |x: f64| {
            let root = x.sqrt();
            outward(root, if x > SAFE { (-root).mul_add(root, x) } else { f64::NAN })
        };
        Self::hull([end(self.lo), end(self.hi)]).within(0.0, INFINITY)
    }

    fn abs(self) -> Self {
        match self {
            Self { lo, .. } if lo >= 0.0 => self,
            Self { hi, .. } if hi <= 0.0 => self.neg(),
            Self { lo, hi } => Self { lo: 0.0, hi: hi.max(-lo) },
        }
    }

    fn neg(self) -> Self {
        Self { lo: -self.hi, hi: -self.lo }
    }

    fn add(self, other: Self) -> Self {
        Self { lo: sum(self.lo, other.lo).lo, hi: sum(self.hi, other.hi).hi }
    }

    fn mul(self, other: Self) -> Self {
        let Self { lo: a, hi: b } = self;
        let Self { lo: c, hi: d } = other;
        Self::hull([product(a, c), product(a, d), product(b, c), product(b, d)])
    }

    fn div(self, other: Self) -> Self {
        if other.contains(0.0) {
            return Self::WHOLE;
        }
        let Self { lo: a, hi: b } = self;
        let Self { lo: c, hi: d } = other;
        Self::hull([quotient(a, c), quotient(a, d), quotient(b, c), quotient(b, d)])
    }

    fn pow(self, exponent: Self) -> Result<Self, ScalarError> {
        let Self { lo, hi } = exponent;
        if lo == hi && lo.fract() == 0.0 && lo.is_finite() {
            return Ok(self.integer_power(lo));
        }
        let Self { lo: a, hi: b } = self.inside(0.0, INFINITY, Fun::Pow)?;
        if a == 0.0 && lo < 0.0 {
            return Ok(Self::WHOLE);
        }
        let corner = |x, y| around(pxfm::f_pow(x, y));
        let hull = Self::hull([corner(a, lo), corner(a, hi), corner(b, lo), corner(b, hi)]);
        Ok(hull.within(0.0, INFINITY))
    }

    fn integer_power(self, exponent: f64) -> Self {
        let power = |x: Self| x.rising(|x| pxfm::f_pow(x, exponent.abs()));
        let even = exponent % 2.0 == 0.0;
        if exponent == 0.0 {
            ONE
        } else if exponent < 0.0 {
            ONE.div(self.integer_power(-exponent))
        } else if exponent == 1.0 {
            self
        } else if even {
            power(self.abs()).within(0.0, INFINITY)
        } else {
            power(self)
        }
    }

    /// The angles of the points (x, y) with y in `self`: at the corners of the
    /// box, unless the box meets the cut along the negative x axis.
    fn atan2(self, x: Self) -> Self {
        let turn = PI.next_up();
        if x.lo <= 0.0 && self.contains(0.0) {
            return Self { lo: -turn, hi: turn };
        }
        let corner = |y, x| around(pxfm::f_atan2(y, x));
        let Self { lo: c, hi: d } = self;
        let corners = [corner(c, x.lo), corner(c, x.hi), corner(d, x.lo), corner(d, x.hi)];
        Self::hull(corners).within(-turn, turn)
    }
}

const ONE: Interval = Interval { lo: 1.0, hi: 1.0 };

/// Results above this are far enough from underflow for residuals to be exact.
const SAFE: f64 = 1e-280;

/// The enclosure of an exact value that is within one ulp of `value`.
fn around(value: f64) -> Interval {
    outward(value, f64::NAN)
}

/// The enclosure of `value + residual`, which `value` is a nearest `f64` to; a
/// residual that is not finite is unknown.
fn outward(value: f64, residual: f64) -> Interval {
    if value.is_nan() {
        return Interval::WHOLE;
    }
    let known = residual.is_finite();
    Interval {
        lo: if known && residual >= 0.0 { value } else { value.next_down() },
        hi: if known && residual <= 0.0 { value } else { value.next_up() },
    }
}

/// `a + b`, with the exact residual by two-sum.
fn sum(a: f64, b: f64) -> Interval {
    let sum = a + b;
    let b_part = sum - a;
    outward(sum, (a - (sum - b_part)) + (b - b_part))
}

/// `a b`; 0 times an unbounded end is 0.
fn product(a: f64, b: f64) -> Interval {
    if a == 0.0 || b == 0.0 {
        return Interval { lo: 0.0, hi: 0.0 };
    }
    let product = a * b;
    outward(product, if product.abs() > SAFE { a.mul_add(b, -product) } else { f64::NAN })
}

/// `a / b`, b not 0.
fn quotient(a: f64, b: f64) -> Interval {
    if a == 0.0 {
        return Interval { lo: 0.0, hi: 0.0 };
    }
    let quotient = a / b;
    let exact = quotient.abs() > SAFE && a.abs() > SAFE;
    outward(quotient, if exact { (-quotient).mul_add(b, a) * b.signum() } else { f64::NAN })
}

/// The enclosure of a rational number.
fn enclose(exact: &RBig, nearest: f64) -> Interval {
    match RBig::try_from(nearest) {
        Ok(value) => match value.cmp(exact) {
            Ordering::Less => Interval { lo: nearest, hi: nearest.next_up() },
            Ordering::Equal => Interval { lo: nearest, hi: nearest },
            Ordering::Greater => Interval { lo: nearest.next_down(), hi: nearest },
        },
        Err(_) => around(nearest),
    }
}

impl Scalar for Interval {
    fn constant(value: &Number) -> Self {
        enclose(value.exact(), value.nearest())
    }

    fn integer(value: i64) -> Self {
        enclose(&RBig::from(value), value as f64)
    }

    fn pi() -> Result<Self, ScalarError> {
        Ok(Self { lo: PI, hi: PI.next_up() })
    }

    fn infinity(negative: bool) -> Result<Self, ScalarError> {
        let end = if negative { -INFINITY } else { INFINITY };
        Ok(Self { lo: end, hi: end })
    }

    fn unary(fun: Fun, x: &Self) -> Result<Self, ScalarError> {
        let x = *x;
        Ok(match fun {
            Fun::Neg => x.neg(),
            Fun::Exp => x.rising(pxfm::f_exp).within(0.0, INFINITY),
            Fun::Expm1 => x.rising(pxfm::f_expm1).within(-1.0, INFINITY),
            Fun::Log => x.inside(0.0, INFINITY, fun)?.rising(pxfm::f_log),
            Fun::Log1p => x.inside(-1.0, INFINITY, fun)?.rising(pxfm::f_log1p),
            Fun::Sin => x.wave(pxfm::f_sin, 2.0 * PI, 0.25, 0.75),
            Fun::Cos => x.wave(pxfm::f_cos, 2.0 * PI, 0.0, 0.5),
            Fun::Tan if x.may_contain(PI, 0.5) => Self::WHOLE,
            Fun::Tan => x.rising(pxfm::f_tan),
            Fun::Asin => x.inside(-1.0, 1.0, fun)?.rising(pxfm::f_asin),
            Fun::Acos => x.inside(-1.0, 1.0, fun)?.rising(pxfm::f_acos).within(0.0, INFINITY),
            Fun::Atan => x.rising(pxfm::f_atan),
            Fun::Sinh => x.rising(pxfm::f_sinh),
            Fun::Cosh => x.abs().rising(pxfm::f_cosh).within(1.0, INFINITY),
            Fun::Tanh => x.rising(pxfm::f_tanh).within(-1.0, 1.0),
            Fun::Sqrt => x.inside(0.0, INFINITY, fun)?.sqrt(),
            Fun::Abs => x.abs(),
            Fun::Sigmoid => ONE.div(ONE.add(Self::unary(Fun::Exp, &x.neg())?)).within(0.0, 1.0),
            Fun::Erf => x.rising(pxfm::f_erf).within(-1.0, 1.0),
            Fun::Lgamma | Fun::Digamma | Fun::Trigamma => {
                return Err(ScalarError::NotEnclosed { function: name(fun) });
            }
            two_arguments!() | Fun::User(_) => wrong_arity(fun),
        })
    }

    fn binary(fun: Fun, x: &Self, y: &Self) -> Result<Self, ScalarError> {
        let (x, y) = (*x, *y);
        Ok(match fun {
            Fun::Add => x.add(y),
            Fun::Mul => x.mul(y),
            Fun::Div => x.div(y),
            Fun::Pow => x.pow(y)?,
            Fun::Atan2 => x.atan2(y),
            Fun::Min => Self { lo: x.lo.min(y.lo), hi: x.hi.min(y.hi) },
            Fun::Max => Self { lo: x.lo.max(y.lo), hi: x.hi.max(y.hi) },
            one_argument!() | Fun::User(_) => wrong_arity(fun),
        })
    }

    fn compare(&self, other: &Self) -> Result<Option<Ordering>, ScalarError> {
        match (self, other) {
            (x, y) if x.hi < y.lo => Ok(Some(Ordering::Less)),
            (x, y) if x.lo > y.hi => Ok(Some(Ordering::Greater)),
            (x, y) if x.lo == y.hi && x.hi == y.lo => Ok(Some(Ordering::Equal)),
            (x, y) => Err(x.undecided(format!("a comparison with {}", y.text()))),
        }
    }

    fn floor(&self) -> Result<i64, ScalarError> {
        let (lo, hi) = (floor_f64(self.lo)?, floor_f64(self.hi)?);
        if lo == hi { Ok(lo) } else { Err(self.undecided("its floor")) }
    }
}
