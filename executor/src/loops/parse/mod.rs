//! Loop programs from text: the inverse of printing (spec chapter 7, *Text*).
//!
//! * `lexer`: words, numbers, symbols, notes, with their places
//! * `head`: the tables of sizes, buffers, relations, variables, statements and messages
//! * `body`: nodes
//! * `expressions`: integers, reals, conditions
//!
//! Every name is declared before it is used, so an expression is read once, and what a word
//! means is known where it stands. Brackets are matched by the lexer: a look beyond a bracket
//! costs nothing.

mod body;
mod expressions;
mod head;
mod lexer;

use super::verify::{Violation, verify};
use super::{BufferId, IntId, LoopProgram, RealId, RelId, SizeId, StatementId};
use lexer::{Lexed, Token, lex};
use rustc_hash::FxHashMap;
use thiserror::Error;

pub(super) use lexer::quoted;

/// Loops, conditions, brackets and conditional values that may stand in one another.
pub const MAX_DEPTH: u32 = 250;

/// Why a text is no loop program.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ParseError {
    /// The text is not of the form that is printed.
    #[error("line {line}, column {column}: found {found}, wanted {wanted}")]
    Text {
        /// The line, from 1.
        line: usize,
        /// The character in its line, from 1.
        column: usize,
        /// What stands there.
        found: String,
        /// What should stand there.
        wanted: String,
    },
    /// The program that it describes is not valid.
    #[error("the text is that of a program that is not valid: {0}")]
    Invalid(#[from] Violation),
}

impl LoopProgram {
    /// The program that a text describes: `parse(&p.to_string())` is `p`.
    ///
    /// * **Meaning**: chapter 7; integers are put into normal form, as printed ones are.
    /// * **Cost**: linear in the text, but for long sums, whose terms are compared in pairs.
    ///
    /// # Errors
    /// [`ParseError::Text`] with the place of the first mistake; [`ParseError::Invalid`] if the
    /// program breaks an invariant of loop programs. No text makes it panic.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser::new(text);
        parser.head()?;
        let body = parser.nodes()?;
        if *parser.token() != Token::End {
            return parser.fail("a node");
        }
        parser.out.body = body;
        verify(&parser.out)?;
        Ok(parser.out)
    }
}

type Parse<T> = Result<T, ParseError>;

/// What a word stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Name {
    Size(SizeId),
    Buffer(BufferId),
    Relation(RelId),
    Int(IntId),
    Real(RealId),
}

struct Parser<'t> {
    tokens: Vec<Lexed<'t>>,
    at: usize,
    depth: u32,
    out: LoopProgram,
    names: FxHashMap<String, Name>,
    statements: FxHashMap<String, StatementId>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        let out = LoopProgram {
            name: String::new(),
            sizes: Vec::new(),
            relations: Vec::new(),
            buffers: Vec::new(),
            ints: Vec::new(),
            reals: Vec::new(),
            checks: Vec::new(),
            statements: Vec::new(),
            body: Vec::new(),
        };
        let (names, statements) = (FxHashMap::default(), FxHashMap::default());
        Self { tokens: lex(text), at: 0, depth: 0, out, names, statements }
    }

    fn lexed(&self, at: usize) -> &Lexed<'t> {
        &self.tokens[at.min(self.tokens.len() - 1)]
    }

    fn token(&self) -> &Token<'t> {
        &self.lexed(self.at).token
    }

    fn next(&self) -> &Token<'t> {
        &self.lexed(self.at + 1).token
    }

    fn advance(&mut self) {
        self.at += 1;
    }

    /// An error at the current token.
    fn fail<T>(&self, wanted: impl Into<String>) -> Parse<T> {
        self.fail_at(self.at, wanted)
    }

    fn fail_at<T>(&self, at: usize, wanted: impl Into<String>) -> Parse<T> {
        let lexed = self.lexed(at);
        let (line, column, found) = (lexed.line, lexed.column, lexed.token.described());
        Err(ParseError::Text { line, column, found, wanted: wanted.into() })
    }

    /// The symbol that stands here; empty if there is none.
    fn symbol(&self) -> &'static str {
        if let Token::Symbol(symbol) = *self.token() { symbol } else { "" }
    }

    /// The word that stands here; empty if there is none.
    fn word_here(&self) -> &'t str {
        if let Token::Word(word) = *self.token() { word } else { "" }
    }

    fn is(&self, symbol: &str) -> bool {
        self.symbol() == symbol
    }

    fn is_word(&self, word: &str) -> bool {
        self.word_here() == word
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        self.at += usize::from(found);
        found
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Parse<()> {
        if self.accept(symbol) { Ok(()) } else { self.fail(format!("`{symbol}`")) }
    }

    fn expect_word(&mut self, word: &str) -> Parse<()> {
        if self.accept_word(word) { Ok(()) } else { self.fail(format!("`{word}`")) }
    }

    /// A word, which is called `wanted` where there is none.
    fn word(&mut self, wanted: &str) -> Parse<&'t str> {
        if let Token::Word(word) = *self.token() {
            self.advance();
            return Ok(word);
        }
        self.fail(wanted)
    }

    /// Digits alone, of 64 bits.
    fn digits(&mut self, wanted: &str) -> Parse<i64> {
        if let Token::Number(digits) = self.token()
            && let Ok(n) = digits.parse()
        {
            self.advance();
            return Ok(n);
        }
        self.fail(wanted)
    }

    fn end_of_line(&self) -> Parse<()> {
        if self.lexed(self.at).first { Ok(()) } else { self.fail("the end of the line") }
    }

    /// Items with commas between them, up to a symbol.
    fn list<T>(&mut self, close: &str, item: impl Fn(&mut Self) -> Parse<T>) -> Parse<Vec<T>> {
        let mut items = Vec::new();
        if self.accept(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.accept(close) {
                return Ok(items);
            }
            if !self.accept(",") {
                return self.fail(format!("`,` or `{close}`"));
            }
        }
    }

    /// One level deeper.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth == MAX_DEPTH {
            return self.fail(format!("at most {MAX_DEPTH} levels of brackets and blocks"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }
}
