//! Recurrences: scans, cells of networks, tables, substitution, stencils in time, trees, best paths.

use super::{at, bits, head, heads, is_exact, rounded};
use crate::generate::builder::{Builder, Promise, Tensor, Variable};
use crate::generate::extent::Extent;
use crate::generate::reals::MODEST;

/// Binary digits that states have after all steps.
pub(super) const CLOSED: u32 = 200;
/// Binary digits of what a cell takes: its functions bend, and large arguments would blow up what rounding does.
const SMALL: u32 = 8;

/// A recurrence variable and its direction.
pub(super) struct Step {
    pub(super) variable: Variable,
    pub(super) descending: bool,
}

impl Step {
    /// `rec t: n descending {`
    pub(super) fn opening(&self) -> String {
        let word = if self.descending { " descending" } else { "" };
        format!("rec {}{word} {{", head(&self.variable))
    }

    /// The index of a step before, and where there is one.
    pub(super) fn before(&self, back: usize) -> (String, String) {
        let t = &self.variable.name;
        if self.descending {
            (format!("{t} + {back}"), format!("{t} + {back} < {}", self.variable.range.text()))
        } else {
            (format!("{t} - {back}"), format!("{t} >= {back}"))
        }
    }

    /// The last step.
    fn last(&self) -> String {
        if self.descending { "0".to_owned() } else { self.variable.range.shifted(-1).text() }
    }
}

