//! A program on its way: text, tree, typed program, normal form.

use crate::generate::{Case, failure};
use iverson::spec::ast::Module;
use iverson::spec::diagnostic::Diagnostic;
use iverson::spec::{TensorSsa, Typed, check, normalize, parse, render};
use proptest::test_runner::TestCaseError;

/// What is made of a program.
pub(crate) struct Subject {
    pub(crate) module: Module,
    pub(crate) typed: Typed,
}

impl Subject {
    /// Parses and checks the program; a rejected one is a mistake of the generator or of the checker.
    pub(crate) fn new(case: &Case) -> Result<Self, TestCaseError> {
        let module = parse(&case.text).map_err(|found| rejected("parser", &case.text, &found))?;
        let typed = typed(&module, &case.text)?;
        Ok(Self { module, typed })
    }

    pub(crate) fn ssa(&self) -> TensorSsa {
        normalize(&self.typed)
    }
}

/// The last function of a file.
pub(crate) fn typed(module: &Module, text: &str) -> Result<Typed, TestCaseError> {
    let mut checked = check(module).map_err(|found| rejected("checker", text, &found))?;
    let (_, last) = checked.functions.pop().ok_or_else(|| failure("the file has no function"))?;
    Ok(last)
}

/// The typed program of a text that a printer made.
pub(crate) fn reread(text: &str) -> Result<Typed, TestCaseError> {
    let module = parse(text).map_err(|found| rejected("parser", text, &found))?;
    typed(&module, text)
}

fn rejected(by: &str, text: &str, found: &[Diagnostic]) -> TestCaseError {
    failure(format!("rejected by the {by}\n{}", render::render(found, "text.iv", text)))
}
