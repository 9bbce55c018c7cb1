//! Places of greatest and least values: equal values, infinities and NaN in every engine.

use crate::compare::ways;
use iverson::executor::{Executable, Fusion, Options, compile};
use iverson::interpreter::eval_ssa;
use iverson::pipeline::load;
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;

/// A search of `n` places by `k`, reals `x[n]` and places `p[n]` in n, and whether its loops visit places out of order, so that
/// those of equal values are compared.
const SEARCHES: [(&str, bool); 9] = [
    ("m[j: k] = argmax(i: n) x[i]", false),
    ("m[j: k] = argmin(i: n) x[i]", false),
    ("m[j: k] = argmax(i: n where j <= i and i < j + 3) x[i]", false),
    ("m[j: k] = argmin(i: n where i % 2 = 1 and i >= j) x[i]", false),
    ("m[j: k] = argmax(i: n where x[i] < 2) x[i]", false),
    ("m[j: k] = argmax(i: n where 2 * i = j) x[i]", false),
    ("m[j: k] = argmax(i: n where i > j or i < j) x[i]", true),
    ("m[j: k] = argmin(i: n where i > j + 1 or i <= j) x[i]", true),
    ("m[j: k] = argmax(i: n where p[i] = j) x[i]", true),
];

fn program(body: &str) -> TensorSsa {
    let text = format!(
        "fn f(n: size, k: size, x: real[n], p: index(n)[n]) -> (m: index(n + 1)[k]) {{ {body} }}"
    );
    let loaded = load(&text).unwrap_or_else(|_| panic!("{text}"));
    normalize(loaded.function(None).unwrap())
}

/// Few values, each often, from a start that gives every one of them the first place; one of them is given.
pub(crate) fn arguments(n: usize, k: usize, start: usize, given: f64) -> Values<f64> {
    let some = [1.0, 2.0, 0.0, given, 2.0, f64::NEG_INFINITY, -0.0, f64::INFINITY];
    let data: Vec<f64> = (0..n).map(|i| some[(i * i + start) % some.len()]).collect();
    let values = [
        ("n", Value::Size(n as u64)),
        ("k", Value::Size(k as u64)),
        ("x", Value::Real(Dense { shape: vec![n], data })),
        ("p", Value::indices((0..n).map(|i| (i * 3 % n / 2) as i64).collect())),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[test]
fn the_least_place_wins_a_tie() {
    for (body, compared) in SEARCHES {
        // out of order the NaN that is met first need not be at the least place
        let given = if compared { 3.0 } else { f64::NAN };
        let program = program(body);
        let mut executables: Vec<Executable<f64>> =
            ways().into_iter().map(|options| compile(&program, options).unwrap()).collect();
        for (n, k) in [(0, 0), (0, 2), (1, 1), (2, 3), (9, 9), (40, 5), (700, 3)] {
            for start in 0..8 {
                let inputs = arguments(n, k, start, given);
                let wanted = eval_ssa(&program, &inputs, Limits::default()).unwrap().0;
                for executable in &mut executables {
                    let found = executable.call(&inputs).unwrap();
                    assert_eq!(
                        (&found["m"], n, k, start),
                        (&wanted["m"], n, k, start),
                        "{body}\n{}",
                        executable.loops()
                    );
                }
            }
        }
    }
}

#[test]
fn places_are_compared_only_where_loops_leave_their_order() {
    for (body, compared) in SEARCHES {
        let options = Options { fusion: Fusion::Off, ..Options::default() };
        let executable: Executable<f64> = compile(&program(body), options).unwrap();
        let text = executable.loops().to_string();
        assert_eq!(text.contains("=. best and"), compared, "{body}\n{text}");
    }
}
