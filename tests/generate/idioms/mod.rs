//! Statements as programs of arrays have them: products of matrices, windows, scans, cells of
//! networks, tables, trees, rows at places of data.
//!
//! Passes that join, cut and shorten loops act on such programs; a random expression is seldom one.
//! Each idiom is a function that adds its lines, or nothing if the tensors at hand do not fit.

mod chains;
mod maps;
mod places;
mod shapes;
mod sides;
mod steps;
mod windows;

use super::builder::{Builder, Element, Flavour, Size, Tensor, Variable};
use super::extent::Extent;
use super::reals::MODEST;
use super::statements::bracketed;

/// What an idiom adds; `None` if it has no place.
type Idiom = fn(&mut Builder<'_>) -> Option<()>;

/// The constructs with their weights.
const IDIOMS: [(usize, (&str, Idiom)); 40] = [
    (6, ("entry by entry", |b| b.entry_by_entry())),
    (6, ("contraction", |b| b.contraction())),
    (3, ("normalized rows", |b| b.normalized())),
    (3, ("pairs of different points", |b| b.pairs())),
    (2, ("product of all but one", |b| b.all_but_one())),
    (3, ("sum of squares", |b| b.loss())),
    (4, ("window", |b| b.window())),
    (3, ("window of two axes", |b| b.square_window())),
    (5, ("scan", |b| b.scan())),
    (5, ("cell", |b| b.cell())),
    (3, ("table", |b| b.table())),
    (4, ("substitution", |b| b.substitution())),
    (2, ("triangular factor", |b| b.triangular_factor())),
    (4, ("steps of a stencil", |b| b.stencil_steps())),
    (2, ("tree", |b| b.tree())),
    (2, ("best path", |b| b.best_path())),
    (4, ("sum at places", |b| b.sum_at_places())),
    (3, ("rows at places", |b| b.rows_at_places())),
    (4, ("segments", |b| b.segments())),
    (3, ("sum over a relation", |b| b.sum_over_relation())),
    (3, ("entry that was searched", |b| b.searched())),
    (3, ("diagonal of a matrix", |b| b.diagonal())),
    (3, ("residues", |b| b.residues())),
    (2, ("sum between two variables", |b| b.between())),
    (3, ("sum along an axis", |b| b.sum_along())),
    (3, ("kernel of points", |b| b.kernel_of_points())),
    (2, ("channels", |b| b.channels())),
    (4, ("recurrence after a recurrence", |b| b.there_and_back())),
    (3, ("scan in phases", |b| b.phases())),
    (2, ("sweep", |b| b.sweep())),
    (3, ("last steps", |b| b.last_steps())),
    (3, ("differences along edges", |b| b.edges())),
    (2, ("shares at places", |b| b.shares())),
    (2, ("greatest at places", |b| b.greatest_at_places())),
    (3, ("places by computation", |b| b.computed_places())),
    (4, ("both sides of pairs", |b| b.both_sides())),
    (4, ("chain of sums over pairs", |b| b.chain_of_pairs())),
    (3, ("bodies in steps", |b| b.bodies_in_steps())),
    (2, ("triples", |b| b.triples())),
    (3, ("product of all but some", |b| b.all_but_some())),
];

impl Builder<'_> {
    /// One idiom, or another definition where it has no place.
    pub(crate) fn idiom(&mut self) {
        let (construct, make) = self.choices.weighted(&IDIOMS);
        match make(self) {
            Some(()) => self.note(construct),
            None => self.real_definition(),
        }
        self.variables.clear();
    }

    /// A real tensor of this kind, one of the last rather than of the first.
    fn closed(&mut self, wanted: impl Fn(&Tensor) -> bool) -> Option<Tensor> {
        let fits = |t: &&Tensor| t.steps == 0 && bits(t) <= 300 && wanted(t);
        let tensors: Vec<Tensor> = self.tensors.iter().rev().filter(fits).cloned().collect();
        let near = tensors.len().min(4);
        let most = if self.choices.chance(3, 4) { near } else { tensors.len() };
        if most == 0 { None } else { Some(self.choices.pick(&tensors[..most])) }
    }

    /// A variable over a range, in scope until the statement is defined.
    fn over(&mut self, range: Extent) -> Variable {
        let name = self.bind("i", range);
        Variable { name, range }
    }

    /// `y[i: n, j: m] = e`
    fn defined(&mut self, axes: &[Variable], value: &str, size: Size) -> Tensor {
        let name = self.fresh("y");
        self.line(0, &format!("{name}{} = {value}", heads(axes)));
        self.variables.clear();
        self.define_local(&name, axes.iter().map(|a| a.range).collect(), size);
        self.tensors[self.tensors.len() - 1].clone()
    }

    /// A function that keeps what it takes small.
    fn squashed(&mut self, e: &str, size: Size) -> String {
        let ways = match self.flavour {
            Flavour::Rational => 2,
            Flavour::Full | Flavour::Arrays | Flavour::ShortArrays => {
                if size.bits > MODEST {
                    5
                } else {
                    6
                }
            }
        };
        match self.choices.below(ways) {
            0 => format!("0.5 * ({e})"),
            // a quotient in each step has three times the digits of the step before
            1 if self.flavour == Flavour::Rational => format!("max({e}, -0.5 * ({e}))"),
            1 => format!("({e}) / (1 + ({e})^2)"),
            2 => format!("tanh({e})"),
            3 => format!("sigmoid({e})"),
            4 => format!("exp(-1 - ({e})^2)"),
            _ => format!("sin({e})"),
        }
    }

    /// An entry at these variables, the axes in any order: of a tensor whose axes they are, or a number.
    fn aligned(&mut self, variables: &[&Variable]) -> (String, Size) {
        self.aligned_within(variables, 300)
    }

    /// The same, of at most so many binary digits.
    fn aligned_within(&mut self, variables: &[&Variable], limit: u32) -> (String, Size) {
        let ranges: Vec<Extent> = variables.iter().map(|v| v.range).collect();
        let fits = |t: &Tensor| {
            !t.shape.is_empty()
                && bits(t) <= limit
                && t.shape.len() <= ranges.len()
                && t.shape.iter().all(|e| ranges.contains(e))
        };
        let Some(tensor) = self.closed(fits) else { return (self.number(), small(3)) };
        let mut indices: Vec<String> = Vec::new();
        for extent in &tensor.shape {
            let own = variables.iter().filter(|v| v.range == *extent);
            let names: Vec<String> = own.map(|v| v.name.clone()).collect();
            let unused: Vec<String> =
                names.iter().filter(|name| !indices.contains(name)).cloned().collect();
            indices.push(self.choices.pick(if unused.is_empty() { &names } else { &unused }));
        }
        let indices: Vec<&str> = indices.iter().map(String::as_str).collect();
        (at(&tensor, &indices), size(&tensor))
    }

    /// A condition on two variables that makes a triangle, a band, a relation or nothing of their box.
    fn shape_of_pairs(&mut self, i: &Variable, j: &Variable) -> Option<String> {
        let (a, b) = (&i.name, &j.name);
        let relation = self.relations.iter().find(|r| r.extents == [i.range, j.range]);
        match self.choices.below(9) {
            0 => Some(format!("{a} <= {b}")),
            1 => Some(format!("{b} < {a}")),
            2 => Some(format!("{a} != {b}")),
            3 => Some(format!("{a} <= {b} + 1 and {b} <= {a} + 1")),
            4 => relation.map(|r| format!("{}({a}, {b})", r.name)),
            _ => None,
        }
    }
}

