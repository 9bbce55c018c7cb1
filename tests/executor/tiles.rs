//! Loops in tiles: sizes around those of a tile, in whole numbers, so that no order of a sum gives other bits.

use crate::compare::{chopped, with_cotangents};
use crate::examples::real_params;
use crate::memory::{gradient, loops, program};
use iverson::ad::vjp;
use iverson::executor::math::Level;
use iverson::executor::native::{Compiler, Precision, emit};
use iverson::executor::{Engine, Fusion, Options, Vectors, compile};
use iverson::simplify::simplify;
use iverson::spec::call::{Dense, Value, Values, shape};
use iverson::spec::ir::Param;
use iverson::spec::ssa::TensorSsa;
use std::num::NonZero;

/// Programs with sizes `n`, `m`, `k`, and what stands in their C: rows, strips alone, or loops in vectors.
const PROGRAMS: [(&str, &str, &str); 24] = [
    (
        "a product of matrices",
        "IV_ROWS",
        "fn f(n: size, m: size, k: size, A: real[n, k], B: real[k, m]) -> (C: real[n, m]) {
            C[i: n, j: m] = sum(l: k) A[i, l] * B[l, j]
        }",
    ),
    (
        "a transposed factor",
        "IV_ROWS",
        "fn f(n: size, m: size, k: size, A: real[n, k], B: real[m, k]) -> (C: real[n, m]) {
            C[i: n, j: m] = sum(l: k) A[i, l] * B[j, l]
        }",
    ),
    (
        "the other transposed factor",
        "IV_ROWS",
        "fn f(n: size, m: size, k: size, A: real[k, n], B: real[k, m]) -> (C: real[n, m]) {
            C[i: n, j: m] = sum(l: k) A[l, i] * B[l, j]
        }",
    ),
    (
        "products of a batch",
        "IV_ROWS",
        "fn f(n: size, m: size, k: size, A: real[k, n, m], B: real[k, m, n]) -> (C: real[k, n, n]) {
            C[b: k, i: n, j: n] = sum(l: m) A[b, i, l] * B[b, l, j]
        }",
    ),
    (
        "a misfit",
        "IV_ROWS",
        "fn f(n: size, m: size, k: size, A: real[n, m], U: real[n, k], V: real[m, k]) -> (s: real) {
            s = sum(i: n, j: m) (A[i, j] - sum(l: k) U[i, l] * V[j, l])^2
        }",
    ),
    (
        "a misfit of few columns, whose gradient has sums side by side",
        "IV_PRAGMA(omp simd reduction",
        "fn f(n: size, m: size, k: size, A: real[n, m], U: real[n, 4], V: real[m, 4]) -> (s: real) {
            s = real(k) + sum(i: n, j: m) (A[i, j] - sum(l: 4) U[i, l] * V[j, l])^2
        }",
    ),
    (
        "rows with values of their own",
        "IV_ROWS",
        "fn f(n: size, m: size, k: size, A: real[n, k], B: real[k, m], c: real[n, m]) -> (C: real[n, m], t: real[n]) {
            t[i: n] = sum(j: m) c[i, j]
            C[i: n, j: m] = t[i] * sum(l: k) A[i, l] * B[l, j] * t[i]
        }",
    ),
    (
        "an entry in a loop that the loop replaces",
        "IV_ROWS",
        "fn f(n: size, m: size, k: size, A: real[n, k], B: real[k, m]) -> (C: real[n, m]) {
            D[i: n, j: m] = sum(l: k) A[i, l] * B[l, j]
            s = sum(i: n, j: m) [D[i, j] >= 1]
            C[i: n, j: m] = sum(l: k) A[i, l] * max(-1, min(B[l, j] * D[i, j], [s >= 1]))
        }",
    ),
    (
        "rows with sums of their own",
        "reduction(+:iv_s_",
        "fn f(n: size, m: size, k: size, A: real[n, k], B: real[k, m], c: real[n, m]) -> (w: real[n, m], z: real[n, m]) {
            w[i: n, j: m] = sum(l: k) A[i, l] * B[l, j]
            t[i: n] = sum(j: m) w[i, j] * c[i, j]
            z[i: n, j: m] = c[i, j] * t[i]
        }",
    ),
    (
        "a product and sums of rows, which keep the tiles of the product",
        "IV_ROWS",
        "fn f(n: size, m: size, k: size, A: real[n, k], B: real[k, m], D: real[n, m, k]) -> (C: real[n, m]) {
            C[i: n, j: m] = sum(l: k) A[i, l] * B[l, j] + sum(l: k) D[i, j, l]
        }",
    ),
    (
        "two sums",
        "IV_ROWS",
        "fn f(n: size, m: size, k: size, A: real[n, k], B: real[k, m], D: real[k, m]) -> (C: real[n, m], E: real[n, m]) {
            C[i: n, j: m] = sum(l: k) A[i, l] * B[l, j]
            E[i: n, j: m] = sum(l: k) A[i, l] * D[l, j]
        }",
    ),
    (
        "greatest in columns",
        "IV_STRIP",
        "fn f(n: size, m: size, k: size, A: real[n, m], b: real[n]) -> (y: real[m], s: real) {
            y[j: m] = max(i: n) (A[i, j] + b[i])
            s = sum(j: m) (sum(i: n) A[i, j] * b[i] + real(k))
        }",
    ),
    (
        "a correlation",
        "IV_STRIP",
        "fn f(n: size, m: size, k: size, x: real[n + k], c: real[k]) -> (y: real[n]) {
            y[i: n] = sum(j: k) x[i + j] * c[j] + real(m)
        }",
    ),
    (
        "a window with borders",
        "IV_STRIP",
        "fn f(n: size, m: size, k: size, x: real[m, n], c: real[2 * k + 1]) -> (y: real[m, n]) {
            y[i: m, j: n] = sum(v: 2 * k + 1) [k <= j + v and j + v < n + k] * x[i, j + v - k] * c[v]
        }",
    ),
    (
        "shifted passes",
        "IV_STRIP",
        "fn f(n: size, m: size, k: size, x: real[n], c: real[k + 1]) -> (y: real[n + k]) {
            y[i: n + k] = sum(j: k + 1 where 0 <= i - j < n) x[i - j] * c[j] + real(m)
        }",
    ),
    (
        "passes against the order",
        "IV_STRIP",
        "fn f(n: size, m: size, k: size, x: real[n + k], c: real[k + 1]) -> (y: real[n]) {
            y[i: n] = sum(j: k + 1 where i + j < n + k) x[n + k - 1 - i - j] * c[j] + sum(j: k + 1 where i + j < n) x[i + j] * c[j]
        }",
    ),
    (
        "a kernel of two axes",
        "IV_STRIP",
        "fn f(n: size, m: size, k: size, x: real[n, m], c: real[3, k + 1]) -> (y: real[n, m]) {
            y[i: n, j: m] = sum(u: 3, v: k + 1 where i + u < n and j + v < m) x[i + u, j + v] * c[u, v]
        }",
    ),
    (
        "layers added, the adjoint of a convolution",
        "IV_STRIP",
        "fn f(n: size, m: size, k: size, z: real[k, n, m], W: real[k, k, k]) -> (y: real[n + k, m + k]) {
            y[i: n + k, j: m + k] = sum(f: k, u: k, v: k where 0 <= i - u < n and 0 <= j - v < m) W[f, u, v] * z[f, i - u, j - v]
        }",
    ),
    (
        "a condition inside",
        "IV_ROWS",
        "fn f(n: size, m: size, k: size, A: real[n, k], B: real[k, m]) -> (C: real[n, m]) {
            C[i: n, j: m] = sum(l: k) [A[i, l] > B[l, j]] * A[i, l] * B[l, j]
        }",
    ),
    (
        "pairs of points, whose gradient has a sum along both axes of the pairs",
        "IV_ROWS",
        "fn f(n: size, m: size, k: size, x: real[n, k], y: real[n], z: real[m]) -> (s: real) {
            t[i: n, j: n] = sum(l: k) (x[i, l] - x[j, l])^2
            s = sum(i: n, j: n where i < j) max(0, 40 + y[i] * y[j] * t[i, j]) + sum(i: m) z[i]
        }",
    ),
    (
        "absolute differences, whose adjoints stand under conditions",
        "IV_ROWS",
        "fn f(n: size, m: size, k: size, x: real[n, k], z: real[m, k]) -> (s: real) {
            t[i: n, j: m] = sum(l: k) abs(x[i, l] - z[j, l])
            s = sum(i: n, j: m) t[i, j]^2
        }",
    ),
    (
        "earlier rows upwards",
        "IV_STRIP",
        "fn f(n: size, m: size, k: size, A: real[n, n], x: real[n, n]) -> (z: real[n, n]) {
            rec i: n, j: n {
                t[i, j] = (sum(l: n where l < i) A[l, j] * y[l, i]) + [j > 0] * y[i, j - 1]
                y[i, j] = if t[i, j] > 0 then x[i, j] else -x[i, j]
            }
            z[i: n, j: n] = y[i, j] + real(m) + real(k)
        }",
    ),
    (
        "earlier rows downwards, under a condition",
        "IV_STRIP",
        "fn f(n: size, m: size, k: size, A: real[n, n], x: real[n, n]) -> (z: real[n, n]) {
            rec i: n descending, j: n descending {
                t[i, j] = [j < i] * (sum(l: n where l >= i) A[l, j] * y[l, i]) + [j + 1 < n] * y[i, j + 1]
                y[i, j] = if t[i, j] > 0 then x[i, j] else -x[i, j]
            }
            z[i: n, j: n] = y[i, j] + real(m) + real(k)
        }",
    ),
    (
        "a recurrence",
        "IV_STRIP",
        "fn f(n: size, m: size, k: size, W: real[n, n], x: real[n], u: real[n]) -> (z: real[n]) {
            rec t: 3 { h[t, i: n] = [t = 0] * x[i] + [t > 0] * (u[i] + sum(j: n) W[i, j] * h[t - 1, j]) }
            z[i: n] = h[2, i] + real(m) + real(k)
        }",
    ),
];

