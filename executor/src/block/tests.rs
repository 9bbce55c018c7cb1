//! Which loops run in lanes, and through which operations.

use super::build::vector;
use super::{Blocks, Sharing, kernels, shared, shared_by_threads, tiles_in};
use crate::fuse::fuse;
use crate::fuse::tuples::Tuples;
use crate::loops::walk::Visit;
use crate::loops::{For, LoopProgram, Node};
use crate::lower::lower;
use crate::math::Level;
use crate::runner::floor;
use iverson_spec::{check, normalize, parse};

fn program(text: &str) -> LoopProgram {
    let module = parse(text).unwrap_or_else(|found| panic!("{found:?}"));
    let checked = check(&module).unwrap_or_else(|found| panic!("{found:?}"));
    let program = normalize(&checked.functions[0]);
    fuse(lower(&program).unwrap_or_else(|found| panic!("{found:?}")))
}

/// The loops of a function that run in lanes, as text; and the number of those that do not.
fn loops(text: &str) -> (String, usize) {
    struct Loops(Tuples, String, usize);
    impl Visit for Loops {
        fn enter(&mut self, node: &Node) {
            let Node::For(header) = node else { return };
            let header: &For = header;
            match vector(header, &self.0) {
                Some(vector) => self.1 += &format!("{vector:?}\n"),
                None => self.2 += 1,
            }
        }
    }
    let program = program(text);
    let mut loops = Loops(Tuples::of(&program), String::new(), 0);
    program.body.iter().for_each(|node| loops.node(node));
    (loops.1, loops.2)
}

#[track_caller]
fn runs_through(body: &str, operations: &[&str]) {
    let text = format!(
        "fn f(n: size, k: size, R: rel(n), x: real[n], u: real[n, k], p: index(n)[n], s: index(n + 1)[n + 1]) -> (y: real[n]) {{ {body} }}"
    );
    let (found, others) = loops(&text);
    assert_eq!(others, 0, "every loop of `{body}` runs in lanes");
    for operation in operations {
        assert!(found.contains(operation), "`{body}` has no {operation}: {found}");
    }
}

#[test]
fn loops_run_in_lanes() {
    runs_through("y[i: n] = if x[i] > 0 then x[i] else exp(x[i])", &["When(", "Real(Gt"]);
    runs_through("y[i: n] = if x[i] > 0 then x[i] else 1", &["When("]);
    runs_through("y[i: n] = sum(j: k) u[i, j] * u[i, j]", &["Each(", "Uniform(For", "Dot("]);
    runs_through(
        "y[i: n] = sum(e: n where s[i] <= e and e < s[i + 1]) x[e]",
        &["Each(", "Lanes {", "Deliver("],
    );
    runs_through("y[j: n] = sum(i: n where p[i] = j) x[i]", &["Scatter("]);
    runs_through("y[i: n] = if R(i) or i > 3 then x[i] else 1", &["Member("]);
    runs_through("q[i: n]: index(n) = p[p[i]]\n y[i: n] = x[q[p[i]]]", &["ScatterInts("]);
    runs_through("m = argmax(i: n) x[i]\n y[i: n] = [m < n and i = m] * x[i]", &["Search("]);
    runs_through("y[i: n] = x[i / 2] * real(i % 3)", &["Div(", "Mod("]);
    runs_through("q[i: n]: index(n) = p[i] - p[0]\n y[i: n] = x[q[i]]", &["Check("]);
}

#[test]
fn entries_that_tuples_name_run_in_lanes() {
    let names = |read: &str| {
        let text = format!(
            "fn f(n: size, m: size, R: rel(n, n), x: real[n, n]) -> (y: real[n, n], z: real[n]) {{
            y[i: n, j: n] = [R(i, j)] * x[i, j] + {read}
            z[i: n] = sum(j: n) y[i, j]
        }}"
        );
        loops(&text).1
    };
    assert_eq!(names("[R(i, j) and x[i, j] > 0] * 2"), 0);
    // rows alone do not tell tuples apart
    assert_eq!(names("sum(k: n where R(i, k)) x[k, j]"), 0);
}

/// By loop at top level that is shared under a condition: the input that must ascend, and the buffers that parts need
/// copies of.
fn conditions(body: &str) -> Vec<(Option<String>, Vec<String>)> {
    let text = format!(
        "fn f(n: size, m: size, p: index(n)[m], q: index(n)[m], R: rel(n, n), a: real[m], x: real[n])
        -> (y: real[n]) {{ {body} }}"
    );
    let program = program(&text);
    let name = |id| program.buffer(id).name.clone();
    let tuples = Tuples::of(&program);
    let sharing = program.body.iter().filter_map(|node| {
        let Node::For(header) = node else { return None };
        shared(header, &tuples).filter(|sharing| !sharing.is_plain())
    });
    let names = |sharing: Sharing| {
        let private = sharing.private.iter().map(|(buffer, _)| name(*buffer));
        (sharing.key.map(name), private.collect())
    };
    sharing.map(names).collect()
}

