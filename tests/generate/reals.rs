//! Real expressions.

use super::builder::{Builder, EXACT, Element, Flavour, MAX_VARIABLES, Promise, Size, Tensor};
use super::index::Access;

/// How an expression binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Row {
    /// `if`, `let`
    Open,
    Sum,
    Minus,
    /// A product, or a reduction, which takes the rest of a product.
    Chain,
    Power,
    Operand,
}

/// The text of a real expression.
pub(crate) struct Real {
    pub(crate) text: String,
    pub(crate) row: Row,
    pub(crate) size: Size,
}

impl Real {
    pub(crate) fn new(row: Row, text: String, size: Size) -> Self {
        Self { text, row, size }
    }

    fn within(&self, least: Row) -> String {
        if self.row < least { format!("({})", self.text) } else { self.text.clone() }
    }

    pub(crate) fn summand(&self) -> String {
        self.within(Row::Chain)
    }

    pub(crate) fn factor(&self) -> String {
        self.within(Row::Power)
    }

    fn operand(&self) -> String {
        self.within(Row::Operand)
    }
}

pub(crate) fn exact(bits: u32) -> Size {
    Size { bits, rounded: false }
}

/// `[guards] * product`
fn guarded(product: String, guards: &[String], size: Size) -> Real {
    let guard =
        if guards.is_empty() { String::new() } else { format!("[{}] * ", guards.join(" and ")) };
    Real::new(Row::Chain, format!("{guard}{product}"), size)
}

/// The size of a sum or product of two.
pub(crate) fn both(a: Size, b: Size) -> Size {
    Size { bits: a.bits + b.bits + 1, rounded: a.rounded || b.rounded }
}

