//! Every rule of the table fires where it should, and not where its side condition fails.
//!
//! `tests/cases/rules/NAME.iv` has functions in Tensor SSA called `fires..`, on which
//! the rule must fire, and `stays..`, on which it must not. What they become is a snapshot.

use insta::assert_snapshot;
use iverson::ad::vjp;
use iverson::interpreter::{Model, Rational, eval_ssa};
use iverson::pipeline::{Loaded, load};
use iverson::simplify::{Exact, RULES, simplify_traced};
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::ir::{Atom, Element, Extent, Param};
use iverson::spec::{TensorSsa, normalize, render, ssa, unelaborate, verify};
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

#[test]
fn an_axis_that_is_dropped_costs_nothing() {
    costs_nothing("drop-axis");
}

#[test]
fn what_is_shared_costs_nothing() {
    costs_nothing("share");
}

#[test]
fn a_state_that_stays_costs_nothing() {
    costs_nothing("constant-state");
}

/// The cases at small sizes: values are kept, and work does not rise.
fn costs_nothing(rule: &str) {
    let loaded = functions(rule);
    let fires = loaded.checked.functions.iter().filter(|(name, _)| name.starts_with("fires"));
    for (name, typed) in fires {
        let program = ssa::embed(typed).unwrap_or_else(|text| panic!("{name}: `{text}`"));
        let simple = simplify_traced(&program).0;
        for (n, k) in [(0, 0), (0, 2), (1, 1), (3, 1), (2, 3), (5, 4)] {
            let inputs = inputs(&program, &[n, k, 2]);
            let run = |program| {
                eval_ssa(program, &inputs, Limits::default())
                    .unwrap_or_else(|error| panic!("{name}, {n}, {k}: {error}"))
            };
            let ((wanted, before), (found, after)) = (run(&program), run(&simple));
            assert_eq!(found, wanted, "{name}, {n}, {k}");
            let text = unelaborate::ssa(&simple);
            let works = [&after, &before].map(|report| report.work(Model::Sparse));
            assert!(works[0] <= works[1], "{name}, {n}, {k}: {works:?}\n{text}");
        }
    }
}

/// Small numbers for all parameters; every third real is 0.
fn inputs(program: &TensorSsa, sizes: &[i64]) -> Values<Rational> {
    let mut values = Values::new();
    let at = |extent: &Extent| match extent.as_constant() {
        Some(n) => n,
        None => {
            let [(Atom::Size(size), 1)] = extent.terms() else {
                panic!("an extent is a size and a constant")
            };
            sizes[size.index()] + extent.constant_part()
        }
    };
    for param in &program.params {
        let (name, value) = match param {
            Param::Size(size) => {
                let name = &program.symbols.sizes[size.index()];
                (name, Value::Size(sizes[size.index()] as u64))
            }
            Param::Tensor(tensor) => {
                let tensor = program.symbols.tensor(*tensor);
                let shape: Vec<usize> = tensor.shape.iter().map(|e| at(e) as usize).collect();
                let numbers = 0..shape.iter().product::<usize>() as i64;
                let value = match &tensor.element {
                    Element::Real => {
                        let data =
                            numbers.map(|i| Rational((i % 3 * (i % 5 - 2)).into())).collect();
                        Value::Real(Dense { shape, data })
                    }
                    Element::Index(bound) => {
                        let bound = at(bound).max(1);
                        Value::Index(Dense {
                            shape,
                            data: numbers.map(|i| i * 7 % bound).collect(),
                        })
                    }
                };
                (&tensor.name, value)
            }
            Param::Relation(_) => panic!("no case has a relation"),
        };
        values.insert(name.clone(), value);
    }
    values
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