/// Sizes on both sides of a vector, a strip of rows and a strip alone.
const SIZES: [[usize; 3]; 12] = [
    [1, 1, 1],
    [8, 16, 3],
    [9, 17, 4],
    [9, 20, 12],
    [7, 33, 5],
    [16, 15, 1],
    [17, 8, 0],
    [4, 64, 2],
    [70, 9, 6],
    [129, 31, 7],
    [33, 130, 8],
    [0, 40, 3],
];

#[test]
fn native_code_in_tiles_gives_the_bits_of_single_steps() {
    if let Err(reason) = Compiler::find() {
        println!("skipped: {reason}");
        return;
    }
    for (name, word, text) in PROGRAMS {
        let program = simplify(&program(text));
        let gradient = simplify(&vjp(&program, &real_params(&program)).unwrap());
        let options = Options { engine: Engine::Runner, ..Options::default() };
        let loops = compile::<f64>(&program, options).unwrap();
        let source = emit(loops.loops(), Precision::F64).source;
        assert!(source.contains(word), "{name}: no `{word}` in\n{source}");
        for sizes in SIZES {
            let inputs = whole_numbers(&program, sizes);
            same(name, &program, &inputs, sizes);
            same(name, &gradient, &with_cotangents(&gradient, &program, &inputs), sizes);
        }
    }
}

