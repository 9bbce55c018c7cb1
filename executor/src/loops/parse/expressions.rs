//! Integers, reals and conditions.

use super::super::{BufferId, CmpOp, Cond, Element, Int, IntId, Real};
use super::lexer::Token;
use super::{Name, Parse, Parser};
use iverson_spec::function::Fun;

/// The terms that a sum may have: they are compared in pairs.
const MAX_TERMS: usize = 4096;

const INT: &str = "an integer: a number, a size, a variable, an entry, `floor(..)` or `(..)`";
const REAL: &str =
    "a real: a number as in `2.0`, a variable, an entry, a function, `real(..)` or `(..)`";
const COND: &str = "a condition: a comparison of integers (`<`) or of reals (`<.`), a lookup, `not`, `true`, `false` or `(..)`";

/// The comparisons of integers; those of reals have a dot.
const COMPARISONS: [(CmpOp, &str, &str); 6] = [
    (CmpOp::Eq, "=", "=."),
    (CmpOp::Ne, "!=", "!=."),
    (CmpOp::Lt, "<", "<."),
    (CmpOp::Le, "<=", "<=."),
    (CmpOp::Gt, ">", ">."),
    (CmpOp::Ge, ">=", ">=."),
];

/// A comparison of integers or of reals.
#[derive(Clone, Copy)]
enum Compare {
    Ints(CmpOp),
    Reals(CmpOp),
}

fn comparison(token: &Token<'_>) -> Option<Compare> {
    let Token::Symbol(symbol) = token else { return None };
    COMPARISONS.iter().find_map(|(cmp, int, real)| {
        let ints = (int == symbol).then_some(Compare::Ints(*cmp));
        ints.or((real == symbol).then_some(Compare::Reals(*cmp)))
    })
}

