//! The summary as text for a terminal and as Markdown.

use crate::data::Quantity;
use crate::number::{figures, power, ratio};
use crate::summary::{Deviation, Measured, Summary, geometric_mean};
use std::fmt::Write;

/// The columns of the summary.
pub const HEADINGS: [&str; 11] = [
    "program",
    "work: primal",
    "dense",
    "scatter",
    "indicator",
    "time: dense",
    "indicator",
    "dense / indicator",
    "as native code",
    "indicator / primal",
    "its power",
];

/// The cells of the summary's row of a program: powers of n, then ratios of time.
#[must_use]
pub fn row(measured: &Measured<'_>) -> [String; 11] {
    let grows = |strategy: &str, quantity: Quantity| {
        measured.strategy(strategy).and_then(|series| series.fit(quantity))
    };
    let work = |strategy: &str| {
        grows(strategy, Quantity::Work).map_or("–".to_owned(), |fit| format!("{:.2}", fit.power))
    };
    let time = |strategy: &str| power(grows(strategy, Quantity::Time));
    let slower = |under: &str| {
        let ratio = measured.ratio(Quantity::Time, "dense", under);
        ratio.map_or("–".to_owned(), |(n, x)| format!("×{} at {n}", figures(x)))
    };
    [
        name(measured),
        work("primal"),
        work("dense"),
        work("scatter"),
        work("indicator"),
        time("dense"),
        time("indicator"),
        slower("indicator"),
        slower("indicator-native"),
        ratio(measured.ratio(Quantity::Time, "indicator", "primal")),
        power(measured.ratio_growth(Quantity::Time, "indicator", "primal")),
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
         sizes; then ratios of time at the largest size that both reached. Scatter and \
         indicator run in the same loops, which an interpreter steps through (and where said, indicator as \
         native code), dense as a tape of whole tensors.\n\n",
    );
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    text.push_str(&line(&HEADINGS.map(str::to_owned)));
    text.push_str(&line(&HEADINGS.map(|_| "---".to_owned())));
    for measured in &summary.programs {
        text.push_str(&line(&row(measured)));
    }
    text + "\n" + &findings(summary)
}

/// Two series whose times are compared, and how the comparison is told.
const COMPARED: [(&str, &str, &str); 6] = [
    ("scatter", "indicator", "scatter / indicator, the same loops, one thread"),
    ("scatter", "indicator-block", "scatter / indicator on the block engine, one thread"),
    ("scatter", "indicator-native", "scatter / indicator as native code, one thread"),
    ("indicator", "primal", "indicator / primal"),
    ("indicator-block", "primal-block", "indicator / primal, both on the block engine"),
    ("indicator-native", "primal-native", "indicator / primal, both as native code"),
];
/// The ratio that a whole power of n shows at practical sizes.
const SLOWER: f64 = 100.0;
/// A ratio that grows with at most this power of n does not grow.
const STEADY: f64 = 0.1;
/// A wider margin of a power tells nothing.
const CLEAR: f64 = 0.5;

