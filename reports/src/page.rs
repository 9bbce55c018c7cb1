//! The report as one HTML page: no script, no network, keyboard alone.
//!
//! The quantity shown is chosen by radio buttons that the style sheet looks at.

use crate::data::{Program, Quantity, Setting};
use crate::number::{figures, power, value};
use crate::plot::{STRATEGIES, svg};
use crate::summary::{Measured, Series, Summary, TOLERANCE};
use crate::table::{HEADINGS, deviation, findings, name, row};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The page.
#[must_use]
pub fn page(summary: &Summary<'_>) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "How derivatives slow down" }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                h1 { "How derivatives slow down" }
                (introduction())
                @if let Some(point) = summary.sample() { (setting(&point.setting)) }
                (overview(summary))
                (choice())
                main {
                    @for measured in &summary.programs { (section(measured)) }
                }
            }
        }
    };
    markup.into_string()
}

fn introduction() -> Markup {
    html! {
        p {
            "Each program below reads parts of tensors. Reverse mode sends something back for each read, \
             and what that is decides the cost of the derivative. "
            b { "Dense" } " sends a tensor of zeros of the full shape with one part filled, and adds it whole, as eager \
             frameworks do. " b { "Scatter" } " adds into one buffer in place. "
            b { "Indicator" } " sends a sum guarded by a bracket, which a compiler solves; nothing is written twice. "
            b { "DenseIndicator" } " is the same with its brackets tried at every point: what the method costs if they \
             are not solved."
        }
        p {
            "Work is counted exactly: points visited, tests, accesses, and entries filled, added or copied. Powers of n are slopes \
             on logarithmic axes over the five largest sizes, with 95 % confidence intervals."
        }
    }
}

fn setting(setting: &Setting) -> Markup {
    html! {
        p.soft {
            small {
                "Run on " (setting.date) " at commit " code { (setting.commit) } ": " (setting.cpu) ", " (setting.machine) ", "
                (setting.rustc) ", seed " (setting.seed) ", flags " code { (setting.flags) } "."
            }
        }
    }
}

fn overview(summary: &Summary<'_>) -> Markup {
    let deviations = summary.deviations(Quantity::Work, TOLERANCE);
    html! {
        h2 { "Summary" }
        p.soft { "Powers of n of exact work, powers of n of time, and ratios of time at the largest size that both reached." }
        div.wide tabindex="0" role="region" aria-label="Summary table" {
            table {
                thead { tr { @for heading in HEADINGS { th scope="col" { (heading) } } } }
                tbody {
                    @for measured in &summary.programs {
                        @let cells = row(measured);
                        tr {
                            td { a href={ "#" (anchor(measured.program)) } { (cells[0]) } }
                            @for cell in &cells[1..] { td { (cell) } }
                        }
                    }
                }
            }
        }
        @for finding in findings(summary).lines() { p { (finding) } }
        @if deviations.is_empty() {
            p { "The work of every program grows as stated." }
        } @else {
            p { "Farther from what is stated than " (TOLERANCE) ", where small sizes show lower powers too:" }
            ul { @for found in &deviations { li.bad { (deviation(found)) } } }
        }
    }
}

fn choice() -> Markup {
    html! {
        fieldset {
            legend { "Plots show" }
            @for quantity in Quantity::ALL {
                label {
                    input type="radio" name="show" id={ "show-" (quantity.name()) } checked[quantity == Quantity::Work];
                    " " span { (quantity.name()) }
                }
            }
        }
    }
}

fn anchor(program: &Program) -> String {
    format!("{}-{}", program.subject.function, program.subject.derivative)
}

fn section(measured: &Measured<'_>) -> Markup {
    let program = measured.program;
    let id = anchor(program);
    html! {
        section id=(id) {
            h2 { a href={ "#" (id) } { (name(measured)) } }
            p.soft { (program.title) " – the " (program.subject.derivative) " of " code { (program.subject.function) } }
            @for quantity in Quantity::ALL {
                div class={ "plot " (quantity.name()) } {
                    @match svg(measured, quantity) {
                        Some(plot) => (PreEscaped(plot)),
                        None => p.soft { "Not measured." },
                    }
                }
            }
            (growth(measured))
            (texts(program))
        }
    }
}

/// The series with their powers and their largest size.
fn growth(measured: &Measured<'_>) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label={ "Growth of " (measured.program.subject.function) } {
            table {
                thead {
                    tr {
                        @for heading in ["series", "work", "stated", "time", "memory", "stated", "largest n", "work there", "time there", "memory there"] {
                            th scope="col" { (heading) }
                        }
                    }
                }
                tbody { @for series in &measured.series { (growth_row(measured, series)) } }
            }
        }
        @for series in &measured.series {
            @if let Some(reason) = series.stopped() {
                p.soft { small { (label(series)) " stops at n = " (series.largest()) ": " (reason) "." } }
            }
        }
    }
}

fn growth_row(measured: &Measured<'_>, series: &Series<'_>) -> Markup {
    let stated = |quantity| {
        measured.expected(series.strategy, quantity).map_or("–".into(), |e| figures(e.power))
    };
    let last = |quantity| {
        let found = series.at(series.largest(), quantity);
        found.map_or("–".into(), |found| value(quantity, found))
    };
    html! {
        tr {
            th scope="row" class={ "series " (series.strategy) } { (label(series)) }
            td { (power(series.fit(Quantity::Work))) }
            td { (stated(Quantity::Work)) }
            td { (power(series.fit(Quantity::Time))) }
            td { (power(series.fit(Quantity::Memory))) }
            td { (stated(Quantity::Memory)) }
            td { (series.largest()) }
            @for quantity in Quantity::ALL { td { (last(quantity)) } }
        }
    }
}

/// `Indicator (loops)`, `Indicator, block, 2 threads`
fn label(series: &Series<'_>) -> String {
    let known = STRATEGIES.iter().find(|(key, ..)| *key == series.strategy);
    let name = known.map_or(series.strategy, |(_, name, _)| name);
    let compiled = ["-block", "-native"].iter().any(|end| series.strategy.ends_with(end));
    match (compiled, series.threads) {
        (true, 1) => format!("{name}, 1 thread"),
        (true, threads) => format!("{name}, {threads} threads"),
        (false, _) => format!("{name} ({})", series.engine),
    }
}

fn texts(program: &Program) -> Markup {
    let parts = [
        ("Program", &program.text),
        ("Tensor SSA", &program.ssa),
        ("Derivative, as derived", &program.derived),
        ("Derivative, simplified", &program.simplified),
        ("Derivative, values alone", &program.compact),
    ];
    html! {
        @for (title, text) in parts {
            @if !text.is_empty() {
                details { summary { (title) } pre tabindex="0" { (text) } }
            }
        }
        @if !program.sources.is_empty() {
            p.soft {
                small {
                    "Met in: "
                    @for (k, source) in program.sources.iter().enumerate() {
                        @if k > 0 { "; " }
                        a href=(source.url) { (source.title) }
                    }
                    "."
                }
            }
        }
    }
}
