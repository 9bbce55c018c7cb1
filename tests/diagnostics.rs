//! What is said about wrong programs (spec chapter 2).
//!
//! Each `cases/wrong/*.iv` holds one kind of mistake; its snapshot is the
//! rendered text. A code of the checker needs a case here and a row in the
//! chapter's table.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use iverson::spec::{Diagnostic, check, parse, render};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Codes that no case reaches: the text would have more than two gibibytes.
const WITHOUT_CASE: &[&str] = &["syntax::size"];

const CHAPTER: &str = include_str!("../spec/2-typing-and-bounds.md");

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn diagnose(source: &str) -> Vec<Diagnostic> {
    match parse(source) {
        Err(mistakes) => mistakes,
        Ok(module) => check(&module).err().unwrap_or_default(),
    }
}

/// The wrong programs by name.
fn cases() -> Vec<(String, String)> {
    files(&root("tests/cases/wrong"), "iv")
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// The codes in the first column of the chapter's table.
fn documented() -> BTreeSet<String> {
    let rows = CHAPTER.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.filter(|code| code.contains("::")).map(str::to_owned).collect()
}

#[test]
fn every_wrong_program_is_explained() {
    for (name, source) in cases() {
        assert!(source.starts_with("# "), "{name}: a first line says what is wrong");
        let shown = render::render(&diagnose(&source), &format!("{name}.iv"), &source);
        insta::assert_snapshot!(name, shown);
    }
}

#[test]
fn every_diagnostic_helps_and_points_into_the_text() {
    for (name, source) in cases() {
        let diagnostics = diagnose(&source);
        assert!(!diagnostics.is_empty(), "{name} is not wrong");
        for diagnostic in &diagnostics {
            assert!(
                diagnostic.help.as_ref().is_some_and(|help| !help.is_empty()),
                "{name}: {diagnostic:?}"
            );
            for label in &diagnostic.labels {
                let span = label.span.start as usize..label.span.end as usize;
                assert!(source.get(span).is_some(), "{name}: {diagnostic:?}");
            }
        }
        assert!(
            diagnostics.is_sorted_by_key(|d| d.span().start),
            "{name}: in the order of the text"
        );
    }
}

/// A case, a text in it, what to write for that, and which part of this the help says.
type Fix = (&'static str, &'static str, &'static str, &'static str);

const FIXES: &[Fix] = &[
    ("bounds-access-argmax", "y[k]", "[k < n] * y[k]", "[k < n] * y[k]"),
    (
        "bounds-access-convolution",
        "x[i + j - 1]",
        "[0 <= i + j - 1 < n] * x[i + j - 1]",
        "[0 <= i + j - 1 < n] * x[i + j - 1]",
    ),
    (
        "bounds-access-data",
        "x[p[e] + 1]",
        "[p[e] + 1 < n] * x[p[e] + 1]",
        "[p[e] + 1 < n] * x[p[e] + 1]",
    ),
    (
        "bounds-access-data",
        "    y[",
        "    requires(e: m) p[e] + 1 < n\n    y[",
        "requires(e: m) p[e] + 1 < n",
    ),
    ("bounds-access-first", "x[0]", "[0 < n] * x[0]", "[0 < n] * x[0]"),
    ("bounds-access-first", "    y", "    requires 0 < n\n    y", "requires 0 < n"),
    ("bounds-access-guarded", "x[i + 1]", "[i + 1 < n] * x[i + 1]", "[i + 1 < n] * x[i + 1]"),
    ("bounds-access-index", "x[next[i + 1]]", "[i + 1 < n] * x[next[i + 1]]", "[i + 1 < n] * "),
    ("bounds-access-max", "(j: 3)", "(j: 3 where i + j < n)", "where i + j < n"),
    ("bounds-access-next", "x[i + 1]", "[i + 1 < n] * x[i + 1]", "[i + 1 < n] * x[i + 1]"),
    (
        "bounds-access-range",
        "A[i, j]",
        "[i < n and j < m] * A[i, j]",
        "[i < n and j < m] * A[i, j]",
    ),
    (
        "bounds-access-relation",
        "edge(i, i + 1)",
        "i + 1 < n and edge(i, i + 1)",
        "i + 1 < n and edge(i, i + 1)",
    ),
    ("names-function-without-call", "sin *", "sin(x[i]) *", "sin("),
    ("names-unknown", "wieght", "weight", "weight"),
    ("names-unknown-index", "x[i]", "sum(i: n) x[i]", "sum(i: n) x[i]"),
    ("names-unknown-size", "(x:", "(n: size, x:", "n: size"),
    ("recurrence-order", "s[t] /", "[t > 0] * s[t - 1] /", "[t > 0] * s[t - 1]"),
    (
        "recurrence-order-statements",
        "s[t] = gate[t]",
        "s[t] = [t > 0] * gate[t - 1]",
        "[t > 0] * gate[t - 1]",
    ),
    ("typing-axis", "y[i]", "y[i: n]", "i: n"),
    ("typing-bound-recurrence", "place[t] =", "place[t]: index(m) =", "place[t]: index(m)"),
    ("typing-divisor", "x[i] / [d[i] > 0]", "[d[i] > 0] * x[i] / d[i]", "[d[i] > 0] * "),
    (
        "typing-index-computed",
        "Q[i: n] = other(n, P[i])",
        "rec i: n { Q[i] = other(n, P[i]) }",
        "rec i: n {",
    ),
    (
        "typing-real-argmax",
        "argmax(i: n) x[i]",
        "real(argmax(i: n) x[i])",
        "real(argmax(i: n) x[i])",
    ),
    (
        "typing-real-call",
        "y = 2 * best(n, x)",
        "k = best(n, x)\n    y = 2 * real(k)",
        "k = best(n, x)",
    ),
    ("typing-real-entry", "label[i]", "real(label[i])", "real(label[i])"),
    ("typing-real-floor", "floor(x)", "real(floor(x))", "real(floor(x))"),
    ("typing-real-index", "i * x", "real(i) * x", "real(i)"),
    ("typing-real-proposition", "(x[i] > 0)", "[x[i] > 0]", "[x[i] > 0]"),
    ("typing-real-size", "/ n", "/ real(n)", "real(n)"),
    ("typing-relation", "mask(i)", "mask[i] > 0", "mask[i] > 0"),
];

/// Who does what the help says has a right program.
#[test]
fn helps_are_right() {
    let cases = cases();
    for (name, wrong, right, said) in FIXES {
        let (_, source) = cases.iter().find(|(case, _)| case == name).unwrap();
        let helps: Vec<String> = diagnose(source).into_iter().filter_map(|d| d.help).collect();
        assert!(helps.iter().any(|help| help.contains(said)), "{name}: `{said}` in {helps:?}");
        assert!(source.contains(wrong) && right.contains(said), "{name}: {wrong}, {right}, {said}");
        let fixed = source.replacen(wrong, right, 1);
        let left = diagnose(&fixed);
        assert!(left.is_empty(), "{}", render::render(&left, name, &fixed));
    }
}

/// A code in the sources, a row in the chapter, a case: each has the others.
#[test]
fn codes_have_a_case_and_a_row() {
    let reached: BTreeSet<String> = cases()
        .iter()
        .flat_map(|(_, source)| diagnose(source))
        .map(|diagnostic| diagnostic.code.to_owned())
        .chain(WITHOUT_CASE.iter().map(|code| (*code).to_owned()))
        .collect();
    assert_eq!(reached, documented());
    assert_eq!(in_sources(), documented());
}

/// The codes written in the sources of the parser and the checker.
fn in_sources() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for path in files(&root("spec/src"), "rs") {
        let source = std::fs::read_to_string(path).unwrap();
        codes.extend(source.split('"').filter(|text| is_code(text)).map(str::to_owned));
    }
    codes
}

fn is_code(text: &str) -> bool {
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    text.split_once("::").is_some_and(|(family, kind)| word(family) && word(kind))
}

/// The blocks of the chapter marked `iv` pass; those marked `iv wrong=CODE` fail with that code alone.
#[test]
fn the_examples_of_the_chapter_are_as_said() {
    let mut examples = 0;
    for block in CHAPTER.split("\n```iv").skip(1) {
        let (mark, rest) = block.split_once('\n').unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let found = diagnose(example);
        let codes: BTreeSet<&str> = found.iter().map(|d| d.code).collect();
        let wanted: BTreeSet<&str> = mark.trim().strip_prefix("wrong=").into_iter().collect();
        assert_eq!(codes, wanted, "{}", render::render(&found, "chapter", example));
        examples += 1;
    }
    assert!(examples >= 20, "only {examples} examples");
}
