//! Loops whose ranges differ at their ends: every small size, the points visited, and the loops as text.

use crate::compare::{difference, with_cotangents};
use crate::examples::real_params;
use iverson::ad::vjp;
use iverson::executor::loops::{LoopProgram, Node, Role};
use iverson::executor::{Options, compile};
use iverson::pipeline::load;
use iverson::simplify::simplify;
use iverson::spec::call::{Dense, Relation, Value, Values, shape};
use iverson::spec::ir::Param;
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;

/// Stencils whose terms have ranges of their own.
const STENCILS: [(&str, &str); 16] = [
    (
        "three points",
        "fn f(n: size, x: real[n]) -> (y: real[n]) {
            y[i: n] = ([i > 0] * x[i - 1] + 2 * x[i] + [i + 1 < n] * x[i + 1]) / 4
        }",
    ),
    (
        "no term everywhere",
        "fn f(n: size, x: real[n]) -> (y: real[n]) {
            y[i: n] = [i > 0] * x[i - 1] + [i + 1 < n] * x[i + 1]
        }",
    ),
    (
        "five points, one-sided",
        "fn f(n: size, x: real[n]) -> (y: real[n]) {
            y[i: n] = x[i] + [i > 0] * x[i - 1]^2 + [i > 1] * x[i - 2] + [i > 2] * x[i - 3]
        }",
    ),
    (
        "a distance that is a size",
        "fn f(n: size, k: size, x: real[n]) -> (y: real[n]) {
            y[i: n] = [i >= k] * x[i - k] * x[i] + x[i] + [i + k < n] * x[i + k]
        }",
    ),
    (
        "two distances",
        "fn f(n: size, k: size, m: size, x: real[n]) -> (y: real[n]) {
            y[i: n] = [i >= k and i >= m] * x[i - k] * x[i - m] + [i + k < n and i + m < n] * x[i + k] * x[i + m]
                + x[i]
        }",
    ),
    (
        "a map and a sum",
        "fn f(n: size, x: real[n]) -> (y: real[n], s: real) {
            y[i: n] = [i > 0] * (x[i] - x[i - 1])
            s = sum(i: n where i + 1 < n) (y[i] * x[i] + y[i]^2)
        }",
    ),
    (
        "another shape",
        "fn f(n: size, x: real[n + 1]) -> (y: real[n], z: real[n + 2]) {
            y[i: n] = x[i + 1] - x[i]
            z[i: n + 2] = [i > 0] * x[i - 1] + [i < n] * y[i]^2
        }",
    ),
    (
        "ends far apart",
        "fn f(n: size, x: real[n]) -> (y: real[n]) {
            y[i: n] = [i < 3] * x[i] + [i + 2 >= n] * x[i]^2
        }",
    ),
    (
        "a cross in two dimensions",
        "fn f(n: size, k: size, x: real[n, k]) -> (e: real) {
            y[i: n, j: k] = [i > 0] * (x[i - 1, j] - x[i, j]) + [i + 1 < n] * (x[i + 1, j] - x[i, j])
                + [j > 0] * (x[i, j - 1] - x[i, j]) + [j + 1 < k] * (x[i, j + 1] - x[i, j])
            e = sum(i: n, j: k) y[i, j]^2
        }",
    ),
    (
        "a square in two dimensions",
        "fn f(n: size, k: size, x: real[n, k]) -> (y: real[n, k]) {
            y[i: n, j: k] = [i > 0 and j > 0] * x[i - 1, j - 1] + [i > 0 and j + 1 < k] * x[i - 1, j + 1]
                + x[i, j]^2 + [i + 1 < n and j > 0] * x[i + 1, j - 1] + [i + 1 < n and j + 1 < k] * x[i + 1, j + 1]
        }",
    ),
    (
        "a triangle",
        "fn f(n: size, x: real[n, n]) -> (y: real[n, n]) {
            y[i: n, j: n] = [j <= i] * x[i, j] + [j < i] * x[i, j + 1] * x[j, i] + [j + 1 < i] * x[i, j + 2]
        }",
    ),
    (
        "the mean of those around",
        "fn f(n: size, k: size, x: real[n, k]) -> (y: real[n, k]) {
            t[i: n, j: k] = sum(a: 3, b: 3 where 1 <= i + a <= n and 1 <= j + b <= k) x[i + a - 1, j + b - 1]^2
            c[i: n, j: k] = sum(a: 3, b: 3 where 1 <= i + a <= n and 1 <= j + b <= k) 1
            y[i: n, j: k] = t[i, j] / c[i, j]
        }",
    ),
    (
        "a short kernel",
        "fn f(n: size, x: real[n], c: real[5]) -> (y: real[n]) {
            y[i: n] = sum(a: 5 where 0 <= i + a - 2 < n) c[a] * x[i + a - 2]
        }",
    ),
    (
        "a short kernel turned round, at a distance",
        "fn f(n: size, k: size, x: real[n], c: real[3]) -> (y: real[n + k]) {
            y[i: n + k] = max(a: 3 where a + k <= i and i - a - k < n) c[a] * x[i - a - k] + [i < n] * x[i]
        }",
    ),
    (
        "three dimensions",
        "fn f(n: size, k: size, m: size, x: real[n, k, m]) -> (y: real[n, k, m]) {
            y[i: n, j: k, l: m] = [i > 0] * x[i - 1, j, l] + [j + 1 < k] * x[i, j + 1, l] + [l > 0] * x[i, j, l - 1]
                + [l + 1 < m] * x[i, j, l + 1]^2
        }",
    ),
    (
        "layers",
        "fn f(c: size, h: size, w: size, x: real[c, h + 2, w + 2], k: real[2, c, 3, 3]) -> (y: real[2, h, w]) {
            y[f: 2, i: h, j: w] = sum(d: c, p: 3, q: 3) x[d, i + p, j + q] * k[f, d, p, q]
        }",
    ),
];

