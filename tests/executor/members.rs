//! Membership in relations: by a map where tuples fill their box, by search elsewhere, with the same results.

use crate::compare::{chopped, difference, difference_in, unlike};
use crate::generate::{Case, Flavour, check_all, failure};
use crate::generated::{floats, has_compiler};
use iverson::executor::frame::extent;
use iverson::executor::{Engine, Fusion, LoopProgram, Options, RunError, Vectors, compile};
use iverson::pipeline::load;
use iverson::spec::call::{CallError, Limits, Relation, Value, Values, bind};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use std::cell::Cell;
use std::num::NonZero;

/// Lookups in relations of one, two and three places; guards keep some of them within the box.
const LOOKUPS: &str =
    "fn f(n: size, m: size, P: rel(n), R: rel(n, m + 1), T: rel(n, m, n), x: real[n])
    -> (y: real[n], z: real[n, m], s: real) {
    y[i: n] = [P(i)] * x[i] + [i > 0 and P(i - 1)] * x[i] + [not P(n - 1 - i)] * 0.5
    z[i: n, j: m] = [R(i, j + 1)] * x[i] + [R(n - 1 - i, j) or T(i, j, i)] * 2
    s = sum(i: n, j: m where not T(n - 1 - i, j, i)) x[i]
}";

/// Every `step`-th point of a box, from the first on; none where it is 0.
fn relation(extents: &[usize], step: usize) -> Value<f64> {
    let count: usize = extents.iter().product();
    let point = |at: usize| {
        let mut rest = at;
        let mut point: Vec<i64> = extents
            .iter()
            .rev()
            .map(|n| {
                let index = rest % n;
                rest /= n;
                index as i64
            })
            .collect();
        point.reverse();
        point
    };
    let chosen = (0..count).filter(|at| step != 0 && at % step == 0);
    Value::Relation(Relation::new(extents.len(), chosen.map(point).collect()))
}

#[test]
fn lookups_find_what_the_interpreter_finds() {
    let program = normalize(load(LOOKUPS).unwrap().function(None).unwrap());
    let native = [(Engine::Native, Fusion::On, Vectors::default())];
    let compiler = has_compiler();
    let (mut dense, mut sparse) = (0, 0);
    for (n, m) in [(0, 0), (0, 3), (1, 0), (1, 1), (2, 5), (70, 1), (20, 30)] {
        for step in [0, 1, 3, 64, 65, 1000] {
            let mut inputs = Values::new();
            inputs.insert("n".into(), Value::Size(n as u64));
            inputs.insert("m".into(), Value::Size(m as u64));
            inputs.insert("x".into(), Value::vector((0..n).map(|i| 1.5 + i as f64).collect()));
            for (name, extents) in [("P", &[n][..]), ("R", &[n, m + 1][..]), ("T", &[n, m, n][..])]
            {
                let relation = relation(extents, step);
                if let Value::Relation(r) = &relation {
                    let few = extents.iter().product::<usize>() > 32 * r.len();
                    dense += usize::from(!few);
                    sparse += usize::from(few);
                }
                inputs.insert(name.into(), relation);
            }
            let differs = difference(&program, &inputs, 64.0);
            assert_eq!(differs, None, "n = {n}, m = {m}, every {step}");
            if compiler {
                let differs = difference_in(&native, &program, &inputs, 64.0);
                assert_eq!(differs, None, "n = {n}, m = {m}, every {step}");
            }
        }
    }
    assert!(dense > 20 && sparse > 20, "{dense} dense and {sparse} sparse relations");
}

/// The bytes of all buffers.
fn bytes(loops: &LoopProgram, program: &TensorSsa, inputs: &Values<f64>) -> Option<u64> {
    let mut sizes = bind(program, inputs, Limits::default()).ok()?.sizes;
    for relation in &program.symbols.relations {
        let Value::Relation(given) = &inputs[&relation.name] else { return None };
        sizes.push(given.len() as i64);
    }
    let entries = |extents: &[_]| extents.iter().map(|e| extent(e, &sizes).max(0)).product::<i64>();
    Some(loops.buffers.iter().map(|buffer| entries(&buffer.extents) as u64 * 8).sum())
}

/// What a call gives under a limit of memory.
fn call(
    program: &TensorSsa,
    inputs: &Values<f64>,
    (engine, vectors): (Engine, Vectors),
    memory: Option<u64>,
) -> Result<Values<f64>, RunError> {
    let mut options = Options { engine, threads: NonZero::new(1), ..Options::default() };
    options.memory = memory.unwrap_or(options.memory);
    let mut executable = compile::<f64>(program, options).unwrap();
    *executable.vectors() = vectors;
    executable.call(inputs)
}

/// The same, with errors as text.
fn outcome(
    program: &TensorSsa,
    inputs: &Values<f64>,
    way: (Engine, Vectors),
    memory: Option<u64>,
) -> Result<Values<f64>, String> {
    call(program, inputs, way, memory).map_err(|error| error.to_string())
}

