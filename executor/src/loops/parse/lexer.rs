//! Text to tokens.
//!
//! No text is refused here: what is no token becomes [`Token::Odd`], and the parser says what is
//! wanted where it stands.

/// A token.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token<'t> {
    /// `for`, `x_bar`
    Word(&'t str),
    /// `0.5`, `1e-7`, `3`
    Number(&'t str),
    /// `"entries of R"`
    Quoted(String),
    /// `# text`, up to the end of its line
    Note(String),
    /// `+`, `..`, `<=.`
    Symbol(&'static str),
    /// A character that begins no token; a quotation without an end.
    Odd(char),
    /// The end of the text.
    End,
}

impl Token<'_> {
    /// As an error names it.
    pub(super) fn described(&self) -> String {
        match self {
            Self::Word(text) | Self::Number(text) => format!("`{}`", shortened(text)),
            Self::Symbol(symbol) => format!("`{symbol}`"),
            Self::Quoted(text) => format!("the quotation {}", quoted(&shortened(text))),
            Self::Note(_) => "a note".to_owned(),
            Self::Odd('"') => "a quotation without an end in its line".to_owned(),
            Self::Odd(c) => format!("the character {c:?}"),
            Self::End => "the end of the text".to_owned(),
        }
    }
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push_str("..");
    }
    short
}

/// A text in quotation marks, in one line: `\"`, `\\`, and `\u{a}` for control characters.
pub(in crate::loops) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A token and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Lexed<'t> {
    pub(super) token: Token<'t>,
    /// From 1.
    pub(super) line: usize,
    /// In characters, from 1.
    pub(super) column: usize,
    /// Whether it is the first of its line.
    pub(super) first: bool,
    /// Of an opening bracket: the place of its closing one, if there is one.
    pub(super) close: Option<usize>,
}

/// The symbols; what begins with another one stands before it.
const SYMBOLS: [&str; 29] = [
    "!=.", "<=.", ">=.", "..", "=.", "<.", ">.", "!=", "<=", ">=", "+=", "*=", "(", ")", "[", "]",
    "{", "}", ",", ":", "=", "<", ">", "+", "-", "*", "/", "%", "^",
];

/// The folds that begin with a word.
const WORD_FOLDS: [&str; 2] = ["max=", "min="];

/// The tokens of a text; the last one is its end.
pub(super) fn lex(text: &str) -> Vec<Lexed<'_>> {
    let mut tokens = Vec::new();
    let mut line = 1;
    for (number, content) in text.split('\n').enumerate() {
        line = number + 1;
        lex_line(content, line, &mut tokens);
    }
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    tokens.push(Lexed { token: Token::End, line, column, first: true, close: None });
    match_brackets(&mut tokens);
    tokens
}

fn lex_line<'t>(content: &'t str, line: usize, tokens: &mut Vec<Lexed<'t>>) {
    let (mut rest, mut column, mut first) = (content, 1, true);
    while let Some(c) = rest.chars().next() {
        let length = if c.is_whitespace() {
            c.len_utf8()
        } else {
            let (token, length) = token(rest, c);
            tokens.push(Lexed { token, line, column, first, close: None });
            first = false;
            length
        };
        let (read, left) = rest.split_at(length);
        column += read.chars().count();
        rest = left;
    }
}

/// The token that a line begins with, and its length in bytes.
fn token(rest: &str, c: char) -> (Token<'_>, usize) {
    if let Some(symbol) = WORD_FOLDS.iter().chain(&SYMBOLS).find(|s| rest.starts_with(**s)) {
        return (Token::Symbol(symbol), symbol.len());
    }
    if c.is_ascii_digit() {
        let length = number(rest.as_bytes());
        return (Token::Number(&rest[..length]), length);
    }
    if in_word(c) {
        let length = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        return (Token::Word(&rest[..length]), length);
    }
    match c {
        '#' => (note(&rest[1..]), rest.len()),
        '"' => match unquoted(rest) {
            Some((text, length)) => (Token::Quoted(text), length),
            None => (Token::Odd('"'), rest.len()),
        },
        c => (Token::Odd(c), c.len_utf8()),
    }
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// A note's text; one in quotation marks stands for what they say.
fn note(text: &str) -> Token<'static> {
    let text = text.trim();
    let inner = unquoted(text).filter(|(_, length)| *length == text.len());
    Token::Note(inner.map_or_else(|| text.to_owned(), |(inner, _)| inner))
}

/// The length of the number that bytes begin with: `12`, `1.5`, `1e-7`.
fn number(bytes: &[u8]) -> usize {
    let digits = |from: usize| {
        from + bytes[from.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count()
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && digits(end + 1) > end + 1 {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if digits(end + 1 + sign) > end + 1 + sign {
            end = digits(end + 1 + sign);
        }
    }
    end
}

/// What a quotation says, and its length in bytes.
fn unquoted(rest: &str) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices();
    chars.next().filter(|(_, c)| *c == '"')?;
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, at + 1)),
            '\\' => match chars.next()?.1 {
                c @ ('"' | '\\') => text.push(c),
                'u' => {
                    chars.next().filter(|(_, c)| *c == '{')?;
                    let digits: String =
                        chars.by_ref().map(|(_, c)| c).take_while(|c| *c != '}').collect();
                    text.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                }
                _ => return None,
            },
            c => text.push(c),
        }
    }
    None
}

fn match_brackets(tokens: &mut [Lexed<'_>]) {
    let mut open: Vec<(usize, &str)> = Vec::new();
    for at in 0..tokens.len() {
        let Token::Symbol(symbol) = tokens[at].token else { continue };
        match symbol {
            "(" => open.push((at, ")")),
            "[" => open.push((at, "]")),
            ")" | "]" if open.last().is_some_and(|(_, close)| *close == symbol) => {
                if let Some((start, _)) = open.pop() {
                    tokens[start].close = Some(at);
                }
            }
            _ => {}
        }
    }
}