fn program(text: &str) -> TensorSsa {
    normalize(load(text).unwrap().function(None).unwrap())
}

/// Data for the given sizes; none is 0, and no two neighbours are the same.
fn inputs(program: &TensorSsa, sizes: &[i64]) -> Values<f64> {
    let mut values = Values::new();
    for param in &program.params {
        let (name, value) = match param {
            Param::Size(size) => {
                let name = &program.symbols.sizes[size.index()];
                (name, Value::Size(sizes[size.index()] as u64))
            }
            Param::Tensor(tensor) => {
                let shape = shape(&program.symbols, *tensor, sizes).unwrap();
                let count: usize = shape.iter().product();
                let data = (0..count).map(|k| 0.25 + (k * 7 % 11) as f64 / 3.0).collect();
                let name = &program.symbols.tensor(*tensor).name;
                (name, Value::Real(Dense { shape, data }))
            }
            Param::Relation(_) => unreachable!("the stencils have no relations"),
        };
        values.insert(name.clone(), value);
    }
    values
}

/// Every choice of `count` sizes below `end`.
fn all_sizes(count: usize, end: i64) -> Vec<Vec<i64>> {
    (0..count).fold(vec![Vec::new()], |all, _| {
        let longer = |sizes: &Vec<i64>| {
            let sizes = sizes.clone();
            (0..end).map(move |size| [sizes.as_slice(), &[size]].concat())
        };
        all.iter().flat_map(longer).collect()
    })
}

#[test]
fn stencils_are_right_for_every_small_size() {
    for (name, text) in STENCILS {
        let program = program(text);
        let derivative = vjp(&program, &real_params(&program)).unwrap();
        let simplified = simplify(&derivative);
        let count = program.symbols.sizes.len();
        for sizes in all_sizes(count, if count == 3 { 5 } else { 7 }) {
            let inputs = inputs(&program, &sizes);
            let with = with_cotangents(&derivative, &program, &inputs);
            let ways = [(&program, &inputs), (&derivative, &with), (&simplified, &with)];
            for (program, inputs) in ways {
                if let Some(what) = difference(program, inputs, 64.0) {
                    panic!("{name}, sizes {sizes:?}: {what}");
                }
            }
        }
    }
}

fn loops(program: &TensorSsa) -> LoopProgram {
    compile::<f64>(program, Options::default()).unwrap().loops().clone()
}

/// The loops at top level, and the temporaries that have entries.
fn passes(program: &LoopProgram) -> (usize, usize) {
    let loops = program.body.iter().filter(|node| matches!(node, Node::For(_))).count();
    let none = iverson::executor::loops::Int::Const(0);
    let kept = program.buffers.iter().filter(|b| b.role == Role::Temporary);
    (loops, kept.filter(|b| !b.extents.contains(&none)).count())
}

#[test]
fn stencils_are_one_pass_and_two_borders() {
    for (name, text) in &STENCILS[..5] {
        let program = program(text);
        let derivative = simplify(&vjp(&program, &real_params(&program)).unwrap());
        let (found, kept) = passes(&loops(&program));
        assert!(found <= 3 && kept == 0, "{name}: {}", loops(&program));
        let (found, kept) = passes(&loops(&derivative));
        assert!(found <= 6 && kept == 0, "{name}, gradient: {}", loops(&derivative));
    }
}

fn blur(name: &str) -> TensorSsa {
    let text = include_str!("../../examples/blur.iv");
    normalize(load(text).unwrap().function(Some(name)).unwrap())
}

#[test]
fn loops_of_blur() {
    insta::assert_snapshot!("blur", loops(&blur("blur")));
}

#[test]
fn loops_of_the_blur_of_an_image() {
    insta::assert_snapshot!("blur_image", loops(&blur("blur_image")));
}

#[test]
fn loops_of_a_cross() {
    let text = STENCILS[8].1;
    insta::assert_snapshot!("cross", loops(&program(text)));
}

#[test]
fn loops_of_a_cross_inside_a_relation() {
    let text = include_str!("../../examples/laplacian.iv");
    let laplacian = program(text);
    let gradient = simplify(&vjp(&laplacian, &["u"]).unwrap());
    insta::assert_snapshot!("laplacian_gradient", loops(&gradient));
}

#[test]
fn what_a_guard_reads_at_the_end_of_nothing_is_not_read() {
    let text =
        "fn f(n: size, x: real[n], u: index(n)[n], R: rel(n, n)) -> (y: real[n], z: real[n]) {
        y[i: n] = [R(u[n - 1], u[i])] * x[i]
        z[i: n] = [i = u[n - 1]] * x[i]
    }";
    let program = program(text);
    for n in 0..4i64 {
        let tuples = (0..n).flat_map(|i| (0..n).map(move |j| vec![i, j]));
        let tuples = tuples.filter(|t| (t[0] + 2 * t[1]) % 3 != 1).collect();
        let mut values = Values::new();
        values.insert("n".into(), Value::Size(n as u64));
        values.insert("x".into(), Value::vector((0..n).map(|i| 1.5 + i as f64).collect()));
        values.insert("u".into(), Value::indices((0..n).map(|i| (i * 2 + 1) % n).collect()));
        values.insert("R".into(), Value::Relation(Relation::new(2, tuples)));
        if let Some(what) = difference(&program, &values, 64.0) {
            panic!("n = {n}: {what}");
        }
    }
}
