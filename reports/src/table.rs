//! The summary as text for a terminal and as Markdown.

use crate::data::Quantity;
use crate::number::{figures, power, ratio};
use crate::summary::{Deviation, Measured, Summary, geometric_mean};
use std::fmt::Write;

/// The columns of the summary.
pub const HEADINGS: [&str; 9] = [
    "program",
    "work: primal",
    "dense",
    "scatter",
    "indicator",
    "time: dense",
    "indicator",
    "dense / indicator",
    "indicator / primal",
];

/// The cells of the summary's row of a program: powers of n, then ratios of time.
#[must_use]
pub fn row(measured: &Measured<'_>) -> [String; 9] {
    let grows = |strategy: &str, quantity: Quantity| {
        measured.strategy(strategy).and_then(|series| series.fit(quantity))
    };
    let work = |strategy: &str| {
        grows(strategy, Quantity::Work).map_or("–".to_owned(), |fit| format!("{:.2}", fit.power))
    };
    let time = |strategy: &str| power(grows(strategy, Quantity::Time));
    let slower = measured.ratio(Quantity::Time, "dense", "indicator");
    let slower = slower.map_or("–".to_owned(), |(n, x)| format!("×{} at {n}", figures(x)));
    [
        name(measured),
        work("primal"),
        work("dense"),
        work("scatter"),
        work("indicator"),
        time("dense"),
        time("indicator"),
        slower,
        ratio(measured.ratio(Quantity::Time, "indicator", "primal")),
    ]
}

/// `3 trace`, or with what is taken where it is no gradient.
#[must_use]
pub fn name(measured: &Measured<'_>) -> String {
    let subject = &measured.program.subject;
    let of = match subject.derivative.as_str() {
        "gradient" => String::new(),
        other => format!(", {other}"),
    };
    format!("{} {}{of}", measured.program.number, subject.function)
}

/// The summary for a terminal.
#[must_use]
pub fn text(summary: &Summary<'_>) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(summary.programs.iter().map(row));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..HEADINGS.len()).filter_map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let _ = write!(text, "{:<width$}", row[0], width = widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            let _ = write!(text, "  {cell:>width$}");
        }
        text.push('\n');
    }
    text + "\n" + &findings(summary)
}

/// The summary as Markdown.
#[must_use]
pub fn markdown(summary: &Summary<'_>) -> String {
    let mut text = String::from("# How derivatives slow down\n\n");
    if let Some(point) = summary.sample() {
        let s = &point.setting;
        let _ = writeln!(
            text,
            "Run on {} at commit {} ({}, {}, seed {}, flags `{}`).\n",
            s.date, s.commit, s.cpu, s.rustc, s.seed, s.flags
        );
    }
    text.push_str(
        "Powers of n with which exact work and time grow, fitted over the five largest \
         sizes; then ratios of time at the largest size that both reached.\n\n",
    );
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    text.push_str(&line(&HEADINGS.map(str::to_owned)));
    text.push_str(&line(&HEADINGS.map(|_| "---".to_owned())));
    for measured in &summary.programs {
        text.push_str(&line(&row(measured)));
    }
    text + "\n" + &findings(summary)
}

/// What the table says as a whole, a sentence a line.
#[must_use]
pub fn findings(summary: &Summary<'_>) -> String {
    let mut text = String::new();
    let mean = |over: &str, under: &str| {
        let ratios = summary.programs.iter().filter_map(|m| m.ratio(Quantity::Time, over, under));
        geometric_mean(&ratios.map(|(_, ratio)| ratio).collect::<Vec<_>>())
    };
    if let Some(mean) = mean("scatter", "indicator") {
        let _ = writeln!(
            text,
            "Geometric mean of scatter / indicator in time, one thread: {}.",
            figures(mean)
        );
    }
    if let Some(mean) = mean("scatter", "indicator-block") {
        let _ = writeln!(
            text,
            "Geometric mean of scatter / indicator on the block engine, one thread: {}.",
            figures(mean)
        );
    }
    let threads = summary.programs.iter().filter_map(|m| m.threads_ratio("indicator-block"));
    if let Some(mean) = geometric_mean(&threads.collect::<Vec<_>>()) {
        let _ = writeln!(
            text,
            "Geometric mean of one thread / two threads, indicator on the block engine, at the \
             largest sizes: {}; the bits are the same.",
            figures(mean)
        );
    }
    if let Some(mean) = mean("indicator", "primal") {
        let _ = writeln!(text, "Geometric mean of indicator / primal in time: {}.", figures(mean));
    }
    text
}

/// `trace, gradient: work of dense grows with power 2.43 ± 0.01, stated is 3`
#[must_use]
pub fn deviation(deviation: &Deviation) -> String {
    let Deviation { subject, expected, found } = deviation;
    format!(
        "{}, {}: {} of {} grows with power {:.2} ± {:.2}, stated is {}",
        subject.function,
        subject.derivative,
        expected.quantity.name(),
        expected.strategy,
        found.power,
        found.margin,
        expected.power
    )
}
