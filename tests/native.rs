//! The native engine against the plain runner, on every example and its derivative, in `f64` and `f32`;
//! and the C that users are given, compiled alone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use iverson::ad::vjp;
use iverson::executor::frame::extent;
use iverson::executor::loops::{Buffer, Element as Kind, Role};
use iverson::executor::native::{Compiler, Emitted, Precision, emit};
use iverson::executor::{Engine, LoopProgram, Options, Scalar, compile};
use iverson::json::{self, Reals};
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Relation, Value, Values, bind, shape};
use iverson::spec::ir::{Element, Param};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Whether there is a C compiler; says so where there is none.
fn has_compiler() -> bool {
    match Compiler::find() {
        Ok(_) => true,
        Err(error) => {
            println!("skipped: {error}");
            false
        }
    }
}

/// A program and its inputs.
struct Case {
    name: String,
    program: TensorSsa,
    inputs: Values<f64>,
}

/// The cases of the examples, and those of their derivatives.
fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    let mut cases = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "iv")) {
        let loaded = load(&fs::read_to_string(path).unwrap()).unwrap();
        let text = fs::read_to_string(path.with_extension("case.json")).unwrap();
        let stem = path.file_stem().unwrap().to_string_lossy();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        for (place, case) in json.as_array().unwrap().iter().enumerate() {
            let typed = loaded.function(case["fn"].as_str()).unwrap();
            let inputs = json::read(&case["inputs"].to_string(), typed, Reals::Finite).unwrap();
            let program = normalize(typed);
            cases.extend(derivative(&format!("vjp of {stem}, case {place}"), &program, &inputs));
            cases.push(Case { name: format!("{stem}, case {place}"), program, inputs });
        }
    }
    cases
}

/// The derivative in all real parameters, with cotangents; none where there is none.
fn derivative(name: &str, program: &TensorSsa, inputs: &Values<f64>) -> Option<Case> {
    let row = |param: &Param| match param {
        Param::Tensor(tensor) => Some(program.symbols.tensor(*tensor)),
        Param::Size(_) | Param::Relation(_) => None,
    };
    let rows = program.params.iter().filter_map(row);
    let reals: Vec<&str> =
        rows.filter(|row| row.element == Element::Real).map(|row| row.name.as_str()).collect();
    let derivative = vjp(program, &reals).ok()?;
    let sizes = bind(program, inputs, Default::default()).unwrap().sizes;
    let mut inputs = inputs.clone();
    for param in &derivative.params[program.params.len()..] {
        let Param::Tensor(tensor) = param else { continue };
        let shape = shape(&derivative.symbols, *tensor, &sizes).unwrap();
        let data = (0..shape.iter().product()).map(|at| 1.0 - 0.25 * (at % 7) as f64).collect();
        let name = derivative.symbols.tensor(*tensor).name.clone();
        inputs.insert(name, Value::Real(Dense { shape, data }));
    }
    Some(Case { name: name.to_owned(), program: derivative, inputs })
}

fn narrowed<S: Scalar>(values: &Values<f64>) -> Values<S> {
    let narrow = |value: &Value<f64>| match value {
        Value::Size(n) => Value::Size(*n),
        Value::Real(x) => Value::Real(Dense {
            shape: x.shape.clone(),
            data: x.data.iter().map(|x| S::of(*x)).collect(),
        }),
        Value::Index(p) => Value::Index(p.clone()),
        Value::Relation(r) => Value::Relation(r.clone()),
    };
    values.iter().map(|(name, value)| (name.clone(), narrow(value))).collect()
}

/// The results of an engine, or its message.
fn outcome<S: Scalar>(
    program: &TensorSsa,
    inputs: &Values<S>,
    engine: Engine,
) -> Result<Values<S>, String> {
    let mut executable = compile::<S>(program, Options { engine, ..Options::default() })
        .map_err(|e| e.to_string())?;
    executable.call(inputs).map_err(|e| e.to_string())
}

