//! `iverson grad` and `jvp`: exact outputs, and what is refused.

#[expect(dead_code, reason = "each test file uses a part of it")]
mod common;

use common::Folder;

const QUADRATIC: &str = "fn quadratic_form(n: size, A: real[n, n], x: real[n]) -> (q: real) {
    y[i: n] = sum(j: n) A[i, j] * x[j]
    q = sum(i: n) x[i] * y[i]
}
";

const SCALED: &str =
    "fn scaled(n: size, x: real[n], c: real, p: index(n)[n]) -> (y: real[n], s: real, k: index(n + 1)) {
    y[i: n] = c * x[p[i]]
    s = sum(i: n) y[i]^2
    k = argmax(i: n) x[i]
}
";

fn folder() -> Folder {
    let folder = Folder::new(&[("q.iv", QUADRATIC), ("s.iv", SCALED)]);
    folder.write("q.json", br#"{"x": [1, 2], "A": [[1, 2], [0, 3]]}"#);
    folder.write("s.json", br#"{"x": [1, 2], "c": 3, "p": [1, 1]}"#);
    folder
}

#[test]
fn the_gradient_of_a_scalar_needs_no_cotangent() {
    let want = "{
  \"value\": {
    \"q\": 17.0
  },
  \"gradient\": {
    \"x\": [6.0, 14.0],
    \"A\": [[1.0, 2.0], [2.0, 4.0]]
  }
}
";
    let folder = folder();
    assert_eq!(folder.run("grad q.iv --wrt x,A --inputs q.json").ok(), want);
    assert_eq!(folder.run("grad q.iv --wrt x,A --inputs q.json --output g.json").ok(), "");
    assert_eq!(std::fs::read_to_string(folder.path("g.json")).expect("the output"), want);
    let exact = folder.run("grad q.iv --wrt x --inputs q.json --scalar rational").ok();
    assert!(exact.contains("\"x\": [\"6\", \"14\"]"), "{exact}");
}

#[test]
fn cotangents_left_out_are_0() {
    let folder = folder();
    let line = "grad s.iv --wrt x,c --inputs s.json --cotangent -";
    let out = folder.run_with(line, r#"{"y": [1, 10]}"#).ok();
    assert!(
        out.contains("\"gradient\": {\n    \"x\": [0.0, 33.0],\n    \"c\": 22.0\n  }"),
        "{out}"
    );
    let out = folder.run_with(line, r#"{"s": 1}"#).ok();
    assert!(
        out.contains("\"gradient\": {\n    \"x\": [0.0, 72.0],\n    \"c\": 48.0\n  }"),
        "{out}"
    );
    assert!(out.contains("\"k\": 1"), "values hold index results too: {out}");
}

#[test]
fn tangents_are_pushed_forward() {
    let out = folder().run_with("jvp s.iv --wrt x,c --inputs s.json --tangent -", r#"{"c": 1}"#);
    let want = "{
  \"value\": {
    \"y\": [6.0, 6.0],
    \"s\": 72.0,
    \"k\": 1
  },
  \"tangent\": {
    \"y\": [2.0, 2.0],
    \"s\": 48.0
  }
}
";
    assert_eq!(out.ok(), want);
}

