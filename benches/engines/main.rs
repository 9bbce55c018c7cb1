//! `cargo bench --bench engines`: programs and their gradients through the engines, in milliseconds, beside
//! loops written by hand in this folder, in one run; with words after `--`, those whose names contain one.
//! Gradients are simplified, as the command `iverson grad` runs them.
//!
//! Each figure is the best of several calls (of one, for the plain runner, which is left out where it takes minutes). The loops by hand run in one thread and
//! are compiled as this file is: for any machine of the kind unless `RUSTFLAGS` says more. `hand / engine`
//! is their time over that of the fastest engine in one thread: 1 is as fast, more is faster.
//!
//! `--processor` measures the time that the busiest thread of a call has a processor, for machines that other
//! programs share.

use calls::time;
use clock::repeated;
use cotangents::with_cotangents;
use iverson::derivative::Kind;
use iverson::executor::Engine;
use iverson::executor::native::Compiler;
use iverson::pipeline::{differentiate, load};
use iverson::spec::call::Values;
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;

#[path = "../calls.rs"]
mod calls;
#[path = "../clock.rs"]
mod clock;
#[path = "../cotangents.rs"]
mod cotangents;
mod hand;
mod hand_laplacian;
mod hand_stencils;
mod hand_steps;
mod hand_sums;
#[path = "../inputs.rs"]
mod inputs;
mod library;

/// One function of an example with inputs, and the same by hand.
struct Case {
    name: &'static str,
    text: &'static str,
    function: &'static str,
    wrt: &'static str,
    inputs: Values<f64>,
    /// The result, and the result with the gradient.
    hand: [Box<dyn FnMut()>; 2],
}

/// Where loops by hand take so many milliseconds, the plain runner takes minutes.
const LONG: f64 = 100.0;

/// Prints a line of the table, with the time over that of the result if it is known; gives the milliseconds of
/// the fastest engine in one thread.
fn line(
    name: &str,
    program: &TensorSsa,
    inputs: &Values<f64>,
    hand: &mut dyn FnMut(),
    result: Option<f64>,
) -> f64 {
    let native = Compiler::find().is_ok();
    let hand = repeated(hand);
    let runner = if hand < LONG {
        format!("{:.0}", time(program, inputs, Engine::Runner, 1))
    } else {
        String::new()
    };
    let block = [1, 2].map(|threads| time(program, inputs, Engine::Block, threads));
    let code = [1, 2].map(|threads| {
        if native { time(program, inputs, Engine::Native, threads) } else { f64::INFINITY }
    });
    let fastest = block[0].min(code[0]);
    let ratio = result.map_or(String::new(), |result| format!("{:.2}", fastest / result));
    let [block_1, block_2] = block;
    let [native_1, native_2] = code;
    println!(
        "| {name} | {runner} | {block_1:.2} | {block_2:.2} | {native_1:.2} | {native_2:.2} | {hand:.2} | {:.2} | {ratio} |",
        hand / fastest
    );
    fastest
}

fn run(mut case: Case) {
    let program = match load(case.text) {
        Ok(module) => match module.function(Some(case.function)) {
            Ok(function) => normalize(function),
            Err(error) => panic!("{}: {error:?}", case.name),
        },
        Err(error) => panic!("{}: {error:?}", case.name),
    };
    let derivative = match differentiate(&program, Kind::Gradient, &[case.wrt]) {
        Ok(derivative) => derivative.program,
        Err(error) => panic!("{}: {error}", case.name),
    };
    let cotangents = with_cotangents(&derivative, &program, &case.inputs);
    let [result, gradient] = &mut case.hand;
    let primal = line(case.name, &program, &case.inputs, result, None);
    let name = format!("{}, gradient", case.name);
    line(&name, &derivative, &cotangents, gradient, Some(primal));
}

fn main() {
    if std::env::args().any(|word| word == "--quick") {
        return println!("engines: nothing with --quick, all cases are large");
    }
    println!(
        "| | runner | block | block, 2 threads | native | native, 2 threads | hand | hand / engine | gradient / result |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let words: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    for (name, case) in CASES {
        if words.is_empty() || words.iter().any(|word| name.contains(word.as_str())) {
            run(case());
        }
    }
}

type Make = fn() -> Case;

/// A word for each case.
const CASES: [(&str, Make); 15] = [
    ("nbody", hand::nbody),
    ("blur", hand_stencils::blur),
    ("laplacian", hand_laplacian::laplacian),
    ("laplacian-inside", hand_laplacian::laplacian_inside),
    ("correlate", hand_stencils::correlate),
    ("squares", hand_sums::squares),
    ("greatest", hand_sums::greatest),
    ("logsumexp", hand::logsumexp),
    ("spmv", hand::spmv),
    ("matvec", hand::matvec),
    ("histogram", hand_steps::histogram),
    ("rnn", hand_steps::rnn),
    ("heat", hand_steps::heat),
    ("product", library::product),
    ("product-large", library::large_product),
];
