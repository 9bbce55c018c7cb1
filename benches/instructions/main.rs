//! `cargo bench --bench instructions -- --run [NAME]`: the instructions that derivatives of the pathological families take
//! beside their exact work, at sizes that double.
//!
//! Both are taken beyond those of the smallest size, so what a call takes at any size does not count.
//! Time also depends on which cache holds the memory; a count of instructions does not, and is the same in every run. What
//! counts is valgrind's callgrind, under which this program runs itself once for each program; native code is compiled
//! without AVX-512, which valgrind lacks. Without `--run` nothing is done: it takes some minutes.

mod counted;

use iverson::pathological::{Family, Member};
use iverson::reports::fit::{Fit, fit};
use iverson::slowdown::Subject;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::{Mutex, PoisonError};
use std::thread::{available_parallelism, scope};

/// How far the power of instructions in work may be from 1, beside its margin.
const TOLERANCE: f64 = 0.1;

type Failure = Box<dyn Error + Send + Sync>;

/// By engine: pairs of work and instructions, in ascending size.
type Counts = BTreeMap<String, Vec<(f64, f64)>>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [flag, function] = words.as_slice()
        && flag == counted::FLAG
    {
        counted::run(function);
        return ExitCode::SUCCESS;
    }
    if !words.iter().any(|word| word == "--run") {
        println!(
            "instructions: skipped: `cargo bench --bench instructions -- --run` counts them with valgrind, for some minutes"
        );
        return ExitCode::SUCCESS;
    }
    if let Err(error) = Command::new("valgrind").arg("--version").output() {
        println!("instructions: skipped: valgrind does not run ({error})");
        return ExitCode::SUCCESS;
    }
    let names: Vec<&String> = words.iter().filter(|word| !word.starts_with("--")).collect();
    let chosen: Vec<(&Family, &Member)> = Subject::all()
        .filter(|(family, member)| {
            let named = |name: &&String| {
                family.name.contains(name.as_str()) || member.function.contains(name.as_str())
            };
            names.is_empty() || names.iter().any(named)
        })
        .collect();
    match table(&chosen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts, as many programs at a time as there are processors, and prints the table.
fn table(chosen: &[(&Family, &Member)]) -> Result<(), Failure> {
    let (jobs, found) = (Mutex::new(chosen.iter().enumerate()), Mutex::new(BTreeMap::new()));
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
    scope(|scope| {
        for _ in 0..available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((at, (_, member))) = next() {
                    let counts = counts(member.function);
                    found.lock().unwrap_or_else(PoisonError::into_inner).insert(at, counts);
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("| program | {} |", counted::ENGINES.join(" | "));
    println!("|---|{}", "---|".repeat(counted::ENGINES.len()));
    let mut near = [0; counted::ENGINES.len()];
    for ((_, member), (_, counts)) in chosen.iter().zip(found) {
        let counts = counts?;
        let cells = counted::ENGINES.iter().zip(&mut near).map(|(engine, near)| {
            let points = counts.get(*engine).map_or(&[][..], Vec::as_slice);
            let points: Vec<(f64, f64)> = match points {
                [first, rest @ ..] => {
                    rest.iter().map(|at| (at.0 - first.0, at.1 - first.1)).collect()
                }
                [] => Vec::new(),
            };
            let Some(fit) = fit(&points) else { return "too few sizes".to_owned() };
            *near += usize::from((fit.power - 1.0).abs() <= TOLERANCE + fit.margin);
            cell(&points, &fit)
        });
        println!("| {} | {} |", member.function, cells.collect::<Vec<_>>().join(" | "));
    }
    let near = near.map(|near| format!("{near} of {}", chosen.len()));
    println!("| within {TOLERANCE} of 1, and the margin | {} |", near.join(" | "));
    Ok(())
}

/// The power of instructions in work, over which factor of work, and the instructions for a unit of it up to the largest
/// size.
fn cell(points: &[(f64, f64)], fit: &Fit) -> String {
    let last = &points[points.len() - fit.points..];
    let [(least, _), .., (work, count)] = last else { unreachable!("a fit has three points") };
    format!(
        "{:.3} ± {:.3} over {:.0}x, {:.2} each",
        fit.power,
        fit.margin,
        work / least,
        count / work
    )
}

/// Has this program run one function under valgrind, which counts instructions in each run of it.
fn counts(function: &str) -> Result<Counts, Failure> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("out");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let answer = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--toggle-collect=*counted_run*",
            "--dump-before=*end_of_count*",
        ])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args([counted::FLAG, function])
        .env("CC", format!("{compiler} -mno-avx512f"))
        .output()?;
    let said = String::from_utf8_lossy(&answer.stdout);
    if !answer.status.success() {
        let why = String::from_utf8_lossy(&answer.stderr);
        return Err(format!("`{function}`: {}\n{why}", answer.status).into());
    }
    let mut all = Counts::new();
    for (at, line) in said.lines().enumerate() {
        let [engine, work] = *line.split(' ').collect::<Vec<_>>() else {
            return Err(format!("`{function}` says `{line}`").into());
        };
        let count = total(&folder.path().join(format!("out.{}", at + 1)))?;
        all.entry(engine.to_owned()).or_default().push((work.parse()?, count));
    }
    Ok(all)
}

/// The instructions of a dump.
fn total(dump: &Path) -> Result<f64, Failure> {
    let text = std::fs::read_to_string(dump)?;
    let total = text.lines().find_map(|line| line.strip_prefix("summary: "));
    Ok(total.ok_or_else(|| format!("`{}` has no summary", dump.display()))?.trim().parse()?)
}