#[test]
fn sums_at_places_from_data_are_shared_where_one_input_ascends_or_with_copies() {
    let key = |name: &str| (Some(name.to_owned()), vec!["y".to_owned()]);
    let copy = || (None, vec!["y".to_owned()]);
    assert_eq!(conditions("y[i: n] = sum(e: m) [p[e] = i] * a[e] * x[q[e]]"), [key("p")]);
    assert_eq!(conditions("y[i: n] = sum(j: n where R(i, j)) x[j]"), [key("R.0")]);
    let two = |p: &str, q: &str| {
        format!("y[i: n] = sum(e: m) [{p}[e] = i] * a[e] + sum(e: m) [{q}[e] = i] * a[e]")
    };
    assert_eq!(conditions(&two("p", "p")), [key("p")], "one loop");
    assert_eq!(conditions(&two("p", "q")), [copy()], "one loop");
    assert_eq!(conditions("y[i: n] = sum(e: m) [p[e] + 1 = i] * a[e]"), [copy()]);
    assert_eq!(conditions("y[i: n] = max(e: m where floor(a[e]) = i) a[e]"), [copy()]);
    assert_eq!(conditions("y[i: n] = x[i]"), []);
    // steps that read what others have written
    assert_eq!(conditions("rec i: n { y[i] = x[i] + [i > 0] * y[i - 1] }"), []);
}

#[test]
fn searches_leave_loops_where_nothing_else_has_to_do_with_what_they_keep() {
    let searches = |step: &str| {
        let text = format!(
            "loops f\nsize n\ninput x: real[n]\noutput y: real[n]\nints i, p, k\nreals v, b, s\n\
             for i in 0 .. n {{\n {step}\n}}\n"
        );
        let program = LoopProgram::parse(&text).unwrap_or_else(|e| panic!("{text}{e}"));
        let [Node::For(header)] = program.body.as_slice() else { panic!("{text}") };
        let tuples = Tuples::of(&program);
        assert!(shared(header, &tuples).is_none(), "{text}");
        shared_by_threads(header, &tuples).map_or(0, |sharing| sharing.searches.len())
    };
    let step = |cond: &str, sets: &str| format!("v = x[i]\nif {cond} {{\n{sets}\n}}");
    let plain = step("p = n or v >. b", "b = v\np = i");
    assert_eq!(searches(&plain), 1);
    assert_eq!(searches(&step("p = n or v <. b", "b = v\np = 2 * i\nk = i")), 1);
    assert_eq!(searches(&step("p = n or v >. b or (v =. b and i < p)", "b = v\np = i")), 1);
    assert_eq!(searches(&step("i >= 3 and (p = n or v >. b)", "b = v\np = i")), 1);
    assert_eq!(searches(&format!("{plain}\ns += v\ny[i] = v")), 1);
    for other in [
        // what it keeps is read, set or joined to elsewhere
        format!("{plain}\ny[i] = b"),
        format!("{plain}\ns += real(p)"),
        format!("{plain}\np = i"),
        format!("b += 1.0\n{plain}"),
        format!("{plain}\n{plain}"),
        step("p = n or v >. b", "b = v\np = i\nk = p"),
        step("p = n or v >. b", "b = v\np = p + 1"),
        step("p = 3 and (p = n or v >. b)", "b = v\np = i"),
        // other orders
        step("p = n or v >=. b", "b = v\np = i"),
        step("p = n or b >. v", "b = v\np = i"),
        step("p = n or v >. b or (v =. b and i > p)", "b = v\np = i"),
        step("p = k or v >. b", "b = v\np = i"),
        step("v >. b", "b = v\np = i"),
        step("p = n or v >. b", "b = 2.0 * v\np = i"),
        step("p = n or v >. b", "b = v\nk = i"),
        step("p = n or v >. b", "b = v\np = i\ns = v"),
        // entries that steps share
        format!("{plain}\ny[0] = v"),
        format!("{plain}\ny[k] += v"),
    ] {
        assert_eq!(searches(&other), 0, "{other}");
    }
}

#[test]
fn a_recurrence_does_not_run_in_lanes() {
    let text = "fn f(n: size, x: real[n]) -> (y: real[n]) {
        rec i: n { y[i] = x[i] + [i > 0] * y[i - 1] }
    }";
    assert_eq!(loops(text).1, 1);
}

/// How many contractions rows go through together, and how many a loop goes through, in the block engine.
fn tiles(shapes: &str, body: &str) -> (usize, usize) {
    let text = format!("fn f(n: size, m: size, k: size, {shapes}) {{ {body} }}");
    tiles_in(&Blocks::new(&program(&text), true).body)
}

