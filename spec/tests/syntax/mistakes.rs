//! Wrong texts and what is said about them.

use iverson_spec::{parse, render};
use std::fmt::Write;

/// Bodies of a function, one mistake each.
const WRONG_STATEMENTS: &[&str] = &[
    "y = [i == j] * x",
    "y = [i > 0 && i < n]",
    "y = [!p]",
    "y = [i ≤ n]",
    "y = x ** 2",
    "y = x²",
    "y = .5 * x",
    "y = 5. * x",
    "y = 2x",
    "y = 1e999",
    "y := x",
    "y += x",
    "y = A[i][j]",
    "y = (a + b)[i]",
    "y = f(x)[i]",
    "y = [p][q]",
    "y = 2 (x)",
    "y = a b",
    "a = 1 b = 2",
    "y = sum(x)",
    "y = sum x",
    "y = sum(i in n) x[i]",
    "y = sum(i: 0..n) x[i]",
    "y = sum(i: n where p, j: m) x",
    "y = for(i: n where p) x[i]",
    "y = x^sum(i: n) x",
    "y = a + not p",
    "y = + a",
    "y = if p then a",
    "y = let x = 1",
    "y = {\n    a\n}",
    "y = f(a, b",
    "y = f(a, b]",
    "y = a)",
    "y = A[]",
    "y[0] = x",
    "y[t - 1] = x",
    "y[] = x",
    "y: float = x",
    "y: real[] = x",
    "y",
    "return y",
    "let y = x",
    "for(i: n) y[i] = x",
    "(a, b + 1) = f(x)",
    "a, b = f(x)",
    "rec t { y[t] = 0 }",
    "rec t: n\ny[t] = 0",
    "requires(v: n where p) q",
    "in = 3",
    "y = a\n[p] * b",
    "y = x' * 2",
    "y = \"text\"",
    "y = x // 2",
    "y = x\u{a0}+ 1",
    "y = C @ D",
    "y = a + # remark",
];

/// Whole texts.
const WRONG_TEXTS: &[&str] = &[
    "y = x\n",
    "fn f(x) -> (y: real) { y = x }\n",
    "fn f(x: real) { y = x }\n",
    "fn f(x: real) -> y: real { y = x }\n",
    "fn f(n: size) -> (y: real) requires n > 0 { y = 1 }\n",
    "fn sum(x: real) -> (y: real) { y = x }\n",
    "fn f(x: matrix) -> (y: real) { y = x }\n",
    "fn f(x: real[n) -> (y: real) { y = x }\n",
    "fn f(R: rel()) -> () { }\n",
    "fn f() -> () {\n    y = x\n\nfn g() -> () {\n    y = x\n}\n",
    "fn f() -> () {\n    y = x\n}\n}\n",
    "fn f() -> () {\n    y = x\n",
    "fn f(x: real) -> (y: real) { y = x } derivative { x = 1 }\n",
    "const a = 1 const b = 2\n",
    "const a\nconst b = 2 +\n",
    "fn",
    "%PDF-1.4 \u{0} \u{fffd}\u{fffd}\n",
];

#[test]
fn wrong_texts() {
    let bodies = WRONG_STATEMENTS.iter().map(|wrong| format!("fn f() -> () {{\n    {wrong}\n}}\n"));
    let texts = WRONG_TEXTS.iter().map(|text| (*text).to_owned());
    let mut shown = String::new();
    for text in bodies.chain(texts) {
        let mistakes = parse(&text).expect_err(&text);
        writeln!(shown, "{}", render::render(&mistakes, "text.iv", &text)).unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn several_mistakes_are_reported_in_order() {
    let text = "\
fn f(x: real) -> (y: real) {
    a = [x == 1]
    b = (x +
        2 2)
    rec t: n {
        s[t] = 1 +* 2
        u[t] = let {
            v = 1 2
            w = 3
        } in v w
    }
    c = x
}

const pi2 3

fn g( -> (y: real) { y == 1 }
fn h(x: real) -> (y: real) {
    y = x ? 1 : 0
}
";
    let mistakes = parse(text).unwrap_err();
    insta::assert_snapshot!(render::render(&mistakes, "text.iv", text));
}

#[test]
fn at_most_fifty_mistakes_and_a_last_line() {
    let text = format!("fn f() -> () {{\n{}}}\n", "    y == x\n".repeat(60));
    let mistakes = parse(&text).unwrap_err();
    assert_eq!(mistakes.len(), 51);
    insta::assert_snapshot!(render::render(&mistakes[49..], "text.iv", &text));
}

#[test]
fn mistakes_as_json() {
    let text = "fn f() -> () {\n    é = f(α, b\n}\n";
    let json = render::to_json(&parse(text).unwrap_err(), "text.iv", text);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

/// A span of another text is cut to the source.
#[test]
fn spans_outside_the_text_are_shown() {
    use iverson_spec::diagnostic::{Diagnostic, Span};
    for (start, end) in [(0, 0), (3, 2), (1, 2), (7, 9), (1000, 2000)] {
        let diagnostic = Diagnostic::new("test::span", Span { start, end }, "somewhere")
            .label(Span { start: end, end: start }, "and there");
        for source in ["", "é", "é\nü\n", "abc\n\n\n", "\r\n\r\n"] {
            let text = render::render(std::slice::from_ref(&diagnostic), "text.iv", source);
            assert!(text.contains("test::span"));
            let _ = render::render_styled(std::slice::from_ref(&diagnostic), "text.iv", source);
            let _ = render::to_json(std::slice::from_ref(&diagnostic), "text.iv", source);
        }
    }
}
