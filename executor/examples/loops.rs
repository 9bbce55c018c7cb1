//! Prints the loops of the functions of a file: `cargo run -p iverson-executor --example loops -- FILE.iv`
//! prints them fused; with `unfused` after the file, statement by statement.

use iverson_executor::{Fusion, Options, compile};
use iverson_spec::{check, normalize, parse};

fn main() {
    let mut args = std::env::args().skip(1);
    let (file, unfused) = (args.next().unwrap_or_default(), args.next().is_some());
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => return println!("{file}: {error}"),
    };
    let checked = match parse(&text).and_then(|module| check(&module)) {
        Ok(checked) => checked,
        Err(found) => return println!("{}", iverson_spec::render::render(&found, &file, &text)),
    };
    let fusion = if unfused { Fusion::Off } else { Fusion::On };
    for function in checked.functions.values() {
        match compile::<f64>(&normalize(function), Options { fusion, ..Options::default() }) {
            Ok(executable) => println!("{}", executable.loops()),
            Err(error) => println!("{error}"),
        }
    }
}