type Make = fn(&mut Builder<'_>, u32, u32) -> Option<Real>;

/// The forms with their weights; each gives nothing where it has no place.
const FORMS: [(usize, Make); 17] = [
    (6, |b, _, limit| Some(b.leaf(limit))),
    (7, |b, fuel, limit| b.sum(fuel, limit)),
    (7, |b, fuel, limit| b.product(fuel, limit)),
    (6, |b, fuel, limit| b.bracketed(fuel, limit)),
    (8, |b, fuel, limit| b.reduction(fuel, limit)),
    (3, |b, fuel, limit| b.power(fuel, limit)),
    (4, |b, fuel, limit| b.conditional(fuel, limit)),
    (4, |b, fuel, limit| b.indicator(fuel, limit)),
    (4, |b, fuel, limit| b.quotient(fuel, limit)),
    (2, |b, fuel, limit| b.extreme_of_two(fuel, limit)),
    (2, |b, fuel, limit| b.negated(fuel, limit)),
    (3, |b, fuel, limit| b.index_as_real(fuel, limit)),
    (3, |b, fuel, limit| b.binding(fuel, limit)),
    (4, |b, fuel, limit| b.call(fuel, limit)),
    (4, |b, fuel, limit| b.function(fuel, limit)),
    (2, |b, fuel, limit| b.recurrence_inside(fuel, limit)),
    (2, |b, fuel, limit| b.absolute(fuel, limit)),
];

/// Binary digits of the arguments of functions in programs of arrays: rounding changes the sine of a large number.
pub(crate) const MODEST: u32 = 24;

/// Functions of one argument: the construct, what stands before the argument and after.
/// Each form is inside the domain, away from poles, and grows by little.
#[rustfmt::skip]
const FUNCTIONS: [(&str, &str, &str); 18] = [
    ("sin", "sin(", ")"),
    ("cos", "cos(", ")"),
    ("tanh", "tanh(", ")"),
    ("sigmoid", "sigmoid(", ")"),
    ("erf", "erf(", ")"),
    ("atan", "atan(", ")"),
    ("exp", "exp(-abs(", "))"),
    ("exp", "exp(sin(", "))"),
    ("expm1", "expm1(-abs(", "))"),
    ("expm1", "expm1(cos(", "))"),
    ("log", "log(2 + sin(", "))"),
    ("log1p", "log1p(", "^2)"),
    ("sqrt", "sqrt(1 + ", "^2)"),
    ("tan", "tan(sin(", "))"),
    ("asin", "asin(0.5 * sin(", "))"),
    ("acos", "acos(0.5 * cos(", "))"),
    ("sinh", "sinh(sin(", "))"),
    ("cosh", "cosh(tanh(", "))"),
];

impl Builder<'_> {
    /// A real of at most `limit` binary digits.
    pub(crate) fn real(&mut self, fuel: u32, limit: u32) -> Real {
        let limit = if self.exact { limit.min(EXACT) } else { limit };
        if fuel == 0 || limit < 8 || self.choices.exhausted() {
            return self.leaf(limit);
        }
        let make = self.choices.weighted(&FORMS);
        match make(self, fuel - 1, limit) {
            Some(made) => made,
            None => self.leaf(limit),
        }
    }

    /// An access or a number.
    pub(crate) fn leaf(&mut self, limit: u32) -> Real {
        if self.choices.chance(1, 6) {
            return self.constant_leaf();
        }
        match self.entry(limit) {
            Some((Access { text, guards }, size)) if guards.is_empty() => {
                Real::new(Row::Operand, text, size)
            }
            Some((Access { text, guards }, size)) => {
                self.note("guarded access");
                let guard = guards.join(" and ");
                let text = match self.choices.below(5) {
                    0 => format!("{text} * [{guard}]"),
                    1 if guards.len() > 1 => {
                        let each: Vec<String> = guards.iter().map(|g| format!("[{g}]")).collect();
                        format!("{} * {text}", each.join(" * "))
                    }
                    _ => format!("[{guard}] * {text}"),
                };
                Real::new(Row::Chain, text, size)
            }
            None => self.constant_leaf(),
        }
    }

    fn constant_leaf(&mut self) -> Real {
        if self.constant && self.choices.chance(1, 4) {
            self.note("constant of the file");
            return Real::new(Row::Operand, "half".to_owned(), exact(2));
        }
        if self.flavour != Flavour::Rational && !self.exact && self.choices.chance(1, 6) {
            self.note("pi");
            return Real::new(Row::Operand, "pi".to_owned(), Size { bits: 53, rounded: true });
        }
        Real::new(Row::Operand, self.number(), exact(3))
    }

    pub(crate) fn number(&mut self) -> String {
        self.choices.pick(&["1", "2", "0.5", "0", "3", "1.5"]).to_owned()
    }

    /// An entry of a real tensor.
    pub(crate) fn entry(&mut self, limit: u32) -> Option<(Access, Size)> {
        let fits = |t: &&Tensor| match t.element {
            Element::Real(size) => self.fits(size, limit),
            Element::Index(_) => false,
        };
        let mut tensors: Vec<Tensor> = self.tensors.iter().filter(fits).cloned().collect();
        let open: Vec<Tensor> = tensors.iter().filter(|t| t.steps > 0).cloned().collect();
        if !open.is_empty() && self.choices.chance(1, 2) {
            tensors = open;
        }
        if tensors.is_empty() {
            return None;
        }
        let tensor = self.choices.pick(&tensors);
        let Element::Real(size) = tensor.element else { return None };
        Some((self.part(&tensor, tensor.shape.len(), 0), size))
    }

    fn sum(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        self.note("sum of two");
        let first = self.real(fuel, limit / 2 - 1);
        let second = self.real(fuel, limit / 2 - 1);
        let sign = self.choices.pick(&["+", "-"]);
        let text = format!("{} {sign} {}", first.summand(), second.summand());
        Some(Real::new(Row::Sum, text, both(first.size, second.size)))
    }

    fn product(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        self.note("product");
        let count = 2 + self.choices.below(2) as u32;
        let mut factors = Vec::new();
        let mut size = exact(0);
        for _ in 0..count {
            let factor = self.real(fuel, limit / count - 1);
            size = both(size, factor.size);
            factors.push(self.factor(&factor));
        }
        Some(Real::new(Row::Chain, factors.join(" * "), size))
    }

    /// As a factor, with a minus sometimes.
    fn factor(&mut self, real: &Real) -> String {
        let factor = real.factor();
        if real.row >= Row::Power && self.choices.chance(1, 10) {
            format!("-{factor}")
        } else {
            factor
        }
    }

    /// `[p] * e`, `e * [p] * [q]`
    fn bracketed(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        self.note("guard in a product");
        let guard = self.guard(2).text;
        let body = self.real(fuel, limit);
        let text = match self.choices.below(4) {
            0 | 1 => format!("[{guard}] * {}", body.factor()),
            2 => format!("{} * [{guard}]", body.factor()),
            _ => format!("[{guard}] * [{}] * {}", self.guard(1).text, body.factor()),
        };
        Some(Real::new(Row::Chain, text, body.size))
    }

    fn power(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        self.note("power");
        let exponent = self.choices.pick(&[2, 3, 1, 0]);
        let base = self.real(fuel, limit / 3);
        let size = Size { bits: base.size.bits * 3, ..base.size };
        Some(Real::new(Row::Power, format!("{}^{exponent}", base.operand()), size))
    }

    fn conditional(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        self.note("conditional real");
        let guard = self.guard(1).text;
        let (a, b) = (self.real(fuel, limit / 2 - 1), self.real(fuel, limit / 2 - 1));
        let text = format!("if {guard} then {} else {}", a.text, b.text);
        Some(Real::new(Row::Open, text, both(a.size, b.size)))
    }

    /// An indicator as a number.
    fn indicator(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        self.note("indicator as a number");
        let guard = self.guard(2).text;
        Some(match self.choices.below(4) {
            0 => Real::new(Row::Operand, format!("[{guard}]"), exact(1)),
            1 => Real::new(Row::Power, format!("[{guard}]^2"), exact(1)),
            2 => Real::new(Row::Sum, format!("1 - [{guard}]"), exact(2)),
            _ => {
                let other = self.real(fuel, limit - 3);
                let text = format!("(1 + [{guard}]) * {}", other.factor());
                Real::new(Row::Chain, text, both(exact(1), other.size))
            }
        })
    }

    /// A quotient, with what keeps its divisor from 0.
    fn quotient(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        if self.exact {
            return None;
        }
        let half = limit / 2 - 1;
        let ((divisor, safe), size) = self.divisor(half)?;
        let dividend = self.real(fuel, half);
        let size = Size { rounded: true, ..both(size, dividend.size) };
        let Access { text: divisor, mut guards } = divisor;
        let a = dividend.factor();
        self.note("quotient");
        if safe {
            self.note("quotient by data that are not 0");
            return Some(guarded(format!("{a} / {divisor}"), &guards, size));
        }
        let way = self.choices.below(4);
        if way == 0 {
            let size = Size { bits: size.bits * 2 + 2, ..size };
            return Some(guarded(format!("{a} / (1 + {divisor}^2)"), &guards, size));
        }
        guards.push(format!("{divisor} != 0"));
        let guard = guards.join(" and ");
        Some(match way {
            1 => {
                let text = format!("if {guard} then {a} / {divisor} else 1");
                Real::new(Row::Open, text, size)
            }
            2 => Real::new(Row::Chain, format!("[{guard}] * {a} * {divisor}^-1"), size),
            _ => Real::new(Row::Chain, format!("{a} / {divisor} * [{guard}]"), size),
        })
    }

    /// An entry whose comparison with 0 is certain, and whether it is never 0.
    fn divisor(&mut self, limit: u32) -> Option<((Access, bool), Size)> {
        let safe = |t: &&Tensor| t.promise == Promise::Nonzero;
        let tensors: Vec<Tensor> = self.tensors.iter().filter(safe).cloned().collect();
        if !tensors.is_empty() && self.choices.chance(1, 2) {
            let tensor = self.choices.pick(&tensors);
            return Some(((self.part(&tensor, tensor.shape.len(), 0), true), exact(4)));
        }
        let (access, size) = self.exactly(|b| b.entry((limit / 2).min(EXACT)))?;
        Some(((access, false), size))
    }

    fn extreme_of_two(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        self.note("max or min of two");
        let (a, b) = self.surely(|b| (b.real(fuel, limit / 2 - 1), b.real(fuel, limit / 2 - 1)));
        let name = self.choices.pick(&["max", "min"]);
        let text = format!("{name}({}, {})", a.text, b.text);
        Some(Real::new(Row::Operand, text, both(a.size, b.size)))
    }

    fn negated(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        self.note("negated real");
        let inner = self.real(fuel, limit);
        Some(Real::new(Row::Minus, format!("-{}", inner.summand()), inner.size))
    }

    fn absolute(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        self.note("abs");
        let inner = self.surely(|b| b.real(fuel, limit));
        Some(Real::new(Row::Operand, format!("abs({})", inner.text), inner.size))
    }

    fn index_as_real(&mut self, _: u32, _: u32) -> Option<Real> {
        self.note("index as a real");
        let place = self.free_index(0);
        let size = exact(if self.is_arrays() { 10 } else { 6 });
        if place.guards.is_empty() {
            return Some(Real::new(Row::Operand, format!("real({})", place.text), size));
        }
        let text = format!("[{}] * real({})", place.guards.join(" and "), place.text);
        Some(Real::new(Row::Chain, text, size))
    }

    /// A function that rationals do not have; nothing where only exact values may stand.
    fn function(&mut self, fuel: u32, limit: u32) -> Option<Real> {
        if self.flavour == Flavour::Rational || self.exact {
            return self.product(fuel, limit);
        }
        self.note("transcendental function");
        let size = Size { bits: 53, rounded: true };
        let other = match self.choices.below(10) {
            0 => Some(self.power_of_two_reals(fuel, limit)),
            1 => Some(self.angle(fuel, limit)),
            2 => self.guarded_logarithm(),
            _ => None,
        };
        if other.is_some() {
            return other;
        }
        let inner = self.real(fuel, limit.min(if self.is_arrays() { MODEST } else { 200 }));
        let (construct, before, after) = self.choices.pick(&FUNCTIONS);
        if before.contains("abs") && self.is_arrays() && inner.size.rounded {
            return None;
        }
        self.note(construct);
        // a square binds its base alone; anything else is in brackets of its own
        let inner = if after.contains('^') { inner.operand() } else { inner.text };
        Some(Real::new(Row::Operand, format!("{before}{inner}{after}"), size))
    }

    /// `(1 + a^2)^sin(b)`: a positive base, and an exponent that is no constant.
    fn power_of_two_reals(&mut self, fuel: u32, limit: u32) -> Real {
        let (a, b) = (self.real(fuel, limit.min(100)), self.real(fuel, limit.min(100)));
        self.note("power with a real exponent");
        let text = format!("(1 + {}^2)^sin({})", a.operand(), b.text);
        Real::new(Row::Power, text, Size { bits: 53, rounded: true })
    }

    /// `atan2(y, 1 + x^2)`: away from the cut.
    fn angle(&mut self, fuel: u32, limit: u32) -> Real {
        let (y, x) = (self.real(fuel, limit.min(100)), self.real(fuel, limit.min(100)));
        self.note("atan2");
        let text = format!("atan2({}, 1 + {}^2)", y.text, x.operand());
        Real::new(Row::Operand, text, Size { bits: 53, rounded: true })
    }

    /// `[x[i] > 0] * log(x[i])`
    fn guarded_logarithm(&mut self) -> Option<Real> {
        let (Access { text, mut guards }, _) = self.exactly(|b| b.entry(EXACT))?;
        guards.push(format!("{text} > 0"));
        self.note("log");
        Some(guarded(format!("log({text})"), &guards, Size { bits: 53, rounded: true }))
    }

    /// Whether one more variable may be bound here.
    pub(crate) fn may_bind(&self, count: usize) -> bool {
        self.variables.len() + count <= MAX_VARIABLES
    }
}
