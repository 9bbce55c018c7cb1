//! Recurrences: one variable or two, both directions, several tensors, nested.

use super::builder::{Builder, Element, Promise, Size, Step, Tensor, Variable};
use super::extent::Extent;
use super::reals::exact;
use super::statements::bracketed;

/// Binary digits that an entry of an open recurrence is taken to have: with at most
/// [`STEP`] for a step, at most two of them are multiplied.
const OPEN: u32 = 20;
const STEP: u32 = 44;
/// In programs of arrays, which have many steps, no two entries of an open recurrence are multiplied.
const LONG_STEP: u32 = 30;
/// Digits after all steps.
const CLOSED: u32 = 200;

impl Builder<'_> {
    /// `rec t: n { .. }` at a depth of lines.
    pub(crate) fn recurrence(&mut self, depth: usize) {
        let variables = self.variables.len();
        let before = self.tensors.len();
        let outer = std::mem::take(&mut self.open);
        self.block(depth, 0);
        self.open = outer;
        self.variables.truncate(variables);
        for tensor in &mut self.tensors[before..] {
            tensor.steps = 0;
            tensor.done = true;
            if let Element::Real(size) = &mut tensor.element {
                size.bits = CLOSED;
            }
        }
    }

    /// A block inside `level` others.
    fn block(&mut self, depth: usize, level: usize) {
        self.note(if level == 0 { "recurrence" } else { "nested recurrence" });
        let count = if level == 0 && self.may_bind(3) && self.choices.chance(1, 4) { 2 } else { 1 };
        if count == 2 {
            self.note("recurrence of two variables");
        }
        let heads: Vec<String> = (0..count).map(|_| self.step()).collect();
        self.line(depth, &format!("rec {} {{", heads.join(", ")));
        self.members(depth + 1, level);
        self.line(depth, "}");
        let (open, variables) = (self.open.len() - count, self.variables.len() - count);
        self.open.truncate(open);
        self.variables.truncate(variables);
    }

    /// Opens a recurrence variable.
    fn step(&mut self) -> String {
        let maps = self.tensors.iter().filter(|t| matches!(t.element, Element::Index(_)));
        let axes: Vec<Extent> =
            maps.filter(|t| t.shape.len() == 1 && t.steps == 0).map(|t| t.shape[0]).collect();
        let range = match self.choices.below(5) {
            // what many steps do to rounding, no tolerance allows for
            0 | 1 if self.is_arrays() => Extent::constant(self.choices.below(5) as i64 + 3),
            0 | 1 => self.any_size(),
            2 => Extent::constant(3),
            3 | 4 if !axes.is_empty() => self.choices.pick(&axes),
            _ => self.any_size().shifted(1),
        };
        let descending = self.choices.chance(1, 3);
        let name = self.bind("t", range);
        let word = if descending { " descending" } else { "" };
        if descending {
            self.note("descending recurrence");
        }
        self.open.push(Step { variable: Variable { name: name.clone(), range }, descending });
        format!("{name}: {}{word}", range.text())
    }

    /// The statements of a block; all its tensors are known to all of them.
    fn members(&mut self, depth: usize, level: usize) {
        let count = 1 + self.choices.below(2);
        if count == 2 {
            self.note("recurrence of several tensors");
        }
        let members: Vec<usize> = (0..count).map(|_| self.announce()).collect();
        for member in members {
            self.member(depth, member);
        }
        if self.choices.chance(1, 5) {
            self.back_trace(depth);
        }
        if level == 0 && self.open.len() == 1 && self.may_bind(2) && self.choices.chance(1, 5) {
            self.block(depth, level + 1);
        }
        if self.choices.chance(1, 6) {
            self.call_in_block(depth);
        }
    }

    /// Makes a tensor of the open block known; gives its place.
    fn announce(&mut self) -> usize {
        let name = self.fresh("s");
        let mut shape: Vec<Extent> = self.open.iter().map(|s| s.variable.range).collect();
        if self.may_bind(2) && self.choices.chance(1, 3) {
            shape.push(self.shape_extent());
        }
        self.tensors.push(Tensor {
            name,
            shape,
            element: Element::Real(Size { bits: OPEN, rounded: true }),
            promise: Promise::Nothing,
            steps: self.open.len(),
            done: false,
        });
        self.tensors.len() - 1
    }

    fn member(&mut self, depth: usize, at: usize) {
        let Tensor { name, shape, steps, .. } = self.tensors[at].clone();
        let variables = self.variables.len();
        let mut axes: Vec<String> = self.open.iter().map(|s| s.variable.name.clone()).collect();
        for range in &shape[steps..] {
            let axis = self.bind("i", *range);
            axes.push(format!("{axis}: {}", range.text()));
        }
        let value = self.real(2, if self.is_arrays() { LONG_STEP } else { STEP });
        self.variables.truncate(variables);
        self.line(depth, &format!("{name}{} = {}", bracketed(&axes), value.text));
        self.tensors[at].done = true;
    }

    /// `b[t]: index(m + 1) = if there is an earlier one below m then p[it] else m`
    fn back_trace(&mut self, depth: usize) {
        let shape: Vec<Extent> = self.open.iter().map(|s| s.variable.range).collect();
        let fits = |t: &Tensor| match t.element {
            Element::Index(b) => t.steps == 0 && t.shape.len() == 1 && b.at_most(t.shape[0]),
            Element::Real(_) => false,
        };
        let tensors: Vec<Tensor> = self.tensors.iter().filter(|t| fits(t)).cloned().collect();
        if tensors.is_empty() || self.open.len() > 1 {
            return;
        }
        let p = self.choices.pick(&tensors);
        let Element::Index(bound) = p.element else { return };
        self.note("index recurrence");
        let (end, name) = (bound.text(), self.fresh("b"));
        let Step { variable: Variable { name: t, range }, descending } = self.open[0].clone();
        let (earlier, guard) = if descending {
            (format!("{name}[{t} + 1]"), format!("{t} + 1 < {}", range.text()))
        } else {
            (format!("{name}[{t} - 1]"), format!("{t} > 0"))
        };
        let text = format!(
            "{name}[{t}]: index({}) = if {guard} and {earlier} < {end} then {}[{earlier}] else {}",
            bound.shifted(1).text(),
            p.name,
            if self.choices.chance(1, 2) { "0".to_owned() } else { end.clone() },
        );
        self.line(depth, &text);
        self.tensors.push(Tensor {
            name,
            shape,
            element: Element::Index(bound.shifted(1)),
            promise: Promise::Nothing,
            steps: self.open.len(),
            done: true,
        });
    }

    /// `c[t] = scaled(m, x)`: a result of a call bound whole inside a recurrence.
    fn call_in_block(&mut self, depth: usize) {
        let Some((row, extent, guards)) = self.row() else { return };
        if !guards.is_empty() {
            return;
        }
        self.note("call in a recurrence");
        let name = self.fresh("c");
        let helper = self.helper("scaled");
        let mut shape: Vec<Extent> = self.open.iter().map(|s| s.variable.range).collect();
        let axes: Vec<String> = self.open.iter().map(|s| s.variable.name.clone()).collect();
        self.line(
            depth,
            &format!("{name}{} = {helper}({}, {row})", bracketed(&axes), extent.text()),
        );
        shape.push(extent);
        self.tensors.push(Tensor {
            name,
            shape,
            element: Element::Real(Size { rounded: true, ..exact(OPEN) }),
            promise: Promise::Nothing,
            steps: self.open.len(),
            done: true,
        });
    }
}
