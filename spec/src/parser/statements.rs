//! Statements and their layout.

use super::{Fail, Parse, Parser, begins_item};
use crate::ast::{Axis, Binder, Direction, RecVar, Stmt, Target};
use crate::diagnostic::Span;
use crate::lexer::{Keyword, Kind};

impl Parser<'_> {
    /// `{ statements }`
    pub(super) fn block(&mut self, wanted: &str) -> Parse<Vec<Stmt>> {
        let open = self.expect(Kind::OpenBrace, wanted)?;
        self.nested(|parser| parser.statements(open))
    }

    fn statements(&mut self, open: Span) -> Parse<Vec<Stmt>> {
        let mut statements = Vec::new();
        loop {
            while self.eat(Kind::Semicolon) {}
            if self.eat(Kind::CloseBrace) {
                return Ok(statements);
            }
            if self.kind() == Kind::End || begins_item(self.kind()) {
                return Err(self.unclosed(open));
            }
            let start = self.at;
            match self.statement() {
                Ok(statement) => statements.push(statement),
                Err(Fail) => self.skip_statement(start),
            }
        }
    }

    fn unclosed(&mut self, open: Span) -> Fail {
        let mistake = self
            .found("`}` or a statement", "write `}` where the block ends")
            .label(open, "this block is not closed");
        self.fail(mistake)
    }

    /// One statement with the end of its line.
    fn statement(&mut self) -> Parse<Stmt> {
        let statement = match self.kind() {
            Kind::Name | Kind::OpenParen => self.definition()?,
            Kind::Keyword(Keyword::Rec) => self.recurrence()?,
            Kind::Keyword(Keyword::Requires) => self.requires()?,
            Kind::Keyword(_) if self.kind_after(1) == Kind::Eq => self.definition()?,
            _ => return Err(self.no_statement()),
        };
        if self.at_statement_end() { Ok(statement) } else { Err(self.run_on()) }
    }

    fn no_statement(&mut self) -> Fail {
        let help = match self.kind() {
            Kind::Keyword(Keyword::Let) => "a definition has no `let`: write `x = e`",
            Kind::Keyword(Keyword::For) => "what runs over an index is an axis: `y[i: n] = e`",
            Kind::Keyword(Keyword::If) => {
                "a conditional is an expression: `y = if p then a else b`"
            }
            Kind::OpenBracket | Kind::Number => {
                "a line that continues the one before begins with an operator, such as `*`"
            }
            _ => "a statement is a definition `y[i: n] = e`, `rec t: n { .. }` or `requires p`",
        };
        self.unexpected("a statement", help)
    }

    /// Whether the next token can stand after a complete statement.
    pub(super) fn at_statement_end(&self) -> bool {
        let ends = matches!(self.kind(), Kind::Semicolon | Kind::CloseBrace | Kind::End);
        ends || self.token().first
    }

    /// Something follows a complete statement on its line.
    pub(super) fn run_on(&mut self) -> Fail {
        let help = match self.kind() {
            Kind::Name | Kind::Number | Kind::OpenParen | Kind::OpenBracket => {
                "begin the next statement on a line of its own; a product needs its `*`"
            }
            Kind::Keyword(Keyword::If | Keyword::Where) => {
                "a condition stands in the reduction, `sum(i: n where p) x[i]`; a choice is `if p then a else b`"
            }
            Kind::CloseParen | Kind::CloseBracket => "nothing is open that this could close",
            Kind::Comma => "several results are bound as `(a, b) = f(x)`",
            _ => "begin the next statement on a line of its own",
        };
        let foreign = self.kind() == Kind::Foreign;
        let mut mistake = self.found("an operator or the end of the line", help);
        if !foreign {
            mistake.code = "syntax::newline";
        }
        self.fail(mistake)
    }

    /// `t[i: n] = e`, `(lo, hi) = f(x)`
    pub(super) fn definition(&mut self) -> Parse<Stmt> {
        let returns = self.text() == "return";
        let targets =
            if self.kind() == Kind::OpenParen { self.tuple()? } else { vec![self.target()?] };
        if self.kind() != Kind::Eq {
            let help = if returns {
                "a result is named in the head, `-> (y: real)`, and defined like any tensor: `y = e`"
            } else {
                "a definition is written `x = e`, `y[i: n] = e` or `(a, b) = f(x)`"
            };
            return Err(self.unexpected("`=` and a value", help));
        }
        self.bump();
        Ok(Stmt::Def { targets, value: self.expr()? })
    }

    /// `(lo, hi)`
    fn tuple(&mut self) -> Parse<Vec<Target>> {
        let open = self.bump().span;
        let mut names = Vec::new();
        loop {
            let name = self.name("the name of a result, as in `(lo, hi) = f(x)`")?;
            let bracket = self.kind() == Kind::OpenBracket;
            let axes = if bracket { self.axes()? } else { Vec::new() };
            names.push(Target { name, axes, sort: None });
            if !self.eat(Kind::Comma) {
                break;
            }
        }
        self.close(
            Kind::CloseParen,
            open,
            "`,` or `)`",
            "results of a call are bound whole, by names",
        )?;
        Ok(names)
    }

    /// `t[i: n, j: m]: index(k)`
    fn target(&mut self) -> Parse<Target> {
        let name = self.name("the name of a definition")?;
        let axes = if self.kind() == Kind::OpenBracket { self.axes()? } else { Vec::new() };
        let sort = self.eat(Kind::Colon).then(|| self.sort()).transpose()?;
        Ok(Target { name, axes, sort })
    }

    fn axes(&mut self) -> Parse<Vec<Axis>> {
        let help = "an axis is a variable with its range, `i: n`, or a recurrence variable";
        let open = self.bump().span;
        if self.kind() != Kind::Name {
            return Err(self.unexpected("an axis", help));
        }
        let axes = self.list(Kind::CloseBracket, Self::axis)?;
        self.close(Kind::CloseBracket, open, "`,` or `]`", help)?;
        Ok(axes)
    }

    /// `i: n`, or `t` alone
    fn axis(&mut self) -> Parse<Axis> {
        let name = self.name("an axis, as in `i: n`")?;
        if self.eat(Kind::Colon) {
            Ok(Axis::Bind(Binder { name, range: self.expr()? }))
        } else {
            Ok(Axis::Carried(name))
        }
    }

    /// `rec t: n, j: m descending { .. }`
    fn recurrence(&mut self) -> Parse<Stmt> {
        let start = self.bump().span;
        let mut vars = vec![self.rec_var()?];
        while self.eat(Kind::Comma) {
            vars.push(self.rec_var()?);
        }
        let span = self.since(start);
        let body = self.block("`,`, `descending`, or `{` and the statements of the recurrence")?;
        Ok(Stmt::Rec { vars, body, span })
    }

    fn rec_var(&mut self) -> Parse<RecVar> {
        let binder = self.binder("write `rec t: n { .. }`")?;
        let direction = match (self.kind(), self.text()) {
            (Kind::Name, "descending") => Direction::Descending,
            (Kind::Name, "ascending") => Direction::Ascending,
            _ => return Ok(RecVar { binder, direction: Direction::Ascending }),
        };
        self.bump();
        Ok(RecVar { binder, direction })
    }

    /// `requires(v: n) p`, `requires p`
    fn requires(&mut self) -> Parse<Stmt> {
        let start = self.bump().span;
        let mut binders = Vec::new();
        if self.kind() == Kind::OpenParen && self.binder_after(1) {
            let open = self.bump().span;
            binders = self.binders("write `requires(v: n) p`")?;
            let help = "a condition on the variables belongs to what is required: `not p or q`";
            self.close(Kind::CloseParen, open, "`,` or `)`", help)?;
        }
        let condition = self.expr()?;
        Ok(Stmt::Requires { binders, condition, span: self.since(start) })
    }

    /// Whether `i:` stands `ahead` places after the next token.
    pub(super) fn binder_after(&self, ahead: usize) -> bool {
        self.kind_after(ahead) == Kind::Name && self.kind_after(ahead + 1) == Kind::Colon
    }

    /// `i: n, j: m`, at least one
    pub(super) fn binders(&mut self, help: &str) -> Parse<Vec<Binder>> {
        let mut binders = vec![self.binder(help)?];
        while self.eat(Kind::Comma) {
            binders.push(self.binder(help)?);
        }
        Ok(binders)
    }

    /// `i: n`
    fn binder(&mut self, help: &str) -> Parse<Binder> {
        if self.kind() != Kind::Name && !matches!(self.kind(), Kind::Keyword(_)) {
            return Err(self.unexpected("a variable with its range, as in `i: n`", help));
        }
        let name = self.name("a variable with its range, as in `i: n`")?;
        if self.kind() != Kind::Colon {
            let wanted = format!("`:` and the range of `{}`", name.text);
            return Err(self.unexpected(&wanted, help));
        }
        self.bump();
        Ok(Binder { name, range: self.expr()? })
    }
}
