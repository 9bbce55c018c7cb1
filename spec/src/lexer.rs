//! Text to tokens (spec chapter 1, *Tokens*).
//!
//! No text is refused here: what is no token of the language becomes a
//! [`Kind::Foreign`] token, and the parser says what is wrong with it where it
//! stands. A token knows whether it is the first of its line; that is all the
//! layout the parser needs.

use crate::diagnostic::Span;

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A name; also `size`, `real`, `max` and the other words that are keywords in their place alone.
    Name,
    /// `0.5`, `1e-3`, `1_000`
    Number,
    /// A word that is never a name.
    Keyword(Keyword),
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `{`
    OpenBrace,
    /// `}`
    CloseBrace,
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// `;`
    Semicolon,
    /// `->`
    Arrow,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Star,
    /// `/`
    Slash,
    /// `%`
    Percent,
    /// `^`
    Caret,
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// An operator of other languages, or characters that mean nothing.
    Foreign,
    /// The end of the text.
    End,
}

macro_rules! keywords {
    ($($variant:ident $text:literal)*) => {
        /// A word that is never a name.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Keyword {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
        }

        impl Keyword {
            fn of(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

keywords! {
    Fn "fn"
    Const "const"
    Rec "rec"
    Requires "requires"
    Sum "sum"
    Prod "prod"
    Argmax "argmax"
    Argmin "argmin"
    Where "where"
    For "for"
    If "if"
    Then "then"
    Else "else"
    Let "let"
    In "in"
    And "and"
    Or "or"
    Not "not"
}

/// A token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: Kind,
    /// Where it stands.
    pub(crate) span: Span,
    /// Whether it is the first token of its line.
    pub(crate) first: bool,
}

/// Symbols of two characters.
const PAIRS: &[(&[u8; 2], Kind)] = &[
    (b"->", Kind::Arrow),
    (b"!=", Kind::Ne),
    (b"<=", Kind::Le),
    (b">=", Kind::Ge),
    (b"**", Kind::Foreign),
    (b"==", Kind::Foreign),
    (b"=>", Kind::Foreign),
    (b"=<", Kind::Foreign),
    (b"<>", Kind::Foreign),
    (b"&&", Kind::Foreign),
    (b"||", Kind::Foreign),
    (b":=", Kind::Foreign),
    (b"+=", Kind::Foreign),
    (b"-=", Kind::Foreign),
    (b"*=", Kind::Foreign),
    (b"/=", Kind::Foreign),
    (b"//", Kind::Foreign),
    (b"/*", Kind::Foreign),
    (b"..", Kind::Foreign),
];

/// The symbol of one character.
fn single(byte: u8) -> Kind {
    match byte {
        b'(' => Kind::OpenParen,
        b')' => Kind::CloseParen,
        b'[' => Kind::OpenBracket,
        b']' => Kind::CloseBracket,
        b'{' => Kind::OpenBrace,
        b'}' => Kind::CloseBrace,
        b',' => Kind::Comma,
        b':' => Kind::Colon,
        b';' => Kind::Semicolon,
        b'+' => Kind::Plus,
        b'-' => Kind::Minus,
        b'*' => Kind::Star,
        b'/' => Kind::Slash,
        b'%' => Kind::Percent,
        b'^' => Kind::Caret,
        b'=' => Kind::Eq,
        b'<' => Kind::Lt,
        b'>' => Kind::Gt,
        _ => Kind::Foreign,
    }
}

/// The tokens of `source`, which ends with [`Kind::End`].
///
/// **Cost**: linear in the length of the text.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer { source, at: 0, first: true };
    let mut tokens = Vec::with_capacity(source.len() / 3 + 1);
    loop {
        let token = lexer.next();
        tokens.push(token);
        if token.kind == Kind::End {
            return tokens;
        }
    }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    first: bool,
}

impl Lexer<'_> {
    fn next(&mut self) -> Token {
        self.skip_blanks();
        let start = self.at;
        let kind = match self.peek() {
            None => Kind::End,
            Some(c) if c.is_ascii_digit() => self.number(),
            Some(c) if starts_name(c) => self.name(),
            Some(_) => self.symbol(),
        };
        let first = std::mem::take(&mut self.first);
        Token { kind, span: Span::new(start, self.at), first }
    }

    fn rest(&self) -> &str {
        &self.source[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_while(&mut self, accepts: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !accepts(c)).unwrap_or(rest.len());
    }

    /// Skips spaces, line ends, comments, and a byte order mark at the start.
    fn skip_blanks(&mut self) {
        if self.at == 0 && self.source.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        loop {
            match self.peek() {
                Some('\n') => {
                    self.first = true;
                    self.at += 1;
                }
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('#') => self.skip_while(|c| c != '\n'),
                _ => return,
            }
        }
    }

    fn name(&mut self) -> Kind {
        let start = self.at;
        self.skip_while(continues_name);
        Keyword::of(&self.source[start..self.at]).map_or(Kind::Name, Kind::Keyword)
    }

    /// `digits[.digits][e[+-]digits]`; a letter that follows at once is part of no numeral.
    fn number(&mut self) -> Kind {
        self.digits();
        if self.at_digit_after(".") {
            self.at += 1;
            self.digits();
        }
        if let Some(mark) =
            ["e+", "E+", "e-", "E-", "e", "E"].iter().find(|m| self.at_digit_after(m))
        {
            self.at += mark.len();
            self.digits();
        }
        Kind::Number
    }

    fn at_digit_after(&self, mark: &str) -> bool {
        self.rest()
            .strip_prefix(mark)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// Digits with single underscores between them.
    fn digits(&mut self) {
        self.skip_while(|c| c.is_ascii_digit());
        while self.at_digit_after("_") {
            self.at += 1;
            self.skip_while(|c| c.is_ascii_digit());
        }
    }

    fn symbol(&mut self) -> Kind {
        match *self.rest().as_bytes() {
            [first, second, ..] if second.is_ascii_punctuation() => {
                let pair = PAIRS.iter().find(|(pair, _)| **pair == [first, second]);
                if let Some((_, kind)) = pair {
                    self.at += 2;
                    return *kind;
                }
                self.one_symbol(first)
            }
            [first, ..] => self.one_symbol(first),
            [] => Kind::End,
        }
    }

    fn one_symbol(&mut self, byte: u8) -> Kind {
        if byte.is_ascii() {
            self.at += 1;
            return single(byte);
        }
        match self.peek() {
            Some(c) if is_known(c) => self.at += c.len_utf8(),
            _ => self.skip_while(|c| !is_known(c)),
        }
        Kind::Foreign
    }
}

/// Whether `c` is not lumped together with other characters that mean nothing.
fn is_known(c: char) -> bool {
    c.is_ascii() || c.is_whitespace() || starts_name(c) || has_advice(c)
}

fn starts_name(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

/// Letters, digits and `_`; not the raised digits, which read as powers.
fn continues_name(c: char) -> bool {
    c == '_' || (c.is_alphanumeric() && !is_raised(c))
}

/// `²`, `³`, ..
pub(crate) fn is_raised(c: char) -> bool {
    matches!(c, '²' | '³' | '¹' | '⁰' | '⁴'..='⁹')
}

/// Foreign characters that the parser has advice for.
fn has_advice(c: char) -> bool {
    "≤≥≠≡∧∨¬∑∏×·⋅÷−∈√".contains(c) || is_raised(c)
}
