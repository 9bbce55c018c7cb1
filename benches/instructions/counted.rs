//! The runs that are counted.

use iverson::pathological::Point;
use iverson::slowdown::{Engine, Run, RunError, Subject, Way};
use iverson::spec::call::Value;
use std::num::NonZero;
use std::time::{Duration, Instant};

/// Before the function whose derivative is run.
pub(crate) const FLAG: &str = "--count";
/// What is counted, in the order of the table.
pub(crate) const ENGINES: [&str; 3] = ["loops", "block", "native"];

/// No larger size is run after one at which a run took so long under valgrind.
const LONG: Duration = Duration::from_secs(2);
/// Nor after one for which all took so long, inputs included.
const LONG_IN_ALL: Duration = Duration::from_secs(10);
/// Nor after one whose inputs have so many entries.
const LARGE: usize = 1 << 24;

/// Runs the derivative of a function at sizes that double, and says for each run that is counted what ran it and its exact work.
pub(crate) fn run(function: &str) {
    let all = Subject::all().find(|(_, member)| member.function == function);
    let Some((family, member)) = all else { panic!("no function `{function}`") };
    let subject = Subject::new(family, member);
    let mut n = member.start;
    loop {
        let start = Instant::now();
        let at = member.point(n, 1);
        let longest = size(&subject, &at);
        let longest = longest.unwrap_or_else(|error| panic!("{function}, n = {n}: {error}"));
        let entries: usize = at.inputs.values().map(entries).sum();
        if longest > LONG || start.elapsed() > LONG_IN_ALL || entries > LARGE {
            break;
        }
        n *= 2;
    }
}

fn entries(input: &Value<f64>) -> usize {
    match input {
        Value::Size(_) => 0,
        Value::Real(x) => x.data.len(),
        Value::Index(p) => p.data.len(),
        Value::Relation(r) => r.len() * r.arity(),
    }
}

/// Counts all engines at a size; gives the longest time of a run that is counted.
fn size(subject: &Subject, at: &Point) -> Result<Duration, RunError> {
    let engines = [Engine::Own, Engine::Block(NonZero::<usize>::MIN), Engine::Native];
    let (mut work, mut longest) = (None, Duration::ZERO);
    for (name, engine) in ENGINES.iter().zip(engines) {
        let mut run = Run::new(subject, Way::Indicator, engine, at)?;
        // the first one compiles, and takes memory that later ones keep
        work = run.run()?.work.or(work);
        let start = Instant::now();
        counted_run(&mut run)?;
        longest = longest.max(start.elapsed());
        end_of_count();
        let Some(work) = work else { unreachable!("the loops count their work") };
        println!("{name} {work}");
    }
    Ok(longest)
}

/// Valgrind counts what is in it, which it knows by its name.
#[inline(never)]
fn counted_run(run: &mut Run) -> Result<(), RunError> {
    run.run().map(drop)
}

/// Valgrind writes down, where it is called, what has been counted.
#[inline(never)]
fn end_of_count() {
    std::hint::black_box(());
}
