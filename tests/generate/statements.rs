//! Definitions.

use super::builder::{Builder, Element, LIMIT, Promise, Tensor};
use super::extent::Extent;
use super::reals::Real;

impl Builder<'_> {
    /// One statement of the body, or a few.
    pub(crate) fn statement(&mut self) {
        let idioms = if self.is_arrays() { 40 } else { 4 };
        match self.choices.weighted(&[(12, 0), (4, 1), (4, 2), (5, 3), (2, 4), (2, 5), (idioms, 6)])
        {
            0 => self.real_definition(),
            1 => self.index_definition(),
            2 => self.whole_call(),
            3 => self.recurrence(0),
            4 => self.row_definition(),
            6 => self.idiom(),
            _ => self.generator_definition(),
        }
    }

    /// Binds `count` axes; gives them as they stand at a definition.
    pub(crate) fn axes(&mut self, count: usize) -> (Vec<String>, Vec<Extent>) {
        let mut axes = Vec::new();
        let mut shape = Vec::new();
        for _ in 0..count {
            let range = self.axis_extent();
            let name = self.bind("i", range);
            axes.push(format!("{name}: {}", range.text()));
            shape.push(range);
        }
        (axes, shape)
    }

    /// The extent of an axis of a definition; `n - m + 1` at times.
    fn axis_extent(&mut self) -> Extent {
        if self.sizes > 1 && self.choices.chance(1, 25) {
            self.note("shape that is a difference");
            return Extent::size(0).minus(Extent::size(1)).shifted(1);
        }
        let shapes: Vec<Extent> = self.tensors.iter().flat_map(|t| t.shape.clone()).collect();
        if !shapes.is_empty() && self.choices.chance(1, 2) {
            return self.choices.pick(&shapes);
        }
        self.shape_extent()
    }

    pub(crate) fn real_definition(&mut self) {
        let rank = self.choices.weighted(&[(4, 0), (5, 1), (3, 2)]);
        let depth = self.variables.len();
        let (axes, shape) = self.axes(rank);
        let fuel = if self.is_arrays() { 2 } else { 3 };
        let value = self.real(fuel, LIMIT);
        self.variables.truncate(depth);
        self.define_real("y", &axes, shape, &value);
    }

    fn define_real(&mut self, base: &str, axes: &[String], shape: Vec<Extent>, value: &Real) {
        let name = self.fresh(base);
        self.line(0, &format!("{name}{} = {}", bracketed(axes), value.text));
        self.define_local(&name, shape, value.size);
    }

    /// `q[i: n]: index(m) = ..`
    fn index_definition(&mut self) {
        self.note("index definition");
        let rank = self.choices.weighted(&[(1, 0), (5, 1), (1, 2)]);
        let depth = self.variables.len();
        let (axes, shape) = self.axes(rank);
        let (text, bound, annotated) = self.index_value();
        self.variables.truncate(depth);
        let name = self.fresh("q");
        let sort = if annotated { format!(": index({})", bound.text()) } else { String::new() };
        self.line(0, &format!("{name}{}{sort} = {text}", bracketed(&axes)));
        self.define_index(&name, shape, bound);
    }

    pub(crate) fn define_index(&mut self, name: &str, shape: Vec<Extent>, bound: Extent) {
        self.tensors.push(Tensor {
            name: name.to_owned(),
            shape,
            element: Element::Index(bound),
            promise: Promise::Nothing,
            steps: 0,
            done: true,
        });
    }

    /// An index, its bound, and whether the bound must be written.
    fn index_value(&mut self) -> (String, Extent, bool) {
        match self.choices.weighted(&[(4, 0), (3, 1), (2, 2)]) {
            1 if self.may_bind(1) => self.search(),
            2 => {
                self.note("index with its inferred bound");
                let bound = self.choices.below(2) as i64 + 2;
                let inner =
                    self.variables.last().map_or_else(|| "n".to_owned(), |v| v.name.clone());
                (format!("({inner} + 1) % {bound}"), Extent::constant(bound), false)
            }
            _ => {
                let bound = self.shape_extent().shifted(1);
                (self.piecewise_index(bound), bound, true)
            }
        }
    }

    /// An index in `0..bound`, where `bound` is positive.
    fn piecewise_index(&mut self, bound: Extent) -> String {
        let place = self.index(bound, 0);
        if place.guards.is_empty() {
            return place.text;
        }
        self.note("conditional index");
        let other = self.plain_index(bound).unwrap_or_else(|| "0".to_owned());
        format!("if {} then {} else {other}", place.guards.join(" and "), place.text)
    }

    /// `argmax(j: n where p) e`
    fn search(&mut self) -> (String, Extent, bool) {
        let op = self.choices.pick(&["argmax", "argmin"]);
        self.note(op);
        let range = self.shape_extent();
        let depth = self.variables.len();
        let name = self.bind("j", range);
        let guard = self.choices.chance(1, 3).then(|| self.guard(1).text);
        let body = self.exactly(|b| b.real(2, 40));
        self.variables.truncate(depth);
        let total = guard.is_none() && range.is_positive();
        let bound = if total { range } else { range.shifted(1) };
        if guard.is_some() {
            self.note("argmax or argmin with a guard");
        }
        let guard = guard.map(|g| format!(" where {g}")).unwrap_or_default();
        let text = format!("{op}({name}: {}{guard}) {}", range.text(), body.summand());
        (text, bound, false)
    }

    /// `r[i: n] = A[i]`
    fn row_definition(&mut self) {
        let wide = |t: &&Tensor| t.shape.len() == 2 && matches!(t.element, Element::Real(_));
        let tensors: Vec<Tensor> = self.tensors.iter().filter(wide).cloned().collect();
        if tensors.is_empty() {
            return self.real_definition();
        }
        let tensor = self.choices.pick(&tensors);
        let Element::Real(size) = tensor.element else { return };
        let axis = self.bind("i", tensor.shape[0]);
        self.variables.pop();
        self.note("row");
        let name = self.fresh("r");
        let range = tensor.shape[0].text();
        self.line(0, &format!("{name}[{axis}: {range}] = {}[{axis}]", tensor.name));
        self.define_local(&name, tensor.shape, size);
    }

    /// `g = for(i: n) e`
    fn generator_definition(&mut self) {
        self.note("generator");
        let depth = self.variables.len();
        let outer = self.choices.below(2);
        let (axes, mut shape) = self.axes(outer);
        let (inner, more) = self.axes(1);
        let value = self.real(2, LIMIT);
        self.variables.truncate(depth);
        shape.extend(more);
        let name = self.fresh("g");
        let text = format!("{name}{} = for({}) {}", bracketed(&axes), inner.join(", "), value.text);
        self.line(0, &text);
        self.define_local(&name, shape, value.size);
    }
}

/// `[i: n, j: m]`, or nothing
pub(crate) fn bracketed(axes: &[String]) -> String {
    if axes.is_empty() { String::new() } else { format!("[{}]", axes.join(", ")) }
}
