//! What is wrong with a program, where, and what to write instead.
//!
//! A diagnostic is data; [`crate::render`] turns it into text with the source line.
//! Every user mistake is a diagnostic. A broken invariant of our own is not:
//! it stops with the name of the pass (see [`mod@crate::verify`]).

use serde::Serialize;

/// A byte range of the source text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// The smallest range that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A place in the source with a remark.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What about it; may be empty for the main place.
    pub text: String,
}

/// One mistake in a program.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Diagnostic {
    /// A stable name such as `bounds::access`; the chapter lists them.
    pub code: &'static str,
    /// What was found and what was wanted, in one sentence.
    pub message: String,
    /// The main place, then the others.
    pub labels: Vec<Label>,
    /// Facts that explain it: guards in force, a counterexample.
    pub notes: Vec<String>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A mistake at `span`.
    #[must_use]
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        let main = Label { span, text: String::new() };
        Self { code, message: message.into(), labels: vec![main], notes: Vec::new(), help: None }
    }

    /// The same mistake with another main place.
    #[must_use]
    pub fn moved(mut self, span: Span) -> Self {
        self.labels[0].span = span;
        self
    }

    /// Says what the main place is.
    #[must_use]
    pub fn at(mut self, text: impl Into<String>) -> Self {
        self.labels[0].text = text.into();
        self
    }

    /// Points at a second place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// The main place.
    #[must_use]
    pub fn span(&self) -> Span {
        self.labels[0].span
    }
}