/// What differs by more than `tolerance` of the largest entry: sums may be regrouped.
fn difference<S: Scalar>(a: &Values<S>, b: &Values<S>, tolerance: f64) -> Option<String> {
    for (name, a) in a {
        match (a, &b[name]) {
            (Value::Real(a), Value::Real(b)) => {
                let finite = a.data.iter().map(|x| x.wide().abs()).filter(|x| x.is_finite());
                let scale = finite.fold(1.0, f64::max);
                let near = |a: f64, b: f64| {
                    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= tolerance * scale
                };
                let pairs = || a.data.iter().zip(&b.data).map(|(a, b)| (a.wide(), b.wide()));
                if let Some((a, b)) = pairs().find(|(a, b)| !near(*a, *b)) {
                    return Some(format!("{name}: {a:e} and {b:e}"));
                }
            }
            (Value::Index(a), Value::Index(b)) if a == b => {}
            (a, b) => return Some(format!("{name}: {a:?} and {b:?}")),
        }
    }
    None
}

/// Compares the engines on all cases, and says how many agree to the bit.
fn compare<S: Scalar>(tolerance: f64) {
    if !has_compiler() {
        return;
    }
    let (mut exact, mut wrong, cases) = (0, Vec::new(), cases());
    for case in &cases {
        let inputs = narrowed::<S>(&case.inputs);
        let wanted = outcome(&case.program, &inputs, Engine::Runner);
        let found = outcome(&case.program, &inputs, Engine::Native);
        match (&wanted, &found) {
            (Ok(a), Ok(b)) => {
                wrong.extend(difference(a, b, tolerance).map(|d| format!("{}: {d}", case.name)))
            }
            (a, b) if format!("{a:?}") == format!("{b:?}") => {}
            (a, b) => wrong.push(format!("{}: {a:?} and {b:?}", case.name)),
        }
        exact += usize::from(wanted == found);
    }
    println!("{} programs, {exact} to the bit", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(exact * 2 > cases.len(), "only {exact} of {} agree to the bit", cases.len());
}

#[test]
fn native_code_gives_what_the_runner_gives() {
    compare::<f64>(1e-14);
}

#[test]
fn native_code_in_single_precision_gives_what_the_runner_gives() {
    compare::<f32>(1e-6);
}

/// Searches over several blocks of steps: the best place is in any of them, ties and NaN among them; and
/// lookups of tuples in order, out of order, and of those that are not there.
const SEARCHES: &str = "fn searches(n: size, k: size, R: rel(n, n), x: real[n + 1], A: real[k, n + 1])
    -> (a: index(n + 1), b: index(n + 2), c: index(n + 1)[k], d: real, e: real[n], z: real) {
    a = argmax(i: n + 1) x[i]
    b = argmin(i: n + 1 where i != 3 and x[i] > -1) x[i]
    c[l: k] = argmin(i: n + 1) A[l, i]
    d = sum(i: n, j: n where R(i, j)) (x[i] + [i > 0 and R(i - 1, j)] * x[j] + [j + 2 < n and R(i, j + 2)])
    e[i: n] = [R(n - 1 - i, i)] * 2 + [i < 3 and R(i, i)] * x[i]
    z = sum(i: n where R(i, i)) 1
}
";

#[test]
fn native_searches_and_lookups_find_what_the_runner_finds() {
    if !has_compiler() {
        return;
    }
    let program = normalize(load(SEARCHES).unwrap().function(None).unwrap());
    for (n, k) in [(0, 1), (1, 2), (255, 2), (256, 1), (300, 3), (1000, 4)] {
        let entry = |k: usize| match k * 7919 % 1009 {
            13 => f64::NAN,
            r => ((r * r) % 211) as f64 - 60.0 - (k % 3) as f64,
        };
        let pairs =
            (0..n as i64).flat_map(|i| (0..5).map(move |j| vec![i, (i * j + 3 * j) % n as i64]));
        let inputs: Values<f64> = [
            ("n", Value::Size(n as u64)),
            ("k", Value::Size(k as u64)),
            ("R", Value::Relation(Relation::new(2, pairs.collect()))),
            ("x", Value::vector((0..=n).map(entry).collect())),
            (
                "A",
                Value::Real(Dense {
                    shape: vec![k, n + 1],
                    data: (0..k * (n + 1)).map(|at| entry(at + 5)).collect(),
                }),
            ),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        let wanted = outcome(&program, &inputs, Engine::Runner);
        let found = outcome(&program, &inputs, Engine::Native);
        match (&wanted, &found) {
            (Ok(a), Ok(b)) => assert_eq!(difference(a, b, 1e-12), None, "n = {n}"),
            (a, b) => assert_eq!(format!("{a:?}"), format!("{b:?}"), "n = {n}"),
        }
        assert!(wanted.is_ok(), "n = {n}: {wanted:?}");
    }
}

/// Loops long enough to be cut into parts: sums, a map, and a sum within each step.
const LONG: &str = "fn long(n: size, m: size, x: real[n], A: real[n, m])
    -> (s: real, y: real[n], z: real[n], t: real) {
    s = sum(i: n) exp(x[i]) * x[i]
    y[i: n] = sin(1000000 * x[i])
    z[i: n] = sum(j: m where j <= i) A[i, j] * x[i]
    t = max(i: n, j: m) (A[i, j] - x[i])
}
";

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    if !has_compiler() {
        return;
    }
    let loaded = load(LONG).unwrap();
    let program = normalize(loaded.function(None).unwrap());
    let (n, m) = (50_000, 5);
    let real = |shape: Vec<usize>| {
        let count: usize = shape.iter().product();
        let data = (0..count).map(|k| (k * 7919 % 1000) as f64 / 500.0 - 1.0).collect();
        Value::Real(Dense { shape, data })
    };
    let inputs: Values<f64> =
        [("x".to_owned(), real(vec![n])), ("A".to_owned(), real(vec![n, m]))].into_iter().collect();
    let run = |threads: usize| {
        let threads = std::num::NonZero::new(threads);
        let options = Options { engine: Engine::Native, threads, ..Options::default() };
        compile::<f64>(&program, options).unwrap().call(&inputs).unwrap()
    };
    let one = run(1);
    let wanted = outcome(&program, &inputs, Engine::Runner).unwrap();
    assert_eq!(difference(&wanted, &one, 1e-12), None);
    for threads in [2, 7] {
        assert!(one == run(threads), "{threads} threads give other bits");
    }
}

/// Rows of tiles, which threads share in parts that depend on how many there are: a rest of less than a tile, a whole one, and more.
#[test]
fn shares_of_rows_do_not_change_a_bit() {
    if !has_compiler() {
        return;
    }
    let text = "fn product(n: size, m: size, k: size, A: real[n, k], B: real[k, m]) -> (C: real[n, m], t: real[n]) {
        C[i: n, j: m] = sum(l: k) A[i, l] * B[l, j]
        t[i: n] = sum(j: m) C[i, j]^2
    }";
    let program = normalize(load(text).unwrap().function(None).unwrap());
    let (m, k) = (1003, 33);
    let real = |shape: Vec<usize>| {
        let count: usize = shape.iter().product();
        let data = (0..count).map(|at| (at * 7919 % 1000) as f64 / 300.0 - 1.0).collect();
        Value::Real(Dense { shape, data })
    };
    for n in [39, 40, 137, 257, 300] {
        let inputs = [("A", real(vec![n, k])), ("B", real(vec![k, m]))];
        let inputs: Values<f64> = inputs.map(|(name, value)| (name.to_owned(), value)).into();
        let run = |threads: usize| {
            let threads = std::num::NonZero::new(threads);
            let options = Options { engine: Engine::Native, threads, ..Options::default() };
            compile::<f64>(&program, options).unwrap().call(&inputs).unwrap()
        };
        let one = run(1);
        let wanted = outcome(&program, &inputs, Engine::Runner).unwrap();
        assert_eq!(difference(&wanted, &one, 1e-12), None, "{n} rows");
        for threads in [2, 3, 7] {
            assert!(one == run(threads), "{n} rows, {threads} threads: other bits");
        }
    }
}

