//! What searches find: the values there, in every engine, and what need not be checked.

use crate::adjoints::{gradient, loops, program};
use crate::compare::{difference, difference_in, ways, with_cotangents};
use crate::searches::arguments;
use iverson::executor::native::Compiler;
use iverson::executor::{Engine, Executable, Fusion, Options, Vectors, compile};
use iverson::interpreter::eval_ssa;
use iverson::pipeline::load;
use iverson::random::fill;
use iverson::spec::call::{Limits, Value};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;

/// A search of places, the fold that gives its value, their conditions, and whether the search keeps the value.
const VALUES: [(&str, &str, &str, &str, bool); 10] = [
    ("argmax", "max", "i < n", "i < n", true),
    ("argmin", "min", "i <= j", "i <= j", true),
    ("argmax", "max", "i <= j and j > 1", "i <= j and j > 1", true),
    ("argmax", "max", "i > j", "i > j", true),
    ("argmax", "max", "x[i] < 2", "x[i] < 2", true),
    // what was found has passed it
    ("argmin", "min", "i >= j and x[i] < 2", "i >= j", true),
    ("argmax", "max", "p[i] = j", "p[i] = j", true),
    // the value is not that one, by its form or for some j
    ("argmax", "min", "i <= j", "i <= j", false),
    ("argmax", "max", "i <= j", "i <= j and i > 0", false),
    ("argmax", "max", "i <= j", "i <= j and x[i] < 2", false),
];

/// The program of a case, with the value at the place that was found, or as a fold of its own.
fn value(
    (arg, fold, searched, taken, _): (&str, &str, &str, &str, bool),
    place: &str,
) -> TensorSsa {
    let text = format!(
        "fn f(n: size, k: size, x: real[n], p: index(n)[n]) -> (m: index(n + 1)[k], y: real[k]) {{
            m[j: k] = {arg}(i: n where {searched}) x[i]
            y[j: k] = {fold}(i: n where {taken}{place}) x[i]
        }}"
    );
    let loaded = load(&text).unwrap_or_else(|_| panic!("{text}"));
    normalize(loaded.function(None).unwrap())
}

#[test]
fn a_search_keeps_the_value_that_it_finds() {
    for (case, place) in
        VALUES.iter().flat_map(|case| ["", " and i = m[j]"].map(|place| (*case, place)))
    {
        let program = value(case, place);
        let options = Options { fusion: Fusion::Off, ..Options::default() };
        let plain: Executable<f64> = compile(&program, options).unwrap();
        let text = plain.loops().to_string();
        let (_, loops) = text.split_once("statements").unwrap();
        let kept = case.4 && (!place.is_empty() || case.2 == case.3);
        assert_eq!(loops.matches("= x[").count() == 1, kept, "{text}");
        // a search by data may meet a NaN first that is at a later place; a fold skips NaN
        let given = if kept && !case.2.contains("p[") { f64::NAN } else { 3.0 };
        let mut executables: Vec<Executable<f64>> =
            ways().into_iter().map(|options| compile(&program, options).unwrap()).collect();
        for (n, k) in [(0, 0), (0, 2), (1, 1), (2, 3), (9, 9), (40, 5), (700, 3)] {
            for start in 0..8 {
                let inputs = arguments(n, k, start, given);
                let wanted = eval_ssa(&program, &inputs, Limits::default()).unwrap().0;
                for executable in &mut executables {
                    let found = executable.call(&inputs).unwrap();
                    for name in ["m", "y"] {
                        let texts = [&found, &wanted].map(|values| format!("{:?}", values[name]));
                        assert_eq!(texts[0], texts[1], "{n}, {k}, {start}\n{}", executable.loops());
                    }
                }
            }
        }
    }
}

/// Whether something is found depends on data of the axis: no point is at a place that is not found.
#[test]
fn a_value_is_visited_where_it_is_found() {
    let text =
        "fn f(n: size, k: size, x: real[n], p: index(k)[k]) -> (m: index(n + 1)[k], y: real[k]) {
        m[j: k] = argmax(i: n where j + p[j] <= 3 and n > 0) x[i]
        y[j: k] = max(i: n where i = m[j] and j + p[j] <= 3 and n > 0) x[i]
    }";
    let loaded = load(text).unwrap();
    let function = loaded.function(None).unwrap();
    let program = normalize(function);
    for (n, k) in [(0, 0), (0, 3), (2, 0), (2, 9), (9, 9)] {
        let sizes = [("n", n), ("k", k)].map(|(name, n)| (name.to_owned(), Value::Size(n)));
        let inputs = fill(function, &sizes.into(), n + k, Limits::default()).unwrap();
        assert_eq!(difference(&program, &inputs, 0.0), None, "{n}, {k}");
    }
}

