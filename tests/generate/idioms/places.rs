//! Rows at places of data, segments, relations, entries that were searched for.

use super::{at, head, is_exact, rounded, size, summed};
use crate::generate::builder::{Builder, Element, Flavour, Promise, Tensor, Variable};
use crate::generate::extent::Extent;
use crate::generate::reals::both;

/// What the entries of an index tensor are less than.
fn bound_of(tensor: &Tensor) -> Option<Extent> {
    match tensor.element {
        Element::Index(bound) => Some(bound),
        Element::Real(_) => None,
    }
}

impl Builder<'_> {
    /// An index tensor of one axis.
    fn places(&mut self, wanted: impl Fn(&Tensor) -> bool) -> Option<(Tensor, Extent)> {
        let fits =
            |t: &&Tensor| t.steps == 0 && t.shape.len() == 1 && bound_of(t).is_some() && wanted(t);
        let tensors: Vec<Tensor> = self.tensors.iter().filter(fits).cloned().collect();
        if tensors.is_empty() {
            return None;
        }
        let tensor = self.choices.pick(&tensors);
        let bound = bound_of(&tensor)?;
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

    /// `g[e: m, c: k] = x[p[e], c] - x[u[e], c]` along edges, and its sum at both ends of each.
    pub(super) fn edges(&mut self) -> Option<()> {
        let (p, bound) = self.places(|_| true)?;
        let own = p.shape[0];
        let x = self.closed(|t| matches!(t.shape.len(), 1 | 2) && t.shape[0] == bound)?;
        let u =
            self.places(|t| t.shape[0] == own && bound_of(t) == Some(bound) && t.name != p.name);
        if u.is_none() && own != bound {
            return None;
        }
        // the other end: of other data, or the edge's own number
        let other = |e: &str| match &u {
            Some((u, _)) => format!("{}[{e}]", u.name),
            None => e.to_owned(),
        };
        let over = |b: &mut Self, first: Extent| -> Vec<Variable> {
            let first = b.over(first);
            let rest = x.shape[1..].iter().map(|e| b.over(*e)).collect::<Vec<_>>();
            std::iter::once(first).chain(rest).collect()
        };
        let entry = |t: &str, place: &str, axes: &[Variable]| {
            let rest = axes[1..].iter().map(|c| c.name.as_str());
            let indices: Vec<&str> = std::iter::once(place).chain(rest).collect();
            format!("{t}[{}]", indices.join(", "))
        };
        let axes = over(self, own);
        let e = axes[0].name.clone();
        let ends = [format!("{}[{e}]", p.name), other(&e)];
        let [a, b] = ends.map(|end| entry(&x.name, &end, &axes));
        let text = self.squashed(&format!("{a} - {b}"), summed(size(&x)));
        let g = self.defined(&axes, &text, rounded(size(&x).bits.min(60) + 10));
        let axes = over(self, bound);
        let sum = |b: &mut Self, end: &dyn Fn(&str) -> String| {
            let e = b.over(own);
            let test = format!("{} = {}", end(&e.name), axes[0].name);
            format!("(sum({} where {test}) {})", head(&e), entry(&g.name, &e.name, &axes))
        };
        let first = sum(self, &|e| format!("{}[{e}]", p.name));
        let second = sum(self, &other);
        let sign = self.choices.pick(&["-", "+ 0.5 *"]);
        self.defined(&axes, &format!("{first} {sign} {second}"), summed(size(&g)));
        Some(())
    }

    /// `y[e: m] = w[e] / (s[p[e]] + 0.5)`, where `s[i]` is the sum of the `w[e]` at place `i`.
    pub(super) fn shares(&mut self) -> Option<()> {
        let (p, bound) = self.places(|_| true)?;
        let own = p.shape[0];
        let a = self.closed(|t| t.shape == [own] && size(t).bits <= 60)?;
        let e = self.over(own);
        let entry = at(&a, &[&e.name]);
        let text = if self.flavour == Flavour::Rational {
            format!("1 / (1 + {entry}^2)")
        } else {
            format!("exp(-1 - {entry}^2)")
        };
        let w = self.defined(&[e], &text, rounded(53));
        let (i, e) = (self.over(bound), self.over(own));
        let test = format!("{}[{}] = {}", p.name, e.name, i.name);
        let text = format!("sum({} where {test}) {}", head(&e), at(&w, &[&e.name]));
        let s = self.defined(&[i], &text, rounded(60));
        let e = self.over(own);
        let text = format!("{} / ({}[{}[{}]] + 0.5)", at(&w, &[&e.name]), s.name, p.name, e.name);
        self.defined(&[e], &text, rounded(120));
        Some(())
    }

    /// `y[i: n] = max(0, max(e: m where p[e] = i) a[e])`
    pub(super) fn greatest_at_places(&mut self) -> Option<()> {
        let (p, bound) = self.places(|_| true)?;
        let own = p.shape[0];
        let a =
            self.closed(|t| is_exact(t) && matches!(t.shape.len(), 1 | 2) && t.shape[0] == own)?;
        let i = self.over(bound);
        let columns: Vec<Variable> = a.shape[1..].iter().map(|e| self.over(*e)).collect();
        let e = self.over(own);
        let mut names = vec![e.name.as_str()];
        names.extend(columns.iter().map(|c| c.name.as_str()));
        let op = self.choices.pick(&["max", "min"]);
        let test = format!("{}[{}] = {}", p.name, e.name, i.name);
        let text = format!("{op}(0, {op}({} where {test}) {})", head(&e), at(&a, &names));
        let mut axes = vec![i];
        axes.extend(columns);
        self.defined(&axes, &text, size(&a));
        Some(())
    }

    /// `q[e: m] = p[u[e]]`, or `(p[e] + e) % 3`
    pub(super) fn computed_places(&mut self) -> Option<()> {
        let (u, far) = self.places(|_| true)?;
        let e = self.over(u.shape[0]);
        let own = format!("{}[{}]", u.name, e.name);
        let inner = self.places(|t| t.shape[0] == far).filter(|_| self.choices.chance(1, 2));
        let few = self.choices.below(4) as i64 + 2;
        let (text, bound) = match inner {
            Some((p, bound)) => (format!("{}[{own}]", p.name), bound),
            None => (format!("({own} + {}) % {few}", e.name), Extent::constant(few)),
        };
        let name = self.fresh("q");
        self.line(0, &format!("{name}[{}]: index({}) = {text}", head(&e), bound.text()));
        self.variables.clear();
        self.define_index(&name, u.shape.clone(), bound);
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