/// Nests along rows and down columns, with loops between and around them, constants behind, borders, and what other loops find beside them.
const SQUARES: &str = "fn squares(n: size, m: size, l: size, A: real[n, m], B: real[m, n], C: real[m, l, n], D: real[l, m, n, 3])
    -> (H: real[n, m], T: real[n, l, m], P: real[l, n, m, 3], S: real[n, m], most: real[n], W: real[n, m]) {
    H[i: n, j: m] = A[i, j] + B[j, i] * A[i, j]
    T[i: n, a: l, j: m] = C[j, a, i] - B[j, i]
    P[a: l, i: n, j: m, c: 3] = D[a, j, i, c] * A[i, j]
    S[i: n, j: m] = [j > 0 and i + 1 < n] * (B[j - 1, i + 1] - A[i, j])
    most[i: n] = max(j: m) A[i, j]
    W[i: n, j: m] = B[j, i] - 2 * A[i, j]
}
";

/// Blocks that are whole, those at the ends, and both alone.
#[test]
fn blocks_of_rows_and_columns_do_not_change_a_bit() {
    if !has_compiler() {
        return;
    }
    let program = normalize(load(SQUARES).unwrap().function(None).unwrap());
    let real = |shape: &[usize]| {
        let count: usize = shape.iter().product();
        let data = (0..count).map(|at| (at * 7919 % 1000) as f64 / 300.0 - 1.0).collect();
        Value::Real(Dense { shape: shape.to_vec(), data })
    };
    for (n, m, l) in
        [(1, 1, 1), (64, 128, 2), (65, 129, 1), (130, 63, 3), (63, 257, 2), (200, 200, 1)]
    {
        let inputs = [
            ("l", Value::Size(l as u64)),
            ("A", real(&[n, m])),
            ("B", real(&[m, n])),
            ("C", real(&[m, l, n])),
            ("D", real(&[l, m, n, 3])),
        ];
        let inputs: Values<f64> = inputs.map(|(name, value)| (name.to_owned(), value)).into();
        let wanted = outcome(&program, &inputs, Engine::Runner).unwrap();
        for threads in [1, 2, 7] {
            let threads = std::num::NonZero::new(threads);
            let options = Options { engine: Engine::Native, threads, ..Options::default() };
            let found = compile::<f64>(&program, options).unwrap().call(&inputs).unwrap();
            assert!(found == wanted, "{n} by {m} by {l}, {threads:?} threads: other bits");
        }
    }
}

