//! `cargo bench --bench peers -- --run`: programs and their gradients here, in PyTorch and in JAX, on one
//! core, in one run on one machine.
//!
//! `peers.py` has the same programs as one writes them there, makes the same inputs and says how long they
//! took, and a weighted sum of each derivative, which must be ours. It needs Python with the packages of
//! `requirements.txt`: `IVERSON_PYTHON` names it, or a virtual environment is made under `target`. What is
//! missing is said and left out. Without `--run` nothing is done: PyTorch is a large download.

use iverson::executor::native::Compiler;
use iverson::executor::{Engine, Executable, Options, compile};
use iverson::pipeline::{differentiate, load};
use iverson::spec::call::{Dense, Value, Values};
use iverson::spec::normalize;
use iverson::spec::ssa::TensorSsa;
use serde_json::Value as Json;
use std::error::Error;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

#[path = "../cotangents.rs"]
mod cotangents;
#[path = "../inputs.rs"]
mod inputs;
mod programs;

use cotangents::with_cotangents;
use inputs::numbers;
use programs::{PROGRAMS, Program};

/// Calls are repeated for this long.
const ENOUGH: Duration = Duration::from_millis(500);
/// How far two sums of a derivative may be apart: orders of summation differ.
const NEAR: f64 = 1e-6;

type Failure = Box<dyn Error>;

fn main() -> ExitCode {
    if !std::env::args().any(|word| word == "--run") {
        println!(
            "peers: skipped: `cargo bench --bench peers -- --run` installs PyTorch and JAX and compares with them"
        );
        return ExitCode::SUCCESS;
    }
    match compare() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the table; whether all derivatives agree.
fn compare() -> Result<bool, Failure> {
    let engine = match Compiler::find() {
        Ok(_) => Engine::Native,
        Err(reason) => {
            println!("peers: our block engine: no native code ({reason})");
            Engine::Block
        }
    };
    let python = python();
    if let Err(reason) = &python {
        println!("peers: skipped: PyTorch and JAX ({reason})");
    }
    println!(
        "| program | here: result | derivative | PyTorch: result | derivative | JAX: result | derivative | PyTorch / here | JAX / here |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut all_agree = true;
    for program in &PROGRAMS {
        let own = measure(program, engine)?;
        let torch = python.as_ref().ok().and_then(|python| ask(python, "torch", program));
        let jax = python.as_ref().ok().and_then(|python| ask(python, "jax", program));
        for (peer, found) in [("PyTorch", torch), ("JAX", jax)] {
            if let Some(found) = found
                && (found.sum - own.sum).abs() > NEAR * own.sum.abs().max(1.0)
            {
                eprintln!("{}: {peer} has {}, we have {}", program.name, found.sum, own.sum);
                all_agree = false;
            }
        }
        row(program, own, torch, jax);
    }
    Ok(all_agree)
}

fn row(program: &Program, own: Found, torch: Option<Found>, jax: Option<Found>) {
    let times = |found: Option<Found>| {
        found.map_or("– | –".to_owned(), |f| format!("{:.2} | {:.2}", f.result, f.derivative))
    };
    let ratio = |found: Option<Found>| {
        found.map_or("–".to_owned(), |f| format!("{:.2}", f.derivative / own.derivative))
    };
    println!(
        "| {} | {} | {} | {} | {} | {} |",
        program.name,
        times(Some(own)),
        times(torch),
        times(jax),
        ratio(torch),
        ratio(jax)
    );
}

/// Milliseconds, and the entries of the derivative in the first input, each with a weight, summed.
#[derive(Clone, Copy, Debug)]
struct Found {
    result: f64,
    derivative: f64,
    sum: f64,
}

fn measure(program: &Program, engine: Engine) -> Result<Found, Failure> {
    let module = load(program.text).map_err(|_| format!("{} is wrong", program.name))?;
    let function = module.function(Some(program.function)).map_err(|e| format!("{e:?}"))?;
    let primal = normalize(function);
    let derivative = differentiate(&primal, program.kind, program.wrt)?;
    let inputs = (program.inputs)();
    let arguments = with_cotangents(&derivative.program, &primal, &inputs);
    let (result, _) = time(&primal, &inputs, engine)?;
    let (derivative, values) = time(&derivative.program, &arguments, engine)?;
    let answer = values.get_index(primal.results.len()).map(|(_, value)| value);
    let Some(Value::Real(Dense { data, .. })) = answer else { return Err("no derivative".into()) };
    let sum = data.iter().zip(numbers(data.len())).map(|(a, b)| a * b).sum();
    Ok(Found { result, derivative, sum })
}

/// Milliseconds of the best of calls on one thread, and what they give.
fn time(
    program: &TensorSsa,
    inputs: &Values<f64>,
    engine: Engine,
) -> Result<(f64, Values<f64>), Failure> {
    let options = Options {
        engine,
        threads: Some(NonZero::<usize>::MIN),
        memory: 1 << 33,
        ..Options::default()
    };
    let mut executable: Executable<f64> = compile(program, options)?;
    let values = executable.call(inputs)?;
    let (begin, mut least) = (Instant::now(), f64::INFINITY);
    while begin.elapsed() < ENOUGH {
        let start = Instant::now();
        std::hint::black_box(executable.call(inputs)?);
        least = least.min(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok((least, values))
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/peers"))
}

/// A Python that has the packages.
fn python() -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os("IVERSON_PYTHON") {
        return Ok(named.into());
    }
    let home = folder().join("../../target/peers");
    let python = home.join("bin/python");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    }
    let packages = folder().join("requirements.txt");
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(packages))?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    status.success().then_some(()).ok_or_else(|| format!("{command:?} failed"))
}

/// What a peer found; what it says otherwise goes to standard error.
fn ask(python: &Path, peer: &str, program: &Program) -> Option<Found> {
    let script = folder().join("peers.py");
    let output = Command::new(python).arg(script).args([peer, program.function]).output();
    let said = match &output {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(error) => error.to_string(),
    };
    let number = |name: &str| {
        let line = serde_json::from_str::<Json>(said.lines().last()?).ok()?;
        line.get(name)?.as_f64()
    };
    let found = || {
        let (result, derivative) = (number("result")?, number("derivative")?);
        Some(Found { result, derivative, sum: number("sum")? })
    };
    let found = found();
    if found.is_none() {
        let error = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
        let error = error.unwrap_or_default();
        let last = error.lines().last().unwrap_or(&said);
        println!("peers: skipped: {} in {peer} ({last})", program.name);
    }
    found
}