#[test]
fn mistakes_are_named_with_what_is_wanted() {
    let folder = folder();
    for (line, input, want) in [
        (
            "grad s.iv --wrt z --inputs s.json",
            "",
            "`--wrt`: `z` is not a parameter; name real parameters of the program; those of `scaled` are `x`, `c`",
        ),
        ("grad s.iv --wrt n --inputs s.json", "", "`n` is a size, and sizes are constant"),
        ("grad s.iv --wrt p --inputs s.json", "", "`p` is an index tensor"),
        ("grad s.iv --wrt x,x --inputs s.json", "", "`x` is named twice"),
        (
            "grad s.iv --wrt x --inputs s.json",
            "",
            "no cotangent is given; it is 1 only where the first result is one real, and `y` is not; \
             give one for at least one of `y`, `s`, with `--cotangent FILE`",
        ),
        (
            "jvp s.iv --wrt x --inputs s.json",
            "",
            "no tangent is given; a derivative is taken along one; give one for at least one of `x`, \
             with `--tangent FILE`",
        ),
        (
            "grad s.iv --wrt x --inputs s.json --cotangent -",
            r#"{"k": 1}"#,
            "`k` is an index result: it takes no cotangent; those that do are `y`, `s`",
        ),
        (
            "grad s.iv --wrt x --inputs s.json --cotangent -",
            r#"{"z": 1}"#,
            "standard input: a cotangent is given for `z`, but those that take one are `y`, `s`",
        ),
        (
            "grad s.iv --wrt x --inputs s.json --cotangent -",
            r#"{"y": [1]}"#,
            "the cotangent of `y` has shape [1], but `y` has shape [2]",
        ),
        (
            "grad s.iv --wrt x --inputs s.json --cotangent -",
            r#"{"y": [[1, 2]]}"#,
            "`y[0]` is a list of 2 entries, but `y` has 1 axis",
        ),
        (
            "jvp s.iv --wrt x --inputs s.json --tangent -",
            r#"{"c": 1}"#,
            "a tangent is given for `c`, but those that take one are `x`",
        ),
        (
            "jvp s.iv --wrt x --inputs - --tangent -",
            "{}",
            "`--inputs -` and `--tangent -` both read standard input",
        ),
        ("grad q.iv --wrt x --inputs -", r#"{"x": [1]}"#, "argument `A` is missing"),
    ] {
        folder.run_with(line, input).fails(1, want);
    }
    folder.run("grad q.iv --inputs q.json").fails(2, "--wrt");
}

#[test]
fn every_strategy_gives_the_gradient() {
    let folder = folder();
    let line = "grad s.iv --wrt x,c --inputs s.json --cotangent -";
    let want = folder.run_with(line, r#"{"s": 1, "y": [1, 10]}"#).ok();
    for strategy in ["dense", "scatter", "indicator"] {
        let line = format!("{line} --strategy {strategy}");
        assert_eq!(folder.run_with(&line, r#"{"s": 1, "y": [1, 10]}"#).ok(), want, "{strategy}");
    }
    folder
        .run("grad q.iv --wrt x --inputs q.json --strategy dense --scalar rational")
        .fails(1, "`--strategy dense` computes in f64 alone");
}

#[test]
fn matrices_have_a_block_for_each_pair() {
    let folder = folder();
    let out = folder.run("jacobian s.iv --wrt x,c --inputs s.json --dense").ok();
    let want = "{
  \"jacobian\": {
    \"y\": {
      \"x\": [[0.0, 3.0], [0.0, 3.0]],
      \"c\": [2.0, 2.0]
    },
    \"s\": {
      \"x\": [0.0, 72.0],
      \"c\": 48.0
    }
  }
}
";
    assert_eq!(out, want);
    let out = folder.run("hessian q.iv --wrt x --inputs q.json").ok();
    assert_eq!(
        out,
        "{\n  \"hessian\": {\n    \"x\": {\n      \"x\": [[2.0, 2.0], [2.0, 6.0]]\n    }\n  }\n}\n"
    );
    folder.run("hessian s.iv --wrt x --inputs s.json").fails(1, "`y`");
}

