//! Tokens to the program as written (spec chapter 1).
//!
//! A recursive descent with one function for each row of the precedence table.
//! It never goes back: every token is read once, so the cost is linear. Loops
//! read whatever is flat in the tree; what nests is counted by
//! [`Parser::nested`], so no text overflows the stack. A mistake ends its
//! statement; the statements after it are still read.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a parser names the tokens it takes; the others are the mistake"
)]

mod expressions;
mod hints;
mod items;
mod statements;

use crate::ast;
use crate::diagnostic::{Diagnostic, Span};
use crate::lexer::{self, Keyword, Kind, Token};

/// How deep expressions and blocks may nest, and how many divisions may stand around an operand.
pub const MAX_DEPTH: u32 = 200;
/// The longest text that is read.
pub const MAX_BYTES: usize = 1 << 31;
/// How many mistakes are reported.
pub const MAX_MISTAKES: usize = 50;

/// Reads a module.
///
/// * **Cost**: linear in the length of `source`; the stack stays bounded.
/// * **Spans** are byte ranges of `source`; those of a parenthesised expression
///   take the parentheses in.
///
/// # Errors
/// Every mistake found, in the order of the text, at most [`MAX_MISTAKES`] and
/// a last line that says so.
///
/// Spec: chapter 1.
pub fn parse(source: &str) -> Result<ast::Module, Vec<Diagnostic>> {
    if source.len() > MAX_BYTES {
        let message = format!("the text has {} bytes; at most {MAX_BYTES} are read", source.len());
        let mistake = Diagnostic::new("syntax::size", Span::default(), message)
            .help("divide the program into several files");
        return Err(vec![mistake]);
    }
    let mut parser = Parser::new(source);
    let module = parser.module();
    if parser.mistakes.is_empty() {
        return Ok(module);
    }
    parser.mistakes.sort_by_key(|mistake| mistake.span().start);
    if parser.stopped {
        let text = format!("{MAX_MISTAKES} mistakes found; the text is not read further");
        let many = Diagnostic::new("syntax::many", parser.token().span, text)
            .help("correct the mistakes above and read it again");
        parser.mistakes.push(many);
    }
    Err(parser.mistakes)
}

/// A mistake has been reported; what was being read is given up.
struct Fail;

type Parse<T> = Result<T, Fail>;

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    /// The place in `tokens` of the token that is read next.
    at: usize,
    depth: u32,
    /// The most divisions that stand around an operand of the expression being read.
    divisions: u32,
    mistakes: Vec<Diagnostic>,
    /// Whether [`MAX_MISTAKES`] was reached.
    stopped: bool,
}

/// Tokens.
impl<'a> Parser<'a> {
    fn new(source: &'a str) -> Self {
        let tokens = lexer::tokens(source);
        Self { source, tokens, at: 0, depth: 0, divisions: 0, mistakes: Vec::new(), stopped: false }
    }

    fn token(&self) -> Token {
        self.tokens[self.at]
    }

    fn kind(&self) -> Kind {
        self.token().kind
    }

    /// The kind of the token `ahead` places after the next one.
    fn kind_after(&self, ahead: usize) -> Kind {
        self.tokens.get(self.at + ahead).map_or(Kind::End, |token| token.kind)
    }

    fn text_of(&self, span: Span) -> &'a str {
        &self.source[span.start as usize..span.end as usize]
    }

    fn text(&self) -> &'a str {
        self.text_of(self.token().span)
    }

    /// Reads the next token; the end of the text stays.
    fn bump(&mut self) -> Token {
        let token = self.token();
        if token.kind != Kind::End {
            self.at += 1;
        }
        token
    }

    fn eat(&mut self, kind: Kind) -> bool {
        let eaten = self.kind() == kind;
        if eaten {
            self.bump();
        }
        eaten
    }

    fn eat_keyword(&mut self, keyword: Keyword) -> bool {
        self.eat(Kind::Keyword(keyword))
    }

    /// From `start` to the token read last.
    fn since(&self, start: Span) -> Span {
        let last = self.tokens[self.at.saturating_sub(1)].span;
        if last.end < start.end { start } else { start.to(last) }
    }
}

