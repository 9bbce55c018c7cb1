//! Deep texts, long texts: a clear mistake or a quick answer, never a crash.

use iverson_spec::{parse, print, render};
use std::time::{Duration, Instant};

const DEEP: usize = 100_000;

fn body(statement: &str) -> String {
    format!("fn f() -> () {{\n{statement}\n}}\n")
}

/// Reads `source` on a small stack; gives the codes of the mistakes.
fn codes(source: String) -> Vec<&'static str> {
    let read = move || match parse(&source) {
        Ok(module) => {
            let _ = print::module(&module);
            Vec::new()
        }
        Err(mistakes) => {
            let _ = render::render(&mistakes, "text.iv", &source);
            mistakes.iter().map(|mistake| mistake.code).collect()
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(read).unwrap().join().unwrap()
}

#[test]
fn deep_texts_are_mistakes() {
    for (open, middle, close) in [
        ("(", "x", ")"),
        ("[", "x", "]"),
        ("-", "x", ""),
        ("not ", "x", ""),
        ("x^", "x", ""),
        ("x^-", "x", ""),
        ("f(", "x", ")"),
        ("A[", "x", "]"),
        ("if ", "p", " then a else b"),
        ("if p then ", "a", " else b"),
        ("if p then a else ", "b", ""),
        ("let x = ", "x", " in x"),
        ("let x = x in ", "x", ""),
        ("let { x = ", "x", "} in x"),
        ("a + let x = 1 in ", "x", ""),
        ("sum(i: n) ", "x", ""),
        ("sum(i: ", "n", ") x"),
        ("sum(i: n where ", "p", ") x"),
        ("for(i: n) ", "x", ""),
        ("(1 / ", "x", ") / x"),
    ] {
        for close in [close, ""] {
            let text = format!("y = {}{middle}{}", open.repeat(DEEP), close.repeat(DEEP));
            let codes = codes(body(&text));
            assert_eq!(codes.first(), Some(&"syntax::depth"), "{open}");
            assert!(codes.len() <= 3, "{open}: {codes:?}");
        }
    }
    assert_eq!(codes(body(&"rec t: n {".repeat(DEEP)))[0], "syntax::depth");
    assert_eq!(codes(body(&"{".repeat(DEEP)))[0], "syntax::expected");
    assert_eq!(codes(format!("const c = {}", "(".repeat(DEEP)))[0], "syntax::depth");
    assert_eq!(codes(body(&format!("y = x{}", " / 2".repeat(DEEP)))), ["syntax::depth"]);
    assert_eq!(codes(body(&format!("y = x{}", " % 2 * 2".repeat(DEEP)))), ["syntax::depth"]);
}

#[test]
fn nesting_up_to_the_limit_reads_and_prints_back() {
    for (open, middle, close) in [
        ("(a + ", "x", ")"),
        ("-", "x", ""),
        ("x^", "x", ""),
        ("a + let x = 1 in ", "x", ""),
        ("a * if p then b else ", "c", ""),
        ("(a or not b < -c + d * ", "x", "^2)"),
        ("let {\n x = ", "x", "\n y = x } in x"),
    ] {
        let text =
            |depth| format!("y = {}{middle}{}", open.repeat(depth), str::repeat(close, depth));
        let deepest = (1..=200).rev().find(|depth| parse(&body(&text(*depth))).is_ok()).unwrap();
        assert!(deepest >= 60, "{open} {deepest}");
        assert!(codes(body(&text(deepest))).is_empty());
        let printed = print::module(&parse(&body(&text(deepest))).unwrap());
        let again = parse(&printed).unwrap_or_else(|mistakes| {
            panic!("{}", render::render(&mistakes, "text.iv", &printed))
        });
        assert_eq!(print::module(&again), printed);
    }
}

/// The divisions around one operand are counted through parentheses.
#[test]
fn divisions_are_counted_along_the_tree() {
    let within = format!("(x{}){}", " / 2".repeat(100), " / 3".repeat(100));
    assert!(codes(body(&format!("y = {within} * a[i / 2]"))).len() == 1);
    assert!(codes(body(&format!("y = {within} + {within}"))).is_empty());
    assert!(codes(body(&format!("y = x / ({within})"))).is_empty());
    assert_eq!(codes(body(&format!("y = {within} / 5"))), ["syntax::depth"]);
    let flat = "a * ".repeat(100_000);
    assert!(codes(body(&format!("y = {flat} a / b + {} a", "a + ".repeat(100_000)))).is_empty());
}

const MEGABYTE: usize = 1_000_000;

/// Texts of a megabyte, by what they try.
fn long_texts() -> Vec<(&'static str, String)> {
    let fill = |piece: &str| piece.repeat(MEGABYTE / piece.len());
    vec![
        (
            "program",
            fill(
                "fn f(n: size, x: real[n]) -> (y: real) {\n    y = sum(i: n) [i > 0] * x[i - 1]^2\n}\n",
            ),
        ),
        ("statements", body(&fill("y[i: n] = a[i] * b[i + 1] + sum(j: m where j < i) c[j]\n"))),
        ("sum", body(&format!("y = {} a", fill("a + ")))),
        ("product", body(&format!("y = {} a", fill("a*")))),
        ("minus factors", body(&format!("y = {} a", fill("a * -")))),
        ("comparisons", body(&format!("y = {} a", fill("a<")))),
        ("conjunction", body(&format!("y = {} a", fill("a and ")))),
        ("arguments", body(&format!("y = f({} a)", fill("a,")))),
        ("parameters", format!("fn f({}) -> () {{}}", fill("a: size,"))),
        ("name", body(&format!("y = {}", fill("a")))),
        ("number", body(&format!("y = {}", fill("1")))),
        ("exponents", body(&format!("y = {} a", fill("1e400 * ")))),
        ("comment", format!("# {}", fill("#"))),
        ("blank", fill(" \n")),
        ("semicolons", body(&fill(";"))),
        ("foreign", fill("@")),
        ("foreign lines", body(&fill("x == y\n"))),
        ("strange characters", body(&fill("y = “x”\n"))),
        ("open parentheses", body(&format!("y = {}", fill("(")))),
        ("open braces", fill("{")),
        ("unclosed lines", body(&fill("y = f(\n"))),
        ("closers", body(&fill(")]}"))),
        ("open lets", body(&format!("y = {}", fill("let {\n y = ")))),
        ("open recurrences", body(&fill("rec t: n {\n"))),
        ("parentheses, then braces", body(&format!("y = {{{} {}", fill("("), fill("{}\n")))),
        ("heads", fill("fn f(\n")),
        ("fn", fill("fn ")),
        ("const", fill("const\n")),
        ("names", fill("a ")),
        ("not utf-8 looking", fill("é²≤")),
        ("one long wrong line", body(&format!("y = {} )", fill("a + ")))),
    ]
}

/// Far above what a linear parser takes and far below what a quadratic one would.
#[test]
fn long_texts_take_linear_time() {
    for (what, text) in long_texts() {
        let start = Instant::now();
        codes(text);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(10), "{what} took {took:?}");
    }
}

/// Times for the record: `cargo test --release -p iverson-spec --test syntax -- --ignored --nocapture`.
#[test]
#[ignore = "prints times, checks nothing"]
fn times_of_long_texts() {
    for (what, text) in long_texts() {
        let start = Instant::now();
        let read = parse(&text);
        let parsed = start.elapsed();
        let start = Instant::now();
        let bytes = match &read {
            Ok(module) => print::module(module).len(),
            Err(mistakes) => render::render(mistakes, "text.iv", &text).len(),
        };
        let shown = start.elapsed();
        let result = if read.is_ok() { "printed" } else { "rendered" };
        println!("{what:28} parsed in {parsed:>10.2?}, {result} ({bytes} bytes) in {shown:>10.2?}");
    }
}
