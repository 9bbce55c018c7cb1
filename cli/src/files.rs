//! Reading programs and inputs, writing results.

use crate::args::{Chosen, Inputs, Source};
use crate::failure::Failure;
use iverson::derivative::Derivative;
use iverson::entry::Entry;
use iverson::input::InputError;
use iverson::json::{self, Reals};
use iverson::npz;
use iverson::pipeline::{Loaded, load};
use iverson::spec::call::{Limits, Value, Values};
use iverson::spec::ir::{Param, Program, Typed};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The text of a file; the message of a failure names the file.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    utf8(read_bytes(path)?, &format!("`{}`", path.display()))
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    if path.is_dir() {
        return Err(Failure::new(format!("`{}` is a directory; a file is wanted", path.display())));
    }
    fs::read(path).map_err(|e| Failure::new(format!("cannot read `{}`: {e}", path.display())))
}

fn utf8(bytes: Vec<u8>, source: &str) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Failure::new(format!("{source} is not UTF-8 text (from byte {at} on)"))
    })
}

/// The program in a file, checked.
pub(crate) fn load_file(source: &Source) -> Result<Loaded, Failure> {
    let text = read_text(&source.file)?;
    load(&text).map_err(|diagnostics| {
        let file = source.file.display().to_string();
        Failure::Program { diagnostics, file, text }
    })
}

/// The chosen function of a file. Where the last of several is taken unasked, a note says so.
pub(crate) fn load_function(chosen: &Chosen) -> Result<Typed, Failure> {
    let loaded = load_file(&chosen.source)?;
    let function = loaded.function(chosen.function.as_deref());
    let named = |e| Failure::new(format!("`{}`: {e}", chosen.source.file.display()));
    let function = function.cloned().map_err(named)?;
    let count = loaded.checked.functions.len();
    if chosen.function.is_none() && count > 1 {
        let name = &function.name;
        note(&format!(
            "taking `{name}`, the last of {count} functions; choose another with `--fn`"
        ));
    }
    Ok(function)
}

/// Tells something on standard error that is no mistake.
fn note(message: &str) {
    // There is nowhere left to report that standard error is closed.
    let _ = writeln!(std::io::stderr(), "note: {message}");
}

impl Inputs {
    /// What a call may use.
    pub(crate) fn limits(&self) -> Limits {
        Limits { bytes: self.memory_limit }
    }

    /// The inputs that are given for `program`, in a file and as sizes.
    pub(crate) fn read<S: Entry>(&self, program: &Typed) -> Result<Values<S>, Failure> {
        let mut values = match &self.inputs {
            Some(path) => self.read_file(path, program)?,
            None => Values::new(),
        };
        for (name, n) in &self.sizes {
            check_size(program, name)?;
            if values.insert(name.clone(), Value::Size(*n)).is_some() {
                return Err(Failure::new(format!("`{name}` is given twice; one value is wanted")));
            }
        }
        Ok(values)
    }

    fn read_file<S: Entry>(&self, path: &Path, program: &Typed) -> Result<Values<S>, Failure> {
        let (values, source) = self.read_values(path, program)?;
        values.map_err(|e| self.refused(&source, &e))
    }

    /// The seeds of a derivative in a file; none without a file.
    pub(crate) fn read_seeds<S: Entry>(
        &self,
        path: Option<&Path>,
        derivative: &Derivative,
    ) -> Result<Values<S>, Failure> {
        let Some(path) = path else {
            return Ok(Values::new());
        };
        let is_stdin = |path: &Path| path == Path::new("-");
        if is_stdin(path) && self.inputs.as_deref().is_some_and(is_stdin) {
            let seed = derivative.kind.seed();
            let twice = format!(
                "`--inputs -` and `--{seed} -` both read standard input; give a file for one of them"
            );
            return Err(Failure::new(twice));
        }
        let (values, source) = self.read_values(path, &derivative.seed_signature())?;
        values.map_err(|e| {
            let InputError::Unknown { name, .. } = &e else {
                return self.refused(&source, &e);
            };
            match derivative.check_name(name) {
                Err(unknown) => Failure::new(format!("{source}: {unknown}")),
                Ok(()) => unreachable!("a name that takes a seed is in the signature of seeds"),
            }
        })
    }

    /// The values by name in a file, and what to call the file.
    fn read_values<S: Entry, T>(
        &self,
        path: &Path,
        program: &Program<T>,
    ) -> Result<(Result<Values<S>, InputError>, String), Failure> {
        let reals = if self.allow_nan { Reals::Any } else { Reals::Finite };
        if path == Path::new("-") {
            let source = "standard input".to_owned();
            let mut bytes = Vec::new();
            let unreadable = |e| Failure::new(format!("cannot read {source}: {e}"));
            std::io::stdin().read_to_end(&mut bytes).map_err(unreadable)?;
            return Ok((json::read(&utf8(bytes, &source)?, program, reals), source));
        }
        let source = format!("`{}`", path.display());
        Ok(match path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npz")) {
            true => (npz::read(&read_bytes(path)?, program, reals), source),
            false => (json::read(&read_text(path)?, program, reals), source),
        })
    }

    fn refused(&self, source: &str, error: &InputError) -> Failure {
        match error.is_refused_special() && !self.allow_nan {
            true => Failure::new(format!("{source}: {error}; `--allow-nan` allows them")),
            false => Failure::new(format!("{source}: {error}")),
        }
    }
}

/// Whether `name` is a size of the program.
fn check_size(program: &Typed, name: &str) -> Result<(), Failure> {
    let sizes = program.params.iter().filter_map(|param| match param {
        Param::Size(id) => Some(program.symbols.sizes[id.index()].as_str()),
        Param::Tensor(_) | Param::Relation(_) => None,
    });
    let sizes: Vec<&str> = sizes.collect();
    if sizes.contains(&name) {
        return Ok(());
    }
    let known: Vec<String> = sizes.iter().map(|size| format!("`{size}`")).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let function = &program.name;
    Err(Failure::new(format!("`{name}` is not a size of `{function}`; its sizes are {known}")))
}

/// Writes to standard output.
pub(crate) fn write_stdout(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|e| Failure::stdout(&e))
}

/// Writes results to a file, or to standard output.
pub(crate) fn write_output(path: Option<&Path>, text: &str) -> Result<(), Failure> {
    match path {
        Some(path) => write_file(path, text),
        None => write_stdout(text),
    }
}

/// Writes a file as a whole: whoever reads it sees all of the text or the file as it was. What is no file, as a device or a
/// pipe, is written to.
pub(crate) fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |e| Failure::new(format!("cannot write `{}`: {e}", path.display()));
    if path.is_dir() {
        return Err(Failure::new(format!("`{}` is a directory; a file is wanted", path.display())));
    }
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        let opened = fs::OpenOptions::new().write(true).open(path);
        return opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed);
    }
    let Some(temporary) = beside(path) else {
        return Err(Failure::new(format!("`{}` does not name a file", path.display())));
    };
    let written = fs::File::create_new(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|e| {
        // It may not exist; the failure to write is what matters.
        let _ = fs::remove_file(&temporary);
        failed(e)
    })
}

/// A name for a temporary file in the same folder.
fn beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_string_lossy();
    Some(path.with_file_name(format!(".{name}.{}.tmp", std::process::id())))
}
