//! Rows at places of data, segments, relations, entries that were searched for.

use super::{at, head, is_exact, rounded, size, summed};
use crate::generate::builder::{Builder, Element, Promise, Tensor, Variable};
use crate::generate::extent::Extent;
use crate::generate::reals::both;

/// What the entries of an index tensor are less than.
fn bound(tensor: &Tensor) -> Option<Extent> {
    match tensor.element {
        Element::Index(bound) => Some(bound),
        Element::Real(_) => None,
    }
}

impl Builder<'_> {
    /// An index tensor of one axis.
    fn places(&mut self, wanted: impl Fn(&Tensor) -> bool) -> Option<(Tensor, Extent)> {
        let fits =
            |t: &&Tensor| t.steps == 0 && t.shape.len() == 1 && bound(t).is_some() && wanted(t);
        let tensors: Vec<Tensor> = self.tensors.iter().filter(fits).cloned().collect();
        if tensors.is_empty() {
            return None;
        }
        let tensor = self.choices.pick(&tensors);
        let bound = bound(&tensor)?;
        Some((tensor, bound))
    }

    /// `y[i: n, c: k] = sum(e: m where p[e] = i) a[e, c] * x[u[e]]`
    pub(super) fn sum_at_places(&mut self) -> Option<()> {
        let (p, bound) = self.places(|_| true)?;
        let own = p.shape[0];
        let a = self.closed(|t| matches!(t.shape.len(), 1 | 2) && t.shape[0] == own)?;
        let i = self.over(bound);
        let columns: Vec<Variable> = a.shape[1..].iter().map(|e| self.over(*e)).collect();
        let e = self.over(own);
        let mut names = vec![e.name.as_str()];
        names.extend(columns.iter().map(|c| c.name.as_str()));
        let mut text = at(&a, &names);
        let mut all = size(&a);
        if let Some((u, far)) = self.places(|t| t.shape[0] == own)
            && self.choices.chance(1, 2)
            && let Some(x) = self.closed(|t| t.shape == [far])
        {
            text = format!("{text} * {}[{}[{}]]", x.name, u.name, e.name);
            all = both(all, size(&x));
        }
        let test = format!("{}[{}] = {}", p.name, e.name, i.name);
        let text = format!("sum({} where {test}) {text}", head(&e));
        let mut axes = vec![i];
        axes.extend(columns);
        self.defined(&axes, &text, summed(all));
        Some(())
    }

    /// `y[e: m, c: k] = x[p[e], c]`
    pub(super) fn rows_at_places(&mut self) -> Option<()> {
        let (p, bound) = self.places(|_| true)?;
        let x = self.closed(|t| matches!(t.shape.len(), 1 | 2) && t.shape.contains(&bound))?;
        let along = x.shape.iter().position(|e| *e == bound)?;
        let e = self.over(p.shape[0]);
        let place = format!("{}[{}]", p.name, e.name);
        let mut axes = vec![e];
        let mut names = Vec::new();
        for (at, extent) in x.shape.iter().enumerate() {
            if at == along {
                names.push(place.clone());
            } else {
                let c = self.over(*extent);
                names.push(c.name.clone());
                axes.push(c);
            }
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let text = format!("2 * {}", at(&x, &names));
        self.defined(&axes, &text, summed(size(&x)));
        Some(())
    }

    /// `y[i: n] = sum(e: m where start[i] <= e < start[i + 1]) a[e]`
    pub(super) fn segments(&mut self) -> Option<()> {
        let (start, bound) = self.places(|t| t.promise == Promise::Sorted)?;
        let a = self.closed(|t| t.shape == [bound])?;
        let (i, e) = (self.over(start.shape[0]), self.over(bound));
        let (s, v, end) = (&start.name, &i.name, i.range.text());
        let text = format!(
            "sum({} where {v} + 1 < {end} and {s}[{v}] <= {n} and {n} < {s}[{v} + 1]) {}",
            head(&e),
            at(&a, &[&e.name]),
            n = e.name,
        );
        self.defined(&[i], &text, summed(size(&a)));
        Some(())
    }

    /// `y[i: n] = sum(j: m where R(i, j)) a[i, j] * x[j]`
    pub(super) fn sum_over_relation(&mut self) -> Option<()> {
        let relation = self.relations.iter().find(|r| r.extents.len() == 2)?.clone();
        let (i, j) = (self.over(relation.extents[0]), self.over(relation.extents[1]));
        let ((a, more), (x, least)) = (self.aligned(&[&i, &j]), self.aligned(&[&j]));
        let guard = format!("{}({}, {})", relation.name, i.name, j.name);
        let text = format!("sum({} where {guard}) {a} * {x}", head(&j));
        let axes: Vec<Variable> = if self.choices.chance(1, 4) {
            let text = format!("[{guard}] * ({a} - {x})");
            self.defined(&[i, j], &text, summed(both(more, least)));
            return Some(());
        } else {
            vec![i]
        };
        self.defined(&axes, &text, summed(both(more, least)));
        Some(())
    }

    /// `q[i: n] = argmax(j: m) a[i, j]`, `y[i: n] = [q[i] < m] * b[i, q[i]]`
    pub(super) fn searched(&mut self) -> Option<()> {
        let a = self.closed(|t| t.shape.len() == 2 && is_exact(t))?;
        let along = self.choices.below(2);
        let order = |i: &str, j: &str| -> [String; 2] {
            if along == 1 { [i.to_owned(), j.to_owned()] } else { [j.to_owned(), i.to_owned()] }
        };
        let (rows, range) = (a.shape[1 - along], a.shape[along]);
        let (i, j) = (self.over(rows), self.over(range));
        let op = self.choices.pick(&["argmax", "argmin"]);
        let guard = self.shape_of_pairs(&i, &j);
        let [first, second] = order(&i.name, &j.name);
        let name = self.fresh("q");
        let text = format!(
            "{op}({}{}) {}",
            head(&j),
            super::where_(guard.as_deref()),
            at(&a, &[&first, &second])
        );
        self.line(0, &format!("{name}[{}] = {text}", head(&i)));
        self.variables.clear();
        let total = guard.is_none() && range.is_positive();
        self.define_index(&name, vec![rows], if total { range } else { range.shifted(1) });
        let b = self.closed(|t| t.shape == a.shape)?;
        let i = self.over(rows);
        let place = format!("{name}[{}]", i.name);
        let [first, second] = order(&i.name, &place);
        let text = format!("[{place} < {}] * {}", range.text(), at(&b, &[&first, &second]));
        self.defined(&[i], &text, rounded(size(&b).bits));
        Some(())
    }
}
