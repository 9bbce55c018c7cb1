//! How a command fails.

use iverson::interpreter::{EvalError, Fault};
use iverson::spec::call::CallError;
use iverson::spec::diagnostic::Diagnostic;
use iverson::spec::render;
use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The program is wrong.
    Program { diagnostics: Vec<Diagnostic>, file: String, text: String },
    /// Something else is wrong; the message names it.
    Message(String),
    /// The diagnostics are already written.
    Reported,
    /// Nobody reads the output any more: no failure of ours.
    Unread,
}

impl Failure {
    /// A message.
    pub(crate) fn new(message: impl Display) -> Self {
        Self::Message(message.to_string())
    }

    /// A call that is refused, with what the command line offers against it.
    pub(crate) fn call(error: &CallError) -> Self {
        Self::Message(format!("{error}{}", offer(error)))
    }

    /// A program without a value, with what the command line offers against it.
    pub(crate) fn eval(error: &EvalError) -> Self {
        let fault: &Fault = &error.fault;
        let offer = if let Fault::Call(call) = fault { offer(call) } else { "" };
        Self::Message(format!("{error}{offer}"))
    }

    /// Standard output cannot be written.
    pub(crate) fn stdout(error: &std::io::Error) -> Self {
        if error.kind() == ErrorKind::BrokenPipe {
            return Self::Unread;
        }
        Self::Message(format!("cannot write to standard output: {error}"))
    }

    /// Writes the failure to standard error, with colours if that is a terminal.
    pub(crate) fn report(self) -> ExitCode {
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let text = match self {
            Self::Unread => return ExitCode::SUCCESS,
            Self::Reported => String::new(),
            Self::Message(message) if colours => format!("\x1b[1;31merror\x1b[0m: {message}\n"),
            Self::Message(message) => format!("error: {message}\n"),
            Self::Program { diagnostics, file, text } if colours => {
                render::render_styled(&diagnostics, &file, &text)
            }
            Self::Program { diagnostics, file, text } => render::render(&diagnostics, &file, &text),
        };
        // There is nowhere left to report that standard error is closed.
        let _ = std::io::stderr().write_all(text.as_bytes());
        ExitCode::FAILURE
    }
}

/// What the command line offers against a refused call.
fn offer(error: &CallError) -> &'static str {
    match error {
        CallError::TooLarge { .. } => " (`--memory-limit` sets the limit)",
        CallError::Missing { .. } | CallError::Undetermined { .. } => {
            "; give it with `--inputs` or `--size`, or let `--random SEED` choose"
        }
        CallError::UnknownName { .. }
        | CallError::WrongSort { .. }
        | CallError::HugeSize { .. }
        | CallError::WrongRank { .. }
        | CallError::WrongLength { .. }
        | CallError::WrongExtent { .. }
        | CallError::NoSuchSize { .. }
        | CallError::NegativeExtent { .. }
        | CallError::ExtentOverflow { .. }
        | CallError::IndexOutOfRange { .. }
        | CallError::WrongArity { .. }
        | CallError::CoordinateOutOfRange { .. } => "",
    }
}
