//! `iverson print`

use crate::args::{PrintArgs, Stage};
use crate::derivative::{names, refused};
use crate::failure::Failure;
use crate::files;
use iverson::derivative::{Derivative, Kind};
use iverson::pipeline::{self, Loaded};
use iverson::simplify::{Firing, simplify_traced};
use iverson::spec::callees::with_callees;
use iverson::spec::ir::Typed;
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
        Stage::Simplified => simplified(args, &loaded)?,
    };
    files::write_stdout(&printed)
}

/// The chosen functions, each printed by `show`.
fn each(loaded: &Loaded, name: Option<&str>, show: impl Fn(&Typed) -> String) -> String {
    let functions = loaded.checked.functions.values();
    let chosen = functions.filter(|program| name.is_none_or(|name| program.name == name));
    chosen.map(show).collect::<Vec<_>>().join("\n")
}