/// The least limit under which a call fits, from one that is too low on: limits are raised to what the errors say is
/// taken, until there are none.
fn least(
    program: &TensorSsa,
    inputs: &Values<f64>,
    way: (Engine, Vectors),
    low: u64,
) -> Option<u64> {
    let mut memory = low;
    while let Err(RunError::Call(error)) = call(program, inputs, way, Some(memory)) {
        let CallError::TooLarge { found, .. } = error else { return None };
        let taken = found.parse().ok().filter(|taken| *taken > memory);
        memory = taken.unwrap_or_else(|| panic!("{found} bytes are no more than {memory}"));
    }
    Some(memory)
}

/// A limit that has room for the buffers alone, and for the copies that an engine makes, leaves none for bits: tuples are
/// searched for.
#[test]
fn bits_change_no_result_of_generated_programs() {
    let found = Cell::new(0);
    check_all(Flavour::Full, 400, |case: &Case| {
        let loaded = load(&case.text).map_err(|_| failure("the program is not valid"))?;
        let typed = loaded.function(None).map_err(|none| failure(none.to_string()))?;
        let (program, inputs) = (normalize(typed), floats(&case.inputs));
        if program.symbols.relations.is_empty() {
            return Ok(());
        }
        let executable = compile::<f64>(&program, Options::default());
        let executable = executable.map_err(|error| failure(error.to_string()))?;
        let Some(buffers) = bytes(executable.loops(), &program, &inputs) else { return Ok(()) };
        found.set(found.get() + 1);
        let ways = [Vectors::default(), chopped()].map(|vectors| (Engine::Block, vectors));
        for way in ways.into_iter().chain([(Engine::Runner, Vectors::default())]) {
            let low = buffers.saturating_sub(1);
            let Some(least) = least(&program, &inputs, way, low) else { return Ok(()) };
            let right = if way.0 == Engine::Runner { least == buffers } else { least >= buffers };
            if !right {
                return Err(failure(format!("{way:?}: {least} bytes, buffers are {buffers}")));
            }
            let bits = outcome(&program, &inputs, way, None);
            let search = outcome(&program, &inputs, way, Some(least));
            let differs = match (&bits, &search) {
                (Ok(a), Ok(b)) => unlike(a, b, 0.0),
                (a, b) => (a != b).then(|| format!("{a:?} and {b:?}")),
            };
            if let Some(what) = differs {
                return Err(failure(format!("{way:?}: {what}")));
            }
        }
        Ok(())
    });
    assert!(found.get() > 0, "no program has a relation");
}

/// One executable, called with the same relations and with others, under the same sizes and others: each call gives
/// what a new executable gives, whatever bits the calls before it have left.
#[test]
fn calls_see_the_relations_that_they_are_given() {
    let program = normalize(load(LOOKUPS).unwrap().function(None).unwrap());
    let inputs = |n: usize, m: usize, [p, r, t]: [&Value<f64>; 3]| -> Values<f64> {
        [
            ("n", Value::Size(n as u64)),
            ("m", Value::Size(m as u64)),
            ("x", Value::vector((0..n).map(|i| 1.5 + i as f64).collect())),
            ("P", p.clone()),
            ("R", r.clone()),
            ("T", t.clone()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    };
    let some = [relation(&[6], 2), relation(&[6, 5], 3), relation(&[6, 4, 6], 5)];
    let others = [relation(&[6], 3), relation(&[6, 5], 40), relation(&[6, 4, 6], 1)];
    let [p, r, t] = &some;
    let calls = [
        ((6, 4), [p, r, t], true),
        ((6, 4), [p, r, t], true),
        ((6, 4), [p, &others[1], t], true),
        ((6, 4), [&others[0], r, &others[2]], true),
        // the same tuples in wider boxes, and beyond smaller ones
        ((9, 7), [p, r, t], true),
        ((9, 4), [p, r, t], true),
        ((3, 4), [p, r, t], false),
        ((6, 4), [p, r, t], true),
        ((6, 4), [p, r, &relation(&[7, 4, 6], 1)], false),
        ((6, 4), [p, r, t], true),
    ];
    for engine in [Engine::Runner, Engine::Block, Engine::Native] {
        if engine == Engine::Native && !has_compiler() {
            continue;
        }
        let way = (engine, Vectors::default());
        let mut executable =
            compile::<f64>(&program, Options { engine, ..Options::default() }).unwrap();
        for (at, ((n, m), relations, good)) in calls.iter().enumerate() {
            let inputs = inputs(*n, *m, *relations);
            let found = executable.call(&inputs).map_err(|error| error.to_string());
            assert_eq!(found, outcome(&program, &inputs, way, None), "{engine:?}, call {at}");
            assert_eq!(found.is_ok(), *good, "{engine:?}, call {at}: {found:?}");
        }
    }
}
