//! Diagnostics as text with the lines they are about, and as JSON.

use crate::diagnostic::{Diagnostic, Span};
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::{Value, json};

/// The diagnostics as plain text, one after the other with an empty line between.
///
/// Spans that do not fit `source` are cut to it, so any diagnostic can be shown.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], file_name: &str, source: &str) -> String {
    render_with(&Renderer::plain(), diagnostics, file_name, source)
}

/// As [`render()`], with the colours of a terminal.
#[must_use]
pub fn render_styled(diagnostics: &[Diagnostic], file_name: &str, source: &str) -> String {
    render_with(&Renderer::styled(), diagnostics, file_name, source)
}

fn render_with(
    renderer: &Renderer,
    diagnostics: &[Diagnostic],
    file_name: &str,
    source: &str,
) -> String {
    let lines = Lines::new(source);
    let mut text = String::new();
    for (place, diagnostic) in diagnostics.iter().enumerate() {
        if place > 0 {
            text.push('\n');
        }
        text.push_str(&render_one(renderer, diagnostic, file_name, &lines));
        text.push('\n');
    }
    text
}

fn render_one(
    renderer: &Renderer,
    diagnostic: &Diagnostic,
    file_name: &str,
    lines: &Lines,
) -> String {
    let (first_line, excerpt) = lines.excerpt(diagnostic);
    let annotations = diagnostic.labels.iter().enumerate().map(|(place, label)| {
        let kind = if place == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let span = lines.clamp(label.span);
        let text = Some(label.text.as_str()).filter(|text| !text.is_empty());
        kind.span(span.start - excerpt.start..span.end - excerpt.start).label(text)
    });
    let snippet = Snippet::source(&lines.source[excerpt.clone()])
        .path(file_name)
        .line_start(first_line + 1)
        .annotations(annotations);
    let group = Level::ERROR
        .primary_title(&diagnostic.message)
        .id(diagnostic.code)
        .element(snippet)
        .elements(diagnostic.notes.iter().map(|note| Level::NOTE.message(note)))
        .elements(diagnostic.help.iter().map(|help| Level::HELP.message(help)));
    renderer.render(&[group])
}

/// The diagnostics as one JSON array.
///
/// Each has `code`, `message`, `file`, `labels`, `notes` and `help` (or null). A
/// label has `text` and the places `start` and `end` (one past the last
/// character), each with its `byte` from 0 and its `line` and `column` from 1;
/// columns count Unicode scalar values.
#[must_use]
pub fn to_json(diagnostics: &[Diagnostic], file_name: &str, source: &str) -> String {
    let lines = Lines::new(source);
    let one = |diagnostic: &Diagnostic| {
        let labels = diagnostic.labels.iter().map(|label| {
            let span = lines.clamp(label.span);
            json!({
                "text": label.text,
                "start": lines.place(span.start),
                "end": lines.place(span.end),
            })
        });
        json!({
            "code": diagnostic.code,
            "message": diagnostic.message,
            "file": file_name,
            "labels": labels.collect::<Vec<_>>(),
            "notes": diagnostic.notes,
            "help": diagnostic.help,
        })
    };
    Value::Array(diagnostics.iter().map(one).collect()).to_string()
}

/// A text with the places where its lines begin.
struct Lines<'a> {
    source: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(source: &'a str) -> Self {
        let ends = source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { source, starts }
    }

    /// The line of a byte, from 0.
    fn line(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte) - 1
    }

    fn place(&self, byte: usize) -> Value {
        let line = self.line(byte);
        let column = self.source[self.starts[line]..byte].chars().count();
        json!({ "byte": byte, "line": line + 1, "column": column + 1 })
    }

    /// The bytes of `span` that the text has, between characters.
    fn clamp(&self, span: Span) -> std::ops::Range<usize> {
        let start = self.source.floor_char_boundary(span.start as usize);
        let end = self.source.ceil_char_boundary(span.end as usize);
        start..end.max(start)
    }

    /// The first line and the bytes of the lines that the labels are about.
    fn excerpt(&self, diagnostic: &Diagnostic) -> (usize, std::ops::Range<usize>) {
        let spans = || diagnostic.labels.iter().map(|label| self.clamp(label.span));
        let first = self.line(spans().map(|span| span.start).min().unwrap_or(0));
        let last = self.line(spans().map(|span| span.end).max().unwrap_or(0));
        let end = self.starts.get(last + 1).copied().unwrap_or(self.source.len());
        (first, self.starts[first]..end)
    }
}