/// The gradient in x has a sum of each row, to which strips add that are done row by row. Compilers take an entry of an array in
/// a mark for the first one.
#[test]
fn strips_in_rows_one_by_one_add_to_the_sum_of_their_row() {
    let text = "fn f(n: size, m: size, k: size, A: real[n, k], B: real[k, m], D: real[n, m], x: real[n]) -> (s: real) {
        p[i: n, j: m] = sum(l: k where l > i) A[i, l] * B[l, j]
        q[i: n, j: m] = sum(l: k) (A[i, l] + x[i]) * B[l, j]
        r[i: n, j: m] = D[i, j] + sum(l: k) (A[i, l] + x[i]) * B[l, j]
        s = (sum(i: n, j: m) p[i, j] * D[i, j]) + (sum(i: n, j: m) q[i, j] * D[i, j]) + (sum(i: n, j: m) r[i, j] * D[i, j])
    }";
    let program = program(text);
    let gradient = gradient(&program, &["A", "B", "x"]);
    let source = emit(&loops(&gradient, Fusion::On), Precision::F64).source;
    let marks: Vec<&str> = source.lines().filter(|line| line.contains(" reduction(")).collect();
    assert!(marks.iter().any(|mark| mark.contains(":iv_s_x_bar")), "{source}");
    assert!(!marks.iter().any(|mark| mark.contains('[')), "{marks:?}");
    if let Err(reason) = Compiler::find() {
        println!("skipped: {reason}");
        return;
    }
    let sizes = [9, 17, 140];
    let inputs = with_cotangents(&gradient, &program, &whole_numbers(&program, sizes));
    same("sums of rows", &gradient, &inputs, sizes);
}

