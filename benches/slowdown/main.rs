//! The main job: every pathological family, differentiated in every way, at growing sizes.
//!
//! ```text
//! cargo bench --bench slowdown                  everything, some minutes
//! cargo bench --bench slowdown -- trace         one family or function
//! cargo bench --bench slowdown -- --quick       everything at small sizes, under a minute
//! ```
//!
//! A run measures time (the median of several samples), counts exact work and the most
//! bytes alive at once, and writes records, a Markdown table and a page; the table goes
//! to the terminal too. It fails, naming the program, if work does not grow as stated,
//! if time grows faster by more than half a power, if a derivative is not its reference, or if
//! two threads give other bits than one.

mod arguments;
mod memory;
mod samples;
mod series;
mod setting;

use arguments::Arguments;
use indicatif::{ProgressBar, ProgressStyle};
use iverson::executor::native::Compiler;
use iverson::pathological::{Derivative, Family, Member};
use iverson::reports::data::{Expected, Program, Quantity, Record, Source, Subject as Key};
use iverson::reports::summary::TOLERANCE;
use iverson::reports::{Summary, page, table, write};
use iverson::slowdown::{Subject, Way};
use iverson::spec::unelaborate;
use series::{Series, lines};
use std::path::Path;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// How far the power of time may be from that of work: caches, allocation and what does
/// not grow shift a slope by less than half a power over a factor of 16; an asymptotic
/// slowdown is a whole one.
const TIME_TOLERANCE: f64 = 0.5;
/// The same for work at the small sizes of a quick run, where lower powers still show; a
/// power that is missing or too many is a whole one.
const QUICK_TOLERANCE: f64 = 0.65;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("error: {message}\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let chosen: Vec<(&Family, &Member)> = Subject::all()
        .filter(|(family, member)| arguments.chooses(family.name, member.function))
        .collect();
    if chosen.is_empty() {
        println!("slowdown: no family or function is named so; nothing to measure");
        return ExitCode::SUCCESS;
    }
    let (records, mut failures) = measure(&arguments, &chosen);
    let summary = Summary::new(&records);
    failures.extend(deviations(&arguments, &summary));
    print!("\n{}", table::text(&summary));
    match save(&arguments.output, &records, &summary) {
        Ok(page) => println!("\nThe page: {page}"),
        Err(error) => {
            failures.push(format!("cannot write `{}`: {error}", arguments.output.display()))
        }
    }
    for failure in &failures {
        eprintln!("FAILED {failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The records of all chosen members, and what went wrong.
fn measure(
    arguments: &Arguments,
    chosen: &[(&'static Family, &'static Member)],
) -> (Vec<Record>, Vec<String>) {
    let setting = setting::setting(arguments);
    let native = Compiler::find();
    if let Err(reason) = &native {
        println!("slowdown: skipped: native code ({reason})");
    }
    let lines = lines(native.is_ok());
    let bar = ProgressBar::new(chosen.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {wide_msg}") {
        bar.set_style(style);
    }
    let (mut records, mut failures) = (Vec::new(), Vec::new());
    for (family, member) in chosen {
        let subject = Subject::new(family, member);
        records.push(Record::Program(Box::new(program(&subject))));
        bar.set_message(member.function);
        let all = lines.iter().filter(|(way, _)| way.applies(member));
        let all = all.map(|line| Series::new(*line, &subject, key(&subject), &setting));
        let (points, failed) = series::measure(all.collect(), &arguments.effort());
        records.extend(points.into_iter().map(|point| Record::Point(Box::new(point))));
        failures.extend(failed);
        bar.inc(1);
    }
    bar.finish_and_clear();
    (records, failures)
}

/// What grows otherwise than stated: work, and time that grows faster. Of a quick run time is not judged.
fn deviations(arguments: &Arguments, summary: &Summary<'_>) -> Vec<String> {
    let tolerance = if arguments.quick { QUICK_TOLERANCE } else { TOLERANCE };
    let mut found = summary.deviations(Quantity::Work, tolerance);
    if !arguments.quick {
        found.extend(summary.slower(TIME_TOLERANCE));
    }
    found.iter().map(table::deviation).collect()
}

/// Writes what was found; the path of the page.
fn save(folder: &Path, records: &[Record], summary: &Summary<'_>) -> std::io::Result<String> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("data.jsonl"), write(records))?;
    std::fs::write(folder.join("summary.md"), table::markdown(summary))?;
    let path = folder.join("index.html");
    std::fs::write(&path, page::page(summary))?;
    Ok(path.display().to_string())
}

fn key(subject: &Subject) -> Key {
    let derivative = match subject.member.derivative {
        Derivative::Gradient => "gradient",
        Derivative::Directional => "directional",
        Derivative::GaussNewton => "gauss-newton",
        Derivative::Jacobian => "jacobian",
        Derivative::Hessian => "hessian",
    };
    Key {
        family: subject.family.name.to_owned(),
        function: subject.member.function.to_owned(),
        derivative: derivative.to_owned(),
    }
}

fn program(subject: &Subject) -> Program {
    let Member { work, memory, .. } = subject.member;
    let powers = |way: Way| Some((way.power(work)?, way.power(memory)?));
    let expected = Way::ALL.into_iter().filter_map(|way| Some((way, powers(way)?)));
    let expected = expected.flat_map(|(way, (work, memory))| {
        // memory that is written takes time, also where no work is counted for its zeros
        let is_compact = way == Way::Indicator && !subject.structures.is_empty();
        let time = if way == Way::Primal || is_compact { work } else { work.max(memory) };
        let quantities =
            [(Quantity::Work, work), (Quantity::Time, time), (Quantity::Memory, memory)];
        quantities.map(|(quantity, power)| Expected {
            strategy: way.name().to_owned(),
            quantity,
            power,
        })
    });
    let source = |source: &iverson::pathological::Source| Source {
        title: source.title.to_owned(),
        url: source.url.to_owned(),
    };
    Program {
        subject: key(subject),
        number: subject.family.number(),
        title: subject.family.title.to_owned(),
        text: subject.family.text.to_owned(),
        ssa: unelaborate::ssa(&subject.program),
        derived: unelaborate::ssa(&subject.derived),
        simplified: unelaborate::ssa(&subject.simplified),
        compact: if subject.structures.is_empty() {
            String::new()
        } else {
            unelaborate::ssa(&subject.compact)
        },
        sources: subject.family.sources.iter().map(source).collect(),
        expected: expected.collect(),
    }
}
