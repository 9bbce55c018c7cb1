//! Windows that slide over an axis, or lie side by side.

use super::{at, head, is_exact, rounded, size, summed};
use crate::generate::builder::{Builder, Size, Tensor, Variable};
use crate::generate::extent::Extent;

impl Builder<'_> {
    /// `y[i: n] = sum(a: 3 where 0 <= i + a - 1 < n) w[a] * x[i + a - 1]`, along any axis.
    pub(super) fn window(&mut self) -> Option<()> {
        let x = self.closed(|t| matches!(t.shape.len(), 1 | 2))?;
        let along = self.choices.below(x.shape.len());
        let axes: Vec<Variable> = x.shape.iter().map(|e| self.over(*e)).collect();
        let (weight, a) = self.kernel();
        let place = self.slid(&axes[along], &a);
        let names: Vec<&str> = axes
            .iter()
            .enumerate()
            .map(|(p, v)| if p == along { place.as_str() } else { v.name.as_str() })
            .collect();
        let guard = format!("0 <= {place} < {}", axes[along].range.text());
        let (text, size) = self.joined(&x, &[a], &guard, &at(&x, &names), &weight);
        self.defined(&axes, &text, size);
        Some(())
    }

    /// `y[i: n, j: m] = max(a: 2, b: 2 where ..) x[2 * i + a, 2 * j + b]`
    pub(super) fn square_window(&mut self) -> Option<()> {
        let x = self.closed(|t| t.shape.len() == 2)?;
        let (i, j) = (self.over(x.shape[0]), self.over(x.shape[1]));
        let (weight, a) = self.kernel();
        let (_, b) = self.kernel();
        let (row, column) = (self.slid(&i, &a), self.slid(&j, &b));
        let guard =
            format!("0 <= {row} < {} and 0 <= {column} < {}", i.range.text(), j.range.text());
        let entry = at(&x, &[&row, &column]);
        let (text, size) = self.joined(&x, &[a, b], &guard, &entry, &weight);
        self.defined(&[i, j], &text, size);
        Some(())
    }

    /// Weights in front of an entry, and the variable that they are for.
    fn kernel(&mut self) -> (String, Variable) {
        let few = Extent::constant(self.choices.below(3) as i64 + 2);
        if self.choices.chance(1, 2) {
            return (self.choices.pick(&["", "0.5 * "]).to_owned(), self.over(few));
        }
        match self.closed(|t| t.shape.len() == 1 && size(t).bits <= 24) {
            Some(w) => {
                let a = self.over(w.shape[0]);
                (format!("{} * ", at(&w, &[&a.name])), a)
            }
            None => (String::new(), self.over(few)),
        }
    }

    /// The place that step `a` of the window of `i` is at.
    fn slid(&mut self, i: &Variable, a: &Variable) -> String {
        let (i, a) = (&i.name, &a.name);
        match self.choices.below(6) {
            0 | 1 => format!("{i} + {a} - 1"),
            2 => format!("{i} + {a}"),
            3 => format!("{i} - {a}"),
            4 => format!("2 * {i} + {a}"),
            _ => format!("3 * {i} + {a}"),
        }
    }

    /// A sum, or a greatest or least one of what is exact.
    fn joined(
        &mut self,
        x: &Tensor,
        binders: &[Variable],
        guard: &str,
        entry: &str,
        weight: &str,
    ) -> (String, Size) {
        let heads: Vec<String> = binders.iter().map(head).collect();
        let heads = heads.join(", ");
        if is_exact(x) && self.choices.chance(1, 2) {
            let op = self.choices.pick(&["max", "min"]);
            // of no points it is infinite
            let first = self.choices.pick(&["0", "-1.5"]);
            let text = format!("{op}({first}, {op}({heads} where {guard}) {entry})");
            return (text, size(x));
        }
        let text = format!("sum({heads} where {guard}) {weight}{entry}");
        (text, summed(rounded(size(x).bits + 26)))
    }
}