/// Programs whose rows go in blocks, and whether their sums are in arrays between passes: else where they are stored.
const IN_BLOCKS: [(&str, bool); 4] = [
    ("a product of matrices", false),
    ("a transposed factor", false),
    ("the other transposed factor", false),
    ("rows with values of their own", true),
];

/// Sizes on both sides of what is enough for blocks, of a wide strip, of a block, of a group of strips and of a pass.
const SIZES_OF_BLOCKS: [[usize; 3]; 8] = [
    [7, 1100, 33],
    [9, 1025, 64],
    [33, 2060, 16],
    [33, 4400, 15],
    [137, 536, 64],
    [25, 131, 520],
    [265, 67, 530],
    [33, 410, 530],
];

/// More rows than are ever in a block.
const HIGH: [usize; 3] = [2070, 33, 1000];

#[test]
fn native_code_in_blocks_of_rows_gives_the_bits_of_single_steps() {
    if let Err(reason) = Compiler::find() {
        println!("skipped: {reason}");
        return;
    }
    for (name, in_arrays) in IN_BLOCKS {
        let (.., text) = PROGRAMS.iter().find(|(known, ..)| *known == name).unwrap();
        let program = simplify(&program(text));
        let gradient = simplify(&vjp(&program, &real_params(&program)).unwrap());
        let options = Options { engine: Engine::Runner, ..Options::default() };
        let loops = compile::<f64>(&gradient, options).unwrap();
        let source = emit(loops.loops(), Precision::F64).source;
        assert!(source.contains("iv_copies["), "{name}: nothing is packed in\n{source}");
        assert_eq!(source.contains("[IV_BLOCK]"), in_arrays, "{name}: {source}");
        if name == IN_BLOCKS[0].0 {
            same(name, &program, &whole_numbers(&program, HIGH), HIGH);
        }
        for sizes in SIZES_OF_BLOCKS {
            let inputs = whole_numbers(&program, sizes);
            same(name, &program, &inputs, sizes);
            same(name, &gradient, &with_cotangents(&gradient, &program, &inputs), sizes);
        }
    }
}

/// The result is in the memory of what its loop reads: between passes its sums must not be there.
#[test]
fn an_entry_that_a_loop_reads_and_replaces_stands_still_in_all_passes() {
    if let Err(reason) = Compiler::find() {
        println!("skipped: {reason}");
        return;
    }
    let name = "an entry in a loop that the loop replaces";
    let (.., text) = PROGRAMS.iter().find(|(known, ..)| *known == name).unwrap();
    let program = simplify(&program(text));
    let loops = loops(&program, Fusion::On);
    assert!(loops.to_string().contains("# D in the memory of C"), "{loops}");
    let source = emit(&loops, Precision::F64).source;
    assert!(source.contains("iv_copies[") && source.contains("[IV_BLOCK]"), "{source}");
    let sizes = [25, 131, 520];
    same(name, &program, &whole_numbers(&program, sizes), sizes);
}

/// More rows and more steps than the block engine takes at a time.
const MORE_THAN_GO_TOGETHER: [usize; 3] = [70, 41, 300];

#[test]
fn the_block_engine_in_tiles_gives_the_bits_of_single_steps() {
    for (name, _, text) in PROGRAMS {
        let program = simplify(&program(text));
        let gradient = simplify(&vjp(&program, &real_params(&program)).unwrap());
        let is_deep = IN_BLOCKS.iter().any(|(known, _)| *known == name);
        for sizes in SIZES.into_iter().chain(is_deep.then_some(MORE_THAN_GO_TOGETHER)) {
            let inputs = whole_numbers(&program, sizes);
            in_blocks(name, &program, &inputs, sizes);
            in_blocks(name, &gradient, &with_cotangents(&gradient, &program, &inputs), sizes);
        }
    }
}

