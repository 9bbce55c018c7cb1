//! Expressions: one function for each row of the precedence table, loosest first.

use super::{Fail, MAX_DEPTH, Parse, Parser};
use crate::ast::{
    Binder, ChainOp, Cmp, Expr, ExprKind, LogicOp, Name, Reduction, Sign, Stmt, UnaryOp,
};
use crate::diagnostic::{Diagnostic, Span};
use crate::lexer::{Keyword, Kind};
use crate::number::{MAX_DIGITS, MAX_EXPONENT};

/// Operators, from loose to tight.
impl Parser<'_> {
    /// A whole expression, as it stands at the right of `=` or between brackets.
    pub(super) fn expr(&mut self) -> Parse<Expr> {
        self.nested(|parser| if parser.at_open_form() { parser.open_form() } else { parser.or() })
    }

    /// `p or q or ..`
    fn or(&mut self) -> Parse<Expr> {
        self.logic(LogicOp::Or, Keyword::Or, Self::and)
    }

    /// `p and q and ..`
    fn and(&mut self) -> Parse<Expr> {
        self.logic(LogicOp::And, Keyword::And, Self::not)
    }

    fn logic(
        &mut self,
        op: LogicOp,
        keyword: Keyword,
        operand: fn(&mut Self) -> Parse<Expr>,
    ) -> Parse<Expr> {
        let first = operand(self)?;
        if self.kind() != Kind::Keyword(keyword) {
            return Ok(first);
        }
        let start = first.span;
        let mut operands = vec![first];
        while self.eat_keyword(keyword) {
            operands.push(operand(self)?);
        }
        Ok(self.made(start, ExprKind::Logic(op, operands)))
    }

    /// `not p`
    fn not(&mut self) -> Parse<Expr> {
        if self.kind() != Kind::Keyword(Keyword::Not) {
            return self.comparison();
        }
        let start = self.bump().span;
        let operand = self.nested(Self::not)?;
        Ok(self.made(start, ExprKind::Unary(UnaryOp::Not, Box::new(operand))))
    }

    /// `a <= b < c`
    fn comparison(&mut self) -> Parse<Expr> {
        let first = self.sum()?;
        let start = first.span;
        let mut rest = Vec::new();
        while let Some(cmp) = comparison(self.kind()) {
            self.bump();
            rest.push((cmp, self.sum()?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(self.made(start, ExprKind::Compare(Box::new(first), rest)))
    }

    /// `a + b - c`
    fn sum(&mut self) -> Parse<Expr> {
        let first = self.summand()?;
        if sign(self.kind()).is_none() {
            return Ok(first);
        }
        let start = first.span;
        let mut summands = vec![(Sign::Plus, first)];
        while let Some(sign) = sign(self.kind()) {
            self.bump();
            summands.push((sign, self.summand()?));
        }
        Ok(self.made(start, ExprKind::Sum(summands)))
    }

    /// `-a * b`, which is `-(a * b)`
    fn summand(&mut self) -> Parse<Expr> {
        if self.kind() == Kind::Minus { self.minus(Self::summand) } else { self.chain() }
    }

    fn minus(&mut self, operand: fn(&mut Self) -> Parse<Expr>) -> Parse<Expr> {
        let start = self.bump().span;
        let operand = self.nested(operand)?;
        Ok(self.made(start, ExprKind::Unary(UnaryOp::Neg, Box::new(operand))))
    }

    /// `a * b / c % d`
    fn chain(&mut self) -> Parse<Expr> {
        let around = std::mem::take(&mut self.divisions);
        let first = self.power()?;
        let start = first.span;
        let mut factors = vec![(ChainOp::Times, first)];
        while let Some(op) = chain_op(self.kind()) {
            let after = factors.last().map_or(ChainOp::Times, |(op, _)| *op);
            self.divide(after, op)?;
            self.bump();
            let before = std::mem::take(&mut self.divisions);
            factors.push((op, self.factor()?));
            self.divisions = self.divisions.max(before);
        }
        self.divisions = self.divisions.max(around);
        match factors.len() {
            1 => Ok(factors.remove(0).1),
            _ => Ok(self.made(start, ExprKind::Chain(factors))),
        }
    }

    /// Counts how deep `op` puts what stands before it: a run of `*` is flat,
    /// each `/` and `%` is a step, and so is the `*` that follows one.
    fn divide(&mut self, after: ChainOp, op: ChainOp) -> Parse<()> {
        if op == ChainOp::Times && after == ChainOp::Times {
            return Ok(());
        }
        self.divisions += 1;
        if self.divisions <= MAX_DEPTH {
            return Ok(());
        }
        let text = format!("more than {MAX_DEPTH} divisions stand around one operand");
        let mistake = Diagnostic::new("syntax::depth", self.token().span, text)
            .help("divide once by a product, or name a part by a definition of its own");
        Err(self.fail(mistake))
    }

    /// A factor after the first: a minus applies to it alone.
    fn factor(&mut self) -> Parse<Expr> {
        if self.kind() == Kind::Minus { self.minus(Self::factor) } else { self.power() }
    }

    /// `a ^ b`, from the right
    fn power(&mut self) -> Parse<Expr> {
        let base = self.operand()?;
        if !self.eat(Kind::Caret) {
            return Ok(base);
        }
        let start = base.span;
        let exponent = self.exponent()?;
        Ok(self.made(start, ExprKind::Power(Box::new(base), Box::new(exponent))))
    }

    fn exponent(&mut self) -> Parse<Expr> {
        if self.kind() == Kind::Minus {
            return self.minus(Self::exponent);
        }
        if self.at_open_form() || self.reduction().is_some() {
            let help = "put the exponent in parentheses: `x^(sum(i: n) y[i])`";
            return Err(self.unexpected("an exponent", help));
        }
        self.nested(Self::power)
    }

    fn made(&self, start: Span, kind: ExprKind) -> Expr {
        Expr { kind, span: self.since(start) }
    }
}

/// Operands.
impl Parser<'_> {
    fn operand(&mut self) -> Parse<Expr> {
        if let Some(op) = self.reduction() {
            return self.reduce(op);
        }
        if self.at_open_form() {
            return self.nested(Self::open_form);
        }
        let operand = match self.kind() {
            Kind::Name => self.named()?,
            Kind::Number => self.number()?,
            Kind::OpenParen => self.parenthesised()?,
            Kind::OpenBracket => self.bracket()?,
            _ => return Err(self.no_operand()),
        };
        match self.kind() {
            Kind::OpenBracket | Kind::OpenParen if !self.token().first => {
                Err(self.juxtaposed(&operand))
            }
            _ => Ok(operand),
        }
    }

    fn no_operand(&mut self) -> Fail {
        let help = match self.kind() {
            Kind::Plus => "a number has no sign `+`",
            Kind::Keyword(Keyword::Not) => "put it in parentheses, or in a bracket: `[not p]`",
            Kind::OpenBrace => "several definitions in an expression are `let { .. } in e`",
            Kind::Keyword(Keyword::Where) => {
                "a condition stands in the head of a reduction: `sum(i: n where p) e`"
            }
            _ => {
                "an operand is a number, a name, `x[i]`, `f(x)`, `[p]`, `(e)` or a form such as `sum(i: n) e`"
            }
        };
        self.unexpected("an expression", help)
    }

    /// `[` or `(` follows an operand that takes none.
    fn juxtaposed(&mut self, operand: &Expr) -> Fail {
        let indexes = self.kind() == Kind::OpenBracket;
        let help = match &operand.kind {
            ExprKind::Access(name, _) if indexes => {
                format!("all indices stand in one bracket: `{}[i, j]`", name.text)
            }
            ExprKind::Access(..) => "write the product with `*`: `A[i] * (b)`".to_owned(),
            ExprKind::Call(..) if indexes => {
                "only a name is indexed: define a tensor first, as in `y = f(x)`".to_owned()
            }
            _ if indexes => {
                "write the product with `*`: `a * [p]`; only a name is indexed".to_owned()
            }
            _ => "write the product with `*`: `a * (b)`; only a name is called".to_owned(),
        };
        self.unexpected("an operator", &help)
    }

    /// `x`, `A[i, j]`, `f(x)`; the bracket stands on the line of the name.
    fn named(&mut self) -> Parse<Expr> {
        let name = self.name("a name")?;
        let start = name.span;
        let kind = match self.kind() {
            Kind::OpenBracket if !self.token().first => self.access(name)?,
            Kind::OpenParen if !self.token().first => self.call(name)?,
            _ => ExprKind::Name(name.text),
        };
        Ok(self.made(start, kind))
    }

    fn access(&mut self, name: Name) -> Parse<ExprKind> {
        let open = self.bump().span;
        if self.kind() == Kind::CloseBracket {
            let help = format!("write `{}` for the whole tensor", name.text);
            return Err(self.unexpected("an index", &help));
        }
        let indices = self.list(Kind::CloseBracket, Self::expr)?;
        let help = match self.kind() {
            Kind::Colon => {
                "an axis with its range stands in a definition alone, or in `for(i: n) e`"
            }
            _ => "",
        };
        self.close(Kind::CloseBracket, open, "`,` or `]`", help)?;
        Ok(ExprKind::Access(name, indices))
    }

    fn call(&mut self, name: Name) -> Parse<ExprKind> {
        let open = self.bump().span;
        let arguments = self.list(Kind::CloseParen, Self::expr)?;
        let help = match self.kind() {
            Kind::Colon | Kind::Eq | Kind::Keyword(Keyword::In) => {
                "`sum`, `prod`, `max`, `min`, `argmax`, `argmin` and `for` bind variables, as in `max(i: n) x[i]`"
            }
            _ => "",
        };
        self.close(Kind::CloseParen, open, "`,` or `)`", help)?;
        Ok(ExprKind::Call(name, arguments))
    }

    fn parenthesised(&mut self) -> Parse<Expr> {
        let open = self.bump().span;
        let inner = self.expr()?;
        let close = self.close(Kind::CloseParen, open, "an operator or `)`", "")?;
        Ok(Expr { kind: inner.kind, span: open.to(close) })
    }

    /// `[p]`
    fn bracket(&mut self) -> Parse<Expr> {
        let open = self.bump().span;
        let predicate = Box::new(self.expr()?);
        let help = match self.kind() {
            Kind::Comma => "join conditions by `and`; a list of entries is no expression",
            _ => "",
        };
        self.close(Kind::CloseBracket, open, "an operator or `]`", help)?;
        Ok(self.made(open, ExprKind::Bracket(predicate)))
    }

    fn number(&mut self) -> Parse<Expr> {
        let token = self.bump();
        let text = self.text_of(token.span);
        let next = self.token();
        if next.span.start == token.span.end {
            let help = match next.kind {
                Kind::Name | Kind::Keyword(_) => Some("write the product with `*`: `2 * x`"),
                Kind::Foreign if self.text() == "." => {
                    Some("digits stand before and after the point: `5.0`")
                }
                _ => None,
            };
            if let Some(help) = help {
                let text = format!("the number `{text}` runs into what follows");
                let mistake = Diagnostic::new("syntax::number", next.span, text).help(help);
                return Err(self.fail(mistake));
            }
        }
        if is_beyond_limits(text) {
            let limits = format!(
                "a number has at most {MAX_DIGITS} digits and an exponent of at most {MAX_EXPONENT}"
            );
            let mistake = Diagnostic::new("syntax::number", token.span, limits)
                .help("round it, or compute it from smaller numbers");
            return Err(self.fail(mistake));
        }
        Ok(Expr { kind: ExprKind::Number(text.to_owned()), span: token.span })
    }
}

/// Forms with a head: reductions, `for`, `if`, `let`.
impl Parser<'_> {
    /// The reduction whose head begins here; `max` and `min` are functions unless a variable is bound.
    fn reduction(&self) -> Option<Reduction> {
        match self.kind() {
            Kind::Keyword(Keyword::Sum) => Some(Reduction::Sum),
            Kind::Keyword(Keyword::Prod) => Some(Reduction::Prod),
            Kind::Keyword(Keyword::Argmax) => Some(Reduction::Argmax),
            Kind::Keyword(Keyword::Argmin) => Some(Reduction::Argmin),
            Kind::Name if self.kind_after(1) == Kind::OpenParen && self.binder_after(2) => {
                match self.text() {
                    "max" => Some(Reduction::Max),
                    "min" => Some(Reduction::Min),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// `sum(i: n where p) e`: the body is the product chain that follows
    fn reduce(&mut self, op: Reduction) -> Parse<Expr> {
        let start = self.bump().span;
        let help = format!("a reduction binds its variables: `{}(i: n) x[i]`", op.name());
        let (binders, guard) = self.head(&help, true)?;
        let body = Box::new(self.nested(Self::summand)?);
        Ok(self.made(start, ExprKind::Reduce { op, binders, guard, body }))
    }

    /// `(i: n, j: m where p)`
    fn head(&mut self, help: &str, guarded: bool) -> Parse<(Vec<Binder>, Option<Box<Expr>>)> {
        if self.kind() != Kind::OpenParen {
            return Err(self.unexpected("`(` and a variable with its range", help));
        }
        let open = self.bump().span;
        let binders = self.binders(help)?;
        let guard = (guarded && self.eat_keyword(Keyword::Where))
            .then(|| self.expr().map(Box::new))
            .transpose()?;
        let (wanted, help) = match (guarded, self.kind()) {
            (false, Kind::Keyword(Keyword::Where)) => {
                ("`,` or `)`", "every entry is defined; guard its value: `for(i: n) [p] * e`")
            }
            (true, _) if guard.is_none() => ("`,`, `where` or `)`", ""),
            (true, Kind::Comma) => {
                ("`)`", "`where` and its one condition stand last; join conditions by `and`")
            }
            (true, _) => ("`)`", ""),
            (false, _) => ("`,` or `)`", ""),
        };
        self.close(Kind::CloseParen, open, wanted, help)?;
        Ok((binders, guard))
    }

    /// Whether a form begins here that extends as far to the right as possible.
    fn at_open_form(&self) -> bool {
        matches!(self.kind(), Kind::Keyword(Keyword::For | Keyword::If | Keyword::Let))
    }

    fn open_form(&mut self) -> Parse<Expr> {
        let head = self.bump();
        let kind = match head.kind {
            Kind::Keyword(Keyword::For) => self.generator()?,
            Kind::Keyword(Keyword::If) => self.conditional()?,
            _ => self.binding()?,
        };
        Ok(self.made(head.span, kind))
    }

    /// `(i: n) e`
    fn generator(&mut self) -> Parse<ExprKind> {
        let (binders, _) = self.head("write `for(i: n) e`", false)?;
        Ok(ExprKind::For(binders, Box::new(self.expr()?)))
    }

    /// `p then a else b`
    fn conditional(&mut self) -> Parse<ExprKind> {
        let condition = Box::new(self.expr()?);
        self.expect(Kind::Keyword(Keyword::Then), "`then`")?;
        let yes = Box::new(self.expr()?);
        if self.kind() != Kind::Keyword(Keyword::Else) {
            return Err(self.unexpected("`else`", "a value without `else` is `[p] * a`"));
        }
        self.bump();
        Ok(ExprKind::If(condition, yes, Box::new(self.expr()?)))
    }

    /// `x = a in e`, `{ statements } in e`
    fn binding(&mut self) -> Parse<ExprKind> {
        let statements: Vec<Stmt> = if self.kind() == Kind::OpenBrace {
            self.block("`{`")?
        } else {
            vec![self.definition()?]
        };
        let help = "`let x = a in e` is an expression; a statement is `x = a`";
        if self.kind() != Kind::Keyword(Keyword::In) {
            return Err(self.unexpected("`in`", help));
        }
        self.bump();
        Ok(ExprKind::Let(statements, Box::new(self.expr()?)))
    }
}

fn comparison(kind: Kind) -> Option<Cmp> {
    match kind {
        Kind::Eq => Some(Cmp::Eq),
        Kind::Ne => Some(Cmp::Ne),
        Kind::Lt => Some(Cmp::Lt),
        Kind::Le => Some(Cmp::Le),
        Kind::Gt => Some(Cmp::Gt),
        Kind::Ge => Some(Cmp::Ge),
        _ => None,
    }
}

fn sign(kind: Kind) -> Option<Sign> {
    match kind {
        Kind::Plus => Some(Sign::Plus),
        Kind::Minus => Some(Sign::Minus),
        _ => None,
    }
}

fn chain_op(kind: Kind) -> Option<ChainOp> {
    match kind {
        Kind::Star => Some(ChainOp::Times),
        Kind::Slash => Some(ChainOp::Over),
        Kind::Percent => Some(ChainOp::Modulo),
        _ => None,
    }
}

/// Whether a well-formed numeral is refused by [`crate::number::Number::parse`].
fn is_beyond_limits(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let exponent = exponent.replace('_', "").parse::<i64>().map_or(i64::MAX, i64::abs);
    digits > MAX_DIGITS || exponent > MAX_EXPONENT
}
