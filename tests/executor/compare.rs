//! One program through the interpreter and the executor.

use iverson::executor::native::Compiler;
use iverson::executor::{
    Engine, Executable, Fusion, Inputs, Options, Output, Outputs, Vectors, compile, send,
};
use iverson::interpreter::{Model, WorkReport, eval_ssa};
use iverson::spec::call::{Dense, Limits, Value, Values, bind, shape};
use iverson::spec::ir::Param;
use iverson::spec::ssa::{Rhs, TensorSsa};
use iverson::spec::unelaborate;
use iverson::spec::verify::stmts;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Blocks of three lanes wherever there can be some, and pieces of a few operations: small programs then have several.
pub(crate) fn chopped() -> Vectors {
    Vectors { lanes: 3, few: 1, short: i64::MAX, piece: 64, ..Vectors::default() }
}

/// Both fusions of the engines that this machine has.
pub(crate) fn ways() -> Vec<Options> {
    let compiler = Compiler::find().is_ok();
    let engines = Engine::ALL.into_iter().filter(|e| compiler || *e != Engine::Native);
    let both = [Fusion::On, Fusion::Off];
    let options = |engine| both.map(|fusion| Options { engine, fusion, ..Options::default() });
    engines.flat_map(options).collect()
}

/// How often a point may be visited where something is computed again.
const AGAIN: u64 = 8;

/// What differs, if the executor does not give what the interpreter gives: the plain runner
/// without fusion, which must visit the sparse count of points, and the engines with it. Fusion changes no
/// bit of what the plain runner gives, signs of zeros apart.
pub(crate) fn difference(program: &TensorSsa, inputs: &Values<f64>, ulps: f64) -> Option<String> {
    let ways = [
        (Engine::Runner, Fusion::Off, Vectors::default()),
        (Engine::Runner, Fusion::On, Vectors::default()),
        (Engine::Block, Fusion::Off, Vectors::default()),
        (Engine::Block, Fusion::On, Vectors::default()),
        (Engine::Block, Fusion::On, chopped()),
    ];
    difference_in(&ways, program, inputs, ulps)
}

/// What differs in some ways to run a program.
pub(crate) fn difference_in(
    ways: &[(Engine, Fusion, Vectors)],
    program: &TensorSsa,
    inputs: &Values<f64>,
    ulps: f64,
) -> Option<String> {
    let wanted = eval_ssa(program, inputs, Limits::default());
    let sent = send(program);
    let of_sent = (sent.body != program.body).then(|| eval_ssa(&sent, inputs, Limits::default()));
    let of_sent = of_sent.and_then(Result::ok).map(|(_, work)| work);
    let mut plain: Option<Values<f64>> = None;
    ways.iter().find_map(|&(engine, fusion, vectors)| {
        let options = Options { engine, fusion, ..Options::default() };
        let mut executable: Executable<f64> = match compile(program, options) {
            Ok(executable) => executable,
            Err(error) => return Some(error.to_string()),
        };
        let mut machine = executable.clone();
        *machine.vectors() = vectors;
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let found = machine.call(inputs);
            let again = found.as_ref().ok().and_then(|found| again(&mut machine, inputs, found));
            (machine, found, again)
        }));
        let Ok((machine, found, again)) = caught else {
            return Some(format!(
                "{engine:?}, fusion {fusion:?}, {vectors:?}: the engine stopped\n{}\n{}",
                unelaborate::ssa(program),
                executable.loops()
            ));
        };
        executable = machine;
        let what = match (&wanted, found) {
            (Ok((wanted, work)), Ok(found)) => {
                unlike(wanted, &found, ulps).or(again).or_else(|| {
                    if engine != Engine::Runner {
                        return None;
                    }
                    let unfused = plain.get_or_insert_with(|| found.clone());
                    unlike(unfused, &found, 0.0).or_else(|| {
                        points(&sent, of_sent.as_ref().unwrap_or(work), &executable, fusion)
                    })
                })
            }
            (Err(wanted), Err(found)) => {
                let (wanted, found) = (wanted.to_string(), found.to_string());
                let same = wanted == found || wanted.ends_with(&found);
                (!same).then(|| format!("wanted the error {wanted}, found {found}"))
            }
            (Err(wanted), Ok(_)) if may_go(wanted) => None,
            (Err(wanted), Ok(_)) => Some(format!("wanted the error {wanted}")),
            (Ok(_), Err(found)) => Some(format!("found the error {found}")),
        };
        let text = |what: String| {
            let ssa = unelaborate::ssa(program);
            format!(
                "{engine:?}, fusion {fusion:?}, {vectors:?}: {what}\n{ssa}\n{}",
                executable.loops()
            )
        };
        what.map(text)
    })
}

