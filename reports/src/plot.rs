//! A log-log plot as SVG, written by hand so that the same data give the same bytes.
//!
//! Colours come from the page, by the class of the strategy; shapes of the markers tell
//! the series apart without colour. Every marker has a title with its value.

use crate::data::{Point, Quantity};
use crate::number;
use crate::summary::Measured;
use std::fmt::Write;

/// The strategies that are drawn: key in the data, name for readers, shape of the marker.
pub const STRATEGIES: [(&str, &str, Marker); 9] = [
    ("primal", "program", Marker::Circle),
    ("dense", "Dense", Marker::Square),
    ("scatter", "Scatter", Marker::Triangle),
    ("indicator", "Indicator", Marker::Diamond),
    ("dense-indicator", "DenseIndicator", Marker::Cross),
    ("primal-block", "program, block", Marker::Ring),
    ("indicator-block", "Indicator, block", Marker::Ring),
    ("primal-native", "program, native", Marker::Ring),
    ("indicator-native", "Indicator, native", Marker::Ring),
];

/// The shape of a marker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Marker {
    /// A disc.
    Circle,
    /// A square.
    Square,
    /// A triangle.
    Triangle,
    /// A square on its corner.
    Diamond,
    /// Two strokes.
    Cross,
    /// A circle.
    Ring,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
/// What is left free around the axes: left, top, right, bottom.
const LEFT: f64 = 84.0;
const TOP: f64 = 14.0;
const RIGHT: f64 = 156.0;
const BOTTOM: f64 = 44.0;
/// The least distance of two labels.
const LABEL: f64 = 16.0;

/// One axis: logarithms between two powers of ten.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// An axis that holds the values, at least one decade long, drawn between two places.
    fn new(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let logs: Vec<f64> = values.map(f64::log10).collect();
        let low = logs.iter().copied().fold(f64::INFINITY, f64::min);
        let high = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let middle = (high - low).max(1.0) * 0.04;
        Self { low: low - middle, high: high.max(low + 1.0) + middle, from, to }
    }

    fn at(&self, value: f64) -> f64 {
        let part = (value.log10() - self.low) / (self.high - self.low);
        self.from + part * (self.to - self.from)
    }

    /// Powers of ten, or of a thousand where there would be many.
    fn ticks(&self) -> Vec<f64> {
        let step = if self.high - self.low > 7.0 { 3 } else { 1 };
        let (first, last) = (self.low.ceil() as i32, self.high.floor() as i32);
        (first..=last).filter(|power| power % step == 0).map(|power| 10_f64.powi(power)).collect()
    }
}

/// What is drawn of a strategy.
struct Curve {
    key: &'static str,
    name: &'static str,
    marker: Marker,
    /// Pairs of n and the quantity; at least one.
    points: Vec<(f64, f64)>,
}

impl Curve {
    /// `None` if the strategy has no point.
    fn new(
        &(key, name, marker): &(&'static str, &'static str, Marker),
        measured: &Measured<'_>,
        quantity: Quantity,
    ) -> Option<Self> {
        let series = measured.strategy(key)?.points.iter();
        let at = |point: &&Point| Some((point.n as f64, quantity.of(point)?));
        let points: Vec<(f64, f64)> = series.filter_map(at).collect();
        (!points.is_empty()).then_some(Self { key, name, marker, points })
    }

    fn last(&self) -> (f64, f64) {
        self.points[self.points.len() - 1]
    }

    /// The line, its markers, and its name at the height `label`.
    fn draw(&self, out: &mut String, x: &Axis, y: &Axis, quantity: Quantity, label: f64) {
        let Self { key, name, .. } = self;
        let _ = write!(out, "<polyline class=\"line {key}\" points=\"");
        for (n, value) in &self.points {
            let _ = write!(out, "{:.1},{:.1} ", x.at(*n), y.at(*value));
        }
        out.push_str("\"/>");
        for (n, value) in &self.points {
            let title = format!("{name}, n = {n:.0}: {}", number::value(quantity, *value));
            mark(out, key, self.marker, (x.at(*n), y.at(*value)), &title);
        }
        let (n, value) = self.last();
        let to = WIDTH - RIGHT + 12.0;
        let _ = write!(
            out,
            "<path class=\"lead {key}\" d=\"M{:.1} {:.1}L{:.1} {label:.1}\"/>\
             <text class=\"label {key}\" x=\"{to:.1}\" y=\"{:.1}\">{name}</text>",
            x.at(n) + 7.0,
            y.at(value),
            to - 4.0,
            label + 4.0,
        );
    }
}

