//! The derivatives of the programs that are near the bound on the cost of gradients
//! (`tests/cases/cost`): users' functions by cases, folds of all kinds, kinks under tests.
//! First and second derivatives are those of dual numbers, over floats, and their texts read
//! back.

use crate::cost::functions;
use crate::subject::{
    added_params, added_results, denotation, dual, forward, real, real_params, real_results,
    reverse, run, tangents, with,
};
use crate::text::reads_back;
use iverson::random::fill;
use iverson::simplify::simplify;
use iverson::spec::call::{Dense, Limits, Value, Values};
use iverson::spec::{TensorSsa, Typed, normalize};

/// Directions, one for each named tensor: halves from -1 to 1, none 0.
fn directions(values: &Values<f64>, names: &[String]) -> Vec<Dense<f64>> {
    let one = |name: &String| {
        let shape = real(values, name).shape.clone();
        let count: usize = shape.iter().product();
        let data = (0..count).map(|k| [1.0, -0.5, 0.5, -1.0, 1.5][(k * 3 + name.len()) % 5]);
        Dense { data: data.collect(), shape }
    };
    names.iter().map(one).collect()
}

/// The inner product, and the sum of the sizes of its terms.
fn inner<'d>(
    a: impl Iterator<Item = &'d Dense<f64>>,
    b: impl Iterator<Item = &'d Dense<f64>>,
) -> (f64, f64) {
    let pairs = a.zip(b).flat_map(|(a, b)| a.data.iter().zip(&b.data));
    pairs.fold((0.0, 0.0), |(sum, size), (x, y)| (sum + x * y, size + (x * y).abs()))
}

fn assert_near(what: &str, found: f64, wanted: f64, size: f64) {
    let near = (found - wanted).abs() <= 1e-12 * size.max(1.0);
    let same = found == wanted || found.is_nan() && wanted.is_nan();
    assert!(near || same, "{what}: {found}, wanted {wanted}");
}

struct Hard {
    name: String,
    typed: Typed,
    ssa: TensorSsa,
    gradient: TensorSsa,
    simple: TensorSsa,
    second: TensorSsa,
    wrt: Vec<String>,
}

impl Hard {
    fn new((name, typed): (String, Typed)) -> Self {
        let ssa = normalize(&typed);
        let wrt = real_params(&ssa);
        let gradient = reverse(&ssa, &wrt).unwrap_or_else(|error| panic!("{name}: {error}"));
        let second = forward(&gradient, &wrt).unwrap_or_else(|error| panic!("{name}: {error}"));
        let simple = simplify(&gradient);
        Self { name, typed, ssa, gradient, simple, second, wrt }
    }

    fn texts(&self) {
        let again = reverse(&self.gradient, &self.wrt);
        let again = again.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        for program in [&self.gradient, &self.simple, &self.second, &again] {
            reads_back(program).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        }
    }

    /// At one call; whether there is a value.
    fn check(&self, inputs: &Values<f64>) -> bool {
        let Self { name, typed, ssa, gradient, simple, second, wrt } = self;
        let Ok(results) = run(ssa, inputs) else { return false };
        let ys = real_results(ssa);
        let (dots, bars) = (directions(inputs, wrt), directions(&results, &ys));
        let duals = denotation(typed, &dual(inputs, wrt, &dots));
        let duals = duals.unwrap_or_else(|error| panic!("{name}: {error}"));
        let moved: Vec<Dense<f64>> = ys.iter().map(|y| tangents(real(&duals, y))).collect();
        let called = with(inputs, &added_params(gradient, ssa), &bars);
        let bar_names = added_results(gradient, ssa);
        let (wanted, size) = inner(bars.iter(), moved.iter());
        for program in [gradient, simple] {
            let found = run(program, &called).unwrap_or_else(|error| panic!("{name}: {error}"));
            let found_bars = bar_names.iter().map(|x| real(&found, x));
            assert_near(name, inner(found_bars, dots.iter()).0, wanted, size);
            for y in &ys {
                let pair = [&found, &results].map(|values| real(values, y));
                if std::ptr::eq(program, gradient) {
                    // by their text, which a NaN has too; laws may round otherwise
                    let [found, wanted] = pair.map(|y| format!("{y:?}"));
                    assert_eq!(found, wanted, "{name}: values stay as they are");
                }
                for (found, wanted) in pair[0].data.iter().zip(&pair[1].data) {
                    assert_near(name, *found, *wanted, wanted.abs());
                }
            }
        }
        let moving = dual(&called, wrt, &dots);
        let wanted = run(gradient, &moving).unwrap_or_else(|error| panic!("{name}: {error}"));
        let moved = with(&called, &added_params(second, gradient), &dots);
        let found = run(second, &moved).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (bar, dot) in bar_names.iter().zip(&added_results(second, gradient)[ys.len()..]) {
            let (found, wanted) = (real(&found, dot), tangents(real(&wanted, bar)));
            for (found, wanted) in found.data.iter().zip(&wanted.data) {
                assert_near(&format!("{name}, {dot}"), *found, *wanted, wanted.abs());
            }
        }
        true
    }
}

#[test]
fn hard_programs_have_the_derivatives_of_dual_numbers() {
    for hard in functions("tests/cases/cost").into_iter().map(Hard::new) {
        hard.texts();
        let mut met = 0;
        for (n, seed) in [(1, 7), (2, 8), (3, 9), (3, 10), (4, 11)] {
            let sizes = hard.ssa.symbols.sizes.iter().map(|size| (size.clone(), Value::Size(n)));
            let inputs = fill(&hard.typed, &sizes.collect(), seed, Limits::default());
            met += u32::from(inputs.is_ok_and(|inputs| hard.check(&inputs)));
        }
        assert!(met > 2, "{} has values {met} times", hard.name);
    }
}