/// What must stand here.
impl Parser<'_> {
    fn expect(&mut self, kind: Kind, wanted: &str) -> Parse<Span> {
        if self.kind() == kind {
            return Ok(self.bump().span);
        }
        let help = format!("write {wanted} here");
        Err(self.unexpected(wanted, &help))
    }

    /// The bracket that closes the one at `open`.
    fn close(&mut self, kind: Kind, open: Span, wanted: &str, help: &str) -> Parse<Span> {
        if self.kind() == kind {
            return Ok(self.bump().span);
        }
        let help = match kind {
            _ if !help.is_empty() => help,
            _ if self.kind() == Kind::Keyword(Keyword::If) => {
                "the condition of a reduction begins with `where`, `sum(i: n where p) x[i]`; a choice is `if p then a else b`"
            }
            Kind::CloseParen => "write `)` where the bracket ends",
            Kind::CloseBracket => "write `]` where the bracket ends",
            _ => "write `}` where the block ends",
        };
        let mistake = self.found(wanted, help).label(open, "opened here");
        Err(self.fail(mistake))
    }

    fn name(&mut self, wanted: &str) -> Parse<ast::Name> {
        match self.kind() {
            Kind::Name => {
                let span = self.bump().span;
                Ok(ast::Name { text: self.text_of(span).to_owned(), span })
            }
            Kind::Keyword(_) => {
                let help = format!("`{}` is a keyword; a name such as `{0}_` is free", self.text());
                Err(self.unexpected(wanted, &help))
            }
            _ => Err(self
                .unexpected(wanted, "a name is letters, digits and `_`, and begins with no digit")),
        }
    }

    /// `item, item, ..` up to the bracket `close`, which is left; a comma may follow the last one.
    fn list<T>(
        &mut self,
        close: Kind,
        mut item: impl FnMut(&mut Self) -> Parse<T>,
    ) -> Parse<Vec<T>> {
        let mut items = Vec::new();
        while self.kind() != close {
            items.push(item(self)?);
            if !self.eat(Kind::Comma) {
                break;
            }
        }
        Ok(items)
    }

    /// One level deeper; a clear mistake beyond [`MAX_DEPTH`].
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= MAX_DEPTH {
            let text = format!("this nests more than {MAX_DEPTH} levels deep");
            let mistake = Diagnostic::new("syntax::depth", self.token().span, text)
                .help("name a part by a definition of its own");
            return Err(self.fail(mistake));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }
}

/// Mistakes.
impl Parser<'_> {
    /// Reports `mistake`, unless one at this place was reported before.
    fn fail(&mut self, mistake: Diagnostic) -> Fail {
        let start = mistake.span().start;
        let known = self.mistakes.last().is_some_and(|last| last.span().start == start);
        if known || self.stopped {
            return Fail;
        }
        self.mistakes.push(mistake);
        if self.mistakes.len() == MAX_MISTAKES && self.kind() != Kind::End {
            self.stopped = true;
            self.tokens.truncate(self.at + 1);
            self.tokens[self.at].kind = Kind::End;
        }
        Fail
    }

    /// Reports that the next token is not what was `wanted`; an empty `help` is none.
    fn unexpected(&mut self, wanted: &str, help: &str) -> Fail {
        let mistake = self.found(wanted, help);
        self.fail(mistake)
    }

    /// That the next token is not what was `wanted`.
    fn found(&self, wanted: &str, help: &str) -> Diagnostic {
        let span = self.token().span;
        let text = format!("found {}, wanted {wanted}", self.description());
        let foreign = self.kind() == Kind::Foreign;
        let code = if foreign { "syntax::foreign" } else { "syntax::expected" };
        let mistake = Diagnostic::new(code, span, text);
        match hints::foreign(self.text()).filter(|_| foreign) {
            Some(advice) => mistake.help(advice),
            None if foreign => {
                mistake.help("leave it out, or write it in a comment, which begins with `#`")
            }
            None if help.is_empty() => mistake,
            None => mistake.help(help),
        }
    }

    /// The next token in words.
    fn description(&self) -> String {
        let text = hints::shown(self.text());
        match self.kind() {
            Kind::Name => format!("the name `{text}`"),
            Kind::Number => format!("the number `{text}`"),
            Kind::Keyword(_) => format!("the keyword `{text}`"),
            Kind::Foreign => format!("`{text}`, which the language does not have"),
            Kind::End => "the end of the text".to_owned(),
            _ => format!("`{text}`"),
        }
    }

    /// After a mistake in the statement that began at `start`: on to the end of
    /// its line, where all brackets it opened are closed, or to the `}` of its block.
    fn skip_statement(&mut self, start: usize) {
        if self.kind() == Kind::End || self.at_item() {
            return;
        }
        let mistake = self.at.max(start + 1);
        let mut open = Open::default();
        for at in start..self.tokens.len() {
            let Token { kind, first, .. } = self.tokens[at];
            let item_begins = first && begins_item(kind);
            let line_ends = first && at >= mistake && open.brackets.is_empty();
            let block_ends = kind == Kind::CloseBrace && open.braces == 0 && at >= self.at;
            if kind == Kind::End || item_begins || line_ends || block_ends {
                self.at = at;
                return;
            }
            open.follow(kind);
        }
    }

    /// After a mistake in an item: on to the next line that begins one.
    fn skip_item(&mut self) {
        while self.kind() != Kind::End && !self.at_item() {
            self.bump();
        }
    }

    fn at_item(&self) -> bool {
        self.token().first && begins_item(self.kind())
    }
}

fn begins_item(kind: Kind) -> bool {
    matches!(kind, Kind::Keyword(Keyword::Fn | Keyword::Const))
}

/// The brackets that are open, outermost first.
#[derive(Default)]
struct Open {
    brackets: Vec<Kind>,
    /// How many of them are `{`.
    braces: usize,
}

impl Open {
    /// A `}` closes what was left open inside its block, too.
    fn follow(&mut self, kind: Kind) {
        match kind {
            Kind::OpenParen | Kind::OpenBracket => self.brackets.push(kind),
            Kind::OpenBrace => {
                self.brackets.push(kind);
                self.braces += 1;
            }
            Kind::CloseParen | Kind::CloseBracket => {
                self.brackets.pop_if(|last| *last != Kind::OpenBrace);
            }
            Kind::CloseBrace if self.braces > 0 => {
                while self.brackets.pop().is_some_and(|last| last != Kind::OpenBrace) {}
                self.braces -= 1;
            }
            _ => {}
        }
    }
}
