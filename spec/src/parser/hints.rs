//! What to write instead of what other languages write.

use crate::lexer::is_raised;

/// The text of a foreign token, and the advice.
const FOREIGN: &[(&str, &str)] = &[
    ("==", "equality is written `=`"),
    ("≡", "equality is written `=`"),
    ("<>", "write `!=`"),
    ("≠", "write `!=`"),
    ("≤", "write `<=`"),
    ("=<", "write `<=`"),
    ("≥", "write `>=`"),
    ("=>", "`a >= b` compares; a conditional is `if p then a else b`"),
    ("&&", "write `and`"),
    ("&", "write `and`"),
    ("∧", "write `and`"),
    ("||", "write `or`; the absolute value is `abs(x)`"),
    ("|", "write `or`; the absolute value is `abs(x)`"),
    ("∨", "write `or`"),
    ("!", "write `not`"),
    ("¬", "write `not`"),
    ("~", "write `not`"),
    ("?", "a conditional is `if p then a else b`"),
    ("**", "a power is written `x^y`"),
    (":=", "a definition is written `x = e`"),
    ("+=", "a tensor is defined once, by one statement: write all summands there"),
    ("-=", "a tensor is defined once, by one statement: write all summands there"),
    ("*=", "a tensor is defined once, by one statement"),
    ("/=", "`not equal` is written `!=`; a tensor is defined once, by one statement"),
    ("//", "a comment begins with `#`; the quotient of indices rounded down is `i / 2`"),
    ("/*", "a comment begins with `#` and ends with the line"),
    ("..", "a range begins at 0 and is written by its length: `i: n`"),
    (
        ".",
        "a decimal fraction has digits before and after the point: `0.5`, `5.0`; there are no methods: a sum is `sum(i: n) x[i]`",
    ),
    ("∑", "write `sum(i: n) ..`"),
    ("∏", "write `prod(i: n) ..`"),
    ("√", "write `sqrt(x)`"),
    ("×", "write `*`"),
    ("·", "write `*`"),
    ("⋅", "write `*`"),
    ("÷", "write `/`"),
    ("−", "write `-`, the hyphen"),
    ("∈", "an index variable with its range is `i: n`"),
    ("'", "names consist of letters, digits and `_`; for a derivative write `x_dot`, `x_bar`"),
    ("\\", "a line that continues the one before begins with an operator; no mark is needed"),
    ("\"", "there are no texts; a comment begins with `#`"),
    ("@", "a matrix product is `C[i: n, k: m] = sum(j: l) A[i, j] * B[j, k]`"),
    ("\u{a0}", "this is a no-break space; write a plain one"),
];

/// What to write instead of the foreign token `text`, where that is known.
pub(super) fn foreign(text: &str) -> Option<&'static str> {
    if text.starts_with(is_raised) {
        return Some("a power is written `x^2`");
    }
    FOREIGN.iter().find(|(foreign, _)| *foreign == text).map(|(_, advice)| *advice)
}

/// The token as a message shows it: short, without control characters.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(20).flat_map(visible).collect();
    if text.chars().nth(20).is_some() {
        shown.push('…');
    }
    shown
}

fn visible(c: char) -> Box<dyn Iterator<Item = char>> {
    if c.is_control() || (c.is_whitespace() && c != ' ') || is_direction(c) {
        Box::new(c.escape_unicode())
    } else {
        Box::new(std::iter::once(c))
    }
}

/// Characters without a width of their own that change how their line reads.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
