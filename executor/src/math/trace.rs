//! A kernel that writes itself down: [`Term`] is a [`Real`] whose arithmetic makes C text.
//!
//! A [`Trace`] holds the operations in order. Printing gives a name to every value that is used
//! more than once, that the kernel names, or that a choice takes: so choices are between values that
//! stand there, which a C compiler can vectorise. All else is printed within its user.

use super::real::{Real, Truth, Word};
use std::cell::RefCell;
use std::fmt::Write;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// The operations of one kernel.
#[derive(Default)]
pub(super) struct Trace {
    nodes: RefCell<Vec<Node>>,
}

/// What a value is in C.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Real,
    Bits,
    Test,
}

/// One operation: its operands, and its text with `@` for each of them.
struct Node {
    kind: Kind,
    text: String,
    operands: Vec<usize>,
    name: Option<&'static str>,
    /// Constants and parameters: printed in place.
    atom: bool,
}

/// A value of a trace.
#[derive(Clone, Copy)]
pub(super) struct Term<'t> {
    trace: &'t Trace,
    id: usize,
}

impl Trace {
    fn push(&self, kind: Kind, text: &str, operands: &[usize]) -> Term<'_> {
        let node = Node {
            kind,
            text: text.to_owned(),
            operands: operands.to_vec(),
            name: None,
            atom: false,
        };
        self.add(node)
    }

    /// The value of a node; an operation that stands there already is not repeated.
    fn add(&self, node: Node) -> Term<'_> {
        let mut nodes = self.nodes.borrow_mut();
        let same = |old: &Node| old.text == node.text && old.operands == node.operands;
        if let Some(id) = nodes.iter().position(same) {
            return Term { trace: self, id };
        }
        nodes.push(node);
        Term { trace: self, id: nodes.len() - 1 }
    }

    fn atom(&self, text: String) -> Term<'_> {
        self.add(Node { kind: Kind::Real, text, operands: Vec::new(), name: None, atom: true })
    }

    /// A parameter.
    pub(super) fn parameter(&self, name: &str) -> Term<'_> {
        self.atom(name.to_owned())
    }

    /// The statements that compute `result` and return it.
    pub(super) fn print(&self, result: Term<'_>) -> String {
        let nodes = self.nodes.borrow();
        let mut used = vec![0_usize; nodes.len()];
        used[result.id] = 1;
        for id in (0..nodes.len()).rev().filter(|id| *id <= result.id) {
            if used[id] > 0 {
                nodes[id].operands.iter().for_each(|&operand| used[operand] += 1);
            }
        }
        let mut chosen = vec![false; nodes.len()];
        for node in nodes.iter().filter(|node| node.text == CHOICE) {
            node.operands[1..].iter().for_each(|&operand| chosen[operand] = true);
        }
        let mut texts: Vec<String> = Vec::with_capacity(nodes.len());
        let mut names = Names::default();
        let mut out = String::new();
        for (id, node) in nodes.iter().enumerate() {
            let text =
                fill(&node.text, node.operands.iter().map(|&operand| texts[operand].as_str()));
            let stands = used[id] > 1 || chosen[id] || node.name.is_some() || text.len() > LONGEST;
            texts.push(if used[id] == 0 || node.atom || !stands || id == result.id {
                text
            } else {
                let name = names.fresh(node.name.unwrap_or(node.kind.letter()));
                let _ = writeln!(out, "    const {} {name} = {};", node.kind.c(), outermost(&text));
                name
            });
        }
        let _ = writeln!(out, "    return {};", outermost(&texts[result.id]));
        out
    }
}

/// The text of a choice.
const CHOICE: &str = "(@ ? @ : @)";
/// Longer expressions are named.
const LONGEST: usize = 100;

impl Kind {
    fn c(self) -> &'static str {
        match self {
            Self::Real => "double",
            Self::Bits => "uint64_t",
            Self::Test => "int",
        }
    }

    fn letter(self) -> &'static str {
        match self {
            Self::Real => "v",
            Self::Bits => "bits",
            Self::Test => "test",
        }
    }
}

/// Names given so far, and how often each was asked for.
#[derive(Default)]
struct Names(Vec<(&'static str, usize)>);

impl Names {
    fn fresh(&mut self, base: &'static str) -> String {
        let place = self.0.iter().position(|(name, _)| *name == base).unwrap_or_else(|| {
            self.0.push((base, 0));
            self.0.len() - 1
        });
        self.0[place].1 += 1;
        let count = self.0[place].1;
        if count == 1 { base.to_owned() } else { format!("{base}_{count}") }
    }
}

/// `@` replaced by the operands in order.
fn fill<'a>(text: &str, operands: impl Iterator<Item = &'a str>) -> String {
    let mut pieces = text.split('@');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for (operand, piece) in operands.zip(pieces) {
        out.push_str(operand);
        out.push_str(piece);
    }
    out
}

/// Without the brackets around the whole.
fn outermost(text: &str) -> &str {
    let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) else {
        return text;
    };
    let mut depth = 0_i32;
    let closes_early = inner.chars().any(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth < 0
    });
    if closes_early { text } else { inner }
}