/// What differs in a second run, in memory that is not zero: results are NaN before, temporaries have what a run with
/// other numbers has left in them.
fn again(
    machine: &mut Executable<f64>,
    inputs: &Values<f64>,
    wanted: &Values<f64>,
) -> Option<String> {
    let mut others = inputs.clone();
    for value in others.values_mut() {
        if let Value::Real(x) = value {
            x.data.iter_mut().for_each(|x| *x = 1.75 - 0.75 * *x);
        }
    }
    // it may end early: these need not meet what is required
    let _ = machine.call(&others);
    let mut found = wanted.clone();
    for value in found.values_mut() {
        match value {
            Value::Real(x) => x.data.fill(f64::NAN),
            Value::Index(p) => p.data.fill(-1),
            Value::Size(_) | Value::Relation(_) => {}
        }
    }
    let memory = found.iter_mut().filter_map(|(name, value)| match value {
        Value::Real(x) => Some((name.as_str(), Output::Real(&mut x.data))),
        Value::Index(p) => Some((name.as_str(), Output::Index(&mut p.data))),
        Value::Size(_) | Value::Relation(_) => None,
    });
    let mut outputs = Outputs(memory.collect());
    if let Err(error) = machine.run(&Inputs::from(inputs), &mut outputs) {
        return Some(format!("again: {error}"));
    }
    unlike(wanted, &found, 0.0).map(|what| format!("again: {what}"))
}

/// Errors that an executor may leave out, with what nothing needs (chapter 3).
pub(crate) fn may_go(error: &impl ToString) -> bool {
    error.to_string().contains("floor")
}

/// The first entry that differs by more than rounding.
pub(crate) fn unlike(wanted: &Values<f64>, found: &Values<f64>, ulps: f64) -> Option<String> {
    let names = |values: &Values<f64>| values.keys().cloned().collect::<Vec<_>>();
    if names(wanted) != names(found) {
        return Some(format!("results {:?} and {:?}", names(wanted), names(found)));
    }
    for (name, wanted) in wanted {
        match (wanted, &found[name]) {
            (Value::Index(a), Value::Index(b)) if a == b => {}
            (Value::Real(a), Value::Real(b)) if a.shape == b.shape => {
                let scale =
                    a.data.iter().filter(|x| x.is_finite()).fold(1.0, |s: f64, x| s.max(x.abs()));
                let near = |a: f64, b: f64| {
                    a == b
                        || a.is_nan() && b.is_nan()
                        || (a - b).abs() <= ulps * f64::EPSILON * scale
                };
                let differs = a.data.iter().zip(&b.data).position(|(a, b)| !near(*a, *b));
                if let Some(place) = differs {
                    let at: Vec<usize> =
                        Dense { shape: a.shape.clone(), data: vec![(); 0] }.position(place);
                    return Some(format!(
                        "{name}{at:?} is {}, wanted {}",
                        b.data[place], a.data[place]
                    ));
                }
            }
            (wanted, found) => return Some(format!("{name}: wanted {wanted:?}, found {found:?}")),
        }
    }
    None
}

/// Whether a statement visits another number of points than the sparse count says. Fusion leaves out what
/// nothing needs, and visits no point more than [`AGAIN`] times as often, where it says that
/// something is computed again.
fn points(
    program: &TensorSsa,
    work: &WorkReport,
    executable: &Executable<f64>,
    fusion: Fusion,
) -> Option<String> {
    let again = executable.loops().to_string().contains(", computed again\n");
    let most = if again { AGAIN } else { 1 };
    for (stmt, row) in stmts(&program.body).iter().zip(&work.statements) {
        let visited = executable.visits()[stmt.tensor.index()];
        let wanted = row.count(Model::Sparse).points;
        let fewer = row.count(Model::Sparse).tests > 0 || fusion == Fusion::On;
        let empty = matches!(&stmt.rhs, Rhs::Sum(terms) if terms.is_empty());
        let right = visited == wanted || fewer && visited <= most * wanted || empty;
        if !right {
            return Some(format!("`{}` visits {visited} points, wanted {wanted}", row.tensor));
        }
    }
    None
}

/// Cotangents for the parameters that a derivative has more than its program.
pub(crate) fn with_cotangents(
    derivative: &TensorSsa,
    program: &TensorSsa,
    inputs: &Values<f64>,
) -> Values<f64> {
    let mut all = inputs.clone();
    let sizes = bind(program, inputs, Limits::default()).unwrap().sizes;
    for param in &derivative.params[program.params.len()..] {
        let Param::Tensor(tensor) = param else { continue };
        let shape = shape(&derivative.symbols, *tensor, &sizes).unwrap();
        let count: usize = shape.iter().product();
        let data = (0..count).map(|at| 1.0 - 0.25 * (at % 7) as f64).collect();
        let name = derivative.symbols.tensor(*tensor).name.clone();
        all.insert(name, Value::Real(Dense { shape, data }));
    }
    all
}