/// The C compiler: what `CC` says, with its arguments.
fn compiler() -> Command {
    let words = std::env::var("CC").unwrap_or_default();
    let mut words = words.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("cc"));
    command.args(words).args(["-O1", "-std=c11", "-Wall", "-Wextra", "-Werror"]);
    command
}

fn write_c(folder: &TempDir, emitted: &Emitted, main: &str) {
    let name = &emitted.name;
    let files = [(format!("{name}.c"), &*emitted.source), (format!("{name}.h"), &*emitted.header)];
    for (name, text) in files.into_iter().chain([("main.c".to_owned(), main)]) {
        fs::write(folder.path().join(name), text).unwrap();
    }
}

/// Compiles `main.c` with the C of a program, runs it, and gives what it prints.
fn said_by_main(folder: &TempDir, name: &str) -> String {
    let run = |command: &mut Command| {
        let said = command.current_dir(folder.path()).output().unwrap();
        assert!(said.status.success(), "{name}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8_lossy(&said.stdout).into_owned()
    };
    let source = format!("{name}.c");
    run(compiler().args([&source, "main.c", "-o", "program", "-lm"]));
    run(&mut Command::new(folder.path().join("program")))
}

#[test]
fn emitted_c_compiles_alone_without_warnings() {
    if !has_compiler() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for case in cases() {
        for precision in [Precision::F64, Precision::F32] {
            let emitted = emit(&iverson::executor::lower(&case.program).unwrap(), precision);
            if !seen.insert((emitted.source.clone(), emitted.header.clone())) {
                continue;
            }
            let source = folder.path().join(format!("{}.c", emitted.name));
            fs::write(&source, &emitted.source).unwrap();
            fs::write(folder.path().join(format!("{}.h", emitted.name)), &emitted.header).unwrap();
            // not to /dev/null, which a tool that root runs may replace by a file
            let object = folder.path().join("object.o");
            let said = compiler().args(["-c", "-o"]).args([&object, &source]).output().unwrap();
            assert!(
                said.status.success(),
                "{}: {}\n{}",
                case.name,
                String::from_utf8_lossy(&said.stderr),
                emitted.source
            );
        }
    }
}

/// A lookup in each direction, in C that is compiled and run alone: in a box that its tuples fill, in one that they
/// do not, and in an empty one.
#[test]
fn emitted_c_looks_tuples_up() {
    if !has_compiler() {
        return;
    }
    let text = "fn look(n: size, R: rel(n, n)) -> (s: real) {
        s = sum(i: n, j: n) [R(j, i) and not R(i, j)] * (1 + real(i) + real(n) * real(j))
    }";
    let program = normalize(load(text).unwrap().function(None).unwrap());
    let emitted = emit(&iverson::executor::lower(&program).unwrap(), Precision::F64);
    let folder = tempfile::tempdir().unwrap();
    let tuples: [(i64, Vec<Vec<i64>>); 4] = [
        (0, vec![]),
        (1, vec![vec![0, 0]]),
        (9, (0..20).map(|k| vec![k * 2 / 9, k * 2 % 9]).collect()),
        (40, (0..20).map(|k| vec![k * 2, (k * 7 + 3) % 40]).collect()),
    ];
    let mut main = "#include \"look.h\"\n#include <stdio.h>\nint main(void) {\n".to_owned();
    main += "double s;\n";
    let mut wanted = String::new();
    for (n, tuples) in tuples {
        let column = |place: usize| {
            let entries = tuples.iter().map(|tuple| tuple[place].to_string());
            entries.chain(["0".to_owned()]).collect::<Vec<_>>().join(", ")
        };
        main += &format!(
            "{{ int64_t a[] = {{{}}}, b[] = {{{}}};\nif (look({n}, {}, a, b, &s)) return 1;\nprintf(\"%g\\n\", s); }}\n",
            column(0),
            column(1),
            tuples.len()
        );
        let inputs: Values<f64> = [
            ("n".to_owned(), Value::Size(n as u64)),
            ("R".to_owned(), Value::Relation(Relation::new(2, tuples))),
        ]
        .into_iter()
        .collect();
        let found = outcome(&program, &inputs, Engine::Runner).unwrap();
        let Value::Real(s) = &found["s"] else { panic!("{found:?}") };
        wanted += &format!("{}\n", s.data[0]);
    }
    main += "return 0;\n}\n";
    write_c(&folder, &emitted, &main);
    assert_eq!(said_by_main(&folder, "look"), wanted, "{}", emitted.source);
}

