//! `iverson emit`

use crate::args::{EmitArgs, Language, Precision};
use crate::derivative::refused;
use crate::failure::Failure;
use crate::files;
use iverson::ad::vjp;
use iverson::executor::native::{self, emit as emitted};
use iverson::executor::{Engine, Options, compile};
use iverson::simplify::simplify;
use iverson::spec::normalize;

/// Writes a function, or its derivative, as a source file and a header.
pub(crate) fn emit(args: &EmitArgs) -> Result<(), Failure> {
    let typed = files::load_function(&args.chosen)?;
    let mut program = normalize(&typed);
    if !args.wrt.is_empty() {
        let wrt: Vec<&str> = args.wrt.iter().map(|name| name.trim()).collect();
        program = vjp(&program, &wrt).map_err(|e| refused(&typed, &e))?;
    }
    program = simplify(&program);
    let options = Options { engine: Engine::Runner, ..Options::default() };
    let executable = compile::<f64>(&program, options).map_err(Failure::new)?;
    let precision = match args.precision {
        Precision::F64 => native::Precision::F64,
        Precision::F32 => native::Precision::F32,
    };
    let text = match args.language {
        Language::C => emitted(executable.loops(), precision),
    };
    let folder = &args.output;
    let made = std::fs::create_dir_all(folder);
    made.map_err(|e| Failure::new(format!("cannot make `{}`: {e}", folder.display())))?;
    let (source, header) =
        (folder.join(format!("{}.c", text.name)), folder.join(format!("{}.h", text.name)));
    files::write_file(&source, &text.source)?;
    files::write_file(&header, &text.header)?;
    files::write_stdout(&format!("{}\n{}\n", source.display(), header.display()))
}
