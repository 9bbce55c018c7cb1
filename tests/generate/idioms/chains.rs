//! Recurrences after recurrences, in phases, and in sweeps.

use super::steps::{CLOSED, Step};
use super::{at, bits, head, rounded, size, summed};
use crate::generate::builder::{Builder, Flavour, Variable};
use crate::generate::extent::Extent;

impl Builder<'_> {
    /// Sums down the rows, then up or down again over what these give, and what both have at a step.
    pub(super) fn there_and_back(&mut self) -> Option<()> {
        let x = self.closed(|t| matches!(t.shape.len(), 1 | 2) && bits(t) <= 60)?;
        let descending = self.choices.chance(1, 3);
        let first = self.chained(&x.name, &x.shape, descending);
        let turned = self.choices.chance(2, 3) != descending;
        let second = self.chained(&first, &x.shape, turned);
        if x.shape.len() == 1 || self.choices.chance(1, 4) {
            return Some(());
        }
        let (t, i) = (self.over(x.shape[0]), self.over(x.shape[1]));
        let (a, b) = (t.name.as_str(), i.name.as_str());
        let product = format!("{first}[{a}, {b}] * {second}[{a}, {b}]");
        let (axes, text) = match self.choices.below(3) {
            0 => (vec![t], format!("sum({}) {product}", head(&i))),
            1 => (vec![i], format!("sum({}) {product}", head(&t))),
            _ => (vec![t, i], product),
        };
        self.defined(&axes, &text, rounded(250));
        Some(())
    }

    /// `rec t: n { c[t, i: m] = x[t, i] + [t > 0] * 0.5 * c[t - 1, i] }` over the first axis; what it defines.
    fn chained(&mut self, x: &str, shape: &[Extent], descending: bool) -> String {
        let step = Step { variable: self.over(shape[0]), descending };
        let rest: Vec<Variable> = shape[1..].iter().map(|e| self.over(*e)).collect();
        let place = |t: &str| {
            let names = std::iter::once(t).chain(rest.iter().map(|r| r.name.as_str()));
            names.collect::<Vec<_>>().join(", ")
        };
        let (t, (before, guard)) = (step.variable.name.clone(), step.before(1));
        let c = self.fresh("c");
        let (entry, old) = (format!("{x}[{}]", place(&t)), format!("{c}[{}]", place(&before)));
        let ways = if self.flavour == Flavour::Rational { 3 } else { 4 };
        let text = match self.choices.below(ways) {
            0 => format!("{entry} + [{guard}] * {old}"),
            1 => format!("{entry} + [{guard}] * 0.5 * {old}"),
            2 => format!("if {guard} then 0.25 * {old} else {entry}"),
            _ => format!("sin({entry}) + [{guard}] * 0.5 * tanh({old})"),
        };
        let shown: Vec<String> = std::iter::once(t.clone()).chain(rest.iter().map(head)).collect();
        self.line(0, &step.opening());
        self.line(1, &format!("{c}[{}] = {text}", shown.join(", ")));
        let mut axes = vec![step.variable];
        axes.extend(rest);
        self.closed_states(&[(&c, &axes)], 120);
        c
    }

    /// A scan whose steps differ: some terms are there in the first steps, in the last ones, in every other one.
    pub(super) fn phases(&mut self) -> Option<()> {
        let x = self.closed(|t| matches!(t.shape.len(), 1 | 2) && bits(t) <= 100)?;
        let step = self.steps_over(x.shape[0]);
        let rest: Vec<Variable> = x.shape[1..].iter().map(|e| self.over(*e)).collect();
        let place = |t: &str| {
            let names = std::iter::once(t).chain(rest.iter().map(|r| r.name.as_str()));
            names.collect::<Vec<_>>().join(", ")
        };
        let (t, (before, guard)) = (step.variable.name.clone(), step.before(1));
        let end = x.shape[0].text();
        let c = self.fresh("c");
        let mut text = format!("[{guard}] * 0.5 * {c}[{}]", place(&before));
        for _ in 0..=self.choices.below(3) {
            let when = match self.choices.below(6) {
                0 => format!("{t} < 2"),
                1 => format!("{t} + 2 < {end}"),
                2 => format!("{t} + 1 = {end}"),
                3 => format!("{t} % 2 = 0"),
                4 => format!("{t} = 3"),
                _ => rest.first().map_or("true".to_owned(), |i| format!("{t} <= {}", i.name)),
            };
            let what = match self.choices.below(3) {
                0 => self.aligned_within(&[&step.variable], 60).0,
                1 => {
                    let (earlier, far) = step.before(3);
                    format!("[{far}] * 0.125 * {c}[{}]", place(&earlier))
                }
                _ => format!("{}[{}]", x.name, place(&t)),
            };
            text = if when == "true" {
                format!("{text} + {what}")
            } else {
                format!("{text} + [{when}] * {what}")
            };
        }
        let shown: Vec<String> = std::iter::once(t.clone()).chain(rest.iter().map(head)).collect();
        self.line(0, &step.opening());
        self.line(1, &format!("{c}[{}] = {text}", shown.join(", ")));
        let mut axes = vec![step.variable];
        axes.extend(rest);
        self.closed_states(&[(&c, &axes)], CLOSED);
        Some(())
    }

    /// A sweep: each entry from those before it, which are new, and those behind it, which are old.
    pub(super) fn sweep(&mut self) -> Option<()> {
        let x = self.closed(|t| t.shape.len() == 1 && bits(t) <= 100)?;
        let n = x.shape[0];
        let step = self.steps_over(n);
        let (j, k) = (self.over(n), self.over(n));
        let i = step.variable.clone();
        let a = self.closed(|t| t.shape == [n, n] && bits(t) <= 24);
        let entry =
            |j: &Variable| a.as_ref().map_or("0.5".to_owned(), |a| at(a, &[&i.name, &j.name]));
        let y = self.fresh("y");
        let (new, old) = if step.descending { (">", "<") } else { ("<", ">") };
        let text = format!(
            "0.25 * ({x} - (sum({jh} where {j} {new} {i}) {ej} * {y}[{j}]) - (sum({kh} where {k} {old} {i}) {ek} * {x0}[{k}])) / (1 + real({n}))",
            x = at(&x, &[&i.name]),
            x0 = x.name,
            i = i.name,
            jh = head(&j),
            j = j.name,
            ej = entry(&j),
            kh = head(&k),
            k = k.name,
            ek = entry(&k),
            n = n.text(),
        );
        self.line(0, &step.opening());
        self.line(1, &format!("{y}[{}] = {text}", i.name));
        self.closed_states(&[(&y, &[i])], CLOSED);
        Some(())
    }

    /// The entry of the last step, or the sum of those of the last steps, of a tensor.
    pub(super) fn last_steps(&mut self) -> Option<()> {
        let x = self.closed(|t| t.shape.len() == 2)?;
        let (t, i) = (self.over(x.shape[0]), self.over(x.shape[1]));
        let (end, most) = (x.shape[0].text(), self.choices.below(3) + 1);
        let entry = at(&x, &[&t.name, &i.name]);
        let text = format!("sum({} where {} + {most} >= {end}) {entry}", head(&t), t.name);
        self.defined(&[i], &text, summed(size(&x)));
        Some(())
    }
}
