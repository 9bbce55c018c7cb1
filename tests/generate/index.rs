//! Index expressions, in bounds by construction or with the guards that make them so.

use super::builder::{Builder, Element, Promise, Tensor, Variable};
use super::extent::Extent;

/// An index with the guards that must hold around it, outermost first.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) text: String,
    pub(crate) guards: Vec<String>,
}

impl Place {
    fn plain(text: String) -> Self {
        Self { text, guards: Vec::new() }
    }
}

/// An entry or a part of a tensor: `x[i - 1]`, with its guards.
pub(crate) struct Access {
    pub(crate) text: String,
    pub(crate) guards: Vec<String>,
}

impl Builder<'_> {
    /// An index in `0..extent`.
    pub(crate) fn index(&mut self, extent: Extent, depth: u32) -> Place {
        if self.is_arrays()
            && self.choices.chance(4, 5)
            && let Some(variable) = self.along(extent)
        {
            self.note("index variable");
            return Place::plain(variable);
        }
        let way = self.choices.weighted(&[(6, 0), (3, 1), (3, 2)]);
        if way == 1
            && depth < 2
            && let Some(place) = self.read_within(extent, depth)
        {
            return place;
        }
        if way < 2
            && let Some(text) = self.plain_index(extent)
        {
            return Place::plain(text);
        }
        self.guarded_index(extent, depth)
    }

    /// A variable that goes along an axis, an inner one rather than an outer one.
    fn along(&mut self, extent: Extent) -> Option<String> {
        let own = self.variables.iter().rev().filter(|v| v.range == extent);
        let names: Vec<String> = own.map(|v| v.name.clone()).collect();
        if names.is_empty() { None } else { Some(self.choices.pick(&names)) }
    }

    /// An index in `0..extent` that needs no guard, if there is one.
    pub(crate) fn plain_index(&mut self, extent: Extent) -> Option<String> {
        let mut found = Vec::new();
        for variable in &self.variables {
            affine_forms(variable, extent, &mut found);
        }
        for (at, a) in self.variables.iter().enumerate() {
            for b in &self.variables[at + 1..] {
                if a.range.plus(b.range).shifted(-1).at_most(extent) {
                    found.push(("sum of indices", format!("{} + {}", a.name, b.name)));
                }
            }
        }
        if extent.is_positive() {
            found.push(("constant index", "0".to_owned()));
            found.push(("last index", extent.shifted(-1).text()));
        } else if self.variables.iter().any(|v| v.range.at_most(extent)) {
            found.push(("constant index where a variable has a value", "0".to_owned()));
            found.push(("last index", extent.shifted(-1).text()));
        }
        if found.is_empty() {
            return None;
        }
        let (construct, text) = self.choices.pick(&found);
        self.note(construct);
        Some(text)
    }

    /// `p[..]`, where `p` has entries in `0..extent`.
    fn read_within(&mut self, extent: Extent, depth: u32) -> Option<Place> {
        let fits = |t: &Tensor| matches!(t.element, Element::Index(b) if b.at_most(extent));
        let place = self.read_index(depth, fits)?;
        self.note(if depth == 0 { "data-dependent index" } else { "nested data-dependent index" });
        Some(place)
    }

    /// An entry of an index tensor of this kind.
    fn read_index(&mut self, depth: u32, wanted: impl Fn(&Tensor) -> bool) -> Option<Place> {
        let fits = |t: &Tensor| t.steps == 0 && matches!(t.element, Element::Index(_)) && wanted(t);
        let tensors: Vec<Tensor> = self.tensors.iter().filter(|t| fits(t)).cloned().collect();
        if tensors.is_empty() {
            return None;
        }
        let tensor = self.choices.pick(&tensors);
        let Access { text, guards } = self.part(&tensor, tensor.shape.len(), depth + 1);
        Some(Place { text, guards })
    }

    /// Any index expression, with the guards that its own reads need.
    pub(crate) fn free_index(&mut self, depth: u32) -> Place {
        let Some(variable) = self.any_variable() else {
            let size = self.any_size();
            return Place::plain(size.shifted(self.choices.below(2) as i64).text());
        };
        let v = &variable.name;
        match self.choices.below(10) {
            0 | 1 => Place::plain(v.clone()),
            2 => Place::plain(format!("{v} + 1")),
            3 => Place::plain(format!("{v} - 1")),
            4 => Place::plain(format!("2 * {v} + {}", self.choices.below(2))),
            5 => Place::plain(format!("{v} / 2")),
            6 => {
                let other = self.any_variable().map_or_else(|| "1".to_owned(), |o| o.name);
                let sign = self.choices.pick(&["+", "-"]);
                Place::plain(format!("{v} {sign} {other}"))
            }
            7 => Place::plain(format!("{} - {v}", self.any_size().text())),
            8 if depth < 2 => match self.read_index(depth, |_| true) {
                Some(Place { text, guards }) => {
                    self.note("offset data-dependent index");
                    Place { text: format!("{text} + {v}"), guards }
                }
                None => Place::plain(v.clone()),
            },
            _ if depth < 1 => self.floor_index(),
            _ => Place::plain(format!("({v} + 1) % 3")),
        }
    }

    /// `floor(x[i])`: of an entry, so that it is one thing wherever it is repeated.
    fn floor_index(&mut self) -> Place {
        match self.exactly(|b| b.entry(20)) {
            Some((Access { text, guards }, _)) => {
                self.note("floor");
                Place { text: format!("floor({text})"), guards }
            }
            None => Place::plain("1".to_owned()),
        }
    }

    fn any_variable(&mut self) -> Option<Variable> {
        if self.variables.is_empty() { None } else { Some(self.choices.pick(&self.variables)) }
    }

    /// Any index expression under the guard that it is in `0..extent`.
    fn guarded_index(&mut self, extent: Extent, depth: u32) -> Place {
        if let Some(place) = self.shifted_index(extent) {
            return place;
        }
        let Place { text, mut guards } = self.free_index(depth);
        let end = extent.text();
        guards.push(match self.choices.below(3) {
            0 => format!("0 <= {text} < {end}"),
            1 => format!("{text} >= 0 and {text} < {end}"),
            _ => format!("{end} > {text} >= 0"),
        });
        self.note("guarded index");
        Place { text, guards }
    }

    /// `i - 1` where `i > 0`, `i + 1` where it is below the end, and the like.
    fn shifted_index(&mut self, extent: Extent) -> Option<Place> {
        let within = |v: &&Variable| v.range.at_most(extent);
        let variables: Vec<Variable> = self.variables.iter().filter(within).cloned().collect();
        if variables.is_empty() || self.choices.chance(1, 2) {
            return None;
        }
        let v = self.choices.pick(&variables).name;
        let end = extent.text();
        self.note("shifted index under a guard");
        let (text, guard) = match self.choices.below(4) {
            0 => (format!("{v} - 1"), format!("{v} > 0")),
            1 => (format!("{v} + 1"), format!("{v} + 1 < {end}")),
            2 => (format!("2 * {v} + 1"), format!("2 * {v} + 1 < {end}")),
            _ => (format!("{v} - 1"), format!("not {v} = 0")),
        };
        Some(Place { text, guards: vec![guard] })
    }

    /// The tensor with its first `axes` axes fixed.
    pub(crate) fn part(&mut self, tensor: &Tensor, axes: usize, depth: u32) -> Access {
        let (mut indices, mut guards) = self.earlier(tensor, depth);
        for extent in &tensor.shape[indices.len().min(axes)..axes] {
            let place = self.index(*extent, depth);
            guards.extend(place.guards);
            indices.push(place.text);
        }
        if indices.len() == 2 && indices[0] == indices[1] {
            self.note("diagonal");
        }
        let text = match indices.len() {
            0 => tensor.name.clone(),
            _ => format!("{}[{}]", tensor.name, indices.join(", ")),
        };
        Access { text, guards }
    }

    /// The leading indices that make an entry of an open recurrence an earlier one.
    fn earlier(&mut self, tensor: &Tensor, depth: u32) -> (Vec<String>, Vec<String>) {
        let shared = tensor.steps.min(self.open.len());
        if shared == 0 {
            return (Vec::new(), Vec::new());
        }
        let same = |b: &Self| b.open[..shared].iter().map(|s| s.variable.name.clone()).collect();
        if tensor.done && self.choices.chance(1, 3) {
            self.note("read of the same step");
            return (same(self), Vec::new());
        }
        let level = self.choices.below(shared);
        let mut indices: Vec<String> = same(self);
        indices.truncate(level);
        let (text, guard) = self.one_step(level, depth);
        indices.push(text);
        (indices, vec![guard])
    }

    /// A strictly earlier value of a recurrence variable, and where there is one.
    fn one_step(&mut self, level: usize, depth: u32) -> (String, String) {
        let step = self.open[level].clone();
        let (t, range) = (step.variable.name, step.variable.range);
        let way = self.choices.below(6);
        if matches!(way, 3 | 5)
            && depth < 2
            && let Some((read, guard)) = self.earlier_by_data(&t, range, step.descending)
        {
            return (read, guard);
        }
        match (step.descending, way) {
            (false, 4) => (format!("{t} / 2"), format!("{t} > 0")),
            (false, 2) => {
                self.note("state two steps before");
                (format!("{t} - 2"), format!("{t} > 1"))
            }
            (true, 2) => {
                self.note("state two steps before");
                (format!("{t} + 2"), format!("{t} + 2 < {}", range.text()))
            }
            (false, _) => (format!("{t} - 1"), format!("{t} > 0")),
            (true, _) => (format!("{t} + 1"), format!("{t} + 1 < {}", range.text())),
        }
    }

    /// `p[t]`, earlier because of what the data satisfy or because a guard says so.
    fn earlier_by_data(
        &mut self,
        t: &str,
        range: Extent,
        descending: bool,
    ) -> Option<(String, String)> {
        let fits = |p: &Tensor| {
            p.steps == 0
                && matches!(p.element, Element::Index(b) if b.at_most(range))
                && p.shape.len() == 1
                && range.at_most(p.shape[0])
        };
        let tensors: Vec<Tensor> = self.tensors.iter().filter(|p| fits(p)).cloned().collect();
        if tensors.is_empty() {
            return None;
        }
        let p = self.choices.pick(&tensors);
        let read = format!("{}[{t}]", p.name);
        self.note("data-dependent earlier read");
        let guard = match (p.promise, descending) {
            (Promise::Earlier, false) => format!("{t} > 0"),
            (_, false) => format!("{read} < {t}"),
            (_, true) => format!("{read} > {t}"),
        };
        Some((read, guard))
    }
}

/// Affine forms of one variable that stay in `0..extent`.
fn affine_forms(variable: &Variable, extent: Extent, found: &mut Vec<(&'static str, String)>) {
    let Variable { name: v, range } = variable;
    if range.at_most(extent) {
        let slack = extent.minus(*range);
        found.push(("index variable", v.clone()));
        found.push(("reversed index", format!("{} - {v}", extent.shifted(-1).text())));
        found.push(("halved index", format!("{v} / 2")));
        if slack.is_positive() {
            found.push(("shifted index", format!("{v} + 1")));
        }
        if slack != Extent::constant(0) {
            found.push(("shifted index", format!("{v} + {}", slack.text())));
        }
    }
    if range.times(2).at_most(extent) {
        found.push(("strided index", format!("2 * {v} + 1")));
        found.push(("strided index", format!("2 * {v}")));
    }
    let modulus = extent.constant_part();
    if extent.is_positive() && modulus >= 2 {
        found.push(("remainder index", format!("{v} % {modulus}")));
    }
}