impl Parser<'_> {
    // Names.

    /// A name and what it stands for.
    pub(super) fn named(&mut self, wanted: &str) -> Parse<Name> {
        let Token::Word(word) = self.token() else { return self.fail(wanted) };
        match self.names.get(*word) {
            Some(name) => {
                let name = *name;
                self.advance();
                Ok(name)
            }
            None => self.fail(format!("{wanted}; names are declared before they are used")),
        }
    }

    pub(super) fn int_variable(&mut self) -> Parse<IntId> {
        let wanted = "an integer variable that `ints` declares";
        let at = self.at;
        match self.named(wanted)? {
            Name::Int(var) => Ok(var),
            Name::Size(_) | Name::Buffer(_) | Name::Relation(_) | Name::Real(_) => {
                self.fail_at(at, wanted)
            }
        }
    }

    /// `[i, j]`
    pub(super) fn indices(&mut self) -> Parse<Vec<Int>> {
        self.expect("[")?;
        self.list("]", Self::int)
    }

    fn load(&mut self, at: usize, buffer: BufferId, element: Element) -> Parse<Vec<Int>> {
        if self.out.buffer(buffer).element != element {
            let wanted = match element {
                Element::Int => "an integer; the entries of this buffer are reals",
                Element::Real => "a real; the entries of this buffer are integers: `real(..)`",
            };
            return self.fail_at(at, wanted);
        }
        self.indices()
    }

    /// `name(`: the name is taken if a bracket follows.
    fn accept_call(&mut self, word: &str) -> bool {
        let found = self.is_word(word) && matches!(self.next(), Token::Symbol("("));
        self.at += if found { 2 } else { 0 };
        found
    }

    // Integers.

    /// An integer: a sum or a conditional.
    pub(super) fn int(&mut self) -> Parse<Int> {
        self.deeper(|parser| {
            if parser.accept_word("if") {
                let cond = parser.cond()?;
                parser.expect_word("then")?;
                let yes = parser.int()?;
                parser.expect_word("else")?;
                return Ok(Int::Select(Box::new((cond, yes, parser.int()?))));
            }
            parser.sum()
        })
    }

    /// `2 * i - j + 3`
    fn sum(&mut self) -> Parse<Int> {
        let start = self.at;
        let (mut terms, mut constant) = (Vec::new(), 0_i128);
        let mut sign = if self.accept("-") { -1 } else { 1 };
        loop {
            let at = self.at;
            let number = self.magnitude()?;
            match number {
                Some(n) if !self.is("*") && !self.is("/") && !self.is("%") => {
                    constant += sign * n;
                }
                Some(n) if self.accept("*") => {
                    let term = self.tight()?;
                    let term = self.factors(term)?;
                    terms.push((self.narrow(at, sign * n)?, term));
                }
                Some(n) => {
                    let n = Int::Const(self.narrow(at, n)?);
                    terms.push((sign as i64, self.product(n)?));
                }
                None => {
                    let first = self.tight()?;
                    terms.push((sign as i64, self.product(first)?));
                }
            }
            if terms.len() > MAX_TERMS {
                return self.fail(format!("a sum of at most {MAX_TERMS} terms"));
            }
            sign = match self.symbol() {
                "+" => 1,
                "-" => -1,
                _ => return Ok(Int::linear(terms, self.narrow(start, constant)?)),
            };
            self.advance();
        }
    }

    /// A number of 64 bits without a sign, if there is one.
    fn magnitude(&mut self) -> Parse<Option<i128>> {
        let Token::Number(digits) = self.token() else { return Ok(None) };
        let Ok(n) = digits.parse::<u64>() else {
            return self.fail("an integer of at most 64 bits");
        };
        self.advance();
        Ok(Some(i128::from(n)))
    }

    fn narrow(&self, at: usize, n: i128) -> Parse<i64> {
        i64::try_from(n).or_else(|_| self.fail_at(at, "an integer of at most 64 bits"))
    }

    /// What follows a first operand: `* m`, `/ k`, `% k` or nothing.
    fn product(&mut self, first: Int) -> Parse<Int> {
        if self.accept("/") {
            if matches!(self.token(), Token::Number(_)) {
                return Ok(Int::Div(Box::new(first), self.divisor()?));
            }
            return Ok(Int::DivBy(Box::new((first, self.tight()?))));
        }
        if self.accept("%") {
            return Ok(Int::Mod(Box::new(first), self.divisor()?));
        }
        self.factors(first)
    }

    fn divisor(&mut self) -> Parse<i64> {
        let wanted = "a divisor of at least 1";
        let at = self.at;
        let k = self.digits(wanted)?;
        if k >= 1 { Ok(k) } else { self.fail_at(at, wanted) }
    }

    fn factors(&mut self, first: Int) -> Parse<Int> {
        if !self.is("*") {
            return Ok(first);
        }
        let mut factors = vec![first];
        while self.accept("*") {
            factors.push(self.tight()?);
        }
        Ok(Int::Product(factors))
    }

    /// An operand of a product.
    fn tight(&mut self) -> Parse<Int> {
        let at = self.at;
        if let Some(n) = self.magnitude()? {
            return Ok(Int::Const(self.narrow(at, n)?));
        }
        if self.accept("(") {
            let inner = self.int()?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.accept_call("floor") {
            let inner = self.real()?;
            self.expect(")")?;
            return Ok(Int::Floor(Box::new(inner)));
        }
        match self.named(INT)? {
            Name::Size(size) => Ok(Int::Size(size)),
            Name::Int(var) => Ok(Int::Var(var)),
            Name::Buffer(buffer) => Ok(Int::Load(buffer, self.load(at, buffer, Element::Int)?)),
            Name::Real(_) => self.fail_at(at, "an integer; reals are compared by `<.` and its kin"),
            Name::Relation(_) => self.fail_at(at, INT),
        }
    }

    // Reals.

    /// A real: operands with one operation, or a conditional.
    pub(super) fn real(&mut self) -> Parse<Real> {
        self.deeper(|parser| {
            if parser.accept_word("if") {
                let cond = parser.cond()?;
                parser.expect_word("then")?;
                let yes = parser.real()?;
                parser.expect_word("else")?;
                return Ok(Real::Select(Box::new((cond, yes, parser.real()?))));
            }
            if parser.accept("-") {
                return match parser.constant()? {
                    Some(x) => Ok(Real::Const(-x)),
                    None => Ok(Real::Apply(Fun::Neg, vec![parser.operand()?])),
                };
            }
            parser.operation()
        })
    }

    /// `a + b + c`, `a * b * c`, `a / b`, `a ^ b`; what stands in an operand has brackets.
    fn operation(&mut self) -> Parse<Real> {
        let first = self.operand()?;
        let (fun, symbol, several) = match self.symbol() {
            "+" => (Fun::Add, "+", true),
            "*" => (Fun::Mul, "*", true),
            "/" => (Fun::Div, "/", false),
            "^" => (Fun::Pow, "^", false),
            _ => return Ok(first),
        };
        self.advance();
        let mut args = vec![first, self.operand()?];
        while several && self.accept(symbol) {
            args.push(self.operand()?);
        }
        if ["+", "-", "*", "/", "^"].iter().any(|symbol| self.is(symbol)) {
            return self.fail(format!("brackets around `.. {symbol} ..`, or no other operation"));
        }
        Ok(Real::Apply(fun, args))
    }

    /// A constant without a sign, if there is one.
    fn constant(&mut self) -> Parse<Option<f64>> {
        let x = if let Token::Number(text) = *self.token() {
            match text.parse::<f64>() {
                Ok(x) if x.is_finite() => x,
                Ok(_) | Err(_) => return self.fail("a real below 1.8e308, or `inf`"),
            }
        } else {
            match self.word_here() {
                "inf" => f64::INFINITY,
                "NaN" => f64::NAN,
                _ => return Ok(None),
            }
        };
        self.advance();
        Ok(Some(x))
    }

    fn operand(&mut self) -> Parse<Real> {
        if let Some(x) = self.constant()? {
            return Ok(Real::Const(x));
        }
        if self.accept("(") {
            let inner = self.real()?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.accept_call("real") {
            let inner = self.int()?;
            self.expect(")")?;
            return Ok(Real::Int(inner));
        }
        if let Token::Word(word) = *self.token()
            && let Some(row) = Fun::named(word)
            && self.accept_call(word)
        {
            let at = self.at;
            let args = self.list(")", Self::real)?;
            if args.len() != row.arity {
                let many = if row.arity == 1 { "" } else { "s" };
                let wanted =
                    format!("{} argument{many} of `{word}`: it has {}", row.arity, args.len());
                return self.fail_at(at, wanted);
            }
            return Ok(Real::Apply(row.fun, args));
        }
        let at = self.at;
        match self.named(REAL)? {
            Name::Real(var) => Ok(Real::Var(var)),
            Name::Buffer(buffer) => Ok(Real::Load(buffer, self.load(at, buffer, Element::Real)?)),
            Name::Size(_) | Name::Int(_) => self.fail_at(at, "a real: an integer is `real(..)`"),
            Name::Relation(_) => self.fail_at(at, REAL),
        }
    }

    // Conditions.

    /// A condition: parts joined by one word.
    pub(super) fn cond(&mut self) -> Parse<Cond> {
        self.deeper(|parser| {
            if parser.accept_word("all") {
                return Ok(Cond::All(vec![parser.part()?]));
            }
            if parser.accept_word("any") {
                return Ok(Cond::Any(vec![parser.part()?]));
            }
            let first = parser.part()?;
            let word = parser.word_here();
            if !matches!(word, "and" | "or") {
                return Ok(first);
            }
            let mut parts = vec![first];
            while parser.accept_word(word) {
                parts.push(parser.part()?);
            }
            if parser.is_word("and") || parser.is_word("or") {
                return parser.fail(format!("brackets around `.. {word} ..`, or `{word}`"));
            }
            Ok(if word == "and" { Cond::All(parts) } else { Cond::Any(parts) })
        })
    }

    fn part(&mut self) -> Parse<Cond> {
        if self.accept_word("true") {
            return Ok(Cond::All(Vec::new()));
        }
        if self.accept_word("false") {
            return Ok(Cond::Any(Vec::new()));
        }
        if self.accept_word("not") {
            return self.deeper(|parser| Ok(Cond::Not(Box::new(parser.part()?))));
        }
        match self.compare_ahead() {
            Some(Compare::Ints(cmp)) => {
                let left = self.int()?;
                self.compare(cmp.symbol())?;
                Ok(Cond::Int(cmp, left, self.int()?))
            }
            Some(Compare::Reals(cmp)) => {
                let left = self.real()?;
                self.compare(&format!("{}.", cmp.symbol()))?;
                Ok(Cond::Real(cmp, Box::new((left, self.real()?))))
            }
            None if self.accept("(") => {
                let inner = self.cond()?;
                self.expect(")")?;
                Ok(inner)
            }
            None => self.member(),
        }
    }

    fn compare(&mut self, symbol: &str) -> Parse<()> {
        if self.accept(symbol) { Ok(()) } else { self.fail(format!("an operation or `{symbol}`")) }
    }

    /// The comparison that the part which begins here is, if it is one.
    fn compare_ahead(&self) -> Option<Compare> {
        let mut at = self.at;
        loop {
            let lexed = self.lexed(at);
            if at > self.at && lexed.first {
                return None;
            }
            if let Some(compare) = comparison(&lexed.token) {
                return Some(compare);
            }
            match lexed.token {
                Token::Symbol("(" | "[") => at = lexed.close? + 1,
                Token::Symbol("+" | "-" | "*" | "/" | "%" | "^") | Token::Number(_) => at += 1,
                Token::Word("and" | "or" | "then" | "else") => return None,
                Token::Word(_) => at += 1,
                Token::Symbol(_)
                | Token::Quoted(_)
                | Token::Note(_)
                | Token::Odd(_)
                | Token::End => {
                    return None;
                }
            }
        }
    }

    /// `R(i, j)`
    fn member(&mut self) -> Parse<Cond> {
        let at = self.at;
        let Name::Relation(relation) = self.named(COND)? else { return self.fail_at(at, COND) };
        self.expect("(")?;
        Ok(Cond::Member(relation, self.list(")", Self::int)?))
    }
}
