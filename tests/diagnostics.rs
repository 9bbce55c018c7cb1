//! What is said about wrong programs (spec chapter 2).
//!
//! Each `cases/wrong/*.iv` holds one kind of mistake; its snapshot is the
//! rendered text. A code of the checker needs a case here and a row in the
//! chapter's table.

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
            assert!(diagnostic.help.as_ref().is_some_and(|help| !help.is_empty()), "{name}: {diagnostic:?}");
            for label in &diagnostic.labels {
                let span = label.span.start as usize..label.span.end as usize;
                assert!(source.get(span).is_some(), "{name}: {diagnostic:?}");
            }
        }
        assert!(diagnostics.is_sorted_by_key(|d| d.span().start), "{name}: in the order of the text");
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
