//! Three ways to get a gradient, side by side: `Dense`, `Scatter`, `Indicator`.
