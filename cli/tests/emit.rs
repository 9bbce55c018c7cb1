//! `iverson emit`

#[expect(dead_code, reason = "each test file uses a part of it")]
mod common;

use common::Folder;
use std::process::Command;

const MATVEC: &str = "fn matvec(n: size, m: size, A: real[n, m], x: real[m]) -> (y: real[n]) {
    y[i: n] = sum(j: m) A[i, j] * tanh(x[j])
}
";

/// Calls the derivative of `matvec` on a small matrix.
const MAIN: &str = "#include \"matvec_vjp.h\"
#include <stdio.h>

int main(void) {
    const double A[] = {1, 2, 3, 4, 5, 6}, x[] = {0, 0, 0}, y_bar[] = {10, 1};
    double y[2], x_bar[3];
    if (matvec_vjp(2, 3, A, x, y_bar, y, x_bar)) return 1;
    printf(\"%g %g %g %g %g\\n\", y[0], y[1], x_bar[0], x_bar[1], x_bar[2]);
    return 0;
}
";

fn folder() -> Folder {
    Folder::new(&[("matvec.iv", MATVEC), ("main.c", MAIN)])
}

#[test]
fn results_keep_their_names() {
    let text = "fn f(n: size, s: real[n], g: real[n]) -> (loss: real) {
        loss = sum(i: n, j: n where g[i] > g[j]) (s[i] - s[j])^2
    }";
    let folder = Folder::new(&[("f.iv", text)]);
    folder.run("emit c f.iv").ok();
    folder.run("emit c f.iv --wrt s").ok();
    for (name, results) in [("f.h", &["loss"][..]), ("f_vjp.h", &["loss", "s_bar"])] {
        let header = std::fs::read_to_string(folder.path(name)).expect(name);
        for result in results {
            let (comment, parameter) = (format!("out  {result}: "), format!("double *{result}"));
            assert!(header.contains(&comment) && header.contains(&parameter), "{header}");
        }
    }
}

#[test]
fn a_derivative_in_c_runs_in_a_program_of_its_own() {
    let cc = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    if Command::new(&cc).arg("--version").output().is_err() {
        println!("skipped: no C compiler ($CC or cc)");
        return;
    }
    let folder = folder();
    assert_eq!(folder.run("emit c matvec.iv --wrt x").ok(), "./matvec_vjp.c\n./matvec_vjp.h\n");
    let flags = ["-O3", "-std=c11", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"];
    let files = ["main.c", "matvec_vjp.c", "-o", "main", "-lm"];
    let built = Command::new(cc)
        .current_dir(folder.path("."))
        .args(flags)
        .args(files)
        .output()
        .expect("the compiler");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let run = Command::new(folder.path("main")).output().expect("the program");
    assert_eq!(String::from_utf8_lossy(&run.stdout), "0 0 14 25 36\n");
}

#[test]
fn files_go_where_they_are_wanted() {
    let folder = folder();
    folder.run("emit c matvec.iv --precision f32 --output made").ok();
    let header = std::fs::read_to_string(folder.path("made/matvec.h")).expect("the header");
    assert!(header.contains("const float *A"), "{header}");
    folder.run("emit c matvec.iv --wrt z").fails(1, "`--wrt`");
    folder.run("emit c matvec.iv --output main.c").fails(1, "cannot make `main.c`");
    folder.run("emit rust matvec.iv").fails(2, "c");
}
