//! `iverson check`, `print` and `work`.

#[expect(dead_code, reason = "each test file uses a part of it")]
mod common;

use common::Folder;
use std::process::Stdio;

const MATVEC: &str = "fn matvec(n: size, m: size, A: real[n, m], x: real[m]) -> (y: real[n]) {
    y[i: n] = sum(j: m) A[i, j] * x[j]
}
";

const WRONG: &str = "fn f(n: size, x: real[n]) -> (y: real[n]) { y[i: n] = x[i + 1] }\n";

fn folder() -> Folder {
    Folder::new(&[("matvec.iv", MATVEC), ("wrong.iv", WRONG)])
}

#[test]
fn check_is_silent_about_a_right_program() {
    assert_eq!(folder().run("check matvec.iv").ok(), "");
    assert_eq!(folder().run("check matvec.iv --format json").ok(), "[]\n");
}

#[test]
fn check_shows_what_is_wrong() {
    let folder = folder();
    folder.run("check wrong.iv").fails(1, "wrong.iv:1:");
    assert!(!folder.run("check wrong.iv").stderr.contains('\u{1b}'), "no colours off a terminal");
    let json = folder.run("check wrong.iv --format json");
    assert_eq!((json.code, json.stderr.as_str()), (1, ""));
    let diagnostics: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    let first = &diagnostics[0];
    assert!(first["code"].as_str().is_some_and(|code| code.starts_with("bounds")), "{first}");
    assert_eq!(
        (&first["file"], &first["labels"][0]["start"]["line"]),
        (&"wrong.iv".into(), &1.into())
    );
    folder.run("check none.iv --format json").fails(1, "cannot read `none.iv`");
}

#[test]
fn what_is_printed_prints_the_same_again() {
    let folder = folder();
    for stage in ["ast", "typed", "ssa"] {
        let printed = folder.run(&format!("print matvec.iv --stage {stage}")).ok();
        folder.write("printed.iv", printed.as_bytes());
        assert_eq!(folder.run(&format!("print printed.iv --stage {stage}")).ok(), printed);
    }
    assert_eq!(folder.run("print matvec.iv --fn matvec").ok(), MATVEC);
    folder.run("print matvec.iv --fn g").fails(1, "there is no function `g`");
}

#[test]
fn work_counts_and_names_the_growth() {
    let want = "sizes: n = 3, m = 4

sparse: points that guards leave are visited
  statement  work  points  tests  accesses  index reads  flops  bytes
  y            36      12      0        24            0     24    216
  total        36      12      0        24            0     24    216

dense: every point of the box is visited
  statement  work  points  tests  accesses  index reads  flops  bytes
  y            36      12      0        24            0     24    216
  total        36      12      0        24            0     24    216

work = points + tests + accesses
  y      sparse  3*n*m
         dense   3*n*m
  total  sparse  3*n*m
         dense   3*n*m
";
    assert_eq!(folder().run("work matvec.iv --size n=3 --size m=4").ok(), want);
    let json = folder().run("work matvec.iv --size n=3 --size m=4 --format json").ok();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["sizes"], serde_json::json!({"n": 3, "m": 4}));
    assert_eq!(json["total"]["sparse"]["work"], 36);
    assert_eq!(json["statements"][0]["dense"]["formula"], "3*n*m");
    folder()
        .run("work matvec.iv --size k=3")
        .fails(1, "`k` is not a size of `matvec`; its sizes are `n`, `m`");
}

#[test]
fn derivatives_print_before_and_after_the_laws() {
    let folder = folder();
    let raw = folder.run("print matvec.iv --stage vjp --wrt x").ok();
    assert!(raw.contains("x_bar[") && raw.contains("i_1"), "{raw}");
    let simple = folder.run("print matvec.iv --stage simplified --wrt x").ok();
    assert!(simple.contains("x_bar[i: m] = sum(i_1: n) A[i_1, i] * y_ct[i_1]"), "{simple}");
    let traced = folder.run("print matvec.iv --stage simplified --wrt x --trace").ok();
    assert!(traced.starts_with("# sift in `x_bar[i]`\n") && traced.ends_with(&simple), "{traced}");
    folder.write("traced.iv", traced.as_bytes());
    assert_eq!(folder.run("print traced.iv --stage simplified").ok(), simple);
    let loops = folder.run("print matvec.iv --stage loops --wrt x").ok();
    assert!(loops.starts_with("loops matvec_vjp\n") && loops.contains("for any i"), "{loops}");
    let tangent = folder.run("print matvec.iv --stage jvp --wrt A").ok();
    assert!(tangent.contains("y_dot[i: n] = sum(j: m) x[j] * A_dot[i, j]"), "{tangent}");
    for (line, want) in [
        ("--stage vjp", "`--stage vjp` wants the real parameters to differentiate in"),
        ("--stage ssa --wrt x", "`--wrt` has no meaning at `--stage ssa`"),
        ("--stage vjp --wrt x --trace", "`--trace` has no meaning at `--stage vjp`"),
        ("--stage vjp --wrt z", "`--wrt`: `z` is not a parameter"),
    ] {
        folder.run(&format!("print matvec.iv {line}")).fails(1, want);
    }
}

#[test]
fn work_compares_strategies() {
    let want = "sizes: n = 3, m = 4

  strategy   model   program  with gradient  ratio
  indicator  sparse       36             72   2.00
  indicator  dense        36             72   2.00

work = points + tests + accesses, and entries filled, added and copied
  indicator  sparse  program        3*n*m
                     with gradient  6*n*m
  indicator  dense   program        3*n*m
                     with gradient  6*n*m
";
    let folder = folder();
    let line = "work matvec.iv --wrt x --size n=3 --size m=4";
    assert_eq!(folder.run(&format!("{line} --strategy indicator")).ok(), want);
    let json = folder.run(&format!("{line} --format json")).ok();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let names: Vec<_> = json["strategies"].as_array().expect("rows").iter().collect();
    let names: Vec<_> = names.iter().map(|row| row["strategy"].as_str()).collect();
    assert_eq!(names, [Some("dense"), Some("scatter"), Some("indicator"), Some("indicator")]);
    assert_eq!(json["strategies"][2]["with_gradient"]["formula"], "6*n*m");
    assert_eq!(json["strategies"][2]["ratio"], 2.0);
    folder.run("work matvec.iv --wrt z").fails(1, "those of `matvec` are `A`, `x`");
    folder.run("work matvec.iv --strategy all").fails(2, "--wrt");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let folder = folder();
    let mut command = folder.command("work matvec.iv");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a run");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("a run");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        "check", "print", "run", "work", "report", "grad", "jvp", "jacobian", "hessian", "hvp",
        "jtjv",
    ] {
        let help = folder().run(&format!("{command} --help")).ok();
        assert!(help.contains(&format!("Example:\n  iverson {command} ")), "{help}");
    }
}