/// Whether the block engine gives the bits of the plain runner, with any number of threads and lanes, by all
/// instructions, and in half the bits.
fn in_blocks(name: &str, program: &TensorSsa, inputs: &Values<f64>, sizes: [usize; 3]) {
    let options =
        |engine, threads| Options { engine, threads: NonZero::new(threads), ..Options::default() };
    let wanted = compile::<f64>(program, options(Engine::Runner, 1)).unwrap().call(inputs).unwrap();
    let mut full = compile::<f64>(program, options(Engine::Block, 1)).unwrap();
    let mut half = compile::<f32>(program, options(Engine::Block, 1)).unwrap();
    let plain = Vectors::default();
    let levels = Level::available().into_iter().map(|level| Vectors { level, ..plain });
    for vectors in levels.chain([Vectors { lanes: 40, few: 1, ..plain }, chopped()]) {
        let at = format!("{name} at {sizes:?}, {vectors:?}");
        *full.vectors() = vectors;
        let found = full.call(inputs).unwrap();
        assert!(wanted == found, "{at}: {wanted:?}, not {found:?}");
        *half.vectors() = vectors;
        let found = half.call(&short(inputs)).unwrap();
        assert!(short(&wanted) == found, "{at}, in 32 bits: {found:?}");
    }
    let found = compile::<f64>(program, options(Engine::Block, 2)).unwrap().call(inputs).unwrap();
    assert!(wanted == found, "{name} at {sizes:?}, 2 threads: {wanted:?}, not {found:?}");
}

/// Whether the native engine gives the bits of the plain runner, with any number of threads, and in half the bits.
fn same(name: &str, program: &TensorSsa, inputs: &Values<f64>, sizes: [usize; 3]) {
    let run = |engine, threads| {
        let options = Options { engine, threads: NonZero::new(threads), ..Options::default() };
        compile::<f64>(program, options).unwrap().call(inputs).unwrap()
    };
    let wanted = run(Engine::Runner, 1);
    for threads in [1, 2] {
        let found = run(Engine::Native, threads);
        assert!(
            wanted == found,
            "{name} at {sizes:?}, {threads} threads: {wanted:?}, not {found:?}"
        );
    }
    let options = Options { engine: Engine::Native, ..Options::default() };
    let found = compile::<f32>(program, options).unwrap().call(&short(inputs)).unwrap();
    assert!(short(&wanted) == found, "{name} at {sizes:?}, in 32 bits: {found:?}");
}

/// The same in 32 bits.
fn short(values: &Values<f64>) -> Values<f32> {
    let one = |value: &Value<f64>| match value {
        Value::Real(x) => {
            let data = x.data.iter().map(|entry| *entry as f32).collect();
            Value::Real(Dense { shape: x.shape.clone(), data })
        }
        Value::Size(n) => Value::Size(*n),
        Value::Index(p) => Value::Index(p.clone()),
        Value::Relation(r) => Value::Relation(r.clone()),
    };
    values.iter().map(|(name, value)| (name.clone(), one(value))).collect()
}

/// Whole numbers from -3 to 3.
fn whole_numbers(program: &TensorSsa, sizes: [usize; 3]) -> Values<f64> {
    let names = ["n", "m", "k"];
    let mut values: Values<f64> = (names.iter().zip(sizes))
        .map(|(name, size)| ((*name).to_owned(), Value::Size(size as u64)))
        .collect();
    let numbers: Vec<i64> = sizes.iter().map(|size| *size as i64).collect();
    for (at, param) in program.params.iter().enumerate() {
        if let Param::Tensor(tensor) = param {
            let row = program.symbols.tensor(*tensor);
            let shape = shape(&program.symbols, *tensor, &numbers).unwrap();
            let count: usize = shape.iter().product();
            let data = (0..count).map(|e| ((e * 31 + at * 17) % 7) as f64 - 3.0).collect();
            values.insert(row.name.clone(), Value::Real(Dense { shape, data }));
        }
    }
    values
}