/// A double as C writes it exactly: `0x1.8p+1`.
pub(super) fn hex(x: f64) -> String {
    if x.is_nan() {
        return "(double)NAN".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "(double)INFINITY" } else { "-(double)INFINITY" }.to_owned();
    }
    if x == x.trunc() && x.abs() < 1e6 {
        return if x.is_sign_negative() { format!("({x:.1})") } else { format!("{x:.1}") };
    }
    let bits = x.to_bits();
    let (exponent, fraction) = (bits >> 52 & 0x7ff, bits & 0x000f_ffff_ffff_ffff);
    let (lead, power) = if exponent == 0 { (0, -1022) } else { (1, exponent as i64 - 1023) };
    let digits = format!("{fraction:013x}");
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    let magnitude = format!("0x{lead}{point}{digits}p{power:+}");
    if x.is_sign_negative() { format!("(-{magnitude})") } else { magnitude }
}

impl<'t> Term<'t> {
    fn push(self, kind: Kind, text: &str, others: &[Term<'t>]) -> Self {
        let operands: Vec<usize> =
            [self.id].into_iter().chain(others.iter().map(|o| o.id)).collect();
        self.trace.push(kind, text, &operands)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $text:literal;)*) => {$(
        impl<'t> $trait for Term<'t> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.push(Kind::Real, $text, &[other])
            }
        }
        impl<'t> $trait<f64> for Term<'t> {
            type Output = Self;
            fn $method(self, other: f64) -> Self {
                self.push(Kind::Real, $text, &[self.lift(other)])
            }
        }
    )*};
}

operators! {
    Add add "(@ + @)";
    Sub sub "(@ - @)";
    Mul mul "(@ * @)";
    Div div "(@ / @)";
}

impl Neg for Term<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.push(Kind::Real, "(-@)", &[])
    }
}

/// The bits of a value of a trace.
#[derive(Clone, Copy)]
pub(super) struct Bits<'t>(Term<'t>);

impl<'t> Bits<'t> {
    /// A parameter.
    pub(super) fn parameter(trace: &'t Trace, name: &str) -> Self {
        Self(trace.atom(name.to_owned()))
    }
}

/// A comparison in a trace.
#[derive(Clone, Copy)]
pub(super) struct Test<'t>(Term<'t>);

impl<'t> Real for Term<'t> {
    type Bits = Bits<'t>;
    type Test = Test<'t>;

    fn lift(self, c: f64) -> Self {
        self.trace.atom(hex(c))
    }

    fn bits(self) -> Bits<'t> {
        Bits(self.push(Kind::Bits, "iv_bits(@)", &[]))
    }

    fn lt(self, other: Self) -> Test<'t> {
        Test(self.push(Kind::Test, "(@ < @)", &[other]))
    }

    fn same(self, other: Self) -> Test<'t> {
        Test(self.push(Kind::Test, "(@ == @)", &[other]))
    }

    fn choose(test: Test<'t>, yes: Self, no: Self) -> Self {
        test.0.push(Kind::Real, CHOICE, &[yes, no])
    }

    fn root(self) -> Self {
        self.push(Kind::Real, "sqrt(@)", &[])
    }

    fn named(self, name: &'static str) -> Self {
        if let Some(node) = self.trace.nodes.borrow_mut().get_mut(self.id) {
            node.name.get_or_insert(name);
        }
        self
    }
}

impl<'t> Word for Bits<'t> {
    type Real = Term<'t>;

    fn plus(self, c: u64) -> Self {
        Self(self.0.push(Kind::Bits, &format!("(@ + {c:#x}u)"), &[]))
    }

    fn minus(self, other: Self) -> Self {
        Self(self.0.push(Kind::Bits, "(@ - @)", &[other.0]))
    }

    fn any(self, mask: u64) -> Test<'t> {
        Test(self.0.push(Kind::Test, &format!("((@ & {mask:#x}u) != 0)"), &[]))
    }

    fn and(self, c: u64) -> Self {
        Self(self.0.push(Kind::Bits, &format!("(@ & {c:#x}u)"), &[]))
    }

    fn or(self, other: Self) -> Self {
        Self(self.0.push(Kind::Bits, "(@ | @)", &[other.0]))
    }

    fn xor(self, other: Self) -> Self {
        Self(self.0.push(Kind::Bits, "(@ ^ @)", &[other.0]))
    }

    fn left(self, n: u32) -> Self {
        Self(self.0.push(Kind::Bits, &format!("(@ << {n})"), &[]))
    }

    fn right(self, n: u32) -> Self {
        Self(self.0.push(Kind::Bits, &format!("(@ >> {n})"), &[]))
    }

    fn real(self) -> Term<'t> {
        self.0.push(Kind::Real, "iv_real(@)", &[])
    }

    fn named(self, name: &'static str) -> Self {
        Self(self.0.named(name))
    }
}

impl Truth for Test<'_> {
    fn and(self, other: Self) -> Self {
        Self(self.0.push(Kind::Test, "(@ & @)", &[other.0]))
    }

    fn or(self, other: Self) -> Self {
        Self(self.0.push(Kind::Test, "(@ | @)", &[other.0]))
    }

    fn not(self) -> Self {
        Self(self.0.push(Kind::Test, "(!@)", &[]))
    }
}
