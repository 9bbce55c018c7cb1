//! Diagonals, residues, sums between two variables, along axes, over kernels of points and channels.

use super::{at, bits, head, rounded, size, summed};
use crate::generate::builder::{Builder, Flavour, Variable};
use crate::generate::extent::Extent;
use crate::generate::reals::both;

/// Binary digits of what is multiplied several times.
const SMALL: u32 = 24;

impl Builder<'_> {
    /// `y[i: n] = ([i < m] * x[i, i])^3`, of a diagonal, one beside it or the other one.
    pub(super) fn diagonal(&mut self) -> Option<()> {
        let x = self.closed(|t| t.shape.len() == 2 && bits(t) <= 100)?;
        let along = self.choices.below(2);
        let i = self.over(x.shape[along]);
        let (v, end) = (i.name.as_str(), x.shape[1 - along].text());
        let other = match self.choices.below(4) {
            0 | 1 => v.to_owned(),
            2 => format!("{v} + 1"),
            _ => format!("({end}) - 1 - {v}"),
        };
        let indices = if along == 0 { [v, other.as_str()] } else { [other.as_str(), v] };
        let power = self.choices.pick(&["", "^2", "^3"]);
        let text = format!("([0 <= {other} and {other} < {end}] * {}){power}", at(&x, &indices));
        self.defined(&[i], &text, rounded(3 * bits(&x)));
        Some(())
    }

    /// `y[i: 2 * n] = x[i / 2]`, every other entry, or entries by what is left of their index.
    pub(super) fn residues(&mut self) -> Option<()> {
        let x = self.closed(|t| matches!(t.shape.len(), 1 | 2))?;
        let kind = self.choices.below(5);
        let first = if kind == 0 { x.shape[0].times(2) } else { x.shape[0] };
        let i = self.over(first);
        let rest: Vec<Variable> = x.shape[1..].iter().map(|e| self.over(*e)).collect();
        let (v, end) = (i.name.clone(), x.shape[0].text());
        let entry = |place: &str| {
            let mut indices = vec![place];
            indices.extend(rest.iter().map(|r| r.name.as_str()));
            at(&x, &indices)
        };
        let text = match kind {
            0 => format!("[{v} / 2 < {end}] * {}", entry(&format!("{v} / 2"))),
            1 => format!("[2 * {v} + 1 < {end}] * {}", entry(&format!("2 * {v} + 1"))),
            2 => format!("[({v} + 1) % 3 <= 0] * {}", entry(&v)),
            3 => format!("{} * real({v} % 3)", entry(&v)),
            _ => format!("if {v} % 2 = 0 then {} else 0.5 * {}", entry(&v), entry(&v)),
        };
        let mut axes = vec![i];
        axes.extend(rest);
        self.defined(&axes, &text, summed(size(&x)));
        Some(())
    }

    /// `y[i: n, j: n] = sum(k: n where j <= k and k <= i) x[k]`
    pub(super) fn between(&mut self) -> Option<()> {
        let x = self.closed(|t| match t.shape[..] {
            [_] => true,
            [n, m] => n == m,
            _ => false,
        })?;
        let n = x.shape[0];
        let (i, j, k) = (self.over(n), self.over(n), self.over(n));
        let (a, b, c) = (i.name.as_str(), j.name.as_str(), k.name.as_str());
        let entry = if x.shape.len() == 1 {
            at(&x, &[c])
        } else {
            let indices = self.choices.pick(&[[c, b], [a, c], [c, a], [c, c]]);
            at(&x, &indices)
        };
        let guard = match self.choices.below(3) {
            0 => format!("{b} <= {c} and {c} <= {a}"),
            1 => format!("{c} < {a} and {c} < {b}"),
            _ => format!("{b} < {c} and {a} < {c}"),
        };
        let text = format!("sum({} where {guard}) {entry}", head(&k));
        self.defined(&[i, j], &text, summed(size(&x)));
        Some(())
    }

    /// `y[j: m] = sum(i: n) a[i, j] * b[i, j]`
    pub(super) fn sum_along(&mut self) -> Option<()> {
        let a = self.closed(|t| t.shape.len() == 2 && bits(t) <= 140)?;
        let b = self.closed(|t| t.shape == a.shape && bits(t) <= 140)?;
        let (i, j) = (self.over(a.shape[0]), self.over(a.shape[1]));
        let indices = [i.name.as_str(), j.name.as_str()];
        let product = format!("{} * {}", at(&a, &indices), at(&b, &indices));
        let guard = self.shape_of_pairs(&i, &j);
        let (kept, binder) = if self.choices.chance(1, 3) { (i, j) } else { (j, i) };
        let guard = super::where_(guard.as_deref());
        let text = format!("sum({}{guard}) {product}", head(&binder));
        self.defined(&[kept], &text, summed(both(size(&a), size(&b))));
        Some(())
    }

    /// `d[i: n, j: m] = sum(c: k) (x[i, c] - z[j, c])^2`, a function of it, and sums with that as weights.
    pub(super) fn kernel_of_points(&mut self) -> Option<()> {
        let x = self.closed(|t| t.shape.len() == 2 && bits(t) <= SMALL)?;
        let (n, k) = (x.shape[0], x.shape[1]);
        let z = self.closed(|t| t.shape.len() == 2 && t.shape[1] == k && bits(t) <= SMALL)?;
        let m = z.shape[0];
        let (i, j, c) = (self.over(n), self.over(m), self.over(k));
        let gap = format!("{} - {}", at(&x, &[&i.name, &c.name]), at(&z, &[&j.name, &c.name]));
        let text = format!("sum({}) ({gap})^2", head(&c));
        let d = self.defined(&[i, j], &text, rounded(3 * SMALL));
        let (i, j) = (self.over(n), self.over(m));
        let near = at(&d, &[&i.name, &j.name]);
        let ways = if self.flavour == Flavour::Rational { 1 } else { 3 };
        let text = match self.choices.below(ways) {
            0 => format!("1 / (1 + {near})"),
            1 => format!("exp(-1 - 0.125 * {near})"),
            _ => format!("sqrt(1 + {near})"),
        };
        let w = self.defined(&[i, j], &text, rounded(3 * SMALL));
        let values = self.closed(|t| !t.shape.is_empty() && t.shape[0] == m && t.shape.len() <= 2);
        let Some(values) = values.filter(|v| bits(v) <= 100) else { return Some(()) };
        let i = self.over(n);
        let rest: Vec<Variable> = values.shape[1..].iter().map(|e| self.over(*e)).collect();
        let j = self.over(m);
        let mut indices = vec![j.name.as_str()];
        indices.extend(rest.iter().map(|r| r.name.as_str()));
        let weight = at(&w, &[&i.name, &j.name]);
        let text = format!("sum({}) {weight} * {}", head(&j), at(&values, &indices));
        let mut axes = vec![i];
        axes.extend(rest);
        self.defined(&axes, &text, summed(rounded(3 * SMALL + bits(&values))));
        Some(())
    }

    /// `y[o: k, i: n] = sum(c: m, a: 3 where 0 <= i + a - 1 < n) v[o, c, a] * x[c, i + a - 1]`
    pub(super) fn channels(&mut self) -> Option<()> {
        let w = self.closed(|t| t.shape.len() == 2 && bits(t) <= SMALL)?;
        let x = self.closed(|t| t.shape.len() == 2 && t.shape[0] == w.shape[1])?;
        let few = Extent::constant(self.choices.below(3) as i64 + 2);
        let (o, c, a) = (self.over(w.shape[0]), self.over(w.shape[1]), self.over(few));
        let text = format!("{} * real({} + 1)", at(&w, &[&o.name, &c.name]), a.name);
        let v = self.defined(&[o, c, a], &text, rounded(bits(&w) + 3));
        let (o, i) = (self.over(w.shape[0]), self.over(x.shape[1]));
        let (c, a) = (self.over(w.shape[1]), self.over(few));
        let place = match self.choices.below(3) {
            0 => format!("{} + {} - 1", i.name, a.name),
            1 => format!("{} - {}", i.name, a.name),
            _ => format!("2 * {} + {}", i.name, a.name),
        };
        let text = format!(
            "sum({}, {} where 0 <= {place} and {place} < {}) {} * {}",
            head(&c),
            head(&a),
            x.shape[1].text(),
            at(&v, &[&o.name, &c.name, &a.name]),
            at(&x, &[&c.name, &place])
        );
        self.defined(&[o, i], &text, summed(rounded(bits(&w) + bits(&x) + 3)));
        Some(())
    }
}