/// A `main` that calls a program on some inputs, each in memory of just its length, and prints the results.
fn main_of(name: &str, loops: &LoopProgram, program: &TensorSsa, inputs: &Values<f64>) -> String {
    let mut sizes = bind(program, inputs, Default::default()).unwrap().sizes;
    for relation in &program.symbols.relations {
        let Value::Relation(given) = &inputs[&relation.name] else { panic!("a relation") };
        sizes.push(given.len() as i64);
    }
    let columns: Vec<(String, Vec<i64>)> = loops
        .relations
        .iter()
        .zip(&program.symbols.relations)
        .flat_map(|(table, row)| {
            let Value::Relation(given) = &inputs[&row.name] else { panic!("a relation") };
            let column = |(place, id): (usize, &_)| {
                (loops.buffer(*id).name.clone(), given.column(place).to_vec())
            };
            table.coordinates.iter().enumerate().map(column).collect::<Vec<_>>()
        })
        .collect();
    let entries = |buffer: &Buffer| -> Vec<String> {
        let count: i64 = buffer.extents.iter().map(|e| extent(e, &sizes)).product();
        let column = columns.iter().find(|(name, _)| *name == buffer.name);
        match (buffer.role, inputs.get(&buffer.name), column) {
            (Role::Input, Some(Value::Real(x)), _) => {
                x.data.iter().map(|x| format!("{x:?}")).collect()
            }
            (Role::Input, Some(Value::Index(p)), _) => p.data.iter().map(i64::to_string).collect(),
            (Role::Input, _, Some((_, column))) => column.iter().map(i64::to_string).collect(),
            _ => vec!["0".to_owned(); count as usize],
        }
    };
    let mut text = format!(
        "#include \"{name}.h\"\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\
         static void *copy(const void *from, size_t bytes) {{\n\
         void *to = calloc(1, bytes);\nif (to && bytes) memcpy(to, from, bytes);\nreturn to;\n}}\n\
         int main(void) {{\n"
    );
    let mut arguments: Vec<String> = sizes.iter().map(i64::to_string).collect();
    let mut after = String::new();
    let given = |role| loops.buffers.iter().filter(move |buffer| buffer.role == role);
    for (at, buffer) in given(Role::Input).chain(given(Role::Output)).enumerate() {
        let (sort, format) = match buffer.element {
            Kind::Real => ("double", "%.17g"),
            Kind::Int => ("int64_t", "%lld.0"),
        };
        let mut list = entries(buffer);
        let count = list.len();
        list.push("0".to_owned());
        let list = list.join(", ");
        let _ = writeln!(text, "static const {sort} given_{at}[] = {{{list}}};");
        let bytes = format!("{count} * sizeof({sort})");
        let _ = writeln!(text, "{sort} *b{at} = copy(given_{at}, {bytes});");
        arguments.push(format!("b{at}"));
        if buffer.role == Role::Output {
            let cast = if buffer.element == Kind::Int { "(long long)" } else { "" };
            let print = format!("printf(\"{format}\\n\", {cast}b{at}[k]);");
            let _ = writeln!(after, "for (int k = 0; k < {count}; k++) {print}");
        }
        let _ = writeln!(after, "free(b{at});");
    }
    let _ = write!(text, "if ({name}({})) return 1;\n{after}return 0;\n}}\n", arguments.join(", "));
    text
}

