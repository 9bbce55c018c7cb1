//! The power of n with which a quantity grows: a straight line on log-log axes.

/// `y ≈ c · n^power`, by least squares of `ln y` against `ln n`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fit {
    /// The slope.
    pub power: f64,
    /// Half the width of its 95 % confidence interval.
    pub margin: f64,
    /// `ln c`.
    pub offset: f64,
    /// How many points it goes through.
    pub points: usize,
}

/// The number of points of a fit: sizes that double span a factor of 16.
pub const POINTS: usize = 5;

/// Quantiles of Student's t for a two-sided interval of 95 %, by degrees of freedom from 1.
const STUDENT: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/// The line through the last [`POINTS`] of `points`, pairs of n and y in ascending n; `None`
/// if there are fewer than three, or if one is not positive.
///
/// Small sizes are left out where there are enough others: there the costs that do not
/// grow hide those that do.
#[must_use]
pub fn fit(points: &[(f64, f64)]) -> Option<Fit> {
    let last = &points[points.len().saturating_sub(POINTS)..];
    if last.len() < 3 || last.iter().any(|(n, y)| *n <= 0.0 || *y <= 0.0) {
        return None;
    }
    let logs: Vec<(f64, f64)> = last.iter().map(|(n, y)| (n.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64| logs.iter().map(pick).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    if spread == 0.0 {
        return None;
    }
    let joint: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let power = joint / spread;
    let offset = mean_y - power * mean_x;
    let rest: f64 = logs.iter().map(|(x, y)| (y - offset - power * x).powi(2)).sum();
    let freedom = logs.len() - 2;
    let margin = STUDENT[freedom - 1] * (rest / freedom as f64 / spread).sqrt();
    Some(Fit { power, margin, offset, points: logs.len() })
}

impl Fit {
    /// The value of the line at n.
    #[must_use]
    pub fn at(&self, n: f64) -> f64 {
        (self.offset + self.power * n.ln()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_power_law_is_found_exactly() {
        let points: Vec<(f64, f64)> =
            (0..5).map(|k| (f64::from(1 << k), 3.0 * f64::from(1 << (2 * k)))).collect();
        let fit = fit(&points).unwrap();
        assert!((fit.power - 2.0).abs() < 1e-12 && fit.margin < 1e-6, "{fit:?}");
        assert!((fit.at(32.0) - 3072.0).abs() < 1e-6);
    }

    /// A worked example: x = 0, 1, 2 and y = 0, 1, 3 (natural logarithms); slope 3/2,
    /// residuals 1/6, -1/3, 1/6, so the standard error is √(1/6 / 2), times 12.706.
    #[test]
    fn the_margin_is_that_of_students_t() {
        let e = std::f64::consts::E;
        let fit = fit(&[(1.0, 1.0), (e, e), (e * e, e * e * e)]).unwrap();
        assert!((fit.power - 1.5).abs() < 1e-12);
        assert!((fit.margin - 12.706 * (1.0_f64 / 12.0).sqrt()).abs() < 1e-9, "{fit:?}");
    }

    #[test]
    fn too_few_points_have_no_fit() {
        assert_eq!(fit(&[(1.0, 1.0), (2.0, 2.0)]), None);
        assert_eq!(fit(&[(1.0, 1.0), (2.0, 0.0), (4.0, 1.0)]), None);
        assert_eq!(fit(&[(2.0, 1.0), (2.0, 2.0), (2.0, 1.0)]), None);
    }

    proptest! {
        /// What the small sizes cost does not matter where there are larger ones.
        #[test]
        fn the_largest_sizes_decide(small in 1e-3..1e3_f64, power in -1.0..4.0_f64) {
            let mut points = vec![(1.0, small), (2.0, small)];
            points.extend((2..7).map(|k| 2.0_f64.powi(k)).map(|n| (n, n.powf(power))));
            let fit = fit(&points).unwrap();
            prop_assert!((fit.power - power).abs() < 1e-9);
        }
    }
}