/// The plot of a quantity over n for all strategies of a program; `None` if no series has
/// a point.
#[must_use]
pub fn svg(measured: &Measured<'_>, quantity: Quantity) -> Option<String> {
    let curves: Vec<Curve> =
        STRATEGIES.iter().filter_map(|style| Curve::new(style, measured, quantity)).collect();
    let all = || curves.iter().flat_map(|curve| &curve.points);
    all().next()?;
    let x = Axis::new(all().map(|p| p.0), LEFT, WIDTH - RIGHT);
    let y = Axis::new(all().map(|p| p.1), HEIGHT - BOTTOM, TOP);
    let subject = &measured.program.subject;
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH:.0} {HEIGHT:.0}\" role=\"img\" aria-label=\"{} of {} over n, \
         both logarithmic\">",
        quantity.name(),
        escape(&subject.function)
    );
    frame(&mut out, &x, &y, quantity);
    let labels = spread(curves.iter().map(|curve| y.at(curve.last().1)).collect());
    for (curve, label) in curves.iter().zip(labels) {
        curve.draw(&mut out, &x, &y, quantity, label);
    }
    out.push_str("</svg>");
    Some(out)
}

fn frame(out: &mut String, x: &Axis, y: &Axis, quantity: Quantity) {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for value in y.ticks() {
        let at = y.at(value);
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{LEFT:.1} {at:.1}H{right:.1}\"/>\
             <text class=\"tick\" text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT - 7.0,
            at + 4.0,
            escape(&number::value(quantity, value)),
        );
    }
    for value in x.ticks() {
        let at = x.at(value);
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{at:.1} {TOP:.1}V{bottom:.1}\"/>\
             <text class=\"tick\" text-anchor=\"middle\" x=\"{at:.1}\" y=\"{:.1}\">{value:.0}</text>",
            bottom + 17.0,
        );
    }
    let _ = write!(
        out,
        "<path class=\"axis\" d=\"M{LEFT:.1} {TOP:.1}V{bottom:.1}H{right:.1}\"/>\
         <text class=\"tick\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{:.1}\">n</text>",
        f64::midpoint(LEFT, right),
        HEIGHT - 8.0,
    );
}

fn mark(out: &mut String, key: &str, marker: Marker, (x, y): (f64, f64), title: &str) {
    let shape = match marker {
        Marker::Circle | Marker::Ring => {
            format!("M{:.1} {y:.1}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", x - 4.0)
        }
        Marker::Square => format!("M{:.1} {:.1}h7v7h-7z", x - 3.5, y - 3.5),
        Marker::Triangle => format!("M{x:.1} {:.1}l4.5 8h-9z", y - 5.0),
        Marker::Diamond => format!("M{x:.1} {:.1}l5 5l-5 5l-5 -5z", y - 5.0),
        Marker::Cross => {
            format!("M{:.1} {:.1}l7 7m0 -7l-7 7", x - 3.5, y - 3.5)
        }
    };
    let _ = write!(
        out,
        "<path class=\"mark {key}\" d=\"{shape}\"><title>{}</title></path>",
        escape(title)
    );
}

/// Moves labels apart, keeping their order, as little as a pass down and up needs.
fn spread(wanted: Vec<f64>) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    let mut placed = wanted;
    for pair in order.windows(2) {
        placed[pair[1]] = placed[pair[1]].max(placed[pair[0]] + LABEL);
    }
    let mut limit = HEIGHT - BOTTOM;
    for &k in order.iter().rev() {
        placed[k] = placed[k].min(limit);
        limit = placed[k] - LABEL;
    }
    placed
}

/// Text inside markup.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_keep_their_distance() {
        let placed = spread(vec![100.0, 101.0, 350.0, 356.0]);
        assert_eq!(placed, vec![100.0, 116.0, 340.0, 356.0]);
    }

    proptest! {
        #[test]
        fn an_axis_holds_its_values(values in prop::collection::vec(1e-9..1e15_f64, 1..9)) {
            let axis = Axis::new(values.iter().copied(), 0.0, 100.0);
            prop_assert!(values.iter().all(|v| (0.0..=100.0).contains(&axis.at(*v))));
            prop_assert!(!axis.ticks().is_empty());
        }
    }
}
