//! `iverson run`: exact outputs, and what is refused.

mod common;

use common::Folder;

const QUADRATIC: &str = "fn quadratic_form(n: size, A: real[n, n], x: real[n]) -> (q: real) {
    y[i: n] = sum(j: n) A[i, j] * x[j]
    q = sum(i: n) x[i] * y[i]
}
";

const SPMV: &str = "fn spmv(n: size, m: size, nnz: size, row: index(n)[nnz], col: index(m)[nnz],
        a: real[nnz], x: real[m]) -> (y: real[n]) {
    y[i: n] = sum(e: nnz) [row[e] = i] * a[e] * x[col[e]]
}
";

const EDGES: &str =
    "fn edges(n: size, R: rel(n, n), x: real[n]) -> (q: real, d: real[n], k: index(n + 1)) {
    d[i: n] = sum(j: n where R(i, j)) x[j]
    q = sum(i: n) d[i]
    k = argmax(i: n) d[i]
}
";

fn folder() -> Folder {
    Folder::new(&[("q.iv", QUADRATIC), ("spmv.iv", SPMV), ("edges.iv", EDGES)])
}

#[test]
fn every_scalar_has_its_form() {
    let folder = folder();
    folder.write("q.json", br#"{"x": [1, "1/3"], "A": [[1, 2], [3, 0.1]]}"#);
    for (scalar, want) in [
        ("f64", "2.6777777777777776"),
        ("rational", "\"241/90\""),
        ("interval", "{\"lo\": 2.677777777777777, \"hi\": 2.6777777777777785}"),
    ] {
        let out = folder.run(&format!("run q.iv --inputs q.json --scalar {scalar}")).ok();
        assert_eq!(out, format!("{{\n  \"q\": {want}\n}}\n"));
    }
}

#[test]
fn inputs_come_from_standard_input_too() {
    let inputs = r#"{"n": 2, "row": [1, 1, 0], "col": [0, 1, 1], "a": [1, 2, 3], "x": [10, 1]}"#;
    let out = folder().run_with("run spmv.iv --inputs -", inputs).ok();
    assert_eq!(out, "{\n  \"y\": [3.0, 12.0]\n}\n");
}

#[test]
fn the_last_of_several_functions_is_taken_and_named() {
    let two = "fn one() -> (y: real) { y = 1 }\nfn two() -> (y: real) { y = 2 }\n";
    let folder = Folder::new(&[("two.iv", two)]);
    let unasked = folder.run("run two.iv");
    assert_eq!((unasked.code, unasked.stdout.as_str()), (0, "{\n  \"y\": 2.0\n}\n"));
    let note = "note: taking `two`, the last of 2 functions; choose another with `--fn`\n";
    assert_eq!(unasked.stderr, note);
    assert_eq!(folder.run("run two.iv --fn one").ok(), "{\n  \"y\": 1.0\n}\n");
}

#[test]
fn masks_and_coordinates_give_the_same() {
    let folder = folder();
    let want = "{\n  \"q\": 5.0,\n  \"d\": [3.0, 2.0],\n  \"k\": 0\n}\n";
    for relation in ["[[1, 1], [0, 1]]", "{\"coords\": [[0, 0], [0, 1], [1, 1]]}"] {
        let inputs = format!("{{\"R\": {relation}, \"x\": [1, 2]}}");
        assert_eq!(folder.run_with("run edges.iv --inputs -", &inputs).ok(), want);
    }
}

#[test]
fn results_are_inputs_again() {
    let folder =
        Folder::new(&[("copy.iv", "fn copy(n: size, A: real[n, 3]) -> (A: real[n, 3]) { }\n")]);
    for inputs in [
        "{\n  \"A\": {\"shape\": [0, 3], \"data\": []}\n}\n",
        "{\n  \"A\": [[1.0, 2.0, -0.5]]\n}\n",
    ] {
        assert_eq!(folder.run_with("run copy.iv --inputs -", inputs).ok(), inputs);
    }
}

#[test]
fn random_inputs_are_reproducible() {
    let folder = folder();
    let run = |seed| folder.run(&format!("run spmv.iv --size n=3 --random {seed}")).ok();
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_written_to() {
    let folder = folder();
    folder.write("q.json", br#"{"x": [1, 2], "A": [[1, 2], [3, 4]]}"#);
    let there = folder.run("run q.iv --inputs q.json").ok();
    let out = folder.run("run q.iv --inputs q.json --output /dev/stdout").ok();
    assert_eq!(out, there);
    assert!(!std::fs::metadata("/dev/null").expect("a device").is_file());
    folder.run("run q.iv --inputs q.json --output /dev/null").ok();
    assert!(!std::fs::metadata("/dev/null").expect("a device").is_file());
}

#[test]
fn output_files_appear_whole_or_not_at_all() {
    let folder = folder();
    let inputs = r#"{"x": [2], "A": [[3]]}"#;
    let line = "run q.iv --inputs - --output out.json";
    assert_eq!(folder.run_with(line, inputs).ok(), "");
    let written = std::fs::read_to_string(folder.path("out.json")).expect("the output");
    assert_eq!(written, "{\n  \"q\": 12.0\n}\n");
    folder.run_with(line, "{\"x\": [2]}").fails(1, "argument `A` is missing");
    let kept = std::fs::read_to_string(folder.path("out.json")).expect("the output");
    assert_eq!(kept, written, "a failure leaves the file as it was");
    folder.run_with("run q.iv --inputs - --output new.json", "{\"x\": 2}").fails(1, "`x` is 2");
    folder
        .run_with("run q.iv --inputs - --output no/out.json", inputs)
        .fails(1, "cannot write `no/out.json`");
    assert_eq!(folder.names(), ["edges.iv", "out.json", "q.iv", "spmv.iv"]);
}

#[test]
fn wrong_inputs_are_refused_by_name() {
    let folder = folder();
    for (program, inputs, want) in [
        ("q", "[", "error: standard input: the inputs are not JSON: EOF"),
        ("q", "3", "the inputs are 3, but an object"),
        ("q", r#"{"x": [1], "x": [1]}"#, "`x` is given twice"),
        (
            "q",
            r#"{"z": 1}"#,
            "`z` is not a parameter of `quadratic_form`; its parameters are `n`, `A`, `x`",
        ),
        (
            "q",
            r#"{"x": [1]}"#,
            "argument `A` is missing: wanted a real tensor real[n, n]; give it with `--inputs`",
        ),
        ("q", r#"{"x": [1, 2], "A": [[1]]}"#, "has extent"),
        ("q", r#"{"n": 3, "x": [1], "A": [[1]]}"#, "has extent 1, wanted n = 3"),
        (
            "q",
            r#"{"x": [1, 2], "A": [[1, 2], [3]]}"#,
            "`A[1]` has 1 entry, but the lists before it at this depth have 2 entries",
        ),
        ("q", r#"{"x": [[1]], "A": [[1]]}"#, "`x[0]` is a list of 1 entry, but `x` has 1 axis"),
        ("q", r#"{"x": ["NaN"], "A": [[1]]}"#, "`x[0]` is NaN, but a finite real is wanted"),
        ("q", r#"{"x": ["Infinity"], "A": [[1]]}"#, "; `--allow-nan` allows them"),
        ("q", r#"{"x": ["one"], "A": [[1]]}"#, "`x[0]` is the string \"one\", but a real"),
        ("q", r#"{"x": [1e999], "A": [[1]]}"#, "which is too large"),
        ("q", r#"{"n": -1}"#, "`n` is -1, but a size (a natural number) is wanted"),
        ("q", r#"{"n": 1000000, "x": [1]}"#, "argument `A` is missing"),
        ("spmv", r#"{"row": [0.5]}"#, "`row[0]` is 0.5, but an integer is wanted"),
        (
            "spmv",
            r#"{"n": 2, "row": [0, 2], "col": [0, 0], "a": [1, 1], "x": [1]}"#,
            "entry `row[1]` is 2, wanted an index in 0..2",
        ),
        (
            "spmv",
            r#"{"row": [0], "col": [0], "a": [1], "x": [1]}"#,
            "size `n` is not given, and no argument's shape determines it",
        ),
        (
            "edges",
            r#"{"R": {"coords": [[0]]}, "x": [1]}"#,
            "`R.coords[0]` is a list of 1 entry, but a list of 2 integers is wanted",
        ),
        (
            "edges",
            r#"{"R": {"coords": [[0, 1]]}, "x": [1]}"#,
            "tuple 0 of relation `R` has 1 in place 1, wanted an index in 0..1",
        ),
        (
            "edges",
            r#"{"R": [[1, 0]], "x": [1]}"#,
            "the mask of `R` has shape [1, 2], but [1, 1] is wanted",
        ),
    ] {
        folder.run_with(&format!("run {program}.iv --inputs -"), inputs).fails(1, want);
    }
}

#[test]
fn special_values_are_taken_where_allowed() {
    let out =
        folder().run_with("run q.iv --inputs - --allow-nan", r#"{"x": ["Infinity"], "A": [[-1]]}"#);
    assert_eq!(out.ok(), "{\n  \"q\": \"-Infinity\"\n}\n");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = folder();
    folder.write("latin.json", b"{\"x\": \"\xe9\"}");
    folder.write("latin.iv", b"# \xe9");
    folder.write("bad.npz", b"PK");
    std::fs::create_dir(folder.path("dir")).expect("a folder");
    for (line, want) in [
        ("run none.iv", "cannot read `none.iv`: "),
        ("run dir", "`dir` is a directory; a file is wanted"),
        ("run latin.iv", "`latin.iv` is not UTF-8 text (from byte 2 on)"),
        ("run q.iv --inputs none.json", "cannot read `none.json`: "),
        ("run q.iv --inputs dir", "`dir` is a directory; a file is wanted"),
        ("run q.iv --inputs latin.json", "`latin.json` is not UTF-8 text (from byte 7 on)"),
        ("run q.iv --inputs bad.npz", "`bad.npz`: the inputs are not a readable NPZ archive: "),
        ("run q.iv --random 1 --output dir", "`dir` is a directory; a file is wanted"),
        ("run q.iv --fn g", "`q.iv`: there is no function `g`; the functions are `quadratic_form`"),
        ("run q.iv --size z=3", "`z` is not a size of `quadratic_form`; its sizes are `n`"),
        ("run q.iv --size n=3 --size n=4", "`n` is given twice"),
        (
            "run q.iv --random 1 --size n=999999999",
            "`A` cannot be filled in: its shape would be [999999999, 999999999]",
        ),
        ("run q.iv --random 1 --size n=1000 --memory-limit 1MiB", "`A` cannot be filled in"),
    ] {
        folder.run(line).fails(1, want);
    }
    let inputs = r#"{"x": [1, 2], "A": [[1, 2], [3, 4]]}"#;
    folder
        .run_with("run q.iv --inputs - --memory-limit 40B", inputs)
        .fails(1, "wanted at most 40 (`--memory-limit` sets the limit)");
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let folder = folder();
    for (line, want) in [
        ("", "Usage"),
        ("run", "required"),
        ("run q.iv --size n", "wanted a name and a number, as in `n=64`"),
        ("run q.iv --size n=-3", "`-3` is not a natural number of 64 bits"),
        ("run q.iv --memory-limit 2parsecs", "wanted a number of bytes, as in `512MiB`"),
        ("run q.iv --scalar f16", "possible values: f64, rational, interval"),
        ("print q.iv --stage ir", "possible values: ast, typed, ssa, jvp, vjp, simplified, loops"),
    ] {
        folder.run(line).fails(2, want);
    }
}
