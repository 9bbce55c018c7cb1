//! Precedence and layout: text in, canonical text out.

use crate::canonical;

/// The canonical text of `expr` as the right side of a definition.
#[track_caller]
fn check(expr: &str, want: &str) {
    let text = canonical(&format!("fn f() -> () {{\n    y = {expr}\n}}\n"));
    let text = text.strip_prefix("fn f() -> () {\n    y = ").unwrap();
    assert_eq!(text.strip_suffix("\n}\n").unwrap(), want, "from `{expr}`");
}

/// The canonical text of the statements of a body.
#[track_caller]
fn check_body(body: &str, want: &str) {
    let text = canonical(&format!("fn f() -> () {{\n{body}\n}}\n"));
    let text = text.strip_prefix("fn f() -> () {\n").unwrap();
    assert_eq!(text.strip_suffix("}\n").unwrap(), want, "from `{body}`");
}

#[track_caller]
fn same(expr: &str) {
    check(expr, expr);
}

#[test]
fn parentheses_stand_where_the_tree_needs_them() {
    check("(a * b) + ((c))", "a * b + c");
    check("a + (b * c) - (d / e)", "a + b * c - d / e");
    check("((a + b)) * c", "(a + b) * c");
    check("(a^b) * c", "a^b * c");
    check("a^(b^c)", "a^b^c");
    check("(f((x)))", "f(x)");
    check("(A[(i)])^(2)", "A[i]^2");
}

#[test]
fn parentheses_that_nest_stay() {
    for expr in [
        "a + (b + c)",
        "(a + b) + c",
        "a - (b - c)",
        "a * (b * c)",
        "(a * b) * c",
        "a / (b / c)",
        "(a / b) / c",
        "(a^b)^c",
        "(a < b) < c",
        "a and (b and c)",
        "(a or b) or c",
        "(a or b) and c",
        "(-a)^2",
        "(-a) * b",
        "(sum(i: n) a) * b",
        "sum(i: n) (a + b)",
        "(if p then a else b) + c",
        "c + (if p then a else b)",
    ] {
        same(expr);
    }
}

#[test]
fn unary_minus_binds_looser_than_products_and_powers() {
    check("-(a * b)", "-a * b");
    check("-(x^2)", "-x^2");
    check("-(a) + b", "-a + b");
    check("a - (-b * c)", "a - -b * c");
    check("a * (-b)", "a * -b");
    check("a * (-b) * c", "a * -b * c");
    check("a * -(b^2)", "a * -b^2");
    check("x^(-2)", "x^-2");
    check("x^(-(y^2))", "x^-y^2");
    same("-(a + b)");
    same("a * -(b * c)");
    same("--a");
    same("x^-(y * z)");
}

#[test]
fn comparisons_chain_and_logic_nests() {
    same("0 <= i < n");
    same("a = b != c");
    check("(not (p)) and (q or r)", "not p and (q or r)");
    check("not (a = b)", "not a = b");
    check("(p and q) or (r and s)", "p and q or r and s");
    same("not (p and q)");
    same("not not p");
    check("[(i + 1) < (n)]", "[i + 1 < n]");
    check("[p] * ([q])", "[p] * [q]");
}

#[test]
fn a_reduction_takes_the_rest_of_the_product() {
    check("sum(i: n) (a * b) + c", "sum(i: n) a * b + c");
    same("sum(i: n) (a * b) * c");
    check("(sum(i: n) a * b) + c", "sum(i: n) a * b + c");
    check("c * (sum(i: n) a * b)", "c * sum(i: n) a * b");
    check("c + (sum(i: n, j: m where i < j) (A[i, j]))", "c + sum(i: n, j: m where i < j) A[i, j]");
    check("sum(i: n) (-a * b)", "sum(i: n) -a * b");
    check("a * (-(sum(i: n) b))", "a * -sum(i: n) b");
    same("a * -(sum(i: n) b) * c");
    same("sum(i: n) (a * b)^2");
    same("sum(i: n) sum(j: m) a");
    same("sum(i: n) x[i] < 2");
    same("x^(sum(i: n) a)");
}

#[test]
fn max_and_min_are_reductions_where_they_bind() {
    same("max(i: n) x[i]");
    same("max(a, b) + min(i: n where p) x[i]");
    same("max");
    same("argmax(i: n) x[i]");
}