/// The C of some examples and their derivatives, compiled and run alone. `executor/sanitize.sh` has it
/// watched by AddressSanitizer.
#[test]
fn emitted_c_gives_what_the_runner_gives_alone() {
    if !has_compiler() {
        return;
    }
    let (mut wrong, mut count) = (Vec::new(), 0);
    for case in cases().iter().step_by(5) {
        let Ok(wanted) = outcome(&case.program, &case.inputs, Engine::Runner) else { continue };
        let executable = compile::<f64>(&case.program, Options::default()).unwrap();
        let emitted = emit(executable.loops(), Precision::F64);
        let folder = tempfile::tempdir().unwrap();
        let main = main_of(&emitted.name, executable.loops(), &case.program, &case.inputs);
        write_c(&folder, &emitted, &main);
        let said = said_by_main(&folder, &emitted.name);
        let mut found = said.lines().map(|line| line.parse::<f64>().unwrap());
        let results = executable.loops().buffers.iter().filter(|b| b.role == Role::Output);
        for name in results.map(|buffer| &buffer.name) {
            let wanted: Vec<f64> = match &wanted[name] {
                Value::Real(x) => x.data.clone(),
                Value::Index(p) => p.data.iter().map(|p| *p as f64).collect(),
                Value::Size(_) | Value::Relation(_) => panic!("results are tensors"),
            };
            let found: Vec<f64> = found.by_ref().take(wanted.len()).collect();
            let value = |data: Vec<f64>| -> Values<f64> {
                [(name.clone(), Value::vector(data))].into_iter().collect()
            };
            let differs = difference(&value(wanted), &value(found), 1e-14);
            wrong.extend(differs.map(|what| format!("{}: {what}", case.name)));
        }
        count += 1;
    }
    assert!(wrong.is_empty() && count > 10, "{count} programs\n{}", wrong.join("\n"));
}
