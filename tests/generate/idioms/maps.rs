//! Entry by entry, products of matrices, sums over pairs.

use super::{at, head, is_exact, rounded, size, summed, where_};
use crate::generate::builder::{Builder, Flavour, Size, Variable};
use crate::generate::reals::both;

impl Builder<'_> {
    /// `y[i: n, j: m] = tanh(x[i, j] * w[j] + b[j, i])`
    pub(super) fn entry_by_entry(&mut self) -> Option<()> {
        let first = self.closed(|t| !t.shape.is_empty())?;
        let axes: Vec<Variable> = first.shape.iter().map(|e| self.over(*e)).collect();
        let names: Vec<&str> = axes.iter().map(|a| a.name.as_str()).collect();
        let (mut text, mut all) = (at(&first, &names), size(&first));
        let variables: Vec<&Variable> = axes.iter().collect();
        for _ in 0..self.choices.below(3) {
            let (other, more) = self.aligned(&variables);
            let sign = self.choices.pick(&["*", "+", "-", "* 0.5 +"]);
            text = if sign == "*" {
                format!("({text}) * {other}")
            } else {
                format!("{text} {sign} {other}")
            };
            all = both(all, more);
        }
        if axes.len() > 1
            && let Some(guard) = self.shape_of_pairs(&axes[0], &axes[1])
        {
            text = format!("[{guard}] * ({text})");
        }
        if self.choices.chance(1, 2) {
            (text, all) = (self.squashed(&text, all), rounded(all.bits.min(60) + 10));
        }
        let order = self.turned(axes);
        self.defined(&order, &text, all);
        Some(())
    }

    /// The axes, in the other order at times.
    fn turned(&mut self, mut axes: Vec<Variable>) -> Vec<Variable> {
        if self.choices.chance(1, 4) {
            axes.reverse();
        }
        axes
    }

    /// `y[i: n, j: m] = sum(l: k) a[i, l] * b[l, j]`, the axes of both in any order, in part of the box.
    pub(super) fn contraction(&mut self) -> Option<()> {
        let a = self.closed(|t| t.shape.len() == 2)?;
        let which = self.choices.below(2);
        let range = a.shape[which];
        let b = self.closed(|t| t.shape.contains(&range) && t.shape.len() <= 2)?;
        let place = b.shape.iter().position(|e| *e == range)?;
        let i = self.over(a.shape[1 - which]);
        let free: Vec<Variable> = (0..b.shape.len())
            .filter(|p| *p != place)
            .map(|p| b.shape[p])
            .collect::<Vec<_>>()
            .into_iter()
            .map(|e| self.over(e))
            .collect();
        let l = self.over(range);
        let mut rest = free.iter();
        let of_b: Vec<&str> = (0..b.shape.len())
            .map(|p| if p == place { &l } else { rest.next().unwrap_or(&l) })
            .map(|v| v.name.as_str())
            .collect();
        let of_a = if which == 0 { [&*l.name, &*i.name] } else { [&*i.name, &*l.name] };
        let guard = self.shape_of_pairs(&i, &l);
        let scale = self.choices.pick(&["", "0.5 * "]);
        let text = format!(
            "{scale}sum({}{}) {} * {}",
            head(&l),
            where_(guard.as_deref()),
            at(&a, &of_a),
            at(&b, &of_b)
        );
        let mut axes = vec![i];
        axes.extend(free);
        let axes = self.turned(axes);
        self.defined(&axes, &text, summed(both(size(&a), size(&b))));
        Some(())
    }

    /// Rows, or columns, whose sum is 1: `e[i, j] = exp(x[i, j] - m[i])`, `y[i, j] = e[i, j] / s[i]`.
    pub(super) fn normalized(&mut self) -> Option<()> {
        let x = self.closed(|t| matches!(t.shape.len(), 1 | 2))?;
        let along = self.choices.below(x.shape.len());
        let exponential = self.flavour != Flavour::Rational;
        let over = |b: &mut Self| -> (Vec<Variable>, Variable, Vec<Variable>) {
            let all: Vec<Variable> = x.shape.iter().map(|e| b.over(*e)).collect();
            let rows = all.iter().enumerate().filter(|(p, _)| *p != along);
            let rows = rows.map(|(_, v)| v.clone()).collect();
            (rows, all[along].clone(), all)
        };
        let names =
            |list: &[Variable]| -> Vec<String> { list.iter().map(|v| v.name.clone()).collect() };
        let entry = |t: &super::Tensor, list: &[Variable]| {
            let names = names(list);
            at(t, &names.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let e = if exponential && is_exact(&x) {
            let (rows, j, all) = over(self);
            let text = format!("max({}) {}", head(&j), entry(&x, &all));
            let most = self.defined(&rows, &text, size(&x));
            let (rows, _, all) = over(self);
            let text = format!("exp({} - {})", entry(&x, &all), entry(&most, &rows));
            self.defined(&all, &text, rounded(53))
        } else {
            let (_, _, all) = over(self);
            let text = if exponential {
                format!("exp(-1 - {}^2)", entry(&x, &all))
            } else {
                format!("{}^2 + 0.5", entry(&x, &all))
            };
            self.defined(&all, &text, rounded(2 * size(&x).bits + 2))
        };
        let (rows, j, all) = over(self);
        let s = self.defined(
            &rows,
            &format!("sum({}) {}", head(&j), entry(&e, &all)),
            summed(size(&e)),
        );
        let (rows, _, all) = over(self);
        let text = format!("{} / {}", entry(&e, &all), entry(&s, &rows));
        self.defined(&all, &text, rounded(3 * size(&e).bits));
        Some(())
    }

    /// `y[i: n] = sum(j: n where j != i) f(x[i] - x[j])`, of numbers or of points.
    pub(super) fn pairs(&mut self) -> Option<()> {
        let x = self.closed(|t| matches!(t.shape.len(), 1 | 2))?;
        let bits = 3 * size(&x).bits + 12;
        let (i, j) = (self.over(x.shape[0]), self.over(x.shape[0]));
        let guard = self.choices.pick(&["!=", "<", ">"]);
        let guard = format!("{} {guard} {}", j.name, i.name);
        if x.shape.len() == 1 {
            let gap = format!("({} - {})", at(&x, &[&i.name]), at(&x, &[&j.name]));
            let kernel = self.choices.pick(&["/ (1 + D^2)", "* D", "^3"]).replace('D', &gap);
            let text = format!("sum({} where {guard}) {gap} {kernel}", head(&j));
            self.defined(&[i], &text, rounded(bits));
            return Some(());
        }
        let c = self.over(x.shape[1]);
        let gap = |i: &Variable, j: &Variable, c: &Variable| {
            format!("({} - {})", at(&x, &[&i.name, &c.name]), at(&x, &[&j.name, &c.name]))
        };
        let text = format!("sum({}) {}^2", head(&c), gap(&i, &j, &c));
        let d = self.defined(&[i, j], &text, summed(Size { bits, ..size(&x) }));
        let (i, c, j) = (self.over(x.shape[0]), self.over(x.shape[1]), self.over(x.shape[0]));
        let near = format!("(1 + {})", at(&d, &[&i.name, &j.name]));
        let test = self.choices.pick(&["!=", "<"]);
        let text = format!(
            "sum({} where {} {test} {}) {} / {near}",
            head(&j),
            j.name,
            i.name,
            gap(&i, &j, &c)
        );
        self.defined(&[i, c], &text, rounded(2 * bits));
        Some(())
    }

    /// `y[i: n] = prod(j: n where j != i) x[j]`
    pub(super) fn all_but_one(&mut self) -> Option<()> {
        let x = self.closed(|t| matches!(t.shape.len(), 1 | 2) && size(t).bits <= 12)?;
        let rows: Vec<Variable> = x.shape[1..].iter().map(|e| self.over(*e)).collect();
        let (i, j) = (self.over(x.shape[0]), self.over(x.shape[0]));
        let mut names = vec![j.name.as_str()];
        names.extend(rows.iter().map(|r| r.name.as_str()));
        let entry = at(&x, &names);
        let guard = self.choices.pick(&["!=", "<", ">"]);
        let text = format!("prod({} where {} {guard} {}) {entry}", head(&j), j.name, i.name);
        let mut axes = vec![i];
        axes.extend(rows);
        let axes = self.turned(axes);
        self.defined(&axes, &text, rounded(290));
        Some(())
    }

    /// `s = sum(i: n, j: m) y[i, j]^2`, or a sum along one axis
    pub(super) fn loss(&mut self) -> Option<()> {
        let y = self.closed(|t| !t.shape.is_empty() && size(t).bits <= 140)?;
        let all: Vec<Variable> = y.shape.iter().map(|e| self.over(*e)).collect();
        let names: Vec<&str> = all.iter().map(|v| v.name.as_str()).collect();
        let kept = if all.len() > 1 { self.choices.below(all.len() + 1) } else { all.len() };
        let axes: Vec<Variable> = all.get(kept).cloned().into_iter().collect();
        let binders: Vec<String> =
            all.iter().enumerate().filter(|(p, _)| *p != kept).map(|(_, v)| head(v)).collect();
        let square = Size { bits: size(&y).bits * 2 + 10, ..size(&y) };
        let text = format!("sum({}) {}^2", binders.join(", "), at(&y, &names));
        self.defined(&axes, &text, square);
        Some(())
    }
}