#[test]
fn sums_of_products_are_contractions() {
    let two = "A: real[n, k], B: real[k, m]) -> (C: real[n, m]";
    assert_eq!(tiles(two, "C[i: n, j: m] = sum(l: k) A[i, l] * B[l, j]"), (1, 1));
    assert_eq!(tiles(two, "C[i: n, j: m] = exp(sum(l: k) 2 * A[i, l] * B[l, j])"), (1, 1));
    assert_eq!(tiles(two, "C[i: n, j: m] = max(l: k) (A[i, l] + B[l, j])"), (0, 0));
    let transposed = "A: real[n, k], B: real[m, k]) -> (C: real[n, m]";
    assert_eq!(tiles(transposed, "C[i: n, j: m] = sum(l: k) A[i, l] * B[j, l]"), (1, 1));
    let one = "x: real[n + k], c: real[k]) -> (y: real[n]";
    assert_eq!(tiles(one, "y[i: n] = sum(j: k) x[i + j] * c[j]"), (0, 1));
    let image = "x: real[n + k, m + k], c: real[k, k]) -> (y: real[n, m]";
    assert_eq!(tiles(image, "y[i: n, j: m] = sum(a: k, b: k) x[i + a, j + b] * c[a, b]"), (0, 1));
    let added = "A: real[n, k], B: real[k, m]) -> (c: real[m]";
    assert_eq!(tiles(added, "c[j: m] = sum(i: n, l: k) A[i, l] * B[l, j]"), (0, 1));
    // a condition in each step
    let where_positive = "C[i: n, j: m] = sum(l: k where B[l, j] > 0) A[i, l] * B[l, j]";
    assert_eq!(tiles(two, where_positive), (0, 0));
}

#[test]
fn floors_are_those_of_the_plain_runner() {
    let limit = 2f64.powi(63);
    let mut numbers =
        vec![0.0, -0.0, 0.5, -0.5, -1.0, 1e15 + 0.5, -1e15 - 0.5, -limit, limit - 1024.0];
    numbers.extend((0..40).map(|k| f64::from(k) * 0.3 - 6.0));
    let beyond = [limit, -limit - 2048.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    for level in Level::available() {
        let mut floors = vec![0; numbers.len()];
        assert!(kernels::floors(level, &numbers, &mut floors));
        for (x, found) in numbers.iter().zip(&floors) {
            assert_eq!(floor(*x), Ok(*found), "of {x}, {}", level.name());
        }
        for x in beyond {
            let mut some = numbers.clone();
            some[11] = x;
            assert!(!kernels::floors(level, &some, &mut floors), "{x} has none, {}", level.name());
            assert!(floor(x).is_err());
        }
    }
}

#[test]
fn multiples_and_less_than_the_factor_are_entries_of_one_step() {
    let is_own = |other: &str| {
        let text = format!(
            "loops f\nsize n\ninput x: real[n]\noutput y: real[4 * n]\nints i\nreals r\nfor i in 0 .. n {{\n\
             r += x[i]\ny[2 * i] = x[i]\ny[{other}] = 0.0\n}}\n"
        );
        let program = LoopProgram::parse(&text).unwrap_or_else(|e| panic!("{e}"));
        let [Node::For(header)] = program.body.as_slice() else { panic!("{text}") };
        let tuples = Tuples::of(&program);
        let plain = shared(header, &tuples).is_some_and(|sharing| sharing.is_plain());
        assert_eq!(vector(header, &tuples).is_some(), plain, "{text}");
        plain
    };
    assert!(is_own("2 * i + 1"));
    assert!(!is_own("2 * i + 2"));
    assert!(!is_own("i + 1"));
}

#[test]
fn an_entry_in_a_variable_is_a_sum_like_another() {
    let private = |step: &str| {
        let text = format!(
            "loops f\nsize n\ninput x: real[n]\ninput p: int[n]\noutput y: real[n]\nints i, j, h\nreals r\n\
             for i in 0 .. n {{\n h = p[i]\n {step}\n for j in i + 1 .. n {{\n y[j] += x[i]\n}}\n}}\n"
        );
        let program = LoopProgram::parse(&text).unwrap_or_else(|e| panic!("{text}{e}"));
        let [Node::For(header)] = program.body.as_slice() else { panic!("{text}") };
        shared(header, &Tuples::of(&program)).map_or(0, |sharing| sharing.private.len())
    };
    assert_eq!(private("y[i] += x[i]"), 1);
    assert_eq!(private("r = y[i]\n r += x[i]\n r += 1.0\n y[i] = r"), 1);
    assert_eq!(private("r = y[h]\n r += x[i]\n y[h] = r"), 1);
    for other in [
        "r = y[i]\n r += x[i]\n y[i] = 2.0 * r",
        "r = y[i]\n r += x[i]\n y[h] = r",
        "r = y[i]\n r += x[i] * r\n y[i] = r",
        "r = y[i]\n r += x[i]\n r max= x[i]\n y[i] = r",
        "r = y[i]\n r max= x[i]\n y[i] = r",
        "r = y[i]\n r = x[i]\n r += x[i]\n y[i] = r",
        "r = y[h]\n r += x[i]\n h = p[i] + 1\n y[h] = r",
        "for j in 0 .. n {\n r = y[j]\n}\n r += x[i]\n for j in 0 .. n {\n y[j] = r\n}",
        "r = y[i]\n r += x[i]",
        "r = 0.0\n r += x[i]\n y[i] = r",
    ] {
        assert_eq!(private(other), 0, "{other}");
    }
}