/// What the table says as a whole, a sentence a line.
#[must_use]
pub fn findings(summary: &Summary<'_>) -> String {
    let mut text = slowdowns(summary) + &steadiness(summary);
    text.extend(ENGINES.map(|(strategy, what)| pace(summary, strategy, what)));
    if let Some(cache) = summary.sample().and_then(|point| point.setting.second_cache) {
        text.extend(ENGINES.map(|(strategy, what)| pace_within(summary, strategy, what, cache)));
    }
    for (over, under, what) in COMPARED {
        let ratios = summary.programs.iter().filter_map(|m| m.ratio(Quantity::Time, over, under));
        if let Some(mean) = geometric_mean(&ratios.map(|(_, ratio)| ratio).collect::<Vec<_>>()) {
            let _ = writeln!(text, "Geometric mean of {what}: {}.", figures(mean));
        }
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
    text
}

/// What indicator runs as, and how it is told.
const ENGINES: [(&str, &str); 3] = [
    ("indicator", "indicator in the same loops as scatter"),
    ("indicator-block", "indicator on the block engine"),
    ("indicator-native", "indicator as native code"),
];

/// Where dense is slower by two powers of ten, of the programs that its work outgrows.
fn slowdowns(summary: &Summary<'_>) -> String {
    ENGINES.iter().map(|(strategy, what)| slower_than(summary, strategy, what)).collect()
}

fn slower_than(summary: &Summary<'_>, strategy: &str, what: &str) -> String {
    let power = |m: &Measured<'_>, strategy| m.expected(strategy, Quantity::Work).map(|e| e.power);
    let outgrown =
        |m: &&Measured<'_>| power(m, "dense") >= power(m, "indicator").map(|power| power + 1.0);
    let ratio = |m: &Measured<'_>| m.ratio(Quantity::Time, "dense", strategy);
    let all: Vec<_> =
        summary.programs.iter().filter(outgrown).filter_map(|m| Some((m, ratio(m)?))).collect();
    let less = all.iter().filter(|(_, (_, ratio))| *ratio < SLOWER);
    let less: Vec<String> =
        less.map(|(m, (n, ratio))| format!("{} (×{} at {n})", name(m), figures(*ratio))).collect();
    if all.is_empty() {
        return String::new();
    }
    let but = if less.is_empty() { "" } else { "; constants still hide it at these sizes for " };
    format!(
        "Dense takes {SLOWER} times as long as {what}, or longer, on {} of the {} programs \
         that it slows down by a power of n{but}{}.\n",
        all.len() - less.len(),
        all.len(),
        less.join(", ")
    )
}

/// Where the time of the method over that of the program may grow with n.
fn steadiness(summary: &Summary<'_>) -> String {
    let growth = |m: &Measured<'_>| m.ratio_growth(Quantity::Time, "indicator", "primal");
    let all: Vec<_> = summary.programs.iter().filter_map(|m| Some((m, growth(m)?))).collect();
    let grows = all.iter().filter(|(_, fit)| fit.power - fit.margin > STEADY);
    let grows: Vec<String> =
        grows.map(|(m, fit)| format!("{} ({})", name(m), power(Some(*fit)))).collect();
    if all.is_empty() {
        return String::new();
    }
    let but = if grows.is_empty() { "" } else { "; it does for " };
    format!(
        "The time of indicator over that of the program does not grow with n, by more than the \
         power {STEADY} and its margin, on {} of {} programs{but}{}.\n",
        all.len() - grows.len(),
        all.len(),
        grows.join(", ")
    )
}

/// Where time grows otherwise than exact work.
fn pace(summary: &Summary<'_>, strategy: &str, what: &str) -> String {
    let pace = |m: &Measured<'_>| m.pace(strategy, "indicator");
    let all: Vec<_> = summary.programs.iter().filter_map(|m| Some((m, pace(m)?))).collect();
    let other = all.iter().filter(|(_, fit)| fit.power.abs() - fit.margin > STEADY);
    let other: Vec<String> =
        other.map(|(m, fit)| format!("{} ({})", name(m), power(Some(*fit)))).collect();
    if all.is_empty() {
        return String::new();
    }
    let but = if other.is_empty() { "" } else { "; besides with a power of n for " };
    format!(
        "The time of {what} grows as its exact work does, within the power {STEADY} and its margin, on {} of {} \
         programs{but}{}.\n",
        all.len() - other.len(),
        all.len(),
        other.join(", ")
    )
}

/// Where time grows faster than exact work while all memory is in a cache, and how much more a unit of work takes
/// beyond it.
fn pace_within(summary: &Summary<'_>, strategy: &str, what: &str, cache: u64) -> String {
    let pace = |m: &Measured<'_>| m.pace_within(strategy, "indicator", cache);
    let (mut clear, mut faster, mut unclear) = (0, Vec::new(), Vec::new());
    for m in &summary.programs {
        match pace(m) {
            Some(fit) if fit.power - fit.margin > STEADY => {
                faster.push(format!("{} ({})", name(m), power(Some(fit))));
            }
            Some(fit) if fit.margin <= CLEAR => clear += 1,
            Some(_) | None => unclear.push(name(m)),
        }
    }
    let dearer = |m: &Measured<'_>| Some((name(m), m.dearer_beyond(strategy, "indicator", cache)?));
    let beyond: Vec<(String, f64)> = summary.programs.iter().filter_map(dearer).collect();
    let ratios: Vec<f64> = beyond.iter().map(|(_, ratio)| *ratio).collect();
    let most = beyond.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let outside = match (geometric_mean(&ratios), most) {
        (Some(mean), Some((last, most))) => format!(
            " Outside, a unit of work takes {} times as long in the geometric mean of {}, and {} times at most ({last}).",
            figures(mean),
            beyond.len(),
            figures(*most),
        ),
        _ => String::new(),
    };
    let list = |what: &str, names: &[String]| match names {
        [] => String::new(),
        names => format!("; {what} {}", names.join(", ")),
    };
    format!(
        "While all memory is in the second cache ({} KiB), the time of {what} grows no faster than its exact \
         work, beyond the smallest size and within the power {STEADY} and its margin, on {clear} of {} programs{}{}.{outside}\n",
        cache / 1024,
        summary.programs.len(),
        list("faster for", &faster),
        list("too few or too unsteady sizes for", &unclear),
    )
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

#[cfg(test)]
mod tests {
    use super::pace_within;
    use crate::data::{Quantity, Record, read};
    use crate::summary::Summary;

    const CACHE: u64 = 1 << 20;

    /// The records of a program of work n and memory 8 n whose runs take so long.
    fn records(time: impl Fn(f64) -> f64) -> Vec<Record> {
        let subject = r#"{"family":"f","function":"f","derivative":"gradient"}"#;
        let expected = r#"{"strategy":"indicator","quantity":"time","power":1.0}"#;
        let mut text = format!(
            r#"{{"program":{{"subject":{subject},"number":1,"title":"","text":"","ssa":"","derived":"","simplified":"","sources":[],"expected":[{expected}]}}}}"#
        );
        for n in (6..20).map(|k| 1_u64 << k) {
            let time = time(n as f64);
            text += &format!(
                r#"
{{"point":{{"subject":{subject},"strategy":"indicator","engine":"loops","threads":1,"n":{n},"time":{{"median":{time},"low":{time},"high":{time},"samples":9}},"work":{n},"peak_bytes":{},"stopped":null,"setting":{{"machine":"m","cpu":"c","commit":"0","rustc":"r","seed":1,"flags":"","date":"d","second_cache":{CACHE}}}}}}}"#,
                8 * n
            );
        }
        read(&text).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What is told of such a program.
    fn told(time: impl Fn(f64) -> f64) -> String {
        pace_within(&Summary::new(&records(time)), "indicator", "it", CACHE)
    }

    #[test]
    fn the_cost_of_memory_is_no_slowdown() {
        let slower = |time: &dyn Fn(f64) -> f64| {
            let records = records(time);
            let summary = Summary::new(&records);
            let all = summary.deviations(Quantity::Time, 0.25).len();
            (all, summary.slower(0.25).len())
        };
        let beyond = |n: f64| (8.0 * n / CACHE as f64).max(1.0);
        assert_eq!(slower(&|n| 1e-6 + 1e-9 * n), (0, 0));
        assert_eq!(slower(&|n| 1e-9 * n * beyond(n).powf(3.0)), (1, 0));
        assert_eq!(slower(&|n| 1e-9 * n.powf(1.8)), (1, 1));
        assert_eq!(slower(&|n| 1e-9 * n.sqrt()), (1, 0));
    }

    #[test]
    fn a_cache_is_told_apart_from_growth() {
        // a call, and work that costs four times as much outside
        let leaves = told(|n| 1e-6 + n * if n <= CACHE as f64 / 8.0 { 1e-9 } else { 4e-9 });
        assert!(
            leaves.contains("on 1 of 1 programs. Outside, a unit of work takes 3."),
            "{leaves}"
        );
        let grows = told(|n| 1e-6 + n.powf(1.3) * 1e-9);
        assert!(grows.contains("on 0 of 1 programs; faster for 1 f (0.3"), "{grows}");
        let noise = told(|n| 1e-9 * n * (1.0 + 40.0 * (n.log2() % 2.0)));
        assert!(
            noise.contains("on 0 of 1 programs; too few or too unsteady sizes for 1 f."),
            "{noise}"
        );
    }
}
