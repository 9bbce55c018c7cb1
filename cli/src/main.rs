//! The `iverson` command.
//!
//! One module for each command; [`failure`] says how they fail: exit code 1
//! with a message for a mistake in a program or its inputs, 2 for the command
//! line itself.

mod args;
mod check;
mod derivative;
mod emit;
mod engine;
mod failure;
mod files;
mod print;
mod report;
mod run;
mod work;

use args::{Arguments, Command};
use clap::Parser;
use iverson::derivative::Kind;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Check(args) => check::check(&args),
        Command::Print(args) => print::print(&args),
        Command::Run(args) => run::run(&args),
        Command::Work(args) => work::work(&args),
        Command::Emit(args) => emit::emit(&args),
        Command::Report(args) => report::report(&args),
        Command::Grad(args) => derivative::grad(&args),
        Command::Jvp(args) => derivative::along(Kind::Tangent, &args),
        Command::Jacobian(args) => derivative::matrix(Kind::Jacobian, &args),
        Command::Hessian(args) => derivative::matrix(Kind::Hessian, &args),
        Command::Hvp(args) => derivative::along(Kind::Hvp, &args),
        Command::Jtjv(args) => derivative::along(Kind::Jtjv, &args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
