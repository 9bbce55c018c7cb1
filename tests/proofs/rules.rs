//! Names of laws and theorems: the simplifier's table, `rules.txt`, the theories and the
//! chapters speak of the same ones. No Coq is needed for this.

use iverson_simplify::RULES;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The files of the specification that say what is proved.
const CHAPTERS: [&str; 3] = ["3-denotation.md", "4-tensor-ssa.md", "5-derivatives.md"];

/// Names in code style that are no theorems.
const NOT_THEOREMS: [&str; 2] = ["vjp", "jvp"];

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec").join(file);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A row of `rules.txt`.
struct Row {
    lemma: String,
    file: String,
    law: String,
}

fn rows() -> BTreeMap<String, Row> {
    let text = read("proofs/rules.txt");
    let row = |line: &str| {
        let mut rest = line;
        let mut next = || {
            let (column, after) = rest.split_once("  ").unwrap_or((rest, ""));
            rest = after.trim_start();
            column.to_owned()
        };
        let rule = next();
        (rule, Row { lemma: next(), file: next(), law: next() })
    };
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(row).collect()
}

/// The theorems that `Axioms.v` shows to rest on nothing.
fn closed() -> BTreeSet<String> {
    let text = read("proofs/theories/Axioms.v");
    let name = |line: &str| {
        Some(line.strip_prefix("Print Assumptions ")?.trim_end_matches('.').to_owned())
    };
    text.lines().filter_map(name).collect()
}

#[test]
fn every_rule_of_the_simplifier_has_its_lemma() {
    let (rows, closed) = (rows(), closed());
    for rule in RULES {
        let row = rows.get(rule.name).unwrap_or_else(|| {
            panic!(
                "rule `{}` has no row in spec/proofs/rules.txt: prove its law and add one",
                rule.name
            )
        });
        assert_eq!(rule.lemma, row.lemma, "the lemma of `{}`: in Rust, in rules.txt", rule.name);
        assert_eq!(rule.law, row.law, "the law of `{}`: in Rust, in rules.txt", rule.name);
    }
    for (rule, Row { lemma, file, .. }) in &rows {
        assert!(closed.contains(lemma), "lemma `{lemma}` of `{rule}` is not in Axioms.v");
        let theory = read(&format!("proofs/theories/{file}"));
        let stated = ["Lemma", "Theorem"].iter().any(|kind| {
            theory.lines().any(|line| {
                let name = line.strip_prefix(kind).map(str::trim_start);
                name.is_some_and(|name| name.split([' ', ':']).next() == Some(lemma))
            })
        });
        assert!(stated, "{file} has no lemma `{lemma}`, which rules.txt gives for `{rule}`");
    }
}

#[test]
fn theorems_that_the_chapters_name_are_proved() {
    let closed = closed();
    let mut cited = 0;
    for chapter in CHAPTERS {
        let text = read(chapter);
        for paragraph in text.split("\n\n") {
            let Some((_, proved)) = paragraph.split_once("*Proved*") else { continue };
            let proved = proved.split("\n* ").next().unwrap_or_default();
            for name in proved.split('`').skip(1).step_by(2) {
                let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                if is_name && !NOT_THEOREMS.contains(&name) {
                    assert!(closed.contains(name), "{chapter}: `{name}` is not in Axioms.v");
                    cited += 1;
                }
            }
        }
    }
    assert!(cited >= 30, "the chapters name {cited} theorems");
}
