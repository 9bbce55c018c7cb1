//! Every rule of the table fires where it should, and not where its side condition fails.
//!
//! `tests/cases/rules/NAME.iv` has functions in Tensor SSA called `fires..`, on which
//! the rule must fire, and `stays..`, on which it must not. What they become is a snapshot.

use insta::assert_snapshot;
use iverson::ad::vjp;
use iverson::pipeline::{Loaded, load};
use iverson::simplify::{Exact, RULES, simplify_traced};
use iverson::spec::{normalize, render, ssa, unelaborate, verify};
use std::fmt::Write;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/rules");

fn functions(rule: &str) -> Loaded {
    let text = std::fs::read_to_string(format!("{CASES}/{rule}.iv"))
        .unwrap_or_else(|error| panic!("rule `{rule}` has no cases: {error}"));
    load(&text).unwrap_or_else(|found| panic!("{}", render::render(&found, rule, &text)))
}

#[test]
fn each_rule_fires_and_stays_where_it_should() {
    let mut wrong = String::new();
    for rule in RULES {
        let loaded = functions(rule.name);
        let mut shown = String::new();
        let mut seen = (0, 0);
        for (name, typed) in &loaded.checked.functions {
            let program = ssa::embed(typed).unwrap_or_else(|t| panic!("{}: `{t}`", rule.name));
            let (simple, trace) = simplify_traced(&program);
            verify(&simple).unwrap_or_else(|violation| panic!("{}: {violation}", rule.name));
            let fired = trace.firings.iter().any(|firing| firing.rule == rule.name);
            let wanted = name.starts_with("fires");
            assert!(wanted || name.starts_with("stays"), "{}: `{name}`", rule.name);
            if fired != wanted {
                let text = unelaborate::ssa(&simple);
                let _ = writeln!(wrong, "`{}` in `{name}`\n{trace}{text}", rule.name);
            }
            seen = (seen.0 + u32::from(wanted), seen.1 + u32::from(!wanted));
            let _ = writeln!(shown, "{}\n{trace}", unelaborate::ssa(&simple));
        }
        assert!(seen.0 > 0 && seen.1 > 0, "`{}` has cases of both kinds", rule.name);
        assert_snapshot!(format!("rule-{}", rule.name), shown);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_case_belongs_to_a_rule() {
    for entry in std::fs::read_dir(CASES).expect("the folder of cases is there") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let rule = name.trim_end_matches(".iv");
        assert!(RULES.iter().any(|r| r.name == rule), "{name} belongs to no rule");
    }
}

/// Chapter 6 has the table as it is in the code.
#[test]
fn the_chapter_lists_the_rules() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/spec/6-indicators-and-fibres.md");
    let chapter = std::fs::read_to_string(path).expect("chapter 6 is there");
    for rule in RULES {
        let exact = match rule.exact {
            Exact::Always => "yes",
            Exact::Rationals => "rationals",
        };
        let row = format!(
            "| {} | `{}` | {} | {exact} | `{}` |",
            rule.name, rule.law, rule.side, rule.lemma
        );
        assert!(chapter.contains(&row), "chapter 6 lacks the row\n{row}");
    }
}

/// Variables of one name are told apart, as in the text of a program.
#[test]
fn a_trace_tells_variables_apart() {
    let text = "fn f(n: size, x: real[n]) -> (y: real) { y = sum(i: n) exp(x[i]) }";
    let loaded = load(text).unwrap_or_else(|found| panic!("{}", render::render(&found, "-", text)));
    let typed = loaded.function(None).unwrap_or_else(|none| panic!("{none}"));
    let gradient = vjp(&normalize(typed), &["x"]).unwrap_or_else(|error| panic!("{error}"));
    let (_, trace) = simplify_traced(&gradient);
    let sifted = "sift in `x_bar[i]`
      sum(i_1: n where i = i_1) exp(x[i_1]) * y_ct
   => [i >= 0 and i < n] * exp(x[i]) * y_ct
";
    let trace = trace.to_string();
    assert!(trace.contains(sifted), "{trace}");
}
