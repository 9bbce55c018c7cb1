//! Constants, functions, sorts.

use super::{Fail, Parse, Parser};
use crate::ast::{Expr, Function, Item, Module, Param, Partial, Sort, SortKind};
use crate::lexer::{Keyword, Kind};

impl Parser<'_> {
    pub(super) fn module(&mut self) -> Module {
        let mut items = Vec::new();
        while self.kind() != Kind::End {
            match self.item() {
                Ok(item) => items.push(item),
                Err(Fail) => self.skip_item(),
            }
            while self.eat(Kind::Semicolon) {}
        }
        Module { items }
    }

    fn item(&mut self) -> Parse<Item> {
        match self.kind() {
            Kind::Keyword(Keyword::Fn) => self.function().map(Item::Fn),
            Kind::Keyword(Keyword::Const) => self.constant(),
            Kind::Name if ["def", "function", "func", "fun"].contains(&self.text()) => {
                Err(self.unexpected(
                    "`fn` or `const`",
                    "a function begins with `fn`: `fn f(x: real) -> (y: real) { y = x }`",
                ))
            }
            Kind::Name => Err(self.unexpected(
                "`fn` or `const`",
                "definitions stand in the body of a function: `fn f(x: real) -> (y: real) { y = x }`",
            )),
            Kind::CloseBrace => Err(self.unexpected("`fn` or `const`", "this `}` closes no block")),
            _ => Err(self.unexpected(
                "`fn` or `const`",
                "a file is a list of functions, `fn f(x: real) -> (y: real) { y = x }`, and constants, `const c = 2`",
            )),
        }
    }

    /// `const name = value`
    fn constant(&mut self) -> Parse<Item> {
        self.bump();
        let name = self.name("the name of the constant")?;
        self.expect(Kind::Eq, "`=` and the value of the constant")?;
        let value = self.expr()?;
        if !self.at_statement_end() {
            return Err(self.run_on());
        }
        Ok(Item::Const { name, value })
    }

    /// `fn name(params) -> (results) { body } derivative { partials }`
    fn function(&mut self) -> Parse<Function> {
        let start = self.bump().span;
        let name = self.name("the name of the function")?;
        let params = self.params("`(` and the parameters")?;
        self.expect(Kind::Arrow, "`->` and the results, as in `-> (y: real)`")?;
        let results = self.params("`(` and the results, as in `(y: real)`")?;
        let wanted = "`{` and the body of the function";
        if self.kind() == Kind::Keyword(Keyword::Requires) {
            return Err(self.unexpected(
                wanted,
                "write `{` here: conditions on the inputs are statements of the body",
            ));
        }
        let body = self.block(wanted)?;
        let derivative = self.at_derivative().then(|| self.derivative()).transpose()?;
        Ok(Function { name, params, results, body, derivative, span: self.since(start) })
    }

    /// `(x: real[n], p: index(m))`
    fn params(&mut self, wanted: &str) -> Parse<Vec<Param>> {
        let open = self.expect(Kind::OpenParen, wanted)?;
        let params = self.list(Kind::CloseParen, Self::param)?;
        self.close(Kind::CloseParen, open, "`,` or `)`", "")?;
        Ok(params)
    }

    fn param(&mut self) -> Parse<Param> {
        let name = self.name("a name with its sort, as in `x: real[n]`")?;
        self.expect(Kind::Colon, "`:` and a sort, as in `x: real[n]`")?;
        Ok(Param { name, sort: self.sort()? })
    }

    pub(super) fn sort(&mut self) -> Parse<Sort> {
        let start = self.token().span;
        let kind = match (self.kind(), self.text()) {
            (Kind::Name, "size") => {
                self.bump();
                SortKind::Size
            }
            (Kind::Name, "real") => {
                self.bump();
                SortKind::Real(self.extents("write `real` for a single number")?)
            }
            (Kind::Name, "index") => self.index_sort()?,
            (Kind::Name, "rel") => {
                self.bump();
                SortKind::Rel(self.relation_extents()?)
            }
            _ => {
                let help = "a sort is `size`, `real[n, m]`, `index(m)[n]` or `rel(n, m)`";
                return Err(self.unexpected("a sort", help));
            }
        };
        Ok(Sort { kind, span: self.since(start) })
    }

    /// `index(m)[n]`
    fn index_sort(&mut self) -> Parse<SortKind> {
        self.bump();
        let open = self.expect(Kind::OpenParen, "`(` and the bound, as in `index(n)`")?;
        let bound = Box::new(self.expr()?);
        self.close(Kind::CloseParen, open, "`)`", "the axes follow: `index(m)[n]`")?;
        Ok(SortKind::Index(bound, self.extents("write `index(m)` for a single index")?))
    }

    /// `(n, m)`
    fn relation_extents(&mut self) -> Parse<Vec<Expr>> {
        let open = self.expect(Kind::OpenParen, "`(` and the ranges, as in `rel(n, m)`")?;
        if self.kind() == Kind::CloseParen {
            return Err(self.unexpected("the ranges of the relation", "write `rel(n, m)`"));
        }
        let extents = self.list(Kind::CloseParen, Self::expr)?;
        self.close(Kind::CloseParen, open, "`,` or `)`", "")?;
        Ok(extents)
    }

    /// `[n, m]`, or nothing
    fn extents(&mut self, help: &str) -> Parse<Vec<Expr>> {
        if self.kind() != Kind::OpenBracket {
            return Ok(Vec::new());
        }
        let open = self.bump().span;
        if self.kind() == Kind::CloseBracket {
            return Err(self.unexpected("the extent of an axis", help));
        }
        let extents = self.list(Kind::CloseBracket, Self::expr)?;
        self.close(Kind::CloseBracket, open, "`,` or `]`", "")?;
        Ok(extents)
    }

    fn at_derivative(&self) -> bool {
        self.kind() == Kind::Name && self.text() == "derivative"
    }

    /// `derivative { x: partial, y: partial }`, the commas optional at line ends
    fn derivative(&mut self) -> Parse<Vec<Partial>> {
        self.bump();
        let open = self.expect(Kind::OpenBrace, "`{` and the partial derivatives")?;
        let mut partials = Vec::new();
        while self.kind() != Kind::CloseBrace {
            partials.push(self.partial()?);
            if !self.eat(Kind::Comma) && !self.eat(Kind::Semicolon) && !self.token().first {
                break;
            }
        }
        self.close(Kind::CloseBrace, open, "`,`, a new line or `}`", "")?;
        Ok(partials)
    }

    fn partial(&mut self) -> Parse<Partial> {
        let wanted = "a parameter and the partial derivative in it, as in `x: cos(x)`";
        let param = self.name(wanted)?;
        self.expect(Kind::Colon, "`:` and the partial derivative")?;
        Ok(Partial { param, value: self.expr()? })
    }
}
