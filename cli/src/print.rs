//! `iverson print`

use crate::args::{PrintArgs, Stage};
use crate::derivative::{names, refused};
use crate::failure::Failure;
use crate::files;
use iverson::derivative::{Derivative, Kind};
use iverson::executor::{Engine, Options, compile};
use iverson::pipeline::{self, Loaded};
use iverson::simplify::{Firing, Trace, simplify, simplify_traced};
use iverson::spec::callees::with_callees;
use iverson::spec::ir::Typed;
use iverson::spec::ssa::TensorSsa;
use iverson::spec::{normalize, print as text, unelaborate};

/// Prints a program at a stage.
pub(crate) fn print(args: &PrintArgs) -> Result<(), Failure> {
    check_options(args)?;
    let loaded = files::load_file(&args.source)?;
    let file = args.source.file.display();
    let name = args.function.as_deref();
    if name.is_some() {
        loaded.function(name).map_err(|e| Failure::new(format!("`{file}`: {e}")))?;
    }
    let printed = match args.stage {
        Stage::Ast => match name {
            Some(name) => text::module(&with_callees(&loaded.module, name)),
            None => text::module(&loaded.module),
        },
        Stage::Typed => each(&loaded, name, unelaborate::typed),
        Stage::Ssa => each(&loaded, name, |program| unelaborate::ssa(&normalize(program))),
        Stage::Jvp => differentiated(args, &loaded, Kind::Tangent)?,
        Stage::Vjp => differentiated(args, &loaded, Kind::Gradient)?,
        Stage::Simplified => {
            let (program, laws) = simplified(args, &loaded)?;
            laws + &unelaborate::ssa(&program)
        }
        Stage::Loops => loops(&simplified(args, &loaded)?.0)?,
    };
    files::write_stdout(&printed)
}

/// The chosen functions, each printed by `show`.
fn each(loaded: &Loaded, name: Option<&str>, show: impl Fn(&Typed) -> String) -> String {
    let functions = loaded.checked.functions.values();
    let chosen = functions.filter(|program| name.is_none_or(|name| program.name == name));
    chosen.map(show).collect::<Vec<_>>().join("\n")
}

/// Whether `--wrt` and `--trace` mean something at the stage.
fn check_options(args: &PrintArgs) -> Result<(), Failure> {
    let stage = match args.stage {
        Stage::Ast => "ast",
        Stage::Typed => "typed",
        Stage::Ssa => "ssa",
        Stage::Jvp => "jvp",
        Stage::Vjp => "vjp",
        Stage::Simplified => "simplified",
        Stage::Loops => "loops",
    };
    let differentiates = matches!(args.stage, Stage::Jvp | Stage::Vjp);
    if differentiates && args.wrt.is_empty() {
        return Err(Failure::new(format!(
            "`--stage {stage}` wants the real parameters to differentiate in, as in `--wrt x,A`"
        )));
    }
    let simplifies = matches!(args.stage, Stage::Simplified | Stage::Loops);
    if !args.wrt.is_empty() && !differentiates && !simplifies {
        return Err(Failure::new(format!(
            "`--wrt` has no meaning at `--stage {stage}`; it has at `jvp`, `vjp`, `simplified` and `loops`"
        )));
    }
    if args.trace && args.stage != Stage::Simplified {
        return Err(Failure::new(format!(
            "`--trace` has no meaning at `--stage {stage}`; laws fire at `--stage simplified`"
        )));
    }
    Ok(())
}

/// The derivative of the chosen function, not simplified.
fn differentiated(args: &PrintArgs, loaded: &Loaded, kind: Kind) -> Result<String, Failure> {
    let program = chosen(args, loaded)?;
    let derivative = Derivative::new(&normalize(program), kind, &names(&args.wrt));
    let derivative = derivative.map_err(|e| refused(program, &e))?;
    Ok(unelaborate::ssa(&derivative.program))
}

/// The gradients of the chosen function, or the function itself, simplified; with the laws that fired as
/// comments, where they are asked for.
fn simplified(args: &PrintArgs, loaded: &Loaded) -> Result<(TensorSsa, String), Failure> {
    let program = chosen(args, loaded)?;
    let ssa = normalize(program);
    let wrt = names(&args.wrt);
    let of_gradient = |e| refused(program, &e);
    // the texts of a trace take longer than all the rest
    let (simple, trace) = match (args.wrt.is_empty(), args.trace) {
        (true, true) => simplify_traced(&ssa),
        (true, false) => (simplify(&ssa), Trace::default()),
        (false, true) => {
            let traced = pipeline::differentiate_traced(&ssa, Kind::Gradient, &wrt);
            let (derivative, trace) = traced.map_err(of_gradient)?;
            (derivative.program, trace)
        }
        (false, false) => {
            let derivative = pipeline::differentiate(&ssa, Kind::Gradient, &wrt);
            (derivative.map_err(of_gradient)?.program, Trace::default())
        }
    };
    let comment = |firing: &Firing| -> String {
        firing.to_string().lines().map(|line| format!("# {line}\n")).collect()
    };
    let laws: String = trace.firings.iter().map(comment).collect();
    Ok((simple, laws))
}

/// The loops of a program, fused.
fn loops(program: &TensorSsa) -> Result<String, Failure> {
    let options = Options { engine: Engine::Runner, ..Options::default() };
    let executable = compile::<f64>(program, options).map_err(Failure::new)?;
    Ok(executable.loops().to_string())
}

fn chosen<'l>(args: &PrintArgs, loaded: &'l Loaded) -> Result<&'l Typed, Failure> {
    let function = loaded.function(args.function.as_deref());
    function.map_err(|e| Failure::new(format!("`{}`: {e}", args.source.file.display())))
}
