//! `iverson check`

use crate::args::{CheckArgs, Format};
use crate::failure::Failure;
use crate::files;
use iverson::spec::render;

/// Checks a program; its diagnostics are the outcome.
pub(crate) fn check(args: &CheckArgs) -> Result<(), Failure> {
    let outcome = files::load_file(&args.source);
    match (args.format, outcome) {
        (Format::Text, outcome) => outcome.map(|_| ()),
        (Format::Json, Ok(_)) => files::write_stdout("[]\n"),
        (Format::Json, Err(Failure::Program { diagnostics, file, text })) => {
            let json = render::to_json(&diagnostics, &file, &text);
            files::write_stdout(&format!("{json}\n"))?;
            Err(Failure::Reported)
        }
        (Format::Json, Err(other)) => Err(other),
    }
}