impl Builder<'_> {
    pub(super) fn steps_over(&mut self, range: Extent) -> Step {
        let descending = self.choices.chance(1, 3);
        Step { variable: self.over(range), descending }
    }

    /// Ends a recurrence whose states have these axes.
    pub(super) fn closed_states(&mut self, states: &[(&str, &[Variable])], bits: u32) {
        self.line(0, "}");
        self.variables.clear();
        for (name, axes) in states {
            self.define_local(name, axes.iter().map(|a| a.range).collect(), rounded(bits));
        }
    }

    /// `rec t: n { c[t, i: m] = x[t, i] + [t > 0] * 0.5 * c[t - 1, i] }`, along any axis of `x`.
    pub(super) fn scan(&mut self) -> Option<()> {
        let x = self.closed(|t| matches!(t.shape.len(), 1 | 2))?;
        let along = self.choices.below(x.shape.len());
        let step = self.steps_over(x.shape[along]);
        let rest: Option<Variable> = x
            .shape
            .iter()
            .enumerate()
            .find(|(p, _)| *p != along)
            .map(|(_, e)| *e)
            .map(|e| self.over(e));
        let t = &step.variable.name;
        let place = |t: &str| -> Vec<String> {
            let i = rest.iter().map(|r| r.name.clone());
            std::iter::once(t.to_owned()).chain(i).collect()
        };
        let names: Vec<&str> = match (&rest, along) {
            (Some(i), 0) => vec![t, &i.name],
            (Some(i), _) => vec![&i.name, t],
            (None, _) => vec![t],
        };
        let name = self.fresh("c");
        let (before, guard) = step.before(1);
        let old = format!("{name}[{}]", place(&before).join(", "));
        let entry = at(&x, &names);
        let text = match self.choices.below(5) {
            0 => format!("{entry} + [{guard}] * {old}"),
            1 => format!("{entry} + [{guard}] * 0.5 * {old}"),
            2 => format!("if {guard} then 0.5 * {entry} * {old} else {entry}"),
            3 if is_exact(&x) => format!("if {guard} then max({old}, {entry}) else {entry}"),
            _ => {
                let (earlier, far) = step.before(2);
                let older = format!("{name}[{}]", place(&earlier).join(", "));
                self.note("state two steps before");
                format!("{entry} + [{guard}] * 0.5 * {old} - [{far}] * 0.25 * {older}")
            }
        };
        let mut axes = vec![step.variable.clone()];
        axes.extend(rest.clone());
        let shown: Vec<String> = std::iter::once(t.clone()).chain(rest.iter().map(head)).collect();
        self.line(0, &step.opening());
        self.line(1, &format!("{name}[{}] = {text}", shown.join(", ")));
        self.closed_states(&[(&name, &axes)], CLOSED);
        Some(())
    }

    /// A cell with a matrix and one state or two, as recurrent networks have.
    pub(super) fn cell(&mut self) -> Option<()> {
        let w = self.closed(|t| !t.shape.is_empty() && bits(t) <= 24)?;
        let h = w.shape[0];
        let range = self.step_range(&[h]);
        let step = self.steps_over(range);
        let (i, j) = (self.over(h), self.over(h));
        let matrix = self.square(&i, &j, SMALL);
        let input = self.aligned_within(&[&step.variable, &i], 2 * SMALL).0;
        let (gate, state, memory) = (self.fresh("g"), self.fresh("h"), self.fresh("c"));
        let (t, (before, guard)) = (step.variable.name.clone(), step.before(1));
        // about a mean, so that states forget what rounding does to them
        let end = h.text();
        let product = format!("(sum({}) {matrix} * {state}[{before}, {}])", head(&j), j.name);
        let inner = format!("{input} + [{guard}] * 0.25 * {product} / (1 + real({end}))");
        let own = format!("[{t}, {}]", head(&i));
        let here = format!("[{t}, {}]", i.name);
        let back = format!("[{before}, {}]", i.name);
        self.line(0, &step.opening());
        let gated = self.squashed(&inner, rounded(MODEST));
        self.line(1, &format!("{gate}{own} = {gated}"));
        let kind = self.choices.below(3);
        if kind > 0 {
            self.note("cell of two states");
            let forget = self.choices.pick(&["0.5", "0.25"]);
            let mut text = format!("{gate}{here} + [{guard}] * {forget} * {memory}{back}");
            if kind == 2 {
                let (earlier, far) = step.before(2);
                text = format!("{text} - [{far}] * 0.125 * {memory}[{earlier}, {}]", i.name);
            }
            self.line(1, &format!("{memory}{own} = {text}"));
            let factor = if self.choices.chance(1, 2) { gate.as_str() } else { memory.as_str() };
            let kept = self.squashed(&format!("{factor}{here} + {memory}{here}"), rounded(MODEST));
            self.line(1, &format!("{state}{own} = {kept}"));
        } else {
            self.line(1, &format!("{state}{own} = {gate}{here}"));
        }
        let axes = [step.variable.clone(), i];
        let all = [(&*gate, &axes[..]), (&*state, &axes[..]), (&*memory, &axes[..])];
        self.closed_states(&all[..if kind > 0 { 3 } else { 2 }], CLOSED);
        Some(())
    }

    /// A range of steps: that of an axis, or a few.
    fn step_range(&mut self, known: &[Extent]) -> Extent {
        match self.choices.below(4) {
            0 => Extent::constant(self.choices.below(5) as i64 + 2),
            1 => self.choices.pick(known),
            _ => self.any_size(),
        }
    }

    /// An entry of a matrix over `i` and `j`, which have one range.
    fn square(&mut self, i: &Variable, j: &Variable, limit: u32) -> String {
        let n = i.range;
        let Some(a) = self.closed(|t| t.shape == [n, n] && bits(t) <= limit) else {
            let (first, second) =
                (self.aligned_within(&[i], limit), self.aligned_within(&[j], limit));
            return format!("{} * {}", first.0, second.0);
        };
        let (i, j) = (i.name.as_str(), j.name.as_str());
        if self.choices.chance(1, 3) { at(&a, &[j, i]) } else { at(&a, &[i, j]) }
    }

    /// `rec i: n, j: m { d[i, j] = c[i, j] + [i > 0] * d[i - 1, j] + [j > 0] * d[i, j - 1] }`
    pub(super) fn table(&mut self) -> Option<()> {
        let (first, second) = (self.any_size(), self.any_size());
        let (a, b) = (self.steps_over(first), self.steps_over(second));
        let (i, j) = (&a.variable, &b.variable);
        let cost = self.closed(|t| t.shape == [first, second] && is_exact(t));
        let (entry, exact) = match cost {
            Some(c) => (at(&c, &[&i.name, &j.name]), true),
            None => (self.aligned(&[i, j]).0, false),
        };
        let d = self.fresh("d");
        let ((up, above), (left, beside)) = (a.before(1), b.before(1));
        let (up, left, both) = (
            format!("{d}[{up}, {}]", j.name),
            format!("{d}[{}, {left}]", i.name),
            format!("{d}[{up}, {left}]"),
        );
        let text = match self.choices.below(3) {
            0 if exact => format!(
                "{entry} + (if {above} then (if {beside} then min({both}, min({up}, {left})) else {up}) else [{beside}] * {left})"
            ),
            1 => format!("{entry} + [{above} and {beside}] * 0.5 * {both}"),
            _ => format!("{entry} + [{above}] * 0.5 * {up} + [{beside}] * 0.25 * {left}"),
        };
        let turn = |s: &Step| if s.descending { " descending" } else { "" };
        let heading = format!("rec {}{}, {}{} {{", head(i), turn(&a), head(j), turn(&b));
        self.line(0, &heading);
        self.line(1, &format!("{d}[{}, {}] = {text}", i.name, j.name));
        let axes = [i.clone(), j.clone()];
        self.closed_states(&[(&d, &axes)], CLOSED);
        Some(())
    }

    /// `rec i: n { y[i] = x[i] - sum(j: n where j < i) L[i, j] * y[j] }`, with one right side or several.
    pub(super) fn substitution(&mut self) -> Option<()> {
        let x = self.closed(|t| matches!(t.shape.len(), 1 | 2) && bits(t) <= 100)?;
        let step = self.steps_over(x.shape[0]);
        let rest: Option<Variable> = x.shape.get(1).map(|e| self.over(*e));
        let j = self.over(x.shape[0]);
        let i = &step.variable;
        let matrix = self.square(i, &j, 60);
        let y = self.fresh("y");
        let place = |first: &str| -> String {
            let rest = rest.iter().map(|r| r.name.clone());
            std::iter::once(first.to_owned()).chain(rest).collect::<Vec<_>>().join(", ")
        };
        let test = if step.descending { ">" } else { "<" };
        let guard = match self.choices.below(3) {
            0 if step.descending => format!("{} + 1 <= {}", i.name, j.name),
            0 => format!("{} + 1 <= {}", j.name, i.name),
            1 if !step.descending => {
                format!("{j} < {i} and {i} <= {j} + 2", j = j.name, i = i.name)
            }
            _ => format!("{} {test} {}", j.name, i.name),
        };
        let text = format!(
            "{}[{}] - 0.25 * sum({} where {guard}) {matrix} * {y}[{}]",
            x.name,
            place(&i.name),
            head(&j),
            place(&j.name)
        );
        let shown: Vec<String> =
            std::iter::once(i.name.clone()).chain(rest.iter().map(head)).collect();
        let mut axes = vec![i.clone()];
        axes.extend(rest.clone());
        self.line(0, &step.opening());
        self.line(1, &format!("{y}[{}] = {text}", shown.join(", ")));
        self.closed_states(&[(&y, &axes)], CLOSED);
        Some(())
    }

    /// `rec i: n, j: n { L[i, j] = if j <= i then a[i, j] - sum(k: n where k < j) L[i, k] * L[j, k] else 0 }`
    pub(super) fn triangular_factor(&mut self) -> Option<()> {
        let a = self.closed(|t| t.shape.len() == 2 && t.shape[0] == t.shape[1] && bits(t) <= 60)?;
        let n = a.shape[0];
        let (i, j, k) = (self.over(n), self.over(n), self.over(n));
        let l = self.fresh("l");
        let text = format!(
            "{l}[{i}, {j}] = if {j} <= {i} then 0.25 * {a} - (sum({head} where {k} < {j}) {l}[{i}, {k}] * {l}[{j}, {k}]) / (4 + 4 * real({n})) else 0",
            i = i.name,
            j = j.name,
            k = k.name,
            a = at(&a, &[&i.name, &j.name]),
            head = head(&k),
            n = n.text(),
        );
        self.line(0, &format!("rec {}, {} {{", head(&i), head(&j)));
        self.line(1, &text);
        let axes = [i, j];
        self.closed_states(&[(&l, &axes)], CLOSED);
        Some(())
    }

    /// A stencil in time: `v[t, i] = 0.5 * v[t - 1, i] + [i > 0] * 0.25 * v[t - 1, i - 1] + ..`, and its last state.
    pub(super) fn stencil_steps(&mut self) -> Option<()> {
        let x = self.closed(|t| matches!(t.shape.len(), 1 | 2) && bits(t) <= 100)?;
        let range = self.step_range(&[x.shape[0]]);
        let step = self.steps_over(range);
        let axes: Vec<Variable> = x.shape.iter().map(|e| self.over(*e)).collect();
        let names: Vec<&str> = axes.iter().map(|a| a.name.as_str()).collect();
        let v = self.fresh("v");
        let ((before, guard), (earlier, far)) = (step.before(1), step.before(2));
        let state = |t: &str, names: &[&str]| format!("{v}[{t}, {}]", names.join(", "));
        let mut text = format!("0.5 * {}", state(&before, &names));
        for place in 0..axes.len() {
            let (i, end) = (names[place], axes[place].range.text());
            let ways = [
                (format!("{i} - 1"), format!("{i} > 0")),
                (format!("{i} + 1"), format!("{i} + 1 < {end}")),
            ];
            for (shifted, inside) in ways {
                let mut names = names.clone();
                names[place] = &shifted;
                text = format!("{text} + [{inside}] * 0.25 * {}", state(&before, &names));
            }
        }
        if self.choices.chance(1, 3) {
            self.note("state two steps before");
            text = format!("{text} - [{far}] * 0.125 * {}", state(&earlier, &names));
        }
        let entry = at(&x, &names);
        let text = format!("if {guard} then {text} else {entry}");
        let t = &step.variable.name;
        let shown: Vec<String> = std::iter::once(t.clone()).chain(axes.iter().map(head)).collect();
        self.line(0, &step.opening());
        self.line(1, &format!("{v}[{}] = {text}", shown.join(", ")));
        let mut all = vec![step.variable.clone()];
        all.extend(axes.iter().cloned());
        let last = step.last();
        let some = format!("{} > 0", range.text());
        self.closed_states(&[(&v, &all)], CLOSED);
        if self.choices.chance(2, 3) {
            let text = format!("[{some}] * {v}[{last}, {}]", names.join(", "));
            self.defined(&axes, &text, rounded(CLOSED));
        }
        Some(())
    }

    /// Sums down a tree, from each parent, or up, from all children.
    pub(super) fn tree(&mut self) -> Option<()> {
        let parents = |t: &&Tensor| t.promise == Promise::Earlier;
        let p = self.tensors.iter().find(parents)?.clone();
        let n = p.shape[0];
        let (v, w) = (self.over(n), self.over(n));
        let x = self.aligned(&[&v]).0;
        let d = self.fresh("d");
        let (a, b) = (&v.name, &w.name);
        let axes = [v.clone()];
        let text = if self.choices.chance(1, 2) {
            self.line(0, &format!("rec {} descending {{", head(&v)));
            let guard = format!("{b} > {a} and {}[{b}] = {a}", p.name);
            format!("{x} + sum({} where {guard}) 0.5 * {d}[{b}]", head(&w))
        } else {
            self.line(0, &format!("rec {} {{", head(&v)));
            format!("{x} + [{a} > 0] * 0.5 * {d}[{}[{a}]]", p.name)
        };
        self.line(1, &format!("{d}[{a}] = {text}"));
        self.closed_states(&[(&d, &axes)], CLOSED);
        Some(())
    }

    /// The best path to each state, and the state that it came from.
    pub(super) fn best_path(&mut self) -> Option<()> {
        let gain = self.closed(|t| t.shape.len() == 2 && is_exact(t))?;
        let (steps, states) = (gain.shape[0], gain.shape[1]);
        let step = self.steps_over(steps);
        let (j, i) = (self.over(states), self.over(states));
        let entry = at(&gain, &[&step.variable.name, &j.name]);
        let square = self.closed(|t| t.shape == [states, states] && is_exact(t));
        let way = match square {
            Some(a) => at(&a, &[&i.name, &j.name]),
            None => format!("0.5 * real({} - {})", i.name, j.name),
        };
        let d = self.fresh("d");
        let (t, (before, guard)) = (step.variable.name.clone(), step.before(1));
        let sum = format!("({d}[{before}, {}] + {way})", i.name);
        let best = format!("max({}) {sum}", head(&i));
        self.line(0, &step.opening());
        self.line(
            1,
            &format!("{d}[{t}, {}] = {entry} + (if {guard} then {best} else 0)", head(&j)),
        );
        let axes = [step.variable.clone(), j.clone()];
        self.closed_states(&[(&d, &axes)], CLOSED);
        if self.choices.chance(1, 2) {
            let q = self.fresh("q");
            let text = format!("argmax({} where {guard}) {sum}", head(&i));
            self.line(0, &format!("{q}{} = {text}", heads(&axes)));
            self.define_index(&q, vec![steps, states], states.shifted(1));
        }
        Some(())
    }
}
