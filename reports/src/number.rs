//! Numbers as a reader wants them.

use crate::data::Quantity;

/// `1.2 µs`, `3.4 MB`, `56 700`: a value of a quantity with its unit.
pub(crate) fn value(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::Work => {
            scaled(value, &[(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")])
        }
        Quantity::Time => {
            scaled(value, &[(1.0, " s"), (1e-3, " ms"), (1e-6, " µs"), (1e-9, " ns")])
        }
        Quantity::Memory => scaled(value, &[(1e9, " GB"), (1e6, " MB"), (1e3, " kB"), (1.0, " B")]),
    }
}

/// Two or three figures and the largest unit that leaves at least 1.
fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let fitting = units.iter().find(|(unit, _)| value >= *unit).or(units.last());
    let (unit, name) = fitting.copied().unwrap_or((1.0, ""));
    format!("{}{name}", figures(value / unit))
}

/// About three figures.
pub(crate) fn figures(x: f64) -> String {
    if x >= 99.5 || x == x.trunc() {
        format!("{x:.0}")
    } else if x >= 9.95 {
        format!("{x:.1}")
    } else {
        format!("{x:.2}")
    }
}

/// `2.00 ± 0.01`
pub(crate) fn power(fit: Option<crate::fit::Fit>) -> String {
    // a sum with 0 of what rounds to it has no sign
    let rounded = |power: f64| (power * 100.0).round() / 100.0 + 0.0;
    let text = |fit: crate::fit::Fit| format!("{:.2} ± {:.2}", rounded(fit.power), fit.margin);
    fit.map_or_else(|| "–".to_owned(), |fit| text(fit).replace('-', "−"))
}

/// `×120`
pub(crate) fn ratio(ratio: Option<(u64, f64)>) -> String {
    ratio.map_or_else(|| "–".to_owned(), |(_, ratio)| format!("×{}", figures(ratio)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_near_zero_have_no_sign() {
        let fit = |power| Some(crate::fit::Fit { power, margin: 0.01, offset: 0.0, points: 5 });
        assert_eq!(power(fit(-0.001)), "0.00 ± 0.01");
        assert_eq!(power(fit(-0.123)), "−0.12 ± 0.01");
        assert_eq!(power(None), "–");
    }

    #[test]
    fn values_have_units() {
        assert_eq!(value(Quantity::Time, 1.234e-5), "12.3 µs");
        assert_eq!(value(Quantity::Time, 2.5), "2.50 s");
        assert_eq!(value(Quantity::Work, 1_234_567.0), "1.23M");
        assert_eq!(value(Quantity::Work, 7.0), "7");
        assert_eq!(value(Quantity::Memory, 8.0), "8 B");
        assert_eq!(value(Quantity::Memory, 120_000.0), "120 kB");
    }
}