/// Least and greatest sums along ways through `n + 1` steps and `k` places.
const WAYS: [&str; 3] = [
    "fn f(n: size, k: size, w: real[k + 1, k + 1], x: real[n + 1, k + 1]) -> (y: real) {
        rec t: n + 1 {
            d[t, j: k + 1] = x[t, j] + if t = 0 then 0 else min(i: k + 1) (d[t - 1, i] + w[i, j])
        }
        y = sum(j: k + 1) d[n, j]^2
    }",
    // to the same place or the one before
    "fn f(n: size, k: size, w: real[k + 1, k + 1], x: real[n + 1, k + 1]) -> (y: real) {
        rec t: n + 1 {
            d[t, j: k + 1] = x[t, j] + if t = 0 then 0 else max(i: k + 1 where i <= j and j <= i + 1) (d[t - 1, i] + w[i, j])
        }
        y = d[n, k]
    }",
    // and the way back
    "fn f(n: size, k: size, w: real[k + 1, k + 1], x: real[n + 1, k + 1]) -> (y: real, way: index(k + 1)[n + 1]) {
        rec t: n + 1 {
            d[t, j: k + 1] = x[t, j] + if t = 0 then 0 else max(i: k + 1) (d[t - 1, i] + w[i, j])
            from[t, j: k + 1] = if t = 0 then j else argmax(i: k + 1) (d[t - 1, i] + w[i, j])
        }
        rec t: n + 1 descending {
            way[t]: index(k + 1) = if t = n then argmax(j: k + 1) d[n, j] else from[t + 1, way[t + 1]]
        }
        y = max(j: k + 1) d[n, j]
    }",
];

#[test]
fn recurrences_of_maxima_and_their_gradients_are_right() {
    let native = Compiler::find().is_ok();
    for text in WAYS {
        let program = program(text);
        let gradient = gradient(&program);
        for (n, k) in [(0, 0), (0, 3), (1, 0), (1, 1), (2, 2), (5, 4), (3, 16), (4, 33)] {
            let given = [("n", n), ("k", k)].map(|(name, n)| (name.to_owned(), Value::Size(n)));
            let typed = load(text).unwrap();
            let function = typed.function(None).unwrap();
            let inputs = fill(function, &given.into(), n + k, Limits::default()).unwrap();
            let cotangents = with_cotangents(&gradient, &program, &inputs);
            for (program, inputs) in [(&program, &inputs), (&gradient, &cotangents)] {
                let ways = [(Engine::Native, Fusion::On, Vectors::default())];
                let found = difference(program, inputs, 64.0);
                let found = found.or_else(|| {
                    native.then(|| difference_in(&ways, program, inputs, 64.0)).flatten()
                });
                assert_eq!(found, None, "{n}, {k}");
            }
        }
    }
}

/// The greatest sum and its place are found at once.
#[test]
fn a_maximum_in_front_of_its_search_is_kept_by_it() {
    let loops = loops(&program(WAYS[2]));
    assert_eq!(loops.matches("w[").count(), 1, "{loops}");
}

/// Of two equal searches in front of a fold or behind it one keeps its value, and both are done.
#[test]
fn one_of_two_searches_keeps_a_value() {
    let search = |name| format!("{name} = argmax(i: n) x[i]\n");
    let value = "y = max(i: n) x[i]\n".to_owned();
    let orders = [
        [value.clone(), search("a"), search("b")],
        [search("a"), value.clone(), search("b")],
        [search("a"), search("b"), value],
    ];
    for order in orders {
        let head = "fn f(n: size, x: real[n]) -> (a: index(n + 1), y: real, b: index(n + 1))";
        let text = format!("{head} {{ {} }}", order.concat());
        let loaded = load(&text).unwrap();
        let function = loaded.function(None).unwrap();
        for n in [0, 1, 5] {
            let given = [("n".to_owned(), Value::Size(n))];
            let inputs = fill(function, &given.into(), n, Limits::default()).unwrap();
            assert_eq!(difference(&normalize(function), &inputs, 0.0), None, "{text}");
        }
    }
}

/// Neither a place for each pair is kept nor a cotangent; all that a step computes of pairs is one loop.
#[test]
fn recurrences_of_maxima_keep_one_place_for_each() {
    // a search of two places finds something, but not by its first or last place
    for text in [WAYS[0], WAYS[2]] {
        let loops = loops(&gradient(&program(text)));
        assert!(!loops.contains(", k + 1, k + 1]"), "{loops}");
        assert!(!loops.contains("check"), "{loops}");
    }
}
