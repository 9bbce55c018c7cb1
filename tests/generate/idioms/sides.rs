//! Sums over the pairs of both sides of a diagonal, in steps and of three; products of all but some.

use super::steps::Step;
use super::{at, bits, head, is_exact, rounded, size};
use crate::generate::builder::{Builder, Element, Tensor, Variable};
use crate::generate::extent::SIZES;

/// Binary digits of what pairs are made of.
const SMALL: u32 = 24;

impl Builder<'_> {
    /// `t[i: n, j: n] = [i < j] * f(x[i] - x[j])`, `y[i: n] = sum(j: n where i < j) t[i, j] - sum(j: n where j < i) t[j, i]`
    pub(super) fn both_sides(&mut self) -> Option<()> {
        let x = self.closed(|t| matches!(t.shape.len(), 1 | 2) && bits(t) <= SMALL)?;
        let n = x.shape[0];
        let side = self.side();
        let table = self.closed(|t| t.shape == [n, n] && bits(t) <= 100);
        let table = table.filter(|_| self.choices.chance(1, 4));
        let t = match table {
            Some(t) => t,
            None => self.table_of_pairs(&x, side),
        };
        let weights = self.closed(|t| t.shape == [n] && bits(t) <= 60);
        let other = if self.choices.chance(1, 5) { self.side() } else { side };
        let mut parts = Vec::new();
        let i = self.over(n);
        let rest: Vec<Variable> = t.shape[2..].iter().map(|e| self.over(*e)).collect();
        let mut axes = vec![i];
        axes.extend(rest);
        let j = self.over(n);
        for (side, turned) in [(side, false), (other, true)] {
            let text = self.sum_of_side(&t, (&axes, &j), (side, turned), weights.as_ref());
            parts.push(text);
        }
        if self.choices.chance(1, 2) {
            parts.reverse();
        }
        if self.choices.chance(1, 4) {
            let (more, _) = self.aligned_within(&[&axes[0]], 60);
            parts.insert(self.choices.below(3), more);
        }
        let signs = ["-", "+", "+ 0.5 *"];
        if self.choices.chance(2, 3) {
            let mut text = parts.remove(0);
            for part in parts {
                text = format!("{text} {} ({part})", self.choices.pick(&signs));
            }
            self.defined(&axes, &text, rounded(bits(&t) + 80));
            return Some(());
        }
        // one after the other, what the first gives read by the second
        let first = parts.remove(0);
        let y = self.defined(&axes, &first, rounded(bits(&t) + 80));
        let i = self.over(n);
        let mut again = vec![i];
        for e in &t.shape[2..] {
            again.push(self.over(*e));
        }
        let kept = self.choices.chance(1, 2).then_some(&y).filter(|y| y.shape.len() == 1);
        let j = self.over(n);
        let text = self.sum_of_side(&t, (&again, &j), (other, true), kept);
        let text = if self.choices.chance(1, 2) {
            let names: Vec<&str> = again.iter().map(|v| v.name.as_str()).collect();
            format!("{} - ({text})", at(&y, &names))
        } else {
            text
        };
        self.defined(&again, &text, rounded(bits(&t) + 160));
        Some(())
    }

    /// Which pairs: of the ways below.
    fn side(&mut self) -> usize {
        self.choices.weighted(&[
            (6, 0),
            (4, 1),
            (2, 2),
            (1, 3),
            (1, 4),
            (1, 5),
            (1, 6),
            (1, 7),
            (1, 8),
            (1, 9),
            (1, 10),
        ])
    }

    /// One of these ways, for the pair `a` and `b`.
    fn pairs_of(&self, side: usize, a: &str, b: &str, n: &str) -> String {
        match side {
            0 => format!("{a} < {b}"),
            1 => format!("{b} < {a}"),
            2 => format!("{a} + 2 <= {b}"),
            3 => format!("{a} <= {b}"),
            4 => format!("{a} <= {b} + 1"),
            5 => format!("{a} < {b} and {b} <= {a} + 3"),
            6 => format!("{a} < {b} and 3 <= {b}"),
            7 => format!("{a} < {b} and {b} < {}", SIZES[self.sizes - 1]),
            8 => format!("{a} < {b} and {a} + {b} < {n}"),
            9 => format!("{b} < {a} and 2 <= {b}"),
            _ => format!("{a} < {b} and ({a} + {b}) % 2 = 0"),
        }
    }

    /// `t[i: n, j: n] = [i < j] * f(x[i] - x[j])`, with the other axes of `x`.
    fn table_of_pairs(&mut self, x: &Tensor, side: usize) -> Tensor {
        let n = x.shape[0];
        let (i, j) = (self.over(n), self.over(n));
        let few: Vec<Variable> = x.shape[1..].iter().map(|e| self.over(*e)).collect();
        let mut names = vec![i.name.as_str()];
        names.extend(few.iter().map(|v| v.name.as_str()));
        let first = at(x, &names);
        names[0] = &j.name;
        let second = at(x, &names);
        let gap = format!("{first} - {second}");
        let guard = self.pairs_of(side, &i.name, &j.name, &n.text());
        let exact = is_exact(x) && self.choices.chance(1, 3);
        let (value, all) = if exact {
            (format!("({gap})"), size(x))
        } else {
            let value = self.squashed(&gap, rounded(SMALL));
            (format!("({value})"), rounded(SMALL + 10))
        };
        let text = if self.choices.chance(5, 6) { format!("[{guard}] * {value}") } else { value };
        let mut axes = vec![i, j];
        axes.extend(few);
        self.defined(&axes, &text, all)
    }

    /// `(sum(j: n where i < j) t[i, j] * w[j])`, or turned: `(sum(j: n where j < i) t[j, i])`
    fn sum_of_side(
        &mut self,
        t: &Tensor,
        (axes, j): (&[Variable], &Variable),
        (side, turned): (usize, bool),
        weights: Option<&Tensor>,
    ) -> String {
        let n = t.shape[0];
        let i = axes[0].name.clone();
        let (a, b) = if turned { (j.name.clone(), i.clone()) } else { (i.clone(), j.name.clone()) };
        let guard = self.pairs_of(side, &a, &b, &n.text());
        let straight = self.choices.chance(11, 12);
        let mut names =
            if straight { vec![a.as_str(), b.as_str()] } else { vec![b.as_str(), a.as_str()] };
        names.extend(axes[1..].iter().map(|v| v.name.as_str()));
        let entry = at(t, &names);
        let weight = match (weights, self.choices.below(4)) {
            (Some(w), 0) => format!(" * {}", at(w, &[&j.name])),
            (Some(w), 1) => format!(" * {}", at(w, &[&i])),
            _ => String::new(),
        };
        let op = if is_exact(t) && self.choices.chance(1, 6) { "max" } else { "sum" };
        if op == "max" && weight.is_empty() {
            return format!("max(-2, max({} where {guard}) {entry})", head(j));
        }
        format!("(sum({} where {guard}) {entry}{weight})", head(j))
    }

    /// Vectors one after the other, each of sums over pairs and of entries of those before.
    pub(super) fn chain_of_pairs(&mut self) -> Option<()> {
        let x = self.closed(|t| t.shape.len() == 1 && bits(t) <= SMALL)?;
        let n = x.shape[0];
        let side = self.side();
        let table = self.closed(|t| t.shape == [n, n] && bits(t) <= 60);
        let t = match table.filter(|_| self.choices.chance(1, 3)) {
            Some(t) => t,
            None => self.table_of_pairs(&x, side),
        };
        let mut known = x;
        for _ in 0..2 + self.choices.below(3) {
            let (i, j) = (self.over(n), self.over(n));
            let (a, b) = (i.name.as_str(), j.name.as_str());
            let which = if self.choices.chance(2, 3) { side } else { self.side() };
            let turned = self.choices.chance(1, 2);
            let (first, second) = if turned { (b, a) } else { (a, b) };
            let guard = self.pairs_of(which, first, second, &n.text());
            let names = if self.choices.chance(7, 8) { [first, second] } else { [second, first] };
            let factor = match self.choices.below(4) {
                0 => format!(" * {}", at(&known, &[a])),
                1 => format!(" * {}", at(&known, &[b])),
                2 => format!(" * ([{b} >= 1] * {}[{b} - 1])", known.name),
                _ => String::new(),
            };
            let mut text = format!(
                "(sum({} where {guard}) {}{factor}) / (1 + real({}))",
                head(&j),
                at(&t, &names),
                n.text()
            );
            let own = match self.choices.below(5) {
                0 => at(&known, &[a]),
                1 => format!("[{a} >= 1] * {}[{a} - 1]", known.name),
                2 => format!("[{a} + 1 < {}] * {}[{a} + 1]", n.text(), known.name),
                3 => format!("{}[{} - 1 - {a}]", known.name, n.text()),
                _ => String::new(),
            };
            if !own.is_empty() {
                text = format!("{own} - {text}");
            }
            known = self.defined(&[i], &text, rounded(100));
        }
        Some(())
    }

    /// Bodies that move in steps: the force on each is the sum over its pairs.
    pub(super) fn bodies_in_steps(&mut self) -> Option<()> {
        let x = self.closed(|t| t.shape.len() == 1 && bits(t) <= SMALL)?;
        let n = x.shape[0];
        let range = self.range();
        let range = if range.is_natural() { range } else { n };
        let step = self.steps_over(range);
        let Step { variable, .. } = &step;
        let t = variable.name.clone();
        let (before, guard) = step.before(1);
        let side = self.side();
        let (g, f, p) = (self.fresh("g"), self.fresh("f"), self.fresh("p"));
        let (i, j) = (self.over(n), self.over(n));
        let end = n.text();
        let pair = self.pairs_of(side, &i.name, &j.name, &end);
        let gap = format!("{p}[{before}, {}] - {p}[{before}, {}]", i.name, j.name);
        let kernel = self.squashed(&gap, rounded(SMALL));
        let own = pair.clone();
        let others = self.pairs_of(side, &j.name, &i.name, &end);
        let sign = self.choices.pick(&["-", "+"]);
        self.line(0, &step.opening());
        let mut rows = [
            format!("(sum({} where {own}) {g}[{t}, {}, {}])", head(&j), i.name, j.name),
            format!("(sum({} where {others}) {g}[{t}, {}, {}])", head(&j), j.name, i.name),
        ];
        if self.choices.chance(1, 2) {
            rows.reverse();
        }
        self.line(
            1,
            &format!("{g}[{t}, {}, {}] = [{guard} and {pair}] * ({kernel})", head(&i), head(&j)),
        );
        let text = format!("({} {sign} {}) / (1 + real({end}))", rows[0], rows[1]);
        self.line(1, &format!("{f}[{t}, {}] = {text}", head(&i)));
        self.line(
            1,
            &format!(
                "{p}[{t}, {}] = if {guard} then 0.5 * {p}[{before}, {i}] + 0.25 * {f}[{t}, {i}] else {x}[{i}]",
                head(&i),
                i = i.name,
                x = x.name
            ),
        );
        let axes = [variable.clone(), i];
        self.closed_states(&[(&f, &axes), (&p, &axes)], 120);
        Some(())
    }

    /// `y[i: n] = sum(j, k where i < j < k) t[i, j, k]` with the sums at the other two places.
    pub(super) fn triples(&mut self) -> Option<()> {
        let x = self.closed(|t| t.shape.len() == 1 && bits(t) <= SMALL)?;
        let n = x.shape[0];
        let (i, j, k) = (self.over(n), self.over(n), self.over(n));
        let product =
            format!("{} * {} - {}", at(&x, &[&i.name]), at(&x, &[&k.name]), at(&x, &[&j.name]));
        let value = self.squashed(&product, rounded(SMALL));
        let text = format!("[{} < {} and {} < {}] * ({value})", i.name, j.name, j.name, k.name);
        let axes = [i, j, k];
        let t = self.defined(&axes, &text, rounded(SMALL + 10));
        let (a, b, c) = (self.over(n), self.over(n), self.over(n));
        let mut parts: Vec<String> = [[0, 1, 2], [1, 0, 2], [1, 2, 0]]
            .iter()
            .map(|order| {
                let names = order.map(|at| [&a.name, &b.name, &c.name][at].as_str());
                format!(
                    "(sum({}, {} where {} < {} and {} < {}) {})",
                    head(&b),
                    head(&c),
                    names[0],
                    names[1],
                    names[1],
                    names[2],
                    at(&t, &names)
                )
            })
            .collect();
        let first = parts.remove(self.choices.below(3));
        let mut text = first;
        for _ in 0..self.choices.below(3) {
            let part = parts.remove(self.choices.below(parts.len()));
            text = format!("{text} {} {part}", self.choices.pick(&["+", "-"]));
        }
        self.defined(&[a], &text, rounded(SMALL + 40));
        Some(())
    }

    /// `y[i: n] = prod(j: m where p[j] != i) x[j]`
    pub(super) fn all_but_some(&mut self) -> Option<()> {
        let x = self.closed(|t| t.shape.len() == 1 && bits(t) <= 12)?;
        let m = x.shape[0];
        let relation = self.relations.iter().find(|r| r.extents.len() == 2 && r.extents[1] == m);
        let relation = relation.cloned();
        let data = self
            .tensors
            .iter()
            .find(|t| t.steps == 0 && t.shape == [m] && matches!(t.element, Element::Index(_)));
        let data = data.cloned();
        let first = match (&relation, &data) {
            (Some(r), _) => r.extents[0],
            (_, Some(Tensor { element: Element::Index(bound), .. })) => *bound,
            _ => m,
        };
        let (i, j) = (self.over(first), self.over(m));
        let (a, b) = (i.name.as_str(), j.name.as_str());
        let guard = match (&relation, &data, self.choices.below(6)) {
            (Some(r), _, 0) => format!("{}({a}, {b})", r.name),
            (Some(r), _, 1) => format!("not {}({a}, {b})", r.name),
            (_, Some(p), 2) => format!("{}[{b}] != {a}", p.name),
            (_, Some(p), 3) => format!("{}[{b}] <= {a}", p.name),
            (.., 4) => format!("({a} + {b}) % 3 != 0"),
            (.., 5) => format!("{a} != {b} and {a} != {b} + 1"),
            _ => format!("{a} != {b}"),
        };
        let entry = at(&x, &[b]);
        // no product of a hundred is out of the range of 32 bits
        let entry = match self.choices.below(3) {
            0 => format!("(0.25 * {entry} + 0.5)"),
            1 => format!("(if {a} < {b} then 0.5 * {entry} else 0.25 * {entry} + 0.5)"),
            _ => format!("(0.5 * {entry})"),
        };
        let text = format!("prod({} where {guard}) {entry}", head(&j));
        let axes = [i];
        self.defined(&axes, &text, rounded(290));
        Some(())
    }
}