/// `[i: n, j: m]`, or nothing
fn heads(axes: &[Variable]) -> String {
    bracketed(&axes.iter().map(head).collect::<Vec<_>>())
}

/// `i: n`
fn head(variable: &Variable) -> String {
    format!("{}: {}", variable.name, variable.range.text())
}

/// `x[i, j]`
fn at(tensor: &Tensor, indices: &[&str]) -> String {
    if indices.is_empty() {
        return tensor.name.clone();
    }
    format!("{}[{}]", tensor.name, indices.join(", "))
}

fn size(tensor: &Tensor) -> Size {
    match tensor.element {
        Element::Real(size) => size,
        Element::Index(_) => Size { bits: u32::MAX, rounded: true },
    }
}

fn bits(tensor: &Tensor) -> u32 {
    size(tensor).bits
}

/// Whether comparisons of sums of two entries are certain in `f64`.
fn is_exact(tensor: &Tensor) -> bool {
    let Size { bits, rounded } = size(tensor);
    !rounded && bits <= 24
}

/// The size of an exact number.
fn small(bits: u32) -> Size {
    Size { bits, rounded: false }
}

/// The size of what is rounded.
fn rounded(bits: u32) -> Size {
    Size { bits, rounded: true }
}

/// The size of a sum of many values.
fn summed(size: Size) -> Size {
    Size { bits: size.bits + 8, ..size }
}

/// ` where p`, or nothing
fn where_(guard: Option<&str>) -> String {
    guard.map(|g| format!(" where {g}")).unwrap_or_default()
}