#[test]
fn products_take_a_direction() {
    let folder = folder();
    let out = folder.run_with("hvp q.iv --wrt x --inputs q.json --tangent -", r#"{"x": [1, 10]}"#);
    assert_eq!(out.ok(), "{\n  \"hvp\": {\n    \"x\": [22.0, 62.0]\n  }\n}\n");
    let line = "jtjv linear.iv --wrt x --inputs q.json --tangent -";
    folder.write(
        "linear.iv",
        b"fn linear(n: size, A: real[n, n], x: real[n]) -> (y: real[n]) {
            y[i: n] = sum(j: n) A[i, j] * x[j]
        }",
    );
    let out = folder.run_with(line, r#"{"x": [1, 10]}"#);
    assert_eq!(out.ok(), "{\n  \"jtjv\": {\n    \"x\": [21.0, 132.0]\n  }\n}\n");
    folder.run("hvp q.iv --wrt x --inputs q.json").fails(1, "no tangent is given");
}

#[test]
fn what_is_zero_by_structure_is_left_out() {
    let folder = folder();
    folder.write(
        "b.iv",
        b"fn blur(n: size, x: real[n]) -> (y: real[n]) {
            y[i: n] = 2 * x[i] + [i + 1 < n] * x[i + 1]
        }",
    );
    let line = "jacobian b.iv --wrt x --random 1 --size n=2";
    let band = "{\"form\": \"band\", \"shape\": [2, 2], \"coords\": [[0, 0], [0, 1], [1, 1]], \
                \"values\": [2.0, 1.0, 2.0]}";
    let want = |text| {
        format!("{{\n  \"jacobian\": {{\n    \"y\": {{\n      \"x\": {text}\n    }}\n  }}\n}}\n")
    };
    assert_eq!(folder.run(line).ok(), want(band));
    let dense = folder.run(&format!("{line} --dense")).ok();
    assert_eq!(dense, want("[[2.0, 1.0], [0.0, 2.0]]"));
    folder
        .write("t.iv", b"fn trace(n: size, A: real[n, n]) -> (t: real) { t = sum(i: n) A[i, i] }");
    let line = "grad t.iv --wrt A --random 1 --size n=2";
    let out = folder.run(&format!("{line} --structured")).ok();
    let diagonal = "\"A\": {\"form\": \"diagonal\", \"shape\": [2, 2], \
                    \"coords\": [[0, 0], [1, 1]], \"values\": [1.0, 1.0]}";
    assert!(out.contains(diagonal), "{out}");
    let out = folder.run(&format!("{line} --dense")).ok();
    assert!(out.contains("\"A\": [[1.0, 0.0], [0.0, 1.0]]"), "{out}");
    assert_eq!(folder.run(line).ok(), out);
    folder.run(&format!("{line} --dense --structured")).fails(2, "cannot be used with");
    folder
        .run(&format!("{line} --strategy dense --structured"))
        .fails(1, "`--structured` needs `--strategy indicator`");
}

#[test]
fn engines_give_the_same() {
    let folder = folder();
    let gradient = "grad q.iv --wrt x,A --inputs q.json";
    let want = folder.run(gradient).ok();
    for engine in ["interpreter", "block", "auto"] {
        assert_eq!(folder.run(&format!("{gradient} --engine {engine}")).ok(), want, "{engine}");
    }
    let want = folder.run("run s.iv --inputs s.json").ok();
    let line = "run s.iv --inputs s.json --engine block --threads 2 --time";
    let out = folder.run(line);
    assert_eq!((out.code, out.stdout.as_str()), (0, want.as_str()));
    assert!(out.stderr.starts_with("compile: ") && out.stderr.contains("\nrun: "), "{out:?}");
    let want = folder.run("hessian q.iv --wrt x --inputs q.json").ok();
    assert_eq!(folder.run("hessian q.iv --wrt x --inputs q.json --engine block").ok(), want);
    for (line, want) in [
        ("run q.iv --engine block --scalar rational", "engines compute in f64 alone"),
        ("run q.iv --threads 2", "`--threads` needs `--engine block`"),
        ("grad q.iv --wrt x --engine block --strategy dense", "`--strategy dense` runs by itself"),
        ("run q.iv --engine block", "argument `A` is missing"),
    ] {
        folder.run_with(&format!("{line} --inputs -"), "{}").fails(1, want);
    }
}
