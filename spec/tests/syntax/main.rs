//! The text of the language: reading, printing, mistakes, limits (spec chapter 1).

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod chapter;
mod corpus;
mod limits;
mod mistakes;
mod reading;
mod round_trip;

use iverson_spec::ast::Module;

/// The tree without its spans, as text.
fn shape(module: &Module) -> String {
    let text = format!("{module:?}");
    let mut parts = text.split("Span {");
    let mut shape = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shape.push_str(part.split_once('}').map_or(part, |(_, rest)| rest));
    }
    shape
}

/// The canonical text of a module that must be well formed.
#[track_caller]
fn canonical(source: &str) -> String {
    match iverson_spec::parse(source) {
        Ok(module) => iverson_spec::print::module(&module),
        Err(mistakes) => {
            panic!("{}", iverson_spec::render::render(&mistakes, "text.iv", source))
        }
    }
}