#[test]
fn open_forms_extend_to_the_right() {
    check("for(i: n) (x[i] + 1)", "for(i: n) x[i] + 1");
    check("a + for(i: n) x[i] + 1", "a + (for(i: n) x[i] + 1)");
    check("a * if p then b else c * d", "a * (if p then b else c * d)");
    check(
        "if (if p then q else r) then (let x = 1 in x) else (for(i: n) x)",
        "if if p then q else r then let x = 1 in x else for(i: n) x",
    );
    check("(let x = (let z = 1 in z) in x)", "let x = let z = 1 in z in x");
    check("f((if p then a else b), c)", "f(if p then a else b, c)");
    same("let d[k: 3] = x[k] in d[0]");
    same("let (a, b) = f(x) in a + b");
}

#[test]
fn a_block_of_a_let_has_lines() {
    check(
        "2 * let { a = 1; b = a\n rec t: n { s[t] = b } } in a + b",
        "2 * (let {
        a = 1
        b = a
        rec t: n {
            s[t] = b
        }
    } in a + b)",
    );
    check("let { a = 1 } in a", "let a = 1 in a");
    same("let { } in a");
}

#[test]
fn a_statement_goes_on_where_it_cannot_end() {
    check("a +\n b", "a + b");
    check("a\n + b\n - c", "a + b - c");
    check("f(a,\n\n b\n)", "f(a, b)");
    check("A[\ni\n]", "A[i]");
    check("if p\n then a\n else b", "if p then a else b");
    check("let x = 1\n in x", "let x = 1 in x");
    check("sum(i: n\n where i > 0)\n x[i]", "sum(i: n where i > 0) x[i]");
    check("p\n and q # remark\n\n # remark\n or r", "p and q or r");
    check("(a\n * b)", "a * b");
}

#[test]
fn a_statement_ends_with_its_line() {
    check_body("a = x\nb = y", "    a = x\n    b = y\n");
    check_body("a = x; b = y;", "    a = x\n    b = y\n");
    check_body("a = x\n(b, c) = f(a)", "    a = x\n    (b, c) = f(a)\n");
    check_body(
        "z = g(let {\n a = x\n b = y\n} in a\n + b)\nc = z",
        "    z = g(let {\n        a = x\n        b = y\n    } in a + b)\n    c = z\n",
    );
    check_body("a = x\r\n\r\nb = y\r", "    a = x\n    b = y\n");
}

#[test]
fn statements_read() {
    for body in [
        "t[i: n, j: m - 1]: index(k)[2] = i",
        "rec t: n, j: m descending {\n        s[t, j, i: n + 1] = 0\n    }",
        "rec t: n { }",
        "requires(v: n, w: m) p[v] < w",
        "requires n > 0 and m > 0",
        "requires (a + b) * c > 0",
        "(lo, hi) = minmax(n, y)",
    ] {
        check_body(body, &format!("    {body}\n"));
    }
    check_body("rec t: n ascending { s[t] = 0 }", "    rec t: n {\n        s[t] = 0\n    }\n");
    check_body("(z) = f(x)", "    z = f(x)\n");
}

#[test]
fn contextual_keywords_are_names_elsewhere() {
    check_body(
        "descending = size + real(index) - rel(derivative)",
        "    descending = size + real(index) - rel(derivative)\n",
    );
    check_body("rec t: descending descending { }", "    rec t: descending descending { }\n");
}

#[test]
fn names_and_numbers_read() {
    check("α_1 + x₂ + _", "α_1 + x₂ + _");
    same("1_000.5e-3 + 2E+7 + 1e5 + 007");
    check("1*e-3", "1 * e - 3");
}

#[test]
fn functions_and_constants_read() {
    let text = "\
const tau = 6.283185307179586
const half_tau = tau / 2

fn softplus(x: real) -> (y: real) {
    y = log1p(exp(x))
} derivative {
    x: sigmoid(x)
}

fn nothing() -> () { }

const last = 1
";
    assert_eq!(canonical(text), text);
    let loose = "const tau = 6.283185307179586; const half_tau = tau / 2
        fn softplus(x: real,) -> (y: real) { y = log1p(exp(x)) } derivative { x: sigmoid(x), }
        fn nothing() -> () {} const last = 1";
    assert_eq!(canonical(loose), text);
}

#[test]
fn long_heads_and_long_sums_are_broken() {
    let terms: Vec<String> = (0..9).map(|k| format!("[i = {k}] * left[i + {k}]")).collect();
    let axes = "n: size, row: index(n)[nnz], col: index(m)[nnz], weight: real[nnz], x: real[m]";
    let text = canonical(&format!(
        "fn f({axes}, nnz: size) -> (y: real[n]) {{ y[i: n] = {} - c }}",
        terms.join(" + ")
    ));
    insta::assert_snapshot!(text);
    assert_eq!(canonical(&text), text);
}
